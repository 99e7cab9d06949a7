"""Today's circuits: their rounds by hand, why some cannot be driven, and what the same team may visit besides at no cost."""

from dataclasses import replace
from typing import Any

import geopandas as gpd
import pandas as pd
import pytest
import valley
from valley_travel import MOBILE, U1, B, C, D, E, F, times, travel

from planner.access.circuit_rules import circuit_faults
from planner.access.gap import compute_access
from planner.access.outcome import evaluate
from planner.decide import current
from planner.decide.current import Today, todays_circuits
from planner.decide.extension import wider_circuits
from planner.decide.fleet import Choices
from planner.decide.gains import people_tiers
from planner.decide.rules import mobile_candidates
from planner.decide.selection import select
from planner.errors import SettingsError
from planner.model import Access, Day, Option, Region, TeamTimes
from planner.network import network_of
from planner.settings import Scenario

STOPS = [B, C, D, E, F]
HAND = {  # directed minutes; nothing else can be driven
    (MOBILE, D): 30.0, (D, MOBILE): 30.0, (MOBILE, F): 60.0, (F, MOBILE): 40.0, (MOBILE, E): 80.0, (E, MOBILE): 100.0,
    (D, F): 20.0, (F, D): 25.0, (D, E): 50.0, (E, D): 45.0}
DAY_OUT = Day((D, F), (30.0, 20.0, 40.0))  # 90 min; the other way round it takes 115
Rows = list[tuple[str, str, float]]
TODAY: Rows = [(MOBILE, D, 2.0), (MOBILE, F, 2.0)]


def with_circuits(rows: Rows, region: Region | None = None) -> Region:
    return replace(region or valley.region(), circuits=pd.DataFrame(rows, columns=["clues", "cvegeo", "visits_month"]))


def hand_times(scenario: Scenario, bases: list[str]) -> TeamTimes:
    rows, left = pd.Index(STOPS), (scenario.shift_hours - scenario.stop_hours_min) * 60.0
    out = {(c, b): HAND[b, c] for c in STOPS for b in bases if (b, c) in HAND}
    between = {p: m for p, m in HAND.items() if set(p) <= set(STOPS)} | {(c, c): 0.0 for c in STOPS}
    return TeamTimes(times(out, rows, bases, scenario.first_stop_max_min),
                     times({p: m for p, m in HAND.items() if p[1] in bases}, rows, bases, left),
                     times(between, rows, STOPS, scenario.leg_max_min))


@pytest.fixture(autouse=True)
def by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(current, "team_times", lambda _, scenario, *__, bases: hand_times(scenario, list(bases)))


def found(rows: Rows = TODAY, scenario: Scenario | None = None, region: Region | None = None) -> Today:
    scenario, region = scenario or Scenario(), with_circuits(rows, region)
    return todays_circuits(region, compute_access(region, travel(region), scenario), scenario)


def longer(rows: Rows = TODAY, scenario: Scenario | None = None, region: Region | None = None) -> tuple[list[Option], list[Option], Access]:
    scenario, region = scenario or Scenario(), with_circuits(rows, region)
    going = travel(region)
    access = compute_access(region, going, scenario)
    candidates = mobile_candidates(region, going, access, scenario)
    today = todays_circuits(region, access, scenario)
    return *wider_circuits(today, candidates, region, access, people_tiers(access, scenario), scenario), access


def test_a_round_by_hand_and_its_price() -> None:
    (one,) = found().circuits
    assert (one.clues, one.name, one.team, one.stops, one.visits_month) == (MOBILE, "Caravana tres", "umm", (D, F), 2.0)
    assert (one.days, one.driven_min, one.days_month, one.why_not) == ((DAY_OUT,), 90.0, 2, "")
    assert (one.people, one.annual_mxn) == (1600.0, 2.2e6)
    (alone,) = found([(MOBILE, E, 1.5)]).circuits
    assert (alone.days, alone.days_month) == ((Day((E,), (80.0, 100.0)),), 2)  # a month's calendar holds whole visits


def test_a_brigade_sleeps_out_and_a_mobile_unit_comes_home() -> None:
    region = valley.region()
    classes = region.units["unit_class"].mask(region.units.index == MOBILE, "brigada")
    brigade = replace(region, units=region.units.assign(unit_class=classes))
    tight = Scenario(shift_hours=5.5, first_stop_max_min=90.0, stops_day_max=1)  # 150 min of travel a day: E takes 180
    (umm,), (team,) = (found([(MOBILE, D, 1.0), (MOBILE, E, 1.0)], tight, r).circuits for r in (region, brigade))
    assert umm.why_not == f"la jornada de 5.5 h no alcanza para ir, atender 3 h y volver: 1 parada ({E})"
    assert (team.team, team.annual_mxn) == ("brigada", 1.5e6)
    assert team.days == (Day((E,), (80.0,)), Day((D,), (45.0, 30.0)))


