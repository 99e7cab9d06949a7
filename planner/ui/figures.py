"""The figures at the top: the answer in one sentence, the KPIs of today and of the plan, those of travel under all three modes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import streamlit as st

from planner.kinds import MODES
from planner.scenarios import Run
from planner.settings import Scenario
from planner.ui.words import count, known, minutes, money, percent, safe
from planner.words import MODES as MODE_NAMES


@dataclass(frozen=True)
class Figure:
    """What a KPI is called, what it means, what kind of number it is and where it comes from."""

    label: str
    meaning: str
    mark: str
    source: str

    def help(self) -> str:
        """The tooltip."""
        return f"{self.meaning} Marca: {self.mark}. Fuente: {self.source}."


TARGET = Figure(
    "Población objetivo", "Personas que se planea atender, según la población elegida. No es requisito de elegibilidad.",
    "derivado", "INEGI, Censo 2020 (ITER)")
NEAR = Figure(
    "A 60 minutos o menos de primer nivel",
    "Población objetivo cuya unidad pública fija de primer nivel más cercana está a 60 minutos o menos. Estar cerca no es ser atendido.",
    "derivado", "ITER, CLUES y tiempos de traslado; umbral: OMS")
FAR = Figure(
    "A más de 2 horas de un hospital",
    "Población objetivo a más de 120 minutos del hospital público más cercano, o sin ruta o dato de traslado.",
    "derivado", "ITER, CLUES y tiempos de traslado; umbral: UNFPA y Lancet Commission")
EQUIVALENT = Figure(
    "Personas sin acceso efectivo (equivalentes)",
    "Población objetivo por la parte de la atención que le falta (distancia, capacidad y hospital). Son equivalentes, no individuos.",
    "derivado", "puntaje de brecha; rampas y pesos: supuesto")
UNSERVED = Figure(
    "Localidades sin servicio",
    "Localidades con población objetivo en las que nadie tiene lugar en una unidad fija dentro del umbral ni recibe visitas móviles.",
    "derivado", "tabla oficial de responsabilidad o unidad más cercana")
SATURATED = Figure(
    "Unidades saturadas",
    "Unidades fijas cuya carga (población objetivo que usa el servicio) rebasa la capacidad de sus núcleos.",
    "derivado", "CLUES; utilización y capacidad por núcleo: supuesto")


def glossary(scenario: Scenario) -> tuple[tuple[str, str], ...]:
    """Each word of the pages and what it means under the scenario."""
    reach = minutes(scenario.reach_first_level_min)
    return (
        *((figure.label, figure.help()) for figure in (TARGET, NEAR, FAR, EQUIVALENT, UNSERVED, SATURATED)),
        ("Puntaje de brecha", "De 0 (nada falta) a 100: parte de la atención que falta, por el peso de la necesidad. Derivado."),
        ("Brecha ponderada", "Personas equivalentes por el peso de la necesidad: lo que el plan cierra. Derivado."),
        ("Con servicio", f"Personas a {reach} o menos de su unidad y con lugar en ella."),
        ("Cubierta sin capacidad", f"Personas a {reach} o menos de su unidad, en la que no caben."),
        ("Sin cobertura", f"Personas a más de {reach} de su unidad, o sin unidad."),
        ("Cota demostrada", "Lo más que podría cerrar cualquier plan con las mismas opciones y presupuesto."),
        ("Robusta", f"Propuesta que se elige en al menos {100 * scenario.uncertainty.robust:g} % de los sorteos de lo que no se sabe."),
        ("Rezago social", "Índice del CONEVAL: carencias de educación, salud, servicios y vivienda, en cinco grados."),
        ("UMR", "Unidad Médica Rural: primer nivel, de uno o más núcleos básicos."),
        ("Núcleo básico", "Equipo de medicina y enfermería con su consultorio."),
        ("UMM y brigada", "Unidad Médica Móvil y Brigada de Salud: dan visitas, no acceso permanente."),
        ("CARO", "Centro de Atención Rural Obstétrica."),
        ("Universo de trabajo", "Las localidades de las que responde una unidad."),
        ("Red de referencia", "Las unidades que refieren a un mismo hospital."),
        ("Dato, derivado, supuesto", "De una fuente; calculado de datos; elegido por el planificador, editable."))


def show_figures(run: Run) -> None:
    """The answer in one sentence, what depends on the scenario's modes, and what is said under each mode."""
    found = run.outcome.indicators
    now, then = found["total"]["actual"], found["total"]["plan"]
    st.markdown(_answer(found))
    pairs = [(TARGET, now["poblacion"], None), (EQUIVALENT, now["personas_equiv"], then["personas_equiv"]),
             (UNSERVED, now["localidades_sin_servicio"], then["localidades_sin_servicio"]),
             (SATURATED, found["unidades_saturadas"]["actual"], found["unidades_saturadas"]["plan"])]
    with st.container(key="cifras"):
        for column, (figure, value, planned) in zip(st.columns(len(pairs)), pairs, strict=True):
            note = f"de {count(found['poblacion_total'], 'habitantes')}" if planned is None else f"con el plan: {count(planned)}"
            column.metric(figure.label, count(value), note, delta_color="off", delta_arrow="off", help=figure.help(), border=True,
                          height="stretch")
    st.html(_by_mode(run))
    line = st.container(horizontal=True, vertical_alignment="center")
    line.caption(_about_modes(run))
    with line.popover("Qué significa cada cifra", type="tertiary"):
        for figure in (TARGET, EQUIVALENT, UNSERVED, SATURATED, NEAR, FAR):
            st.markdown(f"**{figure.label}.** {figure.help()}")


