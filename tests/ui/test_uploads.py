"""Hostile and broken files that a reader sends: refused in one sentence, nothing left behind, nothing outside their folder."""

import io
import re
import tomllib
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from drawn_page import APP, settled, visit
from streamlit.testing.v1 import AppTest

from planner.errors import DataError, PlannerError, SettingsError, StorageError
from planner.regionfile import load_region_file
from planner.store import read_region
from planner.ui import preparing, state, words
from planner.ui.work import Cancelled


def sent(name: str, content: bytes, size: int | None = None) -> SimpleNamespace:
    """A file as the uploader gives it."""
    return SimpleNamespace(name=name, size=len(content) if size is None else size, getbuffer=lambda: content)


def packed(**files: bytes | str) -> bytes:
    """A zip of these entries, `__` in a keyword standing for a point."""
    return zipped({name.replace("__", "."): content for name, content in files.items()})


def zipped(files: dict[str, bytes | str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


Sent = dict[str, list[Any]]
Attempt = Callable[..., str]
ZEROS = bytes(4 << 20)


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home folder within another folder, where nothing may come to stand."""
    home = tmp_path / "fuera/casa"
    home.mkdir(parents=True)
    monkeypatch.setenv("PLANNER_HOME", str(home))
    return home


@pytest.fixture
def official(demo_files: Path) -> Sent:
    """Files that make a region, to be spoiled one by one."""
    names = {"localities.iter": "iter_99_cpv2020_csv.zip", "terrain.dem": "elevacion.tif"}
    return {key: [sent(names[key], (demo_files / names[key]).read_bytes())] if key in names else [] for key in preparing._ROLES}


def prepared(name: str, entity: str, files: Sent) -> str:
    """What the page does when the form is sent."""
    preparing._refuse(name, entity, files)
    return preparing._prepare(Path(preparing._store(name, entity, files)), lambda _: None)


def refused(house: Path, name: str, entity: str, files: Sent) -> str:
    """The sentence that refuses it; nothing is left behind, within or without the home folder."""
    with pytest.raises(PlannerError) as fault:
        prepared(name, entity, files)
    assert isinstance(fault.value, DataError | SettingsError | StorageError)
    told = str(fault.value)
    assert told.endswith(".")
    assert told.isprintable()
    assert len(told) < 700
    left = {path.relative_to(house.parents[1]).as_posix() for path in house.parents[1].rglob("*")}
    assert left <= {"fuera", "fuera/casa", "fuera/casa/data", "fuera/casa/data/raw"}
    return told


TRICKS = ("../../fuera.csv", "/etc/fuera.csv", "C:\\Windows\\fuera.csv", "..\\..\\fuera.csv", "nulo\0.csv", ".oculto.csv", "...csv", ".csv",
          "x" * 5000 + ".csv", "é中\u202e🦉.csv", "CON.csv", "region.toml.csv", "a\nb\".csv", "~/x.csv", "$(rm -rf x).csv",
          "%2e%2e%2f.csv", "A.CSV")


def test_no_name_of_a_file_leads_out_of_its_folder(house: Path, official: Sent) -> None:
    given = official | {"units.files": [sent(name, name.encode()) for name in TRICKS[:9]],
                        "terrain.dem": [sent(f"{name}.tif", name.encode()) for name in TRICKS[9:]]}
    folder = Path(preparing._store("Valle", "99", given))
    kept = [path for path in house.parents[1].rglob("*") if path.is_file()]
    assert {path.parent for path in kept} == {folder}
    assert folder.parent == house / "data/raw"
    assert all(re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]{1,140}", path.name) for path in kept)
    assert {path.read_bytes() for path in kept} >= {name.encode() for name in TRICKS}
    spec = load_region_file(folder / "region.toml")
    assert spec.units is not None
    assert [(folder / name).read_bytes().decode() for name in spec.units.files] == list(TRICKS[:9])


def test_two_files_of_one_name_are_both_kept(house: Path, official: Sent) -> None:
    folder = Path(preparing._store("Valle", "99", official | {"terrain.dem": [sent("dem.tif", b"uno"), sent("dem.tif", b"dos")]}))
    assert sorted(path.read_bytes() for path in folder.glob("*.tif")) == [b"dos", b"uno"]
    assert house in folder.parents


@pytest.mark.parametrize("name", [
    'O"Higgins', "'''x'''", "a\\u0041\\", 'x" #', '"]ñandú = 1', "{{7*7}} ${x}", "<b>x</b>", "🦉 Búhos", "[units]", "null", "=1+1",
    "x" * 60], ids=ascii)
def test_the_region_file_says_just_the_name_and_the_entity_that_were_given(house: Path, official: Sent, name: str) -> None:
    preparing._refuse(name, "13", official)
    folder = Path(preparing._store(name, "13", official))
    spec = load_region_file(folder / "region.toml")
    assert (spec.name, spec.entity) == (name, "13")
    assert house in folder.parents
    assert tomllib.loads((folder / "region.toml").read_text(encoding="utf-8")).keys() == {"name", "entity", "localities", "terrain"}


@pytest.mark.parametrize("name", [
    "", "  ", "¡!", "\n", "---", "北京", "a\nb", 'a"\n[units]\nfiles = ["/etc/passwd"]', "a\0b", "\u202eabc", "a\u200bb", "x" * 61,
    "a\ud800"], ids=ascii)
def test_a_name_that_cannot_be_told_is_refused(house: Path, official: Sent, name: str) -> None:
    assert "nombre de la región" in refused(house, name, "99", official)


@pytest.mark.parametrize("entity", ["", "1", "1a", "٣٣", "99\n", " 9", "-1", "999", '"9'])
def test_an_entity_that_is_not_two_digits_is_refused(house: Path, official: Sent, entity: str) -> None:
    assert "dos cifras" in refused(house, "Valle", entity, official)


VRT = b'<OGRVRTDataSource><OGRVRTLayer name="x"><SrcDataSource>/etc/passwd</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>'
GDALG = b'{"type": "gdal_streamed_alg", "command_line": "gdal vector pipeline ! read /etc/passwd", "features": [{"type": "Feature"}]}'
RASTER_VRT = b"<VRTDataset><VRTRasterBand><SourceFilename>/vsicurl/http://evil.example/x</SourceFilename></VRTRasterBand></VRTDataset>"
ENTITIES = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b"><!ENTITY c "&a;&a;">]><osm>&c;</osm>'
HTML = b"<!DOCTYPE html><html><title>404 <b>No</b> encontrado</title></html>"
FALSE: dict[str, tuple[str, str, bytes | Callable[[], bytes], str]] = {  # what it is: role, name, content, word of the sentence
    "a page as csv": ("localities.iter", "iter.csv", HTML, "página"),
    "a page as zip": ("localities.iter", "iter.zip", HTML, "página web («404 No encontrado»)"),
    "a page as workbook": ("units.files", "clues.xlsx", HTML, "página web"),
    "nothing": ("localities.iter", "iter.csv", b"", "vacío"),
    "blanks": ("units.files", "clues.csv", b" \n\r\n ", "vacío"),
    "text as zip": ("localities.iter", "iter.zip", b"a,b\n1,2\n", "no es un zip"),
    "half a zip": ("localities.iter", "iter.zip", lambda: packed(x__csv=b"a" * 999)[:-20], "no es un zip"),
    "another table": ("localities.iter", "iter.csv", b"a,b\n1,2\n", "faltan las columnas"),
    "not UTF-8": ("localities.iter", "iter.csv", b"a,b\n\xff\xfe,2\n", "UTF-8"),
    "a bomb as census": ("localities.iter", "iter.zip", lambda: packed(iter__csv=ZEROS), "oficial ocupa"),
    "a bomb as workbook": ("units.files", "clues.xlsx", lambda: zipped({"xl/workbook.xml": "<x/>", "xl/sheet1.xml": ZEROS}), "ocuparía"),
    "a bomb as boundaries": ("boundaries.municipalities", "lim.zip", lambda: packed(x__shp=ZEROS, x__dbf=b"x"), "oficial ocupa"),
    "a bomb in a bomb": ("localities.iter", "iter.zip", lambda: packed(a__zip=packed(b__zip=packed(iter__csv=ZEROS))), "ningún csv"),
    "a way out": ("localities.iter", "iter.zip", lambda: zipped({"../../fuera.csv": "a,b\n1,2\n"}), "sale de su carpeta"),
    "a way to the root": ("boundaries.municipalities", "l.zip", lambda: zipped({"/etc/x.shp": b"\0\0\x27\x0a"}), "sale de su carpeta"),
    "a way back": ("boundaries.municipalities", "l.zip", lambda: zipped({"..\\..\\x.shp": b"\0\0\x27\x0a"}), "sale de su carpeta"),
    "no shapefile": ("boundaries.municipalities", "l.zip", lambda: packed(x__txt=b"x"), "no trae ningún archivo"),
    "another as shapefile": ("boundaries.municipalities", "l.zip", lambda: packed(x__shp=VRT), "no es lo que dice"),
    "a pointer as layer": ("boundaries.municipalities", "l.geojson", VRT, "no es lo que dice"),
    "an errand as layer": ("boundaries.municipalities", "l.geojson", GDALG, "no es lo que dice"),
    "a pointer as package": ("boundaries.municipalities", "l.gpkg", VRT, "no es lo que dice"),
    "a pointer as roads": ("roads.osm", "r.geojson", b"\xef\xbb\xbf \n" + VRT, "no es lo que dice"),
    "a pointer as relief": ("terrain.dem", "d.tif", RASTER_VRT, "no es lo que dice"),
    "noise as relief": ("terrain.dem", "d.tif", bytes(range(256)) * 9, "no es lo que dice"),
    "half a relief": ("terrain.dem", "d.tif", b"II*\0" + bytes(200), "no es un ráster"),
    "noise as roads": ("roads.osm", "r.pbf", bytes(range(256)) * 9, "OpenStreetMap"),
    "entities as roads": ("roads.osm", "r.osm", ENTITIES, "r.osm"),
    "another ending": ("terrain.dem", "d.vrt", RASTER_VRT, "no termina en .tif"),
    "no ending": ("localities.iter", "iter", b"x", "no termina en .zip"),
    "no name": ("localities.iter", "", b"x", "no termina en .zip"),
    "an ending with a line": ("localities.iter", "x.csv\n", b"x", "no termina en .zip")}


@pytest.mark.parametrize("what", FALSE)
def test_a_file_that_is_not_what_it_says_is_refused_in_a_sentence(what: str, house: Path, official: Sent) -> None:
    role, name, content, word = FALSE[what]
    told = refused(house, "Valle", "99", official | {role: [sent(name, content() if callable(content) else content)]})
    assert word in told


def test_another_states_files_are_refused(house: Path, official: Sent) -> None:
    assert "13" in refused(house, "Hidalgo", "13", official)


def test_too_much_is_refused_before_anything_is_written(house: Path, official: Sent) -> None:
    tile = official["terrain.dem"][0]
    assert "demasiados" in refused(house, "Valle", "99", official | {"terrain.dem": [tile] * preparing._FILES_MAX})
    assert "demasiado" in refused(house, "Valle", "99", official | {"terrain.dem": [sent("d.tif", b"x", preparing._BYTES_MAX)]})
    assert "un solo archivo" in refused(house, "Valle", "99", official | {"localities.iter": official["localities.iter"] * 2})
    assert "Falta el censo" in refused(house, "Valle", "99", official | {"localities.iter": []})
    assert "caminos o relieve" in refused(house, "Valle", "99", official | {"terrain.dem": []})
    assert not (house / "data").exists()


def test_a_shapefile_is_taken_out_under_our_names_whatever_its_own(house: Path, official: Sent, demo_files: Path) -> None:
    """An entry of a zip may be called anything, lines of a region file too."""
    odd = 'x"\n[roads]\nosm = "/etc/passwd'
    parts = {f"limites/{odd}{part.suffix}": part.read_bytes() for part in (demo_files / "limites").iterdir()}
    limits = sent("LIM.ZIP", zipped(parts | {"region.toml": "x", "a.csv": "y"}))
    told = prepared("Valle", "99", official | {"boundaries.municipalities": [limits]})
    assert told.startswith("Región Valle preparada")
    folder, = (house / "data/raw").iterdir()
    assert {path.name for path in (folder / "boundaries_municipalities_1_LIM").iterdir()} >= {"limites.shp", "limites.dbf", "limites.prj"}
    written = tomllib.loads((folder / "region.toml").read_text(encoding="utf-8"))
    assert written.keys() == {"name", "entity", "localities", "terrain", "boundaries"}
    region = read_region(house / "data/processed/valle")
    assert (region.name, region.entity, region.roads) == ("Valle", "99", None)
    assert region.municipalities.geometry.notna().all()
    with pytest.raises(DataError, match="Ya hay una región «valle»"):
        preparing._refuse("VALLE", "99", official)


def test_a_disk_that_fails_leaves_no_half_written_files(house: Path, official: Sent) -> None:
    def full() -> bytes:
        raise OSError(28, "No space left on device")
    broken = SimpleNamespace(name="d.tif", size=1, getbuffer=full)
    assert "disco lleno" in refused(house, "Valle", "99", official | {"terrain.dem": [broken]})
    (house / "data/raw").rmdir()
    (house / "data/raw").write_text("no es carpeta")
    with pytest.raises(StorageError, match="ya existe"):
        preparing._store("Valle", "99", official)


def test_what_is_called_off_is_kept_so_that_it_can_be_asked_for_again(house: Path, official: Sent) -> None:
    def off(step: str) -> None:
        if step.startswith("Leyendo"):
            raise Cancelled
    folder = Path(preparing._store("Valle", "99", official))
    with pytest.raises(Cancelled):
        preparing._prepare(folder, off)
    assert preparing._prepare(folder, lambda _: None).startswith("Región Valle preparada")
    assert (house / "data/processed/valle").is_dir()


@pytest.mark.usefixtures("house")
def test_the_form_tells_a_refusal_once_and_shows_the_region_that_it_prepares(official: Sent) -> None:
    page = visit(AppTest.from_file(APP, default_timeout=60), "ayuda")

    def send(name: str, census: SimpleNamespace) -> AppTest:
        for uploader in page.get("file_uploader"):
            if "Relieve" in uploader.label:
                uploader.set_value([("d.tif", official["terrain.dem"][0].getbuffer(), "image/tiff")])
            elif "ITER" in uploader.label:
                uploader.set_value((census.name, census.getbuffer(), "application/zip"))
        page.text_input[0].set_value(name)
        page.text_input[1].set_value("99")
        next(button for button in page.button if button.label == "Preparar la región").click()
        return settled(page.run())

    send("Valle", sent("iter.csv", b"a,b\n1,2\n"))
    assert not page.exception
    assert "faltan las columnas" in page.error[0].value
    assert not page.run().error
    send("  Valle \u00a0 'Ñ'  <b>", official["localities.iter"][0])
    assert not page.exception
    if page.success:  # it ended while the page that asked for it was drawn
        assert words.plain("Región Valle 'Ñ' <b> preparada") in page.success[0].value
        next(button for button in page.button if button.label == "Verla").click()
        settled(page.run())
    assert page.session_state[state.REGION] == "Valle 'Ñ' <b>"
    assert page.markdown[0].value == "## Ayuda: " + words.plain("Valle 'Ñ' <b>")


def test_files_that_are_gone_are_told_without_where_they_were(house: Path, official: Sent) -> None:
    folder = Path(preparing._store("Valle", "99", official))
    next(folder.glob("*.tif")).unlink()
    with pytest.raises(DataError, match="Falta 1 archivo") as fault:
        preparing._prepare(folder, lambda _: None)
    told = words.fault_text(fault.value, house)
    assert str(house) in str(fault.value)
    assert str(house) not in told.replace("\\", "")
    assert words.plain(f"data/raw/{folder.name}/terrain_dem_1_elevacion.tif") in told
