import pytest
import valley

from planner.access.people import target_people
from planner.settings import Scenario


@pytest.mark.parametrize(("definition", "column"), [
    ("sin_seguridad_social", "uninsured"), ("pobtot", "population"), ("psinder", "unentitled")])
def test_target_people_follow_the_definition(definition: str, column: str) -> None:
    places = valley.region().localities.assign(uninsured=[1.0, 2, 3, 4, 5, 6], unentitled=[0.0, 0, 1, 1, 2, 2])
    people = target_people(places, Scenario(people=definition))
    assert people.tolist() == places[column].tolist()
    assert people.index.equals(places.index)
    assert people.dtype == float
