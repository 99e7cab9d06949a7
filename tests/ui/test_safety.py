"""What the app does with hostile names, files, addresses and corrections: text stays text, a fault is one sentence, nothing leaks."""

import io
import json
import re
import time
import tomllib
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pytest
import valley
from shapely.geometry import box
from streamlit import config
from streamlit.navigation.page import calc_hash
from streamlit.testing.v1 import AppTest

from planner import columns, schema
from planner.corrections import ROLE, Correction, corrected
from planner.errors import DataError, PlannerError, SettingsError, StorageError
from planner.model import Region
from planner.outputs.brief import brief_files
from planner.outputs.mappage import map_files
from planner.outputs.report import Report
from planner.outputs.workbook import workbook_files
from planner.regionfile import load_region_file
from planner.settings import Scenario
from planner.store import read_region, write_region
from planner.travel.times import compute_travel
from planner.ui import cards, preparing, state, words
from planner.ui.page import PAGES
from planner.ui.state import Chosen
from planner.ui.work import Cancelled, desk

APP = str(Path(__file__).parents[2] / "app.py")
HOSTILE = (
    "<img src=x onerror=alert(1)>", "</script><script>alert(2)</script>", "<b onmouseover='alert(3)'>negritas</b> javascript:alert(4)",
    "[un enlace](https://evil.example/a) ![una imagen](https://evil.example/a.png)", "https://evil.example/b?c=d ana@evil.example",
    "www.evil.example", ":material/home: :streamlit: :smile:", ":red[rojo] :blue-badge[b] :small[c]",
    "$x^2$ y $$\\int$$ y {{7*7}} ${7*7} {% raw %} %s {0}", '=HYPERLINK("https://evil.example","x")', "@SUM(A1)+1",
    "\u202eetneserp\u202c \u2066x\u2069 cero\u200bancho\u200d\ufeff", "largo " * 1000, "null",
    "a\n\n    sangría\n# Título\n===\n| a | b |\n|---|---|\n* uno\n1. dos -> tres",
    "&lt;i&gt; &#60;i&#62; <!-- x --> ]]> ~~d~~ -- NaN \" ' ` \\ \u201c")
REGION_NAME = " ".join(name for name in HOSTILE if len(name) < 99 and "\n" not in name)
BENIGN = tuple(f"n{at:02d}" for at in range(len(HOSTILE)))
# With this the valley has new units, wider ones and circuits to propose.
RICH = {
    "reach_first_level_min": 30.0, "ramp_first_level_good_min": 10.0, "ramp_first_level_none_min": 35.0, "umr_spacing_min": 0.0,
    "mobile_visits_existing": 1.0, "capacity_people_per_nucleo": 1000.0, "umr_people_min": 200.0, "mobile_people_min": 50.0}
PARTS = ("Qué datos hay", "Revisión", "Supuestos", "Corregir unidades", "Preparar una región")
# What Streamlit 1.67 turns into something else, most of it after escapes are gone (StreamlitMarkdown, remark-gfm).
ALIVE = {
    "a link": r"(?i)(https?://|www\.)[-.\w]", "an address": r"[-.\w+]+@[-\w]+\.[-\w]", "an icon": r":material[/_]\w",
    "a logo": ":streamlit:", "an emoji": r":[\w+-]+:", "an arrow": r"(^|\s)(<->|->|<-|--|>=|<=|~=)(\s|$)", "a line": r"\n",
    "a turn": "[\u202a-\u202e\u2066-\u2069]"}
AS_TEXT = {"Selectbox:options", "Selectbox:raw_value", "MultiSelect:options"}  # drawn without Markdown or HTML
JOINER = "\u2060"


def settled(page: AppTest) -> AppTest:
    """The page once no work is going on."""
    until = time.monotonic() + 60
    while any(button.label == "Cancelar" for button in page.button):
        assert time.monotonic() < until, "the work does not end"
        time.sleep(0.1)
        page.run()
    return page


def visit(page: AppTest, path: str) -> AppTest:
    """The page of that address, in the same session."""
    page._page_hash = calc_hash(path)
    return settled(page.run())


def elements(page: AppTest) -> Iterator[Any]:
    """The protobuf of everything on the page, blocks included."""
    def walk(node: Any) -> Iterator[Any]:
        for child in getattr(node, "children", {}).values():
            yield child
            yield from walk(child)
    return (node.proto for node in walk(page._tree) if getattr(node, "proto", None) is not None)


