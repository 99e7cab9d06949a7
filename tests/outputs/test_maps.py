"""The map asks nothing of other hosts, keeps hostile names as text, and colours by fixed classes."""

import base64
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
import small_roads
import valley

from planner import schema
from planner.outputs import mapground, maps

ROOT = Path(__file__).parents[2]
HOSTILE = ["<img src=x onerror=alert(1)>", "</script><script>alert(2)</script>", "{{'window'}} \u2028 & \"quoted\"", "http://evil.example/x.js"]


def layers(name: str = "Lugar") -> dict[str, gpd.GeoDataFrame]:
    """Hand-made layers of the valley with the columns of `outputs.layers`."""
    region = valley.region()
    places, units = region.localities, region.units
    localities = gpd.GeoDataFrame(
        {"nom_loc": [name] * 6, "nom_mun": [name] * 6, "puntaje_brecha": [0.0, 10.0, 10.1, 45.0, 82.5, np.nan], "poblacion": 100.0},
        geometry=places.geometry.array, crs=places.crs, index=places.index)
    facilities = gpd.GeoDataFrame({"nombre": name, "clase": units["unit_class"], "funcion": units["role"].replace("movil", "ninguno")},
                                  geometry=units.geometry.array, crs=units.crs)
    proposals = gpd.GeoDataFrame({"nombre": [name], "tipo": ["umr"], "motivo": [name]}, geometry=[places.geometry.iloc[5]],
                                 crs=places.crs, index=pd.Index(["umr-1"], name="id"))
    cells = region.municipalities.geometry
    areas = gpd.GeoDataFrame({"clues": [units.index[0]] * 2, "propuesta": None, "min_hasta": [60.0, 30.0]},
                             geometry=cells.array, crs=cells.crs)
    return {"localidades": localities, "unidades": facilities, "propuestas": proposals, "areas_influencia": areas}


def page(name: str = "Lugar") -> str:
    region = valley.region()
    whole = maps.base_map()
    ground = {"base": mapground.prepare_base(region.municipalities, region.grid)}
    maps.drawing(ground | maps.prepare_layers(layers(name))).add_to(whole)
    return str(whole.get_root().render()) + maps.legend_html(layers(name)["areas_influencia"])


