"""Invented people of the demo: municipal seats, villages and hamlets, the roads between them, the municipalities."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy.spatial import cKDTree
from shapely import MultiPoint, Polygon, voronoi_polygons

from planner.demo.roads import Network, make_roads
from planner.demo.terrain import CELL_M, CRS, SHAPE, Terrain, centre, least_cost, near

ENTITY = "99"
ENTITY_NAME = "Entidad sintética"
SEATS = 14
VILLAGES = 540
HUBS = 4  # the largest seats, linked to each other by road
SEAT_PEOPLE = (46_000, 15_000, 11_500, 8_200, 6_100, 5_200, 4_300, 3_600, 3_000, 2_500, 2_100, 1_700, 1_400, 1_100)
SEAT_SPACING_M = 11_500.0
SPACING_M = 900.0
TRODDEN, TRODDEN_PEOPLE = 0.4, 40  # share of the places without a road, from so many people on, that a path leads to
REMOTE_MIN = 180.0  # minutes to the capital at which a place is as remote as it gets
DISTRICTS = ("Valle", "Sierra Norte", "Sierra Sur")
SEAT_NAMES = ("Llano Grande", "Agua Serena", "Ocotal", "Piedra Alta", "Los Cedros", "Cañada Honda", "Monte Viejo", "Tres Cumbres",
              "Niebla", "Peña Larga", "Arroyo Hondo", "La Neblina", "Cerro Partido", "Las Nubes")
FIRST = ("San Isidro", "Santa Cruz", "El Encino", "Loma", "Barranca", "Rancho", "Ojo de Agua", "El Mirador", "La Palma", "Tierra", "Puerto",
         "Mesa", "Cuesta", "Joya", "Ladera", "El Ocote", "Santa Rosa", "El Tepozán")
LAST = ("del Monte", "Grande", "de Arriba", "de Abajo", "del Río", "del Aire", "de las Flores", "del Sol", "del Carmen", "de los Pinos",
        "del Norte", "del Sur", "del Encinal", "de la Cruz", "de la Peña", "del Llano", "de la Luz", "de las Palomas")


@dataclass(frozen=True, eq=False)
class Country:
    """Where everything is: `localities` (index cvegeo), `municipalities` (index cve_mun, polygons), roads."""

    localities: pd.DataFrame  # cve_mun, municipality, name, x, y, altitude_m, population, remote (0..1), seat, on_lake
    municipalities: gpd.GeoDataFrame  # name, district, geometry
    roads: Network


def make_country(rng: np.random.Generator, terrain: Terrain) -> Country:
    """Seats, villages, roads and municipalities on the given relief; one hamlet is planted on the lake."""
    seats = _seat_cells(rng, terrain)
    villages = _village_cells(rng, terrain, seats)
    cells = np.concatenate([seats, villages])
    climb = terrain.elevation_m.flat[cells] / terrain.elevation_m[terrain.inside].max()
    people = np.concatenate([SEAT_PEOPLE, _village_people(rng, climb[SEATS:])]).astype(np.int64)
    linked = np.r_[np.ones(SEATS, bool), rng.random(len(villages)) < _link_chance(people[SEATS:], climb[SEATS:])]
    trodden = ~linked & (people >= TRODDEN_PEOPLE) & (rng.random(len(cells)) < TRODDEN)
    roads = make_roads(rng, terrain, seats.tolist(), HUBS, cells[linked], people[linked], cells[trodden])
    remote = _remoteness(terrain, roads.kmh, int(seats[0])).flat[cells]
    x, y = centre(cells)
    near_seat = cKDTree(np.c_[x[:SEATS], y[:SEATS]]).query(np.c_[x, y])[1]
    order = np.lexsort((people * -1, np.arange(len(cells)) >= SEATS, near_seat))
    jitter = rng.uniform(-0.35, 0.35, (2, len(cells))) * CELL_M
    on_lake = np.arange(len(cells)) == _plant_on_lake(terrain, x, y, people)
    x, y = np.where(on_lake, _lake_edge(terrain)[0], x + jitter[0]), np.where(on_lake, _lake_edge(terrain)[1], y + jitter[1])
    number = pd.Series(near_seat[order]).groupby(near_seat[order]).cumcount().to_numpy() + 1
    town = [f"{ENTITY}{m + 1:03d}" for m in near_seat[order]]
    table = pd.DataFrame({
        "cve_mun": town, "municipality": [SEAT_NAMES[m] for m in near_seat[order]], "name": _names(rng, near_seat[order], number),
        "x": x[order], "y": y[order], "altitude_m": terrain.elevation_m.flat[cells[order]].round(), "population": people[order],
        "remote": remote[order], "seat": order < SEATS, "on_lake": on_lake[order],
    }, index=pd.Index([f"{m}{n:04d}" for m, n in zip(town, number, strict=True)], name="cvegeo"))
    return Country(table, _municipalities(terrain, x[:SEATS], y[:SEATS]), roads)


def _seat_cells(rng: np.random.Generator, terrain: Terrain) -> np.ndarray:
    """Flat, well apart, the first (largest) in the plain, the last high in the sierra."""
    good = terrain.land & ~near(terrain.water, 2) & ~near(~terrain.inside, 12) & (terrain.slope_deg < 9)
    cells = rng.permutation(np.flatnonzero(good))
    x, y = centre(cells)
    chosen: list[int] = []
    for i in range(len(cells)):
        if all(np.hypot(x[i] - x[j], y[i] - y[j]) >= SEAT_SPACING_M for j in chosen):
            chosen.append(i)
    heights = terrain.elevation_m.flat[cells[chosen]]
    by_height = np.array(chosen)[np.argsort(heights, kind="stable")]
    kept = by_height[np.linspace(0, len(by_height) - 1, SEATS).round().astype(int)]
    return np.asarray(cells[kept])


def _village_cells(rng: np.random.Generator, terrain: Terrain, seats: np.ndarray) -> np.ndarray:
    """Anywhere dry and not too steep, apart from each other, none on another's cell."""
    free = terrain.land & ~near(terrain.water, 1) & ~near(~terrain.inside, 3)
    cells = np.flatnonzero(free)
    liking = np.exp(-terrain.slope_deg.flat[cells] / 8)
    tried = rng.choice(cells, 6 * VILLAGES, replace=False, p=liking / liking.sum())
    x, y = centre(np.concatenate([seats, tried]))
    kept: list[int] = list(range(SEATS))
    for i in range(SEATS, len(x)):
        if len(kept) < SEATS + VILLAGES and np.hypot(x[kept] - x[i], y[kept] - y[i]).min() >= SPACING_M:
            kept.append(i)
    return np.asarray(tried[np.array(kept[SEATS:]) - SEATS])


