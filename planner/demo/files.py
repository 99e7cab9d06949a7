"""The demo region on disk: every table in the layout of its official publisher, byte-identical on each run."""

from __future__ import annotations

import datetime as dt
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import xlsxwriter

from planner.demo.census import count_people, iter_rows, municipal_index, target_people
from planner.demo.community import community_table, served_table
from planner.demo.mapfiles import write_elevation, write_people, write_roads, write_water
from planner.demo.places import ENTITY, ENTITY_NAME, Country, make_country
from planner.demo.terrain import CRS, make_terrain
from planner.demo.units import Health, make_health
from planner.keeping import replacing
from planner.schema import INDICATORS

NOTE = "DATO SINTÉTICO: no describe ningún lugar, unidad ni persona real."
CREATED = dt.datetime(2025, 1, 1)
REGION_FILE = '''# Región SINTÉTICA de demostración: lugares, personas y unidades inventados, en los formatos oficiales.
name = "Demo"
entity = "99"
crs = "EPSG:32614"
synthetic = true

[localities]
iter = "iter_99_cpv2020_csv.zip"
[deprivation]
municipalities = "IRS_entidades_mpios_2020.xlsx"
[units]
files = ["ESTABLECIMIENTO_SALUD_202501_demo.xlsx", "clues_202509_puntos_demo.csv"]
responsibility = "localidad_a_clues_responsable.csv"
resources = "sinerhias_2024_demo.xlsx"
circuits = "rutas_umm.csv"
served = "poblacion_atendida.csv"
[community]
table = "comunidad_por_localidad.csv"
[roads]
osm = "caminos.osm"
[terrain]
dem = "elevacion.tif"
barriers = "rios.geojson"
cell_m = 250
[population]
raster = "poblacion.tif"
[boundaries]
municipalities = "limites/LIM_MUNICIPALES.shp"
districts = "municipio_a_jurisdiccion.csv"
'''
README = f"""Región de demostración SINTÉTICA, escrita por `planner demo`.

{NOTE}
La entidad 99 no existe y sus coordenadas caen en mar abierto, en el Golfo de México.
Los archivos imitan a los oficiales (INEGI, CONEVAL, CLUES, SINERHIAS) y a OpenStreetMap; fallas_sembradas.csv dice qué se puso mal
a propósito para que `planner doctor` lo encuentre.
"""
ITER_COLUMNS = (
    "ENTIDAD NOM_ENT MUN NOM_MUN LOC NOM_LOC LONGITUD LATITUD ALTITUD POBTOT POBFEM POBMAS P_0A2 P_3YMAS P_15YMAS P_3A5 P_6A11 "
    "P_12A14 P_15A17 P_15A49_F POB0_14 POB65_MAS P3YM_HLI PHOG_IND POB_AFRO PCON_DISC P6A11_NOA P12A14NOA P15YM_AN P15YM_SE "
    "P15PRI_IN P15PRI_CO P15SEC_IN PSINDER PDER_SS PDER_IMSS PDER_ISTE PDER_SEGP PDER_IMSSB VIVTOT TVIVHAB VIVPAR_HAB VIVPARH_CV "
    "TVIVPARHAB VPH_PISODT VPH_PISOTI VPH_C_ELEC VPH_S_ELEC VPH_AGUADV VPH_AGUAFV VPH_EXCSA VPH_LETR VPH_DRENAJ VPH_NODREN "
    "VPH_REFRI VPH_LAVAD TAMLOC "
).split()
INDICATOR_HEADERS = (
    "Población de 15 años o más analfabeta", "Población de 6 a 14 años que no asiste a la escuela",
    "Población de 15 años y más con educación básica incompleta", "Población sin derechohabiencia a servicios de salud",
    "Viviendas con piso de tierra", "Viviendas que no disponen de excusado o sanitario",
    "Viviendas que no disponen de agua entubada de la red pública", "Viviendas que no disponen de drenaje",
    "Viviendas que no disponen de energía eléctrica", "Viviendas que no disponen de lavadora", "Viviendas que no disponen de refrigerador",
)
CATALOGUE_COLUMNS = (
    "CLUES|CLAVE DE LA INSTITUCION|NOMBRE DE LA INSTITUCION|CLAVE DE LA ENTIDAD|ENTIDAD|CLAVE DEL MUNICIPIO|MUNICIPIO|"
    "CLAVE DE LA LOCALIDAD|LOCALIDAD|CLAVE DE LA JURISDICCION|JURISDICCION|CLAVE DEL TIPO ESTABLECIMIENTO|"
    "NOMBRE TIPO ESTABLECIMIENTO|CLAVE DE TIPOLOGIA|NOMBRE DE TIPOLOGIA|CLAVE DE SUBTIPOLOGIA|NOMBRE DE SUBTIPOLOGIA|"
    "NOMBRE DE LA UNIDAD|NOMBRE COMERCIAL|CLAVE TIPO DE VIALIDAD|TIPO DE VIALIDAD|VIALIDAD|NUMERO EXTERIOR|NUMERO INTERIOR|"
    "CLAVE TIPO DE ASENTAMIENTO|TIPO DE ASENTAMIENTO|ASENTAMIENTO|CODIGO POSTAL|OBSERVACIONES DE LA DIRECCION|"
    "CLAVE ESTATUS DE OPERACION|ESTATUS DE OPERACION|RFC DEL ESTABLECIMIENTO|TELEFONO 1 DEL ESTABLECIMIENTO|"
    "EXTENSION TELEFONICA 1 DEL ESTABLECIMIENTO|TELEFONO 2 DEL ESTABLECIMIENTO|EXTENSION TELEFONICA 2 DEL ESTABLECIMIENTO|"
    "FECHA DE CONSTRUCCION|FECHA DE INICIO DE OPERACION|CLAVE UNIDAD MOVIL MARCA|UNIDAD MOVIL MARCA|UNIDAD MOVIL MARCA ESPECIFICA|"
    "UNIDAD MOVIL MODELO|CLAVE UNIDAD MOVIL PROGRAMA|UNIDAD MOVIL PROGRAMA|CLAVE UNIDAD MOVIL TIPO|UNIDAD MOVIL TIPO|"
    "CLAVE UNIDAD MOVIL TIPOLOGIA|UNIDAD MOVIL TIPOLOGIA|CLAVE DE LA INS ADM|NOMBRE DE LA INS ADM|CLAVE NIVEL ATENCION|"
    "NIVEL ATENCION|CLAVE ESTRATO UNIDAD|ESTRATO UNIDAD|CLAVE TIPO OBRA|TIPO OBRA|CLAVE PROPIEDAD DEL INMUEBLE|"
    "PROPIEDAD DEL INMUEBLE|LATITUD|LONGITUD|CLAVE ULTIMO MOVIMIENTO|ULTIMO MOVIMIENTO|FECHA ULTIMO MOVIMIENTO|"
    "COMENTARIOS DE LA VALIDACION|CLAVE MOTIVO BAJA|MOTIVO BAJA|FECHA EFECTIVA DE BAJA"
).split("|")


