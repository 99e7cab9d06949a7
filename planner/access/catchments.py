"""Areas of influence: which ground each unit is the nearest to, in bands of minutes."""

from __future__ import annotations

from collections.abc import Sequence

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from rasterio.features import shapes
from rasterio.transform import Affine

from planner.model import Grid, Surface


def catchments(surface: Surface, grid: Grid, bands: Sequence[float]) -> gpd.GeoDataFrame:
    """Polygons of the cells that each site is nearest to, one per site and band of minutes, in the grid's CRS.

    `bands` are the upper edges in minutes, inclusive: 30, 60 gives 0 <= t <= 30 and 30 < t <= 60; cells beyond the
    last edge belong to nobody. Polygons follow the edges of the cells, so a point inside one has that band's minutes,
    and together they cover each reached cell once. Columns: site, from_min, to_min, geometry (MultiPolygon); rows
    sorted by site and band.
    """
    edges = np.unique(np.asarray(bands, float))
    band = np.searchsorted(edges, surface.minutes, side="left")
    reached = (surface.site >= 0) & (band < edges.size)
    label = np.where(reached, surface.site * edges.size + band, -1).astype(np.int32)
    found = sorted(shapes(label, mask=reached, connectivity=4, transform=Affine(*grid.transform)), key=lambda part: part[1])
    labels, group = np.unique(np.array([value for _, value in found], np.int64), return_inverse=True)
    parts = np.array([shapely.geometry.shape(outline) for outline, _ in found], object)
    # parts of one label meet at corners at most, so collecting them needs no union
    areas = shapely.multipolygons(parts, indices=group) if found else np.array([], object)
    site, step = np.divmod(labels, edges.size)
    return gpd.GeoDataFrame(
        {"site": pd.Series([surface.sites[i] for i in site], dtype="str"),
         "from_min": np.concatenate([[0.0], edges])[step], "to_min": edges[step]}, geometry=areas, crs=grid.crs)
