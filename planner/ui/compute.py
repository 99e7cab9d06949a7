"""What the page computes, kept by region (slug and hash of its manifest) and scenario; nothing here draws."""

from __future__ import annotations

import hashlib
import json
import os
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from planner.assumptions import Regional
from planner.corrections import Correction, corrected
from planner.decide.curve import budget_curve
from planner.decide.regional.districts import Districts, districts, moved_by_hand
from planner.decide.robustness import robustness
from planner.demo.files import write_demo
from planner.errors import StorageError, reason
from planner.keeping import digest
from planner.kinds import GRADES
from planner.model import Region
from planner.outputs import mapground, mapregions, maps
from planner.outputs.brief import brief_files
from planner.outputs.calendar import calendar_files
from planner.outputs.comparison import compare
from planner.outputs.exporting import csv_bytes
from planner.outputs.finished import finished
from planner.outputs.folder import packed_run, plain_files
from planner.outputs.geofiles import geojson
from planner.outputs.geopackage import geopackage
from planner.outputs.jsonfiles import canonical_json
from planner.outputs.mappage import map_files
from planner.outputs.regional import regional_tables
from planner.outputs.report import Report, report_of
from planner.outputs.workbook import workbook_files
from planner.region import prepare_region
from planner.scenarios import Facts, choose, find_facts, regionalized
from planner.settings import Scenario, load_scenario
from planner.store import TRAVEL_CACHE, read_region, write_region
from planner.ui.work import Told, Work, desk
from planner.words import scenario_title

Wanted = tuple[tuple[str, tuple[str, ...]], ...]  # column of a layer, values
SHIPPED = Path(__file__).parents[2] / "scenarios"
CURVE_POINTS, TRIAL_DRAWS = 8, 10
HITS = 30  # places that a search lists
Moves = tuple[tuple[str, str], ...]  # municipality and the district that it goes to, in order
SCENARIO_KEY: dict[str | type[Any], Callable[[Any], Any]] = {
    kind: lambda asked: asked.model_dump_json() for kind in (Scenario, Regional)}


@dataclass(frozen=True)
class Prepared:
    """A prepared region on disk (`mark` changes when it is prepared again), with the reader's corrections."""

    slug: str
    name: str
    folder: str
    mark: str
    corrections: tuple[Correction, ...] = ()


def home() -> Path:
    """The folder that holds data/ and runs/."""
    return Path(os.environ.get("PLANNER_HOME") or Path.cwd())


def find_regions() -> list[Prepared]:
    """Every prepared region under the home folder, by slug."""
    manifests = sorted((home() / "data" / "processed").glob("[!.]*/manifest.json"))  # a dot: being written
    try:
        return [Prepared(m.parent.name, _name(m), str(m.parent), digest(m)) for m in manifests]
    except OSError as fault:
        raise StorageError(f"No se puede leer una región preparada ({reason(fault)}); revise permisos.") from fault


def _name(manifest: Path) -> str:
    try:
        return str(json.loads(manifest.read_text(encoding="utf-8"))["name"])
    except (ValueError, KeyError, TypeError):
        return manifest.parent.name  # a damaged region is told when it is read


def find_scenarios() -> dict[str, Scenario]:
    """The shipped scenarios by name, base first. SettingsError if one is wrong."""
    shipped = {path.stem: load_scenario(path) for path in sorted(SHIPPED.glob("*.toml"))}
    return {"base": shipped.pop("base", Scenario())} | shipped


@st.cache_resource(max_entries=2, show_spinner=False)
def published(folder: str, mark: str) -> Region:  # noqa: ARG001 (it keys what is kept)
    """The region as it was prepared."""
    return read_region(Path(folder))


@st.cache_resource(max_entries=4, show_spinner=False)
def region_of(prepared: Prepared) -> Region:
    """The prepared region as the reader corrected it."""
    return corrected(published(prepared.folder, prepared.mark), prepared.corrections)


