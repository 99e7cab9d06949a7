"""plan.gpkg, for QGIS and its like: layers in the region's CRS with styles, labels, dictionary, sources and origin inside.

Equal reports give equal bytes.
"""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyogrio

from planner.outputs.credits import credits_table
from planner.outputs.layers import dictionary
from planner.outputs.provenance import MANIFEST
from planner.outputs.report import Report
from planner.outputs.styles import TITLES, fields, qml

FILE = "plan.gpkg"
_GEOMETRY = {"areas_influencia": "MultiPolygon", "referencias": "LineString", "distritos": "MultiPolygon", "redes": "LineString",
             "zonas": "MultiPoint"}  # the rest are points
_FIXED_DATE = "2000-01-01T00:00:00.000Z"  # the date is told in the manifest only
_SCHEMA = "http://www.geopackage.org/spec121/#extension_schema"


def geopackage(report: Report) -> bytes:
    """The whole file. OSError if it could not be written whole."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / FILE
        _write_layers(path, report.layers)
        try:
            with closing(sqlite3.connect(path)) as store, store:
                _describe(store, report)
        except sqlite3.Error as fault:
            raise OSError(f"{FILE}: {fault}") from fault
        return path.read_bytes()


def tables_of(found: Mapping[str, gpd.GeoDataFrame]) -> Iterator[tuple[str, gpd.GeoDataFrame, str]]:
    """Tables of one kind of geometry each, as GIS programs want them: the stops of `rutas` go to `paradas`."""
    for name, frame in found.items():
        if name == "rutas":
            stops = frame["elemento"] == "parada"
            yield name, frame[~stops], "LineString"
            yield "paradas", frame[stops], "Point"
        else:
            yield name, frame, _GEOMETRY.get(name, "Point")


def _write_layers(path: Path, found: Mapping[str, gpd.GeoDataFrame]) -> None:
    before = pyogrio.get_gdal_config_option("OGR_CURRENT_DATE")
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": _FIXED_DATE})
    tables = list(tables_of(found))
    try:
        for name, frame, kind in tables:
            # version 1.2 is the newest that QGIS 3.22 reads without complaint
            pyogrio.write_dataframe(frame.reset_index(), path, driver="GPKG", layer=name, geometry_type=kind, VERSION="1.2")
        _check_geopackage(path, {name: len(frame) for name, frame, _ in tables})
    except (RuntimeError, sqlite3.Error) as fault:  # RuntimeError is what every error of pyogrio is
        raise OSError(f"{FILE}: {fault}") from fault
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": before})


def _check_geopackage(path: Path, rows: Mapping[str, int]) -> None:
    """OSError unless every row and spatial index arrived: GDAL swallows a full disk while it closes a file."""
    with closing(sqlite3.connect(path)) as store:
        counted = dict(store.execute("SELECT table_name, feature_count FROM gpkg_ogr_contents"))
        indexed = {name for name, in store.execute("SELECT table_name FROM gpkg_extensions WHERE extension_name = 'gpkg_rtree_index'")}
        sound = store.execute("PRAGMA quick_check").fetchone() == ("ok",)
    if counted != rows or indexed != set(rows) or not sound:
        raise OSError(f"{FILE} quedó incompleto")


def _describe(store: sqlite3.Connection, report: Report) -> None:
    """Styles, labels and what stands beside the layers, as the GeoPackage standard and QGIS have it."""
    store.executescript("""
        CREATE TABLE layer_styles (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, f_table_catalog TEXT, f_table_schema TEXT,
            f_table_name TEXT, f_geometry_column TEXT, styleName TEXT, styleQML TEXT, styleSLD TEXT, useAsDefault BOOLEAN,
            description TEXT, owner TEXT, ui TEXT, update_time DATETIME);
        CREATE TABLE gpkg_data_columns (table_name TEXT NOT NULL, column_name TEXT NOT NULL, name TEXT, title TEXT, description TEXT,
            mime_type TEXT, constraint_name TEXT, CONSTRAINT pk_gdc PRIMARY KEY (table_name, column_name),
            CONSTRAINT gdc_tn UNIQUE (table_name, name));
        CREATE TABLE gpkg_data_column_constraints (constraint_name TEXT NOT NULL, constraint_type TEXT NOT NULL, value TEXT, min NUMERIC,
            min_is_inclusive BOOLEAN, max NUMERIC, max_is_inclusive BOOLEAN, description TEXT,
            CONSTRAINT gdcc_ntv UNIQUE (constraint_name, constraint_type, value));""")
    store.executemany("INSERT INTO gpkg_extensions VALUES (?, NULL, 'gpkg_schema', ?, 'read-write')",
                      [(table, _SCHEMA) for table in ("gpkg_data_columns", "gpkg_data_column_constraints")])
    for name, frame, _ in tables_of(report.layers):
        store.execute("INSERT INTO layer_styles VALUES (NULL, '', '', ?, 'geom', ?, ?, '', 1, ?, '', NULL, ?)",
                      (name, TITLES[name], qml(name, frame).decode(), TITLES[name], _FIXED_DATE))
        store.execute("UPDATE gpkg_contents SET identifier = ?, description = ? WHERE table_name = ?", (TITLES[name], _about(report), name))
        store.executemany("INSERT INTO gpkg_data_columns VALUES (?, ?, ?, ?, ?, NULL, NULL)", _labels(name))
    _add_table(store, "diccionario", dictionary())
    _add_table(store, "fuentes", credits_table(report.run.region).reset_index())
    _add_table(store, "procedencia", _origin(report))
    _register(store, "layer_styles")


def _labels(layer: str) -> list[tuple[str, str, str, str, str]]:
    """Name, title and description of each field; a label that comes twice is told apart by the field."""
    found, taken = [], set()
    for name, column in fields(layer).items():
        label = column.label if column.label not in taken else f"{column.label} ({name})"
        taken.add(label)
        unit, mark = (f" [{column.unit}]" if column.unit else ""), (f" ({column.mark})" if column.mark else "")
        found.append((layer, name, label, label, f"{column.meaning}{unit}{mark}"))
    return found


def _add_table(store: sqlite3.Connection, name: str, table: pd.DataFrame) -> None:
    """A table of text without geometry, registered as such."""
    columns = [str(c) for c in table.columns]
    quoted = ", ".join(f'"{c}" TEXT' for c in columns)
    store.execute(f'CREATE TABLE "{name}" (fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, {quoted})')
    rows: Sequence[Sequence[object]] = table.astype(object).where(table.notna(), None).to_numpy().tolist()
    store.executemany(f'INSERT INTO "{name}" VALUES (NULL, {", ".join("?" * len(columns))})',
                      [[None if v is None else str(v) for v in row] for row in rows])
    _register(store, name)


def _register(store: sqlite3.Connection, name: str) -> None:
    store.execute("INSERT INTO gpkg_contents (table_name, data_type, identifier, last_change) VALUES (?, 'attributes', ?, ?)",
                  (name, name, _FIXED_DATE))


def _about(report: Report) -> str:
    region, made_up = report.run.region, " DATOS SINTÉTICOS." if report.run.region.synthetic else ""
    return f"{region.name}, escenario {report.run.scenario.name}; corrida {report.about['corrida']}, véase {MANIFEST}.{made_up}"


def _origin(report: Report) -> pd.DataFrame:
    """Where the file comes from, a line each; the rest stands in the manifest."""
    about = report.about
    rows = [("corrida", about["corrida"]), ("manifiesto", MANIFEST), ("planificador", about["planner"]), ("commit", about["commit"]),
            ("region", about["region"]["nombre"]), ("escenario", about["escenario"]["name"]), ("solucion", about["solucion"]["estado"]),
            ("brecha_relativa", about["solucion"]["brecha_relativa"]), ("semilla", about["semilla"]),
            *((f"entrada: {f['papel']}", f"{f['archivo']}; SHA-256 {f['sha256']}; corte {f['corte'] or 'no publicado'}")
              for f in about["entradas"])]
    return pd.DataFrame(rows, columns=["clave", "valor"], dtype=object)
