"""The month of a team: on which working days it makes each trip of its round, and again at every visit.

The month has four weeks of ceil(working days / 4) working days. Visit k of a trip comes floor(working days / visits) (k - 1)
days after the first one; a trip with nights out never lasts over a week's end, at any visit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date, timedelta
from functools import lru_cache

import pandas as pd

from planner.errors import DataError
from planner.model import Day, Option
from planner.settings import Scenario

COLUMNS = {"visit": "int64", "day": "int64", "trip": "int64", "order": "int64", "from_id": "str", "to_id": "str",
           "minutes": "float64", "stop_min": "float64", "night_out": "bool"}


def week_days(working_days: int) -> int:
    """Working days of a week of the month.

    >>> week_days(20), week_days(18)
    (5, 5)
    """
    return math.ceil(working_days / 4)


def month_visits(visits_month: float) -> int:
    """Whole visits that a month's calendar holds: never fewer than promised.

    >>> month_visits(2.0), month_visits(1.5), month_visits(0.5)
    (2, 2, 1)
    """
    return max(1, math.ceil(visits_month - 1e-9))


def trips_of(days: Sequence[Day]) -> list[tuple[Day, ...]]:
    """The days of a round by trip: each trip ends on the day that the team comes home."""
    trips: list[tuple[Day, ...]] = []
    trip: list[Day] = []
    for day in days:
        trip.append(day)
        if not day.night_out:
            trips.append(tuple(trip))
            trip = []
    return trips


def fits(days: Sequence[int], visits: int, working_days: int, days_week: int) -> bool:
    """Whether the month has room for every visit of trips that last so many days.

    >>> fits((3, 3), 2, 20, 5), fits((3, 3), 4, 20, 5)
    (True, False)
    """
    return _starts(tuple(sorted(days, reverse=True)), visits, working_days, days_week) is not None


def may_start(day: int, length: int, visits: int, working_days: int, days_week: int) -> bool:
    """Whether a trip of `length` days that first starts on this day stays in the month and keeps its weeks' ends at every visit."""
    period = working_days // visits
    later = (visits - 1) * period
    if day + length - 1 + later > working_days:
        return False
    return length == 1 or all(first // days_week == (first + length - 1) // days_week for first in range(day - 1, day + later, period))


def schedule(option: Option, scenario: Scenario) -> pd.DataFrame:
    """The month of a circuit, one row per leg, sorted by day and order; no rows if the option has no round.

    Columns: visit (from 1), day (working day, from 1), trip (from 1), order (of the leg in its day, from 1), from_id, to_id,
    minutes, stop_min (minutes of stay at to_id; 0 where it is the base), night_out (the team sleeps at to_id after this leg).
    Raises DataError for a round that no month holds; `rounds.plan_round` makes none.
    """
    trips = trips_of(option.days)
    visits, working_days = month_visits(option.visits_month), scenario.working_days_month
    longest_first = sorted(range(len(trips)), key=lambda k: -len(trips[k]))
    starts = _starts(tuple(len(trips[k]) for k in longest_first), visits, working_days, week_days(working_days))
    if starts is None:
        raise DataError(f"La ruta {option.id} ocupa {len(option.days)} días y no cabe en un mes de {working_days} días de trabajo con "
                        f"{visits} visitas; quítele paradas o visitas.")
    rows = []
    for k, start in zip(longest_first, starts, strict=True):
        for visit in range(visits):
            first = start + visit * (working_days // visits)
            rows += [(visit + 1, first + after, k + 1, *leg) for after, *leg in _legs(option.place, trips[k], scenario)]
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS).sort_values(["day", "order"], ignore_index=True)


def dates(day: int, scenario: Scenario) -> date:
    """The date of a working day of the four-week cycle, which starts on a Monday.

    >>> dates(6, Scenario()).isoformat()
    '2026-01-12'
    """
    week, weekday = divmod(day - 1, week_days(scenario.working_days_month))
    return scenario.calendar_start + timedelta(days=7 * week + weekday)


def _legs(base: str, trip: Sequence[Day], scenario: Scenario) -> list[tuple[int, int, str, str, float, float, bool]]:
    """Each leg of a trip: days after its first, order in its day, from_id, to_id, minutes, stop_min and night_out."""
    stay, here, legs = scenario.stop_hours_min * 60.0, base, []
    for after, day in enumerate(trip):
        for order, (there, minutes) in enumerate(zip((*day.stops, base), day.legs_min, strict=False), 1):
            legs.append((after, order, here, there, minutes, stay if order <= len(day.stops) else 0.0,
                         day.night_out and order == len(day.legs_min)))
            here = there
    return legs


@lru_cache(maxsize=4096)
def _starts(lengths: tuple[int, ...], visits: int, working_days: int, days_week: int) -> tuple[int, ...] | None:
    """First days of trips of these lengths (longest first), the earliest that leave room for the rest; None if there are none.

    Trips of one day come last, and each free day of a visit's period takes one wherever the others stand.
    """
    if not lengths:
        return ()
    if visits > working_days or sum(lengths) > working_days // visits:
        return None
    period = working_days // visits
    room = {length: [(day, sum(((1 << length) - 1) << (day + k * period) for k in range(visits)))
                     for day in range(1, working_days + 1) if may_start(day, length, visits, working_days, days_week)]
            for length in set(lengths)}
    dead: set[tuple[int, int]] = set()

    def place(k: int, used: int) -> tuple[int, ...] | None:
        if k == len(lengths):
            return ()
        if (k, used) in dead:
            return None
        for day, taken in room[lengths[k]]:
            if not used & taken:
                rest = place(k + 1, used | taken)
                if rest is not None:
                    return (day, *rest)
                if lengths[k] == 1:
                    break
        dead.add((k, used))
        return None

    return place(0, 0)
