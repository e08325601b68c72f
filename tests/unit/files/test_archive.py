"""Zips as offices pack them: every data set in them can be read or named."""

import io
import warnings
import zipfile
from pathlib import Path

import geopandas as gpd
import pytest
import shapely

from full_disk import full_disk
from lowland_gis.errors import InputRefusedError
from lowland_gis.files.read import read
from lowland_gis.files.source import opened


def frame(name):
    shape = shapely.box(515_000, 4_345_000, 515_100, 4_345_100)
    return gpd.GeoDataFrame({"MC": [name]}, geometry=[shape], crs=4548)


def written(path: Path, name: str, **options) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        frame(name).to_file(path, engine="pyogrio", **options)
    return path


def packed(target: Path, root: Path, *extra: tuple[str, bytes]) -> Path:
    """Zip everything below a folder, without the folder itself."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for part in sorted(root.rglob("*")):
            archive.write(part, part.relative_to(root))
        for name, content in extra:
            archive.writestr(name, content)
    return target


def value(source: str, folder: Path) -> str:
    """The name that stands in the one row of a data set."""
    with opened(source, folder) as found:
        rows = read(found).attributes
    assert len(rows) == 1
    return str(rows["MC"].iloc[0])


def refusal(source: str, folder: Path) -> str:
    with pytest.raises(InputRefusedError) as refused, opened(source, folder):
        pass
    return str(refused.value)


def test_data_sets_of_one_name_are_told_apart_by_their_folders(tmp_path):
    for place in ("东区", "西区"):
        written(tmp_path / "x" / place / "宗地.shp", place, encoding="UTF-8")
    packed(tmp_path / "a.zip", tmp_path / "x")
    for source in ("a.zip", "a.zip:宗地"):
        message = refusal(source, tmp_path)
        assert "holds 2 data sets (东区/宗地, 西区/宗地)" in message
        assert "a.zip:东区/宗地" in message
    assert value("a.zip:东区/宗地", tmp_path) == "东区"
    assert value("a.zip:西区/宗地.shp", tmp_path) == "西区"


def test_data_sets_of_one_name_and_folder_are_told_apart_by_their_suffixes(tmp_path):
    written(tmp_path / "x" / "a.shp", "shape")
    written(tmp_path / "x" / "a.geojson", "json")
    packed(tmp_path / "z.zip", tmp_path / "x")
    assert "(a.geojson, a.shp)" in refusal("z.zip", tmp_path)
    assert value("z.zip:a.shp", tmp_path) == "shape"
    assert value("z.zip:a.geojson", tmp_path) == "json"


def test_a_layer_of_one_of_several_databases(tmp_path):
    for place in ("e", "w"):
        for layer in ("one", "a:b"):
            written(tmp_path / "x" / place / "land.gpkg", f"{place} {layer}", layer=layer)
    packed(tmp_path / "z.zip", tmp_path / "x")
    assert "(e/land, w/land)" in refusal("z.zip", tmp_path)
    assert value("z.zip:w/land:one", tmp_path) == "w one"
    assert value("z.zip:e/land.gpkg:a:b", tmp_path) == "e a:b"


def test_a_layer_with_a_colon_in_the_only_database(tmp_path):
    for layer in ("a", "a:b"):
        written(tmp_path / "x" / "land.gpkg", layer, layer=layer)
    packed(tmp_path / "z.zip", tmp_path / "x")
    assert value("z.zip:a:b", tmp_path) == "a:b"
    assert value("z.zip:a", tmp_path) == "a"


@pytest.mark.parametrize("inside", ["", "数据/"])
def test_a_geodatabase_without_its_folder(tmp_path, inside):
    """Whoever marks all files in X.gdb and packs them packs no X.gdb."""
    gdb = written(tmp_path / "x.gdb", "gdb", layer="DLTB", driver="OpenFileGDB")
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:
        for part in sorted(gdb.iterdir()):
            archive.write(part, f"{inside}{part.name}")
        archive.writestr("说明.txt", "")
    assert value("z.zip", tmp_path) == "gdb"
    assert value("z.zip:DLTB", tmp_path) == "gdb"
    with opened("z.zip", tmp_path) as found:
        digest = found.sha256
    (tmp_path / "z.zip").rename(tmp_path / "other.zip")
    with opened("other.zip", tmp_path) as found:
        assert found.sha256 == digest


def test_zips_in_a_zip_are_read_or_named(tmp_path):
    for place in ("east", "west"):
        written(tmp_path / place / "宗地.shp", place)
        (tmp_path / "all").mkdir(exist_ok=True)
        packed(tmp_path / "all" / f"{place}.zip", tmp_path / place)
    packed(tmp_path / "two.zip", tmp_path / "all")
    assert "(east/宗地, west/宗地)" in refusal("two.zip", tmp_path)
    assert value("two.zip:west/宗地", tmp_path) == "west"
    (tmp_path / "all" / "east.zip").unlink()
    packed(tmp_path / "one.zip", tmp_path / "all", ("__MACOSX/._west.zip", b"shadow"))
    assert value("one.zip", tmp_path) == "west"
    (tmp_path / "outer").mkdir()
    (tmp_path / "one.zip").rename(tmp_path / "outer" / "one.zip")
    packed(tmp_path / "deep.zip", tmp_path / "outer")
    assert value("deep.zip", tmp_path) == "west"


def test_a_broken_zip_in_a_zip_is_named(tmp_path):
    packed(tmp_path / "z.zip", tmp_path / "none", ("数据/a.zip", b"PK\x03\x04 broken"))
    assert "z.zip, 数据/a.zip: cannot be unpacked" in refusal("z.zip", tmp_path)


def test_a_bomb_in_a_zip_is_refused(tmp_path):
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.shp", bytes(120 << 20))
    packed(tmp_path / "z.zip", tmp_path / "none", ("a.zip", inner.getvalue()))
    assert "z.zip, a.zip: would unpack to" in refusal("z.zip", tmp_path)


def test_a_zip_without_data_says_what_it_holds(tmp_path):
    packed(tmp_path / "z.zip", tmp_path / "none", ("说明.txt", b"x"), ("图.jpg", b"x"))
    message = refusal("z.zip", tmp_path)
    assert "holds no data that are read, only: 图.jpg, 说明.txt" in message
    assert "Name one" not in message
    packed(tmp_path / "empty.zip", tmp_path / "none")
    assert "holds no data that are read, only: nothing." in refusal("empty.zip", tmp_path)


def test_a_listing_beside_the_data_does_not_count_but_alone_it_does(tmp_path):
    written(tmp_path / "x" / "a.shp", "shape")
    packed(tmp_path / "z.zip", tmp_path / "x", ("清单.csv", b"MC\nlist\n"))
    assert value("z.zip", tmp_path) == "shape"
    packed(tmp_path / "c.zip", tmp_path / "none", ("清单.csv", b"MC\nlist\n"))
    assert value("c.zip", tmp_path) == "list"


def test_no_room_to_unpack_is_no_fault_of_the_sender(tmp_path):
    written(tmp_path / "x" / "a.shp", "shape")
    packed(tmp_path / "z.zip", tmp_path / "x")
    with full_disk(50):
        message = refusal("z.zip", tmp_path)
    assert "no room to unpack it" in message
    assert "TMPDIR" in message


def test_a_member_with_a_name_that_no_file_can_have(tmp_path):
    packed(tmp_path / "z.zip", tmp_path / "none", (f"{'长' * 100}.shp", b"x"))
    assert "z.zip: cannot be unpacked" in refusal("z.zip", tmp_path)


def test_what_is_wrong_in_a_zip_is_said_of_its_member(tmp_path):
    packed(tmp_path / "z.zip", tmp_path / "none", ("图/a.shp", b"<OGRVRTDataSource/>"))
    assert refusal("z.zip", tmp_path).startswith(
        "z.zip, 图/a.shp: its content is not what the name .shp says"
    )
    packed(tmp_path / "z.zip", tmp_path / "none", ("图/a.shp", b"\x00\x00\x27\x0a"))
    assert refusal("z.zip", tmp_path).startswith("z.zip, 图/a.shp: .dbf of the shapefile is missing")
