"""A comparison in words: its tables for a screen or a workbook, and its numbers as plain values."""

from __future__ import annotations

from typing import Any

import pandas as pd

from planner.outputs.comparison import Comparison, change_name
from planner.outputs.tables import setting_told
from planner.words import KINDS

_MOST = 10
_EXACT = ("min", "índice", "razón")  # units of what is told with decimals
_GRADE = {"clave": "Clave", "que": "Indicador", "unidad": "Unidad"}
TITLES = {
    "figures": "Personas y dinero (con el plan)", "reach": "Personas que entran y que salen del alcance",
    "winners": "Personas que ganan y que pierden acceso efectivo (equivalentes)",
    "grades": "Equidad: personas sin acceso efectivo (equivalentes) por grado de rezago",
    "groups": "Equidad: personas sin acceso efectivo (equivalentes) por grupo",
    "municipalities": "Municipios que más cambian (brecha ponderada)",
    "best": "Localidades que más ganan", "worst": "Localidades que más pierden",
    "units": "Unidades cuya carga o suficiencia cambia", "proposals": "Propuestas que entran, salen, se mueven o cambian",
    "assumptions": "Supuestos que difieren"}


def comparison_tables(found: Comparison, most: int | None = _MOST) -> dict[str, pd.DataFrame]:
    """What differs, by title, in whole people and pesos; at most so many places, units and municipalities (None: all).

    A table without rows is left out and named under "Sin diferencias".
    """
    losers = found.localities[found.localities["gana"] < 0].iloc[::-1]
    tables = {
        "figures": _moving(found, found.figures, keep=True), "reach": _words(found.reach), "winners": _words(found.winners),
        "grades": _moving(found, found.grades), "groups": _moving(found, found.groups),
        "municipalities": _first(_moving(found, found.municipalities, by_size=True), most),
        "best": _first(_places(found.localities[found.localities["gana"] > 0]), most), "worst": _first(_places(losers), most),
        "units": _first(_units(found.units), most), "proposals": _proposals(found.proposals), "assumptions": _assumptions(found)}
    if found.empty:
        return {"Sin diferencias": pd.DataFrame({"En": [TITLES[key] for key in tables]})}
    told = {TITLES[key]: table for key, table in tables.items() if len(table)}
    alike = [TITLES[key] for key, table in tables.items() if not len(table)]
    return told | ({"Sin diferencias": pd.DataFrame({"En": alike})} if alike else {})


def comparison_values(found: Comparison) -> dict[str, Any]:
    """Every number of a comparison, as comparacion.json holds it."""
    blocks = {"cifras": found.figures, "por_grado": found.grades, "por_grupo": found.groups, "por_municipio": found.municipalities}
    rows = {"alcance": found.reach, "ganan_y_pierden": found.winners, "supuestos": found.assumptions,
            "localidades": pd.DataFrame(found.localities.drop(columns="geometry")).reset_index(),
            "unidades": found.units.reset_index(), "propuestas": found.proposals.reset_index()}
    return {
        "base": _origin(found.baseline), "corridas": [_origin(run) for run in found.others],
        "anio_de_los_pesos": found.baseline.about["escenario"]["price_year"],
        **{name: _records(table.reset_index()) for name, table in blocks.items()},
        **{name: _records(table) for name, table in rows.items()}}


def _origin(run: Any) -> dict[str, Any]:
    return {"nombre": run.name, "corrida": run.about["corrida"], "escenario": run.about["escenario"]["name"]}


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    told = table.astype(object).where(table.notna(), None)
    return [{str(key): value for key, value in row.items()} for row in told.to_dict("records")]


def _moving(found: Comparison, table: pd.DataFrame, *, keep: bool = False, by_size: bool = False) -> pd.DataFrame:
    """Figures side by side; rows that change only, but where all are to be kept."""
    changes = [change_name(run) for run in found.others]
    most = table[changes].abs().max(axis=1).fillna(0.0)
    kept = table if keep else table[most > 0]
    if by_size:
        kept = kept.iloc[(-most[most > 0]).argsort(kind="stable").to_numpy()]
    told = kept.reset_index().rename(columns=_GRADE).drop(columns="Clave")
    values = [c for c in told.columns if c not in _GRADE.values()]
    digits = told["Unidad"].map({unit: 2 if unit == "min" else 3 for unit in _EXACT}).fillna(0).astype(int)
    for column in values:
        told[column] = [None if pd.isna(v) else round(float(v), int(n)) + 0.0 for v, n in zip(told[column], digits, strict=True)]
    return told


def _words(table: pd.DataFrame) -> pd.DataFrame:
    names = {"corrida": "Corrida", "que": "Alcance", "ganan": "Ganan", "pierden": "Pierden", "neto": "Neto",
             "localidades_ganan": "Localidades que ganan", "localidades_pierden": "Localidades que pierden"}
    return _whole(table, ["ganan", "pierden", "neto"]).rename(columns=names)


def _places(table: pd.DataFrame) -> pd.DataFrame:
    told = _whole(pd.DataFrame(table).reset_index(), ["poblacion", "gana"]).round({"min_primer_nivel_base": 1, "min_primer_nivel": 1})
    names = {"corrida": "Corrida", "cvegeo": "Clave", "nom_loc": "Localidad", "nom_mun": "Municipio", "grado_rezago": "Grado",
             "poblacion": "Población objetivo", "gana": "Gana", "min_primer_nivel_base": "Min. primer nivel, base",
             "min_primer_nivel": "Min. primer nivel", "intervencion_base": "Intervención, base", "intervencion": "Intervención"}
    return told[list(names)].rename(columns=names)


def _units(table: pd.DataFrame) -> pd.DataFrame:
    told = _whole(table.reset_index(), ["carga_base", "carga"]).round({"suficiencia_base": 3, "suficiencia": 3})
    names = {"corrida": "Corrida", "clues": "CLUES", "nombre": "Unidad", "carga_base": "Carga, base", "carga": "Carga",
             "suficiencia_base": "Suficiencia, base", "suficiencia": "Suficiencia"}
    return told[list(names)].rename(columns=names)


def _proposals(table: pd.DataFrame) -> pd.DataFrame:
    told = _whole(table.reset_index(), ["costo_anual", "personas"])
    names = {"corrida": "Corrida", "cambio": "Cambio", "id": "Propuesta", "tipo": "Tipo", "nombre": "Nombre", "costo_anual": "Costo anual",
             "personas": "Personas", "motivo": "Motivo"}
    return told.assign(tipo=told["tipo"].map(KINDS))[list(names)].rename(columns=names)


def _assumptions(found: Comparison) -> pd.DataFrame:
    told = found.assumptions
    values = {run.name: [setting_told(v, unit) for v, unit in zip(told[run.name], told["unidad"], strict=True)] for run in found.runs}
    return told.assign(**values).rename(columns={"clave": "Clave", "significado": "Significado", "unidad": "Unidad"})


def _first(table: pd.DataFrame, most: int | None) -> pd.DataFrame:
    """So many rows of each run, or of the table where it has no runs."""
    if most is None:
        return table
    return table.groupby("Corrida", sort=False).head(most).reset_index(drop=True) if "Corrida" in table else table.head(most)


def _whole(table: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """People and money whole, never -0."""
    return table.assign(**{c: table[c].astype(float).round() + 0.0 for c in columns})
