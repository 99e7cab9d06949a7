"""A network laid out for the search, and the questions asked of it: nearest, k nearest, and all pairs within a bound."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from planner.model import STEPS
from planner.travel.cache import fingerprint
from planner.travel.network import QUANTUM, Anchors, Network
from planner.travel.search import ARCS, LOT, blank, collect, pack, spread, spread_k, wipe

BUCKET = 0.25  # width of a bucket, of the cost of a quick step
QUICK = 0.05  # quantile of the costs that a quick step has
SAMPLE = 1 << 20  # cells looked at for it
AT_FIRST = 1 << 13  # lots for the buckets that hold little; more where they do not do


@dataclass(frozen=True, eq=False)
class Labels:
    """Least minutes of every cell and node (inf = out of reach), their source (-1 = none) and the node they came from."""

    minutes: np.ndarray  # float64
    source: np.ndarray  # int32
    parent: np.ndarray  # int32; -1 where a source enters the network

    def arrays(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return self.minutes, self.source, self.parent


@dataclass(frozen=True, eq=False)
class Board:
    """A network laid out for the search: cells, then nodes, with the arcs in records.

    Where steps off the grid are not shut by a factor, a frame of impassable cells stands around it.
    """

    shape: tuple[int, int]
    frame: int
    nodes: int
    pace: np.ndarray  # framed, flat
    factor: np.ndarray  # framed (cells, neighbours), or (0, neighbours)
    steps: np.ndarray
    scale: np.ndarray  # sum of two paces -> quanta, by step
    row: np.ndarray  # first record of each cell, -1 = none; empty where there are no arcs
    record: np.ndarray  # int32 view; float64 view beside it
    record_f: np.ndarray
    most: int  # steps and arcs out of one node, at most
    width: float  # of a bucket, minutes
    dearest: float  # of all steps and arcs, minutes

    @property
    def size(self) -> int:
        return self.pace.size + self.nodes

    @cached_property
    def fingerprint(self) -> str:
        """Hash of all that a search on this board depends on."""
        return fingerprint(self.pace, self.factor, self.steps, self.scale, self.row, self.record)

    def framed(self, nodes: np.ndarray) -> np.ndarray:
        """Numbers of cells and nodes in the network -> on the board."""
        nodes = np.asarray(nodes, np.int64)
        if not self.frame:
            return nodes
        cells, width = self.shape[0] * self.shape[1], self.shape[1]
        r, c = np.divmod(nodes, max(1, width))
        on_board = (r + self.frame) * (width + 2 * self.frame) + c + self.frame
        return np.where(nodes < cells, on_board, nodes - cells + self.pace.size)

    def unframed(self, values: np.ndarray) -> np.ndarray:
        """Values of the board (first axis) in the network's order; a view where there is no frame."""
        if not self.frame:
            return values
        inner = self._cells(values).reshape(self.shape[0] * self.shape[1], *values.shape[1:])
        return np.concatenate([inner, values[self.pace.size :]])

    def numbers(self) -> np.ndarray:
        """The network's number of every cell and node of the board; -1 in the frame."""
        numbers = np.full(self.size, -1, np.int32)
        cells = self.shape[0] * self.shape[1]
        self._cells(numbers)[:] = np.arange(cells, dtype=np.int32).reshape(self.shape)
        numbers[self.pace.size :] = np.arange(cells, cells + self.nodes, dtype=np.int32)
        return numbers

    def _cells(self, values: np.ndarray) -> np.ndarray:
        """View of the cells inside the frame (height, width, ...)."""
        f, (height, width) = self.frame, self.shape
        return values[: self.pace.size].reshape(height + 2 * f, width + 2 * f, *values.shape[1:])[f : f + height, f : f + width]


