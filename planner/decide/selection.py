"""Which options to choose under the budget, and whom each takes: a mixed-integer model with a proven upper bound.

Maximise the weighted gap closed, sum gain p, over integers x (copies of an option) and people p >= 0 with: every person
of a locality's tier taken at most once; p <= available x and sum p <= capacity x for each option; yearly cost within the
budget and outlay within `capital_mxn`; seats closer than the spacing not together. The bound is the solver's dual bound.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import highspy
import numpy as np
import pandas as pd
from scipy import sparse

from planner.access.gap import TIERS
from planner.decide.gains import people_tiers, take_best
from planner.errors import SolverError
from planner.model import Access, Option, Plan, Solution
from planner.settings import Scenario

SERVED_COLUMNS = ["option", "cvegeo", "tier", "people", "minutes"]
_MIN_PEOPLE = 1e-6  # what the solver's arithmetic leaves behind is nobody
_MXN_UNIT = 1e3  # money in thousands keeps the solver's tolerance below a cent
_MAX_NODES = 10
_GAP = 1e-9


@dataclass(frozen=True, eq=False)
class Model:
    """The choice in arrays: `copies` options alike make one integer column; pairs are (choice, tier of a locality)."""

    ids: tuple[tuple[str, ...], ...]
    cost: np.ndarray  # thousands MXN a year, per copy
    capital: np.ndarray
    capacity: np.ndarray  # target people, per copy
    conflicts: tuple[tuple[int, int], ...]
    pairs: pd.DataFrame  # choice, row (tier), cvegeo, tier, minutes, available, gain; sorted by choice
    people: np.ndarray  # per row
    start: np.ndarray  # first pair of each choice, and the end

    @property
    def count(self) -> np.ndarray:
        return np.array([len(i) for i in self.ids], float)


def select(options: tuple[Option, ...], access: Access, scenario: Scenario) -> Plan:
    """The plan that closes most weighted gap within the budget, with the bound no plan of these options can pass.

    Deterministic: one thread, limits in nodes, never in seconds. Raises SolverError if the solver gives no answer.
    """
    options = tuple(sorted(options, key=lambda o: o.id))
    outlay = np.inf if scenario.capital_mxn is None else scenario.capital_mxn
    payable = [o for o in options if o.annual_mxn <= scenario.budget_mxn_year and o.capital_mxn <= outlay and o.weighted > 0]
    if not payable:
        why = "no hay intervenciones factibles" if not options else "el presupuesto no alcanza para ninguna"
        return Plan(options, (), pd.DataFrame(columns=SERVED_COLUMNS), Solution(0.0, 0.0, "óptimo", why))
    model = model_of(payable, people_tiers(access, scenario))
    budget, capital = scenario.budget_mxn_year / _MXN_UNIT, outlay / _MXN_UNIT
    greedy = greedy_copies(model, budget, capital)
    found, bound, proved = _branch(model, budget, capital, greedy)
    (served, value), (other, more) = (_served(model, copies) for copies in (greedy, found))
    if more > value * (1 + _GAP):  # equal plans: the greedy one, which buys nothing idle and breaks ties by id
        served, value = other, more
    chosen = tuple(sorted(served["option"].unique()))
    status = "óptimo" if proved else "con brecha"
    return Plan(options, chosen, served, Solution(value, max(bound, value), status, "programa entero mixto (HiGHS)"))


def model_of(options: list[Option], tiers: pd.DataFrame) -> Model:
    """The options in arrays; further nuclei of one unit, alike but for the id, become copies of one choice."""
    rows = pd.MultiIndex.from_frame(tiers[["cvegeo", "tier"]])
    alike: dict[tuple[str, str], list[Option]] = {}
    for option in options:
        alike.setdefault(("nucleo", option.place) if option.kind == "nucleo" else ("", option.id), []).append(option)
    groups = list(alike.values())
    tables = [group[0].serves.assign(choice=k) for k, group in enumerate(groups)]
    pairs = pd.concat(tables, ignore_index=True)
    pairs["row"] = rows.get_indexer(pd.MultiIndex.from_frame(pairs[["cvegeo", "tier"]]))
    pairs = pairs[(pairs["row"] >= 0) & (pairs["gain"] > 0)]
    pairs = pairs.sort_values(["choice", "row"], kind="stable").reset_index(drop=True)
    people = tiers["people"].to_numpy(float)
    pairs["available"] = np.minimum(pairs["available"], people[pairs["row"]])
    start = np.searchsorted(pairs["choice"], np.arange(len(groups) + 1))
    place = {o.id: k for k, group in enumerate(groups) for o in group}
    near = {(k, place[other]) for k, g in enumerate(groups) for other in g[0].excludes if other in place}
    whole = np.add.reduceat(np.append(pairs["available"].to_numpy(), 0.0), start[:-1])
    return Model(
        tuple(tuple(o.id for o in g) for g in groups),
        np.array([g[0].annual_mxn for g in groups]) / _MXN_UNIT, np.array([g[0].capital_mxn for g in groups]) / _MXN_UNIT,
        np.minimum([g[0].capacity_people for g in groups], whole), tuple(sorted({(min(p), max(p)) for p in near})), pairs, people, start)


def greedy_copies(model: Model, budget: float, capital: float) -> np.ndarray:
    """Copies of each choice bought one by one, most gap closed per peso first (ties: lowest id)."""
    left, free = model.people.copy(), model.pairs["available"].to_numpy().copy()
    row, gain = model.pairs["row"].to_numpy(), model.pairs["gain"].to_numpy()
    copies = np.zeros(len(model.ids), int)
    barred: set[int] = set()
    against: dict[int, set[int]] = {}
    for a, b in model.conflicts:
        against.setdefault(a, set()).add(b)
        against.setdefault(b, set()).add(a)

    def best(k: int) -> tuple[np.ndarray, float]:
        at = slice(model.start[k], model.start[k + 1])
        taken = take_best(np.minimum(free[at], left[row[at]]), gain[at], model.capacity[k])
        return taken, float(taken @ gain[at])

    def rank(k: int, value: float) -> tuple[float, int]:
        return (-value / model.cost[k] if model.cost[k] > 0 else -np.inf, k)

    queue = [rank(k, best(k)[1]) for k in range(len(model.ids))]
    heapq.heapify(queue)
    while queue:
        believed, k = heapq.heappop(queue)
        taken, value = best(k)
        if value <= 0 or k in barred or model.cost[k] > budget or model.capital[k] > capital:
            continue
        if queue and rank(k, value) > queue[0] and rank(k, value) != (believed, k):
            heapq.heappush(queue, rank(k, value))
            continue
        at = slice(model.start[k], model.start[k + 1])
        left[row[at]] -= taken
        free[at] -= taken
        budget, capital = budget - model.cost[k], capital - model.capital[k]
        copies[k] += 1
        barred |= against.get(k, set())
        if copies[k] < len(model.ids[k]):
            heapq.heappush(queue, rank(k, best(k)[1]))
    return copies


def _program(model: Model, budget: float, capital: float) -> highspy.HighsLp:
    """The mixed-integer model in sparse columns: first x by choice, then p by pair."""
    n, m = len(model.ids), len(model.pairs)
    choice, row = model.pairs["choice"].to_numpy(), model.pairs["row"].to_numpy()
    available = model.pairs["available"].to_numpy()
    pair, one = np.arange(m), np.ones(m)
    blocks, upper = [], []

    def add(x: sparse.spmatrix, p: sparse.spmatrix, limit: np.ndarray) -> None:
        blocks.append(sparse.hstack([x, p]))
        upper.append(limit)

    held = np.minimum(available, model.capacity[choice])
    add(sparse.csr_matrix((-held, (pair, choice)), (m, n)), sparse.identity(m), np.zeros(m))
    tier = sparse.csr_matrix((one, (row, pair)), (len(model.people), m))
    tight = np.flatnonzero(tier @ available > model.people)
    add(sparse.csr_matrix((len(tight), n)), tier[tight], model.people[tight])
    add(-sparse.diags(model.capacity), sparse.csr_matrix((one, (choice, pair)), (n, m)), np.zeros(n))
    limits = [(model.cost, budget)] + ([(model.capital, capital)] if np.isfinite(capital) else [])
    for price, limit in limits:
        add(sparse.csr_matrix(price), sparse.csr_matrix((1, m)), np.array([limit]))
    if model.conflicts:
        ends = np.array(model.conflicts)
        at = np.repeat(np.arange(len(ends)), 2)
        add(sparse.csr_matrix((np.ones(2 * len(ends)), (at, ends.ravel())), (len(ends), n)),
            sparse.csr_matrix((len(ends), m)), np.ones(len(ends)))
    return _lp(sparse.vstack(blocks).tocsc(), np.concatenate(upper), np.concatenate([np.zeros(n), model.pairs["gain"]]),
               np.concatenate([model.count, available]), n)


def _lp(matrix: sparse.csc_matrix, upper: np.ndarray, gain: np.ndarray, most: np.ndarray, integers: int) -> highspy.HighsLp:
    lp = highspy.HighsLp()
    lp.num_row_, lp.num_col_ = matrix.shape
    lp.sense_ = highspy.ObjSense.kMaximize
    lp.col_cost_, lp.col_lower_, lp.col_upper_ = gain, np.zeros(len(gain)), most
    lp.row_lower_, lp.row_upper_ = np.full(len(upper), -highspy.kHighsInf), upper
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_, lp.a_matrix_.index_, lp.a_matrix_.value_ = matrix.indptr, matrix.indices, matrix.data
    kinds = highspy.HighsVarType
    lp.integrality_ = [kinds.kInteger] * integers + [kinds.kContinuous] * (len(gain) - integers) if integers else []
    return lp


def _solver(lp: highspy.HighsLp, **settings: float | str) -> highspy.Highs:
    solver = highspy.Highs()  # type: ignore[no-untyped-call]
    for key, value in {"output_flag": False, "threads": 1, "random_seed": 0, **settings}.items():
        solver.setOptionValue(key, value)
    solver.passModel(lp)
    return solver


def _branch(model: Model, budget: float, capital: float, start: np.ndarray) -> tuple[np.ndarray, float, bool]:
    """Copies of each choice, the proven bound, and whether they meet; starts from the greedy copies."""
    solver = _solver(_program(model, budget, capital), mip_rel_gap=_GAP, mip_max_nodes=_MAX_NODES)
    guess = highspy.HighsSolution()
    guess.col_value = np.concatenate([start, _assign(model, start)]).tolist()
    solver.setSolution(guess)
    solver.run()
    status, done = solver.getModelStatus(), highspy.HighsModelStatus
    if status not in (done.kOptimal, done.kSolutionLimit):
        raise SolverError(f"El optimizador no dio respuesta ({solver.modelStatusToString(status)}); revise los costos y capacidades.")
    copies = np.rint(np.array(solver.getSolution().col_value[: len(model.ids)])).astype(int)
    return copies, float(solver.getInfo().mip_dual_bound), status == done.kOptimal


def _assign(model: Model, copies: np.ndarray) -> np.ndarray:
    """People that each pair takes when these copies stand: an exact transport problem, zero elsewhere."""
    choice, row = model.pairs["choice"].to_numpy(), model.pairs["row"].to_numpy()
    on = np.flatnonzero(copies[choice] > 0)
    people = np.zeros(len(choice))
    if not len(on):
        return people
    pair, one = np.arange(len(on)), np.ones(len(on))
    matrix = sparse.vstack([sparse.csr_matrix((one, (row[on], pair)), (len(model.people), len(on))),
                            sparse.csr_matrix((one, (choice[on], pair)), (len(copies), len(on)))])
    upper = np.concatenate([model.people, model.capacity * copies])
    used = np.flatnonzero(np.diff(matrix.tocsr().indptr))
    solver = _solver(_lp(matrix.tocsr()[used].tocsc(), upper[used], model.pairs["gain"].to_numpy()[on],
                         model.pairs["available"].to_numpy()[on], 0))
    solver.run()
    if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        raise SolverError("El optimizador no pudo repartir a las personas; revise las capacidades.")
    people[on] = np.clip(solver.getSolution().col_value, 0.0, model.pairs["available"].to_numpy()[on])
    return people


def _served(model: Model, copies: np.ndarray) -> tuple[pd.DataFrame, float]:
    """The long table of who is taken by which option when these copies stand, and its value."""
    people = _unserved_first(_assign(model, copies), model)
    gain = model.pairs["gain"].to_numpy()
    parts = [model.pairs.iloc[:0].assign(option="", people=0.0)]
    for k in np.flatnonzero(copies):
        at = slice(model.start[k], model.start[k + 1])
        left = np.where(people[at] > _MIN_PEOPLE, people[at], 0.0)
        for option in model.ids[k][: copies[k]]:
            part = take_best(left, gain[at], model.capacity[k])
            parts.append(model.pairs[at].assign(option=option, people=part)[part > _MIN_PEOPLE])
            left = left - part
    served = pd.concat(parts).sort_values(["option", "row"], ignore_index=True)
    return served[SERVED_COLUMNS], float(served["people"].to_numpy() @ served["gain"].to_numpy())


def _unserved_first(people: np.ndarray, model: Model) -> np.ndarray:
    """Move people of equal gain so that no option takes a locality's served people while it could take unserved ones."""
    people = people.copy()
    choice, row, available = (model.pairs[c].to_numpy() for c in ("choice", "row", "available"))
    cvegeo, served = model.pairs["cvegeo"].to_numpy(), (model.pairs["tier"] == TIERS[1]).to_numpy()
    left = model.people - np.bincount(row, people, minlength=len(model.people))
    paired = served[1:] & (choice[1:] == choice[:-1]) & (cvegeo[1:] == cvegeo[:-1])
    for k in np.flatnonzero(paired & (people[1:] > 0)) + 1:  # the unserved tier stands just before
        moved = max(0.0, min(people[k], left[row[k - 1]], available[k - 1] - people[k - 1]))
        people[[k - 1, k]] += (moved, -moved)
        left[[row[k - 1], row[k]]] += (-moved, moved)
    return people
