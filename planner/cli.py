"""The command line: what can be asked. One sentence on failure, exit 1, nothing half-written.

What a command needs is imported when it is called: the libraries of geography take seconds, and a reused run needs none.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from planner.commands.console import err, out, plain, print_rows
from planner.errors import DataError, PlannerError, SettingsError, StorageError
from planner.outputs.provenance import is_current
from planner.outputs.shelf import delete_run, prepared_folder, prepared_regions, rename_run, stored_runs
from planner.settings import find_scenario, load_scenario

app = typer.Typer(add_completion=False, invoke_without_command=True, pretty_exceptions_enable=False,
                  help="Planificador de cobertura y regionalización. data/ y runs/ viven en --home (o PLANNER_HOME, o aquí).")
SHIPPED = Path(__file__).parents[1]
RegionPath = Annotated[Path, typer.Argument(metavar="REGION.toml", help="Archivo de región")]
DataFolder = Annotated[Path | None, typer.Option("--data", metavar="DIR", help="Carpeta de los archivos (si no, la del archivo de región)")]
RegionName = Annotated[str, typer.Argument(metavar="NOMBRE", help="Región preparada, como hidalgo")]
Replace = Annotated[bool, typer.Option("--replace", help="Sustituir una corrida distinta con el mismo nombre")]
Workers = Annotated[int, typer.Option("--workers", min=1, max=512, help="Procesos a la vez en esta computadora")]
Memory = Annotated[str, typer.Option("--memory", metavar="BYTES", help="Memoria a lo más de cada proceso, como 4GiB (con Dask)")]
Scheduler = Annotated[str | None, typer.Option("--scheduler", metavar="DIRECCIÓN", help="Clúster de Dask que ya está en marcha, como "
                                               "tcp://127.0.0.1:8786")]
RunName = Annotated[str, typer.Argument(metavar="REGIÓN/CORRIDA")]


@app.callback()
def _options(
    context: typer.Context,
    home: Annotated[Path, typer.Option("--home", envvar="PLANNER_HOME", metavar="DIR", help="Carpeta de data/ y runs/")] = Path(),
    debug: Annotated[bool, typer.Option("--debug", help="Mostrar la traza completa de un fallo")] = False,  # noqa: ARG001 (main reads it)
) -> None:
    context.obj = home
    if context.invoked_subcommand is None:
        out.print(context.get_help())


@app.command()
def demo(context: typer.Context) -> None:
    """Escribir la región de demostración, sintética, en data/raw/demo."""
    from planner.commands import regions

    regions.demo(context.obj)


@app.command()
def fetch(
    context: typer.Context,
    entity: Annotated[str, typer.Argument(metavar="ENTIDAD", help="Clave o nombre del estado: 13 o Hidalgo")],
    sources: Annotated[Path, typer.Option("--sources", metavar="FILE", help="Direcciones oficiales")] = SHIPPED / "regions/fuentes.toml",
    mirror: Annotated[str | None, typer.Option("--mirror", metavar="URL", help="Tomar todo de este servidor, con las mismas rutas")] = None,
    roads: Annotated[Literal["geofabrik", "osmnx", "ninguna"], typer.Option("--roads", help="De dónde vienen los caminos")] = "geofabrik",
    month: Annotated[str | None, typer.Option("--month", metavar="AAAAMM", help="Mes del catálogo CLUES")] = None,
) -> None:
    """Bajar los archivos oficiales de un estado a data/raw, con reanudación y huella, y escribir su archivo de región."""
    _check_writable(context.obj / "data/raw")
    from planner.commands import regions

    regions.bring(context.obj, entity, sources, mirror, roads, month)


@app.command()
def doctor(region_file: RegionPath, data: DataFolder = None) -> None:
    """Decir qué está mal en los datos, cuánto y cómo remediarlo; sale con 1 si hay errores."""
    from planner.commands import regions

    regions.doctor(region_file, data)


@app.command()
def prepare(context: typer.Context, region_file: RegionPath, data: DataFolder = None) -> None:
    """Revisar, unir y guardar una región en data/processed/NOMBRE."""
    from planner.commands import regions

    _check_writable(context.obj / "data/processed")
    regions.prepare(context.obj, region_file, data)


@app.command()
def run(
    context: typer.Context,
    names: Annotated[list[str] | None, typer.Argument(metavar="[NOMBRE ...] [ESCENARIO.toml]", help="Regiones preparadas, como hidalgo; al "
                                                      "final, archivo o nombre del escenario; si falta, base")] = None,
    every: Annotated[bool, typer.Option("--all", help="Todas las regiones preparadas, como un país")] = False,
    replace: Replace = False,
    repeated: Annotated[Path | None, typer.Option("--from", metavar="manifest.json", help="Repetir la corrida de un manifiesto y decir si "
                                                  "sale igual")] = None,
    workers: Workers = 2, memory: Memory = "auto", scheduler: Scheduler = None,
) -> None:
    """Correr un escenario y escribir runs/NOMBRE/ESCENARIO; de varias regiones, cada una con lo que alcanza de sus vecinas, y el país."""
    home = context.obj
    if bool(names or every) == (repeated is not None):
        raise DataError("Diga qué correr: una o más regiones preparadas (planner run hidalgo), --all, o --from manifest.json; solo uno.")
    if repeated is not None:
        from planner.commands import runs

        runs.repeat(home, repeated)
        return
    regions, scenario = _asked(home, names or [], every)
    question = load_scenario(find_scenario(scenario, SHIPPED / "scenarios"))
    if len(regions) > 1:
        from planner.commands import nation

        nation.run(home, regions, question, replace=replace, workers=workers, memory=memory, scheduler=scheduler)
        return
    folder = home / "runs" / regions[0] / question.name
    if is_current(folder, prepared_folder(home, regions[0]), question):
        out.print(f"Sin cambios desde la última vez: se reutiliza {folder}.")
        return
    _check_writable(folder)
    from planner.commands import runs

    runs.run(home, regions[0], question, replace=replace)


def _asked(home: Path, names: list[str], every: bool) -> tuple[list[str], str | None]:
    """The regions and the scenario among the names: the last one is the scenario if it is no prepared region."""
    ready = prepared_regions(home)
    scenario = names[-1] if names and (every or len(names) > 1) and names[-1] not in ready else None
    regions = ready if every else names[:-1] if scenario else names
    if every and (len(names) > 1 or (names and scenario is None)):
        raise DataError("Con --all no se nombran regiones; a lo más un escenario.")
    if not regions:
        raise StorageError(f"No hay regiones preparadas en {home / 'data/processed'}; prepare una con: planner prepare ARCHIVO.toml.")
    if twice := sorted({name for name in regions if regions.count(name) > 1}):
        raise DataError(f"Se repite la región {', '.join(twice)}; nómbrela una vez.")
    return regions, scenario


@app.command()
def sweep(
    context: typer.Context, name: RegionName,
    scenarios: Annotated[list[str] | None, typer.Argument(metavar="[ESCENARIO ...]", help="Archivos o nombres; si faltan, los "
                                                          "incluidos menos decision")] = None,
    replace: Replace = False,
    jobs: Annotated[int, typer.Option("--jobs", min=1, max=64, help="Procesos a la vez")] = 2, scheduler: Scheduler = None,
) -> None:
    """Correr varios escenarios, varios a la vez; lo que no cambió se reutiliza."""
    folder = SHIPPED / "scenarios"
    asked = scenarios or [p.stem for p in sorted(folder.glob("*.toml")) if p.stem != "decision"]
    questions = [load_scenario(find_scenario(one, folder)) for one in asked]
    if twice := sorted({q.name for q in questions if [p.name for p in questions].count(q.name) > 1}):
        raise SettingsError(f"Hay escenarios con el mismo nombre ({', '.join(twice)}); cada corrida necesita el suyo.")
    prepared = prepared_folder(context.obj, name)
    if all(is_current(context.obj / "runs" / name / q.name, prepared, q) for q in questions):
        out.print(f"Sin cambios desde la última vez: se reutilizan {len(questions)} corridas de {context.obj / 'runs' / name}.")
        return
    _check_writable(context.obj / "runs" / name)
    from planner.commands import runs

    runs.sweep(context.obj, name, questions, replace=replace, jobs=jobs, scheduler=scheduler)


@app.command()
def compare(context: typer.Context, runs: Annotated[list[str], typer.Argument(metavar="CORRIDA CORRIDA [...]")],
            write: Annotated[Path | None, typer.Option("--write", metavar="DIR", help="Escribir también la comparación: página, libro, "
                                                       "tablas y capa de diferencias")] = None) -> None:
    """Comparar corridas con la primera: personas, dinero, lugares, equidad. CORRIDA es una carpeta o NOMBRE/ESCENARIO."""
    if len(runs) < 2:
        raise DataError("Se comparan al menos dos corridas, por ejemplo: planner compare hidalgo/base hidalgo/lluvias.")
    if write is not None:
        _check_writable(write)
    from planner.commands import runs as commands

    commands.compare(context.obj, runs, write)


@app.command(name="runs")
def list_runs(context: typer.Context, region: Annotated[str | None, typer.Argument(metavar="[NOMBRE]", help="Solo de esta región")] = None,
              ) -> None:
    """Listar las corridas guardadas, con su fecha y si están enteras."""
    found = stored_runs(context.obj, region)
    if not found:
        out.print(f"No hay corridas guardadas en {context.obj / 'runs'}" + (f" de la región «{region}»." if region else "."))
        return
    print_rows("Corridas guardadas", list(found[0]), [list(row.values()) for row in found])


@app.command()
def rename(context: typer.Context, stored: RunName, name: Annotated[str, typer.Argument(metavar="NUEVO")]) -> None:
    """Dar otro nombre a una corrida guardada."""
    out.print(f"La corrida está ahora en {rename_run(context.obj, stored, name)}.")


@app.command()
def delete(context: typer.Context, stored: RunName,
           yes: Annotated[bool, typer.Option("--yes", help="No preguntar")] = False) -> None:
    """Borrar una corrida guardada."""
    if not yes and not typer.confirm(f"¿Borrar {context.obj / 'runs' / stored}?"):
        out.print("No se borró nada.")
        return
    out.print(f"Se borró {delete_run(context.obj, stored)}.")


@app.command(name="app")
def open_app(context: typer.Context,
             port: Annotated[int, typer.Option("--port", min=1, max=65535, help="Puerto; si está ocupado, el siguiente libre")] = 8501,
             headless: Annotated[bool, typer.Option("--headless", help="No abrir el navegador")] = False) -> None:
    """Abrir la aplicación en el navegador, solo en esta computadora."""
    from planner.commands.page import open_page

    open_page(Path(context.obj), port, headless=headless)


def main() -> None:
    """Console entry: PlannerError becomes one sentence and exit code 1."""
    debug = "--debug" in sys.argv
    try:
        code = app(standalone_mode=False)
    except PlannerError as fault:
        if debug:
            raise
        err.print(f"[bold]Error:[/bold] {plain(str(fault))}")
        code = 1
    except typer.TyperException as fault:
        err.print(f"[bold]Error:[/bold] {plain(_usage(fault.format_message()))} Vea: planner --help")
        code = 1
    if code == 130:  # what Ctrl-C becomes
        err.print("Interrumpido: nada quedó a medias; lo terminado se reutiliza.")
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


def _check_writable(folder: Path) -> None:
    """Refuse before any long work what could not be written after it."""
    nearest = next(p for p in (folder, *folder.absolute().parents) if p.exists())
    if not nearest.is_dir() or not os.access(nearest, os.W_OK):
        raise StorageError(f"No se puede escribir {folder}: {nearest} no es una carpeta donde se pueda escribir; revise permisos o --home.")
