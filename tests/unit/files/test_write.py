"""Shapefiles with exact fields in GBK: what goes in comes out of every reader, what does not fit is refused."""

import datetime as dt
import itertools
import re
import struct
import subprocess

import fiona
import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely

from lowland_gis.errors import InputRefusedError
from lowland_gis.files import write
from lowland_gis.files.dbf_table import DbfField
from lowland_gis.files.write import (
    CellRefusedError,
    cell,
    columns_for,
    geometry_faults,
    write_shapefile,
    write_table,
)

DATED = dt.date(2024, 1, 1)
FIELDS = (
    DbfField("ZDDM", "C", 19, required=True),
    DbfField("XZYT", "C", 20),
    DbfField("TBMJ", "N", 15, 2),
    DbfField("ZDS", "N", 6),
    DbfField("RDRQ", "D"),
)
COLUMNS = {
    "ZDDM": ["120113101001GB00001", "120113101001GB00002"],
    "XZYT": ["工业用地", None],
    "TBMJ": [12345.67, None],
    "ZDS": [3, 0],
    "RDRQ": [dt.date(2024, 2, 29), None],
}
SHAPES = [
    shapely.Polygon(
        [(500000, 4340000), (500100, 4340000), (500100, 4340100), (500000, 4340100)],
        [[(500010, 4340010), (500010, 4340020), (500020, 4340020), (500020, 4340010)]],
    ),
    shapely.MultiPolygon(
        [shapely.box(500200, 4340000, 500210, 4340010), shapely.box(500300, 4340000, 500310, 4340010)]
    ),
]


@pytest.fixture
def delivered(tmp_path):
    path = tmp_path / "图斑.shp"
    write_shapefile(path, FIELDS, COLUMNS, SHAPES, crs="EPSG:4548", dated=DATED)
    return path


def read_dbf(path):
    """Read a DBF by its bytes alone: field descriptors and stripped GBK texts."""
    data = path.read_bytes()
    n_rows, head, width = struct.unpack("<IHH", data[4:12])
    fields = [data[at : at + 32] for at in range(32, head - 1, 32)]
    described = [(f[:11].rstrip(b"\0").decode(), chr(f[11]), f[16], f[17]) for f in fields]
    rows = []
    for start in range(head, head + n_rows * width, width):
        assert data[start : start + 1] == b" "
        at, row = start + 1, []
        for _, _, length, _ in described:
            row.append(data[at : at + length].decode("gbk").strip(" "))
            at += length
        rows.append(row)
    assert data[head + n_rows * width :] == b"\x1a"
    return described, rows


def test_bytes_of_the_table_are_what_was_asked_for(delivered):
    described, rows = read_dbf(delivered.with_suffix(".dbf"))
    assert described == [(f.name, f.kind, f.length, f.decimals) for f in FIELDS]
    assert rows[0] == ["120113101001GB00001", "工业用地", "12345.67", "3", "20240229"]
    assert rows[1][0] == "120113101001GB00002"
    assert rows[1][1:] == [
        "",
        "*" * 15,
        "0",
        "0" * 8,
    ]  # the driver's words for text, number and date without value


def test_header_names_code_page_and_the_given_date(delivered):
    head = delivered.with_suffix(".dbf").read_bytes()[:32]
    assert (head[1] + 1900, head[2], head[3]) == (2024, 1, 1)
    assert head[29] == 0x4D
    assert delivered.with_suffix(".cpg").read_text() == "GBK"


def by_ogrinfo(path):
    listing = subprocess.run(
        ["ogrinfo", "-q", "-al", path], capture_output=True, check=True, encoding="utf-8"
    )
    features = listing.stdout.split("OGRFeature(")[1:]
    rows = [dict(re.findall(r"^  (\w+) \(\w+\) = (.*)$", feature, re.MULTILINE)) for feature in features]
    return [{name: None if text == "(null)" else text for name, text in row.items()} for row in rows]


