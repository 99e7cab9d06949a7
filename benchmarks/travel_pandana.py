"""pandana's side of benchmarks/travel.py, run by a Python that has pandana: `PYTHON travel_pandana.py graph.npz out.npz`.

Needs nothing of the planner. Distances are those from every node to its nearest units, so arcs come turned round.
"""

import resource
import sys
import time

import numpy as np
import pandas as pd
from pandana import Network

# pandana holds whole thousandths of its unit in 32 bits, and hangs where the way across the graph overflows them
PER_MIN = 1000.0


def main() -> None:
    graph = np.load(sys.argv[1])
    most = int(graph["most"])
    started = time.perf_counter()
    network = Network(graph["x"], graph["y"], graph["head"], graph["tail"], pd.DataFrame({"t": graph["minutes"] * PER_MIN}), twoway=False)
    build = time.perf_counter() - started
    x, y = pd.Series(graph["x"][graph["units"]]), pd.Series(graph["y"][graph["units"]])
    far = float(np.ceil(float(graph["longest"]) * PER_MIN))
    query: dict[int, list[float]] = {1: [], most: []}
    for k, seconds in query.items():
        for _ in range(int(graph["rounds"])):
            started = time.perf_counter()
            network.set_pois("units", far, k, x, y)
            found = network.nearest_pois(0.99 * far, "units", num_pois=k)  # asked as far as set, it ends the process
            seconds.append(time.perf_counter() - started)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    np.savez(sys.argv[2], minutes=found.to_numpy() / PER_MIN, build=build, query=query[1], query_k=query[most], peak=peak)


if __name__ == "__main__":
    main()
