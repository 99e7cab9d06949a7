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
from branca.utilities import image_to_url
from folium.template import Template
from pyproj import Transformer

from planner.model import Grid, Roads
from planner.outputs.mapjson import keyed, latlon, points, rings, text_json

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
_ROAD_INK = ((40.0, 205), (70.0, 178), (np.inf, 150))  # up to km/h -> grey
# Classes of vector roads, the main ones first, with grey and width; streets and paths are not for this scale.
_ROAD_LINES: tuple[tuple[tuple[str, ...], str, float], ...] = (
    (("motorway", "trunk", "primary", "carretera"), "#8f8f8f", 1.8), (("secondary", "ferry"), "#9c9c9c", 1.4),
    (("tertiary",), "#aaaaaa", 1.2), (("unclassified", "road", "camino"), "#bdbdbd", 1.0), (("track",), "#cccccc", 0.8))
_DETAIL_DEG = 1e-4  # of the ways of teams, ten metres
_POINTS = 20_000  # of each base layer at most: what a browser draws without delay


# Layers of each map with what the reader calls them, ground up; units outside the planned network are shown on demand.
LAYERS = {"areas": "Área de influencia", "referencias": "Camino al hospital", "rutas": "Rutas", "localidades": "Localidades",
          "otras": "Otras unidades", "propuestas": "Propuestas", "unidades": "Unidades", "elegida": ""}
ON_DEMAND = ("otras",)


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


def prepare_base(
    municipalities: gpd.GeoDataFrame, grid: Grid, note: str = "", roads: Roads | None = None, barriers: gpd.GeoSeries | None = None
) -> str:
    """What never changes in a region, as JSON: municipal borders, roads, barriers, colours and names; `note` stands on the map.

    Roads of a raster are an image; vector roads are lines, the main classes as far as _POINTS go, bent as finely as a
    quarter of a cell. Of barriers too the largest come first.
    """
    image, image_bounds = _road_image(grid) if (grid.road_kmh > 0).any() else (None, None)
    drawn = municipalities[municipalities.geometry.notna() & ~municipalities.geometry.is_empty]
    west, south, east, north = drawn.to_crs(4326).total_bounds.tolist() if len(drawn) else _corners(grid)
    simple = drawn.geometry.simplify_coverage(grid.cell_m)
    lines = shapely.get_parts(shapely.line_merge(shapely.union_all(simple.to_crs(4326).boundary.to_numpy())))
    units = [style | {"fillOpacity": 1} for _, _, style in UNIT_STYLES.values()]
    return text_json({
        "note": note, "borders": [latlon(line, 4) for line in lines], "bounds": [[south, west], [north, east]],
        "image": image, "image_bounds": image_bounds, "roads": [] if roads is None else _road_lines(roads, grid.cell_m / 4),
        "barriers": {"lines": [], "areas": []} if barriers is None else _barriers(barriers, grid.cell_m / 4),
        "colors": [*SCORE_COLORS, NO_DATA], "bands": BANDS,
        "units": units, "unit_names": [name for name, _, _ in UNIT_STYLES.values()],
        "proposals": [PROPOSALS_LOOK | style for _, style in PROPOSAL_STYLES.values()],
        "proposal_names": [name for name, _ in PROPOSAL_STYLES.values()]})


def prepare_layers(layers: Mapping[str, gpd.GeoDataFrame]) -> dict[str, str]:
    """The layers `localidades`, `unidades`, `propuestas` and `rutas` that are given, as JSON columns with a key of the content.

    Units outside the planned network become a layer of their own, `otras`.
    """
    makers = {"localidades": _localities, "unidades": _units, "otras": _units, "propuestas": _proposals, "rutas": _routes}
    found = dict(layers)
    if "unidades" in found:
        outside = found["unidades"]["funcion"] == "ninguno"
        found |= {"unidades": found["unidades"][~outside], "otras": found["unidades"][outside]}
    return {name: keyed(make(found[name].to_crs(4326))) for name, make in makers.items() if name in found}


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


def base_map(base: str, names: Mapping[str, str] = MappingProxyType(LAYERS)) -> folium.Map:
    """The map without results; `base` from `prepare_base`, `names` of the layers that it may be given."""
    blank = OfflineMap(tiles=None, prefer_canvas=True, zoom_control=False, attribution_control=False, min_zoom=5, max_zoom=15,
                       zoom_snap=0.25)
    script = resources.files("planner.outputs").joinpath("map.js").read_text(encoding="utf-8")
    told = f"{base}, {text_json([*names.items()])}, {text_json(ON_DEMAND)}"
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
    places, place = np.unique(frame["nom_mun"].fillna("").astype(str).to_numpy(object), return_inverse=True)
    people = frame["poblacion"].to_numpy(float, na_value=0.0)
    scores = frame["puntaje_brecha"].astype(float).round(1)
    return points(frame, "nom_loc") | {
        "places": places.tolist(), "place": place.tolist(), "color": score_class(frame["puntaje_brecha"]).tolist(),
        "score": [None if np.isnan(s) else s for s in scores.tolist()], "people": np.rint(people).astype(int).tolist(),
        # area follows people, between a visible dot and a town that does not hide its neighbours; tenths of a pixel
        "size": np.rint(10 * np.clip(2.2 + np.sqrt(people) / 9, 2.5, 11)).astype(int).tolist()}


