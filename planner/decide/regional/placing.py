"""Things that go whole to one site each, within the sites' capacities, at the least cost; with a bound that no placing is below.

For things i of weight w_i at m_ij minutes from sites j of capacity k_j: minimise sum_ij w_i m_ij x_ij + sum_i w_i (n_i + p) o_i over
x, o in {0, 1} with sum_j x_ij + o_i = 1 and sum_i w_i x_ij <= k_j, where n_i are the minutes to the nearest site and p the minutes
that each person who finds no room counts besides: the generalised assignment problem, with a way out that keeps it feasible.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from planner.decide.solver import Problem, solve

Array = np.ndarray
NODES = 20
_EXACT = 1e-6  # relative: what is nearer is equal
_ROOM = 1e-9  # relative, of capacities
_CORE = 4  # columns by thing that are searched
_UNIT = 1e3  # people-minutes in thousands keep the numbers near one


@dataclass(frozen=True, eq=False)
class Least:
    """Something made as small as could be: its value, the bound that nothing is below, and how both were found."""

    value: float
    bound: float
    status: str
    method: str

    @property
    def gap(self) -> float:
        """How much less another answer could be at most, as a share of this one; NaN where there is no bound."""
        return 0.0 if self.value <= self.bound else (self.value - self.bound) / max(self.value, 1e-12)

    @property
    def proved(self) -> bool:
        """Nothing is less."""
        return self.gap <= _EXACT


@dataclass(frozen=True, eq=False)
class Placing:
    """The site of each thing (position, -1: it reaches none), whether it fits there, and what was made least (weight x minutes)."""

    site: Array
    fits: Array
    least: Least


def place_whole(weight: Array, minutes: Array, capacity: Array, outside_min: float, *, nodes: int = NODES) -> Placing:
    """The placing of least weighted minutes; what finds no room goes to its nearest site and counts `outside_min` more a person.

    `weight` by thing, >= 0; `minutes` things x sites, inf where there is no way; `capacity` by site, inf: no limit. What reaches no
    site counts nothing. Ties: the first site. Deterministic; SolverError from the solver.
    """
    reaches = np.isfinite(minutes).any(axis=1) if minutes.shape[1] else np.zeros(len(weight), bool)
    site = np.full(len(weight), -1)
    fits = np.zeros(len(weight), bool)
    if not reaches.any():
        return Placing(site, fits, Least(0.0, 0.0, "óptimo", "sin sitios a los que llegar"))
    near = minutes[reaches].argmin(axis=1)
    told, people = minutes[reaches], weight[reaches]
    nearest = np.take_along_axis(told, near[:, None], axis=1)[:, 0]
    base = float(people @ nearest)
    room = np.maximum(capacity, 0.0) * (1 + _ROOM)
    if (np.bincount(near, people, len(capacity)) <= room).all():
        site[reaches], fits[reaches] = near, True
        return Placing(site, fits, Least(base, base, "óptimo", "cada uno en el más cercano: todos caben"))
    heavy = people > 0
    dear = people[:, None] * (np.where(np.isfinite(told), told, 0.0) - nearest[:, None]) / _UNIT
    chosen = near.copy()  # who weighs nothing stands in nobody's way
    chosen[heavy], bound, proved = _solved(people[heavy], dear[heavy], np.isfinite(told[heavy]), room, outside_min, nodes)
    site[reaches], fits[reaches] = np.where(chosen >= 0, chosen, near), chosen >= 0
    out = float(people[chosen < 0].sum()) * outside_min
    kept = chosen >= 0
    value = base + out + _UNIT * float(dear[np.flatnonzero(kept), chosen[kept]].sum())
    status = "óptimo" if proved else "con brecha"
    return Placing(site, fits, Least(value, min(value, base + bound), status, "programa entero mixto (HiGHS)"))


def _solved(people: Array, dear: Array, able: Array, room: Array, outside_min: float, nodes: int) -> tuple[Array, float, bool]:
    """The site of each thing (-1: outside), the bound of what that costs above the nearest, and whether the two meet.

    Searched are the columns that the relaxation finds cheapest; an answer with any other costs at least the relaxation's value and
    that column's reduced cost, so the bound holds for all.
    """
    program = _Program.of(people, dear, able, room, outside_min)
    relaxed = solve(program.problem(whole=False))
    short = np.maximum(relaxed.duals @ program.matrix - program.gain, 0.0)
    short[program.pairs:] = 0.0
    core = short <= np.sort(short)[min((_CORE + 1) * len(people), len(short)) - 1]
    found = solve(program.problem(core), start=program.outside()[core], nodes=nodes, rel_gap=_EXACT)
    beyond = relaxed.value - float(short[~core].min(initial=np.inf))  # no answer that leaves the core is worth more
    most = max(min(found.bound, relaxed.value), beyond)
    return program.read(found.x, core), -_UNIT * most, most <= found.value


@dataclass(frozen=True, eq=False)
class _Program:
    """A column by pair of thing and site that it may go to, then one by thing for outside; rows: things, then sites with a limit."""

    thing: Array
    at: Array
    matrix: sparse.csc_matrix
    lower: Array
    upper: Array
    gain: Array

    @classmethod
    def of(cls, people: Array, dear: Array, able: Array, room: Array, outside_min: float) -> _Program:
        thing, at = np.nonzero(able & (people[:, None] <= room))
        n, pairs = len(people), len(thing)
        limited = np.flatnonzero(np.isfinite(room))
        row = np.full(len(room), -1)
        row[limited] = np.arange(len(limited))
        held = np.flatnonzero(row[at] >= 0)
        once = sparse.csr_matrix((np.ones(pairs + n), (np.concatenate([thing, np.arange(n)]), np.arange(pairs + n))), (n, pairs + n))
        load = sparse.csr_matrix((people[thing[held]] / _UNIT, (row[at[held]], held)), (len(limited), pairs + n))
        return cls(thing, at, sparse.vstack([once, load], format="csc"),
                   np.concatenate([np.ones(n), np.full(len(limited), -np.inf)]), np.concatenate([np.ones(n), room[limited] / _UNIT]),
                   -np.concatenate([dear[thing, at], people * outside_min / _UNIT]))

    @property
    def pairs(self) -> int:
        return len(self.thing)

    def problem(self, some: Array | None = None, *, whole: bool = True) -> Problem:
        kept = np.arange(len(self.gain)) if some is None else np.flatnonzero(some)
        return Problem(self.matrix[:, kept], self.lower, self.upper, self.gain[kept], np.ones(len(kept)), np.full(len(kept), whole))

    def outside(self) -> Array:
        return np.repeat([0.0, 1.0], [self.pairs, len(self.gain) - self.pairs])

    def read(self, x: Array, some: Array) -> Array:
        """The site of each thing in a point of the program of some columns."""
        taken = np.flatnonzero(some)[x > 0.5]
        taken = taken[taken < self.pairs]
        chosen = np.full(len(self.gain) - self.pairs, -1)
        chosen[self.thing[taken]] = self.at[taken]
        return chosen
