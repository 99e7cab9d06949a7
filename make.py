"""`python make.py app` and `python make.py test`: set up once inside .venv, then open the app or run every check.

Only the standard library, so that it runs on a bare Python of 3.11 or newer, Windows included.
"""

import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
LOCK = ROOT / "requirements.lock"


def run(*command: str | Path) -> None:
    """Run a command in the project folder; end with its exit code if it fails."""
    code = subprocess.call([str(c) for c in command], cwd=ROOT)
    if code:
        sys.exit(code)


def set_up() -> None:
    """Create .venv and install the locked versions, unless the lock was installed before."""
    stamp = VENV / "installed.sha256"
    wanted = hashlib.sha256(LOCK.read_bytes() + (ROOT / "pyproject.toml").read_bytes()).hexdigest()
    if PYTHON.exists() and stamp.exists() and stamp.read_text() == wanted:
        return
    print("Preparing .venv (once) ...", flush=True)
    if not PYTHON.exists():
        venv.create(VENV, with_pip=True)
    pip = [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    has_uv = subprocess.call([str(c) for c in (*pip, "uv")], cwd=ROOT) == 0
    # compiled now, as pip does by itself: else the first start, and where Python may write nothing every start, takes twice as long
    install = [PYTHON, "-m", "uv", "pip", "install", "--quiet", "--compile-bytecode", "--python", PYTHON] if has_uv else pip
    run(*install, "--requirement", LOCK)
    run(*install, "--no-deps", "--editable", ROOT)
    stamp.write_text(wanted)


def app() -> None:
    """Open the app on the demo region, made and prepared where this version has none."""
    reads = "from pathlib import Path; from planner.store import read_region; read_region(Path('data/processed/demo'))"
    if subprocess.call([str(PYTHON), "-c", reads], cwd=ROOT, stderr=subprocess.DEVNULL):  # none yet, or of another version
        run(PYTHON, "-m", "planner", "demo")
        run(PYTHON, "-m", "planner", "prepare", "data/raw/demo/demo.toml")
    run(PYTHON, "-m", "planner", "app")


def test() -> None:
    """Lint, types, then every test; warnings are errors."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # tests start dozens of processes, which would each compile the planner anew
    run(PYTHON, "-m", "ruff", "check", ".")
    run(PYTHON, "-m", "mypy")
    run(PYTHON, "-m", "pytest", "-q", "-n", "2", "--dist", "worksteal", *sys.argv[2:])


if __name__ == "__main__":
    verbs = {"setup": lambda: None, "app": app, "test": test}
    if sys.version_info < (3, 11) or len(sys.argv) < 2 or sys.argv[1] not in verbs:
        sys.exit("Use Python 3.11 or newer: python make.py app | test | setup")
    set_up()
    verbs[sys.argv[1]]()
