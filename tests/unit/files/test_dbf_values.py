"""What GDAL makes of a .dbf without a word is undone: every value is as its bytes say, or empty and named."""

import datetime as dt

import geopandas as gpd
import pytest

from lowland_gis.files.read import received
from lowland_gis.files.source import opened
from made_files import box, dbf_bytes


def read(folder, field, *values, deleted=(), batch_rows=10_000):
    """The values of one field of a shapefile, and the doubts."""
    names = [str(number).encode() for number in range(len(values))]
    path = folder / "图斑.shp"
    frame = gpd.GeoDataFrame({"BSM": names}, geometry=[box(100 * n, 0) for n in range(len(values))], crs=4548)
    frame.assign(BSM="1").to_file(path, engine="pyogrio")
    records = [list(row) for row in zip(names, values, strict=True)]
    content = dbf_bytes([("BSM", "C", 4, 0), ("值", *field)], records, deleted=deleted)
    path.with_suffix(".dbf").write_bytes(content)
    path.with_suffix(".cpg").write_text("GBK")
    with opened(str(path), folder) as source, received(source, batch_rows=batch_rows) as arrived:
        batches = list(arrived.batches)
    found = [value for batch in batches for value in batch.attributes.column("值").to_pylist()]
    return (
        found,
        [(one.row, one.rule, one.words) for batch in batches for one in batch.doubts],
        arrived.doubts,
    )


@pytest.mark.parametrize(
    ("field", "good", "value"),
    [
        (("D", 8, 0), b"20200229", dt.date(2020, 2, 29)),
        (("D", 8, 0), b"99990909", dt.date(9999, 9, 9)),
        (("D", 20, 0), b"20200229", dt.date(2020, 2, 29)),
        (("D", 8, 0), b"        ", None),
        (("D", 8, 0), b"00000000", None),
        (("N", 10, 0), b"-12", -12),
        (("N", 10, 0), b"+12", 12),
        (("N", 10, 0), b"", None),
        (("N", 12, 2), b"2000.50", 2000.5),
        (("N", 12, 2), b".5", 0.5),
        (("F", 20, 11), b"1.2345678901000e+003", 1234.5678901),
        (("N", 18, 0), b"120113001001000123", 120113001001000123),
        (("N", 19, 0), b"1201130010010001234", "1201130010010001234"),
        (("N", 10, 0), b"12.7", 12.7),
        (("N", 10, 0), b"1e3", 1000.0),
        (("L", 1, 0), b"T", True),
        (("L", 1, 0), b"n", False),
        (("L", 1, 0), b" ", None),
        (("L", 1, 0), b"?", None),
        (("M", 10, 0), b"", None),
        (("M", 10, 0), b"0000000000", None),
    ],
)
def test_a_value_is_what_its_bytes_say(tmp_path, field, good, value):
    assert read(tmp_path, field, good, good) == ([value, value], [], [])


@pytest.mark.parametrize(
    ("field", "bad", "rule"),
    [
        (("D", 8, 0), b"20200230", "value_unreadable"),
        (("D", 8, 0), b"20201301", "value_unreadable"),
        (("D", 8, 0), b"20210229", "value_unreadable"),
        (("D", 8, 0), b"19000229", "value_unreadable"),
        (("D", 8, 0), b"2020 101", "value_unreadable"),
        (("D", 8, 0), b"2020-1-1", "value_unreadable"),
        (("D", 8, 0), b"********", "value_unreadable"),
        (("D", 20, 0), b"20200229 x", "value_unreadable"),
        (("N", 10, 0), b"2,000.5", "value_unreadable"),
        (("N", 12, 2), b"1,000.5", "value_unreadable"),
        (("N", 12, 2), b"************", "value_unreadable"),
        (("F", 20, 11), b"-1.#IND", "value_unreadable"),
        (("F", 20, 11), b"1 2", "value_unreadable"),
        (("N", 12, 2), b"1.2.3", "value_unreadable"),
        (("N", 12, 2), b"5-", "value_unreadable"),
        (("N", 12, 2), b"nan", "value_unreadable"),
        (("N", 12, 2), b".", "value_unreadable"),
        (("L", 1, 0), b"X", "value_unreadable"),
        (("M", 10, 0), b"1", "memo_not_read"),
        (("I", 4, 0), b"\x01\x00\x00\x00", "value_unreadable"),
    ],
)
def test_a_value_that_is_not_what_it_says_is_empty_and_named_with_its_text(tmp_path, field, bad, rule):
    good = {"D": b"20200101", "L": b"T", "M": b"", "I": bytes(4)}.get(field[0], b"7")
    values, doubts, _ = read(tmp_path, field, good, bad)
    assert values[1] is None
    ((row, code, words),) = doubts
    assert (row, code) == (1, rule)
    assert words.startswith("值: ")
    assert repr(bad.strip(b" \x00").decode()) in words


def test_rows_are_counted_over_batches_and_without_deleted_records(tmp_path):
    values, doubts, whole = read(
        tmp_path, ("N", 12, 2), b"x", b"1", b"2", b"y", b"3", deleted=(1,), batch_rows=2
    )
    assert values == [None, 2.0, None, 3.0]
    assert [(row, words[:6]) for row, _, words in doubts] == [(0, "值: 'x'"), (2, "值: 'y'")]
    ((rule, words),) = whole
    assert rule == "records_deleted"
    assert "1 records of the .dbf are marked as deleted (record 2)" in words


@pytest.mark.parametrize(
    ("field", "values", "wanted"),
    [
        (("N", 10, 0), [b"1", b"2", b"3.5"], [1.0, 2.0, 3.5]),
        (("N", 19, 0), [b"1201130010010001234", b"2", b"3"], ["1201130010010001234", "2", "3"]),
        (("N", 19, 0), [b"1", b"2", b"3.5"], [1.0, 2.0, 3.5]),
    ],
)
def test_a_field_is_of_one_kind_in_all_batches(tmp_path, field, values, wanted):
    assert read(tmp_path, field, *values, batch_rows=1) == (wanted, [], [])
    found = read(tmp_path, field, *values, batch_rows=1)[0]
    assert {type(value) for value in found} == {type(wanted[0])}
