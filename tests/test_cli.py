"""The commands as a user types them, on the demo region: the main job, and every kind of broken input told in one sentence."""

import io
import json
import shutil
import signal
import socket
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import valley
from rasterio.warp import transform_bounds

from planner import cli
from planner.access.gap import compute_access
from planner.commands.page import is_free
from planner.model import Region
from planner.regionfile import load_region_file
from planner.settings import Scenario
from planner.sources.rasters import load_grid, read_elevation, write_raster
from planner.store import TRAVEL_CACHE, read_region, write_region
from planner.travel.times import compute_travel

UNITS, SLIM = "ESTABLECIMIENTO_SALUD_202501_demo.xlsx", "clues_202509_puntos_demo.csv"
ITER, INDEX = "iter_99_cpv2020_csv.zip", "IRS_entidades_mpios_2020.xlsx"
FULL = "capacity_people_per_nucleo = 1000"  # then the valley's two units lack nuclei
Planner = Callable[..., tuple[int, str, str]]
ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def demo(demo_files: Path) -> Path:
    return demo_files


@pytest.fixture(scope="module")
def processed(demo_region: Region, searches: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo prepared once, with the travel that any test's run has kept."""
    folder = tmp_path_factory.mktemp("processed")
    write_region(demo_region, folder / "demo")
    searches.mkdir(exist_ok=True)
    (folder / TRAVEL_CACHE).symlink_to(searches)
    return folder


@pytest.fixture
def prepared(processed: Path, tmp_path: Path) -> Path:
    """A home of its own whose demo is prepared; what travel keeps is shared."""
    home = tmp_path / "home"
    shutil.copytree(processed / "demo", home / "data/processed/demo")
    (home / "data/processed" / TRAVEL_CACHE).symlink_to(processed / TRAVEL_CACHE)
    return home


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A home of its own with the hand-drawn valley prepared: for what any region shows, and a run takes two seconds."""
    home = tmp_path / "home"
    write_region(valley.region(), home / "data/processed/valle")
    return home


@pytest.fixture
def broken(demo: Path, tmp_path: Path) -> Path:
    """A copy of the demo's files that a test may spoil."""
    return Path(shutil.copytree(demo, tmp_path / "raw"))


@pytest.fixture
def planner(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Planner:
    """Call the command line in this process: exit code, standard output, standard error."""
    def call(*words: str | Path, home: Path | None = None) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["planner", "--home", str(home or tmp_path / "home"), *map(str, words)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            cli.main()
        out, err = capsys.readouterr()
        return int(end.value.code or 0), out, err
    return call


def test_the_main_job(planner: Planner, tmp_path: Path) -> None:
    home = tmp_path / "home"
    code, out, err = planner("demo")
    assert code == 0, err
    code, out, err = planner("prepare", home / "data/raw/demo/demo.toml")
    assert code == 0, err
    assert "SINTÉTICA" in out
    code, out, err = planner("run", "demo")
    assert code == 0, err
    run = home / "runs/demo/base"
    names = {p.name for p in run.iterdir()}
    assert names == {"localidades.geojson", "unidades.geojson", "propuestas.geojson", "rutas.geojson", "areas_influencia.geojson",
                     "referencias.geojson", "calendario.csv", "calendario.ics", "circuitos_hoy.csv",
                     "opciones.csv", "localidades.parquet", "plan.gpkg", "indicadores.json", "manifest.json", "diccionario.csv",
                     "distritos.geojson", "redes.geojson", "zonas.geojson", "universo.csv", "universo_partes.csv", "universo_unidades.csv",
                     "reasignaciones.csv", "concordancia.csv", "atendida.csv", "redes.csv", "redes_hospitales.csv", "redes_apoyos.csv",
                     "localidades_lejos_hospital.csv", "jornadas.csv", "jornadas_sedes.csv", "zonas.csv", "zonas_unidades.csv",
                     "distritos_municipios.csv", "plan.qgz", "plan.xlsx", "informe.html", "mapa.html", "atlas", "atencion.csv",
                     "fuentes.csv",
                     *(f"{name}.qml" for name in ("localidades", "unidades", "propuestas", "rutas", "areas_influencia", "referencias",
                                                  "distritos", "redes", "zonas"))}
    for title in ("Distritos: los de hoy y los que se proponen", "Redes de referencia y zonas de supervisión", "Universo de trabajo",
                  "Regionalización: qué está probado", "Avisos de la regionalización"):
        assert title in out
    before = {str(p.relative_to(run)): p.read_bytes() for p in run.rglob("*") if p.is_file()}
    code, out, _ = planner("run", "demo")
    assert code == 0
    assert "se reutiliza" in out
    assert {str(p.relative_to(run)): p.read_bytes() for p in run.rglob("*") if p.is_file()} == before


@pytest.mark.usefixtures("small")
def test_two_runs_are_compared(planner: Planner) -> None:
    for scenario in ("base", "lluvias"):
        code, _, err = planner("run", "valle", scenario)
        assert code == 0, err
    code, out, err = planner("compare", "valle/base", "valle/lluvias")
    assert code == 0, err
    assert "season" in out
    assert "lluvias" in out


def test_preparing_twice_gives_identical_files(planner: Planner, demo: Path, tmp_path: Path) -> None:
    folder = tmp_path / "home/data/processed/demo"
    assert planner("prepare", demo / "demo.toml")[0] == 0
    first = {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    assert planner("prepare", demo / "demo.toml")[0] == 0
    assert {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()} == first
    inputs = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["inputs"]
    assert {i["role"] for i in inputs} >= {"localities.iter", "deprivation.municipalities", "roads.osm", "terrain.barriers"}
    assert all(len(i["sha256"]) == 64 for i in inputs)


def test_doctor_finds_the_planted_faults_and_exits_well(planner: Planner, demo: Path) -> None:
    code, out, _ = planner("doctor", demo / "demo.toml")
    assert code == 0
    told = " ".join(" ".join(line.split("│")[2].split()) for line in out.splitlines() if line.count("│") > 3)
    for words in ("Unidades a más de 5 km", "Filas que nombran una unidad que no está", "celdas donde no se puede caminar",
                  "Unidades públicas sin estatus", "Unidades públicas sin tipología", "en el mismo punto que otra",
                  "Localidades dentro de una barrera", "Vías cuya clase no se reconoce (brecha)", "Celdas de la malla sin elevación"):
        assert words in told
    assert planner("doctor", demo / "demo.toml")[1] == out


def spoil_table(path: Path, change: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    change(pd.read_csv(path, dtype=str, keep_default_na=False)).to_csv(path, index=False)


def spoil_census(folder: Path, change: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    with zipfile.ZipFile(folder / ITER) as packed:
        name = next(n for n in packed.namelist() if n.endswith(".csv") and "conjunto" in n)
        table = pd.read_csv(packed.open(name), dtype=str, keep_default_na=False, encoding="utf-8-sig")
    with zipfile.ZipFile(folder / ITER, "w") as packed:
        packed.writestr(name, change(table).to_csv(index=False))


def first_place(table: pd.DataFrame) -> int:
    return int(np.flatnonzero((table["MUN"] != "000") & ~table["LOC"].isin(["0000", "9998", "9999"]))[0])


def set_first(column: str, value: str) -> Callable[[pd.DataFrame], pd.DataFrame]:
    def change(table: pd.DataFrame) -> pd.DataFrame:
        table.loc[first_place(table), column] = value
        return table
    return change


def twice(table: pd.DataFrame) -> pd.DataFrame:
    row = first_place(table)
    return pd.concat([table.iloc[: row + 1], table.iloc[row:]])


def region_line(old: str, new: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        text = (folder / "demo.toml").read_text(encoding="utf-8")
        assert old in text
        (folder / "demo.toml").write_text(text.replace(old, new), encoding="utf-8")
    return change


def rasters(folder: Path, *, crs: str = "", shift_m: float = 0.0, degrees: bool = False) -> None:
    """Roads and slope as rasters in place of the demo's own, the slope with something wrong."""
    region = load_region_file(folder / "demo.toml")
    assert region.crs
    height, width, cell, west, north = 300, 300, 250.0, 680_000.0, 2_620_000.0
    write_raster(folder / "carreteras.tif", np.full((height, width), 30, np.float32), (cell, 0, west, 0, -cell, north), region.crs, 0)
    transform = (cell, 0.0, west + shift_m, 0.0, -cell, north)
    if degrees:
        left, low, right, _ = transform_bounds(region.crs, "EPSG:4326", west, north - cell * height, west + cell * width, north)
        transform = ((right - left) / width, 0.0, left, 0.0, -(right - left) / width, low)
    write_raster(folder / "pendiente.tif", np.zeros((height, width), np.float32), transform,
                 crs or ("EPSG:4326" if degrees else region.crs), -9999.0)
    region_line('osm = "caminos.osm"', 'speed_raster = "carreteras.tif"')(folder)
    region_line('dem = "elevacion.tif"\nbarriers = "rios.geojson"\ncell_m = 250', 'slope = "pendiente.tif"')(folder)


def spoil_raster(spoil: Callable[[Path], None]) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        rasters(folder)
        spoil(folder)
    return change


def in_feet(folder: Path) -> None:
    transform = (250.0, 0.0, 680_000.0, 0.0, -250.0, 2_620_000.0)
    heights, _ = read_elevation([folder / "elevacion.tif"], "EPSG:32614", transform, (300, 300))
    write_raster(folder / "elevacion.tif", heights * np.float32(3.28), transform, "EPSG:32614", np.nan)


def points_only(folder: Path) -> None:
    layer = {"type": "FeatureCollection", "features": [
        {"type": "Feature", "properties": {}, "geometry": {"type": "Point", "coordinates": [-96.9, 23.4]}}]}
    (folder / "rios.geojson").write_text(json.dumps(layer), encoding="utf-8")


def degrees_workbook(folder: Path) -> None:
    (folder / UNITS).write_text("<html><body><table><tr><td>CLUES</td></tr></table></body></html>", encoding="utf-8")


def halve(name: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        whole = (folder / name).read_bytes()
        (folder / name).write_bytes(whole[: len(whole) // 2])
    return change


def units_as_parquet(folder: Path) -> None:
    buffer = io.BytesIO()
    pd.read_csv(folder / SLIM, dtype=str).to_parquet(buffer)
    (folder / "clues.parquet").write_bytes(buffer.getvalue()[: len(buffer.getvalue()) // 2])
    region_line(SLIM, "clues.parquet")(folder)


def useless_zip(folder: Path) -> None:
    with zipfile.ZipFile(folder / ITER, "w") as packed:
        packed.writestr("leeme.txt", "nada")


def one_sheet(folder: Path) -> None:
    pd.DataFrame({"a": [1]}).to_excel(folder / INDEX, sheet_name="Portada", index=False)


def move_places(share: float) -> Callable[[Path], None]:
    def change(table: pd.DataFrame) -> pd.DataFrame:
        rows = np.flatnonzero((table["MUN"] != "000") & ~table["LOC"].isin(["0000", "9998", "9999"]))
        table.loc[rows[: int(len(rows) * share)], "LATITUD"] = """20°00'00.000" N"""
        return table
    return lambda folder: spoil_census(folder, change)


def swap(table: pd.DataFrame) -> pd.DataFrame:
    return table.rename(columns={"LATITUD": "LONGITUD", "LONGITUD": "LATITUD"})


FAULTS: dict[str, tuple[Callable[[Path], None], tuple[str, ...]]] = {
    "missing column": (lambda f: spoil_census(f, lambda t: t.drop(columns="PSINDER")), ("PSINDER", "iter_99")),
    "missing column in units": (lambda f: spoil_table(f / SLIM, lambda t: t.drop(columns="LATITUD")), ("LATITUD", SLIM)),
    "wrong sheet": (one_sheet, ("Municipios", "Portada", INDEX)),
    "swapped coordinates": (lambda f: spoil_census(f, swap), (ITER, "intercambiadas")),
    "swapped coordinates of units": (lambda f: spoil_table(f / SLIM, swap), (SLIM, "atitud")),
    "crs in degrees": (region_line("EPSG:32614", "EPSG:4326"), ("EPSG:4326", "metros")),
    "raster in degrees": (lambda f: rasters(f, degrees=True), ("pendiente.tif", "grados")),
    "raster in another crs": (lambda f: rasters(f, crs="EPSG:32615"), ("pendiente.tif", "EPSG:32614")),
    "raster on another grid": (lambda f: rasters(f, shift_m=100), ("pendiente.tif", "malla")),
    "duplicate CLUES": (lambda f: spoil_table(f / SLIM, lambda t: pd.concat([t, t.iloc[:1]])), ("ZZIMB000011", "1")),
    "duplicate CVEGEO": (lambda f: spoil_census(f, twice), ("990010001",)),
    "empty file": (lambda f: (f / SLIM).write_bytes(b""), (SLIM, "vacío")),
    "empty raster": (spoil_raster(lambda f: (f / "carreteras.tif").write_bytes(b"")), ("carreteras.tif",)),
    "zip with nothing useful": (useless_zip, (ITER,)),
    "truncated zip": (halve(ITER), (ITER,)),
    "HTML saved as xlsx": (degrees_workbook, (UNITS, "HTML")),
    "truncated xlsx": (halve(INDEX), (INDEX,)),
    "truncated parquet": (units_as_parquet, ("clues.parquet",)),
    "truncated raster": (spoil_raster(halve("carreteras.tif")), ("carreteras.tif",)),
    "truncated polygons": (halve("limites/LIM_MUNICIPALES.shp"), ("LIM_MUNICIPALES",)),
    "csv not in UTF-8": (lambda f: (f / SLIM).write_bytes((f / SLIM).read_text("utf-8").encode("latin-1")), (SLIM, "UTF-8")),
    "negative population": (lambda f: spoil_census(f, set_first("POBTOT", "-3")), ("POBTOT", "990010001")),
    "text where a number is due": (lambda f: spoil_census(f, set_first("POBTOT", "muchos")), ("POBTOT", "muchos")),
    "more than 5 % outside the terrain": (move_places(0.10), ("fuera del terreno", "10%")),
    "missing file": (lambda f: (f / "elevacion.tif").unlink(), ("elevacion.tif",)),
    "truncated roads": (halve("caminos.osm"), ("caminos.osm", "dañado")),
    "roads without roads": (lambda f: (f / "caminos.osm").write_text("<osm version='0.6'></osm>"), ("caminos.osm", "ninguna vía")),
    "truncated elevation": (halve("elevacion.tif"), ("elevacion.tif",)),
    "elevation in feet": (in_feet, ("elevación", "metros")),
    "truncated barriers": (halve("rios.geojson"), ("rios.geojson",)),
    "barriers that are points": (points_only, ("rios.geojson", "Point")),
    "truncated people": (halve("poblacion.tif"), ("poblacion.tif",)),
    "unknown key in the region file": (region_line("[roads]", "[road]"), ("«road» no existe", "roads")),
    "entity of another state": (region_line('entity = "99"', 'entity = "13"'), ("13",)),
    "two sources of relief": (region_line('dem = "elevacion.tif"', 'dem = "elevacion.tif"\nslope = "p.tif"'), ("dem", "slope")),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_wrong_input_is_one_sentence_and_nothing_half_written(fault: str, broken: Path, planner: Planner, tmp_path: Path) -> None:
    spoil, words = FAULTS[fault]
    spoil(broken)
    code, _, err = planner("prepare", broken / "demo.toml")
    told = err.strip().splitlines()
    assert code == 1, err
    assert told[-1].startswith("Error: "), err
    assert "Traceback" not in err
    assert [w for w in words if w not in told[-1]] == [], told[-1]
    assert not [p for p in (tmp_path / "home").rglob("*") if p.is_file()]
    assert planner("doctor", broken / "demo.toml")[0] == 1


def test_a_broken_update_leaves_the_old_region_whole(broken: Path, planner: Planner, tmp_path: Path) -> None:
    folder = tmp_path / "home/data/processed/demo"
    assert planner("prepare", broken / "demo.toml")[0] == 0
    before = read_region(folder).localities
    useless_zip(broken)
    assert planner("prepare", broken / "demo.toml")[0] == 1
    pd.testing.assert_frame_equal(pd.DataFrame(read_region(folder).localities), pd.DataFrame(before))
    assert [p.name for p in folder.parent.iterdir()] == ["demo"]


def test_few_localities_outside_the_terrain_are_flagged_and_left_without_minutes(broken: Path, planner: Planner, tmp_path: Path) -> None:
    move_places(0.02)(broken)
    code, _, err = planner("prepare", broken / "demo.toml")
    assert code == 0, err
    localities = read_region(tmp_path / "home/data/processed/demo").localities
    lost = localities.index[localities["flags"].fillna("").str.contains("sin_dato_en_rasteres")]  # within the grid, beyond the elevation
    assert len(lost) == int(0.02 * len(localities))
    region = read_region(tmp_path / "home/data/processed/demo")
    access = compute_access(region, compute_travel(region, Scenario()), Scenario()).localities.loc[lost]
    assert access[["first_level_min", "score"]].isna().all().all()


def test_an_unwritable_folder_is_one_sentence(demo: Path, planner: Planner, tmp_path: Path) -> None:
    wall = tmp_path / "wall"
    wall.write_text("a file where a folder is due")
    code, _, err = planner("prepare", demo / "demo.toml", home=wall)
    assert code == 1
    assert err.strip().splitlines()[-1].startswith("Error: No se puede escribir")


@pytest.mark.usefixtures("prepared")
@pytest.mark.parametrize(("scenario", "words"), [
    ("utilization = 1", "«utilization» no existe (¿quiso decir «utilisation»?)"),
    ("budget_mxn_year = -5", "«budget_mxn_year» = -5 no se admite: debe ser al menos 0"),
    ("cost_umm_annual_mxn = -1", "«cost_umm_annual_mxn» = -1 no se admite: debe ser al menos 0"),
    ("shift_hours = 0", "«shift_hours» = 0 no se admite: debe ser mayor que 0"),
    ('require = "umr-990010001"', "«require» = 'umr-990010001' no se admite: debe ser una lista"),
    ('require = ["umr-990010001"]\nforbid = ["umr-990010001"]', "require y forbid piden a la vez umr-990010001"),
    ('require = ["umr-000"]', "«require» pide 1 lugar que la región no tiene (000)"),
    ('closures = ["ZZIMB999999"]', "«closures» cierra 1 unidad que la región no tiene (ZZIMB999999)"),
])
def test_a_wrong_scenario_writes_nothing(planner: Planner, tmp_path: Path, scenario: str, words: str) -> None:
    (tmp_path / "x.toml").write_text(scenario, encoding="utf-8")
    code, _, err = planner("run", "demo", tmp_path / "x.toml")
    assert code == 1
    assert err.splitlines()[-1].startswith("Error: ")
    assert err.count("Error: ") == 1
    assert "Traceback" not in err
    assert words in err.splitlines()[-1]
    assert not (tmp_path / "home/runs").exists()


def asked(planner: Planner, folder: Path, scenario: str) -> tuple[dict[str, Any], pd.DataFrame]:
    """The plan's numbers and its proposals after `planner run` of a scenario that must end well."""
    (folder / "x.toml").write_text(scenario, encoding="utf-8")
    code, _, err = planner("run", "valle", folder / "x.toml", "--replace")
    assert code == 0, err
    run = folder / "home/runs/valle/x"
    plan = json.loads((run / "indicadores.json").read_text(encoding="utf-8"))["plan"]
    proposals = json.loads((run / "propuestas.geojson").read_text(encoding="utf-8"))["features"]
    assert len(proposals) == plan["numero"]
    return plan, pd.DataFrame([p["properties"] for p in proposals])


@pytest.mark.usefixtures("small")
def test_a_budget_that_buys_nothing_is_an_honest_empty_plan(planner: Planner, tmp_path: Path) -> None:
    for scenario in ("budget_mxn_year = 0", "budget_mxn_year = 1000", "capital_mxn = 0\nallow = ['nucleo']"):
        plan, _ = asked(planner, tmp_path, f"{FULL}\n{scenario}")
        assert (plan["numero"], plan["costo_anual"], plan["personas"], plan["brecha_ponderada_cerrada"]) == (0, 0, 0, 0)
        assert (tmp_path / "home/runs/valle/x/calendario.csv").read_text(encoding="utf-8").count("\n") == 1


@pytest.mark.usefixtures("small")
def test_what_cannot_be_paid_for_or_is_asked_for_twice_is_told(planner: Planner, tmp_path: Path) -> None:
    first = next(i for i in sorted(asked(planner, tmp_path, FULL)[1]["id"]) if i.startswith(("nucleo", "umr")))
    shutil.rmtree(tmp_path / "home/runs")
    for scenario in (f"require = ['{first}']\nbudget_mxn_year = 0", f"require = ['{first}']\nbudget_mxn_year = 1000"):
        (tmp_path / "x.toml").write_text(f"{FULL}\n{scenario}", encoding="utf-8")
        code, _, err = planner("run", "valle", tmp_path / "x.toml")
        assert code == 1
        assert err.splitlines()[-1].startswith(f"Error: require pide {first}, que cuesta "), err
        assert not (tmp_path / "home/runs").exists()


@pytest.mark.usefixtures("small")
def test_units_without_any_capacity_attend_nobody(planner: Planner, tmp_path: Path) -> None:
    plan, proposals = asked(planner, tmp_path, "capacity_people_per_nucleo = 0")
    assert not set(proposals.get("tipo", ())) & {"umr", "nucleo", "plaza"}, "they would seat nobody"
    total = json.loads((tmp_path / "home/runs/valle/x/indicadores.json").read_text(encoding="utf-8"))["total"]["actual"]
    assert total["con_servicio"] == pytest.approx(0.0, abs=1e-9)
    assert plan["costo_anual"] <= 100e6


def heed() -> None:
    """A job in the background is born deaf to Ctrl-C, and so would be what it starts."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.mark.usefixtures("small")
@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C cannot be sent to one process there")
@pytest.mark.parametrize("step", ["Calculando tiempos", "Buscando intervenciones", "Escribiendo archivos"])
def test_ctrl_c_in_mid_run_is_told_and_leaves_nothing(tmp_path: Path, step: str) -> None:
    with subprocess.Popen([sys.executable, "-m", "planner", "--home", str(tmp_path / "home"), "run", "valle"], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT, preexec_fn=heed) as running:
        assert running.stderr
        before: list[str] = []
        while line := running.stderr.readline():
            before.append(line)
            if line.startswith(step) and not any(told.startswith(step) for told in before[:-1]):
                running.send_signal(signal.SIGINT)
        assert running.wait(60) == 130, before
    assert "Interrumpido: nada quedó a medias; lo terminado se reutiliza.\n" in before
    assert not [p for p in (tmp_path / "home/runs").rglob("*") if p.is_file()]


def test_unprepared_regions_and_missing_runs_are_told(planner: Planner) -> None:
    code, _, err = planner("run", "atlantis")
    assert code == 1
    assert "«atlantis» no está preparada" in err
    code, _, err = planner("compare", "a/b", "a/c")
    assert code == 1
    assert err.startswith("Error: ")
    assert planner("compare", "a/b")[0] == 1


@pytest.mark.usefixtures("small")
def test_another_run_under_the_same_name_needs_replace(planner: Planner, tmp_path: Path) -> None:
    path = tmp_path / "poco.toml"
    path.write_text("budget_mxn_year = 0", encoding="utf-8")
    assert planner("run", "valle", path)[0] == 0
    path.write_text("budget_mxn_year = 10_000_000", encoding="utf-8")
    code, _, err = planner("run", "valle", path)
    assert code == 1
    assert "--replace" in err
    assert planner("run", "valle", path, "--replace")[0] == 0
    grid = load_grid(tmp_path / "home/data/processed/valle", "EPSG:32614")
    assert grid.shape == read_region(tmp_path / "home/data/processed/valle").grid.shape


@pytest.mark.parametrize("words", [
    ["runn"], ["run"], ["prepare"], ["compare"], ["--nosuch"], ["demo", "extra"], ["app", "--port", "abc"], ["app", "--port", "99999"],
    ["prepare", "/"], ["doctor", "/"], ["run", "atlantis", "/"], ["run", "atlantis", "nothing"],
])
def test_wrong_words_are_one_sentence(words: list[str], planner: Planner) -> None:
    code, _, err = planner(*words)
    assert code == 1
    assert err.strip().splitlines()[-1].startswith("Error: ")
    assert "Traceback" not in err


def test_without_words_the_commands_are_listed(planner: Planner) -> None:
    code, out, _ = planner()
    assert code == 0
    assert all(f"│ {name} " in out for name in ("demo", "doctor", "prepare", "run", "compare", "app"))


def test_a_taken_port_is_passed_over() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert not is_free(port)
    assert is_free(port)
