"""OpenStreetMap's roads, from a file or by download."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from array import array
from collections.abc import Callable, Iterable
from pathlib import Path

import geopandas as gpd
import numpy as np
import osmium
import pandas as pd
import shapely

from planner.errors import DataError
from planner.model import Finding, Roads
from planner.sources.lines import FORMATS, read_lines
from planner.sources.osmtags import TAGS, tagged_ways
from planner.sources.roadgraph import ways_of_graph
from planner.sources.roadnet import Box, Ways, build_roads

IDS = ("osm_id", "osmid", "@id", "full_id", "id")  # where exporters write the way's id
EXPECTED = ("surface", "tracktype", "smoothness", "maxspeed", "oneway", "access", "bridge", "ford", "toll")
DEGREE = 10_000_000  # OSM keeps seven decimals
FILTERS = ['["highway"]', '["route"="ferry"]']
_HSTORE = re.compile(r'"((?:[^"\\]|\\.)*)"=>"((?:[^"\\]|\\.)*)"')
Read = tuple[Ways, tuple[Finding, ...]]


def read_osm(path: Path, crs: str, *, bounds: Box | None = None) -> tuple[Roads, tuple[Finding, ...]]:
    """Roads and ferries of `.osm.pbf`, `.osm` (also .gz, .bz2), a layer of ways (GeoJSON, gpkg, shp) or osmnx `.graphml`.

    In OSM files vertices are one where they are the same OSM node, in layers where they agree to 1e-7 degrees, in
    graphs where they are the same node. Ways that do not touch `bounds` (in `crs`) are left out. DataError, in one
    sentence, for a file that is broken or has no road.
    """
    name = path.name.casefold()
    read = next((r for ends, r in _READERS.items() if name.endswith(ends)), None)
    if read is None:
        raise DataError(f"{path.name}: el formato no se lee como vías de OSM; use {', '.join(e for k in _READERS for e in k)}.")
    if not path.is_file():
        raise DataError(f"No existe el archivo de vías {path}.")
    ways, told = read(path)
    roads, found = build_roads(ways, crs, path.name, bounds=bounds)
    return roads, (*told, *found)


def download_osm(place: str, crs: str) -> tuple[Roads, tuple[Finding, ...]]:
    """Roads of a place by name, live from Nominatim and Overpass through osmnx; DataError where they do not answer."""
    import osmnx

    settings = osmnx.settings
    before = settings.useful_tags_way, settings.use_cache
    settings.useful_tags_way, settings.use_cache = list(TAGS), False
    try:
        graph = osmnx.graph_from_place(place, simplify=False, retain_all=True, custom_filter=FILTERS)
        graph = osmnx.simplify_graph(graph, edge_attrs_differ=["osmid"], remove_rings=False)
    except OSError:
        raise DataError(f"No se pudieron descargar las vías de «{place}»: no hay conexión con OpenStreetMap; "
                        "intente más tarde o use un archivo .osm.pbf.") from None
    except (ValueError, TypeError):
        raise DataError(f"OpenStreetMap no da las vías de «{place}»: no conoce el lugar o no tiene su límite; "
                        "escríbalo como «Teziutlán, Puebla, México».") from None
    finally:
        settings.useful_tags_way, settings.use_cache = before
    ways, told = ways_of_graph(graph, place)
    roads, found = build_roads(ways, crs, place)
    return roads, (*told, *found)


def cut_osm(path: Path, target: Path, west: float, south: float, east: float, north: float) -> None:
    """The roads and ferries of an OSM file that have a vertex within these degrees, whole, as a file of their own.

    Nodes keep their tags, as fords and barriers stand on them. DataError for a broken file or one without roads there.
    """
    kept, found = osmium.IdTracker(), False
    try:
        for way in _roads_with_places(path):
            if isinstance(way, osmium.osm.Way) and any(
                    n.location.valid() and west <= n.lon <= east and south <= n.lat <= north for n in way.nodes):
                kept.add_way(way.id)
                kept.add_references(way)
                found = True
        if not found:
            raise DataError(f"{path.name}: no trae ninguna vía de la región; revise que el extracto sea de este lugar.")
        with osmium.SimpleWriter(target, overwrite=True) as sink:
            for each in osmium.FileProcessor(path, osmium.osm.NODE | osmium.osm.WAY).with_filter(kept.id_filter()):
                sink.add(each)
    except RuntimeError:
        raise DataError(f"{path.name}: está dañado o incompleto, o no cupo su recorte en el disco; bórrelo y repita la orden.") from None


def _roads_with_places(path: Path) -> Iterable[object]:
    whole = osmium.FileProcessor(path, osmium.osm.NODE | osmium.osm.WAY).with_locations("sparse_mem_array")
    return whole.with_filter(osmium.filter.EntityFilter(osmium.osm.WAY)).with_filter(osmium.filter.KeyFilter("highway", "route"))


def _of_osm_file(path: Path) -> Read:
    ids: list[int] = []
    refs: list[list[int]] = []
    tags: dict[str, dict[int, str]] = {tag: {} for tag in TAGS}
    try:
        for way in osmium.FileProcessor(path, osmium.osm.WAY).with_filter(osmium.filter.KeyFilter("highway", "route")):
            if isinstance(way, osmium.osm.Way) and ("highway" in way.tags or way.tags.get("route") == "ferry"):
                for tag in way.tags:
                    if tag.k in tags:
                        tags[tag.k][len(ids)] = tag.v
                ids.append(way.id)
                refs.append([n.ref for n in way.nodes] or [0])  # a way without vertices: one that stands nowhere
        if not ids:
            raise DataError(f"{path.name}: no trae ninguna vía (highway); descargue un extracto con caminos.")
        vertex = np.fromiter((ref for way_refs in refs for ref in way_refs), np.int64)
        node, xy, ford, barriers = _nodes(path, np.unique(vertex))
    except (RuntimeError, OSError):
        raise DataError(f"{path.name}: está dañado, incompleto o no es de OpenStreetMap; descárguelo otra vez.") from None
    table = pd.DataFrame({tag: pd.Series(found, dtype="str").reindex(range(len(ids))) for tag, found in tags.items()})
    at = np.searchsorted(node, vertex)
    here = node[at] == vertex
    ways, told = tagged_ways(table.assign(way=np.array(ids).astype(str)), np.array([len(r) for r in refs]),
                             np.where(here[:, None], xy[at], np.nan), vertex, path.name, ford=here & ford[at])
    return ways, (*told, *Finding.of("barrera_puntual", "nota", "Rejas, bolardos y otras barreras de un punto, que no se toman en cuenta",
                                     path.name, map(str, barriers)))


def _nodes(path: Path, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Ids (sorted, with an end mark), degrees and fords of the wanted OSM nodes that the file has, and which are barriers."""
    ids, x, y = array("q"), array("q"), array("q")
    fords: list[int] = []
    barriers: list[int] = []
    nodes = osmium.FileProcessor(path, osmium.osm.NODE)
    if wanted[0] >= 0:  # osmium picks no negative ids, which editors give to what is not uploaded yet
        nodes = nodes.with_filter(osmium.filter.IdFilter(wanted.tolist()))
    for node in nodes:
        if isinstance(node, osmium.osm.Node):
            ids.append(node.id)
            x.append(node.location.x)
            y.append(node.location.y)
            if len(node.tags):
                if node.tags.get("ford", "no") != "no" or node.tags.get("highway") == "ford":
                    fords.append(node.id)
                if "barrier" in node.tags:
                    barriers.append(node.id)
    number, at = np.unique(np.array(ids, np.int64), return_index=True)
    xy = np.column_stack([np.array(x, np.int64), np.array(y, np.int64)])[at] / DEGREE
    xy = np.where((np.abs(xy) <= np.array([180.0, 90.0])).all(axis=1, keepdims=True), xy, np.nan)
    number = np.r_[number, np.iinfo(np.int64).max]
    return number, np.r_[xy, [[np.nan, np.nan]]], np.isin(number, fords), np.intersect1d(barriers, wanted).astype(np.int64)


