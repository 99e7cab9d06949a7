"""The sheets of assumptions and of meanings, and what each kind of intervention costs as formulas over the assumptions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from planner.kinds import GRADES
from planner.outputs.layers import dictionary
from planner.outputs.report import Report
from planner.outputs.sheets import Block, Cell, Field, Row, Sheet, Value, dictionary_rows
from planner.outputs.tables import setting_told
from planner.settings import Scenario, describe_scenario, slug
from planner.words import DOUBTS, REGIONAL, ROADS

# Cells of the assumptions that formulas use, by key of the scenario.
NAMES: dict[str, str] = {
    "budget_mxn_year": "Presupuesto_anual", "capital_mxn": "Tope_de_inversion", "price_year": "Anio_de_precios",
    "discount_rate": "Tasa_de_descuento", "life_building_years": "Vida_de_obra", "life_vehicle_years": "Vida_de_vehiculo",
    "cost_umr_capital_mxn": "Inversion_UMR", "cost_umr_annual_mxn": "Operacion_UMR",
    "cost_nucleo_capital_mxn": "Inversion_nucleo", "cost_nucleo_annual_mxn": "Operacion_nucleo",
    "cost_umm_capital_mxn": "Inversion_UMM", "cost_umm_annual_mxn": "Operacion_UMM",
    "cost_brigade_annual_mxn": "Operacion_brigada", "cost_post_annual_mxn": "Operacion_plaza",
    "cost_caro_capital_mxn": "Inversion_CARO", "cost_caro_annual_mxn": "Operacion_CARO",
    "cost_ambulance_capital_mxn": "Inversion_ambulancia", "cost_ambulance_annual_mxn": "Operacion_ambulancia"}
_ANNUITIES = {"life_building_years": ("Anualidad_de_obra", "obra"), "life_vehicle_years": ("Anualidad_de_vehiculo", "vehículo")}
_CENT = 0.005


@dataclass(frozen=True)
class Price:
    """Keys of the scenario that price one intervention of a kind; none: it costs nothing of that."""

    running: str = ""
    capital: str = ""
    life: str = ""


PRICES: dict[str, Price] = {
    "umr": Price("cost_umr_annual_mxn", "cost_umr_capital_mxn", "life_building_years"),
    "nucleo": Price("cost_nucleo_annual_mxn", "cost_nucleo_capital_mxn", "life_building_years"),
    "plaza": Price("cost_post_annual_mxn"),
    "umm": Price("cost_umm_annual_mxn", "cost_umm_capital_mxn", "life_vehicle_years"),
    "brigada": Price("cost_brigade_annual_mxn"),
    "ruta": Price(),
    "caro": Price("cost_caro_annual_mxn", "cost_caro_capital_mxn", "life_building_years"),
    "ambulancia": Price("cost_ambulance_annual_mxn", "cost_ambulance_capital_mxn", "life_vehicle_years")}

_SETTINGS = (
    Field("Supuesto", "texto", "Qué se supone", width=62), Field("Valor", "general", "Valor en el escenario (vacío: ninguno)", width=18),
    Field("Unidad", "texto", "Unidad del valor", width=20), Field("Marca", "texto", "dato, derivado o supuesto", width=10),
    Field("Fuente", "texto", "De dónde viene el valor", width=42),
    Field("Clave del escenario", "texto", "Clave en el archivo del escenario y en manifest.json", width=36),
    Field("Nombre en fórmulas", "texto", "Nombre de la celda del valor en las fórmulas del libro (vacío: ninguna la usa)", width=24))
_MEANINGS = (
    Field("Archivo u hoja", "texto", "Capa, tabla u hoja en que está el campo", width=42),
    Field("Campo", "texto", "Nombre del campo", width=32),
    Field("Etiqueta", "texto", "Título del campo en pantalla", width=34), Field("Significado", "texto", "Qué dice el campo", width=70),
    Field("Tipo", "texto", "text, int, float, bool o date", width=8), Field("Unidad", "texto", "Unidad de los valores", width=20),
    Field("Marca", "texto", "dato, derivado o supuesto", width=10))


def cost_cells(kind: str, units: str, capital_mxn: float, annual_mxn: float, scenario: Scenario) -> tuple[Cell, Cell]:
    """Capital and yearly cost of as many interventions of a kind as the cell `units` tells, as formulas over the assumptions.

    A price that the assumptions do not give stands as a number, for what a run tells must not change under way.
    """
    price, values = PRICES[kind], scenario.model_dump()
    running, capital = (float(values[key] or 0.0) if key else 0.0 for key in (price.running, price.capital))
    yearly = running + (scenario.annualised(capital, values[price.life]) if price.life else 0.0)
    told = [NAMES[price.running]] if price.running else []
    if price.capital:
        told.append(f"{NAMES[price.capital]}*{_ANNUITIES[price.life][0]}")
    return (Cell(capital_mxn, "dinero", f"={units}*{NAMES[price.capital]}" if price.capital and abs(capital - capital_mxn) < _CENT else ""),
            Cell(annual_mxn, "dinero", f"={units}*({'+'.join(told)})" if told and abs(yearly - annual_mxn) < _CENT else ""))


def settings_sheet(report: Report) -> Sheet:
    """Every setting of the scenario, one row each part; the ones that price the plan are named cells."""
    scenario = report.run.scenario
    rows: list[Row] = []
    for row in describe_scenario(scenario).to_dict("records"):
        rows += _rows(row)
        if row["key"] in _ANNUITIES:
            rows.append(_annuity(row["key"], scenario))
    notes = (f"Pesos de {scenario.price_year}. Al cambiar aquí un costo, la tasa o una vida útil, cambian los costos de Propuestas y de "
             "Resumen; qué se elige no cambia: para eso se repite la corrida con otro escenario.",)
    return Sheet("Supuestos", "Supuestos del escenario", (Block("", _SETTINGS, tuple(rows), filtered=True),), notes)


def dictionary_sheet(sheets: Sequence[Sheet], file: str) -> Sheet:
    """What each field of the layers and tables means, and each column of these sheets."""
    own = Sheet("Diccionario", "Diccionario", (Block("", _MEANINGS, ()),))
    fields = [tuple(map(str, row)) for row in dictionary().itertuples(index=False)]
    rows = (*dictionary_rows([*sheets, own], file), *fields)
    note = ("Las columnas ocultas «Clave: …» a la derecha de cada hoja dicen en qué lugar de indicadores.json está cada cifra. Una celda "
            "vacía es un dato que falta o que no se alcanza; nunca un cero.")
    return Sheet("Diccionario", "Diccionario", (Block("", _MEANINGS, rows, filtered=True),), (note,))


def _rows(row: Mapping[Any, Any]) -> list[Row]:
    """A setting, or each part of one that has parts."""
    key, value, unit = row["key"], row["value"], row["unit"]
    if isinstance(value, Mapping):
        words = {**ROADS, **DOUBTS, **REGIONAL, **{grade: grade for grade in GRADES}}
        return [_row(f"{key}.{slug(part)}", f"{row['meaning']}: {words.get(part, part)}", one, unit, row) for part, one in value.items()]
    return [_row(key, row["meaning"], value, unit, row)]


def _row(key: str, meaning: str, value: Any, unit: str, row: Mapping[Any, Any]) -> Row:
    name = NAMES.get(key, "")
    return (meaning, Cell(_shown(value, unit), _style(value, unit), name=name), unit, row["mark"], row["source"], key, name)


def _shown(value: Any, unit: str) -> Value:
    if isinstance(value, (tuple, list)):
        return setting_told(value, unit) or None
    return value if value is None or isinstance(value, (bool, int, float, str, date)) else str(value)


def _style(value: Any, unit: str) -> str:
    if isinstance(value, date):
        return "fecha"
    if isinstance(value, (int, float)) and unit.startswith("MXN"):
        return "dinero"
    return "general"


def _annuity(key: str, scenario: Scenario) -> Row:
    """The yearly payment for each peso of capital, which the assumptions before it give."""
    name, words = _ANNUITIES[key]
    rate, life = NAMES["discount_rate"], NAMES[key]
    formula = f"=IF({rate}=0,1/{life},{rate}/(1-(1+{rate})^(-{life})))"
    value = scenario.annualised(1.0, getattr(scenario, key))
    return (f"Pago anual por cada peso que se invierte en {words}: r / (1 - (1 + r)^-n); 1 / n si la tasa es cero",
            Cell(value, "general", formula, name), "proporción/año", "derivado", "De la tasa y de la vida útil", None, name)
