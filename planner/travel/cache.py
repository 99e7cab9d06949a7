"""Results of searches kept on disk under the hash of everything they depend on; safe when two processes share the folder."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import numpy as np

KEPT_BYTES = 2 << 30  # the least recently used go beyond this
DIGEST = 20  # bytes of a hash; a file begins with that of the rest
CODE = hashlib.blake2b(b"".join(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py")))).digest()


def cached(folder: Path | None, parts: tuple[object, ...], compute: Callable[[], tuple[np.ndarray, ...]]) -> tuple[np.ndarray, ...]:
    """The arrays that `compute` gives, read back where a search of the same `parts` (arrays, numbers, text) stored them.

    A file is written beside and renamed, so that nobody ever reads half of one; a damaged one is computed anew. Where
    nothing can be written the result is just not kept. `folder` None keeps nothing.
    """
    if folder is None:
        return compute()
    path = folder / f"{_key(parts)}.bin"
    stored = _read(path)
    if stored is not None:
        with suppress(OSError):  # a folder that may only be read
            os.utime(path)
        return stored
    arrays = compute()
    _keep(path, arrays)
    return arrays


def fingerprint(*arrays: np.ndarray) -> str:
    """Hash of the contents, types and shapes of arrays."""
    found = hashlib.blake2b(digest_size=DIGEST)
    for array in arrays:
        found.update(f"{array.dtype}{array.shape}".encode())
        found.update(np.ascontiguousarray(array).view(np.uint8).data if array.size else b"")
    return found.hexdigest()


def _key(parts: tuple[object, ...]) -> str:
    told = "|".join(fingerprint(part) if isinstance(part, np.ndarray) else repr(part) for part in parts)
    return hashlib.blake2b(CODE + told.encode(), digest_size=DIGEST).hexdigest()


def _read(path: Path) -> tuple[np.ndarray, ...] | None:
    """The arrays of a file; None where there is none, or it is not as it was written."""
    arrays = []
    try:
        with path.open("rb") as source:
            if source.read(DIGEST) != _digest_from_here(source):
                return None
            size = source.tell()
            source.seek(DIGEST)
            while source.tell() < size:
                arrays.append(np.load(source, allow_pickle=False))
    except OSError:
        return None
    return tuple(arrays)


def _keep(path: Path, arrays: tuple[np.ndarray, ...]) -> None:
    beside = ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, beside = tempfile.mkstemp(suffix=".tmp", dir=path.parent)
        with os.fdopen(handle, "w+b") as target:
            target.write(bytes(DIGEST))
            for array in arrays:
                np.save(target, array, allow_pickle=False)
            target.seek(DIGEST)
            digest = _digest_from_here(target)
            target.seek(0)
            target.write(digest)
        os.replace(beside, path)
        _forget(path.parent)
    except OSError:
        if beside:
            Path(beside).unlink(missing_ok=True)


def _digest_from_here(source: BinaryIO) -> bytes:
    return hashlib.file_digest(source, lambda: hashlib.blake2b(digest_size=DIGEST)).digest()  # type: ignore[arg-type]


def _forget(folder: Path) -> None:
    """Remove what was used longest ago beyond the allowance, unfinished files too; another process may be doing the same."""
    with os.scandir(folder) as entries:
        found = [(e.stat().st_mtime_ns, e.stat().st_size, e.path) for e in entries if e.name.endswith((".bin", ".tmp"))]
    total = sum(size for _, size, _ in found)
    for _, size, name in sorted(found):
        if total <= KEPT_BYTES:
            break
        Path(name).unlink(missing_ok=True)
        total -= size
