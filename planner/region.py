"""From the official files of one state to a checked Region."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import geopandas as gpd
import pandas as pd

from planner import columns, schema
from planner.checks import check_grid, check_localities, check_roads, check_units
from planner.errors import DataError
from planner.keeping import digest
from planner.model import Finding, Grid, InputFile, Region, Roads
from planner.regionfile import RegionFile, load_region_file
from planner.settings import slug
from planner.sources.barriers import cross_barriers
from planner.sources.boundaries import read_districts, read_municipalities
from planner.sources.census import locality_table, read_canonical_localities
from planner.sources.clues import UnitTables, read_units
from planner.sources.community import read_community
from planner.sources.coneval import read_locality_index, read_municipal_index
from planner.sources.inegi import read_ageeml, read_iter
from planner.sources.osm import read_osm
from planner.sources.resources import read_resources
from planner.sources.responsibility import read_circuits, read_responsibility
from planner.sources.rnc import read_rnc
from planner.sources.served import read_served
from planner.sources.terrain import TerrainFiles, read_terrain

SECTIONS = ("localities", "deprivation", "units", "community", "roads", "terrain", "population", "boundaries")
VALUES = ("units.institutions", "terrain.cell_m")  # keys that name no file
ABSENT = {  # what the planner does without each optional file
    "deprivation.municipalities": "Sin libro municipal del CONEVAL: el índice se deriva del censo",
    "deprivation.localities": "Sin libro por localidad del CONEVAL: el grado de las localidades es una réplica derivada del censo",
    "units.files": "Sin archivos de unidades: nadie tiene servicio",
    "units.responsibility": "Sin tabla oficial de responsables: cada localidad responde a la unidad más cercana",
    "units.circuits": "Sin rutas de unidades móviles: se suponen las visitas del escenario",
    "units.resources": "Sin recursos de las unidades (SINERHIAS): no se sabe qué plazas están vacantes",
    "units.served": "Sin población atendida: no se dice qué parte de la población objetivo se atiende",
    "community.table": "Sin organización comunitaria: no se sabe dónde hay casas de salud, auxiliares ni parteras",
    "roads": "Sin caminos: nadie viaja en vehículo",
    "terrain.dem": "Sin relieve: el terreno se supone plano",
    "terrain.walk_factor": "Sin uso de suelo: a pie se supone factor 1",
    "terrain.barriers": "Sin barreras: a pie se cruzan ríos y lagos donde el terreno deja",
    "population.raster": "Sin ráster de población: solo cuentan las personas de las localidades",
    "boundaries.municipalities": "Sin límites municipales: no se revisa qué cae fuera de su municipio",
    "boundaries.districts": "Sin distritos: no hay resultados por distrito",
}
INSTEAD = {"roads": ("roads.osm", "roads.rnc", "roads.speed_raster"), "terrain.dem": ("terrain.slope",)}  # keys that also tell it
DECLARED = {
    "localities": schema.LOCALITIES, "units.files": schema.UNITS, "boundaries.municipalities": schema.MUNICIPALITIES,
    "units.responsibility": schema.RESPONSIBILITY, "units.circuits": schema.CIRCUITS, "units.resources": schema.RESOURCES,
    "units.served": schema.SERVED, "community.table": schema.COMMUNITY}
T = TypeVar("T")
Joined = tuple[pd.DataFrame, tuple[Finding, ...]]
JoinReader = Callable[[Path, pd.DataFrame, pd.DataFrame, pd.Index], Joined]  # file, units, set aside, localities
UnitReader = Callable[[Path, pd.DataFrame, pd.DataFrame], Joined]  # file, units, set aside
Paths = dict[str, tuple[Path, ...]]  # key of the region file -> its files


def prepare_region(region_file: Path, data: Path | None = None) -> Region:
    """Read, join and check every file that `region_file` names; paths are relative to `data`, or to the file itself.

    SettingsError for a fault of the region file; DataError for one of an official file, told in one sentence.
    """
    spec = load_region_file(region_file)
    paths = _paths(spec, data or region_file.parent)
    index = _optional(read_municipal_index, paths, "deprivation.municipalities", spec.entity)
    districts = _optional(read_districts, paths, "boundaries.districts", spec.entity)
    localities, of_people = _localities(spec, paths, index, districts)
    crs = spec.crs or localities.crs.to_string()
    municipalities = _municipalities(spec, paths, localities, index, districts, crs)
    tables = _units(spec, paths, municipalities, crs)
    grid, barriers, of_ground = _ground(spec, paths, localities, tables.units, crs)
    roads, of_roads = _roads(paths, grid, crs)
    responsibility, of_table = _joined(read_responsibility, paths, "units.responsibility", tables, localities)
    circuits, of_circuits = _joined(read_circuits, paths, "units.circuits", tables, localities)
    resources, of_resources = _of_units(read_resources, paths, "units.resources", tables)
    served, of_served = _of_units(read_served, paths, "units.served", tables)
    community, of_community = _community(paths, localities.index)
    localities, of_places = check_localities(localities, municipalities, grid, _names(paths, "localities"))
    units, of_units = check_units(tables.units, localities, municipalities, grid, _names(paths, "units.files"))
    _check(paths, localities, units, municipalities, {
        "units.responsibility": responsibility, "units.circuits": circuits, "units.resources": resources, "units.served": served,
        "community.table": community})
    findings = (*of_people, *of_places, *tables.findings, *of_units, *of_table, *of_circuits, *of_resources, *of_served, *of_community,
                *of_ground, *of_roads, *check_grid(grid, _names(paths, "terrain.slope")), *_absent(paths))
    return Region(spec.name, slug(spec.name), spec.entity, crs, spec.synthetic, localities, units, municipalities, responsibility,
                  circuits, grid, findings, _inputs(spec, paths), roads, barriers, resources, community, served)


def _written(spec: RegionFile) -> dict[str, tuple[str, ...]]:
    """Paths as the region file writes them, by key such as `terrain.slope`."""
    sections = {name: section.model_dump(exclude_none=True) for name in SECTIONS if (section := getattr(spec, name)) is not None}
    return {f"{name}.{key}": (value,) if isinstance(value, str) else tuple(value)
            for name, section in sections.items() for key, value in section.items() if f"{name}.{key}" not in VALUES}


def _paths(spec: RegionFile, folder: Path) -> Paths:
    paths = {key: tuple(folder / name for name in names) for key, names in _written(spec).items()}
    missing = [f"{key} = {path}" for key, files in paths.items() for path in files if not path.is_file()]
    if missing:
        if not folder.is_dir():
            raise DataError(f"No existe la carpeta {folder}; revise --data.")
        word = "Falta 1 archivo" if len(missing) == 1 else f"Faltan {len(missing)} archivos"
        raise DataError(f"{word} de la región ({'; '.join(missing[:3])}); revise las rutas o --data.")
    return paths


def _one(paths: Paths, key: str) -> Path | None:
    return paths[key][0] if key in paths else None


def _names(paths: Paths, prefix: str) -> str:
    return ", ".join(p.name for key, files in paths.items() if key.startswith(prefix) for p in files)


def _optional(read: Callable[[Path, str], T], paths: Paths, key: str, entity: str) -> T | None:
    path = _one(paths, key)
    return None if path is None else read(path, entity)


def _localities(
    spec: RegionFile, paths: Paths, index: pd.DataFrame | None, districts: pd.Series | None
) -> tuple[gpd.GeoDataFrame, tuple[Finding, ...]]:
    table = _one(paths, "localities.table")
    if table is not None:
        return read_canonical_localities(table, spec.entity, spec.crs)
    census = read_iter(paths["localities.iter"][0], spec.entity)
    by_place = _optional(read_locality_index, paths, "deprivation.localities", spec.entity)
    catalogue = _optional(read_ageeml, paths, "localities.catalogue", spec.entity)
    return locality_table(census, index, by_place, catalogue, districts, spec.crs)


def _municipalities(
    spec: RegionFile, paths: Paths, localities: gpd.GeoDataFrame, index: pd.DataFrame | None, districts: pd.Series | None, crs: str
) -> gpd.GeoDataFrame:
    """One row for each municipality with localities or limits; what no file tells is null."""
    limits = _one(paths, "boundaries.municipalities")
    named = localities.drop_duplicates("cve_mun").set_index("cve_mun")["municipality"]
    undrawn = gpd.GeoDataFrame({"name": named}, geometry=[None] * len(named), crs=crs)
    drawn = undrawn if limits is None else read_municipalities(limits, spec.entity, crs)
    keys = named.index.union(drawn.index).rename("cve_mun")
    absent = pd.DataFrame({"irs": float("nan"), "irs_grade": pd.Series(None, keys, dtype="str")}, index=keys)
    published = absent if index is None else index.reindex(keys)
    return gpd.GeoDataFrame({
        "name": named.reindex(keys).fillna(drawn["name"].reindex(keys)),
        "irs": published["irs"], "irs_grade": published["irs_grade"].astype("str"),
        "district": absent["irs_grade"] if districts is None else districts.reindex(keys),
    }, geometry=drawn.geometry.reindex(keys), crs=crs)


def _ground(
    spec: RegionFile, paths: Paths, localities: gpd.GeoDataFrame, units: gpd.GeoDataFrame, crs: str
) -> tuple[Grid, gpd.GeoSeries | None, tuple[Finding, ...]]:
    """The grid with what every file tells of the ground, and the barriers."""
    files = TerrainFiles(
        _one(paths, "roads.speed_raster"), _one(paths, "terrain.slope"), _one(paths, "terrain.walk_factor"), paths.get("terrain.dem", ()),
        _one(paths, "population.raster"), spec.terrain.cell_m if spec.terrain else None)
    grid, findings = read_terrain(files, localities.geometry, units.geometry, crs)
    path = _one(paths, "terrain.barriers")
    if path is None:
        return grid, None, findings
    barriers, blocked, of_barriers = cross_barriers(path, grid)
    return replace(grid, blocked=blocked), barriers, (*findings, *of_barriers)


def _roads(paths: Paths, grid: Grid, crs: str) -> tuple[Roads | None, tuple[Finding, ...]]:
    """Vector roads within the grid, if the region has them."""
    osm, rnc = _one(paths, "roads.osm"), _one(paths, "roads.rnc")
    path = osm or rnc
    if path is None:
        return None, ()
    roads, findings = (read_osm if osm else read_rnc)(path, crs, bounds=grid.bounds)
    columns.check(schema.ROAD_NODES, roads.nodes, path.name)
    columns.check(schema.ROADS, roads.edges, path.name)
    return roads, (*findings, *check_roads(roads, grid, path.name))


def _units(spec: RegionFile, paths: Paths, municipalities: gpd.GeoDataFrame, crs: str) -> UnitTables:
    """Units in the region's CRS; a municipality that is not published is that of the polygon they stand in."""
    if spec.units is None:
        return UnitTables(_no_units(crs), pd.DataFrame({"successor": pd.Series(dtype="str")}), ())
    tables = read_units(paths["units.files"], spec.entity, spec.units.institutions)
    units = tables.units.to_crs(crs)
    inside = gpd.sjoin(units[["geometry"]], municipalities[["geometry"]], predicate="intersects")["cve_mun"]
    here = inside.groupby(level=0).min().reindex(units.index)  # on a border: the lowest key
    return UnitTables(units.assign(cve_mun=units["cve_mun"].fillna(here)), tables.set_aside, tables.findings)


