"""Which localities one team visits: circuits that compete as options, and circuits drawn for what a relaxed plan wants.

A first series shares the stops out greedily, so that whatever can have a circuit has one. When money is set, the selection first
chooses with all circuits of a kind pooled; `draw` then places the teams which that plan buys at real bases, as one small
mixed-integer program (most gap closed, so many stops and people a team, each stop once), and each team then takes the best of
what the others leave, places beyond the first stops of its base included.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping

import numpy as np
from scipy import sparse

from planner.decide.fleet import Fleet, Market, circuit, members, pool
from planner.decide.solver import Problem, solve
from planner.decide.team import best_stops
from planner.kinds import Kind
from planner.model import Option

_STARTS = 3  # first stops from which a team of the first series grows
_SPARE = 2.0  # stops looked at for each stop that is wanted
_NODES = 5
_NOTHING = 1e-6
_SWEEPS = 4  # times that every team chooses anew

Team = tuple[Market, int, list[int]]  # base and stops, positions in the market


def first_circuits(fleet: Fleet) -> list[Option]:
    """Circuits by what they close of what no earlier one visits; a second series fills up those of the places left over."""
    return _distinct(fleet, (circuit(fleet, market, stops) for market in fleet.markets for stops in _series(fleet, market)))


def pools(fleet: Fleet) -> list[Option]:
    """One relaxed option for each kind of team that has stops."""
    return [pool(fleet, market) for market in fleet.markets if market.reach.nnz]


def draw(fleet: Fleet, teams: dict[str, int], left: np.ndarray) -> list[Option]:
    """Circuits for so many teams of each kind, where `left` people of each tier (number of the row in people_tiers) wait.

    Each kind's teams are placed at bases and each first stop is given to one of them, for most gap closed; then each team chooses
    anew of what the others leave.
    """
    wanted = [(market, teams[market.kind]) for market in fleet.markets if teams.get(market.kind, 0) > 0]
    if not wanted:
        return []
    sets = [(market, base) for market, _ in wanted for base in _widest(market.minutes)]
    if not sets:
        return []
    worth = {market.kind: _waiting(market, left) for market, _ in wanted}
    problem, stops_of = _placing(fleet, wanted, sets, worth)
    answer = solve(problem, nodes=_NODES)
    if not answer.feasible:
        return []
    placed: list[Team] = []
    visited: set[str] = set()
    for (market, base), (z, columns, near) in zip(sets, stops_of, strict=True):
        given = {int(s): float(y) for s, y in zip(near, answer.x[columns], strict=True) if y > _NOTHING}
        for group in _shared_out(fleet, market, given, int(np.rint(answer.x[z]))):
            placed.append((market, base, [s for s in group if str(market.stops[s]) not in visited]))  # one in parts may be in two groups
            visited |= {str(market.stops[s]) for s in group}
    return _distinct(fleet, (circuit(fleet, market, stops)
                             for (market, _, _), stops in zip(placed, _bettered(fleet, placed, worth), strict=True)))


def _distinct(fleet: Fleet, made: Iterable[Option | None]) -> list[Option]:
    """The circuits that visit enough people, once each, by id."""
    enough = [o for o in made if o is not None and o.weighted > 0 and o.serves["available"].sum() >= fleet.scenario.mobile_people_min]
    return sorted({o.id: o for o in enough}.values(), key=lambda o: o.id)


def _widest(reach: sparse.csr_matrix) -> list[int]:
    """Bases that together reach all there is: of those alike the first, without those whose stops another base reaches too and more."""
    first: dict[tuple[int, ...], int] = {}
    for base in range(reach.shape[0]):
        stops = members(reach, base)
        if len(stops):
            first.setdefault(tuple(stops.tolist()), base)
    bases = np.array(sorted(first.values()), int)
    table = (reach[bases] > 0).astype(float)
    size = np.asarray(table.sum(axis=1)).ravel()
    within = (table @ table.T).tocoo()
    inside = (within.data == size[within.row]) & (size[within.col] > size[within.row])
    return [int(b) for b in np.delete(bases, np.unique(within.row[inside]))]


def _placing(fleet: Fleet, wanted: list[tuple[Market, int]], sets: list[tuple[Market, int]],
             worth_of: Mapping[Kind, tuple[np.ndarray, np.ndarray]]) -> tuple[Problem, list[tuple[int, np.ndarray, np.ndarray]]]:
    """Teams (whole) by set of bases and stops by set, as a program; for each set its column, its stops' columns and the stops."""
    gain: list[float] = []
    most: list[float] = []
    whole: list[bool] = []
    stops_of: list[tuple[int, np.ndarray, np.ndarray]] = []
    teams = {market.kind: float(n) for market, n in wanted}
    entries: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    upper: list[float] = []
    visits: dict[str, list[int]] = {}
    asked = {m.kind: _most_wanted(worth_of[m.kind][0], int(_SPARE * n * fleet.stops_max(m))) for m, n in wanted}

    def row(columns: np.ndarray, data: np.ndarray, limit: float) -> None:
        entries.append((np.full(len(columns), len(upper)), columns, data))
        upper.append(limit)

    for market, base in sets:
        worth, crowd = worth_of[market.kind]
        stops = members(market.minutes, base)
        stops = stops[asked[market.kind][stops]]
        z, columns = len(gain), len(gain) + 1 + np.arange(len(stops))
        gain += [0.0, *worth[stops]]
        most += [teams[market.kind], *np.ones(len(stops))]
        whole += [True, *([False] * len(stops))]
        stops_of.append((z, columns, stops))
        for column, stop in zip(columns, stops, strict=True):
            visits.setdefault(str(market.stops[stop]), []).append(int(column))
        full = fleet.scenario.umm_people_max
        row(np.append(columns, z), np.append(np.ones(len(columns)), -fleet.stops_max(market)), 0.0)
        row(np.append(columns, z), np.append(np.minimum(crowd[stops], full), -full), 0.0)
    for market, count in wanted:
        at = np.array([s[0] for s, (m, _) in zip(stops_of, sets, strict=True) if m is market], int)
        row(at, np.ones(len(at)), float(count))
    for columns_ in visits.values():
        row(np.array(columns_), np.ones(len(columns_)), 1.0)
    rows, columns, data = (np.concatenate(part) for part in zip(*entries, strict=True))
    matrix = sparse.csc_matrix((data, (rows, columns)), (len(upper), len(gain)))
    return Problem(matrix, np.full(len(upper), -np.inf), np.array(upper), np.array(gain), np.array(most), np.array(whole)), stops_of


