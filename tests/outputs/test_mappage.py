"""mapa.html: its data against the layers, its bytes, and a real browser without network that clicks, searches, reads and prints it."""

import json
import pickle
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import valley
from playwright.sync_api import Page, sync_playwright

from planner.outputs.mappage import map_files
from planner.outputs.maps import NO_DATA, SCORE_COLORS, score_class
from planner.outputs.report import Report, report_of
from planner.scenarios import regionalized, run_scenario
from planner.settings import Scenario
from planner.words import DISCLAIMER, KINDS

HOSTILE = "<img src=x onerror=alert(1)>'\"&{{b}}</script><!--\u2028"
CHROMIUM = next((p for p in map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome")) if p), None)
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--host-resolver-rules=MAP * ~NOTFOUND"]
browsed = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
# The page keeps its map to itself: a test catches it as it is made.
CATCH = """Object.defineProperty(window, "L", {configurable: true, set(made) {
  delete window.L; window.L = made; made.Map.addInitHook(function () { window.caught = this; }); }});"""
F = "990020003"


def reported(folder: Path) -> Report:
    """The valley computed from end to end, with a hostile name, and an accent, on everything that has one."""
    region = valley.region()
    (folder / "manifest.json").write_text('{"inputs": []}')
    localities = region.localities.assign(name=[f"{HOSTILE} Ñandú {name}" for name in region.localities["name"]], municipality=HOSTILE)
    region = replace(region, name=HOSTILE, localities=localities, units=region.units.assign(name=HOSTILE + region.units["name"]),
                     municipalities=region.municipalities.assign(name=HOSTILE))
    run = run_scenario(region, Scenario(budget_mxn_year=5e6, capacity_people_per_nucleo=1000.0))
    return report_of(regionalized(run), folder)


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    return reported(tmp_path_factory.mktemp("valley"))


@pytest.fixture(scope="module")
def whole(report: Report) -> str:
    (name, content), = map_files(report).items()
    assert name == "mapa.html"
    return content.decode()


@pytest.fixture(scope="module")
def sent(whole: str) -> dict[str, Any]:
    """The data of the page, as the script takes them."""
    found: dict[str, Any] = json.JSONDecoder().raw_decode(re.sub(
        r'(?<=[{,])"(\w+)":', r'"\1":', whole[whole.index("const PAGE = ") + len("const PAGE = "):]))[0]
    return found


class Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def test_equal_reports_give_equal_bytes(whole: str, report: Report) -> None:
    assert map_files(pickle.loads(pickle.dumps(report)))["mapa.html"] == whole.encode()


def test_nothing_in_it_points_elsewhere(whole: str) -> None:
    assert set(re.findall(r"https?://[^\s\"'<>)]+", whole)) <= {"http://www.w3.org/2000/svg", "https://leafletjs.com"}
    parsed = Elements()
    parsed.feed(whole)
    asked = {a[name] for _, a in parsed.found for name in ("src", "href", "srcset", "action") if name in a}
    assert all(str(address).startswith("data:image/") for address in asked)
    assert not {"link", "iframe", "object", "embed", "base"} & {tag for tag, _ in parsed.found}
    assert not re.search(r"url\((?!data:)", whole.split("</style>")[0].replace("url(#default#VML)", ""))
    assert [tag for tag, _ in parsed.found].count("script") == 3
    assert HOSTILE not in whole


def test_the_head_says_what_it_is(report: Report, whole: str) -> None:
    for words in ("SINTÉTIC", "escenario <b>base</b>", report.about["corrida"], DISCLAIMER, "manifest.json", "Fecha de corte", "supuesto",
                  "Puntaje de brecha", "Red de referencia"):
        assert words in whole, words


def test_every_value_is_the_one_of_the_layers(report: Report, sent: dict[str, Any]) -> None:
    """Rounded as shown and no further; what is missing stays missing; each mark gets the row of its own key."""
    seen = 0
    for kind, layer, fields in (("localidad", "localidades", {
            "Población objetivo": "poblacion", "Puntaje de brecha": "puntaje_brecha", "Minutos al primer nivel": "min_primer_nivel",
            "Minutos al hospital": "min_hospital", "Cobertura": "cobertura", "Motivo": "motivo"}), ("unidad", "unidades", {
            "Núcleos básicos": "nucleos", "Carga": "carga", "Capacidad": "capacidad", "Suficiencia": "suficiencia"}), (
            "propuesta", "propuestas", {"Costo anual": "costo_anual", "Inversión": "costo_inversion", "Personas": "personas",
                                        "Motivo": "motivo"})):
        frame, told = report.layers[layer], sent["told"][kind]
        ids = [key for name in told["layers"] for key in sent["data"][name]["id"]]
        assert sorted(ids) == sorted(frame.index)
        columns = {column["label"]: column for column in told["columns"]}
        for label, name in fields.items():
            values = frame.loc[ids, name]
            column = columns[label]
            shown = column["numbers"] if "numbers" in column else [None if i < 0 else column["words"][i] for i in column["at"]]
            assert [v is None for v in shown] == values.isna().tolist(), name
            seen += values.notna().sum()
            if "numbers" not in column:
                assert [v for v in shown if v is not None] == values.dropna().tolist(), name
            elif name.startswith("min_"):
                over = np.array([v for v in shown if v is not None]) - values.dropna().to_numpy(float)
                assert ((over > -1e-6) & (over < 0.1)).all(), name  # upwards: beyond a threshold never reads as the threshold
            else:
                np.testing.assert_allclose([v for v in shown if v is not None], values.dropna().astype(float), atol=0.5, err_msg=name)
    assert seen > 50


def test_codes_are_told_in_words(report: Report, sent: dict[str, Any]) -> None:
    kinds = next(c for c in sent["told"]["propuesta"]["columns"] if c["label"] == "Tipo")
    ids = sent["data"]["propuestas"]["id"]
    assert [kinds["words"][i] for i in kinds["at"]] == [KINDS[kind] for kind in report.layers["propuestas"].loc[ids, "tipo"]]
    labels = {c["label"]: c for one in sent["told"].values() for c in one["columns"]}
    assert labels["Costo anual"]["mark"] == "supuesto"
    assert labels["Intervención"]["none"] == "ninguna"  # not "sin dato": the plan does nothing there, and that is known
    assert labels["Minutos al hospital"]["none"] == "sin ruta o sin dato"
    assert labels["Grado de rezago"]["none"] == "sin dato"


def test_the_plan_has_colours_of_its_own(report: Report, sent: dict[str, Any]) -> None:
    after = report.layers["localidades"].loc[sent["data"]["localidades"]["id"], "puntaje_brecha_plan"]
    assert sent["plan"]["color"] == score_class(after).tolist()
    assert sent["plan"]["color"] != sent["data"]["localidades"]["color"]
    assert sent["plan"]["key"] != sent["data"]["localidades"]["key"]


@dataclass
class Opened:
    """The page in a browser, and all that went wrong or was asked of anybody."""
    page: Page
    address: str
    asked: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def point(self, lat: float, lon: float) -> tuple[float, float]:
        """Bring a place to the middle of the map; where it stands in the window."""
        x, y = self.page.evaluate("""([lat, lon]) => { caught.setView([lat, lon], 12, {animate: false});
            const p = caught.latLngToContainerPoint([lat, lon]), r = caught.getContainer().getBoundingClientRect();
            return [p.x + r.x, p.y + r.y]; }""", [lat, lon])
        return x, y

    def color(self, lat: float, lon: float) -> list[int]:
        """The colour that the marks' canvas has at a place."""
        self.point(lat, lon)
        told: list[int] = self.page.evaluate("""([lat, lon]) => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(
          () => { const canvas = document.querySelector(".leaflet-overlay-pane canvas"), box = canvas.getBoundingClientRect();
            const p = caught.latLngToContainerPoint([lat, lon]), r = caught.getContainer().getBoundingClientRect();
            const scale = canvas.width / box.width;
            const told = canvas.getContext("2d").getImageData((p.x + r.x - box.x) * scale, (p.y + r.y - box.y) * scale, 1, 1).data;
            done([...told].slice(0, 3)); })))""", [lat, lon])
        return told


@pytest.fixture(scope="module")
def opened(whole: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    path = tmp_path_factory.mktemp("map") / "mapa.html"
    path.write_bytes(whole.encode())
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(viewport={"width": 1200, "height": 800}, offline=True)
        found = Opened(page, path.as_uri())
        page.on("request", lambda request: found.asked.append(request.url))
        page.on("console", lambda said: found.faults.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda fault: found.faults.append(str(fault)))
        page.on("dialog", lambda dialog: (found.faults.append(dialog.message), dialog.dismiss())[1])
        page.add_init_script(CATCH)
        page.goto(found.address)
        yield found
        browser.close()


@browsed
def test_the_marks_are_drawn_in_their_colours(report: Report, opened: Opened) -> None:
    count = opened.page.evaluate("Object.values(caught._layers).filter(l => l.getRadius).length")
    network = (report.layers["unidades"]["funcion"] != "ninguno").sum()
    assert count == len(report.layers["localidades"]) + network + len(report.layers["propuestas"])
    places = report.layers["localidades"].to_crs(4326)
    rgb = np.array([[int(color[i:i + 2], 16) for i in (1, 3, 5)] for color in (*SCORE_COLORS, NO_DATA)])
    for when in ("", "_plan"):
        opened.page.set_checked("#plan", bool(when))
        for key, at in places.geometry[["990010002", "990020001", "990020002"]].items():  # nothing else stands there
            told = np.abs(rgb - opened.color(at.y, at.x)).max(axis=1)
            assert told.argmin() == score_class(places.loc[[key], f"puntaje_brecha{when}"])[0], (key, when)
            assert told.min() <= 3  # marks let a tenth of the ground through
    opened.page.set_checked("#plan", False)


@browsed
def test_a_click_tells_what_is_known_of_a_locality_a_unit_and_a_proposal(report: Report, opened: Opened) -> None:
    layers = {name: report.layers[name].to_crs(4326) for name in ("localidades", "unidades", "propuestas")}
    place, unit, proposal = layers["localidades"].loc["990020001"], layers["unidades"].loc["MDIMB000044"], layers["propuestas"].iloc[0]
    assigned = layers["unidades"].loc[place["clues_asignada"], "nombre"]
    expected = {
        "localidad": (place, (place["nom_loc"], "990020001", f"{place['puntaje_brecha']:.1f} de 100", place["cobertura"],
                              f"{assigned} ({place['clues_asignada']})", f"{place['poblacion']:,.0f} personas")),
        "unidad": (unit, (unit["nombre"], "MDIMB000044", "Hospital general", "sin límite")),
        "propuesta": (proposal, (proposal["nombre"], proposal.name, KINDS[proposal["tipo"]], proposal["motivo"], "supuesto"))}
    for kind, (row, words) in expected.items():
        x, y = opened.point(row.geometry.y, row.geometry.x)
        # the wide rim of a proposal is seen around the unit that stands on it
        opened.page.mouse.click(x, y - (9 if kind == "propuesta" and pd.notna(row["clues"]) else 0))
        told = opened.page.locator("#ficha").text_content() or ""
        for word in words:
            assert word in told, (kind, word)
    assert opened.page.locator("#ficha img").count() == 0
    assert opened.page.evaluate("Object.values(caught._layers).filter(l => l.options.fill === false && l.getRadius).length") == 1


@browsed
def test_the_keyboard_reaches_every_place(opened: Opened) -> None:
    page = opened.page
    page.fill("#buscar", "nandu f")
    assert page.locator("#hallados button").all_text_contents() == [f"{HOSTILE} Ñandú F · {F}"]
    page.focus("#buscar")
    page.keyboard.press("Tab")
    while page.evaluate("document.activeElement.closest('#hallados') === null"):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement !== document.body")
    page.keyboard.press("Enter")
    assert F in (page.locator("#ficha").text_content() or "")
    page.fill("#buscar", "MDIMB000022")
    page.keyboard.press("Enter")
    assert "MDIMB000022" in (page.locator("#ficha").text_content() or "")
    page.fill("#buscar", "nadie se llama así")
    assert page.locator("#cuantos").text_content() == "0 lugares"


@browsed
def test_the_table_holds_every_place(report: Report, opened: Opened) -> None:
    page = opened.page
    page.click("#tabla summary")
    for kind, layer in (("propuesta", "propuestas"), ("unidad", "unidades"), ("localidad", "localidades")):
        page.select_option("#clase", kind)
        keys = page.locator("#filas tbody tr td:nth-child(2)").all_text_contents()
        assert sorted(keys) == sorted(report.layers[layer].index)
    page.locator("#filas button").first.click()
    assert (page.locator("#filas tbody td").first.text_content() or "?") in (page.locator("#ficha").text_content() or "")
    page.click("#tabla summary")


@browsed
def test_districts_are_shown_on_demand(report: Report, opened: Opened) -> None:
    page = opened.page
    polygons = "Object.values(caught._layers).filter(l => l instanceof L.Polygon && l.options.fillOpacity === 0.42).length"
    assert page.evaluate(polygons) == 0
    page.hover(".leaflet-control-layers")
    page.get_by_label("Distritos", exact=True).check()
    assert page.evaluate(polygons) == len(report.layers["distritos"])
    page.mouse.move(5, 5)
    town = report.run.region.municipalities.to_crs(4326).geometry.iloc[1]
    x, y = opened.point(town.bounds[1] + 0.003, town.bounds[0] + 0.003)  # a corner where nobody lives
    page.mouse.click(x, y)
    assert str(report.layers["distritos"].index[0]) in (page.locator("#ficha h2").text_content() or "")
    assert HOSTILE.strip() in (page.locator("#ficha").text_content() or "")


@browsed
def test_it_prints_without_what_cannot_be_used_on_paper(opened: Opened) -> None:
    page = opened.page
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    assert not page.is_visible("#buscar")
    assert not page.is_visible(".leaflet-control-zoom")
    assert page.is_visible("#ficha")
    assert page.is_visible(".leyenda >> nth=0")
    box, canvas = page.locator("#mapa").bounding_box(), page.locator(".leaflet-overlay-pane canvas").bounding_box()
    assert box is not None
    assert canvas is not None
    assert box["width"] < 700  # of the 988 that a letter sheet has
    assert canvas["width"] >= box["width"]  # and the marks reach its edges
    page.emulate_media(media="screen")
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert page.is_visible("#buscar")


@browsed
def test_it_asked_for_nothing_but_itself_and_nothing_failed(opened: Opened) -> None:
    opened.page.wait_for_timeout(100)
    assert [url for url in opened.asked if not url.startswith("data:image/")] == [opened.address]
    assert opened.faults == []
