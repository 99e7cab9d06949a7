"""What a plan changes: for every locality, unit and proposal, by the rule that whom no option takes stays as today.

An option serves the people it takes with its own minutes and room for all of them; a mobile one raises their visits, a CARO or
an ambulance their access to the hospital, whatever first level they have. Every number of a locality under the plan is the mean
over its people, so that sums over localities equal the plan's gains.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from planner import schema
from planner.access.dispersed import dispersed_indicators
from planner.access.gap import (
    HOSPITAL_KINDS,
    MOBILE_KINDS,
    OWN_KINDS,
    STATES,
    TIERS,
    coverage_state,
    gap_columns,
    hospital_after,
    mobile_credit,
    ramp,
    sufficiency,
    unit_capacity,
)
from planner.access.indicators import indicators
from planner.access.people import far_from_hospital, needs_field_visit
from planner.access.rules import chosen_options, violations
from planner.kinds import FOREIGN
from planner.model import Access, Outcome, Plan, Region, Travel
from planner.settings import Scenario
from planner.travel.speeds import roads_told
from planner.travel.times import nearest_seats
from planner.words import KINDS, people_told


def evaluate(region: Region, travel: Travel, access: Access, plan: Plan, scenario: Scenario) -> Outcome:
    """Consequences of the plan for localities, units and proposals, with indicators and broken rules.

    Per locality the columns of schema.ACCESS today and with suffix `_plan` (all but `assigned`), and `intervention` and
    `reason`, null where the plan takes nobody and there is nothing to assess in the field.
    """
    taken = people_taken(access, plan, scenario)
    moves = moves_of(access, taken, scenario)
    after = _localities_after(region, access, plan, taken, moves, scenario).add_suffix("_plan")
    today = region.localities.join(access.localities).join(after)
    localities = today.join(_words(today, taken, scenario))
    units = _units_after(region, access, plan, moves, scenario)
    proposals = _proposals(region, plan, taken)
    more: dict[str, Any] = {} if access.dispersed is None else {"poblacion_dispersa": dispersed_indicators(access.dispersed)}
    if region.roads is not None:
        more["red_vial"] = roads_told(region.roads.at_home, scenario)
    return Outcome(
        localities, units, proposals,
        {"region": region.name, "sintetica": region.synthetic, **indicators(localities, units, proposals, travel, plan, scenario),
         **more},
        violations(region, travel, access, localities, taken, plan, scenario))


def people_taken(access: Access, plan: Plan, scenario: Scenario) -> pd.DataFrame:
    """The plan's served rows with each person's access and credit, today and after, and the gap closed.

    Adds kind, place, visits, mobile, hospital (bool: its kind is one of these), access, access_after, credit_gained,
    hospital_gained, first_level_closed and gap_closed (equivalent people) and weighted; sorted by ids.
    """
    options = {o.id: o for o in plan.options}
    taken = plan.served.astype({"people": float, "minutes": float}).sort_values(["cvegeo", "tier", "option"], ignore_index=True)
    chosen = [options[i] for i in taken["option"]]
    taken = taken.assign(
        kind=pd.Series([o.kind for o in chosen], dtype="str"), place=pd.Series([o.place for o in chosen], dtype="str"),
        visits=pd.Series([o.visits_month for o in chosen], dtype=float))
    today = access.localities.loc[taken["cvegeo"]].reset_index(drop=True)
    mobile, hospital = taken["kind"].isin(MOBILE_KINDS), taken["kind"].isin(HOSPITAL_KINDS)
    within = (today["access"] / today["sufficiency"].where(today["sufficiency"] > 0)).clip(0.0, 1.0)
    before = within.where(taken["tier"] == TIERS[1], 0.0)
    reach = ramp(taken["minutes"], scenario.ramp_first_level_good_min, scenario.ramp_first_level_none_min)
    after = before.where(mobile | hospital, reach)
    credit = mobile_credit(today["visits_month"], scenario)
    more = mobile_credit(today["visits_month"] + taken["visits"], scenario).where(mobile, credit)
    first_closed = taken["people"] * ((1.0 - before) * (1.0 - credit) - (1.0 - after) * (1.0 - more))
    nearer = hospital_after(taken["kind"], taken["minutes"], today["hospital_access"], scenario) - today["hospital_access"]
    closed = scenario.weight_first_level * first_closed + (1.0 - scenario.weight_first_level) * taken["people"] * nearer
    return taken.assign(
        mobile=mobile, hospital=hospital, access=before, access_after=after, credit_gained=more - credit, hospital_gained=nearer,
        first_level_closed=first_closed, gap_closed=closed, weighted=closed * today["need_weight"])


def moves_of(access: Access, taken: pd.DataFrame, scenario: Scenario) -> pd.DataFrame:
    """People of the localities that fixed options serve, by unit and tier today, and how many of them move.

    A nucleo or a post attends people of its own unit; a new unit takes its part evenly from everybody left in the tier.
    `moved` people leave their unit; `gained` ones end within reach of a service with room for them.
    """
    fixed = taken[~(taken["mobile"] | taken["hospital"])]
    rows = access.shares[access.shares["cvegeo"].isin(fixed["cvegeo"]) & (access.shares["kind"] == "fija")]
    people = access.localities["people"]
    near = rows["minutes"] <= scenario.reach_first_level_min
    base = {"cvegeo": rows["cvegeo"], "clues": rows["clues"], "covered": near}
    total = rows["cvegeo"].map(people).astype(float) * rows["share"]
    rest = people[people.index.isin(fixed["cvegeo"])].sort_index()
    nobody = rest * (1.0 - rows.groupby("cvegeo")["share"].sum().reindex(rest.index, fill_value=0.0)).clip(lower=0.0)
    segments = pd.concat([
        pd.DataFrame({**base, "tier": TIERS[1], "people": total * rows["rho"]}),
        pd.DataFrame({**base, "tier": TIERS[0], "people": total * (1.0 - rows["rho"])}),
        pd.DataFrame({"cvegeo": rest.index, "clues": "", "covered": False, "tier": TIERS[0], "people": nobody.to_numpy()}),
    ], ignore_index=True).groupby(["cvegeo", "tier", "clues", "covered"])["people"].sum().reset_index()
    key = ["cvegeo", "tier"]
    nucleo, new = fixed[fixed["kind"].isin(OWN_KINDS)], fixed[~fixed["kind"].isin(OWN_KINDS)]
    own = _looked_up(segments, nucleo.rename(columns={"place": "clues"}), [*key, "clues"])
    left = segments["people"] - own
    whole = left.groupby([segments[k] for k in key]).transform("sum")
    part = (left / whole.where(whole > 0)).fillna(0.0)
    within = new[new["minutes"] <= scenario.reach_first_level_min]
    return segments.assign(moved=part * _looked_up(segments, new, key),
                           gained=part * _looked_up(segments, within, key) + own.where(segments["covered"], 0.0))


def _looked_up(segments: pd.DataFrame, taken: pd.DataFrame, key: list[str]) -> pd.Series:
    summed = taken.groupby(key)["people"].sum()
    wanted = pd.MultiIndex.from_frame(segments[key])
    return pd.Series(summed.reindex(wanted).fillna(0.0).to_numpy(), index=segments.index, dtype=float)


def _localities_after(
    region: Region, access: Access, plan: Plan, taken: pd.DataFrame, moves: pd.DataFrame, scenario: Scenario
) -> pd.DataFrame:
    today = access.localities
    people = today["people"]

    def mean(values: pd.Series, rows: pd.Series | None = None) -> pd.Series:
        """Sum over the taken rows, spread over all people of the locality."""
        kept = values if rows is None else values[rows]
        total = kept.groupby(taken["cvegeo"]).sum().reindex(today.index).fillna(0.0)
        return (total / people.where(people > 0)).fillna(0.0)

    fixed = ~(taken["mobile"] | taken["hospital"])
    gap_share = (today["gap_share"] - mean(taken["gap_closed"])).clip(0.0, 1.0)
    roomier = today["sufficiency"] + mean(taken["people"], fixed & (taken["tier"] == TIERS[0]))
    after = today.assign(
        access=(today["access"] + mean(taken["people"] * (taken["access_after"] - taken["access"]))).clip(0.0, 1.0),
        sufficiency=roomier.clip(0.0, 1.0), visits_month=today["visits_month"] + mean(taken["people"] * taken["visits"], taken["mobile"]),
        mobile_credit=(today["mobile_credit"] + mean(taken["people"] * taken["credit_gained"])).clip(0.0, 1.0),
        hospital_access=(today["hospital_access"] + mean(taken["people"] * taken["hospital_gained"])).clip(0.0, 1.0),
        first_level_gap=(today["first_level_gap"] - mean(taken["first_level_closed"])).clip(0.0, 1.0),
        assigned_min=_assigned_minutes(today, taken, moves), **_nearest_after(region, plan, today, scenario))
    states = _coverage_after(today, moves)
    majority = coverage_state(states).where(people > 0, today["coverage"]).where(today["coverage"].notna())
    after = after.assign(**gap_columns(gap_share, people, today["need_weight"], scenario), **states, coverage=majority)
    return after.drop(columns="assigned")


def _coverage_after(today: pd.DataFrame, moves: pd.DataFrame) -> pd.DataFrame:
    """People by state: whoever ends within reach with room is served, the rest keep their state."""
    state = np.where(moves["covered"], np.where(moves["tier"] == TIERS[1], STATES[0], STATES[1]), STATES[2])
    lost = moves.groupby(["cvegeo", state])["gained"].sum().unstack().reindex(index=today.index, columns=STATES).fillna(0.0)
    after = (today[STATES] - lost).clip(lower=0.0)
    return after.assign(served=after["served"] + lost.sum(axis=1))


def _assigned_minutes(today: pd.DataFrame, taken: pd.DataFrame, moves: pd.DataFrame) -> pd.Series:
    """Minutes to the unit with most of the locality's people: today's, or the new one if it takes more than today's keeps."""
    new = taken[taken["kind"] == "umr"].groupby(["cvegeo", "option"], as_index=False)
    most = new.agg(people=("people", "sum"), minutes=("minutes", "first"))
    most = most.sort_values(["cvegeo", "people", "option"], ascending=[True, False, True]).drop_duplicates("cvegeo").set_index("cvegeo")
    own = moves[moves["clues"] == moves["cvegeo"].map(today["assigned"])]
    kept = (own["people"] - own["moved"]).groupby(own["cvegeo"]).sum().reindex(most.index, fill_value=0.0)
    changed = most.loc[most["people"] > kept, "minutes"].reindex(today.index)
    return changed.fillna(today["assigned_min"])


