"""Localities of a region: Hidalgo's official figures, then the small hand-made census, then canonical tables."""

from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import small_iter
import valley

from planner import columns, schema
from planner.errors import DataError, SettingsError
from planner.sources import deprivation
from planner.sources.census import locality_table, read_canonical_localities
from planner.sources.coneval import read_municipal_index
from planner.sources.inegi import IterTables, read_ageeml, read_iter

GROUPS = [name for name, _, _ in schema.GROUPS]


@pytest.fixture
def census(tmp_path: Path) -> IterTables:
    small_iter.table().to_csv(tmp_path / "iter.csv", index=False)
    return read_iter(tmp_path / "iter.csv", "13")


def localities(census: IterTables, **given: object) -> gpd.GeoDataFrame:
    return locality_table(census, **{"municipal_index": None, "locality_index": None, "catalogue": None, "districts": None, "crs": None,
                                     **given})[0]


def test_hidalgo(shared: Path) -> None:
    census = read_iter(shared / "data/hidalgo/iter_13_cpv2020_csv.zip", "13")
    index = read_municipal_index(shared / "data/national/IRS_entidades_mpios_2020.xlsx", "13")
    table, findings = locality_table(census, index, None, None, None, None)
    counts = {f.code: f.count for f in findings}
    assert (len(table), table["cve_mun"].nunique(), table["population"].sum()) == (4690, 84, 3_082_841)
    assert table.crs == "EPSG:32614"
    assert round(table["uninsured"].sum()) == 2_047_505
    assert counts == {"filas_descartadas": 226, "poblacion_imputada": 627, "grupos_imputados": 627, "indice_imputado": 750}
    assert table["irs"].notna().all()
    assert (table[["uninsured", "unentitled", *GROUPS]].le(table["population"], axis=0)).all(axis=None)
    # what the shares put in the hidden localities is near what the published totals leave for them
    hidden = table[table["groups_imputed"]]
    left = census.state["POB0_14"] - census.localities["POB0_14"].sum()
    assert abs(hidden["age_0_14"].sum() - left) < 0.1 * hidden["population"].sum()


def test_the_catalogue_of_hidalgo_adds_one_inhabited_place(shared: Path) -> None:
    census = read_iter(shared / "data/hidalgo/iter_13_cpv2020_csv.zip", "13")
    catalogue = read_ageeml(shared / "data/hidalgo/ageeml_hidalgo_2024-10-31.csv", "13")
    table, findings = locality_table(census, None, None, catalogue, None, "EPSG:6372")
    assert (len(table), table["population"].sum(), table.crs.to_epsg()) == (4691, 3_082_848, 6372)
    assert [(f.count, f.examples) for f in findings if f.code == "localidad_agregada"] == [(1, ("130280278",))]
    assert table.loc["130280278", "uninsured_imputed"]


def test_people_by_hand(census: IterTables) -> None:
    table = localities(census)
    assert table["uninsured"].tolist() == [560, 70, 70, 500]  # 70 %, its municipality's 70 %, 70 %, capped at POBTOT
    assert table["unentitled"].tolist() == [240, 30, 30, 400]
    assert table["uninsured_imputed"].tolist() == [False, True, False, False]
    assert table["groups_imputed"].tolist() == [False, True, False, False]
    assert table["indigenous"].tolist() == [160, 20, 20, 100]
    assert table["women_15_49"].tolist() == [200, 25, 25, 125]
    assert table["flags"].isna().all()
    assert table["district"].isna().all()


def test_one_hidden_part_hides_the_sum_and_one_hidden_group_is_flagged(census: IterTables) -> None:
    people = census.localities.copy()
    people.loc["130010001", ["PDER_IMSSB", "POB_AFRO"]] = np.nan
    table = localities(replace(census, localities=people))
    assert table.loc["130010001", ["uninsured", "unentitled", "afro"]].tolist() == [560, 240, 40]
    assert table.loc["130010001", ["uninsured_imputed", "groups_imputed"]].tolist() == [True, True]


def test_a_municipality_hidden_itself_takes_the_share_of_the_state(census: IterTables) -> None:
    towns = census.municipalities.copy()
    towns.loc["13001", "PHOG_IND"] = np.nan
    state = census.state.copy()
    state["PHOG_IND"] = 600.0
    table = localities(replace(census, municipalities=towns, state=state))
    assert table.loc["130010002", "indigenous"] == pytest.approx(40)


def test_index_replica_imputation_and_origin(census: IterTables) -> None:
    table = localities(census)
    town = deprivation.index(deprivation.indicators(census.municipalities))
    assert table["irs_imputed"].tolist() == [False, True, True, False]
    assert (table["irs_origin"] == "derivado").all()
    assert table.loc["130010002", "irs"] == pytest.approx(town["13001"])
    assert np.isnan(table.loc["130010003", "not_in_school"])
    assert table.loc["130010003", "irs"] == pytest.approx(table.loc["130010001", "irs"])
    given = pd.DataFrame({"irs": [1.9, -2.0]}, index=["13001", "13002"])
    assert localities(census, municipal_index=given).loc["130010002", ["irs", "irs_grade"]].tolist() == [1.9, "Muy alto"]


