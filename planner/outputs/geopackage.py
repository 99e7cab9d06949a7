"""plan.gpkg, for QGIS and its like: every layer in the region's CRS; equal layers give equal bytes."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

import geopandas as gpd
import pyogrio

from planner.outputs.report import Report

_GEOMETRY = {"areas_influencia": "MultiPolygon", "referencias": "LineString", "distritos": "MultiPolygon", "redes": "LineString",
             "zonas": "MultiPoint"}  # the rest are points
_FIXED_DATE = "2000-01-01T00:00:00.000Z"  # the date is told in the manifest only


def geopackage(report: Report) -> bytes:
    """plan.gpkg: every layer in the region's CRS. OSError if it could not be written whole."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "plan.gpkg"
        _write_layers(path, report.layers)
        return path.read_bytes()


def _write_layers(path: Path, found: Mapping[str, gpd.GeoDataFrame]) -> None:
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
