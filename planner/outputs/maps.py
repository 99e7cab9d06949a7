"""The map: folium with Leaflet served by ourselves, one column-wise layer per table, no tiles and no foreign address.

Layers are the ones of `outputs.layers` (Spanish columns, id as index), so the map cannot disagree with the files.
"""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Mapping
from importlib import resources
from itertools import pairwise
from types import MappingProxyType
from typing import Any

import folium
import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from branca.element import MacroElement
from folium.template import Template

from planner.outputs.mapjson import bits, key_of, keyed, latlon, points, rings, steps, text_json

VENDOR = "/app/static/vendor/leaflet/"
# Fixed classes: a colour means the same score in every scenario and region. Upper edges, inclusive.
SCORE_EDGES = (10.0, 20.0, 30.0, 45.0, 60.0, 100.0)
# viridis, light to dark: dark is worse, and survives every colour deficiency; the last one is "no data".
SCORE_COLORS = ("#fde725", "#7ad151", "#22a884", "#2a788e", "#414487", "#440154")
NO_DATA = "#b9bec5"
BANDS = ("#2c7fb8", "#7fcdbb", "#d4eeb9")
_INK = "#14213d"
UNIT_STYLES: dict[str, tuple[str, tuple[str, ...], dict[str, Any]]] = {
    "umr": ("Unidad médica rural", ("UMR",), {"shape": "square", "radius": 5, "fillColor": "#ffffff", "color": _INK, "weight": 1.6}),
    "centro": ("Centro de salud", ("centro_salud",), {"shape": "square", "radius": 6, "fillColor": "#4a7bd0", "color": _INK, "weight": 1}),
    "hospital": ("Hospital", ("HR", "hospital_general", "hospital_integral", "hospital_especializado"),
                 {"shape": "cross", "radius": 9, "fillColor": "#d55e00", "color": "#ffffff", "weight": 1.2}),
    "movil": ("Unidad móvil o brigada", ("UMM", "brigada"),
              {"shape": "triangle", "radius": 6, "fillColor": "#ffffff", "color": "#d55e00", "weight": 1.8}),
    "otra": ("Otra unidad (capa aparte)", (), {"shape": "square", "radius": 3, "fillColor": "#9aa3ad", "color": "#5b6470", "weight": 0.8}),
}
_HOLLOW = {"fillColor": "#ffffff", "color": "#e7298a", "weight": 2.4}
# Wider than the unit they stand under, so that both can be seen and clicked.
PROPOSAL_STYLES: dict[str, tuple[str, dict[str, Any]]] = {
    "umr": ("UMR nueva", {"shape": "star", "radius": 12}),
    "nucleo": ("Núcleo adicional", {"shape": "diamond", "radius": 11}),
    "plaza": ("Plaza vacante cubierta", {"shape": "diamond", "radius": 11, **_HOLLOW}),
    "umm": ("Ruta de UMM (base)", {"shape": "triangle", "radius": 12}),
    "brigada": ("Ruta de brigada (base)", {"shape": "circle", "radius": 10}),
    "ruta": ("Ruta actual ampliada (base)", {"shape": "triangle", "radius": 12, **_HOLLOW}),
    "caro": ("CARO", {"shape": "square", "radius": 11}),
    "ambulancia": ("Ambulancia", {"shape": "cross", "radius": 11}),
}
PROPOSALS_LOOK = {"fillColor": "#e7298a", "color": "#ffffff", "weight": 1.4, "fillOpacity": 1}
_DETAIL_DEG = 1e-4  # of the ways of teams, ten metres


# Layers of each map with what the reader calls them, ground up; units outside the planned network are shown on demand.
LAYERS = {"influencias": "Áreas de influencia, todas", "areas": "Área de influencia", "referencias": "Camino al hospital",
          "rutas": "Rutas", "localidades": "Localidades",
          "otras": "Otras unidades", "propuestas": "Propuestas", "unidades": "Unidades", "elegida": ""}
ON_DEMAND = ("influencias", "otras")
FLAGGED = {"avisos": "Lugares con aviso"}  # the map of what the data checks found


class OfflineMap(folium.Map):
    """A folium map that asks only the server it came from for Leaflet."""

    default_js = [("leaflet", VENDOR + "leaflet.js")]
    default_css = [("leaflet_css", VENDOR + "leaflet.css")]


