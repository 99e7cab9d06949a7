"""From official files to a checked Region: Hidalgo's figures, and every wrong input in one sentence."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import small_iter
import valley
from shapely.geometry import box

from planner import columns, schema
from planner.checks import check_grid, check_localities, check_units, findings_table, join_flags
from planner.errors import DataError, SettingsError
from planner.model import Finding, Grid
from planner.region import prepare_region
from planner.sources.rasters import write_raster

ROOT = Path(__file__).parents[1]
REGION = """name = "Ñandú Uno"
entity = "13"
crs = "EPSG:32614"
[localities]
iter = "iter_13_2020.csv"
[units]
files = ["clues_202501.csv"]
[roads]
speed_raster = "carreteras.tif"
[boundaries]
municipalities = "limites.shp"
"""
UNITS = """CLUES,CLAVE_INSTITUCION,NIVEL,LATITUD,LONGITUD,NOMBRE_UNIDAD,TIPOLOGIA,ESTATUS,CVE_MUN,CVE_LOC
HGIMB000011,IMB,1,20.1459,-98.4562,Uno,RURAL DE 01 NÚCLEO BÁSICO,EN OPERACION,1,1
HGIMB000023,IMB,1,20.1459,-98.4562,Dos,RURAL DE 01 NÚCLEO BÁSICO,EN OPERACION,,
HGIMB000035,IMB,1,20.2300,-98.4562,Tres,RURAL DE 01 NÚCLEO BÁSICO,EN OPERACION,1,1
HGIMB000047,IMB,1,20.1459,-98.4000,Cuatro,RURAL DE 01 NÚCLEO BÁSICO,EN OPERACION,1,9
"""
WEST, NORTH, CELL = 547_000.0, 2_238_000.0, 200.0  # the small census stands at 556,835 E, 2,227,700 N


@pytest.fixture
def files(tmp_path):
    """A small region of state 13 in a folder of its own."""
    (tmp_path / "region.toml").write_text(REGION, encoding="utf-8")
    (tmp_path / "clues_202501.csv").write_text(UNITS, encoding="utf-8")
    small_iter.table().to_csv(tmp_path / "iter_13_2020.csv", index=False)
    road(tmp_path)
    towns = {"CVEGEO": ["13001", "13002"], "NOMGEO": ["Uno", "Dos"]}
    here = box(WEST, NORTH - 16_000, WEST + 13_000, NORTH)
    gpd.GeoDataFrame(towns, geometry=[here, here], crs="EPSG:32614").to_file(tmp_path / "limites.shp")
    return tmp_path


def road(folder, x=WEST, crs="EPSG:32614", cell=CELL):
    write_raster(folder / "carreteras.tif", np.full((100, 100), 30, np.float32), (cell, 0, x, 0, -cell, NORTH), crs, 0)


def change(files, old, new):
    text = (files / "region.toml").read_text(encoding="utf-8")
    assert old in text
    (files / "region.toml").write_text(text.replace(old, new), encoding="utf-8")
    return files / "region.toml"


def codes(region):
    return {f.code: f.count for f in region.findings}


def test_hidalgo_meets_its_check_figures(shared):
    region = prepare_region(ROOT / "regions/hidalgo.toml", shared / "data/hidalgo")
    assert (len(region.localities), len(region.municipalities), region.localities["population"].sum()) == (4690, 84, 3_082_841)
    assert region.localities["uninsured"].sum() == pytest.approx(2_047_241, rel=0.001)  # trial: the state's share for `*`
    assert region.municipalities[["irs", "district"]].notna().all(axis=None)
    assert region.municipalities["district"].nunique() == 12
    assert region.units["role"].value_counts()[["primer_nivel", "hospital", "movil"]].tolist() == [722, 20, 38]
    assert region.units["cve_mun"].notna().all()
    assert region.responsibility is not None
    assert region.responsibility["cvegeo"].nunique() == 4690
    found = codes(region)
    assert {k: found[k] for k in ("unidad_cerrada", "localidad_dividida", "responsable_desconocido", "responsable_movil")} == {
        "unidad_cerrada": 511, "localidad_dividida": 21, "responsable_desconocido": 22, "responsable_movil": 330}
    assert {k: found[k] for k in ("lejos_de_localidad", "fuera_de_municipio", "coordenada_compartida", "sin_dato_en_rasteres",
                                  "pendiente_imposible")} == {
        "lejos_de_localidad": 11, "fuera_de_municipio": 2, "coordenada_compartida": 60, "sin_dato_en_rasteres": 17,
        "pendiente_imposible": 1319}
    assert region.units.loc["HGIMB001872", "flags"] == "lejos_de_localidad,fuera_de_municipio"  # 52 km away
    digests = {i.name: i for i in region.inputs}
    assert {i.cutoff for i in region.inputs if i.role == "units.files"} == {"2025-01", "2025-09"}
    assert "limites/LIM_MUNICIPALES.dbf" in digests
    assert all(len(i.sha256) == 64 for i in region.inputs)


def test_a_small_region_is_joined_and_flagged(files):
    region = prepare_region(files / "region.toml")
    assert (region.name, region.slug, region.entity, region.crs) == ("Ñandú Uno", "nandu_uno", "13", "EPSG:32614")
    assert region.units["cve_mun"].tolist() == ["13001"] * 4  # the second by the polygon it stands in: the lowest key
    assert region.units["flags"].fillna("").tolist() == [
        "coordenada_compartida", "coordenada_compartida", "lejos_de_localidad",
        "localidad_desconocida,fuera_de_municipio,fuera_de_la_entidad"]
    assert region.municipalities["name"].tolist() == ["Uno", "Dos"]
    assert codes(region)["falta_archivo"] == 1
    absent = {f.where for f in region.findings if f.code == "falta_archivo"}
    assert absent == {"deprivation.municipalities", "deprivation.localities", "units.responsibility", "units.circuits", "terrain.slope",
                      "terrain.walk_factor", "boundaries.districts"}
    assert {i.role: i.cutoff for i in region.inputs} == {
        "localities.iter": "2020", "units.files": "2025-01", "roads.speed_raster": "", "boundaries.municipalities": ""}


def test_only_localities_and_a_raster_are_needed_and_data_may_lie_elsewhere(files, tmp_path):
    alone = tmp_path / "elsewhere.toml"
    alone.write_text('name = "X"\nentity = "13"\n[localities]\niter = "iter_13_2020.csv"\n[roads]\nspeed_raster = "carreteras.tif"\n')
    region = prepare_region(alone, files)
    assert (len(region.units), region.responsibility, region.circuits, region.crs) == (0, None, None, "EPSG:32614")
    assert region.municipalities["name"].to_dict() == {"13001": "Uno", "13002": "Dos"}
    assert region.municipalities.geometry.isna().all()
    columns.check(schema.UNITS, region.units, "prueba")


@pytest.mark.parametrize(("old", "new", "sentence"), [
    ('speed_raster = "carreteras.tif"', 'osm = "x.osm.pbf"', "todavía no lee roads.osm"),
    ('[roads]\nspeed_raster = "carreteras.tif"\n', "", "ninguna fuente de viaje"),
    ("speed_raster", "speed_rastr", "¿quiso decir «speed_raster»"),
    ("[boundaries]", "[fronteras]", "la clave «fronteras» no existe"),
    ('crs = "EPSG:32614"', 'crs = "EPSG:4326"', "EPSG:4326"),
])
def test_faults_of_the_region_file_are_told(files, old, new, sentence):
    with pytest.raises(SettingsError, match=sentence):
        prepare_region(change(files, old, new))


def test_missing_files_are_named_at_once(files):
    (files / "carreteras.tif").unlink()
    (files / "clues_202501.csv").unlink()
    with pytest.raises(DataError, match=r"Faltan 2 archivos .*units\.files.*roads\.speed_raster"):
        prepare_region(files / "region.toml")


def test_a_raster_in_degrees_of_another_crs_or_another_state_is_refused(files):
    road(files, x=-98.6, crs="EPSG:4326", cell=0.002)
    with pytest.raises(DataError, match="grados"):
        prepare_region(files / "region.toml")
    road(files, crs="EPSG:32613")
    with pytest.raises(DataError, match="EPSG:32613"):
        prepare_region(files / "region.toml")
    road(files, x=WEST + 500_000)
    with pytest.raises(DataError, match=r"4 de 4 localidades \(100%, se admite 5%\)"):
        prepare_region(files / "region.toml")
    write_raster(files / "carreteras.tif", np.zeros((100, 100), np.float32), (CELL, 0, WEST, 0, -CELL, NORTH), "EPSG:32614", 0)
    change(files, "[boundaries]", '[terrain]\nslope = "nada.tif"\nwalk_factor = "nada.tif"\n[boundaries]')
    write_raster(files / "nada.tif", np.full((100, 100), np.nan, np.float32), (CELL, 0, WEST, 0, -CELL, NORTH), "EPSG:32614", np.nan)
    with pytest.raises(DataError, match="no traen dato"):
        prepare_region(files / "region.toml")


def test_official_files_that_are_broken_are_refused(files):
    rows = small_iter.table()
    pd.concat([rows, rows.tail(1)]).to_csv(files / "iter_13_2020.csv", index=False)
    with pytest.raises(DataError, match="130020001"):
        prepare_region(files / "region.toml")
    rows.to_csv(files / "iter_13_2020.csv", index=False)
    (files / "clues_202501.csv").write_text(UNITS.replace("HGIMB000023", "HGIMB000011"), encoding="utf-8")
    with pytest.raises(DataError, match=r"CLUES repetidas \(HGIMB000011\)"):
        prepare_region(files / "region.toml")


def many(count, outside):
    """`count` copies of the valley's first locality, the last `outside` of them far east of the grid."""
    one = valley.region().localities.iloc[[0] * count]
    points = [*one.geometry[: count - outside], *one.geometry.translate(xoff=1e6)[:outside]]
    return one.set_index(pd.Index([f"99001{i:04d}" for i in range(count)], name="cvegeo")).set_geometry(points, crs=valley.CRS)