def strings(message: Any, path: str) -> Iterator[tuple[str, str]]:
    """Every text in a message, with the names of the fields that lead to it."""
    for field, value in message.ListFields():
        for one in (list(value) if field.is_repeated else [value]):
            if isinstance(one, str):
                yield f"{path}:{field.name}", one
            elif hasattr(one, "ListFields"):
                yield from strings(one, path)


def texts(page: AppTest) -> list[tuple[str, str]]:
    return [found for proto in elements(page) for found in strings(proto, proto.DESCRIPTOR.name)]


class Tags(HTMLParser):
    """How often each tag stands in a page, with which attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: Counter[str] = Counter()
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found[" ".join([tag, *sorted(name for name, _ in attrs)])] += 1

    def handle_comment(self, data: str) -> None:  # noqa: ARG002 (the base class names it)
        self.found["comment"] += 1

    handle_decl = handle_pi = unknown_decl = handle_comment


def alive(text: str) -> Counter[str]:
    """What Markdown makes of a text besides text: signs that are not escaped, and what becomes something once they are."""
    signs = Counter(re.findall(r"[`*_{}\[\]<>#|!$~^&]", re.sub(r"\\[!-/:-@\[-`{-~]", "", text)))
    bare = re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", text)
    return signs + Counter({what: len(re.findall(rule, bare)) for what, rule in ALIVE.items()})


@pytest.fixture(scope="module", autouse=True)
def unparsed() -> Iterator[None]:
    """Streamlit reads the script anew each run with `ast`, of which CPython 3.11 is not sure while another thread does so too."""
    before = config.get_option("runner.magicEnabled")
    config.set_option("runner.magicEnabled", False)
    yield
    config.set_option("runner.magicEnabled", before)


# Names.

def named_valley(names: tuple[str, ...], called: str) -> Region:
    """The valley several times over, a few metres apart, each name that of a locality, a unit, a municipality and a district."""
    here = valley.region()

    def copies(frame: gpd.GeoDataFrame, number: int) -> gpd.GeoDataFrame:
        parts = [frame.set_geometry(frame.geometry.translate(20.0 * at, 10.0 * at)).set_axis(
            [f"{key[:-2]}{at}{key[-1]}" for key in frame.index]) for at in range(number)]
        whole = gpd.GeoDataFrame(pd.concat(parts), crs=frame.crs).rename_axis(frame.index.name).sort_index()
        degrees = whole.geometry.to_crs(4326)
        return whole.assign(lon=degrees.x, lat=degrees.y)

    places, units = (copies(frame, 5).iloc[:len(names)] for frame in (here.localities, here.units))
    towns = [f"99{at + 1:03d}" for at in range(len(names))]
    (west, north), step = valley.ORIGIN, 10 * valley.CELL / len(names)
    shapes = [box(west + at * step, north - 6 * valley.CELL, west + (at + 1) * step, north) for at in range(len(names))]
    named = list(names)
    municipalities = gpd.GeoDataFrame({"name": named, "irs": 0.0, "irs_grade": "Bajo", "district": named}, geometry=shapes, crs=here.crs,
                                      index=pd.Index(towns, name="cve_mun"))
    circuits = pd.DataFrame({"clues": [units.index[2]], "cvegeo": [places.index[3]], "visits_month": [2.0]})
    return replace(here, name=called, municipalities=municipalities, responsibility=None, circuits=circuits,
                   localities=places.assign(name=named, municipality=named, district=named, cve_mun=towns),
                   units=units.assign(name=named, cve_mun=towns))


@dataclass(frozen=True)
class Seen:
    """All that a session was shown, page by page, and the answer behind it."""

    pages: dict[str, list[tuple[str, str]]]
    report: Report


def toured(home: Path, names: tuple[str, ...], called: str) -> Seen:
    """Every page of the app on the valley with these names, each place chosen in turn, districts drawn, a unit corrected."""
    region = named_valley(names, called)
    write_region(region, home / "data/processed/valle")
    made = Correction("NUEVA1", names[0], "UMR", 1, float(region.localities["lat"].iloc[0]), float(region.localities["lon"].iloc[0]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PLANNER_HOME", str(home))
        page = AppTest.from_file(APP, default_timeout=60)
        page.session_state[state._SETTINGS] = RICH
        page.session_state[state._UNITS] = {"valle": (made,)}
        page.query_params["presupuesto"] = "40"
        page.query_params["otros"] = ["Lluvias"]
        pages = {"panorama": texts(settled(page.run()))}
        report = next(work.result() for work in reversed(desk()._works.values()) if isinstance(work.result(), Report))
        for kind, layer in cards.LAYERS.items():
            page.session_state[state.SEARCH] = state.as_option(kind, str(report.layers[layer].index[0]))
            pages[f"brechas {kind}"] = texts(visit(page, "brechas"))
        for part in PARTS:
            page.session_state["parte"] = part
            pages[f"datos {part}"] = texts(visit(page, "datos"))
        for path in ("propuestas", "rutas", "pais", "comparar", "descargas", "ayuda"):
            pages[path] = texts(visit(page, path))
        visit(page, "regionalizacion")
        next(field for field in page.number_input if field.label.startswith("Número")).set_value(3)
        next(field for field in page.number_input if field.label.startswith("Desvío")).set_value(1000.0)
        next(button for button in page.button if button.label == "Trazar").click()
        settled(page.run())
        page.session_state[state.TOWN] = "99001"
        pages["regionalizacion"] = texts(page.run())
    return Seen(pages, report)


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two home folders that keep travel in one place, since names change none of it."""
    shared = tmp_path_factory.mktemp("viajes")
    made = []
    for name in ("hostil", "sano"):
        made.append(tmp_path_factory.mktemp(name))
        (made[-1] / "data/processed").mkdir(parents=True)
        (made[-1] / "data/processed/.viajes").symlink_to(shared)
    return made[0], made[1]


