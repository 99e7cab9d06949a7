"""Terrain of several regions on one lattice, pasted into one grid."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from planner.borders.frame import Box
from planner.errors import DataError
from planner.model import Grid
from planner.sources.terrain import CELLS_MAX

_OFF = 1e-6  # of a cell, that two lattices may be apart

Span = tuple[int, int, int, int]  # first row, end row, first column, end column, in cells of the first grid


def offsets(own: Grid, other: Grid) -> tuple[int, int] | None:
    """Rows down and columns right from one grid's corner to the other's; None where they do not share a lattice."""
    a, b, west, d, e, north = own.transform
    if not np.allclose((a, b, d, e), [other.transform[i] for i in (0, 1, 3, 4)], rtol=0, atol=_OFF * 1e-3):
        return None
    down, right = (other.transform[5] - north) / e, (other.transform[2] - west) / a
    if max(abs(down - round(down)), abs(right - round(right))) > _OFF:
        return None
    return round(down), round(right)


def joined_grid(grids: Sequence[Grid], box: Box) -> Grid:
    """The first grid whole, and of the others what the box touches, on the first one's lattice (`offsets` of each is known).

    A cell tells what the first grid that knows it tells; cells that none has are without data. Elevation and people are told where the
    first grid has them; steps are not blocked. DataError beyond CELLS_MAX cells.
    """
    own = grids[0]
    spans = [(0, own.shape[0], 0, own.shape[1]), *(_span(own, other, box) for other in grids[1:])]
    there = [s for s in spans if s[1] > s[0] and s[3] > s[2]]
    top, left = min(s[0] for s in there), min(s[2] for s in there)
    shape = max(s[1] for s in there) - top, max(s[3] for s in there) - left
    if shape[0] * shape[1] > CELLS_MAX:
        raise DataError(f"El estado con su borde tendría {shape[0] * shape[1]:,} celdas de {own.cell_m:g} m (se admiten {CELLS_MAX:,}); dé "
                        "un borde más angosto, o prepare las regiones con un terrain.cell_m mayor.")
    a, b, west, d, e, north = own.transform

    def pasted(of: Callable[[Grid], np.ndarray | None], empty: float) -> np.ndarray:
        out = np.full(shape, empty, np.float32)
        for grid, span in zip(grids, spans, strict=True):
            values = of(grid)
            if values is not None and span in there:
                _fill(out[span[0] - top : span[1] - top, span[2] - left : span[3] - left], values, grid, own, span, empty)
        return out

    return Grid(
        (a, b, west + left * a, d, e, north + top * e), own.crs, pasted(lambda g: g.road_kmh, 0.0), pasted(lambda g: g.slope_deg, np.nan),
        pasted(lambda g: g.walk_factor, np.nan), None if own.elevation_m is None else pasted(lambda g: g.elevation_m, np.nan), None,
        None if own.people is None else pasted(lambda g: g.people, np.nan))


def _span(own: Grid, other: Grid, box: Box) -> Span:
    """The cells of the other grid that the box touches."""
    found = offsets(own, other)
    assert found is not None
    a, _, west, _, e, north = own.transform
    rows, cols = (found[0], found[0] + other.shape[0]), (found[1], found[1] + other.shape[1])
    low, high = np.clip([(box[3] - north) / e, (box[1] - north) / e], *rows)
    left, right = np.clip([(box[0] - west) / a, (box[2] - west) / a], *cols)
    return math.floor(low), math.ceil(high), math.floor(left), math.ceil(right)


def _fill(room: np.ndarray, values: np.ndarray, grid: Grid, own: Grid, span: Span, empty: float) -> None:
    """Write the grid's values of the span where nobody has told any."""
    found = offsets(own, grid)
    assert found is not None
    part = values[span[0] - found[0] : span[1] - found[0], span[2] - found[1] : span[3] - found[1]]
    blank = np.isnan(room) if np.isnan(empty) else room == empty
    room[blank] = part[blank]
