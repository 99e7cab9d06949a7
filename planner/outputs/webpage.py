"""Pages to print or to open from a disk: escaped text, numbers that say where they stand in indicadores.json, no foreign address."""

from __future__ import annotations

import base64
import html
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from planner.outputs.report import Report
from planner.words import DISCLAIMER

_STYLE = """@page { size: letter portrait; margin: 9mm 10mm; } * { box-sizing: border-box; }
body { font: 7.8pt/1.28 'DejaVu Sans', 'Segoe UI', Roboto, sans-serif; color: #14213d; margin: 0 auto; max-width: 196mm; padding: 4mm 0; }
@media print { body { padding: 0; } } h1 { font-size: 14pt; margin: 0; }
h2 { font-size: 9pt; margin: 1.5mm 0 .5mm; color: #1f5fa8; }
p { margin: 0 0 1mm; } .chico { font-size: 6.2pt; color: #48525e; line-height: 1.25; } .aviso { background: #fff3c4;
  color: #5c4400; font-weight: 600; padding: 0 1.5mm; }
.lado { display: flex; gap: 4mm; align-items: flex-start; } .lado > * { flex: 1; min-width: 0; }
table { border-collapse: collapse; width: 100%; font-size: 6.8pt; line-height: 1.16; }
th, td { text-align: left; padding: .32mm 1mm .32mm 0;
  border-bottom: .2mm solid #e3e7eb; vertical-align: top; } thead th { color: #48525e; font-weight: 600; }
.linea { white-space: nowrap; }
td.n, th.n { text-align: right; white-space: nowrap; } img, svg { max-width: 100%; height: auto; display: block; }
a { color: #1f5fa8; } nav { margin-bottom: 1.5mm; font-size: 7.4pt; } @media print { nav { display: none; } }"""


def page(title: str, body: str) -> bytes:
    """A whole page in Spanish that asks nothing of any host; `body` is HTML."""
    return (f"<!doctype html>\n<html lang='es'><head><meta charset='utf-8'><meta name='viewport' content='width=device-width'>"
            f"<title>{text(title)}</title><style>{_STYLE}</style></head>\n<body>\n{body}\n</body></html>\n").encode()


def text(value: object) -> str:
    """Text as HTML that shows it and does nothing else."""
    return html.escape(str(value))


def shortened(words: object, most: int) -> str:
    """Words cut between two of them where they pass so many letters.

    >>> shortened("la unidad responde por muchas", 12), shortened("corta", 12), shortened("a" * 9, 4)
    ('la unidad …', 'corta', 'aaaa …')
    """
    plain = " ".join(str(words).split())
    return plain if len(plain) <= most else plain[: most + 1].rsplit(" ", 1)[0][:most] + " …"


def number(told: Mapping[str, Any], path: Sequence[str], digits: int = 0, scale: float = 1.0, unit: str = "") -> str:
    """A number of indicadores.json at this path, as shown, with the exact one and its path beside it; `sin dato` where it is null.

    >>> number({"total": {"plan": {"dentro_60": 1537014.6}}}, ("total", "plan", "dentro_60"))
    "<data value='1537014.6' data-clave='total/plan/dentro_60'>1,537,015</data>"
    """
    value: Any = told
    for key in path:
        value = value[key]
    clave = text("/".join(path))
    if value is None:
        return f"<data value='' data-clave='{clave}'>sin dato</data>"
    return f"<data value='{value!r}' data-clave='{clave}'>{amount(value * scale, digits)}{unit}</data>"


def amount(value: float | None, digits: int = 0, *, signed: bool = False) -> str:
    """A number as people read it; `sin dato` where there is none.

    >>> amount(-0.2), amount(1234.5, 1, signed=True), amount(None)
    ('0', '+1,234.5', 'sin dato')
    """
    if value is None or not math.isfinite(value):
        return "sin dato"
    return f"{value:{'+' if signed and round(value, digits) else ''}z,.{digits}f}"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], numeric: Sequence[int] = ()) -> str:
    """A table of cells that are HTML already; columns in `numeric` are set to the right."""
    def cells(tag: str, row: Sequence[str], scope: str = "") -> str:
        return "".join(f"<{tag}{scope}{' class=n' if i in numeric else ''}>{cell}</{tag}>" for i, cell in enumerate(row))

    body = "".join(f"<tr>{cells('td', row)}</tr>" for row in rows)
    return f"<table><thead><tr>{cells('th', [text(h) for h in heads], ' scope=col')}</tr></thead><tbody>{body}</tbody></table>"


def one_line(words: object) -> str:
    """Text that a table leaves on one line."""
    return f"<span class=linea>{text(words)}</span>"


def picture(png: bytes, words: str) -> str:
    """An image inside the page, with what it shows in words."""
    return f"<img alt='{text(words)}' src='data:image/png;base64,{base64.b64encode(png).decode()}'>"


def drawing(svg: str, words: str) -> str:
    """A chart inside the page, with what it shows in words."""
    return f"<div role='img' aria-label='{text(words)}'>{svg}</div>"


def heading(report: Report, title: str) -> str:
    """Title, region, scenario and whether the data are made up."""
    region, scenario = report.run.region, report.run.scenario
    made_up = " <span class='aviso'>DATOS SINTÉTICOS</span>" if region.synthetic else ""
    return (f"<h1>{text(title)}{made_up}</h1><p>{text(region.name)} · escenario <b>{text(scenario.name.replace('_', ' '))}</b> · "
            f"corrida {text(report.about['corrida'])} · {DISCLAIMER}</p>")
