"""GRASS's r.walk and r.cost on a real island, under their own formulas: the engine of AccessMod as a live peer."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from small_steps import factors

from planner.model import STEPS
from planner.sources.rasters import read_elevation
from planner.travel.board import lay_out, nearest
from planner.travel.network import Anchors, Network

CELL_M, SHAPE = 90.0, (300, 300)
WEST, NORTH = 321_000.0, 8_713_000.0  # Grande Comore's Karthala, 0 to 2,350 m
FLAT, UP, DOWN, STEEP, FROM = 0.72, 6.0, 1.9998, -1.9998, -0.2125  # Langmuir, seconds a metre; tangent from which down is steep


@pytest.fixture(scope="module")
def island(shared: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Elevation (m), friction (seconds a metre, NaN in the sea) and flat cells of twenty starts."""
    tiles = sorted((shared / "data" / "comoros" / "raw" / "srtm").glob("*.hgt.zip"))
    z, _ = read_elevation(tiles, "EPSG:32738", (CELL_M, 0.0, WEST, 0.0, -CELL_M, NORTH), SHAPE)
    rng = np.random.default_rng(3)
    friction = np.where(z > 0.5, rng.random(SHAPE) * 0.5, np.nan).astype(np.float32)
    return z, friction, np.sort(rng.choice(np.flatnonzero(np.isfinite(friction)), 20, replace=False))


@pytest.fixture(scope="module")
def grass(island, tmp_path_factory) -> dict[str, np.ndarray]:
    """What GRASS says: walk and cost, with and without knight's moves; NaN where it reaches nothing."""
    if shutil.which("grass") is None:
        pytest.skip("GRASS is not installed here (apt-get install grass-core)")
    folder = tmp_path_factory.mktemp("grass")
    z, friction, starts = island
    start = np.full(SHAPE, np.nan)
    start.ravel()[starts] = 1
    height, width = SHAPE
    lines = ["set -e", f"g.region n={height * CELL_M} s=0 w=0 e={width * CELL_M} res={CELL_M}"]
    for name, layer in (("dem", z), ("friction", friction), ("start", start)):
        np.where(np.isnan(layer), -9999, layer).astype("<f4").tofile(folder / name)
        lines.append(f"r.in.bin -f --q input={folder / name} output={name} bytes=4 anull=-9999 rows={height} cols={width} "
                     f"n={height * CELL_M} s=0 w=0 e={width * CELL_M}")
    runs = {"walk8": "r.walk", "walk16": "r.walk -k", "cost8": "r.cost", "cost16": "r.cost -k"}
    for name, command in runs.items():
        given = (f"elevation=dem friction=friction walk_coeff={FLAT},{UP},{DOWN},{STEEP} slope_factor={FROM} lambda=1"
                 if name.startswith("walk") else "input=friction")
        lines.append(f"{command} --q {given} start_raster=start output={name}")
        lines.append(f"r.out.bin -f --q input={name} output={folder / name} bytes=8 null=-1")
    done = subprocess.run(["grass", "--tmp-location", "XY", "--exec", "bash", "-c", "\n".join(lines)],
                          capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    told = {name: np.fromfile(folder / name, "<f8").reshape(SHAPE) for name in runs}
    return {name: np.where(values < 0, np.nan, values) for name, values in told.items()}


@pytest.mark.parametrize("neighbours", [8, 16])
@pytest.mark.parametrize("kind", ["walk", "cost"])
def test_equal_to_grass(island, grass, kind, neighbours):
    """p99 of the relative difference within 1e-5, and the same cells reached."""
    z, friction, starts = island[0].astype(float), island[1].astype(float), island[2]

    def cost(k, here, cells):
        """Friction is the mean of the cells crossed; climbing goes from end to end."""
        rub = np.mean([friction[at] for at in cells], axis=0)
        if kind == "cost":
            return rub
        slope = (z[cells[1]] - z[here]) / (CELL_M * np.hypot(*STEPS[k]))
        return rub + FLAT + slope * np.where(slope >= 0, UP, np.where(slope >= FROM, DOWN, STEEP))

    pace = np.where(np.isfinite(friction), friction + (FLAT if kind == "walk" else 0.0), np.inf)
    found = nearest(lay_out(Network(pace, CELL_M, neighbours, factors(pace, neighbours, cost))), Anchors.at(starts))
    ours = found.minutes.reshape(SHAPE) * (1.0 if kind == "walk" else 1 / CELL_M)  # r.cost counts in cells
    theirs = grass[f"{kind}{neighbours}"]
    np.testing.assert_array_equal(np.isfinite(ours), np.isfinite(theirs))
    assert np.isfinite(theirs).sum() > 30_000
    away = theirs > 0
    assert np.quantile(np.abs(ours - theirs)[away] / theirs[away], 0.99) <= 1e-5
    assert (np.abs(ours - theirs)[away] / theirs[away]).max() <= 1e-6
