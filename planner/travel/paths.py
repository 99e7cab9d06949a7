"""The way itself: lines from places to their nearest site, with what of it is walked and what is driven."""

from __future__ import annotations

from dataclasses import dataclass, fields

import geopandas as gpd
import numpy as np
import shapely

from planner.travel.board import Labels
from planner.travel.ground import DECIMALS, Ground, entries
from planner.travel.network import Anchors
from planner.travel.places import Places


@dataclass(frozen=True, eq=False)
class Ways:
    """Ways from places to sites, hop by hop: of each way place, site (positions), minutes and first node, then every hop in order."""

    place: np.ndarray
    site: np.ndarray
    minutes: np.ndarray
    first: np.ndarray
    way: np.ndarray  # of each hop: its way, node, next node and minutes
    node: np.ndarray
    then: np.ndarray
    hop_min: np.ndarray

    def arrays(self) -> tuple[np.ndarray, ...]:
        return tuple(getattr(self, field.name) for field in fields(self))


def paths(ground: Ground, found: Labels, sites: Places, places: Places, *, towards: bool = True) -> gpd.GeoDataFrame:
    """The least-cost line between each place and its nearest site, in the direction of travel; places that reach none are left out.

    Index = ids of `places`; site, minutes, walk_min and drive_min (they sum to minutes; ferries count as driven), metres
    (length of the line) and geometry, of no length where the place is its site. `found` are the labels of `sites` in the
    same direction.
    """
    return drawn(ground, follow(found, *entries(ground, found, places, towards=towards)), sites, places, towards=towards)


def follow(found: Labels, at: Anchors, minutes: np.ndarray) -> Ways:
    """The ways of the labels from these anchors on, one of each place, where the minutes are finite."""
    near = np.isfinite(minutes)
    first = at.node[near].astype(np.int64)
    way, node, then = _hops(found.parent, first)
    return Ways(at.place[near], found.source[first], minutes[near], first, way, node, then, found.minutes[node] - found.minutes[then])


def drawn(ground: Ground, ways: Ways, sites: Places, places: Places, *, towards: bool = True) -> gpd.GeoDataFrame:
    """The ways as `paths` tells them, sorted by place; `ways` number nodes as the network."""
    place, site, way, frm, to = ways.place, ways.site, ways.way, ways.node, ways.then
    arc = _arcs(ground, *((frm, to) if towards else (to, frm)), ways.hop_min)
    driven = np.bincount(way, _driven(ground, frm, to, arc, ways.hop_min), minlength=len(place))
    lines = _lines(ground, way, to, arc, ways.first, towards)
    starts, ends = np.stack([places.x[place], places.y[place]], 1), np.stack([sites.x[site], sites.y[site]], 1)
    shapes = [_line(np.concatenate([a[None], line, b[None]]), towards) for a, line, b in zip(starts, lines, ends, strict=True)]
    minutes, driven = np.round(ways.minutes, DECIMALS), np.round(driven, DECIMALS)
    walk = np.round(np.maximum(minutes - driven, 0.0), DECIMALS)
    frame = gpd.GeoDataFrame({
        "site": sites.ids[site], "minutes": minutes, "walk_min": walk, "drive_min": np.round(minutes - walk, DECIMALS),
        "metres": shapely.length(shapes)}, geometry=list(shapes), index=places.ids[place], crs=ground.graph.grid.crs)
    return frame.sort_index(kind="stable")


def _line(points: np.ndarray, towards: bool) -> shapely.LineString:
    kept = np.append(True, (np.diff(points, axis=0) != 0).any(axis=1))
    points = points[kept] if kept.sum() > 1 else np.repeat(points[:1], 2, axis=0)
    return shapely.LineString(points if towards else points[::-1])


