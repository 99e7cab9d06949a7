"""Small worlds made by hand: a grid of 100 m cells whose south-west corner is (0, 0), and roads drawn as lists of points."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from planner.kinds import Mode
from planner.model import Grid, Roads
from planner.schema import ROADS
from planner.settings import Scenario
from planner.travel.ground import Ground, pairs_within
from planner.travel.join import join
from planner.travel.weigh import weigh

CRS = "EPSG:32614"
CELL = 100.0
PLAIN: Mapping[str, Any] = {
    "name": None, "road_class": "unclassified", "surface": None, "tracktype": np.nan, "smoothness": None, "posted_kmh": np.nan,
    "crossing_min": np.nan, "forward": True, "backward": True, "drive": True, "walk": True, "board": True, "bridge": False, "ford": False,
    "ferry": False, "toll": False}
# What publishers' classes and tags mean for these columns.
ONE_WAY = {"backward": False}
MOTORWAY = {"road_class": "motorway", "board": False, "walk": False}
BRIDGE = {"bridge": True, "board": False}
FERRY = {"road_class": "ferry", "ferry": True, "board": False}
PATH = {"road_class": "path", "drive": False}

TEXT = ("way", "name", "road_class", "surface", "smoothness")
TYPES: Mapping[str, Any] = dict.fromkeys(TEXT, object) | dict.fromkeys(("u", "v"), np.int64) | {
    name: type(value) for name, value in PLAIN.items() if isinstance(value, bool | float)}

Way = tuple[list[tuple[float, float]], dict[str, Any]]


def ground(shape: tuple[int, int], elevation: np.ndarray | None = None, *, road_kmh: Any = 0.0, slope: Any = 0.0, factor: Any = 1.0,
           blocked: np.ndarray | None = None) -> Grid:
    """A grid of this shape; layers are one value or an array."""
    road, degrees, walk = (np.broadcast_to(np.asarray(v, np.float32), shape).copy() for v in (road_kmh, slope, factor))
    z = None if elevation is None else np.asarray(elevation, np.float32)
    return Grid((CELL, 0.0, 0.0, 0.0, -CELL, shape[0] * CELL), CRS, road, degrees, walk, z, blocked)


def way(*points: tuple[float, float], **attributes: Any) -> Way:
    """A way through these points (metres, y up); attributes other than PLAIN's."""
    return list(points), attributes


def roads(*ways: Way) -> Roads:
    """The network of ways, cut where they share a vertex and where one passes a vertex twice."""
    uses = Counter(point for points, _ in ways for point in points)
    ends = {point for points, _ in ways for point in (points[0], points[-1])}
    is_node = {point for point, n in uses.items() if n > 1} | ends
    number = {point: i for i, point in enumerate(sorted(is_node))}
    rows, lines = [], []
    for i, (points, attributes) in enumerate(ways):
        cuts = [0, *(k for k in range(1, len(points) - 1) if points[k] in is_node), len(points) - 1]
        for first, last in zip(cuts, cuts[1:], strict=False):
            rows.append({**PLAIN, "way": str(i), **attributes, "u": number[points[first]], "v": number[points[last]]})
            lines.append(shapely.LineString(points[first : last + 1]))
    columns = {name: np.array([row[name] for row in rows], TYPES.get(name)) for name in ROADS.names() if name != "length_m"}
    columns |= {name: pd.array(columns[name], dtype="str") for name in TEXT}
    edges = gpd.GeoDataFrame(pd.DataFrame({**columns, "length_m": shapely.length(lines) if lines else np.empty(0)})[list(ROADS.names())],
                             geometry=np.array(lines, object), crs=CRS)
    points = np.array(sorted(is_node), float).reshape(-1, 2)
    nodes = gpd.GeoDataFrame({"origin": None, "component": 0}, index=range(len(points)), geometry=shapely.points(points), crs=CRS)
    return Roads(nodes, edges)


def points(**places: tuple[float, float]) -> gpd.GeoDataFrame:
    """Points by id."""
    x, y = zip(*places.values(), strict=True)
    return gpd.GeoDataFrame(index=pd.Index(list(places), dtype="str"), geometry=gpd.points_from_xy(x, y, crs=CRS))


def laid(
    grid: Grid, net: Roads | None = None, mode: Mode = "vehiculo", *, barriers: gpd.GeoSeries | None = None, **scenario: Any
) -> Ground:
    """The ground of this world in a scenario."""
    graph, settings = join(grid, net, barriers), Scenario(**scenario)
    return Ground(graph, net, barriers, settings, weigh(graph, net, settings, mode))


def minutes(on: Ground, start: tuple[float, float], end: tuple[float, float], *, towards: bool = True) -> float:
    """Minutes from one point to another; `towards` False asks the search that starts at the first one. inf = unreachable."""
    one, other = on.set(points(a=start)), on.set(points(b=end))
    places, sites = (one, other) if towards else (other, one)
    told = pairs_within(on, places, sites, 1e6, towards=towards)["value"]
    return float(told.iloc[0]) if len(told) else float("inf")
