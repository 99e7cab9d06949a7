"""Travel of teams: directed minutes against the search of whole worlds and by hand, and ways whose minutes are the same to the digit."""

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
import valley
from hypothesis import given, settings
from hypothesis import strategies as st
from small_roads import CRS, ONE_WAY, PATH, ground, points, roads, way

from planner.model import Region, TravelTimes
from planner.settings import Scenario
from planner.travel import teams
from planner.travel.ground import ground_of, pairs_within
from planner.travel.teams import team_legs, team_times
from planner.travel.times import compute_travel

A, B, C, D, E, F = valley.PLACES
ONE, TWO, MOBILE, HOSPITAL = valley.FACILITIES
LEGS = ["from_id", "to_id", "minutes", "walk_min", "drive_min", "metres", "geometry"]
DRIVE = 0.06 / 40  # an unclassified road of nothing known
DAYS = {"brigade_nights_max": 0}


def frame(times: TravelTimes) -> pd.DataFrame:
    return times.pairs().set_axis(["from_id", "to_id", "minutes"], axis=1)


def loop() -> Region:
    """Stops S1..S4 and bases U1, U2 on a ring of one-way road around ground that nobody crosses, and a two-way spur to S4."""
    factor = np.full((7, 7), np.nan)
    corners = [(50.0, 50.0), (650.0, 50.0), (650.0, 650.0), (50.0, 650.0)]
    spots = {"U1": (50, 50), "S1": (350, 50), "S2": (650, 350), "U2": (350, 650), "S3": (50, 350), "S4": (350, 350)}
    ends = [*corners, *((float(x), float(y)) for x, y in spots.values())]
    for x, y in ends:
        factor[6 - int(y // 100), int(x // 100)] = 1
    ring = [corners[0], (350.0, 50.0), corners[1], (650.0, 350.0), corners[2], (350.0, 650.0), corners[3], (50.0, 350.0), corners[0]]
    net = roads(way(*ring, **ONE_WAY, walk=False), way((350.0, 50.0), (350.0, 350.0), walk=False))
    region, at = valley.region(), points(**spots)
    units, stops = at[at.index.str.startswith("U")], at[at.index.str.startswith("S")]
    return replace(region, grid=ground((7, 7), factor=factor), roads=net, barriers=None, crs=CRS, responsibility=None,
                   units=units.assign(role="primer_nivel", name=units.index), localities=stops.assign(name=stops.index))


RING = {"U1": 0, "S1": 300, "S2": 900, "U2": 1500, "S3": 2100}  # metres along the ring of 2400


def round_the_ring(start: str, end: str) -> float:
    """Metres, by hand."""
    spur = 300.0 * ((start == "S4") + (end == "S4"))
    return 0.0 if start == end else (RING[end.replace("S4", "S1")] - RING[start.replace("S4", "S1")]) % 2400 + spur


def test_there_and_back_differ_on_a_one_way_ring_and_every_way_is_the_one_gone() -> None:
    region = loop()
    times = team_times(region, Scenario(), region.localities.index)
    legs = pd.concat([frame(times.out).rename(columns={"from_id": "to_id", "to_id": "from_id"}), frame(times.back), frame(times.between)])
    assert len(legs) == 8 + 8 + 16
    for start, end, minutes in legs[["from_id", "to_id", "minutes"]].itertuples(index=False):
        assert minutes == pytest.approx(DRIVE * round_the_ring(start, end), abs=2e-6), (start, end)
    ways = team_legs(region, Scenario(), legs)
    assert list(ways.columns) == LEGS
    assert ways.crs == CRS
    spots = pd.concat([region.localities.geometry, region.units.geometry])
    for row in ways.itertuples():
        assert row.metres == pytest.approx(round_the_ring(row.from_id, row.to_id), abs=1e-6)
        assert row.metres == row.geometry.length
        assert [row.geometry.coords[0], row.geometry.coords[-1]] == [spots[row.from_id].coords[0], spots[row.to_id].coords[0]]
        assert row.walk_min == 0
    assert shapely.covers(shapely.union_all(region.roads.edges.geometry).buffer(1e-3), ways.geometry.to_numpy()).all()
    both = legs.merge(ways, on=["from_id", "to_id"])
    np.testing.assert_array_equal(both["minutes_x"], both["minutes_y"])


def test_minutes_out_are_those_of_all_travel_and_the_way_back_is_its_mirror_on_the_flat() -> None:
    region = valley.region()
    times = team_times(region, Scenario(), region.localities.index)
    bases = compute_travel(region, Scenario()).bases
    for part in fields(TravelTimes):
        np.testing.assert_array_equal(getattr(times.out, part.name), getattr(bases, part.name))
    out, back = times.out.pairs(), times.back.within(90.0)
    pd.testing.assert_frame_equal(out, back)
    assert times.back.cutoff_min == 300.0
    assert times.between.minutes(A, C) == times.between.minutes(C, A) == 9.0
    assert list(times.out.sites) == list(times.back.sites) == [ONE, TWO, HOSPITAL]
    assert list(times.between.sites) == list(times.between.localities) == sorted(valley.PLACES)


def test_only_stops_asked_for_are_told_in_any_order() -> None:
    region = valley.region()
    some, same = (team_times(region, Scenario(), pd.Index(ids)) for ids in ([E, B, E], [B, E]))
    whole = team_times(region, Scenario(), region.localities.index)
    for name in ("out", "back", "between"):
        told, all_told = getattr(some, name), getattr(whole, name).pairs()
        pd.testing.assert_frame_equal(told.pairs(), getattr(same, name).pairs())
        kept = all_told["cvegeo"].isin([B, E]) & (all_told["site"].isin([B, E]) | (name != "between"))
        pd.testing.assert_frame_equal(told.pairs(), all_told[kept].reset_index(drop=True))
    with pytest.raises(KeyError):
        team_times(region, Scenario(), pd.Index(["000000000"]))


def test_without_nights_the_way_home_is_told_as_far_as_a_day_can_use_it() -> None:
    """Two stops leave nothing of a short shift, one leaves an hour: pairs that the way out reaches are told that far."""
    region = loop()
    slow: dict[str, Any] = {"road_kmh": {"unclassified": 4.0}, "unpaved_cap_kmh": 4.0, "shift_hours": 1.0, "stop_hours_min": 0.5,
                            "first_stop_max_min": 16.0}
    far = frame(team_times(region, Scenario(**slow), region.localities.index).back)
    day = team_times(region, Scenario(**slow, **DAYS), region.localities.index)
    out = set(zip(day.out.pairs()["cvegeo"], day.out.pairs()["site"], strict=True))
    near = far[(far["minutes"] <= 16.0) | np.array([pair in out for pair in zip(far["from_id"], far["to_id"], strict=True)])]
    pd.testing.assert_frame_equal(frame(day.back), near.reset_index(drop=True))
    assert day.back.cutoff_min == 30.0
    assert far["minutes"].max() > 16.0
    assert len(near) < len(far)
    assert (near["minutes"] > 16.0).any()
    assert day.back.minutes(*near.iloc[0, :2]) == near.iloc[0, 2]
    on_foot_only = team_times(region, Scenario(**slow, allow=("umm",)), region.localities.index)
    pd.testing.assert_frame_equal(frame(on_foot_only.back), frame(day.back))
    for kind, told in (("UMM", frame(day.back)), ("brigada", far)):  # of bases that are asked for, what they are counts
        own = replace(region, units=region.units.assign(unit_class=kind))
        pd.testing.assert_frame_equal(frame(team_times(own, Scenario(**slow), region.localities.index, bases=own.units.index).back), told)


def test_ways_are_sorted_distinct_and_the_same_whatever_else_is_asked() -> None:
    region = valley.region()
    asked = pd.DataFrame([(ONE, D), (D, B), (B, ONE), (ONE, F), (D, B), (B, D)], columns=["from_id", "to_id"])
    ways = team_legs(region, Scenario(), asked)
    assert list(zip(ways["from_id"], ways["to_id"], strict=True)) == sorted({*asked.itertuples(index=False, name=None)})
    pd.testing.assert_frame_equal(ways, team_legs(region, Scenario(), asked.iloc[::-1].assign(more=1)))
    for k in range(len(ways)):
        alone = team_legs(region, Scenario(), ways.iloc[[k]])
        pd.testing.assert_frame_equal(alone, ways.iloc[[k]].reset_index(drop=True))
    np.testing.assert_allclose(ways["walk_min"] + ways["drive_min"], ways["minutes"], atol=1e-9)
    none = team_legs(region, Scenario(), asked.iloc[:0])
    assert none.empty
    assert list(none.columns) == LEGS


def test_a_leg_without_a_way_is_told_as_such() -> None:
    region = loop()
    alone = replace(region, roads=roads(way((50.0, 50.0), (350.0, 50.0), **ONE_WAY, walk=False)))
    ways = team_legs(alone, Scenario(), pd.DataFrame({"from_id": ["U1", "S1", "S1"], "to_id": ["S1", "U1", "S1"]}))
    assert ways["minutes"].tolist() == [0.0, np.inf, pytest.approx(300 * DRIVE, abs=1e-6)]
    assert ways.loc[1, ["walk_min", "drive_min", "metres", "geometry"]].isna().all()
    assert ways.geometry.notna().tolist() == [True, False, True]


def test_what_was_searched_is_kept_and_read_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    region, asked = valley.region(), pd.DataFrame({"from_id": [ONE, D], "to_id": [D, B]})
    first = team_times(region, Scenario(), region.localities.index, tmp_path), team_legs(region, Scenario(), asked, tmp_path)
    assert list(tmp_path.iterdir())

    def never(*_: Any, **__: Any) -> None:
        raise AssertionError("searched again")
    monkeypatch.setattr(teams, "one_by_one", never)
    monkeypatch.setattr("planner.travel.board.reach", never)
    again = team_times(region, Scenario(), region.localities.index, tmp_path), team_legs(region, Scenario(), asked, tmp_path)
    pd.testing.assert_frame_equal(first[0].back.pairs(), again[0].back.pairs())
    pd.testing.assert_frame_equal(first[1], again[1])
    monkeypatch.undo()
    rains = team_legs(region, Scenario(season="lluvias"), asked, tmp_path)
    assert (rains["minutes"] > first[1]["minutes"]).any()


spot = st.tuples(*[st.integers(0, 12).map(lambda n: 50.0 * n + 25)] * 2)
kinds = st.sampled_from([{}, ONE_WAY, {"forward": False}, PATH, {"surface": "unpaved"}])
ways_made = st.lists(st.tuples(st.lists(spot, min_size=2, max_size=5, unique=True), kinds), max_size=4)


@settings(deadline=None, max_examples=20)
@given(ways_made, st.lists(spot, min_size=3, max_size=6, unique=True), st.integers(0, 2**16), st.booleans(),
       st.sampled_from(["vehiculo", "a_pie"]), st.sampled_from([0.02, 8.0]))
def test_ways_and_minutes_agree_in_any_world(made: Any, at: Any, seed: int, hilly: bool, mode: Any, shift: float) -> None:
    """One-way roads, hills and closed ground; near and far searches alike. The line is no shorter than the crow flies."""
    rng = np.random.default_rng(seed)
    grid = ground((7, 7), rng.random((7, 7)) * 120 if hilly else None, factor=np.where(rng.random((7, 7)) < 0.2, np.nan, 1.0))
    where = points(**{f"{'U' if k < 2 else 'S'}{k}": xy for k, xy in enumerate(at)})
    units, stops = where.iloc[:2], where.iloc[2:]
    region = replace(valley.region(), grid=grid, roads=roads(*(way(*line, **kind) for line, kind in made)), crs=CRS, barriers=None,
                     units=units.assign(role=["primer_nivel", "hospital"]), localities=stops)
    scenario = Scenario(mode_teams=mode, shift_hours=shift, stop_hours_min=0.01, first_stop_max_min=480.0, leg_max_min=480.0,
                        snap_max_m=150.0)
    times = team_times(region, scenario, stops.index)
    legs = pd.concat([frame(times.out).set_axis(["to_id", "from_id", "minutes"], axis=1), frame(times.between)])
    on, everyone = ground_of(region, scenario, mode), pd.DataFrame([(a, b) for a in where.index for b in where.index])
    ways = team_legs(region, scenario, everyone.set_axis(["from_id", "to_id"], axis=1))
    both = legs.merge(ways, on=["from_id", "to_id"], how="left", suffixes=("", "_way"))
    np.testing.assert_array_equal(both["minutes"], both["minutes_way"])
    there = on.set(where)
    whole = pairs_within(on, there, there, 1e6)
    true = pd.Series(whole["value"].to_numpy(), index=pd.MultiIndex.from_arrays([there.ids[whole["row"]], there.ids[whole["site"]]]))
    told = ways.set_index(["from_id", "to_id"])["minutes"]
    np.testing.assert_array_equal(told, true.reindex(told.index).fillna(np.inf))
    gone = gpd.GeoDataFrame(ways[np.isfinite(ways["minutes"])])
    ends = where.geometry[gone["from_id"]].distance(where.geometry[gone["to_id"]], align=False)
    assert (gone["metres"].to_numpy() >= ends.to_numpy() - 1e-6).all()
    near = frame(times.back)
    assert (near["minutes"] <= times.back.cutoff_min).all()
    expected = told[told.index.isin([(s, u) for s in stops.index for u in units.index])]
    expected = expected[expected <= times.back.cutoff_min]
    pd.testing.assert_series_equal(near.set_index(["from_id", "to_id"])["minutes"].sort_index(), expected.sort_index())


def test_a_mobile_unit_is_a_base_only_where_it_is_asked_for() -> None:
    region = valley.region()
    usual, own = (team_times(region, Scenario(), region.localities.index, bases=bases) for bases in (None, pd.Index([MOBILE])))
    assert MOBILE not in usual.out.sites
    assert list(own.out.sites) == list(own.back.sites) == [MOBILE]
    for name in ("out", "back"):  # it stands where unit one does
        table = getattr(usual, name).pairs()
        same = table[table["site"] == ONE].assign(site=MOBILE).reset_index(drop=True)
        mine = getattr(own, name).pairs()
        pd.testing.assert_frame_equal(mine[mine["minutes"] <= 90.0].reset_index(drop=True), same[same["minutes"] <= 90.0])
    pd.testing.assert_frame_equal(own.between.pairs(), usual.between.pairs())
    with pytest.raises(KeyError):
        team_times(region, Scenario(), region.localities.index, bases=pd.Index(["nobody"]))
