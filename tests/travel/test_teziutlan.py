"""Real roads of a mountain municipality: the ways to its eight hospitals, and the table between them, against a graph made here."""

import math
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import networkx as nx
import numpy as np
import pytest
import shapely

from planner.kinds import Mode
from planner.model import Grid, Roads
from planner.settings import Scenario
from planner.sources.osm import read_osm
from planner.sources.terrain import made_grid
from planner.travel import board
from planner.travel.ground import Ground, labels, pairs_within, read_labels
from planner.travel.join import Graph, join
from planner.travel.network import Anchors
from planner.travel.paths import paths
from planner.travel.weigh import weigh

CRS = "EPSG:32614"
WALK = 0.01 / math.exp(-0.175)  # minutes per metre on a flat road at Tobler's 6 exp(-3.5 * 0.05) km/h
OFF = WALK / 0.6  # off the road
ON_M = 0.01  # what lies on a road lies this near to it
# As published for the scenario's defaults: km/h by class, what the surface leaves of it, and the most on earth.
KMH = {"motorway": 90, "primary": 70, "primary_link": 70, "secondary": 60, "tertiary": 50, "unclassified": 40, "residential": 30,
       "living_street": 30, "service": 20}
LEFT = {"asphalt": 1.0, "paved": 0.9, "concrete": 0.9, "unpaved": 0.7, "gravel": 0.7, "dirt": 0.7, "earth": 0.7}
EARTH, EARTH_KMH = ("unpaved", "gravel", "dirt", "earth"), 30


def folder(shared: Path) -> Path:
    return shared / "data/teziutlan"


@pytest.fixture(scope="module")
def raw(shared: Path) -> gpd.GeoDataFrame:
    return gpd.read_file(folder(shared) / "teziutlan_puebla_osm_roads.geojson")


@pytest.fixture(scope="module")
def roads(shared: Path) -> Roads:
    return read_osm(folder(shared) / "teziutlan_puebla_osm_roads.geojson", CRS)[0]


@pytest.fixture(scope="module")
def hospitals(shared: Path) -> gpd.GeoDataFrame:
    points = gpd.read_file(folder(shared) / "teziutlan_puebla_hospitals.geojson").to_crs(CRS)
    return points.set_index(points.index.map("H{}".format))[["geometry"]]


def flat(roads: Roads, hospitals: gpd.GeoDataFrame, *, walkable: bool = True) -> Grid:
    west, south, east, north = roads.edges.total_bounds
    corners = gpd.GeoSeries([shapely.Point(west, south), shapely.Point(east, north)], crs=CRS)
    transform, shape = made_grid(corners, hospitals.geometry, 100.0)
    nothing = np.zeros(shape, np.float32)
    return Grid(transform, CRS, nothing, nothing, np.full(shape, walkable, np.float32))


@pytest.fixture(scope="module")
def graph(roads: Roads, hospitals: gpd.GeoDataFrame) -> Graph:
    return join(flat(roads, hospitals), roads)


@pytest.fixture(scope="module")
def hilly(roads: Roads, hospitals: gpd.GeoDataFrame) -> Graph:
    """Smooth hills made up here: the data bring no elevation."""
    grid = flat(roads, hospitals)
    row, col = np.indices(grid.shape)
    return join(replace(grid, elevation_m=(1800 + 300 * np.sin(col / 20) + 200 * np.cos(row / 15)).astype(np.float32)), roads)


@pytest.fixture(scope="module")
def places(roads: Roads) -> gpd.GeoDataFrame:
    """Places anywhere, on vertices of roads, and half way between two of them."""
    made = np.random.default_rng(8)
    west, south, east, north = roads.edges.total_bounds
    some = roads.edges.geometry.iloc[made.choice(len(roads.edges), 80, replace=False)]
    xy = np.concatenate([made.uniform((west, south), (east, north), (120, 2)), shapely.get_coordinates(some.iloc[:40])[::3],
                         shapely.get_coordinates(some.iloc[40:].interpolate(0.5, normalized=True))])
    return gpd.GeoDataFrame(index=[f"L{i:03d}" for i in range(len(xy))], geometry=gpd.points_from_xy(*xy.T), crs=CRS)


