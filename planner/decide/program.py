"""The choice as arrays, and as a mixed-integer program: what to buy, and whom each thing bought takes.

Maximise the worth of what is taken over integers x (copies of a choice) and people p >= 0 with: every person of a tier taken
at most once; p <= available x and sum p <= capacity x for each choice; yearly cost within the budget and outlay within the
cap; seats closer than the spacing not together; at least one of what is required; the least shares of people kept. A choice
with `stops` stands for all circuits of a kind: each copy also visits so many localities and no more.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse

from planner.access.gap import OWN_KINDS
from planner.decide.solver import Problem
from planner.model import Option
from planner.settings import Scenario

_MXN_UNIT = 1e3  # money in thousands keeps the solver's tolerance below a cent


@dataclass(frozen=True, eq=False)
class Model:
    """`copies` options alike make one integer column; pairs are (choice, tier of a locality)."""

    ids: tuple[tuple[str, ...], ...]
    kinds: tuple[str, ...]
    places: tuple[str, ...]
    cost: np.ndarray  # thousands MXN a year, per copy
    capital: np.ndarray
    capacity: np.ndarray  # target people, per copy
    most: np.ndarray  # copies
    stops: np.ndarray  # localities per copy; inf where the choice is one thing and not a kind of circuit
    conflicts: tuple[tuple[int, int], ...]
    required: tuple[tuple[int, ...], ...]  # of each group at least one copy
    least: np.ndarray  # copies that are asked for by their ids, which come first
    pairs: pd.DataFrame  # choice, row (tier), cvegeo, tier, minutes, available, gain, worth; sorted by choice and row
    rows: pd.DataFrame  # tiers: people, very_high and indigenous (parts of the people), town (position, -1: it does not count)
    towns: pd.DataFrame  # cve_mun, people and lack (weighted gap a person today) of the municipalities that options reach
    start: np.ndarray  # first pair of each choice, and the end
    budget: float  # thousands MXN
    outlay: float
    objective: str
    shares: tuple[float, float]  # least part of the people taken: very high deprivation, indigenous

    @property
    def people(self) -> np.ndarray:
        return self.rows["people"].to_numpy(float)


def model_of(options: list[Option], tiers: pd.DataFrame, places: pd.DataFrame, scenario: Scenario, *, towns: pd.DataFrame) -> Model:
    """The options in arrays; further nuclei and posts of one unit, alike but for the id, become copies of one choice.

    `tiers` are gains.people_tiers, `places` the region's localities, `towns` those of `towns_of`. A relaxed option (`copies` > 1)
    is a choice of so many copies.
    """
    rows = tiers.join(places[["cve_mun", "irs_grade"]].assign(
        indigenous=(places["indigenous"] / places["population"].where(places["population"] > 0)).fillna(0.0).clip(0.0, 1.0)), on="cvegeo")
    rows["very_high"] = (rows["irs_grade"] == "Muy alto").astype(float)
    rows["town"] = pd.Index(towns["cve_mun"]).get_indexer(pd.Index(rows["cve_mun"]))
    alike: dict[tuple[str, ...], list[Option]] = {}
    for option in sorted(options, key=lambda o: o.id):
        alike.setdefault((option.kind, option.place) if option.kind in OWN_KINDS else (option.id,), []).append(option)
    groups = [sorted(group, key=lambda o: (o.id not in scenario.require, o.id)) for group in alike.values()]
    pairs = _pairs(groups, rows, scenario)
    start = np.searchsorted(pairs["choice"], np.arange(len(groups) + 1))
    place = {o.id: k for k, group in enumerate(groups) for o in group}
    near = {(k, place[other]) for k, g in enumerate(groups) for other in g[0].excludes if other in place}
    whole = np.add.reduceat(np.append(pairs["available"].to_numpy(), 0.0), start[:-1]) * (np.diff(start) > 0)
    stops = np.array([g[0].pool_stops or np.inf for g in groups], float)
    capacity = np.array([g[0].capacity_people for g in groups], float)
    required = tuple(tuple(k for k, g in enumerate(groups) if g[0].place == wanted) for wanted in scenario.require if wanted not in place)
    least = np.array([sum(o.id in scenario.require for o in g) for g in groups], float)
    return Model(
        tuple(tuple(o.id for o in g) for g in groups), tuple(g[0].kind for g in groups), tuple(g[0].place for g in groups),
        np.array([g[0].annual_mxn for g in groups]) / _MXN_UNIT,
        np.array([g[0].capital_mxn for g in groups]) / _MXN_UNIT, np.where(np.isfinite(stops), capacity, np.minimum(capacity, whole)),
        np.array([sum(o.copies for o in g) for g in groups], float), stops, tuple(sorted({(min(p), max(p)) for p in near})), required,
        least, pairs, rows, towns, start, scenario.budget_mxn_year / _MXN_UNIT,
        np.inf if scenario.capital_mxn is None else scenario.capital_mxn / _MXN_UNIT,
        scenario.objective, (scenario.share_min_very_high, scenario.share_min_indigenous))


def towns_of(options: list[Option], tiers: pd.DataFrame, places: pd.DataFrame, access: pd.DataFrame) -> pd.DataFrame:
    """The municipalities that some option reaches, by key: people and `lack`, the weighted gap a target person today."""
    known = access[access["weighted_gap"].notna() & (access["people"] > 0)]
    by_town = known[["people", "weighted_gap"]].groupby(places["cve_mun"].reindex(known.index)).sum()
    reached = {c for o in options for c in o.serves["cvegeo"]}
    kept = by_town[by_town.index.isin(places["cve_mun"].reindex(sorted(reached & set(tiers["cvegeo"]))))]
    return pd.DataFrame({"people": kept["people"], "lack": kept["weighted_gap"] / kept["people"]}).rename_axis("cve_mun").reset_index()


def _pairs(groups: list[list[Option]], rows: pd.DataFrame, scenario: Scenario) -> pd.DataFrame:
    nobody = rows.iloc[:0][["cvegeo", "tier"]].assign(available=0.0, minutes=0.0, gain=0.0, people=0.0, choice=0)
    tables = [group[0].serves.assign(choice=k) for k, group in enumerate(groups)]
    pairs = pd.concat(tables or [nobody], ignore_index=True)
    pairs["row"] = pd.MultiIndex.from_frame(rows[["cvegeo", "tier"]]).get_indexer(pd.MultiIndex.from_frame(pairs[["cvegeo", "tier"]]))
    pairs = pairs[(pairs["row"] >= 0) & (pairs["gain"] > 0)]
    pairs = pairs.sort_values(["choice", "row"], kind="stable").reset_index(drop=True)
    pairs["available"] = np.minimum(pairs["available"], rows["people"].to_numpy(float)[pairs["row"]])
    return pairs.assign(worth=1.0 if scenario.objective == "personas" else pairs["gain"])


def program(model: Model, *, worst: bool = False, floor: float = 0.0, price: float | None = None) -> Problem:
    """The mixed-integer program in sparse columns: x by choice, the improvement of the worst municipality, p by pair, y by stop.

    Its first rows are one by pair and one by tier. `worst` maximises that improvement alone. With a `floor` the gap closed is
    maximised while what the objective counts first, that improvement or people, is kept at so much or more. `price` is worth
    taken for each thousand pesos spent, in place of the budget.
    """
    n, m = len(model.ids), len(model.pairs)
    choice, row = model.pairs["choice"].to_numpy(), model.pairs["row"].to_numpy()
    available, worth = model.pairs["available"].to_numpy(), model.pairs["gain" if floor > 0 else "worth"].to_numpy(float)
    visit, visits, of = _visits(model)
    pair, one = np.arange(m), np.ones(m)
    build = _Blocks(n, m, visits)
    pooled = np.isfinite(model.stops[choice])
    held = np.where(pooled, available, np.minimum(available, model.capacity[choice]))
    opened = sparse.csr_matrix((-held[~pooled], (pair[~pooled], choice[~pooled])), (m, n))
    visited = sparse.csr_matrix((-held[pooled], (pair[pooled], visit[pooled])), (m, visits)) if visits else None
    build.add(np.zeros(m), x=opened, p=sparse.identity(m), y=visited)
    tier = sparse.csr_matrix((one, (row, pair)), (len(model.rows), m))
    build.add(model.people, p=tier)
    build.add(np.zeros(n), x=-sparse.diags(model.capacity), p=sparse.csr_matrix((one, (choice, pair)), (n, m)))
    if visits:
        kinds = np.flatnonzero(np.isfinite(model.stops))
        at = np.searchsorted(kinds, of)
        build.add(np.zeros(len(kinds)), x=sparse.csr_matrix((-model.stops[kinds], (np.arange(len(kinds)), kinds)), (len(kinds), n)),
                  y=sparse.csr_matrix((np.ones(visits), (at, np.arange(visits))), (len(kinds), visits)))
    for money, limit in ((model.cost, model.budget if price is None else np.inf), (model.capital, model.outlay)):
        if np.isfinite(limit):
            build.add(np.array([limit]), x=sparse.csr_matrix(money))
    _side_rows(model, build, row)
    lack = model.towns["lack"].to_numpy(float)
    if floor > 0 and model.objective == "personas":
        build.add(np.array([-floor]), p=sparse.csr_matrix(-one))
    elif worst or floor > 0:
        _worst_town(model, build, floor)
    gain = np.concatenate([np.zeros(n) if price is None else -price * model.cost, [float(worst)],
                           np.zeros(m) if worst else worth, np.zeros(visits)])
    most = np.concatenate([model.most, [lack.max() if len(lack) else 0.0], available, np.ones(visits)])
    matrix, upper = build.stacked()
    return Problem(matrix, np.full(len(upper), -np.inf), upper, gain, most, np.arange(len(gain)) < n)


def _worst_town(model: Model, build: _Blocks, floor: float) -> None:
    """What each municipality lacks once its people are served, and that the worst one betters by `floor` or more."""
    row, lack = model.pairs["row"].to_numpy(), model.towns["lack"].to_numpy(float)
    at = model.rows["town"].to_numpy()[row]
    weigh, some = model.towns["people"].to_numpy(float), np.flatnonzero(at >= 0)
    closed = sparse.csr_matrix((-model.pairs["gain"].to_numpy()[some], (at[some], some)), (len(weigh), len(row)))
    build.add(weigh * (lack.max() - lack), p=closed, s=sparse.csr_matrix(weigh[:, None]))
    build.add(np.array([-floor]), s=sparse.csr_matrix([[-1.0]]))


def _visits(model: Model) -> tuple[np.ndarray, int, np.ndarray]:
    """The stop of each pair of a relaxed choice (number; -1 for others), how many there are, and the choice of each."""
    choice = model.pairs["choice"].to_numpy()
    pooled = np.isfinite(model.stops[choice])
    visit = np.full(len(choice), -1)
    keys = model.pairs.loc[pooled, ["choice", "cvegeo"]]
    visit[pooled] = keys.groupby(["choice", "cvegeo"], sort=True).ngroup().to_numpy()
    count = int(visit.max()) + 1 if pooled.any() else 0
    of = np.zeros(count, int)
    of[visit[pooled]] = choice[pooled]
    return visit, count, of


def _side_rows(model: Model, build: _Blocks, row: np.ndarray) -> None:
    """Conflicts, what is required, least shares, and the people that nuclei and posts of one unit share."""
    n, m = build.sizes["x"], build.sizes["p"]
    for groups, sign in ((model.conflicts, 1.0), (model.required, -1.0)):
        if groups:
            at = np.repeat(np.arange(len(groups)), [len(g) for g in groups])
            ends = np.array([k for g in groups for k in g], int)
            build.add(np.full(len(groups), sign), x=sparse.csr_matrix((np.full(len(ends), sign), (at, ends)), (len(groups), n)))
    asked = np.flatnonzero(model.least)
    build.add(-model.least[asked], x=sparse.csr_matrix((-np.ones(len(asked)), (np.arange(len(asked)), asked)), (len(asked), n)))
    for share, part in zip(model.shares, ("very_high", "indigenous"), strict=True):
        if share > 0:
            build.add(np.zeros(1), p=sparse.csr_matrix(share - model.rows[part].to_numpy()[row]))
    sharing = shared_pairs(model)
    if len(sharing):
        at, limit = sharing["group"].to_numpy(), sharing.groupby("group")["available"].max().to_numpy()
        build.add(limit, p=sparse.csr_matrix((np.ones(len(at)), (at, sharing.index.to_numpy())), (len(limit), m)))


def shared_pairs(model: Model) -> pd.DataFrame:
    """Pairs of units that may get both nuclei and posts: they seat the same people. Index = pair; group and available."""
    places = pd.Series(model.places, dtype="str")
    twice = places[pd.Series(model.kinds, dtype="str").isin(OWN_KINDS)]
    twice = twice[twice.duplicated(keep=False)]
    pairs = model.pairs[model.pairs["choice"].isin(twice.index)]
    pairs = pairs.assign(place=pairs["choice"].map(places))
    return pairs.assign(group=pairs.groupby(["place", "row"], sort=True).ngroup())[["group", "available"]]


class _Blocks:
    """Rows of a program, stacked block by block over the columns x, s (one), p and y."""

    def __init__(self, n: int, m: int, visits: int) -> None:
        self.sizes = {"x": n, "s": 1, "p": m, "y": visits}
        self.blocks: list[sparse.spmatrix] = []
        self.upper: list[np.ndarray] = []

    def add(self, limit: np.ndarray, **parts: sparse.spmatrix | None) -> None:
        """Rows `parts` <= limit; parts that are not given are zero."""
        if len(limit):
            told = [parts.get(k) for k in self.sizes]
            self.blocks.append(sparse.hstack([
                sparse.csr_matrix((len(limit), size)) if part is None else part
                for part, size in zip(told, self.sizes.values(), strict=True)]))
            self.upper.append(limit)

    def stacked(self) -> tuple[sparse.csc_matrix, np.ndarray]:
        return sparse.vstack(self.blocks).tocsc(), np.concatenate(self.upper)
