"""Roads as the graph that osmnx and networkx know, and such a graph as ways."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from planner.errors import DataError
from planner.model import Finding, Roads
from planner.sources.osmtags import tagged_ways
from planner.sources.roadnet import Ways, own_ends

if TYPE_CHECKING:
    import networkx as nx


def to_networkx(roads: Roads) -> nx.MultiDiGraph:
    """The graph osmnx works with, in the roads' CRS: one directed edge for each sense that is driven or walked.

    Nodes are numbered as in `roads` with `x`, `y`; edges carry `osmid` (the way), `edge` (its number in `roads`),
    `highway` (the class), `length` (m), `geometry`, `oneway`, `reversed`, OSM's tags where they are known, and whether
    one may `drive` or `walk` in that sense and `board` along it. `read_osm` reads it back from graphml.
    """
    import networkx as nx

    graph = nx.MultiDiGraph(crs=roads.nodes.crs.to_string(), simplified=True)
    points = shapely.get_coordinates(roads.nodes.geometry.to_numpy()).tolist()
    streets = np.bincount(np.r_[roads.edges["u"], roads.edges["v"]], minlength=len(points)).tolist()
    for row, (x, y), count in zip(roads.nodes.itertuples(), points, streets, strict=True):
        graph.add_node(row.Index, x=x, y=y, street_count=count, component=row.component,
                       **({"origin": row.origin} if isinstance(row.origin, str) else {}))
    for row, back in zip(roads.edges.itertuples(), shapely.reverse(roads.edges.geometry.to_numpy()), strict=True):
        known = {"osmid": row.way, "edge": row.Index, "highway": row.road_class, "length": row.length_m, "walk": row.walk,
                 "oneway": bool(row.drive and row.forward != row.backward), "board": row.board, **_tags(row)}
        ahead, behind = bool(row.drive and row.forward), bool(row.drive and row.backward)
        if ahead or row.walk:
            graph.add_edge(row.u, row.v, **known, drive=ahead, reversed=False, geometry=row.geometry)
        if behind or row.walk:
            graph.add_edge(row.v, row.u, **known, drive=behind, reversed=True, geometry=back)
    return graph


def ways_of_graph(graph: nx.MultiDiGraph, where: str) -> tuple[Ways, tuple[Finding, ...]]:
    """Ways of an osmnx graph, the two senses of an edge as one; those of `to_networkx` come back as they were.

    DataError for a graph without edges, coordinates of its nodes, or CRS.
    """
    if not graph.number_of_edges() or "crs" not in graph.graph or not all({"x", "y"} <= data.keys() for _, data in graph.nodes(data=True)):
        raise DataError(f"{where}: no es una red vial de osmnx (tramos, nodos con x, y, y sistema de coordenadas); guárdela otra vez.")
    names = [str(name) for name in graph.nodes]
    number = [int(n) for n in names] if all(n.removeprefix("-").isdigit() for n in names) else np.argsort(np.argsort(names)).tolist()
    numbered = dict(zip(graph.nodes, number, strict=True))
    edges = _undirected(graph, numbered)
    lines = edges["line"].to_numpy()
    count = shapely.get_num_coordinates(lines)
    vertex = own_ends(count, edges["u"].to_numpy(), edges["v"].to_numpy())
    known = dict(graph.nodes(data=True)).values()
    origin = [data.get("origin", None if "component" in data else name) for name, data in zip(names, known, strict=True)]
    ways, told = tagged_ways(edges, count, shapely.get_coordinates(lines), vertex, where, crs=str(graph.graph["crs"]),
                             origin=pd.Series(origin, index=number, dtype="str"))
    if "board" in edges:
        board = ways.table["board"] & (edges["board"][ways.table.index] == "True")
        ways = replace(ways, table=ways.table.assign(board=board))
    return ways, told


def _tags(row: Any) -> dict[str, str]:
    """OSM tags that say what a row of ROADS says; those unknown are absent."""
    tags = {"name": row.name, "surface": row.surface, "smoothness": row.smoothness,
            "tracktype": None if np.isnan(row.tracktype) else f"grade{row.tracktype:.0f}",
            "maxspeed": None if np.isnan(row.posted_kmh) else repr(float(row.posted_kmh)),
            "duration": None if np.isnan(row.crossing_min) else repr(float(row.crossing_min)),
            **{tag: "yes" if getattr(row, tag) else None for tag in ("bridge", "ford", "toll")}}
    return {tag: value for tag, value in tags.items() if isinstance(value, str)}


def _undirected(graph: nx.MultiDiGraph, numbered: dict[Any, int]) -> pd.DataFrame:
    """One row for the edges that are the two senses of one: ends, line, attributes as text and OSM's tags of direction."""
    place = {name: (float(data["x"]), float(data["y"])) for name, data in graph.nodes(data=True)}
    senses = pd.DataFrame([{
        **{key: _text(value) for key, value in data.items() if key != "geometry"}, "u": numbered[u], "v": numbered[v],
        "line": data.get("geometry") or shapely.LineString([place[u], place[v]])} for u, v, data in graph.edges(data=True)])
    senses = senses.assign(way=senses.get("osmid", "sin id"))
    back = (senses["reversed"] == "True") if "reversed" in senses else pd.Series(False, senses.index)
    turned = senses.assign(u=senses["u"].where(~back, senses["v"]), v=senses["v"].where(~back, senses["u"]),
                           line=np.where(back, shapely.reverse(senses["line"].to_numpy()), senses["line"].to_numpy()), back=back)
    turned["shape"] = shapely.to_wkb(shapely.normalize(turned["line"].to_numpy()))
    same = ["edge" if "edge" in turned else "way", "shape"]
    one = turned.sort_values("back", kind="stable").drop_duplicates(same).sort_index().reset_index(drop=True)
    if "drive" not in turned:
        told = one["oneway"] if "oneway" in one else pd.Series(None, one.index, dtype="str")
        return one.assign(oneway=told.mask((told == "True") & one["back"], "-1"))
    senses_of = turned.assign(ahead=(turned["drive"] == "True") & ~back, behind=(turned["drive"] == "True") & back,
                              foot=turned["walk"] == "True").groupby(same)[["ahead", "behind", "foot"]].any()
    can = senses_of.reindex(pd.MultiIndex.from_frame(one[same])).reset_index(drop=True)
    return one.assign(oneway=np.select([can["ahead"] & can["behind"], can["ahead"], can["behind"]], ["no", "yes", "-1"], "no"),
                      motor_vehicle=np.where(can["ahead"] | can["behind"], "yes", "no"), foot=np.where(can["foot"], "yes", "no"))


def _text(value: Any) -> str:
    """An attribute as text; the values of a list, as osmnx merges them, apart by semicolons."""
    return ";".join(map(str, value)) if isinstance(value, list | tuple | set) else str(value)
