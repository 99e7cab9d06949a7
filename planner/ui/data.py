"""Datos: which data there are, of what date and how good; the assumptions; corrections of units; a region from files."""

from __future__ import annotations

from collections.abc import Mapping

import geopandas as gpd
import pandas as pd
import streamlit as st

from planner.model import Region
from planner.outputs import maps
from planner.ui import compute, state
from planner.ui.assumed import show_assumptions
from planner.ui.correcting import show_corrections
from planner.ui.mapview import show_folium
from planner.ui.notes import show_findings, show_sources
from planner.ui.preparing import show_preparing
from planner.ui.sidebar import Question
from planner.ui.words import FLAGS, count

_TABS = ("Qué datos hay", "Revisión", "Supuestos", "Corregir unidades", "Preparar una región")


def show(question: Question) -> None:
    """The page under the header; one part at a time, since a tab that is not seen would be drawn too."""
    part = st.segmented_control("Parte", _TABS, default=_TABS[0], key="parte", bind="query-params", label_visibility="collapsed")
    region = compute.region_of(question.prepared)
    if part == _TABS[1]:
        _checks(question, region)
    elif part == _TABS[2]:
        show_assumptions(question.scenario, question.shipped)
    elif part == _TABS[3]:
        show_corrections(question.prepared, region)
    elif part == _TABS[4]:
        show_preparing()
    else:
        _what(region)


def _what(region: Region) -> None:
    people = int(region.localities["population"].sum())
    pairs = [("Localidades", count(len(region.localities)), "Del censo, con coordenadas. Marca: dato. Fuente: INEGI, ITER."),
             ("Habitantes", count(people), "Población total de esas localidades. Marca: dato. Fuente: INEGI, ITER."),
             ("Unidades", count(len(region.units)), "En el catálogo, móviles incluidas. Marca: dato. Fuente: CLUES."),
             ("Primer nivel fijo", count(region.units["role"].eq("primer_nivel").sum()), "Públicas, en operación. Marca: derivado."),
             ("Hospitales", count(region.units["role"].eq("hospital").sum()), "Públicos de referencia. Marca: derivado.")]
    for column, (label, value, meaning) in zip(st.columns(len(pairs)), pairs, strict=True):
        column.metric(label, value, help=meaning, border=True)
    st.markdown("### De dónde salen y de cuándo son")
    show_sources(region)
    st.caption("Fecha de corte: la que publica la fuente en el nombre del archivo. La suma SHA-256 dice si dos archivos son el mismo.")


def _checks(question: Question, region: Region) -> None:
    """The findings as sentences, and the places that carry a flag on the map and in a table."""
    show_findings(region)
    places = _flagged(region)
    st.markdown(f"### Dónde: {count(len(places))} lugares con aviso")
    if places.empty:
        return
    left, right = st.columns([1.4, 1], gap="medium")
    with left:
        layers = {"base": compute.map_base(question.prepared), "avisos": maps.prepare_flagged(places)}
        show_folium(layers, maps.FLAGGED, "mapa-avisos", _ignore)
    with right:
        told = pd.DataFrame(places[["kind", "name", "told"]]).rename(columns={"kind": "Qué", "name": "Nombre", "told": "Aviso"})
        st.dataframe(told.rename_axis("Clave"), height=560)


def _ignore() -> None:
    state.take_lost("mapa-avisos")


def _flagged(region: Region) -> gpd.GeoDataFrame:
    """Localities and units that carry a flag, with the flags in words; what is only imputed is no fault of a place."""
    parts = []
    for kind, frame in (("localidad", region.localities), ("unidad", region.units)):
        told = frame["flags"].map(_in_words, na_action="ignore")
        shown = told.notna() & (told != "")
        parts.append(gpd.GeoDataFrame({"kind": kind, "name": frame["name"][shown], "told": told[shown]}, geometry=frame.geometry[shown],
                                      crs=frame.crs))
    return gpd.GeoDataFrame(pd.concat(parts), geometry="geometry", crs=region.crs)


def _in_words(codes: str, words: Mapping[str, str] = FLAGS) -> str:
    return "; ".join(words.get(code, code.replace("_", " ")) for code in codes.split(",") if code and not code.endswith("_imputada")
                     and not code.endswith(("_imputado", "_imputados")))
