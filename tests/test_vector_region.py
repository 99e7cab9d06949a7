"""A made-up state of vector roads, relief, a river and people outside its villages, through the command line and by hand.

Metres from a corner; the ground climbs 5 m in every hundred to the east. Units U (first level) and H (hospital) stand on a paved road that
crosses the river on a bridge; F stands in a ring of water that only a ford crosses, M beside a motorway, S at the end of a one-way street,
T at the end of a track, A on the road beyond the river.

    y = 4150                            M
    y = 4050    +====motorway================================
    y = 3050    * 25 people                                      [F]
                |                                  river          |  (ford)
    y = 1050    +---------------- H ----- U ---------)(----- A ---+
                                  |       | (one way)
    y = -950           T - track -+ ----- S
         x = -2950    -950       50     1050      2000     3050  4050
"""

import json
import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import pytest
import shapely
from small_iter import COUNTS, KEYS, PLACE, row

from planner import cli
from planner.outputs.geofiles import geojson
from planner.outputs.report import report_of
from planner.scenarios import run_scenario
from planner.settings import Scenario, load_scenario
from planner.sources.rasters import write_raster
from planner.store import read_region
from planner.travel.times import compute_travel

ROOT = Path(__file__).parents[1]
Planner = Callable[..., tuple[int, str, str]]
CRS, EAST, NORTH = "EPSG:32614", 550_000.0, 2_230_000.0
A, F, M, S, T = (f"13001000{i}" for i in range(1, 6))
PLACES = {A: (3050, 1050), F: (4050, 3050), M: (1050, 4150), S: (1050, -950), T: (-950, -950)}
UNITS = {"HGIMB000011": (1050, 1050, 1, "RURAL DE 01 NÚCLEO BÁSICO"), "HGIMB000023": (50, 1050, 2, "HOSPITAL GENERAL")}
UNIT, HOSPITAL = UNITS
RIVER = [shapely.LineString([(2000, -20_000), (2000, 20_000)]), shapely.box(3500, 2500, 4500, 3500).exterior]
TERTIARY, STREET = {"highway": "tertiary"}, {"highway": "residential"}
WAYS = {
    1: ([(50, 1050), (1050, 1050), (1850, 1050)], TERTIARY), 2: ([(1850, 1050), (2150, 1050)], TERTIARY | {"bridge": "yes"}),
    3: ([(2150, 1050), (3050, 1050), (4050, 1050)], TERTIARY),
    4: ([(4050, 1050), (4050, 2450), (4050, 2500), (4050, 2550), (4050, 3050)], STREET),
    5: ([(-2950, 4050), (1050, 4050), (3050, 4050)], {"highway": "motorway"}),
    6: ([(-2950, 4050), (-2950, 1050), (50, 1050)], TERTIARY),
    7: ([(1050, 1050), (1050, -950)], STREET | {"oneway": "yes"}), 8: ([(1050, -950), (50, -950), (50, 1050)], STREET),
    9: ([(50, -950), (-950, -950)], {"highway": "track"}),
}
FORD = (4050, 2500)
DEM = (-10_000, 10_000)  # both tiles together, both ways
REGION = """name = "Vectorial"
entity = "13"
crs = "EPSG:32614"
synthetic = true
[localities]
iter = "iter_13_2020.csv"
[units]
files = ["clues_202501.csv"]
[roads]
osm = "caminos.osm"
[terrain]
dem = ["a.tif", "b.tif"]
barriers = "rio.gpkg"
cell_m = 100
[population]
raster = "gente.tif"
"""
FLAT = 10 / math.exp(-3.5 * 0.05)  # minutes per kilometre on foot along a road, as Tobler walks it
DOWN, UP = 10.0, 10 / math.exp(-3.5 * 0.10)  # westward and eastward
PAVED, TOWN, TRACK = 60 / 50, 60 / 30, 60 / 20  # minutes per kilometre by vehicle


def degrees(x: float, y: float) -> tuple[float, float]:
    lon, lat = pyproj.Transformer.from_crs(CRS, 4326, always_xy=True).transform(EAST + x, NORTH + y)
    return round(lon, 8), round(lat, 8)


