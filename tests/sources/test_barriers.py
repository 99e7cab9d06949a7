"""Barriers: no chain of open steps crosses one, and the bits are those of a plain test of every step."""

import warnings

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from shapely.geometry import LineString, MultiPoint, Point, Polygon, box

from planner.errors import DataError
from planner.model import STEPS, Grid, opposite
from planner.sources.barriers import ALL_STEPS, blocked_steps, cross_barriers, read_barriers

CRS = "EPSG:32614"
SHAPE, CELL = (14, 17), 100.0
WEST, NORTH = 500_000.0, 2_200_000.0
HERE = (CELL, 0.0, WEST, 0.0, -CELL, NORTH)
coordinate = st.floats(-150.0, 1850.0, allow_nan=False, width=32)
points = st.tuples(coordinate, coordinate)


def at(pairs):
    """Points in metres from the grid's upper left corner, y down."""
    return [(WEST + x, NORTH - y) for x, y in pairs]


def centres():
    rows, cols = np.indices(SHAPE)
    return WEST + (cols + 0.5) * CELL, NORTH - (rows + 0.5) * CELL


def pairs_of_steps():
    """Every step inside the grid: its bit, the cell it leaves and the one it reaches."""
    for k, (down, right) in enumerate(STEPS):
        for row in range(max(0, -down), SHAPE[0] - max(0, down)):
            for col in range(max(0, -right), SHAPE[1] - max(0, right)):
                yield k, (row, col), (row + down, col + right)


STEP_LIST = list(pairs_of_steps())


def told(blocked):
    """Whether each step of STEP_LIST is blocked."""
    return np.array([bool(blocked[a] >> np.uint16(k) & np.uint16(1)) for k, a, _ in STEP_LIST])


def groups(blocked, ways=16):
    """The number of the connected part of each cell under the open steps."""
    number = np.arange(SHAPE[0] * SHAPE[1]).reshape(SHAPE)
    edges = [(number[a], number[b]) for (k, a, b), shut in zip(STEP_LIST, told(blocked), strict=True) if not shut and k < ways]
    i, j = np.array(edges).T if edges else (np.zeros(0, int), np.zeros(0, int))
    return connected_components(coo_array((np.ones(len(i)), (i, j)), shape=(number.size,) * 2), directed=False)[1].reshape(SHAPE)


def plain(barriers):
    """The same question asked of shapely one step at a time."""
    x, y = centres()
    steps = shapely.linestrings([[(x[a], y[a]), (x[b], y[b])] for _, a, b in STEP_LIST])
    return np.any([shapely.intersects(steps, g) for g in barriers], axis=0)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(points, min_size=2, max_size=6), min_size=1, max_size=3), st.booleans())
def test_the_bits_are_those_of_every_step_tested_alone(lines, as_polygons):
    shapes = [Polygon(at(xy)) if as_polygons and len(xy) > 2 else LineString(at(xy)) for xy in lines]
    barriers = gpd.GeoSeries([part for s in shapes for part in shapely.get_parts(shapely.make_valid(s))])
    barriers = barriers[barriers.geom_type.isin(["LineString", "Polygon"]) & ~barriers.is_empty]
    barriers = barriers[[g.length > 0 for g in barriers]].explode(ignore_index=True)
    if len(barriers):
        np.testing.assert_array_equal(told(blocked_steps(SHAPE, HERE, barriers)), plain(barriers))


@settings(max_examples=100, deadline=None)
@given(st.lists(points, min_size=3, max_size=9, unique=True))
def test_no_flood_leaves_a_closed_ring(corners):
    ring = LineString([*at(corners), at(corners)[0]])
    faces = shapely.get_parts(shapely.polygonize([shapely.node(ring)]))
    x, y = centres()
    side = np.zeros(SHAPE, int)
    for i, face in enumerate(faces, 1):
        side[shapely.contains_xy(face, x, y)] = i
    on_ring = shapely.intersects_xy(ring, x, y)
    parts = groups(blocked_steps(SHAPE, HERE, gpd.GeoSeries([ring])))
    for part in np.unique(parts[~on_ring]):
        assert len(np.unique(side[(parts == part) & ~on_ring])) == 1


@settings(max_examples=100, deadline=None)
@given(st.lists(coordinate, min_size=1, max_size=12))
def test_a_line_across_the_whole_grid_parts_it(heights):
    across = np.linspace(-300, 2000, len(heights) + 2)
    line = LineString(at(zip(across, [heights[0], *heights, heights[-1]], strict=True)))
    above = Polygon([*line.coords, (line.coords[-1][0], NORTH + 1e6), (line.coords[0][0], NORTH + 1e6)])
    x, y = centres()
    north, on_line = shapely.contains_xy(above, x, y), shapely.intersects_xy(line, x, y)
    parts = groups(blocked_steps(SHAPE, HERE, gpd.GeoSeries([line])))
    assert not set(parts[north & ~on_line]) & set(parts[~north & ~on_line])


def test_a_diagonal_does_not_leak_and_leaves_no_step_over_its_centres():
    through = groups(blocked_steps(SHAPE, HERE, gpd.GeoSeries([LineString(at([(-100, -100), (1700, 1700)]))])))
    assert len(np.unique(through)) == 2 + min(SHAPE)  # every centre on the line stands alone
    between = groups(blocked_steps(SHAPE, HERE, gpd.GeoSeries([LineString(at([(-100, 1050), (1050, -100)]))])))
    assert len(np.unique(between)) == 2


