"""Every feasible intervention, priced, with whom it could serve and why: new units, stronger units, circuits, hospital support."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from planner.decide.circuits import first_circuits, pools
from planner.decide.current import todays_circuits
from planner.decide.extension import wider_circuits
from planner.decide.fleet import Choices, fleet_of
from planner.decide.gains import fixed_gain, people_tiers, price_serves
from planner.decide.rules import SEAT_RULES, beyond_reach, mobile_candidates, seat_rules, serves_enough
from planner.decide.say import grade, how_far
from planner.decide.strengthen import hospital_options, nucleo_options, nucleo_people, plaza_options
from planner.model import Access, Option, Region, Travel
from planner.settings import Scenario
from planner.words import BY_MODE, people_told


def feasible_options(region: Region, travel: Travel, access: Access, scenario: Scenario, cache: Path | None = None) -> Choices:
    """The options that the scenario allows and the rules of `planner.decide.rules` admit, sorted by id.

    A circuit is one column among several that compete for the same localities; copies of a second nucleus are one option
    each, alike but for the id. Every option would close some gap if it stood alone. None depends on the budget. Today's circuits
    are told beside them, and may be extended.
    """
    tiers = people_tiers(access, scenario)
    candidates = mobile_candidates(region, travel, access, scenario)
    fleet = fleet_of(region, access, candidates, tiers, scenario, cache)
    wide = "ruta" in scenario.allow
    today = todays_circuits(region, access, scenario, cache, also=candidates.index[candidates.any(axis=1)] if wide else None)
    longer, relaxed = wider_circuits(today, candidates, region, access, tiers, scenario) if wide else ([], [])
    found = [*first_circuits(fleet), *longer, *fixed_options(region, travel, access, tiers, scenario)]
    options = sorted((o for o in found if o.weighted > 0), key=lambda o: o.id)
    return Choices(tuple(options), (*pools(fleet), *relaxed), fleet, today)


def fixed_options(region: Region, travel: Travel, access: Access, tiers: pd.DataFrame, scenario: Scenario) -> list[Option]:
    """All options that stand in one place."""
    return [
        *(umr_options(region, travel, access, tiers, scenario) if "umr" in scenario.allow else ()),
        *(nucleo_options(region, access, tiers, scenario) if "nucleo" in scenario.allow else ()),
        *(plaza_options(region, access, tiers, scenario) if "plaza" in scenario.allow else ()),
        *hospital_options(region, travel, tiers, scenario)]


def umr_options(region: Region, travel: Travel, access: Access, tiers: pd.DataFrame, scenario: Scenario) -> list[Option]:
    """A new UMR of one nucleus for people beyond reach, at every seat that keeps all the rules; seats too near exclude one another."""
    rules = seat_rules(region, travel, access, scenario)
    seats = rules[rules[list(SEAT_RULES)].all(axis=1)].sort_index()
    near = travel.seats.pairs()
    near = near[near["site"].isin(seats.index)]
    far = access.localities.index[beyond_reach(access, scenario)]  # who lives near a full unit is served by strengthening it
    pairs = near[near["cvegeo"].isin(far)].merge(tiers, on="cvegeo").rename(columns={"people": "available"})
    pairs["gain"] = fixed_gain(pairs, pairs["minutes"], scenario)
    pairs = serves_enough(pairs, scenario)
    close = near[near["cvegeo"].isin(seats.index) & (near["cvegeo"] != near["site"]) & (near["minutes"] < scenario.umr_spacing_min)]
    either = pd.concat([close, close.rename(columns={"cvegeo": "site", "site": "cvegeo"})])
    excludes = {site: tuple(sorted({f"umr-{c}" for c in group})) for site, group in either.groupby("site")["cvegeo"]}
    capacity = np.inf if scenario.unlimited_capacity else min(nucleo_people(scenario), scenario.umr_people_per_nucleo)
    capital = scenario.cost_umr_capital_mxn
    annual = scenario.cost_umr_annual_mxn + scenario.annualised(capital, scenario.life_building_years)
    tables = dict(list(pairs.groupby("site")))
    names, grades = region.localities["name"], region.localities["irs_grade"]
    found = []
    for seat in [str(s) for s in seats.index if s in tables]:
        serves = price_serves(tables[seat], capacity)
        most = scenario.umr_people_max
        crowd = f" (más de {most:,.0f}, lo usual para un núcleo)" if seats["people"][seat] > most else ""
        reason = (f"atendería sola a {people_told(serves['people'].sum())} que hoy están a más de {scenario.reach_first_level_min:g} min "
                  f"{BY_MODE[scenario.mode_first_level]} de un primer nivel fijo; {people_told(seats['people'][seat])} así viven a "
                  f"{scenario.umr_seat_reach_min:g} min o menos {BY_MODE[scenario.mode_umr_seat]} de la sede{crowd}, que está "
                  f"{how_far(seats['first_level_min'][seat], scenario)}, con rezago {grade(grades[seat])} y camino todo el año")
        found.append(Option(f"umr-{seat}", "umr", seat, str(names[seat]), capital, annual, capacity, serves, reason,
                            excludes=excludes.get(seat, ())))
    return found


