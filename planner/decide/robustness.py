"""Which options stand under every assumption: the choice repeated over seeded draws of what is not known.

A draw varies the speed on dirt, the season, the capacity of units, their use, the weights of need and the people of each place,
and puts units out of service, each as far as `Scenario.uncertainty` says. Speeds are drawn among five values, so that travel is
searched once for each of them and season, and every draw of it re-uses that travel.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from planner.access.circuit_rules import todays_visits
from planner.access.gap import compute_access
from planner.borders import within
from planner.decide.calendar import trips_of
from planner.decide.fleet import Choices
from planner.decide.gains import mobile_gain, people_tiers, take_best
from planner.decide.options import fixed_options
from planner.decide.selection import copies_of, model_for, select, served_by
from planner.engine import HERE, Engine, each
from planner.model import Access, Option, Plan, Region, Travel
from planner.settings import Scenario
from planner.travel.teams import team_times
from planner.travel.times import compute_travel

SPEEDS = 5  # values of the speed on dirt, evenly over its span
_NODES = 1
_GAP = 2e-3  # a draw is chosen to two thousandths
_PEOPLE = ("population", "uninsured", "unentitled")

Variant = tuple[int, bool]  # which speed on dirt, and whether it rains


@dataclass(frozen=True, eq=False)
class Robustness:
    """What the draws tell, by draw and by option."""

    draws: pd.DataFrame  # index draw: dirt_speed, rains, capacity, utilisation, units_out; value (of the plan), best, regret (part of it)
    chosen: pd.DataFrame  # long: draw, option

    def frequency(self, ids: list[str] | pd.Index) -> pd.Series:
        """Part of the draws in which each option is chosen."""
        counted = self.chosen["option"].value_counts().reindex(pd.Index(ids)).fillna(0.0)
        return counted / max(len(self.draws), 1)


def robustness(region: Region, scenario: Scenario, plan: Plan, *, around: Region | None = None, cache: Path | None = None,
               progress: Callable[[str], None] = lambda _: None, engine: Engine = HERE) -> Robustness:
    """The choice repeated in `scenario.draws` draws with the plan's options, wherever the engine runs them.

    Seats, nuclei, posts and hospital support are offered anew in each draw by their rules; circuits keep their stops, without those
    whose base no longer reaches the first stop of their trip. `around` is the window of a state with its neighbours, on which travel and
    access are drawn where there is one. Stops (Ctrl-C) leave nothing behind. Same seed, same result.
    """
    seeds: dict[Variant, list[int]] = {}
    for draw in range(scenario.draws):
        seeds.setdefault(_variant(draw, scenario), []).append(draw)
    tasks = [(variant, part) for variant, draws in sorted(seeds.items()) for part in _parts(draws)]
    circuits = tuple(o for o in plan.options if o.stops)
    told: list[tuple[dict[str, object], tuple[str, ...]]] = []
    items = [(region, around, scenario, circuits, plan.chosen, variant, draws, cache) for variant, draws in tasks]
    for found in each(engine, _task, items):
        told += found
        progress(f"Sorteos: {len(told)} de {scenario.draws}")
    told.sort(key=lambda row: int(str(row[0]["draw"])))
    table = pd.DataFrame([row for row, _ in told], columns=["draw", "dirt_speed", "rains", "capacity", "utilisation", "units_out", "value",
                                                             "best", "regret"]).set_index("draw")
    long = [(row["draw"], option) for row, chosen in told for option in chosen]
    return Robustness(table, pd.DataFrame(long, columns=["draw", "option"]))


def _parts(draws: list[int], size: int = 10) -> Iterator[list[int]]:
    """Draws of one travel in tasks of some minutes at most."""
    for start in range(0, len(draws), size):
        yield draws[start : start + size]


def _task(region: Region, around: Region | None, scenario: Scenario, circuits: tuple[Option, ...], chosen: tuple[str, ...],
          variant: Variant, draws: list[int], cache: Path | None) -> list[tuple[dict[str, object], tuple[str, ...]]]:
    season = seasonal(scenario, variant)
    travel = compute_travel(around or region, season, cache, own=None if around is None else region)
    trips = _trips(region, season, travel, circuits, cache)
    return [_one(region, around, season, travel, circuits, trips, chosen, draw, variant) for draw in draws]


def _variant(draw: int, scenario: Scenario) -> Variant:
    rng = np.random.default_rng([scenario.seed, draw, 0])
    return int(rng.integers(SPEEDS)), bool(rng.random() < scenario.uncertainty.rains)


def _speed(variant: Variant, scenario: Scenario) -> float:
    return 1.0 + scenario.uncertainty.dirt_speed * (2.0 * variant[0] / (SPEEDS - 1) - 1.0)


def seasonal(scenario: Scenario, variant: Variant) -> Scenario:
    """The scenario with the dirt of a draw: the rains are the season that slows it, and without rain they close nothing."""
    rains = variant[1] or scenario.season == "lluvias"
    factor = _speed(variant, scenario) * (scenario.rain_unpaved_factor if rains else 1.0)
    return scenario.model_copy(update={"season": "lluvias", "rain_unpaved_factor": factor,
                                       "rain_closes": scenario.rain_closes if rains else ()})


def _one(region: Region, around: Region | None, season: Scenario, travel: Travel, circuits: tuple[Option, ...], trips: pd.DataFrame,
         chosen: tuple[str, ...], draw: int, variant: Variant) -> tuple[dict[str, object], tuple[str, ...]]:
    varied, there, told = varied_facts(around or region, season, draw)
    access = compute_access(there, travel, varied)
    if around is not None:
        there, travel, access = within(region, there, travel, access)
    tiers = people_tiers(access, varied)
    options = (*fixed_options(there, travel, access, tiers, varied), *_repriced(circuits, trips, tiers, varied))
    choices = Choices(tuple(sorted((o for o in options if o.weighted > 0), key=lambda o: o.id)))
    known = {o.id for o in choices.options}
    best = select(choices, there.localities, access, varied, known=tuple(i for i in chosen if i in known), nodes=_NODES, rel_gap=_GAP)
    value = _worth(choices, there, access, varied, chosen)
    regret = max(0.0, 1.0 - value / best.solution.value) if best.solution.value > 0 else 0.0
    return {"draw": draw, "dirt_speed": _speed(variant, season), "rains": variant[1], **told, "value": value,
            "best": best.solution.value, "regret": regret}, best.chosen


def varied_facts(region: Region, season: Scenario, draw: int) -> tuple[Scenario, Region, dict[str, float]]:
    """The scenario and the region of a draw, and what was drawn: everything but travel."""
    rng, span = np.random.default_rng([season.seed, draw, 1]), season.uncertainty
    capacity, use = 1.0 + span.capacity * rng.uniform(-1, 1), 1.0 + span.utilisation * rng.uniform(-1, 1)
    need = np.sort(np.clip(np.array(list(season.need.by_grade().values())) + span.need * rng.uniform(-1, 1, 5), 0.0, 1.0))
    varied = season.model_copy(update={
        "capacity_people_per_nucleo": season.capacity_people_per_nucleo * capacity, "utilisation": min(season.utilisation * use, 1.0),
        "need": season.need.model_copy(update=dict(zip(type(season.need).model_fields, need.tolist(), strict=True)))})
    localities, units = region.localities.sort_index(), region.units.sort_index()
    factor = 1.0 + span.people * rng.uniform(-1, 1, len(localities))
    out = rng.random(len(units)) < span.units_out
    people = {name: localities[name] * factor for name in _PEOPLE}
    fixed = units["role"] == "primer_nivel"
    there = replace(region, localities=localities.assign(**people), units=units.assign(nuclei=units["nuclei"].where(~(out & fixed), 0)))
    return varied, there, {"capacity": capacity, "utilisation": use, "units_out": float((out & fixed).sum())}


def _trips(region: Region, season: Scenario, travel: Travel, circuits: tuple[Option, ...], cache: Path | None) -> pd.DataFrame:
    """What each circuit (`option`, its position) adds to today's visits, cvegeo, with the minutes to the first stop of its trip.

    Left out are the trips whose first stop is out of reach in the season.
    """
    trips = pd.DataFrame([(k, o.place, trip[0].stops[0], stop) for k, o in enumerate(circuits) for trip in trips_of(o.days) if trip[0].stops
                          for stop in {s for day in trip for s in day.stops} - todays_visits(o, region).keys()],
                         columns=["option", "site", "first", "cvegeo"])
    pairs = [travel.bases.pairs()]
    longer = pd.Index([o.place for o in circuits if o.kind == "ruta"], dtype="str")
    if len(longer):
        first = pd.Index(trips.loc[trips["site"].isin(longer), "first"], dtype="str")
        pairs.append(team_times(region, season, first, cache, bases=longer).out.pairs())
    return trips.merge(pd.concat(pairs).rename(columns={"cvegeo": "first"}), on=["site", "first"]).sort_values(["option", "cvegeo"])


def _repriced(circuits: tuple[Option, ...], trips: pd.DataFrame, tiers: pd.DataFrame, scenario: Scenario) -> list[Option]:
    """The circuits with the gains of the draw."""
    rows = trips.merge(tiers, on="cvegeo").rename(columns={"people": "available"})
    visits = rows["option"].map(pd.Series([o.visits_month for o in circuits], dtype=float))
    rows = rows.assign(gain=0.0, people=0.0)
    for often in visits.unique():
        rows.loc[visits == often, "gain"] = mobile_gain(rows[visits == often], often, scenario)
    rows = rows[(rows["gain"] > 0) & (rows["available"] > 0)].sort_values(["option", "cvegeo", "tier"], ignore_index=True)
    start = np.searchsorted(rows["option"], np.arange(len(circuits) + 1))
    available, gain, people = rows["available"].to_numpy(float), rows["gain"].to_numpy(float), np.zeros(len(rows))
    for option, a, b in zip(circuits, start[:-1], start[1:], strict=True):
        people[a:b] = take_best(available[a:b], gain[a:b], option.capacity_people)
    serves = rows.assign(people=people, weighted=people * gain)[["cvegeo", "tier", "minutes", "available", "gain", "people", "weighted"]]
    return [replace(o, serves=serves.iloc[a:b]) for o, a, b in zip(circuits, start[:-1], start[1:], strict=True) if b > a]


def _worth(choices: Choices, region: Region, access: Access, scenario: Scenario, chosen: tuple[str, ...]) -> float:
    """What the plan closes in the draw, if it is carried out whatever it serves."""
    rich = scenario.model_copy(update={"require": (), "forbid": ()})
    model = model_for(choices, region.localities, access, rich)
    return float(served_by(model, copies_of(model, chosen))[1]) if len(model.ids) else 0.0
