"""The folder of a run: what GIS programs read, the same bytes each time, whole or not at all."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pyogrio
import pytest
import shapely
import valley
from recount import recount

from planner.errors import DataError, StorageError
from planner.outputs import geopackage
from planner.outputs.folder import write_run
from planner.outputs.geofiles import geojson, read_layer
from planner.outputs.jsonfiles import canonical_json
from planner.outputs.layers import layers
from planner.outputs.provenance import is_current

A, B, C, D, E, F = valley.PLACES
LAYERS = ["localidades", "unidades", "propuestas", "rutas", "areas_influencia", "referencias"]
FILES = {*(f"{name}.{kind}" for name in LAYERS for kind in ("geojson", "qml")), "localidades.parquet", "plan.gpkg", "plan.qgz", "plan.xlsx",
         "indicadores.json",
         "manifest.json", "diccionario.csv", "calendario.csv", "calendario.ics", "opciones.csv", "atencion.csv", "fuentes.csv",
         "informe.html", "mapa.html", "atlas/index.html", "atlas/01_distrito.html"}
TOP = {name.split("/")[0] for name in FILES}


@pytest.fixture
def prepared(tmp_path: Path) -> Path:
    folder = tmp_path / "processed"
    folder.mkdir()
    (folder / "manifest.json").write_text("{}")
    return folder


@pytest.fixture
def written(tmp_path: Path, once_written: Path) -> Path:
    """A copy of the run's folder that a test may spoil."""
    return Path(shutil.copytree(once_written, tmp_path / "runs" / "valle" / "base"))


def load(path: Path) -> Any:
    def refuse(word: str) -> None:
        raise AssertionError(f"{path.name} holds {word}")
    return json.loads(path.read_text(encoding="utf-8"), parse_constant=refuse)


def test_the_folder_holds_the_contract_and_nothing_else(written: Path) -> None:
    assert {p.name for p in written.iterdir()} == TOP
    assert [p.name for p in written.parent.iterdir()] == ["base"]


def test_two_writes_are_the_same_bytes_but_for_the_manifest(tmp_path: Path, written: Path, run: Any, prepared: Path) -> None:
    time.sleep(1.1)  # a clock inside a file would show
    again = tmp_path / "again"
    write_run(again, run, prepared, elapsed_s=9.0)
    for name in FILES - {"manifest.json"}:
        assert (again / name).read_bytes() == (written / name).read_bytes(), name
    first, second = load(written / "manifest.json"), load(again / "manifest.json")
    assert {key for key in first if first[key] != second[key]} == {"fecha", "segundos"}


def test_geojson_is_rfc_7946(written: Path) -> None:
    for name in LAYERS:
        text = load(written / f"{name}.geojson")
        assert set(text) == {"type", "procedencia", "features"}  # no crs member
        for feature in text["features"]:
            for lon, lat in shapely.get_coordinates(shapely.geometry.shape(feature["geometry"])):
                assert -99.1 < lon < -98.9
                assert 19.8 < lat < 20.1
                assert round(lon, 6) == lon
                assert round(lat, 6) == lat
            if feature["geometry"]["type"] == "MultiPolygon":
                for part in shapely.geometry.shape(feature["geometry"]).geoms:
                    assert part.exterior.is_ccw
                    assert not any(ring.is_ccw for ring in part.interiors)


def test_keys_are_text_and_missing_is_null(written: Path) -> None:
    places = {f["properties"]["cvegeo"]: f["properties"] for f in load(written / "localidades.geojson")["features"]}
    assert list(places) == list(valley.PLACES)
    assert places[E]["min_primer_nivel"] is None
    assert places[A]["puntaje_brecha"] is None
    assert places[A]["irs_imputado"] is False
    assert isinstance(places[A]["pobtot"], int)
    assert list(places[A])[:2] == ["cvegeo", "nom_ent"]


def test_text_that_looks_like_json_stays_text(run: Any) -> None:
    frame = layers(run.region, run.travel, run.outcome, run.plan, run.scenario)["localidades"]
    odd = ['[1, 2]', '{"a": 1}', '"', "\u2028", "2020-01-01", "007"]
    properties = [f["properties"] for f in json.loads(geojson(frame.assign(nom_loc=odd)))["features"]]
    assert [p["nom_loc"] for p in properties] == odd