def _no_units(crs: str) -> gpd.GeoDataFrame:
    kinds = {"int": "int64", "float": "float64", "text": "str"}
    columns = {c.name: pd.Series(dtype=kinds[c.kind]) for c in schema.UNITS.columns}
    return gpd.GeoDataFrame(columns, index=pd.Index([], name="clues", dtype="str"), geometry=gpd.GeoSeries([], crs=crs))


def _joined(read: JoinReader, paths: Paths, key: str, tables: UnitTables,
            localities: gpd.GeoDataFrame) -> tuple[pd.DataFrame | None, tuple[Finding, ...]]:
    path = _one(paths, key)
    return (None, ()) if path is None else read(path, tables.units, tables.set_aside, localities.index)


def _of_units(read: UnitReader, paths: Paths, key: str, tables: UnitTables) -> tuple[pd.DataFrame | None, tuple[Finding, ...]]:
    path = _one(paths, key)
    return (None, ()) if path is None else read(path, tables.units, tables.set_aside)


def _community(paths: Paths, localities: pd.Index) -> tuple[pd.DataFrame | None, tuple[Finding, ...]]:
    path = _one(paths, "community.table")
    return (None, ()) if path is None else read_community(path, localities)


def _check(paths: Paths, localities: gpd.GeoDataFrame, units: gpd.GeoDataFrame, municipalities: gpd.GeoDataFrame,
           optional: dict[str, pd.DataFrame | None]) -> None:
    frames = {"localities": localities, "units.files": units, "boundaries.municipalities": municipalities, **optional}
    for key, frame in frames.items():
        if frame is not None:
            columns.check(DECLARED[key], frame, _names(paths, key) or key)


