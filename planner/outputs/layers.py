"""The layers of a run, with Spanish names: the one source of the map and of every file, so they cannot disagree."""

from __future__ import annotations

from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd

from planner import schema
from planner.access.catchments import catchments
from planner.access.rules import chosen_options
from planner.borders import across
from planner.columns import Table
from planner.decide.regional.regionalization import Regionalization
from planner.kinds import LEVELS, MODES
from planner.model import Outcome, Plan, Region, Travel
from planner.outputs.calendar import team_calendar
from planner.outputs.exporting import exported
from planner.outputs.regional import FILES, LAYERS, of_localities, of_units, regional_layers
from planner.settings import Scenario
from planner.travel.times import nearest_seats, surface_in_mode

# What each layer holds, in the order of its fields; the first table gives the key.
TABLES: dict[str, tuple[Table, ...]] = {
    "localidades": (schema.LOCALITIES, schema.ACCESS, schema.ABROAD, schema.PLANNED, schema.BY_MODE, schema.SUGGESTION, schema.COMMUNITY,
                    schema.LOCALITY_REGIONAL),
    "unidades": (schema.UNITS, schema.UNIT_RESULTS, schema.UNIT_PLANNED, schema.REFERRAL_UNIT, schema.UNIT_ABROAD, schema.UNIT_REGIONAL),
    "propuestas": (schema.PROPOSALS,),
    "rutas": (schema.ROUTES,),
    "areas_influencia": (schema.CATCHMENTS,),
    "referencias": (schema.REFERRALS,),
    **LAYERS,
}


def layers(region: Region, travel: Travel, outcome: Outcome, plan: Plan, scenario: Scenario, found: Regionalization | None = None,
           ) -> dict[str, gpd.GeoDataFrame]:
    """Every layer of the run in the region's CRS, indexed by its key, fields as in `TABLES` under their export names.

    Those of the regionalization come with it only; without it, what it tells of localities and units is null.

    Null stands for unreachable and unknown. Figures keep twelve significant digits, so indicators can be recomputed from
    the layers. DataError if a table breaks its declaration.
    """
    made = {
        "localidades": _localities(region, travel, outcome).join(of_localities(outcome.localities, found)),
        "unidades": _units(region, travel, outcome).join(of_units(outcome.units, found)),
        "propuestas": outcome.proposals,
        "rutas": _routes(region, outcome, plan, scenario),
        "areas_influencia": _areas(region, travel, plan, scenario),
        "referencias": _referrals(region, travel, scenario),
        **(regional_layers(region, found) if found is not None else {}),
    }
    return {name: _exported(name, frame, region.crs) for name, frame in made.items()}


def dictionary() -> pd.DataFrame:
    """What each field of each layer, of the calendar and of the regional tables means: one row per file and field, in their order."""
    told = TABLES | {"calendario": (schema.CALENDAR,), "atencion": (schema.ATTENDED,), "fuentes": (schema.CREDITS,)}
    told |= {name: tables for name, tables in FILES.items() if name not in TABLES}
    return pd.DataFrame([
        {"capa": name, "campo": c.export, "etiqueta": c.label, "significado": c.meaning, "tipo": c.kind, "unidad": c.unit, "marca": c.mark}
        for name, tables in told.items() for c in (tables[0].key, *(c for t in tables for c in t.columns))])


def _exported(name: str, frame: gpd.GeoDataFrame, crs: str) -> gpd.GeoDataFrame:
    ordered = frame.sort_index()
    table = exported(TABLES[name], pd.DataFrame(ordered.drop(columns=ordered.geometry.name)), f"Capa {name}")
    return gpd.GeoDataFrame(table, geometry=ordered.geometry.array, crs=crs)


def _localities(region: Region, travel: Travel, outcome: Outcome) -> gpd.GeoDataFrame:
    index = outcome.localities.index
    by_mode = {f"{level}_{mode}_min": travel.nearest[level, mode]["minutes"].reindex(index) for level in LEVELS for mode in MODES}
    abroad = across(region, outcome.localities, {"assigned": "unidad asignada", "first_level_clues": "primer nivel",
                                                 "hospital_clues": "hospital"})
    return outcome.localities.assign(**by_mode, abroad=abroad).join(_community(region))


def _community(region: Region) -> pd.DataFrame:
    """What the community organises in every locality of the region, null where nobody tells."""
    index = region.localities.index
    if region.community is not None:
        return region.community.reindex(index)
    kinds = {"int": "Int64", "text": "str"}
    return pd.DataFrame({c.name: pd.Series(None, index, dtype=kinds[c.kind]) for c in schema.COMMUNITY.columns})


