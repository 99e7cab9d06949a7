"""INEGI's road network: the official sample against networkx, then each field's values, and broken layers."""

import warnings
from collections import Counter
from pathlib import Path

import geopandas as gpd
import networkx as nx
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal
from shapely.geometry import LineString, MultiLineString, Point

from planner import columns, schema
from planner.errors import DataError
from planner.sources.rnc import read_rnc

CRS = "EPSG:32613"
SAMPLE = Path(__file__).parents[3] / "shared" / "data" / "culiacan_rnc" / "culiacan_sinaloa_inegi_rnc_sample.geojson"
official = pytest.mark.skipif(not SAMPLE.is_file(), reason="sin ../shared/data")
CARRETERA = {
    "TIPO_VIAL": "Carretera", "NOMBRE": "Culiacán - Los Mochis", "CODIGO": "15", "COND_PAV": "Con pavimento", "RECUBRI": "Asfalto",
    "ESTATUS": "Habilitado", "CONDICION": "En operación", "NIVEL": 0.0, "PEAJE": "No", "CIRCULA": "Dos sentidos", "VELOCIDAD": "70"}


def read(path, **options):
    roads, found = read_rnc(path, CRS, **options)
    columns.check(schema.ROADS, roads.edges, "tramos")
    columns.check(schema.ROAD_NODES, roads.nodes, "nodos")
    return roads, {f.code: f for f in found}


def write(path, segments, crs=CRS, **to_file):
    """Segments as (id, union at the start, union at the end, line or its two ends, changes to a paved road)."""
    rows = [{"ID_RED": i, **CARRETERA, "UNION_INI": a, "UNION_FIN": b, **changes} for i, a, b, _, changes in segments]
    lines = [LineString(line) if isinstance(line, list) else line for *_, line, _ in segments]
    gpd.GeoDataFrame(rows, geometry=lines, crs=CRS).to_crs(crs).to_file(path, **to_file)
    return path


def one(tmp_path, **changes):
    roads, found = read(write(tmp_path / "x.gpkg", [("1", "10", "11", [(0, 0), (100, 0)], changes)]))
    return roads.edges.iloc[0], found


def ends(roads):
    origin = roads.nodes["origin"]
    return list(zip(roads.edges["way"], origin[roads.edges["u"]], origin[roads.edges["v"]], strict=True))


@pytest.fixture(scope="module")
def sample():
    if not SAMPLE.is_file():
        pytest.skip("sin ../shared/data")
    return read(SAMPLE), gpd.read_file(SAMPLE).to_crs(CRS)


def test_the_sample_has_the_topology_of_its_unions(sample):
    (roads, found), raw = sample
    assert len(roads.edges) == len(raw) == 375
    published = nx.MultiGraph()
    for row in raw.itertuples():
        published.add_edge(row.UNION_INI, row.UNION_FIN, key=row.ID_RED)
    given_ends = raw[["ID_RED", "UNION_INI", "UNION_FIN"]].itertuples(index=False, name=None)
    assert Counter(ends(roads)) == Counter(given_ends)
    degree = pd.Series(np.bincount(roads.edges[["u", "v"]].to_numpy().ravel()), index=roads.nodes["origin"])
    assert degree.to_dict() == dict(published.degree())
    assert roads.nodes["component"].nunique() == nx.number_connected_components(published)
    assert "union_lejana" not in found
    assert "union_ausente" not in found


def test_the_sample_routes_as_networkx_does_along_its_unions(sample):
    (roads, _), raw = sample
    published, ours = nx.Graph(), nx.Graph()
    for row in raw.itertuples():
        metres = row.geometry.length
        if not published.has_edge(row.UNION_INI, row.UNION_FIN) or metres < published[row.UNION_INI][row.UNION_FIN]["weight"]:
            published.add_edge(row.UNION_INI, row.UNION_FIN, weight=metres)
    for (_, a, b), metres in zip(ends(roads), roads.edges["length_m"], strict=True):
        if not ours.has_edge(a, b) or metres < ours[a][b]["weight"]:
            ours.add_edge(a, b, weight=metres)
    for start in sorted(published)[::40]:
        expected = nx.single_source_dijkstra_path_length(published, start)
        assert nx.single_source_dijkstra_path_length(ours, start) == pytest.approx(expected, rel=1e-12)


