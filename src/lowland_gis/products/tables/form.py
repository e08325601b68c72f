"""Write a form (填报表) as a workbook: lists to choose from, codes as text, headings that cannot be changed, a sheet of definitions."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import xlsxwriter
from xlsxwriter.utility import xl_col_to_name

from lowland_gis.analysis.fields.form import (
    EXPLAINED,
    FIRST,
    HEADING,
    LISTED,
    Choices,
    Form,
    FormColumn,
    FormSheet,
)
from lowland_gis.files.table import LIVE
from lowland_gis.products.tables.workbook import column_width, columns_of

# So many rows can be filled in; beyond them cells cannot be typed into.
ROWS, SPARE = 300, 50
_FORMATS = {"code": "@", "text": "@", "choice": "@", "number": "#,##0.00", "day": "yyyy-mm-dd"}
_LEAST_WIDTH, _TEXT_WIDTH, _LAST_DAY = 12, 24, dt.date(2100, 1, 1)
_HEIGHT = 32
# Of the sheet of definitions: widths of its columns, and the height of a line.
_WIDTHS, _LINE = (12, 22, 10, 26, 72), 15


def write_form(
    path: Path, form: Form, values: Mapping[str, Sequence[Mapping[str, Any]]], *, dated: dt.date
) -> None:
    """Write a form with the rows that are known already; equal input gives equal bytes."""
    content = io.BytesIO()
    options = {"strings_to_formulas": False, "strings_to_numbers": False, "strings_to_urls": False, "in_memory": True}  # fmt: skip
    with xlsxwriter.Workbook(content, options) as book:
        book.set_properties({"title": form.sheets[0].title, "created": dt.datetime(dated.year, dated.month, dated.day)})  # noqa: DTZ001 - the format has no zone  # fmt: skip
        styles = _Styles(book)
        for sheet in form.sheets:
            _write_sheet(
                book.add_worksheet(sheet.name), sheet, values.get(sheet.name, ()), styles, form.lists
            )
        _write_explained(book.add_worksheet(EXPLAINED), form, styles)
        _write_lists(book.add_worksheet(LISTED), list(form.lists.values()), styles)
    path.write_bytes(content.getbuffer())


class _Styles:
    """The formats of a form: what is to be filled in is open, all else is closed."""

    def __init__(self, book: Any) -> None:
        self.title = book.add_format({"bold": True, "font_size": 14})
        self.note = book.add_format({"font_color": "#595959"})
        self.plain = book.add_format({"text_wrap": True, "valign": "top", "num_format": "@"})
        self.area = book.add_format({"num_format": "#,##0.00"})
        heading = {
            "bold": True,
            "border": 1,
            "text_wrap": True,
            "align": "center",
            "valign": "vcenter",
        }
        self.needed = book.add_format({**heading, "bg_color": "#F4D9A8"})
        self.heading = book.add_format({**heading, "bg_color": "#E7ECEF"})
        self.open = {
            (kind, live): book.add_format(
                {"num_format": form, "locked": False, "border": 1, "border_color": "#D0D5D8", "quote_prefix": live}
            )
            for kind, form in _FORMATS.items()
            for live in (False, True)
        }  # fmt: skip


def _ranges(lists: Mapping[str, Choices]) -> dict[str, str]:
    """Return where each list stands on the sheet of lists, as the rules of cells name it."""
    found, place = {}, 0
    for name, choices in lists.items():
        letters, last = xl_col_to_name(place), FIRST + max(1, len(choices.rows))
        found[name] = f"='{LISTED}'!${letters}${FIRST + 1}:${letters}${last}"
        place += len(choices.headings) + 1
    return found


def _write_sheet(
    sink: Any,
    sheet: FormSheet,
    rows: Sequence[Mapping[str, Any]],
    styles: _Styles,
    lists: Mapping[str, Choices],
) -> None:
    ranges = _ranges(lists)
    sink.write_string(0, 0, sheet.title, styles.title)
    sink.write_string(1, 0, sheet.note, styles.note)
    sink.set_row(HEADING, _HEIGHT)
    count = max(ROWS, len(rows) + SPARE)
    for place, column in enumerate(sheet.columns):
        sink.write_string(HEADING, place, column.heading, styles.needed if column.needed else styles.heading)
        sink.set_column(
            place,
            place,
            _width(column, [row.get(column.key) for row in rows], lists.get(column.choices or "")),
        )
        _restrict(sink, place, column, FIRST + count - 1, ranges)
        for number in range(count):
            value = rows[number].get(column.key) if number < len(rows) else None
            _write_cell(sink, FIRST + number, place, value, column, styles)
    sink.freeze_panes(FIRST, 3)
    sink.protect("", {"format_columns": True, "format_rows": True, "sort": True, "autofilter": True})
    sink.set_landscape()
    sink.set_paper(8)
    sink.fit_to_pages(1, 0)
    sink.repeat_rows(0, HEADING)
    sink.print_area(0, 0, FIRST + max(len(rows), 1) - 1, len(sheet.columns) - 1)


def _write_cell(sink: Any, row: int, place: int, value: Any, column: FormColumn, styles: _Styles) -> None:
    if value is None:
        sink.write_blank(row, place, None, styles.open[column.kind, False])
    elif isinstance(value, dt.date):
        moment = dt.datetime(value.year, value.month, value.day)  # noqa: DTZ001 - a spreadsheet date has no zone
        sink.write_datetime(row, place, moment, styles.open[column.kind, False])
    elif isinstance(value, str):
        sink.write_string(row, place, value, styles.open[column.kind, value.startswith(LIVE)])
    else:
        sink.write_number(row, place, value, styles.open[column.kind, False])


def _restrict(sink: Any, place: int, column: FormColumn, last: int, ranges: Mapping[str, str]) -> None:
    """Let the cells of a column take only what belongs into them, as Excel, WPS and LibreOffice keep it."""
    first = f"{xl_col_to_name(place)}{FIRST + 1}"
    said = {"input_title": column.heading[:32], "input_message": column.meaning[:255], "error_title": column.heading[:32]}  # fmt: skip
    rule: dict[str, Any]
    if column.choices is not None:
        rule = {"validate": "list", "source": ranges[column.choices], "error_message": "请从下拉列表中选择。"}
    elif column.kind == "code":
        rule = {"validate": "custom", "value": f"=ISTEXT({first})", "error_message": "请以文本填写编号。"}
    elif column.kind == "number":
        rule = {
            "validate": "decimal",
            "criteria": ">=",
            "value": 0,
            "error_message": "请填写数字，不带单位。",
        }
    elif column.kind == "day":
        between = {"criteria": "between", "minimum": dt.date(2000, 1, 1), "maximum": _LAST_DAY}
        rule = {"validate": "date", **between, "error_message": "请填写日期，如 2026-03-01。"}
    else:
        rule = {"validate": "any"}
    sink.data_validation(FIRST, place, last, place, {**rule, **said, "ignore_blank": True})


def _write_explained(sink: Any, form: Form, styles: _Styles) -> None:
    headings = ("工作表", "列", "必填", "填写内容", "说明")
    words = {
        "code": "编号，文本",
        "text": "文字",
        "choice": "从列表选择",
        "number": "数字",
        "day": "日期，如 2026-03-01",
    }
    rows: list[tuple[str, ...]] = [
        (
            sheet.name,
            column.heading,
            "必填" if column.needed else "",
            words[column.kind] if column.choices is None else words["choice"],
            column.meaning,
        )
        for sheet in form.sheets
        for column in sheet.columns
    ]
    sink.write_string(0, 0, EXPLAINED, styles.title)
    for place, heading in enumerate(headings):
        sink.write_string(HEADING, place, heading, styles.heading)
    for number, row in enumerate([*rows, *form.explained]):
        # Not every program makes a row as high as its text.
        lines = max(-(-columns_of(text) // (width - 2)) for text, width in zip(row, _WIDTHS, strict=True))
        sink.set_row(FIRST + number, _LINE * max(1, lines))
        for place, text in enumerate(row):
            sink.write_string(FIRST + number, place, text, styles.plain)
    for place, width in enumerate(_WIDTHS):
        sink.set_column(place, place, width)
    sink.set_landscape()
    sink.fit_to_pages(1, 0)
    sink.protect()


def _write_lists(sink: Any, lists: Sequence[Choices], styles: _Styles) -> None:
    sink.write_string(0, 0, LISTED, styles.title)
    place = 0
    for choices in lists:
        for offset, heading in enumerate(choices.headings):
            sink.write_string(HEADING, place + offset, heading, styles.heading)
            column = [row[offset] for row in choices.rows]
            sink.set_column(place + offset, place + offset, column_width([heading, *column]))
            for number, value in enumerate(column):
                if isinstance(value, str):
                    sink.write_string(FIRST + number, place + offset, value, styles.plain)
                else:
                    sink.write_number(FIRST + number, place + offset, value, styles.area)
        place += len(choices.headings) + 1
    sink.set_landscape()
    sink.fit_to_pages(1, 0)
    sink.protect()


def _width(column: FormColumn, values: Sequence[Any], choices: Choices | None) -> int:
    """Return the width of a column that shows what stands in it, and what can be chosen."""
    least = _TEXT_WIDTH if column.kind == "text" else _LEAST_WIDTH
    chosen = () if choices is None else choices.values
    return max(least, column_width([column.heading[: least // 2], *values, *chosen]))
