"""A hand-made ITER of state 13, in the official columns: two municipalities, four localities, every trap once.

    13 001 0001  800 people, everything published         13 001 0002  100 people, confidential (`*`)
    13 001 0003  100 people, nobody aged 6 to 14           13 002 0001  500 people, more entitlements than people
"""

import pandas as pd

from planner.sources.inegi import COUNTS, KEYS, PLACE

# per 100 inhabitants, so that a municipality's share is read off at once
PER_100 = {
    "PSINDER": 30, "PDER_SEGP": 30, "PDER_IMSSB": 10,
    "PHOG_IND": 20, "P3YM_HLI": 10, "POB_AFRO": 5, "PCON_DISC": 5, "POB65_MAS": 10, "POB0_14": 30, "P_15A17": 5, "P_15A49_F": 25,
    "P_15YMAS": 50, "P15YM_AN": 5, "P15YM_SE": 5, "P15PRI_IN": 5, "P15PRI_CO": 10, "P15SEC_IN": 5,
    "P_6A11": 10, "P_12A14": 10, "P6A11_NOA": 1, "P12A14NOA": 1,
    "VIVPARH_CV": 20, "VPH_PISOTI": 2, "VPH_EXCSA": 10, "VPH_LETR": 5, "VPH_AGUAFV": 4, "VPH_NODREN": 6, "VPH_S_ELEC": 1,
    "VPH_LAVAD": 8, "VPH_REFRI": 12,
}
EAST, NORTH = """98°27'22.359" W""", """20°08'45.251" N"""


def row(mun: str, loc: str, people: int, lon: str = "", lat: str = "", **changed: object) -> dict[str, str]:
    """One row: counts in proportion to its people unless changed; blanks for a total's coordinates."""
    town = {"000": "Total de la entidad", "001": "Uno", "002": "Dos"}[mun]
    values = {k: str(v * people // 100) for k, v in PER_100.items()} | {k: str(v) for k, v in changed.items()}
    return {"ENTIDAD": "13", "MUN": mun, "LOC": loc, "NOM_ENT": "Hidalgo", "NOM_MUN": town, "NOM_LOC": f"Lugar {loc}", "LONGITUD": lon,
            "LATITUD": lat, "ALTITUD": "2130" if lon else "", "POBTOT": str(people)} | values


def table() -> pd.DataFrame:
    """The whole file, totals included, as text."""
    hidden = dict.fromkeys(COUNTS, "*")
    nobody = {"P_6A11": 0, "P_12A14": 0, "P6A11_NOA": 0, "P12A14NOA": 0}
    return pd.DataFrame([
        row("000", "0000", 1500), row("000", "9998", 100), row("000", "9999", 0),
        row("001", "0000", 1000), row("001", "0001", 800, EAST, NORTH), row("001", "0002", 100, EAST, NORTH, **hidden),
        row("001", "0003", 100, EAST, NORTH, **nobody), row("001", "9998", 100), row("001", "9999", 0),
        row("002", "0000", 500), row("002", "0001", 500, EAST, NORTH, PSINDER=400, PDER_SEGP=200, PDER_IMSSB=20),
    ], dtype="str")[[*KEYS, *PLACE, *COUNTS]]
