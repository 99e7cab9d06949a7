"""Fixtures that several test folders share; puts this folder on the path for the hand-drawn valley.

What is costly is made once for all processes of a test run: see `once`.
"""

import os
import pickle
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from filelock import FileLock

sys.path.insert(0, str(Path(__file__).parent))

import valley
from cut_states import state

from planner.demo.files import write_demo
from planner.engine import ALONE
from planner.model import Region
from planner.outputs.nation import write_nation
from planner.outputs.runs import run_states
from planner.region import prepare_region
from planner.settings import Scenario
from planner.store import write_region

SHARED = Path(__file__).parents[2] / "shared"
Once = Callable[[str, Callable[[], Any]], Any]


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder of real data and outside truths; the test is skipped where it does not exist."""
    if not SHARED.is_dir():
        pytest.skip(f"no real data here: the folder {SHARED} is missing")
    return SHARED


@pytest.fixture(scope="session")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that every process of this test run sees."""
    own = tmp_path_factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "kept"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def once(kept: Path) -> Once:
    """`once(name, make)` gives what `make` makes, made by whichever process comes first; each process gets a copy of its own."""
    def made(name: str, make: Callable[[], Any]) -> Any:
        path = kept / f"{name}.pickle"
        with FileLock(f"{path}.lock"):
            if not path.exists():
                path.write_bytes(pickle.dumps(make()))
        return pickle.loads(path.read_bytes())
    return made


@pytest.fixture(scope="session")
def searches(kept: Path) -> Path:
    """Where travel that any test of a real or made-up state needs is kept."""
    return kept / ".viajes"


@pytest.fixture(scope="session")
def hidalgo(shared: Path, once: Once) -> Region:
    """The real state, prepared."""
    return once("hidalgo", lambda: prepare_region(Path(__file__).parents[1] / "regions/hidalgo.toml", shared / "data/hidalgo"))


@pytest.fixture(scope="session")
def nation_home(kept: Path, once: Once) -> Path:
    """A home with the valley as two adjoining states, their runs by one process, and their country; a test that changes it copies it."""
    def made() -> Path:
        home = kept / "pais"
        region = valley.region(responsibility=False)
        town = {key: "99001" if place[0] in "ABF" else "99002" for key, place in valley.PLACES.items()}
        whole = replace(region, localities=region.localities.assign(cve_mun=pd.Series(town)),
                        units=region.units.assign(cve_mun=["99001", "99002", "99001", "99002"]))
        for name, entity, key in (("Uno", "98", "99001"), ("Dos", "99", "99002")):
            write_region(state(whole, name, entity, [key], margin_m=500.0), home / "data/processed" / name.lower())
        assert [getattr(found, "reused", found) for found in run_states(home, ["dos", "uno"], Scenario(), engine=ALONE)] == [False, False]
        write_nation(home, ["dos", "uno"], Scenario())
        return home
    return once("nation_home", made)


@pytest.fixture(scope="session")
def demo_files(kept: Path, once: Once) -> Path:
    """The folder of the demo's files; a test that spoils some copies it first."""
    return once("demo_files", lambda: write_demo(kept / "demo").parent)


@pytest.fixture(scope="session")
def demo_region(demo_files: Path, once: Once) -> Region:
    """The demo, prepared."""
    return once("demo_region", lambda: prepare_region(demo_files / "demo.toml"))
