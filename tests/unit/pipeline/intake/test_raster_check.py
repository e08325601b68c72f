"""Rasters that cannot be measured are refused with the line that mends them, and after it has run the values are right."""

import subprocess
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely

from lowland_gis.errors import InputRefusedError
from lowland_gis.files.raster import raster_statistic
from lowland_gis.files.raster_header import Suspect, raster_header, suspects
from lowland_gis.files.source import opened
from lowland_gis.pipeline.intake.raster_check import checked_raster

PLANE = "EPSG:4548"
# One in the northern half of 100 by 100 m, three in the southern half.
ROWS = np.repeat([[1.0], [3.0]], [5, 5], axis=0) * np.ones((1, 10))
SOUTH = gpd.GeoDataFrame(geometry=[shapely.box(515_010, 4_345_000, 515_090, 4_345_040)], crs=4548)
NORTH_UP = rasterio.Affine(10, 0, 515_000, 0, -10, 4_345_100)
SOUTH_UP = rasterio.Affine(10, 0, 515_000, 0, 10, 4_345_000)
MIRRORED = rasterio.Affine(-10, 0, 515_100, 0, -10, 4_345_100)


def write(path: Path, values: np.ndarray, way: rasterio.Affine, **facts) -> Path:
    shape = {
        "height": values.shape[0],
        "width": values.shape[1],
        "count": 1,
        "dtype": values.dtype.name,
        "crs": 4548,
    }
    with rasterio.open(path, "w", driver="GTiff", transform=way, **(shape | facts)) as raster:
        for band in range(raster.count):
            raster.write(values, band + 1)
    return path


def checked(path: Path, src_crs: str | None = None):
    with opened(str(path), path.parent) as source:
        return checked_raster(source, PLANE, src_crs)


def typed(words: str, path: Path) -> Path:
    """Run the line that a refusal says to type."""
    line = (
        words.rpartition("Type: ")[2].replace("IN", str(path)).replace("OUT", str(path.with_name("out.tif")))
    )
    subprocess.run(line.split(), check=True, capture_output=True)
    return path.with_name("out.tif")


@pytest.mark.parametrize(
    ("values", "way"), [(ROWS[::-1], SOUTH_UP), (ROWS, MIRRORED)], ids=["south up", "mirrored"]
)
def test_what_is_turned_is_refused_and_mended_by_the_line(tmp_path, values, way):
    path = write(tmp_path / "a.tif", values.copy(), way)
    with pytest.raises(InputRefusedError, match="turned or upside down") as refused:
        checked(path)
    with pytest.raises(InputRefusedError, match="turned or upside down"):
        raster_statistic(str(path), SOUTH, "mean")
    mended = typed(str(refused.value), path)
    assert checked(mended).doubts == ()
    assert raster_statistic(str(mended), SOUTH, "mean").tolist() == [3.0]


def test_a_turned_raster_has_the_box_of_its_corners(tmp_path):
    path = write(tmp_path / "a.tif", ROWS, NORTH_UP * rasterio.Affine.rotation(45))
    header = raster_header(path, "a.tif")
    half = 100 * np.sqrt(0.5)
    assert header.bounds == pytest.approx(
        [515_000 - half, 4_345_100 - 2 * half, 515_000 + half, 4_345_100], abs=1e-6
    )
    with pytest.raises(InputRefusedError, match="turned or upside down"):
        checked(path)


@pytest.mark.parametrize(("kind", "value", "sure"), [("float32", -9999, True), ("int16", -32768, True), ("float64", -99999, True),
                                                     ("float32", np.finfo(np.float32).min, True), ("uint8", 255, False),
                                                     ("uint16", 65535, False)])  # fmt: skip
def test_an_undeclared_number_for_no_value_is_found(tmp_path, kind, value, sure):
    values = ROWS.astype(kind)
    values[9] = value
    path = write(tmp_path / "a.tif", values, NORTH_UP)
    assert suspects(path, "a.tif") == [Suspect(float(value), 10, 0.1, sure)]
    if sure:
        with pytest.raises(InputRefusedError, match="is not declared") as refused:
            checked(path)
        words = str(refused.value)
    else:
        ((rule, words),) = checked(path).doubts
        assert rule == "raster_nodata"
    assert "10 cells (10.0%)" in words
    mended = typed(words.partition(" – ")[0].replace("type: ", "Type: "), path)
    assert checked(mended).doubts == ()
    assert raster_statistic(str(mended), SOUTH, "mean").tolist() == [3.0]


def test_a_declared_number_for_no_value_is_none(tmp_path):
    values = np.where(ROWS == 1, 255, 3).astype("uint8")
    assert checked(write(tmp_path / "a.tif", values, NORTH_UP, nodata=255)).doubts == ()
    assert suspects(write(tmp_path / "b.tif", values, NORTH_UP, nodata=0), "b.tif")[0].cells == 50


def test_several_bands_are_a_doubt(tmp_path):
    ((rule, words),) = checked(write(tmp_path / "a.tif", ROWS, NORTH_UP, count=3)).doubts
    assert (rule, words[:15]) == ("raster_bands", "it has 3 bands,")


def test_the_twin_of_the_plane_is_the_plane(tmp_path):
    """EPSG:4509, of 6° zones, is the same plane as EPSG:4548."""
    assert checked(write(tmp_path / "a.tif", ROWS, NORTH_UP, crs=4509)).system == "EPSG:4509"
