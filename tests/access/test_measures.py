"""Floating catchments equal PySAL's `access`, conserve supply, and refuse what would be silently wrong."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from access import weights
from access.fca import two_stage_fca
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.access.measures import cumulative_opportunities, enhanced_two_step_fca, two_step_fca
from planner.errors import DataError
from planner.model import TravelTimes

CUTOFF = 90.0


def times_of(minutes: np.ndarray) -> TravelTimes:
    """CSR of a dense matrix; what is beyond the cutoff is not stored."""
    row, site = np.nonzero(minutes <= CUTOFF)
    indptr = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=minutes.shape[0]))])
    localities = pd.Index([f"{i:09d}" for i in range(minutes.shape[0])], name="cvegeo")
    sites = pd.Index([f"U{j:03d}" for j in range(minutes.shape[1])], name="clues")
    return TravelTimes(localities, sites, CUTOFF, indptr.astype(np.int64), site.astype(np.int32), minutes[row, site])


def drawn(seed: int) -> tuple[TravelTimes, pd.Series, pd.Series]:
    """Whole minutes, so that many pairs lie on the edge of a band; some sites and localities with nobody in reach."""
    draw = np.random.default_rng(seed)
    shape = (int(draw.integers(3, 40)), int(draw.integers(1, 12)))
    minutes = draw.integers(0, 140, shape).astype(float)
    minutes[draw.random(shape[0]) < 0.1] = np.inf
    minutes[:, draw.random(shape[1]) < 0.1] = np.inf
    times = times_of(minutes)
    demand = pd.Series(draw.integers(1, 5000, shape[0]).astype(float), index=times.localities)
    return times, demand, pd.Series(draw.integers(0, 4, shape[1]).astype(float), index=times.sites)


def pysal(times: TravelTimes, demand: pd.Series, supply: pd.Series, bands: dict[int, float] | None = None) -> pd.Series:
    """PySAL's ratio within 60 minutes; localities that reach no site are not told."""
    return two_stage_fca(
        demand.to_frame("people"), supply.to_frame("nuclei"), times.pairs(), max_cost=60, demand_index=True, demand_name="people",
        supply_name="nuclei", cost_origin="cvegeo", cost_dest="site", cost_name="minutes",
        weight_fn=weights.step_fn(bands) if bands else None)


@pytest.mark.parametrize("seed", range(100))
def test_both_measures_are_those_of_pysal(seed: int) -> None:
    times, demand, supply = drawn(seed)
    told = pysal(times, demand, supply).reindex(times.localities, fill_value=0.0)
    np.testing.assert_allclose(two_step_fca(times, demand, supply, 60.0), told, rtol=1e-12)
    bands = {10: 1.0, 30: 0.68, 60: 0.22}
    mine = enhanced_two_step_fca(times, demand, supply, list(bands.items()))
    told = pysal(times, demand, supply, bands).reindex(times.localities, fill_value=0.0)
    np.testing.assert_allclose(mine, told, rtol=1e-12)
    assert mine.index.equals(times.localities)


MINUTES = st.sampled_from([0.0, 30.0, 59.9, 60.0, 60.1, 90.0, np.inf])
WORLDS = st.integers(1, 6).flatmap(lambda n: st.tuples(
    st.lists(st.lists(MINUTES, min_size=n, max_size=n), min_size=1, max_size=8), st.lists(st.integers(0, 3), min_size=n, max_size=n),
    st.lists(st.sampled_from([0.0, 0.25, 1.0, 4000.0]), min_size=8, max_size=8)))


@settings(max_examples=300, deadline=None)
@given(WORLDS, st.sampled_from([[(60.0, 1.0)], [(30.0, 1.0), (60.0, 0.4), (90.0, 0.1)], [(30.0, 0.0), (90.0, 1.0)]]))
def test_supply_is_conserved(world: tuple[list[list[float]], list[int], list[float]], bands: list[tuple[float, float]]) -> None:
    """People times access adds up to the supply of the sites that somebody reaches: no more, no less."""
    minutes = np.array(world[0])
    times = times_of(minutes)
    supply = pd.Series(world[1], index=times.sites, dtype=float)
    demand = pd.Series(world[2][: len(minutes)], index=times.localities)
    access = enhanced_two_step_fca(times, demand, supply, bands)
    edges = [-np.inf, *(upper for upper, _ in bands)]
    reached = [(minutes > low) & (minutes <= high) for low, high in pairwise(edges)]
    near = sum(in_band for in_band, (_, weight) in zip(reached, bands, strict=True) if weight > 0)
    used = supply[((demand.to_numpy() > 0)[:, None] & np.asarray(near, bool)).any(axis=0)].sum()
    assert (demand * access).sum() == pytest.approx(used, rel=1e-12)
    assert np.isfinite(access).all()
    assert (access >= 0).all()


