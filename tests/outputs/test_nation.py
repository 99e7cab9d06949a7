"""Many states in one command: the country sums them, whatever machine did which, and what was finished is not done again."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dask
import geopandas as gpd
import pandas as pd
import pytest
import valley

from planner import engine
from planner.engine import LOCAL, Engine, each
from planner.errors import DataError, PlannerError, SettingsError, StorageError
from planner.keeping import digest
from planner.outputs import runs as running
from planner.outputs.nation import NATION, read_places, write_nation
from planner.outputs.runs import neighbours_of, run_states
from planner.settings import Scenario

BASE = Scenario()
STATES = ["dos", "uno"]
START_S = 60


@pytest.fixture
def home(nation_home: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(nation_home, tmp_path / "home"))


def made(home: Path, by: Engine) -> list:
    found = list(run_states(home, STATES, BASE, engine=by))
    assert not [fault for fault in found if isinstance(fault, str)], found
    return found


def prints(home: Path) -> dict[str, str]:
    """Digest of every file of the states' runs and of the country; manifests tell a date."""
    return {str(p.relative_to(home)): digest(p) for p in sorted((home / "runs").rglob("*")) if p.is_file() and p.name != "manifest.json"}


def test_the_country_counts_everybody_once(nation_home: Path) -> None:
    folder = nation_home / "runs" / NATION / "base"
    told = json.loads((folder / "indicadores.json").read_text())
    parts = [json.loads((nation_home / "runs" / name / "base/indicadores.json").read_text()) for name in STATES]
    for when in ("actual", "plan"):
        for key in ("poblacion", "dentro_60", "hospital_120", "personas_equiv", "brecha_ponderada", "localidades"):
            assert told["total"][when][key] == pytest.approx(sum(part["total"][when][key] for part in parts), abs=1e-6)
            for block in ("por_grado", "por_entidad", "por_municipio"):
                assert sum(one[when][key] for one in told[block].values()) == pytest.approx(told["total"][when][key], abs=1e-6)
    assert told["poblacion_total"] == sum(place[3] for place in valley.PLACES.values())
    assert told["propuestas"]["costo_anual"] == pytest.approx(sum(part["plan"]["costo_anual"] for part in parts))
    for part, name in zip(parts, ("Dos", "Uno"), strict=True):
        for key, block in part["por_municipio"].items():
            assert told["por_municipio"][key]["actual"] == pytest.approx(block["actual"], nan_ok=True), key
        assert told["por_entidad"][name]["actual"]["p90_min"] == part["total"]["actual"]["p90_min"]
    states = pd.read_csv(folder / "entidades.csv", dtype={"entidad": str}).set_index("entidad")
    assert states.index.to_list() == ["00", "98", "99"]
    assert states.loc["00", "poblacion"] == states.loc[["98", "99"], "poblacion"].sum()
    towns = gpd.read_parquet(folder / "municipios.parquet")
    assert towns.index.to_list() == ["99001", "99002"]
    assert towns.geometry.is_valid.all()


def test_localities_are_read_by_state_column_and_box(nation_home: Path) -> None:
    folder = nation_home / "runs" / NATION / "base"
    whole = read_places(folder, "98", ["nom_loc", "puntaje_brecha"])
    assert list(whole.columns) == ["nom_loc", "puntaje_brecha", "geometry"]
    assert set(whole["nom_loc"]) == set("ABF")
    spot = whole[whole["nom_loc"] == "F"].geometry.iloc[0]
    near = read_places(folder, "98", ["nom_loc"], (spot.x - 0.001, spot.y - 0.001, spot.x + 0.001, spot.y + 0.001))
    assert near["nom_loc"].to_list() == ["F"]
    with pytest.raises(StorageError, match="repita la corrida nacional"):
        read_places(folder, "07", ["nom_loc"])


def test_each_state_is_told_which_neighbours_it_was_run_with(nation_home: Path, home: Path) -> None:
    for name, other in zip(STATES, STATES[::-1], strict=True):
        about = json.loads((nation_home / "runs" / name / "base/manifest.json").read_text())
        assert list(about["vecinas"]) == [other]
        assert about["borde"] == {"localidades_sin_certeza": 0}  # the border holds all there is
    assert all(found.reused for found in made(home, Engine(jobs=1)))
    alone = list(run_states(home, ["uno"], BASE, engine=Engine(jobs=1)))
    assert "otras regiones vecinas (dos y ninguna)" in str(alone[0])


def test_two_workers_of_this_computer_give_the_same_bytes(nation_home: Path, home: Path) -> None:
    shutil.rmtree(home / "runs")
    assert [found.reused for found in made(home, Engine(2, LOCAL))] == [False, False]
    write_nation(home, STATES, BASE)
    assert prints(home) == prints(nation_home)


