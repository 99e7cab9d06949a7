"""Ask: which region, which scenario, and the few values that are changed most."""

from __future__ import annotations

from typing import Any

import streamlit as st

from planner.kinds import MODES
from planner.settings import Scenario
from planner.ui.compute import Prepared
from planner.ui.words import PEOPLE, SEASONS
from planner.words import KINDS
from planner.words import MODES as MODE_NAMES

_MILLION = 1e6
_EDITED = "_ajustado"


def ask(regions: list[Prepared], scenarios: dict[str, Scenario]) -> tuple[Prepared, Scenario]:
    """The region and the scenario that the reader wants, with the changes of the form."""
    with st.sidebar:
        st.markdown("### Qué se pregunta")
        region = st.selectbox("Entidad", regions, format_func=lambda r: r.name, key="region")
        name = st.selectbox("Escenario", list(scenarios), format_func=_title, key="escenario",
                            help="Cada escenario es un archivo de la carpeta scenarios; lista solo lo que cambia respecto al base.")
        shipped = scenarios[name]
        with st.form(f"cambios-{name}", border=False):
            changes = _form(shipped)
            st.form_submit_button("Calcular", type="primary", width="stretch")
        changed = {key: value for key, value in changes.items() if value != getattr(shipped, key)}
        if not changed:
            return region, shipped
        st.caption("Cambió: " + ", ".join(str(Scenario.model_fields[key].description).lower() for key in changed) + ".")
        return region, Scenario.model_validate(shipped.model_dump() | changed | {"name": shipped.name[:30] + _EDITED})


def _form(shipped: Scenario) -> dict[str, Any]:
    season = st.radio("Temporada", list(SEASONS), index=list(SEASONS).index(shipped.season), format_func=SEASONS.__getitem__,
                      horizontal=True)
    first = st.selectbox("Modo al primer nivel", MODES, index=MODES.index(shipped.mode_first_level), format_func=MODE_NAMES.__getitem__,
                         help="Cómo llega la gente a la unidad. Supuesto: a una hora de camino, como pide la OMS.")
    hospital = st.selectbox("Modo al hospital", MODES, index=MODES.index(shipped.mode_hospital), format_func=MODE_NAMES.__getitem__)
    people = st.selectbox("Población", list(PEOPLE), index=list(PEOPLE).index(shipped.people), format_func=PEOPLE.__getitem__,
                          help="A quién se planea atender: base de planeación, no requisito para recibir atención.")
    budget = st.slider("Presupuesto anual (M MXN)", 0.0, max(500.0, 2 * shipped.budget_mxn_year / _MILLION),
                       shipped.budget_mxn_year / _MILLION, 5.0, format="%.0f",
                       help="Millones de pesos: operación más inversión anualizada. Supuesto editable.")
    allow = st.pills("Intervenciones permitidas", list(KINDS), selection_mode="multi", default=list(shipped.allow),
                     format_func=KINDS.__getitem__)
    return {"season": season, "mode_first_level": first, "mode_hospital": hospital, "people": people,
            "budget_mxn_year": budget * _MILLION,
            "allow": shipped.allow if set(allow) == set(shipped.allow) else tuple(allow)}


def _title(name: str) -> str:
    return name.replace("_", " ").capitalize()
