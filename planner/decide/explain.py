"""Why each option is in the plan or not: what the plan would lose without it, what it would take to enter, and in which year it comes."""

from __future__ import annotations

import numpy as np
import pandas as pd

from planner.decide.fleet import Choices
from planner.decide.gains import take_best
from planner.decide.program import Model, program
from planner.decide.selection import assigned, copies_of, model_for, served_by
from planner.model import Access, Plan
from planner.settings import Scenario
from planner.words import people_told

_BESIDE = {"ruta": "el plan ya amplía de otro modo la ruta de su equipo"}  # why an option is not chosen beside another


def explained(places: pd.DataFrame, access: Access, scenario: Scenario, plan: Plan) -> pd.DataFrame:
    """Every option of the plan and every other, by id.

    Columns: kind; chosen; own_people and own_weighted, what it would do alone; incremental_people and incremental_weighted, what the plan
    would lose without it if the others took whom they can (of a chosen one), or what it would add to the plan (of another);
    more_mxn, how much more budget a year it takes to add it to the plan with nothing taken out (0: the plan has that left over);
    year, in which it comes. Options that no budget of the scenario's outlay pays have no increments.
    """
    options = {o.id: o for o in plan.options}
    table = pd.DataFrame({
        "kind": [o.kind for o in options.values()], "chosen": [i in set(plan.chosen) for i in options],
        "own_people": [o.people for o in options.values()], "own_weighted": [o.weighted for o in options.values()],
        "annual_mxn": [o.annual_mxn for o in options.values()],
        "incremental_people": np.nan, "incremental_weighted": np.nan, "more_mxn": np.nan}, index=pd.Index(list(options), dtype="str"))
    if table.empty:
        return table.assign(year=pd.Series(dtype=float))
    wide = scenario.model_copy(update={"budget_mxn_year": max(o.annual_mxn for o in options.values()) + scenario.budget_mxn_year,
                                       "require": ()})
    model = model_for(Choices(plan.options), places, access, wide)
    if not model.ids:
        return table.assign(year=np.nan)
    copies = copies_of(model, plan.chosen)
    served, _, _ = served_by(model, copies)
    whole, worth = program(model), model.pairs["worth"].to_numpy(float)
    people = assigned(model, copies, whole=whole)
    spare = scenario.budget_mxn_year - sum(options[i].annual_mxn for i in plan.chosen)
    left = _left(model, served)
    for k, ids in enumerate(model.ids):
        if copies[k]:
            less = copies.copy()
            less[k] -= 1
            rest = assigned(model, less, whole=whole)
            told = float(people.sum() - rest.sum()), float((people - rest) @ worth)
            table.loc[list(ids[: copies[k]]), ["incremental_people", "incremental_weighted"]] = np.maximum(told, 0.0)
        if copies[k] < model.most[k] and not _barred(model, copies, k):
            at = slice(model.start[k], model.start[k + 1])
            pairs = model.pairs.iloc[at]
            room = np.minimum(pairs["available"].to_numpy(float), left[pairs["row"].to_numpy(int)])
            taken = take_best(room, pairs["worth"].to_numpy(float), model.capacity[k])
            i = ids[copies[k]]
            table.loc[i, ["incremental_people", "incremental_weighted"]] = taken.sum(), float(taken @ pairs["worth"])
            table.loc[i, "more_mxn"] = max(options[i].annual_mxn - spare, 0.0)
    return table.assign(year=_years(table, scenario))


def _left(model: Model, served: pd.DataFrame) -> np.ndarray:
    """People of each tier whom the plan does not take."""
    rows = pd.MultiIndex.from_frame(model.rows[["cvegeo", "tier"]])
    taken = served.groupby(["cvegeo", "tier"])["people"].sum().reindex(rows).fillna(0.0)
    return np.asarray(np.maximum(model.people - taken.to_numpy(float), 0.0))


def _barred(model: Model, copies: np.ndarray, k: int) -> bool:
    """Whether one of the plan, such as a seat too near, keeps the choice out."""
    return any(copies[a if b == k else b] > 0 for a, b in model.conflicts if k in (a, b))


def _years(table: pd.DataFrame, scenario: Scenario) -> pd.Series:
    """Year of each chosen option: what closes most per peso first, an equal part of the plan's yearly cost in each year.

    A roll-out of one plan, not a set of plans that are the best of their years.
    """
    chosen = table[table["chosen"]]
    rate = chosen["incremental_weighted"] / chosen["annual_mxn"].clip(lower=1.0)
    order = chosen.assign(rate=rate).sort_values("rate", ascending=False, kind="stable")
    spent = order["annual_mxn"].cumsum() - order["annual_mxn"] / 2
    part = spent / max(float(order["annual_mxn"].sum()), 1.0)
    years = np.minimum(np.floor(part * scenario.rollout_years) + 1, scenario.rollout_years)
    return pd.Series(years, order.index, dtype=float).reindex(table.index)


def sentence(option: pd.Series, scenario: Scenario) -> str:
    """What the row of `explained` says, in words: why the option stays, or what would bring it in."""
    people, gap, more = option["incremental_people"], option["incremental_weighted"], option["more_mxn"]
    if option["chosen"]:
        lost = f"sin ella el plan atendería a {people_told(people)} menos y cerraría {gap:,.0f} menos"
        return f"{lost if gap > 0 else 'la exige el escenario'}; año {option['year']:.0f} de {scenario.rollout_years}"
    if np.isnan(gap):
        why = [_BESIDE.get(option["kind"], "su sede está a menos de la separación mínima de otra"),
               *(["su inversión pasa del tope"] if scenario.capital_mxn is not None else []),
               *(["el escenario la prohíbe"] if scenario.forbid else [])]
        return f"no cabe junto a lo elegido: {' o '.join(why)}"
    if gap < 0.5:
        return "no agregaría nada: el plan ya atiende a su gente"
    when = f"entra si el presupuesto sube {more / 1e6:,.1f} M" if more > 0 else "cabe en lo que sobra del presupuesto"
    return f"{when}, sin quitar nada: atendería a {people_told(people)} más y cerraría {gap:,.0f} más"
