"""p-median and p-center against published optima, every choice of tiny cases, and the rules that a bound may not break."""

from importlib.util import find_spec
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.sparse.csgraph import floyd_warshall

from planner.decide import median
from planner.decide.median import lagrangian, p_center, p_median
from planner.errors import DataError

ORLIB = Path(__file__).parents[2].parent / "shared" / "oracles" / "orlib_pmed"
MEDIAN = (5819, 4093, 4250, 3034, 1355, 7824, 5631, 4445, 2734, 1255)
CENTER = (127, 98, 93, 74, 48, 84, 64, 55, 37, 20)
SAN_FRANCISCO_CENTER = (11577.279, 9130.759, 7529.986, 7403.064, 5985.500, 5903.667)


def orlib(number: int) -> tuple[np.ndarray, int]:
    """All-pairs distances of one graph of Beasley's library, and p; a later duplicate of an edge overwrites."""
    if not ORLIB.exists():
        pytest.skip("the shared folder with Beasley's graphs is missing")
    numbers = np.array((ORLIB / f"pmed{number}.txt").read_text().split(), int)
    n, edges, p = numbers[:3].tolist()
    apart = np.full((n, n), np.inf)
    for a, b, length in numbers[3 : 3 + 3 * edges].reshape(-1, 3).tolist():
        apart[a - 1, b - 1] = apart[b - 1, a - 1] = length
    np.fill_diagonal(apart, 0.0)
    return floyd_warshall(apart), p


@pytest.mark.parametrize("number", range(1, 11))
def test_published_optima_are_proven(number: int) -> None:
    apart, p = orlib(number)
    for found, best in ((p_median(apart, np.ones(len(apart)), p), MEDIAN[number - 1]), (p_center(apart, p), CENTER[number - 1])):
        assert (found.value, found.bound, found.proved) == (best, best, True)
        assert len(found.sites) <= p
    nearest = apart[:, found.sites].min(axis=1)
    assert nearest.max() == CENTER[number - 1]
    assert np.array_equal(apart[np.arange(len(apart)), found.site_of], nearest)


def test_san_francisco_as_spopt_publishes_it() -> None:
    spopt = find_spec("spopt")
    if spopt is None or spopt.origin is None:
        pytest.skip("spopt, which brings the distances, is not installed")
    folder = Path(spopt.origin).parent / "tests" / "test_locate" / "data"
    table = pd.read_csv(folder / "SF_network_distance_candidateStore_16_censusTract_205_new.csv")
    demand = pd.read_csv(folder / "SF_demand_205_centroid_uniform_weight.csv").set_index("NAME")["POP2000"]
    apart = table.pivot_table(index="DestinationName", columns="name", values="distance")
    people = demand.reindex(apart.index).to_numpy(float)
    found = p_median(apart.to_numpy(), people, 4)
    assert found.proved
    assert found.value / people.sum() == pytest.approx(2982.126858, abs=1e-6)
    for p, value in enumerate(SAN_FRANCISCO_CENTER, start=1):
        found = p_center(apart.to_numpy(), p)
        assert found.proved
        assert found.value == pytest.approx(value, abs=5e-4)


def tiny(seed: int) -> tuple[np.ndarray, np.ndarray, int]:
    """At most ten places and eight sites; every third with places that some sites cannot reach, half in whole numbers."""
    rng = np.random.default_rng(seed)
    shape = int(rng.integers(1, 11)), int(rng.integers(1, 9))
    apart = rng.integers(0, 12, shape) + (rng.random(shape) if seed % 2 else 0.0)
    if seed % 3 == 0:
        apart[rng.random(shape) < 0.3] = np.inf
        apart[:, 0] = np.where(np.isinf(apart).all(axis=1), 5.0, apart[:, 0])
    return apart, rng.integers(0, 6, shape[0]).astype(float), int(rng.integers(1, shape[1] + 1))


def choices(apart: np.ndarray, p: int) -> list[np.ndarray]:
    """Distances to the nearest for every choice of p sites."""
    return [apart[:, list(c)].min(axis=1) for c in combinations(range(apart.shape[1]), p)]


