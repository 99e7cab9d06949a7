"""CLUES: every layout, each unit once, and the roles of domain.md section 1."""

import geopandas as gpd
import pandas as pd
import pytest

from planner import columns, schema
from planner.errors import DataError
from planner.sources.clues import read_units

SLIM = "CLUES CLAVE_INSTITUCION NIVEL LATITUD LONGITUD NOMBRE_UNIDAD TIPOLOGIA ESTATUS CLUES_SSA CVE_MUN CVE_LOC".split()
RURAL, OPEN, SHUT = "RURAL DE 01 NÚCLEO BÁSICO", "EN OPERACION", "FUERA DE OPERACION"
# hand-made after the header names of the layout of 2018-2023; not an official copy
OLD_55 = (
    "ID|CLUES|NOMBRE DE LA ENTIDAD|CLAVE DE LA ENTIDAD|NOMBRE DEL MUNICIPIO|CLAVE DEL MUNICIPIO|NOMBRE DE LA LOCALIDAD|"
    "CLAVE DE LA LOCALIDAD|"
    "NOMBRE DE LA JURISDICCION|CLAVE DE LA JURISDICCION|NOMBRE DE LA INSTITUCION|CLAVE DE LA INSTITUCION|NOMBRE TIPO ESTABLECIMIENTO|"
    "CLAVE DEL TIPO ESTABLECIMIENTO|NOMBRE DE TIPOLOGIA|CLAVE DE TIPOLOGIA|NOMBRE DE SUBTIPOLOGIA|CLAVE DE SUBTIPOLOGIA|CLAVE SCIAN|"
    "DESCRIPCION CLAVE SCIAN|CONSULTORIOS DE MED GRAL|CONSULTORIOS EN OTRAS AREAS|TOTAL DE CONSULTORIOS|CAMAS EN AREA DE HOS|"
    "CAMAS EN OTRAS AREAS|TOTAL DE CAMAS|NOMBRE DE LA UNIDAD|CLAVE DE LA INS ADM|NOMBRE DE LA INS ADM|NIVEL ATENCION|CLAVE NIVEL ATENCION|"
    "ESTATUS DE OPERACION|CLAVE ESTATUS DE OPERACION|LATITUD|LONGITUD").split("|") + [f"OTRO {i}" for i in range(20)]
SHOWN = {"primer_nivel", "hospital", "movil"}


def unit(clues, institution="IMB", level="1", lat=20.1, lon=-99.1, name=None, typology=RURAL, status=OPEN, before=None, mun="1", loc="1"):
    return dict(zip(SLIM, (clues, institution, level, lat, lon, name or clues, typology, status, before, mun, loc), strict=True))


def roles(units):
    return {role: n for role, n in units["role"].value_counts().items() if role in SHOWN}


def read(tmp_path, *rows, files=None, **options):
    path = tmp_path / "clues.csv"
    pd.DataFrame(rows, columns=SLIM).to_csv(path, index=False)
    return read_units([path, *(files or [])], "13", **options)


def codes(tables):
    return {f.code: f.count for f in tables.findings}


def test_hidalgo_meets_its_check_figures(shared):
    folder = shared / "data/hidalgo"
    tables = read_units([folder / "ESTABLECIMIENTO_SALUD_202501_hidalgo.xlsx", folder / "clues_202509_puntos_hidalgo.csv"], "13")
    units, aside = tables.units, tables.set_aside
    columns.check(schema.UNITS, units, "prueba")
    assert len(units) == 1211
    assert [int((units["institution"] == code).sum()) for code in ("IMB", "IMO", "SMP")] == [549, 242, 347]
    assert units.loc[units["institution"] == "IMO", "unit_class"].value_counts().to_dict() == {"UMR": 238, "HR": 4}
    assert roles(units) == {"primer_nivel": 722, "hospital": 20, "movil": 38}
    assert units.loc[units["institution"].isin(["SSA", "IMS"]), "role"].unique().tolist() == ["ninguno"]
    assert (len(aside), aside["institution"].unique().tolist(), aside["successor"].isna().sum()) == (511, ["SSA"], 0)
    assert codes(tables) == {"unidad_cerrada": 511, "estatus_en_blanco": 274, "tipologia_en_blanco": 274, "sin_clasificar": 9,
                             "movil_por_nombre": 15, "nucleos_supuestos": 239}


