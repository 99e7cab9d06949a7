"""What the map draws of a regionalization: districts, today's groups, networks, rounds of supervision, units and hospitals.

Colours only help the eye: neighbours differ by the border and the key that stands on each district as well.
"""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import networkx as nx
import numpy as np
import pandas as pd
import shapely

from planner.decide.regional.districts import Districts
from planner.decide.regional.networks import Networks
from planner.decide.regional.zones import Zones
from planner.model import Region
from planner.outputs.mapjson import keyed, latlon, points, rings
from planner.outputs.maps import UNIT_STYLES, legend_entry

NAMES = {"distritos": "Distritos", "municipios": "Municipios sin polígono", "distritos_hoy": "Distritos de hoy",
         "redes": "Redes de referencia", "zonas": "Zonas de supervisión", "sedes": "Unidades", "hospitales": "Hospitales"}
# Okabe and Ito's colours (2008), told apart by every colour vision; their vermilion is the hospitals'.
COLORS = ("#56b4e9", "#e69f00", "#009e73", "#f0e442", "#0072b2", "#cc79a7", "#a6a6a6")
NETWORK, ROUND, TODAY = "#b0256f", "#14213d", "#111111"
_DIGITS = 4  # ten metres
_DETAIL_DEG = 1e-3
_KEYS = list(UNIT_STYLES)


def legend_html() -> str:
    """The legend of what stands on the districts; their colours mean nothing but where one ends."""
    bare = {"fillColor": "none", "shape": "line"}
    units = [(UNIT_STYLES[key][2], UNIT_STYLES[key][0]) for key in ("hospital", "umr", "centro", "movil")]
    lines = [(bare | {"color": NETWORK, "weight": 2}, "Red de referencia"), (bare | {"color": ROUND, "weight": 2}, "Ronda de supervisión"),
             (bare | {"color": TODAY, "weight": 2.4, "shape": "dashed"}, "Distritos de hoy")]
    entries = "".join(legend_entry(style, name) for style, name in (*units, *lines))
    return (f"<div class='leyenda'><p><b>Sobre los distritos</b><i>{entries}</i></p>"
            "<p><b>Distritos</b><i>El color solo separa vecinos; la clave está sobre cada uno.</i></p></div>")


def colors_of(found: Districts) -> dict[str, int]:
    """A colour (position in COLORS) for each district, another than those of its neighbours as far as colours go."""
    district = found.members["district"].to_numpy()
    graph = nx.Graph()
    graph.add_nodes_from(found.table.index)
    graph.add_edges_from(tuple(pair) for pair in district[found.areas.edges].tolist() if pair[0] != pair[1])
    told = nx.greedy_color(graph, strategy="DSATUR")
    return {str(name): told[name] % len(COLORS) for name in found.table.index}


def prepare_districts(found: Districts, colors: dict[str, int], detail_m: float) -> dict[str, str]:
    """The districts, and as squares the areas that have no polygon; a district without colour takes the last."""
    table = found.table
    has = table.geometry.notna() & ~table.geometry.is_empty
    drawn = table.geometry.where(has).copy()
    drawn[has] = table.geometry[has].simplify_coverage(detail_m).to_crs(4326).to_numpy()
    lines = {key: _about_district(str(key), row) for key, row in table.iterrows()}
    shown = list(table.index[has])
    seats = drawn[has].representative_point()
    areas = found.shapes.isna() | found.shapes.is_empty
    bare = gpd.GeoDataFrame(found.members, geometry=gpd.points_from_xy(*found.areas.xy.T), crs=found.shapes.crs)[areas.to_numpy()]
    columns = points(bare.to_crs(4326), "name") | {
        "colors": COLORS, "color": [colors.get(key, len(COLORS) - 1) for key in bare["district"]],
        "lines": [[str(row["name"]), *lines[row["district"]]] for _, row in bare.iterrows()]}
    return {"municipios": keyed(columns), "distritos": keyed({
        "id": [str(key) for key in shown], "colors": COLORS, "color": [colors.get(key, len(COLORS) - 1) for key in shown],
        "lines": [lines[key] for key in shown], "label": [[round(p.y, _DIGITS), round(p.x, _DIGITS)] for p in seats],
        "rings": [[rings(part, _DIGITS) for part in _polygons(shape)] for shape in drawn[has]]})}


