"""The whole country on the map of the app: 189,432 localities, drawn by the script that draws a state.

    python benchmarks/national_map.py --data ../shared/data/national [--picture FILE.png]

Seconds from opening the page to the settled map, marks on the screen at each zoom, and the frames of a drag, in a
headless Chromium. The score is the locality's published grade (its municipality's where it has none): for drawing only.
"""

from __future__ import annotations

import argparse
import functools
import http.server
import shutil
import statistics
import tempfile
import threading
import time
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
from playwright.sync_api import Page, sync_playwright

from planner.model import Grid
from planner.outputs import mapground, maps

ROOT = Path(__file__).parents[1]
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
FRAMES = """() => new Promise(done => {
  const taken = [];
  let last = performance.now();
  const step = now => { taken.push(now - last); last = now; taken.length < 90 ? requestAnimationFrame(step) : done(taken.slice(1)); };
  requestAnimationFrame(step);
})"""
MARKS = "() => Object.values(window.map._layers).filter(l => l.getRadius).length"


def layers(folder: Path) -> dict[str, str]:
    """What the map is sent of the country."""
    table = pd.read_parquet(folder / "localities_iter2020_national.parquet")
    towns = gpd.read_file(folder / "municipios_2020_mexico_2469.geojson")
    ids = table["cve_mun"].astype(str) + "-" + table["seq_in_mun"].astype(str)
    score = np.interp(table["irs_mun_2020"].astype(float), [-2, 4], [0, 100])
    places = gpd.GeoDataFrame(
        {"nom_mun": table["cve_mun"].astype(str).to_numpy(), "nom_loc": ids.to_numpy(), "poblacion": table["pobtot"].to_numpy(float),
         "puntaje_brecha": score}, index=pd.Index(ids.to_numpy(), name="cvegeo"), geometry=gpd.points_from_xy(table["lon"], table["lat"]),
        crs=4326)
    grid = Grid((1000.0, 0, 0, 0, -1000.0, 0), "EPSG:6372", np.zeros((1, 1), np.float32), np.zeros((1, 1), np.float32),
                np.ones((1, 1), np.float32))
    return {"base": mapground.prepare_base(towns.to_crs(6372), grid), **maps.prepare_places(places)}


def page_of(drawn: dict[str, str]) -> str:
    """The folium page that holds them."""
    whole = maps.base_map()
    maps.drawing(drawn).add_to(whole)
    html = str(whole.get_root().render())
    return html.replace("window.planner = new", "window.map = __M__; window.planner = new").replace("__M__", whole.get_name())


def measure(tab: Page, address: str, picture: str | None) -> None:
    """Print every figure of the page at the address."""
    opened = time.perf_counter()
    tab.goto(address)
    tab.wait_for_function("() => window.map && Object.values(window.map._layers).filter(l => l.getRadius).length > 1000", timeout=120_000)
    print(f"settled: {time.perf_counter() - opened:.1f} s, {tab.evaluate(MARKS):,} marks on the screen")
    if picture:
        tab.screenshot(path=picture)
    for zoom in (6, 8, 10, 12):
        started = time.perf_counter()
        tab.evaluate(f"void window.map.setView([19.4, -99.1], {zoom}, {{animate: false}})")
        print(f"zoom {zoom}: {1000 * (time.perf_counter() - started):.0f} ms, {tab.evaluate(MARKS):,} marks")
    tab.evaluate("void window.map.setView([21, -99.1], 7, {animate: false})")
    tab.mouse.move(700, 400)
    tab.mouse.down()
    tab.evaluate(f"() => {{ window.frames_taken = ({FRAMES})(); }}")
    for step in range(60):
        tab.mouse.move(700 - 4 * step, 400 - 2 * step)
    taken = tab.evaluate("() => window.frames_taken")
    tab.mouse.up()
    print(f"drag: frames of {statistics.median(taken):.0f} ms (median), {max(taken):.0f} ms (worst)")


def main() -> None:
    """Serve the page on loopback and measure it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, type=Path, help="folder of the national files")
    parser.add_argument("--picture", help="where to keep a picture of the settled map")
    asked = parser.parse_args()
    started = time.perf_counter()
    drawn = layers(asked.data)
    print(f"prepared in {time.perf_counter() - started:.1f} s: {sum(map(len, drawn.values())) / 1e6:.1f} MB")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as play:
        shutil.copytree(ROOT / "static", Path(folder) / "app/static")
        (Path(folder) / "mapa.html").write_text(page_of(drawn), encoding="utf-8")
        handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=folder)
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        tab = browser.new_page(viewport={"width": 1366, "height": 768})
        measure(tab, f"http://127.0.0.1:{server.server_port}/mapa.html", asked.picture)
        browser.close()
        server.shutdown()


if __name__ == "__main__":
    main()
