"""OpenStreetMap's roads: real extracts first, then what each tag means, the formats of one town, and broken files."""

import bz2
import gzip
import socket
import warnings
from itertools import pairwise
from pathlib import Path

import geopandas as gpd
import networkx as nx
import numpy as np
import osmium
import osmnx
import pandas as pd
import pytest
import shapely
from pandas.testing import assert_frame_equal

from planner import columns, schema
from planner.errors import DataError
from planner.sources.osm import cut_osm, download_osm, read_osm
from planner.sources.osmtags import minutes, posted_kmh, read_tags
from planner.sources.roadgraph import to_networkx

CRS = "EPSG:32614"
DATA = Path(__file__).parents[3] / "shared" / "data"
official = pytest.mark.skipif(not DATA.is_dir(), reason="sin ../shared/data")

# A town of streets around vertex 5; longitudes and latitudes in hundredths of a degree from -97.3, 19.8.
NODES = {1: (0, 0), 2: (1, 0), 3: (2, 0), 4: (3, 0), 5: (2, 1), 6: (2, 2), 7: (0, 1), 8: (4, 1), 9: (5, 1), 10: (6, 1), 11: (7, 1)}
NODE_TAGS = {9: {"ford": "yes"}, 2: {"barrier": "gate"}}
WAYS = {
    100: ([1, 2, 3, 4], {"highway": "primary", "name": "Calle Juárez", "surface": "asphalt", "maxspeed": "60", "oneway": "yes"}),
    20: ([5, 3, 6], {"highway": "residential", "surface": "concrete:plates"}),
    300: ([7, 5], {"highway": "path"}),  # ends at a vertex inside of way 20
    301: ([7, 8], {"highway": "track", "tracktype": "grade4", "bridge": "yes"}),  # crosses way 20 without a common vertex
    302: ([8, 9, 10], {"highway": "track", "ford": "no"}),
    303: ([10, 11], {"route": "ferry", "duration": "00:25", "name": "La Panga"}),
    304: ([4, 8], {"highway": "construction"}),
    305: ([1, 5], {"route": "hiking"}),
}


def degrees(node):
    return -97.3 + NODES[node][0] / 100, 19.8 + NODES[node][1] / 100


def osm_xml(path, ways=WAYS, nodes=NODES):
    tag = "".join
    body = [f'<node id="{n}" version="1" lon="{degrees(n)[0]:.7f}" lat="{degrees(n)[1]:.7f}">'
            + tag(f'<tag k="{k}" v="{v}"/>' for k, v in NODE_TAGS.get(n, {}).items()) + "</node>" for n in nodes]
    body += [f'<way id="{w}" version="1">' + tag(f'<nd ref="{n}"/>' for n in refs) + tag(f'<tag k="{k}" v="{v}"/>' for k, v in tags.items())
             + "</way>" for w, (refs, tags) in sorted(ways.items())]
    path.write_text(f'<osm version="0.6">{tag(body)}</osm>', encoding="utf-8")
    return path


def layer(path, ways=WAYS, **to_file):
    rows = [{"osm_id": str(w), "highway": None, "route": None, **tags} for w, (_, tags) in ways.items()]
    lines = [shapely.LineString([degrees(n) for n in refs]) for refs, _ in ways.values()]
    gpd.GeoDataFrame(rows, geometry=lines, crs=4326).to_file(path, **to_file)
    return path


def read(path, crs=CRS, **options):
    roads, found = read_osm(path, crs, **options)
    columns.check(schema.ROADS, roads.edges, "tramos")
    columns.check(schema.ROAD_NODES, roads.nodes, "nodos")
    return roads, found


def codes(found):
    return {f.code: f.count for f in found}


@pytest.fixture(scope="module")
def teziutlan():
    if not DATA.is_dir():
        pytest.skip("sin ../shared/data")
    return read(DATA / "teziutlan" / "teziutlan_puebla_osm_roads.geojson")


@pytest.fixture(scope="module")
def comoros():
    if not DATA.is_dir():
        pytest.skip("sin ../shared/data")
    return read(DATA / "comoros" / "raw" / "osm" / "comores-latest.osm.pbf", "EPSG:32738")