def _nearest_after(region: Region, plan: Plan, today: pd.DataFrame, scenario: Scenario) -> dict[str, pd.Series]:
    """Nearest fixed first level once the new units stand: today's, or one of them if nearer."""
    seats = {o.place: o.id for o in chosen_options(plan) if o.kind == "umr"}
    if not seats:
        return {name: today[name] for name in ("first_level_min", "first_level_clues")}
    new = nearest_seats(region, list(seats), scenario)[1].reindex(today.index)
    nearer = new["minutes"] < today["first_level_min"]
    named = new["clues"].map(seats).astype(today["first_level_clues"].dtype)
    return {"first_level_min": new["minutes"].where(nearer, today["first_level_min"]),
            "first_level_clues": named.where(nearer, today["first_level_clues"])}


def _units_after(region: Region, access: Access, plan: Plan, moves: pd.DataFrame, scenario: Scenario) -> gpd.GeoDataFrame:
    """Units with load, capacity and rho under the plan: strengthened ones have more nuclei or posts, relieved ones less load.

    A neighbour's unit keeps the capacity that it has, and only whom it loses changes its rho.
    """
    foreign = region.units["role"] == FOREIGN
    nuclei = pd.Series([o.place for o in chosen_options(plan) if o.kind in OWN_KINDS], dtype=object).value_counts()
    capacity = unit_capacity(region.units["role"], region.units["nuclei"] + nuclei.reindex(region.units.index).fillna(0.0), scenario)
    capacity = capacity.mask(foreign, access.units["capacity"])
    left = moves.groupby("clues")["moved"].sum().reindex(region.units.index).fillna(0.0)
    load = (access.units["load"] - scenario.utilisation * left).clip(lower=0.0)
    attends = region.units["role"].mask(foreign & access.units["rho"].notna(), "primer_nivel")
    rho = sufficiency(load, capacity, attends, scenario)
    return region.units.join(access.units).assign(load_plan=load, capacity_plan=capacity, rho_plan=rho)


