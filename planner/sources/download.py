"""One file from its address to its place: resumed where it was cut, checked, and under its name only when whole."""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from io import FileIO
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
import urllib3

from planner.errors import DataError, StorageError, reason
from planner.keeping import digest
from planner.sources.packed import Kind, content_fault

Tell = Callable[[str], None]
CHUNK = 1 << 16
GAIN = 1 << 20  # an attempt that brings this much is no failed one
LONGEST_WAIT_S = 60.0
BUSY = (408, 429, 500, 502, 503, 504)  # worth another attempt


@dataclass(frozen=True)
class Patience:
    """How long a slow or broken connection is borne."""

    connect_s: float = 20.0
    read_s: float = 60.0  # without a single byte
    window_s: float = 120.0  # in which at least `window_bytes` arrive
    window_bytes: int = 4096
    attempts: int = 5  # in a row that bring less than GAIN
    backoff_s: float = 2.0  # before the second attempt; doubled each time
    tell_s: float = 5.0  # between two words of progress


@dataclass(frozen=True)
class Wanted:
    """A file that should come to stand at `path`, and what is known of it."""

    address: str
    path: Path
    kind: Kind
    max_bytes: int
    sha256: str | None = None
    size: int | None = None
    remedy: str = "revise la dirección"

    @property
    def part(self) -> Path:
        return self.path.with_name(f"{self.path.name}.part")

    @property
    def notes(self) -> Path:
        return self.path.with_name(f"{self.path.name}.part.json")


@dataclass(frozen=True)
class Received:
    """What came: the date is the server's, empty where it tells none."""

    sha256: str
    size: int
    modified: str


@dataclass(frozen=True)
class _Notes:
    """What the server said of the file that the part belongs to."""

    address: str
    etag: str
    modified: str
    size: int | None

    @property
    def validator(self) -> str:
        """What tells the server which version the part is of; a weak etag does not."""
        return self.etag if self.etag.startswith('"') else self.modified


def download(wanted: Wanted, *, patience: Patience, progress: Tell) -> Received:
    """Bring the file to its place; a part that an earlier call left is completed if the server's file is still the same.

    DataError for a server that refuses, stalls or sends something else, StorageError where it cannot be written. The
    part stays only where going on from it makes sense.
    """
    check_address(wanted.address)
    try:
        wanted.path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise _unwritable(wanted.path.parent, fault) from None
    with _session() as session:
        _receive_whole(session, wanted, patience, progress)
    received = _checked(wanted)
    try:
        os.replace(wanted.part, wanted.path)
        wanted.notes.unlink(missing_ok=True)
    except OSError as fault:
        raise _unwritable(wanted.path, fault) from None
    progress(f"{wanted.path.name}: completo ({megabytes(received.size)}).")
    return received


def check_address(address: str) -> None:
    """DataError for what is no address of the web."""
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise DataError(f"La dirección «{address}» no es http ni https; corríjala.")


def megabytes(count: int) -> str:
    """
    >>> megabytes(616_300_000), megabytes(262_144)
    ('616 MB', '0.3 MB')
    """
    return f"{count / 1e6:,.0f} MB" if count >= 1e7 else f"{count / 1e6:.1f} MB"


def _session() -> requests.Session:
    session = requests.Session()
    session.max_redirects = 5
    session.headers.update({"User-Agent": "planner-fetch", "Accept-Encoding": "identity"})
    session.hooks["response"] = [_refuse_odd_redirect]
    return session


def _refuse_odd_redirect(response: requests.Response, *_: Any, **__: Any) -> None:
    if response.is_redirect:
        target = urljoin(response.url, response.headers["location"])
        if urlsplit(target).scheme not in ("https", urlsplit(response.url).scheme):
            raise DataError(f"{response.url} manda a {target[:200]}, que no se acepta: solo http o https, y de https nunca a http.")


def _receive_whole(session: requests.Session, wanted: Wanted, patience: Patience, progress: Tell) -> None:
    failed = 0
    while True:
        before = _length(wanted.part)
        cut = _receive(session, wanted, patience, progress)
        if cut is None:
            return
        failed = 1 if _length(wanted.part) - before >= GAIN else failed + 1
        if failed >= patience.attempts:
            raise DataError(_told(wanted, cut))
        wait = min(LONGEST_WAIT_S, patience.backoff_s * 2 ** (failed - 1))
        progress(f"{wanted.path.name}: {cut}; nuevo intento en {wait:.0f} s.")
        time.sleep(wait)


