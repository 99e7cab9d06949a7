"""People who go to sites within their capacity at the least minutes, exactly; who finds no room anywhere in reach is counted.

The transportation problem (Hitchcock 1941). For n_i people of place i at c_ij minutes from site j with room for k_j: minimise

    sum_ij c_ij x_ij + P sum_i o_i   with  sum_j x_ij + o_i = n_i,  sum_i x_ij <= k_j,  x, o >= 0.

Seating one person more moves at most one person at each site, so it costs no more than (sites) x (longest way): with P above that
as many people as possible have room, and of all ways to seat so many the minutes are least. The linear program starts with the
nearest sites of each place and takes in every pair that its prices show to better it. The prices v_j >= 0 of room and
u_i = min(P, min_j c_ij + v_j) over all pairs give the bound that no answer is below: sum_i n_i u_i - sum_j k_j v_j.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from planner.decide.regional.placing import Least
from planner.decide.solver import Problem, solve

Array = np.ndarray
METHOD = "transporte por programación lineal (HiGHS), precios revisados en todos los pares"
_NEAREST = 15  # sites of each place that the search starts with
_PRICE = 1e-6  # minutes: what a pair must better to be taken in
_ROUNDING = 1e-9  # relative, of people and of the bound


@dataclass(frozen=True, eq=False)
class Transport:
    """People by pair and those without room by place; `least` tells the people-minutes of the pairs and what is proved of them."""

    people: Array  # by pair, as given
    unplaced: Array  # by place; who reaches no site is not counted here
    least: Least


def transport(people: Array, capacity: Array, place: Array, site: Array, minutes: Array) -> Transport:
    """The people of each pair (place, site, minutes) so that most have room, in the least minutes.

    `people` by place and `capacity` by site, >= 0 (capacity may be inf); pairs by place and site, each once. Of sites equally near
    the first is taken where all fits. Deterministic; SolverError from the solver.
    """
    order = np.lexsort((site, minutes, place))
    starts = np.searchsorted(place[order], np.arange(len(people) + 1))
    rank = np.empty(len(place), int)
    rank[order] = np.arange(len(place)) - starts[place[order]]
    near = np.where(rank == 0, people[place], 0.0)
    if (np.bincount(site, near, minlength=len(capacity)) <= capacity).all():
        value = float(near @ minutes)
        return Transport(near, np.zeros(len(people)), Least(value, value, "óptimo", "cada quien a la más cercana: todos caben"))
    asks = (people > 0) & (np.diff(starts) > 0)
    mine = np.flatnonzero(asks[place])
    flow = np.zeros(len(place))
    unplaced = np.zeros(len(people))
    flow[mine], unplaced[asks], least = _least(
        people[asks], capacity, (np.cumsum(asks) - 1)[place[mine]], site[mine], minutes[mine], rank[mine] < _NEAREST)
    return Transport(flow, unplaced, least)


def _least(people: Array, capacity: Array, place: Array, site: Array, minutes: Array, used: Array) -> tuple[Array, Array, Least]:
    """People by pair, those without room by place, and what is proved, from the `used` pairs on."""
    penalty = (len(capacity) + 1) * max(1.0, float(minutes.max()))
    limited = np.isfinite(capacity)
    while True:
        x, over, price = _program(people, capacity, place[used], site[used], minutes[used], penalty)
        dearest = np.full(len(people), penalty)
        np.minimum.at(dearest, place[used], minutes[used] + price[site[used]])
        better = ~used & (minutes + price[site] < dearest[place] - _PRICE)
        if not better.any():
            break
        used = used | better
    np.minimum.at(dearest, place, minutes + price[site])
    flow = np.zeros(len(place))
    flow[used] = x
    flow[flow <= _ROUNDING * people[place]] = 0.0
    over = np.where(over <= _ROUNDING * people, 0.0, over)
    scale = people / (np.bincount(place, flow, minlength=len(people)) + over)
    flow, over = flow * scale[place], over * scale
    value = float(flow @ minutes)
    bound = float(people @ dearest - capacity[limited] @ price[limited] - penalty * over.sum())
    proved = bound >= value - _ROUNDING * (abs(value) + penalty * over.sum())
    return flow, over, Least(value, value if proved else bound, "óptimo" if proved else "con brecha", METHOD)


def _program(people: Array, capacity: Array, place: Array, site: Array, minutes: Array, penalty: float) -> tuple[Array, Array, Array]:
    """People by pair, those without room by place, and the price of room by site."""
    n, pairs = len(people), len(place)
    column = np.arange(pairs)
    rows = np.concatenate([place, n + site, np.arange(n)])
    columns = np.concatenate([column, column, pairs + np.arange(n)])
    matrix = sparse.csc_matrix((np.ones(len(rows)), (rows, columns)), shape=(n + len(capacity), pairs + n))
    found = solve(Problem(
        matrix, np.concatenate([people, np.full(len(capacity), -np.inf)]), np.concatenate([people, capacity]),
        -np.concatenate([minutes, np.full(n, penalty)]), np.full(pairs + n, np.inf), np.zeros(pairs + n, bool)))
    x = np.maximum(found.x, 0.0)
    return x[:pairs], x[pairs:], np.where(np.isfinite(capacity), np.maximum(found.duals[n:], 0.0), 0.0)
