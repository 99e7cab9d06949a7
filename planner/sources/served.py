"""People served by each unit year by year (PA), and the target that is published with them (PO)."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from planner.errors import DataError
from planner.model import Finding
from planner.schema import SERVED
from planner.sources.files import headers_by_word, numbers, read_text_table, some, whole_numbers
from planner.sources.responsibility import current, unit_keys

# Headers (folded, `_` as a space) of each column of the schema.
HEADERS: dict[str, tuple[str, ...]] = {
    "clues": ("clues", "clues imb", "clave clues"),
    "year": ("anio", "ano", "year", "ejercicio"),
    "people": ("pa", "poblacion atendida", "personas atendidas", "atendidos"),
    "target": ("po", "poblacion objetivo"),
}


def read_served(path: Path, units: pd.DataFrame, set_aside: pd.DataFrame) -> tuple[pd.DataFrame, tuple[Finding, ...]]:
    """CLUES, ANIO, PA and, where given, PO as schema.SERVED (long, sorted by unit and year), and what is to be said of them.

    Former codes become today's, unless today's has its own row of that year; rows of units that do not stand and rows
    without PA are left out, counted: a blank is never 0. DataError for missing columns, a blank or broken year, a unit twice
    in one year, negatives, or a table without any unit of the region.
    """
    table = read_text_table(path)
    rows, published = _rows(table, _columns(table, path), path)
    today = current(published, units, set_aside)
    rows = rows.assign(clues=today, former=today != published)
    told, known = rows["people"].notna(), rows["clues"].notna()
    if not known.any():
        raise DataError(f"{path.name}: ninguna CLUES está en los archivos de unidades de la región; ¿es de otro estado?")
    kept = rows[told & known].sort_values(["clues", "year", "former", "published"])  # today's own row first
    twice = kept.duplicated(["clues", "year"])
    return kept.loc[~twice, ["clues", *SERVED.names()]].reset_index(drop=True), (
        *Finding.of("atendida_desconocida", "aviso", "Filas de población atendida cuya CLUES no está en los archivos de unidades: se "
                    "omiten", path.name, published[~known], "Agregue un catálogo que tenga esas claves."),
        *Finding.of("atendida_en_blanco", "aviso", "Filas sin población atendida: se omiten, no cuentan como 0", path.name,
                    published[~told], "Escriba la población atendida, con 0 donde no hubo."),
        *Finding.of("atendida_dos_claves", "aviso", "Años que la unidad informa con su clave y con una anterior: solo cuenta la vigente",
                    path.name, kept.loc[twice, "published"], "Deje una fila por unidad y año."))


def _columns(table: pd.DataFrame, path: Path) -> dict[str, str]:
    headers = headers_by_word(table)
    found = {name: next((headers[h] for h in known if h in headers), "") for name, known in HEADERS.items()}
    words = {"clues": "CLUES", "year": "ANIO", "people": "PA"}
    missing = [word for name, word in words.items() if not found[name]]
    if missing:
        raise DataError(f"{path.name}: no se reconoce la columna {', '.join(missing)}; trae {', '.join(list(table.columns)[:8])}; "
                        "póngale ese nombre.")
    return found


def _rows(table: pd.DataFrame, columns: dict[str, str], path: Path) -> tuple[pd.DataFrame, pd.Series]:
    """Year, people and target by row, and the codes as published."""
    published = unit_keys(table[columns["clues"]], path)
    keyed = table.set_axis(pd.Index(published))
    year = whole_numbers(keyed[columns["year"]], path.name, low=0)
    if year.isna().any():
        raise DataError(f"{path.name}: «{columns['year']}» está en blanco en {some(year.index[year.isna()])}; escriba el año.")
    target = keyed[columns["target"]] if columns["target"] else pd.Series(None, keyed.index, dtype="str", name="PO")
    rows = pd.DataFrame({
        "published": published.to_numpy(), "year": year.to_numpy("int64"),
        "people": numbers(keyed[columns["people"]], path.name, low=0).to_numpy(),
        "target": numbers(target, path.name, low=0).to_numpy()}, index=published.index)
    twice = rows.duplicated(["published", "year"])
    if twice.any():
        raise DataError(f"{path.name}: más de una fila de la misma CLUES y año en {some(published[twice].tolist())}; deje una.")
    return rows, published
