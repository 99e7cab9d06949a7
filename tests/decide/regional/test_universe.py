"""The universe of work: hand-solved places, invariants of random ones, and the valley."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import valley
from hypothesis import given, settings
from hypothesis import strategies as st
from small_universe import PLAIN, State, by_rule, drawn, option, place_id, plan, unit_id

from planner.access.gap import compute_access
from planner.decide.regional.moves import OUTCOMES, REASONS
from planner.decide.regional.served import served_ratio
from planner.decide.regional.universe import Universe, universe
from planner.model import Plan
from planner.settings import Scenario
from planner.travel.times import compute_travel

INF = np.inf


def found(state: State, rule: str = "capacidad", chosen: Plan | None = None, scenario: Scenario = PLAIN, **more: object) -> Universe:
    return universe(*state, chosen, by_rule(rule, scenario, **more))


def share(answer: Universe, place: int, unit: str) -> float:
    rows = answer.shares
    return float(rows.loc[(rows["cvegeo"] == place_id(place)) & (rows["place"] == unit), "share"].sum())


def test_capacity_sends_on_who_loses_least() -> None:
    answer = found(drawn([6, 4], [7, 100], [[10, 30], [0, 5]]))
    assert answer.localities["place"].tolist() == [unit_id(0), unit_id(1)]  # of the second place 3 of 4 go on
    assert (share(answer, 1, unit_id(0)), share(answer, 1, unit_id(1))) == pytest.approx((0.25, 0.75))
    units = answer.units
    assert units["people"].tolist() == pytest.approx([7, 3])
    assert units["rho"].tolist() == [1, 1]
    assert units["localities"].tolist() == [1, 1]
    assert units["minutes_mean"].tolist() == pytest.approx([60 / 7, 5])
    assert units["minutes_p90"].tolist() == [10, 5]
    assert answer.solution is not None
    assert (answer.solution.value, answer.solution.bound) == pytest.approx((75, 75))
    assert answer.unplaced == 0


def test_who_finds_no_room_stands_at_the_nearest_over_its_capacity() -> None:
    answer = found(drawn([5, 3, 2], [4, 0], [[10, INF], [20, 1], [INF, INF]]))
    assert answer.localities["place"].tolist()[:2] == [unit_id(0), unit_id(1)]
    assert pd.isna(answer.localities["place"].iloc[2])
    assert answer.localities["unplaced"].tolist() == pytest.approx([1, 3, 0])
    assert answer.units["people"].tolist() == pytest.approx([5, 3])
    assert answer.units["unplaced"].tolist() == pytest.approx([1, 3])
    assert answer.units["rho"].tolist() == pytest.approx([0.8, 0])
    assert answer.unplaced == pytest.approx(4)


def test_a_half_and_half_locality_stands_at_the_lower_id() -> None:
    answer = found(drawn([4], [2, 2], [[20, 10]]))
    assert answer.shares["share"].tolist() == pytest.approx([0.5, 0.5])
    assert answer.localities["place"].tolist() == [unit_id(0)]


def test_nobody_lives_there_and_it_has_the_nearest_unit_still() -> None:
    answer = found(drawn([0, 9], [1, 20], [[3, 5], [1, 2]]))
    assert answer.localities["place"].tolist() == [unit_id(0), unit_id(1)]
    assert share(answer, 0, unit_id(0)) == 1


@pytest.mark.parametrize(("nuclei", "exponent", "first"), [
    ([1, 1], 2.0, 0.8), ([1, 4], 2.0, 0.5), ([1, 1], 1.0, 2 / 3), ([0, 1], 2.0, 0.0)])
def test_huff_by_hand(nuclei: list[int], exponent: float, first: float) -> None:
    answer = found(drawn([30], nuclei, [[10, 20]]), "huff", huff_exponent=exponent)
    assert share(answer, 0, unit_id(0)) == pytest.approx(first)
    assert answer.shares["share"].sum() == pytest.approx(1)
    assert answer.solution is None


def test_huff_at_no_distance_and_without_capacity() -> None:
    state = drawn([30, 30, 30], [1, 3, 0], [[0, 0, 5], [4, 9, 0], [INF, INF, 7]])
    answer = found(state, "huff")
    assert share(answer, 0, unit_id(1)) == pytest.approx(0.75)
    assert share(answer, 1, unit_id(2)) == 0  # as near as can be, but attends nobody
    assert answer.localities["place"].iloc[2] == unit_id(2)  # nothing else in reach
    far = found(drawn([30], [1, 1], [[10, 20]]), "huff", scenario=PLAIN.model_copy(update={"unlimited_capacity": True}))
    assert share(far, 0, unit_id(0)) == pytest.approx(0.8)


def test_beyond_reach_the_mobile_unit_of_today_or_the_circuit_of_the_plan() -> None:
    roles = ["primer_nivel", "movil", "movil"]
    rows: list[tuple[int, str | None, float]] = [
        (0, unit_id(0), 1.0), (1, unit_id(1), 0.4), (1, unit_id(2), 0.6), (2, None, 1.0), (3, unit_id(1), 1.0), (4, unit_id(0), 1.0)]
    state = drawn([5, 5, 5, 5, 5], [9, 0, 0], [[1, INF, INF], *[[INF] * 3] * 2, [170, INF, INF], [INF] * 3], rows, roles)
    umm = option("umm", unit_id(0), stops=(place_id(1), place_id(2)), visits=2.0)
    brigade = option("brigada", unit_id(0), stops=(place_id(2),), visits=1.0)
    answer = found(state, chosen=plan(umm, brigade))
    assert answer.localities["place"].tolist()[:4] == [unit_id(0), unit_id(2), umm.id, unit_id(0)]
    assert answer.localities["place_kind"].tolist()[:4] == ["unidad", "movil", "propuesta", "unidad"]
    assert pd.isna(answer.localities["place"].iloc[4])  # its unit is beyond the search and nobody visits
    moved = answer.moves["reason"].to_dict()
    assert moved == {place_id(2): "sin unidad antes", place_id(3): "unidad móvil", place_id(4): "sin unidad al alcance"}
    stops = pd.DataFrame({"clues": [unit_id(1)], "cvegeo": [place_id(2)], "visits_month": [2.0]})
    today = found((replace(state[0], circuits=stops), *state[1:]), chosen=plan(umm, brigade))
    assert today.localities.at[place_id(2), "place"] == unit_id(1)


def test_the_plan_brings_units_and_room() -> None:
    state = drawn([4, 4], [4], [[10], [50]], [(0, unit_id(0), 1.0), (1, unit_id(0), 1.0)], seats={1: [80, 0]})
    before = found(state)
    assert (before.unplaced, before.units["capacity"].tolist()) == (4, [4])
    with_posts = found(state, chosen=plan(option("nucleo", unit_id(0)), option("plaza", unit_id(0))))
    assert (with_posts.unplaced, with_posts.units["capacity"].tolist()) == (pytest.approx(2), [6])
    umr = option("umr", place_id(1), 3)
    answer = found(state, chosen=plan(umr))
    assert answer.localities["place"].tolist() == [unit_id(0), umr.id]
    assert answer.units.loc[umr.id, ["kind", "people", "capacity"]].tolist() == ["propuesta", 4, 3]
    assert answer.unplaced == pytest.approx(1)  # 3 of 4 have room at the new unit; it is the nearest of the fourth
    assert answer.moves.loc[place_id(1), ["to_id", "reason", "change"]].tolist() == [umr.id, "lo propone el plan", -50]
    unchosen = Plan((umr,), (), pd.DataFrame(), before.solution)  # type: ignore[arg-type]
    pd.testing.assert_frame_equal(found(state, chosen=unchosen).shares, before.shares)


def test_who_gains_and_who_loses_by_hand() -> None:
    rows: list[tuple[int, str | None, float]] = [(0, unit_id(1), 1.0), (1, unit_id(0), 1.0), (2, unit_id(0), 1.0), (3, unit_id(1), 1.0)]
    answer = found(drawn([2, 3, 4, 5], [6, 50], [[10, 30], [20, 25], [5, 90], [7, INF]], rows))
    # Six seats at the first: the fourth reaches no other (5), then of the third who would lose 85 (1).
    told = answer.outcomes
    assert told.index.tolist() == list(OUTCOMES)
    assert told["people"].tolist() == pytest.approx([5, 6, 3, 0])
    assert told.loc["pierde", "people_minutes"] == pytest.approx(3 * 5 + 3 * 85)
    assert told.loc["gana", ["people_minutes", "people_unmeasured"]].tolist() == pytest.approx([0, 5])
    # The first stays at the second unit although the first is nearer: it would lose 20, less than the others.
    assert answer.moves["reason"].to_dict() == {
        place_id(1): "falta de lugar", place_id(2): "falta de lugar", place_id(3): "otra más cercana"}
    assert answer.moves["change"].tolist() == [5, 85, -INF]


def test_without_units_and_without_a_table() -> None:
    answer = found(drawn([3, 4], [], [[], []]))
    assert answer.localities["place"].isna().all()
    assert answer.units.empty
    assert (answer.unplaced, len(answer.moves)) == (0, 0)
    assert answer.shares["people"].sum() == 7
    assert answer.outcomes["people"].tolist() == [0, 0, 0, 7]


def test_the_valley_as_a_reader_can_count_it() -> None:
    region = valley.region()
    travel = compute_travel(region, Scenario())
    access = compute_access(region, travel, Scenario())
    answer = universe(region, travel, access, None, Scenario())
    _, b, _, d, _, f = answer.localities.index
    one, two, three = "MDIMB000011", "MDIMB000022", "MDIMB000033"
    # One nucleus seats 2300 / 0.67 = 3,432.8; unit one is the nearest of A, B, D and F, 4,200 people. B is 3 cells from it and 4 from
    # the other. F cuts two diagonals down to B and walks 4 cells of road, in place of one cell and a diagonal: it loses less than D,
    # which comes out by its dirt road and walks 6 cells east in place of 1 west, and A, 9 in place of 2.
    over, cell = 4200 - 600 - 2300 / 0.67, 60 / (6 * np.exp(-3.5 * 0.05))
    loses = 4 * cell + (np.sqrt(2) - 1) * cell / 0.6
    shares = answer.shares.set_index(["cvegeo", "place"])
    assert shares.loc[(b, two), "share"] == 1
    assert shares.loc[(f, two), "people"] == pytest.approx(over)
    assert answer.localities["place"].tolist() == [one, two, two, one, two, one]
    assert answer.units.loc[one, "people"] == pytest.approx(2300 / 0.67)
    assert answer.units.loc[two, "people"] == pytest.approx(600 + 4000 + 250 + over)
    assert answer.units.loc[three, ["localities", "people"]].tolist() == [0, 0]
    assert answer.moves["reason"].to_dict() == {d: "unidad móvil"}  # B answered to both already, most of it to the second
    changed = answer.flows[answer.flows["reason"].notna()].set_index("cvegeo")
    assert changed.loc[b, ["from_id", "to_id", "people", "reason"]].tolist() == [one, two, pytest.approx(180), "localidad dividida"]
    assert changed.loc[f, ["from_id", "to_id", "people", "reason"]].tolist() == [one, two, pytest.approx(over), "falta de lugar"]
    assert changed.loc[f, "change"] == pytest.approx(loses, abs=1e-4)
    assert answer.outcomes.loc["pierde", "people_minutes"] == pytest.approx(180 * cell + over * loses, rel=1e-6)


def test_what_the_community_organises_is_summed_and_unknown_is_not_zero() -> None:
    region, travel, access = drawn([5, 5, 5, 5], [99, 99, 99], [[1, 9, 9], [1, 9, 9], [9, 1, 9], [9, 9, 1]])
    table = pd.DataFrame({
        "health_house": ["CE", None, None], "auxiliaries": pd.array([2, None, None], "Int64"), "midwives": pd.array([1, 3, 0], "Int64"),
        "volunteers": pd.array([None, None, 4], "Int64"), "committee": pd.array([1, 1, 0], "Int64")},
        index=pd.Index([place_id(0), place_id(1), place_id(2)], name="cvegeo"))
    told = found((replace(region, community=table), travel, access)).units
    names = ["health_houses", "auxiliaries", "midwives", "volunteers", "committees"]
    assert told.loc[unit_id(0), names].tolist() == [1, 2, 4, pd.NA, 2]
    assert told.loc[unit_id(1), names].tolist() == [0, pd.NA, 0, 4, 0]
    assert told.loc[unit_id(2), names].isna().all()
    assert found((region, travel, access)).units[names].isna().all(axis=None)


def test_served_people_against_the_target_by_unit_and_municipality() -> None:
    roles = ["primer_nivel", "primer_nivel", "hospital"]
    region, travel, access = drawn([40, 60, 10], [99, 99, 0], [[1, 9, INF], [9, 1, INF], [INF] * 3], roles=roles)
    region.units["cve_mun"] = ["99001", "99001", None]
    rows = pd.DataFrame({
        "clues": [unit_id(0), unit_id(0), unit_id(1), unit_id(2)], "year": [2023, 2024, 2024, 2024],
        "people": [10.0, 20.0, 45.0, 7.0], "target": [np.nan, 50.0, np.nan, 9.0]})
    state = (replace(region, served=rows), travel, access)
    told = served_ratio(state[0], found(state)).set_index(["level", "id", "year"])
    assert told.loc[("unidad", unit_id(0), 2023), "ratio"] == 0.25
    assert told.loc[("unidad", unit_id(1), 2024), ["target", "ratio"]].tolist() == [60, 0.75]
    assert told.loc[("unidad", unit_id(0), 2024), "published_ratio"] == 0.4
    assert told.loc[("unidad", unit_id(2), 2024), ["target", "ratio"]].isna().all()
    assert told.loc[("municipio", "99001", 2024), ["name", "units", "served", "target", "ratio"]].tolist() == ["Uno", 2, 65, 100, 0.65]
    assert told.loc[("municipio", "99001", 2023), ["units", "ratio"]].tolist() == [1, 0.25]  # of the unit that reports that year
    assert np.isnan(told.loc[("municipio", "99001", 2024), "published_target"])
    assert "sin dato" not in told.index.get_level_values("id")  # the hospital has no universe
    assert served_ratio(region, found((region, travel, access))).empty


@st.composite
def states(draw: st.DrawFn) -> tuple[list[float], list[int], list[list[float]], list[tuple[int, str | None, float]]]:
    n, m = draw(st.integers(1, 6)), draw(st.integers(1, 4))
    people = draw(st.lists(st.integers(0, 30).map(float), min_size=n, max_size=n))
    nuclei = draw(st.lists(st.integers(0, 40), min_size=m, max_size=m))
    minute = st.one_of(st.integers(0, 200).map(float), st.just(INF))
    minutes = draw(st.lists(st.lists(minute, min_size=m, max_size=m), min_size=n, max_size=n))
    rows: list[tuple[int, str | None, float]] = []
    for i in range(n):
        units = draw(st.lists(st.integers(-1, m - 1), max_size=2, unique=True))
        rows += [(i, None if j < 0 else unit_id(j), 1 / len(units)) for j in units]
    return people, nuclei, minutes, rows


@settings(deadline=None, max_examples=10)
@given(states(), st.sampled_from(["capacidad", "cercania", "huff"]), st.integers(0, 9))
def test_each_locality_once_and_sums_equal_the_total(case, rule: str, seed: int) -> None:  # type: ignore[no-untyped-def]
    state = drawn(*case)
    answer = found(state, rule)
    people = state[2].localities["people"]
    shares, units = answer.shares, answer.units
    assert answer.localities.index.tolist() == sorted(people.index)
    assert not shares.duplicated(["cvegeo", "place"]).any()
    np.testing.assert_allclose(shares.groupby("cvegeo")["share"].sum(), 1.0, rtol=1e-9)
    nowhere = shares.loc[shares["place"].isna(), "people"].sum()
    assert shares["people"].sum() == pytest.approx(people.sum())
    assert units["people"].sum() + nowhere == pytest.approx(people.sum())
    assert units["localities"].sum() + answer.localities["place"].isna().sum() == len(people)
    assert answer.flows["people"].sum() == pytest.approx(people.sum())
    assert answer.outcomes["people"].sum() == pytest.approx(people.sum())
    np.testing.assert_allclose(answer.flows.groupby("to_id", dropna=True)["people"].sum().reindex(units.index, fill_value=0.0),
                               units["people"], atol=1e-6)
    assert set(answer.flows["reason"].dropna()) <= set(REASONS)
    assert answer.localities["unplaced"].sum() == pytest.approx(answer.unplaced, abs=1e-5)
    np.testing.assert_allclose(units["unplaced"], (units["people"] - units["capacity"]).clip(lower=0), atol=1e-4)
    reached = {c for c, minutes in zip(people.index, case[2], strict=True) if min(minutes) <= 180}
    assert set(answer.localities.index[answer.localities["place"].notna()]) == reached
    if rule == "capacidad":
        assert answer.solution is not None
        assert answer.solution.proved
        assert answer.unplaced <= found(state, "cercania").unplaced + 1e-5
    shuffled = found(drawn(*case, order=np.random.default_rng(seed)), rule)
    for name in ("shares", "localities", "units", "flows", "moves", "outcomes"):
        pd.testing.assert_frame_equal(getattr(shuffled, name), getattr(answer, name))


@settings(deadline=None, max_examples=8)
@given(states())
def test_without_a_limit_capacity_is_the_nearest(case) -> None:  # type: ignore[no-untyped-def]
    state = drawn(*case)
    endless = PLAIN.model_copy(update={"unlimited_capacity": True})
    pd.testing.assert_frame_equal(found(state, scenario=endless).shares, found(state, "cercania").shares)
    assert found(state, scenario=endless).unplaced == 0