class _Script(MacroElement):
    _template = Template("{% macro header(this, kwargs) %}{{ this.style }}{% endmacro %}"
                         "{% macro script(this, kwargs) %}{{ this.code(this._parent.get_name()) }}{% endmacro %}")

    def __init__(self, code: str, style: str = "") -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._name = "planner"
        self._code, self.style = code, style

    def code(self, parent: str) -> str:
        return self._code.replace("__MAP__", parent)


LEGEND_STYLE = """.leyenda { display: grid; grid-template-columns: max-content 1fr; column-gap: .9rem; line-height: 1.6; color: #33404d; }
.leyenda p { display: contents; } .leyenda b, .leyenda i { font-size: .8rem; font-style: normal; } .leyenda b { font-weight: 600; }
.leyenda span { display: inline-flex; align-items: center; gap: .25rem; margin-right: .8rem; white-space: nowrap; }"""
_STYLE = """<style>.leaflet-container { background: #f4f5f2; font-family: system-ui, sans-serif; }
.planner-note { background: #fff3c4; color: #5c4400; padding: .1rem .5rem; font: 600 .85rem system-ui, sans-serif; }
.leaflet-tooltip { width: max-content; max-width: 320px; white-space: normal; font-size: .8rem; }
.planner-label { background: none; border: 0; box-shadow: none; padding: 0; color: #14213d; font-size: .78rem;
  text-shadow: 0 0 3px #fff, 0 0 3px #fff, 0 0 4px #fff; pointer-events: none; } .planner-label::before { display: none; }</style>"""


def score_class(score: pd.Series) -> np.ndarray:
    """Class of each score, 0 (least gap) to 5; 6 where the score is missing.

    >>> score_class(pd.Series([0.0, 10.0, 10.1, 82.5, float("nan")])).tolist()
    [0, 0, 1, 5, 6]
    """
    values = score.to_numpy(float, na_value=np.nan)
    return np.where(np.isnan(values), len(SCORE_EDGES), np.searchsorted(SCORE_EDGES, values, side="left")).astype(int)


def prepare_layers(layers: Mapping[str, gpd.GeoDataFrame]) -> dict[str, str]:
    """The layers `localidades`, `unidades`, `propuestas` and `rutas` that are given, as JSON columns with a key of the content.

    Units outside the planned network become a layer of their own, `otras`.
    """
    makers = {"localidades": _localities, "unidades": _units, "otras": _units, "propuestas": _proposals, "rutas": _routes}
    found = dict(layers)
    if "unidades" in found:
        inside, outside = _in_network(found["unidades"])
        found |= {"unidades": inside, "otras": outside}
    return {name: keyed(make(found[name].to_crs(4326))) for name, make in makers.items() if name in found}


def prepare_places(localities: gpd.GeoDataFrame) -> dict[str, str]:
    """The localities in two layers: `lugares`, which no scenario changes, and `localidades`, what a scenario makes of them."""
    frame = localities.to_crs(4326)
    where = keyed(_places(frame))
    return {"lugares": where, "localidades": keyed({"on": key_of(where), **_scores(frame)})}


def prepare_filter(layers: Mapping[str, gpd.GeoDataFrame], shown: Mapping[str, pd.Index]) -> str:
    """Which rows of `localidades`, `unidades` and `otras` are drawn: those whose ids are `shown`; a layer not named is whole."""
    inside, outside = _in_network(layers["unidades"])
    drawn = {"localidades": layers["localidades"].index, "unidades": _stacked(inside).index, "otras": _stacked(outside).index}
    return keyed({name: bits(drawn[name].isin(ids)) for name, ids in shown.items()})


def prepare_areas(areas: gpd.GeoDataFrame, detail_m: float) -> str:
    """Every catchment of the layer `areas_influencia`, by band of minutes, as finely as a whole state needs."""
    bounds = sorted(areas["min_hasta"].unique())
    ordered = areas.sort_values("min_hasta", ascending=False, kind="stable")
    simple = ordered.geometry.simplify(detail_m).to_crs(4326)
    parts = [(bounds.index(band), steps(part.exterior)) for band, area in zip(ordered["min_hasta"], simple, strict=True)
             for part in shapely.get_parts(area) if not part.is_empty]
    return keyed({"band": [band for band, _ in parts], "rings": [ring for _, ring in parts]})


