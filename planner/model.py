"""The nouns of the planner: frozen dataclasses that hold facts, decisions and consequences.

Ids are the index everywhere (`cvegeo` for localities, `clues` for units, `cve_mun` of five digits for
municipalities). Tables are sorted by id. Minutes are floats; unreachable is `inf` inside and null in exports.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from planner.kinds import Kind, Level, Mode, Severity

# Steps from a cell (rows down, columns right): eight neighbours, then the eight knight's moves.
STEPS: tuple[tuple[int, int], ...] = (
    (-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1),
    (-2, -1), (-2, 1), (-1, -2), (-1, 2), (1, -2), (1, 2), (2, -1), (2, 1))


def opposite(step: int) -> int:
    """The position in STEPS of the step that undoes this one.

    >>> all(STEPS[opposite(k)] == (-down, -right) for k, (down, right) in enumerate(STEPS))
    True
    """
    return 7 - step if step < 8 else 23 - step


@dataclass(frozen=True)
class Finding:
    """One thing the data checks found, in words: what, where, how many, examples and what to do."""

    code: str
    severity: Severity
    what: str
    where: str
    count: int
    examples: tuple[str, ...] = ()
    remedy: str = ""

    @classmethod
    def of(cls, code: str, severity: Severity, what: str, where: str, ids: Iterable[str], remedy: str = "") -> tuple[Finding, ...]:
        """One finding that counts `ids` and shows the first three; none where there are no ids.

        >>> Finding.of("x", "nota", "tres casos", "tabla", ["c", "a", "b", "d"])[0].examples
        ('a', 'b', 'c')
        """
        listed = sorted(map(str, ids))
        return (cls(code, severity, what, where, len(listed), tuple(listed[:3]), remedy),) if listed else ()


@dataclass(frozen=True)
class InputFile:
    """A file that a region was made from."""

    role: str  # key of the region file, such as "localities.iter"
    name: str  # path as written in the region file
    sha256: str
    size_bytes: int
    cutoff: str = ""  # date the publisher gives, where the name or content tells it


@dataclass(frozen=True, eq=False)
class Grid:
    """Terrain (and rasters of road speed) on one grid, north up, square cells in metres.

    `road_kmh` is 0 where there is no road; `slope_deg` and `walk_factor` are NaN where the publisher has no data. Where
    there is an elevation model, slopes of each step come from it and `slope_deg` only says where it has no data (voids
    and sea are NaN in both).
    """

    transform: tuple[float, float, float, float, float, float]  # affine a, b, c, d, e, f
    crs: str
    road_kmh: np.ndarray  # float32 (height, width)
    slope_deg: np.ndarray  # float32 (height, width), degrees as published
    walk_factor: np.ndarray  # float32 (height, width), 0..1
    elevation_m: np.ndarray | None = None  # float32 (height, width), of the cells' centres
    blocked: np.ndarray | None = None  # uint16 (height, width): bit k is set where a barrier crosses STEPS[k]
    people: np.ndarray | None = None  # float32 (height, width): people of a population raster, NaN where it has no data

    @property
    def shape(self) -> tuple[int, int]:
        return (int(self.road_kmh.shape[0]), int(self.road_kmh.shape[1]))

    @property
    def cell_m(self) -> float:
        return float(self.transform[0])

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east and north edges, metres."""
        a, _, west, _, e, north = self.transform
        return west, north + self.shape[0] * e, west + self.shape[1] * a, north

    def centres(self, cells: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """x and y of the centres of flat cells (row * width + column)."""
        a, _, c, _, e, f = self.transform
        row, col = np.divmod(cells, self.shape[1])
        return c + (col + 0.5) * a, f + (row + 0.5) * e

    def cells(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Row and column of each point (metres, grid CRS); may lie outside the grid."""
        a, _, c, _, e, f = self.transform
        col = np.floor((np.asarray(x, float) - c) / a).astype(np.int64)
        row = np.floor((np.asarray(y, float) - f) / e).astype(np.int64)
        return row, col


@dataclass(frozen=True, eq=False)
class Roads:
    """Vector roads in the region's CRS: edges run between the vertices that ways share and those where a way ends.

    Ways that cross without a common vertex (bridges) are not connected.
    """

    nodes: gpd.GeoDataFrame  # index `node` 0..n-1; schema.ROAD_NODES, points
    edges: gpd.GeoDataFrame  # index `edge` 0..m-1; schema.ROADS, lines from u to v
    own: int | None = None  # the first so many edges are the region's own, the rest lie beyond its border; None: all are its own

    @property
    def at_home(self) -> Roads:
        """The region's own roads, without those of its neighbours."""
        return self if self.own is None else Roads(self.nodes, self.edges.iloc[: self.own])


@dataclass(frozen=True, eq=False)
class Region:
    """Checked facts of one state: who lives where, which units there are, what travel costs. Holds no answers."""

    name: str
    slug: str
    entity: str  # INEGI code of two digits
    crs: str  # projected, metres
    synthetic: bool
    localities: gpd.GeoDataFrame  # index cvegeo; schema.LOCALITIES
    units: gpd.GeoDataFrame  # index clues; schema.UNITS
    municipalities: gpd.GeoDataFrame  # index cve_mun; schema.MUNICIPALITIES
    responsibility: pd.DataFrame | None  # schema.RESPONSIBILITY: cvegeo, clues, people, share; sorted
    circuits: pd.DataFrame | None  # today's mobile stops: clues, cvegeo, visits_month
    grid: Grid
    findings: tuple[Finding, ...]
    inputs: tuple[InputFile, ...]
    roads: Roads | None = None
    barriers: gpd.GeoSeries | None = None  # lines and polygons that are not crossed on foot except by a road
    resources: pd.DataFrame | None = None  # index clues; schema.RESOURCES: rooms and staff of units
    community: pd.DataFrame | None = None  # index cvegeo; schema.COMMUNITY: what the community organises, of the localities that tell it
    served: pd.DataFrame | None = None  # schema.SERVED: clues, year, people, target; sorted


@dataclass(frozen=True, eq=False)
class Surface:
    """Minutes from every cell to the nearest of `sites`, and which one it is."""

    minutes: np.ndarray  # float64 (height, width); inf = beyond the bound or impassable
    site: np.ndarray  # int32 (height, width): position in `sites`, -1 = none
    sites: tuple[str, ...]  # sorted ids


@dataclass(frozen=True, eq=False)
class TravelTimes:
    """Minutes from localities to sites within `cutoff_min`: CSR by locality, a stored zero is a real zero."""

    localities: pd.Index  # cvegeo, one per row
    sites: pd.Index  # site ids: clues of units, cvegeo of candidate seats
    cutoff_min: float
    indptr: np.ndarray  # int64
    site: np.ndarray  # int32, ascending within each row
    value: np.ndarray  # float64 minutes

    def minutes(self, cvegeo: str, site_id: str) -> float:
        """Minutes from one locality to one site; `inf` beyond the cutoff. KeyError for unknown ids."""
        (i,), (j,) = self.localities.get_indexer(pd.Index([cvegeo])), self.sites.get_indexer(pd.Index([site_id]))
        if i < 0 or j < 0:
            raise KeyError(cvegeo if i < 0 else site_id)
        lo, hi = int(self.indptr[i]), int(self.indptr[i + 1])
        k = lo + int(np.searchsorted(self.site[lo:hi], j))
        return float(self.value[k]) if k < hi and self.site[k] == j else float("inf")

    def pairs(self) -> pd.DataFrame:
        """Long table `cvegeo`, `site`, `minutes`, sorted by both ids."""
        rows = np.repeat(np.arange(len(self.localities)), np.diff(self.indptr))
        return pd.DataFrame(
            {"cvegeo": self.localities[rows], "site": self.sites[self.site], "minutes": self.value}
        )

    def within(self, limit_min: float) -> pd.DataFrame:
        """The pairs no farther than `limit_min` (inclusive)."""
        table = self.pairs()
        return table[table["minutes"] <= limit_min].reset_index(drop=True)

    def nearest(self) -> pd.DataFrame:
        """Per locality the nearest site and its minutes (ties: lowest id); `inf` and null where none is in reach."""
        first = self.pairs().sort_values(["cvegeo", "minutes", "site"]).drop_duplicates("cvegeo")
        out = first.set_index("cvegeo").reindex(self.localities)
        return out.assign(minutes=out["minutes"].fillna(np.inf))


@dataclass(frozen=True, eq=False)
class Travel:
    """All travel that one scenario needs.

    `nearest[level, mode]` is indexed by cvegeo with columns `minutes` (inf: unreachable) and `clues` (null: none),
    not bounded. `surfaces[level, mode]` are the rasters they were read from (without `transporte_publico`, which is
    derived from the other two).
    """

    nearest: dict[tuple[Level, Mode], pd.DataFrame]
    surfaces: dict[tuple[Level, Mode], Surface]
    first_level: TravelTimes  # localities -> fixed first-level units, mode_first_level, up to cutoff_first_level_min
    seats: TravelTimes  # localities -> candidate seats for a UMR, mode_first_level, up to the end of the ramp or the spacing
    bases: TravelTimes  # localities -> every fixed public unit (base of teams), mode_teams, up to first_stop_max_min
    moved: pd.DataFrame  # points on impassable cells: kind (localidad/unidad), id, metres, result (movida/rechazada)
    road_all_year: pd.Series  # bool by cvegeo: a road passable all year within the locality's 3x3 cells
    road_any: pd.Series  # bool by cvegeo: any road within the locality's 3x3 cells in the scenario's season
    referral: gpd.GeoDataFrame = field(default_factory=lambda: gpd.GeoDataFrame(
        columns=["site", "minutes", "walk_min", "drive_min", "metres", "geometry"], geometry="geometry",
        index=pd.Index([], dtype="str")))  # the way from each fixed first-level unit (clues) to its nearest hospital, mode_hospital


@dataclass(frozen=True, eq=False)
class Access:
    """Access before any decision: what every locality and unit has.

    `localities` has the index of the region's and the columns of schema.ACCESS; `shares` is long: cvegeo, clues,
    share (sums to 1 or 0 by locality), origin (`oficial` / `cercania`), kind (`fija` / `movil`), minutes, ramp, rho.
    `units` is indexed by clues with load, capacity, rho, localities and people.
    """

    localities: pd.DataFrame
    shares: pd.DataFrame
    units: pd.DataFrame
    dispersed: pd.DataFrame | None = None  # access.dispersed: people outside listed localities, where a raster tells them


@dataclass(frozen=True)
class Day:
    """One working day of a team's round: it starts where the team slept, at the base or at the last stop of the day before."""

    stops: tuple[str, ...]  # in visiting order; a day may only bring the team home
    legs_min: tuple[float, ...]  # minutes of travel to each stop and then, if the night is not spent out, back to the base

    @property
    def night_out(self) -> bool:
        return len(self.legs_min) == len(self.stops)


@dataclass(frozen=True, eq=False)
class TeamTimes:
    """Directed minutes of mobile teams in the scenario's season, by `mode_teams`."""

    out: TravelTimes  # locality (row) <- base (site): from the base to the locality, up to first_stop_max_min
    back: TravelTimes  # locality (row) -> base (site), up to what a stop leaves of the shift
    between: TravelTimes  # from the stop of the row to the stop of the site, up to leg_max_min


@dataclass(frozen=True, eq=False)
class Option:
    """A feasible intervention, priced, with whom it could serve alone and why it is feasible."""

    id: str
    kind: Kind
    place: str  # cvegeo of the seat, or clues of the strengthened unit or of the base
    name: str
    capital_mxn: float
    annual_mxn: float  # running cost + annualised capital, what the budget pays
    capacity_people: float  # target people a year it can take
    serves: pd.DataFrame  # by cvegeo and tier: minutes, available (people it may take), gain (weighted, a person),
    #                       people and weighted (what it would take and close if it stood alone)
    reason: str
    stops: tuple[str, ...] = ()  # circuits: localities in visiting order
    days: tuple[Day, ...] = ()  # circuits: one round, which visits every stop once and ends at the base
    visits_month: float = 0.0
    excludes: tuple[str, ...] = ()  # ids that may not stand beside it: seats closer than the spacing
    pool_stops: int = 0  # relaxed options: localities that each copy visits of all that it could serve
    copies: int = 1

    @property
    def people(self) -> float:
        return float(self.serves["people"].sum())

    @property
    def weighted(self) -> float:
        return float(self.serves["weighted"].sum())


@dataclass(frozen=True, eq=False)
class Solution:
    """What the optimiser proved: its plan's value, a bound that no plan of these options can pass, and how.

    In the unit of the scenario's objective: weighted gap closed, people taken, or weighted gap a person by which the worst
    municipality betters. `ceiling` is a second bound, that holds whatever other circuits one might draw.
    """

    value: float
    bound: float
    status: str
    method: str
    ceiling: float = np.nan

    @property
    def gap(self) -> float:
        """Part of the bound that this plan does not reach: what a better one could at most add; 0 when both are 0."""
        return 0.0 if self.bound <= 0 else max(0.0, (self.bound - self.value) / self.bound)

    @property
    def gap_any(self) -> float:
        """The same against the ceiling: what a plan with any other circuits could at most add."""
        return self.gap if not self.ceiling > 0 else max(0.0, (self.ceiling - self.value) / self.ceiling)


@dataclass(frozen=True, eq=False)
class Plan:
    """Decisions only: which options are chosen and whom each one takes.

    `served` is long: option, cvegeo, tier (`sin_servicio` first, then `con_servicio`), people, minutes.
    """

    options: tuple[Option, ...]  # every feasible option, by id
    chosen: tuple[str, ...]  # ids, sorted
    served: pd.DataFrame
    solution: Solution


@dataclass(frozen=True, eq=False)
class Outcome:
    """Consequences of a plan: per-locality and per-unit results, indicators and rule violations."""

    localities: gpd.GeoDataFrame  # the region's localities + schema.ACCESS, also with suffix `_plan`
    units: gpd.GeoDataFrame
    proposals: gpd.GeoDataFrame  # chosen options, index id
    indicators: dict[str, Any]
    violations: tuple[str, ...] = field(default=())
    legs: gpd.GeoDataFrame = field(default_factory=lambda: gpd.GeoDataFrame(
        columns=["from_id", "to_id", "minutes", "walk_min", "drive_min", "metres", "geometry"], geometry="geometry"))
    # the way of each leg of the chosen circuits, as travel.teams tells it
