"""Where mobile teams may go, and one team's circuit as an option: base, stops, days, price and whom it serves."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import sparse

from planner.decide.current import Today
from planner.decide.gains import mobile_gain, price_serves
from planner.decide.rounds import RoundRules, plan_round
from planner.decide.rules import stops_in_day, stops_limit
from planner.decide.say import how_far, main_grade
from planner.kinds import Kind
from planner.model import Access, Day, Option, Region, TeamTimes, TravelTimes
from planner.settings import Scenario
from planner.travel.ground import DECIMALS
from planner.travel.teams import team_times
from planner.words import BY_MODE, people_told

TEAMS: tuple[Kind, ...] = ("umm", "brigada")
_BASES_TRIED = 3


@dataclass(frozen=True, eq=False)
class Market:
    """Stops that teams of one kind may visit, what visiting is worth there, and what bases reach."""

    kind: Kind
    visits: float  # a month
    stops: pd.Index  # cvegeo, sorted
    rows: pd.DataFrame  # the stops' tiers: cvegeo, tier, people, gain, stop (position); by cvegeo and tier
    reach: sparse.csr_matrix  # bool, bases x stops: whom a team of the base may visit in some round
    usual: sparse.csr_matrix  # bool: those of them from which it also comes home in what a stop leaves of a day
    minutes: sparse.csr_matrix  # bases x stops: minutes out, told where a stop may be the first of a trip (at least 1e-9)
    legs: sparse.csr_matrix  # stops x stops, from row to column: minutes up to leg_max_min (at least 1e-9)
    capital_mxn: float
    annual_mxn: float

    @cached_property
    def weighted(self) -> np.ndarray:
        """Gap closed by visiting each stop."""
        return np.bincount(self.rows["stop"], self.rows["people"] * self.rows["gain"], minlength=len(self.stops))

    @cached_property
    def people(self) -> np.ndarray:
        return np.bincount(self.rows["stop"], self.rows["people"], minlength=len(self.stops)).astype(float)

    def direct(self, base: int) -> np.ndarray:
        """Bool by stop: may be the first of a trip from the base."""
        first = np.zeros(len(self.stops), bool)
        first[members(self.minutes, base)] = True
        return first

    def onward(self, stop: int) -> np.ndarray:
        """Stops to which a team may go on from this one."""
        at: np.ndarray = self.legs.indices[self.legs.indptr[stop] : self.legs.indptr[stop + 1]]
        return at


def members(reach: sparse.csr_matrix, base: int) -> np.ndarray:
    """Stops (positions, sorted) told of the base in such a table."""
    return np.sort(reach.indices[reach.indptr[base] : reach.indptr[base + 1]])


@dataclass(frozen=True, eq=False)
class Fleet:
    """All that a circuit is drawn from."""

    markets: tuple[Market, ...]
    times: TeamTimes
    bases: pd.Series  # names by clues, in the order of the markets' rows of reach
    grades: pd.Series  # of deprivation, by cvegeo
    first_level_min: pd.Series
    scenario: Scenario

    def stops_max(self, market: Market) -> int:
        return stops_limit(market.visits, self.scenario)

    def rules(self, market: Market) -> RoundRules:
        return RoundRules.of(market.kind, market.visits, self.scenario)


@dataclass(frozen=True, eq=False)
class Choices:
    """What a plan may choose from.

    `pools` are relaxed options, one for each kind of team: any localities that some base reaches, so many for each copy.
    Whatever circuits one may draw, the bound that holds with the pools in their place holds for them too. `fleet` draws them.
    """

    options: tuple[Option, ...]  # by id
    pools: tuple[Option, ...] = ()
    fleet: Fleet | None = None
    today: Today = field(default_factory=Today)  # the circuits that there are

    @property
    def reached(self) -> pd.Index:
        """Localities (cvegeo) that some team reaches from a fixed unit."""
        return pd.Index(sorted({str(c) for p in self.pools if p.kind in TEAMS for c in p.serves["cvegeo"]}), dtype="str", name="cvegeo")


def fleet_of(region: Region, access: Access, candidates: pd.DataFrame, tiers: pd.DataFrame, scenario: Scenario, cache: Path | None = None
             ) -> Fleet:
    """The markets of the kinds of team that the scenario allows; `candidates` are those of rules.mobile_candidates."""
    kinds = [k for k in TEAMS if k in scenario.allow]
    wanted = candidates.index[candidates[kinds].any(axis=1)] if kinds else candidates.index[:0]
    times = team_times(region, scenario, wanted.sort_values(), cache)
    markets = tuple(_market(kind, candidates, tiers, times, scenario) for kind in kinds)
    return Fleet(markets, times, region.units["name"].reindex(times.out.sites), region.localities["irs_grade"],
                 access.localities["first_level_min"], scenario)


def _market(kind: Kind, candidates: pd.DataFrame, tiers: pd.DataFrame, times: TeamTimes, scenario: Scenario) -> Market:
    umm = kind == "umm"
    visits = scenario.umm_visits_month if umm else scenario.brigade_visits_month
    rows = tiers[tiers["cvegeo"].isin(candidates.index[candidates[kind]])]
    rows = rows.assign(gain=mobile_gain(rows, visits, scenario))
    rows = rows[(rows["gain"] > 0) & (rows["people"] > 0)]
    stops = pd.Index(sorted(rows["cvegeo"].unique()), dtype="str")
    at = pd.Index(times.between.localities).get_indexer(stops)
    legs = _table(times.between, times.between.localities).T.tocsr()[at][:, at]  # from row to column
    first, reach, usual = _reach(stops, times, legs, 0 if umm else scenario.brigade_nights_max, scenario)
    capital = scenario.cost_umm_capital_mxn if umm else 0.0
    running = scenario.cost_umm_annual_mxn if umm else scenario.cost_brigade_annual_mxn
    return Market(kind, visits, stops, rows.assign(stop=stops.get_indexer(pd.Index(rows["cvegeo"]))), reach, usual, first, legs,
                  capital, running + scenario.annualised(capital, scenario.life_vehicle_years))


def _reach(stops: pd.Index, times: TeamTimes, legs: sparse.csr_matrix, nights: int, scenario: Scenario) -> tuple[sparse.csr_matrix, ...]:
    """Minutes to the stops that may be a trip's first, which stops some trip from each base may visit, and which of them usually.

    Without nights out a team is back the same day, also from a stop that it reaches by another one. With them it goes on from stop
    to stop, as far as a trip has stops: not every stop told has a round, but no round visits any other.
    """
    out, home = _table(times.out, stops), _table(times.back, stops)
    day = (scenario.shift_hours - scenario.stop_hours_min) * 60.0
    if nights == 0:
        both = out.multiply(home > 0).tocsr()
        both.data[np.asarray((both + home.multiply(both > 0)).tocsr().data) > day + 1e-6] = 0.0
        both.eliminate_zeros()
        reach, far = both > 0, both
        for count in range(2, stops_in_day(scenario) + 1):
            left = (scenario.shift_hours - count * scenario.stop_hours_min) * 60.0
            far = _further(far, legs, left + 1e-6)
            there = far.multiply(home > 0).tocsr()
            there.data[np.asarray((there + home.multiply(there > 0)).tocsr().data) > left + 1e-6] = 0.0
            reach = (reach + (there > 0)) > 0
        return both, reach.tocsr(), (both > 0).tocsr()
    reach = (out > 0).astype(float)
    step = (legs > 0).astype(float)
    for _ in range((nights + 1) * scenario.stops_day_max - 1):
        reach = ((reach + reach @ step) > 0).astype(float)
    return out, (reach > 0).tocsr(), reach.multiply(home > 0).tocsr()


def _further(far: sparse.csr_matrix, legs: sparse.csr_matrix, limit_min: float) -> sparse.csr_matrix:
    """Least minutes from each base after one more leg, where they are within the limit."""
    rows = []
    for base in range(far.shape[0]):
        at, gone = far[base].indices, far[base].data
        then = legs[at]
        minutes = np.repeat(gone, np.diff(then.indptr)) + then.data
        best = np.full(far.shape[1], np.inf)
        np.minimum.at(best, then.indices, minutes)
        rows.append(sparse.csr_matrix(np.where(best <= limit_min, best, 0.0)))
    return sparse.vstack(rows).tocsr() if rows else far


def _table(times: TravelTimes, stops: pd.Index) -> sparse.csr_matrix:
    """Bases x stops; what is there at once counts as a billionth of a minute, for a zero is no way."""
    at = pd.Index(times.localities).get_indexer(stops)
    table = sparse.csr_matrix((times.value + 1e-9, times.site, times.indptr), (len(times.localities), len(times.sites)))
    return table[at].T.tocsr()


def circuit(fleet: Fleet, market: Market, stops: Sequence[int]) -> Option | None:
    """The option of one team that visits these stops (positions), from the base with the least minutes; None if none can.

    Stops that no round from there can reach, or for which the month has no days, are left out, the least valuable first.
    """
    chosen = np.array(sorted(stops), int)
    if not len(chosen):
        return None
    near = market.minutes[:, chosen]
    legs = (market.legs[chosen][:, chosen] > 0).astype(float)
    linked = (near > 0).astype(float)
    for _ in range(len(chosen) if fleet.rules(market).nights_max else 0):
        linked = ((linked + linked @ legs) > 0).astype(float)
    total, count = np.asarray(near.sum(axis=1)).ravel(), np.diff(near.tocsr().indptr)
    order = np.lexsort((np.arange(len(count)), total, -count, -np.asarray(linked.sum(axis=1)).ravel()))
    tried = [_driven(fleet, market, int(base), chosen) for base in order[:_BASES_TRIED] if count[base]]
    made = [option for option in tried if option is not None]
    return min(made, key=lambda o: (-o.weighted, sum(m for d in o.days for m in d.legs_min), o.id), default=None)


def _driven(fleet: Fleet, market: Market, base: int, chosen: np.ndarray) -> Option | None:
    rules = fleet.rules(market)
    weighted = market.weighted
    minutes = _minutes(fleet.times, market, base, chosen)
    linked = _linked(minutes, rules)
    while len(linked):
        names = [str(s) for s in market.stops[chosen[linked]]]
        at = np.concatenate([[0], linked + 1])
        days = plan_round(str(fleet.bases.index[base]), names, minutes[np.ix_(at, at)], rules)
        if days is not None:
            return _option(fleet, market, base, chosen[linked], days)
        worst = np.lexsort((linked, weighted[chosen[linked]]))[0]
        linked = np.delete(linked, worst)
        again = _linked(minutes[np.ix_(np.concatenate([[0], linked + 1]), np.concatenate([[0], linked + 1]))], rules)
        linked = linked[again]
    return None


def _linked(minutes: np.ndarray, rules: RoundRules) -> np.ndarray:
    """Stops (positions, without the base) that can be reached from the base through the others within the limits of legs."""
    step = minutes[1:, 1:] <= rules.leg_max_min
    seen = minutes[0, 1:] <= rules.first_stop_max_min
    for _ in range(len(seen) if rules.nights_max else 0):
        seen = seen | (seen[:, None] & step).any(axis=0)
    return np.flatnonzero(seen)


def _minutes(times: TeamTimes, market: Market, base: int, chosen: np.ndarray) -> np.ndarray:
    """Directed minutes among the base (0) and the stops; inf where there is no way within the limits."""
    rows = pd.Index(times.out.localities).get_indexer(market.stops[chosen])
    table = np.full((len(chosen) + 1, len(chosen) + 1), np.inf)
    legs = market.legs[chosen][:, chosen].toarray()
    table[1:, 1:] = np.where(legs > 0, legs - 1e-9, np.inf)
    table[0, 1:] = [_one(times.out, row, base) for row in rows]
    table[1:, 0] = [_one(times.back, row, base) for row in rows]
    return np.round(table, DECIMALS)


def _one(times: TravelTimes, row: int, site: int) -> float:
    lo, hi = int(times.indptr[row]), int(times.indptr[row + 1])
    k = lo + int(np.searchsorted(times.site[lo:hi], site))
    return float(times.value[k]) if k < hi and times.site[k] == site else math.inf


def _option(fleet: Fleet, market: Market, base: int, chosen: np.ndarray, days: tuple[Day, ...]) -> Option:
    scenario, clues = fleet.scenario, str(fleet.bases.index[base])
    stops = tuple(stop for day in days for stop in day.stops)
    minutes = first_minutes(days)
    pairs = market.rows[market.rows["stop"].isin(chosen)].rename(columns={"people": "available"})
    serves = price_serves(pairs.assign(minutes=pairs["cvegeo"].map(minutes)), scenario.umm_people_max)
    far = fleet.first_level_min.loc[list(stops)]
    road = "con camino" if market.kind == "umm" else "sin camino o con camino que cortan las lluvias"
    nights = sum(day.night_out for day in days)
    slept = f", con {nights} {'noche' if nights == 1 else 'noches'} fuera" if nights else ""
    driven = sum(sum(day.legs_min) for day in days)
    reason = (f"{people_told(serves['people'].sum())} en {len(stops)} {'localidades' if len(stops) > 1 else 'localidad'} {road}, "
              f"la menos lejana {how_far(far.min(), scenario)} (umbral {scenario.reach_first_level_min:g}); una vuelta toma {len(days)} "
              f"{'días' if len(days) > 1 else 'día'}{slept} y {driven:,.0f} min de traslado {BY_MODE[scenario.mode_teams]}, "
              f"rezago {main_grade(fleet.grades, serves)}")
    mark = hashlib.blake2b(" ".join(sorted(stops)).encode(), digest_size=3).hexdigest()
    return Option(f"{market.kind}-{clues}-{mark}", market.kind, clues, str(fleet.bases.iloc[base]), market.capital_mxn, market.annual_mxn,
                  scenario.umm_people_max, serves, reason, stops=stops, days=days, visits_month=market.visits)


def first_minutes(days: tuple[Day, ...]) -> dict[str, float]:
    """Minutes of travel to each stop since its trip left the base."""
    gone, minutes = 0.0, {}
    for day in days:
        for stop, leg in zip(day.stops, day.legs_min, strict=False):
            gone += leg
            minutes[stop] = gone
        gone = gone if day.night_out else 0.0
    return minutes


def pool(fleet: Fleet, market: Market) -> Option:
    """The relaxed option that stands for all circuits of the market: so many of its reachable stops for each copy."""
    reached = np.asarray(market.reach.sum(axis=0)).ravel() > 0
    rows = market.rows[reached[market.rows["stop"]]].rename(columns={"people": "available"}).assign(minutes=0.0)
    copies = max(int(reached.sum()), math.ceil(rows["available"].sum() / fleet.scenario.umm_people_max))
    return Option(f"{market.kind}-todas", market.kind, "", "", market.capital_mxn, market.annual_mxn, fleet.scenario.umm_people_max,
                  price_serves(rows, np.inf), "", pool_stops=fleet.stops_max(market), copies=copies)
