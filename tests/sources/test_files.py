"""Every format to text, and every broken file to one sentence."""

import struct
import zipfile
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
from shapely.geometry import Point, box

from planner.errors import DataError
from planner.sources.files import codes, numbers, read_text_table, refuse_repeated

TABLE = pd.DataFrame({"CLAVE": ["013", "002"], "Año": ["2020", None], "Valor": ["1.5", " x "]}, dtype="str")


def fault(path: Path, **options: object) -> str:
    with pytest.raises(DataError) as caught:
        read_text_table(path, **options)
    sentence = str(caught.value)
    assert sentence.endswith(".")
    assert "\n" not in sentence
    return sentence


def write_book(path: Path, **sheets: pd.DataFrame) -> Path:
    with pd.ExcelWriter(path, engine="xlsxwriter") as book:
        for name, table in sheets.items():
            table.to_excel(book, sheet_name=name, index=False)
    return path


def write_zip(path: Path, **members: str) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(name.replace("__", "/") + ".csv", text)
    return path


@pytest.fixture(params=["csv", "bom", "semicolon", "zip", "xlsx", "parquet"])
def same(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    if request.param == "zip":
        return write_zip(tmp_path / "t.zip", conjunto_de_datos__datos=TABLE.to_csv(index=False),
                         diccionario_de_datos__diccionario="a,b\n1,2\n", catalogos__tam_loc="a,b\n1,2\n", metadatos__m="a\n1\n")
    if request.param == "xlsx":
        return write_book(tmp_path / "t.xlsx", Hoja=TABLE)
    if request.param == "parquet":
        TABLE.to_parquet(tmp_path / "t.parquet")
        return tmp_path / "t.parquet"
    TABLE.to_csv(tmp_path / "t.csv", index=False, encoding="utf-8-sig" if request.param == "bom" else "utf-8",
                 sep=";" if request.param == "semicolon" else ",")
    return tmp_path / "t.csv"


def test_every_format_gives_the_same_text(same: Path) -> None:
    got = read_text_table(same, required=("clave", "ano"), optional=("VALOR", "ausente"))
    assert list(got.columns) == ["clave", "ano", "VALOR"]
    assert got["clave"].tolist() == ["013", "002"]
    assert got["VALOR"].tolist() == ["1.5", "x"]
    assert got["ano"].isna().tolist() == [False, True]
    assert all(kind == "str" for kind in got.dtypes)


def test_header_row_blank_rows_and_unnamed_columns(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("título\n\n CLUES ,nombre,\nA,uno,\n,,\nB,,\n", encoding="utf-8")
    book = write_book(tmp_path / "t.xlsx", Hoja=pd.DataFrame([["título", None, None], [None] * 3, ["CLUES", "nombre", None],
                                                               ["A", "uno", None], [None] * 3, ["B", None, None]]))
    for path, header in ((book, 3), (tmp_path / "t.csv", 2)):
        got = read_text_table(path, header_row=header, required=("CLUES",))
        assert list(got.columns) == ["CLUES", "nombre"]
        assert got["CLUES"].tolist() == ["A", "B"]


def test_numeric_codes_of_parquet_come_without_decimals(tmp_path: Path) -> None:
    pd.DataFrame({"clave": [13001.0, None], "lon": [-98.25, 20.0], "n": [1, 2]}).to_parquet(tmp_path / "t.parquet")
    got = read_text_table(tmp_path / "t.parquet")
    assert got["clave"].tolist()[0] == "13001"
    assert got["clave"].isna().tolist() == [False, True]
    assert got["lon"].tolist() == ["-98.25", "20"]
    assert got["n"].tolist() == ["1", "2"]


@pytest.mark.parametrize("name", ["t.gpkg", "t.geojson", "t.parquet"])
def test_layers_give_attributes_and_degrees(tmp_path: Path, name: str) -> None:
    layer = gpd.GeoDataFrame({"clave": ["007"]}, geometry=[Point(-98.5, 20.25)], crs=4326)
    if name == "t.parquet":
        layer.to_parquet(tmp_path / name)
    else:
        layer.to_file(tmp_path / name)
    got = read_text_table(tmp_path / name, required=("clave", "lon", "lat"))
    assert got.iloc[0].to_dict() == {"clave": "007", "lon": "-98.5", "lat": "20.25"}


def test_polygons_in_metres_give_an_inner_point_in_degrees(tmp_path: Path) -> None:
    gpd.GeoDataFrame({"a": ["1"]}, geometry=[box(499_000, 2_200_000, 501_000, 2_202_000)], crs=32614).to_file(tmp_path / "t.gpkg")
    assert abs(float(read_text_table(tmp_path / "t.gpkg").loc[0, "lon"]) + 99) < 0.02


def test_missing_columns_are_all_named(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    assert "faltan las columnas CLUES, NIVEL; trae a, b;" in fault(tmp_path / "t.csv", required=("CLUES", "b", "NIVEL"))


def test_wrong_sheet_lists_the_sheets(tmp_path: Path) -> None:
    book = write_book(tmp_path / "t.xlsx", Estados=TABLE, Municipios=TABLE)
    assert "no tiene la hoja «Localidades»; tiene Estados, Municipios" in fault(book, sheet="Localidades")
    assert len(read_text_table(book, sheet="municipios")) == 2


@pytest.mark.parametrize(("name", "content", "says"), [
    ("t.csv", b"", "vacío"),
    ("t.csv", b" \n\n", "vacío"),
    ("t.csv", b"\xef\xbb\xbf\n", "vacío"),
    ("t.csv", b"a,b\n", "ninguna fila"),
    ("t.csv", b"a,b\n,\n", "ninguna fila"),
    ("t.csv", "a,b\n1,2\nñ,3\n".encode("latin-1"), "UTF-8 (byte 8, línea 3)"),
    ("t.csv", "a,b\n1,2\n".encode("utf-16"), "UTF-8 (byte 0, línea 1)"),
    ("t.csv", b"a,b\n1,2\n1,2,3\n", "la línea 3 tiene 3 columnas y se esperaban 2"),
    ("t.csv", b'a,b\n"1,2\n', "comillas sin cerrar"),
    ("t.csv", b"PK\x03\x04\0\0", "binario"),
    ("t.csv", b"<!DOCTYPE html><html></html>", "HTML"),
    ("t.xlsx", b"\r\n<html><table><tr><td>CLUES</td></tr></table></html>", "HTML"),
    ("t.xlsx", b"PK\x03\x04 and nothing else", "Excel"),
    ("t.xlsx", b"plain text", "Excel"),
    ("t.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 short", "Excel"),
    ("t.parquet", b"PAR1 no footer", "parquet"),
    ("t.zip", b"PK\x03\x04 and nothing else", "zip está dañado"),
    ("t.gpkg", b"SQLite format 3\0 and nothing else", "capa"),
    ("t.geojson", b'{"type": "FeatureCollection", "features": [', "capa"),
    ("t.pdf", b"%PDF", "formato «.pdf»"),
])
def test_broken_content_is_one_sentence(tmp_path: Path, name: str, content: bytes, says: str) -> None:
    (tmp_path / name).write_bytes(content)
    assert says in fault(tmp_path / name)


@pytest.mark.parametrize("name", ["t.xlsx", "t.parquet", "t.gpkg", "t.zip"])
def test_truncated_files_are_one_sentence(tmp_path: Path, name: str) -> None:
    long = pd.DataFrame({"a": [f"{i * 7919:x}" for i in range(3000)]})
    path = tmp_path / name
    if name == "t.xlsx":
        write_book(path, Hoja=long)
    elif name == "t.parquet":
        long.to_parquet(path)
    elif name == "t.gpkg":
        gpd.GeoDataFrame(long, geometry=[Point(0, 0)] * len(long), crs=4326).to_file(path)
    else:
        write_zip(path, datos=long.to_csv())
    path.write_bytes(path.read_bytes()[:path.stat().st_size // 2])
    assert "descárguelo" in (said := fault(path)) or "expórtela" in said


def test_zip_with_nothing_useful_or_too_much(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "t.zip", "w") as archive:
        archive.writestr("leeme.txt", "nada")
    assert "no trae ningún csv" in fault(tmp_path / "t.zip")
    assert "trae 2 csv de datos (a.csv, b.csv)" in fault(write_zip(tmp_path / "u.zip", a="x\n1\n", b="x\n1\n"))


@pytest.mark.parametrize("name", ["t.zip", "t.xlsx"])
def test_a_bomb_is_refused_before_it_unpacks(tmp_path: Path, name: str) -> None:
    path = write_zip(tmp_path / name, datos="a,b\n1,2\n")
    content = bytearray(path.read_bytes())
    struct.pack_into("<I", content, content.index(b"PK\x01\x02") + 24, 4_000_000_000)  # uncompressed size in the directory
    path.write_bytes(content)
    assert "descomprimido ocupa 3.7 GB (máximo 2)" in fault(path)


def test_missing_file_folder_and_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "No existe" in fault(tmp_path / "no.csv")
    (tmp_path / "carpeta.csv").mkdir()
    assert "es una carpeta" in fault(tmp_path / "carpeta.csv")

    def refuse(_: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    assert "revise los permisos" in fault(tmp_path / "t.csv")


def test_layers_without_crs_or_with_several_layers_are_refused(tmp_path: Path) -> None:
    layer = gpd.GeoDataFrame({"a": ["1"]}, geometry=[Point(0, 0)], crs=4326)
    layer.to_file(tmp_path / "t.gpkg", layer="uno")
    layer.to_file(tmp_path / "t.gpkg", layer="dos")
    assert "tiene 2 capas" in fault(tmp_path / "t.gpkg")
    assert len(read_text_table(tmp_path / "t.gpkg", sheet="dos")) == 1
    assert "dañada" in fault(tmp_path / "t.gpkg", sheet="tres")
    layer.set_crs(None, allow_override=True).to_parquet(tmp_path / "t.parquet")
    assert "sistema de coordenadas" in fault(tmp_path / "t.parquet")


def test_numbers_codes_and_keys_say_what_is_wrong() -> None:
    text = pd.Series(["1", "N/D", None, "2.5"], name="x", index=["a", "b", "c", "d"], dtype="str")
    assert numbers(text, "f", hidden=("n/d",)).tolist()[::3] == [1.0, 2.5]
    for bad, low in (("x", None), ("inf", None), ("-1", 0.0)):
        with pytest.raises(DataError, match=r"«x» no es un número.* en 1 \(b\)"):
            numbers(text.replace("N/D", bad), "f", low=low)
    assert codes(pd.Series(["1", "013"], name="k", dtype="str"), 3, "f").tolist() == ["001", "013"]
    for wrong in ("1.5", "1234", "a", None):
        with pytest.raises(DataError, match="no es una clave de 3 dígitos en 1 filas"):
            codes(pd.Series(["1", wrong], name="k", dtype="str"), 3, "f")
    with pytest.raises(DataError, match=r"«k» repetida: 1 \(a\)"):
        refuse_repeated(pd.Index(["a", "a", "a", "b"], name="k"), "f")
