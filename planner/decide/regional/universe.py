"""Universe of work: which unit, of today or of the plan, each locality answers to, with what load, and what moves against today.

Fixed places are today's first levels and the new units of the plan. By the scenario's rule their people come by:

- `capacidad`: as many as possible within capacity, in the least minutes (`transport`); who finds no room is told, and stands in
  the nearest place, over its capacity.
- `cercania`: the nearest place.
- `huff`: of the people of i the part a_j / t_ij^b over the sum of it for all places within the search goes to j (Huff 1964, Journal
  of Marketing 28), a the capacity (1 where it has no limit), t minutes, b `huff_exponent`. As t goes to 0 the part goes to 1: places
  at 0 minutes share everybody by a. Where no place has capacity, the nearest.

A locality out of the search of every fixed place goes to the mobile unit that attends it today, else to a circuit of the plan that
visits it. What the community organises is counted, and replaces no unit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from planner.access.gap import MOBILE_KINDS, OWN_KINDS, unit_capacity
from planner.access.indicators import weighted_percentile
from planner.access.rules import chosen_options
from planner.decide.regional.moves import flows, outcomes, reasons
from planner.decide.regional.placing import Least
from planner.decide.regional.transport import transport
from planner.model import Access, Plan, Region, Travel
from planner.settings import Scenario

FIXED, MOBILE, PROPOSED = "unidad", "movil", "propuesta"  # kinds of place, as schema.PLACES
_P90 = 0.9
_TINY = 1e-12  # a share that rounding may leave
_ROUNDING = 1e-9  # relative, of capacities


@dataclass(frozen=True, eq=False)
class Universe:
    """Each locality in one place, and the people behind it; tables sorted by id, null place: none, minutes of mobile places NaN."""

    rule: str  # the scenario's regional.assignment
    shares: pd.DataFrame  # long: cvegeo, place, kind, share (sums to 1), people, minutes
    localities: pd.DataFrame  # index cvegeo; schema.UNIVERSE, the place of most of its people; unplaced: how many find no room
    units: pd.DataFrame  # index place, also empty ones; schema.UNIVERSE_UNITS; unplaced: people beyond its capacity
    flows: pd.DataFrame  # long: people by place of today (from_id) and now (to_id), minutes of both, change and reason
    moves: pd.DataFrame  # localities whose main place is another; schema.REASSIGNMENTS
    outcomes: pd.DataFrame  # people who gain and lose minutes: moves.outcomes
    solution: Least | None  # people-minutes and their bound; none by Huff's rule, which makes nothing least

    @property
    def unplaced(self) -> float:
        """Target people beyond the capacity of their place."""
        return float(self.units["unplaced"].sum())


def universe(region: Region, travel: Travel, access: Access, plan: Plan | None, scenario: Scenario) -> Universe:
    """The universe of work by the scenario's rule, with what the plan proposes (None: today's units alone).

    People are the target people; minutes by mode_first_level, up to `cutoff_first_level_min` and, to new units, up to the end of the
    ramp. Localities of unknown travel and those that nothing reaches or visits have no place. Deterministic; SolverError from the solver.
    """
    people = access.localities["people"].sort_index()
    places = _places(region, plan, scenario)
    pairs = _pairs(travel, plan, places)
    rule = scenario.regional.assignment
    fixed, solution = _fixed(pairs, people, places, scenario)
    apart = _mobile(region, access, plan, people.index[~people.index.isin(fixed["cvegeo"].unique())])
    none = people.index[~people.index.isin([*fixed["cvegeo"].unique(), *apart["cvegeo"]])]
    shares = pd.concat([fixed, apart, pd.DataFrame({"cvegeo": none, "place": None, "share": 1.0, "minutes": np.nan})])
    shares = shares.astype({"cvegeo": "str", "place": "str", "share": float, "minutes": float, "unplaced": float})
    shares = shares.sort_values(["cvegeo", "place"], ignore_index=True)
    shares = shares.assign(kind=shares["place"].map(places["kind"]).astype("str"), people=shares["cvegeo"].map(people) * shares["share"],
                           unplaced=shares["unplaced"].fillna(0.0))
    localities = _localities(shares, people)
    units = _units(region, places, shares, localities, scenario)
    if rule != "capacidad":  # who is beyond capacity is not a part of the rule: every person of the unit as much as any
        beyond = (units["unplaced"] / units["people"].where(units["people"] > 0)).fillna(0.0)
        crowded = shares["people"] * shares["place"].map(beyond).astype(float).fillna(0.0)
        localities["unplaced"] = crowded.groupby(shares["cvegeo"]).sum()
    changed = _changed(region, access, places, shares, people, huff=rule == "huff")
    return Universe(rule, shares[["cvegeo", "place", "kind", "share", "people", "minutes"]], localities, units, changed,
                    _moves(region, access, places, localities, huff=rule == "huff"), outcomes(changed), solution)


def _places(region: Region, plan: Plan | None, scenario: Scenario) -> pd.DataFrame:
    """Every place that may attend somebody, by id: name, kind, capacity (users a year)."""
    units = region.units[region.units["role"].isin(("primer_nivel", "movil"))]
    chosen = [] if plan is None else chosen_options(plan)
    more = pd.Series([o.place for o in chosen if o.kind in OWN_KINDS], dtype="str").value_counts().reindex(units.index, fill_value=0)
    capacity = unit_capacity(units["role"], units["nuclei"] + more, scenario)
    today = pd.DataFrame({"name": units["name"], "kind": units["role"].map({"primer_nivel": FIXED, "movil": MOBILE}), "capacity": capacity})
    new = [o for o in chosen if o.kind == "umr" or o.kind in MOBILE_KINDS]
    proposed = pd.DataFrame({"name": [o.name for o in new], "kind": PROPOSED,
                             "capacity": [o.capacity_people * scenario.utilisation for o in new]}, index=[o.id for o in new])
    table = pd.concat([today, proposed]) if new else today
    if scenario.unlimited_capacity:
        table["capacity"] = np.inf
    return table.rename_axis("place").sort_index()


def _pairs(travel: Travel, plan: Plan | None, places: pd.DataFrame) -> pd.DataFrame:
    """Minutes from localities to every fixed place: cvegeo, place, minutes; sorted by both ids."""
    fixed = places.index[places["kind"] == FIXED]
    seats = {} if plan is None else {o.place: o.id for o in chosen_options(plan) if o.kind == "umr"}
    units, new = (table.pairs().rename(columns={"site": "place"}) for table in (travel.first_level, travel.seats))
    new = new[new["place"].isin(list(seats))]
    both = pd.concat([units[units["place"].isin(fixed)], new.assign(place=new["place"].map(seats))])
    return both.astype({"cvegeo": "str", "place": "str"}).sort_values(["cvegeo", "place"], ignore_index=True)


def _fixed(pairs: pd.DataFrame, people: pd.Series, places: pd.DataFrame, scenario: Scenario) -> tuple[pd.DataFrame, Least | None]:
    """Shares of the localities that reach a fixed place: cvegeo, place, share, minutes, unplaced (people); and what is proved."""
    nearest = pairs.sort_values(["cvegeo", "minutes", "place"]).drop_duplicates("cvegeo")
    nearest = nearest.assign(share=1.0, unplaced=0.0)
    rule = scenario.regional.assignment
    if rule == "huff":
        return _huff(pairs, nearest, places["capacity"], scenario.regional.huff_exponent), None
    if rule == "cercania":
        value = float((nearest["cvegeo"].map(people).astype(float) * nearest["minutes"]).sum())
        return nearest, Least(value, value, "óptimo", "cada quien a la más cercana")
    room = places["capacity"].to_numpy(float) / scenario.utilisation
    found = transport(people.to_numpy(float), room, people.index.get_indexer(pd.Index(pairs["cvegeo"])),
                      places.index.get_indexer(pd.Index(pairs["place"])), pairs["minutes"].to_numpy(float))
    there = pairs.assign(people=found.people, unplaced=0.0)[found.people > 0]
    waiting = nearest.assign(unplaced=nearest["cvegeo"].map(pd.Series(found.unplaced, people.index)))
    nobody = waiting["cvegeo"].map(people) <= 0
    waiting = waiting[(waiting["unplaced"] > 0) | nobody].assign(people=lambda t: t["unplaced"])
    both = pd.concat([there, waiting]).groupby(["cvegeo", "place"], as_index=False).agg(
        people=("people", "sum"), minutes=("minutes", "first"), unplaced=("unplaced", "sum"))
    total = both.groupby("cvegeo")["people"].transform("sum")
    return both.assign(share=(both["people"] / total.where(total > 0)).fillna(1.0)).drop(columns="people"), found.least


def _huff(pairs: pd.DataFrame, nearest: pd.DataFrame, capacity: pd.Series, exponent: float) -> pd.DataFrame:
    draw = pairs["place"].map(capacity).astype(float)
    open_ = pairs.assign(draw=draw.mask(np.isinf(draw), 1.0))[draw > 0]
    least = open_.groupby("cvegeo")["minutes"].transform("min")
    ratio = (least / open_["minutes"]).mask(open_["minutes"] <= 0, 1.0)  # the same shares as of minutes, without overflow
    pull = open_["draw"] * ratio ** exponent
    drawn = open_.assign(share=pull / pull.groupby(open_["cvegeo"]).transform("sum"), unplaced=0.0)
    drawn = drawn[drawn["share"] > _TINY].drop(columns="draw")
    drawn["share"] /= drawn.groupby("cvegeo")["share"].transform("sum")
    return pd.concat([drawn, nearest[~nearest["cvegeo"].isin(drawn["cvegeo"].unique())]])


def _mobile(region: Region, access: Access, plan: Plan | None, apart: pd.Index) -> pd.DataFrame:
    """The mobile place of each of these localities that has one: the unit of the official table with most of it, else the one with
    most visits today, else the circuit of the plan with most; ties: the lowest id."""
    table = access.shares.loc[access.shares["kind"] == MOBILE, ["cvegeo", "clues", "share"]]
    rows = [pd.DataFrame({"cvegeo": table["cvegeo"], "place": table["clues"], "order": 0, "weight": table["share"]})]
    if region.circuits is not None:
        stops = region.circuits[region.circuits["clues"].map(region.units["role"]) == MOBILE]
        rows.append(pd.DataFrame({"cvegeo": stops["cvegeo"], "place": stops["clues"], "order": 1, "weight": stops["visits_month"]}))
    circuits = [] if plan is None else [o for o in chosen_options(plan) if o.kind in MOBILE_KINDS]
    rows += [pd.DataFrame({"cvegeo": list(o.stops), "place": o.id, "order": 2, "weight": o.visits_month}) for o in circuits]
    every = pd.concat([r for r in rows if len(r)] or rows[:1])
    mine = every[every["cvegeo"].isin(apart)].sort_values(["cvegeo", "order", "weight", "place"], ascending=[True, True, False, True])
    return mine.drop_duplicates("cvegeo")[["cvegeo", "place"]].assign(share=1.0, minutes=np.nan, unplaced=0.0)


def _localities(shares: pd.DataFrame, people: pd.Series) -> pd.DataFrame:
    most = shares.sort_values(["cvegeo", "share", "place"], ascending=[True, False, True]).drop_duplicates("cvegeo").set_index("cvegeo")
    unplaced = shares.groupby("cvegeo")["unplaced"].sum()
    table = most[["place", "kind", "minutes"]].rename(columns={"kind": "place_kind"}).assign(people=people, unplaced=unplaced)
    return table.reindex(people.index).rename_axis("cvegeo")


def _units(region: Region, places: pd.DataFrame, shares: pd.DataFrame, localities: pd.DataFrame, scenario: Scenario) -> pd.DataFrame:
    on_wheels = places["kind"] == MOBILE
    at = shares[shares["place"].notna()].groupby("place")
    load = at["people"].sum().reindex(places.index, fill_value=0.0)
    users = scenario.utilisation * load
    fits = users <= places["capacity"] * (1 + _ROUNDING)
    rho = (places["capacity"] / users.where(users > 0)).mask(fits, 1.0).where(np.isfinite(places["capacity"]))
    over = (load - places["capacity"] / scenario.utilisation).mask(fits, 0.0)
    fixed = shares[shares["minutes"].notna()].groupby("place")
    told = {place: (_mean(rows), weighted_percentile(rows["minutes"].to_numpy(float), rows["people"].to_numpy(float), _P90))
            for place, rows in fixed[["minutes", "people"]]}
    minutes = pd.DataFrame.from_dict(told, orient="index", columns=["minutes_mean", "minutes_p90"], dtype=float)
    table = places.assign(localities=localities["place"].value_counts().reindex(places.index, fill_value=0).astype("int64"), people=load,
                          load=users, rho=rho.where(~on_wheels), unplaced=over.where(~on_wheels, 0.0))
    return table.join(minutes).join(_community(region, localities["place"], places.index))


def _mean(rows: pd.DataFrame) -> float:
    people, minutes = (rows[name].to_numpy(float) for name in ("people", "minutes"))
    return float(people @ minutes / people.sum()) if people.sum() > 0 else np.nan


def _community(region: Region, place: pd.Series, places: pd.Index) -> pd.DataFrame:
    """Health houses, auxiliaries, midwives, volunteers and committees of each place's localities; missing where none of them tells."""
    names = {"auxiliaries": "auxiliaries", "midwives": "midwives", "volunteers": "volunteers", "committee": "committees"}
    columns = ["health_houses", *names.values()]
    if region.community is None:
        return pd.DataFrame({name: pd.array([None] * len(places), dtype="Int64") for name in columns}, index=places)
    table = region.community.rename(columns=names)
    table = table.assign(health_houses=table["health_house"].notna())[columns].astype("Int64")
    summed: pd.DataFrame = table.groupby(place.reindex(table.index)).sum(min_count=1)
    return summed.reindex(places)


