"""Tiles of elevation on one lattice, read as one raster: windows of metres, impossible heights blank."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from planner.errors import DataError

ELEVATION_M = (-430.0, 9000.0)  # the shore of the Dead Sea, and above Everest: beyond are undeclared voids
FORMATS = (".hgt", ".tif", ".tiff", ".img", ".asc", ".bil", ".vrt")  # looked for inside a zip
LATTICE = 0.01  # pixels: tiles whose corners differ by less from whole pixels are one mosaic
MARGIN = 3  # pixels around a window, for what interpolates


@dataclass(frozen=True, eq=False)
class Tile:
    """An open raster (north up) of metres, and the row and column of its first pixel on the lattice of its mosaic."""

    name: str
    source: Any
    row: int = 0
    col: int = 0


def members(path: Path) -> list[Path | str]:
    """The file itself, or the rasters inside a zip as GDAL names them, by name. DataError for a zip without any."""
    if path.suffix.lower() != ".zip" or not path.is_file():
        return [path]
    try:
        with zipfile.ZipFile(path) as packed:
            names = sorted(n for n in packed.namelist() if n.lower().endswith(FORMATS))
    except zipfile.BadZipFile:
        raise DataError(f"{path.name} es un zip dañado o incompleto; descárguelo de nuevo.") from None
    if not names:
        raise DataError(f"{path.name} no trae ningún ráster ({', '.join(FORMATS)}); ¿es el archivo correcto?")
    return [f"/vsizip/{path.resolve().as_posix()}/{name}" for name in names]


def mosaics(tiles: Sequence[Tile]) -> list[list[Tile]]:
    """Tiles grouped by lattice (CRS, pixel and phase), in the order of their first ones."""
    groups: list[list[Tile]] = []
    for tile in tiles:
        own, extent = tile.source.transform, max(tile.source.shape)
        for group in groups:
            first = group[0].source.transform
            col, row = (own.c - first.c) / first.a, (own.f - first.f) / first.e
            drift = max(abs(own.a / first.a - 1), abs(own.e / first.e - 1)) * extent
            if tile.source.crs == group[0].source.crs and max(abs(col - round(col)), abs(row - round(row)), drift) < LATTICE:
                group.append(Tile(tile.name, tile.source, round(row), round(col)))
                break
        else:
            groups.append([tile])
    return groups


def read_window(mosaic: Sequence[Tile], bounds: Sequence[float], odd: dict[str, float]) -> tuple[np.ndarray, tuple[float, float]] | None:
    """The pixels within `bounds` (left, bottom, right, top; CRS of the mosaic) and MARGIN around, and their upper left corner.

    Heights are metres, float32, NaN where no tile has data; the first tile listed wins. A height beyond ELEVATION_M is
    blank, and the first of each file goes to `odd`. None where no tile lies.
    """
    if not all(map(math.isfinite, bounds)):
        return None
    lattice = mosaic[0].source.transform
    row0 = max(math.floor((bounds[3] - lattice.f) / lattice.e) - MARGIN, min(t.row for t in mosaic))
    col0 = max(math.floor((bounds[0] - lattice.c) / lattice.a) - MARGIN, min(t.col for t in mosaic))
    row1 = min(math.ceil((bounds[1] - lattice.f) / lattice.e) + MARGIN, max(t.row + t.source.height for t in mosaic))
    col1 = min(math.ceil((bounds[2] - lattice.c) / lattice.a) + MARGIN, max(t.col + t.source.width for t in mosaic))
    if row0 >= row1 or col0 >= col1:
        return None
    pixels = np.full((row1 - row0, col1 - col0), np.nan, np.float32)
    for tile in reversed(mosaic):  # the first listed is painted last
        top, left = max(row0, tile.row), max(col0, tile.col)
        bottom, right = min(row1, tile.row + tile.source.height), min(col1, tile.col + tile.source.width)
        if top < bottom and left < right:
            heights = _heights(tile, ((top - tile.row, bottom - tile.row), (left - tile.col, right - tile.col)), odd)
            part = pixels[top - row0 : bottom - row0, left - col0 : right - col0]
            np.copyto(part, heights, where=~np.isnan(heights))
    return pixels, (lattice.c + col0 * lattice.a, lattice.f + row0 * lattice.e)


def _heights(tile: Tile, window: tuple[tuple[int, int], tuple[int, int]], odd: dict[str, float]) -> np.ndarray:
    read = tile.source.read(1, window=window, masked=True).astype(np.float32)
    heights = np.asarray(read.filled(np.nan) * np.float32(tile.source.scales[0]) + np.float32(tile.source.offsets[0]))
    beyond = (heights < ELEVATION_M[0]) | (heights > ELEVATION_M[1])
    if beyond.any():
        odd.setdefault(tile.name, float(heights[beyond][0]))
        heights[beyond] = np.nan
    return heights
