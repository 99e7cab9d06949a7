"""Exact least-cost search, compiled: a ring of buckets emptied in small lots, so that memory is asked for ahead of its use.

A bucket is emptied until nothing falls back into it, so any width is exact. Labels are compared by minutes, then by
source: ties go to the first source. Arcs stand five to a record of 64 bytes, one line of cache for most road nodes.
Sums are exact (network.QUANTUM), so the order of the work never shows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from planner.travel.network import QUANTUM

LOT_BITS = 8
LOT = 1 << LOT_BITS  # entries of a bucket taken at once
FULL = -(1 << 60)  # entries waiting, where the pool is too small
ARCS = 5  # arcs of a record: count and next record, heads, minutes


# No counting of references: arrays live with the caller, and the counts would cost more than the search.
OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy", "_nrt": False}


def _compiled(kernel: Callable[..., Any]) -> Any:
    """The kernel compiled by numba, kept on disk where some folder can be written."""
    try:
        return numba.njit(cache=True, **OPTIONS)(kernel)
    except RuntimeError:  # numba found nowhere to keep it
        return numba.njit(**OPTIONS)(kernel)


def _inlined(part: Callable[..., Any]) -> Any:
    """A part of a kernel, written into it where it is called."""
    return numba.njit(inline="always", **OPTIONS)(part)


def _prefetch(_, array, index):  # type: ignore[no-untyped-def]
    """Ask the processor to bring array[index] into its cache; never fails, and nobody waits for it."""

    def generate(context, builder, signature, args):  # type: ignore[no-untyped-def]
        data = context.make_array(signature.args[0])(context, builder, args[0]).data
        place = builder.bitcast(builder.gep(data, [args[1]]), cgutils.voidptr_t)
        number = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [cgutils.voidptr_t, number, number, number])
        prefetch = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        builder.call(prefetch, [place, number(0), number(3), number(1)])
        return context.get_dummy_value()

    return types.void(array, index), generate


_ahead: Any = intrinsic(_prefetch)


@_compiled
def pack(starts, counts, first, spill, head, minutes, ints, floats):  # type: ignore[no-untyped-def]
    for i in range(starts.size):
        row, more = first[i], spill[i]
        for k in range(counts[i]):
            slot = k % ARCS
            if slot == 0 and k > 0:
                ints[16 * row] |= more << 3
                row = more
                more += 1
            ints[16 * row] += 1
            ints[16 * row + 1 + slot] = head[starts[i] + k]
            floats[8 * row + 3 + slot] = minutes[starts[i] + k]


@_inlined
def _room(bucket, ring, before, free, begun):  # type: ignore[no-untyped-def]
    """Place for one more entry in a bucket's last lot or in a new one (-1 = full), first free lot, lots ever begun."""
    at = ring[bucket]
    if at & (LOT - 1) == LOT - 1:  # also where the bucket is empty, at = -1
        if free >= 0:
            lot = free
            free = before[lot]
        elif begun < before.size:
            lot = begun
            begun += 1
        else:
            lot = -1
        if lot >= 0:
            before[lot] = at >> LOT_BITS
            at = lot << LOT_BITS
            ring[bucket] = at
        else:
            at = -1
    else:
        at += 1
        ring[bucket] = at
    return at, free, begun


@_inlined
def _fetch(pool, first, end, cells, down, pace, factor, neighbours, row, record, label):  # type: ignore[no-untyped-def]
    """Ask for all that leaving these entries reads, but the labels at the far end of their arcs."""
    for i in range(first, end):
        node = pool[i] & 0xFFFFFFFF
        _ahead(label, 2 * node)
        if node >= cells:
            _ahead(record, 16 * (node - cells))
        else:
            _ahead(label, 2 * (node - down))
            _ahead(label, 2 * (node + down))
            _ahead(pace, node - down)
            _ahead(pace, node)
            _ahead(pace, node + down)
            if factor.size:
                _ahead(factor, neighbours * node)
            if row.size:
                _ahead(row, node)
    if row.size and cells:
        for i in range(first, end):
            node = pool[i] & 0xFFFFFFFF
            if node < cells and row[node] >= 0:
                _ahead(record, 16 * row[node])


@_inlined
def _stepped(node, k, minutes, pace, factor, steps, scale):  # type: ignore[no-untyped-def]
    """Minutes after a step, inf where it is shut or leaves the grid."""
    more = factor[steps.size * node + k] if factor.size else 1.0
    t = np.inf
    if more < np.inf:
        t = minutes + np.rint((pace[node] + pace[node + steps[k]]) * scale[k] * more) * QUANTUM
    return t


