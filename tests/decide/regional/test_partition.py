"""Districts on maps a reader can solve, against plain counting of all groupings, and what must hold on any map."""

from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from libpysal import examples
from regional_drawn import built, drawn, groupings, letters

from planner.decide.regional.areas import Areas, straight_areas
from planner.decide.regional.bounds import lower
from planner.decide.regional.ground import blocks
from planner.decide.regional.measures import canonical, measures, score
from planner.decide.regional.partition import annealed, best_count, moved, partition
from planner.decide.regional.rules import Rules, around_mean, broken
from planner.errors import SettingsError

Array = np.ndarray


def asked(areas: Areas, count: int, tolerance: float, **rest: object) -> Rules:
    return Rules(count, *around_mean(float(areas.people.sum()), count, tolerance), **rest)  # type: ignore[arg-type]


SOLVED = {
    "two hospitals far apart": ("11111111", "H......H".replace(".", "-"), 0.0, "aaaabbbb"),
    "people decide where a line is cut": ("9111111111", "H--------H", 0.0, "abbbbbbbbb"),
    "four quarters": ("""
        111111
        111111
        111111
        111111
        111111
        111111""", """
        ------
        -H--H-
        ------
        ------
        -H--H-
        ------""", 0.0, """
        aaabbb
        aaabbb
        aaabbb
        cccddd
        cccddd
        cccddd"""),
    "a lake between two shores": ("""
        11111
        1...1
        1...1
        11111""", """
        --H--
        -...-
        -...-
        --H--""", 0.0, """
        aaaaa
        a...a
        b...b
        bbbbb"""),
    "three valleys of unequal width": ("""
        111111111
        111111111
        111111111""", """
        ---------
        H--H----H
        ---------""", 0.34, """
        aabbbbccc
        aabbbbccc
        aabbbbccc"""),
}


@pytest.mark.parametrize("name", SOLVED)
def test_a_map_whose_best_districts_a_reader_can_see(name: str) -> None:
    people, hospitals, tolerance, expected = SOLVED[name]
    areas, best = drawn(people, hospitals), letters(expected)
    found = partition(areas, asked(areas, int(best.max()) + 1, tolerance), seed=0)
    assert found.proof == "factible"
    assert found.solution.value <= score(measures(areas, best), asked(areas, int(best.max()) + 1, tolerance)) + 1e-12
    assert found.district.tolist() == best.tolist()


def test_measures_of_a_grouping_counted_by_hand() -> None:
    areas = drawn("1234", "H--H")  # minutes to the left hospital 0 10 20 30, to the right 30 20 10 0
    found = measures(areas, np.array([0, 0, 0, 1]))
    assert found.people.tolist() == [6, 4]
    assert found.spread == pytest.approx(0.2)
    assert found.minutes == pytest.approx((1 * 0 + 2 * 10 + 3 * 20 + 4 * 0) / 10)
    assert found.crossing == pytest.approx(3 / 10)
    assert found.hospitals.tolist() == [1, 1]
    assert found.contiguous.all()
    three_to_one, square = 4 * np.pi * 3 / 8**2, np.pi / 4
    assert found.compactness == pytest.approx((three_to_one + square) / 2)
    rules = Rules(2, minutes=2.0, crossing=3.0, compactness=0.5)
    assert score(found, rules) == pytest.approx(2 * 8 / 60 + 3 * 0.3 + 0.5 * (1 - found.compactness))


def test_a_district_without_hospital_uses_the_nearest_anywhere_and_crosses() -> None:
    areas = drawn("1111", "H---")
    found = measures(areas, np.array([0, 0, 1, 1]))
    assert found.minutes == pytest.approx((0 + 10 + 20 + 30) / 4)
    assert found.crossing == pytest.approx(0.5)
    told = broken(areas, np.array([0, 0, 1, 1]), Rules(2, hospital_required=True))
    assert [rule for rule, _ in told] == ["hospital"]
    assert told[0][1].startswith("1 distrito no tiene hospital (D02);")


def test_areas_without_outline_are_compact_by_the_pairs_of_neighbours_that_stay() -> None:
    areas = replace(drawn("1111", "H--H"), perimeter_m=np.zeros(4), area_m2=np.zeros(4))
    found = measures(areas, np.array([0, 0, 1, 1]))
    assert found.compact_by == "pares_vecinos"
    assert found.compactness == pytest.approx(2 / 3)
    assert partition(areas, asked(areas, 2, 0.0), 0).district.tolist() == [0, 0, 1, 1]


def small_maps() -> st.SearchStrategy[Areas]:
    """Connected or not, up to 8 areas of a 3 x 3 board, some with hospitals."""

    @st.composite
    def made(draw: st.DrawFn) -> Areas:
        cells = sorted(draw(st.sets(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=2, max_size=8)))
        people = np.array(draw(st.lists(st.integers(0, 9), min_size=len(cells), max_size=len(cells))), float)
        hospitals = sorted(draw(st.sets(st.integers(0, len(cells) - 1), max_size=3)))
        return built(cells, people + (people.sum() == 0), np.array(hospitals, int))

    return made()


