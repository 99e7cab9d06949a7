"""Areas of influence: whole cells, nearest unit, inclusive bands."""

import time

import geopandas as gpd
import numpy as np
import pytest
import valley
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from planner.access.catchments import catchments
from planner.model import Grid, Surface

EDGES = (30.0, 60.0, 90.0)


def flat(shape: tuple[int, int]) -> Grid:
    zero = np.zeros(shape, np.float32)
    return Grid((valley.CELL, 0.0, valley.ORIGIN[0], 0.0, -valley.CELL, valley.ORIGIN[1]), valley.CRS, zero, zero, zero)


def centres(grid: Grid) -> gpd.GeoSeries:
    row, col = np.indices(grid.shape).reshape(2, -1)
    x, y = valley.ORIGIN[0] + (col + 0.5) * valley.CELL, valley.ORIGIN[1] - (row + 0.5) * valley.CELL
    return gpd.GeoSeries.from_xy(x, y, crs=grid.crs)


def test_a_hand_drawn_valley_gives_the_rectangles_one_can_count() -> None:
    minutes = np.array([[0.0, 30.0, 30.0000001, 60.0], [60.1, 90.0, 90.1, np.inf]])
    site = np.array([[0, 0, 0, 1], [1, 1, 1, -1]], np.int32)
    found = catchments(Surface(minutes, site, ("A", "B")), flat((2, 4)), EDGES)
    assert found[["site", "from_min", "to_min"]].to_numpy().tolist() == [
        ["A", 0.0, 30.0], ["A", 30.0, 60.0], ["B", 30.0, 60.0], ["B", 60.0, 90.0]]
    assert (found.area / valley.CELL**2).tolist() == [2.0, 1.0, 1.0, 2.0]
    assert found.geometry[0].bounds == (500_000.0, 2_205_000.0, 502_000.0, 2_206_000.0)
    assert set(found.geom_type) == {"MultiPolygon"}
    assert found.crs == valley.CRS


def test_nobody_reached_gives_an_empty_table() -> None:
    found = catchments(Surface(np.full((2, 4), np.inf), np.full((2, 4), -1, np.int32), ("A",)), flat((2, 4)), EDGES)
    assert found.empty
    assert list(found.columns) == ["site", "from_min", "to_min", "geometry"]
    assert found.crs == valley.CRS


@settings(max_examples=60, deadline=None)
@given(hnp.arrays(float, (7, 9), elements=st.sampled_from([0.0, 29.9, 30.0, 30.1, 60.0, 60.1, 90.0, 90.1, np.inf])),
       hnp.arrays(np.int32, (7, 9), elements=st.integers(-1, 3)))
def test_polygons_say_of_every_cell_what_the_surface_says(minutes: np.ndarray, site: np.ndarray) -> None:
    grid = flat((7, 9))
    found = catchments(Surface(minutes, site, ("A", "B", "C", "D")), grid, EDGES)
    assert found.geometry.is_valid.all()
    reached = ((minutes <= 90.0) & (site >= 0)).ravel()
    at = gpd.sjoin(centres(grid).to_frame("geometry"), found, predicate="within")
    assert at.index.is_unique  # no overlap
    assert set(at.index) == set(np.flatnonzero(reached))  # no gap, nothing beyond
    assert found.area.sum() == pytest.approx(reached.sum() * valley.CELL**2)
    t = minutes.ravel()[at.index]
    assert (t <= at["to_min"]).all()
    assert ((t > at["from_min"]) | ((t == 0) & (at["from_min"] == 0))).all()
    assert at["site"].tolist() == [("A", "B", "C", "D")[i] for i in site.ravel()[at.index]]
    assert found[["site", "to_min"]].apply(tuple, axis=1).is_monotonic_increasing


def test_a_state_takes_seconds() -> None:
    grid = flat((998, 978))
    row, col = np.indices(grid.shape)
    draw = np.random.default_rng(1)
    seeds = draw.integers(0, 970, (722, 2))
    owner = gpd.sjoin_nearest(
        gpd.GeoDataFrame(geometry=gpd.points_from_xy(col.ravel()[::400], row.ravel()[::400])),
        gpd.GeoDataFrame(geometry=gpd.points_from_xy(seeds[:, 1], seeds[:, 0])))
    owner = owner[~owner.index.duplicated()]["index_right"].to_numpy(np.int32)
    site = np.repeat(owner, 400)[: row.size].reshape(grid.shape)
    minutes = 60 + 45 * np.sin(row / 9) * np.cos(col / 7)
    started = time.process_time()
    found = catchments(Surface(minutes, site, tuple(f"{i:04d}" for i in range(722))), grid, EDGES)
    assert time.process_time() - started < 10
    assert found.area.sum() == pytest.approx((minutes <= 90).sum() * valley.CELL**2)
    assert found.geometry.is_valid.all()
