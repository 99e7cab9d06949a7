"""What is kept on disk comes back to the bit, belongs to one question only, and is never trusted when damaged or old."""

import multiprocessing
import os
from dataclasses import replace
from pathlib import Path

import cache_rounds
import numpy as np
import pandas as pd
import pytest
import small_roads
import valley

from planner.model import Travel
from planner.settings import Scenario
from planner.travel import board, cache
from planner.travel.cache import cached, fingerprint
from planner.travel.ground import Ground, labels, nearest_k, pairs_within
from planner.travel.join import join
from planner.travel.times import compute_travel
from planner.travel.weigh import weigh

STORED = (np.array([1.5, np.nan, -0.0, np.inf, 5e-324]), np.arange(6, dtype=np.int32).reshape(2, 3), np.empty(0, np.int32),
          np.array(True), np.asfortranarray(np.arange(6.0).reshape(3, 2)))


def never() -> tuple[np.ndarray, ...]:
    raise AssertionError("computed although it was kept")


def same(one: tuple[np.ndarray, ...], other: tuple[np.ndarray, ...]) -> bool:
    return len(one) == len(other) and all(
        (a.dtype, a.shape, a.tobytes()) == (b.dtype, b.shape, b.tobytes()) for a, b in zip(one, other, strict=True))


def test_the_same_arrays_come_back_bit_for_bit(tmp_path):
    assert same(cached(tmp_path, ("x", 1.0), lambda: STORED), STORED)
    back = cached(tmp_path, ("x", 1.0), never)
    assert same(back, STORED)
    back[0][0] = 7.0  # what is handed out is the caller's own
    assert same(cached(tmp_path, ("x", 1.0), never), STORED)
    assert cached(tmp_path, ("none",), lambda: ()) == cached(tmp_path, ("none",), never) == ()
    assert same(cached(None, ("x", 1.0), lambda: STORED[:1]), STORED[:1])


def test_parts_that_differ_in_anything_are_another_question(tmp_path):
    whole = np.arange(6)
    parts = [("a", whole, 1.0), ("b", whole, 1.0), ("a", whole, 2.0), ("a", whole, np.inf), ("a", whole.reshape(2, 3), 1.0),
             ("a", whole.astype(np.int32), 1.0), ("a", whole[:5], 1.0), ("a", whole, 1.0, 0), ("a", whole.astype(float), 1.0),
             ("a", np.empty(0, int), 1.0), ("a", np.empty(0, float), 1.0), ("a'|'b", 1.0), ("a", "b", 1.0), ("a", 1, 1.0)]
    for i, told in enumerate(parts):
        cached(tmp_path, told, lambda i=i: (np.array(i),))
    assert [int(cached(tmp_path, told, never)[0]) for told in parts] == list(range(len(parts)))
    assert fingerprint(whole[::2]) == fingerprint(np.array([0, 2, 4]))  # contents, not how they lie in memory


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    cached(tmp_path, ("x",), lambda: STORED)
    (path,) = tmp_path.iterdir()
    return path


def test_a_file_damaged_anywhere_is_computed_anew_and_replaced(kept):
    whole = kept.read_bytes()
    for i in range(len(whole)):
        spoilt = bytearray(whole)
        spoilt[i] ^= 1 + 37 * i % 255
        kept.write_bytes(spoilt)
        assert same(cached(kept.parent, ("x",), lambda: STORED), STORED), i
        assert kept.read_bytes() == whole, i


def test_a_file_cut_short_or_too_long_is_computed_anew_and_replaced(kept):
    whole = kept.read_bytes()
    for length in range(0, len(whole), 7):
        kept.write_bytes(whole[:length])
        assert same(cached(kept.parent, ("x",), lambda: STORED), STORED), length
        assert kept.read_bytes() == whole, length
    kept.write_bytes(whole + b"more")
    assert same(cached(kept.parent, ("x",), lambda: STORED), STORED)
    assert list(kept.parent.iterdir()) == [kept]


