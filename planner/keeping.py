"""Folders that are whole or not there: written beside and renamed; files known by their digest."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from planner.errors import StorageError, reason


@contextmanager
def replacing(folder: Path, mark: str, kind: str) -> Iterator[Path]:
    """A new folder beside `folder` that takes its place when the block ends well and disappears otherwise.

    What is replaced must hold the file `mark`, which tells a folder of this `kind`. StorageError if `folder` holds
    something else or cannot be written; then it stays as it was.
    """
    if folder.exists() and not (folder / mark).is_file() and (not folder.is_dir() or any(folder.iterdir())):
        raise StorageError(f"{folder} existe y no es {kind}; elija otra carpeta o bórrela.")
    new, former = (folder.with_name(f".{folder.name}.{word}-{os.getpid()}") for word in ("nueva", "anterior"))
    try:
        for leftover in (new, former):  # of a process that was killed
            shutil.rmtree(leftover, ignore_errors=True)
        new.mkdir(parents=True)
        yield new
        if folder.exists():
            folder.rename(former)
        try:
            new.rename(folder)
        except OSError:
            if former.exists():
                former.rename(folder)
            raise
    except StorageError:
        raise
    except OSError as fault:
        raise StorageError(f"No se puede escribir {folder} ({reason(fault)}); revise permisos y espacio en disco.") from fault
    finally:
        shutil.rmtree(new, ignore_errors=True)
    shutil.rmtree(former, ignore_errors=True)


def digest(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()


@cache
def code_print() -> str:
    """SHA-256 of the planner's own sources, as they lie on this computer."""
    sources = sorted(path for kind in ("*.py", "*.js", "*.css") for path in Path(__file__).parent.rglob(kind))
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()
