"""Plain cells are read without openpyxl, and as openpyxl reads them; what is not plain is left to it."""

import datetime as dt
import random

import openpyxl
import pytest
import xlsxwriter
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont

from lowland_gis.files.source import opened
from lowland_gis.files.spreadsheet import book
from lowland_gis.files.spreadsheet.book import read_sheet

FORMATS = ["General", "0", "0000", "0.00", "#,##0.00", "yyyy-mm-dd", "[h]:mm", "@", "yyyy年m月d日"]
VALUES = [
    *(
        None,
        "",
        "北仓镇",
        "a_x000D_b",
        " 留白 ",
        "1e5",
        "0601",
        0,
        7,
        -3,
        601,
        12.5,
        2.0,
        1e17,
        1.2e18,
        -0.5,
        True,
        False,
    ),
    *(dt.date(2024, 2, 29), dt.datetime(2024, 2, 29, 13, 5), 45000, 45000.25, 3e6, -1),  # noqa: DTZ001
]


def some_value(chance):
    return chance.choice(VALUES)


def by_openpyxl(path, chance):
    made = openpyxl.Workbook()
    sheet = made.active
    for row in range(1, 40):
        for column in range(1, 12):
            if chance.random() < 0.8 and row % 7:
                cell = sheet.cell(row, column, some_value(chance))
                if not isinstance(cell.value, dt.date):
                    cell.number_format = chance.choice(FORMATS)
    made.save(path)


def by_xlsxwriter(path, chance):
    # Its memory-sparing form keeps texts in their cells.
    with xlsxwriter.Workbook(path, {"constant_memory": chance.random() < 0.7}) as made:
        sheet, forms = made.add_worksheet(), [made.add_format({"num_format": form}) for form in FORMATS]
        for row in range(40):
            for column in range(12):
                value, form = some_value(chance), chance.choice(forms)
                if isinstance(value, dt.date):
                    sheet.write_datetime(row, column, value, forms[5])
                elif value is not None:
                    sheet.write(row, column, value, form)


def read_both_ways(path, monkeypatch):
    with opened(str(path), path.parent) as source:
        plain = read_sheet(source)
        tried = []
        monkeypatch.setattr(book, "plain_rows", lambda *_: tried.append(1))
        other = read_sheet(source)
        monkeypatch.undo()
    assert tried
    return plain, other


@pytest.mark.parametrize("make", [by_openpyxl, by_xlsxwriter])
@pytest.mark.parametrize("seed", range(12))
def test_plain_cells_are_what_openpyxl_reads(tmp_path, monkeypatch, make, seed):
    path = tmp_path / "表.xlsx"
    make(path, random.Random(seed))  # noqa: S311
    monkeypatch.setattr(book, "_row", None)  # nothing is left to openpyxl
    with opened(str(path), tmp_path) as source:
        read_sheet(source)
    monkeypatch.undo()
    plain, other = read_both_ways(path, monkeypatch)
    assert repr(plain) == repr(other)
    assert len(plain.rows) > 30


@pytest.mark.parametrize(
    "special", ["=1+1", '="0601"', "#N/A", CellRichText("甲", TextBlock(InlineFont(b=True), "乙"))]
)
def test_what_is_not_plain_is_left_to_openpyxl(tmp_path, monkeypatch, special):
    made = openpyxl.Workbook()
    made.active.append(["a", "b"])
    made.active.append([1, special])
    made.save(tmp_path / "表.xlsx")
    plain, other = read_both_ways(tmp_path / "表.xlsx", monkeypatch)
    assert repr(plain) == repr(other)
    assert plain.rows[1][1] != special or isinstance(special, CellRichText)
