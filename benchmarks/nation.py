"""Eight equal states in one command: one worker against two, and a cluster that loses a worker; the bytes are compared.

    python benchmarks/nation.py [--states 8] [--rounds 3]

The states are the demo under eight keys in eight UTM zones, far enough apart that none is another's neighbour. Each round begins
without runs and without kept travel; seconds are those of the command's own function, the start of its workers included. Printed:
seconds of each round, the median ratio, the most that each worker held, and whether all files are the same.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import pandas as pd

from planner.demo.files import write_demo
from planner.engine import LOCAL, Engine
from planner.keeping import digest
from planner.model import Region, Roads
from planner.outputs.nation import write_nation
from planner.outputs.runs import run_states
from planner.region import prepare_region
from planner.settings import Scenario
from planner.store import TRAVEL_CACHE, write_region

FIRST_ZONE = 11
ID_COLUMNS = ("cvegeo", "clues", "cve_mun", "locality", "published_clues", "previous_clues")


def moved(region: Region, number: int) -> Region:
    """The region under another key and in another UTM zone, every id its own."""
    crs, key = f"EPSG:326{FIRST_ZONE + number}", f"{number + 1:02d}"

    def renamed(text: pd.Series) -> pd.Series:
        known = text.notna()
        return text.where(~known, key + text.where(known, "").astype("str").str[2:])

    def table(frame: pd.DataFrame | None) -> pd.DataFrame | None:
        if frame is None:
            return None
        out = frame.assign(**{name: renamed(frame[name]) for name in ID_COLUMNS if name in frame.columns})
        return out.set_axis(renamed(pd.Series(out.index)).to_numpy(), axis=0).rename_axis(out.index.name) if out.index.name else out

    def places(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
        out = gpd.GeoDataFrame(table(frame)).set_crs(crs, allow_override=True)
        degrees = out.geometry.to_crs(4326)
        return out.assign(lon=degrees.x, lat=degrees.y) if "lon" in out else out

    roads, barriers = region.roads, region.barriers
    return replace(
        region, name=f"Estado {key}", slug=f"estado_{key}", entity=key, crs=crs, grid=replace(region.grid, crs=crs),
        localities=places(region.localities), units=places(region.units), municipalities=places(region.municipalities),
        responsibility=table(region.responsibility), circuits=table(region.circuits), resources=table(region.resources),
        community=table(region.community), served=table(region.served),
        roads=None if roads is None else Roads(*(part.set_crs(crs, allow_override=True) for part in (roads.nodes, roads.edges))),
        barriers=None if barriers is None else barriers.set_crs(crs, allow_override=True))


@contextmanager
def watched(peaks: dict[int, float]) -> Iterator[None]:
    """Record the most memory (MiB) of every process below this one while the block runs."""
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.5):
            for status in Path("/proc").glob("[0-9]*/status"):
                try:
                    facts = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
                    command = (status.parent / "cmdline").read_bytes()
                except OSError:
                    continue
                if b"spawn_main" in command and "VmHWM" in facts:
                    peaks[int(facts["Pid"])] = int(facts["VmHWM"].split()[0]) / 1024

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def timed(home: Path, names: list[str], engine: Engine) -> tuple[float, dict[int, float], dict[str, str]]:
    """Seconds of one run of all states and of their country, peaks of the workers (MiB), and the digest of every file."""
    shutil.rmtree(home / "runs", ignore_errors=True)
    shutil.rmtree(home / "data/processed" / TRAVEL_CACHE, ignore_errors=True)
    peaks: dict[int, float] = {}
    started = time.perf_counter()
    with watched(peaks):
        found = list(run_states(home, names, Scenario(), engine=engine))
        write_nation(home, names, Scenario())
    seconds = time.perf_counter() - started
    assert not [one for one in found if isinstance(one, str)], found
    files = {str(p.relative_to(home)): digest(p) for p in sorted((home / "runs").rglob("*")) if p.is_file() and p.name != "manifest.json"}
    return seconds, peaks, files


def main() -> None:
    """Prepare, run and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--states", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        region = prepare_region(write_demo(home / "demo"))
        names = []
        for number in range(asked.states):
            state = moved(region, number)
            write_region(state, home / "data/processed" / state.slug)
            names.append(state.slug)
        print(f"{asked.states} states of {len(region.localities)} localities and {len(region.units)} units")
        ratios, prints = [], []
        for _ in range(asked.rounds):
            took = {}
            for workers in (1, 2):
                took[workers], peaks, files = timed(home, names, Engine(workers, LOCAL))
                prints.append(files)
                most = ", ".join(f"{mib:,.0f}" for mib in sorted(peaks.values(), reverse=True)[:workers])
                print(f"{workers} worker{'s' if workers > 1 else ''}: {took[workers]:.1f} s; at most {most} MiB each")
            ratios.append(took[1] / took[2])
        each = ", ".join(f"{ratio:.2f}" for ratio in ratios)
        print(f"two workers: {statistics.median(ratios):.2f} times as fast (median of {asked.rounds}; {each})")
        print(f"same bytes in all rounds: {all(one == prints[0] for one in prints)} ({len(prints[0])} files)")


if __name__ == "__main__":
    main()