def _told(wanted: Wanted, cut: str) -> str:
    notes, have = _read_notes(wanted), _length(wanted.part)
    if not have or notes is None:
        return f"{wanted.path.name}: {cut} ({wanted.address}); repita la orden más tarde, o {wanted.remedy}."
    whole = "bytes (el servidor no dice cuántos son)" if notes.size is None else f"de {notes.size:,} bytes"
    again = "lo reanuda desde ahí" if notes.validator else "lo empieza de nuevo, porque el servidor no deja reanudar"
    return f"{wanted.path.name}: {cut}; llegaron {have:,} {whole} y se conservan en {wanted.part.name}; repetir la orden {again}."


def _receive(session: requests.Session, wanted: Wanted, patience: Patience, progress: Tell) -> str | None:
    """One request that goes on where the part ends; None when the part is whole, else why it is not."""
    notes, have = _read_notes(wanted), _length(wanted.part)
    if notes is None or not notes.validator or (notes.size is not None and have > notes.size):
        notes, have = None, 0
    if notes and have and have == notes.size:
        return None
    headers = {"Range": f"bytes={have}-", "If-Range": notes.validator} if notes and have else {}
    try:
        with session.get(wanted.address, headers=headers, stream=True, timeout=(patience.connect_s, patience.read_s)) as answer:
            if headers and not _goes_on(answer, notes, have):
                progress(f"{wanted.path.name}: el archivo cambió en el servidor o este no reanuda; se empieza de nuevo.")
                _drop(wanted)
                if answer.status_code != 200:
                    return _receive(session, wanted, patience, progress)
                have = 0
            elif answer.status_code == 206:
                progress(f"{wanted.path.name}: se reanuda desde {megabytes(have)}.")
            return _refusal(answer, wanted) or _store(answer, wanted, have, patience, progress)
    except requests.exceptions.SSLError:
        raise DataError(f"{wanted.path.name}: el certificado de {urlsplit(wanted.address).netloc} no es de fiar; "
                        f"{wanted.remedy}.") from None
    except (requests.exceptions.TooManyRedirects, requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema):
        raise DataError(f"{wanted.path.name}: {wanted.address} no lleva a ningún archivo; {wanted.remedy}.") from None
    except (requests.RequestException, urllib3.exceptions.HTTPError) as fault:
        return _in_words(fault, wanted.address)


def _goes_on(answer: requests.Response, notes: _Notes | None, have: int) -> bool:
    """Whether the answer is the rest of the very file that the part is of."""
    told = re.match(r"bytes (\d+)-\d+/(\d+|\*)$", answer.headers.get("Content-Range", ""))
    if answer.status_code not in (200, 206, 416):
        return True  # no answer about this part
    if notes is None or answer.status_code != 206 or told is None or int(told[1]) != have:
        return False
    return ((notes.size is None or told[2] in ("*", str(notes.size)))
            and answer.headers.get("ETag", notes.etag) == notes.etag
            and answer.headers.get("Last-Modified", notes.modified) == notes.modified)


def _refusal(answer: requests.Response, wanted: Wanted) -> str | None:
    """Why to try later; DataError if that would not help; None if the file comes."""
    code = answer.status_code
    if code in (200, 206):
        return None
    if code in BUSY:
        return f"el servidor está ocupado (respuesta {code})"
    why = {401: "pide permiso", 403: "lo niega", 404: "dice que no existe", 410: "dice que ya no existe"}.get(code, "no lo da")
    raise DataError(f"{wanted.path.name}: el servidor {why} (respuesta {code}) en {answer.url}; {wanted.remedy}.")


