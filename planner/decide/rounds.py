"""Rounds of mobile teams: in which days and in which order one team visits its stops with the least travel.

A round is made of trips from the base back to it, a trip of days, a day of stops. Few stops are solved exactly, over their
subsets: the cheapest trip to every subset by days (Bellman and Held-Karp), then the cheapest trips that share the stops out.
For more stops the routing library gives orders, and the same two steps cut each order at its best places. Travel is counted in
whole millionths of a minute, so that sums and ties are exact.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise, permutations

import numpy as np

from planner.decide.calendar import fits, may_start, month_visits, week_days
from planner.decide.routing import orders
from planner.decide.steps import Legs, Space, order_space, subset_space
from planner.kinds import Kind
from planner.model import Day
from planner.settings import Scenario

RANK = 64.0  # a tick of travel outweighs the days of any month
Array = np.ndarray


@dataclass(frozen=True)
class RoundRules:
    """What one round must keep: minutes of a day and of its legs, stops a day, nights in a row, visits in the month."""

    shift_min: float
    stop_min: float
    stops_day: int
    first_stop_max_min: float
    leg_max_min: float
    nights_max: int
    visits: int
    working_days: int

    @classmethod
    def of(cls, kind: Kind, visits_month: float, scenario: Scenario) -> RoundRules:
        """The rules of a kind of team; only brigades spend nights out."""
        return cls(scenario.shift_hours * 60.0, scenario.stop_hours_min * 60.0, scenario.stops_day_max, scenario.first_stop_max_min,
                   scenario.leg_max_min, scenario.brigade_nights_max if kind == "brigada" else 0, month_visits(visits_month),
                   scenario.working_days_month)

    @property
    def days_max(self) -> int:
        """Working days that one round may take."""
        return self.working_days // self.visits

    @property
    def days_week(self) -> int:
        return week_days(self.working_days)

    @property
    def stops_fit(self) -> int:
        """Stops whose stay alone fits in a day."""
        return min(self.stops_day, math.floor(self.shift_min / self.stop_min + 1e-9))


Round = tuple[float, list[list[list[int]]]]  # price, and trips of days of stops (1..n; a day without stops brings the team home)


def plan_round(base: str, stops: Sequence[str], minutes: Array, rules: RoundRules) -> tuple[Day, ...] | None:
    """The round with the least minutes of travel (then the fewest days) that keeps the rules and fits in the month, or None.

    `minutes` is (n + 1, n + 1), from row to column: 0 is the base, the others follow `stops`; inf or NaN where there is no way.
    Exact for as many stops as `exact` tells; for more, the best cut of the orders of the routing library, and None only says
    that none of them has one. The order of `stops` does not matter.
    """
    by_id = sorted(range(len(stops)), key=lambda k: stops[k])
    index = np.array([0, *(k + 1 for k in by_id)])
    told = np.asarray(minutes, float)[np.ix_(index, index)]
    told[np.isnan(told)] = np.inf
    if not stops or rules.days_max < 1 or rules.stops_fit < 1:
        return None
    legs = Legs.of(told, (rules.first_stop_max_min, rules.leg_max_min), rules.stop_min, rules.shift_min)
    if np.isinf(legs.going[:, 1:].min(axis=0)).any():
        return None
    if exact(len(stops), rules):
        found = best_round(subset_space(len(stops), rules.stops_fit, rules.nights_max, legs), legs, rules)
    else:
        found = _by_orders(legs, rules)
    if found is None:
        return None
    names = (base, *(stops[k] for k in by_id))
    return tuple(day for trip in sorted(found[1]) for day in _days(trip, names, told))


def exact(stops: int, rules: RoundRules) -> bool:
    """Whether a round of so many stops is solved exactly: up to twelve with nights out, fourteen without; eight if a day has many."""
    return stops <= (8 if rules.stops_fit > 2 else 12 if rules.nights_max else 14)


def _by_orders(legs: Legs, rules: RoundRules) -> Round | None:
    found = orders(legs, rules.stops_fit, rules.days_max, rules.nights_max)
    tried = [best_round(order_space(order, rules.stops_fit, rules.nights_max, legs), legs, rules) for order in found]
    return min((round_ for round_ in tried if round_ is not None), default=None)


def _days(trip: list[list[int]], names: Sequence[str], minutes: Array) -> list[Day]:
    days, here = [], 0
    for k, stops in enumerate(trip):
        ends = [*stops, 0] if k == len(trip) - 1 else stops
        days.append(Day(tuple(names[s] for s in stops), tuple(float(minutes[a, b]) for a, b in pairwise([here, *ends]))))
        here = ends[-1]
    return days


def best_round(space: Space, legs: Legs, rules: RoundRules) -> Round | None:
    """The cheapest round of the space, in trips of days of stops."""
    out, home = space.out * RANK + 1.0, space.home * RANK + 1.0
    ended, trips = _trips(space, out, home, rules.nights_max)
    found = _shared_out(space, trips)
    if found is not None and not fits([days for _, days in found[1]], rules.visits, rules.working_days, rules.days_week):
        found = _in_month(space, trips, rules)
    if found is None:
        return None
    return found[0], [_trip(space, out, home, ended, legs, trip, days) for trip, days in found[1]]


def _trips(space: Space, out: Array, home: Array, nights_max: int) -> tuple[list[Array], Array]:
    """Price of every state after so many nights out (from one), and of every trip (columns) by its days (rows)."""
    tables, start = space.tables, np.zeros(1)
    trips, ended = [tables.home_first.into(start, home, tables.trips)], [tables.out_first.into(start, out, tables.states)]
    for night in range(nights_max):
        trips.append(tables.home.into(ended[-1], home, tables.trips))
        if night < nights_max - 1:
            ended.append(tables.out.into(ended[-1], out, tables.states))
    return ended, np.array(trips)


def _shared_out(space: Space, trips: Array) -> tuple[float, list[tuple[int, int]]] | None:
    """The cheapest trips that visit every stop once, with their days, whatever the month; and their price."""
    tables, price = space.tables, trips.min(axis=0)
    reached = np.full(tables.covers, np.inf)
    reached[0] = 0.0
    for join in tables.joins:
        reached = np.minimum(reached, join.into(reached, price, tables.covers))
    at, chosen = tables.covers - 1, []
    if np.isinf(reached[at]):
        return None
    for join in reversed(tables.joins):
        least, before, trip = join.best(reached, price, at)
        if least == reached[at]:
            chosen.append((trip, int(trips[:, trip].argmin()) + 1))
            at = before
    return float(reached[-1]), chosen


def _in_month(space: Space, trips: Array, rules: RoundRules) -> tuple[float, list[tuple[int, int]]] | None:
    """The cheapest trips that visit every stop once and stand on days of the month; the first visit may begin a few days in."""
    spare = rules.working_days - rules.days_max * rules.visits
    tried = [_from_day(1 + late, space, trips, rules) for late in range(spare + 1 if rules.nights_max else 1)]
    return min((found for found in tried if found is not None), default=None)


def _from_day(start: int, space: Space, trips: Array, rules: RoundRules) -> tuple[float, list[tuple[int, int]]] | None:
    """The same within the days of one period that begins on day `start`: covers day by day."""
    covers, pairs = space.tables.covers, space.tables.pairs()
    reached = [np.full(covers, np.inf)]
    reached[0][0] = 0.0

    def ending(day: int) -> list[int]:
        return [days for days in range(1, min(day, len(trips)) + 1)
                if may_start(start + day - days, days, rules.visits, rules.working_days, rules.days_week)]

    for day in range(1, rules.days_max + 1):
        ways = [pairs.into(reached[day - days], trips[days - 1], covers) for days in ending(day)]
        reached.append(np.minimum.reduce([reached[-1], *ways]))
    day, at, chosen = rules.days_max, covers - 1, []
    if np.isinf(reached[day][at]):
        return None
    while at:
        if reached[day - 1][at] == reached[day][at]:
            day -= 1
            continue
        ends = [(*pairs.best(reached[day - days], trips[days - 1], at), days) for days in ending(day)]
        _, at, trip, days = min(ends)
        chosen.append((trip, days))
        day -= days
    return float(reached[-1][-1]), chosen


def _trip(space: Space, out: Array, home: Array, ended: list[Array], legs: Legs, trip: int, days: int) -> list[list[int]]:
    """The stops of each day of a trip, found back from its last day."""
    seen, told = trip, []
    state = space.tables.home.best(ended[days - 2], home, trip)[1] if days > 1 else -1
    end = 0
    for night in range(days - 2, -1, -1):
        before, place = space.asleep(state)
        told.append(_ordered(place, set(space.stops(seen)) - set(space.stops(before)), end, legs))
        seen, end = before, place
        state = space.tables.out.best(ended[night - 1], out, state)[1] if night else -1
    told.append(_ordered(0, set(space.stops(seen)), end, legs))
    return told[::-1]


def _ordered(start: int, stops: set[int], end: int, legs: Legs) -> list[int]:
    """The stops of a day in the order of least travel from where the team slept to its end: a stop of the day, or the base (0)."""
    def travel(order: tuple[int, ...]) -> float:
        ticks = float(sum(legs.going[a, b] for a, b in pairwise((start, *order))))
        return ticks if end else ticks + float(legs.home[order[-1] if order else start])
    able: list[tuple[int, ...]] = [order for order in permutations(sorted(stops)) if not end or order[-1] == end]
    best = min(able, key=travel)
    return list(best)
