"""Roads and terrain in one graph: every road is reached on foot from the cells it crosses, and the walk is always paid.

Each visit of a cell by a road gets a node at the point of that piece nearest to the cell's centre, linked with the
cell. A road added later changes neither nodes nor links of the others, so it never lengthens a journey. Lengths and
slopes only: speeds come from travel.speeds, and other speeds need no other graph.
"""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely

from planner.model import Grid, Roads

_Array = np.ndarray
_Parts = tuple[_Array, _Array, _Array, _Array, _Array, _Array]
SAME_M = 0.01  # a nearest point closer than this to a road's end is that end
NO_M = 1e-6  # a part no longer than this is rounding, and its slope noise


@dataclass(frozen=True, eq=False)
class Graph:
    """Cells of the grid (numbers 0 .. height*width-1), then road nodes: ends of edges and points where cells are left for them.

    Arcs come in pairs along edges, drawn sense first, then links. `part` are the pieces of even slope that an edge's
    arcs are made of: arc (of the drawn sense), metres, slope of the drawn sense (NaN: unknown) and cell (-1: off the grid).
    """

    grid: Grid
    x: np.ndarray  # of road nodes, metres
    y: np.ndarray
    z: np.ndarray  # elevation, NaN = unknown
    tail: np.ndarray  # int32, of arcs of the drawn sense
    head: np.ndarray
    edge: np.ndarray  # int32, position in Roads.edges
    start_m: np.ndarray  # metres along the edge where the arc begins and ends
    end_m: np.ndarray
    part_arc: np.ndarray
    part_m: np.ndarray
    part_slope: np.ndarray
    part_cell: np.ndarray
    link_cell: np.ndarray  # int32, links: cell, node, metres and slope from the cell to the node
    link_node: np.ndarray
    link_m: np.ndarray
    link_slope: np.ndarray

    @property
    def nodes(self) -> int:
        return len(self.x)


def join(grid: Grid, roads: Roads | None, barriers: gpd.GeoSeries | None = None) -> Graph:
    """The graph of a region's terrain and vector roads (None: terrain alone); `barriers` (same CRS) cut links, never roads."""
    if roads is None or roads.edges.empty:
        none, ids = np.empty(0), np.empty(0, np.int32)
        return Graph(grid, none, none, none, ids, ids, ids, none, none, ids, none, none, ids, ids, ids, none, none)
    pieces = _Pieces.of(grid, roads)
    visit_cell, visit_piece, visit_at, share = _visits(grid, pieces, roads.edges["board"].to_numpy(bool))
    ends = roads.nodes.geometry
    length = roads.edges.geometry.length.to_numpy()
    edge = pieces.edge[visit_piece]
    u, v = (roads.edges[end].to_numpy(np.int64) for end in ("u", "v"))
    inner = (visit_at > SAME_M) & (visit_at < length[edge] - SAME_M)
    end_x, end_y = ends.x.to_numpy(), ends.y.to_numpy()
    x, y, z = (np.concatenate([at_ends, (one[visit_piece] + (other - one)[visit_piece] * share)[inner]]) for at_ends, one, other in (
        (end_x, pieces.x0, pieces.x1), (end_y, pieces.y0, pieces.y1), (elevation(grid, end_x, end_y), pieces.z0, pieces.z1)))
    node = np.where(visit_at <= SAME_M, u[edge], v[edge])
    node[inner] = len(ends) + np.arange(inner.sum())
    tail, head, arc_edge, parts = _arcs(pieces, u, v, length, edge[inner], visit_at[inner], node[inner])
    order = gpd.GeoSeries.from_xy(x, y).hilbert_distance().to_numpy().argsort(kind="stable")
    number = np.empty(len(order), np.int64)
    number[order] = np.arange(len(order)) + grid.road_kmh.size
    links = _links(grid, visit_cell, node, x, y, z, barriers)
    return Graph(grid, x[order], y[order], z[order], number[tail].astype(np.int32), number[head].astype(np.int32), arc_edge, *parts,
                 links[0].astype(np.int32), number[links[1]].astype(np.int32), links[2], links[3])


