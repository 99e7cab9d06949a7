"""All travel that a scenario needs: surfaces, nearest units, and minutes between localities and sites."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
from scipy import ndimage

from planner.kinds import LEVELS, Level, Mode
from planner.model import Region, Surface, Travel, TravelTimes
from planner.settings import Scenario
from planner.travel.ground import DECIMALS, Ground, graph_of, ground_of, labels, pairs_within, read_labels, surface
from planner.travel.paths import paths
from planner.travel.places import Places
from planner.travel.speeds import road_speed
from planner.travel.weigh import vehicle_cells

WAYS: tuple[Mode, ...] = ("a_pie", "vehiculo")  # what is searched; public transport is derived


def compute_travel(region: Region, scenario: Scenario, cache: Path | None = None, *, own: Region | None = None) -> Travel:
    """Minutes from every locality to the public units of both levels, to candidate seats and from bases of teams.

    Points stand on ground that can be walked. Localities that the grid refuses have NaN minutes and no pairs. Patients go
    from locality to unit, teams from base to locality. `cache` is a folder that keeps what was searched before. With `own`, a
    state within the region, minutes to each unit, seats, bases and referrals are those of its places only; the nearest are of all.
    """
    grounds, people = _ground(region, scenario, cache)
    units = grounds["a_pie"].set(region.units[region.units["role"].isin(LEVELS)])
    here, home = people.ids.isin((own or region).localities.index), units.ids.isin((own or region).units.index)
    role = region.units["role"].reindex(units.ids).to_numpy()
    surfaces: dict[tuple[Level, Mode], Surface] = {}
    nearest: dict[tuple[Level, Mode], pd.DataFrame] = {}
    referral: dict[Mode, gpd.GeoDataFrame] = {}
    for level in LEVELS:
        sites = units.only(role == level)
        for way in WAYS:
            found = labels(grounds[way], sites)
            surfaces[level, way] = surface(grounds[way], found, sites)
            nearest[level, way] = read_labels(grounds[way], found, sites, people)
            if level == "hospital":
                referral[way] = paths(grounds[way], found, sites, units.only((role == "primer_nivel") & home))
        nearest[level, "transporte_publico"] = _by_bus(nearest[level, "a_pie"], nearest[level, "vehiculo"], scenario)
    all_year = roads_near(region, scenario, people, all_year=True)
    seats = _may_be_seat(region, scenario, nearest["primer_nivel", scenario.mode_first_level]["minutes"], all_year)
    assignable = role == "primer_nivel"
    if region.responsibility is not None:
        assignable |= units.ids.isin(region.responsibility["clues"].dropna())

    def to(sites: Places, mode: Mode, cutoff_min: float, *, towards: bool = True) -> TravelTimes:
        return travel_times(grounds, people.only(here), sites, mode, cutoff_min=cutoff_min, towards=towards)

    return Travel(
        nearest=nearest,
        surfaces=surfaces,
        first_level=to(units.only(assignable), scenario.mode_first_level, scenario.cutoff_first_level_min),
        seats=to(people.only(seats & here), scenario.mode_first_level, max(scenario.ramp_first_level_none_min, scenario.umr_spacing_min)),
        bases=to(units.only(home), scenario.mode_teams, scenario.first_stop_max_min, towards=False),
        moved=pd.concat([people.moved.assign(kind="localidad"), units.moved.assign(kind="unidad")], ignore_index=True)[
            ["kind", "id", "metres", "result"]],
        road_all_year=all_year,
        road_any=roads_near(region, scenario, people, all_year=False),
        referral=_in_mode(referral, scenario),
    )  # fmt: skip


def travel_times(
    grounds: Mapping[Mode, Ground], localities: Places, sites: Places, mode: Mode, *, cutoff_min: float, towards: bool = True
) -> TravelTimes:
    """Minutes between localities and sites no farther than `cutoff_min` (inclusive): to the sites, or from them.

    By `transporte_publico` one takes the shorter of walking, and waiting before going by vehicle.
    """
    public = mode == "transporte_publico"
    found = []
    for way in WAYS if public else (mode,):
        wait = grounds[way].scenario.public_transport_wait_min if public and way == "vehiculo" else 0.0
        some = pairs_within(grounds[way], localities, sites, cutoff_min - wait, towards=towards)
        found.append(some.assign(value=np.round(some["value"] + wait, DECIMALS)))
    pairs: pd.DataFrame = pd.concat(found)
    if public:
        pairs = pairs.groupby(["row", "site"], as_index=False, sort=True).min()
    pairs = pairs[pairs["value"] <= cutoff_min]
    indptr = np.concatenate([[0], np.cumsum(np.bincount(pairs["row"], minlength=len(localities.ids)))]).astype(np.int64)
    return TravelTimes(
        localities.ids, sites.ids, float(cutoff_min), indptr, pairs["site"].to_numpy(np.int32), pairs["value"].to_numpy(float)
    )


def seat_area(region: Region, travel: Travel, scenario: Scenario) -> TravelTimes:
    """Minutes between localities and candidate seats by `mode_umr_seat`, at least up to umr_seat_reach_min."""
    if scenario.mode_umr_seat == scenario.mode_first_level and scenario.umr_seat_reach_min <= travel.seats.cutoff_min:
        return travel.seats
    grounds, people = _ground(region, scenario)
    seats = people.only(people.ids.isin(travel.seats.sites))
    return travel_times(grounds, people, seats, scenario.mode_umr_seat, cutoff_min=scenario.umr_seat_reach_min)


def caro_times(region: Region, localities: pd.Index, units: pd.Index, scenario: Scenario) -> TravelTimes:
    """Minutes from these localities to these units by mode_hospital, up to the end of the hospital's ramp.

    Searched from the side that has fewer; both ends agree to the last decimal that is told.
    """
    grounds, people = _ground(region, scenario)
    here = people.only(people.ids.isin(localities))
    there = grounds["a_pie"].set(region.units[region.units.index.isin(units)])
    mode, cutoff_min = scenario.mode_hospital, scenario.ramp_hospital_none_min
    if len(there.ids) <= len(here.ids):
        return travel_times(grounds, here, there, mode, cutoff_min=cutoff_min)
    found = travel_times(grounds, there, here, mode, cutoff_min=cutoff_min, towards=False)
    row = np.repeat(np.arange(len(there.ids), dtype=np.int32), np.diff(found.indptr))
    order = np.lexsort((row, found.site))
    indptr = np.concatenate([[0], np.cumsum(np.bincount(found.site, minlength=len(here.ids)))]).astype(np.int64)
    return TravelTimes(here.ids, there.ids, found.cutoff_min, indptr, row[order], found.value[order])


def ambulance_times(region: Region, travel: Travel, scenario: Scenario) -> TravelTimes:
    """Minutes from the public fixed units to localities by mode_teams, at least up to ambulance_reach_min."""
    if scenario.ambulance_reach_min <= travel.bases.cutoff_min:
        return travel.bases
    grounds, people = _ground(region, scenario)
    units = grounds["a_pie"].set(region.units[region.units["role"].isin(LEVELS)])
    return travel_times(grounds, people, units, scenario.mode_teams, cutoff_min=scenario.ambulance_reach_min, towards=False)


def times_between(region: Region, scenario: Scenario, mode: Mode, rows: gpd.GeoDataFrame, sites: gpd.GeoDataFrame, cutoff_min: float,
                  cache: Path | None = None) -> TravelTimes:
    """Minutes from these points to those by the mode, up to `cutoff_min`; both indexed by id, in the region's CRS.

    Points on ground that cannot be walked are moved, or have no pairs, as in `compute_travel`.
    """
    grounds = {way: ground_of(region, scenario, way, cache) for way in (WAYS if mode == "transporte_publico" else (mode,))}
    ground = grounds[WAYS[0] if mode == "transporte_publico" else mode]
    return travel_times(grounds, ground.set(rows), ground.set(sites), mode, cutoff_min=cutoff_min)


def nearest_seats(region: Region, seats: list[str], scenario: Scenario) -> tuple[Surface, pd.DataFrame]:
    """What units standing in these localities would be: the surface to the nearest in mode_first_level, and per locality.

    Not bounded; the table has `minutes` and `clues`, here the cvegeo of the seat, as Travel.nearest.
    """
    grounds, people = _ground(region, scenario)
    places = people.only(people.ids.isin(seats))
    mode = scenario.mode_first_level
    ways: tuple[Mode, ...] = WAYS if mode == "transporte_publico" else (mode,)
    found = {way: labels(grounds[way], places) for way in ways}
    near = {way: read_labels(grounds[way], found[way], places, people) for way in ways}
    table = _by_bus(near["a_pie"], near["vehiculo"], scenario) if mode == "transporte_publico" else near[mode]
    return surface_in_mode(lambda way: surface(grounds[way], found[way], places), scenario), table


def surface_in_mode(surface: Callable[[Mode], Surface], scenario: Scenario) -> Surface:
    """The surface to the first level in the scenario's mode; by public transport one walks or waits, whichever is shorter."""
    if scenario.mode_first_level != "transporte_publico":
        return surface(scenario.mode_first_level)
    walk, ride = surface("a_pie"), surface("vehiculo")
    waited = np.round(ride.minutes + scenario.public_transport_wait_min, DECIMALS)
    return Surface(np.minimum(walk.minutes, waited), np.where(waited < walk.minutes, ride.site, walk.site), walk.sites)


