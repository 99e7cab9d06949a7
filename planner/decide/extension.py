"""Today's circuits extended: what else the same team may visit with what its month has left, at no further cost."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from planner.decide.current import CurrentCircuit, Today
from planner.decide.fleet import first_minutes
from planner.decide.gains import mobile_gain, price_serves
from planner.decide.rounds import RoundRules, plan_round
from planner.decide.say import how_far, main_grade
from planner.model import Access, Day, Option, Region
from planner.settings import Scenario
from planner.words import BY_MODE, people_told

_TRIES = 40  # localities tried in each longer round, best first
_STARTS = 4  # localities that come first in one of them
_KEPT = 6  # longer rounds of a team


@dataclass(frozen=True, eq=False)
class _Team:
    """A circuit whose round can be driven, and the localities that a longer one may reach."""

    circuit: CurrentCircuit
    rules: RoundRules
    most: int  # further stops
    room: float  # further people
    more: pd.Index  # cvegeo of those localities, sorted
    rows: pd.DataFrame  # their tiers: cvegeo, tier, people, gain, stop (position); by cvegeo and tier
    minutes: np.ndarray  # among the base, today's stops and those localities, in that order

    @property
    def worth(self) -> np.ndarray:
        """Gap closed by visiting each locality."""
        return np.bincount(self.rows["stop"], self.rows["people"] * self.rows["gain"], minlength=len(self.more))

    @property
    def crowd(self) -> np.ndarray:
        return np.bincount(self.rows["stop"], self.rows["people"], minlength=len(self.more)).astype(float)

    def round_with(self, added: tuple[int, ...]) -> tuple[Day, ...] | None:
        """A round of today's stops and these."""
        n = len(self.circuit.stops)
        at = np.array([*range(n + 1), *(n + 1 + k for k in added)])
        return plan_round(self.circuit.clues, [*self.circuit.stops, *self.more[list(added)]], self.minutes[np.ix_(at, at)], self.rules)


def wider_circuits(today: Today, candidates: pd.DataFrame, region: Region, access: Access, tiers: pd.DataFrame, scenario: Scenario
                   ) -> tuple[list[Option], list[Option]]:
    """Options of kind `ruta` by id, and for each unit the relaxed one that stands for whatever extension of its circuit one might draw.

    Each option is one of a few longer rounds of one unit, which exclude one another. All of today's stops stay, with no fewer
    visits; an option serves the stops that it adds alone. They are localities where a stop of such a team may be set (`candidates`,
    rules.mobile_candidates) and that the unit neither visits nor answers for; `today` must tell the minutes to them. A unit that
    the scenario forbids has no part in the relaxed option.
    """
    teams = _teams(today, candidates, access, tiers, scenario)
    first = {team.circuit.clues: set(team.more[list(_grown(team, team.worth))]) for team in teams}
    options = [option for team in teams for option in _variants(
        team, set().union(*(stops for clues, stops in first.items() if clues != team.circuit.clues)), region, access, scenario)]
    free = [team for team in teams if team.circuit.clues not in scenario.forbid]
    return sorted(options, key=lambda o: o.id), [_pool(team) for team in free]


def _teams(today: Today, candidates: pd.DataFrame, access: Access, tiers: pd.DataFrame, scenario: Scenario) -> list[_Team]:
    drivable = [c for c in today.circuits if c.days and c.team is not None]
    if not drivable:
        return []
    usual = access.shares[access.shares["kind"] == "movil"]
    teams = []
    for circuit in drivable:
        own = {*circuit.stops, *usual.loc[usual["clues"] == circuit.clues, "cvegeo"]}
        may = candidates.index[candidates[circuit.team].to_numpy(bool) & ~candidates.index.isin(own)]
        team = _team(today, circuit, tiers[tiers["cvegeo"].isin(may)], scenario)
        if team is not None:
            teams.append(team)
    return teams


def _team(today: Today, circuit: CurrentCircuit, rows: pd.DataFrame, scenario: Scenario) -> _Team | None:
    """The team with the localities of these tiers that it may reach; None if it could add none."""
    rules, n = RoundRules.of(circuit.team or "umm", circuit.visits_month, scenario), len(circuit.stops)
    most = min(max(n, scenario.umm_stops_max), rules.days_max * rules.stops_fit) - n
    room = max(scenario.umm_people_max - circuit.people, 0.0)
    rows = rows.assign(gain=mobile_gain(rows, circuit.visits_month, scenario))
    rows = rows[(rows["gain"] > 0) & (rows["people"] > 0)]
    more = pd.Index(sorted(rows["cvegeo"].unique()), dtype="str")
    if most < 1 or room <= 0 or more.empty:
        return None
    minutes = today.minutes(circuit.clues, [*circuit.stops, *more])
    near = _reached(minutes, rules)[n:]
    if not near.any():
        return None
    at = np.concatenate([np.arange(n + 1), n + 1 + np.flatnonzero(near)])
    rows, more = rows[rows["cvegeo"].isin(more[near])], more[near]
    return _Team(circuit, rules, most, room, more, rows.assign(stop=more.get_indexer(pd.Index(rows["cvegeo"]))), minutes[np.ix_(at, at)])


