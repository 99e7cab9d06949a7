"""Agreement with the official table: each reason by hand, and sums."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_universe import PLAIN, State, drawn, told, unit_id

from planner.access.gap import compute_access
from planner.decide.regional.agreement import agreement
from planner.network import with_units_out

INF = np.inf
Rows = list[tuple[int, str | None, float]]


def counted(state: State, rule: str) -> dict[str, tuple[int, float]]:
    table = told(state, rule)
    rows = zip(table.index, table["localities"], table["people"], strict=True)
    return {str(k): (int(n), round(float(p), 6)) for k, n, p in rows if n or p}


def test_each_reason_by_hand() -> None:
    roles = ["primer_nivel", "primer_nivel", "movil", "ninguno", "hospital"]
    rows: Rows = [
        (0, unit_id(0), 1.0),  # agrees
        (1, unit_id(1), 1.0),  # the first is nearer
        (2, None, 1.0),  # a code that nothing has
        (3, unit_id(2), 1.0), (4, unit_id(3), 1.0), (5, unit_id(4), 1.0),  # mobile, another institution, hospital
        (6, unit_id(0), 1.0),  # beyond the search of all
        (7, unit_id(0), 0.25), (7, unit_id(1), 0.75),  # divided; by the nearest all go to the first
        (9, unit_id(2), 1.0),  # beyond the search, and its mobile unit stays
    ]  # 8 has no row
    minutes = [[5, 9, INF, INF, INF], *[[5, 9, INF, INF, 1]] * 5, [INF] * 5, [5, 9, INF, INF, INF], [5, 9, INF, INF, INF], [INF] * 5]
    state = drawn([10, 20, 30, 40, 50, 60, 70, 80, 90, 100], [999, 999, 0, 0, 0], minutes, rows, roles)
    assert counted(state, "cercania") == {
        "coincide": (2, 10 + 20 + 100), "otra más cercana": (1, 20), "unidad cerrada o desconocida": (1, 30), "unidad móvil": (1, 40),
        "sin función en la red": (1, 50), "hospital": (1, 60), "sin unidad al alcance": (1, 70), "localidad dividida": (1, 60),
        "sin fila en la tabla": (1, 90)}
    assert counted(state, "capacidad") == counted(state, "cercania")  # all fit
    table = told(state, "cercania")
    assert table["people_share"].sum() == pytest.approx(1)
    assert table.at["coincide", "people_share"] == pytest.approx(130 / 550)
    assert table.at["coincide", "localities_share"] == pytest.approx(0.2)


def test_lack_of_room_is_a_reason_of_its_own_rule_only() -> None:
    rows: Rows = [(0, unit_id(0), 1.0), (1, unit_id(0), 1.0)]
    state = drawn([6, 4], [7, 100], [[10, 30], [0, 5]], rows)
    assert counted(state, "cercania") == {"coincide": (2, 10)}
    assert counted(state, "capacidad") == {"coincide": (1, 7), "falta de lugar": (1, 3)}  # most of the second goes, one of four stays


def test_a_unit_that_closes_is_a_closed_unit() -> None:
    rows: Rows = [(0, unit_id(0), 1.0)]
    region, travel, _ = drawn([6], [7, 9], [[10, 30]], rows)
    shut = with_units_out(region, [unit_id(0)])
    after = replace(travel, first_level=drawn([6], [7, 9], [[INF, 30]])[1].first_level)
    state = (shut, after, compute_access(shut, after, PLAIN))
    assert counted(state, "cercania") == {"unidad cerrada o desconocida": (1, 6)}


def test_without_an_official_table_there_is_nothing_to_agree_with() -> None:
    table = agreement(*drawn([6], [7], [[10]]), PLAIN)
    assert table.empty
    assert table.columns.tolist() == ["rule", "outcome", "localities", "people", "localities_share", "people_share"]


@settings(deadline=None, max_examples=5)
@given(st.data(), st.integers(0, 99))
def test_every_locality_and_person_counts_once(data: st.DataObject, seed: int) -> None:
    rng = np.random.default_rng(seed)
    n, m = int(rng.integers(1, 7)), int(rng.integers(1, 4))
    roles = ["primer_nivel", *rng.choice(["primer_nivel", "movil", "ninguno", "hospital"], m - 1)]
    minutes = np.where(rng.random((n, m)) < 0.3, INF, rng.integers(0, 200, (n, m)))
    rows: Rows = []
    for i in range(n):
        units = data.draw(st.lists(st.integers(-1, m - 1), max_size=2, unique=True))
        rows += [(i, None if j < 0 else unit_id(j), 1 / len(units)) for j in units]
    people, nuclei = rng.integers(0, 30, n).astype(float).tolist(), rng.integers(0, 30, m).tolist()
    state = drawn(people, nuclei, minutes.tolist(), rows, roles)
    table = agreement(*state, PLAIN)
    sums = table.groupby("rule")[["localities", "people"]].sum()
    assert sums["localities"].tolist() == [n, n]
    assert sums["people"].tolist() == pytest.approx([sum(people)] * 2)
    assert not table.loc[(table["rule"] == "cercania") & (table["outcome"] == "falta de lugar"), ["localities", "people"]].any(axis=None)
    again = agreement(*drawn(people, nuclei, minutes.tolist(), rows, roles, order=rng), PLAIN)
    pd.testing.assert_frame_equal(again, table)
