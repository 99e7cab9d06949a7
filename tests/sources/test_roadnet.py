"""From ways to a network: where nodes stand, what each fault becomes, and that the order of the file does not matter."""

from dataclasses import replace
from itertools import pairwise

import networkx as nx
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from planner import columns, schema
from planner.errors import DataError
from planner.sources.roadnet import PER_WAY, Ways, build_roads, own_ends

CRS = "EPSG:32614"


def ways(drawn, *, at=None, wet=(), ids=None, **attributes):
    """Ways as lists of vertex numbers; vertex k stands at `at[k]`, by default (100 k, 0), metres; those of `wet` are fords."""
    numbers = np.array([v for way in drawn for v in way], np.int64)
    place = at or {}
    xy = np.array([place.get(v, (100.0 * v, 0.0)) for v in numbers.tolist()], float).reshape(-1, 2)
    given_values = {
        "way": [str(i) for i in (ids or range(len(drawn)))], "name": None, "road_class": "track", "surface": None, "tracktype": np.nan,
        "smoothness": None, "posted_kmh": 30.0, "crossing_min": np.nan, "forward": True, "backward": True, "drive": True, "walk": True,
        "board": True, "bridge": False, "ford": False, "ferry": False, "toll": False, **attributes}
    table = pd.DataFrame(given_values, index=range(len(drawn)))[list(PER_WAY)]
    table = table.astype(dict.fromkeys(("name", "surface", "smoothness"), "str"))
    return Ways(table, np.array([len(way) for way in drawn]), xy, numbers, np.isin(numbers, wet), CRS)


def build(drawn, *, bounds=None, **given_ways):
    roads, found = build_roads(ways(drawn, **given_ways), CRS, "prueba", bounds=bounds)
    columns.check(schema.ROADS, roads.edges, "tramos")
    columns.check(schema.ROAD_NODES, roads.nodes, "nodos")
    return roads, {f.code: f for f in found}


def pairs(roads):
    """Ends of the edges as the publisher's vertices, with the length."""
    origin = roads.nodes["origin"]
    return [(int(origin[u]), int(origin[v]), m) for u, v, m in zip(*(roads.edges[c] for c in ("u", "v", "length_m")), strict=True)]


def test_vertices_that_ways_share_and_ends_are_nodes_and_the_rest_is_shape():
    roads, found = build([[1, 2, 3, 4], [9, 3]], at={9: (300, 50)})
    assert pairs(roads) == [(1, 3, 200.0), (3, 4, 100.0), (9, 3, 50.0)]
    assert [g.wkt for g in roads.edges.geometry][0] == "LINESTRING (100 0, 200 0, 300 0)"
    assert roads.nodes["origin"].tolist() == ["1", "3", "4", "9"]
    assert roads.nodes["component"].tolist() == [0, 0, 0, 0]
    assert found == {}


def test_ways_that_cross_without_a_common_vertex_are_not_joined():
    roads, found = build([[1, 2], [3, 4]], at={1: (0, 0), 2: (10, 10), 3: (0, 10), 4: (10, 0)})
    assert shapely.crosses(*roads.edges.geometry)
    assert sorted(roads.nodes["component"]) == [0, 0, 1, 1]
    assert found["red_en_partes"].count == 1
    assert "2 componentes; la mayor tiene 50.0 % de los nodos" in found["red_en_partes"].what


def test_vertices_at_one_place_with_different_numbers_are_not_joined():
    roads, _ = build([[1, 2], [3, 4]], at={1: (0, 0), 2: (10, 0), 3: (10, 0), 4: (20, 0)})
    assert len(roads.nodes) == 4


def test_a_loop_splits_where_a_vertex_repeats():
    # 1 - 2 - 3 - 4 - 2: a lasso; vertex 2 is visited twice by one way
    roads, _ = build([[1, 2, 3, 4, 2]], at={1: (0, 0), 2: (10, 0), 3: (20, 10), 4: (20, -10)})
    assert [(u, v) for u, v, _ in pairs(roads)] == [(1, 2), (2, 2)]
    assert roads.edges["length_m"].tolist() == pytest.approx([10, 2 * np.hypot(10, 10) + 20])


