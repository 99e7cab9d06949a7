"""How QGIS draws each layer: the classes and colours of the map as QML, with the fields' labels."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from xml.etree import ElementTree as ET

import pandas as pd

from planner.columns import Column
from planner.outputs.layers import TABLES
from planner.outputs.maps import BANDS, NO_DATA, PROPOSAL_STYLES, PROPOSALS_LOOK, SCORE_COLORS, SCORE_EDGES, UNIT_STYLES

DOCTYPE = "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
VERSION = "3.22.16-Białowieża"  # the oldest QGIS that these files are held against
TITLES = {
    "localidades": "Localidades por puntaje de brecha", "unidades": "Unidades de salud", "propuestas": "Propuestas",
    "rutas": "Rutas: tramos",
    "paradas": "Rutas: paradas", "areas_influencia": "Áreas de influencia", "referencias": "Caminos al hospital",
    "distritos": "Distritos propuestos", "redes": "Redes de referencia", "zonas": "Zonas de supervisión"}
_SHAPES = {"square": "square", "diamond": "diamond", "triangle": "triangle", "star": "star", "circle": "circle", "cross": "cross_fill"}
_PINK, _ORANGE, _INK = "#b0256f", "#d55e00", "#14213d"
_CROSS = 1.5  # QGIS draws crosses with thin arms, so they are larger than on the map
# Towns under villages, and units by what fewer of them are.
_SMALL_ABOVE = {"localidades": '"poblacion"'}
_ABOVE = ("otra", "movil", "umr", "centro", "hospital")
_LAYER_CLASS = {"marker": "SimpleMarker", "line": "SimpleLine", "fill": "SimpleFill"}


@dataclass(frozen=True)
class Look:
    """One entry of a legend: which features (a QGIS expression) and how they are drawn."""

    label: str
    where: str
    kind: str  # marker, line or fill
    options: Mapping[str, str]
    sized_by: str = ""  # expression of the size of a mark, millimetres
    rank: int = 0  # where entries overlap, the higher is drawn above


def qml(layer: str, frame: pd.DataFrame) -> bytes:
    """The style file of a layer, as QGIS reads it beside a GeoJSON or inside a GeoPackage."""
    root = ET.Element("qgis", version=VERSION, styleCategories="Symbology|Fields", labelsEnabled="0")
    root.extend(style_elements(layer, frame))
    return (DOCTYPE + ET.tostring(root, encoding="unicode") + "\n").encode()


def style_elements(layer: str, frame: pd.DataFrame) -> list[ET.Element]:
    """Renderer and aliases of a layer, as they stand in a style file and in a project."""
    aliases = ET.Element("aliases")
    for i, (name, column) in enumerate(fields(layer).items()):
        ET.SubElement(aliases, "alias", field=name, index=str(i), name=column.label)
    named = ET.Element("previewExpression")
    named.text = next((f'"{name}"' for name in ("nombre", "nom_loc") if name in fields(layer)), "")
    return [_renderer(looks(layer, frame), _SMALL_ABOVE.get(layer, "")), aliases, named]


def fields(layer: str) -> dict[str, Column]:
    """The declared fields of a layer by export name, the key first; the stops of `rutas` have those of the legs."""
    tables = TABLES["rutas" if layer == "paradas" else layer]
    return {c.export: c for c in (tables[0].key, *(c for t in tables for c in t.columns))}


def looks(layer: str, frame: pd.DataFrame) -> Sequence[Look]:
    """The legend of a layer; null stands apart, drawn grey."""
    legends: dict[str, Callable[[], Sequence[Look]]] = {
        "localidades": _scores, "unidades": _units, "propuestas": _proposals, "areas_influencia": lambda: _bands(frame["min_hasta"]),
        "rutas": lambda: _routes(frame), "paradas": _stops,
        "referencias": lambda: (_line("A pie, más de la mitad", '"min_a_pie" > "min_vehiculo"', _ORANGE, 0.4, "dot"),
                                _line("En vehículo", 'NOT ("min_a_pie" > "min_vehiculo")', _ORANGE, 0.4)),
        "distritos": lambda: (_area("Con hospital público", '"hospitales" > 0', "#0072b2", 40),
                              _area("Sin hospital público", 'NOT ("hospitales" > 0)', _ORANGE, 60)),
        "redes": lambda: (_line("Camino conocido", 'NOT "recta"', _PINK, 0.3), _line("Línea recta", '"recta"', _PINK, 0.3, "dash")),
        "zonas": lambda: (_mark("De una unidad", '"unidades" = 1', "circle", "#cccccc", _INK, 2.4, 0.4),
                          _mark("De varias unidades", 'NOT ("unidades" = 1)', "circle", _INK, "#ffffff", 2.4, 0.4))}
    return legends[layer]()


def _scores() -> tuple[Look, ...]:
    size = 'coalesce(scale_linear(sqrt("poblacion"), 0, 120, 0.9, 6), 0.9)'
    field = '"puntaje_brecha"'
    classes = [(f"{low:g} a {high:g}", f"{field} > {low:g} AND {field} <= {high:g}" if low else f"{field} <= {high:g}", color)
               for low, high, color in zip((0.0, *SCORE_EDGES), SCORE_EDGES, SCORE_COLORS, strict=False)]
    return tuple(_mark(label, where, "circle", color, _INK, 1.6, 0.1, size)
                 for label, where, color in (*classes, ("Sin dato", f"{field} IS NULL", NO_DATA)))


def _units() -> tuple[Look, ...]:
    known = [name for _, classes, _ in UNIT_STYLES.values() for name in classes]
    found = []
    for kind, (words, classes, style) in UNIT_STYLES.items():
        listed = ", ".join(f"'{name}'" for name in (classes or known))
        where = f'"clase" IN ({listed})' if classes else f'"clase" NOT IN ({listed})'
        named = words.removesuffix(" (capa aparte)")
        look = _mark(named, where, style["shape"], style["fillColor"], style["color"], style["radius"] * 0.34, style["weight"] * 0.2)
        found.append(replace(look, rank=_ABOVE.index(kind)))
    return tuple(found)


def _proposals() -> tuple[Look, ...]:
    found = []
    for kind, (words, style) in PROPOSAL_STYLES.items():
        look: dict[str, Any] = {**PROPOSALS_LOOK, **style}
        found.append(_mark(words, f"\"tipo\" = '{kind}'", look["shape"], look["fillColor"], look["color"], look["radius"] * 0.4, 0.3))
    return tuple(found)


def _routes(frame: pd.DataFrame) -> tuple[Look, ...]:
    """Legs, and stops where they stand in the same file: QGIS opens it as a layer of lines and one of points, with one style."""
    legs = "\"elemento\" = 'tramo'"
    stops = _stops() if (frame["elemento"] == "parada").any() else ()
    return (_line("Pernocta", f'{legs} AND "pernocta"', _PINK, 0.6, "dash"), _line("Tramo", f'{legs} AND NOT "pernocta"', _PINK, 0.6),
            *stops)


def _stops() -> tuple[Look, ...]:
    return (_mark("Parada", "\"elemento\" = 'parada'", "circle", "#ffffff", _PINK, 2.0, 0.5),)


def _bands(upper: pd.Series) -> tuple[Look, ...]:
    """By the upper edge of the band, since thresholds are the scenario's."""
    edges = sorted({float(v) for v in upper})
    return tuple(_area(f"Hasta {edge:g} minutos", f'"min_hasta" = {edge:g}', BANDS[min(i, len(BANDS) - 1)], 90)
                 for i, edge in enumerate(edges)) or (_area("Sin áreas", "", BANDS[0], 90),)