def _units(frame: gpd.GeoDataFrame) -> dict[str, Any]:
    kinds = {value: i for i, (_, values, _) in enumerate(UNIT_STYLES.values()) for value in values}
    kind = frame["clase"].map(kinds).fillna(len(UNIT_STYLES) - 1).astype(int)
    kind = kind.sort_values(ascending=False, kind="stable")  # fixed units above the mobile ones that park there
    return points(frame.loc[kind.index], "nombre") | {"color": kind.tolist()}


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


def _road_lines(roads: Roads, detail_m: float) -> list[dict[str, Any]]:
    """Lines of each group of classes, the main ones below all others in the list, while the points last."""
    drawn: list[dict[str, Any]] = []
    left = _POINTS
    for classes, color, weight in _ROAD_LINES:
        lines = _merged(roads.edges.geometry[roads.edges["road_class"].isin(classes)], detail_m)
        left -= int(shapely.get_num_coordinates(lines).sum())
        if drawn and left < 0:
            break
        drawn.append({"color": color, "weight": weight, "lines": [latlon(line, 4) for line in lines]})
    return drawn[::-1]


def _barriers(barriers: gpd.GeoSeries, detail_m: float) -> dict[str, Any]:
    """Lines and areas, the largest that the points last for."""
    areas = np.asarray(barriers[barriers.geom_type == "Polygon"].simplify(detail_m).to_crs(4326))
    lines = _merged(barriers[barriers.geom_type != "Polygon"], detail_m)
    return {"lines": [latlon(line, 4) for line in _largest(lines)], "areas": [rings(area, 4) for area in _largest(areas)]}


def _corners(grid: Grid) -> list[float]:
    """West, south, east and north of the ground, in degrees."""
    a, _, c, _, e, f = grid.transform
    height, width = grid.shape
    west, south, east, north = Transformer.from_crs(grid.crs, 4326, always_xy=True).transform_bounds(c, f + e * height, c + a * width, f)
    return [west, south, east, north]


def _merged(lines: gpd.GeoSeries, detail_m: float) -> np.ndarray:
    """Lines joined end to end where only two meet, simplified, in degrees."""
    parts = shapely.get_parts(shapely.line_merge(shapely.multilinestrings(shapely.get_parts(lines.to_numpy()))))
    return np.asarray(gpd.GeoSeries(shapely.simplify(parts, detail_m), crs=lines.crs).to_crs(4326))


def _largest(shapes: np.ndarray) -> np.ndarray:
    shapes = shapes[np.argsort(-shapely.length(shapes), kind="stable")]
    return np.asarray(shapes[np.cumsum(shapely.get_num_coordinates(shapes)) <= _POINTS])


def _road_image(grid: Grid, widest_px: int = 1100) -> tuple[str, list[list[float]]]:
    """Roads in grey on a transparent image that fits Web Mercator, as a data address, and its corners [lat, lon]."""
    a, _, c, _, e, f = grid.transform
    height, width = grid.shape
    edge = np.linspace(0, 1, 33)
    sides_x = c + a * width * np.concatenate([edge, edge, np.zeros(33), np.ones(33)])
    sides_y = f + e * height * np.concatenate([np.zeros(33), np.ones(33), edge, edge])
    x, y = Transformer.from_crs(grid.crs, 3857, always_xy=True).transform(sides_x, sides_y)
    left, right, low, high = min(x), max(x), min(y), max(y)
    columns = min(widest_px, width)
    rows = max(1, round(columns * (high - low) / (right - left)))
    at = np.meshgrid(left + (np.arange(columns) + 0.5) * (right - left) / columns, high - (np.arange(rows) + 0.5) * (high - low) / rows)
    row, col = grid.cells(*Transformer.from_crs(3857, grid.crs, always_xy=True).transform(*at))
    inside = (row >= 0) & (row < height) & (col >= 0) & (col < width)
    kmh = np.where(inside, grid.road_kmh[row.clip(0, height - 1), col.clip(0, width - 1)], 0)
    grey = np.select([kmh <= limit for limit, _ in _ROAD_INK], [ink for _, ink in _ROAD_INK])
    pixels = np.repeat(grey[..., None], 4, axis=2).astype(np.uint8)
    pixels[..., 3] = np.where(kmh > 0, 255, 0)
    pixels[kmh <= 0] = 0
    corners = Transformer.from_crs(3857, 4326, always_xy=True).transform([left, right], [low, high])
    (west, east), (south, north) = corners
    return image_to_url(pixels), [[south, west], [north, east]]
