"""A prepared region comes back as it was, equal in bytes each time, or not at all."""

import json
import os
from dataclasses import replace

import pandas as pd
import pytest
import valley
from geopandas.testing import assert_geodataframe_equal
from numpy.testing import assert_array_equal

from planner.errors import StorageError
from planner.model import Finding, InputFile, Region
from planner.region import prepare_region
from planner.sources.rasters import LAYERS
from planner.store import read_region, write_region

ROOT_REGION = "regions/hidalgo.toml"


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
    for name in ("responsibility", "circuits"):
        if getattr(one, name) is None:
            assert getattr(other, name) is None
        else:
            pd.testing.assert_frame_equal(getattr(one, name), getattr(other, name))
    assert one.grid.transform == other.grid.transform
    for layer in LAYERS:
        assert_array_equal(getattr(one.grid, layer), getattr(other.grid, layer))


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

    def full(*_: object, **__: object) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr("planner.store.write_grid", full)
    with pytest.raises(StorageError, match="disco lleno"):
        write_region(replace(region(), name="Otro"), tmp_path / "valle")
    assert contents(tmp_path / "valle") == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "valle"]
