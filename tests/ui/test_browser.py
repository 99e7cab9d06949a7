"""The app as a reader meets it: a real browser without network, the synthetic region, clicks on the map."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlparse

import geopandas as gpd
import pandas as pd
import pytest
from playwright.sync_api import BrowserContext, Frame, Locator, Page, sync_playwright

from planner.model import Region

ROOT = Path(__file__).parents[2]
CHROMIUM = next((p for p in map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome")) if p), None)
# Chromium's own calls home off, every name but our address unknown: as with the cable out.
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]
START_S, SHOW_MS = 90, 180_000

PAGES = ("Panorama", "Datos", "Brechas", "Propuestas", "Rutas", "País", "Comparar", "Descargas", "Ayuda")
# WCAG 2.2, success criterion 1.4.3: 4.5 to 1, and 3 to 1 for large text; what is switched off or hidden is exempt.
CONTRAST = """() => {
  const parse = text => { const n = (text.match(/[\\d.]+/g) || []).map(Number); return n.length < 4 ? [...n.slice(0, 3), 1] : n; };
  const over = (front, back) => [0, 1, 2].map(i => front[3] * front[i] + (1 - front[3]) * back[i]).concat(1);
  const light = color => { const [r, g, b] = color.slice(0, 3).map(v => v / 255)
    .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const behind = (element, x, y) => {
    const layers = [];
    for (let e = element; e; e = e.parentElement) {  // a label may stand beside the element that holds it
      const box = e.getBoundingClientRect(), holds = box.left <= x && x <= box.right && box.top <= y && y <= box.bottom;
      if (holds) layers.push(parse(getComputedStyle(e).backgroundColor));
    }
    return layers.reverse().reduce((back, layer) => over(layer, back), [255, 255, 255, 1]);
  };
  const found = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const text = walk.currentNode.textContent.trim(), element = walk.currentNode.parentElement;
    const style = getComputedStyle(element), box = element.getBoundingClientRect();
    const idle = element.closest('[disabled], [aria-disabled=true], [aria-hidden=true], style, script, noscript, svg, canvas');
    const seen = style.visibility === 'visible' && style.opacity !== '0' && box.width > 1 && box.height > 1;
    if (!text || idle || !seen) continue;
    const range = document.createRange();
    range.selectNodeContents(walk.currentNode);
    const at = range.getBoundingClientRect();
    const back = behind(element, at.left + at.width / 2, at.top + at.height / 2), front = over(parse(style.color), back);
    const [high, low] = [light(front), light(back)].sort((a, b) => b - a);
    const size = parseFloat(style.fontSize), bold = parseInt(style.fontWeight) >= 700;
    const ratio = (high + 0.05) / (low + 0.05), least = size >= 24 || (bold && size >= 18.66) ? 3 : 4.5;
    if (ratio < least - 0.005) found.push([ratio.toFixed(2), style.color, back.map(Math.round).join(','), text.slice(0, 40)]);
  }
  return found;
}"""

Opened = tuple[Page, list[str], list[str]]

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")


@pytest.fixture(scope="module")
def address(demo: tuple[Path, Region]) -> Iterator[str]:
    """The app served on a free port of this machine."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "app.py"), "--server.port", str(port), "--server.headless", "true"]
    server = subprocess.Popen(command, cwd=demo[0], env={**os.environ, "PLANNER_HOME": str(demo[0])},
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_for(f"http://127.0.0.1:{port}/_stcore/health")
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(timeout=30)


def _wait_for(url: str) -> None:
    until = time.monotonic() + START_S
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, ConnectionError):
            if time.monotonic() > until:
                raise
            time.sleep(0.3)


@pytest.fixture(scope="module")
def browser() -> Iterator[BrowserContext]:
    with sync_playwright() as play:
        opened = play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        context = opened.new_context(viewport={"width": 1366, "height": 2400})
        context.set_default_timeout(SHOW_MS)
        yield context
        opened.close()