def _hops(parent: np.ndarray, first: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Every hop of the ways that begin at these nodes, in order: way, node, next node."""
    ways, nodes, nexts = [np.empty(0, np.int64)], [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    way, node = np.arange(len(first)), first.astype(np.int64)
    while len(way):
        then = parent[node].astype(np.int64)
        on = then >= 0
        way, node, then = way[on], node[on], then[on]
        ways.append(way)
        nodes.append(node)
        nexts.append(then)
        node = then
    all_ways = np.concatenate(ways)
    order = np.argsort(all_ways, kind="stable")
    return all_ways[order], np.concatenate(nodes)[order], np.concatenate(nexts)[order]


def _arcs(ground: Ground, tail: np.ndarray, head: np.ndarray, minutes: np.ndarray) -> np.ndarray:
    """The cheapest arc of the network for each hop, -1 for steps between cells."""
    network = ground.weighed.network
    key = network.tail.astype(np.int64) * network.size + network.head
    order = np.lexsort((network.minutes, key))
    wanted = tail * network.size + head
    at = np.minimum(np.searchsorted(key[order], wanted), max(len(order) - 1, 0))
    known = (key[order][at] == wanted) if len(order) else np.zeros(len(wanted), bool)
    arc = np.where(known, order[at] if len(order) else -1, -1)
    # two neighbouring cells have no arc; nothing else may lack one
    assert ((arc >= 0) | ((tail < network.cells) & (head < network.cells))).all(), minutes[arc < 0]
    return arc


def _driven(ground: Ground, frm: np.ndarray, to: np.ndarray, arc: np.ndarray, minutes: np.ndarray) -> np.ndarray:
    """Minutes of each hop that are driven: whole arcs, and on a raster of speeds the part of a step in each cell of road."""
    weighed = ground.weighed
    driven = np.where(weighed.driven[arc], minutes, 0.0) if len(weighed.driven) else np.zeros(len(arc))
    step = np.flatnonzero(arc < 0)
    if not len(step):
        return driven
    (row, col), (row_to, col_to) = (np.divmod(at[step], ground.graph.grid.shape[1]) for at in (frm, to))
    down, right = row_to - row, col_to - col
    # a step lies half in either cell; a knight's move in four, by quarters
    mid_row, mid_col = np.where(abs(down) == 2, down // 2, 0), np.where(abs(right) == 2, right // 2, 0)
    far_row, far_col = np.where(abs(down) == 2, down // 2, down), np.where(abs(right) == 2, right // 2, right)
    by_vehicle = np.where(weighed.driven_cell, weighed.network.pace, 0.0)
    pace = sum(by_vehicle[row + y, col + x] for y, x in ((0, 0), (mid_row, mid_col), (far_row, far_col), (down, right))) / 4
    driven[step] = np.minimum(weighed.network.cell_m * np.hypot(down, right) * pace, minutes[step])
    return driven


def _lines(
    ground: Ground, way: np.ndarray, to: np.ndarray, arc: np.ndarray, first: np.ndarray, towards: bool
) -> list[np.ndarray]:
    """Coordinates of each way, from its first node on, along the roads as they are drawn."""
    graph, cells = ground.graph, ground.weighed.network.cells
    x, y = graph.grid.centres(np.concatenate([first, to]).clip(max=cells - 1) if cells else np.zeros(len(first) + len(to), np.int64))
    node = np.concatenate([first, to])
    road = node >= cells
    x[road], y[road] = graph.x[node[road] - cells], graph.y[node[road] - cells]
    points = np.stack([x, y], 1)
    bends = _bends(ground, arc, towards)
    bounds = np.searchsorted(way, np.arange(len(first) + 1))
    lines = []
    for i, (low, high) in enumerate(zip(bounds[:-1], bounds[1:], strict=True)):
        parts = [points[i : i + 1]]
        for hop in range(low, high):
            if hop in bends:
                parts.append(bends[hop])
            parts.append(points[len(first) + hop : len(first) + hop + 1])
        lines.append(np.concatenate(parts))
    return lines


def _bends(ground: Ground, arc: np.ndarray, towards: bool) -> dict[int, np.ndarray]:
    """Shape points between the ends of hops along roads, by hop, in the order of the walk from place to site."""
    graph, roads = ground.graph, ground.roads
    along = np.flatnonzero((arc >= 0) & (arc < 2 * len(graph.tail)))
    if roads is None or not len(along):
        return {}
    xy, edge = shapely.get_coordinates(roads.edges.geometry.array, return_index=True)
    gone = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(xy, axis=0).T) * (edge[1:] == edge[:-1]))])
    base = gone[np.searchsorted(edge, np.arange(len(roads.edges)))]
    drawn = arc[along] % len(graph.tail)
    low = np.searchsorted(gone - base[edge] + edge * _FAR, graph.start_m[drawn] + graph.edge[drawn] * _FAR, side="right")
    high = np.searchsorted(gone - base[edge] + edge * _FAR, graph.end_m[drawn] + graph.edge[drawn] * _FAR, side="left")
    against = (arc[along] >= len(graph.tail)) == towards  # from site to place where the line is turned at the end
    return {int(hop): xy[a:b][::-1] if back else xy[a:b] for hop, a, b, back in zip(along, low, high, against, strict=True) if b > a}


_FAR = 2.0**24  # metres: longer than any edge
