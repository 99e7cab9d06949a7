"""País: the states of a national run and their municipalities; localities only of the municipality that is asked for."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pandas as pd
import streamlit as st

from planner.outputs import mapnation
from planner.outputs.nation import NATION, Nation, read_nation, read_places, stored_nations
from planner.outputs.provenance import MANIFEST
from planner.ui import compute, state
from planner.ui.figures import EQUIVALENT, FAR, NEAR, TARGET
from planner.ui.mapview import show_folium
from planner.ui.sidebar import Question
from planner.ui.words import count, minutes, money, percent, plain, table
from planner.words import scenario_title

_STATES = {"nombre": "Entidad", "poblacion": "Población objetivo", "dentro_60": "A 60 min", "hospital_120": "Hospital a 120 min",
           "personas_equiv": "Personas equiv.", "puntaje": "Puntaje", "localidades_sin_servicio": "Sin servicio",
           "propuestas_numero": "Propuestas", "propuestas_costo_anual": "Costo anual (MXN)"}
_PLACES = {"nom_loc": "Localidad", "poblacion": "Población objetivo", "puntaje_brecha": "Puntaje", "personas_equiv": "Personas equiv.",
           "min_primer_nivel": "Primer nivel", "min_hospital": "Hospital", "clues_asignada": "Unidad", "otra_entidad": "En otra entidad"}
_WHOLE = dict.fromkeys(("Población objetivo", "A 60 min", "Hospital a 120 min", "Personas equiv.", "Sin servicio", "Propuestas",
                        "Costo anual (MXN)"), count) | {"Puntaje": lambda value: "sin dato" if pd.isna(value) else f"{value:.1f}"}


def show(question: Question) -> None:
    """The page under the header."""
    stored = stored_nations(compute.home())
    if not stored:
        st.info("Aún no hay una corrida nacional. Prepare cada estado con el mismo crs y la misma celda, y en una terminal escriba: "
                f"planner run --all {question.shipped.name}")
        return
    names = {scenario_title(name): name for name in stored}
    chosen = names[st.selectbox("Corrida nacional", list(names), key="corrida-nacional", bind="query-params",
                                help="La que escribió planner run con varias regiones.")]
    folder = compute.home() / "runs" / NATION / chosen
    stamp = (folder / MANIFEST).stat().st_mtime_ns
    found = _nation(folder, stamp)
    if found.indicators["sintetica"]:
        st.markdown(":orange-badge[Regiones SINTÉTICAS] Lugares, unidades y personas son inventados.")
    _figures(found)
    _map(found, folder, stamp)
    st.markdown("### Por entidad")
    told = found.states[list(_STATES)].rename(columns=_STATES)
    st.html(table(told, _WHOLE))


@st.cache_resource(max_entries=2, show_spinner=False)
def _nation(folder: Path, stamp: int) -> Nation:  # noqa: ARG001 (another stamp, another run)
    return read_nation(folder)


@st.cache_resource(max_entries=2, show_spinner=False)
def _drawn(folder: Path, stamp: int) -> dict[str, str]:
    return mapnation.prepare_nation(_nation(folder, stamp).towns)


@st.cache_data(max_entries=32, show_spinner=False)
def _places(folder: Path, stamp: int, entity: str, town: str, box: tuple[float, float, float, float] | None) -> gpd.GeoDataFrame:  # noqa: ARG001
    found = read_places(folder, entity, ["cve_mun", "nom_mun", *_PLACES], box)
    return gpd.GeoDataFrame(found[found["cve_mun"] == town]).set_crs(4326, allow_override=True)


def _figures(found: Nation) -> None:
    now, then = found.indicators["total"]["actual"], found.indicators["total"]["plan"]
    people, far = now["poblacion"], now["poblacion"] - now["hospital_120"]
    rows = [(TARGET, count(people), f"de {count(found.indicators['poblacion_total'], 'habitantes')}"),
            (NEAR, count(now["dentro_60"]), percent(now["dentro_60"], people)), (FAR, count(far), percent(far, people)),
            (EQUIVALENT, count(now["personas_equiv"]), f"con los planes: {count(then['personas_equiv'])}")]
    with st.container(key="cifras"):
        for column, (figure, value, note) in zip(st.columns(len(rows)), rows, strict=True):
            column.metric(figure.label, value, note, delta_color="off", delta_arrow="off", help=figure.help(), border=True,
                          height="stretch")
    plan = found.indicators["propuestas"]
    st.markdown(f"**{count(len(found.states) - 1)} entidades**, cada una con su presupuesto: {count(plan['numero'])} propuestas por "
                f"{money(plan['costo_anual'])} al año. Cada persona cuenta una vez; lo que está del otro lado de un límite estatal "
                "cuenta hasta donde se llega.")


@st.fragment
def _map(found: Nation, folder: Path, stamp: int) -> None:
    """A fragment: another municipality draws nothing else anew."""
    towns = found.towns
    labels = {key: f"{row['nombre']}, {row['nom_ent']}" for key, row in towns.iterrows()}
    state.keep_nation_town(labels)
    town = st.selectbox("Municipio", list(labels), index=None, format_func=lambda key: labels.get(key, key), key=state.NATION_TOWN,
                        bind="query-params", placeholder="Ninguno: elíjalo aquí o haga clic en el mapa")
    layers = _drawn(folder, stamp)
    places = None
    if town is not None:
        shape = towns.geometry[town]
        box = None if shape is None or shape.is_empty else shape.buffer(mapnation.NEAR_DEG).bounds
        places = _places(folder, stamp, str(towns.at[town, "cve_ent"]), town, box)
        layers = layers | mapnation.prepare_town(town, shape, places)
    show_folium(layers, mapnation.NAMES, state.NATION_MAP, state.take_nation_click)
    st.html(mapnation.legend_html())
    if places is not None:
        worst = places.drop(columns="geometry").sort_values("personas_equiv", ascending=False, kind="stable")[list(_PLACES)]
        st.markdown(f"### {plain(labels[str(town)])}: {count(len(worst))} localidades, las peores primero")
        told = worst.rename(columns=_PLACES)
        st.html(table(told.assign(**{name: told[name].map(minutes) for name in ("Primer nivel", "Hospital")},
                                  **{name: told[name].fillna("") for name in ("Unidad", "En otra entidad")}), _WHOLE))
    st.caption("El color es el puntaje medio de las personas del municipio. Las mismas cifras por municipio están en municipios.parquet, "
               "en la carpeta de la corrida. Lo que se pregunta a la izquierda es de las demás páginas.")