def test_a_figure_of_eight_and_a_closed_way_keep_every_turn():
    at = {1: (0, 0), 2: (10, 10), 3: (20, 0), 4: (10, -10)}
    roads, _ = build([[1, 2, 3, 4, 1]], at=at)
    assert [(u, v) for u, v, _ in pairs(roads)] == [(1, 1)]
    crossed, _ = build([[1, 2, 9, 4, 3, 9, 1]], at={**at, 9: (10, 0)})
    assert [(u, v) for u, v, _ in pairs(crossed)] == [(1, 9), (9, 9), (9, 1)]


def test_parallel_edges_stay():
    roads, _ = build([[1, 2], [1, 5, 2]], at={5: (150, 50)})
    assert [(u, v) for u, v, _ in pairs(roads)] == [(1, 2), (1, 2)]


def test_repeated_vertices_and_ways_without_length_are_dropped_and_counted():
    roads, found = build([[1, 2, 2, 3], [4], [5, 5], [6, 7]], at={6: (0, 9), 7: (0, 9)})
    assert pairs(roads) == [(1, 3, 200.0)]
    assert found["tramos_de_longitud_cero"].count == 3
    assert found["tramos_de_longitud_cero"].examples == ("0", "2", "3")
    assert found["vias_sin_longitud"].count == 3
    assert found["vias_sin_longitud"].examples == ("1", "2", "3")


def test_dropping_a_piece_without_length_does_not_cut_the_road():
    # 2 and 3 are one place under two numbers: who comes by 1 leaves by 4 and by 5
    roads, found = build([[1, 2, 3, 4], [3, 5], [2, 6]], at={2: (200, 0), 3: (200, 0), 5: (200, 70), 6: (200, -70)})
    assert pairs(roads) == [(1, 2, 100.0), (2, 4, 200.0), (2, 5, 70.0), (2, 6, 70.0)]
    assert found["tramos_de_longitud_cero"].count == 1
    assert roads.nodes["component"].eq(0).all()


def test_a_vertex_without_coordinates_interrupts_the_way():
    roads, found = build([[1, 2, 3, 4, 5]], at={3: (np.nan, np.nan)})
    assert pairs(roads) == [(1, 2, 100.0), (4, 5, 100.0)]
    assert found["vertices_sin_posicion"].count == 1


def test_a_way_that_comes_twice_counts_once_but_the_same_trace_of_another_way_stays():
    roads, found = build([[1, 2, 3], [1, 2, 3], [1, 2, 3], [3, 2, 1]], ids=["a", "a", "b", "b"])
    assert [(way, u, v) for way, (u, v, _) in zip(roads.edges["way"], pairs(roads), strict=True)] == [
        ("a", 1, 2), ("a", 2, 3), ("b", 1, 2), ("b", 2, 3), ("b", 3, 2), ("b", 2, 1)]
    assert found["vias_repetidas"].count == 1
    assert "vias_sin_longitud" not in found


def test_a_ford_on_a_vertex_wets_only_the_pieces_that_touch_it():
    roads, _ = build([[1, 2, 3, 4, 5, 6]], wet=[3])
    assert list(zip([p[:2] for p in pairs(roads)], roads.edges["ford"], strict=True)) == [((1, 2), False), ((2, 4), True), ((4, 6), False)]
    at_the_end, _ = build([[1, 2, 3], [3, 4, 5]], wet=[3])
    assert at_the_end.edges["ford"].tolist() == [False, True, True, False]
    whole, _ = build([[1, 2, 3], [2, 4]], ford=[True, False])
    assert whole.edges["ford"].tolist() == [True, True, False]


def test_a_ford_survives_the_vertex_it_stands_on_being_repeated():
    roads, _ = build([[1, 2, 3, 4, 5]], at={2: (200, 0), 3: (200, 0)}, wet=[3])
    assert roads.edges["ford"].tolist() == [True, False]
    assert pairs(roads) == [(1, 4, 300.0), (4, 5, 100.0)]


