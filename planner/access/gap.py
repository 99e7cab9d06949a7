"""The gap score of today: demand assigned once, capped by capacity, far from the hospital or near it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from planner import schema
from planner.access.assignment import assign
from planner.access.dispersed import dispersed_people
from planner.access.people import target_people
from planner.model import Access, Region, Travel
from planner.settings import Scenario
from planner.travel.times import surface_in_mode

TIERS = ("sin_servicio", "con_servicio")  # of a locality's people: who find no room in their unit, and who do
HOSPITAL_TIER = "lejos_del_hospital"  # the same people once more where only the hospital is far: that part of their gap
OWN_KINDS = ("nucleo", "plaza")  # what gives a unit room for its own people
MOBILE_KINDS = ("umm", "brigada", "ruta")
HOSPITAL_KINDS = ("caro", "ambulancia")
STATES = ["served", "covered_unserved", "uncovered"]  # columns of people, best first, as in schema.COVERAGE


def compute_access(region: Region, travel: Travel, scenario: Scenario) -> Access:
    """Access of every locality and load of every unit before any decision, each part of the score kept.

    Where travel is unknown, minutes, score and coverage are missing and the people count as uncovered; where the grade
    of rezago is unknown the weight and the score are missing; neither is ever 0.
    """
    people = target_people(region.localities, scenario)
    shares = assign(region, travel, scenario)
    units = unit_loads(region.units, shares, people, scenario)
    fixed = shares["kind"] == "fija"
    reach = ramp(shares["minutes"], scenario.ramp_first_level_good_min, scenario.ramp_first_level_none_min)
    shares = shares.assign(ramp=reach.where(fixed, 0.0), rho=shares["clues"].map(units["rho"]).astype(float).where(fixed, 0.0))
    dispersed = None
    if region.grid.people is not None:
        today = surface_in_mode(lambda way: travel.surfaces["primer_nivel", way], scenario)
        dispersed = dispersed_people(region, today.minutes, scenario)
    return Access(_localities(region, travel, scenario, people, shares), shares, units, dispersed)


def ramp(minutes: pd.Series, good_min: float, none_min: float) -> pd.Series:
    """Access left after so many minutes: 1 up to `good_min`, 0 from `none_min`, straight between; NaN stays NaN.

    >>> ramp(pd.Series([0.0, 30.0, 75.0, 90.0, np.inf]), 30, 90).tolist()
    [1.0, 1.0, 0.25, 0.0, 0.0]
    """
    return ((none_min - minutes) / (none_min - good_min)).clip(0.0, 1.0)


def mobile_credit(visits_month: pd.Series, scenario: Scenario) -> pd.Series:
    """Part m of the first-level gap that so many mobile visits a month close."""
    return (visits_month / scenario.mobile_visits_full).clip(upper=scenario.mobile_credit_max)


def hospital_after(kind: pd.Series, minutes: pd.Series, today: pd.Series, scenario: Scenario) -> pd.Series:
    """Access to the hospital (f2) of people whom an option of this kind takes, so many minutes from its unit; never below today's.

    caro: the larger of today's and caro_credit x ramp(minutes); ambulancia: ambulance_credit of what is missing, within its
    reach; any other kind: today's.

    >>> far = pd.Series([0.25, 0.25, 0.25])
    >>> hospital_after(pd.Series(["caro", "ambulancia", "umr"]), pd.Series([90.0, 60.0, 0.0]), far, Scenario()).tolist()
    [0.375, 0.625, 0.25]
    """
    centre = scenario.caro_credit * ramp(minutes, scenario.ramp_hospital_good_min, scenario.ramp_hospital_none_min)
    fetched = today + scenario.ambulance_credit * (1.0 - today) * (minutes <= scenario.ambulance_reach_min)
    after: pd.Series = today.mask(kind == "caro", np.maximum(today, centre)).mask(kind == "ambulancia", fetched)
    return after


def unit_loads(units: pd.DataFrame, shares: pd.DataFrame, people: pd.Series, scenario: Scenario) -> pd.DataFrame:
    """Load, capacity, sufficiency (rho) and universe of work of every unit; schema.UNIT_RESULTS.

    A hospital that answers for localities has no nuclei to count: its capacity is unlimited (`inf`). A mobile unit has
    the users among the people of one circuit as capacity and no rho; a unit that attends nobody has neither.
    """
    rows = shares.assign(people=shares["cvegeo"].map(people).astype(float) * shares["share"]).groupby("clues")
    universe = rows.agg(population=("people", "sum"), localities=("cvegeo", "nunique")).reindex(units.index, fill_value=0)
    load = scenario.utilisation * universe["population"]
    capacity = unit_capacity(units["role"], units["nuclei"], scenario)
    rho = sufficiency(load, capacity, units["role"], scenario)
    out = pd.DataFrame({"load": load, "capacity": capacity, "rho": rho, **universe})
    return out[schema.UNIT_RESULTS.names()]


def unit_capacity(role: pd.Series, nuclei: pd.Series, scenario: Scenario) -> pd.Series:
    """People who may use each unit in a year, by its role and nuclei."""
    fixed = (nuclei * scenario.capacity_people_per_nucleo).astype(float)
    by_role = role.map({"hospital": np.inf, "movil": scenario.umm_people_max * scenario.utilisation, "ninguno": 0.0}).astype(float)
    return fixed.where(role == "primer_nivel", by_role)


def sufficiency(load: pd.Series, capacity: pd.Series, role: pd.Series, scenario: Scenario) -> pd.Series:
    """rho: the part of its load that each fixed unit can attend; 1 without load, NaN for units that are not fixed."""
    enough = (load <= capacity) | scenario.unlimited_capacity
    rho = (capacity / load.where(load > 0, 1.0)).where(~enough, 1.0)
    return rho.where(role.isin(("primer_nivel", "hospital")))


def gap_columns(gap_share: pd.Series, people: pd.Series, need_weight: pd.Series, scenario: Scenario) -> pd.DataFrame:
    """Score, equivalent people and weighted gap that follow from the share D of care that is missing."""
    equivalent = people * gap_share
    return pd.DataFrame({
        "people": people, "gap_share": gap_share, "need_weight": need_weight,
        "score": 100.0 * gap_share * need_weight / (1.0 + scenario.need_lambda),
        "equivalent_people": equivalent, "weighted_gap": equivalent * need_weight})


def coverage_state(states: pd.DataFrame) -> pd.Series:
    """The coverage of most people, from the columns STATES; of equal parts the better one."""
    names = dict(zip(STATES, schema.COVERAGE, strict=True))
    return states[STATES].idxmax(axis=1).map(names)


def _localities(region: Region, travel: Travel, scenario: Scenario, people: pd.Series, shares: pd.DataFrame) -> pd.DataFrame:
    index = region.localities.index
    first = travel.nearest["primer_nivel", scenario.mode_first_level].reindex(index)
    hospital = travel.nearest["hospital", scenario.mode_hospital].reindex(index)
    parts = shares.assign(sufficiency=shares["share"] * shares["rho"])
    parts["access"] = parts["sufficiency"] * parts["ramp"]
    summed = parts.groupby("cvegeo")[["sufficiency", "access"]].sum().reindex(index, fill_value=0.0).clip(0.0, 1.0)
    unknown = first["minutes"].isna() | index.isin(parts.loc[parts["access"].isna(), "cvegeo"])
    access = summed["access"].where(~unknown)
    visits = _visits(region, shares, scenario)
    hospital_access = ramp(hospital["minutes"], scenario.ramp_hospital_good_min, scenario.ramp_hospital_none_min)
    credit = mobile_credit(visits, scenario)
    lacking = (1.0 - access) * (1.0 - credit)
    gap_share = scenario.weight_first_level * lacking + (1.0 - scenario.weight_first_level) * (1.0 - hospital_access)
    need = region.localities["irs_grade"].map(scenario.need.by_grade()).astype(float)
    states = _states(shares, index, scenario)
    out = pd.DataFrame({
        **_assigned(shares, index),
        "first_level_min": first["minutes"], "first_level_clues": first["clues"],
        "hospital_min": hospital["minutes"], "hospital_clues": hospital["clues"],
        "sufficiency": summed["sufficiency"], "access": access, "hospital_access": hospital_access, "visits_month": visits,
        "mobile_credit": credit, "first_level_gap": lacking,
        **gap_columns(gap_share, people, 1.0 + scenario.need_lambda * need, scenario),
        **states.mul(people, axis=0), "coverage": coverage_state(states).where(~unknown)}, index=index)
    return out[schema.ACCESS.names()]


def _states(shares: pd.DataFrame, index: pd.Index, scenario: Scenario) -> pd.DataFrame:
    """Part of each locality in each state of coverage; what no fixed unit within reach answers for is uncovered."""
    near = shares[(shares["kind"] == "fija") & (shares["minutes"] <= scenario.reach_first_level_min)]
    near = near.assign(served=near["share"] * near["rho"], covered_unserved=near["share"] * (1.0 - near["rho"]))
    out = near.groupby("cvegeo")[STATES[:2]].sum().reindex(index, fill_value=0.0)
    out["served"] = out["served"].clip(0.0, 1.0)
    out["covered_unserved"] = np.minimum(out["covered_unserved"], 1.0 - out["served"])
    return out.assign(uncovered=1.0 - out["served"] - out["covered_unserved"])


def _assigned(shares: pd.DataFrame, index: pd.Index) -> dict[str, pd.Series]:
    """The unit with the largest part of each locality (ties: lowest id) and the minutes to it."""
    whole = shares.groupby(["cvegeo", "clues"], as_index=False).agg(share=("share", "sum"), minutes=("minutes", "first"))
    largest = whole.sort_values(["cvegeo", "share", "clues"], ascending=[True, False, True]).drop_duplicates("cvegeo")
    largest = largest.set_index("cvegeo").reindex(index)
    return {"assigned": largest["clues"], "assigned_min": largest["minutes"]}


def _visits(region: Region, shares: pd.DataFrame, scenario: Scenario) -> pd.Series:
    """Mobile visits a month: today's circuits, and the usual ones where a responsible mobile unit lists no stop there."""
    index = region.localities.index
    mobile = shares.loc[shares["kind"] == "movil", ["cvegeo", "clues"]]
    if region.circuits is None:
        return _usual(mobile, index, scenario)
    stops = region.circuits.groupby(["cvegeo", "clues"])["visits_month"].sum()
    unlisted = mobile[~pd.MultiIndex.from_frame(mobile).isin(stops.index)]
    return _usual(unlisted, index, scenario).add(stops.groupby("cvegeo").sum().reindex(index, fill_value=0.0))


def _usual(mobile: pd.DataFrame, index: pd.Index, scenario: Scenario) -> pd.Series:
    return pd.Series(np.where(index.isin(mobile["cvegeo"]), scenario.mobile_visits_existing, 0.0), index=index)
