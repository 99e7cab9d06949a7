"""Municipalities in any layout, and today's districts."""

import geopandas as gpd
import pandas as pd
import pytest
from shapely.geometry import LineString, Polygon, box

from planner import columns as tables
from planner import schema
from planner.errors import DataError
from planner.sources.boundaries import read_districts, read_municipalities
from planner.sources.files import municipality_code

CRS = "EPSG:32614"
SQUARES = [box(0, 0, 10, 10), box(10, 0, 20, 10), box(20, 0, 30, 10)]


def layer(path, columns, shapes=SQUARES, crs=CRS):
    gpd.GeoDataFrame(columns, geometry=shapes, crs=crs).to_file(path)
    return path


@pytest.mark.parametrize("columns", [
    {"CVEGEO": ["13001", "13002", "21001"], "NOMGEO": ["Uno", "Dos", "Otro"]},
    {"cvegeo": ["13001", "13002", "21001"], "nom_mun": ["Uno", "Dos", "Otro"]},
    {"CVE_ENT": ["13", "13", "21"], "CVE_MUN": ["001", "002", "001"], "NOM_MUN": ["Uno", "Dos", "Otro"]},
    {"CVE_ENT": [13, 13, 21], "CVE_MUN": [1, 2, 1], "NOM_MUN": ["Uno", "Dos", "Otro"]},
    {"concat": [13001, 13002, 21001], "NOMBRE": ["Uno", "Dos", "Otro"]},
])
@pytest.mark.parametrize("suffix", [".gpkg", ".geojson", ".shp"])
def test_keys_are_found_in_every_layout(tmp_path, columns, suffix):
    towns = read_municipalities(layer(tmp_path / f"towns{suffix}", columns), "13", CRS)
    assert towns["name"].to_dict() == {"13001": "Uno", "13002": "Dos"}
    assert towns.area.round(3).tolist() == [100.0, 100.0]
    tables.check(schema.MUNICIPALITIES, towns, "prueba")


def test_geoparquet_in_degrees_is_projected(tmp_path):
    path = tmp_path / "towns.parquet"
    gpd.GeoDataFrame({"CVEGEO": ["13001"]}, geometry=[box(-99, 20, -98.99, 20.01)], crs=4326).to_parquet(path)
    towns = read_municipalities(path, "13", CRS)
    assert towns.area.iloc[0] == pytest.approx(1.157e6, rel=0.01)  # 1,046 m by 1,107 m
    assert towns["name"].tolist() == ["13001"]


def test_a_bow_tie_is_mended_and_parts_are_joined(tmp_path):
    bow = Polygon([(0, 0), (10, 10), (10, 0), (0, 10)])
    path = layer(tmp_path / "t.gpkg", {"CVEGEO": ["13001", "13002", "13002"]}, [bow, box(20, 0, 30, 10), box(30, 0, 40, 10)])
    towns = read_municipalities(path, "13", CRS)
    assert towns.is_valid.all()
    assert towns.area.to_dict() == {"13001": 50.0, "13002": 200.0}


def test_what_is_not_a_layer_of_municipalities_is_refused(tmp_path):
    keys = {"CVEGEO": ["13001", "13002", "13003"]}
    with pytest.raises(DataError, match="ningún municipio de la entidad 20"):
        read_municipalities(layer(tmp_path / "a.gpkg", keys), "20", CRS)
    with pytest.raises(DataError, match="no tiene clave de municipio"):
        read_municipalities(layer(tmp_path / "b.gpkg", {"zona": ["a", "b", "c"]}), "13", CRS)
    with pytest.raises(DataError, match="no es una capa de polígonos"):
        read_municipalities(layer(tmp_path / "c.gpkg", keys, [LineString([(0, i), (1, i)]) for i in range(3)]), "13", CRS)
    nameless = layer(tmp_path / "d.shp", keys)
    nameless.with_suffix(".prj").unlink()
    with pytest.raises(DataError, match="no dice su sistema de coordenadas"):
        read_municipalities(nameless, "13", CRS)
    broken = tmp_path / "e.gpkg"
    broken.write_text("<html>")
    with pytest.raises(DataError, match=r"e\.gpkg no se puede leer"):
        read_municipalities(broken, "13", CRS)
    with pytest.raises(DataError, match="No existe"):
        read_municipalities(tmp_path / "f.shp", "13", CRS)


def test_districts_accept_short_keys_and_refuse_two_rows(tmp_path):
    path = tmp_path / "d.csv"
    path.write_text("CVE_MUN,JURISDICCION\n2,Sur\n13001,Norte\n21001,Otro\n", encoding="utf-8")
    assert read_districts(path, "13").to_dict() == {"13001": "Norte", "13002": "Sur"}
    path.write_text("CVE_MUN,JURISDICCION\n1,Sur\n13001,Norte\n", encoding="utf-8")
    with pytest.raises(DataError, match="13001"):
        read_districts(path, "13")


def test_codes_that_are_no_codes_are_null():
    assert municipality_code(pd.Series(["1.0", "130350001", "a", None, "9001"], dtype="str"), "13").tolist()[0] == "13001"
    assert municipality_code(pd.Series(["130350001", "a", None], dtype="str"), "13").isna().all()
    assert municipality_code(pd.Series(["9001"], dtype="str"), "09").tolist() == ["09001"]


def test_hidalgo_has_84_municipalities_and_12_districts(shared):
    folder = shared / "data"
    towns = read_municipalities(folder / "hidalgo/limites/LIM_MUNICIPALES.shp", "13", CRS)
    districts = read_districts(folder / "hidalgo/municipio_a_jurisdiccion.csv", "13")
    assert len(towns) == 84
    assert districts.index.equals(towns.index)
    assert districts.nunique() == 12
    national = read_municipalities(folder / "national/municipios_2020_mexico_2469.geojson", "13", CRS)
    assert national.index.equals(towns.index)
