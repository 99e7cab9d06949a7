"""The demo region: the same bytes each time, read by every official reader, labelled synthetic, its planted faults found."""

import hashlib
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from python_calamine import CalamineWorkbook

from planner.decide.strengthen import vacant_posts
from planner.demo.files import write_demo
from planner.demo.terrain import least_cost, trace
from planner.errors import StorageError
from planner.model import STEPS, Region
from planner.region import prepare_region
from planner.regionfile import load_region_file
from planner.scenarios import Run, run_scenario
from planner.settings import Scenario, load_scenario
from planner.sources.coneval import read_municipal_index
from planner.sources.deprivation import grade, index, indicators
from planner.sources.inegi import read_iter
from planner.travel.times import compute_travel

RAINS = Path(__file__).parents[2] / "scenarios/lluvias.toml"


@pytest.fixture(scope="module")
def folder(demo_files: Path) -> Path:
    return demo_files


@pytest.fixture(scope="module")
def region(demo_region: Region) -> Region:
    return demo_region


@pytest.fixture(scope="module")
def run(region: Region, searches: Path) -> Run:
    return run_scenario(region, Scenario(), cache=searches)


def digests(folder: Path) -> dict[str, str]:
    return {p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(folder.rglob("*")) if p.is_file()}


def has(flags: pd.Series, code: str) -> set[str]:
    return set(flags.index[flags.str.split(",").map(lambda codes: isinstance(codes, list) and code in codes)])


def test_same_bytes_twice(folder: Path, tmp_path: Path) -> None:
    assert digests(write_demo(tmp_path / "otra").parent) == digests(folder)


def test_no_file_carries_todays_date(folder: Path) -> None:
    assert (folder / "limites/LIM_MUNICIPALES.dbf").read_bytes()[1:4] == bytes([125, 1, 1])  # years since 1900
    for book in folder.glob("*.xlsx"):
        with zipfile.ZipFile(book) as parts:
            assert b"2025-01-01T00:00:00Z" in parts.read("docProps/core.xml")
    with zipfile.ZipFile(folder / "iter_99_cpv2020_csv.zip") as parts:
        assert [i.date_time for i in parts.infolist()] == [(1980, 1, 1, 0, 0, 0)]


@pytest.mark.parametrize("seed", [7, 20250101])
def test_another_seed_is_another_region_that_also_prepares(folder: Path, tmp_path: Path, seed: int) -> None:
    other = write_demo(tmp_path / "otra", seed)
    assert digests(other.parent)["caminos.osm"] != digests(folder)["caminos.osm"]
    assert prepare_region(other).synthetic


