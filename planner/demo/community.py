"""Invented community organisation and people served of the demo, in the layouts of the official tables."""

from __future__ import annotations

import numpy as np
import pandas as pd

from planner.demo.places import Country
from planner.demo.units import PREFIX, Health

HOUSES = ("CE", "CSE", "ASE", "AE")  # keys as the offices publish them
HOUSE_CHANCE, HOUSE_PEOPLE = 0.55, (60, 1_500)  # places of this size without a fixed unit have a health house this often
YEARS = (2022, 2023, 2024)
USED = 0.67  # of the target people who use their unit in a year


def community_table(rng: np.random.Generator, country: Country, health: Health) -> tuple[pd.DataFrame, list[tuple[str, str, str]]]:
    """Health houses, auxiliaries, midwives, volunteers and committees of every place, and the fault planted in them."""
    places = country.localities
    people, remote = places["population"].to_numpy(), places["remote"].to_numpy()
    served = places.index.isin(health.units.loc[health.units["fixed"], "cvegeo"].dropna())
    house = ~served & (people >= HOUSE_PEOPLE[0]) & (people <= HOUSE_PEOPLE[1]) & (rng.random(len(places)) < HOUSE_CHANCE)
    table = pd.DataFrame({
        "CVEGEO": places.index, "casa_de_salud": np.where(house, rng.choice(HOUSES, len(places)), ""),
        "auxiliares": np.where(house, 1 + (people > 800), 0), "parteras": rng.poisson(0.6 * remote * np.minimum(people, 900) / 300),
        "voluntarios": rng.poisson(np.minimum(people, 1_500) / 400), "comite": np.where(house | served, "sí", "no")})
    stray = f"{places.index[0][:5]}9001"
    planted = pd.concat([table, pd.DataFrame([[stray, "CE", 1, 0, 0, "sí"]], columns=table.columns)], ignore_index=True)
    return planted, [("comunidad_fuera_del_censo", stray, "Tiene casa de salud y no está en el censo.")]


def served_table(rng: np.random.Generator, health: Health) -> tuple[pd.DataFrame, list[tuple[str, str, str]]]:
    """People served and target of each fixed unit, year by year, and the fault planted: until the last year under the code of SSA."""
    fixed = health.units[health.units["fixed"]]
    by_code = health.responsibility.groupby("clues")["people"].sum()
    before = fixed["clues_ssa"].fillna(pd.Series(fixed.index, fixed.index))
    target = before.map(by_code).fillna(0).round().astype(np.int64)
    use = np.clip(rng.normal(USED, 0.08, len(fixed)), 0.2, 0.95)
    years = []
    for past, year in enumerate(reversed(YEARS)):
        reported = fixed.index if past == 0 else before
        people = (target * use * (1 - 0.04 * past)).round().astype(np.int64)
        years.append(pd.DataFrame({"CLUES": list(reported), "ANIO": year, "PA": people.to_numpy(), "PO": target.to_numpy()}))
    stray = f"{PREFIX}SSA099994"
    years.append(pd.DataFrame([[stray, YEARS[-1], 120, 200]], columns=years[0].columns))
    table = pd.concat(years).sort_values(["ANIO", "CLUES"], ignore_index=True)
    return table, [("atendida_desconocida", stray, "Informa población atendida y no está en ningún catálogo.")]
