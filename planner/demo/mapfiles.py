"""The demo's maps on disk: OpenStreetMap's XML of the roads, elevation, water, and people by cell."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely
from scipy.ndimage import gaussian_filter

from planner.demo.places import Country
from planner.demo.roads import Way
from planner.demo.terrain import CELL_M, CRS, ORIGIN, SHAPE, Terrain, centre
from planner.sources.rasters import write_raster

Fault = tuple[str, str, str]  # what kind, the id of what has it, and in words
ODD = (
    (("highway", "brecha"), "clase_desconocida", "Su clase no es de OpenStreetMap."),
    (("highway", "construction"), "no_es_camino", "Está en construcción."),
    (("access", "private"), "via_privada", "Es privada."),
)
BEYOND = 24  # cells of elevation around the whole, as tiles of a real model have
HOME_SPREAD = 1.2  # cells over which the homes of a locality lie around its point
DISPERSED = 0.004  # people by cell of flat land who live in no locality
HOLE = 1  # cells around the highest one of which the elevation model knows nothing


def write_roads(path: Path, ways: Sequence[Way], note: str) -> list[Fault]:
    """The ways as OpenStreetMap's XML, numbered as they come, and what is wrong with some; private ways have a gate."""
    xy, of = shapely.get_coordinates([way.line for way in ways], return_index=True)
    lon_lat = shapely.get_coordinates(gpd.GeoSeries(shapely.points(xy), crs=CRS).to_crs(4326)).round(7)
    places, node = np.unique(lon_lat, axis=0, return_inverse=True)
    gates = [int(node[of == i][1]) for i, way in enumerate(ways) if way.tags.get("access") == "private"]
    root = ET.Element("osm", version="0.6", generator=f"planner demo. {note}")
    for i, (lon, lat) in enumerate(places):
        at = ET.SubElement(root, "node", id=str(i + 1), lat=f"{lat:.7f}", lon=f"{lon:.7f}")
        if i in gates:
            ET.SubElement(at, "tag", k="barrier", v="gate")
    for i, way in enumerate(ways):
        drawn = ET.SubElement(root, "way", id=str(i + 1))
        for n in node[of == i]:
            ET.SubElement(drawn, "nd", ref=str(n + 1))
        for key, value in way.tags.items():
            ET.SubElement(drawn, "tag", k=key, v=value)
    ET.indent(root, " ")
    path.write_bytes(ET.tostring(root, "utf-8", xml_declaration=True) + b"\n")
    odd = [(code, str(i), what) for i, way in enumerate(ways, 1) for tag, code, what in ODD if tag in way.tags.items()]
    return [*odd, *(("barrera_puntual", str(gate + 1), "Reja sobre un camino.") for gate in gates)]


def write_elevation(path: Path, terrain: Terrain) -> list[Fault]:
    """Metres, somewhat beyond the state, and what is wrong: nothing is known of the highest top."""
    row, col = np.unravel_index(np.where(terrain.inside, terrain.elevation_m, -np.inf).argmax(), SHAPE)
    wider = np.pad(terrain.elevation_m.round(1), BEYOND, mode="reflect").astype(np.float32)
    wider[tuple(slice(BEYOND + at - HOLE, BEYOND + at + HOLE + 1) for at in (row, col))] = np.nan
    write_raster(path, wider, (CELL_M, 0.0, ORIGIN[0] - BEYOND * CELL_M, 0.0, -CELL_M, ORIGIN[1] + BEYOND * CELL_M), CRS, np.nan)
    x, y = centre(int((row - HOLE) * SHAPE[1] + col - HOLE))
    return [("dem_vacios", f"{x:.0f} E {y:.0f} N", "Al modelo de elevación le falta la cumbre más alta.")]


def write_water(path: Path, terrain: Terrain, note: str) -> None:
    """Rivers and the reservoir as GeoJSON."""
    shapes = {"Río sintético": terrain.rivers, "Embalse sintético": terrain.reservoir}
    drawn = gpd.GeoSeries(list(shapes.values()), crs=CRS).to_crs(4326).set_precision(1e-6)
    features = [{"type": "Feature", "properties": {"nombre": name, "nota": note}, "geometry": shapely.geometry.mapping(shape)}
                for name, shape in zip(shapes, drawn, strict=True)]
    text = json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False, separators=(",", ":"))
    path.write_bytes(text.replace('{"type":"Feature"', '\n{"type":"Feature"').encode() + b"\n")


def write_people(path: Path, rng: np.random.Generator, terrain: Terrain, country: Country) -> None:
    """People by cell: those of the localities around their points, and a few in the open country."""
    places = country.localities
    col, row = ((places["x"] - ORIGIN[0]) // CELL_M).astype(int), ((ORIGIN[1] - places["y"]) // CELL_M).astype(int)
    homes = np.zeros(SHAPE)
    np.add.at(homes, (row.to_numpy(), col.to_numpy()), places["population"].to_numpy())
    alone = rng.poisson(DISPERSED * np.where(terrain.land, np.exp(-terrain.slope_deg / 8), 0.0)) * rng.integers(2, 9, SHAPE)
    people = gaussian_filter(homes, HOME_SPREAD, mode="constant") + alone
    write_raster(path, people.round(2).astype(np.float32), (CELL_M, 0.0, ORIGIN[0], 0.0, -CELL_M, ORIGIN[1]), CRS, None)
