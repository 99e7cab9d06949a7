"""Districts of small regions that a reader can solve, and of a real state beside what stands today."""

from dataclasses import replace
from itertools import product

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import valley
from shapely.geometry import box

from planner import columns
from planner.access.gap import compute_access
from planner.decide.regional import partition as engine
from planner.decide.regional.areas import Areas, municipal_areas
from planner.decide.regional.districts import Districts, districts, frontier, locality_districts, moved_by_hand, rules_of, today
from planner.decide.regional.measures import measures
from planner.decide.regional.rules import broken
from planner.errors import SettingsError
from planner.model import Access, Grid, Region
from planner.schema import regional as schema
from planner.settings import Scenario
from planner.travel.times import compute_travel

SCENARIO = Scenario()
State = tuple[Region, Access]


def asked(**changes: object) -> Scenario:
    return SCENARIO.model_copy(update={"regional": SCENARIO.regional.model_copy(update=changes)})


def row(letters: str, hospitals: str, people: list[float] | None = None, groups: str | None = None) -> State:
    """Municipalities of one cell and one locality each, in a row along a road of one minute a cell; 99001 is A.

    `hospitals` are the letters of those that have one; `groups` tells today's district of each, a blank where there is none.
    """
    n = len(letters)
    numbers = pd.Index([f"9900{i + 1}" for i in range(n)], name="cve_mun")
    origin = valley.ORIGIN
    sites = gpd.points_from_xy(origin[0] + (np.arange(n) + 0.5) * valley.CELL, np.full(n, origin[1] - 0.5 * valley.CELL), crs=valley.CRS)
    base = valley.region(responsibility=False)
    target = np.array(people if people is not None else [100.0] * n)
    localities = pd.concat([base.localities.iloc[:1]] * n).set_index(numbers.rename("cvegeo") + "0001")
    localities = gpd.GeoDataFrame(localities.assign(cve_mun=numbers, name=list(letters), population=(2 * target).astype(int),
                                                    uninsured=target), geometry=sites)
    at = [letters.index(h) for h in hospitals]
    units = pd.concat([base.units.iloc[-1:]] * len(at) or [base.units.iloc[:0]])
    units.index = pd.Index([f"MDIMB00{i}00{i}" for i in at], name="clues", dtype="str")
    units = gpd.GeoDataFrame(units.assign(cve_mun=numbers[at]), geometry=sites[at], crs=valley.CRS)
    district = [g if g != " " else None for g in groups] if groups else [None] * n
    shapes = sites.buffer(valley.CELL / 2, cap_style="square")
    towns = gpd.GeoDataFrame({"name": list(letters), "irs": 0.0, "irs_grade": "Bajo",
                              "district": pd.Series(district, numbers, dtype="str")},
                             index=numbers, geometry=shapes)
    flat = np.zeros((1, n), np.float32)
    grid = Grid(base.grid.transform, valley.CRS, np.full((1, n), 60, np.float32), flat, flat + 1)
    region = replace(base, localities=localities, units=units, municipalities=towns, grid=grid)
    return region, compute_access(region, compute_travel(region, SCENARIO), SCENARIO)


def letters_of(found: Districts) -> list[str]:
    return sorted("".join(group["name"]) for _, group in found.members.groupby("district"))


def test_two_hospitals_draw_two_districts_by_hand() -> None:
    """Today C goes to the hospital of E, two minutes away, though that of B is at one."""
    region, access = row("ABCDEF", "BE", groups="XXYYYY")
    found = districts(region, access, asked(districts=2))
    assert letters_of(found) == ["ABC", "DEF"]
    assert found.partition.proof == "factible"
    assert found.broken == ()
    assert found.measures.minutes == pytest.approx(4 / 6)
    assert found.measures.crossing == 0
    assert found.today is not None
    assert (found.today.minutes, found.today.crossing, found.today.spread) == pytest.approx((5 / 6, 1 / 6, 1 / 3))
    assert found.members["changes"].tolist() == [False, False, True, False, False, False]
    assert found.members["district"].tolist() == ["D01"] * 3 + ["D02"] * 3
    assert found.table["name"].tolist() == ["A", "D"]  # as many people in each: the lowest key
    first = found.table.loc["D01"]
    assert first.drop(["geometry", "name", "minutes_mean", "compactness"]).to_dict() == {
        "municipalities": 3, "municipality_keys": "99001, 99002, 99003", "population": 600, "people": 300.0, "spread": 0.0, "hospitals": 1,
        "minutes_p90": 1.0, "people_beyond": 0.0, "crossing_share": 0.0, "contiguous": True}
    assert first["minutes_mean"] == pytest.approx(2 / 3)
    assert first["compactness"] == pytest.approx(4 * np.pi * 3 / 8**2)
    assert first["geometry"].equals(box(*region.municipalities.geometry.iloc[:3].total_bounds))
    columns.check(schema.DISTRICTS, pd.DataFrame(found.table.drop(columns="geometry")), "distritos")
    columns.check(schema.DISTRICT_OF_MUNICIPALITY, found.members, "municipios")


