"""What regionalization does most often, compiled: moves of areas between districts, and the least tours of a zone's rounds.

All that districts are judged by is a sum over districts, so a move is counted by counting its two districts anew: nothing drifts.
Two moves keep every district contiguous. An area passes to a district it touches, with all pieces that it alone held to its own
(all but the one with most people). Or two districts that touch become one and are parted anew at an edge of a random spanning tree
(DeFord, Duchin and Solomon 2021, "ReCom"). Random numbers are splitmix64, so a seed gives the same answer everywhere.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numba
import numpy as np

OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy"}
SAMPLE = 200  # moves tried at the start, to know what a move is worth
COLDER = 2e-3  # the last temperature, of the first
EPOCHS = 200  # how often the weight of what breaks rules is set anew
STRICTER, LOOSER = 1.35, 0.9
LEAST, MOST = 1e-3, 20.0


class Desk(NamedTuple):
    """A grouping being changed, and room to work in."""

    label: Any  # district by block
    members: Any  # (k, n): the first size[d] are the blocks of d
    size: Any
    place: Any  # of a block among its district's members
    value: Any  # by district: what it adds to the score
    wrong: Any  # by district: how much it breaks
    columns: Any
    seen: Any
    queue: Any
    moving: Any
    parent: Any
    front: Any
    heads: Any
    under: Any  # people under a block of a tree
    state: Any  # of the random numbers


def _compiled(kernel: Callable[..., Any]) -> Any:
    """The kernel compiled by numba, kept on disk where some folder can be written."""
    try:
        return numba.njit(cache=True, **OPTIONS)(kernel)
    except RuntimeError:  # numba found nowhere to keep it
        return numba.njit(**OPTIONS)(kernel)


@_compiled
def _random(state):  # type: ignore[no-untyped-def]
    """The next number of 0..1 (Steele, Lea and Flood 2014)."""
    state[0] += np.uint64(0x9E3779B97F4A7C15)
    z = state[0]
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.float64((z ^ (z >> np.uint64(31))) >> np.uint64(11)) / 9007199254740992.0


@_compiled
def cost(ground, d, desk):  # type: ignore[no-untyped-def]
    """What district d adds to the score, and by how much it breaks the rules (in mean districts, missing hospitals and pairs)."""
    people, area, perimeter, cut, cross, wrong, seats = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0
    label = desk.label
    for i in range(desk.size[d]):
        b = desk.members[d, i]
        people += ground.people[b]
        area += ground.area[b]
        perimeter += ground.perimeter[b]
        if ground.seat_of[b] >= 0:
            desk.columns[seats] = ground.seat_of[b]
            seats += 1
        for e in range(ground.next_at[b], ground.next_at[b + 1]):
            if label[ground.next[e]] == d:
                perimeter -= ground.border[e]
            else:
                cut += ground.border[e]
        for e in range(ground.flow_at[b], ground.flow_at[b + 1]):
            if label[ground.flow_to[e]] != d:
                cross += ground.flow[e]
        for e in range(ground.pair_at[b], ground.pair_at[b + 1]):
            if (label[ground.pair[e]] == d) != (ground.pair_kind[e] > 0):
                wrong += 0.5
    hours = _hours(ground, d, desk, desk.columns[:seats]) if ground.terms[0] > 0 else 0.0
    if area > 0:
        round_m = 2 * np.sqrt(np.pi * area)
        shape = 1 - (round_m / max(perimeter, round_m)) ** 2
    else:
        shape = cut / 2
    low, high, mean = ground.terms[3], ground.terms[4], ground.terms[5]
    wrong += (max(0.0, low - people) + max(0.0, people - high)) / mean
    if ground.terms[6] > 0 and seats == 0:
        wrong += 1.0
    return ground.terms[0] * hours + ground.terms[1] * cross + ground.terms[2] * shape, wrong


@_compiled
def _hours(ground, d, desk, columns):  # type: ignore[no-untyped-def]
    """Hours to the nearest hospital of the district, or to the nearest anywhere where it has none in reach."""
    hours = 0.0
    for i in range(desk.size[d]):
        b = desk.members[d, i]
        for p in range(ground.place_at[b], ground.place_at[b + 1]):
            t = np.inf
            for c in columns:
                t = min(t, ground.to[p, c])
            hours += ground.weight[p] * (t if t < np.inf else ground.near[p])
    return hours


@_compiled
def _leaving(ground, a, desk, stamp):  # type: ignore[no-untyped-def]
    """Into `moving`: a and all pieces that hang on it but the one with most people. How many."""
    label, seen, queue, moving = desk.label, desk.seen, desk.queue, desk.moving
    d, waiting = label[a], 0
    for e in range(ground.next_at[a], ground.next_at[a + 1]):
        if label[ground.next[e]] == d:
            seen[ground.next[e]] = -stamp
            waiting += 1
    seen[a] = stamp
    moving[0] = a
    tail, kept_from, kept_to, kept_people = 0, 0, 0, -1.0
    for e in range(ground.next_at[a], ground.next_at[a + 1]):
        if seen[ground.next[e]] != -stamp:
            continue
        head, people = tail, 0.0
        first = head
        queue[tail] = ground.next[e]
        seen[ground.next[e]] = stamp
        tail += 1
        waiting -= 1
        while head < tail:
            b = queue[head]
            head += 1
            people += ground.people[b]
            for f in range(ground.next_at[b], ground.next_at[b + 1]):
                c = ground.next[f]
                if label[c] == d and seen[c] != stamp:
                    waiting -= seen[c] == -stamp
                    seen[c] = stamp
                    queue[tail] = c
                    tail += 1
            if waiting == 0 and first == 0:
                return 1
        if people > kept_people:
            kept_from, kept_to, kept_people = first, tail, people
    count = 1
    for i in range(tail):
        if i < kept_from or i >= kept_to:
            moving[count] = queue[i]
            count += 1
    return count


@_compiled
def _parted(ground, d, e, desk, stamp):  # type: ignore[no-untyped-def]
    """Into `moving`: the blocks of d that go to e and those of e that go to d, in a new parting of both at a random tree's edge."""
    label, seen, order, parent, front, heads = desk.label, desk.seen, desk.queue, desk.parent, desk.front, desk.heads
    total, count, waiting = 0.0, 0, 1
    front[0], heads[0] = desk.members[d, int(_random(desk.state) * desk.size[d])], -1
    while waiting > 0:
        at = int(_random(desk.state) * waiting)
        b, above = front[at], heads[at]
        waiting -= 1
        front[at], heads[at] = front[waiting], heads[waiting]
        if seen[b] == stamp:
            continue
        seen[b] = stamp
        order[count], parent[b] = b, above
        count += 1
        total += ground.people[b]
        for f in range(ground.next_at[b], ground.next_at[b + 1]):
            c = ground.next[f]
            if (label[c] == d or label[c] == e) and seen[c] != stamp:
                front[waiting], heads[waiting] = c, b
                waiting += 1
    root = _edge(ground, desk, count, total)
    below = heads  # 1: under the edge
    moved = 0
    for i in range(count):
        b = order[i]
        below[b] = 1 if b == root or (parent[b] >= 0 and below[parent[b]] == 1) else 0
        if (below[b] == 1) != (label[b] == e):
            desk.moving[moved] = b
            moved += 1
    return moved


