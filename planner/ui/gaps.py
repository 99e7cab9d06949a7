"""Brechas: which localities are worst off and why; the table and the map choose for each other."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from planner.outputs.report import Report
from planner.ui import mapview, state
from planner.ui.sidebar import Question
from planner.ui.words import count, minutes

_ROWS = 300
_ORDERS = {"Personas sin acceso, con peso de la necesidad": "brecha_ponderada", "Puntaje de brecha": "puntaje_brecha",
           "Personas equivalentes": "personas_equiv", "Minutos al primer nivel": "min_primer_nivel", "Minutos al hospital": "min_hospital"}
_COLUMNS = {"nom_loc": "Localidad", "nom_mun": "Municipio", "puntaje_brecha": "Puntaje", "personas_equiv": "Personas equiv.",
            "motivo": "Por qué y qué se propone", "grado_rezago": "Grado de rezago", "poblacion": "Población objetivo",
            "min_primer_nivel": "Primer nivel", "min_hospital": "Hospital", "cobertura": "Cobertura"}
_MINUTES = ("Primer nivel", "Hospital")
_PEOPLE = ("Población objetivo", "Personas equiv.")
_HEIGHT_PX = 387  # ten rows under their heads


@st.fragment
def show(question: Question, found: Report) -> None:
    """The page under the header; a fragment, so that a choice draws nothing else anew."""
    shown = mapview.filters(question, found)
    first, second = st.columns([1, 1.6])
    order = first.selectbox("Las peores primero, según", list(_ORDERS), key="orden", bind="query-params",
                            help="Brecha ponderada: personas por parte de la atención que les falta por peso de la necesidad. "
                                 "Marca: derivado; rampas y pesos: supuesto.")
    with second:
        chosen = mapview.search(question)
    worst = _worst(shown.localities, _ORDERS[order])
    _table(worst, chosen, len(shown.localities))
    mapview.show(question, found, chosen, shown)


def _worst(places: pd.DataFrame, order: str) -> pd.DataFrame:
    """The worst localities; with travel, those that reach nothing come first."""
    values = places[order].fillna(float("inf")) if order.startswith("min_") else places[order]
    ranked = places.assign(_order=values, _score=places["puntaje_brecha"]).sort_values(
        ["_order", "_score"], ascending=False, kind="stable", na_position="last")
    return ranked.head(_ROWS)


def _table(worst: pd.DataFrame, chosen: state.Chosen | None, total: int) -> None:
    told = worst[list(_COLUMNS)].rename(columns=_COLUMNS)
    told = told.assign(**{name: told[name].map(minutes) for name in _MINUTES}, **{name: told[name].round() for name in _PEOPLE})
    told.insert(0, "Lugar", range(1, len(told) + 1))
    ids = [str(key) for key in worst.index]
    here = ids.index(chosen.id) if chosen is not None and chosen.kind == "localidad" and chosen.id in ids else None
    state.mark_row(here)
    columns = {name: st.column_config.NumberColumn(format="%,.0f") for name in _PEOPLE} | {
        "Puntaje": st.column_config.NumberColumn(format="%.1f"), "Por qué y qué se propone": st.column_config.TextColumn(width="large")}
    st.dataframe(told.rename_axis("Clave"), height=_HEIGHT_PX, key=state.TABLE, on_select=lambda: state.take_row(ids),
                 selection_mode="single-row", column_config=columns)
    at = f" La elegida está en el lugar {here + 1}." if here is not None else ""
    st.caption(f"Las {count(len(worst))} primeras de {count(total)} localidades; elija una fila y el mapa la muestra, o haga clic en el "
               f"mapa y la fila se marca.{at}")
    missing = int(worst["puntaje_brecha"].isna().sum())
    if missing:
        st.caption(f"{count(missing)} de ellas sin dato (en gris en el mapa): no se sabe su traslado o su grado de rezago.")
