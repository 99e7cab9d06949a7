"""The hand-drawn valley: six localities, four units, one road, small enough to check every number by hand.

Cells are 1 km; `=` is a paved road (60 km/h), `-` a dirt road (30 km/h), `.` flat open ground, `#` impassable.
Letters are localities, digits are units: 1 UMR (one nucleus), 2 health centre (two nuclei), 3 mobile unit, 4 hospital.

    row 0   . . . F . . . . . .
    row 1   . . . . . . . . . .
    row 2   A = 1 = = B = = = 2    (unit 2 stands in cell 9, locality C with it)
    row 3   . . . - . . # . . .
    row 4   . . . D . . # . E .
    row 5   . . . . . . . . . 4
"""

import geopandas as gpd
import numpy as np
import pandas as pd

from planner import schema
from planner.model import Grid, Region

CRS = "EPSG:32614"
ORIGIN = (500_000.0, 2_206_000.0)
CELL = 1000.0
PLACES = {  # cvegeo: (letter, row, col, population, target people, irs grade)
    "990010001": ("A", 2, 0, 3000, 2000.0, "Bajo"),
    "990010002": ("B", 2, 5, 800, 600.0, "Medio"),
    "990010003": ("C", 2, 9, 5000, 4000.0, "Muy bajo"),
    "990020001": ("D", 4, 3, 500, 400.0, "Alto"),
    "990020002": ("E", 4, 8, 300, 250.0, "Muy alto"),
    "990020003": ("F", 0, 3, 1500, 1200.0, "Muy alto"),
}
FACILITIES = {  # clues: (name, row, col, typology, class, level, role, nuclei)
    "MDIMB000011": ("Unidad uno", 2, 2, "RURAL DE 01 NÚCLEO BÁSICO", "UMR", 1, "primer_nivel", 1),
    "MDIMB000022": ("Unidad dos", 2, 9, "URBANO DE 02 NÚCLEOS BÁSICOS", "centro_salud", 1, "primer_nivel", 2),
    "MDIMB000033": ("Caravana tres", 2, 2, "UNIDAD MÓVIL", "UMM", 1, "movil", 0),
    "MDIMB000044": ("Hospital cuatro", 5, 9, "HOSPITAL GENERAL", "hospital_general", 2, "hospital", 0),
}
RESPONSIBLE = [  # cvegeo, clues, published people
    ("990010001", "MDIMB000011", 100.0), ("990010002", "MDIMB000011", 30.0), ("990010002", "MDIMB000022", 70.0),
    ("990010003", "MDIMB000022", 500.0), ("990020001", "MDIMB000033", 40.0), ("990020003", "MDIMB000011", 90.0),
]  # E has no row: the nearest unit answers for it


def grid() -> Grid:
    """Flat 6 x 10 grid of the drawing; walking factor 1, impassable = NaN factor."""
    road = np.zeros((6, 10), np.float32)
    road[2, :] = 60
    road[3, 3] = 30
    factor = np.ones((6, 10), np.float32)
    factor[3:5, 6] = np.nan
    transform = (CELL, 0.0, ORIGIN[0], 0.0, -CELL, ORIGIN[1])
    return Grid(transform, CRS, road, np.zeros((6, 10), np.float32), factor)


def _centre(row: int, col: int) -> tuple[float, float]:
    return ORIGIN[0] + (col + 0.5) * CELL, ORIGIN[1] - (row + 0.5) * CELL


def _points(rows: list[tuple[int, int]], index: list[str], name: str) -> gpd.GeoDataFrame:
    x, y = zip(*(_centre(*rc) for rc in rows), strict=True)
    points = gpd.GeoDataFrame(index=pd.Index(index, name=name), geometry=gpd.points_from_xy(x, y, crs=CRS))
    degrees = points.geometry.to_crs(4326)
    return points.assign(lon=degrees.x, lat=degrees.y)


def community() -> pd.DataFrame:
    """What the community of B and F organises, as schema.COMMUNITY; nobody tells of the others."""
    table = pd.DataFrame({"health_house": ["CE", None], "auxiliaries": [1, 2], "midwives": [0, None], "volunteers": [None, None],
                          "committee": [1, 0]}, index=pd.Index(["990010002", "990020003"], name="cvegeo"))
    whole = dict.fromkeys(("auxiliaries", "midwives", "volunteers", "committee"), "Int64")
    return table.astype({"health_house": "str", **whole})


def region(*, responsibility: bool = True) -> Region:
    """The valley as a checked Region."""
    places = _points([(p[1], p[2]) for p in PLACES.values()], list(PLACES), "cvegeo")
    grades = [p[5] for p in PLACES.values()]
    irs = [dict(zip(schema.GRADES, (-1.0, -0.3, 0.5, 1.2, 2.5), strict=True))[g] for g in grades]
    people = np.array([p[4] for p in PLACES.values()])
    places = places.assign(
        entity_name="Valle", cve_mun=[c[:5] for c in PLACES], municipality=["Uno"] * 3 + ["Dos"] * 3,
        name=[p[0] for p in PLACES.values()], district="Distrito", altitude_m=2000.0,
        population=np.array([p[3] for p in PLACES.values()], np.int64), uninsured=people, unentitled=people,
        uninsured_imputed=False, **{g[0]: people * 0.1 for g in schema.GROUPS}, groups_imputed=False,
        **{i[0]: 10.0 for i in schema.INDICATORS}, irs=irs, irs_grade=grades, irs_imputed=False, irs_origin="derivado", flags=None)
    places["flags"] = places["flags"].astype("str").where(places["flags"].notna(), None)
    units = _points([(u[1], u[2]) for u in FACILITIES.values()], list(FACILITIES), "clues")
    units = units.assign(
        name=[u[0] for u in FACILITIES.values()], institution="IMB", typology=[u[3] for u in FACILITIES.values()],
        unit_class=[u[4] for u in FACILITIES.values()], level=pd.array([u[5] for u in FACILITIES.values()], dtype="Int64"),
        status="EN OPERACION", role=[u[6] for u in FACILITIES.values()],
        nuclei=np.array([u[7] for u in FACILITIES.values()], np.int64), cve_mun="99001", locality=None, previous_clues=None, flags=None)
    west, east = ORIGIN[0], ORIGIN[0] + 10 * CELL
    middle, north, south = ORIGIN[1] - 3 * CELL, ORIGIN[1], ORIGIN[1] - 6 * CELL
    from shapely.geometry import box
    towns = gpd.GeoDataFrame(
        {"name": ["Uno", "Dos"], "irs": [0.0, 1.5], "irs_grade": ["Bajo", "Alto"], "district": ["Distrito"] * 2},
        index=pd.Index(["99001", "99002"], name="cve_mun"),
        geometry=[box(west, middle, east, north), box(west, south, east, middle)], crs=CRS)
    table = pd.DataFrame(RESPONSIBLE, columns=["cvegeo", "clues", "people"])
    table["published_clues"] = table["clues"]
    table["share"] = table["people"] / table.groupby("cvegeo")["people"].transform("sum")
    return Region("Valle", "valle", "99", CRS, True, places[[*schema.LOCALITIES.names(), "geometry"]],
                  units[[*schema.UNITS.names(), "geometry"]], towns,
                  table[["cvegeo", *schema.RESPONSIBILITY.names()]] if responsibility else None, None, grid(), (), ())
