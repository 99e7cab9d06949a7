"""The ground of one mode and season, and the questions asked of it: nearest, k nearest, surfaces and all pairs within a cutoff.

Directions are explicit: `towards` is from localities or cells to the sites (patients), otherwise from the sites (teams).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd

from planner.kinds import Mode
from planner.model import Grid, Region, Roads, Surface
from planner.settings import Scenario
from planner.travel import board
from planner.travel.cache import cached
from planner.travel.join import Graph, join
from planner.travel.network import Anchors
from planner.travel.places import Places, set_on_grid
from planner.travel.weigh import Weighed, anchors, weigh

# Minutes are told to the millionth: what is 60 minutes on paper is within 60, whatever the binary fractions.
DECIMALS = 6
MARGIN = 10.0**-DECIMALS


@dataclass(frozen=True, eq=False)
class Ground:
    """A region's graph with the costs of one mode (`a_pie` or `vehiculo`) in one season."""

    graph: Graph
    roads: Roads | None
    barriers: gpd.GeoSeries | None
    scenario: Scenario
    weighed: Weighed
    cache: Path | None = None  # folder that keeps the results of searches

    @cached_property
    def outward(self) -> board.Board:
        """For searches from the sites."""
        return board.lay_out(self.weighed.network)

    @cached_property
    def inward(self) -> board.Board:
        """For searches towards the sites."""
        network = self.weighed.network
        one_way = network.tail.size or (network.factor is not None and self.graph.grid.elevation_m is not None)
        return board.lay_out(network.reversed()) if one_way else self.outward

    def board(self, towards: bool) -> board.Board:
        return self.inward if towards else self.outward

    def searched(self, kind: str, towards: bool, told: tuple[object, ...], compute: Callable[[], tuple[np.ndarray, ...]]
                 ) -> tuple[np.ndarray, ...]:
        """What a search of this kind gives, from the cache where it was done before."""
        return cached(self.cache, (kind, self.board(towards).fingerprint, *told), compute) if self.cache else compute()

    def set(self, points: gpd.GeoDataFrame) -> Places:
        """Points (index = id, the region's CRS) on ground that can be walked."""
        return set_on_grid(self.graph.grid, self.weighed.walk, points, snap_max_m=self.scenario.snap_max_m, barriers=self.barriers)

    def anchors(self, places: Places, *, arriving: bool) -> Anchors:
        return anchors(self.graph, self.weighed, self.scenario, places.cells, places.x, places.y, self.barriers, arriving=arriving)


@dataclass(frozen=True, eq=False)
class _Terrain:
    """What a graph is made of; equal where it is the same objects, so that regions that share them share their graph."""

    grid: Grid
    roads: Roads | None
    barriers: gpd.GeoSeries | None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Terrain) and self._which() == other._which()

    def __hash__(self) -> int:
        return hash(self._which())

    def _which(self) -> tuple[int, ...]:
        return id(self.grid), id(self.roads), id(self.barriers)


def graph_of(region: Region) -> Graph:
    """Roads and terrain of a region in one graph, made once."""
    return _graph_of(_Terrain(region.grid, region.roads, region.barriers))


@lru_cache(maxsize=2)
def _graph_of(terrain: _Terrain) -> Graph:
    return join(terrain.grid, terrain.roads, terrain.barriers)


def ground_of(region: Region, scenario: Scenario, mode: Mode, cache: Path | None = None) -> Ground:
    """The ground of `a_pie` or `vehiculo` in a scenario: its graph is made once, its costs are laid on it when they change."""
    terrain = _Terrain(region.grid, region.roads, region.barriers)
    return _ground_of(terrain, scenario.model_copy(update={"name": "base", "budget_mxn_year": 0.0, "capital_mxn": None}), mode, cache)


@lru_cache(maxsize=2)
def _ground_of(terrain: _Terrain, scenario: Scenario, mode: Mode, cache: Path | None) -> Ground:
    graph = _graph_of(terrain)
    return Ground(graph, terrain.roads, terrain.barriers, scenario, weigh(graph, terrain.roads, scenario, mode), cache)


def labels(ground: Ground, sites: Places, *, towards: bool = True, bound_min: float = np.inf) -> board.Labels:
    """Minutes between every cell and road node and its nearest site within the bound, and which (ties: the lowest id)."""
    at, on = ground.anchors(sites, arriving=towards), ground.board(towards)
    return board.Labels(*ground.searched("nearest", towards, (at.place, at.node, at.minutes, bound_min), lambda: board.nearest(
        on, at, bound_min=bound_min + MARGIN).arrays()))


