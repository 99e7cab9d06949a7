"""Supervision zones: hand-solved lines of units, the very best by exhaustion on few, and what every answer keeps."""

from dataclasses import replace
from itertools import permutations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.assumptions import Regional
from planner.decide.regional import zoning
from planner.decide.regional.zones import neighbours, zone_faults, zones_of
from planner.decide.regional.zoning import Board, best_tour, draw, fewest
from planner.model import Surface, TravelTimes
from planner.settings import Scenario


def asked(units_max: int, round_max_min: float) -> Scenario:
    return Scenario(regional=Regional(zone_units_max=units_max, zone_round_max_min=round_max_min))


def times_of(minutes: np.ndarray, cutoff_min: float = 480.0) -> TravelTimes:
    ids = pd.Index([f"U{k:02d}" for k in range(len(minutes))])
    kept = minutes <= cutoff_min
    indptr = np.concatenate([[0], np.cumsum(kept.sum(axis=1))]).astype(np.int64)
    return TravelTimes(ids, ids, cutoff_min, indptr, np.nonzero(kept)[1].astype(np.int32), minutes[kept])


def units_of(people: list[float], hospital: list[str | None]) -> gpd.GeoDataFrame:
    ids = [f"U{k:02d}" for k in range(len(people))]
    return gpd.GeoDataFrame({"name": ids, "kind": "fija", "people": people, "hospital": hospital}, index=pd.Index(ids, name="unit"),
                            geometry=gpd.points_from_xy(range(len(ids)), [0] * len(ids)), crs=32614)


def edges_of(pairs: list[tuple[int, int]]) -> pd.DataFrame:
    return pd.DataFrame({"unit": [f"U{a:02d}" for a, _ in pairs], "other": [f"U{b:02d}" for _, b in pairs]}, dtype="str")


def line(places: list[float]) -> np.ndarray:
    at = np.array(places)
    return abs(at[:, None] - at[None, :])


def test_a_line_of_six_in_zones_of_three() -> None:
    """0-1-2 and 10-11-12: rounds of 4 minutes each, the head where most people are."""
    scenario = asked(3, 60.0)
    times = times_of(line([0, 1, 2, 10, 11, 12]))
    answer = zones_of(units_of([1, 5, 2, 3, 3, 9], ["H"] * 6), times, edges_of([(k, k + 1) for k in range(5)]), scenario)
    assert answer.units["zone"].tolist() == ["Z001"] * 3 + ["Z002"] * 3
    assert answer.zones["round_min"].tolist() == [4.0, 4.0]
    assert answer.zones["head"].tolist() == ["U01", "U05"]
    assert answer.zones["people"].tolist() == [8.0, 15.0]
    assert (answer.solution.value, answer.solution.bound, answer.solution.status) == (2.0, 2.0, "óptimo")
    assert zone_faults(answer, times, scenario) == []


def test_the_round_limits_a_zone_to_the_minute() -> None:
    for limit, zones in ((24.0, 1), (23.9, 2)):
        answer = zones_of(units_of([1] * 3, ["H"] * 3), times_of(line([0, 6, 12])), edges_of([(0, 1), (1, 2)]), asked(9, limit))
        assert len(answer.zones) == zones == answer.solution.bound


def test_zones_keep_to_the_networks_where_that_costs_no_zone() -> None:
    """Four in a line, the networks part them 2 | 2; with three of one network the fewest zones still come first."""
    edges, times = edges_of([(0, 1), (1, 2), (2, 3)]), times_of(line([0, 9, 10, 19]))
    parted = zones_of(units_of([1] * 4, ["A", "A", "B", "B"]), times, edges, asked(3, 60.0))
    assert parted.units["zone"].tolist() == ["Z001", "Z001", "Z002", "Z002"]
    assert parted.zones["strays"].tolist() == [0, 0]
    mixed = zones_of(units_of([1] * 4, ["A", "A", "A", "B"]), times, edges, asked(4, 60.0))
    assert mixed.zones["strays"].tolist() == [1]
    assert mixed.findings[-1].code == "zona_de_varias_redes"


def test_units_without_neighbours_stand_alone_and_are_told() -> None:
    minutes = line([0, 1, 500, 900])
    answer = zones_of(units_of([1] * 4, ["A", "A", None, None]), times_of(minutes), edges_of([(0, 1)]), asked(12, 480.0))
    assert answer.units["zone"].tolist() == ["Z001", "Z001", "Z002", "Z003"]
    assert answer.findings[0].code == "unidad_sola"
    assert answer.findings[0].examples == ("U02", "U03")
    assert answer.zones.loc["Z002", "round_min"] == 0.0


