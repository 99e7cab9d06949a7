"""Barriers to walking (rivers, lakes, fences): which steps between cells they cross."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely
from pyogrio.errors import DataLayerError, DataSourceError
from shapely import STRtree

from planner.errors import DataError
from planner.model import STEPS, Finding, Grid, opposite

BATCH = 200_000  # steps tested at once
ALL_STEPS = np.uint16(2 ** len(STEPS) - 1)
_WAYS = [k for k, (down, right) in enumerate(STEPS) if (down, right) > (0, 0)]  # one of each pair of opposite steps


def read_barriers(path: Path, crs: str) -> tuple[gpd.GeoSeries, tuple[Finding, ...]]:
    """Lines and polygons of every layer of a vector file, in `crs`, single and valid, and what was mended or left out.

    DataError if the file cannot be read, does not say its CRS, or holds no line nor polygon.
    """
    raw = _layers(path).to_crs(crs)
    raw = raw.where(np.isfinite(raw.bounds).all(axis=1))  # what the region's CRS cannot express
    sound = raw.is_valid | raw.isna()
    parts = raw.where(sound, raw.make_valid()).explode().explode()  # a mended one may be a collection of multiples
    usable = parts.geom_type.isin(["LineString", "LinearRing", "Polygon"])
    if not usable.any():
        kinds = ", ".join(sorted(set(parts.geom_type.dropna()))) or "ninguna geometría"
        raise DataError(f"{path.name} no tiene ninguna línea ni polígono ({kinds}); se esperan ríos, cuerpos de agua u otras barreras.")
    whole = usable.groupby(level=0).any()
    findings = (
        *Finding.of("barrera_invalida", "nota", "Barreras con geometría inválida: se repararon", path.name, raw.index[~sound & whole]),
        *Finding.of("barrera_ignorada", "aviso", "Elementos que no son línea ni polígono, o lejos de la región: se ignoran", path.name,
                    whole.index[~whole], "Use líneas o polígonos de la región."))
    return gpd.GeoSeries(parts[usable].force_2d().reset_index(drop=True)), findings


def cross_barriers(path: Path, grid: Grid) -> tuple[gpd.GeoSeries, np.ndarray, tuple[Finding, ...]]:
    """The barriers of a file, `Grid.blocked` for them, and the findings; raster roads of the grid cross on bridges."""
    barriers, findings = read_barriers(path, grid.crs)
    blocked = blocked_steps(grid.shape, grid.transform, barriers, grid.road_kmh > 0)
    if not blocked.any():
        findings += (Finding("barreras_fuera", "aviso", "Ninguna barrera cruza la malla de la región", path.name, len(barriers),
                             remedy="Revise que sea del mismo lugar y esté bien proyectada."),)
    return barriers, blocked, findings


def blocked_steps(
    shape: tuple[int, int], transform: tuple[float, ...], barriers: gpd.GeoSeries, road: np.ndarray | None = None
) -> np.ndarray:
    """Steps that a barrier crosses, uint16 (height, width): bit k of a cell for STEPS[k], and its opposite in the other cell.

    A step is crossed when the straight segment between the two cells' centres meets a line, or a polygon's area or
    edge, if only in a point: no chain of open steps leaves a closed barrier, nor passes one that spans the grid. Cells
    whose centre lies in a polygon are closed all around. Steps between two cells of the mask `road` stay open.
    `barriers` are valid LineStrings and Polygons in the grid's CRS, with their Z left out.
    """
    polygons = barriers[barriers.geom_type == "Polygon"].to_numpy()
    edges = np.concatenate([barriers[barriers.geom_type != "Polygon"].to_numpy(), shapely.get_rings(polygons)])
    pieces = _near_grid(_pieces(edges), shape, transform)
    inside, touched = _inside(polygons, shape, transform), _touched(pieces, shape, transform)
    lines: Any = shapely.linestrings(pieces)
    tree = STRtree(lines)
    blocked = np.where(inside, ALL_STEPS, np.uint16(0))
    for k in _WAYS:
        here, there = _pair(shape, *STEPS[k])
        closed = inside[here] | inside[there]
        rows, cols = np.nonzero(_around(touched, *STEPS[k])[here] & ~closed)
        closed[rows, cols] = _crossed(tree, rows + (here[0].start or 0), cols + (here[1].start or 0), STEPS[k], transform)
        blocked[here] |= closed.astype(np.uint16) << np.uint16(k)
        blocked[there] |= closed.astype(np.uint16) << np.uint16(opposite(k))
        if road is not None:
            open_road = road[here] & road[there]
            blocked[here] &= ~(open_road.astype(np.uint16) << np.uint16(k))
            blocked[there] &= ~(open_road.astype(np.uint16) << np.uint16(opposite(k)))
    return blocked


def _layers(path: Path) -> gpd.GeoSeries:
    """The geometries of all layers, numbered from 1 in the file's order."""
    try:
        names = [name for name, kind in pyogrio.list_layers(path) if kind is not None]
        layers = [gpd.read_file(path, layer=name).geometry for name in names]
    except (DataSourceError, DataLayerError, ValueError) as fault:
        raise DataError(f"{path.name} no se puede leer como capa geográfica ({fault}); descárguelo de nuevo.") from None
    full = [layer[layer.notna() & ~layer.is_empty] for layer in layers]
    full = [layer for layer in full if len(layer)]
    if not full:
        raise DataError(f"{path.name} no tiene ninguna geometría; se esperan ríos, cuerpos de agua u otras barreras.")
    if any(layer.crs is None for layer in full):
        raise DataError(f"{path.name} no dice su sistema de coordenadas; asígnele el suyo.")
    together = pd.concat([layer.to_crs(full[0].crs) for layer in full], ignore_index=True)
    return gpd.GeoSeries(together.set_axis(range(1, len(together) + 1)))


