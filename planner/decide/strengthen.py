"""What today's units could be given: further nuclei, vacant posts filled, a CARO, an ambulance; each priced, with whom it serves."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd

from planner.access.gap import HOSPITAL_TIER, TIERS
from planner.decide.gains import fixed_gain, hospital_gain, hospital_kinds, price_serves
from planner.decide.say import main_grade
from planner.kinds import Kind
from planner.model import Access, Option, Region, Travel, TravelTimes
from planner.settings import Scenario
from planner.travel.times import ambulance_times, caro_times
from planner.words import BY_MODE, people_told


def nucleo_people(scenario: Scenario) -> float:
    """Target people a year that one nucleus has room for: users it can attend / part of the target people who use it."""
    return np.inf if scenario.unlimited_capacity else scenario.capacity_people_per_nucleo / scenario.utilisation


def vacant_posts(region: Region) -> pd.Series:
    """Posts by CLUES that may be filled in fixed first-level units: consulting rooms beyond physicians and beyond nuclei.

    Today's capacity counts every nucleus as staffed (supuesto), so only a room that neither a physician nor a nucleus accounts
    for adds to it. Units whose rooms or physicians are not known have none.
    """
    first = region.units[region.units["role"] == "primer_nivel"].sort_index()
    if region.resources is None:
        return pd.Series(0, first.index, dtype=int)
    known = region.resources[["rooms", "physicians"]].reindex(first.index).astype(float)
    taken = known["physicians"].clip(lower=first["nuclei"].astype(float))
    return (known["rooms"] - taken).clip(lower=0.0).fillna(0.0).astype(int)


def nucleo_options(region: Region, access: Access, tiers: pd.DataFrame, scenario: Scenario) -> list[Option]:
    """As many further nuclei as would seat the people of each saturated unit, each an option of its own."""
    capital, capacity = scenario.cost_nucleo_capital_mxn, nucleo_people(scenario)
    annual = scenario.cost_nucleo_annual_mxn + scenario.annualised(capital, scenario.life_building_years)
    found: list[Option] = []
    for clues, table in _own_people(region, access, tiers, scenario).items():
        serves = price_serves(table, capacity)
        reason = _crowded(region, access, clues, serves, scenario)
        option = Option("", "nucleo", clues, str(region.units.at[clues, "name"]), capital, annual, capacity, serves, reason)
        found += _copies(option, _needed(serves, capacity))
    return found


def plaza_options(region: Region, access: Access, tiers: pd.DataFrame, scenario: Scenario) -> list[Option]:
    """Vacant posts of each saturated unit, no more than would seat its people: each seats as many as a nucleus, without capital.

    They seat the same people as further nuclei of the unit: of each pair, posts and nuclei together take no more than `available`.
    """
    posts, capacity = vacant_posts(region), nucleo_people(scenario)
    found: list[Option] = []
    for clues, table in _own_people(region, access, tiers, scenario).items():
        if posts[clues] < 1 or region.resources is None:
            continue
        serves, has = price_serves(table, capacity), region.resources.loc[clues]
        reason = (f"tiene {has['rooms']} consultorios, {has['physicians']} {'médico' if has['physicians'] == 1 else 'médicos'} y "
                  f"{region.units.at[clues, 'nuclei']} {'núcleo' if region.units.at[clues, 'nuclei'] == 1 else 'núcleos'}: "
                  f"{posts[clues]} {'plaza vacante' if posts[clues] == 1 else 'plazas vacantes'}; "
                  f"{_crowded(region, access, clues, serves, scenario)}")
        annual = scenario.cost_post_annual_mxn
        option = Option("", "plaza", clues, str(region.units.at[clues, "name"]), 0.0, annual, capacity, serves, reason)
        found += _copies(option, min(int(posts[clues]), _needed(serves, capacity)))
    return found


def hospital_options(region: Region, travel: Travel, tiers: pd.DataFrame, scenario: Scenario) -> list[Option]:
    """CAROs and ambulances at fixed first-level units, where they are priced, for people near a first level and far from the hospital.

    As many at a unit as would take all whom it reaches. A unit is left out where another one betters each of its people as
    much, unless the scenario asks for it or refuses the other. A CARO is not offered where one stands.
    """
    far = tiers[tiers["tier"] == HOSPITAL_TIER]
    if far.empty:
        return []
    first = region.units[region.units["role"] == "primer_nivel"]
    found: list[Option] = []
    for kind in hospital_kinds(scenario):
        sites = first.index[(first["unit_class"] != "CARO") | (kind != "caro")]
        times = (caro_times(region, pd.Index(far["cvegeo"]), sites, scenario) if kind == "caro" else
                 ambulance_times(region, travel, scenario))
        found += _support(region, kind, times, sites, far, scenario)
    return found


def _support(region: Region, kind: Kind, times: TravelTimes, sites: pd.Index, far: pd.DataFrame, scenario: Scenario) -> list[Option]:
    caro = kind == "caro"
    capital = (scenario.cost_caro_capital_mxn if caro else scenario.cost_ambulance_capital_mxn) or 0.0
    running = (scenario.cost_caro_annual_mxn if caro else scenario.cost_ambulance_annual_mxn) or 0.0
    annual = running + scenario.annualised(capital, scenario.life_building_years if caro else scenario.life_vehicle_years)
    capacity = scenario.caro_people_max if caro else scenario.ambulance_people_max
    near = times.pairs()
    pairs = near[near["site"].isin(sites)].merge(far, on="cvegeo").rename(columns={"people": "available"})
    pairs["gain"] = hospital_gain(pairs, kind, pairs["minutes"], scenario)
    pairs = pairs[pairs["gain"] > 0]
    found: list[Option] = []
    for clues in _undominated(pairs, scenario):
        serves = price_serves(pairs[pairs["site"] == clues], capacity)
        span = dict.fromkeys(f"{m:.0f}" for m in (serves["minutes"].min(), serves["minutes"].max()))
        gives = (f"un CARO en ella les quedaría a {'-'.join(span)} min {BY_MODE[scenario.mode_hospital]}" if caro else
                 f"una ambulancia en ella las alcanzaría en {scenario.ambulance_reach_min:g} min o menos {BY_MODE[scenario.mode_teams]}")
        reason = (f"{people_told(serves['available'].sum())} con primer nivel a {scenario.reach_first_level_min:g} min o menos y hospital "
                  f"a más de {scenario.reach_hospital_min:g}: {gives}, rezago {main_grade(region.localities['irs_grade'], serves)}")
        option = Option("", kind, clues, str(region.units.at[clues, "name"]), capital, annual, capacity, serves, reason)
        found += _copies(option, _needed(serves, capacity))
    return found


def _undominated(pairs: pd.DataFrame, scenario: Scenario) -> list[str]:
    """Sites, sorted, that no other one equals or betters for each of their people (of equals: the lowest id)."""
    gains = pairs.pivot_table(index="site", columns="cvegeo", values="gain", fill_value=0.0).sort_index()
    table, sites = gains.to_numpy(float), [str(s) for s in gains.index]
    refused = np.array([any(site in word for word in scenario.forbid) for site in sites], bool)
    kept = []
    for k, site in enumerate(sites):
        as_good = (table >= table[k]).all(axis=1) & ~refused
        better = as_good & ((table > table[k]).any(axis=1) | (np.arange(len(sites)) < k))
        if not better.any() or any(site in word for word in scenario.require):
            kept.append(site)
    return kept


def _own_people(region: Region, access: Access, tiers: pd.DataFrame, scenario: Scenario) -> dict[str, pd.DataFrame]:
    """By saturated first-level unit, the people of its universe who do not fit, with what room in it would close."""
    units = access.units[(access.units["rho"] < 1) & (region.units["role"].reindex(access.units.index) == "primer_nivel")].sort_index()
    shares = access.shares[access.shares["clues"].isin(units.index)]
    if shares.empty:
        return {}
    universe = shares.groupby(["clues", "cvegeo"], as_index=False).agg(
        share=("share", "sum"), rho=("rho", "first"), minutes=("minutes", "first"))
    universe["available"] = universe["cvegeo"].map(access.localities["people"]) * universe["share"] * (1 - universe["rho"])
    unserved = tiers[tiers["tier"] == TIERS[0]].drop(columns="people")
    pairs = universe.merge(unserved, on="cvegeo")
    pairs["gain"] = fixed_gain(pairs, pairs["minutes"], scenario)
    return {str(clues): table for clues, table in pairs.groupby("clues")}


def _crowded(region: Region, access: Access, clues: str, serves: pd.DataFrame, scenario: Scenario) -> str:
    load, capacity, rho = (float(access.units[name][clues]) for name in ("population", "capacity", "rho"))
    limit = f"{scenario.ramp_first_level_none_min:g} min {BY_MODE[scenario.mode_first_level]}"
    return (f"la unidad responde por {people_told(load)} y tiene lugar para {people_told(capacity / scenario.utilisation)} "
            f"(suficiencia {rho:.0%}): "
            f"{people_told(serves['available'].sum())} no caben y viven a menos de {limit} de ella, "
            f"rezago {main_grade(region.localities['irs_grade'], serves)}")


def _needed(serves: pd.DataFrame, capacity: float) -> int:
    return math.ceil(serves["available"].sum() / capacity - 1e-9) if capacity > 0 else 0


def _copies(option: Option, number: int) -> list[Option]:
    return [replace(option, id=f"{option.kind}-{option.place}-{k:02d}") for k in range(1, number + 1)]
