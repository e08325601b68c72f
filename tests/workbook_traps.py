"""Traps of workbooks, each made once and read in every kind; docs/workbooks.md is this list.

Type `python tests/workbook_traps.py` to write the page anew.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import openpyxl

PAGE = Path(__file__).parents[1] / "docs" / "workbooks.md"
KINDS = (".xls", ".et", ".xlsb", ".ods")

HEADINGS = ["宗地代码", "企业", "税收（万元）", "成立日期", "地类编码"]
FIRST = ["120113001001000123", "甲公司", 1.5, dt.date(2023, 5, 1), "0601"]
SECOND = ["120113001001000124", "乙公司", 2, dt.date(1999, 12, 31), "0602"]


def grown(*rows):
    book = openpyxl.Workbook()
    book.active.title = "企业"
    for row in rows:
        book.active.append(row)
    return book


def plain():
    return grown(HEADINGS, FIRST, SECOND)


def titled():
    book = grown(["2023年企业税收（单位：万元、亩）"], HEADINGS, FIRST, SECOND)
    book.active.merge_cells("A1:E1")
    return book


def two_headings():
    book = grown(["宗地代码", "税收", None], [None, "总额（万元）", "亩均（万元/亩）"], ["A1", 1, 2])
    for cells in ("A1:A2", "B1:C1"):
        book.active.merge_cells(cells)
    return book


def totalled():
    return grown(HEADINGS, FIRST, SECOND, ["合 计", None, 3.5], ["注：本表含外资企业"])


def hidden():
    book = grown(HEADINGS, FIRST, SECOND, FIRST)
    book.active.row_dimensions[3].hidden = True
    book.active.column_dimensions["B"].hidden = True
    return book


def merged_records():
    book = grown(HEADINGS, FIRST, [None, "乙公司", None, None, None], SECOND)
    for cells in ("A2:A3", "C2:C3"):
        book.active.merge_cells(cells)
    return book


def several():
    book = plain()
    book.create_sheet("空")
    book.create_sheet("选项")["A1"] = "工业"
    book["选项"].sheet_state = "hidden"
    return book


def numbered():
    return grown(HEADINGS, [120113001001000123, *FIRST[1:]], [120113001001000124, *SECOND[1:]])


def zeros():
    book = grown(HEADINGS, [*FIRST[:4], 601], [*SECOND[:4], 602])
    for cell in ("E2", "E3"):
        book.active[cell].number_format = "0000"
    return book


def failed():
    return grown(HEADINGS, [*FIRST[:2], "#N/A", *FIRST[3:]], [*SECOND[:2], "#DIV/0!", *SECOND[3:]])


def days():
    book = grown(
        HEADINGS,
        FIRST,
        [*SECOND[:3], 45000, "0602"],
        [*SECOND[:3], dt.datetime.fromisoformat("2023-05-01T13:45"), "0602"],
    )
    book.active["D3"].number_format = 'yyyy"年"m"月"d"日"'
    return book


def far_rows():
    book = plain()
    book.active["A60000"] = "合计"
    return book


def truths():
    book = grown([*HEADINGS, "外资"], [*FIRST, True], [*SECOND, False])
    for cell in ("F2", "F3"):
        book.active[cell].number_format = "BOOLEAN"
    return book


def odd_texts():
    return grown(
        HEADINGS, [FIRST[0], "<甲> & 乙\n二行  三", *FIRST[2:]], [SECOND[0], "汉字𠮷㐀、“引号”", *SECOND[2:]]
    )


@dataclass(frozen=True)
class Trap:
    """A workbook, what becomes of it in each kind, and the doubts that are listed."""

    name: str
    make: Callable[[], openpyxl.Workbook]
    outcome: str
    rules: tuple[str, ...] = ()


TRAPS = (
    Trap("codes as text, days, numbers", plain, "taken as they stand", ()),
    Trap(
        "a merged title over the headings, with units",
        titled,
        "the headings are found, the units taken from the title",
        (),
    ),
    Trap("headings of two rows, merged", two_headings, "read downwards: 税收 总额（万元）", ()),
    Trap("a total and a note under the records", totalled, "set aside", ("note_row", "total_row")),
    Trap("hidden rows and columns", hidden, "read, and said so", ("columns_hidden", "rows_hidden")),
    Trap("cells merged over two records", merged_records, "the second is left empty", ("cell_merged",)),
    Trap("empty and hidden sheets beside the table", several, "the one with the table is taken", ()),
    Trap(
        "codes of 18 digits typed as numbers",
        numbered,
        "left empty: their last digits are lost",
        ("digits_lost",),
    ),
    Trap("numbers with zeros before them (format 0000)", zeros, "a code: 0601", ()),
    Trap("#N/A and #DIV/0!", failed, "left empty", ("cell_error",)),
    Trap("days in Chinese form, and with a time", days, "days", ()),
    Trap(
        "60,000 rows between the table and its total",
        far_rows,
        "empty rows are passed over, the total is set aside",
        ("total_row",),
    ),
    Trap("true and false", truths, "true and false", ()),
    Trap("signs of XML, line breaks, rare letters in texts", odd_texts, "taken as they stand", ()),
)

HEAD = """# Workbooks

