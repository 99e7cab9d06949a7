"""A finished run as its folder tells it, or as its report would: what comparisons are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd

from planner.errors import DataError, StorageError, reason
from planner.outputs.decisions import ATTENDED_FILE, OPTIONS_FILE, attended_table, options_table
from planner.outputs.folder import INDICATORS
from planner.outputs.geofiles import read_layer
from planner.outputs.jsonfiles import read_json
from planner.outputs.provenance import MANIFEST
from planner.outputs.report import Report

_BLOCKS = ("total", "plan", "por_grado", "por_grupo", "por_municipio", "indice_concentracion", "razon_palma")
_LAYERS = ("localidades", "unidades", "propuestas")
_READ = (INDICATORS, *(f"{name}.geojson" for name in _LAYERS), OPTIONS_FILE, ATTENDED_FILE)


@dataclass(frozen=True, eq=False)
class Finished:
    """A run with its plan: tables under their export names, layers in EPSG:4326 indexed by key."""

    name: str
    about: Mapping[str, Any]  # the manifest
    indicators: Mapping[str, Any]  # indicadores.json
    localities: gpd.GeoDataFrame
    units: gpd.GeoDataFrame
    proposals: gpd.GeoDataFrame
    options: pd.DataFrame  # opciones.csv by id
    attended: pd.DataFrame  # atencion.csv


def finished(report: Report) -> Finished:
    """A run that was just computed."""
    layers = {name: report.layers[name].to_crs(4326) for name in _LAYERS}
    return Finished(report.run.scenario.name, report.about, report.indicators, layers["localidades"], layers["unidades"],
                    layers["propuestas"], options_table(report.run).set_index("id"), attended_table(report.run))


def read_finished(folders: Sequence[Path]) -> tuple[Finished, ...]:
    """Stored runs of one region, each under the name of its folder; a name that comes twice is numbered.

    StorageError for a missing run, DataError for a damaged one or for runs of different regions.
    """
    found: list[Finished] = []
    for folder in folders:
        run = _read(folder)
        region, wanted = (str(one.about["region"]["clave"]) for one in (run, found[0] if found else run))
        if region != wanted:
            raise DataError(f"{folder} es de la región {region} y {folders[0]} de {wanted}: solo se comparan corridas de una misma región.")
        taken = sum(before.name == run.name or before.name.startswith(f"{run.name} (") for before in found)
        found.append(replace(run, name=f"{run.name} ({taken + 1})") if taken else run)
    return tuple(found)


def _read(folder: Path) -> Finished:
    _check_there(folder)
    about, told = read_json(folder / MANIFEST), read_json(folder / INDICATORS)
    try:
        _ = about["escenario"]["name"], about["region"]["clave"], about["supuestos"], [told[block] for block in _BLOCKS]
    except (KeyError, TypeError) as fault:
        raise DataError(f"{folder} no es una corrida de esta versión del planificador; repita la corrida con --replace.") from fault
    layers = {name: read_layer(folder, name) for name in _LAYERS}
    return Finished(folder.resolve().name, about, told, layers["localidades"], layers["unidades"], layers["propuestas"],
                    _read_table(folder / OPTIONS_FILE, "id").set_index("id"), _read_table(folder / ATTENDED_FILE, "propuesta"))


def _read_table(path: Path, key: str) -> pd.DataFrame:
    try:
        table = pd.read_csv(path, dtype={key: "str", "cvegeo": "str", "lugar": "str"})
    except OSError as fault:
        raise StorageError(f"No se puede leer {path} ({reason(fault)}); repita la corrida con --replace.") from fault
    except ValueError as fault:
        raise DataError(f"{path} está dañado ({fault}); repita la corrida con --replace.") from fault
    if key not in table:
        raise DataError(f"{path} está dañado (le falta la columna {key}); repita la corrida con --replace.")
    return table


def _check_there(folder: Path) -> None:
    """StorageError if the folder is no finished run, with those that are there instead."""
    if not (folder / MANIFEST).is_file():
        near = [p.parent.relative_to(folder.parent).as_posix()
                for where in (folder.parent.glob(f"[!.]*/{MANIFEST}"), folder.glob(f"[!.]*/{MANIFEST}")) for p in sorted(where)]
        listed = f"en {folder.parent} están: {', '.join(near)}" if near else f"en {folder.parent} no hay ninguna"
        raise StorageError(f"No hay una corrida terminada en {folder}; {listed}. Hágala con: planner run REGIÓN ESCENARIO.")
    lacking = [name for name in _READ if not (folder / name).is_file()]
    if lacking:
        raise StorageError(f"A la corrida {folder} le faltan archivos: {', '.join(lacking)}; repítala con --replace.")