@contextmanager
def cluster(workers: int) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """A scheduler and workers on loopback, started as the README says; the scheduler is the last process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"tcp://127.0.0.1:{port}"
    dask = [sys.executable, "-m", "dask"]
    worker = [*dask, "worker", address, "--host", "127.0.0.1", "--nthreads", "1", "--no-nanny", "--no-dashboard"]
    commands = [[*dask, "scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard"], *[worker] * workers]
    scheduler, *running = (subprocess.Popen(one, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for one in commands)
    try:
        _answers(port)
        yield address, [*running, scheduler]
    finally:
        for process in (*running, scheduler):
            process.kill()
            process.wait()


def _answers(port: int) -> None:
    until = time.monotonic() + START_S
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except OSError:
            assert time.monotonic() < until
            time.sleep(0.2)


def test_a_cluster_that_loses_a_worker_gives_the_same_bytes(nation_home: Path, home: Path) -> None:
    shutil.rmtree(home / "runs")
    with cluster(3) as (address, processes):
        killed = threading.Timer(5.0, processes[0].kill)  # some worker, whatever it does then
        killed.start()
        assert [found.reused for found in made(home, Engine(scheduler=address))] == [False, False]
        killed.join()
        assert processes[0].wait() == -signal.SIGKILL
    write_nation(home, STATES, BASE)
    assert prints(home) == prints(nation_home)


def test_after_the_scheduler_is_lost_what_was_finished_is_reused(home: Path) -> None:
    shutil.rmtree(home / "runs/uno")
    with cluster(1) as (address, processes):
        found = run_states(home, STATES, BASE, engine=Engine(scheduler=address))
        assert next(found).reused
        processes[-1].send_signal(signal.SIGKILL)
        with pytest.raises(StorageError, match=r"Se perdió el programador .* con 1 de 2 tareas entregadas; .* repita la orden"):
            list(found)
    again = made(home, Engine(jobs=1))
    assert again[0].reused


def test_a_worker_with_another_version_or_no_cluster_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError, match=r"Nadie atiende en tcp://127\.0\.0\.1:9 \(nadie escucha ahí\)"):
        list(each(Engine(scheduler="tcp://127.0.0.1:9"), pow, [(2, 3)]))
    with pytest.raises(SettingsError, match="no es una dirección"):
        list(each(Engine(scheduler="hola"), pow, [(2, 3)]))
    assert list(each(Engine(2, LOCAL), pow, [(2, 3), (3, 2)])) == [8, 9]
    monkeypatch.setattr(engine, "code_print", os.getpid)  # another in each process
    with pytest.raises(SettingsError, match="2 de 2 trabajadores tienen otra versión del planificador"):
        list(each(Engine(2, LOCAL), pow, [(2, 3)]))
    monkeypatch.setattr(engine, "has_dask", lambda: False)
    with pytest.raises(SettingsError, match="falta Dask"):
        list(each(Engine(2, LOCAL), pow, [(2, 3)]))


def test_a_task_that_ends_every_worker_is_one_sentence() -> None:
    with dask.config.set({"distributed.scheduler.allowed-failures": 0}), pytest.raises(StorageError, match="acabó con cada trabajador"):
        list(each(Engine(1, LOCAL), os.abort, [()]))  # as when the system takes a process for its memory


def test_what_cannot_be_a_country_is_refused_in_one_sentence(home: Path) -> None:
    def refused(names: list[str], kind: type[PlannerError], words: str) -> None:
        with pytest.raises(kind, match=words):
            list(run_states(home, names, BASE, engine=Engine(jobs=1)))
    refused(["dos", "tres"], StorageError, "«tres» no está preparada .* Hay preparadas: dos, uno")
    shutil.copytree(home / "data/processed/uno", home / "data/processed/otro")
    refused(["uno", "otro"], DataError, r"Hay 1 entidades con más de una región \(98: uno, otro\)")
    about = home / "data/processed/otro/manifest.json"
    about.write_text(about.read_text().replace('"entity": "98"', '"entity": "97"'))
    refused(["otro", "uno"], DataError, r"Hay 3 localidades en más de una región \(990010001, 990010002, 990020003\)")
    with pytest.raises(StorageError, match="Falta la corrida dos/otra"):
        write_nation(home, STATES, Scenario(name="otra"))


def test_no_space_for_one_state_is_told_and_the_others_stand(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = running.write_run

    def full(folder: Path, *rest: object, **more: object) -> None:
        if folder.parent.name == "uno":
            raise StorageError(f"No se puede escribir {folder} (disco lleno); revise permisos y espacio en disco.")
        write(folder, *rest, **more)
    shutil.rmtree(home / "runs")
    monkeypatch.setattr(running, "write_run", full)
    done, told = run_states(home, STATES, BASE, engine=Engine(jobs=1))
    assert not isinstance(done, str)
    assert "uno/base: No se puede escribir" in str(told)
    assert not (home / "runs/uno/base").exists()
    assert neighbours_of([home / "data/processed" / name for name in STATES], BASE) == {"dos": ("uno",), "uno": ("dos",)}
