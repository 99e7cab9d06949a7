"""The search against scipy's Dijkstra, and what must hold on any grid."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra

from planner.travel.search import nearest_source, reach

CELL_M = 100.0


def _random_grid(seed: int, blocked: float = 0.2) -> np.ndarray:
    """Paces over three orders of magnitude, some cells impassable."""
    rng = np.random.default_rng(seed)
    pace = 10.0 ** rng.uniform(-3, 0, size=tuple(rng.integers(1, 25, 2)))
    pace[rng.random(pace.shape) < blocked] = np.inf
    return pace


def _sources(pace: np.ndarray, seed: int, count: int = 5) -> np.ndarray:
    return np.random.default_rng(seed + 1).integers(0, pace.size, count)


def _peer(pace: np.ndarray, sources: np.ndarray) -> np.ndarray:
    """Minutes from each source to each cell by scipy on the explicit graph."""
    height, width = pace.shape
    number = np.arange(pace.size).reshape(pace.shape)
    rows, cols, values = [], [], []
    for down, right in ((0, 1), (1, 0), (1, 1), (1, -1)):
        here = number[: height - down, max(0, -right) : width - max(0, right)].ravel()
        there = number[down:, max(0, right) : width + min(0, right)].ravel()
        cost = (pace.ravel()[here] + pace.ravel()[there]) / 2 * CELL_M * np.hypot(down, right)
        rows.append(here[np.isfinite(cost)])
        cols.append(there[np.isfinite(cost)])
        values.append(cost[np.isfinite(cost)])
    graph = coo_array((np.concatenate(values), (np.concatenate(rows), np.concatenate(cols))), shape=(pace.size, pace.size)).tocsr()
    return np.asarray(dijkstra(graph, directed=False, indices=sources))


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10**6), st.sampled_from([0.0, 0.2, 0.6]))
def test_equals_scipy(seed, blocked):
    pace = _random_grid(seed, blocked)
    sources = _sources(pace, seed)
    expected = _peer(pace, sources)
    minutes, nearest = nearest_source(pace, CELL_M, sources)
    np.testing.assert_allclose(minutes.ravel(), expected.min(axis=0), rtol=1e-9, atol=1e-9)
    reached = np.isfinite(minutes.ravel())
    at = expected[nearest.ravel()[reached], np.flatnonzero(reached)]
    np.testing.assert_allclose(at, expected.min(axis=0)[reached], rtol=1e-9, atol=1e-9)
    assert (nearest.ravel()[~reached] == -1).all()


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10**6))
def test_ties_go_to_the_first_source(seed):
    rng = np.random.default_rng(seed)
    pace = rng.choice([1.0, 2.0, np.inf], size=tuple(rng.integers(1, 20, 2)))
    sources = rng.integers(0, pace.size, 6)
    alone = np.stack([nearest_source(pace, CELL_M, sources[k : k + 1])[0] for k in range(6)])
    minutes, nearest = nearest_source(pace, CELL_M, sources)
    np.testing.assert_array_equal(minutes, alone.min(axis=0))
    expected = np.where(np.isfinite(minutes), alone.argmin(axis=0), -1)
    np.testing.assert_array_equal(nearest, expected)


def test_a_tie_is_passed_on():
    """Both sources are 2 cells from the middle column; the first of the list keeps all of it."""
    pace = np.full((5, 5), 0.01)
    for sources, winner in (([10, 14], 0), ([14, 10], 0), ([14, 12, 10], 1)):
        minutes, nearest = nearest_source(pace, CELL_M, np.array(sources))
        assert nearest[2, 2] == winner
        assert minutes[2, 2] == pytest.approx(0.0 if winner else 2.0)
        assert (nearest[:, 2] == winner).all()


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10**6), st.floats(0, 500))
def test_bounded_is_unbounded_cut_at_the_bound(seed, bound):
    pace = _random_grid(seed)
    sources = _sources(pace, seed)
    full, nearest = nearest_source(pace, CELL_M, sources)
    minutes, site = nearest_source(pace, CELL_M, sources, bound_min=bound)
    np.testing.assert_array_equal(minutes, np.where(full <= bound, full, np.inf))
    np.testing.assert_array_equal(site, np.where(full <= bound, nearest, -1))


def test_the_bound_is_inclusive():
    pace = np.full((1, 7), 0.01)
    minutes, _ = nearest_source(pace, CELL_M, np.array([0]), bound_min=3.0)
    assert minutes.tolist() == [[0.0, 1.0, 2.0, 3.0, np.inf, np.inf, np.inf]]


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10**6), st.floats(0, 300))
def test_pairs_are_symmetric_and_equal_single_searches(seed, bound):
    pace = _random_grid(seed)
    places = np.append(_sources(pace, seed, 8), -1)
    target, source, minutes = reach(pace, CELL_M, places, places, bound_min=bound)
    table = dict(zip(zip(target.tolist(), source.tolist(), strict=True), minutes.tolist(), strict=True))
    assert list(table) == sorted(table)
    assert table == {(b, a): t for (a, b), t in table.items()}
    for k, cell in enumerate(places[:-1]):
        alone = nearest_source(pace, CELL_M, np.array([cell]), bound_min=bound)[0].ravel()[places[:-1]]
        assert {i: t for (i, s), t in table.items() if s == k} == {i: t for i, t in enumerate(alone) if t <= bound}


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10**6), st.floats(0.1, 1))
def test_more_sources_or_speed_never_lengthen(seed, faster):
    pace = _random_grid(seed)
    rng = np.random.default_rng(seed)
    sources = _sources(pace, seed)
    before, _ = nearest_source(pace, CELL_M, sources)
    more, _ = nearest_source(pace, CELL_M, np.append(sources, rng.integers(pace.size)))
    assert (more <= before).all()
    quicker = pace.copy()
    quicker[rng.random(pace.shape) < 0.3] *= faster
    road = pace.copy()
    road[rng.integers(pace.shape[0])] = 1e-3  # the lowest pace there is
    for changed in (quicker, road):
        assert (nearest_source(changed, CELL_M, sources)[0] <= before).all()


def test_a_source_on_impassable_ground_poisons_nothing():
    pace = np.full((3, 5), 0.01)
    pace[1, 2] = np.inf
    alone, _ = nearest_source(pace, CELL_M, np.array([0]))
    minutes, nearest = nearest_source(pace, CELL_M, np.array([7, 0, -1]))
    assert minutes[1, 2] == 0
    assert nearest[1, 2] == 0
    elsewhere = np.isfinite(pace)
    np.testing.assert_array_equal(minutes[elsewhere], alone[elsewhere])
    assert (nearest[elsewhere] == 1).all()


def test_nothing_passable_nobody_there():
    walls = np.full((2, 3), np.inf)
    assert np.isinf(nearest_source(walls, CELL_M, np.array([-1]))[0]).all()
    assert [len(part) for part in reach(walls, CELL_M, np.array([], int), np.array([1, 2]), bound_min=9.0)] == [0, 0, 0]
    assert [len(part) for part in reach(walls, CELL_M, np.array([1]), np.array([2]), bound_min=9.0)] == [0, 0, 0]


def test_inputs_stay_as_they_were():
    pace = _random_grid(7)
    sources = _sources(pace, 7)
    kept = pace.copy(), sources.copy()
    nearest_source(pace, CELL_M, sources)
    reach(pace, CELL_M, sources, sources, bound_min=50.0)
    np.testing.assert_array_equal(pace, kept[0])
    np.testing.assert_array_equal(sources, kept[1])
