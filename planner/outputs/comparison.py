"""What changes from one run to others, under their plans: reach, gap, money, equity, units, proposals, winners and losers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import pandas as pd

from planner import schema
from planner.errors import DataError
from planner.outputs.changes import proposal_changes
from planner.outputs.exporting import exported
from planner.outputs.finished import Finished
from planner.outputs.tables import MONEY, ROWS
from planner.settings import constant_pesos
from planner.words import KINDS_PLURAL

REACH = (  # field of localidades, minutes, words
    *(("min_primer_nivel_plan", minutes, f"Primer nivel a {minutes:g} minutos o menos") for minutes in (30.0, 60.0, 120.0)),
    *(("min_hospital_plan", minutes, f"Hospital a {minutes:g} minutos o menos") for minutes in (60.0, 120.0)))
NOISE = 1e-6  # people: what the twelve digits of the files leave behind
_KEYS = ["clave", "que", "unidad"]


@dataclass(frozen=True, eq=False)
class Comparison:
    """A baseline and other runs of its region, each under its plan; every change is the other's value less the baseline's.

    `figures`, `grades`, `groups` and `municipalities` are indexed by what they tell, with a column for each run and one for each
    change (`change_name`); money is in pesos of the baseline's price year. `localities`, `units` and `proposals` hold only what
    differs, under their export names.
    """

    baseline: Finished
    others: tuple[Finished, ...]
    figures: pd.DataFrame  # index clave, que, unidad
    grades: pd.DataFrame  # index clave, que, unidad: equivalent people by grade of rezago
    groups: pd.DataFrame  # index clave, que, unidad: equivalent people by group
    municipalities: pd.DataFrame  # index clave, que, unidad: weighted gap
    reach: pd.DataFrame  # corrida, que, ganan, pierden, neto: people who come within and fall out of reach
    winners: pd.DataFrame  # corrida, ganan, localidades_ganan, pierden, localidades_pierden, neto: equivalent people
    localities: gpd.GeoDataFrame  # schema.COMPARED_LOCALITIES, EPSG:4326; index cvegeo, which repeats with several others
    units: pd.DataFrame  # schema.COMPARED_UNITS
    proposals: pd.DataFrame  # schema.COMPARED_PROPOSALS
    assumptions: pd.DataFrame  # clave, significado, unidad and the value of each run, as text is left to who shows it

    @property
    def runs(self) -> tuple[Finished, ...]:
        return (self.baseline, *self.others)

    @property
    def empty(self) -> bool:
        """Whether nothing differs at all."""
        tables = (self.figures, self.grades, self.groups, self.municipalities)
        still = all((t[[change_name(o) for o in self.others]].fillna(0.0).abs() <= NOISE).all(axis=None) for t in tables)
        return bool(still and self.localities.empty and self.units.empty and self.proposals.empty and self.reach.empty
                    and self.assumptions.empty)


def compare(runs: Sequence[Finished]) -> Comparison:
    """Compare the first run with each other one. DataError for fewer than two."""
    if len(runs) < 2:
        raise DataError("Se comparan al menos dos corridas.")
    base, others = runs[0], tuple(runs[1:])
    return Comparison(
        base, others, figures=_side_by_side(runs, lambda run: _figures(run, base)),
        grades=_side_by_side(runs, lambda run: _blocks(run, "por_grado", "personas_equiv")),
        groups=_side_by_side(runs, lambda run: _blocks(run, "por_grupo", "personas_equiv")),
        municipalities=_side_by_side(runs, lambda run: _blocks(run, "por_municipio", "brecha_ponderada")),
        reach=pd.concat([_reach(base, other) for other in others], ignore_index=True),
        winners=pd.concat([_winners(base, other) for other in others], ignore_index=True),
        localities=_localities(base, others), units=_units(base, others),
        proposals=_proposals(base, others), assumptions=_assumptions(runs))


def change_name(run: Finished) -> str:
    """The column that holds the change of a run against the baseline."""
    return f"Cambio: {run.name}"


def _side_by_side(runs: Sequence[Finished], figures: Callable[[Finished], list[tuple[str, str, str, float | None]]]) -> pd.DataFrame:
    tables = [pd.DataFrame(figures(run), columns=[*_KEYS, run.name]).set_index(_KEYS)[run.name].astype(float) for run in runs]
    table = pd.concat(tables, axis=1, sort=False)
    return table.assign(**{change_name(run): table[run.name] - table[runs[0].name] for run in runs[1:]})


def _figures(run: Finished, base: Finished) -> list[tuple[str, str, str, float | None]]:
    block, plan = run.indicators["total"]["plan"], run.indicators["plan"]
    kinds = {kind: plan["por_tipo"].get(kind, {}).get("numero", 0) for kind in KINDS_PLURAL}
    money = {key: _pesos(plan[key], run, base) for key in ("costo_anual", "costo_inversion")}
    gained = base.indicators["total"]["plan"]["personas_equiv"] - block["personas_equiv"]
    more = money["costo_anual"] - base.indicators["plan"]["costo_anual"]
    return [
        *((f"total.plan.{key}", words, unit, block[key]) for key, words, unit in ROWS),
        ("unidades_saturadas.plan", "Unidades saturadas", "unidades", run.indicators["unidades_saturadas"]["plan"]),
        *((f"plan.{key}", words, unit, money.get(key, plan[key])) for key, words, unit in MONEY),
        *((f"plan.por_tipo.{kind}.numero", KINDS_PLURAL[kind], "intervenciones", number) for kind, number in kinds.items()),
        ("plan.brecha_ponderada_cerrada", "Brecha ponderada que cierra el plan", "personas ponderadas", plan["brecha_ponderada_cerrada"]),
        ("plan.personas", "Personas que atiende el plan", "personas", plan["personas"]),
        ("costo_por_persona", "Costo anual por persona que atiende el plan", "MXN/año", _ratio(money["costo_anual"], plan["personas"])),
        ("costo_por_persona_ganada", "Costo anual de más por persona equivalente ganada frente a la base", "MXN/año",
         _ratio(more, gained) if gained > NOISE and run is not base else None),
        ("indice_concentracion.plan", "Índice de concentración del acceso", "índice", run.indicators["indice_concentracion"]["plan"]),
        ("razon_palma.plan", "Acceso del 10 % menos rezagado entre el del 40 % más rezagado", "razón",
         run.indicators["razon_palma"]["plan"]),
    ]


def _pesos(amount: float, run: Finished, base: Finished) -> float:
    """An amount of one run at the prices of the baseline's year."""
    then, now = run.about["escenario"], base.about["escenario"]
    return float(constant_pesos(amount, then["price_year"], now["price_year"], now["inflation"]))


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole > 0 else None


