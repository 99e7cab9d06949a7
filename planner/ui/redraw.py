"""The districts beside today's: figures, map, and municipalities moved by hand. A fragment: a move does not redraw the rest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
import streamlit as st

from planner.assumptions import Regional
from planner.decide.regional.districts import Districts
from planner.decide.regional.measures import Measures, score
from planner.outputs import mapregions
from planner.settings import Scenario
from planner.ui import compute, regiontables, state
from planner.ui.compute import Prepared
from planner.ui.mapview import HEIGHT_PX, show_folium
from planner.ui.words import count, decimal, minutes, plain, safe, table
from planner.words import BY_MODE

_LAYERS = {"redes": "Redes de referencia", "zonas": "Zonas de supervisión", "distritos_hoy": "Distritos de hoy", "sedes": "Unidades"}
_ROWS: dict[str, Callable[[Measures], str]] = {
    "Distritos": lambda m: count((m.people > 0).sum()),
    "Contiguos": lambda m: "todos" if m.contiguous.all() else f"{m.contiguous.sum()} de {len(m.contiguous)}",
    "Personas objetivo por distrito": lambda m: f"{count(m.people.min())} a {count(m.people.max())}",
    "Mayor desvío de la media": lambda m: f"{100 * m.spread:.1f} %",
    "Traslado medio al hospital": lambda m: minutes(m.minutes),
    "Personas cuyo hospital más cercano queda en otro distrito": lambda m: f"{100 * m.crossing:.1f} %",
    "Distritos sin hospital": lambda m: count((m.hospitals == 0).sum()),
    "Compacidad (0 a 1)": lambda m: decimal(m.compactness)}

_COLUMNS = {
    "nombre": "Nombre", "municipios": "Municipios", "pobtot": "Población total", "poblacion": "Personas objetivo",
    "desvio_poblacion": "Desvío de la media", "hospitales": "Hospitales", "min_hospital_medio": "Traslado medio al hospital",
    "min_hospital_p90": "Nueve de cada diez llegan en", "personas_fuera": "Lejos del hospital",
    "proporcion_cruce": "Cruzan a otro distrito",
    "compacidad": "Compacidad", "contiguo": "Contiguo"}
_FORMATS: dict[str, Callable[[Any], str]] = {
    "Población total": count, "Personas objetivo": count, "Desvío de la media": lambda v: f"{100 * v:+.1f} %",
    "Traslado medio al hospital": minutes, "Nueve de cada diez llegan en": minutes, "Lejos del hospital": count,
    "Cruzan a otro distrito": lambda v: f"{100 * v:.1f} %", "Compacidad": decimal, "Contiguo": lambda v: "sí" if v else "no"}


@st.fragment
def show_districts(prepared: Prepared, scenario: Scenario, asked: Regional, mark: str) -> None:
    """Districts drawn under `asked` with the reader's moves, kept under `mark`."""
    drawn = compute.moved(prepared, scenario, asked, ())
    moves = state.moves(mark)
    now = compute.moved(prepared, scenario, asked, moves)
    st.markdown(_answer(drawn))
    st.html(_figures(drawn, now if moves else None))
    st.caption(_about(drawn, scenario))
    st.markdown(_proof(drawn))
    for _, sentence in drawn.broken:
        st.warning(plain(sentence))
    left, right = st.columns([1.75, 1], gap="medium")
    with right, st.container(height=HEIGHT_PX + 60, border=False):
        _move(drawn, now, moves, mark)
    with left:
        _draw(prepared, scenario, asked, moves)
    _tables(prepared, scenario, now)


def _answer(found: Districts) -> str:
    """What was drawn and how it stands beside today, in one breath."""
    new, old = found.measures, found.today
    if not len(found.areas.hospital_at):
        return ("**La región no tiene hospitales públicos**: los distritos se trazan solo por población y forma. Agregue hospitales a los "
                "datos de unidades para contar minutos y cruces.")
    told = (f"En **{count(len(new.people))} distritos**, el hospital queda en media a **{minutes(new.minutes)}** y el de "
            f"**{100 * new.crossing:.1f} %** de las personas está en otro distrito")
    if old is None:
        return f"{told}. No se conoce la agrupación de hoy: agréguela a la región (`boundaries.districts`) para comparar."
    return f"{told}; con los {count(len(old.people))} de hoy son {minutes(old.minutes)} y {100 * old.crossing:.1f} %."


