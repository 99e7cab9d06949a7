"""Who answers for whom: the official table row by row, the nearest fixed unit for the rest."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import valley
from valley_travel import HOSPITAL, MOBILE, U1, U2, A, B, C, D, E, F, travel

from planner.access.assignment import assign
from planner.model import Region
from planner.settings import Scenario

BASE = Scenario()


def with_rows(rows: list[tuple[str, str | None, float]]) -> Region:
    table = pd.DataFrame(rows, columns=["cvegeo", "clues", "share"]).assign(people=1.0, published_clues="x")
    return replace(valley.region(), responsibility=table)


def rows_of(shares: pd.DataFrame, cvegeo: str) -> list[tuple[str, float, str, str, float]]:
    picked = shares.loc[shares["cvegeo"] == cvegeo, ["clues", "share", "origin", "kind", "minutes"]]
    return list(picked.itertuples(index=False, name=None))


def test_official_rows_stand_and_a_locality_without_rows_goes_to_the_nearest() -> None:
    shares = assign(valley.region(), travel(valley.region()), BASE)
    assert rows_of(shares, A) == [(U1, 1.0, "oficial", "fija", 24.0)]
    assert rows_of(shares, B) == [(U1, 0.3, "oficial", "fija", 36.0), (U2, 0.7, "oficial", "fija", 48.0)]
    assert rows_of(shares, E) == [(U2, 1.0, "cercania", "fija", 70.0)]
    (mobile,) = rows_of(shares, D)
    assert mobile[:4] == (MOBILE, 1.0, "oficial", "movil")
    assert np.isnan(mobile[4])
    assert shares.equals(shares.sort_values(["cvegeo", "clues"], ignore_index=True))


def test_without_a_table_everybody_goes_to_the_nearest_within_the_ramp() -> None:
    region = valley.region(responsibility=False)
    shares = assign(region, travel(region, {(A, U1): 90.0, (B, U2): 90.1, (C, U2): 0.0}), BASE)
    assert [(c, u) for c, u in zip(shares["cvegeo"], shares["clues"], strict=True)] == [(A, U1), (C, U2)]
    assert set(shares["origin"]) == {"cercania"}


def test_only_the_row_of_an_unknown_unit_moves_to_the_nearest() -> None:
    region = with_rows([(A, U2, 0.6), (A, None, 0.3), (A, "XXXXX999999", 0.1), (F, None, 1.0)])
    shares = assign(region, travel(region), BASE)
    assert rows_of(shares, A) == [(U1, pytest.approx(0.4), "cercania", "fija", 24.0), (U2, 0.6, "oficial", "fija", 110.0)]
    assert rows_of(shares, F) == [(U1, 1.0, "cercania", "fija", 75.0)]


def test_a_unit_that_attends_nobody_is_as_unknown_and_beyond_the_ramp_nobody_answers() -> None:
    region = with_rows([(A, U1, 1.0), (D, U1, 0.25), (D, U2, 0.75)])
    idle = region.units.assign(role=region.units["role"].where(region.units.index != U1, "ninguno"))
    region = replace(region, units=idle)
    shares = assign(region, travel(region), BASE)
    assert rows_of(shares, A) == []  # U2 is 110 min away
    assert rows_of(shares, D) == [(U2, 0.75, "oficial", "fija", np.inf)]


def test_a_hospital_in_the_table_is_a_fixed_unit() -> None:
    region = with_rows([(C, HOSPITAL, 1.0)])
    assert rows_of(assign(region, travel(region), BASE), C) == [(HOSPITAL, 1.0, "oficial", "fija", 20.0)]


def test_beyond_the_search_is_infinite_and_unknown_travel_is_missing() -> None:
    region = with_rows([(A, U2, 1.0), (E, U1, 1.0)])
    shares = assign(region, travel(region, unknown=(A,)), BASE).set_index("cvegeo")
    assert np.isinf(shares.at[E, "minutes"])
    assert np.isnan(shares.at[A, "minutes"])


def test_a_unit_that_travel_refused_has_unknown_minutes() -> None:
    region = with_rows([(A, U1, 1.0)])
    known = travel(region)
    refused = replace(known, first_level=travel(replace(region, units=region.units.drop(index=U1))).first_level)
    assert np.isnan(assign(region, refused, BASE).set_index("cvegeo").at[A, "minutes"])


def test_shuffled_rows_give_the_same_table_and_nothing_is_changed() -> None:
    region = with_rows([(A, U2, 0.6), (A, None, 0.4), (B, U1, 1.0), (F, MOBILE, 0.5), (F, U1, 0.5)])
    before = region.responsibility.copy()  # type: ignore[union-attr]
    shuffled = replace(region, localities=region.localities.iloc[::-1], units=region.units.iloc[::-1], responsibility=before.iloc[::-1])
    pd.testing.assert_frame_equal(assign(region, travel(region), BASE), assign(shuffled, travel(shuffled), BASE))
    pd.testing.assert_frame_equal(region.responsibility, before)
