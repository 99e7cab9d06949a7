"""Which units attend in a scenario: those of its institutions, without those that it closes or that are out of service."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import replace

from planner.errors import SettingsError
from planner.model import Region
from planner.settings import Scenario
from planner.sources.clues import CATALOGUE, counts_of, roles_of


def network_of(region: Region, scenario: Scenario) -> Region:
    """The region with the units that a scenario counts on; the same object where it asks for nothing else than the region's.

    Under `institutions` the role of every unit is told anew, of IMS only for the programme's own classes; units that leave the network
    attend nobody, as those in `closures`. SettingsError for a CLUES that the region does not have, an unknown institution, or a
    network without a first level.
    """
    _check("closures", "cierra", scenario.closures, region.units.index, "unidad", "unidades", "las CLUES")
    institutions = {*CATALOGUE, *region.units["institution"]}
    _check("institutions", "nombra", scenario.institutions, institutions, "institución", "instituciones", "las claves")
    out = set(scenario.closures)
    if scenario.institutions:
        units = region.units
        role = roles_of(units["unit_class"], counts_of(units["institution"], units["unit_class"], scenario.institutions))
        if not (role == "primer_nivel").any():
            raise SettingsError(f"«institutions» = {', '.join(scenario.institutions)} no deja ninguna unidad de primer nivel; "
                                f"la región tiene de {', '.join(sorted(set(units['institution'])))}.")
        out |= {str(i) for i in units.index[(role == "ninguno") & (units["role"] != "ninguno")]}
        region = replace(region, units=units.assign(role=role.where(~units.index.isin(out), units["role"])))
    return with_units_out(region, out)


def _check(key: str, does: str, asked: Iterable[str], known: Iterable[str], one: str, many: str, what: str) -> None:
    there = sorted(set(known))
    unknown = sorted(set(asked) - set(there))
    if unknown:
        near = [c for name in unknown[:3] for c in difflib.get_close_matches(name, there, n=1)]
        raise SettingsError(f"«{key}» {does} {len(unknown)} {one if len(unknown) == 1 else many} que la región no tiene "
                            f"({', '.join(unknown[:3])}{', …' if len(unknown) > 3 else ''})"
                            + (f"; ¿quiso decir {', '.join(dict.fromkeys(near))}?" if near else f"; revise {what}."))


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