@pytest.fixture
def page(address: str, browser: BrowserContext) -> Iterator[Opened]:
    """The first page in a session of its own, with every request to another host and every script error recorded."""
    tab = browser.new_page()
    foreign: list[str] = []
    faults: list[str] = []

    def note(url: str) -> None:
        if urlparse(url).hostname not in ("127.0.0.1", None):
            foreign.append(url)

    tab.on("request", lambda request: note(request.url))
    tab.on("websocket", lambda socket: note(socket.url))
    tab.on("pageerror", lambda fault: faults.append(str(fault)))
    tab.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    tab.goto(address)
    tab.frame_locator("iframe[title*=st_folium]").locator("canvas").first.wait_for()
    yield tab, foreign, faults
    tab.close()


def test_a_planner_sees_who_lacks_care_clicks_and_stays_offline(page: Opened, demo: tuple[Path, Region]) -> None:
    tab, foreign, faults = page
    region = demo[1]
    for kpi in ("Población objetivo", "A 60 minutos o menos de primer nivel", "A más de 2 horas de un hospital",
                "Personas sin acceso efectivo (equivalentes)", "Localidades sin servicio", "Unidades saturadas"):
        tab.get_by_text(kpi, exact=True).first.wait_for()
    assert tab.get_by_text("SINTÉTICA").count() >= 2
    frame = _map(tab, len(region.localities))

    lonely = _loneliest(region.localities, region)[0]
    place = region.localities.loc[lonely]
    _click(frame, place["lat"], place["lon"])
    tab.get_by_text(lonely, exact=True).first.wait_for()
    for part in ("Suficiencia (sigma)", "Acceso efectivo (e)", "Brecha de hospital", "Peso de la necesidad (w)"):
        assert tab.get_by_text(part, exact=True).is_visible()
    zoom = frame.evaluate("window.map.getZoom()")

    for clues in _loneliest(region.units[region.units["role"] == "primer_nivel"], region)[:3]:
        unit = region.units.loc[clues]
        _click(frame, unit["lat"], unit["lon"])
        tab.get_by_text(clues, exact=True).first.wait_for()
    frame.wait_for_function("Object.values(window.map._layers).some(l => l instanceof L.Polygon && l.options.pane !== 'ground')")
    frame.wait_for_function("Object.values(window.map._layers).some(l => l.options.color === '#d55e00' && l instanceof L.Polyline)")
    assert tab.get_by_text("Hospital de referencia", exact=True).is_visible()
    assert tab.get_by_text("De 0 a 30 min", exact=True).is_visible()
    assert frame.evaluate("window.map.getZoom()") == zoom  # a click keeps the view
    assert frame.evaluate("(window.feature_group || []).length") <= 1  # and leaves nothing behind
    _search(tab, lonely)
    frame.wait_for_function("place => window.map.getBounds().contains(place)", arg=[place["lat"], place["lon"]])  # a search moves it
    assert foreign == []
    assert faults == []


def test_filters_keep_the_view_and_the_address_reproduces_it(page: Opened, demo: tuple[Path, Region]) -> None:
    tab, _, faults = page
    region = demo[1]
    frame = _map(tab, len(region.localities))
    frame.evaluate("void window.map.setView(window.map.getCenter(), window.map.getZoom() + 1, {animate: false})")
    view = frame.evaluate("[window.map.getCenter().lat, window.map.getZoom()]")
    town = region.municipalities.index[0]
    inside = int((region.localities["cve_mun"] == town).sum())
    _pick(tab, "Municipio", region.municipalities.at[town, "name"])
    tab.get_by_text(f"El mapa muestra {inside:,} de").wait_for()
    frame.wait_for_function("n => Object.values(window.map._layers).filter(l => l.getRadius && !l.options.shape).length === n", arg=inside)
    assert frame.evaluate("[window.map.getCenter().lat, window.map.getZoom()]") == view

    lonely = _loneliest(region.localities, region)[0]
    _search(tab, lonely)
    _scenario(tab, "Vehículo")
    _quiet(tab)
    _go(tab, "Brechas")
    tab.get_by_text(f"primeras de {inside:,} localidades").wait_for()  # the filter goes along
    tab.get_by_text("La elegida está en el lugar").or_(tab.get_by_text("elija una fila")).first.wait_for()
    there = tab.url
    assert "/brechas" in there
    assert "escenario=Veh" in there
    assert lonely in there
    other = tab.context.new_page()
    other.goto(there)
    other.get_by_text("Escenario: Vehículo").wait_for()
    other.get_by_text("Puntaje de brecha: ").first.wait_for()
    other.close()
    assert faults == []


