"""The page as its readers meet it, measured through a real headless Chromium; figures are printed, none is asserted.

    python benchmarks/app.py --home DIR                     # DIR/data/processed/hidalgo is prepared
    python benchmarks/app.py --home DIR --users 10          # and ten readers at once

It starts the app on a free port and tells: seconds to a settled map (server and answer warm), of filters, slider and pages; bytes of
Streamlit's own bundle apart from ours; the browser's memory as interactions add up; frame times while the map is dragged; a stock
folium page of the same data beside it; and four errands of a planner, with their clicks. Settled: the map holds as many marks of
localities as it should, they are drawn, and no script is running.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import functools
import http.server
import json
import os
import platform
import shutil
import statistics
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import folium
from app_browsers import CHROMIUM, FLAGS, ROOT, TWO_FRAMES, Reader, Server, Took, dragged, reader, served
from app_errands import Known, Spot, errands, many
from playwright.async_api import Browser, Error, async_playwright

from planner.outputs.maps import SCORE_COLORS, score_class

PAGES = ("Brechas", "Propuestas", "Descargas", "Panorama")
MAPPED = ("Brechas", "Propuestas", "Panorama")
LEAFLET = ROOT / "static/vendor/leaflet"
LONELY_M = 600  # at zoom 13 no other mark reaches so far
PEOPLE_LOW = 50  # the slider's first step
HEAD = (f"{'':38}{'s':>7}{'worst':>7}{'script':>8}{'reruns':>8}{'received B':>12}{'at most':>11}{'sent B':>9}{'files B':>9}{'bundle B':>11}"
        "  view")


class Bare(folium.Map):
    """Folium's own map with nothing but Leaflet, from the folder of its page."""

    default_js = [("leaflet", "leaflet/leaflet.js")]
    default_css = [("leaflet_css", "leaflet/leaflet.css")]


class _Silent(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


@dataclass(frozen=True)
class Peer:
    """A stock folium page of the same data, served over loopback."""

    address: str
    drawn: str  # a script that is true once all marks stand on its map
    plainer: int  # bytes less, if its catchments were as coarse as ours


@contextlib.contextmanager
def peer_of(known: Known) -> Iterator[Peer]:
    """Every locality and unit a CircleMarker with a tooltip, the catchments GeoJson."""
    told = known.report.layers
    places, units, areas = (told[name].to_crs(4326) for name in ("localidades", "unidades", "areas_influencia"))
    page = Bare(location=[places.geometry.y.mean(), places.geometry.x.mean()], zoom_start=9, tiles=None, prefer_canvas=True)
    folium.GeoJson(areas[["min_hasta", "geometry"]], name="areas").add_to(page)
    colors = [*SCORE_COLORS, "#b9bec5"]
    for at, name, kind in zip(places.geometry, places["nom_loc"], score_class(places["puntaje_brecha"]), strict=True):
        folium.CircleMarker([at.y, at.x], radius=4, weight=0.5, color="#3b4350", fill=True, fill_color=colors[kind], fill_opacity=0.9,
                            tooltip=str(name)).add_to(page)
    for at, name in zip(units.geometry, units["nombre"], strict=True):
        folium.CircleMarker([at.y, at.x], radius=5, weight=1, color="#14213d", fill=True, tooltip=str(name)).add_to(page)
    coarse = told["areas_influencia"].set_geometry(told["areas_influencia"].simplify(known.detail_m)).to_crs(4326)
    with tempfile.TemporaryDirectory() as folder:
        page.save(Path(folder) / "index.html")
        shutil.copytree(LEAFLET, Path(folder) / "leaflet")
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Silent, directory=folder)) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            layers = f"(window.{page.get_name()} || {{}})._layers"
            yield Peer(f"http://127.0.0.1:{server.server_port}/index.html",
                       f"() => {layers} && Object.values({layers}).filter(l => l.getRadius).length >= {len(places) + len(units)}",
                       _json_bytes(areas) - _json_bytes(coarse))
            server.shutdown()