def test_writing_again_replaces_only_a_demo(tmp_path: Path) -> None:
    first = write_demo(tmp_path / "demo")
    (first.parent / "sobrante.txt").write_text("x")
    assert not (write_demo(tmp_path / "demo").parent / "sobrante.txt").exists()
    foreign = tmp_path / "ajena"
    foreign.mkdir()
    (foreign / "tesis.docx").write_text("x")
    with pytest.raises(StorageError, match="no es una región de demostración"):
        write_demo(foreign)
    assert [p.name for p in foreign.iterdir()] == ["tesis.docx"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["ajena", "demo"]
    with pytest.raises(StorageError, match="No se puede escribir"):
        write_demo(foreign / "tesis.docx" / "demo")


def test_region_file_is_the_contract_and_its_slug_is_demo(folder: Path, region: Region) -> None:
    spec = load_region_file(folder / "demo.toml")
    assert (spec.name, spec.entity, spec.synthetic) == ("Demo", "99", True)
    assert (region.slug, region.synthetic, region.crs) == ("demo", True, "EPSG:32614")


def test_every_file_says_that_it_is_synthetic(folder: Path, region: Region) -> None:
    assert set(region.localities["entity_name"]) == {"Entidad sintética"}
    assert region.localities["district"].str.contains("sintético").all()
    slim = pd.read_csv(folder / "clues_202509_puntos_demo.csv")
    assert slim["FUENTE"].str.startswith("SINTÉTICO").all()
    assert "SINTÉTICA" in (folder / "demo.toml").read_text("utf-8")
    assert "SINTÉTICA" in (folder / "LEEME.txt").read_text("utf-8")
    for book in folder.glob("*.xlsx"):
        with zipfile.ZipFile(book) as parts:
            assert "SINTÉTICO" in parts.read("docProps/core.xml").decode()
            assert "SINTÉTICO" in parts.read("xl/sharedStrings.xml").decode()
    for layer in ("caminos.osm", "rios.geojson"):
        assert "DATO SINTÉTICO" in (folder / layer).read_text("utf-8")
    assert "SINT" in (folder / "limites/LIM_MUNICIPALES.dbf").read_bytes().decode("utf-8", "replace")


def test_census_travels_as_inegi_publishes_it(folder: Path) -> None:
    with zipfile.ZipFile(folder / "iter_99_cpv2020_csv.zip") as parts:
        (name,) = parts.namelist()
        raw = parts.read(name)
    assert name == "conjunto_de_datos/conjunto_de_datos_iter_99CSV20.csv"
    assert raw.startswith(b"\xef\xbb\xbfENTIDAD,NOM_ENT,MUN,NOM_MUN,LOC,NOM_LOC,LONGITUD,LATITUD,ALTITUD,POBTOT")
    tables = read_iter(folder / "iter_99_cpv2020_csv.zip", "99")
    people, towns = tables.localities["population"], tables.municipalities
    assert 400 <= len(people) <= 600
    assert tables.state["population"] == people.sum() == towns["population"].sum()
    assert people.groupby(tables.localities["cve_mun"]).sum().to_dict() == towns["population"].to_dict()
    counts = [c for c in towns if c not in ("entity_name", "municipality")]
    assert towns[counts].sum().to_dict() == tables.state[counts].to_dict()
    hidden = tables.localities["PSINDER"].isna()
    assert 20 <= hidden.sum() <= 100
    assert people[hidden].max() < 20
    assert tables.localities["lon"].between(-97.4, -96.4).all()  # open sea in the Gulf of Mexico
    assert tables.localities["lat"].between(22.9, 23.8).all()


def test_municipal_workbook_is_the_published_regression(folder: Path) -> None:
    published = read_municipal_index(folder / "IRS_entidades_mpios_2020.xlsx", "99")
    totals = read_iter(folder / "iter_99_cpv2020_csv.zip", "99").municipalities
    derived = index(indicators(totals))
    assert (published["irs"] - derived).abs().max() < 1e-6
    assert published["irs_grade"].tolist() == grade(derived).tolist()
    assert published["irs_grade"].nunique() >= 4
    assert CalamineWorkbook.from_path(str(folder / "IRS_entidades_mpios_2020.xlsx")).sheet_names == ["Estados", "Municipios"]


def test_catalogue_has_the_67_columns_and_closed_twins(folder: Path, region: Region) -> None:
    book = pd.read_excel(folder / "ESTABLECIMIENTO_SALUD_202501_demo.xlsx", engine="calamine")
    assert book.shape[1] == 67
    twins = book[book["CLAVE DE LA INSTITUCION"] == "SSA"]
    assert len(twins) == len(book) / 2
    assert set(twins["ESTATUS DE OPERACION"]) == {"FUERA DE OPERACION"}
    assert not twins["CLUES"].isin(region.units.index).any()  # a unit counts once
    assert region.units["previous_clues"].dropna().isin(twins["CLUES"]).all()


def test_units_of_every_kind(region: Region) -> None:
    units = region.units
    assert {"primer_nivel", "hospital", "movil", "ninguno"} == set(units["role"])
    classes = {"UMR", "centro_salud", "HR", "hospital_general", "hospital_integral", "UMM", "especialidad", "apoyo"}
    assert classes <= set(units["unit_class"])
    assert set(units.loc[units["unit_class"].eq("centro_salud"), "nuclei"]) >= {1, 2, 3}
    assert units.loc[units["name"].str.contains("PSIQUI"), "role"].tolist() == ["ninguno"]
    assert set(units.loc[units["institution"] == "SMP", "role"]) == {"ninguno"}
    assert region.circuits is not None
    assert (units.loc[region.circuits["clues"], "role"] == "movil").all()
    assert region.resources is not None
    unlisted = units.index[units["role"] == "primer_nivel"].difference(region.resources.index)
    assert set(unlisted) <= has(units["flags"], "movil_por_nombre")
    assert 5 <= (vacant_posts(region) > 0).sum() <= 20


def test_every_planted_fault_is_found(folder: Path, region: Region) -> None:
    faults = pd.read_csv(folder / "fallas_sembradas.csv", dtype=str).groupby("falla")["id"].agg(set).to_dict()
    table, units, places = region.responsibility, region.units["flags"], region.localities["flags"]
    assert table is not None
    parts = table["cvegeo"].value_counts()
    moved = compute_travel(region, Scenario()).moved.set_index("id")
    found = {
        "unidad_fuera_de_municipio": has(units, "fuera_de_municipio"), "unidad_lejos_de_localidad": has(units, "lejos_de_localidad"),
        "unidad_sin_estatus_ni_tipologia": has(units, "sin_clasificar") & has(units, "estatus_en_blanco"),
        "coordenadas_compartidas": has(units, "coordenada_compartida"),
        "unidad_en_agua": has(units, "celda_intransitable"), "localidad_en_agua": has(places, "celda_intransitable"),
        "responsable_dividido": set(parts.index[parts > 1]), "responsable_desconocido": set(table.loc[table["clues"].isna(), "cvegeo"]),
    }
    told = {f.code: set(f.examples) for f in region.findings}
    for code in ("clase_desconocida", "no_es_camino", "via_privada", "barrera_puntual", "recursos_en_blanco", "recursos_desconocidos",
                 "comunidad_fuera_del_censo", "atendida_desconocida"):
        found[code] = told[code]
    assert faults.pop("dem_vacios") < told["dem_vacios"]  # of the cells only two are shown
    assert found == faults
    astray = moved[moved["result"] == "movida"]
    assert faults["unidad_en_agua"] | faults["localidad_en_agua"] <= set(astray.index)
    assert (moved["result"] == "movida").all()
    assert has(places, "indice_imputado")
    assert {"fuera_de_municipio", "lejos_de_localidad", "estatus_en_blanco", "tipologia_en_blanco", "coordenada_compartida",
            "unidad_cerrada", "localidad_dividida", "responsable_desconocido", "responsable_movil", "indice_imputado",
            "poblacion_imputada", "sin_velocidad"} <= told.keys()
    assert not [f for f in region.findings if f.severity == "error"]


def test_the_community_and_the_people_served_are_told(folder: Path, region: Region) -> None:
    table, served = region.community, region.served
    assert table is not None
    assert served is not None
    assert table.index.tolist() == region.localities.index.tolist()
    assert 100 <= table["health_house"].notna().sum() <= 250
    assert table.drop(columns="health_house").notna().all(axis=None)
    fixed = region.units[region.units["role"] == "primer_nivel"]
    assert table.loc[table.index.isin(fixed["locality"]), "health_house"].isna().all()  # they do not stand in for a unit
    assert table.loc[table["health_house"].notna(), "auxiliaries"].min() >= 1
    assert sorted(served["year"].unique()) == [2022, 2023, 2024]
    assert (served.groupby("year").size() == served["clues"].nunique()).all()
    assert (served["people"] <= served["target"]).all()
    assert (served.pivot(index="clues", columns="year", values="people").diff(axis=1).iloc[:, 1:] >= 0).all(axis=None)
    raw = pd.read_csv(folder / "poblacion_atendida.csv")
    former = raw["CLUES"].str.contains("SSA").groupby(raw["ANIO"]).sum()
    assert former[2022] == former[2023] > former[2024] == 1  # the planted one
    assert region.municipalities["district"].nunique() == 3


def test_heavy_tail_and_deprivation_follows_remoteness(region: Region) -> None:
    places = region.localities
    tiny = places["population"] < 50
    assert tiny.mean() > 0.3
    assert places.loc[tiny, "population"].sum() < 0.03 * places["population"].sum()
    capital = places.loc[places["population"].idxmax()].geometry
    away = places.distance(capital)
    assert away.corr(places["irs"], method="spearman") > 0.6
    assert set(places["irs_grade"]) == {"Muy bajo", "Bajo", "Medio", "Alto", "Muy alto"}
    assert 150_000 <= places["uninsured"].sum() <= 300_000


def test_roads_are_of_every_kind_and_most_are_of_earth(region: Region) -> None:
    assert region.roads is not None
    edges = region.roads.edges
    km = edges["length_m"].groupby(edges["road_class"]).sum() / 1000
    assert set(km.index) == {"motorway", "primary", "secondary", "tertiary", "unclassified", "track", "path", "residential", "ferry"}
    assert km["track"] + km["unclassified"] > 0.4 * km.sum()
    assert (region.roads.nodes["component"] == 0).all()  # one network, but for what is planted
    motorway = edges[edges["road_class"] == "motorway"]
    assert (~motorway["board"] & motorway["toll"] & (motorway["forward"] != motorway["backward"])).all()
    assert edges.loc[edges["ferry"], "crossing_min"].tolist() == [15.0]


def test_water_stops_walkers_and_roads_cross_it_on_bridges_and_fords(region: Region) -> None:
    assert region.roads is not None
    assert region.barriers is not None
    assert region.grid.blocked is not None
    edges = region.roads.edges
    wet = edges.intersects(region.barriers.union_all())
    assert (edges.loc[wet, ["bridge", "ford", "ferry"]].sum(axis=1) == 1).all()
    assert min(edges["bridge"].sum(), edges["ford"].sum()) >= 5
    assert set(edges.loc[edges["ford"], "road_class"]) <= {"unclassified", "track", "path"}
    assert (region.grid.blocked == 2 ** len(STEPS) - 1).sum() > 200  # the reservoir


def test_people_by_cell_are_those_of_the_census_and_some_more(region: Region) -> None:
    assert region.grid.people is not None
    assert 1 < np.nansum(region.grid.people) / region.localities["population"].sum() < 1.05


def test_rains_close_fords_and_cut_places_off(region: Region, run: Run) -> None:
    dry, wet = run.travel.nearest, compute_travel(region, load_scenario(RAINS)).nearest
    later = {key: (wet[key]["minutes"] - dry[key]["minutes"]) for key in dry}
    assert all((minutes >= 0).all() for minutes in later.values())
    assert 5 <= (later["primer_nivel", "a_pie"] > 15).sum() <= 60  # on foot only the fords count
    cut = (dry["hospital", "vehiculo"]["minutes"] <= 120) & (wet["hospital", "vehiculo"]["minutes"] > 120)
    assert 1_000 < region.localities.loc[cut, "population"].sum() < 20_000


def test_base_scenario_tells_a_story(run: Run) -> None:
    numbers = run.outcome.indicators
    today, people = numbers["total"]["actual"], numbers["total"]["actual"]["poblacion"]
    assert 0.10 < 1 - today["dentro_60"] / people < 0.50
    assert 0.005 < 1 - today["hospital_120"] / people < 0.15
    assert numbers["unidades_saturadas"]["actual"] >= 5
    options = numbers["opciones_por_tipo"]
    assert {"umr", "nucleo", "umm", "brigada"} <= set(options)
    assert options["umr"]["numero"] >= 4
    chosen = numbers["plan"]
    assert {"umr", "nucleo", "umm", "brigada"} <= set(chosen["por_tipo"])
    assert chosen["costo_anual"] <= Scenario().budget_mxn_year
    assert numbers["total"]["plan"]["brecha_ponderada"] < 0.8 * today["brecha_ponderada"]


def test_a_small_budget_must_choose(region: Region, run: Run) -> None:
    small = run_scenario(region, Scenario(name="poco", budget_mxn_year=20e6)).outcome.indicators["plan"]
    assert 0 < small["numero"] < run.outcome.indicators["plan"]["numero"] / 2
    assert small["brecha_ponderada_cerrada"] < 0.7 * run.outcome.indicators["plan"]["brecha_ponderada_cerrada"]


def test_least_cost_follows_the_cheap_valley() -> None:
    cost = np.full((3, 5), 9.0)
    cost[2] = 1.0  # cheap bottom row
    minutes, back = least_cost(cost, 10, diagonal=False)
    assert trace(back, 14) == [14, 13, 12, 11, 10]
    assert minutes[2, 4] == 4.0
    assert minutes[0, 0] == pytest.approx(9 + 5)  # from 1 to 9: mean 5; from 9 to 9: 9
