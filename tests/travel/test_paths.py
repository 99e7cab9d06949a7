"""The way itself, on worlds small enough to draw: its line, and what of it is walked and what is driven."""

import json
import math
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pytest
import shapely
import valley
from hypothesis import given, settings
from hypothesis import strategies as st
from small_roads import BRIDGE, FERRY, MOTORWAY, ONE_WAY, PATH, ground, laid, points, roads, way

from planner.model import Roads
from planner.settings import Scenario
from planner.travel.ground import Ground, labels, read_labels
from planner.travel.paths import paths
from planner.travel.times import compute_travel

ONE, TWO, MOBILE, HOSPITAL = valley.FACILITIES
WALK = 0.01 / math.exp(-0.175)  # minutes per metre on a flat road at Tobler's 6 exp(-3.5 * 0.05) km/h
OFF = WALK / 0.6  # off the road
DRIVE = 0.06 / 40  # an unclassified road of nothing known
DIAGONAL = math.sqrt(2)
COLUMNS = ["site", "minutes", "walk_min", "drive_min", "metres", "geometry"]


def near(value: float) -> object:
    return pytest.approx(value, abs=2e-6)


def drawn(
    on: Ground, places: gpd.GeoDataFrame, sites: gpd.GeoDataFrame, *, towards: bool = True, bound_min: float = np.inf
) -> gpd.GeoDataFrame:
    """The ways, after what must hold of any."""
    here, there = on.set(places), on.set(sites)
    found = labels(on, there, towards=towards, bound_min=bound_min)
    ways = paths(on, found, there, here, towards=towards)
    told = read_labels(on, found, there, here, towards=towards)
    assert list(ways.columns) == COLUMNS
    assert ways.crs == on.graph.grid.crs
    assert ways.index.tolist() == told.index[np.isfinite(told["minutes"])].tolist()
    np.testing.assert_array_equal(ways["minutes"], told.loc[ways.index, "minutes"])
    np.testing.assert_array_equal(ways["site"], told.loc[ways.index, "clues"])
    np.testing.assert_allclose(ways["walk_min"] + ways["drive_min"], ways["minutes"], atol=1e-9, rtol=0)
    assert (ways[["walk_min", "drive_min"]] >= 0).all(axis=None)
    np.testing.assert_allclose(ways["metres"], ways.length)
    first, last = (places, sites) if towards else (sites, places)
    begin, end = (first.loc[ways.index], last.loc[ways["site"]]) if towards else (first.loc[ways["site"]], last.loc[ways.index])
    assert [line.coords[0] for line in ways.geometry] == [point.coords[0] for point in begin.geometry]
    assert [line.coords[-1] for line in ways.geometry] == [point.coords[0] for point in end.geometry]
    return ways


def one(ways: gpd.GeoDataFrame) -> tuple[float, float, float]:
    (row,) = ways.itertuples()
    return row.walk_min, row.drive_min, row.metres


def test_on_a_raster_of_speeds_each_cell_of_road_is_driven():
    """Columns 1 and 2 are road: half a step into them is walked, the other half driven."""
    on = laid(ground((1, 5), road_kmh=np.array([[0, 60, 60, 0, 0]])))
    ways = drawn(on, points(P=(50, 50)), points(S=(450, 50)))
    assert one(ways) == (near(200 * OFF), near(0.2), near(400))
    assert ways.geometry.iloc[0].equals(shapely.LineString([(50, 50), (450, 50)]))
    assert one(drawn(laid(on.graph.grid, None, "a_pie"), points(P=(50, 50)), points(S=(450, 50)))) == (
        near(200 * OFF + 200 * WALK), 0, near(400))


@pytest.mark.parametrize("towards", [True, False])
def test_on_a_raster_of_speeds_with_relief_only_walking_feels_the_slope(towards):
    on = laid(ground((1, 5), np.arange(5)[None] * 10.0, road_kmh=np.array([[0, 60, 60, 0, 0]])))
    slope = 0.1 if towards else -0.1
    off = 0.01 / math.exp(-3.5 * abs(slope + 0.05)) / 0.6
    assert one(drawn(on, points(P=(50, 50)), points(S=(450, 50)), towards=towards)) == (near(200 * off), near(0.2), near(400))


