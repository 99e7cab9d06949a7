"""Our side of a race with GRASS, alone in its process so that its whole memory is told: `travel_grid.py MODULE SIZE ROUNDS FOLDER`.

Leaves in the folder what GRASS is then asked (elevation, friction, start) and our minutes; prints seconds and memory.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np
from travel_measure import peak_mb, warm
from travel_worlds import isotropic, langmuir, terrain

from planner.travel import board
from planner.travel.network import Anchors, Network

STARTS = 100


def sources(friction: np.ndarray) -> np.ndarray:
    """Cells where the search starts, none of them in a lake."""
    return np.sort(np.random.default_rng(1).choice(np.flatnonzero(~np.isnan(friction.ravel())), STARTS, replace=False))


def world(module: str, size: int, folder: Path) -> tuple[Network, np.ndarray]:
    """The network of one module and where it starts; GRASS's inputs written. r.cost takes minutes per metre as seconds."""
    elevation, friction = terrain(size)
    starts = sources(friction)
    start = np.zeros((size, size), np.int32)
    start.ravel()[starts] = 1
    np.save(folder / "start.npy", start)
    np.save(folder / "elevation.npy", elevation)
    network = langmuir(elevation, friction) if module == "r.walk" else isotropic(friction)
    np.save(folder / "friction.npy", friction if module == "r.walk" else np.where(np.isinf(network.pace), np.nan, network.pace * 60))
    return network, starts


def main() -> None:
    module, size, rounds, folder = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4])
    warm()
    network, starts = world(module, size, folder)
    began = time.process_time()
    laid = board.lay_out(network)
    build, seconds, found = time.process_time() - began, [], None
    for _ in range(rounds):
        del found  # no two answers at once
        began = time.process_time()
        found = board.nearest(laid, Anchors.at(starts))
        seconds.append(time.process_time() - began)
    peak = peak_mb()
    np.save(folder / "minutes.npy", found.minutes)
    print(json.dumps({"build": build, "seconds": seconds, "peak_mb": peak}))


if __name__ == "__main__":
    main()
