"""Roads and terrain in one graph, solved by hand; and what must hold of the graph itself."""

import math

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import example, given, settings
from hypothesis import strategies as st
from small_roads import BRIDGE, CELL, FERRY, MOTORWAY, ONE_WAY, PATH, ground, laid, minutes, points, roads, way

from planner.travel.ground import nearest_k, nearest_surface, pairs_within
from planner.travel.join import elevation, join


def tobler(slope: float = 0.0) -> float:
    """Minutes per metre on a path at this slope."""
    return 60 / (6000 * math.exp(-3.5 * abs(slope + 0.05)))


WALK, OFF = tobler(), tobler() / 0.6


def drive(kmh: float) -> float:
    return 60 / (1000 * kmh)


def near(value: float) -> object:
    return pytest.approx(value, abs=2e-6)


WEST, EAST = (70.0, 160.0), (230.0, 155.0)
STREET = ((20.0, 130.0), (280.0, 130.0))  # 20 m south of the centres of three cells


def test_walk_to_the_road_drive_and_walk_from_it():
    """Each cell is left at the point of the road nearest to its centre; the walk of 20 m is paid at both ends."""
    on = laid(ground((3, 3)), roads(way(*STREET)))
    assert sorted(zip(on.graph.x, on.graph.y, strict=True)) == [(20, 130), (50, 130), (150, 130), (250, 130), (280, 130)]
    assert on.graph.link_m.tolist() == [20, 20, 20]
    assert minutes(on, WEST, EAST) == near(40 * OFF + 200 * drive(40))
    assert minutes(on, (70, 260), EAST) == near(100 * OFF + 40 * OFF + 200 * drive(40))
    assert minutes(laid(ground((3, 3)), roads(way(*STREET)), "a_pie"), WEST, EAST) == near(40 * OFF + 200 * WALK)
    assert minutes(laid(ground((3, 3)), None), WEST, EAST) == near(200 * OFF)


def test_a_place_beside_the_road_walks_straight_to_it():
    """Its cell stands for its whole area, but its own way to the road may be shorter than that from the centre."""
    on = laid(ground((3, 3)), roads(way(*STREET)))
    assert minutes(on, (53, 126), (247, 134)) == near(5 * OFF + 200 * drive(40) + 5 * OFF)


def test_a_one_way_street_is_walked_both_ways_and_driven_in_one():
    on = laid(ground((3, 3)), roads(way(*STREET, **ONE_WAY)))
    assert minutes(on, WEST, EAST) == minutes(on, WEST, EAST, towards=False) == near(40 * OFF + 200 * drive(40))
    assert minutes(on, EAST, WEST) == minutes(on, EAST, WEST, towards=False) == near(40 * OFF + 200 * WALK)
    back = laid(ground((3, 3)), roads(way(*STREET, forward=False)))
    assert minutes(back, EAST, WEST) == near(40 * OFF + 200 * drive(40))
    assert minutes(back, WEST, EAST) == near(40 * OFF + 200 * WALK)


def _sea(shape: tuple[int, int], *columns: int) -> np.ndarray:
    """Walking factor 1, none in the sea."""
    factor = np.ones(shape)
    factor[:, list(columns)] = np.nan
    return factor


@pytest.mark.parametrize(("published", "crossing"), [(np.nan, 300 * drive(15)), (12.0, 12.0)])
@pytest.mark.parametrize("mode", ["a_pie", "vehiculo"])
def test_a_ferry_takes_everybody_across(published, crossing, mode):
    """Two pieces of one way share its published minutes; nobody goes aboard in the middle."""
    grid = ground((3, 6), factor=_sea((3, 6), 2, 3))
    piers = way((50, 150), (150, 150)), way((450, 150), (550, 150)), way((250, 150), (250, 250))
    line = roads(way((150, 150), (250, 150), (450, 150), crossing_min=published, **FERRY), *piers)
    on = laid(grid, line, mode)
    assert minutes(on, (150, 150), (450, 150)) == minutes(on, (450, 150), (150, 150)) == near(crossing)
    assert minutes(laid(grid, None, mode), (150, 150), (450, 150)) == np.inf


