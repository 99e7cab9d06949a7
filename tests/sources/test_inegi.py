"""The census and the catalogue of localities: official files against their published totals, and every trap by hand."""

import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import small_iter

from planner.errors import DataError
from planner.sources.inegi import COUNTS, altitude, degrees, read_ageeml, read_iter


def written(folder: Path, table: pd.DataFrame, name: str = "ITER_13CSV20.csv") -> Path:
    table.to_csv(folder / name, index=False)
    return folder / name


def fault(folder: Path, table: pd.DataFrame, entity: str = "13") -> str:
    with pytest.raises(DataError) as caught:
        read_iter(written(folder, table), entity)
    return str(caught.value)


def test_hidalgo_matches_its_published_totals(shared: Path) -> None:
    census = read_iter(shared / "data/hidalgo/iter_13_cpv2020_csv.zip", "13")
    assert len(census.localities) == 4690
    assert len(census.municipalities) == 84
    assert census.localities["population"].sum() == census.municipalities["population"].sum() == census.state["population"] == 3_082_841
    assert census.dropped == {"otra entidad": 0, "totales y subtotales": 226}
    by_town = census.localities.groupby("cve_mun")["population"].sum()
    pd.testing.assert_series_equal(by_town, census.municipalities["population"])
    assert int(census.localities["PSINDER"].isna().sum()) == 627
    assert census.localities.index.is_monotonic_increasing
    assert census.localities[["lon", "lat", "altitude_m"]].notna().all(axis=None)


def test_the_catalogue_of_hidalgo_agrees_with_the_census_on_where_places_are(shared: Path) -> None:
    catalogue = read_ageeml(shared / "data/hidalgo/ageeml_hidalgo_2024-10-31.csv", "13")
    assert len(catalogue) == 5291
    assert int(catalogue["population"].isna().sum()) == 36
    census = read_iter(shared / "data/hidalgo/iter_13_cpv2020_csv.zip", "13").localities
    both = catalogue.reindex(census.index)
    moved = (both[["lon", "lat"]] - census[["lon", "lat"]]).abs().max(axis=1).dropna()
    assert len(moved) == 4681
    assert (moved < 2e-6).mean() > 0.98


@pytest.mark.parametrize("layout", ["csv", "bom", "zip", "numbers", "parquet"])
def test_every_layout_gives_the_same_census(tmp_path: Path, layout: str) -> None:
    table = small_iter.table()
    plain = read_iter(written(tmp_path, table), "13")
    if layout == "bom":
        path = tmp_path / "bom.csv"
        table.to_csv(path, index=False, encoding="utf-8-sig")
    elif layout == "zip":
        path = tmp_path / "iter_13_cpv2020_csv.zip"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("conjunto_de_datos/conjunto_de_datos_iter_13CSV20.csv", table.to_csv(index=False))
            archive.writestr("diccionario_de_datos/diccionario_datos_iter_13CSV20.csv", "Núm.,Indicador\n1,Clave\n")
    elif layout == "numbers":
        path = written(tmp_path, table.astype({"ENTIDAD": int, "MUN": int, "LOC": int}).sample(frac=1, random_state=3), "unpadded.csv")
    elif layout == "parquet":
        path = tmp_path / "iter.parquet"
        table.to_parquet(path)
    else:
        path = written(tmp_path, table, "conjunto_de_datos_iter_13CSV20.csv")
    got = read_iter(path, "13")
    pd.testing.assert_frame_equal(got.localities, plain.localities)
    pd.testing.assert_frame_equal(got.municipalities, plain.municipalities)


def test_totals_confidential_values_and_other_states(tmp_path: Path) -> None:
    table = small_iter.table()
    other = table.iloc[[4]].assign(ENTIDAD="31")
    census = read_iter(written(tmp_path, pd.concat([table, other])), "13")
    assert list(census.localities.index) == ["130010001", "130010002", "130010003", "130020001"]
    assert list(census.municipalities["population"]) == [1000, 500]
    assert census.dropped == {"otra entidad": 1, "totales y subtotales": 7}
    assert census.localities.loc["130010002", list(COUNTS)].isna().all()
    assert census.localities.loc["130010002", "population"] == 100
    assert census.localities.loc["130010001", "PSINDER"] == 240


def test_n_d_is_missing_too(tmp_path: Path) -> None:
    table = small_iter.table()
    table.loc[4, "PHOG_IND"] = "N/D"
    assert np.isnan(read_iter(written(tmp_path, table), "13").localities.loc["130010001", "PHOG_IND"])