def test_teziutlan_has_the_published_counts(teziutlan):
    roads, found = teziutlan
    assert (len(roads.nodes), len(roads.edges)) == (5882, 7180)
    ways = roads.edges.groupby("way").first()
    assert len(ways) == 3954
    assert roads.edges["length_m"].sum() / 1000 == pytest.approx(1003, abs=0.5)
    assert round(100 * ways["surface"].notna().mean()) == 42
    assert ways["posted_kmh"].notna().sum() == 61
    assert round(100 * (roads.nodes["component"] == 0).mean(), 1) == 99.3
    one_way = roads.edges["forward"] != roads.edges["backward"]
    assert set(roads.edges.loc[one_way, "road_class"]) == {"motorway"}  # nothing says so, only the class
    told = {f.code: f for f in found}
    assert "13 componentes; la mayor tiene 99.3 % de los nodos" in told["red_en_partes"].what
    assert "oneway" in told["etiqueta_ausente"].what
    assert told["sin_velocidad"].count == int((roads.edges["posted_kmh"].isna() & roads.edges["drive"]).sum()) > 6000


def test_teziutlan_is_the_graph_of_its_coordinates(teziutlan):
    roads, _ = teziutlan
    frame = gpd.read_file(DATA / "teziutlan" / "teziutlan_puebla_osm_roads.geojson")
    pieces = nx.MultiGraph((a, b) for line in frame.geometry for a, b in pairwise(line.coords))
    ours = nx.MultiGraph(roads.edges[["u", "v"]].itertuples(index=False))
    assert nx.number_connected_components(pieces) == nx.number_connected_components(ours) == roads.nodes["component"].nunique()
    branching = sorted(d for _, d in pieces.degree() if d > 2)
    assert sorted(d for _, d in ours.degree() if d > 2) == branching


def test_comoros_pbf_holds_the_lines_of_its_published_layer(comoros):
    roads, found = comoros
    source = DATA / "comoros" / "raw" / "osm" / "comores-latest.osm.pbf"
    layer_roads, _ = read(DATA / "comoros" / "roads.gpkg", "EPSG:32738")
    assert layer_roads.edges["way"].nunique() == 4378
    told = codes(found)
    # 4,378 roads, those that the layer's tags do not tell are closed to everybody, and three ferries
    assert roads.edges["way"].nunique() == 4378 - told["via_cerrada"] + 3
    assert roads.edges["ferry"].sum() == 3
    on_land = roads.edges.loc[~roads.edges["ferry"], "length_m"].sum()
    assert on_land == pytest.approx(layer_roads.edges["length_m"].sum(), rel=0.002)
    assert roads.nodes["component"].nunique() < layer_roads.nodes["component"].nunique()  # the ferries join the islands
    assert told["barrera_puntual"] == 18
    on_road = {n.ref for way in osmium.FileProcessor(source, osmium.osm.WAY) if "highway" in way.tags for n in way.nodes}
    fords = [n.id for n in osmium.FileProcessor(source, osmium.osm.NODE) if "ford" in n.tags and n.id in on_road]
    ways = [str(w.id) for w in osmium.FileProcessor(source, osmium.osm.WAY) if "highway" in w.tags and w.tags.get("ford", "no") != "no"]
    wet = roads.edges[roads.edges["ford"]]
    assert set(ways) < set(wet["way"])
    places = [shapely.Point(n.location.lon, n.location.lat) for n in osmium.FileProcessor(source, osmium.osm.NODE) if n.id in fords]
    assert fords
    assert all(wet.distance(p).min() < 1e-3 for p in gpd.GeoSeries(places, crs=4326).to_crs(wet.crs))
    assert wet.loc[~wet["way"].isin(ways), "length_m"].max() < 200  # the crossing, not the road it stands on


