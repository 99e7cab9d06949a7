"""Measures of access over travel times, for analysts: they describe places and never rank them.

A place with one unit in reach has the same floating-catchment ratio at 1 and at 59 minutes, so the gap score, and not
these, says where care is missing. A locality whose travel is unknown has no pairs and measures 0 here: leave it out by
`Travel.nearest`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from planner.errors import DataError
from planner.model import TravelTimes


def cumulative_opportunities(times: TravelTimes, supply: pd.Series, limit_min: float) -> pd.Series:
    """Supply within `limit_min` (inclusive) of each locality, in the units of `supply`; 0 where nothing is in reach.

    Sum of S_j over t_ij <= limit. `supply` is indexed by site id and must tell every site of `times`. DataError for
    missing or repeated ids, unknown, negative or infinite amounts, and a limit beyond the search of `times`.
    """
    row, site, weight = _weighted_pairs(times, [(limit_min, 1.0)])
    offered = _aligned(supply, times.sites, "la oferta", "sitios")
    return _by_locality(times, row, weight * offered[site], "opportunities")


def two_step_fca(times: TravelTimes, demand: pd.Series, supply: pd.Series, catchment_min: float) -> pd.Series:
    """Supply per person of each locality by the two-step floating catchment area method (Luo & Wang 2003).

    Step 1: R_j = S_j / sum of P_i over t_ij <= catchment; step 2: A_i = sum of R_j over t_ij <= catchment (inclusive).
    The sum of P_i A_i is the supply of the sites that somebody reaches: that of a site without people in its catchment is
    lost (R_j = 0). A locality that reaches no site has 0. `demand` is indexed by cvegeo, `supply` by site id; both must
    tell every id of `times`. Errors as cumulative_opportunities.
    """
    return enhanced_two_step_fca(times, demand, supply, [(catchment_min, 1.0)])


def enhanced_two_step_fca(
    times: TravelTimes, demand: pd.Series, supply: pd.Series, bands: Sequence[tuple[float, float]],
) -> pd.Series:
    """Supply per person of each locality by the enhanced two-step method (E2SFCA, Luo & Qi 2009) with a weight by band.

    `bands` are (upper minutes, weight), edges rising and inclusive: (10, 1), (20, 0.68), (30, 0.22). With W(t) the weight
    of the first band that holds t, and 0 beyond the last: R_j = S_j / sum of P_i W(t_ij); A_i = sum of R_j W(t_ij).
    Everything else as two_step_fca.
    """
    row, site, weight = _weighted_pairs(times, bands)
    people = _aligned(demand, times.localities, "la demanda", "localidades")
    offered = _aligned(supply, times.sites, "la oferta", "sitios")
    asking = np.bincount(site, people[row] * weight, minlength=len(times.sites))
    ratio = np.divide(offered, asking, out=np.zeros_like(offered), where=asking > 0)
    return _by_locality(times, row, weight * ratio[site], "supply_per_person")


def _weighted_pairs(times: TravelTimes, bands: Sequence[tuple[float, float]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Row, site and weight of every pair within the last band."""
    upper, weights = (np.array(column, float) for column in zip(*bands, strict=True)) if bands else (np.array([]), np.array([]))
    if not (len(upper) and (np.diff(upper) > 0).all() and upper[0] >= 0 and np.isfinite(weights).all() and (weights >= 0).all()):
        raise DataError(f"Los límites de minutos deben ser 0 o más y crecer, y sus pesos 0 o más; se dieron {list(bands)}.")
    if upper[-1] > times.cutoff_min:
        raise DataError(f"Se piden {upper[-1]:g} minutos y los traslados solo se buscaron hasta {times.cutoff_min:g}: "
                        "baje el límite o calcule los traslados más lejos.")
    band = np.searchsorted(upper, times.value, side="left")
    kept = band < len(upper)
    row = np.repeat(np.arange(len(times.localities)), np.diff(times.indptr))
    return row[kept], times.site[kept], weights[band[kept]]


def _aligned(amounts: pd.Series, ids: pd.Index, what: str, of: str) -> np.ndarray:
    """Amounts in the order of `ids`. DataError unless each id has one known amount and nobody else has any."""
    given = amounts.index
    values = amounts.to_numpy(float, na_value=np.nan)
    strange = pd.Index(given[np.nan_to_num(values, nan=1.0) != 0]).difference(ids)
    _refuse(given[given.duplicated()], f"En {what} se repiten", of, "deje un renglón por clave")
    _refuse(ids.difference(given), f"En {what} faltan", of, "dé una cantidad (0 si no tiene) a cada clave de los traslados")
    _refuse(strange, f"En {what} sobran", of, "quite las claves que no están en los traslados o calcule sus traslados")
    _refuse(given[~(np.isfinite(values) & (values >= 0))], f"En {what} no se conoce o no es válida la cantidad de", of,
            "dé números finitos de 0 o más, o quite esas claves de los traslados")
    return amounts.reindex(ids).to_numpy(float)


def _refuse(ids: pd.Index, what: str, of: str, remedy: str) -> None:
    if len(ids):
        listed = sorted(map(str, ids))
        raise DataError(f"{what} {len(listed)} {of} ({', '.join(listed[:3])}{', …' if len(listed) > 3 else ''}): {remedy}.")


def _by_locality(times: TravelTimes, row: np.ndarray, amount: np.ndarray, name: str) -> pd.Series:
    return pd.Series(np.bincount(row, amount, minlength=len(times.localities)), index=times.localities, name=name)
