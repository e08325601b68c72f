"""The workbook of a report: the finest figures on one sheet, all others as formulas over them, and what they rest on."""

from __future__ import annotations

import datetime as dt
import io
from typing import Any

import xlsxwriter
from xlsxwriter.utility import xl_col_to_name, xl_rowcol_to_cell

from lowland_gis.products.reports.figures import Area, Column, Figures, Table, Value, clean, hectares
from lowland_gis.products.tables.workbook import column_width

DETAIL, DEFINITIONS = "明细", "数据说明"
_HEADING, _FIRST = 2, 3
_FORMATS = {"count": "#,##0", "m2": "#,##0.00", "wan": "#,##0.00", "share": "0.0%", "text": "@"}
_BY = ("town", "kind", "group", "state")
_WIDTHS = (26, 90)
# Tables that sum the finest figures, and values that are the difference of two beside them.
_SUMMED = ("kinds", "towns", "groups", "states")
_LESS = {
    ("potential", "left"): ("low", "going"),
    ("changes", "more_n"): ("n", "before_n"),
    ("changes", "more"): ("now", "before"),
}


def workbook(figures: Figures, title: str, note: str) -> bytes:
    """Return the workbook of a report; texts stay texts, and equal input gives equal bytes."""
    sink = io.BytesIO()
    options = {
        "strings_to_formulas": False,
        "strings_to_numbers": False,
        "strings_to_urls": False,
        "in_memory": True,
    }
    with xlsxwriter.Workbook(sink, options) as book:
        created = dt.datetime(figures.on.year, figures.on.month, figures.on.day)  # noqa: DTZ001 - the format has no zone
        book.set_properties({"title": title, "created": created})
        styles = _Styles(book)
        for table in figures.tables():
            _write(book.add_worksheet(table.title), table, styles, (title, note), figures)
        _write(book.add_worksheet(DETAIL), _detail(figures), styles, (title, note), figures)
        _explain(book.add_worksheet(DEFINITIONS), figures, styles, title)
    return sink.getvalue()


class _Styles:
    def __init__(self, book: Any) -> None:
        self.title = book.add_format({"bold": True, "font_size": 14})
        self.note = book.add_format({"font_color": "#595959"})
        head = {
            "bold": True,
            "border": 1,
            "text_wrap": True,
            "align": "center",
            "valign": "vcenter",
            "bg_color": "#E7ECEF",
        }
        self.heading = book.add_format(head)
        self.wrapped = book.add_format({"num_format": "@", "text_wrap": True, "valign": "top"})
        self.cell = {
            (kind, bold): book.add_format({"num_format": form, "bold": bold})
            for kind, form in _FORMATS.items()
            for bold in (False, True)
        }


def _detail(figures: Figures) -> Table:
    columns = (
        Column("镇街", "town"), Column("类型", "kind"), Column("责任专班", "group"), Column("状态", "state"),
        Column("宗数", "n", "count"), Column("面积", "m2", "m2"),
    )  # fmt: skip
    rows = tuple(
        (each.town, each.kind, each.group, each.state, each.area.n, each.area.m2) for each in figures.details
    )
    return Table(DETAIL, DETAIL, columns, rows)


def _write(sink: Any, table: Table, styles: _Styles, head: tuple[str, str], figures: Figures) -> None:
    sink.write_string(0, 0, f"{head[0]}　{table.title}", styles.title)
    sink.write_string(1, 0, "　".join(part for part in (head[1], table.note) if part), styles.note)
    place, places = 0, {}
    for column in table.columns:
        places[column.name] = place
        headings = (
            [f"{column.heading} m²", f"{column.heading} 公顷", f"{column.heading} 亩"]
            if column.kind == "m2"
            else [column.heading]
        )
        for heading in headings:
            sink.write_string(_HEADING, place, heading, styles.heading)
            sink.set_column(
                place,
                place,
                column_width([heading, *(row[table.columns.index(column)] for row in table.rows)]),
            )
            place += 1
    for number, row in enumerate(table.rows):
        last = table.sums and number == len(table.rows) - 1
        for column, value in zip(table.columns, row, strict=True):
            at = (_FIRST + number, places[column.name])
            formula = (
                _sum_formula(at, number, row) if last else _formula(table, column, at[0], places, figures)
            )
            _cell(
                sink, at, value, column, styles, bold=last, formula=formula if column.kind != "text" else None
            )
    sink.freeze_panes(_FIRST, 1)
    sink.set_landscape()
    sink.set_paper(9)
    sink.fit_to_pages(1, 0)
    sink.repeat_rows(0, _HEADING)


