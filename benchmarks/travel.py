"""The travel search beside its peers, in one table: `python benchmarks/travel.py --data ../shared/data/hidalgo`.

Both sides answer the same question on the same input and the answers are compared; each is asked in turn within one
process, five times, and the ratio is the median of the rounds. Seconds are those of the processor spent by the asking
thread (wall clock where threads or pandana are timed), since the machine may be shared; GRASS's are those of its module,
which reads its rasters from disk and writes its answer there. `build` is what comes before the first question: laying
the network out for us, the matrix of arcs for scipy. Memory is the peak above what stood before, building included.

GRASS is found on the path; pandana (AGPL) is installed in an environment of its own: `python -m venv X`,
`X/bin/pip install pandana`, then `--pandana X/bin/python`; scikit-image by `pip install scikit-image`.
"""

import argparse
import hashlib
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

import networkx as nx
import numpy as np
from scipy.sparse.csgraph import dijkstra
from travel_peers import Contestant, Grass, gain, peak_mb, race
from travel_worlds import CELL_M, explicit, isotropic, langmuir, road_graph, roads_over_terrain, shuffled, terrain

from planner.region import prepare_region
from planner.settings import Scenario
from planner.travel import board
from planner.travel.ground import ground_of
from planner.travel.join import join
from planner.travel.network import Anchors, Network
from planner.travel.weigh import weigh

UNITS, STARTS, SITES, CUTOFF_MIN, MOST = 2_000, 100, 1_000, 90.0, 5
HERE = Path(__file__).parent
HEAD = (f"{'question':42}{'peer':24}{'build':>8}{'ours s':>9}{'build':>8}{'peer s':>9}{'ratio':>8}{'bar':>7}  {'met':5}"
        f"{'ours MB':>9}{'peer MB':>9}  equal")


@dataclass
class Row:
    """One line of the table; NaN and empty where there is nothing to tell."""

    question: str
    peer: str = ""
    built_s: float = np.nan
    ours_s: float = np.nan
    peer_built_s: float = np.nan
    peer_s: float = np.nan
    ratio: float = np.nan
    bar: str = ""
    met: bool | None = None
    ours_mb: float = np.nan
    peer_mb: float = np.nan
    equal: str = ""

    def __str__(self) -> str:
        def told(value: float, width: int, digits: int) -> str:
            return f"{'' if np.isnan(value) else f'{value:,.{digits}f}':>{width}}"

        return (f"{self.question:42}{self.peer:24}{told(self.built_s, 8, 2)}{told(self.ours_s, 9, 4)}{told(self.peer_built_s, 8, 2)}"
                f"{told(self.peer_s, 9, 3)}{told(self.ratio, 8, 1)}{self.bar:>7}  {'' if self.met is None else 'yes' if self.met else 'NO':5}"
                f"{told(self.ours_mb, 9, 0)}{told(self.peer_mb, 9, 0)}  {self.equal}")


def beside(question: str, peer: str, ours: Contestant, other: Contestant, equal: str, least: float = 0, *, built: bool = False) -> Row:
    """A line from two contestants of one race; `least` is the bar on the ratio."""
    ratio = gain(ours, other, built=built)
    return Row(question, peer, ours.built_s, ours.typical_s, other.built_s, other.typical_s, ratio, f">={least:g}" if least else "",
               ratio >= least if least else None, ours.peak_mb, other.peak_mb, equal)


def same(ours: np.ndarray, theirs: np.ndarray, tolerance: float = 0.0, share: float = 1.0) -> str:
    """Whether minutes agree to a relative tolerance on a share of the cells, and are out of reach at the same places."""
    if not np.array_equal(np.isinf(ours), np.isinf(theirs)):
        return f"NO: {(np.isinf(ours) != np.isinf(theirs)).sum():,} reached by one alone"
    if np.array_equal(ours, theirs):
        return "to the bit"
    reached = np.isfinite(ours)
    error = np.quantile(np.abs(ours - theirs)[reached] / np.maximum(theirs[reached], 1.0), share)
    return f"{'' if error <= tolerance else 'NO: '}{'p99 ' if share < 1 else ''}{error:.0e}"


