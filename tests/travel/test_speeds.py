"""Paces against the formulas written out by hand, and the order that must hold between them."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.model import Grid
from planner.settings import Scenario
from planner.travel.speeds import SLOWEST_KMH, pace

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
