"""Areas and rules as the flat arrays that moves are counted on: blocks of areas that must stay together and touch, and their sums."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from planner.decide.regional.areas import Areas
from planner.decide.regional.measures import HOUR_MIN, outlined, reach
from planner.decide.regional.rules import ROUNDING, Rules

Array = np.ndarray


class Ground(NamedTuple):
    """What the kernel reads. Rows of neighbours, flows, places and pairs are CSR by block: `x_at[b] : x_at[b + 1]`."""

    people: Array
    area: Array  # m2; zeros where shapes are not judged by their outline
    perimeter: Array  # m, less twice the borders inside the block
    next_at: Array
    next: Array
    border: Array  # m shared with that neighbour; where there are no outlines, how many pairs of neighbours
    flow_at: Array
    flow_to: Array  # block where the nearest hospital lies
    flow: Array  # share of all people
    place_at: Array
    weight: Array  # share of the people in reach x hours a minute
    near: Array  # minutes to the nearest hospital anywhere
    to: Array  # (places, seats) minutes
    seat_of: Array  # column of `to` by block, -1 without hospital
    pair_at: Array
    pair: Array  # block
    pair_kind: Array  # 1: together, -1: apart
    ends: Array  # (m, 2) neighbouring blocks
    terms: Array  # weight of minutes, of crossing, of compactness by district or by pair cut, low, high, mean people, hospital required


@dataclass(frozen=True, eq=False)
class Blocks:
    """The ground and which block each area belongs to; blocks are numbered by their first area."""

    ground: Ground
    block_of: Array


def blocks(areas: Areas, rules: Rules) -> Blocks:
    """Areas merged where a rule keeps neighbours together, and all sums by block, in an order that does not depend on the input's."""
    block_of = _merged(areas, rules)
    n = int(block_of.max()) + 1
    ends = np.sort(block_of[areas.edges], axis=1)
    crossing_ends = ends[:, 0] != ends[:, 1]
    shaped = outlined(areas)
    length = areas.shared_m if shaped else np.ones(len(areas.edges))
    i, j = ends[crossing_ends].T
    both = sparse.coo_matrix((np.tile(length[crossing_ends], 2), (np.r_[i, j], np.r_[j, i])), (n, n)).tocsr()  # keeps borders of 0 m
    both.sort_indices()
    rows = np.repeat(np.arange(n), np.diff(both.indptr))
    once = np.column_stack([rows, both.indices])[rows < both.indices]
    inside = np.bincount(ends[~crossing_ends, 0], length[~crossing_ends], n)
    perimeter = np.bincount(block_of, areas.perimeter_m, n) - 2 * inside if shaped else np.zeros(n)
    flows, places = _travel(areas, block_of, n)
    compact = rules.compactness / rules.count if shaped else rules.compactness / max(1, len(areas.edges))
    mean = float(areas.people.sum()) / rules.count
    terms = np.array([rules.minutes, rules.crossing, compact, rules.low - ROUNDING, rules.high + ROUNDING, max(mean, ROUNDING),
                      float(rules.hospital_required)])
    parts = (
        np.bincount(block_of, areas.people, n), np.bincount(block_of, areas.area_m2, n) if shaped else np.zeros(n), perimeter,
        both.indptr.astype(np.int64), both.indices.astype(np.int64), both.data.astype(float), *flows, *places, *_pairs(rules, block_of, n),
        once.astype(np.int64).reshape(-1, 2), terms)
    return Blocks(Ground._make(np.ascontiguousarray(part) for part in parts), block_of)


def _merged(areas: Areas, rules: Rules) -> Array:
    """Block by area: neighbours within a group that must stay together."""
    n = len(areas.people)
    group = np.zeros((n, len(rules.together)), bool)
    for g, members in enumerate(rules.together):
        group[list(members), g] = True
    stay = (group[areas.edges[:, 0]] & group[areas.edges[:, 1]]).any(axis=1)
    i, j = areas.edges[stay].T
    label = connected_components(sparse.coo_matrix((np.ones(len(i)), (i, j)), (n, n)), directed=False)[1]
    _, first, block = np.unique(label, return_index=True, return_inverse=True)
    rank = np.empty(len(first), int)
    rank[np.argsort(first)] = np.arange(len(first))
    return np.asarray(rank[block])


def _travel(areas: Areas, block_of: Array, n: int) -> tuple[tuple[Array, ...], tuple[Array, ...]]:
    """Flows of people to the block of their nearest hospital, and the places of each block with their minutes to each seat."""
    seats, to = reach(areas)
    near = to.min(axis=1, initial=np.inf)
    reached = np.isfinite(near)
    nearest = seats[to[reached].argmin(axis=1)] if len(seats) else np.zeros(0, int)
    at, people = block_of[areas.point_at[reached]], areas.point_people[reached]
    columns = np.unique(block_of[seats])
    merged = np.full((int(reached.sum()), len(columns)), np.inf)
    for j, seat in enumerate(columns):
        merged[:, j] = to[reached][:, block_of[seats] == seat].min(axis=1)
    everyone = max(float(areas.point_people.sum()), ROUNDING)
    flow = sparse.coo_matrix((people / everyone, (at, block_of[nearest])), (n, n)).tocsr()
    flow.sort_indices()
    order = np.lexsort((near[reached], people, at))
    weight = people[order] / max(float(people.sum()), ROUNDING) / HOUR_MIN
    seat_of = np.full(n, -1)
    seat_of[columns] = np.arange(len(columns))
    place_at = np.concatenate([[0], np.cumsum(np.bincount(at, minlength=n))])
    return ((flow.indptr.astype(np.int64), flow.indices.astype(np.int64), flow.data.astype(float)),
            (place_at.astype(np.int64), weight, near[reached][order], merged[order], seat_of))


def _pairs(rules: Rules, block_of: Array, n: int) -> tuple[Array, Array, Array]:
    """Blocks that must share a district though they do not touch (1) and those that must not (-1), both ways."""
    found = {(*sorted((int(block_of[a]), int(block_of[b]))), 1) for group in rules.together for a, b in pairwise(sorted(set(group)))}
    found |= {(*sorted((int(block_of[a]), int(block_of[b]))), -1) for a, b in rules.apart}
    table = np.array(sorted(p for p in found if p[0] != p[1]), np.int64).reshape(-1, 3)
    table = np.concatenate([table, table[:, [1, 0, 2]]])
    table = table[np.lexsort(table.T[::-1])]
    at = np.concatenate([[0], np.cumsum(np.bincount(table[:, 0], minlength=n))])
    return at.astype(np.int64), table[:, 1], table[:, 2]