def _json_bytes(areas: Any) -> int:
    return len(json.dumps(json.loads(areas[["min_hasta", "geometry"]].to_json())))


async def open_peer(browser: Browser, peer: Peer) -> tuple[Reader, float]:
    """Someone who opens it, and the seconds until all its marks are drawn."""
    who = await reader(browser)
    began = time.perf_counter()
    await who.page.goto(peer.address, wait_until="commit")
    await who.page.wait_for_function(peer.drawn)
    await who.page.evaluate(TWO_FRAMES)
    return who, time.perf_counter() - began


def typical(seconds: list[float]) -> str:
    return f"median {statistics.median(seconds):.2f} s ({', '.join(f'{s:.2f}' for s in seconds)})"


async def first_visit(browser: Browser, server: Server, known: Known) -> None:
    """The first visit of all: the server imports, reads and computes."""
    who = await reader(browser, patience_ms=900_000)
    began = time.perf_counter()
    opened = asyncio.ensure_future(who.open(server.address, len(known.places)))
    await who.page.locator("h2").first.wait_for()
    titled = time.perf_counter() - began
    print(f"first visit after the server's start: title after {titled:.1f} s, settled after {await opened:.1f} s (searches kept on disk)\n")
    await who.close()


async def opening(browser: Browser, server: Server, known: Known, peer: Peer, rounds: int) -> None:
    """Page open beside the stock page, in turn, and what each receives until it is settled."""
    ours: list[float] = []
    again: list[float] = []
    theirs: list[float] = []
    for _ in range(rounds):
        who = await reader(browser)
        ours.append(await who.open(server.address, len(known.places)))
        size = who.wire.since()
        second = await reader(browser, who.page.context)
        again.append(await second.open(server.address, len(known.places)))
        size_again = second.wire.since()
        await who.close()
        other, seconds = await open_peer(browser, peer)
        theirs.append(seconds)
        size_peer = sum(count for _, count in other.wire.files)
        await other.close()
    print(f"open, browser's cache empty: {typical(ours)}\nopen, browser's cache kept:  {typical(again)}")
    print(f"stock folium page:           {typical(theirs)}\n")
    for label, found in (("empty", size), ("kept", size_again)):
        told = ", ".join(f"{name} {count:,}" for name, count in found.items())
        print(f"bytes until settled, cache {label} (bundle: Streamlit's own): {told}")
    first = size["received"] + size["leaflet"]
    plain = size_peer - peer.plainer
    print(f"first payload (websocket received, leaflet): {first:,} B; with the charts' images {first + size['media']:,} B\n"
          f"stock page: {size_peer:,} B, ratio {first / size_peer:.3f}; were its catchments as coarse as ours, {plain:,} B, "
          f"ratio {first / plain:.3f}", flush=True)


def row(label: str, found: list[Took], note: str = "") -> None:
    """A line of the table of interactions: medians, and the worst of the seconds."""
    def middle(of: Callable[[Took], float]) -> float:
        return statistics.median(map(of, found))
    size = {of: statistics.median(one.size[of] for one in found) for of in found[0].size}
    most = max(one.size["received"] for one in found)
    print(f"{label:38}{middle(lambda one: one.seconds):>7.2f}{max(one.seconds for one in found):>7.2f}"
          f"{middle(lambda one: one.script_s):>8.2f}{middle(lambda one: one.reruns):>8.0f}{size['received']:>12,.0f}{most:>11,}"
          f"{size['sent']:>9,.0f}{size['media'] + size['leaflet']:>9,.0f}{size['bundle']:>11,.0f}  {note}", flush=True)


