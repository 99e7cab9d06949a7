"""mapa.html: the map of a run in one file that opens from a disk, with no server and no network."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from planner.columns import Column
from planner.outputs import mapregions
from planner.outputs.credits import cutoffs
from planner.outputs.layers import TABLES
from planner.outputs.mapground import prepare_base
from planner.outputs.mapjson import text_json
from planner.outputs.maps import LAYERS, LEGEND_STYLE, ON_DEMAND, legend_html, prepare_layers
from planner.outputs.report import Report
from planner.outputs.webpage import heading, text
from planner.words import BY_MODE, CLASSES, KINDS

_LEAFLET = Path(__file__).parents[2] / "static/vendor/leaflet"
_DRAWN = ("localidades", "unidades", "propuestas", "rutas")
_REGIONAL = {key: mapregions.NAMES[key] for key in ("distritos", "municipios", "distritos_hoy", "redes", "zonas")}
# What a click tells: kind of mark -> layer, where its marks are drawn, what its key is called, fields.
_TOLD: dict[str, tuple[str, tuple[str, ...], str, tuple[str, ...]]] = {
    "propuesta": ("propuestas", ("propuestas",), "Propuesta", (
        "tipo", "costo_anual", "costo_inversion", "personas", "brecha_ponderada_cerrada", "anio_despliegue", "robustez", "motivo")),
    "unidad": ("unidades", ("unidades", "otras"), "CLUES", (
        "clase", "institucion", "nucleos", "poblacion", "localidades", "carga", "capacidad", "suficiencia", "suficiencia_plan",
        "clues_hospital", "min_hospital")),
    "localidad": ("localidades", ("localidades",), "Localidad", (
        "nom_mun", "grado_rezago", "poblacion", "puntaje_brecha", "puntaje_brecha_plan", "personas_equiv", "personas_equiv_plan",
        "cobertura", "cobertura_plan", "clues_asignada", "min_primer_nivel", "min_primer_nivel_plan", "clues_hospital", "min_hospital",
        "visitas_mes", "visitas_mes_plan", "intervencion", "motivo"))}
_WORDS: dict[str, Mapping[str, str]] = {"tipo": {str(k): v for k, v in KINDS.items()}, "clase": CLASSES}
_UNITS_NAMED = ("clues_asignada", "clues_hospital")
# What nothing means where it does not mean that nobody knows.
_NOTHING = {"intervencion": "ninguna", "motivo": "no se propone nada", "clues_asignada": "ninguna", "capacidad": "sin límite",
            "suficiencia": "no es unidad fija", "suficiencia_plan": "no es unidad fija", "clues_hospital": "ninguno con camino conocido",
            **dict.fromkeys(("min_primer_nivel", "min_primer_nivel_plan", "min_hospital"), "sin ruta o sin dato"),
            "robustez": "no evaluada"}
_DIGITS = {"personas": 0, "personas usuarias": 0, "personas ponderadas": 0, "MXN": 0, "MXN/año": 0, "0-100": 1}
_EQUIVALENT = 1  # digits of people that are a product
_STYLE = """html, body { height: 100%; margin: 0; } body { display: flex; flex-direction: column; color: #14213d; background: #fff;
  font: 14px/1.35 system-ui, 'Segoe UI', Roboto, sans-serif; } header, footer { padding: .4rem .8rem; }