def _village_people(rng: np.random.Generator, climb: np.ndarray) -> np.ndarray:
    """Heavy tail: half the places under a hundred people, a few above two thousand; smaller higher up."""
    size = np.exp(rng.normal(4.75, 1.65, len(climb)) - 0.5 * climb)
    return np.clip(size, 2, 2_900).astype(np.int64)


def _link_chance(people: np.ndarray, climb: np.ndarray) -> np.ndarray:
    """Share of places with a road: most villages, hamlets of the plain more than those of the sierra."""
    return np.where(people >= 600, 0.93, np.where(people >= 150, 0.8 - 0.25 * climb, 0.7 - 0.5 * climb))


def _remoteness(terrain: Terrain, speed: np.ndarray, capital: int) -> np.ndarray:
    """0 at the capital, 1 at REMOTE_MIN minutes of rough travel (roads, else 2.5 km/h)."""
    kmh = np.where(speed > 0, speed * np.exp(-terrain.slope_deg / 40), 2.5)
    minutes, _ = least_cost(60 * CELL_M / 1000 / kmh, capital)
    return np.clip(minutes / REMOTE_MIN, 0, 1)


def _lake_edge(terrain: Terrain) -> tuple[float, float]:
    """A lake cell two cells from its shore: the planted hamlet's published place."""
    inner = terrain.lake & near(~terrain.lake, 2) & ~near(~terrain.lake, 1)
    x, y = centre(int(np.flatnonzero(inner)[0]))
    return float(x), float(y)


def _plant_on_lake(terrain: Terrain, x: np.ndarray, y: np.ndarray, people: np.ndarray) -> int:
    """The hamlet nearest to that lake cell."""
    at = _lake_edge(terrain)
    away = np.hypot(x - at[0], y - at[1])
    return int(np.argmin(np.where(people < 400, away, np.inf)))


def _names(rng: np.random.Generator, town: np.ndarray, number: np.ndarray) -> list[str]:
    """A seat is named after its municipality; other names are unique within theirs."""
    pairs = [f"{a} {b}" for a in FIRST for b in LAST]
    drawn = {int(m): rng.permutation(len(pairs)) for m in np.unique(town)}
    return [SEAT_NAMES[m] if n == 1 else pairs[drawn[int(m)][n]] for m, n in zip(town, number, strict=True)]


def _municipalities(terrain: Terrain, x: np.ndarray, y: np.ndarray) -> gpd.GeoDataFrame:
    """What lies nearest to each seat, cut at the state's outline; districts go by height."""
    state = _state(terrain)
    cells = list(voronoi_polygons(MultiPoint(np.c_[x, y]), extend_to=state, ordered=True).geoms)
    parts = [c.intersection(state) for c in cells]
    south = y < np.median(y)
    district = [DISTRICTS[0] if i < SEATS // 3 else DISTRICTS[2 if s else 1] for i, s in enumerate(south)]
    return gpd.GeoDataFrame({"name": SEAT_NAMES, "district": district}, geometry=parts, crs=CRS,
                            index=pd.Index([f"{ENTITY}{i + 1:03d}" for i in range(SEATS)], name="cve_mun"))


def _state(terrain: Terrain) -> Polygon:
    """Outline of the cells inside, walked by angle around the middle and loosened by a cell."""
    rows, cols = np.nonzero(terrain.inside & near(~terrain.inside, 1))
    order = np.argsort(np.arctan2(rows - SHAPE[0] / 2, cols - SHAPE[1] / 2), kind="stable")
    x, y = centre(rows[order] * SHAPE[1] + cols[order])
    outline = shapely.simplify(shapely.buffer(Polygon(np.c_[x, y]), CELL_M), 2 * CELL_M)
    return Polygon(shapely.get_coordinates(outline))
