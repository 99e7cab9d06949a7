"""Rooms and staff under the headers of several layouts: parts add up, blanks stay missing, and broken files are refused."""

from pathlib import Path

import pandas as pd
import pytest
import valley
from valley_travel import U1, U2

from planner import columns, schema
from planner.errors import DataError
from planner.sources.resources import read_resources

UNITS = valley.region().units.assign(previous_clues=pd.Series(["MDSSA000011", None, None, None], valley.region().units.index, dtype="str"))
ASIDE = pd.DataFrame({"successor": pd.Series(dtype="str")})


def write(folder: Path, table: pd.DataFrame, name: str = "sinerhias.csv") -> Path:
    path = folder / name
    if path.suffix == ".xlsx":
        table.to_excel(path, index=False, engine="xlsxwriter")
    else:
        table.to_csv(path, index=False)
    return path


def read(path: Path):
    table, findings = read_resources(path, UNITS, ASIDE)
    columns.check(schema.RESOURCES, table, "prueba")
    return table, {f.code: (f.count, f.examples) for f in findings}


@pytest.mark.parametrize("name", ["sinerhias.csv", "sinerhias.xlsx"])
def test_parts_add_up_whatever_their_case_and_accents(tmp_path: Path, name: str) -> None:
    path = write(tmp_path, pd.DataFrame({
        "Clues": [U2, U1], "CONSULTORIOS DE MEDICINA GENERAL": [3, 1], "consultorios_de_medicina_familiar": [1, 0],
        "Total de consultorios": [9, 9], "Médicos Generales": [1, 1], "MEDICOS FAMILIARES": [1, 0], "Pasantes de medicina": [1, 0],
        "Total de médicos": [20, 20], "Enfermeras generales": [4, 1], "Auxiliares de enfermería": [2, 0]}), name)
    table, found = read(path)
    assert table.index.tolist() == [U1, U2]
    assert table.to_numpy().tolist() == [[1, 1, 1], [4, 3, 6]]
    assert found == {}


def test_whole_figures_count_where_there_are_no_parts_and_nurses_may_lack(tmp_path: Path) -> None:
    table, _ = read(write(tmp_path, pd.DataFrame({"CLUES": [U1], "Consultorios": [2], "Médicos": [1]})))
    assert table.loc[U1, ["rooms", "physicians"]].tolist() == [2, 1]
    assert pd.isna(table.at[U1, "nurses"])


def test_blanks_unknown_units_and_former_codes(tmp_path: Path) -> None:
    path = write(tmp_path, pd.DataFrame({
        "CLUES": ["MDSSA000011", U2, "MDIMB999999"], "CONSULTORIOS": [2, 2, 5], "MEDICOS GENERALES": [1, 2, 1],
        "PASANTES DE MEDICINA": [0, None, 1], "ENFERMERAS": [1, 1, 1]}))
    table, found = read(path)
    assert table.loc[U1].tolist() == [2, 1, 1]  # under its former code
    assert pd.isna(table.at[U2, "physicians"])  # not 2: how many interns is not said
    assert table.at[U2, "rooms"] == 2
    assert found == {"recursos_desconocidos": (1, ("MDIMB999999",)), "recursos_en_blanco": (1, (U2,))}
    own = pd.DataFrame({"CLUES": ["MDSSA000011", U1], "CONSULTORIOS": [2, 4], "MEDICOS": [1, 3]})
    table, found = read(write(tmp_path, own))
    assert table.loc[U1, ["rooms", "physicians"]].tolist() == [4, 3]  # today's own row is the one
    assert found == {"sin_recursos": (1, (U2,))}


@pytest.mark.parametrize(("change", "said"), [
    ({"CLUES": None}, r"no se reconoce la columna de CLUES .*; trae CONSULTORIOS, MEDICOS; póngale"),
    ({"CONSULTORIOS": None, "MEDICOS": None}, "no se reconoce la columna de consultorios, médicos"),
    ({"CLUES": [U1, U1]}, rf"«CLUES» repetida: 1 \({U1}\)"),
    ({"CLUES": [U1, "U2"]}, "CLUES mal escrita"),
    ({"CLUES": ["MDIMB999998", "MDIMB999999"]}, r"ninguna CLUES está en los archivos"),
    ({"MEDICOS": [1, -1]}, rf"«MEDICOS» no es un número de 0 o más en 1 \({U2}\)"),
    ({"MEDICOS": [1, "dos"]}, "«MEDICOS» no es un número"),
    ({"CONSULTORIOS": [0.5, 1]}, rf"«CONSULTORIOS» no es un número entero en 1 \({U1}\)"),
])
def test_broken_files_are_refused(tmp_path: Path, change: dict[str, object], said: str) -> None:
    table = {"CLUES": [U1, U2], "CONSULTORIOS": [1, 2], "MEDICOS": [1, 1], **change}
    path = write(tmp_path, pd.DataFrame({k: v for k, v in table.items() if v is not None}))
    with pytest.raises(DataError, match=rf"sinerhias\.csv: .*{said}|{said}"):
        read(path)
