"""What must always stand beside the figures: cut-off dates, sources, findings, and what the tool is not; and the page's style."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from planner.checks import findings_table
from planner.model import Region
from planner.outputs.credits import cutoffs, source
from planner.outputs.maps import LEGEND_STYLE
from planner.settings import Scenario
from planner.ui.words import plain, table
from planner.words import DISCLAIMER, scenario_title

_STYLE = """
.stMainBlockContainer { padding: 1.6rem 2rem 3rem; max-width: 1500px; }
[data-testid="stSidebarHeader"] { height: 2.4rem; margin: 0; } [data-testid="stSidebarUserContent"] { padding-bottom: 1rem; }
section[data-testid="stSidebar"] [data-testid="stVerticalBlock"] { gap: .55rem; }
section[data-testid="stSidebar"] [data-variant="pills"] { padding: .1rem .5rem; min-height: 1.8rem; }
section[data-testid="stSidebar"] [data-variant="pills"] p { font-size: .75rem; }
[data-testid="stMetricLabel"] p, [data-testid="stMetricValue"] *, [data-testid="stMetricDelta"] * {
  white-space: normal; overflow: visible; }
[data-testid="stMetricValue"] { font-size: 1.4rem; }
.st-key-cifras [data-testid="stHorizontalBlock"], .st-key-plan [data-testid="stHorizontalBlock"] { flex-wrap: wrap; }
.st-key-cifras [data-testid="stColumn"], .st-key-plan [data-testid="stColumn"] { min-width: 150px; }
@media (max-width: 1150px) { .st-key-cifras [data-testid="stColumn"], .st-key-plan [data-testid="stColumn"] { min-width: 45%; } }
@media (max-width: 1000px) { .stMainBlockContainer [data-testid="stHorizontalBlock"] { flex-wrap: wrap; }
  .stMainBlockContainer [data-testid="stColumn"] { min-width: min(100%, 215px); } }
.modos { width: 100%; border-collapse: collapse; font-size: .9rem; }
.modos th, .modos td { border: 0; border-bottom: 1px solid #e3e7eb; padding: .35rem .8rem .35rem 0; text-align: left; font-weight: 400; }
.modos thead th { color: #48525e; font-size: .82rem; vertical-align: bottom; }
.tabla { overflow: auto; border: 1px solid #e3e7eb; border-radius: .5rem; }
.tabla table { width: 100%; border-collapse: collapse; font-size: .84rem; line-height: 1.4; }
.tabla th, .tabla td { border: 0; border-bottom: 1px solid #eceff2; padding: .35rem .6rem; text-align: left; vertical-align: top; }
.tabla td { overflow-wrap: break-word; min-width: 4rem; } .tabla .n { text-align: right; } .tabla td.n { white-space: nowrap; }
.tabla thead th { position: sticky; top: 0; background: #f7f8f9; font-weight: 500; color: #48525e; }
.ficha { margin: 0 0 .9rem; } .ficha h4 { margin: 0 0 .25rem; font-size: 1rem; padding: 0; }
.ficha p { margin: .3rem 0; color: #48525e; font-size: .86rem; } .ficha table { width: 100%; border-collapse: collapse; font-size: .84rem; }
.ficha th, .ficha td { border: 0; border-top: 1px solid #e3e7eb; padding: .22rem .4rem .22rem 0; text-align: left; vertical-align: top;
  overflow-wrap: anywhere; }
.ficha th { font-weight: 500; color: #48525e; width: 40%; }
[data-testid="stStatusWidget"] { visibility: hidden; }
"""


def show_style() -> None:
    """Page styles."""
    st.html(f"<style>{_STYLE}{LEGEND_STYLE}</style>")


def show_header(title: str, region: Region, scenario: Scenario) -> None:
    """The page, what it is about, of which date, and whether it is made up."""
    label = " (SINTÉTICA)" if region.synthetic else ""
    st.markdown(f"## {title}: {plain(region.name)}{label}")
    st.caption(f"Escenario: {plain(scenario_title(scenario.name))} · Fecha de corte: {plain(cutoffs(region))} · {DISCLAIMER}")
    if region.synthetic:
        st.markdown(":orange-badge[Región SINTÉTICA] Lugares, unidades y personas son inventados; sirve para conocer la herramienta.")


def show_foot() -> None:
    """Where the figures of a page come from."""
    st.caption(f"De dónde salen las cifras, con fechas, fuentes y supuestos: página Datos. Qué significan: página Ayuda. {DISCLAIMER}")


def show_sources(region: Region) -> None:
    """Each file that went in: what it tells, who publishes it, its date and its print."""
    files = [(*source(f, region.synthetic), f.name, f.cutoff or "no publicada", f.sha256[:12]) for f in region.inputs]
    st.html(table(pd.DataFrame(files, columns=["Qué dice", "Fuente", "Archivo", "Fecha de corte", "SHA-256 (inicio)"])))


def show_findings(region: Region) -> None:
    """What the data checks found, the gravest first."""
    found = findings_table(region.findings)
    st.html(table(found.set_axis([name.capitalize() for name in found.columns], axis=1)))
