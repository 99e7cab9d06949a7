"""Hostile names of places, units and regions: on every page and in every file, text stays text."""

import io
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from html.parser import HTMLParser
from pathlib import Path

import geopandas as gpd
import openpyxl
import pandas as pd
import pytest
import valley
from drawn_page import APP, AS_TEXT, JOINER, RICH, settled, texts, visit
from shapely.geometry import box
from streamlit import config
from streamlit.testing.v1 import AppTest

from planner.corrections import Correction
from planner.model import Region
from planner.outputs.brief import brief_files
from planner.outputs.mappage import map_files
from planner.outputs.report import Report
from planner.outputs.workbook import workbook_files
from planner.store import write_region
from planner.ui import cards, state, words
from planner.ui.page import PAGES
from planner.ui.state import Chosen
from planner.ui.work import desk

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
PARTS = ("Qué datos hay", "Revisión", "Supuestos", "Corregir unidades", "Preparar una región")
# What Streamlit 1.67 turns into something else, most of it after escapes are gone (StreamlitMarkdown, remark-gfm).
ALIVE = {
    "a link": r"(?i)(https?://|www\.)[-.\w]", "an address": r"[-.\w+]+@[-\w]+\.[-\w]", "an icon": r":material[/_]\w",
    "a logo": ":streamlit:", "an emoji": r":[\w+-]+:", "an arrow": r"(^|\s)(<->|->|<-|--|>=|<=|~=)(\s|$)", "a line": r"\n",
    "a turn": "[\u202a-\u202e\u2066-\u2069]"}


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
