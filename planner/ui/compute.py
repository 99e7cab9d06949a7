"""What the page computes, kept by region (slug and hash of its manifest) and scenario; nothing here draws."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import streamlit as st

from planner.assumptions import Regional
from planner.decide.regional.districts import Districts, districts, moved_by_hand
from planner.decide.regional.regionalization import Regionalization
from planner.model import Region
from planner.outputs import mapregions, maps
from planner.outputs.calendar import calendar_files
from planner.outputs.folder import plain_files
from planner.outputs.geofiles import geojson
from planner.outputs.geopackage import geopackage
from planner.outputs.jsonfiles import canonical_json
from planner.outputs.regional import regional_tables
from planner.outputs.report import Report, report_of
from planner.scenarios import Run, choose_again, regionalized, run_scenario
from planner.settings import Scenario, load_scenario
from planner.store import TRAVEL_CACHE, read_region

Wanted = tuple[tuple[str, tuple[str, ...]], ...]  # column of `localidades`, values
SHIPPED = Path(__file__).parents[2] / "scenarios"
Told = Callable[[str], None]
Moves = tuple[tuple[str, str], ...]  # municipality and the district that it goes to, in order
_SCENARIO_KEY: dict[str | type[Any], Callable[[Any], Any]] = {
    kind: lambda asked: asked.model_dump_json() for kind in (Scenario, Regional)}


@dataclass(frozen=True)
class Prepared:
    """A prepared region on disk: `mark` changes when it is prepared again."""

    slug: str
    name: str
    folder: str
    mark: str


def home() -> Path:
    """The folder that holds data/ and runs/."""
    return Path(os.environ.get("PLANNER_HOME") or Path.cwd())


def find_regions() -> list[Prepared]:
    """Every prepared region under the home folder, by slug."""
    manifests = sorted((home() / "data" / "processed").glob("[!.]*/manifest.json"))  # a dot: being written
    return [Prepared(m.parent.name, _name(m), str(m.parent), hashlib.sha256(m.read_bytes()).hexdigest()) for m in manifests]


def _name(manifest: Path) -> str:
    try:
        return str(json.loads(manifest.read_text(encoding="utf-8"))["name"])
    except (ValueError, KeyError, TypeError):
        return manifest.parent.name  # a damaged region is told when it is read


def find_scenarios() -> dict[str, Scenario]:
    """The shipped scenarios by name, base first. SettingsError if one is wrong."""
    shipped = {path.stem: load_scenario(path) for path in sorted(SHIPPED.glob("*.toml"))}
    return {"base": shipped.pop("base", Scenario())} | shipped


@st.cache_resource(max_entries=2, show_spinner="Leyendo la región…")
def region_of(prepared: Prepared) -> Region:
    """The prepared region."""
    return read_region(Path(prepared.folder))


@st.cache_resource(max_entries=3, show_spinner=False, hash_funcs=_SCENARIO_KEY)
def unfunded(prepared: Prepared, scenario: Scenario) -> Run:
    """A scenario without money run on the region: travel, access and options, which no budget changes."""
    return run_scenario(region_of(prepared), scenario, cache=Path(prepared.folder).parent / TRAVEL_CACHE)


@st.cache_resource(max_entries=6, show_spinner="Calculando traslados, acceso, opciones y plan…", hash_funcs=_SCENARIO_KEY)
def answer(prepared: Prepared, scenario: Scenario) -> Report:
    """The scenario run on the region, with its layers; another budget only chooses again."""
    start = unfunded(prepared, scenario.model_copy(update={
        "name": "base", "budget_mxn_year": 0.0, "capital_mxn": None, "require": (), "curve_points": 0, "alternatives": 0, "draws": 0}))
    run = choose_again(start, scenario)
    return report_of(run, Path(prepared.folder))


@st.cache_resource(max_entries=2, show_spinner=False)
def map_base(prepared: Prepared) -> str:
    """The part of the map that only depends on the region."""
    region = region_of(prepared)
    note = "Región SINTÉTICA" if region.synthetic else ""
    return maps.prepare_base(region.municipalities, region.grid, note, region.roads, region.barriers)


@st.cache_resource(max_entries=24, show_spinner=False, hash_funcs=_SCENARIO_KEY)
def map_layers(prepared: Prepared, scenario: Scenario, wanted: Wanted) -> dict[str, str]:
    """What the map draws of an answer, with the wanted localities."""
    found = answer(prepared, scenario).layers
    return maps.prepare_layers({**found, "localidades": filtered(found["localidades"], wanted)})


@st.cache_resource(max_entries=64, show_spinner=False, hash_funcs=_SCENARIO_KEY)
def map_area(prepared: Prepared, scenario: Scenario, place: str) -> str:
    """The catchment of one unit or proposal, as the map draws it."""
    return maps.prepare_area(answer(prepared, scenario).layers["areas_influencia"], place)


@st.cache_resource(max_entries=2, show_spinner=False, hash_funcs=_SCENARIO_KEY)
def regional(prepared: Prepared, scenario: Scenario, _told: Told) -> Regionalization:
    """The regionalization of a scenario's plan; `_told` each step before it starts."""
    found = regionalized(answer(prepared, scenario).run, progress=_told).regional
    assert found is not None
    return found


