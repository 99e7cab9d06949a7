"""Jornadas Quirúrgicas: whom each hospital would bring within reach if it hosted one, and in which order to host."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import sparse

from planner.decide.covering import covering_curve, covers_within, maximal_covering
from planner.decide.regional.networks import referral_hospitals
from planner.model import Access, Region
from planner.schema import GRADES
from planner.settings import Scenario
from planner.travel.times import times_between


@dataclass(frozen=True, eq=False)
class Jornadas:
    """`hosts`, by clues: name, localities and people (target) within reach_hospital_min, of them away (their nearest hospital is
    another), indigenous and very_high (people). `reached`: the pairs host, cvegeo, minutes. `order`, by number of hosts: host (that
    the greedy order adds), people (that it reaches so far), added, best (people of the best hosts of that number), bound, proved
    and best_hosts.
    """

    hosts: pd.DataFrame
    reached: pd.DataFrame
    order: pd.DataFrame


def jornadas(region: Region, access: Access, scenario: Scenario, cache: Path | None = None) -> Jornadas:
    """What each referral hospital would reach as a host, by mode_hospital, and the hosts to choose, exact for every number of them.

    `cache` is a folder that keeps what was searched before. SolverError from the solver.
    """
    hospitals = referral_hospitals(region, scenario)
    places = region.localities.sort_index()
    people = access.localities["people"].reindex(places.index)
    if hospitals.empty:
        covers = sparse.csr_matrix((len(places), 0), dtype=bool)
        pairs = pd.DataFrame({"cvegeo": [], "site": [], "minutes": []}).astype({"minutes": float})
    else:
        told = times_between(region, scenario, scenario.mode_hospital, places, hospitals, scenario.reach_hospital_min, cache)
        covers, pairs = covers_within(told, scenario.reach_hospital_min), told.pairs()
    pairs = pairs.rename(columns={"site": "host"})[["host", "cvegeo", "minutes"]].sort_values(["host", "cvegeo"], ignore_index=True)
    return Jornadas(_hosts(hospitals, places, people, pairs), pairs, _order(people.to_numpy(float), covers, hospitals.index))


def _hosts(hospitals: pd.DataFrame, places: pd.DataFrame, people: pd.Series, pairs: pd.DataFrame) -> pd.DataFrame:
    n = pairs["cvegeo"].map(people).astype(float)
    part = (places["indigenous"] / places["population"].where(places["population"] > 0)).fillna(0.0).clip(0.0, 1.0)
    nearest = pairs.sort_values(["cvegeo", "minutes", "host"]).drop_duplicates("cvegeo").set_index("cvegeo")["host"]
    rows = pd.DataFrame({
        "host": pairs["host"], "localities": (n > 0).astype(int), "people": n,
        "away": n.where(pairs["cvegeo"].map(nearest) != pairs["host"], 0.0), "indigenous": n * pairs["cvegeo"].map(part).astype(float),
        "very_high": n.where(pairs["cvegeo"].map(places["irs_grade"]) == GRADES[-1], 0.0)})
    summed = rows.groupby("host").sum().reindex(hospitals.index, fill_value=0)
    return pd.DataFrame(hospitals[["name", "institution"]]).join(summed)


def _order(people: np.ndarray, covers: sparse.csr_matrix, ids: pd.Index) -> pd.DataFrame:
    curve = covering_curve(people, covers, len(ids)) if len(ids) and people.sum() > 0 and covers.nnz else None
    rows = []
    for count in range(1, 1 + (0 if curve is None else len(curve.sites))):
        best = maximal_covering(people, covers, count)
        added = np.diff(curve.covered[:count], prepend=0.0)[-1] if curve is not None else 0.0
        if curve is not None:
            rows.append({"host": ids[curve.sites[count - 1]], "people": float(curve.covered[count - 1]), "added": float(added),
                         "best": best.covered, "bound": best.bound, "proved": best.proved,
                         "best_hosts": " ".join(ids[best.sites])})
    columns = ["host", "people", "added", "best", "bound", "proved", "best_hosts"]
    return pd.DataFrame(rows, columns=columns, index=pd.RangeIndex(1, len(rows) + 1, name="number"))