async def filtering(who: Reader, known: Known, town: str) -> dict[str, tuple[Took, bool]]:
    """One municipality, all again, the slider's first step, all again: what each took, and whether the view stayed."""
    keys, found = who.page.keyboard, {}

    async def step(label: str, act: Callable[[], Awaitable[Any]], shown: int) -> None:
        before = await who.view()
        took = await who.timed(act, lambda: who.map(shown))
        found[label] = (took, await who.view() == before)

    await who.type_in("Municipio", town, town)
    await step("filter: one municipality", who.press, int(known.towns[town]))
    await who.drop("Municipio")
    await step("filter: all again", lambda: keys.press("Backspace"), len(known.places))
    await keys.press("Escape")
    await who.page.locator("input[type=range][aria-label^='Población objetivo']").first.focus()
    await step("slider: one step up", lambda: keys.press("ArrowRight"), known.from_people(PEOPLE_LOW))
    await step("slider: back", lambda: keys.press("ArrowLeft"), len(known.places))
    return found


async def choosing(who: Reader, near: Spot, far: Spot) -> dict[str, tuple[Took, bool]]:
    """A click on a locality's mark, and another locality by its key in the search."""
    async def shown(spot: Spot) -> None:
        await who.card(spot.key)
        await who.ringed(spot.lat, spot.lon)

    await who.over(near.lat, near.lon)
    before = await who.view()
    took = await who.timed(who.press, lambda: shown(near))
    stays = await who.view() == before
    await who.click(who.page.get_by_label("Buscar localidad").first)
    await who.page.keyboard.press("Control+a")
    await who.page.keyboard.type(far.key)
    searched = await who.timed(lambda: who.page.keyboard.press("Enter"), lambda: shown(far))
    return {"click on a locality": (took, stays), "search: a key and Enter": (searched, True)}


async def paging(who: Reader, known: Known) -> dict[str, tuple[Took, bool]]:
    """From page to page by the list at the side."""
    found: dict[str, tuple[Took, bool]] = {}
    at = "Panorama"
    for title in PAGES:
        async def done(title: str = title) -> None:
            await who.titled(title)
            if title in MAPPED:
                await who.map(len(known.places))
        await who.hover(who.link(title))
        found[f"page: {at} to {title}"] = (await who.timed(who.press, done), True)
        at = title
    return found


async def interactions(browser: Browser, server: Server, known: Known, rounds: int) -> None:
    """Everything that a reader does on an open page, each several times."""
    who = await reader(browser)
    await who.open(server.address, len(known.places))
    spots = [spot for spot in known.spots if spot.alone_m > LONELY_M]
    found: dict[str, list[tuple[Took, bool]]] = {}
    for k in range(rounds):
        for part in (await filtering(who, known, known.large_towns[k]), await choosing(who, spots[2 * k], spots[2 * k + 1]),
                     await paging(who, known)):
            for label, one in part.items():
                found.setdefault(label, []).append(one)
    print(f"\nInteractions, {rounds} times each: from the last key or click until settled, and the script from its request to its end;\n"
          f"medians; received and sent: the websocket; files: leaflet and images; bundle: Streamlit's own, 0 once it is cached\n{HEAD}")
    for label, took in found.items():
        told = ("stays" if all(kept for _, kept in took) else "MOVES") if label.startswith(("filter", "slider", "click")) else ""
        row(label, [one for one, _ in took], told)
    print(f"page errors: {who.faults or 'none'}", flush=True)
    await who.close()


