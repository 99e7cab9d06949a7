"""Districts of a region: drawn, told in tables beside today's grouping, changed by hand, and their frontier of number and balance."""

from __future__ import annotations

import difflib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, product
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd

from planner.access.catchments import catchments
from planner.access.indicators import weighted_percentile
from planner.decide.regional.areas import Areas, locality_areas, locality_surface, municipal_areas
from planner.decide.regional.measures import Measures, by_place, canonical, measures, outlined, roundness
from planner.decide.regional.partition import Partition, best_count, moved, partition
from planner.decide.regional.placing import Least
from planner.decide.regional.rules import Broken, Rules, around_mean, district_id
from planner.errors import SettingsError
from planner.model import Access, Region
from planner.schema import regional as schema
from planner.settings import Scenario

Array = np.ndarray
_P90 = 0.9
_UNGROUPED = "Sin distrito"
_MUNICIPALITY = 5  # digits of a municipality's key, which those of its localities begin with


@dataclass(frozen=True, eq=False)
class Districts:
    """A grouping of areas into districts with what it is worth, beside today's; `partition` says what is proved of it."""

    areas: Areas
    rules: Rules
    partition: Partition
    table: gpd.GeoDataFrame  # schema.DISTRICTS by district, named for its most populous area; the polygons of its areas in one
    members: pd.DataFrame  # schema.DISTRICT_OF_MUNICIPALITY by area, with `cve_mun` and `population`
    shapes: gpd.GeoSeries  # by area, the region's CRS
    today: Measures | None  # of today's grouping; None where the region has none
    reach_min: float

    @property
    def solution(self) -> Least:
        return self.partition.solution

    @property
    def measures(self) -> Measures:
        return self.partition.measures

    @property
    def broken(self) -> tuple[Broken, ...]:
        return self.partition.broken


def districts(region: Region, access: Access, scenario: Scenario, cache: Path | None = None) -> Districts:
    """Districts of whole municipalities: `regional.districts` of them, or as many as today's groups, or the best number.

    The best number is sought from those whose people one hospital's norm would serve (`hospital_people_max`) to one for each
    municipality with a hospital. SettingsError for rules that name what is not there or contradict themselves.
    """
    return _districts(region, municipal_areas(region, access, scenario, cache), region.municipalities.geometry, scenario)


def locality_districts(region: Region, access: Access, scenario: Scenario, cache: Path | None = None) -> Districts:
    """The same of localities, whatever their municipality; their polygons are the ground each is the nearest to.

    A municipality named in `together` or `apart` stands for all its localities.
    """
    ground = locality_surface(region, scenario, cache)
    drawn = catchments(ground, region.grid, [math.inf]).set_index("site").geometry
    areas = locality_areas(region, access, scenario, cache)
    return _districts(region, areas, gpd.GeoSeries(drawn.reindex(areas.ids), crs=region.crs), scenario)


def today(areas: Areas, region: Region) -> Measures | None:
    """What today's grouping is worth by the same measures; None where the region has none.

    A group without public hospital uses the nearest outside. Municipalities without group count as one group of their own.
    """
    names = _today(areas, region)
    return None if names.isna().all() else measures(areas, canonical(pd.factorize(names.fillna(_UNGROUPED))[0]))


def rules_of(areas: Areas, scenario: Scenario, count: int, tolerance: float | None = None) -> Rules:
    """The scenario's rules for so many districts; `tolerance` takes the place of district_tolerance.

    SettingsError for a key that is no area, with the nearest that is.
    """
    asked = scenario.regional
    low, high = around_mean(float(areas.people.sum()), count, asked.district_tolerance if tolerance is None else tolerance)
    together = [_keys(areas, text, "together") for text in asked.together]
    apart = [_keys(areas, text, "apart") for text in asked.apart]
    pairs = {(min(a, b), max(a, b)) for groups in apart for one, other in combinations(groups, 2) for a, b in product(one, other)}
    return Rules(count, low, high, tuple(tuple(sorted({a for group in groups for a in group})) for groups in together),
                 tuple(sorted(pairs)), asked.weight_minutes, asked.weight_crossing, asked.weight_compactness,
                 asked.hospital_required)


