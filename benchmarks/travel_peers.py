"""Peers of benchmarks/travel.py that run as processes of their own: modules of GRASS GIS, and pandana in its environment."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from travel_measure import peak_mb


def ask_pandana(python: str, **graph: Any) -> dict[str, np.ndarray]:
    """What travel_pandana.py answers when run by another Python: minutes to the nearest units, seconds and memory."""
    with tempfile.TemporaryDirectory() as folder:
        asked, told = Path(folder, "asked.npz"), Path(folder, "told.npz")
        np.savez(asked, **graph)
        subprocess.run([python, Path(__file__).parent / "travel_pandana.py", asked, told], check=True, stdout=subprocess.DEVNULL)
        return dict(np.load(told))


class Grass:
    """Modules of GRASS GIS in a fresh location without projection: seconds and memory are those of the module's process."""

    def __init__(self, folder: Path, size: int, cell_m: float) -> None:
        self.folder, self.size = folder, size
        base = subprocess.run(["grass", "--config", "path"], capture_output=True, text=True, check=True).stdout.strip()
        subprocess.run(["grass", "-c", "XY", folder / "world", "-e"], capture_output=True, check=True)
        (folder / "gisrc").write_text(f"GISDBASE: {folder}\nLOCATION_NAME: world\nMAPSET: PERMANENT\nGUI: text\n")
        self.env = os.environ | {"GISBASE": base, "GISRC": str(folder / "gisrc"), "PATH": f"{base}/bin:{os.environ['PATH']}",
                                 "LD_LIBRARY_PATH": f"{base}/lib"}
        self.edges = {"north": size * cell_m, "south": 0, "east": size * cell_m, "west": 0, "rows": size, "cols": size}
        self.run("g.region", **{name[0] if name in ("north", "south", "east", "west") else name: v for name, v in self.edges.items()})

    @staticmethod
    def version() -> str:
        """Version of the installed GRASS, empty where there is none."""
        if not shutil.which("grass"):
            return ""
        return subprocess.run(["grass", "--config", "version"], capture_output=True, text=True, check=True).stdout.strip()

    def run(self, *command: str, **options: Any) -> tuple[float, float]:
        """Processor seconds (user and system) and peak MB of one module."""
        with (self.folder / "log").open("wb") as log:
            process = subprocess.Popen([*command, *(f"{k}={v}" for k, v in options.items())], env=self.env, stdout=log, stderr=log)
            done, peak = 0, 0.0
            while not done:  # the peak that wait4 tells would be ours where ours is higher: a child starts as a copy of its parent
                time.sleep(0.02)
                peak = max(peak, peak_mb(process.pid))
                done, status, used = os.wait4(process.pid, os.WNOHANG)
        if status:
            raise RuntimeError((self.folder / "log").read_text())
        return used.ru_utime + used.ru_stime, peak

    def put(self, name: str, values: np.ndarray, null: float) -> None:
        """A raster from an array of int32, float32 or float64."""
        values.tofile(self.folder / "in.bin")
        kind = {"i4": [], "f4": ["-f"], "f8": ["-d"]}[values.dtype.str[1:]]
        self.run("r.in.bin", *kind, *([] if "-d" in kind else [f"bytes={values.itemsize}"]), input=self.folder / "in.bin", output=name,
                 anull=null, **self.edges)

    def get(self, name: str) -> np.ndarray:
        """A raster as float64, null as inf."""
        self.run("r.out.bin", "-f", input=name, output=self.folder / "out.bin", bytes=8, null=-1)
        values = np.fromfile(self.folder / "out.bin").reshape(self.size, self.size)
        values[values < 0] = np.inf
        return values