def _cell(
    sink: Any,
    at: tuple[int, int],
    value: Value,
    column: Column,
    styles: _Styles,
    *,
    bold: bool,
    formula: str | None,
) -> None:
    style = styles.cell[column.kind, bold]
    if value is None:
        sink.write_blank(*at, None, style)
        return
    if column.kind == "text":
        sink.write_string(*at, clean(str(value)), style)
        return
    if formula is None:
        sink.write_number(*at, value, style)
    else:
        sink.write_formula(*at, formula, style, value)
    if column.kind == "m2":
        m2 = xl_rowcol_to_cell(*at)
        area = Area(0, float(value))
        sink.write_formula(at[0], at[1] + 1, f"=ROUND({m2}/10000,2)", style, float(hectares(area.m2)))
        sink.write_formula(at[0], at[1] + 2, f"=ROUND({m2}*3/2000,2)", style, float(area.mu.replace(",", "")))


def _sum_formula(at: tuple[int, int], number: int, row: tuple[Value, ...]) -> str | None:
    del row
    if number == 0:
        return None
    letter = xl_col_to_name(at[1])
    return f"=SUM({letter}{_FIRST + 1}:{letter}{_FIRST + number})"


def _formula(table: Table, column: Column, row: int, places: dict[str, int], figures: Figures) -> str | None:
    """Return the formula of a value that is a sum of the finest figures, or of values beside it; None where it is a value itself.

    Texts are compared as they are: SUMIFS would take ">5" and "*" in a name for conditions.
    """
    if table.key == DETAIL or not figures.details:
        return None
    named = {name: xl_rowcol_to_cell(row, place, col_abs=True) for name, place in places.items()}
    less = _LESS.get((table.key, column.name))
    if less is not None:
        return f"={named[less[0]]}-{named[less[1]]}"
    if table.key == "potential" and column.name in {"low", "going"}:
        ended = [f'({_range("state", figures)}="{state}")' for state in figures.ended]
        more = f"*({'+'.join(ended)})" if column.name == "going" else ""
        return f"=SUMPRODUCT(({_range('kind', figures)}={named['kind']}){more}*{_range('m2', figures)})"
    texts = [each.name for each in table.columns if each.kind == "text"]
    if table.key in _SUMMED and column.name in {"n", "m2"}:
        matches = "*".join(f"({_range(name, figures)}={named[name]})" for name in texts)
        return f"=SUMPRODUCT({matches}*{_range(column.name, figures)})"
    return None


def _range(name: str, figures: Figures) -> str:
    letter = xl_col_to_name((*_BY, "n", "m2").index(name))
    return f"'{DETAIL}'!${letter}${_FIRST + 1}:${letter}${_FIRST + len(figures.details)}"


def _explain(sink: Any, figures: Figures, styles: _Styles, title: str) -> None:
    sink.write_string(0, 0, f"{title}　{DEFINITIONS}", styles.title)
    for place, (heading, width) in enumerate(zip(("项目", "内容"), _WIDTHS, strict=True)):
        sink.write_string(_HEADING, place, heading, styles.heading)
        sink.set_column(place, place, width)
    for number, row in enumerate(figures.definitions):
        for place, text in enumerate(row):
            sink.write_string(_FIRST + number, place, clean(text), styles.wrapped)
    sink.set_landscape()
    sink.fit_to_pages(1, 0)
