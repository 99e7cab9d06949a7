"""Factors of steps from a cost of our choice, as other programs reckon them: each step split evenly among its cells."""

from collections.abc import Callable

import numpy as np

from planner.model import STEPS

Cells = tuple[np.ndarray, np.ndarray]


def crossed(step: int) -> list[tuple[int, int]]:
    """The cells that a step crosses, as offsets: both ends, and the two between for a knight's move."""
    down, right = STEPS[step]
    ends = [(0, 0), (down, right)]
    if step < 8:
        return ends
    return ends + ([(down // 2, 0), (down // 2, right)] if abs(down) == 2 else [(0, right // 2), (down, right // 2)])


def factors(pace: np.ndarray, neighbours: int, cost: Callable[[int, Cells, list[Cells]], np.ndarray]) -> np.ndarray:
    """Network.factor for a cost a metre, given by (step, cells it leaves, all cells it crosses); inf = shut."""
    height, width = pace.shape
    out = np.full((height, width, neighbours), np.inf, np.float32)
    rows, cols = np.indices(pace.shape)
    for k, (down, right) in enumerate(STEPS[:neighbours]):
        inside = (rows + down >= 0) & (rows + down < height) & (cols + right >= 0) & (cols + right < width)
        r, c = rows[inside], cols[inside]
        cells = [(r + i, c + j) for i, j in crossed(k)]
        mean = (pace[cells[0]] + pace[cells[1]]) / 2
        told = cost(k, cells[0], cells)
        open_ = np.isfinite(mean) & np.isfinite(told) & (mean > 0)
        out[r[open_], c[open_], k] = told[open_] / mean[open_]
    return out
