"""Charts of a run for the app, the brief and the notebooks: plain numbers in, a figure out, the same bytes each time."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from planner.access.indicators import FIRST_LEVEL_MIN, HOSPITAL_MIN
from planner.kinds import GRADES
from planner.words import KINDS_PLURAL

TODAY, PLAN, BOUND = "#9aa3ad", "#1f5fa8", "#d55e00"  # told apart in grey print as well
_TURN = threading.RLock()
_STYLE: dict[Any, Any] = {"font.family": "DejaVu Sans", "font.size": 8.0, "axes.spines.top": False, "axes.spines.right": False,
                          "axes.titlesize": 9.0,
          "axes.titleweight": "bold", "axes.titlelocation": "left", "svg.hashsalt": "planner", "svg.fonttype": "path",
          "axes.edgecolor": "#8a94a0", "xtick.color": "#33404d", "ytick.color": "#33404d", "text.color": "#14213d"}


@contextmanager
def styled() -> Iterator[None]:
    """The style of every figure here, whatever the user set; one at a time, since matplotlib keeps its style for the whole process."""
    usual = {key: value for key, value in mpl.rcParamsDefault.items() if not key.startswith("backend")}
    with _TURN, mpl.rc_context({**usual, **_STYLE}):
        yield


def svg(figure: Figure) -> str:
    """The figure as an SVG element; equal figures give equal text."""
    told = io.StringIO()
    with styled():
        figure.savefig(told, format="svg", metadata={"Date": None, "Creator": None})
    text = told.getvalue()
    return text[text.index("<svg"):]


def png(figure: Figure, dpi: int = 150) -> bytes:
    """The figure as a PNG; equal figures give equal bytes."""
    told = io.BytesIO()
    with styled():
        figure.savefig(told, format="png", dpi=dpi, metadata={"Software": None})
    return told.getvalue()


def budget_curve(points: Sequence[Mapping[str, Any]], size: tuple[float, float] = (3.6, 2.3)) -> Figure:
    """Weighted gap closed by yearly budget, with the bound of its options and that of any circuits: `curva.puntos` of the indicators."""
    figure, axes = _blank(size, "Qué cierra cada presupuesto")
    budget = [0.0, *(p["presupuesto"] / 1e6 for p in points)]
    for key, color, line, words in (("cota_cualquier_ruta", "#b9bec5", ":", "cota con cualquier ruta"), ("cota", BOUND, "--", "cota"),
                                    ("cierra", PLAN, "-", "plan")):
        values = [0.0, *(p[key] / 1e3 if p[key] is not None else np.nan for p in points)]
        axes.plot(budget, values, color=color, linestyle=line, marker="o" if key == "cierra" else None, markersize=3, label=words)
    axes.set(xlabel="millones de pesos al año", ylabel="miles de personas\nponderadas", xlim=(0, None), ylim=(0, None))
    axes.legend(frameon=False, fontsize=7, loc="lower right")
    return figure


def closed_by_kind(kinds: Mapping[str, Mapping[str, float]], size: tuple[float, float] = (3.6, 2.3)) -> Figure:
    """What each kind of intervention closes and costs: `plan.por_tipo` of the indicators."""
    figure, axes = _blank(size, "Qué cierra cada tipo")
    names = [kind for kind in KINDS_PLURAL if kind in kinds]
    values = [kinds[kind]["brecha_ponderada_cerrada"] / 1e3 for kind in names]
    bars = axes.barh(range(len(names)), values, color=PLAN, height=0.6)
    axes.bar_label(bars, [f" {v:,.1f} por {kinds[k]['costo_anual'] / 1e6:,.0f} M al año" for k, v in zip(names, values, strict=True)],
                   fontsize=7)
    axes.set_yticks(range(len(names)), [KINDS_PLURAL[kind] for kind in names])
    axes.set(xlabel="brecha ponderada que cierra (miles)", xlim=(0, 1.9 * max(values, default=1.0) or 1.0))
    axes.invert_yaxis()
    return figure


def reach(total: Mapping[str, Mapping[str, float]], size: tuple[float, float] = (3.6, 2.3)) -> Figure:
    """Share of people within each limit, today and with the plan: `total` of the indicators."""
    figure, axes = _blank(size, "Personas a tiempo, hoy y con el plan")
    keys = {k: f"{where}\n{v:g} min" for where, limits in (("primer nivel", FIRST_LEVEL_MIN), ("hospital", HOSPITAL_MIN))
            for k, v in limits.items()}
    people = {when: total[when]["poblacion"] or 1.0 for when in ("actual", "plan")}
    _pairs(axes, list(keys.values()), *([100 * total[when][k] / people[when] for k in keys] for when in ("actual", "plan")))
    axes.set(ylabel="% de la población objetivo", ylim=(0, 112))
    return figure


def gap_by_grade(grades: Mapping[str, Mapping[str, Mapping[str, float]]], size: tuple[float, float] = (3.6, 2.3)) -> Figure:
    """People without effective access (equivalents) per hundred, by grade of rezago, today and with the plan: `por_grado`."""
    figure, axes = _blank(size, "Sin acceso efectivo, por grado de rezago")
    shown = {name: grades[name] for name in [*GRADES, *sorted({*grades} - {*GRADES})] if grades[name]["actual"]["poblacion"] > 0}
    _pairs(axes, list(shown), *([100 * block[when]["personas_equiv"] / block[when]["poblacion"] for block in shown.values()]
                                for when in ("actual", "plan")))
    axes.set(ylabel="equivalentes por cada 100 personas", ylim=(0, axes.get_ylim()[1] * 1.12))
    return figure


def minutes_curve(minutes: Mapping[str, np.ndarray], people: np.ndarray, limit_min: float, size: tuple[float, float] = (5.2, 2.8),
                  ) -> Figure:
    """Share of people by minutes to the nearest first level, a line for each name; unreachable people are never reached."""
    figure, axes = _blank(size, "Minutos al primer nivel más cercano")
    for (name, values), color in zip(minutes.items(), (PLAN, BOUND, TODAY, "#009e73"), strict=False):
        known = np.isfinite(values)
        order = np.argsort(values[known], kind="stable")
        share = 100 * np.cumsum(people[known][order]) / max(people.sum(), 1e-9)
        axes.step(values[known][order], share, where="post", color=color, label=name)
    axes.axvline(limit_min, color="#8a94a0", linestyle=":")
    axes.set(xlim=(0, 3 * limit_min), ylim=(0, 100), xlabel="minutos", ylabel="% de la población objetivo")
    axes.legend(frameon=False, fontsize=7, loc="lower right")
    return figure


def _blank(size: tuple[float, float], title: str) -> tuple[Figure, Axes]:
    with styled():
        figure = Figure(figsize=size, layout="constrained")
        axes = figure.subplots()
        axes.set_title(title)
    return figure, axes


def _pairs(axes: Axes, names: Sequence[str], today: Sequence[float], plan: Sequence[float]) -> None:
    at = np.arange(len(names))
    for values, shift, color, words in ((today, -0.2, TODAY, "hoy"), (plan, 0.2, PLAN, "con el plan")):
        bars = axes.bar(at + shift, values, width=0.38, color=color, label=words)
        axes.bar_label(bars, [f"{v:.1f}" for v in values], fontsize=6)
    axes.set_xticks(at, names, fontsize=7)
    axes.legend(frameon=False, fontsize=7, loc="upper left", ncols=2, borderaxespad=0)
