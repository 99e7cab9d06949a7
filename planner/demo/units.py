"""Invented health units of the demo, who answers for whom, and the faults planted for the doctor to find."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from planner.demo.places import Country
from planner.demo.terrain import Terrain, centre, near

PREFIX = "ZZ"  # no state of Mexico starts its CLUES with it
SEAT_NUCLEI = (5, 4, 3, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1)  # of the unit in each seat: the larger ones fall short
VILLAGE_PEOPLE_MIN = 420
VILLAGE_UNITS = 30
VILLAGE_SPACING_M = 3_800.0
MOBILE_FROM_M = 6_500.0  # small places farther than this from a fixed unit answer to a mobile one
MOBILE_PEOPLE_MAX = 450
CIRCUIT_STOPS, CIRCUIT_VISITS = 10, 4  # of the mobile unit with most places; of the others nothing is published
VACANT_EVERY = 3  # of the fixed units, one has a room without a physician
URBAN = "URBANO DE {:02d} NÚCLEOS BÁSICOS"
RURAL = "RURAL DE 01 NÚCLEO BÁSICO"
OPEN = "EN OPERACION"


@dataclass(frozen=True, eq=False)
class Health:
    """Units (index clues), official responsibility, today's circuits, and what was planted."""

    units: pd.DataFrame  # institution, level, name, typology, status, cve_mun, cvegeo, x, y, clues_ssa, catalogue, fixed
    responsibility: pd.DataFrame  # cvegeo, clues (as published), name, people
    circuits: pd.DataFrame  # clues, cvegeo, visits_month
    resources: pd.DataFrame  # of the fixed first level, under official headers
    faults: list[tuple[str, str, str]]  # fault, id, what


def make_health(rng: np.random.Generator, terrain: Terrain, country: Country, target: pd.Series) -> Health:
    """Units in the seats and in some of the larger villages, the official tables that go with them, and the faults."""
    places = country.localities
    units = pd.concat([_seat_units(places), _village_units(places), _other_units(places)], ignore_index=True)
    units["fixed"] = units["institution"].isin(["IMB", "IMO"]) & (units["level"] == "1") & ~units["kind"].isin(["movil", "apoyo"])
    units = _coded(rng, units, places)
    table = _responsibility(places, units, target)
    visited = table[table["unit"].isin(units.index[units["kind"] == "movil"])]
    stops = visited[visited["unit"] == visited["unit"].mode().iloc[0]].head(CIRCUIT_STOPS)
    circuits = pd.DataFrame({"clues": stops["unit"], "cvegeo": stops["cvegeo"], "visits_month": CIRCUIT_VISITS})
    units, table, faults = _with_faults(terrain, places, units, table)
    resources, blank, unknown = _resources(units)
    faults += [("recursos_en_blanco", blank, "El archivo de recursos trae sus médicos en blanco."),
               ("recursos_desconocidos", unknown, "Está en el archivo de recursos y en ningún catálogo.")]
    return Health(units, table[["cvegeo", "clues", "name", "people"]], circuits, resources, faults)


def _row(place: pd.Series, institution: str, level: str, kind: str, name: str, typology: str | None, catalogue: bool) -> dict[str, object]:
    return {"institution": institution, "level": level, "kind": kind, "name": name.upper(), "typology": typology, "cvegeo": place.name,
            "status": OPEN if institution == "IMB" else None, "catalogue": catalogue}


def _seat_units(places: pd.DataFrame) -> pd.DataFrame:
    """One health centre in each seat, two more in the capital."""
    seats = places[places["seat"]]
    rows = [_row(seat, "IMB", "1", "fija", str(seat["name"]), URBAN.format(n) if n > 1 else RURAL, True)
            for (_, seat), n in zip(seats.iterrows(), SEAT_NUCLEI, strict=True)]
    capital = seats.iloc[0]
    for part, nuclei in (("Ribera", 2), ("Oriente", 1)):
        rows.append(_row(capital, "IMB", "1", "fija", f"{capital['name']} {part}", URBAN.format(nuclei), True))
    return pd.DataFrame(rows)