@pytest.fixture(scope="module")
def benign(homes: tuple[Path, Path]) -> Seen:
    return toured(homes[1], BENIGN, "Valle")


@pytest.fixture(scope="module")
def hostile(homes: tuple[Path, Path]) -> Seen:
    return toured(homes[0], HOSTILE, REGION_NAME)


def test_every_page_is_drawn_whole_and_the_names_reach_them(hostile: Seen) -> None:
    assert {key.split()[0] for key in hostile.pages} == {leaf.path for leaf in PAGES}
    for path, shown in hostile.pages.items():
        assert not [text for field, text in shown if field.startswith("Exception") or "Error" in field], path
        assert len(shown) > 20, path
    drawn = {field: "".join(text for shown in hostile.pages.values() for one, text in shown if one == field)
             for field in ("Html:body", *AS_TEXT)}
    assert [name for name in HOSTILE if name not in drawn["Selectbox:options"] or name not in drawn["MultiSelect:options"]] == []
    assert sum(words.safe(name) in drawn["Html:body"] for name in HOSTILE) >= 9
    told = sum(words.plain(REGION_NAME) in text for shown in hostile.pages.values() for _, text in shown)
    assert told >= len(hostile.pages.keys() - {"pais"})


def test_names_add_no_tag_to_any_page(hostile: Seen, benign: Seen) -> None:
    assert hostile.pages.keys() == benign.pages.keys()
    for path in benign.pages:
        sane, odd = (sum((Tags(text).found for field, text in seen.pages[path] if field == "Html:body"), Counter())
                     for seen in (benign, hostile))
        assert odd == sane, path


def test_names_add_no_markdown_to_any_page(hostile: Seen, benign: Seen) -> None:
    """Every text but those of fields that are known to draw it as it is counts as Markdown: labels, tooltips, captions."""
    def read(field: str) -> bool:
        return field not in {*AS_TEXT, "Html:body"} and not field.startswith(("ComponentInstance", "DownloadButton"))

    for path in benign.pages:
        sane, odd = (sum((alive(text) for field, text in seen.pages[path] if read(field)), Counter()) for seen in (benign, hostile))
        assert odd == sane, path


def test_names_add_no_markup_to_what_the_map_gets(hostile: Seen, benign: Seen) -> None:
    told = 0
    for path in benign.pages:
        sane, odd = ([text for field, text in seen.pages[path] if field == "ComponentInstance:json_args"] for seen in (benign, hostile))
        assert [text.count("<") for text in odd] == [text.count("<") for text in sane], path
        assert not any(name in text for text in odd for name in HOSTILE if "<" in name or "{{" in name), path
        told += len(odd)
    assert told >= 6


def test_every_card_keeps_names_as_text(hostile: Seen, benign: Seen) -> None:
    for kind, layer in cards.LAYERS.items():
        for key in hostile.report.layers[layer].index:
            sane, odd = (Tags(cards.card(seen.report, Chosen(kind, str(key)))).found for seen in (benign, hostile))
            assert odd == sane, key


