"""The folder of a run: every file of its report, written beside and renamed when whole.

Equal runs give equal bytes; only manifest.json carries the date and the seconds.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from planner.keeping import digest, replacing
from planner.outputs.atlas import atlas_files
from planner.outputs.brief import brief_files
from planner.outputs.calendar import calendar_files
from planner.outputs.credits import credit_files
from planner.outputs.decisions import decision_files
from planner.outputs.geofiles import geo_files
from planner.outputs.jsonfiles import canonical_json
from planner.outputs.layers import dictionary
from planner.outputs.mappage import map_files
from planner.outputs.provenance import MANIFEST
from planner.outputs.qgisproject import project_files
from planner.outputs.regional import regional_files
from planner.outputs.report import Report, report_of
from planner.outputs.workbook import workbook_files
from planner.scenarios import Run

INDICATORS = "indicadores.json"
_DATE = (2000, 1, 1, 0, 0, 0)  # equal runs give equal bytes


def write_run(folder: Path, run: Run, prepared: Path, *, elapsed_s: float, around: Sequence[Path] = ()) -> None:
    """Write the files of a finished run into `folder`, in place of an older run there.

    `prepared` is the folder of the prepared region, `around` those of the regions at its borders. Nothing is touched unless everything
    could be written; StorageError otherwise.
    """
    report = report_of(run, prepared, around)
    with replacing(folder, MANIFEST, "una corrida") as new:
        for name, content in run_files(report):
            (new / name).parent.mkdir(exist_ok=True)
            (new / name).write_bytes(content)
        written = {p.relative_to(new).as_posix(): digest(p) for p in sorted(new.rglob("*")) if p.is_file()}
        dated = {"fecha": datetime.now(UTC).isoformat(timespec="seconds"), "segundos": round(elapsed_s, 1)}
        (new / MANIFEST).write_bytes(canonical_json({**report.about, **dated, "archivos": written}).encode())


def packed_run(report: Report, told: Callable[[str], None] = lambda _: None) -> bytes:
    """A zip of every file that `write_run` writes, its manifest without date and seconds; `told` each file before it is made."""
    packed = io.BytesIO()
    written: dict[str, str] = {}
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as target:
        for name, content in run_files(report):
            told(f"Escribiendo {name}")
            written[name] = hashlib.sha256(content).hexdigest()
            target.writestr(zipfile.ZipInfo(name, _DATE), content, zipfile.ZIP_DEFLATED)
        about = canonical_json({**report.about, "archivos": dict(sorted(written.items()))})
        target.writestr(zipfile.ZipInfo(MANIFEST, _DATE), about.encode(), zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def run_files(report: Report) -> Iterator[tuple[str, bytes]]:
    """Name and content of every file of a run but its manifest, made one after another."""
    for make in _FILES:
        yield from make(report).items()


def plain_files(report: Report) -> dict[str, bytes]:
    """indicadores.json and diccionario.csv."""
    told = dictionary().to_csv(index=False, lineterminator="\n").encode("utf-8-sig")
    return {INDICATORS: canonical_json(report.indicators).encode(), "diccionario.csv": told}


_FILES: tuple[Callable[[Report], Mapping[str, bytes]], ...] = (
    geo_files, plain_files, lambda told: calendar_files(told.run.region, told.run.plan, told.run.scenario),
    lambda told: decision_files(told.run), lambda told: regional_files(told.run), workbook_files, brief_files, atlas_files,
    map_files, project_files, credit_files)
