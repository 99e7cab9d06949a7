"""Rasters: one grid of square metres or one sentence; what is written comes back."""

from pathlib import Path

import numpy as np
import pytest
import rasterio

from planner.errors import DataError, StorageError
from planner.model import Grid
from planner.sources.rasters import LAYERS, load_grid, read_grid, write_grid, write_raster

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