def prepare_flagged(places: gpd.GeoDataFrame) -> str:
    """Places with what the data checks say of them: columns `name`, `kind` (localidad or unidad) and `told`, by id."""
    frame = places.to_crs(4326)
    return keyed(points(frame, "name") | {"kind": frame["kind"].astype(str).tolist(), "told": frame["told"].astype(str).tolist()})


def prepare_area(areas: gpd.GeoDataFrame, place: str) -> str:
    """The catchment of one unit (clues) or proposal (id) from the layer `areas_influencia`, by band of minutes."""
    edges = sorted(areas["min_hasta"].unique())
    mine = areas[(areas["clues"] == place) | (areas["propuesta"] == place)].sort_values("min_hasta", ascending=False).to_crs(4326)
    return keyed({"band": [edges.index(value) for value in mine["min_hasta"]],
                   "rings": [[rings(part) for part in shapely.get_parts(area)] for area in mine.geometry]})


def prepare_referral(referrals: gpd.GeoDataFrame, place: str) -> str:
    """The way of one unit (clues) to its hospital, from the layer `referencias`; nothing where it has none."""
    mine = referrals[referrals.index == place].to_crs(4326)
    return keyed({"name": mine["nombre_hospital"].astype(str).tolist(), "line": [latlon(line) for line in mine.geometry]})


def chosen_mark(place: str, point: shapely.Point, around: gpd.GeoSeries) -> str:
    """The ring around what the reader chose (`kind/id`, in degrees), and what should be in view if it was not chosen on the map."""
    seen = np.vstack([around.to_crs(4326).get_coordinates(), [point.x, point.y]])[:, [1, 0]]
    view = np.round([seen.min(axis=0), seen.max(axis=0)], 5).tolist()
    return keyed({"place": place, "lat": round(point.y, 5), "lon": round(point.x, 5), "view": view})


def base_map(names: Mapping[str, str] = MappingProxyType(LAYERS)) -> folium.Map:
    """The map without anything on it; `names` of the layers that it may be given besides the `base` of `prepare_base`."""
    blank = OfflineMap(tiles=None, prefer_canvas=True, zoom_control=False, attribution_control=False, min_zoom=5, max_zoom=15,
                       zoom_snap=0.25)
    script = resources.files("planner.outputs").joinpath("map.js").read_text(encoding="utf-8")
    told = f"{text_json([*names.items()])}, {text_json(ON_DEMAND)}"
    blank.add_child(_Script(f"{script}\nwindow.planner = new window.plannerMap(__MAP__, {told});", _STYLE))
    return blank


def drawing(drawn: Mapping[str, str]) -> folium.FeatureGroup:
    """Results as a feature group that streamlit-folium sends; it redraws only layers whose content changed."""
    body = ",".join(f"{json.dumps(name)}:{drawn[name]}" for name in sorted(drawn))
    group = folium.FeatureGroup(control=False)
    # streamlit-folium appends every group it ever drew to this list and never forgets one
    group.add_child(_Script(f"window.feature_group = []; window.planner.update({{{body}}});"))
    return group


def legend_html(areas: gpd.GeoDataFrame) -> str:
    """The legend; `areas` is the layer `areas_influencia`, which knows the bands of minutes."""
    edges = (0.0, *SCORE_EDGES)
    dot = {"shape": "circle", "color": "#3b4350", "weight": 0.5}
    area = {"shape": "square", "color": "#1f5fa8", "weight": 0.8}
    classes = [(dot | {"fillColor": color}, f"{low:g} a {high:g}")
               for low, high, color in zip(edges, SCORE_EDGES, SCORE_COLORS, strict=False)]
    bounds = [0.0, *sorted(areas["min_hasta"].unique())]
    bands = [f"{low:g} a {high:g} min" for low, high in pairwise(bounds)]
    parts = {
        "Puntaje de brecha": [*classes, (dot | {"fillColor": NO_DATA}, "Sin dato")],
        "Unidades": [(style, name) for name, _, style in UNIT_STYLES.values()],
        "Propuestas": [(PROPOSALS_LOOK | style, name) for name, style in PROPOSAL_STYLES.values()],
        "Área de influencia": [(area | {"fillColor": color}, name) for color, name in zip(BANDS, bands, strict=False)]}
    rows = {title: "".join(legend_entry(style, name) for style, name in entries) for title, entries in parts.items() if entries}
    return f"<div class='leyenda'>{''.join(f'<p><b>{title}</b><i>{row}</i></p>' for title, row in rows.items())}</div>"