def lay_out(network: Network) -> Board:
    """The network as a board; it takes 8 bytes a cell where the factor is None (else it shares the network's) and 64 a node."""
    height, width = network.pace.shape
    if network.factor is None:
        frame = 0 if not network.cells else 2 if network.neighbours == 16 else 1
        pace = np.full((height + 2 * frame, width + 2 * frame), np.inf)
        pace[frame : frame + height, frame : frame + width] = network.pace
        factor = np.empty((0, network.neighbours), np.float32)
    else:  # no step leaves the grid: no frame is needed
        frame, pace = 0, np.ascontiguousarray(network.pace, float)
        factor = _shut_at_edges(np.ascontiguousarray(network.factor)).reshape(-1, network.neighbours)
    length_m = network.cell_m * np.array([np.hypot(*step) for step in STEPS[: network.neighbours]])
    steps = np.array([down * pace.shape[1] + right for down, right in STEPS[: network.neighbours]])
    some = network.pace.ravel()[:: max(1, network.cells // SAMPLE)]
    some = some[np.isfinite(some)]
    arcs = network.minutes[np.isfinite(network.minutes) & (network.minutes > 0)]
    typical = [*([np.quantile(some, QUICK) * network.cell_m] if some.size else []), *([np.quantile(arcs, QUICK)] if arcs.size else [])]
    highest = max((float(strip.max(initial=1.0, where=np.isfinite(strip))) for strip in np.array_split(factor, 64)), default=1.0)
    dearest = max(network.pace.max(initial=0.0, where=np.isfinite(network.pace)) * length_m.max() * highest, arcs.max(initial=0.0))
    board = Board((height, width), frame, network.nodes, pace.ravel(), factor, steps, length_m / 2 / QUANTUM,
                  np.full(pace.size if network.tail.size else 0, -1, np.int32), *_aligned(0),
                  network.neighbours, float(max(BUCKET * min(typical, default=1.0), dearest * 2.0**-22, QUANTUM)), float(dearest))
    return _with_arcs(board, network)


def _shut_at_edges(factor: np.ndarray) -> np.ndarray:
    """The factors with every step off the grid shut; a copy only where one was open."""
    height, width, neighbours = factor.shape
    for k, (down, right) in enumerate(STEPS[:neighbours]):
        rows = slice(None) if down == 0 else slice(0, -down) if down < 0 else slice(max(0, height - down), height)
        cols = slice(None) if right == 0 else slice(0, -right) if right < 0 else slice(max(0, width - right), width)
        for edge in ((rows, slice(None), k), (slice(None), cols, k)):
            if (edge[0] != slice(None) or edge[1] != slice(None)) and np.isfinite(factor[edge]).any():
                factor = factor.copy()
                factor[edge] = np.inf
    return factor


def _with_arcs(board: Board, network: Network) -> Board:
    open_ = np.isfinite(network.minutes)
    tail = board.framed(network.tail[open_])
    order = np.argsort(tail, kind="stable")
    tail, head = tail[order], board.framed(network.head[open_])[order].astype(np.int32)
    minutes = np.rint(network.minutes[open_][order] / QUANTUM) * QUANTUM
    starts = np.flatnonzero(np.diff(tail, prepend=-1))
    counts = np.diff(starts, append=len(tail))
    of_node = tail[starts] - board.pace.size
    cells = of_node < 0
    first = np.where(cells, board.nodes + np.cumsum(cells) - 1, of_node)
    spill = np.maximum(0, -(-counts // ARCS) - 1)
    beyond = board.nodes + int(cells.sum())
    ints, floats = _aligned(beyond + int(spill.sum()))
    board.row[tail[starts][cells]] = first[cells]
    pack(starts, counts, first, beyond + np.cumsum(spill) - spill, head, minutes, ints, floats)
    return replace(board, record=ints, record_f=floats, most=board.most + int(counts.max(initial=0)))


def _aligned(records: int) -> tuple[np.ndarray, np.ndarray]:
    """Zeroed records of 64 bytes that begin on a line of cache, as int32 and as float64."""
    raw = np.zeros(64 * (records + 1), np.uint8)
    start = -raw.ctypes.data % 64
    raw = raw[start : start + 64 * records]
    return raw.view(np.int32), raw.view(np.float64)


def nearest(board: Board, sources: Anchors, *, bound_min: float = np.inf) -> Labels:
    """Every cell and node labelled with its nearest source no farther than the bound; ties go to the first source."""
    work = _Work(board)
    work.spread(sources, bound_min)
    minutes, source, parent = (board.unframed(values) for values in (work.label[::2], work.label_i[2::4], work.label_i[3::4]))
    if board.frame:
        parent = np.where(parent >= 0, board.numbers()[parent], np.int32(-1))
    return Labels(minutes, source, parent)


def nearest_k(board: Board, sources: Anchors, k: int, *, bound_min: float = np.inf) -> tuple[np.ndarray, np.ndarray]:
    """Minutes and positions of the `k` nearest sources of every cell and node (size, k), nearest first; inf and -1 beyond."""
    minutes, source = np.full((board.size, k), np.inf), np.full((board.size, k), -1, np.int32)
    seeds, ring = _seeds(board, sources, bound_min)
    lots = board.size * k // LOT + min(2 * len(ring), AT_FIRST)
    while not spread_k(*_arrays(board), *seeds, 1 / board.width, float(bound_min), minutes, minutes.reshape(-1), source, source.reshape(-1),
                       ring, np.empty(lots * LOT, np.int64), np.empty(lots, np.int64)):
        minutes[:], source[:] = np.inf, -1
        lots *= 2
    return board.unframed(minutes), board.unframed(source)


def reach(
    board: Board, sources: Anchors, targets: Anchors, *, bound_min: float, threads: int | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Every pair of target and source no farther apart than `bound_min`: target, source (int32), minutes.

    Sorted by target, then source. One search per source, in as many threads as there are cores unless told.
    """
    order = np.argsort(sources.place, kind="stable")
    source = sources.place[order]
    each = np.split(order, np.flatnonzero(np.diff(source)) + 1) if len(order) else []
    node = board.framed(targets.node)
    by_node = np.argsort(node, kind="stable")
    first = np.searchsorted(node[by_node], np.arange(board.size + 1)).astype(np.int32)  # anchor of each node
    to = first, targets.place[by_node], targets.minutes[by_node]
    workers = max(1, min(threads or os.cpu_count() or 1, len(each)))

    def lot(share: list[np.ndarray]) -> list[tuple[np.ndarray, np.ndarray]]:
        work = _Work(board)
        return [work.pairs(Anchors(sources.place[at], sources.node[at], sources.minutes[at]), to, bound_min) for at in share]

    shares = [each[i::workers] for i in range(workers)]
    with ThreadPoolExecutor(workers) as pool:
        found = list(pool.map(lot, shares))
    hits = [found[i % workers][i // workers] for i in range(len(each))]
    target = np.concatenate([*(h[0] for h in hits), np.empty(0, np.int32)])
    minutes = np.concatenate([*(h[1] for h in hits), np.empty(0)])
    of = np.repeat(np.array([sources.place[at[0]] for at in each], np.int32), [len(h[0]) for h in hits])
    sort = np.argsort(target, kind="stable")
    return target[sort], of[sort], minutes[sort]


def one_by_one(board: Board, sources: Anchors, *, bound_min: float) -> Iterator[Labels]:
    """The labels of each source alone, in the order of the sources' places and in the board's own numbers.

    They are views that hold until the next ones are asked for: a near bound costs little, however large the board.
    """
    work = _Work(board)
    for place in np.unique(sources.place):
        at = sources.place == place
        count = work.spread(Anchors(sources.place[at], sources.node[at], sources.minutes[at]), bound_min)
        yield Labels(work.label[::2], work.label_i[2::4], work.label_i[3::4])
        wipe(work.label, work.label_i, work.touched, count)


class _Work:
    """Labels and queue of one thread; what a search touched is wiped before the next."""

    def __init__(self, board: Board) -> None:
        self.board = board
        self.label = np.empty(2 * board.size)  # minutes, then source and parent as int32
        self.label_i = self.label.view(np.int32)
        blank(self.label, self.label_i)
        self.touched = np.empty(board.size, np.int32)
        self.lots = board.size // LOT + 8
        self.pool = np.empty(self.lots * LOT, np.int64)
        self.before = np.empty(self.lots, np.int64)

    def spread(self, sources: Anchors, bound_min: float) -> int:
        """Label all within the bound; returns how many cells and nodes were."""
        seeds, ring = _seeds(self.board, sources, bound_min)
        while True:
            if self.lots < min(2 * len(ring), AT_FIRST):
                self._more(min(2 * len(ring), AT_FIRST))
            count: int = spread(*_arrays(self.board), *seeds, 1 / self.board.width, float(bound_min), self.label, self.label_i, ring,
                                 self.pool, self.before, self.touched)
            if count >= 0:
                return count
            wipe(self.label, self.label_i, self.touched, -1 - count)
            self._more(2 * self.lots)

    def _more(self, lots: int) -> None:
        self.lots, self.pool, self.before = lots, np.empty(lots * LOT, np.int64), np.empty(lots, np.int64)

    def pairs(self, source: Anchors, targets: tuple[np.ndarray, ...], bound_min: float) -> tuple[np.ndarray, np.ndarray]:
        """Targets within the bound of one source, and their minutes; the labels are wiped."""
        count = self.spread(source, bound_min)
        places, minutes = np.empty(len(targets[1]), np.int32), np.empty(len(targets[1]))
        n = collect(self.label, self.touched, count, *targets, bound_min, places, minutes)
        wipe(self.label, self.label_i, self.touched, count)
        order = np.lexsort((minutes[:n], places[:n]))
        order = order[np.diff(places[order], prepend=-1) != 0]  # of several anchors the nearest
        return places[order], minutes[order]


def _seeds(board: Board, sources: Anchors, bound_min: float) -> tuple[tuple[np.ndarray, np.ndarray, np.ndarray], np.ndarray]:
    """Where the search starts, and a ring that holds every label that can wait at once."""
    minutes = np.rint(np.asarray(sources.minutes, float) / QUANTUM) * QUANTUM
    span = max(min(board.dearest, bound_min), minutes.max(initial=0.0, where=np.isfinite(minutes))) / board.width
    ring = np.empty(1 << int(np.ceil(np.log2(span + 3))), np.int64)
    return (board.framed(sources.node), minutes, np.asarray(sources.place, np.int32)), ring


def _arrays(board: Board) -> tuple[Any, ...]:
    room = LOT * board.most + 1
    return (board.pace, board.factor.reshape(-1), board.steps, board.scale, board.row, board.record, board.record_f,
            np.empty(room, np.int64), np.empty(room), np.empty(room, np.int32))