def ours_on(network: Network, ask: Callable[[board.Board], object]) -> Contestant:
    return Contestant(lambda: board.lay_out(network), ask)


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
        yield Row("  nearest and five nearest", "pandana: not installed", equal="python -m venv X; X/bin/pip install pandana; --pandana X/bin/python")
        return
    with tempfile.TemporaryDirectory() as folder:
        graph, out = Path(folder, "graph.npz"), Path(folder, "out.npz")
        np.savez(graph, x=x, y=y, tail=network.tail, head=network.head, minutes=network.minutes, units=units, longest=2 * longest,
                 rounds=1 if asked.quick else 3)
        subprocess.run([asked.pandana, HERE / "travel_pandana.py", graph, out], check=True, stdout=subprocess.DEVNULL)
        told = np.load(out)
    build, query, query_k, peak = (np.median(told[name]) for name in ("build", "query", "query_k", "peak"))
    theirs = np.where(told["minutes"] >= 1.999 * longest, np.inf, told["minutes"])
    equal = same(five.answer[0], theirs, 1e-4)
    ratio = (build + query) / one_s
    yield Row("  the same, build and query", "pandana", one.built_s, one.typical_s, build, query, ratio, ">=100", ratio >= 100,
              one.peak_mb, peak, equal)
    yield Row("  five nearest, build and query", "pandana", five.built_s, five.typical_s, build, query_k, (build + query_k) / five_s,
              ours_mb=five.peak_mb, peer_mb=peak, equal=equal)


def grids(asked: argparse.Namespace) -> Iterator[Row]:
    """Terrain: r.walk under its own formula, r.cost, scikit-image and scipy with its build; each of our searches in its own process."""
    for size in (200, 300) if asked.quick else (1000, 4000):
        large = size in (300, 4000)
        rounds = min(asked.rounds, 3) if large else asked.rounds
        for module, least in (("r.walk", 3 if large else 6), ("r.cost", 0)):
            if not Grass.version():
                yield Row(f"{size}^2 cells", "GRASS: not installed", equal="apt-get install grass-core")
                continue
            yield from against_grass(module, size, rounds, least)
        if not large:
            yield from against_python(size, asked.rounds)


def against_grass(module: str, size: int, rounds: int, least: float) -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        command = [sys.executable, __file__, "--grid", module, "--size", str(size), "--rounds", str(rounds), "--folder", name]
        told = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        grass = Grass(folder, size, CELL_M)
        for raster, null in (("elevation", -9999), ("friction", -1), ("start", 0)):
            grass.put(raster, np.nan_to_num(np.load(folder / f"{raster}.npy"), nan=null), null)
        options = {"elevation": "elevation", "friction": "friction"} if module == "r.walk" else {"input": "friction"}
        runs = [grass.run(module, "--overwrite", **options, start_raster="start", output="out", memory=4000) for _ in range(rounds)]
        theirs, ours = grass.get("out") / 60 * (1 if module == "r.walk" else CELL_M), np.load(folder / "minutes.npy").reshape(size, size)
    peer_s, ours_s = np.median([s for s, _ in runs]), float(np.median(told["seconds"]))
    ratio = peer_s / (told["build"] + ours_s)
    yield Row(f"{size:,}^2 cells, lay-out and search", f"GRASS {module}", told["build"], ours_s, np.nan, peer_s, ratio,
              f">={least}" if least else "", ratio >= least if least else None, told["peak_mb"], runs[0][1], same(ours, theirs, 1e-5, 0.99))
    yield Row("  the search alone", f"GRASS {module}", np.nan, ours_s, np.nan, peer_s, peer_s / ours_s)
    if size >= 4000:
        yield Row("  whole process, GB", "", ratio=told["peak_mb"] / 1024, bar="<=1.2", met=told["peak_mb"] <= 1.2 * 1024)


