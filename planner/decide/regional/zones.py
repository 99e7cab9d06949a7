"""Supervision zones: groups of neighbouring first-level units that one team can visit in one round."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd

from planner.decide.regional.networks import Networks
from planner.decide.regional.placing import Least
from planner.decide.regional.zoning import Board, Zone, draw
from planner.model import Finding, Region, Surface, Travel, TravelTimes
from planner.settings import Scenario
from planner.travel.times import times_between

WHERE = "zonas de supervisión"
_MINUTES = 1e-5  # of a sum of minutes that are told to the millionth


@dataclass(frozen=True, eq=False)
class Zones:
    """Each fixed first-level unit, and each UMR of the plan, in one zone.

    `units`, by id: zone, order (place in the round, from 1: the head), head (bool), next_min (minutes of the leg to the next unit of
    the round, the last one's back to the head), hospital (its network's). `zones`, by id (Z001...): head, units, people, round_min,
    hospital (of most of its units), strays (units of another network). `edges`: which units are neighbours.
    `solution` is of the number of zones: its bound holds for every grouping; minutes are proved only where its method says so.
    """

    units: gpd.GeoDataFrame
    zones: pd.DataFrame
    edges: pd.DataFrame  # unit, other: unit < other
    solution: Least
    findings: tuple[Finding, ...]


def zones(region: Region, travel: Travel, networks: Networks, scenario: Scenario, cache: Path | None = None) -> Zones:
    """The fewest zones found, then those that keep most to the hospitals' networks, then those of fewest minutes.

    A zone holds at most zone_units_max units; the round that visits all of them, from its head back to it, takes at most
    zone_round_max_min of travel by mode_teams; and one can go through it from neighbour to neighbour. The head is the unit with most
    people. A unit that no other can be joined to stands alone, and is told. `cache` keeps what was searched before.
    """
    units = networks.units[networks.units["kind"] != "movil"].sort_index()
    times = times_between(region, scenario, scenario.mode_teams, units, units, scenario.regional.zone_round_max_min, cache)
    edges = neighbours(travel.surfaces["primer_nivel", scenario.mode_teams], times)
    return zones_of(units, times, edges, scenario)


def neighbours(surface: Surface, times: TravelTimes) -> pd.DataFrame:
    """Which units are neighbours: the areas of which they are the nearest unit touch, and a team can go there and back.

    A unit without an area (a proposed one, or one that shares its cell) is a neighbour of the unit nearest to it, there and back.
    `unit` < `other`, sorted.
    """
    ids, minutes = times.localities, _matrix(times)
    both = minutes + minutes.T
    at = np.append(ids.get_indexer(pd.Index(surface.sites, dtype="str")), -1)[surface.site]
    touching = np.concatenate([
        np.stack([a.ravel(), b.ravel()], 1) for a, b in ((at[:, :-1], at[:, 1:]), (at[:-1], at[1:]))])
    touching = np.unique(np.sort(touching[(touching >= 0).all(axis=1) & (touching[:, 0] != touching[:, 1])], axis=1), axis=0)
    np.fill_diagonal(both, np.inf)
    without = np.setdiff1d(np.arange(len(ids)), at)
    without = without[np.isfinite(both[without]).any(axis=1)]
    nearest = np.sort(np.stack([without, both[without].argmin(axis=1)], 1), axis=1) if len(without) else np.empty((0, 2), int)
    pairs = np.unique(np.concatenate([touching, nearest]).astype(int), axis=0)
    pairs = pairs[both[pairs[:, 0], pairs[:, 1]] <= times.cutoff_min]
    return pd.DataFrame({"unit": ids[pairs[:, 0]], "other": ids[pairs[:, 1]]})


def zones_of(units: gpd.GeoDataFrame, times: TravelTimes, edges: pd.DataFrame, scenario: Scenario) -> Zones:
    """The zones of units of known travel and neighbours; `units`, by id, has people, hospital and a point."""
    ids = times.localities
    units = units.loc[ids]
    near: list[set[int]] = [set() for _ in ids]
    for a, b in zip(ids.get_indexer(pd.Index(edges["unit"])), ids.get_indexer(pd.Index(edges["other"])), strict=True):
        near[a].add(int(b))
        near[b].add(int(a))
    network = pd.factorize(units["hospital"])[0]
    board = Board(_matrix(times), tuple(map(frozenset, near)), network, scenario.regional.zone_units_max,
                  scenario.regional.zone_round_max_min)
    found, least, exact = draw(board)
    how = ("exhaustivo: también los minutos" if exact else
           "zonas que crecen desde la orilla y cambios entre vecinas; los minutos no están probados")
    solution = Least(float(len(found)), float(least), "óptimo" if len(found) == least else "con brecha", how)
    told = _units(units, board, found)
    table = _zones(told)
    return Zones(told, table, edges, solution, _findings(told, table, board, scenario))


def _matrix(times: TravelTimes) -> np.ndarray:
    """Minutes from unit to unit, in the order of the rows; inf beyond the search."""
    out = np.full((len(times.localities), len(times.sites)), np.inf)
    out[np.repeat(np.arange(len(out)), np.diff(times.indptr)), times.site] = times.value
    np.fill_diagonal(out, 0.0)
    return out


def _units(units: gpd.GeoDataFrame, board: Board, found: list[Zone]) -> gpd.GeoDataFrame:
    rows = []
    people = units["people"].to_numpy(float)
    for number, zone in enumerate(found, 1):
        order = board.round(zone)[1]
        head = min(order, key=lambda k: (-people[k], k))
        start = order.index(head)
        order = (*order[start:], *order[:start])
        for place, (k, then) in enumerate(zip(order, (*order[1:], order[0]), strict=True), 1):
            rows.append((k, f"Z{number:03d}", place, place == 1, float(board.minutes[k, then])))
    table = pd.DataFrame(rows, columns=["at", "zone", "order", "head", "next_min"]).sort_values("at")
    told = units[["name", "kind", "people", "hospital", "geometry"]]
    return told.assign(**{name: table[name].to_numpy() for name in ("zone", "order", "head", "next_min")})


def _zones(units: gpd.GeoDataFrame) -> pd.DataFrame:
    by = units.groupby("zone")
    named = pd.DataFrame({"zone": units["zone"], "hospital": units["hospital"].fillna("")})
    counts = named.value_counts().rename("n").reset_index()
    most = counts.sort_values(["zone", "n", "hospital"], ascending=[True, False, True]).drop_duplicates("zone").set_index("zone")
    heads = units[units["head"].astype(bool)]
    head, size = pd.Series(heads.index, index=heads["zone"], dtype=object), units["zone"].value_counts().sort_index()
    return pd.DataFrame({
        "head": head.reindex(size.index), "units": size, "people": by["people"].sum(), "round_min": by["next_min"].sum(),
        "hospital": most["hospital"].where(most["hospital"] != "").reindex(size.index), "strays": (size - most["n"]).astype(int)})


def _findings(units: gpd.GeoDataFrame, table: pd.DataFrame, board: Board, scenario: Scenario) -> tuple[Finding, ...]:
    alone = units.index[[not near for near in board.near]] if len(units) > 1 else []
    return (
        *Finding.of("unidad_sola", "aviso", "Unidades sin vecina a la que un equipo vaya y vuelva en una ronda: son su propia zona", WHERE,
                    alone, f"Revise sus caminos o suba zone_round_max_min ({scenario.regional.zone_round_max_min:g})."),
        *Finding.of("zona_de_varias_redes", "nota", "Zonas con unidades de más de una red de referencia", WHERE,
                    table.index[table["strays"] > 0]))


def zone_faults(answer: Zones, times: TravelTimes, scenario: Scenario) -> list[str]:
    """The rules that the zones break, a sentence each with the first three cases; none if all keep them.

    Recounted from the units' zones and order, the edges and the true minutes, apart from whoever drew them.
    """
    true = {(a, b): m for a, b, m in times.pairs().itertuples(index=False)}
    faults = []
    for what, rule in _RULES.items():
        found = list(rule(answer, true, scenario))
        if found:
            faults.append(f"Las zonas de supervisión {what}: {', '.join(found[:3])}{f' y {len(found) - 3} más' if len(found) > 3 else ''}.")
    return faults


_True = Mapping[tuple[str, str], float]


def _once(answer: Zones, true: _True, _: Scenario) -> Iterator[str]:
    told = answer.units["zone"]
    yield from told.index[told.isna() | ~told.isin(answer.zones.index)]
    yield from answer.units.index[answer.units.index.duplicated()]
    yield from answer.zones.index[~answer.zones.index.isin(told)]
    yield from sorted({unit for pair in true for unit in pair} - set(told.index))


def _size(answer: Zones, _: _True, scenario: Scenario) -> Iterator[str]:
    size = answer.units.groupby("zone").size()
    yield from size.index[size > scenario.regional.zone_units_max]


def _orders(answer: Zones) -> Iterator[tuple[str, list[str]]]:
    for zone, members in answer.units.sort_values(["zone", "order"]).groupby("zone"):
        yield str(zone), list(members.index)


def _minutes(answer: Zones, true: _True, _: Scenario) -> Iterator[str]:
    said = answer.zones["round_min"].to_dict()
    for zone, order in _orders(answer):
        legs = [0.0] if len(order) == 1 else [true.get((a, b), np.inf) for a, b in zip(order, [*order[1:], order[0]], strict=True)]
        if not abs(sum(legs) - said.get(zone, np.inf)) <= _MINUTES:
            yield zone


def _round(answer: Zones, _: _True, scenario: Scenario) -> Iterator[str]:
    yield from answer.zones.index[~(answer.zones["round_min"] <= scenario.regional.zone_round_max_min + _MINUTES)]


def _joined(answer: Zones, _: _True, __: Scenario) -> Iterator[str]:
    zone = answer.units["zone"]
    inside = answer.edges[answer.edges["unit"].map(zone) == answer.edges["other"].map(zone)]
    for name, order in _orders(answer):
        group = {unit: unit for unit in order}
        for a, b in inside[inside["unit"].isin(order)].itertuples(index=False):
            old, new = group[a], group[b]
            group = {unit: new if root == old else root for unit, root in group.items()}
        if len(set(group.values())) > 1:
            yield name


_RULES = {
    "dejan unidades fuera o repetidas": _once, "tienen más unidades que el máximo": _size,
    "dicen minutos que no son los del recorrido": _minutes, "tienen rondas más largas que el máximo": _round,
    "no son contiguas": _joined}
