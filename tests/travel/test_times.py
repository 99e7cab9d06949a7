"""The valley solved by hand, and what must hold between the parts of Travel."""

import math
from dataclasses import fields, replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import valley
from hypothesis import given, settings
from hypothesis import strategies as st
from small_roads import Way, roads, way

from planner.kinds import LEVELS, MODES
from planner.model import Region, Travel, TravelTimes
from planner.settings import Scenario
from planner.travel.times import compute_travel

A, B, C, D, E, F = valley.PLACES
ONE, TWO, MOBILE, HOSPITAL = valley.FACILITIES
WALK = 10 / math.exp(-0.175)  # minutes per km on a flat road at Tobler's 6 exp(-3.5 * 0.05) km/h
OFF = WALK / 0.6  # off the road
DIAGONAL = math.sqrt(2)


@pytest.fixture(scope="module")
def travel() -> Travel:
    return compute_travel(valley.region(), Scenario())


def _equal(one: Travel, other: Travel) -> None:
    for at, table in one.nearest.items():
        pd.testing.assert_frame_equal(table, other.nearest[at])
    for at, surface in one.surfaces.items():
        np.testing.assert_array_equal(surface.minutes, other.surfaces[at].minutes)
        np.testing.assert_array_equal(surface.site, other.surfaces[at].site)
    for name in ("first_level", "seats", "bases"):
        for part in fields(TravelTimes):
            np.testing.assert_array_equal(getattr(getattr(one, name), part.name), getattr(getattr(other, name), part.name))
    pd.testing.assert_frame_equal(one.moved, other.moved)
    pd.testing.assert_series_equal(one.road_all_year, other.road_all_year)
    pd.testing.assert_series_equal(one.road_any, other.road_any)


def test_nearest_by_hand(travel):
    slanted_walk = OFF + DIAGONAL * (OFF + WALK) / 2  # one cell straight, then the diagonal onto the road
    straight_ride = OFF + (OFF + 1) / 2 + 1  # two cells straight to the road, then a minute along it
    first = {
        A: (2 * WALK, 2.0, ONE), B: (3 * WALK, 3.0, ONE), C: (0.0, 0.0, TWO),
        D: ((OFF + WALK) / 2 + DIAGONAL * WALK, (OFF + 2) / 2 + DIAGONAL * 1.5, ONE),
        E: (slanted_walk, straight_ride, TWO), F: (slanted_walk, straight_ride, ONE),
    }  # fmt: skip
    for place, (walk, ride, unit) in first.items():
        for mode, minutes in (("a_pie", walk), ("vehiculo", ride), ("transporte_publico", min(walk, ride + 30))):
            row = travel.nearest["primer_nivel", mode].loc[place]
            assert row["minutes"] == pytest.approx(minutes, abs=1e-6), (place, mode)
            assert row["clues"] == unit
    hospital = travel.nearest["hospital", "vehiculo"]["minutes"]
    assert hospital[E] == pytest.approx(DIAGONAL * OFF, abs=1e-6)
    assert hospital[C] == pytest.approx((1 + OFF) / 2 + 2 * OFF, abs=1e-6)
    assert hospital[A] == pytest.approx(9 + hospital[C], abs=1e-6)
    assert (travel.nearest["hospital", "a_pie"]["clues"] == HOSPITAL).all()


def test_pairs_by_hand(travel):
    assert list(travel.first_level.sites) == [ONE, TWO]  # no hospital answers for anybody, mobile units never
    assert travel.first_level.minutes(A, TWO) == pytest.approx(9 * WALK, abs=1e-6)
    assert travel.first_level.minutes(C, TWO) == 0.0
    assert list(travel.bases.sites) == [ONE, TWO, HOSPITAL]
    assert travel.bases.minutes(B, TWO) == 4.0
    assert travel.bases.minutes(F, HOSPITAL) <= 90
    assert list(travel.seats.sites) == [B]  # A is 24 minutes from unit 1, C at unit 2, D, E, F have no all-year road
    assert travel.seats.minutes(B, B) == 0.0
    assert travel.seats.minutes(A, B) == pytest.approx(5 * WALK, abs=1e-6)


def test_roads_near_a_locality(travel):
    assert travel.road_all_year.to_dict() == {A: True, B: True, C: True, D: False, E: False, F: False}
    assert travel.road_any.to_dict() == {A: True, B: True, C: True, D: True, E: False, F: False}


