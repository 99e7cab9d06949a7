"""Runs made and stored under runs/REGION/NAME: once, reused while nothing changed, several at a time, or repeated."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from planner.borders import border_m, unsure, with_neighbours
from planner.engine import ALONE, HERE, Engine, each
from planner.errors import DataError, SettingsError, SolverError, StorageError
from planner.keeping import digest, replacing
from planner.outputs.folder import write_run
from planner.outputs.provenance import MANIFEST, differences, is_current, manifest_of, read_manifest, written_manifest
from planner.outputs.shelf import claimed, prepared_folder
from planner.scenarios import Run, regionalized, run_scenario
from planner.settings import Scenario, validated
from planner.store import TRAVEL_CACHE, extent, ids_of, read_region

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


def store_run(home: Path, region: str, scenario: Scenario, *, replace: bool = False, around: Sequence[str] = (), engine: Engine = HERE,
              progress: Told = lambda _: None) -> Stored:
    """Run a scenario on a prepared region and store it; an equal run is reused as it stands.

    `around` are prepared regions at its borders, whose people, units and ground count as far as anybody reaches. StorageError where
    another process is at the same run, or where a different run holds the name and `replace` is False.
    """
    started = time.perf_counter()
    folder, prepared = home / "runs" / region / scenario.name, prepared_folder(home, region)
    beside = [prepared_folder(home, one) for one in around]
    with claimed(folder):
        if is_current(folder, prepared, scenario, beside):
            return Stored(folder, time.perf_counter() - started, True)
        before = written_manifest(folder)
        if before is not None and not replace:
            what = "; ".join(differences(before, manifest_of(prepared, scenario, beside))[:3]) or "le faltan archivos"
            raise StorageError(f"{folder} guarda una corrida distinta ({what}); use --replace para sustituirla o cambie name.")
        run = _computed(prepared, scenario, progress, beside, engine)
        progress("Escribiendo archivos")
        write_run(folder, run, prepared, elapsed_s=time.perf_counter() - started, around=beside)
    return Stored(folder, time.perf_counter() - started, False, run)


def sweep(home: Path, region: str, scenarios: Sequence[Scenario], *, replace: bool = False, engine: Engine = HERE,
          progress: Told = lambda _: None) -> Iterator[Stored | str]:
    """Store a run of each scenario, several at once; the reason, in a sentence, of each that could not be stored.

    In the order given. Bytes do not depend on the engine.
    """
    prepared_folder(home, region)
    items = [(home.resolve(), region, scenario, replace, ()) for scenario in scenarios]
    for done, found in enumerate(each(engine, _stored_or_told, items), 1):
        progress(f"{done} de {len(scenarios)}: {scenarios[done - 1].name}")
        yield found


def run_states(home: Path, regions: Sequence[str], scenario: Scenario, *, replace: bool = False, engine: Engine = HERE,
               progress: Told = lambda _: None) -> Iterator[Stored | str]:
    """Store a run of each region, each with what the others have within reach of its border; else the reason, in a sentence.

    In the order given. StorageError for a region that is not prepared, DataError for two of one state or with places in common.
    Bytes do not depend on the engine.
    """
    folders = [prepared_folder(home, region) for region in regions]
    around = neighbours_of(folders, scenario)
    _refuse_shared(folders)
    items = [(home.resolve(), region, scenario, replace, around[region]) for region in regions]
    for done, found in enumerate(each(engine, _stored_or_told, items), 1):
        progress(f"{done} de {len(regions)}: {regions[done - 1]}")
        yield found


def _refuse_shared(folders: Sequence[Path]) -> None:
    """DataError for localities or units that more than one region has: each person counts once."""
    for table, what in (("localities", "localidades"), ("units", "unidades")):
        ids = pd.Index([key for folder in folders for key in ids_of(folder, table)])
        if twice := sorted(set(ids[ids.duplicated()])):
            more = ", …" if len(twice) > 3 else ""
            raise DataError(f"Hay {len(twice)} {what} en más de una región ({', '.join(twice[:3])}{more}); deje a cada región solo lo de "
                            "su entidad.")


def neighbours_of(folders: Sequence[Path], scenario: Scenario) -> dict[str, tuple[str, ...]]:
    """By region the others that its people or teams might reach under the scenario; DataError for two regions of one state."""
    extents = {folder.name: extent(folder) for folder in folders}
    by_entity: dict[str, list[str]] = {}
    for name, found in extents.items():
        by_entity.setdefault(found.entity, []).append(name)
    if twice := {entity: names for entity, names in by_entity.items() if len(names) > 1}:
        told = "; ".join(f"{entity}: {', '.join(names)}" for entity, names in sorted(twice.items()))
        raise DataError(f"Hay {len(twice)} entidades con más de una región ({told}); deje una por entidad.")
    return {name: tuple(other for other, there in extents.items() if other != name and there.within(here, border_m(scenario)))
            for name, here in extents.items()}


def repeat_run(home: Path, path: Path, progress: Told = lambda _: None) -> Repetition:
    """Run again what a manifest tells of and compare every file with its SHA-256; a run that is not stored is stored.

    StorageError for a region that is not prepared, SettingsError for a scenario of another version.
    """
    about = read_manifest(path)
    scenario = validated(Scenario, about["escenario"], f"escenario de {path}")
    region = str(about["region"]["clave"])
    prepared, folder = prepared_folder(home, region), home / "runs" / region / scenario.name
    around = [prepared_folder(home, one) for one in sorted(about.get("vecinas") or {})]
    with claimed(folder), tempfile.TemporaryDirectory() as beside:
        again = Path(beside) / scenario.name
        write_run(again, _computed(prepared, scenario, progress, around), prepared, elapsed_s=0.0, around=around)
        now, then = _digests(again), dict(about["archivos"])
        origin = differences(about, read_manifest(again / MANIFEST))
        kept = None if folder.exists() else folder
        if kept is not None:
            with replacing(kept, MANIFEST, "una corrida") as new:
                shutil.copytree(again, new, dirs_exist_ok=True)
    return Repetition(len(then), tuple(sorted(name for name in {*now, *then} if now.get(name) != then.get(name))), origin, kept)


def _computed(prepared: Path, scenario: Scenario, progress: Told, around: Sequence[Path] = (), engine: Engine = HERE) -> Run:
    region, others = read_region(prepared), [read_region(one) for one in around]
    metres = border_m(scenario, [region, *others])
    wide = with_neighbours(region, others, metres) if others else None
    run = run_scenario(region, scenario, around=wide, progress=progress, cache=prepared.parent / TRAVEL_CACHE, engine=engine)
    if others:
        doubted = unsure(region, others, metres, run.travel, scenario)
        run = replace(run, unsure=int(doubted.any(axis=1).sum()))
    return regionalized(run, progress=progress)


def _stored_or_told(home: Path, region: str, scenario: Scenario, replace: bool, around: Sequence[str]) -> Stored | str:
    """A task of a sweep or of a nation: no run travels back from another process."""
    try:
        done = store_run(home, region, scenario, replace=replace, around=around, engine=ALONE)
    except (DataError, SettingsError, SolverError, StorageError) as fault:
        return f"{region}/{scenario.name}: {fault}"
    return Stored(done.folder, done.seconds, done.reused)


def _digests(folder: Path) -> dict[str, str]:
    return {p.relative_to(folder).as_posix(): digest(p) for p in sorted(folder.rglob("*")) if p.is_file() and p.name != MANIFEST}
