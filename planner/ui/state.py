"""What the reader chose on the page; the only place that touches `st.session_state`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

MAP = "mapa"
SEARCH = "elegida"
VIEW = "vista"
REGION_MAP = "mapa-regional"
TOWN = "municipio-que-cambia"
TARGET = "distrito-al-que-pasa"
ASKED = "regional-"  # begins the key of each widget that asks for districts
_DRAWN = "trazado"
_MOVES = "movidos"
_POINT = "punto"


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


def hold() -> None:
    """Keep what was asked while the other view, which does not show it, is on the page."""
    for key in [key for key in st.session_state if str(key).startswith(ASKED) or key == SEARCH]:
        st.session_state[key] = st.session_state[key]


def start_with(key: str, value: float) -> str:
    """The widget's key, after giving it this value if it has none."""
    st.session_state.setdefault(key, value)
    return key


def ask_regions(mark: str) -> None:
    """Callback of the form: districts are wanted of what `mark` stands for."""
    st.session_state[_DRAWN] = mark


def regions_asked(mark: str) -> bool:
    """Whether districts of just that were wanted."""
    return bool(st.session_state.get(_DRAWN) == mark)


def moves(mark: str) -> tuple[tuple[str, str], ...]:
    """Municipalities moved by hand in the districts that `mark` stands for, and where to, in order."""
    of, made = st.session_state.get(_MOVES, ("", ()))
    return tuple(made) if of == mark else ()


def move(mark: str) -> None:
    """Callback: the chosen municipality goes to the chosen district."""
    town, target = st.session_state.get(TOWN), st.session_state.get(TARGET)
    if town and target:
        st.session_state[_MOVES] = (mark, (*moves(mark), (town, target)))


def undo(mark: str, count: int = 1) -> None:
    """Callback: take back the last moves."""
    st.session_state[_MOVES] = (mark, moves(mark)[:-count])


def take_point() -> None:
    """Callback of the map of districts: keep where it was clicked."""
    click = st.session_state.get(REGION_MAP) or {}
    if click.get("kind") in ("punto", "municipio"):
        st.session_state[_POINT] = (click["kind"], str(click["id"]))


def clicked() -> tuple[str, str] | None:
    """What was clicked since this was last asked: `punto` with "lat,lon", or `municipio` with its key."""
    found: tuple[str, str] | None = st.session_state.pop(_POINT, None)
    return found


def choose_town(key: str) -> None:
    """The municipality that is to be moved."""
    st.session_state[TOWN] = key


def keep_town(options: Sequence[str]) -> None:
    """Forget a municipality that the present region does not hold."""
    if st.session_state.get(TOWN) not in (None, *options):
        st.session_state[TOWN] = None


def keep_target(options: Sequence[str]) -> None:
    """Forget a district that the chosen municipality cannot go to."""
    if st.session_state.get(TARGET) not in (None, *options):
        st.session_state[TARGET] = None
