"""The page of regionalization: what it draws, proves and refuses, and what moving a municipality breaks."""

import io
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import valley
from drawn_page import markup, settled, visit
from streamlit.testing.v1 import AppTest

from planner.decide.regional.districts import Districts, moved_by_hand
from planner.model import Region
from planner.ui import compute, regiontables
from planner.ui.words import plain


def button(page: AppTest, label: str) -> AppTest:
    """The page after pressing it."""
    return next(b for b in page.button if b.label == label).click().run()


def choose(page: AppTest, label: str, value: str) -> AppTest:
    return next(box for box in page.selectbox if box.label == label).set_value(value).run()


def draw(page: AppTest, **asked: float) -> AppTest:
    """The page after asking for districts; `asked` by the beginning of the label."""
    visit(page, "regionalizacion")
    for label, value in asked.items():
        next(n for n in page.number_input if n.label.startswith(label)).set_value(value)
    settled(button(page, "Trazar"))
    assert not page.exception
    return page


def cell(page: AppTest, row: str, column: str) -> str:
    """Of the table of figures."""
    table = next(body for body in (element.proto.body for element in page.get("html")) if "Contiguos" in body)
    rows = [re.findall(r"<t[hd][^>]*>(?:<b>)?(.*?)(?:</b>)?</t[hd]>", line) for line in table.split("<tr>")[1:]]
    return str(pd.DataFrame(rows[1:], columns=rows[0]).set_index("Medida").at[row, column])


