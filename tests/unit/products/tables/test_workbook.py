"""Spreadsheets: text stays text, numbers are numbers, sums are right, bytes repeat."""

import datetime as dt
import zipfile

import openpyxl
import pandas as pd
import pytest

from lowland_gis.errors import InputRefusedError
from lowland_gis.products.tables import workbook
from lowland_gis.products.tables.workbook import AreaRow, Column, SheetContent, area_summary, write_workbook

DATED = dt.date(2024, 1, 1)
HOSTILE = [
    "=1+1",
    "=cmd|' /C calc'!A0",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "http://x.y",
    "{=1}",
    "<b>&amp;",
    "007",
    "1e5",
]


def written(path, *sheets):
    write_workbook(path, sheets, title="标题", note="注", dated=DATED)
    return openpyxl.load_workbook(path)


def test_hostile_text_comes_back_as_the_same_text(tmp_path):
    rows = tuple((text,) for text in HOSTILE)
    sheet = written(tmp_path / "x.xlsx", SheetContent("表", (Column("坐落"),), rows))["表"]
    cells = [row[0] for row in sheet.iter_rows(min_row=4)]
    assert [cell.value for cell in cells] == HOSTILE
    assert {cell.data_type for cell in cells} == {"s"}
    assert [cell.quotePrefix for cell in cells] == [text.startswith(workbook.LIVE) for text in HOSTILE]
    with zipfile.ZipFile(tmp_path / "x.xlsx") as archive:
        content = archive.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in content
    assert "hyperlink" not in content


def test_long_codes_keep_every_digit_and_numbers_are_numbers(tmp_path):
    columns = (
        Column("代码"),
        Column("面积（m²）", "0.00"),
        Column("宗数", "0"),
        Column("日期"),
        Column("空"),
    )
    row = ("1201131010010000001", 12.5, 3, dt.date(2024, 2, 29), None)
    sheet = written(tmp_path / "x.xlsx", SheetContent("表", columns, (row,)))["表"]
    code, area, count, day, empty = next(sheet.iter_rows(min_row=4))
    assert (code.value, code.data_type, code.number_format) == ("1201131010010000001", "s", "@")
    assert (area.value, area.number_format) == (12.5, "0.00")
    assert (count.value, day.value, empty.value) == (3, pd.Timestamp(2024, 2, 29), None)


def test_head_of_a_sheet(tmp_path):
    book = written(tmp_path / "x.xlsx", SheetContent("表", (Column("镇街名称"),), (("北仓镇" * 10,),)))
    sheet = book["表"]
    assert [sheet["A1"].value, sheet["A2"].value, sheet["A3"].value] == ["标题", "注", "镇街名称"]
    assert sheet.freeze_panes == "A4"
    assert 60 <= sheet.column_dimensions["A"].width <= 63
    assert book.properties.created == pd.Timestamp(2024, 1, 1)


def test_same_content_gives_the_same_bytes(tmp_path):
    content = SheetContent("表", (Column("a"),), (("x",), (1.5,)))
    for name in ("a.xlsx", "b.xlsx"):
        written(tmp_path / name, content)
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()


def test_areas_are_summed_by_town_and_class():
    rows = [
        AreaRow("2", "乙镇", "工", 15000.0),
        AreaRow("1", "甲镇", "村", 666.67),
        AreaRow("1", "甲镇", "工", 0.1),
        AreaRow("1", "甲镇", "工", 0.3),
    ]
    assert area_summary("表", "类型", rows).rows == (
        ("1", "甲镇", "工", 2, 0.4, 0.0, 0.0006),
        ("1", "甲镇", "村", 1, 666.67, 0.0667, 1.0),
        ("1", "甲镇", "小计", 3, 667.07, 0.0667, 1.0006),
        ("2", "乙镇", "工", 1, 15000.0, 1.5, 22.5),
        ("2", "乙镇", "小计", 1, 15000.0, 1.5, 22.5),
        ("", "合计", "", 4, 15667.07, 1.5667, 23.5006),
    )


def test_no_rows_sum_to_nothing():
    assert area_summary("表", "类型", []).rows == (("", "合计", "", 0, 0.0, 0.0, 0.0),)


def test_more_than_a_sheet_holds_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(workbook, "MAX_ROWS", 5)
    with pytest.raises(InputRefusedError, match="rows would be lost"):
        written(tmp_path / "x.xlsx", SheetContent("表", (Column("a"),), (("x",),) * 3))
    with pytest.raises(InputRefusedError, match="it would be cut"):
        written(tmp_path / "x.xlsx", SheetContent("表", (Column("a"),), (("x" * 32768,),)))
    assert list(tmp_path.iterdir()) == []