@pytest.mark.parametrize("keep_cpg", [True, False])
def test_three_readers_agree(delivered, keep_cpg):
    if not keep_cpg:
        delivered.with_suffix(".cpg").unlink()
    with fiona.open(delivered) as source:
        by_fiona = [dict(feature["properties"]) for feature in source]
    by_pyogrio = pyogrio.read_dataframe(delivered)
    for read in (by_fiona, by_pyogrio.to_dict("records"), by_ogrinfo(delivered)):
        assert [row["XZYT"] if isinstance(row["XZYT"], str) else None for row in read] == COLUMNS["XZYT"]
        assert float(read[0]["TBMJ"]) == 12345.67
        assert int(read[0]["ZDS"]) == 3
    assert by_fiona[0]["RDRQ"] == "2024-02-29"
    assert by_pyogrio.crs.to_epsg() == 4548


def test_geometry_comes_back_to_the_bit_with_shells_clockwise(delivered):
    back = gpd.read_file(delivered).geometry
    assert np.all(shapely.equals_exact(shapely.normalize(back.values), shapely.normalize(SHAPES), 0.0))
    raw = delivered.read_bytes()
    n_parts, n_points = struct.unpack("<ii", raw[144:152])
    starts = [*struct.unpack(f"<{n_parts}i", raw[152 : 152 + 4 * n_parts]), n_points]
    points = np.frombuffer(raw, "<f8", 2 * n_points, 152 + 4 * n_parts).reshape(-1, 2)
    clockwise = [not shapely.LinearRing(points[a:b]).is_ccw for a, b in itertools.pairwise(starts)]
    assert clockwise == [True, False]


def test_every_gbk_character_survives(tmp_path):
    letters = [chr(point) for point in range(0xA0, 0x10000) if not 0xD800 <= point < 0xE000]
    letters = [letter for letter in letters if write.text_fault(letter) is None]
    assert len(letters) > 21_000
    write_table(tmp_path / "a.dbf", [DbfField("ZI", "C", 2)], {"ZI": letters}, dated=DATED)
    _, rows = read_dbf(tmp_path / "a.dbf")
    assert [row[0] for row in rows] == letters


