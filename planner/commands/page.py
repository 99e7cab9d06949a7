"""The command that opens the page."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import typer

from planner.commands.console import out
from planner.errors import StorageError

_ROOT = Path(__file__).parents[2]


def open_page(home: Path, port: int, *, headless: bool) -> None:
    """Serve the page on this computer alone until it is ended. StorageError without the page's file or a free port."""
    page = _ROOT / "app.py"
    if not page.exists():
        raise StorageError(f"No está {page}: la aplicación se abre desde la carpeta del proyecto.")
    free = next((p for p in range(port, min(port + 50, 65536)) if is_free(p)), None)
    if free is None:
        raise StorageError(f"Los puertos {port} y siguientes están ocupados; elija otro con --port.")
    command = [sys.executable, "-m", "streamlit", "run", str(page), "--server.port", str(free), "--server.headless", str(headless).lower()]
    out.print(f"La aplicación se abre en http://127.0.0.1:{free} (Ctrl-C la cierra).")
    environment = {**os.environ, "PLANNER_HOME": str(home.resolve())}
    if os.name == "posix":  # the server takes this process's place, so that whoever ends it ends the server
        os.chdir(_ROOT)
        os.execve(sys.executable, command, environment)
    raise typer.Exit(subprocess.call(command, cwd=_ROOT, env=environment))


def is_free(port: int) -> bool:
    """Whether nobody listens on a port of this computer."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
