"""Every input says who publishes it and under which terms; hostile names stay text."""

import csv
import io
from dataclasses import replace

import pytest
import valley

from planner import schema
from planner.model import InputFile, Region
from planner.outputs.credits import attributions, credits_table, source
from planner.outputs.exporting import csv_bytes
from planner.outputs.layers import TABLES
from planner.outputs.styles import TITLES
from planner.words import SOURCES


def region(*roles: str, name: str = "archivo.x", synthetic: bool = False, cutoff: str | None = "2020") -> Region:
    files = tuple(InputFile(role, name, f"{i:064x}", 1, cutoff) for i, role in enumerate(roles))
    return replace(valley.region(), synthetic=synthetic, inputs=files)


# As their publishers ask for it.
@pytest.mark.parametrize(("role", "publisher", "terms", "attribution"), [
    ("localities.iter", "INEGI", "Términos de Libre Uso de la Información", "INEGI"),
    ("localities.catalogue", "INEGI", "Términos de Libre Uso de la Información", "INEGI"),
    ("roads.rnc", "INEGI", "Términos de Libre Uso de la Información", "INEGI"),
    ("deprivation.municipalities", "CONEVAL", "Libre Uso MX", "CONEVAL"),
    ("deprivation.localities", "CONEVAL", "Libre Uso MX", "CONEVAL"),
    ("units.files", "Secretaría de Salud", "Libre Uso MX", "Secretaría de Salud"),
    ("roads.osm", "OpenStreetMap", "ODbL) 1.0", "© OpenStreetMap contributors"),
    ("units.resources", "SINERHIAS", "Libre Uso MX", "SINERHIAS"),
    ("population.raster", "el editor del ráster", "WorldPop: CC BY 4.0", "WorldPop"),
    ("terrain.dem", "el editor del ráster", "INEGI y SRTM: libre uso", "el editor del modelo de elevación"),
    ("terrain.slope", "planeación estatal", "según quien lo entregó", "según quien lo entregó"),
    ("no.such", "no se dice", "según quien lo entregó", "según quien lo entregó")])
def test_a_source_says_its_terms(role: str, publisher: str, terms: str, attribution: str) -> None:
    told = credits_table(region(role)).reset_index().iloc[0]
    assert told["papel"] == role
    assert publisher in told["fuente"]
    assert terms in told["terminos"]
    assert attribution in told["atribucion"]


def test_a_made_up_region_owes_nobody() -> None:
    told = credits_table(region("roads.osm", "units.files", synthetic=True))
    assert set(told["fuente"]) == {"inventado (región SINTÉTICA)"}
    assert set(told["terminos"]) == {"ninguno"}
    assert not told["atribucion"].str.contains("OpenStreetMap").any()


def test_each_publisher_is_cited_once() -> None:
    assert attributions(region("roads.osm", "terrain.slope", "localities.iter", "roads.rnc")) == [
        "© OpenStreetMap contributors", "Fuente: INEGI"]
    assert attributions(region()) == []


def test_every_known_role_has_words_of_its_own() -> None:
    told = [source(file, synthetic=False) for file in region(*SOURCES).inputs]
    assert all(what and publisher and what not in SOURCES for what, publisher in told)


def test_sources_csv_reads_back_whole_whatever_the_name() -> None:
    name = '=cmd()|"x",<img src=x onerror=alert(1)>\nñ.csv'
    given = region("roads.osm", "roads.osm", "units.files", name=name, cutoff=None)
    rows = list(csv.DictReader(io.StringIO(csv_bytes(credits_table(given)).decode("utf-8"), newline="")))
    assert list(rows[0]) == [c.export for c in schema.CREDITS.all()]
    assert [row["sha256"] for row in rows] == [file.sha256 for file in given.inputs]  # in their order, repeated roles too
    assert {row["archivo"] for row in rows} == {name}
    assert {row["fecha_corte"] for row in rows} == {"no publicada"}


def test_every_layer_has_a_title() -> None:
    assert set(TABLES) | {"paradas"} == set(TITLES)
