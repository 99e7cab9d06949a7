"""What one run says in tables is what its indicators hold."""

from dataclasses import replace
from typing import Any

import pytest
import valley

from planner import words as named
from planner.outputs.tables import summary_tables
from planner.schema import CLASSES, ROLES

A, B, C, D, E, F = valley.PLACES
ONE, TWO, MOBILE, HOSPITAL = valley.FACILITIES
BASE = (f"nucleo-{ONE}", f"umm-{TWO}-1")


def test_the_summary_tells_what_the_indicators_hold(computed: Any) -> None:
    made = computed(*BASE)
    found = list(summary_tables(made).items())
    assert found[0][0] == "Personas: Valle (SINTÉTICA), escenario base"
    total = made.outcome.indicators["total"]
    people = found[0][1].set_index("Indicador")
    assert people.loc["Brecha ponderada", ["Hoy", "Con el plan"]].tolist() == [
        round(total["actual"]["brecha_ponderada"]), round(total["plan"]["brecha_ponderada"])]
    if total["actual"]["p90_min"] is not None:
        assert people.loc["Percentil 90 de los minutos al primer nivel", "Hoy"] == round(total["actual"]["p90_min"], 2)
    beyond = found[1][1].set_index("Modo")
    walk = made.travel.nearest["primer_nivel", "a_pie"]["minutes"]
    assert beyond.loc["A pie", "Primer nivel > 60 min"] == made.outcome.localities["people"][~(walk <= 60)].sum().round()
    options = found[4][1].set_index("Tipo")
    assert options.loc["Total", "Intervenciones"] == len(made.plan.options)
    assert options.loc["Total", "Costo anual (MXN/año)"] == pytest.approx(sum(o.annual_mxn for o in made.plan.options))


def test_units_and_the_solution_are_told_in_words(computed: Any) -> None:
    assert (set(named.ROLES), set(named.CLASSES)) == (set(ROLES), set(CLASSES))
    made = computed(*BASE)
    units = summary_tables(made)["Unidades"]
    told = units.groupby("Por")["Unidades"].sum()
    assert told["Función"] == told["Tipo"] == len(made.region.units)
    assert units.loc[units["Por"] == "Función", "Qué"].tolist() == ["Primer nivel", "Hospital", "Servicio móvil"]
    assert not units["Qué"].str.contains("_").any()
    for status, gap, words in (("óptimo", 0.0, "óptimo demostrado"), ("con brecha", 0.2, "no demostrado óptimo; a lo más 25 % mejor"),
                               ("con brecha", 0.001, "no demostrado óptimo; a lo más 0.11 % mejor"),  # 1/0.999 - 1, rounded up
                               ("con brecha", 1.0, "no demostrado óptimo")):
        plan = {**made.outcome.indicators["plan"], "estado": status, "brecha_optimalidad": gap}
        outcome = replace(made.outcome, indicators={**made.outcome.indicators, "plan": plan})
        solution = summary_tables(replace(made, outcome=outcome))["Solución"].set_index("Qué")["Cuánto"]
        assert solution["Estado"] == words
        assert solution["Brecha ponderada que cierra"] == round(plan["brecha_ponderada_cerrada"])
