"""Points on impassable cells or across a barrier from the centre of theirs: moved, listed or refused; and surfaces of minutes."""

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
import valley
from small_roads import ground, laid
from small_roads import points as at

from planner.travel.ground import labels, nearest_surface, read_labels, surface
from planner.travel.places import set_on_grid


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


def test_a_point_across_a_barrier_goes_to_the_nearest_centre_on_its_side():
    """The stream runs through row 1, north of its centres: what lies beyond it goes up a row, what is fenced in goes nowhere."""
    stream = gpd.GeoSeries([shapely.LineString([(-10, 280), (310, 280)]), shapely.Point(250, 130).buffer(5).exterior])
    points = at(north=(120, 290), south=(120, 230), island=(250, 130))
    places = set_on_grid(ground((4, 3)), np.full((4, 3), 0.01), points, snap_max_m=500, barriers=stream)
    assert list(places.ids) == ["island", "north", "south"]
    assert places.cells.tolist() == [-1, 1, 4]
    assert places.moved[["id", "result"]].to_numpy().tolist() == [["island", "rechazada"], ["north", "movida"]]
    assert places.moved["metres"].iloc[1] == np.hypot(30, 60)


PER_CELL = 100 * 60 / (6000 * np.exp(-3.5 * 0.05)) / 0.6  # minutes to walk a flat cell off the road


def test_surface_tells_minutes_and_site_within_the_inclusive_bound():
    factor = np.ones((3, 9))
    factor[0, 5] = np.nan
    on = laid(ground((3, 9), factor=factor))
    places = on.set(at(z=(50, 150), y=(450, 150), wall=(550, 250)))
    walled = laid(ground((3, 9), factor=factor), snap_max_m=0)
    assert walled.set(at(wall=(550, 250))).cells.tolist() == [-1]
    bound = round(2 * PER_CELL, 6)
    told = nearest_surface(on, places.only(places.ids != "wall"), bound_min=bound)
    assert told.sites == ("y", "z")
    np.testing.assert_array_equal(told.minutes[1], np.round(np.array([0, 1, 2, 1, 0, 1, 2, np.inf, np.inf]) * PER_CELL, 6))
    assert told.site[1].tolist() == [1, 1, 0, 0, 0, 0, 0, -1, -1]  # column 2 is a tie: y before z
    assert np.isinf(told.minutes[0, 5])
    free = labels(on, places.only(places.ids != "wall"))
    cut = surface(on, free, places.only(places.ids != "wall"), bound_min=bound)
    np.testing.assert_array_equal(cut.minutes, told.minutes)
    np.testing.assert_array_equal(cut.site, told.site)


def test_minutes_that_are_whole_on_paper_are_whole():
    """Nine cells of 0.3 minutes are 2.7 minutes, not 2.6999999999999997: inclusive thresholds hold on both sides."""
    on = laid(ground((1, 10), road_kmh=20))
    assert nearest_surface(on, on.set(at(a=(50, 50)))).minutes[0].tolist() == [0, 0.3, 0.6, 0.9, 1.2, 1.5, 1.8, 2.1, 2.4, 2.7]
    assert nearest_surface(on, on.set(at(a=(50, 50))), bound_min=1.5).minutes[0].tolist() == [0, 0.3, 0.6, 0.9, 1.2, 1.5, *[np.inf] * 4]


def test_read_labels_tells_refused_from_unreachable():
    factor = np.ones((1, 5))
    factor[0, 2] = np.nan
    on = laid(ground((1, 5), factor=factor))
    sites, places = on.set(at(u=(50, 50))), on.set(at(near=(150, 50), far=(450, 50), off=(-50, 50)))
    table = read_labels(on, labels(on, sites), sites, places)
    assert list(table.index) == ["far", "near", "off"]
    assert table["minutes"].tolist()[:2] == [np.inf, round(PER_CELL, 6)]
    assert np.isnan(table["minutes"].iloc[2])
    assert table["clues"].isna().tolist() == [True, False, True]
