"""What can be proved of a grouping that was asked for: that none keeps the rules, or, with few areas, which is best of all."""

from __future__ import annotations

from collections.abc import Sequence

import networkx as nx
import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from planner.decide.regional import kernel
from planner.decide.regional.areas import Areas
from planner.decide.regional.ground import Blocks
from planner.decide.regional.neighbours import part_of
from planner.decide.regional.rules import ROUNDING, Rules

Array = np.ndarray
FEW = 12  # blocks whose groupings are all counted
_LOOKED = 500
_DEAR = 1e6  # of what breaks a rule, against any score


def impossible(areas: Areas, rules: Rules, names: Sequence[str] | None = None) -> list[str]:
    """Sentences, each of which proves that no contiguous grouping keeps the rules; none where no argument here proves it."""
    told = [str(name) for name in (areas.ids if names is None else names)]
    return [*_totals(areas, rules), *_bound_together(areas, rules, told), *_by_piece(areas, rules, told), *_apart(rules)]


def exhaustive(block: Blocks, rules: Rules) -> tuple[Array, bool]:
    """The best of all contiguous groupings of at most FEW blocks, by block, and whether it keeps the rules; else it breaks least.

    Over subsets of blocks, in the order of their bits: the best grouping of a set into j districts is the least, over the contiguous
    districts that hold the set's first block, of that district and the best of the rest into j - 1. There must be a contiguous
    grouping into `rules.count`.
    """
    ground, n = block.ground, len(block.ground.people)
    touch = [sum(1 << int(c) for c in ground.next[ground.next_at[b]:ground.next_at[b + 1]]) for b in range(n)]
    sets = [s for s in range(1, 1 << n) if _whole(s, touch)]
    costs = np.array([kernel.alone(ground, np.array([0 if s >> b & 1 else 1 for b in range(n)])) for s in sets])
    kept = costs[:, 1] == 0
    found = _least(np.array(sets)[kept], costs[kept, 0], n, rules.count)
    if found is not None:
        return found, True
    found = _least(np.array(sets), costs[:, 0] + _DEAR * costs[:, 1], n, rules.count)
    assert found is not None, "no contiguous grouping into that many"
    return found, False


def _least(sets: Array, cost: Array, n: int, count: int) -> Array | None:
    full = (1 << n) - 1
    best, taken = np.full((full + 1, count + 1), np.inf), np.zeros((full + 1, count + 1), np.int64)
    best[0, 0] = 0.0
    first = sets & -sets
    by_first = {1 << b: np.flatnonzero(first == 1 << b) for b in range(n)}
    for mask in range(1, full + 1):
        held = by_first[mask & -mask]
        held = held[(sets[held] & ~mask) == 0]
        if len(held):
            worth = cost[held, None] + best[mask ^ sets[held], :-1]
            least = worth.argmin(axis=0)
            best[mask, 1:], taken[mask, 1:] = worth[least, np.arange(count)], sets[held][least]
    if not np.isfinite(best[full, count]):
        return None
    label, rest = np.empty(n, int), full
    for j in range(count, 0, -1):
        chosen = int(taken[rest, j])
        label[[b for b in range(n) if chosen >> b & 1]] = count - j
        rest ^= chosen
    return label


def _whole(blocks: int, touch: list[int]) -> bool:
    reached = front = blocks & -blocks
    while front:
        new = touch[front.bit_length() - 1] & blocks & ~reached
        front = (front ^ 1 << front.bit_length() - 1) | new
        reached |= new
    return reached == blocks


def _groups(areas: Areas, rules: Rules) -> Array:
    """Which group each area is in, where rules of togetherness that share an area make one group."""
    n = len(areas.people)
    pairs = np.array([(g[0], a) for g in rules.together for a in g[1:]], int).reshape(-1, 2)
    return np.asarray(connected_components(sparse.coo_matrix((np.ones(len(pairs)), pairs.T), (n, n)), directed=False)[1])


def _totals(areas: Areas, rules: Rules) -> list[str]:
    total, k = float(areas.people.sum()), rules.count
    out = []
    if k * rules.low > total + k * ROUNDING:
        out.append(f"{k} distritos de al menos {rules.low:,.0f} personas piden {k * rules.low:,.0f} y hay {total:,.0f}; pida menos "
                   "distritos o un mínimo menor.")
    if k * rules.high < total - k * ROUNDING:
        out.append(f"En {k} distritos de a lo más {rules.high:,.0f} personas caben {k * rules.high:,.0f} y hay {total:,.0f}; pida más "
                   "distritos o un máximo mayor.")
    group = _groups(areas, rules)
    if (made := int(group.max()) + 1) < k:
        out.append(f"Con lo que debe ir junto quedan {made} grupos de áreas y se piden {k} distritos; pida menos o quite reglas.")
    seats = len(np.unique(group[areas.hospital_at]))
    if rules.hospital_required and seats < k:
        out.append(f"Se piden {k} distritos con hospital y sólo {seats} áreas o grupos lo tienen; pida menos o no exija hospital.")
    return out


