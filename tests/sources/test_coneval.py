"""CONEVAL's workbooks: the official municipal one, and hand-made ones in its layout.

The locality workbook here is made by hand: nobody compared this reader with an official copy of it.
"""

from pathlib import Path

import pandas as pd
import pytest

from planner.errors import DataError
from planner.sources.coneval import read_locality_index, read_municipal_index

TITLES = ["Población de 15 años o más analfabeta", "Población de 6 a 14 años que no asiste a la escuela",
          "Población de 15 años y más con educación básica incompleta", "Población sin derechohabiencia a servicios de salud",
          "Viviendas con piso de tierra", "Viviendas que no disponen de excusado o sanitario",
          "Viviendas que no disponen de agua entubada de la red pública", "Viviendas que no disponen de drenaje",
          "Viviendas que no disponen de energía eléctrica", "Viviendas que no disponen de lavadora",
          "Viviendas que no disponen de refrigerador"]
PLACE = ["Clave entidad", "Entidad\nfederativa", "Clave municipio", "Municipio", "Clave localidad", "Localidad", "Población total"]
LAST = ["Índice de rezago social", "Grado de rezago social", "Lugar que ocupa en el contexto nacional"]


def book(path: Path, rows: list[list[object]], keys: list[str], **sheets: str) -> Path:
    """Title, two rows of merged headers, rows, notes: as CONEVAL lays it out."""
    wide = len(keys) + len(TITLES) + len(LAST)
    lines = [["", "", "Indicadores, índice y grado de rezago social,\nsegún localidad, 2020"], [], [],
             [*keys, "Indicadores de rezago social (porcentaje)", *[""] * 10, *LAST], [""] * len(keys) + TITLES, [], *rows, [],
             ["Nota 1: el cálculo de los indicadores."], ["Fuente: estimaciones del CONEVAL."]]
    table = pd.DataFrame([line + [""] * (wide - len(line)) for line in lines])
    with pd.ExcelWriter(path, engine="xlsxwriter") as writer:
        for name in sheets.values() or ["Localidades"]:
            table.to_excel(writer, sheet_name=name, header=False, index=False)
    return path


def test_the_official_municipal_workbook(shared: Path) -> None:
    table = read_municipal_index(shared / "data/national/IRS_entidades_mpios_2020.xlsx", "13")
    assert len(table) == 84
    acatlan = table.loc["13001"]
    assert (acatlan["illiterate"], acatlan["no_fridge"], acatlan["irs"], acatlan["irs_grade"], acatlan["rank"]) == (
        11.131549, 14.827468, -0.301684, "Bajo", 1315)


def test_municipal_keys_as_numbers_and_columns_in_another_order(tmp_path: Path) -> None:
    keys = ["Municipio", "Clave de municipio", "Clave de entidad"]
    rows = [["Uno", 9001, 9, *range(1, 12), -0.5, "MUY BAJO", 7], ["Dos", 2, 9, *range(1, 12), -0.5, "Muy  alto", 8]]
    table = read_municipal_index(book(tmp_path / "t.xlsx", rows, keys, a="Municipios"), "09")
    assert list(table.index) == ["09001", "09002"]
    assert table["irs_grade"].tolist() == ["Muy bajo", "Muy alto"]
    assert table.iloc[0, :11].tolist() == list(range(1, 12))


def test_hand_made_locality_workbook(tmp_path: Path) -> None:
    percent = [5.0] * 11
    rows = [["13", "Hidalgo", "13001", "Uno", "130010001", "A", 900, *percent, 0.25, "Medio", 3],
            ["13", "Hidalgo", "001", "Uno", "0002", "B", 60, *["n.d."] * 11, "n.d.", "n.d.", ""],
            ["13", "Hidalgo", 13001, "Uno", 3, "C", 60, *[""] * 11, "", "", ""],
            ["14", "Jalisco", "14001", "Tres", "140010001", "D", 60, *percent, 1.5, "Alto", 9]]
    table = read_locality_index(book(tmp_path / "t.xlsx", rows, PLACE), "13")
    assert list(table.index) == ["130010001", "130010002", "130010003"]
    assert table.loc["130010001"].tolist() == [0.25, "Medio"]
    assert table.iloc[1:].isna().all(axis=None)


def test_locality_sheets_add_up_and_nine_digits_suffice(tmp_path: Path) -> None:
    rows = [["130010001", *[5.0] * 11, 0.25, "Medio", 3]]
    path = book(tmp_path / "t.xlsx", rows, ["Clave localidad"])
    assert list(read_locality_index(path, "13").index) == ["130010001"]
    with pytest.raises(DataError, match="repetida"):
        read_locality_index(book(tmp_path / "u.xlsx", rows, ["Clave localidad"], a="Norte", b="Sur"), "13")
    with pytest.raises(DataError, match="nueve dígitos"):
        read_locality_index(book(tmp_path / "v.xlsx", [["1", *rows[0][1:]]], ["Clave localidad"]), "13")


def test_wrong_books_are_told_in_one_sentence(tmp_path: Path) -> None:
    keys = ["Clave entidad", "Clave municipio"]
    rows = [["13", "13001", *[5.0] * 11, 0.25, "Medio", 3]]
    with pytest.raises(DataError, match="no tiene la hoja «Municipios»; tiene Localidades"):
        read_municipal_index(book(tmp_path / "a.xlsx", rows, keys), "13")
    with pytest.raises(DataError, match="no trae la entidad 31"):
        read_municipal_index(book(tmp_path / "b.xlsx", rows, keys, a="Municipios"), "31")
    with pytest.raises(DataError, match="dice clave entidad;"):
        read_municipal_index(book(tmp_path / "c.xlsx", [r[1:] for r in rows], keys[1:], a="Municipios"), "13")
    with pytest.raises(DataError, match="«irs» no es un número en 1"):
        read_municipal_index(book(tmp_path / "d.xlsx", [[*rows[0][:13], "x", "Medio", 3]], keys, a="Municipios"), "13")
    with pytest.raises(DataError, match="grado de rezago desconocido en 1"):
        read_municipal_index(book(tmp_path / "e.xlsx", [[*rows[0][:14], "Regular", 3]], keys, a="Municipios"), "13")
    with pytest.raises(DataError, match="ninguna hoja tiene la columna «Clave localidad»"):
        read_locality_index(tmp_path / "a.xlsx", "13")
    with pytest.raises(DataError, match="no tiene filas con clave"):
        read_municipal_index(book(tmp_path / "f.xlsx", [], keys, a="Municipios"), "13")
