"""Which units answer for each locality today, and with what share of its people."""

from __future__ import annotations

import numpy as np
import pandas as pd

from planner.model import Region, Travel
from planner.settings import Scenario

FIXED_ROLES = ("primer_nivel", "hospital")  # a hospital in the official table attends as a fixed unit of first contact


def assign(region: Region, travel: Travel, scenario: Scenario) -> pd.DataFrame:
    """Shares of every locality by unit: cvegeo, clues, share, origin, kind, minutes; sorted by both ids.

    The official table counts row by row. Rows of an unknown unit, or of one that attends nobody, and localities without
    rows go to the nearest fixed first level no farther than the end of the ramp, else to nobody: shares sum to 1 or less.
    Minutes are by the scenario's mode; `inf` beyond the search, NaN for mobile units and where travel is unknown.
    """
    official = _official(region)
    near = travel.nearest["primer_nivel", scenario.mode_first_level].reindex(region.localities.index)
    answered = official["clues"].notna()
    left = official[~answered].groupby("cvegeo")["share"].sum().reindex(region.localities.index, fill_value=0.0)
    left[~left.index.isin(official["cvegeo"])] = 1.0
    reached = (left > 0) & (near["minutes"] <= scenario.ramp_first_level_none_min) & near["clues"].notna()
    nearest = pd.DataFrame({"cvegeo": left.index[reached], "clues": near.loc[reached, "clues"].to_numpy(),
                            "share": left[reached].to_numpy(), "origin": "cercania"})
    shares = pd.concat([official[answered], nearest]).sort_values(["cvegeo", "clues", "origin"], ignore_index=True)
    mobile = shares["clues"].map(region.units["role"]) == "movil"
    return shares.assign(kind=np.where(mobile, "movil", "fija"), minutes=_minutes(shares, mobile, near, travel))


def _official(region: Region) -> pd.DataFrame:
    columns = ["cvegeo", "clues", "share"]
    if region.responsibility is None:
        return pd.DataFrame({"cvegeo": [], "clues": [], "share": [], "origin": []}).astype({"share": float})
    table = region.responsibility[columns]
    table = table[table["cvegeo"].isin(region.localities.index) & (table["share"] > 0)]
    attends = region.units.index[region.units["role"].isin((*FIXED_ROLES, "movil"))]
    known = table.assign(clues=table["clues"].where(table["clues"].isin(attends)))
    summed = known.groupby(columns[:2], dropna=False)["share"].sum()
    return summed.reset_index().assign(origin="oficial")


def _minutes(shares: pd.DataFrame, mobile: pd.Series, near: pd.DataFrame, travel: Travel) -> pd.Series:
    pairs = travel.first_level.pairs().rename(columns={"site": "clues"})
    searched = shares[["cvegeo", "clues"]].merge(pairs, how="left", on=["cvegeo", "clues"])["minutes"].fillna(np.inf)
    nearest = shares["cvegeo"].map(near["minutes"]).astype(float)
    minutes = searched.where(shares["origin"] == "oficial", nearest)
    known = ~mobile & nearest.notna() & shares["clues"].isin(travel.first_level.sites)
    return minutes.where(known | ((shares["origin"] == "cercania") & nearest.notna()))