def elevation(grid: Grid, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Metres above the sea of points, bilinear between centres of cells; NaN off the grid or unknown.

    Beside a void it is that of the nearest cell.
    """
    if grid.elevation_m is None:
        return np.full(len(x), np.nan)
    a, _, c, _, e, f = grid.transform
    (height, width), z = grid.shape, grid.elevation_m
    col, row = (np.asarray(x) - c) / a - 0.5, (np.asarray(y) - f) / e - 0.5
    off = (col < -0.5) | (row < -0.5) | (col > width - 0.5) | (row > height - 0.5)
    left, top = (np.clip(np.floor(at), 0, n - 1).astype(np.int64) for at, n in ((col, width), (row, height)))
    right, below = np.minimum(left + 1, width - 1), np.minimum(top + 1, height - 1)
    east, south = np.clip(col - left, 0, 1), np.clip(row - top, 0, 1)
    corners = np.stack([z[top, left], z[top, right], z[below, left], z[below, right]]).astype(float)
    weights = np.stack([(1 - east) * (1 - south), east * (1 - south), (1 - east) * south, east * south])
    nearest = corners[weights.argmax(axis=0), np.arange(len(left))]
    smooth = (np.where(weights > 0, corners, 0.0) * weights).sum(axis=0)
    return np.where(off, np.nan, np.where(np.isnan(smooth), nearest, smooth))


@dataclass(frozen=True, eq=False)
class _Pieces:
    """Edges cut at their vertices and where they leave a cell: straight, of one cell, in order along each edge."""

    edge: np.ndarray
    start: np.ndarray  # metres along the edge
    metres: np.ndarray
    x0: np.ndarray
    y0: np.ndarray
    x1: np.ndarray
    y1: np.ndarray
    z0: np.ndarray
    z1: np.ndarray
    cell: np.ndarray  # -1 off the grid

    @classmethod
    def of(cls, grid: Grid, roads: Roads) -> _Pieces:
        xy, edge = shapely.get_coordinates(roads.edges.geometry.array, return_index=True)
        same = edge[1:] == edge[:-1]
        (x0, y0), (x1, y1), edge = xy[:-1][same].T, xy[1:][same].T, edge[:-1][same]
        metres = np.hypot(x1 - x0, y1 - y0)
        solid = metres > 0
        x0, y0, x1, y1, edge, metres = (values[solid] for values in (x0, y0, x1, y1, edge, metres))
        segment, at = _cuts(grid, x0, y0, x1, y1)
        along = np.cumsum(metres) - metres
        along -= along[np.searchsorted(edge, edge)]  # from the start of each edge
        kept = (segment[1:] == segment[:-1]) & (at[1:] > at[:-1])
        s, t0, t1 = segment[:-1][kept], at[:-1][kept], at[1:][kept]
        dx, dy = (x1 - x0)[s], (y1 - y0)[s]
        ends = x0[s] + dx * t0, y0[s] + dy * t0, x0[s] + dx * t1, y0[s] + dy * t1
        row, col = grid.cells((ends[0] + ends[2]) / 2, (ends[1] + ends[3]) / 2)
        inside = (row >= 0) & (col >= 0) & (row < grid.shape[0]) & (col < grid.shape[1])
        z0, z1 = elevation(grid, ends[0], ends[1]), elevation(grid, ends[2], ends[3])
        return cls(edge[s], along[s] + metres[s] * t0, metres[s] * (t1 - t0), *ends,
                   *_spanned(edge[s], z0, z1, along[s] + metres[s] * t0, metres[s] * (t1 - t0), roads),
                   np.where(inside, row * grid.shape[1] + col, -1))


def _cuts(grid: Grid, x0: np.ndarray, y0: np.ndarray, x1: np.ndarray, y1: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where segments begin, pass from cell to cell, and end: segment and share of its length, sorted."""
    a, _, c, _, e, f = grid.transform
    segments, shares = [np.arange(len(x0))] * 2, [np.zeros(len(x0)), np.ones(len(x0))]
    for start, end in (((x0 - c) / a, (x1 - c) / a), ((y0 - f) / e, (y1 - f) / e)):
        low, high = np.floor(np.minimum(start, end)).astype(np.int64), np.floor(np.maximum(start, end)).astype(np.int64)
        lines = high - low
        of = np.repeat(np.arange(len(x0)), lines)
        line = low[of] + 1 + np.arange(len(of)) - np.repeat(np.cumsum(lines) - lines, lines)
        segments.append(of)
        shares.append(np.clip((line - start[of]) / (end - start)[of], 0.0, 1.0))
    segment, share = np.concatenate(segments), np.concatenate(shares)
    order = np.lexsort((share, segment))
    return segment[order], share[order]


def _spanned(
    edge: np.ndarray, z0: np.ndarray, z1: np.ndarray, start: np.ndarray, metres: np.ndarray, roads: Roads
) -> tuple[np.ndarray, np.ndarray]:
    """Elevations of the pieces' ends; a bridge goes straight from one end to the other, over what lies beneath."""
    bridge = roads.edges["bridge"].to_numpy(bool)[edge]
    if not bridge.any():
        return z0, z1
    first = np.searchsorted(edge, np.arange(len(roads.edges)))
    last = np.searchsorted(edge, np.arange(len(roads.edges)), side="right") - 1
    low, rise = z0[np.minimum(first, len(edge) - 1)], (z1[last] - z0[np.minimum(first, len(edge) - 1)]) / (start + metres)[last]
    return (np.where(bridge, low[edge] + rise[edge] * start, z0), np.where(bridge, low[edge] + rise[edge] * (start + metres), z1))


def _visits(grid: Grid, pieces: _Pieces, boarded: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Each stay of a road that may be boarded in a cell: cell, piece with the point nearest to the centre, metres along the edge.

    Last the share of the piece at that point: where it stands must not depend on where the edge begins, as a hair decides
    whether a walk to a road along a barrier touches it.
    """
    a, _, c, _, e, f = grid.transform
    row, col = np.divmod(pieces.cell, grid.shape[1])
    dx, dy = pieces.x1 - pieces.x0, pieces.y1 - pieces.y0
    to_x, to_y = c + (col + 0.5) * a - pieces.x0, f + (row + 0.5) * e - pieces.y0
    share = np.clip((to_x * dx + to_y * dy) / np.maximum(dx * dx + dy * dy, 1e-12), 0.0, 1.0)
    distance = np.hypot(to_x - share * dx, to_y - share * dy)
    new = (np.diff(pieces.cell, prepend=-2) != 0) | (np.diff(pieces.edge, prepend=-1) != 0)
    stay = np.cumsum(new) - 1
    best = np.lexsort((distance, stay))[np.flatnonzero(new)]
    best = best[(pieces.cell[best] >= 0) & boarded[pieces.edge[best]]]
    return pieces.cell[best], best, pieces.start[best] + share[best] * pieces.metres[best], share[best]


def _arcs(
    pieces: _Pieces, u: np.ndarray, v: np.ndarray, length: np.ndarray, edge: np.ndarray, at: np.ndarray, node: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, _Parts]:
    """Edges cut at their nodes into arcs of the drawn sense: tail, head, edge, then start_m .. part_cell of the graph."""
    edges = np.arange(len(u))
    stop_edge, stop_at = np.concatenate([edges, edge, edges]), np.concatenate([np.zeros(len(u)), at, length])
    stop_node = np.concatenate([u, node, v])
    rank = np.concatenate([np.zeros(len(u)), np.ones(len(at)), np.full(len(u), 2)])
    order = np.lexsort((stop_at, rank, stop_edge))
    stop_edge, stop_at, stop_node = stop_edge[order], stop_at[order], stop_node[order]
    inside = stop_edge[1:] == stop_edge[:-1]
    tail, head, arc_edge = stop_node[:-1][inside], stop_node[1:][inside], stop_edge[:-1][inside].astype(np.int32)
    # cut the pieces at the inner stops: parts between consecutive marks of an edge
    mark_edge, mark_at = np.concatenate([pieces.edge, edge]), np.concatenate([pieces.start, at])
    of_piece = np.concatenate([np.arange(len(pieces.edge)), np.full(len(edge), -1)])
    order = np.lexsort((np.concatenate([np.zeros(len(pieces.edge)), np.ones(len(edge))]), mark_at, mark_edge))
    mark_edge, mark_at, of_piece = mark_edge[order], mark_at[order], of_piece[order]
    piece = np.maximum.accumulate(np.where(of_piece >= 0, of_piece, 0))
    past = np.append(mark_at[1:], 0.0)
    last = np.append(mark_edge[1:] != mark_edge[:-1], True)
    past[last] = length[mark_edge[last]]
    metres = np.where(past - mark_at > NO_M, past - mark_at, 0.0)
    first_arc = np.searchsorted(arc_edge, edges)
    passed: np.ndarray = np.cumsum(of_piece < 0)
    begun: np.ndarray = passed - (of_piece < 0)
    arc = first_arc[mark_edge] + passed - begun[np.searchsorted(mark_edge, mark_edge)]
    slope = (pieces.z1 - pieces.z0)[piece] / pieces.metres[piece]
    parts = arc.astype(np.int32), metres, slope, pieces.cell[piece].astype(np.int32)
    return tail, head, arc_edge, (stop_at[:-1][inside], stop_at[1:][inside], *parts)


def _links(
    grid: Grid, cell: np.ndarray, node: np.ndarray, x: np.ndarray, y: np.ndarray, z: np.ndarray, barriers: gpd.GeoSeries | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Cell, node, metres and slope of each link on foot that crosses no barrier, once each."""
    pairs = np.unique(np.stack([cell, node]), axis=1)
    cell, node = pairs[0], pairs[1]
    centre_x, centre_y = grid.centres(cell)
    clear = ~crosses(barriers, centre_x, centre_y, x[node], y[node])
    cell, node, centre_x, centre_y = cell[clear], node[clear], centre_x[clear], centre_y[clear]
    metres = np.hypot(x[node] - centre_x, y[node] - centre_y)
    here = grid.elevation_m.ravel()[cell].astype(float) if grid.elevation_m is not None else np.full(len(cell), np.nan)
    return cell, node, metres, (z[node] - here) / np.maximum(metres, 1.0)  # below a metre a slope says nothing


def crosses(barriers: gpd.GeoSeries | None, x0: np.ndarray, y0: np.ndarray, x1: np.ndarray, y1: np.ndarray) -> np.ndarray:
    """Which straight lines touch a barrier."""
    crossed = np.zeros(len(x0), bool)
    if barriers is not None and len(barriers) and len(x0):
        lines = shapely.linestrings(np.stack([np.stack([x0, y0], 1), np.stack([x1, y1], 1)], 1))
        crossed[barriers.sindex.query(lines, predicate="intersects")[0]] = True
    return crossed