@st.cache_resource(max_entries=3, show_spinner=False, hash_funcs=SCENARIO_KEY)
def facts(prepared: Prepared, scenario: Scenario, _told: Told) -> Facts:
    """Travel, access and options, which no budget changes."""
    return find_facts(region_of(prepared), scenario, progress=_told, cache=Path(prepared.folder).parent / TRAVEL_CACHE)


def answer(prepared: Prepared, scenario: Scenario) -> Work:
    """The work that runs the scenario on the region, with its layers; another budget only chooses again. Its result: Report."""
    return desk().ask(_key("respuesta", prepared, scenario), f"{scenario_title(scenario.name)}: {prepared.name}",
                      partial(_answer, prepared, scenario))


def report(prepared: Prepared, scenario: Scenario) -> Report:
    """What `answer` made."""
    found: Report = answer(prepared, scenario).result()
    return found


def _answer(prepared: Prepared, scenario: Scenario, told: Told) -> Report:
    told("Leyendo la región")
    run = choose(facts(prepared, _neutral(region_of(prepared), scenario), told), scenario, progress=told)
    told("Preparando mapa y tablas")
    return report_of(run, Path(prepared.folder))


def _neutral(region: Region, scenario: Scenario) -> Scenario:
    """The scenario without what no option depends on, so that another budget finds the same facts."""
    support = (scenario.cost_caro_annual_mxn, scenario.cost_ambulance_annual_mxn)
    rules = {} if region.circuits is not None or any(cost is not None for cost in support) else {"require": (), "forbid": ()}
    return scenario.model_copy(update={"name": "base", "budget_mxn_year": 0.0, "capital_mxn": None, "curve_points": 0, "alternatives": 0,
                                       "draws": 0, **rules})


def demo_region() -> Work:
    """The work that writes and prepares the demo."""
    def make(told: Told) -> str:
        told("Escribiendo los archivos de la región sintética")
        written = write_demo(home() / "data/raw/demo")
        told("Leyendo y revisando los archivos")
        region = prepare_region(written)
        write_region(region, home() / "data/processed" / region.slug)
        return region.name
    return desk().ask(f"demo {home()}", "Región de demostración", make)


def prepared_here(folder: Path, make: Callable[[Path, Told], str]) -> Work:
    """The work that prepares the region of the files in a folder. Its result: a sentence."""
    return desk().ask(f"region {folder}", "Preparando la región", partial(make, folder))


def curve(prepared: Prepared, scenario: Scenario) -> Work:
    """The work that finds what each budget buys, up to nearly everything. Its result: Curve."""
    run = report(prepared, scenario).run
    return desk().ask(_key("curva", prepared, scenario), "Qué compra cada presupuesto", lambda told: budget_curve(
        run.choices, run.region.localities, run.access, scenario, CURVE_POINTS, progress=told))


def trial(prepared: Prepared, scenario: Scenario) -> Work:
    """The work that draws the assumptions anew and chooses each time. Its result: Robustness."""
    run = report(prepared, scenario).run
    asked = scenario.model_copy(update={"draws": scenario.draws or TRIAL_DRAWS})
    return desk().ask(_key("firmeza", prepared, scenario), "Qué tan firme es el plan", lambda told: robustness(
        run.region, asked, run.plan, around=run.around, cache=run.cache, progress=told))


def compared(prepared: Prepared, scenarios: Sequence[Scenario]) -> Work:
    """The work that compares the first scenario with each other one; all are answered. Its result: Comparison."""
    reports = [report(prepared, scenario) for scenario in scenarios]
    key = _key("comparacion", prepared, *scenarios)
    return desk().ask(key, "Comparación", lambda _: compare([finished(one) for one in reports]))


def files(prepared: Prepared, scenario: Scenario, names: Sequence[str]) -> Work:
    """The work that makes these files of an answer. Its result: bytes by name.

    Made beforehand: what Streamlit makes only when it is asked for, it drops when any other session's page ends meanwhile.
    """
    found = report(prepared, scenario)

    def make(told: Told) -> dict[str, bytes]:
        made = {}
        for at, name in enumerate(names, 1):
            told(f"Escribiendo {name}: {at} de {len(names)}")
            made[name] = file_bytes(found, name)
        return made
    return desk().ask(_key(" ".join(names), prepared, scenario), "Archivos para bajar", make)


