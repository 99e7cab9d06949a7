"""The map of a regionalization: asks nothing of other hosts, keeps hostile names as text, draws what the tables say where it is."""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser
from itertools import product
from types import SimpleNamespace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
import valley

from planner.assumptions import Regional
from planner.decide.regional.regionalization import Regionalization
from planner.model import Region
from planner.outputs import mapground, mapregions, maps
from planner.scenarios import regionalized, run_scenario
from planner.settings import Scenario

TWO = Scenario(regional=Regional(districts=2, district_tolerance=10.0))
HOSTILE = ["<img src=x onerror=alert(1)>", "</script><script>alert(2)</script>", "{{'window'}} \u2028 & \"quoted\"", "http://evil.example/x.js"]


def valley_with(*, polygons: bool = True) -> Region:
    region = valley.region()
    towns = region.municipalities.assign(district=["Norte", "Sur"])
    return replace(region, municipalities=towns if polygons else towns.set_geometry([None, None], crs=towns.crs))


@cache
def found(*, polygons: bool = True) -> Regionalization:
    told = regionalized(run_scenario(valley_with(polygons=polygons), TWO)).regional
    assert told is not None
    return told


def drawn(name: str | None = None) -> dict[str, str]:
    """Every layer of the map; all names replaced by one, if it is given."""
    told, region = found(), valley_with()
    if name is not None:
        districts, net = told.districts, told.networks
        told = replace(
            told, districts=replace(districts, table=districts.table.assign(name=name), members=districts.members.assign(name=name)),
            networks=replace(net, units=net.units.assign(name=name), lines=net.lines.assign(name=name),
                             hospitals=net.hospitals.assign(name=name)))
    return {**mapregions.prepare_districts(told.districts, mapregions.colors_of(told.districts), 1.0),
            "distritos_hoy": mapregions.prepare_today(told.districts, 1.0), "redes": mapregions.prepare_networks(told.networks),
            "zonas": mapregions.prepare_zones(told.zones), **mapregions.prepare_units(region, told.networks, told.zones)}


def page(layers: Mapping[str, str]) -> str:
    region = valley_with()
    whole = maps.base_map(mapregions.NAMES)
    maps.drawing({"base": mapground.prepare_base(region.municipalities, region.grid), **layers}).add_to(whole)
    return str(whole.get_root().render()) + mapregions.legend_html()


class Elements(HTMLParser):
    """Elements that a browser would see, with the addresses that they ask for."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.asked: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        address = dict(attrs).get("src") or dict(attrs).get("href")
        if address and not address.startswith("data:"):
            self.asked.append(address)


def test_every_address_in_the_rendered_map_is_our_own() -> None:
    whole = page(drawn())
    assert re.findall(r"(?:https?:)?//[^\s\"'<>)]+", whole) == []
    assert sorted(Elements(whole).asked) == ["/app/static/vendor/leaflet/leaflet.css", "/app/static/vendor/leaflet/leaflet.js"]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_stays_text(name: str) -> None:
    layers = drawn(name)
    assert Elements(page(layers)).tags == Elements(page(drawn())).tags
    for text in layers.values():
        assert not set("<>&'\u2028\u2029") & set(text)
    assert all(name in line[0] for line in json.loads(layers["distritos"])["lines"])
    assert json.loads(layers["redes"])["lines"][0][0] == name


def test_every_locality_lies_in_the_polygon_of_the_district_of_the_ground_it_stands_on() -> None:
    told, layer = found().districts, json.loads(drawn()["distritos"])
    shapes = {key: shapely.union_all([shapely.Polygon([(lon, lat) for lat, lon in part[0]]) for part in parts])
              for key, parts in zip(layer["id"], layer["rings"], strict=True)}
    towns, places = valley_with().municipalities, valley_with().localities
    assert set(shapes) == set(told.table.index)
    for point, degrees in zip(places.geometry, places.to_crs(4326).geometry, strict=True):
        town, = towns.index[towns.covers(point)]
        assert shapes[told.members.at[town, "district"]].covers(degrees)
    for key, (lat, lon) in zip(layer["id"], layer["label"], strict=True):
        assert shapes[key].contains(shapely.Point(lon, lat))


def test_municipalities_without_polygon_are_squares_with_their_district() -> None:
    told = found(polygons=False).districts
    layers = mapregions.prepare_districts(told, mapregions.colors_of(told), 1.0)
    squares = json.loads(layers["municipios"])
    assert json.loads(layers["distritos"])["id"] == []
    assert squares["id"] == list(told.members.index)
    assert [line[1].split(":")[0] for line in squares["lines"]] == list(told.members["district"])
    assert json.loads(mapregions.prepare_today(told, 1.0))["line"] == []
    region = valley_with(polygons=False)
    (south, west), (north, east) = json.loads(mapground.prepare_base(region.municipalities, region.grid))["bounds"]
    assert west < region.localities["lon"].min() < region.localities["lon"].max() < east
    assert south < region.localities["lat"].min() < region.localities["lat"].max() < north


def test_neighbours_have_different_colours() -> None:
    """A board of 6 x 6 districts of one area each, with the corners joined too."""
    cells = list(product(range(6), range(6)))
    edges = [(i, j) for i, (r, c) in enumerate(cells) for j, (y, x) in enumerate(cells) if i < j and max(abs(r - y), abs(c - x)) == 1]
    names = [f"D{i:02d}" for i in range(len(cells))]
    board: Any = SimpleNamespace(members=pd.DataFrame({"district": names}), table=pd.DataFrame(index=names),
                                 areas=SimpleNamespace(edges=np.array(edges)))
    colors = mapregions.colors_of(board)
    assert all(colors[names[i]] != colors[names[j]] for i, j in edges)
    assert colors == mapregions.colors_of(board)


def test_todays_border_is_drawn_between_the_groups_only() -> None:
    lines = json.loads(drawn()["distritos_hoy"])["line"]
    grid, corner = valley_with().grid, valley.ORIGIN
    row = gpd.GeoSeries(gpd.points_from_xy([corner[0], corner[0] + 10 * valley.CELL], [corner[1] - 3 * valley.CELL] * 2, crs=grid.crs))
    ends = row.to_crs(4326)
    line, = lines
    np.testing.assert_allclose(sorted(lon for _, lon in line), sorted(ends.x), atol=2e-4)


def test_each_round_goes_through_the_units_of_its_zone_and_back() -> None:
    zones, layer = found().zones, json.loads(drawn()["zonas"])
    points = zones.units.to_crs(4326).geometry
    for zone, line in zip(zones.zones.index, layer["line"], strict=True):
        order = zones.units[zones.units["zone"] == zone].sort_values("order").index
        assert order[0] == zones.zones.at[zone, "head"]
        np.testing.assert_allclose(line, [(points[key].y, points[key].x) for key in (*order, order[0])], atol=1e-4)


def test_each_way_goes_from_its_unit_to_its_hospital() -> None:
    net, layer = found().networks, json.loads(drawn()["redes"])
    points = valley_with().units.to_crs(4326).geometry
    assert len(layer["line"]) == net.units["hospital"].notna().sum() > 0
    for (unit, row), line in zip(net.lines.iterrows(), layer["line"], strict=True):
        for key, end in ((unit, line[0]), (row["hospital"], line[-1])):
            np.testing.assert_allclose(end, (points[key].y, points[key].x), atol=0.011)  # the way is told by the middles of cells
