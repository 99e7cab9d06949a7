"""An optional password, from Streamlit's own secrets: `password = "…"` in .streamlit/secrets.toml."""

from __future__ import annotations

import hmac

import streamlit as st
from streamlit.errors import StreamlitSecretNotFoundError

from planner.ui import state


def entered() -> bool:
    """Whether the reader may go on: no password is asked, or it was given in this session; otherwise it is asked."""
    wanted = _wanted()
    if wanted is None or state.is_entered():
        return True
    st.markdown("## Planificador de cobertura")
    with st.form("entrada"):
        given = st.text_input("Contraseña", type="password", max_chars=200)
        if st.form_submit_button("Entrar", type="primary"):
            if hmac.compare_digest(given.encode(), wanted.encode()):
                state.enter()
                st.rerun()
            st.error("La contraseña no es esa.")
    return False


def _wanted() -> str | None:
    try:
        found = st.secrets.get("password")
    except StreamlitSecretNotFoundError:  # nobody set any
        return None
    return str(found) if found else None
