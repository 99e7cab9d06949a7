"""Every indicator recomputed the slow way from the table of localities, and the parts that must sum to the whole."""

import json
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import valley
from hypothesis import given, settings
from hypothesis import strategies as st
from valley_travel import HOSPITAL, U1, A, B, C, D, E, F, travel

from planner import schema
from planner.access.gap import compute_access
from planner.access.indicators import concentration_index, palma_ratio, weighted_percentile
from planner.access.outcome import evaluate
from planner.model import Option, Outcome, Plan, Region, Solution
from planner.settings import Scenario

SCENARIO = Scenario(capacity_people_per_nucleo=1000.0, reach_first_level_min=45.0)
SUMMED = ("poblacion", "localidades", "dentro_30", "dentro_60", "dentro_umbral", "hospital_60", "hospital_120", "hospital_umbral",
          "personas_equiv", "brecha_ponderada", "con_servicio", "cubierta_sin_capacidad", "sin_cobertura",
          "localidades_sin_servicio", "sin_dato", "localidades_sin_dato")
EMPTY = pd.DataFrame(columns=["cvegeo", "tier", "minutes", "available", "gain", "people", "weighted"])
UMR = Option("umr-F", "umr", F, "F", 8e6, 3.8e6, 3000.0, EMPTY, "lejos")
UMM = Option("umm-1", "umm", U1, "Unidad uno", 2e6, 2.6e6, 2400.0, EMPTY, "dispersas", stops=(D,), visits_month=2.0)
SERVED = [("umr-F", F, "sin_servicio", 500.0, 0.0), ("umm-1", D, "sin_servicio", 300.0, 45.0)]


def region(people: list[float] | None = None, grades: list[str | None] | None = None) -> Region:
    """The valley with a locality of unknown grade, one of unknown district, and groups of different weight."""
    base = valley.region()
    n = people or [2000.0, 600.0, 4000.0, 400.0, 250.0, 1200.0]
    groups = {g[0]: [float(7 * i + k) for i in range(6)] for k, g in enumerate(schema.GROUPS)}
    grade = pd.Series(grades or ["Bajo", None, "Muy bajo", "Alto", "Muy alto", "Muy alto"], index=base.localities.index, dtype=object)
    places = base.localities.assign(uninsured=n, irs_grade=grade, district=["Norte", "Norte", "Sur", "Sur", None, "Norte"], **groups)
    return replace(base, localities=places)


def outcome(base: Region, unknown: tuple[str, ...] = (), served: list[Any] | None = None) -> Outcome:
    times = travel(base, unknown=unknown)
    rows = SERVED if served is None else served
    table = pd.DataFrame(rows, columns=["option", "cvegeo", "tier", "people", "minutes"])
    plan = Plan((UMM, UMR), tuple(sorted({r[0] for r in rows})), table, Solution(1000.0, 1250.0, "con brecha", "a mano"))
    return evaluate(base, times, compute_access(base, times, SCENARIO), plan, SCENARIO)


def slow(table: pd.DataFrame, weight: str, suffix: str, keep: Callable[[pd.Series], bool] = lambda _: True) -> dict[str, Any]:
    """One block of indicators, person by person, from the rows of localities."""
    out: dict[str, Any] = dict.fromkeys(SUMMED, 0.0)
    minutes: list[tuple[float, float]] = []
    for _, row in table.iterrows():
        people, n, (c, s, u) = row[weight], row["people"], (row[f"{k}{suffix}"] for k in ("served", "covered_unserved", "uncovered"))
        if not keep(row):
            continue
        if n == 0:
            c, s, u = (float(row[f"coverage{suffix}"] == k) for k in schema.COVERAGE)
            n, u = 1.0, u or float(pd.isna(row[f"coverage{suffix}"]))
        first, far, gap = row[f"first_level_min{suffix}"], row[f"hospital_min{suffix}"], row[f"gap_share{suffix}"]
        w, missing = row[f"need_weight{suffix}"], math.isnan(row[f"score{suffix}"])
        for key, value in {
            "poblacion": people, "localidades": people > 0, "dentro_30": people * (first <= 30), "dentro_60": people * (first <= 60),
            "dentro_umbral": people * (first <= 45), "hospital_60": people * (far <= 60), "hospital_120": people * (far <= 120),
            "hospital_umbral": people * (far <= 120), "con_servicio": people * c / n, "cubierta_sin_capacidad": people * s / n,
            "sin_cobertura": people * u / n, "sin_dato": people * missing, "localidades_sin_dato": people > 0 and missing,
            "localidades_sin_servicio": people > 0 and c == 0 and row[f"visits_month{suffix}"] == 0,
            "personas_equiv": 0.0 if math.isnan(gap) else people * gap,
            "brecha_ponderada": 0.0 if math.isnan(gap * w) else people * gap * w,
        }.items():
            out[key] += value
        minutes.append((math.inf if math.isnan(first) else first, people))
    passed, out["p90_min"] = 0.0, None
    for first, people in sorted(minutes):
        passed += people
        if people > 0 and passed >= 0.9 * out["poblacion"] * (1 - 1e-9):
            out["p90_min"] = first if math.isfinite(first) else None
            break
    return out


