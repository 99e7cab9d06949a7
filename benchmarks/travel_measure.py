"""How benchmarks/travel.py measures: contestants asked in turn, this process's memory, and one line of its table."""

from __future__ import annotations

import contextlib
import ctypes
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from planner.travel import board
from planner.travel.network import Anchors, Network

HEAD = (f"{'question':44}{'peer':24}{'build':>8}{'ours s':>9}{'build':>8}{'peer s':>9}{'ratio':>8}{'bar':>7}  {'met':5}"
        f"{'ours MB':>9}{'peer MB':>9}  equal")
MB = 1024  # kB


@dataclass
class Contestant:
    """Someone who builds once and is then asked; `ask` takes what `build` gave."""

    build: Callable[[], Any]
    ask: Callable[[Any], Any]
    built_s: float = 0.0
    seconds: list[float] = field(default_factory=list)
    peak_mb: float = float("nan")  # above what stood before, of building and asking
    answer: Any = None

    @property
    def typical_s(self) -> float:
        return statistics.median(self.seconds)


def race(contestants: list[Contestant], rounds: int, clock: Callable[[], float] = time.process_time) -> list[Contestant]:
    """All build and are asked once apart (caches warm, memory watched), then each in turn, `rounds` times."""
    built = []
    for who in contestants:
        before = reset_peak()
        started = clock()
        built.append(who.build())
        who.built_s = clock() - started
        who.answer = who.ask(built[-1])
        who.peak_mb = peak_mb() - before
    for _ in range(rounds):
        for who, what in zip(contestants, built, strict=True):
            started = clock()
            who.ask(what)
            who.seconds.append(clock() - started)
    return contestants


def gain(ours: Contestant, peer: Contestant, *, built: bool = False) -> float:
    """How many times our time the peer took, round by round, the median; with what both built where asked."""
    more = (peer.built_s, ours.built_s) if built else (0.0, 0.0)
    return statistics.median((p + more[0]) / (o + more[1]) for o, p in zip(ours.seconds, peer.seconds, strict=True))


def reset_peak() -> float:
    """Forget the most memory that this process has held; what it holds now, MB."""
    with contextlib.suppress(OSError, AttributeError, TypeError):  # Linux alone
        ctypes.CDLL(None).malloc_trim(0)
        Path("/proc/self/clear_refs").write_text("5")
    return peak_mb()


def peak_mb(process: int | str = "self") -> float:
    """Most memory a process has held since its start or since the peak was reset; 0 where the system does not tell."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{process}/status").read_text().splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1]) / MB
    return 0.0


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

        met = "" if self.met is None else "yes" if self.met else "NO"
        return (f"{self.question:44}{self.peer:24}{told(self.built_s, 8, 2)}{told(self.ours_s, 9, 4)}{told(self.peer_built_s, 8, 2)}"
                f"{told(self.peer_s, 9, 3)}{told(self.ratio, 8, 1)}{self.bar:>7}  {met:5}"
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
    ours, theirs = ours[np.isfinite(ours)], theirs[np.isfinite(ours)]
    error = np.quantile(np.abs(ours - theirs) / np.maximum(theirs, 1.0), share)
    return f"{'' if error <= tolerance else 'NO: '}{'p99 ' if share < 1 else ''}{error:.0e}"


def ours_on(network: Network, ask: Callable[[board.Board], object]) -> Contestant:
    """Our side: lay the network out, then ask."""
    return Contestant(lambda: board.lay_out(network), ask)


def warm() -> float:
    """Compile, or read compiled from disk, all that a search calls; seconds."""
    network = Network(np.ones((3, 3)), 1.0, nodes=1, tail=np.zeros(1, np.int32), head=np.full(1, 9, np.int32), minutes=np.ones(1))
    began = time.perf_counter()
    laid, at = board.lay_out(network), Anchors.at(np.array([0]))
    board.nearest(laid, at)
    board.nearest_k(laid, at, 2)
    board.reach(laid, at, at, bound_min=1.0, threads=1)
    return time.perf_counter() - began