@official
def test_lengths_are_the_published_ones_in_the_publishers_projection():
    roads, _ = read_rnc(SAMPLE, "EPSG:6372")
    published = gpd.read_file(SAMPLE).set_index("ID_RED")["LONGITUD"]
    assert roads.edges["length_m"].to_numpy() == pytest.approx(published[roads.edges["way"]].to_numpy(), abs=1e-3)


def test_the_sample_says_nothing_where_it_says_nothing(sample):
    (roads, found), raw = sample
    by_way = roads.edges.set_index("way").loc[raw["ID_RED"]]
    unsaid = (raw["COND_PAV"] == "N/A").to_numpy()
    assert by_way.loc[unsaid, "surface"].isna().all()
    assert by_way.loc[~unsaid, "surface"].notna().all()
    assert by_way["surface"].value_counts().to_dict() == {"unpaved": 75, "asphalt": 45}
    assert by_way["posted_kmh"].tolist() == raw["VELOCIDAD"].astype(float).tolist()
    assert by_way["road_class"].value_counts().to_dict() == {"calle": 255, "camino": 75, "carretera": 45}
    assert by_way["toll"].tolist() == (raw["PEAJE"] == "Si").tolist()
    assert by_way["board"].tolist() == (raw["PEAJE"] != "Si").tolist()
    assert (by_way["forward"] & ~by_way["backward"]).tolist() == (raw["CIRCULA"] == "Un sentido").tolist()
    assert by_way["name"].isna().sum() == ((raw["NOMBRE"] == "N/D") & raw["CODIGO"].isin(["N/A", "N/D"])).sum()
    assert "sin_velocidad" not in found


def test_segments_join_by_union_and_by_nothing_else(tmp_path):
    roads, found = read(write(tmp_path / "x.gpkg", [
        ("1", "10", "11", [(0, 0), (100, 0)], {}), ("2", "11", "12", [(100, 0), (200, 0)], {}),
        ("3", "20", "21", [(100, -50), (100, 0), (100, 50)], {"NIVEL": 1.0}),  # passes over the union
        ("4", "22", "23", [(100, 0), (100, 90)], {})]))  # ends where the union is, under another id
    assert ends(roads) == [("1", "10", "11"), ("2", "11", "12"), ("3", "20", "21"), ("4", "22", "23")]
    assert sorted(roads.nodes["component"]) == [0, 0, 0, 1, 1, 2, 2]
    assert roads.edges["bridge"].tolist() == [False, False, True, False]
    assert roads.edges["board"].tolist() == [True, True, False, True]
    assert found["red_en_partes"].count == 2


def test_ends_within_a_metre_are_one_node_and_distant_ones_are_not(tmp_path):
    roads, found = read(write(tmp_path / "x.gpkg", [
        ("1", "10", "11", [(0, 0), (100, 0)], {}), ("2", "11", "12", [(100.6, 0), (200, 0)], {}),
        ("3", "11", "13", [(5000, 0), (5000, 100)], {}), ("4", "14", "11", [(5000, -70), (5000, 0)], {})]))
    assert len(roads.nodes) == 6
    assert roads.nodes["origin"].tolist().count("11") == 2
    assert roads.nodes["component"].nunique() == 2
    u, v = roads.edges["u"].tolist(), roads.edges["v"].tolist()
    assert v[0] == u[1] != u[2] == v[3]
    assert roads.edges.geometry.iloc[1].coords[0] == roads.nodes.geometry[u[1]].coords[0]  # lines start at their nodes
    assert found["union_lejana"].examples == ("11",)


