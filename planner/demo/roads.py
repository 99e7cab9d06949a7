"""Invented roads of the demo: who needs them decides where they run and how good they are; drawn as OpenStreetMap's ways."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import shapely
from shapely.ops import substring

from planner.demo.terrain import DETAIL_M, SHAPE, Terrain, centre, least_cost, near, smoothed, trace

FLAT_DEG = 8.0  # slope at which a cell costs a road builder twice as much as flat ground
WATER = 6.0  # and what a cell of river costs more
STAGES = (2_000, 500, 0)  # people of the places that get their road in each round
OLD_ROAD = 0.12  # cost of following a built road, as a part of building it
# People whose way to the capital uses a road, what road it is, and its rough km/h where only remoteness is asked.
ROADS: tuple[tuple[int, float, Mapping[str, str]], ...] = (
    (50_000, 80.0, {"highway": "primary", "surface": "asphalt", "maxspeed": "80"}),
    (15_000, 60.0, {"highway": "secondary", "surface": "asphalt"}),
    (2_500, 45.0, {"highway": "tertiary", "surface": "asphalt"}),
    (900, 25.0, {"highway": "unclassified", "surface": "gravel"}),
    (300, 15.0, {"highway": "track", "tracktype": "grade2"}),
    (100, 15.0, {"highway": "track", "tracktype": "grade3"}),
    (0, 15.0, {"highway": "track", "tracktype": "grade4", "smoothness": "bad"}),
)
BRIDGED = ("motorway", "primary", "secondary", "tertiary")  # the others ford their rivers
PATH = {"highway": "path"}
FERRY = {"route": "ferry", "name": "Panga del embalse", "duration": "00:15", "foot": "yes", "motor_vehicle": "yes"}
MOTORWAY = {"highway": "motorway", "name": "Autopista de cuota", "surface": "asphalt", "maxspeed": "110", "oneway": "yes", "toll": "yes"}
MOTORWAY_BEND, CARRIAGEWAY_M = 4.0, 30.0
STREET_M = 300.0
SPUR_M = (700.0, 1_300.0)
ODD: tuple[Mapping[str, str], ...] = (  # what no vehicle takes: unfinished, private, of no class
    {"highway": "construction", "construction": "secondary"}, {"highway": "track", "access": "private", "foot": "yes"},
    {"highway": "brecha"})
CROSSING_M = 25.0  # of road before and behind the water that belong to its bridge or ford
TOGETHER_M = 250.0  # waters closer than this along a road are crossed by one bridge


@dataclass(frozen=True, eq=False)
class Way:
    """A way as OpenStreetMap has it: tags, and vertices in metres; ways join where they share a vertex."""

    tags: Mapping[str, str]
    line: shapely.LineString


@dataclass(frozen=True, eq=False)
class Network:
    """The ways, and rough km/h of the cells they cross (0: no road for vehicles)."""

    ways: tuple[Way, ...]
    kmh: np.ndarray


def make_roads(
    rng: np.random.Generator, terrain: Terrain, seats: Sequence[int], hubs: int, served: np.ndarray, people: np.ndarray, trodden: np.ndarray
) -> Network:
    """Every `served` cell linked to the first seat, the first `hubs` seats to each other, the `trodden` cells by a path.

    Trunk roads come first and later ones join them, because an existing road is cheap to follow. The more people a
    road carries the better it is; the ends of the tree are tracks.
    """
    piers = _piers(terrain)
    ends, counts = np.concatenate([served, piers]), np.concatenate([people, np.full(len(piers), 300)])
    cost = _building_cost(terrain) * np.exp(0.35 * rng.standard_normal(SHAPE))
    built = _built(cost, seats[:hubs], ends, counts)
    use = _uses(np.where(built, OLD_ROAD * cost, 1e5), seats[:hubs], ends, counts)
    _, back = least_cost(np.where(built, OLD_ROAD * cost, cost), seats[0])
    paths = {link for end in trodden for link in _links(_until(trace(back, int(end)), built))} - set(use)
    kinds: dict[int, list[tuple[int, int]]] = {}
    kmh = np.zeros(SHAPE)
    for link, flow in sorted(use.items(), key=lambda item: (item[1], item[0])):
        kind = next(i for i, (least, _, _) in enumerate(ROADS) if flow >= least)
        kinds.setdefault(kind, []).append(link)
        kmh.flat[list(link)] = ROADS[kind][1]
    fixed = _junctions([*use, *paths]) | set(ends.tolist()) | set(trodden.tolist()) | set(seats)
    roads = [Way(tags, line) for kind, (_, _, tags) in enumerate(ROADS) for line in _lines(kinds.get(kind, ()), fixed)]
    roads += [Way(PATH, line) for line in _lines(paths, fixed)]
    roads += _motorway(cost, seats)
    crossed = [piece for way in roads for piece in _across(way, terrain.rivers)]
    ferry = Way(FERRY, shapely.LineString(np.column_stack(centre(piers))))
    return Network((*crossed, *_streets(seats), *_spurs(seats), ferry), kmh)


def _building_cost(terrain: Terrain) -> np.ndarray:
    """What a cell costs a road builder: steeper is dearer, a bridge dear, lake and abroad all but impossible."""
    cost = 1 + (terrain.slope_deg / FLAT_DEG) ** 2 + WATER * (terrain.water & ~terrain.lake)
    return np.asarray(cost + 1e5 * (near(terrain.lake, 1) | ~terrain.inside))


def _piers(terrain: Terrain) -> np.ndarray:
    """Where the ferry lands: the ends of the reservoir's shore that are farthest apart from south to north."""
    shore = np.flatnonzero(near(terrain.lake, 2) & ~near(terrain.lake, 1) & terrain.land)
    return shore[[0, -1]]


