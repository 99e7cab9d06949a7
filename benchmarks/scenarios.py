"""Ten scenarios of Hidalgo end to end, each asked for a second time, and what a committee sees of base against lluvias.

    python benchmarks/scenarios.py --data ../shared/data/hidalgo

Everything is timed as a whole process, from an empty folder: no travel is kept from before.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
TEN = ("base", "lluvias", "vehiculo", "transporte_publico", "umbral_30", "presupuesto_300m", "sin_capacidad", "equidad_muy_alto",
       "solo_moviles", "incorporacion_ssa")


def planner(home: Path, *words: str) -> tuple[float, str]:
    """Seconds and what a command says; ends the benchmark if it fails."""
    started = time.perf_counter()
    done = subprocess.run([sys.executable, "-m", "planner", "--home", str(home), *words], cwd=ROOT, capture_output=True, text=True,
                          check=False)
    if done.returncode:
        sys.exit(done.stderr)
    return time.perf_counter() - started, done.stdout


def main() -> None:
    """Print every figure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="folder of Hidalgo's files")
    parser.add_argument("--jobs", default="2", help="processes at once")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        print(f"prepare: {planner(home, 'prepare', 'regions/hidalgo.toml', '--data', asked.data)[0]:.1f} s", flush=True)
        seconds, said = planner(home, "sweep", "hidalgo", *TEN, "--jobs", asked.jobs)
        print(f"{len(TEN)} scenarios end to end, {asked.jobs} at once: {seconds:.0f} s\n{said}", flush=True)
        again = {name: planner(home, "run", "hidalgo", name)[0] for name in TEN}
        print("asked again, s: " + ", ".join(f"{name} {s:.2f}" for name, s in again.items()), flush=True)
        print(planner(home, "compare", "hidalgo/base", "hidalgo/lluvias")[1])


if __name__ == "__main__":
    main()
