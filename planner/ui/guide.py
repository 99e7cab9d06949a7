"""Ayuda: a guided example, the method in one page, the words, the limits, and how the figures agree with published ones."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from planner.ui.figures import glossary
from planner.ui.sidebar import Question
from planner.ui.words import table
from planner.words import DISCLAIMER

_GUIDED = (
    ("Quién está peor y por qué", "En **Brechas**, elija su municipio en el filtro: la tabla ordena sus localidades de peor a mejor. "
     "Elija una fila: el mapa la muestra y la ficha dice cada parte de su puntaje."),
    ("Qué compra un presupuesto", "Mueva **Presupuesto anual** a la izquierda y pulse **Calcular**. **Propuestas** lista qué se "
     "compra, para quién, a qué costo y por qué, con la cota que dice cuánto mejor podría ser cualquier otro plan."),
    ("Qué cambia en lluvias", "En **Comparar**, elija *Lluvias* en «Se compara con»: quién pierde acceso, dónde, y qué propuestas "
     "cambian."),
    ("Llevarlo a un SIG", "En **Descargas**, *GeoPackage* trae todas las capas con estilos de QGIS, en el CRS de la región."))
_METHOD = """
1. **Traslado.** Un solo grafo de caminos y terreno. A pie, la función de Tobler según la pendiente en el sentido en que se camina; en
   vehículo, la velocidad de cada vía según su clase, superficie y temporada, más la caminata a la vía; en transporte público, además, la
   espera. Lo que no tiene camino se dice «sin ruta»; nunca cuenta como cero.
2. **Quién atiende a quién.** La tabla oficial de responsabilidad donde la hay; si no, la unidad pública fija de primer nivel más cercana
   a {far:g} minutos o menos. Una unidad llena atiende a la parte que cabe.
3. **Puntaje de brecha (0 a 100).** {first:g} % primer nivel (distancia y capacidad, menos lo que dan las visitas móviles),
   {hospital:g} % hospital, con más peso donde el rezago social es mayor. Las constantes son fijas: dos escenarios se pueden comparar.
4. **Propuestas.** Solo opciones que cumplen las normas (personas, separación, jornada, calendario). Un programa entero mixto elige las que
   cierran más brecha ponderada con el presupuesto, y demuestra una cota: ningún otro plan con esas opciones la pasa.
5. **Nadie empeora.** El plan atiende a quien hoy no tiene lugar; los demás quedan como están.
6. **Distritos.** Grupos contiguos de municipios completos, con minutos al hospital, balance y cruces, junto a los de hoy.
"""
_LIMITS = (
    "Estar cerca de una unidad con lugar no es haber sido atendido.",
    "Las personas equivalentes son personas por la parte de la atención que les falta: no son individuos que se puedan señalar.",
    "La velocidad que se supone en terracería decide el resultado: mire siempre lluvias junto al base.",
    "Los costos son supuestos de prensa y del planificador; cámbielos en Datos, Supuestos.",
    "La población objetivo sirve para planear; se atiende a quien lo pida.",
    "El grado de rezago por localidad, sin el archivo del CONEVAL, es una réplica derivada del censo.")
# What the tests hold the product to; each row names its source.
_AGREEMENT = (
    ("Índice de rezago social de 2,469 municipios", "CONEVAL 2020", "error máximo 0.000041"),
    ("Minutos a primer nivel y hospital, superficies de Hidalgo", "publicadas por el estado", "celda por celda, con sus fórmulas"),
    ("Personas a más de 60 min de primer nivel y de 120 de hospital, Hidalgo", "prueba independiente", "29,822 y 63,772, iguales"),
    ("p-mediana y cobertura máxima", "óptimos publicados", "iguales, con la cota demostrada"))


def show(question: Question) -> None:
    """The page under the header."""
    st.markdown("### Un ejemplo guiado, en diez minutos")
    for at, (title, text) in enumerate(_GUIDED, 1):
        st.markdown(f"{at}. **{title}.** {text}")
    method, words, limits, agreement = st.tabs(["Método", "Glosario", "Límites", "Validación"])
    with method:
        first = 100 * question.scenario.weight_first_level
        st.markdown(_METHOD.format(far=question.scenario.ramp_first_level_none_min, first=first, hospital=100 - first))
    with words:
        st.html(table(pd.DataFrame(glossary(question.scenario), columns=["Término", "Qué significa"])))
    with limits:
        st.markdown("\n".join(f"- {one}" for one in (*_LIMITS, DISCLAIMER)))
    with agreement:
        st.caption("Contra resultados que otros publicaron; las pruebas del programa (`make test`) los repiten.")
        st.html(table(pd.DataFrame(_AGREEMENT, columns=["Qué", "De quién", "Acuerdo"])))
