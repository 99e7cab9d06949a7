"""Referral networks: which hospital each unit sends its people to, by minutes and within the hospitals' capacity."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from planner.access.outcome import moves_of, people_taken
from planner.access.rules import chosen_options
from planner.decide.regional.placing import Least, Placing, place_whole
from planner.kinds import FOREIGN
from planner.model import Access, Finding, Plan, Region, Travel, TravelTimes
from planner.settings import Scenario
from planner.travel.times import times_between

WHERE = "redes de referencia"
NEVER = ("hospital_especializado", "especialidad")  # classes that are no referral hospital, whoever runs them
ATTACHED = ("caro", "ambulancia", "umm", "brigada", "ruta")  # kinds of option that belong to the network of their base


@dataclass(frozen=True, eq=False)
class Networks:
    """Each unit in one network, with its alternate in the rains.

    `units`, by id (clues, or id of a proposed UMR): name, kind (fija, propuesta, movil), people (target, of its universe under the
    plan), hospital and minutes (null and inf: none within hospital_cutoff_min), fits (within the capacity), nearest and nearest_min,
    second and second_min (the nearest other than its own), rain_own_min (to its own, in the rains), rain_hospital, rain_min and
    rain_changes (where to go in the rains: its own, unless these change which is nearest or cut the way to it).
    `hospitals`, by clues: what each network holds. `attached`: the plan's options of other kinds, in the network of their base.
    `lines`: from unit to hospital; `straight` where the way is not told. `far`: localities beyond reach_hospital_min.
    """

    units: gpd.GeoDataFrame
    hospitals: pd.DataFrame
    attached: pd.DataFrame
    lines: gpd.GeoDataFrame
    far: pd.DataFrame
    solution: Least  # people x minutes
    findings: tuple[Finding, ...]


def networks(region: Region, travel: Travel, access: Access, plan: Plan, scenario: Scenario, cache: Path | None = None) -> Networks:
    """The networks of least people x minutes in which each unit is whole, no hospital holding more than `hospital_people_max`.

    Units are today's fixed and mobile ones and the plan's UMR. People for whom a hospital itself answers take its room first. A unit
    that finds no room goes to its nearest hospital, told as over capacity, and counts hospital_cutoff_min more a person.
    `cache` is a folder that keeps what was searched before. SolverError from the solver.
    """
    items = referring_units(region, access, plan, scenario)
    hospitals = referral_hospitals(region, scenario)
    own = access.units["population"].reindex(hospitals.index).fillna(0.0).to_numpy(float)
    dry, wet = (_between(region, items, hospitals, scenario.model_copy(update={"season": season}), cache)
                for season in (scenario.season, "lluvias"))
    limit = scenario.regional.hospital_people_max
    room = np.full(len(hospitals), np.inf) if limit is None else limit - own
    placed = place_whole(items["people"].to_numpy(float), dry, room, scenario.regional.hospital_cutoff_min)
    units = _told(items, hospitals.index, placed, dry, wet)
    return Networks(
        units, _by_hospital(hospitals, units, own, _universes(access, plan, items), limit), _attached(plan, units, hospitals.index),
        _lines(region, travel, items, units, hospitals), _far(region, access, scenario), placed.least,
        _findings(region, units, hospitals, scenario))


def referral_hospitals(region: Region, scenario: Scenario) -> gpd.GeoDataFrame:
    """The public hospitals, and the second level of `referral_institutions` but for speciality; by clues."""
    units = region.units
    others = units["institution"].isin(scenario.regional.referral_institutions) & (units["level"] == 2).fillna(False)
    others &= ~units["unit_class"].isin(NEVER) & (units["role"] != FOREIGN)
    return units[(units["role"] == "hospital") | others].sort_index()


def referring_units(region: Region, access: Access, plan: Plan, scenario: Scenario) -> gpd.GeoDataFrame:
    """Units that refer, by id: name, kind, people under the plan, point. Those of a new UMR have left their unit of today."""
    today = region.units[region.units["role"].isin(("primer_nivel", "movil"))]
    left = moves_of(access, people_taken(access, plan, scenario), scenario).groupby("clues")["moved"].sum()
    people = access.units["population"].reindex(today.index).fillna(0.0) - left.reindex(today.index).fillna(0.0)
    kind = today["role"].map({"primer_nivel": "fija", "movil": "movil"})
    new = [o for o in chosen_options(plan) if o.kind == "umr"]
    taken = plan.served.groupby("option")["people"].sum()
    seats = gpd.GeoDataFrame(
        {"name": [o.name for o in new], "kind": "propuesta", "people": [float(taken.get(o.id, 0.0)) for o in new]},
        index=pd.Index([o.id for o in new], dtype="str"), geometry=[region.localities.geometry[o.place] for o in new], crs=region.crs)
    fixed = gpd.GeoDataFrame({"name": today["name"], "kind": kind, "people": people.clip(lower=0.0)}, geometry=today.geometry)
    both = fixed if not new else gpd.GeoDataFrame(pd.concat([fixed, seats]), crs=region.crs)
    return both.rename_axis("unit").sort_index()


def _between(region: Region, items: gpd.GeoDataFrame, hospitals: gpd.GeoDataFrame, scenario: Scenario, cache: Path | None) -> np.ndarray:
    """Minutes by mode_hospital, units x hospitals; inf beyond the search."""
    out = np.full((len(items), len(hospitals)), np.inf)
    if out.size:
        told = times_between(region, scenario, scenario.mode_hospital, items, hospitals, scenario.regional.hospital_cutoff_min, cache)
        out[_rows(told), told.site] = told.value
    return out


def _rows(told: TravelTimes) -> np.ndarray:
    return np.repeat(np.arange(len(told.localities)), np.diff(told.indptr))


def _told(items: gpd.GeoDataFrame, ids: pd.Index, placed: Placing, dry: np.ndarray, wet: np.ndarray) -> gpd.GeoDataFrame:
    others = dry.copy()
    some = placed.site >= 0
    others[np.flatnonzero(some), placed.site[some]] = np.inf
    near, second, wettest = (_first(minutes) for minutes in (dry, others, wet))
    wet_own = _read(wet, placed.site)
    changes = some & ((wettest != near) | ~np.isfinite(wet_own))
    rainy = np.where(changes, wettest, placed.site)
    columns: dict[str, object] = {"name": items["name"], "kind": items["kind"], "people": items["people"]}
    for name, site, minutes in (("", placed.site, dry), ("nearest", near, dry), ("second", second, dry)):
        columns[name or "hospital"] = _ids(ids, site)
        columns[f"{name}_min" if name else "minutes"] = _read(minutes, site)
        if not name:
            columns["fits"] = placed.fits
    table = {**columns, "rain_own_min": wet_own, "rain_hospital": _ids(ids, rainy), "rain_min": _read(wet, rainy), "rain_changes": changes}
    return gpd.GeoDataFrame(table, index=items.index, geometry=items.geometry)


def _first(minutes: np.ndarray) -> np.ndarray:
    """Position of the least of each row (ties: the first), -1 where none is finite."""
    if not minutes.size:
        return np.full(len(minutes), -1)
    return np.where(np.isfinite(minutes).any(axis=1), minutes.argmin(axis=1), -1)


def _read(minutes: np.ndarray, site: np.ndarray) -> np.ndarray:
    out = np.full(len(site), np.inf)
    some = np.flatnonzero(site >= 0)
    out[some] = minutes[some, site[some]]
    return out


def _ids(ids: pd.Index, site: np.ndarray) -> np.ndarray:
    named = np.full(len(site), None, dtype=object)
    named[site >= 0] = ids.to_numpy(object)[site[site >= 0]]
    return named


def _universes(access: Access, plan: Plan, items: gpd.GeoDataFrame) -> pd.DataFrame:
    """Unit and cvegeo of every locality that a unit answers for, today or under the plan."""
    today = access.shares.loc[access.shares["share"] > 0, ["clues", "cvegeo"]].rename(columns={"clues": "unit"})
    new = plan.served.loc[plan.served["option"].isin(items.index), ["option", "cvegeo"]].rename(columns={"option": "unit"})
    return pd.concat([today, new]).drop_duplicates()


def _by_hospital(hospitals: gpd.GeoDataFrame, units: pd.DataFrame, own: np.ndarray, universes: pd.DataFrame, limit: float | None
                 ) -> pd.DataFrame:
    index = hospitals.index
    held = units[units["hospital"].notna()]
    by = held.groupby("hospital")
    people = by["people"].sum().reindex(index, fill_value=0.0) + own
    over = held.loc[~held["fits"]].groupby("hospital")["people"].sum().reindex(index, fill_value=0.0)
    weighed = (held["people"] * held["minutes"]).groupby(held["hospital"]).sum().reindex(index)
    served = universes.assign(hospital=universes["unit"].map(pd.concat([held["hospital"], pd.Series(index, index, dtype=object)])))
    referred = people - own
    kinds = {f"units_{kind}": (held["kind"] == kind).groupby(held["hospital"]).sum().reindex(index, fill_value=0).astype(int)
             for kind in ("fija", "propuesta", "movil")}
    return pd.DataFrame({
        "name": hospitals["name"], "institution": hospitals["institution"], **kinds,
        "localities": served.groupby("hospital")["cvegeo"].nunique().reindex(index, fill_value=0).astype(int),
        "people": people, "own_people": own, "over_people": over, "capacity": np.inf if limit is None else limit,
        "load": np.nan if limit is None else people / limit,
        "nearest_people": units.groupby("nearest")["people"].sum().reindex(index, fill_value=0.0) + own,
        "mean_min": (weighed / referred.where(referred > 0)), "max_min": by["minutes"].max().reindex(index),
    }, index=index)


def _attached(plan: Plan, units: pd.DataFrame, hospitals: pd.Index) -> pd.DataFrame:
    """The plan's CARO, ambulances and circuits by id: kind, base, hospital (of the base, or the base itself)."""
    chosen = [o for o in chosen_options(plan) if o.kind in ATTACHED]
    base = pd.Series([o.place for o in chosen], index=pd.Index([o.id for o in chosen], name="id", dtype="str"), dtype=object)
    return pd.DataFrame({"kind": [o.kind for o in chosen], "base": base,
                         "hospital": base.where(base.isin(hospitals), base.map(units["hospital"]))}, index=base.index)


