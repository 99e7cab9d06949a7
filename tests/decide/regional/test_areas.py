"""Who borders whom and how far the hospitals are: outside truths, then small maps that a reader can see."""

from dataclasses import replace

import geopandas as gpd
import libpysal
import numpy as np
import pandas as pd
import pytest
import valley
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse.csgraph import minimum_spanning_tree
from shapely.geometry import MultiPolygon, Point, Polygon, box

from planner.access.gap import compute_access
from planner.decide.regional.areas import Areas, locality_areas, municipal_areas, straight_areas
from planner.decide.regional.neighbours import cell_borders, joining, nearest_in_cost, part_of, polygon_borders, with_edges
from planner.model import Access, Region
from planner.settings import Scenario
from planner.travel.times import compute_travel

SCENARIO = Scenario()
State = tuple[Region, Access]


@pytest.fixture(scope="module")
def small() -> State:
    region = valley.region()
    return region, compute_access(region, compute_travel(region, SCENARIO), SCENARIO)


def squares(*cells: tuple[float, float], side: float = 1000.0) -> gpd.GeoSeries:
    """Squares with these lower left corners, in sides, named A, B, ..."""
    shapes = [box(x * side, y * side, (x + 1) * side, (y + 1) * side) for x, y in cells]
    return gpd.GeoSeries(shapes, pd.Index([chr(65 + i) for i in range(len(cells))]), crs=valley.CRS)


def pairs(ids: pd.Index, edges: np.ndarray) -> list[str]:
    return ["".join(ids[[i, j]]) for i, j in edges]


def test_neighbours_are_those_of_libpysal() -> None:
    states = gpd.read_file(libpysal.examples.get_path("mexicojoin.shp")).set_crs(4326, allow_override=True).to_crs(6372)
    rook = libpysal.graph.Graph.build_contiguity(states, strict=True)
    theirs = {tuple(sorted(pair)) for pair in rook.adjacency.index[rook.adjacency > 0]}
    found = polygon_borders(states.geometry)
    assert {tuple(pair) for pair in found.edges.tolist()} == theirs
    assert len(theirs) > 60
    assert part_of(found.edges, 32).max() == 0


def test_hidalgos_municipalities_border_as_libpysal_says(hidalgo_access: State, hidalgo_areas: Areas) -> None:
    (region, access), found = hidalgo_access, hidalgo_areas
    graph = libpysal.graph.Graph.build_contiguity(region.municipalities, strict=True)
    theirs = {tuple(sorted(pair)) for pair in graph.adjacency.index[graph.adjacency > 0]}
    assert {tuple(found.ids[list(pair)]) for pair in found.edges} == theirs
    assert len(theirs) == 201
    assert found.findings == ()
    assert found.area_m2.sum() == pytest.approx(region.municipalities.area.sum(), rel=1e-9)
    outer = region.municipalities.union_all().length
    assert found.perimeter_m.sum() - 2 * found.shared_m.sum() == pytest.approx(outer, rel=1e-3)
    assert (len(found.ids), len(found.hospital_ids)) == (84, 20)
    assert found.people.sum() == pytest.approx(found.point_people.sum()) == pytest.approx(2_047_505, abs=1)
    nearest = access.localities["hospital_min"]
    living = access.localities.index[access.localities["people"] > 0]
    told = nearest.reindex(living).fillna(np.inf).to_numpy()
    told = np.where(told <= SCENARIO.regional.hospital_cutoff_min, told, np.inf)
    np.testing.assert_allclose(found.point_min.min(axis=1), told, atol=2e-6)


def test_hidalgos_localities_hang_together(hidalgo_access: State, hidalgo_areas: Areas) -> None:
    region, access = hidalgo_access
    found = locality_areas(region, access, SCENARIO)
    assert len(found.ids) == 4690
    assert part_of(found.edges, 4690).max() == 0
    assert found.people.sum() == pytest.approx(2_047_505, abs=1)
    assert 4 < 2 * len(found.edges) / 4690 < 7  # a plane map has fewer than six neighbours on average
    towns = region.localities["cve_mun"].reindex(found.ids).to_numpy()
    i, j = found.edges.T
    between = {tuple(sorted(pair)) for pair in zip(towns[i], towns[j], strict=True) if pair[0] != pair[1]}
    theirs = {tuple(hidalgo_areas.ids[list(pair)]) for pair in hidalgo_areas.edges}
    assert len(theirs - between) < 0.1 * len(theirs)  # who borders by polygons borders by catchments too, save along short borders


