"""The sheet that sets today against the plan by total, grade and group, and the plan against other plans and budgets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from planner import schema
from planner.kinds import GRADES
from planner.outputs.report import Report
from planner.outputs.sheets import Block, Cell, Field, Row, Sheet, difference, unit_style, value_style
from planner.outputs.tables import ROWS
from planner.words import KINDS_PLURAL

_MOMENTS = (
    Field("Por", "texto", "Total, grado de rezago social o grupo de población", width=18),
    Field("Grupo", "texto", "De qué parte de la población son las cifras", width=34),
    Field("Indicador", "texto", "Qué se cuenta", width=44), Field("Unidad", "texto", "Unidad de la cifra", width=20),
    Field("Hoy", "entero", "La cifra de hoy", "", "derivado", 16),
    Field("Con el plan", "entero", "La cifra con el plan", "", "derivado", 16),
    Field("Cambio", "cambio", "Con el plan menos hoy", "", "derivado", 14),
    Field("Cambio relativo", "cambio_parte", "Cambio entre la cifra de hoy (vacío: hoy es cero)", "", "derivado", 14))
_AT = (5, 4)  # columns of the plan and of today
_OTHERS = (
    Field("Plan", "texto", "Otro plan casi tan bueno", width=18),
    Field("Entran", "texto", "Propuestas que no están en el plan elegido", width=34),
    Field("Salen", "texto", "Propuestas del plan elegido que no tiene", width=44),
    Field("Cierra", "entero", "Lo que consigue, en la unidad del objetivo", "", "derivado"),
    Field("Frente al plan", "cambio", "Lo que consigue menos lo del plan elegido", "", "derivado"))
_CURVE = {  # fields of a point of the curve: title, style, meaning, unit
    "presupuesto": ("Presupuesto", "dinero", "Presupuesto anual de ese punto", "MXN/año"),
    "costo_anual": ("Costo anual", "dinero", "Lo que de él se gasta", "MXN/año"),
    "cierra": ("Cierra", "entero", "Lo que consigue el plan de ese presupuesto, en la unidad del objetivo", ""),
    "cota": ("Cota", "entero", "Con estas opciones nada pasa de esto", ""),
    "brecha_optimalidad": ("Brecha de optimalidad", "parte", "Parte de la cota que el plan no alcanza", ""),
    "cota_cualquier_ruta": ("Cota con cualquier ruta", "entero", "Ni con otras rutas se pasa de esto", "")}


def change_sheet(report: Report) -> Sheet:
    """Today against the plan; under it the other plans and the curve of budgets, where the run has them."""
    told = report.indicators
    groups = {export: words for _, export, words in schema.GROUPS}
    grades = sorted(told["por_grado"], key=lambda grade: (*GRADES, grade).index(grade))
    rows = [*_figures("Total", "Toda la población objetivo", "total", told["total"])]
    for grade in grades:
        rows += _figures("Grado de rezago", grade, f"por_grado.{grade}", told["por_grado"][grade])
    for key, block in told["por_grupo"].items():
        rows += _figures("Grupo", groups.get(key, key), f"por_grupo.{key}", block)
    blocks = [Block("Hoy y con el plan", _MOMENTS, tuple(rows), filtered=True), *_others(told), *_curve(told)]
    notes = ("Para comparar esta corrida con otras: planner compare.",)
    return Sheet("Comparación", "Comparación: hoy y con el plan", tuple(blocks), notes)


def _figures(level: str, group: str, path: str, block: Mapping[str, Any]) -> list[Row]:
    rows: list[Row] = []
    for key, words, unit in ROWS:
        today, then = block["actual"][key], block["plan"][key]
        style = unit_style(unit)
        rows.append((level, group, words, unit, Cell(today, style, path=f"{path}.actual.{key}"),
                     Cell(then, style, path=f"{path}.plan.{key}"), *difference(then, today, _AT, unit)))
    return rows


def _others(told: Mapping[str, Any]) -> list[Block]:
    plan = told["plan"]["valor"]
    rows: list[Row] = []
    for place, other in enumerate(told.get("otros_planes", [])):
        rows.append((f"Plan {place + 2}", ", ".join(other["entran"]), ", ".join(other["salen"]),
                     Cell(other["cierra"], value_style(told), path=f"otros_planes.{place}.cierra"), Cell(other["cierra"] - plan, "cambio")))
    return [Block("Otros planes casi tan buenos", _OTHERS, tuple(rows))] if rows else []


def _curve(told: Mapping[str, Any]) -> list[Block]:
    points = told.get("curva", {}).get("puntos", [])
    if not points:
        return []
    columns = {key: Field(title, style, meaning, unit, "derivado", 16) for key, (title, style, meaning, unit) in _CURVE.items()}
    for kind, words in KINDS_PLURAL.items():
        if f"numero_{kind}" in points[0]:
            columns[f"numero_{kind}"] = Field(f"{words}: cuántas", "entero", f"{words} de su plan", "intervenciones", "derivado")
            columns[f"cierra_{kind}"] = Field(f"{words}: cierran", "entero", f"Lo que consiguen: {words.lower()}", "", "derivado")
    own = {key: value_style(told) for key in columns if key.startswith(("cierra", "cota"))}
    rows = tuple(tuple(Cell(point[key], own.get(key, ""), path=f"curva.puntos.{place}.{key}") for key in columns)
                 for place, point in enumerate(points))
    return [Block("Curva de presupuestos", tuple(columns.values()), rows)]
