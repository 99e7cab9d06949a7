"""What the page computes, kept by region (slug and hash of its manifest) and scenario; nothing here draws."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import streamlit as st

from planner.access.outcome import evaluate
from planner.decide.selection import select
from planner.model import Region
from planner.outputs import maps
from planner.outputs.geofiles import canonical_json, geojson, write_files
from planner.outputs.layers import layers
from planner.scenarios import Run, run_scenario
from planner.settings import Scenario, load_scenario
from planner.store import read_region

SHIPPED = Path(__file__).parents[2] / "scenarios"
_SCENARIO_KEY: dict[str | type[Any], Callable[[Any], Any]] = {Scenario: lambda scenario: scenario.model_dump_json()}


@dataclass(frozen=True)
class Prepared:
    """A prepared region on disk: `mark` changes when it is prepared again."""

    slug: str
    name: str
    folder: str
    mark: str


@dataclass(frozen=True, eq=False)
class Answer:
    """A finished run with its layers, and what the map draws of them."""

    run: Run
    layers: dict[str, gpd.GeoDataFrame]


def home() -> Path:
    """The folder that holds data/ and runs/."""
    return Path(os.environ.get("PLANNER_HOME") or Path.cwd())


def find_regions() -> list[Prepared]:
    """Every prepared region under the home folder, by slug."""
    found = []
    for manifest in sorted((home() / "data" / "processed").glob("*/manifest.json")):
        text = manifest.read_bytes()
        about = json.loads(text)
        found.append(Prepared(manifest.parent.name, str(about.get("name", manifest.parent.name)), str(manifest.parent),
                              hashlib.sha256(text).hexdigest()))
    return found


def find_scenarios() -> dict[str, Scenario]:
    """The shipped scenarios by name, base first. SettingsError if one is wrong."""
    shipped = {path.stem: load_scenario(path) for path in sorted(SHIPPED.glob("*.toml"))}
    return {"base": shipped.pop("base", Scenario())} | shipped


@st.cache_resource(max_entries=2, show_spinner="Leyendo la región…")
def region_of(prepared: Prepared) -> Region:
    """The prepared region."""
    return read_region(Path(prepared.folder))


@st.cache_resource(max_entries=3, show_spinner="Calculando traslados, acceso y opciones…", hash_funcs=_SCENARIO_KEY)
def unfunded(prepared: Prepared, scenario: Scenario) -> Run:
    """A scenario without money run on the region: travel, access and options, which no budget changes."""
    return run_scenario(region_of(prepared), scenario)


@st.cache_resource(max_entries=6, show_spinner="Eligiendo intervenciones…", hash_funcs=_SCENARIO_KEY)
def answer(prepared: Prepared, scenario: Scenario) -> Answer:
    """The scenario run on the region, with its layers; another budget only chooses again."""
    start = unfunded(prepared, scenario.model_copy(update={"name": "base", "budget_mxn_year": 0.0, "capital_mxn": None}))
    plan = select(start.plan.options, start.access, scenario)
    outcome = evaluate(start.region, start.travel, start.access, plan, scenario)
    run = replace(start, scenario=scenario, plan=plan, outcome=outcome)
    return Answer(run, layers(run.region, run.travel, run.outcome, run.plan, run.scenario))


@st.cache_resource(max_entries=2, show_spinner=False)
def map_base(prepared: Prepared) -> str:
    """The part of the map that only depends on the region."""
    region = region_of(prepared)
    return maps.prepare_base(region.municipalities, region.grid)


@st.cache_resource(max_entries=24, show_spinner=False, hash_funcs=_SCENARIO_KEY)
def map_layers(prepared: Prepared, scenario: Scenario, municipalities: tuple[str, ...], grades: tuple[str, ...]) -> dict[str, str]:
    """What the map draws of an answer; localities filtered by municipality and grade (empty: all)."""
    found = answer(prepared, scenario).layers
    return maps.prepare_layers(found | {"localidades": filtered(found["localidades"], municipalities, grades)})


@st.cache_resource(max_entries=64, show_spinner=False, hash_funcs=_SCENARIO_KEY)
def map_area(prepared: Prepared, scenario: Scenario, place: str) -> str:
    """The catchment of one unit or proposal, as the map draws it."""
    return maps.prepare_area(answer(prepared, scenario).layers["areas_influencia"], place)


def filtered(localities: gpd.GeoDataFrame, municipalities: tuple[str, ...], grades: tuple[str, ...]) -> gpd.GeoDataFrame:
    """Localities of these municipalities and grades; an empty filter lets all through."""
    kept = localities
    if municipalities:
        kept = kept[kept["nom_mun"].isin(municipalities)]
    return kept[kept["grado_rezago"].isin(grades)] if grades else kept


def file_bytes(found: Answer, name: str) -> bytes:
    """One file of the run as `planner run` writes it: `<layer>.geojson`, `indicadores.json` or `plan.gpkg`."""
    if name.endswith(".geojson"):
        return geojson(found.layers[name.removesuffix(".geojson")]).encode()
    if name == "indicadores.json":
        return canonical_json(found.run.outcome.indicators).encode()
    with tempfile.TemporaryDirectory() as folder:
        write_files(Path(folder), found.layers, found.run.outcome.indicators)
        return (Path(folder) / name).read_bytes()
