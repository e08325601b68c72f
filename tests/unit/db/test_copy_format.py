"""The bytes of COPY against the ones that psycopg writes for the same values."""

import datetime as dt

import numpy as np
import pandas as pd
import psycopg
import pyarrow as pa
import pytest
import shapely

from lowland_gis.db import copy_format

CASES = {
    "text": ["a", None, "", "汉字 \\ \t"],
    "integer": [1, None, -(2**31), 2**31 - 1],
    "bigint": [1, None, -(2**63), 2**53 + 1],
    "number": [1.5, None, -0.0, 1e300],
    "boolean": [True, None, False, True],
    "date": [dt.date(2019, 12, 31), None, dt.date(1949, 10, 1), dt.date(9999, 12, 31)],
    "timestamp": [dt.datetime(2024, 2, 29, 12, 30, 1, 250_000, tzinfo=dt.UTC), None,
                  dt.datetime(1999, 1, 1, tzinfo=dt.UTC), dt.datetime(2000, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=8)))],
}  # fmt: skip
TYPES = {
    "text": "text",
    "integer": "int4",
    "bigint": "int8",
    "number": "float8",
    "boolean": "bool",
    "date": "date",
    "timestamp": "timestamptz",
}


def expected(rows, kinds):
    """What psycopg's own row writer gives."""
    transformer = psycopg.adapt.Transformer()
    parts = []
    for row in rows:
        parts.append(len(row).to_bytes(2, "big"))
        for value, kind in zip(row, kinds, strict=True):
            if value is None:
                parts.append((-1).to_bytes(4, "big", signed=True))
                continue
            oid = psycopg.adapters.types[TYPES[kind]].oid
            dumper = transformer.adapters.get_dumper_by_oid(oid, psycopg.pq.Format.BINARY)(type(value))
            content = bytes(dumper.dump(value))
            parts += [len(content).to_bytes(4, "big"), content]
    return b"".join(parts)


def test_rows_are_those_of_psycopg():
    frame = pd.DataFrame({kind: pd.Series(values, dtype=object) for kind, values in CASES.items()})
    fields = [copy_format.field(kind, frame[kind], srid=4548) for kind in frame]
    rows = [[None if pd.isna(value) else value for value in row] for row in frame.itertuples(index=False)]
    assert bytes(copy_format.rows(fields)) == expected(rows, list(frame))


@pytest.mark.parametrize(
    ("kind", "values"),
    [("bigint", np.arange(3)), ("number", np.array([1.0, np.nan])), ("boolean", np.array([True]))],
)
def test_numpy_columns_and_nan(kind, values):
    rows = [[None if value != value else value.item()] for value in values]  # noqa: PLR0124 - NaN
    got = copy_format.rows([copy_format.field(kind, pd.Series(values), srid=0)])
    assert bytes(got) == expected(rows, [kind])


@pytest.mark.parametrize("value", ["x", None])
def test_a_constant_is_the_same_in_every_row(value):
    got = copy_format.rows([copy_format.constant("text", value, 3)])
    assert bytes(got) == expected([[value]] * 3, ["text"])


def test_no_rows_are_no_bytes():
    empty = pd.Series([], dtype=object)
    assert (
        bytes(
            copy_format.rows(
                [copy_format.field("text", empty, srid=0), copy_format.constant("integer", 1, 0)]
            )
        )
        == b""
    )


def test_json_refuses_what_json_cannot_hold():
    with pytest.raises(ValueError, match="JSON"):
        copy_format.field("json", pd.Series([{"a": float("nan")}]), srid=0)


SHAPES = [
    "POINT (1 2)",
    "LINESTRING (0 0, 1 1)",
    "POLYGON ((0 0, 4 0, 4 4, 0 0), (1 0.5, 2 0.5, 2 1, 1 0.5))",
    "MULTIPOLYGON (((0 0, 4 0, 4 4, 0 0)), ((9 9, 8 9, 8 8, 9 9)))",
    "GEOMETRYCOLLECTION (POINT (1 2), POLYGON ((0 0, 4 0, 4 4, 0 0)))",
    "POLYGON EMPTY",
]


@pytest.mark.parametrize("geometry_type", ["GEOMETRY", "MULTIPOLYGON"])
def test_geometries_carry_their_srid_and_polygons_become_multipolygons_where_the_column_wants_them(
    geometry_type,
):
    shapes = np.array([*shapely.from_wkt(SHAPES), None, shapely.box(0, 0, 1, 1)], dtype=object)
    field = copy_format.field("geometry", pd.Series(shapes), srid=4548, geometry_type=geometry_type)
    wanted = shapes.copy()
    if geometry_type == "MULTIPOLYGON":
        for row in (2, 7):
            wanted[row] = shapely.multipolygons([shapes[row]])
        # GEOS gives an empty multipolygon no parts; one empty part is as empty.
        wanted[5] = None
    wkb = shapely.to_wkb(shapely.set_srid(wanted, 4548), include_srid=True, byte_order=1)
    for row, expected in enumerate(wkb):
        if expected is not None:
            assert field.content[row].as_py() == expected
            assert field.lengths[row] == len(expected)
    assert (field.lengths[6], field.content[6].as_py()) == (-1, b"")


def test_columns_of_no_geometry_at_all():
    for shapes in ([], [None, None]):
        field = copy_format.field("geometry", pd.Series(shapes, dtype=object), srid=4548)
        assert field.lengths.tolist() == [-1] * len(shapes)


def test_what_is_no_text_is_spelt():
    field = copy_format.field("text", pd.Series(["a", 7, None, float("nan")], dtype=object), srid=0)
    assert [field.content[row].as_py() for row in range(4)] == [b"a", b"7", b"", b""]


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_column_of_texts_of_which_none_is_there_comes_as_numbers_and_is_empty(count):
    """Where no parcel of a frame has a town code, pandas calls the column a number."""
    assert (
        copy_format.field("text", pd.Series([np.nan] * count, dtype=float), srid=4548).lengths.tolist()
        == [-1] * count
    )


def test_nan_in_an_array_is_a_number():
    lists = pa.LargeListArray.from_arrays(pa.array([0, 2], pa.int64()), pa.array(np.array([1.0, np.nan])))
    field = copy_format.field("numbers", pd.Series(pd.arrays.ArrowExtensionArray(lists)), srid=0)
    members = np.frombuffer(field.content[0].as_py()[20:], dtype=[("size", ">i4"), ("value", ">f8")])
    np.testing.assert_array_equal(members["value"], [1.0, np.nan])
    assert members["size"].tolist() == [8, 8]


def test_a_part_of_a_column_of_arrays_is_what_the_whole_has_there():
    lists = pa.array([[1.0], [2.0, 3.0], None, [4.0]], pa.large_list(pa.float64()))
    whole = pd.Series(pd.arrays.ArrowExtensionArray(lists))
    for start in range(4):
        part = copy_format.field("numbers", whole.iloc[start : start + 2], srid=0)
        assert (
            part.content.to_pylist()
            == copy_format.field("numbers", whole, srid=0).content[start : start + 2].to_pylist()
        )