def test_a_motorway_is_joined_only_where_roads_meet_it():
    """Over the motorway by its ramps; not from the cells it passes, nor on foot along it."""
    road = [way((50, 150), (50, 50)), way((950, 50), (950, 150))]
    on = laid(ground((3, 10)), roads(way((50, 50), (500, 50), (950, 50), **MOTORWAY), *road))
    assert minutes(on, (50, 150), (950, 150)) == near(200 * drive(40) + 900 * drive(90))
    assert minutes(on, (450, 50), (550, 50)) == near(100 * OFF)
    on = laid(ground((3, 10)), roads(way((50, 50), (500, 50), (950, 50), **MOTORWAY), *road), "a_pie")
    assert minutes(on, (50, 50), (950, 50)) == near(900 * OFF)


RIVER = gpd.GeoSeries([shapely.LineString([(300, -10), (300, 310)])])


def _blocked(shape: tuple[int, int], *barriers: shapely.Geometry) -> np.ndarray:
    from planner.sources.barriers import blocked_steps
    return blocked_steps(shape, ground(shape).transform, gpd.GeoSeries(list(barriers)))


def test_a_barrier_is_crossed_on_the_bridge_and_nowhere_else():
    grid = ground((3, 6), blocked=_blocked((3, 6), *RIVER))
    across = (150, 150), (450, 150)
    assert minutes(laid(grid, None, barriers=RIVER), *across) == np.inf
    on = laid(grid, roads(way((150, 150), (250, 150)), way((250, 150), (350, 150), **BRIDGE), way((350, 150), (450, 150))), barriers=RIVER)
    assert minutes(on, *across) == near(300 * drive(40))
    assert minutes(on, (250, 50), (350, 50)) == near(2 * min(100 * OFF, 141.4214 * OFF) + 100 * drive(40))
    # a road that only comes near leaves the other bank out of reach, also for the cells whose centre lies beyond
    near_by = laid(grid, roads(way((150, 150), (299, 150))), barriers=RIVER)
    assert minutes(near_by, *across) == np.inf


def test_a_link_does_not_cross_a_barrier():
    """The river runs between a road and the centre of the cells it passes: they are not linked with it, nor are places beyond."""
    stream = gpd.GeoSeries([shapely.LineString([(-10, 140), (610, 140)])])
    grid, road = ground((3, 6), blocked=_blocked((3, 6), *stream)), roads(way((20, 120), (580, 120)))
    on = laid(grid, road, barriers=stream)
    assert len(on.graph.link_m) == 0
    south = on.set(points(a=(70, 125)))
    assert south.moved["result"].tolist() == ["movida"]  # its cell's centre lies across the stream
    assert south.cells.tolist() == [12]
    assert minutes(on, (70, 125), (70, 160)) == np.inf
    north = on.set(points(a=(70, 160), b=(530, 160)))  # in the cells that the road passes, on the other side of the stream
    assert on.anchors(north, arriving=False).node.tolist() == on.anchors(north, arriving=True).node.tolist() == [6, 11]
    assert minutes(on, (70, 160), (530, 160)) == near(500 * OFF)


def test_a_fence_between_a_place_and_the_road_of_its_cell_is_walked_around():
    """By the centre of the cell, from which the road is free; without the fence straight."""
    fence = gpd.GeoSeries([shapely.LineString([(53, 116), (57, 109)])])
    grid, road = ground((3, 6)), roads(way((20, 110), (580, 110)))
    straight, around = (minutes(laid(grid, road, barriers=b), (60, 115), (550, 110)) for b in (None, fence))
    assert straight == near(math.hypot(10, 5) * OFF + 500 * drive(40))
    assert around == near(40 * OFF + 500 * drive(40))


