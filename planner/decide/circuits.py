"""Mobile circuits: which localities one team visits from which base, one stop a day, as columns that compete.

A team returns to its base every day, so a circuit is no route but a set of localities near enough to one base. Circuits
are made greedily by weighted gap. A first series shares the localities out over the state; a second gives every locality left
over, too few on their own, a circuit filled up with places of other circuits.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Circuit:
    """A base and its stops, nearest first, with the minutes to each."""

    base: str
    stops: tuple[str, ...]
    minutes: tuple[float, ...]


@dataclass(frozen=True)
class Limits:
    """What one circuit may be: number of stops, and target people at most and at least."""

    stops: int
    people_max: float
    people_min: float


def build_circuits(stops: pd.DataFrame, pairs: pd.DataFrame, limits: Limits) -> list[Circuit]:
    """The competing circuits, those that share no locality first.

    `stops` (index cvegeo, sorted) has `people` and `weighted`, the gap that visiting each closes; `pairs` (cvegeo, site,
    minutes) are the bases within reach of each. Of the bases that reach all the stops the least total minutes wins.
    """
    pairs = pairs[pairs["cvegeo"].isin(stops.index)].sort_values(["site", "cvegeo"])
    bases = pd.Index(sorted(pairs["site"].unique()))
    minutes = np.full((len(bases), len(stops)), np.inf)
    minutes[bases.get_indexer(pd.Index(pairs["site"])), stops.index.get_indexer(pd.Index(pairs["cvegeo"]))] = pairs["minutes"]
    reach = dict.fromkeys(tuple(np.flatnonzero(row).tolist()) for row in np.isfinite(minutes))  # bases alike count once
    people, weighted = stops["people"].to_numpy(float), stops["weighted"].to_numpy(float)
    chosen = _series([np.array(members, int) for members in reach], people, weighted, limits)
    return [_based(circuit, minutes, bases, stops.index) for circuit in chosen]


def visit_days(order: int, visits_month: float, working_days: int) -> list[int]:
    """Working days of the month on which the stop in place `order` is visited: one stop a day, visits evenly apart.

    >>> visit_days(3, visits_month=2, working_days=20)
    [3, 13]
    """
    visits = max(1, int(visits_month))
    return [order + visit * (working_days // visits) for visit in range(visits)]


def _series(reach: list[np.ndarray], people: np.ndarray, weighted: np.ndarray, limits: Limits) -> list[np.ndarray]:
    """Circuits by what they close of what no earlier one visits; localities already visited only fill up the second series."""
    free = np.ones(len(people), bool)
    series: list[np.ndarray] = []

    def best(k: int, filled: bool) -> tuple[np.ndarray, float]:
        members = reach[k] if filled else reach[k][free[reach[k]]]
        chosen = _circuit(members, free, people, weighted, limits)
        return chosen, -float(weighted[chosen[free[chosen]]].sum())

    for filled in (False, True):
        queue = [(best(k, filled)[1], k) for k in range(len(reach))]
        heapq.heapify(queue)
        while queue:
            _, k = heapq.heappop(queue)
            chosen, value = best(k, filled)  # what was believed may have been taken by others
            if value < 0 and queue and (value, k) > queue[0]:
                heapq.heappush(queue, (value, k))
            elif value < 0:
                series.append(chosen)
                free[chosen] = False
                heapq.heappush(queue, (best(k, filled)[1], k))
    return series


def _circuit(members: np.ndarray, free: np.ndarray, people: np.ndarray, weighted: np.ndarray, limits: Limits) -> np.ndarray:
    """One base's stops, free ones first, by gap or by gap per person, whichever closes more; none if too few people.

    A locality larger than the limit of people is visited alone, as far as the capacity goes.
    """
    tries = []
    for worth in (weighted, weighted / np.maximum(people, 1e-9)):
        chosen: list[int] = []
        load = 0.0
        for i in members[np.lexsort((-worth[members], ~free[members]))]:
            if not chosen or load + people[i] <= limits.people_max:
                chosen.append(int(i))
                load += people[i]
            if len(chosen) == limits.stops:
                break
        if load >= limits.people_min:
            tries.append(np.array(sorted(chosen)))
    return max(tries, key=lambda c: float(weighted[c[free[c]]].sum()), default=np.array([], int))


def _based(chosen: np.ndarray, minutes: np.ndarray, bases: pd.Index, index: pd.Index) -> Circuit:
    base = int(np.argmin(minutes[:, chosen].sum(axis=1)))
    order = chosen[np.lexsort((chosen, minutes[base, chosen]))]
    return Circuit(str(bases[base]), tuple(index[order]), tuple(float(m) for m in minutes[base, order]))