@_compiled
def _edge(ground, desk, count, total):  # type: ignore[no-untyped-def]
    """The block under the edge of the tree that parts it best: one of those that keep the people of both, drawn evenly."""
    order, parent, people = desk.queue, desk.parent, desk.under
    for i in range(count):
        people[order[i]] = ground.people[order[i]]
    low, high = ground.terms[3], ground.terms[4]
    best, wrong, ties = -1, np.inf, 0
    for i in range(count - 1, 0, -1):
        b = order[i]
        people[parent[b]] += people[b]
        rest = total - people[b]
        miss = max(0.0, low - people[b]) + max(0.0, people[b] - high) + max(0.0, low - rest) + max(0.0, rest - high)
        if miss < wrong:
            best, wrong, ties = b, miss, 1
        elif miss == wrong:
            ties += 1
            if _random(desk.state) * ties < 1.0:
                best = b
    return best


@_compiled
def _swap(d, e, count, desk):  # type: ignore[no-untyped-def]
    """Each of `moving` from d to e or from e to d; done twice it is undone, but for the order of the members."""
    label, members, size, place = desk.label, desk.members, desk.size, desk.place
    for i in range(count):
        b = desk.moving[i]
        home, to = label[b], e if label[b] == d else d
        last = members[home, size[home] - 1]
        members[home, place[b]], place[last] = last, place[b]
        size[home] -= 1
        members[to, size[to]], place[b] = b, size[to]
        size[to] += 1
        label[b] = to


