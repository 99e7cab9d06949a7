"""Rutas: each circuit of a mobile unit or brigade, on the map and by day; today's circuits beside those of the plan."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from planner.outputs.calendar import calendar_files, team_calendar
from planner.outputs.decisions import circuits_table
from planner.outputs.report import Report
from planner.schema import CALENDAR
from planner.ui import mapview, state
from planner.ui.sidebar import Question
from planner.ui.words import count, decimal, minutes, money, table
from planner.words import KINDS

_TEAMS = ("umm", "brigada", "ruta")
_STOPS = {"orden": "Orden", "nom_loc": "Localidad", "dias": "Días del mes", "minutos": "Camino", "personas": "Personas",
          "pernocta": "Pernocta"}


def show(question: Question, found: Report) -> None:
    """The page under the header."""
    teams = found.layers["propuestas"][found.layers["propuestas"]["tipo"].isin(_TEAMS)]
    if teams.empty:
        st.info("El plan de este escenario no tiene rutas móviles. Pruebe el escenario «Solo móviles», un presupuesto mayor, o deje solo "
                "rutas en «Intervenciones permitidas».")
    else:
        _circuits(question, found, teams)
        _files(found)
    _today(found)


@st.fragment
def _circuits(question: Question, found: Report, teams: pd.DataFrame) -> None:
    st.markdown(f"**{count(len(teams))} rutas** por {money(teams['costo_anual'].sum())} al año; atienden a "
                f"{count(teams['personas'].sum(), 'personas')}. Marca: derivado; costos: supuesto.")
    names = {str(key): f"{KINDS[row['tipo']]}: {row['nombre']} ({key})" for key, row in teams.iterrows()}
    route = st.selectbox("Ruta", list(names), format_func=lambda key: names.get(key, key), key="ruta", bind="query-params")
    chosen = state.Chosen("propuesta", route)
    mapview.show(question, found, chosen, only=("localidades", "unidades", "propuestas"))
    legs = found.layers["rutas"]
    stops = legs[(legs["ruta"] == route) & (legs["elemento"] == "parada")].sort_values("orden")
    st.markdown("**Paradas**")
    st.html(table(pd.DataFrame(stops[list(_STOPS)].rename(columns=_STOPS)),
                  {"Camino": minutes, "Personas": count, "Pernocta": lambda night: "sí" if night else "no"}))
    month = team_calendar(found.run.region, found.run.plan, found.run.scenario)
    mine = month[month["route"] == route].drop(columns=["route", "kind", "clues", "base"])  # the same on every line
    mine = mine.astype(object).where(mine.notna(), "")
    with st.expander("Calendario del mes, día por día", expanded=True):
        st.dataframe(mine.rename(columns={c.name: c.label for c in CALENDAR.all()}), hide_index=True, height=320)
        st.caption("Se repite cada cuatro semanas. El camino es el de la temporada del escenario.")


def _files(found: Report) -> None:
    region, scenario = found.run.region, found.run.scenario
    files = calendar_files(region, found.run.plan, scenario)
    made_up = "SINTETICA_" if region.synthetic else ""
    with st.container(horizontal=True):
        for name, label in (("calendario.csv", "Calendario (CSV)"), ("calendario.ics", "Calendario (iCalendar)")):
            st.download_button(label, files[name], key=f"bajar-{name}", on_click="ignore",
                               file_name=f"{region.slug}_{scenario.name}_{made_up}{name}")


def _today(found: Report) -> None:
    """The circuits that the region publishes."""
    if found.run.region.circuits is None:
        st.caption("La región no trae las rutas móviles de hoy (`units.circuits`): se suponen las visitas del escenario.")
        return
    told = circuits_table(found.run)
    with st.expander(f"Rutas de hoy ({len(told)})"):
        shown = told.rename(columns={name: str(name).replace("_", " ").capitalize() for name in told})
        st.dataframe(shown, hide_index=True, height=320)
        st.caption(f"Su operación ya está pagada y no cuenta en el presupuesto: {money(told['costo_anual'].sum())} al año; "
                   f"{decimal(told['transitable'].eq('sí').mean() * 100, 0)} % caben en su jornada.")
