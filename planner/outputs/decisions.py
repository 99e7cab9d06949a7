"""What a run says of its decision besides the plan: every option and why, the curve of budgets, other plans, the draws."""

from __future__ import annotations

from typing import Any

import pandas as pd

from planner import schema
from planner.decide.curve import Curve
from planner.model import Plan
from planner.outputs.exporting import csv_bytes, exported
from planner.scenarios import Run
from planner.words import KINDS_PLURAL

OPTIONS_FILE, ATTENDED_FILE = "opciones.csv", "atencion.csv"
_NEXT = 10  # options told as the next to enter
_OPTIONS = {  # columns of opciones.csv by those of decide.explain
    "chosen": "elegida", "annual_mxn": "costo_anual", "own_people": "personas_propias", "own_weighted": "brecha_propia",
    "incremental_people": "personas_incrementales", "incremental_weighted": "brecha_incremental", "more_mxn": "presupuesto_adicional",
    "year": "anio_despliegue", "robustness": "robustez", "sentence": "decision", "reason": "motivo"}
CIRCUITS_TODAY = {  # fields of circuitos_hoy.csv: what each means
    "clues": "CLUES de la unidad móvil", "nombre": "Nombre de la unidad", "tipo": "umm o brigada: las reglas que sigue (nulo: no es móvil)",
    "paradas": "Localidades que visita hoy", "localidades": "Claves de esas localidades, separadas por espacio",
    "visitas_mes": "Visitas al mes de su ronda: las de su parada más visitada", "personas": "Población objetivo de sus paradas",
    "costo_anual": "Operación al año, ya pagada: no cuenta en el presupuesto (nulo: no es móvil)",
    "transitable": "Su ronda cabe en la jornada y en el mes, en la temporada del escenario: sí o no",
    "dias_ronda": "Días de trabajo de una ronda", "minutos_ronda": "Minutos de traslado de una ronda",
    "dias_usados_mes": "Días de trabajo del mes que ocupan sus rondas", "dias_mes": "Días de trabajo del mes",
    "ampliable": "Puede visitar más localidades con lo que le queda del mes: sí o no",
    "ampliada_en": "Propuesta del plan que la amplía", "motivo": "Regla que ninguna ronda cumple (nulo: la cumple)"}
_DRAWS = {"dirt_speed": "velocidad_terraceria", "rains": "lluvias", "capacity": "capacidad", "utilisation": "utilizacion",
          "units_out": "unidades_fuera", "value": "cierra_el_plan", "best": "cierra_el_mejor", "regret": "arrepentimiento"}


def decision_files(run: Run) -> dict[str, bytes]:
    """opciones.csv and atencion.csv always; circuitos_hoy.csv where the region tells of circuits; curva.csv and sorteos.csv where asked.

    UTF-8, comma, names in Spanish.
    """
    files = {OPTIONS_FILE: options_table(run)}
    if run.region.circuits is not None:
        files["circuitos_hoy.csv"] = circuits_table(run)
    if run.curve is not None:
        files["curva.csv"] = curve_table(run)
    if run.robustness is not None:
        draws = run.robustness.draws.rename(columns=_DRAWS).rename_axis("sorteo").reset_index()
        files["sorteos.csv"] = draws.assign(lluvias=draws["lluvias"].map({True: "sí", False: "no"}))
    told = {name: table.to_csv(index=False, lineterminator="\n", float_format="%.12g").encode() for name, table in files.items()}
    return told | {ATTENDED_FILE: csv_bytes(attended_table(run))}


def attended_table(run: Run) -> pd.DataFrame:
    """Whom each chosen proposal attends: schema.ATTENDED under its export names. DataError if it breaks its declaration."""
    served = run.plan.served.sort_values(["option", "cvegeo", "tier"], ignore_index=True)
    return exported((schema.ATTENDED,), served[[c.name for c in schema.ATTENDED.all()]], ATTENDED_FILE)


def options_table(run: Run) -> pd.DataFrame:
    """Every option by id: kind, place, price, what it does alone and in the plan, and what would change the decision."""
    options = run.plan.options
    table = run.explained.reindex([o.id for o in options]).assign(reason=[o.reason for o in options])
    table["robustness"] = run.robustness.frequency(table.index) if run.robustness is not None else float("nan")
    told = table[list(_OPTIONS)].rename(columns=_OPTIONS)
    told.insert(0, "costo_inversion", [o.capital_mxn for o in options])
    named: dict[str, list[str]] = {
        "id": [o.id for o in options], "tipo": [o.kind for o in options], "lugar": [o.place for o in options],
        "nombre": [o.name for o in options]}
    for at, (name, values) in enumerate(named.items()):
        told.insert(at, name, values)
    return told.assign(elegida=told["elegida"].map({True: "sí", False: "no"})).reset_index(drop=True)


