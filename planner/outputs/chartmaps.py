"""Static maps: localities by gap score or by what they gain, in fixed classes, so that two maps can be held side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from planner.outputs.charts import styled
from planner.outputs.maps import NO_DATA, PROPOSAL_STYLES, SCORE_COLORS, SCORE_EDGES, score_class

# Equivalent people that a locality gains: upper edges, inclusive. Purple and orange survive every colour deficiency.
GAIN_EDGES = (-100.0, -10.0, -1.0, 1.0, 10.0, 100.0)
GAIN_COLORS = ("#b35806", "#f1a340", "#fee0b6", "#f0f0f0", "#d8daeb", "#998ec3", "#542788")
_MARKERS = {"square": "s", "diamond": "D", "triangle": "^", "star": "*", "circle": "o", "cross": "P"}
_PINK, _BORDER = "#e7298a", "#8a94a0"
_ROOMY = 1500  # localities on one map that do not crowd each other
_DEGREE_KM = 111.32


@dataclass(frozen=True, eq=False)
class Panel:
    """One map: points with a colour each, drawn in their order."""

    title: str
    points: gpd.GeoSeries
    colors: np.ndarray
    people: pd.Series
    proposals: gpd.GeoDataFrame | None = None


def score_panel(title: str, localities: gpd.GeoDataFrame, proposals: gpd.GeoDataFrame | None = None, *, plan: bool = False) -> Panel:
    """Localities by gap score, today or with the plan: the layer `localidades`; the worst are drawn last."""
    classes = score_class(localities["puntaje_brecha_plan" if plan else "puntaje_brecha"])
    shown = classes.copy()
    shown[classes == len(SCORE_EDGES)] = -1  # no data below all else
    order = np.argsort(shown, kind="stable")
    colors = np.array([*SCORE_COLORS, NO_DATA], dtype=object)[classes]
    return Panel(title, localities.geometry.iloc[order], colors[order], localities["poblacion"].iloc[order], proposals)


def gain_panel(title: str, localities: gpd.GeoDataFrame, gained: pd.Series) -> Panel:
    """Localities by the equivalent people that gain access (less than 0: lose it); grey where that is unknown."""
    values = gained.reindex(localities.index)
    classes = np.searchsorted(GAIN_EDGES, values.fillna(0.0).to_numpy(float), side="left")
    order = np.argsort(values.abs().fillna(0.0).to_numpy(float), kind="stable")
    colors = np.where(values.isna(), NO_DATA, np.array(GAIN_COLORS, dtype=object)[classes])
    return Panel(title, localities.geometry.iloc[order], colors[order], localities["poblacion"].iloc[order])


def draw(panels: Sequence[Panel], outlines: gpd.GeoSeries | None = None, *, size: tuple[float, float] = (4.0, 4.0),
         view: tuple[float, float, float, float] | None = None, classes: str = "score") -> Figure:
    """The panels beside one another on the same ground; `classes` says which legend stands below: score or gain.

    `view` is west, south, east and north in the panels' CRS; all localities where it is not given.
    """
    with styled():
        figure = Figure(figsize=size, layout="constrained")
        west, south, east, north = view or _bounds(panels, outlines)
        for axes, panel in zip(np.atleast_1d(figure.subplots(1, len(panels))), panels, strict=True):
            _draw_one(axes, panel, outlines)
            axes.set(xlim=(west, east), ylim=(south, north))
            axes.set_title(panel.title, y=1.0, pad=4)  # where it is left to move, a wide map pushes it out of the figure
            axes.set_aspect(_aspect(panel.points, south, north))
            _scale_bar(axes, panel.points, west, south, east)
        figure.legend(handles=_legend(classes, panels), loc="outside lower center", ncols=3 * len(panels), frameon=False,
                      fontsize=6.5, handletextpad=0.2, columnspacing=0.9)
    return figure


def _draw_one(axes: Axes, panel: Panel, outlines: gpd.GeoSeries | None) -> None:
    axes.set_axis_off()
    if outlines is not None and len(outlines):
        outlines.to_crs(panel.points.crs).boundary.plot(ax=axes, color=_BORDER, linewidth=0.4, zorder=1)
    thin = np.clip(_ROOMY / max(len(panel.points), 1), 0.3, 1.0)  # so that a whole state stays legible
    sizes = thin * np.clip(2.5 + panel.people.fillna(0.0).to_numpy(float) / 60, 2.5, 60)
    axes.scatter(panel.points.x, panel.points.y, s=sizes, c=panel.colors, linewidths=0.15, edgecolors="#3b4350", zorder=2)
    if panel.proposals is None:
        return
    for kind, rows in panel.proposals.to_crs(panel.points.crs).groupby("tipo"):
        style = PROPOSAL_STYLES[str(kind)][1]
        axes.scatter(rows.geometry.x, rows.geometry.y, s=70 if style["shape"] == "star" else 30, marker=_MARKERS[style["shape"]],
                     c=style.get("fillColor", _PINK), edgecolors=style.get("color", "white"), linewidths=0.7, zorder=3)


def _bounds(panels: Sequence[Panel], outlines: gpd.GeoSeries | None) -> tuple[float, float, float, float]:
    given = [p.points.total_bounds for p in panels]
    if outlines is not None and len(outlines):
        given.append(outlines.to_crs(panels[0].points.crs).total_bounds)
    edges = np.array(given)
    west, south = (float(v) for v in edges[:, :2].min(axis=0))
    east, north = (float(v) for v in edges[:, 2:].max(axis=0))
    pad = 0.02 * max(east - west, north - south, 1e-9)
    return west - pad, south - pad, east + pad, north + pad


def _aspect(points: gpd.GeoSeries, south: float, north: float) -> float:
    """Degrees of longitude shrink towards the poles."""
    geographic = points.crs is not None and points.crs.is_geographic
    return float(1 / np.cos(np.deg2rad((south + north) / 2))) if geographic else 1.0


def _scale_bar(axes: Axes, points: gpd.GeoSeries, west: float, south: float, east: float) -> None:
    """A bar of a round length, about a fifth of the width, in the lower left corner."""
    geographic = points.crs is not None and points.crs.is_geographic
    per_km = 1 / (_DEGREE_KM * np.cos(np.deg2rad(south))) if geographic else 1000.0
    about = (east - west) / per_km / 5
    step = 10.0 ** np.floor(np.log10(about))
    length = step * max(n for n in (1, 2, 5) if n * step <= about)
    axes.plot([west, west + length * per_km], [south, south], color=_BORDER, linewidth=1.4, solid_capstyle="butt", zorder=4)
    axes.annotate(f"{length:g} km", (west, south), (0, 2), textcoords="offset points", fontsize=6, color="#48525e")


def _legend(classes: str, panels: Sequence[Panel]) -> list[Line2D]:
    edges, colors = (SCORE_EDGES, SCORE_COLORS) if classes == "score" else (GAIN_EDGES, GAIN_COLORS)
    if classes == "score":
        names = [f"brecha {low:g} a {high:g}" for low, high in zip((0.0, *edges), edges, strict=False)]
    else:
        names = ["pierden más de 100", "pierden 10 a 100", "pierden 1 a 10", "sin cambio", "ganan 1 a 10", "ganan 10 a 100",
                 "ganan más de 100"]
    dots = [_dot(color, name) for color, name in zip((*colors, NO_DATA), (*names, "sin dato"), strict=True)]
    kinds = sorted({str(kind) for p in panels if p.proposals is not None for kind in p.proposals["tipo"]}, key=list(PROPOSAL_STYLES).index)
    return [*dots, *(_dot(PROPOSAL_STYLES[k][1].get("fillColor", _PINK), PROPOSAL_STYLES[k][0],
                          _MARKERS[PROPOSAL_STYLES[k][1]["shape"]], PROPOSAL_STYLES[k][1].get("color", "white")) for k in kinds)]


def _dot(color: str, name: str, marker: str = "o", edge: str = "#3b4350") -> Line2D:
    size = 8 if marker == "*" else 5
    return Line2D([], [], linestyle="", marker=marker, markersize=size, markerfacecolor=color, markeredgecolor=edge, markeredgewidth=0.5,
                  label=name)