def test_a_hospital_that_answers_for_somebody_is_searched():
    region = valley.region()
    answers = region.responsibility.assign(clues=region.responsibility["clues"].replace({MOBILE: HOSPITAL}))
    travel = compute_travel(replace(region, responsibility=answers), Scenario())
    assert list(travel.first_level.sites) == [ONE, TWO, HOSPITAL]
    assert compute_travel(valley.region(responsibility=False), Scenario()).first_level.sites.tolist() == [ONE, TWO]


@pytest.mark.parametrize("mode", MODES)
def test_parts_of_travel_agree(mode):
    scenario = Scenario(mode_first_level=mode)
    travel = compute_travel(valley.region(), scenario)
    for level in LEVELS:
        walk, ride, public = (travel.nearest[level, m]["minutes"] for m in ("a_pie", "vehiculo", "transporte_publico"))
        np.testing.assert_allclose(public, np.minimum(walk, ride + scenario.public_transport_wait_min))
    nearest = travel.nearest["primer_nivel", mode]
    found = travel.first_level.nearest()
    assert found["minutes"].tolist() == nearest["minutes"].tolist()
    assert found["site"].tolist() == nearest["clues"].tolist()


def test_pairs_by_public_transport_are_the_shorter_way():
    pairs = {}
    for mode in MODES:
        pairs[mode] = compute_travel(valley.region(), Scenario(mode_first_level=mode, cutoff_first_level_min=100)).first_level
    for place in valley.PLACES:
        for unit in (ONE, TWO):
            walk, ride, public = (pairs[m].minutes(place, unit) for m in ("a_pie", "vehiculo", "transporte_publico"))
            best = min(walk, ride + 30)
            assert public == pytest.approx(best if best <= 100 else np.inf, abs=1e-6)


def _with_locality(region: Region, cvegeo: str, row: float, col: float) -> Region:
    point = gpd.points_from_xy([valley.ORIGIN[0] + col * 1000], [valley.ORIGIN[1] - row * 1000], crs=valley.CRS)[0]
    places = region.localities.copy()
    places.loc[cvegeo, "geometry"] = point
    return replace(region, localities=places)


def test_refused_localities_are_unknown_not_unreachable():
    region = _with_locality(_with_locality(valley.region(), D, 3.5, 6.5), E, 99, 99)
    travel = compute_travel(region, Scenario(snap_max_m=0))
    assert travel.moved[["kind", "id", "result"]].to_numpy().tolist() == [["localidad", D, "rechazada"], ["localidad", E, "rechazada"]]
    for table in travel.nearest.values():
        assert table["minutes"].isna().tolist() == [False, False, False, True, True, False]
        assert table["clues"].isna().tolist() == table["minutes"].isna().tolist()
    assert travel.first_level.minutes(D, ONE) == np.inf
    assert travel.road_all_year[D]  # the road passes beside it all the same
    assert not travel.road_any[E]


def test_a_moved_locality_travels_from_where_it_was_moved():
    travel = compute_travel(_with_locality(valley.region(), D, 3.5, 6.5), Scenario())
    assert travel.moved.to_numpy().tolist() == [["localidad", D, 1000.0, "movida"]]
    assert travel.nearest["primer_nivel", "vehiculo"].loc[D].tolist() == [3.0, TWO]


def test_nobody_to_go_to_is_unreachable():
    region = valley.region()
    travel = compute_travel(replace(region, units=region.units[region.units["role"] == "movil"]), Scenario())
    for table in travel.nearest.values():
        assert np.isinf(table["minutes"]).all()
        assert table["clues"].isna().all()
    assert list(travel.seats.sites) == [A, B, C]


def test_shuffled_rows_give_the_same_answer(travel):
    region = valley.region()
    shuffled = replace(region, **{
        name: getattr(region, name).sample(frac=1, random_state=3) for name in ("localities", "units", "responsibility")})
    _equal(travel, compute_travel(shuffled, Scenario()))


def test_nothing_given_is_changed():
    region = valley.region()
    compute_travel(region, Scenario(season="lluvias"))
    fresh = valley.region()
    for layer in ("road_kmh", "slope_deg", "walk_factor"):
        np.testing.assert_array_equal(getattr(region.grid, layer), getattr(fresh.grid, layer))
    pd.testing.assert_frame_equal(region.localities, fresh.localities)
    pd.testing.assert_frame_equal(region.units, fresh.units)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 5), st.integers(0, 9), st.sampled_from(["a_pie", "vehiculo"]), st.integers(5, 110))
