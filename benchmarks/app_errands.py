"""What benchmarks/app.py has its readers do: the errands of a planner, alone and many at once, and the places that they ask about."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyogrio
from app_browsers import Reader, Server, reader
from playwright.async_api import Browser, Error
from scipy.spatial import cKDTree

from planner.outputs.report import Report, report_of
from planner.scenarios import run_scenario
from planner.settings import load_scenario
from planner.store import TRAVEL_CACHE, read_region

SCENARIOS = Path(__file__).parents[1] / "scenarios"
_GRID = "rows => rows.map(row => [...row.querySelectorAll('th, td')].map(cell => cell.textContent))"
TICKED_S = 1.0  # after so long a choice is seen in its list
_FEW = 20  # localities of a municipality that a reader asks about, at least


@dataclass(frozen=True)
class Spot:
    """A locality, and how far anything else lies from it: a click on a lonely one can only mean that one."""

    key: str
    name: str
    town: str
    lat: float
    lon: float
    alone_m: float


class Known:
    """What the app should show: the base scenario, computed here with nothing of the page."""

    def __init__(self, home: Path, slug: str) -> None:
        prepared = home / "data/processed" / slug
        run = run_scenario(read_region(prepared), load_scenario(SCENARIOS / "base.toml"), cache=prepared.parent / TRAVEL_CACHE)
        self.report: Report = report_of(run, prepared)
        self.detail_m = 3 * run.region.grid.cell_m  # of the catchments on our map
        self.places = self.report.layers["localidades"]
        self.towns = self.places["nom_mun"].value_counts()
        self.spots = self._spots()

    def _spots(self) -> list[Spot]:
        """Every locality, the loneliest first."""
        layers = self.report.layers
        around = np.vstack([layers[name].get_coordinates() for name in ("localidades", "unidades", "propuestas")])
        alone = cKDTree(around).query(self.places.get_coordinates().to_numpy(), k=2)[0][:, 1]
        degrees = self.places.to_crs(4326).geometry
        found = [Spot(str(key), str(name), str(town), at.y, at.x, far) for key, name, town, at, far in zip(
            self.places.index, self.places["nom_loc"], self.places["nom_mun"], degrees, alone, strict=True)]
        return sorted(found, key=lambda spot: (-spot.alone_m, spot.key))

    def lonely(self, town: str) -> Spot:
        """The loneliest locality of a municipality."""
        return next(spot for spot in self.spots if spot.town == town)

    @property
    def large_towns(self) -> list[str]:
        """Municipalities whose name holds no other's name, by localities."""
        names = [str(name) for name in self.towns.index]
        return [name for name in names if self.towns[name] >= _FEW and not any(name in other for other in names if other != name)]

    def worst(self, town: str, count: int) -> pd.DataFrame:
        """The worst localities of a municipality, as Brechas orders them."""
        mine = self.places[self.places["nom_mun"] == town]
        return mine.sort_values(["brecha_ponderada", "puntaje_brecha"], ascending=False, kind="stable", na_position="last").head(count)

    def from_people(self, least: float) -> int:
        """Localities with so many people of the target population."""
        return int((self.places["poblacion"].fillna(0) >= least).sum())