def test_a_folder_that_cannot_be_written_just_computes(tmp_path, monkeypatch):
    wall = tmp_path / "wall"
    wall.write_text("a file where a folder is due")
    assert same(cached(wall, ("x",), lambda: STORED), STORED)
    assert same(cached(wall / "below", ("x",), lambda: STORED), STORED)
    in_the_way = tmp_path / "folder"
    cached(in_the_way, ("x",), lambda: STORED)
    (path,) = in_the_way.iterdir()
    path.unlink()
    path.mkdir()  # a folder where the file is due: it can be neither read nor replaced
    assert same(cached(in_the_way, ("x",), lambda: STORED), STORED)
    assert list(in_the_way.iterdir()) == [path]

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    path.rmdir()
    with monkeypatch.context() as patch:
        patch.setattr(np, "save", full)
        assert same(cached(in_the_way, ("x",), lambda: STORED), STORED)
        assert not list(in_the_way.iterdir())
    cached(in_the_way, ("x",), lambda: STORED)
    monkeypatch.setattr(os, "utime", full)  # a folder of somebody else's: it may be read
    assert same(cached(in_the_way, ("x",), never), STORED)


def test_what_fails_to_compute_is_not_kept(tmp_path):
    def fail() -> tuple[np.ndarray, ...]:
        raise ValueError("no answer")

    with pytest.raises(ValueError, match="no answer"):
        cached(tmp_path, ("x",), fail)
    assert not list(tmp_path.iterdir())


def test_the_least_recently_used_go_beyond_the_allowance(tmp_path, monkeypatch):
    def question(i: int) -> None:
        cached(tmp_path, (i,), lambda: (np.full(1000, float(i)),))

    question(0)
    (path,) = tmp_path.iterdir()
    size = path.stat().st_size
    monkeypatch.setattr(cache, "KEPT_BYTES", 4 * size)
    left = tmp_path / "left.tmp"  # of a process that was killed
    left.write_bytes(bytes(size))
    os.utime(left, (0, 0))
    (tmp_path / "of somebody else.txt").write_bytes(bytes(9 * size))
    for i in (1, 2, 3):
        for file in tmp_path.iterdir():  # an hour goes by
            os.utime(file, (0, file.stat().st_mtime - 3600))
        question(i)
    cached(tmp_path, (0,), never)  # used: the youngest now
    assert not left.exists()
    question(4)
    assert sum(p.stat().st_size for p in tmp_path.glob("*.bin")) <= 4 * size
    assert (tmp_path / "of somebody else.txt").exists()
    for i in (0, 2, 3, 4):
        cached(tmp_path, (i,), never)
    with pytest.raises(AssertionError, match="computed although"):
        cached(tmp_path, (1,), never)
    monkeypatch.setattr(cache, "KEPT_BYTES", size - 1)
    question(5)
    assert not list(tmp_path.glob("*.bin"))


def small_ground(scenario: Scenario | None = None, mode: str = "a_pie", folder: Path | None = None) -> Ground:
    """A hill crossed by a one-way road."""
    hill = np.add.outer(np.arange(8) * 10.0, np.arange(9) * 3.0)
    grid = small_roads.ground((8, 9), hill)
    roads = small_roads.roads(small_roads.way((50, 50), (450, 420), (850, 450), **small_roads.ONE_WAY))
    asked = scenario or Scenario()
    graph = join(grid, roads)
    return Ground(graph, roads, None, asked, weigh(graph, roads, asked, mode), folder)


def test_a_changed_pace_arc_or_direction_is_another_board():
    network = small_ground().weighed.network
    first = board.lay_out(network).fingerprint
    assert board.lay_out(network).fingerprint == first
    pace, minutes, factor = network.pace.copy(), network.minutes.copy(), network.factor.copy()
    pace[3, 4] = np.nextafter(pace[3, 4], 1.0)
    minutes[5] += 1e-9
    factor[2, 2, 1] = np.nextafter(factor[2, 2, 1], np.float32(9))
    head = network.head.copy()
    head[0] = network.head[1]
    others = [replace(network, pace=pace), replace(network, minutes=minutes), replace(network, factor=factor), replace(network, head=head),
              replace(network, nodes=network.nodes + 1), replace(network, cell_m=101.0), network.reversed(),
              replace(network, factor=None), replace(network, factor=network.factor[:, ::-1])]
    assert len({first, *(board.lay_out(other).fingerprint for other in others)}) == 1 + len(others)


