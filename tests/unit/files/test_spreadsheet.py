"""Sheets as offices make them: the table is found, values come as they are stored, and what is not taken is named."""

import datetime as dt
import zipfile

import openpyxl
import pytest
import xlsxwriter

from lowland_gis.analysis.fields.spreadsheet import Lost, Merged, stored, table_of
from lowland_gis.errors import InputRefusedError
from lowland_gis.files.read import received
from lowland_gis.files.source import opened

HEADINGS = ["宗地代码", "企业", "税收", "年份"]
FIRST, SECOND = ["A1", "甲公司", 1.5, 2023], ["A2", "乙公司", 2, 2023]


def columns(rows):
    return {name: [row[at] for row in rows] for at, name in enumerate(HEADINGS)}


@pytest.mark.parametrize(
    ("before", "merged"),
    [
        ([], ()),
        ([["2023年企业税收", None, None, None]], (Merged(0, 0, 0, 3),)),
        ([["2023年企业税收"], [None, None, None, "单位：万元"]], (Merged(0, 0, 0, 3),)),
        ([[], ["表1"], []], ()),
    ],
    ids=["no title", "title", "title and unit", "blank rows"],
)
def test_the_headings_are_found_below_a_title(before, merged):
    table = table_of([*before, HEADINGS, FIRST, [], SECOND], merged)
    assert table.columns == columns([FIRST, SECOND])
    assert table.sheet_rows == (len(before) + 2, len(before) + 4)
    assert not table.doubts
    assert not table.aside


def test_headings_of_two_rows_are_read_downwards():
    grid = [["宗地代码", "税收", None, "年份"], [None, "总额", "亩均", None], ["A1", 1, 2, 2023]]
    merged = [Merged(0, 1, 0, 0), Merged(0, 0, 1, 2), Merged(0, 1, 3, 3)]
    assert table_of(grid, merged).columns == {
        "宗地代码": ["A1"],
        "税收 总额": [1],
        "税收 亩均": [2],
        "年份": [2023],
    }


def test_a_row_that_numbers_the_columns_is_no_record():
    table = table_of([HEADINGS, ["甲", 1, 2, 3], FIRST])
    assert table.columns == columns([FIRST])


def test_headings_of_one_name_and_columns_without_one():
    table = table_of([["a", "a", None, "b"], [5, 6, 7, 8]])
    assert table.columns == {"a": [5], "a_2": [6], "column C": [7], "b": [8]}


@pytest.mark.parametrize("word", ["合计", "合 计", "总计：", "小计", "Total"])
def test_a_total_is_set_aside(word):
    table = table_of(
        [HEADINGS, FIRST, SECOND, [word, None, 3.5, None], ["注：本表含外资企业", None, None, None]]
    )
    assert [(item.row, item.rule) for item in table.aside] == [(2, "total_row"), (3, "note_row")]
    assert table.columns["税收"] == [1.5, 2, 3.5, None]


def test_a_firm_whose_name_begins_like_a_total_is_a_record():
    assert not table_of([HEADINGS, ["A1", "合计公司", 1, 2023], ["合计街1号", "甲", 1, 2023]]).aside


def test_merged_cells_of_records_are_named_and_not_doubled():
    grid = [HEADINGS, ["A1", "甲公司", 10, 2023], ["A2", None, None, 2023]]
    table = table_of(grid, [Merged(1, 2, 1, 1), Merged(1, 2, 2, 2)])
    assert table.columns["税收"] == [10, None]
    assert [(doubt.row, doubt.rule) for doubt in table.doubts] == [(1, "cell_merged")] * 2
    assert "税收: the cell is merged with one that holds 10" in table.doubts[1].words
    assert "sheet row 3" in table.doubts[1].words


def test_lost_values_are_empty_and_named_but_not_in_a_total():
    lost = Lost("cell_error", "the cell holds the error #N/A")
    table = table_of([HEADINGS, ["A1", "甲公司", lost, 2023], ["合计", None, lost, None]])
    assert table.columns["税收"] == [None, None]
    assert [(doubt.row, doubt.words) for doubt in table.doubts] == [
        (0, "税收: the cell holds the error #N/A (sheet row 2)")
    ]


@pytest.mark.parametrize("grid", [[], [[]], [[None, " "]]])
def test_a_sheet_without_values_is_a_table_without_columns(grid):
    assert table_of(grid).columns == {}