<!-- Written by tests/workbook_traps.py; do not edit. Every line of the table is tested with a file of each kind. -->

Tables come as `.xlsx`, `.xls`, `.et` (WPS), `.xlsb` and `.ods`. Each gives the same rows, the same doubts, each with its row of the sheet, and
the same set-aside rows; what a file is, its content says, not its name: an `.xls` that is an `.xlsx` inside is read, with the doubt
`suffix_other`, and so is a web page (HTML) under the name `.xls`, as systems of offices export tables: its cells are texts as they are written.
`inspect` says what was found (XLSX, XLS, XLSB, ODS, HTML) and what `ingest` would do.

| in the workbook | `.xlsx` | `.xls`, `.et`, `.xlsb`, `.ods` | doubts that are listed |
|---|---|---|---|
"""

TAIL = """
## What is refused

One message with the name of the file, exit code 3, the database untouched:

| the file | what the message says to do |
|---|---|
| has a password | open it, take the password off, save it again |
| is an XML table of Excel 2003, or a web page with its parts (MHTML), under the name `.xls` | open it, save it as .xlsx |
| is text with commas or tabs under the name `.xls` | open it, save it as .xlsx, codes as text; or name it .csv |
| was cut anywhere, or bytes of it were changed in a part with a checksum | ask for it again |
| holds more than 20 million cells, or one that stands far from the table so that there seem to be as many (`.ods`, `.xlsb`) | delete what stands there |
| takes more than 4 GB or 10 minutes to read | ask for its table alone |
| a filled-in form (`lowland plan read`) that is no `.xlsx` | save it as .xlsx: the others do not tell a formula from what was typed |

A changed byte *inside* an `.xls` cannot be told: that format has no checksums. Neither `.xlsm` nor templates are read.

## By what they are read

Each kind but `.xlsx` is read in a process of its own with limits of memory and time, so that a broken file ends that process and no other.

| kind | by | what other readers do with it (measured) |
|---|---|---|
| `.xlsx` | a reader of our own for plain sheets, openpyxl for the rest | pandas makes one of codes of 18 digits that are numbers, without a word |
| `.xls`, `.et` | xlrd 2.0.2, and the records of formulas | calamine 0.9.1: errors come as empty texts, 0601 as 601, hidden rows are not told; of one `.xls` texts came with a NUL after each letter |
| `.xlsb` | calamine 0.9.1 for values, the records of the file for all else | calamine: as for `.xls`, and no merged cells; opened by a path it believes the name of the file |
| a web page | a reader of our own on Python's parser of HTML | LibreOffice 7.4: 0601 as 601, and 18 digits as a number |
| `.ods` | a reader of our own, as the text streams by | calamine: errors come as empty texts, 0601 as 601, no merged cells, no hidden rows |

With calamine installed, pandas 3 warns at each `read_excel` of an `.xlsx` without `engine=`.

## What cannot be known

- `.xls`: whether a formula that gives an empty text was ever calculated (both are stored alike): listed as `formula_without_result`. A 0 that a
  program wrote without calculating is only seen where the formula asks to be calculated anew.
- `.xlsb`: the same for formulas that give an empty text.
- `.ods`: formats of numbers are seen by what is shown, so zeros before a number count where they are shown.
- Codes typed as numbers of more than 15 digits: no kind keeps their last digits.

## Never seen

No `.et` was ever seen that WPS itself wrote: tested are an `.xls` and an `.xlsx` under that name. `.xlsb` are tested by files that the tests write
by Microsoft's description (MS-XLSB); files that Excel wrote were looked at once (nine of the tests of calamine, by Excel 2007, 2013 and 2016: values,
days from 1904, hidden sheets, formulas), none with merged cells or hidden rows. `.xls` and `.ods` come from LibreOffice and xlwt; files of Excel, Gnumeric
and others from the same collection gave the same values by calamine and by our readers, but for what is said above.
"""


def page() -> str:
    """Return the page as Markdown."""
    lines = [
        f"| {trap.name} | {trap.outcome} | the same | {', '.join(f'`{rule}`' for rule in trap.rules)} |\n"
        for trap in TRAPS
    ]
    return HEAD + "".join(lines) + TAIL


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
