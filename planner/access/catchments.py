"""Areas of influence: which ground each unit is the nearest to, in bands of minutes, and what lies within given minutes."""

from __future__ import annotations

from collections.abc import Sequence

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from rasterio.features import shapes
from rasterio.transform import Affine
from scipy import ndimage

from planner.errors import DataError
from planner.model import Grid, Surface

_AREA_CUT_MAX = 0.03  # share of a polygon that its cut corners may take
_TRIANGLES = (1, 2)  # twice the area, in cells, of the corners that are cut: the smaller ones first


def catchments(surface: Surface, grid: Grid, bands: Sequence[float]) -> gpd.GeoDataFrame:
    """Polygons of the cells that each site is nearest to, one per site and band of minutes, in the grid's CRS.

    `bands` are the upper edges in minutes, inclusive: 30, 60 gives 0 <= t <= 30 and 30 < t <= 60; cells beyond the
    last edge belong to nobody. Polygons follow the edges of the cells, so a point inside one has that band's minutes,
    and together they cover each reached cell once. A cell that a river crosses counts whole, with its centre's minutes:
    a partition has no gap; `isochrones` is the careful one. Columns: site, from_min, to_min, geometry (MultiPolygon);
    rows sorted by site and band.
    """
    edges = np.unique(np.asarray(bands, float))
    band = np.searchsorted(edges, surface.minutes, side="left")
    reached = (surface.site >= 0) & (band < edges.size)
    labels, areas = _collected(*_outlines(np.where(reached, surface.site * edges.size + band, -1)))
    site, step = np.divmod(labels, edges.size)
    return gpd.GeoDataFrame(
        {"site": pd.Series([surface.sites[i] for i in site], dtype="str"),
         "from_min": np.concatenate([[0.0], edges])[step], "to_min": edges[step]}, geometry=_on_map(areas, grid), crs=grid.crs)


def isochrones(
    surface: Surface, grid: Grid, limits: Sequence[float], *, simplify: bool = True, by_site: bool = False,
) -> gpd.GeoDataFrame:
    """Ground within each limit of minutes (inclusive), nested: a larger limit holds the smaller ones.

    Every point inside a polygon lies in a cell with t <= limit. In a cell that a barrier crosses a point may be on the
    other bank, so there t is the longest of its 3x3 neighbourhood. With `simplify` staircases are cut to straight lines
    within them, at the cost of at most 3 % of each polygon's area; else polygons follow the cells' edges. One row per
    limit for the nearest of all sites, or with `by_site` per site and limit for the ground where that site is the nearest;
    none where nothing is reached. Columns: site (with `by_site`), limit_min, geometry (MultiPolygon, the grid's CRS).
    DataError without limits.
    """
    if not len(limits):
        raise DataError("Faltan los límites de minutos de las áreas: dé al menos uno, como 60.")
    minutes = _safe_minutes(surface.minutes, grid)
    rows: list[pd.DataFrame] = []
    labels, areas = np.array([], np.int64), np.array([], object)
    for limit in np.unique(np.asarray(limits, float)):
        reached = (surface.site >= 0) & (minutes <= limit)
        parts, of = _outlines(np.where(reached, surface.site if by_site else 0, -1))
        inner_labels, inner = labels, areas
        labels, areas = _collected(_cut_corners(parts) if simplify else parts, of)
        if simplify:
            held = np.searchsorted(labels, inner_labels)
            areas[held] = _enclose(areas[held], inner)
        rows.append(pd.DataFrame({"label": labels, "limit_min": limit, "geometry": areas}))
    table = pd.concat(rows).sort_values(["label", "limit_min"], ignore_index=True)
    table.insert(0, "site", pd.Series([surface.sites[i] for i in table.pop("label")], dtype="str"))
    drawn = _on_map(table.pop("geometry").to_numpy(object), grid)
    return gpd.GeoDataFrame(table if by_site else table[["limit_min"]], geometry=drawn, crs=grid.crs)


def _safe_minutes(minutes: np.ndarray, grid: Grid) -> np.ndarray:
    if grid.blocked is None:
        return minutes
    return np.where(grid.blocked != 0, ndimage.maximum_filter(minutes, size=3, mode="nearest"), minutes)


def _on_map(areas: np.ndarray, grid: Grid) -> np.ndarray:
    a, _, c, _, e, f = grid.transform
    return np.asarray(shapely.transform(areas, lambda xy: xy * (a, e) + (c, f)), object)


