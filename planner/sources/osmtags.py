"""What OpenStreetMap's tags mean for travel: the tables of values and the rules, all here.

Tags follow the OSM wiki. Where a tag lists several values, the worst for travel counts (lowest class, roughest surface,
least speed). `private` counts as closed. A `reversible` road is open both ways, since it is so at some hour.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pandas as pd

from planner.errors import DataError
from planner.model import Finding
from planner.schema import ROAD_CLASSES, SMOOTHNESS
from planner.sources.roadnet import Ways

TAGS = ("highway", "route", "name", "ref", "surface", "tracktype", "smoothness", "maxspeed", "oneway", "junction", "motorroad", "access",
        "vehicle", "motor_vehicle", "motorcar", "foot", "bridge", "tunnel", "ford", "toll", "duration")
CLASSES = {
    **{name: name for name in ROAD_CLASSES}, "living_street": "residential",
    **{f"{name}_link": name for name in ("motorway", "trunk", "primary", "secondary", "tertiary")},
    **dict.fromkeys(("footway", "pedestrian", "steps", "cycleway", "bridleway", "corridor"), "path"),
}
NOT_ROADS = frozenset((
    "construction", "proposed", "planned", "abandoned", "disused", "razed", "demolished", "dismantled", "platform", "raceway",
    "bus_guideway", "busway", "bus_stop", "elevator", "escape", "rest_area", "services", "emergency_bay", "emergency_access_point",
    "via_ferrata", "crossing", "street_lamp", "traffic_island", "no"))
SURFACE = {
    "asphalt": "asphalt",
    **dict.fromkeys((
        "paved", "concrete", "cement", "paving_stones", "grass_paver", "sett", "cobblestone", "unhewn_cobblestone", "bricks", "brick",
        "stone", "metal", "metal_grid", "wood", "chipseal", "rubber", "tiles", "plastic", "tartan"), "paved"),
    "compacted": "compacted", "fine_gravel": "compacted",
    **dict.fromkeys((
        "unpaved", "gravel", "dirt", "ground", "earth", "soil", "grass", "mud", "clay", "sand", "pebblestone", "rock", "rocks",
        "stepping_stones", "shells", "woodchips", "snow", "ice", "salt", "laterite"), "unpaved"),
}
TRACKTYPE = {f"grade{i}": float(i) for i in range(1, 6)}
GOOD = dict.fromkeys(("excellent", "good", "intermediate"), "good")
STATE = {**{name: name for name in SMOOTHNESS}, **GOOD}
ONEWAY = {**dict.fromkeys(("yes", "true", "1"), 1), **dict.fromkeys(("-1", "reverse"), -1),
          **dict.fromkeys(("no", "false", "0", "reversible", "alternating"), 0)}
CLOSED = ("no", "private", "military", "emergency")
ROUND = ("roundabout", "circular")
OPEN = ("yes", "designated", "permissive", "official")
NO_FIGURE = re.compile(r"none|walk|signals|variable|implicit|national|default|[a-z]{2}:.*")  # a rule in place of a speed
SPEED = re.compile(r"(\d+(?:[.,]\d+)?)\s*(km/?h|kph|mph|knots)?")
UNITS = {"mph": 1.609344, "knots": 1.852}
POSTED_MAX = 160.0  # km/h; no country posts more, so a larger figure is a slip
CLOCK = re.compile(r"(?:(?P<h>\d+):)?(?P<m>\d+(?:\.\d+)?)(?::(?P<s>\d+))?")
ISO = re.compile(r"P(?:(?P<d>\d+)D)?T?(?:(?P<h>\d+)H)?(?:(?P<m>\d+)M)?(?:(?P<s>\d+)S)?")


def read_tags(tags: pd.DataFrame, where: str) -> tuple[pd.DataFrame, tuple[Finding, ...]]:
    """From tags as text (`way` and any of TAGS, null where there is none) to the columns a way brings to ROADS.

    The index of the answer holds those rows of `tags` that are roads somebody can use; the others are left out and
    counted, as are values that no table here knows, which stay null.
    """
    text = pd.DataFrame({tag: tags[tag].astype("str").str.strip() if tag in tags else pd.Series(None, tags.index, dtype="str")
                         for tag in TAGS}).replace("", None)
    low = pd.DataFrame({tag: text[tag].str.casefold() for tag in TAGS})
    ferry = (low["route"] == "ferry") | (low["highway"] == "ferry")
    table = pd.DataFrame({
        "way": tags["way"], "name": text["name"].fillna(text["ref"]), "road_class": _worst(low["highway"], CLASSES).mask(ferry, "ferry"),
        "surface": _worst(low["surface"].str.replace(r":[^;]*", "", regex=True), SURFACE),
        "tracktype": _each(low["tracktype"], TRACKTYPE.get), "smoothness": low["smoothness"].map(STATE).astype("str"),
        "posted_kmh": _each(low["maxspeed"], posted_kmh), "crossing_min": _each(text["duration"].where(ferry), minutes),
        "ferry": ferry, **{tag: _yes(low[tag]) for tag in ("bridge", "ford", "toll")}})
    table = table.assign(**_passage(low, table))
    road = table["road_class"].notna()
    used = table[road & (table["drive"] | table["walk"])]
    return used, (*_left_out(low, table, where), *_not_understood(low[road], table[road], where), *Finding.of(
        "via_privada", "nota", "Vías privadas o cerradas a los vehículos: no se circula por ellas", where,
        used["way"][~used["drive"] & (used["road_class"] != "path")]))


def tagged_ways(tags: pd.DataFrame, count: np.ndarray, xy: np.ndarray, vertex: np.ndarray, where: str, *, crs: str = "EPSG:4326",
                ford: np.ndarray | None = None, origin: pd.Series | None = None) -> tuple[Ways, tuple[Finding, ...]]:
    """The ways that are roads: a row of `tags` (index 0..n-1) and `count` vertices each. DataError if none is."""
    table, told = read_tags(tags, where)
    if table.empty:
        raise DataError(f"{where}: no trae ninguna vía por la que se pase; descargue un extracto con caminos.")
    used = np.zeros(len(tags), bool)
    used[table.index] = True
    at = np.repeat(used, count)
    wet = np.zeros(len(vertex), bool) if ford is None else ford
    return Ways(table, count[used], xy[at], vertex[at], wet[at], crs, origin), told


def posted_kmh(text: str) -> float:
    """The least speed of a `maxspeed` list in km/h; NaN where it gives no figure.

    >>> posted_kmh("60;50 mph"), posted_kmh("30 mph;60"), posted_kmh("MX:urban")
    (60.0, 48.28032, nan)
    """
    parts = [SPEED.fullmatch(p.strip()) for p in re.split(r"[;|]", text.casefold())]
    speeds = [float(m[1].replace(",", ".")) * UNITS.get(m[2] or "", 1.0) for m in parts if m]
    return min((s for s in speeds if 0 < s <= POSTED_MAX), default=float("nan"))


def minutes(text: str) -> float:
    """Minutes of a `duration`: MM, HH:MM, HH:MM:SS or ISO 8601; NaN where it is none of these or nothing.

    >>> minutes("45"), minutes("1:30"), minutes("00:20:00"), minutes("PT1H5M"), minutes("an hour")
    (45.0, 90.0, 20.0, 65.0, nan)
    """
    given = CLOCK.fullmatch(text.strip()) or ISO.fullmatch(text.strip().upper())
    if given is None:
        return float("nan")
    part = {unit: float(value or 0) for unit, value in given.groupdict().items()}
    return 1440 * part.get("d", 0.0) + 60 * part["h"] + part["m"] + part["s"] / 60 or float("nan")


def _passage(low: pd.DataFrame, table: pd.DataFrame) -> dict[str, pd.Series]:
    """Who may pass and in which sense: the specific tag beats the general one; one-way rules bind vehicles only."""
    kind = table["road_class"]
    fast = (kind == "motorway") | _yes(low["motorroad"])
    motor = low["motorcar"].fillna(low["motor_vehicle"])
    drive = ~motor.fillna(low["vehicle"]).fillna(low["access"]).isin(CLOSED) & (table["smoothness"] != "impassable")
    drive &= (kind != "path") | motor.isin(OPEN)
    said = low["oneway"].map(ONEWAY)
    sense = said.where(said.notna(), ((kind == "motorway") | low["junction"].isin(ROUND)).astype("int64"))
    closed_toll = table["toll"] & kind.isin(("motorway", "trunk"))
    return {"drive": drive, "walk": ~low["foot"].fillna(low["access"]).isin(CLOSED) & ~fast,
            "forward": (sense >= 0) | ~drive, "backward": (sense <= 0) | ~drive,
            "board": ~(fast | table["bridge"] | _yes(low["tunnel"]) | table["ferry"] | closed_toll)}


def _worst(text: pd.Series, table: dict[str, str]) -> pd.Series:
    """What `table` says of each value; of a list, what stands last in the table."""
    order = list(dict.fromkeys(table.values()))
    known = {v: [order.index(table[p.strip()]) for p in v.split(";") if p.strip() in table] for v in text.dropna().unique()}
    return text.map({v: order[max(found)] for v, found in known.items() if found}).astype("str")


def _each(text: pd.Series, read: Callable[[str], float | None]) -> pd.Series:
    return text.map({v: read(v) for v in text.dropna().unique()}).astype("float64")


def _yes(text: pd.Series) -> pd.Series:
    return text.notna() & ~text.isin(("no", "false", "0"))


def _left_out(low: pd.DataFrame, table: pd.DataFrame, where: str) -> tuple[Finding, ...]:
    way, lost = table["way"], table["road_class"].isna()
    closed = lost & low["highway"].isin(NOT_ROADS)
    shut = ~lost & ~table["drive"] & ~table["walk"]
    return (
        *Finding.of("no_es_camino", "nota", f"Vías que no son caminos en uso ({_values(low['highway'][closed])}), descartadas", where,
                    way[closed]),
        *Finding.of("clase_desconocida", "aviso", f"Vías cuya clase no se reconoce ({_values(low['highway'][lost & ~closed])}), "
                    "descartadas", where, way[lost & ~closed], "Corrija «highway» si son caminos."),
        *Finding.of("via_cerrada", "nota", "Vías cerradas a vehículos y a personas, descartadas", where, way[shut]))


def _not_understood(low: pd.DataFrame, table: pd.DataFrame, where: str) -> tuple[Finding, ...]:
    """Values that are there and say nothing to the tables above."""
    odd = {"surface": table["surface"].isna(), "tracktype": table["tracktype"].isna(), "smoothness": table["smoothness"].isna(),
           "maxspeed": table["posted_kmh"].isna() & ~low["maxspeed"].str.fullmatch(NO_FIGURE, na=False),
           "oneway": ~low["oneway"].isin(ONEWAY), "duration": table["ferry"] & table["crossing_min"].isna()}
    rows = {tag: empty & low[tag].notna() for tag, empty in odd.items()}
    return tuple(f for tag, at in rows.items() for f in Finding.of(
        "etiqueta_desconocida", "nota", f"Valores de «{tag}» que no se reconocen ({_values(low[tag][at])}): se toman como sin dato",
        where, table["way"][at]))


def _values(text: pd.Series) -> str:
    """The three most frequent values, for a finding."""
    seen = text.fillna("sin valor").value_counts().sort_index(kind="stable").sort_values(ascending=False, kind="stable").index
    return ", ".join(seen[:3]) + (", …" if len(seen) > 3 else "")
