"""The view of regionalization: ask for districts, compute them once, tell what they are worth and what is proved."""

from __future__ import annotations

import hashlib

import streamlit as st

from planner.assumptions import Regional
from planner.checks import findings_table
from planner.decide.regional.regionalization import Regionalization
from planner.outputs.report import Report
from planner.scenarios import Run
from planner.settings import Scenario
from planner.ui import compute, regiontables, state
from planner.ui.compute import Prepared
from planner.ui.redraw import show_districts
from planner.ui.sidebar import Question
from planner.ui.words import count, plain, table
from planner.ui.work import ready

_STEP = 0.1
_HINT = "Marca: supuesto (del planificador)."


def show(question: Question, answered: Report) -> None:
    """The whole page under the header."""
    prepared, scenario, run = question.prepared, question.scenario, answered.run
    st.markdown("### Distritos, redes de referencia, zonas y universos de trabajo")
    mark = hashlib.sha256(f"{prepared} {scenario.model_dump_json()}".encode()).hexdigest()
    asked = _ask(run, mark)
    if not state.regions_asked(mark):
        st.info("Pulse «Trazar» para repartir el territorio de este escenario. La primera vez puede tardar unos minutos; después, cambiar "
                "el número o los pesos solo vuelve a trazar los distritos.")
        return
    if not ready(compute.regional(prepared, scenario)) or not ready(compute.districts_of(prepared, scenario, asked)):
        return
    show_districts(prepared, scenario, asked, hashlib.sha256(f"{mark} {asked.model_dump_json()}".encode()).hexdigest())
    _show_rest(compute.regional(prepared, scenario).result(), scenario.reach_hospital_min)
    _show_tables(prepared, scenario, run)


def _ask(run: Run, mark: str) -> Regional:
    """The form: how many districts, how alike, and what weighs."""
    start = run.scenario.regional
    towns = run.region.municipalities
    today = towns["district"].nunique()
    begins = state.ASKED + hashlib.sha256(start.model_dump_json().encode()).hexdigest()[:8]

    def key(name: str, value: float) -> str:
        return state.start_with(f"{begins}-{name}", value)

    with st.form("trazar", border=True):
        columns = st.columns([1, 1, 1, 1, 1, 0.8], vertical_alignment="bottom")
        zero = f"0: tantos como hoy ({today})" if today else "0: los que convengan"
        districts = columns[0].number_input("Número de distritos", 0, len(towns), step=1, help=f"{zero}. {_HINT}",
                                            key=key("numero", 0 if start.districts == "libre" else min(start.districts, len(towns))))
        tolerance = columns[1].number_input(
            "Desvío (± %)", 0.0, 1000.0, step=5.0, format="%.0f", key=key("desvio", 100 * start.district_tolerance),
            help=f"Tolerancia: cuánto puede apartarse la población objetivo de un distrito de la media de todos. {_HINT}")
        minutes = columns[2].number_input(
            "Peso de los minutos", 0.0, 100.0, step=_STEP, key=key("minutos", start.weight_minutes),
            help=f"Por cada hora de traslado medio al hospital del distrito. {_HINT}")
        crossing = columns[3].number_input(
            "Peso de los cruces", 0.0, 100.0, step=_STEP, key=key("cruces", start.weight_crossing),
            help=f"Por la parte de las personas (0 a 1) cuyo hospital más cercano queda en otro distrito. {_HINT}")
        compact = columns[4].number_input(
            "Peso de la compacidad", 0.0, 100.0, step=_STEP, key=key("compacidad", start.weight_compactness),
            help=f"Por la compacidad que falta para 1: lo que a los distritos les falta para ser redondos. {_HINT}")
        free = st.checkbox("Buscar el número que convenga", key=key("libre", start.districts == "libre"),
                           help=f"Entonces no cuenta el número pedido. {_HINT}")
        required = st.checkbox("Exigir un hospital público en cada distrito", key=key("hospital", start.hospital_required), help=_HINT)
        columns[5].form_submit_button("Trazar", type="primary", width="stretch", on_click=state.ask_regions, args=(mark,))
    st.caption(f"Marca de todos: supuesto. Distritos en {zero}; siempre de municipios completos. Los pesos son puntos por hora de traslado "
               "medio, por la parte de las personas que cruza (0 a 1) y por la compacidad que falta para 1; menos puntos es mejor.")
    return start.model_copy(update={
        "districts": "libre" if free else int(districts), "hospital_required": required,
        "district_tolerance": start.district_tolerance if tolerance == 100 * start.district_tolerance else tolerance / 100,
        "weight_minutes": minutes, "weight_crossing": crossing, "weight_compactness": compact})