def surface(ground: Ground, found: board.Labels, sites: Places, *, bound_min: float = np.inf) -> Surface:
    """The cells of the labels: minutes (height, width) and position of the site, -1 where none is within the bound."""
    shape = ground.graph.grid.shape
    minutes = np.round(found.minutes[: shape[0] * shape[1]], DECIMALS).reshape(shape)
    beyond = minutes > bound_min
    site = found.source[: minutes.size].reshape(shape)
    return Surface(np.where(beyond, np.inf, minutes), np.where(beyond, -1, site).astype(np.int32), tuple(sites.ids))


def nearest_surface(ground: Ground, sites: Places, *, towards: bool = True, bound_min: float = np.inf) -> Surface:
    """Minutes between every cell and the nearest of `sites` within the bound, and which one (ties: the lowest id)."""
    return surface(ground, labels(ground, sites, towards=towards, bound_min=bound_min), sites, bound_min=bound_min)


def read_labels(ground: Ground, found: board.Labels, sites: Places, places: Places, *, towards: bool = True) -> pd.DataFrame:
    """Nearest site of each place: `minutes` (inf: none within the labels' bound, NaN: the place was refused) and `clues`, its id."""
    at, minutes = entries(ground, found, places, towards=towards)
    told, site = np.where(places.cells < 0, np.nan, np.inf), np.full(len(places.ids), -1)
    told[at.place] = np.round(minutes, DECIMALS)
    site[at.place] = found.source[at.node]
    clues = pd.Series(sites.ids, dtype="str").reindex(site).set_axis(places.ids)
    return pd.DataFrame({"minutes": told, "clues": clues}, index=places.ids)


def entries(ground: Ground, found: board.Labels, places: Places, *, towards: bool = True) -> tuple[Anchors, np.ndarray]:
    """The anchor by which each place is nearest to a site (ties: the lowest id of the site), and its minutes to the site."""
    return best(found, ground.anchors(places, arriving=not towards))


def best(found: board.Labels, at: Anchors) -> tuple[Anchors, np.ndarray]:
    """Of each place's anchors the one nearest to a site, and the minutes from the place to it; labels and anchors number alike."""
    minutes = found.minutes[at.node] + at.minutes
    order = np.lexsort((found.source[at.node], minutes, at.place))
    first = order[np.flatnonzero(np.diff(at.place[order], prepend=-1))]
    return Anchors(at.place[first], at.node[first], at.minutes[first]), minutes[first]


def nearest_k(ground: Ground, sites: Places, places: Places, k: int, *, towards: bool = True, bound_min: float = np.inf) -> pd.DataFrame:
    """The `k` nearest sites of each place within the bound: place, rank (from 1), site, minutes; ties by the lowest id."""
    of, on = ground.anchors(sites, arriving=towards), ground.board(towards)
    minutes, source = ground.searched("nearest_k", towards, (of.place, of.node, of.minutes, k, bound_min), lambda: board.nearest_k(
        on, of, k, bound_min=bound_min + MARGIN))
    at = ground.anchors(places, arriving=not towards)
    table = pd.DataFrame({
        "place": np.repeat(at.place, k), "site": source[at.node].ravel(),
        "minutes": np.round((minutes[at.node] + at.minutes[:, None]).ravel(), DECIMALS)})
    table = table[(table["site"] >= 0) & (table["minutes"] <= bound_min)].sort_values(["place", "minutes", "site"], kind="stable")
    table = table.drop_duplicates(["place", "site"])
    table = table.assign(rank=table.groupby("place").cumcount() + 1)
    table = table[table["rank"] <= k].reset_index(drop=True)
    return table.assign(place=places.ids[table["place"]], site=sites.ids[table["site"]])[["place", "rank", "site", "minutes"]]


def pairs_within(ground: Ground, places: Places, sites: Places, cutoff_min: float, *, towards: bool = True) -> pd.DataFrame:
    """Every pair of place and site no farther apart than the cutoff: row and site (positions), value (minutes); sorted."""
    of, to, on = ground.anchors(sites, arriving=towards), ground.anchors(places, arriving=not towards), ground.board(towards)
    told = of.place, of.node, of.minutes, to.place, to.node, to.minutes, cutoff_min
    target, source, minutes = ground.searched("reach", towards, told, lambda: board.reach(on, of, to, bound_min=cutoff_min + MARGIN))
    return pd.DataFrame({"row": target, "site": source, "value": np.round(minutes, DECIMALS)})