def _waiting(market: Market, left: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Gap that visiting each stop would close for the people who wait, and those people."""
    people = np.maximum(left[market.rows.index], 0.0)
    count = len(market.stops)
    return (np.bincount(market.rows["stop"], people * market.rows["gain"], minlength=count),
            np.bincount(market.rows["stop"], people, minlength=count))


def _most_wanted(worth: np.ndarray, count: int) -> np.ndarray:
    """Bool by stop: the so many that are worth most, and anything at all."""
    kept = np.zeros(len(worth), bool)
    kept[np.argsort(-worth, kind="stable")[:count]] = True
    return kept & (worth > _NOTHING)


def _shared_out(fleet: Fleet, market: Market, given: dict[int, float], teams: int) -> list[list[int]]:
    """The stops given to one base shared out among its teams, as many people each as fit.

    Stops given in parts come last, for they may find no team with room.
    """
    crowd, most = market.people, fleet.stops_max(market)
    groups: list[list[int]] = [[] for _ in range(max(teams, 0))]
    load = np.zeros(len(groups))
    for stop in sorted(given, key=lambda s: (given[s] < 1 - _NOTHING, -crowd[s], s)):
        room = [k for k, group in enumerate(groups)
                if len(group) < most and (not group or load[k] + crowd[stop] <= fleet.scenario.umm_people_max)]
        if room:
            k = min(room, key=lambda t: (load[t], t))
            groups[k].append(stop)
            load[k] += crowd[stop]
    return groups


def _bettered(fleet: Fleet, teams: list[Team], worth: Mapping[Kind, tuple[np.ndarray, np.ndarray]]) -> list[list[int]]:
    """The stops of each team, chosen anew one team after the other from what the rest leave, wherever that is worth more."""
    parts = [_parts(fleet, stops, *worth[market.kind]) for market, _, stops in teams]
    taken: dict[str, float] = {}

    def count(k: int, sign: float) -> None:
        for stop, part in parts[k].items():
            name = str(teams[k][0].stops[stop])
            taken[name] = taken.get(name, 0.0) + sign * part

    for k in range(len(teams)):
        count(k, 1.0)
    for _ in range(_SWEEPS):
        for k, (market, base, _stops) in enumerate(teams):
            count(k, -1.0)
            free = np.array([min(max(1.0 - taken.get(str(name), 0.0), 0.0), 1.0) for name in market.stops])
            all_of, crowd = worth[market.kind]
            parts[k] = max((_parts(fleet, stops, all_of * free, crowd * free)
                            for stops in (list(parts[k]), best_stops(fleet, market, base, all_of * free, crowd * free))),
                           key=lambda part: sum(all_of[s] * free[s] * share for s, share in part.items()))
            parts[k] = {stop: share * float(free[stop]) for stop, share in parts[k].items()}
            count(k, 1.0)
    return [sorted(part) for part in parts]


def _parts(fleet: Fleet, stops: list[int], worth: np.ndarray, crowd: np.ndarray) -> dict[int, float]:
    """The part of each stop's people for whom a team has room, those worth most first."""
    room, parts = fleet.scenario.umm_people_max, {}
    for stop in sorted(stops, key=lambda s: (-worth[s] / max(crowd[s], _NOTHING), s)):
        parts[stop] = min(1.0, room / max(crowd[stop], _NOTHING))
        room = max(room - parts[stop] * float(crowd[stop]), 0.0)
    return parts


def _team(fleet: Fleet, market: Market, base: int, worth: np.ndarray, opening: np.ndarray) -> tuple[int, ...]:
    """Stops of one team of the base: the best of several that grow from a first stop (or none), best stop next.

    Best is what is worth most, or most per person, of the base's first stops and of those one leg beyond a stop that is there.
    `opening` tells of each stop what lies one leg beyond it.
    """
    first, usual = market.direct(base), members(market.usual, base)
    here = np.zeros(len(worth), bool)
    here[usual] = worth[usual] > 0
    starts = np.flatnonzero(first & (opening + worth > 0))
    starts = starts[np.argsort(-(opening + worth)[starts], kind="stable")][:_STARTS]
    tries: list[tuple[int, ...]] = [()]
    for rank in (worth, worth / np.maximum(market.people, 1e-9)):
        tries += [_grown(fleet, market, np.where(here, rank, 0.0), first, start) for start in ([], *([s] for s in starts.tolist()))]
    return max(tries, key=lambda stops: float(worth[list(stops)].sum()))


def _grown(fleet: Fleet, market: Market, rank: np.ndarray, first: np.ndarray, start: list[int]) -> tuple[int, ...]:
    """A locality larger than the limit of people is visited alone, as far as the capacity goes."""
    crowd, full = market.people, fleet.scenario.umm_people_max
    chosen, load, open_ = list(start), float(crowd[start].sum()), first.copy()
    rank = rank.copy()
    rank[start] = 0.0
    for stop in start:
        open_[market.onward(stop)] = True
    while len(chosen) < fleet.stops_max(market):
        worth = np.where(open_ & ((load + crowd <= full) | (not chosen)), rank, 0.0)
        best = int(np.argmax(worth))
        if worth[best] <= 0:
            break
        chosen.append(best)
        load += crowd[best]
        rank[best] = 0.0
        open_[market.onward(best)] = True
    return tuple(sorted(chosen))


def _opening(fleet: Fleet, market: Market, worth: np.ndarray) -> np.ndarray:
    """What the best stops one leg beyond each stop are worth, as many as a team may visit besides."""
    most = fleet.stops_max(market) - 1
    if not fleet.rules(market).nights_max or most < 1:
        return np.zeros(len(worth))
    beyond = [np.maximum(worth[market.onward(stop)], 0.0) for stop in range(len(worth))]
    return np.array([np.sort(b)[-most:].sum() if len(b) else 0.0 for b in beyond])


def _series(fleet: Fleet, market: Market) -> list[tuple[int, ...]]:
    """Teams by what they are worth beyond all earlier ones; a second series fills up those that alone would visit too few people."""
    crowd, worth = market.people, market.weighted
    free = np.ones(len(worth), bool)
    series: list[tuple[int, ...]] = []
    bases, opening = _widest(market.usual), _opening(fleet, market, worth)

    def best(base: int, filled: bool) -> tuple[tuple[int, ...], float]:
        left = np.where(free, worth, 1e-6 * worth if filled else 0.0)
        stops = _team(fleet, market, base, left, opening)
        enough = crowd[list(stops)].sum() >= fleet.scenario.mobile_people_min
        return stops, -float((worth * free)[list(stops)].sum()) if enough else 0.0

    for filled in (False, True):
        queue = [(best(base, filled)[1], base) for base in bases]
        heapq.heapify(queue)
        while queue:
            _, base = heapq.heappop(queue)
            stops, value = best(base, filled)  # what was believed may have been taken by others
            if value < -_NOTHING and queue and (value, base) > queue[0]:
                heapq.heappush(queue, (value, base))
            elif value < -_NOTHING:
                series.append(stops)
                free[list(stops)] = False
                heapq.heappush(queue, (best(base, filled)[1], base))
    return series