THREE: Rows = [*TODAY, (MOBILE, E, 2.0)]


@pytest.mark.parametrize(("rows", "change", "why"), [
    (TODAY, {"first_stop_max_min": 20.0}, f"2 paradas ({D}, {F}) sin camino en la temporada a 20 min o menos de la base ni a 90 o menos "
                                          "de otra parada"),
    ([(MOBILE, B, 2.0), *TODAY], {}, f"1 parada ({B}) sin camino en la temporada a 90 min o menos de la base ni a 90 o menos de otra "
                                     "parada"),
    (THREE, {"shift_hours": 5.9}, f"la jornada de 5.9 h no alcanza para ir, atender 3 h y volver: 1 parada ({E})"),
    ([(MOBILE, c, 11.0) for c in (D, E, F)], {},
     "una vuelta a sus 3 paradas toma 2 días: con 11 visitas al mes no cabe en 20 días de trabajo"),
    (TODAY, {"stops_day_max": 1, "working_days_month": 3},
     "una vuelta a sus 2 paradas toma 2 días: con 2 visitas al mes no cabe en 3 días de trabajo"),
    ([(MOBILE, D, 21.0)], {}, "21 visitas al mes no caben en 20 días de trabajo"),
    (TODAY, {"stop_hours_min": 9.0}, "una parada de 9 h no cabe en la jornada de 8 h"),
    ([(U1, D, 2.0)], {}, "no es una UMM ni una brigada que opere: sus visitas cuentan, no se planea una ronda"),
])
def test_a_circuit_that_cannot_be_driven_says_which_rule_it_breaks_and_is_kept(rows: Rows, change: dict[str, Any], why: str) -> None:
    scenario = Scenario(**change)
    (one,) = found(rows, scenario).circuits
    assert (one.days, one.days_month, one.driven_min, one.why_not) == ((), 0, 0, why)
    assert one.people > 0
    options, pools, access = longer(rows, scenario)
    assert options == pools == []
    assert access.localities.loc[D, "visits_month"] >= 2.0


@pytest.mark.parametrize("point", [None, (-1e6, 0.0), (float("nan"), float("nan"))])
def test_what_has_no_place_on_the_ground_is_told(point: tuple[float, float] | None) -> None:
    region = valley.region()
    nowhere = gpd.points_from_xy([point[0]], [point[1]])[0] if point else None
    units, places = region.units.copy(), region.localities.copy()
    units.loc[[MOBILE], "geometry"] = gpd.GeoSeries([nowhere], index=[MOBILE], crs=region.crs)
    places.loc[[F], "geometry"] = gpd.GeoSeries([nowhere], index=[F], crs=region.crs)
    for there, why in ((replace(region, units=units), "la unidad no tiene"), (replace(region, localities=places), f"1 parada ({F}) sin")):
        (one,) = found(region=there).circuits
        assert one.why_not == f"{why} coordenadas dentro del terreno de la región: no se planea una ronda"


def test_no_file_no_stops_and_closed_units_are_no_circuits() -> None:
    region = valley.region()
    going, scenario = travel(region), Scenario(closures=(MOBILE,))
    access = compute_access(region, going, scenario)
    assert todays_circuits(region, access, scenario).circuits == found([]).circuits == found([(MOBILE, D, 0.0)]).circuits == ()
    shut = network_of(with_circuits(TODAY), scenario)
    assert todays_circuits(shut, compute_access(shut, going, scenario), scenario).circuits == ()


def test_a_team_takes_in_a_place_for_nothing_with_what_its_month_has_left() -> None:
    (option,), (pool,), access = longer()
    assert (option.kind, option.place, option.capital_mxn, option.annual_mxn, option.visits_month) == ("ruta", MOBILE, 0.0, 0.0, 2.0)
    assert option.id.startswith(f"ruta-{MOBILE}-")
    assert option.days in ((DAY_OUT, Day((E,), (80.0, 100.0))), (Day((E,), (80.0, 100.0)), DAY_OUT))
    assert option.capacity_people == 2400 - 1600
    assert (option.serves["cvegeo"].tolist(), option.serves["people"].tolist()) == ([E], [250.0])
    # weight 0.7 x (1 - e): E is 70 minutes from a unit with room, e = 1/3; 2 of 8 visits; weight of need 2
    assert option.weighted == pytest.approx(250 * 0.7 * (2 / 3) * (2 / 8) * 2)
    assert option.reason == (
        "el equipo ya está pagado: sin costo nuevo, agrega 1 localidad con 250 personas, la menos lejana a 70 min a pie del primer nivel "
        "fijo más cercano (umbral 60), y conserva sus 2 paradas de hoy con 2 visitas al mes; una vuelta pasa de 1 a 2 días y de 90 a 270 "
        "min de traslado en vehículo, rezago muy alto")
    assert (pool.copies, pool.pool_stops, pool.capacity_people, pool.annual_mxn) == (1, 8, 800.0, 0.0)
    assert access.localities.loc[[D, F], "visits_month"].tolist() == [2.0, 2.0]


