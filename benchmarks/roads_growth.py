"""The search on roads alone as a country's graph grows: `python benchmarks/roads_growth.py [--sizes 700000 7000000]`.

A seeded road graph (travel_worlds.road_graph: jittered crossings every 600 m, a quarter of the links gone, one in twenty one-way, five
speeds) with 20,000 units and 190,000 localities at 7 M nodes, scaled down in proportion, so that density stays and ten times the
country should cost ten times as much. They stand on nodes of the graph. Measured are planner.travel.board.lay_out, nearest (read
with ground.best), nearest_k and reach, towards the units: the lowest functions that take arcs without terrain, since Ground asks for
a grid. `reach` works in as many threads as there are cores. Each question of each size has a process of its own; its peaks are of
laying out (graph, board and what sorting takes) and of asking (graph, board, search and answer), interpreter included. Seconds are
told of the clock and of the processor, as the machine may be shared; what is repeated is told by its median. Compilation happens on a
graph of ten nodes before the clock starts.

Beside them scipy's Dijkstra on the smallest size: the nearest from all units at once; the matrix from a sample of units, its seconds
scaled up to all; the five nearest are only checked, from a sample of localities, since scipy has no such question. Answers are compared.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse.csgraph import dijkstra
from travel_measure import peak_mb, reset_peak, same, warm
from travel_worlds import explicit, road_graph

from planner.travel import board
from planner.travel.ground import best
from planner.travel.network import Anchors, Network

NODES, UNITS, LOCALITIES = 7_000_000, 20_000, 190_000
NEAR, LIMIT_MIN = 5, 60.0
SAMPLE, BATCH = 200, 20  # sources asked of scipy one by one, and at once
ROUNDS = {"nearest": 5, "five nearest": 3, "matrix": 1}
GIB = 1024.0
HEAD = (f"{'':14}{'board s':>9}{'GiB board':>11}{'s':>10}{'cpu s':>10}{'GiB':>8}{'answers':>15}{'none':>9}{'compile s':>11}")
Answer = tuple[np.ndarray, ...]


def make(folder: Path, nodes: int) -> None:
    """Write a graph of about so many nodes and its units and localities (nodes, sorted)."""
    network, _, _ = road_graph(nodes)
    rng = np.random.default_rng(1)
    units, localities = (np.sort(rng.choice(network.nodes, round(count * nodes / NODES), replace=False)) for count in (UNITS, LOCALITIES))
    np.savez(folder / "world.npz", nodes=network.nodes, tail=network.tail, head=network.head, minutes=network.minutes, units=units,
             localities=localities)


def load(folder: Path) -> tuple[Network, np.ndarray, np.ndarray]:
    """The network in the travellers' sense, units and localities."""
    world = np.load(folder / "world.npz")
    network = Network(np.empty((0, 0)), 1.0, nodes=int(world["nodes"]), tail=world["tail"], head=world["head"], minutes=world["minutes"])
    return network, world["units"], world["localities"]


def nearest(laid: board.Board, units: np.ndarray, localities: np.ndarray) -> Answer:
    """Minutes of each locality to its nearest unit, inf where there is none."""
    at, minutes = best(board.nearest(laid, Anchors.at(units)), Anchors.at(localities))
    assert len(at.place) == len(localities)
    return (minutes,)


def five_nearest(laid: board.Board, units: np.ndarray, localities: np.ndarray) -> Answer:
    """Minutes (localities, 5) and positions of the nearest units."""
    minutes, source = board.nearest_k(laid, Anchors.at(units), NEAR)
    return minutes[localities], source[localities]


def matrix(laid: board.Board, units: np.ndarray, localities: np.ndarray) -> Answer:
    """Every pair within the limit: locality, unit, minutes."""
    return board.reach(laid, Anchors.at(units), Anchors.at(localities), bound_min=LIMIT_MIN)


QUESTIONS: dict[str, Callable[[board.Board, np.ndarray, np.ndarray], Answer]] = {
    "nearest": nearest, "five nearest": five_nearest, "matrix": matrix}


def ask(question: str, folder: Path) -> dict[str, Any]:
    """Our seconds and peak of one question; its answer is left in the folder."""
    compiled = warm()
    network, units, localities = load(folder)
    began = time.perf_counter()
    laid = board.lay_out(network.reversed())
    built, built_mb, seconds = time.perf_counter() - began, peak_mb(), []
    reset_peak()
    for _ in range(ROUNDS[question]):
        began, worked = time.perf_counter(), time.process_time()
        answer = QUESTIONS[question](laid, units, localities)
        seconds.append((time.perf_counter() - began, time.process_time() - worked))
    peak = peak_mb()
    np.savez(folder / f"{question}.npz", *answer)
    found = answer[-1] if question == "matrix" else answer[0]
    return {"nodes": network.nodes, "arcs": len(network.tail), "units": len(units), "localities": len(localities), "compiled_s": compiled,
            "built_s": built, **dict(zip(("s", "cpu_s"), np.median(seconds, axis=0).tolist(), strict=True)),
            "built_gib": built_mb / GIB, "gib": peak / GIB, "answers": int(np.isfinite(found).sum()), "without": int(np.isinf(found).sum())}


def ask_scipy(question: str, folder: Path) -> dict[str, Any]:
    """scipy's seconds and peak of the same question, and whether its answer is ours."""
    network, units, localities = load(folder)
    ours = list(np.load(folder / f"{question}.npz").values())
    began = time.perf_counter()
    graph = explicit(network if question == "five nearest" else network.reversed())
    built = time.perf_counter() - began
    seconds, share, equal = {"nearest": _all_at_once, "five nearest": _from_localities, "matrix": _from_units}[question](
        graph, units, localities, ours)
    return {"built_s": built, "s": seconds, "share": share, "gib": peak_mb() / GIB, "equal": equal}