def write_osm(path: Path, ways: dict[int, Any]) -> None:
    number = {point: i for i, point in enumerate(sorted({p for points, _ in ways.values() for p in points}), 1)}
    body = []
    for point, i in number.items():
        lon, lat = degrees(*point)
        ford = '<tag k="ford" v="yes"/>' if point == FORD else ""
        body.append(f'<node id="{i}" version="1" lon="{lon}" lat="{lat}">{ford}</node>')
    for way, (points, tags) in ways.items():
        told = "".join(f'<nd ref="{number[p]}"/>' for p in points) + "".join(f'<tag k="{k}" v="{v}"/>' for k, v in tags.items())
        body.append(f'<way id="{way}" version="1">{told}</way>')
    path.write_text("<osm version='0.6'>" + "\n".join(body) + "</osm>", encoding="utf-8")


def write_raster_of(path: Path, value: Callable[[np.ndarray, np.ndarray], Any], west: float, east: float, *, cell: float = 50,
                    south: float = DEM[0], north: float = DEM[1]) -> None:
    """The value at the centre of each cell, by its metres east and north."""
    x, y = np.meshgrid(np.arange(west + cell / 2, east, cell), np.arange(north - cell / 2, south, -cell))
    values = np.broadcast_to(np.asarray(value(x, y), np.float32), x.shape)
    write_raster(path, np.ascontiguousarray(values), (cell, 0, EAST + west, 0, -cell, NORTH + north), CRS, np.nan)


def hill(x: np.ndarray, _: np.ndarray) -> np.ndarray:
    return 2000 + 0.05 * x


def write_census(path: Path) -> None:
    places = []
    for cvegeo, at in PLACES.items():
        lon, lat = degrees(*at)
        places.append(row("001", cvegeo[5:], 100, str(lon), str(lat)))
    table = pd.DataFrame([row("000", "0000", 500), row("001", "0000", 500), *places], dtype="str")
    table[[*KEYS, *PLACE, *COUNTS]].to_csv(path, index=False)


def write_units(path: Path, units: dict[str, Any]) -> None:
    rows = ["CLUES,CLAVE_INSTITUCION,NIVEL,LATITUD,LONGITUD,NOMBRE_UNIDAD,TIPOLOGIA,ESTATUS,CVE_MUN,CVE_LOC"]
    for clues, (x, y, level, typology) in units.items():
        lon, lat = degrees(x, y)
        rows.append(f"{clues},IMB,{level},{lat},{lon},Unidad {clues},{typology},EN OPERACION,1,")
    path.write_text("\n".join(rows), encoding="utf-8")


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """The state's files in a folder of their own."""
    folder = tmp_path / "raw"
    folder.mkdir()
    (folder / "estado.toml").write_text(REGION, encoding="utf-8")
    write_census(folder / "iter_13_2020.csv")
    write_units(folder / "clues_202501.csv", UNITS)
    write_osm(folder / "caminos.osm", WAYS)
    write_raster_of(folder / "a.tif", hill, DEM[0], 1000)
    write_raster_of(folder / "b.tif", hill, 1000, DEM[1])
    write_raster_of(folder / "gente.tif", lambda x, y: 25.0 * ((x == -2950) & (y == 3050)), *DEM, cell=100)
    gpd.GeoSeries(RIVER, crs=CRS).translate(EAST, NORTH).to_file(folder / "rio.gpkg")
    return folder