def _built(cost: np.ndarray, hubs: Sequence[int], ends: np.ndarray, people: np.ndarray) -> np.ndarray:
    """Cells that got a road."""
    built = np.zeros(SHAPE, bool)
    for a in hubs:  # each hub to each other gives the net its loops
        _, back = least_cost(np.where(built, OLD_ROAD * cost, cost), a)
        built.flat[[c for b in hubs for c in trace(back, b)]] = True
    for least in STAGES:
        _, back = least_cost(np.where(built, OLD_ROAD * cost, cost), hubs[0])
        built.flat[[c for end in ends[people >= least] for c in trace(back, int(end))]] = True
    return built


def _uses(cost: np.ndarray, hubs: Sequence[int], ends: np.ndarray, people: np.ndarray) -> dict[tuple[int, int], int]:
    """Pairs of neighbouring cells (the lower first) that a road joins, and how many people's way to the capital it is on."""
    use: dict[tuple[int, int], int] = {}
    for hub in hubs:
        _, back = least_cost(cost, hub)
        for end, count in zip(ends, people, strict=True) if hub == hubs[0] else ((b, 2_500) for b in hubs):
            for link in _links(trace(back, int(end))):
                use[link] = use.get(link, 0) + int(count)
    return use


def _links(cells: Sequence[int]) -> list[tuple[int, int]]:
    return [(min(pair), max(pair)) for pair in pairwise(cells)]


def _until(cells: list[int], built: np.ndarray) -> list[int]:
    """The cells up to the first one that has a road."""
    last = next((i for i, cell in enumerate(cells) if built.flat[cell]), len(cells) - 1)
    return cells[: last + 1]


def _junctions(links: Iterable[tuple[int, int]]) -> set[int]:
    cells, count = np.unique(np.array(sorted(set(links))), return_counts=True)
    return set(cells[count != 2].tolist())


def _lines(links: Iterable[tuple[int, int]], fixed: set[int]) -> list[shapely.LineString]:
    """Smooth lines along chains of links, from one of the fixed cells to the next."""
    beside: dict[int, list[int]] = {}
    for a, b in sorted(links):
        beside.setdefault(a, []).append(b)
        beside.setdefault(b, []).append(a)
    fixed = fixed | {cell for cell, others in beside.items() if len(others) != 2}
    lines = []
    for start in sorted(fixed & set(beside)):
        for then in beside[start]:
            chain = [start, then]
            while chain[-1] not in fixed:
                one, other = beside[chain[-1]]
                chain.append(other if one == chain[-2] else one)
            if chain[0] < chain[-1]:  # each chain is walked from both of its ends
                lines.append(shapely.simplify(smoothed(chain), DETAIL_M))
    return lines


def _across(way: Way, rivers: shapely.Geometry) -> list[Way]:
    """The way cut where it meets rivers, with a bridge or a ford over each."""
    waters = shapely.get_parts(shapely.intersection(way.line, rivers))
    at = np.sort(shapely.line_locate_point(way.line, shapely.points(shapely.get_coordinates(waters))))
    if not len(at):
        return [way]
    over = "bridge" if way.tags["highway"] in BRIDGED else "ford"
    new = np.diff(at, prepend=-np.inf) > TOGETHER_M
    first = np.maximum(at[new] - CROSSING_M, 0.0)
    last = np.minimum(at[np.append(new[1:], True)] + CROSSING_M, way.line.length)
    cuts = [0.0, *np.column_stack([first, last]).ravel().tolist(), way.line.length]
    return [Way({**way.tags, over: "yes"} if i % 2 else way.tags, shapely.LineString(shapely.get_coordinates(substring(way.line, a, b))))
            for i, (a, b) in enumerate(pairwise(cuts)) if b > a]


def _motorway(cost: np.ndarray, seats: Sequence[int]) -> list[Way]:
    """Two carriageways between the first seat and the third, that meet the other roads at their ends only."""
    _, back = least_cost(np.sqrt(cost), seats[2])
    middle = shapely.simplify(smoothed(trace(back, int(seats[0])), MOTORWAY_BEND), DETAIL_M)
    ends = shapely.get_coordinates(middle)[[0, -1]]
    out, home = (shapely.get_coordinates(shapely.offset_curve(middle, side)) for side in (-CARRIAGEWAY_M, CARRIAGEWAY_M))
    return [Way(MOTORWAY, shapely.LineString([ends[0], *out, ends[1]])), Way(MOTORWAY, shapely.LineString([ends[1], *home[::-1], ends[0]]))]


def _streets(seats: Sequence[int]) -> list[Way]:
    """A main street and one that goes one way, through the middle of each seat."""
    ways = []
    for x, y in zip(*centre(np.array(seats)), strict=True):
        for dx, dy, tags in ((0.0, STREET_M, {}), (STREET_M, 0.0, {"oneway": "yes"})):
            line = shapely.LineString([(x - dx, y - dy), (x, y), (x + dx, y + dy)])
            ways.append(Way({"highway": "residential", "surface": "asphalt", **tags}, line))
    return ways


def _spurs(seats: Sequence[int]) -> list[Way]:
    """Short roads out of the last seats that are not as they should be."""
    starts = zip(*centre(np.array(seats[-len(ODD):])), strict=True)
    return [Way(tags, shapely.LineString([(x, y), (x + SPUR_M[0], y - SPUR_M[0]), (x + SPUR_M[1], y - SPUR_M[0])]))
            for (x, y), tags in zip(starts, ODD, strict=True)]
