"""Areas of influence: whole cells, nearest unit, inclusive bands; isochrones that never hold a point farther than they say."""

import time
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely
import valley
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage
from scipy.spatial import cKDTree

from planner.access.catchments import catchments, isochrones
from planner.errors import DataError
from planner.model import Grid, Surface

EDGES = (30.0, 60.0, 90.0)


def flat(shape: tuple[int, int]) -> Grid:
    zero = np.zeros(shape, np.float32)
    return Grid((valley.CELL, 0.0, valley.ORIGIN[0], 0.0, -valley.CELL, valley.ORIGIN[1]), valley.CRS, zero, zero, zero)


def centres(grid: Grid) -> gpd.GeoSeries:
    row, col = np.indices(grid.shape).reshape(2, -1)
    x, y = valley.ORIGIN[0] + (col + 0.5) * valley.CELL, valley.ORIGIN[1] - (row + 0.5) * valley.CELL
    return gpd.GeoSeries.from_xy(x, y, crs=grid.crs)


def test_a_hand_drawn_valley_gives_the_rectangles_one_can_count() -> None:
    minutes = np.array([[0.0, 30.0, 30.0000001, 60.0], [60.1, 90.0, 90.1, np.inf]])
    site = np.array([[0, 0, 0, 1], [1, 1, 1, -1]], np.int32)
    found = catchments(Surface(minutes, site, ("A", "B")), flat((2, 4)), EDGES)
    assert found[["site", "from_min", "to_min"]].to_numpy().tolist() == [
        ["A", 0.0, 30.0], ["A", 30.0, 60.0], ["B", 30.0, 60.0], ["B", 60.0, 90.0]]
    assert (found.area / valley.CELL**2).tolist() == [2.0, 1.0, 1.0, 2.0]
    assert found.geometry[0].bounds == (500_000.0, 2_205_000.0, 502_000.0, 2_206_000.0)
    assert set(found.geom_type) == {"MultiPolygon"}
    assert found.crs == valley.CRS


def test_nobody_reached_gives_an_empty_table() -> None:
    found = catchments(Surface(np.full((2, 4), np.inf), np.full((2, 4), -1, np.int32), ("A",)), flat((2, 4)), EDGES)
    assert found.empty
    assert list(found.columns) == ["site", "from_min", "to_min", "geometry"]
    assert found.crs == valley.CRS


@settings(max_examples=30, deadline=None)
@given(hnp.arrays(float, (7, 9), elements=st.sampled_from([0.0, 29.9, 30.0, 30.1, 60.0, 60.1, 90.0, 90.1, np.inf])),
       hnp.arrays(np.int32, (7, 9), elements=st.integers(-1, 3)))
def test_polygons_say_of_every_cell_what_the_surface_says(minutes: np.ndarray, site: np.ndarray) -> None:
    grid = flat((7, 9))
    found = catchments(Surface(minutes, site, ("A", "B", "C", "D")), grid, EDGES)
    assert found.geometry.is_valid.all()
    reached = ((minutes <= 90.0) & (site >= 0)).ravel()
    at = gpd.sjoin(centres(grid).to_frame("geometry"), found, predicate="within")
    assert at.index.is_unique  # no overlap
    assert set(at.index) == set(np.flatnonzero(reached))  # no gap, nothing beyond
    assert found.area.sum() == pytest.approx(reached.sum() * valley.CELL**2)
    t = minutes.ravel()[at.index]
    assert (t <= at["to_min"]).all()
    assert ((t > at["from_min"]) | ((t == 0) & (at["from_min"] == 0))).all()
    assert at["site"].tolist() == [("A", "B", "C", "D")[i] for i in site.ravel()[at.index]]
    assert found[["site", "to_min"]].apply(tuple, axis=1).is_monotonic_increasing


def test_a_state_takes_seconds() -> None:
    grid = flat((998, 978))
    row, col = np.indices(grid.shape)
    draw = np.random.default_rng(1)
    seeds = draw.integers(0, 970, (722, 2))
    owner = gpd.sjoin_nearest(
        gpd.GeoDataFrame(geometry=gpd.points_from_xy(col.ravel()[::400], row.ravel()[::400])),
        gpd.GeoDataFrame(geometry=gpd.points_from_xy(seeds[:, 1], seeds[:, 0])))
    owner = owner[~owner.index.duplicated()]["index_right"].to_numpy(np.int32)
    site = np.repeat(owner, 400)[: row.size].reshape(grid.shape)
    minutes = 60 + 45 * np.sin(row / 9) * np.cos(col / 7)
    started = time.process_time()
    found = catchments(Surface(minutes, site, tuple(f"{i:04d}" for i in range(722))), grid, EDGES)
    assert time.process_time() - started < 10
    assert found.area.sum() == pytest.approx((minutes <= 90).sum() * valley.CELL**2)
    assert found.geometry.is_valid.all()


