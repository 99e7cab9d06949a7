"""The commands that ask and compare: run, sweep, compare, and a run repeated from its manifest."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import typer

from planner.commands.console import err, out, plain, print_rows, print_tables, told
from planner.engine import Engine
from planner.outputs.compared import comparison_tables
from planner.outputs.comparison import compare as compared
from planner.outputs.comparisonfolder import write_comparison
from planner.outputs.finished import read_finished
from planner.outputs.runs import Stored, repeat_run, store_run
from planner.outputs.runs import sweep as swept
from planner.outputs.tables import summary_tables
from planner.settings import Scenario

_MOST = 12  # files named at most


def run(home: Path, region: str, scenario: Scenario, *, replace: bool) -> None:
    """Run a scenario and store it, or reuse what stands."""
    with told("Empezando") as progress:
        stored = store_run(home, region, scenario, replace=replace, progress=progress)
    if stored.run is None:
        out.print(f"Sin cambios desde la última vez: se reutiliza {stored.folder}.")
        return
    print_tables(summary_tables(stored.run))
    out.print(f"Corrida escrita en {stored.folder} ({stored.seconds:.0f} s).")


def sweep(home: Path, region: str, scenarios: Sequence[Scenario], *, replace: bool, jobs: int, scheduler: str | None) -> None:
    """Store a run of each scenario; exit 1 if one could not be, after all others."""
    with told(f"Corriendo {len(scenarios)} escenarios") as progress:
        made = list(swept(home, region, scenarios, replace=replace, engine=Engine(jobs, scheduler), progress=progress))
    if print_made(f"Corridas de {region}", "Escenario", [one.name for one in scenarios], made):
        raise typer.Exit(1)


def print_made(title: str, what: str, names: Sequence[str], made: Sequence[Stored | str]) -> int:
    """What became of several runs: a table of those that stand, a sentence for each that does not; how many do not."""
    pairs = list(zip(names, made, strict=True))
    faults = [one for one in made if isinstance(one, str)]
    print_rows(title, [what, "Estado", "Segundos", "Carpeta"],
               [(name, "reutilizada" if one.reused else "escrita", round(one.seconds, 1), str(one.folder))
                for name, one in pairs if not isinstance(one, str)])
    for fault in faults:
        err.print(f"[bold]Error:[/bold] {plain(fault)}")
    return len(faults)


def repeat(home: Path, path: Path) -> None:
    """Repeat a run from its manifest; exit 1 if a file comes out otherwise."""
    with told("Repitiendo la corrida") as progress:
        found = repeat_run(home, path, progress)
    for line in found.origin:
        out.print(f"Difiere el origen: {plain(line)}.")
    if found.kept is not None:
        out.print(f"La corrida no estaba guardada; queda en {found.kept}.")
    if found.equal:
        out.print(f"Igual: los {found.files} archivos, byte por byte.")
        return
    more = ", …" if len(found.unlike) > _MOST else ""
    out.print(f"Difieren {len(found.unlike)} archivos de {found.files}: {', '.join(found.unlike[:_MOST])}{more}.")
    raise typer.Exit(1)


def compare(home: Path, runs: Sequence[str], write: Path | None) -> None:
    """Tell what changes between runs, and write it where asked."""
    found = compared(read_finished([Path(r) if (Path(r) / "indicadores.json").exists() else home / "runs" / r for r in runs]))
    print_tables(comparison_tables(found))
    if write is not None:
        write_comparison(write, found)
        out.print(f"Comparación escrita en {write}.")
