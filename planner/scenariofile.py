"""Scenario files as text: every setting with what it means, its unit, its range, its mark and its source where it stands."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import date
from types import NoneType
from typing import Any, Literal, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic.fields import FieldInfo

from planner.assumptions import NO_CAP, Frozen
from planner.settings import Scenario

_WHOLE = """# Escenario {name}: todos los valores que el planificador supone. Otro escenario lista solo lo que cambia.
"""
_DIFFERING = """# Escenario {name}: solo lo que cambia respecto al escenario {base}. Diga aquí qué pregunta y con qué se compara.
"""
_OPENING = """# Cada uno dice qué es [unidad; valores que admite], su marca y su fuente.
# Marca: dato (de una fuente), derivado (calculado de datos), supuesto (del planificador; cámbielo con confianza).
"""
_SIGNS = {Ge: "desde {0.ge:g}", Gt: "más de {0.gt:g}", Le: "hasta {0.le:g}", Lt: "menos de {0.lt:g}"}


def scenario_text(scenario: Scenario, base: Scenario | None = None) -> str:
    """The scenario as a documented TOML file: whole, or only what differs from `base`.

    Either reads back as the same scenario, the latter where `base` is the base scenario, over which files are read.
    """
    first = (_WHOLE.format(name=scenario.name) if base is None else _DIFFERING.format(name=scenario.name, base=base.name)) + _OPENING
    blocks = ["\n".join(_documented(key, value, info)) for key, value, info in _told(scenario, base) if not isinstance(value, Frozen)]
    for key, section, info in _told(scenario, base):
        if isinstance(section, Frozen):
            parts = _told(section, None if base is None else getattr(base, key))
            lines = [line for name, value, part in parts for line in _documented(name, value, part)]
            blocks.append("\n".join([f"# {info.description}.", f"[{key}]", *lines]))
    return "\n\n".join([first.rstrip(), *blocks]) + "\n"


def _told(values: Frozen, base: Frozen | None) -> Iterator[tuple[str, Any, FieldInfo]]:
    """The values to write, those that differ where there is something to differ from; the name always."""
    for key, info in type(values).model_fields.items():
        value = getattr(values, key)
        if base is None or key == "name" or value != getattr(base, key):
            yield key, value, info


def admitted(info: FieldInfo) -> str:
    """The values that a setting admits, in words.

    >>> [admitted(Scenario.model_fields[key]) for key in ("utilisation", "season", "closures")]
    ['más de 0, hasta 1', 'secas o lluvias', 'lista de textos']
    >>> from planner.assumptions import Regional
    >>> [admitted(Regional.model_fields[key]) for key in ("districts", "hospital_people_max")]
    ['desde 0, hasta 200, o libre', 'más de 0, o "sin tope"']
    """
    if info.annotation is str:
        return "minúsculas sin acento, cifras y _; a lo más 40"
    optional = NoneType in get_args(info.annotation)
    told = [*_kinds(info.annotation), *_bounds(info.metadata)]
    return ", ".join([*(["puede faltar"] if optional and info.default is None else []), *told,
                      *([f'o "{NO_CAP}"'] if optional and info.default is not None else [])])


def _bounds(rules: Iterable[Any]) -> list[str]:
    """The limits in words."""
    return [_SIGNS[type(rule)].format(rule) for rule in rules if type(rule) in _SIGNS]


def _documented(key: str, value: Any, info: FieldInfo) -> Iterator[str]:
    extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
    unit_range = "; ".join(part for part in (str(extra.get("unit", "")), admitted(info)) if part)
    marked = f" {extra['mark']}: {extra['source']}" if extra else ""
    yield f"# {info.description}{f' [{unit_range}]' if unit_range else ''}.{marked}"
    if value is None:
        yield f"# {key} =" if info.default is None else f'{key} = "{NO_CAP}"'
    else:
        yield f"{key} = {_literal(value)}"


def _kinds(annotation: Any) -> Iterator[str]:
    """What kind of value it is, where a limit does not say it."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        yield " o ".join(map(str, parts))
    elif annotation is bool:
        yield "true o false"
    elif annotation is date:
        yield "AAAA-MM-DD, un lunes"
    elif origin is tuple and get_origin(parts[0]) is Literal:
        yield f"lista de {' o '.join(map(str, get_args(parts[0])))}"
    elif origin is tuple and len(parts) > 2:
        yield ", ".join([f"{len(parts)} números", *_bounds(_rules(parts[0]))])
    elif origin is tuple:
        yield "lista de textos"
    elif len(parts) == 2 and NoneType not in parts:  # a number or a word
        yield ", ".join([*_bounds(_rules(parts[0])), f"o {' o '.join(map(str, get_args(parts[1])))}"])


def _rules(annotation: Any) -> list[Any]:
    """The rules of a number that brings its own."""
    return [rule for found in get_args(annotation)[1:] for rule in found.metadata]


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
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")  # TOML refuses it bare
