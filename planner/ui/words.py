"""How the page writes numbers and names: Spanish, 1,234,567, unknown and unreachable told apart, no text taken as markup."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from typing import Any

import pandas as pd

from planner.model import Mode

MODES: dict[Mode, str] = {"a_pie": "A pie", "vehiculo": "Vehículo", "transporte_publico": "Transporte público"}
SEASONS = {"secas": "Secas", "lluvias": "Lluvias"}
PEOPLE = {"sin_seguridad_social": "Sin seguridad social", "pobtot": "Población total", "psinder": "Sin derechohabiencia (PSINDER)"}
KINDS = {"umr": "UMR nueva", "nucleo": "Segundo núcleo", "umm": "Ruta de UMM", "brigada": "Ruta de brigada"}
CLASSES = {"UMR": "Unidad médica rural", "centro_salud": "Centro de salud", "HR": "Hospital rural", "hospital_general": "Hospital general",
           "hospital_integral": "Hospital integral", "hospital_especializado": "Hospital especializado", "CARO": "CARO",
           "UMM": "Unidad médica móvil", "brigada": "Brigada de salud", "especialidad": "Unidad de especialidad",
           "apoyo": "Unidad de apoyo", "sin_clasificar": "Sin clasificar"}
ROLES = {"primer_nivel": "Primer nivel", "hospital": "Hospital", "movil": "Servicio móvil", "ninguno": "No cuenta en la red que se planea"}


def known(value: Any) -> bool:
    """Whether there is a value at all."""
    return value is not None and not pd.isna(value)


def count(value: Any, unit: str = "") -> str:
    """A whole number with thousands separated by commas.

    >>> count(1234567.4, "personas"), count(None)
    ('1,234,567 personas', 'sin dato')
    """
    return "sin dato" if not known(value) else "sin límite" if value == float("inf") else f"{value:,.0f} {unit}".rstrip()


def decimal(value: Any, digits: int = 2) -> str:
    """A number with fixed decimals.

    >>> decimal(0.125), decimal(float("nan"))
    ('0.12', 'sin dato')
    """
    return f"{value:,.{digits}f}" if known(value) else "sin dato"


def percent(part: float, whole: float) -> str:
    """Share of a whole.

    >>> percent(1, 3), percent(1, 0)
    ('33.3 %', 'sin dato')
    """
    return f"{100 * part / whole:.1f} %" if whole else "sin dato"


def minutes(value: Any) -> str:
    """Minutes of travel.

    >>> minutes(74.04), minutes(float("inf")), minutes(None)
    ('74.0 min', 'sin ruta o fuera de alcance', 'sin dato')
    """
    return "sin dato" if not known(value) else "sin ruta o fuera de alcance" if value == float("inf") else f"{value:,.1f} min"


def money(value: Any) -> str:
    """Pesos in millions.

    >>> money(12_345_678)
    '12.35 M MXN'
    """
    return f"{value / 1e6:,.2f} M MXN" if known(value) else "sin dato"


def plain(text: object) -> str:
    """Text that Markdown shows as it is: no link, image or icon can hide in a name.

    >>> plain("a*b :x:")
    'a\\\\*b \\\\:x\\\\:'
    """
    return re.sub(r"([\\`*_{}\[\]()<>#+\-.!|:$~^&@])", r"\\\1", str(text))


def safe(text: object) -> str:
    """Text inside HTML.

    >>> safe("<b>")
    '&lt;b&gt;'
    """
    return html.escape(str(text))


def facts(title: str, rows: Mapping[str, str], notes: tuple[str, ...] = ()) -> str:
    """A card: a title, facts in two columns, sentences under them; every text is escaped."""
    lines = "".join(f"<tr><th scope='row'>{safe(key)}</th><td>{safe(value)}</td></tr>" for key, value in rows.items())
    sentences = "".join(f"<p>{safe(note)}</p>" for note in notes if note)
    return f"<section class='ficha'><h4>{safe(title)}</h4><table>{lines}</table>{sentences}</section>"
