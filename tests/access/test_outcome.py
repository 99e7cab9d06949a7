"""What a plan changes, by hand on the valley, and what no plan may break."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import valley
from hypothesis import given, settings
from hypothesis import strategies as st
from valley_travel import MOBILE, SEATS, U1, U2, A, B, C, D, E, F, travel

from planner import columns, schema
from planner.access.gap import STATES, compute_access
from planner.access.outcome import evaluate
from planner.model import Access, Option, Outcome, Plan, Region, Solution
from planner.settings import Scenario

CROWDED = Scenario(capacity_people_per_nucleo=1000.0)
SERVES = pd.DataFrame(columns=["cvegeo", "tier", "minutes", "available", "gain", "people", "weighted"])
UMR = Option("umr-F", "umr", F, "F", 8e6, 3.8e6, 3000.0, SERVES, "lejos")
NUCLEO = Option("nucleo-1", "nucleo", U1, "Unidad uno", 3.5e6, 1.9e6, 1500.0, SERVES, "saturada")
UMM = Option("umm-1", "umm", U2, "Unidad dos", 2e6, 2.6e6, 2400.0, SERVES, "dispersas", stops=(D, E), visits_month=2.0)
Row = tuple[str, str, str, float, float]


def plan(rows: list[Row], *options: Option, chosen: tuple[str, ...] | None = None) -> Plan:
    served = pd.DataFrame(rows, columns=["option", "cvegeo", "tier", "people", "minutes"])
    ids = tuple(sorted(o.id for o in options)) if chosen is None else chosen
    return Plan(options, ids, served, Solution(1.0, 1.0, "óptimo", "a mano"))


def outcome(rows: list[Row], *options: Option, scenario: Scenario = CROWDED, region: Region | None = None, **more: object) -> Outcome:
    region = region or valley.region()
    times = travel(region)
    return evaluate(region, times, compute_access(region, times, scenario), plan(rows, *options, **more), scenario)  # type: ignore[arg-type]


def test_a_plan_that_does_nothing_changes_nothing() -> None:
    found = outcome([])
    today = pd.DataFrame(found.localities[[n for n in schema.ACCESS.names() if n != "assigned"]])
    after = pd.DataFrame(found.localities.filter(regex="_plan$")).rename(columns=lambda c: c.removesuffix("_plan"))
    pd.testing.assert_frame_equal(after, today, check_exact=True)
    assert found.localities["intervention"].isna().all()
    assert (found.units["load_plan"] == found.units["load"]).all()
    assert found.proposals.empty
    assert found.violations == ()


R1, R2 = 1000 / (0.67 * 3380), 2000 / (0.67 * 4670)


def test_valley_by_hand() -> None:
    rows = [("umr-F", F, "sin_servicio", 1200 * (1 - R1), 0.0), ("umr-F", F, "con_servicio", 1200 * R1, 0.0),
            ("umr-F", D, "sin_servicio", 100.0, 50.0), ("nucleo-1", A, "sin_servicio", 500.0, 24.0),
            ("nucleo-1", B, "sin_servicio", 60.0, 36.0), ("umm-1", E, "sin_servicio", 50.0, 30.0),
            ("umm-1", D, "sin_servicio", 200.0, 45.0)]
    found = outcome(rows, UMR, NUCLEO, UMM)
    assert found.violations == ()
    at = found.localities.loc
    # F: everybody at 0 minutes; today sigma R1 and ramp 0.25
    assert at[F, ["access_plan", "sufficiency_plan", "served_plan", "uncovered_plan"]].tolist() == pytest.approx([1, 1, 1200, 0])
    assert at[F, "gap_share_plan"] == pytest.approx(0.3)
    assert at[F, ["first_level_min_plan", "first_level_clues_plan", "assigned_min_plan"]].tolist() == [0.0, "umr-F", 0.0]
    # D: 100 at 50 min (ramp 2/3, with their two visits), 200 with four visits, 100 as today
    lacking = (100 * (1 / 3) * 0.75 + 200 * 0.5 + 100 * 0.75) / 400
    assert at[D, "gap_share_plan"] == pytest.approx(0.7 * lacking + 0.15)
    assert at[D, "visits_month_plan"] == pytest.approx(2 + 200 * 2 / 400)
    assert at[D, ["served_plan", "uncovered_plan", "access_plan", "sufficiency_plan"]].tolist() == pytest.approx([100, 300, 1 / 6, 0.25])
    assert at[D, ["first_level_min_plan", "first_level_clues_plan"]].tolist() == [40.0, U1]
    # A: 500 more at full access and room; E: 50 with two visits, still nobody within reach
    assert at[A, "access_plan"] == pytest.approx(R1 + 0.25)
    assert at[A, ["served_plan", "covered_unserved_plan"]].tolist() == pytest.approx([2000 * R1 + 500, 2000 * (1 - R1) - 500])
    assert at[E, "gap_share_plan"] == pytest.approx(at[E, "gap_share"] - 0.7 * 0.25 * 50 / 250)
    assert at[E, "uncovered_plan"] == 250.0
    # C: untouched
    assert at[C, "score_plan"] == at[C, "score"]
    # B: the second nucleo of U1 takes B's people of U1, not of U2
    assert at[B, "served_plan"] == pytest.approx(at[B, "served"] + 60)
    assert at[B, "access_plan"] == pytest.approx(at[B, "access"] + 0.1 * 0.9)
    units = found.units.loc
    assert units[U1, "capacity_plan"] == 2000.0
    assert units[U1, "load_plan"] == pytest.approx(0.67 * (3380 - 1200))
    assert units[U1, "rho_plan"] == 1.0
    assert units[U2, ["load_plan", "rho_plan"]].tolist() == units[U2, ["load", "rho"]].tolist()


def test_what_the_proposals_close_is_what_the_region_gains() -> None:
    rows = [("umr-F", F, "sin_servicio", 500.0, 0.0), ("umm-1", D, "sin_servicio", 300.0, 45.0),
            ("nucleo-1", A, "sin_servicio", 900.0, 24.0)]
    found = outcome(rows, UMR, NUCLEO, UMM)
    total = found.localities[["weighted_gap", "weighted_gap_plan"]].sum()
    assert found.proposals["weighted"].sum() == pytest.approx(total["weighted_gap"] - total["weighted_gap_plan"])
    assert found.proposals.loc["umr-F", "weighted"] == pytest.approx(500 * 0.7 * 2)
    assert found.proposals.loc["umm-1", "weighted"] == pytest.approx(300 * 0.7 * 0.25 * 1.75)
    assert found.proposals["people"].to_dict() == {"nucleo-1": 900.0, "umm-1": 300.0, "umr-F": 500.0}
    columns.check(schema.PROPOSALS, found.proposals, "propuestas")
    assert found.proposals["cvegeo"].dropna().to_dict() == {"umr-F": F}
    assert found.proposals["clues"].dropna().to_dict() == {"nucleo-1": U1, "umm-1": U2}
    region = valley.region()
    assert found.proposals.crs == region.crs
    assert found.proposals.geometry["umr-F"].equals(region.localities.geometry[F])
    assert found.proposals.geometry["umm-1"].equals(region.units.geometry[U2])


def test_who_is_taken_within_and_beyond_reach() -> None:
    """People of A have a unit near without room: a farther new unit serves them better, and their state does not fall."""
    far = outcome([("umr-F", A, "sin_servicio", 100.0, 80.0)], UMR)
    for state in STATES:
        assert far.localities.at[A, f"{state}_plan"] == pytest.approx(far.localities.at[A, state])
    assert far.localities.at[A, "gap_share_plan"] < far.localities.at[A, "gap_share"]
    near = outcome([("umr-F", B, "sin_servicio", 100.0, 45.0)], UMR)
    assert near.localities.at[B, "served_plan"] == pytest.approx(near.localities.at[B, "served"] + 100)
    left = near.units["load"] - near.units["load_plan"]
    sin = {U1: 0.3 * (1 - R1), U2: 0.7 * (1 - R2)}
    assert left[[U1, U2]].tolist() == pytest.approx([67 * sin[u] / sum(sin.values()) for u in (U1, U2)])


def test_words_for_people_on_the_ground() -> None:
    scenario = Scenario(capacity_people_per_nucleo=1000.0, reach_hospital_min=100.0)
    found = outcome([("umr-F", F, "sin_servicio", 500.0, 0.0)], UMR, scenario=scenario).localities
    assert found.at[F, "intervention"] == "UMR nueva (umr-F)"
    assert found.at[F, "reason"] == ("a 75.0 min del primer nivel fijo más cercano (umbral 60), el plan atiende a 500 de 1,200 personas, "
                                     "rezago muy alto")
    assert found.at[D, "reason"] == "valorar CARO, ambulancia o albergue: a 120.0 min del hospital más cercano (umbral 100)"
    assert pd.isna(found.at[A, "reason"])
    region = valley.region()
    few = region.localities["uninsured"].where(region.localities.index != E, 49.0).where(region.localities.index != D, 50.0)
    alone = replace(region, localities=region.localities.assign(uninsured=few))
    times = travel(alone, {})
    words = evaluate(alone, times, compute_access(alone, times, CROWDED), plan([]), CROWDED).localities["reason"]
    assert words.dropna().to_dict() == {E: "valorar en campo: menos de 50 personas y a más de 180 min de una unidad fija"}


@pytest.mark.parametrize(("rows", "options", "scenario", "said"), [
    ([], (UMR,), Scenario(budget_mxn_year=3e6), "El plan rebasa el presupuesto anual: 3,800,000 de 3,000,000 MXN con umr-F."),
    ([], (UMR, NUCLEO), Scenario(capital_mxn=1e6), "El plan rebasa el tope de inversión: 11,500,000 de 1,000,000 MXN con nucleo-1, umr-F."),
    ([], (UMM,), Scenario(allow=("umr",)), "El plan elige intervenciones que el escenario no permite umm-1."),
    ([("umr-F", F, "sin_servicio", 600.0, 0.0)], (replace(UMR, capacity_people=500.0),), CROWDED, "El plan rebasa la capacidad de umr-F."),
    ([("umr-F", F, "sin_servicio", 700.0, 0.0)], (UMR,), CROWDED, f"El plan cuenta personas más de una vez en {F}."),
    ([("umr-F", F, "sin_servicio", 10.0, 0.0), ("umr-F", F, "con_servicio", 10.0, 0.0)], (UMR,), CROWDED,
     f"El plan atiende a quien ya tiene servicio antes que a quien no lo tiene en {F}."),
    ([("umm-1", F, "sin_servicio", 10.0, 30.0)], (UMM,), CROWDED, f"El plan atiende fuera de las paradas con umm-1 en {F}."),
    ([("umr-F", F, "sin_servicio", 10.0, 5.0)], (UMR,), CROWDED, f"El plan usa minutos que no son los del traslado en umr-F en {F}."),
    ([("nucleo-1", C, "sin_servicio", 10.0, 5.0)], (NUCLEO,), CROWDED,
     f"El plan usa minutos que no son los del traslado en nucleo-1 en {C}."),
    ([], (replace(UMR, place=A),), CROWDED, "El plan pone una UMR demasiado cerca de una unidad fija: umr-F."),
    ([], (UMR, replace(UMR, id="umr-E", place=E)), Scenario(umr_spacing_min=60.0), None),
    ([], (UMR, replace(UMR, id="umr-D", place=D)), Scenario(umr_spacing_min=40.0), None),
    ([], (UMR, replace(UMR, id="umr-D", place=D)), Scenario(umr_spacing_min=51.0),
     "El plan pone una UMR demasiado cerca de una unidad fija: umr-D. El plan pone UMR demasiado cerca entre sí: umr-D, umr-F."),
    ([("umr-F", A, "sin_servicio", 2000 * (1 - R1), 80.0), ("umr-F", A, "con_servicio", 5.0, 80.0)], (UMR,), CROWDED,
     f"El plan empeora a personas de {A}."),
])
def test_broken_rules_are_told_in_words(rows: list[Row], options: tuple[Option, ...], scenario: Scenario, said: str | None) -> None:
    assert " ".join(outcome(rows, *options, scenario=scenario).violations) == (said or "")


RUTA = replace(UMM, id="ruta-3-a", kind="ruta", place=MOBILE, stops=(D, E), annual_mxn=0.0, capital_mxn=0.0)


@pytest.mark.parametrize(("rows", "options", "scenario", "said"), [
    ([("ruta-3-a", E, "sin_servicio", 50.0, 30.0)], (RUTA,), CROWDED, None),
    ([("ruta-3-a", D, "sin_servicio", 50.0, 30.0)], (RUTA,), CROWDED, f"El plan cuenta otra vez las paradas de hoy con ruta-3-a en {D}."),
    ([], (RUTA, replace(RUTA, id="ruta-3-b")), CROWDED, f"El plan amplía más de una vez la ruta de {MOBILE}."),
    ([("ruta-3-a", E, "sin_servicio", 50.0, 30.0)], (RUTA,), CROWDED.model_copy(update={"umm_people_max": 449.0}),
     "El plan no tiene lugar, junto a la gente de hoy, para la de ruta-3-a."),
    ([("ruta-3-a", E, "sin_servicio", 50.0, 30.0)], (RUTA,), CROWDED.model_copy(update={"umm_people_max": 450.0}), None),
])
def test_what_extends_a_circuit_counts_what_it_adds_once_and_within_its_room(
    rows: list[Row], options: tuple[Option, ...], scenario: Scenario, said: str | None
) -> None:
    today = pd.DataFrame([(MOBILE, D, 2.0)], columns=["clues", "cvegeo", "visits_month"])
    found = outcome(rows, *options, scenario=scenario, region=replace(valley.region(), circuits=today))
    assert " ".join(found.violations) == (said or "")
    assert (found.localities["visits_month_plan"] >= found.localities["visits_month"]).all()


def test_options_that_were_not_chosen_are_told() -> None:
    found = outcome([("umr-F", F, "sin_servicio", 10.0, 0.0)], UMR, chosen=("umr-X",))
    assert found.violations == (
        "El plan elige opciones que no están entre las factibles umr-X.", "El plan atiende con opciones no elegidas umr-F.")


@st.composite
def fair_plans(draw: st.DrawFn, access: Access) -> list[Row]:
    """People taken by tier in any amount: unserved first, and nobody by a unit that is worse for him."""
    rows: list[Row] = []
    part = st.sampled_from([0.0, 0.25, 0.5, 1.0]) | st.floats(0, 1)
    for c, row in access.localities.iterrows():
        free = row["people"] * (1 - row["sufficiency"])
        own = access.shares[(access.shares["cvegeo"] == c) & (access.shares["clues"] == U1)]
        everybody = draw(st.booleans())
        first = float((own["share"] * (1 - own["rho"])).sum() * row["people"]) if len(own) else 0.0
        if first > 0:
            rows.append(("nucleo-1", str(c), "sin_servicio", first * (1.0 if everybody else draw(part)), float(own["minutes"].iloc[0])))
            free -= rows[-1][3]
        if (c, F) in SEATS:
            rows.append(("umr-F", str(c), "sin_servicio", free * (1.0 if everybody else draw(part)), float(SEATS[str(c), F])))
            free -= rows[-1][3]
            if everybody and c == F:
                rows.append(("umr-F", F, "con_servicio", row["people"] * row["sufficiency"] * draw(part), 0.0))
        if c in UMM.stops:
            rows.append(("umm-1", str(c), "sin_servicio", max(free, 0.0) * draw(part), 30.0))
    return rows


@settings(max_examples=12, deadline=None)
@given(st.data(), st.sampled_from([300.0, 1000.0, 2300.0]), st.booleans())
def test_no_plan_worsens_anybody_or_loses_people(data: st.DataObject, capacity: float, reverse: bool) -> None:
    scenario = Scenario(capacity_people_per_nucleo=capacity)
    region = valley.region()
    if reverse:
        region = replace(region, localities=region.localities.iloc[::-1])
    times = travel(region)
    access = compute_access(region, times, scenario)
    rows = data.draw(fair_plans(access))
    roomy = [replace(o, capacity_people=1e6) for o in (UMR, NUCLEO, UMM)]
    found = evaluate(region, times, access, plan(rows, *roomy), scenario)
    assert found.violations == ()
    after = found.localities
    for column in ("gap_share", "score", "equivalent_people", "weighted_gap", "first_level_min", "uncovered"):
        assert (after[f"{column}_plan"] <= after[column] + 1e-9).all(), column
    for column in ("served", "access", "sufficiency", "visits_month"):
        assert (after[f"{column}_plan"] >= after[column] - 1e-9).all(), column
    assert after[[f"{s}_plan" for s in STATES]].sum(axis=1).tolist() == pytest.approx(after["people"].tolist())
    assert (after[[f"{s}_plan" for s in STATES]] >= 0).all(axis=None)
    closed = after["weighted_gap"].sum() - after["weighted_gap_plan"].sum()
    assert found.proposals["weighted"].sum() == pytest.approx(closed, abs=1e-6)
    assert (found.units["load_plan"] <= found.units["load"] + 1e-9).all()
    again = evaluate(region, times, access, plan(rows[::-1], *roomy), scenario)
    pd.testing.assert_frame_equal(pd.DataFrame(again.localities), pd.DataFrame(after), check_exact=True)


def test_unknown_travel_stays_unknown_and_inputs_stay_as_they_were() -> None:
    region = valley.region()
    times = travel(region, unknown=(A,))
    access = compute_access(region, times, CROWDED)
    kept = access.localities.copy(), access.shares.copy(), region.localities.copy()
    decided = plan([("umr-F", F, "sin_servicio", 500.0, 0.0)], UMR)
    served = decided.served.copy()
    after = evaluate(region, times, access, decided, CROWDED).localities
    assert np.isnan(after.at[A, "gap_share_plan"])
    assert np.isnan(after.at[A, "first_level_min_plan"])
    assert pd.isna(after.at[A, "coverage_plan"])
    for now, before in zip((access.localities, access.shares, region.localities, decided.served), (*kept, served), strict=True):
        pd.testing.assert_frame_equal(pd.DataFrame(now), pd.DataFrame(before))
