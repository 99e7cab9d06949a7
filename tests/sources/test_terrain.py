"""The ground: a grid around the places where no raster gives one, and elevation whose sea and voids are told."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.errors import DataError
from planner.sources.rasters import write_raster
from planner.sources.terrain import CELLS_AIM, MARGIN_M, TerrainFiles, made_grid, read_terrain, sea

CRS = "EPSG:32614"
NONE = gpd.GeoSeries([], crs=CRS)


def places(*xy):
    return gpd.GeoSeries(gpd.points_from_xy(*zip(*xy, strict=True)), index=[f"13{i:07d}" for i in range(len(xy))], crs=CRS)


def raster(folder, name, values, transform, crs=CRS, nodata=np.nan):
    write_raster(folder / f"{name}.tif", np.asarray(values, np.float32), transform, crs, nodata)
    return folder / f"{name}.tif"


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.floats(2e5, 8e5), st.floats(1.5e6, 3e6)), min_size=1, max_size=5),
       st.sampled_from([None, 100.0, 400.0, 1000.0]))
def test_a_made_grid_holds_every_place_with_its_margin(points, cell_m):
    here = places(*points)
    try:
        (cell, _, west, _, down, north), (height, width) = made_grid(here, NONE, cell_m)
    except DataError:
        assert cell_m == 100
        return
    assert (down, west % cell, north % cell) == (-cell, 0, 0)
    assert cell == cell_m or cell_m is None
    left, bottom, right, top = here.total_bounds
    assert west <= left - MARGIN_M < west + cell
    assert north >= top + MARGIN_M > north - cell
    assert west + width * cell >= right + MARGIN_M
    assert north - height * cell <= bottom - MARGIN_M


@pytest.mark.parametrize(("side_km", "cell"), [(150, 100), (200, 150), (350, 200), (450, 250), (700, 250)])
def test_the_cell_is_the_finest_that_keeps_the_grid_small(side_km, cell):
    transform, (height, width) = made_grid(places((3e5, 2e6), (3e5 + side_km * 1e3, 2e6 + side_km * 1e3)), NONE, None)
    assert transform[0] == cell
    assert height * width <= CELLS_AIM or side_km == 700


def test_units_stretch_the_grid_unless_they_are_astray():
    town = places((500_000, 2_200_000))
    near, astray = places((540_000, 2_200_000)), places((540_000, 2_200_000), (900_000, 2_200_000))
    assert made_grid(town, near, None) == made_grid(town, astray, None)
    assert made_grid(town, near, None)[1] == (100, 500)
    assert made_grid(town, NONE, None)[1] == (100, 100)


def test_a_place_across_the_world_is_told_and_not_gridded():
    with pytest.raises(DataError, match=r"celdas de 250 m .*130000001"):
        made_grid(places((500_000, 2_200_000), (9_000_000, 9_000_000)), NONE, None)


def test_sea_is_wide_connected_ground_at_zero():
    ground = np.full((40, 40), 5.0)
    ground[:10, :9] = 0  # 90 ha: a lagoon, or noise
    ground[20:30, 20:30] = 0  # 100 ha
    for i in range(10):
        ground[30 + i, 30 + i] = 0  # joined by corners
    ground[35, 0] = np.nan
    ground[0, 39] = -1
    mask = sea(ground, 100.0)
    assert mask[20:30, 20:30].all()
    assert mask.sum() == 110
    assert not sea(np.full((5, 5), np.nan), 100.0).any()
    assert sea(np.zeros((10, 10)), 100.0).all()


TOWN = places((500_050, 2_200_050))


def test_elevation_makes_a_grid_with_voids_and_sea_told(tmp_path):
    z = np.full((150, 150), 700.0)
    z[:, 100:] = 0  # sea to the east
    z[:20, :5] = np.nan
    files = TerrainFiles(dem=(raster(tmp_path, "dem", z, (100.0, 0, 492_000, 0, -100.0, 2_208_000)),))
    grid, findings = read_terrain(files, TOWN, NONE, CRS)
    assert (grid.cell_m, grid.shape) == (100.0, (101, 101))
    assert grid.elevation_m is not None
    rows, cols = np.indices(grid.shape)
    x = grid.transform[2] + (cols + 0.5) * 100
    np.testing.assert_array_equal(np.isnan(grid.elevation_m), x > 502_000)
    np.testing.assert_array_equal(np.isnan(grid.slope_deg), x > 502_000)
    assert not np.nansum(grid.slope_deg)
    assert (grid.road_kmh == 0).all()
    assert (grid.walk_factor == 1).all()
    assert [(f.code, f.count, f.severity) for f in findings] == [("dem_mar", int((x > 502_000).sum()), "nota")]
    assert findings[0].examples[-1] == "31.3 km2"


def test_voids_are_not_filled_and_are_counted(tmp_path):
    z = np.full((150, 150), 700.0)
    z[70, 70] = np.nan
    z[100, 100] = -9999  # undeclared
    files = TerrainFiles(dem=(raster(tmp_path, "dem", z, (100.0, 0, 492_000, 0, -100.0, 2_208_000)),))
    grid, findings = read_terrain(files, TOWN, NONE, CRS)
    assert int(np.isnan(grid.slope_deg).sum()) == 2
    assert {f.code: f.count for f in findings} == {"dem_imposible": 1, "dem_vacios": 2}
    assert findings[0].examples == ("dem.tif: -9999 m",)
    assert findings[1].examples[0] == "499050 E 2200950 N"


def test_a_raster_defines_the_grid_and_elevation_and_people_come_onto_it(tmp_path):
    here = (200.0, 0, 490_100.5, 0, -200.0, 2_210_000)
    files = TerrainFiles(
        speed=raster(tmp_path, "speed", np.full((80, 90), 30), here),
        dem=(raster(tmp_path, "dem", np.full((60, 60), 700), (0.005, 0, -99.12, 0, -0.005, 20.02), "EPSG:4326"),),
        population=raster(tmp_path, "gente", np.full((60, 60), 2), (0.005, 0, -99.12, 0, -0.005, 20.02), "EPSG:4326"))
    grid, findings = read_terrain(files, TOWN, NONE, CRS)
    assert (grid.transform, grid.shape) == (here, (80, 90))
    assert grid.elevation_m is not None
    assert grid.people is not None
    np.testing.assert_allclose(grid.elevation_m, 700)
    area = 0.005**2 * 111_320 * np.cos(np.radians(19.95)) * 110_600  # a pixel, m2
    np.testing.assert_allclose(grid.people, 2 * 200**2 / area, rtol=0.01)
    assert findings == ()


def test_without_terrain_the_ground_is_flat_and_open():
    grid, findings = read_terrain(TerrainFiles(cell_m=500.0), TOWN, NONE, CRS)
    assert (grid.cell_m, grid.elevation_m, grid.people, grid.blocked, findings) == (500.0, None, None, None, ())
    assert not grid.slope_deg.any()
    assert (grid.walk_factor == 1).all()


def test_shuffled_places_give_the_same_grid():
    here = places(*np.random.default_rng(2).uniform((4e5, 2e6), (5e5, 2.1e6), (50, 2)))
    assert made_grid(here, NONE, None) == made_grid(here.sample(frac=1, random_state=1), NONE, None)
    assert isinstance(here, pd.Series)
