"""The Comoros from raw files to minutes: `python benchmarks/comoros.py --data ../shared/data/comoros [--cell-m 100]`.

OpenStreetMap's extract, SRTM tiles, WorldPop's people, rivers and lakes, 70 health sites. Prints the people within 30, 60 and 120
minutes of the nearest site, those farther and those whom nothing reaches, by island too, what each step takes, and all that the data
checks tell. The islands are named by GADM, whose file calls Anjouan Mwali and Mohéli Nzwani; WorldPop's people lie swapped with it.
"""

import argparse
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from planner.access.dispersed import dispersed_people
from planner.checks import check_roads, findings_table
from planner.kinds import Mode
from planner.model import Region, Surface
from planner.settings import Scenario
from planner.sources.barriers import cross_barriers
from planner.sources.osm import read_osm
from planner.sources.rasters import read_zonal_sums
from planner.sources.terrain import TerrainFiles, read_terrain
from planner.travel.ground import ground_of, nearest_surface
from planner.travel.places import Places

CRS = "EPSG:32738"
LIMITS_MIN = (30.0, 60.0, 120.0)
PEOPLE = "raw/worldpop/com_ppp_2020_UNadj.tif"
ROADS = "raw/osm/comores-latest.osm.pbf"
Steps = list[tuple[str, float, float]]  # what, seconds, gigabytes at most so far


def read_country(data: Path, cell_m: float, steps: Steps) -> Region:
    """The country as a Region without a census: its sites are `units`, its islands `municipalities`."""
    sites = gpd.read_file(data / "health.gpkg").to_crs(CRS)
    sites.index = pd.Index([f"S{i:02d}" for i in range(len(sites))], name="clues", dtype="str")
    islands = gpd.read_file(data / "gadm.gpkg").to_crs(CRS).set_index("NAME_1")[["geometry"]].rename_axis("cve_mun")
    west, south, east, north = islands.total_bounds
    corners = gpd.GeoSeries([shapely.Point(west, south), shapely.Point(east, north)], crs=CRS)
    with timed("terrain and people", steps):
        files = TerrainFiles(dem=tuple(sorted((data / "raw/srtm").glob("*.hgt.zip"))), population=data / PEOPLE, cell_m=cell_m)
        grid, of_ground = read_terrain(files, corners, sites.geometry, CRS)
    with timed("barriers", steps):
        barriers, blocked, of_barriers = cross_barriers(data / "water.gpkg", grid)
        grid = replace(grid, blocked=blocked)
    with timed("roads", steps):
        roads, of_roads = read_osm(data / ROADS, CRS, bounds=grid.bounds)
    findings = (*of_ground, *of_barriers, *of_roads, *check_roads(roads, grid, Path(ROADS).name))
    nobody = gpd.GeoDataFrame(index=pd.Index([], name="cvegeo", dtype="str"), geometry=gpd.GeoSeries([], crs=CRS))
    return Region("Comoras", "comoras", "00", CRS, False, nobody, sites, islands, None, None, grid, findings, (), roads, barriers)


def minutes_to_sites(region: Region, mode: Mode, steps: Steps, sites: gpd.GeoDataFrame | None = None) -> tuple[Surface, Places]:
    """Minutes from every cell to the nearest site, and where the sites stand."""
    with timed(f"graph and speeds, {mode}", steps):
        ground = ground_of(region, Scenario(), mode)
        places = ground.set(region.units if sites is None else sites)
    with timed(f"search, {mode}", steps):
        return nearest_surface(ground, places), places


def people_within(region: Region, surface: Surface) -> dict[str, float]:
    """People of the raster by minutes to the nearest site; each limit counts the nearer ones too."""
    assert region.grid.people is not None
    people = np.nan_to_num(region.grid.people.astype(float))
    reached = np.isfinite(surface.minutes)
    within = {f"<= {limit:g} min": float(people[surface.minutes <= limit].sum()) for limit in LIMITS_MIN}
    beyond = float(people[reached & (surface.minutes > LIMITS_MIN[-1])].sum())
    return {**within, f"> {LIMITS_MIN[-1]:g} min": beyond, "unreached": float(people[~reached].sum()), "total": float(people.sum())}


@contextmanager
def timed(what: str, steps: Steps) -> Iterator[None]:
    """Record the seconds of a step, and the most memory held until its end."""
    started = time.perf_counter()
    yield
    steps.append((what, time.perf_counter() - started, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--cell-m", type=float, default=100.0)
    asked = parser.parse_args()
    pd.set_option("display.width", 200, "display.max_columns", 20, "display.max_colwidth", 90, "display.float_format", "{:,.1f}".format)
    steps: Steps = []
    region = read_country(asked.data, asked.cell_m, steps)
    assert region.roads is not None
    edges = region.roads.edges
    height, width = region.grid.shape
    print(f"{height} x {width} cells of {asked.cell_m:g} m; {len(region.roads.nodes):,} road nodes and {len(edges):,} edges, "
          f"{edges['length_m'][~edges['ferry']].sum() / 1000:,.0f} km and {edges['ferry'].sum()} ferries\n")
    by_mode, dispersed = {}, []
    modes: tuple[Mode, ...] = ("a_pie", "vehiculo")
    for mode in modes:
        surface, places = minutes_to_sites(region, mode, steps)
        by_mode[mode] = people_within(region, surface)
        dispersed.append(dispersed_people(region, surface.minutes, Scenario()).assign(mode=mode).reset_index())
    with timed("zonal sums", steps):
        sums = read_zonal_sums(asked.data / PEOPLE, region.municipalities)
    moved = places.moved["result"].value_counts()
    print(f"{len(places.ids)} sites: {moved.get('movida', 0)} moved, {moved.get('rechazada', 0)} refused\n")
    print(pd.DataFrame(by_mode).T.to_string(), "\n")
    print(pd.concat(dispersed).to_string(index=False), "\n")
    print(sums.to_frame("people, pixels by GADM unit").to_string(), "\n")
    print(pd.DataFrame(steps, columns=["step", "s", "peak GB"]).to_string(index=False, float_format="{:.2f}".format), "\n")
    print(findings_table(region.findings).to_string(index=False))


if __name__ == "__main__":
    main()