def write_demo(folder: Path, seed: int = 99) -> Path:
    """Write the synthetic region into `folder` (made, or replaced whole if it holds a demo) and return its region file.

    Equal seeds give equal bytes. StorageError if the folder holds something else or cannot be written.
    """
    with replacing(folder, "demo.toml", "una región de demostración") as beside:
        (beside / "limites").mkdir()
        _write_all(beside, seed)
    return folder / "demo.toml"


def _write_all(folder: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    terrain = make_terrain(rng)
    country = make_country(rng, terrain)
    counts = count_people(rng, country)
    health = make_health(rng, terrain, country, target_people(counts))
    _write_census(folder, country, counts)
    _write_index(folder / "IRS_entidades_mpios_2020.xlsx", country, counts)
    _write_units(folder, country, health)
    of_roads = write_roads(folder / "caminos.osm", country.roads.ways, NOTE)
    of_relief = write_elevation(folder / "elevacion.tif", terrain)
    write_water(folder / "rios.geojson", terrain, NOTE)
    write_people(folder / "poblacion.tif", rng, terrain, country)
    _write_boundaries(folder, country)
    community, of_community = community_table(rng, country, health)
    served, of_served = served_table(rng, health)
    _write_csv(folder / "comunidad_por_localidad.csv", community)
    _write_csv(folder / "poblacion_atendida.csv", served)
    faults = [*health.faults, *of_roads, *of_relief, *of_community, *of_served]
    _write_csv(folder / "fallas_sembradas.csv", pd.DataFrame(faults, columns=["falla", "id", "que"]))
    (folder / "LEEME.txt").write_bytes(README.encode())
    (folder / "demo.toml").write_bytes(REGION_FILE.encode())


def _write_csv(path: Path, table: pd.DataFrame) -> None:
    path.write_bytes(table.to_csv(index=False, lineterminator="\n").encode())


def _write_census(folder: Path, country: Country, counts: pd.DataFrame) -> None:
    """ITER in a zip, with byte-order mark, totals, `*`, and degrees, minutes and seconds."""
    rows = iter_rows(country, counts)
    lon, lat = _degrees(country.localities)
    places = pd.DataFrame({
        "LONGITUD": [_sexagesimal(v, "W") for v in -lon], "LATITUD": [_sexagesimal(v, "N") for v in lat],
        "ALTITUD": [f"{v:04.0f}" for v in country.localities["altitude_m"]]}, index=country.localities.index)
    table = rows.join(places).assign(ENTIDAD=ENTITY, NOM_ENT=ENTITY_NAME)[list(ITER_COLUMNS)]
    text = "\ufeff" + table.to_csv(index=False, lineterminator="\r\n")
    entry = zipfile.ZipInfo("conjunto_de_datos/conjunto_de_datos_iter_99CSV20.csv", (1980, 1, 1, 0, 0, 0))
    entry.compress_type = zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(folder / "iter_99_cpv2020_csv.zip", "w") as archive:
        archive.writestr(entry, text.encode())


def _degrees(table: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    points = gpd.GeoSeries(gpd.points_from_xy(table["x"], table["y"], crs=CRS)).to_crs(4326)
    return points.x.to_numpy().round(6), points.y.to_numpy().round(6)


def _sexagesimal(degrees: float, side: str) -> str:
    """As INEGI writes it.

    >>> _sexagesimal(98.4383719, "W")
    '98°26\\'18.139" W'
    """
    thousandths = round(degrees * 3_600_000)
    minutes, rest = divmod(thousandths, 60_000)
    return f"{minutes // 60:02d}°{minutes % 60:02d}'{rest / 1000:06.3f}\" {side}"


def _write_workbook(path: Path, sheets: dict[str, Callable[[Any], None]]) -> None:
    """A workbook with a fixed creation date, each sheet filled by its function."""
    book = xlsxwriter.Workbook(path)
    book.set_properties({"created": CREATED, "title": "Región de demostración", "subject": NOTE, "author": "planner demo"})
    for name, fill in sheets.items():
        fill(book.add_worksheet(name))
    book.close()


def _write_index(path: Path, country: Country, counts: pd.DataFrame) -> None:
    """CONEVAL's workbook: title, header over two rows, a blank row, then the municipalities."""
    index = municipal_index(counts)
    headers = ["Clave entidad", "Entidad\nfederativa", "Clave municipio", "Municipio", "Población total"]
    closing = ["Índice de rezago social", "Grado de rezago social", "Lugar que ocupa en el contexto nacional"]

    def fill(sheet: Any, keys: Sequence[str], rows: list[list[object]], what: str) -> None:
        wide = len(keys) + len(INDICATORS)
        sheet.write(0, 2, f"Población total, indicadores, índice y grado de rezago social, \nsegún {what}, 2020. {NOTE}")
        sheet.write_row(4, 0, [*keys, "Indicadores de rezago social (porcentaje)"])
        sheet.write_row(4, wide, closing)
        sheet.write_row(5, len(keys), INDICATOR_HEADERS)
        for i, row in enumerate(rows, 7):
            sheet.write_row(i, 0, row)
        sheet.write(8 + len(rows), 0, f"Fuente: {NOTE}")

    names = [name for name, _ in INDICATORS]
    towns = [[ENTITY, ENTITY_NAME, town, country.municipalities.at[town, "name"], int(row["population"]),
              *(round(float(row[n]), 6) for n in names), round(float(row["irs"]), 6), row["irs_grade"]] for town, row in index.iterrows()]
    whole = [[ENTITY, ENTITY_NAME, int(index["population"].sum())]]
    _write_workbook(path, {"Estados": lambda sheet: fill(sheet, [headers[i] for i in (0, 1, 4)], whole, "entidad federativa"),
                           "Municipios": lambda sheet: fill(sheet, headers, towns, "municipio")})


def _write_units(folder: Path, country: Country, health: Health) -> None:
    """Catalogue workbook (outpatient units and their closed twins), resources, slim csv of all, responsibility, circuits."""
    lon, lat = _degrees(health.units)
    units = health.units.assign(lon=lon, lat=lat)
    outpatient = units[units["catalogue"]].fillna({"typology": "", "status": ""})
    rows = [row for twin in (False, True) for row in _catalogue_rows(country, outpatient, twin)]

    def fill(sheet: Any) -> None:
        for i, row in enumerate([CATALOGUE_COLUMNS, *rows]):
            sheet.write_row(i, 0, row)

    _write_workbook(folder / "ESTABLECIMIENTO_SALUD_202501_demo.xlsx", {"CLUES_202501": fill})
    resources = health.resources.assign(OBSERVACIONES=NOTE)
    _write_workbook(folder / "sinerhias_2024_demo.xlsx", {"RECURSOS": lambda sheet: _fill(sheet, resources)})
    public = units["institution"].eq("IMB")  # the slim file knows the municipality of these only, as a float
    _write_csv(folder / "clues_202509_puntos_demo.csv", pd.DataFrame({
        "CLUES": units.index, "CLAVE_INSTITUCION": units["institution"], "NIVEL": units["level"], "LATITUD": units["lat"],
        "LONGITUD": units["lon"], "NOMBRE_UNIDAD": units["name"], "TIPOLOGIA": units["typology"], "ESTATUS": units["status"],
        "CLUES_SSA": units["clues_ssa"], "FUENTE": "SINTÉTICO (CLUES_202509)",
        "CVE_MUN": units["cve_mun"].str[2:].astype("float64").where(public),
        "CVE_LOC": units["cvegeo"].str[5:].astype("float64").where(public)}))
    responsible = health.responsibility.set_axis(["CVEGEO", "CLUES", "Nombre Unidad", "personas"], axis=1)
    _write_csv(folder / "localidad_a_clues_responsable.csv", responsible)
    _write_csv(folder / "rutas_umm.csv", health.circuits.set_axis(["CLUES", "CVEGEO", "visitas_mes"], axis=1))


def _fill(sheet: Any, table: pd.DataFrame) -> None:
    for i, row in enumerate([table.columns, *table.to_numpy(object).tolist()]):
        sheet.write_row(i, 0, row)


def _catalogue_rows(country: Country, units: pd.DataFrame, twin: bool) -> list[list[object]]:
    """Rows of the 67 columns; `twin` gives the closed SSA unit that each one was before."""
    names, rows = country.localities["name"], []
    for clues, unit in units.iterrows():
        place = unit["cvegeo"] if isinstance(unit["cvegeo"], str) else None
        known: dict[str, object] = {
            "CLUES": unit["clues_ssa"] if twin else clues, "CLAVE DE LA INSTITUCION": "SSA" if twin else "IMB",
            "NOMBRE DE LA INSTITUCION": "SECRETARIA DE SALUD" if twin else "SERVICIOS DE SALUD IMSS BIENESTAR",
            "CLAVE DE LA ENTIDAD": int(ENTITY), "ENTIDAD": ENTITY_NAME.upper(), "CLAVE DEL MUNICIPIO": int(unit["cve_mun"][2:]),
            "MUNICIPIO": country.municipalities.at[unit["cve_mun"], "name"].upper(),
            "CLAVE DE LA LOCALIDAD": int(place[5:]) if place else "", "LOCALIDAD": names[place].upper() if place else "",
            "NOMBRE TIPO ESTABLECIMIENTO": "DE CONSULTA EXTERNA", "NOMBRE DE TIPOLOGIA": unit["typology"],
            "NOMBRE DE LA UNIDAD": unit["name"], "OBSERVACIONES DE LA DIRECCION": NOTE,
            "ESTATUS DE OPERACION": "FUERA DE OPERACION" if twin else unit["status"], "NIVEL ATENCION": "PRIMER NIVEL",
            "LATITUD": unit["lat"], "LONGITUD": unit["lon"], "ULTIMO MOVIMIENTO": "BAJA" if twin else "ALTA",
            "COMENTARIOS DE LA VALIDACION": NOTE, "MOTIVO BAJA": "POR CAMBIO DE INSTITUCION" if twin else "",
        }
        rows.append([known.get(c, "") for c in CATALOGUE_COLUMNS])
    return rows


def _write_boundaries(folder: Path, country: Country) -> None:
    towns = country.municipalities
    layer = gpd.GeoDataFrame({"CVE_ENT": ENTITY, "CVE_MUN": towns.index.str[2:], "NOM_MUN": towns["name"].to_numpy(), "NOTA": "SINTÉTICO"},
                             geometry=towns.geometry.to_numpy(), crs=CRS)
    layer.to_file(folder / "limites/LIM_MUNICIPALES.shp", encoding="UTF-8", DBF_DATE_LAST_UPDATE="2025-01-01")
    number = towns["district"].map({name: i for i, name in enumerate(sorted(set(towns["district"])), 1)})
    _write_csv(folder / "municipio_a_jurisdiccion.csv", pd.DataFrame({
        "CLAVE_JURISDICCION": number, "JURISDICCION": "Distrito sintético " + towns["district"], "CVE_MUN": towns.index}))
