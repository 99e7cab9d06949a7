"""What benchmarks/travel.py measures with: contestants asked in turn, GRASS as a process of its own, this process's memory."""

from __future__ import annotations

import contextlib
import os
import shutil
import statistics
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

MB = 1024  # kB


@dataclass
class Contestant:
    """Someone who builds once and is then asked; `ask` takes what `build` gave."""

    build: Callable[[], Any]
    ask: Callable[[Any], Any]
    built_s: float = 0.0
    seconds: list[float] = field(default_factory=list)
    peak_mb: float = float("nan")  # above what stood before, of building and asking
    answer: Any = None

    @property
    def typical_s(self) -> float:
        return statistics.median(self.seconds)


def race(contestants: list[Contestant], rounds: int, clock: Callable[[], float] = time.process_time) -> list[Contestant]:
    """All build and are asked once apart (caches warm, memory watched), then each in turn, `rounds` times."""
    built = []
    for who in contestants:
        before = _reset_peak()
        started = clock()
        built.append(who.build())
        who.built_s = clock() - started
        who.answer = who.ask(built[-1])
        who.peak_mb = peak_mb() - before
    for _ in range(rounds):
        for who, what in zip(contestants, built, strict=True):
            started = clock()
            who.ask(what)
            who.seconds.append(clock() - started)
    return contestants


def gain(ours: Contestant, peer: Contestant, *, built: bool = False) -> float:
    """How many times our time the peer took, round by round, the median; with what both built where asked."""
    more = (peer.built_s, ours.built_s) if built else (0.0, 0.0)
    return statistics.median((p + more[0]) / (o + more[1]) for o, p in zip(ours.seconds, peer.seconds, strict=True))


def _reset_peak() -> float:
    with contextlib.suppress(OSError):  # Linux alone
        Path("/proc/self/clear_refs").write_text("5")
    return peak_mb()


def peak_mb(process: int | str = "self") -> float:
    """Most memory a process has held since its start or since the peak was reset; 0 where the system does not tell."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{process}/status").read_text().splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1]) / MB
    return 0.0


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
