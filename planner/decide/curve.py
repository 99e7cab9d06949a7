"""What each budget buys: a curve of certified plans, the least budget that buys nearly all, and other plans almost as good."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy import sparse

from planner.decide.fleet import Choices
from planner.decide.program import Model, program
from planner.decide.selection import copies_of, model_for, select, served_by
from planner.decide.solver import Problem, solve
from planner.model import Access, Plan
from planner.settings import Scenario

NEARLY_ALL = 0.998  # of what money without end closes
WITHOUT_END = 1e15  # MXN
_NODES = 20
_PASSES = 2
_USED = 0.1  # of what an option would serve alone, in another plan


@dataclass(frozen=True, eq=False)
class Curve:
    """Plans by budget, the least first, and the one that money without end buys."""

    budgets: tuple[float, ...]  # MXN a year
    plans: tuple[Plan, ...]
    everything: Plan
    nearly_all_mxn: float  # least budget found that closes NEARLY_ALL of it
    nearly_all_bound_mxn: float  # and one below which none does

    def table(self) -> pd.DataFrame:
        """One row by budget: budget_mxn, cost_mxn, value, bound, ceiling, gap and, by kind, how many and what they close."""
        rows: list[dict[str, object]] = []
        for budget, plan in zip(self.budgets, self.plans, strict=True):
            chosen = [o for o in plan.options if o.id in set(plan.chosen)]
            closed = closed_by_kind(plan)
            rows.append({"budget_mxn": budget, "cost_mxn": sum(o.annual_mxn for o in chosen), "value": plan.solution.value,
                         "bound": plan.solution.bound, "ceiling": plan.solution.ceiling, "gap": plan.solution.gap,
                         "number": pd.Series([o.kind for o in chosen], dtype="str").value_counts().sort_index().to_dict(),
                         "closed": closed})
        return pd.DataFrame(rows)


def closed_by_kind(plan: Plan) -> dict[str, float]:
    """Weighted gap that the options of each kind close in the plan."""
    options = {o.id: o for o in plan.options}
    gains = pd.concat([options[i].serves.assign(option=i) for i in plan.chosen], ignore_index=True) if plan.chosen else None
    if gains is None:
        return {}
    taken = plan.served.merge(gains[["option", "cvegeo", "tier", "gain"]], on=["option", "cvegeo", "tier"])
    closed = (taken["people"] * taken["gain"]).groupby(taken["option"].map(lambda i: options[i].kind)).sum()
    return {str(kind): float(value) for kind, value in closed.sort_index().items()}


def budget_curve(choices: Choices, places: pd.DataFrame, access: Access, scenario: Scenario, points: int, *,
                 progress: Callable[[str], None] = lambda _: None) -> Curve:
    """Plans at `points` budgets evenly apart, from a part of what nearly everything costs up to it.

    The plan of each budget is a start for the next, so that more budget never buys less. Requirements hold at every budget:
    SettingsError where one cannot pay for them.
    """
    free = scenario.model_copy(update={"budget_mxn_year": WITHOUT_END})
    rich, known = choices, tuple[str, ...]()
    for _ in range(_PASSES):  # teams that cost something are placed better than teams without end
        progress("Curva: todo lo factible")
        everything = select(rich, places, access, free, known=known)
        progress("Curva: presupuesto que compra casi todo")
        nearly, bound, cheapest = _least_budget(rich, places, access, free, everything)
        there = _with(choices, everything, cheapest)
        enough = select(there, places, access, scenario.model_copy(update={"budget_mxn_year": nearly}), known=cheapest)
        rich, known = _with(there, enough, (o.id for o in enough.options)), enough.chosen
    choices = there
    budgets = [nearly * k / points for k in range(1, points + 1)]
    plans: list[Plan] = []
    for k, budget in enumerate(budgets, 1):
        progress(f"Curva: presupuesto {k} de {points}, {budget / 1e6:,.0f} M")
        known = plans[-1].chosen if plans else ()
        there = _with(choices, plans[-1], known) if plans else choices
        plans.append(select(there, places, access, scenario.model_copy(update={"budget_mxn_year": budget}), known=known))
    most = max([everything, *plans], key=lambda p: p.solution.value)
    return Curve(tuple(budgets), tuple(plans), most, nearly, bound)


def _with(choices: Choices, plan: Plan, ids: Iterable[str]) -> Choices:
    """The choices and some more of the plan's options."""
    wanted = set(ids)
    more = {o.id: o for o in plan.options if o.id in wanted} | {o.id: o for o in choices.options}
    return replace(choices, options=tuple(more[i] for i in sorted(more)))


