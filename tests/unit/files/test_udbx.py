"""UDBX by its written grammar, beside GDAL where it reads the same bytes; and files that are broken."""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from pathlib import Path

import pyogrio
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lowland_gis.errors import InputRefusedError
from lowland_gis.files import inspect
from lowland_gis.files.read import received
from lowland_gis.files.source import opened
from lowland_gis.files.udbx import shape_of
from other_formats import gaia, udbx

BOX = shapely.box(515000.125, 4345300.5, 515100, 4345400)
HOLED = shapely.MultiPolygon(
    [
        BOX.difference(shapely.box(515010, 4345310, 515020, 4345320)),
        shapely.box(515200, 4345300, 515210, 4345310),
    ]
)
FIELDS = {"DLBM": 128, "TBMJ": 7, "户数": 5}


def made(folder: Path, **changes) -> Path:
    sets = {
        "DLTB": (
            5,
            FIELDS,
            [
                ("0601", 9000.5, 12, gaia(HOLED)),
                ("0701", None, None, gaia(shapely.MultiPolygon([BOX]))),
                ("", 1.0, 1, None),
            ],
        ),
        "企业": (0, {"名称": 127, "CODE": 128}, [("甲厂", "0012")]),
        "路": (3, {}, [(gaia(shapely.MultiLineString([[(1, 2), (3, 4)]])),)]),
        "注记": (7, {}, [(b"x",)]),
    }
    return udbx(folder / "a.udbx", sets | changes)


def arrived(file: Path, layer: str | None):
    name = str(file) if layer is None else f"{file}:{layer}"
    with opened(name, file.parent) as source, received(source) as found:
        return found, list(found.batches)


def test_a_region_a_table_and_a_line(tmp_path):
    file = made(tmp_path)
    with opened(str(file), tmp_path) as source:
        assert inspect.layer_names(source) == ("DLTB", "企业", "路")
    found, (batch,) = arrived(file, "DLTB")
    assert batch.attributes.to_pylist() == [
        {"DLBM": "0601", "TBMJ": 9000.5, "户数": 12}, {"DLBM": "0701", "TBMJ": None, "户数": None}, {"DLBM": "", "TBMJ": 1.0, "户数": 1},
    ]  # fmt: skip
    shapes = shapely.from_wkb(batch.wkb)
    assert [
        shape is not None and shape.equals(other)
        for shape, other in zip(shapes, (HOLED, BOX, None), strict=True)
    ] == [True, True, False]
    assert (found.declared_crs, found.n_rows, batch.doubts) == ("EPSG:4548", 3, ())
    assert found.doubts == [("dataset_left_out", "data sets of text, CAD or other kinds are not read: 注记")]
    found, (batch,) = arrived(file, "企业")
    assert (found.has_geometry, batch.attributes.to_pylist()) == (False, [{"名称": "甲厂", "CODE": "0012"}])
    _, (batch,) = arrived(file, "路")
    assert [shape.geom_type for shape in shapely.from_wkb(batch.wkb)] == ["MultiLineString"]


def test_gdal_reads_the_same_shapes_of_a_file_that_it_takes_for_spatialite(tmp_path):
    """So the bytes of the tests are those that another program reads."""
    file = made(tmp_path)
    other = tmp_path / "a.sqlite"
    other.write_bytes(file.read_bytes())
    frame = pyogrio.read_dataframe(other, layer="dltb")
    assert frame.geometry[0].equals(HOLED)
    assert frame["DLBM"].tolist()[:2] == ["0601", "0701"]


def test_heights_stay(tmp_path):
    solid = shapely.force_3d(HOLED, 5.0)
    _, (batch,) = arrived(made(tmp_path, T=(105, {}, [(gaia(solid, z=True),)])), "T")
    (shape,) = shapely.from_wkb(batch.wkb)
    assert shapely.get_coordinates(shape, include_z=True)[0, 2] == 5.0