def _units(region: Region, travel: Travel, outcome: Outcome) -> gpd.GeoDataFrame:
    referral = travel.referral.reindex(outcome.units.index)
    table = outcome.units.assign(hospital=referral["site"], hospital_min=referral["minutes"].astype(float))
    return table.assign(abroad=across(region, table, {"hospital": "hospital de referencia"}))


def _referrals(region: Region, travel: Travel, scenario: Scenario) -> gpd.GeoDataFrame:
    """The way from each fixed first-level unit to its nearest hospital, where one is known."""
    found, names = travel.referral, region.units["name"]
    table = found.assign(name=names.reindex(found.index), hospital=found["site"], hospital_name=found["site"].map(names),
                         km=found["metres"].astype(float) / 1000, mode=scenario.mode_hospital)
    return gpd.GeoDataFrame(table, geometry=found.geometry.name, crs=region.crs)


def _routes(region: Region, outcome: Outcome, plan: Plan, scenario: Scenario) -> gpd.GeoDataFrame:
    """Each leg of the chosen circuits along the way that it takes, and each stop, with the days of the calendar."""
    visits = team_calendar(region, plan, scenario).sort_values(["route", "visit", "trip", "day", "order"], ignore_index=True)
    visits = visits.assign(place=visits.groupby(["route", "visit"]).cumcount() + 1)
    days = visits.groupby(["route", "place"])["day"].agg(lambda days: ", ".join(map(str, sorted(days)))).rename("days")
    ways = outcome.legs.drop(columns="minutes").set_index(["from_id", "to_id"])
    legs = visits[visits["visit"] == 1].join(days, on=["route", "place"]).join(ways, on=["from_id", "to_id"])
    options = {o.id: o for o in chosen_options(plan)}
    people = plan.served.groupby(["option", "cvegeo"])["people"].sum()
    stop = legs["cvegeo"].notna()
    attended = people.reindex(pd.MultiIndex.from_frame(legs[["route", "cvegeo"]])).to_numpy(float)
    legs = legs.assign(
        element="tramo", day_order=legs["order"], order=legs["place"], km=legs["metres"].astype(float) / 1000,
        name=legs["base"] + ", día " + legs["day"].astype("str") + ": " + legs["locality"].fillna("regreso a la base"),
        visits_month=legs["route"].map({i: o.visits_month for i, o in options.items()}).astype(float),
        people=np.where(stop, np.nan_to_num(attended), np.nan))
    stops = legs[stop].assign(element="parada", order=stop.groupby(legs["route"]).cumsum()[stop],
                              geometry=region.localities.geometry.reindex(legs.loc[stop, "cvegeo"]).to_numpy())
    table = pd.concat([stops, legs]) if len(legs) else legs
    table = table.assign(id=table["route"] + "-" + table["order"].astype("str").str.zfill(2) + "-" + table["element"])
    return gpd.GeoDataFrame(table.set_index("id")[[*schema.ROUTES.names(), "geometry"]], geometry="geometry", crs=region.crs)


def _areas(region: Region, travel: Travel, plan: Plan, scenario: Scenario) -> gpd.GeoDataFrame:
    """Ground of each unit today, and the ground to which each new unit would be strictly nearer than any of today's."""
    edges = (scenario.ramp_first_level_good_min, scenario.reach_first_level_min, scenario.ramp_first_level_none_min)
    today = surface_in_mode(lambda way: travel.surfaces["primer_nivel", way], scenario)
    seats = {o.place: o for o in chosen_options(plan) if o.kind == "umr"}
    new, _ = nearest_seats(region, sorted(seats), scenario)
    new = replace(new, site=np.where(new.minutes < today.minutes, new.site, -1))
    now, then = catchments(today, region.grid, edges), catchments(new, region.grid, edges)
    now = now[now["site"].isin(region.units.index)]  # beyond the border only of units that somebody of the region goes to
    table = pd.concat([
        now.assign(origin="actual", clues=now["site"], proposal=None, name=now["site"].map(region.units["name"])),
        then.assign(origin="propuesta", clues=None, proposal=[seats[s].id for s in then["site"]],
                    name=[seats[s].name for s in then["site"]]),
    ], ignore_index=True)
    table["id"] = [f"{owner}-{edge:g}" for owner, edge in zip(table["clues"].fillna(table["proposal"]), table["to_min"], strict=True)]
    return table.assign(mode=scenario.mode_first_level, area_km2=table.area / 1e6).set_index("id")
