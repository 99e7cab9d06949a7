"""Lines of a layer of roads in any vector format, and what could not be used of it."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pyogrio
import shapely
from pyogrio.errors import DataLayerError, DataSourceError, FeatureError

from planner.errors import DataError
from planner.model import Finding

FORMATS = (".gpkg", ".geojson", ".json", ".shp")
LINES = ("LineString", "MultiLineString")


def read_lines(path: Path, layer: str | None = None) -> tuple[gpd.GeoDataFrame, tuple[Finding, ...]]:
    """Rows with a line of a layer, the one named `layer` where there are several; column names as published.

    Rows without a line (null, empty, point or polygon) are left out and counted. DataError for what is not a layer of
    lines or does not say its coordinate system.
    """
    frame = _layer(path, layer)
    if frame.crs is None:
        raise DataError(f"{path.name}: no dice su sistema de coordenadas; expórtelo otra vez con él.")
    kinds = frame.geom_type
    usable = (kinds.isin(LINES) & ~frame.geometry.is_empty).to_numpy()
    if not usable.any():
        seen = ", ".join(sorted(set(kinds.dropna()))) or "ninguna geometría"
        raise DataError(f"{path.name}: no es una capa de líneas ({seen}); indique la capa de vías.")
    flat = frame[usable]
    flat = flat.set_geometry(shapely.force_2d(flat.geometry.to_numpy()), crs=frame.crs)
    odd = np.flatnonzero(~usable) + 1
    return flat.reset_index(drop=True), Finding.of(
        "filas_sin_linea", "nota", "Filas que no son una línea (puntos, áreas o sin geometría), descartadas", path.name,
        [f"fila {i}" for i in odd])


def _layer(path: Path, layer: str | None) -> gpd.GeoDataFrame:
    if not path.is_file():
        raise DataError(f"No existe el archivo de vías {path}.")
    try:
        names = [str(name) for name, kind in pyogrio.list_layers(path) if kind is not None]
        chosen = [n for n in names if n.casefold() == layer] or names
        if len(chosen) != 1:
            raise DataError(f"{path.name}: tiene {len(names)} capas con geometría ({', '.join(names[:3])}) y se esperaba una.")
        frame = gpd.read_file(path, layer=chosen[0], use_arrow=False)
    except (DataSourceError, DataLayerError, FeatureError, shapely.errors.GEOSException):
        raise DataError(f"{path.name}: la capa está dañada o no es de su formato; expórtela otra vez.") from None
    if not isinstance(frame, gpd.GeoDataFrame) or frame.empty:
        raise DataError(f"{path.name}: no tiene ninguna vía; descárguelo otra vez.")
    return frame
