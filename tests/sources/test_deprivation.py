"""Rezago social: CONEVAL's own municipal numbers and the published locality grades are the truth."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import small_iter
from sklearn.metrics import roc_auc_score

from planner.schema import INDICATORS
from planner.sources import deprivation
from planner.sources.coneval import read_municipal_index
from planner.sources.files import read_rows
from planner.sources.inegi import read_iter


@pytest.fixture(scope="module")
def workbook(shared: Path) -> Path:
    return shared / "data/national/IRS_entidades_mpios_2020.xlsx"


def test_order_is_the_schema_s_and_every_indicator_has_a_weight() -> None:
    assert list(deprivation.NAMES) == [name for name, _ in INDICATORS] == list(deprivation.WEIGHTS)


def test_municipalities_of_hidalgo_from_the_census_equal_coneval(shared: Path, workbook: Path) -> None:
    official = read_municipal_index(workbook, "13")
    own = deprivation.indicators(read_iter(shared / "data/hidalgo/iter_13_cpv2020_csv.zip", "13").municipalities)
    assert len(official) == len(own) == 84
    assert (own - official[list(deprivation.NAMES)]).abs().max(axis=None) < 6e-7
    irs = deprivation.index(own)
    assert (irs - official["irs"]).abs().max() < 1e-4
    assert deprivation.grade(irs).tolist() == official["irs_grade"].tolist()


def test_all_municipalities_of_the_country_equal_coneval(workbook: Path) -> None:
    official = read_municipal_index(workbook, "")
    assert len(official) == 2469
    irs = deprivation.index(official)
    assert (irs - official["irs"]).abs().max() < 4.1e-5
    assert deprivation.grade(irs).tolist() == deprivation.grade(official["irs"]).tolist() == official["irs_grade"].tolist()


def test_the_replica_ranks_localities_like_the_published_high_grades(shared: Path) -> None:
    """Not suppressed = at least one indicator of its own; what is missing takes the municipality's."""
    folder = shared / "data/hidalgo"
    census = read_iter(folder / "iter_13_cpv2020_csv.zip", "13")
    cells = read_rows(folder / "localidades_diconsa_irs_gm_2020.xlsx", sheet="resago alto")[0]
    high = set(cells[cells.str.fullmatch(r"\d{9}")])
    assert len(high) == 459
    own = deprivation.indicators(census.localities)
    towns = deprivation.indicators(census.municipalities)
    irs = deprivation.local_index(own, census.localities["cve_mun"], towns, deprivation.index(towns))["irs"]
    published = own.index.isin(high)
    complete, visible = own.notna().all(axis=1), own.notna().any(axis=1)
    assert (int(complete.sum()), int(published[complete].sum())) == (3940, 421)
    assert (int(visible.sum()), int(published[visible].sum())) == (4063, 459)
    assert roc_auc_score(published[complete], irs[complete]) == pytest.approx(0.9805, abs=5e-5)
    assert roc_auc_score(published[visible], irs[visible]) >= 0.97


def test_indicators_of_the_small_census_by_hand() -> None:
    counts = pd.DataFrame([small_iter.PER_100 | {"population": 100}]).astype(float)
    assert deprivation.indicators(counts).iloc[0].to_dict() == pytest.approx({
        "illiterate": 10, "not_in_school": 10, "basic_incomplete": 50, "no_entitlement": 30, "dirt_floor": 10, "no_toilet": 25,
        "no_piped_water": 20, "no_drainage": 30, "no_electricity": 5, "no_washer": 60, "no_fridge": 40})


def test_hidden_counts_and_nobody_to_count_are_missing_never_zero() -> None:
    counts = pd.DataFrame([small_iter.PER_100 | {"population": 100}] * 3).astype(float)
    counts.loc[0, ["P_6A11", "P_12A14", "P6A11_NOA", "P12A14NOA"]] = 0
    counts.loc[1, "VPH_LETR"] = np.nan
    counts.loc[2, "VIVPARH_CV"] = 0
    missing = deprivation.indicators(counts).isna()
    assert missing.columns[missing.loc[0]].tolist() == ["not_in_school"]
    assert missing.columns[missing.loc[1]].tolist() == ["no_toilet"]
    assert missing.loc[2].sum() == 7


def test_one_hidden_indicator_takes_that_one_of_the_municipality_and_all_hidden_its_index() -> None:
    own = pd.DataFrame(10.0, index=["a", "b", "c", "d"], columns=list(deprivation.NAMES))
    own.loc["b", "dirt_floor"] = np.nan
    own.loc[["c", "d"]] = np.nan
    towns = pd.DataFrame(30.0, index=["1"], columns=list(deprivation.NAMES))
    before = own.copy()
    got = deprivation.local_index(own, pd.Series(["1", "1", "1", "2"], index=own.index), towns, pd.Series({"1": 1.9}))
    weight = sum(deprivation.WEIGHTS.values())
    assert got.loc["a", "irs"] == pytest.approx(deprivation.INTERCEPT + 10 * weight)
    assert got.loc["b", "irs"] == pytest.approx(deprivation.INTERCEPT + 10 * weight + 20 * deprivation.WEIGHTS["dirt_floor"])
    assert got.loc["c", "irs"] == 1.9
    assert np.isnan(got.loc["d", "irs"])
    assert got["irs_imputed"].tolist() == [False, True, True, False]
    assert got["irs_grade"].tolist()[2] == "Muy alto"
    assert got["irs_grade"].isna().tolist() == [False, False, False, True]
    pd.testing.assert_frame_equal(own, before)