def test_up_and_down_differ_on_terrain_and_along_roads():
    """A plane that rises a tenth to the east; Tobler by hand, in both senses and both searches."""
    z = np.broadcast_to(np.arange(8) * 10.0, (8, 8))
    low, high = (150.0, 350.0), (650.0, 350.0)
    bare = laid(ground((8, 8), z), None, "a_pie")
    trail = laid(ground((8, 8), z), roads(way(low, (400, 350), high, **PATH)), "a_pie")
    for towards in (True, False):
        assert minutes(bare, low, high, towards=towards) == near(500 * tobler(0.1) / 0.6)
        assert minutes(bare, high, low, towards=towards) == near(500 * tobler(-0.1) / 0.6)
        assert minutes(trail, low, high, towards=towards) == near(500 * tobler(0.1))
        assert minutes(trail, high, low, towards=towards) == near(500 * tobler(-0.1))
    diagonal = (150.0, 350.0), (350.0, 550.0)
    assert minutes(bare, *diagonal) == near(200 * math.sqrt(2) * tobler(0.1 / math.sqrt(2)) / 0.6)
    assert minutes(bare, *diagonal[::-1]) == near(200 * math.sqrt(2) * tobler(-0.1 / math.sqrt(2)) / 0.6)


def test_links_climb_too():
    """From the centre of a cell 30 m up to the road, or down, off the path."""
    z = np.repeat(np.arange(8)[::-1] * 10.0, 8).reshape(8, 8)  # rises to the north
    on = laid(ground((8, 8), z), roads(way((220, 380), (580, 380))))
    assert minutes(on, (250, 350), (550, 350)) == near(30 * (tobler(0.1) + tobler(-0.1)) / 0.6 + 300 * drive(40))
    south = laid(ground((8, 8), z), roads(way((220, 380), (580, 380), **PATH), way((580, 380), (580, 320))))
    assert minutes(south, (250, 350), (550, 350)) == near(30 * (tobler(0.1) + tobler(-0.1)) / 0.6 + 300 * WALK)


def test_slope_slows_a_vehicle_as_the_scenario_says():
    z = np.broadcast_to(np.arange(8) * 10.0, (8, 8))
    low, high = (150.0, 350.0), (650.0, 350.0)
    for decay in (0.0, 1.5):
        on = laid(ground((8, 8), z), roads(way(low, high)), drive_slope_decay=decay)
        assert minutes(on, low, high) == minutes(on, high, low) == near(500 * drive(40) / math.exp(-decay * 0.1))
    steep = laid(ground((8, 8), z), roads(way(low, high)), drive_slope_decay=10, road_kmh={"unclassified": 5})
    assert minutes(steep, low, high) == near(500 * tobler(0.1))  # walking is sooner


def test_a_bridge_spans_the_valley_beneath_it():
    """Straight from one end to the other, whatever the terrain does; the road through the valley climbs."""
    z = np.full((5, 9), 100.0)
    z[:, 3:6] = 0.0
    banks = way((150, 250), (250, 250)), way((650, 250), (750, 250))
    bridge, road = (
        laid(ground((5, 9), z), roads(way((250, 250), (450, 250), (650, 250), **kind), *banks), "a_pie") for kind in (BRIDGE, PATH))
    assert minutes(bridge, (250, 250), (650, 250)) == near(400 * WALK)
    assert minutes(road, (250, 250), (650, 250)) > 1000 * WALK


def test_rains_slow_earth_and_close_fords():
    street = way((50, 50), (350, 50), surface="unpaved"), way((350, 50), (650, 50), ford=True)
    both = (50.0, 50.0), (650.0, 50.0)
    earth = 300 * drive(28) + 300 * drive(40)
    grid = ground((1, 7), factor=np.array([[1, np.nan, np.nan, 1, np.nan, np.nan, 1]]))
    assert minutes(laid(grid, roads(*street)), *both) == near(earth)
    assert minutes(laid(grid, roads(*street), season="lluvias"), *both) == near(300 * drive(14) + 300 * drive(40))
    assert minutes(laid(grid, roads(*street), rain_closes=("vados",)), *both) == near(earth)
    shut = laid(grid, roads(*street), season="lluvias", rain_closes=("vados",))
    assert minutes(shut, *both) == np.inf
    assert minutes(shut, (50, 50), (350, 50)) == near(300 * drive(14))
    on_foot = laid(grid, roads(*street), "a_pie", season="lluvias", rain_closes=("vados",))
    assert minutes(on_foot, *both) == np.inf


