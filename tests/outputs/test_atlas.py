"""The pages to print at their fullest: whatever a run or a district holds, one page each, and nothing of it lost without a word."""

import html
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import valley

from planner.assumptions import Regional
from planner.model import InputFile
from planner.outputs.atlas import atlas_files
from planner.outputs.brief import brief_files
from planner.outputs.report import Report, report_of
from planner.outputs.webpage import shortened
from planner.scenarios import regionalized, run_scenario
from planner.schema import KINDS
from planner.settings import Scenario

CHROMIUM = shutil.which("chromium")
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--no-pdf-header-footer")
NAME = "CENTRO DE SALUD CON SERVICIOS AMPLIADOS DE SAN JUAN BAUTISTA DE LAS MINAS DEL REAL DE ARRIBA"
# As long as the longest reasons of Hidalgo and of the synthetic region.
REASON = ("la unidad responde por 15,669 personas y tiene lugar para 6,866 personas (suficiencia 44%): 8,803 personas no caben y viven a "
          "menos de 90 min a pie de ella, rezago muy alto; ") * 3
LACK = "ningún equipo llega en vehículo desde una unidad fija: primera parada a más de 90 min, o de parada a parada más de 90 minutos"


def repeated(table: gpd.GeoDataFrame, times: int, **values: Any) -> gpd.GeoDataFrame:
    """The rows so many times, under keys of their own."""
    many = pd.concat([table.iloc[[0]]] * times)
    keys = pd.Index([f"{table.index[0]}{i:02d}" for i in range(times)], name=table.index.name)
    return gpd.GeoDataFrame(many.set_axis(keys).assign(**values), geometry="geometry", crs=table.crs)


def stuffed(report: Report) -> Report:
    """The report with more of everything in its first district than a page holds, and a plan of every kind."""
    layers, told = dict(report.layers), dict(report.indicators)
    places = layers["localidades"]
    home = places["distrito_propuesto"].iloc[0]
    units = layers["unidades"][layers["unidades"]["distrito_propuesto"] == home]
    layers["localidades"] = pd.concat([places, repeated(
        places, 40, nom_loc=NAME, nom_mun=[f"San Agustín Metzquititlán {i}" for i in range(40)],
        brecha_ponderada_plan=np.arange(40) + 900.0, poblacion=1_234_567.0,
        min_primer_nivel_plan=179.9, min_hospital_plan=359.9, grado_rezago="Muy alto", motivo=LACK)])
    layers["unidades"] = pd.concat([layers["unidades"], repeated(units, 20, nombre=NAME, suficiencia=0.5, funcion="primer_nivel"),
                                    repeated(units.iloc[1:], 5, nombre=NAME, funcion="hospital")])
    seats = layers["propuestas"]
    layers["propuestas"] = pd.concat([
        seats, repeated(seats, 30, tipo="plaza", nombre=NAME, motivo=REASON, clues=units.index[0], cvegeo=None)])
    routes = layers["propuestas"].index[-6:]
    stop = gpd.GeoDataFrame({"elemento": "parada", "tipo": "umm", "base": NAME, "nom_loc": "Rancho Nuevo del Encinal de Arriba",
                             "dias": "3, 13", "orden": np.tile(np.arange(10), 6), "ruta": np.repeat(routes, 10)},
                            geometry=[places.geometry.iloc[0]] * 60, crs=places.crs)
    layers["rutas"] = pd.concat([layers["rutas"], stop])
    block = {"numero": 1234, "costo_anual": 123456789.0, "costo_inversion": 1234567890.0, "personas": 1234567.0,
             "brecha_ponderada_cerrada": 123456.0}
    told["plan"] = {**told["plan"], "por_tipo": dict.fromkeys(KINDS, block)}
    inputs = tuple(InputFile("units.files", f"ESTABLECIMIENTO_SALUD_2025{i:02d}_estado.xlsx", "0" * 64, 1, "2025-01") for i in range(20))
    region = replace(report.run.region, inputs=inputs, name="Veracruz de Ignacio de la Llave")
    return replace(report, run=replace(report.run, region=region), layers=layers, indicators=told)


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Report:
    prepared = tmp_path_factory.mktemp("prepared")
    (prepared / "manifest.json").write_text('{"inputs": []}')
    run = run_scenario(valley.region(), Scenario(budget_mxn_year=5e6, capacity_people_per_nucleo=1000.0, curve_points=3,
                                                    regional=Regional(districts=2, district_tolerance=5.0)))
    return stuffed(report_of(regionalized(run), prepared))


@pytest.fixture(scope="module")
def pages(full: Report) -> dict[str, str]:
    return {name: content.decode() for name, content in (brief_files(full) | atlas_files(full)).items()}


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed: .ci/run installs it")
@pytest.mark.parametrize("name", ["informe.html", "atlas/01_d01.html"])
def test_a_full_page_still_prints_on_one(tmp_path: Path, pages: dict[str, str], name: str) -> None:
    (tmp_path / "page.html").write_text(pages[name], encoding="utf-8")
    subprocess.run([str(CHROMIUM), *FLAGS, f"--user-data-dir={tmp_path / 'profile'}", f"--print-to-pdf={tmp_path / 'page.pdf'}",
                    (tmp_path / "page.html").as_uri()], check=True, capture_output=True, timeout=90)
    assert len(re.findall(rb"/Type\s*/Page\b", (tmp_path / "page.pdf").read_bytes())) == 1


def test_what_a_page_leaves_out_is_counted(full: Report, pages: dict[str, str]) -> None:
    page = pages["atlas/01_d01.html"]
    table = page[page.index("Qué se propone aquí"):page.index("Rutas móviles")]
    left = int(re.findall(r"Y (\d+) más en propuestas\.geojson", table)[0])
    clues = set(full.layers["unidades"].query("distrito_propuesto == 'D01'").index)
    seats = full.layers["propuestas"]
    places = set(full.layers["localidades"].query("distrito_propuesto == 'D01'").index)
    assert table.count("<tr>") - 1 + left == (seats["clues"].isin(clues) | seats["cvegeo"].isin(places)).sum()
    routes = page[page.index("Rutas móviles"):page.index("Localidades donde más falta")]
    assert routes.count("desde") + int(re.findall(r"Y (\d+) más en calendario\.csv", routes)[0]) == full.layers["rutas"]["ruta"].nunique()


def test_the_worst_localities_are_the_ten_that_lack_most(pages: dict[str, str], full: Report) -> None:
    page = pages["atlas/01_d01.html"]
    rows = re.findall(r"<tr><td>(.*?)</td>", page[page.index("Localidades donde más falta"):])
    places = full.layers["localidades"].query("distrito_propuesto == 'D01'")
    worst = places.sort_values("brecha_ponderada_plan", ascending=False, kind="stable").head(10)
    assert rows == [html.escape(shortened(name, 34)) for name in worst["nom_loc"]]


def test_pages_lead_to_one_another(pages: dict[str, str]) -> None:
    names = sorted(name.removeprefix("atlas/") for name in pages if re.match(r"atlas/\d", name))
    assert len(names) > 1
    assert re.findall(r"<a href='(\d[^']*)'", pages["atlas/index.html"]) == names
    for at, name in enumerate(names):
        links = re.findall(r"<a href='([^']*)'", pages[f"atlas/{name}"].partition("</nav>")[0])
        assert links == [*names[max(at - 1, 0):at], "index.html", *names[at + 1:at + 2]]
