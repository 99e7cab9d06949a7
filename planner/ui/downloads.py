"""Descargas: every file of a run, each as `planner run` writes it, and all of them in one package."""

from __future__ import annotations

import streamlit as st

from planner.outputs.report import Report
from planner.ui import compute, state
from planner.ui.sidebar import Question
from planner.ui.work import ready

FILES = {
    "Para quien decide": {"plan.xlsx": "Libro de cálculo", "informe.html": "Informe de una página", "mapa.html": "Mapa que abre sin red"},
    "Para SIG": {"plan.gpkg": "GeoPackage", "localidades.geojson": "Localidades", "unidades.geojson": "Unidades",
                 "propuestas.geojson": "Propuestas", "rutas.geojson": "Rutas", "areas_influencia.geojson": "Áreas de influencia",
                 "referencias.geojson": "Referencias a hospital"},
    "Para quien analiza": {"indicadores.json": "Indicadores", "diccionario.csv": "Diccionario de datos",
                           "manifest.json": "Procedencia y supuestos", "calendario.csv": "Calendario de rutas",
                           "calendario.ics": "Calendario (iCalendar)"}}


def show(question: Question, found: Report) -> None:
    """The page under the header; made-up data say so in the name of each file."""
    region, scenario = found.run.region, found.run.scenario
    st.caption(("Datos SINTÉTICOS: cada archivo lo dice en su nombre. " if region.synthetic else "")
               + "Los mismos archivos que escribe `planner run`, capas en GeoJSON (EPSG:4326) y GeoPackage (CRS de la región).")
    if question.prepared.corrections:
        st.warning("Estos archivos llevan sus correcciones de unidades; la procedencia lo dice.")
    start = f"{region.slug}_{scenario.name}_{'SINTETICA_' if region.synthetic else ''}"
    work = compute.files(question.prepared, question.scenario, [name for files in FILES.values() for name in files])
    if ready(work):
        for title, files in FILES.items():
            st.markdown(f"### {title}")
            with st.container(horizontal=True):
                for name, label in files.items():
                    st.download_button(label, work.result()[name], key=f"bajar-{name}", on_click="ignore", file_name=start + name)
    _whole(question, start)


def _whole(question: Question, start: str) -> None:
    """All files, the regionalization's too, made in the background."""
    st.markdown("### Todo en un paquete")
    mark = f"archivos {question.prepared} {question.scenario.model_dump_json()}"
    if not state.started(mark):
        st.caption("Incluye distritos, redes, zonas, universos, un atlas con una página por distrito y el proyecto de QGIS. En una entidad "
                   "completa tarda unos minutos.")
        st.button("Preparar el paquete", on_click=state.start, args=(mark,))
        return
    work = compute.written(question.prepared, question.scenario)
    if ready(work):
        st.download_button("Bajar el paquete (zip)", work.result(), file_name=f"{start}corrida.zip", mime="application/zip", type="primary",
                           on_click="ignore")