def test_where_hidalgos_polygons_are_missing_most_neighbours_by_travel_are_real_ones(hidalgo_access: State, hidalgo_areas: Areas) -> None:
    region, access = hidalgo_access
    bare = replace(region, municipalities=region.municipalities.set_geometry([None] * 84, crs=region.crs))
    found = municipal_areas(bare, access, SCENARIO)
    real = {tuple(pair) for pair in hidalgo_areas.edges.tolist()}
    assert part_of(found.edges, 84).max() == 0
    assert sum(tuple(pair) in real for pair in found.edges.tolist()) > 0.8 * len(found.edges)
    assert [(f.code, f.count) for f in found.findings] == [("sin_poligono", 84)]


def test_corners_are_no_borders_and_outlines_are_whole() -> None:
    grid = squares((0, 1), (1, 1), (0, 0), (1, 0))
    found = polygon_borders(grid)
    assert pairs(grid.index, found.edges) == ["AB", "AC", "BD", "CD"]
    assert found.shared_m.tolist() == [1000.0] * 4
    assert found.perimeter_m.tolist() == [4000.0] * 4
    assert found.area_m2.tolist() == [1e6] * 4


@pytest.mark.parametrize("shift", [-60.0, 40.0, 90.0])
def test_gaps_and_overlaps_as_wide_as_a_sliver_are_borders(shift: float) -> None:
    grid = squares((0, 0), (1, 0), (2, 0))
    found = polygon_borders(gpd.GeoSeries([grid["A"], *(s.buffer(0) for s in grid.iloc[1:].translate(xoff=shift))], grid.index))
    assert pairs(grid.index, found.edges) == ["AB", "BC"]
    assert found.shared_m == pytest.approx([1000, 1000], rel=0.05)


def test_a_gap_wider_than_a_sliver_is_none() -> None:
    assert polygon_borders(squares((0, 0), (1.3, 0))).edges.shape == (0, 2)


def test_missing_and_empty_polygons_border_nobody_and_bow_ties_are_mended() -> None:
    bow = Polygon([(1000, 0), (2000, 1000), (2000, 0), (1000, 1000)])
    shapes = gpd.GeoSeries([box(0, 0, 1000, 1000), None, MultiPolygon(), bow], list("ABCD"))
    found = polygon_borders(shapes)
    assert pairs(shapes.index, found.edges) == ["AD"]
    assert found.perimeter_m[[1, 2]].tolist() == found.area_m2[[1, 2]].tolist() == [0, 0]
    assert polygon_borders(gpd.GeoSeries([None, None], ["A", "B"])).edges.shape == (0, 2)


def straight(polygons: gpd.GeoSeries, points: dict[str, tuple[float, float]], hospitals: dict[str, tuple[float, float]]) -> Areas:
    """Areas of which each has one place with 100 people, at 60 km/h."""
    places = gpd.GeoDataFrame({"area": list(points), "people": 100.0}, index=[f"{a}1" for a in points],
                              geometry=[Point(xy) for xy in points.values()], crs=valley.CRS)
    sites = gpd.GeoDataFrame({"area": list(hospitals)}, index=[f"H{a}" for a in hospitals],
                             geometry=[Point(xy) for xy in hospitals.values()], crs=valley.CRS)
    return straight_areas(polygons, places, sites, 60.0, 10.0)


def test_straight_minutes_are_reckoned_and_said_to_be_assumed() -> None:
    found = straight(squares((0, 0), (1, 0)), {"A": (500, 500), "B": (1500, 500)}, {"B": (1500, 4500)})
    np.testing.assert_allclose(found.point_min, [[np.hypot(1, 4)], [4.0]])
    assert (found.hospital_at.tolist(), found.hospital_ids.tolist(), found.people.tolist()) == ([1], ["HB"], [100, 100])
    assert [f.code for f in found.findings] == ["minutos_en_linea_recta"]
    far = straight(squares((0, 0), (1, 0)), {"A": (500, 500), "B": (1500, 500)}, {"B": (1500, 10_501)})
    assert np.isinf(far.point_min).all()


