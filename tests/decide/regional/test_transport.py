"""The transportation problem against every choice of tiny cases, two independent solvers, and cases solved by hand."""

from itertools import product

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from planner.decide.regional import transport as module
from planner.decide.regional.transport import Transport, transport

INF = np.inf


def asked(people: list[float], room: list[float], minutes: list[list[float]]) -> Transport:
    """The answer for a matrix of minutes, inf where there is no way."""
    matrix = np.array(minutes, float).reshape(len(people), len(room))
    place, site = np.nonzero(np.isfinite(matrix))
    return transport(np.array(people, float), np.array(room, float), place, site, matrix[place, site])


def full(found: Transport, minutes: list[list[float]]) -> np.ndarray:
    matrix = np.array(minutes, float)
    out = np.zeros(matrix.shape)
    out[np.isfinite(matrix)] = found.people
    return out


def test_the_least_total_is_not_everyone_to_the_nearest() -> None:
    # Both want the first; who loses least by leaving it goes: 10 x 5 + 10 x 2 = 70, the other way round 10 x 1 + 10 x 100.
    minutes = [[1.0, 5.0], [2.0, 100.0]]
    found = asked([10, 10], [10, 10], minutes)
    assert full(found, minutes).tolist() == [[0, 10], [10, 0]]
    assert (found.least.value, found.least.bound, found.least.status) == (70, 70, "óptimo")


def test_a_place_is_divided_at_the_capacity() -> None:
    minutes = [[10.0, 30.0], [0.0, 5.0]]
    found = asked([6, 4], [7, 100], minutes)  # 3 too many: each of the second place loses 5, of the first 20
    assert full(found, minutes).tolist() == [[6, 0], [1, 3]]
    assert found.least.value == 6 * 10 + 3 * 5


def test_room_for_one_more_is_worth_any_chain_of_moves() -> None:
    # The third reaches A only: seating it sends the first and the second 178 min farther, more than any one way costs.
    minutes = [[1.0, 179.0, INF], [INF, 1.0, 179.0], [1.0, INF, INF]]
    found = asked([1, 1, 1], [1, 1, 1], minutes)
    assert found.unplaced.tolist() == [0, 0, 0]
    assert found.least.value == 1 + 179 + 179


def test_who_finds_no_room_is_counted_and_who_reaches_nothing_is_not() -> None:
    found = asked([5, 3, 2], [4, 0], [[10.0, INF], [20.0, 1.0], [INF, INF]])
    assert found.unplaced.tolist() == [1, 3, 0]
    assert found.least.value == 40
    assert found.least.proved


@pytest.mark.parametrize("room", [[0.0, 0.0], []])
def test_no_room_and_no_sites(room: list[float]) -> None:
    found = asked([5, 3], room, [[1.0] * len(room)] * 2)
    assert found.unplaced.tolist() == ([5, 3] if room else [0, 0])
    assert (found.least.value, found.least.bound) == (0, 0)


def test_of_sites_equally_near_the_first_is_taken_where_all_fits() -> None:
    assert full(asked([1, 1], [INF, 9], [[7.0, 7.0], [3.0, 2.0]]), [[7.0, 7.0], [3.0, 2.0]]).tolist() == [[1, 0], [0, 1]]


def brute(people: list[int], room: list[int], minutes: np.ndarray) -> tuple[int, float]:
    """Least people without room and, of those, least minutes, over every place of every person."""
    of = np.repeat(np.arange(len(people)), people)
    best = (len(of) + 1, INF)
    for choice in product(range(-1, len(room)), repeat=len(of)):
        used = np.bincount(np.array(choice, int) + 1, minlength=len(room) + 1)[1:]
        spent = sum(minutes[i, j] for i, j in zip(of, choice, strict=True) if j >= 0)
        if (used <= room).all() and np.isfinite(spent):
            best = min(best, (sum(j < 0 for j in choice), spent))
    return best


def random_case(seed: int, places: int, sites: int, most: int) -> tuple[list[int], list[int], np.ndarray]:
    rng = np.random.default_rng(seed)
    minutes = rng.integers(0, 180, (places, sites)).astype(float)
    minutes[rng.random(minutes.shape) < 0.3] = INF
    return rng.integers(0, most + 1, places).tolist(), rng.integers(0, most + 1, sites).tolist(), minutes