def test_the_workbook_alone_tells_who_followed_the_closed_units(shared):
    folder = shared / "data/hidalgo"
    alone = read_units([folder / "ESTABLECIMIENTO_SALUD_202501_hidalgo.xlsx"], "13").set_aside["successor"]
    slim = pd.read_csv(folder / "clues_202509_puntos_hidalgo.csv", dtype=str)
    published = slim.dropna(subset="CLUES_SSA").set_index("CLUES_SSA")["CLUES"]
    assert alone.notna().sum() == 510  # one has moved
    assert (alone.dropna() == published.reindex(alone.dropna().index)).all()


def test_another_state_and_layout_read_as_well(shared):
    national = read_units([shared / "data/national/imb_clues_national_2026-08.parquet"], "13")
    assert len(national.units) == 549
    assert roles(national.units) == {"primer_nivel": 484, "hospital": 16, "movil": 38}
    assert codes(national)["otra_entidad"] == 10_573 - 549


@pytest.mark.parametrize(("institution", "level", "typology", "expected"), [
    ("IMB", "1", RURAL, ("centro_salud", "primer_nivel", 1)), ("IMO", "1", RURAL, ("UMR", "primer_nivel", 1)),
    ("IMB", "1", "URBANO DE 12 NÚCLEOS BÁSICOS Y MÁS", ("centro_salud", "primer_nivel", 12)),
    ("IMB", "1", "CENTRO DE SALUD CON HOSPITALIZACIÓN", ("centro_salud", "primer_nivel", 1)),
    ("IMO", "1", None, ("UMR", "primer_nivel", 1)), ("IMO", "2", None, ("HR", "hospital", 0)),
    ("IMO", "PRIMER NIVEL", "NO ESPECIFICADO", ("UMR", "primer_nivel", 1)), ("IMO", None, None, ("sin_clasificar", "ninguno", 0)),
    ("IMB", "1", None, ("sin_clasificar", "ninguno", 0)), ("SSA", "1", None, ("sin_clasificar", "ninguno", 0)),
    ("IMS", "1", None, ("sin_clasificar", "ninguno", 0)), ("IMS", "1", "UNIDAD DE MEDICINA FAMILIAR", ("sin_clasificar", "ninguno", 0)),
    ("IMS", "1", RURAL, ("centro_salud", "ninguno", 1)), ("IMS", "1", "UMR", ("UMR", "primer_nivel", 1)),
    ("IMS", "2", "HOSPITAL RURAL", ("HR", "hospital", 0)), ("IMS", "2", "HOSPITAL GENERAL", ("hospital_general", "ninguno", 0)),
    ("IMS", "1", "BS_", ("brigada", "movil", 0)), ("IMS", "1", "CARO", ("CARO", "primer_nivel", 1)),
    ("IMB", "1", "UNIDAD MÓVIL", ("UMM", "movil", 0)), ("IMB", "2", "HOSPITAL MOVIL", ("UMM", "movil", 0)),
    ("IMB", "3", "HOSPITAL GENERAL", ("hospital_general", "hospital", 0)),
    ("IMB", "2", "HOSPITAL INTEGRAL (COMUNITARIO)", ("hospital_integral", "hospital", 0)),
    ("IMB", "2", "HOSPITAL PSIQUIÁTRICO", ("hospital_especializado", "ninguno", 0)),
    ("IMB", "2", "HOSPITAL ESPECIALIZADO", ("hospital_especializado", "ninguno", 0)),
    ("IMB", "1", "UNIDAD DE ESPECIALIDADES MÉDICAS (UNEMES)", ("especialidad", "ninguno", 0)),
    ("IMB", "1", "CLÍNICA DE ESPECIALIDADES", ("especialidad", "ninguno", 0)),
    ("IMB", "NO APLICA", "ALMACENES", ("apoyo", "ninguno", 0)), ("IMB", "NO APLICA", "OFICINAS ADMINISTRATIVAS", ("apoyo", "ninguno", 0)),
    ("SMP", "1", RURAL, ("centro_salud", "ninguno", 1)), ("SSA", "1", RURAL, ("centro_salud", "primer_nivel", 1)),
])
def test_class_role_and_nuclei_follow_the_typology(tmp_path, institution, level, typology, expected):
    row = read(tmp_path, unit("HGXXX000011", institution, level, typology=typology)).units.iloc[0]
    assert (row["unit_class"], row["role"], row["nuclei"]) == expected


