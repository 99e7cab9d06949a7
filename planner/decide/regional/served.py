"""People served against the target of the universe of work (PA/PO), by unit and municipality, year by year."""

from __future__ import annotations

import numpy as np
import pandas as pd

from planner.access.indicators import NO_DATA
from planner.decide.regional.universe import Universe
from planner.model import Region

COLUMNS = ("level", "id", "name", "year", "units", "served", "target", "ratio", "published_target", "published_ratio")


def served_ratio(region: Region, found: Universe) -> pd.DataFrame:
    """PA/PO by level (`unidad`, `municipio`), id and year: COLUMNS, sorted by them; no rows without a table of served people.

    `target` (PO) is the target people of the unit's universe, missing where the unit has none (a hospital); `published_target` the
    one that comes with the PA, missing where it is not given. A municipality sums those of its units that report that year and have
    a target (`units`: how many), so that both sides of the ratio are of the same units; units without municipality stand under
    `sin dato`. Without target people there is no ratio.
    """
    if region.served is None:
        return pd.DataFrame(columns=list(COLUMNS))
    table = region.served[["clues", "year", "people", "target"]].rename(columns={"people": "served", "target": "published_target"})
    units = table.assign(level="unidad", id=table["clues"], name=table["clues"].map(region.units["name"]), units=1,
                         target=table["clues"].map(found.units["people"]).astype(float))
    town = units["clues"].map(region.units["cve_mun"])
    told = units.assign(id=town.where(town.notna(), NO_DATA))[units["target"].notna()]
    towns = told.groupby(["id", "year"], as_index=False).agg(
        units=("units", "sum"), served=("served", "sum"), target=("target", "sum"),
        published_target=("published_target", lambda given: given.sum(min_count=len(given))))
    towns = towns.assign(level="municipio", name=towns["id"].map(region.municipalities["name"]).astype(object).where(
        towns["id"] != NO_DATA, NO_DATA))
    both = pd.concat([units, towns]).sort_values(["level", "id", "year"], ascending=[False, True, True], ignore_index=True)
    both = both.assign(ratio=_ratio(both["served"], both["target"]),
                       published_ratio=_ratio(both["served"], both["published_target"]))
    return both[list(COLUMNS)]


def _ratio(part: pd.Series, whole: pd.Series) -> pd.Series:
    return part / whole.astype(float).where(whole > 0, np.nan)
