"""Write spreadsheets in which codes stay text, no text becomes a formula, and equal input gives equal bytes."""

from __future__ import annotations

import io
import math
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import xlsxwriter

from lowland_gis.errors import InputRefusedError
from lowland_gis.files.table import LIVE
from lowland_gis.products.tables.sheet_rows import CellFormats, RowsSheet, Value

M2_PER_HA = 10_000.0
M2_PER_MU = 2000.0 / 3.0
MAX_ROWS = 1_048_576
MAX_TEXT = 32_767
WIDEST = 60
HEADING_ROW = 2
# A Chinese character takes the place of so many letters.
_WIDE = 2
_DAY = "yyyy-mm-dd"


@dataclass(frozen=True)
class Column:
    """One column of a sheet: heading with unit, and how numbers in it are shown."""

    heading: str
    number_format: str = "General"


@dataclass(frozen=True)
class SheetContent:
    """One sheet: rows of values under headings; the last `n_sums` rows are sums."""

    name: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Value, ...], ...]
    n_sums: int = 0


@dataclass(frozen=True)
class AreaRow:
    """One row to be counted: town, class and area in m²."""

    town_code: str
    town_name: str
    kind: str
    area_m2: float


def write_workbook(path: Path, sheets: Sequence[SheetContent], *, title: str, note: str, dated: date) -> None:
    """Write sheets with title, note, headings in row 3, data from row 4 and frozen panes."""
    _refuse_large(path, sheets)
    # Made in memory: a zip that a full disk cuts short stays open, and complains once more when it is thrown away.
    content = io.BytesIO()
    options = {
        "strings_to_formulas": False,
        "strings_to_numbers": False,
        "strings_to_urls": False,
        "in_memory": True,
    }
    with xlsxwriter.Workbook(content, options) as book:
        # The spreadsheet says when it was made: a fixed moment, or the same input would give other bytes.
        book.set_properties({"title": title, "created": datetime(dated.year, dated.month, dated.day)})  # noqa: DTZ001 - the format has no zone
        styles = _Styles(book)
        for sheet in sheets:
            _write_sheet(book.add_worksheet(sheet.name, RowsSheet), sheet, styles, (title, note))
    path.write_bytes(content.getbuffer())


def area_summary(name: str, by_title: str, rows: Iterable[AreaRow]) -> SheetContent:
    """Count rows and sum areas by town and class, with a sum per town and over all.

    >>> sheet = area_summary("汇总", "类型", [AreaRow("120113101", "北仓镇", "低效工业用地", 20000.0)])
    >>> sheet.rows[0]
    ('120113101', '北仓镇', '低效工业用地', 1, 20000.0, 2.0, 30.0)
    """
    groups: dict[tuple[str, str], dict[str, list[float]]] = {}
    for row in rows:
        groups.setdefault((row.town_code, row.town_name), {}).setdefault(row.kind, []).append(row.area_m2)
    table: list[tuple[Value, ...]] = []
    everything: list[float] = []
    for (code, town), kinds in sorted(groups.items()):
        in_town = [area for kind in sorted(kinds) for area in kinds[kind]]
        table += [(code, town, kind, *_figures(kinds[kind])) for kind in sorted(kinds)]
        table.append((code, town, "小计", *_figures(in_town)))
        everything += in_town
    table.append(("", "合计", "", *_figures(everything)))
    return SheetContent(name, _summary_columns(by_title), tuple(table), n_sums=1)


class _Styles:
    """The cell formats of one workbook; number formats are made once each."""

    def __init__(self, book: Any) -> None:
        self._book = book
        self._numbers: dict[tuple[str, bool], Any] = {}
        self.title = book.add_format({"bold": True, "font_size": 14})
        self.note = book.add_format({"font_color": "#595959"})
        self.heading = book.add_format(
            {
                "bold": True,
                "bg_color": "#E7ECEF",
                "border": 1,
                "text_wrap": True,
                "align": "center",
                "valign": "vcenter",
            }
        )
        self.text = {b: book.add_format({"num_format": "@", "bold": b}) for b in (False, True)}
        # The prefix keeps such a text a text when somebody edits the cell.
        self.quoted = book.add_format({"num_format": "@", "quote_prefix": True})

    def number(self, number_format: str, *, bold: bool) -> Any:
        """Return the format for a number, or for a date."""
        if (number_format, bold) not in self._numbers:
            self._numbers[number_format, bold] = self._book.add_format(
                {"num_format": number_format, "bold": bold}
            )
        return self._numbers[number_format, bold]

    def column(self, column: Column) -> CellFormats:
        """Return the formats for the cells of a column that are no sums."""
        number, day = (self.number(form, bold=False) for form in (column.number_format, _DAY))
        return CellFormats(self.text[False], self.quoted, number, day)


