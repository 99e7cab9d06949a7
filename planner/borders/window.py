"""A state together with what lies near its border, as one region: the window that its travel and access are computed on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd

from planner.borders.frame import Box, box_of, inside
from planner.borders.ground import joined_grid, offsets
from planner.borders.ways import joined_roads
from planner.errors import DataError, SettingsError
from planner.model import Region
from planner.schema import RESPONSIBILITY
from planner.sources.barriers import blocked_steps
from planner.sources.responsibility import current


def with_neighbours(region: Region, neighbours: Sequence[Region], metres: float) -> Region:
    """The state and whatever of its neighbours lies within `metres` of the bounds of its localities and units, as one region.

    Ground and roads are joined where they meet; where both know a place the state's own word counts, then that of the neighbour first
    by slug. Rows of an official table whose unit stands in another of these regions find it. Places beyond the buffer come along where
    an official table ties them to the state: the units that its rows name, and whoever answers to those and to its own; they have no
    ground, only people. Name, entity, findings and inputs stay the state's; municipalities are all there are, the state's own first by
    right of `within`, which cuts back to the state. Without neighbours it is the region itself.

    SettingsError for regions of another CRS, lattice or kind of ground, and for one that is there twice; DataError for localities or
    units that two of them have, and for a window larger than one computer holds.
    """
    others = sorted(neighbours, key=lambda n: n.slug)
    if not others:
        return region
    every = [region, *others]
    _check(every, metres)
    box = box_of(region, metres)
    units, localities, table = _places(every, box)
    barriers = _barriers(every, box)
    grid = joined_grid([r.grid for r in every], box)
    if barriers is not None:
        grid = replace(grid, blocked=blocked_steps(grid.shape, grid.transform, barriers, grid.road_kmh > 0))
    stops = _stacked([r.circuits for r in every])
    if stops is not None:
        stops = stops[stops["clues"].isin(units.index) & stops["cvegeo"].isin(localities.index)]
        stops = stops.sort_values(["clues", "cvegeo"], ignore_index=True)
    served = _stacked([r.served for r in every])
    return replace(
        region, synthetic=any(r.synthetic for r in every), localities=localities, units=units, responsibility=table, circuits=stops,
        grid=grid, barriers=barriers, municipalities=_sorted([r.municipalities for r in every]),
        roads=joined_roads([r.roads for r in every], box), resources=_of(units.index, [r.resources for r in every]),
        community=_of(localities.index, [r.community for r in every]),
        served=None if served is None else served[served["clues"].isin(units.index)].reset_index(drop=True))


def _check(every: Sequence[Region], metres: float) -> None:
    """Refusals, each in one sentence."""
    own = every[0]
    if not metres >= 0:
        raise SettingsError(f"El borde no puede medir {metres:g} m; use 0 o más.")
    names = [f"{r.name} ({r.entity})" for r in every]
    entities = [r.entity for r in every]
    twice = sorted({name for name, entity in zip(names, entities, strict=True) if entities.count(entity) > 1})
    if twice:
        raise SettingsError(f"La misma entidad está dos veces entre el estado y sus vecinos ({', '.join(twice[:3])}); dé cada una una vez.")
    odd = [r.name for r in every if r.crs != own.crs or r.grid.crs != own.grid.crs or offsets(own.grid, r.grid) is None]
    if odd:
        raise SettingsError(f"{len(odd)} de los vecinos de {own.name} ({', '.join(odd[:3])}) están en otro CRS o en otra malla; prepárelas "
                            "con el mismo crs y terrain.cell_m.")
    for what, has_it in zip(("caminos vectoriales", "elevación", "barreras"), zip(*map(_kind, every), strict=True), strict=True):
        odd = [r.name for r, has in zip(every, has_it, strict=True) if has != has_it[0]]
        if odd:
            has = "tiene" if has_it[0] else "no tiene"
            raise SettingsError(f"{own.name} {has} {what} y {len(odd)} de sus vecinos ({', '.join(odd[:3])}) al revés: los minutos de "
                                "ambos lados no se pueden juntar; prepárelas con las mismas clases de archivos.")
    for what, ids in (("localidades", [r.localities.index for r in every]), ("unidades", [r.units.index for r in every])):
        both = pd.Index(np.concatenate([i.to_numpy(object) for i in ids]))
        same = sorted(map(str, both[both.duplicated()].unique()))
        if same:
            raise DataError(f"Hay claves de {what} en más de una de las regiones: {len(same)} ({', '.join(same[:3])}"
                            f"{', …' if len(same) > 3 else ''}); deje a cada una solo lo de su entidad.")


def _kind(region: Region) -> tuple[bool, bool, bool]:
    """What decides how one travels: roads as lines, elevation, barriers."""
    return region.roads is not None, region.grid.elevation_m is not None, region.barriers is not None


def _places(every: Sequence[Region], box: Box) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame, pd.DataFrame | None]:
    """Units, localities and the official table of the window."""
    own, units, localities = every[0], _sorted([r.units for r in every]), _sorted([r.localities for r in every])
    kept = inside(units, box) | units.index.isin(own.units.index)
    near = inside(localities, box) | localities.index.isin(own.localities.index)
    table = _stacked([r.responsibility for r in every])
    if table is not None:
        table = _found(table, units)
        named = table.loc[table["cvegeo"].isin(own.localities.index), "clues"]
        near |= localities.index.isin(table.loc[table["clues"].isin([*units.index[kept], *named.dropna()]), "cvegeo"])
        table = table[table["cvegeo"].isin(localities.index[near])]
        kept |= units.index.isin(table["clues"].dropna())  # who answers to a unit out of sight must not pass for somebody without any
        table = table.sort_values(["cvegeo", "published_clues"], kind="stable", ignore_index=True)[["cvegeo", *RESPONSIBILITY.names()]]
    return units[kept], localities[near], table


def _found(table: pd.DataFrame, units: gpd.GeoDataFrame) -> pd.DataFrame:
    """The table whose rows without a unit name it where one of these units stands under the published code, or followed it."""
    lost = table["clues"].isna()
    found = current(table.loc[lost, "published_clues"], units, pd.DataFrame({"successor": pd.Series(dtype="str")}))
    return table.assign(clues=table["clues"].fillna(found))


def _barriers(every: Sequence[Region], box: Box) -> gpd.GeoSeries | None:
    """The state's barriers and those of the neighbours that touch the box, each once; None where there are none."""
    if every[0].barriers is None:
        return None
    parts, seen = [every[0].barriers], set(every[0].barriers.to_wkb())
    for other in every[1:]:
        if other.barriers is not None:
            bounds = other.barriers.bounds
            near = other.barriers[(bounds["maxx"] >= box[0]) & (bounds["maxy"] >= box[1]) & (bounds["minx"] <= box[2])
                                  & (bounds["miny"] <= box[3])]
            drawn = near.to_wkb()
            parts.append(near[~drawn.isin(seen).to_numpy()])
            seen |= set(drawn)
    return gpd.GeoSeries(pd.concat(parts, ignore_index=True), crs=every[0].crs)


def _sorted(frames: Sequence[gpd.GeoDataFrame]) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(pd.concat(frames)).sort_index()


def _stacked(tables: Sequence[pd.DataFrame | None]) -> pd.DataFrame | None:
    there = [t for t in tables if t is not None]
    return pd.concat(there, ignore_index=not isinstance(there[0].index.name, str)) if there else None


def _of(index: pd.Index, tables: Sequence[pd.DataFrame | None]) -> pd.DataFrame | None:
    found = _stacked(tables)
    return None if found is None else found[found.index.isin(index)].sort_index()