def test_missing_unions_stand_alone_and_are_told(tmp_path):
    roads, found = read(write(tmp_path / "x.gpkg", [
        ("1", "10", None, [(0, 0), (100, 0)], {}), ("2", "N/A", "12", [(100, 0), (200, 0)], {})]))
    assert len(roads.nodes) == 4
    assert roads.nodes["origin"].isna().sum() == 2
    assert found["union_ausente"].examples == ("1", "2")


def test_unions_as_numbers_are_the_same_as_text(tmp_path):
    roads, _ = read(write(tmp_path / "x.gpkg", [
        ("1", 10.0, 11.0, [(0, 0), (100, 0)], {}), ("2", 11.0, np.nan, [(100, 0), (200, 0)], {})]))
    assert ends(roads)[0] == ("1", "10", "11")
    assert roads.edges["v"].iloc[0] == roads.edges["u"].iloc[1]


def test_parts_that_follow_one_another_are_one_segment_and_others_are_split(tmp_path):
    joined = MultiLineString([[(50, 0), (100, 0)], [(0, 0), (50, 0)]])  # the second part comes first
    apart = MultiLineString([[(100, 0), (150, 0)], [(160, 0), (200, 0)]])
    roads, found = read(write(tmp_path / "x.gpkg", [("1", "10", "11", joined, {}), ("2", "11", "12", apart, {}),
                                                    ("3", "12", "13", MultiLineString([[(200, 0), (300, 0)]]), {})]))
    assert ends(roads)[0] == ("1", "10", "11")
    assert roads.edges["way"].tolist() == ["1", "2", "2", "3"]
    assert roads.edges["length_m"].tolist() == [100, 50, 40, 100]
    assert roads.edges["v"].iloc[0] == roads.edges["u"].iloc[1]
    assert roads.edges["v"].iloc[1] != roads.edges["u"].iloc[2]
    assert roads.edges["v"].iloc[2] == roads.edges["u"].iloc[3]
    assert found["tramo_partido"].examples == ("2",)
    assert found["tramo_partido"].count == 1


def test_a_segment_without_length_does_not_cut_the_road_and_a_ring_is_one(tmp_path):
    roads, found = read(write(tmp_path / "x.gpkg", [
        ("1", "10", "11", [(0, 0), (100, 0)], {}), ("2", "11", "12", [(100, 0), (100, 0)], {}), ("3", "12", "13", [(100, 0), (200, 0)], {}),
        ("4", "13", "13", [(200, 0), (210, 5), (210, -5), (200, 0)], {})]))
    assert ends(roads) == [("1", "10", "11"), ("3", "11", "13"), ("4", "13", "13")]
    assert found["vias_sin_longitud"].examples == ("2",)
    assert found["tramos_de_longitud_cero"].count == 1


@pytest.mark.parametrize(("kind", "road_class"), [
    ("Carretera", "carretera"), ("AUTOPISTA", "carretera"), ("Enlace", "carretera"), ("Rampa de frenado", "carretera"),
    ("Camino", "camino"), ("Vereda", "vereda"), ("Andador", "vereda"), ("Peatonal", "vereda"), ("Callejón", "calle"), ("CALLEJON", "calle"),
    ("Avenida", "calle"),
    ("Boulevard", "calle"), ("Glorieta", "calle"), ("Retorno U", "calle"), ("Prolongación", "calle"), ("Privada", "calle")])
def test_kinds(tmp_path, kind, road_class):
    row, found = one(tmp_path, TIPO_VIAL=kind)
    assert row["road_class"] == road_class
    assert row["drive"] == (road_class != "vereda")
    assert row["walk"]
    assert found == {}


def test_an_unknown_or_missing_kind_is_the_slowest_and_is_told(tmp_path):
    row, found = one(tmp_path, TIPO_VIAL="Teleférico")
    assert row["road_class"] == "calle"
    assert found["valor_desconocido"].severity == "aviso"
    assert "TIPO_VIAL" in found["valor_desconocido"].what
    assert "Teleférico" in found["valor_desconocido"].what
    row, found = one(tmp_path, TIPO_VIAL="N/D")
    assert row["road_class"] == "calle"
    assert set(found) == {"tipo_ausente"}


