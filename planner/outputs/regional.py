"""What a run writes of its regionalization: layers of districts, networks and zones, and a table for each thing that it tells."""

from __future__ import annotations

import geopandas as gpd
import pandas as pd
import shapely

from planner import schema
from planner.columns import Table
from planner.decide.regional.jornadas import Jornadas
from planner.decide.regional.networks import Networks
from planner.decide.regional.regionalization import Regionalization
from planner.decide.regional.universe import FIXED, MOBILE, PROPOSED
from planner.decide.regional.zones import Zones
from planner.model import Region
from planner.outputs.exporting import csv_bytes, exported
from planner.scenarios import Run

LAYERS: dict[str, tuple[Table, ...]] = {
    "distritos": (schema.DISTRICTS,), "redes": (schema.NETWORK, schema.NETWORK_LINE), "zonas": (schema.ZONES,)}
FILES: dict[str, tuple[Table, ...]] = {  # of each table, a CSV of this name
    "universo": (schema.UNIVERSE,), "universo_partes": (schema.UNIVERSE_SHARES,), "universo_unidades": (schema.UNIVERSE_UNITS,),
    "reasignaciones": (schema.REASSIGNMENTS,), "concordancia": (schema.AGREEMENT,), "atendida": (schema.SERVED_RATIO,),
    "redes": (schema.NETWORK,), "redes_hospitales": (schema.NETWORK_HOSPITALS,), "redes_apoyos": (schema.NETWORK_SUPPORT,),
    "localidades_lejos_hospital": (schema.FAR,), "jornadas": (schema.JORNADAS,), "jornadas_sedes": (schema.JORNADAS_BEST,),
    "zonas": (schema.ZONES,), "zonas_unidades": (schema.ZONE_UNITS,), "distritos_municipios": (schema.DISTRICT_OF_MUNICIPALITY,)}
_KINDS = {"fija": FIXED, "movil": MOBILE, "propuesta": PROPOSED}  # of the networks, as schema.PLACES


def regional_files(run: Run) -> dict[str, bytes]:
    """The CSV files of a regionalized run, none of another; agreement and people served only where the region has their tables.

    UTF-8, comma, names in Spanish. DataError if a table breaks its declaration.
    """
    if run.regional is None:
        return {}
    return {f"{name}.csv": csv_bytes(table) for name, table in regional_tables(run.region, run.regional).items()}


def regional_tables(region: Region, found: Regionalization) -> dict[str, pd.DataFrame]:
    """Each table of FILES that the region has what it needs for, under its export names. DataError if one breaks its declaration."""
    return {name: exported(FILES[name], frame, f"{name}.csv") for name, frame in _frames(region, found).items()}


def regional_layers(region: Region, found: Regionalization) -> dict[str, gpd.GeoDataFrame]:
    """Districts as multipolygons (null where no municipality has a polygon), networks as lines, zones as the points of their units.

    Under the names of the code; the line of a unit is its way where that is known. A unit without hospital has no line.
    """
    districts, lines, units = found.districts.table, found.networks.lines, found.zones.units
    shapes = [None if shape is None or shape.is_empty else shapely.multipolygons(shapely.get_parts(shape)) for shape in districts.geometry]
    network = _network(found.networks, found.zones).reindex(lines.index).assign(straight=lines["straight"].astype(bool))
    points = units.geometry.groupby(units["zone"]).agg(lambda own: shapely.MultiPoint(list(own)))
    return {
        "distritos": gpd.GeoDataFrame(pd.DataFrame(districts.drop(columns=districts.geometry.name)), geometry=shapes, crs=region.crs),
        "redes": gpd.GeoDataFrame(network, geometry=lines.geometry.array, crs=region.crs),
        "zonas": gpd.GeoDataFrame(found.zones.zones, geometry=points.reindex(found.zones.zones.index).to_list(), crs=region.crs)}


def of_localities(localities: pd.DataFrame, found: Regionalization | None) -> pd.DataFrame:
    """The place of each locality's universe and its municipality's proposed district: schema.LOCALITY_REGIONAL, null without them."""
    if found is None:
        return _nothing(schema.LOCALITY_REGIONAL, localities.index)
    return pd.DataFrame({"work_unit": found.universe.localities["place"].reindex(localities.index),
                         "proposed_district": district_of(localities, found)}, index=localities.index)


def of_units(units: pd.DataFrame, found: Regionalization | None) -> pd.DataFrame:
    """The proposed district, network and zone of each unit: schema.UNIT_REGIONAL, null without them."""
    if found is None:
        return _nothing(schema.UNIT_REGIONAL, units.index)
    return pd.DataFrame({"proposed_district": district_of(units, found), "network_hospital": found.networks.units["hospital"],
                         "zone": found.zones.units["zone"]}, index=units.index)


def district_of(places: pd.DataFrame, found: Regionalization) -> pd.Series:
    """The proposed district of each row's municipality (`cve_mun`); null where it has none."""
    return places["cve_mun"].map(found.districts.members["district"])


def _nothing(table: Table, index: pd.Index) -> pd.DataFrame:
    return pd.DataFrame({name: pd.Series(None, index, dtype="str") for name in table.names()})


def _frames(region: Region, found: Regionalization) -> dict[str, pd.DataFrame]:
    work, net, rounds = found.universe, found.networks, found.zones
    frames = {
        "universo": work.localities, "universo_partes": work.shares, "universo_unidades": work.units, "reasignaciones": work.moves,
        "redes": _network(net, rounds), "redes_hospitales": net.hospitals, "redes_apoyos": net.attached,
        "localidades_lejos_hospital": net.far, "jornadas": _hosts(found.jornadas), "jornadas_sedes": found.jornadas.order,
        "zonas": rounds.zones, "zonas_unidades": rounds.units,
        "distritos_municipios": found.districts.members[schema.DISTRICT_OF_MUNICIPALITY.names()]}
    if found.agreement is not None:
        frames["concordancia"] = found.agreement
    if region.served is not None:
        frames["atendida"] = found.served
    return {name: pd.DataFrame(frame) for name, frame in frames.items()}


def _network(net: Networks, rounds: Zones) -> pd.DataFrame:
    units = pd.DataFrame(net.units)
    return units.assign(kind=units["kind"].map(_KINDS), hospital_name=units["hospital"].map(net.hospitals["name"]),
                        rains_hospital=units["rain_hospital"], rains_min=units["rain_min"],
                        zone=rounds.units["zone"].reindex(units.index))[schema.NETWORK.names()]


def _hosts(found: Jornadas) -> pd.DataFrame:
    """Each hospital with its place in the greedy order of hosts."""
    order = found.order.reset_index().set_index("host")[["number", "added"]].reindex(found.hosts.index)
    return found.hosts.join(order.astype({"number": "Int64", "added": float}))
