"""What changes hands between two answers to who attends whom: people by pair of places, and why each pair differs."""

from __future__ import annotations

import numpy as np
import pandas as pd

from planner.kinds import FOREIGN

# Why people have another place than before; of each pair the first that holds.
REASONS = (
    "sin unidad antes",  # nobody answered for them
    "unidad cerrada o desconocida",  # the unit before does not stand in the files
    "unidad móvil", "sin función en la red",  # another institution or state, or a unit that attends nobody in the planned network
    "hospital",  # it attends first contact there, and is no first level
    "sin unidad al alcance",  # no fixed first level within the search now
    "lo propone el plan", "localidad dividida",  # the place now is one of several before
    "otra más cercana", "falta de lugar", "mayor atracción")
OUTCOMES = ("gana", "pierde", "igual", "sin comparación")
_TINY = 1e-12  # a share that rounding may leave


def flows(before: pd.DataFrame, after: pd.DataFrame, people: pd.Series) -> pd.DataFrame:
    """People of every locality by place before and after: cvegeo, from_id, to_id, people, minutes_before, minutes_after.

    Both tables hold cvegeo, place (null: none), share and minutes, each pair once; what their shares lack of 1 is without place.
    Of each locality as many as can stay in their place do, and who leaves goes to each new one in proportion. Rows sum to `people`;
    sorted by locality and both places, nulls last.
    """
    sides = [_whole(table, people.index) for table in (before, after)]
    both = sides[0].merge(sides[1], how="outer", on=["cvegeo", "place"], suffixes=("_before", "_after"))
    share = both[["share_before", "share_after"]].fillna(0.0)
    stays = share.min(axis=1)
    left = both.assign(leaves=share["share_before"] - stays, comes=share["share_after"] - stays, stays=stays)
    staying = left[left["stays"] > _TINY]
    parts = [staying.assign(from_id=staying["place"], to_id=staying["place"], part=staying["stays"])]
    out = left.loc[left["leaves"] > _TINY, ["cvegeo", "place", "leaves", "minutes_before"]].rename(columns={"place": "from_id"})
    new = left.loc[left["comes"] > _TINY, ["cvegeo", "place", "comes", "minutes_after"]].rename(columns={"place": "to_id"})
    moving = out.merge(new.assign(total=new.groupby("cvegeo")["comes"].transform("sum")), on="cvegeo")
    parts.append(moving.assign(part=moving["leaves"] * moving["comes"] / moving["total"]))
    columns = ["cvegeo", "from_id", "to_id", "part", "minutes_before", "minutes_after"]
    table = pd.concat([p[columns] for p in parts])
    table["part"] /= table.groupby("cvegeo")["part"].transform("sum")
    table.insert(3, "people", table["cvegeo"].map(people).astype(float) * table.pop("part"))
    named = {side: table[side].astype("str").mask(table[side] == "") for side in ("from_id", "to_id")}
    return table.assign(**named).sort_values(["cvegeo", "from_id", "to_id"], ignore_index=True)


def _whole(table: pd.DataFrame, localities: pd.Index) -> pd.DataFrame:
    """Shares by locality and place that sum to 1: the rest, and the null place, stand as "" without minutes."""
    named = table[table["cvegeo"].isin(localities)]
    named = named.assign(place=named["place"].astype(object).where(named["place"].notna(), ""))
    given = named.groupby("cvegeo")["share"].sum().reindex(localities, fill_value=0.0)
    rest = (1.0 - given).clip(lower=0.0)
    rest = rest[rest > _TINY]
    none = pd.DataFrame({"cvegeo": rest.index, "place": "", "share": rest.to_numpy(), "minutes": np.nan})
    rows = pd.concat([named[["cvegeo", "place", "share", "minutes"]], none])
    rows = rows.astype({"cvegeo": "str", "place": "str", "share": float, "minutes": float})
    return rows.groupby(["cvegeo", "place"], as_index=False).agg(share=("share", "sum"), minutes=("minutes", "first"))


def reasons(pairs: pd.DataFrame, before: pd.DataFrame, role: pd.Series, kind: pd.Series, *, huff: bool = False) -> pd.Series:
    """Why the places of each row of `flows` differ, one of REASONS; null where they are the same.

    `before` holds the pairs cvegeo, place of then; `role` of units by CLUES, `kind` of today's places by id. By Huff's rule people
    also leave a nearer unit for one with more capacity; else only a nearer one without room makes them go farther.
    """
    was, to = pairs["from_id"], pairs["to_id"].map(kind)
    then = was.map(role)
    several = pd.MultiIndex.from_frame(before[["cvegeo", "place"]].astype("str"))
    divided = pd.MultiIndex.from_arrays([pairs["cvegeo"], pairs["to_id"]]).isin(several)
    nearer = pairs["minutes_after"] <= pairs["minutes_before"]
    rules = [was.isna(), then.isna(), then == "movil", then.isin(("ninguno", FOREIGN)), then == "hospital", to.isna() | (to == "movil"),
             to == "propuesta", divided, nearer]
    found = np.select([np.asarray(rule, bool) for rule in rules], REASONS[:len(rules)], default=REASONS[-1] if huff else REASONS[-2])
    same = (was == pairs["to_id"]) | (was.isna() & pairs["to_id"].isna())
    return pd.Series(found, pairs.index, dtype="str").mask(same)


def outcomes(pairs: pd.DataFrame) -> pd.DataFrame:
    """Who gains and who loses minutes, by OUTCOMES: localities with any, people, people_minutes, people_unmeasured; people sum to all.

    Who stays is equal. `people_minutes` is what is gained (or lost) in all; people whose unit was beyond the search gain more than
    is known: they count as `people_unmeasured` and not in the minutes. Without minutes on both sides there is no comparison.
    """
    change = (pairs["minutes_after"] - pairs["minutes_before"]).mask(pairs["from_id"] == pairs["to_id"], 0.0)
    outcome = np.select([change < 0, change > 0, change == 0], OUTCOMES[:3], default=OUTCOMES[3])
    finite = np.isfinite(change)
    table = pd.DataFrame({
        "cvegeo": pairs["cvegeo"], "people": pairs["people"], "people_minutes": (change.abs() * pairs["people"]).where(finite, 0.0),
        "people_unmeasured": pairs["people"].where(np.isinf(change), 0.0)})
    told = table.groupby(outcome).agg({"cvegeo": "nunique", "people": "sum", "people_minutes": "sum", "people_unmeasured": "sum"})
    return told.rename(columns={"cvegeo": "localities"}).reindex(OUTCOMES, fill_value=0).rename_axis("outcome")