def _in_mode(ways: Mapping[Mode, gpd.GeoDataFrame], scenario: Scenario) -> gpd.GeoDataFrame:
    """The ways to the hospital in the scenario's mode; by public transport on foot, or by vehicle after the wait where that is sooner."""
    if scenario.mode_hospital != "transporte_publico":
        return ways[scenario.mode_hospital]
    waited = np.round(ways["vehiculo"]["minutes"] + scenario.public_transport_wait_min, DECIMALS)
    both = pd.concat([ways["a_pie"], ways["vehiculo"].assign(minutes=waited)])
    best = np.lexsort((both["minutes"], both.index))
    return gpd.GeoDataFrame(both.iloc[best][~both.index[best].duplicated()])


def _ground(region: Region, scenario: Scenario, cache: Path | None = None) -> tuple[dict[Mode, Ground], Places]:
    """The ground of each way to go, and the localities set on what can be walked."""
    grounds = {way: ground_of(region, scenario, way, cache) for way in WAYS}
    return grounds, grounds["a_pie"].set(region.localities)


def _may_be_seat(region: Region, scenario: Scenario, first_level_min: pd.Series, all_year: pd.Series) -> np.ndarray:
    """Which localities (sorted by id) may hold a new unit: inhabited, all-year road, apart from any fixed first level."""
    inhabited = region.localities["population"].reindex(all_year.index) > 0
    return np.asarray(inhabited & all_year & (first_level_min >= scenario.umr_spacing_min), bool)


