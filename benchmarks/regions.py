"""Districts beside spopt (max-p, SKATER, AZP, ward, region-k-means): the same areas, neighbours and traits for all.

    python benchmarks/regions.py [--limit 120] [cuadricula estados hidalgo localidades mexico]

Each method runs in a process of its own and is stopped after `--limit` seconds, which is told. Minutes are in a straight line at
40 km/h, an assumption (`supuesto`). Seconds are of the call alone, processor seconds beside them; ours is asked twice in its process,
so that the first call's compiling shows. Real maps are read from ../shared/data (INEGI, IMSS-BIENESTAR), states from libpysal.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
import warnings
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
from scipy.spatial import Delaunay

from planner.decide.regional.areas import Areas, straight_areas
from planner.decide.regional.measures import canonical, measures, score
from planner.decide.regional.partition import partition
from planner.decide.regional.rules import Rules, around_mean
from planner.decide.regional.start import features

DATA = Path(__file__).parents[2] / "shared/data"
KMH, CUTOFF_MIN = 40.0, 360.0
METRES = 6372  # EPSG, Mexico in metres
# Input: districts asked and tolerance around the mean.
ASKED = {"cuadricula": (8, 0.1), "estados": (6, 0.6), "hidalgo": (12, 0.98), "localidades": (12, 0.2), "mexico": (200, 2.1)}
METHODS = ("planner", "ward", "skater", "azp", "regionkmeans", "maxp")


def grid(side: int = 11) -> Areas:
    """Cells of 10 km, Pareto people from seed 0, every eleventh with a hospital."""
    rng = np.random.default_rng(0)
    n = side * side
    row, column = np.divmod(np.arange(n), side)
    right, down = [(i, i + 1) for i in range(n) if column[i] < side - 1], [(i, i + side) for i in range(n - side)]
    edges = np.array(sorted(right + down))
    xy = np.column_stack([column, -row]) * 10_000.0
    people, at = np.ceil(rng.pareto(2.5, n) * 1000) + 500, np.arange(5, n, 11)
    minutes = np.hypot(*(xy[:, None] - xy[at][None]).transpose(2, 0, 1)) / (KMH * 1000 / 60)
    return Areas(pd.Index([f"{i:05d}" for i in range(n)]), people, edges, np.full(len(edges), 1e4), np.full(n, 4e4), np.full(n, 1e8), xy,
                 at, pd.Index(at.astype("str")), np.arange(n), people, minutes)


def states() -> Areas:
    """The 32 states of libpysal's `mexico`, as many people as pesos a head in 2000 for want of people, four capitals with hospital."""
    from libpysal import examples

    table = gpd.read_file(examples.get_path("mexicojoin.shp")).sort_values("CODE").set_index("CODE")
    table = table.set_crs(4326, allow_override=True).to_crs(METRES)
    inside = table.representative_point()
    places = gpd.GeoDataFrame({"area": table.index, "people": table["PCGDP2000"].to_numpy(float)}, geometry=inside.to_numpy(), crs=METRES,
                              index=table.index)
    return straight_areas(table.geometry, places, places[["area", "geometry"]].iloc[::5], KMH, 1440.0)


def hospitals(ids: pd.Index) -> gpd.GeoDataFrame:
    units = pd.read_parquet(DATA / "national/imb_clues_national_2026-08.parquet")
    units = units[units["nivel_atencion"].isin(["SEGUNDO NIVEL", "TERCER NIVEL"]) & (units["estatus_de_operacion"] == "EN OPERACION")
                  & units["latitud"].notna()]
    area = units["clave_de_la_entidad"].astype(int).map("{:02d}".format) + units["clave_del_municipio"].astype(int).map("{:03d}".format)
    units = units.assign(area=area)[area.isin(ids)].drop_duplicates("clues_imb").set_index("clues_imb")
    return gpd.GeoDataFrame(units[["area"]], geometry=gpd.points_from_xy(units["longitud"], units["latitud"]), crs=4326).to_crs(METRES)


def localities() -> gpd.GeoDataFrame:
    table = pd.read_parquet(DATA / "national/localities_iter2020_national.parquet")
    table["id"] = table["cve_mun"] + table["seq_in_mun"].astype(int).map("{:04d}".format)
    table = table.rename(columns={"cve_mun": "area", "pobtot": "people"}).set_index("id")
    return gpd.GeoDataFrame(table[["area", "people"]], geometry=gpd.points_from_xy(table["lon"], table["lat"]), crs=4326).to_crs(METRES)


def municipalities(entity: str = "") -> Areas:
    """Municipalities of a state, places its localities; of the whole country, with all people at the largest locality."""
    shapes = gpd.read_file(DATA / "national/municipios_2020_mexico_2469.geojson").set_index("cvegeo").to_crs(METRES)
    shapes = shapes[shapes.index.str.startswith(entity)]
    places = localities()
    places = places[places["area"].isin(shapes.index)]
    if not entity:
        total = places.groupby("area")["people"].sum()
        places = places.sort_values("people", ascending=False, kind="stable").drop_duplicates("area")
        places = places.assign(people=total.reindex(places["area"]).to_numpy(float))
    return straight_areas(shapes.geometry, places, hospitals(shapes.index), KMH, CUTOFF_MIN)