def prepare_today(found: Districts, detail_m: float) -> str:
    """The borders between today's groups."""
    today = found.members["district_today"]
    has = found.shapes.notna() & ~found.shapes.is_empty & today.notna()
    if not has.any():
        return keyed({"ink": TODAY, "line": []})
    areas = gpd.GeoDataFrame({"today": today[has]}, geometry=found.shapes[has].simplify_coverage(detail_m), crs=found.shapes.crs)
    groups = areas.dissolve("today").to_crs(4326)
    inside = shapely.union_all(groups.boundary.to_numpy()).difference(groups.union_all().boundary)
    lines = [line for line in shapely.get_parts(shapely.line_merge(inside)) if line.geom_type == "LineString"]
    return keyed({"ink": TODAY, "line": [latlon(line, _DIGITS) for line in lines]})


def prepare_networks(found: Networks) -> str:
    """The way from each unit to its hospital; straight where it is not known."""
    names = found.hospitals["name"]
    held = found.lines.to_crs(4326)
    told = [[str(row["name"]), f"refiere a {names[row['hospital']]}, {row['minutes']:.0f} min",
             "en línea recta: no se conoce el camino" if row["straight"] else "", "" if row["fits"] else "no cabe: sobre su capacidad"]
            for _, row in held.iterrows()]
    return keyed({"ink": NETWORK, "lines": told, "line": [latlon(line, _DIGITS) for line in held.geometry.simplify(_DETAIL_DEG)]})


def prepare_zones(found: Zones) -> str:
    """The round of each zone, from its head from unit to unit and back, in straight lines."""
    units = found.units.to_crs(4326)
    lines, told = [], []
    for zone, row in found.zones.iterrows():
        own = units[units["zone"] == zone].sort_values("order").geometry
        ring = np.column_stack([own.y, own.x])
        lines.append(np.round([*ring, ring[0]], _DIGITS).tolist())
        told.append([f"Zona {zone}", f"{row['units']} unidades; ronda de {row['round_min']:.0f} min", f"sale de {row['head']}"])
    return keyed({"ink": ROUND, "line": lines, "lines": told})


def prepare_units(region: Region, networks: Networks, zones: Zones) -> dict[str, str]:
    """The units that refer, and the hospitals of the networks."""
    units, names = networks.units.to_crs(4326), networks.hospitals["name"]
    zone = zones.units["zone"].reindex(units.index)
    kind = region.units["unit_class"].reindex(units.index)
    kind = kind.mask(units["kind"] == "propuesta", "UMR")
    look = {value: at for at, (_, values, _) in enumerate(UNIT_STYLES.values()) for value in values}
    told = [[("Propuesta: " if row["kind"] == "propuesta" else "") + str(row["name"]),
             f"hospital: {names.get(row['hospital'], 'ninguno')}", "" if pd.isna(own) else f"zona {own}"]
            for (_, row), own in zip(units.iterrows(), zone, strict=True)]
    hospitals = region.units.loc[networks.hospitals.index].to_crs(4326)
    held = [[str(row["name"]), f"{row['people']:,.0f} personas en su red"] for _, row in networks.hospitals.iterrows()]
    return {
        "sedes": keyed(points(units, "name") | {"lines": told, "color": [look.get(own, len(_KEYS) - 1) for own in kind]}),
        "hospitales": keyed(points(hospitals, "name") | {"lines": held, "color": [_KEYS.index("hospital")] * len(hospitals)})}


def _about_district(key: str, row: Any) -> list[str]:
    minutes = "sin minutos al hospital" if pd.isna(row["minutes_mean"]) else f"{row['minutes_mean']:.0f} min al hospital en media"
    return [f"{key}: {row['name']}", f"{row['municipalities']} municipios, {row['people']:,.0f} personas objetivo", minutes,
            "" if row["contiguous"] else "no es contiguo"]


def _polygons(shape: Any) -> list[shapely.Polygon]:
    return [part for part in shapely.get_parts(shape) if part.geom_type == "Polygon"]