def check(found: Outcome) -> None:
    table, said = pd.DataFrame(found.localities), found.indicators
    levels: list[tuple[str, str, str, Any]] = [("total", "", "people", None)]
    levels += [("por_grado", "irs_grade", "people", k) for k in said["por_grado"]]
    levels += [("por_municipio", "cve_mun", "people", k) for k in said["por_municipio"]]
    levels += [("por_distrito", "district", "people", k) for k in said["por_distrito"]]
    levels += [("por_grupo", "", name, export) for name, export, _ in schema.GROUPS]
    for level, column, weight, key in levels:
        block = said[level] if key is None else said[level][key]
        for when, suffix in (("actual", ""), ("plan", "_plan")):
            truth = slow(table, weight, suffix, lambda row, c=column, k=key: not c or (pd.isna(row[c]) if k == "sin dato" else row[c] == k))
            assert block[when] == pytest.approx(truth), (level, key, when)


def test_recomputed_by_hand_and_by_brute_force() -> None:
    found = outcome(region())
    check(found)
    total = found.indicators["total"]
    assert total["actual"]["poblacion"] == 8450.0
    assert total["actual"]["dentro_30"] == 6000.0  # A 24 min, C 0
    assert total["actual"]["dentro_60"] == 7000.0  # and B 36, D 40; E 70 and F 75 are beyond
    assert total["actual"]["hospital_120"] == 7000.0  # D at exactly 120 counts
    assert total["actual"]["p90_min"] == 75.0
    assert total["plan"]["dentro_30"] == 7200.0  # F has the new unit
    assert total["plan"]["p90_min"] == 36.0
    assert [total[k]["localidades_sin_servicio"] for k in ("actual", "plan")] == [2, 1]  # E and F; D has visits
    assert total["actual"]["sin_dato"] == 600.0


@settings(max_examples=15, deadline=None)
@given(st.lists(st.sampled_from([0.0, 1.0, 250.0]) | st.floats(0, 4000), min_size=6, max_size=6),
       st.lists(st.sampled_from([*schema.GRADES, None]), min_size=6, max_size=6),
       st.lists(st.sampled_from([A, B, C, D, E, F]), max_size=2, unique=True))
def test_parts_sum_to_the_total_and_states_to_the_people(people: list[float], grades: list[str | None], unknown: list[str]) -> None:
    found = outcome(region(people, grades), tuple(unknown), served=[])
    check(found)
    said = found.indicators
    for when in ("actual", "plan"):
        whole = said["total"][when]
        for level in ("por_grado", "por_municipio", "por_distrito"):
            for key in SUMMED:
                assert sum(block[when][key] for block in said[level].values()) == pytest.approx(whole[key], abs=1e-6), (level, key)
        for block in (whole, *(said["por_grupo"][g[1]][when] for g in schema.GROUPS)):
            assert block["con_servicio"] + block["cubierta_sin_capacidad"] + block["sin_cobertura"] == pytest.approx(block["poblacion"])
            assert block["dentro_30"] <= block["dentro_60"] <= block["poblacion"]


