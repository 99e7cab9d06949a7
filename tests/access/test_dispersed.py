"""People of the raster outside listed localities: the valley by hand, each person once, what is unknown is told."""

import warnings
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterstats
import shapely
import valley
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from rasterio.transform import Affine

from planner.access.dispersed import dispersed_people
from planner.errors import DataError
from planner.model import Grid, Region
from planner.settings import Scenario

SHAPE = (6, 10)
NEAR = Scenario(listed_locality_m=900.0)  # cells of 1 km: only a locality's own cell


def peopled(people: np.ndarray) -> Region:
    region = valley.region()
    return replace(region, grid=replace(region.grid, people=people.astype(np.float32)))


def places() -> np.ndarray:
    """Cells where a locality stands."""
    held = np.zeros(SHAPE, bool)
    for _, row, col, *_ in valley.PLACES.values():
        held[row, col] = True
    return held


def test_valley_by_hand() -> None:
    people = np.zeros(SHAPE)
    people[2, 0], people[2, 1], people[0, 9] = 3000, 10, 7  # A itself is listed; its neighbour and the far corner are not
    people[3, 0], people[5, 0], people[5, 1], people[3, 6] = 4, 5, 1, 2  # municipality two; the last cell is impassable
    people[1, 1] = np.nan
    minutes = np.full(SHAPE, 30.0)
    minutes[0, 9], minutes[3, 0], minutes[5, 1], minutes[3, 6] = 60.1, 60.0, np.inf, np.nan
    found = dispersed_people(peopled(people), minutes, NEAR)
    assert found.index.tolist() == ["99001", "99002"]
    assert found.index.name == "cve_mun"
    truth = pd.DataFrame({
        "people": [17.0, 12.0], "within": [10.0, 9.0], "beyond": [7.0, 0.0], "unreachable": [0.0, 3.0],
        "mean_min": [(10 * 30 + 7 * 60.1) / 17, (4 * 60 + 5 * 30) / 9], "unknown_cells": [1, 0]}, index=found.index)
    pd.testing.assert_frame_equal(found, truth)


@pytest.mark.parametrize(("radius", "counted"), [(0.0, 54), (999.9, 54), (1000.0, 54 - 21), (20_000.0, 0)])
def test_the_radius_around_a_locality_is_inclusive(radius: float, counted: int) -> None:
    """One person in every cell; with 1 km go the localities' neighbours, 21 different cells."""
    found = dispersed_people(peopled(np.ones(SHAPE)), np.zeros(SHAPE), Scenario(listed_locality_m=radius))
    assert found["people"].sum() == counted
    assert found["mean_min"].isna().all() == (counted == 0)


def test_people_outside_every_municipality_stand_in_a_null_row_and_shared_lines_count_once() -> None:
    """The line between the two municipalities runs through the centres of row 3."""
    region = peopled(np.ones(SHAPE))
    west, north = valley.ORIGIN
    line = north - 3.5 * valley.CELL
    towns = region.municipalities.set_geometry([
        shapely.box(west, line, west + 10 * valley.CELL, north), shapely.box(west, line - valley.CELL, west + 10 * valley.CELL, line)])
    table = dispersed_people(replace(region, municipalities=towns.iloc[::-1]), np.full(SHAPE, 5.0), NEAR)
    outside = ~places()
    assert table.index[:2].tolist() == ["99001", "99002"]
    assert pd.isna(table.index[2])
    assert table["people"].tolist() == [outside[:4].sum(), outside[4].sum(), outside[5].sum()]
    assert (table["mean_min"] == 5.0).all()


