"""Who the plan is for: the target people of each locality, and where too few live too far to plan from a desk."""

from __future__ import annotations

import pandas as pd

from planner.settings import Scenario

_COLUMN = {"sin_seguridad_social": "uninsured", "pobtot": "population", "psinder": "unentitled"}


def target_people(localities: pd.DataFrame, scenario: Scenario) -> pd.Series:
    """Target people N of each locality under the scenario's definition, same index as `localities`."""
    return localities[_COLUMN[scenario.people]].astype(float).rename("people")


def far_from_hospital(access: pd.DataFrame, scenario: Scenario) -> pd.Series:
    """Inhabited localities with a first level within reach and the hospital beyond it; unknown minutes are neither."""
    near = access["first_level_min"] <= scenario.reach_first_level_min
    return pd.Series((access["people"] > 0) & near & (access["hospital_min"] > scenario.reach_hospital_min))


def needs_field_visit(access: pd.DataFrame, scenario: Scenario) -> pd.Series:
    """Localities with so few target people and so far that they are assessed on the ground, never sited by the planner.

    `access` holds `people` and `first_level_min` (schema.ACCESS); unknown minutes are not far.
    """
    few = (access["people"] > 0) & (access["people"] < scenario.mobile_locality_min)
    return pd.Series(few & (access["first_level_min"] > scenario.remote_min))
