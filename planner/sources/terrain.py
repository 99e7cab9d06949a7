"""The ground of a region: its grid, read from rasters or made around its places, with elevation, sea and people."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
from scipy import ndimage

from planner.errors import DataError
from planner.kinds import Severity
from planner.model import Finding, Grid
from planner.sources.rasters import Affine, read_elevation, read_grid, read_people

CELLS_M = (100.0, 150.0, 200.0, 250.0)  # cell sizes that a made grid chooses from
CELLS_AIM = 4_000_000  # the finest cell that keeps a made grid within this
CELLS_MAX = 40_000_000  # beyond it a coordinate is wrong, or the cell too small for one computer
MARGIN_M = 5_000.0  # ground around the outermost places
STRAY_M = 50_000.0  # a unit farther than this from every locality's bounds is misplaced: it does not stretch the grid
SEA_KM2 = 1.0  # connected ground at exactly 0 m is sea from this size on
_SIDES = np.ones((3, 3), bool)


@dataclass(frozen=True)
class TerrainFiles:
    """Files of a region's ground; what it has not is None, or no file."""

    speed: Path | None = None
    slope: Path | None = None
    walk_factor: Path | None = None
    dem: tuple[Path, ...] = ()
    population: Path | None = None
    cell_m: float | None = None  # of a made grid


def read_terrain(files: TerrainFiles, localities: gpd.GeoSeries, units: gpd.GeoSeries, crs: str) -> tuple[Grid, tuple[Finding, ...]]:
    """The region's Grid in `crs` (projected, metres), and what is odd about its elevation.

    The first given of the rasters of speed, slope and walking factor defines the grid, and the others must lie on it.
    Where there is none the grid is made around the points (in `crs`), with `made_grid`. Elevation and people are
    brought onto it from whatever CRS and resolution they have. Without any terrain the ground is flat and open. With
    elevation `slope_deg` is 0 where it is known and NaN in its voids and in the sea: voids are not filled.
    DataError for rasters that do not fit or hold impossible values, and for a grid beyond CELLS_MAX.
    """
    if files.speed or files.slope or files.walk_factor:
        grid = read_grid(files.speed, files.slope, files.walk_factor, crs)
    else:
        transform, shape = made_grid(localities, units, files.cell_m)
        grid = Grid(transform, crs, np.zeros(shape, np.float32), np.zeros(shape, np.float32), np.ones(shape, np.float32))
    findings: tuple[Finding, ...] = ()
    if files.dem:
        grid, findings = _raised(grid, files.dem)
    if files.population:
        grid = replace(grid, people=read_people(files.population, crs, grid.transform, grid.shape))
    return grid, findings


def made_grid(localities: gpd.GeoSeries, units: gpd.GeoSeries, cell_m: float | None) -> tuple[Affine, tuple[int, int]]:
    """Transform and shape of a north-up grid around points in metres, MARGIN_M wider, its edges at multiples of the cell.

    The cell is `cell_m`, or the finest of CELLS_M that keeps the grid within CELLS_AIM cells (the coarsest if none
    does). Units farther than STRAY_M outside the localities' bounds are left out. DataError beyond CELLS_MAX cells.
    """
    west, south, east, north = localities.total_bounds
    near = units.cx[west - STRAY_M : east + STRAY_M, south - STRAY_M : north + STRAY_M]
    bounds = pd.concat([localities, near]).total_bounds if len(near) else localities.total_bounds
    for cell in (cell_m,) if cell_m else CELLS_M:
        left, bottom = (math.floor((v - MARGIN_M) / cell) for v in bounds[:2])
        right, top = (math.ceil((v + MARGIN_M) / cell) for v in bounds[2:])
        if (right - left) * (top - bottom) <= CELLS_AIM:
            break
    if (right - left) * (top - bottom) > CELLS_MAX:
        ends = [str(localities.index[i]) for i in (localities.x.argmin(), localities.x.argmax(), localities.y.argmin())]
        raise DataError(f"La malla tendría {(right - left) * (top - bottom):,} celdas de {cell:g} m (se admiten {CELLS_MAX:,}); revise las "
                        f"coordenadas de las localidades extremas ({', '.join(ends)}) o use un terrain.cell_m mayor.")
    return (float(cell), 0.0, left * float(cell), 0.0, -float(cell), top * float(cell)), (top - bottom, right - left)


def sea(elevation: np.ndarray, cell_m: float) -> np.ndarray:
    """Mask of the sea: cells at exactly 0 m that touch, sides or corners, over at least SEA_KM2."""
    parts, _ = ndimage.label(elevation == 0, _SIDES)
    large = np.bincount(parts.ravel()) * cell_m**2 >= SEA_KM2 * 1e6
    large[0] = False  # what is not at 0 m
    return np.asarray(large[parts])


def _raised(grid: Grid, dem: Sequence[Path]) -> tuple[Grid, tuple[Finding, ...]]:
    """The grid with elevation, and what it lacks."""
    where = ", ".join(p.name for p in dem)
    elevation, odd = read_elevation(dem, grid.crs, grid.transform, grid.shape)
    voids, water = np.isnan(elevation), sea(elevation, grid.cell_m)
    elevation = np.where(water, np.float32(np.nan), elevation)
    findings = (
        *Finding.of("dem_imposible", "aviso", "Archivos de elevación con alturas imposibles: esas partes quedan sin dato", where, odd,
                    "Declare su valor sin dato, o revise que estén en metros."),
        *_cells("dem_vacios", "aviso", "Celdas de la malla sin elevación: fuera de los caminos no se pueden cruzar", where, voids, grid,
                "Agregue las teselas que falten, o un modelo de elevación sin huecos."),
        *_cells("dem_mar", "nota", f"Celdas a 0 m exactos en superficies de {SEA_KM2:g} km2 o más: se toman como mar, sin paso a pie",
                where, water, grid, "Si son tierra firme, use un modelo de elevación con decimales."))
    slope = np.where(np.isnan(elevation), np.float32(np.nan), np.float32(0))
    return replace(grid, elevation_m=elevation, slope_deg=slope), findings


def _cells(code: str, severity: Severity, what: str, where: str, mask: np.ndarray, grid: Grid, remedy: str) -> tuple[Finding, ...]:
    """A finding that counts the cells of a mask and shows the centres of the first two, by rows, and their area."""
    rows, cols = np.unravel_index(np.flatnonzero(mask)[:2], grid.shape)
    west, north = grid.transform[2], grid.transform[5]
    centres = [f"{west + (c + 0.5) * grid.cell_m:.0f} E {north - (r + 0.5) * grid.cell_m:.0f} N" for r, c in zip(rows, cols, strict=True)]
    area = f"{mask.sum() * grid.cell_m**2 / 1e6:,.1f} km2"
    return (Finding(code, severity, what, where, int(mask.sum()), (*centres, area), remedy),) if mask.any() else ()
