"""Paces against the formulas written out by hand, and the order that must hold between them."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_roads import FERRY, MOTORWAY, PATH, ground, roads, way

from planner.model import STEPS, Grid
from planner.settings import Scenario
from planner.travel.speeds import SLOWEST_KMH, edge_kmh, pace, step_factor

NAN = float("nan")


def _grid(road: float, slope: float, factor: float) -> Grid:
    cell = [np.full((1, 1), value, np.float32) for value in (road, slope, factor)]
    return Grid((200.0, 0.0, 0.0, 0.0, -200.0, 0.0), "EPSG:32614", *cell)


def _kmh(mode: str, road: float, slope: float, factor: float, **values: object) -> float:
    per_metre = float(pace(_grid(road, slope, factor), Scenario(**values), mode)[0, 0])
    return 60.0 / (1000.0 * per_metre)


def test_tobler_on_the_flat_is_five_kilometres_an_hour():
    assert _kmh("a_pie", 40, 0, 1) == pytest.approx(5.0367, abs=1e-4)


def test_tobler_takes_the_mean_time_of_up_and_down():
    up, down = (6 * math.exp(-3.5 * abs(s + 0.05)) for s in (0.2, -0.2))
    slope = math.degrees(math.atan(0.2))
    assert _kmh("a_pie", 40, slope, 1) == pytest.approx(2 / (1 / up + 1 / down), rel=1e-6)
    assert _kmh("a_pie", 0, slope, 1) == pytest.approx(0.6 * 2 / (1 / up + 1 / down), rel=1e-6)
    assert _kmh("a_pie", 0, slope, 0.45, off_path_factor=0.5) == pytest.approx(0.5 * 2 / (1 / up + 1 / down), rel=1e-6)


def test_tobler_drives_at_the_published_speed_never_slower_than_walking():
    assert _kmh("vehiculo", 70, 20, 1) == pytest.approx(70)
    assert _kmh("vehiculo", 2, 0, 1) == pytest.approx(5.0367, abs=1e-4)
    assert _kmh("vehiculo", 0, 10, 1) == _kmh("a_pie", 0, 10, 1)


def test_rains_slow_unpaved_roads_only():
    for kmh, rains in ((30, 15), (40, 20), (50, 50)):
        assert _kmh("vehiculo", kmh, 5, 1, season="lluvias") == pytest.approx(rains)
    assert _kmh("a_pie", 30, 5, 1, season="lluvias") == _kmh("a_pie", 30, 5, 1)


def test_sigeh_speeds():
    sigeh = {"speed_model": "sigeh"}
    walk = 6 * math.exp(-0.4 * abs(math.tan(math.radians(10)) + 0.05))
    assert _kmh("a_pie", 0, 10, 0.7, **sigeh) == pytest.approx(walk * 0.7, rel=1e-6)
    assert _kmh("a_pie", 60, 10, 0.7, **sigeh) == pytest.approx(walk, rel=1e-6)
    assert _kmh("vehiculo", 0, 10, 0.7, **sigeh) == pytest.approx(walk * 0.7, rel=1e-6)
    assert _kmh("vehiculo", 60, 10, 0.7, **sigeh) == pytest.approx(60 * math.exp(-0.4 * (math.tan(math.radians(10)) + 0.12)), rel=1e-6)


@pytest.mark.parametrize(("mode", "published", "used"), [
    ("vehiculo", 50, 50), ("vehiculo", 51, 50), ("vehiculo", 90, 50), ("vehiculo", 91, 120), ("vehiculo", 119, 120), ("vehiculo", 150, 150),
    ("a_pie", 60, 60), ("a_pie", 86, 84.9), ("a_pie", 91, 95.9), ("a_pie", 97, 97)])  # fmt: skip
def test_slopes_that_no_tangent_bears_are_brought_to_the_limit(mode, published, used):
    walk = 6 * math.exp(-0.4 * abs(math.tan(math.radians(np.float32(used) if used == published else used)) + 0.05))
    assert _kmh(mode, 0, published, 1, speed_model="sigeh") == pytest.approx(walk, rel=1e-5)


@pytest.mark.parametrize("model", ["tobler", "sigeh"])
def test_missing_ground_is_impassable(model):
    def passable(mode: str, road: float, slope: float, factor: float) -> bool:
        return bool(np.isfinite(pace(_grid(road, slope, factor), Scenario(speed_model=model), mode))[0, 0])

    for mode in ("a_pie", "vehiculo"):
        assert passable(mode, 0, 5, 0.5)
        assert not passable(mode, 0, 5, NAN)
        assert not passable(mode, 0, 5, 0)
        assert not passable(mode, 0, NAN, 0.5)
        assert passable(mode, 40, 5, NAN)
    assert not passable("a_pie", 40, NAN, 0.5)
    assert passable("vehiculo", 40, NAN, 0.5) == (model == "tobler")  # the published formula needs a slope


@given(st.sampled_from([0.0, 5.0, 30.0, 80.0]), st.floats(0, 200), st.floats(0, 1), st.sampled_from(["secas", "lluvias"]))
def test_a_vehicle_is_never_slower_than_walking(road, slope, factor, season):
    grid, scenario = _grid(road, slope, factor), Scenario(season=season)
    drive, walk = (float(pace(grid, scenario, mode)[0, 0]) for mode in ("vehiculo", "a_pie"))
    assert drive <= walk
    assert drive > 0
    assert np.isinf(walk) or 60 / (1000 * walk) >= SLOWEST_KMH


RNC = {"road_class": "camino"}


@pytest.mark.parametrize(("attributes", "scenario", "kmh"), [
    ({"road_class": "motorway"}, {}, 90), ({"road_class": "residential"}, {}, 30), ({"road_class": "track"}, {}, 20),
    ({"road_class": "path"}, {}, 20),  # where a vehicle may take it
    (PATH, {}, 0), ({"drive": False}, {}, 0),
    ({"posted_kmh": 25.0}, {}, 25), ({"posted_kmh": 0.0}, {}, 40), ({"posted_kmh": 100.0, "surface": "paved"}, {}, 90),
    ({"surface": "asphalt"}, {}, 40), ({"surface": "paved"}, {}, 36), ({"surface": "compacted"}, {}, 34), ({"surface": "unpaved"}, {}, 28),
    ({"tracktype": 5.0}, {}, 24), ({"tracktype": 3.0, "surface": "paved"}, {}, 32), ({"tracktype": 1.0, "surface": "paved"}, {}, 36),
    ({"smoothness": "horrible", "surface": "unpaved", "tracktype": 2.0}, {}, 16),  # the least of the three
    ({"smoothness": "good", "surface": "compacted"}, {}, 34),
    ({"road_class": "primary", "surface": "unpaved"}, {}, 30), ({"posted_kmh": 80.0, "surface": "unpaved"}, {}, 30),  # the cap
    ({"road_class": "primary", "surface": "unpaved"}, {"unpaved_cap_kmh": 45}, 45),
    ({"road_class": "primary", "surface": "unpaved"}, {"season": "lluvias"}, 15), ({"surface": "unpaved"}, {"season": "lluvias"}, 14),
    ({"road_class": "track"}, {"season": "lluvias"}, 10),  # nothing is said: of earth
    ({"road_class": "track", "surface": "compacted"}, {"season": "lluvias"}, 17), ({}, {"season": "lluvias"}, 40),
    ({"surface": "unpaved"}, {"season": "lluvias", "rain_unpaved_factor": 0.25}, 7),
    ({"road_class": "track"}, {"season": "lluvias", "rain_closes": ("brechas",)}, 0), ({"ford": True}, {"season": "lluvias"}, 40),
    ({"ford": True}, {"season": "lluvias", "rain_closes": ("vados",)}, 0), ({"ford": True}, {"rain_closes": ("vados",)}, 40),
    ({"road_class": "vereda"}, {"season": "lluvias", "rain_closes": ("veredas",)}, 0),
    ({"road_class": "carretera"}, {}, 80), (RNC, {}, 60), ({**RNC, "surface": "unpaved"}, {}, 30), ({**RNC, "surface": "paved"}, {}, 60),
    ({**RNC, "surface": "unpaved", "posted_kmh": 50.0}, {}, 50),  # the RNC's speeds stand as published
    ({**RNC, "surface": "unpaved", "posted_kmh": 50.0}, {"season": "lluvias"}, 25), ({"road_class": "calle"}, {}, 30),
    (FERRY, {}, 15), (MOTORWAY, {"road_kmh": {"motorway": 110}}, 110)])  # fmt: skip
def test_speed_of_a_road(attributes, scenario, kmh):
    """By class, posted, surface, tracktype, smoothness and season, by hand."""
    assert edge_kmh(roads(way((0, 0), (10, 0), **attributes)).edges, Scenario(**scenario)).tolist() == [pytest.approx(kmh)]


@pytest.mark.parametrize("neighbours", [8, 16])
def test_a_step_costs_what_its_cells_cost_at_its_slope(neighbours):
    """Each half, or quarter of a knight's move, at Tobler's speed for the slope from end to end, off the path or on a raster road."""
    rng = np.random.default_rng(5)
    z, road = rng.random((6, 6)) * 60, np.where(rng.random((6, 6)) < 0.4, 40.0, 0.0)
    grid, scenario = ground((6, 6), z, road_kmh=road), Scenario(neighbours=neighbours)
    for mode in ("a_pie", "vehiculo"):
        cells, factor = pace(grid, scenario, mode), step_factor(grid, scenario, mode)
        for k, (down, right) in enumerate(STEPS[:neighbours]):
            row, col = 3, 2
            end = (row + down, col + right)
            slope = (np.float32(z[end]) - np.float32(z[row, col])) / (100 * math.hypot(down, right))
            between = [] if k < 8 else [
                (row + (down // 2 if abs(down) == 2 else i * down), col + (right // 2 if abs(right) == 2 else i * right)) for i in (0, 1)]
            speeds = [6 * math.exp(-3.5 * abs(slope + 0.05)) * (1.0 if road[at] else 0.6) for at in ((row, col), end, *between)]
            if mode == "vehiculo":
                speeds = [max(40.0, v) if road[at] else v for v, at in zip(speeds, ((row, col), end, *between), strict=True)]
            told = (cells[row, col] + cells[end]) / 2 * factor[row, col, k]
            assert told == pytest.approx(np.mean([60 / (1000 * v) for v in speeds]), rel=1e-6), (mode, k)
        assert np.isinf(factor[0, :, [k for k, (down, _) in enumerate(STEPS[:neighbours]) if down < 0]]).all()  # off the grid


def test_flat_ground_needs_no_factor_of_steps():
    assert step_factor(ground((4, 4), slope=20), Scenario(), "a_pie") is None
    sixteen = step_factor(ground((4, 4)), Scenario(neighbours=16), "a_pie")
    assert sixteen[2, 1][:8] == pytest.approx(1.0)
