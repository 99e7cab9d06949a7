"""Corrections to a region's units that a reader makes for a session: checked as published units are, told in its origin."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

import geopandas as gpd
import pandas as pd

from planner.checks import UNIT_FLAGS, check_units
from planner.errors import DataError
from planner.model import Finding, InputFile, Region
from planner.sources.clues import ROLES

ROLE = "units.corrections"  # among the inputs of a region
NUCLEI_MAX = 40
_NEW = re.compile(r"[A-Z0-9]{4,16}")
_NAME_MAX = 120
_ANSWERED = {"unit_class": ("tipologia_en_blanco", "sin_clasificar", "movil_por_nombre"), "nuclei": ("nucleos_supuestos",)}


@dataclass(frozen=True)
class Correction:
    """One unit as the reader says it is; what is None stays as published, and a unit that is not published tells it all."""

    clues: str
    name: str | None = None
    unit_class: str | None = None
    nuclei: int | None = None
    lat: float | None = None
    lon: float | None = None


def corrected(region: Region, corrections: Sequence[Correction]) -> Region:
    """The region with its units as the corrections say; of two that say one thing of a unit the later counts.

    A class that is given decides what the unit does, whatever its institution. DataError tells the first faults, and nothing is changed.
    """
    if not corrections:
        return region
    told = _merged(corrections)
    if faults := [fault for one in told for fault in _faults(region, one)]:
        raise DataError(f"No se cambió ninguna unidad: {'; '.join(faults[:3])}.")
    changed = gpd.GeoDataFrame(pd.concat([_row(region, one) for one in told]), geometry="geometry", crs=region.crs)
    inside = gpd.sjoin(changed[["geometry"]], region.municipalities[["geometry"]], predicate="intersects")["cve_mun"]
    moved = [one.clues for one in told if one.lat is not None]
    changed.loc[moved, "cve_mun"] = inside.groupby(level=0).min().reindex(moved).fillna(changed.loc[moved, "cve_mun"])
    kept = pd.Series({one.clues: _open_flags(changed.at[one.clues, "flags"], one) for one in told})
    changed["flags"] = kept.where(kept != "").astype("str")
    rest = region.units.drop(index=changed.index, errors="ignore")
    units = gpd.GeoDataFrame(pd.concat([rest, changed[rest.columns].astype(rest.drop(columns="geometry").dtypes.to_dict())]),
                             geometry="geometry", crs=region.crs).sort_index().rename_axis("clues")
    checked, _ = check_units(units, region.localities, region.municipalities, region.grid, ROLE)
    units.loc[changed.index, "flags"] = checked.loc[changed.index, "flags"]
    text = json.dumps([asdict(one) for one in told], ensure_ascii=False)
    source = InputFile(ROLE, "correcciones de quien planea", hashlib.sha256(text.encode()).hexdigest(), len(text.encode()))
    note = Finding.of("unidad_corregida", "aviso", "Unidades corregidas o agregadas por quien planea (supuesto)", ROLE, changed.index,
                      "Pida que se corrija el catálogo.")
    return replace(region, units=units, findings=(*region.findings, *note), inputs=(*region.inputs, source))


def _merged(corrections: Sequence[Correction]) -> list[Correction]:
    """One correction for each unit, in the order in which they were first corrected."""
    merged: dict[str, Correction] = {}
    for one in corrections:
        says = {name: value for name, value in asdict(one).items() if value is not None}
        merged[one.clues] = replace(merged.get(one.clues, one), **says)
    return list(merged.values())


def _open_flags(codes: object, one: Correction) -> str:
    """The flags of a unit without those that are found anew and those that the correction answers."""
    answered = {code for field, of in _ANSWERED.items() if getattr(one, field) is not None for code in of}
    return ",".join(code for code in (codes.split(",") if isinstance(codes, str) else ()) if code not in {*UNIT_FLAGS, *answered})


def _faults(region: Region, one: Correction) -> list[str]:
    published = one.clues in region.units.index
    told = []
    if not published and not _NEW.fullmatch(one.clues):
        return ["la clave de la unidad no sirve: de 4 a 16 letras mayúsculas sin acento y cifras"]
    missing = [word for word, value in (("nombre", one.name), ("tipo", one.unit_class), ("núcleos", one.nuclei), ("latitud", one.lat),
                                        ("longitud", one.lon)) if value is None]
    if not published and missing:
        told.append(f"a la unidad nueva {one.clues} le falta {', '.join(missing)}")
    if one.unit_class is not None and one.unit_class not in ROLES:
        told.append(f"{one.clues}: ese tipo no es de la red; los hay {', '.join(ROLES)}")
    if one.nuclei is not None and not 0 <= one.nuclei <= NUCLEI_MAX:
        told.append(f"{one.clues}: {one.nuclei} núcleos no se admite, de 0 a {NUCLEI_MAX}")
    if one.name is not None and not 0 < len(one.name.strip()) <= _NAME_MAX:
        told.append(f"{one.clues}: el nombre debe tener de 1 a {_NAME_MAX} letras")
    return told + _misplaced(region, one)


def _misplaced(region: Region, one: Correction) -> list[str]:
    if (one.lat is None) != (one.lon is None):
        return [f"{one.clues}: hacen falta latitud y longitud"]
    if one.lat is None or one.lon is None:
        return []
    west, south, east, north = region.localities.to_crs(4326).total_bounds
    if not (south - 1 <= one.lat <= north + 1 and west - 1 <= one.lon <= east + 1):
        return [f"{one.clues}: {one.lat:g}, {one.lon:g} queda a más de un grado de la región (de {south:.2f}, {west:.2f} "
                f"a {north:.2f}, {east:.2f}), quizá con latitud y longitud intercambiadas"]
    return []


def _row(region: Region, one: Correction) -> gpd.GeoDataFrame:
    """The unit as published, or a blank one, with what the correction says."""
    if one.clues in region.units.index:
        row = region.units.loc[[one.clues]].copy()
    else:
        blank = dict.fromkeys(region.units.columns.drop("geometry")) | {"institution": "IMB", "lat": 0.0, "lon": 0.0}
        row = gpd.GeoDataFrame({name: [value] for name, value in blank.items()}, index=[one.clues],
                               geometry=gpd.points_from_xy([0.0], [0.0]), crs=region.crs)
    for name in ("name", "unit_class", "nuclei", "lat", "lon"):
        if (value := getattr(one, name)) is not None:
            row[name] = value
    if one.unit_class is not None:
        row["role"] = ROLES[one.unit_class]
        row["level"] = 2 if ROLES[one.unit_class] == "hospital" else 1
    if one.lat is not None:
        row["geometry"] = gpd.GeoSeries(gpd.points_from_xy([one.lon], [one.lat]), crs=4326).to_crs(region.crs).to_numpy()
    return row
