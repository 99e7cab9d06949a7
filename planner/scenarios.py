"""Run a scenario on a region, from facts to consequences."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from planner.access.circuit_rules import circuit_faults
from planner.access.gap import compute_access
from planner.access.outcome import evaluate
from planner.access.rules import chosen_options
from planner.closures import closed
from planner.decide.calendar import schedule
from planner.decide.fleet import Choices
from planner.decide.options import feasible_options
from planner.decide.rules import why_not
from planner.decide.selection import select
from planner.model import Access, Outcome, Plan, Region, Travel
from planner.settings import Scenario
from planner.travel.teams import team_legs
from planner.travel.times import compute_travel

Told = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class Run:
    """A finished scenario: the question, and everything that was answered on the way."""

    region: Region  # without the units that the scenario closes
    scenario: Scenario
    travel: Travel
    access: Access
    choices: Choices
    plan: Plan
    outcome: Outcome
    cache: Path | None = None


def run_scenario(region: Region, scenario: Scenario, *, progress: Told = lambda _: None, cache: Path | None = None) -> Run:
    """Travel, access, options, selection and consequences of one scenario.

    `progress` is told each step in words before it starts; `cache` is a folder that keeps travel between runs.
    Raises PlannerError kinds only.
    """
    region = closed(region, scenario)
    progress("Calculando tiempos de traslado")
    travel = compute_travel(region, scenario, cache)
    progress("Calculando acceso y brecha")
    access = compute_access(region, travel, scenario)
    progress("Buscando intervenciones factibles")
    choices = feasible_options(region, travel, access, scenario, cache)
    progress(f"Eligiendo entre {len(choices.options)} intervenciones")
    plan = select(choices, region.localities, access, scenario)
    progress("Calculando consecuencias")
    outcome = _consequences(region, travel, access, choices, plan, scenario, cache)
    return Run(region, scenario, travel, access, choices, plan, outcome, cache)


def choose_again(run: Run, scenario: Scenario) -> Run:
    """The same facts and options under another budget: only the plan and its consequences are computed anew.

    Right only if `scenario` differs from the run's in `name`, `budget_mxn_year` and `capital_mxn`, on which no option depends.
    """
    plan = select(run.choices, run.region.localities, run.access, scenario)
    outcome = _consequences(run.region, run.travel, run.access, run.choices, plan, scenario, run.cache)
    return replace(run, scenario=scenario, plan=plan, outcome=outcome)


def _consequences(region: Region, travel: Travel, access: Access, choices: Choices, plan: Plan, scenario: Scenario, cache: Path | None
                  ) -> Outcome:
    """The outcome, with the teams' ways and what the checker of circuits says, and a reason also where the plan does nothing."""
    outcome = evaluate(region, travel, access, plan, scenario)
    circuits = [o for o in chosen_options(plan) if o.days]
    driven = [schedule(o, scenario)[["from_id", "to_id"]] for o in circuits]
    legs = team_legs(region, scenario, pd.concat(driven) if driven else pd.DataFrame(columns=["from_id", "to_id"]), cache)
    localities = outcome.localities
    reason = localities["reason"].fillna(why_not(plan, choices.reached, region, access, scenario).reindex(localities.index))
    return replace(outcome, localities=localities.assign(reason=reason), legs=legs,
                   violations=(*outcome.violations, *circuit_faults(circuits, legs, scenario)))
