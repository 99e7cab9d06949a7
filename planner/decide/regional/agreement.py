"""How far the universe of work by a rule agrees with the official table, and why it does not, in people and localities."""

from __future__ import annotations

import numpy as np
import pandas as pd

from planner.decide.regional.moves import REASONS, flows, reasons
from planner.decide.regional.universe import Universe, universe
from planner.model import Access, Region, Travel
from planner.settings import Scenario

RULES = ("cercania", "capacidad")
UNKNOWN = " (no está)"  # a published code that stands for no unit, whatever else has it
AGREES, UNLISTED = "coincide", "sin fila en la tabla"
OUTCOMES = (AGREES, *(r for r in REASONS if r not in ("sin unidad antes", "lo propone el plan", "mayor atracción")), UNLISTED)


def agreement(region: Region, travel: Travel, access: Access, scenario: Scenario) -> pd.DataFrame:
    """Today's units by the nearest and by capacity against the official table: rule, outcome, localities, people and the share of both.

    Every one of OUTCOMES has a row, in the order in which the first that holds is the reason (`moves.reasons`). Each locality has
    one, by the unit with most of it, and so has each of its people: of a locality that either side divides, as many agree as a unit
    has by both, and the rest have the reason of the two units between which they differ. By rule, localities and people sum to all.
    No rows without an official table.
    """
    if region.responsibility is None:
        return pd.DataFrame({"rule": [], "outcome": [], "localities": [], "people": [], "localities_share": [], "people_share": []})
    official = _official(region, travel, access)
    parts = []
    for rule in RULES:
        asked = scenario.model_copy(update={"regional": scenario.regional.model_copy(update={"assignment": rule})})
        parts.append(_compared(region, official, universe(region, travel, access, None, asked)))
    return pd.concat(parts, ignore_index=True)


def _official(region: Region, travel: Travel, access: Access) -> pd.DataFrame:
    """The official table by cvegeo and place (the published code, marked, where it stands for no unit), with the minutes to each unit."""
    table = pd.DataFrame(region.responsibility)
    rows = table[table["cvegeo"].isin(access.localities.index) & (table["share"] > 0)]
    rows = rows.assign(place=rows["clues"].where(rows["clues"].notna(), rows["published_clues"] + UNKNOWN))
    summed = rows.groupby(["cvegeo", "place"], as_index=False)["share"].sum()
    pairs = travel.first_level.pairs().rename(columns={"site": "place"})
    found = summed.merge(pairs, how="left", on=["cvegeo", "place"])
    beyond = found["minutes"].isna() & found["place"].isin(travel.first_level.sites)
    return pd.DataFrame(found.assign(minutes=found["minutes"].mask(beyond, np.inf)))


def _compared(region: Region, official: pd.DataFrame, found: Universe) -> pd.DataFrame:
    people = found.localities["people"]
    kind, role = found.units["kind"], region.units["role"]
    by_people = flows(official, found.shares, people)
    main = official.sort_values(["cvegeo", "share", "place"], ascending=[True, False, True]).drop_duplicates("cvegeo").set_index("cvegeo")
    main = main.reindex(people.index)
    by_locality = pd.DataFrame({
        "cvegeo": people.index, "from_id": main["place"].to_numpy(), "to_id": found.localities["place"].to_numpy(),
        "minutes_before": main["minutes"].to_numpy(), "minutes_after": found.localities["minutes"].to_numpy()})
    told = [_outcome(pairs, reasons(pairs, official, role, kind)) for pairs in (by_people, by_locality)]
    counts = pd.DataFrame({
        "localities": told[1].value_counts().reindex(OUTCOMES, fill_value=0),
        "people": by_people["people"].groupby(told[0]).sum().reindex(OUTCOMES, fill_value=0.0)})
    shares = {f"{name}_share": counts[name] / counts[name].sum() for name in ("localities", "people")}
    table = counts.assign(**shares, rule=found.rule).rename_axis("outcome").reset_index()
    return pd.DataFrame(table[["rule", "outcome", "localities", "people", "localities_share", "people_share"]])


def _outcome(pairs: pd.DataFrame, why: pd.Series) -> pd.Series:
    """The reason, or that both agree; where nobody answers by the table, that it has no row."""
    return why.fillna(AGREES).mask(pairs["from_id"].isna(), UNLISTED)