class Scripts(HTMLParser):
    """What a browser would take as script, text of the page, attributes and elements."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._inside = tag == "script"

    def handle_endtag(self, tag: str) -> None:
        self._inside = self._inside and tag != "script"

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.scripts.append(data)


def test_every_address_in_a_rendered_map_is_our_own() -> None:
    whole = page()
    assert re.findall(r"(?:https?:)?//[^\s\"'<>)]+", whole) == []
    parsed = Scripts()
    parsed.feed(whole)
    addresses = [a.get("src") or a.get("href") for tag, a in parsed.elements if tag in ("script", "link", "img", "iframe")]
    asked = sorted(a for a in addresses if a and not a.startswith("data:"))
    assert asked == ["/app/static/vendor/leaflet/leaflet.css", "/app/static/vendor/leaflet/leaflet.js"]


def test_the_addresses_stand_on_disk_with_their_licence() -> None:
    vendor = ROOT / "static/vendor/leaflet"
    assert "1.9.4" in (vendor / "leaflet.js").read_text(encoding="utf-8")[:200]
    assert "Copyright" in (vendor / "LICENSE").read_text(encoding="utf-8")
    for image in re.findall(r"url\((images/[^)]+)\)", (vendor / "leaflet.css").read_text(encoding="utf-8")):
        assert (vendor / image).is_file()


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_stays_text(name: str) -> None:
    usual, attacked = Scripts(), Scripts()
    usual.feed(page())
    attacked.feed(page(name))
    assert [tag for tag, _ in attacked.elements] == [tag for tag, _ in usual.elements]
    assert len(attacked.scripts) == len(usual.scripts)
    drawn = maps.prepare_layers(layers(name))
    for text in drawn.values():
        assert not set("<>&'\u2028\u2029") & set(text)
        assert json.loads(text)["name"][0] == name


def test_scores_fall_in_fixed_classes_and_missing_is_grey() -> None:
    drawn = json.loads(maps.prepare_layers(layers())["localidades"])
    base = json.loads(mapground.prepare_base(valley.region().municipalities, valley.region().grid))
    assert drawn["color"] == [0, 0, 1, 3, 5, 6]
    assert drawn["score"][-1] is None
    assert base["colors"][6] == maps.NO_DATA
    assert len(set(base["colors"])) == 7


def test_a_scenario_changes_scores_and_not_places() -> None:
    one = maps.prepare_places(layers()["localidades"])
    other = maps.prepare_places(layers()["localidades"].assign(puntaje_brecha=50.0))
    assert one["lugares"] == other["lugares"]
    assert one["localidades"] != other["localidades"]
    whole = json.loads(maps.prepare_layers(layers())["localidades"])
    parts = [json.loads(one[name]) for name in ("lugares", "localidades")]
    assert parts[1]["on"] == parts[0]["key"]
    assert {**parts[0], **parts[1], "key": whole["key"]} == {**whole, "on": parts[0]["key"]}


def test_a_filter_lets_through_the_rows_as_they_are_drawn() -> None:
    found = layers()
    units = found["unidades"].index
    ids = {"localidades": found["localidades"].index[[1, 4]], "unidades": units[[0]], "otras": units[:0]}
    told = json.loads(maps.prepare_filter(found, ids))
    drawn = {name: json.loads(layer)["id"] for name, layer in maps.prepare_layers(found).items()}
    for name, wanted in ids.items():
        rows = np.unpackbits(np.frombuffer(base64.b64decode(told[name]), np.uint8), bitorder="little")[: len(drawn[name])]
        assert {key for key, row in zip(drawn[name], rows, strict=True) if row} == set(wanted)


def test_all_catchments_unfold_to_where_they_are() -> None:
    areas = layers()["areas_influencia"]
    told = json.loads(maps.prepare_areas(areas, 0.0))
    assert told["band"] == [1, 0]
    for ring, area in zip(told["rings"], areas.sort_values("min_hasta", ascending=False).to_crs(4326).geometry, strict=True):
        at = np.cumsum(np.reshape(ring, (-1, 2)), axis=0) / 1e4
        np.testing.assert_allclose(at[:, ::-1], area.exterior.coords, atol=6e-5)


def test_points_stand_where_they_are() -> None:
    region = valley.region()
    drawn = json.loads(maps.prepare_layers(layers())["localidades"])
    assert drawn["id"] == list(region.localities.index)
    np.testing.assert_allclose(drawn["lon"], region.localities["lon"], atol=1e-5)
    np.testing.assert_allclose(drawn["lat"], region.localities["lat"], atol=1e-5)


def test_the_catchment_is_of_the_chosen_unit_by_band() -> None:
    areas = layers()["areas_influencia"]
    mine = json.loads(maps.prepare_area(areas, areas["clues"].iloc[0]))
    assert mine["band"] == [1, 0]  # the nearest band is drawn last, on top
    assert json.loads(maps.prepare_area(areas, "otra"))["rings"] == []


def test_what_is_searched_is_brought_into_view_with_its_surroundings() -> None:
    areas = layers()["areas_influencia"]
    alone = json.loads(maps.chosen_mark("localidad/1", shapely.Point(-98.5, 20.5), areas.geometry[:0]))
    assert alone["view"] == [[20.5, -98.5], [20.5, -98.5]]
    whole = json.loads(maps.chosen_mark("unidad/1", areas.to_crs(4326).geometry.iloc[0].centroid, areas.geometry))
    west, south, east, north = areas.to_crs(4326).total_bounds
    np.testing.assert_allclose(whole["view"], [[south, west], [north, east]], atol=1e-5)


def test_a_map_of_invented_places_says_so_on_the_map() -> None:
    region = valley.region()
    assert json.loads(mapground.prepare_base(region.municipalities, region.grid, "Región SINTÉTICA"))["note"] == "Región SINTÉTICA"


def test_a_layer_keeps_its_key_while_its_content_stays() -> None:
    first, again, other = (maps.prepare_layers(layers(name)) for name in ("Lugar", "Lugar", "Otro"))
    assert first == again
    assert all(json.loads(first[k])["key"] != json.loads(other[k])["key"] for k in first)


def test_nothing_given_is_changed() -> None:
    before = layers()
    copies = {k: v.copy() for k, v in before.items()}
    maps.prepare_layers(before)
    for name, frame in before.items():
        pd.testing.assert_frame_equal(frame, copies[name])


def test_roads_are_drawn_where_they_are() -> None:
    """The valley's only paved road runs along row 2: the image has ink on about that height and nowhere near the last row."""
    region = valley.region()
    base = json.loads(mapground.prepare_base(region.municipalities, region.grid))
    (south, west), (north, east) = base["image_bounds"]
    assert west < region.localities["lon"].min() < region.localities["lon"].max() < east
    assert south < region.localities["lat"].min() < region.localities["lat"].max() < north
    assert base["image"].startswith("data:image/png;base64,")


def vector_base(*ways: small_roads.Way, barriers: gpd.GeoSeries | None = None) -> dict[str, Any]:
    """The base map of a square of 2 km with these roads, in degrees."""
    grid = small_roads.ground((20, 20))
    towns = gpd.GeoDataFrame(geometry=[shapely.box(0, 0, 2000, 2000)], crs=small_roads.CRS)
    return dict(json.loads(mapground.prepare_base(towns, grid, roads=small_roads.roads(*ways), barriers=barriers)))