def test_an_island_a_missing_polygon_and_a_part_apart_are_joined_and_told() -> None:
    """A and B touch; C has no polygon and lives beside B; D lies out at sea, nearest to C; E and F touch each other, beyond D."""
    polygons = squares((0, 0), (1, 0), (2, 0), (5, 0), (9, 0), (10, 0))
    polygons["C"] = None
    points = {name: (1000 * x + 500, 500) for name, x in zip("ABCDEF", (0, 1, 2, 5, 9, 10), strict=True)}
    found = straight(polygons, points, {"A": (0, 0)})  # type: ignore[arg-type]
    assert pairs(found.ids, found.edges) == ["AB", "BC", "CD", "DE", "EF"]
    assert found.shared_m.tolist() == [1000, 0, 0, 0, 1000]
    told = {f.code: f.examples for f in found.findings}
    assert told == {"minutos_en_linea_recta": ("A", "B", "C"), "sin_poligono": ("C",), "isla": ("D",)}
    assert found.xy[2].tolist() == [2500, 500]
    polygons["D"] = box(2000, 0, 3000, 1000)  # now only E and F stand apart
    parts = straight(polygons.drop("C"), {k: v for k, v in points.items() if k != "C"}, {"A": (0, 0)})  # type: ignore[arg-type]
    assert pairs(parts.ids, parts.edges) == ["AB", "BD", "DE", "EF"]
    assert {f.code: f.examples for f in parts.findings if f.code != "minutos_en_linea_recta"} == {"parte_separada": ("E", "F")}


def test_the_valley_by_hand(small: State) -> None:
    region, access = small
    found = municipal_areas(region, access, SCENARIO)
    assert found.ids.tolist() == ["99001", "99002"]
    assert found.people.tolist() == [6600, 1850]
    assert (found.edges.tolist(), found.shared_m.tolist()) == ([[0, 1]], [10_000])
    assert found.perimeter_m.tolist() == [26_000, 26_000]
    assert found.area_m2.tolist() == [30e6, 30e6]
    assert (found.hospital_at.tolist(), found.hospital_ids.tolist()) == ([0], ["MDIMB000044"])
    assert found.point_at.tolist() == [0, 0, 0, 1, 1, 1]
    assert found.point_people.tolist() == [2000, 600, 4000, 400, 250, 1200]
    np.testing.assert_allclose(found.point_min[:, 0], access.localities["hospital_min"])
    assert found.findings == ()


def test_without_polygons_municipalities_are_neighbours_by_travel(small: State) -> None:
    region, access = small
    bare = replace(region, municipalities=region.municipalities.set_geometry([None, None], crs=valley.CRS))
    found = municipal_areas(bare, access, SCENARIO)
    assert (found.edges.tolist(), found.shared_m.tolist(), found.perimeter_m.tolist()) == ([[0, 1]], [0], [0, 0])
    told, = found.findings
    assert (told.code, told.count, told.examples) == ("sin_poligono", 2, ("99001", "99002"))
    assert told.remedy
    centre = bare.localities.geometry
    assert found.xy.tolist() == [[centre[c].x, centre[c].y] for c in ("990010003", "990020003")]  # C and F are the most populous


def test_where_no_vehicle_gets_through_neighbours_are_those_in_a_straight_line(small: State) -> None:
    region, access = small
    factor = region.grid.walk_factor.copy()
    factor[1] = np.nan
    walled = replace(region, municipalities=region.municipalities.set_geometry([None, None], crs=valley.CRS),
                     grid=replace(region.grid, walk_factor=factor))
    found = municipal_areas(walled, access, SCENARIO)
    assert found.edges.tolist() == [[0, 1]]
    assert {f.code for f in found.findings} == {"sin_poligono", "vecinos_en_linea_recta"}


def test_a_state_without_hospitals_has_no_minutes(small: State) -> None:
    region, access = small
    none = replace(region, units=region.units[region.units["role"] != "hospital"])
    for found in (municipal_areas(none, access, SCENARIO), locality_areas(none, access, SCENARIO)):
        assert found.point_min.shape == (6, 0)
        assert found.hospital_at.shape == (0,)


def test_a_hospital_of_unknown_municipality_takes_that_of_the_nearest_locality(small: State) -> None:
    region, access = small
    lost = replace(region, units=region.units.assign(cve_mun=None))
    found = municipal_areas(lost, access, SCENARIO)
    assert found.hospital_at.tolist() == [1]  # E, two cells away
    assert [f.code for f in found.findings] == ["hospital_sin_area"]


def test_one_municipality_alone(small: State) -> None:
    region, access = small
    mine = region.localities["cve_mun"] == "99001"
    alone = replace(region, localities=region.localities[mine], municipalities=region.municipalities.iloc[:1])
    found = municipal_areas(alone, replace(access, localities=access.localities[mine]), SCENARIO)
    assert (found.edges.shape, found.findings, found.people.tolist()) == ((0, 2), (), [6600])