@pytest.fixture
def planner(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Planner:
    """Call the command line in this process: exit code, standard output, standard error."""
    def call(*words: str | Path) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["planner", "--home", str(tmp_path / "home"), *map(str, words)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            cli.main()
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return int(end.value.code or 0), out, err
    return call


def rows_of(path: Path) -> dict[str, dict[str, Any]]:
    features = json.loads(path.read_text(encoding="utf-8"))["features"]
    return {f["properties"].get("cvegeo") or f["properties"]["clues"]: f["properties"] for f in features}


def ran(tmp_path: Path, **asked: Any) -> tuple[dict[str, dict[str, Any]], dict[str, Any]]:
    """Localities and indicators of a run on the prepared state, as its files would tell them."""
    prepared = tmp_path / "home/data/processed/vectorial"
    report = report_of(run_scenario(read_region(prepared), Scenario(**asked)), prepared)
    layer = json.loads(geojson(report.layers["localidades"]))
    return {f["properties"]["cvegeo"]: f["properties"] for f in layer["features"]}, dict(report.indicators)


def by_hand(rain: bool) -> dict[str, dict[str, float | None]]:
    """Minutes on foot to the unit, by vehicle to it and to the hospital; None where there is no way."""
    track = TRACK * (2 if rain else 1)
    off = FLAT / 0.6
    to_f = 2 * FLAT + 3 * DOWN
    return {
        A: {"a_pie": 2 * DOWN, "vehiculo": 2 * PAVED, "hospital": 3 * PAVED},
        F: {"a_pie": to_f, "vehiculo": 2 * TOWN + 3 * PAVED, "hospital": 2 * TOWN + 4 * PAVED} if not rain else dict.fromkeys(
            ("a_pie", "vehiculo", "hospital")),
        M: {"a_pie": 3.1 * off, "vehiculo": 3.1 * off, "hospital": 3.1 * off + PAVED},
        S: {"a_pie": 2 * FLAT, "vehiculo": 3 * TOWN + PAVED, "hospital": 3 * TOWN},
        T: {"a_pie": 2 * FLAT + 2 * UP, "vehiculo": track + 2 * TOWN + PAVED, "hospital": track + 2 * TOWN}}


def check_minutes(found: dict[str, dict[str, Any]], expected: dict[str, dict[str, float | None]]) -> None:
    for place, minutes in expected.items():
        told = {"a_pie": found[place]["min_primer_nivel_a_pie"], "vehiculo": found[place]["min_primer_nivel_vehiculo"],
                "hospital": found[place]["min_hospital_vehiculo"]}
        for what, value in minutes.items():
            assert told[what] == (None if value is None else pytest.approx(value, abs=0.02)), (place, what, told[what], value)


def test_the_whole_job_gives_the_minutes_worked_by_hand(files, planner, tmp_path):
    code, out, err = planner("prepare", files / "estado.toml")
    assert code == 0, err
    assert "SINTÉTICA" in out
    assert planner("run", "vectorial")[0] == 0
    folder = tmp_path / "home/runs/vectorial/base"
    found, told = rows_of(folder / "localidades.geojson"), json.loads((folder / "indicadores.json").read_text(encoding="utf-8"))
    check_minutes(found, by_hand(rain=False))
    assert {p.name for p in (tmp_path / "home/runs/vectorial/base").iterdir()} >= {
        "localidades.geojson", "unidades.geojson", "propuestas.geojson", "rutas.geojson", "areas_influencia.geojson", "referencias.geojson",
        "plan.gpkg", "indicadores.json", "manifest.json", "diccionario.csv", "calendario.csv", "calendario.ics",
        "opciones.csv"}
    assert told["red_vial"]["tramos_cerrados_en_la_temporada"] == 0
    assert told["red_vial"]["km_terraceria"] == pytest.approx(1.0, abs=1e-3)
    alone = told["poblacion_dispersa"]["total"]  # 25 people on the road in the west, two kilometres north and four west of the unit
    assert (alone["personas"], alone["fuera_umbral"], alone["sin_camino"]) == (25, 25, 0)
    assert alone["min_medio"] == pytest.approx(2 * FLAT + 4 * UP, abs=0.02)
    referral = rows_of(tmp_path / "home/runs/vectorial/base/referencias.geojson")[UNIT]
    assert referral["clues_hospital"] == HOSPITAL
    assert (referral["minutos"], referral["km"]) == (pytest.approx(PAVED, abs=0.02), pytest.approx(1.0, abs=0.01))


def test_the_rains_cut_off_who_lives_beyond_the_ford(files, planner, tmp_path):
    assert planner("prepare", files / "estado.toml")[0] == 0
    dry, _ = ran(tmp_path)
    wet, told = ran(tmp_path, **load_scenario(ROOT / "scenarios/lluvias.toml").model_dump())
    check_minutes(wet, by_hand(rain=True))
    assert dry[F]["min_hospital"] is not None
    assert wet[F]["min_primer_nivel"] is None
    assert wet[F]["cobertura"] == "sin cobertura" != dry[F]["cobertura"]
    assert told["red_vial"]["tramos_cerrados_en_la_temporada"] == 1  # from the vertex before the ford to that after it
    assert told["red_vial"]["km_cerrados_en_la_temporada"] == pytest.approx(0.1, abs=1e-3)
    open_, _ = ran(tmp_path, season="lluvias")  # rains that close nothing
    assert open_[F]["min_hospital_vehiculo"] == dry[F]["min_hospital_vehiculo"]


def test_without_the_bridge_the_river_parts_the_state(files, planner, tmp_path):
    write_osm(files / "caminos.osm", {way: drawn for way, drawn in WAYS.items() if way != 2})
    assert planner("prepare", files / "estado.toml")[0] == 0
    hand = by_hand(rain=False)
    nothing = dict.fromkeys(hand[A])
    check_minutes(ran(tmp_path)[0], hand | {A: nothing, F: nothing})


def test_teams_go_the_other_way(files, planner, tmp_path):
    """The one-way street leads from the unit to S; patients come back around."""
    assert planner("prepare", files / "estado.toml")[0] == 0
    region = read_region(tmp_path / "home/data/processed/vectorial")
    travel = compute_travel(region, Scenario(mode_first_level="vehiculo"))
    assert travel.bases.minutes(S, UNIT) == pytest.approx(2 * TOWN, abs=0.02)
    assert travel.first_level.minutes(S, UNIT) == pytest.approx(3 * TOWN + PAVED, abs=0.02)
    assert travel.moved.empty


def test_doctor_tells_what_is_odd(files, planner):
    code, out, _ = planner("doctor", files / "estado.toml")
    assert code == 0
    words = " ".join(out.split())
    assert "Tramos sin velocidad publicada" in words
    assert planner("doctor", files / "estado.toml")[1] == out


def findings(planner: Planner, files: Path, tmp_path: Path) -> dict[str, Any]:
    """What preparing tells, by code; the region is left prepared."""
    code, _, err = planner("prepare", files / "estado.toml")
    assert code == 0, err
    return {f.code: f for f in read_region(tmp_path / "home/data/processed/vectorial").findings}


def test_roads_beyond_the_grid_and_beyond_the_relief_are_told(files, planner, tmp_path):
    write_raster_of(files / "b.tif", hill, 1000, 8000)  # the grid ends at 9,100
    write_osm(files / "caminos.osm", WAYS | {10: ([(4050, 1050), (8950, 1050)], TERTIARY), 11: ([(8950, 1050), (30_000, 1050)], TERTIARY)})
    told = findings(planner, files, tmp_path)
    assert (told["camino_fuera_de_la_malla"].count, told["camino_fuera_de_la_malla"].examples) == (1, ("11",))
    assert set(told["camino_sin_terreno"].examples) == {"10", "11"}
    assert told["dem_vacios"].count == 11 * 152  # from 8,000 to 9,100 of a grid as high as its places and 5 km around
    check_minutes(ran(tmp_path)[0], by_hand(rain=False))


def test_voids_of_the_relief_are_told_and_not_crossed(files, planner, tmp_path):
    def holed(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return np.where((abs(x - 1050) < 550) & (y > 2000) & (y < 2200), np.nan, hill(x, y))

    for name, west, east in (("a.tif", DEM[0], 1000), ("b.tif", 1000, DEM[1])):
        write_raster_of(files / name, holed, west, east)
    told = findings(planner, files, tmp_path)
    assert told["dem_vacios"].count == 11 * 2
    assert "camino_sin_terreno" not in told
    around = ran(tmp_path)[0][M]["min_primer_nivel_a_pie"]
    assert around > by_hand(rain=False)[M]["a_pie"] + 1


def test_a_unit_in_the_sea_is_told_and_serves_nobody(files, planner, tmp_path):
    def coast(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return np.where((x < -3500) & (y < 6000), 0.0, hill(x, y))

    write_raster_of(files / "a.tif", coast, DEM[0], 1000)
    write_units(files / "clues_202501.csv", UNITS | {"HGIMB000035": (-5000, 1050, 1, "RURAL DE 01 NÚCLEO BÁSICO")})
    told = findings(planner, files, tmp_path)
    assert (told["celda_intransitable"].count, told["celda_intransitable"].examples) == (1, ("HGIMB000035",))
    assert told["dem_mar"].count > 100
    check_minutes(ran(tmp_path)[0], by_hand(rain=False))


def test_parts_apart_missing_speeds_and_lines_of_no_length_are_told(files, planner, tmp_path):
    eight = [(-2000, 2500), (-1000, 3500), (-1000, 2500), (-2000, 3500)]  # crosses itself, joins nothing
    still, twice = [(-4000, 3000), (-4000, 3000)], [(-2000, 2000), (-1500, 2000), (-1500, 2000), (-1000, 2000)]
    write_osm(files / "caminos.osm", WAYS | {20: (eight, STREET), 21: (still, STREET), 22: (twice, STREET | {"maxspeed": "40"})})
    told = findings(planner, files, tmp_path)
    assert told["red_en_partes"].count == 2
    assert (told["vias_sin_longitud"].count, told["vias_sin_longitud"].examples) == (1, ("21",))
    assert set(told["tramos_de_longitud_cero"].examples) == {"21", "22"}
    edges = read_region(tmp_path / "home/data/processed/vectorial").roads.edges
    assert told["sin_velocidad"].count == len(edges) - 1
    check_minutes(ran(tmp_path)[0], by_hand(rain=False))


def points_for_a_river(folder: Path) -> None:
    (folder / "rio.gpkg").unlink()
    gpd.GeoSeries([shapely.Point(EAST, NORTH)], crs=CRS).to_file(folder / "rio.gpkg")


def half(name: str) -> Callable[[Path], None]:
    def cut(folder: Path) -> None:
        whole = (folder / name).read_bytes()
        (folder / name).write_bytes(whole[: len(whole) // 2])
    return cut


def elsewhere(name: str) -> Callable[[Path], None]:
    def move(folder: Path) -> None:
        for tile in (name,) if name == "gente.tif" else ("a.tif", "b.tif"):
            write_raster_of(folder / tile, lambda x, _: 0 * x + 100.0, 60_000, 61_000)
    return move


FAULTS: dict[str, tuple[Callable[[Path], None], tuple[str, ...]]] = {
    "barriers that are points": (points_for_a_river, ("rio.gpkg", "ninguna línea ni polígono")),
    "truncated osm": (half("caminos.osm"), ("caminos.osm", "dañado")),
    "empty osm": (lambda f: (f / "caminos.osm").write_bytes(b""), ("caminos.osm",)),
    "osm without roads": (lambda f: write_osm(f / "caminos.osm", {1: ([(0, 0), (9, 9)], {"building": "yes"})}), ("caminos.osm", "highway")),
    "osm of another place": (lambda f: write_osm(f / "caminos.osm", {1: ([(90_000, 0), (91_000, 9)], STREET)}),
                             ("caminos.osm", "ninguna vía toca la región")),
    "truncated relief": (half("a.tif"), ("a.tif",)),
    "relief of another place": (elsewhere("a.tif"), ("a.tif", "ninguna altura")),
    "relief that misses the villages": (lambda f: write_raster_of(f / "b.tif", lambda x, _: x * np.nan, 1000, DEM[1]),
                                        ("localidades", "dato")),
    "people of another place": (elsewhere("gente.tif"), ("gente.tif", "población")),
    "people that are no people": (lambda f: write_raster_of(f / "gente.tif", lambda x, _: x - 1e5, *DEM, cell=100),
                                  ("gente.tif", "personas")),
    "truncated barriers": (half("rio.gpkg"), ("rio.gpkg",)),
    "missing osm": (lambda f: (f / "caminos.osm").unlink(), ("caminos.osm",)),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_wrong_input_is_one_sentence_and_nothing_half_written(fault, files, planner, tmp_path):
    spoil, words = FAULTS[fault]
    spoil(files)
    code, _, err = planner("prepare", files / "estado.toml")
    told = err.strip().splitlines()
    assert code == 1, err
    assert told[-1].startswith("Error: ")
    assert [w for w in words if w not in told[-1]] == [], told[-1]
    assert not [p for p in (tmp_path / "home").rglob("*") if p.is_file()]
    assert planner("doctor", files / "estado.toml")[0] == 1