def _village_units(places: pd.DataFrame) -> pd.DataFrame:
    """The larger villages, well apart, every third left without: half of the rest IMB, half the old programme's UMR."""
    villages = places[~places["seat"] & ~places["on_lake"] & (places["population"] >= VILLAGE_PEOPLE_MIN)]
    villages = villages.sort_values(["population", "name"], ascending=[False, True])
    taken = places.loc[places["seat"], ["x", "y"]].to_numpy().tolist()
    rows: list[dict[str, object]] = []
    for rank, (_, village) in enumerate(villages.iterrows()):
        apart = min(np.hypot(village["x"] - x, village["y"] - y) for x, y in taken)
        if rank % 3 == 1 or apart < VILLAGE_SPACING_M or len(rows) == VILLAGE_UNITS:
            continue
        taken.append([village["x"], village["y"]])
        imb = len(rows) % 2 == 0
        rows.append(_row(village, "IMB" if imb else "IMO", "1", "fija", str(village["name"]), RURAL if imb else None, imb))
    return pd.DataFrame(rows)


def _other_units(places: pd.DataFrame) -> pd.DataFrame:
    """Hospitals in the plain, mobile units, and what must not count as public first level or referral hospital."""
    seats = places[places["seat"]]
    capital, second, third, high = (seats.iloc[i] for i in (0, 1, 2, -1))
    rows = [
        _row(capital, "IMB", "2", "hospital", "Hospital General Llano Grande", "HOSPITAL GENERAL", False),
        _row(third, "IMB", "2", "hospital", "Hospital Integral Ocotal", "HOSPITAL INTEGRAL (COMUNITARIO)", False),
        _row(second, "IMO", "2", "hospital", str(second["name"]), None, False),
        _row(capital, "IMB", "TERCER NIVEL", "apoyo", "Hospital Psiquiátrico Llano Grande", "HOSPITAL PSIQUIÁTRICO", False),
        _row(capital, "IMB", "1", "apoyo", "UNEME EC Llano Grande", "UNIDAD DE ESPECIALIDADES MÉDICAS (UNEMES)", True),
        _row(capital, "IMB", "NO APLICA", "apoyo", "Almacén estatal", "ALMACENES", False),
        _row(high, "IMB", "1", "movil", f"Caravana {high['name']}", "UNIDAD MÓVIL", True),
        _row(seats.iloc[8], "IMB", "NO APLICA", "movil", f"Caravana {seats.iloc[8]['name']}", "UNIDAD MÓVIL", True),
        _row(seats.iloc[10], "IMO", "1", "movil", f"BS 1 - {seats.iloc[10]['name']}", None, False),
        _row(capital, "SMP", "2", "privada", "Clínica particular del Lago", None, False),
        _row(second, "SMP", "1", "privada", "Consultorio particular", None, False),
    ]
    return pd.DataFrame(rows)


def _coded(rng: np.random.Generator, units: pd.DataFrame, places: pd.DataFrame) -> pd.DataFrame:
    """Codes, coordinates a few streets from the middle of the place, and the closed SSA code of IMB outpatient units."""
    number = units.groupby("institution").cumcount() * 12 + 11
    clues = [f"{PREFIX}{i}{n:06d}" for i, n in zip(units["institution"], number, strict=True)]
    home = places.loc[units["cvegeo"]]
    nudge = rng.uniform(-130, 130, (2, len(units)))
    before = (PREFIX + "SSA" + (number + 1).astype("str").str.zfill(6)).where(units["catalogue"])
    return units.assign(cve_mun=home["cve_mun"].to_numpy(), x=home["x"].to_numpy() + nudge[0], y=home["y"].to_numpy() + nudge[1],
                        clues_ssa=before.to_numpy()).set_axis(pd.Index(clues, name="clues")).sort_index()