def test_ways_that_cross_without_a_vertex_do_not_meet():
    """One changes on foot between an underpass and the road above it; with a common vertex one drives on."""
    ends = (50.0, 450.0), (850.0, 450.0), (450.0, 50.0), (450.0, 850.0)
    grid = ground((9, 9))
    apart = roads(way((50, 450), (430, 440), (850, 450)), way((450, 50), (470, 440), (450, 850)))
    joined = roads(way((50, 450), (450, 450), (850, 450)), way((450, 50), (450, 450), (450, 850)))
    assert minutes(laid(grid, joined), ends[0], ends[3]) == near(800 * drive(40))
    assert minutes(laid(grid, apart), ends[0], ends[3]) > 800 * drive(40) + 25 * OFF


# --- bad input ---


def test_islands_are_out_of_reach_not_at_zero():
    grid = ground((3, 5), factor=_sea((3, 5), 2))
    on = laid(grid, roads(way((50, 150), (150, 150))))
    assert minutes(on, (50, 50), (450, 50)) == np.inf
    surface = nearest_surface(on, on.set(points(u=(50, 50))))
    assert np.isinf(surface.minutes[:, 2:]).all()
    assert (surface.site[:, 2:] == -1).all()
    assert np.isfinite(surface.minutes[:, :2]).all()


def test_roads_outside_the_grid_are_driven_but_not_boarded():
    far = way((250, 150), (900, 150), (900, -400), (50, -400), (50, 50))
    on = laid(ground((3, 3), factor=_sea((3, 3), 1)), roads(far, way((2000, 2000), (3000, 2000))))
    assert (on.graph.link_cell < 9).all()
    assert minutes(on, (250, 150), (50, 50)) == near((650 + 550 + 850 + 450) * drive(40))
    assert set(on.graph.part_cell[on.graph.part_cell < 0]) == {-1}
    away = laid(ground((3, 3)), roads(way((2000, 2000), (3000, 2000))))
    assert len(away.graph.link_m) == 0
    assert minutes(away, (50, 50), (250, 50)) == near(200 * OFF)


@pytest.mark.filterwarnings("ignore:.*invalid value encountered.*:RuntimeWarning:shapely")
def test_zero_length_and_self_crossing_ways():
    """A way without length, one that returns to its start, and a figure of eight change nothing for the street."""
    odd = way((50, 130), (50, 130)), way((110, 210), (190, 290), (190, 210), (110, 290), (110, 210)), way((20, 130), (20, 130), (25, 130))
    plain, strange = laid(ground((3, 3)), roads(way(*STREET))), laid(ground((3, 3)), roads(way(*STREET), *odd))
    assert minutes(strange, WEST, EAST) == near(minutes(plain, WEST, EAST))
    assert not np.isnan(strange.weighed.network.minutes).any()
    across = laid(ground((9, 9)), roads(way((50, 50), (850, 850), (850, 50), (50, 850))))  # crosses itself without a vertex
    assert minutes(across, (50, 50), (50, 850)) < 2 * (800 * math.sqrt(2) + 800) * drive(40)


def test_voids_are_not_walked_but_roads_through_them_pass():
    z, slope = np.full((3, 7), 50.0), np.zeros((3, 7))
    z[:, 2:5], slope[:, 2:5] = np.nan, np.nan
    grid = ground((3, 7), z, slope=slope)
    ends = (50.0, 150.0), (650.0, 150.0)
    for mode, pace in (("vehiculo", drive(40)), ("a_pie", WALK)):
        assert minutes(laid(grid, None, mode), *ends) == np.inf
        on = laid(grid, roads(way(*ends)), mode)
        assert minutes(on, *ends) == near(600 * pace)
        assert np.isinf(nearest_surface(on, on.set(points(u=ends[0]))).minutes[:, 2:5]).all()
        assert on.set(points(p=(350, 150))).moved["metres"].tolist() == [200]