def _store(answer: requests.Response, wanted: Wanted, start: int, patience: Patience, progress: Tell) -> str | None:
    """Append what comes to the part; None when that is all of it."""
    length = answer.headers.get("Content-Length", "")
    total = start + int(length) if length.isdigit() else None
    _guard(wanted, total, start)
    notes = _Notes(wanted.address, answer.headers.get("ETag", ""), answer.headers.get("Last-Modified", ""), total)
    try:
        with wanted.part.open("ab" if start else "wb", buffering=0) as sink:
            wanted.notes.write_text(json.dumps(asdict(notes), sort_keys=True) + "\n", encoding="utf-8")
            done, slow = _pour(answer, sink, wanted, (start, total), patience, progress)
    except (requests.RequestException, StorageError):
        raise
    except OSError as fault:
        raise _unwritable(wanted.part, fault) from None
    if slow:
        return f"llegan menos de {patience.window_bytes:,} bytes en {patience.window_s:g} s"
    return None if total is None or done == total else "se cortó la conexión"


def _pour(answer: requests.Response, sink: FileIO, wanted: Wanted, span: tuple[int, int | None], patience: Patience,
          progress: Tell) -> tuple[int, bool]:
    """Bytes that the part then has, and whether it was given up as too slow."""
    done, total = span
    told = opened = time.monotonic()
    since = done
    while chunk := answer.raw.read1(CHUNK, decode_content=False):
        sink.write(chunk)
        done += len(chunk)
        if done > wanted.max_bytes:
            _drop(wanted)
            raise DataError(_too_big(wanted, done))
        now = time.monotonic()
        if now - told >= patience.tell_s:
            told = now
            share = f"{done / total:.0%} ({megabytes(done)} de {megabytes(total)})" if total else megabytes(done)
            progress(f"{wanted.path.name}: {share}")
        if now - opened >= patience.window_s:
            if done - since < patience.window_bytes:
                return done, done != total
            opened, since = now, done
    return done, False


def _guard(wanted: Wanted, total: int | None, have: int) -> None:
    if total is None:
        return
    if total > wanted.max_bytes:
        raise DataError(_too_big(wanted, total))
    if wanted.size is not None and total != wanted.size:
        raise DataError(f"{wanted.path.name}: el servidor ofrece {total:,} bytes y se declararon {wanted.size:,}; {wanted.remedy}.")
    free = shutil.disk_usage(wanted.path.parent).free
    if free < total - have:
        raise StorageError(f"{wanted.path.name}: faltan {megabytes(total - have - free)} de espacio en disco en {wanted.path.parent}; "
                           "libere espacio y repita la orden.")


def _too_big(wanted: Wanted, size: int) -> str:
    return f"{wanted.path.name}: pasa de {megabytes(wanted.max_bytes)} ({megabytes(size)}), más de lo esperado; {wanted.remedy}."


def _checked(wanted: Wanted) -> Received:
    """The part against all that is known of it; one that does not hold is deleted, as it is no use to go on from."""
    notes, size, sha256 = _read_notes(wanted), _length(wanted.part), digest(wanted.part)
    fault = content_fault(wanted.part, wanted.kind)
    if fault is None and wanted.size not in (None, size):
        fault = f"mide {size:,} bytes y se declararon {wanted.size:,}"
    if fault is None and wanted.sha256 not in (None, sha256):
        fault = f"tiene SHA-256 {sha256} y se declaró {wanted.sha256}"
    if fault is not None:
        _drop(wanted)
        raise DataError(f"{wanted.path.name}: lo que llegó {fault} ({wanted.address}); no se conservó nada; {wanted.remedy}.")
    return Received(sha256, size, notes.modified if notes else "")


def _in_words(fault: Exception, address: str) -> str:
    host = urlsplit(address).netloc
    if isinstance(fault, requests.exceptions.ProxyError):
        return f"el proxy no deja llegar a {host}"
    if isinstance(fault, requests.exceptions.Timeout | urllib3.exceptions.TimeoutError):
        return f"{host} dejó de contestar"
    return f"no hay conexión con {host}" if isinstance(fault, requests.exceptions.ConnectionError) else "se cortó la conexión"


def _read_notes(wanted: Wanted) -> _Notes | None:
    """What was noted of the part; None if nothing, if it is unreadable, or if it is of another address."""
    try:
        notes = _Notes(**json.loads(wanted.notes.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    return notes if notes.address == wanted.address else None


def _drop(wanted: Wanted) -> None:
    for path in (wanted.part, wanted.notes):
        path.unlink(missing_ok=True)


def _length(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _unwritable(path: Path, fault: OSError) -> StorageError:
    return StorageError(f"No se puede escribir {path} ({reason(fault)}); revise permisos y espacio en disco y repita la orden.")
