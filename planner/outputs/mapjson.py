"""What the map's script is sent: tables as columns of JSON, points and shapes as latitudes and longitudes."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

import geopandas as gpd
import numpy as np
import shapely

_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_ESCAPES = {ord(mark): f"\\u{ord(mark):04x}" for mark in "<>&'{}\u2028\u2029"}


def text_json(value: Any) -> str:
    """JSON for a script element: no text of a publisher can end the element, nor open a template (folium renders twice).

    >>> text_json({"a": "</script>{{b}}"})
    '{"a":"\\\\u003c/script\\\\u003e\\\\u007b\\\\u007bb\\\\u007d\\\\u007d"}'
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return _STRING.sub(lambda found: found.group().translate(_ESCAPES), text)


def keyed(columns: Mapping[str, Any]) -> str:
    """The columns as JSON with a key of their content, by which the script sees what has changed."""
    body = text_json(columns)
    return text_json({"key": hashlib.sha256(body.encode()).hexdigest()[:16]})[:-1] + "," + body[1:]


def named_only(layer: str) -> str:
    """A layer of `keyed` without its columns, for a page that holds them.

    >>> named_only(keyed({"a": 1})) == keyed({"a": 1})[:25] + "}"
    True
    """
    return layer[: layer.index('"', len('{"key":"')) + 1] + "}"


def key_of(layer: str) -> str:
    """The key of a layer of `keyed`."""
    return str(json.loads(named_only(layer))["key"])


def bits(rows: np.ndarray) -> str:
    """Which rows, as base64 of bits, the first row in the lowest bit.

    >>> bits(np.array([True, False, False, True]))
    'CQ=='
    """
    return base64.b64encode(np.packbits(rows, bitorder="little").tobytes()).decode()


def steps(ring: Any, digits: int = 4) -> list[int]:
    """A line in degrees as whole steps of the last digit, latitude and longitude in turn, each from the point before.

    >>> steps(shapely.LineString([(-99.0, 20.0), (-98.9999, 20.0002)]))
    [200000, -990000, 2, 1]
    """
    at = np.rint(np.asarray(ring.coords)[:, [1, 0]] * 10**digits).astype(int)
    return np.diff(at, axis=0, prepend=np.zeros((1, 2), int)).ravel().tolist()  # type: ignore[no-any-return]


def points(frame: gpd.GeoDataFrame, name: str) -> dict[str, Any]:
    """Id, name (its column is given) and place of points in degrees."""
    return {"id": frame.index.astype(str).tolist(), "name": frame[name].fillna("").astype(str).tolist(),
            "lat": frame.geometry.y.round(5).tolist(), "lon": frame.geometry.x.round(5).tolist()}


def latlon(line: Any, digits: int = 5) -> list[list[float]]:
    """The [lat, lon] of a line or ring in degrees."""
    return np.round(np.asarray(line.coords)[:, [1, 0]], digits).tolist()  # type: ignore[no-any-return]


def rings(area: shapely.Polygon, digits: int = 5) -> list[list[list[float]]]:
    """The shore of a polygon in degrees, and that of each hole."""
    return [latlon(ring, digits) for ring in (area.exterior, *area.interiors)]
