"""A state's own roads: asked of OpenStreetMap at the moment, or cut out of an extract of the country."""

from __future__ import annotations

import os
from pathlib import Path

import geopandas as gpd
import networkx as nx

from planner.errors import StorageError, reason
from planner.sources.inegi import read_iter
from planner.sources.osm import cut_osm, download_osm
from planner.sources.roadgraph import to_networkx

MARGIN_DEG = 0.5  # around the localities: a unit may stand beyond them, and a way to it


def save_cut_roads(path: Path, extract: Path, census: Path, entity: str) -> None:
    """Keep of an extract of the country what lies around a state's localities. DataError and StorageError as below."""
    places = read_iter(census, entity).localities[["lon", "lat"]].dropna()
    west, south, east, north = *(places.min() - MARGIN_DEG), *(places.max() + MARGIN_DEG)
    part = path.with_name(f"parte_{path.name}")  # osmium knows the format by the ending
    try:
        cut_osm(extract, part, west, south, east, north)
        os.replace(part, path)
    except OSError as fault:
        raise StorageError(f"No se puede escribir {path} ({reason(fault)}); revise permisos y espacio en disco.") from None
    finally:
        part.unlink(missing_ok=True)


def save_live_roads(path: Path, place: str, census: Path, entity: str) -> None:
    """Ask OpenStreetMap for the roads of a place by name and keep them as graphml, in the UTM zone of the census.

    DataError where OpenStreetMap does not answer or know the place, StorageError on writing.
    """
    localities = read_iter(census, entity).localities
    points = gpd.GeoSeries(gpd.points_from_xy(localities["lon"], localities["lat"], crs=4326))
    roads, _ = download_osm(place, points[~points.is_empty].estimate_utm_crs().to_string())
    part = path.with_name(f"{path.name}.part")
    try:
        nx.write_graphml(_as_text(to_networkx(roads)), part)
        os.replace(part, path)
    except OSError as fault:
        raise StorageError(f"No se puede escribir {path} ({reason(fault)}); revise permisos y espacio en disco.") from None
    finally:
        part.unlink(missing_ok=True)


def _as_text(graph: nx.MultiDiGraph) -> nx.MultiDiGraph:
    """The graph with every value as text, as graphml keeps it."""
    text = nx.MultiDiGraph(**{key: str(value) for key, value in graph.graph.items()})
    text.add_nodes_from((node, {key: str(value) for key, value in data.items()}) for node, data in graph.nodes(data=True))
    text.add_edges_from((u, v, {key: str(value) for key, value in data.items()}) for u, v, data in graph.edges(data=True))
    return text
