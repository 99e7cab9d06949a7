"""What districts are drawn from: areas (municipalities or localities), who lives there, who borders whom, and the way to hospitals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from planner.decide.regional.neighbours import Borders, cell_borders, joining, nearest_in_cost, part_of, polygon_borders, with_edges
from planner.kinds import Mode
from planner.model import Access, Finding, Region, Surface, TravelTimes
from planner.settings import Scenario
from planner.travel.ground import ground_of, nearest_surface
from planner.travel.times import times_between

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Areas:
    """Areas with all that a grouping of them is judged by; positions are those of `ids`, sorted.

    `point_*` are the places where people live (localities): a district's minutes are those of each place to the nearest hospital
    of the district, so they do not sum over areas. Missing minutes are `inf`.
    """

    ids: pd.Index
    people: np.ndarray  # target people by area
    edges: np.ndarray  # int (m, 2), i < j, sorted: neighbours
    shared_m: np.ndarray  # length of each edge's border, metres; 0 where they are neighbours by travel and not by border
    perimeter_m: np.ndarray  # by area
    area_m2: np.ndarray  # by area
    xy: np.ndarray  # (n, 2) metres, a point inside each area
    hospital_at: np.ndarray  # area of each hospital, int (h,)
    hospital_ids: pd.Index = field(default_factory=lambda: pd.Index([], dtype="str"))
    point_at: np.ndarray = field(default_factory=lambda: np.empty(0, int))  # area of each place
    point_people: np.ndarray = field(default_factory=lambda: np.empty(0))
    point_min: np.ndarray = field(default_factory=lambda: np.empty((0, 0)))  # (places, h) minutes to each hospital, inf beyond the search
    findings: tuple[Finding, ...] = ()  # areas that are neighbours otherwise than by their border, and hospitals set in an area


def municipal_areas(region: Region, access: Access, scenario: Scenario, cache: Path | None = None) -> Areas:
    """The municipalities of a region. Places are its localities with target people, their minutes those by mode_hospital.

    Neighbours share a border; a municipality without polygon or that touches nobody, and parts that stand apart, take the nearest in
    minutes by vehicle between the most populous localities, or in a straight line where no vehicle gets through; findings tell them.
    """
    towns = region.municipalities.sort_index()
    people = access.localities["people"].sort_index()
    home = towns.index.get_indexer(region.localities["cve_mun"].reindex(people.index))
    seats = _seats(region, people)
    borders = polygon_borders(towns.geometry)
    xy = _inside(towns.geometry, seats)
    seats = seats.where(seats.notna() & ~seats.is_empty, gpd.GeoSeries(gpd.points_from_xy(*xy.T), towns.index, crs=region.crs))

    def minutes() -> Array:
        points = gpd.GeoDataFrame(geometry=seats)
        return _dense(times_between(region, scenario, "vehiculo", points, points, scenario.regional.hospital_cutoff_min, cache))

    borders, findings = _all_joined(towns.index, borders, xy, minutes)
    hospitals = region.units[region.units["role"] == "hospital"].sort_index()
    places = region.localities.loc[people.index]
    at, of_hospitals = _nearest_where_unknown(hospitals, towns.index.get_indexer(hospitals["cve_mun"]), places, home)
    return _assembled(towns.index, borders, xy, at, people, home, _to_hospitals(region, scenario, people, hospitals, cache),
                      (*findings, *of_hospitals))


def locality_areas(region: Region, access: Access, scenario: Scenario, cache: Path | None = None) -> Areas:
    """The localities of a region: the outline of each is the ground that it is the nearest to by mode_hospital, on foot off the roads.

    Neighbours share a side of a cell. Localities that stand in one cell share the neighbourhood of the one that owns it; one off the
    terrain, and parts that no travel joins, take the nearest in a straight line; findings tell them.
    """
    places = region.localities.sort_index()
    people = access.localities["people"].reindex(places.index)
    ground = ground_of(region, scenario, _way(scenario), cache)
    set_down, found = ground.set(places), locality_surface(region, scenario, cache)
    borders = cell_borders(found.site, len(places), region.grid.cell_m)
    owner = np.where(set_down.cells >= 0, found.site.ravel()[set_down.cells], -1)
    mates = np.flatnonzero((owner >= 0) & (owner != np.arange(len(places))))
    borders = with_edges(borders, np.column_stack([mates, owner[mates]]))
    xy = np.column_stack([places.geometry.x, places.geometry.y])
    more, findings = _parts_joined(places.index, borders, lambda rows: np.hypot(*(xy[rows][:, None] - xy[None]).transpose(2, 0, 1)))
    hospitals = region.units[region.units["role"] == "hospital"].sort_index()
    cells = ground.set(hospitals).cells
    home = np.arange(len(places))
    at, of_hospitals = _nearest_where_unknown(hospitals, np.where(cells >= 0, found.site.ravel()[cells], -1), places, home)
    return _assembled(places.index, with_edges(borders, more), xy, at, people, home,
                      _to_hospitals(region, scenario, people, hospitals, cache), (*findings, *of_hospitals))


def locality_surface(region: Region, scenario: Scenario, cache: Path | None = None) -> Surface:
    """Which locality each cell is the nearest to by mode_hospital (by vehicle where that is public transport), and its minutes."""
    ground = ground_of(region, scenario, _way(scenario), cache)
    return nearest_surface(ground, ground.set(region.localities.sort_index()))


def straight_areas(polygons: gpd.GeoSeries, places: gpd.GeoDataFrame, hospitals: gpd.GeoDataFrame, kmh: float, cutoff_min: float) -> Areas:
    """Areas without roads or terrain: minutes are those of the straight line at `kmh`, up to `cutoff_min`, and labelled `supuesto`.

    `polygons` are indexed by id, in metres; `places` have `area` (an id), `people` and a point, `hospitals` `area` and a point. Areas
    without polygon or that stand apart take the nearest as municipal_areas does, in a straight line.
    """
    polygons, places, hospitals = polygons.sort_index(), places.sort_index(), hospitals.sort_index()
    home = polygons.index.get_indexer(places["area"])
    largest = places.assign(home=home).sort_values(["people"], ascending=False, kind="stable").drop_duplicates("home").set_index("area")
    xy = _inside(polygons, largest.geometry.reindex(polygons.index))
    borders, findings = _all_joined(polygons.index, polygon_borders(polygons), xy, None)
    metres = shapely.distance(places.geometry.to_numpy()[:, None], hospitals.geometry.to_numpy()[None])
    minutes = metres / (kmh * 1000 / 60)
    assumed = Finding("minutos_en_linea_recta", "aviso", f"Áreas cuyos minutos al hospital son supuestos: en línea recta, a {kmh:g} km/h",
                      "hospitales", len(polygons), tuple(polygons.index[:3]), "Use la red de caminos de cada estado antes de decidir.")
    return _assembled(polygons.index, borders, xy, pd.Series(polygons.index.get_indexer(hospitals["area"]), hospitals.index),
                      places["people"].astype(float), home, np.where(minutes <= cutoff_min, minutes, np.inf), (assumed, *findings))


def _assembled(ids: pd.Index, borders: Borders, xy: Array, hospitals: pd.Series, people: pd.Series, home: Array, minutes: Array,
               findings: tuple[Finding, ...]) -> Areas:
    """Areas of `hospitals` (area by id), `people` by place, `home` (area by place) and minutes (places, hospitals); empty places go."""
    living, target = people.to_numpy() > 0, people.to_numpy(float)
    return Areas(ids, np.bincount(home, target, len(ids)), borders.edges, borders.shared_m, borders.perimeter_m, borders.area_m2, xy,
                 hospitals.to_numpy(int), pd.Index(hospitals.index.astype("str")), home[living], target[living], minutes[living], findings)


def _to_hospitals(region: Region, scenario: Scenario, people: pd.Series, hospitals: gpd.GeoDataFrame, cache: Path | None) -> Array:
    """Minutes from each locality to each hospital by mode_hospital, inf beyond hospital_cutoff_min."""
    points, sites = region.localities.loc[people.index, ["geometry"]], hospitals[["geometry"]]
    if not len(sites):
        return np.empty((len(points), 0))
    return _dense(times_between(region, scenario, scenario.mode_hospital, points, sites, scenario.regional.hospital_cutoff_min, cache))


def _all_joined(ids: pd.Index, borders: Borders, xy: Array, minutes: Callable[[], Array] | None) -> tuple[Borders, tuple[Finding, ...]]:
    """Borders under which all areas hang together, and what had to be joined by minutes, or by the straight line where there are none."""
    bare = np.flatnonzero(borders.perimeter_m == 0)
    alone = np.setdiff1d(np.arange(len(ids)), np.concatenate([bare, borders.edges.ravel()]))
    if len(ids) == 1 or (not len(bare) and not part_of(borders.edges, len(ids)).any()):
        return borders, ()
    cost, straight = _cost(xy, minutes() if minutes else None)
    near = nearest_in_cost(cost, np.union1d(bare, alone))
    borders = with_edges(borders, near)
    more, of_parts = _parts_joined(ids, borders, lambda rows: cost[rows])
    added = np.concatenate([near, more])
    flown = added[straight[added[:, 0], added[:, 1]]]
    where, instead = "boundaries.municipalities", "son sus vecinos los más cercanos por traslado"
    return with_edges(borders, more), (
        *Finding.of("sin_poligono", "aviso", f"Municipios sin polígono: {instead}", where, ids[bare],
                    "Agregue sus límites para usar sus fronteras."),
        *Finding.of("isla", "aviso", f"Municipios que no tocan a ninguno: {instead}", where, ids[alone], "Revise el archivo de límites."),
        *of_parts,
        *Finding.of("vecinos_en_linea_recta", "aviso", "Municipios unidos a otro en línea recta, sin camino entre sus cabeceras", where,
                    ids[np.unique(flown)] if minutes else [], "Revise los caminos y las coordenadas de sus localidades."))


def _parts_joined(ids: pd.Index, borders: Borders, cost: Callable[[Array], Array]) -> tuple[Array, tuple[Finding, ...]]:
    part = part_of(borders.edges, len(ids))
    apart = np.flatnonzero(part != np.argmax(np.bincount(part, minlength=1))) if len(ids) else part
    more = joining(borders.edges, len(ids), cost)
    return more, Finding.of("parte_separada", "aviso", "Áreas cuya parte no toca a las demás: se une por su par más cercano", "vecindades",
                            ids[apart], "Revise los límites y los caminos entre las partes.")


def _cost(xy: Array, minutes: Array | None) -> tuple[Array, Array]:
    """A symmetric cost that puts any way by road before the straight line, and where it is that line."""
    metres = np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1))
    if minutes is None:
        return metres, np.ones(metres.shape, bool)
    both = np.maximum(minutes, minutes.T)
    straight = ~np.isfinite(both)
    return np.where(straight, both[~straight].max(initial=0.0) + 1.0 + metres, both), straight


def _seats(region: Region, people: pd.Series) -> gpd.GeoSeries:
    """The most populous locality of each municipality (ties: the lowest key), null where none has coordinates."""
    table = region.localities.assign(target=people).sort_index()
    table = table[table.geometry.notna() & ~table.geometry.is_empty].sort_values(["population", "target"], ascending=False, kind="stable")
    first = table.drop_duplicates("cve_mun").set_index("cve_mun").geometry
    return first.reindex(region.municipalities.index.sort_values())


def _inside(polygons: gpd.GeoSeries, seats: gpd.GeoSeries) -> Array:
    """A point of each polygon; of an area without one, its seat."""
    points = np.where(shapely.is_missing(polygons.to_numpy()) | shapely.is_empty(polygons.to_numpy()), seats.to_numpy(),
                      shapely.point_on_surface(polygons.to_numpy()))
    return np.column_stack([shapely.get_x(points), shapely.get_y(points)])


def _nearest_where_unknown(hospitals: gpd.GeoDataFrame, at: Array, places: gpd.GeoDataFrame,
                           area: Array) -> tuple[pd.Series, tuple[Finding, ...]]:
    """The area of each hospital by id; where it is not known (-1), that of the nearest locality."""
    lost = np.flatnonzero(at < 0)
    found = pd.Series(at, hospitals.index)
    if len(lost):
        metres = shapely.distance(hospitals.geometry.to_numpy()[lost][:, None], places.geometry.to_numpy()[None])
        found.iloc[lost] = area[np.argmin(metres, axis=1)]
    return found, Finding.of(
        "hospital_sin_area", "aviso", "Hospitales de los que no se sabe en qué área están: se toma la de la localidad más cercana",
        "unidades", hospitals.index[lost], "Revise su municipio y sus coordenadas.")


def _dense(times: TravelTimes) -> Array:
    found = np.full((len(times.localities), len(times.sites)), np.inf)
    found[np.repeat(np.arange(len(times.localities)), np.diff(times.indptr)), times.site] = times.value
    return found


def _way(scenario: Scenario) -> Mode:
    return "a_pie" if scenario.mode_hospital == "a_pie" else "vehiculo"
