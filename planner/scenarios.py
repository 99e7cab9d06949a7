"""Run a scenario on a region, from facts to consequences."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from planner.access.gap import compute_access
from planner.access.outcome import evaluate
from planner.decide.options import feasible_options
from planner.decide.rules import why_not
from planner.decide.selection import select
from planner.model import Access, Outcome, Plan, Region, Travel
from planner.settings import Scenario
from planner.travel.times import compute_travel


@dataclass(frozen=True, eq=False)
class Run:
    """A finished scenario: the question, and everything that was answered on the way."""

    region: Region
    scenario: Scenario
    travel: Travel
    access: Access
    plan: Plan
    outcome: Outcome


def run_scenario(
    region: Region, scenario: Scenario, *, progress: Callable[[str], None] = lambda _: None, cache: Path | None = None
) -> Run:
    """Travel, access, options, selection and consequences of one scenario.

    `progress` is told each step in words before it starts; `cache` is a folder that keeps travel between runs.
    Raises PlannerError kinds only.
    """
    progress("Calculando tiempos de traslado")
    travel = compute_travel(region, scenario, cache)
    progress("Calculando acceso y brecha")
    access = compute_access(region, travel, scenario)
    progress("Buscando intervenciones factibles")
    options = feasible_options(region, travel, access, scenario)
    progress(f"Eligiendo entre {len(options)} intervenciones")
    plan = select(options, access, scenario)
    progress("Calculando consecuencias")
    return Run(region, scenario, travel, access, plan, _consequences(region, travel, access, plan, scenario))


def choose_again(run: Run, scenario: Scenario) -> Run:
    """The same facts and options under another budget: only the plan and its consequences are computed anew.

    Right only if `scenario` differs from the run's in `name`, `budget_mxn_year` and `capital_mxn`, on which no option depends.
    """
    plan = select(run.plan.options, run.access, scenario)
    return replace(run, scenario=scenario, plan=plan, outcome=_consequences(run.region, run.travel, run.access, plan, scenario))


def _consequences(region: Region, travel: Travel, access: Access, plan: Plan, scenario: Scenario) -> Outcome:
    """The outcome, with a reason also where the plan does nothing."""
    outcome = evaluate(region, travel, access, plan, scenario)
    localities = outcome.localities
    reason = localities["reason"].fillna(why_not(plan, region, travel, access, scenario).reindex(localities.index))
    return replace(outcome, localities=localities.assign(reason=reason))
