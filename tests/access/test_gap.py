"""The gap score against the published worked rows, the valley solved by hand, and what must hold of any region."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import valley
from hypothesis import given, settings
from hypothesis import strategies as st
from valley_travel import DRIVE, HOSPITAL, MOBILE, U1, U2, WALK, A, B, C, D, E, F, travel

from planner import columns, schema
from planner.access.gap import HOSPITAL_KINDS, STATES, compute_access, hospital_after
from planner.model import Access, Region
from planner.settings import Scenario

BASE = Scenario()
CROWDED = Scenario(capacity_people_per_nucleo=1000.0)


def access(scenario: Scenario = BASE, region: Region | None = None, **minutes: object) -> Access:
    region = region or valley.region()
    return compute_access(region, travel(region, **minutes), scenario)  # type: ignore[arg-type]


def only(cvegeo: str, **changes: object) -> Region:
    region = valley.region()
    table = region.responsibility
    assert table is not None
    return replace(region, localities=region.localities.loc[[cvegeo]].assign(**changes),
                   responsibility=table[table["cvegeo"] == cvegeo].reset_index(drop=True))


@pytest.mark.parametrize(("grade", "first_min", "capacity", "hospital_min", "score"), [
    ("Muy alto", 75.0, 2300.0, 190.0, 82.5), ("Alto", 40.0, 670.0, 80.0, 40.1), ("Bajo", 70.0, 2300.0, 100.0, 35.4)])
def test_worked_rows_of_the_definition(grade: str, first_min: float, capacity: float, hospital_min: float, score: float) -> None:
    """2,000 people are 1,340 users: a capacity of 670 has room for half of them."""
    region = only(A, irs_grade=grade)
    found = access(Scenario(capacity_people_per_nucleo=capacity), region, walk={(A, U1): first_min}, drive={(A, HOSPITAL): hospital_min})
    assert found.localities.at[A, "sufficiency"] == pytest.approx(0.5 if capacity == 670 else 1.0)
    assert found.localities.at[A, "score"] == pytest.approx(score, abs=0.05)


def test_valley_by_hand() -> None:
    found = access(CROWDED)
    u1, u2 = 0.67 * (2000 + 0.3 * 600 + 1200), 0.67 * (0.7 * 600 + 4000 + 250)
    r1, r2 = 1000 / u1, 2000 / u2
    units = found.units
    assert units.loc[[U1, U2], "load"].tolist() == pytest.approx([u1, u2])
    assert units.loc[[U1, U2], "capacity"].tolist() == [1000.0, 2000.0]
    assert units.loc[[U1, U2], "rho"].tolist() == pytest.approx([r1, r2])
    assert units["localities"].to_dict() == {U1: 3, U2: 3, MOBILE: 1, HOSPITAL: 0}
    assert units["population"].to_dict() == pytest.approx({U1: 3380, U2: 4670, MOBILE: 400, HOSPITAL: 0})
    places = found.localities
    sigma = {A: r1, B: 0.3 * r1 + 0.7 * r2, C: r2, D: 0.0, E: r2, F: r1}
    reach = {A: 1.0, B: None, C: 1.0, D: 0.0, E: 1 / 3, F: 0.25}
    e = {c: sigma[c] * reach[c] for c in (A, C, D, E, F)} | {B: 0.3 * r1 * 0.9 + 0.7 * r2 * 0.7}  # type: ignore[operator]
    f2 = {A: 1.0, B: 100 / 120, C: 1.0, D: 0.5, E: 0.0, F: 0.0}
    m = {c: 0.25 if c == D else 0.0 for c in places.index}
    need = {A: 0.25, B: 0.5, C: 0.0, D: 0.75, E: 1.0, F: 1.0}
    gap = {c: 0.7 * (1 - e[c]) * (1 - m[c]) + 0.3 * (1 - f2[c]) for c in places.index}
    for column, truth in (("sufficiency", sigma), ("access", e), ("hospital_access", f2), ("gap_share", gap)):
        assert places[column].to_dict() == pytest.approx(truth), column
    for c in places.index:
        n, w = places.at[c, "people"], 1 + need[c]
        row = places.loc[c, ["need_weight", "score", "equivalent_people", "weighted_gap"]].tolist()
        assert row == pytest.approx([w, 50 * gap[c] * w, n * gap[c], n * gap[c] * w])
    served = {A: 2000 * r1, B: 600 * sigma[B], C: 4000 * r2, D: 0.0, E: 0.0, F: 0.0}
    assert places["served"].to_dict() == pytest.approx(served)
    crowded = {c: n - served[c] if c in (A, B, C) else 0.0 for c, n in places["people"].items()}
    assert places["covered_unserved"].to_dict() == pytest.approx(crowded)
    assert places["uncovered"].to_dict() == pytest.approx({A: 0, B: 0, C: 0, D: 400, E: 250, F: 1200}, abs=1e-9)
    assert places["assigned"].to_dict() == {A: U1, B: U2, C: U2, D: MOBILE, E: U2, F: U1}
    assert places["assigned_min"].drop(D).to_dict() == {A: 24, B: 48, C: 0, E: 70, F: 75}
    assert np.isnan(places.at[D, "assigned_min"])
    assert places["first_level_clues"].to_dict() == {A: U1, B: U1, C: U2, D: U1, E: U2, F: U1}
    assert np.isinf(places.at[E, "hospital_min"])


def test_coverage_of_most_people_and_its_ties() -> None:
    places = access(CROWDED).localities
    assert places["coverage"].to_dict() == {
        A: "cubierta sin capacidad", B: "con servicio", C: "con servicio", D: "sin cobertura", E: "sin cobertura", F: "sin cobertura"}
    half = access(Scenario(capacity_people_per_nucleo=670.0), only(A)).localities
    assert half.at[A, "coverage"] == "con servicio"  # half and half: the better one


def test_a_mobile_unit_gives_visits_and_nothing_else() -> None:
    row = access().localities.loc[D]
    assert (row["access"], row["sufficiency"], row["visits_month"], row["served"], row["uncovered"]) == (0.0, 0.0, 2.0, 0.0, 400.0)
    assert row["gap_share"] == pytest.approx(0.7 * 0.75 + 0.3 * 0.5)
    units = access().units
    assert np.isnan(units.at[MOBILE, "rho"])
    assert units.at[MOBILE, "capacity"] == BASE.umm_people_max * BASE.utilisation


def test_circuits_replace_the_usual_visits_and_add_up() -> None:
    def visits(*rows: tuple[str, str, float]) -> dict[str, float]:
        region = replace(valley.region(), circuits=pd.DataFrame(rows, columns=["clues", "cvegeo", "visits_month"]))
        return access(region=region).localities["visits_month"].to_dict()

    assert visits((MOBILE, D, 1.0)) == {A: 0, B: 0, C: 0, D: 1, E: 0, F: 0}
    assert visits(("OTRA", D, 1.0), ("OTRA", E, 4.0)) == {A: 0, B: 0, C: 0, D: 3, E: 4, F: 0}
    assert access(replace_visits := Scenario(mobile_visits_existing=30.0)).localities.at[D, "gap_share"] == pytest.approx(
        0.7 * (1 - replace_visits.mobile_credit_max) + 0.15)


@pytest.mark.parametrize(("minutes", "state"), [(60.0, "served"), (np.nextafter(60.0, 61.0), "uncovered")])
def test_the_threshold_is_inclusive(minutes: float, state: str) -> None:
    assert access(region=only(A), walk={(A, U1): minutes}).localities.at[A, state] == 2000.0


def test_thresholds_are_the_scenarios() -> None:
    wide = Scenario(reach_first_level_min=75.0, ramp_first_level_good_min=75.0, weight_first_level=1.0, need_lambda=0.0)
    row = access(wide, only(F)).localities.loc[F]
    assert (row["served"], row["access"], row["score"]) == (1200.0, 1.0, 0.0)


def test_unlimited_capacity_and_no_load_are_full_sufficiency() -> None:
    crowded = access(CROWDED.model_copy(update={"unlimited_capacity": True}))
    assert crowded.units.loc[[U1, U2], "rho"].tolist() == [1.0, 1.0]
    assert crowded.localities["covered_unserved"].sum() == 0.0
    rho = access(Scenario(capacity_people_per_nucleo=0.0), only(A)).units["rho"].to_dict()
    assert rho == pytest.approx({U1: 0, U2: 1, MOBILE: np.nan, HOSPITAL: 1}, nan_ok=True)


def test_a_hospital_that_answers_has_room_for_all() -> None:
    region = only(C)
    table = region.responsibility.assign(clues=HOSPITAL)  # type: ignore[union-attr]
    found = access(CROWDED, replace(region, responsibility=table))
    assert found.localities.loc[C, ["sufficiency", "access", "served"]].tolist() == [1.0, 1.0, 4000.0]
    assert found.units.loc[HOSPITAL, ["load", "capacity", "rho"]].tolist() == [pytest.approx(2680.0), np.inf, 1.0]


def test_unknown_is_missing_and_never_zero() -> None:
    region = valley.region()
    grades = region.localities["irs_grade"].where(region.localities.index != B)
    region = replace(region, localities=region.localities.assign(irs_grade=grades))
    places = access(region=region, unknown=(A, D)).localities
    assert places.loc[[A, D], ["access", "gap_share", "score", "weighted_gap", "first_level_min", "hospital_min"]].isna().all(axis=None)
    assert places.loc[[A, D], "coverage"].isna().all()
    assert places.loc[[A, D], "uncovered"].tolist() == [2000.0, 400.0]
    assert places.loc[B, ["need_weight", "score", "weighted_gap"]].isna().all()
    assert places.at[B, "gap_share"] > 0


def test_a_locality_without_people_keeps_its_state_and_weighs_nothing() -> None:
    row = access(region=only(A, uninsured=0.0)).localities.loc[A]
    assert (row["coverage"], row["served"], row["equivalent_people"], row["weighted_gap"]) == ("con servicio", 0.0, 0.0, 0.0)
    assert row["score"] == 0.0


def test_tables_are_as_declared() -> None:
    found = access(CROWDED, unknown=(A,))
    columns.check(schema.ACCESS, found.localities, "acceso")
    columns.check(schema.UNIT_RESULTS, found.units, "unidades")
    assert found.localities.columns.tolist() == schema.ACCESS.names()


MINUTES = st.sampled_from([0.0, 29.9, 30.0, 60.0, 60.1, 75.0, 90.0, 120.0, 179.0, np.inf]) | st.floats(0, 200)


@st.composite
def regions(draw: st.DrawFn) -> tuple[Region, dict[str, object]]:
    """The valley with other people, grades, table and minutes, some unknown."""
    region = valley.region()
    ids = list(region.localities.index)
    people = draw(st.lists(st.sampled_from([0.0, 0.5, 3.0]) | st.floats(0, 5000), min_size=6, max_size=6))
    grades = draw(st.lists(st.sampled_from([*schema.GRADES, None]), min_size=6, max_size=6))
    rows = []
    for c in ids:
        picked = draw(st.lists(st.sampled_from([U1, U2, MOBILE, HOSPITAL, None]), max_size=3, unique=True))
        parts = np.array([draw(st.integers(1, 5)) for _ in picked], float)
        rows += [(c, u, s) for u, s in zip(picked, parts / parts.sum(), strict=True)] if picked else []
    table = pd.DataFrame(rows, columns=["cvegeo", "clues", "share"]).assign(people=1.0, published_clues="x")
    table["share"] = table["share"].astype(float)
    walk = {(c, u): draw(MINUTES) for c in ids for u in (U1, U2, HOSPITAL)}
    drive = {(c, HOSPITAL): draw(MINUTES) for c in ids}
    places = region.localities.assign(uninsured=people, irs_grade=pd.Series(grades, index=region.localities.index, dtype=object))
    unknown = tuple(draw(st.lists(st.sampled_from(ids), max_size=2, unique=True)))
    official = table if draw(st.booleans()) else None
    reached = [{k: v for k, v in minutes.items() if np.isfinite(v)} for minutes in (walk, drive)]
    return replace(region, localities=places, responsibility=official), {"walk": reached[0], "drive": reached[1], "unknown": unknown}


SCENARIOS = st.builds(Scenario, capacity_people_per_nucleo=st.sampled_from([0.0, 300.0, 2300.0]), unlimited_capacity=st.booleans(),
                      need_lambda=st.sampled_from([0.0, 1.0, 2.5]), weight_first_level=st.sampled_from([0.0, 0.7, 1.0]))


@settings(max_examples=30, deadline=None)
@given(regions(), SCENARIOS)
def test_what_always_holds(drawn: tuple[Region, dict[str, object]], scenario: Scenario) -> None:
    region, minutes = drawn
    found = access(scenario, region, **minutes)
    places, shares, units = found.localities, found.shares, found.units
    assert places[STATES].sum(axis=1).tolist() == pytest.approx(places["people"].tolist())
    assert (places[STATES] >= 0).all(axis=None)
    for column, high in (("sufficiency", 1), ("access", 1), ("gap_share", 1), ("score", 100)):
        assert places[column].dropna().between(0, high).all(), column
    assert places["score"].notna().equals(places["gap_share"].notna() & region.localities["irs_grade"].notna())
    answered = shares.groupby("cvegeo")["share"].sum().reindex(places.index, fill_value=0.0)
    assert (answered <= 1 + 1e-9).all()
    orphans = (places["people"] * (1 - answered)).sum()
    assert units["population"].sum() + orphans == pytest.approx(places["people"].sum())
    fixed = units[region.units["role"].isin(("primer_nivel", "hospital"))]
    assert fixed["rho"].between(0, 1).all()
    if not scenario.unlimited_capacity:
        assert (fixed["load"] * fixed["rho"] <= fixed["capacity"] + 1e-6).all()
    mobile_only = shares.groupby("cvegeo")["kind"].agg(lambda k: set(k) == {"movil"})
    alone = places.loc[places.index.isin(mobile_only.index[mobile_only]) & places["first_level_min"].notna()]
    assert ((alone["access"] == 0) & (alone["visits_month"] == scenario.mobile_visits_existing)).all()


@settings(max_examples=25, deadline=None)
@given(regions(), SCENARIOS, st.permutations(range(6)))
def test_shuffled_rows_same_answer(drawn: tuple[Region, dict[str, object]], scenario: Scenario, order: list[int]) -> None:
    region, minutes = drawn
    table = region.responsibility
    shuffled = replace(region, localities=region.localities.iloc[order], units=region.units.iloc[::-1],
                       responsibility=None if table is None else table.sample(frac=1, random_state=1))
    first, second = access(scenario, region, **minutes), access(scenario, shuffled, **minutes)
    pd.testing.assert_frame_equal(first.localities.sort_index(), second.localities.sort_index(), check_exact=True)
    pd.testing.assert_frame_equal(first.shares, second.shares, check_exact=True)
    pd.testing.assert_frame_equal(first.units.sort_index(), second.units.sort_index(), check_exact=True)


@pytest.mark.parametrize("nearer", [{**WALK, (F, U1): 20.0}, {**WALK, (E, U2): 0.0}])
def test_shorter_minutes_never_widen_the_gap(nearer: dict[tuple[str, str], float]) -> None:
    change = access(walk=nearer).localities["gap_share"] - access().localities["gap_share"]
    assert (change <= 1e-12).all()
    assert change.min() < 0
    assert (access(drive={**DRIVE, (E, HOSPITAL): 70.0}).localities["gap_share"] <= access().localities["gap_share"] + 1e-12).all()


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(HOSPITAL_KINDS), st.floats(0, 1), st.floats(0, 1), st.lists(st.floats(0, 400), min_size=2, max_size=5))
def test_support_of_a_hospital_never_takes_access_away_and_wanes_with_minutes(
    kind: str, credit: float, today: float, minutes: list[float],
) -> None:
    scenario = Scenario(caro_credit=credit, ambulance_credit=credit)
    near_first = pd.Series(sorted(minutes))
    after = hospital_after(pd.Series(kind, near_first.index), near_first, pd.Series(today, near_first.index), scenario)
    assert ((after >= today) & (after <= 1.0 + 1e-12)).all()
    assert (after.diff().dropna() <= 1e-12).all()
    assert hospital_after(pd.Series([kind]), pd.Series([np.inf]), pd.Series([today]), scenario).tolist() == [today]