def test_a_free_number_is_sought_though_there_are_groups_today() -> None:
    """One district never crosses; the norm of people a hospital asks for two."""
    region, access = row("ABCDEF", "BE", groups="XXYYZZ")
    norm = float(access.localities["people"].sum()) / 2
    assert len(districts(region, access, asked(districts=0)).table) == 3
    assert len(districts(region, access, asked(districts="libre", hospital_people_max=norm)).table) == 2
    held = districts(region, access, asked(districts=3, hospital_required=True, district_tolerance=10.0))
    assert held.partition.proof == "imposible"
    assert [rule for rule, _ in held.broken] == ["hospital"]


def test_the_table_tells_what_the_measures_add_up_to() -> None:
    region, access = row("ABCDEFGH", "AH", [300, 100, 50, 200, 100, 100, 80, 400])
    found = districts(region, access, asked(districts=3, district_tolerance=1.0))
    table, number = found.table, found.measures
    assert table["people"].sum() == 1330
    assert (table["people"] * table["minutes_mean"]).sum() / 1330 == pytest.approx(number.minutes)
    assert (table["people"] * table["crossing_share"]).sum() / 1330 == pytest.approx(number.crossing)
    assert table["spread"].abs().max() == pytest.approx(number.spread)
    assert table["compactness"].mean() == pytest.approx(number.compactness)


def test_a_group_without_hospital_uses_the_nearest_outside() -> None:
    region, access = row("ABCDEF", "B", groups="XXXYYY")
    standing = today(municipal_areas(region, access, SCENARIO), region)
    assert standing is not None
    assert standing.hospitals.tolist() == [1, 0]
    assert standing.minutes_by == pytest.approx([2 / 3, 3])
    assert standing.crossing == 0.5


def test_municipalities_without_group_are_one_of_their_own_and_no_group_at_all_is_none() -> None:
    region, access = row("ABCDEF", "BE", groups="XX YYY")
    standing = today(municipal_areas(region, access, SCENARIO), region)
    assert standing is not None
    assert sorted(standing.people) == [100, 200, 300]
    assert len(districts(region, access, SCENARIO).table) == 2  # today's number: X and Y
    bare, access = row("ABCDEF", "BE")
    assert today(municipal_areas(bare, access, SCENARIO), bare) is None
    found = districts(bare, access, asked(hospital_people_max=300.0))
    assert found.today is None
    assert not found.members["changes"].any()
    assert letters_of(found) == ["ABC", "DEF"]  # 600 people at 300 a hospital: at least two; two hospitals: at most two


def test_what_is_moved_by_hand_is_counted_anew_and_tells_what_breaks() -> None:
    region, access = row("ABCDEF", "BE", groups="XXXYYY")
    found = districts(region, access, asked(district_tolerance=0.1))
    assert letters_of(found) == ["ABC", "DEF"]
    moved = moved_by_hand(found, "99003", "D02")
    assert letters_of(moved) == ["AB", "CDEF"]
    assert moved.measures.crossing == pytest.approx(1 / 6)
    assert {rule for rule, _ in moved.broken} == {"minimo", "maximo"}
    assert moved.members.loc["99003", "changes"]
    assert letters_of(found) == ["ABC", "DEF"]
    apart = moved_by_hand(found, "99001", "D02")
    assert "contiguidad" in {rule for rule, _ in apart.broken}
    assert apart.table["contiguous"].tolist() == [True, False]
    back = moved_by_hand(moved, "99003", "D01")
    pd.testing.assert_frame_equal(pd.DataFrame(back.table), pd.DataFrame(found.table))
    assert (back.broken, back.solution.value) == ((), pytest.approx(found.solution.value))


@pytest.mark.parametrize(("area", "to", "told"), [("99009", "D01", "99009"), ("99001", "D07", "D07")])
def test_moving_what_is_not_there_is_refused(area: str, to: str, told: str) -> None:
    region, access = row("ABC", "B")
    found = districts(region, access, asked(districts=2, district_tolerance=1.0))
    with pytest.raises(SettingsError, match=f"«{told}» no está .*¿quiso decir"):
        moved_by_hand(found, area, to)


def test_together_and_apart_are_kept() -> None:
    region, access = row("ABCDEF", "BE")
    assert letters_of(districts(region, access, asked(districts=2, together=("99003+99004",)))) in (["AB", "CDEF"], ["ABCD", "EF"])
    assert letters_of(districts(region, access, asked(districts=2, district_tolerance=1.0, apart=("99001+99002",)))) == ["A", "BCDEF"]
    areas = municipal_areas(region, access, SCENARIO)
    rules = rules_of(areas, asked(together=("99001 + 99002+99003",), apart=("99004+99005+99006",)), 2)
    assert rules.together == ((0, 1, 2),)
    assert rules.apart == ((3, 4), (3, 5), (4, 5))


