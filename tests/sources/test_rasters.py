"""Rasters: one grid of square metres or one sentence; what is written comes back."""

import warnings
import zipfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import rasterstats
from pyproj import Transformer
from shapely.geometry import box

from planner.errors import DataError, StorageError
from planner.model import Grid
from planner.sources.rasters import (
    LAYERS,
    OPTIONAL_LAYERS,
    load_grid,
    read_elevation,
    read_grid,
    read_people,
    read_zonal_sums,
    write_grid,
    write_raster,
)

CRS = "EPSG:32614"
HERE = (200.0, 0.0, 500_000.0, 0.0, -200.0, 2_200_000.0)
FLAT = np.zeros((4, 5), np.float32)


def raster(folder: Path, name: str, values=FLAT, transform=HERE, crs=CRS, nodata=None) -> Path:
    path = folder / f"{name}.tif"
    write_raster(path, np.asarray(values, np.float32), transform, crs, nodata)
    return path


def test_no_data_is_no_road_and_unknown_ground(tmp_path):
    speed = raster(tmp_path, "speed", [[0, 60], [-1, 30]], nodata=-1)
    slope = raster(tmp_path, "slope", [[3, -3.4e38], [90, 197]], nodata=None)  # ESRI's no data, undeclared
    factor = raster(tmp_path, "factor", [[0.5, -9], [1, 0]], nodata=-9)
    grid = read_grid(speed, slope, factor, CRS)
    np.testing.assert_array_equal(grid.road_kmh, [[0, 60], [0, 30]])
    np.testing.assert_array_equal(grid.slope_deg, [[3, np.nan], [90, 197]])
    np.testing.assert_array_equal(grid.walk_factor, [[0.5, np.nan], [1, 0]])
    assert (grid.transform, grid.shape, grid.cell_m) == (HERE, (2, 2), 200.0)


def test_what_is_not_given_is_flat_without_roads_at_factor_one(tmp_path):
    only_speed = read_grid(raster(tmp_path, "speed"), None, None, CRS)
    assert not only_speed.slope_deg.any()
    assert (only_speed.walk_factor == 1).all()
    assert not read_grid(None, raster(tmp_path, "slope"), None, CRS).road_kmh.any()
    with pytest.raises(DataError, match="ningún ráster de viaje"):
        read_grid(None, None, None, CRS)


@pytest.mark.parametrize(("values", "transform", "crs", "sentence"), [
    (FLAT, (0.002, 0, -99, 0, -0.002, 20), "EPSG:4326", "está en grados .* metros"),
    (FLAT, HERE, "EPSG:32613", "EPSG:32613 y la región en EPSG:32614"),
    (FLAT, HERE, None, "no dice su sistema de coordenadas"),
    (FLAT, (200, 0, 500_100, 0, -200, 2_200_000), CRS, "no está en la misma malla que speed.tif"),
    (FLAT, (200.1, 0, 500_000, 0, -200.1, 2_200_000), CRS, "no está en la misma malla"),
    (FLAT[:3], HERE, CRS, "3 x 5 celdas"),
    (FLAT, (200, 0, 500_000, 0, -100, 2_200_000), CRS, "celdas cuadradas"),
    (FLAT, (200, 0, 500_000, 0, 200, 2_200_000), CRS, "norte arriba"),
    (FLAT, (200, 30, 500_000, 0, -200, 2_200_000), CRS, "norte arriba"),
    (FLAT - 5, HERE, CRS, "20 celdas con valores imposibles"),
])
def test_a_raster_that_does_not_fit_is_refused_in_words(tmp_path, values, transform, crs, sentence):
    speed = raster(tmp_path, "speed")
    slope = tmp_path / "slope.tif"
    if crs is None:
        profile = {"driver": "GTiff", "count": 1, "dtype": "float32", "height": 4, "width": 5, "transform": rasterio.Affine(*HERE)}
        with rasterio.open(slope, "w", **profile) as target:
            target.write(values, 1)
    else:
        slope = raster(tmp_path, "slope", values, transform, crs)
    with pytest.raises(DataError, match=sentence):
        read_grid(speed, slope, None, CRS)


