"""Fixtures that several test folders share; puts this folder on the path for the hand-drawn valley."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

SHARED = Path(__file__).parents[2] / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder of real data and outside truths; the test is skipped where it does not exist."""
    if not SHARED.is_dir():
        pytest.skip(f"no real data here: the folder {SHARED} is missing")
    return SHARED
