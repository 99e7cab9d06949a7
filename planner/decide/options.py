"""Every feasible intervention, priced, with whom it could serve and why: new units, more nuclei, mobile circuits."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Literal

import numpy as np
import pandas as pd

from planner.access.gap import TIERS
from planner.decide.circuits import Circuit, Limits, build_circuits
from planner.decide.gains import fixed_gain, mobile_gain, people_tiers, price_serves
from planner.decide.rules import (
    SEAT_RULES,
    beyond_reach,
    mobile_candidates,
    seat_rules,
    serves_enough,
    stop_limit_min,
    stops_limit,
)
from planner.model import Access, Option, Region, Travel
from planner.settings import Scenario
from planner.words import BY_MODE

MobileKind = Literal["umm", "brigada"]


def feasible_options(region: Region, travel: Travel, access: Access, scenario: Scenario) -> tuple[Option, ...]:
    """The options that the scenario allows and the rules of `planner.decide.rules` admit, sorted by id.

    A circuit is one column among several that compete for the same localities; copies of a second nucleus are one option
    each, alike but for the id. Every option would close some gap if it stood alone.
    """
    tiers = people_tiers(access, scenario)
    found: list[Option] = []
    if "umr" in scenario.allow:
        found += umr_options(region, travel, access, tiers, scenario)
    if "nucleo" in scenario.allow:
        found += nucleo_options(region, access, tiers, scenario)
    if {"umm", "brigada"} & set(scenario.allow):
        found += circuit_options(region, travel, access, tiers, scenario)
    return tuple(sorted((o for o in found if o.weighted > 0), key=lambda o: o.id))


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
        reason = (f"atendería sola a {_people(serves['people'].sum())} que hoy están a más de {scenario.reach_first_level_min:g} min "
                  f"{BY_MODE[scenario.mode_first_level]} de un primer nivel fijo; {_people(seats['people'][seat])} así viven a "
                  f"{scenario.umr_seat_reach_min:g} min o menos {BY_MODE[scenario.mode_umr_seat]} de la sede{crowd}, que está "
                  f"{_how_far(seats['first_level_min'][seat], scenario)}, con rezago {_grade(grades[seat])} y camino todo el año")
        found.append(Option(f"umr-{seat}", "umr", seat, str(names[seat]), capital, annual, capacity, serves, reason,
                            excludes=excludes.get(seat, ())))
    return found


def nucleo_options(region: Region, access: Access, tiers: pd.DataFrame, scenario: Scenario) -> list[Option]:
    """As many further nuclei as would seat the people of each saturated unit, each an option of its own."""
    units = access.units[(access.units["rho"] < 1) & (region.units["role"].reindex(access.units.index) == "primer_nivel")].sort_index()
    shares = access.shares[access.shares["clues"].isin(units.index)]
    if shares.empty:
        return []
    universe = shares.groupby(["clues", "cvegeo"], as_index=False).agg(
        share=("share", "sum"), rho=("rho", "first"), minutes=("minutes", "first"))
    universe["available"] = universe["cvegeo"].map(access.localities["people"]) * universe["share"] * (1 - universe["rho"])
    unserved = tiers[tiers["tier"] == TIERS[0]].drop(columns="people")
    pairs = universe.merge(unserved, on="cvegeo")
    pairs["gain"] = fixed_gain(pairs, pairs["minutes"], scenario)
    capacity = nucleo_people(scenario)
    capital = scenario.cost_nucleo_capital_mxn
    annual = scenario.cost_nucleo_annual_mxn + scenario.annualised(capital, scenario.life_building_years)
    found: list[Option] = []
    for clues, table in pairs.groupby("clues"):
        serves = price_serves(table, capacity)
        unit = units.loc[clues]
        copies = math.ceil(serves["available"].sum() / capacity - 1e-9) if capacity > 0 else 0
        limit = f"{scenario.ramp_first_level_none_min:g} min {BY_MODE[scenario.mode_first_level]}"
        reason = (f"la unidad responde por {_people(unit['population'])} y tiene lugar para "
                  f"{_people(unit['capacity'] / scenario.utilisation)} (suficiencia {unit['rho']:.0%}): "
                  f"{_people(serves['available'].sum())} no caben y viven a menos de {limit} de ella, rezago {_main_grade(region, serves)}")
        option = Option("", "nucleo", str(clues), str(region.units.at[clues, "name"]), capital, annual, capacity, serves, reason)
        found += [replace(option, id=f"nucleo-{clues}-{k:02d}") for k in range(1, copies + 1)]
    return found


def circuit_options(region: Region, travel: Travel, access: Access, tiers: pd.DataFrame, scenario: Scenario) -> list[Option]:
    """Circuits of mobile units and brigades from every public fixed unit that reaches enough people."""
    candidates = mobile_candidates(region, travel, access, scenario)
    bases = travel.bases.within(stop_limit_min(scenario))
    found: list[Option] = []
    kinds: tuple[tuple[MobileKind, float], ...] = (("umm", scenario.umm_visits_month), ("brigada", scenario.brigade_visits_month))
    for kind, visits in kinds:
        if kind not in scenario.allow:
            continue
        rows = tiers[tiers["cvegeo"].isin(candidates.index[candidates[kind]])]
        rows = rows.assign(gain=mobile_gain(rows, visits, scenario))
        rows = rows.assign(weighted=rows["people"] * rows["gain"])
        stops = rows.groupby("cvegeo")[["people", "weighted"]].sum()
        limits = Limits(stops_limit(visits, scenario), scenario.umm_people_max, scenario.mobile_people_min)
        made = build_circuits(stops[stops["weighted"] > 0], bases, limits) if limits.stops > 0 else []
        by_place = rows.rename(columns={"people": "available"}).set_index("cvegeo", drop=False)
        numbered: dict[str, int] = {}
        for circuit in made:
            numbered[circuit.base] = numbered.get(circuit.base, 0) + 1
            found.append(_circuit_option(kind, visits, circuit, numbered[circuit.base], by_place, region, access, scenario))
    return found


def _circuit_option(kind: MobileKind, visits: float, circuit: Circuit, number: int, by_place: pd.DataFrame, region: Region,
                    access: Access, scenario: Scenario) -> Option:
    minutes = dict(zip(circuit.stops, circuit.minutes, strict=True))
    pairs = by_place.loc[sorted(circuit.stops)]
    pairs = pairs.assign(minutes=pairs["cvegeo"].map(minutes))
    serves = price_serves(pairs, scenario.umm_people_max)
    umm = kind == "umm"
    capital, running = (scenario.cost_umm_capital_mxn, scenario.cost_umm_annual_mxn) if umm else (0.0, scenario.cost_brigade_annual_mxn)
    annual = running + scenario.annualised(capital, scenario.life_vehicle_years)
    far = access.localities.loc[list(circuit.stops), "first_level_min"]
    road = "con camino" if umm else "sin camino o con camino que cortan las lluvias"
    reason = (f"{_people(serves['people'].sum())} en {len(minutes)} {'localidades' if len(minutes) > 1 else 'localidad'} {road}, "
              f"la menos lejana {_how_far(far.min(), scenario)} (umbral {scenario.reach_first_level_min:g}), "
              f"paradas a {min(minutes.values()):.0f}-{max(minutes.values()):.0f} min "
              f"{BY_MODE[scenario.mode_teams]} de la base, rezago {_main_grade(region, serves)}")
    return Option(f"{kind}-{circuit.base}-{number:02d}", kind, circuit.base, str(region.units.at[circuit.base, "name"]),
                  capital, annual, scenario.umm_people_max, serves, reason, stops=circuit.stops, visits_month=visits)


def nucleo_people(scenario: Scenario) -> float:
    """Target people a year that one nucleus has room for: users it can attend / part of the target people who use it."""
    return np.inf if scenario.unlimited_capacity else scenario.capacity_people_per_nucleo / scenario.utilisation


def _people(number: float) -> str:
    return f"{number:,.0f} {'persona' if round(number) == 1 else 'personas'}"


def _how_far(minutes: float, scenario: Scenario) -> str:
    """Rounded up: what lies beyond a threshold never reads as the threshold."""
    if not math.isfinite(minutes):
        return "sin primer nivel fijo alcanzable"
    return f"a {math.ceil(minutes)} min {BY_MODE[scenario.mode_first_level]} del primer nivel fijo más cercano"


def _grade(grade: object) -> str:
    return grade.lower() if isinstance(grade, str) else "desconocido"


def _main_grade(region: Region, serves: pd.DataFrame) -> str:
    """The grade of rezago of most of the people served (ties: first in order of name)."""
    grades = serves["cvegeo"].map(region.localities["irs_grade"])
    people = serves["people"].groupby(grades).sum().sort_index()
    return _grade(people.idxmax()) if len(people) else "desconocido"
