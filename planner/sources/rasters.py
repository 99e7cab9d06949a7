"""Rasters of travel: road speed, slope and walking factor, checked to lie on one grid of square metres."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from rasterio.crs import CRS
from rasterio.errors import NotGeoreferencedWarning, RasterioIOError

from planner.errors import DataError, StorageError
from planner.model import Grid

SPEED_MAX_KMH = 150.0  # no road of Mexico is signed above 110
GRID_TOLERANCE = 1e-3  # cells: publishers round origins
LAYERS = ("road_kmh", "slope_deg", "walk_factor")
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
    """Write the three layers of `grid` as GeoTIFF into `folder`; equal grids give equal bytes."""
    for name in LAYERS:
        write_raster(folder / f"{name}.tif", getattr(grid, name), grid.transform, grid.crs, 0.0 if name == "road_kmh" else np.nan)


def load_grid(folder: Path, crs: str) -> Grid:
    """Read back what `write_grid` wrote. DataError if a layer is missing or damaged."""
    speed, slope, walk_factor = (folder / f"{name}.tif" for name in LAYERS)
    return read_grid(speed, slope, walk_factor, crs)


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


def _open(path: Path) -> Any:
    if not path.is_file():
        raise DataError(f"No existe el ráster {path}.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)  # told below, in our words
            return rasterio.open(path)
    except RasterioIOError:
        raise DataError(f"{path.name} no es un ráster que se pueda abrir; descárguelo de nuevo.") from None


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


def _check_range(path: Path | None, values: np.ndarray, low: float, high: float, unit: str) -> None:
    bad = (values < low) | (values > high) | np.isinf(values)
    if path is not None and bad.any():
        some = ", ".join(f"{v:g}" for v in values[bad][:3])
        raise DataError(f"{path.name} tiene {int(bad.sum()):,} celdas con valores imposibles ({some} {unit}); "
                        f"se admite de {low:g} a {high:g}: revise las unidades del ráster.")
