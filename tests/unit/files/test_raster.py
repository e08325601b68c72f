"""Zonal values of a raster: the same digits as exactextract gives for a frame, however the cells are read."""

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely
from exactextract import exact_extract
from rasterio.transform import from_origin

from lowland_gis.files import raster

ROWS, COLUMNS, CELL = 50, 60, 10
STATISTICS = ["mean", "min", "max", "median", "stdev"]


@pytest.fixture
def path(tmp_path):
    """A raster of which every fifth cell has no value."""
    drawn = np.random.default_rng(0)
    cells = drawn.uniform(0, 1, (ROWS, COLUMNS)).astype(np.float32)
    cells[drawn.uniform(size=cells.shape) < 0.2] = -9999
    path = tmp_path / "强度.tif"
    form = {
        "driver": "GTiff",
        "width": COLUMNS,
        "height": ROWS,
        "count": 1,
        "dtype": "float32",
        "crs": 4548,
        "nodata": -9999,
    }
    with rasterio.open(path, "w", transform=from_origin(0, ROWS * CELL, CELL, CELL), **form) as file:
        file.write(cells, 1)
    return str(path)


@pytest.fixture
def zones():
    """Circles of less than a cell up to a part of the raster, some of them beyond its edge."""
    drawn = np.random.default_rng(1)
    x, y, size = drawn.uniform(-50, 650, 300), drawn.uniform(-50, 550, 300), drawn.uniform(0.5, 80, 300)
    return gpd.GeoDataFrame(geometry=shapely.buffer(shapely.points(x, y), size), crs=4548)


@pytest.mark.parametrize("statistic", STATISTICS)
@pytest.mark.parametrize("at_once", [raster.CELLS_AT_ONCE, 0])
def test_values_are_those_of_a_frame(path, zones, statistic, at_once, monkeypatch):
    monkeypatch.setattr(raster, "CELLS_AT_ONCE", at_once)
    wanted = exact_extract(path, zones, statistic, output="pandas")[statistic].to_numpy(dtype=np.float64)
    assert 0 < np.isnan(wanted).sum() < len(zones) / 2
    np.testing.assert_array_equal(raster.raster_statistic(path, zones, statistic), wanted)


@pytest.mark.parametrize("at_once", [raster.CELLS_AT_ONCE, 0])
@pytest.mark.parametrize(("kind", "scale"), [("float32", 1.0), ("int16", 1.0), ("int16", 0.5)])
def test_what_a_mask_covers_has_no_value_for_any_zone(tmp_path, kind, scale, at_once, monkeypatch):
    """A mask of its own stands in the file; no number says that a cell has no value."""
    monkeypatch.setattr(raster, "CELLS_AT_ONCE", at_once)
    cells = np.full((10, 10), 3, dtype=kind)
    cells[9] = 1000
    there = np.full((10, 10), 255, dtype=np.uint8)
    there[9] = 0
    path = tmp_path / "a.tif"
    form = {"driver": "GTiff", "width": 10, "height": 10, "count": 1, "dtype": kind, "crs": 4548}
    with rasterio.open(path, "w", transform=from_origin(0, 10, 1, 1), **form) as file:
        file.write(cells, 1)
        file.write_mask(there)
        file.scales = (scale,)
    squares = [shapely.box(0, 0, 10, 10), shapely.box(0, 0, 4, 4), shapely.box(2, 0, 4, 1)]
    found = raster.raster_statistic(str(path), gpd.GeoDataFrame(geometry=squares, crs=4548), "mean")
    np.testing.assert_array_equal(found, [3 * scale, 3 * scale, np.nan])


@pytest.mark.parametrize("statistic", STATISTICS)
def test_zones_by_parts_have_the_values_of_all_together(path, zones, statistic):
    """Whoever asks for a few zones has the cells around these read, and no others."""
    together = raster.raster_statistic(path, zones, statistic)
    parts = [zones.iloc[start : start + 7] for start in range(0, len(zones), 7)]
    found = np.concatenate([raster.raster_statistic(path, part, statistic) for part in parts])
    np.testing.assert_array_equal(found, together)


def test_no_zones_have_no_values(path, zones):
    """After a correction that only takes parcels away nothing is left to be measured."""
    assert raster.raster_statistic(path, zones[:0], "mean").tolist() == []


def test_zones_beside_the_raster_have_no_value(path):
    beside = gpd.GeoDataFrame(geometry=[shapely.box(5000, 5000, 5010, 5010)], crs=4548)
    assert np.isnan(raster.raster_statistic(path, beside, "mean")).all()
