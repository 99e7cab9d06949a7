"""How far beyond its border a state has to look, and of which localities it looked too near."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from planner.access.indicators import FIRST_LEVEL_MIN, HOSPITAL_MIN
from planner.borders.frame import Box, box_of, points_bounds
from planner.kinds import MODES, Mode
from planner.model import Region, Roads, Travel
from planner.settings import Scenario
from planner.sources.terrain import CELLS_M
from planner.travel.speeds import WALK_KMH, edge_kmh

_M_PER_KMH = 1000.0 / 60.0  # metres a minute at one km/h
FASTEST_KMH = 130.0  # the most that a scenario may ask of a road
_LEGS = 3  # unit of a locality, whoever answers to it, and the unit that each of them might be nearer to


def border_m(scenario: Scenario, regions: Iterable[Region] = ()) -> float:
    """Metres around a state within which everything lies that its numbers depend on, whatever the roads do.

    It is the longest of these, each in a straight line at the fastest speed that the scenario and the regions' roads allow:

    - by mode_first_level three legs: from a locality to its unit (ramp_first_level_none_min, or cutoff_first_level_min where an
      official table may name one farther away), from there to whoever else answers to that unit, for its room depends on them, and from
      each of those to the unit that may be nearer (ramp_first_level_none_min each); and one leg as far as any threshold of the first
      level (reach, remote_min, umr_spacing_min);
    - by mode_hospital ramp_hospital_none_min or reach_hospital_min, and by every mode the fixed minutes of the indicators;
    - half the way between two places of the state itself (teams, seats, CAROs, ambulances, districts), which goes out and comes back;

    and beside it what points may be moved, at both ends of each leg. Minutes beyond that horizon are not promised: see `unsure`.
    Without regions, before any is read, they are taken to have the fastest roads and the largest cells that there are, and a table.
    """
    every = list(regions)
    fastest, wait = fastest_kmh(scenario, every), scenario.public_transport_wait_min

    def metres(mode: Mode, minutes: float) -> float:
        ways = {"a_pie": minutes, "vehiculo": minutes} if mode == "transporte_publico" else {mode: minutes}
        late = wait if mode == "transporte_publico" else 0.0
        return max(fastest[way] * _M_PER_KMH * max(0.0, t - (late if way == "vehiculo" else 0.0)) for way, t in ways.items())

    none, first, hospital = scenario.ramp_first_level_none_min, scenario.mode_first_level, scenario.mode_hospital
    own = max(none, scenario.cutoff_first_level_min) if not every or any(r.responsibility is not None for r in every) else none
    stay = (scenario.shift_hours - scenario.stop_hours_min) * 60.0
    reaches = [
        metres(first, own) + (_LEGS - 1) * metres(first, none),
        metres(first, max(scenario.reach_first_level_min, scenario.remote_min, scenario.umr_spacing_min)),
        metres(hospital, max(scenario.ramp_hospital_none_min, scenario.reach_hospital_min)),
        *(metres(mode, max(*FIRST_LEVEL_MIN.values(), *HOSPITAL_MIN.values())) for mode in MODES),
        metres(scenario.mode_teams, max(scenario.first_stop_max_min, scenario.leg_max_min, scenario.ambulance_reach_min, stay)) / 2,
        metres(scenario.mode_umr_seat, scenario.umr_seat_reach_min) / 2,
        metres(hospital, scenario.regional.hospital_cutoff_min) / 2]
    return max(reaches) + (2 * _LEGS + 1) * _astray_m(scenario, every)


def fastest_kmh(scenario: Scenario, regions: Sequence[Region]) -> Mapping[str, float]:
    """The fastest that anybody goes in these regions on foot (ferries too) and by vehicle, km/h; without regions what may be."""
    if not regions:
        return {"a_pie": max(WALK_KMH, scenario.road_kmh.ferry), "vehiculo": FASTEST_KMH}
    ferries = max((_ferry_kmh(r.roads, scenario) for r in regions), default=0.0)
    roads = max((float(r.grid.road_kmh.max(initial=0.0)) for r in regions), default=0.0)
    edges = max((float(edge_kmh(r.roads.edges, scenario).max(initial=0.0)) for r in regions if r.roads is not None), default=0.0)
    foot = max(WALK_KMH, ferries)
    return {"a_pie": foot, "vehiculo": max(foot, roads, edges)}


def unsure(region: Region, neighbours: Sequence[Region], metres: float, travel: Travel, scenario: Scenario) -> pd.DataFrame:
    """Of which localities of the state the minutes might be fewer than told: bool by cvegeo, a column `level_mode` for each nearest unit.

    Those are minutes longer than the straight way to where `with_neighbours(region, neighbours, metres)` cut something off, at the
    fastest speed; unreachable counts as such. Nothing is cut off on a side where the neighbours end before the window. What lies beyond
    the neighbours is not known to anybody here. Loads of units are certain only where `metres` is `border_m` or more.
    """
    index = pd.Index(region.localities.index.sort_values())
    points = region.localities.geometry.reindex(index)
    away = _to_the_cut(points.x.to_numpy(float), points.y.to_numpy(float), box_of(region, metres), neighbours)
    away = np.maximum(0.0, away - _astray_m(scenario, [region]))
    fastest = fastest_kmh(scenario, [region, *neighbours])
    limit = {way: away / (kmh * _M_PER_KMH) for way, kmh in fastest.items()}
    limit["transporte_publico"] = np.minimum(limit["a_pie"], limit["vehiculo"] + scenario.public_transport_wait_min)
    return pd.DataFrame({f"{level}_{mode}": table["minutes"].reindex(index).to_numpy(float) > limit[mode]
                         for (level, mode), table in travel.nearest.items()}, index=index)


def _to_the_cut(x: np.ndarray, y: np.ndarray, box: Box, neighbours: Sequence[Region]) -> np.ndarray:
    """Metres from each point to the nearest side of the window beyond which a neighbour goes on; inf where none does."""
    known = [box_ for n in neighbours for box_ in (n.grid.bounds, points_bounds(n.localities, n.units)) if np.isfinite(box_).all()]
    low = np.min([b[:2] for b in known], axis=0) if known else np.full(2, np.inf)
    high = np.max([b[2:] for b in known], axis=0) if known else np.full(2, -np.inf)
    sides = [np.where(box[0] > low[0], x - box[0], np.inf), np.where(box[1] > low[1], y - box[1], np.inf),
             np.where(box[2] < high[0], box[2] - x, np.inf), np.where(box[3] < high[1], box[3] - y, np.inf)]
    return np.asarray(np.fmin.reduce(sides))


def _astray_m(scenario: Scenario, regions: Sequence[Region]) -> float:
    """How far from its point a place may enter the ground, for nothing."""
    return scenario.snap_max_m + max((r.grid.cell_m for r in regions), default=max(CELLS_M))


def _ferry_kmh(roads: Roads | None, scenario: Scenario) -> float:
    """The fastest ferry: the published crossing over its whole way, or the scenario's speed."""
    if roads is None or not roads.edges["ferry"].any():
        return 0.0
    edges = roads.edges
    whole = edges["length_m"].groupby(edges["way"]).transform("sum")
    kmh = (whole / edges["crossing_min"] / _M_PER_KMH).fillna(scenario.road_kmh.ferry)
    return float(kmh[edges["ferry"]].max())
