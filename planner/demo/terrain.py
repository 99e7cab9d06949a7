"""Invented relief of the demo: a plain in the west that climbs into a folded sierra, a river, a lake, roads.

Arrays are (height, width), north up, cells of `CELL_M` metres. The place is open sea in the Gulf of Mexico, so
that nobody takes it for a real one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import binary_dilation, gaussian_filter
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

CRS = "EPSG:32614"
CELL_M = 250.0
SHAPE = (300, 300)
ORIGIN = (680_000.0, 2_620_000.0)  # west and north edges, metres
FLAT_DEG = 8.0  # slope at which a cell costs a road builder twice as much as flat ground
STAGES = (2_000, 500, 0)  # people of the places that get their road in each round
OLD_ROAD = 0.12  # cost of following a built road, as a part of building it
# People whose way to the capital uses a road -> km/h; up to 40 counts as dirt in the rains.
ROAD_CLASSES = ((50_000, 80.0), (15_000, 60.0), (2_500, 45.0), (900, 25.0), (0, 15.0))


@dataclass(frozen=True, eq=False)
class Terrain:
    """Relief and ground: metres, degrees, and where nobody can walk."""

    elevation_m: np.ndarray  # float64
    slope_deg: np.ndarray  # float64
    inside: np.ndarray  # bool, within the state
    water: np.ndarray  # bool, lake or river
    lake: np.ndarray  # bool
    walk_factor: np.ndarray  # float64, 0..1; NaN on water

    @property
    def land(self) -> np.ndarray:
        return np.asarray(self.inside & ~self.water)


def make_terrain(rng: np.random.Generator) -> Terrain:
    """Relief, state outline, lake, river and ground cover from one generator."""
    rows, cols = np.indices(SHAPE) / np.array(SHAPE, float)[:, None, None]
    climb = 1 / (1 + np.exp(-(cols - 0.42 + 0.12 * (rows - 0.5)) * 11))  # 0 plain .. 1 sierra
    ridges = np.exp(-1.5 * np.abs(_noise(rng, (16, 7))))
    relief = 560 * climb + climb * (900 * ridges + 190 * _noise(rng, (6, 4)) + 45 * _noise(rng, (2.2, 2.2)))
    elevation = 240 + relief + 28 * _noise(rng, (12, 12)) + 6 * _noise(rng, (3, 3))
    inside = _outline(rng)
    lake = _blob(0.36, 0.24, 0.045) & inside
    elevation = np.where(lake, np.median(elevation[lake]), elevation)
    dy, dx = np.gradient(elevation, CELL_M)
    slope = np.where(lake, 0.0, np.degrees(np.arctan(np.hypot(dx, dy))))
    water = lake | (_river(elevation, inside) & inside)
    cover = np.clip(0.82 - 0.22 * climb + 0.07 * _noise(rng, (9, 9)), 0.35, 0.95)  # crops, scrub, cloud forest
    return Terrain(elevation, slope, inside, water, lake, np.where(water, np.nan, cover))


def _noise(rng: np.random.Generator, sigma: tuple[float, float]) -> np.ndarray:
    """Smooth noise of mean 0 and deviation 1."""
    field = gaussian_filter(rng.standard_normal(SHAPE), sigma, mode="reflect")
    return np.asarray((field - field.mean()) / field.std())


def _polar() -> tuple[np.ndarray, np.ndarray]:
    rows, cols = np.indices(SHAPE)
    dy, dx = (rows - SHAPE[0] / 2) / SHAPE[0], (cols - SHAPE[1] / 2) / SHAPE[1]
    return np.hypot(dx, dy), np.arctan2(dy, dx)


def _outline(rng: np.random.Generator) -> np.ndarray:
    radius, angle = _polar()
    phase = rng.uniform(0, 2 * np.pi, 4)
    edge = 0.43 + sum(0.022 / k * np.cos(k * angle + phase[k - 2]) for k in range(2, 6))
    return np.asarray(radius <= edge)


def _blob(row: float, col: float, radius: float) -> np.ndarray:
    rows, cols = np.indices(SHAPE) / np.array(SHAPE, float)[:, None, None]
    dy, dx = rows - row, cols - col
    return np.asarray(np.hypot(dx, dy * 0.7) <= radius * (1 + 0.25 * np.cos(3 * np.arctan2(dy, dx))))


def _river(elevation: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """From the highest ground down to the west edge; four-connected, so that no diagonal step crosses it dry."""
    high = np.where(inside & _blob(0.6, 0.72, 0.12), elevation, -np.inf)
    source = int(high.argmax())
    mouth = int(np.ravel_multi_index((int(SHAPE[0] * 0.55), 0), SHAPE))
    cost = 1 + (np.maximum(elevation - elevation[inside].min(), 0) / 50) ** 2
    _, back = least_cost(cost, source, diagonal=False)
    course = np.zeros(SHAPE, bool)
    course.flat[trace(back, mouth)] = True
    return course


def least_cost(cost: np.ndarray, start: int, *, diagonal: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """Cost from every cell to `start` (flat position) and the next cell on the way there (-9999 at the start)."""
    cells = np.arange(cost.size).reshape(cost.shape)
    steps = ((0, 1), (1, 0), (1, 1), (1, -1))[: 4 if diagonal else 2]
    heads, tails, prices = [], [], []
    for dr, dc in steps:
        left = (slice(0, cost.shape[0] - dr), slice(max(0, -dc), cost.shape[1] - max(0, dc)))
        right = (slice(dr, cost.shape[0]), slice(max(0, dc), cost.shape[1] - max(0, -dc)))
        heads.append(cells[left].ravel())
        tails.append(cells[right].ravel())
        prices.append(((cost[left] + cost[right]) / 2).ravel() * np.hypot(dr, dc))
    price, head, tail = np.concatenate(prices), np.concatenate(heads), np.concatenate(tails)
    graph = csr_array((price, (head, tail)), shape=(cost.size, cost.size))
    minutes, back = dijkstra(graph, directed=False, indices=start, return_predecessors=True)
    return minutes.reshape(cost.shape), back


def trace(back: np.ndarray, end: int) -> list[int]:
    """Cells from `end` to the start of the search that gave `back`."""
    way = [end]
    while back[way[-1]] >= 0:
        way.append(int(back[way[-1]]))
    return way


def _building_cost(terrain: Terrain) -> np.ndarray:
    """What a cell costs a road builder: steeper is dearer, a bridge dear, lake and abroad all but impossible."""
    cost = 1 + (terrain.slope_deg / FLAT_DEG) ** 2 + 25 * (terrain.water & ~terrain.lake)
    return np.asarray(cost + 1e5 * (terrain.lake | ~terrain.inside))


def make_roads(rng: np.random.Generator, terrain: Terrain, hubs: list[int], served: np.ndarray, people: np.ndarray) -> np.ndarray:
    """Speeds in km/h, 0 off the roads: every `served` cell is linked to the first hub and the hubs to each other.

    Trunk roads come first and later ones join them, because an existing road is cheap to follow. The more people
    a cell carries, the better its road; the ends of the tree are dirt spurs.
    """
    cost = _building_cost(terrain) * np.exp(0.35 * rng.standard_normal(SHAPE))
    built = np.zeros(SHAPE, bool)
    for a in hubs:  # each hub to each other gives the net its loops
        _, back = least_cost(np.where(built, OLD_ROAD * cost, cost), a)
        built.flat[[c for b in hubs for c in trace(back, b)]] = True
    for least in STAGES:
        _, back = least_cost(np.where(built, OLD_ROAD * cost, cost), hubs[0])
        built.flat[[c for end in served[people >= least] for c in trace(back, int(end))]] = True
    _, back = least_cost(np.where(built, OLD_ROAD * cost, 1e5), hubs[0])
    use = np.zeros(SHAPE)
    for end, count in zip(served, people, strict=True):
        use.flat[trace(back, int(end))] += count
    speed = np.zeros(SHAPE)
    for least, kmh in reversed(ROAD_CLASSES):
        speed[built & (use >= least)] = kmh
    return speed


def near(mask: np.ndarray, cells: int) -> np.ndarray:
    """The mask widened by so many cells."""
    return np.asarray(binary_dilation(mask, np.ones((3, 3)), iterations=cells))


def centre(cell: np.ndarray | int) -> tuple[np.ndarray, np.ndarray]:
    """Metres east and north of the middle of flat cell positions."""
    row, col = np.divmod(np.asarray(cell), SHAPE[1])
    return ORIGIN[0] + (col + 0.5) * CELL_M, ORIGIN[1] - (row + 0.5) * CELL_M
