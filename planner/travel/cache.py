"""Results of searches kept on disk under the hash of everything they depend on; safe when two processes share the folder."""

from __future__ import annotations

import hashlib
import os
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

KEPT_BYTES = 2 << 30  # the least recently used go beyond this
CODE = hashlib.blake2b(b"".join(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py")))).digest()


def cached(folder: Path | None, parts: tuple[object, ...], compute: Callable[[], tuple[np.ndarray, ...]]) -> tuple[np.ndarray, ...]:
    """The arrays that `compute` gives, read back where a search of the same `parts` (arrays, numbers, text) stored them.

    A file is written beside and renamed, so that nobody ever reads half of one; a damaged one is computed anew. Where
    nothing can be written the result is just not kept. `folder` None keeps nothing.
    """
    if folder is None:
        return compute()
    path = folder / f"{_key(parts)}.npz"
    try:
        with np.load(path, allow_pickle=False) as stored:
            arrays = tuple(stored[name] for name in stored.files)
        os.utime(path)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile):
        arrays = compute()
        _keep(path, arrays)
    return arrays


def fingerprint(*arrays: np.ndarray) -> str:
    """Hash of the contents, types and shapes of arrays."""
    found = hashlib.blake2b(digest_size=20)
    for array in arrays:
        found.update(f"{array.dtype}{array.shape}".encode())
        found.update(np.ascontiguousarray(array).view(np.uint8).data if array.size else b"")
    return found.hexdigest()


def _key(parts: tuple[object, ...]) -> str:
    told = "|".join(fingerprint(part) if isinstance(part, np.ndarray) else repr(part) for part in parts)
    return hashlib.blake2b(CODE + told.encode(), digest_size=20).hexdigest()


def _keep(path: Path, arrays: tuple[np.ndarray, ...]) -> None:
    beside = ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, beside = tempfile.mkstemp(suffix=".tmp", dir=path.parent)
        with os.fdopen(handle, "wb") as target:
            np.savez(target, *arrays)
        os.replace(beside, path)
        _forget(path.parent)
    except OSError:
        if beside:
            Path(beside).unlink(missing_ok=True)


def _forget(folder: Path) -> None:
    """Remove what was used longest ago beyond the allowance; another process may be doing the same."""
    found = [(entry.stat().st_mtime, entry.stat().st_size, entry.path) for entry in os.scandir(folder) if entry.name.endswith(".npz")]
    total = sum(size for _, size, _ in found)
    for _, size, name in sorted(found):
        if total <= KEPT_BYTES:
            break
        Path(name).unlink(missing_ok=True)
        total -= size
