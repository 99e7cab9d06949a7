"""Choices of sites made better by adding and exchanging them: the greedy choice and the search by exchanges, in sparse rows.

Both keep what each change would bring and renew only what the last one touched (Resende and Werneck 2004, for p-median).
An exchange is told by what the newcomer gains, less what the leaver alone covers, plus what both cover and no other does.
Ties: the first position. A choice is an array of positions of sites.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from scipy import sparse

from planner.errors import DataError

Array = np.ndarray
EXACT = 1e-9  # relative: what is nearer is equal
ROUNDING = 1e-12  # of sums, as a share
_SEED = 0
_MOST = 10**8  # slots x sites of the table
_TENURE = (8, 20)  # exchanges during which a site that moved stays


@dataclass(frozen=True, eq=False)
class Instance:
    """Weights of places, the sites that cover each, and the limits: at most `p` sites, of `cost` within `budget`."""

    weight: Array
    by_place: sparse.csr_matrix
    sites: Array  # positions in what was given
    p: int
    cost: Array
    budget: float  # inf: none

    @cached_property
    def by_site(self) -> sparse.csc_matrix:
        return self.by_place.tocsc()

    @cached_property
    def whole(self) -> bool:
        """Whether all weights are whole numbers, so that what is covered is one too."""
        return bool(np.array_equal(self.weight, np.rint(self.weight)))

    @cached_property
    def alone(self) -> Array:
        """Weight that each site covers."""
        return np.asarray(self.weight @ self.by_place)

    def covered_by(self, chosen: Array) -> Array:
        """Whether each place is covered."""
        held = np.zeros(len(self.sites))
        held[chosen] = 1.0
        return np.asarray(self.by_place @ held > 0.0)

    def worth(self, chosen: Array) -> float:
        """Weight that they cover."""
        return float(self.weight[self.covered_by(chosen)].sum())

    def within_limits(self, chosen: Array) -> bool:
        """Whether they are no more than `p` and within the budget."""
        return len(chosen) <= self.p and float(self.cost[chosen].sum()) <= self.budget * (1 + ROUNDING)


def gathered(matrix: sparse.csr_matrix | sparse.csc_matrix, lines: Array) -> tuple[Array, Array]:
    """The entries of some lines of a compressed matrix, one line after the other, and how many each has."""
    first, counts = matrix.indptr[lines], matrix.indptr[lines + 1] - matrix.indptr[lines]
    ends = np.cumsum(counts)
    at = np.arange(ends[-1] if len(ends) else 0) + np.repeat(first - ends + counts, counts)
    return matrix.indices[at], counts


def additions(instance: Instance, *, per_cost: bool = False) -> Iterator[tuple[int, Array]]:
    """Sites one by one, each time the affordable one that covers most more (or most per cost), with all gains before it.

    Ends when nothing affordable covers more. The gains are renewed in place: read them before the next.
    """
    gain, bare = instance.alone.copy(), np.ones(len(instance.weight), bool)
    left, taken = instance.budget, np.zeros(len(instance.sites), bool)
    price = np.where(instance.cost > 0, instance.cost, EXACT * max(1.0, float(instance.cost.max(initial=0.0)))) if per_cost else None
    least = EXACT * float(instance.weight.sum())
    for _ in range(min(instance.p, len(instance.sites))):
        open_to = np.where(taken | (instance.cost > left) | (gain <= least), -1.0, gain if price is None else gain / price)
        best = int(np.argmax(open_to))
        if open_to[best] <= 0.0:
            return
        yield best, gain
        taken[best] = True
        left -= instance.cost[best]
        rows = gathered(instance.by_site, np.array([best]))[0]
        rows = rows[bare[rows]]
        bare[rows] = False
        seen, counts = gathered(instance.by_place, rows)
        gain -= np.bincount(seen, np.repeat(instance.weight[rows], counts), len(gain))


@dataclass(eq=False)
class _Board:
    """A choice in `slots` (-1: empty) and what every exchange would bring."""

    instance: Instance
    slots: Array
    count: Array = field(init=False)  # by place, of the chosen sites that cover it
    held: Array = field(init=False)  # by place, sum of the slots that cover it: the slot itself where it is one
    gain: Array = field(init=False)  # by site, what it would cover more
    loss: Array = field(init=False)  # by slot, what it alone covers
    both: Array = field(init=False)  # slots x sites, what both cover and no other slot does

    def __post_init__(self) -> None:
        places, sites = self.instance.by_place.shape
        self.count, self.held = np.zeros(places, int), np.zeros(places, int)
        self.gain, self.loss = self.instance.alone.copy(), np.zeros(len(self.slots))
        self.both = np.zeros((len(self.slots), sites))
        for slot in np.flatnonzero(self.slots >= 0):
            self._enter(int(slot), int(self.slots[slot]))

    def swap(self, slot: int, site: int) -> None:
        """The site takes the slot."""
        if self.slots[slot] >= 0:
            self._leave(slot)
        self._enter(slot, site)
        self.slots[slot] = site

    def _enter(self, slot: int, site: int) -> None:
        rows = gathered(self.instance.by_site, np.array([site]))[0]
        bare, lone = rows[self.count[rows] == 0], rows[self.count[rows] == 1]
        self._cover(bare, np.full(len(bare), slot), 1.0)
        self._cover(lone, self.held[lone], -1.0)
        self._gain(bare, -1.0)
        self.count[rows] += 1
        self.held[rows] += slot

    def _leave(self, slot: int) -> None:
        rows = gathered(self.instance.by_site, self.slots[[slot]])[0]
        self.count[rows] -= 1
        self.held[rows] -= slot
        bare, lone = rows[self.count[rows] == 0], rows[self.count[rows] == 1]
        self.loss[slot], self.both[slot] = 0.0, 0.0
        self._cover(lone, self.held[lone], 1.0)
        self._gain(bare, 1.0)

    def _gain(self, rows: Array, sign: float) -> None:
        seen, counts = gathered(self.instance.by_place, rows)
        self.gain += np.bincount(seen, np.repeat(sign * self.instance.weight[rows], counts), len(self.gain))

    def _cover(self, rows: Array, slot: Array, sign: float) -> None:
        """These places begin (or cease) to be covered by their slot alone."""
        weight = sign * self.instance.weight[rows]
        np.add.at(self.loss, slot, weight)
        seen, counts = gathered(self.instance.by_place, rows)
        np.add.at(self.both.reshape(-1), np.repeat(slot * self.both.shape[1], counts) + seen, np.repeat(weight, counts))


def exchange(instance: Instance, start: Array, rounds: int = 0) -> Array:
    """The best choice met while exchanging sites, each time the best exchange; positions, ascending.

    Goes on while things improve, and with `rounds` until so many exchanges in a row, worse ones too, gave nothing better: a site
    that moved stays for a while (tabu, the same while every time). A choice too large for its table of exchanges comes back as
    it was. Raises DataError for a start beyond the limits.
    """
    if not instance.within_limits(start):
        raise DataError("La elección de partida excede el número de sitios o el presupuesto.")
    room = min(instance.p, len(instance.sites), int((np.cumsum(np.sort(instance.cost)) <= instance.budget).sum()))
    if not 0 < room * len(instance.sites) <= _MOST:
        return np.sort(start)
    board = _Board(instance, np.concatenate([start, np.full(room - len(start), -1)]).astype(int))
    rng, free = np.random.default_rng(_SEED), np.zeros(len(instance.sites), int)
    least = EXACT * float(instance.weight.sum())
    best, value, most, turn, idle = start, 0.0, 0.0, 0, 0
    result = np.empty_like(board.both)
    while idle <= rounds:
        turn += 1
        slot, site, brings = _best_exchange(board, free > turn, result)
        if not np.isfinite(brings) or (rounds == 0 and brings <= least):
            break
        moved = [site, board.slots[slot]] if board.slots[slot] >= 0 else [site]
        free[moved] = turn + rng.integers(*_TENURE, len(moved))
        board.swap(slot, site)
        value += brings
        idle += 1
        if value > most + least:
            best, most, idle = board.slots[board.slots >= 0], value, 0
    return np.sort(best)


def _best_exchange(board: _Board, stays: Array, result: Array) -> tuple[int, int, float]:
    """Slot, site and what their exchange brings (-inf if there is none); sites that stay neither enter nor leave."""
    filled, instance = board.slots >= 0, board.instance
    enters = np.where(stays, -np.inf, board.gain)
    enters[board.slots[filled]] = -np.inf
    np.add(board.both, enters, out=result)
    result -= np.where(filled & stays[board.slots], np.inf, board.loss)[:, None]
    if np.isfinite(instance.budget):
        left = instance.budget - float(instance.cost[board.slots[filled]].sum())
        result[instance.cost[None, :] > np.where(filled, instance.cost[board.slots], 0.0)[:, None] + left] = -np.inf
    at = int(np.argmax(result))
    return at // result.shape[1], at % result.shape[1], float(result.flat[at])
