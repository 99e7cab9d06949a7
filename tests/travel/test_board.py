"""The board: any network fits on it, nothing given is changed, and a search finds room whatever its costs."""

import numpy as np
import pytest
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra
from small_networks import CELL_M, KINDS, anchors, network

from planner.travel import board as boards
from planner.travel.board import lay_out, nearest, nearest_k, reach
from planner.travel.network import Anchors, Network

NOWHERE = Anchors.at(np.array([], int))


def _arcs(nodes: int, arcs: list[tuple[int, int, float]]) -> Network:
    tail, head, minutes = zip(*arcs, strict=True)
    return Network(np.empty((0, 0)), CELL_M, 8, None, nodes, np.array(tail, np.int32), np.array(head, np.int32), np.array(minutes, float))


@pytest.mark.parametrize("kind", KINDS)
def test_numbers_on_the_board_and_back(kind):
    for seed in range(20):
        net = network(kind, seed)
        board = lay_out(net)
        everything = np.arange(net.size)
        np.testing.assert_array_equal(board.numbers()[board.framed(everything)], everything)
        np.testing.assert_array_equal(board.unframed(board.numbers()), everything)


@pytest.mark.parametrize("kind", KINDS)
def test_inputs_stay_as_they_were_and_answers_repeat(kind):
    net, sources = network(kind, 4), anchors(network(kind, 4), 4)
    fresh, same = network(kind, 4), anchors(network(kind, 4), 4)
    once, again = (nearest(lay_out(net), sources) for _ in range(2))
    nearest_k(lay_out(net), sources, 3)
    reach(lay_out(net.reversed()), sources, sources, bound_min=50.0)
    for name in ("pace", "factor", "tail", "head", "minutes"):
        np.testing.assert_array_equal(getattr(net, name), getattr(fresh, name))
    for name in ("place", "node", "minutes"):
        np.testing.assert_array_equal(getattr(sources, name), getattr(same, name))
    for name in ("minutes", "source", "parent"):
        assert getattr(once, name).tobytes() == getattr(again, name).tobytes()


@pytest.mark.parametrize("net", [
    Network(np.empty((0, 0)), CELL_M), Network(np.empty((0, 5)), CELL_M), Network(np.full((3, 4), np.inf), CELL_M, 16),
    Network(np.full((3, 4), 0.01), CELL_M, 8, np.full((3, 4, 8), np.inf, np.float32)), _arcs(3, [(0, 1, np.inf)]),
    Network(np.empty((0, 0)), CELL_M, nodes=4), Network(np.full((1, 1), 0.01), CELL_M, 16)])  # fmt: skip
def test_where_nothing_passes_only_sources_are_reached(net):
    board = lay_out(net)
    for sources in (NOWHERE, Anchors.at(np.array([0, -1])) if net.size else NOWHERE):
        found = nearest(board, sources)
        at_source = np.isin(np.arange(net.size), sources.node)
        np.testing.assert_array_equal(found.minutes, np.where(at_source, 0.0, np.inf))
        np.testing.assert_array_equal(found.source, np.where(at_source, 0, -1))
        assert (found.parent == -1).all()
        minutes, source = nearest_k(board, sources, 2)
        assert minutes.shape == source.shape == (net.size, 2)
        np.testing.assert_array_equal(minutes[:, 0], found.minutes)
        assert np.isinf(minutes[:, 1]).all()
        targets = Anchors.at(np.arange(net.size))
        assert [part.tolist() for part in reach(board, sources, targets, bound_min=9.0)] == [
            np.flatnonzero(at_source).tolist(), [0] * at_source.sum(), [0.0] * at_source.sum()]
        assert [len(part) for part in reach(board, sources, NOWHERE, bound_min=9.0)] == [0, 0, 0]


def test_a_source_may_enter_at_infinity_and_then_does_not():
    board = lay_out(_arcs(2, [(0, 1, 1.0)]))
    lost = Anchors(np.zeros(1, np.int32), np.zeros(1, np.int32), np.array([np.inf]))
    assert np.isinf(nearest(board, lost).minutes).all()
    assert (nearest(board, lost).source == -1).all()
    assert (nearest_k(board, lost, 2)[1] == -1).all()


