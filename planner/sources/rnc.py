"""INEGI's Red Nacional de Caminos: segments that are joined by the ids of their unions and by nothing else.

Fields and their meaning are those of the dictionary that comes with it (layer Red Vial). Values are compared without
case or accents; `N/A`, `N/D` and their kin mean that the publisher does not say.
"""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import KDTree

from planner.errors import DataError
from planner.model import Finding, Roads
from planner.sources.files import fold
from planner.sources.lines import read_lines
from planner.sources.roadnet import Box, Ways, build_roads, own_ends

REQUIRED = ("ID_RED", "TIPO_VIAL", "UNION_INI", "UNION_FIN")
OPTIONAL = ("NOMBRE", "CODIGO", "COND_PAV", "RECUBRI", "ESTATUS", "CONDICION", "NIVEL", "PEAJE", "CIRCULA", "VELOCIDAD")
UNSAID = ("", "n/a", "n/d", "n/e", "na", "nd", "s/d", "no aplica", "no disponible", "no definido", "ninguno", "none", "nan", "null")
CLASSES = {
    **dict.fromkeys(("carretera", "autopista", "libramiento", "enlace", "entronque", "rampa", "rampa de frenado"), "carretera"),
    **dict.fromkeys(("camino", "brecha", "terraceria"), "camino"),
    **dict.fromkeys(("vereda", "andador", "peatonal", "pasaje", "escalinata"), "vereda"),
    **dict.fromkeys((
        "calle", "avenida", "boulevard", "bulevar", "calzada", "callejon", "cerrada", "circuito", "circunvalacion", "continuacion",
        "corredor", "diagonal", "eje vial", "glorieta", "periferico", "privada", "prolongacion", "ampliacion", "retorno", "retorno u",
        "viaducto"), "calle"),
}
UNKNOWN_CLASS = "calle"  # the slowest that is driven
PAVED = {"con pavimento": True, "pavimentado": True, "sin pavimento": False, "no pavimentado": False}
COVER = {
    "asfalto": "asphalt", **dict.fromkeys(("concreto", "concreto hidraulico", "adoquin", "empedrado", "adocreto"), "paved"),
    **dict.fromkeys(("tierra", "terraceria", "grava", "revestimiento", "revestido"), "unpaved"),
}
SENSE = {  # with the drawn sense 1, against it -1, both 0
    **dict.fromkeys(("dos sentidos", "doble sentido", "ambos sentidos", "abierta en ambas direcciones"), 0),
    **dict.fromkeys(("un sentido", "cerrada en direccion negativa"), 1),
    **dict.fromkeys(("sentido contrario", "un sentido contrario", "un sentido (contrario)", "cerrada en direccion positiva"), -1),
}
CLOSED = ("cerrada en ambos sentidos", "cerrado en ambos sentidos", "cerrada en ambas direcciones")  # to vehicles
IN_USE = {"ESTATUS": "habilitado", "CONDICION": "en operacion"}
TOLL = {"si": True, "no": False}
POSTED_MAX = 160.0  # km/h; more is a slip
NEAR_M = 1.0  # ends of one union may be drawn this far apart


def read_rnc(path: Path, crs: str, *, bounds: Box | None = None) -> tuple[Roads, tuple[Finding, ...]]:
    """Roads of the layer Red Vial (gpkg, shp, GeoJSON) in `crs`; ways that do not touch `bounds` are left out.

    Segments out of service are dropped; those of several parts that do not follow one another are split. A union drawn
    at places more than a metre apart is one node at each of them. Elevated and sunken segments (NIVEL) and toll roads
    cannot be boarded on the way. DataError for a file that is not this layer or has nothing in service.
    """
    frame, told = read_lines(path, "red_vial")
    raw = _fields(frame, path).assign(geometry=frame.geometry.to_crs(crs).to_numpy())
    text = pd.DataFrame({name: _said(raw[name]) for name in (*REQUIRED, *OPTIONAL)})
    open_now = pd.Series(True, raw.index)
    for name, value in IN_USE.items():
        open_now &= text[name].isna() | (text[name] == value)
    if not open_now.any():
        raise DataError(f"{path.name}: ningún tramo está habilitado y en operación; revise ESTATUS y CONDICION.")
    shut = ", ".join(sorted({str(v) for n, known in IN_USE.items() for v in raw.loc[text[n].notna() & (text[n] != known), n]}))
    used, said = raw[open_now].reset_index(drop=True), text[open_now].reset_index(drop=True)
    table, odd = _table(used, said, path.name)
    ways, joined = _joined(used, said, table, crs, path.name)
    roads, found = build_roads(ways, crs, path.name, bounds=bounds)
    return roads, (*told, *Finding.of("fuera_de_servicio", "nota", f"Tramos que no están en servicio ({shut}), descartados", path.name,
                                      raw["ID_RED"][~open_now].fillna("sin id")), *odd, *joined, *found)


