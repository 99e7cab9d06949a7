"""Which localities one team visits: circuits that compete as options, and circuits drawn for what a relaxed plan wants.

A first series shares the stops out greedily, so that whatever can have a circuit has one. When money is set, the selection first
chooses with all circuits of a kind pooled; `draw` then shares the stops which that plan wants out among real bases, as one
small mixed-integer program: most gap closed, so many stops and people a team, each stop once.
"""

from __future__ import annotations

import heapq

import numpy as np
from scipy import sparse

from planner.decide.fleet import Fleet, Market, circuit, pool
from planner.decide.solver import Problem, solve
from planner.model import Option

_NODES = 5
_LINKS = 6  # ways on to a stop that are offered
_NOTHING = 1e-6


def first_circuits(fleet: Fleet) -> list[Option]:
    """Circuits by what they close of what no earlier one visits; a second series fills up those of the places left over."""
    return _distinct(circuit(fleet, market, stops) for market in fleet.markets for stops in _series(fleet, market))


def pools(fleet: Fleet) -> list[Option]:
    """One relaxed option for each kind of team that has stops."""
    return [pool(fleet, market) for market in fleet.markets if market.reach.nnz]


def draw(fleet: Fleet, teams: dict[str, int], left: np.ndarray) -> list[Option]:
    """Circuits for so many teams of each kind, where `left` people of each tier (number of the row in people_tiers) wait.

    Each kind's teams are placed at bases and each stop is given to one of them, for most gap closed.
    """
    wanted = [(market, teams[market.kind]) for market in fleet.markets if teams.get(market.kind, 0) > 0]
    if not wanted:
        return []
    sets = [(market, base) for market, _ in wanted for base in _widest(market)]
    problem, stops_of = _placing(fleet, wanted, sets, left)
    answer = solve(problem, nodes=_NODES)
    if not answer.feasible:
        return []
    made = []
    for (market, base), (z, columns, members) in zip(sets, stops_of, strict=True):
        part = dict(zip(members.tolist(), answer.x[columns].tolist(), strict=True))
        given = {stop: share for stop, share in part.items() if share > _NOTHING}
        made += [circuit(fleet, market, team) for team in _shared_out(fleet, market, base, given, int(np.rint(answer.x[z])))]
    return _distinct(made)


def _distinct(made: object) -> list[Option]:
    return sorted({o.id: o for o in made if o is not None and o.weighted > 0}.values(), key=lambda o: o.id)  # type: ignore[attr-defined]


def _widest(market: Market) -> list[int]:
    """Bases that together reach all there is: of those alike the first, without those whose stops another base reaches too and more."""
    reach = market.usual
    reach.sort_indices()
    first: dict[tuple[int, ...], int] = {}
    for base, (a, b) in enumerate(zip(reach.indptr[:-1], reach.indptr[1:], strict=True)):
        if b > a:
            first.setdefault(tuple(reach.indices[a:b].tolist()), base)
    bases = np.array(sorted(first.values()), int)
    table = reach[bases].astype(float)
    size = np.asarray(table.sum(axis=1)).ravel()
    within = (table @ table.T).tocoo()
    inside = (within.data == size[within.row]) & (size[within.col] > size[within.row])
    return [int(b) for b in np.delete(bases, np.unique(within.row[inside]))]


def _members(market: Market, base: int) -> np.ndarray:
    return np.sort(market.usual.indices[market.usual.indptr[base] : market.usual.indptr[base + 1]])


def _placing(fleet: Fleet, wanted: list[tuple[Market, int]], sets: list[tuple[Market, int]], left: np.ndarray
             ) -> tuple[Problem, list[tuple[int, np.ndarray, np.ndarray]]]:
    """Teams (whole) by set of bases and stops by set, as a program; for each set its column, its stops' columns and the stops."""
    gain, most, whole, stops_of = [], [], [], []
    entries: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    upper: list[float] = []
    visits: dict[str, list[int]] = {}
    values = {m.kind: _waiting(m, left) for m, _ in wanted}

    def row(columns: np.ndarray, data: np.ndarray, limit: float) -> None:
        entries.append((np.full(len(columns), len(upper)), columns, data))
        upper.append(limit)

    for market, base in sets:
        worth, crowd = values[market.kind]
        members = _members(market, base)
        z, columns = len(gain), len(gain) + 1 + np.arange(len(members))
        gain += [0.0, *worth[members]]
        most += [float(dict((m.kind, n) for m, n in wanted)[market.kind]), *np.ones(len(members))]
        whole += [True, *([False] * len(members))]
        stops_of.append((z, columns, members))
        for column, stop in zip(columns, members, strict=True):
            visits.setdefault(str(market.stops[stop]), []).append(int(column))
        full = fleet.scenario.umm_people_max
        row(np.append(columns, z), np.append(np.ones(len(columns)), -fleet.stops_max(market)), 0.0)
        row(np.append(columns, z), np.append(np.minimum(crowd[members], full), -full), 0.0)
        for stop, links in _linked(market, base, members).items():  # whoever goes beyond the first stops passes one of them
            row(columns[[stop, *links]], np.append(1.0, -np.ones(len(links))), 0.0)
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


