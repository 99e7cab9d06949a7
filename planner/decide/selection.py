"""Which options to choose under the budget, and whom each takes, with a proven upper bound."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pandas as pd

from planner.access.gap import TIERS
from planner.decide.circuits import draw
from planner.decide.fleet import TEAMS, Choices
from planner.decide.gains import people_tiers, take_best
from planner.decide.program import Model, model_of, program, shared_pairs, towns_of
from planner.decide.solver import Answer, Problem, solve
from planner.errors import SettingsError, SolverError
from planner.model import Access, Option, Plan, Solution
from planner.settings import Scenario

SERVED_COLUMNS = ["option", "cvegeo", "tier", "people", "minutes"]
_MIN_PEOPLE = 1e-6  # what the solver's arithmetic leaves behind is nobody
_MAX_NODES = 10
_ROUNDING = 1e-9
_LEAST_FLOOR = 1e-7  # by which a floor lies below what was found: the solver's arithmetic


def select(choices: Choices, places: pd.DataFrame, access: Access, scenario: Scenario, *, known: tuple[str, ...] = (),
           nodes: int = _MAX_NODES, rel_gap: float = 1e-9) -> Plan:
    """The best plan found within the budget, with the bound of these options and the one that holds whatever circuits are drawn.

    `places` are the region's localities; `known` a plan to better, such as that of a smaller budget. Deterministic: one thread,
    limits in nodes, never in seconds. SettingsError if what the scenario requires cannot be had; SolverError if no answer comes.
    """
    options = tuple(sorted(choices.options, key=lambda o: o.id))
    able, tiers = _able(options, scenario), people_tiers(access, scenario)
    pools = [p for p in choices.pools if _payable(p, scenario)]
    towns = towns_of([*able, *pools], tiers, places, access.localities)
    bases = set(choices.fleet.bases.index) if choices.fleet is not None else set()
    wider = _relaxed(able, pools, tiers, places, towns, scenario, nodes, bases) if pools else None
    if wider and choices.fleet is not None:
        drawn = draw(choices.fleet, *_wanted(*wider))
        options = tuple(sorted({o.id: o for o in (*drawn, *options)}.values(), key=lambda o: o.id))
        able = _able(options, scenario)
    if not able:
        why = "no hay intervenciones factibles" if not options else "el presupuesto no alcanza para ninguna"
        return Plan(options, (), pd.DataFrame(columns=SERVED_COLUMNS), Solution(0.0, 0.0, "óptimo", why, wider[1].bound if wider else 0.0))
    model = model_of(able, tiers, places, scenario, towns=towns)
    best, bound = _best(model, scenario, known, nodes, rel_gap)
    served, value, copies = best
    bound = max(bound, value)
    ceiling = max(wider[1].bound, bound) if wider else bound
    chosen = {*served["option"], *_asked(model, copies, set(served["option"]))}
    proved = bound - value <= max(_ROUNDING * bound, _MIN_PEOPLE)
    return Plan(options, tuple(sorted(chosen)), served,
                Solution(value, bound, "óptimo" if proved else "con brecha", "programa entero mixto (HiGHS)", ceiling))


def model_for(choices: Choices, places: pd.DataFrame, access: Access, scenario: Scenario) -> Model:
    """The options that can be paid for one by one, in arrays. SettingsError where what is required is not among them."""
    able, tiers = _able(choices.options, scenario), people_tiers(access, scenario)
    return model_of(able, tiers, places, scenario, towns=towns_of(able, tiers, places, access.localities))


def copies_of(model: Model, ids: Iterable[str]) -> np.ndarray:
    """Copies of each choice in a plan."""
    known = set(ids)
    return np.array([sum(i in known for i in group) for group in model.ids], int)


Found = tuple[pd.DataFrame, float, np.ndarray]  # whom the plan serves, its value, copies of each choice


def _best(model: Model, scenario: Scenario, known: tuple[str, ...], nodes: int, rel_gap: float) -> tuple[Found, float]:
    """The best of the greedy plan, the known one and the solver's, and the solver's bound."""
    given = [_affordable(model, copies_of(model, known))] if known else []
    starts = [copies for copies in [*([] if constrained(scenario) else [greedy_copies(model)]), *given] if _has_required(model, copies)]
    best = max((served_by(model, copies) for copies in starts), key=lambda s: s[1], default=None)
    answer, floor = _solved(model, nodes, best[2] if best else None, rel_gap)
    if answer.feasible:
        found = served_by(model, np.rint(answer.x[: len(model.ids)]).astype(int), floor)
        least = _floor(best[1]) if best and floor > 0 else best[1] * (1 + _ROUNDING) if best else -np.inf
        if found[1] > least:  # of equal plans the one that closes more gap, or where that is the aim the greedy one, ties by id
            best = found
    if best is None:
        raise SolverError("El optimizador no encontró un plan que cumpla lo exigido; quite exigencias o suba el presupuesto.")
    return best, answer.bound


def _relaxed(able: list[Option], pools: list[Option], tiers: pd.DataFrame, places: pd.DataFrame, towns: pd.DataFrame, scenario: Scenario,
             nodes: int, bases: set[str]) -> tuple[Model, Answer]:
    """The choice with the pools in the place of the circuits, solved: its bound holds whatever circuits one may draw."""
    kinds = {p.kind for p in pools}
    fixed, teams = [o for o in able if o.kind not in kinds], {o.place for o in able if o.kind in kinds} | bases
    asked = tuple(w for w in scenario.require if any(w == o.id or (w == o.place and w not in teams) for o in fixed))
    model = model_of([*fixed, *pools], tiers, places, scenario.model_copy(update={"require": asked}),
                     towns=towns)
    return model, _solved(model, nodes, None)[0]


def _wanted(model: Model, answer: Answer) -> tuple[dict[str, int], np.ndarray]:
    """Teams of each kind that the relaxed plan buys, and the people of each tier that the rest of it leaves to them."""
    n = len(model.ids)
    if not answer.feasible:
        return {}, model.people
    copies = np.rint(answer.x[:n]).astype(int)
    pooled = np.isfinite(model.stops) & np.isin(model.kinds, TEAMS)
    people, choice = answer.x[n + 1 : n + 1 + len(model.pairs)], model.pairs["choice"].to_numpy()
    fixed = np.where(pooled[choice], 0.0, people)
    return ({model.kinds[k]: int(copies[k]) for k in np.flatnonzero(pooled)},
            model.people - np.bincount(model.pairs["row"], fixed, minlength=len(model.people)))


def constrained(scenario: Scenario) -> bool:
    """Whether a plan that buys what closes most per peso could break something the scenario asks for, or misses its aim."""
    return bool(scenario.require) or max(scenario.share_min_very_high, scenario.share_min_indigenous) > 0 or (
        scenario.objective == "peor_municipio")


def _has_required(model: Model, copies: np.ndarray) -> bool:
    return bool((copies >= model.least).all()) and all(copies[list(group)].any() for group in model.required)


def _able(options: tuple[Option, ...], scenario: Scenario) -> list[Option]:
    """The options that are allowed and can be paid for one by one; SettingsError where what is required is not among them."""
    allowed = [o for o in options if o.weighted > 0 and not {o.id, o.place} & set(scenario.forbid)]
    able = [o for o in allowed if _payable(o, scenario)]
    for wanted in scenario.require:
        named = [o for o in options if wanted in (o.id, o.place)]
        if not named:
            raise SettingsError(f"require pide {wanted}, que no es una propuesta factible ni el lugar de una; quítelo o revise la "
                                "clave (una ruta se exige por la CLUES de su base).")
        if not any(o in able for o in named):
            cheapest = min(named, key=lambda o: (o.annual_mxn, o.id))
            raise SettingsError(f"require pide {wanted}, que cuesta {cheapest.annual_mxn:,.0f} MXN al año y {cheapest.capital_mxn:,.0f} "
                                "de inversión: el presupuesto no alcanza, o forbid lo prohíbe.")
    return able


def _payable(option: Option, scenario: Scenario) -> bool:
    outlay = np.inf if scenario.capital_mxn is None else scenario.capital_mxn
    return option.annual_mxn <= scenario.budget_mxn_year and option.capital_mxn <= outlay


def _asked(model: Model, copies: np.ndarray, used: set[str]) -> set[str]:
    """What is bought because it is required, though it may serve nobody: no more of it than that."""
    asked = {i for ids, n in zip(model.ids, model.least, strict=True) for i in ids[: int(n)]}
    for group in model.required:
        if not any(i in used | asked for k in group for i in model.ids[k]):
            bought = min((k for k in group if copies[k] > 0), key=lambda k: (model.cost[k], k))
            asked.add(model.ids[bought][0])
    return asked


def _solved(model: Model, nodes: int, start: np.ndarray | None, rel_gap: float = 1e-9) -> tuple[Answer, float]:
    """The solver's answer in the unit of the objective, and the floor of it that a second search for most gap closed keeps."""
    problem = program(model, worst=model.objective == "peor_municipio")
    point = None if start is None or np.isfinite(model.stops).any() else _point(model, problem, start)
    answer = solve(problem, start=point, nodes=nodes, rel_gap=rel_gap)
    if not answer.feasible and answer.proved:
        raise SettingsError("Lo exigido (require, partes mínimas) no cabe en el presupuesto, o se excluye entre sí; "
                            "quite exigencias o suba el presupuesto.")
    if model.objective == "brecha" or not answer.feasible:
        return answer, 0.0
    floor = _floor(answer.value)
    second = solve(program(model, floor=floor), start=answer.x, nodes=nodes, rel_gap=rel_gap)
    return (replace(second, value=answer.value, bound=answer.bound) if second.feasible else answer), floor


