"""Made-up worlds for benchmarks/travel.py: road-like graphs, terrain, roads over terrain; and any network as scipy takes it."""

from __future__ import annotations

from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy import ndimage
from scipy.sparse import csr_array

from planner.model import STEPS, Grid, Roads
from planner.travel.network import QUANTUM, Network

CELL_M = 100.0
LANGMUIR = 0.72, 6.0, 1.9998, -1.9998  # r.walk's coefficients: s/m on the flat, per metre up, gently down, steeply down
STEEP = -0.2125  # slope below which going down costs time
STRIP = 256
CLASSES = ("residential", "unclassified", "tertiary", "track", "path")


def road_graph(nodes: int, seed: int = 0) -> tuple[Network, np.ndarray, np.ndarray]:
    """About so many nodes in Hilbert order, and their x and y: a jittered lattice of crossings, a quarter of its links
    gone, each link of one to five pieces, one in twenty one-way. Minutes are rounded as the search rounds them, so that
    peers are asked the same question to the bit.
    """
    rng = np.random.default_rng(seed)
    x, y, one, other = _lattice(int(np.sqrt(nodes / 4.0)), 600.0, rng)
    pieces, kmh = rng.integers(1, 6, one.size), rng.choice([20, 30, 40, 60, 80], one.size, p=[0.3, 0.35, 0.2, 0.1, 0.05])
    metres = np.hypot(x[one] - x[other], y[one] - y[other]) * rng.uniform(1.0, 1.4, one.size)
    link = np.repeat(np.arange(one.size), pieces)
    piece = np.arange(link.size) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    inner = x.size + np.cumsum(pieces - 1) - (pieces - 1)  # first node within each link
    last = piece == pieces[link] - 1
    tail, head = np.where(piece == 0, one[link], inner[link] + piece - 1), np.where(last, other[link], inner[link] + piece)
    minutes = (metres / pieces)[link] * rng.uniform(0.6, 1.4, link.size) / (kmh[link] * 1000 / 60)
    share, of = ((piece + 1) / pieces[link])[~last], link[~last]
    x, y = (np.concatenate([at, at[one[of]] * (1 - share) + at[other[of]] * share]) for at in (x, y))
    both = ~(rng.random(one.size) < 0.05)[link]
    order = gpd.GeoSeries.from_xy(x, y).hilbert_distance(level=16).to_numpy().argsort(kind="stable")
    tail, head = np.concatenate([tail, head[both]]), np.concatenate([head, tail[both]])
    network = _numbered(tail, head, np.concatenate([minutes, minutes[both]]), order)
    return network, x[order], y[order]


def shuffled(network: Network, seed: int = 0) -> Network:
    """The same graph with its nodes in no order."""
    return _numbered(network.tail, network.head, network.minutes, np.random.default_rng(seed).permutation(network.nodes))


def _numbered(tail: np.ndarray, head: np.ndarray, minutes: np.ndarray, order: np.ndarray) -> Network:
    number = np.empty(order.size, np.int32)
    number[order] = np.arange(order.size, dtype=np.int32)
    return Network(np.empty((0, 0)), 1.0, nodes=order.size, tail=number[tail], head=number[head],
                   minutes=np.rint(minutes / QUANTUM) * QUANTUM)


