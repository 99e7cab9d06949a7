"""How fast one walks and drives: over terrain and along roads, by mode, season and speed model."""

from __future__ import annotations

import numpy as np
import pandas as pd

from planner.kinds import Mode
from planner.model import STEPS, Grid, Roads
from planner.settings import Scenario

WALK_KMH = 6.0  # Tobler's top speed, on a slope of -0.05
BEST_SLOPE = 0.05
TOBLER_DECAY = 3.5
SIGEH_DECAY = 0.4
SIGEH_ROAD_SLOPE = 0.12
# Slowest speed that still counts as passable (one metre an hour); it also bounds the search's queue.
SLOWEST_KMH = 0.001
STRIP = 256  # rows of the grid worked at once, so that memory stays small
RNC_CLASSES = ("carretera", "camino", "calle", "vereda")
CLOSED_BY_RAIN = {"brechas": ("track",), "veredas": ("path", "vereda")}


def pace(grid: Grid, scenario: Scenario, mode: Mode) -> np.ndarray:
    """Minutes per metre in every cell, float64 (height, width), on the flat where there are elevations; inf = impassable.

    `mode` is `vehiculo` (drive on roads, walk elsewhere) or `a_pie`. Under `tobler` one walks at Tobler's speed on
    roads and at `off_path_factor` of it elsewhere, and drives at the raster's speed, never slower than walking; the
    walking factor then only says where one cannot walk, since it prices the same friction as `off_path_factor`.
    Under `sigeh` speeds follow the formulas of Hidalgo's published surfaces. On foot a missing slope is
    impassable, and a missing walking factor off the roads; a road without slope can still be driven under `tobler`.
    """
    tangent = np.tan(np.radians(_clamped_slope(grid.slope_deg.astype(float), mode)))
    on_road = grid.road_kmh > 0
    walkable = on_road | (grid.walk_factor > 0)
    if grid.blocked is not None:  # shut on all sides: in a lake
        walkable &= on_road | (grid.blocked != np.uint16(2 ** len(STEPS) - 1))
    if scenario.speed_model == "tobler":
        kmh = _either_way(tangent) * np.where(on_road, 1.0, scenario.off_path_factor)
        kmh = np.where(walkable, kmh, np.nan)
        if mode == "vehiculo":
            kmh = np.fmax(kmh, road_speed(grid, scenario))
    else:
        factor = np.where(on_road, 1.0, grid.walk_factor.astype(float))
        kmh = np.where(walkable, walking_kmh(tangent, scenario) * factor, np.nan)
        if mode == "vehiculo":
            drive = road_speed(grid, scenario) * np.exp(-SIGEH_DECAY * np.abs(tangent + SIGEH_ROAD_SLOPE))
            if scenario.season == "lluvias":  # the published surfaces are of the dry season, where driving is never slower
                drive = np.fmax(drive, kmh)
            kmh = np.where(on_road, drive, kmh)
    return _minutes_per_metre(kmh)


def step_factor(grid: Grid, scenario: Scenario, mode: Mode) -> np.ndarray | None:
    """What each step costs above the mean pace of its two cells, float32 (height, width, neighbours); inf = a barrier.

    With elevations each half of a step is walked at the slope between the two centres (uphill and downhill differ) or
    driven at its own speed; a knight's move is split evenly among four cells. None where no step differs from the mean.
    """
    if grid.elevation_m is None and grid.blocked is None and scenario.neighbours == 8:
        return None
    cells, walked = pace(grid, scenario, mode), pace(grid, scenario, "a_pie")
    height, width = grid.shape
    out = np.full((height, width, scenario.neighbours), np.inf, np.float32)
    for top in range(0, height, STRIP):
        rows = np.arange(top, min(top + STRIP, height))
        for k, (down, right) in enumerate(STEPS[: scenario.neighbours]):
            here = rows[(rows + down >= 0) & (rows + down < height)]
            cols = slice(max(0, -right), width - max(0, right))
            if len(here) and cols.start < cols.stop:
                out[here[0] : here[-1] + 1, cols, k] = _step(grid, scenario, cells, walked, here, cols, k, mode)
    return out


