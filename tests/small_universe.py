"""A region, travel and access drawn from a few numbers: people by place, room by unit, minutes between them."""

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import valley

from planner.access.gap import compute_access
from planner.assumptions import Regional
from planner.decide.regional.agreement import OUTCOMES, agreement
from planner.model import Access, Option, Plan, Region, Solution, Travel, TravelTimes
from planner.settings import Scenario
from planner.travel.times import compute_travel

PLAIN = Scenario(capacity_people_per_nucleo=1.0, utilisation=1.0)  # a nucleus attends one person
State = tuple[Region, Travel, Access]


def by_rule(rule: str, scenario: Scenario = PLAIN, **more: object) -> Scenario:
    return scenario.model_copy(update={"regional": Regional(assignment=rule, **more)})  # type: ignore[arg-type]


def place_id(number: int) -> str:
    return f"99001{number:04d}"


def unit_id(number: int) -> str:
    return f"MDIMB{number:06d}"


def times(localities: list[str], sites: list[str], minutes: np.ndarray, cutoff_min: float = 180.0) -> TravelTimes:
    """Travel from a matrix, inf where there is no way."""
    row, site = np.nonzero(minutes <= cutoff_min)
    indptr = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=len(localities)))]).astype(np.int64)
    return TravelTimes(pd.Index(localities, name="cvegeo"), pd.Index(sites), cutoff_min, indptr, site.astype(np.int32), minutes[row, site])


def drawn(people: list[float], nuclei: list[int], minutes: list[list[float]], official: list[tuple[int, str | None, float]] | None = None,
          roles: list[str] | None = None, seats: dict[int, list[float]] | None = None, order: np.random.Generator | None = None) -> State:
    """The facts of places with `people` and units with `nuclei`; `official` rows are (place, clues, share); `order` shuffles all rows."""
    base = valley.region(responsibility=False)
    ids, units = [place_id(i) for i in range(len(people))], [unit_id(j) for j in range(len(nuclei))]
    localities = base.localities.iloc[[0] * len(ids)].set_axis(pd.Index(ids, name="cvegeo")).assign(uninsured=people, name=ids)
    table = base.units.iloc[[0] * len(units)].set_axis(pd.Index(units, name="clues"))
    table = table.assign(nuclei=np.array(nuclei, np.int64), name=units, role=roles or ["primer_nivel"] * len(units))
    rows = None
    if official is not None:
        rows = pd.DataFrame([(place_id(i), u, u or "MDSSA000001", 1.0, s) for i, u, s in official],
                            columns=["cvegeo", "clues", "published_clues", "people", "share"])
    if order is not None:
        localities, table = (t.iloc[order.permutation(len(t))] for t in (localities, table))
        rows = None if rows is None else rows.iloc[order.permutation(len(rows))]
    region = replace(base, localities=localities, units=table, responsibility=rows)
    matrix = np.array(minutes, float).reshape(len(ids), len(units))
    first = [j for j, u in enumerate(units) if table.loc[u, "role"] == "primer_nivel"]
    fixed = [j for j, u in enumerate(units) if table.loc[u, "role"] in ("primer_nivel", "hospital")]
    found = times(ids, [units[j] for j in fixed], matrix[:, fixed])
    empty = times(ids, [], np.empty((len(ids), 0)))
    near = times(ids, [units[j] for j in first], matrix[:, first]).nearest().rename(columns={"site": "clues"}) if first else (
        pd.DataFrame({"minutes": np.inf, "clues": pd.Series(None, ids, dtype="str")}, index=pd.Index(ids, name="cvegeo")))
    base_travel = _valley_travel()
    nearest = dict.fromkeys(base_travel.nearest, near)
    seat_times = empty if seats is None else times(
        ids, [place_id(i) for i in seats], np.array(list(seats.values()), float).T.reshape(len(ids), len(seats)))
    travel = replace(base_travel, nearest=nearest, first_level=found, seats=seat_times, bases=empty)
    return region, travel, compute_access(region, travel, PLAIN)


@cache
def _valley_travel() -> Travel:
    return compute_travel(valley.region(responsibility=False), Scenario())


def option(kind: str, place: str, capacity: float = 10.0, *, copy: int = 0, stops: tuple[str, ...] = (), visits: float = 0.0) -> Option:
    name = f"{kind}-{place}" + (f"-{copy}" if copy else "")
    return Option(name, kind, place, f"Propuesta {place}", 0.0, 0.0, capacity, pd.DataFrame(), "", stops, visits_month=visits)  # type: ignore[arg-type]


def plan(*options: Option) -> Plan:
    return Plan(options, tuple(sorted(o.id for o in options)), pd.DataFrame(), Solution(0.0, 0.0, "", ""))


def told(state: State, rule: str, scenario: Scenario = PLAIN) -> pd.DataFrame:
    """The agreement by one rule, by outcome."""
    table = agreement(*state, scenario)
    assert table["outcome"].tolist() == [*OUTCOMES, *OUTCOMES]
    return table[table["rule"] == rule].set_index("outcome")
