"""A finished run of the valley, written down by hand; only the indicators are the product's own, counted from what is written here."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import valley
from shapely import LineString

from planner import schema
from planner.access.gap import compute_access
from planner.access.indicators import indicators
from planner.access.outcome import evaluate
from planner.decide.fleet import Choices
from planner.kinds import LEVELS, MODES
from planner.model import Day, Option, Outcome, Plan, Region, Solution, Surface, Travel, TravelTimes
from planner.outputs.folder import write_run
from planner.scenarios import Run
from planner.settings import Scenario
from planner.travel.teams import team_legs
from planner.travel.times import compute_travel

collect_ignore = ["qgis_check.py"]  # run by the Python that has QGIS

A, B, C, D, E, F = valley.PLACES
ONE, TWO, MOBILE, HOSPITAL = valley.FACILITIES
STOPS = (E, B)
ROUND = (Day((E,), (100 / 3, 30.0)), Day((B,), (7.25, 8.0)))


def straight(row: int, col: int) -> np.ndarray:
    """Twelve minutes a kilometre in a straight line, from the cell at (row, col)."""
    rows, cols = np.indices((6, 10))
    return 12.0 * np.hypot(rows - row, cols - col)


def travel(region: Region) -> Travel:
    both = np.stack([straight(2, 2), straight(2, 9)])
    walk = Surface(both.min(axis=0), both.argmin(axis=0).astype(np.int32), (ONE, TWO))
    ride = replace(walk, minutes=walk.minutes / 6)
    bases = TravelTimes(region.localities.index, pd.Index([ONE, TWO]), 90.0, np.array([0, 1, 3, 4, 4, 5, 5]),
                        np.array([0, 0, 1, 1, 1], np.int32), np.array([4.0, 6.0, 7.25, 0.0, 33.333333]))
    empty = pd.Series(False, index=region.localities.index)
    surfaces: Any = {("primer_nivel", "a_pie"): walk, ("primer_nivel", "vehiculo"): ride}
    minutes = pd.DataFrame({"minutes": [24.0, 36.0, 0.0, 26.8, np.inf, 60.000001], "clues": [ONE, ONE, TWO, ONE, None, ONE]},
                           index=region.localities.index)
    nearest: Any = {(level, mode): minutes.assign(minutes=minutes["minutes"] + i) for level in LEVELS for i, mode in enumerate(MODES)}
    ends = region.units.geometry[[ONE, HOSPITAL]]
    referral = gpd.GeoDataFrame({"site": [HOSPITAL], "minutes": [40.0], "walk_min": [4.0], "drive_min": [36.0], "metres": [8000.0]},
                                geometry=[LineString(list(ends))], index=pd.Index([ONE], dtype="str"), crs=region.crs)
    return Travel(nearest, surfaces, bases, bases, bases, pd.DataFrame(), empty, empty, referral)


def plan() -> Plan:
    serves = pd.DataFrame({"cvegeo": [E, B], "minutes": [100 / 3, 7.25], "people": [250.0, 50.0], "weighted": [175.0, 20.0]})
    options = (
        Option(f"nucleo-{ONE}", "nucleo", ONE, "Unidad uno", 3.5e6, 1.9e6, 3432.8, serves.iloc[:0], "no cabe la mitad"),
        Option(f"umm-{TWO}-1", "umm", TWO, "Unidad dos", 2e6, 2.574e6, 2400.0, serves, "dispersas", STOPS, ROUND, 2.0),
        Option(f"umr-{F}", "umr", F, "F", 8e6, 3.85e6, 3000.0, serves.iloc[:0], "a 120 min"),
    )
    served = pd.DataFrame({"option": [f"umm-{TWO}-1"] * 3, "cvegeo": [B, B, E], "tier": ["sin_servicio", "con_servicio", "sin_servicio"],
                           "people": [30.0, 20.0, 250.0], "minutes": [7.25, 7.25, 100 / 3]})
    return Plan(options, (f"nucleo-{ONE}", f"umm-{TWO}-1"), served, Solution(100.0, 101.0, "óptimo", "prueba"))


def legs(region: Region) -> gpd.GeoDataFrame:
    """The way of each leg of the circuit, bent at a corner; a fifth of it is walked."""
    points = pd.concat([region.localities.geometry, region.units.geometry])
    rows = []
    for there, *minutes in ((E, *ROUND[0].legs_min), (B, *ROUND[1].legs_min)):
        for (start, end), minute in zip(((TWO, there), (there, TWO)), minutes, strict=True):
            line = LineString([points[start], (points[start].x, points[end].y), points[end]])
            rows.append((start, end, minute, 0.2 * minute, 0.8 * minute, line.length, line))
    names = ["from_id", "to_id", "minutes", "walk_min", "drive_min", "metres", "geometry"]
    return gpd.GeoDataFrame(pd.DataFrame(rows, columns=names), geometry="geometry", crs=region.crs)


def localities(region: Region) -> gpd.GeoDataFrame:
    people = region.localities["uninsured"]
    access = pd.DataFrame({
        "people": people, "assigned": [ONE, ONE, TWO, MOBILE, None, ONE],
        "assigned_min": [24.0, 36.0, 0.0, 26.8, np.inf, 60.000001],
        "first_level_min": [24.0, 36.0, 0.0, 26.8, np.inf, 60.000001], "first_level_clues": [ONE, ONE, TWO, ONE, None, ONE],
        "hospital_min": [np.nan, 80.0, 1 / 3, 90.0, 100.0, 200.0], "hospital_clues": [None, *[HOSPITAL] * 5],
        "sufficiency": [0.5, 0.6, 1.0, 0.0, 0.0, 0.5], "access": [0.5, 0.5, 1.0, 0.0, 0.0, 0.1 + 0.2],
        "hospital_access": [np.nan, 0.8, 1, 0.7, 0.6, 0],
        "visits_month": [0.0, 0, 0, 2, 0, 0], "mobile_credit": [0.0, 0, 0, 0.25, 0, 0],
        "first_level_gap": [np.nan, 0.5, 0, 0.75, 1, 0.7], "gap_share": [np.nan, 0.4, 0.0, 0.6, 0.8, 0.9],
        "need_weight": [1.25, 1.5, 1, 1.75, 2, 2],
        "score": [np.nan, 30.0, 0, 52.5, 80, 90]}, index=region.localities.index)
    access["equivalent_people"] = access["people"] * access["gap_share"]
    access["weighted_gap"] = access["equivalent_people"] * access["need_weight"]
    near = access["assigned_min"] <= 60
    access["served"] = (people * access["sufficiency"]).where(near, 0.0)
    access["covered_unserved"] = (people - access["served"]).where(near, 0.0)
    access["uncovered"] = people.where(~near, 0.0)
    access["coverage"] = ["con servicio", "con servicio", "con servicio", "cubierta sin capacidad", "sin cobertura", "sin cobertura"]
    after = access.drop(columns="assigned")
    after.loc[[B, E], ["equivalent_people", "weighted_gap", "gap_share", "score"]] *= 0.75
    words = {"intervention": [None, "ruta de UMM", None, None, "ruta de UMM", None],
             "reason": [None, "cerca, sin lugar", None, None, "lejos", None]}
    return region.localities.join(access[schema.ACCESS.names()]).join(after.add_suffix("_plan")).assign(**words)


def units(region: Region) -> gpd.GeoDataFrame:
    results = {"load": [3000.0, 2680, 0, 0], "capacity": [2300.0, 4600, 2400, np.inf], "rho": [2300 / 3000, 1, np.nan, 1],
               "localities": [3, 2, 1, 0], "population": [4000.0, 4600, 400, 0]}
    frame = region.units.assign(**results)
    return frame.assign(**{f"{name}_plan": frame[name] for name in schema.UNIT_PLANNED.names() for name in [name.removesuffix("_plan")]})


def proposals(region: Region, decided: Plan) -> gpd.GeoDataFrame:
    chosen = [o for o in decided.options if o.id in decided.chosen]
    rows = [{"id": o.id, "kind": o.kind, "cvegeo": o.place if o.kind == "umr" else None, "clues": None if o.kind == "umr" else o.place,
             "name": o.name, "capital_mxn": o.capital_mxn, "annual_mxn": o.annual_mxn, "people": o.people, "weighted": o.weighted,
             "own_people": o.people, "incremental_people": o.people, "incremental_weighted": o.weighted, "year": 1.0,
             "robustness": np.nan, "robust": None, "reason": o.reason} for o in chosen]
    table = pd.DataFrame(rows, columns=["id", *schema.PROPOSALS.names()]).set_index("id").astype({"robustness": float})
    places = pd.concat([region.localities.geometry, region.units.geometry])
    return gpd.GeoDataFrame(table, geometry=[places[o.place] for o in chosen], crs=region.crs)


def explanation(decided: Plan) -> pd.DataFrame:
    """As if each option stood alone."""
    return pd.DataFrame([{"chosen": o.id in decided.chosen, "own_people": o.people, "own_weighted": o.weighted, "annual_mxn": o.annual_mxn,
                          "incremental_people": o.people, "incremental_weighted": o.weighted, "more_mxn": 0.0, "year": 1.0,
                          "sentence": "se queda"} for o in decided.options], index=pd.Index([o.id for o in decided.options], dtype="str"))


@pytest.fixture
def run() -> Any:
    """The valley's run: a second nucleo at unit one and a circuit of E and B from unit two are chosen; a UMR at F is not."""
    return finished()


