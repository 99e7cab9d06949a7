"""Universe of work of a region against the official table: `python benchmarks/universe.py --data ../shared/data/hidalgo`.

For each mode to the first level: how far the nearest unit and the unit with room agree with the table and why they do not, who would
gain and lose minutes, and what each rule takes in people-minutes, people without room and seconds.
"""

import argparse
import time
from pathlib import Path

import pandas as pd

from planner.access.gap import compute_access
from planner.assumptions import Regional
from planner.decide.regional.agreement import agreement
from planner.decide.regional.universe import universe
from planner.kinds import MODES
from planner.region import prepare_region
from planner.settings import Scenario
from planner.travel.times import compute_travel

RULES = ("cercania", "capacidad", "huff")


def main() -> None:
    words = argparse.ArgumentParser()
    words.add_argument("--data", type=Path, required=True)
    words.add_argument("--region", type=Path, default=Path(__file__).parents[1] / "regions/hidalgo.toml")
    words.add_argument("--modes", nargs="+", default=["a_pie", "vehiculo"], choices=MODES)
    words.add_argument("--cache", type=Path)
    told = words.parse_args()
    region = prepare_region(told.region, told.data)
    for mode in told.modes:
        travel = compute_travel(region, Scenario(mode_first_level=mode), told.cache)
        access = compute_access(region, travel, Scenario(mode_first_level=mode))
        started = time.perf_counter()
        table = agreement(region, travel, access, Scenario(mode_first_level=mode))
        print(f"\n{mode}: coincidencia con la tabla oficial ({time.perf_counter() - started:.1f} s)")
        for rule, part in table.groupby("rule", sort=False):
            print(f"\n{rule}\n{_told(part.drop(columns='rule'))}")
        rows = []
        for rule in RULES:
            scenario = Scenario(mode_first_level=mode, regional=Regional(assignment=rule))
            started = time.perf_counter()
            found = universe(region, travel, access, None, scenario)
            seconds = time.perf_counter() - started
            least, kinds = found.solution, found.localities["place_kind"].value_counts()
            rows.append({
                "regla": rule, "personas-minuto": (found.shares["people"] * found.shares["minutes"]).sum(),
                "de quien tiene lugar": float("nan") if least is None else least.value,
                "cota": float("nan") if least is None else least.bound, "sin lugar": found.unplaced,
                "localidades en unidad": kinds["unidad"], "en móvil": kinds.get("movil", 0),
                "sin ninguna": int(found.localities["place"].isna().sum()), "unidades saturadas": int((found.units["rho"] < 1).sum()),
                "cambian": len(found.moves), "s": round(seconds, 1)})
            print(f"\n{mode}, {rule}: quién gana y quién pierde minutos\n{_told(found.outcomes.reset_index())}")
        print(f"\n{mode}: reglas\n{_told(pd.DataFrame(rows))}")


def _told(table: pd.DataFrame) -> str:
    return table.to_string(index=False, formatters={
        c: ("{:.4f}" if c.endswith("_share") else "{:,.0f}").format for c in table.columns
        if pd.api.types.is_float_dtype(table[c]) and c != "s"})


if __name__ == "__main__":
    main()