def _mark(label: str, where: str, shape: str, fill: str, edge: str, size: float, width: float, sized_by: str = "") -> Look:
    wide = size * (_CROSS if shape == "cross" else 1)
    return Look(label, where, "marker", {"name": _SHAPES[shape], "color": _rgba(fill), "outline_color": _rgba(edge), "size": f"{wide:g}",
                                         "size_unit": "MM", "outline_width": f"{width:g}", "outline_width_unit": "MM"}, sized_by)


def _line(label: str, where: str, color: str, width: float, dash: str = "solid") -> Look:
    return Look(label, where, "line", {"line_color": _rgba(color), "line_width": f"{width:g}", "line_width_unit": "MM", "line_style": dash})


def _area(label: str, where: str, color: str, alpha: int) -> Look:
    return Look(label, where, "fill", {"color": _rgba(color, alpha), "outline_color": _rgba(color), "outline_width": "0.2",
                                       "outline_width_unit": "MM", "style": "solid"})


def _rgba(color: str, alpha: int = 255) -> str:
    red, green, blue = (int(color[i:i + 2], 16) for i in (1, 3, 5))
    return f"{red},{green},{blue},{alpha}"


def _renderer(found: Sequence[Look], small_above: str) -> ET.Element:
    ranked = any(look.rank for look in found)
    renderer = ET.Element("renderer-v2", type="RuleRenderer", symbollevels=str(int(ranked)), enableorderby=str(int(bool(small_above))),
                          forceraster="0")
    rules, symbols = ET.SubElement(renderer, "rules", key="todo"), ET.SubElement(renderer, "symbols")
    for i, look in enumerate(found):
        rule = ET.SubElement(rules, "rule", key=f"regla{i}", symbol=str(i), label=look.label)
        if look.where:
            rule.set("filter", look.where)
        symbol = ET.SubElement(symbols, "symbol", type=look.kind, name=str(i), alpha="1", clip_to_extent="1", force_rhr="0")
        layer = ET.SubElement(symbol, "layer", {"class": _LAYER_CLASS[look.kind], "enabled": "1", "locked": "0", "pass": str(look.rank)})
        told = ET.SubElement(layer, "Option", type="Map")
        for name, value in look.options.items():
            ET.SubElement(told, "Option", type="QString", name=name, value=value)
        if look.sized_by:
            _sized(layer, look.sized_by)
    if small_above:
        ET.SubElement(ET.SubElement(renderer, "orderby"), "orderByClause", asc="0", nullsFirst="0").text = small_above
    return renderer


def _sized(layer: ET.Element, expression: str) -> None:
    whole = ET.SubElement(ET.SubElement(layer, "data_defined_properties"), "Option", type="Map")
    ET.SubElement(whole, "Option", type="QString", name="name", value="")
    size = ET.SubElement(ET.SubElement(whole, "Option", type="Map", name="properties"), "Option", type="Map", name="size")
    ET.SubElement(size, "Option", type="bool", name="active", value="true")
    ET.SubElement(size, "Option", type="QString", name="expression", value=expression)
    ET.SubElement(size, "Option", type="int", name="type", value="3")
    ET.SubElement(whole, "Option", type="QString", name="type", value="collection")
