"""The questions of benchmarks/decide.py, from seeds, and the peers they are asked of."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import highspy
import numpy as np
from scipy import sparse
from scipy.spatial import cKDTree


@dataclass(frozen=True)
class Question:
    """Which `p` sites cover most people: people by place, places x sites."""

    people: np.ndarray
    covers: sparse.csr_matrix
    p: int
    radius: float

    def worth(self, sites: np.ndarray) -> float:
        return float(self.people[np.asarray(self.covers[:, sites].sum(axis=1)).ravel() > 0].sum())


def question(seed: int, places: int, sites: int, nonzeros: int, p: int, clustered: float = 0.5) -> Question:
    """Places in a unit square, a share of them around towns, of Pareto sizes as the people are; sites at some of the places.

    One radius for all, the one within which there are `nonzeros` pairs.
    """
    rng = np.random.default_rng(seed)
    towns, share = rng.random((300, 2)), rng.pareto(1.2, 300) + 1
    near = rng.choice(300, count := int(places * clustered), p=share / share.sum())
    at = np.concatenate([towns[near] + rng.normal(0, 0.02, (count, 2)), rng.random((places - count, 2))])
    from_places, from_sites = cKDTree(at), cKDTree(at[rng.choice(places, sites, replace=False)])
    low, high = 0.0, 1.5
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (low, middle) if from_places.count_neighbors(from_sites, middle) >= nonzeros else (middle, high)
    lists = from_places.query_ball_tree(from_sites, high)
    indptr = np.concatenate([[0], np.cumsum([len(found) for found in lists])])
    indices = np.concatenate([np.sort(np.array(found, int)) for found in lists])
    people = np.minimum(np.ceil(50 * rng.pareto(1.1, places) + 1), 1e5)
    return Question(people, sparse.csr_matrix((np.ones(len(indices)), indices, indptr), (places, sites)), p, high)


def spopt(asked: Question, solver: str) -> tuple[float, str]:
    """What spopt's model covers, built from a dense matrix and solved by CBC (the solver of its documentation) or HiGHS through PuLP."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pulp
        from spopt.locate import MCLP

        apart = np.where(asked.covers.toarray() > 0, 0.0, 1.0)
        model = MCLP.from_cost_matrix(apart, asked.people, service_radius=0.5, p_facilities=asked.p)
        engine = pulp.PULP_CBC_CMD(msg=False, threads=1) if solver == "CBC" else pulp.HiGHS(msg=False, threads=1)
        model = model.solve(engine, results=False)
    sites = np.flatnonzero([variable.value() > 0.5 for variable in model.fac_vars])
    return asked.worth(sites), pulp.LpStatus[model.problem.status]


def highs(asked: Question, seconds: float) -> tuple[float, float]:
    """What HiGHS alone covers after some seconds with one thread, built in sparse columns, and the bound it has proven by then."""
    places, sites = asked.covers.shape
    matrix = sparse.bmat([[-asked.covers, sparse.identity(places)], [sparse.csr_matrix(np.ones((1, sites))), None]], format="csc")
    lp = highspy.HighsLp()
    lp.num_row_, lp.num_col_, lp.sense_ = *matrix.shape, highspy.ObjSense.kMaximize
    lp.col_cost_, lp.col_lower_, lp.col_upper_ = np.append(np.zeros(sites), asked.people), np.zeros(sites + places), np.ones(sites + places)
    lp.row_lower_, lp.row_upper_ = np.full(places + 1, -highspy.kHighsInf), np.append(np.zeros(places), asked.p)
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_, lp.a_matrix_.index_, lp.a_matrix_.value_ = matrix.indptr, matrix.indices, matrix.data
    lp.integrality_ = [highspy.HighsVarType.kInteger] * sites + [highspy.HighsVarType.kContinuous] * places
    solver = highspy.Highs()
    for key, value in {"output_flag": False, "threads": 1, "time_limit": seconds}.items():
        solver.setOptionValue(key, value)
    solver.passModel(lp)
    solver.run()
    x = np.array(solver.getSolution().col_value[:sites])
    found = asked.worth(np.flatnonzero(x > 0.5)) if len(x) and np.isfinite(solver.getInfo().objective_function_value) else 0.0
    return found, float(solver.getInfo().mip_dual_bound)
