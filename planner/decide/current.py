"""Today's circuits of mobile teams: the round each one drives, what it takes of the month, whom it visits and what it costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
from scipy import sparse

from planner.decide.calendar import month_visits
from planner.decide.rounds import RoundRules, exact, plan_round
from planner.kinds import Kind
from planner.model import Access, Day, Region, TeamTimes, TravelTimes
from planner.settings import Scenario
from planner.travel.ground import DECIMALS
from planner.travel.teams import team_times

TEAM_OF: Mapping[str, Kind] = {"UMM": "umm", "brigada": "brigada"}  # the kind of team whose rules each class of unit keeps
_NO_WAY = "no se planea una ronda"


@dataclass(frozen=True, eq=False)
class CurrentCircuit:
    """What one unit visits today. Its cost is already paid, outside the budget, and the visits count in today's access."""

    clues: str
    name: str
    team: Kind | None  # `umm` or `brigada`; None: it is no mobile unit
    stops: tuple[str, ...]  # cvegeo, by id
    visits_month: float  # of its round: the most of any of its stops
    people: float  # target people of its stops
    annual_mxn: float  # NaN where it is no mobile unit
    days: tuple[Day, ...]  # one round, that visits every stop once; none where no round keeps the rules
    why_not: str  # in Spanish, the rule that no round keeps; empty where there is a round

    @property
    def driven_min(self) -> float:
        """Minutes of travel of one round."""
        return sum(sum(day.legs_min) for day in self.days)

    @property
    def days_month(self) -> int:
        """Working days of the month that its rounds take."""
        return len(self.days) * month_visits(self.visits_month)


@dataclass(frozen=True, eq=False)
class Today:
    """Today's circuits by clues, and the directed minutes that their rounds are planned over."""

    circuits: tuple[CurrentCircuit, ...] = ()
    times: TeamTimes | None = None  # bases: the mobile units that have stops; none where no unit has

    def minutes(self, clues: str, stops: Sequence[str]) -> np.ndarray:
        """(n + 1, n + 1) minutes from row to column among the unit's own place (0) and these stops; inf where there is no way.

        KeyError for a unit that is no base.
        """
        if self.times is None or clues not in self.times.out.sites:
            raise KeyError(clues)
        rows, base = pd.Index(self.times.out.localities).get_indexer(pd.Index(stops)), self.times.out.sites.get_indexer(pd.Index([clues]))
        table = np.full((len(rows) + 1, len(rows) + 1), np.inf)
        table[0, 1:] = _dense(self.times.out, rows, base)[:, 0]
        table[1:, 0] = _dense(self.times.back, rows, base)[:, 0]
        table[1:, 1:] = _dense(self.times.between, rows, rows)
        return table


def todays_circuits(region: Region, access: Access, scenario: Scenario, cache: Path | None = None, *, also: pd.Index | None = None
                    ) -> Today:
    """Each unit's circuit as region.circuits tells it, its round planned in the scenario's season from the unit's own place.

    A unit of class UMM keeps the rules of a UMM, a brigade those of a brigade; the number of stops is theirs. Every stop is
    visited as often as the one visited most: its round never drops a visit. `also` are further localities that minutes are
    told of; `cache` keeps what was searched before.
    """
    if region.circuits is None:
        return Today()
    listed = region.circuits[region.circuits["visits_month"] > 0]
    stops = listed.groupby(["clues", "cvegeo"])["visits_month"].sum().reset_index()
    units = region.units.loc[sorted(stops["clues"].unique())]
    team = units["unit_class"].map(TEAM_OF).where(units["role"] == "movil")
    bases = pd.Index(units.index[team.notna()])
    times = None
    if len(bases):
        wanted = pd.Index(stops.loc[stops["clues"].isin(bases), "cvegeo"], dtype="str")
        times = team_times(region, scenario, wanted if also is None else wanted.union(also.astype("str")), cache, bases=bases)
    unplanned = Today((), times)
    return Today(tuple(_circuit(unplanned, str(clues), mine, region, access, scenario) for clues, mine in stops.groupby("clues")), times)


