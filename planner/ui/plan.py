"""What to do: the proposals with their cost and reason, and how far the plan can be from the best possible."""

from __future__ import annotations

from functools import partial

import streamlit as st

from planner.ui.compute import Answer, file_bytes
from planner.ui.words import KINDS, count, money, plain

_COLUMNS = {"tipo": "Tipo", "nombre": "Sede, unidad o base", "costo_anual": "Costo anual", "costo_inversion": "Inversión",
            "personas": "Personas", "brecha_ponderada_cerrada": "Brecha cerrada", "motivo": "Motivo", "id": "Propuesta"}


def show_plan(found: Answer) -> None:
    """The plan in numbers, its proven bound, and the table of proposals."""
    plan = found.run.outcome.indicators["plan"]
    st.markdown("### Qué se propone")
    figures = [
        ("Costo anual del plan", money(plan["costo_anual"]), f"presupuesto: {money(plan['presupuesto_anual'])}",
         "Operación más inversión anualizada. Marca: supuesto (costos de prensa y del planificador)."),
        ("Personas que atiende", count(plan["personas"]), f"inversión: {money(plan['costo_inversion'])}",
         "Población objetivo que toman las propuestas. Marca: derivado."),
        ("Brecha ponderada que cierra", count(plan["brecha_ponderada_cerrada"]), f"{count(plan['numero'])} propuestas",
         "Personas por parte de la atención que falta por peso de la necesidad. Marca: derivado."),
        ("Cota demostrada", count(plan["cota_superior"]), f"a lo más {100 * plan['brecha_optimalidad']:.2f} % por mejorar",
         "Ningún plan con estas opciones y este presupuesto cierra más que la cota; lo que falta para llegar a ella es lo más que podría "
         f"mejorar este. Método: {plain(plan['metodo'])}. Estado: {plain(plan['estado'])}.")]
    for column, (label, value, note, meaning) in zip(st.columns(len(figures)), figures, strict=True):
        column.metric(label, value, note, delta_color="off", delta_arrow="off", help=meaning, border=True, height="stretch")
    proposals = found.layers["propuestas"]
    if proposals.empty:
        st.info("Con este presupuesto y estas intervenciones no se elige ninguna propuesta.")
        return
    table = proposals.sort_values("brecha_ponderada_cerrada", ascending=False, kind="stable").reset_index()[list(_COLUMNS)]
    named = table.assign(tipo=table["tipo"].map(KINDS)).rename(columns=_COLUMNS)
    formats = {"Costo anual": money, "Inversión": money, "Personas": count, "Brecha cerrada": count}
    st.dataframe(named.style.format(formats), height=min(460, 38 + 35 * len(named)), hide_index=True,
                 column_config={"Motivo": st.column_config.Column(width="large")})
    st.caption("Ordenadas por la brecha ponderada que cierran. Costos supuestos, editables en el archivo del escenario. "
               "Elija una propuesta en el mapa o en el buscador para ver su ficha, su área de influencia o su ruta.")
    for broken in found.run.outcome.violations:
        st.warning(plain(broken))


def show_downloads(found: Answer, files: dict[str, str]) -> None:
    """Buttons that make each file when it is asked for."""
    st.markdown("### Descargas")
    st.caption("Los mismos archivos que escribe `planner run`; capas en GeoJSON (EPSG:4326) y GeoPackage (CRS de la región).")
    for column, (name, label) in zip(st.columns(len(files)), files.items(), strict=True):
        column.download_button(label, partial(file_bytes, found, name), file_name=name, key=f"bajar-{name}", on_click="ignore",
                               width="stretch")
