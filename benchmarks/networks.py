"""Referral networks, jornadas and supervision zones of a state: `python benchmarks/networks.py --data ../shared/data/hidalgo`.

Beside them the second level that Hidalgo's planning office published for each first-level unit, reproduced by the same search, and
what changes when private hospitals do not count.
"""

import argparse
import time
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd

from planner.access.gap import compute_access
from planner.decide.regional.jornadas import jornadas
from planner.decide.regional.networks import networks
from planner.decide.regional.zones import zone_faults, zones
from planner.model import Plan, Region, Solution
from planner.region import prepare_region
from planner.settings import Scenario
from planner.travel.times import compute_travel, times_between

SIGEH = Scenario(speed_model="sigeh", snap_max_m=0.0)
DAY_MIN = 1440.0


def published(region: Region, folder: Path) -> None:
    """The office's nearest second level, and the nearest public one by the same formulas."""
    first, second = (gpd.read_file(folder / f"clues{level}_info_accesibilidad.geojson").to_crs(region.crs).set_index("CLUES").sort_index()
                     for level in ("N1", "N2"))
    near = times_between(region, SIGEH, "vehiculo", first, second, DAY_MIN).nearest()
    known = np.isfinite(near["minutes"])
    same = (near["site"] == first["CLUESN2_mas_cercana"])[known]
    close = ((near["minutes"] - first["tiempo_promedio_CLUES_N2"]).abs() <= 1e-3)[known]
    print(f"published second level: {len(first)} units, {known.sum()} comparable, same hospital {same.sum()}, same minutes {close.sum()}")
    private = second.index.str[2:5] == "SMP"
    roles = region.units["role"].reindex(second.index)
    for label, kept in ((f"without the {private.sum()} private", ~private),
                        ("public of the programme only", (roles == "hospital").to_numpy())):
        other = times_between(region, SIGEH, "vehiculo", first, second[kept], DAY_MIN).nearest()
        both = known & np.isfinite(other["minutes"])
        changed = both & (other["site"] != near["site"])
        longer = (other["minutes"] - near["minutes"])[changed]
        print(f"  {label} ({kept.sum()} hospitals): {changed.sum()} of {both.sum()} units change, by mean {longer.mean():.1f}, "
              f"median {longer.median():.1f}, most {longer.max():.1f} min; mean of all {near['minutes'][both].mean():.1f} -> "
              f"{other['minutes'][both].mean():.1f} min")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--region", type=Path, default=Path("regions/hidalgo.toml"))
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--published", type=Path, default=Path("../shared/oracles/hidalgo_traveltime"))
    parser.add_argument("--cache", type=Path, default=None)
    asked = parser.parse_args()
    pd.set_option("display.width", 220, "display.max_columns", 30, "display.max_colwidth", 34, "display.float_format", "{:,.1f}".format)
    region, scenario = prepare_region(asked.region, asked.data), Scenario()
    if asked.published.is_dir():
        published(region, asked.published)
    nobody = pd.DataFrame({"option": [], "cvegeo": [], "tier": [], "people": [], "minutes": []}).astype({"people": float, "minutes": float})
    travel = compute_travel(region, scenario, asked.cache)
    access = compute_access(region, travel, scenario)
    started = time.perf_counter()
    found = networks(region, travel, access, Plan((), (), nobody, Solution(0.0, 0.0, "", "")), scenario, asked.cache)
    print(f"\nnetworks: {time.perf_counter() - started:.1f} s; {found.solution.status}, gap {100 * found.solution.gap:.3f} %")
    print(found.hospitals.drop(columns=["institution", "capacity"]))
    print("\n".join(f"{f.what}: {f.count} ({', '.join(f.examples)})" for f in found.findings))
    moved = found.units[(found.units["hospital"] != found.units["nearest"]) & found.units["hospital"].notna()]
    more = (moved["minutes"] - moved["nearest_min"])
    print(f"not in the nearest, for capacity: {len(moved)} units, {moved['people'].sum():,.0f} people, {more.mean():.1f} min more; "
          f"far localities {len(found.far)}, {found.far['people'].sum():,.0f} people")
    started = time.perf_counter()
    hosts = jornadas(region, access, scenario, asked.cache)
    print(f"\njornadas: {time.perf_counter() - started:.1f} s\n{hosts.hosts}\n{hosts.order}")
    started = time.perf_counter()
    zoned = zones(region, travel, found, scenario, asked.cache)
    print(f"\nzones: {time.perf_counter() - started:.1f} s; {zoned.solution}")
    told = found.units.loc[zoned.units.index]
    limit = scenario.regional.zone_round_max_min
    faults = zone_faults(zoned, times_between(region, scenario, scenario.mode_teams, told, told, limit, asked.cache), scenario)
    print(zoned.zones[["units", "people", "round_min", "strays"]].describe())
    print(f"strays {zoned.zones['strays'].sum()}, minutes {zoned.zones['round_min'].sum():,.0f}, rules broken {faults}")
    print("\n".join(f"{f.what}: {f.count} ({', '.join(f.examples)})" for f in zoned.findings))


if __name__ == "__main__":
    main()