def test_the_order_of_the_tables_changes_nothing_and_they_are_left_as_they_were(small: State) -> None:
    region, access = small
    for build in (municipal_areas, locality_areas):
        first = build(region, access, SCENARIO)
        shuffled = replace(region, localities=region.localities.iloc[::-1], units=region.units.iloc[::-1],
                           municipalities=region.municipalities.iloc[::-1])
        before = shuffled.localities.copy()
        again = build(shuffled, replace(access, localities=access.localities.iloc[::-1]), SCENARIO)
        for name, value in vars(first).items():
            assert np.array_equal(value, getattr(again, name)), name
        assert before.equals(shuffled.localities)


def test_localities_of_the_valley_own_the_ground_they_are_nearest_to(small: State) -> None:
    region, access = small
    found = locality_areas(region, access, SCENARIO)
    assert found.area_m2.sum() == 58e6  # all cells but the two that cannot be walked
    assert found.people.tolist() == [2000, 600, 4000, 400, 250, 1200]
    letters = pd.Index([p[0] for p in valley.PLACES.values()])
    assert {"AB", "BC"} <= set(pairs(letters, found.edges))  # along the road
    assert letters[found.hospital_at].tolist() == ["E"]
    assert part_of(found.edges, 6).max() == 0


def test_localities_of_one_cell_and_off_the_terrain_are_joined(small: State) -> None:
    region, access = small
    moved = region.localities.copy()
    moved.loc["990010002", "geometry"] = moved.geometry["990010001"]  # B stands where A does
    moved.loc["990020003", "geometry"] = Point(valley.ORIGIN[0] - 50_000, valley.ORIGIN[1])  # F far to the west: A is the nearest
    found = locality_areas(replace(region, localities=moved), access, SCENARIO)
    letters = pd.Index([p[0] for p in valley.PLACES.values()])
    assert [p for p in pairs(letters, found.edges) if "B" in p or "F" in p] == ["AB", "AF"]
    assert [(f.code, f.examples) for f in found.findings] == [("parte_separada", ("990020003",))]


def test_cells_have_sides_in_common() -> None:
    site = np.array([[0, 0, 1], [2, -1, 1]])
    found = cell_borders(site, 4, 10.0)
    assert found.edges.tolist() == [[0, 1], [0, 2]]
    assert found.shared_m.tolist() == [10, 10]
    assert found.perimeter_m.tolist() == [60, 60, 40, 0]
    assert found.area_m2.tolist() == [200, 200, 100, 0]


def test_the_same_pair_added_again_keeps_its_border() -> None:
    found = with_edges(cell_borders(np.array([[0, 1]]), 3, 10.0), np.array([[1, 0], [2, 1]]))
    assert (found.edges.tolist(), found.shared_m.tolist()) == ([[0, 1], [1, 2]], [10, 0])


costs = st.integers(2, 9).flatmap(lambda n: st.lists(st.integers(1, 30), min_size=n * n, max_size=n * n).map(
    lambda flat: np.triu(np.array(flat, float).reshape(n, n), 1) + np.triu(np.array(flat, float).reshape(n, n), 1).T))


@given(costs)
@settings(deadline=None, max_examples=30)
def test_neighbours_by_cost_join_all_as_cheaply_as_can_be(cost: np.ndarray) -> None:
    n = len(cost)
    edges = nearest_in_cost(cost, np.arange(n))
    assert part_of(edges, n).max() == 0
    kept = np.zeros_like(cost)
    kept[edges[:, 0], edges[:, 1]] = cost[edges[:, 0], edges[:, 1]]
    assert minimum_spanning_tree(kept).sum() == minimum_spanning_tree(cost).sum()
    for i, j in edges:
        assert not any(cost[i, k]**2 + cost[j, k]**2 < cost[i, j]**2 for k in range(n) if k not in (i, j))
    some = nearest_in_cost(cost, np.array([0]))
    assert some.tolist() == [pair for pair in edges.tolist() if 0 in pair]


@given(costs, st.data())
@settings(deadline=None, max_examples=30)
def test_parts_are_joined_by_as_few_pairs_as_they_need(cost: np.ndarray, data: st.DataObject) -> None:
    n = len(cost)
    some = data.draw(st.lists(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)).filter(lambda p: p[0] < p[1]), max_size=n))
    edges = np.array(sorted(set(some)), int).reshape(-1, 2)
    added = joining(edges, n, lambda rows: cost[rows])
    assert len(added) == part_of(edges, n).max()
    assert part_of(np.concatenate([edges, added]), n).max() == 0
