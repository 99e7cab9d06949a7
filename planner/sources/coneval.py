"""CONEVAL: workbooks of rezago social by municipality and by locality, read by the names of their headers."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from planner.errors import DataError
from planner.schema import GRADES
from planner.sources.deprivation import NAMES
from planner.sources.files import fold, numbers, read_rows, refuse_repeated, sheet_names, some

# what the header of each column says, folded; headers span several rows with merged cells
_INDICATORS = {
    "illiterate": "analfabeta", "not_in_school": "no asiste", "basic_incomplete": "educacion basica incompleta",
    "no_entitlement": "sin derechohabiencia", "dirt_floor": "piso de tierra", "no_toilet": "excusado",
    "no_piped_water": "agua entubada", "no_drainage": "drenaje", "no_electricity": "energia electrica",
    "no_washer": "lavadora", "no_fridge": "refrigerador",
}
_INDEX = {"irs": "indice de rezago social", "irs_grade": "grado de rezago social"}
_ENTITY, _TOWN, _PLACE = (f"clave (de (la )?|del )?{what}" for what in ("entidad", "municipio", "localidad"))
_TITLE_ROWS = 40  # the header stands within the first rows of the sheet
_HIDDEN = ("n.d.", "nd", "n/d", "n.a.", "-", "*")


def read_municipal_index(path: Path, entity: str) -> pd.DataFrame:
    """Sheet `Municipios`, index cve_mun: the eleven indicators (percent), irs, irs_grade, rank (national place).

    An empty `entity` gives the whole country. DataError if the sheet or a column is missing, a key is repeated or the
    state is not there.
    """
    wanted = {"entity": _ENTITY, "town": _TOWN, **_INDICATORS, **_INDEX, "rank": "lugar que ocupa"}
    table = _table(path, read_rows(path, sheet="Municipios"), "town", wanted)
    out = _of_state(table, _town_key(table).rename("cve_mun"), path, entity)
    return out[[*NAMES, "irs", "irs_grade", "rank"]]


def read_locality_index(path: Path, entity: str) -> pd.DataFrame:
    """Every sheet that has localities, index cvegeo: irs and irs_grade, missing where blank.

    A locality is told by its nine digits, or by its own four beside those of state and municipality. DataError as above.
    """
    wanted = {"place": _PLACE, **_INDEX, "entity": _ENTITY, "town": _TOWN}
    sheets = [read_rows(path, sheet=name) for name in sheet_names(path)]
    found = [_table(path, rows, "place", wanted, optional=("entity", "town")) for rows in sheets if _top(rows, _PLACE)]
    if not found:
        raise DataError(f"{path.name}: ninguna hoja tiene la columna «Clave localidad»; use el libro por localidad del CONEVAL.")
    table = pd.concat(found, ignore_index=True)
    own = table["place"].where(table["place"].str.len() > 4, _town_key(table) + table["place"].str.zfill(4))
    if own.isna().any():
        raise DataError(f"{path.name}: faltan claves de entidad y municipio en {int(own.isna().sum())} localidades; "
                        "escriba la clave de nueve dígitos.")
    return _of_state(table, own.str.zfill(9).rename("cvegeo"), path, entity)[["irs", "irs_grade"]]


def _town_key(table: pd.DataFrame) -> pd.Series:
    whole = table["entity"].str.zfill(2) + table["town"].str.zfill(3)
    return table["town"].where(table["town"].str.len() > 3, whole).str.zfill(5)


def _top(rows: pd.DataFrame, header: str) -> list[int]:
    """Positions of the rows where a cell starts with the header."""
    cells = rows.head(_TITLE_ROWS).fillna("").map(lambda text: re.match(header, fold(text)) is not None)
    return [int(i) for i in cells.index[cells.any(axis=1)]]


def _table(path: Path, rows: pd.DataFrame, key: str, wanted: dict[str, str], optional: tuple[str, ...] = ()) -> pd.DataFrame:
    """Rows whose key is digits, columns named by their headers; title rows above and notes below fall away."""
    top = _top(rows, wanted[key])
    below = rows.loc[top[0]:] if top else rows.iloc[:0]
    at = next((c for c in below if re.match(wanted[key], fold(str(below[c].iloc[0])))), None) if top else None
    data = below[below[at].fillna("").str.fullmatch(r"\d+")] if at is not None else below
    if data.empty:
        raise DataError(f"{path.name}: no tiene filas con clave bajo un encabezado «Clave …»; use el libro como lo publica el CONEVAL.")
    head = below.loc[:data.index[0] - 1]
    texts = {c: " | ".join(fold(t) for t in head[c].dropna()) for c in head}
    where = {name: next((c for c, text in texts.items() if re.search(part, text)), None) for name, part in wanted.items()}
    missing = [name for name, c in where.items() if c is None]
    if set(missing) - set(optional):
        told = ", ".join(re.sub(r"\(.*\)\?", "", wanted[name]) for name in missing if name not in optional)
        raise DataError(f"{path.name}: faltan las columnas cuyo encabezado dice {told}; use el libro como lo publica el CONEVAL.")
    empty = pd.Series(pd.NA, index=data.index, dtype="str")
    return pd.DataFrame({name: empty if c is None else data[c] for name, c in where.items()}).reset_index(drop=True)


def _of_state(table: pd.DataFrame, keys: pd.Series, path: Path, entity: str) -> pd.DataFrame:
    ours = table.set_index(keys)[keys.str.startswith(entity).to_numpy()].sort_index()
    if ours.empty:
        raise DataError(f"{path.name}: no trae la entidad {entity}; revise la clave «entity».")
    refuse_repeated(ours.index, path.name)
    values = {c: numbers(ours[c], path.name, hidden=_HIDDEN) for c in ours if c in (*NAMES, "irs", "rank")}
    published = ours["irs_grade"].map(fold, na_action="ignore")
    grades = published.map({fold(g): g for g in GRADES}).astype("str")
    bad = published.notna() & grades.isna() & ~published.isin(_HIDDEN)
    if bad.any():
        raise DataError(f"{path.name}: grado de rezago desconocido en {some(ours.index[bad])}; use {', '.join(GRADES)}.")
    return ours.assign(**values, irs_grade=grades)