def settlements() -> Areas:
    """Hidalgo's localities, neighbours by Delaunay triangles, without outlines."""
    places = localities()
    places = places[places["area"].str.startswith("13")].sort_index()
    xy, units = np.column_stack([places.geometry.x, places.geometry.y]), hospitals(pd.Index(places["area"].unique())).sort_index()
    triangles = np.sort(Delaunay(xy).simplices, axis=1)
    edges = np.unique(np.concatenate([triangles[:, [0, 1]], triangles[:, [0, 2]], triangles[:, [1, 2]]]), axis=0)
    there = np.column_stack([units.geometry.x, units.geometry.y])
    metres = np.hypot(*(xy[:, None] - there[None]).transpose(2, 0, 1))
    n, minutes = len(xy), metres / (KMH * 1000 / 60)
    return Areas(places.index, places["people"].to_numpy(float), edges.astype(int), np.zeros(len(edges)), np.zeros(n), np.zeros(n), xy,
                 metres.argmin(axis=0), pd.Index(units.index), np.arange(n), places["people"].to_numpy(float),
                 np.where(minutes <= CUTOFF_MIN, minutes, np.inf))


INPUTS = {"cuadricula": grid, "estados": states, "hidalgo": lambda: municipalities("13"), "localidades": settlements,
          "mexico": municipalities}


def peer(method: str, areas: Areas, rules: Rules) -> np.ndarray:
    """Labels of one of spopt's methods; max-p finds its own number of districts of at least `low` people."""
    from libpysal.weights import W
    from spopt import region

    beside: dict[int, list[int]] = {i: [] for i in range(len(areas.people))}
    for i, j in areas.edges.tolist():
        beside[i].append(j)
        beside[j].append(i)
    weights, traits = W(beside, silence_warnings=True), features(areas)
    names = [f"t{i}" for i in range(traits.shape[1])]
    table = gpd.GeoDataFrame(traits, columns=names, geometry=gpd.points_from_xy(*areas.xy.T)).assign(people=areas.people)
    k = rules.count
    if method == "regionkmeans":
        model = region.RegionKMeansHeuristic(traits, k, weights, seed=0)
    elif method == "maxp":
        model = region.MaxPHeuristic(table, weights, names, "people", rules.low, top_n=2)
    elif method == "azp":
        model = region.AZP(table, weights, names, k, random_state=0)
    else:
        model = (region.Skater if method == "skater" else region.WardSpatial)(table, weights, names, k)
    model.solve()
    return np.asarray(model.labels_, int)


def run(name: str, method: str) -> dict[str, object]:
    """One row of the table."""
    areas, (count, tolerance) = INPUTS[name](), ASKED[name]
    rules = Rules(count, *around_mean(float(areas.people.sum()), count, tolerance))
    told: dict[str, object] = {"n": len(areas.people)}
    for again in range(2 if method == "planner" else 1):
        wall, processor = time.perf_counter(), time.process_time()
        if method == "planner":
            found = partition(areas, rules, seed=0)
            label, told["proof"], told["gap"] = found.district, found.proof, found.solution.gap
        else:
            label = canonical(peer(method, areas, rules))
        wall, processor = time.perf_counter() - wall, time.process_time() - processor
        told |= {"seconds": wall, "processor": processor} if again or method != "planner" else {"first": wall}
    m = measures(areas, label)
    outside = int(((m.people < rules.low - 1e-6) | (m.people > rules.high + 1e-6)).sum())
    return told | {"k": len(m.people), "contiguous": int(m.contiguous.sum()), "outside": outside, "spread": m.spread, "minutes": m.minutes,
                   "crossing": m.crossing, "compactness": m.compactness, "score": score(m, rules)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("inputs", nargs="*", default=list(INPUTS))
    parser.add_argument("--limit", type=float, default=120.0)
    parser.add_argument("--methods", default=",".join(METHODS))
    parser.add_argument("--one", action="store_true", help="one input and one method, as JSON")
    asked = parser.parse_args()
    if asked.one:
        warnings.simplefilter("ignore")
        print(json.dumps(run(*asked.inputs)))
        return
    print(f"{'input':12}{'areas':>6} {'method':13}{'k':>4}{'contig':>7}{'outside':>8}{'spread':>8}{'min':>7}{'cross':>7}{'compact':>8}"
          f"{'score':>8}{'s':>8}{'cpu s':>8}")
    for name in asked.inputs:
        for method in asked.methods.split(","):
            print(line(name, method, asked.limit), flush=True)


def line(name: str, method: str, limit: float) -> str:
    words = [sys.executable, __file__, "--one", name, method]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=limit, check=False)
    except subprocess.TimeoutExpired:
        return f"{name:12}{'':6} {method:13} did not finish in {limit:.0f} s"
    if done.returncode:
        return f"{name:12}{'':6} {method:13} failed: {(done.stderr.strip().splitlines() or ['?'])[-1][:90]}"
    t = json.loads(done.stdout.strip().splitlines()[-1])
    extra = f"  first call {t['first']:.1f} s, gap {t['gap']:.1%}, {t['proof']}" if method == "planner" else ""
    return (f"{name:12}{t['n']:6} {method:13}{t['k']:4}{t['contiguous']:7}{t['outside']:8}{t['spread']:8.3f}{t['minutes']:7.2f}"
            f"{t['crossing']:7.3f}{t['compactness']:8.3f}{t['score']:8.4f}{t['seconds']:8.2f}{t['processor']:8.2f}{extra}")


if __name__ == "__main__":
    main()
