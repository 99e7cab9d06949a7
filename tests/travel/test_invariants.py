"""What must hold in any world of roads, terrain and barriers; about a thousand small worlds."""

from dataclasses import replace
from typing import Any, NamedTuple

import geopandas as gpd
import numpy as np
import shapely
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from small_roads import BRIDGE, FERRY, MOTORWAY, ONE_WAY, PATH, Way, ground, laid, points, roads, way

from planner.model import Grid, Roads
from planner.sources.barriers import blocked_steps
from planner.travel.ground import Ground, labels, nearest_k, nearest_surface, pairs_within, read_labels
from planner.travel.network import QUANTUM
from planner.travel.places import Places

SIDE = 7  # cells
SMALL = settings(deadline=None, max_examples=60)
# Minutes are told to the millionth; a road cut in more pieces may round each of them by half a quantum.
SAME = 1.001e-6

# Few places to meet at, so that ways share vertices, run along borders of cells and through their corners and centres.
spot = st.sampled_from([(x * 50.0, y * 50.0) for x in range(-1, 16) for y in range(-1, 16)]) | st.tuples(
    *[st.integers(-30, 730).map(float)] * 2)
kinds = st.sampled_from([{}, {}, {"surface": "unpaved"}, ONE_WAY, {"forward": False}, PATH, MOTORWAY, {"ford": True}])
spans = st.sampled_from([BRIDGE, {**FERRY, "crossing_min": 7.0}])
roadways = st.builds(lambda at, kind: way(*at, **kind), st.lists(spot, min_size=2, max_size=5, unique=True), kinds)
# A bridge cut by a new junction in its middle is another bridge; those here have none.
straight = st.builds(lambda at, kind: way(*at, **kind), st.lists(spot, min_size=2, max_size=2, unique=True), spans)
drawn = st.lists(roadways | straight, max_size=5)


class World(NamedTuple):
    grid: Grid
    ways: list[Way]
    barriers: gpd.GeoSeries | None
    mode: str
    scenario: dict[str, Any]

    def ground(self, ways: list[Way] | None = None, **scenario: Any) -> Ground:
        net = roads(*(self.ways if ways is None else ways))
        return laid(self.grid, net, self.mode, barriers=self.barriers, **{**self.scenario, **scenario})


