"""Scenario files as text: every setting with what it means, its unit, its range, its mark and its source where it stands."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from types import NoneType
from typing import Any, Literal, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic.fields import FieldInfo

from planner.assumptions import Frozen
from planner.settings import Scenario

_OPENING = """# Escenario base: todos los valores que el planificador supone. Otro escenario lista solo lo que cambia.
# Cada uno dice qué es [unidad; valores que admite], su marca y su fuente.
# Marca: dato (de una fuente), derivado (calculado de datos), supuesto (del planificador; cámbielo con confianza).
"""
_SIGNS = {Ge: "desde {ge:g}", Gt: "más de {gt:g}", Le: "hasta {le:g}", Lt: "menos de {lt:g}"}


def scenario_text(scenario: Scenario) -> str:
    """The whole scenario as a documented TOML file that reads back as the same scenario."""
    plain = [(key, info) for key, info in Scenario.model_fields.items() if not isinstance(getattr(scenario, key), Frozen) and key != "name"]
    lines = [_OPENING, f"name = {_literal(scenario.name)}", ""]
    lines += [line for key, info in plain for line in (*_documented(key, getattr(scenario, key), info), "")]
    for key, info in Scenario.model_fields.items():
        section = getattr(scenario, key)
        if isinstance(section, Frozen):
            lines += [f"# {info.description}.", f"[{key}]"]
            lines += [line for name, part in type(section).model_fields.items() for line in _documented(name, getattr(section, name), part)]
            lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def admitted(info: FieldInfo) -> str:
    """The values that a setting admits, in words.

    >>> [admitted(Scenario.model_fields[key]) for key in ("utilisation", "season", "closures")]
    ['más de 0, hasta 1', 'secas o lluvias', 'lista de textos']
    """
    bounds = [_SIGNS[type(rule)].format(**vars_of(rule)) for rule in info.metadata if type(rule) in _SIGNS]
    return ", ".join([*_kinds(info.annotation), *bounds])


def vars_of(rule: Any) -> dict[str, Any]:
    """The limit of a rule by its name."""
    return {name: getattr(rule, name) for name in ("ge", "gt", "le", "lt") if hasattr(rule, name)}


def _documented(key: str, value: Any, info: FieldInfo) -> Iterator[str]:
    extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
    unit_range = "; ".join(part for part in (str(extra.get("unit", "")), admitted(info)) if part)
    yield f"# {info.description}{f' [{unit_range}]' if unit_range else ''}. {extra.get('mark')}: {extra.get('source')}"
    yield f"# {key} =" if value is None else f"{key} = {_literal(value)}"


def _kinds(annotation: Any) -> Iterator[str]:
    """What kind of value it is, where a limit does not say it."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        yield " o ".join(map(str, parts))
    elif annotation is bool:
        yield "true o false"
    elif annotation is date:
        yield "AAAA-MM-DD, un lunes"
    elif origin is tuple:
        inner = parts[0]
        yield f"lista de {' o '.join(map(str, get_args(inner)))}" if get_origin(inner) is Literal else (
            f"{len(parts)} números" if len(parts) > 2 else "lista de textos")
    elif NoneType in parts:
        yield "puede faltar"
    elif parts:
        for part in parts:
            inner, *rules = get_args(part) if hasattr(part, "__metadata__") else (part,)
            yield from (_kinds(inner) if get_origin(inner) is Literal else [", ".join(
                _SIGNS[type(rule)].format(**vars_of(rule)) for found in rules for rule in found.metadata)])


def _literal(value: Any) -> str:
    """A value as TOML."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple):
        return f"[{', '.join(map(_literal, value))}]"
    if isinstance(value, float) and value.is_integer() and abs(value) >= 1e4:
        return f"{int(value):_}"
    return json.dumps(value, ensure_ascii=False)
