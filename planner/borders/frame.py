"""The rectangle that a window is cut by."""

from __future__ import annotations

import geopandas as gpd
import numpy as np

from planner.model import Region

Box = tuple[float, float, float, float]  # west, south, east, north, metres


def box_of(region: Region, metres: float) -> Box:
    """The bounds of the state's localities and units, so many metres wider; points off its grid, which are misplaced, do not stretch it."""
    west, south, east, north = region.grid.bounds
    near = [frame.cx[west:east, south:north] for frame in (region.localities, region.units)]
    found = points_bounds(*near)
    bounds = found if np.isfinite(found).all() else region.grid.bounds
    return bounds[0] - metres, bounds[1] - metres, bounds[2] + metres, bounds[3] + metres


def points_bounds(*frames: gpd.GeoDataFrame) -> Box:
    """The bounds of all points that have coordinates; NaN where none has."""
    every = np.concatenate([np.column_stack([f.geometry.x.to_numpy(float), f.geometry.y.to_numpy(float)]) for f in frames])
    every = every[np.isfinite(every).all(axis=1)]
    if not len(every):
        return (np.nan,) * 4
    (west, south), (east, north) = every.min(axis=0), every.max(axis=0)
    return float(west), float(south), float(east), float(north)


def inside(points: gpd.GeoDataFrame, box: Box) -> np.ndarray:
    """Which points stand in the box, its edges included; bool. Those without coordinates do not."""
    x, y = points.geometry.x.to_numpy(float), points.geometry.y.to_numpy(float)
    return np.asarray((x >= box[0]) & (y >= box[1]) & (x <= box[2]) & (y <= box[3]))
