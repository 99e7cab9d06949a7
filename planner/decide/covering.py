"""Which p sites cover most people, with a bound that no choice of sites can pass.

maximise sum_i w_i z_i over x in {0, 1}, z_i <= sum of x_j over the sites j that cover i, z <= 1, sum x <= p and cost x <= budget
(Church and ReVelle 1974). For any 0 <= u and price >= 0, with r_j = sum of u_i over the places i that j covers,

    bound(u, price) = sum_i (w_i - u_i)+  +  price budget  +  the p largest (r_j - price cost_j)+

is passed by no choice: it is evaluated here, in our own sums, so duals that are poor or wrong loosen the bound and never break it.
The duals come from the relaxation, or by the volume method where it is large, and the plan from exchanges of sites
(decide/exchange.py). Sites that no better plan can hold, and those that each must hold, are settled by their reduced costs, and
what is left open goes to the integer solver if it is small.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from planner.decide.exchange import EXACT, ROUNDING, Instance, additions, exchange, gathered
from planner.decide.solver import Problem, solve
from planner.decide.volume import descend
from planner.errors import DataError
from planner.model import TravelTimes

Array = np.ndarray
_RELAXED_NONZEROS = 100_000  # the most of a relaxation that is solved exactly; larger ones are descended
_WHOLE_NONZEROS = 40_000  # the most that the integer solver is given
_SEARCHED = 10**9  # the most exchanges that the long search weighs without finding a better plan
_ROUNDS = 500  # and their number
_NODES = 200


@dataclass(frozen=True, eq=False)
class Covering:
    """Sites chosen (positions, ascending), weight covered, what no choice can pass, and how the two were found."""

    sites: Array
    covered: float
    bound: float
    method: str

    @property
    def gap(self) -> float:
        """How much more than this another choice could cover at most, as a share of it."""
        return 0.0 if self.bound <= self.covered else (self.bound / self.covered - 1 if self.covered > 0 else np.inf)

    @property
    def proved(self) -> bool:
        """No choice covers more."""
        return self.gap <= EXACT


@dataclass(frozen=True, eq=False)
class Curve:
    """By number of sites, from 1: the site added, the weight covered, and what no choice of as many sites can pass."""

    sites: Array
    covered: Array
    bound: Array


def covers_within(times: TravelTimes, limit_min: float) -> sparse.csr_matrix:
    """Places x sites, true where the minutes are no more than `limit_min`."""
    kept = times.value <= limit_min
    indptr = np.concatenate([[0], np.cumsum(kept)])[times.indptr]
    return sparse.csr_matrix((np.ones(int(kept.sum()), bool), times.site[kept], indptr), (len(times.localities), len(times.sites)))


def maximal_covering(people: Array, covers: sparse.csr_matrix, p: int | None = None, *, costs: Array | None = None,
                     budget: float | None = None, nodes: int = _NODES) -> Covering:
    """At most `p` sites, of `costs` within `budget`, that cover most `people`; of several such choices always the same.

    `people` by place, >= 0; `covers` places x sites, sparse, not zero where the site covers the place; `nodes` of the integer
    solver. Without `p` or `budget` there is no such limit. Deterministic: limits are steps and nodes, never seconds. Raises
    DataError for shapes that do not fit, negative or missing numbers, a budget without costs, and SolverError from the solver.
    """
    instance = _instance(people, covers, p, costs, budget)
    starts = _greedy(instance)
    if instance.within_limits(np.arange(len(instance.sites))):
        return _told(instance, starts[0], 0.0, "todo lo que se puede cubrir")
    best = _better(instance, [exchange(instance, start) for start in starts])
    u, price, x = _duals(instance)
    bound = lagrangian(instance, u, price)
    best = _better(instance, [best, exchange(instance, _rounded(instance, x))])
    fixed, rest = _open(instance, best, bound)
    if not _met(instance, best, bound.value):
        best = _better(instance, [best, _searched(best, fixed, rest)])
        fixed, rest = _open(instance, best, bound)
    if rest.by_place.nnz > _WHOLE_NONZEROS or _met(instance, best, bound.value):
        return _told(instance, best, bound.value, "relajación y cambios")
    best, most = _whole(instance, best, fixed, rest, nodes)
    return _told(instance, best, min(most, bound.value), "programa entero mixto (HiGHS)")


def covering_curve(people: Array, covers: sparse.csr_matrix, p_max: int) -> Curve:
    """The greedy choice site by site up to `p_max`, or until nothing more can be covered: at least 63 % of the best for each number.

    The bound of q sites: what some first k cover and the q largest gains that were left then, the least over k (Nemhauser,
    Wolsey and Fisher 1978). Raises DataError as `maximal_covering`.
    """
    instance = _instance(people, covers, p_max, None, None)
    most = min(p_max, len(instance.sites))
    sites, covered, bound, value = [], [], np.full(most, np.inf), 0.0
    for site, gain in additions(instance):
        top = np.sort(np.partition(gain, len(gain) - most)[len(gain) - most:])[::-1]
        np.minimum(bound, value + np.cumsum(top), out=bound)
        value += float(gain[site])
        sites.append(site)
        covered.append(value)
    count = len(sites)
    bound = np.minimum(bound, float(instance.weight.sum()))[:count]
    return Curve(instance.sites[np.array(sites, int)], np.array(covered), np.maximum(bound, covered))


@dataclass(frozen=True, eq=False)
class Bound:
    """What no choice can pass, and what none can pass that does with one site the contrary of the choice that sets the bound."""

    value: float
    inside: Array  # by site, whether that choice holds it
    contrary: Array


def lagrangian(instance: Instance, u: Array, price: float = 0.0) -> Bound:
    """The bound at duals `u` of the places, brought within 0 and the weight, and `price` >= 0 of a unit of the budget."""
    weight, p = instance.weight, min(instance.p, len(instance.sites))
    u = np.clip(np.nan_to_num(u), 0.0, weight)
    price = max(0.0, float(np.nan_to_num(price))) if np.isfinite(instance.budget) else 0.0
    reduced = u @ instance.by_place - price * instance.cost
    order = np.argsort(-reduced, kind="stable")
    inside = np.zeros(len(reduced), bool)
    inside[order[:p]] = reduced[order[:p]] > 0.0
    value = float((weight - u).sum()) + float(reduced[inside].sum()) + (price * instance.budget if price else 0.0)
    last, first = (max(0.0, float(reduced[order[k]])) if 0 <= k < len(order) else 0.0 for k in (p - 1, p))
    contrary = value - np.where(inside, reduced - first, last - reduced)
    return Bound(_safe(instance, value), inside, contrary)


def _safe(instance: Instance, bound: float) -> float:
    """The bound with room for the rounding of sums; whole weights have whole sums."""
    bound += ROUNDING * float(instance.weight.sum())
    return float(np.floor(bound)) if instance.whole else bound


def _instance(people: Array, covers: sparse.csr_matrix, p: int | None, costs: Array | None, budget: float | None) -> Instance:
    """The question checked and without what changes nothing: places that none covers or with nobody, sites that cover none."""
    weight, matrix = np.asarray(people, float), sparse.csr_matrix(covers, dtype=float, copy=True)
    matrix.sum_duplicates()
    matrix.eliminate_zeros()
    matrix.data[:] = 1.0
    count = matrix.shape[1]
    cost = np.zeros(count) if costs is None else np.asarray(costs, float)
    if matrix.shape[0] != len(weight) or len(cost) != count:
        raise DataError(f"La cobertura tiene {matrix.shape[0]} lugares y {count} sitios, y se dieron {len(weight)} poblaciones y "
                        f"{len(cost)} costos; deben coincidir.")
    for name, values in (("poblaciones", weight), ("costos", cost)):
        if len(bad := np.flatnonzero(~(np.isfinite(values) & (values >= 0)))):
            raise DataError(f"Hay {len(bad)} {name} negativas o sin dato (posiciones {', '.join(map(str, bad[:3]))}); corríjalas.")
    if (p is not None and p < 0) or (budget is not None and not budget >= 0):
        raise DataError("El número de sitios y el presupuesto no pueden ser negativos.")
    if budget is not None and costs is None:
        raise DataError("Hay presupuesto y no hay costos; dé el costo de cada sitio.")
    limit = np.inf if budget is None else float(budget) * (1 + EXACT)  # room for the rounding of sums of costs
    kept = np.flatnonzero(cost <= limit)
    return _compressed(weight, matrix[:, kept], kept, count if p is None else p, cost[kept], limit)


def _compressed(weight: Array, matrix: sparse.csr_matrix, sites: Array, p: int, cost: Array, budget: float) -> Instance:
    """Places that the same sites cover made one, in the order of those sites: exact, and free of the order they came in."""
    matrix.sort_indices()
    used = np.flatnonzero((weight > 0) & (np.diff(matrix.indptr) > 0))
    together: dict[bytes, list[int]] = {}
    for i in used.tolist():
        together.setdefault(matrix.indices[matrix.indptr[i] : matrix.indptr[i + 1]].tobytes(), []).append(i)
    groups = [together[key] for key in sorted(together)]
    merged = np.array([weight[group].sum() for group in groups])
    by_place = matrix[np.array([group[0] for group in groups], int)]
    kept = np.flatnonzero(by_place.getnnz(axis=0))
    return Instance(merged, by_place[:, kept], sites[kept], min(p, len(kept)), cost[kept], budget)


def _greedy(instance: Instance) -> list[Array]:
    """The greedy choices: by what a site covers and, under a budget, also by that per cost."""
    ways = (False, True) if np.isfinite(instance.budget) else (False,)
    return [np.array([site for site, _ in additions(instance, per_cost=way)], int) for way in ways]


def _better(instance: Instance, choices: list[Array]) -> Array:
    """The one that covers most; ties: the first."""
    return choices[int(np.argmax([instance.worth(choice) for choice in choices]))]


def _rounded(instance: Instance, x: Array) -> Array:
    """The affordable sites of which the relaxation takes most."""
    chosen: list[int] = []
    left = instance.budget
    for site in np.argsort(-x, kind="stable").tolist():
        if len(chosen) < instance.p and instance.cost[site] <= left:
            chosen.append(site)
            left -= instance.cost[site]
    return np.array(chosen, int)


def _program(instance: Instance, *, whole: bool) -> Problem:
    """First x by site, then z by place; rows of the places, of the number of sites and of the budget."""
    places, sites = instance.by_place.shape
    limits, upper = [np.ones(sites)], [float(instance.p)]
    if np.isfinite(instance.budget):
        limits, upper = [*limits, instance.cost], [*upper, instance.budget]
    matrix = sparse.bmat([[-instance.by_place, sparse.identity(places)], [sparse.csr_matrix(np.array(limits)), None]], format="csc")
    flags = np.zeros(sites + places, bool)
    flags[:sites] = whole
    return Problem(matrix, np.full(places + len(upper), -np.inf), np.concatenate([np.zeros(places), upper]),
                   np.concatenate([np.zeros(sites), instance.weight]), np.ones(sites + places), flags)


def _duals(instance: Instance) -> tuple[Array, float, Array]:
    """Duals of the places, price of the budget, and x by site: of the relaxation, or near them where it is large."""
    if instance.by_place.nnz > _RELAXED_NONZEROS:
        return _descended(instance)
    answer = solve(_program(instance, whole=False))
    places = len(instance.weight)
    price = float(answer.duals[places + 1]) if len(answer.duals) > places + 1 else 0.0
    return answer.duals[:places], price, answer.x[: len(instance.sites)]


def _descended(instance: Instance) -> tuple[Array, float, Array]:
    """What `_duals` gives, by the volume method."""
    weight, limited = instance.weight, np.isfinite(instance.budget) and instance.budget > 0
    unit = instance.budget / np.sqrt(len(weight)) if limited else 1.0  # brings the budget's dual to the size of the places'

    def bound_at(u: Array) -> tuple[float, Array, Array]:
        bound = lagrangian(instance, u[:-1], u[-1] / unit)
        choice = bound.inside.astype(float)
        over = (instance.budget - float(instance.cost @ choice)) / unit if limited else 0.0
        return bound.value, np.append(instance.by_place @ choice - (u[:-1] < weight), over), choice

    least = max(instance.worth(choice) for choice in _greedy(instance))
    dear = 0.5 * least / instance.budget * unit if limited else 0.0  # half of what money buys on average: from zero the price takes long
    start = np.append(weight / instance.by_place.getnnz(axis=1), dear)
    u, x = descend(bound_at, start, np.zeros(len(start)), np.append(weight, np.inf if limited else 0.0), least)
    return u[:-1], float(u[-1]) / unit, x


def _met(instance: Instance, best: Array, bound: float) -> bool:
    return bound <= instance.worth(best) * (1 + EXACT)


def _open(instance: Instance, best: Array, bound: Bound) -> tuple[Array, Instance]:
    """Sites that every choice better than `best` holds, and what is left to decide: the sites that one may hold."""
    value = instance.worth(best)
    better = value + (1.0 if instance.whole else EXACT * value)
    settled = bound.contrary + 2 * ROUNDING * float(instance.weight.sum()) < better
    fixed, left = np.flatnonzero(settled & bound.inside), np.flatnonzero(~settled)
    bare = ~instance.covered_by(fixed)
    rest = _compressed(instance.weight[bare], instance.by_place[bare][:, left], left, instance.p - len(fixed), instance.cost[left],
                       instance.budget - float(instance.cost[fixed].sum()))
    return fixed, rest


def _searched(best: Array, fixed: Array, rest: Instance) -> Array:
    """The best choice that the long search finds with the settled sites settled."""
    if rest.p <= 0 or rest.budget < 0 or not len(rest.sites):
        return best
    start = np.flatnonzero(np.isin(rest.sites, best))
    if not rest.within_limits(start):
        start = _greedy(rest)[0]
    rounds = min(_ROUNDS, _SEARCHED // (len(rest.sites) * rest.p))
    return np.concatenate([fixed, rest.sites[exchange(rest, start, rounds)]])


def _whole(instance: Instance, best: Array, fixed: Array, rest: Instance, nodes: int) -> tuple[Array, float]:
    """The better of `best` and the integer solver's choice of what is left open, and what no choice can pass."""
    value = instance.worth(best)
    if rest.p <= 0 or rest.budget < 0 or not len(rest.sites):
        best = _better(instance, [best, fixed] if instance.within_limits(fixed) else [best])
        return best, instance.worth(best)
    held = np.isin(rest.sites, best).astype(float)
    start = None
    if instance.within_limits(np.concatenate([fixed, rest.sites[held > 0]])):
        start = np.concatenate([held, np.minimum(rest.by_place @ held, 1.0)])
    answer = solve(_program(rest, whole=True), start=start, nodes=nodes)
    base = instance.worth(fixed)
    bound = max(value, base + answer.bound) if np.isfinite(answer.bound) else value
    if answer.feasible:
        found = np.concatenate([fixed, rest.sites[answer.x[: len(rest.sites)] > 0.5]])
        best = _better(instance, [best, found] if instance.within_limits(found) else [best])
    return best, max(instance.worth(best), _safe(instance, bound))


def _told(instance: Instance, chosen: Array, bound: float, method: str) -> Covering:
    """The answer without sites that cover nothing alone."""
    kept = np.sort(chosen)
    covering = instance.by_place[:, kept].getnnz(axis=1)
    for site in kept[::-1]:
        places = gathered(instance.by_site, np.array([site]))[0]
        if (covering[places] > 1).all():
            covering[places] -= 1
            kept = kept[kept != site]
    covered = instance.worth(kept)
    return Covering(instance.sites[kept], covered, max(bound, covered), method)
