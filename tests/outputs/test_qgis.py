"""Real QGIS opens what a run writes: styled, labelled, in the right CRS, without a word of warning."""

import json
import os
import sqlite3
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pytest
import valley
from geojson_pydantic import FeatureCollection

from planner.outputs.folder import write_run
from planner.outputs.geopackage import tables_of
from planner.outputs.report import Report, report_of
from planner.outputs.styles import TITLES, fields, looks
from planner.scenarios import regionalized

PYTHON = "/usr/bin/python3"
ONE, TWO, *_ = valley.FACILITIES
KINDS: dict[str, Any] = {"text": (str,), "int": (int,), "float": (int, float), "bool": (bool,)}


def has_qgis() -> bool:
    return Path(PYTHON).exists() and subprocess.run([PYTHON, "-c", "import qgis.core"], capture_output=True, check=False).returncode == 0


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("prepared")
    (folder / "manifest.json").write_text('{"inputs": []}')
    return folder


@pytest.fixture(scope="module")
def report(prepared: Path, computed: Any) -> Report:
    return report_of(regionalized(computed(f"nucleo-{ONE}", f"umm-{TWO}-1")), prepared)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, prepared: Path, report: Report) -> Path:
    folder = tmp_path_factory.mktemp("run") / "base"
    write_run(folder, report.run, prepared, elapsed_s=0)
    return folder


@pytest.fixture(scope="module")
def opened(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    if not has_qgis():
        pytest.skip("QGIS is not installed: apt-get install python3-qgis (.ci/run does)")
    home = tmp_path_factory.mktemp("qgis")
    home.chmod(0o700)
    told = subprocess.run(
        [PYTHON, str(Path(__file__).with_name("qgis_check.py")), str(folder)], capture_output=True, text=True, timeout=120, check=False,
        env={"PATH": os.environ["PATH"], "HOME": str(home),
             "XDG_RUNTIME_DIR": str(home), "QT_QPA_PLATFORM": "offscreen", "LC_ALL": "C.UTF-8"})
    assert told.returncode == 0, told.stderr
    assert told.stderr.strip() == ""
    return json.loads(told.stdout.strip().splitlines()[-1])


def test_qgis_opens_every_layer_as_it_is_meant(opened: Any, report: Report) -> None:
    tables = {name: frame for name, frame, _ in tables_of(report.layers)}
    assert set(tables) == set(opened["gpkg"]) == set(opened["project"]) == set(TITLES)
    for where in ("gpkg", "project"):
        for name, told in opened[where].items():
            assert told["valid"], name
            assert told["crs"] == report.run.region.crs
            assert told["count"] == len(tables[name])
            assert told["renderer"] == "RuleRenderer"  # not the one symbol of a layer without style
            assert told["rules"] == [look.label for look in looks(name, tables[name])]
            assert told["unruled"] == 0, f"{name}: a feature is drawn by no rule, or by two"
            assert told["bad"] == []
            labels = {field: told["aliases"][field] for field in fields(name)}
            assert told["named"] in ('"nombre"', '"nom_loc"', '"zona"')  # what QGIS calls a feature
            assert labels == {field: column.label for field, column in fields(name).items()}


def test_qgis_opens_each_geojson_with_the_style_beside_it(opened: Any, report: Report) -> None:
    for name, frame in report.layers.items():
        told = opened["geojson"][name]
        assert told["valid"], name
        assert told["count"] == len(frame)
        assert told["renderer"] == "RuleRenderer"
        assert told["crs"] == "EPSG:4326"
        assert told["bad"] == []
        assert told["unruled"] == 0
    legs, stops = (opened["geojson"][f"rutas {kind}"] for kind in ("LineString", "Point"))
    assert legs["count"] > 0
    assert stops["count"] > 0
    assert legs["count"] + stops["count"] == len(report.layers["rutas"])
    assert legs["unruled"] == stops["unruled"] == 0


def test_the_project_stands_in_the_regions_crs_and_qgis_says_nothing(opened: Any, report: Report, folder: Path) -> None:
    assert opened["read"]
    assert opened["crs"] == report.run.region.crs
    assert "Valle" in opened["title"]
    assert "SINTÉTICA" in opened["title"]
    assert opened["order"][0] == "Propuestas"
    assert opened["groups"] == ["Plan", "Hoy", "Regionalización y áreas"]
    assert report.about["corrida"] in opened["abstract"]
    assert "manifest.json" in opened["abstract"]
    assert all(told["source"].startswith(str(folder / "plan.gpkg")) for told in opened["project"].values())
    assert opened["said"] == []
    with zipfile.ZipFile(folder / "plan.qgz") as packed:
        assert b"http" not in packed.read("plan.qgs").replace(b"http://mrcc.com/qgis.dtd", b"")


def test_the_geopackage_keeps_its_standard_and_its_tables_open(opened: Any, report: Report) -> None:
    assert opened["faults"] == []  # by the validator that comes with GDAL
    assert all(told["valid"] and not told["spatial"] for told in opened["tables"].values())
    assert opened["tables"]["diccionario"]["count"] > 100
    assert opened["tables"]["fuentes"]["count"] == len(report.run.region.inputs)


def test_the_geopackage_tells_labels_sources_and_origin(folder: Path, report: Report) -> None:
    with sqlite3.connect(folder / "plan.gpkg") as store:
        said = {(t, c): d for t, c, d in store.execute("SELECT table_name, column_name, description FROM gpkg_data_columns")}
        assert said["localidades", "puntaje_brecha"] == "100 D w / (1 + lambda) [0-100] (derivado)"
        for name, _, _ in tables_of(report.layers):
            columns = {row[1] for row in store.execute(f'PRAGMA table_info("{name}")')} - {"fid", "geom"}
            assert columns == {c for t, c in said if t == name} == set(fields(name))
        origin = dict(store.execute("SELECT clave, valor FROM procedencia"))
        assert origin["corrida"] == report.about["corrida"]
        assert origin["manifiesto"] == "manifest.json"
        assert store.execute("SELECT count(*) FROM layer_styles WHERE useAsDefault").fetchone() == (len(TITLES),)
        assert store.execute("SELECT count(*) FROM diccionario").fetchone()[0] > 100
        registered = {row[0] for row in store.execute("SELECT table_name FROM gpkg_contents WHERE data_type = 'attributes'")}
        assert registered == {"diccionario", "fuentes", "procedencia", "layer_styles"}
        assert store.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_every_geojson_keeps_the_schema(folder: Path, report: Report) -> None:
    """RFC 7946 by an independent reader; every field of the kind that its declaration says."""
    for name in report.layers:
        told = json.loads((folder / f"{name}.geojson").read_text(encoding="utf-8"))
        FeatureCollection.model_validate(told)
        assert told["procedencia"] == {"corrida": report.about["corrida"], "manifiesto": "manifest.json"}
        declared = fields(name)
        for feature in told["features"]:
            assert list(feature["properties"]) == list(declared)
            for field, value in feature["properties"].items():
                column = declared[field]
                assert value is None or type(value) in KINDS[column.kind], field
                assert value is not None or column.null, field
                assert value is None or not column.values or value in column.values
