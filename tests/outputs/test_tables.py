"""Tables: a run against itself changes nothing, there and back cancels, every change is told."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import valley

from planner import words as named
from planner.errors import DataError, StorageError
from planner.outputs.folder import write_run
from planner.outputs.tables import compare_runs, summary_tables
from planner.schema import CLASSES, ROLES

A, B, C, D, E, F = valley.PLACES
ONE, TWO, MOBILE, HOSPITAL = valley.FACILITIES
BASE = (f"nucleo-{ONE}", f"umm-{TWO}-1")
PEOPLE, EQUITY, INDEX, WINNERS, TOWNS, PLACES, ASSUMED = range(7)


@pytest.fixture
def runs(tmp_path: Path, computed: Any) -> list[Path]:
    """The valley with its plan, and with another one under another budget."""
    (tmp_path / "manifest.json").write_text("{}")
    other = computed(f"umr-{F}", name="ahorro", budget_mxn_year=5e6)
    folders = [tmp_path / "runs" / name for name in ("base", "ahorro")]
    for folder, made in zip(folders, (computed(*BASE), other), strict=True):
        write_run(folder, made, tmp_path, elapsed_s=1)
    return folders


def tables(*folders: Path) -> list[pd.DataFrame]:
    return list(compare_runs(folders).values())


def test_a_run_against_itself_differs_in_nothing(runs: list[Path]) -> None:
    there, found = compare_runs(runs), compare_runs([runs[0], runs[0]])
    for table in list(found.values())[:2]:
        change = table["Cambio: base (2)"].dropna()
        assert (change == 0).all()
        assert not np.signbit(change).any()
    assert list(found) == [*list(there)[:3], "Sin diferencias"]
    assert found["Sin diferencias"]["En"].tolist() == list(there)[3:]
    assert found[list(there)[INDEX]]["Cambio"].tolist()[1:] == ["0.000"]


def test_no_table_is_empty(runs: list[Path]) -> None:
    assert not any(table.empty for folders in (runs, [runs[0], runs[0]]) for table in tables(*folders))
    assert "Sin diferencias" not in compare_runs(runs)


def test_there_and_back_cancels(runs: list[Path]) -> None:
    there, back = tables(*runs), tables(*runs[::-1])
    for i in (PEOPLE, EQUITY, TOWNS):
        keys = [c for c in there[i].columns if not c.startswith("Cambio") and c not in ("base", "ahorro")]
        both = there[i].merge(back[i], on=keys, validate="1:1")
        assert len(both) == len(there[i]) == len(back[i]) > 0
        np.testing.assert_array_equal(both["Cambio: ahorro"], -both["Cambio: base"])
    assert there[WINNERS].loc[0, "Ganan"] == back[WINNERS].loc[0, "Pierden"]
    assert there[WINNERS].loc[0, "Pierden"] == back[WINNERS].loc[0, "Ganan"]
    swapped = back[PLACES].assign(Cambio=back[PLACES]["Cambio"].map({"entra": "sale", "sale": "entra"}))
    key = ["Propuesta", "Cambio"]
    pd.testing.assert_frame_equal(there[PLACES][key].sort_values(key, ignore_index=True), swapped[key].sort_values(key, ignore_index=True))


def test_changes_are_the_differences_of_the_files(runs: list[Path]) -> None:
    found = tables(*runs)
    figures = found[PEOPLE].set_index("Indicador")
    base, other = (json.loads((folder / "indicadores.json").read_text(encoding="utf-8")) for folder in runs)
    raw = [told["total"]["plan"] for told in (base, other)]
    for words, key in (("Brecha ponderada", "brecha_ponderada"), ("Con servicio", "con_servicio"), ("Sin cobertura", "sin_cobertura")):
        first, second = raw[0][key], raw[1][key]
        assert figures.loc[words, ["base", "ahorro", "Cambio: ahorro"]].tolist() == [round(first), round(second), round(second - first)]
    first, second = (told["indice_concentracion"]["plan"] for told in (base, other))
    assert found[INDEX].to_numpy(object, na_value=None).tolist() == [
        ["base", f"{first:.3f}", None], ["ahorro", f"{second:.3f}", f"{second - first:.3f}"]]
    assert figures.loc["Costo anual", ["base", "ahorro", "Cambio: ahorro"]].tolist() == [1.9e6 + 2.574e6, 3.85e6, -0.624e6]
    kinds = ["UMR nuevas", "Núcleos adicionales", "Rutas de UMM", "Rutas de brigada"]
    assert figures.loc[kinds, "Cambio: ahorro"].tolist() == [1, -1, -1, 0]
    assert found[PLACES][["Cambio", "Propuesta", "Tipo"]].to_numpy().tolist() == [
        ["entra", f"umr-{F}", "UMR nueva"], ["sale", f"nucleo-{ONE}", "Núcleo adicional"], ["sale", f"umm-{TWO}-1", "Ruta de UMM"]]
    lost = figures.loc["Personas sin acceso efectivo (equivalentes)", "Cambio: ahorro"]
    assert found[WINNERS].loc[0, "Ganancia neta"] == -lost
    assert found[EQUITY]["Cambio: ahorro"].sum() == pytest.approx(lost, abs=len(found[EQUITY]) / 2)  # each row is rounded
    assert found[TOWNS]["Cambio: ahorro"].sum() == pytest.approx(figures.loc["Brecha ponderada", "Cambio: ahorro"],
                                                                 abs=len(found[TOWNS]) / 2)
    for i, columns in ((EQUITY, ["base", "ahorro", "Cambio: ahorro"]), (TOWNS, ["base", "ahorro"]), (WINNERS, ["Ganan", "Pierden"]),
                       (PLACES, ["Costo anual", "Personas"])):
        assert (found[i][columns] % 1 == 0).all(axis=None)
    assert found[ASSUMED].to_numpy().tolist() == [
        ["budget_mxn_year", "Presupuesto anual: operación + capital anualizado", "MXN/año", "100,000,000", "5,000,000"]]


def test_assumptions_are_told_exactly(tmp_path: Path, computed: Any, runs: list[Path]) -> None:
    made = computed(*BASE, name="otra", utilisation=0.675, price_year=2026, capital_mxn=1.5e6)
    write_run(tmp_path / "runs/otra", made, tmp_path, elapsed_s=1)
    told = compare_runs([runs[0], tmp_path / "runs/otra"])["Supuestos que difieren"]
    assert told.set_index("Clave")[["base", "otra"]].T.to_dict("list") == {
        "utilisation": ["0.67", "0.675"], "capital_mxn": ["sin tope", "1,500,000"], "price_year": ["2025", "2026"]}


def test_a_run_that_is_not_there_or_of_another_region_is_told(runs: list[Path], tmp_path: Path, computed: Any) -> None:
    with pytest.raises(StorageError, match=r"No hay una corrida terminada en .*nada; en .*runs están: ahorro, base\.") as fault:
        compare_runs([runs[0], runs[0].with_name("nada")])
    assert "No such file" not in str(fault.value)
    with pytest.raises(StorageError, match=r"terminada en .*runs; en .* están: runs/ahorro, runs/base\."):
        compare_runs([runs[0], runs[0].parent])
    with pytest.raises(StorageError, match="lejos no hay ninguna"):
        compare_runs([tmp_path / "lejos/nada", runs[0]])
    made = computed(*BASE)
    write_run(tmp_path / "far", replace(made, region=replace(made.region, slug="lejos")), tmp_path, elapsed_s=0)
    with pytest.raises(DataError, match="es de la región lejos y .* de valle"):
        compare_runs([runs[0], tmp_path / "far"])
    (tmp_path / "far/propuestas.geojson").unlink()
    with pytest.raises(StorageError, match=r"far le faltan archivos: propuestas\.geojson"):
        compare_runs([tmp_path / "far", runs[0]])
    (runs[1] / "manifest.json").write_text("[]")
    with pytest.raises(DataError, match="ahorro no es una corrida de esta versión"):
        compare_runs(runs)


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
