"""What is feasible in the valley, by hand, and every rule with a case that keeps it and one that breaks it."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import valley
from valley_travel import HOSPITAL, MOBILE, SEATS, U1, U2, A, B, C, D, E, F, Minutes, times, travel

from planner.access.gap import compute_access
from planner.access.outcome import evaluate
from planner.decide.fleet import Choices
from planner.decide.options import feasible_options
from planner.decide.rules import left_out, seat_rules, stops_in_day, stops_limit
from planner.decide.selection import select
from planner.errors import SettingsError
from planner.model import Option, Region, Travel
from planner.scenarios import run_scenario
from planner.settings import Scenario, validated

BASES: Minutes = {(F, U1): 20.0, (E, U1): 80.0, (E, U2): 50.0, (E, HOSPITAL): 20.0, (D, U1): 5.0}
REGION = valley.region()
WALKED = Scenario(mode_umr_seat="a_pie")


def moves(region: Region = REGION, bases: Minutes = BASES, seats: Minutes = SEATS, any_road: bool = True, all_year: bool = True) -> Travel:
    base = travel(region, seats=seats)
    places = region.localities.index
    return replace(base, bases=times(bases, places, [U1, U2, HOSPITAL], 90.0),
                   road_any=pd.Series(any_road, index=places), road_all_year=pd.Series(all_year, index=places))


def found(scenario: Scenario, going: Travel | None = None, region: Region = REGION, only: str = "") -> dict[str, Option]:
    going = going or moves(region)
    options = feasible_options(region, going, compute_access(region, going, scenario), scenario).options
    assert [o.id for o in options] == sorted({o.id for o in options})
    return {o.id: o for o in options if o.kind == only or not only}


def stops_of(options: dict[str, Option]) -> list[tuple[str, ...]]:
    return [o.stops for o in options.values()]


def test_a_new_unit_serves_by_its_own_minutes_whom_it_brings_nearer() -> None:
    option = found(WALKED, only="umr")[f"umr-{F}"]
    # F: 75 min -> e = 1/4, now 0 min, Muy alto. D would gain too, but lives within reach of unit 1; A and B lose by moving.
    assert option.serves[["cvegeo", "tier", "minutes", "available"]].to_numpy().tolist() == [[F, "con_servicio", 0.0, 1200.0]]
    assert option.serves["gain"].tolist() == pytest.approx([0.7 * 0.75 * 2])
    assert option.weighted == pytest.approx(1200 * 1.05)
    assert option.capacity_people == 3000.0
    assert option.annual_mxn == pytest.approx(2.8e6 + 1_051_790.2, abs=1)
    assert option.reason == ("atendería sola a 1,200 personas que hoy están a más de 60 min a pie de un primer nivel fijo; 1,200 personas "
                             "así viven a 30 min o menos a pie de la sede, que está a 75 min a pie del primer nivel fijo más cercano, "
                             "con rezago muy alto y camino todo el año")


def test_a_unit_without_room_takes_the_best_gains_first() -> None:
    option = found(WALKED.model_copy(update={"capacity_people_per_nucleo": 670.0}), only="umr")[f"umr-{F}"]
    served = option.serves.set_index(["cvegeo", "tier"])["people"]
    # U1 has room for 1000 of 3380 people. Nobody of F with service is worth less than those without.
    assert served[F, "sin_servicio"] == pytest.approx(1200 * (1 - 1000 / 3380))
    assert served[F, "con_servicio"] == pytest.approx(1000 - served[F, "sin_servicio"])
    assert option.people == pytest.approx(1000)


@pytest.mark.parametrize(("change", "kept"), [
    ({}, [F]), ({"umr_people_min": 1200.0}, [F]), ({"umr_people_min": 1200.5}, []), ({"umr_people_min": 250.0}, [E, F]),
    ({"umr_people_min": 250.0, "umr_spacing_min": 70.0}, [E, F]), ({"umr_people_min": 250.0, "umr_spacing_min": 70.5}, [F]),
    ({"umr_spacing_min": 76.0}, []), ({"reach_first_level_min": 75.0}, []), ({"allow": ("nucleo", "umm", "brigada")}, []),
])
def test_seats_need_people_beyond_reach_and_spacing(change: dict[str, object], kept: list[str]) -> None:
    assert list(found(WALKED.model_copy(update=change), only="umr")) == [f"umr-{c}" for c in kept]


@pytest.mark.parametrize(("most", "told"), [(1199.0, "(más de 1,199, lo usual para un núcleo), que está"), (1200.0, "de la sede, que")])
def test_more_people_than_one_nucleus_is_for_are_told(most: float, told: str) -> None:
    assert told in found(WALKED.model_copy(update={"umr_people_max": most}), only="umr")[f"umr-{F}"].reason


def test_a_seat_needs_a_road_all_year() -> None:
    assert not found(WALKED, moves(all_year=False), only="umr")


def test_people_around_a_seat_are_counted_by_the_chosen_mode() -> None:
    going, scenario = moves(), Scenario(umr_seat_reach_min=10.0)
    access = compute_access(REGION, going, scenario)
    by_vehicle = seat_rules(REGION, going, access, scenario)["people"]
    # On the drawing, by vehicle: D reaches F by the dirt road (4 km) and 2 km on foot at 3 km/h; nobody else is 10 min away.
    assert by_vehicle.to_dict() == {A: 0.0, D: 0.0, E: 250.0, F: 1200.0}
    wide = seat_rules(REGION, going, access, Scenario(umr_seat_reach_min=60.0))["people"]
    assert wide[D] >= 1200
    on_foot = seat_rules(REGION, going, access, Scenario(umr_seat_reach_min=50.0, mode_umr_seat="a_pie"))["people"]
    assert on_foot.to_dict() == {A: 0.0, D: 1200.0, E: 250.0, F: 1200.0}


def test_seats_nearer_than_the_spacing_exclude_each_other() -> None:
    near = moves(seats={**SEATS, (D, F): 35.0})  # one direction is enough
    scenario = WALKED.model_copy(update={"umr_seat_reach_min": 50.0, "umr_spacing_min": 40.0, "allow": ("umr",)})
    options = found(scenario, near)
    assert {k: o.excludes for k, o in options.items()} == {f"umr-{D}": (f"umr-{F}",), f"umr-{F}": (f"umr-{D}",)}
    assert len(select(Choices(tuple(options.values())), REGION.localities, compute_access(REGION, near, scenario), scenario).chosen) == 1
    apart = found(scenario.model_copy(update={"umr_spacing_min": 35.0}), near)
    assert all(not o.excludes for o in apart.values())


def test_a_saturated_unit_may_grow_as_many_nuclei_as_seat_its_people() -> None:
    options = found(Scenario(capacity_people_per_nucleo=1000.0), only="nucleo")
    # U1: 3380 people, room for 1492.5; U2: 4670 people, two nuclei, room for 2985.1
    assert list(options) == [f"nucleo-{U1}-01", f"nucleo-{U1}-02", f"nucleo-{U2}-01", f"nucleo-{U2}-02"]
    one = options[f"nucleo-{U1}-01"]
    without = 1 - 1000 / (0.67 * 3380)
    assert one.serves["cvegeo"].tolist() == [A, B, F]
    assert set(one.serves["tier"]) == {"sin_servicio"}
    assert one.serves["available"].tolist() == pytest.approx([2000 * without, 180 * without, 1200 * without])
    assert one.serves["gain"].tolist() == pytest.approx([0.7 * 1.25, 0.7 * 0.9 * 1.5, 0.7 * 0.25 * 2])
    assert one.people == pytest.approx(1000 / 0.67)
    assert one.annual_mxn == pytest.approx(1.5e6 + 460_158.2, abs=1)
    assert "responde por 3,380 personas y tiene lugar para 1,493 personas (suficiencia 44%)" in one.reason


def test_units_with_room_hospitals_and_mobile_units_do_not_grow() -> None:
    assert not found(Scenario(), only="nucleo")
    assert not found(Scenario(capacity_people_per_nucleo=1000.0, unlimited_capacity=True), only="nucleo")
    table = REGION.responsibility
    assert table is not None
    to_hospital = replace(REGION, responsibility=table.assign(clues=table["clues"].replace({U2: HOSPITAL})))
    assert {o.place for o in found(Scenario(capacity_people_per_nucleo=50.0), region=to_hospital, only="nucleo").values()} == {U1, U2}
    assert MOBILE not in {o.place for o in found(Scenario(capacity_people_per_nucleo=1.0)).values()}


def test_one_circuit_visits_both_places_beyond_reach() -> None:
    # By vehicle from unit 1: F 31.28 min (2 km of road, 2 km of field), E 36.28; from one to the other 65.56. Both in one day would
    # take 133 min and six hours, more than the shift; unit 2 has the same minutes the other way round, and comes second by its key.
    options = found(Scenario(), only="umm")
    assert stops_of(options) == [(E, F)]
    (option,) = options.values()
    assert option.place == U1
    assert [d.stops for d in option.days] == [(E,), (F,)]
    assert [m for d in option.days for m in d.legs_min] == pytest.approx([36.28, 36.28, 31.28, 31.28], abs=0.005)
    assert option.serves["minutes"].tolist() == pytest.approx([36.28, 31.28], abs=0.005)
    assert option.serves["gain"].tolist() == pytest.approx([0.7 * 2 / 3 * 0.25 * 2, 0.7 * 0.75 * 0.25 * 2])
    assert (option.people, option.visits_month, option.capacity_people) == (1450.0, 2.0, 2400.0)
    assert option.annual_mxn == pytest.approx(2.2e6 + 374_888.0, abs=1)
    assert option.reason == ("1,450 personas en 2 localidades con camino, la menos lejana a 70 min a pie del primer nivel fijo más cercano "
                             "(umbral 60); una vuelta toma 2 días y 135 min de traslado en vehículo, rezago muy alto")


@pytest.mark.parametrize(("change", "stops"), [
    ({"first_stop_max_min": 36.3}, [(E, F)]), ({"first_stop_max_min": 36.2}, [(F,)]),
    ({"shift_hours": 4.22}, [(E, F)]), ({"shift_hours": 4.2}, [(F,)]),  # 2 x 36.28 min and 3 h
    ({"umm_stops_max": 1}, [(F,)]), ({"working_days_month": 3}, [(F,)]), ({"working_days_month": 4}, [(E, F)]),
    ({"umm_people_max": 1449.0}, [(F,)]), ({"umm_people_max": 1000.0}, [(F,)]),
    ({"mobile_people_min": 1450.0}, [(E, F)]), ({"mobile_people_min": 1451.0}, []),
    ({"mobile_locality_max": 1499.0}, []), ({"mobile_locality_max": 1499.0, "mobile_people_min": 250.0}, [(E,)]),
    ({"mobile_locality_min": 251.0, "remote_min": 65.0}, [(F,)]), ({"mobile_locality_min": 251.0, "remote_min": 70.0}, [(E, F)]),
    ({"reach_first_level_min": 70.0}, [(F,)]), ({"mobile_credit_max": 0.0}, []), ({"allow": ("umr", "brigada")}, []),
])
def test_each_rule_of_a_circuit(change: dict[str, object], stops: list[tuple[str, ...]]) -> None:
    assert stops_of(found(Scenario(**change), only="umm")) == stops  # type: ignore[arg-type]


def test_a_locality_larger_than_a_circuit_is_taken_as_far_as_the_capacity_goes() -> None:
    (option,) = found(Scenario(umm_people_max=1000.0), only="umm").values()
    assert option.serves["available"].tolist() == [1200.0]
    assert option.people == 1000.0


@pytest.mark.parametrize(("any_road", "all_year", "kinds"), [
    (True, True, {"umm"}), (True, False, {"umm", "brigada"}), (False, False, {"brigada"})])
def test_a_mobile_unit_needs_a_road_and_a_brigade_goes_where_the_rains_cut_it(any_road: bool, all_year: bool, kinds: set[str]) -> None:
    going = moves(any_road=any_road, all_year=all_year)
    assert {o.kind for o in found(Scenario(), going).values()} - {"umr"} == kinds
    for option in found(Scenario(), going, only="brigada").values():
        assert (option.visits_month, option.capital_mxn, option.annual_mxn) == (1.0, 0.0, 1.5e6)


def test_visits_that_exist_count_and_the_credit_has_a_ceiling() -> None:
    stops = pd.DataFrame({"clues": [MOBILE, MOBILE], "cvegeo": [E, F], "visits_month": [3.0, 4.0]})
    options = found(Scenario(mobile_people_min=100.0), region=replace(REGION, circuits=stops), only="umm")
    (option,) = options.values()
    assert option.stops == (E,), "F already has all the visits that count"
    assert option.serves["gain"].tolist() == pytest.approx([0.7 * 2 / 3 * (0.5 - 3 / 8) * 2])


@pytest.mark.parametrize(("change", "rules"), [
    ({}, {}), ({"mobile_people_min": 5000.0}, {E: "ruta_corta", F: "ruta_corta"}),
    ({"mobile_locality_max": 1000.0}, {E: "ruta_corta", F: "localidad_grande"}),
    ({"mobile_locality_min": 251.0, "remote_min": 65.0, "first_stop_max_min": 19.0}, {E: "valorar_en_campo", F: "sin_base"})])
def test_who_has_no_option_is_told_why(change: dict[str, object], rules: dict[str, str]) -> None:
    scenario = Scenario(allow=("umm", "brigada"), **change)  # type: ignore[arg-type]
    going = moves()
    access = compute_access(REGION, going, scenario)
    choices = feasible_options(REGION, going, access, scenario)
    told = left_out(choices.options, choices.reached, REGION, access, scenario)
    assert told["rule"].to_dict() == rules


def test_a_place_without_travel_or_grade_has_no_option_and_says_so() -> None:
    region = replace(REGION, localities=REGION.localities.assign(
        irs_grade=REGION.localities["irs_grade"].where(REGION.localities.index != F, None)))
    going = replace(moves(region), nearest={
        k: t.assign(minutes=t["minutes"].where(t.index != E)) for k, t in moves(region).nearest.items()})
    access = compute_access(region, going, WALKED)
    choices = feasible_options(region, going, access, WALKED)
    assert all({E, F}.isdisjoint(o.serves["cvegeo"]) for o in choices.options)
    assert left_out(choices.options, choices.reached, region, access, WALKED)["rule"].to_dict() == {E: "sin_tiempos", F: "sin_brecha"}


def test_limits_of_a_shift_and_a_month() -> None:
    assert (stops_in_day(Scenario()), stops_in_day(Scenario(shift_hours=5.9))) == (2, 1)
    assert stops_in_day(Scenario(stops_day_max=6, shift_hours=24.0)) == 6
    assert stops_limit(1.0, Scenario()) == 10
    assert stops_limit(0.3, Scenario(working_days_month=3)) == 6
    assert stops_limit(2.1, Scenario(working_days_month=8, stops_day_max=1)) == 2
    assert not found(Scenario(stop_hours_min=9.0), only="umm"), "a stop longer than the shift cannot be made"


def test_shuffled_rows_give_the_same_options() -> None:
    scenario = Scenario(capacity_people_per_nucleo=1000.0)
    mixed = replace(REGION, localities=REGION.localities.iloc[::-1], units=REGION.units.iloc[::-1])
    one, other = found(scenario, moves()), found(scenario, moves(mixed), mixed)
    assert list(one) == list(other)
    for option, same in zip(one.values(), other.values(), strict=True):
        assert {k: v for k, v in vars(option).items() if k != "serves"} == {k: v for k, v in vars(same).items() if k != "serves"}
        pd.testing.assert_frame_equal(option.serves, same.serves)


@pytest.mark.parametrize("people_per_nucleo", [300.0, 1000.0, 2300.0])
@pytest.mark.parametrize("budget", [0.0, 2e6, 5e6, 9e6, 40e6])
def test_the_gap_closed_is_the_gap_before_less_the_gap_after(people_per_nucleo: float, budget: float) -> None:
    scenario = WALKED.model_copy(update={
        "capacity_people_per_nucleo": people_per_nucleo, "budget_mxn_year": budget, "umr_people_min": 200.0})
    going = moves(all_year=True)
    access = compute_access(REGION, going, scenario)
    plan = select(feasible_options(REGION, going, access, scenario), REGION.localities, access, scenario)
    outcome = evaluate(REGION, going, access, plan, scenario)
    before, after = outcome.localities["weighted_gap"].sum(), outcome.localities["weighted_gap_plan"].sum()
    assert plan.solution.value == pytest.approx(before - after, abs=1e-6)
    assert outcome.violations == ()
    assert np.all(outcome.localities["gap_share_plan"] <= outcome.localities["gap_share"] + 1e-12)
    assert C not in set(plan.served["cvegeo"]) or people_per_nucleo < 2300


@pytest.mark.parametrize("change", [
    {"budget_mxn_year": 0.0}, {"budget_mxn_year": 1.0}, {"capital_mxn": 0.0, "allow": ("umr", "umm")}, {"allow": ()},
    {"reach_first_level_min": 180.0, "ramp_first_level_good_min": 179.0, "ramp_first_level_none_min": 180.0, "unlimited_capacity": True},
    {"season": "lluvias", "first_stop_max_min": 0.5, "allow": ("umm", "brigada")}, {"mobile_credit_max": 0.0, "allow": ("umm",)},
    {"working_days_month": 1, "allow": ("umm",)}])
def test_where_nothing_can_be_bought_the_plan_is_empty_and_says_so(change: dict[str, object]) -> None:
    run = run_scenario(REGION, Scenario(**change))  # type: ignore[arg-type]
    assert (run.plan.chosen, run.plan.served.empty, run.plan.solution.value, run.plan.solution.bound) == ((), True, 0.0, 0.0)
    assert run.outcome.violations == ()
    pd.testing.assert_series_equal(run.outcome.localities["weighted_gap_plan"], run.outcome.localities["weighted_gap"], check_names=False)


def test_units_without_any_capacity_grow_by_nothing() -> None:
    run = run_scenario(REGION, Scenario(capacity_people_per_nucleo=0.0))
    assert run.outcome.violations == ()
    assert {o.kind for o in run.choices.options} <= {"umm", "brigada"}, "no nucleus seats anybody"


@pytest.mark.parametrize("change", [{"require": ("umr-000",)}, {"require": (C,)}, {"require": (U1,), "budget_mxn_year": 1.0}])
def test_what_is_asked_for_and_cannot_be_had_is_told(change: dict[str, object]) -> None:
    with pytest.raises(SettingsError, match="^«?require»? pide"):
        run_scenario(REGION, Scenario(capacity_people_per_nucleo=500.0, **change))  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match="require y forbid piden a la vez"):
        validated(Scenario, {"require": [U1], "forbid": [U1]}, "escenario x.toml")