def test_a_knights_move_is_driven_in_the_cells_between():
    """It begins and ends off the road and passes, for half its length, over the road in the middle, too slow to be followed."""
    half = 100 * math.sqrt(5) / 2
    across = np.array([[0, 10, 0]] * 2)
    for road, start, end in ((across, (50, 150), (250, 50)), (across.T, (150, 50), (50, 250))):
        on = laid(ground(road.shape, road_kmh=road), neighbours=16)
        for towards in (True, False):
            assert one(drawn(on, points(P=start), points(S=end), towards=towards)) == (near(half * OFF), near(half * 0.006), near(2 * half))


BENDS = [(50, 50), (110, 110), (190, 120), (120, 185), (190, 190), (250, 450), (440, 455), (450, 350), (650, 350)]


@pytest.mark.parametrize("towards", [True, False])
@pytest.mark.parametrize("sense", [1, -1])
@pytest.mark.parametrize("mode", ["vehiculo", "a_pie"])
def test_a_road_is_followed_along_its_bends_in_both_senses_and_directions(sense, towards, mode):
    """A hairpin inside one cell, and bends of many. There is no ground to cut across: only the ends are cells of their own."""
    factor = np.zeros((7, 8))
    factor[-1, 0] = factor[3, 6] = 1
    on = laid(ground((7, 8), factor=factor), roads(way(*BENDS[::sense])), mode)
    line = shapely.LineString(BENDS)
    ways = drawn(on, points(P=(50, 50)), points(S=(650, 350)), towards=towards)
    walk, drive = (line.length * WALK, 0) if mode == "a_pie" else (0, line.length * DRIVE)
    assert one(ways) == (near(walk), near(drive), near(line.length))
    told = shapely.get_coordinates(ways.geometry)
    bends = np.array(BENDS[::1 if towards else -1])
    passed = [int(np.flatnonzero(np.hypot(*(told - bend).T) < 1e-6)[0]) for bend in bends]
    assert passed == sorted(passed)
    assert shapely.distance(line, shapely.points(told)).max() < 1e-6


def test_what_stands_off_the_road_walks_to_it_and_from_it():
    on = laid(ground((5, 8)), roads(way((50, 250), (750, 250))))
    (row,) = drawn(on, points(P=(150, 50)), points(S=(650, 480))).itertuples()
    # two cells to the centre on the road; then one on foot in the cell above, whose centre stands for all of it
    assert (row.walk_min, row.drive_min) == (near(400 * OFF), near(500 * DRIVE))
    assert list(row.geometry.coords)[:4] == [(150, 50), (150, 150), (150, 250), (250, 250)]
    assert list(row.geometry.coords)[-3:] == [(650, 350), (650, 450), (650, 480)]
    beside = drawn(on, points(P=(140, 265)), points(S=(650, 215)))  # in cells of the road: the nearer of its nodes is 18 m away
    walk, drive, metres = one(beside)
    assert walk == near(0)  # a cell stands for its whole area
    assert drive == near(500 * DRIVE)
    assert metres == near(math.hypot(10, 15) + 500 + 35)


@pytest.mark.parametrize(("mode", "told"), [("a_pie", (600 * WALK, 500 * 0.06 / 15)), ("vehiculo", (0, 600 * DRIVE + 500 * 0.06 / 15))])
def test_a_ferry_counts_as_driven_on_foot_too(mode, told):
    sea = np.ones((5, 12))
    sea[:, 4:8] = 0
    net = roads(way((350, 250), (600, 250), (850, 250), **FERRY), way((50, 250), (350, 250)), way((850, 250), (1150, 250)))
    ways = drawn(laid(ground((5, 12), factor=sea), net, mode), points(P=(50, 250)), points(S=(1150, 250)))
    assert one(ways) == (near(told[0]), near(told[1]), near(1100))


def test_a_path_is_walked_also_by_who_goes_by_vehicle():
    net = roads(way((50, 50), (450, 50)), way((450, 50), (850, 50), **PATH))
    ways = drawn(laid(ground((1, 9)), net), points(P=(50, 50)), points(S=(850, 50)))
    assert one(ways) == (near(400 * WALK), near(400 * DRIVE), near(800))