def _blocks(run: Finished, blocks: str, key: str) -> list[tuple[str, str, str, float | None]]:
    names = {export: words for _, export, words in schema.GROUPS}
    unit = {"personas_equiv": "personas", "brecha_ponderada": "personas ponderadas"}[key]
    return [(f"{blocks}.{name}.plan.{key}", block.get("nombre", names.get(name, name)), unit, block["plan"][key])
            for name, block in run.indicators[blocks].items()]


def _reach(base: Finished, other: Finished) -> pd.DataFrame:
    """People of each locality within each limit, those who come within and those who fall out; both are 0 where nobody moves."""
    rows = []
    for field, limit, words in REACH:
        within = [(run.localities["poblacion"].where(run.localities[field] <= limit, 0.0)) for run in (base, other)]
        change = within[1].sub(within[0], fill_value=0.0)
        more, fewer = float(change[change > NOISE].sum()), float(-change[change < -NOISE].sum())
        if more or fewer:
            rows.append((other.name, words, more, fewer, more - fewer))
    return pd.DataFrame(rows, columns=["corrida", "que", "ganan", "pierden", "neto"])


def _gains(base: Finished, other: Finished) -> pd.Series:
    """Equivalent people who gain access, by locality; null where either is unknown."""
    return pd.Series(base.localities["personas_equiv_plan"] - other.localities["personas_equiv_plan"], dtype=float)


