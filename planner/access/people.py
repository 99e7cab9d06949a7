"""Who the plan is for: the target people of each locality."""

from __future__ import annotations

import pandas as pd

from planner.settings import Scenario

_COLUMN = {"sin_seguridad_social": "uninsured", "pobtot": "population", "psinder": "unentitled"}


def target_people(localities: pd.DataFrame, scenario: Scenario) -> pd.Series:
    """Target people N of each locality under the scenario's definition, same index as `localities`."""
    return localities[_COLUMN[scenario.people]].astype(float).rename("people")
