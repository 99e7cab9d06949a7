"""The sheets by place: units with their universe of work, localities without service, municipalities and districts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from planner import schema
from planner.access.gap import OWN_KINDS
from planner.access.rules import chosen_options
from planner.model import Option
from planner.outputs.regional import regional_tables
from planner.outputs.report import Report
from planner.outputs.sheets import Block, Cell, Field, Row, Sheet, cell, declared, letter, records, summed, unit_style
from planner.outputs.tables import ROWS
from planner.words import CLASSES, KINDS

_WIDTHS = {"nom_mun": 22.0, "nom_loc": 26.0, "motivo": 84.0, "intervencion": 40.0, "nombre": 28.0, "lugar": 26.0}
_NUCLEI_OF_UMR = 1
_USERS = "personas usuarias"
_WORK = (
    Field("Lugar de atención", "texto", "CLUES de la unidad o identificador de la propuesta", width=26),
    Field("Nombre", "texto", "Nombre de la unidad o de la sede de la propuesta", width=28),
    Field("Tipo", "texto", "Tipo de unidad, o de intervención si se propone", "", "derivado", 20),
    Field("Núcleos hoy", "entero", "Núcleos básicos de hoy", "núcleos", "dato"),
    Field("Núcleos y plazas con el plan", "entero", "Los de hoy, más los núcleos que se agregan y las plazas que se cubren", "núcleos",
          "derivado"),
    Field("Localidades hoy", "entero", "Localidades de su universo de trabajo de hoy", "localidades", "derivado"),
    Field("Personas hoy", "entero", "Población objetivo de su universo de trabajo de hoy", "personas", "derivado"),
    Field("Carga hoy", "entero", "Personas usuarias que le corresponden al año", _USERS, "derivado"),
    Field("Capacidad hoy", "entero", "Personas usuarias que puede atender al año (vacío: sin límite)", _USERS, "derivado"),
    Field("Lugar libre hoy", "cambio", "Capacidad menos carga: negativo, le falta lugar", _USERS, "derivado"),
    Field("Localidades con el plan", "entero", "Localidades de su universo de trabajo con el plan", "localidades", "derivado"),
    Field("Personas con el plan", "entero", "Población objetivo de su universo de trabajo con el plan", "personas", "derivado"),
    Field("Carga con el plan", "entero", "Personas usuarias que le corresponden al año, con el plan", _USERS, "derivado"),
    Field("Capacidad con el plan", "entero", "Personas usuarias que puede atender al año, con el plan (vacío: sin límite)", _USERS,
          "derivado"),
    Field("Lugar libre con el plan", "cambio", "Capacidad menos carga, con el plan", _USERS, "derivado"),
    Field("Sin lugar", "entero", "Personas de su universo que no caben en su capacidad", "personas", "derivado"),
    Field("Minutos, media", "min", "Media de los minutos de las personas de su universo con el plan (vacío: nadie con minutos)", "min",
          "derivado"),
    Field("Hospital de referencia", "texto", "CLUES del hospital de su red; sin regionalización, el más cercano", "", "derivado", 16),
    Field("Nombre del hospital", "texto", "Nombre de ese hospital", width=28),
    Field("Minutos al hospital", "min", "Minutos de la unidad a ese hospital", "min", "derivado"))
_ROOM_TODAY, _ROOM_THEN = 9, 14
_LACKING = ("cvegeo", "nom_mun", "nom_loc", "grado_rezago")
_OF_LACKING = ("poblacion", "brecha_ponderada", "brecha_ponderada_plan", "puntaje_brecha", "min_primer_nivel", "min_primer_nivel_plan",
               "min_hospital", "visitas_mes", "visitas_mes_plan", "intervencion", "motivo")


def universe_sheet(report: Report) -> Sheet:
    """Every unit and place of the plan that gives care, with its universe of work, its load and its room."""
    run = report.run
    units = pd.DataFrame(report.layers["unidades"])
    if run.regional is None:
        work, network = pd.DataFrame(), pd.DataFrame()
        notes = ("La corrida no trae regionalización: con el plan se dan la carga y la capacidad de los universos de hoy, y el hospital "
                 "es el más cercano.",)
    else:
        tables = regional_tables(run.region, run.regional)
        work, network = tables["universo_unidades"], tables["redes"]
        notes = ("Hoy: universos de trabajo como son. Con el plan: los que reparte la regionalización entre las unidades de hoy y lo que "
                 "se propone; una persona se cuenta en un solo lugar.",)
    cares = units["funcion"].isin(["primer_nivel", "movil"]) | (units["localidades"] > 0)
    told = [_by_place(table) for table in (units.drop(columns="geometry"), work, network)]
    options = {o.id: o for o in chosen_options(run.plan)}
    rows: list[Row] = []
    for place in sorted({*units.index[cares], *work.index}):
        unit, then, ways = (table.get(place, {}) for table in told)
        if run.regional is None:
            then = {"carga": unit.get("carga_plan"), "capacidad": unit.get("capacidad_plan")}
            ways = {"clues_hospital": unit.get("clues_hospital"), "minutos": unit.get("min_hospital")}
        kind = KINDS[options[place].kind] if place in options else CLASSES[unit["clase"]]
        hospital = str(ways.get("clues_hospital") or "")
        rows.append((place, then.get("nombre") or unit.get("nombre"), kind, unit.get("nucleos"), _nuclei(place, unit, options),
                     *_side(unit, _ROOM_TODAY), *_side(then, _ROOM_THEN), then.get("sin_lugar"), then.get("min_medio"),
                     hospital or None, told[0].get(hospital, {}).get("nombre"), ways.get("minutos")))
    return Sheet("Universo de trabajo por unidad", "Universo de trabajo por unidad", (
        Block("", _WORK, tuple(rows), _work_total(rows), filtered=True),), notes, wide=True, frozen=2)


def _nuclei(place: str, unit: Mapping[str, Any], options: Mapping[str, Option]) -> int | None:
    """Nuclei and posts of a unit under the plan; none of what is no unit."""
    if place in options:
        return _NUCLEI_OF_UMR if options[place].kind == "umr" else None
    today = unit.get("nucleos")
    return None if today is None else int(today) + sum(o.place == place and o.kind in OWN_KINDS for o in options.values())


def _side(told: Mapping[str, Any], room_at: int) -> Row:
    """Localities, people, load, capacity and room, of today or under the plan."""
    return (*(told.get(key) for key in ("localidades", "poblacion", "carga", "capacidad")), _room(told, room_at))


def _room(side: Mapping[str, Any], at: int) -> Cell:
    load, capacity = side.get("carga"), side.get("capacidad")
    if load is None or capacity is None:
        return Cell(None)
    return Cell(capacity - load, "cambio", f"={letter(at - 1)}{{row}}-{letter(at - 2)}{{row}}")


def _work_total(rows: Sequence[Row]) -> Row:
    def sum_of(at: int) -> float:
        values = [cell(row[at]).value for row in rows]
        return float(sum(value for value in values if isinstance(value, (int, float))))

    added = [at for at, field in enumerate(_WORK) if field.style in ("entero", "cambio") and at not in (_ROOM_TODAY, _ROOM_THEN)]
    return tuple("Total" if at == 0 else summed(sum_of(at), at, "entero", filtered=True) if at in added else None
                 for at in range(len(_WORK))) if rows else ()


def _by_place(table: pd.DataFrame) -> dict[str, dict[str, Any]]:
    return {str(place): row for place, row in zip(table.index, records(table), strict=True)}


def lacking_sheet(report: Report) -> Sheet:
    """Localities with people and no service today or with the plan, the widest gap first."""
    places = pd.DataFrame(report.layers["localidades"]).drop(columns="geometry")
    lacks = {end: (places["poblacion"] > 0) & (places[f"personas_con_servicio{end}"] <= 0) & (places[f"visitas_mes{end}"] <= 0)
             for end in ("", "_plan")}
    found = places.assign(hoy=lacks[""], con=lacks["_plan"])[lacks[""] | lacks["_plan"]]
    found = found.rename_axis("cvegeo").reset_index().sort_values(["brecha_ponderada", "cvegeo"], ascending=[False, True], kind="stable")
    columns = declared(schema.LOCALITIES, schema.ACCESS, schema.PLANNED, schema.SUGGESTION, widths=_WIDTHS)
    states = (Field("Sin servicio hoy", "texto", "Hoy no la atiende ninguna unidad con lugar ni la visita un equipo: sí o no", "",
                    "derivado", 10),
              Field("Sin servicio con el plan", "texto", "Con el plan tampoco, o deja de tenerlo: sí o no", "", "derivado", 10))
    fields = (*(columns[key] for key in _LACKING), *states, *(columns[key] for key in _OF_LACKING))
    rows = tuple((*(row[key] for key in _LACKING), row["hoy"], row["con"], *(row[key] for key in _OF_LACKING)) for row in records(found))
    at = len(_LACKING) + len(states)
    total = ("Total", *[None] * (at - 1), *(summed(float(found[key].sum()), at + k, "entero", filtered=True)
                                            for k, key in enumerate(_OF_LACKING[:3]))) if rows else ()
    block = report.indicators["total"]
    notes = (f"Con personas y sin servicio quedan {block['plan']['localidades_sin_servicio']:,} localidades con el plan; hoy son "
             f"{block['actual']['localidades_sin_servicio']:,}. Primero, las de mayor brecha ponderada de hoy.",)
    return Sheet("Localidades sin servicio", "Localidades sin servicio", (
        Block("", fields, rows, total, filtered=True),), notes, wide=True, frozen=3)


def grouped_sheet(report: Report) -> Sheet:
    """The indicators of each municipality, district of today and proposed district, before and after."""
    levels = {"por_municipio": "Municipio", "por_distrito": "Distrito de hoy", "por_distrito_propuesto": "Distrito propuesto"}
    rows = tuple(_group(level, words, key, block) for level, words in levels.items()
                 for key, block in report.indicators.get(level, {}).items())
    fields = [Field("Nivel", "texto", "Municipio, distrito de hoy o distrito propuesto", width=13),
              Field("Identificador", "texto", "Clave del municipio o identificador del distrito", width=13),
              Field("Nombre", "texto", "Nombre del municipio o del distrito", width=30)]
    for key, words, unit in ROWS:
        shown = Field(words, unit_style(unit), words, unit, "derivado", 11)
        if key == "poblacion":
            fields.append(shown)
        else:
            fields += [replace(shown, title=f"{words}, {when}", meaning=f"{words}, {when}") for when in ("hoy", "con el plan")]
    notes = ("Cada nivel suma el total de la región; fíltrelo por «Nivel» antes de sumar." + (
        "" if report.run.regional is not None else " La corrida no trae regionalización: no hay distritos propuestos."),)
    return Sheet("Resumen municipio y distrito", "Resumen por municipio y distrito", (
        Block("", tuple(fields), rows, filtered=True),), notes, wide=True, frozen=3)


def _group(level: str, words: str, key: str, block: dict[str, Any]) -> Row:
    figures = [Cell(block[when][name], path=f"{level}.{key}.{when}.{name}") for name, _, _ in ROWS
               for when in (("actual",) if name == "poblacion" else ("actual", "plan"))]
    return (words, None if key == block.get("nombre", key) else key, block.get("nombre", key), *figures)