def on_ground(graph: Graph, roads: Roads, mode: Mode) -> Ground:
    return Ground(graph, roads, None, Scenario(), weigh(graph, roads, Scenario(), mode))


def both_ways(roads: Roads) -> Roads:
    """Without one-way motorways."""
    return replace(roads, edges=roads.edges.assign(forward=True, backward=True))


def test_the_network_has_its_nodes_edges_and_one_large_part(roads):
    assert (len(roads.nodes), len(roads.edges)) == (5882, 7180)
    assert round(float((roads.nodes["component"] == 0).mean()), 3) == 0.993


@pytest.mark.parametrize("towards", [True, False])
@pytest.mark.parametrize("mode", ["vehiculo", "a_pie"])
@pytest.mark.parametrize("relief", ["flat", "hilly"])
def test_every_way_is_gone_as_it_is_drawn(relief, mode, towards, roads, hospitals, places, graph, hilly):
    """Along roads or from cell to cell, from the place to the hospital; and what is drawn costs what is told."""
    on = on_ground(graph if relief == "flat" else hilly, roads, mode)
    sites, here = on.set(hospitals), on.set(places)
    found = labels(on, sites, towards=towards)
    ways = paths(on, found, sites, here, towards=towards)
    told = read_labels(on, found, sites, here, towards=towards)
    assert ways.index.equals(places.index)
    np.testing.assert_array_equal(ways["minutes"], told["minutes"])
    np.testing.assert_array_equal(ways["site"], told["clues"])
    np.testing.assert_allclose(ways["walk_min"] + ways["drive_min"], ways["minutes"], atol=1e-9, rtol=0)
    np.testing.assert_allclose(ways["metres"], ways.length, rtol=1e-12)
    first, last = (0, -1) if towards else (-1, 0)
    assert [line.coords[first] for line in ways.geometry] == [point.coords[0] for point in places.geometry]
    assert [line.coords[last] for line in ways.geometry] == [point.coords[0] for point in hospitals.geometry.loc[ways["site"]]]
    walked, driven = drawn_minutes(on.graph, roads, ways, mode)
    np.testing.assert_allclose(driven, ways["drive_min"], atol=2e-6, rtol=1e-7)
    if relief == "flat":
        np.testing.assert_allclose(walked, ways["walk_min"], atol=2e-6, rtol=1e-7)


def drawn_minutes(graph: Graph, roads: Roads, ways: gpd.GeoDataFrame, mode: Mode) -> tuple[np.ndarray, np.ndarray]:
    """Minutes walked on the flat and driven by each line, reckoned from nothing but its coordinates and the roads' classes."""
    grid, reached = graph.grid, graph.link_node - graph.grid.road_kmh.size
    nodes = set(zip(graph.x[reached], graph.y[reached], strict=True))
    xy, way = shapely.get_coordinates(ways.geometry, return_index=True)
    same = way[1:] == way[:-1]
    start, end, of = xy[:-1][same], xy[1:][same], way[1:][same]
    metres = np.hypot(*(end - start).T)
    cell, cell_to = (_cell(grid, at) for at in (start, end))
    row, col = np.divmod(cell, grid.shape[1])
    row_to, col_to = np.divmod(cell_to, grid.shape[1])
    at_centre, at_centre_to = _at_centre(grid, start), _at_centre(grid, end)
    # from the place to its cell or road, and the same at the site; there is no such piece where a place stands on such a node
    outer = np.zeros(len(of), bool)
    for ends, at, other in ((np.diff(of, prepend=-1), start, at_centre_to), (np.diff(of, append=-1), end, at_centre)):
        mine = np.flatnonzero(ends)
        outer[mine] |= other[mine] | np.array([tuple(xy) not in nodes for xy in at[mine]])
    assert (np.maximum(abs(row - row_to), abs(col - col_to))[at_centre & at_centre_to] <= 1).all()  # from cell to cell beside it
    pace, by_road = _along(roads, start, end, mode)
    walks = ~by_road | outer
    inside = (cell == cell_to) | _on_edge_of(grid, start, end)
    assert (inside | (at_centre & at_centre_to))[walks].all()  # off the road one moves between centres, or within a cell
    free = outer & (at_centre | at_centre_to)  # a cell stands for its whole area
    on_foot = walks | (pace == WALK)
    minutes = np.where(free, 0.0, metres * np.where(walks, OFF, pace))
    return tuple(np.bincount(of, np.where(chosen, minutes, 0.0), minlength=len(ways)) for chosen in (on_foot, ~on_foot))


