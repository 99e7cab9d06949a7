"""Long work away from the page: made once for every session that asks for it, told step by step, cancelled on request.

Work belongs to the server, not to a session: it goes on when the reader turns to another page, and what is finished is
kept, the least recently used going first.
"""

from __future__ import annotations

import gc
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import streamlit as st

from planner.ui.words import plain

Told = Callable[[str], None]
KEPT = 10  # finished works
_SOON_S = 0.4  # what ends within this needs no telling
_LOOK_S = 0.7


class Cancelled(Exception):  # noqa: N818 (it is what the reader asked for, no error)
    """The reader called the work off."""


class Work:
    """One long computation: what it is called, its present step, and its result when it is done."""

    def __init__(self, key: str, label: str, make: Callable[[Told], Any], hands: ThreadPoolExecutor) -> None:
        self.key, self.label, self.step = key, label, "En espera de su turno"
        self._off = threading.Event()
        self._future = hands.submit(self._made, make)

    def _made(self, make: Callable[[Told], Any]) -> Any:
        self.tell("Comenzando")
        made = make(self.tell)
        gc.unfreeze()  # what was made is held for long: to walk all of it again and again would halt every page
        gc.collect()
        gc.freeze()
        return made

    def tell(self, step: str) -> None:
        """Record the step that begins; ends the work where it was called off."""
        if self._off.is_set():
            raise Cancelled
        self.step = step

    def cancel(self) -> None:
        """Call it off: it ends before its next step."""
        self._off.set()
        self.step = "Cancelando: termina el paso en curso"

    @property
    def done(self) -> bool:
        return self._future.done()

    @property
    def cancelled(self) -> bool:
        return self.done and isinstance(self._future.exception(), Cancelled)

    @property
    def failed(self) -> bool:
        return self.done and self._future.exception() is not None

    def ended(self, within_s: float) -> bool:
        """Whether it ends, well or not, within these seconds."""
        try:
            self._future.exception(within_s)
        except TimeoutError:
            return False
        return True

    def result(self) -> Any:
        """What it made, once it is done; raises what went wrong."""
        return self._future.result()


class Desk:
    """The works of this server, by key; one at a time, since each uses what cores there are."""

    def __init__(self) -> None:
        self._works: OrderedDict[str, Work] = OrderedDict()
        self._turn = threading.RLock()
        self._hands = ThreadPoolExecutor(1, thread_name_prefix="planner")

    def ask(self, key: str, label: str, make: Callable[[Told], Any]) -> Work:
        """The work of that key, begun now if there is none."""
        with self._turn:
            found = self._works.get(key)
            if found is None:
                found = self._works[key] = Work(key, label, make, self._hands)
            self._works.move_to_end(key)
            for old in [k for k, work in self._works.items() if work.done][:-KEPT]:
                del self._works[old]
        return found

    def forget(self, key: str) -> None:
        """Let the next request begin anew."""
        with self._turn:
            self._works.pop(key, None)

    def going(self) -> list[Work]:
        """The works that are not done, in the order in which they were asked for."""
        with self._turn:
            return [work for work in self._works.values() if not work.done]


@st.cache_resource(show_spinner=False)
def desk() -> Desk:
    """The desk of this server."""
    return Desk()


def ready(work: Work) -> bool:
    """Whether its result can be used; otherwise its progress stands on the page, which is drawn anew when it ends.

    Raises what went wrong, as PlannerError does in words.
    """
    if not work.ended(_SOON_S):
        _progress(work)
        return False
    if work.cancelled:
        st.info(f"Se canceló: {plain(work.label)}.")
        st.button("Calcular de nuevo", key=f"otra-vez-{work.key}", on_click=desk().forget, args=(work.key,), type="primary")
        return False
    if work.failed:
        desk().forget(work.key)  # what went wrong may pass: the next request begins anew
    work.result()
    return True


@st.fragment(run_every=_LOOK_S)
def _progress(work: Work) -> None:
    if work.done:
        st.rerun()
    with st.container(border=True):
        st.markdown(f"**{plain(work.label)}**")
        st.progress(0.0 if work.step.startswith("En espera") else _share(work.step), text=f"{plain(work.step)}…")
        line = st.container(horizontal=True, vertical_alignment="center")
        line.button("Cancelar", key=f"cancelar-{work.key}", on_click=work.cancel)
        ahead = [other.label for other in desk().going() if other is not work]
        line.caption("Puede ir a otra página: el cálculo sigue." + (f" También en curso: {plain('; '.join(ahead))}." if ahead else ""))


def _share(step: str) -> float:
    """How far a step that counts is (as in «Sorteos: 3 de 20»); a little where it does not count.

    >>> _share("Sorteos: 5 de 20"), _share("Calculando acceso y brecha")
    (0.25, 0.05)
    """
    words = step.split()
    numbers = [int(word) for word in words if word.isdigit()]
    return min(numbers[-2] / numbers[-1], 1.0) if len(numbers) >= 2 and numbers[-1] and "de" in words else 0.05