@pytest.mark.parametrize(
    ("value", "form", "kept"),
    [
        (2.0, "General", 2),
        (601, "0000", "0601"),
        (601, "0", 601),
        (999_999_999_999_999, "General", 999_999_999_999_999),
        (dt.datetime.fromisoformat("2023-05-01"), "yyyy-mm-dd", dt.date(2023, 5, 1)),
        (dt.datetime.fromisoformat("2023-05-01T13:45"), "yyyy-mm-dd hh:mm", "2023-05-01T13:45:00"),
        (True, "General", True),
    ],
)
def test_values_as_they_are_stored(value, form, kept):
    assert stored(value, form) == kept
    assert type(stored(value, form)) is type(kept)


def test_a_number_of_more_digits_than_a_spreadsheet_keeps_is_lost():
    assert stored(10**15, "General").rule == "digits_lost"
    assert stored(-1.2e18, "0").rule == "digits_lost"


# ------------------------------------------------------------------ files


def read(path):
    with opened(str(path), path.parent) as source, received(source) as arrived:
        (batch,) = arrived.batches
        return batch, arrived


def book(path, *rows):
    workbook = openpyxl.Workbook()
    for row in rows:
        workbook.active.append(row)
    return workbook, workbook.active


def test_formulas_errors_and_numbers_of_a_file(tmp_path):
    workbook, sheet = book(
        tmp_path, HEADINGS, [1201130010010000123, "NA", "=1+2", 2023], ["A2", "#REF", 5, 2024.0]
    )
    sheet["C3"] = "#DIV/0!"
    workbook.save(tmp_path / "t.xlsx")
    batch, _ = read(tmp_path / "t.xlsx")
    assert batch.attributes.to_pydict() == {
        "宗地代码": [None, "A2"],
        "企业": ["NA", "#REF"],
        "税收": [None, None],
        "年份": [2023, 2024],
    }
    assert [(doubt.row, doubt.rule) for doubt in batch.doubts] == [
        (0, "digits_lost"),
        (0, "formula_without_result"),
        (1, "cell_error"),
    ]
    assert "=1+2" in batch.doubts[1].words
    assert "#DIV/0!" in batch.doubts[2].words


