"""Rows that are put into a sheet at once give the bytes that single cells give."""

import datetime as dt
import random

import pytest

from lowland_gis.errors import InputRefusedError
from lowland_gis.products.tables import sheet_rows
from lowland_gis.products.tables.sheet_rows import RowsSheet
from lowland_gis.products.tables.workbook import Column, SheetContent, write_workbook

DATED = dt.date(2024, 1, 1)
SOME = {
    "texts": ["北仓镇", "天穆镇", 'a<b & "c"', " 留白 ", "007", "_x0041_", "宗地\n坐落"],
    "live": ["北仓镇", "=1+1", "-3", "@x", "\t=1", ""],
    "numbers": [1.5, 0.1 + 0.2, -3.25, 1e22, 2.0, 123456789.123456789],
    "whole": [0, 7, -12, 10**15, 3],
    "days": [dt.date(2024, 2, 29), dt.date(1999, 12, 31), None],
    "mixed": [None, "", "文", 1, 2.5, dt.date(2020, 1, 1), "=x", True],
}


def singly(sheet, first, rows, formats):
    for number, row in enumerate(rows, first):
        for place, value in enumerate(row):
            form = formats[place].of(value)
            if value is None or value == "":
                sheet.write_blank(number, place, None, form)
            elif isinstance(value, str):
                sheet.write_string(number, place, value, form)
            elif isinstance(value, dt.date):
                sheet.write_datetime(number, place, dt.datetime(value.year, value.month, value.day), form)  # noqa: DTZ001
            else:
                sheet.write_number(number, place, value, form)


def sheets(seed):
    chance = random.Random(seed)  # noqa: S311
    made = []
    for name in ("甲", "乙"):
        kinds = chance.choices(list(SOME), k=chance.randint(1, 40))
        columns = tuple(
            Column(f"列{n} {kind}", chance.choice(("General", "0.00", "#,##0.0")))
            for n, kind in enumerate(kinds)
        )
        rows = tuple(
            tuple(chance.choice(SOME[kind]) for kind in kinds) for _ in range(chance.choice((1, 13, 45)))
        )
        made.append(SheetContent(name, columns, rows))
    sums = SheetContent("和", (Column("镇"), Column("数", "0")), (("甲", 1), ("合计", 1)), n_sums=1)
    return [*made, sums]


@pytest.mark.parametrize("seed", range(20))
def test_rows_at_once_have_the_bytes_of_single_cells(tmp_path, monkeypatch, seed):
    content = sheets(seed)
    monkeypatch.setattr(sheet_rows, "_ROWS", 10)
    write_workbook(tmp_path / "a.xlsx", content, title="标题", note="注", dated=DATED)
    monkeypatch.setattr(RowsSheet, "put_rows", singly)
    write_workbook(tmp_path / "b.xlsx", content, title="标题", note="注", dated=DATED)
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_what_no_cell_holds_is_refused(tmp_path, number):
    sheet = SheetContent("表", (Column("数"),), ((1.0,), (number,)))
    with pytest.raises(TypeError, match="finite"):
        write_workbook(tmp_path / "x.xlsx", [sheet], title="", note="", dated=DATED)


def test_a_text_is_counted_in_the_units_of_the_format(tmp_path):
    sheet = SheetContent("表", (Column("文"),), (("\U00020000" * 16_384,),))
    with pytest.raises(InputRefusedError, match="a cell ends at"):
        write_workbook(tmp_path / "x.xlsx", [sheet], title="", note="", dated=DATED)
