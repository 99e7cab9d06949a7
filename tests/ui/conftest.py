"""Home folders with a prepared region, and the page run in this process."""

from pathlib import Path

import pytest
import valley
from streamlit.testing.v1 import AppTest

from planner.store import write_region

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def valley_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("valle")
    write_region(valley.region(), home / "data/processed/valle")
    return home


@pytest.fixture
def page(valley_home: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    """The page on the valley, run once."""
    monkeypatch.setenv("PLANNER_HOME", str(valley_home))
    return AppTest.from_file(str(ROOT / "app.py"), default_timeout=120).run()
