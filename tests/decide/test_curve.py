"""Curve, other plans, reasons and draws on the valley, where every subset of options can be tried."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
import valley

from planner.assumptions import Uncertainty
from planner.decide.curve import NEARLY_ALL, budget_curve, closed_by_kind, other_plans, single_kinds
from planner.decide.explain import explained, sentence
from planner.decide.fleet import Choices
from planner.decide.robustness import robustness, varied_facts
from planner.decide.selection import copies_of, model_for, select, served_by
from planner.engine import Engine
from planner.scenarios import Run, run_scenario
from planner.settings import Scenario

ASKED = Scenario(
    capacity_people_per_nucleo=1000.0, reach_first_level_min=40, ramp_first_level_good_min=10, ramp_first_level_none_min=60,
    umr_people_min=100, mobile_people_min=10, mobile_locality_min=0, umr_spacing_min=20, budget_mxn_year=8e6)
RICH = ASKED.model_copy(update={"budget_mxn_year": 1e9})


@pytest.fixture(scope="module")
def run() -> Run:
    return run_scenario(valley.region(), ASKED)


def worth(run: Run, ids: tuple[str, ...]) -> float:
    model = model_for(Choices(run.plan.options), run.region.localities, run.access, RICH)
    return float(served_by(model, copies_of(model, ids))[1])


def cost(run: Run, ids: tuple[str, ...]) -> float:
    return sum(o.annual_mxn for o in run.plan.options if o.id in ids)


def subsets(run: Run) -> list[tuple[str, ...]]:
    ids = [o.id for o in run.plan.options]
    return [s for k in range(len(ids) + 1) for s in combinations(ids, k)]


def test_each_point_of_the_curve_is_the_best_subset_and_more_budget_never_buys_less(run: Run) -> None:
    curve = budget_curve(run.choices, run.region.localities, run.access, ASKED, 6)
    every = [(cost(run, s), worth(run, s)) for s in subsets(run)]
    for budget, plan in zip(curve.budgets, curve.plans, strict=True):
        best = max(value for price, value in every if price <= budget + 1e-6)
        assert plan.solution.value == pytest.approx(best, rel=1e-9)
        assert plan.solution.value <= plan.solution.bound + 1e-6 <= plan.solution.ceiling + 2e-6
        assert sum(closed_by_kind(plan).values()) == pytest.approx(plan.solution.value)
        alone = single_kinds(run.choices, run.region.localities, run.access, ASKED.model_copy(update={"budget_mxn_year": budget}),
                             ("nucleo", "brigada"))
        assert max(p.solution.value for p in alone.values()) <= plan.solution.value + 1e-6
    values = [p.solution.value for p in curve.plans]
    assert (np.diff(values) >= -1e-9).all()
    everything = max(value for _, value in every)
    assert curve.everything.solution.value == pytest.approx(everything)
    least = min(price for price, value in every if value >= NEARLY_ALL * everything - 1e-6)
    assert curve.nearly_all_mxn == pytest.approx(least)
    assert curve.nearly_all_bound_mxn <= least * (1 + 1e-9)
    assert values[-1] >= NEARLY_ALL * everything - 1e-6
    table = curve.table()
    assert (table["cost_mxn"] <= table["budget_mxn"] + 1e-6).all()


def test_other_plans_differ_as_asked_and_are_the_next_best(run: Run) -> None:
    asked = ASKED.model_copy(update={"alternatives": 3, "alternatives_differ": 2})
    found = list(other_plans(run.choices, run.region.localities, run.access, asked, run.plan))
    assert found
    plans = [run.plan, *found]
    for a, b in combinations(plans, 2):
        assert len(set(a.chosen) ^ set(b.chosen)) >= 2
    for plan in found:
        assert cost(run, plan.chosen) <= asked.budget_mxn_year
        assert plan.solution.value == pytest.approx(worth(run, plan.chosen))
        assert plan.solution.value <= run.plan.solution.bound + 1e-6
    values = [p.solution.value for p in found]
    assert values == sorted(values, reverse=True)


def test_reasons_are_what_happens_without_an_option_and_with_one_more(run: Run) -> None:
    why = explained(run.region.localities, run.access, ASKED, run.plan)
    assert set(why.index[why["chosen"]]) == set(run.plan.chosen)
    for i in run.plan.chosen:
        rest = tuple(c for c in run.plan.chosen if c != i)
        assert why.at[i, "incremental_weighted"] == pytest.approx(run.plan.solution.value - worth(run, rest), abs=1e-6)
    spare = ASKED.budget_mxn_year - cost(run, run.plan.chosen)
    for option in (o for o in run.plan.options if o.id not in run.plan.chosen):
        row = why.loc[option.id]
        assert row["more_mxn"] == pytest.approx(max(option.annual_mxn - spare, 0.0))
        # nobody moves when it is only added: the best plan with both is worth as much or more
        assert row["incremental_weighted"] <= worth(run, (*run.plan.chosen, option.id)) - run.plan.solution.value + 1e-6
        assert f"{row['more_mxn'] / 1e6:,.1f} M" in sentence(row, ASKED)
    years = why.loc[list(run.plan.chosen), "year"]
    assert years.between(1, ASKED.rollout_years).all()
    rate = why["incremental_weighted"] / why["annual_mxn"]
    assert all(rate[a] >= rate[b] for a in years.index for b in years.index if years[a] < years[b])
    assert run.outcome.proposals["year"].tolist() == years.reindex(run.outcome.proposals.index).tolist()
    assert all("sin ella el plan" in reason for reason in run.outcome.proposals["reason"])


def test_an_empty_plan_has_reasons_and_no_other_plans(run: Run) -> None:
    poor = ASKED.model_copy(update={"budget_mxn_year": 0.0, "alternatives": 2})
    plan = select(run.choices, run.region.localities, run.access, poor)
    why = explained(run.region.localities, run.access, poor, plan)
    assert not why["chosen"].any()
    assert (why["more_mxn"].dropna() > 0).all()
    assert list(other_plans(run.choices, run.region.localities, run.access, poor, plan)) == []


def test_draws_without_uncertainty_are_the_scenario_itself(run: Run) -> None:
    still = Uncertainty(dirt_speed=0.0, rains=0.0, capacity=0.0, utilisation=0.0, need=0.0, people=0.0, units_out=0.0)
    asked = ASKED.model_copy(update={"draws": 3, "uncertainty": still})
    found = robustness(run.region, asked, run.plan, engine=Engine(jobs=1))
    assert found.draws["value"].to_numpy() == pytest.approx(run.plan.solution.value)
    assert found.draws["regret"].to_numpy() == pytest.approx(0.0, abs=2e-3)
    kinds = found.frequency(run.plan.chosen)
    assert kinds.sum() == pytest.approx(len(run.plan.chosen), abs=1.0)  # twin nuclei may change places


def test_the_same_seed_gives_the_same_draws_by_one_process_or_two(run: Run) -> None:
    asked = ASKED.model_copy(update={"draws": 6})
    told: list[str] = []
    one = robustness(run.region, asked, run.plan, engine=Engine(jobs=1), progress=told.append)
    two = robustness(run.region, asked, run.plan, engine=Engine(jobs=2))
    assert one.draws.equals(two.draws)
    assert one.chosen.equals(two.chosen)
    assert told[-1] == "Sorteos: 6 de 6"
    shuffled = replace(run.region, localities=run.region.localities.sample(frac=1, random_state=1),
                       units=run.region.units.sample(frac=1, random_state=2))
    assert robustness(shuffled, asked, run.plan, engine=Engine(jobs=1)).draws.equals(one.draws)
    other = robustness(run.region, asked.model_copy(update={"seed": 7}), run.plan, engine=Engine(jobs=1))
    assert not other.draws.equals(one.draws)
    assert one.draws["regret"].between(0, 1).all()
    assert (one.draws["value"] <= one.draws["best"] + 1e-6).all()
    assert one.frequency(run.plan.chosen).between(0, 1).all()


def test_a_draw_stays_within_what_the_scenario_says(run: Run) -> None:
    span = ASKED.uncertainty
    for draw in range(40):
        varied, there, told = varied_facts(run.region, ASKED, draw)
        assert abs(told["capacity"] - 1) <= span.capacity
        assert abs(varied.utilisation / ASKED.utilisation - 1) <= span.utilisation + 1e-12
        need = list(varied.need.by_grade().values())
        assert need == sorted(need)
        change = there.localities["uninsured"] / run.region.localities["uninsured"]
        assert change.between(1 - span.people, 1 + span.people).all()


def test_a_run_asked_for_all_of_it_says_so() -> None:
    asked = ASKED.model_copy(update={"draws": 4, "curve_points": 2, "alternatives": 1, "alternatives_differ": 1})
    whole = run_scenario(valley.region(), asked)
    assert whole.curve is not None
    assert whole.robustness is not None
    assert len(whole.curve.plans) == 2
    assert len(whole.others) == 1
    assert whole.outcome.proposals["robustness"].between(0, 1).all()
    assert set(whole.outcome.proposals["robust"]) <= {"sí", "no"}