def test_modes_units_and_plan() -> None:
    said = outcome(region()).indicators
    assert json.loads(json.dumps(said, allow_nan=False)) == said
    assert said["por_modo"]["a_pie"] == {"poblacion": 8450.0, "dentro_30": 6000.0, "dentro_60": 7000.0, "hospital_60": 6000.0,
                                         "hospital_120": 6000.0, "p90_min": 75.0, "sin_dato": 0.0}
    assert said["por_modo"]["vehiculo"]["dentro_30"] == 7000.0
    assert said["por_modo"]["vehiculo"]["hospital_120"] == 7000.0
    assert said["por_modo"]["transporte_publico"]["dentro_60"] == 7000.0
    assert said["unidades_saturadas"] == {"actual": 2, "plan": 2}
    assert said["unidades_por_funcion"] == {"hospital": 1, "movil": 1, "primer_nivel": 2}
    assert said["poblacion_total"] == 11100
    plan = said["plan"]
    assert (plan["numero"], plan["costo_anual"], plan["costo_inversion"], plan["personas"]) == (2, 6.4e6, 10e6, 800.0)
    assert plan["brecha_ponderada_cerrada"] == pytest.approx(500 * 0.7 * 2 + 300 * 0.7 * 0.25 * 1.75)
    assert (plan["cota_superior"], plan["brecha_optimalidad"], plan["estado"]) == (1250.0, 0.2, "con brecha")
    assert [(k, v["numero"]) for k, v in plan["por_tipo"].items()] == [("umr", 1), ("umm", 1)]
    assert plan["personas_apoyo_hospital"] == 0.0
    assert said["opciones_por_tipo"]["umr"] == {"numero": 1, "costo_anual": 3.8e6, "costo_inversion": 8e6}
    assert list(said["por_grado"]) == [*schema.GRADES, "sin dato"]
    assert said["por_municipio"]["99001"]["nombre"] == "Uno"


def test_same_numbers_whatever_the_order_of_rows() -> None:
    base = region()
    shuffled = replace(base, localities=base.localities.iloc[[3, 1, 5, 0, 4, 2]], units=base.units.iloc[::-1])
    assert outcome(base).indicators == outcome(shuffled).indicators


def test_concentration_index_by_the_covariance() -> None:
    rng = np.random.default_rng(7)
    access, irs, people = rng.random(50), rng.permutation(50).astype(float), rng.random(50) * 100
    order = np.argsort(-irs)
    w, h = people[order] / people.sum(), access[order]
    rank = np.cumsum(w) - w / 2
    mean = float(w @ h)
    truth = 2 / mean * float(w @ ((h - mean) * (rank - w @ rank)))
    assert concentration_index(access, irs, people) == pytest.approx(truth)
    assert concentration_index(np.full(50, 0.4), irs, people) == pytest.approx(0.0)
    assert concentration_index(access, np.zeros(50), people) == pytest.approx(0.0)
    assert concentration_index(np.zeros(50), irs, people) is None
    assert concentration_index(irs.max() - irs, irs, people) > 0  # type: ignore[operator]


def by_person(access: np.ndarray, deprivation: np.ndarray, people: np.ndarray) -> float:
    """The ratio told person by person, where people are whole, a multiple of ten in all, and no cut falls among equals."""
    order = sorted(((-d, a) for a, d, n in zip(access, deprivation, people, strict=True) for _ in range(int(n))), key=lambda pair: pair[0])
    reached = [a for _, a in order]
    many, few = len(reached) * 4 // 10, len(reached) // 10
    return float(np.mean(reached[-few:]) / np.mean(reached[:many]))


def test_palma_ratio_by_hand_and_person_by_person() -> None:
    # Of 100 people the most deprived 40 are the 30 of the first place and 10 of the second; the least deprived 10, half of the last.
    access, irs, people = np.array([0.2, 0.5, 0.9]), np.array([2.0, 0.0, -1.0]), np.array([30.0, 50.0, 20.0])
    assert palma_ratio(access, irs, people) == pytest.approx(0.9 / ((30 * 0.2 + 10 * 0.5) / 40))
    # The last place cut: 4 of the 10 are its own, 6 are of the middle one.
    assert palma_ratio(access, irs, np.array([30.0, 66.0, 4.0])) == pytest.approx(
        ((4 * 0.9 + 6 * 0.5) / 10) / ((30 * 0.2 + 10 * 0.5) / 40))
    rng = np.random.default_rng(3)
    for _ in range(20):
        n = rng.integers(1, 12, 12)
        n[0] += -n.sum() % 10
        a, d = rng.random(12).round(3), rng.permutation(12).astype(float)
        assert palma_ratio(a, d, n.astype(float)) == pytest.approx(by_person(a, d, n))


