"""Options and plan of a real state: the numbers agree with the consequences, and the bound is close."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from planner.access.circuit_rules import circuit_faults
from planner.access.gap import compute_access
from planner.access.outcome import evaluate
from planner.decide.fleet import Choices
from planner.decide.options import feasible_options
from planner.decide.rules import SEAT_RULES, beyond_reach, left_out, seat_rules
from planner.decide.selection import select
from planner.model import Access, Region, Travel
from planner.settings import Scenario
from planner.sources.responsibility import read_circuits
from planner.travel.teams import team_legs
from planner.travel.times import compute_travel

State = tuple[Region, Travel, Access, Choices]


@pytest.fixture(scope="module")
def state(hidalgo: Region, searches: Path) -> State:
    travel = compute_travel(hidalgo, Scenario(), searches)
    access = compute_access(hidalgo, travel, Scenario())
    return hidalgo, travel, access, feasible_options(hidalgo, travel, access, Scenario(), searches)


def test_options_are_those_of_an_independent_trial(state: State) -> None:
    region, travel, access, choices = state
    options = choices.options
    kinds = pd.Series([o.kind for o in options]).value_counts()
    # The trial: 376 seats and 108 nuclei at 69 units; it took walking and the saturated units a little otherwise. Of the seats that
    # keep the siting norm, only those are offered that would better the access of as many people beyond reach as the norm asks for.
    rules = seat_rules(region, travel, access, Scenario())
    assert (rules["people_enough"] & rules["spaced"] & rules["all_year"]).sum() == pytest.approx(376, rel=0.05)
    beyond = set(access.localities.index[beyond_reach(access, Scenario())])
    for option in [o for o in options if o.kind == "umr"]:
        assert rules.loc[option.place, list(SEAT_RULES)].all()
        assert set(option.serves["cvegeo"]) <= beyond
        assert option.serves["available"].sum() >= 1000
        assert 1000 <= option.people <= 3000 + 1e-6
    assert (kinds["umr"], kinds["nucleo"], len({o.place for o in options if o.kind == "nucleo"})) == (84, 90, 62)
    offered = {c for o in options for c in o.serves["cvegeo"]}
    assert beyond - offered == set(left_out(options, choices.reached, region, access, Scenario()).index)
    assert {s for o in options for s in o.stops} <= set(choices.reached) <= beyond
    for option in options:
        if option.stops:
            assert 300 <= option.serves["available"].sum() <= max(2400, option.serves["available"].max() + 1e-6)


@pytest.mark.parametrize(("budget", "bought"), [
    (0.0, {}), (20e6, {"nucleo": 10}), (100e6, {"nucleo": 47, "umr": 2}), (400e6, None)])
def test_the_plan_is_near_its_bound_and_closes_what_it_says(state: State, budget: float, bought: dict[str, int] | None) -> None:
    region, travel, access, choices = state
    scenario = Scenario(budget_mxn_year=budget)
    plan = select(choices, region.localities, access, scenario)
    chosen = [o for o in plan.options if o.id in plan.chosen]
    assert plan.solution.value <= plan.solution.bound <= plan.solution.ceiling
    assert plan.solution.gap <= 0.01
    assert plan.solution.gap_any <= 0.03
    assert sum(o.annual_mxn for o in chosen) <= budget
    assert bought is None or pd.Series([o.kind for o in chosen], dtype="str").value_counts().to_dict() == bought
    assert budget != 100e6 or plan.solution.value == pytest.approx(98_004, abs=1)
    circuits = [o for o in chosen if o.days]
    ends = [(a, b) for o in circuits for a, b in legs_of(o.place, o.days)]
    assert bool(circuits) == (budget == 400e6)
    legs = team_legs(region, scenario, pd.DataFrame(ends, columns=["from_id", "to_id"]))
    assert circuit_faults(circuits, pd.DataFrame(legs), scenario) == []
    outcome = evaluate(region, travel, access, plan, scenario)
    assert outcome.violations == ()
    closed = outcome.localities["weighted_gap"].sum() - outcome.localities["weighted_gap_plan"].sum()
    assert plan.solution.value == pytest.approx(closed, rel=1e-9, abs=1e-6)
    assert (plan.solution.value == 0) == (budget == 0)
    assert np.all(outcome.localities["gap_share_plan"] <= outcome.localities["gap_share"] + 1e-12)


def test_todays_teams_of_a_published_file_go_further(state: State, tmp_path: Path) -> None:
    """Six small places near each of four mobile units, read as the region file's circuits are."""
    region, travel, access, _ = state
    mobile = region.units[region.units["role"] == "movil"].iloc[:4]
    small = region.localities[region.localities["population"].between(100, 400)]
    rows = [(clues, cvegeo, 2) for clues, point in mobile.geometry.items() for cvegeo in small.distance(point).nsmallest(6).index]
    path = tmp_path / "rutas_umm.csv"
    pd.DataFrame(rows, columns=["CLUES", "CVEGEO", "visitas_mes"]).to_csv(path, index=False)
    aside = pd.DataFrame({"successor": pd.Series(dtype="str")})
    circuits, findings = read_circuits(path, region.units, aside, region.localities.index)
    assert (len(circuits), findings) == (24, ())
    there = replace(region, circuits=circuits)
    scenario = Scenario(budget_mxn_year=0.0, allow=("ruta",))
    access = compute_access(there, travel, scenario)
    choices = feasible_options(there, travel, access, scenario)
    drivable = [c for c in choices.today.circuits if c.days]
    assert len(choices.today.circuits) == 4
    assert len(drivable) >= 2
    assert all(bool(c.days) != bool(c.why_not) for c in choices.today.circuits)
    plan = select(choices, there.localities, access, scenario)
    chosen = [o for o in plan.options if o.id in plan.chosen]
    assert 2 <= len({o.place for o in chosen}) == len(chosen) <= len(drivable)
    assert plan.solution.value == pytest.approx(sum(o.weighted for o in chosen), rel=0.2)
    assert plan.solution.value <= plan.solution.bound <= plan.solution.ceiling
    legs = team_legs(there, scenario, pd.DataFrame([e for o in chosen for e in legs_of(o.place, o.days)], columns=["from_id", "to_id"]))
    assert circuit_faults(chosen, pd.DataFrame(legs), scenario, there) == []
    outcome = evaluate(there, travel, access, plan, scenario)
    assert outcome.violations == ()
    assert (outcome.localities["visits_month_plan"] >= outcome.localities["visits_month"]).all()


def legs_of(base: str, days) -> list[tuple[str, str]]:  # type: ignore[no-untyped-def]
    """From where to where each leg of a round goes."""
    here, legs = base, []
    for day in days:
        for there in (*day.stops, *(() if day.night_out else (base,))):
            legs.append((here, there))
            here = there
    return legs
