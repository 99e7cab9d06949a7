"""The directed graph that is searched: the cells of a grid, then nodes of their own, and what each step costs."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from planner.model import STEPS, opposite

# Costs are rounded to this many minutes: sums below 2**17 minutes (three months) are then exact in float64, ties are
# true ties, and a path costs to the bit what its steps cost in any order.
QUANTUM = 2.0**-36


@dataclass(frozen=True, eq=False)
class Network:
    """Cells 0 .. height*width-1 in row-major order, then `nodes` more; a step between two cells costs
    (pace of one + pace of the other) / 2 * metres * factor, an arc its minutes.

    `pace` (height, width) is minutes per metre, inf = impassable; (0, 0) where there is no terrain. `factor` (height,
    width, neighbours; float32) is what leaving a cell by each of model.STEPS costs above the mean of the two paces, inf =
    blocked or off the grid; None where every step costs just that. `tail`, `head` (int32) and `minutes` (float64, inf =
    closed) are the arcs.
    """

    pace: np.ndarray
    cell_m: float
    neighbours: int = 8
    factor: np.ndarray | None = None
    nodes: int = 0
    tail: np.ndarray = field(default_factory=lambda: np.empty(0, np.int32))
    head: np.ndarray = field(default_factory=lambda: np.empty(0, np.int32))
    minutes: np.ndarray = field(default_factory=lambda: np.empty(0))

    @property
    def cells(self) -> int:
        return int(self.pace.size)

    @property
    def size(self) -> int:
        return self.cells + self.nodes

    def reversed(self) -> Network:
        """The same network with every step and arc turned round: searches from a unit then tell minutes towards it."""
        return replace(self, tail=self.head, head=self.tail, factor=None if self.factor is None else turned(self.factor))


@dataclass(frozen=True, eq=False)
class Anchors:
    """Where places enter the network: place (position, int32), node (int32) and minutes from the place to it (float64)."""

    place: np.ndarray
    node: np.ndarray
    minutes: np.ndarray

    @classmethod
    def at(cls, nodes: np.ndarray) -> Anchors:
        """Each place at one node, -1 = nowhere.

        >>> Anchors.at(np.array([7, -1, 9])).place
        array([0, 2], dtype=int32)
        """
        known = np.flatnonzero(np.asarray(nodes) >= 0)
        return cls(known.astype(np.int32), np.asarray(nodes)[known].astype(np.int32), np.zeros(len(known)))

    def only(self, chosen: np.ndarray) -> Anchors:
        """The anchors of the places where the mask is true, renumbered among them."""
        kept = chosen[self.place]
        return Anchors((np.cumsum(chosen) - 1)[self.place[kept]].astype(np.int32), self.node[kept], self.minutes[kept])


def turned(factor: np.ndarray) -> np.ndarray:
    """Factors of the steps taken the other way: what entering each cell from its neighbour costs; inf off the grid."""
    height, width, neighbours = factor.shape
    out = np.full_like(factor, np.inf)
    for k, (down, right) in enumerate(STEPS[:neighbours]):
        rows, cols = slice(max(0, -down), height - max(0, down)), slice(max(0, -right), width - max(0, right))
        back_rows, back_cols = slice(max(0, down), height + min(0, down)), slice(max(0, right), width + min(0, right))
        out[rows, cols, k] = factor[back_rows, back_cols, opposite(k)]
    return out
