"""The universe of work of a real state, and how far it agrees with the published one."""

import time

import pytest
from small_universe import State, by_rule, told

from planner import columns, schema
from planner.decide.regional.universe import universe
from planner.model import Access, Region
from planner.settings import Scenario
from planner.travel.times import compute_travel


@pytest.fixture(scope="module")
def state(hidalgo_access: tuple[Region, Access]) -> State:
    region, access = hidalgo_access
    return region, compute_travel(region, Scenario()), access


def test_everyone_has_room_where_there_is_and_the_least_minutes(state: State) -> None:
    started = time.perf_counter()
    answer = universe(*state, None, Scenario())
    assert time.perf_counter() - started < 10
    people = state[2].localities["people"]
    assert answer.localities["people"].sum() == pytest.approx(people.sum())
    assert answer.shares["people"].sum() == pytest.approx(people.sum())
    assert answer.localities["place_kind"].value_counts(dropna=False).tolist() == [4507, 134, 49]
    assert answer.solution is not None
    assert answer.solution.proved
    assert answer.solution.value == pytest.approx(60_805_770, abs=1)
    assert answer.unplaced == pytest.approx(16_691.7, abs=0.1)
    assert (answer.units["rho"] < 1).sum() == 9
    nearest = universe(*state, None, by_rule("cercania", Scenario()))
    assert nearest.solution is not None
    assert nearest.solution.value <= answer.solution.value
    assert nearest.unplaced == pytest.approx(342_650, abs=1)
    near = state[1].nearest["primer_nivel", "a_pie"]
    by_surface = near.loc[near["minutes"] <= 180, "clues"].sort_index()  # the one search against the other
    assert (nearest.localities["place"].reindex(by_surface.index) == by_surface).mean() > 0.999
    for table, frame in ((schema.UNIVERSE, answer.localities), (schema.UNIVERSE_UNITS, answer.units), (schema.REASSIGNMENTS, answer.moves)):
        columns.check(table, frame, table.name)


def test_it_agrees_with_the_published_table_so_far(state: State) -> None:
    region, travel, _ = state
    near, room = (told(state, rule, Scenario()) for rule in ("cercania", "capacidad"))
    for table in (near, room):
        assert (table["localities"].sum(), table["people"].sum()) == (4690, pytest.approx(2_047_505, abs=1))
        assert table.loc[["unidad cerrada o desconocida", "sin fila en la tabla"], "localities"].tolist() == [22, 0]
    assert near["localities"].drop("sin fila en la tabla").tolist() == [2846, 22, 281, 0, 40, 132, 10, 1359, 0]
    assert room["localities"].drop("sin fila en la tabla").tolist() == [2656, 22, 281, 0, 40, 132, 6, 1241, 312]
    assert near.at["coincide", "people_share"] == pytest.approx(0.6865, abs=1e-4)
    # Counted apart: undivided localities whose row names the unit with the least minutes of the table of pairs.
    official = region.responsibility
    assert official is not None
    whole = official[official.groupby("cvegeo")["cvegeo"].transform("size") == 1].set_index("cvegeo")
    pairs = travel.first_level.pairs()
    pairs = pairs[pairs["site"].map(region.units["role"]) == "primer_nivel"]
    first = pairs.loc[pairs.groupby("cvegeo")["minutes"].idxmin()].set_index("cvegeo")["site"]
    same = (first.reindex(whole.index) == whole["clues"]).sum()
    mobile = (universe(*state, None, by_rule("cercania", Scenario())).localities["place_kind"] == "movil").sum()
    divided = official["cvegeo"].nunique() - len(whole)
    assert same + mobile <= near.at["coincide", "localities"] <= same + mobile + divided