def test_the_town_by_hand(tmp_path):
    roads, found = read(osm_xml(tmp_path / "x.osm"))
    edges, origin = roads.edges, roads.nodes["origin"].astype(int)
    ends = [(way, origin[u], origin[v]) for way, u, v in zip(edges["way"], edges["u"], edges["v"], strict=True)]
    # 9 is a ford: the piece around it is an edge of its own; 2 is shape
    assert ends == [("100", 1, 3), ("100", 3, 4), ("20", 5, 3), ("20", 3, 6), ("300", 7, 5), ("301", 7, 8), ("302", 8, 10), ("303", 10, 11)]
    assert origin.tolist() == [1, 3, 4, 5, 6, 7, 8, 10, 11]
    assert edges["ford"].tolist() == [False] * 6 + [True, False]
    assert edges["road_class"].tolist() == ["primary"] * 2 + ["residential"] * 2 + ["path", "track", "track", "ferry"]
    assert edges["surface"].fillna("").tolist() == ["asphalt"] * 2 + ["paved"] * 2 + [""] * 4
    assert edges["posted_kmh"].tolist()[:2] == [60, 60]
    assert edges["crossing_min"].tolist()[-1] == 25
    assert edges["tracktype"].tolist()[5] == 4
    assert edges["name"].fillna("").tolist() == ["Calle Juárez"] * 2 + [""] * 5 + ["La Panga"]
    assert edges["backward"].tolist() == [False] * 2 + [True] * 6
    assert edges["drive"].tolist() == [True] * 4 + [False] + [True] * 3
    assert edges["board"].tolist() == [True] * 5 + [False, True, False]  # neither the bridge nor the ferry
    assert codes(found) == {"no_es_camino": 1, "barrera_puntual": 1, "sin_velocidad": 4}


def test_pbf_and_compressed_files_give_the_same_roads(tmp_path):
    source = osm_xml(tmp_path / "x.osm")
    with osmium.SimpleWriter(str(tmp_path / "x.osm.pbf")) as writer:
        for thing in osmium.FileProcessor(source):
            writer.add(thing)
    (tmp_path / "x.osm.gz").write_bytes(gzip.compress(source.read_bytes()))
    (tmp_path / "x.osm.bz2").write_bytes(bz2.compress(source.read_bytes()))
    expected, told = read(source)
    for name in ("x.osm.pbf", "x.osm.gz", "x.osm.bz2"):
        roads, found = read(tmp_path / name)
        assert_frame_equal(roads.edges, expected.edges)
        assert_frame_equal(roads.nodes, expected.nodes)
        assert codes(found) == codes(told)


