"""A prepared region comes back as it was, equal in bytes each time, or not at all."""

import json
import os
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import valley
from geopandas.testing import assert_geodataframe_equal
from numpy.testing import assert_array_equal
from shapely.geometry import LineString

from planner import columns, schema
from planner.errors import StorageError
from planner.model import Finding, InputFile, Region, Roads
from planner.region import prepare_region
from planner.sources.rasters import LAYERS, OPTIONAL_LAYERS
from planner.store import read_region, write_region

ROOT_REGION = "regions/hidalgo.toml"


def roads() -> Roads:
    """Two nodes and one road, in the columns of the schema."""
    nodes = gpd.GeoDataFrame({"origin": pd.Series(["1", None], dtype="str"), "component": [0, 0]}, geometry=gpd.points_from_xy(
        [500_000, 501_000], [2_205_000, 2_205_000]), index=pd.RangeIndex(2, name="node"), crs=valley.CRS)
    edge = {"way": "7", "u": 0, "v": 1, "name": None, "road_class": "primary", "surface": "asphalt", "tracktype": np.nan,
            "smoothness": None, "posted_kmh": np.nan, "crossing_min": np.nan, "length_m": 1000.0, "forward": True, "backward": False,
            "drive": True, "walk": True, "board": True, "bridge": False, "ford": False, "ferry": False, "toll": False}
    line = LineString(nodes.geometry)
    return Roads(nodes, gpd.GeoDataFrame([edge], geometry=[line], index=pd.Index([0], name="edge"), crs=valley.CRS).astype(
        {"name": "str", "smoothness": "str"}))


def full() -> Region:
    """A region with everything that may be absent."""
    grid = valley.grid()
    height = np.arange(60, dtype=np.float32).reshape(6, 10)
    height[0, 0] = np.nan
    layers = replace(grid, elevation_m=height, blocked=np.arange(60, dtype=np.uint16).reshape(6, 10) * 1000, people=height * 2)
    rooms = pd.DataFrame({"rooms": [2, None], "physicians": [1, 0], "nurses": [None, None]}, pd.Index(
        ["MDIMB000011", "MDIMB000022"], name="clues"), dtype="Int64")
    served = pd.DataFrame({"clues": ["MDIMB000011"] * 2, "year": [2023, 2024], "people": [9.0, 10.5], "target": [20.0, np.nan]})
    columns.check(schema.COMMUNITY, valley.community(), "prueba")
    columns.check(schema.SERVED, served, "prueba")
    return replace(region(), grid=layers, roads=roads(), resources=rooms, community=valley.community(), served=served)


def region() -> Region:
    findings = (Finding("x", "aviso", "qué pasa", "dónde", 2, ("á", "b"), "remedio"),)
    stops = pd.DataFrame({"clues": ["MDIMB000033"], "cvegeo": ["990020001"], "visits_month": [2.0]})
    inputs = (InputFile("localities.iter", "iter.csv", "0" * 64, 10, "2020"),)
    return replace(valley.region(), findings=findings, inputs=inputs, circuits=stops)


def assert_equal(one: Region, other: Region) -> None:
    for name in ("name", "slug", "entity", "crs", "synthetic", "findings", "inputs"):
        assert getattr(one, name) == getattr(other, name)
    for name in ("localities", "units", "municipalities"):
        assert_geodataframe_equal(getattr(one, name), getattr(other, name))
    for name in ("responsibility", "circuits", "resources", "community", "served"):
        if getattr(one, name) is None:
            assert getattr(other, name) is None
        else:
            pd.testing.assert_frame_equal(getattr(one, name), getattr(other, name))
    assert one.grid.transform == other.grid.transform
    for layer in (*LAYERS, *OPTIONAL_LAYERS):
        assert_array_equal(getattr(one.grid, layer), getattr(other.grid, layer))
    assert (one.roads is None) == (other.roads is None)
    if one.roads is not None and other.roads is not None:
        assert_geodataframe_equal(one.roads.nodes, other.roads.nodes)
        assert_geodataframe_equal(one.roads.edges, other.roads.edges)


