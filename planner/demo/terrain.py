"""Invented relief of the demo: a plain in the west that climbs into a folded sierra, rivers, a reservoir.

Arrays are (height, width), north up, cells of `CELL_M` metres. The place is open sea in the Gulf of Mexico, so
that nobody takes it for a real one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from scipy.ndimage import binary_dilation, gaussian_filter, gaussian_filter1d
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

CRS = "EPSG:32614"
CELL_M = 250.0
SHAPE = (300, 300)
ORIGIN = (680_000.0, 2_620_000.0)  # west and north edges, metres
LAKE = (0.36, 0.24, 0.045)  # row, column and size, as all these of the whole
SOURCES = ((0.6, 0.72), (0.3, 0.66), (0.82, 0.6), (0.5, 0.5), (0.15, 0.5))  # rows and columns: around each the highest cell has a spring
MEANDER, RIVER_BEND = 0.8, 3.0
DETAIL_M = 25.0  # what is drawn strays no farther from its smooth course
MOUTH = 0.55  # row of the west edge where the rivers leave


@dataclass(frozen=True, eq=False)
class Terrain:
    """Relief and water, as cells and as drawn."""

    elevation_m: np.ndarray  # float64
    slope_deg: np.ndarray  # float64
    inside: np.ndarray  # bool, within the state
    water: np.ndarray  # bool, lake or river
    lake: np.ndarray  # bool
    rivers: shapely.Geometry  # lines, metres, up to the reservoir
    reservoir: shapely.Polygon  # of the lake's cells it holds the centres

    @property
    def land(self) -> np.ndarray:
        return np.asarray(self.inside & ~self.water)


def make_terrain(rng: np.random.Generator) -> Terrain:
    """Relief, state outline, reservoir and rivers from one generator."""
    rows, cols = np.indices(SHAPE) / np.array(SHAPE, float)[:, None, None]
    climb = 1 / (1 + np.exp(-(cols - 0.42 + 0.12 * (rows - 0.5)) * 11))  # 0 plain .. 1 sierra
    ridges = np.exp(-1.5 * np.abs(_noise(rng, (16, 7))))
    relief = 560 * climb + climb * (900 * ridges + 190 * _noise(rng, (6, 4)) + 45 * _noise(rng, (2.2, 2.2)))
    elevation = 240 + relief + 28 * _noise(rng, (12, 12)) + 6 * _noise(rng, (3, 3))
    inside = _outline(rng)
    reservoir = _lake()
    lake = shapely.contains_xy(reservoir, *centre(np.arange(elevation.size))).reshape(SHAPE) & inside
    elevation = np.where(lake, np.median(elevation[lake]), elevation)
    dy, dx = np.gradient(elevation, CELL_M)
    slope = np.where(lake, 0.0, np.degrees(np.arctan(np.hypot(dx, dy))))
    courses = _courses(elevation, inside, lake, _noise(rng, (5, 5)))
    water = lake.copy()
    for course in courses:
        water.flat[course] = True
    drawn = shapely.union_all([smoothed(course, RIVER_BEND) for course in courses])  # below where two meet they are one
    rivers = shapely.simplify(shapely.line_merge(shapely.difference(drawn, reservoir)), DETAIL_M)
    return Terrain(elevation, slope, inside, water & inside, lake, rivers, reservoir)


def _noise(rng: np.random.Generator, sigma: tuple[float, float]) -> np.ndarray:
    """Smooth noise of mean 0 and deviation 1."""
    field = gaussian_filter(rng.standard_normal(SHAPE), sigma, mode="reflect")
    return np.asarray((field - field.mean()) / field.std())


def _outline(rng: np.random.Generator) -> np.ndarray:
    rows, cols = np.indices(SHAPE)
    dy, dx = (rows - SHAPE[0] / 2) / SHAPE[0], (cols - SHAPE[1] / 2) / SHAPE[1]
    angle, phase = np.arctan2(dy, dx), rng.uniform(0, 2 * np.pi, 4)
    edge = 0.43 + sum(0.022 / k * np.cos(k * angle + phase[k - 2]) for k in range(2, 6))
    return np.asarray(np.hypot(dx, dy) <= edge)


def _lake() -> shapely.Polygon:
    """Three bays around the middle."""
    row, col, size = LAKE
    angle = np.linspace(0, 2 * np.pi, 72, endpoint=False)
    far = size * (1 + 0.25 * np.cos(3 * angle)) / np.hypot(np.cos(angle), 0.7 * np.sin(angle))
    east, south = (col + far * np.cos(angle)) * SHAPE[1], (row + far * np.sin(angle)) * SHAPE[0]
    return shapely.Polygon(np.column_stack([ORIGIN[0] + east * CELL_M, ORIGIN[1] - south * CELL_M]))


def _courses(elevation: np.ndarray, inside: np.ndarray, lake: np.ndarray, meander: np.ndarray) -> list[list[int]]:
    """Cells of each river from its source, on high ground, to the west edge; they run together and go four ways only."""
    rows, cols = np.indices(SHAPE) / np.array(SHAPE, float)[:, None, None]
    cost = np.where(lake, 0.01, (1 + (np.maximum(elevation - elevation[inside].min(), 0) / 50) ** 2) * np.exp(MEANDER * meander))
    _, back = least_cost(cost, int(np.ravel_multi_index((int(SHAPE[0] * MOUTH), 0), SHAPE)), diagonal=False)
    around = [np.where(inside & (np.hypot(rows - row, cols - col) < 0.1), elevation, -np.inf) for row, col in SOURCES]
    return [trace(back, int(high.argmax())) for high in around]


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


def smoothed(cells: list[int], bend: float = 1.5) -> shapely.LineString:
    """Line through the middles of cells in order, its bends rounded over `bend` cells, its ends where they were."""
    xy = np.column_stack(centre(np.array(cells)))
    bent = gaussian_filter1d(xy, bend, axis=0, mode="nearest")
    bent[[0, -1]] = xy[[0, -1]]
    return shapely.LineString(bent)


def near(mask: np.ndarray, cells: int) -> np.ndarray:
    """The mask widened by so many cells."""
    return np.asarray(binary_dilation(mask, np.ones((3, 3)), iterations=cells))


def centre(cell: np.ndarray | int) -> tuple[np.ndarray, np.ndarray]:
    """Metres east and north of the middle of flat cell positions."""
    row, col = np.divmod(np.asarray(cell), SHAPE[1])
    return ORIGIN[0] + (col + 0.5) * CELL_M, ORIGIN[1] - (row + 0.5) * CELL_M