@pytest.mark.parametrize(("text", "told"), [
    ("99o01+99002", "«99o01» no existe en la región .*«99001»"), ("99001", "dos claves"), ("99001+", "dos claves"), ("9+99001", "«9»")])
def test_keys_that_are_no_area_are_refused_with_the_nearest(text: str, told: str) -> None:
    region, access = row("ABC", "B")
    for where in ("together", "apart"):
        with pytest.raises(SettingsError, match=f"regional.{where}.*{told}"):
            districts(region, access, asked(districts=2, **{where: (text,)}))


def test_rules_that_cannot_be_kept_are_proved_impossible() -> None:
    region, access = row("ABCDEF", "BE")
    found = districts(region, access, asked(districts=2, together=("99001+99006",)))
    assert found.partition.proof == "imposible"
    assert found.broken
    assert found.members["people"].sum() == 600


def test_more_districts_than_municipalities_are_refused() -> None:
    region, access = row("ABC", "B")
    with pytest.raises(SettingsError, match="4 distritos de 3"):
        districts(region, access, asked(districts=4))


def test_one_municipality_is_one_district() -> None:
    found = districts(*row("A", "A"), SCENARIO)
    assert letters_of(found) == ["A"]
    assert (found.broken, found.measures.crossing, found.measures.minutes) == ((), 0, 0)


def test_a_state_without_hospitals_is_drawn_all_the_same() -> None:
    found = districts(*row("ABCD", ""), asked(districts=2))
    assert letters_of(found) == ["AB", "CD"]
    assert found.table["hospitals"].tolist() == [0, 0]
    assert found.table["crossing_share"].tolist() == [0, 0]
    assert found.table[["minutes_mean", "minutes_p90"]].isna().all(axis=None)
    assert found.table["people_beyond"].tolist() == [200, 200]
    columns.check(schema.DISTRICTS, pd.DataFrame(found.table.drop(columns="geometry")), "distritos")


def test_missing_polygons_leave_districts_that_are_drawn_by_travel() -> None:
    region, access = row("ABCDEF", "BE")
    shapes = region.municipalities.geometry.copy()
    shapes[["99003", "99004", "99005", "99006"]] = None
    found = districts(replace(region, municipalities=region.municipalities.set_geometry(shapes)), access, asked(districts=2))
    assert letters_of(found) == ["ABC", "DEF"]
    assert found.table.geometry.isna().tolist() == [False, True]
    assert found.table["compactness"].isna().all()
    assert [f.code for f in found.areas.findings] == ["sin_poligono"]


def brute(areas: Areas, count: int, low: float, high: float) -> list[np.ndarray]:
    """Every grouping of a row into contiguous districts within the limits."""
    n, kept = len(areas.ids), []
    for cuts in product((0, 1), repeat=n - 1):
        label = np.concatenate([[0], np.cumsum(cuts)])
        people = np.bincount(label, areas.people)
        if label[-1] + 1 == count and (people >= low - 1e-9).all() and (people <= high + 1e-9).all():
            kept.append(label)
    return kept


def test_the_frontier_tells_what_is_possible_and_what_each_number_gives() -> None:
    region, access = row("ABCDEFGH", "BDG", [300, 100, 50, 200, 100, 100, 80, 400], groups="XXYYYZZZ")
    areas = municipal_areas(region, access, SCENARIO)
    table = frontier(areas, region, range(1, 7), [0.05, 0.3, 1.0], SCENARIO)
    assert table["grouping"].tolist() == ["hoy"] + ["propuesta"] * 18
    assert (table.loc[0, "count"], table.loc[0, "spread"]) == (3, pytest.approx(580 / (1330 / 3) - 1))
    for told in table.iloc[1:].itertuples():
        rules = rules_of(areas, SCENARIO, told.count, told.tolerance)
        kept = brute(areas, told.count, rules.low, rules.high)
        assert told.status == ("factible" if kept else "imposible")
        if kept:
            best = min(m.minutes / 60 + m.crossing + 0.1 * (1 - m.compactness) for m in (measures(areas, k) for k in kept))
            assert told.score == pytest.approx(best)
            assert told.bound <= told.score + 1e-9
            assert told.spread <= told.tolerance + 1e-9
        else:
            assert np.isnan([told.spread, told.minutes, told.crossing, told.score]).all()
    worth = table[["spread", "minutes", "crossing"]].to_numpy(float)
    for i, mine in enumerate(worth):
        beaten = any((other <= mine).all() and (other < mine).any() for other in worth[table["count"] == table.loc[i, "count"]])
        assert table.loc[i, "efficient"] == (not beaten and np.isfinite(mine).all())


