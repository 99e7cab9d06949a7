"""The ground of a map, which no scenario changes: municipal borders, roads and barriers, as the map's script draws them."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from branca.utilities import image_to_url
from pyproj import Transformer

from planner.model import Grid, Roads
from planner.outputs.mapjson import keyed, latlon, rings
from planner.outputs.maps import BANDS, NO_DATA, PROPOSAL_STYLES, PROPOSALS_LOOK, SCORE_COLORS, UNIT_STYLES

_ROAD_INK = ((40.0, 205), (70.0, 178), (np.inf, 150))  # up to km/h -> grey
# Classes of vector roads, the main ones first, with grey and width; streets and paths are not for this scale.
_ROAD_LINES: tuple[tuple[tuple[str, ...], str, float], ...] = (
    (("motorway", "trunk", "primary", "carretera"), "#8f8f8f", 1.8), (("secondary", "ferry"), "#9c9c9c", 1.4),
    (("tertiary",), "#aaaaaa", 1.2), (("unclassified", "road", "camino"), "#bdbdbd", 1.0), (("track",), "#cccccc", 0.8))
_POINTS = 20_000  # of each base layer at most: what a browser draws without delay


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
    return keyed({
        "note": note, "borders": [latlon(line, 4) for line in lines], "bounds": [[south, west], [north, east]],
        "image": image, "image_bounds": image_bounds, "roads": [] if roads is None else _road_lines(roads, grid.cell_m / 4),
        "barriers": {"lines": [], "areas": []} if barriers is None else _barriers(barriers, grid.cell_m / 4),
        "colors": [*SCORE_COLORS, NO_DATA], "bands": BANDS,
        "units": units, "unit_names": [name for name, _, _ in UNIT_STYLES.values()],
        "proposals": [PROPOSALS_LOOK | style for _, style in PROPOSAL_STYLES.values()],
        "proposal_names": [name for name, _ in PROPOSAL_STYLES.values()]})


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
