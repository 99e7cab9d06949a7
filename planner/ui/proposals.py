"""Propuestas: what the budget buys and why, how firm it is, and what it costs to disagree with the plan."""

from __future__ import annotations

from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from planner.outputs import charts
from planner.outputs.decisions import curve_points
from planner.outputs.report import Report
from planner.ui import compute, mapview, state
from planner.ui.charting import chart
from planner.ui.sidebar import Question
from planner.ui.words import count, decimal, money, plain, sentence, table
from planner.ui.work import ready
from planner.words import KINDS

_COLUMNS = {"tipo": "Tipo", "nombre": "Sede, unidad o base", "costo_anual": "Costo anual (M MXN)", "costo_inversion": "Inversión (M MXN)",
            "personas": "Personas", "brecha_ponderada_cerrada": "Brecha que cierra", "motivo": "Motivo"}
_FORMATS = {"Tipo": KINDS.__getitem__, "Costo anual (M MXN)": lambda v: decimal(v / 1e6), "Inversión (M MXN)": lambda v: decimal(v / 1e6),
            "Personas": count, "Brecha que cierra": count, "Motivo": sentence, "Elegida en": lambda v: f"{100 * v:.0f} % de los sorteos"}
_SETTLED = {"require": "exigido", "forbid": "prohibido"}


def show(question: Question, found: Report) -> None:
    """The page under the header."""
    _figures(found)
    if found.run.plan.chosen:
        left, right = st.columns(2)
        with left:
            chart("tipos", charts.closed_by_kind, found.indicators["plan"]["por_tipo"])
        with right:
            _curve(question)
    _sites(question, found)
    _proposals(question, found)


def _figures(found: Report) -> None:
    """The plan in numbers and its proven bound."""
    plan = found.run.outcome.indicators["plan"]
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
    if plan["numero"]:
        st.markdown("Qué compra al año: " + "; ".join(f"{KINDS[name]}, {count(kind['numero'])} por {money(kind['costo_anual'])}"
                                                      for name, kind in plan["por_tipo"].items() if kind["numero"]) + ".")
    else:
        st.info("Con este presupuesto y estas intervenciones no se elige ninguna propuesta.")


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


def _curve(question: Question) -> None:
    """What each budget buys, on request: it takes minutes on a whole state."""
    mark = f"curva {question.prepared} {question.scenario.model_dump_json()}"
    if not state.started(mark):
        st.markdown("**Qué compra cada presupuesto**")
        st.caption("Un plan por presupuesto, cada uno con su cota. Puede tardar unos minutos; mientras, puede seguir.")
        st.button("Calcular la curva", on_click=state.start, args=(mark,))
    elif ready(work := compute.curve(question.prepared, question.scenario)):
        chart("curva", charts.budget_curve, curve_points(work.result()))


@st.fragment
def _sites(question: Question, found: Report) -> None:
    """The map, with the card of a place and what the reader decides about it."""
    st.markdown("### Dónde, y qué cuesta no estar de acuerdo")
    chosen = mapview.search(question)
    mapview.show(question, found, chosen, above=partial(_decide, found, chosen))


def _decide(found: Report, chosen: state.Chosen | None) -> None:
    """Require, forbid or leave to the plan what stands at a place."""
    if chosen is None:
        return
    mine = state.rules()
    options = [o for o in found.run.plan.options if chosen.id in (o.id, o.place)]
    places = dict.fromkeys([chosen.id if chosen.kind == "propuesta" else o.place for o in options])
    if chosen.id in mine:
        places.setdefault(chosen.id)
    if not places:
        st.caption("Aquí no hay ninguna opción factible que exigir o prohibir.")
    for place in places:
        now = mine.get(place)
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(f"{plain(place)}: {_SETTLED[now] if now else 'lo decide el plan'}")
            for rule, label in (("require", "Exigir"), ("forbid", "Prohibir"), (None, "Dejar al plan")):
                if rule != now and st.button(label, key=f"regla-{place}-{label}"):
                    state.set_rule(place, rule)
                    st.rerun()


def _proposals(question: Question, found: Report) -> None:
    st.markdown("### Las propuestas, con su motivo")
    _disagreement(question, found)
    ordered = found.layers["propuestas"].sort_values("brecha_ponderada_cerrada", ascending=False, kind="stable")
    shown = pd.DataFrame(ordered[list(_COLUMNS)].rename(columns=_COLUMNS))
    trial = _trial(question) if len(ordered) else None
    if trial is not None:
        shown.insert(6, "Elegida en", trial.frequency(ordered.index).to_numpy())
    if len(shown):
        st.html(table(shown, _FORMATS))
        st.caption("Ordenadas por la brecha ponderada que cierran. Costos supuestos, editables en Datos, Supuestos. "
                   "Elija una propuesta en el mapa o en el buscador para ver su ficha, su área de influencia o su ruta.")
    _waiting(found)


def _disagreement(question: Question, found: Report) -> None:
    """What the reader's rules about places cost, against the plan that is free of them."""
    rules = state.rules()
    if not rules:
        st.caption("Elija un lugar en el mapa para exigirlo o prohibirlo; aquí se dirá qué cuesta.")
        return
    st.markdown("**Sus decisiones:** " + "; ".join(f"{plain(place)} {_SETTLED[rule]}" for place, rule in rules.items()) + ".")
    st.button("Dejar todo al plan", on_click=state.clear_rules)
    free = compute.answer(question.prepared, question.free)
    if ready(free):
        best, mine = (one.run.plan.solution.value for one in (free.result(), found))
        share = 100 * (best - mine) / best if best else 0.0
        st.markdown(f"El plan libre cierra {decimal(best, 1)}; con sus decisiones, {decimal(mine, 1)}: "
                    f"**cuestan {decimal(best - mine, 1)}** ({share:.2f} %).")


def _trial(question: Question) -> Any:
    """The draws, on request; None until they are done."""
    mark = f"firmeza {question.prepared} {question.scenario.model_dump_json()}"
    if not state.started(mark):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.button("Probar qué tan firme es", on_click=partial(state.start, mark))
            st.caption(f"{compute.TRIAL_DRAWS} sorteos de velocidades, lluvias, capacidad y población; tarda unos minutos. "
                       "Para decidir use el escenario «Decisión», de 200.")
        return None
    work = compute.trial(question.prepared, question.scenario)
    return work.result() if ready(work) else None


def _waiting(found: Report) -> None:
    """The next options that a larger budget would add, each with its reason."""
    told = found.indicators.get("siguientes", [])
    if not told:
        return
    with st.expander(f"Qué sigue: las {len(told)} opciones que entrarían después"):
        rows = pd.DataFrame([(o["id"], o["presupuesto_adicional"], o["brecha_incremental"], o["decision"]) for o in told],
                            columns=["Opción", "Presupuesto adicional (M MXN)", "Brecha que agregaría", "Por qué no entró"])
        st.html(table(rows, {"Presupuesto adicional (M MXN)": lambda v: decimal(v / 1e6), "Brecha que agregaría": count,
                             "Por qué no entró": sentence}))
