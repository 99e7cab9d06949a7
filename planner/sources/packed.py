"""What a file that arrived really is, and one file taken out of a zip; both without trust in who sent them."""

from __future__ import annotations

import os
import re
import shutil
import stat
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import Literal

from planner.errors import DataError, StorageError, reason

Kind = Literal["zip", "xlsx", "pbf"]
NAMED = {"zip": "un zip", "xlsx": "un libro de Excel", "pbf": "un extracto de OpenStreetMap (.osm.pbf)"}
MAX_BYTES = 2 * 1024**3  # of what is taken out of one zip
MAX_RATIO = 300  # official workbooks and tables pack up to some twenty times smaller
SLACK = 1 << 20
# How a file begins that GDAL reads: by another beginning it would open another kind, some of which only name other files.
_BEGINS = {"tif": (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"), "gpkg": (b"SQLite format 3\0",), "geojson": (b"{",), "shp": (b"\0\0\x27\x0a",)}
_BEGINS["tiff"] = _BEGINS["tif"]
_HEAD = 1 << 16
_TITLE = re.compile(r"<title[^>]*>(.*?)</title", re.IGNORECASE | re.DOTALL)


def content_fault(path: Path, kind: Kind) -> str | None:
    """Why the file is not of its kind, in words; None if it is."""
    with path.open("rb") as source:
        head = source.read(1 << 14)
    text = head.decode("utf-8", "replace").lstrip("\ufeff \t\r\n")
    if text.startswith("<"):
        title = _TITLE.search(text)
        words = " ".join(re.sub(r"<[^>]*>?", " ", title[1] if title else text).split())
        plain = "".join(c for c in words if c.isprintable())[:80]
        return f"es una página web («{plain}») y no {NAMED[kind]}"
    if kind == "pbf":
        good = 0 < int.from_bytes(head[:4], "big") < 1 << 16 and b"OSMHeader" in head[:64]
    else:
        good = head.startswith(b"PK") and _opens(path, kind)
    return None if good else f"no es {NAMED[kind]} completo"


def is_named_so(path: Path) -> bool:
    """Whether a file that GDAL would open is of the kind that its ending names; one of another ending is not looked at."""
    ending = path.suffix[1:].lower()
    with path.open("rb") as source:
        head = source.read(_HEAD)
    layer = ending != "geojson" or (re.search(rb'"type"\s*:\s*"Feature', head) and b"gdal_streamed_alg" not in head)
    return ending not in _BEGINS or bool(layer and head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(_BEGINS[ending]))


def matching(folder: Path, pattern: str) -> list[Path]:
    """Files of the folder whose name the pattern tells, whatever their case."""
    found = folder.iterdir() if folder.is_dir() else ()
    return sorted(p for p in found if p.is_file() and re.fullmatch(pattern, p.name, re.IGNORECASE))


def unpack(archive: Path, pattern: str, remedy: str) -> Path:
    """Take out, beside the zip, the one file whose name the pattern tells; a shapefile comes with its companions.

    Folders inside the zip are not made: only the bare name counts. DataError for a zip that is broken, has no such
    file or several, tries to write elsewhere, or unpacks to more than it could honestly hold; StorageError on writing.
    """
    try:
        with zipfile.ZipFile(archive) as packed:
            entries = [e for e in packed.infolist() if not e.is_dir()]
            _refuse_tricks(archive, entries)
            main = _main(archive, entries, pattern, remedy)
            wanted = _companions(main, entries)
            _refuse_bombs(archive, wanted)
            for entry in wanted:
                _take(packed, entry, archive.with_name(_bare(entry)))
    except (zipfile.BadZipFile, zlib.error, EOFError):
        raise DataError(f"{archive.name}: el zip está dañado o incompleto; bórrelo y repita la orden.") from None
    except (RuntimeError, NotImplementedError):
        raise DataError(f"{archive.name}: el zip tiene contraseña o una compresión desconocida; {remedy}.") from None
    return archive.with_name(_bare(main))


def refuse_unsound(archive: Path) -> None:
    """DataError for a zip or workbook with an entry that tries to be written elsewhere, or that would unpack to too much."""
    with zipfile.ZipFile(archive) as packed:
        entries = packed.infolist()
    _refuse_tricks(archive, entries)
    _refuse_bombs(archive, entries)


def _opens(path: Path, kind: Kind) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return kind == "zip" or "xl/workbook.xml" in archive.namelist()
    except (zipfile.BadZipFile, EOFError, ValueError):
        return False


def _bare(entry: zipfile.ZipInfo) -> str:
    return PurePosixPath(entry.filename.replace("\\", "/")).name


def _refuse_tricks(archive: Path, entries: list[zipfile.ZipInfo]) -> None:
    for entry in entries:
        path = PurePosixPath(entry.filename.replace("\\", "/"))
        outside = path.is_absolute() or ".." in path.parts or re.match(r"[A-Za-z]:", entry.filename)
        if outside or stat.S_ISLNK(entry.external_attr >> 16):
            raise DataError(f"{archive.name}: trae una ruta que sale de su carpeta ({entry.filename[:80]!r}); "
                            "no es un archivo oficial sano y no se desempaca; bórrelo.")


def _main(archive: Path, entries: list[zipfile.ZipInfo], pattern: str, remedy: str) -> zipfile.ZipInfo:
    found = [e for e in entries if re.fullmatch(pattern, _bare(e), re.IGNORECASE) and "__MACOSX" not in e.filename]
    if len(found) == 1:
        return found[0]
    names = sorted(_bare(e) for e in found or entries)
    listed = ", ".join(n[:60] for n in names[:5]) + (", …" if len(names) > 5 else "")
    what = f"trae {len(found)} archivos" if found else "no trae ningún archivo"
    raise DataError(f"{archive.name}: {what} con nombre como «{pattern}» (trae {listed or 'nada'}); ajuste «unpack», o {remedy}.")


def _companions(main: zipfile.ZipInfo, entries: list[zipfile.ZipInfo]) -> list[zipfile.ZipInfo]:
    """The file, and for a shapefile those of the same folder and stem, itself last: it stands only when all do."""
    if not main.filename.lower().endswith(".shp"):
        return [main]
    stem = main.filename[:-4]
    return [*(e for e in entries if e.filename[:-4] == stem and e.filename[-4:-3] == "." and e is not main), main]


def _refuse_bombs(archive: Path, entries: list[zipfile.ZipInfo]) -> None:
    for entry in entries:
        if entry.file_size > MAX_RATIO * entry.compress_size + SLACK or sum(e.file_size for e in entries) > MAX_BYTES:
            raise DataError(f"{archive.name}: {_bare(entry)} ocuparía {entry.file_size / 1e6:,.0f} MB al desempacarlo, más de lo que un "
                            "archivo oficial ocupa; no se desempaca; bórrelo y revise de dónde viene.")


def _take(packed: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path) -> None:
    """`zipfile` reads no more bytes than the entry declares, and checks their sum."""
    part = target.with_name(f"{target.name}.part")
    try:
        with packed.open(entry) as source, part.open("wb") as sink:
            shutil.copyfileobj(source, sink, 1 << 20)
        os.replace(part, target)
    except OSError as fault:
        raise StorageError(f"No se puede escribir {target} ({reason(fault)}); revise permisos y espacio en disco.") from None
    finally:
        part.unlink(missing_ok=True)
