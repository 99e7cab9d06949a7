"""Stored runs by name, under runs/REGION/NAME: found, listed, renamed, deleted, and held by one process at a time."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from planner.errors import StorageError, reason
from planner.outputs.provenance import MANIFEST, written_manifest

_LOCKS = ".candados"
_NAME = re.compile(r"[a-z0-9][a-z0-9_]{0,39}")


def stored_runs(home: Path, region: str | None = None) -> list[dict[str, Any]]:
    """Every stored run, by region and name: scenario, date, seconds, gap closed, and whether it is whole."""
    return [{"Región": path.parts[-3], "Corrida": path.parts[-2], **_told(written_manifest(path.parent), path.parent)}
            for path in sorted((home / "runs").glob(f"{region or '[!.]*'}/[!.]*/{MANIFEST}"))]


def rename_run(home: Path, run: str, name: str) -> Path:
    """Give a stored run another name. StorageError if it is not there, is being written, or the name is taken or not one."""
    folder = stored_folder(home, run)
    if not _NAME.fullmatch(name):
        raise StorageError(f"«{name}» no sirve de nombre de corrida: solo minúsculas, cifras y _, hasta 40.")
    new = folder.with_name(name)
    with claimed(folder), claimed(new):
        if new.exists():
            raise StorageError(f"Ya hay una corrida {new}; bórrela o elija otro nombre.")
        with _explained(folder):
            folder.rename(new)
    return new


def delete_run(home: Path, run: str) -> Path:
    """Delete a stored run: it leaves the list at once, whole. StorageError if it is not there or is being written."""
    folder = stored_folder(home, run)
    with claimed(folder), _explained(folder):
        gone = folder.rename(folder.with_name(f".{folder.name}.borrada"))
        shutil.rmtree(gone)
    return folder


def stored_folder(home: Path, run: str) -> Path:
    """The folder of REGION/NAME. StorageError where no run stands there."""
    folder = home / "runs" / run
    if len(Path(run).parts) != 2 or ".." in Path(run).parts or not (folder / MANIFEST).is_file():
        there = [f"{p.parts[-3]}/{p.parts[-2]}" for p in sorted((home / "runs").glob(f"[!.]*/[!.]*/{MANIFEST}"))]
        listed = f"hay: {', '.join(there)}" if there else "no hay ninguna"
        raise StorageError(f"No hay una corrida «{run}» en {home / 'runs'}; {listed}. Se escribe REGIÓN/CORRIDA.")
    return folder


def prepared_regions(home: Path) -> list[str]:
    """Names of the regions that are prepared, sorted."""
    return sorted(path.parent.name for path in (home / "data/processed").glob(f"[!.]*/{MANIFEST}"))


def prepared_folder(home: Path, region: str) -> Path:
    """The folder of a prepared region. StorageError where it is not prepared, with those that are."""
    folder = home / "data/processed" / region
    if not (folder / MANIFEST).exists():
        ready = prepared_regions(home)
        listed = f" Hay preparadas: {', '.join(ready)}." if ready else ""
        raise StorageError(f"La región «{region}» no está preparada en {folder.parent}.{listed} "
                           "Prepárela con: planner prepare ARCHIVO.toml.")
    return folder


@contextmanager
def claimed(folder: Path) -> Iterator[None]:
    """The run at `folder` is this process's own until the block ends. StorageError at once where it is another's."""
    locks = folder.parents[2] / _LOCKS  # not in runs/, which holds nothing but runs
    with _explained(folder):
        locks.mkdir(parents=True, exist_ok=True)
        lock = FileLock(locks / f"{folder.parent.name}.{folder.name}.lock", timeout=0)
        try:
            lock.acquire()
        except Timeout:
            raise StorageError(f"Otro proceso está trabajando en {folder}; espere a que termine y repita.") from None
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _explained(folder: Path) -> Iterator[None]:
    try:
        yield
    except StorageError:
        raise
    except OSError as fault:
        raise StorageError(f"No se puede escribir {folder} ({reason(fault)}); revise permisos y espacio en disco.") from fault


def _told(about: dict[str, Any] | None, folder: Path) -> dict[str, Any]:
    told = about or {}
    whole = all((folder / name).is_file() for name in told.get("archivos", {}))
    return {"Escenario": told.get("escenario", {}).get("name"), "Fecha": told.get("fecha"), "Segundos": told.get("segundos"),
            "Brecha que cierra": told.get("solucion", {}).get("valor"),
            "Estado": "dañada" if about is None else "entera" if whole else "incompleta"}
