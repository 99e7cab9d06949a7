"""Invented census of the demo: counts that add up, poorer with remoteness, in INEGI's column names."""

from __future__ import annotations

import numpy as np
import pandas as pd

from planner.demo.places import Country
from planner.sources import deprivation

# Percent at the capital and at the end of the world, of the base that the name of the column says in `_counts`.
RATES = {
    "illiterate": (3.5, 36.0), "not_in_school": (4.5, 15.0), "basic_incomplete": (24.0, 72.0),
    "dirt_floor": (1.2, 40.0), "no_toilet": (0.8, 26.0), "no_piped_water": (1.5, 44.0), "no_drainage": (1.5, 58.0),
    "no_electricity": (0.3, 15.0), "no_washer": (19.0, 92.0), "no_fridge": (7.0, 82.0),
}
AGES = ("P_0A2", "P_3A5", "P_6A11", "P_12A14", "P_15A17", "P_18A64", "POB65_MAS")
AGE_SHARES = (0.052, 0.055, 0.112, 0.058, 0.058, 0.575, 0.090)
ENTITLED = ("PSINDER", "PDER_IMSS", "PDER_ISTE", "PDER_SEGP", "PDER_IMSSB")  # disjoint here
ENTITLED_TOWN, ENTITLED_REMOTE = (0.29, 0.34, 0.07, 0.20, 0.10), (0.17, 0.02, 0.01, 0.52, 0.28)
HIDDEN_HOMES = 2  # the census hides places with one or two inhabited homes
SIZE_STEPS = (0, 249, 499, 999, 2_499, 4_999, 9_999, 14_999, 29_999, 49_999, 99_999)  # INEGI's size codes TAMLOC


def count_people(rng: np.random.Generator, country: Country) -> pd.DataFrame:
    """True counts of every locality, nothing hidden yet: index cvegeo, INEGI's column names, int64."""
    places = country.localities
    people, remote = places["population"].to_numpy(), _hardship(rng, places)
    ages = pd.DataFrame(rng.multinomial(people, AGE_SHARES), columns=list(AGES), index=places.index)
    women = rng.binomial(people, 0.52)
    fertile = np.minimum(rng.binomial(ages["P_15A17"] + ages["P_18A64"], 0.41), women)
    table = pd.DataFrame({
        "POBTOT": people, "POBFEM": women, "POBMAS": people - women, **ages[["P_0A2", "P_3A5", "P_6A11", "P_12A14", "P_15A17"]],
        "P_3YMAS": people - ages["P_0A2"], "P_15YMAS": ages[["P_15A17", "P_18A64", "POB65_MAS"]].sum(axis=1),
        "P_15A49_F": fertile, "POB0_14": ages[["P_0A2", "P_3A5", "P_6A11", "P_12A14"]].sum(axis=1), "POB65_MAS": ages["POB65_MAS"],
    }, index=places.index)
    return pd.concat([table, _groups(rng, places, table), _schooling(rng, remote, table), _insurance(rng, remote, people, places.index),
                      _homes(rng, remote, people, places.index)], axis=1).astype("int64")


def _hardship(rng: np.random.Generator, places: pd.DataFrame) -> np.ndarray:
    """0..1: how remote, with some luck; seats fare better than their surroundings."""
    luck = rng.normal(0, 0.07, len(places))
    eased = places["remote"].to_numpy() ** 0.85 - 0.16 * places["seat"].to_numpy()
    return np.clip(eased + luck, 0, 1)


def _rate(name: str, remote: np.ndarray) -> np.ndarray:
    low, high = RATES[name]
    return np.asarray((low + (high - low) * remote) / 100)


