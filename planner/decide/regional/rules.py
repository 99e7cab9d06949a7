"""What districts must keep, each rule a named predicate that tells what breaks it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from planner.decide.regional.areas import Areas
from planner.errors import SettingsError

Array = np.ndarray
Broken = tuple[str, str]  # the rule and a sentence: what, where, how many, what to do
ROUNDING = 1e-6  # people: sums of shares of people are not exact


@dataclass(frozen=True)
class Rules:
    """How many districts, whom each may hold, and what a better grouping is; areas are positions.

    `minutes`, `crossing` and `compactness` are the weights of measures.score.
    """

    count: int
    low: float = 0.0  # people of a district, both ends included
    high: float = float("inf")
    together: tuple[tuple[int, ...], ...] = ()
    apart: tuple[tuple[int, int], ...] = ()
    minutes: float = 1.0
    crossing: float = 1.0
    compactness: float = 0.1
    hospital_required: bool = False


@dataclass(frozen=True, eq=False)
class Case:
    """A grouping held against the rules."""

    areas: Areas
    district: Array
    rules: Rules
    names: tuple[str, ...]  # by area

    def id(self, label: int) -> str:
        return district_id(int(label), self.rules.count)


def around_mean(total: float, count: int, tolerance: float) -> tuple[float, float]:
    """The least and most people of a district that lies within `tolerance` of the mean.

    >>> around_mean(1200.0, 3, 0.25)
    (300.0, 500.0)
    """
    mean = total / count
    return max(0.0, mean * (1 - tolerance)), mean * (1 + tolerance)


def check(rules: Rules, n: int) -> None:
    """Refuse rules that contradict themselves or name areas that are not there. Raises SettingsError."""
    named = [a for group in (*rules.together, *rules.apart) for a in group]
    faults = (
        (not 1 <= rules.count <= n, f"Se piden {rules.count} distritos de {n} áreas; pida entre 1 y {n}."),
        (rules.low > rules.high, f"El mínimo de personas por distrito ({rules.low:,.0f}) pasa del máximo ({rules.high:,.0f}); corríjalos."),
        (any(not 0 <= a < n for a in named), "Una regla de juntar o separar nombra un área que no existe; revise sus claves."),
        (any(len(set(pair)) != 2 for pair in rules.apart), "Una regla de separar nombra dos veces la misma área; quítela."),
        (min(rules.minutes, rules.crossing, rules.compactness) < 0, "Un peso de los distritos es negativo; use 0 o más."),
    )
    for wrong, sentence in faults:
        if wrong:
            raise SettingsError(sentence)


def district_id(label: int, count: int) -> str:
    """The id of a district by its label.

    >>> district_id(4, 12)
    'D05'
    """
    return f"D{label + 1:0{max(2, len(str(count)))}d}"


def broken(areas: Areas, district: Array, rules: Rules, names: Sequence[str] | None = None) -> list[Broken]:
    """The rules that a grouping breaks, each with its sentence; districts are told by their id."""
    case = Case(areas, district, rules, tuple(str(name) for name in (areas.ids if names is None else names)))
    told = [(rule, sentence(case)) for rule, sentence in RULES.items()]
    return [(rule, words) for rule, words in told if words]


def pieces(areas: Areas, members: Array) -> Array:
    """In which piece each of `members` lies, 0.. by the first of each piece."""
    at = np.full(len(areas.people), -1)
    at[members] = np.arange(len(members))
    inside = at[areas.edges][(at[areas.edges] >= 0).all(axis=1)]
    graph = sparse.coo_matrix((np.ones(len(inside)), (inside[:, 0], inside[:, 1])), (len(members), len(members)))
    return np.asarray(connected_components(graph, directed=False)[1])


def _count(case: Case) -> str:
    found, asked = len(np.unique(case.district)), case.rules.count
    return "" if found == asked else f"Hay {found} distritos y se piden {asked}; una o parta distritos."


def _contiguous(case: Case) -> str:
    bad = []
    for d in np.unique(case.district):
        members = np.flatnonzero(case.district == d)
        piece = pieces(case.areas, members)
        if piece.max() > 0:
            small = members[piece == np.argmin(np.bincount(piece))]
            bad.append(f"{case.id(d)}, en {piece.max() + 1} partes, aparte queda {case.names[small[0]]}")
    return _listed(bad, "distrito no es contiguo", "distritos no son contiguos",
                   "pase lo apartado a un distrito vecino o tome por vecinas a las áreas unidas por camino")


def _low(case: Case) -> str:
    people, low = np.bincount(case.district, case.areas.people), case.rules.low
    bad = [f"{case.id(d)}: {people[d]:,.0f}" for d in np.unique(case.district) if people[d] < low - ROUNDING]
    return _listed(bad, f"distrito tiene menos de {low:,.0f} personas", f"distritos tienen menos de {low:,.0f} personas",
                   "páseles áreas vecinas o amplíe la tolerancia")


def _high(case: Case) -> str:
    people, high = np.bincount(case.district, case.areas.people), case.rules.high
    bad = [f"{case.id(d)}: {people[d]:,.0f}" for d in np.unique(case.district) if people[d] > high + ROUNDING]
    return _listed(bad, f"distrito tiene más de {high:,.0f} personas", f"distritos tienen más de {high:,.0f} personas",
                   "quíteles áreas de la orilla o amplíe la tolerancia")


def _together(case: Case) -> str:
    split = [f"{case.names[a]} y {case.names[b]}" for group in case.rules.together for a, b in pairwise(sorted(set(group)))
             if case.district[a] != case.district[b]]
    return _listed(split, "pareja que debe ir junta quedó partida", "parejas que deben ir juntas quedaron partidas",
                   "páselas al mismo distrito o quite la regla")


def _apart(case: Case) -> str:
    joined = [f"{case.names[a]} y {case.names[b]}" for a, b in case.rules.apart if case.district[a] == case.district[b]]
    return _listed(joined, "pareja que debe ir separada quedó junta", "parejas que deben ir separadas quedaron juntas",
                   "pase una de las dos a otro distrito o quite la regla")


def _hospital(case: Case) -> str:
    without = np.setdiff1d(case.district, case.district[case.areas.hospital_at])
    bad = [case.id(d) for d in without] if case.rules.hospital_required else []
    return _listed(bad, "distrito no tiene hospital", "distritos no tienen hospital",
                   "pida menos distritos o no exija un hospital en cada uno")


def _listed(bad: list[str], one: str, many: str, remedy: str) -> str:
    if not bad:
        return ""
    return f"{len(bad)} {one if len(bad) == 1 else many} ({'; '.join(bad[:3])}{'; ...' if len(bad) > 3 else ''}); {remedy}."


RULES: dict[str, Callable[[Case], str]] = {
    "numero": _count, "contiguidad": _contiguous, "minimo": _low, "maximo": _high, "juntos": _together, "separados": _apart,
    "hospital": _hospital,
}
