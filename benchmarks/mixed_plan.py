"""The mixed plan of a real state, in figures and seconds: `python benchmarks/mixed_plan.py --data ../shared/data/hidalgo`.

For the base scenario and with the first level by vehicle: options by type, what no money of this kind closes, the least budget that
closes 99.8 % of what money without end does, the curve of budgets, the plan at 40 % of that budget with its two bounds and what it
changes by grade and for indigenous people, and the draws. Travel is searched first and kept, so it does not count.
"""

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

import pandas as pd

from planner.decide.curve import budget_curve, single_kinds
from planner.decide.robustness import robustness
from planner.model import Plan, Region
from planner.region import prepare_region
from planner.scenarios import Run, choose_again, run_scenario
from planner.settings import Scenario


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--region", type=Path, default=Path(__file__).parents[1] / "regions/hidalgo.toml")
    parser.add_argument("--points", type=int, default=12)
    parser.add_argument("--draws", type=int, default=200)
    parser.add_argument("--only", choices=("a_pie", "vehiculo"))
    given = parser.parse_args()
    region = prepare_region(given.region, given.data)
    with tempfile.TemporaryDirectory() as cache:
        for mode in (given.only,) if given.only else ("a_pie", "vehiculo"):
            tell(region, Scenario(mode_first_level=mode), given.points, given.draws, Path(cache))


def tell(region: Region, scenario: Scenario, points: int, draws: int, cache: Path) -> None:
    print(f"\n== {region.name}, primer nivel {scenario.mode_first_level} ==", flush=True)
    run_scenario(region, scenario, cache=cache)
    began = time.perf_counter()
    base = run_scenario(region, scenario, cache=cache)
    print(f"run of the base scenario, travel kept: {time.perf_counter() - began:.1f} s")
    for kind, told in base.outcome.indicators["opciones_por_tipo"].items():
        print(f"  {kind}: {told['numero']} options, {told['costo_anual'] / 1e6:,.1f} M MXN a year")
    began = time.perf_counter()
    curve = budget_curve(base.choices, region.localities, base.access, scenario, points)
    seconds = time.perf_counter() - began
    gap = float(base.access.localities["weighted_gap"].sum())
    value = curve.everything.solution.value
    print(f"weighted gap {gap:,.0f}; money without end closes {value:,.0f} ({value / gap:.1%}; {status(curve.everything)}); "
          f"no money of this kind closes {gap - value:,.0f}")
    print(f"B_all {curve.nearly_all_mxn / 1e6:,.1f} M MXN a year (none below {curve.nearly_all_bound_mxn / 1e6:,.1f})")
    print(f"curve of {points} budgets: {seconds:.0f} s with everything and B_all")
    for row in curve.table().to_dict("records"):
        print(f"  {row['budget_mxn'] / 1e6:7.1f} M: closes {row['value']:9,.0f}, bound of these options {row['bound']:9,.0f} "
              f"({row['gap']:.3%}), with any circuits {row['ceiling']:9,.0f} ({1 - row['value'] / row['ceiling']:.2%}); {row['number']}; "
              f"closed { {k: round(v) for k, v in row['closed'].items()} }")
    forty(base, 0.4 * curve.nearly_all_mxn, draws, cache)


def forty(base: Run, budget: float, draws: int, cache: Path) -> None:
    asked = base.scenario.model_copy(update={"name": "cuarenta", "budget_mxn_year": budget, "draws": draws})
    began = time.perf_counter()
    run = choose_again(base, asked)
    print(f"40 % of B_all, {budget / 1e6:,.1f} M: {time.perf_counter() - began:.1f} s with its consequences; {status(run.plan)}; "
          f"rules broken: {len(run.outcome.violations)}")
    told = run.outcome.indicators
    print(f"  {'people':14}{'target':>12}{'within 30':>12}{'plan':>12}{'within 60':>12}{'plan':>12}{'equivalent':>12}{'plan':>12}")
    blocks: dict[str, Any] = {"total": told["total"], **told["por_grado"], "indigenous": told["por_grupo"]["pob_indigena"]}
    for name, block in blocks.items():
        now, then = block["actual"], block["plan"]
        print(f"  {name:14}{now['poblacion']:12,.0f}{now['dentro_30']:12,.0f}{then['dentro_30']:12,.0f}{now['dentro_60']:12,.0f}"
              f"{then['dentro_60']:12,.0f}{now['personas_equiv']:12,.0f}{then['personas_equiv']:12,.0f}")
    for kind, plan in single_kinds(run.choices, base.region.localities, base.access, asked, ("umr", "nucleo", "umm", "brigada")).items():
        print(f"  {kind} alone: {plan.solution.value:,.0f}")
    if draws:
        began = time.perf_counter()
        found = robustness(run.region, asked, run.plan, cache=cache)
        frequency = found.frequency(pd.Index(run.plan.chosen))
        by_kind = frequency.groupby(frequency.index.str.split("-").str[0])
        print(f"{draws} draws: {time.perf_counter() - began:.0f} s; regret mean {found.draws['regret'].mean():.1%}, "
              f"90th percentile {found.draws['regret'].quantile(0.9):.1%}; chosen in 80 % of the draws or more: "
              f"{ {str(k): f'{int((v >= asked.uncertainty.robust).sum())} of {len(v)}' for k, v in by_kind} }")


def status(plan: Plan) -> str:
    found = plan.solution
    return (f"value {found.value:,.0f}, bound of these options {found.bound:,.0f} ({found.gap:.3%}), "
            f"with any circuits {found.ceiling:,.0f} ({found.gap_any:.2%})")


if __name__ == "__main__":
    main()