def _groups(rng: np.random.Generator, places: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """Indigenous households gather in the north-east; the other groups are spread evenly."""
    east, north = (places[c].rank(pct=True).to_numpy() for c in ("x", "y"))
    share = np.clip(1.6 * east * north - 0.35 + rng.normal(0, 0.12, len(places)), 0, 0.98)
    households = rng.binomial(table["POBTOT"], share)
    speakers = rng.binomial(np.minimum(households, table["P_3YMAS"]), 0.62)
    return pd.DataFrame({"P3YM_HLI": speakers, "PHOG_IND": households, "POB_AFRO": rng.binomial(table["POBTOT"], 0.012),
                         "PCON_DISC": rng.binomial(table["POBTOT"], 0.055)}, index=places.index)


def _schooling(rng: np.random.Generator, remote: np.ndarray, table: pd.DataFrame) -> pd.DataFrame:
    out = _rate("not_in_school", remote)
    behind = _rate("basic_incomplete", remote)
    steps = np.stack([0.22 * behind, 0.30 * behind, 0.36 * behind, 0.12 * behind, 1 - behind], axis=1)
    adults = rng.multinomial(table["P_15YMAS"], steps)[:, :4]
    return pd.DataFrame({
        "P6A11_NOA": rng.binomial(table["P_6A11"], 0.5 * out), "P12A14NOA": rng.binomial(table["P_12A14"], np.minimum(1, 1.9 * out)),
        "P15YM_AN": rng.binomial(table["P_15YMAS"], _rate("illiterate", remote)),
        **dict(zip(("P15YM_SE", "P15PRI_IN", "P15PRI_CO", "P15SEC_IN"), adults.T, strict=True)),
    }, index=table.index)


def _insurance(rng: np.random.Generator, remote: np.ndarray, people: np.ndarray, index: pd.Index) -> pd.DataFrame:
    near, far = np.array(ENTITLED_TOWN), np.array(ENTITLED_REMOTE)
    drawn = rng.multinomial(people, near + (far - near) * np.sqrt(remote)[:, None])
    table = pd.DataFrame(drawn, columns=list(ENTITLED), index=index)
    return table.assign(PDER_SS=people - table["PSINDER"])


def _homes(rng: np.random.Generator, remote: np.ndarray, people: np.ndarray, index: pd.Index) -> pd.DataFrame:
    homes = np.maximum(1, np.minimum(people, np.round(people / rng.normal(3.8, 0.3, len(people))))).astype(np.int64)
    lacking = {name: rng.binomial(homes, _rate(name, remote)) for name in list(RATES)[3:]}
    toilets = homes - lacking["no_toilet"]
    latrines = rng.binomial(toilets, 0.06 + 0.3 * remote)
    return pd.DataFrame({
        "VIVTOT": homes + rng.poisson(0.22 * homes), "TVIVHAB": homes, "TVIVPARHAB": homes, "VIVPAR_HAB": homes, "VIVPARH_CV": homes,
        "VPH_PISODT": homes - lacking["dirt_floor"], "VPH_PISOTI": lacking["dirt_floor"],
        "VPH_C_ELEC": homes - lacking["no_electricity"], "VPH_S_ELEC": lacking["no_electricity"],
        "VPH_AGUADV": homes - lacking["no_piped_water"], "VPH_AGUAFV": lacking["no_piped_water"],
        "VPH_EXCSA": toilets - latrines, "VPH_LETR": latrines,
        "VPH_DRENAJ": homes - lacking["no_drainage"], "VPH_NODREN": lacking["no_drainage"],
        "VPH_REFRI": homes - lacking["no_fridge"], "VPH_LAVAD": homes - lacking["no_washer"],
    }, index=index)


def target_people(counts: pd.DataFrame) -> pd.Series:
    """People without social security, as the planner derives them, before anything is hidden."""
    return counts["PSINDER"] + counts["PDER_SEGP"] + counts["PDER_IMSSB"]


def municipal_index(counts: pd.DataFrame) -> pd.DataFrame:
    """The eleven indicators, `irs` and `irs_grade` per municipality, from the sums of its localities."""
    sums = counts.groupby(counts.index.str[:5]).sum().rename(columns={"POBTOT": "population"})
    values = deprivation.indicators(sums.astype("float64"))
    irs = deprivation.index(values)
    return values.assign(population=sums["population"], irs=irs, irs_grade=deprivation.grade(irs)).rename_axis("cve_mun")


def iter_rows(country: Country, counts: pd.DataFrame) -> pd.DataFrame:
    """Rows as INEGI publishes them: totals of state and municipalities, subtotals of places of one and two homes, `*`."""
    places = country.localities
    hidden = counts["TVIVHAB"] <= HIDDEN_HOMES
    shown = counts.astype("str").mask(hidden, "*")
    kept = ["POBTOT", "VIVTOT", "TVIVHAB"]
    shown[kept] = counts[kept].astype("str")
    size = np.searchsorted(SIZE_STEPS, counts["POBTOT"], side="left").astype(str)
    rows = [shown.assign(MUN=places["cve_mun"].str[2:], NOM_MUN=places["municipality"], LOC=places.index.str[5:], NOM_LOC=places["name"],
                         TAMLOC=size)]
    entity = str(counts.index[0])[:2]
    rows += _totals(counts, entity + "000", "Total de la entidad sintética", "Total de la Entidad")
    for town, mine in counts.groupby(places["cve_mun"]):
        rows += _totals(mine, str(town), str(places.at[mine.index[0], "municipality"]), "Total del Municipio")
    return pd.concat(rows).sort_index().rename_axis("cvegeo")


def _totals(counts: pd.DataFrame, town: str, title: str, label: str) -> list[pd.DataFrame]:
    """Total (0000) and subtotals of places of one and two homes (9998, 9999), where there are any."""
    homes = counts["TVIVHAB"]
    parts = [("0000", label, counts), ("9998", "Localidades de una vivienda", counts[homes == 1]),
             ("9999", "Localidades de dos viviendas", counts[homes == 2])]
    return [part.sum().astype("str").to_frame(town + loc).T.assign(MUN=town[2:], NOM_MUN=title, LOC=loc, NOM_LOC=name, TAMLOC="*")
            for loc, name, part in parts if len(part)]