def _least_budget(choices: Choices, places: pd.DataFrame, access: Access, free: Scenario, everything: Plan
                  ) -> tuple[float, float, tuple[str, ...]]:
    """Least yearly cost found (MXN) of NEARLY_ALL that money without end buys, a bound under which there is none, and what it buys."""
    if everything.solution.value <= 0:
        return 0.0, 0.0, ()
    model = model_for(_with(choices, everything, everything.chosen), places, access, free)
    whole, n = program(model), len(model.ids)
    cost = np.zeros(len(whole.gain))
    cost[:n] = model.cost
    least = np.array([NEARLY_ALL * everything.solution.value])
    problem = with_rows(whole, sparse.csr_matrix(whole.gain), least, np.array([np.inf]))
    answer = solve(replace(problem, gain=-cost), nodes=_NODES)
    if not answer.feasible:
        return float(copies_of(model, everything.chosen) @ model.cost) * 1e3, 0.0, everything.chosen
    bought = np.rint(answer.x[:n]).astype(int)
    return -answer.value * 1e3, max(-answer.bound, 0.0) * 1e3, tuple(i for ids, k in zip(model.ids, bought, strict=True) for i in ids[:k])


def with_rows(problem: Problem, rows: sparse.spmatrix, lower: np.ndarray, upper: np.ndarray) -> Problem:
    """The problem with further rows."""
    return replace(problem, matrix=sparse.vstack([problem.matrix, rows]).tocsc(), lower=np.concatenate([problem.lower, lower]),
                   upper=np.concatenate([problem.upper, upper]))


def other_plans(choices: Choices, places: pd.DataFrame, access: Access, scenario: Scenario, plan: Plan) -> Iterator[Plan]:
    """The best plans that differ from the plan, and from one another, in `alternatives_differ` options or more, best first.

    Each of their options serves a tenth at least of what it would alone, so that none stands there only to differ. Copies of
    nuclei count where the plan has none or all of them. Their solution tells the value alone: they are found, not proven best.
    """
    model = model_for(replace(choices, options=plan.options), places, access, scenario)
    n = len(model.ids)
    alone = {o.id: o.people for o in plan.options}
    problem = program(model)
    used = sparse.hstack([
        sparse.csr_matrix((_USED * np.array([alone[ids[0]] for ids in model.ids]), (np.arange(n), np.arange(n))), (n, n)),
        sparse.csr_matrix((n, 1)),
        sparse.csr_matrix((-np.ones(len(model.pairs)), (model.pairs["choice"], np.arange(len(model.pairs)))), (n, len(model.pairs)))])
    problem = with_rows(problem, used, np.full(n, -np.inf), np.zeros(n))
    seen = [copies_of(model, plan.chosen)]
    for _ in range(scenario.alternatives):
        row, least = _apart(model, seen[-1], scenario.alternatives_differ, len(problem.gain))
        problem = with_rows(problem, row, np.array([least]), np.array([np.inf]))
        answer = solve(problem, nodes=_NODES)
        if not answer.feasible:
            return
        seen.append(np.rint(answer.x[:n]).astype(int))
        served, value, copies = served_by(model, seen[-1])
        chosen = sorted({i for ids, k in zip(model.ids, copies, strict=True) for i in ids[:k]})
        yield replace(plan, chosen=tuple(chosen), served=served,
                      solution=replace(plan.solution, value=value, bound=max(plan.solution.bound, value), status="con brecha"))


def _apart(model: Model, copies: np.ndarray, least: int, columns: int) -> tuple[sparse.csr_matrix, float]:
    """The row that counts the options in which a plan differs from these copies, and its least value."""
    none, full = copies == 0, copies >= model.most
    sign = np.where(none, 1.0, np.where(full, -1.0, 0.0))
    row = np.zeros(columns)
    row[: len(copies)] = sign
    return sparse.csr_matrix(row), least - float(copies[full & ~none].sum())


def single_kinds(choices: Choices, places: pd.DataFrame, access: Access, scenario: Scenario, kinds: Sequence[str]) -> dict[str, Plan]:
    """The plan of the scenario with the options of one kind alone, for each of these kinds."""
    return {kind: select(replace(choices, options=tuple(o for o in choices.options if o.kind == kind),
                                 pools=tuple(p for p in choices.pools if p.kind == kind)), places, access, scenario) for kind in kinds}
