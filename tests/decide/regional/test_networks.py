"""Referral networks: the valley by hand, the very best by exhaustion on few, and Hidalgo's published second level."""

from dataclasses import replace
from itertools import product
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import valley
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.access.gap import compute_access
from planner.assumptions import Regional
from planner.decide.regional.jornadas import jornadas
from planner.decide.regional.networks import Networks, networks, referral_hospitals
from planner.decide.regional.placing import place_whole
from planner.model import Option, Plan, Region, Solution
from planner.settings import Scenario
from planner.sources.rasters import read_grid
from planner.travel.times import compute_travel, times_between

U1, U2, MOBILE, HOSPITAL = "MDIMB000011", "MDIMB000022", "MDIMB000033", "MDIMB000044"
NOTHING = pd.DataFrame({"option": [], "cvegeo": [], "tier": [], "people": [], "minutes": []}).astype({"people": float, "minutes": float})


def plan_of(options: tuple[Option, ...] = (), served: pd.DataFrame = NOTHING) -> Plan:
    return Plan(options, tuple(o.id for o in options), served, Solution(0.0, 0.0, "", ""))


def of_valley(region: Region, plan: Plan | None = None, **regional: object) -> Networks:
    scenario = Scenario(regional=Regional.model_validate(regional))
    travel = compute_travel(region, scenario)
    return networks(region, travel, compute_access(region, travel, scenario), plan or plan_of(), scenario)


def with_private(region: Region) -> Region:
    """The valley with a private hospital of second level, and one of speciality, where locality A stands."""
    rows = region.units.loc[[HOSPITAL]]
    more = [rows.rename(index={HOSPITAL: clues}).assign(institution="SMP", role="ninguno", unit_class=kind, level=pd.array([2], "Int64"),
                                                         geometry=region.localities.geometry.loc[["990010001"]].to_numpy())
            for clues, kind in (("MDSMP000055", "sin_clasificar"), ("MDSMP000066", "hospital_especializado"))]
    return replace(region, units=gpd.GeoDataFrame(pd.concat([region.units, *more]).sort_index(), crs=region.crs))


def test_the_valley_has_one_network_that_holds_everybody() -> None:
    found = of_valley(valley.region())
    assert found.units["hospital"].to_dict() == dict.fromkeys((U1, U2, MOBILE), HOSPITAL)
    assert found.units["kind"].tolist() == ["fija", "fija", "movil"]
    assert found.units["second"].isna().all()
    assert np.isinf(found.units["second_min"]).all()
    assert found.hospitals.loc[HOSPITAL, "people"] == pytest.approx(8450.0)  # all six localities answer to some unit
    assert found.hospitals.loc[HOSPITAL, "localities"] == 6
    assert found.units.loc[MOBILE, "minutes"] == found.units.loc[U1, "minutes"]  # they stand in one cell
    assert found.solution.value == pytest.approx((found.units["people"] * found.units["minutes"]).sum())
    assert found.solution.proved
    assert not found.lines.loc[[U1, U2], "straight"].any()


def test_the_way_gets_longer_in_the_rains_where_it_is_of_earth() -> None:
    region = valley.region()
    earth = replace(region, grid=replace(region.grid, road_kmh=np.where(region.grid.road_kmh > 0, 30, 0).astype(np.float32)))
    found = of_valley(earth)
    assert (found.units["rain_own_min"] > found.units["minutes"]).all()
    assert not found.units["rain_changes"].any()


def test_the_rains_send_a_unit_to_another_hospital() -> None:
    """Unit 1, 2 km of earth at 30 km/h from one hospital and 1/2 km of earth with 5.5 km of paved road from the other."""
    region = with_private(valley.region())
    road = region.grid.road_kmh.copy()
    road[2, 0:3] = 30.0
    there, beside = region.units.index == HOSPITAL, region.units.geometry[U2]
    at = gpd.points_from_xy(region.units.geometry.x.mask(there, beside.x - 1000.0), region.units.geometry.y.mask(there, beside.y))
    moved = replace(region, units=region.units.set_geometry(at, crs=region.crs), grid=replace(region.grid, road_kmh=road))
    found = of_valley(moved, referral_institutions=("SMP",))
    one = found.units.loc[U1]
    assert one[["hospital", "second", "rain_hospital", "rain_changes"]].tolist() == ["MDSMP000055", HOSPITAL, HOSPITAL, True]
    assert one[["minutes", "second_min", "rain_own_min", "rain_min"]].tolist() == pytest.approx([4.0, 6.5, 8.0, 7.5])
    assert found.units.loc[U2, ["hospital", "rain_hospital", "rain_changes"]].tolist() == [HOSPITAL, HOSPITAL, False]
    assert next(f for f in found.findings if f.code == "cambia_en_lluvias").examples == (U1, MOBILE)


