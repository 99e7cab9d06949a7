"""AccessMod 5's demonstration in Malawi: its own expected numbers from our search under its formulas."""

from collections import Counter
from pathlib import Path
from typing import NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
from small_steps import factors

from planner.model import STEPS
from planner.travel.board import lay_out, nearest
from planner.travel.network import Anchors, Network

CELL_M = 1000.0
WALK_KMH = {3: 2.0, 2: 4.0}
CYCLE_KMH = {1: 6.0}
MOTOR_KMH = {1001: 100.0, 1002: 80.0, 1003: 50.0}


class Malawi(NamedTuple):
    """Merged land cover (0 = none), elevation, and the flat cell of each facility by its `cat`."""

    cover: np.ndarray
    elevation: np.ndarray
    cells: dict[int, int]


@pytest.fixture(scope="module")
def malawi(shared: Path) -> Malawi:
    folder = shared / "oracles" / "accessmod_malawi"
    with rasterio.open(folder / "rLandCoverMerged__demo.tif") as file:
        cover, to = file.read(1, masked=True).filled(0).astype(int), file.transform
    with rasterio.open(folder / "dem.tif") as file:
        elevation = file.read(1).astype(float)
    facilities = gpd.read_file(folder / "vFacility__demo.gpkg")
    col = np.floor((facilities.geometry.x.to_numpy() - to.c) / to.a).astype(int)
    row = np.floor((facilities.geometry.y.to_numpy() - to.f) / to.e).astype(int)
    return Malawi(cover, elevation, dict(zip(facilities["cat"].tolist(), (row * cover.shape[1] + col).tolist(), strict=True)))


@pytest.mark.parametrize(("neighbours", "mean", "nulls"), [(8, 29.419, 32_283), (16, 29.522, 31_829)])
def test_all_by_motor_to_an_hour(malawi, neighbours, mean, nulls):
    """50 km/h on every class; a knight's move needs all four of its cells."""
    pace = np.where(malawi.cover > 0, 60 / 50_000, np.inf)
    factor = factors(pace, neighbours, lambda _k, _here, cells: np.mean([pace[at] for at in cells], axis=0))
    found = nearest(lay_out(Network(pace, CELL_M, neighbours, factor)), Anchors.at(np.array(list(malawi.cells.values()))), bound_min=60)
    minutes = np.ceil(found.minutes)
    reached = np.isfinite(minutes)
    assert int((~reached).sum()) == nulls
    assert minutes[reached].mean() == pytest.approx(mean, abs=5e-4)


def _pace(cover: np.ndarray, slope: np.ndarray) -> np.ndarray:
    """Minutes a metre on these classes at these slopes; inf = null."""
    kmh = np.zeros(cover.shape)
    for code, flat in WALK_KMH.items():
        kmh = np.where(cover == code, flat / np.exp(-0.175) * np.exp(-3.5 * np.abs(slope + 0.05)), kmh)
    for code, flat in {**CYCLE_KMH, **MOTOR_KMH}.items():
        kmh = np.where(cover == code, flat, kmh)
    return np.where(kmh > 0, 60 / (1000 * np.where(kmh > 0, kmh, 1.0)), np.inf)


def test_referral_between_all_facilities(malawi, shared):
    """All 90 times exact, from -> to, rounded up.

    Cycling is taken at its flat speed: AccessMod's formula reads the slope's ratio as a percentage, so a climb of one in ten
    counts as one in a thousand. That all agree, also the pairs whose way cycles, shows that this is all there is to it.
    """
    def cost(k, here, cells):
        slope = (malawi.elevation[cells[1]] - malawi.elevation[here]) / (CELL_M * np.hypot(*STEPS[k]))
        return np.mean([_pace(malawi.cover[at], slope) for at in cells], axis=0)

    flat = _pace(malawi.cover, np.zeros(malawi.cover.shape))
    board = lay_out(Network(flat, CELL_M, 8, factors(flat, 8, cost)))
    expected = pd.read_csv(shared / "oracles" / "accessmod_malawi" / "expected_referral_minutes.csv")
    assert len(expected) == 90
    told, classes = [], Counter()
    for start, pairs in expected.groupby("from__cat"):
        found = nearest(board, Anchors.at(np.array([malawi.cells[start]])))
        for _, pair in pairs.iterrows():
            end = malawi.cells[pair["to__cat"]]
            told.append(int(np.ceil(found.minutes[end])) - pair["time_m"])
            way = set()
            while end >= 0:
                way.add(int(malawi.cover.ravel()[end]))
                end = int(found.parent[end])
            classes.update(way)
    assert told == [0] * 90
    assert (classes[1], classes[2], classes[3]) == (18, 48, 60)  # pairs whose way cycles, walks at 4 km/h, at 2
