"""Maximal covering against published optima, every choice of tiny cases, and the rules that a bound may not break."""

from importlib.util import find_spec
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.spatial import cKDTree

from planner.decide import covering
from planner.decide.covering import covering_curve, covers_within, lagrangian, maximal_covering
from planner.decide.exchange import Instance, additions, exchange
from planner.errors import DataError
from planner.model import TravelTimes

SAN_FRANCISCO = {1: 448_255, 2: 671_938, 3: 791_499, 4: 875_247, 5: 927_402, 6: 941_462}


def points(seed: int, places: int, sites: int, nonzeros: int) -> tuple[np.ndarray, sparse.csr_matrix]:
    """Heavy-tailed people at points, half of them around towns; sites at some of the points, one radius."""
    rng = np.random.default_rng(seed)
    towns = rng.random((places // 60, 2))
    near = rng.choice(len(towns), places // 2, p=(size := rng.pareto(1.2, len(towns)) + 1) / size.sum())
    at = np.concatenate([towns[near] + rng.normal(0, 0.02, (places // 2, 2)), rng.random((places - places // 2, 2))])
    apart = cKDTree(at).sparse_distance_matrix(cKDTree(at[rng.choice(places, sites, replace=False)]), 0.5, output_type="coo_matrix")
    nearest = np.argsort(apart.data, kind="stable")[:nonzeros]
    covers = sparse.csr_matrix((np.ones(nonzeros), (apart.row[nearest], apart.col[nearest])), (places, sites))
    return np.ceil(50 * rng.pareto(1.1, places) + 1), covers


def tiny(seed: int) -> tuple[np.ndarray, np.ndarray, np.random.Generator]:
    """At most twelve places and eight sites, with equal rows, empty ones and places with nobody; half with whole people."""
    rng = np.random.default_rng(seed)
    covers = rng.random((int(rng.integers(1, 13)), int(rng.integers(1, 9)))) < rng.choice([0.15, 0.3, 0.5])
    covers = covers[rng.integers(0, len(covers), len(covers))]
    people = rng.integers(0, 9, len(covers)).astype(float)
    return people + (rng.random(len(covers)) if seed % 2 else 0.0), covers, rng


def optimum(people: np.ndarray, covers: np.ndarray, p: int, costs: np.ndarray | None = None, budget: float = np.inf) -> float:
    """The best of all choices, one by one."""
    price = np.zeros(covers.shape[1]) if costs is None else costs
    choices = (list(c) for k in range(min(p, covers.shape[1]) + 1) for c in combinations(range(covers.shape[1]), k))
    return max(people[covers[:, c].any(axis=1)].sum() for c in choices if price[c].sum() <= budget)


def test_san_francisco_as_spopt_publishes_it() -> None:
    spopt = find_spec("spopt")
    if spopt is None or spopt.origin is None:
        pytest.skip("spopt, which brings the distances, is not installed")
    folder = Path(spopt.origin).parent / "tests" / "test_locate" / "data"
    table = pd.read_csv(folder / "SF_network_distance_candidateStore_16_censusTract_205_new.csv")
    demand = pd.read_csv(folder / "SF_demand_205_centroid_uniform_weight.csv").set_index("NAME")["POP2000"]
    apart = table.pivot_table(index="DestinationName", columns="name", values="distance")
    people = demand.reindex(apart.index).to_numpy(float)
    for p, covered in SAN_FRANCISCO.items():
        found = maximal_covering(people, sparse.csr_matrix(apart.to_numpy() <= 5000), p)
        assert (found.covered, found.bound, found.proved) == (covered, covered, True)


@pytest.mark.parametrize("block", range(7))
def test_tiny_cases_have_the_best_of_all_choices(block: int) -> None:
    for seed in range(50 * block, 50 * block + 50):
        people, covers, rng = tiny(seed)
        p = int(rng.integers(0, covers.shape[1] + 2))
        costs, budget = (rng.integers(0, 6, covers.shape[1]) * 1.0, float(rng.integers(0, 15))) if seed % 3 == 0 else (None, None)
        best = optimum(people, covers, p, costs, np.inf if budget is None else budget)
        found = maximal_covering(people, sparse.csr_matrix(covers), p, costs=costs, budget=budget)
        assert found.covered == pytest.approx(best, abs=1e-9), seed
        assert found.covered == pytest.approx(people[covers[:, found.sites].any(axis=1)].sum())
        assert found.proved
        assert len(found.sites) <= p
        assert costs is None or costs[found.sites].sum() <= budget


@pytest.mark.parametrize("seed", range(150))
def test_no_duals_break_the_bound(seed: int) -> None:
    people, covers, rng = tiny(seed)
    p, costs, budget = int(rng.integers(1, 5)), rng.integers(0, 6, covers.shape[1]) * 1.0, float(rng.integers(1, 15))
    instance = covering._instance(people, sparse.csr_matrix(covers), p, costs, budget)
    if not len(instance.sites):
        assert lagrangian(instance, np.array([])).value == optimum(people, covers, p, costs, budget) == 0
        return
    best = optimum(people, covers, p, costs, budget)
    (good, price, _), (near, near_price, _) = covering._duals(instance), covering._descended(instance)
    assert lagrangian(instance, good, price).value >= best - 1e-9
    assert lagrangian(instance, near, near_price).value >= best - 1e-9
    size = len(instance.weight)
    for u in (good + rng.normal(0, 2, size), 20 * rng.random(size) - 5, np.full(size, np.nan), np.full(size, np.inf), np.zeros(size)):
        for money in (price, 3 * rng.random(), -1.0, np.nan):
            bound = lagrangian(instance, u, money)
            assert bound.value >= best - 1e-9
            for j, site in enumerate(instance.sites):
                free = np.delete(np.arange(covers.shape[1]), site)
                if bound.inside[j]:  # without it
                    assert bound.contrary[j] >= optimum(people, covers[:, free], p, costs[free], budget) - 1e-9
                elif costs[site] <= budget:  # with it
                    bare = ~covers[:, site]
                    rest = optimum(people[bare], covers[bare][:, free], p - 1, costs[free], budget - costs[site])
                    assert bound.contrary[j] >= people[~bare].sum() + rest - 1e-9


@pytest.mark.parametrize(("nonzeros", "p"), [(3_000, 30), (9_000, 30), (120_000, 25)])
def test_greedy_is_below_the_plan_and_the_plan_below_the_bound(nonzeros: int, p: int) -> None:
    people, covers = points(7, 3_000, 600, nonzeros)
    found, curve = maximal_covering(people, covers, p), covering_curve(people, covers, p)
    assert curve.covered[-1] <= found.covered <= found.bound
    assert found.covered == people[np.asarray(covers[:, found.sites].sum(axis=1)).ravel() > 0].sum()
    assert found.bound <= curve.bound[-1]
    assert found.gap <= 0.005
    again = maximal_covering(people, covers, p)
    assert np.array_equal(again.sites, found.sites)
    assert (again.bound, again.method) == (found.bound, found.method)


def test_the_order_of_places_and_sites_changes_nothing() -> None:
    people, covers = points(3, 1_500, 300, 4_000)
    rng = np.random.default_rng(0)
    found = maximal_covering(people, covers, 25)
    rows, columns = rng.permutation(1_500), rng.permutation(300)
    mixed = maximal_covering(people[rows], covers[rows], 25)
    assert np.array_equal(mixed.sites, found.sites)
    other = maximal_covering(people, covers[:, columns], 25)
    assert found.proved
    assert (other.covered, other.bound) == (found.covered, found.bound)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10**6))
def test_more_sites_or_money_never_cover_less(seed: int) -> None:
    people, covers, rng = tiny(seed)
    matrix, costs = sparse.csr_matrix(covers), rng.integers(0, 6, covers.shape[1]) * 1.0
    by_p = [maximal_covering(people, matrix, p).covered for p in range(covers.shape[1] + 1)]
    by_budget = [maximal_covering(people, matrix, costs=costs, budget=b).covered for b in (0.0, 2.0, 5.0, 9.0, 40.0)]
    assert (np.diff(by_p) >= -1e-9).all()
    assert (np.diff(by_budget) >= -1e-9).all()
    assert np.isclose(by_p[-1], by_budget[-1])


def test_curve_is_greedy_and_bounds_every_optimum() -> None:
    for seed in range(60):
        people, covers, _ = tiny(seed)
        curve = covering_curve(people, sparse.csr_matrix(covers), 6)
        for q in range(1, len(curve.sites) + 1):
            best = optimum(people, covers, q)
            assert curve.covered[q - 1] == pytest.approx(people[covers[:, curve.sites[:q]].any(axis=1)].sum())
            assert (1 - 1 / np.e) * best - 1e-9 <= curve.covered[q - 1] <= best + 1e-9
            assert curve.bound[q - 1] >= best - 1e-9


def test_exchanges_keep_their_accounts() -> None:
    """What the search believes after many exchanges is what is covered: no exchange of its result is better."""
    people, covers = points(5, 800, 90, 3_000)
    costs = np.random.default_rng(2).uniform(1, 3, 90)
    for budget in (np.inf, 25.0):
        instance = Instance(people, covers, np.arange(90), 12, costs, budget)
        start = np.array([site for site, _ in additions(instance)])
        best = exchange(instance, start)
        value = instance.worth(best)
        assert value >= instance.worth(start)
        assert instance.worth(exchange(instance, best, 60)) >= value
        for out in best:
            for site in np.setdiff1d(np.arange(90), best):
                other = np.append(best[best != out], site)
                assert not instance.within_limits(other) or instance.worth(other) <= value + 1e-6


def test_a_hand_solved_case() -> None:
    """Greedy takes the middle site (6 people) and ends with 9; the two outer ones cover all 10."""
    covers = sparse.csr_matrix(np.array([[1, 0, 0], [1, 1, 0], [0, 1, 1], [0, 0, 1]]))
    people = np.array([2.0, 3.0, 3.0, 2.0])
    assert covering_curve(people, covers, 2).covered.tolist() == [6.0, 8.0]
    found = maximal_covering(people, covers, 2)
    assert (found.sites.tolist(), found.covered, found.bound, found.gap) == ([0, 2], 10.0, 10.0, 0.0)
    dear = maximal_covering(people, covers, costs=np.array([3.0, 2.0, 3.0]), budget=5.0)
    assert (dear.covered, dear.proved) == (8.0, True)


def test_costs_that_add_up_to_the_budget_are_within_it_and_nothing_idle_is_bought() -> None:
    people, covers = np.ones(3), sparse.csr_matrix(np.eye(3))
    found = maximal_covering(people, covers, costs=np.array([0.1, 0.2, 0.3]), budget=0.6)
    assert (found.sites.tolist(), found.proved) == ([0, 1, 2], True)
    twice = sparse.csr_matrix(np.array([[1, 1, 0], [1, 0, 1], [0, 0, 1]]))
    assert maximal_covering(people, twice, 3).sites.tolist() == maximal_covering(people, twice, 2).sites.tolist() == [0, 2]


def test_covers_are_read_from_minutes() -> None:
    times = TravelTimes(pd.Index(["a", "b", "c"]), pd.Index(["x", "y"]), 60.0, np.array([0, 2, 2, 3]), np.array([0, 1, 1], np.int32),
                        np.array([0.0, 31.0, 30.0]))
    assert covers_within(times, 30.0).toarray().tolist() == [[True, False], [False, False], [False, True]]


@pytest.mark.parametrize(("people", "p", "more"), [
    ([-1.0, 1.0], 1, {}), ([np.nan, 1.0], 1, {}), ([1.0, 1.0, 1.0], 1, {}), ([1.0, 1.0], -1, {}), ([1.0, 1.0], 1, {"budget": 3.0}),
    ([1.0, 1.0], 1, {"costs": np.array([1.0])}), ([1.0, 1.0], 1, {"costs": np.array([1.0, -1.0]), "budget": 1.0}),
    ([1.0, 1.0], 1, {"costs": np.ones(2), "budget": -1.0})])
def test_bad_input_is_a_sentence(people: list[float], p: int, more: dict) -> None:
    with pytest.raises(DataError, match=r"\.$"):
        maximal_covering(np.array(people), sparse.csr_matrix(np.eye(2)), p, **more)


def test_nothing_to_choose_is_an_empty_plan() -> None:
    nobody = maximal_covering(np.zeros(2), sparse.csr_matrix(np.eye(2)), 1)
    nothing = maximal_covering(np.ones(2), sparse.csr_matrix((2, 3)), 2)
    none = maximal_covering(np.ones(2), sparse.csr_matrix(np.eye(2)), 0)
    poor = maximal_covering(np.ones(2), sparse.csr_matrix(np.eye(2)), costs=np.ones(2), budget=0.5)
    for found in (nobody, nothing, none, poor):
        assert (found.sites.tolist(), found.covered, found.bound, found.proved) == ([], 0.0, 0.0, True)
