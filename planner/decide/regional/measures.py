"""What a grouping of areas into districts is judged by: people, minutes, crossing, compactness, contiguity.

A place's minutes are those to the nearest hospital of its district; where the district has none, or none within the search, those to
the nearest anywhere. A place crosses when the nearest hospital of all lies in another district (ties: the first area).
Compactness is the mean over districts of Polsby and Popper's (1991) 4 pi area / perimeter^2, the perimeter being that of the areas
less twice the borders inside. Where some area has no outline it is the share of pairs of neighbours that stay in one district, the
complement of the cut edges of DeFord, Duchin and Solomon (2021).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from planner.decide.regional.areas import Areas
from planner.decide.regional.rules import Rules

Array = np.ndarray
HOUR_MIN = 60.0  # the score counts minutes in hours: one hour for all weighs as much as all people crossing
Compact = Literal["polsby_popper", "pares_vecinos"]


@dataclass(frozen=True, eq=False)
class Measures:
    """A grouping in numbers; arrays are by district, shares lie in 0..1 and are of the people of the places."""

    people: Array  # target people
    hospitals: Array  # how many lie in it
    contiguous: Array  # bool
    minutes_by: Array  # people-weighted mean minutes of those that some hospital reaches; NaN where there are none
    spread: float  # largest |people / mean - 1|
    minutes: float  # the same mean over all districts
    unreachable: float  # people whom no hospital reaches
    crossing: float  # share of people whose nearest hospital lies in another district
    compactness: float  # 0..1, higher is better
    compact_by: Compact  # what compactness is


def canonical(district: Array) -> Array:
    """The same grouping with labels 0..k-1 in the order of each district's first area.

    >>> canonical(np.array([7, 2, 7, 0])).tolist()
    [0, 1, 0, 2]
    """
    _, first, label = np.unique(district, return_index=True, return_inverse=True)
    rank = np.empty(len(first), int)
    rank[np.argsort(first)] = np.arange(len(first))
    return np.asarray(rank[label])


def reach(areas: Areas) -> tuple[Array, Array]:
    """Areas that hold hospitals, ascending, and the minutes from each place to the nearest hospital of each (places, areas)."""
    seats = np.unique(areas.hospital_at).astype(int)
    to = np.full((len(areas.point_at), len(seats)), np.inf)
    for j, seat in enumerate(seats):
        to[:, j] = areas.point_min[:, areas.hospital_at == seat].min(axis=1)
    return seats, to


def measures(areas: Areas, district: Array) -> Measures:
    """The numbers of one grouping; `district` holds a label 0..k-1 for each area."""
    k = int(district.max()) + 1
    people = np.bincount(district, areas.people, k)
    here, weight = district[areas.point_at], areas.point_people
    told, cross = by_place(areas, district)
    reached = np.isfinite(told)
    with np.errstate(invalid="ignore"):
        heads = np.bincount(here[reached], weight[reached], k)
        minutes_by = np.bincount(here[reached], (weight * told)[reached], k) / heads
    kind, compactness = _compactness(areas, district)
    return Measures(
        people=people, hospitals=np.bincount(district[areas.hospital_at], minlength=k), contiguous=parts(areas, district) <= 1,
        minutes_by=minutes_by, spread=float(np.abs(people / people.mean() - 1).max()) if people.sum() > 0 else 0.0,
        minutes=_mean(told[reached], weight[reached]), unreachable=float(weight[~reached].sum()),
        crossing=float(weight[cross].sum() / weight.sum()) if weight.sum() > 0 else 0.0, compactness=compactness, compact_by=kind)


def by_place(areas: Areas, district: Array) -> tuple[Array, Array]:
    """Each place's minutes (inf: no hospital reaches it) and whether it crosses."""
    seats, to = reach(areas)
    here = district[areas.point_at]
    near = to.min(axis=1, initial=np.inf)
    own = np.where(district[seats] == here[:, None], to, np.inf).min(axis=1, initial=np.inf)
    nearest = seats[to.argmin(axis=1)] if len(seats) else np.zeros(len(near), int)
    return np.where(np.isfinite(own), own, near), np.isfinite(near) & (district[nearest] != here)


def score(found: Measures, rules: Rules) -> float:
    """Lower is better: weight x hours + weight x share crossing + weight x (1 - compactness); hours that nobody has count 0."""
    hours = 0.0 if np.isnan(found.minutes) else found.minutes / HOUR_MIN
    return float(rules.minutes * hours + rules.crossing * found.crossing + rules.compactness * (1 - found.compactness))


def parts(areas: Areas, district: Array) -> Array:
    """In how many pieces each district lies."""
    inside = areas.edges[district[areas.edges[:, 0]] == district[areas.edges[:, 1]]]
    n = len(district)
    graph = sparse.coo_matrix((np.ones(len(inside)), (inside[:, 0], inside[:, 1])), (n, n))
    count, piece = connected_components(graph, directed=False)
    home = np.empty(count, int)
    home[piece] = district
    return np.bincount(home, minlength=int(district.max()) + 1)


def outlined(areas: Areas) -> bool:
    """Whether every area has an outline, so that shapes can be judged by it."""
    return bool((areas.perimeter_m > 0).all() and (areas.area_m2 > 0).all())


def roundness(areas: Areas, district: Array) -> Array:
    """Polsby and Popper's measure of each district, 0 of one left without areas; every area must have an outline."""
    k = int(district.max()) + 1
    inside = district[areas.edges[:, 0]] == district[areas.edges[:, 1]]
    border = 2 * np.bincount(district[areas.edges[inside, 0]], areas.shared_m[inside], k)
    perimeter = np.bincount(district, areas.perimeter_m, k) - border
    round_m = 2 * np.sqrt(np.pi * np.bincount(district, areas.area_m2, k))  # no outline of that area is shorter than the circle's
    longest = np.maximum(perimeter, round_m)
    return np.asarray(np.divide(round_m, longest, out=np.zeros(k), where=longest > 0) ** 2)


def _mean(values: Array, weight: Array) -> float:
    return float(np.average(values, weights=weight)) if weight.sum() > 0 else float("nan")


def _compactness(areas: Areas, district: Array) -> tuple[Compact, float]:
    inside = district[areas.edges[:, 0]] == district[areas.edges[:, 1]]
    if not outlined(areas):
        return "pares_vecinos", float(inside.mean()) if len(inside) else 1.0
    return "polsby_popper", float(roundness(areas, district).mean())
