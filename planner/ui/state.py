"""What the reader chose on the page; the only place that touches `st.session_state`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

MAP = "mapa"
SEARCH = "elegida"


@dataclass(frozen=True)
class Chosen:
    """A place on the map: `kind` is localidad, unidad or propuesta."""

    kind: str
    id: str


def chosen() -> Chosen | None:
    """What is chosen now, by search or by click."""
    text = st.session_state.get(SEARCH)
    return Chosen(*text.split("/", 1)) if text else None


def as_option(kind: str, place_id: str) -> str:
    """The search box's value for a place."""
    return f"{kind}/{place_id}"


def take_click() -> None:
    """Callback of the map: what was clicked becomes what is chosen."""
    click = st.session_state.get(MAP) or {}
    if "kind" in click and "id" in click:
        st.session_state[SEARCH] = as_option(click["kind"], click["id"])


def keep_only(options: Sequence[str]) -> None:
    """Forget a choice that the present region or plan does not hold."""
    if st.session_state.get(SEARCH) not in (None, *options):
        st.session_state[SEARCH] = None
