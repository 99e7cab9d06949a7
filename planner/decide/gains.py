"""What one person served is worth: the tiers of every locality and the gap each kind of service closes.

Of the N target people of a locality, N (1 - sigma) find no room in their unit (`sin_servicio`, e = 0) and N sigma do
(`con_servicio`, e / sigma each), so the mean is the locality's e. A fixed service gives a person e' = ramp(minutes) with
room for all it takes; a mobile one raises m to min(credit, visits / full). A gain is a weighted gap closed, a person.
Where the first level is near and the hospital far, all N are counted once more (`lejos_del_hospital`) for the hospital's part of
the gap, which adds to that of the first level: who has a place in a unit may also be fetched by an ambulance.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from planner.access.gap import HOSPITAL_KINDS, HOSPITAL_TIER, TIERS, hospital_after, mobile_credit, ramp
from planner.access.people import far_from_hospital
from planner.kinds import Kind
from planner.model import Access
from planner.settings import Scenario


def hospital_kinds(scenario: Scenario) -> tuple[Kind, ...]:
    """The kinds of hospital support that the scenario allows and prices.

    >>> hospital_kinds(Scenario(cost_ambulance_capital_mxn=1.5e6, cost_ambulance_annual_mxn=1.8e6, cost_caro_annual_mxn=6e6))
    ('ambulancia',)
    """
    prices = {"caro": (scenario.cost_caro_capital_mxn, scenario.cost_caro_annual_mxn),
              "ambulancia": (scenario.cost_ambulance_capital_mxn, scenario.cost_ambulance_annual_mxn)}
    return tuple(k for k in scenario.allow if k in HOSPITAL_KINDS and None not in prices[k])


def people_tiers(access: Access, scenario: Scenario) -> pd.DataFrame:
    """Long table of people by cvegeo and tier (unserved first): people, access (e), visits, credit (m), hospital (f2), weight.

    Localities whose gap is unknown (no travel, no grade of rezago) and empty tiers have no row; the tier of the hospital is
    there only if the scenario may support it. There `access` is 1: no service of first level closes anything of it.
    """
    known = access.localities[access.localities["weighted_gap"].notna()].sort_index()
    room = known["sufficiency"].clip(0.0, 1.0)
    shared = {"visits": known["visits_month"], "credit": mobile_credit(known["visits_month"], scenario),
              "hospital": known["hospital_access"], "weight": known["need_weight"]}
    served_access = (known["access"] / room.where(room > 0)).clip(0.0, 1.0)
    unserved = pd.DataFrame({"tier": TIERS[0], "people": known["people"] * (1 - room), "access": 0.0, **shared})
    served = pd.DataFrame({"tier": TIERS[1], "people": known["people"] * room, "access": served_access, **shared})
    tiers = [unserved, served]
    if hospital_kinds(scenario):
        far = pd.DataFrame({"tier": HOSPITAL_TIER, "people": known["people"], "access": 1.0, **shared})
        tiers.append(far[far_from_hospital(known, scenario)])
    every = pd.concat(tiers).rename_axis("cvegeo").sort_index(kind="stable").reset_index()
    return every[every["people"] > 0].reset_index(drop=True)


def fixed_gain(tiers: pd.DataFrame, minutes: pd.Series, scenario: Scenario) -> pd.Series:
    """Weighted gap closed per person whom a fixed unit with room takes: a (1 - m) (ramp(minutes) - e)+ w."""
    reached = ramp(minutes, scenario.ramp_first_level_good_min, scenario.ramp_first_level_none_min)
    return scenario.weight_first_level * (1 - tiers["credit"]) * (reached - tiers["access"]).clip(lower=0.0) * tiers["weight"]


def mobile_gain(tiers: pd.DataFrame, visits_month: float, scenario: Scenario) -> pd.Series:
    """Weighted gap closed per person whom more visits reach: a (1 - e) (m' - m)+ w."""
    more = mobile_credit(tiers["visits"] + visits_month, scenario) - tiers["credit"]
    return scenario.weight_first_level * (1 - tiers["access"]) * more.clip(lower=0.0) * tiers["weight"]


def hospital_gain(tiers: pd.DataFrame, kind: Kind, minutes: pd.Series, scenario: Scenario) -> pd.Series:
    """Weighted gap closed per person whom a CARO or an ambulance supports: (1 - a) (f2' - f2) w, in the tier of the hospital."""
    after = hospital_after(pd.Series(kind, tiers.index), minutes, tiers["hospital"], scenario)
    gain = (1 - scenario.weight_first_level) * (after - tiers["hospital"]) * tiers["weight"]
    return gain.where(tiers["tier"] == HOSPITAL_TIER, 0.0)


def take_best(available: np.ndarray, gain: np.ndarray, capacity: float) -> np.ndarray:
    """People taken from each row when one service with room for `capacity` takes the best gains first (ties: row order).

    >>> take_best(np.array([5.0, 5.0, 5.0]), np.array([1.0, 3.0, 1.0]), 7.0)
    array([2., 5., 0.])
    """
    order = np.argsort(-gain, kind="stable")
    before = np.cumsum(available[order]) - available[order]
    taken = np.empty_like(available)
    taken[order] = np.clip(capacity - before, 0.0, available[order])
    return taken


def price_serves(pairs: pd.DataFrame, capacity: float) -> pd.DataFrame:
    """The `serves` table of an option: pairs with `available` people and `gain`, and what it takes if it stands alone."""
    useful = pairs[(pairs["gain"] > 0) & (pairs["available"] > 0)]
    useful = useful[["cvegeo", "tier", "minutes", "available", "gain"]].reset_index(drop=True)
    people = take_best(useful["available"].to_numpy(float), useful["gain"].to_numpy(float), capacity)
    return useful.assign(people=people, weighted=people * useful["gain"])