def test_up_to_five_per_cent_outside_the_rasters_is_flagged_and_more_refused():
    region = valley.region()
    flagged, findings = check_localities(many(40, 2), region.municipalities, region.grid, "censo")
    assert flagged["flags"].fillna("").tolist() == [""] * 38 + ["fuera_de_municipio,fuera_de_rasteres"] * 2
    assert {f.code: f.count for f in findings} == {"fuera_de_municipio": 2, "fuera_de_rasteres": 2}
    with pytest.raises(DataError, match=r"3 de 40 localidades \(8%, se admite 5%\)"):
        check_localities(many(40, 3), region.municipalities, region.grid, "censo")


def test_checks_change_nothing_they_were_given():
    region = valley.region()
    before, units = region.localities.copy(), region.units.copy()
    check_localities(region.localities, region.municipalities, region.grid, "censo")
    flagged, _ = check_units(region.units, region.localities, region.municipalities, region.grid, "clues")
    pd.testing.assert_frame_equal(pd.DataFrame(before), pd.DataFrame(region.localities))
    pd.testing.assert_frame_equal(pd.DataFrame(units), pd.DataFrame(region.units))
    # units 1 and 3 share a cell's centre; 4 stands south of the municipality it publishes
    assert flagged["flags"].fillna("").tolist() == ["coordenada_compartida", "", "coordenada_compartida", "fuera_de_municipio"]


def test_impossible_slopes_are_counted():
    steep = np.array([[10, 91], [200, np.nan]], np.float32)
    grid = Grid((1, 0, 0, 0, -1, 0), valley.CRS, np.zeros((2, 2)), steep, np.ones((2, 2)))
    assert [(f.code, f.count) for f in check_grid(grid, "pendiente.tif")] == [("pendiente_imposible", 2)]


def test_findings_read_as_a_table_the_gravest_first():
    notes = (Finding("a", "nota", "uno", "x", 1), Finding("b", "error", "dos", "y", 2, ("1", "2"), "corregir"),
             Finding("c", "aviso", "tres", "z", 3))
    table = findings_table(notes)
    assert list(table.columns) == ["gravedad", "qué", "dónde", "cuántos", "ejemplos", "remedio"]
    assert table["gravedad"].tolist() == ["error", "aviso", "nota"]
    assert table.loc[0].tolist() == ["error", "dos", "y", 2, "1, 2", "corregir"]


def test_flags_keep_those_that_a_row_brings():
    flags = {"b": pd.Series([True, False, True]), "c": pd.Series([True, False, False])}
    assert join_flags(flags, pd.Series(["a", None, None], dtype="str")).fillna("").tolist() == ["a,b,c", "", "b"]
