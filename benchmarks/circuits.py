"""Rounds of teams: the routing libraries beside the exact method, on generated circuits and on a region's own minutes.

`python benchmarks/circuits.py [--data ../shared/data/hidalgo] [--rounds 12]`. Each library gives orders of the stops, which
the planner cuts into days and trips; the gap is to the exact round, or, where that is out of reach, to the best one found (without
nights: to the optimum of the set-partition model). Seeds are fixed; times are medians of one thread.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from itertools import combinations, permutations
from pathlib import Path

import numpy as np
import pandas as pd
import pyvrp
import vroom
from pyvrp.stop import MaxIterations
from scipy import sparse

from planner.decide.rounds import RoundRules, best_round, exact, plan_round
from planner.decide.routing import orders
from planner.decide.solver import Problem, solve
from planner.decide.steps import Legs, order_space, subset_space
from planner.model import TeamTimes
from planner.region import prepare_region
from planner.settings import Scenario
from planner.travel.teams import team_times
from planner.travel.times import compute_travel

FAR, UNIT, SEED = 10_000_000, 1e4, 20260105
Order = tuple[int, ...]
Try = tuple[int, int, float]  # vehicles, stops of each, ticks that each may be out


def tries(n: int, rules: RoundRules, legs: Legs) -> list[Try]:
    """What a library is asked: days, or trips of one day, of two and so on, and of one stop a day."""
    span, day = rules.nights_max + 1, rules.stops_fit
    if span == 1:
        return [(rules.days_max, day, legs.shift)]
    return [*((n, day * length, legs.shift * length) for length in range(1, span + 1)), (n, span, np.inf)]


def asked_of(library: Callable[[Legs, Try, int], Order], effort: int, legs: Legs, rules: RoundRules) -> list[Order]:
    """The library's orders, both ways, as the product asks for them."""
    found = [library(legs, asked, effort) for asked in tries(len(legs.home) - 1, rules, legs)]
    return list(dict.fromkeys([*found, *(order[::-1] for order in found if rules.nights_max)]))


def matrix(legs: Legs) -> np.ndarray:
    ticks = legs.going.copy()
    ticks[1:, 0] = legs.home[1:]
    np.fill_diagonal(ticks, 0.0)
    return np.where(np.isfinite(ticks), np.rint(ticks / UNIT), FAR).astype(np.int64)


def by_pyvrp(legs: Legs, asked: Try, iterations: int) -> Order:
    costs, (vehicles, stops, shift) = matrix(legs), asked
    n, longest = len(costs) - 1, np.iinfo(np.int64).max
    data = pyvrp.ProblemData(
        locations=[pyvrp.Location(0, 0)] * (n + 1), depots=[pyvrp.Depot(0)], distance_matrices=[costs], duration_matrices=[costs],
        clients=[pyvrp.Client(k, delivery=[1], service_duration=round(legs.stay / UNIT)) for k in range(1, n + 1)],
        vehicle_types=[pyvrp.VehicleType(vehicles, [stops], shift_duration=int(shift / UNIT) if np.isfinite(shift) else longest)])
    found = pyvrp.solve(data, MaxIterations(iterations), seed=0, collect_stats=False, display=False)
    return tuple(visit.idx + 1 for route in found.best.routes() for visit in route if visit.is_client())


def by_vroom(legs: Legs, asked: Try, level: int) -> Order:
    costs, (vehicles, stops, shift) = matrix(legs), asked
    n, problem = len(costs) - 1, vroom.Input()
    problem.set_durations_matrix("car", costs.astype(np.uint32))
    window = {"time_window": vroom.TimeWindow(0, int(shift / UNIT))} if np.isfinite(shift) else {}
    problem.add_vehicle([vroom.Vehicle(v, start=0, end=0, max_tasks=stops, **window) for v in range(vehicles)])
    problem.add_job([vroom.Job(k, location=k, default_service=round(legs.stay / UNIT)) for k in range(1, n + 1)])
    routes = problem.solve(exploration_level=level, nb_threads=1).routes
    order = [int(k) for k in routes.loc[routes["type"] == "job", "id"]]
    return (*order, *sorted(set(range(1, n + 1)) - set(order)))  # what the library left out comes last