def _outlines(label: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Polygons (column, row) of the cells of each label of 0 or more that share edges, and their labels, ascending."""
    rows, cols = (np.flatnonzero((label >= 0).any(axis=axis)) for axis in (1, 0))
    if not rows.size:
        return np.array([], object), np.array([], np.int64)
    window = label[rows[0]:rows[-1] + 1, cols[0]:cols[-1] + 1].astype(np.int32)
    at = Affine.translation(cols[0], rows[0])
    found = sorted(shapes(window, mask=window >= 0, connectivity=4, transform=at), key=lambda part: part[1])
    return np.array([shapely.geometry.shape(outline) for outline, _ in found], object), np.array([of for _, of in found], np.int64)


def _collected(parts: np.ndarray, of: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Labels, and one MultiPolygon for each: parts of one label meet at corners at most, so they need no union."""
    labels, group = np.unique(of, return_inverse=True)
    return labels, np.asarray(shapely.multipolygons(parts, indices=group) if len(parts) else [], object)


def _enclose(areas: np.ndarray, inner: np.ndarray) -> np.ndarray:
    """`areas` with what their cut corners took from `inner`, which lies within the same cells."""
    whole = areas.copy()
    for k in np.flatnonzero(~shapely.covers(areas, inner)):
        whole[k] = shapely.multipolygons(shapely.get_parts(shapely.union(areas[k], inner[k])))
    return whole


def _cut_corners(parts: np.ndarray) -> np.ndarray:
    """Polygons with whole-number corners, each within the given one, valid, with all its holes and fewer corners.

    A convex corner goes where the triangle that it leaves outside holds no other whole-number point (`_corners`): no other
    line of the polygon can run through it then, so no test against the rest is needed. A polygon whose share of area would
    not pay for all its corners of one size keeps them.
    """
    if not len(parts):
        return parts
    parts = shapely.orient_polygons(parts)  # the inside is on the left of every line
    _, points, (rings, polygons) = shapely.to_ragged_array(parts)
    closing = np.zeros(len(points), bool)
    closing[rings[1:] - 1] = True
    xy, ring = points[~closing].astype(np.int64), np.repeat(np.arange(len(rings) - 1), np.diff(rings))[~closing]
    _, same, times = np.unique(xy, axis=0, return_inverse=True, return_counts=True)
    pinned = times[same.ravel()] > 1  # rings touch here
    part = np.repeat(np.arange(len(parts)), np.diff(polygons))
    spare = 2 * _AREA_CUT_MAX * shapely.area(parts)
    for largest in _TRIANGLES:
        while True:
            twice, pick = _corners(xy, ring, pinned, largest)
            cost = np.bincount(part[ring[pick]], twice[pick], minlength=len(parts))
            pick &= (twice == 0) | (cost <= spare)[part[ring]]
            if not pick.any():
                break
            spare -= np.where(cost <= spare, cost, 0)
            xy, ring, pinned = xy[~pick], ring[~pick], pinned[~pick]
    first = np.flatnonzero(np.diff(ring, prepend=-1))
    closed = np.insert(xy, np.append(first[1:], len(xy)), xy[first], axis=0)
    ends = np.append(first, len(xy)) + np.arange(len(first) + 1)
    return np.asarray(shapely.from_ragged_array(shapely.GeometryType.POLYGON, closed.astype(float), (ends, polygons)))


def _corners(xy: np.ndarray, ring: np.ndarray, pinned: np.ndarray, largest: int) -> tuple[np.ndarray, np.ndarray]:
    """Twice the area of the triangle that each corner makes with its neighbours, and which corners may go at once.

    Those are on straight lines, or convex with a triangle of at most `largest` and, by Pick's theorem (2A = 2I + B - 2),
    without whole-number points but on its two sides of the polygon; smaller than both neighbours' (ties: the first). Rings keep three.
    """
    here = np.arange(len(xy))
    first = np.diff(ring, prepend=-1) != 0
    start = here[first]
    size = np.diff(np.append(start, len(xy)))
    before, after = here - 1, here + 1
    before[start], after[start + size - 1] = start + size - 1, start
    sides = (xy - xy[before], xy[after] - xy, xy[after] - xy[before])
    twice = sides[0][:, 0] * sides[1][:, 1] - sides[0][:, 1] * sides[1][:, 0]
    steps = [np.gcd(side[:, 0], side[:, 1]) for side in sides]
    empty = (twice + 2 == sum(steps)) & (steps[2] == 1)
    convex = (twice > 0) & (twice <= largest) & empty & (np.repeat(size, size) > 4)
    may = ~pinned & (convex | (twice == 0))
    rank = np.where(may, twice, largest + 1)
    ahead = [(rank < rank[other]) | ((rank == rank[other]) & (here < other)) for other in (before, after)]
    return twice, may & ahead[0] & ahead[1]
