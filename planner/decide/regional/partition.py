"""Contiguous districts of whole areas: started by agglomeration, improved by exact moves, with what is proved and what is not.

With few areas every grouping is counted (proofs.exhaustive). Above, the answer comes from annealing (kernel.anneal) from several
starts, whose moves keep each district contiguous and count the score exactly; a lower bound on every grouping comes from
bounds.lower and says how much better another could be at most. The answer depends on the areas, the rules and the seed alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from planner.decide.regional import kernel
from planner.decide.regional.areas import Areas
from planner.decide.regional.bounds import lower
from planner.decide.regional.ground import blocks
from planner.decide.regional.measures import Measures, canonical, measures, score
from planner.decide.regional.neighbours import joining, part_of
from planner.decide.regional.placing import Least
from planner.decide.regional.proofs import FEW, exhaustive, impossible
from planner.decide.regional.rules import Broken, Rules, around_mean, broken, check
from planner.decide.regional.start import LINKAGES, agglomerated
from planner.errors import SettingsError

Array = np.ndarray
Proof = Literal["factible", "imposible", "sin probar"]  # rules kept; proved that none keeps them; none found and nothing proved
EXACT = 1e-9
METHOD = "recocido con movimientos exactos desde varios arranques"
_STARTS = 6
_MOVES, _MOVES_FEW, _MOVES_MANY = 250_000, 3_000, 30  # proposals of a start: so many, at most so many a block, and so many a block more
_RECOMBINE = 0.4  # share of proposals that merge and part two districts


@dataclass(frozen=True, eq=False)
class Partition:
    """Districts by area with what they are worth."""

    district: Array  # 0..k-1 by the first area of each
    measures: Measures
    solution: Least  # of the score; without a bound (NaN) where the rules are broken
    proof: Proof
    broken: tuple[Broken, ...]
    notes: tuple[str, ...]


def partition(areas: Areas, rules: Rules, seed: int, names: Sequence[str] | None = None) -> Partition:
    """The best grouping found into `rules.count` contiguous districts; where none is found that keeps the rules, the one that breaks least.

    `names` by area, for the sentences. Raises SettingsError for rules that contradict themselves.
    """
    check(rules, len(areas.people))
    proofs = impossible(areas, rules, names)
    block = blocks(areas, rules)
    pieces = int(part_of(areas.edges, len(areas.people)).max()) + 1
    if len(block.ground.people) <= FEW and pieces <= rules.count <= len(block.ground.people):
        label, kept = exhaustive(block, rules)
        if not kept and not proofs:
            proofs = ["Se contaron todas las agrupaciones contiguas y ninguna cumple las reglas; amplíe la tolerancia o cambie el número."]
        return _told(areas, canonical(label[block.block_of]), rules, names, proofs, counted=True)
    return _told(areas, annealed(areas, rules, seed), rules, names, proofs)


def moved(areas: Areas, district: Array, area: int, to: int, rules: Rules, names: Sequence[str] | None = None) -> Partition:
    """The grouping with one area passed to district `to` by hand, counted anew, and what it breaks; nothing else moves.

    The labels stay as they were. Raises SettingsError for an area or a district that is not there.
    """
    if not 0 <= area < len(district) or not 0 <= to <= int(district.max()):
        raise SettingsError("El área o el distrito de destino no existe; elija uno de la lista.")
    changed = np.array(district)
    changed[area] = to
    return _told(areas, changed, rules, names, impossible(areas, rules, names))


def best_count(areas: Areas, rules: Rules, counts: Sequence[int], seed: int, tolerance: float | None = None,
               names: Sequence[str] | None = None) -> tuple[Partition, pd.DataFrame]:
    """The number of districts of least score among those that keep the rules (else of those that break least), and the table of all.

    `tolerance` around each number's own mean takes the place of `low` and `high`. The table's index is `count`.
    """
    rows, found = [], {}
    for count in sorted(set(counts)):
        low, high = (rules.low, rules.high) if tolerance is None else around_mean(float(areas.people.sum()), count, tolerance)
        found[count] = one = partition(areas, replace(rules, count=count, low=low, high=high), seed, names)
        rows.append({"count": count, "score": one.solution.value, "bound": one.solution.bound, "proof": one.proof,
                     "broken": len(one.broken), "spread": one.measures.spread, "minutes": one.measures.minutes,
                     "crossing": one.measures.crossing, "compactness": one.measures.compactness})
    table = pd.DataFrame(rows).set_index("count")
    first = table.sort_values(["broken", "score"], kind="stable").index[0]
    return found[int(first)], table


def annealed(areas: Areas, rules: Rules, seed: int) -> Array:
    """The best grouping over all starts, by area; pieces of the map beyond `count` are linked where they are nearest."""
    if part_of(areas.edges, len(areas.people)).max() >= rules.count:
        xy = areas.xy
        bridges = joining(areas.edges, len(xy), lambda rows: np.hypot(*(xy[rows][:, None] - xy[None]).transpose(2, 0, 1)))
        areas = replace(areas, edges=np.concatenate([areas.edges, bridges]), shared_m=np.r_[areas.shared_m, np.zeros(len(bridges))])
    block = blocks(areas, rules)
    n = len(block.ground.people)
    count, moves = min(rules.count, n), min(_MOVES, _MOVES_FEW * n) + _MOVES_MANY * n
    firsts = list({tuple(canonical(agglomerated(areas, block.block_of, count, linkage))): None for linkage in LINKAGES})

    def run(start: int) -> tuple[float, float, Array]:
        label, best = np.array(firsts[start % len(firsts)], np.int64), np.empty(n, np.int64)
        value, wrong = kernel.anneal(block.ground, label, count, np.uint64(1000 * seed + start), moves, _RECOMBINE, best)
        return wrong, value, canonical(best)

    with ThreadPoolExecutor(2) as pool:
        tried = list(pool.map(run, range(_STARTS)))
    best = min(tried, key=lambda t: (t[0], t[1], t[2].tolist()))[2]
    return canonical(best[block.block_of])


def _told(areas: Areas, district: Array, rules: Rules, names: Sequence[str] | None, proofs: Sequence[str] = (), *,
          counted: bool = False) -> Partition:
    found, wrong = measures(areas, district), broken(areas, district, rules, names)
    value = score(found, rules)
    if not wrong:
        bound = value if counted else min(value, lower(blocks(areas, rules).ground, rules))
        best = value - bound <= EXACT * max(1.0, value)
        method = "recuento de todas las agrupaciones contiguas" if counted else METHOD
        return Partition(district, found, Least(value, bound, "óptimo" if best else "con brecha", method), "factible", (), ())
    proof: Proof = "imposible" if proofs else "sin probar"
    status = "imposible (probado)" if proofs else "sin solución (no probado)"
    first = (*proofs, "Está probado que ninguna agrupación cumple las reglas; se muestra la que menos las rompe.") if proofs else (
        "No se halló agrupación que cumpla las reglas ni se probó que no la haya; se muestra la que menos las rompe.",)
    notes = (*first, *(sentence for _, sentence in wrong))
    return Partition(district, found, Least(value, float("nan"), status, METHOD), proof, tuple(wrong), notes)
