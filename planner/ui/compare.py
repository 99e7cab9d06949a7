"""Comparar: scenarios side by side in the same classes, what each changes, who gains and who loses."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import pandas as pd
import streamlit as st

from planner.outputs import charts
from planner.outputs.chartmaps import draw, gain_panel, score_panel
from planner.outputs.compared import TITLES, comparison_tables
from planner.outputs.comparison import Comparison
from planner.outputs.report import Report
from planner.settings import Scenario
from planner.ui import compute
from planner.ui.sidebar import Question
from planner.ui.words import count, known, plain, table
from planner.ui.work import ready
from planner.words import scenario_title

_MOST = 4
_MINE = "El de la barra lateral"
_FIRST = ("figures", "winners", "reach")


def show(question: Question) -> None:
    """The page under the header."""
    scenarios = _ask(question)
    if len(scenarios) < 2:
        st.info("Elija al menos un escenario que comparar. El primero es la base: todo cambio se cuenta respecto a él.")
        return
    for work in [compute.answer(question.prepared, scenario) for scenario in scenarios]:  # all are begun before the first is waited for
        if not ready(work):
            return
    if not ready(compute.compared(question.prepared, scenarios)):
        return
    found: Comparison = compute.compared(question.prepared, scenarios).result()
    reports = [compute.report(question.prepared, scenario) for scenario in scenarios]
    _answer(found, reports)
    _maps(question, reports)
    _tables(found)


def _ask(question: Question) -> list[Scenario]:
    """The base and those that are compared with it, each once."""
    named = {_MINE: question.scenario} | {scenario_title(name): one for name, one in compute.find_scenarios().items()}
    names = list(named)
    first, second = st.columns([1, 2])
    base = first.selectbox("Base", names, key="base", bind="query-params", help="Todo cambio se cuenta respecto a este escenario.")
    others = second.multiselect("Se compara con", [name for name in names if name != base], key="otros", bind="query-params",
                                max_selections=_MOST, placeholder="Elija uno o más escenarios")
    asked = [named[base], *(named[name] for name in others)]
    return list({scenario.model_dump_json(): scenario for scenario in asked}.values())


def _answer(found: Comparison, reports: list[Report]) -> None:
    """What the committee asks first, a sentence for each scenario."""
    base = reports[0].run
    for report in reports[1:]:
        row = found.winners[found.winners["corrida"] == report.run.scenario.name]
        name, first = (plain(scenario_title(one.scenario.name)) for one in (report.run, base))
        if row.empty:
            st.markdown(f"**{name}** no cambia el acceso de nadie frente a {first}.")
            continue
        won = row.iloc[0]
        st.markdown(f"**{name}** frente a {first}: ganan acceso efectivo "
                    f"{count(won['ganan'], 'personas')} (equivalentes) en {count(won['localidades_ganan'])} localidades y lo pierden "
                    f"{count(won['pierden'])} en {count(won['localidades_pierden'])}; neto, **{count(won['neto'])}**.")


def _maps(question: Question, reports: list[Report]) -> None:
    st.markdown("### Lado a lado, con las mismas clases")
    base = reports[0]
    for other in reports[1:]:
        pair = " y ".join(scenario_title(one.run.scenario.name) for one in (base, other))
        both, difference = _drawn(question.prepared, base.run.scenario, other.run.scenario)
        left, right = st.columns([2, 1])
        left.image(both, width="stretch", caption=f"Puntaje de brecha con el plan: {pair}.")
        right.image(difference, width="stretch", caption="Personas equivalentes que cada localidad gana o pierde; quiénes, en las tablas.")


@st.cache_data(max_entries=16, show_spinner=False, hash_funcs=compute.SCENARIO_KEY)
def _drawn(prepared: compute.Prepared, base: Scenario, other: Scenario) -> tuple[bytes, bytes]:
    """Two maps of the score under their plans in one image, and a map of the difference."""
    then, now = (compute.report(prepared, scenario).layers for scenario in (base, other))
    towns = compute.region_of(prepared).municipalities.geometry
    outlines = gpd.GeoSeries(towns[towns.notna() & ~towns.is_empty])
    sides = [score_panel(scenario_title(scenario.name), layers["localidades"], layers["propuestas"], plan=True)
             for scenario, layers in ((base, then), (other, now))]
    gained = then["localidades"]["personas_equiv_plan"] - now["localidades"]["personas_equiv_plan"]
    difference = gain_panel("Quién gana y quién pierde", now["localidades"], gained)
    return (charts.png(draw(sides, outlines, size=(8.6, 4.6)), 110),
            charts.png(draw([difference], outlines, size=(4.3, 4.6), classes="gain"), 110))


def _tables(found: Comparison) -> None:
    st.markdown("### Qué cambia")
    told = comparison_tables(found)
    first = [TITLES[key] for key in _FIRST]
    for title in [title for title in first if title in told]:
        st.markdown(f"**{title}**")
        st.html(_html(told[title]))
    for title in [title for title in told if title not in first]:
        with st.expander(title):
            st.html(_html(told[title]))
    st.caption("Cada cambio es el valor del otro escenario menos el de la base; el dinero, en pesos constantes del año de la base. "
               "«planner compare» escribe lo mismo en una carpeta, con libro de cálculo y capa para SIG.")


def _told(value: Any) -> str:
    """A figure with thousands separated and as many decimals as it needs; what is missing as a dash."""
    if not known(value):
        return "–"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:,.2f}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def _html(frame: pd.DataFrame) -> str:
    return table(frame.infer_objects(), dict.fromkeys(map(str, frame.columns), _told))