def _show_rest(found: Regionalization, reach_min: float) -> None:
    """What networks, zones and universes come to, and what is proved of each."""
    st.markdown("### Universos, redes y zonas")
    for sentence in (_universes(found), _networks(found, reach_min), _zones(found)):
        st.markdown(sentence)
    findings = (*found.districts.areas.findings, *found.networks.findings, *found.zones.findings)
    if findings:
        told = findings_table(findings)
        with st.expander(f"Avisos del trazado ({len(told)})"):
            st.html(table(told.set_axis([name.capitalize() for name in told.columns], axis=1)))


def _universes(found: Regionalization) -> str:
    work = found.universe
    people = {name: float(work.outcomes["people"].get(name, 0.0)) for name in ("gana", "pierde")}
    room = (f"{count(work.unplaced, 'personas')} no caben en ninguna unidad a su alcance y quedan en la más cercana, sobre su capacidad"
            if work.unplaced >= 0.5 else "todas caben")
    proof = ("" if work.solution is None else " Está probado que nadie puede tardar menos en total con estas capacidades."
             if work.solution.proved else f" Otro reparto tardaría a lo más {100 * work.solution.gap:.2f} % menos en total.")
    return (f"**Universos de trabajo.** {count(len(work.moves))} localidades cambiarían de unidad: "
            f"{count(people['gana'], 'personas')} ganan minutos y {count(people['pierde'], 'personas')} los pierden; {room}.{proof}")


def _networks(found: Regionalization, reach_min: float) -> str:
    net = found.networks
    if not len(net.hospitals):
        return ("**Redes de referencia.** La región no tiene hospital de referencia: ninguna unidad tiene red. Agregue hospitales a los "
                "datos, o instituciones de referencia (`referral_institutions`) en el escenario.")
    units = net.units
    alone = units["hospital"].isna()
    counts = {"no alcanzan ninguno": alone.sum(), "van al más cercano, que no tiene lugar": (~alone & ~units["fits"]).sum(),
              "cambian de hospital en lluvias": units["rain_changes"].sum()}
    told = "".join(f"; {count(number)} {what}" for what, number in counts.items() if number)
    proof = ("Está probado que nadie puede tardar menos en total con estas capacidades" if net.solution.proved
             else f"Otras redes tardarían a lo más {100 * net.solution.gap:.2f} % menos en total")
    return (f"**Redes de referencia.** {count(len(net.hospitals))} hospitales reciben de {count(len(units) - alone.sum())} unidades{told}. "
            f"{proof}. {count(len(net.far))} localidades quedan a más de {reach_min:g} min de todo hospital, o sin camino conocido.")


def _zones(found: Regionalization) -> str:
    drawn = found.zones
    n, least = len(drawn.zones), drawn.solution.bound
    proof = "está probado que no pueden ser menos" if n <= least else f"está probado que no pueden ser menos de {count(least)}"
    method = plain(drawn.solution.method)
    return f"**Zonas de supervisión.** {count(n)} zonas que un equipo recorre en una ronda cada una; {proof}. Método: {method}."


def _show_tables(prepared: Prepared, scenario: Scenario, run: Run) -> None:
    """The tables of units, localities, zones and hospitals, and every table as a file."""
    st.markdown("### Tablas y archivos")
    found = compute.tables(prepared, scenario)
    for tab, name in zip(st.tabs(list(regiontables.SHOWN.values())), regiontables.SHOWN, strict=True):
        with tab:
            shown, formats = regiontables.labelled(found, name)
            st.dataframe(shown.style.format(formats, na_rep="sin dato"), height=380)
    made_up = "SINTETICA_" if run.region.synthetic else ""
    st.caption("CSV en UTF-8, los mismos que escribe `planner run`; los de distritos están bajo su tabla.")
    with st.container(horizontal=True):
        for name, label in regiontables.WRITTEN.items():
            if name in found:
                st.download_button(label, compute.table_files(prepared, scenario)[name], key=f"bajar-{name}", on_click="ignore",
                                   file_name=f"{prepared.slug}_{scenario.name}_{made_up}{name}.csv")
