"""What is wrong with the values of a file, in words: every fault at once, with the nearest name that there is."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, ValidationError

_WORDS = {  # pydantic's kinds of fault
    "greater_than_equal": "debe ser al menos {ge:g}", "greater_than": "debe ser mayor que {gt:g}",
    "less_than_equal": "debe ser a lo más {le:g}", "less_than": "debe ser menor que {lt:g}", "literal_error": "debe ser uno de {expected}",
    "float_type": "debe ser un número", "float_parsing": "debe ser un número", "finite_number": "debe ser un número finito",
    "int_type": "debe ser un número entero", "int_parsing": "debe ser un número entero", "int_from_float": "debe ser un número entero",
    "int_parsing_size": "es demasiado grande", "bool_type": "debe ser true o false", "bool_parsing": "debe ser true o false",
    "string_type": "debe ser texto entre comillas", "string_too_short": "no puede estar vacío", "string_too_long": "es demasiado largo",
    "string_pattern_mismatch": "solo admite la forma {pattern}", "tuple_type": "debe ser una lista",
    "too_short": "necesita al menos un elemento", "too_long": "debe tener a lo más {max_length} elementos",
    "dict_type": "debe ser una sección con claves", "model_type": "debe ser una sección con claves",
    **dict.fromkeys(("date_type", "date_parsing", "date_from_datetime_parsing", "date_from_datetime_inexact"),
                    "debe ser una fecha como 2026-01-05, sin comillas ni hora"),
}
_KINDS = ("str", "int", "float")  # by which a union tells its faults apart, beside kinds that no key is written like
_NAME = "solo admite minúsculas sin acento, cifras y _, y a lo más 40"


def refusal(kind: type[BaseModel], fault: ValidationError) -> str:
    """Every fault in one sentence; what one value might have been instead (a number, a word) is told together."""
    told: dict[str, list[str]] = {}
    for error in fault.errors():
        subject, words = _in_words(kind, error)
        told.setdefault(subject, []).extend([words] if words else [])
    return "; ".join(subject + ", o ".join(words) for subject, words in told.items())


def _in_words(kind: type[BaseModel], error: Any) -> tuple[str, str]:
    """Which value or key is refused, and what it should be."""
    if error["type"] == "extra_forbidden":
        key = ".".join(map(str, error["loc"]))
        near = _nearest_key(kind, key)
        return f"la clave «{key}» no existe" + (f" (¿quiso decir «{near}»?)" if near else ""), ""
    key = ".".join(str(part) for part in error["loc"] if isinstance(part, int) or (part.isidentifier() and part not in _KINDS))
    if error["type"] == "missing":
        head, _, last = key.rpartition(".")
        return (f"a la lista «{head}» le faltan elementos" if last.isdigit() else f"falta la clave «{key}»"), ""
    words = _WORDS.get(error["type"])
    told = words.format(**error.get("ctx", {})) if words else str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "literal_error":
        near = nearest(str(error["input"]), re.findall(r"'([^']*)'", error["ctx"]["expected"]))
        told += f" (¿quiso decir «{near}»?)" if near else ""
    if error["type"] == "string_pattern_mismatch" and key == "name":
        told = _NAME
    return (f"«{key}» = {_written(error['input'])} no se admite: ", told.replace(" or ", " o ")) if key else (told, "")


def _written(value: Any) -> str:
    """A value as the file has it, cut where it is long."""
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    return text if len(text) <= 80 else f"{text[:80]}…"


def nearest(asked: str, there: list[str]) -> str | None:
    """The name that was probably meant, whatever its case.

    >>> nearest("hgimb000012", ["HGIMB000011", "HGSSA000016"]), nearest("zzz", ["secas"])
    ('HGIMB000011', None)
    """
    by_case = {name.lower(): name for name in reversed(there)}
    found = difflib.get_close_matches(asked.lower(), list(by_case), n=1)
    return by_case[found[0]] if found else None


def _nearest_key(kind: type[BaseModel], key: str) -> str | None:
    """The key that was probably meant: the same one in its own section, else the most alike of this section, else of any."""
    section, _, name = key.rpartition(".")
    paths = list(_keys(kind))
    elsewhere = {path.rpartition(".")[2]: path for path in reversed(paths)}
    if name in elsewhere:
        return elsewhere[name]
    near = nearest(name, [path.rpartition(".")[2] for path in paths if path.rpartition(".")[0] == section])
    found = near or elsewhere.get(nearest(name, list(elsewhere)) or "")
    own, _, last = (found or "").rpartition(".")
    return last if own and section.startswith(f"{own}.") else found  # of a section under a name of the file's own


def _keys(kind: type[BaseModel], within: str = "") -> Iterator[str]:
    """Every key of a file by its path, sections after what stands before them."""
    inner = []
    for name, info in kind.model_fields.items():
        yield f"{within}{name}"
        inner += [(name, t) for t in (info.annotation, *getattr(info.annotation, "__args__", ()))
                  if isinstance(t, type) and issubclass(t, BaseModel)]
    for name, section in inner:
        yield from _keys(section, f"{within}{name}.")
