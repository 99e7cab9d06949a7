"""Points set on the grid, and the minutes from every cell to the nearest of them."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd

from planner.model import Grid, Surface
from planner.travel.search import nearest_source

# Minutes are told to the millionth: what is 60 minutes on paper is within 60, whatever the binary fractions.
DECIMALS = 6


@dataclass(frozen=True, eq=False)
class Places:
    """Points sorted by id, each with its flat cell (row * width + column) or -1 where it was refused."""

    ids: pd.Index
    cells: np.ndarray  # int64
    moved: pd.DataFrame  # id, metres (NaN: refused), result (movida / rechazada)

    def only(self, chosen: np.ndarray) -> Places:
        """The places where the mask `chosen` is true."""
        ids = self.ids[chosen]
        return Places(ids, self.cells[chosen], self.moved[self.moved["id"].isin(ids)])


def set_on_grid(grid: Grid, pace: np.ndarray, points: gpd.GeoDataFrame, *, snap_max_m: float) -> Places:
    """The cell of each point (index = id, grid CRS), moved off impassable ground.

    A point on an impassable cell goes to the passable cell whose centre is nearest to that of its own, no farther than
    `snap_max_m`; of several equally near the easiest one (`pace`), then the northernmost and westernmost. The move
    costs no minutes but is listed. Where there is none, and outside the grid, the point is refused and listed.
    """
    points = points.sort_index()
    x, y = points.geometry.x.to_numpy(float), points.geometry.y.to_numpy(float)
    known = np.isfinite(x) & np.isfinite(y)
    row, col = grid.cells(np.where(known, x, 0.0), np.where(known, y, 0.0))
    height, width = grid.shape
    inside = known & (row >= 0) & (row < height) & (col >= 0) & (col < width)
    cells = np.where(inside, row * width + col, -1)
    astray = np.flatnonzero(~inside | np.isinf(pace.ravel()[cells]))
    metres = np.full(len(astray), np.nan)
    for k, i in enumerate(astray):
        if inside[i]:
            cells[i], metres[k] = _nearest_passable(pace, int(row[i]), int(col[i]), grid.cell_m, snap_max_m)
    moved = pd.DataFrame({
        "id": points.index[astray], "metres": metres, "result": np.where(np.isnan(metres), "rechazada", "movida"),
    })  # fmt: skip
    return Places(points.index, cells, moved)


def nearest_surface(grid: Grid, pace: np.ndarray, places: Places, *, bound_min: float = np.inf) -> Surface:
    """Minutes from every cell to the nearest of `places` within the bound, and which one (ties: the lowest id)."""
    minutes, site = nearest_source(pace, grid.cell_m, places.cells, bound_min=bound_min + 10.0**-DECIMALS)
    minutes = np.round(minutes, DECIMALS)
    beyond = minutes > bound_min
    return Surface(np.where(beyond, np.inf, minutes), np.where(beyond, -1, site).astype(np.int32), tuple(places.ids))


def _nearest_passable(pace: np.ndarray, row: int, col: int, cell_m: float, snap_max_m: float) -> tuple[int, float]:
    """Flat cell of the nearest passable cell and its distance in metres; (-1, NaN) beyond the limit."""
    reach = int(snap_max_m // cell_m)
    top, left = max(0, row - reach), max(0, col - reach)
    window = pace[top : row + reach + 1, left : col + reach + 1]
    rows, cols = np.nonzero(np.isfinite(window))
    squared = (rows + top - row) ** 2 + (cols + left - col) ** 2
    if not squared.size or cell_m * np.sqrt(squared.min()) > snap_max_m:
        return -1, np.nan
    k = np.lexsort((cols, rows, window[rows, cols], squared))[0]
    return int((rows[k] + top) * pace.shape[1] + cols[k] + left), float(cell_m * np.sqrt(squared[k]))