def our_grid(asked: argparse.Namespace) -> None:
    """Our side of a race with GRASS, in a process of its own whose peak of memory is told."""
    folder, size = asked.folder, asked.size
    elevation, friction = terrain(size)
    passable = np.flatnonzero(~np.isnan(friction.ravel()))
    starts = np.sort(np.random.default_rng(1).choice(passable, STARTS, replace=False))
    start = np.zeros((size, size), np.int32)
    start.ravel()[starts] = 1
    np.save(folder / "start.npy", start)
    np.save(folder / "elevation.npy", elevation)
    if asked.grid == "r.walk":
        np.save(folder / "friction.npy", friction)
        network = langmuir(elevation, friction)
    else:
        network = isotropic(friction)
        cost = np.where(np.isinf(network.pace), np.nan, network.pace * 60)
        np.save(folder / "friction.npy", cost)
        del cost
    del start, elevation, friction, passable
    _warm()
    began = time.process_time()
    laid = board.lay_out(network)
    build = time.process_time() - began
    del network
    seconds = []
    for _ in range(asked.rounds):
        began = time.process_time()
        found = board.nearest(laid, Anchors.at(starts))
        seconds.append(time.process_time() - began)
        minutes = found.minutes
        del found
    peak = peak_mb()
    np.save(folder / "minutes.npy", minutes)
    print(json.dumps({"build": build, "seconds": seconds, "peak_mb": peak}))


def against_python(size: int, rounds: int) -> Iterator[Row]:
    """One friction for all directions: scikit-image and scipy, each with its build."""
    _, friction = terrain(size)
    network = isotropic(friction)
    starts = np.sort(np.random.default_rng(1).choice(np.flatnonzero(np.isfinite(network.pace.ravel())), STARTS, replace=False))
    ours = ours_on(network, lambda b: board.nearest(b, Anchors.at(starts)))
    scipy = Contestant(lambda: explicit(network), lambda g: dijkstra(g, indices=starts, min_only=True))
    peers = {"scipy, with build": scipy}
    if find_spec("skimage"):
        from skimage.graph import MCP_Geometric

        at = [divmod(int(cell), size) for cell in starts]
        peers["scikit-image, with build"] = Contestant(lambda: MCP_Geometric(network.pace * CELL_M), lambda m: m.find_costs(at)[0].copy())
    race([ours, *peers.values()], rounds)
    for name, peer in peers.items():
        yield beside(f"{size:,}^2 cells, one friction, with build", name, ours, peer, same(ours.answer.minutes, peer.answer.ravel(), 1e-9),
                     built=True)
    if not find_spec("skimage"):
        yield Row(f"{size:,}^2 cells", "scikit-image: not installed", equal="pip install scikit-image")


def hidalgo(asked: argparse.Namespace) -> Iterator[Row]:
    """Localities x 1,000 sites within 90 minutes; and what a second thread brings, beside what it brings a loop without memory."""
    if not asked.data:
        yield Row("localities x 1,000 sites", "", equal="--data FOLDER of Hidalgo")
        return
    region = prepare_region(HERE.parent / "regions" / "hidalgo.toml", asked.data)
    for mode in ("vehiculo", "a_pie"):
        ground = ground_of(region, Scenario(), mode)
        people = Anchors.at(ground.set(region.localities).cells)
        cells = ground.set(region.units).cells
        sites = np.sort(np.random.default_rng(1).choice(np.flatnonzero(cells >= 0), SITES, replace=False))
        some = sites[:: 20 if asked.quick else 5]
        ours = ours_on(ground.weighed.network, partial(_pairs, cells=cells[some], people=people, threads=1))
        scipy = Contestant(partial(explicit, ground.weighed.network), partial(_scipy_pairs, cells=cells[some], people=people))
        race([ours, scipy], asked.rounds)
        equal = same(ours.answer[2], scipy.answer[2]) if len(ours.answer[2]) == len(scipy.answer[2]) else "NO: other pairs"
        if not all(np.array_equal(a, b) for a, b in zip(ours.answer[:2], scipy.answer[:2], strict=True)):
            equal = "NO: other pairs"
        yield beside(f"Hidalgo 4,690 x {len(some):,} of 1,000, {mode}", "scipy with limit", ours, scipy, equal, 4)
        yield from threads(ground.weighed.network, cells[sites], people, mode, asked.rounds)


def _pairs(laid: board.Board, *, cells: np.ndarray, people: Anchors, threads: int) -> tuple[np.ndarray, ...]:
    return board.reach(laid, Anchors.at(cells), people, bound_min=CUTOFF_MIN, threads=threads)