def _resources(units: pd.DataFrame) -> tuple[pd.DataFrame, str, str]:
    """A room and a physician for each nucleus, and in every third unit a room without a physician; a unit left blank, one unknown."""
    fixed = units[units["fixed"]]
    nuclei = fixed["typology"].str.extract(r"(\d\d)")[0].fillna("1").astype(int)
    spare = (np.arange(len(fixed)) % VACANT_EVERY == 0).astype(int)
    interns = np.minimum(nuclei - 1, 1)
    table = pd.DataFrame({
        "CLUES": fixed.index, "NOMBRE DE LA UNIDAD": fixed["name"], "CONSULTORIOS DE MEDICINA GENERAL": nuclei + spare,
        "CONSULTORIOS DE MEDICINA FAMILIAR": 0, "MEDICOS GENERALES": (nuclei - interns).astype(object), "PASANTES DE MEDICINA": interns,
        "ENFERMERAS GENERALES": nuclei, "ENFERMERAS AUXILIARES": nuclei // 2}).reset_index(drop=True)
    table.loc[len(table) - 1, "MEDICOS GENERALES"] = ""
    unknown = f"{PREFIX}IMB099995"
    stray = pd.DataFrame([[unknown, "UNIDAD SIN CATÁLOGO", 1, 0, 1, 0, 1, 0]], columns=table.columns)
    return pd.concat([table, stray], ignore_index=True), str(table["CLUES"].iloc[-1]), unknown


def _responsibility(places: pd.DataFrame, units: pd.DataFrame, target: pd.Series) -> pd.DataFrame:
    """The unit nearest as the crow flies; small far places a mobile unit; the capital is split among its units."""
    fixed, mobile = units[units["fixed"]], units[units["kind"] == "movil"]
    away, at = cKDTree(fixed[["x", "y"]]).query(places[["x", "y"]])
    unit = fixed.index.to_numpy()[at]
    far = (away > MOBILE_FROM_M) & (places["population"] <= MOBILE_PEOPLE_MAX).to_numpy()
    unit = np.where(far, mobile.index.to_numpy()[cKDTree(mobile[["x", "y"]]).query(places[["x", "y"]])[1]], unit)
    people = np.maximum(1, (0.93 * target.to_numpy()).round()).astype(np.int64)
    table = pd.DataFrame({"cvegeo": places.index, "unit": unit, "people": people})
    capital = places.index[0]
    shared = fixed[(fixed["cvegeo"] == capital)]
    nuclei = shared["typology"].str.extract(r"(\d\d)")[0].astype(int)
    whole = table[table["cvegeo"] == capital].iloc[0]["people"]
    parts = pd.DataFrame({"cvegeo": capital, "unit": shared.index, "people": (whole * nuclei / nuclei.sum()).round().astype(np.int64)})
    return _published(pd.concat([parts, table[table["cvegeo"] != capital]], ignore_index=True), units)


def _published(table: pd.DataFrame, units: pd.DataFrame) -> pd.DataFrame:
    """With the codes of the time of SSA, as the official table has them."""
    known = units.loc[table["unit"]]
    return table.assign(clues=known["clues_ssa"].fillna(known.index.to_series()).to_numpy(), name=known["name"].to_numpy())


def _with_faults(
    terrain: Terrain, places: pd.DataFrame, units: pd.DataFrame, table: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame, list[tuple[str, str, str]]]:
    """Copies of the tables with one fault of each kind, and the list of them."""
    units, planted = units.copy(), list[tuple[str, str, str]]()
    rural = units.index[units["fixed"] & (units["institution"] == "IMB") & ~units["cvegeo"].isin(places.index[places["seat"]])]
    abroad, distant, blank = rural[1], rural[3], rural[5]
    units.loc[abroad, "cve_mun"] = _neighbour(units.loc[abroad, "cve_mun"])
    units.loc[abroad, "cvegeo"] = None
    units.loc[distant, ["x", "y"]] = _far_corner(places, units, str(units.loc[distant, "cvegeo"]))
    units.loc[blank, ["status", "typology"]] = None
    first, twin = units.index[units["kind"] == "hospital"][0], units.index[units["name"].str.endswith("ORIENTE")][0]
    units.loc[twin, ["x", "y"]] = units.loc[first, ["x", "y"]].to_numpy()
    wet = units.index[units["name"].str.endswith("RIBERA")][0]
    units.loc[wet, ["x", "y"]] = _shore(terrain, units.loc[wet, "x"], units.loc[wet, "y"])
    planted += [("unidad_fuera_de_municipio", abroad, "La clave de municipio no es la del lugar donde está."),
                ("unidad_lejos_de_localidad", distant, "Sus coordenadas son las de otra localidad."),
                ("unidad_sin_estatus_ni_tipologia", blank, "El catálogo los trae en blanco."),
                ("coordenadas_compartidas", first, f"Tiene las mismas coordenadas que {twin}."),
                ("coordenadas_compartidas", twin, f"Tiene las mismas coordenadas que {first}."),
                ("unidad_en_agua", wet, "Está en una celda de la laguna, a menos de 1 km de la orilla.")]
    lake = places.index[places["on_lake"]][0]
    planted.append(("localidad_en_agua", lake, "Está en una celda de la laguna."))
    table, split, lost = _odd_rows(places, units, table)
    planted += [("responsable_dividido", c, "Responde a varias unidades.") for c in split]
    planted += [("responsable_desconocido", c, "Su unidad responsable no está en ningún catálogo.") for c in lost]
    return units, table, planted


def _neighbour(cve_mun: str) -> str:
    """The municipality before it (after it, for the first)."""
    number = int(cve_mun[2:])
    return f"{cve_mun[:2]}{number - 1 if number > 1 else number + 1:03d}"


def _far_corner(places: pd.DataFrame, units: pd.DataFrame, cvegeo: str) -> list[float]:
    """Place of the same municipality farthest from the locality, where no unit stands."""
    home = places.loc[cvegeo]
    others = places[(places["cve_mun"] == home["cve_mun"]) & ~places.index.isin(units["cvegeo"].dropna())]
    away = (others["x"] - home["x"]) ** 2 + (others["y"] - home["y"]) ** 2
    far = others.loc[[away.idxmax()]]
    return [float(far["x"].iloc[0]), float(far["y"].iloc[0])]


def _shore(terrain: Terrain, x: float, y: float) -> list[float]:
    """The lake cell nearest to a point, among those that touch dry land."""
    cells = np.flatnonzero(terrain.lake & near(terrain.land, 1))
    at = np.column_stack(centre(cells))
    return [float(v) for v in at[np.hypot(at[:, 0] - x, at[:, 1] - y).argmin()]]


def _odd_rows(places: pd.DataFrame, units: pd.DataFrame, table: pd.DataFrame) -> tuple[pd.DataFrame, list[str], list[str]]:
    """Two villages shared with the next nearest unit, two hamlets of a unit nobody knows."""
    fixed = units[units["fixed"]]
    villages = places[~places["seat"] & places["population"].between(700, 1_500)].index[:2].tolist()
    lost = places[~places["seat"] & places["population"].between(20, 120)].index[[3, -4]].tolist()
    extra = []
    for cvegeo in villages:
        row = table[table["cvegeo"] == cvegeo].iloc[0]
        others = fixed[fixed.index != row["unit"]]
        away = (others["x"] - places.at[cvegeo, "x"]) ** 2 + (others["y"] - places.at[cvegeo, "y"]) ** 2
        extra.append({"cvegeo": cvegeo, "unit": away.idxmin(), "people": int(row["people"] * 0.4)})
    out = pd.concat([table, _published(pd.DataFrame(extra), units)], ignore_index=True)
    unknown = out["cvegeo"].isin(lost)
    out = out.assign(clues=out["clues"].mask(unknown, f"{PREFIX}SSA018064"), name=out["name"].mask(unknown, "CARAVANA SIN CATÁLOGO"))
    return out.sort_values(["cvegeo", "clues"], ignore_index=True), [places.index[0], *villages], lost
