"""plan.qgz: a QGIS project of the layers of plan.gpkg beside it, in the region's CRS, drawn as the map draws them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from xml.etree import ElementTree as ET

import geopandas as gpd
from pyproj import CRS

from planner.outputs.credits import CREDITS_FILE, attributions
from planner.outputs.geopackage import FILE, tables_of
from planner.outputs.provenance import MANIFEST
from planner.outputs.report import Report
from planner.outputs.styles import DOCTYPE, TITLES, VERSION, style_elements

# From the top of the map down; those that are not shown first hide the others and start unchecked.
_GROUPS = {"Plan": ("propuestas", "paradas", "rutas"), "Hoy": ("unidades", "localidades", "referencias"),
           "Regionalización y áreas": ("redes", "zonas", "areas_influencia", "distritos")}
_SHOWN = ("propuestas", "paradas", "rutas", "unidades", "localidades", "distritos")
_EPOCH = (1980, 1, 1, 0, 0, 0)


def project_files(report: Report) -> dict[str, bytes]:
    """plan.qgz; equal reports give equal bytes."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        entry = zipfile.ZipInfo("plan.qgs", date_time=_EPOCH)
        entry.compress_type = zipfile.ZIP_DEFLATED
        archive.writestr(entry, _project(report))
    return {"plan.qgz": packed.getvalue()}


def _project(report: Report) -> bytes:
    region, scenario = report.run.region, report.run.scenario
    title = f"{region.name}, escenario {scenario.name}" + (" (SINTÉTICA)" if region.synthetic else "")
    root = ET.Element("qgis", projectname=title, version=VERSION)
    ET.SubElement(root, "title").text = title
    ET.SubElement(root, "projectCrs").append(_crs(region.crs))
    found = {name: (frame, kind) for name, frame, kind in tables_of(report.layers)}
    names = [name for group in _GROUPS.values() for name in group if name in found]
    root.append(_tree(names))
    root.append(_canvas(report))
    layers = ET.Element("projectlayers")
    layers.extend(_layer(name, *found[name], region.crs) for name in names)
    root.append(layers)
    order = ET.SubElement(root, "layerorder")
    for name in names:
        ET.SubElement(order, "layer", id=_id(name))
    properties = ET.SubElement(root, "properties")
    ET.SubElement(ET.SubElement(properties, "Paths"), "Absolute", type="bool").text = "false"
    ET.SubElement(ET.SubElement(properties, "SpatialRefSys"), "ProjectionsEnabled", type="int").text = "1"
    told = ET.SubElement(root, "projectMetadata")
    ET.SubElement(told, "title").text = title
    said = "; ".join(attributions(region)) or "Fuentes: según quien las entregó"
    ET.SubElement(told, "abstract").text = (f"Corrida {report.about['corrida']}; de dónde sale, en {MANIFEST}. {said}. "
                                            f"Términos de cada fuente, en {CREDITS_FILE}.")
    return (DOCTYPE + ET.tostring(root, encoding="unicode") + "\n").encode()


def _tree(names: Sequence[str]) -> ET.Element:
    """The panel of layers: groups, and in each the layers that there are."""
    tree = ET.Element("layer-tree-group")
    for title, group in _GROUPS.items():
        branch = ET.Element("layer-tree-group", name=title, expanded="1", checked="Qt::Checked")
        for name in (name for name in group if name in names):
            ET.SubElement(branch, "layer-tree-layer", id=_id(name), name=TITLES[name], source=_source(name), providerKey="ogr",
                          expanded="0", checked="Qt::Checked" if name in _SHOWN else "Qt::Unchecked")
        if len(branch):
            tree.append(branch)
    return tree


def _id(name: str) -> str:
    """QGIS puts an id of its own, another each time, in place of one of ten letters or less."""
    return f"capa_planner_{name}"


def _source(name: str) -> str:
    return f"./{FILE}|layername={name}"


def _crs(crs: str) -> ET.Element:
    known = CRS.from_user_input(crs)
    found = ET.Element("spatialrefsys")
    ET.SubElement(found, "wkt").text = known.to_wkt("WKT2_2015")  # which words a datum in one way, whatever the process did before
    authority = known.to_authority()
    if authority is not None:
        ET.SubElement(found, "authid").text = ":".join(authority)
    return found


def _canvas(report: Report) -> ET.Element:
    canvas = ET.Element("mapcanvas", name="theMapCanvas", annotationsVisible="1")
    ET.SubElement(canvas, "units").text = "meters"
    _extent(canvas, report.layers["localidades"])
    ET.SubElement(canvas, "rotation").text = "0"
    ET.SubElement(canvas, "destinationsrs").append(_crs(report.run.region.crs))
    return canvas


def _extent(parent: ET.Element, frame: gpd.GeoDataFrame) -> None:
    if frame.empty:
        return
    extent = ET.SubElement(parent, "extent")
    for name, value in zip(("xmin", "ymin", "xmax", "ymax"), frame.total_bounds, strict=True):
        ET.SubElement(extent, name).text = f"{value:.3f}"


def _layer(name: str, frame: gpd.GeoDataFrame, kind: str, crs: str) -> ET.Element:
    shape = "Point" if "Point" in kind else "Line" if "Line" in kind else "Polygon"
    layer = ET.Element("maplayer", type="vector", geometry=shape, wkbType=kind, hasScaleBasedVisibilityFlag="0", labelsEnabled="0")
    _extent(layer, frame)
    ET.SubElement(layer, "id").text = _id(name)
    ET.SubElement(layer, "datasource").text = _source(name)
    ET.SubElement(layer, "layername").text = TITLES[name]
    ET.SubElement(layer, "srs").append(_crs(crs))
    ET.SubElement(layer, "provider", encoding="UTF-8").text = "ogr"
    layer.extend(style_elements(name, frame))
    return layer