def test_vector_roads_are_lines_by_class_where_they_are() -> None:
    """Two edges of one road are one line; streets and paths stay out; the main class comes last, on top."""
    way = small_roads.way
    base = vector_base(way((0, 100), (900, 100), road_class="primary"), way((900, 100), (1900, 100), road_class="primary"),
                       way((900, 100), (900, 1900), road_class="track"), way((0, 0), (100, 100), road_class="residential"),
                       way((0, 0), (500, 500), road_class="path"))
    assert base["image"] is None
    track, *empty, main = base["roads"]
    assert [len(road["lines"]) for road in (track, *empty, main)] == [1, 0, 0, 0, 1]
    assert main["weight"] > track["weight"]
    ends = gpd.GeoSeries(gpd.points_from_xy([0, 1900], [100, 100], crs=small_roads.CRS)).to_crs(4326)
    np.testing.assert_allclose(sorted(lon for _, lon in main["lines"][0]), sorted(ends.x), atol=1e-4)


def test_a_large_network_is_drawn_by_its_main_classes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mapground, "_POINTS", 3)
    base = vector_base(small_roads.way((0, 100), (900, 100), road_class="trunk"), small_roads.way((0, 500), (900, 500), road_class="track"))
    assert sum(len(road["lines"]) for road in base["roads"]) == 1


def test_rivers_and_lakes_stand_on_the_map() -> None:
    lake = shapely.box(100, 100, 600, 600).difference(shapely.box(300, 300, 400, 400))
    water = gpd.GeoSeries([shapely.LineString([(0, 900), (1900, 900)]), lake], crs=small_roads.CRS)
    drawn = vector_base(small_roads.way((0, 0), (10, 0)), barriers=water)["barriers"]
    assert [len(line) for line in drawn["lines"]] == [2]
    assert [len(area) for area in drawn["areas"]] == [2]  # the shore, and that of its island


def test_the_referral_is_that_of_the_chosen_unit() -> None:
    units = valley.region().units
    lines = [shapely.LineString([units.geometry.iloc[0], units.geometry.iloc[k]]) for k in (3, 2)]
    layer = gpd.GeoDataFrame({"nombre_hospital": ["Uno", "Otro"]}, geometry=lines, crs=units.crs, index=units.index[:2])
    drawn = json.loads(maps.prepare_referral(layer, units.index[0]))
    assert drawn["name"] == ["Uno"]
    np.testing.assert_allclose(drawn["line"][0], units[["lat", "lon"]].iloc[[0, 3]], atol=1e-5)
    assert json.loads(maps.prepare_referral(layer, "otra"))["line"] == []


def test_each_leg_of_a_team_is_drawn_along_its_way_with_its_minutes() -> None:
    """Stops are no lines; points that the eye cannot tell apart fall away."""
    units = valley.region().units
    start, end = units.geometry.iloc[0], units.geometry.iloc[3]
    bend = [start, ((start.x + end.x) / 2 + 0.5, (start.y + end.y) / 2), (end.x, start.y), end]
    legs = gpd.GeoDataFrame(
        {"elemento": ["parada", "tramo", "tramo"], "ruta": "umm-1", "nombre": ["E", "día 1: E", "día 1: regreso"], "minutos": 33.4,
         "min_a_pie": 3.4, "min_vehiculo": 30.0, "km": 12.34, "pernocta": [True, True, False]},
        geometry=[end, shapely.LineString(bend[::3]), shapely.LineString(bend[::2] + bend[3:])], crs=units.crs, index=["a", "b", "c"])
    drawn = json.loads(maps.prepare_layers({"rutas": legs})["rutas"])
    assert drawn["name"] == ["día 1: E", "día 1: regreso"]
    assert drawn["note"] == ["33 min: 3 a pie, 30 en vehículo; 12.3 km; pernocta", "33 min: 3 a pie, 30 en vehículo; 12.3 km"]
    assert [len(line) for line in drawn["line"]] == [2, 3]
    np.testing.assert_allclose(drawn["line"][0], units[["lat", "lon"]].iloc[[0, 3]], atol=1e-5)
    assert drawn["alone"]


def test_every_kind_of_intervention_has_a_mark_of_its_own() -> None:
    assert list(maps.PROPOSAL_STYLES) == list(schema.KINDS)
    marks = [tuple(sorted(style.items())) for _, style in maps.PROPOSAL_STYLES.values()]
    assert len(set(marks)) == len(marks)
    looks = [(style["shape"], "fillColor" in style) for _, style in maps.PROPOSAL_STYLES.values()]
    assert len(set(looks)) == len(looks)
