"""Options and plan of a real state: the numbers agree with the consequences, and the bound is close."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from planner.access.gap import compute_access
from planner.access.outcome import evaluate
from planner.decide.options import feasible_options
from planner.decide.rules import SEAT_RULES, beyond_reach, left_out, seat_rules
from planner.decide.selection import select
from planner.model import Access, Option, Region, Travel
from planner.region import prepare_region
from planner.settings import Scenario
from planner.travel.times import compute_travel

State = tuple[Region, Travel, Access, tuple[Option, ...]]


@pytest.fixture(scope="module")
def state(shared: Path) -> State:
    region = prepare_region(Path(__file__).parents[2] / "regions/hidalgo.toml", shared / "data/hidalgo")
    travel = compute_travel(region, Scenario())
    access = compute_access(region, travel, Scenario())
    return region, travel, access, feasible_options(region, travel, access, Scenario())


def test_options_are_those_of_an_independent_trial(state: State) -> None:
    region, travel, access, options = state
    kinds = pd.Series([o.kind for o in options]).value_counts()
    # The trial: 376 seats and 108 nuclei at 69 units; it took walking and the saturated units a little otherwise. Of the seats that
    # keep the siting norm, only those are offered that would better the access of as many people beyond reach as the norm asks for.
    rules = seat_rules(region, travel, access, Scenario())
    assert (rules["people_enough"] & rules["spaced"] & rules["all_year"]).sum() == pytest.approx(376, rel=0.05)
    for option in [o for o in options if o.kind == "umr"]:
        assert rules.loc[option.place, list(SEAT_RULES)].all()
        assert set(option.serves["cvegeo"]) <= set(access.localities.index[beyond_reach(access, Scenario())])
        assert option.serves["available"].sum() >= 1000
        assert 1000 <= option.people <= 3000 + 1e-6
    assert 60 <= kinds["umr"] <= 100
    assert 80 <= kinds["nucleo"] <= 115
    assert 55 <= len({o.place for o in options if o.kind == "nucleo"}) <= 70
    beyond = set(access.localities.index[beyond_reach(access, Scenario())])
    offered = {c for o in options for c in o.serves["cvegeo"]}
    assert beyond - offered == set(left_out(options, region, travel, access, Scenario()).index)
    for option in options:
        if option.stops:
            assert option.serves["minutes"].max() <= 90
            assert set(option.stops) <= beyond
            assert 300 <= option.serves["available"].sum() <= max(2400, option.serves["available"].max() + 1e-6)


@pytest.mark.parametrize("budget", [0.0, 20e6, 100e6, 400e6])
def test_the_plan_is_near_its_bound_and_closes_what_it_says(state: State, budget: float) -> None:
    region, travel, access, options = state
    scenario = Scenario(budget_mxn_year=budget)
    plan = select(options, access, scenario)
    assert plan.solution.gap <= 0.01
    assert sum(o.annual_mxn for o in options if o.id in plan.chosen) <= budget
    outcome = evaluate(region, travel, access, plan, scenario)
    assert outcome.violations == ()
    closed = outcome.localities["weighted_gap"].sum() - outcome.localities["weighted_gap_plan"].sum()
    assert plan.solution.value == pytest.approx(closed, rel=1e-9, abs=1e-6)
    assert (plan.solution.value == 0) == (budget == 0)
    assert np.all(outcome.localities["gap_share_plan"] <= outcome.localities["gap_share"] + 1e-12)
