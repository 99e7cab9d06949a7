"""Words that the reasons of options share."""

from __future__ import annotations

import math

import pandas as pd

from planner.settings import Scenario
from planner.words import BY_MODE


def how_far(minutes: float, scenario: Scenario) -> str:
    """Rounded up: what lies beyond a threshold never reads as the threshold."""
    if not math.isfinite(minutes):
        return "sin primer nivel fijo alcanzable"
    return f"a {math.ceil(minutes)} min {BY_MODE[scenario.mode_first_level]} del primer nivel fijo más cercano"


def grade(found: object) -> str:
    return found.lower() if isinstance(found, str) else "desconocido"


def main_grade(grades: pd.Series, serves: pd.DataFrame) -> str:
    """The grade of deprivation of most of the people served (ties: first in order of name)."""
    served = serves["people"].groupby(serves["cvegeo"].map(grades)).sum().sort_index()
    return grade(served.idxmax()) if len(served) else "desconocido"
