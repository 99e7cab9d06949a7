"""Isochrones over roads, hills and rivers: whoever stands inside one gets there in that time."""

from dataclasses import replace

import geopandas as gpd
import numpy as np
import pytest
import shapely
from small_roads import BRIDGE, ground, laid, points, roads, way

from planner.access.catchments import isochrones
from planner.sources.barriers import blocked_steps
from planner.travel.ground import labels, read_labels, surface

SIDE = 30
LIMITS = (15.0, 30.0, 60.0)


@pytest.mark.parametrize("mode", ["a_pie", "vehiculo"])
@pytest.mark.parametrize("seed", range(5))
def test_none_of_a_thousand_points_is_falsely_inside(seed, mode):
    """Ten worlds of 1,000 points each: hills, a river with a bridge, a lake, ground that nobody walks."""
    rng = np.random.default_rng(seed)
    rows, cols = np.indices((SIDE, SIDE))
    z = 200 * np.sin(rows / 5 + seed) + 150 * np.cos(cols / 4)
    bed = 1500 + 300 * np.sin(np.arange(40) / 4) + rng.normal(0, 40, 40)
    river = shapely.LineString(np.column_stack([np.linspace(-10, 3010, 40), bed]))
    lake = shapely.Point(*rng.uniform(400, 2600, 2)).buffer(250)
    barriers = gpd.GeoSeries([river, lake])
    grid = ground((SIDE, SIDE), z, factor=np.where(rng.random((SIDE, SIDE)) < 0.05, np.nan, 1.0))
    grid = replace(grid, blocked=blocked_steps(grid.shape, grid.transform, barriers))
    net = roads(way((50, 200), (1400, 900)), way((1400, 900), (1420, 2100), **BRIDGE), way((1420, 2100), (2900, 2700)))
    on = laid(grid, net, mode, barriers=barriers)
    sites = on.set(points(a=tuple(rng.uniform(0, 3000, 2)), b=tuple(rng.uniform(0, 3000, 2))))
    found = labels(on, sites)
    areas = isochrones(surface(on, found, sites), grid, LIMITS).set_index("limit_min").geometry
    people = on.set(points(**{f"p{i:04d}": tuple(xy) for i, xy in enumerate(rng.uniform(0, 3000, (1000, 2)))}))
    minutes = read_labels(on, found, sites, people)["minutes"].to_numpy()
    inside = 0
    for limit, area in areas.items():
        held = shapely.contains_xy(area, people.x, people.y)
        assert (minutes[held] <= limit).all(), (limit, minutes[held].max())
        inside += held.sum()
    assert inside > 20
