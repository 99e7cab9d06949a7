"""People of a population raster who live outside the listed localities: how many, where, and how far from care."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy.spatial import cKDTree

from planner.errors import DataError
from planner.model import Grid, Region
from planner.settings import Scenario

_EXPORTS = {"people": "personas", "within": "dentro_umbral", "beyond": "fuera_umbral", "unreachable": "sin_camino",
            "mean_min": "min_medio", "unknown_cells": "celdas_sin_dato"}


def dispersed_people(region: Region, surface_minutes: np.ndarray, scenario: Scenario) -> pd.DataFrame:
    """People outside listed localities by municipality, with their minutes to the nearest first level.

    Those are the people of cells whose centre is farther than `listed_locality_m` from the point of every listed locality:
    nearer ones are counted by the census, so a town wider than that has its outskirts counted here. `surface_minutes` is
    (height, width), inf or NaN where unreachable. Index cve_mun, one row per municipality, and a null one where people
    live in none; each cell belongs to the municipality that holds its centre (the first, on a shared line). Columns:
    people = within (<= `reach_first_level_min`) + beyond + unreachable; mean_min, over people who reach it (NaN: nobody);
    unknown_cells, those without data in the raster, which count 0. DataError without a raster, for negative people, or
    where the surface is not of the region's grid.
    """
    grid, people = region.grid, _people(region.grid)
    if surface_minutes.shape != grid.shape:
        raise DataError(f"La superficie de minutos es de {surface_minutes.shape} celdas y la cuadrícula de la región de {grid.shape}: "
                        "calcule la superficie con esta región.")
    cells = np.flatnonzero(~(people == 0))
    cells = cells[_outside(region, cells, scenario.listed_locality_m)]
    number, minutes = people.ravel()[cells], surface_minutes.ravel()[cells]
    unknown, reached = np.isnan(number), np.isfinite(minutes)
    number = np.where(unknown, 0.0, number)
    within = reached & (minutes <= scenario.reach_first_level_min)
    columns = {"people": number, "within": number * within, "beyond": number * (reached & ~within), "unreachable": number * ~reached,
               "mean_min": number * np.where(reached, minutes, 0.0), "unknown_cells": unknown}
    areas = region.municipalities.geometry.sort_index()
    zone = _zones(grid, cells, areas)
    sums = {name: np.bincount(zone + 1, values, minlength=len(areas) + 1) for name, values in columns.items()}
    index = pd.Index([*areas.index, None], name=areas.index.name)
    table = pd.DataFrame({name: np.roll(values, -1) for name, values in sums.items()}, index=index)  # none goes last
    some = table["within"] + table["beyond"]
    table = table.assign(mean_min=(table["mean_min"] / some.where(some > 0)), unknown_cells=table["unknown_cells"].astype(np.int64))
    return table if table["people"].iloc[-1] > 0 else table.iloc[:-1]


def dispersed_indicators(dispersed: pd.DataFrame) -> dict[str, Any]:
    """The table of `dispersed_people` as plain numbers under Spanish names, in all and by municipality (`sin dato`: in none)."""
    whole = dispersed[["people", "within", "beyond", "unreachable"]].sum()
    weight = dispersed["within"] + dispersed["beyond"]
    mean = (dispersed["mean_min"] * weight).sum() / weight.sum() if weight.sum() > 0 else np.nan
    total = pd.DataFrame({**whole, "mean_min": mean, "unknown_cells": dispersed["unknown_cells"].sum()}, index=["total"])
    rows = pd.concat([total, dispersed]).rename(columns=_EXPORTS).set_axis(["total", *dispersed.index], axis=0)
    told = {"sin dato" if pd.isna(key) else str(key): dict(row) for key, row in zip(rows.index, rows.to_dict("records"), strict=True)}
    return {"total": told.pop("total"), "por_municipio": told}


def _people(grid: Grid) -> np.ndarray:
    if grid.people is None:
        raise DataError("La región no tiene ráster de población: agregue population.raster a su archivo y prepárela de nuevo.")
    people = grid.people.astype(float)
    wrong = int((people < 0).sum() + np.isinf(people).sum())
    if wrong:
        raise DataError(f"El ráster de población tiene {wrong} celdas con personas negativas o infinitas: corrija su valor sin dato.")
    return people


def _outside(region: Region, cells: np.ndarray, radius_m: float) -> np.ndarray:
    """Whether each cell's centre is farther than the radius from every locality's point."""
    points = shapely.get_coordinates(region.localities.geometry.to_numpy())
    points = points[np.isfinite(points).all(axis=1)]
    if not len(points):
        return np.ones(len(cells), bool)
    return np.asarray(cKDTree(points).query(np.column_stack(region.grid.centres(cells)))[0] > radius_m)


def _zones(grid: Grid, cells: np.ndarray, areas: gpd.GeoSeries) -> np.ndarray:
    """Position in `areas` of the first polygon that holds each cell's centre, -1 for none."""
    x, y = grid.centres(cells)
    zone = np.full(len(cells), -1)
    for k, area in enumerate(areas):
        if area is None or area.is_empty:
            continue
        west, south, east, north = area.bounds
        near = np.flatnonzero((zone < 0) & (x >= west) & (x <= east) & (y >= south) & (y <= north))
        shapely.prepare(area)
        zone[near[shapely.intersects_xy(area, x[near], y[near])]] = k
    return zone
