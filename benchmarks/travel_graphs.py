"""Rows of benchmarks/travel.py on graphs: road-like ones, and roads joined with terrain."""

import argparse
import time
from collections.abc import Iterator

import networkx as nx
import numpy as np
from scipy.sparse.csgraph import dijkstra
from travel_measure import Contestant, Row, beside, ours_on, race, same
from travel_peers import ask_pandana
from travel_worlds import explicit, road_graph, roads_over_terrain, shuffled

from planner.settings import Scenario
from planner.travel import board
from planner.travel.join import join
from planner.travel.network import Anchors, Network
from planner.travel.weigh import weigh

UNITS, MOST = 2_000, 5


def graphs(asked: argparse.Namespace) -> Iterator[Row]:
    """Nearest of 2,000 units on road-like graphs, and what a node costs as they grow."""
    per_node = {}
    for nodes in (20_000, 50_000) if asked.quick else (200_000, 1_000_000, 5_000_000):
        network, x, y = road_graph(nodes)
        units = np.sort(np.random.default_rng(1).choice(network.nodes, UNITS, replace=False))
        first = nodes in (20_000, 200_000)
        ours, scipy = against_scipy(network, units, asked.rounds)
        yield beside(f"nearest of 2,000, {network.nodes:,} nodes", "scipy", ours, scipy, same(ours.answer.minutes, scipy.answer), 6)
        per_node[network.nodes] = ours.typical_s / network.nodes
        if first:
            yield from against_networkx(network, units, asked.rounds)
            yield from against_pandana(network, x, y, units, asked, float(ours.answer.minutes[np.isfinite(ours.answer.minutes)].max()))
        if nodes <= 1_000_000:
            mixed = shuffled(network)
            ours, scipy = against_scipy(mixed, units, asked.rounds)
            yield beside("  the same, nodes in no order", "scipy, in no order", ours, scipy, same(ours.answer.minutes, scipy.answer), 6)
    growth = per_node[max(per_node)] / per_node[min(per_node)]
    yield Row("  cost per node, largest / smallest", "", ratio=growth, bar="<=1.4", met=growth <= 1.4,
              equal=" / ".join(f"{1e9 * cost:.0f}" for cost in per_node.values()) + " ns a node")


def against_scipy(network: Network, units: np.ndarray, rounds: int) -> tuple[Contestant, Contestant]:
    ours = ours_on(network, lambda b: board.nearest(b, Anchors.at(units)))
    scipy = Contestant(lambda: explicit(network), lambda g: dijkstra(g, indices=units, min_only=True))
    race([ours, scipy], rounds)
    return ours, scipy


def against_networkx(network: Network, units: np.ndarray, rounds: int) -> Iterator[Row]:
    def build() -> nx.DiGraph:
        graph = nx.DiGraph()
        graph.add_nodes_from(range(network.nodes))
        graph.add_weighted_edges_from(zip(network.tail.tolist(), network.head.tolist(), network.minutes.tolist(), strict=True))
        return graph

    ours = ours_on(network, lambda b: board.nearest(b, Anchors.at(units)))
    peer = Contestant(build, lambda g: nx.multi_source_dijkstra_path_length(g, set(units.tolist())))
    race([ours, peer], rounds)
    theirs = np.full(network.nodes, np.inf)
    theirs[list(peer.answer)] = list(peer.answer.values())
    yield beside("  the same", "networkx", ours, peer, same(ours.answer.minutes, theirs))


def against_pandana(
    network: Network, x: np.ndarray, y: np.ndarray, units: np.ndarray, asked: argparse.Namespace, longest: float
) -> Iterator[Row]:
    """pandana's build and query of the nearest and of the five nearest, and ours of five beside five of the nearest."""
    one = ours_on(network, lambda b: board.nearest(b, Anchors.at(units)))
    five = ours_on(network, lambda b: board.nearest_k(b, Anchors.at(units), MOST))
    race([one, five], asked.rounds)
    one_s, five_s = one.built_s + one.typical_s, five.built_s + five.typical_s
    checked = np.random.default_rng(2).choice(network.nodes, 100, replace=False)
    backward = dijkstra(explicit(network.reversed()), indices=checked)[:, units]
    yield Row("  five nearest", "five times the nearest", five.built_s, five.typical_s, one.built_s, MOST * one.typical_s,
              MOST * one.typical_s / five.typical_s, ours_mb=five.peak_mb, peer_mb=one.peak_mb,
              equal=same(five.answer[0][checked], np.sort(backward, axis=1)[:, :MOST]) + " (scipy, 100 nodes)")
    if not asked.pandana:
        yield Row("  nearest and five nearest", "pandana: not installed", equal="--pandana PYTHON, see --help")
        return
    # twice the longest way: what pandana gives to nodes out of reach
    told = ask_pandana(asked.pandana, x=x, y=y, tail=network.tail, head=network.head, minutes=network.minutes, units=units,
                       longest=2 * longest, most=MOST, rounds=1 if asked.quick else 3)
    build, query, query_k, peak = (np.median(told[name]) for name in ("build", "query", "query_k", "peak"))
    theirs = np.where(told["minutes"] >= 1.9 * longest, np.inf, told["minutes"])
    equal = same(five.answer[0], theirs, 1e-4)
    ratio = (build + query) / one_s
    yield Row("  the same, build and query", "pandana", one.built_s, one.typical_s, build, query, ratio, ">=100", ratio >= 100,
              one.peak_mb, peak, equal)
    yield Row("  five nearest, build and query", "pandana", five.built_s, five.typical_s, build, query_k, (build + query_k) / five_s,
              ours_mb=five.peak_mb, peer_mb=peak, equal=equal)


def union(asked: argparse.Namespace) -> Iterator[Row]:
    """Vector roads and terrain in one graph: its join, its weighing and its search."""
    side, size = (60, 120) if asked.quick else (560, 1000)
    grid, roads = roads_over_terrain(side, size)
    began = time.process_time()
    graph = join(grid, roads)
    yield Row(f"join {side**2:,} crossings, {size:,}^2 cells", "", ours_s=time.process_time() - began,
              equal=f"{graph.nodes:,} road nodes, {2 * len(graph.tail):,} arcs, {2 * len(graph.link_m):,} links")
    began = time.process_time()
    network = weigh(graph, roads, Scenario(), "vehiculo").network
    yield Row("  other speeds on it (weigh)", "", ours_s=time.process_time() - began)
    units = np.sort(np.random.default_rng(1).choice(network.cells, UNITS, replace=False))
    ours, scipy = against_scipy(network, units, asked.rounds)
    arcs = network.tail.size + 8 * network.cells
    yield beside(f"  nearest of 2,000, {arcs / 1e6:.1f} M arcs", "scipy", ours, scipy,
                 same(ours.answer.minutes, scipy.answer) + f"; {1e9 * ours.typical_s / arcs:.1f} ns an arc", 6)


