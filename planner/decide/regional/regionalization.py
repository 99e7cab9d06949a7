"""The whole regionalization of a plan: universes of work, referral networks, supervision zones and districts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from planner.decide.regional.agreement import agreement
from planner.decide.regional.districts import Districts, districts
from planner.decide.regional.jornadas import Jornadas, jornadas
from planner.decide.regional.networks import Networks, networks
from planner.decide.regional.served import served_ratio
from planner.decide.regional.universe import Universe, universe
from planner.decide.regional.zones import Zones, zones
from planner.model import Access, Plan, Region, Travel
from planner.settings import Scenario


@dataclass(frozen=True, eq=False)
class Regionalization:
    """Who answers for whom, from the locality to the district, each part as its module tells it."""

    universe: Universe
    agreement: pd.DataFrame | None  # with the official table; None where the region has none
    served: pd.DataFrame  # PA/PO; empty without a table of served people
    networks: Networks
    jornadas: Jornadas
    zones: Zones
    districts: Districts


def regionalize(region: Region, travel: Travel, access: Access, plan: Plan, scenario: Scenario, *,
                progress: Callable[[str], None] = lambda _: None, cache: Path | None = None) -> Regionalization:
    """Universes, networks, zones and districts under the plan. `region` is without the units that the scenario closes.

    Raises SettingsError for rules of districts that cannot be, SolverError from the solver.
    """
    progress("Trazando universos de trabajo")
    work = universe(region, travel, access, plan, scenario)
    official = agreement(region, travel, access, scenario) if region.responsibility is not None else None
    progress("Trazando redes de referencia y zonas de supervisión")
    found = networks(region, travel, access, plan, scenario, cache)
    rounds = zones(region, travel, found, scenario, cache)
    hosts = jornadas(region, access, scenario, cache)
    progress("Trazando distritos")
    return Regionalization(work, official, served_ratio(region, work), found, hosts, rounds, districts(region, access, scenario, cache))