def test_coneval_s_own_locality_index_comes_first(census: IterTables) -> None:
    index = pd.DataFrame({"irs": [0.7, np.nan], "irs_grade": ["Medio", None]}, index=["130010002", "130010003"])
    table = localities(census, locality_index=index)
    assert table["irs_origin"].tolist() == ["derivado", "dato", "derivado", "derivado"]
    assert table.loc["130010002", ["irs", "irs_grade", "irs_imputed"]].tolist() == [0.7, "Medio", False]
    assert table["irs_imputed"].tolist() == [False, False, True, False]
    assert (table["irs"].dtype, table["irs_imputed"].dtype) == (np.float64, np.bool_)


def test_catalogue_districts_and_places(census: IterTables) -> None:
    blank = census.localities.copy()
    blank.loc["130010001", ["lon", "lat", "altitude_m"]] = np.nan
    gap = replace(census, localities=blank)
    with pytest.raises(DataError, match=r"sin coordenadas 1 \(130010001\); agregue el catálogo"):
        localities(gap)
    place = {"entity_name": "Hidalgo", "cve_mun": "13001", "municipality": "Uno", "name": "Nueva", "lon": -98.5, "lat": 20.2,
             "altitude_m": 2000.0, "status": None}
    catalogue = pd.DataFrame([place | {"population": p} for p in (900.0, 10.0, 0.0, np.nan)],
                             index=["130010001", "130010004", "130010005", "130010006"])
    table = localities(gap, catalogue=catalogue, districts=pd.Series({"13001": "Norte"}))
    assert list(table.index) == ["130010001", "130010002", "130010003", "130010004", "130020001"]
    assert table.loc["130010001", ["lon", "lat", "altitude_m"]].tolist() == [-98.5, 20.2, 2000.0]
    assert table.loc["130010004", ["population", "uninsured", "uninsured_imputed", "irs_imputed"]].tolist() == [10, 7, True, True]
    assert table["district"].tolist()[:4] == ["Norte"] * 4
    assert table["district"].isna().tolist() == [False] * 4 + [True]
    assert np.isnan(gap.localities.loc["130010001", "lon"])


def test_a_total_that_does_not_add_up_is_found(census: IterTables) -> None:
    _, findings = locality_table(replace(census, localities=census.localities.drop("130010003")), None, None, None, None, None)
    assert [(f.where, f.examples) for f in findings if f.code == "total_no_cuadra"] == [("municipios", ("13001",))]


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:2229", "nada"])
def test_crs_must_be_projected_metres(census: IterTables, crs: str) -> None:
    with pytest.raises(SettingsError, match="EPSG:32614"):
        localities(census, crs=crs)


@pytest.mark.parametrize("name", ["t.csv", "t.parquet", "t.gpkg"])
@pytest.mark.parametrize("spanish", [False, True])
def test_canonical_tables_come_back_as_they_were(tmp_path: Path, name: str, spanish: bool) -> None:
    table = valley.region().localities
    out = pd.DataFrame(table.drop(columns="geometry")).reset_index()
    out = out.rename(columns=columns.export_names(schema.LOCALITIES)) if spanish else out
    if name == "t.gpkg":
        gpd.GeoDataFrame(out, geometry=table.geometry.to_numpy(), crs=table.crs).to_file(tmp_path / name)
    elif name == "t.parquet":
        out.to_parquet(tmp_path / name)
    else:
        out.sample(frac=1, random_state=1).to_csv(tmp_path / name, index=False)
    got, findings = read_canonical_localities(tmp_path / name, "99", valley.CRS)
    assert findings == ()
    assert got.geometry.distance(table.geometry).max() < 1e-3
    pd.testing.assert_frame_equal(pd.DataFrame(got.drop(columns="geometry")), pd.DataFrame(table.drop(columns="geometry")),
                                  check_dtype=False)


def test_wrong_canonical_tables(tmp_path: Path) -> None:
    table = pd.DataFrame(valley.region().localities.drop(columns="geometry")).reset_index()

    def fault(changed: pd.DataFrame, entity: str = "99") -> str:
        changed.to_csv(tmp_path / "t.csv", index=False)
        with pytest.raises(DataError) as caught:
            read_canonical_localities(tmp_path / "t.csv", entity)
        return str(caught.value)

    assert "faltan las columnas population o pobtot, afro o pob_afromexicana;" in fault(table.drop(columns=["population", "afro"]))
    assert "«cvegeo» repetida: 1 (990010001)" in fault(pd.concat([table, table.iloc[:1]]))
    assert "no trae ninguna localidad de la entidad 13" in fault(table, "13")
    assert "«population» es menor que lo admitido: 1 casos (990010001)" in fault(table.assign(population=[-1, 2, 3, 4, 5, 6]))
    assert "«population» debe ser un entero" in fault(table.assign(population=0.5))
    assert "intercambiadas en 6" in fault(table.rename(columns={"lon": "lat", "lat": "lon"}))
    assert "«irs_grade» tiene valores desconocidos" in fault(table.assign(irs_grade="Regular"))
    assert "sin coordenadas 6" in fault(table.assign(lon=None))
    bare = table.drop(columns=["cve_mun", "district", "irs_imputed", "groups_imputed", "uninsured_imputed", "irs_origin", "flags"])
    bare.to_csv(tmp_path / "t.csv", index=False)
    got, _ = read_canonical_localities(tmp_path / "t.csv", "99")
    assert got["cve_mun"].tolist() == table["cve_mun"].tolist()
    assert not got["irs_imputed"].any()