def test_same_input_gives_same_bytes_whatever_the_day(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write_shapefile(tmp_path / name / "x.shp", FIELDS, COLUMNS, SHAPES, crs="EPSG:4548", dated=DATED)
    files = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert files == ["x.cpg", "x.dbf", "x.prj", "x.shp", "x.shx"]
    for name in files:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    assert (tmp_path / "a" / "x.dbf").read_bytes()[1:4] == bytes((124, 1, 1))


def test_no_rows_make_a_readable_file(tmp_path):
    write_shapefile(
        tmp_path / "x.shp", FIELDS, {f.name: [] for f in FIELDS}, [], crs="EPSG:4548", dated=DATED
    )
    assert len(gpd.read_file(tmp_path / "x.shp")) == 0


TEXT = DbfField("T", "C", 4)
NUMBER = DbfField("N", "N", 6, 2)
WHOLE = DbfField("W", "N", 3)
DAY = DbfField("D", "D")


@pytest.mark.parametrize(
    ("value", "field", "reason"),
    [
        ("低效地", TEXT, "6 bytes in GBK, the field holds 4"),
        ("😀", TEXT, "which GBK does not have"),
        ("𠮷", TEXT, "which GBK does not have"),
        ("a\nb", TEXT, "invisible character U\\+000A"),
        ("a\x00", TEXT, "invisible character U\\+0000"),
        ("\u200b", TEXT, "invisible character U\\+200B"),
        (12, TEXT, "leading zeros"),
        (1234.5, NUMBER, "more than the 6 places"),
        (-999.999, NUMBER, "more than the 6 places"),
        (float("inf"), NUMBER, "not finite"),
        (True, NUMBER, "not a number"),
        ("12", NUMBER, "not a number"),
        (1.5, WHOLE, "whole number"),
        (1000, WHOLE, "more than the 3 places"),
        (pd.Timestamp("2024-01-01T08:00"), DAY, "time of day"),
        ("2024-01-01", DAY, "not a date"),
        (None, DbfField("T", "C", 4, required=True), "missing"),
        ("", DbfField("T", "C", 4, required=True), "missing"),
        (np.nan, DbfField("N", "N", 4, required=True), "missing"),
    ],
)
def test_misfit_is_refused(value, field, reason):
    with pytest.raises(CellRefusedError, match=reason):
        cell(value, field)


@pytest.mark.parametrize(
    ("value", "field", "held"),
    [
        ("低效", TEXT, "低效"),
        (999.994, NUMBER, 999.99),
        (np.int64(7), WHOLE, 7),
        (7.0, WHOLE, 7),
        (-99, WHOLE, -99),
        (pd.Timestamp("2024-02-29"), DAY, dt.date(2024, 2, 29)),
        (pd.NaT, DAY, None),
        (pd.NA, TEXT, None),
        (np.float64("nan"), NUMBER, None),
    ],
)
def test_fit_is_held(value, field, held):
    assert cell(value, field) == held


def test_all_faults_are_named_by_field_row_and_key():
    _, faults = columns_for({"T": ["好", "太长了", "太长了"]}, [TEXT], ["k1", "k2", "k3"])
    assert [str(fault).split(":")[0] for fault in faults] == ["T row 1 (k2)", "T row 2 (k3)"]


PLAIN = ["低效", "", None, "低效", "x"]
NUMBERS = [1.005, 2.675, -0.004, 0.0, 999.994]


@pytest.mark.parametrize(
    ("values", "field"), [(PLAIN, TEXT), (NUMBERS, NUMBER), ([], NUMBER), ([2, 3.0], WHOLE)]
)
def test_a_column_at_once_is_what_its_cells_are_one_by_one(values, field):
    columns, faults = columns_for({field.name: values}, [field], list("abcde")[: len(values)])
    assert repr(columns[field.name]) == repr([cell(value, field) for value in values])
    assert not faults


@pytest.mark.parametrize(
    ("value", "row"), [(10_000.0, 0), (-1234.5, 3), (float("inf"), 4), (True, 2), (None, 1)]
)
def test_one_number_that_does_not_fit_is_named_among_those_that_do(value, row):
    values = [1.5, 2.5, 3.5, 4.5, 5.5]
    values[row] = value
    field = DbfField("N", "N", 6, 2, required=True)
    _, faults = columns_for({"N": values}, [field], list("abcde"))
    assert [fault.row for fault in faults] == [f"row {row} ({'abcde'[row]})"]


def test_a_zero_with_a_sign_needs_room_for_it():
    _, faults = columns_for({"N": [0.0, -0.0]}, [DbfField("N", "N", 4, 2)], ["a", "b"])
    assert [fault.row for fault in faults] == ["row 1 (b)"]


def test_geometry_faults_name_what_a_shapefile_cannot_hold():
    shapes = [
        shapely.box(0, 0, 1, 1),
        None,
        shapely.Point(0, 0),
        shapely.Polygon(),
        shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)]),
        shapely.Polygon([(0, 0), (1, np.inf), (1, 0)]),
    ]
    faults = geometry_faults(shapes, list("abcdef"))
    assert [str(fault).split(":")[0] for fault in faults] == [
        f"geometry row {n} ({'abcdef'[n]})" for n in range(1, 6)
    ]


@pytest.mark.parametrize(
    ("name", "kind", "length", "decimals"),
    [
        ("低效用地面积", "C", 4, 0),
        ("A" * 11, "C", 4, 0),
        ("A", "C", 255, 0),
        ("A", "N", 19, 0),
        ("A", "N", 4, 3),
        ("A", "D", 7, 0),
    ],
)
def test_field_that_no_dbf_can_hold(name, kind, length, decimals):
    with pytest.raises(ValueError, match="field"):
        DbfField(name, kind, length, decimals)


def test_part_above_two_gigabytes_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(write, "MAX_FILE_BYTES", 300)
    with pytest.raises(InputRefusedError, match="2 GB"):
        write_shapefile(tmp_path / "x.shp", FIELDS, COLUMNS, SHAPES, crs="EPSG:4548", dated=DATED)
    assert list(tmp_path.iterdir()) == []


def test_size_of_the_shp_is_foreseen(delivered):
    shapes = np.asarray(SHAPES, dtype=object)
    assert write._shp_bytes(shapes) == delivered.stat().st_size