def _write_sheet(sink: Any, sheet: SheetContent, styles: _Styles, head: tuple[str, str]) -> None:
    sink.write_string(0, 0, head[0], styles.title)
    sink.write_string(1, 0, head[1], styles.note)
    columns = list(zip(*sheet.rows, strict=True)) or [()] * len(sheet.columns)
    for place, (column, values) in enumerate(zip(sheet.columns, columns, strict=True)):
        sink.write_string(HEADING_ROW, place, column.heading, styles.heading)
        sink.set_column(place, place, column_width([column.heading, *values]))
    sink.freeze_panes(HEADING_ROW + 1, 0)
    first_sum = len(sheet.rows) - sheet.n_sums
    if sheet.rows and not sheet.n_sums:
        sink.put_rows(HEADING_ROW + 1, sheet.rows, [styles.column(column) for column in sheet.columns])
    for number, row in enumerate(sheet.rows if sheet.n_sums else ()):
        for place, value in enumerate(row):
            where = (HEADING_ROW + 1 + number, place)
            _write_cell(sink, where, value, styles, sheet.columns[place], bold=number >= first_sum)
    if len(sheet.rows) > sheet.n_sums:
        sink.autofilter(HEADING_ROW, 0, HEADING_ROW + first_sum, len(sheet.columns) - 1)


def _write_cell(
    sink: Any, where: tuple[int, int], value: Value, styles: _Styles, column: Column, *, bold: bool
) -> None:
    if value is None or value == "":
        sink.write_blank(*where, None, styles.text[bold])
    elif isinstance(value, str):
        sink.write_string(*where, value, styles.quoted if value.startswith(LIVE) else styles.text[bold])
    elif isinstance(value, date):
        moment = datetime(value.year, value.month, value.day)  # noqa: DTZ001 - a spreadsheet date has no zone
        sink.write_datetime(*where, moment, styles.number(_DAY, bold=bold))
    else:
        sink.write_number(*where, value, styles.number(column.number_format, bold=bold))


def _summary_columns(by_title: str) -> tuple[Column, ...]:
    return (
        Column("镇街代码"),
        Column("镇街名称"),
        Column(by_title),
        Column("宗数（宗）", "0"),
        Column("面积（m²）", "#,##0.00"),
        Column("面积（公顷）", "#,##0.0000"),
        Column("面积（亩）", "#,##0.0000"),
    )


def _figures(areas: Sequence[float]) -> tuple[int, float, float, float]:
    total = round(math.fsum(areas), 2)
    return len(areas), total, round(total / M2_PER_HA, 4), round(total / M2_PER_MU, 4)


def column_width(values: Sequence[Value]) -> int:
    """Return the width of a column that shows the longest of some values."""
    texts = {value for value in values if isinstance(value, str)}
    others = [value for value in values if not isinstance(value, str)]
    if {int, float} > set(map(type, others)):
        # Of numbers of one kind the least or the greatest is the longest.
        others = [min(others), max(others)] if others else []  # type: ignore[type-var]
    widest = max(map(columns_of, others), default=0)
    for text in sorted(texts, key=len, reverse=True):
        if widest >= min(WIDEST, _WIDE * len(text)):
            break
        widest = max(widest, columns_of(text))
    return min(WIDEST, 2 + widest)


def columns_of(value: Value) -> int:
    """Return how many letters wide a value is shown; a Chinese character takes the place of two."""
    if isinstance(value, float):
        return len(f"{value:,.4f}")
    text = "" if value is None else str(value)
    if text.isascii():
        return len(text)
    return sum(_WIDE if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def _refuse_large(path: Path, sheets: Sequence[SheetContent]) -> None:
    for sheet in sheets:
        if len(sheet.rows) > MAX_ROWS - HEADING_ROW - 1:
            raise InputRefusedError(
                f"{path.name}, sheet {sheet.name}: {len(sheet.rows)} rows, and a sheet ends at {MAX_ROWS}, so rows "
                "would be lost. Leave the list out of the package definition, or build town by town."
            )
        for row in sheet.rows:
            for value in row:
                # In the units of the format, which are two for characters beyond the first 65,536.
                if isinstance(value, str) and 2 * len(value) > MAX_TEXT and _units(value) > MAX_TEXT:
                    raise InputRefusedError(
                        f"{path.name}, sheet {sheet.name}: a text of {len(value)} characters, and a cell ends at "
                        f"{MAX_TEXT}, so it would be cut. Shorten it: {value[:40]!r}…"
                    )


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
