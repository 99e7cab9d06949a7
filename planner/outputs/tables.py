"""Tables in words: what one run says."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from planner.outputs.decisions import decision_tables
from planner.outputs.regionaltold import regional_tables
from planner.scenarios import Run
from planner.schema import GRADES
from planner.words import CLASSES, KINDS_PLURAL, MODES, ROADS, ROLES

# key of a block of indicadores.json, words, unit
ROWS: tuple[tuple[str, str, str], ...] = (
    ("poblacion", "Población objetivo", "personas"),
    ("dentro_30", "A 30 minutos o menos de primer nivel", "personas"),
    ("dentro_60", "A 60 minutos o menos de primer nivel", "personas"),
    ("hospital_60", "A 60 minutos o menos de un hospital", "personas"),
    ("hospital_120", "A 120 minutos o menos de un hospital", "personas"),
    ("p90_min", "Percentil 90 de los minutos al primer nivel", "min"),
    ("personas_equiv", "Personas sin acceso efectivo (equivalentes)", "personas"),
    ("brecha_ponderada", "Brecha ponderada", "personas ponderadas"),
    ("con_servicio", "Con servicio", "personas"),
    ("cubierta_sin_capacidad", "Cubierta sin capacidad", "personas"),
    ("sin_cobertura", "Sin cobertura", "personas"),
    ("localidades_sin_servicio", "Localidades sin servicio", "localidades"),
)
MONEY = (("numero", "Intervenciones", "intervenciones"), ("costo_anual", "Costo anual", "MXN/año"), ("costo_inversion", "Inversión", "MXN"))
GAINS = (("personas", "Personas", ""), ("brecha_ponderada_cerrada", "Brecha ponderada cerrada", ""))
_GRADE_ORDER = {grade: place for place, grade in enumerate(GRADES)}
_OBJECTIVES = {"brecha": "Brecha ponderada que se cierra", "personas": "Personas atendidas",
               "peor_municipio": "Lo que mejora el peor municipio (brecha ponderada por persona)"}
_NAMELESS = ("", "año")  # units of numbers that are names: a seed, a year


EXTRA: dict[str, tuple[str, tuple[tuple[str, str, str], ...]]] = {  # what only some regions have: key, title, rows
    "red_vial": ("Red vial", (
        ("km", "Caminos y veredas", "km"), ("km_vehiculo", "Con paso de vehículos", "km"), ("km_terraceria", "De ellos, terracería", "km"),
        ("km_sin_velocidad_publicada", "De ellos, con la velocidad de su clase", "km"),
        ("km_cerrados_en_la_temporada", "Cerrados en la temporada", "km"))),
    "poblacion_dispersa": ("Personas fuera de las localidades listadas (ráster de población)", (
        ("personas", "Personas", "personas"), ("dentro_umbral", "A tiempo de un primer nivel", "personas"),
        ("fuera_umbral", "Más allá del umbral", "personas"), ("sin_camino", "Sin camino conocido", "personas"),
        ("min_medio", "Minutos en promedio", "min"))),
}


def summary_tables(run: Run) -> dict[str, pd.DataFrame]:
    """What a run found, by title: people today and with the plan, by mode and grade, units, options and the plan."""
    told = run.outcome.indicators
    synthetic = " (SINTÉTICA)" if run.region.synthetic else ""
    return {
        f"Personas: {run.region.name}{synthetic}, escenario {run.scenario.name}": _before_and_after(told["total"]),
        "Personas más allá, hoy, por modo": _beyond(told["por_modo"]),
        "Personas sin acceso efectivo (equivalentes) por grado de rezago": _equivalent(told["por_grado"]),
        "Unidades": _units(told),
        "Opciones factibles": _by_kind(told["opciones_por_tipo"], MONEY),
        "Plan": _by_kind(told["plan"]["por_tipo"], (*MONEY, *GAINS)),
        "Solución": _solution(told["plan"]),
        **decision_tables(run),
        **{title: _listed(told[key], rows) for key, (title, rows) in EXTRA.items() if key in told},
        **regional_tables(run),
    }


def _listed(told: dict[str, Any], rows: Sequence[tuple[str, str, str]]) -> pd.DataFrame:
    values = told.get("total", told)
    table = pd.DataFrame([(words, unit, values[key]) for key, words, unit in rows], columns=["Indicador", "Unidad", "Valor"])
    return _rounded(table, ["Valor"])


def _rounded(table: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """People, money and places whole, minutes with two decimals (rows whose `Unidad` is min); never -0."""
    minutes = table["Unidad"] == "min" if "Unidad" in table else pd.Series(False, index=table.index)
    values = {c: table[c].astype(float) for c in columns}
    return table.assign(**{c: v.round().where(~minutes, v.round(2)) + 0.0 for c, v in values.items()})


def setting_told(value: Any, unit: str) -> str:
    """A value of a scenario, exact; amounts with thousands separated by commas.

    >>> setting_told(5e6, "MXN/año"), setting_told(0.67, ""), setting_told(2025, "año"), setting_told(None, "MXN")
    ('5,000,000', '0.67', '2025', 'sin tope')
    >>> setting_told({"Alto": 0.75}, "")
    'Alto 0.75'
    >>> setting_told({"calle": 30.0, "tracktype": [1.0, 0.9]}, ""), setting_told("", "")
    ('calle 30, brecha de firme a blanda 1 / 0.9', 'ninguna')
    """
    if isinstance(value, (list, tuple)):
        return " / ".join(setting_told(part, unit) for part in value)
    if isinstance(value, Mapping):
        keys = sorted(value, key=lambda k: _GRADE_ORDER.get(k, len(GRADES)))
        return ", ".join(f"{ROADS.get(key, key)} {setting_told(value[key], unit)}" for key in keys)
    if value is None or isinstance(value, bool):
        return {None: "sin tope", True: "sí", False: "no"}[value]
    if isinstance(value, str):
        return value or "ninguna"
    return f"{value:.12g}" if unit in _NAMELESS else f"{value:,.12g}"


def _before_and_after(total: Mapping[str, Any]) -> pd.DataFrame:
    rows = [(words, unit, total["actual"][key], total["plan"][key]) for key, words, unit in ROWS]
    return _rounded(pd.DataFrame(rows, columns=["Indicador", "Unidad", "Hoy", "Con el plan"]), ["Hoy", "Con el plan"])


def _beyond(modes: Mapping[str, Any]) -> pd.DataFrame:
    """People not within each threshold under each mode; those of unknown travel are among them."""
    limits = {"dentro_30": "Primer nivel > 30 min", "dentro_60": "Primer nivel > 60 min",
              "hospital_60": "Hospital > 60 min", "hospital_120": "Hospital > 120 min"}
    rows = [(words, *(modes[mode]["poblacion"] - modes[mode][key] for key in limits), modes[mode]["sin_dato"])
            for mode, words in MODES.items()]
    counts = [*limits.values(), "De ellas, sin dato"]
    return _rounded(pd.DataFrame(rows, columns=["Modo", *counts]), counts)


def _equivalent(grades: Mapping[str, Any]) -> pd.DataFrame:
    rows = [(grade, block["actual"]["poblacion"], block["actual"]["personas_equiv"], block["plan"]["personas_equiv"])
            for grade, block in grades.items()]
    counts = ["Población objetivo", "Hoy", "Con el plan"]
    return _rounded(pd.DataFrame(rows, columns=["Grado", *counts]), counts)


def _units(told: Mapping[str, Any]) -> pd.DataFrame:
    full, roles, classes = told["unidades_saturadas"], told["unidades_por_funcion"], told["unidades_por_clase"]
    rows = [*(("Función", words, roles[key]) for key, words in ROLES.items() if key in roles),
            *(("Tipo", words, classes[key]) for key, words in CLASSES.items() if key in classes),
            ("Capacidad", "Saturadas hoy", full["actual"]), ("Capacidad", "Saturadas con el plan", full["plan"])]
    return pd.DataFrame(rows, columns=["Por", "Qué", "Unidades"])


def _solution(plan: Mapping[str, Any]) -> pd.DataFrame:
    amounts = {"Presupuesto anual (MXN)": plan["presupuesto_anual"], "Costo anual del plan (MXN)": plan["costo_anual"],
               "Brecha ponderada que cierra": plan["brecha_ponderada_cerrada"]}
    bounds = {f"{_OBJECTIVES[plan['objetivo']]}: con estas opciones nada pasa de": plan["cota_superior"],
              f"{_OBJECTIVES[plan['objetivo']]}: ni con otras rutas se pasa de": plan["cota_cualquier_ruta"]}
    if plan["objetivo"] == "brecha":
        amounts |= bounds
    else:
        amounts |= {_OBJECTIVES[plan["objetivo"]]: plan["valor"], **bounds}
    words = [("Estado", _status(plan["estado"], plan["brecha_optimalidad"])), ("Método", plan["metodo"])]
    digits = 4 if plan["objetivo"] == "peor_municipio" else 0
    rows = [*((what, round(amount, digits if what in bounds or what in _OBJECTIVES.values() else 0) + 0.0)
              for what, amount in amounts.items()), *words]
    return pd.DataFrame(rows, columns=["Qué", "Cuánto"]).astype({"Cuánto": object})


def _status(status: str, gap: float) -> str:
    """What was proven, in words; `gap` is a share of the bound, "better" a share of the plan, rounded up to stay a bound.

    >>> _status("óptimo", 0.0), _status("con brecha", 0.2), _status("con brecha", 1.0)
    ('óptimo demostrado', 'no demostrado óptimo; a lo más 25 % mejor', 'no demostrado óptimo')
    """
    if status == "óptimo":
        return "óptimo demostrado"
    better = math.ceil(round(1e4 * gap / (1 - gap), 6)) / 100 if gap < 1 else None
    return "no demostrado óptimo" + ("" if better is None else f"; a lo más {better:,.12g} % mejor")


def _by_kind(blocks: Mapping[str, Mapping[str, Any]], fields: Sequence[tuple[str, str, str]]) -> pd.DataFrame:
    """One row per kind of intervention and their total."""
    rows = [(KINDS_PLURAL[kind], *(blocks[kind][key] for key, _, _ in fields)) for kind in KINDS_PLURAL if kind in blocks]
    total = ("Total", *(sum(block[key] for block in blocks.values()) for key, _, _ in fields))
    headings = [words + (f" ({unit})" if unit.startswith("MXN") else "") for _, words, unit in fields]
    return _rounded(pd.DataFrame([*rows, total], columns=["Tipo", *headings]), headings[1:])