@pytest.mark.parametrize("seed", range(40))
def test_every_choice_of_a_tiny_case(seed: int) -> None:
    people, room, minutes = random_case(seed, 3, 3, 2)
    found = asked(people, room, minutes.tolist())
    reached = np.isfinite(minutes).any(axis=1)
    out_of_reach = sum(n for n, r in zip(people, reached, strict=True) if not r)
    unplaced, spent = brute(people, room, minutes)
    assert found.unplaced.sum() + out_of_reach == pytest.approx(unplaced, abs=1e-6)
    assert found.least.value == pytest.approx(spent, abs=1e-6)
    assert found.least.proved


@pytest.mark.parametrize("seed", range(8))
def test_the_assignment_of_single_persons_costs_the_same(seed: int) -> None:
    people, room, minutes = random_case(seed, 40, 25, 6)
    found = asked(people, room, minutes.tolist())
    beyond = 1e6
    cost = np.repeat(np.repeat(np.where(np.isfinite(minutes), minutes, 2 * beyond), people, axis=0), room, axis=1)
    cost = np.hstack([cost, np.full((len(cost), len(cost)), beyond)])  # a seat outside for everybody
    rows, columns = linear_sum_assignment(cost)
    taken = cost[rows, columns]
    reached = np.repeat(np.isfinite(minutes).any(axis=1), people)
    assert found.unplaced.sum() == pytest.approx((taken[reached[rows]] >= beyond).sum(), abs=1e-6)
    assert found.least.value == pytest.approx(taken[taken < beyond].sum(), rel=1e-9)
    assert found.least.proved


@pytest.mark.parametrize(("seed", "first"), [(seed, first) for seed in range(4) for first in (1, 15)])
def test_a_flow_of_least_cost_is_the_same_whatever_pairs_the_search_starts_with(
        seed: int, first: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_NEAREST", first)
    people, room, minutes = random_case(100 + seed, 60, 30, 50)
    found = asked(people, room, minutes.tolist())
    graph = nx.DiGraph()
    beyond = 31 * 180
    reached = np.isfinite(minutes).any(axis=1)
    asking = [n if r else 0 for n, r in zip(people, reached, strict=True)]
    graph.add_node("all", demand=sum(asking))
    for i, n in enumerate(asking):
        graph.add_node(("i", i), demand=-n)
        graph.add_edge(("i", i), "all", weight=beyond)
    for j, k in enumerate(room):
        graph.add_edge(("j", j), "all", capacity=k, weight=0)
    for i, j in zip(*np.nonzero(np.isfinite(minutes)), strict=True):
        graph.add_edge(("i", int(i)), ("j", int(j)), weight=int(minutes[i, j]))
    cost, _ = nx.network_simplex(graph)
    assert found.least.value + beyond * found.unplaced.sum() == pytest.approx(cost, rel=1e-9)
    assert found.least.proved
    assert found.unplaced.sum() > 0 or cost < beyond


AMOUNTS = st.floats(0, 500, allow_subnormal=False).map(lambda x: round(x, 3))


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 8).flatmap(lambda n: st.tuples(
    st.lists(AMOUNTS, min_size=n, max_size=n), st.integers(1, 5).flatmap(lambda m: st.tuples(
        st.lists(AMOUNTS, min_size=m, max_size=m),
        st.lists(st.lists(st.one_of(st.floats(0, 180), st.just(INF)), min_size=m, max_size=m), min_size=n, max_size=n))))))
def test_everyone_is_somewhere_once_and_nobody_over_capacity(case: tuple[list[float], tuple[list[float], list[list[float]]]]) -> None:
    people, (room, minutes) = case
    found = asked(people, room, minutes)
    taken = full(found, minutes)
    reached = np.isfinite(np.array(minutes)).any(axis=1)
    assert (taken >= 0).all()
    assert (found.unplaced >= 0).all()
    np.testing.assert_allclose(taken.sum(axis=1) + found.unplaced, np.where(reached, people, 0.0), rtol=1e-12, atol=1e-9)
    assert (taken.sum(axis=0) <= np.array(room) * (1 + 1e-7) + 1e-6).all()
    spare = np.array(room) - taken.sum(axis=0) > 1e-5
    waits = found.unplaced > 1e-5
    assert not (np.isfinite(np.array(minutes)) & waits[:, None] & spare).any()  # nobody waits beside an empty seat
    assert found.least.proved
