"""INEGI: the locality table of the 2020 census (ITER) and the catalogue of localities (AGEEML)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from planner.errors import DataError
from planner.sources.files import codes, numbers, read_text_table, refuse_repeated, some

KEYS = ("ENTIDAD", "MUN", "LOC")
PLACE = ("NOM_ENT", "NOM_MUN", "NOM_LOC", "LONGITUD", "LATITUD", "ALTITUD", "POBTOT")
COUNTS = (
    "PSINDER", "PDER_SEGP", "PDER_IMSSB",
    "PHOG_IND", "P3YM_HLI", "POB_AFRO", "PCON_DISC", "POB65_MAS", "POB0_14", "P_15A17", "P_15A49_F",
    "P_15YMAS", "P15YM_AN", "P15YM_SE", "P15PRI_IN", "P15PRI_CO", "P15SEC_IN",
    "P_6A11", "P_12A14", "P6A11_NOA", "P12A14NOA",
    "VIVPARH_CV", "VPH_PISOTI", "VPH_EXCSA", "VPH_LETR", "VPH_AGUAFV", "VPH_NODREN", "VPH_S_ELEC", "VPH_LAVAD", "VPH_REFRI",
)
HIDDEN = ("*", "N/D")  # confidential: missing, never zero
MEXICO = {"lon": (-118.6, -86.5), "lat": (14.4, 32.8)}  # degrees, islands included
_DMS = r"""^(-?\d{1,3})\s*[°º]\s*(\d{1,2})\s*['´`’‘′]\s*(\d{1,2}(?:\.\d*)?)\s*(?:["”“″]|['´`’‘′]{2})?\s*([NSEWO])?\s*["”“″]?$"""


@dataclass(frozen=True, eq=False)
class IterTables:
    """The census of one state: counts are floats, NaN where the census hides them."""

    localities: pd.DataFrame  # index cvegeo; entity_name, cve_mun, municipality, name, lon, lat, altitude_m, population, COUNTS
    municipalities: pd.DataFrame  # index cve_mun: the published totals; entity_name, municipality, population, COUNTS
    state: pd.Series  # the published totals of the state: population, COUNTS
    dropped: dict[str, int]  # rows left out, by reason


def read_iter(path: Path, entity: str) -> IterTables:
    """Localities and published totals of one state from an ITER csv or zip, of the state or of the country.

    Coordinates (degrees, minutes and seconds, or decimals) come back as decimal degrees, NaN where blank. DataError on
    missing columns, repeated or malformed keys, negative or unreadable numbers, coordinates outside Mexico or swapped,
    municipalities without their row of totals, or no locality of the state.
    """
    table = read_text_table(path, required=(*KEYS, *PLACE, *COUNTS))
    keys = {k: codes(table[k], width, path.name) for k, width in zip(KEYS, (2, 3, 4), strict=True)}
    ours = keys["ENTIDAD"] == entity
    if not ours.any():
        raise DataError(f"{path.name}: no trae la entidad {entity} sino {some(sorted(set(keys['ENTIDAD'])))}; revise la clave «entity».")
    cvegeo = (keys["ENTIDAD"] + keys["MUN"] + keys["LOC"]).rename("cvegeo")
    rows = table.set_index(cvegeo)[ours.to_numpy()].sort_index()
    refuse_repeated(rows.index, path.name)
    counts = _counts(rows, path)
    county, place = rows.index.str[2:5], rows.index.str[5:]
    subtotal = place.isin(["9998", "9999"])
    town, total = (county != "000") & (place == "0000"), (county == "000") & (place == "0000")
    local = (county != "000") & (place != "0000") & ~subtotal
    towns = _named(rows[town], counts[town]).set_axis(rows.index[town].str[:5].rename("cve_mun"))
    localities = _placed(rows[local], _named(rows[local], counts[local]), path)
    lacking = sorted(set(localities["cve_mun"]) - set(towns.index))
    if lacking or not total.any():
        raise DataError(f"{path.name}: faltan filas de totales (LOC 0000) del estado o de los municipios {some(lacking)}; "
                        "use el archivo como lo publica el INEGI.")
    return IterTables(localities, towns, counts[total].iloc[0],
                      {"otra entidad": int((~ours).sum()), "totales y subtotales": int((~local).sum())})


def read_ageeml(path: Path, entity: str) -> pd.DataFrame:
    """Catalogue of localities of one state, index cvegeo.

    Columns entity_name, cve_mun, municipality, name, lon, lat (decimal degrees), altitude_m, population (NaN where the
    catalogue has `-`) and status. DataError as in `read_iter`.
    """
    table = read_text_table(path, required=(
        "CVE_ENT", "CVE_MUN", "CVE_LOC", "NOM_ENT", "NOM_MUN", "NOM_LOC", "LAT_DECIMAL", "LON_DECIMAL", "ALTITUD", "POB_TOTAL"),
        optional=("ESTATUS",))
    keys = [codes(table[k], width, path.name) for k, width in (("CVE_ENT", 2), ("CVE_MUN", 3), ("CVE_LOC", 4))]
    cvegeo = (keys[0] + keys[1] + keys[2]).rename("cvegeo")
    rows = table.set_index(cvegeo)[(keys[0] == entity).to_numpy()].sort_index()
    if rows.empty:
        raise DataError(f"{path.name}: no trae ninguna localidad de la entidad {entity}; revise la clave «entity».")
    refuse_repeated(rows.index, path.name)
    population = numbers(rows["POB_TOTAL"], path.name, hidden=("-", *HIDDEN), low=0)
    out = pd.DataFrame({
        "entity_name": rows["NOM_ENT"], "cve_mun": rows.index.str[:5], "municipality": rows["NOM_MUN"], "name": rows["NOM_LOC"],
        "lon": degrees(rows["LON_DECIMAL"], path.name), "lat": degrees(rows["LAT_DECIMAL"], path.name),
        "altitude_m": altitude(rows["ALTITUD"]), "population": population,
        "status": rows["ESTATUS"] if "ESTATUS" in rows else pd.Series(pd.NA, index=rows.index, dtype="str")})
    check_coordinates(out, path.name)
    return out


def degrees(text: pd.Series, where: str) -> pd.Series:
    """Decimal degrees from `98°27'22.359" W`, its apostrophe variants, or decimals; NaN where blank, DataError if unreadable."""
    clean = text.str.strip()
    parts = clean.str.upper().str.extract(_DMS)
    whole, minutes, seconds = (pd.to_numeric(parts[i]) for i in range(3))
    sexagesimal = (whole + minutes / 60 + seconds / 3600).where((minutes < 60) & (seconds < 60))
    value = sexagesimal.where(~parts[3].isin(["S", "W", "O"]), -sexagesimal)
    value = value.fillna(pd.to_numeric(clean.str.replace(",", ".", regex=False), errors="coerce"))
    bad = clean.notna() & value.isna()
    if bad.any():
        raise DataError(f"{where}: «{text.name}» no se entiende en {some(text.index[bad])}, por ejemplo {text[bad].iloc[0]!r}; "
                        "escriba grados, minutos y segundos o grados decimales.")
    return value.astype("float64")


def altitude(text: pd.Series) -> pd.Series:
    """Metres from INEGI's padded text (`2134`, `-002`, `00-2`); NaN where it is no number."""
    return pd.to_numeric(text.str.replace(r"^0+(?=-)", "", regex=True), errors="coerce").astype("float64")


def check_coordinates(places: pd.DataFrame, where: str) -> None:
    """DataError if decimal degrees `lon`, `lat` are swapped or outside Mexico; blanks pass."""
    def inside(lon: str, lat: str) -> pd.Series:
        return places[lon].between(*MEXICO["lon"]) & places[lat].between(*MEXICO["lat"])

    given = places["lon"].notna() & places["lat"].notna()
    swapped, outside = given & inside("lat", "lon"), given & ~inside("lon", "lat")
    if swapped.any():
        raise DataError(f"{where}: longitud y latitud están intercambiadas en {some(places.index[swapped])}; intercambie las columnas.")
    if outside.any():
        raise DataError(f"{where}: las coordenadas caen fuera de México en {some(places.index[outside])}; deben ser grados, "
                        "con longitud oeste (negativa o con W).")


def _named(rows: pd.DataFrame, counts: pd.DataFrame) -> pd.DataFrame:
    named = pd.DataFrame({"entity_name": rows["NOM_ENT"], "municipality": rows["NOM_MUN"]})
    return named.join(counts.astype({"population": "int64"}))


def _placed(rows: pd.DataFrame, named: pd.DataFrame, path: Path) -> pd.DataFrame:
    places = pd.DataFrame({
        "cve_mun": rows.index.str[:5], "name": rows["NOM_LOC"],
        "lon": degrees(rows["LONGITUD"], path.name), "lat": degrees(rows["LATITUD"], path.name),
        "altitude_m": altitude(rows["ALTITUD"])}, index=rows.index)
    check_coordinates(places, path.name)
    return places.join(named)


def _counts(rows: pd.DataFrame, path: Path) -> pd.DataFrame:
    values = {c: numbers(rows[c], path.name, hidden=HIDDEN, low=0) for c in ("POBTOT", *COUNTS)}
    counts = pd.DataFrame(values).rename(columns={"POBTOT": "population"})
    if counts["population"].isna().any():
        raise DataError(f"{path.name}: POBTOT falta en {some(counts.index[counts['population'].isna()])}; "
                        "use el archivo como lo publica el INEGI.")
    return counts
