"""How the page writes numbers and names: Spanish, 1,234,567, unknown and unreachable told apart, no text taken as markup."""

from __future__ import annotations

import html
import math
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pandas as pd

from planner.checks import BORDER_M, FAR_KM

_PROGRAM = Path(__file__).parents[2]
_JOINER = "\u2060"
_TURNS = re.compile("[\u202a-\u202e\u2066-\u2069]")  # they turn the direction of writing
# What stands between these parts becomes a link, an icon or an arrow once Streamlit has read the Markdown.
_ALIVE = re.compile(r"(?<=:)(?=//|material/|[\w+-]+:)|(?<=www)(?=\.)|(?<=@)(?=[\w-])|(?<=[-<>~])(?=[-=>])", re.IGNORECASE)
SEASONS = {"secas": "Secas", "lluvias": "Lluvias"}
PEOPLE = {"sin_seguridad_social": "Sin seguridad social", "pobtot": "Población total", "psinder": "Sin derechohabiencia (PSINDER)"}

FLAGS = {
    "poblacion_imputada": "su población objetivo se estima con la proporción de su municipio, porque el censo la reserva",
    "grupos_imputados": "sus grupos de población se estiman con la proporción de su municipio, porque el censo los reserva",
    "indice_imputado": "su grado de rezago usa algún indicador de su municipio",
    "sin_indice": "no tiene grado de rezago",
    "fuera_de_municipio": f"está a más de {BORDER_M:g} m de su municipio: revise sus coordenadas",
    "fuera_de_la_entidad": f"está a más de {BORDER_M:g} m de la entidad: revise sus coordenadas",
    "fuera_de_rasteres": "cae fuera de los mapas de caminos y relieve: no tiene minutos de viaje",
    "sin_dato_en_rasteres": "cae donde no hay dato de caminos ni relieve: se movió al punto transitable más cercano o quedó sin traslado",
    "celda_intransitable": "cae donde no se puede caminar: se movió al punto transitable más cercano o no atiende a nadie",
    "lejos_de_localidad": f"está a más de {FAR_KM:g} km de la localidad que publica: revise sus coordenadas",
    "localidad_desconocida": "la localidad que publica no está en el censo",
    "coordenada_compartida": "está en el mismo punto que otra unidad",
    "estatus_en_blanco": "no publica estatus: se toma como en operación",
    "tipologia_en_blanco": "no publica tipología: se clasifica por su institución y nivel (supuesto)",
    "sin_clasificar": "no tiene tipología reconocible: no cuenta en la red",
    "movil_por_nombre": "por su nombre parece móvil o brigada, pero cuenta como unidad fija (supuesto)",
    "nucleos_supuestos": "no publica cuántos núcleos tiene: se supone uno"}


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
    """Minutes of travel, tenths rounded up: what is beyond a threshold never reads as the threshold.

    >>> minutes(60.0), minutes(60.01), minutes(float("inf")), minutes(None)
    ('60.0 min', '60.1 min', 'sin ruta o fuera de alcance', 'sin dato')
    """
    if not known(value):
        return "sin dato"
    return "sin ruta o fuera de alcance" if value == float("inf") else f"{math.ceil(round(10 * value, 5)) / 10:,.1f} min"


def money(value: Any) -> str:
    """Pesos in millions.

    >>> money(12_345_678)
    '12.35 M MXN'
    """
    return f"{value / 1e6:,.2f} M MXN" if known(value) else "sin dato"


def flags(codes: Any) -> str:
    """Flag codes of the data checks as one sentence; empty where there is none.

    >>> flags("sin_indice,nucleos_supuestos"), flags(None)
    ('Avisos: no tiene grado de rezago; no publica cuántos núcleos tiene: se supone uno.', '')
    """
    told = [FLAGS.get(code, code.replace("_", " ")) for code in (str(codes).split(",") if known(codes) else ()) if code]
    return f"Avisos: {'; '.join(told)}." if told else ""


def plain(text: object) -> str:
    """Text that Markdown shows as it is, on one line: no link, image or icon can hide in a name, nor turn around what follows it.

    Streamlit makes links, icons and arrows even of escaped text: a word joiner, which is not seen, parts what they are made of.

    >>> plain("a*b [c]"), plain("http://d :e: f\\n\\n# g").replace(_JOINER, "~")
    ('a\\\\*b \\\\[c\\\\]', 'http\\\\:~//d \\\\:~e\\\\: f \\\\# g')
    """
    line = " ".join(_TURNS.sub("", str(text)).split())
    return re.sub(r"([\\`*_{}\[\]()<>#+\-.!|:$~^&@])", r"\\\1", _ALIVE.sub(_JOINER, line))


def fault_text(fault: object, home: Path) -> str:
    """A fault as Markdown shows it, without where on this computer the data and the program are.

    >>> fault_text("No existe /casa/ana/data/x; revise /casa/ana.", Path("/casa/ana"))
    'No existe data/x; revise la carpeta de datos\\\\.'
    """
    text = str(fault)
    for folder, name in ((home, "la carpeta de datos"), (_PROGRAM, "la carpeta del programa")):
        for told in sorted({str(folder.absolute()), str(folder.resolve())} - {folder.anchor}, key=len, reverse=True):
            path = rf"(?<![\w.-]){re.escape(told)}"
            text = re.sub(rf"{path}(?![\w.-]*\w)", name, re.sub(rf"{path}[\\/](?=[\w.])", "", text))
    return plain(text)


def safe(text: object) -> str:
    """Text inside HTML.

    >>> safe("<b>")
    '&lt;b&gt;'
    """
    return html.escape(str(text))


def sentence(text: Any) -> str:
    """A reason of the plan as a sentence.

    >>> sentence("a 74 min"), sentence(None)
    ('A 74 min.', '')
    """
    return f"{str(text)[0].upper()}{str(text)[1:]}." if known(text) and str(text) else ""


def table(frame: pd.DataFrame, formats: Mapping[str, Callable[[Any], str]] = MappingProxyType({}), height_px: int = 460) -> str:
    """HTML of a table that wraps its texts and scrolls when long; numbers to the right, every text escaped."""
    tell = [formats.get(str(name), str) for name in frame.columns]
    right = [" class='n'" if pd.api.types.is_numeric_dtype(kind) else "" for kind in frame.dtypes]
    head = "".join(f"<th scope='col'{side}>{safe(name)}</th>" for name, side in zip(frame.columns, right, strict=True))
    lines = (zip(row, right, tell, strict=True) for row in frame.itertuples(index=False))
    rows = "".join("<tr>" + "".join(f"<td{side}>{safe(write(cell))}</td>" for cell, side, write in line) + "</tr>" for line in lines)
    return (f"<div class='tabla' tabindex='0' style='max-height: {height_px}px'><table><thead><tr>{head}</tr></thead>"
            f"<tbody>{rows}</tbody></table></div>")


def facts(title: str, rows: Mapping[str, str], notes: tuple[str, ...] = ()) -> str:
    """A card: a title, facts in two columns, sentences under them; every text is escaped."""
    lines = "".join(f"<tr><th scope='row'>{safe(key)}</th><td>{safe(value)}</td></tr>" for key, value in rows.items())
    body = f"<table>{lines}</table>" if lines else ""
    sentences = "".join(f"<p>{safe(note)}</p>" for note in notes if note)
    return f"<section class='ficha'><h4>{safe(title)}</h4>{body}{sentences}</section>"
