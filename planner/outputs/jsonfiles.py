"""Figures as files tell them: JSON of sorted keys and twelve significant digits, out and in."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from planner.errors import DataError, StorageError, reason

_DIGITS = 12  # significant; minutes, told to the millionth, keep them all


def significant(value: float) -> float:
    """The number as files tell it: what adding in another order leaves behind falls away.

    >>> significant(0.1 + 0.2)
    0.3
    """
    return float(f"{value:.{_DIGITS}g}")


def canonical_json(value: Any) -> str:
    """JSON with sorted keys, floats of twelve significant digits and null for what is not finite."""
    return json.dumps(_plain(value), ensure_ascii=False, sort_keys=True, indent=1, allow_nan=False) + "\n"


def read_json(path: Path) -> Any:
    """A JSON file of a run. StorageError if it cannot be read, DataError if it is not JSON."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as fault:
        raise StorageError(f"No se puede leer {path} ({reason(fault)}); ¿es la carpeta de una corrida terminada?") from fault
    except ValueError as fault:
        raise DataError(f"{path} está dañado ({fault}); repita la corrida con --replace.") from fault


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if isinstance(value, date):
        return value.isoformat()
    if hasattr(value, "item"):  # numpy scalar
        return _plain(value.item())
    if isinstance(value, float):
        return significant(value) if math.isfinite(value) else None
    return value
