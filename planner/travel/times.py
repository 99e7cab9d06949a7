"""All travel that a scenario needs: surfaces, nearest units, and minutes between localities and sites."""

from __future__ import annotations

from collections.abc import Callable

import geopandas as gpd
import numpy as np
import pandas as pd
from scipy import ndimage

from planner.model import LEVELS, Grid, Level, Mode, Region, Surface, Travel, TravelTimes
from planner.settings import Scenario
from planner.travel.search import reach
from planner.travel.speeds import pace, road_speed
from planner.travel.surface import DECIMALS, Places, nearest_surface, set_on_grid

WAYS: tuple[Mode, ...] = ("a_pie", "vehiculo")  # what is searched; public transport is derived


def compute_travel(region: Region, scenario: Scenario) -> Travel:
    """Minutes from every locality to the public units of both levels, to candidate seats and from bases of teams.

    Points stand on ground that can be walked. Localities that the grid refuses have NaN minutes and no pairs.
    """
    grid = region.grid
    paces, people = _ground(region, scenario)
    units = set_on_grid(grid, paces["a_pie"], region.units[region.units["role"].isin(LEVELS)], snap_max_m=scenario.snap_max_m)
    role = region.units["role"].reindex(units.ids).to_numpy()
    surfaces = {(level, way): nearest_surface(grid, paces[way], units.only(role == level)) for level in LEVELS for way in WAYS}
    nearest = _nearest_by_mode(surfaces, people, scenario.public_transport_wait_min)
    all_year = _near_locality(grid, grid.road_kmh > scenario.unpaved_max_kmh, region.localities)
    seats = _may_be_seat(region, scenario, nearest["primer_nivel", scenario.mode_first_level]["minutes"], all_year)
    assignable = role == "primer_nivel"
    if region.responsibility is not None:
        assignable |= units.ids.isin(region.responsibility["clues"].dropna())

    def to(sites: Places, mode: Mode, cutoff_min: float) -> TravelTimes:
        return travel_times(grid, paces, people, sites, mode, cutoff_min=cutoff_min, wait_min=scenario.public_transport_wait_min)

    return Travel(
        nearest=nearest,
        surfaces=surfaces,
        first_level=to(units.only(assignable), scenario.mode_first_level, scenario.cutoff_first_level_min),
        seats=to(people.only(seats), scenario.mode_first_level, max(scenario.ramp_first_level_none_min, scenario.umr_spacing_min)),
        bases=to(units, scenario.mode_teams, scenario.first_stop_max_min),
        moved=pd.concat([people.moved.assign(kind="localidad"), units.moved.assign(kind="unidad")], ignore_index=True)[
            ["kind", "id", "metres", "result"]],
        road_all_year=all_year,
        road_any=_near_locality(grid, road_speed(grid, scenario) > 0, region.localities),
    )  # fmt: skip


def travel_times(
    grid: Grid, paces: dict[Mode, np.ndarray], localities: Places, sites: Places, mode: Mode, *, cutoff_min: float, wait_min: float = 0.0
) -> TravelTimes:
    """Minutes between localities and sites no farther than `cutoff_min` (inclusive), both ways alike.

    `paces` holds minutes per metre for `a_pie` and `vehiculo`; by `transporte_publico` one takes the shorter of
    walking, and waiting `wait_min` before going by vehicle.
    """
    public = mode == "transporte_publico"
    found = []
    for way in WAYS if public else (mode,):
        wait = wait_min if public and way == "vehiculo" else 0.0
        bound = cutoff_min - wait + 10.0**-DECIMALS
        row, site, minutes = reach(paces[way], grid.cell_m, sites.cells, localities.cells, bound_min=bound)
        found.append(pd.DataFrame({"row": row, "site": site, "value": np.round(np.round(minutes, DECIMALS) + wait, DECIMALS)}))
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
    paces, people = _ground(region, scenario)
    seats = people.only(people.ids.isin(travel.seats.sites))
    return travel_times(region.grid, paces, people, seats, scenario.mode_umr_seat,
                        cutoff_min=scenario.umr_seat_reach_min, wait_min=scenario.public_transport_wait_min)


