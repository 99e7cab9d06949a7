"""The map of places with its filters, its search and the card of what is chosen: the same on every page that has a map."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import geopandas as gpd
import streamlit as st
from streamlit_folium import st_folium

from planner.outputs import maps
from planner.outputs.mapjson import named_only
from planner.outputs.report import Report
from planner.ui import cards, compute, state
from planner.ui.sidebar import Question
from planner.ui.words import count

HEIGHT_PX = 560
_FILTERS = {"distrito": "Distrito", "nom_mun": "Municipio", "grado_rezago": "Grado de rezago", "institucion": "Institución"}
_HELP = {"institucion": "Filtra las unidades del mapa."}
_PEOPLE_STEPS = (0, 50, 100, 250, 500, 1000, 2500, 5000, 15000)


@dataclass(frozen=True)
class Shown:
    """What the filters let through: rows of `localidades`, and columns of `unidades` with their values."""

    localities: gpd.GeoDataFrame
    units: compute.Wanted
    narrowed: bool


def filters(question: Question, found: Report) -> Shown:
    """The filters of a page, kept while the session lasts."""
    places, offered = found.layers["localidades"], compute.choices(question.prepared, question.scenario)
    columns = st.columns([1, 1, 1, 1, 1.2])
    *wanted, institutions = ((name, tuple(column.multiselect(
        label, offered[name], placeholder="Todos", key=state.keep_values(state.FILTER + name, offered[name]), help=_HELP.get(name),
        on_change=state.keep, args=(state.FILTER + name,))))
        for column, (name, label) in zip(columns, _FILTERS.items(), strict=False))
    low, high = columns[4].select_slider(
        "Población objetivo", _PEOPLE_STEPS, (0, _PEOPLE_STEPS[-1]), key=state.restored(state.FILTER + "poblacion"),
        format_func=lambda people: count(people) if people < _PEOPLE_STEPS[-1] else f"{count(people)} o más",
        on_change=state.keep, args=(state.FILTER + "poblacion",))
    kept = compute.filtered(places, tuple(wanted))
    kept = kept[(kept["poblacion"].fillna(0) >= low) & ((kept["poblacion"].fillna(0) <= high) | (high == _PEOPLE_STEPS[-1]))]
    return Shown(gpd.GeoDataFrame(kept), (institutions,), len(kept) < len(places) or bool(institutions[1]))


def search(question: Question) -> state.Chosen | None:
    """The search over every place: the best match is chosen, the others stand in a list; and what is chosen there or elsewhere."""
    places = compute.places_of(question.prepared, question.scenario)
    first, second = st.columns([1, 1.4])
    words = first.text_input("Buscar localidad, unidad o propuesta", key=state.WORDS, placeholder="Nombre o clave, y Entrar", max_chars=80,
                             on_change=lambda: state.choose_first(compute.matches(places, state.value_of(state.WORDS) or "")))
    hits = compute.matches(places, words) if words else []
    state.restored(state.SEARCH)
    state.keep_only(places)
    options = list(dict.fromkeys([option for option in (state.asked_option(places),) if option] + hits))
    told = f"{count(len(hits))} lugares hallados" if words else "Ninguno: búsquelo o haga clic en el mapa"
    second.selectbox("Lugar elegido", options, index=None, format_func=lambda option: places.get(option, option), key=state.SEARCH,
                     bind="query-params", placeholder=told)
    state.keep(state.SEARCH)  # here, since the address may have given it
    return state.chosen()


def show(question: Question, found: Report, chosen: state.Chosen | None, shown: Shown | None = None, *, only: tuple[str, ...] = (),
         above: Callable[[], None] = lambda: None) -> None:
    """The map, the card of what is chosen with what stands `above` it, and the legend; `only` names the layers drawn (none: all)."""
    left, right = st.columns([1.75, 1], gap="medium")
    with left:
        _draw(question, found, chosen, shown, only)
    with right:
        above()
        with st.container(height=HEIGHT_PX, border=False):
            st.html(cards.card(found, chosen))
    with st.expander("Leyenda del mapa", expanded=True):
        st.html(maps.legend_html(found.layers["areas_influencia"]))


def _draw(question: Question, found: Report, chosen: state.Chosen | None, shown: Shown | None, only: tuple[str, ...]) -> None:
    prepared, scenario = question.prepared, question.scenario
    layers = {"base": compute.map_base(prepared), **compute.map_layers(prepared, scenario)}
    if only:
        layers = {name: layer for name, layer in layers.items() if name in ("base", "lugares", *only)}
    if shown is not None and shown.narrowed:
        units = compute.filtered(found.layers["unidades"], shown.units).index
        rows = {"localidades": shown.localities.index} | ({"unidades": units, "otras": units} if any(v for _, v in shown.units) else {})
        layers["filtro"] = maps.prepare_filter(found.layers, rows)
    if chosen is not None:
        layers |= _around(question, found, chosen)
    show_folium(layers, maps.LAYERS, state.MAP, state.take_click)


def show_folium(layers: Mapping[str, str], names: Mapping[str, str], key: str, on_change: Callable[[], None]) -> None:
    """A map of these layers; what the browser holds is not sent again."""
    sent = state.unsent(layers, {name: named_only(layer) for name, layer in layers.items()})
    st_folium(maps.base_map(names), key=key, height=HEIGHT_PX, use_container_width=True, returned_objects=[],
              feature_group_to_add=maps.drawing(sent), on_change=on_change)


def _around(question: Question, found: Report, chosen: state.Chosen) -> dict[str, str]:
    """The mark of what is chosen, its catchment, its route and its way to the hospital."""
    layer = found.layers[cards.LAYERS[chosen.kind]]
    point = layer.loc[[chosen.id]].to_crs(4326).geometry.iloc[0]
    area, route = cards.area_of(found, chosen), cards.route_of(found, chosen)
    around = cards.catchment_of(found, area) if route.empty else route
    drawn = {"elegida": maps.chosen_mark(state.as_option(chosen.kind, chosen.id), point, around.geometry),
             "areas": compute.map_area(question.prepared, question.scenario, area),
             "referencias": maps.prepare_referral(found.layers["referencias"], chosen.id)}
    if not route.empty:  # one circuit alone can be read, all of them only say where teams go
        drawn |= maps.prepare_layers({"rutas": route})
    return drawn
