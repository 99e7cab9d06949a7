"""What the reader chose on the page; the only place that touches `st.session_state`."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from planner.corrections import Correction

MAP = "mapa"
SEARCH, WORDS = "elegida", "buscar"
REGION, SCENARIO = "region", "escenario"
REGION_MAP = "mapa-regional"
TOWN = "municipio-que-cambia"
TARGET = "distrito-al-que-pasa"
NATION_MAP, NATION_TOWN = "mapa-nacional", "municipio-del-pais"
ASKED = "regional-"  # begins the key of each widget that asks for districts
FILTER = "filtro-"  # and of each that filters the map
TABLE = "tabla-brechas"
_DRAWN = "trazado"
_MOVES = "movidos"
_POINT = "punto"
_HELD = "capas-en-la-pagina"
_SETTINGS = "supuestos-cambiados"
_RULES = "sitios-con-regla"
_UNITS = "unidades-corregidas"
_STARTED = "calculos-pedidos"
_ENTERED = "contrasena-dada"
_PAGE = "pagina-abierta"
_KEPT, _GIVEN = "de-pagina-en-pagina", "ya-dadas"
_CHANGES_MAX = 200


@dataclass(frozen=True)
class Chosen:
    """A place on the map: `kind` is localidad, unidad or propuesta."""

    kind: str
    id: str


def chosen() -> Chosen | None:
    """What is chosen now, by search, by click or by a row of a table."""
    text = st.session_state.get(SEARCH)
    return Chosen(*text.split("/", 1)) if text else None


def as_option(kind: str, place_id: str) -> str:
    """The search box's value for a place."""
    return f"{kind}/{place_id}"


def choose(kind: str, place_id: str) -> None:
    """Make a place the chosen one, before the search box is drawn."""
    _give_kept(SEARCH, as_option(kind, place_id))


def take_click() -> None:
    """Callback of a map: what was clicked becomes what is chosen; layers that the page lost are sent again."""
    click = st.session_state.get(MAP) or {}
    _take_lost(click)
    if "kind" in click and "id" in click:
        choose(str(click["kind"]), str(click["id"]))


def take_row(ids: Sequence[str]) -> None:
    """Callback of the table of localities: the selected row becomes what is chosen."""
    rows = (st.session_state.get(TABLE) or {}).get("selection", {}).get("rows", [])
    if rows and rows[0] < len(ids):
        choose("localidad", ids[rows[0]])


def mark_row(row: int | None) -> None:
    """Select a row of the table of localities, before it is drawn."""
    rows = [] if row is None else [row]
    if list((st.session_state.get(TABLE) or {}).get("selection", {}).get("rows", [])) != rows:
        st.session_state[TABLE] = {"selection": {"rows": rows}}


def choose_first(options: Sequence[str]) -> None:
    """Callback of the search: its best match becomes what is chosen."""
    if options:
        _give_kept(SEARCH, options[0])


def asked_option(places: Mapping[str, str]) -> str | None:
    """What is chosen, or what the address of the page asks for by its label, if it is one of the places."""
    if st.session_state.get(SEARCH):
        return str(st.session_state[SEARCH])
    label = st.query_params.get(SEARCH)
    return next((option for option, name in places.items() if name == label), None) if label else None


def keep_only(options: Collection[str]) -> None:
    """Forget a choice that the present region or plan does not hold."""
    if st.session_state.get(SEARCH) is not None and st.session_state[SEARCH] not in options:
        _give_kept(SEARCH, None)


def keep_values(key: str, options: Sequence[str]) -> str:
    """The key of a widget that holds several values, restored, without those that it no longer offers."""
    restored(key)
    if any(value not in options for value in st.session_state.get(key, ())):
        st.session_state[key] = [value for value in st.session_state[key] if value in options]
    return key


def enter() -> None:
    """The reader gave the password."""
    st.session_state[_ENTERED] = True


def is_entered() -> bool:
    """Whether the reader gave the password in this session."""
    return bool(st.session_state.get(_ENTERED))


def keep(*keys: str) -> None:
    """What these widgets hold is to be found again, see `restored`; also a callback."""
    st.session_state[_KEPT] = {**st.session_state.get(_KEPT, {}), **{key: st.session_state.get(key) for key in keys}}


def turn_to(page: str) -> None:
    """The page that is drawn now: each page's widgets are its own, and are given once what was kept."""
    if st.session_state.get(_PAGE) != page:
        st.session_state[_PAGE], st.session_state[_GIVEN] = page, set()


def restored(key: str) -> str:
    """The widget's key, after giving it what was kept of it: Streamlit forgets a widget that another page or some run does not draw.

    Only then: a widget that is given its value in every run loses what the reader picks meanwhile.
    """
    kept, given = st.session_state.get(_KEPT, {}), st.session_state.setdefault(_GIVEN, set())
    if key in kept and (key not in st.session_state or key not in given):
        st.session_state[key] = kept[key]
    given.add(key)
    return key


