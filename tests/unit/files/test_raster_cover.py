"""Where a raster says nothing: cells without a value, and ground beyond its frame."""

import numpy as np
import pytest
import rasterio
import shapely

from lowland_gis.errors import InputRefusedError
from lowland_gis.files.raster_cover import places_without_value

GROUND = np.array([shapely.box(515_000, 4_345_000, 515_100, 4_345_100)])


def raster(path, values, west=515_000):
    """Write cells of 10 m whose upper left corner is that of the ground, unless it is moved."""
    transform = rasterio.Affine(10, 0, west, 0, -10, 4_345_100)
    with rasterio.open(
        path, "w", driver="GTiff", dtype="float32", count=1, height=10, width=10, crs="EPSG:4548", nodata=-1,
        transform=transform,
    ) as target:  # fmt: skip
        target.write(values.astype("float32"), 1)
    return str(path)


def test_a_raster_that_covers_the_ground_leaves_nothing(tmp_path):
    assert len(places_without_value(raster(tmp_path / "a.tif", np.zeros((10, 10))), GROUND)) == 0


def test_cells_without_a_value_are_one_place_where_they_touch(tmp_path):
    values = np.zeros((10, 10))
    values[2:4, 3:5] = -1
    values[8, 8] = -1
    places = places_without_value(raster(tmp_path / "a.tif", values), GROUND)
    assert sorted(shapely.area(places)) == [100.0, 400.0]
    assert shapely.equals(shapely.box(515_030, 4_345_060, 515_050, 4_345_080), places).any()


def test_cells_that_are_nan_have_no_value_whatever_is_declared(tmp_path):
    values = np.zeros((10, 10))
    values[2:4, 3:5] = np.nan
    assert shapely.area(places_without_value(raster(tmp_path / "a.tif", values), GROUND)).tolist() == [400.0]


def test_cells_without_a_value_beyond_the_ground_do_not_matter(tmp_path):
    values = np.zeros((10, 10))
    values[:, 5:] = -1
    ground = np.array([shapely.box(515_000, 4_345_000, 515_050, 4_345_100)])
    assert len(places_without_value(raster(tmp_path / "a.tif", values), ground)) == 0


def test_ground_beyond_the_frame_has_no_value(tmp_path):
    places = places_without_value(raster(tmp_path / "a.tif", np.zeros((10, 10)), west=515_040), GROUND)
    assert shapely.area(places).tolist() == [4000.0]


def test_a_raster_that_was_moved_is_named(tmp_path):
    with pytest.raises(InputRefusedError, match="not there any more"):
        places_without_value(str(tmp_path / "gone.tif"), GROUND)
