"""Tables: a run against itself changes nothing, there and back cancels, every change is told."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import valley

from planner.errors import DataError, StorageError
from planner.outputs.geofiles import write_run
from planner.outputs.tables import compare_runs, summary_tables

A, B, C, D, E, F = valley.PLACES
ONE, TWO, MOBILE, HOSPITAL = valley.FACILITIES
BASE = (f"nucleo-{ONE}", f"umm-{TWO}-1")
PEOPLE, EQUITY, WINNERS, TOWNS, PLACES, ASSUMED = range(6)


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
    found = tables(runs[0], runs[0])
    for table in (found[PEOPLE], found[EQUITY]):
        assert (table["Cambio: base (2)"].dropna() == 0).all()
    assert all(found[i].empty for i in (WINNERS, TOWNS, PLACES, ASSUMED))


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
    assert (figures["Cambio: ahorro"] == figures["ahorro"] - figures["base"]).where(figures["base"].notna(), True).all()
    assert figures.loc["Costo anual", ["base", "ahorro", "Cambio: ahorro"]].tolist() == [1.9e6 + 2.574e6, 3.85e6, -0.624e6]
    assert figures.loc[["UMR nuevas", "Segundos núcleos", "Rutas de UMM", "Rutas de brigada"], "Cambio: ahorro"].tolist() == [1, -1, -1, 0]
    assert found[PLACES][["Cambio", "Propuesta"]].to_numpy().tolist() == [
        ["entra", f"umr-{F}"], ["sale", f"nucleo-{ONE}"], ["sale", f"umm-{TWO}-1"]]
    lost = figures.loc["Personas sin acceso efectivo (equivalentes)", "Cambio: ahorro"]
    assert found[WINNERS].loc[0, "Ganancia neta"] == pytest.approx(-lost)
    assert found[EQUITY]["Cambio: ahorro"].sum() == pytest.approx(lost)
    assert found[TOWNS]["Cambio: ahorro"].sum() == pytest.approx(figures.loc["Brecha ponderada", "Cambio: ahorro"])
    assert found[ASSUMED].to_numpy().tolist() == [
        ["budget_mxn_year", "Presupuesto anual: operación + capital anualizado", "100000000.0", "5000000.0"]]


def test_a_run_that_is_not_there_or_of_another_region_is_told(runs: list[Path], tmp_path: Path, computed: Any) -> None:
    with pytest.raises(StorageError, match="No se puede leer .*nada"):
        compare_runs([runs[0], tmp_path / "nada"])
    made = computed(*BASE)
    write_run(tmp_path / "far", replace(made, region=replace(made.region, slug="lejos")), tmp_path, elapsed_s=0)
    with pytest.raises(DataError, match="es de la región lejos y .* de valle"):
        compare_runs([runs[0], tmp_path / "far"])
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
        total["actual"]["brecha_ponderada"], total["plan"]["brecha_ponderada"]]
    beyond = found[1][1].set_index("Modo")
    walk = made.travel.nearest["primer_nivel", "a_pie"]["minutes"]
    assert beyond.loc["A pie", "Primer nivel > 60 min"] == made.outcome.localities["people"][~(walk <= 60)].sum()
    options = found[4][1].set_index("Tipo")
    assert options.loc["Total", "Intervenciones"] == len(made.plan.options)
    assert options.loc["Total", "Costo anual (MXN/año)"] == pytest.approx(sum(o.annual_mxn for o in made.plan.options))
