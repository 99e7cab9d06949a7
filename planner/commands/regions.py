"""The commands that bring a region in: demo, fetch, doctor, prepare."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import typer

from planner.checks import findings_table
from planner.commands.console import err, out, print_tables, told
from planner.demo.files import write_demo
from planner.errors import DataError
from planner.model import Finding, Region
from planner.region import prepare_region
from planner.sources.addresses import Roads
from planner.sources.officialfiles import fetch
from planner.store import write_region


def demo(home: Path) -> None:
    """Write the demo region."""
    written = write_demo(home / "data/raw/demo")
    out.print(f"Región sintética escrita. Siga con: planner prepare {written}")


def bring(home: Path, entity: str, sources: Path, mirror: str | None, roads: Roads, month: str | None) -> None:
    """Download the official files of a state."""
    written = fetch(entity, home / "data/raw", sources, mirror=mirror, roads=roads, month=month, progress=err.print)
    out.print(f"Archivo de región escrito. Siga con: planner prepare {written}")


def doctor(region_file: Path, data: Path | None) -> None:
    """Tell what the checks of a region find; exit 1 on errors."""
    try:
        region = prepare_region(region_file, data)
    except DataError as fault:
        _print_findings((Finding("dato_invalido", "error", str(fault), region_file.name, 1, (), "Corrija el archivo y repita."),))
        raise typer.Exit(1) from None
    _print_findings(region.findings)
    if any(f.severity == "error" for f in region.findings):
        raise typer.Exit(1)


def prepare(home: Path, region_file: Path, data: Path | None) -> None:
    """Check, join and store a region."""
    with told("Leyendo y revisando los archivos"):
        region = prepare_region(region_file, data)
    folder = home / "data/processed" / region.slug
    write_region(region, folder)
    _print_findings(region.findings)
    _print_region(region)
    out.print(f"Región guardada en {folder}. Siga con: planner run {region.slug}")


def _print_findings(findings: tuple[Finding, ...]) -> None:
    print_tables({"Revisión de los datos": findings_table(findings)})


def _print_region(region: Region) -> None:
    localities, units = region.localities, region.units
    rows = [("Localidades", len(localities)), ("Municipios", len(region.municipalities)), ("Personas", int(localities["population"].sum())),
            ("Unidades", len(units)), *((f"Unidades: {role}", n) for role, n in units["role"].value_counts().sort_index().items())]
    title = f"Región {region.name}" + (" (SINTÉTICA)" if region.synthetic else "")
    print_tables({title: pd.DataFrame(rows, columns=["Qué", "Cuántas"])})
