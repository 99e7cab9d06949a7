"""What to do: the proposals with their cost and reason, and how far the plan can be from the best possible."""

from __future__ import annotations

from functools import partial
from typing import Any

import streamlit as st

from planner.outputs.report import Report
from planner.ui.compute import file_bytes
from planner.ui.words import count, decimal, money, plain, sentence, table
from planner.words import KINDS

_COLUMNS = {"tipo": "Tipo", "nombre": "Sede, unidad o base", "costo_anual": "Costo anual (M MXN)", "costo_inversion": "Inversión (M MXN)",
            "personas": "Personas", "brecha_ponderada_cerrada": "Brecha que cierra", "motivo": "Motivo"}
_FORMATS = {"Tipo": KINDS.__getitem__, "Costo anual (M MXN)": lambda v: decimal(v / 1e6), "Inversión (M MXN)": lambda v: decimal(v / 1e6),
            "Personas": count, "Brecha que cierra": count, "Motivo": sentence}


def show_plan(found: Report) -> None:
    """The plan in numbers, its proven bound, and the table of proposals."""
    plan = found.run.outcome.indicators["plan"]
    st.markdown("### Qué se propone")
    figures = [
        ("Costo anual del plan", money(plan["costo_anual"]), f"presupuesto: {money(plan['presupuesto_anual'])}",
         "Operación más inversión anualizada. Marca: supuesto (costos de prensa y del planificador)."),
        ("Inversión inicial", money(plan["costo_inversion"]), f"{count(plan['numero'])} propuestas",
         "Obra y vehículos. Marca: supuesto (costos de prensa y del planificador)."),
        ("Personas que atiende", count(plan["personas"]), "población objetivo",
         "Población objetivo que toman las propuestas. Marca: derivado."),
        ("Brecha ponderada que cierra", count(plan["brecha_ponderada_cerrada"]), f"cota demostrada: {count(plan['cota_superior'])}",
         "Personas por parte de la atención que falta por peso de la necesidad. Marca: derivado.")]
    with st.container(key="plan"):
        for column, (label, value, note, meaning) in zip(st.columns(len(figures)), figures, strict=True):
            column.metric(label, value, note, delta_color="off", delta_arrow="off", help=meaning, border=True, height="stretch")
    st.markdown(_bound(plan))
    for broken in found.run.outcome.violations:
        st.warning(plain(broken))
    if not plan["numero"]:
        st.info("Con este presupuesto y estas intervenciones no se elige ninguna propuesta.")
        return
    st.markdown("Qué compra al año: " + "; ".join(f"{KINDS[name]}, {count(kind['numero'])} por {money(kind['costo_anual'])}"
                                                  for name, kind in plan["por_tipo"].items() if kind["numero"]) + ".")
    _proposals(found)


def _bound(plan: dict[str, Any]) -> str:
    """The proven bound in plain words."""
    left = plan["brecha_optimalidad"]
    verdict = ("este la alcanza: es el mejor posible" if left == 0 else
               f"este queda a lo más {100 * left:.2f} % por debajo" if left >= 5e-5 else "este queda a menos de 0.01 % por debajo")
    unit = {"brecha": "de brecha ponderada", "personas": "personas", "peor_municipio": "por persona en el peor municipio"}[plan["objetivo"]]
    digits = 4 if plan["objetivo"] == "peor_municipio" else 0
    most, ever = (f"{plan[key]:,.{digits}f}" for key in ("cota_superior", "cota_cualquier_ruta"))
    other = f" Con cualquier otra ruta que se dibuje, a lo más {ever}." if plan["cota_cualquier_ruta"] > plan["cota_superior"] else ""
    return (f"**Cota demostrada:** ningún plan con estas opciones y este presupuesto pasa de {most} {unit}; {verdict}.{other} "
            f"Método: {plain(plan['metodo'])}.")


def _proposals(found: Report) -> None:
    ordered = found.layers["propuestas"].sort_values("brecha_ponderada_cerrada", ascending=False, kind="stable")
    st.html(table(ordered[list(_COLUMNS)].rename(columns=_COLUMNS), _FORMATS))
    st.caption("Ordenadas por la brecha ponderada que cierran. Costos supuestos, editables en el archivo del escenario. "
               "Elija una propuesta en el mapa o en el buscador para ver su ficha, su área de influencia o su ruta.")


def show_downloads(found: Report, files: dict[str, str]) -> None:
    """Buttons that make each file when it is asked for; made-up data say so in the file's name."""
    region, scenario = found.run.region, found.run.scenario
    st.markdown("### Descargas")
    st.caption(("Datos SINTÉTICOS: cada archivo lo dice en su nombre. " if region.synthetic else "")
               + "Los mismos archivos que escribe `planner run`; capas en GeoJSON (EPSG:4326) y GeoPackage (CRS de la región).")
    made_up = "SINTETICA_" if region.synthetic else ""
    with st.container(horizontal=True):
        for name, label in files.items():
            st.download_button(label, partial(file_bytes, found, name), key=f"bajar-{name}", on_click="ignore",
                               file_name=f"{region.slug}_{scenario.name}_{made_up}{name}")
