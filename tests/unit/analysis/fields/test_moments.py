"""Days, moments and times of day as file geodatabases and other formats hold them, through the real libraries."""

import datetime as dt

import pyarrow as pa
import pyogrio.raw
import pytest
import shapely

from lowland_gis.analysis.fields.attributes import standardise
from lowland_gis.definitions.layer import layer_definition
from lowland_gis.files.read import received
from lowland_gis.files.source import opened

EIGHT = dt.timezone(dt.timedelta(hours=8))
DAYS = [dt.date(2020, 1, 2), None, dt.date(9999, 9, 9)]
TIMES = pa.array([dt.time(12, 30, 1), None, dt.time(0, 0)], pa.time32("ms"))
NOON = [dt.datetime.fromisoformat("2020-01-02T12:30:01.678"), None, dt.datetime.fromisoformat("2009-12-31")]
LONG = [2**60 + 1, None, -5]


def written(path, driver, day, **options):
    """Write three features whose BHJSSJ is as given, beside fields that no definition knows."""
    table = pa.table(
        {
            "BSM": ["1", "2", "3"],
            "BHJSSJ": day,
            "SK": TIMES,
            "SJ": pa.array(NOON, pa.timestamp("ms")),
            "ZQ": pa.array(NOON, pa.timestamp("ms", tz="+08:00")),
            "DS": pa.array(LONG),
            "geometry": pa.array(shapely.to_wkb(shapely.box([0, 1, 2], 0, [1, 2, 3], 1)).tolist()),
        }
    )
    pyogrio.raw.write_arrow(
        table,
        path,
        driver=driver,
        geometry_type="Polygon",
        geometry_name="geometry",
        crs="EPSG:4548",
        **options,
    )
    return path


def taken(path):
    with opened(str(path), path.parent) as source, received(source) as arrived:
        (batch,) = arrived.batches
    return standardise(batch.attributes, layer_definition("farmland").field, {"XZ": {}})


def read(path):
    found = taken(path)
    return {name: found.rows.column(name).to_pylist() for name in found.rows.column_names}, found.faults


PRO = {"layer_options": {"TARGET_ARCGIS_VERSION": "ARCGIS_PRO_3_2_OR_LATER"}}


def test_a_geodatabase_of_arcgis_pro_says_what_it_holds(tmp_path):
    values, faults = read(written(tmp_path / "new.gdb", "OpenFileGDB", pa.array(DAYS), **PRO))
    assert values["BHJSSJ"] == ["2020-01-02", None, "9999-09-09"]
    assert values["SK"] == ["12:30:01.000", None, "00:00:00.000"]
    # pyarrow counts the moments of a zone from UTC, so that noon in Greenwich is half past eight in the evening at Beijing.
    assert values["ZQ"] == ["2020-01-02T20:30:01.678+08:00", None, "2009-12-31T08:00:00+08:00"]
    assert values["SJ"] == ["2020-01-02T12:30:01.678Z", None, "2009-12-31T00:00:00Z"]
    assert values["DS"] == LONG
    assert not faults["rule"].isin(["value_cleaned", "value_unreadable", "digits_lost"]).any()


def test_moments_with_an_offset_are_days_of_their_own_place(tmp_path):
    """Eight in the morning at Beijing is midnight in Greenwich, and the evening there is the day before."""
    evening = [dt.datetime(2020, 1, 2, 0, 30, tzinfo=EIGHT), None, dt.datetime(2020, 1, 2, tzinfo=EIGHT)]
    path = written(
        tmp_path / "new.gdb", "OpenFileGDB", pa.array(evening, pa.timestamp("ms", tz="+08:00")), **PRO
    )
    values, faults = read(path)
    assert values["BHJSSJ"] == ["2020-01-02", None, "2020-01-02"]
    assert not faults["rule"].isin(["value_cleaned", "value_unreadable"]).any()


def test_a_geodatabase_of_before_gives_the_same_days(tmp_path):
    with pytest.warns(RuntimeWarning):
        path = written(tmp_path / "old.gdb", "OpenFileGDB", pa.array(DAYS))
    values, faults = read(path)
    assert values["BHJSSJ"] == ["2020-01-02", None, "9999-09-09"]
    assert "value_cleaned" not in set(faults["rule"])


def test_a_time_of_day_is_no_day(tmp_path):
    values, faults = read(written(tmp_path / "new.gdb", "OpenFileGDB", TIMES, **PRO))
    assert values["BHJSSJ"] == [None, None, None]
    unreadable = faults[faults["rule"] == "value_unreadable"]
    assert unreadable["row_no"].tolist() == [0, 2]
    assert "'12:30:01.000' is no date" in unreadable["message"].iloc[0]


def test_a_nul_character_in_a_text_is_still_listed():
    rows = pa.table({"BSM": ["1\0"], "XX": ["a\0b"]})
    found = standardise(rows, layer_definition("farmland").field, {"XZ": {}})
    assert found.rows.column("XX").to_pylist() == ["ab"]
    assert "value_cleaned" in set(found.faults["rule"])


def test_moments_of_a_parquet_file_keep_their_time_of_day():
    rows = pa.table({"BSM": ["1", "2", "3"], "SJ": pa.array(NOON, pa.timestamp("us"))})
    found = standardise(rows, layer_definition("farmland").field, {"XZ": {}})
    assert found.rows.column("SJ").to_pylist() == ["2020-01-02 12:30:01.678000", None, "2009-12-31"]
    zoned = pa.table(
        {"SJ": pa.array([dt.datetime(2020, 1, 2, tzinfo=EIGHT)], pa.timestamp("ms", tz="Asia/Shanghai"))}
    )
    found = standardise(zoned, layer_definition("farmland").field, {"XZ": {}})
    assert found.rows.column("SJ").to_pylist() == ["2020-01-02"]
