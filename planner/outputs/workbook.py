"""plan.xlsx, the workbook for people who budget; and any tables as a workbook with the same care."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pandas as pd

from planner.outputs.report import Report
from planner.outputs.sheetchange import change_sheet
from planner.outputs.sheetplaces import grouped_sheet, lacking_sheet, universe_sheet
from planner.outputs.sheetplan import proposals_sheet, routes_sheet
from planner.outputs.sheets import Block, Field, Imprint, Sheet, records
from planner.outputs.sheetsettings import dictionary_sheet, settings_sheet
from planner.outputs.sheetsummary import summary_sheet
from planner.outputs.workbookwriter import workbook_bytes

WORKBOOK = "plan.xlsx"
_NAME = 31  # characters that the name of a sheet may have
_WIDEST, _NARROWEST = 60.0, 9.0


def workbook_files(report: Report) -> dict[str, bytes]:
    """plan.xlsx of a run."""
    sheets = (summary_sheet(report), proposals_sheet(report), universe_sheet(report), routes_sheet(report), lacking_sheet(report),
              grouped_sheet(report), change_sheet(report), settings_sheet(report))
    region, scenario = report.run.region, report.run.scenario
    imprint = Imprint(f"Plan de {region.name}, escenario {scenario.name}", f"{region.name}, escenario {scenario.name}",
                      f"Corrida {report.about['corrida']}; entradas en manifest.json.", region.synthetic)
    return {WORKBOOK: workbook_bytes((*sheets, dictionary_sheet(sheets, WORKBOOK)), imprint)}


def tables_workbook(tables: Mapping[str, pd.DataFrame], imprint: Imprint) -> bytes:
    """A workbook with a sheet of each table, by title, which stands whole in the sheet where Excel cannot name it so.

    The index of a table is not written. Text stays text, what is missing is empty, equal tables give equal bytes.
    """
    sheets: list[Sheet] = []
    for title, table in tables.items():
        fields = tuple(_field(str(name), table.iloc[:, at]) for at, name in enumerate(table.columns))
        rows = tuple(tuple(row.values()) for row in records(table.set_axis(range(table.shape[1]), axis=1)))
        name = _sheet_name(title, {sheet.name.lower() for sheet in sheets})
        sheets.append(Sheet(name, title, (Block("", fields, rows, filtered=True),), wide=sum(f.width for f in fields) > 150))
    return workbook_bytes(sheets, imprint)


def _field(title: str, values: pd.Series) -> Field:
    known = values.dropna()
    numbers = [v for v in known if isinstance(v, (int, float)) and not isinstance(v, bool)]
    longest = max((len(str(v)) for v in known), default=0) if len(numbers) < len(known) else 0
    whole = all(float(v).is_integer() for v in numbers)
    style = "texto" if len(numbers) < len(known) or not numbers else "entero" if whole else "decimal"
    return Field(title, style, width=min(_WIDEST, max(_NARROWEST, 1.1 * longest + 1, 0.6 * len(title) + 4, 12.0 if numbers else 0.0)))


def _sheet_name(title: str, taken: set[str]) -> str:
    """The title as Excel admits it, unlike every other name.

    >>> _sheet_name("Personas: hoy y con el plan, por municipio", {"personas hoy y con el plan, por"})
    'Personas hoy y con el plan, (2)'
    """
    plain = " ".join(re.sub(r"[\[\]:*?/\\\x00-\x1f\U00010000-\U0010ffff]", " ", title).split()).strip("'") or "Tabla"
    name, number = plain[:_NAME].strip().strip("'"), 1
    while name.lower() in taken or name.lower() == "history":
        number += 1
        end = f" ({number})"
        name = plain[: _NAME - len(end)].strip().strip("'") + end
    return name