@pytest.mark.parametrize(("layer", "value", "sentence"), [("speed", 400, "de 0 a 150"), ("factor", 60, "de 0 a 1")])
def test_values_that_cannot_be_are_refused(tmp_path, layer, value, sentence):
    paths = {"speed": raster(tmp_path, "speed"), "factor": raster(tmp_path, "factor")}
    paths[layer] = raster(tmp_path, layer, FLAT + value)
    with pytest.raises(DataError, match=sentence):
        read_grid(paths["speed"], None, paths["factor"], CRS)


def test_a_missing_foreign_or_truncated_file_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"No existe el ráster .*nada\.tif"):
        read_grid(tmp_path / "nada.tif", None, None, CRS)
    page = tmp_path / "page.tif"
    page.write_text("<html>no disponible</html>")
    with pytest.raises(DataError, match=r"page\.tif no es un ráster"):
        read_grid(page, None, None, CRS)
    noise = np.random.default_rng(1).random((200, 200), np.float32) * 100
    cut = raster(tmp_path, "cut", noise)
    cut.write_bytes(cut.read_bytes()[: cut.stat().st_size // 2])
    with pytest.raises(DataError, match=r"cut\.tif"):
        read_grid(cut, None, None, CRS)


def test_a_grid_written_twice_is_equal_in_bytes_and_comes_back(tmp_path):
    rng = np.random.default_rng(7)
    slope = rng.random((6, 8)).astype(np.float32) * 40
    slope[2, 3] = np.nan
    grid = Grid(HERE, CRS, (rng.random((6, 8)) * 100).astype(np.float32), slope, rng.random((6, 8)).astype(np.float32))
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write_grid(grid, tmp_path / name)
    back = load_grid(tmp_path / "a", CRS)
    assert back.transform == grid.transform
    for layer in LAYERS:
        np.testing.assert_array_equal(getattr(back, layer), getattr(grid, layer))
        assert (tmp_path / "a" / f"{layer}.tif").read_bytes() == (tmp_path / "b" / f"{layer}.tif").read_bytes()
    with pytest.raises(StorageError, match="No se puede escribir"):
        write_raster(tmp_path / "nowhere" / "x.tif", FLAT, HERE, CRS, None)


def test_hidalgo_rasters_share_a_grid_though_their_origins_differ(shared):
    folder = shared / "data/hidalgo"
    grid = read_grid(folder / "carreteras.tif", folder / "pendiente.tif", folder / "uso_de_suelo_friccion.tif", CRS)
    assert grid.shape == (998, 978)
    assert grid.transform == (200.0, 0.0, 410236.1045, 0.0, -200.0, 2366550.0)
    assert int((grid.road_kmh > 0).sum()) == 998 * 978 - 935_104
    assert float(np.nanmax(grid.slope_deg)) == pytest.approx(197.45833)
    assert (float(np.nanmin(grid.walk_factor)), float(np.nanmax(grid.walk_factor))) == pytest.approx((0.45, 0.95))


def test_layers_that_a_grid_may_lack_come_back_or_stay_absent(tmp_path):
    rng = np.random.default_rng(3)
    height = (rng.random((6, 8)) * 3000).astype(np.float32)
    height[1, 2] = np.nan
    blocked = rng.integers(0, 2**16, (6, 8)).astype(np.uint16)
    zero = np.zeros((6, 8), np.float32)
    full = Grid(HERE, CRS, zero, zero, zero, height, blocked, height / 7)
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write_grid(full, tmp_path / name)
    back = load_grid(tmp_path / "a", CRS)
    for layer in OPTIONAL_LAYERS:
        np.testing.assert_array_equal(getattr(back, layer), getattr(full, layer))
        assert getattr(back, layer).dtype == getattr(full, layer).dtype
        assert (tmp_path / "a" / f"{layer}.tif").read_bytes() == (tmp_path / "b" / f"{layer}.tif").read_bytes()
        (tmp_path / "a" / f"{layer}.tif").unlink()
        assert getattr(load_grid(tmp_path / "a", CRS), layer) is None


# --- elevation ---
DEGREES = (0.001, 0.0, -98.52, 0.0, -0.001, 20.02)  # about 105 x 111 m around UTM 14's 550,000 E, 2,210,000 N
MADE = (200.0, 0.0, 550_600.0, 0.0, -200.0, 2_212_000.0)
SIZE = (20, 25)


def plane(x, y):
    return 1500 + 0.05 * (x - 550_000) - 0.03 * (y - 2_210_000)


def expected(transform=MADE, shape=SIZE):
    rows, cols = np.indices(shape)
    return plane(transform[2] + (cols + 0.5) * transform[0], transform[5] + (rows + 0.5) * transform[4])


def heights(transform, shape, crs):
    """The plane's height at the centre of each pixel of a raster in `crs`."""
    rows, cols = np.indices(shape)
    x, y = transform[2] + (cols + 0.5) * transform[0], transform[5] + (rows + 0.5) * transform[4]
    return plane(*Transformer.from_crs(crs, CRS, always_xy=True).transform(x, y)).astype(np.float32)


def dem(folder, name, transform=DEGREES, shape=(80, 120), crs="EPSG:4326", change=lambda z: z, nodata=None):
    return raster(folder, name, change(heights(transform, shape, crs)), transform, crs, nodata)


@pytest.mark.parametrize(("transform", "shape", "crs"), [
    (DEGREES, (80, 120), "EPSG:4326"),  # finer, degrees: means
    ((0.0002, 0.0, -98.52, 0.0, -0.0003, 20.02), (270, 600), "EPSG:4326"),  # much finer, oblong pixels
    ((0.009, 0.0, -98.6, 0.0, -0.009, 20.1), (20, 20), "EPSG:4326"),  # 1 km: bilinear
    ((90.0, 0.0, 549_000.0, 0.0, -90.0, 2_213_000.0), (80, 90), CRS),
    ((30.0, 0.0, -79_000.0, 0.0, -30.0, 2_223_000.0), (250, 300), "EPSG:32615"),  # the neighbouring zone
])
def test_elevation_of_any_crs_and_resolution_is_that_of_the_cells(tmp_path, transform, shape, crs):
    elevation, odd = read_elevation([dem(tmp_path, "dem", transform, shape, crs)], CRS, MADE, SIZE)
    np.testing.assert_allclose(elevation, expected(), atol=0.35)  # a pixel's share at a cell's edge: the plane rises 0.06 m a metre
    assert abs(float((elevation - expected()).mean())) < 0.05
    assert (elevation.dtype, odd) == (np.float32, ())


def test_tiles_are_one_mosaic_whatever_their_order_zip_or_blocks(tmp_path, monkeypatch):
    whole = dem(tmp_path, "todo")
    at_once, _ = read_elevation([whole], CRS, MADE, SIZE)
    z = heights(DEGREES, (80, 120), "EPSG:4326")
    west = raster(tmp_path, "oeste", z[:, :26], DEGREES, "EPSG:4326")  # one column shared, as SRTM's tiles
    east = raster(tmp_path, "este", z[:, 25:], (0.001, 0, -98.495, 0, -0.001, 20.02), "EPSG:4326")
    with zipfile.ZipFile(tmp_path / "este.zip", "w") as packed:
        packed.write(east, "datos/este.tif")
        packed.writestr("leame.txt", "x")
    for paths in ([west, east], [east, west], [tmp_path / "este.zip", west]):
        np.testing.assert_array_equal(read_elevation(paths, CRS, MADE, SIZE)[0], at_once)
    monkeypatch.setattr("planner.sources.rasters.PIXELS", 10)  # blocks of 16 cells
    np.testing.assert_allclose(read_elevation([whole], CRS, MADE, SIZE)[0], at_once, atol=0.02)


def test_the_first_file_listed_wins_and_the_next_fills_its_voids(tmp_path):
    fine = dem(tmp_path, "fino", change=lambda z: np.where(np.arange(120) < 25, z + 100, np.float32(-9)), nodata=-9)
    coarse = dem(tmp_path, "grueso", (0.009, 0.0, -98.6, 0.0, -0.009, 20.1), (20, 20))
    elevation, _ = read_elevation([fine, coarse], CRS, MADE, SIZE)
    above = elevation - expected()
    assert (np.abs(above[:, :10] - 100) < 0.5).all()
    assert (np.abs(above[:, 12:]) < 0.5).all()
    assert not np.isnan(elevation).any()
    assert np.isnan(read_elevation([fine], CRS, MADE, SIZE)[0][:, 12:]).all()


def test_impossible_heights_are_voids_and_told(tmp_path):
    hole = dem(tmp_path, "hueco", change=lambda z: np.where((np.indices(z.shape) // 30 == 1).all(axis=0), np.float32(-32768), z))
    elevation, odd = read_elevation([hole], CRS, MADE, SIZE)
    assert odd == ("hueco.tif: -32768 m",)
    lost = np.isnan(elevation)
    assert 50 < lost.sum() < 400
    np.testing.assert_allclose(elevation[~lost], expected()[~lost], atol=2.0)  # none is dragged down by its neighbour's void


@pytest.mark.parametrize(("change", "transform", "sentence"), [
    (lambda z: z * 10, DEGREES, "ninguna altura entre -430 y 9000 m .*esté en metros"),  # decimetres
    (lambda z: np.full_like(z, -9), DEGREES, "ninguna altura"),  # nothing but no data
    (lambda z: z, (0.001, 0, 44, 0, -0.001, -12), "ninguna altura"),  # another place
    (lambda z: z, (0.001, 0, -98.52, 0, 0.001, 19.94), "norte arriba"),
])
def test_elevation_that_tells_nothing_is_refused(tmp_path, change, transform, sentence):
    with pytest.raises(DataError, match=sentence):
        read_elevation([dem(tmp_path, "dem", transform, change=lambda z: change(heights(DEGREES, z.shape, "EPSG:4326")), nodata=-9)],
                       CRS, MADE, SIZE)


def test_a_broken_zip_feet_and_a_raster_without_crs_are_refused(tmp_path):
    (tmp_path / "roto.zip").write_text("x")
    with pytest.raises(DataError, match=r"roto\.zip es un zip dañado"):
        read_elevation([tmp_path / "roto.zip"], CRS, MADE, SIZE)
    with zipfile.ZipFile(tmp_path / "vacio.zip", "w") as packed:
        packed.writestr("leame.txt", "x")
    with pytest.raises(DataError, match=r"vacio\.zip no trae ningún ráster"):
        read_elevation([tmp_path / "vacio.zip"], CRS, MADE, SIZE)
    with pytest.raises(DataError, match="No existe"):
        read_elevation([tmp_path / "nada.hgt.zip"], CRS, MADE, SIZE)
    feet = dem(tmp_path, "pies")
    with rasterio.open(feet, "r+") as target:
        target.units = ("ft",)
    with pytest.raises(DataError, match="dice estar en pies"):
        read_elevation([feet], CRS, MADE, SIZE)
    cut = dem(tmp_path, "cortado", change=lambda z: z + np.random.default_rng(1).random(z.shape).astype(np.float32))
    cut.write_bytes(cut.read_bytes()[: cut.stat().st_size // 2])
    with pytest.raises(DataError, match=r"cortado\.tif"):
        read_elevation([cut], CRS, MADE, SIZE)


def test_scaled_integers_are_metres(tmp_path):
    path = tmp_path / "decimetros.tif"
    z = heights(DEGREES, (80, 120), "EPSG:4326")
    with rasterio.open(path, "w", driver="GTiff", count=1, dtype="int32", height=80, width=120, crs="EPSG:4326", nodata=-1,
                       transform=rasterio.Affine(*DEGREES)) as target:
        target.write((z * 10).round().astype(np.int32), 1)
        target.scales = (0.1,)
    np.testing.assert_allclose(read_elevation([path], CRS, MADE, SIZE)[0], expected(), atol=0.4)


# --- people ---
def crowd(folder, change=lambda p: p, nodata=-99.0, shape=(40, 40)):
    people = np.random.default_rng(5).random(shape).astype(np.float32) * 30
    people[::7, ::3] = nodata if nodata is not None else 0
    return raster(folder, "gente", change(people), (0.0008, 0.0, -98.51, 0.0, -0.0008, 20.0), "EPSG:4326", nodata), people


@pytest.mark.parametrize("declared", [True, False])
def test_people_are_conserved_where_the_grid_holds_the_raster(tmp_path, declared):
    path, people = crowd(tmp_path) if declared else crowd(tmp_path, lambda p: np.where(p < 1, np.float32(np.nan), p), None)
    people = people if declared else np.where(people < 1, 0, people)
    there = read_people(path, CRS, (150.0, 0, 549_000.0, 0, -150.0, 2_213_000.0), (60, 60))
    assert np.nansum(there, dtype=float) == pytest.approx(people[people >= 0].sum(dtype=float), rel=1e-6)
    assert np.isnan(there[0]).all()  # beyond the raster
    part = read_people(path, CRS, (150.0, 0, 551_000.0, 0, -150.0, 2_210_000.0), (5, 5))
    assert 0 < np.nansum(part) < np.nansum(there) / 4


def test_counts_that_are_none_are_refused(tmp_path):
    path, _ = crowd(tmp_path, lambda p: np.where(np.arange(40) == 3, np.float32(-5), p))
    with pytest.raises(DataError, match=r"gente\.tif tiene 40 celdas que no son un número de personas .*-5"):
        read_people(path, CRS, MADE, SIZE)
    with pytest.raises(DataError, match="no son un número de personas"):
        read_zonal_sums(path, gpd.GeoDataFrame(geometry=[box(0, 0, 1, 1)], crs=4326))
    path, _ = crowd(tmp_path)
    with pytest.raises(DataError, match="ningún dato de población"):
        read_people(path, CRS, (200.0, 0, 100_000.0, 0, -200.0, 1_000_000.0), SIZE)


def test_zonal_sums_count_each_pixel_once_for_the_first_that_holds_its_centre(tmp_path):
    path = raster(tmp_path, "gente", np.arange(16, dtype=np.float32).reshape(4, 4), (100, 0, 500_000, 0, -100, 2_200_000), CRS, 5)
    zones = gpd.GeoDataFrame(geometry=[box(500_000, 2_199_800, 500_190, 2_200_000), box(500_000, 2_199_600, 500_400, 2_200_000), None,
                                       box(0, 0, 1, 1)], index=pd.Index(["b", "a", "n", "z"], name="cve"), crs=CRS)
    sums = read_zonal_sums(path, zones)
    assert sums.drop("n").to_dict() == {"b": 0.0, "a": 115.0, "z": 0.0}  # 5 is no data; `a` comes first and takes all
    assert np.isnan(sums["n"])
    other = read_zonal_sums(path, zones.rename({"a": "c"}))
    assert other.drop("n").to_dict() == {"b": 0 + 1 + 4, "c": 115.0 - 5, "z": 0.0}
    assert list(other.index) == ["b", "c", "n", "z"]


def test_comoros_worldpop_by_island_equals_rasterstats_and_is_conserved_on_a_grid(shared):
    path = shared / "data/comoros/raw/worldpop/com_ppp_2020_UNadj.tif"
    islands = gpd.read_file(shared / "data/comoros/gadm.gpkg").set_index("GID_1")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PendingDeprecationWarning)  # of affine, inside rasterstats
        theirs = [z["sum"] for z in rasterstats.zonal_stats(islands, path, stats="sum")]
    ours = read_zonal_sums(path, islands)
    np.testing.assert_allclose(ours, theirs, rtol=1e-6)
    with rasterio.open(path) as source:
        raw = source.read(1, masked=True)
    on_grid = read_people(path, "EPSG:32738", (100.0, 0, 300_000.0, 0, -100.0, 8_750_000.0), (1300, 1600))
    assert np.nansum(on_grid, dtype=float) == pytest.approx(raw.sum(dtype=float), rel=1e-6)


def test_comoros_elevation_comes_from_zipped_srtm_tiles(shared):
    tiles = sorted((shared / "data/comoros/raw/srtm").glob("*.hgt.zip"))
    elevation, odd = read_elevation(tiles, "EPSG:32738", (100.0, 0, 290_000.0, 0, -100.0, 8_750_000.0), (1400, 1600))
    assert odd == ()
    assert float(np.nanmax(elevation)) == pytest.approx(2355, abs=10)  # Karthala stands 2,361 m
    with rasterio.open(f"/vsizip/{tiles[0]}/S12E043.hgt") as source:
        raw = source.read(1)
    land = float((raw > 0).sum()) * (30.87 * 30.3) / 1e4  # pixels of one arc second at 11.6 degrees south, as cells of 1 ha
    island = elevation[:800, :800]  # Grande Comore alone
    assert float((island > 0).sum()) == pytest.approx(land, rel=0.05)
