"""Stored runs: made once, reused, held by one process, renamed, deleted, repeated from their manifest."""

import json
import multiprocessing
import shutil
import threading
from pathlib import Path
from typing import Any

import pytest
import valley

from planner.engine import Engine
from planner.errors import DataError, StorageError
from planner.keeping import digest
from planner.outputs import runs as running
from planner.outputs.provenance import differences, is_current, read_manifest
from planner.outputs.runs import repeat_run, store_run, sweep
from planner.outputs.shelf import claimed, delete_run, rename_run, stored_folder, stored_runs
from planner.settings import Scenario
from planner.store import write_region

BASE = Scenario()
RAINS = Scenario(name="lluvias", season="lluvias")


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the valley prepared and one run stored."""
    home = tmp_path_factory.mktemp("casa")
    write_region(valley.region(), home / "data/processed/valle")
    assert not store_run(home, "valle", BASE).reused
    return home


@pytest.fixture
def home(first: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(first, tmp_path / "home"))


def test_an_equal_run_is_reused_and_a_different_one_says_what_differs(home: Path) -> None:
    before = digest(home / "runs/valle/base/manifest.json")
    again = store_run(home, "valle", BASE)
    assert again.reused
    assert digest(again.folder / "manifest.json") == before
    with pytest.raises(StorageError, match=r"guarda una corrida distinta \(«budget_mxn_year» pasa de 100000000\.0 a 1\.0\); use --replace"):
        store_run(home, "valle", Scenario(budget_mxn_year=1.0))
    assert digest(again.folder / "manifest.json") == before
    assert not store_run(home, "valle", Scenario(budget_mxn_year=1.0), replace=True).reused
    assert is_current(again.folder, home / "data/processed/valle", Scenario(budget_mxn_year=1.0))


def test_a_run_deleted_meanwhile_is_made_again(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = running.write_run

    def slow(folder: Path, *rest: Any, **more: Any) -> None:
        shutil.rmtree(folder)
        write(folder, *rest, **more)
    monkeypatch.setattr(running, "write_run", slow)
    done = store_run(home, "valle", Scenario(budget_mxn_year=2.0), replace=True)
    assert is_current(done.folder, home / "data/processed/valle", Scenario(budget_mxn_year=2.0))


def _store(home: Path, started: Any, results: Any) -> None:
    """A second process at the same run."""
    started.wait(30)
    try:
        results.put(str(store_run(home, "valle", RAINS).folder))
    except StorageError as fault:
        results.put(f"told: {fault}")


def test_two_processes_at_one_run_leave_one_whole_run(home: Path) -> None:
    spawn = multiprocessing.get_context("fork")
    started, results = spawn.Event(), spawn.Queue()
    both = [spawn.Process(target=_store, args=(home, started, results)) for _ in range(2)]
    for one in both:
        one.start()
    started.set()
    told = sorted(results.get(timeout=60) for _ in both)
    for one in both:
        one.join(30)
    assert told[0] == str(home / "runs/valle/lluvias")
    # the second one waits its turn to no end, unless it came when the first had finished
    assert told[1] == told[0] or told[1].startswith("told: Otro proceso está trabajando en")
    assert is_current(home / "runs/valle/lluvias", home / "data/processed/valle", RAINS)
    assert {p.name for p in (home / "runs/valle").iterdir()} == {"base", "lluvias"}


def test_a_run_held_by_another_is_neither_written_nor_renamed_nor_deleted(home: Path) -> None:
    folder, faults = home / "runs/valle/base", []
    with claimed(folder):
        def other() -> None:
            for act in (lambda: store_run(home, "valle", BASE), lambda: rename_run(home, "valle/base", "otra"),
                        lambda: delete_run(home, "valle/base"), lambda: repeat_run(home, folder / "manifest.json")):
                try:
                    act()
                except StorageError as fault:
                    faults.append(str(fault))
        thread = threading.Thread(target=other)
        thread.start()
        thread.join(60)
    assert len(faults) == 4
    assert all(fault == f"Otro proceso está trabajando en {folder}; espere a que termine y repita." for fault in faults)
    assert is_current(folder, home / "data/processed/valle", BASE)


def test_runs_are_listed_renamed_and_deleted(home: Path) -> None:
    (listed,) = stored_runs(home)
    assert (listed["Región"], listed["Corrida"], listed["Escenario"], listed["Estado"]) == ("valle", "base", "base", "entera")
    assert rename_run(home, "valle/base", "comite") == home / "runs/valle/comite"
    assert [(row["Corrida"], row["Escenario"]) for row in stored_runs(home, "valle")] == [("comite", "base")]
    assert stored_runs(home, "otra") == []
    assert not store_run(home, "valle", BASE).reused
    with pytest.raises(StorageError, match=r"Ya hay una corrida .*comite"):
        rename_run(home, "valle/base", "comite")
    for name in ("../fuera", "Con Mayúsculas", "", ".oculta"):
        with pytest.raises(StorageError, match="no sirve de nombre"):
            rename_run(home, "valle/base", name)
    (home / "runs/valle/base/plan.gpkg").unlink()
    (home / "runs/valle/comite/manifest.json").write_text("{")
    assert [row["Estado"] for row in stored_runs(home)] == ["incompleta", "dañada"]
    assert delete_run(home, "valle/comite") == home / "runs/valle/comite"
    assert [p.name for p in (home / "runs/valle").iterdir()] == ["base"]
    for name in ("valle/comite", "valle", "valle/../valle/base", "../home/runs/valle/base", "valle/base/atlas"):
        with pytest.raises(StorageError, match=r"No hay una corrida .*hay: valle/base\. Se escribe REGIÓN/CORRIDA"):
            stored_folder(home, name)


def test_a_run_repeated_from_its_manifest_is_equal_byte_by_byte(home: Path) -> None:
    manifest = home / "runs/valle/base/manifest.json"
    found = repeat_run(home, manifest)
    assert (found.equal, found.unlike, found.origin, found.kept) == (True, (), (), None)
    assert found.files == len(json.loads(manifest.read_text())["archivos"])
    away = Path(shutil.move(home / "runs/valle/base", home / "sent"))
    assert repeat_run(home, away / "manifest.json").kept == home / "runs/valle/base"
    assert is_current(home / "runs/valle/base", home / "data/processed/valle", BASE)


def test_a_repetition_says_which_file_and_which_origin_differ(home: Path) -> None:
    manifest = home / "runs/valle/base/manifest.json"
    about = json.loads(manifest.read_text(encoding="utf-8"))
    about["archivos"]["rutas.geojson"] = "0" * 64
    about["versiones"]["numpy"] = "1.0"
    about["codigo_sha256"] = "0" * 64
    manifest.write_text(json.dumps(about), encoding="utf-8")
    found = repeat_run(home, manifest)
    assert found.unlike == ("rutas.geojson",)
    assert any(line.startswith("otra versión del planificador") for line in found.origin)
    assert any(line.startswith("numpy 1.0 y ") for line in found.origin)


def test_a_manifest_whose_region_is_gone_or_that_is_none_is_told(home: Path) -> None:
    manifest = home / "runs/valle/base/manifest.json"
    shutil.rmtree(home / "data/processed/valle")
    with pytest.raises(StorageError, match="La región «valle» no está preparada"):
        repeat_run(home, manifest)
    with pytest.raises(StorageError, match="No se puede leer"):
        repeat_run(home, home / "nada.json")
    for text, words in (("{", "está dañado"), ("{}", "no es el manifiesto de una corrida"), ("[]", "no es el manifiesto")):
        manifest.write_text(text)
        with pytest.raises(DataError, match=words):
            read_manifest(manifest)


def test_one_byte_of_one_input_is_told_by_its_name() -> None:
    files = [{"papel": "localities.iter", "archivo": "iter.zip", "sha256": "a" * 64},
             {"papel": "units.files", "archivo": "clues.xlsx", "sha256": "b" * 64}]
    then = {"entradas": files, "region_sha256": "1"}
    now = {"entradas": [files[0], {**files[1], "sha256": "c" * 64}], "region_sha256": "2"}
    assert differences(then, now) == ("cambió la entrada clues.xlsx (units.files): SHA-256 bbbbbbbbbbbb… y cccccccccccc…",)
    assert differences(then, {**now, "entradas": files[:1]}) == ("falta la entrada clues.xlsx (units.files)",)
    assert differences({**then, "entradas": files[:1]}, {**then, "entradas": files}) == ("hay una entrada nueva, clues.xlsx (units.files)",)
    assert differences(then, {**then, "region_sha256": "2"}) == ("la región se preparó de otra manera (mismas entradas)",)


def test_a_sweep_stores_what_it_can_and_says_the_rest(home: Path) -> None:
    broken = Scenario(name="rota", closures=("XXIMB000000",))
    dearer = Scenario(name="base", budget_mxn_year=5.0)
    found = list(sweep(home, "valle", [BASE, RAINS, broken, dearer], engine=Engine(jobs=1)))
    assert [getattr(one, "reused", None) for one in found] == [True, False, None, None]
    assert str(found[2]).startswith("valle/rota: «closures» cierra 1 unidad que la región no tiene")
    assert str(found[3]).startswith("valle/base: ")
    assert "use --replace" in str(found[3])
    again = list(sweep(home, "valle", [BASE, RAINS], engine=Engine(jobs=2)))
    assert all(not isinstance(one, str) and one.reused for one in again)


def test_a_full_disk_is_one_sentence_and_the_old_run_stays(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")
    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(StorageError, match=r"No se puede escribir .*base \(disco lleno\)"):
        store_run(home, "valle", Scenario(budget_mxn_year=3.0), replace=True)
    monkeypatch.undo()
    assert is_current(home / "runs/valle/base", home / "data/processed/valle", BASE)
    assert [p.name for p in (home / "runs/valle").iterdir()] == ["base"]