def _bound_together(areas: Areas, rules: Rules, names: list[str]) -> list[str]:
    """Groups too large, not joinable, or without room around them: who may share a district with a group stands pair by pair.

    Groups of one area are looked around from only where there are at most _LOOKED areas.
    """
    group = _groups(areas, rules)
    people, size = np.bincount(group, areas.people), np.bincount(group)
    foes: dict[int, set[int]] = {int(g): set() for g in np.unique(group)}
    for a, b in rules.apart:
        foes[int(group[a])].add(int(group[b]))
        foes[int(group[b])].add(int(group[a]))
    large, inner, parted, cornered = [], [], [], []
    for g, first in enumerate(np.unique(group, return_index=True)[1]):
        if people[g] > rules.high + ROUNDING:
            large.append(f"{names[first]}: {people[g]:,.0f}")
        elif g in foes[g]:
            inner.append(names[first])
        elif size[g] > 1 or len(group) <= _LOOKED:
            may = (people[g] + people[group] <= rules.high + ROUNDING) & ~np.isin(group, sorted(foes[g])) | (group == g)
            around = _around(areas, may)
            home = np.isin(around, np.unique(around[group == g]))
            if len(np.unique(around[group == g])) > 1:
                parted.append(names[first])
            elif areas.people[home].sum() < rules.low - ROUNDING or (rules.hospital_required and not home[areas.hospital_at].any()):
                cornered.append(names[first])
    return [*_told(large, f"no caben en un distrito de {rules.high:,.0f} personas", "suba el máximo"),
            *_told(inner, "deben ir a la vez juntas y separadas", "quite una de las dos reglas"),
            *_told(parted, "deben ir juntas y nada que quepa en su distrito las une", "quite la regla o suba el máximo"),
            *_told(cornered, "no juntan el mínimo de personas o un hospital con vecinos que quepan", "baje el mínimo o suba el máximo")]


def _around(areas: Areas, may: Array) -> Array:
    """In which piece each of the areas that `may` lies; -1 for the others."""
    n = len(may)
    inside = areas.edges[may[areas.edges].all(axis=1)]
    piece = connected_components(sparse.coo_matrix((np.ones(len(inside)), inside.T), (n, n)), directed=False)[1]
    return np.where(may, piece, -1)


def _by_piece(areas: Areas, rules: Rules, names: list[str]) -> list[str]:
    """Each piece of the map needs districts of its own: at least people / high, at most people / low, blocks and hospitals."""
    piece = part_of(areas.edges, len(areas.people))
    people, pieces = np.bincount(piece, areas.people), int(piece.max()) + 1
    if pieces == 1:
        return []
    group = _groups(areas, rules)
    least = np.maximum(1, np.ceil((people - ROUNDING) / max(rules.high, ROUNDING))).astype(int)
    most = np.array([len(np.unique(group[piece == p])) for p in range(pieces)])
    if rules.low > 0:
        most = np.minimum(most, np.floor((people + ROUNDING) / rules.low).astype(int))
    if rules.hospital_required:
        held = group[areas.hospital_at]
        most = np.minimum(most, [len(np.unique(held[piece[areas.hospital_at] == p])) for p in range(pieces)])
    where = [names[int(np.argmax(piece == p))] for p in range(pieces)]
    out = _told([where[p] for p in range(pieces) if least[p] > most[p]],
                "quedan en partes del mapa sin vecinos que no alcanzan el mínimo, no caben o no tienen hospital",
                "tome por vecinas a las áreas unidas por camino")
    if least.sum() > rules.count:
        out.append(f"El mapa está en {pieces} partes que no se tocan (islas) y piden al menos {least.sum()} distritos, no {rules.count}; "
                   "tome por vecinas a las áreas unidas por camino o pida más distritos.")
    if most.sum() < rules.count:
        out.append(f"Las {pieces} partes del mapa que no se tocan dan a lo más {most.sum()} distritos, no {rules.count}; pida menos.")
    return out


def _apart(rules: Rules) -> list[str]:
    graph = nx.Graph([tuple(sorted(pair)) for pair in rules.apart])
    many = max((len(clique) for clique in nx.find_cliques(graph)), default=0)
    if many <= rules.count:
        return []
    return [f"{many} áreas deben ir separadas unas de otras y se piden {rules.count} distritos; pida más distritos o quite reglas."]


def _told(which: list[str], what: str, remedy: str) -> list[str]:
    if not which:
        return []
    shown = ", ".join(which[:3]) + (", ..." if len(which) > 3 else "")
    return [f"{len(which)} {'área o grupo' if len(which) == 1 else 'áreas o grupos'} ({shown}) {what}; {remedy}."]
