"""What the community organises in each locality: health houses, auxiliaries, midwives, volunteers and committees."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from planner.errors import DataError
from planner.model import Finding
from planner.schema import COMMUNITY
from planner.sources.files import codes, fold, headers_by_word, read_text_table, refuse_repeated, whole_numbers

KEYS = ("cvegeo", "cve geo", "clave de localidad")
# Headers (folded, `_` as a space) of each column of the schema.
HEADERS: dict[str, tuple[str, ...]] = {
    "health_house": ("casa de salud", "casas de salud"),
    "auxiliaries": ("auxiliares", "auxiliares de salud", "auxiliar de salud"),
    "midwives": ("parteras", "parteras tradicionales", "partera"),
    "volunteers": ("voluntarios", "voluntarias", "voluntarios de salud", "voluntarios rurales"),
    "committee": ("comite", "comites", "comite de salud", "comites de salud"),
}
NO, YES = ("no", "0", "ninguna", "ninguno", "sin"), ("si", "x")


def read_community(path: Path, localities: pd.Index) -> tuple[pd.DataFrame, tuple[Finding, ...]]:
    """The table of community organisation as schema.COMMUNITY (index cvegeo, sorted), and what is to be said of it.

    Columns that the file lacks and blanks are missing, never 0; only «no» or 0 says that there is no health house or committee.
    Localities out of the census are left out, counted. DataError where there is no key, none of the columns, a repeated or
    malformed CVEGEO, a negative, a fraction, or no locality of the region.
    """
    table = read_text_table(path)
    headers = headers_by_word(table)
    key = next((headers[h] for h in KEYS if h in headers), None)
    found = {name: next((headers[h] for h in known if h in headers), None) for name, known in HEADERS.items()}
    if key is None or not any(found.values()):
        raise DataError(f"{path.name}: se espera CVEGEO y alguna de casa_de_salud, auxiliares, parteras, voluntarios o comite; trae "
                        f"{', '.join(list(table.columns)[:8])}; póngales esos nombres.")
    places = pd.Index(codes(table[key], 9, path.name), name="cvegeo")
    refuse_repeated(places.rename(key), path.name)
    told = table.set_axis(places)
    blank = pd.Series(None, places, dtype="str")
    text = {name: blank if header is None else told[header] for name, header in found.items()}
    folded = text["health_house"].fillna("").map(fold)
    rows = pd.DataFrame({
        "health_house": text["health_house"].mask(folded.isin(NO)),
        **{name: whole_numbers(text[name], path.name, low=0) for name in ("auxiliaries", "midwives", "volunteers")},
        "committee": whole_numbers(_yes_or_no(text["committee"]), path.name, low=0)}, index=places)
    known_places = rows[places.isin(localities)].sort_index()
    if known_places.empty:
        raise DataError(f"{path.name}: ninguna localidad está en el censo de la región; ¿es la tabla de otro estado?")
    return known_places[COMMUNITY.names()], (
        *Finding.of("comunidad_fuera_del_censo", "aviso", "Filas de organización comunitaria de localidades que no están en el censo: "
                    "se omiten", path.name, places.difference(localities), "Revise CVEGEO contra el censo."),
        *Finding.of("sin_comunidad", "nota", "Localidades que no están en la tabla de organización comunitaria: no se sabe qué tienen",
                    path.name, localities.difference(places)))


def _yes_or_no(text: pd.Series) -> pd.Series:
    """`sí` or `x` as 1 and `no` as 0; the rest as it is."""
    folded = text.fillna("").map(fold)
    return text.mask(folded.isin(YES), "1").mask(folded.isin(NO), "0")