def _changed(region: Region, access: Access, places: pd.DataFrame, shares: pd.DataFrame, people: pd.Series, *, huff: bool) -> pd.DataFrame:
    today = access.shares.rename(columns={"clues": "place"})
    table = flows(today, shares, people)
    why = reasons(table, today, region.units["role"], places["kind"], huff=huff)
    return table.assign(change=table["minutes_after"] - table["minutes_before"], reason=why)


def _moves(region: Region, access: Access, places: pd.DataFrame, localities: pd.DataFrame, *, huff: bool) -> pd.DataFrame:
    today = access.localities.loc[localities.index]
    pairs = pd.DataFrame({
        "cvegeo": localities.index, "name": region.localities["name"].reindex(localities.index).to_numpy(),
        "from_id": today["assigned"].to_numpy(), "to_id": localities["place"].to_numpy(), "people": localities["people"].to_numpy(),
        "minutes_before": today["assigned_min"].to_numpy(float), "minutes_after": localities["minutes"].to_numpy(float)})
    why = reasons(pairs, access.shares.rename(columns={"clues": "place"}), region.units["role"], places["kind"], huff=huff)
    table = pairs.assign(change=pairs["minutes_after"] - pairs["minutes_before"], reason=why).set_index("cvegeo")
    return table[table["reason"].notna()]
