"""plan.xlsx as LibreOffice and openpyxl read it: formulas that hold and move, figures of indicadores.json, text that stays text."""

import html
import io
import json
import re
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pytest
import valley
from openpyxl.utils import range_boundaries

from planner.outputs.layers import TABLES
from planner.outputs.report import Report, report_of
from planner.outputs.sheets import Imprint
from planner.outputs.sheetsettings import NAMES, PRICES, cost_cells
from planner.outputs.tables import ROWS
from planner.outputs.workbook import tables_workbook, workbook_files
from planner.scenarios import regionalized, run_scenario
from planner.schema import KINDS
from planner.settings import Scenario, describe_scenario
from planner.words import KINDS as WORDS

A, B, C, D, E, F = valley.PLACES
ONE, TWO, MOBILE, HOSPITAL = valley.FACILITIES
SHEETS = ["Resumen", "Propuestas", "Universo de trabajo por unidad", "Rutas y calendario", "Localidades sin servicio",
          "Resumen municipio y distrito", "Comparación", "Supuestos", "Diccionario"]
HOSTILE = ('=HYPERLINK("http://x.y","a")', "+1+1", "@SUM(A1)", "http://example.org/a", "-2+3", '<img src=x onerror="a">&amp;\n"b"')
REGION = 'Valle & "=1+1"\n&P'
# With this the valley has a feasible option of every kind.
EVERY_KIND: dict[str, Any] = {
    "reach_first_level_min": 30.0, "ramp_first_level_good_min": 10.0, "ramp_first_level_none_min": 35.0, "umr_spacing_min": 0.0,
    "mobile_visits_existing": 1.0, "capacity_people_per_nucleo": 500.0, "umr_people_min": 200.0, "mobile_people_min": 50.0,
    "reach_hospital_min": 40.0, "ramp_hospital_good_min": 10.0, "ramp_hospital_none_min": 60.0, "cost_ambulance_capital_mxn": 1.5e6,
    "cost_ambulance_annual_mxn": 1.8e6, "cost_caro_capital_mxn": 12e6, "cost_caro_annual_mxn": 6e6, "budget_mxn_year": 60e6}


def region() -> Any:
    """The valley with vacant posts, a circuit of today, and names that look like formulas, links and markup."""
    here = valley.region()
    rooms = pd.DataFrame({"rooms": [9, 9], "physicians": [1, 1], "nurses": [None, None]}, index=pd.Index([ONE, TWO], name="clues"))
    circuits = pd.DataFrame({"clues": [MOBILE], "cvegeo": [D], "visits_month": [2.0]})
    return replace(here, name=REGION, resources=rooms.astype("Int64"), circuits=circuits,
                   localities=here.localities.assign(name=HOSTILE), units=here.units.assign(name=HOSTILE[:4]))


@dataclass(frozen=True)
class Book:
    """A workbook as its maker wrote it: values that stand beside formulas, and the formulas."""

    content: bytes

    def open(self, *, formulas: bool = False) -> Any:
        return openpyxl.load_workbook(io.BytesIO(self.content), data_only=not formulas)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("prepared")
    (folder / "manifest.json").write_text("{}")
    return folder


@pytest.fixture(scope="module")
def report(prepared: Path) -> Report:
    """A regionalized run whose plan has every kind of intervention."""
    run = regionalized(run_scenario(region(), Scenario(**EVERY_KIND, require=(MOBILE, f"caro-{ONE}-01", f"nucleo-{ONE}-01"))))
    made = report_of(run, prepared)
    assert set(made.layers["propuestas"]["tipo"]) == set(KINDS)
    draws = {"sorteos": 40, "propuestas": 9, "robustas": 7, "arrepentimiento_medio": 1.25, "arrepentimiento_p90": 2.5,
             "arrepentimiento_max": 4.0}
    return replace(made, indicators={**made.indicators, "robustez": draws})


