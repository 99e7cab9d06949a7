"""The folder of a run: GeoJSON, GeoPackage, calendar, indicators and manifest, written beside and renamed when whole.

Equal runs give equal bytes; only manifest.json carries the date and the seconds.
"""

from __future__ import annotations

import hashlib
import json
import math
import platform
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import UTC, date, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pyogrio
import shapely

from planner.decide.regional.regionalization import Regionalization
from planner.errors import DataError, StorageError, reason
from planner.model import Region, Solution
from planner.outputs.calendar import calendar_files
from planner.outputs.decisions import decision_files, decision_indicators
from planner.outputs.exporting import significant
from planner.outputs.layers import TABLES, dictionary, layers
from planner.outputs.regional import regional_files
from planner.outputs.regionaltold import regional_indicators, solutions
from planner.scenarios import Run
from planner.settings import Scenario, describe_scenario
from planner.store import digest, replacing

MANIFEST = "manifest.json"
INDICATORS = "indicadores.json"
_DEGREE_DECIMALS = 6
_GEOMETRY = {"areas_influencia": "MultiPolygon", "referencias": "LineString", "distritos": "MultiPolygon", "redes": "LineString",
             "zonas": "MultiPoint"}  # the rest are points
_FIXED_DATE = "2000-01-01T00:00:00.000Z"  # the date is told in the manifest only
_LIBRARIES = ("geopandas", "highspy", "icalendar", "numba", "numpy", "pandas", "pyogrio", "pyvrp", "rasterio",
              "scipy", "shapely")


def write_run(folder: Path, run: Run, prepared: Path, *, elapsed_s: float) -> None:
    """Write the files of a finished run into `folder`, in place of an older run there.

    `prepared` is the folder of the prepared region. Nothing is touched unless everything could be written; StorageError
    otherwise.
    """
    found = layers(run.region, run.travel, run.outcome, run.plan, run.scenario, run.regional)
    about = manifest(run.region, run.scenario, run.plan.solution, prepared, run.regional)
    about |= {"fecha": datetime.now(UTC).isoformat(timespec="seconds"), "segundos": round(elapsed_s, 1)}
    with replacing(folder, MANIFEST, "una corrida") as new:
        write_files(new, found, run.outcome.indicators | decision_indicators(run) | regional_indicators(run))
        for name, content in (calendar_files(run.region, run.plan, run.scenario) | decision_files(run) | regional_files(run)).items():
            (new / name).write_bytes(content)
        written = {p.name: digest(p) for p in sorted(new.iterdir())}
        _write(new / MANIFEST, canonical_json(about | {"archivos": written}))


def write_files(folder: Path, found: Mapping[str, gpd.GeoDataFrame], indicators: Mapping[str, Any]) -> None:
    """Write GeoJSON and GeoPackage of the layers, indicadores.json and diccionario.csv into an existing folder."""
    for name, frame in found.items():
        _write(folder / f"{name}.geojson", geojson(frame))
    _write_geopackage(folder / "plan.gpkg", found)
    _write(folder / INDICATORS, canonical_json(indicators))
    dictionary().to_csv(folder / "diccionario.csv", index=False, encoding="utf-8-sig", lineterminator="\n")


def manifest(region: Region, scenario: Scenario, solution: Solution, prepared: Path, found: Regionalization | None = None,
             ) -> dict[str, Any]:
    """What a run was made from and how it was solved, its regionalization too where there is one, without date and seconds."""
    return _question(prepared, scenario) | {
        "region": {"nombre": region.name, "clave": region.slug, "entidad": region.entity, "crs": region.crs, "sintetica": region.synthetic},
        "entradas": [{"papel": f.role, "archivo": f.name, "sha256": f.sha256, "bytes": f.size_bytes, "corte": f.cutoff}
                     for f in region.inputs],
        "supuestos": [{"clave": r["key"], "significado": r["meaning"], "valor": r["value"], "unidad": r["unit"], "marca": r["mark"],
                       "fuente": r["source"]} for r in describe_scenario(scenario).to_dict("records")],
        "versiones": {"python": platform.python_version(), "gdal": pyogrio.__gdal_version_string__} | {n: version(n) for n in _LIBRARIES},
        "semilla": scenario.seed,
        "solucion": {"estado": solution.status, "metodo": solution.method, "valor": solution.value, "cota": solution.bound,
                     "brecha_relativa": solution.gap},
        **({"regionalizacion": solutions(found)} if found is not None else {}),
    }


def is_current(folder: Path, prepared: Path, scenario: Scenario) -> bool:
    """Whether `folder` holds a whole run of this prepared region, scenario and version of the planner."""
    try:
        about = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    asked = json.loads(canonical_json(_question(prepared, scenario)))
    files = about.get("archivos", {}) if isinstance(about, dict) else {}
    whole = bool(files) and all((folder / name).is_file() for name in files)
    return whole and all(about.get(key) == value for key, value in asked.items())