def _answer(found: dict[str, Any]) -> str:
    """Who lacks care today and what the plan changes, in one breath."""
    now, then, plan = found["total"]["actual"], found["total"]["plan"], found["plan"]
    lack = (f"Se planea atender a **{count(now['poblacion'], 'personas')}**; hoy les falta atención equivalente a la de "
            f"**{count(now['personas_equiv'])}** de ellas ({percent(now['personas_equiv'], now['poblacion'])}). ")
    if not plan["numero"]:
        return lack + "Con este presupuesto y estas intervenciones no se propone nada."
    cost = money(plan["costo_anual"])
    return lack + f"Con **{count(plan['numero'])} propuestas** por {cost} al año, esa cifra bajaría a **{count(then['personas_equiv'])}**."


def _by_mode(run: Run) -> str:
    """HTML table of the travel KPIs of today, one row a mode; the scenario's modes in bold."""
    heads = ("Hoy, según cómo se traslada la gente", NEAR.label, FAR.label, "Nueve de cada diez llegan al primer nivel en")
    rows = ""
    for mode in MODES:
        found = run.outcome.indicators["por_modo"][mode]
        people, near, far = found["poblacion"], found["dentro_60"], found["poblacion"] - found["hospital_120"]
        p90 = f"{minutes(found['p90_min'])} o menos" if known(found["p90_min"]) else "no llegan, o se desconoce"
        cells = "".join((_cell(f"{count(near)} ({percent(near, people)})", mode == run.scenario.mode_first_level),
                         _cell(f"{count(far)} ({percent(far, people)})", mode == run.scenario.mode_hospital),
                         _cell(p90, mode == run.scenario.mode_first_level)))
        rows += f"<tr><th scope='row'>{MODE_NAMES[mode]}</th>{cells}</tr>"
    head = "".join(f"<th scope='col'>{name}</th>" for name in heads)
    return f"<table class='modos'><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _about_modes(run: Run) -> str:
    found = run.outcome.indicators["por_modo"]
    blanks = [f"{MODE_NAMES[mode].lower()}, {count(found[mode]['sin_dato'], 'personas')}" for mode in MODES if found[mode]["sin_dato"]]
    note = "En negritas, los modos del escenario; porcentajes de la población objetivo."
    return note + (f" Sin dato de traslado, que no cuentan como cercanas: {'; '.join(blanks)}." if blanks else "")


def _cell(text: str, bold: bool) -> str:
    return f"<td>{f'<b>{safe(text)}</b>' if bold else safe(text)}</td>"