@pytest.mark.parametrize("suffix", ["geojson", "gpkg", "shp"])
def test_a_layer_of_the_same_ways_has_the_same_network(tmp_path, suffix):
    dry = {w: (refs, {k: v for k, v in tags.items() if k != "ford"}) for w, (refs, tags) in WAYS.items()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # shapefiles write names in latin-1 and say so
        source = layer(tmp_path / f"x.{suffix}", dry)
    roads, _ = read(source)
    expected, _ = read(osm_xml(tmp_path / "x.osm", dry))
    same = [c for c in expected.edges.columns if c not in ("u", "v", "ford", "geometry")]
    assert_frame_equal(pd.DataFrame(roads.edges[same]), pd.DataFrame(expected.edges[same]))
    assert len(roads.nodes) == len(expected.nodes)
    assert roads.nodes["origin"].isna().all()
    ours, theirs = (nx.MultiGraph(r.edges[["u", "v"]].itertuples(index=False)) for r in (roads, expected))
    assert nx.is_isomorphic(ours, theirs)


def test_layers_in_another_crs_with_other_tags_parts_and_odd_rows(tmp_path):
    rows = {"@id": ["way/7", "way/9", "way/8"], "highway": ["track", "tertiary", "crossing"],
            "other_tags": ['"surface"=>"gravel","oneway"=>"-1"', None, None]}
    shapes = [shapely.MultiLineString([[(-97.3, 19.8), (-97.31, 19.8)], [(-97.31, 19.8), (-97.31, 19.81)]]),
              shapely.LineString([(-97.31, 19.8, 5), (-97.32, 19.8, 6)]), shapely.Point(-97.3, 19.8)]
    gpd.GeoDataFrame(rows, geometry=shapes, crs=4326).to_crs(6372).to_file(tmp_path / "x.gpkg")
    roads, found = read(tmp_path / "x.gpkg")
    assert roads.edges["way"].tolist() == ["7", "7", "9"]
    assert roads.edges["surface"].fillna("").tolist() == ["unpaved", "unpaved", ""]
    assert roads.edges["forward"].tolist() == [False, False, True]
    assert len(roads.nodes) == 4
    assert codes(found)["filas_sin_linea"] == 1


def test_ways_without_ids_do_not_depend_on_the_order_of_the_file(tmp_path):
    lines = [shapely.LineString([degrees(n) for n in refs]) for refs, tags in WAYS.values()]
    frame = gpd.GeoDataFrame({"highway": [f"{k}" for k in ("primary", "track", "path", "road") * 2]}, geometry=lines, crs=4326)
    frame.to_file(tmp_path / "a.gpkg")
    frame.iloc[::-1].to_file(tmp_path / "b.gpkg")
    (a, _), (b, _) = read(tmp_path / "a.gpkg"), read(tmp_path / "b.gpkg")
    assert_frame_equal(a.edges, b.edges)
    assert a.edges["way"].nunique() == 8


def test_negative_ids_missing_nodes_and_empty_ways_are_read_and_told(tmp_path):
    (tmp_path / "x.osm").write_text(
        '<osm version="0.6"><node id="-1" lat="19.8" lon="-97.3"/><node id="5" lat="19.8" lon="-97.31"/>'
        '<node id="6" lat="19.8" lon="-97.32"/>'
        '<node id="7" lat="19.8" lon="-97.33"><tag k="barrier" v="gate"/></node>'
        '<way id="-7"><nd ref="-1"/><nd ref="5"/><nd ref="99"/><nd ref="6"/><tag k="highway" v="track"/></way>'
        '<way id="8"><tag k="highway" v="track"/></way></osm>', encoding="utf-8")
    roads, found = read(tmp_path / "x.osm")
    assert roads.nodes["origin"].tolist() == ["-1", "5"]
    told = {f.code: f for f in found}
    assert told["vertices_sin_posicion"].examples == ("-7", "8")
    assert told["vias_sin_longitud"].examples == ("8",)
    assert "barrera_puntual" not in told  # it stands on no road


def test_bounds_leave_out_what_does_not_touch_them(tmp_path):
    source = osm_xml(tmp_path / "x.osm")
    everything, _ = read(source)
    near = everything.edges[everything.edges["way"] == "20"].total_bounds
    roads, found = read(source, bounds=tuple(near))
    assert set(roads.edges["way"]) == {"100", "20", "300", "301"}
    assert codes(found)["vias_fuera"] == 2
    with pytest.raises(DataError, match="x.osm: ninguna vía toca la región"):
        read(source, bounds=(0, 0, 1, 1))


def tags(**given_tags):
    table, found = read_tags(pd.DataFrame([{"way": "1", "highway": "tertiary", **given_tags}]), "prueba")
    return (table.iloc[0] if len(table) else None), codes(found)


@pytest.mark.parametrize(("highway", "road_class"), [
    ("motorway_link", "motorway"), ("trunk_link", "trunk"), ("tertiary_link", "tertiary"), ("living_street", "residential"),
    ("road", "road"), ("service", "service"), ("corridor", "path"),
    ("footway", "path"), ("pedestrian", "path"), ("steps", "path"), ("cycleway", "path"),
    ("bridleway", "path"), ("residential;service", "service"), ("Track", "track")])
def test_classes(highway, road_class):
    row, found = tags(highway=highway)
    assert row["road_class"] == road_class
    assert row["drive"] == (road_class != "path")
    assert row["walk"] == (road_class != "motorway")
    assert found == {}


@pytest.mark.parametrize(("highway", "code"), [
    ("construction", "no_es_camino"), ("proposed", "no_es_camino"), ("abandoned", "no_es_camino"), ("platform", "no_es_camino"),
    ("raceway", "no_es_camino"), ("bus_guideway", "no_es_camino"), ("camino", "camino"), ("camion", "clase_desconocida"),
    (None, "clase_desconocida")])
def test_what_is_no_road_is_left_out_and_counted(highway, code):
    row, found = tags(highway=highway)
    if code == "camino":  # a class of the RNC, as `to_networkx` writes it
        assert row["road_class"] == "camino"
    else:
        assert row is None
        assert found == {code: 1}


@pytest.mark.parametrize(("given_tags", "answer"), [
    ({"surface": "asphalt"}, "asphalt"), ({"surface": "paved"}, "paved"), ({"surface": "concrete:lanes"}, "paved"),
    ({"surface": "cobblestone"}, "paved"), ({"surface": "fine_gravel"}, "compacted"), ({"surface": "gravel"}, "unpaved"),
    ({"surface": "Dirt"}, "unpaved"), ({"surface": "asphalt;ground"}, "unpaved"), ({"surface": "ciment"}, None),
    ({"highway": "track"}, None), ({"surface": ""}, None)])
def test_surfaces(given_tags, answer):
    row, found = tags(**given_tags)
    assert row["surface"] == answer if answer else pd.isna(row["surface"])
    assert found == ({"etiqueta_desconocida": 1} if given_tags.get("surface") == "ciment" else {})


@pytest.mark.parametrize(("text", "kmh"), [
    ("50", 50), ("50 km/h", 50), ("50kmh", 50), ("50 mph", 80.4672), ("30mph", 48.28032), ("50;60", 50), ("60|50", 50), ("none", None),
    ("walk", None), ("RU:urban", None), ("MX:rural", None), ("signals", None), ("0", None), ("4000", None), ("fast", None), ("-30", None),
    ("10 knots", 18.52), ("", None), ("12,5", 12.5)])
def test_speeds(text, kmh):
    assert posted_kmh(text) == pytest.approx(kmh if kmh else np.nan, nan_ok=True)


def test_speeds_that_are_a_rule_are_no_fault_and_the_others_are():
    assert tags(maxspeed="MX:urban")[1] == tags(maxspeed="none")[1] == {}
    assert tags(maxspeed="rápido")[1] == tags(maxspeed="900")[1] == {"etiqueta_desconocida": 1}


@pytest.mark.parametrize(("text", "answer"), [
    ("20", 20), ("00:20", 20), ("1:30", 90), ("01:30:30", 90.5), ("PT1H", 60), ("PT20M", 20), ("P1DT2H", 1560), ("pt1h5m", 65), ("", None),
    ("two hours", None), ("0", None), ("PT", None), ("1:2:3:4", None)])
def test_durations(text, answer):
    assert minutes(text) == pytest.approx(answer if answer else np.nan, nan_ok=True)


def test_only_ferries_have_a_crossing_and_a_strange_one_is_told():
    assert pd.isna(tags(duration="20")[0]["crossing_min"])
    row, found = tags(highway=None, route="ferry", duration="medio día")
    assert pd.isna(row["crossing_min"])
    assert row["road_class"] == "ferry"
    assert found == {"etiqueta_desconocida": 1}


@pytest.mark.parametrize(("given_tags", "senses"), [
    ({}, (True, True)), ({"oneway": "yes"}, (True, False)), ({"oneway": "1"}, (True, False)), ({"oneway": "-1"}, (False, True)),
    ({"oneway": "reverse"}, (False, True)), ({"oneway": "reversible"}, (True, True)), ({"highway": "motorway"}, (True, False)),
    ({"highway": "motorway_link"}, (True, False)), ({"highway": "motorway", "oneway": "no"}, (True, True)),
    ({"junction": "roundabout"}, (True, False)), ({"junction": "roundabout", "oneway": "-1"}, (False, True)),
    ({"highway": "path", "oneway": "yes"}, (True, True)), ({"oneway": "quizás"}, (True, True))])
def test_senses(given_tags, senses):
    row, found = tags(**given_tags)
    assert (row["forward"], row["backward"]) == senses
    assert found == ({"etiqueta_desconocida": 1} if given_tags.get("oneway") == "quizás" else {})


@pytest.mark.parametrize(("given_tags", "drive", "walk"), [
    ({}, True, True), ({"access": "private"}, False, False), ({"access": "no", "foot": "yes"}, False, True),
    ({"access": "no", "motor_vehicle": "yes"}, True, False), ({"motor_vehicle": "no"}, False, True),
    ({"motor_vehicle": "no", "motorcar": "yes"}, True, True), ({"vehicle": "no", "motor_vehicle": "destination"}, True, True),
    ({"vehicle": "no"}, False, True), ({"foot": "no"}, True, False), ({"highway": "motorway"}, True, False),
    ({"motorroad": "yes"}, True, False), ({"access": "permissive"}, True, True),
    ({"highway": "path"}, False, True), ({"highway": "path", "motor_vehicle": "designated"}, True, True),
    ({"highway": "footway", "vehicle": "yes"}, False, True), ({"smoothness": "impassable"}, False, True)])
def test_who_may_pass(given_tags, drive, walk):
    row, _ = tags(**given_tags)
    if not drive and not walk:
        assert row is None
        assert tags(**given_tags)[1] == {"via_cerrada": 1}
    else:
        assert (row["drive"], row["walk"]) == (drive, walk)


@pytest.mark.parametrize(("given_tags", "board"), [
    ({}, True), ({"highway": "motorway"}, False), ({"motorroad": "yes"}, False), ({"bridge": "viaduct"}, False), ({"bridge": "no"}, True),
    ({"tunnel": "yes"}, False), ({"highway": "trunk", "toll": "yes"}, False), ({"toll": "yes"}, True), ({"highway": "trunk"}, True),
    ({"route": "ferry"}, False)])
def test_where_one_gets_on(given_tags, board):
    assert tags(**given_tags)[0]["board"] == board


@pytest.mark.parametrize(("text", "answer"), [
    ("excellent", "good"), ("intermediate", "good"), ("very_horrible", "very_horrible"), ("awful", None)])
def test_smoothness(text, answer):
    row, _ = tags(smoothness=text)
    assert row["smoothness"] == answer if answer else pd.isna(row["smoothness"])


def same_roads(read_back, roads):
    """Equal but for the order of the edges of one way."""
    assert_frame_equal(read_back.nodes, roads.nodes)
    order = ["way", "u", "v", "length_m"]
    a, b = (r.edges.sort_values(order, ignore_index=True) for r in (read_back, roads))
    assert_frame_equal(a, b)


def test_the_graph_goes_to_graphml_and_comes_back(tmp_path, teziutlan):
    roads, _ = teziutlan
    graph = to_networkx(roads)
    assert graph.number_of_nodes() == 5882
    assert sum(d["length"] for *_, d in graph.edges(data=True) if not d["reversed"]) == pytest.approx(roads.edges["length_m"].sum())
    osmnx.save_graphml(graph, tmp_path / "x.graphml")
    read_back, _ = read(tmp_path / "x.graphml")
    same_roads(read_back, roads)


def test_a_small_graph_keeps_every_attribute(tmp_path):
    ways = {**WAYS, 400: ([6, 7], {"highway": "track", "oneway": "-1", "foot": "no", "smoothness": "bad", "toll": "yes"}),
            401: ([6, 5, 6], {"highway": "service", "tunnel": "yes", "maxspeed": "30 mph"}),
            402: ([1, 7], {"highway": "motorway", "oneway": "-1"})}
    roads, _ = read(osm_xml(tmp_path / "x.osm", ways))
    osmnx.save_graphml(to_networkx(roads), tmp_path / "x.graphml")
    same_roads(read(tmp_path / "x.graphml")[0], roads)


def test_osmnx_works_with_the_graph(comoros):
    roads, _ = comoros
    graph = to_networkx(roads)
    nodes, edges = osmnx.convert.graph_to_gdfs(graph)
    assert (len(nodes), nodes.crs) == (len(roads.nodes), roads.nodes.crs)
    assert edges.crs == roads.edges.crs
    stats = osmnx.stats.basic_stats(graph)
    assert stats["street_segment_count"] == len(roads.edges)
    assert stats["street_length_total"] == pytest.approx(roads.edges["length_m"].sum())
    timed = osmnx.routing.add_edge_travel_times(osmnx.routing.add_edge_speeds(graph))
    posted = [d for *_, d in timed.edges(data=True) if "maxspeed" in d]
    assert posted
    assert all(d["speed_kph"] == pytest.approx(float(d["maxspeed"])) for d in posted)
    for u, v, d in graph.edges(data=True):
        ends = shapely.get_coordinates(d["geometry"])[[0, -1]]
        assert np.array_equal(ends, [[graph.nodes[n]["x"], graph.nodes[n]["y"]] for n in (u, v)])


def osmnx_graph():
    """As osmnx downloads it: one node for each vertex, one edge for each piece and sense, tags as lists where it merges."""
    graph = nx.MultiDiGraph(crs="epsg:4326")
    for n in NODES:
        graph.add_node(n, x=degrees(n)[0], y=degrees(n)[1])
    for way, (refs, way_tags) in WAYS.items():
        if way not in (305, 304):
            single, known = way_tags.get("oneway") == "yes", {k: v for k, v in way_tags.items() if k != "oneway"}
            for a, b in pairwise(refs):
                graph.add_edge(a, b, osmid=way, oneway=single, reversed=False, length=1.0, **known)
                if not single:
                    graph.add_edge(b, a, osmid=way, oneway=False, reversed=True, length=1.0, **known)
    return graph


def test_download_reads_the_place_through_osmnx(monkeypatch, tmp_path):
    asked = {}

    def graph_from_place(place, **options):
        asked.update(options, place=place, tags=list(osmnx.settings.useful_tags_way))
        return osmnx_graph()

    monkeypatch.setattr(osmnx, "graph_from_place", graph_from_place)
    before = list(osmnx.settings.useful_tags_way), osmnx.settings.use_cache
    roads, _ = download_osm("Teziutlán, Puebla", CRS)
    assert asked["place"] == "Teziutlán, Puebla"
    assert {"surface", "tracktype", "smoothness", "ford", "motor_vehicle"} <= set(asked["tags"])
    assert asked["retain_all"]
    assert (list(osmnx.settings.useful_tags_way), osmnx.settings.use_cache) == before
    dry, _ = read(osm_xml(tmp_path / "x.osm"))
    same = [c for c in dry.edges.columns if c not in ("u", "v", "ford", "geometry")]
    order = ["way", "length_m"]
    ours, theirs = (pd.DataFrame(r.edges[same]).sort_values(order, ignore_index=True) for r in (roads, dry))
    assert_frame_equal(ours, theirs)
    assert set(roads.nodes["origin"]) == set(dry.nodes["origin"])


def test_download_without_network_is_one_sentence(monkeypatch):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]  # bound, and nobody listens
        monkeypatch.setattr(osmnx.settings, "nominatim_url", f"http://127.0.0.1:{port}/")
        with pytest.raises(DataError, match="No se pudieron descargar las vías de «Teziutlán»: no hay conexión"):
            download_osm("Teziutlán", CRS)


