"""The files of a regionalization: recounted from themselves, they give the numbers that are told; each thing stands in one place."""

import json
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely
import valley

from planner.assumptions import Regional
from planner.errors import DataError
from planner.outputs.folder import write_run
from planner.outputs.geofiles import read_layer
from planner.outputs.layers import dictionary, layers
from planner.outputs.regional import FILES, LAYERS, regional_files
from planner.outputs.regionaltold import regional_indicators, regional_tables
from planner.outputs.tables import summary_tables
from planner.scenarios import Run, regionalized

A, B, C, D, E, F = valley.PLACES
ONE, TWO, MOBILE, HOSPITAL = valley.FACILITIES
TOWN = {A: "99001", F: "99001", B: "99002", C: "99002", D: "99003", E: "99004"}
CHOSEN = (f"nucleo-{ONE}", f"umm-{TWO}-1", f"umr-{F}")


def quartered(run: Run) -> Run:
    """The valley cut in four municipalities, west and east, north and south, whose groups of today are west and east."""
    west, north = valley.ORIGIN
    east, south, middle, waist = west + 10_000, north - 6_000, west + 5_000, north - 3_000
    shapes = [shapely.box(west, waist, middle, north), shapely.box(middle, waist, east, north),
              shapely.box(west, south, middle, waist), shapely.box(middle, south, east, waist)]
    keys = pd.Index(["99001", "99002", "99003", "99004"], name="cve_mun")
    towns = gpd.GeoDataFrame({"name": ["Uno", "Dos", "Tres", "Cuatro"], "irs": 0.0, "irs_grade": "Medio",
                              "district": ["Poniente", "Oriente", "Poniente", "Oriente"]}, index=keys, geometry=shapes, crs=valley.CRS)
    def moved(table: Any) -> Any:
        return table.assign(cve_mun=[TOWN[c] for c in table.index], municipality="x")
    units = run.region.units.assign(cve_mun=["99001", "99002", "99001", "99004"])
    table = pd.DataFrame({"clues": [ONE, TWO, HOSPITAL], "year": 2024, "people": [500.0, 300.0, 9.0], "target": [1000.0, np.nan, np.nan]})
    region = replace(run.region, localities=moved(run.region.localities), municipalities=towns, units=units,
                     community=valley.community(), served=table)
    return replace(run, region=region, outcome=replace(run.outcome, localities=moved(run.outcome.localities),
                                                       units=run.outcome.units.assign(cve_mun=units["cve_mun"])))


@pytest.fixture(scope="module")
def run(computed: Any) -> Run:
    question = {"regional": Regional(districts=2, district_tolerance=5.0), "capacity_people_per_nucleo": 600.0}
    return regionalized(quartered(computed(*CHOSEN, **question)))


