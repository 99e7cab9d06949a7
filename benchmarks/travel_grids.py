"""Rows of benchmarks/travel.py on grids: made-up terrain, and all pairs of Hidalgo's localities and sites within a bound."""

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from scipy.sparse.csgraph import dijkstra
from travel_grid import sources
from travel_measure import Contestant, Row, beside, gain, ours_on, race, same
from travel_peers import Grass
from travel_worlds import CELL_M, explicit, isotropic, terrain

from planner.region import prepare_region
from planner.settings import Scenario
from planner.travel import board
from planner.travel.ground import ground_of
from planner.travel.network import Anchors, Network

SITES, CUTOFF_MIN = 1_000, 90.0


def grids(asked: argparse.Namespace) -> Iterator[Row]:
    """Terrain: r.walk under its own formula, r.cost, scikit-image, and scipy where its arcs fit in memory."""
    for size, large, least in ((200, False, 6), (400, True, 3)) if asked.quick else ((1000, False, 6), (4000, True, 3)):
        rounds = min(asked.rounds, 3) if large else asked.rounds  # minutes each
        if Grass.version():
            yield from against_grass("r.walk", size, rounds, least)
            yield from against_grass("r.cost", size, rounds, 0)
        else:
            yield Row(f"{size}^2 cells", "GRASS: not installed", equal="apt-get install grass-core")
        yield from against_python(size, rounds, with_scipy=not large)


def against_grass(module: str, size: int, rounds: int, least: float) -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        command = [sys.executable, Path(__file__).with_name("travel_grid.py"), module, str(size), str(rounds), name]
        told = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        grass = Grass(folder, size, CELL_M)
        for raster, null in (("elevation", -9999), ("friction", -1), ("start", 0)):
            grass.put(raster, np.nan_to_num(np.load(folder / f"{raster}.npy"), nan=null), null)
        options = {"elevation": "elevation", "friction": "friction"} if module == "r.walk" else {"input": "friction"}
        runs = [grass.run(module, "--overwrite", **options, start_raster="start", output="out", memory=4000) for _ in range(rounds)]
        theirs, ours = grass.get("out") / 60 * (1 if module == "r.walk" else CELL_M), np.load(folder / "minutes.npy").reshape(size, size)
    peer_s, ours_s = np.median([s for s, _ in runs]), float(np.median(told["seconds"]))
    ratio = peer_s / ours_s
    yield Row(f"{size:,}^2 cells", f"GRASS {module}", told["build"], ours_s, np.nan, peer_s, ratio,
              f">={least}" if least else "", ratio >= least if least else None, told["peak_mb"], runs[0][1], same(ours, theirs, 1e-5, 0.99))
    yield Row("  our lay-out counted", f"GRASS {module}", ratio=peer_s / (told["build"] + ours_s))
    yield Row("  memory of our whole process, GB", "", ratio=told["peak_mb"] / 1024, bar="<=1.2", met=told["peak_mb"] <= 1.2 * 1024)


def against_python(size: int, rounds: int, *, with_scipy: bool) -> Iterator[Row]:
    """One friction for all directions: scikit-image and scipy, each with its build."""
    _, friction = terrain(size)
    network = isotropic(friction)
    starts = sources(friction)
    ours = ours_on(network, lambda b: board.nearest(b, Anchors.at(starts)))
    peers = {}
    if with_scipy:
        peers["scipy, with build"] = Contestant(lambda: explicit(network), lambda g: dijkstra(g, indices=starts, min_only=True))
    if find_spec("skimage"):
        from skimage.graph import MCP_Geometric

        at = [divmod(int(cell), size) for cell in starts]
        peers["scikit-image, with build"] = Contestant(lambda: MCP_Geometric(network.pace * CELL_M), lambda m: m.find_costs(at)[0].copy())
    race([ours, *peers.values()], rounds)
    question = f"{size:,}^2 cells, one friction, with build"
    for name, peer in peers.items():
        yield beside(question, name, ours, peer, same(ours.answer.minutes, peer.answer.ravel(), 1e-9), built=True)
    if not with_scipy:
        yield Row(question, "scipy: not run", equal=f"its {8 * size**2 / 1e6:.0f} M arcs take {8 * size**2 * 28 / 2**30:.1f} GB to build")
    if not find_spec("skimage"):
        yield Row(question, "scikit-image: not installed", equal="pip install scikit-image")


def hidalgo(asked: argparse.Namespace) -> Iterator[Row]:
    """Localities x 1,000 sites within 90 minutes; and what a second thread brings, beside what it brings a loop without memory."""
    if not asked.data:
        yield Row("localities x 1,000 sites", "", equal="--data FOLDER of Hidalgo")
        return
    region = prepare_region(Path(__file__).parents[1] / "regions" / "hidalgo.toml", asked.data)
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


