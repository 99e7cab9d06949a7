"""A scenario from end to end on the drawn valley: pure, the same whatever the order of rows, and cheap to ask again."""

import copy
from dataclasses import fields, is_dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import valley
from scipy import sparse

from planner.model import Region
from planner.scenarios import Run, choose_again, run_scenario
from planner.settings import Scenario
from planner.travel.times import compute_travel

STRAINED = Scenario(capacity_people_per_nucleo=500.0, umr_people_min=200.0, mobile_people_min=100.0)

NEAR_SIGHTED = STRAINED.model_copy(update={
    "ramp_first_level_good_min": 10.0, "ramp_first_level_none_min": 20.0, "reach_first_level_min": 15.0, "umr_spacing_min": 0.0,
    "allow": ("umr",), "budget_mxn_year": 1e9})


def parts(thing: Any, name: str = "run") -> dict[str, Any]:
    """Everything that a noun holds, down to tables, arrays and plain values, by where it stands."""
    if is_dataclass(thing):
        held = {f.name: getattr(thing, f.name) for f in fields(thing)}
    elif isinstance(thing, dict):
        held = {str(k): v for k, v in thing.items()}
    elif isinstance(thing, tuple):
        held = {str(i): v for i, v in enumerate(thing)}
    else:
        return {name: thing}
    return {k: v for key, value in held.items() for k, v in parts(value, f"{name}.{key}").items()}


def assert_same(one: Any, other: Any) -> None:
    mine, theirs = parts(one), parts(other)
    assert mine.keys() == theirs.keys()
    for name, value in mine.items():
        if isinstance(value, pd.DataFrame):
            pd.testing.assert_frame_equal(pd.DataFrame(value), pd.DataFrame(theirs[name]), check_exact=True, obj=name)
        elif isinstance(value, pd.Series):
            pd.testing.assert_series_equal(value, theirs[name], check_exact=True, obj=name)
        elif isinstance(value, pd.Index):
            pd.testing.assert_index_equal(value, theirs[name], obj=name)
        elif isinstance(value, np.ndarray):
            np.testing.assert_array_equal(value, theirs[name], err_msg=name)
        elif sparse.issparse(value):
            assert value.shape == theirs[name].shape, name
            assert (value != theirs[name]).nnz == 0, name
        else:
            assert value == theirs[name], name


@pytest.fixture(scope="module")
def run() -> Run:
    return run_scenario(valley.region(), STRAINED)


def test_the_valley_gets_a_plan_that_breaks_no_rule(run: Run) -> None:
    assert run.plan.chosen
    assert run.outcome.violations == ()
    closed = run.outcome.localities["weighted_gap"].sum() - run.outcome.localities["weighted_gap_plan"].sum()
    assert 0 < closed == pytest.approx(run.plan.solution.value)


def test_nothing_that_is_given_is_ever_changed(run: Run) -> None:
    region = valley.region()
    for array in (region.grid.road_kmh, region.grid.slope_deg, region.grid.walk_factor):
        array.flags.writeable = False
    before = copy.deepcopy(region)
    assert_same(run_scenario(region, STRAINED), run)
    assert_same(region, before)
    kept = copy.deepcopy(run)
    choose_again(run, STRAINED.model_copy(update={"budget_mxn_year": 5e6}))
    assert_same(run, kept)


def test_shuffled_rows_give_the_same_plan_and_the_same_numbers(run: Run) -> None:
    region = valley.region()
    assert region.responsibility is not None
    mixed = replace(region, localities=region.localities.iloc[[3, 1, 5, 0, 4, 2]], units=region.units.iloc[::-1],
                    municipalities=region.municipalities.iloc[::-1], responsibility=region.responsibility.sample(frac=1, random_state=2))
    again = run_scenario(mixed, STRAINED)
    assert_same(again.plan, run.plan)
    assert again.outcome.indicators == run.outcome.indicators
    assert_same(again.outcome.localities.sort_index(), run.outcome.localities)
    assert_same(again.outcome.proposals, run.outcome.proposals)


@pytest.mark.parametrize("budget", [0.0, 4e6, 9e6, 100e6])
def test_choosing_again_is_running_anew(run: Run, budget: float) -> None:
    other = STRAINED.model_copy(update={"name": "otro", "budget_mxn_year": budget, "capital_mxn": 12e6})
    again = choose_again(run, other)
    assert again.choices.fleet
    fleet = replace(again.choices.fleet, scenario=other)  # it was built under the first question, from which nothing in it differs
    assert_same(replace(again, choices=replace(again.choices, fleet=fleet)), run_scenario(run.region, other))


def test_more_money_never_closes_less(run: Run) -> None:
    closed = [choose_again(run, STRAINED.model_copy(update={"budget_mxn_year": b})).plan.solution.value for b in np.linspace(0, 30e6, 13)]
    assert (np.diff(closed) >= -1e-6).all()
    assert closed[-1] > closed[0] == 0.0


def test_each_step_is_told_before_it_starts() -> None:
    steps: list[str] = []
    run_scenario(valley.region(), STRAINED, progress=steps.append)
    assert [step.split()[0] for step in steps] == ["Calculando", "Calculando", "Buscando", "Eligiendo", "Calculando"]


def test_a_valley_without_units_has_no_access_and_is_no_error() -> None:
    region: Region = valley.region(responsibility=False)
    found = run_scenario(replace(region, units=region.units.iloc[:0]), STRAINED)
    people = found.outcome.localities["people"].sum()
    assert found.outcome.indicators["total"]["actual"]["sin_cobertura"] == pytest.approx(people)
    assert found.outcome.indicators["total"]["actual"]["dentro_60"] == 0.0


def test_the_nearest_unit_under_the_plan_is_that_of_a_region_where_the_unit_stands(run: Run) -> None:
    planned = run_scenario(run.region, NEAR_SIGHTED)
    seats = [o.place for o in planned.plan.options if o.id in planned.plan.chosen]
    assert seats
    model_unit = run.region.units[run.region.units["role"] == "primer_nivel"].iloc[[0] * len(seats)]
    built = model_unit.set_index(pd.Index([f"umr-{s}" for s in seats], name="clues")).set_geometry(
        run.region.localities.geometry.loc[seats].to_numpy(), crs=run.region.crs)
    grown = replace(run.region, units=pd.concat([run.region.units, built]).sort_index())
    truth = compute_travel(grown, NEAR_SIGHTED).nearest["primer_nivel", "a_pie"]["minutes"]
    told = planned.outcome.localities["first_level_min_plan"]
    np.testing.assert_allclose(told, truth.reindex(told.index), rtol=0, atol=1e-9)
    assert (told > NEAR_SIGHTED.ramp_first_level_none_min).any()


def test_reasons_are_given_wherever_the_plan_leaves_people_beyond_reach(run: Run) -> None:
    places = run_scenario(run.region, NEAR_SIGHTED.model_copy(update={"budget_mxn_year": 0.0})).outcome.localities
    far = places[(places["first_level_min"] > NEAR_SIGHTED.reach_first_level_min) & (places["people"] > 0)]
    assert len(far)
    assert far["reason"].notna().all()
