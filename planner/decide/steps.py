"""What rounds are cut from: tables of days, trips and what they leave visited, over the subsets of few stops or along one order.

A cover is what the trips so far have visited; a trip is a set of stops; a state is a trip not yet ended and the stop where the
team sleeps. Tables depend on numbers of stops only and are made once; legs give their prices.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import combinations

import numpy as np

Array = np.ndarray
TICKS = 1e6  # of a minute: travel is told to the millionth


@dataclass(frozen=True, eq=False)
class Legs:
    """Ticks between base (0) and stops: `going` to a stop, inf where no team may go so; `home` back to the base."""

    going: Array  # (n + 1, n + 1)
    home: Array  # (n + 1)
    stay: float
    shift: float

    @classmethod
    def of(cls, minutes: Array, limits_min: tuple[float, float], stop_min: float, shift_min: float) -> Legs:
        """From minutes, row to column; `limits_min` of the leg to the first stop and of those between stops."""
        ticks = np.rint(minutes * TICKS)
        first, between = (np.rint(limit * TICKS) for limit in limits_min)
        going = ticks.copy()
        going[0, ticks[0] > first] = np.inf
        going[1:][ticks[1:] > between] = np.inf
        going[:, 0] = np.inf
        np.fill_diagonal(going, np.inf)
        home = ticks[:, 0].copy()
        home[0] = np.inf
        return cls(going, home, float(np.rint(stop_min * TICKS)), float(np.rint(shift_min * TICKS)))


@dataclass(frozen=True, eq=False)
class Steps:
    """Rows source -> target by a priced move, sorted by target; `first` is the first row of each of `targets`."""

    source: Array
    move: Array
    targets: Array
    first: Array

    @classmethod
    def of(cls, source: Array, move: Array, target: Array) -> Steps:
        by = np.lexsort((move, source, target))
        targets, first = np.unique(target[by], return_index=True)
        return cls(source[by], move[by], targets, first)

    def into(self, values: Array, prices: Array, size: int) -> Array:
        """The least value + price into each of `size` targets; inf where no row leads."""
        out = np.full(size, np.inf)
        if self.source.size:
            out[self.targets] = np.minimum.reduceat(values[self.source] + prices[self.move], self.first)
        return out

    def best(self, values: Array, prices: Array, target: int) -> tuple[float, int, int]:
        """The least value + price into one target, its source and its move (ties: the lowest of both); inf if no row leads there."""
        k = int(np.searchsorted(self.targets, target))
        if k == len(self.targets) or self.targets[k] != target:
            return np.inf, -1, -1
        rows = slice(self.first[k], self.first[k + 1] if k + 1 < len(self.first) else None)
        reached = values[self.source[rows]] + prices[self.move[rows]]
        row = int(reached.argmin())
        return float(reached[row]), int(self.source[rows][row]), int(self.move[rows][row])


def _steps(rows: list[tuple[Array, Array, Array]]) -> Steps:
    none = np.empty(0, np.int64)
    columns = [np.concatenate([none, *part]).astype(np.int64) for part in zip(*rows, strict=True)] if rows else [none] * 3
    return Steps.of(*columns)


@dataclass(frozen=True, eq=False)
class Tables:
    """Sizes and steps: of the first day from the base, of later days, ending out or at home; of trips that extend a cover."""

    states: int
    trips: int
    covers: int  # the last one is all the stops
    out_first: Steps  # 0 -> state
    home_first: Steps  # 0 -> trip
    out: Steps  # state -> state
    home: Steps  # state -> trip
    joins: tuple[Steps, ...]  # cover -> cover by a trip, one after another: each combination of trips once
    pairs: Callable[[], Steps]  # cover -> cover by a trip: every order of trips in time


@dataclass(frozen=True, eq=False)
class Space:
    """Tables, the prices (ticks of travel) of days that end out and at home by move, and what the ids mean."""

    tables: Tables
    out: Array
    home: Array
    stops: Callable[[int], tuple[int, ...]]  # of a trip
    asleep: Callable[[int], tuple[int, int]]  # of a state: the trip so far, and the stop where the team sleeps


def subset_space(n: int, day: int, nights: int, legs: Legs) -> Space:
    """All rounds of n stops, at most `day` stops a day: trips and covers are bits."""
    days = _day_sets(n, day)
    sets, sizes = len(days.masks), days.sizes[None, :]
    spent = np.full((n + 1, sets, n), np.inf)  # from a place through a day's stops to the last of them
    spent[:, np.arange(n), np.arange(n)] = legs.going[:, 1:]
    for of, last, before in days.longer:
        spent[:, of, last] = (spent[:, before, :] + legs.going[1:, 1:][:, last].T).min(axis=2)
    out = np.where(spent + (sizes * legs.stay)[:, :, None] <= legs.shift, spent, np.inf)
    back = np.empty((n + 1, sets + 1))
    back[:, :sets] = (spent + legs.home[1:]).min(axis=2)
    back[:, sets] = legs.home
    stays = np.append(days.sizes, 0) * legs.stay
    home = np.where(back + stays <= legs.shift, back, np.inf)

    def stops(trip: int) -> tuple[int, ...]:
        return tuple(k + 1 for k in range(n) if trip >> k & 1)

    return Space(_subset_tables(n, day, nights), out.ravel(), home.ravel(), stops, lambda state: (state // n, state % n + 1))


def order_space(order: Sequence[int], day: int, nights: int, legs: Legs) -> Space:
    """All rounds that visit the stops in this order: trip p (n + 1) + q visits those from place p of the order up to q."""
    n = len(order)
    out = np.full((2, n + 1, day + 1), np.inf)  # from the base or the stop before; next place; stops of the day
    home = np.full((2, n + 1, day + 1), np.inf)
    for slept in (0, 1):
        for p in range(slept, n + 1):
            here, spent = (order[p - 1] if slept else 0), 0.0
            for k in range(min(day, n - p) + 1):
                if k:
                    spent += legs.going[here, order[p + k - 1]]
                    here = order[p + k - 1]
                out[slept, p, k] = spent if spent + k * legs.stay <= legs.shift else np.inf
                back = spent + legs.home[here]
                home[slept, p, k] = back if back + k * legs.stay <= legs.shift else np.inf
    return Space(_order_tables(n, day, nights), out.ravel(), home.ravel(),
                 lambda trip: tuple(order[trip // (n + 1):trip % (n + 1)]), lambda state: (state, order[state % (n + 1) - 1]))


@dataclass(frozen=True, eq=False)
class _Days:
    masks: list[int]  # sets of a day's stops, the single ones first
    sizes: Array
    longer: list[tuple[Array, Array, Array]]  # by size from two: the set, its last stop, the set without it


@lru_cache(maxsize=64)
def _day_sets(n: int, day: int) -> _Days:
    members = [c for size in range(1, min(day, n) + 1) for c in combinations(range(n), size)]
    masks = [sum(1 << k for k in c) for c in members]
    at = {mask: q for q, mask in enumerate(masks)}
    longer = []
    for size in range(2, min(day, n) + 1):
        rows = [(at[mask], last, at[mask ^ 1 << last]) for mask, c in zip(masks, members, strict=True) if len(c) == size for last in c]
        of, lasts, before = (np.array(column) for column in zip(*rows, strict=True))
        longer.append((of, lasts, before))
    return _Days(masks, np.array([len(c) for c in members], float), longer)


@lru_cache(maxsize=64)
def _subset_tables(n: int, day: int, nights: int) -> Tables:
    days, every = _day_sets(n, day), np.arange(1, 1 << n)
    most, sets, none = day * (nights + 1), len(days.masks), np.empty(0, np.int64)
    out: list[tuple[Array, Array, Array]] = []
    home: list[tuple[Array, Array, Array]] = []
    for q, mask in enumerate([*days.masks, 0] if nights else []):
        before = every[(every & mask == 0) & (np.bitwise_count(every | mask) <= most)]
        row, asleep = np.nonzero(before[:, None] >> np.arange(n) & 1)
        state, after = before[row] * n + asleep, before[row] | mask
        home.append((state, (asleep + 1) * (sets + 1) + q, after))
        out += [(state, ((asleep + 1) * sets + q) * n + last, after * n + last) for last in range(n) if mask >> last & 1]
    masks = np.array(days.masks)
    of, end = np.nonzero(masks[:, None] >> np.arange(n) & 1)
    first_out = Steps.of(np.zeros(len(of), np.int64), of * n + end, masks[of] * n + end)
    first_home = Steps.of(np.zeros(sets, np.int64), np.arange(sets), masks)
    trips = every[np.bitwise_count(every) <= most]
    joins = tuple(_steps([(before, np.full_like(before, trip), before | trip) for trip in trips[trips >> low & 1 == 1].tolist()
                          for before in [_lowest_free(n, low, trip)]] or [(none, none, none)]) for low in range(n))
    pairs = partial(_pairs, n, most) if nights else partial(_together, joins)
    return Tables(n << n, 1 << n, 1 << n, first_out, first_home, _steps(out), _steps(home), joins, pairs)


def _lowest_free(n: int, low: int, trip: int) -> Array:
    """Covers apart from the trip whose lowest stop not yet visited is `low`."""
    covers: Array = np.arange(1 << n - low - 1) << low + 1 | (1 << low) - 1
    apart: Array = covers[covers & trip == 0]
    return apart


@lru_cache(maxsize=8)
def _pairs(n: int, most: int) -> Steps:
    covers = np.arange(1 << n)
    apart = [(covers[covers & trip == 0], trip) for trip in range(1, 1 << n) if trip.bit_count() <= most]
    return _steps([(before, np.full_like(before, trip), before | trip) for before, trip in apart])


@lru_cache(maxsize=8)
def _together(joins: tuple[Steps, ...]) -> Steps:
    return _steps([(s.source, s.move, np.repeat(s.targets, np.diff(s.first, append=len(s.source)))) for s in joins])


@lru_cache(maxsize=64)
def _order_tables(n: int, day: int, nights: int) -> Tables:
    wide, most = n + 1, day * (nights + 1)

    def steps(rows: list[tuple[int, int, int]]) -> Steps:
        return Steps.of(*np.array(rows, np.int64).reshape(-1, 3).T)

    first = [(0, p * (day + 1) + k, p * wide + p + k) for p in range(n) for k in range(1, min(day, n - p) + 1)]
    later = [(p * wide + q, (wide + q) * (day + 1) + k, p * wide + q + k) for p in range(n) for q in range(p + 1, min(n, p + most) + 1)
             for k in range(min(day, n - q, most - q + p) + 1)] if nights else []
    joins = tuple(steps([(p, p * wide + q, q) for q in range(p + 1, min(n, p + most) + 1)]) for p in range(n))
    return Tables(wide * wide, wide * wide, wide, steps(first), steps(first), steps([row for row in later if row[0] != row[2]]),
                  steps(later), joins, partial(_together, joins))
