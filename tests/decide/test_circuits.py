"""Circuits of small random fleets: drivable as they are told, and no circuit whatever passes the ceiling."""

from dataclasses import asdict, replace
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
import valley
from valley_travel import times

from planner.access.circuit_rules import circuit_faults
from planner.access.gap import compute_access
from planner.decide import fleet as fleets
from planner.decide.circuits import draw, first_circuits, pools
from planner.decide.fleet import Choices, Fleet, fleet_of
from planner.decide.gains import people_tiers
from planner.decide.rounds import plan_round
from planner.decide.rules import mobile_candidates
from planner.decide.selection import select
from planner.decide.team import best_stops
from planner.model import Access, Option, TeamTimes
from planner.settings import Scenario
from planner.travel.teams import team_legs
from planner.travel.times import compute_travel

BASES = ["MDIMB000011", "MDIMB000022"]


def random_fleet(seed: int, *, shuffled: bool = False) -> tuple[Fleet, Access, pd.DataFrame]:
    """At most five stops and two bases with directed minutes, many of them too long or missing; rules that differ by seed."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 6))
    ids = [f"9900100{i:02d}" for i in range(n)]
    scenario = Scenario(
        umm_stops_max=int(rng.integers(1, 4)), umm_people_max=float(rng.choice([60, 120])), mobile_people_min=float(rng.choice([0, 20])),
        shift_hours=float(rng.choice([8, 10])), stops_day_max=int(rng.integers(1, 4)), brigade_nights_max=int(rng.integers(0, 4)),
        working_days_month=int(rng.choice([8, 20])), first_stop_max_min=60.0, budget_mxn_year=float(rng.integers(1, 12)) * 1e6)
    where = rng.uniform(0, 110, (n + len(BASES), 2))
    away = np.hypot(*(where[:, None] - where).transpose(2, 0, 1)) * rng.uniform(1, 1.3, (len(where), len(where)))
    away = np.where(rng.random(away.shape) < 0.1, np.inf, np.round(away, 6))
    np.fill_diagonal(away, 0.0)
    back = (scenario.shift_hours - scenario.stop_hours_min) * 60.0

    def table(minutes: np.ndarray, sites: list[str], limit: float):  # type: ignore[no-untyped-def]
        pairs = {(c, s): float(minutes[i, j]) for i, c in enumerate(ids) for j, s in enumerate(sites)}
        return times(pairs, pd.Index(ids), sites, limit)

    team = TeamTimes(table(away[n:, :n].T, BASES, scenario.first_stop_max_min), table(away[:n, n:], BASES, back),
                     table(away[:n, :n], ids, scenario.leg_max_min))
    people = rng.integers(5, 90, n).astype(float)
    place = pd.DataFrame({"people": people, "sufficiency": rng.choice([0.0, 0.5], n), "access": 0.0, "visits_month": 0.0,
                          "hospital_access": 0.0, "need_weight": rng.choice([1.0, 1.5, 2.0], n), "weighted_gap": people * 2,
                          "first_level_min": 100.0, "hospital_min": 10.0}, index=pd.Index(ids, name="cvegeo"))
    access = Access(place, pd.DataFrame(), pd.DataFrame())
    candidates = pd.DataFrame({"umm": rng.random(n) < 0.8, "brigada": rng.random(n) < 0.8}, index=place.index)
    if shuffled:
        access, candidates = Access(place.iloc[::-1], pd.DataFrame(), pd.DataFrame()), candidates.iloc[::-1]
    tiers = people_tiers(access, scenario)
    markets = tuple(fleets._market(kind, candidates, tiers, team, scenario) for kind in fleets.TEAMS)
    names = [*ids, *BASES]
    all_legs = [(a, b, away[i, j]) for i, a in enumerate(names) for j, b in enumerate(names)]
    legs = pd.DataFrame(all_legs, columns=["from_id", "to_id", "minutes"])
    return Fleet(markets, team, pd.Series(BASES, BASES), pd.Series("Alto", place.index), place["first_level_min"], scenario), access, legs


def places(access: Access) -> pd.DataFrame:
    return pd.DataFrame({"cve_mun": "99001", "irs_grade": "Alto", "population": 100.0, "indigenous": 0.0}, index=access.localities.index)


def every_circuit(fleet: Fleet, legs: pd.DataFrame) -> list[Option]:
    """All that one team may drive: each set of stops from each base."""
    away = legs.set_index(["from_id", "to_id"])["minutes"]
    found = []
    for market in fleet.markets:
        for k in range(1, fleet.stops_max(market) + 1):
            for stops in combinations(range(len(market.stops)), k):
                for base, clues in enumerate(fleet.bases.index):
                    names = [clues, *market.stops[list(stops)]]
                    minutes = np.array([[away[a, b] for b in names] for a in names])
                    days = plan_round(clues, names[1:], minutes, fleet.rules(market))
                    if days is not None:
                        found.append(fleets._option(fleet, market, base, np.array(stops), days))
    return [o for o in found if o.serves["available"].sum() >= fleet.scenario.mobile_people_min]


def check(options: list[Option], fleet: Fleet, legs: pd.DataFrame) -> None:
    """Each keeps every rule, is drawn once, and visits whom its market may visit."""
    assert circuit_faults(options, legs, fleet.scenario) == []
    assert [o.id for o in options] == sorted({o.id for o in options})
    markets = {m.kind: m for m in fleet.markets}
    for option in options:
        market = markets[option.kind]
        assert set(option.serves["cvegeo"]) == set(option.stops) <= set(market.stops)
        assert len(option.stops) <= fleet.stops_max(market)
        assert option.serves["available"].sum() >= fleet.scenario.mobile_people_min
        assert option.people <= fleet.scenario.umm_people_max + 1e-9
        assert option.kind == "brigada" or not any(day.night_out for day in option.days)


def worth_of(stops: tuple[int, ...], worth: np.ndarray, crowd: np.ndarray, room: float) -> float:
    """What a team with so much room closes at these stops, the people who are worth most first."""
    total = 0.0
    for stop in sorted(stops, key=lambda s: -worth[s] / crowd[s]):
        part = min(1.0, room / crowd[stop])
        total, room = total + part * worth[stop], room - part * crowd[stop]
    return total


def test_a_team_takes_the_best_of_its_first_stops_and_reaches_those_beyond_by_one_another() -> None:
    beyond = 0
    for seed in range(40):
        fleet, _, _ = random_fleet(seed)
        rng = np.random.default_rng(seed)
        for market in fleet.markets:
            crowd, worth = market.people, market.weighted * rng.uniform(0, 1, len(market.stops))
            step = (market.legs > 0).toarray()
            for base in range(market.reach.shape[0]):
                first = market.direct(base)
                found = best_stops(fleet, market, base, worth, crowd)
                near = np.flatnonzero(first & (market.usual[base].toarray().ravel() > 0))
                best = max((worth_of(some, worth, crowd, fleet.scenario.umm_people_max)
                            for k in range(fleet.stops_max(market) + 1) for some in combinations(near, k)), default=0.0)
                assert len(found) == len(set(found)) <= fleet.stops_max(market)
                assert worth_of(tuple(found), worth, crowd, fleet.scenario.umm_people_max) >= best * (1 - 5e-3) - 1e-9
                seen = first[found]
                for _ in found:
                    seen = seen | (step[np.ix_(found, found)] & seen[:, None]).any(axis=0)
                assert seen.all()
                beyond += int((~first[found]).sum())
    assert beyond > 5


@pytest.mark.parametrize("part", range(8))
def test_no_circuit_whatever_passes_the_ceiling(part: int) -> None:
    for seed in range(5 * part, 5 * part + 5):
        fleet, access, legs = random_fleet(seed)
        first, relaxed, every = first_circuits(fleet), pools(fleet), every_circuit(fleet, legs)
        check(first, fleet, legs)
        reach = Choices((), tuple(relaxed)).reached
        assert {s for o in every for s in o.stops} <= set(reach), seed
        found = select(Choices(tuple(first), tuple(relaxed), fleet), places(access), access, fleet.scenario)
        check([o for o in found.options if o.days], fleet, legs)
        best = select(Choices(tuple(every)), places(access), access, fleet.scenario, nodes=1000).solution
        assert best.status == "óptimo", seed
        assert found.solution.value <= best.value + 1e-6, seed
        assert best.value <= found.solution.ceiling + 1e-6 or not first, seed


@pytest.mark.parametrize("seed", range(25))
def test_no_more_teams_are_drawn_than_asked_and_none_waits_on_another(seed: int) -> None:
    fleet, access, legs = random_fleet(seed)
    everybody = people_tiers(access, fleet.scenario)["people"].to_numpy(float)
    for teams in ({"umm": 1}, {"umm": 2, "brigada": 1}, {"brigada": 3}, {}):
        drawn = draw(fleet, teams, everybody)
        check(drawn, fleet, legs)
        counts = pd.Series([o.kind for o in drawn], dtype="str").value_counts()
        assert all(counts[kind] <= teams[kind] for kind in counts.index)
    assert draw(fleet, {"umm": 2, "brigada": 2}, np.zeros(len(everybody))) == []


@pytest.mark.parametrize("seed", range(8))
def test_shuffled_rows_give_the_same_circuits(seed: int) -> None:
    (fleet, access, _), (mixed, turned, _) = random_fleet(seed), random_fleet(seed, shuffled=True)
    everybody = people_tiers(access, fleet.scenario)["people"].to_numpy(float)
    for build in (first_circuits, pools, lambda f: draw(f, {"umm": 2, "brigada": 1}, everybody)):
        one, other = build(fleet), build(mixed)
        assert len(one) == len(other)
        for option, same in zip(one, other, strict=True):
            assert {k: v for k, v in vars(option).items() if k != "serves"} == {k: v for k, v in vars(same).items() if k != "serves"}
            pd.testing.assert_frame_equal(option.serves, same.serves)
    one, other = (select(Choices(tuple(first_circuits(f)), tuple(pools(f)), f), places(a), a, f.scenario)
                  for f, a in ((fleet, access), (mixed, turned)))
    assert (one.chosen, asdict(one.solution)) == (other.chosen, asdict(other.solution))


@pytest.mark.parametrize("change", [{}, {"season": "lluvias"}, {"first_stop_max_min": 5.0}, {"leg_max_min": 5.0}, {"brigade_nights_max": 0},
                                    {"umm_people_max": 1000.0}, {"stop_hours_min": 7.5}, {"stop_hours_min": 9.0}])
@pytest.mark.parametrize("roads", [True, False])
def test_the_valleys_circuits_have_true_legs(change: dict[str, object], roads: bool) -> None:
    region = valley.region()
    scenario = Scenario(reach_first_level_min=15.0, mobile_people_min=100.0, mobile_locality_max=5000.0, **change)  # type: ignore[arg-type]
    travel = compute_travel(region, scenario)
    travel = replace(travel, road_any=travel.road_any & roads)
    access = compute_access(region, travel, scenario)
    tiers = people_tiers(access, scenario)
    fleet = fleet_of(region, access, mobile_candidates(region, travel, access, scenario), tiers, scenario)
    options = [*first_circuits(fleet), *draw(fleet, {"umm": 1, "brigada": 2}, tiers["people"].to_numpy(float))]
    assert options or {"stop_hours_min", "first_stop_max_min"} & set(change)
    assert options == [] or scenario.stop_hours_min < 8.0
    for option in options:
        route = [(a, b) for a in [option.place, *option.stops] for b in [option.place, *option.stops]]
        legs = team_legs(region, scenario, pd.DataFrame(route, columns=["from_id", "to_id"]))
        check([option], fleet, pd.DataFrame(legs))
    assert roads or all(o.kind == "brigada" for o in options)


def test_nobody_to_visit_is_no_circuit() -> None:
    fleet, _, _ = random_fleet(1)
    market = fleet.markets[0]
    empty = replace(market, stops=market.stops[:0], rows=market.rows.iloc[:0], **{
        name: getattr(market, name)[:, :0] for name in ("reach", "usual", "minutes")}, legs=market.legs[:0, :0])
    nobody = replace(fleet, markets=(empty,))
    assert first_circuits(nobody) == pools(nobody) == draw(nobody, {"umm": 1}, np.empty(0)) == []
