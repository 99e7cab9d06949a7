"""A whole country of three islands from raw files to minutes."""

from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
from scipy import ndimage

from benchmarks.comoros import LIMITS_MIN, Steps, minutes_to_sites, people_within, read_country
from planner.access.dispersed import dispersed_people
from planner.kinds import Mode
from planner.model import Region, Roads, Surface
from planner.settings import Scenario
from planner.travel.ground import ground_of, nearest_surface
from planner.travel.places import Places

CELL_M = 200.0
ALL_SIDES = np.ones((3, 3), bool)
FERRY_KMH = 15.0  # of a ferry of which no crossing time is published
SUMMITS = {"Karthala": (43.355, -11.757, 2361), "Ntingui": (44.425, -12.212, 1595), "Mzé Koukoulé": (43.74, -12.31, 790)}  # metres
Answers = dict[Mode, tuple[Surface, Places]]


@pytest.fixture(scope="module")
def country(shared: Path) -> Region:
    return read_country(shared / "data/comoros", CELL_M, [])


@pytest.fixture(scope="module")
def answers(country: Region) -> Answers:
    steps: Steps = []
    return {mode: minutes_to_sites(country, mode, steps) for mode in ("a_pie", "vehiculo")}


@pytest.fixture(scope="module")
def apart(country: Region) -> Region:
    """The country without its ferries."""
    assert country.roads is not None
    edges = country.roads.edges
    return replace(country, roads=Roads(country.roads.nodes, edges[~edges["ferry"]].reset_index(drop=True).rename_axis("edge")))


@pytest.fixture(scope="module")
def land(country: Region) -> np.ndarray:
    """Number of the piece of dry land of every cell, the three islands first; 0 in the sea."""
    elevation = country.grid.elevation_m
    assert elevation is not None
    pieces, count = ndimage.label(np.isfinite(elevation), ALL_SIDES)
    rank = np.zeros(count + 1, int)
    rank[1 + np.argsort(-np.bincount(pieces.ravel())[1:], kind="stable")] = np.arange(1, count + 1)
    return rank[pieces]


def test_the_islands_stand_where_they_are_and_as_high(country):
    for lon, lat, metres in SUMMITS.values():
        top = gpd.GeoSeries.from_xy([lon], [lat], crs=4326).to_crs(country.crs)
        row, col = (int(at[0]) for at in country.grid.cells(top.x.to_numpy(), top.y.to_numpy()))
        around = country.grid.elevation_m[row - 12 : row + 13, col - 12 : col + 13]
        assert metres - 100 <= np.nanmax(around) <= metres + 10  # a cell is the mean of its pixels
    assert np.nanmax(country.grid.elevation_m) <= SUMMITS["Karthala"][2] + 10


def test_the_roads_are_those_that_another_project_took_from_openstreetmap(country, shared):
    """GeoHealthAccess' extract: the same metres of every class, but for the service roads and tracks that are closed to all."""
    edges = country.roads.edges
    assert (len(country.roads.nodes), len(edges), int(edges["ferry"].sum())) == (7675, 9565, 3)
    theirs = gpd.read_file(shared / "data/comoros/roads.gpkg").to_crs(country.crs)
    kind = theirs["highway"].str.removesuffix("_link").replace(
        {"living_street": "residential", **dict.fromkeys(("footway", "steps"), "path")})
    metres = theirs.length.groupby(kind).sum()
    ours = edges["length_m"].groupby(edges["road_class"]).sum().drop("ferry")
    closed = ["service", "track"]
    np.testing.assert_allclose(ours.drop(closed), metres.drop(closed), rtol=1e-9)
    assert (ours[closed] <= metres[closed]).all()
    assert (ours[closed] >= 0.96 * metres[closed]).all()


def test_every_site_is_placed_or_told(country, answers):
    for _, places in answers.values():
        refused = set(places.moved.loc[places.moved["result"] == "rechazada", "id"])
        assert len(places.ids) == 70
        assert set(places.ids[places.cells < 0]) == refused
        assert len(refused) == 0
        assert (places.moved["metres"] <= Scenario().snap_max_m).all()
        np.testing.assert_array_equal(answers["a_pie"][0].minutes.ravel()[places.cells], 0)
    assert country.units.index.equals(answers["a_pie"][1].ids)


