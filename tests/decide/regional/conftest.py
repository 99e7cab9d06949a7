"""The real state of these tests, prepared once, and its municipalities as areas."""

from pathlib import Path

import pytest

from planner.access.gap import compute_access
from planner.decide.regional.areas import Areas, municipal_areas
from planner.model import Access, Region
from planner.region import prepare_region
from planner.settings import Scenario
from planner.travel.times import compute_travel


@pytest.fixture(scope="session")
def hidalgo(shared: Path) -> tuple[Region, Access]:
    """Hidalgo and what its localities have in the base scenario."""
    region = prepare_region(Path(__file__).parents[3] / "regions/hidalgo.toml", shared / "data/hidalgo")
    return region, compute_access(region, compute_travel(region, Scenario()), Scenario())


@pytest.fixture(scope="session")
def hidalgo_areas(hidalgo: tuple[Region, Access]) -> Areas:
    return municipal_areas(*hidalgo, Scenario())