def _lines(region: Region, travel: Travel, items: gpd.GeoDataFrame, units: pd.DataFrame, hospitals: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """A line of each unit with a hospital: the way to the nearest where that is its own, else straight."""
    held = units[units["hospital"].notna()]
    known = travel.referral["site"].reindex(held.index) == held["hospital"]
    a, b = items.geometry.reindex(held.index), hospitals.geometry.reindex(held["hospital"])
    shapes = gpd.GeoSeries(
        [shapely.LineString([p, q]) for p, q in zip(a, b, strict=True)], index=held.index, crs=region.crs)
    shapes = shapes.where(~known, gpd.GeoSeries(travel.referral.geometry.reindex(held.index), crs=region.crs))
    return gpd.GeoDataFrame(held[["name", "kind", "hospital", "minutes", "fits", "people"]].assign(straight=~known), geometry=shapes)


def _far(region: Region, access: Access, scenario: Scenario) -> pd.DataFrame:
    """Inhabited localities not known to reach a public hospital in time: name, people, minutes (NaN: unknown), hospital."""
    table = access.localities
    beyond = (table["people"] > 0) & ~(table["hospital_min"] <= scenario.reach_hospital_min)
    told = table.loc[beyond, ["people", "hospital_min", "hospital_clues"]].sort_index()
    return told.assign(name=region.localities["name"].reindex(told.index))[["name", "people", "hospital_min", "hospital_clues"]]


def _findings(region: Region, units: pd.DataFrame, hospitals: gpd.GeoDataFrame, scenario: Scenario) -> tuple[Finding, ...]:
    asked = set(scenario.regional.referral_institutions)
    none = "Agregue hospitales de otras instituciones (referral_institutions) o suba hospital_cutoff_min."
    return (
        *Finding.of("institucion_sin_hospital", "aviso", "Instituciones de referencia sin hospitales de segundo nivel en los datos", WHERE,
                    asked - set(hospitals["institution"]), "Revise sus claves en el catálogo."),
        *Finding.of("sin_hospitales", "error", "Regiones sin hospital de referencia: ninguna unidad tiene red", WHERE,
                    [] if len(hospitals) else [region.slug], none),
        *Finding.of("unidad_sin_hospital", "aviso", "Unidades sin hospital de referencia dentro de la búsqueda", WHERE,
                    units.index[units["hospital"].isna()] if len(hospitals) else [], none),
        *Finding.of("hospital_sin_lugar", "aviso", "Unidades que no caben en ningún hospital y van al más cercano, sobre su capacidad",
                    WHERE, units.index[units["hospital"].notna() & ~units["fits"]], "Suba hospital_people_max o sume hospitales."),
        *Finding.of("cambia_en_lluvias", "nota", "Unidades que en lluvias refieren a otro hospital", WHERE,
                    units.index[units["rain_changes"]]))
