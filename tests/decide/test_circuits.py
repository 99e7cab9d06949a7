"""Circuits on small random maps: inside their limits, shared out once, from the nearest base."""

import numpy as np
import pandas as pd
import pytest

from planner.decide.circuits import Limits, build_circuits

LIMITS = Limits(stops=3, people_max=100.0, people_min=20.0)


def random_map(seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    rng = np.random.default_rng(seed)
    places = [f"P{i:02d}" for i in range(int(rng.integers(1, 15)))]
    people = rng.integers(1, 60, len(places)).astype(float)
    stops = pd.DataFrame({"people": people, "weighted": people * rng.choice([0.1, 0.2, 0.5], len(places))}, index=places)
    rows = [(p, f"B{b}", float(rng.integers(1, 90))) for b in range(4) for p in places if rng.random() < 0.5]
    return stops, pd.DataFrame(rows, columns=["cvegeo", "site", "minutes"])


@pytest.mark.parametrize("seed", range(40))
def test_every_circuit_keeps_its_limits(seed: int) -> None:
    stops, pairs = random_map(seed)
    circuits = build_circuits(stops, pairs, LIMITS)
    away = pairs.set_index(["site", "cvegeo"])["minutes"]
    assert len({c.stops for c in circuits}) == len(circuits)
    for circuit in circuits:
        assert 1 <= len(circuit.stops) <= LIMITS.stops
        assert LIMITS.people_min <= stops.loc[list(circuit.stops), "people"].sum() <= LIMITS.people_max
        assert list(circuit.minutes) == [away[circuit.base, s] for s in circuit.stops] == sorted(circuit.minutes)
        totals = {b: sum(away.get((b, s), np.inf) for s in circuit.stops) for b in pairs["site"].unique()}
        assert totals[circuit.base] == min(totals.values())
    mixed = build_circuits(stops, pairs.sample(frac=1, random_state=seed), LIMITS)
    assert mixed == circuits


@pytest.mark.parametrize("seed", range(40))
def test_only_places_whose_bases_gather_too_few_people_are_left_out(seed: int) -> None:
    stops, pairs = random_map(seed)
    wide = Limits(stops=15, people_max=1e9, people_min=120.0)
    gathered = pairs.assign(people=pairs["cvegeo"].map(stops["people"])).groupby("site")["people"].sum()
    possible = set(pairs.loc[pairs["site"].map(gathered) >= wide.people_min, "cvegeo"])
    assert {s for c in build_circuits(stops, pairs, wide) for s in c.stops} == possible


def test_the_first_circuits_share_no_place_and_close_most() -> None:
    stops = pd.DataFrame({"people": [30.0] * 5, "weighted": [5.0, 4.0, 3.0, 2.0, 1.0]}, index=list("abcde"))
    pairs = pd.DataFrame([(p, "B1", 10.0) for p in "abcde"], columns=["cvegeo", "site", "minutes"])
    assert [c.stops for c in build_circuits(stops, pairs, LIMITS)] == [("a", "b", "c"), ("d", "e")]


def test_a_place_too_small_alone_is_joined_to_places_of_other_circuits() -> None:
    stops = pd.DataFrame({"people": [30.0, 30.0, 30.0, 5.0], "weighted": [5.0, 4.0, 3.0, 1.0]}, index=list("abcd"))
    pairs = pd.DataFrame([(p, "B1", m) for p, m in zip("abcd", (9.0, 8.0, 7.0, 6.0), strict=True)], columns=["cvegeo", "site", "minutes"])
    assert [c.stops for c in build_circuits(stops, pairs, LIMITS)] == [("c", "b", "a"), ("d", "b", "a")]


def test_bigger_gaps_or_fewer_people_whichever_closes_more() -> None:
    stops = pd.DataFrame({"people": [100.0, 50.0, 50.0], "weighted": [10.0, 9.0, 8.0]}, index=list("abc"))
    pairs = pd.DataFrame([(p, "B1", 10.0) for p in "abc"], columns=["cvegeo", "site", "minutes"])
    assert build_circuits(stops, pairs, LIMITS)[0].stops == ("b", "c")


def test_nobody_to_visit_is_no_circuit() -> None:
    stops, pairs = random_map(1)
    assert build_circuits(stops.iloc[:0], pairs, LIMITS) == []
    assert build_circuits(stops, pairs.iloc[:0], LIMITS) == []