@settings(deadline=None, max_examples=20)
@given(small_maps(), st.integers(1, 4), st.sampled_from([0.1, 0.5, 1.5]), st.booleans(), st.data())
def test_few_areas_are_decided_as_by_counting_all_groupings(areas: Areas, count: int, tolerance: float, hospital: bool,
                                                           data: st.DataObject) -> None:
    n = len(areas.people)
    count = min(count, n)
    pair = st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)).filter(lambda p: p[0] != p[1])
    rules = asked(areas, count, tolerance, hospital_required=hospital, together=tuple(data.draw(st.lists(pair, max_size=2))),
                  apart=tuple(data.draw(st.lists(pair, max_size=2))))
    kept = [label for label in groupings(areas, count) if not broken(areas, label, rules)]
    found = partition(areas, rules, seed=0)
    assert (found.proof == "factible") == bool(kept)
    if kept:
        assert lower(blocks(areas, rules).ground, rules) <= min(score(measures(areas, label), rules) for label in kept) + 1e-12
        assert found.solution.status == "óptimo"
        assert found.solution.bound == found.solution.value
        assert found.solution.value == pytest.approx(min(score(measures(areas, label), rules) for label in kept), abs=1e-9)
    else:
        assert found.proof == "imposible"
        assert found.broken
        assert found.notes


@settings(deadline=None, max_examples=6)
@given(st.integers(0, 10_000), st.integers(2, 6), st.sampled_from([0.2, 0.6, 2.0]))
def test_on_any_map_districts_are_contiguous_and_rules_are_kept_or_told(seed: int, count: int, tolerance: float) -> None:
    areas = random_map(seed, 4, 5)
    rules = asked(areas, count, tolerance, together=((0, 1, 7),), apart=((3, 15),))
    found = partition(areas, rules, seed)
    assert sorted(np.unique(found.district)) == list(range(count))
    assert len(found.district) == len(areas.people)
    assert found.district.tolist() == canonical(found.district).tolist()
    assert found.measures.contiguous.all()
    assert found.measures.people.sum() == pytest.approx(areas.people.sum())
    assert bool(found.broken) == bool(broken(areas, found.district, rules))
    assert (found.proof == "factible") == (not found.broken)
    if not found.broken:
        assert found.solution.bound <= found.solution.value + 1e-12
        assert found.district[0] == found.district[1] == found.district[7]
        assert found.district[3] != found.district[15]


def random_map(seed: int, rows: int, columns: int) -> Areas:
    rng = np.random.default_rng(seed)
    cells = [(r, c) for r in range(rows) for c in range(columns)]
    return built(cells, np.ceil(rng.pareto(1.5, len(cells)) * 100), np.sort(rng.choice(len(cells), 6, replace=False)))


def test_districts_stay_contiguous_whatever_the_seed() -> None:
    areas = random_map(3, 4, 4)
    for seed in range(20):
        assert partition(areas, asked(areas, 5, 1.0), seed).measures.contiguous.all()


def test_the_same_question_has_the_same_answer_however_its_rows_are_ordered() -> None:
    areas = random_map(5, 4, 5)
    rng = np.random.default_rng(0)
    rows, hospitals = rng.permutation(len(areas.point_at)), rng.permutation(len(areas.hospital_at))
    edges = rng.permutation(len(areas.edges))
    mixed = replace(areas, edges=areas.edges[edges], shared_m=areas.shared_m[edges], hospital_at=areas.hospital_at[hospitals],
                    hospital_ids=areas.hospital_ids[hospitals], point_at=areas.point_at[rows], point_people=areas.point_people[rows],
                    point_min=areas.point_min[rows][:, hospitals])
    first, again, other = (partition(x, asked(areas, 4, 0.5), 7) for x in (areas, areas, mixed))
    assert first.district.tolist() == again.district.tolist() == other.district.tolist()
    assert first.solution.value == again.solution.value


def test_a_bound_is_not_trivial_where_people_decide() -> None:
    areas = drawn("9119", "-HH-")  # the halves' people are all near a hospital of the other half's neighbour
    rules = asked(areas, 2, 0.0, compactness=0.0)
    swapped = replace(areas, point_min=areas.point_min[:, ::-1])  # the nearest hospital of each is the farther one
    best = partition(swapped, rules, 0).solution.value
    hours = float((swapped.point_people * swapped.point_min.min(axis=1)).sum() / swapped.point_people.sum() / 60)
    assert hours + 0.1 < lower(blocks(swapped, rules).ground, rules) <= best