def test_institutions_that_are_asked_for_count_but_for_speciality() -> None:
    region = with_private(valley.region())
    asked = Scenario(regional=Regional(referral_institutions=("SMP", "XXX")))
    assert referral_hospitals(region, Scenario()).index.tolist() == [HOSPITAL]
    assert referral_hospitals(region, asked).index.tolist() == [HOSPITAL, "MDSMP000055"]
    found = of_valley(region, referral_institutions=("SMP", "XXX"))
    assert found.units["hospital"].to_dict() == dict.fromkeys((U1, U2, MOBILE), "MDSMP000055")  # by road before across country
    assert found.units.loc[U1, "second"] == HOSPITAL
    assert next(f for f in found.findings if f.code == "institucion_sin_hospital").examples == ("XXX",)


def test_who_finds_no_room_goes_to_the_nearest_and_is_told() -> None:
    found = of_valley(valley.region(), hospital_people_max=4500.0)
    over = found.units.index[~found.units["fits"]].tolist()
    assert over
    assert found.units["hospital"].notna().all()
    kept = found.units.loc[found.units["fits"], "people"].sum()
    assert kept <= 4500.0
    assert found.hospitals.loc[HOSPITAL, "over_people"] == found.units.loc[over, "people"].sum()
    assert next(f for f in found.findings if f.code == "hospital_sin_lugar").count == len(over)


def test_without_hospitals_no_unit_has_a_network() -> None:
    region = valley.region()
    bare = replace(region, units=region.units.drop(HOSPITAL))
    found = of_valley(bare)
    assert found.units["hospital"].isna().all()
    assert np.isinf(found.units["minutes"]).all()
    assert found.hospitals.empty
    assert found.lines.empty
    assert [f.code for f in found.findings] == ["sin_hospitales"]
    assert len(found.far) == 6


def test_a_unit_beyond_the_search_has_none() -> None:
    found = of_valley(valley.region(), hospital_cutoff_min=15.0)
    assert found.units["hospital"].isna().any()
    assert set(found.units.index[found.units["hospital"].isna()]) == set(found.units.index[np.isinf(found.units["minutes"])])
    assert next(f for f in found.findings if f.code == "unidad_sin_hospital").count == int(found.units["hospital"].isna().sum())


def test_the_plan_brings_its_units_and_attaches_its_teams() -> None:
    serves = pd.DataFrame({"cvegeo": ["990020003"], "tier": ["sin_servicio"], "minutes": [0.0], "available": [1200.0], "gain": [1.0],
                           "people": [300.0], "weighted": [300.0]})
    seat = Option("UMR-990020003", "umr", "990020003", "F", 1.0, 1.0, 3000.0, serves, "")
    teams = tuple(Option(f"{kind}-{base}", kind, base, base, 1.0, 1.0, 100.0, serves.iloc[:0], "")
                  for kind, base in (("umm", U1), ("brigada", HOSPITAL), ("caro", U2)))
    served = pd.DataFrame({"option": [seat.id], "cvegeo": ["990020003"], "tier": ["con_servicio"], "people": [300.0], "minutes": [0.0]})
    today, found = of_valley(valley.region()), of_valley(valley.region(), plan_of((seat, *teams), served))
    assert found.units.loc[seat.id, ["kind", "people", "hospital"]].tolist() == ["propuesta", 300.0, HOSPITAL]
    assert found.units["people"].sum() == pytest.approx(today.units["people"].sum())
    assert found.attached["hospital"].to_dict() == {f"brigada-{HOSPITAL}": HOSPITAL, f"caro-{U2}": HOSPITAL, f"umm-{U1}": HOSPITAL}