PEERS: dict[str, Callable[[Legs, RoundRules], list[Order]]] = {
    "routing.orders (PyVRP)": lambda legs, rules: orders(legs, rules.stops_fit, rules.days_max, rules.nights_max),
    **{f"PyVRP, {k} iterations": partial(asked_of, by_pyvrp, k) for k in (20, 50)},
    **{f"pyvroom, level {k}": partial(asked_of, by_vroom, k) for k in (0, 2, 5)},
}


def cut(asked: list[Order], legs: Legs, rules: RoundRules) -> float:
    """Price of the best cut of the orders."""
    found = [best_round(order_space(o, rules.stops_fit, rules.nights_max, legs), legs, rules) for o in asked]
    return min((f[0] for f in found if f is not None), default=np.inf)


def truth(legs: Legs, rules: RoundRules) -> float:
    """Price of the best round where it can be told, else NaN; inf if there is none."""
    n = len(legs.home) - 1
    if exact(n, rules):
        found = best_round(subset_space(n, rules.stops_fit, rules.nights_max, legs), legs, rules)
        return np.inf if found is None else found[0]
    return np.nan if rules.nights_max else by_days(legs, rules)


def by_days(legs: Legs, rules: RoundRules) -> float:
    """The set-partition model of days without nights: every stop in one day, no more days than the month gives."""
    n = len(legs.home) - 1
    price: dict[tuple[int, ...], float] = {}
    for members in (c for size in range(1, rules.stops_fit + 1) for c in combinations(range(1, n + 1), size)):
        ways = [sum(legs.going[a, b] for a, b in zip((0, *way), way, strict=False)) + legs.home[way[-1]] for way in permutations(members)]
        if min(ways) + len(members) * legs.stay <= legs.shift:
            price[members] = min(ways)
    rows = [k - 1 for c in price for k in c] + [n] * len(price)
    columns = [j for j, c in enumerate(price) for _ in c] + list(range(len(price)))
    model = sparse.csc_matrix((np.ones(len(rows)), (rows, columns)), shape=(n + 1, len(price)))
    gain = -np.array(list(price.values())) / 1e6
    answer = solve(Problem(model, np.r_[np.ones(n), -np.inf], np.r_[np.ones(n), rules.days_max], gain, np.ones(len(price)),
                           np.ones(len(price), bool)))
    days = round(answer.x.sum()) if answer.feasible else 0
    return round(-answer.value * 1e6) * 64.0 + days if answer.feasible else np.inf


def generated(n: int, count: int) -> Iterator[np.ndarray]:
    """Directed minutes on a plane, the base in the middle; every other one in villages of three."""
    rng = np.random.default_rng([SEED, n])
    for k in range(count):
        xy = rng.uniform(-50, 50, (n + 1, 2))
        if k % 2:
            xy[1:] = np.repeat(xy[1:], 3, axis=0)[:n] + rng.normal(0, 4, (n, 2))
        xy[0] = 0
        yield np.round(np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1)) * rng.uniform(0.9, 1.1, (n + 1, n + 1)), 6)


def region_minutes(region_file: Path, data: Path) -> TeamTimes:
    """Minutes of teams between the bases of a region and its small localities beyond reach of the first level."""
    scenario, region = Scenario(), prepare_region(region_file, data)
    far = compute_travel(region, scenario).nearest["primer_nivel", scenario.mode_first_level]["minutes"] > scenario.reach_first_level_min
    size = region.localities["population"].between(scenario.mobile_locality_min, scenario.mobile_locality_max)
    return team_times(region, scenario, far.index[far & size.reindex(far.index)])


