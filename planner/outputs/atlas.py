"""atlas/: a page to print for each district, and the page that lists them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import shapely

from planner.outputs import charts
from planner.outputs.chartmaps import draw, score_panel
from planner.outputs.report import Report
from planner.outputs.tables import ROWS
from planner.outputs.webpage import amount, heading, number, one_line, page, picture, shortened, table, text
from planner.settings import slug
from planner.words import KINDS

_ROWS = ("poblacion", "dentro_30", "dentro_60", "hospital_120", "p90_min", "personas_equiv", "brecha_ponderada", "con_servicio",
         "cubierta_sin_capacidad", "sin_cobertura", "localidades_sin_servicio")
# What one printed page holds when every row takes two lines.
_WORST, _PROPOSED, _ROUTES, _FULL = 10, 6, 3, 5
_NAME, _REASON, _LACK, _STOPS, _LIST = 34, 112, 92, 200, 200
_DPI = 110


def atlas_files(report: Report) -> dict[str, bytes]:
    """A page for each proposed district, or each of today's where the run has none; pages link to one another.

    A locality without a district stands in the index alone.
    """
    block, of = _districts(report)
    keys = [key for key in report.indicators[block] if (of == key).any()]
    names = {key: f"{i + 1:02d}_{slug(key)[:40] or 'distrito'}.html" for i, key in enumerate(keys)}
    pages = {f"atlas/{names[key]}": _page(report, block, key, of == key, _links(keys, names, key)) for key in keys}
    return {"atlas/index.html": _index(report, block, keys, names)} | pages


def _districts(report: Report) -> tuple[str, pd.Series]:
    """The block of indicadores.json that tells of districts, and the district of each locality."""
    places = report.layers["localidades"]
    if "por_distrito_propuesto" in report.indicators:
        return "por_distrito_propuesto", places["distrito_propuesto"].fillna("sin dato")
    return "por_distrito", places["distrito"].fillna("sin dato")


def _name(report: Report, block: str, key: str) -> str:
    named = report.indicators[block][key].get("nombre")
    return f"{key}: {named}" if named and named != key else key


def _links(keys: list[str], names: Mapping[str, str], key: str) -> str:
    at = keys.index(key)
    before = f"<a href='{names[keys[at - 1]]}'>← {text(keys[at - 1])}</a> · " if at else ""
    after = f" · <a href='{names[keys[at + 1]]}'>{text(keys[at + 1])} →</a>" if at + 1 < len(keys) else ""
    return f"<nav>{before}<a href='index.html'>Todos los distritos</a>{after}</nav>"


def _index(report: Report, block: str, keys: list[str], names: Mapping[str, str]) -> bytes:
    told = report.indicators
    rows = [(f"<a href='{names[key]}'>{text(_name(report, block, key))}</a>", *(number(told, (block, key, when, field)) for when, field in (
        ("actual", "poblacion"), ("actual", "personas_equiv"), ("plan", "personas_equiv"), ("actual", "dentro_60"), ("plan", "dentro_60"))))
        for key in keys]
    heads = ("Distrito", "Población objetivo", "Sin acceso*, hoy", "Con el plan", "A 60 min de primer nivel, hoy", "Con el plan")
    body = (f"{heading(report, 'Atlas por distrito')}{table(heads, rows, (1, 2, 3, 4, 5))}"
            "<p class='chico'>* Equivalentes: personas por la parte de la atención que les falta. De dónde sale: ../manifest.json.</p>")
    return page(f"Atlas: {report.run.region.name}, {report.run.scenario.name}", body)


def _page(report: Report, block: str, key: str, mine: pd.Series, links: str) -> bytes:
    places = report.layers["localidades"][mine]
    proposals = report.layers["propuestas"]
    towns = set(places.index.str[:5])
    units = report.layers["unidades"]
    units = units[(units["distrito_propuesto"] == key) if block == "por_distrito_propuesto" else units["cve_mun"].isin(towns)]
    here = proposals[proposals["cvegeo"].isin(places.index) | proposals["clues"].isin(units.index)]
    drawn = draw([score_panel("Puntaje de brecha con el plan", places, here, plan=True)], _outlines(report, towns), size=(3.9, 3.25))
    hospitals = units[units["funcion"] == "hospital"]["nombre"].sort_values()
    full = units[units["suficiencia"] < 1].sort_values("suficiencia", kind="stable")
    body = f"""{links}{heading(report, _name(report, block, key))}