def test_one_unit_and_none() -> None:
    one = zones_of(units_of([3.0], ["H"]), times_of(np.zeros((1, 1))), edges_of([]), asked(12, 480.0))
    assert one.zones["units"].tolist() == [1]
    none = zones_of(units_of([], []), times_of(np.zeros((0, 0))), edges_of([]), asked(12, 480.0))
    assert none.zones.empty
    assert none.solution.value == none.solution.bound == 0.0


def test_neighbours_are_areas_that_touch_and_the_nearest_for_units_without_one() -> None:
    """Areas 0 | 1 | 2 in a row; U03 has none and is nearest to U02."""
    times = times_of(line([0, 10, 20, 24]))
    site = np.array([[0, 0, 1, 2], [0, -1, 1, 2]], np.int32)
    surface = Surface(np.zeros(site.shape), site, ("U00", "U01", "U02"))
    assert neighbours(surface, times).to_numpy().tolist() == [["U00", "U01"], ["U01", "U02"], ["U02", "U03"]]
    cut = times_of(np.where(line([0, 1, 2, 3]) <= 1, line([0, 10, 20, 24]), np.inf)[:, :])
    assert len(neighbours(surface, cut)) == 3


def test_the_check_finds_what_is_broken() -> None:
    scenario, times = asked(3, 60.0), times_of(line([0, 1, 2, 10, 11, 30]))
    answer = zones_of(units_of([1] * 6, ["H"] * 6), times, edges_of([(k, k + 1) for k in range(5)]), scenario)
    assert zone_faults(answer, times, scenario) == []
    for what, broken in (
        ("fuera o repetidas", replace(answer, units=answer.units.assign(zone="Z009"))),
        ("minutos que no son", replace(answer, zones=answer.zones.assign(round_min=answer.zones["round_min"] - 1.0))),
        ("no son contiguas", replace(answer, edges=answer.edges.iloc[1:])),
    ):
        assert any(what in fault for fault in zone_faults(broken, times, scenario)), what
    for what, tighter in (("más unidades que el máximo", asked(2, 60.0)), ("más largas que el máximo", asked(3, 10.0))):
        assert any(what in fault for fault in zone_faults(answer, times, tighter)), what


MINUTES = st.integers(2, 7).flatmap(lambda n: st.lists(st.integers(1, 60), min_size=n * n, max_size=n * n).map(
    lambda v: np.array(v, float).reshape(n, n) * (1 - np.eye(n))))


@given(MINUTES)
@settings(deadline=None, max_examples=30)
def test_the_tour_is_the_least_of_all_orders(minutes: np.ndarray) -> None:
    n = len(minutes)
    least = min(sum(minutes[a, b] for a, b in zip((0, *o), (*o, 0), strict=True)) for o in permutations(range(1, n)))
    told, order = best_tour(minutes)
    assert told == least == minutes[order, np.roll(order, -1)].sum()
    assert sorted(order) == list(range(n))


def _partitions(items: list[int]):  # type: ignore[no-untyped-def]
    if not items:
        yield []
        return
    for rest in _partitions(items[1:]):
        yield [[items[0]], *rest]
        for k in range(len(rest)):
            yield [*rest[:k], [items[0], *rest[k]], *rest[k + 1:]]


@st.composite
def boards(draw_, most: int = 6):  # type: ignore[no-untyped-def]
    n = draw_(st.integers(1, most))
    xy = np.array(draw_(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=n, max_size=n)), float)
    minutes = abs(xy[:, None, :] - xy[None, :, :]).sum(axis=2)
    pairs = [p for p in ((i, j) for i in range(n) for j in range(i)) if draw_(st.booleans())]
    near = [frozenset({j for a, b in pairs for i, j in ((a, b), (b, a)) if i == k}) for k in range(n)]
    network = np.array(draw_(st.lists(st.integers(0, 1), min_size=n, max_size=n)))
    return Board(minutes, tuple(near), network, draw_(st.integers(1, 4)), float(draw_(st.integers(10, 150))))


@given(boards())
@settings(deadline=None, max_examples=30)
def test_few_units_are_grouped_as_well_as_can_be(board: Board) -> None:
    n = len(board.near)
    able = [p for p in _partitions(list(range(n))) if all(board.fits(frozenset(z)) for z in p)]
    best = min((len(p), sum(board.strays(frozenset(z)) for z in p), sum(board.round(frozenset(z))[0] for z in p)) for p in able)
    found, least, exact = draw(board)
    assert exact
    assert least == len(found)
    assert board.worth(found) == pytest.approx(best)
    assert fewest(board, list(range(n))) <= best[0]


@given(boards(14))
@settings(deadline=None, max_examples=25)
def test_searched_zones_keep_all_rules_and_the_bound(board: Board) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(zoning, "EXACT_ZONES", 0)
        found, least, _ = draw(board)
    assert sorted(k for zone in found for k in zone) == list(range(len(board.near)))
    assert all(board.fits(zone) for zone in found)
    assert least <= len(found)
