"""Addresses that ask for what is not there, and folders that are damaged: the usual page, or one sentence that leaks nothing."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import valley
from drawn_page import APP, JOINER, RICH, settled, texts, visit
from streamlit.testing.v1 import AppTest

from planner.store import write_region
from planner.ui import state, words

ASKED = ("region", "escenario", "temporada", "primer-nivel", "hospital", "poblacion", "presupuesto", "permitidas", "elegida", "orden",
         "base", "otros", "ruta", "parte")
KINDS = ("selectbox", "radio", "slider", "multiselect", "button_group")
GARBAGE: tuple[str | list[str], ...] = (
    "<script>alert(1)</script>", "x" * 50_000, "NaN", "1e308", "-1", "", "[](javascript:\0\u202e)", ["<b>a</b>", *[":red[b]"] * 99])
ADDRESSED = ("datos", "brechas", "rutas", "comparar")  # pages with all of these widgets
Answered = dict[str, tuple[dict[str, Any], list[tuple[str, str]]]]


def asked(home: Path, patch: pytest.MonkeyPatch, params: dict[str, Any], paths: tuple[str, ...] = ADDRESSED) -> Answered:
    """What the widgets hold and what is shown on each page that is opened with these parameters."""
    patch.setenv("PLANNER_HOME", str(home))
    page = AppTest.from_file(APP, default_timeout=60)
    page.session_state[state._SETTINGS] = RICH if "rutas" in paths else {}
    found = {}
    for path in paths:
        page.query_params.update(params)
        visit(page, path)
        assert not page.exception, path
        assert not page.error, path
        found[path] = {one.key: one.value for kind in KINDS for one in getattr(page, kind)}, texts(page)
    return found


@pytest.fixture(scope="module")
def unasked(valley_home: Path) -> Answered:
    with pytest.MonkeyPatch.context() as patch:
        return asked(valley_home, patch, {})


@pytest.mark.parametrize("value", GARBAGE, ids=lambda value: ascii(value)[:24])
def test_garbage_in_the_address_falls_back_to_what_is_usual(
        value: str | list[str], valley_home: Path, unasked: Answered, monkeypatch: pytest.MonkeyPatch) -> None:
    params = {key: value for key in ASKED if value or key != "permitidas"}  # to permit nothing is a question
    for path, (held, shown) in asked(valley_home, monkeypatch, params).items():
        usual, page = unasked[path]
        if value == "":  # no part of the page is a choice too
            held, usual = held | {"parte": None}, usual | {"parte": None}
        assert held == usual, path
        assert [text for field, text in shown if field == "Html:body"] == [text for field, text in page if field == "Html:body"], path
        for one in [value] if isinstance(value, str) else value:
            assert len(one) < 3 or not any(one in text for _, text in shown), path


def test_what_the_address_may_ask_is_held_to_what_there_is(valley_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = {"permitidas": ["UMR nueva", "UMR nueva", "<b>"], "presupuesto": "12.5", "parte": "Revisión", "temporada": "Lluvias",
            "poblacion": ["Población total", "<b>"]}
    datos, shown = asked(valley_home, monkeypatch, told, ("datos",))["datos"]
    assert {key: datos[key] for key in told} == {
        "permitidas": ["umr"], "presupuesto": 12.5, "parte": "Revisión", "temporada": "lluvias", "poblacion": "sin_seguridad_social"}
    assert not any("<b>" in text for field, text in shown if field != "Html:body")
    compared = {"otros": ["Base", "<b>"], "base": "El de la barra lateral"}
    held, _ = asked(valley_home, monkeypatch, compared, ("comparar",))["comparar"]
    assert (held["otros"], held["base"]) == (["Base"], "El de la barra lateral")


def told_on(home: Path, patch: pytest.MonkeyPatch, press: str = "") -> str:
    """The one error on the first page of a home folder."""
    patch.setenv("PLANNER_HOME", str(home))
    page = settled(AppTest.from_file(APP, default_timeout=60).run())
    if press:
        next(button for button in page.button if button.label == press).click()
        settled(page.run())
    assert not page.exception
    assert len(page.error) == 1
    return str(page.error[0].value).replace("\\", "").replace(JOINER, "")


def spoil(folder: Path, what: str) -> None:
    manifest = folder / "manifest.json"
    if what == "missing":
        (folder / "units.parquet").unlink()
    elif what == "cut":
        manifest.write_bytes(manifest.read_bytes()[:-40])
    elif what == "older":
        manifest.write_text(json.dumps(json.loads(manifest.read_text(encoding="utf-8")) | {"format": 1}), encoding="utf-8")
    else:
        (folder / "localities.parquet").write_bytes(b"PAR1")


@pytest.mark.parametrize("what", ["missing", "cut", "older", "changed"])
def test_a_damaged_region_is_told_without_where_it_lies(what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_region(replace(valley.region(), slug="valle"), tmp_path / "data/processed/valle")
    spoil(tmp_path / "data/processed/valle", what)
    told = told_on(tmp_path, monkeypatch)
    assert "data/processed/valle" in told
    assert "planner prepare" in told
    assert str(tmp_path) not in told
    assert tmp_path.name not in told


def test_a_folder_that_cannot_be_written_is_told_without_where_it_lies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "data").write_text("no es carpeta")
    told = told_on(tmp_path, monkeypatch, "Crear la región de demostración")
    assert "No se puede escribir data/raw/demo" in told
    assert str(tmp_path) not in told


@pytest.mark.parametrize(("text", "told"), [
    ("No se puede leer /srv/p/data/raw/x (sin permiso).", "No se puede leer data/raw/x (sin permiso)."),
    ("/srv/p: no es carpeta", "la carpeta de datos: no es carpeta"), ("en /srv/p.", "en la carpeta de datos."),
    ("en /srv/p/", "en la carpeta de datos/"), ("/srv/pan/x y /x/srv/p/y", "/srv/pan/x y /x/srv/p/y"), ("«/srv/p/.viajes»", "«.viajes»"),
    (f"no existe {Path(APP).parent}/scenarios/x.toml", "no existe scenarios/x.toml"), ("sin ruta\nalguna", "sin ruta alguna")])
def test_a_fault_tells_no_path_of_the_computer(text: str, told: str) -> None:
    assert words.fault_text(text, Path("/srv/p")) == words.plain(told)


def test_a_home_at_the_root_or_behind_a_link_is_hidden_as_well(tmp_path: Path) -> None:
    assert words.fault_text("falta /data/x", Path("/")) == words.plain("falta /data/x")
    (tmp_path / "real").mkdir()
    (tmp_path / "atajo").symlink_to(tmp_path / "real")
    for folder in ("real", "atajo"):
        assert words.fault_text(f"falta {tmp_path / folder}/x", tmp_path / "atajo") == "falta x"
