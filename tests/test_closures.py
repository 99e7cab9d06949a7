"""Units that close: the nearest one answers, nobody else changes, and what the region does not have is refused."""

from dataclasses import replace

import pandas as pd
import pytest
import valley
from valley_travel import HOSPITAL, MOBILE, U1, U2, A, B, C, D, F

from planner.access.gap import compute_access
from planner.closures import closed, with_units_out
from planner.errors import SettingsError
from planner.settings import Scenario
from planner.travel.times import compute_travel


def region():
    stops = pd.DataFrame({"clues": [MOBILE], "cvegeo": [D], "visits_month": [4.0]})
    return replace(valley.region(), circuits=stops)


def test_nothing_closed_is_the_same_region():
    here = region()
    assert closed(here, Scenario()) is here
    assert with_units_out(here, ()) is here


def test_a_closed_unit_attends_nobody_and_the_nearest_answers():
    here = region()
    before = here.units.copy(), here.responsibility.copy()
    shut = closed(here, Scenario(closures=(U1,)))
    travel = compute_travel(shut, Scenario())
    access = compute_access(shut, travel, Scenario())
    shares = access.shares.set_index(["cvegeo", "clues"])["share"]
    assert U1 not in access.shares["clues"].to_numpy()
    assert access.units.loc[U1, ["load", "capacity"]].tolist() == [0, 0]
    assert shares[B].sum() == pytest.approx(1.0)  # the 0.3 that answered to unit 1 has gone to unit 2, if near enough
    assert shares[B, U2].sum() == pytest.approx(1.0)
    assert shares[C, U2] == 1.0
    assert (travel.nearest["primer_nivel", "a_pie"]["clues"] == U2).all()
    whole = compute_access(here, compute_travel(here, Scenario()), Scenario()).localities
    assert (access.localities["first_level_min"] >= whole["first_level_min"]).all()
    assert access.localities.at[F, "gap_share"] >= whole.at[F, "gap_share"]
    pd.testing.assert_frame_equal(pd.DataFrame(before[0]), pd.DataFrame(here.units))
    pd.testing.assert_frame_equal(before[1], here.responsibility)


def test_a_mobile_unit_out_visits_nobody_and_a_hospital_out_refers_nobody():
    shut = with_units_out(region(), [MOBILE, HOSPITAL])
    assert shut.circuits.empty
    travel = compute_travel(shut, Scenario())
    access = compute_access(shut, travel, Scenario()).localities
    assert access.at[D, "visits_month"] == 0
    assert access["hospital_min"].eq(float("inf")).all()
    assert access.at[A, "assigned"] == U1


@pytest.mark.parametrize(("closures", "said"), [
    (("MDIMB000012",), r"cierra 1 unidad que la región no tiene \(MDIMB000012\); ¿quiso decir MDIMB0000"),
    (("X", "Y", "Z", "W"), r"cierra 4 unidades que la región no tiene \(W, X, Y, …\); revise las CLUES"),
])
def test_unknown_units_are_told(closures, said):
    with pytest.raises(SettingsError, match=said):
        closed(region(), Scenario(closures=closures))