def _by_bus(walk: pd.DataFrame, ride: pd.DataFrame, scenario: Scenario) -> pd.DataFrame:
    """Nearest unit by public transport: on foot, or by vehicle after the wait where that is sooner."""
    waited = ride.assign(minutes=np.round(ride["minutes"] + scenario.public_transport_wait_min, DECIMALS))
    return waited.where(waited["minutes"] < walk["minutes"], walk)


def roads_near(region: Region, scenario: Scenario, people: Places, *, all_year: bool) -> pd.Series:
    """Whether a road for vehicles passes within the 3 x 3 cells around each locality, bool by cvegeo, false off the grid.

    In the scenario's season, or one that the rains leave (`all_year`: not of earth nor closed by them).
    """
    grid = region.grid
    road = grid.road_kmh > scenario.unpaved_max_kmh if all_year else road_speed(grid, scenario) > 0
    if region.roads is not None:
        road = road | vehicle_cells(graph_of(region), region.roads, scenario, all_year=all_year)
    near = ndimage.maximum_filter(road, size=3, mode="constant")
    row, col = grid.cells(people.x, people.y)
    inside = (row >= 0) & (col >= 0) & (row < grid.shape[0]) & (col < grid.shape[1])
    return pd.Series(near[np.where(inside, row, 0), np.where(inside, col, 0)] & inside, index=people.ids)