def test_what_is_odd_is_told(country):
    told = {f.code: f for f in country.findings}
    assert {"dem_mar", "dem_vacios", "via_cerrada", "sin_velocidad", "red_en_partes", "barrera_puntual", "camino_sin_terreno"} <= set(told)
    assert told["red_en_partes"].count == 15
    assert told["via_cerrada"].count == 9
    blank = np.isnan(country.grid.elevation_m)
    assert told["dem_mar"].count + told["dem_vacios"].count == blank.sum()
    assert all(f.count > 0 and f.what and f.where for f in country.findings)


def test_everybody_is_counted_once(country, answers):
    people = np.nan_to_num(country.grid.people.astype(float))
    assert people.sum() == pytest.approx(869_595, abs=1)
    for surface, _ in answers.values():
        told = people_within(country, surface)
        assert told["<= 120 min"] + told["> 120 min"] + told["unreached"] == pytest.approx(told["total"])
        assert told["total"] == pytest.approx(people.sum())
        table = dispersed_people(country, surface.minutes, Scenario(reach_first_level_min=60))
        assert table["people"].sum() == pytest.approx(people.sum())
        np.testing.assert_allclose(table["within"] + table["beyond"] + table["unreachable"], table["people"])
        assert table["within"].sum() == pytest.approx(told["<= 60 min"])
        assert table["unreachable"].sum() == pytest.approx(told["unreached"])


def test_the_answers_are_near_those_at_half_the_cell(country, answers):
    """People within 30, 60 and 120 minutes as benchmarks/comoros.py counts them with cells of 100 m."""
    finer = {"a_pie": (139_138, 324_861, 630_876), "vehiculo": (549_662, 739_576, 824_230)}
    for mode, counts in finer.items():
        told = people_within(country, answers[mode][0])
        np.testing.assert_allclose([told[f"<= {limit:g} min"] for limit in LIMITS_MIN], counts, rtol=0.03)


def test_a_vehicle_is_never_slower_than_walking(answers):
    on_foot, by_vehicle = (answers[mode][0].minutes for mode in ("a_pie", "vehiculo"))
    assert (by_vehicle <= on_foot).all()
    np.testing.assert_array_equal(np.isinf(by_vehicle), np.isinf(on_foot))  # all who drive walk at one end


def test_nobody_is_faster_than_straight_ahead_at_full_speed(apart, land):
    """No road is faster than a first-class one, nobody walks faster than downhill on a path."""
    sites = np.stack([apart.units.geometry.x, apart.units.geometry.y], 1)
    for mode, kmh in (("a_pie", 6.0), ("vehiculo", 70.0)):
        ground = ground_of(apart, Scenario(), mode)
        minutes = nearest_surface(ground, ground.set(apart.units)).minutes
        cells = np.flatnonzero(np.isfinite(minutes))[::7]
        x, y = apart.grid.centres(cells)
        straight = np.hypot(x[:, None] - sites[:, 0], y[:, None] - sites[:, 1]).min(axis=1)
        free = 2 * CELL_M * np.sqrt(2) / 2  # a cell stands for its whole area, at either end
        assert (minutes.ravel()[cells] >= (straight - free) * 0.06 / kmh - 1e-6).all()
        assert np.isfinite(minutes[(land > 0) & (land <= 3)]).mean() > 0.99


@pytest.mark.parametrize("island", [1, 2, 3])
def test_nobody_walks_over_the_sea(island, country, apart, land):
    """With the sites of one island only, the others are reached by ferry, and not at all without one."""
    with_ferries, without = (ground_of(region, Scenario(), "vehiculo") for region in (country, apart))
    every = without.set(country.units)
    at = land.ravel()[every.cells]
    assert set(at) <= {1, 2, 3}
    kept = every.only(at == island)
    assert len(kept.ids)
    alone = nearest_surface(without, kept).minutes
    assert set(np.unique(land[np.isfinite(alone)])) == {island}
    assert np.isfinite(alone[land == island]).mean() > 0.99
    by_sea = nearest_surface(with_ferries, kept).minutes
    assert (by_sea[land == island] <= alone[land == island]).all()
    overseas = np.isin(land, [other for other in (1, 2, 3) if other != island])
    assert np.isfinite(by_sea[overseas]).mean() > 0.99
    edges = country.roads.edges
    shortest = edges["length_m"][edges["ferry"]].min()
    assert by_sea[overseas].min() >= shortest * 0.06 / FERRY_KMH
    assert np.isinf(by_sea[land == 0]).all()
