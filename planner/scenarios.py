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
from planner.borders import within
from planner.decide.calendar import schedule
from planner.decide.curve import Curve, budget_curve, other_plans
from planner.decide.explain import explained, sentence
from planner.decide.fleet import Choices
from planner.decide.options import feasible_options
from planner.decide.regional.regionalization import Regionalization, regionalize
from planner.decide.robustness import Robustness, robustness
from planner.decide.rules import why_not
from planner.decide.selection import select
from planner.engine import HERE, Engine
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
    around: Region | None = None  # the state with its neighbours, where the run was asked to look across the border
    unsure: int = 0  # localities from which some unit, farther than any cutoff, might be nearer by ways beyond the border's reach


@dataclass(frozen=True, eq=False)
class Facts:
    """What a scenario finds before it chooses; no name, budget or cap of capital changes it."""

    region: Region
    travel: Travel
    access: Access
    choices: Choices
    cache: Path | None
    around: Region | None = None


def run_scenario(region: Region, scenario: Scenario, *, around: Region | None = None, progress: Told = lambda _: None,
                 cache: Path | None = None, engine: Engine = HERE) -> Run:
    """Travel, access, options, selection and consequences of one scenario.

    `around` is the region with its neighbours (borders.with_neighbours): people then go to the units beyond the border that are nearer,
    and share them; what is told and planned stays the region's. `progress` is told each step in words before it starts;
    `cache` is a folder that keeps travel between runs; `engine` runs the draws.
    Raises PlannerError kinds only.
    """
    found = find_facts(region, scenario, around=around, progress=progress, cache=cache)
    return _asked(choose(found, scenario, progress=progress), progress, engine)


def find_facts(region: Region, scenario: Scenario, *, around: Region | None = None, progress: Told = lambda _: None,
               cache: Path | None = None) -> Facts:
    """Travel, access and feasible options of a scenario; `around` as in `run_scenario`."""
    whole = network_of(region if around is None else around, scenario)
    progress("Calculando tiempos de traslado")
    travel = compute_travel(whole, scenario, cache, own=None if around is None else region)
    progress("Calculando acceso y brecha")
    access = compute_access(whole, travel, scenario)
    state = whole
    if around is not None:
        state, travel, access = within(region, whole, travel, access)
    progress("Buscando intervenciones factibles")
    choices = feasible_options(state, travel, access, scenario, cache)
    return Facts(state, travel, access, choices, cache, None if around is None else whole)


def choose(found: Facts, scenario: Scenario, *, progress: Told = lambda _: None) -> Run:
    """The plan and its consequences, without curve, other plans or draws."""
    progress(f"Eligiendo entre {len(found.choices.options)} intervenciones")
    plan = select(found.choices, found.region.localities, found.access, scenario)
    progress("Calculando consecuencias")
    outcome, why = _consequences(found, plan, scenario)
    return Run(found.region, scenario, found.travel, found.access, found.choices, plan, outcome, why, cache=found.cache,
               around=found.around)


def choose_again(run: Run, scenario: Scenario) -> Run:
    """The same facts and options under another budget: only the plan and its consequences are computed anew.

    Right only if `scenario` differs from the run's in `name`, `budget_mxn_year` and `capital_mxn`, on which no option depends.
    """
    return choose(Facts(run.region, run.travel, run.access, run.choices, run.cache, run.around), scenario)


def _asked(run: Run, progress: Told, engine: Engine) -> Run:
    """The run with what its scenario asks for besides: a curve, other plans, draws."""
    scenario, places = run.scenario, run.region.localities
    curve = None
    if scenario.curve_points:
        curve = budget_curve(run.choices, places, run.access, scenario, scenario.curve_points, progress=progress)
    others = tuple(other_plans(run.choices, places, run.access, scenario, run.plan)) if run.plan.chosen else ()
    if not scenario.draws:
        return replace(run, curve=curve, others=others)
    progress(f"Sorteos: 0 de {scenario.draws}")
    found = robustness(run.region, scenario, run.plan, around=run.around, cache=run.cache, progress=progress, engine=engine)
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
