"""The app as a reader meets it: a real browser without network, the synthetic region, clicks on the map."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlparse

import geopandas as gpd
import pandas as pd
import pytest
from playwright.sync_api import Frame, Page, sync_playwright

from planner.model import Region

ROOT = Path(__file__).parents[2]
CHROMIUM = next((p for p in map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome")) if p), None)
# Chromium's own calls home off, every name but our address unknown: as with the cable out.
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]
START_S, SHOW_MS = 90, 180_000

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


@pytest.fixture
def page(address: str) -> Iterator[tuple[Page, list[str], list[str]]]:
    """The loaded page, with every request to another host and every script error recorded."""
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        tab = browser.new_page(viewport={"width": 1500, "height": 2400})
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
        tab.frame_locator("iframe[title*=st_folium]").locator("canvas").first.wait_for(timeout=SHOW_MS)
        yield tab, foreign, faults
        browser.close()


def test_a_reader_sees_clicks_and_stays_offline(page: tuple[Page, list[str], list[str]], demo: tuple[Path, Region], tmp_path: Path) -> None:
    tab, foreign, faults = page
    region = demo[1]
    for kpi in ("Población objetivo", "A 60 minutos o menos de primer nivel", "A más de 2 horas de un hospital",
                "Personas sin acceso efectivo (equivalentes)", "Localidades sin servicio", "Unidades saturadas"):
        tab.get_by_text(kpi, exact=True).first.wait_for(timeout=SHOW_MS)
    assert tab.get_by_text("SINTÉTICA").count() >= 2
    assert tab.get_by_text("Herramienta de apoyo: no sustituye la valoración en campo.").count() >= 1
    tab.get_by_text("Fecha de corte, fuentes, supuestos").wait_for(timeout=SHOW_MS)
    frame = next(f for f in tab.frames if "streamlit_folium" in f.url)
    frame.wait_for_function("n => Object.values(window.map._layers).filter(l => l.getRadius).length >= n", arg=len(region.localities))

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
    search = tab.get_by_label("Buscar").first
    search.click()
    search.fill(lonely)
    tab.keyboard.press("Enter")
    frame.wait_for_function("place => window.map.getBounds().contains(place)", arg=[place["lat"], place["lon"]])  # a search moves it
    with tab.expect_download() as asked:
        tab.get_by_role("button", name="Localidades", exact=True).click()
    asked.value.save_as(tmp_path / "localidades.geojson")
    assert "SINTETICA" in asked.value.suggested_filename
    assert len(gpd.read_file(tmp_path / "localidades.geojson")) == len(region.localities)
    tab.screenshot(path=tmp_path / "app.png", full_page=True)
    assert foreign == []
    assert faults == []


def test_a_reader_draws_districts_and_moves_a_municipality(page: tuple[Page, list[str], list[str]], demo: tuple[Path, Region]) -> None:
    tab, foreign, faults = page
    region = demo[1]
    tab.get_by_text("Regionalización", exact=True).click()
    tab.get_by_role("button", name="Trazar").click()
    tab.get_by_text("Mover un municipio", exact=True).wait_for(timeout=SHOW_MS)
    tab.frame_locator("iframe[title*=st_folium]").locator("canvas").first.wait_for(timeout=SHOW_MS)
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
    tab.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()  # the button is drawn after the map
    with tab.expect_download() as asked:
        tab.get_by_role("button", name="Distritos (CSV)").click()
    assert "SINTETICA" in asked.value.suggested_filename
    assert foreign == []
    assert faults == []


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