def _pieces(lines: np.ndarray) -> np.ndarray:
    """The straight pieces of lines, (n, 2, 2) x and y of both ends, none of length zero."""
    xy, line = shapely.get_coordinates(lines, return_index=True)
    pieces = np.stack([xy[:-1], xy[1:]], axis=1)[line[:-1] == line[1:]]
    return np.asarray(pieces[(pieces[:, 0] != pieces[:, 1]).any(axis=1)])


def _near_grid(pieces: np.ndarray, shape: tuple[int, int], transform: tuple[float, ...]) -> np.ndarray:
    low, high = pieces.min(axis=1), pieces.max(axis=1)
    west, north = transform[2], transform[5]
    east, south = west + shape[1] * transform[0], north + shape[0] * transform[4]
    return np.asarray(pieces[(low[:, 0] <= east) & (high[:, 0] >= west) & (low[:, 1] <= north) & (high[:, 1] >= south)])


def _inside(polygons: np.ndarray, shape: tuple[int, int], transform: tuple[float, ...]) -> np.ndarray:
    """Mask of the cells whose centre lies in a polygon."""
    inside = np.zeros(shape, bool)
    a, _, c, _, e, f = transform
    shapely.prepare(polygons)
    for polygon, (west, south, east, north) in zip(polygons, shapely.bounds(polygons), strict=True):
        left, right = (int(np.clip((x - c) // a, 0, shape[1])) for x in (west, east + a))
        top, bottom = (int(np.clip((y - f) // e, 0, shape[0])) for y in (north, south + e))
        if left < right and top < bottom:
            x, y = _centres(np.arange(top, bottom)[:, None], np.arange(left, right)[None, :], transform)
            inside[top:bottom, left:right] |= shapely.contains_xy(polygon, *np.broadcast_arrays(x, y))
    return inside


def _touched(pieces: np.ndarray, shape: tuple[int, int], transform: tuple[float, ...]) -> np.ndarray:
    """Mask of cells such that every point of the pieces lies in one of them or in a neighbour."""
    touched = np.zeros(shape, bool)
    a, _, c, _, e, f = transform
    spans = pieces[:, 1] - pieces[:, 0]
    counts = (np.hypot(*spans.T) // (a / 2)).astype(np.int64) + 2  # a point each half cell at most, both ends included
    for batch in _batches(counts):
        n = counts[batch]
        order = np.arange(n.sum()) - np.repeat(np.cumsum(n) - n, n)
        points = np.repeat(pieces[batch, 0], n, axis=0) + np.repeat(spans[batch], n, axis=0) * (order / np.repeat(n - 1, n))[:, None]
        col, row = np.floor((points[:, 0] - c) / a), np.floor((points[:, 1] - f) / e)
        within = (row >= 0) & (row < shape[0]) & (col >= 0) & (col < shape[1])
        touched[row[within].astype(np.int64), col[within].astype(np.int64)] = True
    return touched


def _batches(counts: np.ndarray) -> Iterator[slice]:
    """Runs of pieces of about ten BATCH points each."""
    marks = np.searchsorted(np.cumsum(counts), np.arange(0, counts.sum() + 10 * BATCH, 10 * BATCH))
    return (slice(lo, hi) for lo, hi in pairwise([*marks, len(counts)]) if lo < hi)


def _around(touched: np.ndarray, down: int, right: int) -> np.ndarray:
    """Mask of the cells whose step could meet a piece: a touched cell lies within one cell of the step's rectangle."""
    height, width = touched.shape
    padded, near = np.pad(touched, 3), np.zeros_like(touched)
    for i in range(3 + min(0, down) - 1, 3 + max(0, down) + 2):
        for j in range(3 + min(0, right) - 1, 3 + max(0, right) + 2):
            near |= padded[i : i + height, j : j + width]
    return near


def _pair(shape: tuple[int, int], down: int, right: int) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """The cells that can take a step without leaving the grid, and those where it ends."""
    def both(size: int, step: int) -> tuple[slice, slice]:
        count = max(0, size - abs(step))
        return slice(max(0, -step), max(0, -step) + count), slice(max(0, step), max(0, step) + count)
    (top, below), (left, beside) = both(shape[0], down), both(shape[1], right)
    return (top, left), (below, beside)


def _crossed(tree: STRtree, rows: np.ndarray, cols: np.ndarray, step: tuple[int, int], transform: tuple[float, ...]) -> np.ndarray:
    """Whether the step from each of these cells meets a piece of the tree."""
    crossed = np.zeros(len(rows), bool)
    for first in range(0, len(rows), BATCH):
        r, c = rows[first : first + BATCH], cols[first : first + BATCH]
        ends = [np.stack(_centres(r + i * step[0], c + i * step[1], transform), axis=1) for i in (0, 1)]
        hits, _ = tree.query(shapely.linestrings(np.stack(ends, axis=1)), predicate="intersects")
        crossed[first + np.unique(hits)] = True
    return crossed


def _centres(rows: np.ndarray, cols: np.ndarray, transform: tuple[float, ...]) -> tuple[np.ndarray, np.ndarray]:
    return transform[2] + (cols + 0.5) * transform[0], transform[5] + (rows + 0.5) * transform[4]