def nearest_seats(region: Region, seats: list[str], scenario: Scenario) -> tuple[Surface, pd.DataFrame]:
    """What units standing in these localities would be: the surface to the nearest in mode_first_level, and per locality.

    Not bounded; the table has `minutes` and `clues`, here the cvegeo of the seat, as Travel.nearest.
    """
    paces, people = _ground(region, scenario)
    places = people.only(people.ids.isin(seats))
    surface = surface_in_mode(lambda way: nearest_surface(region.grid, paces[way], places), scenario)
    return surface, _read(surface, people)


def surface_in_mode(surface: Callable[[Mode], Surface], scenario: Scenario) -> Surface:
    """The surface to the first level in the scenario's mode; by public transport one walks or waits, whichever is shorter."""
    if scenario.mode_first_level != "transporte_publico":
        return surface(scenario.mode_first_level)
    walk, ride = surface("a_pie"), surface("vehiculo")
    waited = np.round(ride.minutes + scenario.public_transport_wait_min, DECIMALS)
    return Surface(np.minimum(walk.minutes, waited), np.where(waited < walk.minutes, ride.site, walk.site), walk.sites)


def _ground(region: Region, scenario: Scenario) -> tuple[dict[Mode, np.ndarray], Places]:
    """Paces of each way to go, and the localities set on ground that can be walked."""
    paces = {way: pace(region.grid, scenario, way) for way in WAYS}
    return paces, set_on_grid(region.grid, paces["a_pie"], region.localities, snap_max_m=scenario.snap_max_m)


def _may_be_seat(region: Region, scenario: Scenario, first_level_min: pd.Series, all_year: pd.Series) -> np.ndarray:
    """Which localities (sorted by id) may hold a new unit: inhabited, all-year road, apart from any fixed first level."""
    inhabited = region.localities["population"].reindex(all_year.index) > 0
    return np.asarray(inhabited & all_year & (first_level_min >= scenario.umr_spacing_min), bool)


def _nearest_by_mode(
    surfaces: dict[tuple[Level, Mode], Surface], people: Places, wait_min: float
) -> dict[tuple[Level, Mode], pd.DataFrame]:  # fmt: skip
    """Nearest unit of every locality, by level and by each of the three modes."""
    nearest = {at: _read(surface, people) for at, surface in surfaces.items()}
    for level in LEVELS:
        walk, ride = nearest[level, "a_pie"], nearest[level, "vehiculo"]
        waited = ride.assign(minutes=np.round(ride["minutes"] + wait_min, DECIMALS))
        nearest[level, "transporte_publico"] = waited.where(waited["minutes"] < walk["minutes"], walk)
    return nearest


def _read(surface: Surface, people: Places) -> pd.DataFrame:
    """Minutes and unit at each locality's cell; NaN minutes where the locality was refused."""
    refused = people.cells < 0
    site = np.where(refused, -1, surface.site.ravel()[people.cells])
    clues = pd.Series(surface.sites, dtype="str").reindex(site).set_axis(people.ids)
    return pd.DataFrame({"minutes": np.where(refused, np.nan, surface.minutes.ravel()[people.cells]), "clues": clues}, index=people.ids)


def _near_locality(grid: Grid, road: np.ndarray, localities: gpd.GeoDataFrame) -> pd.Series:
    """Whether any of the 3 x 3 cells around each locality is such a road; bool by cvegeo, false outside the grid."""
    near = ndimage.maximum_filter(road, size=3, mode="constant")
    places = set_on_grid(grid, np.ones(grid.shape), localities, snap_max_m=0.0)
    return pd.Series(near.ravel()[places.cells] & (places.cells >= 0), index=places.ids)