def _floor(value: float) -> float:
    return max(value * (1 - _ROUNDING) - _LEAST_FLOOR, 0.0)


def _affordable(model: Model, copies: np.ndarray) -> np.ndarray:
    """The copies of a known plan; nothing at all if it costs more than there is."""
    return copies if copies @ model.cost <= model.budget and copies @ model.capital <= model.outlay else np.zeros_like(copies)


def greedy_copies(model: Model) -> np.ndarray:
    """Copies of each choice bought one by one, most worth per peso first (what costs nothing: most worth; ties: lowest id)."""
    left, free = model.people.copy(), model.pairs["available"].to_numpy().copy()
    row, worth, gain = (model.pairs[c].to_numpy() for c in ("row", "worth", "gain"))
    copies, budget, outlay = np.zeros(len(model.ids), int), model.budget, model.outlay
    barred: set[int] = set()
    against: dict[int, set[int]] = {}
    for a, b in model.conflicts:
        against.setdefault(a, set()).add(b)
        against.setdefault(b, set()).add(a)
    twins = _twins(model)

    def best(k: int) -> tuple[np.ndarray, float]:
        at = slice(model.start[k], model.start[k + 1])
        taken = take_best(np.minimum(free[at], left[row[at]]), gain[at], model.capacity[k])
        return taken, float(taken @ worth[at])

    def rank(k: int, value: float) -> tuple[float, float, int]:
        return (-value / model.cost[k], 0.0, k) if model.cost[k] > 0 else (-np.inf, -value, k)

    queue = [rank(k, best(k)[1]) for k in range(len(model.ids))]
    heapq.heapify(queue)
    while queue:
        believed = heapq.heappop(queue)
        k = believed[-1]
        taken, value = best(k)
        if value <= 0 or k in barred or model.cost[k] > budget or model.capital[k] > outlay:
            continue
        if queue and rank(k, value) > queue[0] and rank(k, value) != believed:
            heapq.heappush(queue, rank(k, value))
            continue
        at = slice(model.start[k], model.start[k + 1])
        left[row[at]] -= taken
        free[at] -= taken
        np.subtract.at(free, twins.get(k, np.empty(0, int)), taken if k in twins else 0.0)
        budget, outlay = budget - model.cost[k], outlay - model.capital[k]
        copies[k] += 1
        barred |= against.get(k, set())
        if copies[k] < model.most[k]:
            heapq.heappush(queue, rank(k, best(k)[1]))
    return copies


