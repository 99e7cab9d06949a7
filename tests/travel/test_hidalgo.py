"""The planning office's own travel-time surfaces of Hidalgo, reproduced by the product's code."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio

from planner.kinds import Mode
from planner.model import Grid, Region
from planner.settings import Scenario
from planner.sources.rasters import read_grid
from planner.travel.board import lay_out, nearest
from planner.travel.network import Anchors, Network
from planner.travel.speeds import pace
from planner.travel.times import compute_travel

CRS = "EPSG:32614"
SIGEH = Scenario(speed_model="sigeh")


@pytest.fixture(scope="module")
def grid(shared: Path) -> Grid:
    folder = shared / "data" / "hidalgo"
    return read_grid(folder / "carreteras.tif", folder / "pendiente.tif", folder / "uso_de_suelo_friccion.tif", CRS)


@pytest.fixture(scope="module")
def units(shared: Path) -> dict[str, gpd.GeoDataFrame]:
    """Units of each level in the office's own files, by CLUES."""
    folder = shared / "oracles" / "hidalgo_traveltime"
    return {
        level: gpd.read_file(folder / f"clues{level}_info_accesibilidad.geojson").to_crs(CRS).sort_values("CLUES") for level in ("N1", "N2")
    }


@pytest.fixture(scope="module")
def region(hidalgo: Region) -> Region:
    return hidalgo


def _cells(grid: Grid, points: gpd.GeoDataFrame) -> np.ndarray:
    row, col = grid.cells(points.geometry.x.to_numpy(), points.geometry.y.to_numpy())
    return row * grid.shape[1] + col


def _minutes(grid: Grid, mode: Mode, points: gpd.GeoDataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Minutes to the nearest of the points' cells, and its position, in every cell."""
    found = nearest(lay_out(Network(pace(grid, SIGEH, mode), grid.cell_m)), Anchors.at(_cells(grid, points)))
    return found.minutes.reshape(grid.shape), found.source.reshape(grid.shape)


@pytest.mark.parametrize(("level", "mode", "cells", "matched"), [
    ("N1", "vehiculo", 492_200, 492_199), ("N1", "a_pie", 474_475, 474_475),
    ("N2", "vehiculo", 412_182, 412_182), ("N2", "a_pie", 152_207, 152_207)])  # fmt: skip
def test_published_surface(shared, grid, units, level, mode, cells, matched):
    """A unit on impassable ground (four of N1) is at 0 minutes in its own cell, as published, and reaches no other."""
    prefix = "acces" if mode == "vehiculo" else "acces_peatonal"
    with rasterio.open(shared / "oracles" / "hidalgo_traveltime" / f"{prefix}_CLUES{level}_max90.tif") as file:
        published = file.read(1, masked=True).astype(float).filled(np.nan)
    minutes, _ = _minutes(grid, mode, units[level])
    told = np.isfinite(published)
    assert int(told.sum()) == cells
    assert int((np.abs(minutes - published)[told] <= 1e-5).sum()) == matched
    assert not (minutes[~told] < 90 - 1e-3).any()


def test_published_referral_hospitals(grid, units):
    """Every comparable first-level unit has the published nearest second level; the minutes differ for one."""
    first, second = units["N1"], units["N2"]
    minutes, closest = _minutes(grid, "vehiculo", second)
    at = _cells(grid, first)
    comparable = np.isfinite(minutes.ravel()[at])
    hospital = second["CLUES"].to_numpy()[closest.ravel()[at]]
    same = hospital == first["CLUESN2_mas_cercana"].to_numpy()
    close = np.abs(minutes.ravel()[at] - first["tiempo_promedio_CLUES_N2"]) <= 1e-3
    assert int(comparable.sum()) == 998
    assert int((same & comparable).sum()) == 998
    assert int((close & comparable).sum()) == 997


def test_people_beyond_reach_as_in_an_independent_trial(region):
    """Target people by vehicle, localities on impassable cells counted as beyond, a `*` at the state's share."""
    travel = compute_travel(region, SIGEH)
    places = region.localities
    people = places["uninsured"].where(~places["uninsured_imputed"], places["population"] * 0.664)
    impassable = places.index.isin(travel.moved.loc[travel.moved["kind"] == "localidad", "id"])
    first, hospital = (travel.nearest[level, "vehiculo"]["minutes"] for level in ("primer_nivel", "hospital"))
    assert int(impassable.sum()) == 66
    assert people.sum() == pytest.approx(2_047_241, abs=1)
    assert people[(first > 60) | impassable].sum() == pytest.approx(29_822, abs=1)
    assert people[(hospital > 120) | impassable].sum() == pytest.approx(63_772, abs=1)


def test_base_scenario_of_the_state(region):
    """Near the trial's 231,402 people beyond an hour's walk, which averaged speeds up and down, not times."""
    scenario = Scenario()
    travel = compute_travel(region, scenario)
    minutes = travel.nearest["primer_nivel", "a_pie"]["minutes"]
    assert region.localities["uninsured"].sum() == pytest.approx(2_047_505, abs=1)
    assert region.localities["uninsured"][minutes > 60].sum() == pytest.approx(231_402, rel=0.005)
    assert travel.moved["result"].eq("movida").all()
    assert len(travel.first_level.sites) == 726  # four hospitals answer for somebody
    either = np.minimum(*(travel.nearest[level, "vehiculo"]["minutes"] for level in ("primer_nivel", "hospital")))
    np.testing.assert_array_equal(travel.bases.nearest()["minutes"], either.where(either <= scenario.first_stop_max_min, np.inf))
    assert travel.road_all_year[travel.seats.sites].all()
    assert (minutes[travel.seats.sites] >= scenario.umr_spacing_min).all()
