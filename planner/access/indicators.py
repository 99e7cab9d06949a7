"""Every number that is shown of a region: totals and parts of them, today (`actual`) and under the plan (`plan`)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from planner.access.gap import HOSPITAL_KINDS, STATES
from planner.kinds import FOREIGN, LEVELS, MODES
from planner.model import Plan, Travel
from planner.schema import COVERAGE, GRADES, GROUPS, KINDS
from planner.settings import Scenario

# The field names promise these minutes whatever thresholds a scenario sets; those are reported as `*_umbral`.
FIRST_LEVEL_MIN = {"dentro_30": 30.0, "dentro_60": 60.0}
HOSPITAL_MIN = {"hospital_60": 60.0, "hospital_120": 120.0}
NO_DATA = "sin dato"
_PERCENTILE = 0.9
_ROUNDING = 1e-9  # what adding floats may leave behind


def indicators(
    localities: pd.DataFrame, units: pd.DataFrame, proposals: pd.DataFrame, travel: Travel, plan: Plan, scenario: Scenario,
) -> dict[str, Any]:
    """Indicators by level as nested dicts of plain numbers, each block twice: `actual` and `plan`.

    `localities` holds schema.LOCALITIES and schema.ACCESS, the latter also with suffix `_plan`. A locality of unknown
    grade or district stands under `sin dato`, so that the parts of every level sum to the total. `por_grupo` takes the
    people of a group in place of N and gives them the access of their locality.
    """
    places = localities.sort_index()
    facts = {"actual": _facts(places, ""), "plan": _facts(places, "_plan")}
    people, irs = places["people"].to_numpy(float), places["irs"].to_numpy(float)

    def parts(column: str, keys: Iterable[str] = ()) -> dict[str, Any]:
        return by_group(places, places[column], scenario, keys)

    everybody = np.ones(len(places), bool)
    own = units[units["role"] != FOREIGN]  # what a neighbour has is not the state's to count
    towns = places.drop_duplicates("cve_mun").set_index("cve_mun")["municipality"]
    return {
        "total": _block(facts, people, everybody, scenario),
        "por_grado": parts("irs_grade", GRADES),
        "por_municipio": {k: {"nombre": str(towns.get(k, k)), **v} for k, v in parts("cve_mun").items()},
        "por_distrito": parts("district"),
        "por_grupo": {export: _block(facts, places[name].to_numpy(float), everybody, scenario) for name, export, _ in GROUPS},
        "por_modo": _by_mode(travel, places),
        "indice_concentracion": {k: concentration_index(1.0 - f["gap_share"], irs, people) for k, f in facts.items()},
        "razon_palma": {k: palma_ratio(1.0 - f["gap_share"], irs, people) for k, f in facts.items()},
        "poblacion_total": int(places["population"].sum()),
        "unidades_saturadas": {k: _saturated(own, s) for k, s in (("actual", ""), ("plan", "_plan"))},
        "unidades_por_funcion": _counts(own["role"]),
        "unidades_por_clase": _counts(own["unit_class"]),
        "opciones_por_tipo": _options(plan),
        "plan": _plan(proposals, plan, scenario),
    }


def by_group(localities: pd.DataFrame, group: pd.Series, scenario: Scenario, keys: Iterable[str] = ()) -> dict[str, Any]:
    """The blocks of `indicators` for each value of `group` (by cvegeo; null: `sin dato`, the last), `keys` first whether found or not."""
    places = localities.sort_index()
    facts = {"actual": _facts(places, ""), "plan": _facts(places, "_plan")}
    people, own = places["people"].to_numpy(float), group.reindex(places.index).astype(object)
    own = own.where(own.notna(), NO_DATA)
    names = [*keys, *sorted(set(own) - {*keys, NO_DATA}), *([NO_DATA] if (own == NO_DATA).any() else [])]
    return {name: _block(facts, people, (own == name).to_numpy(), scenario) for name in names}


def weighted_percentile(values: np.ndarray, weights: np.ndarray, part: float) -> float | None:
    """Smallest value that at least `part` of the weight does not pass; missing counts as infinite, None if it is infinite.

    >>> weighted_percentile(np.array([10.0, 50.0, np.nan]), np.array([60.0, 30.0, 10.0]), 0.9)
    50.0
    """
    order = np.argsort(np.where(np.isnan(values), np.inf, values), kind="stable")
    order = order[weights[order] > 0]
    if not len(order):
        return None
    passed = np.cumsum(weights[order])
    found = float(values[order[np.searchsorted(passed, part * passed[-1] * (1 - _ROUNDING))]])
    return found if np.isfinite(found) else None


def concentration_index(access: np.ndarray, deprivation: np.ndarray, people: np.ndarray) -> float | None:
    """How unequally access lies over people ranked from most to least deprived; above 0: the less deprived have more.

    C = 2 cov(h, r) / mean(h) with weighted fractional ranks, equal deprivation sharing its mean rank; Kakwani, Wagstaff
    and van Doorslaer 1997 (J. Econometrics 77), O'Donnell et al. 2008 (World Bank, chapter 8). Places where anything is
    missing are left out; None without people or access.

    >>> concentration_index(np.array([0.0, 1.0]), np.array([2.0, -1.0]), np.array([50.0, 50.0]))
    0.5
    """
    known = ~(np.isnan(access) | np.isnan(deprivation)) & (people > 0)
    h, w = access[known], people[known]
    total = float(w @ h)
    if total <= 0:
        return None
    _, at = np.unique(-deprivation[known], return_inverse=True)
    weight = np.bincount(at, w)
    rank = (np.cumsum(weight) - weight / 2)[at] / w.sum()
    return float(2 * (w * h) @ rank / total - 1)


def palma_ratio(access: np.ndarray, deprivation: np.ndarray, people: np.ndarray) -> float | None:
    """Access per person of the least deprived tenth of people over that of the most deprived four tenths; 1 is equality.

    After the ratio of incomes of Palma 2011 (Development and Change 42) and Cobham and Sumner 2013 (CGD working paper 343), per person
    and with people ranked by deprivation. Equal deprivation shares its mean access, whoever straddles a cut counts in part; places
    where anything is missing are left out; None without people, or where the most deprived have no access.

    >>> palma_ratio(np.array([0.4, 0.8]), np.array([2.0, -1.0]), np.array([40.0, 60.0]))
    2.0
    """
    known = ~(np.isnan(access) | np.isnan(deprivation)) & (people > 0)
    if not known.any():
        return None
    _, at = np.unique(-deprivation[known], return_inverse=True)
    weight = np.bincount(at, people[known])
    held = np.bincount(at, people[known] * access[known])
    below = np.cumsum(weight) / weight.sum()
    reached = np.concatenate([[0.0], np.cumsum(held)])
    poorest, rest = (float(np.interp(cut, np.concatenate([[0.0], below]), reached)) for cut in (0.4, 0.9))
    return None if poorest <= 0 else (float(reached[-1]) - rest) / 0.1 / (poorest / 0.4)


def _facts(places: pd.DataFrame, suffix: str) -> dict[str, np.ndarray]:
    """What the blocks need of each locality, per person of it."""
    people = places[f"people{suffix}"]
    states = {s: (places[f"{s}{suffix}"] / people.where(people > 0)).where(people > 0, places[f"coverage{suffix}"] == name)
              for s, name in zip(STATES, COVERAGE, strict=True)}
    nobody = (people <= 0) & places[f"coverage{suffix}"].isna()
    states["uncovered"] = states["uncovered"].where(~nobody, 1.0)
    columns = ("first_level_min", "hospital_min", "gap_share", "need_weight", "score", "visits_month")
    return {c: places[f"{c}{suffix}"].to_numpy(float) for c in columns} | {s: v.to_numpy(float) for s, v in states.items()}


def _block(facts: dict[str, dict[str, np.ndarray]], people: np.ndarray, mask: np.ndarray, scenario: Scenario) -> dict[str, Any]:
    return {when: _numbers({k: v[mask] for k, v in f.items()}, people[mask], scenario) for when, f in facts.items()}


def _numbers(f: dict[str, np.ndarray], people: np.ndarray, scenario: Scenario) -> dict[str, Any]:
    first, hospital, missing = f["first_level_min"], f["hospital_min"], np.isnan(f["score"])
    lives = people > 0
    within = {k: _sum(people, first <= t) for k, t in (*FIRST_LEVEL_MIN.items(), ("dentro_umbral", scenario.reach_first_level_min))}
    near = {k: _sum(people, hospital <= t) for k, t in (*HOSPITAL_MIN.items(), ("hospital_umbral", scenario.reach_hospital_min))}
    return {
        "poblacion": float(people.sum()), "localidades": int(lives.sum()), **within, **near,
        "personas_equiv": float(np.nansum(people * f["gap_share"])),
        "brecha_ponderada": float(np.nansum(people * f["gap_share"] * f["need_weight"])),
        "p90_min": weighted_percentile(first, people, _PERCENTILE),
        "con_servicio": float(people @ f["served"]), "cubierta_sin_capacidad": float(people @ f["covered_unserved"]),
        "sin_cobertura": float(people @ f["uncovered"]),
        "localidades_sin_servicio": int((lives & (f["served"] <= 0) & (f["visits_month"] <= 0)).sum()),
        "sin_dato": _sum(people, missing), "localidades_sin_dato": int((lives & missing).sum()),
    }


def _sum(people: np.ndarray, mask: np.ndarray) -> float:
    return float(people[mask].sum())


def _by_mode(travel: Travel, places: pd.DataFrame) -> dict[str, dict[str, float | None]]:
    """People within reach of the nearest unit today and the 90th percentile of minutes to it, under each mode.

    The rest are beyond reach, or their travel is unknown.
    """
    people = places["people"].to_numpy(float)
    out: dict[str, dict[str, float | None]] = {}
    for mode in MODES:
        minutes = {level: travel.nearest[level, mode]["minutes"].reindex(places.index).to_numpy(float) for level in LEVELS}
        out[mode] = {"poblacion": float(people.sum()),
                     **{k: _sum(people, minutes["primer_nivel"] <= t) for k, t in FIRST_LEVEL_MIN.items()},
                     **{k: _sum(people, minutes["hospital"] <= t) for k, t in HOSPITAL_MIN.items()},
                     "p90_min": weighted_percentile(minutes["primer_nivel"], people, _PERCENTILE),
                     "sin_dato": _sum(people, np.isnan(minutes["primer_nivel"]) | np.isnan(minutes["hospital"]))}
    return out


def _saturated(units: pd.DataFrame, suffix: str) -> int:
    return int((units[f"rho{suffix}"] < 1 - _ROUNDING).sum())


def _counts(column: pd.Series) -> dict[str, int]:
    return {str(k): int(n) for k, n in column.value_counts().sort_index().items()}


def _options(plan: Plan) -> dict[str, dict[str, float]]:
    rows = [(o.kind, o.annual_mxn, o.capital_mxn) for o in plan.options]
    return {kind: {"numero": sum(k == kind for k, *_ in rows), "costo_anual": float(sum(a for k, a, _ in rows if k == kind)),
                   "costo_inversion": float(sum(c for k, _, c in rows if k == kind))} for kind in KINDS if any(k == kind for k, *_ in rows)}


def _plan(proposals: pd.DataFrame, plan: Plan, scenario: Scenario) -> dict[str, Any]:
    """The plan and its kinds; `personas` of the plan have a service of first level, those with support of a hospital stand apart."""
    def of(table: pd.DataFrame) -> dict[str, Any]:
        return {"numero": len(table), "costo_anual": float(table["annual_mxn"].sum()), "costo_inversion": float(table["capital_mxn"].sum()),
                "personas": float(table["people"].sum()), "brecha_ponderada_cerrada": float(table["weighted"].sum())}

    support = proposals["kind"].isin(HOSPITAL_KINDS)
    people = {"personas": float(proposals["people"][~support].sum()), "personas_apoyo_hospital": float(proposals["people"][support].sum())}
    return {**of(proposals), **people, "presupuesto_anual": scenario.budget_mxn_year, "cota_superior": plan.solution.bound,
            "brecha_optimalidad": plan.solution.gap, "valor": plan.solution.value, "objetivo": scenario.objective,
            "cota_cualquier_ruta": float(np.fmax(plan.solution.ceiling, plan.solution.bound)),
            "brecha_cualquier_ruta": plan.solution.gap_any,
            "estado": plan.solution.status, "metodo": plan.solution.method,
            "por_tipo": {k: of(proposals[proposals["kind"] == k]) for k in KINDS if (proposals["kind"] == k).any()}}