@pytest.mark.parametrize("question", [{}, {"mode_first_level": "transporte_publico", "people": "pobtot"}])
def test_every_indicator_can_be_recomputed_from_the_files(tmp_path: Path, computed: Any, prepared: Path, question: dict[str, str]) -> None:
    write_run(tmp_path / "run", computed(f"umr-{F}", **question), prepared, elapsed_s=0)
    recount(tmp_path / "run")


def test_a_breath_past_the_threshold_is_past_it_in_the_files_too(written: Path) -> None:
    indicators = load(written / "indicadores.json")
    assert indicators["total"]["actual"]["dentro_60"] == 2000 + 600 + 4000 + 400  # F lies a millionth of a minute beyond
    assert indicators["total"]["actual"]["p90_min"] == 60.000001


def test_other_readers_open_geojson_and_geopackage_with_the_same_content(written: Path, run: Any) -> None:
    for name in LAYERS:
        assert len(gpd.read_file(written / f"{name}.geojson")) == len(load(written / f"{name}.geojson")["features"])
    kinds = {name: kind for name, kind in pyogrio.list_layers(written / "plan.gpkg").tolist() if kind}
    assert kinds == {"localidades": "Point", "unidades": "Point", "propuestas": "Point", "rutas": "LineString", "paradas": "Point",
                     "areas_influencia": "MultiPolygon", "referencias": "LineString"}
    places = gpd.read_file(written / "plan.gpkg", layer="localidades").set_index("cvegeo")
    assert places.crs == run.region.crs
    assert places.geometry.tolist() == run.region.localities.geometry.tolist()
    assert pd.isna(places.loc[E, "min_primer_nivel"])
    assert places.loc[E, "personas_equiv_plan"] == 150.0
    with sqlite3.connect(written / "plan.gpkg") as store:
        assert store.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert {row[0] for row in store.execute("SELECT last_change FROM gpkg_contents")} == {"2000-01-01T00:00:00.000Z"}


def test_reading_back_gives_the_layers_that_were_written(written: Path, run: Any) -> None:
    made, read = layers(run.region, run.travel, run.outcome, run.plan, run.scenario), {name: read_layer(written, name) for name in LAYERS}
    assert list(read) == list(made)
    for name, frame in made.items():
        pd.testing.assert_frame_equal(pd.DataFrame(read[name].drop(columns="geometry")), pd.DataFrame(frame.drop(columns="geometry")))
        assert read[name].crs == 4326
        assert read[name].geometry.to_crs(run.region.crs).distance(frame.geometry, align=False).max() < 0.2


def test_a_run_without_proposals_writes_valid_empty_layers(tmp_path: Path, run: Any, prepared: Path) -> None:
    run.plan = replace(run.plan, chosen=(), served=run.plan.served.iloc[:0])
    run.outcome = replace(run.outcome, proposals=run.outcome.proposals.iloc[:0])
    write_run(tmp_path / "run", run, prepared, elapsed_s=0)
    assert load(tmp_path / "run" / "rutas.geojson")["features"] == []
    assert gpd.read_file(tmp_path / "run" / "plan.gpkg", layer="propuestas").empty
    assert dict(pyogrio.list_layers(tmp_path / "run" / "plan.gpkg").tolist())["paradas"] == "Point"
    assert read_layer(tmp_path / "run", "propuestas").empty


def test_the_manifest_says_what_made_the_run(written: Path, run: Any) -> None:
    about = load(written / "manifest.json")
    assert about["escenario"]["reach_first_level_min"] == 60.0
    assert about["escenario"]["need"]["muy_alto"] == 1.0
    assert {row["marca"] for row in about["supuestos"]} >= {"dato", "derivado", "supuesto"}
    assert about["solucion"] == {"estado": "óptimo", "metodo": "prueba", "valor": 100.0, "cota": 101.0, "brecha_relativa": 0.00990099009901}
    assert about["semilla"] == run.scenario.seed
    assert about["segundos"] == 1.2
    assert set(about["archivos"]) == FILES - {"manifest.json"}
    assert {"python", "numpy", "highspy", "gdal"} <= set(about["versiones"])
    assert about["region"]["sintetica"] is True


def test_a_run_is_current_until_region_scenario_or_files_change(written: Path, run: Any, prepared: Path) -> None:
    assert is_current(written, prepared, run.scenario)
    assert not is_current(written, prepared, run.scenario.model_copy(update={"budget_mxn_year": 1.0}))
    assert not is_current(written.parent / "other", prepared, run.scenario)
    (prepared / "manifest.json").write_text('{"x": 1}')
    assert not is_current(written, prepared, run.scenario)
    (prepared / "manifest.json").write_text("{}")
    (written / "plan.gpkg").unlink()
    assert not is_current(written, prepared, run.scenario)
    for damaged in ("{", "[]", "{}"):
        (written / "manifest.json").write_text(damaged)
        assert not is_current(written, prepared, run.scenario)