def _step(
    grid: Grid, scenario: Scenario, cells: np.ndarray, walked: np.ndarray, here: np.ndarray, cols: slice, k: int, mode: Mode
) -> np.ndarray:
    """Factor of step k from these rows and columns."""
    down, right = STEPS[k]
    there = slice(cols.start + right, cols.stop + right)
    ways = [(0, 0), (down, right)]
    if k >= 8:  # the two cells that a knight's move passes between
        ways += [(down // 2, 0), (down // 2, right)] if abs(down) == 2 else [(0, right // 2), (down, right // 2)]
    climb = 1.0 if grid.elevation_m is None else _climb(grid.elevation_m, scenario, here, cols, k, grid.cell_m)
    cost = np.zeros((len(here), cols.stop - cols.start))
    for dy, dx in ways:
        at = slice(here[0] + dy, here[-1] + 1 + dy), slice(cols.start + dx, cols.stop + dx)
        part = cells[at]
        on_foot = part == walked[at] if mode == "vehiculo" else True
        slower = np.where(np.isfinite(walked[at]), walked[at] * climb, np.inf)
        cost += np.where(on_foot, slower, np.fmin(part, slower)) / len(ways)
    mean = (cells[here[0] : here[-1] + 1, cols] + cells[here[0] + down : here[-1] + 1 + down, there]) / 2
    passable = np.isfinite(mean)
    factor = np.where(passable, cost / np.where(passable, mean, 1.0), np.inf)
    if grid.blocked is not None:
        factor[(grid.blocked[here[0] : here[-1] + 1, cols] >> np.uint16(k)) & np.uint16(1) > 0] = np.inf
    return factor.astype(np.float32)


def _climb(z: np.ndarray, scenario: Scenario, here: np.ndarray, cols: slice, k: int, cell_m: float) -> np.ndarray:
    """Walking pace at the slope of step k over that on the flat; inf beside voids."""
    down, right = STEPS[k]
    rise = z[here[0] + down : here[-1] + 1 + down, cols.start + right : cols.stop + right].astype(float) - z[here[0] : here[-1] + 1, cols]
    return steepness(rise / (cell_m * np.hypot(down, right)), scenario)


def steepness(slope: np.ndarray, scenario: Scenario) -> np.ndarray:
    """Walking pace at a slope (in the direction of travel) over that on the flat; inf where it is unknown or too steep to walk."""
    kmh = walking_kmh(slope, scenario)
    walkable = kmh >= SLOWEST_KMH
    return np.where(walkable, walking_kmh(0.0, scenario) / np.where(walkable, kmh, 1.0), np.inf)


def walking_kmh(slope: np.ndarray | float, scenario: Scenario) -> np.ndarray:
    """Walking speed on a path, km/h, by slope (rise over run in the direction of travel): Tobler 1993, or that of Hidalgo's surfaces."""
    decay = TOBLER_DECAY if scenario.speed_model == "tobler" else SIGEH_DECAY
    return np.asarray(WALK_KMH * np.exp(-decay * np.abs(np.asarray(slope) + BEST_SLOPE)))


def road_speed(grid: Grid, scenario: Scenario) -> np.ndarray:
    """Road km/h of a raster in the scenario's season, float64; 0 where there is no road. Rains slow unpaved roads."""
    kmh = grid.road_kmh.astype(float)
    if scenario.season == "lluvias":
        return np.where(kmh <= scenario.unpaved_max_kmh, kmh * scenario.rain_unpaved_factor, kmh)
    return kmh


def edge_kmh(edges: pd.DataFrame, scenario: Scenario) -> np.ndarray:
    """km/h of a vehicle on each edge of vector roads on the flat, in the scenario's season; 0 where none passes.

    A posted speed comes before that of the class. On OSM's classes the least of the factors of surface, tracktype and
    smoothness applies, and a cap on unpaved roads; the RNC's speeds stand as published.
    """
    speeds, factors = scenario.road_kmh, scenario.road_factor
    dirt = unpaved(edges)
    by_class = edges["road_class"].map(speeds.model_dump()).astype(float)
    by_class = by_class.mask((edges["road_class"] == "camino") & dirt, speeds.camino_sin_pavimento)
    # a path that a vehicle may take is a track to it
    by_class = by_class.mask(edges["road_class"].isin(("path", "vereda")), speeds.track)
    kmh = edges["posted_kmh"].where(edges["posted_kmh"] > 0, by_class)
    tracks = dict(zip((1.0, 2.0, 3.0, 4.0, 5.0), factors.tracktype, strict=True))
    left = pd.concat([edges["surface"].map(factors.model_dump(exclude={"tracktype"})), edges["tracktype"].map(tracks),
                      edges["smoothness"].map(factors.model_dump(exclude={"tracktype"}))], axis=1).astype(float).min(axis=1)
    osm = ~edges["road_class"].isin(RNC_CLASSES)
    kmh = kmh.where(~osm, kmh * left.fillna(1.0))
    kmh = kmh.where(~(osm & dirt), kmh.clip(upper=scenario.unpaved_cap_kmh))
    if scenario.season == "lluvias":
        kmh = kmh.where(~dirt, kmh * scenario.rain_unpaved_factor)
    return np.where(edges["drive"] & ~closed(edges, scenario), kmh, 0.0)


def unpaved(edges: pd.DataFrame) -> pd.Series:
    """Which edges are of earth: said so, or a track of which nothing is said. Unknown is not earth."""
    return (edges["surface"] == "unpaved") | (edges["surface"].isna() & (edges["road_class"] == "track"))


def closed(edges: pd.DataFrame, scenario: Scenario) -> pd.Series:
    """Which edges nobody passes in the scenario's season."""
    shut = pd.Series(False, index=edges.index)
    if scenario.season == "lluvias":
        for kind in scenario.rain_closes:
            shut |= edges["ford"] if kind == "vados" else edges["road_class"].isin(CLOSED_BY_RAIN[kind])
    return shut


def roads_told(roads: Roads, scenario: Scenario) -> dict[str, float]:
    """Kilometres of vector roads, in all and those that decide most: of earth, without a posted speed, closed in the season."""
    edges = roads.edges
    driven = edges["drive"] & ~edges["ferry"]
    parts = {"km": driven | edges["walk"], "km_vehiculo": driven, "km_terraceria": driven & unpaved(edges),
             "km_sin_velocidad_publicada": driven & ~(edges["posted_kmh"] > 0), "km_cerrados_en_la_temporada": closed(edges, scenario)}
    told = {name: float(edges["length_m"][chosen].sum() / 1000) for name, chosen in parts.items()}
    return {"tramos": len(edges), **told, "tramos_cerrados_en_la_temporada": int(closed(edges, scenario).sum())}


def along_road(
    roads: Roads, scenario: Scenario, mode: Mode, edge: np.ndarray, metres: np.ndarray, slope: np.ndarray, terrain_deg: np.ndarray,
    sense: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Minutes of parts of edges on foot and in a vehicle, inf where that is not allowed; `sense` is 1 as drawn, -1 against.

    `slope` is that of the drawn sense, NaN = unknown: then the terrain's degrees count, both ways alike (NaN: flat).
    """
    edges = roads.edges
    open_ = ~closed(edges, scenario).to_numpy(bool)[edge]
    blind = np.isnan(slope)
    directed = walking_kmh(np.where(blind, 0.0, sense * slope), scenario)
    on_foot = np.where(blind, _either_way(np.tan(np.radians(np.nan_to_num(np.clip(terrain_deg, 0, 84.9))))), directed)
    walk = np.where(edges["walk"].to_numpy(bool)[edge] & open_, _minutes(metres, on_foot), np.inf)
    ferry = edges["ferry"].to_numpy(bool)[edge] & open_
    kmh = edge_kmh(edges, scenario)[edge]
    way = edges["forward" if sense > 0 else "backward"].to_numpy(bool)[edge]
    incline = np.nan_to_num(slope) * sense
    if scenario.speed_model == "tobler":
        kmh = kmh * np.exp(-scenario.drive_slope_decay * np.abs(incline))
    else:
        kmh = kmh * np.exp(-SIGEH_DECAY * np.abs(incline + SIGEH_ROAD_SLOPE))
    drive = np.where(way & (kmh > 0), _minutes(metres, kmh), np.inf)
    if ferry.any():
        aboard = np.where(ferry & way, metres * _ferry_pace(edges, scenario)[edge], np.inf)
        walk, drive = np.where(ferry, np.inf, walk), np.where(ferry, aboard, drive)
    return walk, drive if mode == "vehiculo" else np.where(ferry, drive, np.inf)


def _ferry_pace(edges: pd.DataFrame, scenario: Scenario) -> np.ndarray:
    """Minutes per metre of ferries: the published crossing spread over its way, or the scenario's speed."""
    whole = edges["length_m"].groupby(edges["way"]).transform("sum")
    published = edges["crossing_min"] / whole
    return published.fillna(60.0 / (1000.0 * scenario.road_kmh.ferry)).to_numpy(float)


def _minutes(metres: np.ndarray, kmh: np.ndarray) -> np.ndarray:
    """Minutes of lengths; none where there is no length, whatever the speed."""
    return np.asarray(np.multiply(metres, _minutes_per_metre(kmh), out=np.zeros(len(metres)), where=metres > 0))


def _minutes_per_metre(kmh: np.ndarray) -> np.ndarray:
    passable = kmh >= SLOWEST_KMH
    return np.where(passable, 60.0 / (1000.0 * np.where(passable, kmh, 1.0)), np.inf)


def _either_way(tangent: np.ndarray) -> np.ndarray:
    """Tobler's walking speed where the direction is unknown: harmonic mean of up and down, km/h."""
    with np.errstate(over="ignore"):  # a wall: speed 0
        up, down = (np.exp(TOBLER_DECAY * np.abs(way * tangent + BEST_SLOPE)) for way in (1.0, -1.0))
    return np.asarray(2 * WALK_KMH / (up + down))


def _clamped_slope(degrees: np.ndarray, mode: Mode) -> np.ndarray:
    """Slopes beyond what a tangent bears, brought to the limits that Hidalgo's surfaces use for each mode."""
    steep, beyond = (50.0, 120.0) if mode == "vehiculo" else (84.9, 95.9)
    clamped = np.where((degrees > steep) & (degrees <= 90.0), steep, degrees)
    return np.where((degrees > 90.0) & (degrees < beyond), beyond, clamped)