def test_there_and_back_differ_on_a_one_way_road_and_each_is_drawn_as_it_is_gone():
    loop = roads(way((50, 50), (450, 50), **ONE_WAY), way((450, 50), (450, 250), (50, 250), (50, 50), **ONE_WAY))
    on = laid(ground((3, 5), factor=np.nan), loop)
    with_ends = np.full((3, 5), np.nan)
    with_ends[2, [0, 4]] = 1
    on = laid(ground((3, 5), factor=with_ends), roads(*(way(*xy, **(ONE_WAY | {"walk": False})) for xy in (
        [(50, 50), (450, 50)], [(450, 50), (450, 250), (50, 250), (50, 50)]))))
    assert one(drawn(on, points(P=(50, 50)), points(S=(450, 50)))) == (near(0), near(400 * DRIVE), near(400))
    back = drawn(on, points(P=(50, 50)), points(S=(450, 50)), towards=False)
    assert one(back) == (near(0), near(800 * DRIVE), near(800))
    assert back.geometry.iloc[0].equals(shapely.LineString([(450, 50), (450, 250), (50, 250), (50, 50)]))


def test_of_two_roads_between_the_same_corners_the_faster_one_is_drawn():
    """Neither is boarded between its ends; the shorter is slow. A loop that comes back to its own corner is left alone."""
    detour, ends = [(50, 150), (50, 350), (450, 350), (450, 150)], [way((50, 50), (50, 150)), way((450, 150), (450, 50))]
    slow, fast = way((50, 150), (450, 150), posted_kmh=6.0, board=False), way(*detour, posted_kmh=90.0, board=False)
    loop = way((450, 150), (480, 180), (480, 120), (450, 150))
    for net in (roads(slow, fast, loop, *ends), roads(fast, loop, slow, *ends)):
        ways = drawn(laid(ground((4, 5)), net), points(P=(50, 150)), points(S=(450, 150)))
        assert one(ways) == (near(0), near(800 * 0.06 / 90), near(800))
        assert list(ways.geometry.iloc[0].coords) == detour


def test_over_a_motorway_and_a_bridge_the_line_stays_on_the_road():
    fast, over = [(250, 150), (420, 260), (650, 150)], [(650, 150), (780, 70), (850, 150)]
    net = roads(way((50, 150), (250, 150)), way(*fast, **MOTORWAY), way(*over, **BRIDGE), way((850, 150), (950, 150)))
    (line,) = drawn(laid(ground((4, 10)), net), points(P=(50, 150)), points(S=(950, 150))).geometry
    assert [xy for xy in line.coords if 250 <= xy[0] <= 850] == [*fast, *over[1:]]


@pytest.mark.parametrize("at", [(150, 150), (130, 180)])
@pytest.mark.parametrize("net", [None, roads(way((50, 150), (250, 150)))])
def test_a_place_on_its_site_has_a_line_and_no_minutes(at, net):
    ways = drawn(laid(ground((3, 3)), net), points(P=at), points(S=at))
    walk, drive, metres = one(ways)
    assert (walk, drive) == (0, 0)
    assert metres == near(2 * math.hypot(at[0] - 150, at[1] - 150))  # over the centre, since the cell stands for its whole area
    (feature,) = json.loads(ways.to_json())["features"]
    assert feature["geometry"]["type"] == "LineString"
    assert len(feature["geometry"]["coordinates"]) >= 2


def test_who_reaches_nothing_and_who_is_refused_have_no_way():
    sea = np.ones((3, 30))
    sea[:, 2] = 0
    sea[:, 15:] = 0
    on = laid(ground((3, 30), factor=sea))
    places = points(A=(50, 50), B=(450, 50), C=(2900, 50), D=(-50, 50), E=(1450, 50))  # beyond the water, near, at sea, off the grid, far
    assert drawn(on, places, points(S=(350, 50))).index.tolist() == ["B", "E"]
    assert drawn(on, places, points(S=(350, 50)), bound_min=3.0).index.tolist() == ["B"]
    assert drawn(on, places, points(S=(2900, 50))).empty
    assert drawn(on, places.iloc[:0], points(S=(350, 50))).empty