def _circuit(today: Today, clues: str, mine: pd.DataFrame, region: Region, access: Access, scenario: Scenario) -> CurrentCircuit:
    unit, stops = region.units.loc[clues], tuple(sorted(mine["cvegeo"].astype(str)))
    people, visits = float(access.localities.loc[list(stops), "people"].sum()), float(mine["visits_month"].max())
    told = CurrentCircuit(clues, str(unit["name"]), None, stops, visits, people, np.nan, (), "")
    if today.times is None or clues not in today.times.out.sites:
        return replace(told, why_not=f"no es una UMM ni una brigada que opere: sus visitas cuentan, {_NO_WAY}")
    team = TEAM_OF[unit["unit_class"]]
    annual = scenario.cost_umm_annual_mxn if team == "umm" else scenario.cost_brigade_annual_mxn
    told, rules = replace(told, team=team, annual_mxn=annual), RoundRules.of(team, visits, scenario)
    astray = _off_the_ground(region, clues, stops)
    if astray:
        return replace(told, why_not=f"{astray}: {_NO_WAY}")
    minutes = today.minutes(clues, stops)
    days = plan_round(clues, stops, minutes, rules)
    return replace(told, days=days) if days is not None else replace(told, why_not=_why_not(told, minutes, rules, scenario))


def _off_the_ground(region: Region, clues: str, stops: Sequence[str]) -> str:
    """What has no place on the ground of the region, in words; empty if all have one."""
    height, width = region.grid.shape

    def on(points: gpd.GeoSeries) -> np.ndarray:
        x, y = points.x.to_numpy(float), points.y.to_numpy(float)
        known = np.isfinite(x) & np.isfinite(y)
        row, col = region.grid.cells(np.where(known, x, 0.0), np.where(known, y, 0.0))
        there: np.ndarray = known & (row >= 0) & (row < height) & (col >= 0) & (col < width)
        return there

    if not on(region.units.geometry.loc[[clues]]).all():
        return "la unidad no tiene coordenadas dentro del terreno de la región"
    away = [stop for stop, there in zip(stops, on(region.localities.geometry.loc[list(stops)]), strict=True) if not there]
    return f"{_named(away)} sin coordenadas dentro del terreno de la región" if away else ""


def _why_not(circuit: CurrentCircuit, minutes: np.ndarray, rules: RoundRules, scenario: Scenario) -> str:
    """The first rule that no round of these stops keeps."""
    n, visits = len(circuit.stops), f"{circuit.visits_month:g} visitas al mes"
    if rules.days_max < 1:
        return f"{visits} no caben en {scenario.working_days_month} días de trabajo"
    if rules.stops_fit < 1:
        return f"una parada de {scenario.stop_hours_min:g} h no cabe en la jornada de {scenario.shift_hours:g} h"
    seen = minutes[0, 1:] <= rules.first_stop_max_min
    for _ in range(n):
        seen = seen | (seen[:, None] & (minutes[1:, 1:] <= rules.leg_max_min)).any(axis=0)
    if not seen.all():
        far = [stop for stop, near in zip(circuit.stops, seen, strict=True) if not near]
        return (f"{_named(far)} sin camino en la temporada a {scenario.first_stop_max_min:g} min o menos de la base ni a "
                f"{scenario.leg_max_min:g} o menos de otra parada")
    hedge = "" if exact(n, rules) else " (con tantas paradas la búsqueda no es exacta)"
    eased = replace(rules, visits=1, working_days=4 * (rules.nights_max + 1) * (n + 1))
    days = plan_round(circuit.clues, circuit.stops, minutes, eased)
    if days is not None:
        return (f"una vuelta a {f'sus {n} paradas' if n > 1 else 'su parada'} toma {len(days)} {'días' if len(days) > 1 else 'día'}: "
                f"con {visits} no cabe en {scenario.working_days_month} días de trabajo{hedge}")
    alone = [stop for k, stop in enumerate(circuit.stops, 1)
             if plan_round(circuit.clues, [stop], minutes[np.ix_([0, k], [0, k])], eased) is None]
    nights = f" ni con {rules.nights_max} noches fuera" if rules.nights_max else ""
    return (f"la jornada de {scenario.shift_hours:g} h no alcanza para ir, atender {scenario.stop_hours_min:g} h y volver{nights}: "
            f"{_named(alone or list(circuit.stops))}{hedge}")


def _named(stops: Sequence[str]) -> str:
    listed = f"{', '.join(stops[:3])}{', …' if len(stops) > 3 else ''}"
    return f"{len(stops)} {'paradas' if len(stops) > 1 else 'parada'} ({listed})"


def _dense(times: TravelTimes, rows: np.ndarray, sites: np.ndarray) -> np.ndarray:
    """Minutes by row and site; inf where there is none within the cutoff."""
    table = sparse.csr_matrix((times.value + 1.0, times.site, times.indptr), (len(times.localities), len(times.sites)))
    some = table[rows][:, sites].toarray()
    return np.round(np.where(some > 0, some - 1.0, np.inf), DECIMALS)