def test_shuffled_rows_give_the_same_networks() -> None:
    region = with_private(valley.region())
    mixed = replace(region, units=region.units.iloc[::-1], localities=region.localities.iloc[::-1])
    one, two = of_valley(region, referral_institutions=("SMP",)), of_valley(mixed, referral_institutions=("SMP",))
    pd.testing.assert_frame_equal(pd.DataFrame(one.units), pd.DataFrame(two.units))


def test_jornadas_of_the_valley() -> None:
    region, scenario = with_private(valley.region()), Scenario(regional=Regional(referral_institutions=("SMP",)))
    travel = compute_travel(region, scenario)
    access = compute_access(region, travel, scenario)
    found = jornadas(region, access, scenario)
    for host, row in found.hosts.iterrows():
        mine = found.reached[found.reached["host"] == host]
        assert row["people"] == pytest.approx(access.localities["people"].reindex(mine["cvegeo"]).sum())
        assert (mine["minutes"] <= scenario.reach_hospital_min).all()
    assert found.order["proved"].all()
    assert (found.order["best"] >= found.order["people"] - 1e-9).all()
    none = jornadas(replace(region, units=region.units.drop([HOSPITAL, "MDSMP000055"])), access, scenario)
    assert none.order.empty
    assert none.reached.empty


@st.composite
def crowds(draw):  # type: ignore[no-untyped-def]
    n, m = draw(st.integers(1, 5)), draw(st.integers(1, 3))
    minutes = np.array(draw(st.lists(st.sampled_from([1.0, 2.0, 5.0, 9.0, 30.0, np.inf]), min_size=n * m, max_size=n * m))).reshape(n, m)
    weight = np.array(draw(st.lists(st.integers(0, 9), min_size=n, max_size=n)), float)
    return weight, minutes, np.array(draw(st.lists(st.integers(0, 15), min_size=m, max_size=m)), float)


@given(crowds())
@settings(deadline=None, max_examples=80)
def test_few_things_are_placed_as_well_as_can_be(told) -> None:
    weight, minutes, capacity = told
    found = place_whole(weight, minutes, capacity, 60.0)
    reaches = np.isfinite(minutes).any(axis=1)
    near = np.where(reaches, minutes.argmin(axis=1), -1)
    best = np.inf
    for sites in product(range(-1, minutes.shape[1]), repeat=len(weight)):
        load, cost = np.zeros(len(capacity)), 0.0
        for i, j in enumerate(sites):
            if weight[i] and reaches[i]:
                cost += weight[i] * (minutes[i, j] if j >= 0 else minutes[i, near[i]] + 60.0)
                load[j] += weight[i] if j >= 0 else 0.0
        if np.isfinite(cost) and (load <= capacity).all():
            best = min(best, cost)
    assert found.least.value == pytest.approx(best, abs=1e-6)
    assert found.least.bound <= best + 1e-6
    assert found.least.proved
    assert ((found.site >= 0) == reaches).all()
    held = found.fits & (weight > 0)
    assert (np.bincount(found.site[held], weight[held], len(capacity)) <= capacity + 1e-6).all()


def test_hidalgo_s_published_second_level_by_the_networks_own_search(shared: Path) -> None:
    """998 comparable first-level units have the published hospital; minutes differ for one."""
    folder, data = shared / "oracles" / "hidalgo_traveltime", shared / "data" / "hidalgo"
    grid = read_grid(data / "carreteras.tif", data / "pendiente.tif", data / "uso_de_suelo_friccion.tif", "EPSG:32614")
    first, second = (gpd.read_file(folder / f"clues{level}_info_accesibilidad.geojson").to_crs(32614).set_index("CLUES").sort_index()
                     for level in ("N1", "N2"))
    region = Region("Hidalgo", "hidalgo", "13", "EPSG:32614", False, first, first, first, None, None, grid, (), ())
    scenario = Scenario(speed_model="sigeh", snap_max_m=0.0)
    near = times_between(region, scenario, "vehiculo", first, second, 1440.0).nearest()
    known = np.isfinite(near["minutes"])
    assert int(known.sum()) == 998
    assert (near["site"] == first["CLUESN2_mas_cercana"])[known].sum() == 998
    assert ((near["minutes"] - first["tiempo_promedio_CLUES_N2"]).abs() <= 1e-3)[known].sum() == 997
