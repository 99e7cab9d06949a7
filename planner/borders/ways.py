"""Vector roads of several regions as one network: the same vertex is one node, the same stretch one edge."""

from __future__ import annotations

from collections.abc import Sequence

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from planner.borders.frame import Box
from planner.model import Roads
from planner.schema import ROAD_NODES, ROADS

_AT = ["x", "y", "twin"]  # where a node stands, and which of those of its region that stand there it is


def joined_roads(parts: Sequence[Roads | None], box: Box) -> Roads | None:
    """The first region's roads whole, and of the others the ways that the box touches, each whole; None where there are none.

    A way that two regions have is cut wherever either of them has a node on it, so that what joins it beyond the border of one joins it
    for both. Nodes at exactly one place are one; an edge between two such along the same line counts once, as the first region has it.
    The first region's edges come first.
    """
    there = [p for p in parts if p is not None]
    if not there:
        return None
    nodes, drawn = [_nodes(p) for p in there], _coded([p.edges for p in there])
    ends = [_ends(edges, n) for edges, n in zip(drawn, nodes, strict=True)]
    cut = []
    for k, (edges, own) in enumerate(zip(drawn, nodes, strict=True)):
        others = pd.concat([ends[0].iloc[:0], *(e for j, e in enumerate(ends) if j != k)])
        cut.append(_cut(edges if k == 0 else _near(edges, box), own, others))
    every = pd.concat([nodes[0][[*_AT, "origin"]], *(c[1] for c in cut), *nodes[1:]], ignore_index=True)
    every["number"] = every.groupby(_AT, sort=False).ngroup()
    number = every.drop_duplicates("number").set_index(_AT)["number"]
    numbered = [_numbered(edges, at, number) for edges, _, at in cut]
    edges = _once(numbered)
    return _network(edges, len(numbered[0]), every.drop_duplicates("number"), len(nodes[0]), there[0])


def _nodes(roads: Roads) -> pd.DataFrame:
    """Where each node stands: x, y, twin (0 but for the second of one place), origin; by node."""
    table = pd.DataFrame({"x": roads.nodes.geometry.x, "y": roads.nodes.geometry.y, "origin": roads.nodes["origin"]})
    return table.assign(twin=table.groupby(["x", "y"]).cumcount())


def _coded(parts: Sequence[gpd.GeoDataFrame]) -> list[gpd.GeoDataFrame]:
    """The edges with `code`, a number for the id of their way: numbers are looked up far faster than text."""
    code = pd.factorize(pd.concat([edges["way"] for edges in parts]))[0]
    return [edges.assign(code=mine) for edges, mine in zip(parts, np.split(code, np.cumsum([len(e) for e in parts])[:-1]), strict=True)]


def _ends(edges: gpd.GeoDataFrame, nodes: pd.DataFrame) -> pd.DataFrame:
    """The nodes on each way: code, x, y, twin, origin, once each."""
    table = pd.concat([nodes.iloc[edges[end].to_numpy()].assign(code=edges["code"].to_numpy()) for end in ("u", "v")])
    return pd.DataFrame(table.drop_duplicates(["code", *_AT]))


def _near(edges: gpd.GeoDataFrame, box: Box) -> gpd.GeoDataFrame:
    """The edges of every way that touches the box: of a ferry the whole crossing counts."""
    low_x, low_y, high_x, high_y = shapely.bounds(edges.geometry.to_numpy()).T.reshape(4, -1)
    near = (high_x >= box[0]) & (high_y >= box[1]) & (low_x <= box[2]) & (low_y <= box[3])
    return edges[edges["code"].isin(edges.loc[near, "code"])]