def test_localities_make_districts_too() -> None:
    region, access = row("ABCDEF", "BE", groups="XXXYYY")
    found = locality_districts(region, access, asked(together=("99001+99002",), apart=("99003+99004",)))
    assert letters_of(found) == ["ABC", "DEF"]
    assert found.members.index.tolist() == region.localities.index.tolist()
    assert found.table["municipality_keys"].tolist() == ["99001, 99002, 99003", "99004, 99005, 99006"]
    assert found.table["population"].tolist() == [600, 600]
    assert found.table.geometry.area.tolist() == [3e6, 3e6]
    assert not found.members["changes"].any()
    assert (found.broken, moved_by_hand(found, "990030001", "D02").members.loc["990030001", "district"]) == ((), "D02")


def test_the_order_of_the_tables_changes_nothing() -> None:
    region, access = row("ABCDEF", "BE", [300, 100, 50, 200, 100, 100], groups="XXYYYY")
    shuffled = replace(region, localities=region.localities.iloc[::-1], units=region.units.iloc[::-1],
                       municipalities=region.municipalities.iloc[::-1])
    for draw in (districts, locality_districts):
        first = draw(region, access, SCENARIO)
        again = draw(shuffled, replace(access, localities=access.localities.iloc[::-1]), SCENARIO)
        pd.testing.assert_frame_equal(pd.DataFrame(first.table), pd.DataFrame(again.table))
        pd.testing.assert_frame_equal(first.members, again.members)


def test_hidalgo_beside_todays_jurisdictions(hidalgo_access: State, hidalgo_areas: Areas) -> None:
    region, access = hidalgo_access
    standing = today(hidalgo_areas, region)
    assert standing is not None
    assert (len(standing.people), standing.contiguous.all()) == (12, True)
    assert standing.people.sum() == pytest.approx(2_047_505, abs=1)
    own = region.localities["cve_mun"].map(region.municipalities["district"])
    there = access.localities["hospital_clues"].map(region.units["cve_mun"]).map(region.municipalities["district"])
    people = access.localities["people"]
    near = access.localities["hospital_min"] <= SCENARIO.regional.hospital_cutoff_min
    assert standing.crossing == pytest.approx(people[near & (own != there)].sum() / people.sum(), rel=1e-9)
    found = districts(region, access, SCENARIO)
    assert found.broken == ()
    assert found.measures.spread <= SCENARIO.regional.district_tolerance + 1e-9 < standing.spread
    assert found.measures.crossing < standing.crossing
    assert found.measures.minutes < standing.minutes
    assert found.solution.bound <= found.solution.value
    assert len(found.table) == 12
    assert found.table["contiguous"].all()
    assert (len(found.members), found.members.index.is_unique, found.table["municipalities"].sum()) == (84, True, 84)
    assert found.table["population"].sum() == 3_082_841
    assert found.table["people"].sum() == pytest.approx(2_047_505, abs=1)
    assert found.table["hospitals"].sum() == 20
    assert found.table.geometry.area.sum() == pytest.approx(region.municipalities.area.sum(), rel=1e-6)
    columns.check(schema.DISTRICTS, pd.DataFrame(found.table.drop(columns="geometry")), "distritos")
    columns.check(schema.DISTRICT_OF_MUNICIPALITY, found.members, "municipios")


def test_hidalgos_districts_are_contiguous_whatever_the_seed(hidalgo_areas: Areas, monkeypatch: pytest.MonkeyPatch) -> None:
    areas = hidalgo_areas
    monkeypatch.setattr(engine, "_MOVES", 4_000)
    monkeypatch.setattr(engine, "_STARTS", 2)
    rules = rules_of(areas, SCENARIO, 12)
    for seed in range(50):
        label = engine.annealed(areas, rules, seed)
        assert "contiguidad" not in dict(broken(areas, label, rules)), seed
        assert sorted(set(label)) == list(range(12))
        assert measures(areas, label).people.sum() == pytest.approx(2_047_505, abs=1)


def test_a_locality_stands_in_one_district_of_hidalgo(hidalgo_access: State, monkeypatch: pytest.MonkeyPatch) -> None:
    region, access = hidalgo_access
    monkeypatch.setattr(engine, "_MOVES", 4_000)
    monkeypatch.setattr(engine, "_STARTS", 1)
    found = locality_districts(region, access, asked(district_tolerance=1.0))
    assert found.members.index.equals(region.localities.sort_index().index)
    assert found.members["people"].sum() == pytest.approx(2_047_505, abs=1)
    assert found.table["people"].sum() == pytest.approx(2_047_505, abs=1)
    assert found.table["contiguous"].all()
    assert len(found.table) == 12