@pytest.mark.parametrize(
    ("number", "cell", "read_as"),
    [(31, 43539, dt.date(2019, 3, 15)), (57, 43525, dt.date(2019, 3, 1)), (58, 43539, dt.date(2019, 3, 15)), (32, 0.5, "12:00:00")],
)  # fmt: skip
def test_days_of_a_chinese_edition_are_days(tmp_path, number, cell, read_as):
    path, made = tmp_path / "合同.xlsx", tmp_path / "made.xlsx"
    with xlsxwriter.Workbook(made) as workbook:
        sheet = workbook.add_worksheet()
        sheet.write_row(0, 0, ["宗地代码", "日期"])
        sheet.write(1, 0, "A1")
        sheet.write(1, 1, cell, workbook.add_format({"num_format": 14}))
    with zipfile.ZipFile(made) as source, zipfile.ZipFile(path, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if name == "xl/styles.xml":
                assert b'numFmtId="14"' in content
                content = content.replace(b'numFmtId="14"', b'numFmtId="%d"' % number)
            target.writestr(name, content)
    batch, _ = read(path)
    assert batch.attributes.to_pydict() == {"宗地代码": ["A1"], "日期": [read_as]}


def test_the_result_that_a_program_without_arithmetic_writes_is_not_believed(tmp_path):
    with xlsxwriter.Workbook(tmp_path / "t.xlsx") as workbook:
        sheet = workbook.add_worksheet()
        sheet.write_row(0, 0, HEADINGS)
        sheet.write_row(1, 0, FIRST)
        sheet.write_formula(1, 2, "=1+2")
        sheet.write_row(2, 0, SECOND)
        sheet.write_formula(2, 2, "=1+3", None, 4)
    batch, _ = read(tmp_path / "t.xlsx")
    assert batch.attributes["税收"].to_pylist() == [None, 4]
    assert [(doubt.row, doubt.rule) for doubt in batch.doubts] == [(0, "formula_without_result")]


def test_hidden_rows_and_columns_are_read_and_told(tmp_path):
    workbook, sheet = book(tmp_path, HEADINGS, FIRST, SECOND)
    sheet.row_dimensions[3].hidden = True
    sheet.column_dimensions["B"].hidden = True
    workbook.save(tmp_path / "t.xlsx")
    batch, arrived = read(tmp_path / "t.xlsx")
    assert batch.attributes["宗地代码"].to_pylist() == ["A1", "A2"]
    assert arrived.doubts == [
        ("rows_hidden", "1 rows of the sheet Sheet are hidden (3); they were read like all others."),
        ("columns_hidden", "1 columns of the sheet Sheet are hidden; they were read like all others."),
    ]


def test_a_hidden_sheet_does_not_stand_in_the_way(tmp_path):
    workbook, _ = book(tmp_path, HEADINGS, FIRST)
    lists = workbook.create_sheet("列表")
    lists["A1"], lists.sheet_state = "选项", "hidden"
    workbook.create_sheet("空")
    workbook.save(tmp_path / "t.xlsx")
    assert read(tmp_path / "t.xlsx")[1].layer == "Sheet"


def test_a_file_that_declares_a_wrong_dimension_is_read_whole(tmp_path):
    workbook, _ = book(tmp_path, HEADINGS, FIRST, SECOND)
    workbook.save(tmp_path / "t.xlsx")
    with zipfile.ZipFile(tmp_path / "t.xlsx") as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    assert b'ref="A1:D3"' in parts[sheet]
    parts[sheet] = parts[sheet].replace(b'ref="A1:D3"', b'ref="A1"')
    with zipfile.ZipFile(tmp_path / "t.xlsx", "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    assert read(tmp_path / "t.xlsx")[0].attributes.to_pydict() == columns([FIRST, SECOND])


@pytest.mark.parametrize(
    "part", ["xl/worksheets/sheet1.xml", "xl/workbook.xml", "xl/_rels/workbook.xml.rels"]
)
@pytest.mark.parametrize(
    "content", [b"", b"<x/>", b"<worksheet><sheetData><row r='x'/></sheetData></worksheet>"]
)
def test_a_workbook_that_contradicts_itself_is_refused(tmp_path, part, content):
    workbook, _ = book(tmp_path, HEADINGS, FIRST)
    workbook.save(tmp_path / "t.xlsx")
    with zipfile.ZipFile(tmp_path / "t.xlsx") as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(tmp_path / "t.xlsx", "w") as archive:
        for name, old in parts.items():
            archive.writestr(name, content if name == part else old)
    with pytest.raises(InputRefusedError, match=r"t\.xlsx"):
        read(tmp_path / "t.xlsx")


def test_a_csv_is_read_as_a_sheet_is(tmp_path):
    text = (
        "2023年企业税收,,,\n宗地代码,企业,税收,年份\nA1,甲公司,1.5,2023\n,,,\nA2,乙公司,2,2023\n合计,,3.5,\n"
    )
    (tmp_path / "t.csv").write_text(text, encoding="utf-8")
    batch, _ = read(tmp_path / "t.csv")
    assert batch.attributes["税收"].to_pylist() == ["1.5", "2", "3.5"]
    assert [(item.row, item.rule) for item in batch.aside] == [(2, "total_row")]


def test_a_line_of_a_csv_with_another_number_of_values_is_refused(tmp_path):
    (tmp_path / "t.csv").write_text("表一\na,b\n1,2\n1,2,3\n", encoding="utf-8")
    with pytest.raises(InputRefusedError, match="line 4 has another number of values"):
        read(tmp_path / "t.csv")


def test_a_workbook_without_anything_is_refused(tmp_path):
    openpyxl.Workbook().save(tmp_path / "t.xlsx")
    with pytest.raises(InputRefusedError, match="none of its sheets holds anything"):
        read(tmp_path / "t.xlsx")


def test_the_strict_form_is_named_and_what_to_do(tmp_path):
    workbook, _ = book(tmp_path, HEADINGS, FIRST)
    workbook.save(tmp_path / "t.xlsx")
    with zipfile.ZipFile(tmp_path / "t.xlsx") as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(tmp_path / "t.xlsx", "w") as archive:
        for name, content in parts.items():
            for ours, strict in (
                (
                    b"http://schemas.openxmlformats.org/spreadsheetml/2006/main",
                    b"http://purl.oclc.org/ooxml/spreadsheetml/main",
                ),
                (
                    b"http://schemas.openxmlformats.org/officeDocument/2006/relationships",
                    b"http://purl.oclc.org/ooxml/officeDocument/relationships",
                ),
            ):
                content = content.replace(ours, strict)  # noqa: PLW2901
            archive.writestr(name, content)
    with pytest.raises(InputRefusedError, match="Strict Open XML.*Save it as an ordinary .xlsx"):
        read(tmp_path / "t.xlsx")