def test_a_road_over_the_centre_of_impassable_ground_is_not_left_there():
    grid = ground((3, 3), factor=_sea((3, 3), 1))
    on = laid(grid, roads(way((50, 150), (250, 150))))
    assert np.isinf(on.weighed.network.minutes[2 * len(on.graph.tail) :][np.isin(on.graph.link_cell, [1, 4, 7]).tolist() * 2]).all()
    assert minutes(on, (50, 150), (250, 150)) == near(200 * drive(40))


@pytest.mark.parametrize("kind", [PATH, MOTORWAY, {"walk": False}, {"drive": False, "walk": False}])
def test_vertices_that_are_stops_are_no_trouble_on_roads_closed_to_some(kind):
    for z in (None, np.random.default_rng(0).random((6, 6)) * 30):
        on = laid(ground((6, 6), z), roads(way((10, 310), (40, 340), (160, 370), (290, 330), **kind)))
        assert not np.isnan(on.weighed.network.minutes).any()
        assert np.isfinite(minutes(on, (10, 310), (290, 330)))


def test_corners_of_cells_are_no_walls():
    """A road through corners is cut into slivers whose slope is rounding; it stays walkable."""
    z = np.random.default_rng(2).random((40, 40)) * 60
    trail = way((150.1, 150.1), (3850.1, 3850.1), **PATH)
    sea = np.where(np.eye(40)[::-1] > 0, 1.0, np.nan)
    for origin in (0.0, 0.07, 1 / 3):
        line = [(x + origin, y + origin) for x, y in trail[0]]
        on = laid(ground((40, 40), z, factor=sea), roads(way(*line, **PATH)), "a_pie")
        assert np.isfinite(on.weighed.network.minutes[: 2 * len(on.graph.tail)]).all()
        assert minutes(on, line[0], line[-1]) < 3700 * math.sqrt(2) * tobler(0.9)


def test_walls_in_the_elevation_close_steps_and_do_not_stall_the_search():
    """A cliff that nobody climbs is closed ground, not a step of 1e30 minutes that spoils the search's queue."""
    z = np.zeros((6, 6))
    z[:, 3:] = 9000.0
    on = laid(ground((6, 6), z), roads(way((50, 50), (550, 50)), way((250, 450), (350, 450), **BRIDGE)))
    assert on.outward.dearest < 1e5
    assert minutes(on, (50, 150), (550, 150)) < 20  # the road is driven all the same
    bare = laid(ground((6, 6), z), None)
    assert minutes(bare, (50, 150), (550, 150)) == np.inf


def test_nobody_to_go_to_and_nothing_there():
    empty = roads()
    for net in (None, empty):
        on = laid(ground((3, 3)), net)
        nobody = on.set(points(a=(-50, 50), b=(50, 5000)))
        somebody = on.set(points(p=(50, 50)))
        assert nobody.cells.tolist() == [-1, -1]
        assert np.isinf(nearest_surface(on, nobody).minutes).all()
        assert nearest_k(on, nobody, somebody, 3).empty
        assert pairs_within(on, somebody, nobody, 1e4).empty
        assert pairs_within(on, nobody, somebody, 1e4).empty
    shut = laid(ground((3, 3), factor=np.nan), roads(way((50, 50), (250, 50))))
    assert shut.set(points(p=(50, 50))).moved["result"].tolist() == ["rechazada"]
    assert np.isinf(nearest_surface(shut, shut.set(points(p=(50, 50)))).minutes).all()


def test_more_are_asked_for_than_there_are():
    on = laid(ground((3, 3)))
    found = nearest_k(on, on.set(points(u=(50, 50), v=(250, 50))), on.set(points(p=(150, 50), q=(250, 250))), 9)
    assert found[["place", "rank", "site"]].to_numpy().tolist() == [["p", 1, "u"], ["p", 2, "v"], ["q", 1, "v"], ["q", 2, "u"]]


