"""Layers as GeoJSON, out and in, and what GIS programs find beside them; equal layers give equal bytes."""

from __future__ import annotations

import io
import json
from pathlib import Path

import geopandas as gpd
import pandas as pd
import shapely
from pyarrow import parquet

from planner.errors import DataError
from planner.outputs.geopackage import geopackage
from planner.outputs.jsonfiles import read_json
from planner.outputs.layers import TABLES
from planner.outputs.provenance import MANIFEST
from planner.outputs.report import Report
from planner.outputs.styles import qml

PLACES_FILE = "localidades.parquet"
_DEGREE_DECIMALS = 6
_ROW_GROUP = 4096  # features read at once where only a box of them is wanted


def geo_files(report: Report) -> dict[str, bytes]:
    """Every layer as GeoJSON with its style for QGIS beside it, the localities as GeoParquet, and plan.gpkg."""
    run = str(report.about["corrida"])
    files = {f"{name}.geojson": geojson(frame, run).encode() for name, frame in report.layers.items()}
    styles = {f"{name}.qml": qml(name, frame) for name, frame in report.layers.items()}
    return files | styles | {PLACES_FILE: geoparquet(report.layers["localidades"]), "plan.gpkg": geopackage(report)}


def geoparquet(frame: gpd.GeoDataFrame) -> bytes:
    """A layer as GeoParquet 1.1 in degrees, with the box of each feature, so that it can be read by column and by bounding box.

    The file names no CRS, which the standard reads as longitude and latitude of WGS 84: how PROJ words that depends on what the
    process did before.
    """
    written, packed = io.BytesIO(), io.BytesIO()
    frame.to_crs(4326).set_crs(None, allow_override=True).to_parquet(written, schema_version="1.1.0", write_covering_bbox=True)
    table = parquet.read_table(written)
    about = json.loads(table.schema.metadata[b"geo"])
    for column in about["columns"].values():
        del column["crs"]
    told = {**table.schema.metadata, b"geo": json.dumps(about, sort_keys=True).encode()}
    parquet.write_table(table.replace_schema_metadata(told), packed, compression="zstd", row_group_size=_ROW_GROUP)
    return packed.getvalue()


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


def geojson(frame: gpd.GeoDataFrame, run: str = "") -> str:
    """The layer as RFC 7946: EPSG:4326, lon and lat of six decimals, right-hand rings, the key as a text property.

    `run` is the print of the run that it belongs to, told in a member of its own.

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
    origin = f',"procedencia":{json.dumps({"corrida": run, "manifiesto": MANIFEST})}' if run else ""
    return f'{{"type":"FeatureCollection"{origin},"features":[\n' + ",\n".join(lines) + "\n]}\n"
