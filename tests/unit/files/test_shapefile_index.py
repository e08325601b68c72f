"""A shapefile that came without its index, and the index that is made for it."""

from pathlib import Path

import geopandas as gpd
import pytest
import shapely

from lowland_gis.errors import InputRefusedError
from lowland_gis.files.read import read
from lowland_gis.files.source import opened
from made_files import box

SHAPES = [box(0, 0), None, shapely.union(box(300, 0), box(500, 0))]


def delivered(folder: Path, shapes=SHAPES) -> tuple[Path, bytes]:
    """Write a shapefile, and take its index away."""
    path = folder / "宗地.shp"
    gpd.GeoDataFrame({"ZDDM": [str(n) for n in range(len(shapes))]}, geometry=shapes, crs=4548).to_file(path)
    index = path.with_suffix(".shx")
    content = index.read_bytes()
    index.unlink()
    return path, content


@pytest.mark.parametrize("shapes", [SHAPES, [box(0, 0)], [shapely.LineString([(0, 0), (1, 1)])] * 2000])
def test_the_index_is_the_one_that_gdal_writes(tmp_path, shapes):
    path, index = delivered(tmp_path, shapes)
    with opened(str(path), tmp_path) as source:
        assert source.path.with_suffix(".shx").read_bytes() == index
        assert source.doubts[0][0] == "index_missing"


def test_every_row_is_read_and_nothing_is_written_beside_it(tmp_path):
    path, _ = delivered(tmp_path)
    before = {part.name: part.read_bytes() for part in tmp_path.iterdir()}
    with opened(str(path), tmp_path) as source:
        found = read(source)
    assert found.attributes["ZDDM"].tolist() == ["0", "1", "2"]
    shapes = shapely.from_wkb(found.wkb)
    assert [
        shape is None or bool(shapely.equals(shape, other))
        for shape, other in zip(shapes, SHAPES, strict=True)
    ] == [True] * 3
    assert {part.name: part.read_bytes() for part in tmp_path.iterdir()} == before
    assert not source.path.exists()


def test_a_shapefile_with_its_index_is_read_where_it_lies(tmp_path):
    path, index = delivered(tmp_path)
    path.with_suffix(".shx").write_bytes(index)
    with opened(str(path), tmp_path) as source:
        assert (source.path, source.doubts) == (path, ())


@pytest.mark.parametrize("size", [50, 100, 150, -1, -8])
def test_no_index_is_made_of_a_shp_that_is_cut_off(tmp_path, size):
    path, _ = delivered(tmp_path)
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(InputRefusedError, match="cut off or damaged"), opened(str(path), tmp_path):
        pass


def test_no_index_is_made_of_records_that_do_not_follow_each_other(tmp_path):
    path, _ = delivered(tmp_path)
    content = bytearray(path.read_bytes())
    content[104:108] = (10**6).to_bytes(4, "big")
    path.write_bytes(content)
    with pytest.raises(InputRefusedError, match="cut off or damaged"), opened(str(path), tmp_path):
        pass