def test_what_is_picked_while_the_page_is_drawn_stays(page: Opened, demo: tuple[Path, Region]) -> None:
    tab, _, faults = page
    region = demo[1]
    frame = _map(tab, len(region.localities))
    _quiet(tab)
    inside = 0
    for town, name in list(region.municipalities["name"].items())[:4]:
        _tick(tab, "Municipio", name, lambda: frame.evaluate("window.Streamlit.setComponentValue({click: Math.random()})"))  # drawn anew
        inside += int((region.localities["cve_mun"] == town).sum())
        tab.get_by_text(f"El mapa muestra {inside:,} de").wait_for()
    assert faults == []


def test_an_analyst_finds_the_worst_of_a_municipality_in_the_table(page: Opened, demo: tuple[Path, Region]) -> None:
    tab, _, faults = page
    region = demo[1]
    clicks = _go(tab, "Brechas")
    _map(tab, len(region.localities))
    name = region.municipalities["name"].iloc[1]
    clicks += _pick(tab, "Municipio", name)
    _quiet(tab)
    table = tab.get_by_test_id("stDataFrame").first
    table.scroll_into_view_if_needed()
    corner = table.bounding_box()
    assert corner
    tab.mouse.click(corner["x"] + 20, corner["y"] + 52)  # the box of the first row
    tab.get_by_text("La elegida está en el lugar 1.").wait_for()
    tab.get_by_text("Puntaje de brecha: ").first.wait_for()
    assert clicks + 1 <= 8
    assert faults == []


def test_a_director_asks_what_fifty_million_buy_and_compares_with_the_rains(page: Opened) -> None:
    tab, _, faults = page
    clicks = _go(tab, "Propuestas")
    slider = tab.get_by_role("slider", name="Presupuesto anual (M MXN)")
    slider.focus()
    for _ in range(10):
        tab.keyboard.press("ArrowLeft")  # five million each
    tab.get_by_role("button", name="Calcular", exact=True).click()
    tab.get_by_text("presupuesto: 50.00 M MXN").wait_for()
    tab.get_by_text("Cota demostrada:", exact=True).wait_for()
    assert clicks + 1 <= 8
    clicks = _go(tab, "Comparar") + _pick(tab, "Se compara con", "Lluvias")
    tab.get_by_text("Lado a lado, con las mismas clases").wait_for()
    tab.get_by_text("Personas y dinero (con el plan)").wait_for()
    assert tab.get_by_text("frente a Base, ajustado").count() >= 1
    assert clicks <= 8
    assert faults == []


def test_a_gis_technician_takes_the_layers(page: Opened, demo: tuple[Path, Region], tmp_path: Path) -> None:
    tab, foreign, faults = page
    clicks = _go(tab, "Descargas")
    for button, name in (("GeoPackage", "plan.gpkg"), ("Localidades", "localidades.geojson")):
        with tab.expect_download() as asked:
            tab.get_by_role("button", name=button, exact=True).click()
        asked.value.save_as(tmp_path / name)
        assert "SINTETICA" in asked.value.suggested_filename
    assert len(gpd.read_file(tmp_path / "localidades.geojson")) == len(demo[1].localities)
    assert gpd.read_file(tmp_path / "plan.gpkg", layer="localidades").crs == demo[1].crs
    assert clicks + 2 <= 8
    assert foreign == []
    assert faults == []


