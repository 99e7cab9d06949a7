"""Correct or add units for this session: validated, told in every file, and taken back one by one."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pandas as pd
import streamlit as st

from planner.corrections import NUCLEI_MAX, Correction, corrected
from planner.errors import DataError
from planner.model import Region
from planner.outputs.exporting import csv_bytes
from planner.sources.clues import ROLES
from planner.ui import compute, state
from planner.ui.compute import Prepared
from planner.ui.words import plain, table
from planner.words import CLASSES

_NEW = "Unidad nueva…"
_BLANK: dict[Any, Any] = {"name": "", "unit_class": "UMR", "nuclei": 1, "lat": None, "lon": None}


def show_corrections(prepared: Prepared, region: Region) -> None:
    """The form, what was corrected, and undo."""
    st.caption("Sus correcciones valen solo en esta sesión y en los archivos que baje, que lo dicen; el catálogo no cambia. Pida la "
               "corrección a quien lo publica.")
    names = {_NEW: _NEW} | {str(key): f"{row['name']} · {key}" for key, row in region.units.iterrows()}
    clues = st.selectbox("Unidad", list(names), format_func=lambda key: names.get(key, key), key="unidad-que-corrige")
    made = _form(region, clues)
    if made == Correction(clues):
        st.info("No hay nada que aplicar: la unidad ya está así.")
    elif made is not None:
        try:
            corrected(compute.published(prepared.folder, prepared.mark), [*state.corrections(prepared.slug), made])
        except DataError as fault:
            st.error(plain(fault))
        else:
            state.correct(prepared.slug, [made])
            st.rerun()
    _made(prepared)


def _form(region: Region, clues: str) -> Correction | None:
    """What the reader says of a unit, when it is sent."""
    new = clues == _NEW
    row = _BLANK if new else region.units.loc[clues].to_dict()
    classes = list(dict.fromkeys([str(row["unit_class"]), *ROLES]))
    with st.form(f"corrige-{clues}"):
        first, second, third = st.columns(3)
        key = first.text_input("CLUES", "" if new else clues, disabled=not new, max_chars=16)
        name = second.text_input("Nombre", str(row["name"]), max_chars=120)
        kind = third.selectbox("Tipo", classes, index=0,
                               format_func=lambda one: CLASSES.get(one, one), help="Decide qué hace en la red.")
        first, second, third = st.columns(3)
        nuclei = first.number_input("Núcleos básicos", 0, NUCLEI_MAX, int(row["nuclei"]), step=1)
        lat = second.number_input("Latitud", -90.0, 90.0, row["lat"], format="%.6f")
        lon = third.number_input("Longitud", -180.0, 180.0, row["lon"], format="%.6f")
        if not st.form_submit_button("Aplicar", type="primary"):
            return None
    if new:
        return Correction(key.strip().upper(), name, kind, int(nuclei), lat, lon)
    moved = lat != row["lat"] or lon != row["lon"]
    return Correction(clues, name if name != row["name"] else None, kind if kind != row["unit_class"] else None,
                      int(nuclei) if nuclei != row["nuclei"] else None, lat if moved else None, lon if moved else None)


def _made(prepared: Prepared) -> None:
    mine = state.corrections(prepared.slug)
    if not mine:
        return
    st.markdown(f"### Sus correcciones ({len(mine)})")
    told = pd.DataFrame([asdict(one) for one in mine]).rename(columns={
        "clues": "CLUES", "name": "Nombre", "unit_class": "Tipo", "nuclei": "Núcleos", "lat": "Latitud", "lon": "Longitud"})
    st.html(table(told.astype(object).where(told.notna(), "como se publica")))
    with st.container(horizontal=True):
        st.button("Deshacer la última", on_click=state.undo_corrections, args=(prepared.slug, 1))
        st.button("Volver a lo publicado", on_click=state.undo_corrections, args=(prepared.slug, len(mine)))
        st.download_button("Bajar las correcciones (CSV)", csv_bytes(told), f"{prepared.slug}_correcciones.csv", on_click="ignore")
