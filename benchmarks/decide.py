"""The decision beside its peers, in one table: `python benchmarks/decide.py`.

Both sides are given the same instance, whose seed and sizes are printed, and both answers are printed. Each is asked in turn
within one process, one thread each, and times are medians of the rounds; seconds of the clock, since a solver of spopt's runs in
a process of its own; memory is the peak above what stood before. `ours` is everything from people and sparse covers to the plan
and its bound; spopt's is the building of its model from a dense matrix and the solving of it.

spopt: `pip install spopt`. abw-maxcover is not on the package index and is not run.
"""

import argparse
import os
import platform
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import Any

import numpy as np
from decide_peers import Question, highs, question, spopt
from threadpoolctl import threadpool_limits
from travel_measure import Contestant, race

from planner.decide.covering import Covering, covering_curve, maximal_covering

HEAD = f"{'question':72}{'peer':16}{'ours s':>9}{'peer s':>9}{'ratio':>9}{'bar':>10}  {'met':5}{'ours MB':>8}  answers"


@dataclass
class Row:
    """One line of the table; NaN and empty where there is nothing to tell."""

    question: str
    peer: str = ""
    ours_s: float = np.nan
    peer_s: float = np.nan
    bar: str = ""
    met: bool | None = None
    ours_mb: float = np.nan  # peak above what stood before
    answers: str = ""

    def __str__(self) -> str:
        def told(value: float, digits: int) -> str:
            return f"{'' if np.isnan(value) else f'{value:,.{digits}f}':>9}"

        met = "" if self.met is None else "yes" if self.met else "NO"
        return (f"{self.question:72}{self.peer:16}{told(self.ours_s, 3)}{told(self.peer_s, 2)}{told(self.peer_s / self.ours_s, 1)}"
                f"{self.bar:>10}  {met:5}{'' if np.isnan(self.ours_mb) else f'{self.ours_mb:,.0f}':>8}  {self.answers}")


def timed(rounds: int, *asked: Callable[[], Any]) -> list[tuple[float, Any]]:
    """Median seconds and the answer of each, asked in turn `rounds` times."""
    seconds: list[list[float]] = [[] for _ in asked]
    answers: list[Any] = [None for _ in asked]
    for _ in range(rounds):
        for k, ask in enumerate(asked):
            began = time.perf_counter()
            answers[k] = ask()
            seconds[k].append(time.perf_counter() - began)
    return [(statistics.median(s), a) for s, a in zip(seconds, answers, strict=True)]


def memory(ask: Callable[[], Any]) -> float:
    """Most MB that it holds above what stood before; asked first, it also warms what is warmed once."""
    (who,) = race([Contestant(lambda: None, lambda _: ask())], 0)
    return who.peak_mb


def named(asked: Question, seed: int) -> str:
    places, sites = asked.covers.shape
    return f"{places:,} x {sites:,}, p {asked.p}, {asked.covers.nnz:,} pairs, seed {seed}"


def ours(asked: Question) -> Covering:
    return maximal_covering(asked.people, asked.covers, asked.p)


def told(found: Covering, asked: Question) -> str:
    share = found.covered / asked.people.sum()
    return f"ours {found.covered:,.0f} ({share:.1%}) of at most {found.bound:,.0f}, gap {100 * found.gap:.3f} %"


def peers(asked: argparse.Namespace) -> Iterator[Row]:
    """Sparse cases to proven optimum, beside spopt; the larger one, minutes long, at most three times."""
    sizes = [(2_000, 400, 6_000, 40, 40, asked.rounds), (10_000, 2_000, 40_000, 100, 100, min(asked.rounds, 3))]
    for places, sites, nonzeros, p, least, rounds in sizes[:1] if asked.quick else sizes:
        for seed in (1, 2):
            case = question(seed, places, sites, nonzeros, p)
            if find_spec("spopt") is None:
                yield Row(named(case, seed), "spopt", answers="spopt is not installed")
                continue
            held = memory(lambda c=case: ours(c))
            for solver in ("CBC", "HiGHS") if seed == 1 and places < 10_000 else ("CBC",):
                (mine, found), (theirs, (covered, status)) = timed(rounds, lambda c=case: ours(c), lambda c=case, s=solver: spopt(c, s))
                same = found.proved and abs(found.covered - covered) < 1e-6
                yield Row(named(case, seed), f"spopt, {solver}", mine, theirs, f">={least}x", same and theirs / mine >= least, held,
                          f"{told(found, case)}; peer {covered:,.0f} ({status}){'' if same else ': NOT THE SAME'}")


