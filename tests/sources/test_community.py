"""Community organisation by locality: Hidalgo's figures, blanks that stay missing, other spellings, and broken tables."""

from pathlib import Path

import pandas as pd
import pytest

from planner import columns, schema
from planner.errors import DataError
from planner.sources.community import read_community
from planner.sources.inegi import read_iter

PLACES = pd.Index([f"13001000{i}" for i in range(1, 5)], name="cvegeo")


def read(folder: Path, text: str):
    path = folder / "comunidad.csv"
    path.write_text(text, encoding="utf-8")
    table, findings = read_community(path, PLACES)
    columns.check(schema.COMMUNITY, table, "prueba")
    return table, {f.code: (f.count, f.examples) for f in findings}


def test_hidalgo_meets_its_check_figures(shared):
    folder = shared / "data/hidalgo"
    places = read_iter(folder / "iter_13_cpv2020_csv.zip", "13").localities.index
    table, findings = read_community(folder / "comunidad_por_localidad.csv", places)
    columns.check(schema.COMMUNITY, table, "prueba")
    assert (len(table), table["auxiliaries"].sum(), table["midwives"].sum(), table["health_house"].notna().sum()) == (4690, 821, 741, 1491)
    assert set(table["health_house"].dropna()) == {"CE", "CSE", "ASE", "AE"}
    assert table[["volunteers", "committee"]].isna().all(axis=None)  # not published: missing, not 0
    assert findings == ()


def test_every_column_whatever_its_spelling_and_order(tmp_path):
    table, found = read(tmp_path, "Comité de salud,CVEGEO,Casa de Salud,AUXILIARES,Parteras,voluntarias\n"
                                  "sí,130010002,CE,1,0,4\nNo,130010001,no,2,3,0\n2,130010003,,,,\nx,130010004,Sí,0,0,0\n")
    assert table.index.tolist() == PLACES.tolist()
    assert table["health_house"].fillna("-").tolist() == ["-", "CE", "-", "Sí"]
    assert table[["auxiliaries", "midwives", "volunteers"]].fillna(-1).to_numpy().tolist() == [
        [2, 3, 0], [1, 0, 4], [-1, -1, -1], [0, 0, 0]]
    assert table["committee"].tolist() == [0, 1, 2, 1]
    assert found == {}


def test_columns_may_lack_and_rows_of_other_places_are_counted(tmp_path):
    table, found = read(tmp_path, "CVEGEO,parteras\n130010003,1\n130019999,5\n130010001,\n")
    assert table.index.tolist() == ["130010001", "130010003"]
    assert table["midwives"].fillna(-1).tolist() == [-1, 1]
    assert table.drop(columns="midwives").isna().all(axis=None)
    assert found == {"comunidad_fuera_del_censo": (1, ("130019999",)), "sin_comunidad": (2, ("130010002", "130010004"))}


@pytest.mark.parametrize(("text", "said"), [
    ("CVEGEO,parteras\n130010001,1\n130010001,2\n", r"«CVEGEO» repetida: 1 \(130010001\)"),
    ("CVEGEO,parteras\n130010001,-1\n", r"«parteras» no es un número de 0 o más en 1 \(130010001\)"),
    ("CVEGEO,auxiliares\n130010001,1.5\n", r"«auxiliares» no es un número entero en 1 \(130010001\)"),
    ("CVEGEO,comite\n130010001,tal vez\n", "«comite» no es un número"),
    ("CVEGEO,auxiliares\n13X,1\n", "«CVEGEO» no es una clave de 9 dígitos"),
    ("CVEGEO,poblacion\n130010001,1\n", "se espera CVEGEO y alguna de casa_de_salud"),
    ("localidad,auxiliares\n130010001,1\n", "se espera CVEGEO y alguna de casa_de_salud"),
    ("CVEGEO,auxiliares\n210010001,1\n", "ninguna localidad está en el censo"),
])
def test_broken_tables_are_refused(tmp_path, text, said):
    with pytest.raises(DataError, match=rf"^comunidad\.csv: {said}"):
        read(tmp_path, text)
