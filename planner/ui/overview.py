"""Panorama: the answer in one sentence, the figures, the map with its filters, and the charts with their tables."""

from __future__ import annotations

import streamlit as st

from planner.outputs import charts
from planner.outputs.report import Report
from planner.ui import mapview
from planner.ui.charting import chart
from planner.ui.figures import show_figures
from planner.ui.sidebar import Question


def show(question: Question, found: Report) -> None:
    """The page under the header."""
    show_figures(found.run)
    _map(question, found)
    left, right = st.columns(2)
    with left:
        chart("alcance", charts.reach, found.indicators["total"])
    with right:
        chart("grados", charts.gap_by_grade, found.indicators["por_grado"])


@st.fragment
def _map(question: Question, found: Report) -> None:
    """A fragment: choosing a place does not draw the rest of the page anew."""
    st.markdown("### Quién carece de atención y por qué")
    shown = mapview.filters(question, found)
    chosen = mapview.search(question)
    mapview.show(question, found, chosen, shown)
    st.caption(f"El mapa muestra {len(shown.localities):,} de {len(found.layers['localidades']):,} localidades. "
               "Las mismas localidades, como tabla, están en la página Brechas.")