def _cut(edges: gpd.GeoDataFrame, nodes: pd.DataFrame, others: pd.DataFrame) -> tuple[gpd.GeoDataFrame, pd.DataFrame, pd.DataFrame]:
    """The edges cut at the nodes that other regions have on their ways; the nodes that this makes, and where each edge begins and ends.

    The last table has a row an edge: x_u, y_u, twin_u and the same of v.
    """
    at = pd.concat([nodes.iloc[edges[end].to_numpy()][_AT].reset_index(drop=True).add_suffix(f"_{end}") for end in ("u", "v")], axis=1)
    shared = np.flatnonzero(edges["code"].isin(others["code"]))
    xy, of = shapely.get_coordinates(edges.geometry.to_numpy()[shared], return_index=True)
    vertex = pd.DataFrame({"edge": shared[of], "code": edges["code"].to_numpy()[shared[of]], "x": xy[:, 0], "y": xy[:, 1]})
    vertex["k"] = vertex.groupby("edge").cumcount()
    inner = (vertex["k"] > 0) & vertex["edge"].duplicated(keep="last")
    cuts = vertex[inner].merge(others.drop_duplicates(["code", "x", "y"]), on=["code", "x", "y"]).sort_values(["edge", "k"])
    if cuts.empty:
        return edges, nodes.iloc[:0][[*_AT, "origin"]], at
    rows, lines, starts = [], [], []
    for edge, mine in cuts.groupby("edge"):
        points = shapely.get_coordinates(edges.geometry.iloc[edge])
        stops = [0, *mine["k"], len(points) - 1]
        places = [tuple(at.loc[edge, [f"{c}_u" for c in _AT]]), *mine[_AT].itertuples(index=False, name=None),
                  tuple(at.loc[edge, [f"{c}_v" for c in _AT]])]
        for k in range(len(stops) - 1):
            rows.append(edge)
            lines.append(shapely.LineString(points[stops[k] : stops[k + 1] + 1]))
            starts.append((*places[k], *places[k + 1]))
    whole = ~np.isin(np.arange(len(edges)), cuts["edge"])
    pieces = edges.iloc[rows].set_geometry(np.array(lines, object), crs=edges.crs).assign(length_m=shapely.length(lines))
    order = np.argsort(np.concatenate([np.flatnonzero(whole), rows]), kind="stable")
    cut_at = pd.concat([at[whole], pd.DataFrame(starts, columns=at.columns)], ignore_index=True).iloc[order].reset_index(drop=True)
    return gpd.GeoDataFrame(pd.concat([edges[whole], pieces]).iloc[order]), cuts[[*_AT, "origin"]], cut_at


def _numbered(edges: gpd.GeoDataFrame, at: pd.DataFrame, number: pd.Series) -> gpd.GeoDataFrame:
    """The edges with the joined network's numbers of their ends."""
    ends = {}
    for end in ("u", "v"):
        here = at[[f"{c}_{end}" for c in _AT]].set_axis(_AT, axis=1)
        ends[end] = here.merge(number.rename("number").reset_index(), how="left", on=_AT)["number"].to_numpy(np.int64)
    return edges.assign(**ends)


def _once(parts: Sequence[gpd.GeoDataFrame]) -> gpd.GeoDataFrame:
    """All edges but those of later parts that an earlier one has between the same nodes along the same line."""
    seen_in, times = np.unique(np.concatenate([np.unique(part[["u", "v"]]) for part in parts]), return_counts=True)
    shared = seen_in[times > 1]
    kept: list[gpd.GeoDataFrame] = []
    known: set[bytes] = set()
    for part in parts:
        both = (part["u"].isin(shared) & part["v"].isin(shared)).to_numpy()
        mine = _lines(part[both])
        again = np.zeros(len(part), bool)
        again[both] = [line in known for line in mine]
        kept.append(part[~again])
        known.update(mine)
    return gpd.GeoDataFrame(pd.concat(kept, ignore_index=True))


def _lines(edges: gpd.GeoDataFrame) -> list[bytes]:
    """What tells a stretch from any other: its ends and its line, as bytes."""
    return [f"{u} {v} ".encode() + line for u, v, line in zip(edges["u"], edges["v"], edges.geometry.to_wkb(), strict=True)]


def _network(edges: gpd.GeoDataFrame, own: int, places: pd.DataFrame, own_nodes: int, first: Roads) -> Roads:
    """Roads of these edges; nodes are those of the first region, then the others that some edge needs, numbered on."""
    used = np.union1d(np.arange(own_nodes), edges[["u", "v"]].to_numpy().ravel())
    u, v = (np.searchsorted(used, edges[end]) for end in ("u", "v"))
    _, part = connected_components(coo_array((np.ones(len(u), np.int8), (u, v)), shape=(len(used), len(used))), directed=False)
    size, start = np.bincount(part), np.unique(part, return_index=True)[1]
    rank = np.empty(len(size), np.int64)
    rank[np.lexsort((start, -size))] = np.arange(len(size))
    here = places.set_index("number").loc[used]
    nodes = gpd.GeoDataFrame(
        {"origin": here["origin"].astype("str").array, "component": rank[part]}, geometry=gpd.points_from_xy(here["x"], here["y"]),
        crs=first.nodes.crs, index=pd.RangeIndex(len(used), name=ROAD_NODES.key.name))
    table = edges.assign(u=u, v=v).rename_axis(ROADS.key.name)
    return Roads(gpd.GeoDataFrame(nodes[first.nodes.columns]), gpd.GeoDataFrame(table[first.edges.columns]), own)
