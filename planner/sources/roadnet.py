"""From ways as drawn to a network of nodes and edges, whoever publishes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from planner.errors import DataError
from planner.model import Finding, Roads
from planner.schema import ROAD_NODES, ROADS

Box = tuple[float, float, float, float]
# Columns of ROADS that each way brings; the rest come of its place in the network.
PER_WAY = tuple(n for n in ROADS.names() if n not in ("u", "v", "length_m"))


@dataclass(frozen=True, eq=False)
class Ways:
    """Ways as published: one row of attributes each, and their vertices one way after the other.

    Vertices with the same number are the same place of the network, whatever way they are in; others are not, even
    at the same coordinates. A vertex without finite coordinates interrupts its way.
    """

    table: pd.DataFrame  # PER_WAY, and `ford` where the whole way is one
    count: np.ndarray  # int64 (ways): vertices of each, one at least
    xy: np.ndarray  # float64 (vertices, 2), in `crs`
    vertex: np.ndarray  # int64 (vertices)
    ford: np.ndarray  # bool (vertices): the crossing of water stands on this vertex
    crs: str
    origin: pd.Series | None = None  # text by vertex number: the publisher's id; None: the number is that id


class _Trail(NamedTuple):
    """Vertices in order, each with its way (position in the table), its part (run without interruption) and its number."""

    way: np.ndarray
    part: np.ndarray
    vertex: np.ndarray
    xy: np.ndarray
    ford: np.ndarray

    def at(self, which: np.ndarray) -> _Trail:
        return _Trail(*(a[which] for a in self))


def build_roads(ways: Ways, crs: str, where: str, *, bounds: Box | None = None) -> tuple[Roads, tuple[Finding, ...]]:
    """Nodes where ways share a vertex, where one visits a vertex twice and where one ends; edges between them.

    Lines and `length_m` are planar metres of `crs`. A way that does not touch `bounds` (west, south, east, north in
    `crs`) is left out whole. Edges go by way id and along the way, nodes by vertex number: the order of the file does
    not matter. Vertices a way repeats are dropped; two numbers at the same place next to each other in a way become
    one. Beside a ford on a vertex the way is cut, so that only the pieces that touch it are a ford. DataError if no
    way is left.
    """
    table, trail = _sorted(ways, crs)
    kept = _inside(trail, len(table), bounds)
    if not kept.any():
        raise DataError(f"{where}: ninguna vía toca la región; revise que el archivo sea de este lugar.")
    whole, told = _clean(trail.at(kept[trail.way]), table, where)
    ends = _node_places(whole)
    first, last = ends[:-1], ends[1:]
    same = whole.part[first] == whole.part[last]
    first, last = first[same], last[same]
    if not len(first):
        raise DataError(f"{where}: ninguna vía tiene longitud; descárguelo otra vez.")
    lines = _lines(whole.xy, first, last)
    numbers, at = np.unique(whole.vertex[np.r_[first, last]], return_index=True)
    points = whole.xy[np.r_[first, last][at]]
    u, v = (np.searchsorted(numbers, whole.vertex[i]) for i in (first, last))
    origin = pd.Series(numbers, numbers) if ways.origin is None else ways.origin.reindex(numbers)
    nodes = gpd.GeoDataFrame(
        {"origin": origin.astype("str").array, "component": _components(u, v, len(numbers))},
        geometry=shapely.points(points), crs=crs, index=pd.RangeIndex(len(numbers), name=ROAD_NODES.key.name))
    wet = np.logical_or.reduceat(np.r_[whole.ford, False], np.c_[first, last + 1].ravel())[::2]
    rows = table.iloc[whole.way[first]].reset_index(drop=True)
    rows = rows.assign(u=u, v=v, length_m=shapely.length(lines), ford=rows["ford"].to_numpy() | wet)[ROADS.names()]
    edges = gpd.GeoDataFrame(rows.rename_axis(ROADS.key.name), geometry=lines, crs=crs)
    roads = Roads(nodes, edges)
    left_out = Finding("vias_fuera", "nota", "Vías que no tocan la región, descartadas", where, int((~kept).sum()))
    return roads, (*((left_out,) if left_out.count else ()), *told, *_network_findings(roads, where))


def own_ends(count: np.ndarray, first: np.ndarray, last: np.ndarray) -> np.ndarray:
    """Vertex numbers of ways that meet only at their ends: those given for the ends, one of its own for every other.

    >>> own_ends(np.array([3, 2]), np.array([0, 4]), np.array([4, 1])).tolist()
    [0, 6, 4, 4, 1]
    """
    stop = np.cumsum(count)
    numbers: np.ndarray = max(first.max(initial=-1), last.max(initial=-1)) + 1 + np.arange(count.sum())
    numbers[stop - 1] = last
    numbers[stop - count] = first
    return numbers


def _sorted(ways: Ways, crs: str) -> tuple[pd.DataFrame, _Trail]:
    """The ways in the order of their ids (ties: by where they run, then by attributes), vertices projected."""
    project = pyproj.Transformer.from_crs(ways.crs, crs, always_xy=True)
    xy = np.column_stack(project.transform(*ways.xy.T))
    count, start = ways.count, np.cumsum(ways.count) - ways.count
    second, end = start + np.minimum(count, 2) - 1, start + count - 1
    row = pd.util.hash_pandas_object(ways.table, index=False).to_numpy()
    name = pd.factorize(ways.table["way"], sort=True)[0]
    shape = np.add.reduceat(pd.util.hash_array(ways.xy[:, 0]) ^ 3 * pd.util.hash_array(ways.xy[:, 1]), start)
    order = np.lexsort((row, shape, count, *ways.xy[end].T, *ways.xy[second].T, *ways.xy[start].T, name))
    table = ways.table.iloc[order].reset_index(drop=True)
    count, start = count[order], start[order]
    at = np.repeat(start - np.cumsum(count) + count, count) + np.arange(count.sum())
    way = np.repeat(np.arange(len(count)), count)
    return table, _Trail(way, way, ways.vertex[at], xy[at], ways.ford[at])


def _inside(trail: _Trail, ways: int, bounds: Box | None) -> np.ndarray:
    """Which ways touch the box; bool (ways)."""
    if bounds is None or not ways:
        return np.ones(ways, bool)
    start = np.searchsorted(trail.way, np.arange(ways))
    low, high = (f.reduceat(np.where(np.isfinite(trail.xy), trail.xy, np.nan), start) for f in (np.fmin, np.fmax))
    near = np.array(np.logical_and(low <= np.array(bounds[2:]), high >= np.array(bounds[:2])).all(axis=1))
    # the box around a way may touch where the way itself does not
    whole = np.logical_and.reduceat(np.isfinite(trail.xy).all(axis=1), start) & (np.diff(start, append=len(trail.way)) > 1)
    doubtful = np.flatnonzero(near & whole)
    last = np.append(start[1:], len(trail.way)) - 1
    near[doubtful] = shapely.intersects(shapely.box(*bounds), _lines(trail.xy, start[doubtful], last[doubtful]))
    return near


def _clean(trail: _Trail, table: pd.DataFrame, where: str) -> tuple[_Trail, tuple[Finding, ...]]:
    """The vertices that make pieces of some length, and what was dropped."""
    names = table["way"].to_numpy()
    lost = ~np.isfinite(trail.xy).all(axis=1)
    gap = np.r_[True, lost[:-1] | (trail.part[1:] != trail.part[:-1])] if len(lost) else lost
    placed = trail._replace(part=np.cumsum(gap)).at(~lost)
    joined = placed._replace(vertex=_merged(placed))
    again = np.r_[False, (joined.part[1:] == joined.part[:-1]) & (joined.vertex[1:] == joined.vertex[:-1])][:len(joined.way)]
    kept = np.maximum.accumulate(np.where(again, 0, np.arange(len(again))))  # the vertex that each repeated one repeats
    wet = np.isin(np.arange(len(again)), kept[joined.ford])
    moving = joined._replace(ford=wet).at(~again)
    size = np.bincount(moving.part, minlength=1)[moving.part]
    whole = moving.at(size > 1)
    whole, twice = _once(whole, names)
    bare = np.setdiff1d(trail.way, np.r_[whole.way, twice])
    return whole, (
        *Finding.of("vertices_sin_posicion", "aviso", "Vértices sin coordenadas: la vía se interrumpe en ellos", where,
                    names[trail.way[lost]], "El recorte del archivo dejó fuera esos vértices; use uno con vías completas."),
        *Finding.of("tramos_de_longitud_cero", "nota", "Tramos de longitud cero (vértices repetidos), descartados", where,
                    names[joined.way[again]]),
        *Finding.of("vias_sin_longitud", "aviso", "Vías con un solo punto, descartadas", where, names[bare]),
        *Finding.of("vias_repetidas", "aviso", "Vías que vienen dos veces con el mismo id y el mismo trazo, descartada la copia", where,
                    names[twice]))


def _merged(trail: _Trail) -> np.ndarray:
    """Vertex numbers, the least of those that stand at one place next to each other in a way."""
    still = (trail.part[1:] == trail.part[:-1]) & (trail.xy[1:] == trail.xy[:-1]).all(axis=1)
    a, b = trail.vertex[:-1][still], trail.vertex[1:][still]
    if (a == b).all():
        return trail.vertex
    numbers, pair = np.unique(np.r_[a, b], return_inverse=True)
    group = connected_components(_matrix(pair[:len(a)], pair[len(a):], len(numbers)), directed=False)[1]
    least = numbers[np.unique(group, return_index=True)[1]][group]
    at = np.searchsorted(numbers, trail.vertex).clip(max=len(numbers) - 1)
    return np.where(numbers[at] == trail.vertex, least[at], trail.vertex)


def _once(trail: _Trail, names: np.ndarray) -> tuple[_Trail, np.ndarray]:
    """The ways without those equal to the one before in id and vertices, and which these are."""
    way, start, count = np.unique(trail.way, return_index=True, return_counts=True)
    alike = np.flatnonzero((names[way[1:]] == names[way[:-1]]) & (count[1:] == count[:-1])) + 1
    twice = [i for i in alike if np.array_equal(trail.xy[start[i]:start[i] + count[i]], trail.xy[start[i - 1]:start[i]])]
    copies = way[twice]
    return trail.at(~np.isin(trail.way, copies)), copies


def _node_places(trail: _Trail) -> np.ndarray:
    """Positions of the vertices that are nodes, along the trail."""
    if not len(trail.way):
        return np.zeros(0, np.int64)
    _, back, count = np.unique(trail.vertex, return_inverse=True, return_counts=True)
    new = trail.part[1:] != trail.part[:-1]
    beside = np.r_[trail.ford[1:] & ~new, False] | np.r_[False, trail.ford[:-1] & ~new]
    return np.flatnonzero((count[back] > 1) | np.r_[True, new] | np.r_[new, True] | beside)


def _lines(xy: np.ndarray, first: np.ndarray, last: np.ndarray) -> np.ndarray:
    """Lines through the vertices from each `first` to its `last`."""
    count = last - first + 1
    at = np.repeat(first - np.cumsum(count) + count, count) + np.arange(count.sum())
    return np.asarray(shapely.linestrings(xy[at], indices=np.repeat(np.arange(len(first)), count)), dtype=object)


def _matrix(u: np.ndarray, v: np.ndarray, n: int) -> coo_array:
    return coo_array((np.ones(len(u), np.int8), (u, v)), shape=(n, n)).tocsr()


def _components(u: np.ndarray, v: np.ndarray, n: int) -> np.ndarray:
    """Connected part of each node, 0 the one of most nodes (ties: with the lowest node)."""
    count, label = connected_components(_matrix(u, v, n), directed=False)
    rank = np.empty(count, np.int64)
    rank[np.lexsort((np.unique(label, return_index=True)[1], -np.bincount(label)))] = np.arange(count)
    return np.asarray(rank[label])


def _network_findings(roads: Roads, where: str) -> tuple[Finding, ...]:
    edges = roads.edges
    unknown = edges["drive"] & ~edges["ferry"] & edges["posted_kmh"].isna()
    component = roads.nodes["component"].to_numpy()
    part = component[edges["u"]]
    main = 100 * float((component == 0).mean())
    apart = edges.loc[part > 0, "way"].drop_duplicates()
    islands = int(part.max())
    missing = edges.loc[unknown, "way"].drop_duplicates()
    return (
        *((Finding("sin_velocidad", "nota", "Tramos sin velocidad publicada: toman la de su clase", where, int(unknown.sum()),
                   tuple(missing[:3])),) if unknown.any() else ()),
        *((Finding("red_en_partes", "nota", f"Partes de la red separadas de la mayor: {islands + 1} componentes; "
                   f"la mayor tiene {main:.1f} % de los nodos", where, islands, tuple(apart[:3]),
                   "Son islas, o caminos que el archivo corta o no une; se llega a ellas a pie."),) if islands else ()))
