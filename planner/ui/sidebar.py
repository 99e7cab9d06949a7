"""Ask: which region, which scenario, and the few values that are changed most. The address of the page holds the answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import streamlit as st

from planner.kinds import MODES
from planner.settings import Scenario, validated
from planner.ui import state
from planner.ui.assumed import with_settings
from planner.ui.compute import Prepared
from planner.ui.words import PEOPLE, SEASONS
from planner.words import KINDS, scenario_title
from planner.words import MODES as MODE_NAMES

_MILLION = 1e6
_BUDGET_MOST = 500.0
_EDITED = "_ajustado"
_BUDGET, _ALLOW = "presupuesto", "permitidas"
_FIELDS = {"temporada": "season", "primer-nivel": "mode_first_level", "hospital": "mode_hospital", "poblacion": "people"}


@dataclass(frozen=True)
class Question:
    """What the page is about: a region, a scenario as the reader left it, and the scenario as it is shipped."""

    prepared: Prepared
    scenario: Scenario
    shipped: Scenario

    @property
    def free(self) -> Scenario:
        """The scenario without the reader's rules about places."""
        return self.scenario.model_copy(update={"require": self.shipped.require, "forbid": self.shipped.forbid})


def ask(regions: list[Prepared], scenarios: dict[str, Scenario]) -> Question:
    """The region and the scenario that the reader wants. SettingsError where what was changed cannot be asked."""
    names = [region.name for region in regions]
    by_name = {r.name if names.count(r.name) == 1 else f"{r.name} ({r.slug})": r for r in regions}
    named = {scenario_title(name): scenario for name, scenario in scenarios.items()}
    with st.sidebar:
        st.markdown("### Qué se pregunta")
        region = by_name[st.selectbox("Entidad", list(by_name), key=state.REGION, bind="query-params")]
        shipped = named[st.selectbox(
            "Escenario", list(named), key=state.SCENARIO, bind="query-params", on_change=_restart, args=(named,),
            help="Cada escenario es un archivo de la carpeta scenarios; lista solo lo que cambia respecto al base.")]
        with st.form("cambios", border=False):
            asked = _form(shipped)
            st.form_submit_button("Calcular", type="primary", width="stretch")
        scenario = _as_asked(shipped, asked)
        told = [str(info.description).lower() for key, info in Scenario.model_fields.items()
                if key != "name" and getattr(scenario, key) != getattr(shipped, key)]
        if told:
            st.caption("Cambió: " + ", ".join(told) + ".")
            st.button("Restablecer el escenario", on_click=_reset, args=(shipped,), width="stretch")
    return Question(replace(region, corrections=state.corrections(region.slug)), scenario, shipped)


def _form(shipped: Scenario) -> dict[str, Any]:
    values = _values(shipped)  # the defaults, which the address leaves out
    modes = {str(mode): MODE_NAMES[mode] for mode in MODES}
    first = partial(_one, values)
    first(st.radio, "Temporada", "temporada", SEASONS, "En lluvias la terracería es más lenta. Marca: supuesto.", horizontal=True)
    first(st.selectbox, "Modo al primer nivel", "primer-nivel", modes,
          "Cómo llega la gente a la unidad. Supuesto: a una hora de camino, como pide la OMS.")
    first(st.selectbox, "Modo al hospital", "hospital", modes, "Cómo llega la gente al hospital. Marca: supuesto.")
    first(st.selectbox, "Población", "poblacion", PEOPLE,
          "A quién se planea atender: base de planeación, no requisito para recibir atención.")
    most = max(_BUDGET_MOST, 2 * shipped.budget_mxn_year / _MILLION)
    st.slider("Presupuesto anual (M MXN)", 0.0, most, values[_BUDGET], step=5.0, format="%.0f", key=_BUDGET, bind="query-params",
              help="Millones de pesos: operación más inversión anualizada. Supuesto editable.")
    st.pills("Intervenciones permitidas", list(KINDS), selection_mode="multi", default=values[_ALLOW], format_func=KINDS.__getitem__,
             key=_ALLOW, bind="query-params")
    return {key: state.value_of(key) for key in values}


def _one(values: Mapping[str, Any], widget: Callable[..., Any], label: str, key: str, named: Mapping[str, str], meaning: str, **more: Any,
         ) -> None:
    """A widget that takes one of the named values, the scenario's by default."""
    widget(label, list(named), list(named).index(values[key]), format_func=named.__getitem__, key=key, bind="query-params", help=meaning,
           **more)


def _as_asked(shipped: Scenario, asked: Mapping[str, Any]) -> Scenario:
    allow = asked[_ALLOW]
    changes = {field: asked[key] for key, field in _FIELDS.items()} | {
        "budget_mxn_year": asked[_BUDGET] * _MILLION, "allow": shipped.allow if set(allow) == set(shipped.allow) else tuple(allow)}
    rules = state.rules()
    changes |= {rule: (*getattr(shipped, rule), *(place for place, of in rules.items() if of == rule)) for rule in ("require", "forbid")}
    values = with_settings(shipped, state.settings()) | changes
    if values == shipped.model_dump():
        return shipped
    return validated(Scenario, values | {"name": shipped.name[:30] + _EDITED}, "escenario ajustado")


def _values(scenario: Scenario) -> dict[str, Any]:
    """What the form holds of a scenario, by widget."""
    return {key: getattr(scenario, field) for key, field in _FIELDS.items()} | {
        _BUDGET: scenario.budget_mxn_year / _MILLION, _ALLOW: list(scenario.allow)}


def _restart(named: Mapping[str, Scenario]) -> None:
    """Callback: another scenario starts from its own values."""
    _reset(named[state.value_of(state.SCENARIO)])


def _reset(shipped: Scenario) -> None:
    """Callback: everything as the scenario says."""
    state.give(_values(shipped))
    state.set_settings({})
    state.clear_rules()

