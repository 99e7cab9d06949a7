"""Comparisons: a run against itself changes nothing, there and back cancels, every change is told with its reason."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import valley

from planner.errors import DataError, StorageError
from planner.outputs.compared import TITLES, comparison_tables, comparison_values
from planner.outputs.comparison import NOISE, Comparison, compare
from planner.outputs.finished import Finished, finished, read_finished
from planner.outputs.folder import write_run
from planner.outputs.jsonfiles import canonical_json
from planner.outputs.report import report_of

A, B, C, D, E, F = valley.PLACES
ONE, TWO, MOBILE, HOSPITAL = valley.FACILITIES
BASE = (f"nucleo-{ONE}", f"umm-{TWO}-1")
BLOCKS = ("figures", "grades", "groups", "municipalities")


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("prepared")
    (folder / "manifest.json").write_text('{"inputs": []}')
    return folder


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory, computed: Any, prepared: Path) -> list[Path]:
    """The valley with its plan, and with another one under another budget."""
    home = tmp_path_factory.mktemp("runs")
    other = computed(f"umr-{F}", name="ahorro", budget_mxn_year=5e6)
    for name, made in (("base", computed(*BASE)), ("ahorro", other)):
        write_run(home / name, made, prepared, elapsed_s=1)
    return [home / "base", home / "ahorro"]


@pytest.fixture(scope="module")
def runs(folders: list[Path]) -> tuple[Finished, ...]:
    return read_finished(folders)


@pytest.fixture(scope="module")
def there(runs: tuple[Finished, ...]) -> Comparison:
    return compare(runs)


def test_a_run_against_itself_differs_in_nothing(folders: list[Path]) -> None:
    found = compare(read_finished([folders[0], folders[0]]))
    assert found.empty
    assert [run.name for run in found.runs] == ["base", "base (2)"]
    for block in BLOCKS:
        change = getattr(found, block)["Cambio: base (2)"].dropna()
        assert len(change)
        assert (change == 0).all()
    tables = comparison_tables(found)
    assert list(tables) == ["Sin diferencias"]
    assert tables["Sin diferencias"]["En"].tolist() == list(TITLES.values())


def test_there_and_back_cancels(runs: tuple[Finished, ...], there: Comparison) -> None:
    back = compare(runs[::-1])
    assert not there.empty
    for block in BLOCKS:
        one, two = getattr(there, block)["Cambio: ahorro"], getattr(back, block)["Cambio: base"]
        both = pd.concat([one, two], axis=1, join="inner").dropna()
        assert len(both) == len(one.dropna()) == len(two.dropna()) > 0
        np.testing.assert_array_equal(both.iloc[:, 0], -both.iloc[:, 1])
    for table in ("reach", "winners"):
        one, two = getattr(there, table), getattr(back, table)
        np.testing.assert_array_equal(one[["ganan", "pierden", "neto"]], two[["pierden", "ganan", "neto"]] * [1, 1, -1])
    assert there.localities["gana"].sort_index().tolist() == (-back.localities["gana"]).sort_index().tolist()
    swap = {"entra": "sale", "sale": "entra", "se mueve": "se mueve", "cambia": "cambia"}
    for i, row in there.proposals.iterrows():
        other = row["antes"] if row["cambio"] == "se mueve" else i
        assert back.proposals.loc[other, "cambio"] == swap[row["cambio"]]
    assert len(there.proposals) == len(back.proposals)


def test_what_was_just_computed_compares_as_what_was_stored(computed: Any, prepared: Path, there: Comparison) -> None:
    made = [finished(report_of(computed(*plan, **asked), prepared)) for plan, asked in (
        (BASE, {}), ((f"umr-{F}",), {"name": "ahorro", "budget_mxn_year": 5e6}))]
    assert canonical_json(comparison_values(compare(made))) == canonical_json(comparison_values(there))


def test_changes_are_the_differences_of_the_files(folders: list[Path], there: Comparison) -> None:
    base, other = (json.loads((folder / "indicadores.json").read_text(encoding="utf-8")) for folder in folders)
    figures = there.figures.reset_index(["que", "unidad"])
    for key in ("brecha_ponderada", "con_servicio", "sin_cobertura", "p90_min", "personas_equiv", "hospital_120"):
        first, second = (told["total"]["plan"][key] for told in (base, other))
        assert figures.loc[f"total.plan.{key}", ["base", "ahorro", "Cambio: ahorro"]].tolist() == [first, second, second - first]
    for key in ("indice_concentracion", "razon_palma"):
        assert figures.loc[f"{key}.plan", "Cambio: ahorro"] == other[key]["plan"] - base[key]["plan"]
    assert figures.loc["plan.costo_anual", ["base", "ahorro", "Cambio: ahorro"]].tolist() == [1.9e6 + 2.574e6, 3.85e6, 3.85e6 - 4.474e6]
    kinds = [f"plan.por_tipo.{kind}.numero" for kind in ("umr", "nucleo", "umm", "brigada")]
    assert figures.loc[kinds, "Cambio: ahorro"].tolist() == [1, -1, -1, 0]
    assert figures.loc["costo_por_persona", "base"] == pytest.approx(base["plan"]["costo_anual"] / base["plan"]["personas"])
    lost = figures.loc["total.plan.personas_equiv", "Cambio: ahorro"]
    assert there.winners.loc[0, "neto"] == pytest.approx(-lost)
    assert there.grades["Cambio: ahorro"].sum() == pytest.approx(lost)
    assert there.localities["gana"].sum() == pytest.approx(-lost)
    assert there.municipalities["Cambio: ahorro"].sum() == pytest.approx(figures.loc["total.plan.brecha_ponderada", "Cambio: ahorro"])


def test_people_within_reach_are_counted_by_hand(runs: tuple[Finished, ...], there: Comparison) -> None:
    """The UMR at F brings F itself within every limit; nothing else moves."""
    base, other = (run.localities for run in runs)
    for row in there.reach.to_dict("records"):
        limit = float(row["que"].split(" a ")[1].split()[0])
        field = "min_primer_nivel_plan" if row["que"].startswith("Primer") else "min_hospital_plan"
        came = sum(base.loc[i, "poblacion"] for i in base.index if other.loc[i, field] <= limit < base.loc[i, field])
        assert row["ganan"] == came > 0
    assert set(there.reach["corrida"]) == {"ahorro"}
    assert there.reach["ganan"].max() == base.loc[F, "poblacion"]


def test_each_proposal_says_why_it_enters_or_leaves(there: Comparison) -> None:
    assert there.proposals["cambio"].to_dict() == {f"nucleo-{ONE}": "sale", f"umm-{TWO}-1": "sale", f"umr-{F}": "entra"}
    assert (there.proposals["motivo"] == [f"en {run} no se elige: se queda" for run in ("ahorro", "ahorro", "base")]).all()


def changed(run: Finished, **parts: Any) -> Finished:
    return replace(run, name="otra", **parts)


def test_a_proposal_that_keeps_half_of_its_people_moves(runs: tuple[Finished, ...]) -> None:
    base, old, new = runs[0], f"umm-{TWO}-1", f"umm-{ONE}-7"
    moved = changed(base, proposals=base.proposals.rename(index={old: new}),
                    attended=base.attended.assign(propuesta=base.attended["propuesta"].replace(old, new)))
    found = compare([base, moved]).proposals
    assert found["cambio"].to_dict() == {new: "se mueve"}
    assert found.loc[new, "antes"] == old
    assert "atiende a 100 % de la gente de" in found.loc[new, "motivo"]
    assert compare([moved, base]).proposals.loc[old, "antes"] == new
    few = moved.attended.assign(personas=moved.attended["personas"].where(moved.attended["propuesta"] != new, 1e-3)[::1])
    few = few.assign(cvegeo=few["cvegeo"].where(few["propuesta"] != new, "990019999"))
    apart = compare([base, replace(moved, attended=few)]).proposals
    assert apart["cambio"].to_dict() == {old: "sale", new: "entra"}
    assert apart.loc[new, "motivo"] == "en base no es factible"


def test_the_same_proposal_with_other_people_changes(runs: tuple[Finished, ...]) -> None:
    base, route = runs[0], f"umm-{TWO}-1"
    rows = base.attended["propuesta"] == route
    fewer = changed(base, attended=base.attended[~(rows & (base.attended["cvegeo"] == B))])
    found = compare([base, fewer]).proposals
    assert found["cambio"].to_dict() == {route: "cambia"}
    assert found.loc[route, "motivo"] == "atiende a 250 personas en lugar de 300 personas: 0 localidades de más y 1 de menos"


def test_money_is_told_in_pesos_of_the_baseline_year(computed: Any, prepared: Path, runs: tuple[Finished, ...]) -> None:
    later = finished(report_of(computed(*BASE, name="otra", price_year=2027), prepared))
    figures = compare([runs[0], later]).figures.reset_index(["que", "unidad"])
    annual = runs[0].indicators["plan"]["costo_anual"]
    inflation = runs[0].about["escenario"]["inflation"]
    assert figures.loc["plan.costo_anual", "otra"] == pytest.approx(annual / (1 + inflation) ** 2)
    assert figures.loc["plan.costo_anual", "base"] == annual


def test_assumptions_are_told_exactly(computed: Any, prepared: Path, runs: tuple[Finished, ...]) -> None:
    made = finished(report_of(computed(*BASE, name="otra", utilisation=0.675, price_year=2026, capital_mxn=1.5e6), prepared))
    told = comparison_tables(compare([runs[0], made]))["Supuestos que difieren"]
    assert told.set_index("Clave")[["base", "otra"]].T.to_dict("list") == {
        "utilisation": ["0.67", "0.675"], "capital_mxn": ["sin tope", "1,500,000"], "price_year": ["2025", "2026"]}


def test_tables_are_whole_and_numbers_are_plain(there: Comparison) -> None:
    tables = comparison_tables(there)
    assert not any(table.empty for table in tables.values())
    people = tables[TITLES["figures"]]
    whole = people[~people["Unidad"].isin(("min", "índice", "razón"))]
    values = whole[["base", "ahorro", "Cambio: ahorro"]].astype(float)
    assert (values.dropna() % 1 == 0).all(axis=None)
    assert not np.signbit(values[values == 0]).any(axis=None)
    assert len(comparison_tables(there, most=1)[TITLES["best"]]) == 1
    values = json.loads(canonical_json(comparison_values(there)))
    assert values["corridas"][0]["nombre"] == "ahorro"
    assert len(values["corridas"][0]["corrida"]) == 16


def test_a_run_that_is_not_there_or_of_another_region_is_told(folders: list[Path], tmp_path: Path, computed: Any, prepared: Path) -> None:
    with pytest.raises(StorageError, match=r"No hay una corrida terminada en .*nada; en .*runs\d* están: ahorro, base\.") as fault:
        read_finished([folders[0], folders[0].with_name("nada")])
    assert "No such file" not in str(fault.value)
    with pytest.raises(StorageError, match="lejos no hay ninguna"):
        read_finished([tmp_path / "lejos/nada", folders[0]])
    with pytest.raises(DataError, match="al menos dos"):
        compare(read_finished(folders[:1]))
    made = computed(*BASE)
    write_run(tmp_path / "far", replace(made, region=replace(made.region, slug="lejos")), prepared, elapsed_s=0)
    with pytest.raises(DataError, match="es de la región lejos y .* de valle"):
        read_finished([folders[0], tmp_path / "far"])
    (tmp_path / "far/atencion.csv").write_text("propuesta\n\"")
    with pytest.raises(DataError, match=r"atencion\.csv está dañado"):
        read_finished([tmp_path / "far"])
    (tmp_path / "far/propuestas.geojson").unlink()
    with pytest.raises(StorageError, match=r"far le faltan archivos: propuestas\.geojson"):
        read_finished([tmp_path / "far", folders[0]])
    (tmp_path / "far/manifest.json").write_text("[]")
    for name in ("propuestas.geojson",):
        (tmp_path / "far" / name).write_bytes((folders[0] / name).read_bytes())
    with pytest.raises(DataError, match="far no es una corrida de esta versión"):
        read_finished([tmp_path / "far"])


def test_noise_is_no_change(runs: tuple[Finished, ...]) -> None:
    base = runs[0]
    near = changed(base, localities=base.localities.assign(personas_equiv_plan=base.localities["personas_equiv_plan"] + NOISE / 2))
    assert compare([base, near]).localities.empty
