"""The checker of circuits: a sound round passes, and each rule broken by hand is told, and nothing else."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import valley

from planner.access.circuit_rules import circuit_faults
from planner.model import Day, Option
from planner.settings import Scenario

A, B, C, D, E, F = valley.PLACES
BASE = next(iter(valley.FACILITIES))
MINUTES = {  # directed
    (BASE, A): 20.0, (A, BASE): 25.0, (BASE, B): 30.0, (B, BASE): 30.0, (B, D): 40.0, (D, BASE): 50.0, (BASE, F): 60.0, (F, E): 70.0,
    (E, D): 45.0, (A, B): 15.0, (E, BASE): 110.0, (D, A): 85.0, (F, BASE): 60.0}
SCENARIO = Scenario()


def true(minutes: Mapping[tuple[str, str], float] = MINUTES) -> pd.DataFrame:
    return pd.DataFrame([(*pair, value) for pair, value in minutes.items()], columns=["from_id", "to_id", "minutes"])


def option(*days: Day, people: float = 900.0, **more: Any) -> Option:
    stops = tuple(stop for day in days for stop in day.stops)
    serves = pd.DataFrame({"people": [people], "weighted": [1.0]})
    return Option(**{"id": "umm-1", "kind": "umm", "place": BASE, "name": "Uno", "capital_mxn": 0.0, "annual_mxn": 1.0,
                     "capacity_people": 2400.0, "serves": serves, "reason": "", "stops": stops, "days": days, "visits_month": 2.0, **more})


ALONE = Day((A,), (20.0, 25.0))
TWO = Day((B, D), (30.0, 40.0, 50.0))
OUT, ON, HOME = Day((F,), (60.0,)), Day((E, D), (70.0, 45.0)), Day((), (50.0,))
UMM = option(ALONE, TWO)
BRIGADE = option(OUT, ON, HOME, ALONE, id="brigada-1", kind="brigada", visits_month=1.0)


def told(*options: Option, minutes: Mapping[tuple[str, str], float] = MINUTES, **scenario: Any) -> list[str]:
    return circuit_faults(options, true(minutes), Scenario(**scenario))


def test_sound_circuits_pass_whatever_their_order_and_other_options_are_no_circuits() -> None:
    unit = replace(UMM, id="umr-1", kind="umr", stops=(), days=())
    assert told(UMM, BRIGADE, unit) == told(unit, BRIGADE, UMM) == told() == []


def test_limits_are_inclusive() -> None:
    longest = 8.0  # hours of a day of two stops and 120 minutes
    assert told(UMM, BRIGADE, first_stop_max_min=60.0, leg_max_min=70.0, shift_hours=longest, brigade_nights_max=2, working_days_month=9,
                umm_stops_max=4, umm_people_max=900.0) == []
    assert told(UMM, BRIGADE, first_stop_max_min=60.0 - 1e-5) == [
        f"El plan tiene rutas cuya primera parada está demasiado lejos de la base: brigada-1 (día 1, {BASE} a {F}: 60 min)."]


BROKEN: list[tuple[Option, dict[str, Any], str]] = [
    (replace(UMM, stops=(A, B, D, E)), {}, f"que no visitan una vez por ronda cada parada: umm-1 ({E}: 0 veces)"),
    (replace(UMM, stops=(A, B)), {}, f"que no visitan una vez por ronda cada parada: umm-1 ({D}: 1 veces)"),
    (option(ALONE, TWO, ALONE, stops=(A, B, D)), {}, f"que no visitan una vez por ronda cada parada: umm-1 ({A}: 2 veces)"),
    (option(ALONE, Day((), (0.0,)), TWO), {}, "con días que no se encadenan desde la base y de vuelta: umm-1 (día 2)"),
    (option(ALONE, Day((B, D), (30.0,))), {}, "con días que no se encadenan desde la base y de vuelta: umm-1 (día 2)"),
    (option(OUT, ON, Day((), ()), HOME, id="b", kind="brigada"), {}, "con días que no se encadenan desde la base y de vuelta: b (día 3)"),
    (option(ALONE, OUT, id="b", kind="brigada"), {}, "con días que no se encadenan desde la base y de vuelta: b (no vuelve a su base)"),
    (option(), {"stops": (A,)}, "con días que no se encadenan desde la base y de vuelta: umm-1 (no vuelve a su base)"),
    (option(Day((A,), (20.0, 20.0)), TWO), {}, f"con minutos que no son los del traslado: umm-1 (día 1, {A} a {BASE}: 20 y no 25 min)"),
    (option(Day((A,), (20.00001, 25.0))), {},
     f"con minutos que no son los del traslado: umm-1 (día 1, {BASE} a {A}: 20.00001 y no 20 min)"),
    (option(Day((A,), (20.0, np.nan))), {}, f"con minutos que no son los del traslado: umm-1 (día 1, {A} a {BASE}: nan y no 25 min)"),
    (UMM, {"minutes": {**MINUTES, (B, D): np.inf}}, f"con tramos sin camino en la temporada: umm-1 (día 2, {B} a {D})"),
    (UMM, {"minutes": {k: v for k, v in MINUTES.items() if k != (A, BASE)}},
     f"con tramos sin camino en la temporada: umm-1 (día 1, {A} a {BASE})"),
    (UMM, {"shift_hours": 7.99}, "que rebasan la jornada: umm-1 (día 2: 8 h)"),
    (option(OUT, Day((E,), (70.0, 110.0)), kind="brigada"), {"shift_hours": 5.0}, "que rebasan la jornada: umm-1 (día 2: 6 h)"),
    (option(OUT, Day((E,), (70.0,)), Day((D,), (45.0,)), Day((), (50.0,)), kind="brigada", visits_month=1.0),
     {"shift_hours": 0.8, "stop_hours_min": 0.01}, "que rebasan la jornada"),
    (UMM, {"stops_day_max": 1}, "con demasiadas paradas en un día: umm-1 (día 2: 2)"),
    (UMM, {"first_stop_max_min": 25.0}, f"cuya primera parada está demasiado lejos de la base: umm-1 (día 2, {BASE} a {B}: 30 min)"),
    (UMM, {"leg_max_min": 39.0}, f"con paradas seguidas demasiado lejos entre sí: umm-1 (día 2, {B} a {D}: 40 min)"),
    (BRIGADE, {"leg_max_min": 69.0}, f"con paradas seguidas demasiado lejos entre sí: brigada-1 (día 2, {F} a {E}: 70 min)"),
    (BRIGADE, {"brigade_nights_max": 1}, "con más noches fuera que las permitidas: brigada-1 (desde el día 1: 2)"),
    (replace(BRIGADE, kind="umm"), {}, "con más noches fuera que las permitidas: brigada-1 (desde el día 1: 2)"),
    (replace(BRIGADE, kind="ruta"), {}, "con más noches fuera que las permitidas: brigada-1 (desde el día 1: 2)"),
    (BRIGADE, {"working_days_month": 8}, "con salidas más largas que una semana: brigada-1 (desde el día 1: 3 días)"),
    (replace(UMM, visits_month=11.0), {}, "que no caben en los días de trabajo del mes: umm-1 (2 días, 11 visitas al mes)"),
    (replace(UMM, visits_month=0.0), {}, "que no caben en los días de trabajo del mes: umm-1 (2 días, 0 visitas al mes)"),
    (UMM, {"umm_stops_max": 2}, "con demasiadas paradas: umm-1 (3)"),
    (option(ALONE, people=2401.0), {}, "con demasiadas personas: umm-1 (2,401)"),
]


@pytest.mark.parametrize(("broken", "more", "words"), BROKEN, ids=range(len(BROKEN)))
def test_each_rule_that_is_broken_is_told(broken: Option, more: dict[str, Any], words: str) -> None:
    stops = more.get("stops")
    settings = {key: value for key, value in more.items() if key != "stops"}
    found = told(replace(broken, stops=stops) if stops else broken, **settings)
    assert any(f"El plan tiene rutas {words}" in fault for fault in found), found


def test_one_fault_is_one_sentence_alone() -> None:
    assert told(UMM, BRIGADE, stops_day_max=1) == [
        "El plan tiene rutas con demasiadas paradas en un día: brigada-1 (día 2: 2), umm-1 (día 2: 2)."]
    many = [replace(option(ALONE, people=3000.0), id=f"umm-{k}") for k in range(5)]
    assert told(*many) == ["El plan tiene rutas con demasiadas personas: umm-0 (3,000), umm-1 (3,000), umm-2 (3,000) y 2 más."]


def extended(option_: Option, rows: list[tuple[str, str, float]], *, brigade: bool = False, **scenario: Any) -> list[str]:
    """What is told of the option as an extension of what these rows say that its unit visits today."""
    region = valley.region()
    units = region.units.assign(unit_class=region.units["unit_class"].mask(region.units.index == BASE, "brigada" if brigade else "UMM"))
    today = pd.DataFrame(rows, columns=["clues", "cvegeo", "visits_month"])
    return circuit_faults([replace(option_, kind="ruta")], true(), Scenario(**scenario), replace(region, units=units, circuits=today))


TODAY = [(BASE, A, 2.0), (BASE, B, 1.5), (BASE, D, 2.0), (BASE, E, 0.0), ("MDIMB000022", F, 4.0)]


def test_todays_circuits_are_as_long_as_they_are_and_no_longer() -> None:
    assert extended(UMM, TODAY, umm_stops_max=2) == []
    assert extended(UMM, TODAY[:2], umm_stops_max=2) == ["El plan tiene rutas con demasiadas paradas: umm-1 (3)."]
    assert extended(UMM, TODAY[:2], umm_stops_max=3) == []


def test_what_extends_a_circuit_keeps_every_stop_and_visit() -> None:
    keeps = "El plan tiene rutas ampliadas que no conservan las visitas de hoy:"
    assert extended(replace(UMM, visits_month=1.5), TODAY) == [
        f"{keeps} umm-1 ({A}: 1.5 de 2 visitas al mes), umm-1 ({D}: 1.5 de 2 visitas al mes)."]
    assert extended(option(ALONE), TODAY) == [f"{keeps} umm-1 ({B}: 0 de 1.5 visitas al mes), umm-1 ({D}: 0 de 2 visitas al mes)."]
    assert extended(UMM, TODAY[4:]) == told(replace(UMM, kind="ruta")) == [f"{keeps} umm-1 (su unidad no tiene paradas hoy)."]


def test_what_extends_a_circuit_keeps_the_rules_of_its_team() -> None:
    assert extended(BRIGADE, [(BASE, F, 1.0)], brigade=True) == []
    (fault,) = extended(BRIGADE, [(BASE, F, 1.0)])
    assert "con más noches fuera que las permitidas: brigada-1 (desde el día 1: 2)" in fault


def test_it_knows_nothing_of_the_planning_and_changes_nothing() -> None:
    table = true()
    before = table.copy()
    circuit_faults([UMM], table, SCENARIO)
    pd.testing.assert_frame_equal(table, before)
