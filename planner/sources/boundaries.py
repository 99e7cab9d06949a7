"""Municipal boundaries in any format that geopandas reads, and today's grouping of municipalities in districts."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyarrow
from pyogrio.errors import DataLayerError, DataSourceError

from planner.errors import DataError
from planner.schema import MUNICIPALITIES
from planner.sources.files import digits, municipality_code, read_text_table

KEYS = ("CVEGEO", "CVE_GEO", "CLAVEGEO", "CONCAT", "CVEMUN", "CVE_MUN", "MUN")  # the first that gives five digits
NAMES = ("NOM_MUN", "NOMGEO", "NOMBRE", "MUNICIPIO", "NAME")


def read_municipalities(path: Path, entity: str, crs: str) -> gpd.GeoDataFrame:
    """Municipalities of `entity` as schema.MUNICIPALITIES (index and deprivation still null) with polygons in `crs`.

    Invalid polygons are mended; parts of one municipality are joined. DataError for a file without CRS, key or rows.
    """
    frame = _read_vector(path)
    if frame.crs is None:
        raise DataError(f"{path.name} no dice su sistema de coordenadas; agregue el archivo .prj o asígnele el suyo.")
    key = _key(frame, entity, path)
    mine = gpd.GeoDataFrame({"cve_mun": key, "name": _name(frame).fillna(key)}, geometry=frame.geometry.make_valid(), crs=frame.crs)
    mine = mine[key.str.startswith(entity)]
    if mine.empty:
        raise DataError(f"{path.name} no tiene ningún municipio de la entidad {entity}; ¿es el archivo de otro estado?")
    bare = mine.loc[mine.geometry.isna(), "cve_mun"]
    if len(bare):
        raise DataError(f"{path.name}: {len(bare)} de {len(mine)} municipios no traen polígono ({', '.join(bare[:3])}); el archivo está "
                        "cortado o incompleto, cópielo de nuevo.")
    joined = mine.to_crs(crs).dissolve("cve_mun", sort=True)
    empty = {"irs": pd.Series(float("nan"), joined.index), "irs_grade": pd.Series(None, joined.index, dtype="str"),
             "district": pd.Series(None, joined.index, dtype="str")}
    return joined.assign(**empty)[[*MUNICIPALITIES.names(), "geometry"]]


def read_districts(path: Path, entity: str) -> pd.Series:
    """Name of the district (`JURISDICCION`) of each municipality of `entity`, indexed by `cve_mun`."""
    table = read_text_table(path, required=("CVE_MUN", "JURISDICCION"))
    key = municipality_code(table["CVE_MUN"], entity)
    districts = pd.Series(table["JURISDICCION"].to_numpy(), index=pd.Index(key, name="cve_mun"), name="district", dtype="str")
    districts = districts[districts.index.notna() & districts.notna().to_numpy()]
    districts = districts[districts.index.str.startswith(entity)]
    twice = districts.index[districts.index.duplicated()].unique()
    if len(twice):
        raise DataError(f"{path.name}: {len(twice)} municipios aparecen más de una vez ({', '.join(twice[:3])}); "
                        "deje una fila por municipio.")
    if districts.empty:
        raise DataError(f"{path.name} no tiene ningún municipio de la entidad {entity}; ¿es el archivo de otro estado?")
    return districts.sort_index()


def _read_vector(path: Path) -> gpd.GeoDataFrame:
    if not path.exists():
        raise DataError(f"No existe el archivo de límites {path}.")
    try:
        frame = gpd.read_parquet(path) if path.suffix.lower() in (".parquet", ".geoparquet") else gpd.read_file(path)
    except (DataSourceError, DataLayerError, pyarrow.ArrowException, ValueError) as fault:
        raise DataError(f"{path.name} no se puede leer como capa geográfica ({fault}); descárguelo de nuevo.") from None
    if not isinstance(frame, gpd.GeoDataFrame) or frame.geometry.isna().all():
        raise DataError(f"{path.name} no tiene polígonos; se espera la capa de municipios.")
    if not frame.geom_type.dropna().isin(["Polygon", "MultiPolygon"]).all():
        raise DataError(f"{path.name} no es una capa de polígonos ({', '.join(sorted(set(frame.geom_type.dropna())))}).")
    return frame


def _key(frame: gpd.GeoDataFrame, entity: str, path: Path) -> pd.Series:
    columns = {str(c).upper(): c for c in frame.columns}
    if "CVE_ENT" in columns and "CVE_MUN" in columns:
        return digits(frame[columns["CVE_ENT"]]).str.zfill(2) + digits(frame[columns["CVE_MUN"]]).str.zfill(3).str[-3:]
    for name in KEYS:
        if name in columns:
            code = municipality_code(frame[columns[name]], entity)
            if code.notna().all():
                return code
    raise DataError(f"{path.name} no tiene clave de municipio; se espera CVEGEO, o CVE_ENT y CVE_MUN. "
                    f"Columnas: {', '.join(map(str, frame.columns[:8]))}.")


def _name(frame: gpd.GeoDataFrame) -> pd.Series:
    columns = {str(c).upper(): c for c in frame.columns}
    found = [columns[n] for n in NAMES if n in columns]
    return frame[found[0]].astype("str").str.strip() if found else pd.Series(None, frame.index, dtype="str")