def of_region(times: TeamTimes, n: int, count: int) -> Iterator[np.ndarray]:
    """The n nearest stops of bases that have so many, evenly drawn."""
    out, back, between = (t.pairs().set_index(["site", "cvegeo"])["minutes"] for t in (times.out, times.back, times.between))
    enough = out.groupby(level="site").size()
    bases = sorted(enough.index[enough >= n])
    for base in bases[:: max(1, len(bases) // count)][:count]:
        near = sorted(out[base].sort_values(kind="stable").index[:n])
        minutes = np.full((n + 1, n + 1), np.inf)
        minutes[0, 1:], minutes[1:, 0] = out[base].reindex(near), back[base].reindex(near)
        pairs = pd.MultiIndex.from_product([near, near])
        minutes[1:, 1:] = between.reorder_levels([1, 0]).reindex(pairs).to_numpy().reshape(n, n)
        minutes = np.where(np.isnan(minutes), np.inf, minutes)
        np.fill_diagonal(minutes, 0)
        yield minutes


def compare(name: str, rules: RoundRules, worlds: list[np.ndarray]) -> pd.DataFrame:
    """One row per method: rounds found, gap to the truth or the best found, milliseconds a circuit, the same twice."""
    results: dict[str, list[tuple[float, float, bool]]] = {}
    best = []
    for minutes in worlds:
        n = len(minutes) - 1
        legs = Legs.of(minutes, (rules.first_stop_max_min, rules.leg_max_min), rules.stop_min, rules.shift_min)
        told = []
        for peer, order in PEERS.items():
            started = time.perf_counter()
            found = order(legs, rules)
            price = cut(found, legs, rules)
            spent = time.perf_counter() - started
            told.append(price)
            results.setdefault(peer, []).append((price, spent, found == order(legs, rules)))
        stops = [f"{k:03d}" for k in range(n)]
        started = time.perf_counter()
        days = plan_round("base", stops, minutes, rules)
        spent = time.perf_counter() - started
        price = np.inf if days is None else sum(round(leg * 1e6) for d in days for leg in d.legs_min) * 64.0 + len(days)
        results.setdefault("plan_round", []).append((price, spent, days == plan_round("base", stops, minutes, rules)))
        known = truth(legs, rules)
        best.append(min([price, *told]) if np.isnan(known) else known)
    rows = []
    for method, rounds in results.items():
        gaps = np.array([100 * (r[0] / b - 1) for r, b in zip(rounds, best, strict=True) if np.isfinite(r[0])])
        rows.append({"circuits": name, "stops": n, "method": method, "rounds": f"{len(gaps)}/{np.isfinite(best).sum()}",
                     "best": int((gaps < 1e-6).sum()), "gap % mean": gaps.mean() if len(gaps) else np.nan,
                     "max": gaps.max() if len(gaps) else np.nan, "ms": 1e3 * float(np.median([r[1] for r in rounds])),
                     "same twice": all(r[2] for r in rounds)})
    return pd.DataFrame(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--region", type=Path, default=Path("regions/hidalgo.toml"))
    parser.add_argument("--data", type=Path, help="folder of the region's files; without it only generated circuits")
    parser.add_argument("--rounds", type=int, default=12, help="circuits of each kind")
    parser.add_argument("--stops", type=int, nargs="+", default=[6, 10, 12, 16, 20, 30])
    asked = parser.parse_args()
    pd.set_option("display.width", 200, "display.max_columns", 20, "display.float_format", "{:,.2f}".format)
    base = Scenario()
    umm, brigade = RoundRules.of("umm", base.umm_visits_month, base), RoundRules.of("brigada", base.brigade_visits_month, base)
    kinds = {"umm, 2 visits": umm, "umm, 1": replace(umm, visits=1), "brigade, 1 visit": brigade, "brigade, 2": replace(brigade, visits=2)}
    times = region_minutes(asked.region, asked.data) if asked.data else None
    for n in asked.stops:
        worlds = {"plane": list(generated(n, asked.rounds)), "region": list(of_region(times, n, asked.rounds)) if times else []}
        for where, some in worlds.items():
            for kind, rules in kinds.items():
                if some and (rules.nights_max or n <= 2 * rules.days_max):
                    print(compare(f"{where}: {kind}", rules, some).to_string(index=False), "\n", flush=True)


if __name__ == "__main__":
    main()