def one_site(minutes: np.ndarray) -> Surface:
    return Surface(minutes, np.where(np.isfinite(minutes), 0, -1).astype(np.int32), ("A",))


def rough(seed: int, shape: tuple[int, int] = (120, 140), smooth: float = 3.0) -> np.ndarray:
    """Minutes 0 to 120 of a random relief with impassable specks; smooth 0 is noise."""
    draw = np.random.default_rng(seed)
    field = ndimage.gaussian_filter(draw.random(shape), smooth)
    minutes = 120 * (field - field.min()) / np.ptp(field)
    return np.where(draw.random(shape) < 0.02, np.inf, minutes)


def falsely_inside(area: shapely.Geometry, minutes: np.ndarray, grid: Grid, limit: float, number: int) -> tuple[int, int]:
    """Random points within the polygon, and how many of them lie in a cell beyond the limit."""
    draw = np.random.default_rng(5)
    shapely.prepare(area)
    kept: list[np.ndarray] = []
    while sum(map(len, kept)) < number:
        points = draw.uniform(area.bounds[:2], area.bounds[2:], (4 * number, 2))
        kept.append(points[shapely.contains_xy(area, points[:, 0], points[:, 1])])
    points = np.concatenate(kept)[:number]
    row, col = grid.cells(points[:, 0], points[:, 1])
    return len(points), int((minutes[row, col] > limit).sum())


@pytest.mark.parametrize("smooth", [0.0, 1.0, 3.0, 8.0])
@pytest.mark.parametrize("simplify", [True, False])
def test_no_point_is_falsely_inside(smooth: float, simplify: bool) -> None:
    minutes = rough(3, smooth=smooth)
    grid = flat(minutes.shape)
    found = isochrones(one_site(minutes), grid, EDGES, simplify=simplify)
    assert list(found.columns) == ["limit_min", "geometry"]
    assert found["limit_min"].tolist() == list(EDGES)
    assert found.geometry.is_valid.all()
    assert set(found.geom_type) == {"MultiPolygon"}
    assert found.crs == valley.CRS
    for limit, area in zip(EDGES, found.geometry, strict=True):
        assert falsely_inside(area, minutes, grid, limit, 10_000) == (10_000, 0)
        whole = (minutes <= limit).sum() * valley.CELL**2
        assert (0.97 if simplify else 1) * whole <= area.area * (1 + 1e-9) <= whole * (1 + 2e-9)


def test_a_smooth_surface_becomes_light_and_keeps_its_area() -> None:
    row, col = np.indices((400, 400))
    minutes = np.hypot(row - 200, 1.3 * (col - 200)) * 0.6
    exact, light = (isochrones(one_site(minutes), flat(minutes.shape), [60, 90], simplify=simplify) for simplify in (False, True))
    share = light.area / exact.area
    assert share.between(0.985, 0.9999).all()
    assert (light.count_coordinates() < 0.45 * exact.count_coordinates()).all()
    assert exact.covers(light).all()


CELLS = st.sampled_from([0.0, 30.0, 30.1, 60.0, 60.1, 90.0, 90.1, np.inf])


@settings(max_examples=100, deadline=None)
@given(hnp.arrays(float, (8, 9), elements=CELLS), hnp.arrays(np.int32, (8, 9), elements=st.integers(-1, 2)), st.booleans())
def test_isochrones_are_nested_valid_and_within_their_cells(minutes: np.ndarray, site: np.ndarray, by_site: bool) -> None:
    grid = flat((8, 9))
    surface = Surface(minutes, site, ("A", "B", "C"))
    exact, light = (isochrones(surface, grid, EDGES, simplify=simplify, by_site=by_site) for simplify in (False, True))
    keys = ["site", "limit_min"] if by_site else ["limit_min"]
    assert light[keys].equals(exact[keys])
    assert light[keys].apply(tuple, axis=1).is_monotonic_increasing
    assert light.geometry.is_valid.all()
    assert (light.difference(exact).area < 1e-6).all()
    assert (light.area >= 0.97 * exact.area).all()
    for _, rows in light.groupby("site") if by_site else [("", light)]:
        assert (rows.geometry.iloc[:-1].difference(rows.geometry.iloc[1:], align=False).area < 1e-6).all()
    for name, limit, area in zip(exact.get("site", [""] * len(exact)), exact["limit_min"], exact.area, strict=True):
        of = site == ("A", "B", "C").index(name) if by_site else site >= 0
        assert area == pytest.approx((of & (minutes <= limit)).sum() * valley.CELL**2)


def test_corners_are_cut_inward_and_holes_only_grow() -> None:
    """A stair of one-cell steps becomes its inner line; the hole's corners that point into it are kept."""
    steps = 40
    row, col = np.indices((steps, steps))
    inside = col <= row
    inside[25:28, 5:8] = False
    found = isochrones(one_site(np.where(inside, 10.0, np.inf)), flat(inside.shape), [60]).geometry[0].geoms[0]
    cells = shapely.transform(found, lambda xy: np.abs(xy - valley.ORIGIN) / valley.CELL)
    assert cells.equals(shapely.Polygon([(0, 0), (steps, steps), (0, steps)], [[(5, 25), (8, 25), (8, 28), (5, 28)]]))
    assert len(cells.exterior.coords) == 4


