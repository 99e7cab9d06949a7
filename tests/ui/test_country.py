"""The page of the country: states and municipalities first, the localities of one municipality when it is asked for."""

from collections.abc import Callable
from pathlib import Path

from drawn_page import visit
from streamlit.testing.v1 import AppTest

from planner.ui import state

Open = Callable[[Path], AppTest]


def words(page: AppTest) -> str:
    return " ".join([*(one.value for one in page.markdown), *(str(one.proto.body) for one in page.get("html"))])


def test_states_and_municipalities_first_then_the_localities_of_one(nation_home: Path, open_page: Open) -> None:
    page = visit(open_page(nation_home), "pais")
    assert not page.exception
    assert {m.label: m.value for m in page.metric}["Población objetivo"] == "8,450"
    told = words(page)
    assert "**2 entidades**" in told
    assert "SINTÉTICAS" in told
    for name in ("Nacional", "Uno", "Dos"):
        assert f"<td>{name}</td>" in told
    assert "localidades, las peores primero" not in told
    page.selectbox(key=state.NATION_TOWN).select("99002").run()
    assert not page.exception
    told = words(page)
    assert "3 localidades, las peores primero" in told
    for letter in "CDE":
        assert f"<td>{letter}</td>" in told
    assert "<td>A</td>" not in told
    assert "unidad asignada" in told  # D goes to a unit of the other state


def test_without_a_national_run_the_page_says_how_to_make_one(page: AppTest) -> None:
    told = visit(page, "pais").info[0].value
    assert "planner run --all base" in told
