"""The search against scipy's and networkx' Dijkstra on explicit arcs, to the last bit, and its paths walked back."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_networks import CELL_M, KINDS, PLACES, all_minutes, anchors, arcs, nearest_by_networkx, network

from planner.travel.board import lay_out, nearest, nearest_k, reach
from planner.travel.network import QUANTUM, Anchors, Network


@pytest.mark.parametrize("kind", KINDS)
def test_nearest_equals_scipy_to_the_bit_and_networkx(kind):
    """200 random networks of each kind; of sources equally near the first wins."""
    met = {"unreachable": 0, "tie": 0, "chain": 0}
    for seed in range(200):
        net = network(kind, seed)
        sources = anchors(net, seed, PLACES)
        each = all_minutes(net, sources, PLACES)
        found = nearest(lay_out(net), sources)
        least = each.min(axis=0)
        np.testing.assert_array_equal(found.minutes, least, err_msg=f"seed {seed}")
        np.testing.assert_allclose(found.minutes, nearest_by_networkx(net, sources), rtol=1e-9, atol=1e-8, err_msg=f"seed {seed}")
        np.testing.assert_array_equal(found.source, np.where(np.isfinite(least), each.argmin(axis=0), -1), err_msg=f"seed {seed}")
        met["unreachable"] += int(np.isinf(least).sum())
        met["tie"] += int((np.isfinite(least) & ((each == least).sum(axis=0) > 1)).sum())
        met["chain"] += int(np.bincount(net.tail[np.isfinite(net.minutes)], minlength=1).max() > 10)
    assert met["unreachable"] > 100
    assert met["tie"] > 100
    assert kind.startswith("grid") or met["chain"] > 20


@pytest.mark.parametrize("kind", KINDS)
def test_labels_are_paths(kind):
    """Going back from parent to parent costs the label to the bit, and ends where the label's source enters."""
    for seed in range(60):
        net = network(kind, seed)
        sources = anchors(net, seed, PLACES)
        found = nearest(lay_out(net), sources)
        least: dict[tuple[int, int], float] = {}
        for a, b, t in zip(*(values.tolist() for values in arcs(net)), strict=True):
            least[a, b] = min(least.get((a, b), np.inf), float(np.rint(t / QUANTUM) * QUANTUM))
        starts = set(zip(sources.place.tolist(), sources.node.tolist(), sources.minutes.tolist(), strict=True))
        for node in np.flatnonzero(np.isfinite(found.minutes)).tolist():
            cost, at, steps = 0.0, node, 0
            while found.parent[at] >= 0:
                before = int(found.parent[at])
                assert found.source[before] == found.source[node]
                cost += least[before, at]
                at, steps = before, steps + 1
                assert steps <= net.size
            assert (int(found.source[node]), at, found.minutes[node] - cost) in starts
        assert (found.parent[np.isinf(found.minutes)] == -1).all()


@pytest.mark.parametrize("kind", KINDS)
def test_k_nearest_are_the_first_of_all_sorted(kind):
    for seed in range(100):
        net = network(kind, seed)
        sources = anchors(net, seed, PLACES)
        each = all_minutes(net, sources, PLACES)
        bound = np.inf if seed % 3 else float(np.median(each[np.isfinite(each)], axis=0)) if np.isfinite(each).any() else 0.0
        order = np.argsort(each, axis=0, kind="stable")
        expected = np.take_along_axis(each, order, axis=0).T
        for k in (1, 3, 7):
            minutes, source = nearest_k(lay_out(net), sources, k, bound_min=bound)
            some = np.full((net.size, k), np.inf)
            some[:, : min(k, PLACES)] = np.where(expected <= bound, expected, np.inf)[:, :k]
            who = np.full((net.size, k), -1)
            who[:, : min(k, PLACES)] = order.T[:, :k]
            np.testing.assert_array_equal(minutes, some, err_msg=f"seed {seed}, k {k}")
            np.testing.assert_array_equal(source, np.where(np.isfinite(some), who, -1), err_msg=f"seed {seed}, k {k}")


