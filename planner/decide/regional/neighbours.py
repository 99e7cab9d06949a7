"""Who borders whom: by the outlines of polygons, by the cells of a surface, and by minutes where outlines fail."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely
from scipy import sparse
from scipy.sparse.csgraph import connected_components

Array = np.ndarray
SLIVER_M = 100.0  # gaps between polygons up to this width are closed; a common border no longer than this is a corner


@dataclass(frozen=True, eq=False)
class Borders:
    """Neighbours and outlines of n areas; an area without outline has perimeter and area 0."""

    edges: Array  # int (m, 2), i < j, sorted
    shared_m: Array  # by edge
    perimeter_m: Array  # by area
    area_m2: Array  # by area


def polygon_borders(polygons: gpd.GeoSeries) -> Borders:
    """Borders of polygons in metres; missing and empty ones border nobody.

    Polygons that overlap or whose sides do not match are first made one coverage, with gaps up to SLIVER_M closed, so that both sides of
    a border are the same line; two that only a gap that narrow parts have as border how far they run beside each other.
    """
    shapes = polygons.to_numpy()
    there = np.flatnonzero(~(shapely.is_missing(shapes) | shapely.is_empty(shapes)))
    drawn = shapely.make_valid(shapely.force_2d(shapes[there]))
    if len(drawn) and not shapely.coverage_is_valid(drawn):
        drawn = shapely.coverage_clean(drawn, gap_width=SLIVER_M)
    perimeter, area = np.zeros(len(shapes)), np.zeros(len(shapes))
    perimeter[there], area[there] = shapely.length(drawn), shapely.area(drawn)
    one, other = shapely.STRtree(drawn).query(drawn, predicate="dwithin", distance=SLIVER_M)
    one, other = one[one < other], other[one < other]
    outline = shapely.boundary(drawn)
    shared = shapely.length(shapely.intersection(outline[one], outline[other]))
    gap = np.flatnonzero(shared == 0)
    width = shapely.distance(drawn[one[gap]], drawn[other[gap]])
    gap, width = gap[width > 0], width[width > 0]  # the others meet in a point
    beside = [shapely.length(shapely.intersection(outline[a[gap]], shapely.buffer(drawn[b[gap]], SLIVER_M)))
              for a, b in ((one, other), (other, one))]
    shared[gap] = np.mean(beside, axis=0) - 2 * (SLIVER_M - width)  # less what goes around the two ends
    edges, shared = _in_order(there[np.column_stack([one, other])[shared > SLIVER_M]], shared[shared > SLIVER_M])
    return Borders(edges, shared, perimeter, area)


def cell_borders(site: Array, count: int, cell_m: float) -> Borders:
    """Borders of the areas 0..count-1 that each cell of a surface belongs to (-1: nobody); neighbours have a side of a cell in common."""
    ringed = np.pad(site, 1, constant_values=-1)
    ends = np.concatenate([np.column_stack([a.ravel(), b.ravel()]) for a, b in (
        (ringed[:, :-1], ringed[:, 1:]), (ringed[:-1], ringed[1:]))])
    ends = ends[ends[:, 0] != ends[:, 1]]
    perimeter = np.bincount(ends[ends >= 0], minlength=count) * cell_m
    between = np.sort(ends[(ends >= 0).all(axis=1)], axis=1)
    pairs, times = np.unique(between, axis=0, return_counts=True)
    return Borders(pairs.astype(int), times * cell_m, perimeter, np.bincount(site[site >= 0], minlength=count) * cell_m**2)


def nearest_in_cost(cost: Array, of: Array) -> Array:
    """Edges of the Gabriel graph (Gabriel and Sokal 1969) that touch the areas `of`, sorted.

    Two areas are neighbours when no third one's squared costs to both sum to less than the square of theirs; these edges join all areas
    when `of` is all of them. `cost` (n, n) is symmetric and finite.
    """
    squared, edges = cost**2, set()
    for i in of:
        by_third = (squared[i] + squared).min(axis=1)
        edges |= {(min(int(i), int(j)), max(int(i), int(j))) for j in np.flatnonzero(by_third >= squared[i]) if j != i}
    return np.array(sorted(edges), int).reshape(-1, 2)


def joining(edges: Array, count: int, cost: Callable[[Array], Array]) -> Array:
    """Edges that join the parts the graph falls into: the smallest part, time after time, by its cheapest way to another.

    `cost` gives the costs from these areas to all (rows, count), all finite.
    """
    added = np.empty((0, 2), int)
    while True:
        part = part_of(np.concatenate([edges, added]), count)
        if not count or part.max() == 0:
            return added
        members = np.flatnonzero(part == np.argmin(np.bincount(part)))
        away = np.array(cost(members), float)
        away[:, members] = np.inf
        row, to = np.unravel_index(np.argmin(away), away.shape)
        added = np.concatenate([added, np.sort([[members[row], to]])])


def part_of(edges: Array, count: int) -> Array:
    """In which part of the graph each area lies, 0.. by the first of each part."""
    graph = sparse.coo_matrix((np.ones(len(edges)), (edges[:, 0], edges[:, 1])), (count, count))
    return np.asarray(connected_components(graph, directed=False)[1])


def with_edges(borders: Borders, more: Array) -> Borders:
    """The borders with more pairs of neighbours, who share no border."""
    edges, shared = _in_order(np.concatenate([borders.edges, more]), np.concatenate([borders.shared_m, np.zeros(len(more))]))
    first = np.append(True, (np.diff(edges, axis=0) != 0).any(axis=1))[:len(edges)]
    return Borders(edges[first], shared[first], borders.perimeter_m, borders.area_m2)


def _in_order(edges: Array, shared: Array) -> tuple[Array, Array]:
    """Each edge from its lower to its higher end, sorted; of the same pair the longest border first."""
    edges = np.sort(edges, axis=1).astype(int)
    order = np.lexsort((-shared, edges[:, 1], edges[:, 0]))
    return edges[order], shared[order]