@st.cache_resource(max_entries=8, show_spinner=False, hash_funcs=_SCENARIO_KEY)
def drawn(prepared: Prepared, scenario: Scenario, asked: Regional, _told: Told) -> Districts:
    """The districts of a scenario under other rules: universes, networks and zones do not depend on them."""
    if asked == scenario.regional:
        return regional(prepared, scenario, _told).districts
    _told("Trazando distritos")
    run = answer(prepared, scenario).run
    return districts(run.region, run.access, scenario.model_copy(update={"regional": asked}), run.cache)


@st.cache_resource(max_entries=32, show_spinner=False, hash_funcs=_SCENARIO_KEY)
def moved(prepared: Prepared, scenario: Scenario, asked: Regional, moves: Moves) -> Districts:
    """The districts after the reader's moves, one after another."""
    if not moves:
        return drawn(prepared, scenario, asked, untold)
    area, to = moves[-1]
    return moved_by_hand(moved(prepared, scenario, asked, moves[:-1]), area, to)


@st.cache_resource(max_entries=2, show_spinner=False, hash_funcs=_SCENARIO_KEY)
def tables(prepared: Prepared, scenario: Scenario) -> dict[str, pd.DataFrame]:
    """Every table of the regionalization, as a run writes it."""
    return regional_tables(answer(prepared, scenario).run.region, regional(prepared, scenario, untold))


@st.cache_resource(max_entries=2, show_spinner=False, hash_funcs=_SCENARIO_KEY)
def map_regional(prepared: Prepared, scenario: Scenario) -> dict[str, str]:
    """What the map draws of a regionalization and no rule of districts changes."""
    found, region = regional(prepared, scenario, untold), answer(prepared, scenario).run.region
    return {"distritos_hoy": mapregions.prepare_today(found.districts, region.grid.cell_m),
            "redes": mapregions.prepare_networks(found.networks), "zonas": mapregions.prepare_zones(found.zones),
            **mapregions.prepare_units(region, found.networks, found.zones)}


@st.cache_resource(max_entries=32, show_spinner=False, hash_funcs=_SCENARIO_KEY)
def map_districts(prepared: Prepared, scenario: Scenario, asked: Regional, moves: Moves) -> dict[str, str]:
    """The districts as the map draws them; a move changes no colour."""
    colors = mapregions.colors_of(moved(prepared, scenario, asked, ()))
    return mapregions.prepare_districts(moved(prepared, scenario, asked, moves), colors, region_of(prepared).grid.cell_m)


def untold(_: str) -> None:
    """For who need not be told of the steps."""


def filtered(localities: gpd.GeoDataFrame, wanted: Wanted) -> gpd.GeoDataFrame:
    """The localities with one of the wanted values in every column; no values let all through."""
    kept = localities
    for column, values in wanted:
        kept = kept[kept[column].isin(values)] if values else kept
    return kept


def file_bytes(report: Report, name: str) -> bytes:
    """One file of the run as `planner run` writes it; `manifest.json` without date, seconds and hashes of files."""
    if name.endswith(".geojson"):
        return geojson(report.layers[name.removesuffix(".geojson")], report.about["corrida"]).encode()
    if name == "manifest.json":
        return canonical_json(report.about).encode()
    if name == "plan.gpkg":
        return geopackage(report)
    told = plain_files(report) | calendar_files(report.run.region, report.run.plan, report.run.scenario)
    return told[name]