def test_by_hand() -> None:
    """Two units, three places: 60 minutes are within 60; the third place reaches nobody."""
    times = times_of(np.array([[0.0, 60.0], [60.0, 60.5], [90.0, 90.0]]))
    demand = pd.Series([100.0, 300.0, 50.0], index=times.localities)
    supply = pd.Series([2.0, 1.0], index=times.sites)
    assert cumulative_opportunities(times, supply, 60.0).tolist() == [3.0, 2.0, 0.0]
    assert cumulative_opportunities(times, supply, 0.0).tolist() == [2.0, 0.0, 0.0]
    assert two_step_fca(times, demand, supply, 60.0).tolist() == pytest.approx([2 / 400 + 1 / 100, 2 / 400, 0.0])
    banded = enhanced_two_step_fca(times, demand, supply, [(30.0, 1.0), (90.0, 0.5)])
    first, second = 2 / (100 + 150 + 25), 1 / (50 + 150 + 25)
    assert banded.tolist() == pytest.approx([first + second / 2, first / 2 + second / 2, first / 2 + second / 2])


def test_a_site_that_only_empty_places_reach_gives_nothing() -> None:
    """Its ratio would divide by nobody: PySAL says infinite (or skips 0/0), here its supply is lost."""
    times = times_of(np.array([[10.0, 10.0], [95.0, 20.0]]))
    demand = pd.Series([0.0, 100.0], index=times.localities)
    supply = pd.Series([3.0, 2.0], index=times.sites)
    assert two_step_fca(times, demand, supply, 60.0).tolist() == [0.02, 0.02]
    told = pysal(times, demand, supply)
    assert told.tolist() == [np.inf, 0.02]


def test_order_of_rows_changes_nothing_and_nothing_given_is_changed() -> None:
    times, demand, supply = drawn(7)
    before = demand.copy(), supply.copy()
    shuffled = two_step_fca(times, demand.sample(frac=1, random_state=1), supply.iloc[::-1], 60.0)
    pd.testing.assert_series_equal(two_step_fca(times, demand, supply, 60.0), shuffled, check_exact=True)
    pd.testing.assert_series_equal(demand, before[0])
    pd.testing.assert_series_equal(supply, before[1])


def test_a_site_outside_the_travel_times_may_only_have_nothing() -> None:
    times, demand, supply = drawn(7)
    extra = pd.Series({"U999": 0.0})
    pd.testing.assert_series_equal(two_step_fca(times, demand, pd.concat([supply, extra]), 60.0), two_step_fca(times, demand, supply, 60.0))
    with pytest.raises(DataError, match=r"En la oferta sobran 1 sitios \(U999\): quite"):
        two_step_fca(times, demand, pd.concat([supply, extra + 1]), 60.0)


@pytest.mark.parametrize(("change", "words"), [
    (lambda d: d.iloc[1:], r"En la demanda faltan 1 localidades \(000000000\)"),
    (lambda d: d.iloc[:0], r"En la demanda faltan \d+ localidades \(000000000, 000000001, 000000002, …\)"),
    (lambda d: d.where(d.index != "000000001"), r"no se conoce o no es válida la cantidad de 1 localidades \(000000001\)"),
    (lambda d: d.astype("Float64").mask(d.index == "000000001"), "no se conoce o no es válida la cantidad de 1"),
    (lambda d: -d, "no es válida la cantidad de"), (lambda d: d * np.inf, "no es válida la cantidad de"),
    (lambda d: pd.concat([d, d.iloc[:1]]), r"En la demanda se repiten 1 localidades \(000000000\)")])
def test_amounts_that_are_no_amounts_are_told(change, words) -> None:  # type: ignore[no-untyped-def]
    times, demand, supply = drawn(7)
    with pytest.raises(DataError, match=words):
        two_step_fca(times, change(demand), supply, 60.0)


@pytest.mark.parametrize(("bands", "words"), [
    ([(90.1, 1.0)], "Se piden 90.1 minutos y los traslados solo se buscaron hasta 90"), ([], "Los límites de minutos"),
    ([(60.0, 1.0), (30.0, 0.5)], "crecer"), ([(30.0, 1.0), (30.0, 0.5)], "crecer"), ([(30.0, -1.0)], "pesos 0 o más"),
    ([(np.nan, 1.0)], "Los límites"), ([(30.0, np.nan)], "pesos"), ([(-1.0, 1.0)], "0 o más")])
def test_bands_beyond_the_search_or_out_of_order_are_told(bands: list[tuple[float, float]], words: str) -> None:
    times, demand, supply = drawn(7)
    with pytest.raises(DataError, match=words):
        enhanced_two_step_fca(times, demand, supply, bands)
    with pytest.raises(DataError, match="hasta 90"):
        cumulative_opportunities(times, supply, 91.0)