@pytest.mark.parametrize("block", range(4))
def test_tiny_cases_have_the_best_of_all_choices(block: int) -> None:
    for seed in range(50 * block, 50 * block + 50):
        apart, weight, p = tiny(seed)
        heavy = weight > 0
        for ask, best in ((lambda a, w, q: p_median(a, w, q), min(float(weight[heavy] @ d[heavy]) for d in choices(apart, p))),
                          (lambda a, _, q: p_center(a, q), min(float(d.max()) for d in choices(apart, p)))):
            if np.isinf(best):
                with pytest.raises(DataError, match="No se hallaron"):
                    ask(apart, weight, p)
                continue
            found = ask(apart, weight, p)
            assert found.value == pytest.approx(best, abs=1e-9), seed
            assert found.proved
            assert len(found.sites) <= p


@pytest.mark.parametrize("seed", range(100))
def test_no_duals_break_the_bound(seed: int) -> None:
    apart, weight, p = tiny(3 * seed + 1)  # these reach everywhere
    cost, rng = weight[:, None] * apart, np.random.default_rng(seed)
    every = [(set(c), cost[:, list(c)].min(axis=1).sum()) for c in combinations(range(cost.shape[1]), p)]
    best = min(value for _, value in every)
    good, _ = median._duals(cost, p, best)
    for v in (good, good + rng.normal(0, 3, len(cost)), 40 * rng.random(len(cost)) - 10, np.zeros(len(cost)), np.full(len(cost), np.nan)):
        bound = lagrangian(cost, p, v)
        assert bound.value <= best + 1e-9
        for j in range(cost.shape[1]):
            other = [value for chosen, value in every if (j in chosen) != bound.inside[j]]
            assert bound.contrary[j] <= min(other, default=np.inf) + 1e-9


def test_greater_cases_are_certified_and_keep_their_rules() -> None:
    rng = np.random.default_rng(4)
    places, people = rng.random((150, 2)), np.ceil(20 * rng.pareto(1.2, 150) + 1)
    apart = np.hypot(*(places[:, None] - places[None, :60]).transpose(2, 0, 1))
    found = [p_median(apart, people, p) for p in (6, 12, 18)]
    assert all(f.gap <= 1e-3 for f in found)
    assert all(a.value >= b.value for a, b in zip(found, found[1:], strict=False))
    for f in found:
        assert f.value == pytest.approx(float(people @ apart[:, f.sites].min(axis=1)))
    rows, columns = rng.permutation(150), rng.permutation(60)
    assert p_median(apart[rows], people[rows], 12).value == pytest.approx(found[1].value)
    assert p_median(apart[:, columns], people, 12).value == pytest.approx(found[1].value)
    center = [p_center(apart, p) for p in (5, 12)]
    assert all(c.proved for c in center)
    assert p_center(apart[rows][:, columns], 12).value == center[1].value < center[0].value


def test_bad_input_is_a_sentence() -> None:
    square = np.ones((2, 2))
    for apart, weight, p in ((square, np.ones(3), 1), (square, np.ones(2), 0), (-square, np.ones(2), 1), (square, np.array([1, -1]), 1),
                             (square * np.nan, np.ones(2), 1), (np.ones((0, 0)), np.ones(0), 1), (square * np.inf, np.ones(2), 1)):
        with pytest.raises(DataError, match=r"\.$"):
            p_median(apart, weight, p)


def test_places_with_nobody_change_nothing_and_have_a_site() -> None:
    apart = np.array([[0.0, 9.0], [9.0, 0.0], [9.0, 1.0]])
    assert p_median(apart, np.array([1.0, 0.0, 0.0]), 1).sites.tolist() == [0]
    nobody = p_median(apart, np.zeros(3), 1)
    assert (nobody.value, nobody.bound, nobody.proved) == (0.0, 0.0, True)
    assert p_median(apart, np.ones(3), 2).site_of.tolist() == [0, 1, 1]
