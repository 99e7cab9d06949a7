"""Duals that make a Lagrangian bound small, by the volume method (Barahona and Anbil 2000): cheap steps instead of a linear program.

Whatever it returns is only where to evaluate a bound that holds at any duals: it can be loose, never wrong.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Array = np.ndarray
_STEPS = 1000
_PATIENCE = 10  # steps without a better bound, after which steps shorten
_SHORTER = 0.66
_SHORTEST = 1e-5  # also the least that counts as better, as a share
_LATEST = 0.02  # share of the last slope in the mean that gives the direction


def descend(bound_at: Callable[[Array], tuple[float, Array, Array]], start: Array, low: Array, high: Array,
            least: float) -> tuple[Array, Array]:
    """Duals between `low` and `high` with a small bound, and the mean of the choices met on the way (0 to 1 by site).

    `bound_at(u)` gives the bound at u, one of its slopes there and the choice that sets it; `least`: a value that no bound is
    below. Steps start from the best duals so far, along the mean of the slopes.
    """
    best, kept, length, idle = np.inf, start, 1.0, 0
    u, slope, mean = start, np.zeros(0), np.zeros(0)
    for step in range(_STEPS):
        bound, now, choice = bound_at(u)
        idle = 0 if best - bound > _SHORTEST * abs(best - least) else idle + 1
        if bound < best:
            best, kept = bound, u
        if idle > _PATIENCE:
            length, idle = length * _SHORTER, 0
        share = _LATEST if step else 1.0
        slope, mean = (share * now + (1 - share) * slope, share * choice + (1 - share) * mean) if step else (now, choice)
        along = np.where(((kept <= low) & (slope > 0)) | ((kept >= high) & (slope < 0)), 0.0, slope)
        steep = float(along @ along)
        if length < _SHORTEST or best <= least or steep == 0.0:
            break
        u = np.clip(kept - length * (best - least) / steep * along, low, high)
    return kept, mean
