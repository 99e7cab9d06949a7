"""Rezago social: CONEVAL's eleven indicators from census counts, and a replica of its index on the municipal scale.

The coefficients and cuts are a regression on CONEVAL's 2,469 municipalities of 2020 (max error 4.1e-5); on localities
the result is a replica, not CONEVAL's own locality index.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from planner.schema import GRADES, INDICATORS

NAMES = tuple(name for name, _ in INDICATORS)
INTERCEPT = -1.727013
WEIGHTS = {
    "illiterate": 0.022322, "not_in_school": 0.016710, "basic_incomplete": 0.010724, "no_entitlement": -0.003884,
    "dirt_floor": 0.018735, "no_toilet": 0.014914, "no_piped_water": 0.011471, "no_drainage": 0.007704,
    "no_electricity": 0.043900, "no_washer": 0.007227, "no_fridge": 0.008217,
}
CUTS = (-0.713, 0.1255, 0.9633, 1.7988)


def indicators(counts: pd.DataFrame) -> pd.DataFrame:
    """The eleven indicators in percent, in schema order; NaN where a count is hidden or nobody is counted (0/0)."""
    c = counts
    adults, homes = c["P_15YMAS"], c["VIVPARH_CV"]
    behind = c["P15YM_SE"] + c["P15PRI_IN"] + c["P15PRI_CO"] + c["P15SEC_IN"]
    parts = {
        "illiterate": (c["P15YM_AN"], adults),
        "not_in_school": (c["P6A11_NOA"] + c["P12A14NOA"], c["P_6A11"] + c["P_12A14"]),
        "basic_incomplete": (behind, adults),
        "no_entitlement": (c["PSINDER"], c["population"]),
        "dirt_floor": (c["VPH_PISOTI"], homes),
        "no_toilet": (homes - c["VPH_EXCSA"] - c["VPH_LETR"], homes),
        "no_piped_water": (c["VPH_AGUAFV"], homes),
        "no_drainage": (c["VPH_NODREN"], homes),
        "no_electricity": (c["VPH_S_ELEC"], homes),
        "no_washer": (homes - c["VPH_LAVAD"], homes),
        "no_fridge": (homes - c["VPH_REFRI"], homes),
    }
    return pd.DataFrame({name: 100 * parts[name][0] / parts[name][1].where(parts[name][1] > 0) for name in NAMES})


def index(values: pd.DataFrame) -> pd.Series:
    """The index on the municipal scale from the eleven indicators (percent); NaN where any is missing."""
    irs = INTERCEPT + sum((weight * values[name] for name, weight in WEIGHTS.items()), start=pd.Series(0.0, index=values.index))
    return irs.rename("irs")


def grade(irs: pd.Series) -> pd.Series:
    """The grade of each municipal-scale index, missing where it is missing.

    >>> grade(pd.Series([-1.0, 0.0, 0.5, 1.0, 2.0])).tolist()
    ['Muy bajo', 'Bajo', 'Medio', 'Alto', 'Muy alto']
    """
    grades = pd.cut(irs, [-np.inf, *CUTS, np.inf], labels=list(GRADES))
    return grades.astype("str").where(irs.notna()).rename("irs_grade")


def local_index(own: pd.DataFrame, cve_mun: pd.Series, municipal: pd.DataFrame, municipal_irs: pd.Series) -> pd.DataFrame:
    """Index of localities from their own indicators: columns irs, irs_grade, irs_imputed.

    A missing indicator takes that one of its municipality (`municipal`, by cve_mun); where all are missing the
    locality takes `municipal_irs`. NaN remains only where the municipality has nothing either.
    """
    towns = municipal.reindex(cve_mun).set_axis(own.index)
    whole = pd.Series(municipal_irs.reindex(cve_mun).to_numpy("float64"), index=own.index)
    missing = own[list(NAMES)].isna()
    irs = index(own.where(~missing, towns)).where(~missing.all(axis=1), whole)
    return pd.DataFrame({"irs": irs, "irs_grade": grade(irs), "irs_imputed": missing.any(axis=1) & irs.notna()})
