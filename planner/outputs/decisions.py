"""What a run says of its decision besides the plan: every option and why, the curve of budgets, other plans, the draws."""

from __future__ import annotations

from typing import Any

import pandas as pd

from planner.model import Plan
from planner.scenarios import Run
from planner.words import KINDS_PLURAL

_NEXT = 10  # options told as the next to enter
_OPTIONS = {  # columns of opciones.csv by those of decide.explain
    "chosen": "elegida", "annual_mxn": "costo_anual", "own_people": "personas_propias", "own_weighted": "brecha_propia",
    "incremental_people": "personas_incrementales", "incremental_weighted": "brecha_incremental", "more_mxn": "presupuesto_adicional",
    "year": "anio_despliegue", "robustness": "robustez", "sentence": "decision", "reason": "motivo"}
_DRAWS = {"dirt_speed": "velocidad_terraceria", "rains": "lluvias", "capacity": "capacidad", "utilisation": "utilizacion",
          "units_out": "unidades_fuera", "value": "cierra_el_plan", "best": "cierra_el_mejor", "regret": "arrepentimiento"}


def decision_files(run: Run) -> dict[str, bytes]:
    """opciones.csv always; curva.csv and sorteos.csv where the scenario asks for them. UTF-8, comma, names in Spanish."""
    files = {"opciones.csv": options_table(run)}
    if run.curve is not None:
        files["curva.csv"] = curve_table(run)
    if run.robustness is not None:
        draws = run.robustness.draws.rename(columns=_DRAWS).rename_axis("sorteo").reset_index()
        files["sorteos.csv"] = draws.assign(lluvias=draws["lluvias"].map({True: "sí", False: "no"}))
    return {name: table.to_csv(index=False, lineterminator="\n", float_format="%.12g").encode() for name, table in files.items()}


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


def curve_table(run: Run) -> pd.DataFrame:
    """One row by budget: cost, gap closed and its bounds, and by kind how many and what they close."""
    if run.curve is None:
        return pd.DataFrame()
    found = run.curve.table()
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
    if run.curve is not None:
        told["curva"] = {"puntos": curve_table(run).to_dict("records"), "todo": run.curve.everything.solution.value,
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


def _other(plan: Plan, other: Plan) -> dict[str, Any]:
    mine, theirs = set(plan.chosen), set(other.chosen)
    return {"cierra": other.solution.value, "entran": sorted(theirs - mine), "salen": sorted(mine - theirs)}


def decision_tables(run: Run) -> dict[str, pd.DataFrame]:
    """What the command line tells of the curve, the other plans and the draws, by title."""
    told, found = decision_indicators(run), {}
    if run.curve is not None:
        found["Curva de presupuestos (MXN/año y brecha ponderada cerrada)"] = curve_table(run)[
            ["presupuesto", "costo_anual", "cierra", "cota", "brecha_optimalidad", "cota_cualquier_ruta"]]
    if run.others:
        found["Otros planes"] = pd.DataFrame([{"Cierra": o["cierra"], "Entran": ", ".join(o["entran"]), "Salen": ", ".join(o["salen"])}
                                              for o in told["otros_planes"]])
    if run.robustness is not None:
        found["Robustez"] = pd.DataFrame(list(told["robustez"].items()), columns=["Qué", "Cuánto"])
    return found