def test_opposite_bits_agree_and_a_polygon_shuts_its_cells_all_around():
    lake = box(*at([(310, 690)])[0], *at([(690, 310)])[0])
    blocked = blocked_steps(SHAPE, HERE, gpd.GeoSeries([lake]))
    assert (blocked[3:7, 3:7] == ALL_STEPS).all()
    assert (blocked == ALL_STEPS).sum() == 16
    state = told(blocked)
    index = {(k, a): i for i, (k, a, _) in enumerate(STEP_LIST)}
    assert all(state[i] == state[index[opposite(k), b]] for i, (k, _, b) in enumerate(STEP_LIST))
    assert blocked[0].max() == 0
    assert blocked.dtype == np.uint16


def test_roads_cross_on_bridges_and_nowhere_else():
    road = np.zeros(SHAPE, bool)
    road[:, 4] = True
    river = gpd.GeoSeries([LineString(at([(-10, 733.3), (1710, 733.3)]))])
    blocked = blocked_steps(SHAPE, HERE, river, road)
    assert len(np.unique(groups(blocked))) == 1
    crossing = {(a, b) for (k, a, b), shut in zip(STEP_LIST, told(blocked), strict=True) if not shut and (a[0] < 7) != (b[0] < 7)}
    assert {col for a, b in crossing for col in (a[1], b[1])} == {4}
    assert len(np.unique(groups(blocked_steps(SHAPE, HERE, river)))) == 2


def test_far_or_no_barriers_block_nothing():
    far = gpd.GeoSeries([LineString([(0, 0), (1, 1)]), box(0, 0, 1, 1)])
    assert not blocked_steps(SHAPE, HERE, far).any()


def grid():
    zero = np.zeros(SHAPE, np.float32)
    return Grid(HERE, CRS, zero, zero, zero + 1)


def write(folder, geometries, name="rios.gpkg", crs=CRS, layer=None):
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "'crs' was not provided")
        gpd.GeoDataFrame(geometry=list(geometries), crs=crs).to_file(folder / name, **({"layer": layer} if layer else {}))
    return folder / name


def test_any_vector_file_is_read_mended_and_told(tmp_path):
    river, bow_tie = LineString(at([(50, 733), (1610, 733)])), Polygon(at([(0, 0), (300, 300), (300, 0), (0, 300)]))
    path = write(tmp_path, [river, bow_tie, Point(WEST, NORTH), MultiPoint(at([(1, 1), (2, 2)]))])
    read, findings = read_barriers(path, CRS)
    assert sorted(read.geom_type) == ["LineString", "Polygon", "Polygon"]
    assert {f.code: (f.count, f.examples) for f in findings} == {"barrera_invalida": (1, ("2",)), "barrera_ignorada": (2, ("3", "4"))}
    degrees = gpd.GeoSeries([river], crs=CRS).to_crs(4326)
    _, there, none = cross_barriers(write(tmp_path, degrees, "rios.geojson", 4326), grid())
    assert none == ()
    np.testing.assert_array_equal(there, blocked_steps(SHAPE, HERE, gpd.GeoSeries([river])))
    both = write(tmp_path, [river], "capas.gpkg", layer="rios")
    write(tmp_path, [box(*at([(300, 700)])[0], *at([(700, 300)])[0])], "capas.gpkg", layer="lagos")
    assert sorted(read_barriers(both, CRS)[0].geom_type) == ["LineString", "Polygon"]


def test_files_without_barriers_are_refused_and_far_ones_told(tmp_path):
    with pytest.raises(DataError, match=r"puntos\.gpkg no tiene ninguna línea ni polígono \(Point\)"):
        read_barriers(write(tmp_path, [Point(0, 0)], "puntos.gpkg"), CRS)
    with pytest.raises(DataError, match=r"nada\.gpkg no tiene ninguna geometría"):
        read_barriers(write(tmp_path, [], "nada.gpkg"), CRS)
    with pytest.raises(DataError, match="no dice su sistema"):
        read_barriers(write(tmp_path, [LineString([(0, 0), (1, 1)])], "sin.shp", None), CRS)
    (tmp_path / "roto.gpkg").write_text("<html>")
    with pytest.raises(DataError, match=r"roto\.gpkg no se puede leer"):
        read_barriers(tmp_path / "roto.gpkg", CRS)
    _, blocked, findings = cross_barriers(write(tmp_path, [LineString([(0, 0), (1, 1)])], "lejos.gpkg"), grid())
    assert not blocked.any()
    assert [(f.code, f.count) for f in findings] == [("barreras_fuera", 1)]


def test_malawi_rivers_part_the_country_and_bridges_join_it(shared):
    folder = shared / "oracles/accessmod_malawi"
    rivers, _ = read_barriers(folder / "vBarrier__demo_river.gpkg", "EPSG:32636")
    blocked = blocked_steps((196, 227), (1000.0, 0.0, 584692.6445, 0.0, -1000.0, -1632035.586), rivers)
    assert 0.1 < (blocked > 0).mean() < 0.3
    np.testing.assert_array_equal((blocked[:, :-1] >> 4) & 1, (blocked[:, 1:] >> 3) & 1)  # east of one is west of the next
