"""Every indicator of a run, written anew from its definition and from nothing but localidades.geojson."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest


def recount(run: Path) -> pd.DataFrame:
    """Assert that indicadores.json says what localidades.geojson adds up to; returns the localities."""
    told = _load(run / "indicadores.json")
    places = pd.DataFrame([f["properties"] for f in _load(run / "localidades.geojson")["features"]])
    everybody = places["poblacion"]
    blocks = [(told["total"], places, everybody)]
    for level, column in (("por_grado", "grado_rezago"), ("por_municipio", "cve_mun"), ("por_distrito", "distrito")):
        named = places[column].astype(object).where(places[column].notna(), "sin dato")
        assert set(named) <= set(told[level])
        blocks += [(block, places[named == key], everybody[named == key]) for key, block in told[level].items() if (named == key).any()]
        for moment in ("actual", "plan"):
            assert sum(b[moment]["poblacion"] for b in told[level].values()) == pytest.approx(everybody.sum())
    blocks += [(block, places, places[group]) for group, block in told["por_grupo"].items()]
    for block, rows, weight in blocks:
        for moment, end in (("actual", ""), ("plan", "_plan")):
            assert block[moment] == pytest.approx(numbers_of(rows, weight, end), rel=1e-6)
    for mode, block in told["por_modo"].items():
        limits = {"dentro_30": ("primer_nivel", 30), "dentro_60": ("primer_nivel", 60), "hospital_60": ("hospital", 60),
                  "hospital_120": ("hospital", 120)}
        near = {key: everybody[places[f"min_{level}_{mode}"] <= t].sum() for key, (level, t) in limits.items()}
        assert {k: block[k] for k in near} == pytest.approx(near, rel=1e-6)
    return places


def numbers_of(rows: pd.DataFrame, weight: pd.Series, end: str) -> dict[str, float | None]:
    """The indicators of some rows of localidades.geojson, written anew from their definitions."""
    first, hospital, lives = rows["min_primer_nivel" + end], rows["min_hospital" + end], weight > 0
    lived = rows["poblacion"] > 0  # a group may live where nobody of the target population does: the state they would have
    named = {"con_servicio": "con servicio", "sin_capacidad": "cubierta sin capacidad", "sin_cobertura": "sin cobertura"}
    state = rows["cobertura" + end].fillna("sin cobertura")
    part = {name: weight * (rows[f"personas_{name}{end}"] / rows["poblacion"].where(lived)).where(lived, state == words)
            for name, words in named.items()}
    order = first[lives].fillna(np.inf).sort_values(kind="stable").index
    passed = weight[order].cumsum() >= 0.9 * weight[order].sum() * (1 - 1e-9)
    ninth = first[order[passed][0]] if len(order) and not np.isnan(first[order[passed][0]]) else None
    return {
        "poblacion": weight.sum(), "localidades": lives.sum(),
        "dentro_30": weight[first <= 30].sum(), "dentro_60": weight[first <= 60].sum(), "dentro_umbral": weight[first <= 60].sum(),
        "hospital_60": weight[hospital <= 60].sum(), "hospital_120": weight[hospital <= 120].sum(),
        "hospital_umbral": weight[hospital <= 120].sum(), "personas_equiv": (weight * rows["brecha" + end]).sum(),
        "brecha_ponderada": (weight * rows["brecha" + end] * rows["peso_necesidad" + end]).sum(), "p90_min": ninth,
        "con_servicio": part["con_servicio"].sum(), "cubierta_sin_capacidad": part["sin_capacidad"].sum(),
        "sin_cobertura": part["sin_cobertura"].sum(), "sin_dato": weight[rows["puntaje_brecha" + end].isna()].sum(),
        "localidades_sin_dato": (lives & rows["puntaje_brecha" + end].isna()).sum(),
        "localidades_sin_servicio": (lives & (part["con_servicio"] <= 0) & (rows["visitas_mes" + end] <= 0)).sum(),
    }


def _load(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))