def test_many_places_keep_their_own_ways_whatever_their_order():
    net = roads(way(*BENDS), way((450, 350), (450, 50)))
    made = np.random.default_rng(3)
    at = gpd.points_from_xy(*made.uniform(0, 700, (2, 40)))
    places = gpd.GeoDataFrame(index=[f"L{i:02d}" for i in range(40)], geometry=at, crs=32614)
    sites = points(B=(650, 350), A=(450, 50))
    on = laid(ground((7, 8)), net)
    together = drawn(on, places, sites)
    assert set(together["site"]) == {"A", "B"}
    shuffled = drawn(on, places.sample(frac=1, random_state=1), sites.iloc[::-1])
    assert shuffled.equals(together)
    for place in places.index[:5]:
        assert drawn(on, places.loc[[place]], sites).equals(together.loc[[place]])


@settings(deadline=None, max_examples=20)
@given(st.lists(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), min_size=2, max_size=6, unique=True), min_size=1, max_size=4),
       st.data())
def test_how_a_two_way_road_is_drawn_and_the_direction_change_nothing(made, data):
    """On the flat: the same minutes and, where the way is the only shortest, the same line the other way round."""
    ways = [[(50.0 * x + 3, 50.0 * y + 7) for x, y in line] for line in made]
    turned = [line[::data.draw(st.sampled_from([1, -1]))] for line in ways]
    place, site = (points(**{name: data.draw(st.tuples(st.integers(1, 640), st.integers(1, 640)))}) for name in "PS")
    found = []
    for lines, towards in ((ways, True), (turned, True), (ways, False)):
        on = laid(ground((7, 7)), _roads(lines))
        found.append(drawn(on, place, site, towards=towards).iloc[0])
    assert found[0]["minutes"] == found[1]["minutes"] == found[2]["minutes"]
    assert found[0]["metres"] >= place.geometry.iloc[0].distance(site.geometry.iloc[0]) - 1e-9
    # nothing is faster than the road but a cell's free ends
    assert found[0]["minutes"] >= DRIVE * (found[0]["metres"] - 4 * 71) - 1e-6


def _roads(lines: list[list[tuple[float, float]]]) -> Roads:
    return roads(*(way(*line) for line in lines))


@pytest.fixture(scope="module")
def minutes_to_hospital() -> dict[str, dict[str, tuple[float, float]]]:
    """Walked and driven minutes of the valley's two units to its hospital, in kilometres by hand.

    On foot unit one takes the road for four cells, then three diagonals past the wall; by vehicle it leaves the road above the hospital.
    """
    walk, off, drive = 1000 * WALK, 1000 * OFF, 1.0
    down = off / 2 + 2 * off
    on_foot = {ONE: (4 * walk + DIAGONAL * (walk + off) / 2 + 2 * DIAGONAL * off, 0.0), TWO: (walk / 2 + down, 0.0)}
    ride = {ONE: (down, 7.5 * drive), TWO: (down, 0.5 * drive)}
    return {"a_pie": on_foot, "vehiculo": ride, "transporte_publico": {ONE: ride[ONE], TWO: on_foot[TWO]}}


@pytest.mark.parametrize("mode", ["a_pie", "vehiculo", "transporte_publico"])
def test_referral_of_the_valley_by_hand(mode, minutes_to_hospital):
    """The mobile unit refers nobody; by bus unit one rides after half an hour's wait, and unit two is sooner on foot."""
    table = compute_travel(valley.region(), Scenario(mode_hospital=mode)).referral
    assert table.index.tolist() == [ONE, TWO]
    assert table["site"].tolist() == [HOSPITAL] * 2
    units = valley.region().units
    for clues, (walk, drive) in minutes_to_hospital[mode].items():
        row = table.loc[clues]
        wait = 30.0 if mode == "transporte_publico" and clues == ONE else 0.0
        assert (row["walk_min"], row["drive_min"], row["minutes"]) == (near(walk), near(drive), near(walk + drive + wait))
        assert row["geometry"].coords[0] == units.geometry[clues].coords[0]
        assert row["geometry"].coords[-1] == units.geometry[HOSPITAL].coords[0]
    longest = 4000 + 3000 * DIAGONAL if mode == "a_pie" else 10_000
    assert table["metres"].tolist() == [near(longest), near(3000)]


def test_without_hospital_nobody_is_referred():
    region = valley.region()
    units = region.units.drop(HOSPITAL)
    table = compute_travel(replace(region, units=units), Scenario()).referral
    assert table.empty
    assert list(table.columns) == COLUMNS