def _absent(paths: Paths) -> tuple[Finding, ...]:
    return tuple(Finding("falta_archivo", "nota", what, key, 1) for key, what in ABSENT.items()
                 if not {key, *INSTEAD.get(key, ())} & set(paths))


def _inputs(spec: RegionFile, paths: Paths) -> tuple[InputFile, ...]:
    """Every file read, a shapefile's companions included, with its digest."""
    found: list[InputFile] = []
    for key, names in _written(spec).items():
        for name, path in zip(names, paths[key], strict=True):
            parts = sorted(path.parent.glob(f"{path.stem}.*")) if path.suffix.lower() == ".shp" else [path]
            found += [_input(key, str(Path(name).with_name(part.name).as_posix()), part) for part in parts]
    return tuple(found)


def _input(role: str, name: str, path: Path) -> InputFile:
    return InputFile(role, name, digest(path), path.stat().st_size, _cutoff(path.name))


def _cutoff(name: str) -> str:
    """The date that a publisher writes in a file's name, as ISO; empty if there is none.

    >>> [_cutoff(n) for n in ("ESTABLECIMIENTO_SALUD_202501.xlsx", "ageeml_2024-10-31.csv", "iter_13_cpv2020_csv.zip", "x.tif")]
    ['2025-01', '2024-10-31', '2020', '']
    """
    date = re.search(r"(?<!\d)(20\d\d)(?:[-_]?(0[1-9]|1[0-2])(?:[-_]?(0[1-9]|[12]\d|3[01]))?)?(?!\d)", name)
    return "-".join(part for part in date.groups() if part) if date else ""