def test_sums_by_municipality_of_hidalgo_are_those_of_rasterstats(shared: Path) -> None:
    drawn = gpd.read_file(shared / "data" / "hidalgo" / "limites" / "LIM_MUNICIPALES.shp").to_crs(valley.CRS)
    towns = drawn.set_axis([f"13{i:03d}" for i in range(len(drawn))], axis=0).rename_axis("cve_mun")
    people = np.random.default_rng(0).random((998, 978)).astype(np.float32)
    zero = np.zeros(people.shape, np.float32)
    transform = (200.0, 0.0, 410236.1045, 0.0, -200.0, 2366550.0)
    region = replace(valley.region(), grid=Grid(transform, valley.CRS, zero, zero, zero, people=people), municipalities=towns)
    region = replace(region, localities=region.localities.iloc[:0])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PendingDeprecationWarning)  # of affine, inside rasterstats
        theirs = rasterstats.zonal_stats(towns, people.astype(float), affine=Affine(*transform), nodata=-1, stats="sum")
    ours = dispersed_people(region, np.zeros(people.shape), NEAR)["people"]
    np.testing.assert_allclose(ours.iloc[:-1], [zone["sum"] for zone in theirs], rtol=1e-9)
    assert ours.sum() == pytest.approx(people.sum(dtype=float), rel=1e-12)


@settings(max_examples=80, deadline=None)
@given(hnp.arrays(np.float32, SHAPE, elements=st.sampled_from([0.0, 0.25, 3.0, 1000.0, np.nan])),
       hnp.arrays(float, SHAPE, elements=st.sampled_from([0.0, 59.9, 60.0, 60.1, 500.0, np.inf, np.nan])), st.floats(0, 5000))
def test_each_person_is_counted_once(people: np.ndarray, minutes: np.ndarray, radius: float) -> None:
    region, scenario = peopled(people), Scenario(listed_locality_m=radius)
    towns = region.municipalities.iloc[:1]  # the south belongs to nobody
    table = dispersed_people(replace(region, municipalities=towns), minutes, scenario)
    row, col = np.indices(SHAPE)
    near = [np.hypot(row - place[1], col - place[2]) * valley.CELL <= radius for place in valley.PLACES.values()]
    outside = ~np.any(near, axis=0)
    assert table["people"].sum() == np.nansum(people[outside])
    assert (table["within"] + table["beyond"] + table["unreachable"]).tolist() == table["people"].tolist()
    assert table["within"].sum() == np.nansum(people[outside & (minutes <= 60)])
    assert table.at["99001", "unknown_cells"] == np.isnan(people[:3][outside[:3]]).sum()
    assert table["mean_min"].dropna().between(0, 500).all()


def test_shuffled_tables_give_the_same_answer_and_nothing_given_changes() -> None:
    draw = np.random.default_rng(4)
    people, minutes = draw.random(SHAPE), draw.uniform(0, 120, SHAPE)
    region = peopled(people)
    before, kept = region.grid.people.copy(), minutes.copy()  # type: ignore[union-attr]
    mixed = replace(region, localities=region.localities.iloc[::-1], municipalities=region.municipalities.iloc[::-1])
    pd.testing.assert_frame_equal(dispersed_people(mixed, minutes, NEAR), dispersed_people(region, minutes, NEAR), check_exact=True)
    np.testing.assert_array_equal(region.grid.people, before)  # type: ignore[arg-type]
    np.testing.assert_array_equal(minutes, kept)


def test_without_listed_localities_or_municipalities_everybody_is_outside() -> None:
    region = peopled(np.ones(SHAPE))
    empty = gpd.GeoDataFrame(region.municipalities.iloc[:0], geometry="geometry", crs=valley.CRS)
    table = dispersed_people(replace(region, localities=region.localities.iloc[:0], municipalities=empty), np.zeros(SHAPE), NEAR)
    assert table["people"].tolist() == [60.0]
    assert table.index.isna().all()


@pytest.mark.parametrize(("people", "minutes", "words"), [
    (None, np.zeros(SHAPE), "no tiene ráster de población"), (np.full(SHAPE, -1.0), np.zeros(SHAPE), "60 celdas con personas negativas"),
    (np.ones(SHAPE), np.zeros((6, 9)), r"de \(6, 9\) celdas y la cuadrícula de la región de \(6, 10\)")])
def test_what_cannot_be_answered_is_told(people: np.ndarray | None, minutes: np.ndarray, words: str) -> None:
    region = valley.region() if people is None else peopled(people)
    with pytest.raises(DataError, match=words):
        dispersed_people(region, minutes, NEAR)
