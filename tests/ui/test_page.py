"""The pages on the hand-drawn valley: what they show, ask and refuse, without a browser."""

import ast
import io
import json
import tomllib
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
import valley
from drawn_page import markup, settled, visit
from streamlit.testing.v1 import AppTest

from planner.checks import LOCALITY_FLAGS, UNIT_FLAGS
from planner.corrections import Correction, corrected
from planner.errors import DataError
from planner.outputs.folder import packed_run, write_run
from planner.outputs.manifest import manifest
from planner.outputs.report import Report, report_of
from planner.scenarios import run_scenario
from planner.settings import Scenario, validated
from planner.sources import clues
from planner.store import read_region
from planner.ui import assumed, cards, preparing, state, words
from planner.ui.compute import file_bytes
from planner.ui.downloads import FILES
from planner.ui.page import PAGES, Leaf
from planner.ui.state import Chosen
from planner.words import MODES

ROOT = Path(__file__).parents[2]
SEARCH, WORDS = "Lugar elegido", "Buscar localidad, unidad o propuesta"
Open = Callable[[Path], AppTest]
KPIS = ("Población objetivo", "A 60 minutos o menos de primer nivel", "A más de 2 horas de un hospital",
        "Personas sin acceso efectivo (equivalentes)", "Localidades sin servicio", "Unidades saturadas")


@pytest.fixture(scope="module")
def found(valley_home: Path) -> Report:
    run = run_scenario(valley.region(), Scenario())
    return report_of(run, valley_home / "data/processed/valle")


def texts(page: AppTest) -> str:
    return "\n".join(str(e.value) for kind in ("markdown", "caption", "warning", "info", "error") for e in getattr(page, kind))


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


@pytest.mark.parametrize("leaf", PAGES, ids=lambda leaf: leaf.path)
def test_what_must_always_stand_stands_on_every_page(page: AppTest, leaf: Leaf) -> None:
    visit(page, leaf.path)
    assert not page.exception
    assert not page.error
    assert page.markdown[0].value == (f"## {leaf.title}: Valle (SINTÉTICA)" if leaf.of_region else f"## {leaf.title}")
    said = texts(page)
    about = ["Escenario: Base"] if leaf.of_region else []
    for needed in ("Fecha de corte: ", *about, "Herramienta de apoyo: no sustituye la valoración en campo.", "página Datos"):
        assert needed in said


def test_the_bound_stands_beside_the_plan(page: AppTest) -> None:
    assert "**Cota demostrada:**" in texts(visit(page, "propuestas"))


def box(page: AppTest, label: str) -> Any:
    return next(one for one in page.selectbox if one.label == label)


def find(page: AppTest, words: str) -> AppTest:
    return next(one for one in page.text_input if one.label == WORDS).set_value(words).run()


def press(page: AppTest, label: str) -> AppTest:
    return next(button for button in page.button if button.label == label).click().run()


def test_a_choice_survives_another_page_and_another_scenario(page: AppTest) -> None:
    find(page, "990020003")
    assert "Puntaje de brecha: " in markup(page)
    visit(page, "brechas")
    assert box(page, SEARCH).value == "localidad/990020003"
    assert page.dataframe[0].value.index.tolist().count("990020003") == 1
    assert "La elegida está en el lugar " in texts(page)
    box(page, "Escenario").set_value("Vehículo").run()
    settled(page)
    assert not page.exception
    assert box(page, SEARCH).value == "localidad/990020003"
    assert "Escenario: Vehículo" in texts(page)


def test_filters_narrow_the_map_and_the_table_and_stay_on_other_pages(page: AppTest) -> None:
    next(one for one in page.multiselect if one.label == "Municipio").set_value(["Dos"]).run()
    assert "El mapa muestra 3 de 6 localidades" in texts(page)
    visit(page, "brechas")
    assert sorted(page.dataframe[0].value.index) == ["990020001", "990020002", "990020003"]


