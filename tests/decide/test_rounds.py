"""Rounds held to brute force, to tours known by construction, and to a plain recount of the rules."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from itertools import permutations

import numpy as np
import pytest

from planner.decide.rounds import RoundRules, exact, plan_round
from planner.model import Day
from planner.settings import Scenario

BASE = "HGIMB000000"
TICK = 1e-6


def ids(n: int) -> list[str]:
    return [f"1300{k:05d}" for k in range(1, n + 1)]


# An independent checker: a plain recount of the rules from ids and minutes.


def broken(days: Sequence[Day], stops: Sequence[str], minutes: np.ndarray, rules: RoundRules) -> list[str]:
    """What a round breaks; empty if nothing."""
    place = {BASE: 0, **{s: k for k, s in enumerate(stops, 1)}}
    faults = [] if sorted(s for d in days for s in d.stops) == sorted(stops) else ["not every stop once"]
    here, nights, lengths, length = BASE, 0, [], 0
    for day in days:
        length += 1
        home = len(day.legs_min) == len(day.stops) + 1
        if not home and (len(day.legs_min) != len(day.stops) or not day.stops):
            faults.append("legs and stops do not match")
        if len(day.stops) > rules.stops_day:
            faults.append("too many stops")
        if not day.stops and here == BASE:
            faults.append("a day of nothing")
        if sum(day.legs_min) + len(day.stops) * rules.stop_min > rules.shift_min + TICK:
            faults.append("over the shift")
        there: list[str] = [*day.stops, BASE] if home else list(day.stops)
        for leg, to in zip(day.legs_min, there, strict=True):
            if leg != minutes[place[here], place[to]]:
                faults.append("other minutes")
            limit = math.inf if to == BASE else rules.first_stop_max_min if here == BASE else rules.leg_max_min
            if not leg <= limit:
                faults.append("a leg too long")
            here = to
        nights = 0 if home else nights + 1
        if nights > rules.nights_max:
            faults.append("too many nights")
        if home:
            lengths.append(length)
            length = 0
    if here != BASE:
        faults.append("does not come home")
    if not month_holds(tuple(sorted(lengths)), rules.visits, rules.working_days):
        faults.append("no calendar")
    return faults


@cache
def month_holds(lengths: tuple[int, ...], visits: int, working_days: int) -> bool:
    """Whether trips of these lengths stand in the month, each tried on every day."""
    week, period = math.ceil(working_days / 4), working_days // visits
    if sum(lengths) * visits > working_days:
        return False

    def days_from(first: int, length: int) -> set[int] | None:
        taken: set[int] = set()
        for visit in range(visits):
            some = range(first + visit * period, first + visit * period + length)
            if some[-1] > working_days or (length > 1 and len({(d - 1) // week for d in some}) > 1):
                return None
            taken |= set(some)
        return taken

    def place(left: tuple[int, ...], used: frozenset[int]) -> bool:
        if not left:
            return True
        tries = (days_from(first, left[-1]) for first in range(1, working_days + 1))
        return any(place(left[:-1], used | days) for days in tries if days is not None and not used & days)

    return place(lengths, frozenset())


# Brute force: every round day by day, trips in the order of their first stops' numbers.


def brute_force(minutes: np.ndarray, rules: RoundRules) -> tuple[int, int] | None:
    """Least travel in millionths of a minute, and the fewest days with it."""
    n = len(minutes) - 1
    found: list[tuple[int, int]] = [(2**62, 0)]

    def ends(here: int, left: frozenset[int]) -> Iterator[tuple[tuple[int, ...], float]]:
        for size in range(min(rules.stops_day, len(left)) + 1):
            for stops in permutations(sorted(left), size):
                way = (here, *stops)
                legs = [minutes[a, b] for a, b in zip(way, stops, strict=False)]
                limits = [rules.first_stop_max_min if a == 0 else rules.leg_max_min for a in way[:-1]]
                if all(leg <= limit for leg, limit in zip(legs, limits, strict=True)):
                    yield stops, sum(legs)

    def on(here: int, left: frozenset[int], spent: int, nights: int, lengths: tuple[int, ...], length: int, first: int) -> None:
        if (spent, sum(lengths) + length) >= found[0] or (sum(lengths) + length) > rules.days_max:
            return
        if not left and here == 0:
            if month_holds(tuple(sorted(lengths)), rules.visits, rules.working_days):
                found[0] = (spent, sum(lengths))
            return
        for stops, travel in ends(here, left):
            if here == 0 and (not stops or stops[0] < first):
                continue
            last, work = (stops[-1] if stops else here), len(stops) * rules.stop_min
            begun = stops[0] if here == 0 else first
            home = travel + minutes[last, 0]
            if home + work <= rules.shift_min + TICK / 2:
                on(0, left - set(stops), spent + round(home * 1e6), 0, (*lengths, length + 1), 0, begun)
            if stops and nights < rules.nights_max and travel + work <= rules.shift_min + TICK / 2:
                on(last, left - set(stops), spent + round(travel * 1e6), nights + 1, lengths, length + 1, begun)

    on(0, frozenset(range(1, n + 1)), 0, 0, (), 0, 0)
    return None if found[0][0] == 2**62 else found[0]


def cost(days: Sequence[Day]) -> tuple[int, int]:
    return sum(round(leg * 1e6) for d in days for leg in d.legs_min), len(days)


def some_minutes(rng: np.random.Generator, n: int) -> np.ndarray:
    """On a plane, or of any kind; symmetric or directed; sometimes whole, which ties, or with missing ways."""
    if rng.random() < 0.7:
        xy = rng.uniform(-1, 1, (n + 1, 2)) * rng.choice([40, 60, 90])
        xy[0] *= rng.choice([0, 1])
        minutes = np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1))
    else:
        minutes = rng.uniform(5, 120, (n + 1, n + 1))
        minutes = (minutes + minutes.T) / 2
    if rng.random() < 0.6:
        minutes = minutes * rng.uniform(0.7, 1.4, minutes.shape)
    if rng.random() < 0.3:
        minutes[rng.random(minutes.shape) < 0.15] = np.inf
    np.fill_diagonal(minutes, 0)
    return np.round(minutes / 10) * 10 if rng.random() < 0.2 else np.round(minutes, 6)


def some_rules(rng: np.random.Generator) -> RoundRules:
    working_days, visits = [(20, 1), (20, 2), (20, 4), (20, 5), (16, 4), (8, 2), (20, 3), (18, 4), (4, 1), (12, 3)][rng.integers(10)]
    return RoundRules(
        shift_min=float(rng.choice([300, 420, 480, 600])), stop_min=float(rng.choice([60, 120, 180])),
        stops_day=int(rng.choice([1, 2, 2, 3])), first_stop_max_min=float(rng.choice([60, 90, 150])),
        leg_max_min=float(rng.choice([40, 90, 150])), nights_max=int(rng.choice([0, 0, 1, 2, 4])), visits=visits, working_days=working_days)


def compared(seed: int, n: int, rules: RoundRules | None = None) -> bool:
    rng = np.random.default_rng(seed)
    rules = rules or some_rules(rng)
    minutes, stops = some_minutes(rng, n), ids(n)
    truth, found = brute_force(minutes, rules), plan_round(BASE, stops, minutes, rules)
    assert (None if found is None else cost(found)) == truth, (seed, rules)
    if found is not None:
        assert not broken(found, stops, minutes, rules), (seed, rules)
    return found is not None


def test_brute_force_finds_the_same_rounds_of_up_to_five_stops() -> None:
    found = [compared(1000 * n + k, n) for n in range(1, 6) for k in range(60)]
    assert 0.3 < np.mean(found) < 0.95  # both answers are put to the test


def test_brute_force_finds_the_same_rounds_of_six_and_seven_stops_in_four_days() -> None:
    rng = np.random.default_rng(4)
    found = []
    for k in range(40):
        visits, working_days = [(5, 20), (4, 16), (1, 4), (3, 14)][k % 4]
        rules = replace(some_rules(rng), visits=visits, working_days=working_days)
        assert rules.days_max == 4
        found.append(compared(7000 + k, 6 + k % 2, rules))
    assert 0.1 < np.mean(found) < 0.9


@pytest.mark.parametrize("seed", range(12))
def test_brute_force_finds_the_same_rounds_of_six_stops_under_the_base_scenario(seed: int) -> None:
    kind, visits = [("umm", 2.0), ("brigada", 1.0), ("brigada", 4.0)][seed % 3]
    compared(600 + seed, 6, RoundRules.of("brigada" if kind == "brigada" else "umm", visits, Scenario()))


def test_a_month_that_has_no_room_for_the_cheapest_trips_gets_others() -> None:
    # Two trips of three days are cheapest; with four visits a week has room for one of them only.
    minutes = np.full((7, 7), 200.0)
    for group in ((1, 2, 3), (4, 5, 6)):
        for a in group:
            minutes[0, a] = minutes[a, 0] = 60.0
            for b in group:
                minutes[a, b] = 10.0
    rules = RoundRules(480, 300, 2, 90, 90, 4, 2, 20)
    free, tight = plan_round(BASE, ids(6), minutes, rules), plan_round(BASE, ids(6), minutes, replace(rules, visits=4))
    assert free is not None
    assert cost(free) == (2 * 140_000_000, 6)
    assert tight is None
    assert brute_force(minutes, replace(rules, visits=4)) is None
    wide = replace(rules, visits=3)  # periods of six days: weeks' ends fall on three of them
    assert month_holds((1, 1, 1, 3), 3, 20)
    assert not month_holds((3, 3), 3, 20)
    found = plan_round(BASE, ids(6), minutes, wide)
    assert found is not None
    assert cost(found) == brute_force(minutes, wide)
    assert not broken(found, ids(6), minutes, wide)


# Tours known by construction. Stops get their numbers at random.


def euclid(points: np.ndarray) -> np.ndarray:
    xy = np.vstack([np.zeros(2), points])
    return np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1))


def polar(radius: np.ndarray, angle: np.ndarray) -> np.ndarray:
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)


def within_one_percent(points: np.ndarray, rules: RoundRules, best: float, seed: int) -> None:
    minutes = euclid(points[np.random.default_rng(seed).permutation(len(points))])
    found = plan_round(BASE, ids(len(points)), minutes, rules)
    assert found is not None
    assert not broken(found, ids(len(points)), minutes, rules)
    driven = sum(leg for day in found for leg in day.legs_min)
    assert best * (1 - 1e-9) <= driven + 1e-4
    assert driven <= best * (1 if exact(len(points), rules) else 1.01) + 1e-4


UMM, BRIGADE = RoundRules.of("umm", 2.0, Scenario()), RoundRules.of("brigada", 1.0, Scenario())


@pytest.mark.parametrize("pairs", [2, 5, 7, 8, 10])
def test_pairs_side_by_side_on_rays_are_a_day_each(pairs: int) -> None:
    radius = np.linspace(30, 55, pairs)
    half = np.arcsin(1.5 / radius)  # three minutes apart, equally far from the base
    angle = 2 * np.pi * np.arange(pairs) / pairs
    points = np.vstack([polar(radius, angle - half), polar(radius, angle + half)])
    within_one_percent(points, UMM, float((2 * radius + 3).sum()), pairs)


@pytest.mark.parametrize(("lines", "stops"), [(1, 6), (1, 10), (2, 5), (2, 8), (2, 10)])
def test_stops_on_lines_are_one_way_out_and_back(lines: int, stops: int) -> None:
    far = 8.0 * np.arange(1, stops + 1)
    points = np.vstack([polar(far, np.full(stops, k * np.pi)) for k in range(lines)])
    within_one_percent(points, BRIGADE, 2 * lines * float(far[-1]), stops)


@pytest.mark.parametrize("stops", [10, 20])
def test_stops_on_a_circle_are_as_few_arcs_as_the_nights_allow(stops: int) -> None:
    points = polar(np.full(stops, 40.0), 2 * np.pi * np.arange(stops) / stops)
    trips, chord = stops // 10, 80.0 * np.sin(np.pi / stops)
    within_one_percent(points, BRIGADE, 80.0 * trips + (stops - trips) * chord, stops)


@pytest.mark.parametrize("n", [9, 11, 18])
@pytest.mark.parametrize("visits", [1.0, 2.0, 4.0])
@pytest.mark.parametrize("kind", ["umm", "brigada"])
def test_shuffled_stops_make_the_same_round_and_every_round_passes_the_checker(n: int, visits: float, kind: str) -> None:
    rng = np.random.default_rng(n)
    rules = RoundRules.of("umm" if kind == "umm" else "brigada", visits, Scenario())
    minutes = np.round(euclid(rng.uniform(-32, 32, (n, 2))) * rng.uniform(0.9, 1.1, (n + 1, n + 1)), 6)
    stops = ids(n)
    before = minutes.copy()
    found = plan_round(BASE, stops, minutes, rules)
    assert np.array_equal(minutes, before)
    by = rng.permutation(n)
    index = np.r_[0, by + 1]
    assert plan_round(BASE, [stops[k] for k in by], minutes[np.ix_(index, index)], rules) == found
    if found is not None:  # trips in the order of their first stops
        firsts = [d.stops[0] for d, before in zip(found, (None, *found), strict=False) if before is None or not before.night_out]
        assert firsts == sorted(firsts)
    if visits < 4:
        assert found is not None
    elif n > 2 * rules.days_max:
        assert found is None
    if found is not None:
        assert not broken(found, stops, minutes, rules)


@pytest.mark.parametrize("n", [15, 40])
def test_many_stops_have_a_round(n: int) -> None:
    minutes = np.round(euclid(np.random.default_rng(n).uniform(-30, 30, (n, 2))), 6)
    for rules in (replace(UMM, visits=1), BRIGADE):
        found = plan_round(BASE, ids(n), minutes, rules)
        assert found is not None
        assert not broken(found, ids(n), minutes, rules)


def test_where_there_is_no_round_none_is_given() -> None:
    minutes = euclid(polar(np.full(3, 40.0), np.arange(3.0)))
    assert plan_round(BASE, ids(3), minutes, UMM) is not None
    lost = minutes.copy()
    lost[:, 2] = np.inf  # a stop that no way leads to
    assert plan_round(BASE, ids(3), lost, BRIGADE) is None
    unknown = minutes.copy()
    unknown[2, 3] = np.nan
    assert plan_round(BASE, ids(3), unknown, BRIGADE) == plan_round(BASE, ids(3), np.where(np.isnan(unknown), np.inf, unknown), BRIGADE)
    trap = minutes.copy()
    trap[2, :] = np.inf  # and one that no way leaves
    assert plan_round(BASE, ids(3), trap, BRIGADE) is None
    assert plan_round(BASE, ids(3), minutes, replace(UMM, stop_min=500)) is None  # a stay longer than the shift
    assert plan_round(BASE, ids(3), minutes, replace(UMM, visits=30)) is None  # more visits than days
    assert plan_round(BASE, [], np.zeros((1, 1)), UMM) is None


def test_limits_hold_to_the_minute() -> None:
    minutes = np.array([[0, 90.0], [90.0, 0]])
    assert plan_round(BASE, ids(1), minutes, replace(UMM, shift_min=360)) == (Day(("130000001",), (90.0, 90.0)),)
    assert plan_round(BASE, ids(1), minutes, replace(UMM, shift_min=359.999999)) is None
    assert plan_round(BASE, ids(1), minutes, replace(UMM, first_stop_max_min=89.999999)) is None
    slow = np.array([[0, 60.0], [420.0, 0]])  # the way home fills a day of its own
    assert plan_round(BASE, ids(1), slow, UMM) is None
    night = plan_round(BASE, ids(1), slow, BRIGADE)
    assert night == (Day(("130000001",), (60.0,)), Day((), (420.0,)))
    assert plan_round(BASE, ids(1), slow, replace(BRIGADE, working_days=4)) is None  # weeks of a day: no night within one
    assert plan_round(BASE, ids(1), slow, replace(BRIGADE, nights_max=0)) is None


def test_rules_come_from_the_scenario() -> None:
    scenario = Scenario(shift_hours=9, stop_hours_min=2.5, stops_day_max=3, brigade_nights_max=2, working_days_month=18)
    brigade, umm = RoundRules.of("brigada", 1.0, scenario), RoundRules.of("umm", 4.0, scenario)
    assert (brigade.shift_min, brigade.stop_min, brigade.stops_day, brigade.nights_max) == (540, 150, 3, 2)
    assert (umm.nights_max, umm.days_max, umm.days_week, umm.stops_fit) == (0, 4, 5, 3)
    assert (brigade.first_stop_max_min, brigade.leg_max_min) == (scenario.first_stop_max_min, scenario.leg_max_min)
