"""The first minutes: no region is prepared yet."""

from __future__ import annotations

import streamlit as st

from planner.ui import compute, state
from planner.ui.preparing import show_preparing
from planner.ui.work import ready
from planner.words import DISCLAIMER

_DEMO = "region-de-demostracion"


def show() -> None:
    """Two ways to begin, each a button."""
    st.markdown("## Planificador de cobertura")
    st.markdown("Dice quién carece de atención y por qué, qué se puede hacer con un presupuesto, por dónde van las rutas y cómo se agrupan "
                "los municipios. Para empezar hace falta una región.")
    st.markdown("### Con datos inventados, en un minuto")
    if not state.started(_DEMO):
        st.caption("Una región SINTÉTICA, con los mismos formatos que los archivos oficiales.")
        st.button("Crear la región de demostración", on_click=state.start, args=(_DEMO,), type="primary")
    elif ready(compute.demo_region()):
        st.rerun()
    st.markdown("### Con archivos oficiales")
    show_preparing()
    st.caption("También con órdenes: `planner demo`, `planner fetch ENTIDAD` y `planner prepare REGION.toml`. " + DISCLAIMER)
