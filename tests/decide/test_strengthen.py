"""Stronger units and hospital support in the valley by hand: whom each seats or supports, what that closes, and what it costs."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import valley
from hypothesis import given, settings
from hypothesis import strategies as st
from valley_travel import HOSPITAL, U1, U2, A, B, C, D, E, F, Minutes, times, travel

from planner.access.gap import HOSPITAL_TIER, TIERS, compute_access
from planner.access.outcome import evaluate
from planner.decide import strengthen
from planner.decide.gains import fixed_gain, mobile_gain, people_tiers
from planner.decide.strengthen import hospital_options, nucleo_options, plaza_options, vacant_posts
from planner.model import Option, Plan, Region, Solution, Travel
from planner.settings import Scenario
from planner.travel.times import caro_times, compute_travel

BASES: Minutes = {(F, U1): 20.0, (E, U1): 80.0, (E, U2): 50.0, (E, HOSPITAL): 20.0, (D, U1): 5.0}
CARO: Minutes = {(D, U1): 100.0, (F, U1): 60.0, (E, U2): 120.0, (E, U1): 150.0}
CROWDED = Scenario(capacity_people_per_nucleo=1000.0)
PRICED = Scenario(reach_hospital_min=100.0, reach_first_level_min=80.0, cost_ambulance_capital_mxn=1.5e6, cost_ambulance_annual_mxn=1.8e6,
                  cost_caro_capital_mxn=12e6, cost_caro_annual_mxn=6e6)


def region(rows: dict[str, tuple[float, float]] | None = None) -> Region:
    """The valley with rooms and physicians of its units."""
    here = valley.region()
    if rows is None:
        return here
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["rooms", "physicians"]).rename_axis("clues").astype("Int64")
    return replace(here, resources=table.assign(nurses=pd.array([pd.NA] * len(table), "Int64")))


def going(here: Region, bases: Minutes = BASES) -> Travel:
    return replace(travel(here), bases=times(bases, here.localities.index, [U1, U2, HOSPITAL], 90.0))


def strengthened(build, here: Region, scenario: Scenario) -> dict[str, Option]:
    access = compute_access(here, going(here), scenario)
    return {o.id: o for o in build(here, access, people_tiers(access, scenario), scenario)}


def supported(monkeypatch: pytest.MonkeyPatch, scenario: Scenario, bases: Minutes = BASES, caro: Minutes = CARO) -> dict[str, Option]:
    here = region()
    monkeypatch.setattr(strengthen, "caro_times", lambda *_: times(caro, here.localities.index, [U1, U2], 180.0))
    moves = going(here, bases)
    tiers = people_tiers(compute_access(here, moves, scenario), scenario)
    return {o.id: o for o in hospital_options(here, moves, tiers, scenario)}


@pytest.mark.parametrize(("rows", "posts"), [
    (None, [0, 0]), ({U1: (3, 1), U2: (2, 0)}, [2, 0]), ({U1: (3, 2), U2: (5, 1)}, [1, 3]), ({U1: (1, 4), U2: (4, 4)}, [0, 0]),
    ({U1: (None, 1), U2: (4, None)}, [0, 0]), ({U2: (4, 3), HOSPITAL: (9, 0)}, [0, 1]),
])
def test_a_post_is_a_room_that_neither_a_physician_nor_a_nucleus_accounts_for(rows, posts) -> None:
    assert vacant_posts(region(rows)).to_dict() == dict(zip([U1, U2], posts, strict=True))


def test_a_post_seats_as_many_as_a_nucleus_and_needs_no_works() -> None:
    here = region({U1: (3, 1), U2: (9, 2)})
    posts, nuclei = (strengthened(build, here, CROWDED) for build in (plaza_options, nucleo_options))
    # U1: 1887 people of 3380 do not fit, two posts; U2: 1685 of 4670, seven posts of which two are enough
    assert list(posts) == [f"plaza-{U1}-01", f"plaza-{U1}-02", f"plaza-{U2}-01", f"plaza-{U2}-02"]
    one, other = posts[f"plaza-{U1}-01"], nuclei[f"nucleo-{U1}-01"]
    assert (one.kind, one.place, one.capital_mxn, one.annual_mxn) == ("plaza", U1, 0.0, 1.5e6)
    assert one.capacity_people == other.capacity_people == pytest.approx(1000 / 0.67)
    pd.testing.assert_frame_equal(one.serves, other.serves)
    assert one.reason.startswith("tiene 3 consultorios, 1 médico y 1 núcleo: 2 plazas vacantes; la unidad responde por 3,380 personas")
    assert not strengthened(plaza_options, region(), CROWDED)
    assert not strengthened(plaza_options, here, Scenario())  # everybody fits
    assert list(strengthened(plaza_options, region({U1: (2, 1)}), CROWDED)) == [f"plaza-{U1}-01"]


def test_posts_have_the_consequences_of_nuclei() -> None:
    here = region({U1: (3, 1)})
    access = compute_access(here, going(here), CROWDED)
    option = strengthened(plaza_options, here, CROWDED)[f"plaza-{U1}-01"]
    found = outcome(here, [option], CROWDED)
    assert found.violations == ()
    assert found.units.loc[U1, ["capacity", "capacity_plan"]].tolist() == [1000.0, 2000.0]
    assert found.units.loc[U1, "rho_plan"] > found.units.loc[U1, "rho"]
    assert found.units.loc[U1, "load_plan"] == access.units.loc[U1, "load"]
    assert found.localities["served_plan"].sum() > found.localities["served"].sum()
    told = found.indicators["plan"]
    assert told["por_tipo"]["plaza"]["personas"] == told["personas"] == pytest.approx(option.people)
    assert told["personas_apoyo_hospital"] == 0


def test_posts_and_nuclei_together_seat_only_the_units_own_people() -> None:
    here = region({U1: (3, 1)})
    post = strengthened(plaza_options, here, CROWDED)[f"plaza-{U1}-01"]
    nucleus = strengthened(nucleo_options, here, CROWDED)[f"nucleo-{U1}-01"]
    own = post.serves.set_index("cvegeo")["available"][B]  # of B's people without room 3 in 10 answer to unit 1
    rows = [(post.id, B, TIERS[0], own, 36.0), (nucleus.id, B, TIERS[0], 1.0, 36.0)]
    found = outcome(here, [post, nucleus], CROWDED, rows)
    assert found.violations == (f"El plan da a una unidad más personas que las suyas sin lugar: {U1} en {B}.",)
    assert outcome(here, [post, nucleus], CROWDED, rows[:1]).violations == ()


def outcome(here: Region, options: list[Option], scenario: Scenario, rows: list[tuple[str, str, str, float, float]] | None = None,
            moves: Travel | None = None):
    """The consequences of these options, each taking what it takes alone unless `rows` tell."""
    columns = ["option", "cvegeo", "tier", "people", "minutes"]
    alone = pd.concat([o.serves.assign(option=o.id) for o in options])
    served = alone[alone["people"] > 0][columns] if rows is None else pd.DataFrame(rows, columns=columns)
    plan = Plan(tuple(options), tuple(sorted(o.id for o in options)), served, Solution(0.0, 0.0, "", ""))
    moves = moves or going(here)
    return evaluate(here, moves, compute_access(here, moves, scenario), plan, scenario)


def test_the_hospitals_tier_is_there_only_where_its_support_is_allowed_and_priced() -> None:
    access = compute_access(region(), going(region()), PRICED)
    tiers = people_tiers(access, PRICED)
    far = tiers[tiers["tier"] == HOSPITAL_TIER]
    assert far[["cvegeo", "people", "hospital"]].to_numpy().tolist() == [[D, 400.0, 0.5], [E, 250.0, 0.0], [F, 1200.0, 0.0]]
    assert fixed_gain(far, pd.Series(0.0, far.index), PRICED).eq(0).all()
    assert mobile_gain(far, 8.0, PRICED).eq(0).all()
    without = tiers[tiers["tier"] != HOSPITAL_TIER].reset_index(drop=True)
    unpriced = ({"cost_caro_annual_mxn": None, "cost_ambulance_capital_mxn": None}, {"allow": ("umr", "nucleo")})
    for change in unpriced:
        pd.testing.assert_frame_equal(people_tiers(access, PRICED.model_copy(update=change)), without)
    nearer = PRICED.model_copy(update={"reach_first_level_min": 60.0})
    assert people_tiers(access, nearer).query("tier == @HOSPITAL_TIER")["cvegeo"].tolist() == [D]


def test_ambulances_and_centres_close_their_part_of_the_hospitals_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    found = supported(monkeypatch, PRICED)
    assert list(found) == [f"caro-{U1}-01", f"caro-{U2}-01", f"ambulancia-{U1}-01", f"ambulancia-{U2}-01"]
    gains = {k: dict(zip(o.serves["cvegeo"], o.serves["gain"], strict=True)) for k, o in found.items()}
    assert gains[f"ambulancia-{U1}-01"] == pytest.approx({D: 0.3 * 0.25 * 1.75, F: 0.3 * 0.5 * 2})
    assert gains[f"ambulancia-{U2}-01"] == pytest.approx({E: 0.3 * 0.5 * 2})  # unit 1 is 80 minutes from E
    # D reaches a centre in 100 minutes: half of ramp 2/3, less than the 1/2 that its hospital gives it
    assert gains[f"caro-{U1}-01"] == pytest.approx({E: 0.3 * 0.5 * 0.25 * 2, F: 0.3 * 0.5 * 2})
    assert gains[f"caro-{U2}-01"] == pytest.approx({E: 0.3 * 0.5 * 0.5 * 2})
    ambulance, centre = found[f"ambulancia-{U1}-01"], found[f"caro-{U1}-01"]
    assert ambulance.annual_mxn == pytest.approx(1.8e6 + Scenario().annualised(1.5e6, 8))
    assert centre.annual_mxn == pytest.approx(6e6 + Scenario().annualised(12e6, 15))
    assert "un CARO en ella les quedaría a 60-150 min en vehículo" in centre.reason
    assert (centre.capacity_people, centre.weighted) == (15000.0, pytest.approx(1200 * 0.3 + 250 * 0.075))
    assert ambulance.reason == ("1,600 personas con primer nivel a 80 min o menos y hospital a más de 100: una ambulancia en ella las "
                                "alcanzaría en 60 min o menos en vehículo, rezago muy alto")


def test_as_many_as_would_take_all_and_no_unit_that_another_betters(monkeypatch: pytest.MonkeyPatch) -> None:
    few = PRICED.model_copy(update={"ambulance_people_max": 500.0, "allow": ("ambulancia",)})
    assert list(supported(monkeypatch, few)) == [*(f"ambulancia-{U1}-{k:02d}" for k in (1, 2, 3, 4)), f"ambulancia-{U2}-01"]
    wider = {**BASES, (D, U2): 30.0, (F, U2): 60.0}  # unit 2 reaches all whom unit 1 does
    only = PRICED.model_copy(update={"allow": ("ambulancia",)})
    assert list(supported(monkeypatch, only, wider)) == [f"ambulancia-{U2}-01"]
    assert len(supported(monkeypatch, only.model_copy(update={"require": (U1,)}), wider)) == 2
    assert len(supported(monkeypatch, only.model_copy(update={"forbid": (f"ambulancia-{U2}-01",)}), wider)) == 2
    alike = {(D, U1): 5.0, (D, U2): 10.0}
    assert list(supported(monkeypatch, only, alike)) == [f"ambulancia-{U1}-01"]
    assert not supported(monkeypatch, only, {(D, HOSPITAL): 5.0})
    assert not supported(monkeypatch, PRICED.model_copy(update={"caro_credit": 0.0, "ambulance_credit": 0.0}))


def test_minutes_to_a_centre_are_those_of_the_road_and_a_centre_is_not_built_twice() -> None:
    here = region()
    moves = compute_travel(here, PRICED)
    found = caro_times(here, here.localities.index, pd.Index([U1, U2]), PRICED)
    pd.testing.assert_series_equal(found.nearest()["minutes"], moves.nearest["primer_nivel", "vehiculo"]["minutes"], check_names=False)
    for mode in ("vehiculo", "a_pie", "transporte_publico"):  # from one end, and from the other
        scenario = PRICED.model_copy(update={"mode_hospital": mode})
        several = caro_times(here, here.localities.index, pd.Index([U1, U2]), scenario).pairs()
        one = caro_times(here, pd.Index([D]), pd.Index([U1, U2]), scenario).pairs()
        assert len(one) == 2
        pd.testing.assert_frame_equal(one, several[several["cvegeo"] == D].reset_index(drop=True), atol=2e-6)
    scenario = PRICED.model_copy(update={"reach_hospital_min": 5.0, "ramp_hospital_good_min": 1.0, "ramp_hospital_none_min": 15.0})
    tiers = people_tiers(compute_access(here, moves, scenario), scenario)
    options = hospital_options(here, moves, tiers, scenario)
    assert {o.kind for o in options} == {"caro", "ambulancia"}
    for option in options:
        assert outcome(here, [option], scenario, moves=moves).violations == ()
    one = replace(here, units=here.units.assign(unit_class="CARO"))
    assert {o.kind for o in hospital_options(one, moves, tiers, scenario)} == {"ambulancia"}


def test_an_ambulance_that_goes_farther_than_teams_is_searched_anew() -> None:
    here = region()
    wide = PRICED.model_copy(update={"ambulance_reach_min": 120.0, "allow": ("ambulancia",)})
    short = wide.model_copy(update={"first_stop_max_min": 1.0})
    found = [hospital_options(here, moves, people_tiers(compute_access(here, moves, s), s), s)
             for s in (wide, short) for moves in [compute_travel(here, s)]]
    assert [o.id for o in found[0]] == [o.id for o in found[1]]
    for one, other in zip(*found, strict=True):
        pd.testing.assert_frame_equal(one.serves, other.serves)


def test_support_is_counted_apart_and_changes_only_the_hospitals_part(monkeypatch: pytest.MonkeyPatch) -> None:
    here = region()
    monkeypatch.setattr("planner.access.rules.caro_times", lambda *_: times(CARO, here.localities.index, [U1, U2], 180.0))
    options = supported(monkeypatch, PRICED)
    ambulance, centre = options[f"ambulancia-{U1}-01"], options[f"caro-{U2}-01"]
    found = outcome(here, [ambulance, centre], PRICED)
    assert found.violations == ()
    at = found.localities.loc
    assert at[[D, E, F], "hospital_access_plan"].tolist() == pytest.approx([0.75, 0.25, 0.5])
    assert at[[D, E, F], "gap_share_plan"].tolist() == pytest.approx(
        (at[[D, E, F], "gap_share"] - 0.3 * np.array([0.25, 0.25, 0.5])).tolist())
    for column in ("access", "sufficiency", "first_level_gap", "served", "uncovered", "visits_month", "hospital_min", "assigned_min"):
        assert found.localities[f"{column}_plan"].equals(found.localities[column]), column
    assert (found.units["load_plan"] == found.units["load"]).all()
    told = found.indicators["plan"]
    assert (told["personas"], told["personas_apoyo_hospital"]) == (0, 1850.0)
    assert {k: v["personas"] for k, v in told["por_tipo"].items()} == {"caro": 250.0, "ambulancia": 1600.0}
    closed = at[:, "weighted_gap"].sum() - at[:, "weighted_gap_plan"].sum()
    assert closed == pytest.approx(ambulance.weighted + centre.weighted)
    assert at[D, "intervention"] == f"Ambulancia (ambulancia-{U1}-01)"
    assert at[D, "reason"] == ("hoy 2 visitas móviles al mes, a 120.0 min del hospital más cercano (umbral 100): el plan apoya el traslado "
                               "o el parto de 400 de 400 personas, rezago alto")
    assert at[E, "reason"].startswith("sin camino conocido a un hospital: el plan apoya")


@pytest.mark.parametrize(("rows", "said"), [
    ([(0, D, HOSPITAL_TIER, 401.0, 5.0)], f"El plan cuenta personas más de una vez en {D}."),
    ([(0, D, HOSPITAL_TIER, 10.0, 6.0)], f"El plan usa minutos que no son los del traslado en ambulancia-{U1}-01 en {D}."),
    ([(0, D, TIERS[0], 10.0, 5.0)], f"El plan da a personas un servicio que no es el que les falta en {D}."),
    ([(0, A, HOSPITAL_TIER, 10.0, 5.0)], f"El plan cuenta personas más de una vez en {A}. "
     f"El plan usa minutos que no son los del traslado en ambulancia-{U1}-01 en {A}."),
    ([(0, E, HOSPITAL_TIER, 10.0, 80.0)], f"El plan manda ambulancias más allá de su alcance a {E}."),
    ([(1, D, HOSPITAL_TIER, 10.0, 9.0)], f"El plan usa minutos que no son los del traslado en ambulancia-{HOSPITAL}-01 en {D}. "
     f"El plan pone apoyo de hospital fuera de una unidad fija de primer nivel: ambulancia-{HOSPITAL}-01."),
])
def test_broken_support_is_told(monkeypatch: pytest.MonkeyPatch, rows: list[tuple[int, str, str, float, float]], said: str) -> None:
    real = supported(monkeypatch, PRICED)[f"ambulancia-{U1}-01"]
    options = [real, replace(real, id=f"ambulancia-{HOSPITAL}-01", place=HOSPITAL)]
    chosen = [options[rows[0][0]]]
    found = outcome(region(), chosen, PRICED, [(chosen[0].id, *row[1:]) for row in rows])
    assert " ".join(found.violations) == said


@settings(max_examples=10, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=5, max_size=5), st.floats(0, 1), st.floats(0, 1))
def test_whatever_support_nobody_is_worse_and_sums_agree(parts: list[float], caro_credit: float, ambulance_credit: float) -> None:
    scenario = PRICED.model_copy(update={"caro_credit": caro_credit, "ambulance_credit": ambulance_credit})
    here = region()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("planner.access.rules.caro_times", lambda *_: times(CARO, here.localities.index, [U1, U2], 180.0))
        options = supported(patch, scenario)
        left, rows, value = {D: 1.0, E: 1.0, F: 1.0}, [], 0.0
        pairs = [(o, row) for o in options.values() for row in o.serves.to_dict("records")]
        for part, (option, row) in zip(parts * 2, pairs, strict=False):
            share = part * left[row["cvegeo"]]
            left[row["cvegeo"]] -= share
            rows.append((option.id, row["cvegeo"], HOSPITAL_TIER, share * row["available"], row["minutes"]))
            value += share * row["available"] * row["gain"]
        if not options:
            return
        found = outcome(here, list(options.values()), scenario, rows)
    assert found.violations == ()
    after = found.localities
    assert after["weighted_gap"].sum() - after["weighted_gap_plan"].sum() == pytest.approx(value, abs=1e-6)
    for column in ("gap_share", "score", "equivalent_people"):
        assert (after[f"{column}_plan"] <= after[column] + 1e-12).all()
    assert after["hospital_access_plan"].between(after["hospital_access"] - 1e-12, 1).all()
    assert C not in after.index[after["intervention"].notna()]