def test_work_goes_on_while_another_page_is_open_and_is_called_off(page: Opened) -> None:
    tab, _, faults = page
    _scenario(tab, "Solo móviles")
    _go(tab, "Ayuda")
    tab.get_by_text("Un ejemplo guiado").wait_for()
    _go(tab, "Rutas")
    tab.get_by_text("Escenario: Solo móviles").wait_for()
    tab.get_by_text("Rutas de hoy").or_(tab.get_by_text("rutas", exact=False)).first.wait_for()
    _quiet(tab)
    _go(tab, "Propuestas")
    tab.get_by_role("button", name="Calcular la curva").click()
    tab.get_by_role("button", name="Cancelar").click()
    tab.get_by_text("Se canceló: Qué compra cada presupuesto").wait_for()
    assert faults == []


def test_a_reader_draws_districts_and_moves_a_municipality(page: Opened, demo: tuple[Path, Region]) -> None:
    tab, foreign, faults = page
    region = demo[1]
    _go(tab, "Regionalización")
    tab.get_by_role("button", name="Trazar").click()
    tab.get_by_text("Mover un municipio", exact=True).wait_for()
    tab.frame_locator("iframe[title*=st_folium]").locator("canvas").first.wait_for()
    frame = next(f for f in tab.frames if "streamlit_folium" in f.url)
    frame.wait_for_function("Object.values(window.map._layers).some(l => l instanceof L.Polygon && l.options.fillColor)")
    town = region.municipalities.to_crs(4326).geometry.iloc[3].representative_point()
    x, y = frame.evaluate("place => { const p = window.map.latLngToContainerPoint(place); return [p.x, p.y]; }", [town.y, town.x])
    frame.locator("#map_div").click(position={"x": x, "y": y})
    tab.get_by_text("Está en D").first.wait_for()
    target = tab.get_by_label("Pasa al distrito").last
    target.click()
    tab.keyboard.press("Enter")
    tab.get_by_role("button", name="Mover", exact=True).click()
    tab.get_by_text(f"{region.municipalities['name'].iloc[3]} pasa a D").wait_for()
    tab.get_by_text("Con sus cambios", exact=True).wait_for()
    _quiet(tab)  # the button is drawn after the map
    with tab.expect_download() as asked:
        tab.get_by_role("button", name="Distritos (CSV)").click()
    assert "SINTETICA" in asked.value.suggested_filename
    assert foreign == []
    assert faults == []


@pytest.mark.parametrize("size", [(1366, 768), (820, 1180)], ids=["laptop", "tablet"])
def test_every_text_stands_out_and_no_page_is_wider_than_its_window(page: Opened, size: tuple[int, int]) -> None:
    tab, _, faults = page
    tab.set_viewport_size({"width": size[0], "height": size[1]})
    for title in PAGES:
        _visit(tab, title)
        faint = tab.evaluate(CONTRAST)
        assert not faint, f"{title}: {json.dumps(faint[:6], ensure_ascii=False)}"
        wide = tab.evaluate("() => { const m = document.querySelector('[data-testid=stMain]'); return m.scrollWidth - m.clientWidth; }")
        assert wide <= 1, f"{title} is {wide} px wider than its window"
    tab.evaluate("""() => document.querySelector('[data-testid=stMain] p').insertAdjacentHTML('beforebegin',
      '<p style="color:#999">apenas</p>')""")
    assert [text for *_, text in tab.evaluate(CONTRAST)] == ["apenas"]  # what is faint is seen
    assert faults == []


def test_the_main_job_without_a_mouse(page: Opened) -> None:
    tab, _, faults = page
    _tab_to(tab, tab.get_by_test_id("stSidebarNav").get_by_role("link", name="Propuestas"))
    tab.keyboard.press("Enter")
    tab.get_by_role("heading", name="Propuestas: ").first.wait_for()
    _quiet(tab)
    _tab_to(tab, tab.get_by_role("slider", name="Presupuesto anual (M MXN)"))
    for _ in range(4):
        tab.keyboard.press("ArrowLeft")
    _tab_to(tab, tab.get_by_role("button", name="Calcular", exact=True))
    tab.keyboard.press("Enter")
    tab.get_by_text("presupuesto: 80.00 M MXN").wait_for()
    _quiet(tab)
    _tab_to(tab, tab.get_by_label("Buscar localidad, unidad o propuesta"))
    tab.keyboard.type("a")
    tab.keyboard.press("Enter")
    tab.get_by_text("Puntaje de brecha: ").or_(tab.get_by_text("Costo anual", exact=True)).first.wait_for()
    assert faults == []