@pytest.fixture(scope="module")
def found(demo: tuple[Path, Region]) -> Districts:
    """What the page draws of the demo, from the same cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PLANNER_HOME", str(demo[0]))
        scenario, prepared = compute.find_scenarios()["base"], compute.find_regions()[0]
        compute.answer(prepared, scenario).result()
        told: Districts = compute.districts_of(prepared, scenario, scenario.regional).result()
        return told


@pytest.fixture
def drawn(demo: tuple[Path, Region], open_page: Callable[[Path], AppTest]) -> AppTest:
    """The view on the demo, with districts."""
    return draw(open_page(demo[0]))


def test_the_figures_stand_beside_todays_with_what_is_proved(drawn: AppTest, found: Districts) -> None:
    assert found.today is not None
    for column, told in (("Trazado", found.measures), ("Hoy", found.today)):
        assert cell(drawn, "Personas cuyo hospital más cercano queda en otro distrito", column) == f"{100 * told.crossing:.1f} %"
        assert cell(drawn, "Mayor desvío de la media", column) == f"{100 * told.spread:.1f} %"
        assert cell(drawn, "Distritos", column) == str(len(told.people))
    said = "\n".join(str(m.value) for m in drawn.markdown)
    assert f"{100 * found.solution.gap:.1f} %. Es la mejor que se halló; no está probado que sea la mejor." in said
    for kind in ("Universos de trabajo", "Redes de referencia", "Zonas de supervisión"):
        assert f"**{kind}.**" in said
    for key, row in found.table.iterrows():
        assert f"<td>{key}</td><td>{row['name']}</td>" in markup(drawn)


def test_moving_a_municipality_tells_what_breaks_and_counts_anew_and_is_undone(drawn: AppTest, found: Districts) -> None:
    area, to = _breaking(found)
    moved = moved_by_hand(found, area, to)
    choose(drawn, "Municipio", area)
    choose(drawn, "Pasa al distrito", to)
    button(drawn, "Mover")
    assert not drawn.exception
    said = [str(w.value) for w in drawn.warning]
    assert said == [plain(sentence) for _, sentence in moved.broken]
    assert cell(drawn, "Mayor desvío de la media", "Con sus cambios") == f"{100 * moved.measures.spread:.1f} %"
    assert cell(drawn, "Contiguos", "Con sus cambios") == f"{moved.measures.contiguous.sum()} de {len(moved.measures.contiguous)}"
    assert cell(drawn, "Contiguos", "Trazado") == "todos"
    button(drawn, "Deshacer el último")
    assert not drawn.warning
    assert "Con sus cambios" not in markup(drawn)


def _breaking(found: Districts) -> tuple[str, str]:
    """The first move that leaves a district in two parts."""
    moves = ((area, to) for area in found.members.index for to in found.table.index if to != found.members.at[area, "district"])
    return next(move for move in moves if any(rule == "contiguidad" for rule, _ in moved_by_hand(found, *move).broken))


def test_what_was_asked_and_moved_stays_while_the_other_view_is_on_the_page(drawn: AppTest, found: Districts) -> None:
    draw(drawn, Desvío=60.0)
    area = str(found.members.index[0])
    choose(drawn, "Municipio", area)
    choose(drawn, "Pasa al distrito", next(str(key) for key in found.table.index if key != found.members.at[area, "district"]))
    button(drawn, "Mover")
    visit(drawn, "panorama")
    assert "Con sus cambios" not in markup(drawn)
    visit(drawn, "regionalizacion")
    assert not drawn.exception
    assert next(n for n in drawn.number_input if n.label.startswith("Desvío")).value == 60.0
    assert "Con sus cambios" in markup(drawn)


def test_another_scenario_is_drawn_only_when_asked(page: AppTest) -> None:
    draw(page)
    assert "Medida" in markup(page)
    settled(choose(page, "Escenario", "Vehículo"))
    assert not page.exception
    assert page.markdown[0].value.startswith("## Regionalización")
    assert "Trazar" in page.info[0].value


def without(region: Region, *, hospitals: bool = True, polygons: bool = True, today: bool = True) -> Region:
    """The valley with something taken away."""
    units, towns = region.units, region.municipalities
    if not hospitals:
        units = units[units["role"] != "hospital"]
    if not polygons:
        towns = towns.set_geometry([None] * len(towns), crs=towns.crs)
    if not today:
        towns = towns.assign(district=pd.Series(None, towns.index, dtype="str"))
    return replace(region, units=units, municipalities=towns)


@pytest.mark.parametrize(("lacks", "sentence"), [
    ("hospitals", "Agregue hospitales a los datos"), ("today", "No se conoce la agrupación de hoy"), ("polygons", "Zonas de supervisión")])
def test_a_region_that_lacks_something_is_drawn_with_a_sentence_and_a_way_out(
        lacks: str, sentence: str, page_of: Callable[[Region], AppTest]) -> None:
    page = draw(page_of(without(valley.region(), **{lacks: False})), Número=2)
    assert not page.error
    assert sentence in "\n".join(str(m.value) for m in page.markdown)
    assert ("Hoy" in markup(page).split("Contiguos")[0].split("Medida")[1]) == (lacks != "today")
    if lacks == "polygons":
        assert "sin polígono" in markup(page)


def test_impossible_rules_are_told_in_one_sentence(page: AppTest) -> None:
    draw(page, Número=2, Desvío=0.0)
    said = "\n".join(str(m.value) for m in page.markdown)
    assert "Qué está probado de lo trazado:** " in said
    assert [w.value for w in page.warning]


def test_a_hospital_may_be_asked_of_each_district(page: AppTest) -> None:
    """The valley has one hospital."""
    draw(page, Número=2, Desvío=1000.0)
    assert not page.warning
    next(box for box in page.checkbox if box.label.startswith("Exigir")).check()
    settled(button(page, "Trazar"))
    assert len(page.warning) == 1
    assert "hospital" in str(page.warning[0].value)


def test_a_region_of_one_district_says_why_nothing_can_be_moved(page: AppTest) -> None:
    draw(page, Número=1)
    assert any("Solo hay un distrito" in str(c.value) for c in page.caption)


def test_the_files_of_districts_say_what_the_tables_say(found: Districts) -> None:
    towns = pd.read_csv(io.BytesIO(regiontables.district_file(found, "distritos_municipios.csv")), dtype={"cve_mun": str})
    assert dict(zip(towns["cve_mun"], towns["distrito_id"], strict=True)) == found.members["district"].to_dict()
    districts = pd.read_csv(io.BytesIO(regiontables.district_file(found, "distritos.csv")))
    assert districts["poblacion"].sum() == pytest.approx(found.areas.people.sum())