def _of_layer(path: Path) -> Read:
    frame, told = read_lines(path, "lines")
    frame = frame.to_crs(4326).explode(index_parts=False)
    frame = frame.rename(columns={c: str(c).casefold() for c in frame.columns if c != frame.geometry.name}).reset_index(drop=True)
    if not {"highway", "route"} & set(frame.columns):
        raise DataError(f"{path.name}: no trae la columna highway; expórtelo otra vez con las etiquetas de OpenStreetMap.")
    if "other_tags" in frame:  # GDAL keeps there the tags that have no column
        pairs = pd.DataFrame([dict(_HSTORE.findall(t)) if isinstance(t, str) else {} for t in frame["other_tags"]], index=frame.index)
        frame = frame.assign(**{str(c): pairs[c] for c in pairs if c in TAGS and c not in frame})
    absent = [tag for tag in EXPECTED if tag not in frame]
    xy, way = shapely.get_coordinates(frame.geometry.to_numpy(), return_index=True)
    whole = np.rint(xy * DEGREE)
    grid = np.where(np.isfinite(whole), whole, 0).astype(np.int64)
    vertex = (grid[:, 0] + 180 * DEGREE) * (180 * DEGREE + 1) + grid[:, 1] + 90 * DEGREE
    ways, found = tagged_ways(frame.assign(way=_ids(frame)), np.bincount(way, minlength=len(frame)), whole / DEGREE, vertex, path.name,
                        origin=pd.Series(dtype="str"))
    return ways, (*told, *found, *Finding.of("etiqueta_ausente", "nota", f"Etiquetas de OSM que el archivo no trae ({', '.join(absent)}): "
                                             "se toman como sin dato", path.name, absent, "Con un archivo .osm.pbf vienen todas."))


def _ids(frame: gpd.GeoDataFrame) -> pd.Series:
    """Ids of ways; where the layer has none, their places in the order of their geometries."""
    rank = pd.Series(frame.geometry.to_wkb(), index=frame.index).rank(method="first").astype(int)
    ids = rank.astype(str).str.zfill(len(str(len(frame))))
    given = next((frame[name] for name in IDS if name in frame), pd.Series(None, frame.index, dtype="str"))
    plain = given.astype("str").str.replace(r"^(way/|w)(?=\d)|\.0$", "", regex=True)
    return plain.fillna("sin id " + ids) if plain.notna().any() else ids


def _of_graphml(path: Path) -> Read:
    import networkx as nx
    import osmnx

    as_text = dict.fromkeys(("osmid", "oneway", "reversed", "length"), str)
    try:
        graph = osmnx.load_graphml(path, node_dtypes={"osmid": str}, edge_dtypes=as_text)
    except (nx.NetworkXError, ET.ParseError, shapely.errors.GEOSException, ValueError, KeyError, AttributeError):
        raise DataError(f"{path.name}: está dañado o no es un graphml guardado con osmnx; guárdelo otra vez con save_graphml.") from None
    return ways_of_graph(graph, path.name)


_READERS: dict[tuple[str, ...], Callable[[Path], Read]] = {
    (".osm.pbf", ".pbf", ".osm", ".osm.gz", ".osm.bz2"): _of_osm_file, FORMATS: _of_layer, (".graphml",): _of_graphml}
