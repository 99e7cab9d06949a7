"""The grouping of units in zones as arrays: few connected groups, each with a short round, and a bound on how few there can be.

A round is the closed tour of least minutes through all units of a zone, so it may begin at any of them. Zones are grown from the edge
inwards, and then units move or change places between zones while that makes the answer better: fewer zones, then fewer units outside
the network of most of their zone, then fewer minutes. A few units that no neighbour joins to others are grouped exactly.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from planner.decide.regional.kernel import tours

Array = np.ndarray
Zone = frozenset[int]
EXACT_TOUR = 12  # units: larger rounds are the best of insertions and exchanges
EXACT_ZONES = 9  # units of a component: larger ones are searched
_PASSES = 6
_LEAVES = (5.0, 15.0, 40.0)  # tried minutes that each free neighbour counts: places that would be left alone go first
_DEPTH = 1  # zones that pass a unit on in a row
_EPS = 1e-6  # minutes


@dataclass(frozen=True, eq=False)
class Board:
    """Units by position: minutes from row to column (inf: none), neighbours, the network of each (-1: none), and the two limits."""

    minutes: Array
    near: tuple[frozenset[int], ...]
    network: Array
    units_max: int
    round_max_min: float
    rounds: dict[Zone, tuple[float, tuple[int, ...]]] = field(default_factory=dict)  # those already sought

    def round(self, zone: Zone) -> tuple[float, tuple[int, ...]]:
        """Minutes of the zone's round and its order; inf where a leg has no way."""
        if zone not in self.rounds:
            members = sorted(zone)
            told = self.minutes[np.ix_(members, members)]
            minutes, order = best_tour(told) if len(members) <= EXACT_TOUR else _inserted(told)
            self.rounds[zone] = minutes, tuple(members[k] for k in order)
        return self.rounds[zone]

    def connected(self, zone: Zone) -> bool:
        """Whether one can go through the zone from neighbour to neighbour."""
        if not zone:
            return False
        seen, open_ = {min(zone)}, [min(zone)]
        while open_:
            for k in self.near[open_.pop()] & zone - seen:
                seen.add(k)
                open_.append(k)
        return len(seen) == len(zone)

    def fits(self, zone: Zone) -> bool:
        """Whether the zone keeps all limits; a unit alone always does."""
        if len(zone) == 1:
            return True
        return len(zone) <= self.units_max and self.connected(zone) and self.round(zone)[0] <= self.round_max_min + _EPS

    def strays(self, zone: Zone) -> int:
        """Units outside the network of most of the zone."""
        return len(zone) - int(np.unique(self.network[sorted(zone)], return_counts=True)[1].max())

    def worth(self, zones: Iterable[Zone]) -> tuple[int, int, float]:
        """Zones, units outside their zone's network, minutes: the less the better, in this order."""
        told = list(zones)
        return len(told), sum(map(self.strays, told)), sum(self.round(z)[0] for z in told)


def draw(board: Board) -> tuple[list[Zone], int, bool]:
    """Zones sorted by their first unit, a number that no grouping has fewer than, and whether all of it is the very best."""
    zones: list[Zone] = []
    least, exact = 0, True
    for part in parts(board):
        if len(part) <= EXACT_ZONES:
            found = _best_zones(board, part)
            least += len(found)
        else:
            found = _improved(board, _emptied(board, _improved(board, _started(board, part))))
            least += fewest(board, part)
            exact = False
        zones += found
    return sorted(zones, key=min), least, exact


def parts(board: Board) -> list[list[int]]:
    """Units that neighbours join, each part sorted."""
    n = len(board.near)
    rows = [(i, j) for i, some in enumerate(board.near) for j in some]
    at = np.array(rows, int).reshape(-1, 2)
    label = csgraph.connected_components(sparse.csr_matrix((np.ones(len(at)), (at[:, 0], at[:, 1])), (n, n)), directed=False)[1]
    return [np.flatnonzero(label == k).tolist() for k in range(label.max(initial=-1) + 1)]