def test_a_changed_budget_is_asked_with_the_form_and_put_back(page: AppTest) -> None:
    page.slider[0].set_value(0.0)
    settled(press(page, "Calcular"))
    assert not page.exception
    assert "presupuesto anual" in texts(page)
    visit(page, "propuestas")
    assert {m.label: m.value for m in page.metric}["Costo anual del plan"] == "0.00 M MXN"
    settled(press(page, "Restablecer el escenario"))
    assert page.slider[0].value == 100.0
    assert "Cambió:" not in texts(page)


def test_an_assumption_is_changed_everywhere_and_put_back(page: AppTest) -> None:
    before = {m.label: m.value for m in page.metric}["Personas sin acceso efectivo (equivalentes)"]
    page.session_state[state._SETTINGS] = {"utilisation": 1.0, "need.alto": 0.9}
    settled(page.run())
    assert {m.label: m.value for m in page.metric}["Personas sin acceso efectivo (equivalentes)"] != before
    assert "parte de la población objetivo que usa la unidad" in texts(page)
    visit(page, "datos")
    page.segmented_control[0].set_value("Supuestos").run()
    assert "**Cambió 2:**" in texts(page)
    settled(press(page, "Restablecer todos los supuestos"))
    visit(page, "panorama")
    assert {m.label: m.value for m in page.metric}["Personas sin acceso efectivo (equivalentes)"] == before


def test_every_assumption_can_be_changed_in_the_table_and_reads_back(page: AppTest) -> None:
    visit(page, "datos")
    page.segmented_control[0].set_value("Supuestos").run()
    assert not page.exception
    leaves = list(assumed._leaves(Scenario(), ""))
    assert len(leaves) > 100
    for key, value, _ in leaves:
        again = assumed.read(assumed.written(value), value)
        assert validated(Scenario, assumed.with_settings(Scenario(), {key: again}), "x") == Scenario(), key


def test_a_place_is_forbidden_and_what_that_costs_is_told(open_page: Open, valley_home: Path) -> None:
    page = open_page(valley_home)
    page.session_state[state._SETTINGS] = {"capacity_people_per_nucleo": 1000.0}
    visit(page, "propuestas")
    find(page, "MDIMB000011")
    free = float(next(m.value for m in page.metric if m.label == "Brecha ponderada que cierra").replace(",", ""))
    settled(press(page, "Prohibir"))
    assert "MDIMB000011 prohibido" in texts(page)
    kept = float(next(m.value for m in page.metric if m.label == "Brecha ponderada que cierra").replace(",", ""))
    assert kept < free
    told = next(str(m.value) for m in page.markdown if "cuestan" in str(m.value))
    assert float(told.split("**cuestan ")[1].split("**")[0].replace(",", "")) == pytest.approx(free - kept, abs=1.1)
    settled(press(page, "Dejar todo al plan"))
    assert "cuestan" not in texts(page)


def test_scenarios_are_compared_side_by_side(page: AppTest) -> None:
    visit(page, "comparar")
    assert "Elija al menos un escenario" in page.info[0].value
    next(one for one in page.multiselect if one.label == "Se compara con").set_value(["Lluvias", "Vehículo"]).run()
    settled(page)
    assert not page.exception
    assert "Lado a lado, con las mismas clases" in texts(page)
    assert "Personas y dinero (con el plan)" in texts(page)
    said = texts(page)
    assert "**Vehículo** frente a Base" in said


def test_units_are_corrected_and_taken_back(page: AppTest) -> None:
    minutes = markup(visit(page, "panorama"))
    visit(page, "datos")
    page.segmented_control[0].set_value("Corregir unidades").run()
    box(page, "Unidad").set_value("MDIMB000022").run()
    next(n for n in page.number_input if n.label == "Núcleos básicos").set_value(0)
    press(page, "Aplicar")
    assert "Sus correcciones (1)" in texts(page)
    assert markup(visit(page, "panorama")) != minutes
    assert "sus correcciones" in texts(visit(page, "descargas"))
    visit(page, "datos")
    page.segmented_control[0].set_value("Corregir unidades").run()
    press(page, "Deshacer la última")
    assert markup(visit(page, "panorama")) == minutes