def _fields(frame: gpd.GeoDataFrame, path: Path) -> pd.DataFrame:
    """The dictionary's fields as trimmed text, whatever the case of their names; those not required may be absent."""
    named = {fold(str(c)): c for c in frame.columns}
    missing = [name for name in REQUIRED if fold(name) not in named]
    if missing:
        raise DataError(f"{path.name}: no es la capa Red Vial de la RNC, le falta {', '.join(missing)}; indique esa capa.")
    fields = {name: frame[named[fold(name)]] if fold(name) in named else pd.Series(None, frame.index, dtype="str")
              for name in (*REQUIRED, *OPTIONAL)}
    text = {name: value.astype("str").str.strip() for name, value in fields.items()}
    return pd.DataFrame({name: value.str.replace(r"(?<=\d)\.0+$", "", regex=True) for name, value in text.items()})


def _said(text: pd.Series) -> pd.Series:
    """Folded values, null where the publisher does not say."""
    plain = text.map({v: fold(v) for v in text.dropna().unique()}).astype("str")
    return plain.mask(plain.isin(UNSAID))


def _table(raw: pd.DataFrame, said: pd.DataFrame, where: str) -> tuple[pd.DataFrame, tuple[Finding, ...]]:
    """The columns a way brings to ROADS, and the values nobody knows."""
    kind = said["TIPO_VIAL"].map(CLASSES).astype("str")
    paved, cover = said["COND_PAV"].map(PAVED), said["RECUBRI"].map(COVER).astype("str")
    kmh, level = (pd.to_numeric(said[name].str.replace(",", "."), errors="coerce").astype("float64") for name in ("VELOCIDAD", "NIVEL"))
    sense, shut = said["CIRCULA"].map(SENSE).fillna(0), said["CIRCULA"].isin(CLOSED)
    surface = cover.mask(paved.eq(True) & (cover != "asphalt"), "paved").mask(paved.eq(False), "unpaved")
    drive = (kind.fillna(UNKNOWN_CLASS) != "vereda") & ~shut
    toll = said["PEAJE"].map(TOLL).eq(True)
    name, code = (raw[field].where(said[field].notna()) for field in ("NOMBRE", "CODIGO"))
    table = pd.DataFrame({
        "way": raw["ID_RED"].fillna("sin id"), "name": name.fillna(code), "road_class": kind.fillna(UNKNOWN_CLASS), "surface": surface,
        "tracktype": np.nan, "smoothness": pd.Series(None, raw.index, dtype="str"), "crossing_min": np.nan,
        "posted_kmh": kmh.where((kmh > 0) & (kmh <= POSTED_MAX)),
        "forward": (sense >= 0) | ~drive, "backward": (sense <= 0) | ~drive, "drive": drive, "walk": True,
        "board": ~toll & (level.fillna(0) == 0), "bridge": level > 0, "ford": False, "ferry": False, "toll": toll})
    odd = {"TIPO_VIAL": kind.isna(), "COND_PAV": paved.isna(), "RECUBRI": cover.isna(), "CIRCULA": ~said["CIRCULA"].isin([*SENSE, *CLOSED]),
           "PEAJE": ~said["PEAJE"].isin(TOLL), "VELOCIDAD": ~(kmh >= 0) | (kmh > POSTED_MAX), "NIVEL": level.isna()}
    unknown = {name: at & said[name].notna() for name, at in odd.items()}
    return table, (
        *Finding.of("tipo_ausente", "aviso", f"Tramos sin TIPO_VIAL: se toman como {UNKNOWN_CLASS}", where,
                    table["way"][said["TIPO_VIAL"].isna()]),
        *(f for name, at in unknown.items() for f in Finding.of(
            "valor_desconocido", "aviso" if name == "TIPO_VIAL" else "nota", f"Valores de {name} que no se reconocen "
            f"({', '.join(sorted(set(raw[name][at]))[:3])}): se toman como {UNKNOWN_CLASS if name == 'TIPO_VIAL' else 'sin dato'}", where,
            table["way"][at])))