def _scipy_pairs(graph: object, *, cells: np.ndarray, people: Anchors, lot: int = 20) -> tuple[np.ndarray, ...]:
    """Pairs within the cutoff, a few sources at once so that memory stays small; sorted by target, then source."""
    found = []
    for first in range(0, len(cells), lot):
        minutes = dijkstra(graph, indices=cells[first : first + lot], limit=CUTOFF_MIN)[:, people.node]
        source, target = np.nonzero(minutes <= CUTOFF_MIN)
        found.append((people.place[target], source + first, minutes[source, target]))
    target, source, minutes = (np.concatenate(parts) for parts in zip(*found, strict=True))
    order = np.lexsort((source, target))
    return target[order], source[order], minutes[order]


def threads(network: Network, cells: np.ndarray, people: Anchors, mode: str, rounds: int) -> Iterator[Row]:
    one, two = (ours_on(network, partial(_pairs, cells=cells, people=people, threads=n)) for n in (1, 2))
    spin_one, spin_two = (Contestant(lambda: None, partial(_spin, threads=n)) for n in (1, 2))
    race([one, two, spin_one, spin_two], rounds, time.perf_counter)
    ratio, free = gain(two, one), gain(spin_two, spin_one)
    yield Row(f"  all 1,000, two threads, {mode}", "one thread", two.built_s, two.typical_s, one.built_s, one.typical_s, ratio, ">=1.5",
              ratio >= 1.5 if free >= 1.8 else None, two.peak_mb, one.peak_mb,
              ("to the bit" if all(np.array_equal(a, b) for a, b in zip(one.answer, two.answer, strict=True)) else "NO")
              + f"; a spin loop gains {free:.2f}" + ("" if free >= 1.8 else ": no second core was free"))


def _spin(_: None, *, threads: int, work: int = 200) -> None:
    """The same number of hashes shared among threads: what a second core is worth now."""
    block = bytes(1 << 20)
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda n: [hashlib.sha256(block).digest() for _ in range(n)], [work // threads] * threads))


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


def compilation(asked: argparse.Namespace) -> Iterator[Row]:  # noqa: ARG001
    """What the first call on a machine takes, and the first of a later process."""
    with tempfile.TemporaryDirectory() as cache:
        env = os.environ | {"NUMBA_CACHE_DIR": cache}
        cold, warm = (float(subprocess.run([sys.executable, __file__, "--warm"], env=env, check=True, capture_output=True).stdout)
                      for _ in range(2))
    yield Row("first call on this machine, kept on disk", "first call of a process", ours_s=cold, peer_s=warm)


def _warm() -> float:
    """Compile, or read compiled from disk, all that a search calls; seconds."""
    network = Network(np.ones((3, 3)), 1.0, nodes=1, tail=np.zeros(1, np.int32), head=np.full(1, 9, np.int32), minutes=np.ones(1))
    began = time.perf_counter()
    laid, at = board.lay_out(network), Anchors.at(np.array([0]))
    board.nearest(laid, at)
    board.nearest_k(laid, at, 2)
    board.reach(laid, at, at, bound_min=1.0, threads=1)
    return time.perf_counter() - began


def environment() -> str:
    """Processor, cores and versions."""
    cpu = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").exists():
        cpu = next((line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line), cpu)
    names = []
    for package in ("numpy", "numba", "scipy", "networkx", "scikit-image"):
        try:
            names.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            names.append(f"{package}: not installed")
    return f"{cpu}, {os.cpu_count()} cores; Python {platform.python_version()}, {', '.join(names)}, GRASS {Grass.version() or 'not installed'}"


ROWS = {"compilation": compilation, "graphs": graphs, "grids": grids, "hidalgo": hidalgo, "union": union}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder of Hidalgo's files")
    parser.add_argument("--pandana", help="a Python that has pandana")
    parser.add_argument("--only", choices=ROWS, action="append")
    parser.add_argument("--quick", action="store_true", help="small sizes: to see the table, not its figures")
    parser.add_argument("--rounds", type=int, default=5)
    for hidden in ("--grid", "--size", "--folder"):
        parser.add_argument(hidden, help=argparse.SUPPRESS, type={"--size": int, "--folder": Path}.get(hidden, str))
    parser.add_argument("--warm", help=argparse.SUPPRESS, action="store_true")
    asked = parser.parse_args()
    if asked.warm:
        print(_warm())
    elif asked.grid:
        our_grid(asked)
    else:
        print(environment(), HEAD, sep="\n")
        _warm()
        for name in asked.only or ROWS:
            for row in ROWS[name](asked):
                print(row, flush=True)


if __name__ == "__main__":
    main()