def _winners(base: Finished, other: Finished) -> pd.DataFrame:
    gains = _gains(base, other)
    better, worse = gains[gains > NOISE], -gains[gains < -NOISE]
    row = (other.name, better.sum(), len(better), worse.sum(), len(worse), better.sum() - worse.sum())
    table = pd.DataFrame([row], columns=["corrida", "ganan", "localidades_ganan", "pierden", "localidades_pierden", "neto"])
    return table if len(better) or len(worse) else table.iloc[:0]


def _localities(base: Finished, others: Sequence[Finished]) -> gpd.GeoDataFrame:
    """Localities whose people, minutes or interventions differ, winners first within each run."""
    parts = []
    pairs = {"equivalent": "personas_equiv_plan", "first_level": "min_primer_nivel_plan", "hospital": "min_hospital_plan",
             "intervention": "intervencion"}
    for other in others:
        here, there = other.localities, base.localities.reindex(other.localities.index)
        values = {f"{name}{end}": frame[field] for name, field in pairs.items() for end, frame in (("_base", there), ("", here))}
        table = pd.DataFrame({"run": other.name, "municipality": here["nom_mun"], "name": here["nom_loc"], "grade": here["grado_rezago"],
                              "people": here["poblacion"], "gained": _gains(base, other).reindex(here.index), **values})
        differs = pd.Series(False, index=here.index)
        for name in pairs:
            differs |= _differ(table[f"{name}_base"], table[name])
        told = exported((schema.COMPARED_LOCALITIES,), table[differs], f"Localidades de {other.name}")
        parts.append(gpd.GeoDataFrame(told, geometry=here.geometry.reindex(told.index), crs=4326).sort_values(
            "gana", ascending=False, kind="stable"))
    return gpd.GeoDataFrame(pd.concat(parts), crs=4326)


def _differ(one: pd.Series, two: pd.Series) -> pd.Series:
    if pd.api.types.is_numeric_dtype(one):
        return pd.Series(((one - two).abs() > NOISE) | (one.isna() ^ two.isna()), dtype=bool)
    return pd.Series(one.fillna("").astype(str).ne(two.fillna("").astype(str)), dtype=bool)


def _units(base: Finished, others: Sequence[Finished]) -> pd.DataFrame:
    """Units whose load or room differs, the most crowded first within each run."""
    parts = []
    for other in others:
        here, there = other.units, base.units.reindex(other.units.index)
        table = pd.DataFrame({"run": other.name, "name": here["nombre"], "load_base": there["carga_plan"], "load": here["carga_plan"],
                              "rho_base": there["suficiencia_plan"], "rho": here["suficiencia_plan"]})
        differs = _differ(table["load_base"], table["load"]) | _differ(table["rho_base"], table["rho"])
        told = exported((schema.COMPARED_UNITS,), table[differs], f"Unidades de {other.name}")
        parts.append(told.sort_values("suficiencia", kind="stable"))
    return pd.concat(parts)


def _proposals(base: Finished, others: Sequence[Finished]) -> pd.DataFrame:
    parts = [exported((schema.COMPARED_PROPOSALS,), proposal_changes(base, other), f"Propuestas de {other.name}") for other in others]
    return pd.concat(parts)


def _assumptions(runs: Sequence[Finished]) -> pd.DataFrame:
    """Settings that differ; the value of each run as its manifest holds it."""
    told: list[dict[str, Any]] = [{row["clave"]: row["valor"] for row in run.about["supuestos"]} for run in runs]
    about = {row["clave"]: (row["significado"], row["unidad"]) for run in runs for row in run.about["supuestos"]}
    differing = [key for key in about if key != "name" and any(values.get(key) != told[0].get(key) for values in told)]
    return pd.DataFrame([(key, *about[key], *(values.get(key) for values in told)) for key in differing],
                        columns=["clave", "significado", "unidad", *(run.name for run in runs)], dtype=object)
