"""Which units attend in a scenario: those of its institutions, without those that it closes or that are out of service."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

import pandas as pd

from planner.errors import SettingsError
from planner.model import Region
from planner.refusals import nearest
from planner.schema import KINDS
from planner.settings import Scenario
from planner.sources.clues import CATALOGUE, counts_of, roles_of

_PROPOSAL = re.compile(rf"(?:{'|'.join(KINDS)})-([^-]+)(?:-.+)?")  # the place of a proposal, as its id has it
_MOST = 3  # names told of each fault


def network_of(region: Region, scenario: Scenario) -> Region:
    """The region with the units that a scenario counts on; the same object where it asks for nothing else than the region's.

    Under `institutions` the role of every unit is told anew, of IMS only for the programme's own classes; units that leave the network
    attend nobody, as those in `closures`. SettingsError, of all at once, for a CLUES, an institution, or a place of what the plan must
    or must not have that the region does not have, and for a network without a first level.
    """
    role = _roles(region, scenario)
    faults = _faults(region, scenario)
    if not faults and scenario.institutions and not (role == "primer_nivel").any():
        faults = [f"«institutions» = {', '.join(scenario.institutions)} no deja ninguna unidad de primer nivel; {_institutions(region)}"]
    if faults:
        told = "; ".join(faults)
        raise SettingsError(told if told.endswith("?") else f"{told}.")
    units = region.units
    leaving = units.index[(role == "ninguno") & (units["role"] != "ninguno")]
    out = {*scenario.closures, *map(str, leaving)}
    if not role.equals(units["role"]):
        region = replace(region, units=units.assign(role=role.where(~units.index.isin(leaving), units["role"])))
    return with_units_out(region, out)


def _roles(region: Region, scenario: Scenario) -> pd.Series:
    """What each unit does in the network of the scenario."""
    units = region.units
    if not scenario.institutions:
        return pd.Series(units["role"])
    return roles_of(units["unit_class"], counts_of(units["institution"], units["unit_class"], scenario.institutions))


def _faults(region: Region, scenario: Scenario) -> list[str]:
    """What the scenario names and the region does not have."""
    units, places = list(region.units.index), [*region.localities.index, *region.units.index]
    known = sorted({*CATALOGUE, *region.units["institution"]})
    faults = [_unknown("closures", "cierra", ("unidad", "unidades"), scenario.closures, units),
              _unknown("institutions", "nombra", ("institución", "instituciones"), scenario.institutions, known)]
    faults[1] += f"; {_institutions(region)}" if faults[1] else ""
    for key in ("require", "forbid"):
        asked = {name: found[1] if (found := _PROPOSAL.fullmatch(name)) else name for name in getattr(scenario, key)}
        faults.append(_unknown(key, "pide", ("lugar", "lugares"), asked.values(), places))
    return [fault for fault in faults if fault]


def _institutions(region: Region) -> str:
    return f"la región tiene de {', '.join(sorted(set(region.units['institution'])))}"


def _unknown(key: str, does: str, what: tuple[str, str], asked: Iterable[str], there: list[str]) -> str:
    """What is asked and is not there, with the nearest that is; empty where there is nothing to say."""
    unknown = sorted(set(asked) - set(there))
    if not unknown:
        return ""
    near = dict.fromkeys(found for name in unknown[:_MOST] if (found := nearest(name, there)))
    named = ", ".join(unknown[:_MOST]) + (", …" if len(unknown) > _MOST else "")
    return (f"«{key}» {does} {len(unknown)} {what[len(unknown) > 1]} que la región no tiene ({named})"
            + (f", ¿quiso decir {', '.join(near)}?" if near else ", revise las claves"))


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