@_inlined
def _along(at, minutes, record, record_f, bound, skip, tag, source, label, columns, count, to, then, whose):  # type: ignore[no-untyped-def]
    """Every arc of a record and those it continues in but that to `skip`, within the bound: appended to to (tagged), then, whose."""
    while at >= 0:
        arcs = record[16 * at]
        for k in range(arcs & 7):
            other = np.int64(record[16 * at + 1 + k])
            t = minutes + record_f[8 * at + 3 + k]
            _ahead(label, columns * other)
            to[count], then[count], whose[count] = other | tag, t, source
            count += (t <= bound) & (other != skip)
        at = (arcs >> 3) if arcs >> 3 else -1
    return count


@_compiled
def spread(pace, factor, steps, scale, row, record, record_f, to, then, whose, nodes, starts, sources,  # type: ignore[no-untyped-def]
           per_min, bound, label, label_i, ring, pool, before, touched):  # fmt: skip
    """Label everything within the bound; how many were, or -1 - that many where the pool was too small."""
    free, begun, waiting = -1, 0, 0
    mask = ring.size - 1
    ring[:] = -1
    count = 0
    cells, down = pace.size, steps[6] if steps.size else 0  # one row down
    for k in range(nodes.size):
        to[0], then[0], whose[0] = nodes[k] | (-1 << 32), starts[k], sources[k]
        count, free, begun, waiting = _settle(1, to, then, whose, bound, per_min, mask, label, label_i, ring, pool, before, touched,
                                              count, free, begun, waiting)
        if count < 0:
            return count
    bucket = 0
    while waiting > 0:
        while ring[bucket & mask] >= 0:
            last = ring[bucket & mask]
            lot = last >> LOT_BITS
            ring[bucket & mask] = (before[lot] << LOT_BITS) + LOT - 1  # -1 where there is none
            _fetch(pool, lot << LOT_BITS, last + 1, cells, down, pace, factor, steps.size, row, record, label)
            found = 0
            for i in range((lot << LOT_BITS), last + 1):
                node = pool[i] & 0xFFFFFFFF
                if int(label[2 * node] * per_min) != bucket:
                    continue
                minutes, source, at = label[2 * node], label_i[4 * node + 2], node - cells
                if node < cells:
                    for k in range(steps.size):
                        t = _stepped(node, k, minutes, pace, factor, steps, scale)
                        to_cell = (node + steps[k]) | (node << 32)
                        count, free, begun, waiting = _keep(to_cell, t, source, bound, per_min, mask, label, label_i,
                                                            ring, pool, before, touched, count, free, begun, waiting)
                        if count < 0:
                            return count
                    at = row[node] if row.size else -1
                found = _along(at, minutes, record, record_f, bound, pool[i] >> 32, node << 32, source, label, 2, found, to, then, whose)
            waiting -= last + 1 - (lot << LOT_BITS)
            before[lot], free = free, lot
            count, free, begun, waiting = _settle(found, to, then, whose, bound, per_min, mask, label, label_i, ring, pool, before,
                                                  touched, count, free, begun, waiting)
            if count < 0:
                return count
        bucket += 1
    return count


@_inlined
def _settle(found, to, then, whose, bound, per_min, mask, label, label_i, ring, pool, before, touched,  # type: ignore[no-untyped-def]
            count, free, begun, waiting):  # fmt: skip
    """Keep what is better than the labels and queue it; how many nodes are labelled, or -1 - that many where it did not fit."""
    for c in range(found):
        count, free, begun, waiting = _keep(to[c], then[c], whose[c], bound, per_min, mask, label, label_i, ring, pool, before, touched,
                                            count, free, begun, waiting)
        if count < 0:
            break
    return count, free, begun, waiting


@_inlined
def _keep(to, t, source, bound, per_min, mask, label, label_i, ring, pool, before, touched,  # type: ignore[no-untyped-def]
          count, free, begun, waiting):  # fmt: skip
    """One of them: to (tagged with where it comes from), at t, from a source."""
    if t <= bound and t < np.inf:
        node = to & 0xFFFFFFFF
        old = label[2 * node]
        if t < old or (t == old and source < label_i[4 * node + 2]):
            at, free, begun = _room(int(t * per_min) & mask, ring, before, free, begun)
            if at < 0:
                count = -1 - count
            else:
                waiting += 1
                if old == np.inf:
                    touched[count] = node
                    count += 1
                label[2 * node] = t
                label_i[4 * node + 2] = source
                label_i[4 * node + 3] = to >> 32
                pool[at] = to
    return count, free, begun, waiting


