import numpy as np
import pandas as pd
import pytest
import valley

from planner.access.people import far_from_hospital, target_people
from planner.settings import Scenario


@pytest.mark.parametrize(("definition", "column"), [
    ("sin_seguridad_social", "uninsured"), ("pobtot", "population"), ("psinder", "unentitled")])
def test_target_people_follow_the_definition(definition: str, column: str) -> None:
    places = valley.region().localities.assign(uninsured=[1.0, 2, 3, 4, 5, 6], unentitled=[0.0, 0, 1, 1, 2, 2])
    people = target_people(places, Scenario(people=definition))
    assert people.tolist() == places[column].tolist()
    assert people.index.equals(places.index)
    assert people.dtype == float


def test_far_from_the_hospital_are_those_near_a_first_level_and_beyond_the_hospitals_threshold() -> None:
    rows = [(10, 60, 121, True), (10, 60, np.inf, True), (10, 60, 120, False), (10, 60.1, 121, False), (0, 60, 121, False),
            (10, np.nan, 121, False), (10, 60, np.nan, False), (10, np.inf, np.inf, False)]
    table = pd.DataFrame(rows, columns=["people", "first_level_min", "hospital_min", "far"])
    assert far_from_hospital(table, Scenario()).tolist() == table["far"].tolist()