def test_only_the_institutions_asked_for_count(tmp_path):
    rows = [unit("HGIMB000011"), unit("HGSSA000016", "SSA"), unit("HGIMS000010", "IMS", typology="HOSPITAL GENERAL", level="2")]
    assert read(tmp_path, *rows, institutions=["IMS"]).units["role"].to_dict() == {
        "HGIMB000011": "ninguno", "HGSSA000016": "ninguno", "HGIMS000010": "hospital"}


def test_levels_come_in_many_spellings(tmp_path):
    spelled = ["1", "1.0", "PRIMER NIVEL", "segundo nivel", "TERCER NIVEL", "NO APLICA", None, "4"]
    tables = read(tmp_path, *(unit(f"HGIMB00000{i}", level=v) for i, v in enumerate(spelled)))
    assert tables.units["level"].fillna(0).tolist() == [1, 1, 1, 2, 3, 0, 0, 0]
    assert codes(tables)["nivel_desconocido"] == 1


def test_a_unit_that_changed_hands_counts_once(tmp_path):
    tables = read(
        tmp_path, unit("HGIMB000011", before="HGSSA000016"), unit("HGSSA000016", "SSA", status=SHUT),
        unit("HGSSA000021", "SSA", status=SHUT),
        unit("HGIMB000023", before="HGSSA000028", name="Dos"), unit("HGSSA000028", "SSA", name="Dos"),  # its old code is still open
        unit("HGIMO000030", "IMO", name="Tres", lat=20.5, typology=None), unit("HGIMS000031", "IMS", name="TRÉS", lat=20.5, typology="UMR"),
        unit("HGIMO000040", "IMO", name="Cuatro", typology=None), unit("HGIMS000041", "IMS", name="Cuatro", lat=20.7, typology="UMR"))
    assert sorted(tables.units.index) == ["HGIMB000011", "HGIMB000023", "HGIMO000040", "HGIMS000031", "HGIMS000041"]
    assert tables.set_aside["successor"].dropna().to_dict() == {
        "HGSSA000016": "HGIMB000011", "HGSSA000028": "HGIMB000023", "HGIMO000030": "HGIMS000031"}
    assert tables.units["previous_clues"].dropna().to_dict() == {
        "HGIMB000011": "HGSSA000016", "HGIMB000023": "HGSSA000028", "HGIMS000031": "HGIMO000030"}
    assert {k: codes(tables)[k] for k in ("unidad_cerrada", "cerrada_sin_sucesora", "unidad_gemela")} == {
        "unidad_cerrada": 2, "cerrada_sin_sucesora": 1, "unidad_gemela": 2}


def test_later_files_fill_the_gaps_of_earlier_ones(tmp_path):
    later = tmp_path / "later.csv"
    pd.DataFrame([unit("HGIMB000011", name="Otro nombre", lat=20.3), unit("HGIMB000023")])[SLIM].to_csv(later, index=False)
    units = read(tmp_path, unit("HGIMB000011", name="Primero", lat=0, lon=0, typology=None), files=[later]).units
    assert units[["name", "lat", "lon", "typology"]].loc["HGIMB000011"].tolist() == ["Primero", 20.3, -99.1, RURAL]
    assert len(units) == 2


def test_blanks_and_mobile_names_are_flagged(tmp_path):
    tables = read(tmp_path, unit("HGIMO000010", "IMO", typology=None, status=None, name="BS 3 - San Lorenzo"), unit("HGIMB000011"),
                  unit("HGSMP000012", "SMP", typology=None, status=None))
    assert tables.units["flags"].fillna("").tolist() == [
        "", "estatus_en_blanco,tipologia_en_blanco,movil_por_nombre,nucleos_supuestos", ""]
    assert tables.units.loc["HGIMO000010", ["unit_class", "role"]].tolist() == ["UMR", "primer_nivel"]


def test_units_without_usable_coordinates_are_set_aside(tmp_path):
    placed = [unit(f"HGIMB0001{i:02d}") for i in range(30)]
    tables = read(tmp_path, *placed, unit("HGIMB000001", lat=None), unit("HGIMB000002", lat=0, lon=0), unit("HGIMB000003", lon=99.1),
                  unit("HGIMB000004", lat=-99.1, lon=20.1))
    assert len(tables.units) == 30
    assert tables.set_aside["reason"].to_dict() == dict.fromkeys([f"HGIMB00000{i}" for i in (1, 2, 3, 4)], "sin coordenadas")
    assert codes(tables)["sin_coordenadas"] == 4


