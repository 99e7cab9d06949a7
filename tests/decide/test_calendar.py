"""The month of a team: room for trips held to trying every day, and what a schedule must never do."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import product

import numpy as np
import pandas as pd
import pytest

from planner.decide.calendar import dates, fits, may_start, schedule, trips_of, week_days
from planner.decide.rounds import RoundRules, plan_round
from planner.errors import DataError
from planner.kinds import Kind
from planner.model import Day, Option
from planner.settings import Scenario

BASE = "HGIMB000000"


def room(lengths: tuple[int, ...], visits: int, working_days: int, days_week: int) -> bool:
    """Whether some first days give every trip its days to itself, all tried."""
    period = working_days // visits

    def taken(first: int, length: int) -> set[int] | None:
        some = [[first + visit * period + k for k in range(length)] for visit in range(visits)]
        weeks = [{(day - 1) // days_week for day in trip} for trip in some]
        if max(map(max, some)) > working_days or (length > 1 and any(len(w) > 1 for w in weeks)):
            return None
        return {day for trip in some for day in trip}

    for firsts in product(range(1, working_days + 1), repeat=len(lengths)):
        days = [taken(first, length) for first, length in zip(firsts, lengths, strict=True)]
        if all(d is not None for d in days) and len(set().union(*days)) == sum(lengths) * visits:  # type: ignore[arg-type]
            return True
    return not lengths


@pytest.mark.parametrize(("visits", "working_days"), [(1, 12), (2, 12), (3, 12), (3, 14), (4, 16), (3, 20), (6, 20), (2, 15), (1, 4)])
def test_trips_fit_where_trying_every_day_finds_them_room(visits: int, working_days: int) -> None:
    week, answers = week_days(working_days), []
    for size in (1, 2, 3):
        for lengths in product(range(1, 5), repeat=size):
            if list(lengths) == sorted(lengths):
                answers.append(room(lengths, visits, working_days, week) if sum(lengths) * visits <= working_days else False)
                assert fits(lengths, visits, working_days, week) == answers[-1], lengths
    assert any(answers)
    assert not all(answers)


def test_room_that_only_a_trip_over_the_end_of_its_period_leaves() -> None:
    # Three visits in twenty days: periods of six days, and weeks' ends within them on days three, four and five.
    assert fits((2, 2, 1, 1), 3, 20, 5)
    assert not fits((2, 2, 2), 3, 20, 5)
    assert fits((1,) * 6, 3, 20, 5)
    assert not fits((1,) * 7, 3, 20, 5)
    assert fits((), 3, 20, 5)
    assert not fits((1,), 21, 20, 5)


def test_a_trip_with_nights_starts_where_no_visit_meets_a_weekend() -> None:
    assert [day for day in range(1, 21) if may_start(day, 5, 1, 20, 5)] == [1, 6, 11, 16]
    assert [day for day in range(1, 21) if may_start(day, 3, 2, 20, 5)] == [1, 2, 3, 6, 7, 8]
    assert [day for day in range(1, 21) if may_start(day, 1, 4, 20, 5)] == [1, 2, 3, 4, 5]


def circuit(kind: Kind, visits: float, seed: int, n: int, scenario: Scenario) -> Option | None:
    rng = np.random.default_rng(seed)
    xy = np.vstack([np.zeros(2), rng.uniform(-40, 40, (n, 2))])
    minutes = np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1)) * rng.uniform(0.9, 1.1, (n + 1, n + 1))
    stops = tuple(f"1300{k:05d}" for k in range(n))
    days = plan_round(BASE, stops, minutes, RoundRules.of(kind, visits, scenario))
    if days is None:
        return None
    return Option(f"{kind}-{BASE}-01", kind, BASE, "", 0, 0, 0, pd.DataFrame(), "", stops=stops, days=days, visits_month=visits)


@pytest.mark.parametrize("visits", [1.0, 2.0, 3.0, 4.0, 1.5, 0.5])
@pytest.mark.parametrize("kind", ["umm", "brigada"])
@pytest.mark.parametrize("working_days", [20, 18, 24])
def test_a_month_visits_every_stop_as_often_as_promised_and_is_never_in_two_places(visits: float, kind: Kind, working_days: int) -> None:
    scenario = Scenario(working_days_month=working_days, brigade_nights_max=2)
    made = [circuit(kind, visits, seed, n, scenario) for seed, n in enumerate((1, 2, 4, 5, 6, 6))]
    assert any(option is not None for option in made)
    for option in made:
        if option is None:
            continue
        month, times = schedule(option, scenario), int(np.ceil(visits))
        served = month[month["stop_min"] > 0]
        assert (served.groupby("to_id").size() == times).all()
        assert set(served["to_id"]) == set(option.stops)
        assert (served.groupby(["to_id", "visit"]).size() == 1).all()
        assert set(served["stop_min"]) == {scenario.stop_hours_min * 60}
        assert month["day"].between(1, working_days).all()
        _is_one_way_through_the_month(month, option, times, scenario)


def _is_one_way_through_the_month(month: pd.DataFrame, option: Option, times: int, scenario: Scenario) -> None:
    assert not month.duplicated(["day", "order"]).any()
    assert month.groupby("day")[["visit", "trip"]].nunique().eq(1).all(axis=None)  # one trip a day
    here, slept = BASE, None
    for leg in month.itertuples():
        assert leg.from_id == here
        if leg.order == 1 and slept is not None:
            assert leg.day == slept + 1  # the day after a night out
            assert week(leg.day, scenario) == week(slept, scenario)
            assert dates(leg.day, scenario) == dates(slept, scenario) + timedelta(days=1)
        here, slept = leg.to_id, leg.day if leg.night_out else None
        assert (here == BASE) == (leg.stop_min == 0)
    assert here == BASE
    by_trip = month.groupby(["trip", "visit"])["day"].min().unstack()
    period = scenario.working_days_month // times
    assert ((by_trip.sub(by_trip[1], axis=0)) == [period * k for k in range(times)]).all(axis=None)
    legs = [leg for day in option.days for leg in day.legs_min]
    assert month["minutes"].sum() == pytest.approx(times * sum(legs), rel=1e-12)
    trips = trips_of(option.days)
    assert [len(t) for t in trips] == month[month["visit"] == 1].groupby("trip")["day"].nunique().tolist()


def week(day: int, scenario: Scenario) -> int:
    return dates(day, scenario).isocalendar().week


def test_a_month_by_hand() -> None:
    days = (Day(("130000001",), (30.0,)), Day((), (35.0,)), Day(("130000002", "130000003"), (20.0, 10.0, 25.0)))
    option = Option("brigada-x-01", "brigada", BASE, "", 0, 0, 0, pd.DataFrame(), "", stops=("130000001", "130000002", "130000003"),
                    days=days, visits_month=2.0)
    month = schedule(option, Scenario())
    first = [(1, 1, 1, 1, BASE, "130000001", 30.0, 180.0, True), (1, 2, 1, 1, "130000001", BASE, 35.0, 0.0, False),
             (1, 3, 2, 1, BASE, "130000002", 20.0, 180.0, False), (1, 3, 2, 2, "130000002", "130000003", 10.0, 180.0, False),
             (1, 3, 2, 3, "130000003", BASE, 25.0, 0.0, False)]
    assert list(month.itertuples(index=False, name=None)) == [*first, *((2, day + 10, *rest) for _, day, *rest in first)]
    assert list(month.columns) == ["visit", "day", "trip", "order", "from_id", "to_id", "minutes", "stop_min", "night_out"]


def test_an_option_without_a_round_has_no_rows_and_an_impossible_one_is_refused() -> None:
    nothing = Option("umr-1", "umr", "130000001", "", 0, 0, 0, pd.DataFrame(), "")
    assert schedule(nothing, Scenario()).empty
    assert schedule(nothing, Scenario())["minutes"].dtype == float
    many = Option("umm-1", "umm", BASE, "", 0, 0, 0, pd.DataFrame(), "", days=(Day(("130000001",), (1.0, 1.0)),) * 6, visits_month=4.0)
    with pytest.raises(DataError, match="umm-1 ocupa 6 días y no cabe en un mes de 20 días de trabajo con 4 visitas"):
        schedule(many, Scenario())


def test_dates_are_working_days_of_four_weeks_from_the_monday_of_the_scenario() -> None:
    scenario = Scenario(calendar_start=date(2026, 3, 2))
    all_days = [dates(day, scenario) for day in range(1, 21)]
    assert all(d.weekday() < 5 for d in all_days)
    assert all_days[0] == date(2026, 3, 2)
    assert all_days[-1] == date(2026, 3, 27)
    six = Scenario(working_days_month=23)
    assert [dates(day, six).weekday() for day in (1, 6, 7, 23)] == [0, 5, 0, 4]
