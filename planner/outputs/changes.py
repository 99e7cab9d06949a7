"""What becomes of each proposal from one plan to another: it enters, leaves, moves or changes whom it attends, and why."""

from __future__ import annotations

import pandas as pd

from planner import schema
from planner.outputs.finished import Finished
from planner.words import people_told

_SAME = 0.5  # share of the smaller one's people that makes an entering proposal the successor of a leaving one
_NOISE = 0.5  # people


def proposal_changes(base: Finished, other: Finished) -> pd.DataFrame:
    """A row for each proposal that differs, indexed by id: schema.COMPARED_PROPOSALS.

    A proposal that leaves and one of its kind that enters are one that moves if they share at least half of the people of
    the smaller one; most in common first, each once.
    """
    left = base.proposals.loc[base.proposals.index.difference(other.proposals.index)]
    entered = other.proposals.loc[other.proposals.index.difference(base.proposals.index)]
    moved = _moved(base, other, left, entered)
    names = base.proposals["nombre"].astype(str).to_dict()
    rows: list[tuple[str, str, str, str | None, str]] = [(i, other.name, "se mueve", old, f"atiende a {100 * part:.0f} % de la "
        f"gente de {old} ({names[old]}); la de antes {_why_not(old, other)}") for i, (old, part) in moved.items()]
    rows += [(i, other.name, "entra", None, f"en {base.name} {_why_not(i, base)}") for i in map(str, entered.index) if i not in moved]
    gone = {old for old, _ in moved.values()}
    rows += [(i, other.name, "sale", None, f"en {other.name} {_why_not(i, other)}") for i in map(str, left.index) if i not in gone]
    rows += [(i, other.name, "cambia", None, said) for i, said in _changed(base, other).items()]
    table = pd.DataFrame(rows, columns=["id", "run", "change", "former", "reason"]).set_index("id").sort_index()
    facts = pd.concat([other.proposals, base.proposals])
    facts = facts[~facts.index.duplicated()].reindex(table.index)
    columns = {"kind": "tipo", "name": "nombre", "annual_mxn": "costo_anual", "people": "personas"}
    return table.assign(**{ours: facts[theirs] for ours, theirs in columns.items()})[schema.COMPARED_PROPOSALS.names()]


def _why_not(option: str, run: Finished) -> str:
    """Why a run's plan does not hold an option."""
    if option not in run.options.index:
        return "no es factible"
    return f"no se elige: {run.options['decision'].astype(str)[option]}"


def _people(run: Finished, ids: pd.Index) -> dict[str, pd.Series]:
    """People of each locality that each proposal attends."""
    table = run.attended[run.attended["propuesta"].isin(ids)]
    return {str(i): rows.groupby("cvegeo")["personas"].sum() for i, rows in table.groupby("propuesta")}


def _moved(base: Finished, other: Finished, left: pd.DataFrame, entered: pd.DataFrame) -> dict[str, tuple[str, float]]:
    """Entering id -> the leaving one that it takes the place of, and the part of that one's people that it attends."""
    before, after = _people(base, left.index), _people(other, entered.index)
    pairs: list[tuple[float, str, str, str, str, float]] = []
    for new, theirs in after.items():
        for old, ours in before.items():
            if str(left.at[old, "tipo"]) != str(entered.at[new, "tipo"]):
                continue
            shared = float(pd.concat([ours, theirs], axis=1, join="inner").min(axis=1).sum())
            if shared >= _SAME * min(ours.sum(), theirs.sum()) > 0:
                pairs.append((-shared, min(old, new), max(old, new), old, new, shared / float(ours.sum())))
    found: dict[str, tuple[str, float]] = {}
    for _, _, _, old, new, part in sorted(pairs):  # the same pairs whichever run is the baseline
        if new not in found and old not in {name for name, _ in found.values()}:
            found[new] = (old, part)
    return found


def _changed(base: Finished, other: Finished) -> dict[str, str]:
    """Proposals of both plans that attend other people, in words."""
    both = base.proposals.index.intersection(other.proposals.index)
    before, after = _people(base, both), _people(other, both)
    told = {}
    for i in both:
        ours, theirs = (people.get(i, pd.Series(dtype=float)) for people in (before, after))
        table = pd.concat([ours, theirs], axis=1, keys=["before", "after"]).fillna(0.0)
        if ((table["after"] - table["before"]).abs() > _NOISE).any():
            new, gone = int((table["before"] <= 0).sum()), int((table["after"] <= 0).sum())
            told[str(i)] = (f"atiende a {people_told(theirs.sum())} en lugar de {people_told(ours.sum())}: "
                            f"{new} localidades de más y {gone} de menos")
    return told
