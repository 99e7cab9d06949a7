"""The pages, a flat list, and the frame around each: ask, compute, show."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from planner.errors import PlannerError
from planner.outputs.report import Report
from planner.ui import (
    compare,
    compute,
    country,
    data,
    downloads,
    gaps,
    guide,
    overview,
    proposals,
    regions,
    routes,
    state,
    welcome,
)
from planner.ui.entry import entered
from planner.ui.notes import show_foot, show_header, show_style
from planner.ui.sidebar import Question, ask
from planner.ui.words import fault_text
from planner.ui.work import ready
from planner.words import DISCLAIMER

# Of our own, since the browser would ask Google for one of Streamlit's names.
ICON = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#1f5fa8"/>
<path d="M13 6h6v7h7v6h-7v7h-6v-7H6v-6h7z" fill="#fff"/></svg>"""


@dataclass(frozen=True)
class Leaf:
    """One page: what it is called, its address, its icon, and what draws it; `answered` pages wait for the scenario's answer."""

    title: str
    path: str
    icon: str
    answered: Callable[[Question, Report], None] | None = None
    asked: Callable[[Question], None] | None = None
    of_region: bool = True  # else it speaks of more than the region that is asked about


PAGES = (
    Leaf("Panorama", "panorama", ":material/public:", answered=overview.show),
    Leaf("Datos", "datos", ":material/database:", asked=data.show),
    Leaf("Brechas", "brechas", ":material/priority_high:", answered=gaps.show),
    Leaf("Propuestas", "propuestas", ":material/add_location_alt:", answered=proposals.show),
    Leaf("Rutas", "rutas", ":material/route:", answered=routes.show),
    Leaf("Regionalización", "regionalizacion", ":material/hub:", answered=regions.show),
    Leaf("País", "pais", ":material/map:", asked=country.show, of_region=False),
    Leaf("Comparar", "comparar", ":material/compare_arrows:", asked=compare.show),
    Leaf("Descargas", "descargas", ":material/download:", answered=downloads.show),
    Leaf("Ayuda", "ayuda", ":material/help:", asked=guide.show),
)


def show() -> None:
    """Draw the page that the address asks for; a fault of ours is told in one sentence."""
    show_style()
    if not entered():
        return
    told: list[Question] = []
    pages = [st.Page(_framed(leaf, told), title=leaf.title, url_path=leaf.path, icon=leaf.icon, default=leaf is PAGES[0]) for leaf in PAGES]
    chosen = st.navigation(pages)
    try:
        if found := compute.find_regions():  # asked outside of the pages, so that what was answered stays from one to another
            told.append(ask(found, compute.find_scenarios()))
    except PlannerError as fault:
        st.error(fault_text(fault, compute.home()))
        return
    chosen.run()


def _framed(leaf: Leaf, told: list[Question]) -> Callable[[], None]:
    def framed() -> None:
        try:
            if told:
                _page(leaf, told[0])
            else:
                welcome.show()
        except PlannerError as fault:
            st.error(fault_text(fault, compute.home()))
    return framed


def _page(leaf: Leaf, question: Question) -> None:
    state.turn_to(leaf.path)
    if leaf.of_region:
        show_header(leaf.title, compute.region_of(question.prepared), question.scenario)
    else:
        st.markdown(f"## {leaf.title}")
        st.caption(f"Fecha de corte: la de cada entidad, en su corrida · {DISCLAIMER}")
    if leaf.asked is not None:
        leaf.asked(question)
    elif leaf.answered is not None and ready(compute.answer(question.prepared, question.scenario)):
        leaf.answered(question, compute.report(question.prepared, question.scenario))
    show_foot()