def test_broken_catalogues_are_refused_in_words(tmp_path):
    with pytest.raises(DataError, match=r"intercambiadas en 3 de 3 unidades \(HGIMB000000"):
        read(tmp_path, *(unit(f"HGIMB00000{i}", lat=-99.1, lon=20.1) for i in range(3)))
    with pytest.raises(DataError, match="no son grados dentro de México"):
        read(tmp_path, *(unit(f"HGIMB00000{i}", lat=2_240_000, lon=530_000) for i in range(3)))
    with pytest.raises(DataError, match=r"1 CLUES repetidas \(HGIMB000011\)"):
        read(tmp_path, unit("HGIMB000011"), unit("HGIMB000011", name="Otra"))
    with pytest.raises(DataError, match=r"mal escritas \(HG11\)"):
        read(tmp_path, unit("HG11"))
    with pytest.raises(DataError, match=r"mal escritas \(vacía\)"):
        read(tmp_path, {**unit("HGIMB000011"), "CLUES": None}, unit("HGIMB000023"))
    with pytest.raises(DataError, match="ninguna unidad es de la entidad 13"):
        read(tmp_path, unit("OCIMB000011"))
    path = tmp_path / "without.csv"
    pd.DataFrame([unit("HGIMB000011")]).drop(columns=["LATITUD"]).to_csv(path, index=False)
    with pytest.raises(DataError, match=r"faltan columnas del catálogo CLUES \(LATITUD\)"):
        read_units([path], "13")


@pytest.mark.parametrize("suffix", [".xlsx", ".parquet", ".gpkg", ".geojson"])
def test_codes_may_be_text_or_numbers_in_any_format(tmp_path, suffix):
    table = pd.DataFrame([unit("HGIMB000011", level=1, mun=35.0, loc=2.0), unit("HGIMB000023", level=2, mun=None, loc=None)])
    path = tmp_path / f"clues{suffix}"
    geometry = gpd.points_from_xy(table["LONGITUD"], table["LATITUD"], crs=4326)
    points = gpd.GeoDataFrame(table.drop(columns=["LATITUD", "LONGITUD"]), geometry=geometry)
    if suffix in (".gpkg", ".geojson"):
        points.to_crs(32614 if suffix == ".gpkg" else 4326).to_file(path)
    else:
        getattr(table, {".xlsx": "to_excel", ".parquet": "to_parquet"}[suffix])(path, index=False)
    units = read_units([path], "13").units
    assert units["level"].tolist() == [1, 2]
    assert units["cve_mun"].fillna("").tolist() == ["13035", ""]
    assert units["locality"].fillna("").tolist() == ["130350002", ""]
    assert units[["lat", "lon"]].round(6).iloc[0].tolist() == [20.1, -99.1]


def test_the_older_layout_of_55_columns_is_read_by_its_names(tmp_path):
    values = {"CLUES": "HGSSA000016", "CLAVE DE LA ENTIDAD": "13", "CLAVE DEL MUNICIPIO": "001", "CLAVE DE LA LOCALIDAD": "0007",
              "NOMBRE DE LA INSTITUCION": "SECRETARIA DE SALUD", "CLAVE DE LA INSTITUCION": "SSA", "NOMBRE DE LA UNIDAD": "ACATLÁN",
              "NOMBRE DE TIPOLOGIA": "RURAL DE 02 NÚCLEOS BÁSICOS", "NIVEL ATENCION": "PRIMER NIVEL", "ESTATUS DE OPERACION": OPEN,
              "LATITUD": "20.14", "LONGITUD": "-98.44"}
    assert len(OLD_55) == 55
    path = tmp_path / "old.xlsx"
    pd.DataFrame([values], columns=OLD_55).to_excel(path, index=False)
    row = read_units([path], "13").units.loc["HGSSA000016"]
    assert row[["name", "institution", "level", "role", "nuclei", "cve_mun", "locality"]].tolist() == [
        "ACATLÁN", "SSA", 1, "primer_nivel", 2, "13001", "130010007"]


def test_the_order_of_rows_does_not_matter(tmp_path):
    rows = [unit(f"HGIMB00000{i}", name=f"U{i}", before=f"HGSSA00000{i}") for i in range(6)] + [
        unit(f"HGSSA00000{i}", "SSA", name=f"U{i}", status=SHUT) for i in range(6)]
    one, other = read(tmp_path, *rows), read(tmp_path, *rows[::-1])
    pd.testing.assert_frame_equal(pd.DataFrame(one.units), pd.DataFrame(other.units))
    pd.testing.assert_frame_equal(one.set_aside, other.set_aside)
    assert one.findings == other.findings
