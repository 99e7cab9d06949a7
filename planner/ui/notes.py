"""What must always stand beside the figures: cut-off dates, sources, assumptions, findings, and what the tool is not."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from planner.checks import findings_table
from planner.model import Region
from planner.outputs.maps import LEGEND_STYLE
from planner.settings import Scenario, describe_scenario
from planner.ui.words import plain

DISCLAIMER = "Herramienta de apoyo: no sustituye la valoración en campo."
_STYLE = """
.block-container { padding-top: 2.2rem; padding-bottom: 3rem; max-width: 1500px; }
[data-testid="stMetricLabel"] p { white-space: normal; } [data-testid="stMetricValue"] { font-size: 1.5rem; }
.ficha { margin: 0 0 .9rem; } .ficha h4 { margin: 0 0 .25rem; font-size: 1rem; }
.ficha p { margin: .3rem 0; color: #48525e; font-size: .86rem; } .ficha table { width: 100%; border-collapse: collapse; font-size: .84rem; }
.ficha th, .ficha td { border: 0; border-top: 1px solid #e3e7eb; padding: .22rem .3rem .22rem 0; text-align: left; vertical-align: top; }
.ficha th { font-weight: 500; color: #48525e; width: 40%; }
[data-testid="stStatusWidget"] { visibility: hidden; }
"""


def show_style() -> None:
    """Page styles."""
    st.html(f"<style>{_STYLE}{LEGEND_STYLE}</style>")


def show_header(region: Region, scenario: Scenario) -> None:
    """What is on screen, and whether it is made up."""
    label = " (SINTÉTICA)" if region.synthetic else ""
    st.markdown(f"## Planificador de cobertura: {plain(region.name)}{label}")
    st.caption(f"Escenario {plain(scenario.name)} · {DISCLAIMER}")
    if region.synthetic:
        st.warning("Región SINTÉTICA: lugares, unidades y personas son inventados; sirve para conocer la herramienta.")


def show_notes(region: Region, scenario: Scenario) -> None:
    """Dates, sources and assumptions; what the data checks found."""
    st.markdown("### Fecha de corte, fuentes, supuestos")
    st.caption(DISCLAIMER)
    sources, assumed, checks = st.tabs(["Fecha de corte y fuentes", "Supuestos", "Revisión de los datos"])
    with sources:
        files = [(f.role, f.name, f.cutoff or "no publicada", f.sha256[:12]) for f in region.inputs]
        st.dataframe(pd.DataFrame(files, columns=["Papel", "Archivo", "Fecha de corte", "SHA-256"]), hide_index=True)
        st.caption("INEGI (Censo 2020), Secretaría de Salud (CLUES), CONEVAL y la planeación estatal, según los archivos de la región.")
    with assumed:
        table = describe_scenario(scenario)[["meaning", "value", "unit", "mark", "source"]]
        st.dataframe(table.astype(str).set_axis(["Qué", "Valor", "Unidad", "Marca", "Fuente"], axis=1), hide_index=True)
        st.caption("Marca: dato (de una fuente), derivado (calculado de datos), supuesto (del planificador). "
                   "Todo se cambia en el archivo del escenario.")
    with checks:
        st.dataframe(findings_table(region.findings), hide_index=True)