@st.composite
def worlds(draw, *, relief=True, fences=True, one_ways=True) -> World:
    """A ground with hills, ground that nobody walks, barriers and roads, each of which may lack."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    z = rng.random((SIDE, SIDE)) * draw(st.sampled_from([0.0, 20.0, 150.0])) if relief and draw(st.booleans()) else None
    slope = rng.uniform(0, 40, (SIDE, SIDE)) if z is None and draw(st.booleans()) else 0.0
    factor = np.where(rng.random((SIDE, SIDE)) < draw(st.sampled_from([0.0, 0.15, 0.5])), np.nan, 1.0)
    grid = ground((SIDE, SIDE), z, slope=slope, factor=factor)
    lines = draw(st.lists(st.lists(spot, min_size=2, max_size=4, unique=True), max_size=2)) if fences else []
    barriers = gpd.GeoSeries([shapely.LineString(line) for line in lines]) if lines else None
    if barriers is not None:
        grid = replace(grid, blocked=blocked_steps(grid.shape, grid.transform, barriers))
    ways = draw(drawn)
    if not one_ways:
        ways = [(at, {**kind, "forward": True, "backward": True}) for at, kind in ways]
    scenario = {"neighbours": draw(st.sampled_from([8, 16])), "season": draw(st.sampled_from(["secas", "lluvias"])), "snap_max_m": 150.0,
                "rain_closes": draw(st.sampled_from([(), ("vados",)])), "drive_slope_decay": draw(st.sampled_from([0.0, 2.0])),
                "speed_model": draw(st.sampled_from(["tobler", "tobler", "sigeh"]))}
    return World(grid, ways, barriers, draw(st.sampled_from(["a_pie", "vehiculo"])), scenario)


inside = st.tuples(*[st.integers(1, SIDE * 100 - 1).map(float)] * 2)
centre = st.tuples(*[st.integers(0, SIDE - 1).map(lambda n: n * 100.0 + 50)] * 2)


def some(at, count):
    return st.lists(at, min_size=1, max_size=count)


def _set(on: Ground, at: list[tuple[float, float]]) -> Places:
    return on.set(points(**{f"p{i}": xy for i, xy in enumerate(at)}))


def _pairs(on: Ground, places: Places, sites: Places, towards: bool) -> np.ndarray:
    """Minutes (places, sites), inf = unreachable."""
    out = np.full((len(places.ids), len(sites.ids)), np.inf)
    table = pairs_within(on, places, sites, 1e6, towards=towards)
    out[table["row"], table["site"]] = table["value"]
    return out


@SMALL
@given(worlds(), roadways | straight, some(inside, 3), some(inside, 3), st.booleans())
def test_a_road_more_never_lengthens(world, new, sites, places, towards):
    """Whatever it meets: barriers, hills, vertices inside other roads. Minutes of every cell, and between points."""
    before, after = world.ground(), world.ground([*world.ways, new])
    for old, now in ((nearest_surface(on, _set(on, sites), towards=towards).minutes for on in (before, after)),
                     (_pairs(on, _set(on, places), _set(on, sites), towards) for on in (before, after))):
        assert (now <= old + SAME).all()


def test_a_road_along_a_barrier_is_reached_the_same_when_another_shares_its_vertices():
    """Where exactly it stands decides whether a walk to it touches the barrier: cutting it elsewhere must not move it by a hair."""
    fence = gpd.GeoSeries([shapely.LineString([(150, 450), (0, 0)])])
    grid = ground((SIDE, SIDE))
    grid = replace(grid, blocked=blocked_steps(grid.shape, grid.transform, fence))
    world = World(grid, [way((-50.0, -50.0), (150.0, 450.0), (0.0, 0.0))], fence, "a_pie", {"neighbours": 8, "snap_max_m": 150.0})
    before, after = world.ground(), world.ground([*world.ways, way((-50.0, -50.0), (150.0, 450.0))])
    old, now = (nearest_surface(on, _set(on, [(1.0, 1.0)]), towards=True).minutes for on in (before, after))
    assert (now <= old + SAME).all()


@SMALL
@given(worlds(), some(inside, 3), inside, st.booleans())
def test_a_unit_more_or_more_speed_never_lengthens(world, sites, new, towards):
    on = world.ground()
    before = nearest_surface(on, _set(on, sites), towards=towards).minutes
    assert (nearest_surface(on, _set(on, [*sites, new]), towards=towards).minutes <= before).all()
    faster = {"road_kmh": {"unclassified": 55, "motorway": 100, "ferry": 20}, "unpaved_cap_kmh": 40, "off_path_factor": 0.7,
              "road_factor": {"unpaved": 0.8}, "rain_unpaved_factor": 0.6}
    quick = world.ground(**faster)
    assert (nearest_surface(quick, _set(quick, sites), towards=towards).minutes <= before * (1 + 1e-6) + SAME).all()


@SMALL
@given(worlds(), st.lists(centre, min_size=3, max_size=4))
def test_triangle(world, at):
    """Between centres of cells: the way by a third is never shorter. Elsewhere a cell is crossed for nothing at its ends."""
    on = world.ground()
    stand = _set(on, at)
    stand = stand.only((stand.cells >= 0) & ~np.isin(stand.ids, stand.moved["id"]))
    t = _pairs(on, stand, stand, towards=True)
    assert (t[:, None, :] <= t[:, :, None] + t[None, :, :] + 3 * SAME).all()
    assert (np.diag(t) == 0).all()


@SMALL
@given(worlds(relief=False, one_ways=False), some(inside, 3), some(inside, 3))
def test_on_the_flat_with_streets_both_ways_direction_does_not_matter(world, places, sites):
    on = world.ground(speed_model="tobler")
    there, back = (_pairs(on, _set(on, places), _set(on, sites), towards) for towards in (True, False))
    np.testing.assert_allclose(there, back, atol=SAME)
    np.testing.assert_allclose(there, _pairs(on, _set(on, sites), _set(on, places), True).T, atol=SAME)


@SMALL
@given(worlds(), some(inside, 3), some(inside, 3), st.booleans())
def test_the_world_turned_upside_down_is_walked_backwards(world, places, sites, towards):
    """With hills as valleys and one-way streets turned round, the way there takes what the way back took."""
    z = world.grid.elevation_m
    mirrored = world._replace(grid=replace(world.grid, elevation_m=None if z is None else -z), ways=[
        (at, {**kind, "forward": kind.get("backward", True), "backward": kind.get("forward", True)}) for at, kind in world.ways])
    one, other = (_pairs(on, _set(on, places), _set(on, sites), sense) for on, sense in (
        (world.ground(), towards), (mirrored.ground(), not towards)))
    np.testing.assert_allclose(one, other, rtol=1e-6, atol=SAME)


def _segments(x0: np.ndarray, y0: np.ndarray, x1: np.ndarray, y1: np.ndarray) -> Any:
    return shapely.linestrings(np.stack([np.stack([x0, y0], 1), np.stack([x1, y1], 1)], 1))


@SMALL
@given(worlds(fences=False), st.lists(st.integers(-50, 750), min_size=2, max_size=6), some(inside, 3))
def test_a_barrier_across_the_world_is_crossed_by_road_only(world, heights, sites):
    """Roads that do not touch it take nobody over; with others, no step nor walk to a road touches it."""
    x = np.linspace(-50, SIDE * 100 + 50, len(heights))
    river = shapely.LineString(np.stack([x, heights], 1))
    barriers = gpd.GeoSeries([river])
    world = world._replace(barriers=barriers, grid=replace(
        world.grid, blocked=blocked_steps(world.grid.shape, world.grid.transform, barriers)))
    north = shapely.Polygon([*river.coords, (x[-1], 2000), (x[0], 2000)])
    row, col = np.divmod(np.arange(SIDE * SIDE), SIDE)
    cell_x, cell_y = world.grid.centres(np.arange(SIDE * SIDE))
    upper = shapely.contains_xy(north, cell_x, cell_y)
    apart = world.ground([one for one in world.ways if not shapely.LineString(one[0]).intersects(river)])
    for side in (upper, ~upper):
        cells = np.flatnonzero(side)
        if len(cells):
            stand = _set(apart, [(cell_x[c], cell_y[c]) for c in cells[:3]])
            stand = stand.only((stand.cells >= 0) & ~np.isin(stand.ids, stand.moved["id"]))
            assert np.isinf(nearest_surface(apart, stand).minutes.ravel()[~side]).all()
    on = world.ground()
    stand = _set(on, sites)
    found = labels(on, stand, towards=False)
    hops = np.flatnonzero(found.parent >= 0)
    all_x, all_y = np.concatenate([cell_x, on.graph.x]), np.concatenate([cell_y, on.graph.y])
    walked = hops[(hops < SIDE * SIDE) | (found.parent[hops] < SIDE * SIDE)]
    before = found.parent[walked]
    assert not shapely.intersects(_segments(all_x[walked], all_y[walked], all_x[before], all_y[before]), river).any()
    for at in (on.anchors(stand, arriving=False), on.anchors(stand, arriving=True)):
        moved = np.isin(stand.ids, stand.moved["id"])[at.place]
        entry = _segments(stand.x[at.place], stand.y[at.place], all_x[at.node], all_y[at.node])
        assert not shapely.intersects(entry[~moved], river).any()


@SMALL
@given(worlds(), some(inside, 4), some(inside, 4), st.integers(0, 10**6), st.booleans())
def test_the_order_of_rows_does_not_matter(world, sites, places, seed, towards):
    rng = np.random.default_rng(seed)
    net = roads(*world.ways)
    node, edge = rng.permutation(len(net.nodes)), rng.permutation(len(net.edges))
    number = np.empty(len(node), int)
    number[node] = np.arange(len(node))
    shuffled = Roads(net.nodes.iloc[node].reset_index(drop=True), net.edges.iloc[edge].assign(
        u=number[net.edges["u"].iloc[edge].to_numpy(int)], v=number[net.edges["v"].iloc[edge].to_numpy(int)]).reset_index(drop=True))
    one, other = (laid(world.grid, roads_, world.mode, barriers=world.barriers, **world.scenario) for roads_ in (net, shuffled))
    told = []
    for on, order in ((one, 1), (other, -1)):
        there = on.set(points(**{f"s{i}": xy for i, xy in list(enumerate(sites))[::order]}))
        here = on.set(points(**{f"p{i}": xy for i, xy in list(enumerate(places))[::order]}))
        told.append((nearest_surface(on, there, towards=towards), pairs_within(on, here, there, 1e6, towards=towards)))
    (surface, pairs), (surface_2, pairs_2) = told
    np.testing.assert_array_equal(surface.minutes, surface_2.minutes)
    np.testing.assert_array_equal(surface.site, surface_2.site)
    assert pairs.equals(pairs_2)


@SMALL
@given(worlds(), some(inside, 4), some(inside, 4), st.booleans())
def test_the_parts_agree(world, sites, places, towards):
    """Each reached cell belongs to one unit, the nearest, of equals the first; and so say nearest, k nearest and pairs."""
    on = world.ground()
    there, here = _set(on, sites), _set(on, places)
    found = labels(on, there, towards=towards)
    alone = np.stack([labels(on, there.only(np.arange(len(sites)) == i), towards=towards).minutes for i in range(len(sites))])
    np.testing.assert_array_equal(found.minutes, alone.min(axis=0))
    np.testing.assert_array_equal(found.source, np.where(np.isfinite(found.minutes), alone.argmin(axis=0), -1))
    if np.isfinite(found.minutes).any():
        finite = found.minutes[np.isfinite(found.minutes)]
        np.testing.assert_array_equal(finite, np.rint(finite / QUANTUM) * QUANTUM)
    table = read_labels(on, found, there, here, towards=towards)
    pairs = _pairs(on, here, there, towards)
    refused = here.cells < 0
    assert np.isinf(pairs[refused]).all()
    assert table["minutes"].isna().tolist() == refused.tolist()
    np.testing.assert_array_equal(table["minutes"][~refused], pairs.min(axis=1)[~refused])
    near = ~refused & np.isfinite(pairs.min(axis=1))
    assert table["clues"][near].tolist() == there.ids[pairs[near].argmin(axis=1)].tolist()
    ranked = nearest_k(on, there, here, 2, towards=towards)
    first = ranked[ranked["rank"] == 1]
    assert dict(zip(first["place"], first["minutes"], strict=True)) == table["minutes"][near].to_dict()
    assert dict(zip(first["place"], first["site"], strict=True)) == table["clues"][near].to_dict()
    two = np.sort(pairs, axis=1)[:, :2]
    assert np.sort(ranked["minutes"]).tolist() == np.sort(two[np.isfinite(two)]).tolist()
    bound = float(np.median(pairs[np.isfinite(pairs)])) if np.isfinite(pairs).any() else 1.0
    within = pairs_within(on, here, there, bound, towards=towards)
    assert within["value"].tolist() == pairs[pairs <= bound].tolist()


@settings(deadline=None, max_examples=20)
@given(worlds(), some(inside, 2))
def test_nothing_given_is_changed(world, sites):
    net, fresh = roads(*world.ways), roads(*world.ways)
    assume(len(net.edges))
    layers = {name: None if layer is None else layer.copy() for name, layer in vars(world.grid).items() if isinstance(layer, np.ndarray)}
    on = laid(world.grid, net, world.mode, barriers=world.barriers, **world.scenario)
    nearest_surface(on, _set(on, sites))
    assert net.edges.equals(fresh.edges)
    assert net.nodes.equals(fresh.nodes)
    for name, layer in layers.items():
        np.testing.assert_array_equal(getattr(world.grid, name), layer)
