"""The official sample of the RNC routes along its unions: every pair against a graph made here from the file as it comes."""

import math
from pathlib import Path

import geopandas as gpd
import networkx as nx
import numpy as np
import pandas as pd
import pytest

from planner.model import Grid, Roads
from planner.settings import Scenario
from planner.sources.rnc import read_rnc
from planner.travel import board
from planner.travel.ground import Ground
from planner.travel.join import Graph, join
from planner.travel.network import Anchors
from planner.travel.weigh import weigh

CRS = "EPSG:32613"
WALK = 0.01 / math.exp(-0.175)  # minutes per metre on a flat road at Tobler's 6 exp(-3.5 * 0.05) km/h
EARTH = "Sin pavimento"


@pytest.fixture(scope="module")
def sample(shared: Path) -> gpd.GeoDataFrame:
    return gpd.read_file(shared / "data/culiacan_rnc/culiacan_sinaloa_inegi_rnc_sample.geojson")


def spoilt(sample: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """A third without a published speed, and every tenth of one way or closed to vehicles."""
    number = np.arange(len(sample))
    senses = ["Un sentido", "Un sentido (contrario)", "Cerrada en ambos sentidos"]
    way = np.select([number % 10 == 1, number % 10 == 4, number % 50 == 7], senses, sample["CIRCULA"])
    return sample.assign(VELOCIDAD=sample["VELOCIDAD"].where(number % 3 > 0, "N/A"), CIRCULA=way)


def by_class(row: pd.Series) -> float:
    """km/h where none is published."""
    if row["TIPO_VIAL"] == "Carretera":
        return 80.0
    return 30.0 if row["TIPO_VIAL"] != "Camino" or row["COND_PAV"] == EARTH else 60.0


def independent(segments: gpd.GeoDataFrame, *, rain: bool = False) -> nx.DiGraph:
    """Minutes between unions by vehicle; against the sense of traffic one walks."""
    made = nx.DiGraph()
    for (_, row), metres in zip(segments.iterrows(), segments.to_crs(CRS).length, strict=True):
        kmh = float(row["VELOCIDAD"]) if row["VELOCIDAD"].isdigit() and float(row["VELOCIDAD"]) > 0 else by_class(row)
        drive = metres * 0.06 / (kmh * (0.5 if rain and row["COND_PAV"] == EARTH else 1.0))
        ends, sense = (row["UNION_INI"], row["UNION_FIN"]), row["CIRCULA"]
        for (one, other), against in ((ends, "Un sentido (contrario)"), (ends[::-1], "Un sentido")):
            minutes = metres * WALK if sense in (against, "Cerrada en ambos sentidos") else min(drive, metres * WALK)
            before = made.get_edge_data(one, other, {"minutes": math.inf})["minutes"]
            made.add_edge(one, other, minutes=min(minutes, before))
    return made


def laid(roads: Roads, scenario: Scenario, *, walkable: bool) -> tuple[Ground, Graph]:
    """On flat ground that all may cross, or nobody."""
    west, south, east, north = (round(v, -2) for v in roads.edges.total_bounds)
    shape = int(north - south) // 100 + 2, int(east - west) // 100 + 2
    nothing = np.zeros(shape, np.float32)
    grid = Grid((100.0, 0.0, west - 100, 0.0, -100.0, north + 100), CRS, nothing, nothing, np.full(shape, walkable, np.float32))
    graph = join(grid, roads)
    return Ground(graph, roads, None, scenario, weigh(graph, roads, scenario, "vehiculo")), graph


def table(on: Ground, graph: Graph, roads: Roads, *, towards: bool = True) -> pd.DataFrame:
    """Minutes from each union (rows) to each other."""
    number = np.empty(len(roads.nodes), np.int64)
    for ends, stop in (("u", graph.start_m == 0), ("v", graph.end_m >= roads.edges.geometry.length.to_numpy()[graph.edge])):
        at = graph.tail if ends == "u" else graph.head
        number[roads.edges[ends].to_numpy()[graph.edge[stop]]] = at[stop]
    at = Anchors.at(number)
    target, source, minutes = board.reach(on.board(towards), at, at, bound_min=1e4)
    out = np.full((len(number), len(number)), np.inf)
    out[(target, source) if towards else (source, target)] = minutes
    unions = roads.nodes["origin"]
    return pd.DataFrame(out, unions, unions).sort_index().sort_index(axis=1)


@pytest.mark.parametrize("change", ["none", "without speeds, of one way, closed", "in the rains"])
@pytest.mark.parametrize("towards", [True, False])
def test_every_pair_of_unions_costs_what_networkx_finds(change, towards, sample, tmp_path):
    rain = change == "in the rains"
    segments = sample if change == "none" or rain else spoilt(sample)
    segments.to_file(tmp_path / "rnc.gpkg")
    roads, _ = read_rnc(tmp_path / "rnc.gpkg", CRS)
    made = independent(segments, rain=rain)
    on, graph = laid(roads, Scenario(season="lluvias" if rain else "secas"), walkable=False)
    found = table(on, graph, roads, towards=towards)
    unions = found.index
    assert set(unions) == set(made)
    reached = dict(nx.all_pairs_dijkstra_path_length(made, weight="minutes"))
    expected = pd.DataFrame([[reached[a].get(b, np.inf) for b in unions] for a in unions], unions, unions)
    assert (np.isfinite(expected).sum(axis=None)) > 10_000
    np.testing.assert_array_equal(np.isfinite(found), np.isfinite(expected))
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-9)


def test_open_ground_only_adds_ways(shared):
    """Who may walk off the road cuts corners, and is never later."""
    roads, _ = read_rnc(shared / "data/culiacan_rnc/culiacan_sinaloa_inegi_rnc_sample.geojson", CRS)
    alone, together = (table(*laid(roads, Scenario(), walkable=walkable), roads) for walkable in (False, True))
    assert np.isfinite(alone).all(axis=None)  # the sample is in one part
    assert (together <= alone + 1e-9).all(axis=None)
    assert (together < alone - 0.1).any(axis=None)