def test_bounds_keep_whole_the_ways_that_touch_them():
    at = {1: (0, 0), 2: (100, 0), 3: (0, 50), 4: (50, 100), 5: (-10, 95), 6: (5, 110)}
    drawn = [[1, 2], [3, 4], [5, 6]]
    box = (20.0, -5.0, 40.0, 5.0)
    roads, found = build(drawn, at=at, bounds=box)
    assert roads.edges["way"].tolist() == ["0"]
    assert roads.edges["length_m"].tolist() == [100.0]
    assert found["vias_fuera"].count == 2
    # the box around way 1 covers this corner, the way itself does not
    assert build(drawn, at=at, bounds=(40.0, -5.0, 50.0, 60.0))[0].edges["way"].tolist() == ["0"]
    touching = build(drawn, at=at, bounds=(100.0, 0.0, 120.0, 5.0))[0]
    assert touching.edges["way"].tolist() == ["0"]
    with pytest.raises(DataError, match="ninguna vía toca la región"):
        build(drawn, at=at, bounds=(900.0, 900.0, 901.0, 901.0))


def test_ways_without_any_length_are_an_error():
    with pytest.raises(DataError, match="ninguna vía tiene longitud"):
        build([[1], [2, 2]])


def test_components_go_by_size_and_ties_by_the_lowest_node():
    roads, found = build([[1, 2], [10, 11, 12], [11, 13], [5, 6]])
    by_origin = dict(zip(roads.nodes["origin"].astype(int), roads.nodes["component"], strict=True))
    assert by_origin == {1: 1, 2: 1, 5: 2, 6: 2, 10: 0, 11: 0, 12: 0, 13: 0}
    assert found["red_en_partes"].count == 2
    assert found["red_en_partes"].examples == ("0", "3")
    assert "la mayor tiene 50.0 % de los nodos" in found["red_en_partes"].what


def test_edges_that_will_take_the_speed_of_their_class_are_counted():
    _, found = build([[1, 2, 3], [2, 4], [7, 8], [8, 9]], posted_kmh=[np.nan, 50.0, np.nan, np.nan], drive=[True, True, False, True],
                     ferry=[False, False, False, True])
    assert found["sin_velocidad"].count == 2  # both edges of the first way; not the path, not the ferry
    assert found["sin_velocidad"].examples == ("0",)


def test_lengths_are_planar_metres_of_the_projected_crs():
    degrees = {1: (-99.0, 20.0), 2: (-99.0, 20.01)}
    drawn = replace(ways([[1, 2]], at=degrees), crs="EPSG:4326")
    roads, _ = build_roads(drawn, CRS, "prueba")
    # UTM on its central meridian: 0.9996 times the arc, by the meridian's radius of curvature (Snyder 1987, eq. 4-18)
    radius = 6378137 * (1 - 0.00669437999) / (1 - 0.00669437999 * np.sin(np.radians(20.005)) ** 2) ** 1.5
    assert roads.edges["length_m"].iloc[0] == pytest.approx(0.9996 * radius * np.radians(0.01), abs=1e-5)
    assert roads.edges["length_m"].iloc[0] == roads.edges.geometry.iloc[0].length
    assert roads.edges.crs == roads.nodes.crs == CRS


def test_what_was_given_stays_as_it_was():
    drawn = ways([[1, 2, 2, 3], [3, 4]], wet=[2])
    before = drawn.table.copy(), drawn.xy.copy(), drawn.vertex.copy(), drawn.ford.copy()
    build_roads(drawn, CRS, "prueba")
    assert_frame_equal(drawn.table, before[0])
    assert all(np.array_equal(a, b) for a, b in zip((drawn.xy, drawn.vertex, drawn.ford), before[1:], strict=True))


def test_own_ends_joins_only_at_ends():
    numbers = own_ends(np.array([3, 2, 4]), np.array([0, 4, 1]), np.array([4, 1, 1]))
    assert numbers[[0, 2, 3, 4, 5, 8]].tolist() == [0, 4, 4, 1, 1, 1]
    inner = numbers[[1, 6, 7]].tolist()
    assert len(set(inner)) == 3
    assert min(inner) > 4


worlds = st.lists(st.lists(st.integers(0, 14), min_size=1, max_size=7), min_size=1, max_size=9)
PLACES = {v: ((v * 37) % 15 * 10.0, (v * 11) % 13 * 7.0) for v in range(15)}