def _linked(market: Market, base: int, members: np.ndarray) -> dict[int, list[int]]:
    """For each member that is no first stop: the nearest first stops from which a team goes on to it (positions in `members`)."""
    first = market.direct(base)
    place = {int(stop): k for k, stop in enumerate(members)}
    return {place[int(stop)]: [place[int(i)] for i in market.links(int(stop)) if first[i] and int(i) in place][:_LINKS]
            for stop in members[~first[members]]}


def _shared_out(fleet: Fleet, market: Market, base: int, given: dict[int, float], teams: int) -> list[list[int]]:
    """The stops given to one set of bases shared out among its teams, as many people each as fit.

    What lies beyond a first stop goes with it. Stops given in parts come last, for they may find no team with room.
    """
    if teams <= 0:
        return []
    crowd, most, first = market.people, fleet.stops_max(market), market.direct(base)
    groups: list[list[int]] = [[] for _ in range(teams)]
    load = np.zeros(teams)
    for stop in sorted(given, key=lambda s: (given[s] < 1 - _NOTHING, bool(first[s]), -crowd[s], s)):
        through = [] if first[stop] else [int(i) for i in market.links(stop) if first[i] and i in given][:1]
        party = [s for s in (*through, stop) if not any(s in g for g in groups)]
        more = float(crowd[party].sum())
        with_link = [k for k in range(teams) if set(through) & set(groups[k])]
        room = [k for k in with_link or range(teams) if len(groups[k]) + len(party) <= most
                and (not groups[k] or load[k] + more <= fleet.scenario.umm_people_max)]
        if party and room:
            k = min(room, key=lambda t: (load[t], t))
            groups[k] += party
            load[k] += more
    return [sorted(g) for g in groups if g]


def _series(fleet: Fleet, market: Market) -> list[np.ndarray]:
    """Stops of circuits by what they close of what no earlier one visits; localities already visited only fill up the second series."""
    people, weighted = market.people, market.weighted
    bases = _widest(market)
    reach = [_members(market, base) for base in bases]
    free = np.ones(len(people), bool)
    series: list[np.ndarray] = []

    def best(k: int, filled: bool) -> tuple[np.ndarray, float]:
        members = reach[k] if filled else reach[k][free[reach[k]]]
        chosen = _fullest(fleet, market, bases[k], members, free)
        return chosen, -float(weighted[chosen[free[chosen]]].sum())

    for filled in (False, True):
        queue = [(best(k, filled)[1], k) for k in range(len(reach))]
        heapq.heapify(queue)
        while queue:
            _, k = heapq.heappop(queue)
            chosen, value = best(k, filled)  # what was believed may have been taken by others
            if value < 0 and queue and (value, k) > queue[0]:
                heapq.heappush(queue, (value, k))
            elif value < 0:
                series.append(chosen)
                free[chosen] = False
                heapq.heappush(queue, (best(k, filled)[1], k))
    return series


def _fullest(fleet: Fleet, market: Market, base: int, members: np.ndarray, free: np.ndarray) -> np.ndarray:
    """One base's stops, free ones first, by gap or by gap per person, whichever closes more; none if too few people.

    A locality larger than the limit of people is visited alone, as far as the capacity goes.
    """
    people, weighted, first = market.people, market.weighted, market.direct(base)
    tries = []
    for worth in (weighted, weighted / np.maximum(people, 1e-9)):
        chosen: list[int] = []
        load = 0.0
        for i in members[np.lexsort((-worth[members], ~free[members]))].tolist():
            links = [] if first[i] else [int(j) for j in market.links(i) if first[j]]
            party = [i] if first[i] or set(links) & set(chosen) else [*links[:1], i]
            more = float(people[party].sum())
            if i not in chosen and len(chosen) + len(party) <= fleet.stops_max(market) and (
                    not chosen or load + more <= fleet.scenario.umm_people_max):
                chosen += party
                load += more
        if load >= fleet.scenario.mobile_people_min:
            tries.append(np.array(sorted(chosen)))
    return max(tries, key=lambda c: float(weighted[c[free[c]]].sum()), default=np.array([], int))
