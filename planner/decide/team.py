"""The stops of one team that are worth most, as a small mixed-integer program.

A stop is visited or not, and is worth the part of its people for whom the team has room. A stop that is no first stop of the base
follows another that the team visits, each stop is followed by one at most, and the order of following has no circles: stops
farther from the first ones (in legs) follow nearer ones.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from planner.decide.fleet import Fleet, Market, members
from planner.decide.solver import Problem, solve

_LOOKED_AT = 6  # stops weighed for each stop that a team may visit, near ones and far ones apart
_NODES = 5
_REL_GAP = 2e-3
_NOTHING = 1e-6


def best_stops(fleet: Fleet, market: Market, base: int, worth: np.ndarray, crowd: np.ndarray) -> list[int]:
    """Stops (positions, sorted) of one team of the base, where `crowd` people wait at each stop and are worth `worth` together."""
    near, far = _candidates(fleet, market, base, worth)
    stops, legs = np.concatenate([near, far]), _legs(market, near, far)
    n, arcs = len(stops), len(legs)
    if n == 0:
        return []
    served = sparse.identity(n).tocsr()
    first, then = legs[:, 0], legs[:, 1]
    into = sparse.csr_matrix((-np.ones(arcs), (then - len(near), np.arange(arcs))), (len(far), arcs))
    out_of = sparse.csr_matrix((np.ones(arcs), (first, np.arange(arcs))), (n, arcs))
    matrix = sparse.bmat([  # columns: visited, part served, follows
        [-served, served, None],
        [sparse.csr_matrix(np.ones(n)), None, None],
        [None, sparse.csr_matrix(crowd[stops]), None],
        [served[len(near):], None, into],
        [-served, None, out_of]]).tocsc()
    full = fleet.scenario.umm_people_max
    upper = np.concatenate([np.zeros(n), [fleet.stops_max(market), full], np.zeros(len(far)), np.zeros(n)])
    answer = solve(Problem(matrix, np.full(len(upper), -np.inf), upper, np.concatenate([np.zeros(n), worth[stops], np.zeros(arcs)]),
                           np.ones(2 * n + arcs), np.arange(2 * n + arcs) < n), nodes=_NODES, rel_gap=_REL_GAP)
    visited = stops[answer.x[:n] > 0.5] if answer.feasible else stops[:0]
    return [int(s) for s in np.sort(visited)]


def _candidates(fleet: Fleet, market: Market, base: int, worth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """First stops of the base and stops beyond them: those worth most, and the first ones from which a stop beyond is one leg away."""
    most = _LOOKED_AT * fleet.stops_max(market)
    first = market.direct(base)
    reach = members(market.usual, base)
    reach = reach[worth[reach] > _NOTHING]
    far = _top(reach[~first[reach]], worth, most)
    before = np.zeros(len(worth), bool)
    before[np.asarray((market.legs[:, far] > 0).sum(axis=1)).ravel() > 0] = True
    near = np.union1d(_top(reach[first[reach]], worth, most), np.flatnonzero(before & first))
    return near.astype(int), far


def _top(stops: np.ndarray, worth: np.ndarray, count: int) -> np.ndarray:
    return np.sort(stops[np.argsort(-worth[stops], kind="stable")[:count]])


def _legs(market: Market, near: np.ndarray, far: np.ndarray) -> np.ndarray:
    """Legs (from, to: positions in near and far, to among far) by which a stop beyond may follow another, without circles."""
    stops = np.concatenate([near, far])
    step = (market.legs[stops][:, stops] > 0).toarray()
    np.fill_diagonal(step, False)
    hops = np.where(np.arange(len(stops)) < len(near), 0, len(stops))
    for hop in range(1, len(stops)):
        fresh = step[hops == hop - 1].any(axis=0) & (hops == len(stops))
        if not fresh.any():
            break
        hops[fresh] = hop
    rank = np.lexsort((stops, hops)).argsort()
    step &= (rank[:, None] < rank[None, :]) & (np.arange(len(stops)) >= len(near))[None, :]
    return np.argwhere(step)