def test_download_of_an_unknown_place_is_one_sentence(monkeypatch):
    def unknown(place, **_):
        raise TypeError(f"Nominatim did not geocode query {place!r} to a geometry of type (Multi)Polygon.")

    monkeypatch.setattr(osmnx, "graph_from_place", unknown)
    with pytest.raises(DataError, match="no conoce el lugar o no tiene su límite"):
        download_osm("Atlántida", CRS)


BROKEN = {
    "nada.osm.pbf": (b"", "está dañado"), "html.osm.pbf": (b"<html>404</html>" * 40, "está dañado"),
    "corto.osm": (b'<osm version="0.6"><no', "está dañado"),
    "vacio.osm": (b"", "está dañado"), "otro.osm.gz": (b"no es gzip", "está dañado"), "pagina.osm": (b"<html></html>", "está dañado"),
    "sin.osm": (b'<osm version="0.6"><node id="1" lat="1" lon="1"/></osm>', "no trae ninguna vía"),
    "roto.geojson": (b'{"type": "FeatureCollection", "features": [', "está dañada"), "roto.gpkg": (b"SQLite format 3", "está dañada"),
    "roto.graphml": (b"<graphml>", "está dañado"), "otro.graphml": (b"<html></html>", "está dañado"),
    "vias.kmz": (b"x", "el formato no se lee"),
    "vacio.geojson": (b'{"type": "FeatureCollection", "features": []}', "no tiene ninguna vía"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_files_are_one_sentence(tmp_path, name):
    content, why = BROKEN[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=f"^{name}: .*{why}.*") as fault:
        read_osm(tmp_path / name, CRS)
    assert str(fault.value).endswith(".")


@official
def test_a_truncated_pbf_is_one_sentence(tmp_path):
    whole = (DATA / "comoros" / "raw" / "osm" / "comores-latest.osm.pbf").read_bytes()
    (tmp_path / "x.osm.pbf").write_bytes(whole[:len(whole) // 2])
    with pytest.raises(DataError, match="x.osm.pbf: está dañado, incompleto"):
        read_osm(tmp_path / "x.osm.pbf", "EPSG:32738")


def test_layers_that_are_not_of_ways_are_one_sentence(tmp_path):
    points = gpd.GeoDataFrame({"highway": ["crossing"]}, geometry=[shapely.Point(-97, 19)], crs=4326)
    points.to_file(tmp_path / "p.geojson")
    with pytest.raises(DataError, match="p.geojson: no es una capa de líneas .Point."):
        read_osm(tmp_path / "p.geojson", CRS)
    lines = gpd.GeoDataFrame({"kind": ["x"]}, geometry=[shapely.LineString([(-97, 19), (-97, 20)])], crs=4326)
    lines.to_file(tmp_path / "l.gpkg")
    with pytest.raises(DataError, match="l.gpkg: no trae la columna highway"):
        read_osm(tmp_path / "l.gpkg", CRS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        lines.assign(highway="track").set_crs(None, allow_override=True).to_file(tmp_path / "c.shp")
    with pytest.raises(DataError, match="c.shp: no dice su sistema de coordenadas"):
        read_osm(tmp_path / "c.shp", CRS)
    lines.assign(highway="construction").to_file(tmp_path / "d.gpkg")
    with pytest.raises(DataError, match="d.gpkg: no trae ninguna vía por la que se pase"):
        read_osm(tmp_path / "d.gpkg", CRS)
    with pytest.raises(DataError, match="No existe el archivo de vías"):
        read_osm(tmp_path / "falta.osm.pbf", CRS)
    lines.to_file(tmp_path / "two.gpkg", layer="a")
    lines.to_file(tmp_path / "two.gpkg", layer="b")
    with pytest.raises(DataError, match=r"two.gpkg: tiene 2 capas con geometría \(a, b\)"):
        read_osm(tmp_path / "two.gpkg", CRS)
    lines.assign(highway="track").to_file(tmp_path / "two.gpkg", layer="lines")
    assert len(read_osm(tmp_path / "two.gpkg", CRS)[0].edges) == 1


def test_a_graph_without_places_or_edges_is_one_sentence(tmp_path):
    for name, graph in {"a": nx.MultiDiGraph(crs="epsg:4326"), "b": nx.MultiDiGraph([(1, 2)], crs="epsg:4326")}.items():
        osmnx.save_graphml(graph, tmp_path / f"{name}.graphml")
        with pytest.raises(DataError, match=f"{name}.graphml: no es una red vial de osmnx"):
            read_osm(tmp_path / f"{name}.graphml", CRS)


@official
def test_roads_cut_out_of_a_country_are_those_that_the_whole_has_there(tmp_path):
    country, box = DATA / "comoros/raw/osm/comores-latest.osm.pbf", (43.2, -11.95, 43.5, -11.35)  # one island
    cut_osm(country, tmp_path / "isla.osm.pbf", *box)
    corners = gpd.GeoSeries.from_xy([box[0], box[2]], [box[1], box[3]], crs=4326).to_crs("EPSG:32738")
    bounds = tuple(corners.total_bounds)
    whole, told = read_osm(country, "EPSG:32738", bounds=bounds)
    part, told_again = read_osm(tmp_path / "isla.osm.pbf", "EPSG:32738", bounds=bounds)
    assert_frame_equal(part.edges, whole.edges)
    assert_frame_equal(part.nodes, whole.nodes)
    assert (tmp_path / "isla.osm.pbf").stat().st_size < country.stat().st_size / 3
    with pytest.raises(DataError, match="ninguna vía de la región"):
        cut_osm(country, tmp_path / "mar.osm.pbf", -98.0, 20.0, -97.0, 21.0)
    (tmp_path / "roto.osm.pbf").write_bytes(country.read_bytes()[:100_000])
    with pytest.raises(DataError, match="está dañado o incompleto"):
        cut_osm(tmp_path / "roto.osm.pbf", tmp_path / "x.osm.pbf", *box)
