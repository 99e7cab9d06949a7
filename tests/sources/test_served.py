"""People served by unit and year: former codes, blanks that are not zero, and broken tables."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from planner import columns, schema
from planner.errors import DataError
from planner.sources.served import read_served

UNITS = pd.DataFrame({"role": ["primer_nivel", "primer_nivel"], "previous_clues": ["HGSSA000016", None]},
                     index=pd.Index(["HGIMB000011", "HGIMB000022"], name="clues"))
ASIDE = pd.DataFrame({"successor": ["HGIMO000012", "HGIMB000022"]}, index=["HGSSA000005", "HGIMO000012"])


def read(folder: Path, text: str):
    path = folder / "atendida.csv"
    path.write_text(text, encoding="utf-8")
    table, findings = read_served(path, UNITS, ASIDE)
    columns.check(schema.SERVED, table, "prueba")
    return table, {f.code: (f.count, f.examples) for f in findings}


@pytest.mark.parametrize("header", ["CLUES,ANIO,PA,PO", "clues,Año,Población atendida,poblacion_objetivo", "CLUES_IMB,YEAR,pa,po"])
def test_rows_become_todays_units_by_year(tmp_path, header):
    table, found = read(tmp_path, f"{header}\nHGIMB000022,2024,10.5,20\nHGSSA000016,2023,7,\nHGIMB000011,2024,0,9\nHGSSA000005,2022,3,4\n")
    assert table["clues"].tolist() == ["HGIMB000011", "HGIMB000011", "HGIMB000022", "HGIMB000022"]
    assert table["year"].tolist() == [2023, 2024, 2022, 2024]
    assert table["people"].tolist() == [7, 0, 3, 10.5]
    np.testing.assert_array_equal(table["target"], [np.nan, 9, 4, 20])
    assert found == {}


def test_what_is_left_out_is_counted_and_todays_own_row_wins(tmp_path):
    text = ("CLUES,ANIO,PA\nHGSSA000016,2024,70\nHGIMB000011,2024,40\nHGSSA000016,2023,60\nHGIMB000011,2023,\n"
            "HGXXX000001,2024,5\nHGIMB000022,2024,\n")
    table, found = read(tmp_path, text)
    assert table[["clues", "year", "people"]].to_numpy().tolist() == [["HGIMB000011", 2023, 60.0], ["HGIMB000011", 2024, 40.0]]
    assert table["target"].isna().all()
    assert found == {"atendida_desconocida": (1, ("HGXXX000001",)), "atendida_en_blanco": (2, ("HGIMB000011", "HGIMB000022")),
                     "atendida_dos_claves": (1, ("HGSSA000016",))}
    lines = text.splitlines()
    (tmp_path / "b").mkdir()
    pd.testing.assert_frame_equal(table, read(tmp_path / "b", "\n".join([lines[0], *lines[:0:-1]]))[0])


@pytest.mark.parametrize(("text", "said"), [
    ("CLUES,PA\nHGIMB000011,1\n", r"no se reconoce la columna ANIO; trae CLUES, PA"),
    ("CLUES,ANIO\nHGIMB000011,2024\n", "no se reconoce la columna PA"),
    ("CLUES,ANIO,PA\nHGIMB000011,2024,1\nHGIMB000011,2024,1\n", r"más de una fila de la misma CLUES y año en 1 \(HGIMB000011\)"),
    ("CLUES,ANIO,PA\nHGIMB000011,2024,-1\n", "«PA» no es un número de 0 o más"),
    ("CLUES,ANIO,PA,PO\nHGIMB000011,2024,1,muchas\n", "«PO» no es un número"),
    ("CLUES,ANIO,PA\nHGIMB000011,,1\n", r"«ANIO» está en blanco en 1 \(HGIMB000011\)"),
    ("CLUES,ANIO,PA\nHGIMB000011,2024.5,1\n", "«ANIO» no es un número entero"),
    ("CLUES,ANIO,PA\nHG11,2024,1\n", "CLUES mal escrita"),
    ("CLUES,ANIO,PA\nHGXXX000001,2024,1\n", "ninguna CLUES está en los archivos de unidades"),
])
def test_broken_tables_are_refused(tmp_path, text, said):
    with pytest.raises(DataError, match=rf"^atendida\.csv: {said}"):
        read(tmp_path, text)


def test_a_year_that_is_none_is_told_by_the_schema(tmp_path):
    with pytest.raises(DataError, match="«year» es menor que lo admitido"):
        read(tmp_path, "CLUES,ANIO,PA\nHGIMB000011,24,1\n")