def test_files_keep_names_as_text(hostile: Seen, benign: Seen) -> None:
    for make in (brief_files, map_files):
        odd, sane = make(hostile.report), make(benign.report)
        for name in sane:
            assert Tags(odd[name].decode()).found == Tags(sane[name].decode()).found, name
            assert odd[name].count(b"</script") == sane[name].count(b"</script"), name


def test_the_workbook_holds_every_name_as_text(hostile: Seen) -> None:
    seen = set()
    book = openpyxl.load_workbook(io.BytesIO(workbook_files(hostile.report)["plan.xlsx"]))
    for cell in (cell for sheet in book for row in sheet.iter_rows() for cell in row):
        if isinstance(cell.value, str) and cell.value in HOSTILE:
            seen.add(cell.value)
            assert (cell.data_type, cell.hyperlink) == ("s", None)
    assert seen == set(HOSTILE)


@pytest.mark.parametrize("name", [*HOSTILE, REGION_NAME], ids=lambda name: ascii(name[:16]))
def test_plain_text_is_nothing_but_text(name: str) -> None:
    told = words.plain(name)
    assert not +alive(told)
    bare = re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", told)
    assert bare.replace(JOINER, "") == " ".join(re.sub(ALIVE["a turn"], "", name).split())  # nothing is lost that can be seen


# Files.

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


# Addresses.

ASKED = ("region", "escenario", "temporada", "primer-nivel", "hospital", "poblacion", "presupuesto", "permitidas", "elegida", "orden",
         "base", "otros", "ruta", "parte")
KINDS = ("selectbox", "radio", "slider", "multiselect", "button_group")
GARBAGE: tuple[str | list[str], ...] = (
    "<script>alert(1)</script>", "x" * 50_000, "NaN", "1e308", "-1", "", "[](javascript:\0\u202e)", ["<b>a</b>", *[":red[b]"] * 99])
ADDRESSED = ("datos", "brechas", "rutas", "comparar")  # pages with all of these widgets
Answered = dict[str, tuple[dict[str, Any], list[tuple[str, str]]]]


@pytest.fixture(scope="module")
def plain_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("direcciones")
    write_region(replace(valley.region(), slug="valle"), home / "data/processed/valle")
    return home


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
def unasked(plain_home: Path) -> Answered:
    with pytest.MonkeyPatch.context() as patch:
        return asked(plain_home, patch, {})


@pytest.mark.parametrize("value", GARBAGE, ids=lambda value: ascii(value)[:24])
def test_garbage_in_the_address_falls_back_to_what_is_usual(
        value: str | list[str], plain_home: Path, unasked: Answered, monkeypatch: pytest.MonkeyPatch) -> None:
    params = {key: value for key in ASKED if value or key != "permitidas"}  # to permit nothing is a question
    for path, (held, shown) in asked(plain_home, monkeypatch, params).items():
        usual, page = unasked[path]
        if value == "":  # no part of the page is a choice too
            held, usual = held | {"parte": None}, usual | {"parte": None}
        assert held == usual, path
        assert [text for field, text in shown if field == "Html:body"] == [text for field, text in page if field == "Html:body"], path
        for one in [value] if isinstance(value, str) else value:
            assert len(one) < 3 or not any(one in text for _, text in shown), path