def test_a_corrected_run_is_another_run(found: Report, valley_home: Path) -> None:
    fixed = corrected(found.run.region, [Correction("MDIMB000022", nuclei=1)])
    told = manifest(replace(found.run, region=fixed), valley_home / "data/processed/valle")
    assert told["corrida"] != found.about["corrida"]
    assert told["entradas"][-1]["papel"] == "units.corrections"


def test_two_sessions_do_not_see_each_others_changes(valley_home: Path, open_page: Open) -> None:
    mine, other = open_page(valley_home), open_page(valley_home)
    mine.slider[0].set_value(0.0)
    settled(press(mine, "Calcular"))
    next(one for one in mine.multiselect if one.label == "Municipio").set_value(["Dos"]).run()
    other.run()
    assert "Cambió:" not in texts(other)
    assert "El mapa muestra 6 de 6 localidades" in texts(other)


def test_without_regions_the_first_page_leads_to_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLANNER_HOME", str(tmp_path))
    page = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()
    assert not page.exception
    assert "planner prepare" in texts(page)
    settled(press(page, "Crear la región de demostración"))
    assert not page.exception
    assert (tmp_path / "data/processed/demo/manifest.json").is_file()
    assert page.markdown[0].value.startswith("## Panorama: ")


def test_a_region_is_prepared_from_files_that_are_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, demo_files: Path) -> None:
    monkeypatch.setenv("PLANNER_HOME", str(tmp_path))
    roles = {"localities.iter": ["iter_99_cpv2020_csv.zip"], "roads.osm": ["caminos.osm"], "terrain.dem": ["elevacion.tif"],
             "units.files": ["ESTABLECIMIENTO_SALUD_202501_demo.xlsx", "clues_202509_puntos_demo.csv"]}
    sent = {key: [SimpleNamespace(name=name, size=(demo_files / name).stat().st_size, getbuffer=(demo_files / name).read_bytes)
                  for name in roles.get(key, [])] for key in preparing._ROLES}
    preparing._refuse("Sierra ficticia", "99", sent)
    told = preparing._prepare(Path(preparing._store("Sierra ficticia", "99", sent)), lambda _: None)
    assert told.startswith("Región Sierra ficticia preparada: ")
    region = read_region(tmp_path / "data/processed/sierra_ficticia")
    assert (region.name, region.entity) == ("Sierra ficticia", "99")
    with pytest.raises(DataError, match="Ya hay una región «sierra_ficticia»"):
        preparing._refuse("Sierra ficticia", "99", sent)


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
    assert str(tmp_path) not in page.error[0].value.replace("\\", "")


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
    for name in [name for files in FILES.values() for name in files]:
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


def test_the_whole_run_is_packed_as_it_is_written(found: Report, tmp_path: Path, valley_home: Path) -> None:
    packed = packed_run(found)
    assert packed == packed_run(found)
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        archive.extractall(tmp_path / "packed")
    write_run(tmp_path / "run", found.run, valley_home / "data/processed/valle", elapsed_s=1.0)
    mine, theirs = ({p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
                    for folder in (tmp_path / "packed", tmp_path / "run"))
    dated = json.loads(theirs.pop("manifest.json"))
    assert json.loads(mine.pop("manifest.json")) == {key: value for key, value in dated.items() if key not in ("fecha", "segundos")}
    assert mine == theirs


def test_the_sources_are_those_of_the_region(page: AppTest, found: Report) -> None:
    visit(page, "datos")
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
    assert words.plain("![x](http://evil.example)").replace("\u2060", "") == r"\!\[x\]\(http\://evil\.example\)"


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


def test_a_password_is_asked_only_where_one_is_set(valley_home: Path, open_page: Open) -> None:
    page = open_page(valley_home)
    assert "Contraseña" not in [one.label for one in page.text_input]
    page.secrets["password"] = "sésamo"
    page.run()
    assert not page.metric
    page.text_input[0].set_value("otra")
    press(page, "Entrar")
    assert page.error[0].value == "La contraseña no es esa."
    assert not page.metric
    page.text_input[0].set_value("sésamo")
    settled(press(page, "Entrar"))
    assert page.metric
