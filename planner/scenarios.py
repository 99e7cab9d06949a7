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
from planner.decide.calendar import schedule
from planner.decide.curve import Curve, budget_curve, other_plans
from planner.decide.explain import explained, sentence
from planner.decide.fleet import Choices
from planner.decide.options import feasible_options
from planner.decide.regional.regionalization import Regionalization, regionalize
from planner.decide.robustness import Robustness, robustness
from planner.decide.rules import why_not
from planner.decide.selection import select
from planner.model import Access, Outcome, Plan, Region, Travel
from planner.network import network_of
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
    explained: pd.DataFrame  # every option: decide.explain
    curve: Curve | None = None
    others: tuple[Plan, ...] = ()
    robustness: Robustness | None = None
    cache: Path | None = None
    regional: Regionalization | None = None


@dataclass(frozen=True, eq=False)
class Facts:
    """What a scenario finds before it chooses; no name, budget or cap of capital changes it."""

    region: Region
    travel: Travel
    access: Access
    choices: Choices
    cache: Path | None


def run_scenario(region: Region, scenario: Scenario, *, progress: Told = lambda _: None, cache: Path | None = None) -> Run:
    """Travel, access, options, selection and consequences of one scenario.

    `progress` is told each step in words before it starts; `cache` is a folder that keeps travel between runs.
    Raises PlannerError kinds only.
    """
    return _asked(choose(find_facts(region, scenario, progress=progress, cache=cache), scenario, progress=progress), progress)


def find_facts(region: Region, scenario: Scenario, *, progress: Told = lambda _: None, cache: Path | None = None) -> Facts:
    """Travel, access and feasible options of a scenario."""
    region = network_of(region, scenario)
    progress("Calculando tiempos de traslado")
    travel = compute_travel(region, scenario, cache)
    progress("Calculando acceso y brecha")
    access = compute_access(region, travel, scenario)
    progress("Buscando intervenciones factibles")
    return Facts(region, travel, access, feasible_options(region, travel, access, scenario, cache), cache)


def choose(found: Facts, scenario: Scenario, *, progress: Told = lambda _: None) -> Run:
    """The plan and its consequences, without curve, other plans or draws."""
    progress(f"Eligiendo entre {len(found.choices.options)} intervenciones")
    plan = select(found.choices, found.region.localities, found.access, scenario)
    progress("Calculando consecuencias")
    outcome, why = _consequences(found, plan, scenario)
    return Run(found.region, scenario, found.travel, found.access, found.choices, plan, outcome, why, cache=found.cache)


def choose_again(run: Run, scenario: Scenario) -> Run:
    """The same facts and options under another budget: only the plan and its consequences are computed anew.

    Right only if `scenario` differs from the run's in `name`, `budget_mxn_year` and `capital_mxn`, on which no option depends.
    """
    return choose(Facts(run.region, run.travel, run.access, run.choices, run.cache), scenario)


def _asked(run: Run, progress: Told) -> Run:
    """The run with what its scenario asks for besides: a curve, other plans, draws."""
    scenario, places = run.scenario, run.region.localities
    curve = None
    if scenario.curve_points:
        curve = budget_curve(run.choices, places, run.access, scenario, scenario.curve_points, progress=progress)
    others = tuple(other_plans(run.choices, places, run.access, scenario, run.plan)) if run.plan.chosen else ()
    if not scenario.draws:
        return replace(run, curve=curve, others=others)
    progress(f"Sorteos: 0 de {scenario.draws}")
    found = robustness(run.region, scenario, run.plan, cache=run.cache, progress=progress)
    frequency = found.frequency(run.outcome.proposals.index)
    robust = (frequency >= scenario.uncertainty.robust).map({True: "sí", False: "no"})
    outcome = replace(run.outcome, proposals=run.outcome.proposals.assign(robustness=frequency, robust=robust))
    return replace(run, curve=curve, others=others, robustness=found, outcome=outcome)


def regionalized(run: Run, *, progress: Told = lambda _: None) -> Run:
    """The run with the regionalization of its plan."""
    found = regionalize(run.region, run.travel, run.access, run.plan, run.scenario, progress=progress, cache=run.cache)
    return replace(run, regional=found)


def _consequences(found: Facts, plan: Plan, scenario: Scenario) -> tuple[Outcome, pd.DataFrame]:
    """The outcome, with the teams' ways and what the checker of circuits says, and why each option and each place stands as it does."""
    region, access = found.region, found.access
    outcome = evaluate(region, found.travel, access, plan, scenario)
    circuits = [o for o in chosen_options(plan) if o.days]
    driven = [schedule(o, scenario)[["from_id", "to_id"]] for o in circuits]
    legs = team_legs(region, scenario, pd.concat(driven) if driven else pd.DataFrame(columns=["from_id", "to_id"]), found.cache)
    why = explained(region.localities, access, scenario, plan)
    why = why.assign(sentence=[sentence(row, scenario) for _, row in why.iterrows()])
    told = why.reindex(outcome.proposals.index)
    proposals = outcome.proposals.assign(
        **{c: told[c].astype(float) for c in ("incremental_people", "incremental_weighted", "year")},
        reason=[f"{reason}; {more}" for reason, more in zip(outcome.proposals["reason"], told["sentence"], strict=True)])
    localities = outcome.localities
    reason = localities["reason"].fillna(why_not(plan, found.choices.reached, region, access, scenario).reindex(localities.index))
    return replace(outcome, localities=localities.assign(reason=reason), proposals=proposals, legs=legs,
                   violations=(*outcome.violations, *circuit_faults(circuits, legs, scenario, region))), why