<div class='lado'><div>{picture(charts.png(drawn, _DPI), f'Mapa del distrito {key}')}</div>
<div><h2>Qué cambia</h2>{_changes(report.indicators, block, key)}
<h2>De qué se compone</h2><p>{amount(len(places))} localidades de {amount(len(towns))} municipios:
{text(shortened(_listed(places['nom_mun']), _LIST))}</p>
<p>Hospitales públicos: {text(shortened(', '.join(hospitals), _LIST) or 'ninguno')}</p>
<p>Unidades saturadas hoy: {amount(len(full))}{text(_some(full['nombre']))}</p></div></div>
<h2>Qué se propone aquí</h2>{_proposals(here)}{_routes(report, here)}
<h2>Localidades donde más falta, con el plan</h2>{_worst(places)}
<p class='chico'>Corrida {text(report.about['corrida'])}; de dónde sale cada dato: ../manifest.json.</p>"""
    return page(f"{_name(report, block, key)}, {report.run.scenario.name}", body)


def _outlines(report: Report, towns: set[str]) -> Any:
    shapes = report.run.region.municipalities.geometry
    return shapes[shapes.index.isin(towns) & shapes.notna() & ~shapes.is_empty].map(shapely.force_2d)


def _some(names: pd.Series) -> str:
    """The first names after a colon, nothing where there are none."""
    told = ", ".join(shortened(name, _NAME) for name in names.head(_FULL))
    return f": {told}{', …' if len(names) > _FULL else ''}" if told else ""


def _listed(names: pd.Series) -> str:
    return ", ".join(sorted(set(names)))


def _changes(told: Mapping[str, Any], block: str, key: str) -> str:
    words = {field: (name, unit) for field, name, unit in ROWS}
    rows = []
    for field in _ROWS:
        digits = 1 if words[field][1] == "min" else 0
        rows.append((text(words[field][0]), *(number(told, (block, key, when, field), digits) for when in ("actual", "plan"))))
    return table(("Personas, salvo que se diga otra cosa", "Hoy", "Con el plan"), rows, (1, 2))


def _proposals(here: pd.DataFrame) -> str:
    if here.empty:
        return "<p>Nada en este distrito.</p>"
    order = here.sort_values("brecha_ponderada_cerrada", ascending=False, kind="stable").head(_PROPOSED).to_dict("records")
    rows = [(one_line(KINDS[row["tipo"]]), text(shortened(row["nombre"], _NAME)), amount(row["costo_anual"] / 1e6, 1),
             amount(row["personas"]),
             amount(row["brecha_ponderada_cerrada"]), text(shortened(row["motivo"], _REASON))) for row in order]
    rest = f"<p class='chico'>Y {len(here) - _PROPOSED} más en propuestas.geojson.</p>" if len(here) > _PROPOSED else ""
    return table(("Tipo", "Dónde", "M/año", "Personas", "Cierra", "Por qué"), rows, (2, 3, 4)) + rest


def _routes(report: Report, here: pd.DataFrame) -> str:
    """Each circuit that starts here: where it stops and on which working days of the month."""
    stops = report.layers["rutas"]
    mine = stops[stops["ruta"].isin(here.index) & (stops["elemento"] == "parada")].sort_values(["ruta", "orden"], kind="stable")
    told = []
    for _, visits in mine.groupby("ruta"):
        first = visits.iloc[0]
        names = ", ".join(f"{name} ({days})" for name, days in zip(visits["nom_loc"], visits["dias"], strict=True))
        told.append(f"<b>{KINDS[first['tipo']]}</b> desde {text(shortened(first['base'], _NAME))}: {text(shortened(names, _STOPS))}")
    rest = f" Y {len(told) - _ROUTES} más en calendario.csv." if len(told) > _ROUTES else ""
    lines = "<br>".join(told[:_ROUTES])
    return f"<h2>Rutas móviles que salen de aquí (días de trabajo del mes)</h2><p class='chico'>{lines}{rest}</p>" if told else ""


def _worst(places: pd.DataFrame) -> str:
    order = places[places["brecha_ponderada_plan"] > 0].sort_values("brecha_ponderada_plan", ascending=False, kind="stable").head(_WORST)
    rows = [(text(shortened(row["nom_loc"], _NAME)), text(shortened(row["nom_mun"], _NAME)), text(row["grado_rezago"]),
             amount(row["poblacion"]), amount(row["min_primer_nivel_plan"], 1), amount(row["min_hospital_plan"], 1),
             amount(row["puntaje_brecha_plan"], 1), text(shortened(row["motivo"], _LACK) if isinstance(row["motivo"], str) else ""))
            for row in order.to_dict("records")]
    heads = ("Localidad", "Municipio", "Rezago", "Personas", "1.er nivel, min", "Hospital, min", "Puntaje", "Motivo")
    return table(heads, rows, (3, 4, 5, 6)) if rows else "<p>Ninguna.</p>"
