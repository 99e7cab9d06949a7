"""Back from the window to the state: its own localities and units, and those of its neighbours that it uses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from planner.errors import SettingsError
from planner.kinds import FOREIGN
from planner.model import Access, Region, Travel, TravelTimes


def within(region: Region, wide: Region, travel: Travel, access: Access) -> tuple[Region, Travel, Access]:
    """The state of `region`, with the travel and access that were computed on its window `wide` (the scenario's network of it).

    Localities, shares, minutes and people are those of the state alone. Units are its own and those of the neighbours that these use:
    assigned, nearest of some level and mode, or referred to. The latter have the role `vecina`, so that no option stands in them, no
    team is based there and no count of the state's units has them; their load, capacity and rho stay those of the window, people of
    both sides. Ground, roads and surfaces stay the window's: teams and new units use them across the border. Of today's circuits those
    stay that visit nobody else. SettingsError where the window does not hold the state.
    """
    places = region.localities.index
    units = region.units.index[region.units["role"] != FOREIGN]
    lost = [*places.difference(wide.localities.index), *units.difference(wide.units.index)]
    if lost:
        raise SettingsError(f"{len(lost)} localidades o unidades de {region.name} no están en ella con su borde ({', '.join(lost[:3])}): "
                            "haga el borde con la misma región preparada.")
    near = {key: table[table.index.isin(places)] for key, table in travel.nearest.items()}
    referral = travel.referral[travel.referral.index.isin(units)]
    shares = access.shares[access.shares["cvegeo"].isin(places)].reset_index(drop=True)
    used = {*shares["clues"], *referral["site"], *(c for table in near.values() for c in table["clues"].dropna().unique())}
    kept = wide.units[wide.units.index.isin(units) | wide.units.index.isin(used)]
    own = kept.index.isin(units)
    moved = travel.moved
    state = replace(
        wide, localities=wide.localities[wide.localities.index.isin(places)], units=kept.assign(role=kept["role"].where(own, FOREIGN)),
        municipalities=region.municipalities, responsibility=_of_places(wide.responsibility, places),
        circuits=None if region.circuits is None else _circuits(wide.circuits, places, units), resources=region.resources,
        community=region.community, served=region.served)
    its_travel = replace(
        travel, nearest=near, first_level=_cut(travel.first_level, places, kept.index), seats=_cut(travel.seats, places, places),
        bases=_cut(travel.bases, places, units), road_all_year=_its(travel.road_all_year, places), road_any=_its(travel.road_any, places),
        moved=moved[moved["id"].isin(places.union(units))].reset_index(drop=True), referral=referral)
    return state, its_travel, Access(
        access.localities[access.localities.index.isin(places)], shares, access.units.reindex(kept.index),
        _dispersed(access.dispersed, region))


def _cut(times: TravelTimes, rows: pd.Index, columns: pd.Index) -> TravelTimes:
    """The minutes between these localities and these sites, in the order in which they stood."""
    row_kept, site_kept = times.localities.isin(rows), times.sites.isin(columns)
    row = np.repeat(np.arange(len(times.localities)), np.diff(times.indptr))
    pair = row_kept[row] & site_kept[times.site]
    each = np.bincount(row[pair], minlength=len(times.localities))[row_kept]
    number = np.cumsum(site_kept) - 1
    return TravelTimes(
        times.localities[row_kept], times.sites[site_kept], times.cutoff_min, np.concatenate([[0], np.cumsum(each)]).astype(np.int64),
        number[times.site[pair]].astype(np.int32), times.value[pair])


def _its(values: pd.Series, places: pd.Index) -> pd.Series:
    return values[values.index.isin(places)]


def _of_places(table: pd.DataFrame | None, places: pd.Index) -> pd.DataFrame | None:
    """The rows of the state's localities; None where nobody tells of any, as without a table."""
    mine = None if table is None else table[table["cvegeo"].isin(places)].reset_index(drop=True)
    return None if mine is None or mine.empty else mine


def _circuits(stops: pd.DataFrame | None, places: pd.Index, units: pd.Index) -> pd.DataFrame | None:
    """Today's circuits of the state's units; one that also visits the neighbours is left out, as its month has less room than told."""
    if stops is None:
        return None
    abroad = stops.loc[~stops["cvegeo"].isin(places), "clues"]
    return stops[stops["clues"].isin(units) & ~stops["clues"].isin(abroad)].reset_index(drop=True)


def _dispersed(table: pd.DataFrame | None, region: Region) -> pd.DataFrame | None:
    """People outside listed localities in the state's municipalities, none of the rest; None where it has no polygon to tell them by."""
    drawn = region.municipalities.geometry.notna() & ~region.municipalities.geometry.is_empty
    if table is None or not drawn.any():
        return None
    return table[table.index.isin(region.municipalities.index)]


def across(region: Region, table: pd.DataFrame, columns: Mapping[str, str]) -> pd.Series:
    """Which of these columns of CLUES name a unit of another state, by the words given for them, comma-separated; null where none does."""
    foreign = region.units.index[region.units["role"] == FOREIGN]
    text = pd.Series("", table.index)
    for name, word in columns.items():
        there = table[name].isin(foreign)
        text = text.where(~there, text + np.where(text == "", word, f", {word}"))
    return text.astype("str").mask(text == "")