def _lattice(side: int, spacing_m: float, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Crossings (x, y) and three quarters of the links between neighbours (one end, other end)."""
    across, up = np.meshgrid(np.arange(side), np.arange(side))
    x, y = ((at + rng.uniform(0.15, 0.85, at.shape)).ravel() * spacing_m for at in (across, up))
    number = np.arange(side * side).reshape(side, side)
    one = np.concatenate([number[:, :-1].ravel(), number[:-1].ravel()])
    other = np.concatenate([number[:, 1:].ravel(), number[1:].ravel()])
    kept = rng.random(one.size) < 0.75
    return x, y, one[kept], other[kept]


def terrain(size: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Elevation (m) and friction (s/m beyond the flat, NaN in lakes), float32 (size, size): valleys within valleys."""
    rng = np.random.default_rng(seed)

    def relief(grain: int) -> np.ndarray:
        coarse = rng.normal(size=(size // grain + 2, size // grain + 2)).astype(np.float32)
        return ndimage.zoom(coarse, grain, order=1, output=np.float32)[:size, :size]

    elevation = np.zeros((size, size), np.float32)
    for grain in (128, 32, 8, 2):
        elevation += relief(grain) * np.float32(1.2 * grain**0.9)
    friction = np.abs(relief(16)) * np.float32(0.8)
    friction[relief(64) > 1.7] = np.nan
    return elevation, friction


def isotropic(friction: np.ndarray) -> Network:
    """Terrain on which every direction costs the same."""
    pace = (LANGMUIR[0] + friction.astype(float)) / 60
    return Network(np.where(np.isnan(pace), np.inf, pace), CELL_M)


def langmuir(elevation: np.ndarray, friction: np.ndarray) -> Network:
    """r.walk's own formula as a network: minutes = (a L + friction L + climb by b, c or d) / 60, friction of both cells by halves."""
    network = isotropic(friction)
    height, width = elevation.shape
    factor = np.full((height, width, 8), np.inf, np.float32)
    _, up, gently, steeply = LANGMUIR
    for top in range(0, height, STRIP):
        for k, (down, right) in enumerate(STEPS[:8]):
            rows = slice(max(top, -down), min(top + STRIP, height - max(0, down)))
            cols = slice(max(0, -right), width - max(0, right))
            there = slice(rows.start + down, rows.stop + down), slice(cols.start + right, cols.stop + right)
            rise = elevation[there].astype(float) - elevation[rows, cols]
            length_m = CELL_M * np.hypot(down, right)
            climb = np.where(rise >= 0, up, np.where(rise / length_m < STEEP, steeply, gently)) * rise / 60
            mean = (network.pace[rows, cols] + network.pace[there]) / 2
            factor[rows, cols, k] = 1 + climb / (mean * length_m)
    return replace(network, factor=factor)


def roads_over_terrain(side: int, size: int, seed: int = 0) -> tuple[Grid, Roads]:
    """A grid with elevations and a lattice of side**2 crossings over all of it, joined by straight roads of five classes."""
    rng = np.random.default_rng(seed)
    elevation, _ = terrain(size, seed)
    flat = np.zeros((size, size), np.float32)
    grid = Grid((CELL_M, 0.0, 0.0, 0.0, -CELL_M, size * CELL_M), "EPSG:32614", flat, flat, flat + 1, elevation_m=elevation)
    x, y, u, v = _lattice(side, size * CELL_M / side, rng)
    lines = shapely.linestrings(np.stack([np.stack([x[u], y[u]], 1), np.stack([x[v], y[v]], 1)], 1))
    edges = gpd.GeoDataFrame({
        "way": [f"w{i}" for i in range(len(u))], "u": u, "v": v, "name": None,
        "road_class": rng.choice(CLASSES, len(u)), "surface": rng.choice(["asphalt", "unpaved"], len(u)), "tracktype": np.nan,
        "smoothness": pd.Series([None] * len(u), dtype="str"), "posted_kmh": np.nan, "crossing_min": np.nan,
        "length_m": shapely.length(lines), "forward": True, "backward": rng.random(len(u)) >= 0.05, "drive": True, "walk": True,
        "board": True, "bridge": False, "ford": False, "ferry": False, "toll": False}, geometry=lines, crs=grid.crs)
    return grid, Roads(gpd.GeoDataFrame({"component": np.zeros(len(x), int)}, geometry=gpd.points_from_xy(x, y), crs=grid.crs), edges)


def explicit(network: Network) -> csr_array:
    """Every step and arc as scipy takes them, rounded as the search rounds them; of parallel arcs the cheapest."""
    height, width = network.pace.shape
    number = np.arange(network.cells, dtype=np.int32).reshape(height, width)
    tails, heads, costs = [], [], []
    for k, (down, right) in enumerate(STEPS[: network.neighbours] if network.cells else ()):
        here = slice(max(0, -down), height - max(0, down)), slice(max(0, -right), width - max(0, right))
        there = slice(here[0].start + down, here[0].stop + down), slice(here[1].start + right, here[1].stop + right)
        cost = (network.pace[here] + network.pace[there]) * (network.cell_m * np.hypot(down, right) / 2 / QUANTUM)
        if network.factor is not None:
            cost *= network.factor[(*here, k)]
        passable = np.isfinite(cost)
        tails.append(number[here][passable])
        heads.append(number[there][passable])
        costs.append(np.rint(cost[passable]) * QUANTUM)
    arcs = np.flatnonzero(np.isfinite(network.minutes))
    if network.cells:  # a road-like graph has no parallel arcs
        arcs = arcs[np.lexsort((network.minutes[arcs], network.head[arcs], network.tail[arcs]))]
        arcs = arcs[(np.diff(network.tail[arcs], prepend=-1) != 0) | (np.diff(network.head[arcs], prepend=-1) != 0)]
    tails.append(network.tail[arcs])
    heads.append(network.head[arcs])
    costs.append(np.rint(network.minutes[arcs] / QUANTUM) * QUANTUM)
    return csr_array((np.concatenate(costs), (np.concatenate(tails), np.concatenate(heads))), shape=(network.size, network.size))