def length_by_hand(drawn):
    return sum(float(np.hypot(*np.subtract(PLACES[a], PLACES[b]))) for way in drawn for a, b in pairwise(way))


def built_or_nothing(drawn, **given_ways):
    try:
        roads, found = build_roads(ways(drawn, at=PLACES, **given_ways), CRS, "prueba")
    except DataError:
        assert length_by_hand(drawn) == 0
        return None
    return roads, {f.code: f for f in found}


@given(worlds)
@settings(deadline=None, max_examples=30)
def test_nothing_but_repetition_is_lost_and_the_graph_is_that_of_the_pieces(drawn):
    built = built_or_nothing(drawn)
    if built is None:
        return
    roads, found = built
    assert roads.edges["length_m"].sum() == pytest.approx(length_by_hand(drawn))
    assert (roads.edges["length_m"] > 0).all()
    repeats = sum(a == b for way in drawn for a, b in pairwise(way))
    assert (found["tramos_de_longitud_cero"].count if "tramos_de_longitud_cero" in found else 0) == repeats
    pieces = nx.MultiGraph((a, b) for way in drawn for a, b in pairwise(way) if a != b)
    ours = nx.MultiGraph((u, v) for u, v, _ in pairs(roads))
    assert nx.number_connected_components(ours) == nx.number_connected_components(pieces) == roads.nodes["component"].max() + 1
    for node in pieces.nodes:  # a vertex where roads meet keeps its degree; one left out only passes one way through
        assert ours.degree(node) == pieces.degree(node) if node in ours else pieces.degree(node) == 2


@given(worlds, st.randoms())
@settings(deadline=None, max_examples=30)
def test_the_order_of_the_ways_changes_nothing(drawn, random):
    order = list(range(len(drawn)))
    random.shuffle(order)
    first, second = built_or_nothing(drawn), built_or_nothing([drawn[i] for i in order], ids=order)
    if first is None or second is None:
        assert first is second
        return
    assert_frame_equal(first[0].edges, second[0].edges)
    assert_frame_equal(first[0].nodes, second[0].nodes)
    assert first[1] == second[1]


@given(worlds, st.data())
@settings(deadline=None, max_examples=30)
def test_cutting_a_way_in_two_keeps_length_and_ways_between_places(drawn, data):
    which = data.draw(st.integers(0, len(drawn) - 1))
    cut = data.draw(st.integers(0, len(drawn[which]) - 1))
    way = drawn[which]
    halves = [*drawn[:which], way[:cut + 1], way[cut:], *drawn[which + 1:]]
    first, second = built_or_nothing(drawn), built_or_nothing(halves)
    if first is None or second is None:
        assert first is second
        return
    one, two = (nx.Graph() for _ in range(2))
    for graph, (roads, _) in ((one, first), (two, second)):
        for u, v, metres in pairs(roads):
            if not graph.has_edge(u, v) or metres < graph[u][v]["weight"]:
                graph.add_edge(u, v, weight=metres)
    assert first[0].edges["length_m"].sum() == pytest.approx(second[0].edges["length_m"].sum())
    assert set(one) <= set(two)
    near, far = (dict(nx.all_pairs_dijkstra_path_length(g)) for g in (one, two))
    for u in one:
        for v in one:
            assert near[u].get(v, np.inf) == pytest.approx(far[u].get(v, np.inf))


@given(worlds, st.integers(0, 8))
@settings(deadline=None, max_examples=30)
def test_ways_of_one_id_are_told_apart_whatever_their_order(drawn, seed):
    order = np.random.default_rng(seed).permutation(len(drawn)).tolist()
    kmh = [20.0 + i for i in range(len(drawn))]
    first = built_or_nothing(drawn, ids=["x"] * len(drawn), posted_kmh=kmh)
    second = built_or_nothing([drawn[i] for i in order], ids=["x"] * len(drawn), posted_kmh=[kmh[i] for i in order])
    if first is None or second is None:
        assert first is second
        return
    assert_frame_equal(first[0].edges, second[0].edges)
    assert_frame_equal(first[0].nodes, second[0].nodes)
