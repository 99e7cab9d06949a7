"""The sheets of what is to be done: the proposals with their costs, and the rounds of teams with their calendar."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pandas as pd

from planner import schema
from planner.columns import export_names
from planner.outputs.calendar import team_calendar
from planner.outputs.report import Report
from planner.outputs.sheets import Block, Cell, Field, Row, Sheet, Value, cell, declared, letter, records, summed
from planner.outputs.sheetsettings import cost_cells
from planner.words import KINDS

_WIDTHS = {"id": 26.0, "nombre": 26.0, "motivo": 70.0, "tipo": 20.0, "base": 24.0, "nom_loc": 26.0, "ruta": 26.0}
_PROPOSALS = ("id", "tipo", "cvegeo", "clues", "nombre")
_GAINS = ("personas", "brecha_ponderada_cerrada", "personas_propias", "personas_incrementales", "brecha_incremental")
_TOLD = ("anio_despliegue", "robustez", "robusta", "motivo")
_UNITS_AT, _CAPITAL_AT, _ANNUAL_AT, _GAINS_AT = 5, 6, 7, 9
_CALENDAR = ("ruta", "tipo", "clues", "base", "fecha", "dia_habil", "semana", "visita", "salida", "orden", "cvegeo", "nom_loc",
             "hora_salida", "hora_llegada", "minutos", "minutos_parada", "pernocta")
_CIRCUITS = (
    Field("Ruta", "texto", "Propuesta a la que pertenece", width=26), Field("Tipo", "texto", "Tipo de intervención", width=20),
    Field("Base", "texto", "CLUES de la unidad de la que sale el equipo"),
    Field("Nombre de la base", "texto", "Nombre de esa unidad", width=24),
    Field("Paradas", "entero", "Localidades que visita", "localidades", "derivado"),
    Field("Personas", "entero", "Personas objetivo que atiende en el plan", "personas", "derivado"),
    Field("Visitas al mes", "min", "Visitas al mes a cada parada", "visitas/mes", "supuesto"),
    Field("Días al mes", "entero", "Días de trabajo del mes de cuatro semanas en que sale", "días", "derivado"),
    Field("Noches fuera al mes", "entero", "Noches que el equipo pasa fuera de su base", "noches", "derivado"),
    Field("Km al mes", "kilometros", "Kilómetros que recorre en el mes", "km", "derivado"),
    Field("Minutos de traslado al mes", "min", "Minutos de traslado en el mes", "min", "derivado", 12),
    Field("Minutos de atención al mes", "min", "Minutos de atención en las paradas en el mes", "min", "supuesto", 12))


def proposals_sheet(report: Report) -> Sheet:
    """Every chosen proposal; its costs are formulas over the sheet of assumptions."""
    table, scenario = report.layers["propuestas"], report.run.scenario
    columns = declared(schema.PROPOSALS, widths=_WIDTHS)
    columns["tipo"] = replace(columns["tipo"], name="Propuestas_tipo")
    rows = tuple(_proposal(row, report) for row in records(table.drop(columns=table.geometry.name).reset_index()))
    units = Field("Unidades", "entero", "Cuántas se ponen; los costos son por unidad", "intervenciones", "derivado",
                  name="Propuestas_unidades")
    capital = replace(columns["costo_inversion"], name="Propuestas_inversion")
    annual = replace(columns["costo_anual"], name="Propuestas_costo_anual")
    each = Field("Costo anual por persona", "dinero", "Costo anual entre las personas que atiende en el plan", "MXN/año", "derivado", 12)
    fields = (*(columns[key] for key in _PROPOSALS), units, capital, annual, each, *(columns[key] for key in (*_GAINS, *_TOLD)))
    notes = [f"Pesos de {scenario.price_year}. Inversión = unidades x costo de inversión; costo anual = unidades x (operación + inversión "
             "x pago anual), con los valores de la hoja Supuestos. El total es de las filas que deja ver el filtro."]
    costs = [cell(given) for row in rows for given in row[_CAPITAL_AT : _ANNUAL_AT + 1]]
    fixed = sum(bool(one.value) and not one.formula for one in costs)
    if fixed:
        notes.append(f"Costos que los de Supuestos no dan, y que por eso son números y no fórmulas: {fixed}.")
    if not rows:
        notes.append("El plan no tiene propuestas.")
    block = Block("", fields, rows, _total(table) if rows else (), filtered=True)
    return Sheet("Propuestas", "Propuestas del plan", (block,), tuple(notes), wide=True, frozen=1)


def _proposal(row: dict[str, Any], report: Report) -> Row:
    units, people = f"{letter(_UNITS_AT)}{{row}}", row["personas"]
    capital, annual = cost_cells(row["tipo"], units, row["costo_inversion"], row["costo_anual"], report.run.scenario)
    each = Cell(row["costo_anual"] / people, "dinero", f"={letter(_ANNUAL_AT)}{{row}}/{letter(_GAINS_AT)}{{row}}") if people > 0 else None
    values = {**row, "tipo": KINDS[row["tipo"]]}
    return (*(values[key] for key in _PROPOSALS), 1, capital, annual, each, *(values[key] for key in (*_GAINS, *_TOLD)))


def _total(table: pd.DataFrame) -> Row:
    """What a filter leaves to be seen, summed."""
    people, annual = float(table["personas"].sum()), float(table["costo_anual"].sum())
    each = Cell(annual / people, "dinero", f"={letter(_ANNUAL_AT)}{{row}}/{letter(_GAINS_AT)}{{row}}") if people > 0 else None
    sums = [summed(float(table[key].sum()), _GAINS_AT + at, "entero", filtered=True) for at, key in enumerate(_GAINS[:2])]
    return ("Total", None, None, None, None, summed(len(table), _UNITS_AT, "entero", filtered=True),
            summed(float(table["costo_inversion"].sum()), _CAPITAL_AT, "dinero", filtered=True),
            summed(annual, _ANNUAL_AT, "dinero", filtered=True), each, *sums)


def routes_sheet(report: Report) -> Sheet:
    """Each circuit of the plan in a row, and the calendar of all."""
    run = report.run
    calendar = team_calendar(run.region, run.plan, run.scenario).rename(columns=export_names(schema.CALENDAR))
    columns = declared(schema.CALENDAR, widths=_WIDTHS)
    columns["fecha"] = replace(columns["fecha"], style="fecha")
    days = tuple(tuple(_visit(row)[key] for key in _CALENDAR) for row in records(calendar))
    circuits = tuple(_circuits(calendar, pd.DataFrame(report.layers["rutas"])))
    notes = ("El mes es de cuatro semanas y se repite; las fechas son las del primero. Las personas se cuentan una vez aunque se les "
             "visite varias.",) if circuits else ("El plan no tiene rutas de equipos móviles.",)
    month = Block("Calendario del mes", tuple(columns[key] for key in _CALENDAR), days, filtered=True)
    return Sheet("Rutas y calendario", "Rutas y calendario", (Block("Rutas", _CIRCUITS, circuits), month), notes, wide=True)


def _circuits(calendar: pd.DataFrame, routes: pd.DataFrame) -> list[Row]:
    stops, legs = (routes[routes["elemento"] == kind] for kind in ("parada", "tramo"))
    length = legs.drop_duplicates(["ruta", "de", "a"]).set_index(["ruta", "de", "a"])["km"]
    km = length.reindex(pd.MultiIndex.from_frame(calendar[["ruta", "de", "a"]])).to_numpy(float)
    found: list[Row] = []
    for route, month in calendar.assign(km=km).groupby("ruta", sort=True):
        own, first = stops[stops["ruta"] == route], month.iloc[0]
        nights = month.loc[month["pernocta"].astype(bool), "dia_habil"].nunique()
        found.append((str(route), KINDS[first["tipo"]], first["clues"], first["base"], len(own), float(own["personas"].sum()),
                      float(own["visitas_mes"].iloc[0]) if len(own) else None, month["dia_habil"].nunique(), nights,
                      float(month["km"].sum(skipna=False)), float(month["minutos"].sum()), float(month["minutos_parada"].sum())))
    return found


def _visit(row: dict[str, Any]) -> dict[str, Value]:
    return {**row, "tipo": KINDS[row["tipo"]], "fecha": date.fromisoformat(row["fecha"])}
