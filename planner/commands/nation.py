"""The command that runs many states as one country."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import typer

from planner.commands.console import out, print_rows, told
from planner.commands.runs import print_made
from planner.engine import LOCAL, Engine, has_dask
from planner.outputs.folder import INDICATORS
from planner.outputs.jsonfiles import read_json
from planner.outputs.nation import write_nation
from planner.outputs.provenance import MANIFEST
from planner.outputs.runs import run_states
from planner.settings import Scenario


def run(home: Path, regions: Sequence[str], scenario: Scenario, *, replace: bool, workers: int, memory: str, scheduler: str | None) -> None:
    """Store a run of each region and the country of them all; exit 1, without a country, if one could not be made."""
    engine = Engine(workers, scheduler or (LOCAL if has_dask() else None), memory)
    with told(f"Corriendo {len(regions)} regiones") as progress:
        made = list(run_states(home, regions, scenario, replace=replace, engine=engine, progress=progress))
    if lacking := print_made(f"Corridas de «{scenario.name}»", "Región", regions, made):
        out.print(f"Sin corrida nacional: faltan {lacking} de {len(regions)} regiones; lo terminado se reutiliza al repetir la orden.")
        raise typer.Exit(1)
    folder = write_nation(home, regions, scenario)
    blocks = read_json(folder / INDICATORS)
    print_rows("Por entidad", ["Entidad", "Población", "A 60 min", "Hospital a 120", "Personas equiv.", "Con el plan"],
               [(name, *(block["actual"][key] for key in ("poblacion", "dentro_60", "hospital_120", "personas_equiv")),
                 block["plan"]["personas_equiv"]) for name, block in (*blocks["por_entidad"].items(), ("Nacional", blocks["total"]))])
    doubted = sum(read_json(folder / MANIFEST)["localidades_sin_certeza"].values())
    if doubted:
        out.print(f"{doubted:,} localidades tienen alguna unidad más lejos que todo umbral: por fuera del borde podría haber otra menos "
                  "lejos; los umbrales y el puntaje no dependen de ello.")
    out.print(f"Corrida nacional escrita en {folder}.")
