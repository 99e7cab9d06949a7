"""Hidalgo's figures beside the check figures of an independent trial: `python benchmarks/hidalgo.py --data ../shared/data/hidalgo`.

The trial's people take a `*` at the state's share, ours at the municipality's; it left localities on impassable cells as beyond reach,
we move them to the nearest passable cell; both differences are printed by computing our side both ways where it can be.
"""

import argparse
import time
from pathlib import Path

import pandas as pd

from planner.access.people import target_people
from planner.decide.rules import left_out, seat_rules
from planner.model import Region
from planner.outputs.tables import summary_tables
from planner.region import prepare_region
from planner.scenarios import Run, choose_again, run_scenario
from planner.settings import Scenario
from planner.travel.times import compute_travel

STATE_SHARE = 0.664


def as_the_trial(region: Region) -> pd.DataFrame:
    """People beyond reach by vehicle, with the formulas of the published surfaces, counted the trial's way and ours."""
    localities = region.localities
    hidden = localities["uninsured_imputed"]
    theirs = localities["uninsured"].where(~hidden, localities["population"] * STATE_SHARE)
    rows = []
    for label, people, snap in (("como la prueba", theirs, 0.0), ("como el planificador", target_people(localities, Scenario()), 1000.0)):
        travel = compute_travel(region, Scenario(speed_model="sigeh", mode_first_level="vehiculo", snap_max_m=snap))
        lost = travel.moved[(travel.moved["kind"] == "localidad") & (travel.moved["result"] == "rechazada")]
        for level, limit, check in (("primer_nivel", 60, 29_822), ("hospital", 120, 63_772)):
            minutes = travel.nearest[level, "vehiculo"]["minutes"]
            rows.append({"cuenta": label, "población objetivo": people.sum(), "más allá de": f"{limit} min de {level}",
                         "personas": people[~(minutes <= limit)].sum(), "prueba independiente": check, "localidades rechazadas": len(lost)})
    return pd.DataFrame(rows)


def by_budget(run: Run) -> pd.DataFrame:
    """What each budget closes, with its proven gap, from the same facts and options."""
    rows = []
    for millions in (0, 20, 100, 250, 300, 500, 800, 2000):
        started = time.perf_counter()
        again = choose_again(run, run.scenario.model_copy(update={"budget_mxn_year": millions * 1e6}))
        solution = again.plan.solution
        rows.append({
            "M MXN a year": millions, "closed": solution.value, "proven gap %": f"{100 * solution.gap:.3f}", "status": solution.status,
            "rules broken": len(again.outcome.violations), "s": time.perf_counter() - started})
    return pd.DataFrame(rows)


def without_option(run: Run) -> pd.DataFrame:
    """Localities beyond reach that no option serves, by the rule that leaves them out."""
    left = left_out(run.plan.options, run.region, run.travel, run.access, run.scenario)
    people = run.access.localities["people"].reindex(left.index)
    return people.groupby(left["rule"]).agg(localities="size", people="sum").reset_index()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--region", type=Path, default=Path("regions/hidalgo.toml"))
    parser.add_argument("--data", type=Path, required=True)
    asked = parser.parse_args()
    pd.set_option("display.width", 200, "display.max_columns", 20, "display.max_colwidth", 60, "display.float_format", "{:,.1f}".format)
    started = time.perf_counter()
    region = prepare_region(asked.region, asked.data)
    print(f"prepare: {time.perf_counter() - started:.1f} s")
    started = time.perf_counter()
    run = run_scenario(region, Scenario())
    print(f"base scenario in memory: {time.perf_counter() - started:.1f} s\n")
    role = region.units["role"].value_counts()
    kinds = pd.Series([o.kind for o in run.plan.options]).value_counts()
    places = pd.Series({k: len({o.place for o in run.plan.options if o.kind == k}) for k in kinds.index})
    rules = seat_rules(region, run.travel, run.access, run.scenario)
    normal = rules["people_enough"] & rules["spaced"] & rules["all_year"]
    walked = seat_rules(region, run.travel, run.access, Scenario(mode_umr_seat="a_pie"))
    on_foot = walked["people_enough"] & walked["spaced"] & walked["all_year"]
    today = run.outcome.indicators["total"]["actual"]
    beside = [
        ("target people", today["poblacion"], 2_047_505, "`*` at the municipality's share; 2,047,241 at the state's"),
        ("fixed first level", role["primer_nivel"], 722, ""), ("hospitals", role["hospital"], 20, ""),
        ("mobile units", role["movil"], 38, ""),
        ("people beyond 60 min on foot", today["poblacion"] - today["dentro_60"], 231_402, "trial: mean of speeds, nobody moved"),
        ("weighted gap", today["brecha_ponderada"], 549_386, ""),
        ("UMR seats within the siting norm", int(normal.sum()), 376, "1,000 people beyond reach within 30 min by vehicle, spaced, road"),
        ("the same counted on foot", int(on_foot.sum()), 376, ""),
        ("seats offered", kinds.get("umr", 0), 376, "would better the access of 1,000 people beyond reach"),
        ("further nuclei", kinds.get("nucleo", 0), 108, ""), ("units that take them", places.get("nucleo", 0), 69, ""),
        ("bases of UMM", places.get("umm", 0), 62, ""), ("bases of brigades", places.get("brigada", 0), 70, ""),
    ]
    print(pd.DataFrame(beside, columns=["figure", "ours", "trial", "note"]).to_string(index=False), "\n")
    print(as_the_trial(region).to_string(index=False), "\n")
    strengthened = region.units.loc[sorted({o.place for o in run.plan.options if o.kind == "nucleo" and o.id in run.plan.chosen}), "nuclei"]
    print(f"units that the plan strengthens: {len(strengthened)}, of them with two nuclei or more today: {(strengthened >= 2).sum()}\n")
    print(by_budget(run).to_string(index=False), "\n")
    print(without_option(run).to_string(index=False), "\n")
    for title, table in summary_tables(run).items():
        print(f"{title}\n{table.to_string(index=False)}\n")


if __name__ == "__main__":
    main()
