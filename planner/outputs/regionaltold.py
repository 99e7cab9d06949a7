"""The regionalization in numbers and in words: the blocks of indicadores.json and the tables of the command line."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from planner.access.indicators import by_group
from planner.decide.regional.agreement import AGREES
from planner.decide.regional.districts import Districts
from planner.decide.regional.measures import Measures
from planner.decide.regional.networks import Networks
from planner.decide.regional.placing import Least
from planner.decide.regional.regionalization import Regionalization
from planner.decide.regional.universe import Universe
from planner.decide.regional.zones import Zones
from planner.outputs.regional import district_of
from planner.scenarios import Run
from planner.settings import Scenario
from planner.words import ASSIGNMENTS, people_told

_MOST = 12  # rows of a table on screen
_HOSTS = 5


def regional_indicators(run: Run) -> dict[str, Any]:
    """`regionalizacion`, and `por_distrito_propuesto` with the fields of por_distrito; nothing of a run that was not regionalized."""
    found = run.regional
    if found is None:
        return {}
    names, places = found.districts.table["name"], run.outcome.localities
    blocks = by_group(places, district_of(places, found), run.scenario)
    order = found.jornadas.order.reset_index().to_dict("records")
    return {
        "por_distrito_propuesto": {key: {"nombre": str(names.get(key, key)), **block} for key, block in blocks.items()},
        "regionalizacion": {
            "universo": _universe(found.universe), "concordancia": _agreement(found.agreement),
            "redes": _networks(found.networks), "zonas": _zones(found.zones), "distritos": _districts(found.districts),
            "jornadas": [{"sedes": row["number"], "clues_sedes": row["best_hosts"].split(), "personas": row["best"], "cota": row["bound"],
                          "probado": bool(row["proved"]), "personas_orden": row["people"]} for row in order],
            "avisos": _warnings(found)}}


def solutions(found: Regionalization) -> dict[str, Any]:
    """What is proved of each part that something was made least of: value, bound, gap, status and method."""
    least = {"universo": found.universe.solution, "redes": found.networks.solution, "zonas": found.zones.solution,
             "distritos": found.districts.solution}
    return {name: _least(one) for name, one in least.items() if one is not None}


def _least(found: Least) -> dict[str, Any]:
    return {"estado": found.status, "metodo": found.method, "valor": found.value, "cota": found.bound, "brecha_relativa": found.gap}


def _universe(found: Universe) -> dict[str, Any]:
    none, moved = found.localities["place"].isna(), found.flows["reason"].notna()
    no_place = found.shares["place"].isna()
    return {
        "regla": found.rule, "personas": float(found.localities["people"].sum()), "lugares": len(found.units),
        "personas_sin_lugar": found.unplaced, "personas_sin_unidad": float(found.shares.loc[no_place, "people"].sum()),
        "localidades_sin_unidad": int(none.sum()), "localidades_que_cambian": len(found.moves),
        "personas_que_cambian": float(found.flows.loc[moved, "people"].sum()),
        "cambio": {str(name): {"localidades": int(row["localities"]), "personas": float(row["people"]),
                               "personas_minutos": float(row["people_minutes"]), "personas_sin_medida": float(row["people_unmeasured"])}
                   for name, row in found.outcomes.iterrows()},
        "solucion": None if found.solution is None else _least(found.solution)}


def _agreement(found: pd.DataFrame | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {str(rule): {row["outcome"]: {"localidades": row["localities"], "personas": row["people"]} for row in rows.to_dict("records")}
            for rule, rows in found.groupby("rule", sort=False)}


def _networks(found: Networks) -> dict[str, Any]:
    units = found.units
    over = units["hospital"].notna() & ~units["fits"].astype(bool)
    return {
        "hospitales": len(found.hospitals), "unidades": len(units), "unidades_sin_hospital": int(units["hospital"].isna().sum()),
        "unidades_sobre_capacidad": int(over.sum()), "personas_sobre_capacidad": float(units.loc[over, "people"].sum()),
        "hospitales_sobre_capacidad": int((found.hospitals["over_people"] > 0).sum()),
        "unidades_a_otro_que_el_mas_cercano": int((units["hospital"].notna() & (units["hospital"] != units["nearest"])).sum()),
        "unidades_que_cambian_en_lluvias": int(units["rain_changes"].sum()), "apoyos": len(found.attached),
        "localidades_lejos": len(found.far), "personas_lejos": float(found.far["people"].sum()), "solucion": _least(found.solution)}


def _zones(found: Zones) -> dict[str, Any]:
    table = found.zones
    return {
        "numero": len(table), "cota": found.solution.bound, "unidades": int(table["units"].sum()),
        "unidades_max": int(table["units"].max()) if len(table) else 0, "de_una_unidad": int((table["units"] == 1).sum()),
        "min_ronda_media": float(table["round_min"].mean()) if len(table) else None,
        "min_ronda_max": float(table["round_min"].max()) if len(table) else None,
        "de_varias_redes": int((table["strays"] > 0).sum()), "solucion": _least(found.solution)}


def _districts(found: Districts) -> dict[str, Any]:
    rules = found.rules
    return {
        "propuesta": _measures(found.measures), "hoy": None if found.today is None else _measures(found.today),
        "municipios_que_cambian": int(found.members["changes"].sum()),
        "reglas": {"numero": rules.count, "personas_min": rules.low, "personas_max": rules.high},
        "prueba": found.partition.proof, "reglas_rotas": [{"regla": rule, "que": words} for rule, words in found.broken],
        "notas": list(found.partition.notes),
        "solucion": _least(found.solution)}


def _measures(found: Measures) -> dict[str, Any]:
    return {
        "numero": len(found.people), "desvio_max": found.spread, "min_hospital_medio": found.minutes, "proporcion_cruce": found.crossing,
        "personas_sin_camino": found.unreachable, "compacidad": found.compactness, "compacidad_por": found.compact_by,
        "sin_hospital": int((found.hospitals == 0).sum()), "no_contiguos": int((~found.contiguous).sum())}


def _warnings(found: Regionalization) -> list[str]:
    """A sentence for each thing that somebody must look at."""
    work = found.universe
    told = []
    if work.unplaced > 0.5:
        told.append(f"Universo de trabajo: {people_told(work.unplaced)} sin lugar, más allá de la capacidad de la unidad que les toca; "
                    "refuerce esas unidades o abra otras (universo_unidades.csv).")
    none = work.localities[work.localities["place"].isna() & (work.localities["people"] > 0)]
    if len(none):
        told.append(f"Universo de trabajo: sin unidad a su alcance ni visita quedan {people_told(none['people'].sum())} de {len(none)} "
                    f"localidades ({_first(none.index)}); acérqueles un servicio móvil o revise sus caminos.")
    told += [f"{f.where.capitalize()}: {f.what[:1].lower()}{f.what[1:]}: {f.count} ({_first(f.examples, f.count)}). {f.remedy}".strip()
             for f in (*found.networks.findings, *found.zones.findings) if f.severity != "nota"]
    return [*told, *(f"Distritos: {note}" for note in found.districts.partition.notes)]


def _first(ids: Any, count: int | None = None) -> str:
    listed = [str(i) for i in ids][:3]
    return ", ".join(listed) + (", …" if (len(ids) if count is None else count) > len(listed) else "")


def regional_tables(run: Run) -> dict[str, pd.DataFrame]:
    """What the command line tells of a regionalization, by title; few rows each."""
    found = run.regional
    if found is None:
        return {}
    told = regional_indicators(run)["regionalizacion"]
    tables = {
        "Distritos: los de hoy y los que se proponen": _compared(told["distritos"]),
        "Distritos que se proponen" + (f" (los {_MOST} de más personas)" if len(found.districts.table) > _MOST else ""):
            _by_district(found.districts),
        "Redes de referencia y zonas de supervisión": _supervised(told["redes"], told["zonas"], run.scenario),
        "Universo de trabajo, contra el de hoy": _worked(told["universo"]),
        "Regionalización: qué está probado": _proved(solutions(found))}
    if found.agreement is not None:
        tables["Tabla oficial y universos de trabajo de hoy"] = _agreed(found.agreement)
    if told["jornadas"]:
        tables["Jornadas quirúrgicas: las mejores sedes"] = pd.DataFrame(
            [(row["sedes"], round(row["personas"]), ", ".join(row["clues_sedes"])) for row in told["jornadas"][:_HOSTS]],
            columns=["Sedes", f"Personas a {run.scenario.reach_hospital_min:g} min o menos", "CLUES"])
    if told["avisos"]:
        tables["Avisos de la regionalización"] = pd.DataFrame({"Aviso": told["avisos"][:_MOST]})
    return tables


def _compared(told: dict[str, Any]) -> pd.DataFrame:
    rows = (("numero", "Distritos", "distritos", 1, 0), ("desvio_max", "Mayor desvío de la media de personas", "%", 100, 1),
            ("min_hospital_medio", "Minutos al hospital, media", "min", 1, 1),
            ("proporcion_cruce", "Personas cuyo hospital más cercano es de otro distrito", "%", 100, 1),
            ("compacidad", "Compacidad", "0 a 1", 1, 3), ("sin_hospital", "Sin hospital público", "distritos", 1, 0),
            ("no_contiguos", "No contiguos", "distritos", 1, 0))
    today = told["hoy"] or {}
    return pd.DataFrame([
        *((words, unit, *(_scaled(side.get(key), scale, digits) for side in (today, told["propuesta"])))
          for key, words, unit, scale, digits in rows),
        ("Cambian de distrito", "municipios", None, told["municipios_que_cambian"])], columns=["Medida", "Unidad", "Hoy", "Propuesta"])


def _scaled(value: float | None, scale: float, digits: int) -> float | None:
    return None if value is None else round(scale * value, digits)


def _by_district(found: Districts) -> pd.DataFrame:
    table = found.table.sort_values("people", ascending=False, kind="stable").head(_MOST).sort_index()
    return pd.DataFrame({
        "Distrito": table.index, "Nombre": table["name"], "Municipios": table["municipalities"], "Personas": table["people"].round(),
        "Desvío (%)": (100 * table["spread"]).round(1), "Hospitales": table["hospitals"], "Minutos": table["minutes_mean"].round(1),
        "Cruces (%)": (100 * table["crossing_share"]).round(1)})


def _supervised(net: dict[str, Any], rounds: dict[str, Any], scenario: Scenario) -> pd.DataFrame:
    rows = [
        ("Hospitales de referencia", "hospitales", net["hospitales"]), ("Unidades que refieren", "unidades", net["unidades"]),
        ("Sin hospital dentro de la búsqueda", "unidades", net["unidades_sin_hospital"]),
        ("No caben en ningún hospital", "unidades", net["unidades_sobre_capacidad"]),
        ("Refieren a otro que el más cercano", "unidades", net["unidades_a_otro_que_el_mas_cercano"]),
        ("Refieren a otro en lluvias", "unidades", net["unidades_que_cambian_en_lluvias"]),
        (f"A más de {scenario.reach_hospital_min:g} min de un hospital", "localidades", net["localidades_lejos"]),
        ("Personas en ellas", "personas", round(net["personas_lejos"])),
        ("Zonas de supervisión", "zonas", rounds["numero"]), ("De una sola unidad", "zonas", rounds["de_una_unidad"]),
        *((words, "min", _scaled(rounds[key], 1, 1)) for key, words in (("min_ronda_media", "Ronda, media"),
                                                                       ("min_ronda_max", "Ronda más larga")))]
    return pd.DataFrame(rows, columns=["Qué", "Unidad", "Cuánto"])


def _worked(told: dict[str, Any]) -> pd.DataFrame:
    words = {"gana": "Ganan minutos", "pierde": "Pierden minutos", "igual": "Se quedan igual", "sin comparación": "Sin comparación"}
    rows = [(f"Todas (reparto por {ASSIGNMENTS[told['regla']]})", None, told["personas"], None),
            ("Sin lugar", None, told["personas_sin_lugar"], None),
            ("Sin unidad a su alcance ni visita", told["localidades_sin_unidad"], told["personas_sin_unidad"], None),
            ("Cambian de unidad", told["localidades_que_cambian"], told["personas_que_cambian"], None),
            *((words[key], block["localidades"], block["personas"],
               _ratio(block["personas_minutos"], block["personas"] - block["personas_sin_medida"]) if key in ("gana", "pierde") else None)
              for key, block in told["cambio"].items())]
    table = pd.DataFrame(rows, columns=["Personas", "Localidades", "Cuántas", "Minutos por persona"])
    return table.astype({"Localidades": "Int64", "Minutos por persona": float}).round({"Cuántas": 0, "Minutos por persona": 1})


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole > 0 else None


def _proved(told: dict[str, Any]) -> pd.DataFrame:
    what = {"universo": "Universo: personas × minutos", "redes": "Redes: personas × minutos", "zonas": "Zonas: cuántas",
            "distritos": "Distritos: puntaje"}
    return pd.DataFrame([
        (what[key], *(None if np.isnan(one[side]) else round(one[side], 4) for side in ("valor", "cota")),
         None if np.isnan(one["brecha_relativa"]) else round(100 * one["brecha_relativa"], 2), one["estado"], one["metodo"])
        for key, one in told.items()],
        columns=["Qué se hace mínimo", "Valor", "Nada baja de", "Brecha (%)", "Estado", "Método"])


def _agreed(found: pd.DataFrame) -> pd.DataFrame:
    rules = {"cercania": "por cercanía", "capacidad": "con capacidad"}
    wide = found.pivot(index="outcome", columns="rule", values=["localities", "people"]).reindex(found["outcome"].unique())
    table = pd.DataFrame({f"{word}, {rules[rule]}": wide[column, rule].round().astype("int64")
                          for rule in found["rule"].unique() for column, word in (("localities", "Localidades"), ("people", "Personas"))})
    shown = table[(table > 0).any(axis=1) | (table.index == AGREES)]
    return shown.rename_axis("Resultado").reset_index()
