"""Rooms and staff of the units (SINERHIAS), under the headers that its layouts use.

The published columns vary from year to year and from state to state, so several headers are known for each figure.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from planner.errors import DataError
from planner.model import Finding
from planner.schema import RESOURCES
from planner.sources.files import headers_by_word, read_text_table, refuse_repeated, whole_numbers
from planner.sources.responsibility import current, unit_keys

KEYS = ("clues", "clues imb", "clave clues")
# Headers (folded, `_` as a space) of the parts that add up to a figure; each part has its spellings.
PARTS: dict[str, tuple[tuple[str, ...], ...]] = {
    "rooms": (("consultorios de medicina general", "consultorios medicina general", "consultorios generales"),
              ("consultorios de medicina familiar", "consultorios medicina familiar", "consultorios familiares")),
    "physicians": (("medicos generales", "medicos generales en contacto con el paciente", "medicos generales y familiares",
                    "medicos generales o familiares"),
                   ("medicos familiares", "medicos familiares en contacto con el paciente"),
                   ("medicos pasantes", "pasantes de medicina", "medicos pasantes en servicio social")),
    "nurses": (("enfermeras generales", "enfermeras generales en contacto con el paciente"),
               ("enfermeras auxiliares", "auxiliares de enfermeria", "enfermeras auxiliares en contacto con el paciente"),
               ("enfermeras pasantes", "pasantes de enfermeria", "enfermeras pasantes en servicio social")),
}
# Headers of the whole figure, taken where none of its parts is there.
WHOLE: dict[str, tuple[str, ...]] = {
    "rooms": ("consultorios de medicina general o familiar", "consultorios de medicina general y familiar", "consultorios",
              "total de consultorios", "total consultorios"),
    "physicians": ("medicos", "total de medicos", "medicos en contacto con el paciente", "total de medicos en contacto con el paciente"),
    "nurses": ("enfermeras", "total de enfermeras", "enfermeras en contacto con el paciente",
               "total de enfermeras en contacto con el paciente", "enfermeria"),
}
OPTIONAL = ("nurses",)  # no decision rests on them


def read_resources(path: Path, units: pd.DataFrame, set_aside: pd.DataFrame) -> tuple[pd.DataFrame, tuple[Finding, ...]]:
    """Rooms, physicians and nurses by CLUES (schema.RESOURCES, index clues, whole numbers), and what is to be said of them.

    Any table that `read_text_table` reads. A figure is the sum of the columns of PARTS that are there, else the one of WHOLE;
    a blank part leaves the figure missing, never 0. Former codes become today's, unless today's has its own row; rows of units
    that do not stand are left out, counted. DataError for missing columns, a file of another state, a repeated or malformed
    CLUES, fractions or negatives.
    """
    table = read_text_table(path)
    columns = _columns(headers_by_word(table), path, list(table.columns))
    published = unit_keys(table[columns["clues"][0]], path)
    refuse_repeated(pd.Index(published, name="CLUES"), path.name)
    figures = table.set_axis(pd.Index(published))
    rows = pd.DataFrame({name: _summed(figures, columns[name], path) for name in RESOURCES.names()}, index=figures.index)
    today = current(published, units, set_aside)
    known = rows.set_axis(pd.Index(today, name="clues"))[today.notna().to_numpy()]
    if known.empty:
        raise DataError(f"{path.name}: ninguna CLUES está en los archivos de unidades de la región; ¿es de otro estado?")
    own = (published == today)[today.notna()].to_numpy()
    kept = pd.concat([known[own], known[~own].sort_index(kind="stable")])
    kept = kept[~kept.index.duplicated()].sort_index()
    return kept, _findings(published[today.isna()], kept, units, path.name)


def _columns(headers: dict[str, str], path: Path, seen: list[str]) -> dict[str, list[str]]:
    """The headers of the file that make the key and each figure."""
    found = {"clues": [headers[h] for h in KEYS if h in headers][:1]}
    for name, parts in PARTS.items():
        here = [next(headers[h] for h in part if h in headers) for part in parts if any(h in headers for h in part)]
        found[name] = here or [headers[h] for h in WHOLE[name] if h in headers][:1]
    words = {"clues": "CLUES", "rooms": "consultorios", "physicians": "médicos"}
    missing = [word for name, word in words.items() if not found[name]]
    if missing:
        raise DataError(f"{path.name}: no se reconoce la columna de {', '.join(missing)} (como CLUES, CONSULTORIOS DE MEDICINA GENERAL, "
                        f"MEDICOS GENERALES); trae {', '.join(seen[:8])}{', …' if len(seen) > 8 else ''}; póngale uno de esos nombres.")
    return found


def _summed(figures: pd.DataFrame, columns: list[str], path: Path) -> pd.Series:
    """Sum of the columns, missing where one of them is blank."""
    if not columns:
        return pd.Series(pd.NA, figures.index, dtype="Int64")
    parts = pd.DataFrame({c: whole_numbers(figures[c], path.name, low=0) for c in columns})
    return parts.sum(axis=1, skipna=False).astype("Int64")


def _findings(unknown: pd.Series, kept: pd.DataFrame, units: pd.DataFrame, where: str) -> tuple[Finding, ...]:
    first = units.index[units["role"] == "primer_nivel"]
    mine = kept[kept.index.isin(first)]
    blank = mine.index[mine[["rooms", "physicians"]].isna().any(axis=1)]
    return (
        *Finding.of("recursos_desconocidos", "aviso", "Filas de recursos cuya CLUES no está en los archivos de unidades: se omiten", where,
                    unknown, "Agregue un catálogo que tenga esas claves."),
        *Finding.of("recursos_en_blanco", "nota", "Unidades de primer nivel con consultorios o médicos en blanco: no se sabe si tienen "
                    "plazas vacantes", where, blank, "Complete los recursos, con 0 donde no hay."),
        *Finding.of("sin_recursos", "nota", "Unidades de primer nivel que no están en el archivo de recursos: no se sabe si tienen plazas "
                    "vacantes", where, first.difference(kept.index)))
