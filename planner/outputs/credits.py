"""Who publishes what a region was made from, under which terms, and how to say so."""

from __future__ import annotations

import pandas as pd

from planner import schema
from planner.model import InputFile, Region
from planner.outputs.exporting import csv_bytes, exported
from planner.outputs.report import Report
from planner.words import SOURCES

CREDITS_FILE = "fuentes.csv"
_INEGI = ("Términos de Libre Uso de la Información del INEGI", "Fuente: INEGI")
_OPEN = "Libre Uso MX (datos.gob.mx)"
_OWN = ("según quien lo entregó", "según quien lo entregó")
# role of an input -> terms, attribution
_TERMS: dict[str, tuple[str, str]] = {
    "localities.iter": _INEGI, "localities.catalogue": _INEGI, "roads.rnc": _INEGI,
    "deprivation.municipalities": (_OPEN, "Fuente: CONEVAL"), "deprivation.localities": (_OPEN, "Fuente: CONEVAL"),
    "units.files": (_OPEN, "Fuente: Secretaría de Salud, Catálogo CLUES"),
    "units.resources": (_OPEN, "Fuente: Secretaría de Salud, SINERHIAS"),
    "roads.osm": ("Open Database License (ODbL) 1.0", "© OpenStreetMap contributors"),
    "population.raster": ("según su editor; WorldPop: CC BY 4.0", "Fuente: el editor del ráster (WorldPop, www.worldpop.org)"),
    "terrain.dem": ("según su editor; INEGI y SRTM: libre uso", "Fuente: el editor del modelo de elevación")}


def credits_table(region: Region) -> pd.DataFrame:
    """Each input of a region with publisher, terms and attribution: schema.CREDITS under its export names, in the inputs' order.

    DataError if it breaks its declaration.
    """
    rows = [_credit(file, region.synthetic) for file in region.inputs]
    return exported((schema.CREDITS,), pd.DataFrame(rows, columns=[c.name for c in schema.CREDITS.all()]), CREDITS_FILE)


def attributions(region: Region) -> list[str]:
    """How to cite the inputs of a region, each publisher once; what was handed over is cited in fuentes.csv only."""
    said = dict.fromkeys(_credit(file, region.synthetic)[5] for file in region.inputs)
    return [words for words in said if words != _OWN[1]]


def source(file: InputFile, synthetic: bool) -> tuple[str, str]:
    """What an input file tells and who publishes it; nobody does where the region is made up."""
    what, publisher = SOURCES.get(file.role, (file.role, "no se dice"))
    return what, "inventado (región SINTÉTICA)" if synthetic else publisher


def cutoffs(region: Region) -> str:
    """The cut-off dates of a region's inputs, by what they tell, as one reads them."""
    dates: dict[str, set[str]] = {}
    for file in region.inputs:
        if file.cutoff:
            dates.setdefault(source(file, synthetic=False)[0].lower(), set()).add(file.cutoff)
    return ", ".join(f"{what} {' y '.join(sorted(found))}" for what, found in dates.items()) or "no publicada"


def credit_files(report: Report) -> dict[str, bytes]:
    """fuentes.csv."""
    return {CREDITS_FILE: csv_bytes(credits_table(report.run.region))}


def _credit(file: InputFile, synthetic: bool) -> tuple[str, ...]:
    what, publisher = source(file, synthetic)
    terms, said = ("ninguno", "Región SINTÉTICA") if synthetic else _TERMS.get(file.role, _OWN)
    return file.role, file.name, what, publisher, terms, said, file.cutoff or "no publicada", file.sha256