@pytest.fixture(scope="module")
def folder(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("valle")
    (home / "manifest.json").write_text("{}")
    write_run(home / "run", run, home, elapsed_s=0)
    return home / "run"


def read(folder: Path, name: str) -> pd.DataFrame:
    keys = dictionary().query("capa == @name and tipo == 'text'")["campo"]
    return pd.read_csv(folder / f"{name}.csv", dtype=dict.fromkeys(keys, "str"))


def told(folder: Path) -> Any:
    return json.loads((folder / "indicadores.json").read_text(encoding="utf-8"))


def test_every_table_is_there_with_the_fields_of_the_dictionary(folder: Path) -> None:
    fields = dictionary().groupby("capa")["campo"].agg(list)
    for name, tables in FILES.items():
        expected = [tables[0].key.export, *(c.export for t in tables for c in t.columns)]
        assert read(folder, name).columns.tolist() == expected
        assert set(expected) <= set(fields[name])
        text = (folder / f"{name}.csv").read_text(encoding="utf-8")
        assert not {"inf", "-inf", "nan", "NaN", "None", "<NA>"} & set(text.replace("\n", ",").split(",")), name


def test_universes_hold_each_locality_once_and_sum_to_everybody(folder: Path, run: Run) -> None:
    places, parts, units = read(folder, "universo"), read(folder, "universo_partes"), read(folder, "universo_unidades")
    layer, numbers = read_layer(folder, "localidades"), told(folder)
    assert places["cvegeo"].tolist() == layer.index.tolist()
    assert places["lugar"].fillna("").tolist() == layer["unidad_trabajo"].fillna("").tolist()
    assert places["poblacion"].tolist() == layer["poblacion"].tolist()
    np.testing.assert_allclose(parts.groupby("cvegeo")["parte"].sum(), 1.0)
    np.testing.assert_allclose(parts.groupby("cvegeo")["poblacion"].sum(), places["poblacion"])
    attended = parts.groupby("lugar")["poblacion"].sum().reindex(units["lugar"], fill_value=0.0)
    np.testing.assert_allclose(attended, units["poblacion"])
    assert places["lugar"].value_counts().reindex(units["lugar"], fill_value=0).tolist() == units["localidades"].tolist()
    work = numbers["regionalizacion"]["universo"]
    assert work["personas"] == pytest.approx(numbers["total"]["actual"]["poblacion"])
    assert work["personas_sin_lugar"] == pytest.approx(units["sin_lugar"].sum()) == pytest.approx(places["sin_lugar"].sum())
    assert work["personas_sin_lugar"] > 0  # the valley has too little room
    assert work["solucion"]["valor"] == pytest.approx(work["solucion"]["cota"])
    assert sum(block["personas"] for block in work["cambio"].values()) == pytest.approx(work["personas"])
    was = run.access.shares.set_index(["cvegeo", "clues"])["share"]
    now = parts.dropna(subset="lugar").set_index(["cvegeo", "lugar"])["parte"]
    staying = pd.concat([was, now.rename_axis(was.index.names)], axis=1).min(axis=1, skipna=False).groupby("cvegeo").sum()
    assert set(was.index.get_level_values(0)) == set(places["cvegeo"])  # somebody answers for each today
    kept = (staying.reindex(places["cvegeo"], fill_value=0.0).to_numpy() * places["poblacion"]).sum()
    assert 0 < work["personas_que_cambian"] < work["personas"]
    assert work["personas_que_cambian"] == pytest.approx(work["personas"] - kept)
    moved = read(folder, "reasignaciones").set_index("cvegeo")
    assert len(moved) == work["localidades_que_cambian"]
    np.testing.assert_allclose(moved["cambio_min"], moved["min_propuesta"] - moved["min_hoy"])
    assert moved["a"].fillna("").tolist() == places.set_index("cvegeo").loc[moved.index, "lugar"].fillna("").tolist()


def test_what_the_community_organises_is_counted_in_its_universe(folder: Path) -> None:
    places, units = read(folder, "universo").set_index("cvegeo"), read(folder, "universo_unidades").set_index("lugar")
    for cvegeo, helpers in ((B, 1), (F, 2)):
        assert units.loc[places.loc[cvegeo, "lugar"], "auxiliares"] >= helpers
    assert units["auxiliares"].sum() == 3


def test_each_unit_stands_in_one_network_and_one_zone(folder: Path, run: Run) -> None:
    network, hospitals, rounds, zones = (read(folder, name) for name in ("redes", "redes_hospitales", "zonas_unidades", "zonas"))
    assert network["clues"].tolist() == sorted([ONE, TWO, MOBILE, f"umr-{F}"])
    assert dict(zip(network["clues"], network["tipo"], strict=True)) == {
        ONE: "unidad", TWO: "unidad", MOBILE: "movil", f"umr-{F}": "propuesta"}
    assert hospitals["poblacion"].tolist() == pytest.approx([network["poblacion"].sum() + hospitals["poblacion_propia"].sum()])
    fixed = network[network["tipo"] != "movil"]
    assert rounds["clues"].tolist() == fixed["clues"].tolist()
    assert rounds["zona"].tolist() == fixed["zona"].tolist()
    assert network.loc[network["tipo"] == "movil", "zona"].isna().all()
    by = rounds.groupby("zona")
    assert by.size().tolist() == zones["unidades"].tolist()
    np.testing.assert_allclose(by["min_siguiente"].sum(), zones["min_ronda"], atol=1e-6)
    np.testing.assert_allclose(by["poblacion"].sum(), zones["poblacion"])
    assert rounds.loc[rounds["orden"] == 1, "clues"].sort_values().tolist() == zones["clues_sede"].sort_values().tolist()
    layer, units = read_layer(folder, "zonas"), read_layer(folder, "unidades")
    assert [len(points.geoms) for points in layer.geometry] == zones["unidades"].tolist()
    assert units["zona_supervision"].dropna().to_dict() == fixed.set_index("clues")["zona"].drop(f"umr-{F}").to_dict()
    assert units["clues_hospital_red"].dropna().to_dict() == dict.fromkeys((ONE, TWO, MOBILE), HOSPITAL)
    supports = read(folder, "redes_apoyos")
    assert supports.to_numpy().tolist() == [[f"umm-{TWO}-1", "umm", TWO, HOSPITAL]]
    assert told(folder)["regionalizacion"]["redes"]["unidades"] == len(network) == len(run.regional.networks.units)  # type: ignore[union-attr]


def test_the_numbers_of_networks_are_those_that_were_found(run: Run) -> None:
    assert run.regional is not None
    net = run.regional.networks
    found = net.units.assign(nearest_min=net.units["minutes"] - 1.5, rain_min=2 * net.units["minutes"], fits=[False, True, True, True])
    other = replace(run, regional=replace(run.regional, networks=replace(net, units=found)))
    table = pd.read_csv(BytesIO(regional_files(other)["redes.csv"])).set_index("clues")
    for field, name in (("minutos", "minutes"), ("min_hospital_cercano", "nearest_min"), ("min_lluvias", "rain_min"),
                        ("clues_hospital_lluvias", "rain_hospital"), ("clues_hospital_cercano", "nearest"), ("cabe", "fits")):
        assert table[field].tolist() == found[name].tolist(), field


def test_units_beyond_the_capacity_of_hospitals_are_counted_and_warned_of(run: Run) -> None:
    tight = run.scenario.regional.model_copy(update={"hospital_people_max": 2000.0})
    other = regionalized(replace(run, scenario=run.scenario.model_copy(update={"regional": tight})))
    table, hospitals = (pd.read_csv(BytesIO(regional_files(other)[f"{name}.csv"])) for name in ("redes", "redes_hospitales"))
    over = table[~table["cabe"]]
    numbers = regional_indicators(other)["regionalizacion"]
    assert 0 < len(over) < len(table)
    assert numbers["redes"]["unidades_sobre_capacidad"] == len(over)
    assert numbers["redes"]["personas_sobre_capacidad"] == pytest.approx(over["poblacion"].sum())
    assert hospitals["personas_sobre_capacidad"].sum() == pytest.approx(over["poblacion"].sum())
    assert numbers["redes"]["hospitales_sobre_capacidad"] == 1
    assert any(f"no caben en ningún hospital y van al más cercano, sobre su capacidad: {len(over)} (" in text for text in numbers["avisos"])


def test_the_lines_of_networks_join_each_unit_and_its_hospital(folder: Path, run: Run) -> None:
    lines, table = read_layer(folder, "redes"), read(folder, "redes").set_index("clues")
    assert lines.index.tolist() == table.index[table["clues_hospital"].notna()].tolist()
    assert lines["minutos"].tolist() == table.loc[lines.index, "minutos"].tolist()
    way = lines.geometry.to_crs(run.region.crs)
    for unit, line in way.items():
        ends = [shapely.Point(line.coords[end]) for end in (0, -1)]
        there = run.region.localities.geometry[F] if unit == f"umr-{F}" else run.region.units.geometry[unit]
        assert ends[0].distance(there) < 1
        assert ends[1].distance(run.region.units.geometry[HOSPITAL]) < 1


def test_a_unit_without_hospital_has_no_line_and_keeps_its_row(run: Run) -> None:
    found = run.regional
    assert found is not None
    units = found.networks.units.copy()
    units.loc[ONE, ["hospital", "nearest", "rain_hospital"]] = None
    units.loc[ONE, ["minutes", "nearest_min", "rain_min"]] = np.inf
    cut = replace(run, regional=replace(found, networks=replace(found.networks, units=units, lines=found.networks.lines.drop(ONE))))
    row = pd.read_csv(BytesIO(regional_files(cut)["redes.csv"])).set_index("clues").loc[ONE]
    assert row[["clues_hospital", "nombre_hospital", "minutos", "min_hospital_cercano", "min_lluvias"]].isna().all()
    made = layers(cut.region, cut.travel, cut.outcome, cut.plan, cut.scenario, cut.regional)
    assert ONE not in made["redes"].index


def test_districts_cover_each_municipality_once_and_say_what_they_are(folder: Path, run: Run) -> None:
    towns, layer, numbers = read(folder, "distritos_municipios"), read_layer(folder, "distritos"), told(folder)
    assert towns["cve_mun"].tolist() == run.region.municipalities.index.tolist()
    by = towns.groupby("distrito_id")
    assert by["cve_mun"].agg(", ".join).tolist() == layer["claves_municipios"].tolist()
    np.testing.assert_allclose(by["poblacion"].sum(), layer["poblacion"])
    np.testing.assert_allclose(layer["poblacion"] / layer["poblacion"].mean() - 1, layer["desvio_poblacion"], atol=1e-9)
    assert layer["pobtot"].sum() == numbers["poblacion_total"]
    whole = gpd.read_file(folder / "plan.gpkg", layer="distritos").set_index("distrito_id")
    assert set(whole.geom_type) == {"MultiPolygon"}
    assert (layer.geometry.is_valid & whole.geometry.is_valid).all()
    for district, rows in by:
        own = run.region.municipalities.geometry[rows["cve_mun"].tolist()]
        assert whole.geometry[district].symmetric_difference(own.union_all()).area < 1e-3
        assert (len(whole.geometry[district].geoms) == 1) == layer.loc[district, "contiguo"]
    measured = numbers["regionalizacion"]["distritos"]
    assert measured["propuesta"]["desvio_max"] == pytest.approx(layer["desvio_poblacion"].abs().max())
    assert measured["propuesta"]["numero"] == len(layer) == 2
    share = (layer["proporcion_cruce"] * layer["poblacion"]).sum() / layer["poblacion"].sum()
    assert measured["propuesta"]["proporcion_cruce"] == pytest.approx(share)
    today = towns.groupby("distrito_hoy")["poblacion"].sum()
    assert measured["hoy"]["numero"] == len(today) == 2
    assert measured["hoy"]["desvio_max"] == pytest.approx((today / today.mean() - 1).abs().max())
    assert measured["hoy"]["desvio_max"] != measured["propuesta"]["desvio_max"]
    assert measured["municipios_que_cambian"] == towns["cambia"].sum()
    assert measured["reglas_rotas"] == []
    assert measured["prueba"] == "factible"


def test_the_blocks_of_proposed_districts_are_recounted_from_the_localities(folder: Path) -> None:
    layer, numbers = read_layer(folder, "localidades"), told(folder)
    blocks = numbers["por_distrito_propuesto"]
    assert list(blocks) == sorted(layer["distrito_propuesto"].unique())
    for key, rows in layer.groupby("distrito_propuesto"):
        for moment, end in (("actual", ""), ("plan", "_plan")):
            block, people = blocks[key][moment], rows["poblacion"]
            assert block["poblacion"] == pytest.approx(people.sum())
            assert block["dentro_60"] == pytest.approx(people[rows[f"min_primer_nivel{end}"] <= 60].sum())
            assert block["hospital_120"] == pytest.approx(people[rows[f"min_hospital{end}"] <= 120].sum())
            assert block["brecha_ponderada"] == pytest.approx(rows[f"brecha_ponderada{end}"].sum())
    for moment, block in numbers["total"].items():
        assert all(set(part[moment]) == set(block) for part in blocks.values())
        for field in ("poblacion", "dentro_30", "hospital_120", "personas_equiv", "con_servicio", "localidades"):
            assert sum(part[moment][field] for part in blocks.values()) == pytest.approx(block[field])


def test_agreement_people_served_and_hosts_are_told(folder: Path) -> None:
    agreed, numbers = read(folder, "concordancia"), told(folder)
    for rule, rows in agreed.groupby("regla"):
        assert rows["localidades"].sum() == len(valley.PLACES)
        assert rows["poblacion"].sum() == pytest.approx(numbers["total"]["actual"]["poblacion"])
        assert numbers["regionalizacion"]["concordancia"][rule]["coincide"]["localidades"] == rows["localidades"].iloc[0]
    served, units = read(folder, "atendida").set_index(["nivel", "clave"]), read(folder, "universo_unidades").set_index("lugar")
    assert served.loc[("unidad", ONE), "pa_po"] == pytest.approx(500 / units.loc[ONE, "poblacion"])
    assert served.loc[("unidad", ONE), "pa_po_publicada"] == 0.5
    assert pd.isna(served.loc[("unidad", HOSPITAL), "pa_po"])
    hosts, best = read(folder, "jornadas"), read(folder, "jornadas_sedes")
    assert hosts[["clues", "orden"]].to_numpy().tolist() == [[HOSPITAL, 1]]
    assert best[["sedes", "clues_sedes", "probado"]].to_numpy().tolist() == [[1, HOSPITAL, True]]
    assert best["personas_mejor"].tolist() == hosts["poblacion"].tolist() == hosts["personas_suma"].tolist()


def test_two_writes_are_the_same_bytes_and_nothing_given_is_changed(folder: Path, run: Run, tmp_path: Path) -> None:
    again = regionalized(run)
    (tmp_path / "manifest.json").write_text("{}")
    write_run(tmp_path / "run", again, tmp_path, elapsed_s=9)
    names, others = ({str(p.relative_to(one)) for p in one.rglob("*") if p.is_file()} for one in (folder, tmp_path / "run"))
    assert names == others
    assert names >= {f"{name}.csv" for name in FILES} | {f"{name}.geojson" for name in LAYERS}
    assert [n for n in sorted(names) if (folder / n).read_bytes() != (tmp_path / "run" / n).read_bytes()] == ["manifest.json"]
    about = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["regionalizacion"]
    assert list(about) == ["distritos", "redes", "universo", "zonas"]
    assert set(about["distritos"]) == {"estado", "metodo", "valor", "cota", "brecha_relativa"}


def test_other_readers_find_the_layers_in_the_geopackage(folder: Path) -> None:
    kinds = dict(pyogrio.list_layers(folder / "plan.gpkg").tolist())
    assert {name: kinds[name] for name in LAYERS} == {"distritos": "MultiPolygon", "redes": "LineString", "zonas": "MultiPoint"}
    for name in LAYERS:
        both = gpd.read_file(folder / "plan.gpkg", layer=name), gpd.read_file(folder / f"{name}.geojson")
        assert len(both[0]) == len(both[1]) > 0
        assert list(both[0].columns) == list(both[1].columns)


def test_without_a_regionalization_its_files_lack_and_its_fields_are_null(run: Run) -> None:
    bare = replace(run, regional=None, region=replace(run.region, served=None))
    assert (regional_files(bare), regional_indicators(bare), regional_tables(bare)) == ({}, {}, {})
    made = layers(bare.region, bare.travel, bare.outcome, bare.plan, bare.scenario)
    assert not set(made) & set(LAYERS)
    assert made["localidades"][["unidad_trabajo", "distrito_propuesto"]].isna().all(axis=None)
    assert made["unidades"][["distrito_propuesto", "clues_hospital_red", "zona_supervision"]].isna().all(axis=None)


def test_tables_that_the_region_does_not_give_are_not_written(run: Run) -> None:
    found = run.regional
    assert found is not None
    bare = replace(run, region=replace(run.region, served=None), regional=replace(found, agreement=None))
    assert {f"{name}.csv" for name in FILES} - set(regional_files(bare)) == {"atendida.csv", "concordancia.csv"}
    assert regional_indicators(bare)["regionalizacion"]["concordancia"] is None


def test_a_district_without_polygon_is_null_and_read_back(run: Run, tmp_path: Path) -> None:
    found = run.regional
    assert found is not None
    table = found.districts.table.copy()
    table.geometry = [None, table.geometry.iloc[1]]
    cut = replace(run, regional=replace(found, districts=replace(found.districts, table=table)))
    (tmp_path / "manifest.json").write_text("{}")
    write_run(tmp_path / "run", cut, tmp_path, elapsed_s=0)
    assert read_layer(tmp_path / "run", "distritos").geometry.isna().tolist() == [True, False]
    assert gpd.read_file(tmp_path / "run/plan.gpkg", layer="distritos").geometry.isna().tolist() == [True, False]


def test_a_broken_table_is_refused_in_words(run: Run) -> None:
    found = run.regional
    assert found is not None
    wrong = found.districts.members.assign(people=-1.0)
    with pytest.raises(DataError, match=r"distritos_municipios\.csv: «people» es menor que lo admitido: 4 casos"):
        regional_files(replace(run, regional=replace(found, districts=replace(found.districts, members=wrong))))


def test_the_screen_tells_it_in_few_rows_and_warns(run: Run) -> None:
    found = summary_tables(run)
    own = {title: found[title] for title in regional_tables(run)}
    assert [title.split(":")[0].split(",")[0] for title in own] == [
        "Distritos", "Distritos que se proponen", "Redes de referencia y zonas de supervisión", "Universo de trabajo", "Regionalización",
        "Tabla oficial y universos de trabajo de hoy", "Jornadas quirúrgicas", "Avisos de la regionalización"]
    assert all(0 < len(table) <= 12 for table in own.values())
    warnings = own["Avisos de la regionalización"]["Aviso"].tolist()
    lacking = run.regional.universe.unplaced  # type: ignore[union-attr]
    assert warnings[0].startswith(f"Universo de trabajo: {lacking:,.0f} personas sin lugar, ")
    assert all(sentence.endswith(".") for sentence in warnings)


@pytest.mark.parametrize("rule", ["cercania", "huff"])
def test_other_rules_of_universes_are_written_too(run: Run, rule: str) -> None:
    scenario = run.scenario.model_copy(update={"regional": run.scenario.regional.model_copy(update={"assignment": rule})})
    other = regionalized(replace(run, scenario=scenario))
    numbers = regional_indicators(other)["regionalizacion"]["universo"]
    assert numbers["regla"] == rule
    assert (numbers["solucion"] is None) == (rule == "huff")
    parts = pd.read_csv(BytesIO(regional_files(other)["universo_partes.csv"]))
    assert parts["poblacion"].sum() == pytest.approx(numbers["personas"])
    assert regional_tables(other)
