"""Who answers for whom today: the official table of responsible units and the stops of mobile units."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from planner.errors import DataError
from planner.model import Finding
from planner.schema import CIRCUITS, RESPONSIBILITY
from planner.sources.files import numbers, read_text_table, some


def read_responsibility(
    path: Path, units: pd.DataFrame, set_aside: pd.DataFrame, localities: pd.Index
) -> tuple[pd.DataFrame, tuple[Finding, ...]]:
    """The official table (CVEGEO, CLUES, personas) as schema.RESPONSIBILITY, and what is to be said of it.

    Former codes become today's; a unit that does not stand has null `clues`. `share` sums to 1 in every locality of the
    table: in proportion to people, in equal parts where all rows say 0. Rows of other localities are left out, counted.
    DataError for a missing column, negative or unreadable people, or malformed keys.
    """
    table = read_text_table(path, required=("CVEGEO", "CLUES", "personas"))
    rows = pd.DataFrame({"cvegeo": _locality(table["CVEGEO"], path), "published_clues": unit_keys(table["CLUES"], path)})
    people = numbers(table["personas"].set_axis(pd.Index(rows["cvegeo"])), path.name, low=0)
    if people.isna().any():
        raise DataError(f"{path.name}: personas está en blanco en {some(people.index[people.isna()])}; escriba un número.")
    pairs = rows.assign(people=people.to_numpy("float64"))
    summed = pairs.groupby(["cvegeo", "published_clues"])["people"].sum().reset_index()
    known = summed[summed["cvegeo"].isin(localities)].reset_index(drop=True)
    if known.empty:
        raise DataError(f"{path.name}: ninguna localidad está en el censo de la región; ¿es la tabla de otro estado?")
    by_locality = known.groupby("cvegeo")["people"]
    total, rows_each = by_locality.transform("sum"), by_locality.transform("size")
    joined = known.assign(clues=current(known["published_clues"], units, set_aside),
                          share=(known["people"] / total).where(total > 0, 1 / rows_each))
    findings = (*_row_findings(rows, summed, known, localities, path.name), *_unit_findings(joined, units, path.name))
    return joined[["cvegeo", *RESPONSIBILITY.names()]], findings


def read_circuits(
    path: Path, units: pd.DataFrame, set_aside: pd.DataFrame, localities: pd.Index
) -> tuple[pd.DataFrame, tuple[Finding, ...]]:
    """Today's stops (CLUES, CVEGEO, visitas_mes) as schema.CIRCUITS; rows of unknown units or localities are left out, counted."""
    table = read_text_table(path, required=("CLUES", "CVEGEO", "visitas_mes"))
    published = unit_keys(table["CLUES"], path)
    visits = numbers(table["visitas_mes"].set_axis(pd.Index(published)), path.name, low=0)
    stops = pd.DataFrame({"clues": current(published, units, set_aside), "cvegeo": _locality(table["CVEGEO"], path),
                          "visits_month": visits.to_numpy("float64")})
    known = stops["clues"].notna() & stops["cvegeo"].isin(localities) & stops["visits_month"].notna()
    kept = stops[known].groupby(["clues", "cvegeo"])["visits_month"].sum().reset_index()
    lost = Finding.of("parada_desconocida", "aviso", "Paradas de unidades o localidades ajenas a la región, o sin visitas: se omiten",
                      path.name, stops.loc[~known, "cvegeo"], "Corrija CLUES, CVEGEO o visitas_mes.")
    return kept[["clues", *CIRCUITS.names()]], lost


def _locality(codes: pd.Series, path: Path) -> pd.Series:
    return _code(codes.str.zfill(9), r"\d{9}", "CVEGEO", "son nueve dígitos", path)


def unit_keys(codes: pd.Series, path: Path) -> pd.Series:
    """CLUES in capitals; DataError for a blank or malformed one."""
    return _code(codes.str.upper(), r"[A-Z]{5}\d{6}", "CLUES", "son cinco letras y seis dígitos", path)


def _code(codes: pd.Series, rule: str, name: str, shape: str, path: Path) -> pd.Series:
    bad = ~codes.str.fullmatch(rule).fillna(False).astype(bool)
    if bad.any():
        raise DataError(f"{path.name}: {name} mal escrita en {some(codes[bad].fillna('vacía').tolist())}; {shape}.")
    return codes


def current(published: pd.Series, units: pd.DataFrame, set_aside: pd.DataFrame) -> pd.Series:
    """Today's code of each published one: itself, or the unit that followed it; null where none stands."""
    former = units["previous_clues"].dropna()
    following = {**set_aside["successor"].dropna().to_dict(), **{old: new for new, old in sorted(former.items(), reverse=True)}}
    current = published.copy()
    for _ in range(3):  # a unit may have changed hands more than once: SSA -> IMO -> IMS
        current = current.where(current.isin(units.index), current.map(following))
    return current.where(current.isin(units.index)).astype("str")


def _row_findings(rows: pd.DataFrame, summed: pd.DataFrame, known: pd.DataFrame, localities: pd.Index, where: str) -> tuple[Finding, ...]:
    units_each = known.groupby("cvegeo").size()
    repeated = rows.loc[rows.duplicated(["cvegeo", "published_clues"]), "cvegeo"]
    empty = known.groupby("cvegeo")["people"].sum()
    return (
        *Finding.of("responsable_fuera_del_censo", "aviso", "Filas de localidades que no están en el censo: se omiten", where,
                    summed.loc[~summed["cvegeo"].isin(localities), "cvegeo"], "Revise CVEGEO contra el censo."),
        *Finding.of("responsable_repetido", "aviso", "Filas repetidas de localidad y unidad: sus personas se suman", where, repeated,
                    "Deje una fila por localidad y unidad."),
        *Finding.of("localidad_dividida", "nota", "Localidades que responden a varias unidades", where, units_each.index[units_each > 1]),
        *Finding.of("responsable_cero", "nota", "Localidades cuyas filas dicen 0 personas: se reparten en partes iguales", where,
                    empty.index[empty == 0]),
        *Finding.of("sin_responsable", "nota", "Localidades sin unidad en la tabla oficial: se les asigna la más cercana", where,
                    localities.difference(pd.Index(known["cvegeo"]))))


def _unit_findings(joined: pd.DataFrame, units: pd.DataFrame, where: str) -> tuple[Finding, ...]:
    role = joined["clues"].map(units["role"])
    unknown = joined["clues"].isna()
    names = ", ".join(sorted(joined.loc[unknown, "published_clues"].unique())[:3])
    return (
        *Finding.of("responsable_desconocido", "aviso", f"Filas que nombran una unidad que no está en los archivos ({names}): "
                    "se asignan a la más cercana", where, joined.loc[unknown, "cvegeo"], "Agregue un catálogo que tenga esas claves."),
        *Finding.of("responsable_movil", "nota", "Filas que responden a una unidad móvil: reciben visitas, no una unidad fija", where,
                    joined.loc[role.eq("movil"), "cvegeo"]),
        *Finding.of("responsable_sin_funcion", "aviso", "Filas cuya unidad no cuenta en la red: se asignan a la más cercana", where,
                    joined.loc[role.eq("ninguno"), "cvegeo"], "Revise institutions en el archivo de región o la tipología de la unidad."))