def dense(asked: argparse.Namespace) -> Iterator[Row]:
    """Overlapping cases where p sites do not cover all: the certified gap, beside HiGHS alone on the first."""
    sizes = (2_000, 400, 52_000, 40) if asked.quick else (20_000, 2_000, 520_000, 200)
    for seed, clustered in ((1, 0.8), (2, 0.8), (1, 0.9), (1, 0.5)):
        case = question(seed, *sizes, clustered)
        held = memory(lambda c=case: ours(c))
        ((mine, found),) = timed(asked.rounds, lambda c=case: ours(c))
        met = found.gap <= 0.01 and mine <= 30
        row = Row(f"{named(case, seed)}, {clustered:.0%} in towns", "", mine, np.nan, "1%, 30 s", met, held, told(found, case))
        if (seed, clustered) == (1, 0.8):
            ((theirs, (covered, bound)),) = timed(1, lambda c=case: highs(c, 5.0 if asked.quick else 120.0))
            row.peer, row.peer_s = "HiGHS alone", theirs
            gap = f"{100 * (bound / covered - 1):.2f} %" if covered else "none"
            row.answers += f"; peer {covered:,.0f} of at most {bound:,.0f}, gap {gap}"
        yield row


def curve(asked: argparse.Namespace) -> Iterator[Row]:
    """The greedy curve, with a bound at every point."""
    case = question(1, *((2_000, 2_000, 20_000, 100) if asked.quick else (20_000, 20_000, 400_000, 400)))
    held = memory(lambda: covering_curve(case.people, case.covers, case.p))
    ((mine, found),) = timed(asked.rounds, lambda: covering_curve(case.people, case.covers, case.p))
    more = found.bound / found.covered - 1
    points = ", ".join(f"{k}: {found.covered[k - 1]:,.0f} (at most {more[k - 1]:.1%} more)" for k in (10, 50, 100, 400) if k <= len(more))
    peer = "peer not run: it is not on the package index"
    yield Row(f"greedy curve, {named(case, 1)}", "abw-maxcover", mine, ours_mb=held, answers=f"{points}; {peer}")


def growth(asked: argparse.Namespace) -> Iterator[Row]:
    """Seconds and gap as places, sites, pairs and p double together."""
    for k in range(3 if asked.quick else 6):
        case = question(1, 1_250 * 2**k, 125 * 2**k, 12 * 1_250 * 2**k, 12 * 2**k)
        held = memory(lambda c=case: ours(c))
        ((mine, found),) = timed(min(asked.rounds, 3), lambda c=case: ours(c))
        yield Row(f"growth: {named(case, 1)}", "", mine, ours_mb=held, answers=f"{told(found, case)}; {found.method}")


def environment() -> str:
    """Processor, cores, versions."""
    names = []
    for package in ("numpy", "scipy", "highspy", "spopt", "pulp"):
        try:
            names.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            names.append(f"{package}: not installed")
    return f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores; Python {platform.python_version()}, {', '.join(names)}"


ROWS = {"peers": peers, "dense": dense, "curve": curve, "growth": growth}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=ROWS, action="append")
    parser.add_argument("--quick", action="store_true", help="small sizes: to see the table, not its figures")
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    print(environment(), HEAD, sep="\n")
    with threadpool_limits(1):
        for name in asked.only or ROWS:
            for row in ROWS[name](asked):
                print(replace(row, met=None) if asked.quick else row, flush=True)


if __name__ == "__main__":
    main()