def _all_at_once(graph: Any, units: np.ndarray, localities: np.ndarray, ours: list[np.ndarray]) -> tuple[float, float, str]:
    began = time.perf_counter()
    minutes = dijkstra(graph, indices=units, min_only=True)[localities]
    return time.perf_counter() - began, 1.0, same(ours[0], minutes)


def _from_localities(graph: Any, units: np.ndarray, localities: np.ndarray, ours: list[np.ndarray]) -> tuple[float, float, str]:
    some = _sample(localities)
    seconds, rows = _searched(graph, localities[some], units, np.inf)
    return seconds, len(some) / len(localities), same(ours[0][some], np.sort(rows, axis=1)[:, :NEAR])


def _from_units(graph: Any, units: np.ndarray, localities: np.ndarray, ours: list[np.ndarray]) -> tuple[float, float, str]:
    some = _sample(units)
    seconds, rows = _searched(graph, units[some], localities, LIMIT_MIN)
    target, source, minutes = ours
    row = np.full(len(units), -1)
    row[some] = np.arange(len(some))
    kept, told = row[source] >= 0, np.full(rows.shape, np.inf)
    told[row[source[kept]], target[kept]] = minutes[kept]
    return seconds, len(some) / len(units), same(told, rows)


def _sample(places: np.ndarray) -> np.ndarray:
    return np.sort(np.random.default_rng(2).choice(len(places), min(SAMPLE, len(places)), replace=False))


def _searched(graph: Any, sources: np.ndarray, targets: np.ndarray, limit: float) -> tuple[float, np.ndarray]:
    """Seconds and minutes (sources, targets) of one search a source, some at once, since scipy labels every node of each."""
    began = time.perf_counter()
    rows = [dijkstra(graph, indices=sources[i : i + BATCH], limit=limit)[:, targets] for i in range(0, len(sources), BATCH)]
    return time.perf_counter() - began, np.concatenate(rows)


def run(task: str, question: str, folder: Path, nodes: int) -> dict[str, Any]:
    """What a fresh process answers."""
    asked = [sys.executable, __file__, "--task", task, "--question", question, "--folder", str(folder), "--sizes", str(nodes)]
    told: dict[str, Any] = json.loads(subprocess.run(asked, check=True, stdout=subprocess.PIPE, text=True).stdout)
    return told


def task_of(asked: argparse.Namespace) -> dict[str, Any]:
    """What this process was started for."""
    began = time.perf_counter()
    if asked.task == "make":
        make(asked.folder, asked.sizes[0])
        return {"s": time.perf_counter() - began, "gib": peak_mb() / GIB}
    return (ask if asked.task == "ask" else ask_scipy)(asked.question, asked.folder)


def tell(question: str, ours: dict[str, Any], peer: dict[str, Any] | None) -> None:
    """Print one question of one size, and scipy's side of it."""
    print(f"{question:14}{ours['built_s']:9.2f}{ours['built_gib']:11.2f}{ours['s']:10.3f}{ours['cpu_s']:10.3f}{ours['gib']:8.2f}{ours['answers']:15,}"
          f"{ours['without']:9,}{ours['compiled_s']:11.2f}", flush=True)
    if peer:
        ratio = f"{peer['s'] / peer['share'] / ours['s']:,.1f} times ours" if question != "five nearest" else "no race"
        print(f"{'  scipy':14}{peer['built_s']:9.2f}{'':11}{peer['s']:10.3f}{'':10}{peer['gib']:8.2f}   {peer['share']:.2%} of the "
              f"searches, {ratio}; equal: {peer['equal']}", flush=True)


def measure(folder: Path, nodes: int, *, beside: bool) -> dict[str, dict[str, Any]]:
    """Every question of one size, printed, with scipy's side of it where asked."""
    made, found = run("make", "", folder, nodes), {}
    for question in QUESTIONS:
        ours = found[question] = run("ask", question, folder, nodes)
        if len(found) == 1:
            print(f"\n{ours['nodes']:,} nodes, {ours['arcs']:,} arcs, {ours['units']:,} units, {ours['localities']:,} localities "
                  f"(made in {made['s']:.1f} s, {made['gib']:.2f} GiB)\n{HEAD}")
        tell(question, ours, run("scipy", question, folder, nodes) if beside else None)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[700_000, NODES], help="nodes of the graphs, smallest first")
    for hidden in ("--task", "--question", "--folder"):
        parser.add_argument(hidden, help=argparse.SUPPRESS, type=Path if hidden == "--folder" else str)
    asked = parser.parse_args()
    if asked.task:
        print(json.dumps(task_of(asked)))
        return
    found = []
    for nodes in asked.sizes:
        with tempfile.TemporaryDirectory() as folder:
            found.append(measure(Path(folder), nodes, beside=nodes == asked.sizes[0]))
    first, last = found[0], found[-1]
    print(f"\ngrowth, {last['nearest']['nodes'] / first['nearest']['nodes']:.1f} times the nodes")
    for question in QUESTIONS:
        grown = {words: last[question][key] / first[question][key] for words, key in (
            ("board", "built_s"), ("GiB board", "built_gib"), ("seconds", "s"), ("cpu", "cpu_s"), ("GiB", "gib"), ("answers", "answers"))}
        print(f"{question:14}{', '.join(f'{words} x {factor:.1f}' for words, factor in grown.items())}")


if __name__ == "__main__":
    main()
