"""What a workbook is made of before it is written: cells, columns, blocks and sheets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Any

import pandas as pd

from planner.columns import Column, Table
from planner.words import DISCLAIMER

# Written as it is; None, NaN and infinity are empty cells.
Value = str | float | int | bool | date | None

# Number format and width of what a column holds.
STYLES: dict[str, tuple[str, float]] = {
    "texto": ("", 16), "libre": ("", 16), "entero": ("#,##0", 11), "decimal": ("#,##0.000", 10), "min": ("#,##0.0", 10),
    "dinero": ("$#,##0", 14), "parte": ("0.0%", 10), "fecha": ("yyyy-mm-dd", 11), "general": ("General", 14),
    "indice": ("0.0000", 10), "cambio": ("+#,##0;-#,##0;0", 11), "cambio_min": ("+#,##0.0;-#,##0.0;0.0", 11),
    "cambio_indice": ("+0.0000;-0.0000;0.0000", 11), "cambio_parte": ("+0.0%;-0.0%;0.0%", 10), "kilometros": ("#,##0.0", 10),
}
NO_WIDTHS: Mapping[str, float] = MappingProxyType({})
_UNITS = {"min": "min", "km": "kilometros", "MXN": "dinero", "MXN/año": "dinero", "visitas/mes": "min",
          "índice": "indice", "razón": "indice"}
_CHANGES = {"min": "cambio_min", "indice": "cambio_indice"}


@dataclass(frozen=True)
class Cell:
    """A value that needs more than its column tells: a style, a formula that gives it, a name, or its path in indicadores.json.

    In a formula `{row}` is the cell's own row and `{first}` and `{last}` are those of the first and last row of its block.
    """

    value: Value
    style: str = ""
    formula: str = ""
    name: str = ""
    path: str = ""


Row = tuple[Cell | Value, ...]


@dataclass(frozen=True)
class Field:
    """A column of a block. `name` is given to its rows, so that formulas of other sheets can use them."""

    title: str
    style: str = "texto"
    meaning: str = ""
    unit: str = ""
    mark: str = ""
    width: float = 0.0  # of its style if 0
    name: str = ""


@dataclass(frozen=True)
class Block:
    """A table on a sheet; without titles of columns it is a list. `total` stands over the titles if filtered, else under the rows."""

    title: str
    fields: tuple[Field, ...]
    rows: tuple[Row, ...]
    total: Row = ()
    filtered: bool = False


@dataclass(frozen=True)
class Sheet:
    """A sheet: a heading, notes and blocks, one under another.

    `wide`: printed on paper of 11 x 17 inches. `frozen`: columns that stay in sight.
    """

    name: str
    heading: str
    blocks: tuple[Block, ...]
    notes: tuple[str, ...] = ()
    wide: bool = False
    frozen: int = 0


@dataclass(frozen=True)
class Imprint:
    """Where a workbook comes from, as headers, footers and the properties of the document tell it."""

    title: str
    about: str  # region and scenario, or the runs that are compared
    origin: str = ""  # the print of the run, and where its inputs stand
    synthetic: bool = False
    disclaimer: str = DISCLAIMER


def declared(*tables: Table, widths: Mapping[str, float] = NO_WIDTHS) -> dict[str, Field]:
    """The declared columns of tables as columns of a sheet, by export name."""
    return {c.export: Field(c.label, style_of(c), c.meaning, c.unit, c.mark, widths.get(c.export, 0.0)) for t in tables for c in t.all()}


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as plain values, None where there is none."""
    plain = table.astype(object).where(table.notna(), None)
    return [{str(name): value for name, value in row.items()} for row in plain.to_dict("records")]


def style_of(column: Column) -> str:
    """How the values of a declared column are shown."""
    if column.kind in ("text", "bool"):
        return "texto"
    if column.unit in _UNITS:
        return _UNITS[column.unit]
    if column.kind == "int" or column.unit:
        return "entero"
    return "parte" if column.high == 1 else "decimal"


def unit_style(unit: str) -> str:
    """How a figure of this unit is shown.

    >>> unit_style("min"), unit_style("personas"), unit_style("MXN/año")
    ('min', 'entero', 'dinero')
    """
    return _UNITS.get(unit, "entero")


def change_style(unit: str) -> str:
    """How a change of a figure of this unit is shown."""
    return _CHANGES.get(unit_style(unit), "cambio")


def value_style(told: Mapping[str, Any]) -> str:
    """How a plan's value is shown, in the unit of the objective: a figure of each person, or of people."""
    return "indice" if told["plan"]["objetivo"] == "peor_municipio" else "entero"


def letter(position: int) -> str:
    """The letters of a column, the first being 0.

    >>> letter(0), letter(25), letter(26), letter(701), letter(702)
    ('A', 'Z', 'AA', 'ZZ', 'AAA')
    """
    before, own = divmod(position, 26)
    return (letter(before - 1) if before else "") + chr(ord("A") + own)


def cell(given: Cell | Value) -> Cell:
    return given if isinstance(given, Cell) else Cell(given)


def difference(later: float | None, earlier: float | None, columns: tuple[int, int], unit: str) -> tuple[Cell, Cell]:
    """What a figure changes and by what part, as formulas over two columns (later, earlier) of its row; empty where one is missing."""
    if later is None or earlier is None:
        return Cell(None), Cell(None)
    then, now = (letter(c) + "{row}" for c in reversed(columns))
    change = Cell(later - earlier, change_style(unit), f"={now}-{then}")
    part = Cell((later - earlier) / earlier, "cambio_parte", f"={now}/{then}-1") if earlier else Cell(None)
    return change, part


def summed(value: float, position: int, style: str, *, filtered: bool = False, path: str = "") -> Cell:
    """The sum of a column of its block; of what a filter leaves to be seen if `filtered`."""
    rows = f"{letter(position)}{{first}}:{letter(position)}{{last}}"
    return Cell(value, style, f"=SUBTOTAL(109,{rows})" if filtered else f"=SUM({rows})", path=path)


def dictionary_rows(sheets: Sequence[Sheet], file: str) -> list[tuple[str, ...]]:
    """What each column of each sheet means, once: place, column, label, meaning, type, unit and mark."""
    kinds = {"texto": "text", "libre": "text", "fecha": "date"}
    return list(dict.fromkeys(
        (f"{file}: {sheet.name}", field.title, field.title, field.meaning, kinds.get(field.style, "float"), field.unit, field.mark)
        for sheet in sheets for block in sheet.blocks for field in block.fields if field.title))