def _cell(grid: Grid, xy: np.ndarray) -> np.ndarray:
    row, col = grid.cells(*xy.T)
    return row * grid.shape[1] + col


def _at_centre(grid: Grid, xy: np.ndarray) -> np.ndarray:
    return np.hypot(*(np.stack(grid.centres(_cell(grid, xy)), 1) - xy).T) == 0


def _on_edge_of(grid: Grid, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Whether both ends lie in the cell of the middle, its edge included."""
    middle = np.stack(grid.centres(_cell(grid, (start + end) / 2)), 1)
    return (np.maximum(abs(start - middle), abs(end - middle)) <= grid.cell_m / 2 + ON_M).all(axis=1)


def _along(roads: Roads, start: np.ndarray, end: np.ndarray, mode: Mode) -> tuple[np.ndarray, np.ndarray]:
    """Minutes per metre of the best road that runs along each piece, and whether one does."""
    lines = roads.edges.geometry.to_numpy()
    piece, edge = shapely.STRtree(lines).query(shapely.points((start + end) / 2), predicate="dwithin", distance=ON_M)
    along = np.logical_and.reduce([shapely.dwithin(lines[edge], shapely.points(at[piece]), ON_M) for at in (start, end)])
    piece, edge = piece[along], edge[along]
    pace = np.full(len(start), np.inf)
    np.minimum.at(pace, piece, _pace_of(roads, mode)[edge])
    return pace, np.isfinite(pace)


def _pace_of(roads: Roads, mode: Mode) -> np.ndarray:
    """Minutes per metre on each edge: by vehicle from its class, surface and posted speed; on paths one walks."""
    edges = roads.edges
    if mode == "a_pie":
        return np.where(edges["road_class"] == "motorway", np.inf, WALK)
    kmh = edges["posted_kmh"].fillna(edges["road_class"].map(KMH)) * edges["surface"].map(LEFT).fillna(1.0)
    kmh = kmh.mask(edges["surface"] == "unpaved", kmh.clip(upper=EARTH_KMH))
    return np.where(edges["road_class"] == "path", WALK, 0.06 / kmh)


def test_there_and_back_cost_the_same_on_flat_ground(roads, hospitals, places, graph):
    for mode in ("vehiculo", "a_pie"):
        on = on_ground(graph, both_ways(roads), mode)
        sites, here = on.set(hospitals), on.set(places)
        there, back = (paths(on, labels(on, sites, towards=t), sites, here, towards=t) for t in (True, False))
        np.testing.assert_array_equal(there[["minutes", "site"]], back[["minutes", "site"]])
        np.testing.assert_allclose(there["metres"], back["metres"], rtol=0.02)  # of ways that cost the same either may be drawn


def test_uphill_and_downhill_differ(roads, hospitals, places, hilly):
    on = on_ground(hilly, both_ways(roads), "a_pie")
    sites, here = on.set(hospitals), on.set(places)
    there, back = (read_labels(on, labels(on, sites, towards=t), sites, here, towards=t)["minutes"] for t in (True, False))
    assert (abs(there - back) > 1).mean() > 0.5


def independent(raw: gpd.GeoDataFrame, mode: Mode) -> nx.DiGraph:
    """The roads by straight pieces between vertices, equal to the seventh decimal of a degree; minutes by vehicle or on foot."""
    metric = raw.to_crs(CRS).geometry
    made = nx.DiGraph()
    for way, drawn, line in zip(raw.drop(columns="geometry").to_dict("records"), raw.geometry, metric, strict=True):
        kind, surface = way["highway"], way["surface"]
        if mode == "a_pie" and kind == "motorway":
            continue
        kmh = (float(way["maxspeed"]) if isinstance(way["maxspeed"], str) else KMH.get(kind, 0)) * LEFT.get(surface, 1.0)
        kmh = min(kmh, EARTH_KMH) if surface in EARTH else kmh
        pace = WALK if mode == "a_pie" or kind == "pedestrian" else 0.06 / kmh
        for part, flat_part in zip(shapely.get_parts(drawn), shapely.get_parts(line), strict=True):
            names = [(round(x * 1e7), round(y * 1e7)) for x, y in part.coords]
            for a, b, at, to in zip(names, names[1:], flat_part.coords, flat_part.coords[1:], strict=False):
                for one, other in ((a, b),) if kind == "motorway" else ((a, b), (b, a)):
                    minutes = math.dist(at, to) * pace
                    if minutes < made.get_edge_data(one, other, {"minutes": np.inf})["minutes"]:
                        made.add_edge(one, other, minutes=minutes)
    return made


@pytest.mark.parametrize("mode", ["vehiculo", "a_pie"])
def test_the_table_between_hospitals_equals_networkx_on_roads_alone(mode, raw, roads, hospitals):
    """Hospitals on the network's nearest corner, and ground that nobody crosses."""
    graph = join(flat(roads, hospitals, walkable=False), roads)
    main = roads.nodes[roads.nodes["component"] == 0]
    corner = main.geometry.iloc[main.sindex.nearest(hospitals.geometry, return_all=False)[1]]
    near = shapely.STRtree(shapely.points(graph.x, graph.y)).nearest(corner.to_numpy())
    assert np.hypot(graph.x[near] - corner.x, graph.y[near] - corner.y).max() == 0
    at = Anchors.at(near + graph.grid.road_kmh.size)
    made = independent(raw, mode)
    degrees = corner.to_crs(4326)
    names = [(round(x * 1e7), round(y * 1e7)) for x, y in zip(degrees.x, degrees.y, strict=True)]
    rows = [nx.single_source_dijkstra_path_length(made, name, weight="minutes") for name in names]
    expected = np.array([[row[name] for name in names] for row in rows])
    on = on_ground(graph, roads, mode)
    for towards in (True, False):
        target, source, minutes = board.reach(on.board(towards), at, at, bound_min=1e4)
        table = np.full((8, 8), np.inf)
        table[target, source] = minutes
        np.testing.assert_allclose(table, expected if towards else expected.T, rtol=1e-6, atol=1e-9)


def test_open_ground_only_shortens_the_way_between_hospitals(roads, hospitals, graph):
    """Door to door: every hospital from every other, never slower than walking straight, and by vehicle never slower than on foot."""
    table = {}
    for mode in ("vehiculo", "a_pie"):
        on = on_ground(graph, roads, mode)
        sites = on.set(hospitals)
        pairs = pairs_within(on, sites, sites, 1e4)
        assert len(pairs) == 64
        table[mode] = pairs["value"].to_numpy().reshape(8, 8)
        assert (np.diag(table[mode]) == 0).all()
    assert (table["vehiculo"] <= table["a_pie"]).all()
    straight = np.array([[a.distance(b) for b in hospitals.geometry] for a in hospitals.geometry])
    zigzag = 1 / math.cos(math.pi / 8)  # eight directions
    assert (table["a_pie"] <= (straight * zigzag + 300) * OFF).all()