def fewest(board: Board, part: list[int]) -> int:
    """A number of zones that no grouping of these units is below: by their count, by minutes, and by units that none can share.

    Each unit of a round is reached by a leg no shorter than its shortest; units alone have none.
    """
    told = board.minutes[np.ix_(part, part)] + np.diag(np.full(len(part), np.inf))
    legs = np.sort(told.min(axis=0))
    whole = np.concatenate([[0.0], np.cumsum(legs)])  # the legs of all but so many of the largest
    n = len(part)

    def enough(zones: int) -> bool:
        return any(n - alone <= (zones - alone) * board.units_max and whole[n - alone] <= (zones - alone) * board.round_max_min + _EPS
                   for alone in range(min(zones, n) + 1))

    by_count = next(k for k in range(1, n + 1) if enough(k))
    apart: list[int] = []
    for k in np.argsort(-legs_out(told), kind="stable"):
        if all(told[k, j] + told[j, k] > board.round_max_min + _EPS for j in apart):
            apart.append(int(k))
    return max(by_count, len(apart))


def legs_out(told: Array) -> Array:
    """How far each unit lies from its nearest, both ways; inf where it has none."""
    both: Array = (told + told.T).min(axis=1)
    return both


def best_tour(minutes: Array) -> tuple[float, list[int]]:
    """The closed tour of least minutes through all places and its order from the first (Held and Karp 1962); exact."""
    n = len(minutes) - 1
    if n < 1:
        return 0.0, [0]
    told, reached = minutes[1:, 1:], tours(np.ascontiguousarray(minutes, float))
    ends = reached[-1] + minutes[1:, 0]
    at, last, order = (1 << n) - 1, int(ends.argmin()), []
    total = float(ends[last])
    if not np.isfinite(total):
        return np.inf, list(range(n + 1))
    while True:
        order.append(last + 1)
        at ^= 1 << last
        if not at:
            return total, [0, *order[::-1]]
        last = int((reached[at] + told[:, last]).argmin())


def _inserted(minutes: Array) -> tuple[float, list[int]]:
    """A short closed tour: places inserted where they add least, then taken out and put back while that shortens it."""
    order = [0]
    for k in range(1, len(minutes)):
        order = _put(minutes, order, k)
    length = _length(minutes, order)
    better = True
    while better and np.isfinite(length):
        better = False
        for k in range(1, len(minutes)):
            tried = _put(minutes, [j for j in order if j != k], k)
            if _length(minutes, tried) < length - _EPS:
                order, length, better = tried, _length(minutes, tried), True
    return length, order


def _put(minutes: Array, order: list[int], k: int) -> list[int]:
    tries = [[*order[: i + 1], k, *order[i + 1:]] for i in range(len(order))]
    return min(tries, key=lambda tried: _length(minutes, tried))


def _length(minutes: Array, order: list[int]) -> float:
    return float(minutes[order, np.roll(order, -1)].sum()) if len(order) > 1 else 0.0


def _best_zones(board: Board, part: list[int]) -> list[Zone]:
    """The very best grouping of few units, over all of them."""
    n = len(part)
    sets = [frozenset(part[k] for k in range(n) if mask >> k & 1) for mask in range(1 << n)]
    able = [mask for mask in range(1, 1 << n) if board.fits(sets[mask])]
    best: list[tuple[tuple[int, int, float], tuple[int, ...]] | None] = [((0, 0, 0.0), ())] + [None] * ((1 << n) - 1)
    cost = {mask: (1, board.strays(sets[mask]), board.round(sets[mask])[0]) for mask in able}
    by_first = [[mask for mask in able if mask & -mask == 1 << k] for k in range(n)]
    for mask in range(1, 1 << n):
        first = (mask & -mask).bit_length() - 1
        tries = []
        for zone in by_first[first]:
            rest = best[mask ^ zone] if zone & mask == zone else None
            if rest is not None:
                (a, b, c), (d, e, f) = rest[0], cost[zone]
                tries.append(((a + d, b + e, round(c + f, 6)), (*rest[1], zone)))
        best[mask] = min(tries, default=None)
    found = best[-1]
    return [sets[mask] for mask in found[1]] if found else []