@_compiled
def spread_k(pace, factor, steps, scale, row, record, record_f, to, then, whose, nodes, starts, sources,  # type: ignore[no-untyped-def]
             per_min, bound, minutes, flat, source, where, ring, pool, before):  # fmt: skip
    """Label everything with its nearest sources, one a column (flat, where: the same memory); false where the pool was too small."""
    free, begun, waiting = -1, 0, 0
    mask = ring.size - 1
    ring[:] = -1
    for k in range(nodes.size):
        to[0], then[0], whose[0] = nodes[k], starts[k], sources[k]
        free, begun, waiting = _enter(int(starts[k] <= bound), to, then, whose, minutes, source, per_min, mask, ring, pool, before,
                                      free, begun, waiting)
    bucket, cells = 0, pace.size
    while waiting > 0:
        while ring[bucket & mask] >= 0:
            last = ring[bucket & mask]
            lot = last >> LOT_BITS
            ring[bucket & mask] = (before[lot] << LOT_BITS) + LOT - 1  # -1 where there is none
            for i in range((lot << LOT_BITS), last + 1):
                node = pool[i] & 0xFFFFFFFF
                _ahead(flat, minutes.shape[1] * node)
                _ahead(where, minutes.shape[1] * node)
                if node >= cells:
                    _ahead(record, 16 * (node - cells))
            found = 0
            for i in range((lot << LOT_BITS), last + 1):
                node, origin = pool[i] & 0xFFFFFFFF, pool[i] >> 32
                for k in range(minutes.shape[1]):
                    if source[node, k] == origin and int(minutes[node, k] * per_min) == bucket:
                        at = node - cells
                        if node < cells:
                            for step in range(steps.size):
                                other = node + steps[step]
                                t = _stepped(node, step, minutes[node, k], pace, factor, steps, scale)
                                to[found], then[found], whose[found] = other, t, origin
                                found += (t <= bound) & (t < np.inf)
                            at = row[node] if row.size else -1
                        found = _along(at, minutes[node, k], record, record_f, bound, -1, 0, origin, flat, minutes.shape[1], found,
                                       to, then, whose)
            waiting -= last + 1 - (lot << LOT_BITS)
            before[lot], free = free, lot
            for c in range(found):
                _ahead(where, minutes.shape[1] * to[c])
            free, begun, waiting = _enter(found, to, then, whose, minutes, source, per_min, mask, ring, pool, before, free, begun, waiting)
            if waiting < 0:
                break
        bucket += 1
    return waiting == 0


@_inlined
def _enter(found, to, then, whose, minutes, source, per_min, mask, ring, pool, before, free, begun, waiting):  # type: ignore[no-untyped-def]
    """Rank these sources among the nearest of their nodes and queue those that got in; waiting is far below 0 where they did not fit."""
    for c in range(found):
        if _rank(to[c], then[c], whose[c], minutes, source):
            at, free, begun = _room(int(then[c] * per_min) & mask, ring, before, free, begun)
            if at < 0:
                waiting = FULL
                break
            waiting += 1
            pool[at] = to[c] | (np.int64(whose[c]) << 32)
    return free, begun, waiting


@_compiled
def _rank(node, t, origin, minutes, source):  # type: ignore[no-untyped-def]
    """Put a source in its place among a node's nearest ones; false where that changes nothing."""
    k = minutes.shape[1] - 1
    if t > minutes[node, k]:
        return False
    for j in range(minutes.shape[1]):
        if source[node, j] == origin:
            k = j
            break
    if not (t < minutes[node, k] or (t == minutes[node, k] and origin < source[node, k])):
        return False
    while k > 0 and (t < minutes[node, k - 1] or (t == minutes[node, k - 1] and origin < source[node, k - 1])):
        minutes[node, k], source[node, k] = minutes[node, k - 1], source[node, k - 1]
        k -= 1
    minutes[node, k], source[node, k] = t, origin
    return True


@_compiled
def collect(label, touched, count, first, place, minutes, bound, found, told):  # type: ignore[no-untyped-def]
    """The places whose anchors (by node: `first` of each) stand on touched nodes within the bound, anchor by anchor, and their minutes."""
    n = 0
    for i in range(count):
        node = np.int64(touched[i])
        for k in range(first[node], first[node + 1]):
            t = label[2 * node] + minutes[k]
            if t <= bound:
                found[n], told[n] = place[k], t
                n += 1
    return n


@_compiled
def wipe(label, label_i, touched, count):  # type: ignore[no-untyped-def]
    for i in range(count):
        node = np.int64(touched[i])
        label[2 * node] = np.inf
        label_i[4 * node + 2] = -1
        label_i[4 * node + 3] = -1


@_compiled
def blank(label, label_i):  # type: ignore[no-untyped-def]
    for node in range(label.size // 2):
        label[2 * node] = np.inf
        label_i[4 * node + 2] = -1
        label_i[4 * node + 3] = -1
