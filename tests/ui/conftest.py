"""Home folders with a prepared region, and the page run in this process."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import valley
from streamlit.navigation.page import calc_hash
from streamlit.testing.v1 import AppTest

from planner.model import Region
from planner.store import write_region

ROOT = Path(__file__).parents[2]
WORK_S = 150


def home_of(folder: Path, region: Region) -> Path:
    """A home folder with the region prepared."""
    write_region(region, folder / "data/processed" / region.slug)
    return folder


@pytest.fixture(scope="session")
def valley_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return home_of(tmp_path_factory.mktemp("valle"), replace(valley.region(), slug="valle"))


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory, demo_region: Region, searches: Path) -> tuple[Path, Region]:
    """A home folder with the demo region, prepared."""
    home = home_of(tmp_path_factory.mktemp("casa"), demo_region)
    searches.mkdir(exist_ok=True)
    (home / "data/processed/.viajes").symlink_to(searches)
    return home, demo_region


def settled(page: AppTest) -> AppTest:
    """The page once no work is going on."""
    until = time.monotonic() + WORK_S
    while any(button.label == "Cancelar" for button in page.button):
        assert time.monotonic() < until, "the work does not end"
        time.sleep(0.2)
        page.run()
    return page


@pytest.fixture
def settle() -> Callable[[AppTest], AppTest]:
    return settled


@pytest.fixture
def visit() -> Callable[[AppTest, str], AppTest]:
    """`visit(app, path)`: the page of that address, in the same session."""
    def visited(page: AppTest, path: str) -> AppTest:
        page._page_hash = calc_hash(path)
        return settled(page.run())
    return visited


@pytest.fixture
def open_page(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], AppTest]:
    """The first page of a home folder, with its answer."""
    def opened(home: Path) -> AppTest:
        monkeypatch.setenv("PLANNER_HOME", str(home))
        return settled(AppTest.from_file(str(ROOT / "app.py"), default_timeout=120).run())
    return opened


@pytest.fixture
def page(valley_home: Path, open_page: Callable[[Path], AppTest]) -> AppTest:
    """The page on the valley, run once."""
    return open_page(valley_home)


@pytest.fixture
def page_of(tmp_path: Path, open_page: Callable[[Path], AppTest]) -> Callable[[Region], AppTest]:
    """The page on a region, run once."""
    return lambda region: open_page(home_of(tmp_path, region))
