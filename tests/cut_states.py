"""States cut from one region by municipality, each with its own ground, roads and tables, as if it had been prepared alone."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pandas as pd

from planner.model import Grid, Region, Roads
from planner.sources.barriers import blocked_steps

Box = tuple[float, float, float, float]


def state(region: Region, name: str, entity: str, towns: Iterable[str], *, margin_m: float = 5_000.0) -> Region:
    """What one state knows: its municipalities, the ground around its places, the ways that touch that, and of tables its own rows.

    Rows of the official table whose unit stands elsewhere name none, and stops of circuits beyond the border are lost, as in a
    prepared region.
    """
    places = region.localities[region.localities["cve_mun"].isin(list(towns))]
    units = region.units[region.units["cve_mun"].isin(list(towns))]
    west, south, east, north = pd.concat([places.geometry, units.geometry]).total_bounds
    grid = cropped(region.grid, (west - margin_m, south - margin_m, east + margin_m, north + margin_m))
    barriers = None
    if region.barriers is not None:
        west, south, east, north = grid.bounds
        barriers = region.barriers.cx[west:east, south:north].reset_index(drop=True)
        grid = replace(grid, blocked=blocked_steps(grid.shape, grid.transform, barriers, grid.road_kmh > 0))
    table, stops, served = region.responsibility, region.circuits, region.served
    if table is not None:
        table = table[table["cvegeo"].isin(places.index)].reset_index(drop=True)
        table = table.assign(clues=table["clues"].where(table["clues"].isin(units.index)))
    return replace(
        region, name=name, slug=name.lower(), entity=entity, localities=places, units=units, grid=grid, barriers=barriers,
        municipalities=region.municipalities[region.municipalities.index.isin(list(towns))], responsibility=table,
        circuits=None if stops is None else stops[stops["clues"].isin(units.index) & stops["cvegeo"].isin(places.index)],
        roads=None if region.roads is None else touching(region.roads, grid.bounds),
        resources=None if region.resources is None else region.resources[region.resources.index.isin(units.index)],
        community=None if region.community is None else region.community[region.community.index.isin(places.index)],
        served=None if served is None else served[served["clues"].isin(units.index)])


def cropped(grid: Grid, box: Box) -> Grid:
    """The cells that the box touches."""
    a, b, west, d, e, north = grid.transform
    top, bottom = (int(np.clip(f((y - north) / e), 0, grid.shape[0])) for f, y in ((np.floor, box[3]), (np.ceil, box[1])))
    left, right = (int(np.clip(f((x - west) / a), 0, grid.shape[1])) for f, x in ((np.floor, box[0]), (np.ceil, box[2])))

    def part(values: np.ndarray | None) -> np.ndarray | None:
        return None if values is None else values[top:bottom, left:right].copy()

    arrays = {name: part(getattr(grid, name)) for name in ("road_kmh", "slope_deg", "walk_factor", "elevation_m", "blocked", "people")}
    return Grid((a, b, west + left * a, d, e, north + top * e), grid.crs, **arrays)  # type: ignore[arg-type]


def touching(roads: Roads, box: Box) -> Roads:
    """The ways that touch the box, whole, numbered anew."""
    bounds = roads.edges.geometry.bounds
    near = (bounds["maxx"] >= box[0]) & (bounds["maxy"] >= box[1]) & (bounds["minx"] <= box[2]) & (bounds["miny"] <= box[3])
    edges = roads.edges[roads.edges["way"].isin(roads.edges.loc[near, "way"])]
    used = np.union1d(edges["u"], edges["v"])
    u, v = (np.searchsorted(used, edges[end]) for end in ("u", "v"))
    return Roads(roads.nodes.loc[used].reset_index(drop=True).rename_axis("node"),
                 edges.assign(u=u, v=v).reset_index(drop=True).rename_axis("edge"))
