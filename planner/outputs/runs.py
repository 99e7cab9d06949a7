"""Runs made and stored under runs/REGION/NAME: once, reused while nothing changed, several at a time, or repeated."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from joblib import Parallel, delayed

from planner.errors import DataError, SettingsError, SolverError, StorageError
from planner.keeping import digest, replacing
from planner.outputs.folder import write_run
from planner.outputs.provenance import MANIFEST, differences, is_current, manifest_of, read_manifest, written_manifest
from planner.outputs.shelf import claimed, prepared_folder
from planner.scenarios import Run, regionalized, run_scenario
from planner.settings import Scenario, validated
from planner.store import TRAVEL_CACHE, read_region

Told = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class Stored:
    """A run on disk; `run` is None where it was reused, or made by another process."""

    folder: Path
    seconds: float
    reused: bool
    run: Run | None = None


@dataclass(frozen=True)
class Repetition:
    """What came of repeating a run: files that are not the same bytes, and what differs in its origin."""

    files: int
    unlike: tuple[str, ...]
    origin: tuple[str, ...]
    kept: Path | None  # where the repetition was stored: only if the run was not there

    @property
    def equal(self) -> bool:
        return not self.unlike


def store_run(home: Path, region: str, scenario: Scenario, *, replace: bool = False, progress: Told = lambda _: None) -> Stored:
    """Run a scenario on a prepared region and store it; an equal run is reused as it stands.

    StorageError where another process is at the same run, or where a different run holds the name and `replace` is False.
    """
    started = time.perf_counter()
    folder, prepared = home / "runs" / region / scenario.name, prepared_folder(home, region)
    with claimed(folder):
        if is_current(folder, prepared, scenario):
            return Stored(folder, time.perf_counter() - started, True)
        before = written_manifest(folder)
        if before is not None and not replace:
            what = "; ".join(differences(before, manifest_of(prepared, scenario))[:3]) or "le faltan archivos"
            raise StorageError(f"{folder} guarda una corrida distinta ({what}); use --replace para sustituirla o cambie name.")
        run = _computed(prepared, scenario, progress)
        progress("Escribiendo archivos")
        write_run(folder, run, prepared, elapsed_s=time.perf_counter() - started)
    return Stored(folder, time.perf_counter() - started, False, run)


def sweep(home: Path, region: str, scenarios: Sequence[Scenario], *, replace: bool = False, jobs: int = 2, progress: Told = lambda _: None,
          ) -> Iterator[Stored | str]:
    """Store a run of each scenario, several processes at once; the reason, in a sentence, of each that could not be stored.

    In the order given. Bytes do not depend on `jobs`.
    """
    prepared_folder(home, region)
    tasks = (delayed(_stored_or_told)(home, region, scenario, replace) for scenario in scenarios)
    for done, found in enumerate(Parallel(n_jobs=min(jobs, len(scenarios) or 1), return_as="generator")(tasks), 1):
        progress(f"{done} de {len(scenarios)}: {scenarios[done - 1].name}")
        yield found


def repeat_run(home: Path, path: Path, progress: Told = lambda _: None) -> Repetition:
    """Run again what a manifest tells of and compare every file with its SHA-256; a run that is not stored is stored.

    StorageError for a region that is not prepared, SettingsError for a scenario of another version.
    """
    about = read_manifest(path)
    scenario = validated(Scenario, about["escenario"], f"escenario de {path}")
    region = str(about["region"]["clave"])
    prepared, folder = prepared_folder(home, region), home / "runs" / region / scenario.name
    with claimed(folder), tempfile.TemporaryDirectory() as beside:
        again = Path(beside) / scenario.name
        write_run(again, _computed(prepared, scenario, progress), prepared, elapsed_s=0.0)
        now, then = _digests(again), dict(about["archivos"])
        origin = differences(about, read_manifest(again / MANIFEST))
        kept = None if folder.exists() else folder
        if kept is not None:
            with replacing(kept, MANIFEST, "una corrida") as new:
                shutil.copytree(again, new, dirs_exist_ok=True)
    return Repetition(len(then), tuple(sorted(name for name in {*now, *then} if now.get(name) != then.get(name))), origin, kept)


def _computed(prepared: Path, scenario: Scenario, progress: Told) -> Run:
    run = run_scenario(read_region(prepared), scenario, progress=progress, cache=prepared.parent / TRAVEL_CACHE)
    return regionalized(run, progress=progress)


def _stored_or_told(home: Path, region: str, scenario: Scenario, replace: bool) -> Stored | str:
    """A task of a sweep: no run travels back from another process."""
    try:
        done = store_run(home, region, scenario, replace=replace)
    except (DataError, SettingsError, SolverError, StorageError) as fault:
        return f"{scenario.name}: {fault}"
    return Stored(done.folder, done.seconds, done.reused)


def _digests(folder: Path) -> dict[str, str]:
    return {p.relative_to(folder).as_posix(): digest(p) for p in sorted(folder.rglob("*")) if p.is_file() and p.name != MANIFEST}
