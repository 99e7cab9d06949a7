"""A prepared region on disk: GeoParquet, GeoTIFF and a manifest with the digest of every input and of every file."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
from pyarrow import parquet
from pyproj import Transformer

from planner.checks import findings_table
from planner.errors import DataError, StorageError
from planner.keeping import digest, replacing
from planner.model import Finding, InputFile, Region, Roads
from planner.sources.rasters import load_grid, write_grid

FORMAT = 4  # raised when the files of a prepared region change their meaning
MANIFEST, REPORT = "manifest.json", "avisos.csv"
FACTS = ("name", "slug", "entity", "crs", "synthetic")
GEOGRAPHIC = ("localities", "units", "municipalities")
TABLES = ("responsibility", "circuits", "resources", "community", "served")  # absent when the region has none
ROADS = {"nodes": "road_nodes.parquet", "edges": "roads.parquet"}  # absent when its roads are a raster
BARRIERS = "barriers.parquet"
TRAVEL_CACHE = ".viajes"  # beside the prepared regions: what travel.cache keeps; may be deleted at any time


def write_region(region: Region, folder: Path) -> None:
    """Store `region` in `folder`, replacing what a former run left there; equal regions give equal bytes.

    Everything is written beside and renamed at the end, so that no half-written region is ever seen.
    StorageError if the folder cannot be written or holds something else.
    """
    with replacing(folder, MANIFEST, "una región preparada") as beside:
        _write(region, beside)


def read_region(folder: Path) -> Region:
    """Read what `write_region` stored. StorageError if it is missing, damaged or of another version of the planner."""
    manifest = _manifest(folder)
    for name, expected in manifest["files"].items():
        path = folder / name
        if not path.is_file() or digest(path) != expected:
            raise StorageError(f"A la región preparada {folder} le falta {name} o está dañado; ejecute «planner prepare» de nuevo.")
    try:
        facts: dict[str, Any] = {k: manifest[k] for k in FACTS}
        for name in GEOGRAPHIC:
            facts[name] = gpd.read_parquet(folder / f"{name}.parquet")
        for name in TABLES:
            stored = f"{name}.parquet" in manifest["files"]
            facts[name] = pd.read_parquet(folder / f"{name}.parquet") if stored else None
        stored = ROADS["edges"] in manifest["files"]
        facts["roads"] = Roads(**{part: gpd.read_parquet(folder / name) for part, name in ROADS.items()}) if stored else None
        has_barriers = BARRIERS in manifest["files"]
        facts["barriers"] = gpd.read_parquet(folder / BARRIERS).geometry if has_barriers else None
        return Region(
            **facts, grid=load_grid(folder, manifest["crs"]),
            findings=tuple(Finding(**{**f, "examples": tuple(f["examples"])}) for f in manifest["findings"]),
            inputs=tuple(InputFile(**i) for i in manifest["inputs"]))
    except (KeyError, TypeError, DataError, OSError) as fault:
        raise StorageError(f"La región preparada {folder} no se puede leer ({fault}); ejecute «planner prepare» de nuevo.") from None


@dataclass(frozen=True)
class Extent:
    """Where the localities of a prepared region lie: state, CRS and bounds in it (west, south, east, north)."""

    entity: str
    crs: str
    bounds: tuple[float, float, float, float]

    def within(self, other: Extent, metres: float) -> bool:
        """Whether the bounds come as near as that to the other's."""
        west, south, east, north = Transformer.from_crs(self.crs, other.crs, always_xy=True).transform_bounds(*self.bounds)
        left, bottom, right, top = other.bounds
        return west <= right + metres and east >= left - metres and south <= top + metres and north >= bottom - metres


def extent(folder: Path) -> Extent:
    """The extent of a prepared region, without reading it. StorageError as `read_region`."""
    about = _manifest(folder)
    try:
        told = json.loads(parquet.read_metadata(folder / "localities.parquet").metadata[b"geo"])
        return Extent(about["entity"], about["crs"], tuple(told["columns"][told["primary_column"]]["bbox"]))
    except (KeyError, TypeError, ValueError, OSError) as fault:
        raise StorageError(f"La región preparada {folder} no se puede leer ({fault}); ejecute «planner prepare» de nuevo.") from None


def ids_of(folder: Path, table: str) -> pd.Index:
    """The ids of a table (GEOGRAPHIC) of a prepared region, nothing else of it read. StorageError as `read_region`."""
    try:
        return pd.read_parquet(folder / f"{table}.parquet", columns=[]).index
    except (OSError, ValueError) as fault:
        raise StorageError(f"La región preparada {folder} no se puede leer ({fault}); ejecute «planner prepare» de nuevo.") from None


def _write(region: Region, folder: Path) -> None:
    frames = {f"{name}.parquet": getattr(region, name) for name in GEOGRAPHIC}
    if region.roads is not None:
        frames |= {name: getattr(region.roads, part) for part, name in ROADS.items()}
    if region.barriers is not None:
        frames[BARRIERS] = gpd.GeoDataFrame(geometry=region.barriers)
    for name, frame in frames.items():
        frame.to_parquet(folder / name, compression="zstd", schema_version="1.1.0", row_group_size=1 << 20)
    for name in TABLES:
        table = getattr(region, name)
        if table is not None:
            table.to_parquet(folder / f"{name}.parquet", compression="zstd", row_group_size=1 << 20)
    write_grid(region.grid, folder)
    (folder / REPORT).write_text(findings_table(region.findings).to_csv(index=False, lineterminator="\n"), encoding="utf-8")
    manifest = {
        "format": FORMAT, "planner": version("planner"),
        **{k: getattr(region, k) for k in FACTS},
        "inputs": [asdict(i) for i in region.inputs], "findings": [asdict(f) for f in region.findings],
        "files": {path.name: digest(path) for path in sorted(folder.iterdir())},
    }
    (folder / MANIFEST).write_text(json.dumps(manifest, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _manifest(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST
    if not path.is_file():
        raise StorageError(f"No hay región preparada en {folder}; ejecute «planner prepare» primero.")
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError) as fault:
        raise StorageError(f"{path} está dañado ({fault}); ejecute «planner prepare» de nuevo.") from None
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT or not isinstance(manifest.get("files"), dict):
        raise StorageError(f"{folder} se preparó con otra versión del planificador; ejecute «planner prepare» de nuevo.")
    return manifest
