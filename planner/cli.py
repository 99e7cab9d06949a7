"""The command line: ask, call, tell. One sentence on failure, exit 1, nothing half-written."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from numbers import Integral
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer
from rich.console import Console
from rich.table import Table

from planner.checks import findings_table
from planner.demo.files import write_demo
from planner.errors import DataError, PlannerError, SettingsError, StorageError
from planner.model import Finding, Region
from planner.outputs.folder import write_run
from planner.outputs.manifest import MANIFEST, is_current
from planner.outputs.tables import compare_runs, summary_tables
from planner.region import prepare_region
from planner.scenarios import regionalized, run_scenario
from planner.settings import load_scenario
from planner.store import TRAVEL_CACHE, read_region, write_region

app = typer.Typer(add_completion=False, invoke_without_command=True, pretty_exceptions_enable=False,
                  help="Planificador de cobertura y regionalización. data/ y runs/ viven en --home (o PLANNER_HOME, o aquí).")
SHIPPED = Path(__file__).parents[1]
RegionPath = Annotated[Path, typer.Argument(metavar="REGION.toml", help="Archivo de región")]
DataFolder = Annotated[Path | None, typer.Option("--data", metavar="DIR", help="Carpeta de los archivos (si no, la del archivo de región)")]
WIDTH = None if sys.stdout.isatty() else 160  # a file or a pipe has no width of its own
out = Console(highlight=False, soft_wrap=True, width=WIDTH)
err = Console(stderr=True, highlight=False, soft_wrap=True)


@app.callback()
def _options(
    context: typer.Context,
    home: Annotated[Path, typer.Option("--home", envvar="PLANNER_HOME", metavar="DIR", help="Carpeta de data/ y runs/")] = Path(),
    debug: Annotated[bool, typer.Option("--debug", help="Mostrar la traza completa de un fallo")] = False,  # noqa: ARG001 (main reads it)
) -> None:
    context.obj = {"home": home}
    if context.invoked_subcommand is None:
        out.print(context.get_help())


@app.command()
def demo(context: typer.Context) -> None:
    """Escribir la región de demostración, sintética, en data/raw/demo."""
    written = write_demo(context.obj["home"] / "data/raw/demo")
    out.print(f"Región sintética escrita. Siga con: planner prepare {written}")


@app.command()
def doctor(region_file: RegionPath, data: DataFolder = None) -> None:
    """Decir qué está mal en los datos, cuánto y cómo remediarlo; sale con 1 si hay errores."""
    try:
        region = prepare_region(region_file, data)
    except DataError as fault:
        _print_findings((Finding("dato_invalido", "error", str(fault), region_file.name, 1, (), "Corrija el archivo y repita."),))
        raise typer.Exit(1) from None
    _print_findings(region.findings)
    if any(f.severity == "error" for f in region.findings):
        raise typer.Exit(1)


@app.command()
def prepare(context: typer.Context, region_file: RegionPath, data: DataFolder = None) -> None:
    """Revisar, unir y guardar una región en data/processed/NOMBRE."""
    _check_writable(context.obj["home"] / "data/processed")
    with _told("Leyendo y revisando los archivos"):
        region = prepare_region(region_file, data)
    folder = context.obj["home"] / "data/processed" / region.slug
    write_region(region, folder)
    _print_findings(region.findings)
    _print_region(region)
    out.print(f"Región guardada en {folder}. Siga con: planner run {region.slug}")


@app.command()
def run(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NOMBRE", help="Región preparada, como hidalgo")],
    scenario: Annotated[str | None, typer.Argument(metavar="[ESCENARIO.toml]", help="Archivo o nombre; si falta, base")] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Sustituir una corrida distinta con el mismo nombre")] = False,
) -> None:
    """Correr un escenario y escribir runs/NOMBRE/ESCENARIO."""
    started = time.perf_counter()
    home = context.obj["home"]
    question = load_scenario(_scenario_path(scenario))
    folder = home / "runs" / name / question.name
    prepared = _prepared(home, name)
    region = read_region(prepared)
    _check_writable(folder)
    if is_current(folder, prepared, question):
        out.print(f"Sin cambios desde la última vez: se reutiliza {folder}.")
        return
    if (folder / MANIFEST).exists() and not replace:
        raise StorageError(f"{folder} guarda una corrida con otros datos o supuestos; use --replace para sustituirla o cambie name.")
    with _told("Empezando") as progress:
        finished = run_scenario(region, question, progress=progress, cache=prepared.parent / TRAVEL_CACHE)
        finished = regionalized(finished, progress=progress)
        progress("Escribiendo archivos")
        write_run(folder, finished, prepared, elapsed_s=time.perf_counter() - started)
    for title, table in summary_tables(finished).items():
        _print_table(title, table)
    out.print(f"Corrida escrita en {folder} ({time.perf_counter() - started:.0f} s).")


@app.command()
def compare(context: typer.Context, runs: Annotated[list[str], typer.Argument(metavar="CORRIDA CORRIDA [...]")]) -> None:
    """Comparar corridas con la primera: personas, dinero, lugares, equidad. CORRIDA es una carpeta o NOMBRE/ESCENARIO."""
    if len(runs) < 2:
        raise DataError("Se comparan al menos dos corridas, por ejemplo: planner compare hidalgo/base hidalgo/lluvias.")
    base = context.obj["home"] / "runs"
    folders = [Path(r) if (Path(r) / "indicadores.json").exists() else base / r for r in runs]
    for title, table in compare_runs(folders).items():
        _print_table(title, table)


@app.command(name="app")
def open_app(context: typer.Context,
             port: Annotated[int, typer.Option("--port", min=1, max=65535, help="Puerto; si está ocupado, el siguiente libre")] = 8501,
             headless: Annotated[bool, typer.Option("--headless", help="No abrir el navegador")] = False) -> None:
    """Abrir la aplicación en el navegador, solo en esta computadora."""
    page = SHIPPED / "app.py"
    if not page.exists():
        raise StorageError(f"No está {page}: la aplicación se abre desde la carpeta del proyecto.")
    free = next((p for p in range(port, min(port + 50, 65536)) if _is_free(p)), None)
    if free is None:
        raise StorageError(f"Los puertos {port} y siguientes están ocupados; elija otro con --port.")
    command = [sys.executable, "-m", "streamlit", "run", str(page), "--server.port", str(free), "--server.headless", str(headless).lower()]
    out.print(f"La aplicación se abre en http://127.0.0.1:{free} (Ctrl-C la cierra).")
    environment = {**os.environ, "PLANNER_HOME": str(Path(context.obj["home"]).resolve())}
    if os.name == "posix":  # the server takes this process's place, so that whoever ends it ends the server
        os.chdir(SHIPPED)
        os.execve(sys.executable, command, environment)
    raise typer.Exit(subprocess.call(command, cwd=SHIPPED, env=environment))


def main() -> None:
    """Console entry: PlannerError becomes one sentence and exit code 1."""
    debug = "--debug" in sys.argv
    try:
        code = app(standalone_mode=False)
    except PlannerError as fault:
        if debug:
            raise
        err.print(f"[bold]Error:[/bold] {_plain(str(fault))}")
        code = 1
    except typer.TyperException as fault:
        err.print(f"[bold]Error:[/bold] {_plain(_usage(fault.format_message()))} Vea: planner --help")
        code = 1
    if code == 130:  # what Ctrl-C becomes
        err.print("Interrumpido: no se escribió nada.")
    sys.exit(code if isinstance(code, int) else 0)


def _usage(message: str) -> str:
    for english, spanish in _USAGE:
        message = re.sub(english, spanish, message)
    return message


_USAGE = (  # what the command-line library says of wrong words
    (r"No such command", "No existe la orden"), (r"No such option:?", "No existe la opción"), (r"Did you mean", "¿Quiso decir"),
    (r"Missing argument", "Falta"), (r"Missing option", "Falta la opción"), (r"Got unexpected extra arguments? ", "Sobra "),
    (r"Option ('\S+') requires an argument", r"La opción \1 necesita un valor"), (r"Invalid value for", "Valor no admitido de"),
    (r"Input should be a valid integer.*", "no es un número entero."), (r"Input should be (.*)", r"debe ser \1"),
    (r"is not a valid integer( range)?", "no es un número entero"), (r"is not in the range", "no está entre"),
)


def _scenario_path(given: str | None) -> Path | None:
    shipped = SHIPPED / "scenarios" / f"{given}.toml"
    if given is None or Path(given).is_file():
        return None if given is None else Path(given)
    if not shipped.is_file():
        names = sorted(p.stem for p in shipped.parent.glob("*.toml"))
        listed = f"los incluidos son {', '.join(names)}" if names else "los incluidos están en la carpeta del proyecto (make setup)"
        raise SettingsError(f"No existe el archivo de escenario {given}; {listed}.")
    return shipped


def _check_writable(folder: Path) -> None:
    """Refuse before any long work what could not be written after it."""
    nearest = next(p for p in (folder, *folder.absolute().parents) if p.exists())
    if not nearest.is_dir() or not os.access(nearest, os.W_OK):
        raise StorageError(f"No se puede escribir {folder}: {nearest} no es una carpeta donde se pueda escribir; revise permisos o --home.")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _prepared(home: Path, name: str) -> Path:
    folder = home / "data/processed" / name
    if not (folder / "manifest.json").exists():
        ready = sorted(p.parent.name for p in folder.parent.glob("*/manifest.json"))
        listed = f" Hay preparadas: {', '.join(ready)}." if ready else ""
        raise StorageError(f"La región «{name}» no está preparada en {folder.parent}.{listed} Prepárela con: planner prepare ARCHIVO.toml.")
    return Path(folder)


@contextmanager
def _told(first: str) -> Iterator[Callable[[str], None]]:
    """Tells each step of long work: a spinner on a terminal, plain lines elsewhere."""
    with err.status(first) if err.is_terminal else nullcontext() as status:
        def tell(step: str) -> None:
            if status:
                status.update(step)
            else:
                err.print(step)
        tell(first)
        yield tell


def _print_findings(findings: tuple[Finding, ...]) -> None:
    _print_table("Revisión de los datos", findings_table(findings))


def _print_region(region: Region) -> None:
    localities, units = region.localities, region.units
    rows = [("Localidades", len(localities)), ("Municipios", len(region.municipalities)), ("Personas", int(localities["population"].sum())),
            ("Unidades", len(units)), *((f"Unidades: {role}", n) for role, n in units["role"].value_counts().sort_index().items())]
    _print_table(f"Región {region.name}" + (" (SINTÉTICA)" if region.synthetic else ""), pd.DataFrame(rows, columns=["Qué", "Cuántas"]))


def _print_table(title: str, frame: pd.DataFrame) -> None:
    table = Table(title=title, title_justify="left", show_lines=False)
    for column in frame.columns:
        table.add_column(str(column), justify="right" if pd.api.types.is_numeric_dtype(frame[column]) else "left", overflow="fold")
    for row in frame.itertuples(index=False):
        table.add_row(*(_shown(v) for v in row))
    out.print(table)


def _shown(value: object) -> str:
    if value is None or value is pd.NA or (isinstance(value, float) and pd.isna(value)):
        return "–"
    if isinstance(value, float):
        shown = f"{value:,.0f}" if abs(value) >= 1000 or value.is_integer() else f"{value:,.2f}"
        return shown.removeprefix("-") if float(shown.replace(",", "")) == 0 else shown
    return f"{value:,}" if isinstance(value, Integral) else _plain(str(value))


def _plain(text: str) -> str:
    return text.replace("[", r"\[")
