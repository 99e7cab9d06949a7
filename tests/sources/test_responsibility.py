"""The official table of responsible units, row by row, and today's mobile stops."""

import pandas as pd
import pytest

from planner import columns, schema
from planner.errors import DataError
from planner.sources.clues import read_units
from planner.sources.inegi import read_iter
from planner.sources.responsibility import read_circuits, read_responsibility

PLACES = pd.Index([f"13001000{i}" for i in range(1, 6)], name="cvegeo")
UNITS = pd.DataFrame({"role": ["primer_nivel", "movil", "ninguno"], "previous_clues": ["HGSSA000016", None, None]},
                     index=pd.Index(["HGIMB000011", "HGIMB000022", "HGSMP000033"], name="clues"))
ASIDE = pd.DataFrame({"successor": ["HGIMO000012", "HGIMB000011", None]}, index=["HGSSA000005", "HGIMO000012", "HGSSA000099"])


def table(tmp_path, text, header="CVEGEO,CLUES,Nombre Unidad,personas"):
    path = tmp_path / "responsables.csv"
    path.write_text(f"{header}\n{text}\n", encoding="utf-8")
    return path


def read(tmp_path, text):
    rows, findings = read_responsibility(table(tmp_path, text), UNITS, ASIDE, PLACES)
    return rows, {f.code: f.count for f in findings}


def test_hidalgo_meets_its_check_figures(shared):
    folder = shared / "data/hidalgo"
    tables = read_units([folder / "ESTABLECIMIENTO_SALUD_202501_hidalgo.xlsx", folder / "clues_202509_puntos_hidalgo.csv"], "13")
    places = read_iter(folder / "iter_13_cpv2020_csv.zip", "13").localities.index
    rows, findings = read_responsibility(folder / "localidad_a_clues_responsable.csv", tables.units, tables.set_aside, places)
    columns.check(schema.RESPONSIBILITY, rows, "prueba")
    assert (len(rows), rows["cvegeo"].nunique(), rows["published_clues"].nunique()) == (4735, 4690, 764)
    assert rows["people"].sum() == 2_194_391
    assert rows.groupby("cvegeo")["share"].sum().sub(1).abs().max() < 1e-12
    unknown = rows[rows["clues"].isna()]
    assert (len(unknown), sorted(unknown["published_clues"].unique())) == (22, ["HGSSA018064", "HGSSA018163"])
    assert {f.code: f.count for f in findings} == {
        "localidad_dividida": 21, "responsable_cero": 12, "responsable_desconocido": 22, "responsable_movil": 330}


def test_former_codes_become_todays_and_shares_follow_people(tmp_path):
    rows, codes = read(tmp_path, "130010002,HGSMP000033,x,4\n130010001,HGSSA000016,x,30\n130010001,HGIMB000022,x,10\n"
                                 "130010003,HGSSA000005,x,7\n130010004,HGSSA000099,x,1")
    assert rows["clues"].fillna("-").tolist() == ["HGIMB000022", "HGIMB000011", "HGSMP000033", "HGIMB000011", "-"]
    assert rows["share"].tolist() == [0.25, 0.75, 1, 1, 1]
    assert codes == {"localidad_dividida": 1, "sin_responsable": 1, "responsable_desconocido": 1, "responsable_movil": 1,
                     "responsable_sin_funcion": 1}


def test_a_locality_of_zeros_is_shared_equally_and_foreign_rows_fall_out(tmp_path):
    rows, codes = read(tmp_path, "130010001,HGIMB000011,x,0\n130010001,HGIMB000022,x,0\n210010001,HGIMB000011,x,5\n"
                                 "130010002,HGIMB000011,x,2\n130010002,HGIMB000011,x,3")
    assert rows["share"].tolist() == [0.5, 0.5, 1]
    assert rows["people"].tolist() == [0, 0, 5]
    assert (codes["responsable_cero"], codes["responsable_fuera_del_censo"], codes["responsable_repetido"]) == (1, 1, 1)


@pytest.mark.parametrize(("text", "sentence"), [
    ("130010001,HGIMB000011,x,-3", "de 0 o más"), ("130010001,HGIMB000011,x,muchas", "130010001"),
    ("130010001,HGIMB000011,x,", "en blanco"), ("13001000A,HGIMB000011,x,3", "CVEGEO mal escrita"),
    ("130010001,unidad,x,3", "CLUES mal escrita"), ("210010001,HGIMB000011,x,3", "ninguna localidad está en el censo"),
])
def test_what_cannot_be_is_refused_in_words(tmp_path, text, sentence):
    with pytest.raises(DataError, match=sentence):
        read(tmp_path, text)


def test_a_missing_column_is_named(tmp_path):
    with pytest.raises(DataError, match="personas"):
        read_responsibility(table(tmp_path, "130010001,HGIMB000011", "CVEGEO,CLUES"), UNITS, ASIDE, PLACES)


def test_stops_of_former_codes_are_kept_and_unknown_ones_counted(tmp_path):
    path = table(tmp_path, "HGIMB000022,130010001,2\nHGSSA000016,130010002,1\nHGIMB000022,130010001,1\nHGIMB999999,130010001,2\n"
                           "HGIMB000022,210010001,2", "CLUES,CVEGEO,visitas_mes")
    stops, findings = read_circuits(path, UNITS, ASIDE, PLACES)
    columns.check(schema.CIRCUITS, stops, "prueba")
    assert stops.to_numpy().tolist() == [["HGIMB000011", "130010002", 1.0], ["HGIMB000022", "130010001", 3.0]]
    assert [f.count for f in findings] == [2]
