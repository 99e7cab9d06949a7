"""What the real state's localities have in the base scenario, and its municipalities as areas."""

from pathlib import Path

import pytest

from planner.access.gap import compute_access
from planner.decide.regional.areas import Areas, municipal_areas
from planner.model import Access, Region
from planner.settings import Scenario
from planner.travel.times import compute_travel


@pytest.fixture(scope="session")
def hidalgo_access(hidalgo: Region, searches: Path) -> tuple[Region, Access]:
    """Hidalgo and what its localities have in the base scenario."""
    return hidalgo, compute_access(hidalgo, compute_travel(hidalgo, Scenario(), searches), Scenario())


@pytest.fixture(scope="session")
def hidalgo_areas(hidalgo_access: tuple[Region, Access]) -> Areas:
    return municipal_areas(*hidalgo_access, Scenario())
