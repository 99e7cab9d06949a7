"""The first sheet: where the run comes from, people today and with the plan, what the plan costs and what is proved of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from planner.kinds import GRADES
from planner.outputs.report import Report
from planner.outputs.sheets import Block, Cell, Field, Row, Sheet, difference, letter, summed, unit_style, value_style
from planner.outputs.sheetsettings import NAMES
from planner.outputs.tables import EXTRA, ROWS
from planner.words import CLASSES, DISCLAIMER, KINDS, KINDS_PLURAL, MODES, ROLES

_NUMBER = Field("", "entero", "", "", "derivado", 16)
_WHAT = Field("Indicador", "texto", "Qué se cuenta", width=48)
_UNIT = Field("Unidad", "texto", "Unidad de la cifra", width=20)
_MOMENTS = (
    _WHAT, _UNIT, replace(_NUMBER, title="Hoy", meaning="La cifra de hoy"),
    replace(_NUMBER, title="Con el plan", meaning="La cifra con el plan"),
    replace(_NUMBER, title="Cambio", style="cambio", meaning="Con el plan menos hoy"),
    replace(_NUMBER, title="Cambio relativo", style="cambio_parte", meaning="Cambio entre la cifra de hoy (vacío: hoy es cero)"))
_PARTS = tuple(replace(_NUMBER, title=f"Parte de la población, {when}", style="parte",
                       meaning=f"La cifra, {when}, entre la población objetivo") for when in ("hoy", "con el plan"))
_FIGURE = (_WHAT, _UNIT, replace(_NUMBER, title="Valor", meaning="La cifra"))
_MORE_ROWS = (("sin_dato", "Sin dato", "personas"), ("localidades", "Localidades con población objetivo", "localidades"))
_WHOLE = (  # figures of the region, key of indicadores.json
    ("unidades_saturadas", "Unidades saturadas", "unidades"),
    ("indice_concentracion", "Índice de concentración del acceso (0: parejo; más de 0: tienen más los menos rezagados)", "índice"),
    ("razon_palma", "Acceso del 10 % menos rezagado entre el del 40 % más rezagado", "razón"))
_AT = (3, 2)  # columns of the plan and of today
_OBJECTIVES = {"brecha": "Brecha ponderada que se cierra", "personas": "Personas atendidas",
               "peor_municipio": "Brecha ponderada por persona en que mejora el peor municipio"}
_DRAWS = (("sorteos", "Sorteos", "sorteos", "entero"), ("propuestas", "Propuestas del plan", "propuestas", "entero"),
          ("robustas", "De ellas, robustas", "propuestas", "entero"),
          ("arrepentimiento_medio", "Lo que el plan deja de cerrar frente al mejor de cada sorteo, media", "personas ponderadas", "entero"),
          ("arrepentimiento_p90", "El mismo, percentil 90", "personas ponderadas", "entero"),
          ("arrepentimiento_max", "El mismo, máximo", "personas ponderadas", "entero"))
_PLAN = {"numero": ("Intervenciones", "entero", "Cuántas", "intervenciones", "Propuestas_unidades"),
         "costo_anual": ("Costo anual", "dinero", "Operación más inversión anualizada", "MXN/año", "Propuestas_costo_anual"),
         "costo_inversion": ("Inversión", "dinero", "Inversión inicial", "MXN", "Propuestas_inversion"),
         "personas": ("Personas", "entero", "Personas objetivo que atienden en el plan", "personas", ""),
         "brecha_ponderada_cerrada": ("Brecha ponderada cerrada", "entero", "Brecha ponderada que cierran", "personas ponderadas", "")}


def summary_sheet(report: Report) -> Sheet:
    """What a run found, in blocks; each figure that indicadores.json holds says where."""
    told, about = report.indicators, report.about
    extra = [_figures(title, told[key].get("total", told[key]), f"{key}.total" if "total" in told[key] else key, rows)
             for key, (title, rows) in EXTRA.items() if key in told]
    blocks = (
        _origin(report), _people(told), _plan(told), _solution(told), *_decision(told), _modes(told), _grades(told), _units(told),
        _options(told), *extra, _inputs(about))
    region = report.run.region
    return Sheet("Resumen", f"Resumen del plan: {region.name}{' (SINTÉTICA)' if region.synthetic else ''}", blocks, (
        f"{DISCLAIMER} Una persona cubierta está al alcance de un servicio; no se dice que se le atienda. Las cifras son derivadas de los "
        "datos con la hoja Supuestos.",))


def _origin(report: Report) -> Block:
    """Words only, so it has no titles."""
    about, scenario, region = report.about, report.run.scenario, report.run.region
    cuts = sorted({entry["corte"] for entry in about["entradas"] if entry["corte"]})
    rows = [
        ("Región", f"{region.name} ({region.entity})" + (" · SINTÉTICA: los datos son inventados" if region.synthetic else "")),
        ("Escenario", scenario.name), ("Temporada", scenario.season), ("Cortes de los datos", ", ".join(cuts) or None),
        ("Corrida", about["corrida"]), ("Entradas, supuestos y versiones", "manifest.json, en la carpeta de la corrida"),
        ("Año de los precios", str(scenario.price_year)),
        ("Población total de la región", Cell(report.indicators["poblacion_total"], "entero", path="poblacion_total"))]
    fields = (Field("", "texto", width=48), Field("", "libre", width=20))
    return Block("La corrida", fields, tuple(rows))


def _people(told: Mapping[str, Any]) -> Block:
    block = told["total"]
    size = {when: block[when]["poblacion"] for when in ("actual", "plan")}
    rows: list[Row] = []
    for place, (key, words, unit) in enumerate((*ROWS, *_MORE_ROWS)):
        rows.append((*_moment(words, unit, block, key, "total"), *(
            _part(block[when][key], size[when], at) if unit == "personas" and place else None
            for at, when in ((2, "actual"), (3, "plan")))))
    rows += [_moment(words, unit, {when: {"": value} for when, value in told[key].items()}, "", key)
             for key, words, unit in _WHOLE if key in told]
    return Block("Personas, hoy y con el plan", (*_MOMENTS, *_PARTS), tuple(rows))


def _moment(words: str, unit: str, block: Mapping[str, Any], key: str, path: str) -> Row:
    """A figure today, with the plan, and what changes."""
    end, style = f".{key}" if key else "", unit_style(unit)
    today, then = block["actual"][key], block["plan"][key]
    return (words, unit, Cell(today, style, path=f"{path}.actual{end}"), Cell(then, style, path=f"{path}.plan{end}"),
            *difference(then, today, _AT, unit))


def _part(value: float, whole: float, at: int) -> Cell:
    """What part of the population, in the first row of the block, a figure is."""
    if not whole:
        return Cell(None)
    return Cell(value / whole, "parte", f"={letter(at)}{{row}}/{letter(at)}{{first}}")


def _plan(told: Mapping[str, Any]) -> Block:
    """By kind; numbers and costs are added up from the sheet of proposals."""
    plan = told["plan"]
    rows: list[Row] = []
    each = replace(_NUMBER, title="Costo anual por persona", style="dinero", meaning="Costo anual entre personas", unit="MXN/año")
    fields = (Field("Tipo", "texto", "Tipo de intervención", width=48),
              *(Field(title, style, meaning, unit, "supuesto" if style == "dinero" else "derivado", 16)
                for title, style, meaning, unit, _ in _PLAN.values()), each)
    for kind in (kind for kind in KINDS if kind in plan["por_tipo"]):
        block = plan["por_tipo"][kind]
        cells = [Cell(block[key], formula=f'=SUMIFS({name},Propuestas_tipo,"{KINDS[kind]}")' if name else "",
                      path=f"plan.por_tipo.{kind}.{key}") for key, (*_, name) in _PLAN.items()]
        rows.append((KINDS_PLURAL[kind], *cells, _each(block["costo_anual"], block["personas"])))
    support = plan["personas_apoyo_hospital"]
    sums = {key: plan[key] + (support if key == "personas" else 0.0) for key in _PLAN}
    paths = {key: "" if key == "personas" and support else f"plan.{key}" for key in _PLAN}
    total: Row = ("Total", *(summed(sums[key], at, style, path=paths[key]) if rows else Cell(sums[key], style, path=paths[key])
                             for at, (key, (_, style, *_)) in enumerate(_PLAN.items(), 1)), _each(sums["costo_anual"], sums["personas"]))
    return Block("El plan, por tipo de intervención", fields, tuple(rows), total)


def _each(cost: float, people: float) -> Cell:
    return Cell(cost / people, "dinero", "=C{row}/E{row}") if people > 0 else Cell(None)


def _solution(told: Mapping[str, Any]) -> Block:
    plan, style = told["plan"], value_style(told)
    left = plan["presupuesto_anual"] - plan["costo_anual"]
    goal, budget = _OBJECTIVES[plan["objetivo"]], NAMES["budget_mxn_year"]
    spent = "SUM(Propuestas_costo_anual)" if plan["numero"] else "0"

    def figure(words: str, unit: str, key: str, form: str) -> Row:
        return (words, unit, Cell(plan[key], form, path=f"plan.{key}"))

    rows = (
        ("Estado", "", plan["estado"]), ("Método", "", plan["metodo"]), ("Qué se maximiza", "", goal),
        figure(goal, "", "valor", style), figure("Cota: con estas opciones nada pasa de", "", "cota_superior", style),
        figure("Lo que a lo más falta para esa cota", "", "brecha_optimalidad", "parte"),
        figure("Cota: ni con otras rutas se pasa de", "", "cota_cualquier_ruta", style),
        figure("Lo que a lo más falta para esa cota, con otras rutas", "", "brecha_cualquier_ruta", "parte"),
        ("Presupuesto anual", "MXN/año", Cell(plan["presupuesto_anual"], "dinero", f"={budget}", path="plan.presupuesto_anual")),
        ("Queda del presupuesto", "MXN/año", Cell(left, "dinero", f"={budget}-{spent}")),
        figure("Personas con servicio de primer nivel por el plan", "personas", "personas", "entero"),
        figure("Personas con apoyo de hospital por el plan", "personas", "personas_apoyo_hospital", "entero"))
    return Block("Qué está probado, y el presupuesto", _FIGURE, rows)


def _decision(told: Mapping[str, Any]) -> list[Block]:
    """Draws, curve and the next options, where the run has them."""
    blocks: list[Block] = []
    if "robustez" in told:
        blocks.append(_figures("Robustez", told["robustez"], "robustez", [row[:3] for row in _DRAWS]))
    if "curva" in told:
        curve, style = told["curva"], value_style(told)
        rows: tuple[Row, ...] = (("Lo que conseguiría el plan sin tope de presupuesto", "", Cell(curve["todo"], style, path="curva.todo")),
                *((words, "MXN/año", Cell(curve[key], "dinero", path=f"curva.{key}")) for key, words in (
                    ("presupuesto_casi_todo", "Presupuesto con que se consigue casi todo"),
                    ("presupuesto_casi_todo_cota", "Con menos que esto no se puede"))))
        blocks.append(Block("Curva de presupuestos (los puntos, en Comparación)", _FIGURE, rows))
    if told["siguientes"]:
        fields = (Field("Propuesta", "texto", "Opción que no está en el plan y sería de las siguientes", width=48),
                  Field("Presupuesto adicional", "dinero", "Lo que habría que agregar al presupuesto", "MXN/año", "derivado", 20),
                  Field("Brecha que agrega", "entero", "Brecha ponderada que cerraría", "personas ponderadas", "derivado", 16),
                  Field("Decisión", "libre", "Qué haría falta para que entrara"))
        keys = ("presupuesto_adicional", "brecha_incremental")
        rows = tuple((row["id"], *(Cell(row[key], path=f"siguientes.{place}.{key}") for key in keys), row["decision"])
                     for place, row in enumerate(told["siguientes"]))
        blocks.append(Block("Las siguientes en entrar", fields, rows))
    return blocks


def _modes(told: Mapping[str, Any]) -> Block:
    keys = {"dentro_30": "Primer nivel, 30 min o menos", "dentro_60": "Primer nivel, 60 min o menos",
            "hospital_60": "Hospital, 60 min o menos",
            "hospital_120": "Hospital, 120 min o menos", "p90_min": "Percentil 90 al primer nivel", "sin_dato": "Sin dato"}
    fields = (Field("Modo", "texto", "Modo de traslado", width=48),
              *(replace(_NUMBER, title=words, meaning=f"{words}, hoy", style="min" if key == "p90_min" else "entero",
                        unit="min" if key == "p90_min" else "personas") for key, words in keys.items()))
    rows: tuple[Row, ...] = tuple(
        (words, *(Cell(told["por_modo"][mode][key], path=f"por_modo.{mode}.{key}") for key in keys)) for mode, words in MODES.items())
    return Block("Personas al alcance hoy, por modo de traslado", fields, rows)


def _grades(told: Mapping[str, Any]) -> Block:
    fields = (Field("Grado de rezago social", "texto", "Grado de la localidad", width=48),
              replace(_NUMBER, title="Población objetivo", unit="personas", meaning="Personas objetivo del grado"),
              *(replace(field, unit="personas" if field.style != "cambio_parte" else "") for field in _MOMENTS[2:]))
    rows: list[Row] = []
    for grade in sorted(told["por_grado"], key=lambda grade: (*GRADES, grade).index(grade)):
        block, path = told["por_grado"][grade], f"por_grado.{grade}"
        rows.append((grade, Cell(block["actual"]["poblacion"], path=f"{path}.actual.poblacion"),
                     *_moment("", "personas", block, "personas_equiv", path)[2:]))
    return Block("Personas sin acceso efectivo (equivalentes), por grado de rezago", fields, tuple(rows))


def _units(told: Mapping[str, Any]) -> Block:
    fields = (Field("Unidades por función y por tipo", "texto", "Función en la red o tipo de unidad", width=48),
              replace(_NUMBER, title="Unidades", meaning="Cuántas hay hoy", unit="unidades"))
    counted = (("unidades_por_funcion", ROLES), ("unidades_por_clase", CLASSES))
    rows = tuple((words[key], Cell(told[block][key], path=f"{block}.{key}"))
                 for block, words in counted for key in words if key in told[block])
    return Block("Unidades", fields, rows)


def _options(told: Mapping[str, Any]) -> Block:
    keys = list(_PLAN)[:3]
    fields = (Field("Tipo", "texto", "Tipo de intervención", width=48), *(
        Field(title, style, f"{meaning}: de todas las opciones factibles", unit, "supuesto" if style == "dinero" else "derivado", 16)
        for title, style, meaning, unit, _ in (_PLAN[key] for key in keys)))
    rows: tuple[Row, ...] = tuple(
        (KINDS_PLURAL[kind], *(Cell(told["opciones_por_tipo"][kind][key], path=f"opciones_por_tipo.{kind}.{key}") for key in keys))
        for kind in KINDS if kind in told["opciones_por_tipo"])
    return Block("Opciones factibles entre las que se elige", fields, rows)


def _figures(title: str, told: Mapping[str, Any], path: str, rows: Sequence[tuple[str, str, str]]) -> Block:
    return Block(title, _FIGURE, tuple((words, unit, Cell(told[key], unit_style(unit), path=f"{path}.{key}")) for key, words, unit in rows))


def _inputs(about: Mapping[str, Any]) -> Block:
    fields = (Field("Archivo de entrada", "texto", "Nombre del archivo", width=48),
              Field("Corte", "texto", "Fecha a la que son los datos, si se sabe"),
              Field("Papel", "libre", "Para qué se usa, como en el archivo de la región"))
    rows = tuple((entry["archivo"], entry["corte"] or None, entry["papel"]) for entry in about["entradas"])
    return Block("Entradas (sus huellas SHA-256, en manifest.json)", fields, rows)