_ICONS = {"circle": '<circle cx="8" cy="8" r="5"', "square": '<rect x="3" y="3" width="10" height="10"',
          "diamond": '<path d="M8 2 14 8 8 14 2 8Z"', "triangle": '<path d="M8 2 14 13H2Z"',
          "cross": '<path d="M6 2h4v4h4v4h-4v4H6v-4H2V6h4Z"',
          "line": '<path d="M0 8H16"', "dashed": '<path stroke-dasharray="2 3" d="M0 8H16"',
          "star": '<path d="M8.0 0.9L10.0 5.6L15.1 6.1L11.2 9.5L12.4 14.5L8.0 11.8L3.6 14.5L4.8 9.5L0.9 6.1L6.0 5.6Z"'}


def legend_entry(style: Mapping[str, Any], name: str) -> str:
    """HTML of a mark of the map and its name."""
    mark = f'{_ICONS[style["shape"]]} fill="{style["fillColor"]}" stroke="{style["color"]}" stroke-width="{style["weight"]}"/>'
    drawn = base64.b64encode(f'<svg xmlns="http://www.w3.org/2000/svg" width="16" height="16">{mark}</svg>'.encode()).decode()
    # Streamlit takes inline SVG out of a page, images it leaves
    return f'<span><img width="16" height="16" alt="" src="data:image/svg+xml;base64,{drawn}">{html.escape(name)}</span>'


def _localities(frame: gpd.GeoDataFrame) -> dict[str, Any]:
    return _places(frame) | _scores(frame)


def _places(frame: gpd.GeoDataFrame) -> dict[str, Any]:
    places, place = np.unique(frame["nom_mun"].fillna("").astype(str).to_numpy(object), return_inverse=True)
    return points(frame, "nom_loc") | {"places": places.tolist(), "place": place.tolist()}


def _scores(frame: gpd.GeoDataFrame) -> dict[str, Any]:
    people = frame["poblacion"].to_numpy(float, na_value=0.0)
    scores = frame["puntaje_brecha"].astype(float).round(1)
    return {
        "color": score_class(frame["puntaje_brecha"]).tolist(),
        "score": [None if np.isnan(s) else s for s in scores.tolist()], "people": np.rint(people).astype(int).tolist(),
        # area follows people, between a visible dot and a town that does not hide its neighbours; tenths of a pixel
        "size": np.rint(10 * np.clip(2.2 + np.sqrt(people) / 9, 2.5, 11)).astype(int).tolist()}


def _in_network(units: gpd.GeoDataFrame) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """The units of the planned network, and the others."""
    outside = units["funcion"] == "ninguno"
    return units[~outside], units[outside]


def _stacked(units: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Fixed units last, above the mobile ones that park there; their kind in `kind`."""
    kinds = {value: i for i, (_, values, _) in enumerate(UNIT_STYLES.values()) for value in values}
    kind = units["clase"].map(kinds).fillna(len(UNIT_STYLES) - 1).astype(int)
    return units.assign(kind=kind).sort_values("kind", ascending=False, kind="stable")


def _units(frame: gpd.GeoDataFrame) -> dict[str, Any]:
    stacked = _stacked(frame)
    return points(stacked, "nombre") | {"color": stacked["kind"].tolist()}


def _proposals(frame: gpd.GeoDataFrame) -> dict[str, Any]:
    order = list(PROPOSAL_STYLES)
    columns = {"color": [order.index(kind) for kind in frame["tipo"]], "note": frame["motivo"].astype(str).tolist()}
    return points(frame, "nombre") | columns


def _routes(frame: gpd.GeoDataFrame) -> dict[str, Any]:
    """Each leg along the way that it takes."""
    legs = frame[frame["elemento"] == "tramo"]
    notes = [f"{minutes:.0f} min: {walk:.0f} a pie, {ride:.0f} en vehículo; {km:.1f} km" + ("; pernocta" if night else "")
             for minutes, walk, ride, km, night in zip(*(legs[name] for name in (
                 "minutos", "min_a_pie", "min_vehiculo", "km", "pernocta")), strict=True)]
    return {"name": legs["nombre"].astype(str).tolist(), "note": notes, "alone": legs["ruta"].nunique() == 1,
            "line": [latlon(line) for line in legs.geometry.simplify(_DETAIL_DEG)]}