async def heap(browser: Browser, server: Server, known: Known) -> None:
    """The browser's memory as interactions add up in one session."""
    who = await reader(browser)
    await who.open(server.address, len(known.places))
    spots = [spot for spot in known.spots if spot.alone_m > LONELY_M]
    towns = [town for town in known.large_towns if known.lonely(town).alone_m > LONELY_M]
    told = [f"open {await who.heap_mb():.1f}"]
    for k in range(50):
        town = towns[k // 4 % len(towns)]
        if k % 4 == 0:
            await who.choose("Municipio", town)
            await who.map(int(known.towns[town]))
        elif k % 4 == 2:
            await who.drop("Municipio")
            await who.page.keyboard.press("Backspace")
            await who.map(len(known.places))
            await who.page.keyboard.press("Escape")
        else:
            spot = known.lonely(town) if k % 4 == 1 else spots[k]
            await who.over(spot.lat, spot.lon)
            await who.press()
            await who.card(spot.key)
        await who.quiet()
        if k + 1 in (10, 30, 50):
            told.append(f"{k + 1} interactions {await who.heap_mb():.1f}")
    print(f"\nJavaScript heap after a collection, MB: {', '.join(told)}; page errors: {who.faults or 'none'}", flush=True)
    await who.close()


async def dragging(browser: Browser, server: Server, known: Known, peer: Peer) -> None:
    """The whole state under the mouse: our map and the stock page."""
    who = await reader(browser)
    await who.open(server.address, len(known.places))
    holder = who.page.locator("iframe[title*=st_folium]").last
    await holder.scroll_into_view_if_needed()
    box: Any = await holder.bounding_box()
    print(f"\nframes while the map is dragged: {await dragged(who.page, await who.frame(), box)}")
    await who.close()
    other, _ = await open_peer(browser, peer)
    whole = {"x": 0.0, "y": 0.0, "width": 1500.0, "height": 1000.0}
    print(f"the stock page:                  {await dragged(other.page, other.page, whole)}", flush=True)
    await other.close()


async def half_seen(browser: Browser, server: Server, known: Known) -> None:
    """The first click on a map of which the window shows only a part."""
    who = await reader(browser)
    await who.open(f"{server.address}/brechas", len(known.places))
    await who.quiet()
    spot = known.spots[0]
    await who.over(spot.lat, spot.lon)
    frames = len(who.wire.frames)
    await who.page.locator("h2").first.scroll_into_view_if_needed()
    box: Any = await who.page.locator("iframe[title*=st_folium]").last.bounding_box()
    await who.page.set_viewport_size({"width": 1500, "height": int(box["y"] + 0.6 * box["height"])})  # the middle is seen, the foot is not
    await who.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    await who.press()
    await asyncio.sleep(3)
    taken = any(sent for _, sent, _, _ in who.wire.frames[frames:])
    after: Any = await who.page.locator("iframe[title*=st_folium]").last.bounding_box()
    print(f"\nfirst click on a map partly below the window: {'taken' if taken else 'LOST'}; the page scrolled under the mouse by "
          f"{box['y'] - after['y']:.0f} px; page errors: {who.faults or 'none'}", flush=True)
    await who.close()


async def measure(asked: argparse.Namespace, known: Known) -> None:
    with served(asked.home) as server, peer_of(known) as peer:
        async with async_playwright() as play:
            browser = await play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            print(f"Chromium {browser.version}; {len(known.places):,} localities, {len(known.report.layers['unidades']):,} units\n")
            for section in (first_visit, functools.partial(opening, peer=peer, rounds=asked.rounds),
                            functools.partial(interactions, rounds=asked.rounds), heap, functools.partial(dragging, peer=peer), half_seen,
                            errands):
                try:
                    await section(browser, server, known)
                except Error as fault:  # the other figures stand
                    print(f"\nFAILED: {fault}", flush=True)
            print(f"\nserver and children so far: at most {server.peak_gib():.2f} GiB", flush=True)
            if asked.users:
                await many(browser, server, known, asked.users)
            await browser.close()
    print(f"load of the machine at the end: {', '.join(f'{load:.1f}' for load in os.getloadavg())}")


def main() -> None:
    """Print every figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--home", type=Path, required=True, help="folder that holds data/processed/REGION")
    parser.add_argument("--region", default="hidalgo")
    parser.add_argument("--rounds", type=int, default=5, help="repetitions of each figure")
    parser.add_argument("--users", type=int, default=0, help="readers at once at the end")
    asked = parser.parse_args()
    asked.home = asked.home.resolve()
    if CHROMIUM is None:
        parser.error("no Chromium on this machine")
    names = ", ".join(f"{name} {version(name)}" for name in ("streamlit", "streamlit-folium", "folium", "playwright"))
    print(f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; Python {platform.python_version()}, {names}")
    asyncio.run(measure(asked, Known(asked.home, asked.region)))


if __name__ == "__main__":
    main()
