"""What may be suggested where: every feasibility rule is a named predicate, so that a refusal can name its rule."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from planner.access.people import needs_field_visit
from planner.model import Access, Option, Plan, Region, Travel
from planner.settings import Scenario
from planner.travel.times import seat_area
from planner.words import BY_MODE

SEAT_RULES = ("people_enough", "spaced", "sited", "all_year")


def beyond_reach(access: Access, scenario: Scenario) -> pd.Series:
    """Localities farther from the nearest fixed first level than the threshold; unreachable ones are, unknown ones are not."""
    far: pd.Series = access.localities["first_level_min"] > scenario.reach_first_level_min
    return far


def mobile_size(region: Region, scenario: Scenario) -> pd.Series:
    """Localities small enough for a mobile service."""
    return pd.Series(region.localities["population"] <= scenario.mobile_locality_max)


def vehicle_reaches(travel: Travel, region: Region) -> pd.Series:
    """Localities with a road in the scenario's season: a mobile unit can park there."""
    return travel.road_any.reindex(region.localities.index, fill_value=False)


def brigade_country(travel: Travel, region: Region) -> pd.Series:
    """Localities without a road, or whose road the rains cut: a brigade goes on foot or by 4x4."""
    return ~vehicle_reaches(travel, region) | ~travel.road_all_year.reindex(region.localities.index, fill_value=False)


def mobile_candidates(region: Region, travel: Travel, access: Access, scenario: Scenario) -> pd.DataFrame:
    """Bool columns `umm` and `brigada` by cvegeo: where a stop of each may be set."""
    stop = beyond_reach(access, scenario) & mobile_size(region, scenario) & ~needs_field_visit(access.localities, scenario)
    return pd.DataFrame({"umm": stop & vehicle_reaches(travel, region), "brigada": stop & brigade_country(travel, region)})


def stops_limit(visits_month: float, scenario: Scenario) -> int:
    """Most stops of a circuit that the month has room for, each visited `visits_month` times.

    >>> stops_limit(2.0, Scenario()), stops_limit(8.0, Scenario())
    (10, 4)
    """
    return min(scenario.umm_stops_max, scenario.working_days_month // max(math.ceil(visits_month - 1e-9), 1) * stops_in_day(scenario))


def stops_in_day(scenario: Scenario) -> int:
    """Most stops of a day: as many as may be, if their stays fit in the shift."""
    return min(scenario.stops_day_max, int(scenario.shift_hours / scenario.stop_hours_min + 1e-9))


def seat_rules(region: Region, travel: Travel, access: Access, scenario: Scenario) -> pd.DataFrame:
    """Each candidate seat of a UMR: `people` beyond reach within umr_seat_reach_min of it, and its rules as bool columns.

    `people_enough`: at least umr_people_min of them; `spaced`: umr_spacing_min or more from every fixed first level;
    `sited`: not so small and far that it must be assessed on the ground; `all_year`: a road passable all year. The 30
    minutes of the siting norm are by `mode_umr_seat`, a vehicle by default: that is where a unit has an area of influence;
    whom the unit serves, and what that closes, goes by `mode_first_level`.
    """
    near = seat_area(region, travel, scenario).within(scenario.umr_seat_reach_min)
    far = access.localities["people"].where(beyond_reach(access, scenario), 0.0)
    seats = travel.seats.sites
    people = near["cvegeo"].map(far).groupby(near["site"]).sum().reindex(seats, fill_value=0.0)
    nearest = access.localities["first_level_min"].reindex(seats)
    return pd.DataFrame({
        "people": people, "first_level_min": nearest,
        "people_enough": (people > 0) & (people >= scenario.umr_people_min),
        "spaced": nearest >= scenario.umr_spacing_min,
        "sited": ~needs_field_visit(access.localities, scenario).reindex(seats, fill_value=False),
        "all_year": travel.road_all_year.reindex(seats, fill_value=False)}, index=seats)


def serves_enough(pairs: pd.DataFrame, scenario: Scenario) -> pd.DataFrame:
    """The pairs (site, available, gain) of seats that would better the access of umr_people_min people or more."""
    gainful = pairs[pairs["gain"] > 0]
    people = gainful.groupby("site")["available"].sum()
    return gainful[gainful["site"].isin(people.index[people >= scenario.umr_people_min])]


def left_out(options: tuple[Option, ...], reached: pd.Index, region: Region, access: Access, scenario: Scenario) -> pd.DataFrame:
    """Why a locality beyond reach has no option: index cvegeo, columns `rule` (name) and `reason` (Spanish).

    `reached` are the localities to which some mobile team has a way.
    """
    index = region.localities.index
    served = index.isin(pd.concat([o.serves["cvegeo"] for o in options])) if options else np.zeros(len(index), bool)
    rows = access.localities.reindex(index)
    causes = {  # the first that holds is told
        "sin_tiempos": (rows["first_level_min"].isna(), "sin tiempos de traslado conocidos"),
        "sin_personas": (rows["people"] <= 0, "sin población objetivo"),
        "sin_brecha": (rows["weighted_gap"].isna(), "sin grado de rezago o brecha conocida"),
        "valorar_en_campo": (needs_field_visit(access.localities, scenario), f"menos de {scenario.mobile_locality_min:g} personas"
                             f" y a más de {scenario.remote_min:g} min: valorar en campo"),
        "localidad_grande": (~mobile_size(region, scenario),
                             f"más de {scenario.mobile_locality_max:g} habitantes, y ninguna sede de UMR factible la acerca"),
        "sin_base": (pd.Series(~index.isin(reached), index),
                     f"ningún equipo llega {BY_MODE[scenario.mode_teams]} desde una unidad fija: primera parada a más de "
                     f"{scenario.first_stop_max_min:g} min, o de parada a parada más de {scenario.leg_max_min:g}"),
        "ruta_corta": (pd.Series(True, index), f"las rutas y sedes posibles no reúnen el mínimo de personas"
                                               f" ({scenario.mobile_people_min:g} en ruta, {scenario.umr_people_min:g} en UMR)"),
    }
    rule = np.select([c[0].to_numpy(bool) for c in causes.values()], list(causes), default="ruta_corta")
    out = pd.DataFrame({"rule": rule, "reason": [causes[r][1] for r in rule]}, index=index)
    return out[(beyond_reach(access, scenario) | rows["first_level_min"].isna()) & ~served]


def why_not(plan: Plan, reached: pd.Index, region: Region, access: Access, scenario: Scenario) -> pd.Series:
    """Spanish reason by cvegeo of every locality that the plan leaves as it is: no feasible option, or none that was chosen."""
    reason: pd.Series = left_out(plan.options, reached, region, access, scenario)["reason"].astype(object)
    able = pd.DataFrame([(cvegeo, o.id) for o in plan.options for cvegeo in o.serves["cvegeo"].unique()], columns=["cvegeo", "option"])
    waiting = able[~able["cvegeo"].isin(plan.served["cvegeo"])].sort_values(["cvegeo", "option"]).groupby("cvegeo")["option"]
    unfunded = {c: f"{len(ids)} {'intervención factible la atendería' if len(ids) == 1 else 'intervenciones factibles la atenderían'} "
                   f"({ids.iloc[0]}{', …' if len(ids) > 1 else ''}); el plan de este presupuesto no elige ninguna" for c, ids in waiting}
    out: pd.Series = pd.concat([reason, pd.Series(unfunded, dtype=object)])
    return out.rename_axis("cvegeo").sort_index()
