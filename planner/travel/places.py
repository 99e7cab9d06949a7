"""Points set on the ground: the cell each one stands in, moved off what cannot be walked."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd

from planner.model import Grid
from planner.travel.join import crosses


@dataclass(frozen=True, eq=False)
class Places:
    """Points sorted by id, each with its coordinates (metres) and its flat cell (row * width + column), -1 where refused."""

    ids: pd.Index
    cells: np.ndarray  # int64
    x: np.ndarray
    y: np.ndarray
    moved: pd.DataFrame  # id, metres (NaN: refused), result (movida / rechazada)

    def only(self, chosen: np.ndarray) -> Places:
        """The places where the mask `chosen` is true."""
        ids = self.ids[chosen]
        return Places(ids, self.cells[chosen], self.x[chosen], self.y[chosen], self.moved[self.moved["id"].isin(ids)])


def set_on_grid(
    grid: Grid, pace: np.ndarray, points: gpd.GeoDataFrame, *, snap_max_m: float, barriers: gpd.GeoSeries | None = None
) -> Places:
    """The cell of each point (index = id, grid CRS), moved off impassable ground.

    A point on an impassable cell goes to the passable cell whose centre is nearest to that of its own, no farther than
    `snap_max_m`; of several equally near the easiest one (`pace`), then the northernmost and westernmost. One that a
    barrier parts from the centre of its cell goes to the nearest of the eight around whose centre no barrier hides. The
    move costs no minutes but is listed. Where there is none, and outside the grid, the point is refused and listed.
    """
    points = points.sort_index()
    x, y = points.geometry.x.to_numpy(float), points.geometry.y.to_numpy(float)
    known = np.isfinite(x) & np.isfinite(y)
    row, col = grid.cells(np.where(known, x, 0.0), np.where(known, y, 0.0))
    height, width = grid.shape
    inside = known & (row >= 0) & (row < height) & (col >= 0) & (col < width)
    cells = np.where(inside, row * width + col, -1)
    blocked = ~inside | np.isinf(pace.ravel()[cells])
    parted = ~blocked & crosses(barriers, x, y, *grid.centres(cells))
    astray = np.flatnonzero(blocked | parted)
    metres = np.full(len(astray), np.nan)
    for k, i in enumerate(astray):
        if parted[i]:
            cells[i], metres[k] = _same_side(grid, pace, int(row[i]), int(col[i]), x[i], y[i], barriers)
        elif inside[i]:
            cells[i], metres[k] = _nearest_passable(pace, int(row[i]), int(col[i]), grid.cell_m, snap_max_m)
    moved = pd.DataFrame({
        "id": points.index[astray], "metres": metres, "result": np.where(np.isnan(metres), "rechazada", "movida"),
    })  # fmt: skip
    return Places(points.index, cells, x, y, moved)


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


def _same_side(
    grid: Grid, pace: np.ndarray, row: int, col: int, x: float, y: float, barriers: gpd.GeoSeries | None
) -> tuple[int, float]:
    """Flat cell around a point whose centre no barrier hides from it, the nearest, and its distance; (-1, NaN) if none."""
    rows, cols = (np.clip(np.arange(at - 1, at + 2), 0, n - 1) for at, n in zip((row, col), grid.shape, strict=True))
    near = np.unique((rows[:, None] * grid.shape[1] + cols).ravel())
    near = near[np.isfinite(pace.ravel()[near])]
    to_x, to_y = grid.centres(near)
    metres = np.hypot(to_x - x, to_y - y)
    seen = ~crosses(barriers, np.full(len(near), x), np.full(len(near), y), to_x, to_y)
    if not seen.any():
        return -1, np.nan
    k = np.lexsort((near[seen], metres[seen]))[0]
    return int(near[seen][k]), float(metres[seen][k])
