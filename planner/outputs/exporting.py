"""Tables on their way out: held against their declaration, under their export names, figures as files tell them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from planner import columns
from planner.columns import Column, Table
from planner.outputs.jsonfiles import significant


def exported(tables: Sequence[Table], frame: pd.DataFrame, where: str) -> pd.DataFrame:
    """The columns of `tables` under their export names, in their order; null stands for what is not finite.

    Rows are in the order of the key, the index; where the key is a column of `frame` it may repeat, and rows keep their order.
    DataError if a table breaks its declaration.
    """
    key = tables[0].key
    long = key.name in frame.columns
    inner = frame.replace([np.inf, -np.inf], np.nan)
    if inner.empty:  # a table without rows has no types of its own
        inner = inner.astype({c.name: c.kind for t in tables for c in t.columns if c.kind != "text" and c.name in inner})
    inner = inner.reset_index(drop=True) if long else inner.rename_axis(key.name)
    for table in tables:
        columns.check(table, inner, where)
    told = {c.export: _tidy(inner[c.name], c) for c in (*((key,) if long else ()), *(c for t in tables for c in t.columns))}
    return pd.DataFrame(told, index=inner.index) if long else pd.DataFrame(told, index=inner.index).rename_axis(key.export).sort_index()


def csv_bytes(table: pd.DataFrame) -> bytes:
    """An exported table as plain UTF-8, comma, LF, with its key as the first column; nothing where there is no value."""
    rows = table if table.index.name is None else table.reset_index()
    told = rows.assign(**{str(name): rows[name].map({True: "true", False: "false"}) for name in rows.select_dtypes("bool")})
    return bytes(told.to_csv(index=False, lineterminator="\n", float_format="%.12g").encode())


def _tidy(values: pd.Series, column: Column) -> pd.Series:
    if column.kind == "float":
        return values.astype(float).map(significant)
    if column.kind == "int":
        return values.astype("Int64" if column.null else "int64")
    return values.astype("bool" if column.kind == "bool" else "str")