def _twins(model: Model) -> dict[int, np.ndarray]:
    """By choice of a unit that may get nuclei and posts: the pairs of the other choice that seat the same people, in order."""
    sharing = shared_pairs(model)
    other: dict[int, np.ndarray] = {}
    if len(sharing):
        choice = model.pairs["choice"].to_numpy()[sharing.index]
        for k in np.unique(choice):
            mine = sharing[choice == k]
            rest = sharing[(choice != k) & sharing["group"].isin(mine["group"])].reset_index().set_index("group")["index"]
            other[int(k)] = rest.reindex(mine["group"]).to_numpy(int)
    return other


def _point(model: Model, problem: Problem, copies: np.ndarray) -> np.ndarray:
    """These copies and whom they take as a point of the program."""
    point = np.zeros(len(problem.gain))
    point[: len(copies)] = copies
    point[len(copies) + 1 :] = assigned(model, copies)
    return point


def assigned(model: Model, copies: np.ndarray, floor: float = 0.0, *, whole: Problem | None = None) -> np.ndarray:
    """People that each pair takes when these copies stand: the program (`whole`) with its whole numbers fixed, zero elsewhere."""
    choice = model.pairs["choice"].to_numpy()
    on = np.flatnonzero(copies[choice] > 0)
    people = np.zeros(len(choice))
    if not len(on):
        return people
    n = len(copies)
    whole = whole or program(model, floor=floor)
    columns = np.concatenate([[n], n + 1 + on])
    upper = whole.upper - whole.matrix[:, :n] @ copies
    part = whole.matrix[:, columns]
    used = np.flatnonzero(np.diff(part.tocsr().indptr) > 0)
    answer = solve(Problem(part.tocsr()[used].tocsc(), whole.lower[used], upper[used], whole.gain[columns], whole.most[columns],
                           np.zeros(len(columns), bool)))
    if not answer.feasible:
        raise SolverError("El optimizador no pudo repartir a las personas; revise las capacidades.")
    people[on] = np.clip(answer.x[1:], 0.0, model.pairs["available"].to_numpy()[on])
    return people


def served_by(model: Model, copies: np.ndarray, floor: float = 0.0) -> tuple[pd.DataFrame, float, np.ndarray]:
    """The long table of who is taken by which option when these copies stand, its worth, and the copies."""
    if model.objective == "personas" and floor == 0:  # of people alike those who gain most
        floor = _floor(float(assigned(model, copies).sum()))
    people = _unserved_first(assigned(model, copies, floor), model)
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
    return served[SERVED_COLUMNS], _value(model, served), copies


def _value(model: Model, served: pd.DataFrame) -> float:
    """What the plan is worth in the unit of the objective; see model.Solution."""
    people, gain = served["people"].to_numpy(float), served["gain"].to_numpy(float)
    if model.objective == "personas":
        return float(people.sum())
    if model.objective == "brecha":
        return float(people @ gain)
    town, lack = model.rows["town"].to_numpy()[served["row"].to_numpy(int)], model.towns["lack"].to_numpy(float)
    closed = np.bincount(town[town >= 0], (people * gain)[town >= 0], minlength=len(lack))
    return float(lack.max() - (lack - closed / model.towns["people"].to_numpy(float)).max()) if len(lack) else 0.0


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
