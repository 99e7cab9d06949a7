"""The page on the hand-drawn valley: what it shows, asks and refuses, without a browser."""

import ast
import json
import tomllib
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
import valley
from streamlit.testing.v1 import AppTest

from planner.checks import LOCALITY_FLAGS, UNIT_FLAGS
from planner.outputs.report import Report, report_of
from planner.scenarios import run_scenario
from planner.settings import Scenario, describe_scenario
from planner.sources import clues
from planner.ui import cards, words
from planner.ui.compute import file_bytes
from planner.ui.page import FILES
from planner.ui.state import Chosen
from planner.words import MODES

ROOT = Path(__file__).parents[2]
KPIS = ("Población objetivo", "A 60 minutos o menos de primer nivel", "A más de 2 horas de un hospital",
        "Personas sin acceso efectivo (equivalentes)", "Localidades sin servicio", "Unidades saturadas")


@pytest.fixture(scope="module")
def found(valley_home: Path) -> Report:
    run = run_scenario(valley.region(), Scenario())
    return report_of(run, valley_home / "data/processed/valle")


def texts(page: AppTest) -> str:
    return "\n".join(str(e.value) for kind in ("markdown", "caption", "warning", "info", "error") for e in getattr(page, kind))


def markup(page: AppTest) -> str:
    return "\n".join(element.proto.body for element in page.get("html"))


def test_the_kpis_stand_with_definition_mark_and_source(page: AppTest) -> None:
    assert not page.exception
    shown = {m.label for m in page.metric} | {kpi for kpi in KPIS[1:3] if kpi in markup(page)}
    assert set(KPIS) <= shown
    assert all("Marca: " in metric.help for metric in page.metric)
    said = texts(page)
    assert all(f"**{kpi}.** " in said for kpi in KPIS)  # definition, mark and source of each, to read


def test_the_kpis_of_travel_stand_under_every_mode(page: AppTest, found: Report) -> None:
    rows = markup(page).split("<table class='modos'>")[1].split("</table>")[0].split("<tr>")[2:]
    for row, (mode, name) in zip(rows, MODES.items(), strict=True):
        kpi = found.run.outcome.indicators["por_modo"][mode]
        cells = [cell.split("</t")[0].replace("<b>", "").replace("</b>", "") for cell in row.split(">", 1)[1].split("<td>")]
        assert cells[0] == name
        assert cells[1].startswith(f"{kpi['dentro_60']:,.0f} (")
        assert cells[2].startswith(f"{kpi['poblacion'] - kpi['hospital_120']:,.0f} (")


def test_the_kpis_are_the_indicators(page: AppTest, found: Report) -> None:
    total = found.run.outcome.indicators["total"]["actual"]
    shown = {m.label: m.value for m in page.metric}
    assert shown["Población objetivo"] == f"{total['poblacion']:,.0f}"
    assert shown["Personas sin acceso efectivo (equivalentes)"] == f"{total['personas_equiv']:,.0f}"


def test_what_must_always_stand_stands(page: AppTest) -> None:
    said = texts(page)
    assert "Fecha de corte, fuentes, supuestos" in said
    assert "Cota demostrada:" in said
    assert "Herramienta de apoyo: no sustituye la valoración en campo." in said
    assert "SINTÉTICA" in page.markdown[1].value or "SINTÉTICA" in said


def test_choosing_a_locality_shows_its_card_and_survives_another_scenario(page: AppTest) -> None:
    search = next(box for box in page.selectbox if box.label == "Buscar")
    search.set_value("localidad/990020003").run()
    assert not page.exception
    assert "Puntaje de brecha: " in markup(page)
    next(box for box in page.selectbox if box.label == "Escenario").set_value("vehiculo").run()
    assert not page.exception


def test_a_changed_budget_is_asked_with_the_form(page: AppTest) -> None:
    page.slider[0].set_value(0.0)
    page.button[0].click().run()
    assert not page.exception
    assert {m.label: m.value for m in page.metric}["Costo anual del plan"] == "0.00 M MXN"
    assert "presupuesto anual" in texts(page)


def test_without_regions_one_sentence_says_how_to_prepare_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLANNER_HOME", str(tmp_path))
    page = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()
    assert not page.exception
    assert "planner prepare" in page.info[0].value