def _proposals(region: Region, plan: Plan, taken: pd.DataFrame) -> gpd.GeoDataFrame:
    """The chosen options with the people and the weighted gap that they get within the plan."""
    chosen = chosen_options(plan)
    index = pd.Index([o.id for o in chosen], name="id", dtype=object)
    realised = taken.groupby("option")[["people", "weighted"]].sum().reindex(index).fillna(0.0)
    points = pd.concat([region.localities.geometry, region.units.geometry])
    rows = {
        "kind": [o.kind for o in chosen], "cvegeo": [o.place if o.kind == "umr" else None for o in chosen],
        "clues": [None if o.kind == "umr" else o.place for o in chosen], "name": [o.name for o in chosen],
        "capital_mxn": [float(o.capital_mxn) for o in chosen], "annual_mxn": [float(o.annual_mxn) for o in chosen],
        "people": realised["people"], "weighted": realised["weighted"],
        "own_people": [o.people for o in chosen], "robust": None,
        **dict.fromkeys(("incremental_people", "incremental_weighted", "year", "robustness"), np.nan),
        "reason": [f"{o.reason}; en el plan atiende a {people_told(n)}" for o, n in zip(chosen, realised["people"], strict=True)]}
    table = pd.DataFrame(rows, index=index)[schema.PROPOSALS.names()]
    return gpd.GeoDataFrame(table, geometry=gpd.GeoSeries([points[o.place] for o in chosen], index=index, crs=region.crs))


