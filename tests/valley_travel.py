"""Travel of the valley by hand: round minutes that are easy to reckon with, not those of its roads."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from planner.model import Region, Travel, TravelTimes

A, B, C, D, E, F = "990010001", "990010002", "990010003", "990020001", "990020002", "990020003"
U1, U2, MOBILE, HOSPITAL = "MDIMB000011", "MDIMB000022", "MDIMB000033", "MDIMB000044"
Minutes = Mapping[tuple[str, str], float]

WALK: Minutes = {  # locality, fixed first level
    (A, U1): 24, (B, U1): 36, (B, U2): 48, (C, U2): 0, (C, HOSPITAL): 20, (D, U1): 40, (E, U2): 70, (F, U1): 75, (A, U2): 110}
DRIVE: Minutes = {  # locality, hospital
    (A, HOSPITAL): 30, (B, HOSPITAL): 80, (C, HOSPITAL): 10, (D, HOSPITAL): 120, (F, HOSPITAL): 190}  # E: unreachable
SEATS: Minutes = {(A, A): 0, (D, D): 0, (E, E): 0, (F, F): 0, (D, F): 50, (F, D): 50, (A, F): 80, (B, F): 45, (E, D): 62}


def times(pairs: Minutes, localities: pd.Index, sites: list[str], cutoff_min: float) -> TravelTimes:
    """TravelTimes that hold these pairs."""
    order, columns = localities.sort_values(), pd.Index(sorted(sites))
    rows = [sorted((columns.get_loc(s), m) for (c, s), m in pairs.items() if c == place and m <= cutoff_min) for place in order]
    flat = [pair for row in rows for pair in row]
    return TravelTimes(order, columns, cutoff_min, np.cumsum([0, *map(len, rows)]), np.array([s for s, _ in flat], np.int32),
                       np.array([m for _, m in flat], float))


def nearest(pairs: Minutes, localities: pd.Index, sites: list[str]) -> pd.DataFrame:
    """Nearest site and minutes of each locality, `inf` and null where there is none."""
    best = {c: min(((m, s) for (p, s), m in pairs.items() if p == c and s in sites), default=(np.inf, None)) for c in localities}
    return pd.DataFrame({"minutes": [best[c][0] for c in localities], "clues": [best[c][1] for c in localities]}, index=localities)


def travel(region: Region, walk: Minutes = WALK, drive: Minutes = DRIVE, seats: Minutes = SEATS, unknown: tuple[str, ...] = ()) -> Travel:
    """Walking to the first level, driving to the hospital; driving takes half, the bus 30 minutes more; `unknown` localities have none."""
    places, role = region.localities.index, region.units["role"]
    first, hospital = sorted(role.index[role == "primer_nivel"]), sorted(role.index[role == "hospital"])
    near = {}
    for level, pairs, sites in (("primer_nivel", walk, first), ("hospital", drive, hospital)):
        for mode, factor in (("a_pie", 1.0 if level == "primer_nivel" else 2.0), ("vehiculo", 0.5 if level == "primer_nivel" else 1.0)):
            table = nearest(pairs, places, sites)
            near[level, mode] = table.assign(minutes=(table["minutes"] * factor).mask(table.index.isin(unknown)))
        on_foot, drive_min = near[level, "a_pie"], near[level, "vehiculo"]["minutes"]
        near[level, "transporte_publico"] = on_foot.assign(minutes=np.minimum(on_foot["minutes"], drive_min + 30.0))
    known = {p: m for p, m in walk.items() if p[0] not in unknown and p[1] in (*first, *hospital)}
    assigned = times(known, places, [*first, *hospital], 180.0)
    no = pd.Series(True, index=places)
    bases = times({}, places, [*first, *hospital], 90.0)
    return Travel(near, {}, assigned, times({p: m for p, m in seats.items() if p[0] not in unknown}, places, [A, D, E, F], 90.0), bases,
                  pd.DataFrame(columns=["kind", "id", "metres", "result"]), no, no)