def circuits_table(run: Run) -> pd.DataFrame:
    """Today's circuits by clues: what each one's round takes of the month, whom it visits, what it costs, and whether it can be driven.

    The costs are already paid, outside the budget. A circuit that no round drives as the rules ask is kept as it is, and not extended.
    """
    month, longer = run.scenario.working_days_month, {o.place for o in run.plan.options if o.kind == "ruta"}
    chosen = {o.place: o.id for o in run.plan.options if o.kind == "ruta" and o.id in set(run.plan.chosen)}
    rows = [(c.clues, c.name, c.team, len(c.stops), " ".join(c.stops), c.visits_month, c.people, c.annual_mxn, bool(c.days),
             len(c.days) if c.days else None, c.driven_min if c.days else None, c.days_month if c.days else None, month,
             c.clues in longer, chosen.get(c.clues), c.why_not or None) for c in run.choices.today.circuits]
    table = pd.DataFrame(rows, columns=list(CIRCUITS_TODAY))
    return table.astype({"dias_ronda": "Int64", "dias_usados_mes": "Int64"}).assign(
        **{name: table[name].map({True: "sí", False: "no"}) for name in ("transitable", "ampliable")})


def curve_table(run: Run) -> pd.DataFrame:
    """One row by budget: cost, gap closed and its bounds, and by kind how many and what they close."""
    return pd.DataFrame() if run.curve is None else budgets_table(run.curve)


def curve_points(curve: Curve) -> list[dict[str, Any]]:
    """The rows of `budgets_table` as `curva.puntos` of the indicators holds them."""
    return [{str(key): value for key, value in row.items()} for row in budgets_table(curve).to_dict("records")]


def budgets_table(curve: Curve) -> pd.DataFrame:
    """What each budget of a curve buys, under its export names."""
    found = curve.table()
    kinds = [k for k in KINDS_PLURAL if any(k in n for n in found["number"])]
    return pd.DataFrame({
        "presupuesto": found["budget_mxn"], "costo_anual": found["cost_mxn"], "cierra": found["value"], "cota": found["bound"],
        "brecha_optimalidad": found["gap"], "cota_cualquier_ruta": found["ceiling"],
        **{f"numero_{k}": [n.get(k, 0) for n in found["number"]] for k in kinds},
        **{f"cierra_{k}": [c.get(k, 0.0) for c in found["closed"]] for k in kinds}})


def decision_indicators(run: Run) -> dict[str, Any]:
    """The same as plain numbers: siguientes (the next options to enter), curva, otros_planes, robustez."""
    waiting = run.explained[~run.explained["chosen"] & (run.explained["incremental_weighted"] > 0.5)]
    order = waiting.assign(rate=waiting["incremental_weighted"] / waiting["annual_mxn"].clip(lower=1.0)).sort_values(
        "rate", ascending=False, kind="stable").head(_NEXT)
    told: dict[str, Any] = {"siguientes": [{"id": str(i), "presupuesto_adicional": float(row["more_mxn"]),
                                            "brecha_incremental": float(row["incremental_weighted"]), "decision": row["sentence"]}
                                           for i, row in order.iterrows()]}
    if run.region.circuits is not None:
        told["circuitos_hoy"] = _told(circuits_table(run))
    if run.curve is not None:
        told["curva"] = {"puntos": curve_points(run.curve), "todo": run.curve.everything.solution.value,
                         "presupuesto_casi_todo": run.curve.nearly_all_mxn, "presupuesto_casi_todo_cota": run.curve.nearly_all_bound_mxn}
    if run.others:
        told["otros_planes"] = [_other(run.plan, other) for other in run.others]
    if run.robustness is not None:
        regret, frequency = run.robustness.draws["regret"], run.outcome.proposals["robustness"]
        told["robustez"] = {"sorteos": len(regret), "arrepentimiento_medio": float(regret.mean()),
                            "arrepentimiento_p90": float(regret.quantile(0.9)),
                            "arrepentimiento_max": float(regret.max()), "propuestas": len(frequency),
                            "robustas": int((run.outcome.proposals["robust"] == "sí").sum())}
    return told


def _told(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as plain values, None where there is none."""
    return [{str(name): None if pd.isna(value) else value for name, value in row.items()} for row in table.to_dict("records")]


def _other(plan: Plan, other: Plan) -> dict[str, Any]:
    mine, theirs = set(plan.chosen), set(other.chosen)
    return {"cierra": other.solution.value, "entran": sorted(theirs - mine), "salen": sorted(mine - theirs)}


def decision_tables(run: Run) -> dict[str, pd.DataFrame]:
    """What the command line tells of the curve, the other plans and the draws, by title."""
    told, found = decision_indicators(run), {}
    if run.region.circuits is not None and run.choices.today.circuits:
        found["Rutas de hoy (ya pagadas, fuera del presupuesto)"] = circuits_table(run)[
            ["clues", "nombre", "paradas", "visitas_mes", "personas", "transitable", "dias_usados_mes", "dias_mes", "ampliada_en"]]
    if run.curve is not None:
        found["Curva de presupuestos (MXN/año y brecha ponderada cerrada)"] = curve_table(run)[
            ["presupuesto", "costo_anual", "cierra", "cota", "brecha_optimalidad", "cota_cualquier_ruta"]]
    if run.others:
        found["Otros planes"] = pd.DataFrame([{"Cierra": o["cierra"], "Entran": ", ".join(o["entran"]), "Salen": ", ".join(o["salen"])}
                                              for o in told["otros_planes"]])
    if run.robustness is not None:
        found["Robustez"] = pd.DataFrame(list(told["robustez"].items()), columns=["Qué", "Cuánto"])
    return found