@pytest.mark.parametrize("kind", KINDS)
def test_all_pairs_within_a_bound(kind):
    """Against scipy place by place; one thread and two say the same; the bound is inclusive."""
    pairs = 0
    for seed in range(100):
        net = network(kind, seed)
        sources, targets = anchors(net, seed, PLACES), anchors(net, seed + 5000, 8)
        from_each = all_minutes(net, sources, PLACES)
        expected = np.full((8, PLACES), np.inf)
        np.minimum.at(expected, targets.place, (from_each[:, targets.node] + targets.minutes).T)
        told = expected[np.isfinite(expected)]
        bound = float(np.sort(told)[len(told) // 2]) if len(told) else 1.0
        board = lay_out(net)
        found = [reach(board, sources, targets, bound_min=bound, threads=threads) for threads in (1, 2)]
        for one, two in zip(*found, strict=True):
            np.testing.assert_array_equal(one, two)
        rows, cols = np.nonzero(expected <= bound)
        for part, whole in zip(found[0], (rows, cols, expected[rows, cols]), strict=True):
            np.testing.assert_array_equal(part, whole, err_msg=f"seed {seed}")
        pairs += len(rows)
    assert pairs > 500


@pytest.mark.parametrize("kind", KINDS)
def test_bounded_is_unbounded_cut_at_the_bound(kind):
    """The bound is a cost that occurs, so that inclusive is put to the test."""
    for seed in range(100):
        net = network(kind, seed)
        sources, board = anchors(net, seed, PLACES), lay_out(net)
        full = nearest(board, sources)
        told = np.sort(full.minutes[np.isfinite(full.minutes)])
        bounds = (float(told[len(told) // 2]), float(np.nextafter(told[-1], -1)), 0.0, -1.0) if len(told) else (1.0,)
        for bound in bounds:
            some, within = nearest(board, sources, bound_min=bound), full.minutes <= bound
            np.testing.assert_array_equal(some.minutes, np.where(within, full.minutes, np.inf), err_msg=f"seed {seed}")
            np.testing.assert_array_equal(some.source, np.where(within, full.source, -1), err_msg=f"seed {seed}")


@pytest.mark.parametrize("kind", KINDS)
def test_the_reversed_network_is_the_transposed_graph(kind):
    for seed in range(100):
        net = network(kind, seed)
        back = net.reversed()
        one, other = arcs(net), arcs(back)
        assert sorted(zip(*(v.tolist() for v in one), strict=True)) == sorted(
            (b, a, t) for a, b, t in zip(*(v.tolist() for v in other), strict=True))


@settings(deadline=None, max_examples=100)
@given(st.integers(0, 10**6), st.floats(0.01, 1))
def test_more_sources_or_speed_never_lengthen(seed, faster):
    net = network("union8", seed)
    rng = np.random.default_rng(seed)
    sources = anchors(net, seed)
    before = nearest(lay_out(net), sources).minutes
    more = Anchors(*(np.append(a, b).astype(a.dtype) for a, b in zip(
        (sources.place, sources.node, sources.minutes), (PLACES, rng.integers(net.size), 0.0), strict=True)))
    assert (nearest(lay_out(net), more).minutes <= before).all()
    pace, minutes = net.pace.copy(), net.minutes.copy()
    pace[rng.random(pace.shape) < 0.3] *= faster
    minutes[rng.random(minutes.shape) < 0.3] *= faster
    quicker = Network(pace, CELL_M, 8, net.factor, net.nodes, net.tail, net.head, minutes)
    assert (nearest(lay_out(quicker), sources).minutes <= before).all()


def test_a_tie_is_passed_on():
    """Both sources are 2 cells from the middle column; the first of the list keeps all of it."""
    board = lay_out(Network(np.full((5, 5), 0.01), CELL_M))
    for cells, winner in (([10, 14], 0), ([14, 10], 0), ([14, 12, 10], 1)):
        found = nearest(board, Anchors.at(np.array(cells)))
        assert found.source[12] == winner
        assert found.minutes[12] == pytest.approx(0.0 if winner else 2.0)
        assert (found.source.reshape(5, 5)[:, 2] == winner).all()


def test_a_source_on_impassable_ground_poisons_nothing():
    pace = np.full((3, 5), 0.01)
    pace[1, 2] = np.inf
    board = lay_out(Network(pace, CELL_M))
    alone = nearest(board, Anchors.at(np.array([0])))
    found = nearest(board, Anchors.at(np.array([7, 0, -1])))
    assert (found.minutes[7], found.source[7]) == (0, 0)
    elsewhere = np.isfinite(pace.ravel())
    np.testing.assert_array_equal(found.minutes[elsewhere], alone.minutes[elsewhere])
    assert (found.source[elsewhere] == 1).all()
