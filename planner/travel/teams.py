"""Travel of mobile teams: minutes between bases and stops, and the ways that they take, each in the direction of travel."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd

from planner.kinds import LEVELS
from planner.model import Region, TeamTimes, TravelTimes
from planner.settings import Scenario
from planner.travel.board import Board, one_by_one
from planner.travel.ground import Ground, best, ground_of
from planner.travel.network import Anchors
from planner.travel.paths import Ways, drawn, follow
from planner.travel.places import Places
from planner.travel.times import travel_times

_FIRST_TRIES = (1 / 16, 1 / 4)  # parts of the shift: most legs are short, and a near search costs little


def team_times(region: Region, scenario: Scenario, stops: pd.Index, cache: Path | None = None, *, bases: pd.Index | None = None
               ) -> TeamTimes:
    """Minutes by `mode_teams` from bases (clues; every fixed public unit if not given) to `stops` (cvegeo), back, and between stops.

    Places stand where `compute_travel` puts them. The way back is told as far as one stop leaves time for it within the
    shift; without nights out, only between a base and the stops it reaches, and otherwise as far as two stops leave time for.
    Nights are out where the scenario allows brigades, or with the bases given one is a brigade's own. `cache` is a folder that
    keeps what was searched before. KeyError for unknown stops and bases.
    """
    ground = ground_of(region, scenario, scenario.mode_teams, cache)
    places = ground.set(region.localities.loc[stops.unique()])
    from_units = region.units[region.units["role"].isin(LEVELS)] if bases is None else region.units.loc[bases.unique()]
    sites = ground.set(from_units)

    def told(rows: Places, sites: Places, limit_min: float, *, towards: bool = True) -> TravelTimes:
        return travel_times({scenario.mode_teams: ground}, rows, sites, scenario.mode_teams, cutoff_min=limit_min, towards=towards)

    out = told(places, sites, scenario.first_stop_max_min, towards=False)
    longest = _left_min(scenario, 1)
    brigades = "brigada" in scenario.allow if bases is None else bool((from_units["unit_class"] == "brigada").any())
    sleeps_out = brigades and scenario.brigade_nights_max > 0
    usual = longest if sleeps_out else min(longest, max(scenario.first_stop_max_min, _left_min(scenario, 2)))
    back = told(places, sites, usual)
    if usual < longest:  # whoever comes home by a longer way than the one out
        both = _pairs(out).difference(_pairs(back))
        late = told(places.only(places.ids.isin(both.get_level_values(0))), sites.only(sites.ids.isin(both.get_level_values(1))), longest)
        back = _with(back, late, both, longest)
    return TeamTimes(out, back, told(places, places, scenario.leg_max_min))


def team_legs(region: Region, scenario: Scenario, legs: pd.DataFrame, cache: Path | None = None) -> gpd.GeoDataFrame:
    """The way of each distinct leg, along roads and paths in the direction of travel, sorted by both ids.

    `legs` has from_id and to_id, clues or cvegeo. Told are from_id, to_id, minutes (to the digit those of `team_times`),
    walk_min and drive_min (they sum to minutes), metres and the line; minutes are `inf` and the rest is missing where
    there is no way. KeyError for unknown ids.
    """
    ground = ground_of(region, scenario, scenario.mode_teams, cache)
    wanted = legs[["from_id", "to_id"]].astype("str").drop_duplicates().sort_values(["from_id", "to_id"], ignore_index=True)
    points = pd.concat([region.localities.geometry, region.units.geometry])
    places = ground.set(gpd.GeoDataFrame(geometry=points.loc[pd.unique(wanted.to_numpy().ravel())], crs=region.crs))
    frm, to = (places.ids.get_indexer(pd.Index(wanted[name])) for name in ("from_id", "to_id"))
    from_base = wanted["from_id"].isin(region.units.index).to_numpy()
    found = [_ways(ground, places, frm[some], to[some], towards=towards) for towards, some in ((False, from_base), (True, ~from_base))]
    told = pd.concat(found, ignore_index=True).astype({"from_id": "str", "to_id": "str"})
    table = wanted.merge(told, how="left", on=["from_id", "to_id"])
    return gpd.GeoDataFrame(table.assign(minutes=table["minutes"].fillna(np.inf)), geometry="geometry", crs=region.crs)


def _left_min(scenario: Scenario, stops: int) -> float:
    """Minutes that a shift with so many stops leaves for travel."""
    return max(0.0, (scenario.shift_hours - stops * scenario.stop_hours_min) * 60.0)


def _pairs(times: TravelTimes) -> pd.MultiIndex:
    return pd.MultiIndex.from_frame(times.pairs()[["cvegeo", "site"]])


def _with(times: TravelTimes, more: TravelTimes, wanted: pd.MultiIndex, cutoff_min: float) -> TravelTimes:
    """The times and, of some more, the wanted pairs."""
    added = more.pairs().set_index(["cvegeo", "site"])
    table = pd.concat([times.pairs(), added[added.index.isin(wanted)].reset_index()])
    row, site = times.localities.get_indexer(pd.Index(table["cvegeo"])), times.sites.get_indexer(pd.Index(table["site"]))
    order = np.lexsort((site, row))
    indptr = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=len(times.localities)))]).astype(np.int64)
    return TravelTimes(times.localities, times.sites, cutoff_min, indptr, site[order].astype(np.int32), table["minutes"].to_numpy()[order])


def _ways(ground: Ground, places: Places, frm: np.ndarray, to: np.ndarray, *, towards: bool) -> pd.DataFrame:
    """The legs between these positions in `places`: one search from each base, or towards each destination."""
    place, site = (frm, to) if towards else (to, frm)
    sources, entries = ground.anchors(places, arriving=towards), ground.anchors(places, arriving=not towards)
    limits = (*(part * ground.scenario.shift_hours * 60.0 for part in _FIRST_TRIES), np.inf)
    told = (place, site, sources.place, sources.node, sources.minutes, entries.place, entries.node, entries.minutes, limits)
    stored = ground.searched("ways", towards, told, lambda: _joined(list(
        _searched(ground.board(towards), sources, entries, place, site, limits))).arrays())
    table = drawn(ground, Ways(*stored), places, places, towards=towards).rename_axis("place").reset_index()
    return pd.DataFrame(table).rename(columns={"place": "from_id", "site": "to_id"} if towards else {"place": "to_id", "site": "from_id"})


def _searched(
    board: Board, sources: Anchors, entries: Anchors, place: np.ndarray, site: np.ndarray, limits: tuple[float, ...]
) -> Iterator[Ways]:
    """Ways in the network's numbers: near searches first, farther ones from the sites of what these did not reach."""
    numbers, entries = board.numbers(), Anchors(entries.place, board.framed(entries.node), entries.minutes)
    for limit in limits:
        asked = np.isin(sources.place, site)
        searches = one_by_one(board, Anchors(sources.place[asked], sources.node[asked], sources.minutes[asked]), bound_min=limit)
        reached = np.zeros(len(place), bool)
        for which, found in zip(np.unique(sources.place[asked]), searches, strict=True):
            mine = np.isin(entries.place, place[site == which])
            at, minutes = best(found, Anchors(entries.place[mine], entries.node[mine], entries.minutes[mine]))
            # past the limit another anchor may be the nearer one
            way = follow(found, at, np.where(minutes <= limit, minutes, np.inf))
            reached |= (site == which) & np.isin(place, way.place)
            yield Ways(way.place, way.site, way.minutes, numbers[way.first], way.way, numbers[way.node], numbers[way.then], way.hop_min)
        place, site = place[~reached], site[~reached]


def _joined(parts: list[Ways]) -> Ways:
    """The ways of several searches, numbered on."""
    before = np.cumsum([0, *(len(part.place) for part in parts)])
    ways = np.concatenate([np.empty(0, np.int64), *(part.way + n for part, n in zip(parts, before, strict=False))])
    rest = {name: np.concatenate([np.empty(0, kind), *(getattr(part, name) for part in parts)]) for name, kind in (
        ("place", np.int32), ("site", np.int32), ("minutes", float), ("first", np.int64), ("node", np.int64), ("then", np.int64),
        ("hop_min", float))}
    return Ways(way=ways, **rest)