async def worst_ten(who: Reader, known: Known) -> str:
    """The worst localities of a municipality, and why the first is."""
    town = known.large_towns[0]
    await who.go("Brechas")
    await who.choose("Municipio", town)
    await who.page.get_by_text(f"primeras de {known.towns[town]:,} localidades").wait_for()
    await who.quiet()
    grid = who.page.locator("[data-testid=stDataFrame]").first
    head, *rows = await grid.locator("table[role=grid] tr").evaluate_all(_GRID)
    box = await grid.bounding_box()
    assert box is not None
    await who.page.mouse.move(box["x"] + 18, box["y"] + 50)
    await who.press()
    worst = known.worst(town, 10)
    await who.card(str(worst.index[0]))
    why = await who.page.locator(".ficha").filter(has_text="Puntaje de brecha:").locator("p").first.inner_text()
    read = [row[head.index("Clave")] for row in rows][:10]
    tall = int((box["height"] - 35) // 33)
    return (f"{town}: {len(read)} rows read, {'the same ten' if read == [*map(str, worst.index)] else f'NOT the ten expected: {read}'}; "
            f"without scrolling {tall} rows and the columns {', '.join(head)} are in view; card of {worst['nom_loc'].iloc[0]}: {why}")


async def what_50m_buys(who: Reader, known: Known) -> str:  # noqa: ARG001 (errands are called alike)
    """Another budget, and what it buys."""
    await who.go("Propuestas")
    thumb = await who.page.locator("input[type=range][aria-label^='Presupuesto anual']").bounding_box()
    assert thumb is not None
    await who.page.mouse.move(thumb["x"] + thumb["width"] / 2, thumb["y"] + thumb["height"] / 2)
    await who.press()
    await who.page.keyboard.press("Home")
    for _ in range(10):
        await who.page.keyboard.press("ArrowRight")
    await who.click(who.page.get_by_role("button", name="Calcular", exact=True))
    began = time.perf_counter()
    await who.page.get_by_text("presupuesto: 50.00 M MXN").wait_for()
    computed = time.perf_counter() - began
    await who.quiet(1.5)
    buys = await who.page.get_by_text("Qué compra al año").inner_text()
    rows = await who.page.locator(".tabla").filter(has_text="Sede, unidad o base").locator("tbody tr").count()
    return f"{buys} {rows} proposals with their reasons in the table. Answer {computed:.1f} s after Calcular"


async def against_rain(who: Reader, known: Known) -> str:  # noqa: ARG001 (errands are called alike)
    """Base against lluvias."""
    await who.go("Comparar")
    await who.choose("Se compara con", "Lluvias")
    began = time.perf_counter()
    told = who.page.locator("p").filter(has_text="frente a").first
    await told.wait_for()
    computed = time.perf_counter() - began
    await who.quiet(1.5)
    tables, images = await who.page.locator(".tabla").count(), await who.page.locator("[data-testid=stImage] img").count()
    return f"{await told.inner_text()} {tables} tables, {images} maps. Answer {computed:.1f} s after the choice"


async def to_gis(who: Reader, known: Known) -> str:
    """The GeoPackage, read back."""
    await who.go("Descargas")
    began = time.perf_counter()
    async with who.page.expect_download() as asked:
        await who.click(who.page.get_by_role("button", name="GeoPackage"))
    got = await asked.value
    seconds = time.perf_counter() - began
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "plan.gpkg"
        await got.save_as(file)
        names = [str(name) for name in pyogrio.list_layers(file)[:, 0]]
        count = pyogrio.read_info(file, layer="localidades", force_feature_count=True)["features"]
        size = file.stat().st_size / 1e6
    right = "" if count == len(known.places) else f", NOT {len(known.places):,}"
    return f"{got.suggested_filename}: {size:.1f} MB in {seconds:.1f} s, {count:,} localities{right}; layers {', '.join(names)}"


ERRANDS: dict[str, Callable[[Reader, Known], Awaitable[str]]] = {
    "a. worst ten of a municipality and why": worst_ten, "b. what 50 M MXN buys": what_50m_buys, "c. base against lluvias": against_rain,
    "d. GIS export": to_gis}


async def errands(browser: Browser, server: Server, known: Known) -> None:
    """Each errand from a page just opened, with the clicks and seconds that it takes."""
    print("\nErrands, each from the page just opened: clicks of the mouse, seconds in all (those of the machine that drives the page too)")
    for title, errand in ERRANDS.items():
        who = await reader(browser, patience_ms=900_000)
        await who.open(server.address, len(known.places))
        began = time.perf_counter()
        try:
            told = await errand(who, known)
        except (Error, AssertionError, ValueError, StopIteration) as fault:
            told = f"FAILED: {fault}"
        print(f"{title:42}{who.clicks:>3} clicks {time.perf_counter() - began:>7.1f} s  {told}"
              + (f"\n  page errors: {who.faults}" if who.faults else ""), flush=True)
        await who.close()


async def _package(who: Reader) -> str:
    """Download the GeoPackage; what is wrong with it."""
    async with who.page.expect_download() as asked:
        await who.click(who.page.get_by_role("button", name="GeoPackage"))
    got = await asked.value
    if fault := await got.failure():
        return f"the GeoPackage does not come: {fault}"
    return "" if (await got.path()).read_bytes().startswith(b"SQLite format 3") else "what came is no GeoPackage"


async def _one(browser: Browser, server: Server, known: Known, town: str) -> tuple[list[str], dict[str, float]]:
    """One of many readers: what went wrong, and seconds after which each step was done."""
    wrong: list[str] = []
    done: dict[str, float] = {}
    spot, began = known.lonely(town), time.perf_counter()
    who = await reader(browser, patience_ms=300_000)

    async def mine(page: str) -> None:
        done[page] = time.perf_counter() - began
        if (chips := await who.chips("Municipio")) != [town]:
            wrong.append(f"{page} is filtered to {chips}")

    try:
        await who.open(server.address, len(known.places))
        done["open"] = time.perf_counter() - began
        await who.choose("Municipio", town)
        await asyncio.sleep(TICKED_S)
        if await who.chips("Municipio") != [town]:  # on a busy machine Streamlit's list drops a click that falls while it is being placed
            await who.choose("Municipio", town)
        await who.map(int(known.towns[town]))
        await who.page.get_by_text(f"El mapa muestra {known.towns[town]:,} de").wait_for()
        await mine("filter")
        await who.over(spot.lat, spot.lon)
        await who.press()
        await who.card(spot.key)
        await mine("click")
        await who.go("Brechas")
        await who.map(int(known.towns[town]))
        await who.page.get_by_text(f"primeras de {known.towns[town]:,} localidades").wait_for()
        await who.card(spot.key)
        await mine("Brechas")
        await who.go("Descargas")
        if fault := await _package(who):
            wrong.append(fault)
        else:
            done["GeoPackage"] = time.perf_counter() - began
    except Error as stop:
        wrong.append(f"after {', '.join(done) or 'nothing'}: {str(stop).splitlines()[0]}")
    wrong += who.faults
    await who.close()
    return wrong, done


async def many(browser: Browser, server: Server, known: Known, users: int) -> None:
    """Readers at once, each with a municipality of their own; what crossed, and what the server held."""
    before, began = server.peak_gib(anew=True), time.perf_counter()
    towns = known.large_towns[:users]
    found = await asyncio.gather(*(_one(browser, server, known, town) for town in towns))
    seconds, peak = time.perf_counter() - began, server.peak_gib()
    print(f"\n{len(towns)} readers at once: open, filter, click a locality, Brechas, GeoPackage: {seconds:.1f} s in all")
    for step in ("open", "filter", "click", "Brechas", "GeoPackage"):
        times = sorted(done[step] for _, done in found if step in done)
        if times:
            print(f"  {step:12} done by {len(times):2}, after {times[0]:.1f} to {times[-1]:.1f} s")
    for town, (wrong, _) in zip(towns, found, strict=True):
        if wrong:
            print(f"  {town}: {'; '.join(wrong)}")
    faults = sum(bool(wrong) for wrong, _ in found)
    print(f"  readers with a page error or another's state: {faults}; server and children at most {peak:.2f} GiB meanwhile "
          f"({before:.2f} GiB before)", flush=True)
