"""Charts on the page, each with the table that says the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from planner.kinds import GRADES
from planner.outputs import charts
from planner.ui.words import count, decimal, table
from planner.words import KINDS_PLURAL

_SIZE = (5.6, 3.0)


def chart(name: str, draw: Callable[..., Any], told: Any) -> None:
    """A chart of `outputs.charts` as an image whose every figure stands in a table below."""
    st.image(_png(draw, told), width="stretch")
    with st.expander("La gráfica como tabla"):
        st.html(table(_TWINS[name](told)))


@st.cache_data(max_entries=32, show_spinner=False)
def _png(_draw: Callable[..., Any], told: Any) -> bytes:
    return charts.png(_draw(told, _SIZE))


def _reach(total: Mapping[str, Mapping[str, float]]) -> pd.DataFrame:
    keys = {"dentro_30": "Primer nivel a 30 min o menos", "dentro_60": "Primer nivel a 60 min o menos",
            "hospital_60": "Hospital a 60 min o menos", "hospital_120": "Hospital a 120 min o menos"}
    return pd.DataFrame([(words, count(total["actual"][key]), count(total["plan"][key])) for key, words in keys.items()],
                        columns=["Personas objetivo", "Hoy", "Con el plan"])


def _grades(grades: Mapping[str, Mapping[str, Mapping[str, float]]]) -> pd.DataFrame:
    rows = [(name, count(grades[name]["actual"]["poblacion"]),
             *(count(grades[name][when]["personas_equiv"]) for when in ("actual", "plan")))
            for name in (*GRADES, *sorted({*grades} - {*GRADES})) if name in grades]
    return pd.DataFrame(rows, columns=["Grado de rezago", "Población objetivo", "Sin acceso efectivo (equivalentes), hoy", "Con el plan"])


def _curve(points: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    rows = [(decimal(p["presupuesto"] / 1e6, 1), count(p["cierra"]), count(p["cota"]), count(p["cota_cualquier_ruta"])) for p in points]
    return pd.DataFrame(rows, columns=["Presupuesto (M MXN al año)", "Brecha que cierra", "Cota", "Cota con cualquier ruta"])


def _kinds(kinds: Mapping[str, Mapping[str, float]]) -> pd.DataFrame:
    rows = [(words, count(kinds[kind]["numero"]), decimal(kinds[kind]["costo_anual"] / 1e6), count(kinds[kind]["brecha_ponderada_cerrada"]))
            for kind, words in KINDS_PLURAL.items() if kind in kinds]
    return pd.DataFrame(rows, columns=["Tipo", "Propuestas", "Costo anual (M MXN)", "Brecha que cierra"])


_TWINS: dict[str, Callable[[Any], pd.DataFrame]] = {"alcance": _reach, "grados": _grades, "curva": _curve, "tipos": _kinds}