def _words(localities: pd.DataFrame, taken: pd.DataFrame, scenario: Scenario) -> pd.DataFrame:
    """Which options serve each locality, and why; or what to assess in the field where no option does."""
    hospital = localities["hospital_min"]
    remote = needs_field_visit(localities, scenario)
    far = far_from_hospital(localities, scenario)
    named = taken.assign(said=taken["kind"].map(KINDS).astype(object) + " (" + taken["option"].astype(object) + ")")
    options = named.drop_duplicates(["cvegeo", "option"]).groupby("cvegeo")["said"].agg("; ".join).to_dict()
    limit = scenario.reach_hospital_min
    reasons = {c: f"valorar CARO, ambulancia o albergue: {_away(m, 'hospital', limit)}" for c, m in hospital[far].items()}
    reasons |= dict.fromkeys(localities.index[remote], f"valorar en campo: menos de {scenario.mobile_locality_min:g} personas y a más de "
                                                       f"{scenario.remote_min:g} min de una unidad fija")
    columns = ["people", "first_level_min", "covered_unserved", "visits_month", "irs_grade"]
    of = np.where(taken["hospital"], "supported", "taken")
    counted = taken.groupby(["cvegeo", of])["people"].sum().unstack().reindex(columns=["taken", "supported"]).fillna(0.0)
    served = pd.DataFrame(localities[[*columns, "hospital_min"]]).join(counted, how="inner")
    reasons |= {c: _why(place, scenario) for c, place in served.to_dict("index").items()}
    return pd.DataFrame({"intervention": localities.index.map(options), "reason": localities.index.map(reasons)},
                        index=localities.index, dtype=object)


def _why(place: dict[Hashable, Any], scenario: Scenario) -> str:
    said = []
    if place["first_level_min"] > scenario.reach_first_level_min:
        said.append(_away(place["first_level_min"], "primer nivel fijo", scenario.reach_first_level_min))
    if place["covered_unserved"] >= 0.5:
        said.append(f"{people_told(place['covered_unserved'])} sin lugar en su unidad")
    if place["visits_month"] > 0:
        said.append(f"hoy {place['visits_month']:g} visitas móviles al mes")
    if place["taken"] > 0:
        said.append(f"el plan atiende a {place['taken']:,.0f} de {people_told(place['people'])}")
    if place["supported"] > 0:
        said.append(f"{_away(place['hospital_min'], 'hospital', scenario.reach_hospital_min)}: el plan apoya el traslado o el parto de "
                    f"{place['supported']:,.0f} de {people_told(place['people'])}")
    return ", ".join([*said, f"rezago {place['irs_grade'].lower()}"] if isinstance(place["irs_grade"], str) else said)


def _away(minutes: float, what: str, limit_min: float) -> str:
    if not np.isfinite(minutes):
        return f"sin camino conocido a un {what}"
    shown = np.ceil(round(10 * minutes, 6)) / 10  # rounded up: 60.04 is beyond 60 and must not read 60.0
    return f"a {shown:.1f} min del {what} más cercano (umbral {limit_min:g})"