def test_what_the_address_may_ask_is_held_to_what_there_is(plain_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = {"permitidas": ["UMR nueva", "UMR nueva", "<b>"], "presupuesto": "12.5", "parte": "Revisión", "temporada": "Lluvias",
            "poblacion": ["Población total", "<b>"]}
    datos, shown = asked(plain_home, monkeypatch, told, ("datos",))["datos"]
    assert {key: datos[key] for key in told} == {
        "permitidas": ["umr"], "presupuesto": 12.5, "parte": "Revisión", "temporada": "lluvias", "poblacion": "sin_seguridad_social"}
    assert not any("<b>" in text for field, text in shown if field != "Html:body")
    compared = {"otros": ["Base", "<b>"], "base": "El de la barra lateral"}
    held, _ = asked(plain_home, monkeypatch, compared, ("comparar",))["comparar"]
    assert (held["otros"], held["base"]) == (["Base"], "El de la barra lateral")


# Where the data are.

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


def test_files_that_are_gone_are_told_without_where_they_were(house: Path, official: Sent) -> None:
    folder = Path(preparing._store("Valle", "99", official))
    next(folder.glob("*.tif")).unlink()
    with pytest.raises(DataError, match="Falta 1 archivo") as fault:
        preparing._prepare(folder, lambda _: None)
    told = words.fault_text(fault.value, house)
    assert str(house) in str(fault.value)
    assert str(house) not in told.replace("\\", "")
    assert words.plain(f"data/raw/{folder.name}/terrain_dem_1_elevacion.tif") in told


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


# Corrections.

ONE, TWO, MOBILE, HOSPITAL = valley.FACILITIES


@pytest.fixture
def region() -> Region:
    return valley.region()


def at(region: Region, cvegeo: str) -> tuple[float, float]:
    """Latitude and longitude of a locality."""
    return float(region.localities.at[cvegeo, "lat"]), float(region.localities.at[cvegeo, "lon"])


def table(region: Region) -> pd.DataFrame:
    return pd.DataFrame(region.units).assign(geometry=region.units.geometry.to_wkt()).fillna({"flags": ""})


GOOD = Correction("NUEVA1", "Nueva", "UMR", 1, 19.93, -98.95)
BAD = {
    "key in small letters": replace(GOOD, clues="nueva1"), "key of lines": replace(GOOD, clues="NUEVA\n1"),
    "key of markup": replace(GOOD, clues="<b>x</b>"), "short key": replace(GOOD, clues="ABC"), "long key": replace(GOOD, clues="A" * 17),
    "nothing told": Correction("NUEVA1"), "no coordinates": replace(GOOD, lat=None, lon=None), "half a place": Correction(ONE, lat=19.9),
    "other half": Correction(ONE, lon=-98.9), "swapped": Correction(ONE, lat=-98.9, lon=19.9), "far": Correction(ONE, lat=21.5, lon=-98.9),
    "no number": Correction(ONE, lat=np.nan, lon=-98.9), "endless": Correction(ONE, lat=np.inf, lon=-np.inf),
    "unknown class": Correction(ONE, unit_class="<script>"), "class out of the network": Correction(ONE, unit_class="otro"),
    "less than none": Correction(ONE, nuclei=-1), "too many": Correction(ONE, nuclei=41), "no name": Correction(ONE, name=" \n"),
    "long name": Correction(ONE, name="x" * 121)}


@pytest.mark.parametrize("what", BAD)
def test_a_correction_that_cannot_be_is_refused_and_changes_nothing(what: str, region: Region) -> None:
    before = table(region)
    with pytest.raises(DataError) as fault:
        corrected(region, [Correction(TWO, name="Buena"), BAD[what]])
    told = str(fault.value)
    assert told.startswith("No se cambió ninguna unidad: ")
    assert told.endswith(".")
    assert told.count(". ") == 0
    assert told.isprintable()
    assert "<" not in told
    pd.testing.assert_frame_equal(table(region), before)
    assert not region.findings
    assert not region.inputs


@pytest.mark.parametrize("made", [
    Correction(ONE, name='<b>"Uno"</b>\u202e'), Correction(ONE, unit_class="centro_salud", nuclei=3),
    Correction(TWO, unit_class="hospital_general"), Correction(MOBILE, lat=19.93, lon=-98.95), Correction(HOSPITAL, nuclei=0), GOOD,
    replace(GOOD, unit_class="HR")], ids=lambda made: ascii(made)[:60])
def test_a_correction_changes_just_that_unit_and_is_told(made: Correction, region: Region) -> None:
    changed = corrected(region, [made])
    columns.check(schema.UNITS, changed.units, "prueba")
    assert changed.units.dtypes.to_dict() == region.units.dtypes.to_dict()
    assert changed.units.index.is_monotonic_increasing
    others = region.units.index.drop(made.clues, errors="ignore")
    pd.testing.assert_frame_equal(table(changed).loc[others], table(region).loc[others])
    for field in ("name", "unit_class", "nuclei", "lat", "lon"):
        said, before = getattr(made, field), region.units[field].get(made.clues)
        assert changed.units.at[made.clues, field] == (before if said is None else said), field
    if made.lat is None:
        assert changed.units.at[made.clues, "cve_mun"] == region.units.at[made.clues, "cve_mun"]
    assert changed.units.at[made.clues, "level"] == (2 if changed.units.at[made.clues, "role"] == "hospital" else 1)
    note, = changed.findings
    assert (note.where, note.count, note.examples) == (ROLE, 1, (made.clues,))
    assert "supuesto" in note.what
    assert [file.role for file in changed.inputs] == [ROLE]
    assert corrected(region, []) is region


def test_corrections_of_one_unit_add_up(region: Region) -> None:
    """The form tells only what differs from what the page shows, earlier corrections included."""
    lat, lon = at(region, "990020001")
    made = [Correction(ONE, name="Primera"), Correction(ONE, nuclei=4), Correction(ONE, name="Segunda"), GOOD,
            Correction("NUEVA1", lat=lat, lon=lon)]
    units = corrected(region, made).units
    assert (units.at[ONE, "name"], units.at[ONE, "nuclei"]) == ("Segunda", 4)
    assert (units.at["NUEVA1", "name"], units.at["NUEVA1", "lat"], units.at["NUEVA1", "cve_mun"]) == ("Nueva", lat, "99002")
    assert corrected(region, made).inputs != corrected(region, made[:-1]).inputs


def test_what_a_correction_answers_is_no_longer_flagged(region: Region) -> None:
    flagged = replace(region, units=region.units.assign(flags="nucleos_supuestos,movil_por_nombre,estatus_en_blanco"))
    told = {name: corrected(flagged, [made]).units.at[TWO, "flags"].split(",") for name, made in (
        ("nuclei", Correction(TWO, nuclei=2)), ("class", Correction(TWO, unit_class="UMR")), ("name", Correction(TWO, name="x")))}
    assert told == {"nuclei": ["movil_por_nombre", "estatus_en_blanco"], "class": ["nucleos_supuestos", "estatus_en_blanco"],
                    "name": ["nucleos_supuestos", "movil_por_nombre", "estatus_en_blanco"]}


def nearest(region: Region) -> pd.Series:
    found = compute_travel(region, Scenario()).nearest["primer_nivel", "a_pie"]
    return found["minutes"]


def test_a_unit_that_moves_takes_its_minutes_along(region: Region) -> None:
    """Unit one goes from beside A to where D is: D has it at home, and A walks past where it stood, then as D walked before."""
    lat, lon = at(region, "990020001")
    before, after = nearest(region), nearest(corrected(region, [Correction(ONE, lat=lat, lon=lon)]))
    assert before["990010001"] == pytest.approx(2 * 11.912, abs=0.01)  # two cells at the walking speed of level ground
    assert after["990020001"] == 0
    assert after["990010001"] > before["990010001"]
    assert after["990010003"] == before["990010003"] == 0  # unit two stays
    assert after["990010001"] == pytest.approx(before["990020001"] + 2 * 11.912, abs=0.1)


@pytest.mark.parametrize("cvegeo", ["990010001", "990010002", "990020002", "990020003"])
def test_a_new_unit_lengthens_nobodys_way(cvegeo: str, region: Region) -> None:
    lat, lon = at(region, cvegeo)
    before, after = nearest(region), nearest(corrected(region, [replace(GOOD, lat=lat, lon=lon)]))
    assert (after <= before).all()
    assert after[cvegeo] == 0
    assert (after[before > 0] < before[before > 0]).any()


def test_the_form_refuses_what_changes_nothing_and_tells_what_is_wrong(plain_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLANNER_HOME", str(plain_home))
    page = AppTest.from_file(APP, default_timeout=60)
    page.query_params["parte"] = "Corregir unidades"
    visit(page, "datos")
    next(one for one in page.selectbox if one.label == "Unidad").set_value(ONE).run()
    next(button for button in page.button if button.label == "Aplicar").click().run()
    assert "No hay nada que aplicar" in page.info[0].value
    next(field for field in page.text_input if field.label == "Nombre").set_value("   ")
    next(button for button in page.button if button.label == "Aplicar").click().run()
    assert "de 1 a 120 letras" in page.error[0].value
    next(field for field in page.text_input if field.label == "Nombre").set_value("<b>Uno</b> [x](https://evil.example)")
    next(button for button in page.button if button.label == "Aplicar").click().run()
    next(field for field in page.number_input if field.label.startswith("Núcleos")).set_value(3)
    next(button for button in page.button if button.label == "Aplicar").click().run()
    assert not page.exception
    assert not page.error
    made = page.session_state[state._UNITS]["valle"]
    assert len(made) == 2
    assert Correction(ONE, "<b>Uno</b> [x](https://evil.example)", nuclei=3) == replace(made[0], nuclei=made[1].nuclei)
    assert not any("<b>Uno" in text for field, text in texts(page) if field not in AS_TEXT and field != "TextInput:default")