def _started(board: Board, part: list[int]) -> list[Zone]:
    """Zones grown one by one from the unit with fewest free neighbours, adding those with few and near; the best of some weights."""
    both = board.minutes + board.minutes.T
    apart = {k: float(both[k, part][np.isfinite(both[k, part])].sum()) for k in part}
    return min((_grown(board, part, both, apart, weight) for weight in _LEAVES), key=board.worth)


def _grown(board: Board, part: list[int], both: Array, apart: dict[int, float], weight: float) -> list[Zone]:
    free, zones = set(part), []
    while free:
        seed = min(free, key=lambda k: (len(board.near[k] & free), -apart[k], k))
        zone, beside = {seed}, set(board.near[seed] & free)
        free.discard(seed)
        while beside and len(zone) < board.units_max:
            reach = {j: (min(both[i, j] for i in zone) + weight * len(board.near[j] & free), j) for j in beside}
            taken = next((j for j in sorted(beside, key=reach.__getitem__) if board.fits(frozenset(zone | {j}))), None)
            if taken is None:
                break
            zone.add(taken)
            free.discard(taken)
            beside = {j for i in zone for j in board.near[i]} & free
        zones.append(frozenset(zone))
    return zones


def _emptied(board: Board, zones: list[Zone]) -> list[Zone]:
    """The zones with those emptied whose units others can take, smallest first; a zone that is full may pass one of its own on."""
    changed = True
    while changed:
        changed = False
        for zone in sorted(zones, key=lambda z: (len(z), min(z))):
            fewer = _without(board, zones, zone)
            if fewer is not None:
                zones, changed = fewer, True
                break
    return zones


def _without(board: Board, zones: list[Zone], gone: Zone) -> list[Zone] | None:
    kept = [z for z in zones if z != gone]
    left = set(gone)
    while left:
        for unit in sorted(left):
            moved = _taken(board, kept, unit, _DEPTH, frozenset())
            if moved is not None:
                kept = moved
                left.remove(unit)
                break
        else:
            return None
    return kept


def _taken(board: Board, zones: list[Zone], unit: int, depth: int, barred: frozenset[int]) -> list[Zone] | None:
    """The zones once one of them has taken the unit, passing on another of its own where it must."""
    beside = [(len(z), min(z), k) for k, z in enumerate(zones) if k not in barred and board.near[unit] & z]
    for _, _, k in sorted(beside):
        if board.fits(zones[k] | {unit}):
            return [*zones[:k], zones[k] | {unit}, *zones[k + 1:]]
    if depth:
        for _, _, k in sorted(beside):
            for other in sorted(zones[k]):
                swapped = zones[k] - {other} | {unit}
                if any(board.near[other] & z for j, z in enumerate(zones) if j != k) and board.fits(swapped):
                    found = _taken(board, [*zones[:k], swapped, *zones[k + 1:]], other, depth - 1, barred | {k})
                    if found is not None:
                        return found
    return None


def _improved(board: Board, zones: list[Zone]) -> list[Zone]:
    """The zones after moves and exchanges of single units between neighbours, as long as they better the answer."""
    told = sorted(zones, key=min)
    for _ in range(_PASSES):
        before = board.worth(told)
        for a, b in combinations(range(len(told)), 2):
            if any(board.near[i] & told[b] for i in told[a]):
                told[a], told[b] = min(((x, y) for x, y in _pairs(board, told[a], told[b])), key=lambda p: _key(board, p))
        told = [z for z in told if z]
        if board.worth(told) >= before:
            break
    return told


def _key(board: Board, pair: tuple[Zone, Zone]) -> tuple[int, int, float]:
    some = [z for z in pair if z]
    zones, strays, minutes = board.worth(some)
    return zones, strays, round(minutes, 6)


def _pairs(board: Board, a: Zone, b: Zone) -> Iterator[tuple[Zone, Zone]]:
    """Both zones as they are, and with one unit moved, or one of each exchanged."""
    yield a, b
    here = sorted(i for i in a if board.near[i] & b)
    there = sorted(j for j in b if board.near[j] & a)
    tries = [*((a - {i}, b | {i}) for i in here), *((a | {j}, b - {j}) for j in there),
             *((a - {i} | {j}, b - {j} | {i}) for i in here for j in there)]
    for x, y in tries:
        if all(not z or board.fits(z) for z in (x, y)):
            yield x, y