def test_several_batches_count_on(tmp_path):
    rows = [(f"{number}", None, None, gaia(shapely.MultiPolygon([BOX]))) for number in range(25)]
    file = made(tmp_path, DLTB=(5, FIELDS, rows))
    with opened(f"{file}:DLTB", tmp_path) as source, received(source, batch_rows=10) as found:
        batches = list(found.batches)
    assert [(batch.first_row, batch.attributes.num_rows) for batch in batches] == [(0, 10), (10, 10), (20, 5)]


def test_what_is_wrong_in_a_row_is_listed(tmp_path):
    blob = gaia(HOLED)
    rows = [
        ("a", "x", 1.5, blob[:-9]),
        (b"\xff", 1, 2, b"\0" * 60),
        ("c", 1.5, 3, blob[:43] + b"\xff\xff\xff\x7f" + blob[47:]),
    ]
    _, (batch,) = arrived(made(tmp_path, DLTB=(5, FIELDS, rows)), "DLTB")
    assert [(doubt.row, doubt.rule) for doubt in batch.doubts] == [
        (1, "value_unreadable"), (0, "value_unreadable"), (0, "value_unreadable"), (0, "shape_unreadable"), (1, "shape_unreadable"), (2, "shape_unreadable"),
    ]  # fmt: skip


def test_a_count_that_differs_is_listed_and_a_layer_is_to_be_named(tmp_path):
    file = made(tmp_path)
    with sqlite3.connect(file) as base:
        base.execute("UPDATE SmRegister SET SmObjectCount = 9 WHERE SmDatasetName = 'DLTB'")
    found, _ = arrived(file, "dltb")
    assert ("count_differs", "the register counts 9 objects in DLTB, its table has 3") in found.doubts
    for layer, words in (
        (None, "it holds several data sets"),
        ("X", "there is no data set 'X'"),
        ("注记", "is of text, which is not read"),
    ):
        with pytest.raises(InputRefusedError, match=words):
            arrived(file, layer)


def test_a_broken_file_and_another_one(tmp_path):
    file = made(tmp_path)
    whole = file.read_bytes()
    file.write_bytes(whole[:5000])
    with pytest.raises(InputRefusedError, match="shorter than it says"):
        arrived(file, "DLTB")
    file.write_bytes(whole)
    with sqlite3.connect(file) as base:
        base.execute("DROP TABLE 路")
    with pytest.raises(InputRefusedError, match="names a data set 路 whose table 路 is not there"):
        arrived(file, "DLTB")
    with sqlite3.connect(file) as base:
        base.execute("DROP TABLE SmRegister")
    with pytest.raises(InputRefusedError, match="it is no UDBX"):
        arrived(file, "DLTB")
    file.write_bytes(b"x" * 200)
    with pytest.raises(InputRefusedError, match="its content is not what"):
        arrived(file, "DLTB")


def test_changes_that_are_not_in_the_file_yet(tmp_path):
    file = made(tmp_path)
    (tmp_path / "a.udbx-wal").write_bytes(b"x")
    with pytest.raises(InputRefusedError, match="another program has it open"):
        arrived(file, "DLTB")


@given(st.data())
@settings(max_examples=100, deadline=None)
def test_no_change_of_a_shape_ends_in_anything_but_a_shape_or_a_refusal(data):
    blob = bytearray(gaia(HOLED))
    for _ in range(data.draw(st.integers(1, 3))):
        blob[data.draw(st.integers(0, len(blob) - 1))] = data.draw(st.integers(0, 255))
    with suppress(ValueError, shapely.errors.GEOSException):
        assert shape_of(bytes(blob[: data.draw(st.integers(44, len(blob)))])) is not None


@given(st.data())
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_change_of_a_file_ends_in_anything_but_a_reading_or_a_refusal(tmp_path, data):
    (tmp_path / "a.udbx").unlink(missing_ok=True)
    file = made(tmp_path)
    content = bytearray(file.read_bytes())
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(16, len(content) - 1))] = data.draw(st.integers(0, 255))
    file.write_bytes(content)
    with suppress(InputRefusedError):
        arrived(file, "DLTB")
