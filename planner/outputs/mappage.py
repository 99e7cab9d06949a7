"""mapa.html: the map of a run in one file that opens from a disk, with no server and no network."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

import pandas as pd

from planner.columns import Column
from planner.outputs import mapregions
from planner.outputs.layers import TABLES
from planner.outputs.mapjson import text_json
from planner.outputs.maps import LAYERS, LEGEND_STYLE, ON_DEMAND, legend_html, prepare_base, prepare_layers
from planner.outputs.report import Report
from planner.outputs.webpage import heading, text

_LEAFLET = Path(__file__).parents[2] / "static/vendor/leaflet"
_DRAWN = ("localidades", "unidades", "propuestas", "rutas")
_REGIONAL = {key: mapregions.NAMES[key] for key in ("distritos", "municipios", "distritos_hoy", "redes", "zonas")}
_TOLD: dict[str, tuple[str, tuple[str, ...]]] = {  # what a click tells: kind of the map's marks -> layer, fields after the key
    "localidad": ("localidades", (
        "nom_loc", "nom_mun", "grado_rezago", "poblacion", "puntaje_brecha", "puntaje_brecha_plan", "personas_equiv", "personas_equiv_plan",
        "cobertura", "clues_asignada", "min_primer_nivel", "min_primer_nivel_plan", "min_hospital", "visitas_mes_plan", "intervencion",
        "motivo")),
    "unidad": ("unidades", ("nombre", "clase", "institucion", "nucleos", "poblacion", "carga", "capacidad", "suficiencia",
                            "suficiencia_plan", "clues_hospital", "min_hospital")),
    "propuesta": ("propuestas", ("nombre", "tipo", "costo_anual", "costo_inversion", "personas", "brecha_ponderada_cerrada",
                                 "anio_despliegue", "robustez", "motivo"))}
_STYLE = """html, body { height: 100%; margin: 0; } body { display: flex; flex-direction: column; color: #14213d;
  font: 14px/1.35 system-ui, 'Segoe UI', Roboto, sans-serif; } header, footer { padding: .4rem .8rem; }