@st.cache_resource(max_entries=4, show_spinner=False, hash_funcs=SCENARIO_KEY)
def table_files(prepared: Prepared, scenario: Scenario) -> dict[str, bytes]:
    """Every table of the regionalization as a CSV."""
    return {name: csv_bytes(table) for name, table in tables(prepared, scenario).items()}


def written(prepared: Prepared, scenario: Scenario) -> Work:
    """The work that makes every file of the run, after that of its regionalization. Its result: bytes of a zip."""
    run, asked = report(prepared, scenario).run, regional(prepared, scenario)
    return desk().ask(_key("archivos", prepared, scenario), "Todos los archivos de la corrida", lambda told: packed_run(
        report_of(replace(run, regional=asked.result()), Path(prepared.folder)), told))


@st.cache_resource(max_entries=2, show_spinner=False)
def map_base(prepared: Prepared) -> str:
    """The part of the map that only depends on the region."""
    region = region_of(prepared)
    note = "Región SINTÉTICA" if region.synthetic else ""
    return mapground.prepare_base(region.municipalities, region.grid, note, region.roads, region.barriers)


@st.cache_resource(max_entries=12, show_spinner=False, hash_funcs=SCENARIO_KEY)
def map_layers(prepared: Prepared, scenario: Scenario) -> dict[str, str]:
    """What the map draws of an answer."""
    found = report(prepared, scenario).layers
    drawn = maps.prepare_layers({name: found[name] for name in ("unidades", "propuestas", "rutas")})
    detail_m = 3 * region_of(prepared).grid.cell_m
    return {**drawn, **maps.prepare_places(found["localidades"]), "influencias": maps.prepare_areas(found["areas_influencia"], detail_m)}


@st.cache_resource(max_entries=12, show_spinner=False, hash_funcs=SCENARIO_KEY)
def places_of(prepared: Prepared, scenario: Scenario) -> dict[str, str]:
    """Every place that can be searched: `kind/id` -> name and id."""
    found = report(prepared, scenario).layers
    return {f"{kind}/{key}": f"{name} · {key}" for kind, layer, column in (
        ("localidad", "localidades", "nom_loc"), ("unidad", "unidades", "nombre"), ("propuesta", "propuestas", "nombre"))
        for key, name in found[layer][column].items()}


@st.cache_resource(max_entries=12, show_spinner=False, hash_funcs=SCENARIO_KEY)
def choices(prepared: Prepared, scenario: Scenario) -> dict[str, list[str]]:
    """What each filter offers, by column of `localidades` or `unidades`."""
    found = report(prepared, scenario).layers
    return {"grado_rezago": list(GRADES), **{name: sorted(found[layer][name].dropna().unique().tolist()) for layer, name in (
        ("localidades", "distrito"), ("localidades", "nom_mun"), ("unidades", "institucion"))}}


def matches(places: Mapping[str, str], words: str) -> list[str]:
    """The places whose name or id holds all the words, whatever accents; those that begin with them first.

    >>> matches({"a/1": "San José · 1", "a/2": "El Jose · 2", "a/3": "José · 3"}, "jose")
    ['a/3', 'a/2', 'a/1']
    """
    parts = _bare(words).split()
    hits = [(not bare.startswith(parts[0]), len(bare), option) for option, label in places.items()
            if all(part in (bare := _bare(label)) for part in parts)] if parts else []
    return [option for _, _, option in sorted(hits)[:HITS]]


def _bare(text: str) -> str:
    return unicodedata.normalize("NFD", text.lower()).encode("ascii", "ignore").decode()


@st.cache_resource(max_entries=64, show_spinner=False, hash_funcs=SCENARIO_KEY)
def map_area(prepared: Prepared, scenario: Scenario, place: str) -> str:
    """The catchment of one unit or proposal, as the map draws it."""
    return maps.prepare_area(report(prepared, scenario).layers["areas_influencia"], place)