def finished(decided: Plan | None = None, **question: Any) -> Any:
    region, decided = valley.region(), decided or plan()
    table, seats = localities(region), proposals(region, decided)
    scenario, ways, stand = Scenario(**question), travel(region), units(region)
    told = {"region": region.name, "sintetica": region.synthetic, **indicators(table, stand, seats, ways, decided, scenario)}
    outcome = Outcome(table, stand, seats, told, legs=legs(region))
    return SimpleNamespace(region=region, scenario=scenario, travel=ways, access=None, plan=decided, outcome=outcome,
                           explained=explanation(decided), curve=None, others=(), robustness=None, regional=None)


@pytest.fixture(scope="session")
def once_written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the valley's run; a test that spoils it copies it first."""
    home = tmp_path_factory.mktemp("valle")
    (home / "manifest.json").write_text("{}")
    write_run(home / "base", finished(), home, elapsed_s=1.25)
    return home / "base"


@pytest.fixture(scope="session")
def computed() -> Any:
    """The valley's run as the product computes it from a plan given by hand: `computed(chosen, **question)`."""
    def asked(*chosen: str, **question: Any) -> Run:
        region, scenario, decided = valley.region(), Scenario(**question), plan()
        found = compute_travel(region, scenario)
        access = compute_access(region, found, scenario)
        more = pd.DataFrame({"option": [f"nucleo-{ONE}", f"umr-{F}"], "cvegeo": [A, F], "tier": "sin_servicio",
                             "people": [300.0, 400.0], "minutes": [24.0, 0.0]})
        served = pd.concat([decided.served, more])
        decided = replace(decided, chosen=chosen, served=served[served["option"].isin(chosen)].reset_index(drop=True))
        ends = pd.DataFrame([(a, b) for stop in STOPS for a, b in ((TWO, stop), (stop, TWO))], columns=["from_id", "to_id"])
        outcome = replace(evaluate(region, found, access, decided, scenario), legs=team_legs(region, scenario, ends))
        return Run(region, scenario, found, access, Choices(decided.options), decided, outcome, explanation(decided))
    return asked
