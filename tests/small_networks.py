"""Random small networks with all that a search may meet, and the same searches by scipy and networkx on explicit arcs."""

import networkx as nx
import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from planner.model import STEPS
from planner.travel.network import QUANTUM, Anchors, Network

KINDS = ("graph", "grid8", "grid16", "union8", "union16")
CELL_M = 100.0
PLACES = 5


def network(kind: str, seed: int) -> Network:
    """A network of this kind. Even seeds draw costs from a few values, so that ties abound.

    Arcs: zero, closed, parallel, loops, hubs of more than ten, parts out of reach. Grids: cells and steps that are shut,
    odd thirds of seeds with a factor for each step.
    """
    rng = np.random.default_rng(seed)
    shape = (0, 0) if kind == "graph" else tuple(int(n) for n in rng.integers(1, 9, 2))
    neighbours = 16 if kind.endswith("16") else 8
    even = seed % 2 == 0
    pace = rng.choice([0.0, 0.01, 0.01, 0.02], shape) if even else 10.0 ** rng.uniform(-4, -1, shape)
    pace[rng.random(shape) < rng.choice([0.0, 0.2, 0.6])] = np.inf
    factor = None
    if seed % 3:
        factor = (rng.choice([1.0, 1.0, 2.0], (*shape, neighbours)) if even else rng.uniform(0.3, 30.0, (*shape, neighbours)))
        factor = factor.astype(np.float32)
        factor[rng.random(factor.shape) < 0.1] = np.inf
    nodes = 0 if kind.startswith("grid") else int(rng.integers(1, 40))
    size = pace.size + nodes
    arcs = int(size * rng.uniform(0.3, 4)) if nodes else 0
    tail, head = rng.integers(0, size, (2, arcs))
    hubs = rng.random(arcs) < 0.2
    tail[hubs] = rng.integers(0, size)
    loops = rng.random(arcs) < 0.05
    head[loops] = tail[loops]
    minutes = rng.choice([0.0, 1.0, 1.0, 2.0, 3.0], arcs) if even else 10.0 ** rng.uniform(-3, 2, arcs)
    minutes[rng.random(arcs) < 0.05] = rng.choice([0.0, np.inf])
    return Network(pace, CELL_M, neighbours, factor, nodes, tail.astype(np.int32), head.astype(np.int32), minutes)


def anchors(net: Network, seed: int, places: int = PLACES) -> Anchors:
    """Places with one to three anchors each, most with minutes before they enter; shuffled."""
    rng = np.random.default_rng(seed + 10**6)
    place = np.repeat(np.arange(places), rng.integers(1, 4, places)) if net.size else np.empty(0, int)
    n = len(place)
    minutes = rng.choice([0.0, 0.0, 1.0, 2.0], n) if seed % 2 == 0 else rng.choice([0.0, 1.0], n) * rng.uniform(0, 9, n)
    order = rng.permutation(len(place))
    node = rng.integers(0, max(1, net.size), len(place))
    return Anchors(place[order].astype(np.int32), node.astype(np.int32), np.rint(minutes / QUANTUM) * QUANTUM)


def arcs(net: Network) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Every step and arc: tail, head, minutes as the Network's description says, inf left out."""
    height, width = net.pace.shape
    pace = net.pace.ravel()
    parts = [(net.tail.astype(int), net.head.astype(int), net.minutes)]
    for k, (down, right) in enumerate(STEPS[: net.neighbours]):
        row, col = (at.ravel() for at in np.indices((height, width)))
        inside = (row + down >= 0) & (row + down < height) & (col + right >= 0) & (col + right < width)
        here = (row * width + col)[inside]
        there = here + down * width + right
        times = np.ones(len(here)) if net.factor is None else net.factor.reshape(-1, net.neighbours)[here, k].astype(float)
        open_ = np.isfinite(pace[here]) & np.isfinite(pace[there]) & np.isfinite(times)
        here, there = here[open_], there[open_]
        parts.append((here, there, (pace[here] + pace[there]) / 2 * net.cell_m * np.hypot(down, right) * times[open_]))
    tail, head, minutes = (np.concatenate(values) for values in zip(*parts, strict=True))
    passable = np.isfinite(minutes)
    return tail[passable], head[passable], minutes[passable]


def all_minutes(net: Network, sources: Anchors, places: int) -> np.ndarray:
    """Minutes from each place (rows) to each cell and node by scipy, costs rounded as the search rounds them: exact sums."""
    tail, head, minutes = arcs(net)
    tail = np.concatenate([tail, net.size + sources.place])
    head = np.concatenate([head, sources.node])
    minutes = np.concatenate([np.rint(minutes / QUANTUM) * QUANTUM, sources.minutes])
    order = np.lexsort((minutes, head, tail))
    tail, head, minutes = tail[order], head[order], minutes[order]
    first = np.append(True, (np.diff(tail) != 0) | (np.diff(head) != 0))[: len(tail)]  # the least of parallel arcs
    size = net.size + places
    indptr = np.searchsorted(tail[first], np.arange(size + 1))
    graph = csr_array((minutes[first], head[first].astype(np.int32), indptr.astype(np.int32)), shape=(size, size))
    return np.asarray(dijkstra(graph, indices=net.size + np.arange(places)))[:, : net.size]


def nearest_by_networkx(net: Network, sources: Anchors) -> np.ndarray:
    """Least minutes to each cell and node by networkx, costs not rounded."""
    graph = nx.MultiDiGraph()
    graph.add_nodes_from(range(-1, net.size))
    graph.add_weighted_edges_from(zip(*(values.tolist() for values in arcs(net)), strict=True))
    graph.add_weighted_edges_from((-1, int(node), float(t)) for node, t in zip(sources.node, sources.minutes, strict=True))
    told = nx.single_source_dijkstra_path_length(graph, -1)
    return np.array([told.get(node, np.inf) for node in range(net.size)])