def test_the_bound_is_inclusive():
    board = lay_out(Network(np.full((1, 7), 0.01), CELL_M))
    found = nearest(board, Anchors.at(np.array([0])), bound_min=3.0)
    assert found.minutes.tolist() == [0.0, 1.0, 2.0, 3.0, np.inf, np.inf, np.inf]
    target, source, minutes = reach(board, Anchors.at(np.array([0])), Anchors.at(np.arange(7)), bound_min=3.0)
    assert (target.tolist(), source.tolist(), minutes.tolist()) == ([0, 1, 2, 3], [0] * 4, [0.0, 1.0, 2.0, 3.0])


def test_minutes_before_a_place_enters_count_and_may_pass_the_bound():
    board = lay_out(_arcs(3, [(0, 1, 2.0), (1, 2, 2.0), (2, 1, 7.0)]))
    both = Anchors(np.array([1, 0, 0], np.int32), np.array([2, 0, 2], np.int32), np.array([0.5, 1.0, 90.0]))
    found = nearest(board, both)
    assert found.minutes.tolist() == [1.0, 3.0, 0.5]
    assert found.source.tolist() == [0, 0, 1]
    assert found.parent.tolist() == [-1, 0, -1]
    minutes, source = nearest_k(board, both, 2, bound_min=5.0)
    assert minutes.tolist() == [[1.0, np.inf], [3.0, np.inf], [0.5, 5.0]]
    assert source.tolist() == [[0, -1], [0, -1], [1, 0]]
    assert np.isinf(nearest(board, both, bound_min=0.4).minutes).all()


def test_only_renumbers_the_chosen():
    kept = Anchors(np.array([2, 0, 1, 2], np.int32), np.array([5, 6, 7, 8], np.int32), np.arange(4.0)).only(np.array([True, False, True]))
    assert (kept.place.tolist(), kept.node.tolist(), kept.minutes.tolist()) == ([1, 0, 1], [5, 6, 8], [0.0, 1.0, 3.0])


@pytest.mark.parametrize(("least", "most"), [(0.0, 0.0), (0.0, 1e-9), (0.0, 1e5), (1e-9, 1e5), (1.0, 1.001)])
@pytest.mark.parametrize("scarce", [False, True])
def test_room_is_found_for_any_costs(least, most, scarce, monkeypatch):
    """Many arcs, so that nodes wait more than once; costs all alike, nothing at all, or over fourteen orders of magnitude."""
    if scarce:
        monkeypatch.setattr(boards, "AT_FIRST", 1)
    rng = np.random.default_rng(1)
    nodes, degree = 2000, 60
    tail, head = np.repeat(np.arange(nodes), degree), rng.integers(0, nodes, nodes * degree)
    minutes = rng.uniform(least, most, tail.size)
    minutes[rng.random(tail.size) < 0.3] = least
    order = np.lexsort((minutes, head, tail))
    tail, head, minutes = tail[order], head[order], minutes[order]
    net = Network(np.empty((0, 0)), CELL_M, 8, None, nodes, tail.astype(np.int32), head.astype(np.int32), minutes)
    first = np.append(True, (np.diff(tail) != 0) | (np.diff(head) != 0))
    graph = csr_array((minutes[first], head[first].astype(np.int32), np.searchsorted(tail[first], np.arange(nodes + 1)).astype(np.int32)))
    expected = dijkstra(graph, indices=[3, 1000])
    sources = Anchors.at(np.array([3, 1000]))
    found = nearest(lay_out(net), sources)
    np.testing.assert_allclose(found.minutes, expected.min(axis=0), rtol=1e-9, atol=1e-9)
    both, _ = nearest_k(lay_out(net), sources, 2)
    np.testing.assert_allclose(both, np.sort(expected, axis=0).T, rtol=1e-9, atol=1e-9)


def test_places_of_the_same_search_do_not_disturb_each_other():
    """What one search touched is wiped before the next, also where the pool had to grow."""
    net = network("union8", 3)
    sources = anchors(net, 3, 40)
    targets = Anchors.at(np.arange(net.size))
    target, source, minutes = reach(lay_out(net), sources, targets, bound_min=1e4, threads=1)
    for place in range(40):
        alone = nearest(lay_out(net), sources.only(np.arange(40) == place), bound_min=1e4).minutes
        np.testing.assert_array_equal(target[source == place], np.flatnonzero(np.isfinite(alone)))
        np.testing.assert_array_equal(minutes[source == place], alone[np.isfinite(alone)])