# --- the graph itself ---

coordinate = st.integers(-15, 75).map(lambda n: n * 10.0)
lines = st.lists(st.tuples(coordinate, coordinate), min_size=2, max_size=6, unique=True)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(lines, st.sampled_from([{}, PATH, MOTORWAY, BRIDGE, ONE_WAY])), min_size=1, max_size=4))
@example([([(0.0, 0.0), (0.0, 60.0), (10.0, 90.0)], {})])
def test_edges_are_cut_without_loss_and_reached_in_every_cell(drawn):
    """Parts of each edge sum to its length, links lie in their cell, and a cell that a road enters is linked with it."""
    net, grid = roads(*(way(*line, **kind) for line, kind in drawn)), ground((6, 6))
    graph = join(grid, net)
    edge = graph.edge[graph.part_arc]
    np.testing.assert_allclose(np.bincount(edge, graph.part_m, len(net.edges)), net.edges["length_m"], atol=1e-5)
    assert (np.bincount(graph.part_arc, minlength=len(graph.tail)) > 0).all()
    number = graph.grid.road_kmh.size
    for end, ends in ((graph.tail, "u"), (graph.head, "v")):  # each edge runs from u to v through its arcs
        first = np.flatnonzero(np.diff(graph.edge, prepend=-1) if ends == "u" else np.diff(graph.edge, append=-1))
        at = end[first] - number
        xy = net.nodes.geometry.iloc[net.edges[ends]]
        np.testing.assert_allclose(np.hypot(graph.x[at] - xy.x.to_numpy(), graph.y[at] - xy.y.to_numpy()), 0.0, atol=1e-9)
    inner = graph.edge[1:] == graph.edge[:-1]
    np.testing.assert_array_equal(graph.head[:-1][inner], graph.tail[1:][inner])
    x, y = grid.centres(graph.link_cell)
    node = graph.link_node - number
    assert (np.maximum(np.abs(graph.x[node] - x), np.abs(graph.y[node] - y)) <= CELL / 2 + 0.011).all()
    np.testing.assert_allclose(graph.link_m, np.hypot(graph.x[node] - x, graph.y[node] - y))
    linked = {(int(c), round(float(m), 6)) for c, m in zip(graph.link_cell, graph.link_m, strict=True)}
    for cell in range(36):
        cx, cy = (float(v[0]) for v in grid.centres(np.array([cell])))
        whole, boarded = shapely.box(cx - 50, cy - 50, cx + 50, cy + 50), shapely.union_all(net.edges.geometry[net.edges["board"]])
        inside = whole.buffer(-1e-6).intersection(boarded)
        if inside.length > 1e-6:
            nearest, centre = min(m for c, m in linked if c == cell), shapely.Point(cx, cy)
            # a border belongs to one of its two cells: where a road runs along it, its nearest point may be this cell's or the other's
            assert centre.distance(whole.intersection(boarded)) - 0.011 <= nearest <= centre.distance(inside) + 0.011


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 10**6), st.integers(-50, 650).map(float), st.integers(-50, 650).map(float))
def test_elevation_is_bilinear(seed, x, y):
    """Against scipy's interpolation; off the grid unknown; at the border as the outermost centres."""
    from scipy.interpolate import RegularGridInterpolator
    z = np.random.default_rng(seed).random((6, 6)).astype(np.float32) * 1000
    told = elevation(ground((6, 6), z), np.array([x]), np.array([y]))[0]
    if not (0 <= x <= 600 and 0 <= y <= 600):
        assert np.isnan(told)
        return
    peer = RegularGridInterpolator((np.arange(6) * 100.0 + 50, np.arange(6) * 100.0 + 50), z[::-1].astype(float))
    assert told == pytest.approx(float(peer((np.clip(y, 50, 550), np.clip(x, 50, 550)))), rel=1e-9)