def moved_by_hand(found: Districts, area: str, to: str) -> Districts:
    """The districts with one area (its key) passed to another district (its id), counted anew; `broken` tells what that breaks.

    SettingsError for an area or a district that is not there.
    """
    at, = found.areas.ids.get_indexer(pd.Index([area]))
    labels = [district_id(k, found.rules.count) for k in range(int(found.partition.district.max()) + 1)]
    if at < 0 or to not in labels:
        unknown, known = (area, list(found.areas.ids)) if at < 0 else (to, labels)
        raise SettingsError(f"«{unknown}» no está en estos distritos{_like(unknown, known)}.")
    names = found.members["name"].tolist()
    again = moved(found.areas, found.partition.district, int(at), labels.index(to), found.rules, names)
    facts = found.members[["name", "cve_mun", "population", "district_today"]]
    return _told(found.areas, found.rules, again, facts, found.shapes, found.today, found.reach_min)


def frontier(areas: Areas, region: Region, counts: Sequence[int], tolerances: Sequence[float], scenario: Scenario) -> pd.DataFrame:
    """Balance, minutes and crossing of the best districts found for each number and tolerance; a first row tells today's grouping.

    Columns: grouping (`hoy` / `propuesta`), count, tolerance, status (`factible`, `imposible`: proved, `sin probar`: none found, nothing
    proved), spread, minutes, crossing, compactness, score, bound (no grouping scores lower), efficient (no other row of as many
    districts is as good in spread, minutes and crossing and better in one). Numbers are null unless the status is `factible`.
    """
    rows = []
    standing = today(areas, region)
    if standing is not None:
        rows.append({"grouping": "hoy", "count": len(standing.people), "status": "factible", **_worth(standing)})
    for count, tolerance in product(sorted(set(counts)), sorted(set(tolerances))):
        found = partition(areas, rules_of(areas, scenario, count, tolerance), scenario.seed)
        kept = found.proof == "factible"
        rows.append({"grouping": "propuesta", "count": count, "tolerance": tolerance, "status": found.proof,
                     **(_worth(found.measures) if kept else {}), "score": found.solution.value if kept else np.nan,
                     "bound": found.solution.bound if kept else np.nan})
    names = ["grouping", "count", "tolerance", "status", "spread", "minutes", "crossing", "compactness", "score", "bound"]
    table = pd.DataFrame(rows).reindex(columns=names)
    worth = table[["spread", "minutes", "crossing"]].to_numpy(float)
    return table.assign(efficient=_efficient(worth, table["count"].to_numpy()))


def _districts(region: Region, areas: Areas, shapes: gpd.GeoSeries, scenario: Scenario) -> Districts:
    names = _facts(areas, region)
    standing = today(areas, region)
    asked = scenario.regional.districts or names["district_today"].nunique()
    if asked != "libre" and asked > 0:
        rules = rules_of(areas, scenario, asked)
        found = partition(areas, rules, scenario.seed, names["name"].tolist())
    else:
        counts = _plausible(areas, scenario)
        found, _ = best_count(areas, rules_of(areas, scenario, counts[0]), counts, scenario.seed, scenario.regional.district_tolerance,
                              names["name"].tolist())
        rules = rules_of(areas, scenario, int(found.district.max()) + 1)
    return _told(areas, rules, found, names, shapes.reindex(areas.ids), standing, scenario.reach_hospital_min)


def _plausible(areas: Areas, scenario: Scenario) -> range:
    """Numbers of districts that may be best: see `districts`."""
    most = max(1, len(np.unique(areas.hospital_at)))
    norm = scenario.regional.hospital_people_max
    least = min(most, 2 if norm is None else max(1, math.ceil(areas.people.sum() / norm)))
    return range(least, most + 1)


def _told(areas: Areas, rules: Rules, found: Partition, facts: pd.DataFrame, shapes: gpd.GeoSeries, standing: Measures | None,
          reach_min: float) -> Districts:
    ids = np.array([district_id(k, rules.count) for k in found.district])
    target = pd.Series(areas.people, areas.ids)
    members = facts.assign(district=pd.Series(ids, areas.ids, dtype="str"), people=target)
    weight = members.groupby(["district_today", "district"])["people"].sum()
    main = weight.sort_values(ascending=False, kind="stable").reset_index("district").groupby(level=0)["district"].first()
    members["changes"] = members["district_today"].notna() & (members["district_today"].map(main) != members["district"])
    table = _table(areas, found, members, reach_min)
    return Districts(areas, rules, found, gpd.GeoDataFrame(table, geometry=_dissolved(shapes, members["district"]), crs=shapes.crs),
                     members, shapes, standing, reach_min)