def test_the_states_of_mexico_make_contiguous_districts() -> None:
    shapes = gpd.read_file(examples.get_path("mexicojoin.shp")).sort_values("CODE").set_index("CODE").set_crs(4326, allow_override=True)
    shapes = shapes.to_crs(6372)
    points = gpd.GeoDataFrame({"area": shapes.index, "people": shapes["PCGDP2000"].to_numpy(float)}, index=shapes.index,
                              geometry=shapes.representative_point().to_numpy(), crs=6372)
    areas = straight_areas(shapes.geometry, points, points[["area", "geometry"]].iloc[::5], 40.0, 1440.0)
    found = partition(areas, asked(areas, 6, 0.6), 0)
    assert found.proof == "factible"
    assert found.measures.contiguous.all()
    assert found.measures.spread <= 0.6
    assert found.measures.crossing == 0


def test_annealing_meets_the_best_of_all_groupings() -> None:
    cells = [(r, c) for r in range(3) for c in range(4)]
    areas = built(cells, np.array([5, 1, 1, 5, 1, 3, 1, 1, 5, 1, 1, 5], float), np.array([0, 3, 8, 11]))
    rules = asked(areas, 3, 0.5)
    best = partition(areas, rules, 0)
    assert best.solution.status == "óptimo"
    assert score(measures(areas, annealed(areas, rules, 0)), rules) == pytest.approx(best.solution.value, abs=1e-12)


def test_islands_are_a_sentence_and_the_nearest_districts_not_a_crash() -> None:
    areas = drawn("""
        1111111.11
        1111111...
        .........1
        11........""", """
        H-----H.--
        -------...
        .........-
        --........""")
    found = partition(areas, Rules(2), 0, [f"Lugar {i}" for i in range(len(areas.people))])
    assert found.proof == "imposible"
    assert "4 partes que no se tocan" in found.notes[0]
    assert "vecinas" in found.notes[0]
    assert [rule for rule, _ in found.broken] == ["contiguidad"]
    assert "Lugar" in found.broken[0][1]
    assert partition(areas, Rules(5), 0).proof == "factible"


IMPOSSIBLE = {
    "an area larger than the most": ("1911", Rules(2, 0, 6), "no caben"),
    "too few people": ("1111", Rules(3, 2, 9), "piden"),
    "too many people": ("4444", Rules(2, 0, 7), "caben"),
    "a group larger than the most": ("3333", Rules(3, 0, 5, together=((0, 1),)), "no caben"),
    "together and apart": ("1111", Rules(2, together=((0, 1), (1, 2)), apart=((0, 2),)), "juntas y separadas"),
    "a group parted by one that must stay out": ("111", Rules(2, together=((0, 2),), apart=((0, 1),)), "une"),
    "more districts than groups": ("111", Rules(3, together=((0, 1),)), "grupos"),
    "three apart in two districts": ("1111", Rules(2, apart=((0, 1), (1, 2), (0, 2))), "separadas"),
    "a piece too small": ("11.5", Rules(2, 3, 9), "partes del mapa"),
    "cornered by a large neighbour": ("18111111", Rules(3, 2, 8), "mínimo"),
}


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_what_cannot_be_is_proved_in_a_sentence_and_truly_cannot_be(name: str) -> None:
    people, rules, word = IMPOSSIBLE[name]
    areas = drawn(people)
    found = partition(areas, rules, 0)
    assert found.proof == "imposible"
    assert any(word in sentence for sentence in found.notes)
    assert not [label for label in groupings(areas, rules.count) if not broken(areas, label, rules)]


def test_more_districts_than_hospitals() -> None:
    areas = drawn("11111", "H---H")
    assert any("hospital" in s for s in partition(areas, Rules(3, hospital_required=True), 0).notes)


def test_what_contradicts_itself_is_refused_in_words() -> None:
    areas = drawn("1111")
    for rules in (Rules(0), Rules(5), Rules(2, 5, 3), Rules(2, together=((0, 9),)), Rules(2, apart=((1, 1),)), Rules(2, minutes=-1)):
        with pytest.raises(SettingsError, match=r"\.$"):
            partition(areas, rules, 0)


def test_one_area_moved_by_hand_is_counted_anew_and_says_what_it_breaks() -> None:
    areas = drawn("111111", "H----H")
    rules = asked(areas, 2, 0.0)
    best = partition(areas, rules, 0)
    assert best.district.tolist() == [0, 0, 0, 1, 1, 1]
    back = best.district.copy()
    found = moved(areas, best.district, 1, 1, rules)
    assert best.district.tolist() == back.tolist()
    assert found.district.tolist() == [0, 1, 0, 1, 1, 1]
    assert [rule for rule, _ in found.broken] == ["contiguidad", "minimo", "maximo"]
    assert found.measures.people.tolist() == [2, 4]
    assert found.solution.status == "sin solución (no probado)"
    with pytest.raises(SettingsError):
        moved(areas, best.district, 9, 1, rules)


def test_the_free_number_is_the_one_of_least_score() -> None:
    areas = drawn("11111111", "H------H")
    found, table = best_count(areas, Rules(1), [4, 1, 2], 0, tolerance=0.0)
    assert table.index.tolist() == [1, 2, 4]
    assert len(np.unique(found.district)) == table["score"].idxmin()
    assert pd.notna(table).all().all()