def _figures(drawn: Districts, moved: Districts | None) -> str:
    """HTML table: a row for each measure; today, what was drawn, what the reader's moves make of it."""
    told = {"Hoy": drawn.today, "Trazado": drawn.measures, "Con sus cambios": None if moved is None else moved.measures}
    columns = {name: found for name, found in told.items() if found is not None}
    rows = {label: [tell(found) for found in columns.values()] for label, tell in _ROWS.items()}
    if any(found.unreachable >= 0.5 for found in columns.values()):
        rows["Personas sin hospital a su alcance"] = [count(found.unreachable) for found in columns.values()]
    rows["Puntaje con estos pesos (menos es mejor)"] = [decimal(score(found, drawn.rules), 4) for found in columns.values()]
    head = "".join(f"<th scope='col'>{safe(name)}</th>" for name in ("Medida", *columns))
    body = "".join(f"<tr><th scope='row'>{safe(label)}</th>{''.join(_cells(cells, marked=moved is not None))}</tr>"
                   for label, cells in rows.items())
    return f"<table class='modos'><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cells(values: list[str], *, marked: bool) -> list[str]:
    """Cells of a row; the last in bold where the moves changed it."""
    changed = marked and values[-1] != values[-2]
    return [f"<td>{f'<b>{safe(value)}</b>' if changed and at == len(values) - 1 else safe(value)}</td>" for at, value in enumerate(values)]


def _about(found: Districts, scenario: Scenario) -> str:
    low, high = found.rules.low, found.rules.high
    shape = ("4π·superficie/perímetro²" if found.measures.compact_by == "polsby_popper"
             else "parte de los pares de vecinos que siguen juntos")
    return (f"Marca: derivado. Minutos {BY_MODE[scenario.mode_hospital]} al hospital público más cercano del distrito; si no tiene, al más "
            f"cercano de fuera. Reglas: de {count(low)} a {count(high)} personas objetivo por distrito. Compacidad: {shape}.")


def _proof(found: Districts) -> str:
    """What is proved of the drawing, in plain words."""
    end = f" Método: {plain(found.solution.method)}."
    if found.broken:
        told = found.partition.notes[:len(found.partition.notes) - len(found.broken)]  # what is proved comes before what is broken
        return f"**Qué está probado de lo trazado:** {plain(' '.join(told))}{end}"
    if found.solution.proved:
        return f"**Qué está probado de lo trazado:** con estos pesos y reglas, ninguna otra agrupación contigua tiene mejor puntaje.{end}"
    return (f"**Qué está probado de lo trazado:** cumple todas las reglas, y ninguna otra agrupación contigua que las cumpla bajaría el "
            f"puntaje más de {100 * found.solution.gap:.1f} %. Es la mejor que se halló; no está probado que sea la mejor.{end}")


def _move(drawn: Districts, now: Districts, moves: compute.Moves, mark: str) -> None:
    """The panel that moves a municipality: choose, see what breaks, take back."""
    st.markdown("### Mover un municipio")
    if len(now.table) < 2:
        st.caption("Solo hay un distrito: pida dos o más para mover municipios entre ellos.")
        _undo(moves, mark)
        return
    members = now.members
    chosen = _clicked(now)
    if chosen is not None:
        state.choose_town(chosen)
    names = {str(key): f"{name} ({key})" for key, name in members["name"].items()}
    state.keep_town(list(names))
    town = st.selectbox("Municipio", list(names), index=None, key=state.TOWN, placeholder="Nombre o clave; o clic en el mapa",
                        format_func=names.__getitem__)
    if town is not None:
        own = members.at[town, "district"]
        st.caption(f"Está en {plain(own)} {plain(now.table['name'].get(own, ''))}.")
    targets = _targets(now, town)
    state.keep_target(targets)
    st.selectbox("Pasa al distrito", targets, index=None, key=state.TARGET, placeholder="Elija un distrito", disabled=town is None,
                 format_func=lambda key: _target_name(now, town, key))
    st.button("Mover", on_click=state.move, args=(mark,), type="primary", disabled=town is None, width="stretch")
    _undo(moves, mark)
    if moves:
        st.markdown("\n".join(f"{at}. {plain(members['name'].get(key, key))} pasa a {plain(to)}." for at, (key, to) in enumerate(moves, 1)))
        _consequences(drawn, now)
    else:
        st.caption("Al mover un municipio se vuelven a contar las cifras y se dice qué regla se rompe; nada más cambia de lugar.")


