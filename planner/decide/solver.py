"""The one door to the solver: a mixed-integer model in sparse columns, and what HiGHS proved of it.

Deterministic: one thread, limits in nodes, never in seconds.
"""

from __future__ import annotations

from dataclasses import dataclass

import highspy
import numpy as np
from scipy import sparse

from planner.errors import SolverError

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Problem:
    """Maximise gain x subject to lower <= matrix x <= upper and 0 <= x <= most; `whole` marks the columns that take whole numbers."""

    matrix: sparse.csc_matrix
    lower: Array  # -inf where a row has no lower side
    upper: Array
    gain: Array
    most: Array
    whole: Array  # bool by column


@dataclass(frozen=True, eq=False)
class Answer:
    """A point, its value, the bound that no point passes (of the relaxation if nothing is whole), and whether they meet."""

    x: Array
    value: float
    bound: float
    proved: bool
    duals: Array  # by row, of a problem without whole columns: what one more unit of the row's upper side is worth
    feasible: bool = True


def solve(problem: Problem, *, start: Array | None = None, nodes: int | None = None, rel_gap: float = 1e-9,
          method: str = "choose") -> Answer:
    """The best point that HiGHS finds; `start` is a feasible one, `method` its LP solver: choose, simplex, ipm or pdlp.

    An infeasible problem has an Answer that is not `feasible`, without a point. Raises SolverError if the solver gives up.
    """
    solver = highspy.Highs()  # type: ignore[no-untyped-call]
    settings: dict[str, float | str | bool] = {"output_flag": False, "threads": 1, "random_seed": 0, "solver": method,
                                                "mip_rel_gap": rel_gap}
    for key, value in settings.items():
        solver.setOptionValue(key, value)
    if nodes is not None:
        solver.setOptionValue("mip_max_nodes", nodes)
    solver.passModel(_lp(problem))
    if start is not None:
        guess = highspy.HighsSolution()
        guess.col_value = start.tolist()
        solver.setSolution(guess)
    solver.run()
    status, kinds = solver.getModelStatus(), highspy.HighsModelStatus
    nothing = np.empty(0)
    if status in (kinds.kInfeasible, kinds.kUnboundedOrInfeasible):
        return Answer(nothing, -np.inf, -np.inf, True, nothing, feasible=False)
    if status not in (kinds.kOptimal, kinds.kSolutionLimit):
        raise SolverError(f"El optimizador no dio respuesta ({solver.modelStatusToString(status)}); revise los costos y capacidades.")
    info, solution = solver.getInfo(), solver.getSolution()
    mip = bool(problem.whole.any())
    value = float(info.objective_function_value)
    x = np.array(solution.col_value)
    if mip and not np.isfinite(value):
        return Answer(nothing, -np.inf, float(info.mip_dual_bound), False, nothing, feasible=False)
    bound = float(info.mip_dual_bound) if mip else value
    return Answer(x, value, bound, status == kinds.kOptimal, nothing if mip else np.array(solution.row_dual))


def _lp(problem: Problem) -> highspy.HighsLp:
    lp = highspy.HighsLp()
    lp.num_row_, lp.num_col_ = problem.matrix.shape
    lp.sense_ = highspy.ObjSense.kMaximize
    lp.col_cost_, lp.col_lower_, lp.col_upper_ = problem.gain, np.zeros(len(problem.gain)), problem.most
    infinite = highspy.kHighsInf
    lp.row_lower_, lp.row_upper_ = np.maximum(problem.lower, -infinite), np.minimum(problem.upper, infinite)
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    matrix = problem.matrix
    lp.a_matrix_.start_, lp.a_matrix_.index_, lp.a_matrix_.value_ = matrix.indptr, matrix.indices, matrix.data
    kinds = highspy.HighsVarType
    if problem.whole.any():
        lp.integrality_ = [kinds.kInteger if w else kinds.kContinuous for w in problem.whole]
    return lp