h1 { font-size: 1.1rem; margin: 0; } h2 { font-size: 1rem; margin: .5rem 0 0; overflow-wrap: anywhere; } p { margin: .1rem 0; }
.aviso { background: #fff3c4; color: #5c4400; padding: 0 .4rem; } main { flex: 1 0 420px; display: flex; min-height: 420px; }
#mapa { flex: 1; min-height: 300px; background: #f4f5f2; }
aside { width: 340px; box-sizing: border-box; overflow: auto; padding: .5rem .8rem; border-left: 1px solid #e3e7eb; }
main > aside { height: 0; min-height: 100%; } table { border-collapse: collapse; font-size: .84rem; } aside table { width: 100%; }
th, td { border-top: 1px solid #e3e7eb; text-align: left; vertical-align: top; padding: .2rem .4rem .2rem 0; }
th { font-weight: 500; color: #48525e; } aside td { overflow-wrap: anywhere; } aside th { width: 42%; } td.n { text-align: right; }
.marca { color: #5b6470; font-size: .72rem; width: 1%; } aside td.marca { overflow-wrap: normal; }
input[type=search] { width: 100%; box-sizing: border-box; padding: .35rem; font: inherit; }
ul { list-style: none; margin: .2rem 0; padding: 0; max-height: 9.5rem; overflow: auto; }
button { font: inherit; text-align: left; border: 0; background: none;
  color: #1f5fa8; padding: .12rem 0; cursor: pointer; text-decoration: underline; overflow-wrap: anywhere; }
button:disabled { color: #6b7280; text-decoration: none; cursor: default; }
aside details { border-top: 1px solid #e3e7eb; margin-top: .6rem; } aside .leyenda, aside .leyenda p { display: block; }
aside .leyenda p { margin: .25rem 0; } aside .leyenda b { display: block; }
summary { cursor: pointer; font-weight: 600; padding: .2rem 0; } footer p, .chico { font-size: .8rem; color: #48525e; }
#tabla > div { overflow: auto; max-height: 70vh; } #tabla th[scope=row] { min-width: 9rem; } #tabla td { min-width: 5rem; }
 :focus-visible { outline: 3px solid #1f5fa8; outline-offset: 1px; }
.leaflet-tooltip { width: max-content; max-width: 320px; white-space: normal; font-size: .8rem; } .planner-label { background: none;
  border: 0; box-shadow: none; padding: 0; text-shadow: 0 0 3px #fff, 0 0 4px #fff; } .planner-label::before { display: none; }
.planner-note { background: #fff3c4; color: #5c4400; padding: .1rem .5rem; font-weight: 600; }
@media (max-width: 800px) { body { height: auto; } main { flex-direction: column; flex: none; min-height: 0; }
  #mapa { flex: none; height: 340px; } aside, main > aside { width: auto; height: auto; min-height: 0; border-left: 0; } }
.imprime { display: block; height: auto; } .imprime main { display: flex; flex-direction: row; height: auto; }
.imprime #mapa { flex: none; width: 620px; height: 560px; } .imprime main > aside { width: 340px; height: auto; overflow: visible; }
@page { size: letter landscape; margin: 9mm; }
@media print { .leaflet-control-zoom, .leaflet-control-layers, .leaflet-tooltip:not(.planner-label), .pide { display: none; }
  body { print-color-adjust: exact; -webkit-print-color-adjust: exact; font-size: 11px; } #tabla > div { max-height: none; } }
"""


def map_files(report: Report) -> dict[str, bytes]:
    """mapa.html: marks and routes of a run, with the regionalization on demand where there is one; equal reports, equal bytes."""
    region = report.run.region
    base = prepare_base(region.municipalities, region.grid, "Región SINTÉTICA" if region.synthetic else "", region.roads, region.barriers)
    data = prepare_layers({name: report.layers[name] for name in _DRAWN}) | _regional(report)
    names = [*((key, words) for key, words in _REGIONAL.items() if key in data),
             *((key, words) for key, words in LAYERS.items() if key != "influencias")]
    parts = {"base": base, "names": text_json(names), "hidden": text_json([*ON_DEMAND, *_REGIONAL]), "data": _joined(data),
             "told": text_json({kind: _told(report, kind, data) for kind in _TOLD}), "plan": _under_plan(report.layers["localidades"])}
    own = resources.files("planner.outputs").joinpath("mappage.js").read_text(encoding="utf-8")
    return {"mapa.html": _page(report, f"const PAGE = {_joined(parts)};\n{own}")}


def _joined(parts: Mapping[str, str]) -> str:
    return "{" + ",".join(f'"{name}":{parts[name]}' for name in sorted(parts)) + "}"


def _page(report: Report, script: str) -> bytes:
    run, leaflet = report.run, (_LEAFLET / "leaflet.js").read_text(encoding="utf-8")
    title = f"Mapa: {run.region.name}, {run.scenario.name}"
    ours = resources.files("planner.outputs").joinpath("map.js").read_text(encoding="utf-8")
    scripts = "".join(f"<script>{code}</script>" for code in (_bare(leaflet), ours, script))
    first, hospital = BY_MODE[run.scenario.mode_first_level], BY_MODE[run.scenario.mode_hospital]
    return f"""<!doctype html>
<html lang="es"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{text(title)}</title>
<style>{_leaflet_css()}{_STYLE}{LEGEND_STYLE}</style></head>
<body><header>{heading(report, title)}
<p class="chico">Fecha de corte: {text(cutoffs(run.region))}. Minutos al primer nivel {first}; al hospital, {hospital}.</p></header>
<main><div id="mapa" role="application" aria-label="Mapa de localidades, unidades y propuestas"></div>
<aside><div class="pide"><label for="buscar">Buscar localidad, unidad o propuesta</label>
<input id="buscar" type="search" autocomplete="off"><p id="cuantos" class="chico" role="status"></p><ul id="hallados"></ul>
<p><label><input id="plan" type="checkbox"> Colores del puntaje con el plan</label></p></div>
<section id="ficha" aria-live="polite" aria-label="Ficha">
<p>Elija un punto del mapa, o búsquelo por su nombre o clave. Con el teclado: el buscador y la tabla llevan a todos; las flechas y + −
mueven el mapa.</p></section><details open><summary>Leyenda</summary>{_legend(report)}</details></aside></main>
<footer><details id="tabla"><summary>Ver como tabla</summary><label>Qué <select id="clase"><option value="propuesta">Propuestas</option>
<option value="unidad">Unidades</option><option value="localidad">Localidades</option></select></label>
<button id="antes" type="button">Anteriores</button> <span id="tramo" role="status"></span>
<button id="despues" type="button">Siguientes</button>
<div><table id="filas"></table></div></details>
<p>Marca de cada valor: dato (de una fuente), derivado (calculado de datos), supuesto (del planificador). El puntaje va de 0 a 100; gris:
sin dato. Todo lo que entró en la corrida, con su huella, está en manifest.json. Dibuja Leaflet 1.9.4 (BSD).</p></footer>
{scripts}</body></html>
""".encode()


def _legend(report: Report) -> str:
    """No areas of influence: they are too many for one file."""
    legend = legend_html(report.layers["areas_influencia"].iloc[:0])
    return legend if report.run.regional is None else legend + mapregions.legend_html()


def _bare(code: str) -> str:
    """The library without the address of its source map."""
    return re.sub(r"//# sourceMappingURL=.*", "", code)


def _leaflet_css() -> str:
    """Its style with its images inside, without its comments, which hold addresses."""
    def inside(found: re.Match[str]) -> str:
        return f"url(data:image/png;base64,{base64.b64encode((_LEAFLET / found[1]).read_bytes()).decode()})"
    bare = re.sub(r"/\*.*?\*/", "", (_LEAFLET / "leaflet.css").read_text(encoding="utf-8"), flags=re.DOTALL)
    return re.sub(r"url\((images/[^)]*)\)", inside, bare)


def _regional(report: Report) -> dict[str, str]:
    found, detail = report.run.regional, report.run.region.grid.cell_m
    if found is None:
        return {}
    return {**mapregions.prepare_districts(found.districts, mapregions.colors_of(found.districts), detail),
            "distritos_hoy": mapregions.prepare_today(found.districts, detail), "redes": mapregions.prepare_networks(found.networks),
            "zonas": mapregions.prepare_zones(found.zones)}


def _under_plan(localities: gpd.GeoDataFrame) -> str:
    """What the marks of the localities are drawn by, with the plan."""
    drawn = json.loads(prepare_layers({"localidades": localities.assign(puntaje_brecha=localities["puntaje_brecha_plan"])})["localidades"])
    return text_json({name: drawn[name] for name in ("key", "color", "score")})


def _told(report: Report, kind: str, data: Mapping[str, str]) -> dict[str, Any]:
    """What a click tells of each mark of a kind, field by field, in the order in which the marks are drawn."""
    layer, drawn, title, fields = _TOLD[kind]
    frame = report.layers[layer].loc[[key for name in drawn for key in json.loads(data[name])["id"]]]
    declared = {c.export: c for t in TABLES[layer] for c in t.all()}
    names = report.layers["unidades"]["nombre"]
    return {"layers": drawn, "title": title, "columns": [_column(declared[name], frame[name], names) for name in fields]}


def _column(column: Column, values: pd.Series, units: pd.Series) -> dict[str, Any]:
    """Label, mark and values of a field as a person reads them; texts are sent once each."""
    told: dict[str, Any] = {"label": column.label, "mark": column.mark, "none": _NOTHING.get(column.export, "sin dato")}
    if column.kind in ("int", "float"):
        unit = "" if column.unit.lower() in column.label.lower() else "de 100" if column.unit == "0-100" else column.unit
        return told | {"unit": unit, "numbers": _rounded(column, values)}
    if column.export in _UNITS_NAMED:
        values = values.map(lambda clues: f"{units.get(clues, '')} ({clues})", na_action="ignore")
    known = _WORDS.get(column.export, {})
    at, words = pd.factorize(values.astype(object), sort=False, use_na_sentinel=True)
    return told | {"words": [str(known.get(word, word)) for word in words], "at": at.tolist()}


def _rounded(column: Column, values: pd.Series) -> list[float | int | None]:
    """As many digits as are shown; minutes upwards, so that what is beyond a threshold never reads as the threshold."""
    numbers = values.astype(float).to_numpy()
    digits = _EQUIVALENT if column.export.startswith("personas_equiv") else _DIGITS.get(column.unit, 2)
    numbers = np.ceil(np.round(10 * numbers, 5)) / 10 if column.unit == "min" else np.round(numbers, digits)
    return [None if np.isnan(n) else int(n) if n == int(n) else n for n in numbers.tolist()]
