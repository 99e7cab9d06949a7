"""Which p sites are nearest to all, with a bound: least weighted distance in all (p-median), least greatest distance (p-center).

p-median, for places i of weight w_i and sites j at distance d_ij: minimise sum_ij w_i d_ij a_ij with sum_j a_ij = 1, a_ij <= x_j and
sum x <= p (Hakimi 1964). For any v, with s_j = sum_i min(0, w_i d_ij - v_i),

    bound(v) = sum_i v_i  +  the p least of min(0, s_j)

is above no choice. The plan comes from exchanges of sites (Teitz and Bart 1968), v from the volume method; the sites and the pairs
(i, j) that no better plan can hold are left out by their reduced costs, which keeps the rest exact, and the integer solver ends it.
p-center: bisection over the distances met, each asked as a covering.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from planner.decide.covering import maximal_covering
from planner.decide.exchange import EXACT
from planner.decide.solver import Problem, solve
from planner.decide.volume import descend
from planner.errors import DataError

Array = np.ndarray
_ROUNDING = 1e-12  # of sums, as a share of the value
_WHOLE_PAIRS = 60_000  # the most that the integer solver is given
_TOLERANCE = 1e-6  # of whole numbers
_NODES = 2_000


@dataclass(frozen=True, eq=False)
class Siting:
    """Sites chosen (positions, ascending), each place's own (a position), what was made least, and what no choice can be below."""

    sites: Array
    site_of: Array
    value: float
    bound: float

    @property
    def gap(self) -> float:
        """How much less another choice could be at most, as a share of this."""
        return 0.0 if self.bound >= self.value else 1 - self.bound / self.value

    @property
    def proved(self) -> bool:
        """No choice is less."""
        return self.gap <= EXACT


def p_median(distances: Array, weights: Array, p: int, *, nodes: int = _NODES) -> Siting:
    """The `p` sites with the least sum of weight x distance to the nearest; deterministic.

    `distances` places x sites, >= 0, inf where there is no way; `weights` by place, >= 0; `nodes` of the integer solver. Raises
    DataError for shapes that do not fit, p < 1, negative or missing numbers, and where no `p` sites were found that reach everyone.
    """
    full, weight = _checked(distances, weights, p)
    p, heavy = min(p, full.shape[1]), weight > 0
    cost = weight[heavy, None] * np.where(np.isfinite(full[heavy]), full[heavy], 0.0)
    nowhere = float(cost.max(axis=1, initial=0.0).sum()) + 1.0  # dearer than all other ways together
    cost[~np.isfinite(full[heavy])] = nowhere
    best = _exchanged(cost, _added(cost, p))
    v, mean = _duals(cost, p, _value(cost, best))
    best = _better(cost, [best, _exchanged(cost, np.argsort(-mean, kind="stable")[:p])])
    bound = lagrangian(cost, p, v)
    value = _value(cost, best)
    most = _raised(cost, bound.value)
    if value > most * (1 + EXACT):
        best, most = _whole(cost, p, best, bound, v, nodes)
        value = _value(cost, best)
    if value >= nowhere:
        raise DataError(f"No se hallaron {p} sitios que alcancen a todos los lugares; dé más sitios o quite los lugares sin acceso.")
    return _told(full, best, value, min(most, value))


def p_center(distances: Array, p: int) -> Siting:
    """The `p` sites with the least greatest distance from a place to its nearest; deterministic.

    `distances` places x sites, >= 0, inf where there is no way. Raises DataError as `p_median`.
    """
    full, everyone = _checked(distances, np.ones(len(distances)), p)
    met = np.unique(full[np.isfinite(full) & (full >= full.min(axis=1).max(initial=0.0))])  # no choice is below the place farthest from all
    low, high, known, best = 0, len(met), 0, np.zeros(0, int)
    while low < high:  # met[high] is enough; below met[known] is proven too little
        middle = (low + high) // 2
        found = maximal_covering(everyone, sparse.csr_matrix(full <= met[middle]), p)
        if found.covered == len(full):
            high, best = middle, found.sites
        else:
            low = middle + 1
            known = low if found.bound < len(full) else known
    if not len(best):
        raise DataError(f"No se hallaron {p} sitios que alcancen a todos los lugares; dé más sitios o quite los lugares sin acceso.")
    return _told(full, best, float(met[high]), float(met[min(known, high)]))


@dataclass(frozen=True, eq=False)
class Bound:
    """What no choice is below, and what none is below that does with one site the contrary of the choice that sets the bound."""

    value: float
    inside: Array  # by site, whether that choice holds it
    contrary: Array


def lagrangian(cost: Array, p: int, v: Array) -> Bound:
    """The bound of p-median at duals `v` by place; `cost` places x sites, finite: weight x distance."""
    v = np.nan_to_num(v, posinf=0.0, neginf=0.0)
    reduced = np.minimum(cost - v[:, None], 0.0).sum(axis=0)
    order = np.argsort(reduced, kind="stable")
    inside = np.zeros(len(reduced), bool)
    inside[order[:p]] = reduced[order[:p]] < 0.0
    value = float(v.sum() + reduced[inside].sum())
    last, first = (float(reduced[order[k]]) if k < len(order) else 0.0 for k in (p - 1, p))
    value -= _ROUNDING * float(np.abs(v).sum() - reduced.sum())
    contrary = value + np.where(inside, first - reduced, reduced - last)
    return Bound(value, inside, contrary)


def _raised(cost: Array, bound: float) -> float:
    """The bound, brought to the next whole number where all costs are whole."""
    return float(np.ceil(bound)) if _whole_numbers(cost) else bound


def _whole_numbers(cost: Array) -> bool:
    return bool(np.array_equal(cost, np.rint(cost)))