def _undo(moves: compute.Moves, mark: str) -> None:
    if moves:
        with st.container(horizontal=True):
            st.button("Deshacer el último", on_click=state.undo, args=(mark,))
            st.button("Volver a lo trazado", on_click=state.undo, args=(mark, len(moves)))


def _consequences(drawn: Districts, now: Districts) -> None:
    """What the moves break, in the words of the rules, and what they do to the score."""
    for _, sentence in now.broken:
        st.warning(plain(sentence))
    if not now.broken:
        st.success("Con sus cambios se cumplen todas las reglas.")
    change = now.solution.value - drawn.solution.value
    told = "queda igual" if abs(change) < 5e-5 else f"{'empeora' if change > 0 else 'mejora'} {abs(change):.4f}"
    before, after = drawn.measures, now.measures
    st.caption(f"El puntaje {told}: {minutes(before.minutes)} → {minutes(after.minutes)} al hospital, cruces {100 * before.crossing:.1f} → "
               f"{100 * after.crossing:.1f} %, desvío {100 * before.spread:.1f} → {100 * after.spread:.1f} %.")


def _neighbours(now: Districts, town: str | None) -> set[str]:
    """Districts that the municipality borders."""
    at = now.areas.ids.get_indexer(pd.Index([town]))[0] if town is not None else -1
    edges = now.areas.edges
    near = np.unique(edges[(edges == at).any(axis=1)]) if at >= 0 else np.empty(0, int)
    return set(now.members["district"].to_numpy()[near[near != at]])


def _targets(now: Districts, town: str | None) -> list[str]:
    """The districts that it is not in, those it borders first."""
    own = now.members.at[town, "district"] if town is not None else None
    near = _neighbours(now, town)
    return sorted((str(key) for key in now.table.index if key != own), key=lambda key: (key not in near, key))


def _target_name(now: Districts, town: str | None, key: str) -> str:
    far = "" if town is None or key in _neighbours(now, town) else " (no es vecino)"
    return f"{key} {now.table['name'].get(key, '')}{far}"


def _clicked(now: Districts) -> str | None:
    """The municipality that was clicked on the map, if one was."""
    told = state.clicked()
    if told is None:
        return None
    kind, text = told
    if kind == "municipio":
        return text if text in now.members.index else None
    lat, lon = map(float, text.split(","))
    spot, = gpd.GeoSeries([shapely.Point(lon, lat)], crs=4326).to_crs(now.shapes.crs)
    around = now.shapes.index[now.shapes.intersects(spot)]
    return str(around[0]) if len(around) else None


def _draw(prepared: Prepared, scenario: Scenario, asked: Regional, moves: compute.Moves) -> None:
    fixed = compute.map_regional(prepared, scenario)
    shown = st.pills("Capas", list(_LAYERS), selection_mode="multi", default=["distritos_hoy"], format_func=_LAYERS.__getitem__,
                     label_visibility="collapsed")
    layers = {name: fixed[name] for name in ("hospitales", *shown)} | compute.map_districts(prepared, scenario, asked, moves)
    show_folium({"base": compute.map_base(prepared), **layers}, mapregions.NAMES, state.REGION_MAP, state.take_point)
    st.html(mapregions.legend_html())


def _tables(prepared: Prepared, scenario: Scenario, now: Districts) -> None:
    """The districts as a table, and the files that the moves change."""
    named = regiontables.of_districts(now)[list(_COLUMNS)].rename(columns=_COLUMNS).rename_axis("Distrito").reset_index()
    st.html(table(named, _FORMATS, 640))
    made_up = "SINTETICA_" if compute.region_of(prepared).synthetic else ""
    with st.container(horizontal=True):
        for label, name in (("Distritos (CSV)", "distritos.csv"), ("Distrito de cada municipio (CSV)", "distritos_municipios.csv")):
            st.download_button(label, regiontables.district_file(now, name), key=f"bajar-{name}", on_click="ignore",
                               file_name=f"{prepared.slug}_{scenario.name}_{made_up}{name}")
