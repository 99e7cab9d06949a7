"""The tables of a regionalization as the page shows them: those that a run writes, under their labels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from planner.columns import Column, Table
from planner.decide.regional.districts import Districts
from planner.outputs.exporting import csv_bytes, exported
from planner.outputs.regional import FILES, LAYERS
from planner.schema import DISTRICT_OF_MUNICIPALITY
from planner.ui.words import count, decimal, minutes

Formats = dict[Any, str | Callable[[object], str] | None]  # as pandas takes them
SHOWN = {"unidades": "Unidades y su universo", "reasignaciones": "Localidades que cambian de unidad", "zonas": "Zonas de supervisión",
         "redes_hospitales": "Hospitales y su red", "localidades_lejos_hospital": "Localidades lejos de hospital"}
WRITTEN = {  # tables that the rules of districts do not change, as files
    "universo": "Universo por localidad", "universo_unidades": "Universo por unidad", "reasignaciones": "Reasignaciones",
    "redes": "Redes de referencia", "redes_hospitales": "Hospitales", "redes_apoyos": "Apoyos de las redes",
    "localidades_lejos_hospital": "Lejos de hospital", "zonas": "Zonas", "zonas_unidades": "Unidades de cada zona",
    "jornadas": "Jornadas quirúrgicas", "concordancia": "Concordancia con la tabla oficial", "atendida": "Población atendida"}
_OF_UNITS = (*FILES["universo_unidades"], *FILES["redes"])
_COMMUNITY = ("casas_de_salud", "auxiliares", "parteras", "voluntarios", "comites")  # they stand last: they inform, nobody refers to them
_REPEATED = ("nombre", "tipo", "poblacion")  # of a unit, in both of its tables


def of_districts(found: Districts) -> pd.DataFrame:
    """The districts under their export names."""
    return exported(LAYERS["distritos"], pd.DataFrame(found.table.drop(columns=found.table.geometry.name)), "distritos.csv")


def district_file(found: Districts, name: str) -> bytes:
    """A file that a move by hand changes: distritos.csv or distritos_municipios.csv."""
    if name == "distritos.csv":
        return csv_bytes(of_districts(found))
    towns = pd.DataFrame(found.members[DISTRICT_OF_MUNICIPALITY.names()])
    return csv_bytes(exported(FILES["distritos_municipios"], towns, name))


def labelled(tables: Mapping[str, pd.DataFrame], name: str) -> tuple[pd.DataFrame, Formats]:
    """One of SHOWN from the tables of a run with labels for names, and how each of its figures is written."""
    if name != "unidades":
        return _labelled(tables[name], FILES[name])
    work, refers = tables["universo_unidades"], tables["redes"].drop(columns=list(_REPEATED))
    community = [name for name in work if name in _COMMUNITY]
    return _labelled(work.drop(columns=community).join(refers).join(work[community]), _OF_UNITS)


def _labelled(frame: pd.DataFrame, told: tuple[Table, ...]) -> tuple[pd.DataFrame, Formats]:
    columns = {c.export: c for table in told for c in table.columns if c.export in frame}
    shown = frame.rename(columns={name: c.label for name, c in columns.items()}).rename_axis(told[0].key.label)
    return shown, {c.label: _writer(c) for c in columns.values() if c.kind != "text"}


def _writer(column: Column) -> Callable[[Any], str]:
    """People as whole numbers, minutes as minutes, shares with two decimals."""
    if column.kind == "bool":
        return lambda value: "sí" if value else "no"
    if column.unit == "min":
        return minutes
    return count if column.kind == "int" or column.unit.startswith("personas") else decimal
