"""Rules that every plan must keep, checked on its consequences and apart from whoever made it; each broken one in words."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from planner.access.circuit_rules import todays_visits
from planner.access.gap import HOSPITAL_KINDS, HOSPITAL_TIER, MOBILE_KINDS, OWN_KINDS, TIERS
from planner.access.people import far_from_hospital
from planner.model import Access, Option, Plan, Region, Travel
from planner.settings import Scenario
from planner.travel.times import ambulance_times, caro_times

_TOLERANCE = 1e-6  # relative, of people and money
_MINUTES = 2e-6  # a search from the other end may round the last decimal the other way


def violations(
    region: Region, travel: Travel, access: Access, localities: pd.DataFrame, taken: pd.DataFrame, plan: Plan, scenario: Scenario,
) -> tuple[str, ...]:
    """The rules that the plan breaks, empty if none: what, how many, first three ids.

    `localities` holds today's columns and those with suffix `_plan`; `taken` is the plan's served rows with `kind` and `place`.
    """
    chosen = chosen_options(plan)
    return tuple(_listed([
        *_known(chosen, taken, plan, scenario), *_money(chosen, scenario), *_room(chosen, access, taken, scenario), *_own(access, taken),
        *_circuits(chosen, region, access, taken, scenario), *_travel(travel, access, taken), *_support(region, travel, taken, scenario),
        *_spacing(travel, access, chosen, scenario),
        ("empeora a personas de", _worse(localities, taken))]))


def chosen_options(plan: Plan) -> list[Option]:
    """The options that the plan chose, by id."""
    chosen = set(plan.chosen)
    return sorted((o for o in plan.options if o.id in chosen), key=lambda o: o.id)


Rule = tuple[str, Iterable[str]]


def _known(chosen: list[Option], taken: pd.DataFrame, plan: Plan, scenario: Scenario) -> list[Rule]:
    return [
        ("elige opciones que no están entre las factibles", sorted(set(plan.chosen) - {o.id for o in chosen})),
        ("atiende con opciones no elegidas", sorted(set(taken["option"]) - set(plan.chosen))),
        ("elige intervenciones que el escenario no permite", [o.id for o in chosen if o.kind not in scenario.allow])]


def _money(chosen: list[Option], scenario: Scenario) -> list[Rule]:
    rules: list[Rule] = []
    for what, spent, limit in (("presupuesto anual", sum(o.annual_mxn for o in chosen), scenario.budget_mxn_year),
                               ("tope de inversión", sum(o.capital_mxn for o in chosen), scenario.capital_mxn)):
        if limit is not None and spent > limit * (1 + _TOLERANCE):
            rules.append((f"rebasa el {what}: {spent:,.0f} de {limit:,.0f} MXN con", [o.id for o in chosen]))
    return rules


def _room(chosen: list[Option], access: Access, taken: pd.DataFrame, scenario: Scenario) -> list[Rule]:
    """Capacity of each option, and each person at most once: by tier, the unserved one first; the hospital's apart from those."""
    people = taken.groupby("option")["people"].sum()
    crowded = [o.id for o in chosen if people.get(o.id, 0.0) > o.capacity_people * (1 + _TOLERANCE)]
    today = access.localities.loc[access.localities.index.isin(taken["cvegeo"])]
    with_room = today["people"] * today["sufficiency"]
    far = today["people"].where(far_from_hospital(today, scenario), 0.0)
    room = pd.DataFrame({TIERS[0]: today["people"] - with_room, TIERS[1]: with_room, HOSPITAL_TIER: far})
    used = taken.pivot_table(index="cvegeo", columns="tier", values="people", aggfunc="sum").reindex(index=room.index, columns=room.columns)
    used = used.astype(float).fillna(0.0)
    slack = _TOLERANCE * today["people"] + _TOLERANCE
    twice = used.gt(room.add(slack, axis=0)).any(axis=1)
    early = (used[TIERS[1]] > slack) & (used[TIERS[0]] < room[TIERS[0]] - slack)
    apart = taken["kind"].isin(HOSPITAL_KINDS) != (taken["tier"] == HOSPITAL_TIER)
    return [
        ("da a personas un servicio que no es el que les falta en", taken.loc[apart, "cvegeo"]),
        ("rebasa la capacidad de", crowded),
        ("toma personas negativas en", taken.loc[taken["people"] < 0, "cvegeo"]),
        ("cuenta personas más de una vez en", used.index[twice]),
        ("atiende a quien ya tiene servicio antes que a quien no lo tiene en", used.index[early])]


def _own(access: Access, taken: pd.DataFrame) -> list[Rule]:
    """Nuclei and posts of a unit together seat those of its people who do not fit today, no others."""
    rows = access.shares[access.shares["kind"] == "fija"].rename(columns={"clues": "place"})
    left = rows["cvegeo"].map(access.localities["people"]).astype(float) * rows["share"] * (1.0 - rows["rho"])
    room = left.groupby([rows["place"], rows["cvegeo"]]).sum()
    used = taken[taken["kind"].isin(OWN_KINDS)].groupby(["place", "cvegeo"])["people"].sum()
    over = used.index[used > room.reindex(used.index) * (1 + _TOLERANCE) + _TOLERANCE]
    return [("da a una unidad más personas que las suyas sin lugar:", [f"{clues} en {cvegeo}" for clues, cvegeo in over])]


