"""What commands print: tables, steps of long work, and faults in one sentence."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from numbers import Integral, Number
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    import pandas as pd

WIDTH = None if sys.stdout.isatty() else 160  # a file or a pipe has no width of its own
out = Console(highlight=False, soft_wrap=True, width=WIDTH)
err = Console(stderr=True, highlight=False, soft_wrap=True)


@contextmanager
def told(first: str) -> Iterator[Callable[[str], None]]:
    """Tells each step of long work: a spinner on a terminal, plain lines elsewhere."""
    with err.status(first) if err.is_terminal else nullcontext() as status:
        def tell(step: str) -> None:
            if status:
                status.update(step)
            else:
                err.print(step)
        tell(first)
        yield tell


def print_tables(tables: Mapping[str, pd.DataFrame]) -> None:
    """Each table under its title."""
    for title, frame in tables.items():
        print_rows(title, list(map(str, frame.columns)), list(frame.itertuples(index=False)))


def print_rows(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """A table of plain values; columns that hold numbers alone are set to the right."""
    table = Table(title=title, title_justify="left", show_lines=False)
    for i, column in enumerate(columns):
        given = [row[i] for row in rows if not _missing(row[i])]
        numbers = bool(given) and all(isinstance(v, Number) and not isinstance(v, bool) for v in given)
        table.add_column(column, justify="right" if numbers else "left", overflow="fold")
    for row in rows:
        table.add_row(*(_shown(v) for v in row))
    out.print(table)


def plain(text: str) -> str:
    """Text that the console shows as it is."""
    return text.replace("[", r"\[")


def _missing(value: object) -> bool:
    return value is None or str(value) in ("<NA>", "nan")  # asked without the library of tables, which a reused run never loads


def _shown(value: object) -> str:
    if _missing(value):
        return "–"
    if isinstance(value, float):
        shown = f"{value:,.0f}" if abs(value) >= 1000 or value.is_integer() else f"{value:,.2f}"
        return shown.removeprefix("-") if float(shown.replace(",", "")) == 0 else shown
    return f"{value:,}" if isinstance(value, Integral) else plain(str(value))
