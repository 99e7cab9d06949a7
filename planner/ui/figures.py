"""The figures at the top: the KPIs of today and of the plan, those of travel under all three modes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import streamlit as st

from planner.model import MODES
from planner.scenarios import Run
from planner.ui.words import MODES as MODE_NAMES
from planner.ui.words import count, minutes, percent


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


def show_figures(run: Run) -> None:
    """Two rows: what depends on the scenario's modes, and what is said under each mode."""
    found = run.outcome.indicators
    now, then = found["total"]["actual"], found["total"]["plan"]
    first, hospital = MODE_NAMES[run.scenario.mode_first_level].lower(), MODE_NAMES[run.scenario.mode_hospital].lower()
    st.markdown("### Cómo está hoy y qué cambia con el plan")
    st.caption(f"Con los modos del escenario: {first} al primer nivel, {hospital} al hospital.")
    pairs = [(TARGET, now["poblacion"], None), (EQUIVALENT, now["personas_equiv"], then["personas_equiv"]),
             (UNSERVED, now["localidades_sin_servicio"], then["localidades_sin_servicio"]),
             (SATURATED, found["unidades_saturadas"]["actual"], found["unidades_saturadas"]["plan"])]
    for column, (figure, value, planned) in zip(st.columns(len(pairs)), pairs, strict=True):
        _metric(column, figure, count(value), "" if planned is None else f"con el plan: {count(planned)}")
    st.caption("Hoy, según cómo se traslada la gente (porcentaje de la población objetivo):")
    for column, mode in zip(st.columns(len(MODES)), MODES, strict=True):
        with column.container(border=True):
            st.markdown(f"**{MODE_NAMES[mode]}**")
            _by_mode(found["por_modo"][mode])


def _by_mode(found: dict[str, Any]) -> None:
    people, near, far = found["poblacion"], found["dentro_60"], found["poblacion"] - found["hospital_120"]
    left, right = st.columns(2)
    _metric(left, NEAR, count(near), percent(near, people), border=False)
    _metric(right, FAR, count(far), percent(far, people), border=False)
    st.caption(f"Nueve de cada diez personas llegan al primer nivel en {minutes(found['p90_min'])} o menos." if found["p90_min"] is not None
               else "Más de una de cada diez personas no llega a ningún primer nivel o se desconoce su traslado.")
    if found["sin_dato"]:
        st.caption(f"{count(found['sin_dato'], 'personas')} sin dato de traslado: no se cuentan como cercanas.")


def _metric(place: Any, figure: Figure, value: str, note: str, border: bool = True) -> None:
    place.metric(figure.label, value, note or None, delta_color="off", delta_arrow="off", help=figure.help(), border=border,
                 height="stretch")