def test_a_cell_that_a_river_crosses_counts_as_its_farthest_neighbour() -> None:
    """The river runs through column 2: its cells are 40 minutes from one bank, 95 across."""
    minutes = np.tile([20.0, 30.0, 40.0, 95.0, np.inf], (5, 1))
    blocked = np.zeros((5, 5), np.uint16)
    blocked[:, 2] = 1 << 4
    grid = replace(flat((5, 5)), blocked=blocked)
    assert (isochrones(one_site(minutes), grid, EDGES, simplify=False).area / valley.CELL**2).tolist() == [10.0, 10.0, 10.0]
    assert (isochrones(one_site(minutes), flat((5, 5)), EDGES, simplify=False).area / valley.CELL**2).tolist() == [10.0, 15.0, 15.0]
    dry = replace(grid, blocked=np.zeros((5, 5), np.uint16))
    assert isochrones(one_site(minutes), dry, EDGES).equals(isochrones(one_site(minutes), flat((5, 5)), EDGES))
    assert catchments(one_site(minutes), grid, EDGES).area.sum() == 15 * valley.CELL**2  # the partition keeps its cells


def test_nothing_within_the_limit_gives_no_row() -> None:
    far = one_site(np.full((3, 3), 95.0))
    for by_site in (False, True):
        found = isochrones(far, flat((3, 3)), EDGES, by_site=by_site)
        assert found.empty
        assert list(found.columns) == [*(["site"] if by_site else []), "limit_min", "geometry"]
        assert found.crs == valley.CRS
    with pytest.raises(DataError, match="Faltan los límites de minutos"):
        isochrones(far, flat((3, 3)), [])
    near = isochrones(one_site(np.array([[5.0, 45.0]])), flat((1, 2)), [90, 30, 30])
    assert near["limit_min"].tolist() == [30.0, 90.0]
    assert (near.area / valley.CELL**2).tolist() == [1.0, 2.0]


@pytest.fixture(scope="module")
def published(shared: Path) -> dict[str, tuple[np.ndarray, Grid]]:
    """The planning office's surfaces of Hidalgo by vehicle and on foot, blank from 90 minutes."""
    surfaces = {}
    for way in ("acces", "acces_peatonal"):
        with rasterio.open(shared / "oracles" / "hidalgo_traveltime" / f"{way}_CLUESN1_max90.tif") as file:
            minutes = file.read(1, masked=True).astype(float).filled(np.inf)
            transform = (*file.transform,)[:6]
        zero = np.zeros(minutes.shape, np.float32)
        surfaces[way] = minutes, Grid(transform, "EPSG:32614", zero, zero, zero)
    return surfaces


@pytest.mark.parametrize("way", ["acces", "acces_peatonal"])
def test_hidalgo(published: dict[str, tuple[np.ndarray, Grid]], way: str) -> None:
    """0 of 10,000 points falsely inside; the partition among 300 places covers each reached cell once."""
    minutes, grid = published[way]
    found = isochrones(one_site(minutes), grid, EDGES)
    exact = isochrones(one_site(minutes), grid, EDGES, simplify=False)
    assert found.geometry.is_valid.all()
    assert (found.area / exact.area).between(0.97, 1).all()
    assert (found.count_coordinates() < 0.75 * exact.count_coordinates()).all()
    for limit, area in zip(EDGES, found.geometry, strict=True):
        assert falsely_inside(area, minutes, grid, limit, 10_000) == (10_000, 0)
    cells = np.indices(minutes.shape).reshape(2, -1).T
    seeds = cells[np.random.default_rng(2).choice(len(cells), 300, replace=False)]
    owner = cKDTree(seeds).query(cells)[1].reshape(minutes.shape)
    surface = Surface(minutes, np.where(np.isfinite(minutes), owner, -1).astype(np.int32), tuple(f"{i:03d}" for i in range(300)))
    parts = catchments(surface, grid, EDGES)
    band = np.searchsorted(EDGES, minutes)
    for site, to_min, area in zip(parts["site"], parts["to_min"], parts.area, strict=True):
        assert area == pytest.approx(((surface.site == int(site)) & (band == EDGES.index(to_min))).sum() * grid.cell_m**2)
    assert parts.area.sum() == pytest.approx((minutes <= 90).sum() * grid.cell_m**2)
    own = isochrones(surface, grid, [60.0], by_site=True)
    assert own.geometry.is_valid.all()
    for areas in (parts, own):  # nobody has ground of another
        assert areas.area.sum() == pytest.approx(shapely.union_all(areas.geometry.to_numpy()).area)