def read_layer(folder: Path, name: str) -> gpd.GeoDataFrame:
    """One layer of a finished run in EPSG:4326, indexed by its key, typed as it was written. StorageError, DataError."""
    path, tables = folder / f"{name}.geojson", TABLES[name]
    kinds = {"text": "str", "float": "float64", "int": "int64", "bool": "bool"}
    columns = {tables[0].key.export: "str"} | {
        c.export: "Int64" if c.null and c.kind == "int" else kinds[c.kind] for t in tables for c in t.columns}
    whole = read_json(path)
    try:
        features = whole["features"]
        table = pd.DataFrame([f["properties"] for f in features], columns=list(columns)).astype(columns)
        places = [None if f["geometry"] is None else shapely.geometry.shape(f["geometry"]) for f in features]
    except (KeyError, TypeError, ValueError) as fault:
        raise DataError(f"{path} no es una capa de esta versión del planificador ({fault}); repita la corrida.") from fault
    return gpd.GeoDataFrame(table, geometry=places, crs=4326).set_index(tables[0].key.export)


def read_json(path: Path) -> Any:
    """A JSON file of a run. StorageError if it cannot be read, DataError if it is not JSON."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as fault:
        raise StorageError(f"No se puede leer {path} ({reason(fault)}); ¿es la carpeta de una corrida terminada?") from fault
    except ValueError as fault:
        raise DataError(f"{path} está dañado ({fault}); repita la corrida con --replace.") from fault


def canonical_json(value: Any) -> str:
    """JSON with sorted keys, floats of twelve significant digits and null for what is not finite."""
    return json.dumps(_plain(value), ensure_ascii=False, sort_keys=True, indent=1, allow_nan=False) + "\n"


def geojson(frame: gpd.GeoDataFrame) -> str:
    """The layer as RFC 7946: EPSG:4326, lon and lat of six decimals, right-hand rings, the key as a text property.

    Own writer because OGR turns text such as "[1, 2]" into an array and writes 0.3333 as 0.33329999999999999.
    """
    degrees = frame.geometry.to_crs(4326).to_numpy()
    shapes = shapely.orient_polygons(shapely.transform(degrees, lambda xy: xy.round(_DEGREE_DECIMALS)), exterior_cw=False)
    table = pd.DataFrame(frame.drop(columns=frame.geometry.name)).reset_index().astype(object)
    table = table.where(table.notna(), None)
    records = zip(table.to_dict("records"), shapes, strict=True)
    features = ({"type": "Feature", "properties": row, "geometry": None if shape is None else shapely.geometry.mapping(shape)}
                for row, shape in records)
    lines = (json.dumps(f, ensure_ascii=False, allow_nan=False, separators=(",", ":")) for f in features)
    return '{"type":"FeatureCollection","features":[\n' + ",\n".join(lines) + "\n]}\n"


def _question(prepared: Path, scenario: Scenario) -> dict[str, Any]:
    """The parts of a manifest that decide every figure of a run."""
    code = hashlib.sha256(b"".join(p.read_bytes() for p in sorted(Path(__file__).parents[1].rglob("*.py")))).hexdigest()
    return {"planner": version("planner"), "codigo_sha256": code, "region_sha256": digest(prepared / MANIFEST),
            "escenario": scenario.model_dump(mode="json")}


def _write_geopackage(path: Path, found: Mapping[str, gpd.GeoDataFrame]) -> None:
    before = pyogrio.get_gdal_config_option("OGR_CURRENT_DATE")
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": _FIXED_DATE})
    tables = list(_geopackage_layers(found))
    try:
        for name, frame, kind in tables:
            # version 1.2 is the newest that QGIS 3.22 reads without complaint
            pyogrio.write_dataframe(frame.reset_index(), path, driver="GPKG", layer=name, geometry_type=kind, VERSION="1.2")
        _check_geopackage(path, {name: len(frame) for name, frame, _ in tables})
    except (RuntimeError, sqlite3.Error) as fault:  # RuntimeError is what every error of pyogrio is
        raise OSError(f"plan.gpkg: {fault}") from fault
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": before})


def _check_geopackage(path: Path, rows: Mapping[str, int]) -> None:
    """OSError unless every row and spatial index arrived: GDAL swallows a full disk while it closes a file."""
    with closing(sqlite3.connect(path)) as store:
        counted = dict(store.execute("SELECT table_name, feature_count FROM gpkg_ogr_contents"))
        indexed = {name for name, in store.execute("SELECT table_name FROM gpkg_extensions WHERE extension_name = 'gpkg_rtree_index'")}
        sound = store.execute("PRAGMA quick_check").fetchone() == ("ok",)
    if counted != rows or indexed != set(rows) or not sound:
        raise OSError("plan.gpkg quedó incompleto")


def _geopackage_layers(found: Mapping[str, gpd.GeoDataFrame]) -> Iterator[tuple[str, gpd.GeoDataFrame, str]]:
    """Tables of one kind of geometry each, as GIS programs want them: the stops of `rutas` go to `paradas`."""
    for name, frame in found.items():
        if name == "rutas":
            stops = frame["elemento"] == "parada"
            yield name, frame[~stops], "LineString"
            yield "paradas", frame[stops], "Point"
        else:
            yield name, frame, _GEOMETRY.get(name, "Point")


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if isinstance(value, date):
        return value.isoformat()
    if hasattr(value, "item"):  # numpy scalar
        return _plain(value.item())
    if isinstance(value, float):
        return significant(value) if math.isfinite(value) else None
    return value
