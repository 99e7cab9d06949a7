"""What a table's declaration is made of, and how a table is held against it when it comes in and when it goes out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import pandas as pd
import pandera.pandas as pa

from planner.errors import DataError

Kind = Literal["text", "int", "float", "bool"]
Mark = Literal["dato", "derivado", "supuesto", ""]


@dataclass(frozen=True)
class Column:
    name: str
    kind: Kind
    export: str
    label: str
    meaning: str
    unit: str = ""
    mark: Mark = "dato"
    null: bool = False
    low: float | None = None
    high: float | None = None
    values: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    name: str
    key: Column
    columns: tuple[Column, ...]

    def all(self) -> tuple[Column, ...]:
        return (self.key, *self.columns)

    def names(self) -> list[str]:
        return [c.name for c in self.columns]


def export_names(*tables: Table, suffix: str = "") -> dict[str, str]:
    """Code name -> Spanish export name of the columns (and keys) of these tables.

    >>> export_names(Table("t", Column("id", "text", "id", "Id", "Id"), (Column("score", "float", "puntaje", "Puntaje", "Puntaje"),)))
    {'id': 'id', 'score': 'puntaje'}
    """
    return {c.name + suffix: c.export + suffix for t in tables for c in t.all()}


def check(table: Table, frame: pd.DataFrame, where: str) -> None:
    """Raise one DataError with every fault of `frame` (index = key, unless the key is a column) against `table`.

    Each fault says what, where, how many rows and the first three ids.
    """
    keyed = frame if table.key.name in frame.columns else frame.rename_axis(table.key.name).reset_index()
    faults = [f"falta la columna «{c.name}»" for c in table.all() if c.name not in keyed.columns]
    ids = keyed[table.key.name].astype(str) if table.key.name in keyed.columns else pd.Series(dtype=str)
    if table.key.name not in frame.columns and ids.duplicated().any():
        faults.append(f"«{table.key.name}» repetida: {_some(ids[ids.duplicated()])}")
    present = [c for c in table.all() if c.name in keyed.columns]
    try:
        pa.DataFrameSchema({c.name: _checks(c) for c in present}).validate(pd.DataFrame(keyed), lazy=True)
    except pa.errors.SchemaErrors as found:
        cases = found.failure_cases
        for (column, rule), rows in cases.groupby(["column", "check"], sort=True, dropna=False):
            at = rows["index"].dropna().astype(int)
            faults.append(f"«{column}» {_RULES.get(str(rule).split('(')[0], str(rule))}: {_some(ids.iloc[at.to_list()])}")
    if faults:
        raise DataError(f"{where}: " + "; ".join(faults) + ". Corrija el archivo de origen y vuelva a preparar.")


_RULES = {"not_nullable": "está vacía", "greater_than_or_equal_to": "es menor que lo admitido",
          "less_than_or_equal_to": "es mayor que lo admitido", "isin": "tiene valores desconocidos",
          "is_kind": "no es del tipo esperado"}


def _some(ids: Sequence[str] | pd.Series) -> str:
    listed = list(map(str, ids))
    return f"{len(listed)} casos ({', '.join(listed[:3])}{', …' if len(listed) > 3 else ''})" if listed else "toda la columna"


def _checks(column: Column) -> pa.Column:
    rules = [pa.Check(_KIND_TESTS[column.kind], name="is_kind", element_wise=False, ignore_na=True, error="is_kind")]
    if column.low is not None:
        rules.append(pa.Check.ge(column.low))
    if column.high is not None:
        rules.append(pa.Check.le(column.high))
    if column.values:
        rules.append(pa.Check.isin(column.values))
    return pa.Column(checks=rules, nullable=column.null)


_KIND_TESTS = {
    "text": lambda s: pd.api.types.is_string_dtype(s) or s.dropna().map(lambda v: isinstance(v, str)).all(),
    "int": lambda s: pd.api.types.is_integer_dtype(s),
    "float": lambda s: pd.api.types.is_numeric_dtype(s) and not pd.api.types.is_bool_dtype(s),
    "bool": lambda s: pd.api.types.is_bool_dtype(s),
}