@pytest.mark.parametrize(("pavement", "cover", "surface"), [
    ("Con pavimento", "Asfalto", "asphalt"), ("Con pavimento", "Concreto", "paved"), ("con pavimento", "N/A", "paved"),
    ("Con pavimento", "Tierra", "paved"), ("Sin pavimento", "Tierra", "unpaved"), ("SIN PAVIMENTO", "N/D", "unpaved"),
    ("Sin pavimento", "Asfalto", "unpaved"), ("N/A", "N/A", None), ("N/D", None, None), (None, "n/a", None), ("N/A", "Asfalto", "asphalt"),
    ("N/A", "Tierra", "unpaved")])
def test_surfaces(tmp_path, pavement, cover, surface):
    row, found = one(tmp_path, COND_PAV=pavement, RECUBRI=cover)
    assert row["surface"] == surface if surface else pd.isna(row["surface"])
    assert found == {}


@pytest.mark.parametrize(("text", "kmh", "odd"), [
    ("70", 70, False), ("30.0", 30, False), ("N/A", None, False), ("N/D", None, False), (None, None, False), ("0", None, False),
    ("900", None, True), ("-5", None, True), ("lento", None, True)])
def test_speeds(tmp_path, text, kmh, odd):
    row, found = one(tmp_path, VELOCIDAD=text)
    assert row["posted_kmh"] == kmh if kmh else pd.isna(row["posted_kmh"])
    assert ("valor_desconocido" in found) == odd
    assert ("sin_velocidad" in found) == (kmh is None)


def test_speeds_as_numbers(tmp_path):
    row, found = one(tmp_path, VELOCIDAD=70.0, NIVEL=-1, PEAJE="Sí")
    assert row["posted_kmh"] == 70
    assert (row["bridge"], row["board"], row["toll"]) == (False, False, True)
    assert found == {}


@pytest.mark.parametrize(("text", "senses", "drive", "odd"), [
    ("Dos sentidos", (True, True), True, False), ("UN SENTIDO", (True, False), True, False),
    ("Sentido contrario", (False, True), True, False),
    ("Cerrada en dirección positiva", (False, True), True, False), ("Cerrada en dirección negativa", (True, False), True, False),
    ("Cerrada en ambos sentidos", (True, True), False, False), ("N/A", (True, True), True, False), (None, (True, True), True, False),
    ("Tres sentidos", (True, True), True, True)])
def test_senses(tmp_path, text, senses, drive, odd):
    row, found = one(tmp_path, CIRCULA=text)
    assert (row["forward"], row["backward"], row["drive"]) == (*senses, drive)
    assert row["walk"]
    assert ("valor_desconocido" in found) == odd


def test_a_path_is_open_both_ways_on_foot(tmp_path):
    row, _ = one(tmp_path, TIPO_VIAL="Vereda", CIRCULA="Un sentido", VELOCIDAD="N/A")
    assert (row["forward"], row["backward"], row["drive"], row["walk"]) == (True, True, False, True)


def test_what_is_not_in_service_is_dropped_and_told(tmp_path):
    line = [(0, 0), (100, 0)]
    segments = [("1", "10", "11", line, {}), ("2", "10", "11", line, {"CONDICION": "En construcción"}),
                ("3", "10", "11", line, {"ESTATUS": "Deshabilitado"}),
                ("4", "10", "11", line, {"CONDICION": "EN OPERACION", "ESTATUS": "N/A"}),
                ("5", "10", "11", line, {"CONDICION": None, "ESTATUS": None})]
    roads, found = read(write(tmp_path / "x.gpkg", segments))
    assert roads.edges["way"].tolist() == ["1", "4", "5"]
    assert found["fuera_de_servicio"].count == 2
    assert "(Deshabilitado, En construcción)" in found["fuera_de_servicio"].what
    with pytest.raises(DataError, match="ningún tramo está habilitado y en operación"):
        read(write(tmp_path / "y.gpkg", segments[1:3]))