def _visit(tab: Page, title: str) -> None:
    menu = tab.get_by_test_id("stSidebarNav").get_by_text(title, exact=True)
    if not menu.is_visible():  # a narrow window folds the list
        tab.get_by_test_id("stExpandSidebarButton").click()
    _go(tab, title)
    _quiet(tab)


def _tab_to(tab: Page, wanted: Locator, most: int = 120) -> None:
    """Press Tab until the wanted element has the focus."""
    for _ in range(most):
        tab.keyboard.press("Tab")
        if wanted.evaluate("element => element === document.activeElement"):
            return
    raise AssertionError(f"Tab does not reach {wanted}")


def _go(tab: Page, title: str) -> int:
    """Another page by its name in the list; how many clicks that took."""
    tab.get_by_test_id("stSidebarNav").get_by_text(title, exact=True).click()
    tab.get_by_role("heading", name=re.compile(f"^{title}(: |$)")).first.wait_for()
    return 1


def _pick(tab: Page, label: str, value: str) -> int:
    """A value of a list of several; how many clicks that took."""
    _quiet(tab)
    _tick(tab, label, value, lambda: None)
    _quiet(tab)
    return 2


def _tick(tab: Page, label: str, value: str, meanwhile: Callable[[], object]) -> None:
    """Open a list of several, type the value and click it. Typing keeps it in view: scrolling to it and clicking within the same blink,
    as only a program does, lets go of the mouse over a list that is still moving, and nothing is picked."""
    box = tab.get_by_label(label, exact=True).last
    box.click()
    box.fill(value)
    option = tab.get_by_role("option", name=value, exact=True)
    option.wait_for()
    meanwhile()
    option.click()
    tab.keyboard.press("Escape")
    tab.get_by_test_id("stMultiSelect").filter(has_text=label).get_by_text(value, exact=True).wait_for()


def _search(tab: Page, text: str) -> None:
    tab.get_by_label("Buscar localidad, unidad o propuesta").fill(text)
    tab.keyboard.press("Enter")


def _scenario(tab: Page, name: str) -> None:
    _type(tab, "Escenario", name)
    tab.get_by_text(f"Escenario: {name}").first.wait_for()


def _type(tab: Page, label: str, text: str) -> None:
    box = tab.get_by_role("combobox", name=label, exact=True)
    box.click()
    box.fill(text)
    tab.keyboard.press("Enter")


def _quiet(tab: Page) -> None:
    """Nothing runs any more."""
    tab.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()


def _map(tab: Page, marks: int) -> Frame:
    """The map's frame, with so many localities on it."""
    tab.frame_locator("iframe[title*=st_folium]").locator("canvas").first.wait_for()
    frame = next(f for f in tab.frames if "streamlit_folium" in f.url)
    frame.wait_for_function("n => Object.values(window.map._layers).filter(l => l.getRadius).length >= n", arg=marks)
    return frame


def _loneliest(places: gpd.GeoDataFrame, region: Region) -> list[str]:
    """Ids of these places, the farthest from any other place first: a click there can only mean that one."""
    everything = pd.concat([region.localities.geometry, region.units.geometry])
    alone = {str(key): everything.drop(key).distance(spot).min() for key, spot in places.geometry.items()}
    return sorted(alone, key=lambda key: (-alone[key], key))


def _click(frame: Frame, lat: float, lon: float) -> None:
    """Bring a place to the middle of the map and click it there."""
    x, y = frame.evaluate(
        "([lat, lon]) => { window.map.setView([lat, lon], 13, {animate: false}); const p = window.map.latLngToContainerPoint([lat, lon]);"
        " return [p.x, p.y]; }", [lat, lon])
    frame.locator("#map_div").click(position={"x": x, "y": y})