def regional(prepared: Prepared, scenario: Scenario) -> Work:
    """The work that regionalizes a scenario's plan. Its result: Regionalization."""
    run = report(prepared, scenario).run
    return desk().ask(_key("regional", prepared, scenario), "Universos, redes, zonas y distritos",
                      lambda told: regionalized(run, progress=told).regional)


def districts_of(prepared: Prepared, scenario: Scenario, asked: Regional) -> Work:
    """The work that draws the districts of a regionalized scenario under other rules. Its result: Districts."""
    run, found = report(prepared, scenario).run, regional(prepared, scenario)
    def make(told: Told) -> Districts:
        if asked == scenario.regional:
            same: Districts = found.result().districts
            return same
        told("Trazando distritos")
        return districts(run.region, run.access, scenario.model_copy(update={"regional": asked}), run.cache)
    return desk().ask(_key("distritos", prepared, scenario, asked), "Distritos", make)


@st.cache_resource(max_entries=32, show_spinner=False, hash_funcs=SCENARIO_KEY)
def moved(prepared: Prepared, scenario: Scenario, asked: Regional, moves: Moves) -> Districts:
    """The districts after the reader's moves, one after another."""
    if not moves:
        drawn: Districts = districts_of(prepared, scenario, asked).result()
        return drawn
    area, to = moves[-1]
    return moved_by_hand(moved(prepared, scenario, asked, moves[:-1]), area, to)


@st.cache_resource(max_entries=2, show_spinner=False, hash_funcs=SCENARIO_KEY)
def tables(prepared: Prepared, scenario: Scenario) -> dict[str, pd.DataFrame]:
    """Every table of the regionalization, as a run writes it."""
    return regional_tables(report(prepared, scenario).run.region, regional(prepared, scenario).result())


@st.cache_resource(max_entries=2, show_spinner=False, hash_funcs=SCENARIO_KEY)
def map_regional(prepared: Prepared, scenario: Scenario) -> dict[str, str]:
    """What the map draws of a regionalization and no rule of districts changes."""
    found, region = regional(prepared, scenario).result(), report(prepared, scenario).run.region
    return {"distritos_hoy": mapregions.prepare_today(found.districts, region.grid.cell_m),
            "redes": mapregions.prepare_networks(found.networks), "zonas": mapregions.prepare_zones(found.zones),
            **mapregions.prepare_units(region, found.networks, found.zones)}


@st.cache_resource(max_entries=32, show_spinner=False, hash_funcs=SCENARIO_KEY)
def map_districts(prepared: Prepared, scenario: Scenario, asked: Regional, moves: Moves) -> dict[str, str]:
    """The districts as the map draws them; a move changes no colour."""
    colors = mapregions.colors_of(moved(prepared, scenario, asked, ()))
    return mapregions.prepare_districts(moved(prepared, scenario, asked, moves), colors, region_of(prepared).grid.cell_m)


def _key(what: str, prepared: Prepared, *asked: Scenario | Regional) -> str:
    told = " ".join((what, repr(prepared), *(one.model_dump_json() for one in asked)))
    return hashlib.sha256(told.encode()).hexdigest()[:20]


def filtered(table: pd.DataFrame, wanted: Wanted) -> pd.DataFrame:
    """The rows with one of the wanted values in every column; no values let all through."""
    kept = table
    for column, values in wanted:
        kept = kept[kept[column].isin(values)] if values else kept
    return kept


def file_bytes(report: Report, name: str) -> bytes:
    """One file of the run as `planner run` writes it; `manifest.json` without date, seconds and hashes of files."""
    if name.endswith(".geojson"):
        return geojson(report.layers[name.removesuffix(".geojson")], report.about["corrida"]).encode()
    if name == "manifest.json":
        return canonical_json(report.about).encode()
    makers: dict[str, Callable[[Report], Mapping[str, bytes]]] = {
        "plan.xlsx": workbook_files, "informe.html": brief_files, "mapa.html": map_files,
        "plan.gpkg": lambda told: {"plan.gpkg": geopackage(told)},
        **dict.fromkeys(("calendario.csv", "calendario.ics"), lambda told: calendar_files(told.run.region, told.run.plan,
                                                                                          told.run.scenario))}
    return makers.get(name, plain_files)(report)[name]