def _reached(minutes: np.ndarray, rules: RoundRules) -> np.ndarray:
    """Bool by stop: lies no more legs from the base, and back to it, than a trip has. No round visits any other."""
    step = minutes[1:, 1:] <= rules.leg_max_min
    seen, home = minutes[0, 1:] <= rules.first_stop_max_min, np.isfinite(minutes[1:, 0])
    for _ in range((rules.nights_max + 1) * rules.stops_fit - 1):
        seen, home = seen | (seen[:, None] & step).any(axis=0), home | (step & home).any(axis=1)
    reached: np.ndarray = seen & home
    return reached


def _variants(team: _Team, others: set[str], region: Region, access: Access, scenario: Scenario) -> list[Option]:
    """Rounds grown by worth and by worth for the time it takes, from several first places; some leave out what `others` visit."""
    worth, n = team.worth, len(team.circuit.stops)
    detour = team.minutes[: n + 1, n + 1 :].min(axis=0) + team.minutes[n + 1 :, : n + 1].min(axis=1)
    tried: dict[tuple[int, ...], float] = {}
    for left in (worth, np.where(team.more.isin(others), 0.0, worth)):
        for rank in (left, left / (team.rules.stop_min + detour)):
            for start in (None, *np.argsort(-rank, kind="stable")[1:_STARTS].tolist()):
                added = _grown(team, rank, start)
                tried[added] = float(worth[list(added)].sum())
    best = sorted((added for added in tried if added), key=lambda added: (-tried[added], added))[:_KEPT]
    rest = worth.copy()
    rest[list(best[0] if best else ())] = 0.0
    rounds = {added: team.round_with(added) for added in dict.fromkeys((*best, _grown(team, rest))) if added}
    made = [_option(team, added, days, region, access, scenario) for added, days in rounds.items() if days is not None]
    return [replace(o, excludes=tuple(sorted({p.id for p in made} - {o.id}))) for o in made if o.weighted > 0]


def _grown(team: _Team, rank: np.ndarray, start: int | None = None) -> tuple[int, ...]:
    """Localities that the round takes in, one by one, best first; one with more people than fit only if it is the first."""
    order = np.argsort(-rank, kind="stable")[:_TRIES]
    if start is not None:
        order = np.concatenate([[start], order[order != start]])
    added: tuple[int, ...] = ()
    load, crowd = 0.0, team.crowd
    for stop in order[rank[order] > 0].tolist():
        if len(added) == team.most:
            break
        if (not added or load + crowd[stop] <= team.room) and team.round_with((*added, stop)) is not None:
            added = (*added, stop)
            load += crowd[stop]
    return tuple(sorted(added))


def _option(team: _Team, added: tuple[int, ...], days: tuple[Day, ...], region: Region, access: Access, scenario: Scenario) -> Option:
    circuit, stops = team.circuit, tuple(stop for day in days for stop in day.stops)
    minutes, new = first_minutes(days), list(team.more[list(added)])
    pairs = team.rows[team.rows["stop"].isin(added)].rename(columns={"people": "available"})
    serves = price_serves(pairs.assign(minutes=pairs["cvegeo"].map(minutes)), team.room)
    driven, n = sum(sum(day.legs_min) for day in days), len(circuit.stops)
    nearest = access.localities.loc[new, "first_level_min"].min()
    reason = (f"el equipo ya está pagado: sin costo nuevo, agrega {len(new)} {'localidad' if len(new) == 1 else 'localidades'} con "
              f"{people_told(serves['people'].sum())}, la menos lejana {how_far(nearest, scenario)} (umbral "
              f"{scenario.reach_first_level_min:g}), y conserva {'su parada' if n == 1 else f'sus {n} paradas'} de hoy con "
              f"{circuit.visits_month:g} {'visita' if circuit.visits_month == 1 else 'visitas'} al mes; una vuelta pasa de "
              f"{len(circuit.days)} a {len(days)} {'día' if len(days) == 1 else 'días'} y de {circuit.driven_min:,.0f} a {driven:,.0f} min "
              f"de traslado {BY_MODE[scenario.mode_teams]}, rezago {main_grade(region.localities['irs_grade'], serves)}")
    mark = hashlib.blake2b(" ".join(sorted(new)).encode(), digest_size=3).hexdigest()
    return Option(f"ruta-{circuit.clues}-{mark}", "ruta", circuit.clues, circuit.name, 0.0, 0.0, team.room, serves, reason, stops=stops,
                  days=days, visits_month=circuit.visits_month)


def _pool(team: _Team) -> Option:
    """Any of the localities that the team may reach, as many as it has room for."""
    rows = team.rows.rename(columns={"people": "available"}).assign(minutes=0.0)
    return Option(f"ruta-{team.circuit.clues}-todas", "ruta", team.circuit.clues, "", 0.0, 0.0, team.room, price_serves(rows, np.inf), "",
                  pool_stops=team.most)
