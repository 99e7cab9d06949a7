"""Checks between tables: what is far, outside, shared or assumed becomes a flag on its row and a finding in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from planner.errors import DataError
from planner.kinds import Severity
from planner.model import STEPS, Finding, Grid, Roads

FAR_KM = 5.0  # a unit farther from its published locality is suspect: in Hidalgo 98 % lie nearer
BORDER_M = 500.0  # published boundaries and points disagree by less than this along borders
OUTSIDE_MAX = 0.05  # share of localities outside the terrain beyond which the terrain is the wrong one
HEIGHTS = (0.5, 2.0)  # median of elevation over published altitude beyond which the elevation is of another unit or place
HEIGHT_MIN_M, HEIGHTS_MIN = 50.0, 10  # ratios are only told by places this high, and by this many of them
SLOPE_MAX_DEG = 90.0
SEVERITIES: tuple[Severity, ...] = ("error", "aviso", "nota")
FlagTexts = Mapping[str, tuple[Severity, str, str]]  # code: severity, what, remedy

LOCALITY_FLAGS: FlagTexts = {  # what the census hides is told by sources/census.py
    "fuera_de_municipio": ("aviso", f"Localidades a más de {BORDER_M:g} m de los límites de su municipio", "Revise sus coordenadas."),
    "fuera_de_rasteres": ("aviso", "Localidades fuera de la malla del terreno: sin minutos de viaje", "Use un terreno que cubra todo el "
                          "estado."),
    "sin_dato_en_rasteres": ("aviso", "Localidades en celdas sin dato del terreno (vacíos o mar): se mueven a la celda transitable más "
                             "cercana o se rechazan", "Revise las coordenadas o complete el terreno."),
    "celda_intransitable": ("aviso", "Localidades dentro de una barrera (lago, embalse): se mueven a la celda transitable más cercana o se "
                            "rechazan", "Revise sus coordenadas."),
}
UNIT_FLAGS: FlagTexts = {
    "lejos_de_localidad": ("aviso", f"Unidades a más de {FAR_KM:g} km de la localidad que publican", "Revise sus coordenadas."),
    "localidad_desconocida": ("nota", "Unidades cuya localidad no está en el censo", ""),
    "fuera_de_municipio": ("aviso", f"Unidades a más de {BORDER_M:g} m del municipio que publican", "Revise sus coordenadas."),
    "fuera_de_la_entidad": ("aviso", f"Unidades a más de {BORDER_M:g} m de los límites de la entidad", "Revise sus coordenadas."),
    "coordenada_compartida": ("nota", "Unidades de la red pública en el mismo punto que otra", "Confirme que comparten edificio."),
    "fuera_de_rasteres": ("aviso", "Unidades fuera de la malla del terreno: no atienden a nadie", "Revise sus coordenadas, o use un "
                          "terreno que cubra todo el estado."),
    "celda_intransitable": ("aviso", "Unidades de la red pública en celdas donde no se puede caminar (sin dato, agua o mar): se mueven a "
                            "la transitable más cercana o se rechazan", "Revise sus coordenadas o complete el terreno."),
}


def check_localities(
    localities: gpd.GeoDataFrame, municipalities: gpd.GeoDataFrame, grid: Grid, where: str
) -> tuple[gpd.GeoDataFrame, tuple[Finding, ...]]:
    """Localities with their flags, and the findings.

    DataError if more than OUTSIDE_MAX of them lie outside the terrain or on cells where it has no data, or if its elevation is not
    that of their altitudes (HEIGHTS): it is of another place, or not in metres.
    """
    outside = _outside(localities, grid)
    blank = ~outside & _blank(localities, grid)
    lost = outside | blank
    if lost.mean() > OUTSIDE_MAX:
        ids = ", ".join(localities.index[lost][:3])
        raise DataError(f"{where}: {lost.sum():,} de {len(localities):,} localidades ({lost.mean():.0%}, se admite {OUTSIDE_MAX:.0%}) caen "
                        f"fuera del terreno o donde no trae dato ({ids}); revise que sus archivos sean del mismo estado, estén bien "
                        "proyectados y tengan las unidades que se piden.")
    _check_heights(localities, grid)
    flags = {
        "poblacion_imputada": localities["uninsured_imputed"], "grupos_imputados": localities["groups_imputed"],
        "indice_imputado": localities["irs_imputed"], "sin_indice": localities["irs"].isna(),
        "fuera_de_municipio": _metres_to(localities, municipalities, localities["cve_mun"]) > BORDER_M,
        "fuera_de_rasteres": outside, "sin_dato_en_rasteres": blank,
        "celda_intransitable": ~outside & ~blank & _shut(localities, grid),
    }
    flagged = localities.assign(flags=join_flags(flags, localities["flags"]))
    return flagged, flag_findings(flagged["flags"], LOCALITY_FLAGS, where)


def check_units(
    units: gpd.GeoDataFrame, localities: gpd.GeoDataFrame, municipalities: gpd.GeoDataFrame, grid: Grid, where: str
) -> tuple[gpd.GeoDataFrame, tuple[Finding, ...]]:
    """Units with their flags added to those they bring, and the findings."""
    state = municipalities.geometry.dropna()
    public, outside = units["role"] != "ninguno", _outside(units, grid)
    flags = {
        "lejos_de_localidad": _metres_to(units, localities, units["locality"]) > FAR_KM * 1000,
        "localidad_desconocida": units["locality"].notna() & ~units["locality"].isin(localities.index),
        "fuera_de_municipio": _metres_to(units, municipalities, units["cve_mun"]) > BORDER_M,
        "fuera_de_la_entidad": (units.geometry.distance(state.union_all()) > BORDER_M) & bool(len(state)),
        "coordenada_compartida": public & units[public].duplicated(["lon", "lat"], keep=False).reindex(units.index, fill_value=False),
        "fuera_de_rasteres": outside, "celda_intransitable": public & ~outside & _blocked(units, grid),
    }
    flagged = units.assign(flags=join_flags(flags, units["flags"]))
    return flagged, flag_findings(flagged["flags"], UNIT_FLAGS, where)


def check_grid(grid: Grid, where: str) -> tuple[Finding, ...]:
    """What is odd in the terrain itself."""
    steep = int((grid.slope_deg > SLOPE_MAX_DEG).sum())
    if not steep:
        return ()
    return (Finding("pendiente_imposible", "aviso", f"Celdas con pendiente mayor que {SLOPE_MAX_DEG:g} grados: se recortan al calcular la "
                    "velocidad", where, steep, (f"máximo {np.nanmax(grid.slope_deg):.1f}",), "Revise el ráster de pendiente."),)


def check_roads(roads: Roads, grid: Grid, where: str) -> tuple[Finding, ...]:
    """Roads with a vertex beyond the grid or where the terrain has no data; bridges and ferries lie there by right."""
    land = roads.edges[~(roads.edges["bridge"] | roads.edges["ferry"])]
    xy, edge = shapely.get_coordinates(land.geometry.to_numpy(), return_index=True)
    row, col = grid.cells(*xy.T)
    height, width = grid.shape
    beyond = (row < 0) | (col < 0) | (row >= height) | (col >= width)
    blank = np.isnan(grid.slope_deg[np.clip(row, 0, height - 1), np.clip(col, 0, width - 1)])
    ways = [land["way"].iloc[np.unique(edge[mask])].unique() for mask in (beyond, blank & ~beyond)]
    return (
        *Finding.of("camino_fuera_de_la_malla", "nota", "Vías que salen de la malla del terreno: ahí no se entra ni se sale a pie", where,
                    ways[0]),
        *Finding.of("camino_sin_terreno", "aviso", "Vías que pasan por celdas sin dato del terreno (vacíos o mar): se circula por ellas, "
                    "pero ahí no se entra ni se sale a pie", where, ways[1], "Complete el modelo de elevación."))


def join_flags(flags: Mapping[str, pd.Series], before: pd.Series) -> pd.Series:
    """Codes of the flags that are set, comma-separated, after those that `before` holds; null where there is none.

    >>> join_flags({"a": pd.Series([True, False])}, pd.Series(["b", None], dtype="str")).tolist()
    ['b,a', nan]
    """
    text = before.fillna("").to_numpy(object)
    for code, mask in flags.items():
        text = text + np.where(mask.to_numpy(bool), f",{code}", "")
    joined = pd.Series(text, index=before.index, dtype="str").str.lstrip(",")
    return joined.where(joined != "")


def flag_findings(flags: pd.Series, texts: FlagTexts, where: str) -> tuple[Finding, ...]:
    """One finding for each flag of `texts` that some row carries."""
    codes = "," + flags.fillna("") + ","
    return tuple(
        f for code, (severity, what, remedy) in texts.items()
        for f in Finding.of(code, severity, what, where, flags.index[codes.str.contains(f",{code},", regex=False)], remedy))


def findings_table(findings: Sequence[Finding]) -> pd.DataFrame:
    """The findings as people read them, the gravest first: gravedad, qué, dónde, cuántos, ejemplos, remedio."""
    ordered = sorted(findings, key=lambda f: SEVERITIES.index(f.severity))
    rows = [(f.severity, f.what, f.where, f.count, ", ".join(f.examples), f.remedy) for f in ordered]
    return pd.DataFrame(rows, columns=["gravedad", "qué", "dónde", "cuántos", "ejemplos", "remedio"])


def _metres_to(points: gpd.GeoDataFrame, places: gpd.GeoDataFrame, keys: pd.Series) -> pd.Series:
    """Metres from each point to the place of its key; NaN where the key or the place's geometry is missing."""
    matched = gpd.GeoSeries(places.geometry.reindex(keys.to_numpy()).to_numpy(), index=points.index, crs=points.crs)
    metres: pd.Series = points.geometry.distance(matched)
    return metres


