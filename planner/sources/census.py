"""Localities of a region: people, groups and rezago social, from the census or from a table in canonical columns."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
from pyproj import CRS
from pyproj.exceptions import CRSError

from planner import columns, schema
from planner.errors import DataError, SettingsError
from planner.model import Finding
from planner.sources import deprivation
from planner.sources.files import codes, fold, numbers, read_text_table, refuse_repeated, some
from planner.sources.inegi import COUNTS, IterTables, check_coordinates

WITHOUT_SOCIAL_SECURITY = ("PSINDER", "PDER_SEGP", "PDER_IMSSB")
GROUPS = {
    "indigenous": "PHOG_IND", "indigenous_speakers": "P3YM_HLI", "afro": "POB_AFRO", "disability": "PCON_DISC",
    "age_65": "POB65_MAS", "age_0_14": "POB0_14", "age_15_17": "P_15A17", "women_15_49": "P_15A49_F",
}
_COMPUTED = ("cve_mun", "uninsured_imputed", "groups_imputed", "irs_imputed")


def locality_table(census: IterTables, municipal_index: pd.DataFrame | None, locality_index: pd.DataFrame | None,
                   catalogue: pd.DataFrame | None, districts: pd.Series | None,
                   crs: str | None) -> tuple[gpd.GeoDataFrame, tuple[Finding, ...]]:
    """Localities as schema.LOCALITIES plus points in `crs` (default: the UTM zone of the localities), and what was imputed.

    What the census hides takes the municipality's share of the population, capped by it, and is flagged. The index is
    CONEVAL's of the locality where given (`dato`), else the replica on the municipal scale (`derivado`). The catalogue
    adds inhabited localities that the census lacks, altitudes and coordinates. Columns of indicators keep what the
    locality itself has. DataError if a locality has no coordinates.
    """
    places, added = _with_catalogue(census.localities, catalogue)
    population = places["population"].astype("float64")
    towns = _shares(census.municipalities, census.state).reindex(places["cve_mun"]).set_axis(places.index)
    own = _people(places)
    people = own.fillna(towns.mul(population, axis=0)).clip(upper=population, axis=0)
    indicators = deprivation.indicators(places)
    table = places[["entity_name", "cve_mun", "municipality", "name", "lon", "lat", "altitude_m", "population"]].assign(
        district=_district(places["cve_mun"], districts), **people,
        uninsured_imputed=own["uninsured"].isna(), groups_imputed=own[list(GROUPS)].isna().any(axis=1),
        **indicators, **_index(places["cve_mun"], indicators, census, municipal_index, locality_index), flags=_no_text(places.index))
    findings = (*_rows_left_out(census.dropped), *_unbalanced(census), *_added(added), *_imputed(table))
    return _checked(table, crs, "Localidades del censo"), findings


def read_canonical_localities(path: Path, entity: str, crs: str | None = None) -> tuple[gpd.GeoDataFrame, tuple[Finding, ...]]:
    """The same table read from csv, parquet or gpkg with the schema's names or their Spanish export names.

    Columns that may be null, the municipality key and the marks of imputation may be absent. DataError with every fault.
    """
    declared = schema.LOCALITIES.all()
    needed = [c.name for c in declared if not c.null and c.name not in _COMPUTED]
    spanish = columns.export_names(schema.LOCALITIES)
    raw = read_text_table(path, optional=[*spanish, *spanish.values()])
    raw = raw.rename(columns={e: n for n, e in spanish.items() if n not in raw.columns})
    missing = [f"{n} o {spanish[n]}" if spanish[n] != n else n for n in needed if n not in raw.columns]
    if missing:
        raise DataError(f"{path.name}: faltan las columnas {', '.join(missing)}; use las del diccionario de datos.")
    keys = codes(raw["cvegeo"], 9, path.name)
    ours = keys.str.startswith(entity)
    if not ours.any():
        raise DataError(f"{path.name}: no trae ninguna localidad de la entidad {entity}; revise la clave «entity».")
    rows = raw.set_index(keys.rename("cvegeo"))[ours.to_numpy()].sort_index()
    refuse_repeated(rows.index, path.name)
    rows = rows.assign(cve_mun=rows.index.str[:5])
    table = pd.DataFrame({c.name: _typed(rows, c, path.name) for c in declared[1:]}, index=rows.index)
    check_coordinates(table, path.name)
    return _checked(table, crs, path.name), (*_rows_left_out({"otra entidad": int((~ours).sum())}), *_imputed(table))


def _people(counts: pd.DataFrame) -> pd.DataFrame:
    """Target people and groups as counted, NaN where any part is hidden."""
    uninsured = np.minimum(counts["population"], counts[list(WITHOUT_SOCIAL_SECURITY)].sum(axis=1, skipna=False))
    groups = {name: counts[column] for name, column in GROUPS.items()}
    return pd.DataFrame({"uninsured": uninsured, "unentitled": counts["PSINDER"], **groups})


def _shares(municipalities: pd.DataFrame, state: pd.Series) -> pd.DataFrame:
    """Share of each municipality's population in every column of `_people`; the state's where that is hidden too."""
    def of(counts: pd.DataFrame) -> pd.DataFrame:
        return _people(counts).div(counts["population"].where(counts["population"] > 0), axis=0)

    return of(municipalities).fillna(of(state.to_frame().T).iloc[0])


def _with_catalogue(localities: pd.DataFrame, catalogue: pd.DataFrame | None) -> tuple[pd.DataFrame, pd.Index]:
    """Census rows, gaps of place filled from the catalogue, its other inhabited localities added; and those."""
    if catalogue is None:
        return localities, localities.index[:0]
    place = ["lon", "lat", "altitude_m"]
    places = localities.assign(**localities[place].fillna(catalogue[place].reindex(localities.index)))
    extra = catalogue[(catalogue["population"] > 0) & ~catalogue.index.isin(localities.index)]
    if extra.empty:
        return places, extra.index
    extra = extra.assign(population=extra["population"].astype("int64"), **dict.fromkeys(COUNTS, np.nan))
    return pd.concat([places, extra[places.columns]]).sort_index(), extra.index


def _index(cve_mun: pd.Series, own: pd.DataFrame, census: IterTables, municipal_index: pd.DataFrame | None,
           locality_index: pd.DataFrame | None) -> pd.DataFrame:
    """Columns irs, irs_grade, irs_imputed, irs_origin."""
    towns = deprivation.indicators(census.municipalities)
    replica = deprivation.index(towns)
    published = replica if municipal_index is None else municipal_index["irs"].reindex(replica.index).fillna(replica)
    out = deprivation.local_index(own, cve_mun, towns, published)
    out["irs_origin"] = pd.Series("derivado", index=out.index, dtype="str").where(out["irs"].notna())
    if locality_index is None:
        return out
    official = locality_index.reindex(out.index)
    given = official["irs"].notna() & official["irs_grade"].notna()
    datum = official[["irs", "irs_grade"]].assign(irs_imputed=False, irs_origin="dato")
    return out.where(~given, datum).astype(out.dtypes)


def _district(cve_mun: pd.Series, districts: pd.Series | None) -> pd.Series:
    return _no_text(cve_mun.index) if districts is None else cve_mun.map(districts).astype("str")


def _no_text(index: pd.Index) -> pd.Series:
    return pd.Series(np.nan, index=index, dtype="str")


def _checked(table: pd.DataFrame, crs: str | None, where: str) -> gpd.GeoDataFrame:
    lost = table.index[table["lon"].isna() | table["lat"].isna()]
    if len(lost):
        raise DataError(f"{where}: sin coordenadas {some(lost)}; agregue el catálogo AGEEML ([localities] catalogue) o complételas.")
    points = gpd.GeoSeries(gpd.points_from_xy(table["lon"], table["lat"], crs=4326), index=table.index)
    out = gpd.GeoDataFrame(table[schema.LOCALITIES.names()], geometry=points.to_crs(_metres(crs) or points.estimate_utm_crs()))
    columns.check(schema.LOCALITIES, out, where)
    return out


def _metres(crs: str | None) -> CRS | None:
    if crs is None:
        return None
    try:
        known = CRS.from_user_input(crs)
    except CRSError:
        raise SettingsError(f"crs = «{crs}» no es un sistema de coordenadas conocido; use uno como EPSG:32614.") from None
    if not known.is_projected or known.axis_info[0].unit_conversion_factor != 1:
        raise SettingsError(f"crs = «{crs}» no está en metros; use uno proyectado en metros, como EPSG:32614.")
    return known


def _typed(rows: pd.DataFrame, column: columns.Column, where: str) -> pd.Series:
    if column.name not in rows.columns:
        return pd.Series(False, index=rows.index) if column.kind == "bool" else _no_text(rows.index).astype(
            "str" if column.kind == "text" else "float64")
    text = rows[column.name]
    if column.kind == "text":
        return text
    if column.kind == "bool":
        truth = text.map(lambda v: fold(v) in ("true", "1", "si", "verdadero"), na_action="ignore")
        return truth.eq(True)
    value = numbers(text, where)
    if column.kind == "int":
        if value.isna().any() or (value % 1 != 0).any():
            raise DataError(f"{where}: «{column.name}» debe ser un entero en todas las filas; complételo.")
        return value.astype("int64")
    return value


def _rows_left_out(dropped: dict[str, int]) -> list[Finding]:
    return [Finding("filas_descartadas", "nota", f"Filas de {reason} que no se usan", "localidades", n)
            for reason, n in dropped.items() if n]


def _unbalanced(census: IterTables) -> tuple[Finding, ...]:
    people = census.localities.groupby("cve_mun")["population"].sum().reindex(census.municipalities.index, fill_value=0)
    return Finding.of("total_no_cuadra", "aviso", "Municipios cuyas localidades no suman su total de población", "municipios",
                      people.index[people != census.municipalities["population"]],
                      "Al archivo le faltan o le sobran localidades; descárguelo otra vez.")


def _added(ids: pd.Index) -> tuple[Finding, ...]:
    return Finding.of("localidad_agregada", "aviso", "Localidades habitadas que solo están en el catálogo", "localidades", ids,
                      "Se agregan con las proporciones de su municipio; confirme que existen.")


def _imputed(table: pd.DataFrame) -> tuple[Finding, ...]:
    where, hidden = "localidades", table.index[table["uninsured_imputed"]]
    return (
        *Finding.of("poblacion_imputada", "aviso", "Localidades cuya población sin seguridad social oculta el censo", where, hidden,
                    f"Toman la proporción de su municipio ({table.loc[hidden, 'population'].sum():,} habitantes en total)."),
        *Finding.of("grupos_imputados", "nota", "Localidades con algún grupo de población oculto", where,
                    table.index[table["groups_imputed"]], "Toman la proporción de su municipio."),
        *Finding.of("indice_imputado", "aviso", "Localidades con algún indicador de rezago oculto o sin nadie a quien medir", where,
                    table.index[table["irs_imputed"]], "Ese indicador toma el valor de su municipio."),
        *Finding.of("sin_indice", "aviso", "Localidades sin índice de rezago", where, table.index[table["irs"].isna()],
                    "Quedan sin puntaje; agregue el libro de rezago social del CONEVAL."))
