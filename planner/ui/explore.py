"""The map with its search, filters and cards. A fragment: choosing a place does not redraw the rest of the page."""

from __future__ import annotations

import streamlit as st
from streamlit_folium import st_folium

from planner.outputs import maps
from planner.outputs.report import Report
from planner.schema import GRADES
from planner.settings import Scenario
from planner.ui import cards, compute, state
from planner.ui.compute import Prepared
from planner.ui.words import count, decimal, minutes

_HEIGHT_PX = 600
_WORST = 300


@st.fragment
def show_map(prepared: Prepared, scenario: Scenario) -> None:
    """Map, card of what is chosen, and the table that says the same as the map."""
    found = compute.answer(prepared, scenario)
    st.markdown("### Quién carece de atención y por qué")
    wanted, chosen = _ask(found)
    left, right = st.columns([1.75, 1], gap="medium")
    with left:
        _draw(prepared, scenario, found, chosen, wanted)
    with right, st.container(height=_HEIGHT_PX, border=False):
        st.html(cards.card(found, chosen))
    st.html(maps.legend_html(found.layers["areas_influencia"]))
    _table(found, wanted)


def _ask(found: Report) -> tuple[compute.Wanted, state.Chosen | None]:
    """Which localities to show, and the place whose card is wanted."""
    places = found.layers["localidades"]
    asked = [("distrito", "Distrito", sorted(places["distrito"].dropna().unique())),
             ("nom_mun", "Municipio", sorted(places["nom_mun"].dropna().unique())), ("grado_rezago", "Grado de rezago", list(GRADES))]
    *columns, last = st.columns([1, 1, 1, 1.6])
    wanted = tuple((name, tuple(column.multiselect(label, values, placeholder="Todos")))
                   for column, (name, label, values) in zip(columns, asked, strict=True))
    names = {
        state.as_option(kind, str(key)): f"{label}: {name}, {key}"
        for kind, label, layer, column in (("localidad", "Localidad", "localidades", "nom_loc"), ("unidad", "Unidad", "unidades", "nombre"),
                                           ("propuesta", "Propuesta", "propuestas", "nombre"))
        for key, name in found.layers[layer][column].items()}
    state.keep_only(list(names))
    last.selectbox("Buscar", list(names), index=None, format_func=lambda option: names.get(option, option), key=state.SEARCH,
                   placeholder="Nombre o clave; o haga clic en el mapa")
    return wanted, state.chosen()


def _draw(prepared: Prepared, scenario: Scenario, found: Report, chosen: state.Chosen | None, wanted: compute.Wanted) -> None:
    drawn = dict(compute.map_layers(prepared, scenario, wanted))
    if chosen is not None:
        layer = found.layers[cards.LAYERS[chosen.kind]]
        point = layer.loc[[chosen.id]].to_crs(4326).geometry.iloc[0]
        area, route = cards.area_of(found, chosen), cards.route_of(found, chosen)
        around = cards.catchment_of(found, area) if route.empty else route
        drawn["elegida"] = maps.chosen_mark(state.as_option(chosen.kind, chosen.id), point, around.geometry)
        drawn["areas"] = compute.map_area(prepared, scenario, area)
        drawn["referencias"] = maps.prepare_referral(found.layers["referencias"], chosen.id)
        if not route.empty:  # one circuit alone can be read, all of them only say where teams go
            drawn |= maps.prepare_layers({"rutas": route})
    st_folium(maps.base_map(compute.map_base(prepared)), key=state.MAP, height=_HEIGHT_PX, use_container_width=True,
              returned_objects=[], feature_group_to_add=maps.drawing(drawn), on_change=state.take_click)


def _table(found: Report, wanted: compute.Wanted) -> None:
    shown = compute.filtered(found.layers["localidades"], wanted)
    worst = shown.sort_values(["brecha_ponderada", "puntaje_brecha"], ascending=False, kind="stable").head(_WORST)
    with st.expander(f"El mapa como tabla: las {len(worst)} localidades con mayor brecha ponderada, de {count(len(shown))}"):
        columns = {"nom_loc": "Localidad", "nom_mun": "Municipio", "grado_rezago": "Grado de rezago", "puntaje_brecha": "Puntaje de brecha",
                   "poblacion": "Población objetivo", "personas_equiv": "Personas equivalentes", "min_primer_nivel": "Primer nivel",
                   "min_hospital": "Hospital", "cobertura": "Cobertura", "intervencion": "Intervención propuesta"}
        table = worst[list(columns)].rename(columns=columns).rename_axis("Clave")
        formats = {"Puntaje de brecha": lambda v: decimal(v, 1), "Población objetivo": count, "Personas equivalentes": count,
                   "Primer nivel": minutes, "Hospital": minutes}
        st.dataframe(table.style.format(formats, na_rep="sin ruta o dato"), height=420)
        if not shown["puntaje_brecha"].notna().all():
            st.caption(f"{count(shown['puntaje_brecha'].isna().sum())} localidades sin dato (en gris en el mapa): "
                       "no se sabe su traslado o su grado de rezago.")
