"""Formats that have only UTF-8, with other bytes in their texts: half characters are left out and named, all else is refused."""

import sqlite3

import geopandas as gpd
import pyarrow as pa
import pytest
import shapely

from lowland_gis.errors import InputRefusedError
from lowland_gis.files.broken_text import whole_texts
from lowland_gis.files.read import received
from lowland_gis.files.source import opened
from lowland_gis.files.units import read_edited

MARK = "ZZZZZZZZZZZ"
HALF, GBK = "工业用地".encode()[:-1], "工业用地区".encode("gbk")


def write(path, text):
    """Write two features of which the first has these bytes as its name."""
    names = [MARK[: len(text)], "城镇住宅用地"]
    shapes = [shapely.box(x, 4_345_000, x + 50, 4_345_050) for x in (515_000, 515_100)]
    rows = gpd.GeoDataFrame({"DLMC": names}, geometry=shapes, crs=4548)
    if path.suffix == ".parquet":
        rows.to_parquet(path, compression=None, write_statistics=False, use_dictionary=False)
    else:
        rows.to_file(path, driver={".fgb": "FlatGeobuf", ".gdb": "OpenFileGDB", ".gpkg": "GPKG"}[path.suffix])
    if path.suffix == ".gpkg":
        with sqlite3.connect(path) as database:
            for (name,) in database.execute(
                "SELECT name FROM sqlite_master WHERE type = 'trigger'"
            ).fetchall():
                database.execute(f'DROP TRIGGER "{name}"')
            database.execute("UPDATE a SET DLMC = CAST(? AS TEXT) WHERE fid = 1", (text,))
        return
    files = list(path.iterdir()) if path.is_dir() else [path]
    found = [file for file in files if names[0].encode() in file.read_bytes()]
    for file in found:
        file.write_bytes(file.read_bytes().replace(names[0].encode(), text))
    assert found


def read(path):
    with opened(str(path), path.parent) as source, received(source) as arrived:
        (batch,) = arrived.batches
        return batch


@pytest.mark.parametrize("suffix", [".gpkg", ".gdb", ".fgb", ".parquet"])
def test_half_a_character_is_left_out_and_named(tmp_path, suffix):
    write(tmp_path / f"a{suffix}", HALF)
    batch = read(tmp_path / f"a{suffix}")
    # A FlatGeobuf has an order of its own.
    names = batch.attributes["DLMC"].to_pylist()
    assert sorted(names) == ["城镇住宅用地", "工业用"]
    assert [(doubt.row, doubt.rule) for doubt in batch.doubts] == [(names.index("工业用"), "value_cut")]
    assert batch.doubts[0].words.startswith("DLMC: '工业用' goes on with a character that was cut")


@pytest.mark.parametrize("suffix", [".gpkg", ".gdb", ".fgb", ".parquet"])
def test_texts_in_another_encoding_are_refused_with_what_they_may_be(tmp_path, suffix):
    write(tmp_path / f"a{suffix}", GBK)
    with pytest.raises(
        InputRefusedError, match="the field DLMC holds texts that are no UTF-8.*read as GBK: '工业用地区'"
    ):
        read(tmp_path / f"a{suffix}")


def test_an_edited_draft_with_such_a_text_is_refused_in_words(tmp_path):
    shape = shapely.box(515_000, 4_345_000, 515_050, 4_345_050)
    gpd.GeoDataFrame({"unit_id": ["x"]}, geometry=[shape], crs=4548).to_file(tmp_path / "a.gpkg")
    with sqlite3.connect(tmp_path / "a.gpkg") as database:
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f'DROP TRIGGER "{name}"')
        database.execute("UPDATE a SET unit_id = CAST(? AS TEXT)", (HALF,))
    with pytest.raises(InputRefusedError, match="holds texts that are no UTF-8.*Type the names again"):
        read_edited(tmp_path / "a.gpkg", None, srid=4548)


def test_only_what_is_broken_is_touched():
    sound = pa.array(["北", None])
    broken = pa.array([None, b"\xe5\x8c\x97\xe8", b"\xe5\x8c\x97"], pa.binary())
    broken = pa.Array.from_buffers(pa.string(), 3, broken.buffers())
    numbers = pa.array([1, 2])
    columns, doubts = whole_texts({"a": sound, "b": broken, "c": numbers}, 10, "f")
    assert columns["a"] is sound
    assert columns["c"] is numbers
    assert columns["b"].to_pylist() == [None, "北", "北"]
    assert [doubt.row for doubt in doubts] == [11]
