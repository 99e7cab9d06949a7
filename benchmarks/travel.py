"""The travel search beside its peers, in one table: `python benchmarks/travel.py --data ../shared/data/hidalgo`.

Both sides answer the same question on the same input and the answers are compared; each is asked in turn within one
process, five times (4,000^2 and pandana three), and the ratio is the median of the rounds. Seconds are those of the
processor (of the clock where two threads or pandana are timed), since the machine may be shared; GRASS's are those of its
module's process, which reads its rasters from disk and writes its answer there. `build` is what comes before the first
question: laying the network out for us, the matrix of arcs for scipy. Memory is the peak above what stood before, building
included; of the whole process beside GRASS and pandana.

GRASS is found on the path; pandana (AGPL) is installed in an environment of its own: `python -m venv X`,
`X/bin/pip install pandana`, then `--pandana X/bin/python`; scikit-image by `pip install scikit-image`.
"""

import argparse
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from travel_graphs import graphs, union
from travel_grids import grids, hidalgo
from travel_measure import HEAD, Row, warm
from travel_peers import Grass


def compilation(asked: argparse.Namespace) -> Iterator[Row]:  # noqa: ARG001
    """What the first call on a machine takes, and the first of a later process."""
    with tempfile.TemporaryDirectory() as cache:
        env = os.environ | {"NUMBA_CACHE_DIR": cache}
        cold, warm = (float(subprocess.run([sys.executable, __file__, "--warm"], env=env, check=True, capture_output=True).stdout)
                      for _ in range(2))
    yield Row("first call on this machine, kept on disk", "first call of a process", ours_s=cold, peer_s=warm)


def environment() -> str:
    """Processor, cores and versions."""
    cpu = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").exists():
        cpu = next((line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line), cpu)
    names = []
    for package in ("numpy", "numba", "scipy", "networkx", "scikit-image"):
        try:
            names.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            names.append(f"{package}: not installed")
    names.append(f"GRASS {Grass.version() or 'not installed'}")
    return f"{cpu}, {os.cpu_count()} cores; Python {platform.python_version()}, {', '.join(names)}"


ROWS = {"compilation": compilation, "graphs": graphs, "grids": grids, "hidalgo": hidalgo, "union": union}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder of Hidalgo's files")
    parser.add_argument("--pandana", help="a Python that has pandana")
    parser.add_argument("--only", choices=ROWS, action="append")
    parser.add_argument("--quick", action="store_true", help="small sizes: to see the table, not its figures")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--warm", help=argparse.SUPPRESS, action="store_true")
    asked = parser.parse_args()
    if asked.warm:
        print(warm())
    else:
        print(environment(), HEAD, sep="\n")
        warm()
        for name in asked.only or ROWS:
            for row in ROWS[name](asked):
                print(replace(row, met=None) if asked.quick else row, flush=True)


if __name__ == "__main__":
    main()
