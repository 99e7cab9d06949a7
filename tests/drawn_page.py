"""The page run in this process, and every text that it draws."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from streamlit.navigation.page import calc_hash
from streamlit.testing.v1 import AppTest

APP = str(Path(__file__).parents[1] / "app.py")
WORK_S = 150
# With this the valley has new units, wider ones and circuits to propose.
RICH = {
    "reach_first_level_min": 30.0, "ramp_first_level_good_min": 10.0, "ramp_first_level_none_min": 35.0, "umr_spacing_min": 0.0,
    "mobile_visits_existing": 1.0, "capacity_people_per_nucleo": 1000.0, "umr_people_min": 200.0, "mobile_people_min": 50.0}
AS_TEXT = {"Selectbox:options", "Selectbox:raw_value", "MultiSelect:options"}  # drawn without Markdown or HTML
JOINER = "\u2060"


def settled(page: AppTest) -> AppTest:
    """The page once no work is going on."""
    until = time.monotonic() + WORK_S
    while any(button.label == "Cancelar" for button in page.button):
        assert time.monotonic() < until, "the work does not end"
        time.sleep(0.1)
        page.run()
    return page


def visit(page: AppTest, path: str) -> AppTest:
    """The page of that address, in the same session."""
    page._page_hash = calc_hash(path)
    return settled(page.run())


def markup(page: AppTest) -> str:
    """All HTML of our own on the page."""
    return "\n".join(element.proto.body for element in page.get("html"))


def elements(page: AppTest) -> Iterator[Any]:
    """The protobuf of everything on the page, blocks included."""
    def walk(node: Any) -> Iterator[Any]:
        for child in getattr(node, "children", {}).values():
            yield child
            yield from walk(child)
    return (node.proto for node in walk(page._tree) if getattr(node, "proto", None) is not None)


def strings(message: Any, path: str) -> Iterator[tuple[str, str]]:
    """Every text in a message, with the names of the fields that lead to it."""
    for field, value in message.ListFields():
        for one in (list(value) if field.is_repeated else [value]):
            if isinstance(one, str):
                yield f"{path}:{field.name}", one
            elif hasattr(one, "ListFields"):
                yield from strings(one, path)


def texts(page: AppTest) -> list[tuple[str, str]]:
    return [found for proto in elements(page) for found in strings(proto, proto.DESCRIPTOR.name)]