def _circuits(chosen: list[Option], region: Region, access: Access, taken: pd.DataFrame, scenario: Scenario) -> list[Rule]:
    """Circuits serve their stops; what extends one of today's serves what it adds, once a unit, with the room that is left."""
    circuits = {o.id: o for o in chosen if o.kind in MOBILE_KINDS}
    today = {i: list(todays_visits(o, region)) for i, o in circuits.items()}
    rows = [(i, c) for i, c in zip(taken["option"], taken["cvegeo"], strict=True) if i in circuits]
    places = pd.Series([o.place for o in circuits.values() if o.kind == "ruta"], dtype="str")
    people = taken.groupby("option")["people"].sum()
    full = [i for i, o in circuits.items() if today[i] and people.get(i, 0.0) > _TOLERANCE and
            people[i] + access.localities.loc[today[i], "people"].sum() > scenario.umm_people_max * (1 + _TOLERANCE)]
    return [("atiende fuera de las paradas con", [f"{i} en {c}" for i, c in rows if c not in circuits[i].stops]),
            ("cuenta otra vez las paradas de hoy con", [f"{i} en {c}" for i, c in rows if c in today[i]]),
            ("amplía más de una vez la ruta de", sorted(places[places.duplicated()].unique())),
            ("no tiene lugar, junto a la gente de hoy, para la de", full)]


def _travel(travel: Travel, access: Access, taken: pd.DataFrame) -> list[Rule]:
    """New units serve at the minutes to their seat; nuclei and posts at those to their unit, only people who answer to it."""
    rows = access.shares.rename(columns={"clues": "place", "minutes": "true"}).drop_duplicates(["cvegeo", "place"])
    seats = travel.seats.pairs().rename(columns={"site": "place", "minutes": "true"})
    faults = []
    for kinds, true in ((("umr",), seats), (OWN_KINDS, rows[rows["kind"] == "fija"])):
        faults += _other_minutes(taken[taken["kind"].isin(kinds)], true)
    return [("usa minutos que no son los del traslado en", faults)]


def _support(region: Region, travel: Travel, taken: pd.DataFrame, scenario: Scenario) -> list[Rule]:
    """CAROs at the minutes to their unit by mode_hospital, ambulances at those from it by mode_teams; at fixed first levels only."""
    rows = taken[taken["kind"].isin(HOSPITAL_KINDS)]
    if rows.empty:
        return []
    faults = []
    for kind in HOSPITAL_KINDS:
        mine = rows[rows["kind"] == kind]
        if len(mine):
            places = pd.Index(sorted(mine["cvegeo"].unique()))
            units = pd.Index(sorted(mine["place"].unique()))
            times = caro_times(region, places, units, scenario) if kind == "caro" else ambulance_times(region, travel, scenario)
            faults += _other_minutes(mine, times.pairs().rename(columns={"site": "place", "minutes": "true"}))
    first = region.units.index[region.units["role"] == "primer_nivel"]
    far = rows[(rows["kind"] == "ambulancia") & (rows["minutes"] > scenario.ambulance_reach_min + _MINUTES)]
    astray = sorted(set(rows.loc[~rows["place"].isin(first), "option"]))
    return [("usa minutos que no son los del traslado en", faults),
            ("manda ambulancias más allá de su alcance a", far["cvegeo"]),
            ("pone apoyo de hospital fuera de una unidad fija de primer nivel:", astray)]


def _other_minutes(served: pd.DataFrame, true: pd.DataFrame) -> list[str]:
    """Served rows whose minutes are not the true ones of their locality and place, or that have none."""
    found = served.merge(true[["cvegeo", "place", "true"]], how="left", on=["cvegeo", "place"])
    wrong = ~((found["minutes"] - found["true"]).abs() <= _MINUTES)
    return [f"{i} en {c}" for i, c in zip(found.loc[wrong, "option"], found.loc[wrong, "cvegeo"], strict=True)]


def _spacing(travel: Travel, access: Access, chosen: list[Option], scenario: Scenario) -> list[Rule]:
    """A new unit keeps its distance from today's fixed units and from the other new ones, in either direction."""
    seats = {o.place: o.id for o in chosen if o.kind == "umr"}
    now = access.localities["first_level_min"]
    close = [i for place, i in seats.items() if now[place] < scenario.umr_spacing_min - _MINUTES]
    pairs = travel.seats.pairs()
    both = pairs[pairs["site"].isin(list(seats)) & pairs["cvegeo"].isin(list(seats)) & (pairs["site"] != pairs["cvegeo"])]
    near = both[both["minutes"] < scenario.umr_spacing_min - _MINUTES]
    twins = [seats[c] for c in near["cvegeo"]]
    return [("pone una UMR demasiado cerca de una unidad fija:", close), ("pone UMR demasiado cerca entre sí:", sorted(set(twins)))]


def _worse(localities: pd.DataFrame, taken: pd.DataFrame) -> list[str]:
    worse = taken.loc[taken["gap_closed"] < -_TOLERANCE * np.maximum(taken["people"], 1.0), "cvegeo"]
    gap = localities.index[localities["gap_share_plan"] > localities["gap_share"] + _TOLERANCE]
    return sorted({*worse, *gap})


def _listed(rules: list[Rule]) -> list[str]:
    out = []
    for what, ids in rules:
        found = [str(i) for i in ids]
        if found:
            out.append(f"El plan {what} {', '.join(found[:3])}{f' y {len(found) - 3} más' if len(found) > 3 else ''}.")
    return out