def test_a_new_run_takes_the_place_of_the_old_one_whole(written: Path, run: Any, prepared: Path) -> None:
    (written / "stale.txt").write_text("old")
    write_run(written, run, prepared, elapsed_s=2)
    assert {p.name for p in written.iterdir()} == TOP
    assert [p.name for p in written.parent.iterdir()] == ["base"]


def test_a_failure_leaves_the_old_run_and_nothing_beside_it(
        written: Path, run: Any, prepared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {p: p.read_bytes() for p in written.rglob("*") if p.is_file()}

    def full(*_: object) -> None:
        raise OSError(28, "disco lleno")
    monkeypatch.setattr(geopackage, "_write_layers", full)
    with pytest.raises(StorageError, match=r"No se puede escribir .*base \(disco lleno\); revise permisos y espacio"):
        write_run(written, run, prepared, elapsed_s=2)
    assert {p: p.read_bytes() for p in written.rglob("*") if p.is_file()} == before
    assert [p.name for p in written.parent.iterdir()] == ["base"]


def test_a_folder_with_something_else_is_left_alone(tmp_path: Path, run: Any, prepared: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.docx").write_text("years of work")
    with pytest.raises(StorageError, match="mine existe y no es una corrida"):
        write_run(tmp_path / "mine", run, prepared, elapsed_s=0)
    assert (tmp_path / "mine" / "thesis.docx").read_text() == "years of work"
    (tmp_path / "empty").mkdir()
    write_run(tmp_path / "empty", run, prepared, elapsed_s=0)
    assert {p.name for p in (tmp_path / "empty").iterdir()} == TOP


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path, run: Any, prepared: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="No se puede escribir"):
        write_run(tmp_path / "file" / "base", run, prepared, elapsed_s=0)
    with pytest.raises(StorageError, match="No se puede escribir"):
        write_run(Path("/proc/planner/base"), run, prepared, elapsed_s=0)


@pytest.mark.skipif(os.name != "posix", reason="file size limits exist on POSIX systems only")
def test_a_full_disk_is_told_whichever_byte_it_hits(tmp_path: Path, written: Path, prepared: Path) -> None:
    size = (written / "plan.gpkg").stat().st_size
    limits = [500, 60_000, size // 2, size - 30_000, size - 12_000, size - 1]
    code = f"""
import resource, sys, pathlib
sys.path[:0] = [{str(Path(__file__).parent)!r}, {str(Path(__file__).parents[1])!r}]
import conftest
from planner.errors import StorageError
from planner.keeping import replacing
from planner.outputs.geopackage import geopackage
from planner.outputs.report import report_of
home = pathlib.Path({str(tmp_path)!r})
report = report_of(conftest.finished(), pathlib.Path({str(prepared)!r}))
for limit in {limits}:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    try:
        with replacing(home / "full" / "base", "manifest.json", "una corrida") as new:
            (new / "plan.gpkg").write_bytes(geopackage(report))
    except StorageError as fault:
        assert str(fault).startswith("No se puede escribir"), fault
        assert not list((home / "full").iterdir())
    else:
        sys.exit(f"nothing was said at {{limit}} bytes")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_missing_or_damaged_run_is_told(tmp_path: Path, written: Path) -> None:
    with pytest.raises(StorageError, match="No se puede leer"):
        read_layer(tmp_path / "nothing", "rutas")
    (written / "rutas.geojson").write_text('{"type"')
    with pytest.raises(DataError, match="rutas.geojson está dañado"):
        read_layer(written, "rutas")
    (written / "rutas.geojson").write_text('{"type": "FeatureCollection"}')
    with pytest.raises(DataError, match="no es una capa"):
        read_layer(written, "rutas")


def test_canonical_json_sorts_rounds_and_knows_no_nan() -> None:
    assert json.loads(canonical_json({"b": 0.1 + 0.2, "a": [float("inf"), float("nan"), 1]})) == {"a": [None, None, 1], "b": 0.3}
    assert canonical_json({"b": 1, "a": 2}) == canonical_json({"a": 2, "b": 1})