def test_every_question_of_a_ground_is_kept_apart(tmp_path):
    sites, places = small_roads.points(S=(430, 400), T=(130, 130)), small_roads.points(P=(780, 80), Q=(60, 700))
    plain, keeping = small_ground(), small_ground(folder=tmp_path)

    def ask(ground: Ground, only: slice = slice(None), limit: float = 9.0, towards: bool = True) -> list[np.ndarray]:
        at, of = ground.set(sites.iloc[only]), ground.set(places)
        found = labels(ground, at, towards=towards, bound_min=limit)
        near = nearest_k(ground, at, of, 2, towards=towards, bound_min=limit)
        pairs = pairs_within(ground, of, at, limit, towards=towards)
        return [found.minutes, found.source, found.parent, near.to_numpy(), pairs.to_numpy()]

    questions = [{}, {"limit": 8.0}, {"limit": 60.0}, {"towards": False}, {"only": slice(1)}, {"only": slice(1), "towards": False}]
    fresh = [ask(plain, **q) for q in questions]
    for rounds in (1, 2):
        for want, question in zip(fresh, questions, strict=True):
            for a, b in zip(want, ask(keeping, **question), strict=True):
                np.testing.assert_array_equal(a, b)
        assert len(list(tmp_path.iterdir())) == 3 * len(questions), rounds
    for ground in (small_ground(mode="vehiculo", folder=tmp_path), small_ground(Scenario(off_path_factor=0.5), folder=tmp_path)):
        before = len(list(tmp_path.iterdir()))
        ask(ground)
        assert len(list(tmp_path.iterdir())) == before + 3


def equal(one: Travel, other: Travel) -> None:
    for at in one.nearest:
        pd.testing.assert_frame_equal(one.nearest[at], other.nearest[at])
    for at in one.surfaces:
        np.testing.assert_array_equal(one.surfaces[at].minutes, other.surfaces[at].minutes)
        np.testing.assert_array_equal(one.surfaces[at].site, other.surfaces[at].site)
    for name in ("first_level", "seats", "bases"):
        pd.testing.assert_frame_equal(getattr(one, name).pairs(), getattr(other, name).pairs())
    pd.testing.assert_frame_equal(one.referral, other.referral)


def test_travel_is_the_same_with_and_without_what_is_kept(tmp_path):
    region = valley.region()
    asked = [Scenario(), Scenario(season="lluvias"), Scenario(off_path_factor=0.5, mode_hospital="transporte_publico", neighbours=16)]
    for scenario in (*asked, *asked):
        equal(compute_travel(region, scenario, tmp_path), compute_travel(region, scenario))
    count = len(list(tmp_path.iterdir()))
    for scenario in asked:
        compute_travel(region, scenario, tmp_path)
    assert len(list(tmp_path.iterdir())) == count


@pytest.mark.parametrize("kept_bytes", [cache.KEPT_BYTES, 2_000_000])  # the smaller: each process removes what the other reads
def test_two_processes_on_one_folder_give_the_same_answers(tmp_path, kept_bytes):
    spawn = multiprocessing.get_context("spawn")
    answers, start = spawn.Queue(), spawn.Event()
    both = [spawn.Process(target=cache_rounds.ask, args=(tmp_path, name, kept_bytes, answers, start)) for name in "ab"]
    for process in both:
        process.start()
    start.set()
    told = {(name, turn): found for name, turn, found in (answers.get(timeout=100) for _ in range(2 * cache_rounds.ROUNDS))}
    for process in both:
        process.join(60)
        assert process.exitcode == 0
    expected = cache_rounds.expected()
    assert told == {(name, turn): expected[turn] for name in "ab" for turn in expected}
    files = list(tmp_path.iterdir())
    assert all(file.suffix == ".bin" for file in files)
    everything = cache_rounds.ROUNDS * cache_rounds.QUESTIONS
    assert len(files) == everything if kept_bytes == cache.KEPT_BYTES else 0 < len(files) < everything
