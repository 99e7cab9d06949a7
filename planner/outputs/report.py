"""A finished run as its files tell it: the one source of every file, so that none can disagree with another."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd

from planner.outputs.decisions import decision_indicators
from planner.outputs.jsonfiles import canonical_json
from planner.outputs.layers import layers
from planner.outputs.manifest import manifest
from planner.outputs.regionaltold import regional_indicators
from planner.scenarios import Run


@dataclass(frozen=True, eq=False)
class Report:
    """What is written of a run; figures are as the files hold them, so what is shown is what can be read back."""

    run: Run
    layers: Mapping[str, gpd.GeoDataFrame]  # outputs.layers: region's CRS, Spanish names, indexed by key
    indicators: Mapping[str, Any]  # what indicadores.json reads back as
    about: Mapping[str, Any]  # the manifest, without date, seconds and list of files


def report_of(run: Run, prepared: Path, around: Sequence[Path] = ()) -> Report:
    """The report of a run on the region prepared in that folder, with those around it."""
    told = run.outcome.indicators | decision_indicators(run) | regional_indicators(run)
    return Report(run, layers(run.region, run.travel, run.outcome, run.plan, run.scenario, run.regional),
                  json.loads(canonical_json(told)), json.loads(canonical_json(manifest(run, prepared, around))))