def _give_kept(key: str, value: Any) -> None:
    st.session_state[key] = value
    keep(key)


def start_with(key: str, value: Any) -> str:
    """The widget's key, after giving it what was kept of it, or else this value if it has none."""
    st.session_state.setdefault(restored(key), value)
    return key


def give(values: Mapping[str, Any]) -> None:
    """Give widgets their values, before they are drawn or in a callback."""
    for key, value in values.items():
        st.session_state[key] = value


def value_of(key: str) -> Any:
    """What a widget holds; None where it was not drawn yet."""
    return st.session_state.get(key)


# Layers that the page holds: each is sent once, then only named.

def unsent(layers: Mapping[str, str], bare: Mapping[str, str]) -> dict[str, str]:
    """The layers with `bare` in place of those that the page holds; `bare` is what only names each one."""
    held = st.session_state.setdefault(_HELD, set())
    told = {name: bare[name] if bare[name] in held else layer for name, layer in layers.items()}
    held.update(bare.values())
    return told


def take_lost(key: str) -> None:
    """Callback of a map that tells nothing else: layers that the page lost are sent again."""
    _take_lost(st.session_state.get(key) or {})


def _take_lost(click: Mapping[str, Any]) -> None:
    lost = [key for key in click.get("lost", ()) if isinstance(key, str)]
    if lost:
        held = st.session_state.get(_HELD, set())
        st.session_state[_HELD] = {bare for bare in held if not any(key in bare for key in lost)}


# What the reader changes, each with its undo.

def settings() -> dict[str, Any]:
    """Settings that the reader changed, by dotted key."""
    return dict(st.session_state.get(_SETTINGS, {}))


def set_settings(values: Mapping[str, Any]) -> None:
    """Keep what the reader set in place of what the scenario says; nothing at all: as the scenario says."""
    st.session_state[_SETTINGS] = dict(values)


def rules() -> dict[str, str]:
    """`require` or `forbid` by what it is said of: an option or a place."""
    return dict(st.session_state.get(_RULES, {}))


def set_rule(place: str, rule: str | None) -> None:
    """Callback: require or forbid a place; None: leave it to the plan."""
    kept = {key: value for key, value in rules().items() if key != place}
    st.session_state[_RULES] = kept | ({place: rule} if rule else {})


def clear_rules() -> None:
    """Callback: leave every place to the plan."""
    st.session_state[_RULES] = {}


def corrections(region: str) -> tuple[Correction, ...]:
    """The reader's corrections to the units of a region, in order."""
    return tuple(st.session_state.get(_UNITS, {}).get(region, ()))


def correct(region: str, made: Sequence[Correction]) -> None:
    """Add corrections to those of a region."""
    now = (*corrections(region), *made)[-_CHANGES_MAX:]
    st.session_state[_UNITS] = {**st.session_state.get(_UNITS, {}), region: now}


def undo_corrections(region: str, count: int) -> None:
    """Callback: take back the last corrections of a region."""
    st.session_state[_UNITS] = {**st.session_state.get(_UNITS, {}), region: corrections(region)[:-count]}


def start(mark: str) -> None:
    """Callback: the reader asked for work that is only done on request; `mark` stands for what it is about."""
    st.session_state[_STARTED] = {*st.session_state.get(_STARTED, set()), mark}


def started(mark: str) -> bool:
    """Whether that work was asked for."""
    return mark in st.session_state.get(_STARTED, set())


# The districts.

def ask_regions(mark: str) -> None:
    """Callback of the form: districts are wanted of what `mark` stands for."""
    st.session_state[_DRAWN] = mark
    keep(*(str(key) for key in st.session_state if str(key).startswith(ASKED)))


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
    _take_lost(click)
    if click.get("kind") in ("punto", "municipio"):
        st.session_state[_POINT] = (click["kind"], str(click["id"]))


def clicked() -> tuple[str, str] | None:
    """What was clicked since this was last asked: `punto` with "lat,lon", or `municipio` with its key."""
    found: tuple[str, str] | None = st.session_state.pop(_POINT, None)
    return found


def take_nation_click() -> None:
    """Callback of the map of the country: the municipality that was clicked becomes the chosen one."""
    click = st.session_state.get(NATION_MAP) or {}
    _take_lost(click)
    if click.get("kind") == "municipio":
        st.session_state[NATION_TOWN] = str(click["id"])


def keep_nation_town(options: Collection[str]) -> None:
    """Forget a municipality that the present country does not hold."""
    if st.session_state.get(NATION_TOWN) not in (None, *options):
        st.session_state[NATION_TOWN] = None


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