@_compiled
def _desk(ground, label, k, seed):  # type: ignore[no-untyped-def]
    """A grouping laid out for moves."""
    n, room = ground.people.size, ground.people.size + ground.next.size
    desk = Desk(label, np.empty((k, n), np.int64), np.zeros(k, np.int64), np.empty(n, np.int64), np.empty(k), np.empty(k),
                np.empty(n, np.int64), np.zeros(n, np.int64), np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n, np.int64),
                np.empty(room, np.int64), np.empty(room, np.int64), np.empty(n), np.array([seed], np.uint64))
    for b in range(n):
        d = label[b]
        desk.members[d, desk.size[d]], desk.place[b] = b, desk.size[d]
        desk.size[d] += 1
    for d in range(k):
        desk.value[d], desk.wrong[d] = cost(ground, d, desk)
    return desk


@_compiled
def _proposed(ground, desk, stamp, recombine):  # type: ignore[no-untyped-def]
    """Two districts and how many blocks of `moving` would pass between them; none where the edge drawn lies within one."""
    pick, side = int(_random(desk.state) * ground.ends.shape[0]), int(_random(desk.state) * 2)
    a = ground.ends[pick, side]
    d, e = desk.label[a], desk.label[ground.ends[pick, 1 - side]]
    if d == e:
        return d, e, 0
    if _random(desk.state) < recombine:
        return d, e, _parted(ground, d, e, desk, stamp)
    return d, e, _leaving(ground, a, desk, stamp) if desk.size[d] > 1 else 0


@_compiled
def anneal(ground, label, k, seed, moves, recombine, best):  # type: ignore[no-untyped-def]
    """The best grouping met in `moves` proposals from `label` (changed), into `best`; its score and by how much it breaks rules.

    `recombine` is the share of proposals that merge and part two districts. A grouping that breaks less is better than any of better
    score; on the way what breaks is weighed, more while something is broken and less while nothing is.
    """
    desk = _desk(ground, label, k, seed)
    best[:] = label
    best_value, best_wrong = desk.value.sum(), desk.wrong.sum()
    hot, tried, heat, weight, epoch = 0.0, 0, 0.0, 1.0, max(1, moves // EPOCHS)
    for step in range(moves if ground.ends.shape[0] > 0 and k > 1 else 0):
        if tried >= SAMPLE and (heat == 0.0 or step % epoch == 0):
            heat = max(0.5 * hot / SAMPLE, 1e-12) * COLDER ** (step / moves)
            weight = min(MOST, weight * STRICTER) if desk.wrong.sum() > 0 else max(LEAST, weight * LOOSER)
        d, e, count = _proposed(ground, desk, step + 1, recombine)
        if count == 0:
            continue
        _swap(d, e, count, desk)
        value_d, wrong_d = cost(ground, d, desk)
        value_e, wrong_e = cost(ground, e, desk)
        change = value_d + value_e - desk.value[d] - desk.value[e]
        worse = change + weight * (wrong_d + wrong_e - desk.wrong[d] - desk.wrong[e])
        if tried < SAMPLE:
            hot += abs(change)
            tried += 1
        if heat == 0.0 or (worse > 0 and _random(desk.state) >= np.exp(-worse / heat)):
            _swap(d, e, count, desk)
            continue
        desk.value[d], desk.wrong[d], desk.value[e], desk.wrong[e] = value_d, wrong_d, value_e, wrong_e
        total, broken = desk.value.sum(), desk.wrong.sum()
        if broken < best_wrong or (broken == best_wrong and total < best_value):
            best_value, best_wrong = total, broken
            best[:] = label
    return best_value, best_wrong


@_compiled
def alone(ground, label):  # type: ignore[no-untyped-def]
    """Cost of the district 0 of a grouping into two: what a set of blocks adds whatever the rest is."""
    return cost(ground, 0, _desk(ground, label, 2, 0))


@_compiled
def tours(minutes):  # type: ignore[no-untyped-def]
    """Least minutes from the first place through every set of the others (by bits) to each of the set as the last."""
    n = len(minutes) - 1
    reached = np.full((1 << n, n), np.inf)
    for last in range(n):
        reached[1 << last, last] = minutes[0, last + 1]
    for mask in range(1, 1 << n):
        for last in range(n):
            if not mask >> last & 1:
                least = np.inf
                for before in range(n):
                    if mask >> before & 1:
                        least = min(least, reached[mask, before] + minutes[before + 1, last + 1])
                reached[mask | 1 << last, last] = least
    return reached
