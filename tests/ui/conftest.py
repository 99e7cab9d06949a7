"""Home folders with a prepared region, and the page run in this process."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import valley
from drawn_page import APP, settled
from streamlit.testing.v1 import AppTest

from planner.model import Region
from planner.store import write_region


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


@pytest.fixture
def open_page(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], AppTest]:
    """The first page of a home folder, with its answer."""
    def opened(home: Path) -> AppTest:
        monkeypatch.setenv("PLANNER_HOME", str(home))
        return settled(AppTest.from_file(APP, default_timeout=120).run())
    return opened


@pytest.fixture
def page(valley_home: Path, open_page: Callable[[Path], AppTest]) -> AppTest:
    """The page on the valley, run once."""
    return open_page(valley_home)


@pytest.fixture
def page_of(tmp_path: Path, open_page: Callable[[Path], AppTest]) -> Callable[[Region], AppTest]:
    """The page on a region, run once."""
    return lambda region: open_page(home_of(tmp_path, region))
