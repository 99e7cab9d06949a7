"""What no grouping of these areas can be below.

Everyone goes to the nearest hospital and every district is a circle; to that is added what crossing cannot be avoided. Whoever lives
in block a and has the nearest hospital in block s crosses unless a and s share a district, so crossing is the cut of a graph:

- pairs that cannot share a district (the people of the lightest way from one to the other pass `high`, or they must stand apart) are
  cut always;
- of the other pairs, with L the graph's Laplacian, D its people on the diagonal and l_1 <= l_2 <= ... the roots of L x = l D x, a
  grouping into districts of p_1 >= p_2 >= ... people cuts at least 1/2 sum_i l_i p_i (Donath and Hoffman 1973, with weights), which
  is least where the p_i are as unequal as `low` and `high` let them.

Where each district must hold a hospital, who crosses also travels at least to the second nearest block with one. The bound knows
neither contiguity nor shapes: it is good where people decide, and weak where compactness weighs or the tolerance is wide.
"""

from __future__ import annotations

import numpy as np
from scipy import linalg, sparse
from scipy.sparse.csgraph import dijkstra

from planner.decide.regional.ground import Ground
from planner.decide.regional.rules import Rules

Array = np.ndarray
DENSE = 600  # blocks up to which roots are computed
_ROUNDING = 1e-9


def lower(ground: Ground, rules: Rules) -> float:
    """A score that no contiguous grouping that keeps the rules is below."""
    hours = float((ground.weight * ground.near).sum())
    cut = _cuts(ground, rules)
    never = _never_together(ground)
    always = float(cut[never].sum())
    return max(0.0, rules.minutes * hours + always + _spectral(np.where(never, 0.0, cut), ground, rules) - _ROUNDING)


def _cuts(ground: Ground, rules: Rules) -> Array:
    """What it adds to the score, by (block, block with hospitals), that they do not share a district."""
    n, seats = len(ground.people), np.flatnonzero(ground.seat_of >= 0)
    cut = np.zeros((n, len(seats)))
    home = np.repeat(np.arange(n), np.diff(ground.flow_at))
    cut[home, ground.seat_of[ground.flow_to]] = rules.crossing * ground.flow
    if rules.hospital_required and len(seats) > 1:
        first, second = np.partition(ground.to, 1, axis=1)[:, :2].T
        more = np.where(np.isfinite(ground.to).all(axis=1), second - first, 0.0)
        at = np.repeat(np.arange(n), np.diff(ground.place_at))
        np.add.at(cut, (at, ground.to.argmin(axis=1)), rules.minutes * ground.weight * more)
    cut[seats, ground.seat_of[seats]] = 0.0
    return cut


def _never_together(ground: Ground) -> Array:
    """Which (block, block with hospitals) cannot share a district."""
    n, seats = len(ground.people), np.flatnonzero(ground.seat_of >= 0)
    heads = np.repeat(np.arange(n), np.diff(ground.next_at))
    entered = np.maximum(ground.people[ground.next], 1e-12)  # a zero would be no way
    way = sparse.csr_matrix((entered, (heads, ground.next)), (n, n))
    lightest = dijkstra(way, indices=seats).T + ground.people[seats] if len(seats) else np.zeros((n, 0))
    apart = np.zeros((n, n), bool)
    pairs = np.repeat(np.arange(n), np.diff(ground.pair_at))
    apart[pairs[ground.pair_kind < 0], ground.pair[ground.pair_kind < 0]] = True
    return np.asarray((lightest > ground.terms[4] + n * 1e-12) | apart[:, seats])


def _spectral(cut: Array, ground: Ground, rules: Rules) -> float:
    n, k, seats = len(ground.people), rules.count, np.flatnonzero(ground.seat_of >= 0)
    if n > DENSE or not len(seats) or ground.people.sum() <= 0 or k > n:
        return 0.0
    graph = np.zeros((n, n))
    graph[:, seats] = cut
    graph += graph.T
    people = np.maximum(ground.people, 1e-9 * ground.people.sum())
    roots = linalg.eigh(np.diag(graph.sum(axis=1)) - graph, np.diag(people), eigvals_only=True, subset_by_index=(0, k - 1))
    low, high = max(0.0, float(ground.terms[3])), float(ground.terms[4]) + float((people - ground.people).sum())
    spare, parts = float(people.sum()) - k * low, np.full(k, low)
    for i in range(k):
        given = min(max(spare, 0.0), high - low)
        parts[i] += given
        spare -= given
    return max(0.0, float((np.maximum(roots, 0.0) * parts).sum()) / 2)
