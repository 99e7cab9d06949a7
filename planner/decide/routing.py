"""The one door to the routing library (PyVRP): orders of the stops of one team, from which its days are cut.

The library knows vehicles that leave the base and come back, how many stops they make and how long they are out; nights and
visits over a month it does not know. Deterministic: fixed seed, one thread, limits in iterations, never in seconds.
"""

from __future__ import annotations

import numpy as np
import pyvrp
from pyvrp.stop import MaxIterations

from planner.decide.steps import Legs

ITERATIONS = 200
UNIT = 1e4  # ticks: the library counts in whole hundredths of a minute
FAR = 10_000_000  # where no team may go: dearer than any round, small enough to be summed and penalised


def orders(legs: Legs, day: int, days: int, nights: int) -> list[tuple[int, ...]]:
    """Orders of all the stops (1..n) that may be cut well into days and trips.

    Without nights out the library's routes are the days themselves: at most `day` stops within the shift, at most `days` of
    them. With nights they are trips of one day, of two and so on, and of one stop a day; each order also runs backwards.
    """
    matrix = _matrix(legs)
    n, span = len(matrix) - 1, nights + 1
    if not nights:
        return [_routes(matrix, legs, days, day, legs.shift)]
    tries = [*((day * length, legs.shift * length) for length in range(1, span + 1)), (span, np.inf)]
    found = [_routes(matrix, legs, n, stops, shift) for stops, shift in tries]
    return list(dict.fromkeys([*found, *(order[::-1] for order in found)]))


def _matrix(legs: Legs) -> np.ndarray:
    ticks = legs.going.copy()
    ticks[1:, 0] = legs.home[1:]
    np.fill_diagonal(ticks, 0.0)
    whole: np.ndarray = np.where(np.isfinite(ticks), np.rint(ticks / UNIT), FAR).astype(np.int64)
    return whole


def _routes(matrix: np.ndarray, legs: Legs, vehicles: int, stops: int, shift: float) -> tuple[int, ...]:
    """The stops in the order of the library's routes, one route after another."""
    n = len(matrix) - 1
    team = pyvrp.VehicleType(vehicles, [stops], shift_duration=int(shift / UNIT) if np.isfinite(shift) else np.iinfo(np.int64).max)
    data = pyvrp.ProblemData(
        locations=[pyvrp.Location(0, 0)] * (n + 1), depots=[pyvrp.Depot(0)], vehicle_types=[team],
        clients=[pyvrp.Client(k, delivery=[1], service_duration=round(legs.stay / UNIT)) for k in range(1, n + 1)],
        distance_matrices=[matrix], duration_matrices=[matrix])  # type: ignore[list-item]  # typed by shape there
    found = pyvrp.solve(data, MaxIterations(ITERATIONS), seed=0, collect_stats=False, display=False)
    return tuple(visit.idx + 1 for route in found.best.routes() for visit in route if visit.is_client())
