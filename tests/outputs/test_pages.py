"""Pages to print and to open from a disk: every number is the one of indicadores.json, text stays text, nothing is asked of any host."""

import html
import json
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import valley

from planner.outputs import charts
from planner.outputs.atlas import atlas_files
from planner.outputs.brief import brief_files
from planner.outputs.chartmaps import GAIN_COLORS, draw, gain_panel, score_panel
from planner.outputs.comparison import compare
from planner.outputs.comparisonfolder import comparison_files
from planner.outputs.finished import finished
from planner.outputs.mappage import map_files
from planner.outputs.maps import NO_DATA, SCORE_COLORS
from planner.outputs.report import Report, report_of
from planner.outputs.webpage import amount
from planner.scenarios import regionalized, run_scenario
from planner.settings import Scenario

HOSTILE = "<img src=x onerror=alert(1)>'\"&{{b}}</script>"
CHROMIUM = shutil.which("chromium")
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--no-pdf-header-footer")


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("prepared")
    (folder / "manifest.json").write_text('{"inputs": []}')
    return folder


def reported(prepared: Path, called: str | None = None, **question: Any) -> Report:
    """The valley's run, every name of it hostile if one is given."""
    region = valley.region()
    if called is not None:
        region = replace(region, name=called, localities=region.localities.assign(name=called, municipality=called),
                         units=region.units.assign(name=called), municipalities=region.municipalities.assign(name=called))
    run = run_scenario(region, Scenario(**{"budget_mxn_year": 5e6, "capacity_people_per_nucleo": 1000.0, **question}))
    return report_of(regionalized(run), prepared)


@pytest.fixture(scope="module")
def report(prepared: Path) -> Report:
    return reported(prepared, curve_points=3)


@pytest.fixture(scope="module")
def pages(report: Report) -> dict[str, bytes]:
    return brief_files(report) | atlas_files(report) | map_files(report)


def test_the_fixture_has_something_to_tell(report: Report) -> None:
    assert len(report.layers["propuestas"])
    assert report.indicators["curva"]["puntos"]


def test_every_number_is_the_one_of_the_indicators(report: Report, pages: dict[str, bytes]) -> None:
    """What is shown is the exact value, rounded; the exact value is what stands in indicadores.json at that place."""
    counts = {}
    for name, page in pages.items():
        told = re.findall(r"<data value='([^']*)' data-clave='([^']*)'>([^<]*)</data>", page.decode())
        counts[name] = len(told)
        for exact, path, shown in told:
            value: Any = report.indicators
            for key in html.unescape(path).split("/"):
                value = value[key]
            if value is None:
                assert (exact, shown) == ("", "sin dato")
                continue
            assert float(exact) == value
            number, digits = float(shown.replace(",", "").replace(" M", "")), len(shown.replace(" M", "").partition(".")[2])
            assert number == pytest.approx(value / (1e6 if "costo" in path or "presupuesto" in path else 1), abs=0.5 * 10**-digits + 1e-9)
    assert counts["informe.html"] > 50
    assert counts["atlas/index.html"] >= 5
    assert all(n > 20 for name, n in counts.items() if name.startswith("atlas/0"))


def test_no_bare_number_stands_where_the_indicators_have_one(pages: dict[str, bytes]) -> None:
    """The KPI table holds nothing but numbers that say where they stand, and their change."""
    brief = pages["informe.html"].decode()
    kpis = brief[brief.index("Qué cambia"):brief.index("Qué se compra")]
    for row in re.findall(r"<tr><td>(.*?)</tr>", kpis, flags=re.S):
        assert row.count("<data ") == 2, row


def test_pages_ask_nothing_of_any_host_and_equal_runs_give_equal_bytes(report: Report, pages: dict[str, bytes]) -> None:
    for name, page in pages.items():
        text = re.sub(r"http://www\.w3\.org/\S+|https?://leafletjs\.com\S*|http://purl\.org\S*|http://creativecommons\.org\S*", "",
                      page.decode())
        assert not re.search(r"""(src|href|url)\s*[=(]\s*["']?\s*(https?:)?//""", text), name
        assert "sourceMappingURL" not in text
    assert brief_files(report) | atlas_files(report) | map_files(report) == pages


