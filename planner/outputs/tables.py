"""Tables in words: what one run says, and what changes between runs."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd

from planner.errors import DataError, StorageError
from planner.outputs.decisions import decision_tables
from planner.outputs.exporting import read_json
from planner.outputs.folder import INDICATORS
from planner.outputs.geofiles import read_layer
from planner.outputs.manifest import MANIFEST
from planner.outputs.regionaltold import regional_tables
from planner.scenarios import Run
from planner.schema import GRADES
from planner.words import CLASSES, KINDS, KINDS_PLURAL, MODES, ROADS, ROLES

# key of a block of indicadores.json, words, unit
ROWS: tuple[tuple[str, str, str], ...] = (
    ("poblacion", "Población objetivo", "personas"),
    ("dentro_30", "A 30 minutos o menos de primer nivel", "personas"),
    ("dentro_60", "A 60 minutos o menos de primer nivel", "personas"),
    ("hospital_60", "A 60 minutos o menos de un hospital", "personas"),
    ("hospital_120", "A 120 minutos o menos de un hospital", "personas"),
    ("p90_min", "Percentil 90 de los minutos al primer nivel", "min"),
    ("personas_equiv", "Personas sin acceso efectivo (equivalentes)", "personas"),
    ("brecha_ponderada", "Brecha ponderada", "personas ponderadas"),
    ("con_servicio", "Con servicio", "personas"),
    ("cubierta_sin_capacidad", "Cubierta sin capacidad", "personas"),
    ("sin_cobertura", "Sin cobertura", "personas"),
    ("localidades_sin_servicio", "Localidades sin servicio", "localidades"),
)
MONEY = (("numero", "Intervenciones", "intervenciones"), ("costo_anual", "Costo anual", "MXN/año"), ("costo_inversion", "Inversión", "MXN"))
GAINS = (("personas", "Personas", ""), ("brecha_ponderada_cerrada", "Brecha ponderada cerrada", ""))
_GRADE_ORDER = {grade: place for place, grade in enumerate(GRADES)}
_BLOCKS = ("total", "plan", "por_grado", "por_municipio", "indice_concentracion")
_OBJECTIVES = {"brecha": "Brecha ponderada que se cierra", "personas": "Personas atendidas",
               "peor_municipio": "Lo que mejora el peor municipio (brecha ponderada por persona)"}
_MOST = 10
_NAMELESS = ("", "año")  # units of numbers that are names: a seed, a year
_NOISE = 1e-6  # people: what the twelve digits of the files leave behind


@dataclass(frozen=True, eq=False)
class _Written:
    """A run as its folder tells it."""

    name: str
    about: Mapping[str, Any]
    indicators: Mapping[str, Any]
    localities: gpd.GeoDataFrame
    proposals: gpd.GeoDataFrame


EXTRA: dict[str, tuple[str, tuple[tuple[str, str, str], ...]]] = {  # what only some regions have: key, title, rows
    "red_vial": ("Red vial", (
        ("km", "Caminos y veredas", "km"), ("km_vehiculo", "Con paso de vehículos", "km"), ("km_terraceria", "De ellos, terracería", "km"),
        ("km_sin_velocidad_publicada", "De ellos, con la velocidad de su clase", "km"),
        ("km_cerrados_en_la_temporada", "Cerrados en la temporada", "km"))),
    "poblacion_dispersa": ("Personas fuera de las localidades listadas (ráster de población)", (
        ("personas", "Personas", "personas"), ("dentro_umbral", "A tiempo de un primer nivel", "personas"),
        ("fuera_umbral", "Más allá del umbral", "personas"), ("sin_camino", "Sin camino conocido", "personas"),
        ("min_medio", "Minutos en promedio", "min"))),
}


def summary_tables(run: Run) -> dict[str, pd.DataFrame]:
    """What a run found, by title: people today and with the plan, by mode and grade, units, options and the plan."""
    told = run.outcome.indicators
    synthetic = " (SINTÉTICA)" if run.region.synthetic else ""
    return {
        f"Personas: {run.region.name}{synthetic}, escenario {run.scenario.name}": _before_and_after(told["total"]),
        "Personas más allá, hoy, por modo": _beyond(told["por_modo"]),
        "Personas sin acceso efectivo (equivalentes) por grado de rezago": _equivalent(told["por_grado"]),
        "Unidades": _units(told),
        "Opciones factibles": _by_kind(told["opciones_por_tipo"], MONEY),
        "Plan": _by_kind(told["plan"]["por_tipo"], (*MONEY, *GAINS)),
        "Solución": _solution(told["plan"]),
        **decision_tables(run),
        **{title: _listed(told[key], rows) for key, (title, rows) in EXTRA.items() if key in told},
        **regional_tables(run),
    }


def _listed(told: dict[str, Any], rows: Sequence[tuple[str, str, str]]) -> pd.DataFrame:
    values = told.get("total", told)
    table = pd.DataFrame([(words, unit, values[key]) for key, words, unit in rows], columns=["Indicador", "Unidad", "Valor"])
    return _rounded(table, ["Valor"])


def compare_runs(folders: Sequence[Path]) -> dict[str, pd.DataFrame]:
    """What changes from the first run to each other one, under their plans: people, money, equity, places, proposals.

    People and money are whole; a table without rows is left out and named under "Sin diferencias". Reads the files of
    finished runs of one region. StorageError for a missing run, DataError for a damaged one or for runs of different regions.
    """
    runs = _read_runs(folders)
    tables = {
        "Personas y dinero (con el plan)": _against_first(runs, _figures),
        "Equidad: personas sin acceso efectivo (equivalentes) por grado de rezago": _against_first(runs, _by_grade),
        "Equidad: índice de concentración del acceso (arriba de 0: tienen más los menos rezagados)": _concentration(runs),
        "Personas que ganan y que pierden acceso efectivo (equivalentes)": _winners(runs),
        "Municipios que más cambian (brecha ponderada)": _municipalities(runs),
        "Propuestas que entran y salen": _proposals(runs),
        "Supuestos que difieren": _assumptions(runs),
    }
    alike = [title for title, table in tables.items() if table.empty]
    told = {title: table for title, table in tables.items() if not table.empty}
    return told | ({"Sin diferencias": pd.DataFrame({"En": alike})} if alike else {})


def _read_runs(folders: Sequence[Path]) -> list[_Written]:
    runs: list[_Written] = []
    for folder in folders:
        _check_there(folder)
        about, told = read_json(folder / MANIFEST), read_json(folder / INDICATORS)
        try:
            name, slug, _ = about["escenario"]["name"], about["region"]["clave"], [told[block] for block in _BLOCKS]
            if runs and slug != runs[0].about["region"]["clave"]:
                raise DataError(f"{folder} es de la región {slug} y {folders[0]} de {runs[0].about['region']['clave']}: "
                                "solo se comparan corridas de una misma región.")
        except (KeyError, TypeError) as fault:
            raise DataError(f"{folder} no es una corrida de esta versión del planificador; repita la corrida con --replace.") from fault
        taken = sum(r.about["escenario"]["name"] == name for r in runs)
        runs.append(_Written(f"{name} ({taken + 1})" if taken else name, about, told, read_layer(folder, "localidades"),
                             read_layer(folder, "propuestas")))
    return runs


def _check_there(folder: Path) -> None:
    """StorageError if the folder is no finished run, with those that are there instead."""
    if not (folder / MANIFEST).is_file():
        near = [p.parent.relative_to(folder.parent).as_posix()
                for where in (folder.parent.glob(f"*/{MANIFEST}"), folder.glob(f"*/{MANIFEST}")) for p in sorted(where)]
        listed = f"en {folder.parent} están: {', '.join(near)}" if near else f"en {folder.parent} no hay ninguna"
        raise StorageError(f"No hay una corrida terminada en {folder}; {listed}. Hágala con: planner run REGIÓN ESCENARIO.")
    lacking = [name for name in (INDICATORS, "localidades.geojson", "propuestas.geojson") if not (folder / name).is_file()]
    if lacking:
        raise StorageError(f"A la corrida {folder} le faltan archivos: {', '.join(lacking)}; repítala con --replace.")


def _rounded(table: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """People, money and places whole, minutes with two decimals (rows whose `Unidad` is min); never -0."""
    minutes = table["Unidad"] == "min" if "Unidad" in table else pd.Series(False, index=table.index)
    values = {c: table[c].astype(float) for c in columns}
    return table.assign(**{c: v.round().where(~minutes, v.round(2)) + 0.0 for c, v in values.items()})


def _against_first(runs: Sequence[_Written], figures: Callable[[_Written], pd.DataFrame]) -> pd.DataFrame:
    """Figures of each run side by side (`figures`: words first, `value` last) and the change of each against the first."""
    tables = [figures(run) for run in runs]
    keys = [c for c in tables[0].columns if c != "value"]
    values = pd.concat([t.set_index(keys)["value"].astype(float) for t in tables], axis=1, keys=[r.name for r in runs]).reset_index()
    for run in runs[1:]:
        values[f"Cambio: {run.name}"] = values[run.name] - values[runs[0].name]
    return _rounded(values, [c for c in values.columns if c not in keys])


def _figures(run: _Written) -> pd.DataFrame:
    block, plan = run.indicators["total"]["plan"], run.indicators["plan"]
    kinds = {kind: plan["por_tipo"].get(kind, {}).get("numero", 0) for kind in KINDS_PLURAL}
    return pd.DataFrame([
        *((words, unit, block[key]) for key, words, unit in ROWS),
        *((words, unit, plan[key]) for key, words, unit in MONEY),
        *((KINDS_PLURAL[kind], "intervenciones", number) for kind, number in kinds.items()),
        ("Brecha ponderada que cierra el plan", "personas ponderadas", plan["brecha_ponderada_cerrada"]),
    ], columns=["Indicador", "Unidad", "value"])


def _by_grade(run: _Written) -> pd.DataFrame:
    rows = [(grade, block["plan"]["personas_equiv"]) for grade, block in run.indicators["por_grado"].items()]
    return pd.DataFrame(rows, columns=["Grado", "value"]).sort_values("Grado", key=lambda g: g.map(_GRADE_ORDER).fillna(len(_GRADE_ORDER)))


def _concentration(runs: Sequence[_Written]) -> pd.DataFrame:
    """The index as text: three decimals tell one run from another."""
    rows = []
    first = runs[0].indicators["indice_concentracion"]["plan"]
    for run in runs:
        value = run.indicators["indice_concentracion"]["plan"]
        change = None if value is None or first is None else value - first
        rows.append((run.name, _thousandths(value), _thousandths(change) if run is not runs[0] else None))
    return pd.DataFrame(rows, columns=["Corrida", "Índice", "Cambio"])


def _thousandths(value: float | None) -> str | None:
    return None if value is None else f"{value:z.3f}"


def _winners(runs: Sequence[_Written]) -> pd.DataFrame:
    rows = []
    for run in runs[1:]:
        change = run.localities["personas_equiv_plan"] - runs[0].localities["personas_equiv_plan"]
        better, worse = change[change < -_NOISE], change[change > _NOISE]
        if len(better) or len(worse):
            rows.append((run.name, -better.sum(), len(better), worse.sum(), len(worse), -better.sum() - worse.sum()))
    columns = ["Corrida", "Ganan", "Localidades que ganan", "Pierden", "Localidades que pierden", "Ganancia neta"]
    return _rounded(pd.DataFrame(rows, columns=columns), ["Ganan", "Pierden", "Ganancia neta"])


def _municipalities(runs: Sequence[_Written]) -> pd.DataFrame:
    def figures(run: _Written) -> pd.DataFrame:
        return pd.DataFrame([(key, block["nombre"], block["plan"]["brecha_ponderada"])
                             for key, block in run.indicators["por_municipio"].items()], columns=["Clave", "Municipio", "value"])

    table = _against_first(runs, figures)
    most = table[[f"Cambio: {run.name}" for run in runs[1:]]].abs().max(axis=1)
    table = table.assign(most=most)[most > 0].sort_values(["most", "Clave"], ascending=[False, True])
    return table.drop(columns="most").head(_MOST).reset_index(drop=True)


def _proposals(runs: Sequence[_Written]) -> pd.DataFrame:
    columns = {"tipo": "Tipo", "nombre": "Nombre", "costo_anual": "Costo anual", "personas": "Personas"}
    parts = []
    for run in runs[1:]:
        for word, here, there in (("entra", run, runs[0]), ("sale", runs[0], run)):
            found = here.proposals.loc[here.proposals.index.difference(there.proposals.index), list(columns)].rename(columns=columns)
            parts.append(found.rename_axis("Propuesta").reset_index().assign(Corrida=run.name, Cambio=word))
    table = _rounded(pd.concat(parts, ignore_index=True), ["Costo anual", "Personas"])
    table["Tipo"] = table["Tipo"].map(KINDS)
    return pd.DataFrame(table[["Corrida", "Cambio", "Propuesta", *columns.values()]])


def _assumptions(runs: Sequence[_Written]) -> pd.DataFrame:
    told = [{row["clave"]: _setting(row["valor"], row["unidad"]) for row in run.about["supuestos"]} for run in runs]
    about = {row["clave"]: (row["significado"], row["unidad"]) for run in runs for row in run.about["supuestos"]}
    differing = [key for key in about if key != "name" and len({values.get(key) for values in told}) > 1]
    return pd.DataFrame([(key, *about[key], *(values.get(key) for values in told)) for key in differing],
                        columns=["Clave", "Significado", "Unidad", *(run.name for run in runs)])


def _setting(value: Any, unit: str) -> str:
    """A value of a scenario, exact; amounts with thousands separated by commas.

    >>> _setting(5e6, "MXN/año"), _setting(0.67, ""), _setting(2025, "año"), _setting(None, "MXN"), _setting({"Alto": 0.75}, "")
    ('5,000,000', '0.67', '2025', 'sin tope', 'Alto 0.75')
    >>> _setting({"calle": 30.0, "tracktype": [1.0, 0.9]}, ""), _setting("", "")
    ('calle 30, brecha de firme a blanda 1 / 0.9', 'ninguna')
    """
    if isinstance(value, (list, tuple)):
        return " / ".join(_setting(part, unit) for part in value)
    if isinstance(value, Mapping):
        keys = sorted(value, key=lambda k: _GRADE_ORDER.get(k, len(GRADES)))
        return ", ".join(f"{ROADS.get(key, key)} {_setting(value[key], unit)}" for key in keys)
    if value is None or isinstance(value, bool):
        return {None: "sin tope", True: "sí", False: "no"}[value]
    if isinstance(value, str):
        return value or "ninguna"
    return f"{value:.12g}" if unit in _NAMELESS else f"{value:,.12g}"


def _before_and_after(total: Mapping[str, Any]) -> pd.DataFrame:
    rows = [(words, unit, total["actual"][key], total["plan"][key]) for key, words, unit in ROWS]
    return _rounded(pd.DataFrame(rows, columns=["Indicador", "Unidad", "Hoy", "Con el plan"]), ["Hoy", "Con el plan"])


def _beyond(modes: Mapping[str, Any]) -> pd.DataFrame:
    """People not within each threshold under each mode; those of unknown travel are among them."""
    limits = {"dentro_30": "Primer nivel > 30 min", "dentro_60": "Primer nivel > 60 min",
              "hospital_60": "Hospital > 60 min", "hospital_120": "Hospital > 120 min"}
    rows = [(words, *(modes[mode]["poblacion"] - modes[mode][key] for key in limits), modes[mode]["sin_dato"])
            for mode, words in MODES.items()]
    counts = [*limits.values(), "De ellas, sin dato"]
    return _rounded(pd.DataFrame(rows, columns=["Modo", *counts]), counts)


def _equivalent(grades: Mapping[str, Any]) -> pd.DataFrame:
    rows = [(grade, block["actual"]["poblacion"], block["actual"]["personas_equiv"], block["plan"]["personas_equiv"])
            for grade, block in grades.items()]
    counts = ["Población objetivo", "Hoy", "Con el plan"]
    return _rounded(pd.DataFrame(rows, columns=["Grado", *counts]), counts)


def _units(told: Mapping[str, Any]) -> pd.DataFrame:
    full, roles, classes = told["unidades_saturadas"], told["unidades_por_funcion"], told["unidades_por_clase"]
    rows = [*(("Función", words, roles[key]) for key, words in ROLES.items() if key in roles),
            *(("Tipo", words, classes[key]) for key, words in CLASSES.items() if key in classes),
            ("Capacidad", "Saturadas hoy", full["actual"]), ("Capacidad", "Saturadas con el plan", full["plan"])]
    return pd.DataFrame(rows, columns=["Por", "Qué", "Unidades"])


def _solution(plan: Mapping[str, Any]) -> pd.DataFrame:
    amounts = {"Presupuesto anual (MXN)": plan["presupuesto_anual"], "Costo anual del plan (MXN)": plan["costo_anual"],
               "Brecha ponderada que cierra": plan["brecha_ponderada_cerrada"]}
    bounds = {f"{_OBJECTIVES[plan['objetivo']]}: con estas opciones nada pasa de": plan["cota_superior"],
              f"{_OBJECTIVES[plan['objetivo']]}: ni con otras rutas se pasa de": plan["cota_cualquier_ruta"]}
    if plan["objetivo"] == "brecha":
        amounts |= bounds
    else:
        amounts |= {_OBJECTIVES[plan["objetivo"]]: plan["valor"], **bounds}
    words = [("Estado", _status(plan["estado"], plan["brecha_optimalidad"])), ("Método", plan["metodo"])]
    digits = 4 if plan["objetivo"] == "peor_municipio" else 0
    rows = [*((what, round(amount, digits if what in bounds or what in _OBJECTIVES.values() else 0) + 0.0)
              for what, amount in amounts.items()), *words]
    return pd.DataFrame(rows, columns=["Qué", "Cuánto"]).astype({"Cuánto": object})


def _status(status: str, gap: float) -> str:
    """What was proven, in words; `gap` is a share of the bound, "better" a share of the plan, rounded up to stay a bound.

    >>> _status("óptimo", 0.0), _status("con brecha", 0.2), _status("con brecha", 1.0)
    ('óptimo demostrado', 'no demostrado óptimo; a lo más 25 % mejor', 'no demostrado óptimo')
    """
    if status == "óptimo":
        return "óptimo demostrado"
    better = math.ceil(round(1e4 * gap / (1 - gap), 6)) / 100 if gap < 1 else None
    return "no demostrado óptimo" + ("" if better is None else f"; a lo más {better:,.12g} % mejor")


def _by_kind(blocks: Mapping[str, Mapping[str, Any]], fields: Sequence[tuple[str, str, str]]) -> pd.DataFrame:
    """One row per kind of intervention and their total."""
    rows = [(KINDS_PLURAL[kind], *(blocks[kind][key] for key, _, _ in fields)) for kind in KINDS_PLURAL if kind in blocks]
    total = ("Total", *(sum(block[key] for block in blocks.values()) for key, _, _ in fields))
    headings = [words + (f" ({unit})" if unit.startswith("MXN") else "") for _, words, unit in fields]
    return _rounded(pd.DataFrame([*rows, total], columns=["Tipo", *headings]), headings[1:])
