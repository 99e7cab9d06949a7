"""The region with some units out: those that a scenario closes, or that are out of service."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import replace

from planner.errors import SettingsError
from planner.model import Region
from planner.settings import Scenario


def closed(region: Region, scenario: Scenario) -> Region:
    """The region without the units that the scenario closes; the same object where it closes none.

    SettingsError for a CLUES that the region does not have.
    """
    known = set(region.units.index)
    unknown = sorted(set(scenario.closures) - known)
    if unknown:
        near = [c for name in unknown[:3] for c in difflib.get_close_matches(name, sorted(known), n=1)]
        raise SettingsError(f"«closures» cierra {len(unknown)} {'unidad' if len(unknown) == 1 else 'unidades'} que la región no tiene "
                            f"({', '.join(unknown[:3])}{', …' if len(unknown) > 3 else ''})"
                            + (f"; ¿quiso decir {', '.join(dict.fromkeys(near))}?" if near else "; revise las CLUES."))
    return with_units_out(region, scenario.closures)


def with_units_out(region: Region, clues: Iterable[str]) -> Region:
    """The region where these units attend nobody: role `ninguno`, their part of each locality answers to the nearest unit.

    The rows of the official table keep their share and name no unit; today's circuits of such units stop. Everything else,
    the CLUES that do not stand included, is left as it is. The same object where `clues` is empty.
    """
    out = sorted(set(clues))
    if not out:
        return region
    units = region.units.assign(role=region.units["role"].mask(region.units.index.isin(out), "ninguno"))
    table, stops = region.responsibility, region.circuits
    return replace(
        region, units=units, responsibility=None if table is None else table.assign(clues=table["clues"].mask(table["clues"].isin(out))),
        circuits=None if stops is None else stops[~stops["clues"].isin(out)].reset_index(drop=True))
