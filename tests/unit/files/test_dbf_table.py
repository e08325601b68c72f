"""The table of a shapefile has the bytes that GDAL writes."""

import datetime as dt
import random

import fiona
import pytest

from lowland_gis.files import dbf_table
from lowland_gis.files.dbf_table import DbfField, table_bytes

FIELDS = (
    DbfField("ZDDM", "C", 19),
    DbfField("XZYT", "C", 254),
    DbfField("TBMJ", "N", 15, 2),
    DbfField("BL", "N", 18, 10),
    DbfField("ZDS", "N", 6),
    DbfField("HM", "N", 18),
    DbfField("RDRQ", "D"),
)
SOME = (
    (None, "120113101001GB00001", "北仓镇", " x "),
    (None, "工业用地", "低效" * 63, "·—…〇"),
    (None, 0.0, -0.0, 12345.67, -999.99, 1e11),
    (None, 0.1, 1e-9, -0.3333333333),
    (None, 0, 7, -99999, 999999),
    (None, 2**31 - 1, -(10**9)),
    (None, dt.date(2024, 2, 29), dt.date(1900, 1, 1), dt.date(9999, 12, 31)),
)
DATED = dt.date(2024, 1, 1)


def by_gdal(path, columns):
    kinds = {"C": "str:{0.length}", "D": "date"}
    types = {
        field.name: kinds.get(
            field.kind, "float:{0.length}.{0.decimals}" if field.decimals else "int64:{0.length}"
        ).format(field)
        for field in FIELDS
    }
    schema = {"geometry": "None", "properties": types}
    with fiona.open(path, "w", driver="ESRI Shapefile", schema=schema, encoding="GBK") as sink:
        for row in zip(*columns.values(), strict=True):
            values = dict(zip(columns, row, strict=True))
            sink.write({"type": "Feature", "geometry": None, "properties": values})
    content = bytearray(path.read_bytes())
    content[1:4], content[29] = bytes((124, 1, 1)), dbf_table.LANGUAGE_BYTE
    return bytes(content)


@pytest.mark.parametrize("rows", [0, 1, 50])
@pytest.mark.parametrize("seed", range(3))
def test_the_bytes_are_those_that_gdal_writes(tmp_path, monkeypatch, rows, seed):
    chance = random.Random(seed)  # noqa: S311
    columns = {
        field.name: [chance.choice(some) for _ in range(rows)]
        for field, some in zip(FIELDS, SOME, strict=True)
    }
    monkeypatch.setattr(dbf_table, "_ROWS", 20)
    assert b"".join(table_bytes(FIELDS, columns, DATED)) == by_gdal(tmp_path / "a.dbf", columns)
