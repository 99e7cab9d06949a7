"""Speeds laid on the graph: what one mode costs in one season. Other speeds re-weigh the graph, they do not rebuild it."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np

from planner.kinds import Mode
from planner.model import Roads
from planner.settings import Scenario
from planner.travel.join import Graph, crosses, elevation
from planner.travel.network import Anchors, Network
from planner.travel.speeds import along_road, edge_kmh, pace, steepness, step_factor, unpaved


@dataclass(frozen=True, eq=False)
class Weighed:
    """The network of one mode, patients' sense: arcs are those of the graph as drawn, against, and its links out and in."""

    network: Network
    driven: np.ndarray  # bool, arcs that are cheaper by vehicle or ferry
    driven_cell: np.ndarray  # bool (height, width): cells of a raster road, crossed by vehicle
    walk: np.ndarray  # minutes per metre on foot in every cell, on the flat


def weigh(graph: Graph, roads: Roads | None, scenario: Scenario, mode: Mode) -> Weighed:
    """Minutes of every step, road and link for `a_pie` or `vehiculo`, in the direction in which one goes."""
    grid = graph.grid
    cells, walk = pace(grid, scenario, mode), pace(grid, scenario, "a_pie")
    minutes, driven = [], []
    for sense in (1, -1):
        for_arc, by_vehicle = _arcs(graph, roads, scenario, mode, sense)
        minutes.append(for_arc)
        driven.append(by_vehicle)
    for sense in (1, -1):
        minutes.append(on_foot(graph.link_m, walk.ravel()[graph.link_cell], sense * graph.link_slope, scenario))
        driven.append(np.zeros(len(graph.link_m), bool))
    network = Network(
        cells, grid.cell_m, scenario.neighbours, step_factor(grid, scenario, mode), graph.nodes,
        np.concatenate([graph.tail, graph.head, graph.link_cell, graph.link_node]).astype(np.int32),
        np.concatenate([graph.head, graph.tail, graph.link_node, graph.link_cell]).astype(np.int32), np.concatenate(minutes))
    return Weighed(network, np.concatenate(driven), (grid.road_kmh > 0) & (cells < walk), walk)


def _arcs(graph: Graph, roads: Roads | None, scenario: Scenario, mode: Mode, sense: int) -> tuple[np.ndarray, np.ndarray]:
    """Minutes of the arcs in one sense, each part walked or the whole driven, whichever is less; and which are driven."""
    if roads is None or not len(graph.tail):
        return np.empty(0), np.empty(0, bool)
    degrees = graph.grid.slope_deg.ravel()[graph.part_cell].astype(float) if graph.grid.slope_deg.size else np.zeros(len(graph.part_cell))
    degrees = np.where((graph.part_cell < 0) | (graph.grid.elevation_m is not None), np.nan, degrees)
    walk, drive = along_road(roads, scenario, mode, graph.edge[graph.part_arc], graph.part_m, graph.part_slope, degrees, sense)
    on_foot_min, driven_min = (np.bincount(graph.part_arc, parts, minlength=len(graph.tail)) for parts in (walk, drive))
    return np.minimum(on_foot_min, driven_min), driven_min < on_foot_min


def vehicle_cells(graph: Graph, roads: Roads, scenario: Scenario, *, all_year: bool) -> np.ndarray:
    """Cells from which a road that vehicles take is reached, bool (height, width); `all_year`: not of earth nor closed by rains."""
    season = scenario.model_copy(update={"season": "lluvias"}) if all_year else scenario
    kept = (edge_kmh(roads.edges, season) > 0) & ~(unpaved(roads.edges).to_numpy(bool) & all_year)
    arc = kept[graph.edge]
    node = np.zeros(graph.nodes, bool)
    for end in (graph.tail, graph.head):
        node[end[arc] - graph.grid.road_kmh.size] = True
    found = np.zeros(graph.grid.road_kmh.size, bool)
    found[graph.link_cell[node[graph.link_node - graph.grid.road_kmh.size]]] = True
    return found.reshape(graph.grid.shape)


def on_foot(metres: np.ndarray, flat_pace: np.ndarray, slope: np.ndarray, scenario: Scenario) -> np.ndarray:
    """Minutes across a cell at this slope in the direction of travel (NaN: unknown, as on the flat); inf where nobody walks."""
    per_metre = flat_pace * steepness(np.nan_to_num(slope), scenario)
    return np.asarray(np.multiply(metres, per_metre, out=np.full(len(metres), np.inf), where=np.isfinite(per_metre)))


def anchors(
    graph: Graph, weighed: Weighed, scenario: Scenario, cells: np.ndarray, x: np.ndarray, y: np.ndarray,
    barriers: gpd.GeoSeries | None, *, arriving: bool = False,
) -> Anchors:
    """Where points enter the network, or leave it where `arriving`: at their cell for nothing, since it stands for its
    whole area, and on the road nodes of that cell after a walk across no barrier. `cells` are flat, -1 = nowhere.
    """
    own = Anchors.at(cells)
    if not graph.nodes:
        return own
    order = np.argsort(graph.link_cell, kind="stable")
    linked = graph.link_cell[order]
    low, high = np.searchsorted(linked, own.node), np.searchsorted(linked, own.node, side="right")
    place = np.repeat(own.place, high - low)
    at = order[np.repeat(low, high - low) + np.arange(len(place)) - np.repeat(np.cumsum(high - low) - (high - low), high - low)]
    node = graph.link_node[at]
    here = node - graph.grid.road_kmh.size
    metres = np.hypot(graph.x[here] - x[place], graph.y[here] - y[place])
    slope = (graph.z[here] - elevation(graph.grid, x[place], y[place])) / np.maximum(metres, 1.0)
    minutes = on_foot(metres, weighed.walk.ravel()[cells[place]], -slope if arriving else slope, scenario)
    clear = ~crosses(barriers, x[place], y[place], graph.x[here], graph.y[here]) & np.isfinite(minutes)
    return Anchors(np.concatenate([own.place, place[clear]]), np.concatenate([own.node, node[clear]]),
                   np.concatenate([own.minutes, minutes[clear]]))
