"""Rasters: speed, slope and walking factor on one grid of square metres; elevation and people brought onto it."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio
from rasterio.crs import CRS
from rasterio.errors import CRSError, NotGeoreferencedWarning, RasterioIOError
from rasterio.features import rasterize
from rasterio.warp import Resampling, reproject, transform_bounds
from rasterio.warp import transform as project
from rasterio.windows import Window

from planner.errors import DataError, StorageError
from planner.model import Grid
from planner.sources.mosaic import ELEVATION_M, Tile, members, mosaics, read_window

SPEED_MAX_KMH = 150.0  # no road of Mexico is signed above 110
GRID_TOLERANCE = 1e-3  # cells: publishers round origins
PEOPLE_MAX = 1e6  # people in one pixel, beyond any city's square kilometre
LAYERS = ("road_kmh", "slope_deg", "walk_factor")
OPTIONAL_LAYERS = ("elevation_m", "blocked", "people")  # absent where the grid has none
PIXELS = 2000  # source pixels a side held at once
Affine = tuple[float, float, float, float, float, float]


def read_grid(speed: Path | None, slope: Path | None, walk_factor: Path | None, crs: str) -> Grid:
    """Read the rasters (road km/h, degrees, 0..1) onto one Grid in `crs`; what is None is flat, of factor 1, without roads.

    The grid is that of the first raster given. No data becomes 0 km/h for roads and NaN for the other two.
    DataError for an unreadable file, another CRS, degrees, another grid, or values that cannot be.
    """
    paths = [p for p in (speed, slope, walk_factor) if p is not None]
    if not paths:
        raise DataError("No hay ningún ráster de viaje: indique roads.speed_raster o terrain.slope en el archivo de región.")
    transform, shape = _check_grid(paths[0], crs)
    for path in paths[1:]:
        _check_same(path, *_check_grid(path, crs), paths[0], transform, shape)
    road = np.zeros(shape, np.float32) if speed is None else np.nan_to_num(_read_band(speed), nan=0.0)
    degrees = np.zeros(shape, np.float32) if slope is None else _read_band(slope)
    factor = np.ones(shape, np.float32) if walk_factor is None else _read_band(walk_factor)
    _check_range(speed, road, 0, SPEED_MAX_KMH, "km/h")
    _check_range(slope, degrees, 0, np.inf, "grados")  # some publish up to 198; speeds clip them, checks.py reports them
    _check_range(walk_factor, factor, 0, 1, "de factor")
    return Grid(transform, crs, road, degrees, factor)


def write_grid(grid: Grid, folder: Path) -> None:
    """Write the layers that `grid` has as GeoTIFF into `folder`; equal grids give equal bytes."""
    for name in (*LAYERS, *OPTIONAL_LAYERS):
        layer = getattr(grid, name)
        if layer is not None:
            blank = None if name == "blocked" else 0.0 if name == "road_kmh" else np.nan
            write_raster(folder / f"{name}.tif", layer, grid.transform, grid.crs, blank)


def load_grid(folder: Path, crs: str) -> Grid:
    """Read back what `write_grid` wrote. DataError if a layer is missing or damaged."""
    speed, slope, walk_factor = (folder / f"{name}.tif" for name in LAYERS)
    elevation, blocked, people = (_read_raw(folder / f"{name}.tif") for name in OPTIONAL_LAYERS)
    return replace(read_grid(speed, slope, walk_factor, crs), elevation_m=elevation, blocked=blocked, people=people)


def read_elevation(paths: Sequence[Path], crs: str, transform: Affine, shape: tuple[int, int]) -> tuple[np.ndarray, tuple[str, ...]]:
    """Metres of the files' elevation in each cell of the grid, float32, NaN where none tells it; and their impossible heights.

    Files are rasters of any CRS and resolution, or zips of them; tiles of one lattice are joined first, elsewhere the
    first one listed that has data wins. A cell takes the mean of the pixels that it covers where these are finer, else
    the bilinear value at its centre. Heights beyond ELEVATION_M are voids, told as "file: value". Memory stays bounded:
    the grid is filled by blocks. DataError for an unreadable, turned or unlocated file, one in feet, or no height at all.
    """
    elevation = np.full(shape, np.nan, np.float32)
    odd: dict[str, float] = {}
    with ExitStack() as opened:
        tiles = [_tile(path, opened.enter_context(_open(member))) for path in paths for member in members(path)]
        try:
            for mosaic in mosaics(tiles):
                _fill(elevation, mosaic, crs, transform, odd)
        except RasterioIOError as fault:
            raise DataError(f"Un archivo de elevación ({_some(paths)}) está dañado o incompleto ({fault}); descárguelo de nuevo.") from None
    if np.isnan(elevation).all():
        raise DataError(f"{_some(paths)}: ninguna altura entre {ELEVATION_M[0]:g} y {ELEVATION_M[1]:g} m dentro de la región; "
                        "revise que el modelo de elevación sea de ese lugar, tenga datos y esté en metros.")
    return elevation, tuple(f"{name}: {value:g} m" for name, value in sorted(odd.items()))


def read_people(path: Path, crs: str, transform: Affine, shape: tuple[int, int]) -> np.ndarray:
    """People of a raster (people per pixel, any CRS) in each cell, float32, NaN where it has no data; conserves their sum.

    A pixel's people are shared among the cells in proportion to the area of it that each covers. DataError for values
    that are no count of people, or if the raster does not touch the grid.
    """
    people = np.full(shape, np.nan, np.float32)
    with _open(path) as source:
        _located(path.name, source)
        _check_people(path, source)
        blank = np.nan if source.nodata is None and source.dtypes[0].startswith("float") else source.nodata
        reproject(rasterio.band(source, 1), people, dst_transform=rasterio.Affine(*transform), dst_crs=CRS.from_user_input(crs),
                  src_nodata=blank, dst_nodata=np.nan, resampling=Resampling.sum)
    if np.isnan(people).all():
        raise DataError(f"{path.name} no tiene ningún dato de población dentro de la región; revise que sea del mismo lugar.")
    return people


def read_zonal_sums(path: Path, polygons: gpd.GeoDataFrame) -> pd.Series:
    """People of a raster (people per pixel, as published) in each polygon, float64; same index, NaN where it has no geometry.

    A pixel belongs to the polygon that holds its centre; where polygons overlap, to the first by index, so that nobody
    is counted twice. DataError for values that are no count of people.
    """
    drawn = polygons.geometry[polygons.geometry.notna()].sort_index()
    with _open(path) as source:
        _located(path.name, source)
        _check_people(path, source)
        shapes = [(shape, i) for i, shape in enumerate(drawn.to_crs(source.crs), 1)][::-1]  # the last one burnt stays
        sums, own = np.zeros(len(drawn) + 1), source.transform
        for window in _strips(source) if shapes else ():
            people = source.read(1, window=window, masked=True).astype(np.float64).filled(0.0)
            here = rasterio.Affine(own.a, 0, own.c, 0, own.e, own.f + window.row_off * own.e)
            owner = rasterize(shapes, people.shape, transform=here, dtype=np.int32)
            sums += np.bincount(owner.ravel(), np.nan_to_num(people, nan=0.0).ravel(), len(sums))
    return pd.Series(sums[1:], drawn.index, name="people").reindex(polygons.index)


def write_raster(path: Path, array: np.ndarray, transform: Affine, crs: str, nodata: float | None) -> None:
    """Write one band as a compressed GeoTIFF. StorageError if `path` cannot be written."""
    try:
        with rasterio.open(
            path, "w", driver="GTiff", count=1, dtype=array.dtype, height=array.shape[0], width=array.shape[1],
            transform=rasterio.Affine(*transform), crs=CRS.from_user_input(crs), nodata=nodata,
            compress="deflate", predictor=3 if array.dtype.kind == "f" else 2,
        ) as target:
            target.write(array, 1)
    except RasterioIOError as fault:
        raise StorageError(f"No se puede escribir {path}: {fault}.") from None


def _open(path: Path | str) -> Any:
    """`path`, or a member of a zip as GDAL names it."""
    if isinstance(path, Path) and not path.is_file():
        raise DataError(f"No existe el ráster {path}.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)  # told below, in our words
            return rasterio.open(path)
    except RasterioIOError:
        raise DataError(f"{Path(path).name} no es un ráster que se pueda abrir; descárguelo de nuevo.") from None


def _check_grid(path: Path, crs: str) -> tuple[Affine, tuple[int, int]]:
    with _open(path) as source:
        own, affine, shape = source.crs, source.transform, source.shape
    wanted = CRS.from_user_input(crs)
    if own is None:
        raise DataError(f"{path.name} no dice su sistema de coordenadas; asígnele {crs} si es el suyo.")
    if own.is_geographic:
        raise DataError(f"{path.name} está en grados ({own.to_string()}) y se necesitan metros; reproyéctelo a {crs}.")
    if own != wanted and (own.to_epsg() is None or own.to_epsg() != wanted.to_epsg()):
        raise DataError(f"{path.name} está en {_crs_name(own)} y la región en {crs}; "
                        "reproyecte el ráster o cambie crs en el archivo de región.")
    if affine.b or affine.d or affine.a <= 0 or affine.e >= 0:
        raise DataError(f"{path.name} no tiene el norte arriba; remuestréelo a una malla sin giro.")
    if abs(affine.a + affine.e) > GRID_TOLERANCE * affine.a:
        raise DataError(f"{path.name} tiene celdas de {affine.a:g} x {-affine.e:g} m; remuestréelo a celdas cuadradas.")
    return tuple(map(float, affine[:6])), shape  # type: ignore[return-value]


def _check_same(path: Path, own: Affine, own_shape: tuple[int, int], first: Path, transform: Affine, shape: tuple[int, int]) -> None:
    cell = transform[0]
    origin = np.abs([own[2] - transform[2], own[5] - transform[5]])
    drift = np.abs([(own[0] - transform[0]) * shape[1], (own[4] - transform[4]) * shape[0]])
    apart = float((origin + drift).max()) / cell
    if own_shape != shape or apart > GRID_TOLERANCE:
        raise DataError(f"{path.name} no está en la misma malla que {first.name} ({own_shape[0]} x {own_shape[1]} celdas de {own[0]:g} m "
                        f"frente a {shape[0]} x {shape[1]} de {cell:g} m, o con otro origen); remuestréelo a esa malla.")


def _crs_name(crs: CRS) -> str:
    code = crs.to_epsg()
    return f"EPSG:{code}" if code else str(crs.to_wkt()[:60])


def _read_band(path: Path) -> np.ndarray:
    try:
        with _open(path) as source:
            band = source.read(1, masked=True)
    except RasterioIOError:
        raise DataError(f"{path.name} está dañado o incompleto; descárguelo de nuevo.") from None
    values = np.ma.filled(band.astype(np.float32), np.nan)
    values[values <= np.float32(-3e38)] = np.nan  # ESRI's no data, when the file does not declare it
    return np.asarray(values)


def _read_raw(path: Path) -> np.ndarray | None:
    if not path.is_file():
        return None
    with _open(path) as source:
        return np.asarray(source.read(1))


def _check_range(path: Path | None, values: np.ndarray, low: float, high: float, unit: str) -> None:
    bad = (values < low) | (values > high) | np.isinf(values)
    if path is not None and bad.any():
        some = ", ".join(f"{v:g}" for v in values[bad][:3])
        raise DataError(f"{path.name} tiene {int(bad.sum()):,} celdas con valores imposibles ({some} {unit}); "
                        f"se admite de {low:g} a {high:g}: revise las unidades del ráster.")


def _tile(path: Path, source: Any) -> Tile:
    _located(path.name, source)
    unit = (source.units[0] or "").lower()
    if unit.startswith(("f", "us")):
        raise DataError(f"{path.name} dice estar en pies ({unit}); conviértalo a metros.")
    return Tile(path.name, source)


def _located(name: str, source: Any) -> None:
    affine = source.transform
    if source.crs is None:
        raise DataError(f"{name} no dice su sistema de coordenadas; asígnele el suyo.")
    if affine.b or affine.d or affine.a <= 0 or affine.e >= 0:
        raise DataError(f"{name} no tiene el norte arriba; remuestréelo a una malla sin giro.")


def _fill(elevation: np.ndarray, mosaic: list[Tile], crs: str, transform: Affine, odd: dict[str, float]) -> None:
    """Give the cells of `elevation` that have none what this mosaic tells, by blocks; impossible heights go to `odd`."""
    cell, target, own = transform[0], CRS.from_user_input(crs), mosaic[0].source.crs
    (a, _, _, _, e), (height, width) = mosaic[0].source.transform[:5], elevation.shape
    pixel = _pixel_m(mosaic[0].source, target)
    side = int(np.clip(PIXELS * pixel / cell, 16, 1024))
    how = Resampling.average if pixel < cell else Resampling.bilinear
    for top, left in product(range(0, height, side), range(0, width, side)):
        block = elevation[top : top + side, left : left + side]  # a view
        west, north = transform[2] + left * cell, transform[5] + top * transform[4]
        try:
            bounds = transform_bounds(target, own, west, north + transform[4] * block.shape[0], west + cell * block.shape[1], north)
        except CRSError:
            continue  # beyond what the mosaic's CRS can express
        read = read_window(mosaic, bounds, odd)
        if read is not None and np.isfinite(read[0]).any():
            warped = np.full(block.shape, np.nan, np.float32)
            reproject(read[0], warped, src_transform=rasterio.Affine(a, 0, read[1][0], 0, e, read[1][1]), src_crs=own, dst_crs=target,
                      dst_transform=rasterio.Affine(cell, 0, west, 0, transform[4], north), src_nodata=np.nan, dst_nodata=np.nan,
                      resampling=how)
            np.copyto(block, warped, where=np.isnan(block))


def _pixel_m(source: Any, crs: CRS) -> float:
    """Metres of a pixel's longer side at the middle of the raster, in `crs`."""
    (x, y), (a, e) = source.xy(source.height // 2, source.width // 2), (source.transform.a, source.transform.e)
    xs, ys = project(source.crs, crs, [x, x + a, x], [y, y, y + e])
    return float(max(np.hypot(xs[1] - xs[0], ys[1] - ys[0]), np.hypot(xs[2] - xs[0], ys[2] - ys[0])))


def _strips(source: Any) -> Iterator[Window]:
    rows = max(1, PIXELS * PIXELS // source.width)
    return (Window(0, top, source.width, min(rows, source.height - top)) for top in range(0, source.height, rows))


def _check_people(path: Path, source: Any) -> None:
    wrong, some = 0, np.nan
    try:
        for window in _strips(source):
            people = source.read(1, window=window, masked=True).compressed()
            bad = people[(people < 0) | (people > PEOPLE_MAX)]  # NaN is no data
            wrong, some = wrong + len(bad), float(bad[0]) if len(bad) else some
    except RasterioIOError:
        raise DataError(f"{path.name} está dañado o incompleto; descárguelo de nuevo.") from None
    if wrong:
        raise DataError(f"{path.name} tiene {wrong:,} celdas que no son un número de personas (por ejemplo {some:g}); "
                        "use un ráster de personas por celda y declare su valor sin dato.")


def _some(paths: Sequence[Path]) -> str:
    return ", ".join(p.name for p in paths[:3]) + (f" y {len(paths) - 3} más" if len(paths) > 3 else "")
