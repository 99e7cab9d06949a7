"""The page and its two views: ask, compute, show."""

from __future__ import annotations

import streamlit as st

from planner.errors import PlannerError
from planner.ui import compute, state
from planner.ui.explore import show_map
from planner.ui.figures import show_figures
from planner.ui.notes import show_header, show_notes, show_style
from planner.ui.plan import show_downloads, show_plan
from planner.ui.regions import show_regions
from planner.ui.sidebar import ask
from planner.ui.words import plain
from planner.words import DISCLAIMER

COVERAGE, REGIONS = "Cobertura y plan", "Regionalización"
FILES = {"localidades.geojson": "Localidades", "unidades.geojson": "Unidades", "propuestas.geojson": "Propuestas", "rutas.geojson": "Rutas",
         "areas_influencia.geojson": "Áreas de influencia", "referencias.geojson": "Referencias a hospital", "plan.gpkg": "GeoPackage",
         "calendario.csv": "Calendario de rutas", "calendario.ics": "Calendario (iCalendar)",
         "indicadores.json": "Indicadores", "diccionario.csv": "Diccionario de datos", "manifest.json": "Procedencia y supuestos"}


def show() -> None:
    """Draw the page; a fault of ours is told in one sentence."""
    show_style()
    try:
        _page()
    except PlannerError as fault:
        st.error(plain(fault))


def _page() -> None:
    regions = compute.find_regions()
    if not regions:
        st.markdown("## Planificador de cobertura")
        st.info(f"No hay regiones preparadas en {plain(compute.home() / 'data' / 'processed')}; prepare una con "
                "`planner prepare REGION.toml`, o la de demostración con `planner demo`.")
        st.caption(DISCLAIMER)
        return
    state.hold()
    prepared, scenario = ask(regions, compute.find_scenarios())
    found = compute.answer(prepared, scenario)
    show_header(found.run.region, scenario)
    view = st.segmented_control("Vista", (COVERAGE, REGIONS), default=COVERAGE, key=state.VIEW, label_visibility="collapsed")
    if view == REGIONS:
        show_regions(prepared, scenario)
    else:
        show_figures(found.run)
        show_map(prepared, scenario)
        show_plan(found)
        show_downloads(found, FILES)
    show_notes(found.run.region, scenario)