@pytest.mark.parametrize(("change", "rows", "offered"), [
    ({"umm_people_max": 1600.0}, TODAY, 0),  # no room beside today's people
    ({"umm_people_max": 1700.0}, TODAY, 1),  # a part of E fits
    ({"umm_stops_max": 2}, TODAY, 0),
    ({"umm_stops_max": 1}, TODAY, 0),  # today's circuit may be longer than the limit, and no longer still
    ({"working_days_month": 3}, TODAY, 0),  # two visits of two days need four
    ({"working_days_month": 4}, TODAY, 1),
    ({}, [(MOBILE, D, 2.0), (MOBILE, F, 10.0)], 1),
    ({}, [(MOBILE, D, 2.0), (MOBILE, F, 11.0)], 0),  # the round keeps the visits of the stop visited most
    ({"reach_first_level_min": 71.0}, TODAY, 0),  # E is within reach
])
def test_limits_of_the_month_of_people_and_of_stops(change: dict[str, Any], rows: Rows, offered: int) -> None:
    options, pools, _ = longer(rows, Scenario(**change))
    assert len(options) == offered
    assert len(pools) >= min(offered, 1)
    for option in options:
        assert option.people <= option.capacity_people == Scenario(**change).umm_people_max - 1600


def test_a_place_that_answers_to_the_unit_has_its_usual_visits_already() -> None:
    table = valley.region().responsibility
    assert table is not None
    mine = pd.DataFrame({"cvegeo": [E], "clues": [MOBILE], "people": [1.0], "published_clues": [MOBILE], "share": [1.0]})
    region = replace(valley.region(), responsibility=pd.concat([table, mine], ignore_index=True))
    assert longer(region=region)[0] == []


def planned(options: list[Option], pools: list[Option], access: Access, scenario: Scenario, region: Region):  # type: ignore[no-untyped-def]
    return select(Choices(tuple(options), tuple(pools)), region.localities, access, scenario)


def test_the_plan_takes_it_with_an_empty_purse_and_worsens_nobody() -> None:
    scenario, region = Scenario(budget_mxn_year=0.0), with_circuits(TODAY)
    options, pools, access = longer(scenario=scenario)
    plan = planned(options, pools, access, scenario, region)
    assert plan.chosen == (options[0].id,)
    assert plan.solution.value == pytest.approx(options[0].weighted)
    assert plan.solution.bound <= plan.solution.ceiling + 1e-9
    outcome = evaluate(region, travel(region), access, plan, scenario)
    assert outcome.violations == ()
    assert outcome.localities["visits_month_plan"].to_dict() == {**access.localities["visits_month"], E: 2.0}
    assert (outcome.localities["gap_share_plan"] <= outcome.localities["gap_share"] + 1e-12).all()
    assert outcome.proposals["annual_mxn"].tolist() == [0.0]
    legs = pd.DataFrame([(*pair, m) for pair, m in HAND.items()], columns=["from_id", "to_id", "minutes"])
    assert circuit_faults(options, legs, scenario, region) == []


def test_it_is_forbidden_and_required_by_id_and_by_clues() -> None:
    region, (option,) = with_circuits(TODAY), longer()[0]
    for name in (option.id, MOBILE):
        free = Scenario(budget_mxn_year=0.0, forbid=(name,))
        options, pools, access = longer(scenario=free)
        assert len(pools) == (name != MOBILE)
        assert planned(options, pools, access, free, region).chosen == ()
        must = Scenario(budget_mxn_year=0.0, require=(name,))
        assert planned(*longer(scenario=must), must, region).chosen == (option.id,)
    must = Scenario(require=(MOBILE,), umm_stops_max=2)
    none = longer(scenario=must)
    with pytest.raises(SettingsError, match=f"require pide {MOBILE}, que no es una propuesta factible"):
        planned(*none, must, region)