def _table(areas: Areas, found: Partition, members: pd.DataFrame, reach_min: float) -> pd.DataFrame:
    minutes, crosses = by_place(areas, found.district)
    places = pd.DataFrame({"district": members["district"].to_numpy()[areas.point_at], "people": areas.point_people, "minutes": minutes,
                           "crosses": crosses})
    number = found.measures
    shape = roundness(areas, found.district) if outlined(areas) else np.full(len(number.people), np.nan)
    rows = {}
    for k, (district, own) in zip(np.unique(found.district), members.groupby("district"), strict=True):
        lived = places[places["district"] == district]
        people = lived["people"].to_numpy()
        rows[district] = {
            "name": own.sort_values("people", ascending=False, kind="stable")["name"].iloc[0],
            "municipalities": own["cve_mun"].nunique(), "municipality_keys": ", ".join(sorted(own["cve_mun"].unique())),
            "population": int(own["population"].sum()), "people": float(number.people[k]),
            "spread": number.people[k] / number.people.mean() - 1 if number.people.sum() > 0 else 0.0,
            "hospitals": int(number.hospitals[k]), "minutes_mean": number.minutes_by[k],
            "minutes_p90": weighted_percentile(lived["minutes"].to_numpy(), people, _P90),
            "people_beyond": people[lived["minutes"] > reach_min].sum(),
            "crossing_share": people[lived["crosses"]].sum() / people.sum() if len(people) else 0.0,
            "compactness": shape[k], "contiguous": bool(number.contiguous[k])}
    table = pd.DataFrame.from_dict(rows, orient="index")
    return table.astype({"minutes_p90": float})[schema.DISTRICTS.names()].rename_axis("district")


def _dissolved(shapes: gpd.GeoSeries, district: pd.Series) -> gpd.GeoSeries:
    drawn = shapes[shapes.notna() & ~shapes.is_empty]
    merged = gpd.GeoDataFrame({"district": district.reindex(drawn.index)}, geometry=drawn).dissolve("district").geometry
    return gpd.GeoSeries(merged.reindex(sorted(district.unique())), crs=shapes.crs)


def _facts(areas: Areas, region: Region) -> pd.DataFrame:
    """Name, municipality, population and today's district of each area."""
    towns, places = region.municipalities, region.localities
    if areas.ids.isin(towns.index).all():
        population = places.groupby("cve_mun")["population"].sum().reindex(areas.ids, fill_value=0)
        facts = pd.DataFrame({"name": towns["name"].reindex(areas.ids), "cve_mun": areas.ids, "population": population})
    else:
        facts = pd.DataFrame(places.reindex(areas.ids)[["name", "cve_mun", "population"]])
    return facts.assign(district_today=_today(areas, region))


def _today(areas: Areas, region: Region) -> pd.Series:
    """Today's district of each area: its own, or its municipality's."""
    own = areas.ids.isin(region.municipalities.index).all()
    key = areas.ids if own else pd.Index(region.localities["cve_mun"].reindex(areas.ids))
    return pd.Series(region.municipalities["district"].reindex(key).to_numpy(), areas.ids, dtype="str")


def _keys(areas: Areas, text: str, where: str) -> list[list[int]]:
    """The areas of each key of a rule such as 13048+13051; a municipality stands for all its localities."""
    keys = [key.strip() for key in text.split("+")]
    if len(keys) < 2 or not all(keys):
        raise SettingsError(f"regional.{where} = «{text}» necesita dos claves o más unidas por +, como 13048+13051.")
    found = [np.flatnonzero((areas.ids == key) | (areas.ids.str[:_MUNICIPALITY] == key)).tolist() for key in keys]
    unknown = [key for key, at in zip(keys, found, strict=True) if not at]
    if unknown:
        raise SettingsError(f"regional.{where}: la clave «{unknown[0]}» no existe en la región{_like(unknown[0], list(areas.ids))}.")
    return found


def _like(key: str, known: list[str]) -> str:
    near = difflib.get_close_matches(key, known, n=1)
    return f" (¿quiso decir «{near[0]}»?)" if near else ""


def _worth(found: Measures) -> dict[str, float]:
    return {"spread": found.spread, "minutes": found.minutes, "crossing": found.crossing, "compactness": found.compactness}


def _efficient(worth: Array, count: Array) -> Array:
    """Rows that no other row of the same count is as good as in every column and better in one, lower being better; not missing ones."""
    good = np.isfinite(worth).all(axis=1)
    peers = [worth[good & (count == own)] for own in count]
    beaten = [bool(((peer <= row).all(axis=1) & (peer < row).any(axis=1)).any()) for peer, row in zip(peers, worth, strict=True)]
    return np.asarray(good & ~np.array(beaten, bool))