def contents(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_a_region_comes_back_as_it_was(tmp_path):
    write_region(region(), tmp_path / "valle")
    assert_equal(region(), read_region(tmp_path / "valle"))
    without = replace(region(), responsibility=None, circuits=None)
    write_region(without, tmp_path / "valle")  # replaces, and leaves nothing of the former one
    assert_equal(without, read_region(tmp_path / "valle"))
    assert not (tmp_path / "valle/circuits.parquet").exists()
    assert [p.name for p in tmp_path.iterdir()] == ["valle"]


def test_roads_and_every_layer_come_back_and_leave_no_trace_when_absent(tmp_path):
    columns.check(schema.ROADS, roads().edges, "prueba")
    columns.check(schema.ROAD_NODES, roads().nodes, "prueba")
    for name in ("a", "b"):
        write_region(full(), tmp_path / name)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    assert_equal(full(), read_region(tmp_path / "a"))
    write_region(region(), tmp_path / "a")
    assert_equal(region(), read_region(tmp_path / "a"))
    assert set(contents(tmp_path / "b")) - set(contents(tmp_path / "a")) == {
        "road_nodes.parquet", "roads.parquet", "elevation_m.tif", "blocked.tif", "people.tif", "resources.parquet",
        "community.parquet", "served.parquet"}


def test_writing_twice_gives_equal_bytes(tmp_path):
    for name in ("a", "b"):
        write_region(region(), tmp_path / name)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    report = (tmp_path / "a/avisos.csv").read_text(encoding="utf-8").splitlines()
    assert report == ["gravedad,qué,dónde,cuántos,ejemplos,remedio", 'aviso,qué pasa,dónde,2,"á, b",remedio']


def test_preparing_hidalgo_twice_gives_equal_bytes(shared, tmp_path, pytestconfig):
    for name in ("a", "b"):
        write_region(prepare_region(pytestconfig.rootpath / ROOT_REGION, shared / "data/hidalgo"), tmp_path / name)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    assert len(read_region(tmp_path / "a").localities) == 4690


def test_a_damaged_region_is_refused_with_the_way_out(tmp_path):
    folder = tmp_path / "valle"
    with pytest.raises(StorageError, match=r"No hay región preparada .*planner prepare"):
        read_region(folder)
    write_region(region(), folder)
    units = folder / "units.parquet"
    units.write_bytes(units.read_bytes()[:-100])
    with pytest.raises(StorageError, match=r"units\.parquet o está dañado; ejecute «planner prepare»"):
        read_region(folder)
    write_region(region(), folder)
    (folder / "slope_deg.tif").unlink()
    with pytest.raises(StorageError, match=r"le falta slope_deg\.tif"):
        read_region(folder)
    (folder / "manifest.json").write_text("{")
    with pytest.raises(StorageError, match="está dañado"):
        read_region(folder)
    (folder / "manifest.json").write_text(json.dumps({"format": 0, "files": {}}))
    with pytest.raises(StorageError, match="otra versión"):
        read_region(folder)


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    (tmp_path / "fotos").mkdir()
    (tmp_path / "fotos/a.jpg").write_text("x")
    with pytest.raises(StorageError, match="no es una región preparada"):
        write_region(region(), tmp_path / "fotos")
    assert (tmp_path / "fotos/a.jpg").read_text() == "x"


def test_an_unwritable_place_is_told_and_nothing_is_left(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("x")
    with pytest.raises(StorageError, match="No se puede escribir"):
        write_region(region(), tmp_path / "file/valle")
    write_region(region(), tmp_path / "valle")
    before = contents(tmp_path / "valle")

    def no_space(*_: object, **__: object) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr("planner.store.write_grid", no_space)
    with pytest.raises(StorageError, match="disco lleno"):
        write_region(replace(region(), name="Otro"), tmp_path / "valle")
    assert contents(tmp_path / "valle") == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "valle"]