def test_a_unit_or_a_road_more_never_lengthens(row, col, mode, kmh):
    region = valley.region()
    scenario = Scenario(mode_first_level=mode)
    before = compute_travel(region, scenario).nearest
    road = region.grid.road_kmh.copy()
    road[row, :] = np.maximum(road[row, :], kmh)
    extra = region.units.loc[[ONE, HOSPITAL]].set_axis(["AAIMB000001", "ZZIMB000001"])
    extra["geometry"] = gpd.points_from_xy([valley.ORIGIN[0] + col * 1000 + 1] * 2, [valley.ORIGIN[1] - row * 1000 - 1] * 2, crs=valley.CRS)
    units = gpd.GeoDataFrame(pd.concat([region.units, extra]), crs=valley.CRS)
    for changed in (replace(region, grid=replace(region.grid, road_kmh=road)), replace(region, units=units)):
        after = compute_travel(changed, scenario).nearest
        for at in before:
            assert (after[at]["minutes"] <= before[at]["minutes"]).all(), at


def _with_roads(region: Region, *ways: Way) -> Region:
    """The valley with vector roads for its raster ones; ways in cells from the upper left corner."""
    net = roads(*(way(*((valley.ORIGIN[0] + x * 1000, valley.ORIGIN[1] - y * 1000) for x, y in at), **kind) for at, kind in ways))
    return replace(region, grid=replace(region.grid, road_kmh=np.zeros_like(region.grid.road_kmh)), roads=net)


STREET = way((0.5, 2.5), (3.5, 2.5), (9.5, 2.5), posted_kmh=60.0)
TRACK = way((3.5, 2.5), (3.5, 4.5), road_class="track", surface="unpaved", posted_kmh=60.0)


def test_the_valley_with_vector_roads():
    """The same road as lines through the centres of its cells: the same minutes along it, and the track at its cap of 30 km/h."""
    region = _with_roads(valley.region(), STREET, TRACK)
    travel = compute_travel(region, Scenario())
    minutes = {mode: travel.nearest["primer_nivel", mode]["minutes"] for mode in MODES}
    ride = {A: 2.0, B: 3.0, C: 0.0, D: 5.0}
    for place, by_car in ride.items():
        assert minutes["vehiculo"][place] == pytest.approx(by_car, abs=1e-6)
        on_foot = {A: 2 * WALK, B: 3 * WALK, C: 0.0, D: 3 * WALK}[place]
        assert minutes["a_pie"][place] == pytest.approx(on_foot, abs=1e-6)
        assert minutes["transporte_publico"][place] == pytest.approx(min(on_foot, by_car + 30), abs=1e-6)
    assert travel.road_all_year.to_dict() == {A: True, B: True, C: True, D: False, E: False, F: False}
    assert travel.road_any.to_dict() == {A: True, B: True, C: True, D: True, E: False, F: False}
    rains = compute_travel(region, Scenario(season="lluvias")).nearest["primer_nivel", "vehiculo"]["minutes"]
    assert rains[D] == pytest.approx(9.0, abs=1e-6)
    shut = compute_travel(region, Scenario(season="lluvias", rain_closes=("brechas",)))
    assert not shut.road_any[D]
    assert shut.nearest["primer_nivel", "vehiculo"]["minutes"][D] == pytest.approx(2 * OFF + 1.0, abs=1e-6)


def test_patients_and_teams_go_in_their_own_direction():
    """A one-way street from west to east: patients ride east, teams of unit 1 do not come back west."""
    one_way = (STREET[0], {**STREET[1], "backward": False})
    travel = compute_travel(_with_roads(valley.region(), one_way), Scenario(mode_first_level="vehiculo"))
    assert travel.first_level.minutes(A, TWO) == pytest.approx(9.0, abs=1e-6)
    assert travel.first_level.minutes(C, ONE) == pytest.approx(7 * WALK, abs=1e-6)
    assert travel.bases.minutes(B, ONE) == pytest.approx(3.0, abs=1e-6)
    assert travel.bases.minutes(A, ONE) == pytest.approx(2 * WALK, abs=1e-6)
    assert travel.nearest["primer_nivel", "vehiculo"]["clues"][B] == TWO
