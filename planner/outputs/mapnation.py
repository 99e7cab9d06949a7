"""What the map draws of a country: municipalities by their mean score, borders of states, and the localities of one municipality."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import shapely

from planner.outputs.mapjson import keyed, latlon, rings
from planner.outputs.maps import NO_DATA, SCORE_COLORS, SCORE_EDGES, legend_entry, prepare_places, score_class

NAMES = {"puntajes": "Puntaje por municipio", "localidades": "Localidades del municipio", "elegida": ""}
NEAR_DEG = 0.05  # around a municipality: its localities may stand a little outside of limits drawn coarsely
_DETAIL_DEG = 0.01  # a kilometre: what a screen shows of a country
_DIGITS = 3


def prepare_nation(towns: gpd.GeoDataFrame) -> dict[str, str]:
    """The ground (borders of states) and the municipalities, coloured by `puntaje`; those without limits are in the table only."""
    drawn = towns[towns.geometry.notna() & ~towns.geometry.is_empty]
    simple = gpd.GeoSeries(shapely.coverage_simplify(drawn.geometry.to_numpy(), _DETAIL_DEG), index=drawn.index, crs=4326)
    states = gpd.GeoDataFrame({"entity": drawn.index.str[:2]}, geometry=simple.to_numpy(), crs=4326).dissolve("entity")
    west, south, east, north = drawn.total_bounds.tolist() if len(drawn) else (-118.0, 14.0, -86.0, 33.0)
    lines = shapely.get_parts(shapely.line_merge(shapely.union_all(states.boundary.to_numpy())))
    ground: dict[str, Any] = {
        "note": "", "borders": [latlon(line, _DIGITS) for line in lines], "bounds": [[south, west], [north, east]], "image": None,
        "image_bounds": None, "roads": [], "barriers": {"lines": [], "areas": []}, "colors": [*SCORE_COLORS, NO_DATA], "bands": [],
        "units": [], "unit_names": [], "proposals": [], "proposal_names": []}
    return {"base": keyed(ground), "puntajes": keyed({
        "id": drawn.index.tolist(), "color": score_class(drawn["puntaje"]).tolist(), "lines": [_about(row) for _, row in drawn.iterrows()],
        "rings": [[rings(part, _DIGITS) for part in shapely.get_parts(shape) if part.geom_type == "Polygon"] for shape in simple]})}


def prepare_town(key: str, shape: Any, places: gpd.GeoDataFrame) -> dict[str, str]:
    """The localities of a municipality, and the view that shows it."""
    west, south, east, north = (shape.bounds if shape is not None and not shape.is_empty else places.total_bounds)
    middle = [(south + north) / 2, (west + east) / 2]
    mark = {"place": key, "lat": middle[0], "lon": middle[1], "view": [[south, west], [north, east]]}
    return {**prepare_places(places), "elegida": keyed(mark)}


def legend_html() -> str:
    """The classes of the score."""
    dot = {"shape": "square", "color": "#3b4350", "weight": 0.5}
    names = [f"{low:g} a {high:g}" for low, high in zip((0.0, *SCORE_EDGES), SCORE_EDGES, strict=False)]
    entries = "".join(legend_entry(dot | {"fillColor": color}, name)
                      for color, name in zip((*SCORE_COLORS, NO_DATA), (*names, "Sin dato"), strict=True))
    return f"<div class='leyenda'><p><b>Puntaje de brecha</b><i>{entries}</i></p></div>"


def _about(row: Any) -> list[str]:
    score = "Puntaje: sin dato" if row["puntaje"] != row["puntaje"] else f"Puntaje: {row['puntaje']:.1f} de 100"
    return [str(row["nombre"]), str(row["nom_ent"]), score, f"{row['poblacion']:,.0f} personas objetivo",
            f"{row['personas_equiv']:,.0f} personas equivalentes sin acceso"]