@pytest.mark.parametrize("text", [
    """98°27'22.359" W""", "98°27´22.359\" W", "98°27’22.359” W", "98° 27′ 22.359″ O", "098°27'22.359''W", "098°27´22.359´´W",
    """98°27'22.359"W\"""", "-98°27'22.359\"".replace("-", "") + "w", "-98.45621083", "-98,45621083",
])
def test_longitudes_however_they_are_written(text: str) -> None:
    assert degrees(pd.Series([text], dtype="str"), "x")[0] == pytest.approx(-(98 + 27 / 60 + 22.359 / 3600), abs=5e-9)


def test_latitudes_blanks_and_nonsense() -> None:
    got = degrees(pd.Series(["20°08'45.251\" N", None, "20.5"], dtype="str"), "x")
    assert got[0] == pytest.approx(20 + 8 / 60 + 45.251 / 3600, abs=1e-12)
    assert np.isnan(got[1])
    assert got[2] == 20.5
    for text in ("20°61'45\" N", "20°08'75\" N", "norte"):
        with pytest.raises(DataError, match="no se entiende en 1"):
            degrees(pd.Series([text], name="LATITUD", dtype="str"), "x")


def test_altitudes_are_padded_text() -> None:
    got = altitude(pd.Series(["2134", "0012", "-003", "00-3", None, "*"], dtype="str"))
    assert got.tolist()[:4] == [2134, 12, -3, -3]
    assert got.isna().tolist() == [False] * 4 + [True] * 2


@pytest.mark.parametrize(("row", "column", "value", "says"), [
    (4, "POBTOT", "-5", "«POBTOT» no es un número de 0 o más en 1 (130010001), por ejemplo '-5'"),
    (4, "PSINDER", "doce", "«PSINDER» no es un número de 0 o más en 1 (130010001), por ejemplo 'doce'"),
    (4, "POBTOT", "*", "POBTOT falta en 1 (130010001)"),
    (4, "LOC", "0003", "repetida: 1 (130010003)"),
    (4, "LOC", "1.5", "no es una clave de 4 dígitos"),
    (4, "MUN", None, "no es una clave de 3 dígitos"),
    (4, "LATITUD", "norte", "«LATITUD» no se entiende en 1 (130010001)"),
    (4, "LATITUD", "2206000", "fuera de México en 1 (130010001)"),
    (4, "LONGITUD", "98.45", "fuera de México en 1 (130010001)"),
    (3, "LOC", "0009", "faltan filas de totales (LOC 0000) del estado o de los municipios 1 (13001)"),
])
def test_wrong_values_are_told_in_one_sentence(tmp_path: Path, row: int, column: str, value: str | None, says: str) -> None:
    table = small_iter.table()
    table.loc[row, column] = value
    said = fault(tmp_path, table)
    assert says in said
    assert said.endswith(".")


def test_swapped_coordinates_other_state_and_missing_columns(tmp_path: Path) -> None:
    table = small_iter.table()
    swapped = table.rename(columns={"LONGITUD": "LATITUD", "LATITUD": "LONGITUD"})
    assert "intercambiadas en 4 (130010001, 130010002, 130010003, …)" in fault(tmp_path, swapped)
    assert "no trae la entidad 31 sino 1 (13)" in fault(tmp_path, table, "31")
    assert "faltan las columnas LOC, PDER_IMSSB;" in fault(tmp_path, table.drop(columns=["LOC", "PDER_IMSSB"]))


def test_the_catalogue_by_hand(tmp_path: Path) -> None:
    line = {"CVE_ENT": "13", "CVE_MUN": "1", "CVE_LOC": "7", "NOM_ENT": "Hidalgo", "NOM_MUN": "Uno", "NOM_LOC": "Siete",
            "Lat_Decimal": "20.5", "Lon_Decimal": "-98.5", "Altitud": "00-3", "Pob_Total": "-"}
    path = written(tmp_path, pd.DataFrame([line, {**line, "CVE_ENT": "31"}]), "ageeml.csv")
    got = read_ageeml(path, "13")
    assert list(got.index) == ["130010007"]
    assert got.loc["130010007", ["lon", "lat", "altitude_m"]].tolist() == [-98.5, 20.5, -3]
    assert got["population"].isna().all()
    assert got["status"].isna().all()
    with pytest.raises(DataError, match="no trae ninguna localidad de la entidad 20"):
        read_ageeml(path, "20")
    with pytest.raises(DataError, match="repetida"):
        read_ageeml(written(tmp_path, pd.DataFrame([line, line]), "twice.csv"), "13")
