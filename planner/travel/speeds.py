"""What travel costs in every cell: minutes per metre by mode, season and speed model."""

from __future__ import annotations

import numpy as np

from planner.model import Grid, Mode
from planner.settings import Scenario

WALK_KMH = 6.0  # Tobler's top speed, on a slope of -0.05
BEST_SLOPE = 0.05
TOBLER_DECAY = 3.5
SIGEH_DECAY = 0.4
SIGEH_ROAD_SLOPE = 0.12
# Slowest speed that still counts as passable (one metre an hour); it also bounds the search's queue.
SLOWEST_KMH = 0.001


def pace(grid: Grid, scenario: Scenario, mode: Mode) -> np.ndarray:
    """Minutes per metre in every cell, float64 (height, width); inf where the mode cannot pass.

    `mode` is `vehiculo` (drive on roads, walk elsewhere) or `a_pie`. Under `tobler` one walks at Tobler's speed on
    roads and at `off_path_factor` of it elsewhere, and drives at the raster's speed, never slower than walking; the
    walking factor then only says where one cannot walk, since it prices the same friction as `off_path_factor`.
    Under `sigeh` speeds follow the formulas of Hidalgo's published surfaces. On foot a missing slope is
    impassable, and a missing walking factor off the roads; a road without slope can still be driven under `tobler`.
    """
    tangent = np.tan(np.radians(_clamped_slope(grid.slope_deg.astype(float), mode)))
    on_road = grid.road_kmh > 0
    walkable = on_road | (grid.walk_factor > 0)
    if scenario.speed_model == "tobler":
        kmh = _tobler(tangent) * np.where(on_road, 1.0, scenario.off_path_factor)
        kmh = np.where(walkable, kmh, np.nan)
        if mode == "vehiculo":
            kmh = np.fmax(kmh, road_speed(grid, scenario))
    else:
        factor = np.where(on_road, 1.0, grid.walk_factor.astype(float))
        kmh = WALK_KMH * np.exp(-SIGEH_DECAY * np.abs(tangent + BEST_SLOPE)) * factor
        if mode == "vehiculo":
            drive = road_speed(grid, scenario) * np.exp(-SIGEH_DECAY * np.abs(tangent + SIGEH_ROAD_SLOPE))
            if scenario.season == "lluvias":  # the published surfaces are of the dry season, where driving is never slower
                drive = np.fmax(drive, kmh)
            kmh = np.where(on_road, drive, kmh)
    passable = kmh >= SLOWEST_KMH
    return np.where(passable, 60.0 / (1000.0 * np.where(passable, kmh, 1.0)), np.inf)


def road_speed(grid: Grid, scenario: Scenario) -> np.ndarray:
    """Road km/h in the scenario's season, float64; 0 where there is no road. Rains slow unpaved roads."""
    kmh = grid.road_kmh.astype(float)
    if scenario.season == "lluvias":
        return np.where(kmh <= scenario.unpaved_max_kmh, kmh * scenario.rain_unpaved_factor, kmh)
    return kmh


def _tobler(tangent: np.ndarray) -> np.ndarray:
    """Tobler's walking speed where the direction is unknown: harmonic mean of up and down, km/h."""
    with np.errstate(over="ignore"):  # a wall: speed 0
        up, down = (np.exp(TOBLER_DECAY * np.abs(way * tangent + BEST_SLOPE)) for way in (1.0, -1.0))
    return 2 * WALK_KMH / (up + down)


def _clamped_slope(degrees: np.ndarray, mode: Mode) -> np.ndarray:
    """Slopes beyond what a tangent bears, brought to the limits that Hidalgo's surfaces use for each mode."""
    steep, beyond = (50.0, 120.0) if mode == "vehiculo" else (84.9, 95.9)
    clamped = np.where((degrees > steep) & (degrees <= 90.0), steep, degrees)
    return np.where((degrees > 90.0) & (degrees < beyond), beyond, clamped)