def _outside(points: gpd.GeoDataFrame, grid: Grid) -> pd.Series:
    row, col = grid.cells(points.geometry.x.to_numpy(), points.geometry.y.to_numpy())
    height, width = grid.shape
    return pd.Series((row < 0) | (col < 0) | (row >= height) | (col >= width), index=points.index)


def _blank(points: gpd.GeoDataFrame, grid: Grid) -> pd.Series:
    """Points on cells (or beyond the edge) without road where no raster has data, or the elevation has none."""
    at = _under(points, grid)
    unknown = np.isnan(grid.slope_deg[at]) & (np.isnan(grid.walk_factor[at]) | (grid.elevation_m is not None))
    return pd.Series((grid.road_kmh[at] == 0) & unknown, index=points.index)


def _blocked(points: gpd.GeoDataFrame, grid: Grid) -> pd.Series:
    """Points on cells (or beyond the edge) that cannot be walked: no slope; off the roads no walking factor, or barriers all around."""
    at = _under(points, grid)
    closed = (grid.road_kmh[at] == 0) & ~(grid.walk_factor[at] > 0)
    return pd.Series(np.isnan(grid.slope_deg[at]) | closed, index=points.index) | _shut(points, grid)


def _shut(points: gpd.GeoDataFrame, grid: Grid) -> pd.Series:
    """Points on cells (or beyond the edge) without road with barriers all around."""
    at = _under(points, grid)
    shut = False if grid.blocked is None else grid.blocked[at] == 2 ** len(STEPS) - 1
    return pd.Series((grid.road_kmh[at] == 0) & shut, index=points.index)


def _check_heights(localities: gpd.GeoDataFrame, grid: Grid) -> None:
    if grid.elevation_m is None:
        return
    told, found = localities["altitude_m"].to_numpy(float), grid.elevation_m[_under(localities, grid)]
    high = (told >= HEIGHT_MIN_M) & np.isfinite(found)
    ratio = float(np.median(found[high] / told[high])) if high.sum() >= HEIGHTS_MIN else 1.0
    if not HEIGHTS[0] <= ratio <= HEIGHTS[1]:
        raise DataError(f"El modelo de elevación da alturas de {ratio:.2g} veces la altitud que se publica de {high.sum():,} localidades "
                        f"({', '.join(localities.index[high][:3])}); revise que esté en metros y sea del mismo lugar.")


def _under(points: gpd.GeoDataFrame, grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    """Row and column of the cell under each point, or of the nearest cell at the edge."""
    row, col = grid.cells(points.geometry.x.to_numpy(), points.geometry.y.to_numpy())
    height, width = grid.shape
    return np.clip(row, 0, height - 1), np.clip(col, 0, width - 1)