@pytest.mark.parametrize("manifest", [json.dumps({"name": "Rota", "format": 0}), "{", "[]"])
def test_a_damaged_region_is_told_in_one_sentence(manifest: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "data/processed/rota"
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text(manifest, encoding="utf-8")
    monkeypatch.setenv("PLANNER_HOME", str(tmp_path))
    page = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()
    assert not page.exception
    assert len(page.error) == 1
    assert "planner prepare" in page.error[0].value


def test_the_card_holds_every_part_of_the_score(found: Report) -> None:
    row = found.run.outcome.localities.loc["990020003"]
    shown = cards.card(found, Chosen("localidad", "990020003"))
    for part in ("Primer nivel más cercano", "Suficiencia (sigma)", "Acceso efectivo (e)", "Visitas móviles (v)", "Brecha de primer nivel",
                 "Acceso al hospital (f2)", "Brecha de hospital", "Brecha (D)", "Peso de la necesidad (w)", "Puntaje",
                 "Personas equivalentes", "Por qué: ", "rampa"):
        assert part in shown
    for value in (f"{row['score']:.1f}", f"{row['access']:.2f}", f"{row['gap_share']:.3f}", f"{row['equivalent_people']:,.1f}"):
        assert value in shown


def test_the_parts_on_the_card_add_up(found: Report) -> None:
    """D = weight x D_phc + rest x D_hos, from the numbers that the card prints."""
    run = found.run
    row = run.outcome.localities.loc["990020003"]
    parts = cards._score(run, row)
    lacking, far, gap = (float(parts[k].split(" = ")[0]) for k in ("Brecha de primer nivel", "Brecha de hospital", "Brecha (D)"))
    assert gap == pytest.approx(run.scenario.weight_first_level * lacking + (1 - run.scenario.weight_first_level) * far, abs=2e-3)


def test_the_card_tells_what_the_community_organises_only_where_the_region_has_the_table(found: Report) -> None:
    chosen = Chosen("localidad", "990020003")
    assert "Organización comunitaria" not in cards.card(found, chosen)
    told = replace(found, run=replace(found.run, region=replace(found.run.region, community=valley.community())))
    shown = cards.card(told, chosen)
    for row in ("Casa de salud</th><td>no hay, o no se sabe", "Auxiliares de salud</th><td>2", "Parteras</th><td>sin dato",
                "Comités de salud</th><td>0", "no sustituye a una unidad"):
        assert row in shown
    assert "Casa de salud</th><td>CE" in cards.card(told, Chosen("localidad", "990010002"))
    assert "no se sabe qué tiene" in cards.card(told, Chosen("localidad", "990010001"))


def test_a_unit_tells_where_it_refers_to(found: Report) -> None:
    for unit, way in found.run.travel.referral.iterrows():
        hospital = found.run.region.units.at[way["site"], "name"]
        told = f"{hospital}, {words.minutes(way['minutes'])}, {way['metres'] / 1000:,.1f} km"
        assert told in cards.card(found, Chosen("unidad", str(unit)))
    assert "Hospital de referencia" not in cards.card(found, Chosen("unidad", way["site"]))


def test_every_place_has_a_card(found: Report) -> None:
    for kind, layer in cards.LAYERS.items():
        for key in found.layers[layer].index:
            assert "<h4>" in cards.card(found, Chosen(kind, str(key)))


def test_the_downloads_are_the_files_of_a_run(found: Report) -> None:
    for name in FILES:
        content = file_bytes(found, name)
        if name.endswith(".geojson"):
            assert len(json.loads(content)["features"]) == len(found.layers[name.removesuffix(".geojson")])
    assert file_bytes(found, "plan.gpkg").startswith(b"SQLite format 3")
    assert json.loads(file_bytes(found, "manifest.json"))["region"]["sintetica"] is True


def test_every_flag_of_the_data_has_words(found: Report) -> None:
    codes = {*LOCALITY_FLAGS, *UNIT_FLAGS, *clues.FLAGS, "poblacion_imputada", "grupos_imputados", "indice_imputado", "sin_indice"}
    assert set(words.FLAGS) == codes
    localities = found.run.outcome.localities.assign(flags="sin_indice,indice_imputado")
    run = replace(found.run, outcome=replace(found.run.outcome, localities=localities))
    shown = cards.card(replace(found, run=run), Chosen("localidad", "990020003"))
    assert "no tiene grado de rezago" in shown
    assert "sin_indice" not in shown


def test_every_setting_is_told_in_words() -> None:
    told = [words.setting(value) for value in describe_scenario(Scenario())["value"][1:]]
    assert not [text for text in told if "_" in text or text in ("True", "False", "None")]


def test_the_sources_are_those_of_the_region(page: AppTest, found: Report) -> None:
    for file in found.run.region.inputs:
        assert file.sha256[:12] in markup(page)
        assert words.source(file, synthetic=True)[1] == "inventado (región SINTÉTICA)"


def test_a_table_keeps_markup_as_text() -> None:
    assert "<img" not in words.table(pd.DataFrame({"<img src=x>": ["<img src=y>"]}))


def test_a_hostile_name_stays_text(found: Report) -> None:
    name = "<img src=x onerror=alert(1)>"
    localities = found.run.outcome.localities.assign(name=name, flags=name)
    outcome = SimpleNamespace(localities=localities, units=found.run.outcome.units)
    run = replace(found.run, outcome=outcome)  # type: ignore[arg-type]
    assert "<img" not in cards.card(replace(found, run=run), Chosen("localidad", "990020003"))
    assert words.plain("![x](http://evil.example)") == r"\!\[x\]\(http\:\/\/evil\.example\)".replace(r"\/", "/")


def test_the_server_answers_only_here_and_reports_to_nobody() -> None:
    config = tomllib.loads((ROOT / ".streamlit/config.toml").read_text(encoding="utf-8"))
    assert config["server"]["address"] == "127.0.0.1"
    assert config["server"]["enableStaticServing"] is True
    assert config["browser"]["gatherUsageStats"] is False


def test_session_state_has_one_home() -> None:
    """Only ui/state.py touches the session; app.py holds no logic."""
    users = [p.name for p in (ROOT / "planner/ui").glob("*.py") if "session_state" in p.read_text(encoding="utf-8")]
    assert users == ["state.py"]
    entry = ast.parse((ROOT / "app.py").read_text(encoding="utf-8"))
    assert not [n for n in ast.walk(entry) if isinstance(n, ast.FunctionDef | ast.If | ast.For)]
