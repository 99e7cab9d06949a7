"""Points on impassable cells: moved, listed or refused; and surfaces of minutes."""

import geopandas as gpd
import numpy as np
import pandas as pd
import valley

from planner.travel.surface import nearest_surface, set_on_grid


def _points(**cells: tuple[float, float]) -> gpd.GeoDataFrame:
    """Points by id at (row, column) of the valley's grid; .5 is the middle of a cell."""
    x = [valley.ORIGIN[0] + col * valley.CELL for _, col in cells.values()]
    y = [valley.ORIGIN[1] - row * valley.CELL for row, _ in cells.values()]
    return gpd.GeoDataFrame(index=pd.Index(list(cells), dtype="str"), geometry=gpd.points_from_xy(x, y), crs=valley.CRS)


def _pace() -> np.ndarray:
    """The valley's drawing in paces: road 0.001, ground 0.02, the wall of rows 3-4 in column 6."""
    grid = valley.grid()
    return np.where(grid.road_kmh > 0, 0.001, np.where(np.isnan(grid.walk_factor), np.inf, 0.02))


def test_a_point_is_moved_to_the_nearest_passable_cell_the_easiest_of_equals():
    places = set_on_grid(valley.grid(), _pace(), _points(c=(3.5, 6.9), a=(0.2, 0.2), b=(4.5, 6.5)), snap_max_m=1000)
    assert list(places.ids) == ["a", "b", "c"]
    assert places.cells.tolist() == [0, 45, 26]  # b: west before east and south (row-major); c: up to the road
    assert places.moved.to_dict("list") == {"id": ["b", "c"], "metres": [1000, 1000], "result": ["movida", "movida"]}


def test_beyond_the_limit_and_off_the_grid_it_is_refused():
    points = _points(near=(3.5, 6.5), north=(-0.1, 3), east=(2, 10.1), lost=(np.nan, np.nan))
    places = set_on_grid(valley.grid(), _pace(), points, snap_max_m=999)
    assert places.cells.tolist() == [-1, -1, -1, -1]
    assert set(places.moved["result"]) == {"rechazada"}
    assert places.moved["metres"].isna().all()


def test_only_keeps_what_concerns_the_chosen():
    places = set_on_grid(valley.grid(), _pace(), _points(a=(0.5, 0.5), b=(4.5, 6.5)), snap_max_m=1000)
    chosen = places.only(places.ids == "a")
    assert (list(chosen.ids), chosen.cells.tolist(), len(chosen.moved)) == (["a"], [0], 0)


def test_surface_tells_minutes_and_site_within_the_inclusive_bound():
    grid, pace = valley.grid(), _pace()
    places = set_on_grid(grid, pace, _points(z=(2.5, 0.5), y=(2.5, 4.5), wall=(3.5, 6.5)), snap_max_m=0)
    surface = nearest_surface(grid, pace, places, bound_min=2.0)
    assert surface.sites == ("wall", "y", "z")
    assert surface.minutes[2].tolist() == [0, 1, 2, 1, 0, 1, 2, np.inf, np.inf, np.inf]
    assert surface.site[2].tolist() == [2, 2, 1, 1, 1, 1, 1, -1, -1, -1]  # column 2 is a tie: y before z
    assert np.isinf(surface.minutes[3:5, 6]).all()


def test_minutes_that_are_whole_on_paper_are_whole():
    """Nine cells of 0.3 minutes are 2.7 minutes, not 2.6999999999999997: inclusive thresholds hold on both sides."""
    grid = valley.grid()
    places = set_on_grid(grid, np.full((6, 10), 0.0003), _points(a=(2.5, 0.5)), snap_max_m=0)
    assert nearest_surface(grid, np.full((6, 10), 0.0003), places).minutes[2].tolist() == [
        0, 0.3, 0.6, 0.9, 1.2, 1.5, 1.8, 2.1, 2.4, 2.7]