@pytest.mark.parametrize("suffix", ["gpkg", "shp", "geojson"])
def test_every_format_and_crs_gives_the_same_roads(tmp_path, suffix):
    segments = [("1", "10", "11", [(245000, 2758000), (245100, 2758000)], {}),
                ("2", "11", "12", [(245100, 2758000), (245150, 2758050), (245200, 2758000)], {"PEAJE": "Si"})]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # shapefiles write names in latin-1 and say so
        source = write(tmp_path / f"x.{suffix}", segments, crs=4326)
    roads, _ = read(source)
    assert ends(roads) == [("1", "10", "11"), ("2", "11", "12")]
    assert roads.edges["length_m"].tolist() == pytest.approx([100, 2 * np.hypot(50, 50)], abs=0.02)
    assert roads.edges["name"].tolist() == ["Culiacán - Los Mochis"] * 2


def test_the_layer_red_vial_is_found_among_others_and_names_in_lower_case(tmp_path):
    write(tmp_path / "x.gpkg", [("1", "10", "11", [(0, 0), (100, 0)], {})], layer="Red_Vial")
    gpd.GeoDataFrame({"ID_UNION": ["10"]}, geometry=[Point(0, 0)], crs=CRS).to_file(tmp_path / "x.gpkg", layer="union")
    assert len(read(tmp_path / "x.gpkg")[0].edges) == 1
    frame = gpd.read_file(tmp_path / "x.gpkg", layer="Red_Vial")
    frame.rename(columns={c: c.lower() for c in frame.columns}).to_file(tmp_path / "y.gpkg")
    assert ends(read(tmp_path / "y.gpkg")[0]) == [("1", "10", "11")]


def test_bounds_leave_out_what_does_not_touch_them(tmp_path):
    source = write(tmp_path / "x.gpkg", [("1", "10", "11", [(0, 0), (100, 0)], {}), ("2", "11", "12", [(100, 0), (200, 0)], {})])
    roads, found = read(source, bounds=(150, -10, 160, 10))
    assert roads.edges["way"].tolist() == ["2"]
    assert found["vias_fuera"].count == 1


def test_layers_that_are_not_the_network_are_one_sentence(tmp_path):
    (tmp_path / "x.gpkg").write_bytes(b"nada")
    with pytest.raises(DataError, match="x.gpkg: la capa está dañada"):
        read(tmp_path / "x.gpkg")
    gpd.GeoDataFrame({"highway": ["track"]}, geometry=[LineString([(0, 0), (1, 0)])], crs=CRS).to_file(tmp_path / "osm.gpkg")
    with pytest.raises(DataError, match="osm.gpkg: no es la capa Red Vial de la RNC, le falta ID_RED, TIPO_VIAL, UNION_INI, UNION_FIN"):
        read(tmp_path / "osm.gpkg")
    with pytest.raises(DataError, match="No existe el archivo de vías"):
        read(tmp_path / "falta.gpkg")


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=9), st.randoms())
@settings(deadline=None, max_examples=12)
def test_the_order_of_the_segments_changes_nothing(tmp_path_factory, unions, random):
    folder = tmp_path_factory.mktemp("rnc")
    segments = [(str(i), str(a), str(b), [(100 * a, 0), (50 * (a + b), 10 + i), (100 * b, 0)], {"VELOCIDAD": str(20 + i)})
                for i, (a, b) in enumerate(unions)]
    expected, told = read(write(folder / "a.gpkg", segments))
    random.shuffle(segments)
    roads, found = read(write(folder / "b.gpkg", segments))
    assert_frame_equal(roads.edges, expected.edges)
    assert_frame_equal(roads.nodes, expected.nodes)
    assert {c: (f.count, f.examples) for c, f in found.items()} == {c: (f.count, f.examples) for c, f in told.items()}
