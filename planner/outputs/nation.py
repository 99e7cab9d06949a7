"""The runs of many states as one: each person counted once, by state, municipality and grade; localities stay in a file by state."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd

from planner import schema
from planner.access.indicators import by_group, concentration_index, palma_ratio
from planner.columns import export_names
from planner.errors import DataError, StorageError, reason
from planner.keeping import code_print, digest, replacing
from planner.outputs.exporting import csv_bytes
from planner.outputs.folder import INDICATORS
from planner.outputs.geofiles import PLACES_FILE, geoparquet
from planner.outputs.jsonfiles import canonical_json, read_json
from planner.outputs.provenance import MANIFEST, run_print
from planner.settings import Scenario

NATION = "nacional"  # in place of a region's name under runs/
STATES_FILE, TOWNS_FILE, PLACES = "entidades.csv", "municipios.parquet", "localidades"
_SUMMED = ("unidades_saturadas", "unidades_por_funcion", "unidades_por_clase", "opciones_por_tipo")
_PLAN = ("numero", "costo_anual", "costo_inversion", "personas", "brecha_ponderada_cerrada")
_SHOWN = ("poblacion", "localidades", "dentro_60", "hospital_120", "personas_equiv", "brecha_ponderada", "p90_min",
          "localidades_sin_servicio", "sin_dato")
_TABLES = (schema.LOCALITIES, schema.ACCESS, schema.PLANNED)
_MOST = 3


@dataclass(frozen=True, eq=False)
class Nation:
    """A stored national run without its localities: what fits in memory whatever the country."""

    indicators: Mapping[str, Any]
    states: pd.DataFrame  # entidades.csv by entity, the nation under 00
    towns: gpd.GeoDataFrame  # municipios.parquet by cve_mun


@dataclass(frozen=True, eq=False)
class StateRun:
    """The stored run of one state: what is merged is read from its files, none of it kept."""

    folder: Path
    prepared: Path
    about: Mapping[str, Any]
    indicators: Mapping[str, Any]

    @property
    def entity(self) -> str:
        return str(self.about["region"]["entidad"])


def write_nation(home: Path, regions: Sequence[str], scenario: Scenario) -> Path:
    """Merge the stored runs of the regions into runs/nacional/SCENARIO; equal runs give equal bytes, but for the manifest's date.

    StorageError for a run that is missing or a folder that cannot be written; DataError for states with localities in common.
    """
    states = [_state(home, region, scenario) for region in sorted(regions)]
    places = _places(states)
    folder = home / "runs" / NATION / scenario.name
    told = national_indicators(places, states, scenario)
    with replacing(folder, MANIFEST, "una corrida nacional") as new:
        (new / PLACES).mkdir()
        for state in states:
            (new / PLACES / f"{state.entity}.parquet").write_bytes((state.folder / PLACES_FILE).read_bytes())
        (new / INDICATORS).write_bytes(canonical_json(told).encode())
        (new / STATES_FILE).write_bytes(csv_bytes(states_table(told, scenario)))
        (new / TOWNS_FILE).write_bytes(geoparquet(towns_layer(told, states, scenario)))
        (new / MANIFEST).write_bytes(canonical_json(_manifest(states, scenario, new)).encode())
    return folder


def national_indicators(places: pd.DataFrame, states: Sequence[StateRun], scenario: Scenario) -> dict[str, Any]:
    """The blocks of `indicadores.json` over all states: total, by grade, state and municipality; counts of units and plans are sums.

    `places` are the localities of all of them under the planner's names, indexed by cvegeo.
    """
    everywhere = pd.Series("total", places.index)
    towns = places.drop_duplicates("cve_mun").set_index("cve_mun")
    keys = {str(one.about["region"]["nombre"]): one for one in states}
    named = {key: {"nombre": str(row["municipality"]), "entidad": str(row["entity_name"]), "cve_ent": keys[row["region"]].entity}
             for key, row in towns.iterrows()}
    people, irs = places["people"].to_numpy(float), places["irs"].to_numpy(float)
    access = {when: 1.0 - places[f"gap_share{suffix}"].to_numpy(float) for when, suffix in (("actual", ""), ("plan", "_plan"))}
    return {
        "total": by_group(places, everywhere, scenario)["total"],
        "por_grado": by_group(places, places["irs_grade"], scenario, schema.GRADES),
        "por_entidad": {name: {"entidad": keys[name].entity, "clave": str(keys[name].about["region"]["clave"]),
                               "propuestas": {key: keys[name].indicators["plan"][key] for key in _PLAN}, **block}
                        for name, block in by_group(places, places["region"], scenario).items()},
        "por_municipio": {key: named[key] | block for key, block in by_group(places, places["cve_mun"], scenario).items()},
        "indice_concentracion": {when: concentration_index(found, irs, people) for when, found in access.items()},
        "razon_palma": {when: palma_ratio(found, irs, people) for when, found in access.items()},
        "poblacion_total": int(places["population"].sum()),
        **{name: _sum([one.indicators[name] for one in states]) for name in _SUMMED},
        "propuestas": _sum([{key: one.indicators["plan"][key] for key in _PLAN} for one in states]),
        "sintetica": any(one.about["region"]["sintetica"] for one in states),
    }


def states_table(told: Mapping[str, Any], scenario: Scenario) -> pd.DataFrame:
    """One row by state and the nation under 00: people, those within reach, gap and plan."""
    blocks = [("Nacional", "00", told["total"], told["propuestas"]),
              *((name, block["entidad"], block, block["propuestas"]) for name, block in told["por_entidad"].items())]
    rows = {entity: {"nombre": name, **_row(block, scenario), **{f"propuestas_{key}": plan[key] for key in _PLAN}}
            for name, entity, block, plan in blocks}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("entidad").sort_index()


def towns_layer(told: Mapping[str, Any], states: Sequence[StateRun], scenario: Scenario) -> gpd.GeoDataFrame:
    """Every municipality with its limits, where they are known, and its figures; EPSG:4326, indexed by cve_mun."""
    limits = [gpd.read_parquet(one.prepared / "municipalities.parquet", columns=["geometry"]).to_crs(4326) for one in states]
    shapes = pd.concat(limits).geometry
    rows = {key: {"nombre": block["nombre"], "nom_ent": block["entidad"], "cve_ent": block["cve_ent"], **_row(block, scenario)}
            for key, block in told["por_municipio"].items()}
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("cve_mun").sort_index()
    return gpd.GeoDataFrame(table, geometry=shapes.reindex(table.index), crs=4326)


def stored_nations(home: Path) -> list[str]:
    """Names of the national runs that stand whole, sorted."""
    return sorted(path.parent.name for path in (home / "runs" / NATION).glob(f"[!.]*/{MANIFEST}"))


def read_nation(folder: Path) -> Nation:
    """What `write_nation` wrote but for localities. StorageError or DataError where it is not all there."""
    try:
        states = pd.read_csv(folder / STATES_FILE, dtype={"entidad": "str"}).set_index("entidad")
        towns = gpd.read_parquet(folder / TOWNS_FILE)
    except OSError as fault:
        raise StorageError(f"No se puede leer {folder} ({reason(fault)}); repita la corrida nacional.") from fault
    return Nation(read_json(folder / INDICATORS), states, gpd.GeoDataFrame(towns))


def read_places(folder: Path, entity: str, columns: Sequence[str], box: tuple[float, float, float, float] | None = None,
                ) -> gpd.GeoDataFrame:
    """Localities of one state of a national run: these columns, and only those in the box (west, south, east, north, degrees)."""
    path = folder / PLACES / f"{entity}.parquet"
    try:
        return gpd.read_parquet(path, columns=[*columns, "geometry"], bbox=box)
    except OSError as fault:
        raise StorageError(f"No se puede leer {path} ({reason(fault)}); repita la corrida nacional.") from fault


def _state(home: Path, region: str, scenario: Scenario) -> StateRun:
    folder = home / "runs" / region / scenario.name
    if not (folder / PLACES_FILE).is_file():
        raise StorageError(f"Falta la corrida {region}/{scenario.name}; repita la orden: lo terminado se reutiliza.")
    return StateRun(folder, home / "data/processed" / region, read_json(folder / MANIFEST), read_json(folder / INDICATORS))


def _places(states: Sequence[StateRun]) -> pd.DataFrame:
    """The localities of all states under the planner's names, with the region's; DataError where two hold the same one."""
    names = {export: name for name, export in export_names(*_TABLES).items()}
    found = []
    for one in states:
        table = pd.read_parquet(one.folder / PLACES_FILE, columns=list(names)[1:])
        found.append(table.rename(columns=names).rename_axis("cvegeo").assign(region=str(one.about["region"]["nombre"])))
    places = pd.concat(found).sort_index()
    twice = places.index[places.index.duplicated()]
    if len(twice):
        raise DataError(f"{len(twice)} localidades están en más de un estado ({', '.join(twice[:_MOST])}); cada persona cuenta una vez: "
                        "revise entity en los archivos de región.")
    return places


def _row(block: Mapping[str, Any], scenario: Scenario) -> dict[str, float | None]:
    """What tables tell of a block; `puntaje` is the mean gap score of its people (0 to 100)."""
    now = block["actual"]
    score = 100.0 * now["brecha_ponderada"] / now["poblacion"] / (1.0 + scenario.need_lambda) if now["poblacion"] else None
    return {**{key: now[key] for key in _SHOWN}, "puntaje": score, "brecha_ponderada_plan": block["plan"]["brecha_ponderada"]}


def _sum(blocks: Sequence[Any]) -> Any:
    """Sums of nested dicts of numbers; a key that some lack counts as nothing there."""
    if not isinstance(blocks[0], Mapping):
        return sum(blocks)
    return {key: _sum([block[key] for block in blocks if key in block]) for key in sorted({key for block in blocks for key in block})}


def _manifest(states: Sequence[StateRun], scenario: Scenario, folder: Path) -> dict[str, Any]:
    asked = {"codigo_sha256": code_print(), "escenario": json.loads(scenario.model_dump_json()),
             "entidades": {str(one.about["region"]["clave"]): one.about["corrida"] for one in states}}
    files = {p.relative_to(folder).as_posix(): digest(p) for p in sorted(folder.rglob("*")) if p.is_file()}
    unsure = {str(one.about["region"]["clave"]): one.about["borde"]["localidades_sin_certeza"] for one in states if "borde" in one.about}
    return asked | {"localidades_sin_certeza": unsure, "corrida": run_print(asked), "archivos": files,
                    "region": {"clave": NATION, "nombre": "Nacional"},
                    "fecha": datetime.now(UTC).isoformat(timespec="seconds")}
