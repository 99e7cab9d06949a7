"""Exact least-cost search over a grid of eight neighbours: Dijkstra with a ring of buckets, compiled.

An edge costs the mean pace of its two cells times its length (one side or one diagonal). Edges are rounded to
2**-36 minutes, so that sums below 2**17 minutes (three months) are exact in float64: ties are true ties, and the
way there costs to the bit what the way back costs. Eight directions lengthen straight lines by up to 8 %.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np

QUANTUM = 2.0**-36
DIRECTIONS = ((-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1))


def nearest_source(pace: np.ndarray, cell_m: float, sources: np.ndarray, *, bound_min: float = np.inf) -> tuple[np.ndarray, np.ndarray]:
    """Minutes from every cell to its nearest source and that source's position in `sources` (ties: the first).

    `pace` is minutes per metre (height, width), inf = impassable; `sources` are flat cells, -1 = nowhere. Beyond
    `bound_min` and where nobody gets, minutes are inf and the position -1. A source on an impassable cell is
    nearest to that cell alone.
    """
    board = _board(pace, cell_m, bound_min)
    board.spread(sources, bound_min)
    return board.unpadded(board.minutes), board.unpadded(board.source)


def reach(
    pace: np.ndarray, cell_m: float, sources: np.ndarray, targets: np.ndarray, *, bound_min: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Every pair of target and source no farther apart than `bound_min`: target, source, minutes.

    Positions in `targets` and `sources` (flat cells, -1 = nowhere), sorted by target, then source.
    """
    board = _board(pace, cell_m, bound_min)
    on_grid = np.flatnonzero(targets >= 0)
    cells = board.padded_cells(targets[on_grid])
    hits: list[np.ndarray] = []
    times: list[np.ndarray] = []
    for k in range(len(sources)):
        reached = board.spread(sources[k : k + 1], bound_min)
        minutes = board.minutes[cells]
        inside = np.flatnonzero(minutes <= bound_min)
        hits.append(on_grid[inside])
        times.append(minutes[inside])
        board.minutes[reached] = np.inf
        board.source[reached] = -1
    source = np.repeat(np.arange(len(sources)), [len(h) for h in hits])
    target = np.concatenate([*hits, np.empty(0, np.int64)])
    order = np.argsort(target, kind="stable")
    return target[order], source[order].astype(np.int32), np.concatenate([*times, np.empty(0)])[order]


@dataclass(frozen=True, eq=False)
class _Board:
    """Work arrays of one search: cells in one row-major line, framed by impassable cells."""

    shape: tuple[int, int]
    pace: np.ndarray
    steps: np.ndarray  # from a cell to its eight neighbours
    scale: np.ndarray  # sum of two paces -> quanta, by neighbour
    buckets_per_min: float
    minutes: np.ndarray
    source: np.ndarray
    ring: np.ndarray  # first cell of each bucket
    after: np.ndarray  # neighbours in the bucket's list
    before: np.ndarray
    touched: np.ndarray

    def padded_cells(self, cells: np.ndarray) -> np.ndarray:
        row, col = np.divmod(cells, self.shape[1])
        return np.asarray((row + 1) * (self.shape[1] + 2) + col + 1, np.int64)

    def unpadded(self, values: np.ndarray) -> np.ndarray:
        height, width = self.shape
        return values.reshape(height + 2, width + 2)[1:-1, 1:-1].copy()

    def spread(self, sources: np.ndarray, bound_min: float) -> np.ndarray:
        """Label all cells within the bound; returns the cells labelled."""
        labels = np.flatnonzero(sources >= 0).astype(np.int32)
        count = _spread(
            self.pace, self.steps, self.scale, self.buckets_per_min, float(bound_min), self.padded_cells(sources[labels]), labels,
            self.minutes, self.source, self.ring, self.after, self.before, self.touched,
        )  # fmt: skip
        return self.touched[:count]


def _board(pace: np.ndarray, cell_m: float, bound_min: float) -> _Board:
    height, width = pace.shape
    framed = np.full((height + 2, width + 2), np.inf)
    framed[1:-1, 1:-1] = pace
    size = framed.size
    steps = np.array([row * (width + 2) + col for row, col in DIRECTIONS])
    length_m = cell_m * np.array([np.hypot(row, col) for row, col in DIRECTIONS])
    passable = pace[np.isfinite(pace)]
    cheapest, dearest = (passable.min() * cell_m, passable.max() * length_m.max()) if passable.size else (1.0, 1.0)
    # A bucket no wider than the cheapest edge makes every label in it final; a power of two divides without error.
    buckets_per_min = 2.0 ** np.ceil(-np.log2(max(cheapest - QUANTUM, QUANTUM)))
    span = max(0.0, min(dearest, bound_min)) * buckets_per_min
    return _Board(
        (height, width), framed.ravel(), steps, length_m / 2 / QUANTUM, float(buckets_per_min),
        np.full(size, np.inf), np.full(size, -1, np.int32), np.full(1 << int(np.ceil(np.log2(span + 3))), -1, np.int32),
        np.empty(size, np.int32), np.empty(size, np.int32), np.empty(size, np.int32),
    )  # fmt: skip


def _compiled(kernel: Callable[..., Any]) -> Any:
    """The kernel compiled by numba, kept on disk where some folder can be written."""
    try:
        return numba.njit(cache=True)(kernel)
    except RuntimeError:  # numba found nowhere to keep it
        return numba.njit(kernel)


@_compiled
def _link(cell, slot, ring, after, before):  # type: ignore[no-untyped-def]
    first = ring[slot]
    after[cell] = first
    before[cell] = -1
    if first >= 0:
        before[first] = cell
    ring[slot] = cell


@_compiled
def _unlink(cell, slot, ring, after, before):  # type: ignore[no-untyped-def]
    later, sooner = after[cell], before[cell]
    if later >= 0:
        before[later] = sooner
    if sooner >= 0:
        after[sooner] = later
    else:
        ring[slot] = later


@_compiled
def _spread(pace, steps, scale, buckets_per_min, bound, sources, labels,  # type: ignore[no-untyped-def]
            minutes, source, ring, after, before, touched):  # fmt: skip
    mask = ring.size - 1
    count = 0
    for k in range(sources.size):
        cell = sources[k]
        if minutes[cell] == np.inf:
            minutes[cell] = 0.0
            source[cell] = labels[k]
            touched[count] = cell
            count += 1
            _link(cell, 0, ring, after, before)
    waiting = count
    bucket = 0
    # Every label in the current bucket is final: no edge is shorter than a bucket is wide.
    while waiting > 0:
        slot = bucket & mask
        cell = ring[slot]
        while cell >= 0:
            waiting -= 1
            for k in range(8):
                other = cell + steps[k]
                t = minutes[cell] + np.rint((pace[cell] + pace[other]) * scale[k]) * QUANTUM
                if t < minutes[other]:
                    if t <= bound:
                        if minutes[other] == np.inf:
                            touched[count] = other
                            count += 1
                            waiting += 1
                        else:
                            _unlink(other, int(minutes[other] * buckets_per_min) & mask, ring, after, before)
                        minutes[other] = t
                        source[other] = source[cell]
                        _link(other, int(t * buckets_per_min) & mask, ring, after, before)
                elif t == minutes[other] and source[cell] < source[other]:
                    source[other] = source[cell]
            cell = after[cell]
        ring[slot] = -1
        bucket += 1
    return count
