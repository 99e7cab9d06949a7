"""Districts of a state beside today's: `python benchmarks/districts.py --data ../shared/data/hidalgo`.

Prints today's grouping and the one drawn in its place (with the scenario's tolerance, and with today's own spread), contiguity over
seeds, the frontier of balance x minutes x crossing by number of districts, and the seconds of each.
"""

import argparse
import time
from pathlib import Path

import pandas as pd

from planner.access.gap import compute_access
from planner.decide.regional.areas import Areas, locality_areas, municipal_areas
from planner.decide.regional.districts import districts, frontier, rules_of, today
from planner.decide.regional.measures import Measures
from planner.decide.regional.partition import partition
from planner.model import Region
from planner.region import prepare_region
from planner.settings import Scenario
from planner.travel.times import compute_travel


def beside_today(areas: Areas, region: Region, scenario: Scenario) -> pd.DataFrame:
    """At today's number: today's districts, those of the scenario's tolerance, and those no more uneven than today's."""
    rows = []

    def tell(label: str, found: Measures, bound: float, seconds: float) -> None:
        rows.append({"distritos": label, "n": len(found.people), "desvío": found.spread, "minutos": found.minutes,
                     "cruzan %": 100 * found.crossing, "compacidad": found.compactness, "contiguos": int(found.contiguous.sum()),
                     "sin hospital": int((found.hospitals == 0).sum()), "cota": bound, "s": seconds})

    standing = today(areas, region)
    if standing is None:
        return pd.DataFrame()
    tell("hoy", standing, float("nan"), 0.0)
    for label, tolerance in (("tolerancia del escenario", scenario.regional.district_tolerance), ("desvío de hoy", standing.spread)):
        started = time.perf_counter()
        found = partition(areas, rules_of(areas, scenario, len(standing.people), tolerance), scenario.seed)
        tell(f"propuesta, {label} {tolerance:.3f}", found.measures, found.solution.bound, time.perf_counter() - started)
    return pd.DataFrame(rows)


def over_seeds(areas: Areas, scenario: Scenario, count: int, seeds: int) -> pd.DataFrame:
    """How each seed's districts fare: contiguous, whole, and what they are worth."""
    rows = []
    for seed in range(seeds):
        started = time.perf_counter()
        found = partition(areas, rules_of(areas, scenario, count), seed)
        rows.append({"contiguos": bool(found.measures.contiguous.all()), "cumple": found.proof == "factible",
                     "puntaje": found.solution.value, "minutos": found.measures.minutes, "cruzan %": 100 * found.measures.crossing,
                     "s": time.perf_counter() - started})
    return pd.DataFrame(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--region", type=Path, default=Path("regions/hidalgo.toml"))
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--counts", type=int, nargs=2, default=(4, 17), metavar=("FROM", "TO"))
    parser.add_argument("--tolerances", type=float, nargs="+", default=[0.1, 0.25, 0.5, 1.0])
    parser.add_argument("--seeds", type=int, default=50)
    parser.add_argument("--cache", type=Path, help="folder that keeps searches of travel")
    asked = parser.parse_args()
    pd.set_option("display.width", 200, "display.max_columns", 20, "display.max_rows", 200, "display.float_format", "{:,.3f}".format)
    scenario = Scenario()
    region = prepare_region(asked.region, asked.data)
    access = compute_access(region, compute_travel(region, scenario, asked.cache), scenario)
    started = time.perf_counter()
    areas = municipal_areas(region, access, scenario, asked.cache)
    print(f"{len(areas.ids)} municipalities, {len(areas.edges)} borders, {len(areas.hospital_ids)} hospitals: "
          f"{time.perf_counter() - started:.1f} s\n")
    print(beside_today(areas, region, scenario).to_string(index=False), "\n")
    drawn = districts(region, access, scenario, asked.cache)
    print(drawn.table.drop(columns=["geometry", "municipality_keys"]).to_string(), "\n")
    print(f"{int(drawn.members['changes'].sum())} of {len(drawn.members)} municipalities change district, "
          f"{drawn.members.loc[drawn.members['changes'], 'people'].sum():,.0f} people\n")
    seeds = over_seeds(areas, scenario, len(drawn.table), asked.seeds)
    print(f"{asked.seeds} seeds: contiguous in {int(seeds['contiguos'].sum())}, rules kept in {int(seeds['cumple'].sum())}")
    print(seeds.describe().loc[["min", "50%", "max"]].to_string(), "\n")
    started = time.perf_counter()
    counts = range(asked.counts[0], asked.counts[1] + 1)
    print(frontier(areas, region, counts, asked.tolerances, scenario).to_string(index=False))
    print(f"{(time.perf_counter() - started) / len(counts) / len(asked.tolerances):.1f} s each\n")
    started = time.perf_counter()
    places = locality_areas(region, access, scenario, asked.cache)
    found = partition(places, rules_of(places, scenario, len(drawn.table)), scenario.seed)
    print(f"{len(places.ids)} localities in {len(drawn.table)} districts: {time.perf_counter() - started:.1f} s, contiguous "
          f"{bool(found.measures.contiguous.all())}, spread {found.measures.spread:.3f}, {found.measures.minutes:.1f} min, crossing "
          f"{100 * found.measures.crossing:.1f} %, {found.proof}")


if __name__ == "__main__":
    main()