h1 { font-size: 1.1rem; margin: 0; }
p { margin: .1rem 0; } .aviso { background: #fff3c4; color: #5c4400; padding: 0 .4rem; } main { flex: 1; display: flex; min-height: 320px; }
#mapa { flex: 1; background: #f4f5f2; } aside { width: 320px; overflow: auto; padding: .5rem .8rem; border-left: 1px solid #e3e7eb; }
aside table { border-collapse: collapse; width: 100%; font-size: .84rem; } aside th, aside td { border-top: 1px solid #e3e7eb;
  text-align: left;
  vertical-align: top; padding: .2rem .3rem .2rem 0; overflow-wrap: anywhere; } aside th { font-weight: 500; color: #48525e; width: 45%; }
input { width: 100%; box-sizing: border-box; padding: .35rem; font: inherit; } footer { font-size: .8rem; color: #48525e; }
.leaflet-tooltip { width: max-content; max-width: 320px; white-space: normal; font-size: .8rem; } .planner-label { background: none;
  border: 0;
  box-shadow: none; padding: 0; text-shadow: 0 0 3px #fff, 0 0 4px #fff; } .planner-label::before { display: none; }
.planner-note { background: #fff3c4; color: #5c4400; padding: .1rem .5rem; font-weight: 600; }
@media (max-width: 800px) { main { flex-direction: column; } aside { width: auto; max-height: 40%; } }
  @media print { aside { display: none; } }
"""
# Names of a publisher arrive as data and are shown as text, never as HTML.
_SCRIPT = """
const map = L.map("mapa", {preferCanvas: true, zoomControl: false, attributionControl: false, minZoom: 5, maxZoom: 15, zoomSnap: 0.25});
const planner = new window.plannerMap(map, BASE, NAMES, HIDDEN);
const place = document.getElementById("ficha"), search = document.getElementById("buscar"), options = document.getElementById("lugares");
const found = {};
Object.entries(TOLD).forEach(([kind, told]) => told.rows.forEach((row, i) => {
  const name = row[0] + " · " + told.ids[i];
  found[name] = [kind, i];
  options.appendChild(document.createElement("option")).value = name;
}));
const shown = value => value === null ? "sin dato" : typeof value !== "number" ? value
  : value.toLocaleString("en-US", {maximumFractionDigits: 2});
const tell = (kind, i) => {
  const told = TOLD[kind];
  place.replaceChildren();
  place.appendChild(document.createElement("h2")).textContent = told.rows[i][0];
  const table = place.appendChild(document.createElement("table"));
  [["Clave", told.ids[i]], ...told.labels.slice(1).map((label, k) => [label, told.rows[i][k + 1]])].forEach(([label, value]) => {
    const line = table.insertRow();
    line.appendChild(document.createElement("th")).textContent = label;
    line.insertCell().textContent = shown(value);
  });
};
window.plannerChosen = (kind, id) => { if (TOLD[kind]) tell(kind, TOLD[kind].ids.indexOf(id)); };
search.addEventListener("change", () => {
  const hit = found[search.value];
  if (!hit) return;
  tell(...hit);
  const [lat, lon] = TOLD[hit[0]].at[hit[1]];
  planner.update({...DATA, elegida: {key: search.value, place: hit.join("/"), lat: lat, lon: lon, view: [[lat - 0.05, lon - 0.05],
                                                                                                        [lat + 0.05, lon + 0.05]]}});
});
planner.update(DATA);
"""


def map_files(report: Report) -> dict[str, bytes]:
    """mapa.html: marks, areas and routes of a run, with the regionalization on demand where there is one; equal reports, equal bytes."""
    region = report.run.region
    base = prepare_base(region.municipalities, region.grid, "Región SINTÉTICA" if region.synthetic else "", region.roads, region.barriers)
    data = prepare_layers({name: report.layers[name] for name in _DRAWN}) | _regional(report)
    names = [*((key, words) for key, words in _REGIONAL.items() if key in data), *LAYERS.items()]
    hidden = [*ON_DEMAND, *_REGIONAL]
    told = {kind: _told(report, layer, fields) for kind, (layer, fields) in _TOLD.items()}
    drawn = "{" + ",".join(f'"{name}":{data[name]}' for name in sorted(data)) + "}"
    script = (f"const BASE = {base}, NAMES = {text_json(names)}, HIDDEN = {text_json(hidden)}, DATA = {drawn}, TOLD = {text_json(told)};"
              f"{_SCRIPT}")
    return {"mapa.html": _page(report, script)}


def _page(report: Report, script: str) -> bytes:
    leaflet, ours = (_LEAFLET / "leaflet.js").read_text(encoding="utf-8"), resources.files("planner.outputs").joinpath("map.js")
    cutoffs = ", ".join(sorted({f"{f.name.rsplit('/', 1)[-1]} {f.cutoff}" for f in report.run.region.inputs if f.cutoff})) or "no publicada"
    title = f"Mapa: {report.run.region.name}, {report.run.scenario.name}"
    scripts = "".join(f"<script>{code}</script>" for code in (_bare(leaflet), ours.read_text(encoding="utf-8"), script))
    return f"""<!doctype html>
<html lang="es"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{text(title)}</title>
<style>{_leaflet_css()}{_STYLE}{LEGEND_STYLE}</style></head>
<body><header>{heading(report, title)}</header>
<main><div id="mapa" role="application" aria-label="Mapa de localidades, unidades y propuestas"></div>
<aside aria-live="polite"><label for="buscar">Buscar localidad, unidad o propuesta</label>
<input id="buscar" list="lugares" autocomplete="off"><datalist id="lugares"></datalist>
<div id="ficha"><p>Elija un punto del mapa, o búsquelo por su nombre.</p></div></aside></main>
<footer>{legend_html(report.layers['areas_influencia'])}<p>Fecha de corte: {text(cutoffs)}. Puntaje y minutos son derivados; velocidades y
costos, supuestos. De dónde sale cada dato: manifest.json. Dibuja Leaflet 1.9.4 (BSD).</p></footer>
{scripts}</body></html>
""".encode()


def _bare(code: str) -> str:
    """The library without the address of its source map."""
    return re.sub(r"//# sourceMappingURL=.*", "", code)


def _leaflet_css() -> str:
    """Its style with its images inside."""
    def inside(found: re.Match[str]) -> str:
        path = _LEAFLET / found[1]
        if not path.is_file():
            return found[0]
        return f"url(data:image/png;base64,{base64.b64encode(path.read_bytes()).decode()})"
    return re.sub(r"url\((images/[^)]*)\)", inside, (_LEAFLET / "leaflet.css").read_text(encoding="utf-8"))


def _regional(report: Report) -> dict[str, str]:
    found, detail = report.run.regional, report.run.region.grid.cell_m
    if found is None:
        return {}
    return {**mapregions.prepare_districts(found.districts, mapregions.colors_of(found.districts), detail),
            "distritos_hoy": mapregions.prepare_today(found.districts, detail), "redes": mapregions.prepare_networks(found.networks),
            "zonas": mapregions.prepare_zones(found.zones)}


def _told(report: Report, layer: str, fields: tuple[str, ...]) -> Mapping[str, Any]:
    """What a click tells of each mark, row by row, with the labels of the fields and where the mark stands."""
    frame = report.layers[layer].to_crs(4326)
    declared: dict[str, Column] = {c.export: c for t in TABLES[layer] for c in t.all()}
    labels = [declared[name].label + (f" ({declared[name].unit})" if declared[name].unit else "") for name in fields]
    values = pd.DataFrame(frame[list(fields)])
    for name in fields:
        if declared[name].kind == "float":
            values[name] = values[name].astype(float).round(2)
    rows = values.astype(object).where(values.notna(), None).to_numpy().tolist()
    return {"ids": frame.index.astype(str).tolist(), "labels": labels, "rows": rows,
            "at": [[round(p.y, 5), round(p.x, 5)] for p in frame.geometry]}