@pytest.fixture(scope="module")
def curved(prepared: Path) -> Report:
    """A run that is not regionalized, with a curve of budgets and other plans."""
    question = {**EVERY_KIND, "allow": ("umr", "nucleo"), "budget_mxn_year": 12e6,
                "curve_points": 1, "alternatives": 2, "alternatives_differ": 1}
    return report_of(run_scenario(region(), Scenario(**question)), prepared)


@pytest.fixture(scope="module")
def idle(computed: Any, prepared: Path) -> Report:
    """A run whose plan is empty."""
    return report_of(computed(), prepared)


@pytest.fixture(scope="module")
def books(report: Report, curved: Report, idle: Report) -> dict[str, Book]:
    made = {name: workbook_files(one) for name, one in (("whole", report), ("curved", curved), ("idle", idle))}
    assert all(list(files) == ["plan.xlsx"] for files in made.values())
    return {name: Book(files["plan.xlsx"]) for name, files in made.items()}


@pytest.fixture(scope="module")
def recalculated(books: dict[str, Book], tables: bytes, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What LibreOffice computes of each workbook and of two with other assumptions, told in one run that is bound to recalculate."""
    office = shutil.which("soffice")
    if office is None:
        pytest.skip("LibreOffice (soffice) is not installed here")
    folder, told = tmp_path_factory.mktemp("office"), tmp_path_factory.mktemp("told")
    settings = folder / "profile" / "user" / "registrymodifications.xcu"
    settings.parent.mkdir(parents=True)
    settings.write_text(
        '<?xml version="1.0" encoding="UTF-8"?><oor:items xmlns:oor="http://openoffice.org/2001/registry">'
        '<item oor:path="/org.openoffice.Office.Calc/Formula/Load"><prop oor:name="OOXMLRecalcMode" oor:op="fuse"><value>0</value></prop>'
        "</item></oor:items>")
    for name, book in books.items():
        (folder / f"{name}.xlsx").write_bytes(book.content)
    (folder / "tables.xlsx").write_bytes(tables)
    for name, change in (("dearer", {"Operacion_nucleo": 1.5e6 + 1000.0, "Inversion_UMR": 9e6}), ("free", {"Tasa_de_descuento": 0.0})):
        book = books["whole"].open(formulas=True)  # saved anew, no formula has a value
        for cell, value in change.items():
            named(book, cell).value = value
        book.save(folder / f"{name}.xlsx")
    own = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
    subprocess.run([office, own, "--headless", "--convert-to", "xlsx", "--outdir", told, *sorted(folder.glob("*.xlsx"))],
                   check=True, capture_output=True, timeout=180)
    return {path.stem: openpyxl.load_workbook(path, data_only=True) for path in told.glob("*.xlsx")}


def named(book: Any, name: str) -> Any:
    (sheet, place), = book.defined_names[name].destinations
    return book[sheet][place.replace("$", "")]


def cells(book: Any) -> Iterator[tuple[str, Any]]:
    for sheet in book:
        for row in sheet.iter_rows():
            for cell in row:
                yield f"{sheet.title}!{cell.coordinate}", cell


def keyed(book: Any) -> dict[str, Any]:
    """Each cell that has a key, by it: below a title «Clave: X» stands the key of what stands below X."""
    found: dict[str, Any] = {}
    for sheet in book:
        pairs: dict[int, int] = {}
        for row in sheet.iter_rows():
            titles = {cell.value: at for at, cell in reversed(list(enumerate(row)))}
            new = {at: titles[cell.value.removeprefix("Clave: ")] for at, cell in enumerate(row)
                   if isinstance(cell.value, str) and cell.value.startswith("Clave: ")}
            pairs = new or pairs
            if not new:
                for at, own in pairs.items():
                    if row[at].value is not None:
                        found.setdefault(row[at].value, row[own].value)
                        assert found[row[at].value] == row[own].value
    return found


def leaves(value: Any, path: str = "") -> dict[str, Any]:
    if isinstance(value, dict | list):
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        return {k: v for key, inner in pairs for k, v in leaves(inner, f"{path}.{key}" if path else str(key)).items()}
    return {path: value}


def table(book: Any, name: str, first: str) -> pd.DataFrame:
    """The block of a sheet whose titles start with this one, as text and numbers."""
    rows = [[cell.value for cell in row] for row in book[name].iter_rows()]
    head = next(at for at, row in enumerate(rows) if row[0] == first)
    titles = [title for title in rows[head] if title is not None and not title.startswith("Clave: ")]
    body = []
    for row in rows[head + 1:]:
        if all(value is None for value in row):
            break
        body.append(row[: len(titles)])
    return pd.DataFrame(body, columns=titles)


def left_over(book: Any) -> float:
    """What the plan leaves of the budget."""
    return next(float(row[2].value) for row in book["Resumen"].iter_rows() if row[0].value == "Queda del presupuesto")


def alike(one: Any, other: Any) -> bool:
    if isinstance(one, int | float) and isinstance(other, int | float):
        return one == pytest.approx(other, rel=1e-9, abs=1e-9)
    return one == other


def test_the_sheets_are_those_of_the_contract(books: dict[str, Book]) -> None:
    for book in books.values():
        assert book.open().sheetnames == SHEETS


@pytest.mark.parametrize("name", ["whole", "curved", "idle"])
def test_libreoffice_computes_what_stands_written(books: dict[str, Book], recalculated: dict[str, Any], name: str) -> None:
    written, formulas = books[name].open(), books[name].open(formulas=True)
    found = dict(cells(recalculated[name]))
    computed = 0
    for place, cell in cells(written):
        own = found[place].value if place in found else None
        assert not (isinstance(own, str) and own.startswith("#")), place
        assert alike(cell.value, own), f"{place}: written {cell.value!r}, computed {own!r}"
        sheet, at = place.rsplit("!", 1)
        computed += formulas[sheet][at].data_type == "f" and own is not None
    assert computed > (50 if name == "idle" else 300)


def test_costs_follow_the_assumptions(books: dict[str, Book], recalculated: dict[str, Any], report: Report) -> None:
    scenario = report.run.scenario
    before, plan = keyed(books["whole"].open()), report.indicators["plan"]
    number = {kind: block["numero"] for kind, block in plan["por_tipo"].items()}

    def moved(name: str) -> dict[str, float]:
        after = keyed(recalculated[name])
        return {path: after[path] - before[path] for path in before if path.startswith("plan.") and isinstance(before[path], int | float)}

    umr = scenario.annualised(1e6, scenario.life_building_years) * number["umr"]
    expected = {"plan.por_tipo.nucleo.costo_anual": 1000.0 * number["nucleo"], "plan.por_tipo.umr.costo_anual": umr,
                "plan.por_tipo.umr.costo_inversion": 1e6 * number["umr"], "plan.costo_inversion": 1e6 * number["umr"],
                "plan.costo_anual": 1000.0 * number["nucleo"] + umr}
    for path, change in moved("dearer").items():
        assert change == pytest.approx(expected.get(path, 0.0), abs=1e-4), path
    free = scenario.model_copy(update={"discount_rate": 0.0})
    cheaper = {kind: number[kind] * (free.annualised(getattr(free, price.capital), getattr(free, price.life))
                                     - scenario.annualised(getattr(free, price.capital), getattr(free, price.life)))
               for kind, price in PRICES.items() if price.capital}
    change = moved("free")
    for kind, much in cheaper.items():
        assert much < 0
        assert change[f"plan.por_tipo.{kind}.costo_anual"] == pytest.approx(much, abs=1e-4)
    assert change["plan.costo_anual"] == pytest.approx(sum(cheaper.values()), abs=1e-4)
    assert left_over(recalculated["free"]) - left_over(recalculated["whole"]) == pytest.approx(-sum(cheaper.values()), abs=1e-4)


def test_every_kind_is_priced_by_a_formula_to_the_cent(books: dict[str, Book], report: Report) -> None:
    assert {o.kind for o in report.run.plan.options} == set(KINDS)
    for option in report.run.plan.options:
        capital, annual = cost_cells(option.kind, "F1", option.capital_mxn, option.annual_mxn, report.run.scenario)
        assert bool(annual.formula) == (option.annual_mxn > 0), option.id
        assert bool(capital.formula) == (option.capital_mxn > 0), option.id
    rows, formulas = (table(books["whole"].open(formulas=f), "Propuestas", "Propuesta") for f in (False, True))
    assert set(rows["Tipo"]) == set(WORDS.values())
    priced = formulas[formulas["Tipo"] != WORDS["ruta"]]
    assert priced["Costo anual"].str.match(r"=F\d+\*\(Operacion_").all()
    capital = {WORDS[kind] for kind, price in PRICES.items() if price.capital}
    assert set(priced.loc[priced["Inversión"].astype(str).str.match(r"=F\d+\*Inversion_"), "Tipo"]) == capital
    assert rows["Costo anual"].sum() == pytest.approx(report.indicators["plan"]["costo_anual"])


def test_a_price_that_the_assumptions_do_not_give_stays_a_number(computed: Any, prepared: Path) -> None:
    told = report_of(computed(f"nucleo-{ONE}"), prepared)  # priced by hand
    content = workbook_files(told)["plan.xlsx"]
    row = table(Book(content).open(formulas=True), "Propuestas", "Propuesta").iloc[0]
    assert row["Costo anual"] == 1.9e6
    assert str(row["Inversión"]).startswith("=")
    notes = [cell.value for _, cell in cells(Book(content).open()) if isinstance(cell.value, str)]
    assert any(text.endswith("son números y no fórmulas: 1.") for text in notes)


@pytest.mark.parametrize("name", ["whole", "curved", "idle"])
def test_every_figure_with_a_key_is_that_of_the_indicators(books: dict[str, Book], name: str, request: pytest.FixtureRequest) -> None:
    told = request.getfixturevalue({"whole": "report", "curved": "curved", "idle": "idle"}[name]).indicators
    figures, found = leaves(told), keyed(books[name].open())
    for path, value in found.items():
        assert figures[path] == value, path
    levels = ("por_grado", "por_grupo", "por_municipio", "por_distrito", "por_distrito_propuesto")
    wanted = {f"{level}.{key}.{when}.{row}" for level in levels for key in told.get(level, {}) for when in ("actual", "plan")
              for row, *_ in ROWS if row != "poblacion" or when == "actual"}
    wanted |= {path for path, value in figures.items() if not isinstance(value, str | bool) and path.split(".")[0] in (
        "plan", "unidades_saturadas", "unidades_por_funcion", "opciones_por_tipo", "robustez", "curva", "indice_concentracion")}
    assert wanted <= set(found)
    assert found["total.plan.dentro_60"] == told["total"]["plan"]["dentro_60"]


def test_the_keys_are_hidden_from_people_and_from_print(books: dict[str, Book]) -> None:
    for sheet in books["whole"].open():
        for row in sheet.iter_rows():
            for cell in row:
                if isinstance(cell.value, str) and cell.value.startswith("Clave: "):
                    widths = [d for d in sheet.column_dimensions.values() if d.min <= cell.column <= d.max]
                    assert [(d.hidden, d.outlineLevel) for d in widths] == [(True, 1)]


def test_text_from_data_is_neither_formula_nor_link(books: dict[str, Book], recalculated: dict[str, Any]) -> None:
    seen = set()
    ours = re.compile(r"=(SUBTOTAL\(109,|SUM\(|SUMIFS\(|IF\(Tasa_de_descuento=0|Presupuesto_anual|[A-Z]+\d+[-/*])")
    for place, cell in cells(books["whole"].open(formulas=True)):
        if cell.data_type == "f":
            assert ours.match(cell.value), f"{place}: {cell.value}"
        elif cell.value in HOSTILE:
            seen.add(cell.value)
            assert cell.data_type == "s"
            assert cell.hyperlink is None
            assert cell.quotePrefix == cell.value.startswith(("=", "+", "-", "@"))
            sheet, at = place.rsplit("!", 1)
            assert recalculated["whole"][sheet][at].value == cell.value
    assert seen == set(HOSTILE)
    with zipfile.ZipFile(io.BytesIO(books["whole"].content)) as archive:
        assert not [name for name in archive.namelist() if "external" in name.lower() or "/_rels/sheet" in name]
        assert not any(b"<hyperlink" in archive.read(name) for name in archive.namelist())


def test_equal_reports_give_equal_bytes_without_a_clock(books: dict[str, Book], report: Report) -> None:
    again = replace(report, layers={name: layer.copy() for name, layer in reversed(report.layers.items())},
                    indicators=json.loads(json.dumps(report.indicators)))
    assert workbook_files(again)["plan.xlsx"] == books["whole"].content
    with zipfile.ZipFile(io.BytesIO(books["whole"].content)) as archive:
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert set(re.findall(rb"\d{4}-\d\d-\d\dT[\d:]+Z", archive.read("docProps/core.xml"))) == {b"2000-01-01T00:00:00Z"}


def test_titles_stay_in_sight_and_rows_can_be_filtered(books: dict[str, Book]) -> None:
    for sheet in books["whole"].open():
        frozen = int(re.sub(r"\D", "", sheet.freeze_panes))
        assert frozen > 1
        if sheet.title == "Resumen":
            assert sheet.auto_filter.ref is None
            continue
        left, top, right, bottom = range_boundaries(sheet.auto_filter.ref)
        titles = [sheet.cell(top, at).value for at in range(left, right + 1)]
        assert all(isinstance(title, str) for title in titles)
        assert not any(title.startswith("Clave: ") for title in titles)
        assert all(sheet.cell(row, left).value is not None for row in range(top + 1, bottom + 1))
        assert sheet.cell(bottom + 1, left).value is None  # the total is not among what is filtered
        if sheet.title not in ("Rutas y calendario", "Comparación"):
            assert frozen == top + 1


def test_pages_say_whose_they_are(books: dict[str, Book], report: Report) -> None:
    book = books["whole"].open()
    for sheet in book:
        assert sheet.page_setup.orientation == "landscape"
        assert sheet.page_setup.fitToHeight == 0  # as many pages as it takes, one wide
        assert sheet.sheet_properties.pageSetUpPr.fitToPage
        assert sheet.print_title_rows
        assert (sheet.oddHeader.right.text, sheet.oddFooter.right.text) == ("SINTÉTICA", "Página &P de &N")
        assert "no sustituye la valoración en campo" in sheet.oddFooter.center.text
        assert report.about["corrida"] in sheet.oddFooter.left.text
    with zipfile.ZipFile(io.BytesIO(books["whole"].content)) as archive:
        head = re.search(r"<oddHeader>(.*?)</oddHeader>", archive.read("xl/worksheets/sheet1.xml").decode())
        assert head is not None
        assert html.unescape(head[1]) == '&LValle && "=1+1" &&P, escenario base&CResumen&RSINTÉTICA'  # a name holds no code of Excel
    assert report.about["corrida"] in book.properties.description
    assert "manifest.json" in book.properties.description
    shown = [cell.value for _, cell in cells(book) if isinstance(cell.value, str)]
    assert any("SINTÉTICA" in text for text in shown)


def test_missing_is_empty_and_never_zero(report: Report) -> None:
    places = report.layers["localidades"].copy()
    places.loc[E, ["min_primer_nivel", "min_hospital", "brecha_ponderada"]] = np.nan
    told = {**report.indicators, "total": {when: {**block, "p90_min": None} for when, block in report.indicators["total"].items()}}
    lacking = places.assign(personas_con_servicio=0.0, visitas_mes=0.0)
    book = Book(workbook_files(replace(report, layers={**report.layers, "localidades": lacking}, indicators=told))["plan.xlsx"]).open()
    row = table(book, "Localidades sin servicio", "Clave").set_index("Clave").loc[E]
    assert row[["Minutos al primer nivel", "Minutos al hospital", "Brecha ponderada"]].isna().all()
    assert keyed(book)["total.actual.p90_min"] is None
    figures = table(book, "Resumen", "Indicador").set_index("Indicador")
    assert figures.loc["Percentil 90 de los minutos al primer nivel", ["Hoy", "Con el plan", "Cambio", "Cambio relativo"]].isna().all()


def test_numbers_keep_all_their_digits_and_are_shown_whole(books: dict[str, Book], report: Report) -> None:
    sheet = books["whole"].open()["Propuestas"]
    rows = table(books["whole"].open(), "Propuestas", "Propuesta").set_index("Propuesta")
    assert rows["Personas"].to_dict() == report.layers["propuestas"]["personas"].to_dict()
    titles = {cell.value: cell for row in sheet.iter_rows() for cell in row if cell.value in ("Personas", "Costo anual")}
    formats = {title: sheet.cell(cell.row + 1, cell.column).number_format for title, cell in titles.items()}
    assert formats == {"Personas": "#,##0", "Costo anual": "$#,##0"}


def test_places_without_service_are_those_that_the_indicators_count(books: dict[str, Book], curved: Report) -> None:
    rows = table(books["curved"].open(), "Localidades sin servicio", "Clave")
    counted = curved.indicators["total"]
    assert (rows["Sin servicio hoy"] == "sí").sum() == counted["actual"]["localidades_sin_servicio"]
    assert (rows["Sin servicio con el plan"] == "sí").sum() == counted["plan"]["localidades_sin_servicio"] < len(rows)
    assert rows["Brecha ponderada"].is_monotonic_decreasing


def test_everybody_has_one_place_of_work_or_none(books: dict[str, Book], report: Report) -> None:
    rows = table(books["whole"].open(), "Universo de trabajo por unidad", "Lugar de atención")
    universe = report.indicators["regionalizacion"]["universo"]
    assert rows["Personas con el plan"].sum() + universe["personas_sin_unidad"] == pytest.approx(universe["personas"])
    assert rows["Sin lugar"].sum() == pytest.approx(universe["personas_sin_lugar"])
    known = rows.dropna(subset=["Capacidad con el plan"])
    assert (known["Lugar libre con el plan"] - (known["Capacidad con el plan"] - known["Carga con el plan"])).abs().max() < 1e-9
    own = rows.set_index("Lugar de atención")
    more = [o for o in report.run.plan.chosen if o.startswith(("nucleo-", "plaza-")) and f"-{ONE}-" in o]
    assert own.loc[ONE, "Núcleos y plazas con el plan"] == own.loc[ONE, "Núcleos hoy"] + len(more) > 1


def test_without_regionalization_the_sheets_say_so(books: dict[str, Book], curved: Report) -> None:
    book = books["curved"].open()
    for name in ("Universo de trabajo por unidad", "Resumen municipio y distrito"):
        assert any("no trae regionalización" in str(cell.value) for row in book[name].iter_rows(max_row=6) for cell in row)
    rows = table(book, "Universo de trabajo por unidad", "Lugar de atención").set_index("Lugar de atención")
    assert rows["Carga con el plan"].to_dict() == curved.layers["unidades"]["carga_plan"].reindex(rows.index).to_dict()
    assert rows["Personas con el plan"].isna().all()


def test_circuits_take_the_days_and_minutes_of_their_rounds(books: dict[str, Book], report: Report) -> None:
    rows = table(books["whole"].open(), "Rutas y calendario", "Ruta").set_index("Ruta")
    options = {o.id: o for o in report.run.plan.options if o.days and o.id in report.run.plan.chosen}
    assert set(rows.index) == set(options)
    people = report.run.plan.served.groupby("option")["people"].sum()
    for key, option in options.items():
        row, rounds = rows.loc[key], round(option.visits_month)
        assert (row["Paradas"], row["Días al mes"], row["Visitas al mes"]) == (len(option.stops), rounds * len(option.days), rounds)
        assert row["Minutos de traslado al mes"] == pytest.approx(rounds * sum(sum(day.legs_min) for day in option.days), abs=1e-3)
        assert row["Personas"] == pytest.approx(people.get(key, 0.0))
        assert row["Km al mes"] > 0


def test_every_setting_stands_once_and_named_cells_hold_their_value(books: dict[str, Book], report: Report) -> None:
    book, scenario = books["whole"].open(), report.run.scenario
    rows = table(book, "Supuestos", "Supuesto")
    keys = rows["Clave del escenario"].dropna()
    assert keys.is_unique
    assert list(dict.fromkeys(key.split(".")[0] for key in keys)) == list(describe_scenario(scenario)["key"])
    assert set(rows["Marca"].dropna()) <= {"dato", "derivado", "supuesto"}
    for key, name in NAMES.items():
        assert named(book, name).value == getattr(scenario, key), name
    assert named(book, "Anualidad_de_obra").value == pytest.approx(scenario.annualised(1.0, scenario.life_building_years))
    assert rows.set_index("Clave del escenario").loc["need.muy_alto", "Valor"] == 1


def test_the_dictionary_explains_every_title_and_field(books: dict[str, Book]) -> None:
    book = books["curved"].open()
    rows = table(book, "Diccionario", "Archivo u hoja")
    told = set(zip(rows["Archivo u hoja"], rows["Etiqueta"], strict=True))
    bold = {(f"plan.xlsx: {sheet.title}", cell.value) for sheet in book for row in sheet.iter_rows() for cell in row
            if cell.fill.fgColor.rgb == "FF1F3A4D"}
    assert len(bold) > 100
    assert bold <= told
    assert set(TABLES) <= set(rows["Archivo u hoja"])
    assert rows["Significado"].notna().all()


@pytest.fixture(scope="module")
def tables() -> bytes:
    first = pd.DataFrame({"Nombre": HOSTILE, "Personas": [1.0, np.nan, 3.5, np.inf, 1e6, -2.0],
                          "=1+1": pd.array([1, None, 3, 4, 5, 6], "Int64"), "Sí": [True, False] * 3})
    return tables_workbook({"Personas & dinero: corridas [a/b]?": first, "Personas y dinero: corridas [a/c]?": first.iloc[:0],
                            "a" * 40: first.iloc[:2], "A" * 35: first.iloc[:1].set_axis(["x", "x", "y", "z"], axis=1), "": first[["Sí"]]},
                           Imprint("Comparación", "base y lluvias", "Corridas a y b", synthetic=True))


def test_any_tables_make_a_workbook_with_the_same_care(tables: bytes, recalculated: dict[str, Any]) -> None:
    book = Book(tables).open()
    assert book.sheetnames == ["Personas & dinero corridas a b", "Personas y dinero corridas a c", "a" * 31, "A" * 27 + " (2)", "Tabla"]
    rows = table(book, book.sheetnames[0], "Nombre")
    assert rows["Nombre"].tolist() == list(HOSTILE)
    assert rows["Personas"].tolist()[:3:2] + rows["Personas"].tolist()[4:] == [1, 3.5, 1e6, -2]
    assert rows["Personas"].isna().tolist() == [False, True, False, True, False, False]
    assert rows["=1+1"].isna().sum() == 1
    assert rows["Sí"].tolist() == ["sí", "no"] * 3
    assert table(book, "A" * 27 + " (2)", "x").columns.tolist() == ["x", "x", "y", "z"]
    with zipfile.ZipFile(io.BytesIO(tables)) as archive:
        assert "&amp;CPersonas &amp;&amp; dinero corridas a b&amp;RSINTÉTICA" in archive.read("xl/worksheets/sheet1.xml").decode()
    assert [sheet["A1"].value for sheet in book][2:4] == ["a" * 40, "A" * 35]
    found = dict(cells(recalculated["tables"]))
    for place, cell in cells(book):
        assert not cell.value or alike(cell.value, found[place].value), f"{place}: {cell.value!r}, {found[place].value!r}"
    assert all(sheet.auto_filter.ref or sheet.title == book.sheetnames[1] for sheet in book)
    assert all(cell.data_type != "f" for _, cell in cells(Book(tables).open(formulas=True)))
