"""Every assumption of a scenario in one table that the reader may change, and put back as the scenario says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd
import streamlit as st
from pydantic.fields import FieldInfo

from planner.assumptions import NO_CAP, Frozen
from planner.errors import SettingsError
from planner.scenariofile import admitted
from planner.settings import Scenario, validated
from planner.ui import state
from planner.ui.words import count, plain

_VALUE = "Valor"
_ELSEWHERE = ("name", "require", "forbid")  # asked in other places of the page
_YES = {"sí": True, "si": True, "no": False}


def with_settings(scenario: Scenario, changed: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a scenario with those that the reader changed, by dotted key.

    >>> with_settings(Scenario(), {"need.alto": 0.9})["need"]["alto"]
    0.9
    """
    values = scenario.model_dump()
    for key, value in changed.items():
        *sections, name = key.split(".")
        block = values
        for section in sections:
            block = block[section]
        block[name] = value
    return values


def show_assumptions(scenario: Scenario, shipped: Scenario) -> None:
    """The table of all settings; what is changed there is asked at once, refused in a sentence where it cannot be."""
    st.caption("Cambie la columna Valor; lo que cambie se usa en todas las páginas. Marca: dato (de una fuente), derivado (calculado de "
               "datos), supuesto (del planificador).")
    rows = list(_leaves(scenario, ""))
    table = pd.DataFrame([(key, info.description, written(value), _extra(info, "unit"), admitted(info), _extra(info, "mark"),
                           _extra(info, "source").replace("planner", "propuesta propia")) for key, value, info in rows],
                         columns=["Clave", "Qué", _VALUE, "Unidad", "Admite", "Marca", "Fuente"])
    key = f"supuestos-{hash(scenario)}"  # another scenario, another table
    edited = st.data_editor(table, key=key, hide_index=True, height=460, width="stretch", num_rows="fixed",
                            disabled=[str(name) for name in table if name != _VALUE])
    changed = {name: read(text, value) for (name, value, _), old, text in zip(rows, table[_VALUE], edited[_VALUE], strict=True)
               if text != old}
    if changed:
        _take(changed, scenario)
    mine = state.settings()
    if mine:
        st.markdown(f"**Cambió {count(len(mine))}:** " + "; ".join(
            f"{plain(info.description)}: {plain(written(_at(shipped, name)))} → {plain(written(value))}"
            for name, value, info in _leaves(scenario, "") if name in mine) + ".")
        st.button("Restablecer todos los supuestos", on_click=state.set_settings, args=({},))


def _take(changed: Mapping[str, Any], scenario: Scenario) -> None:
    try:
        validated(Scenario, with_settings(scenario, changed), "supuestos")
    except SettingsError as fault:
        st.error(plain(fault))
        return
    state.set_settings(state.settings() | dict(changed))
    st.rerun()


def written(value: Any) -> str:
    """A value as the reader types it.

    >>> written(0.67), written(True), written(None), written(("umr", "umm")), written((1.0, 0.9))
    ('0.67', 'sí', 'sin tope', 'umr, umm', '1, 0.9')
    """
    if isinstance(value, bool):
        return "sí" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(map(written, value))
    if isinstance(value, float):
        return f"{value:.12g}"
    return NO_CAP if value is None else str(value)


def read(text: Any, like: Any) -> Any:
    """What was typed, as a value like the one that stood there; text that is none stays text, to be refused in words.

    >>> read("0.7", 0.67), read("sí", False), read("umr, umm", ()), read("sin tope", None), read("muchos", 3), read("12", "libre")
    (0.7, True, ('umr', 'umm'), None, 'muchos', 12)
    """
    told = "" if text is None else str(text).strip()
    if isinstance(like, bool):
        return _YES.get(told.lower(), told)
    if isinstance(like, tuple):
        return tuple(_number(part.strip()) for part in told.split(",") if part.strip())
    if told in ("", NO_CAP) and (like is None or isinstance(like, (int, float))):
        return None
    number = _number(told)
    return number if not isinstance(like, str) or told.isdigit() else told


def _number(told: str) -> Any:
    try:
        return int(told) if told.lstrip("+-").isdigit() else float(told)
    except ValueError:
        return told


def _leaves(values: Frozen, prefix: str) -> Iterator[tuple[str, Any, FieldInfo]]:
    for name, info in type(values).model_fields.items():
        value = getattr(values, name)
        if isinstance(value, Frozen):
            yield from _leaves(value, f"{prefix}{name}.")
        elif name not in _ELSEWHERE:
            yield f"{prefix}{name}", value, info


def _at(scenario: Scenario, key: str) -> Any:
    value: Any = scenario
    for name in key.split("."):
        value = getattr(value, name)
    return value


def _extra(info: FieldInfo, name: str) -> str:
    return str(info.json_schema_extra.get(name, "")) if isinstance(info.json_schema_extra, dict) else ""