def test_palma_ratio_minds_neither_rows_nor_scale_and_shares_among_equals() -> None:
    rng = np.random.default_rng(5)
    access, irs, people = rng.random(40), rng.integers(0, 5, 40).astype(float), rng.random(40) * 50
    found = palma_ratio(access, irs, people)
    assert found is not None
    for _ in range(5):
        order = rng.permutation(40)
        assert palma_ratio(access[order], irs[order], people[order]) == pytest.approx(found, rel=1e-12)
    assert palma_ratio(access / 2, irs, people * 3) == pytest.approx(found)
    assert palma_ratio(np.full(40, 0.3), irs, people) == pytest.approx(1.0)
    assert palma_ratio(access, np.zeros(40), people) == pytest.approx(1.0)  # all equally deprived: one group
    pooled = [np.average(access[irs == k], weights=people[irs == k]) for k in range(5)]
    assert palma_ratio(np.array(pooled), np.arange(5.0), np.bincount(irs.astype(int), people)) == pytest.approx(found)


def test_palma_ratio_leaves_out_what_is_unknown_and_may_be_undefined() -> None:
    access, irs, people = np.array([0.2, np.nan, 0.9, 0.4]), np.array([2.0, 1.0, np.nan, -1.0]), np.array([50.0, 30.0, 10.0, 50.0])
    assert palma_ratio(access, irs, people) == pytest.approx(0.4 / 0.2)
    assert palma_ratio(access, irs, np.array([0.0, 30.0, 10.0, 0.0])) is None  # nobody of whom both are known
    assert palma_ratio(np.array([0.0, 0.9]), np.array([1.0, 0.0]), np.array([40.0, 60.0])) is None
    assert palma_ratio(np.array([0.5, 0.0]), np.array([1.0, 0.0]), np.array([40.0, 60.0])) == 0.0


def test_the_ratio_of_the_valley_is_that_of_its_table() -> None:
    found = outcome(region())
    places = pd.DataFrame(found.localities)
    assert found.indicators["razon_palma"].keys() == {"actual", "plan"}
    for when, suffix in (("actual", ""), ("plan", "_plan")):
        known = places[places[f"gap_share{suffix}"].notna() & places["irs"].notna()].sort_values("irs", ascending=False)
        held = known.groupby("irs", sort=False)[["people"]].sum().assign(
            access=(known["people"] * (1 - known[f"gap_share{suffix}"])).groupby(known["irs"], sort=False).sum())
        whole, parts = held["people"].sum(), {}
        for name, low, high in (("many", 0.0, 0.4), ("few", 0.9, 1.0)):
            start = held["people"].cumsum() - held["people"]
            inside = (np.minimum(start + held["people"], high * whole) - np.maximum(start, low * whole)).clip(lower=0)
            parts[name] = float((inside / held["people"] * held["access"]).sum() / ((high - low) * whole))
        assert found.indicators["razon_palma"][when] == pytest.approx(parts["few"] / parts["many"])


def test_percentile_counts_the_unreachable_and_nobody_has_none() -> None:
    assert weighted_percentile(np.array([1.0, np.inf]), np.array([90.0, 10.0]), 0.9) == 1.0
    assert weighted_percentile(np.array([1.0, np.inf]), np.array([89.0, 11.0]), 0.9) is None
    assert weighted_percentile(np.array([1.0]), np.array([0.0]), 0.9) is None
    assert weighted_percentile(np.arange(10.0), np.full(10, 0.1), 0.9) == 8.0


def test_groups_live_where_their_locality_lives() -> None:
    found = outcome(region(), served=[])
    name, export, _ = schema.GROUPS[0]
    places = found.localities
    block = found.indicators["por_grupo"][export]["actual"]
    assert block["poblacion"] == places[name].sum()
    assert block["hospital_120"] == places.loc[[A, B, C, D], name].sum()
    assert block["personas_equiv"] == pytest.approx((places[name] * places["gap_share"]).sum())
    assert set(places["hospital_clues"].dropna()) == {HOSPITAL}