def _duals(cost: Array, p: int, value: float) -> tuple[Array, Array]:
    """Duals of the places with a large bound, and the mean of the choices met on the way."""

    def bound_at(v: Array) -> tuple[float, Array, Array]:
        bound = lagrangian(cost, p, v)
        return -bound.value, (cost[:, bound.inside] < v[:, None]).sum(axis=1) - 1.0, bound.inside.astype(float)

    start = np.sort(cost, axis=1)[:, min(1, cost.shape[1] - 1)] if len(cost) else np.zeros(0)
    return descend(bound_at, start, np.zeros(len(cost)), np.full(len(cost), np.inf), -value)


def _value(cost: Array, chosen: Array) -> float:
    return float(cost[:, chosen].min(axis=1).sum())


def _better(cost: Array, choices: list[Array]) -> Array:
    """The one of least value; ties: the first."""
    return choices[int(np.argmin([_value(cost, choice) for choice in choices]))]


def _added(cost: Array, p: int) -> Array:
    """Sites added one by one, each time the one that lowers the sum most (ties: the first position)."""
    nearest, chosen = np.full(len(cost), np.inf), np.zeros(0, int)
    for _ in range(p):
        total = np.minimum(nearest[:, None], cost).sum(axis=0)
        total[chosen] = np.inf
        chosen = np.append(chosen, np.argmin(total))
        nearest = np.minimum(nearest, cost[:, chosen[-1]])
    return chosen


def _exchanged(cost: Array, start: Array) -> Array:
    """A choice that no exchange of one site for another makes better, by the best exchange each time; positions, ascending."""
    chosen, places = start.copy(), np.arange(len(cost))
    while len(chosen) < cost.shape[1]:
        order = np.argsort(cost[:, chosen], axis=1, kind="stable")[:, :2]
        first = cost[places, chosen[order[:, 0]]][:, None]
        second = cost[places, chosen[order[:, 1]]][:, None] if len(chosen) > 1 else np.inf
        less = np.minimum(cost, first)
        leavers = sparse.csr_matrix((np.ones(len(cost)), (order[:, 0], places)), (len(chosen), len(cost)))
        change = (less - first).sum(axis=0) + leavers @ (np.minimum(cost, second) - less)
        change[:, chosen] = np.inf
        slot, site = np.unravel_index(int(np.argmin(change)), change.shape)
        if change[slot, site] >= -EXACT * max(1.0, float(first.sum())):
            break
        chosen[slot] = site
    return np.sort(chosen)


def _whole(cost: Array, p: int, best: Array, bound: Bound, v: Array, nodes: int) -> tuple[Array, float]:
    """The better of `best` and the integer solver's choice of the sites and pairs that a better one may hold, and the bound."""
    value = _value(cost, best)
    better = value - (1.0 - _TOLERANCE if _whole_numbers(cost) else EXACT * value)
    sites = np.flatnonzero(bound.inside | (bound.contrary <= better))
    least = np.where(bound.inside, bound.value, bound.contrary)[sites]
    places, at = np.nonzero(cost[:, sites] - v[:, None] <= better - least)
    if len(places) > _WHOLE_PAIRS:
        return best, _raised(cost, bound.value)
    pair, one, n, m = np.arange(len(places)), np.ones(len(places)), len(cost), len(sites)
    matrix = sparse.bmat([[None, sparse.csr_matrix((one, (places, pair)), (n, len(pair)))],
                          [sparse.csr_matrix((-one, (pair, at)), (len(pair), m)), sparse.identity(len(pair))],
                          [sparse.csr_matrix(np.ones((1, m))), None]], format="csc")
    lower, upper = np.full(n + len(pair) + 1, -np.inf), np.concatenate([np.ones(n), np.zeros(len(pair)), [p]])
    lower[:n] = 1.0
    flags = np.zeros(m + len(pair), bool)
    flags[:m] = True
    gain = np.concatenate([np.zeros(m), -cost[places, sites[at]]])
    held = np.isin(sites, best)
    own = best[cost[:, best].argmin(axis=1)][places] == sites[at]
    start = np.concatenate([held, own]).astype(float) if held.sum() == len(best) and own.sum() == n else None
    answer = solve(Problem(matrix, lower, upper, gain, np.ones(m + len(pair)), flags), start=start, nodes=nodes)
    if answer.feasible:
        best = _better(cost, [best, sites[answer.x[:m] > 0.5]])
    bottom = -answer.bound - 0.1 * EXACT * value if np.isfinite(answer.bound) else value  # none: no better choice is left
    return best, _raised(cost, max(bound.value, min(value, bottom)))


def _told(full: Array, chosen: Array, value: float, bound: float) -> Siting:
    sites = np.sort(chosen)
    return Siting(sites, sites[full[:, sites].argmin(axis=1)], value, bound)


def _checked(distances: Array, weights: Array, p: int) -> tuple[Array, Array]:
    """The distances and weights as numbers, fit for the question."""
    full, weight = np.asarray(distances, float), np.asarray(weights, float)
    if full.ndim != 2 or weight.shape != full.shape[:1]:
        raise DataError(f"Las distancias tienen forma {full.shape} y hay {weight.size} pesos; deben ser lugares por sitios y "
                        "un peso por lugar.")
    if p < 1 or not full.size:
        raise DataError("Hace falta al menos un lugar, un sitio y que se pida elegir uno o más.")
    for name, wrong in (("distancias", ~(full >= 0)), ("pesos", ~(np.isfinite(weight) & (weight >= 0)))):
        if wrong.any():
            places = np.flatnonzero(wrong.any(axis=1) if wrong.ndim > 1 else wrong)
            raise DataError(f"Hay {int(wrong.sum())} {name} negativas o sin dato (lugares {', '.join(map(str, places[:3]))}); corríjalas.")
    return full, weight