def _joined(raw: pd.DataFrame, said: pd.DataFrame, table: pd.DataFrame, crs: str, where: str) -> tuple[Ways, tuple[Finding, ...]]:
    """Segments as ways whose ends are the same vertex where their union is; every other vertex is only theirs."""
    shapes = raw["geometry"].to_numpy(copy=True)
    several = shapely.get_num_geometries(shapes) > 1
    shapes[several] = shapely.line_merge(shapes[several], directed=True)
    lines, row = shapely.get_parts(shapes, return_index=True)
    new = np.r_[True, row[1:] != row[:-1]]
    ends = pd.concat([said["UNION_INI"].iloc[row].where(new), said["UNION_FIN"].iloc[row].where(np.r_[new[1:], True])])
    count = shapely.get_num_coordinates(lines)
    xy = shapely.get_coordinates(lines)
    stop = np.cumsum(count)
    at = np.stack([stop - count, stop - 1])
    number, xy[at], origin, apart = _unions(ends, xy[at].reshape(-1, 2))
    first, last = number.reshape(2, -1)
    bare = said["UNION_INI"].isna() | said["UNION_FIN"].isna()
    ways = Ways(table.iloc[row].reset_index(drop=True), count, xy, own_ends(count, first, last), np.zeros(len(xy), bool), crs, origin)
    return ways, (
        *Finding.of("union_ausente", "aviso", "Tramos sin UNION_INI o UNION_FIN: no se unen a otros por ese extremo", where,
                    table["way"][bare]),
        *Finding.of("union_lejana", "aviso", f"Uniones dibujadas en lugares a más de {NEAR_M:g} m: no unen sus tramos", where, apart,
                    "Los tramos con esa UNION no se tocan; descargue otra edición o corríjalos."),
        *Finding.of("tramo_partido", "aviso", "Tramos de varias partes que no se tocan, separados en ellas", where,
                    table["way"].iloc[np.unique(row[~new])]))


def _unions(ids: pd.Series, xy: np.ndarray) -> tuple[np.ndarray, np.ndarray, pd.Series, list[str]]:
    """Of each end its vertex number and place, the ids by number, and the unions that stand at distant places."""
    code, names = pd.factorize(ids, sort=True)
    known = (code >= 0) & np.isfinite(xy).all(axis=1)
    spot, back = np.unique(np.column_stack([code, xy])[known], axis=0, return_inverse=True)
    pairs = KDTree(spot[:, 1:]).query_pairs(NEAR_M, output_type="ndarray") if len(spot) else np.zeros((0, 2), int)
    a, b = pairs[spot[pairs[:, 0], 0] == spot[pairs[:, 1], 0]].T
    label = connected_components(coo_array((np.ones(len(a)), (a, b)), shape=(len(spot), len(spot))), directed=False)[1]
    least = np.unique(label, return_index=True)[1]
    number = len(spot) + np.arange(len(ids))
    number[known] = least[label][back]
    place = xy.copy()
    place[known] = spot[least[label][back], 1:]
    of_union = spot[least, 0].astype(int)
    apart = np.unique(of_union)[np.unique(of_union, return_counts=True)[1] > 1]
    return number, place.reshape(2, -1, 2), pd.Series(names[of_union], index=least, dtype="str"), list(names[apart])