def test_names_stay_text(prepared: Path) -> None:
    odd = reported(prepared, HOSTILE)
    other = finished(reported(prepared, HOSTILE, season="lluvias", name="lluvias"))
    made = brief_files(odd) | atlas_files(odd) | map_files(odd)
    made["comparacion.html"] = comparison_files(compare([finished(odd), other]))["comparacion.html"]
    for name, page in made.items():
        assert b"<img src=x" not in page, name
        assert b"{{b}}" not in page.replace(html.escape(HOSTILE).encode(), b""), name
        assert page.count(b"</script>") == (3 if name == "mapa.html" else 0)
    assert html.escape(HOSTILE).encode() in made["informe.html"]
    assert all(re.fullmatch(r"atlas/(index|\d\d_[a-z0-9_]+)\.html", name) for name in made if name.startswith("atlas/"))


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed: .ci/run installs it")
def test_the_brief_prints_on_one_page(tmp_path: Path, pages: dict[str, bytes]) -> None:
    (tmp_path / "informe.html").write_bytes(pages["informe.html"])
    subprocess.run([str(CHROMIUM), *FLAGS, f"--user-data-dir={tmp_path / 'profile'}", f"--print-to-pdf={tmp_path / 'informe.pdf'}",
                    (tmp_path / "informe.html").as_uri()], check=True, capture_output=True, timeout=90)
    assert len(re.findall(rb"/Type\s*/Page\b", (tmp_path / "informe.pdf").read_bytes())) == 1


def test_classes_are_fixed_and_what_is_unknown_is_grey(report: Report) -> None:
    places = report.layers["localidades"].assign(puntaje_brecha_plan=[np.nan, 0.0, 10.0, 10.1, 60.0, 100.0])
    panel = score_panel("x", places, plan=True)
    colors = dict(zip(panel.points.index, panel.colors, strict=True))
    assert [colors[i] for i in places.index] == [NO_DATA, *(SCORE_COLORS[k] for k in (0, 0, 1, 4, 5))]
    gained = pd.Series([np.nan, 0.0, 0.5, 50.0, -1000.0, 1000.0], index=places.index)
    shown = gain_panel("x", places, gained)
    colors = dict(zip(shown.points.index, shown.colors, strict=True))
    assert [colors[i] for i in places.index] == [NO_DATA, GAIN_COLORS[3], GAIN_COLORS[3], GAIN_COLORS[5], GAIN_COLORS[0], GAIN_COLORS[6]]
    assert tuple(GAIN_COLORS[::-1])[::-1] == GAIN_COLORS


def test_figures_are_the_same_bytes_whatever_the_user_set(report: Report) -> None:
    import matplotlib as mpl

    told = report.indicators
    def made() -> list[Any]:
        minutes = charts.minutes_curve({"a pie": np.array([1.0, np.inf])}, np.array([3.0, 4.0]), 60)
        figures = [charts.budget_curve(told["curva"]["puntos"]), charts.closed_by_kind(told["plan"]["por_tipo"]),
                   charts.reach(told["total"]), charts.gap_by_grade(told["por_grado"]), minutes]
        panel = score_panel("x", report.layers["localidades"], report.layers["propuestas"])
        return [*(charts.svg(figure) for figure in figures), charts.png(draw([panel, panel]))]
    first = made()
    with mpl.rc_context({"font.size": 20.0, "axes.facecolor": "red"}):
        assert made() == first
    curve = charts.budget_curve(told["curva"]["puntos"]).axes[0]
    plan = next(line for line in curve.lines if line.get_label() == "plan")
    assert [y * 1e3 for y in plan.get_ydata()][1:] == pytest.approx([p["cierra"] for p in told["curva"]["puntos"]])


def test_a_comparison_is_written_whole_with_the_same_bytes(report: Report, prepared: Path) -> None:
    other = reported(prepared, season="lluvias", name="lluvias")
    found = compare([finished(report), finished(other)])
    files = comparison_files(found)
    assert files == comparison_files(found)
    assert {"comparacion.html", "comparacion.xlsx", "comparacion.json", "diferencia.geojson", "localidades.csv", "unidades.csv",
            "propuestas.csv"} == set(files)
    assert json.loads(files["comparacion.json"])["corridas"][0]["nombre"] == "lluvias"
    assert len(json.loads(files["diferencia.geojson"])["features"]) == len(found.localities)


def test_amounts_are_read_as_people_write_them() -> None:
    assert [amount(v) for v in (0.0, -0.4, 1234567.0, float("inf"), None)] == ["0", "0", "1,234,567", "sin dato", "sin dato"]
