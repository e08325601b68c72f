"""Workbooks of the kind .ods (OpenDocument, as LibreOffice and WPS write them), read as they stream by.

calamine gives an error of a cell as an empty text, a truth as 1, and no number with its zeros; it tells neither merged cells nor hidden rows.
"""

from __future__ import annotations

import datetime as dt
import re
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from xml.parsers import expat

from lowland_gis.files.spreadsheet.stored_sheet import (
    DAY,
    ERROR,
    UNCALCULATED,
    StoredSheet,
    UnreadableError,
    number,
    refuse_too_many,
)

_BLOCK = 1 << 20
_TABLE = "urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_OFFICE = "urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_TEXT = "urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_STYLE = "urn:oasis:names:tc:opendocument:xmlns:style:1.0}"
_CALC = "urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0}"
_ERRORS = re.compile(r"#(N/A|REF!|DIV/0!|VALUE!|NAME\?|NUM!|NULL!)|Err:\d{3}")
_LASTS = re.compile(r"PT(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:[.,](\d+))?S)?")
_HOURS_OF_DAY = 24
# Beside the text of a cell: remarks on it, drawings over it, and what was deleted.
_PASSED_OVER = {f"{_OFFICE}annotation", f"{_TABLE}tracked-changes", f"{_TABLE}shapes"}
_NUMBERS = ("float", "percentage", "currency")


def sheets(path: str) -> list[StoredSheet]:
    """Return every sheet.

    Raises:
        UnreadableError: it has a password, or is too large.
        Exception: whatever is met in a broken file.
    """
    with zipfile.ZipFile(path) as archive:
        names = set(archive.namelist())
        if "META-INF/manifest.xml" in names and b"encryption-data" in archive.read("META-INF/manifest.xml"):
            raise UnreadableError(
                "it is protected by a password, so it cannot be read. Open it, take the password off and save it again"
            )
        reading = _Reading()
        parser = expat.ParserCreate(namespace_separator="}")
        parser.buffer_text = True
        parser.StartElementHandler, parser.EndElementHandler = reading.start, reading.end
        parser.CharacterDataHandler = reading.text
        with archive.open("content.xml") as content:
            while block := content.read(_BLOCK):
                parser.Parse(block)
            parser.Parse(b"", True)  # noqa: FBT003 - expat's signature
    return reading.sheets


@dataclass
class _Reading:
    """The tables of a document as they come by; repeated cells and rows count when something stands behind them."""

    sheets: list[StoredSheet] = field(default_factory=list)
    _sheet: StoredSheet | None = None
    _unseen: set[str] = field(default_factory=set)
    _style: str = ""
    _linked: bool = False
    _rows_before: int = 0
    _row: list[Any] = field(default_factory=list)
    _row_times: int = 1
    _cells_before: int = 0
    _column: int = 0
    _n_cells: int = 0
    _cell: Mapping[str, str] | None = None
    _paragraphs: list[str] = field(default_factory=list)
    _in_paragraph: int = 0
    _passing: int = 0

    def start(self, name: str, values: Mapping[str, str]) -> None:
        """Take in the beginning of an element."""
        if self._passing or name in _PASSED_OVER:
            self._passing += 1
            return
        if self._cell is not None:
            self._inside(name, values)
            return
        begin = _BEGINS.get(name)
        if begin is not None:
            begin(self, values)

    def style(self, values: Mapping[str, str]) -> None:
        """Note the name of a style."""
        self._style = values.get(f"{_STYLE}name", "")

    def properties(self, values: Mapping[str, str]) -> None:
        """Note the style of a table that is not shown."""
        if values.get(f"{_TABLE}display") == "false":
            self._unseen.add(self._style)

    def table(self, values: Mapping[str, str]) -> None:
        """Begin a sheet."""
        hidden = values.get(f"{_TABLE}style-name") in self._unseen
        self._sheet = StoredSheet(values.get(f"{_TABLE}name", ""), hidden=hidden)
        self._linked, self._rows_before, self._column = False, 0, 0

    def linked(self, values: Mapping[str, str]) -> None:
        """Note that a table is the copy of one in another file."""
        del values
        self._linked = True

    def column(self, values: Mapping[str, str]) -> None:
        """Note columns that are hidden."""
        times = _times(values, "columns")
        if self._sheet is not None and values.get(f"{_TABLE}visibility", "visible") != "visible":
            self._sheet.hidden_columns += range(self._column, min(self._column + times, 1 << 14))
        self._column += times

    def row(self, values: Mapping[str, str]) -> None:
        """Begin a row."""
        self._row, self._cells_before = [], 0
        self._row_times = _times(values, "rows")
        if self._sheet is not None and values.get(f"{_TABLE}visibility", "visible") != "visible":
            first = len(self._sheet.rows) + self._rows_before
            self._sheet.hidden_rows += range(first, min(first + self._row_times, 1 << 20))

    def cell(self, values: Mapping[str, str]) -> None:
        """Begin a cell."""
        self._cell, self._paragraphs, self._in_paragraph = dict(values), [], 0
        down, across = (int(values.get(f"{_TABLE}number-{of}-spanned", 1)) for of in ("rows", "columns"))
        if self._sheet is not None and (down > 1 or across > 1):
            top, left = len(self._sheet.rows) + self._rows_before, len(self._row) + self._cells_before
            self._sheet.merged.append((top, top + down - 1, left, left + across - 1))

    def _inside(self, name: str, values: Mapping[str, str]) -> None:
        if name == f"{_TEXT}p":
            self._in_paragraph += 1
            self._paragraphs.append("")
        elif name == f"{_TEXT}s":
            self.text(" " * min(int(values.get(f"{_TEXT}c", 1)), 1000))
        elif name == f"{_TEXT}tab":
            self.text("\t")
        elif name == f"{_TEXT}line-break":
            self.text("\n")

    def text(self, text: str) -> None:
        """Take in text."""
        if self._in_paragraph and not self._passing:
            self._paragraphs[-1] += text

    def end(self, name: str) -> None:
        """Take in the end of an element."""
        if self._passing:
            self._passing -= 1
        elif name == f"{_TEXT}p" and self._cell is not None:
            self._in_paragraph -= 1
        elif name in (f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell") and self._cell is not None:
            self._end_cell(self._cell)
        elif name == f"{_TABLE}table-row":
            self._end_row()
        elif name == f"{_TABLE}table" and self._sheet is not None:
            if not self._linked:
                self.sheets.append(self._sheet)
            self._sheet = None

    def _end_cell(self, values: Mapping[str, str]) -> None:
        value, times = _value(values, "\n".join(self._paragraphs)), _times(values, "columns")
        self._cell = None
        if value is None:
            self._cells_before += times
            return
        self._refuse_too_many(1, len(self._row) + self._cells_before + times)
        self._row += [None] * self._cells_before + [value] * times
        self._cells_before = 0

    def _end_row(self) -> None:
        if self._sheet is None:
            return
        if not self._row:
            self._rows_before += self._row_times
            return
        rows = self._sheet.rows
        self._refuse_too_many(len(rows) + self._rows_before + self._row_times, 1)
        self._refuse_too_many(self._row_times, len(self._row))
        self._n_cells += self._row_times * len(self._row)
        self._refuse_too_many(self._n_cells, 1)
        rows += [[] for _ in range(self._rows_before)]
        rows += [list(self._row) for _ in range(self._row_times)]
        self._rows_before = 0

    def _refuse_too_many(self, rows: int, columns: int) -> None:
        refuse_too_many("" if self._sheet is None else self._sheet.name, rows, columns)


_BEGINS: dict[str, Callable[[_Reading, Mapping[str, str]], None]] = {
    f"{_STYLE}style": _Reading.style,
    f"{_STYLE}table-properties": _Reading.properties,
    f"{_TABLE}table": _Reading.table,
    f"{_TABLE}table-source": _Reading.linked,
    f"{_TABLE}table-column": _Reading.column,
    f"{_TABLE}table-row": _Reading.row,
    f"{_TABLE}table-cell": _Reading.cell,
    f"{_TABLE}covered-table-cell": _Reading.cell,
}


def _times(values: Mapping[str, str], of: str) -> int:
    return max(1, int(values.get(f"{_TABLE}number-{of}-repeated", 1)))


def _value(values: Mapping[str, str], shown: str) -> Any:
    """Return what stands in a cell, by what it says of its kind."""
    kind = values.get(f"{_OFFICE}value-type")
    computed = f"{_TABLE}formula" in values
    if values.get(f"{_CALC}value-type") == "error" or (computed and _ERRORS.fullmatch(shown)):
        return (ERROR, shown or "#VALUE!")
    if kind is None:
        return (UNCALCULATED, "") if computed and not shown else shown or None
    if kind == "string":
        return values.get(f"{_OFFICE}string-value", shown) or None
    return _typed(kind, values, shown)


def _typed(kind: str, values: Mapping[str, str], shown: str) -> Any:
    if kind == "boolean":
        return values[f"{_OFFICE}boolean-value"] == "true"
    if kind == "date":
        return (DAY, values[f"{_OFFICE}date-value"])
    if kind == "time":
        return _lasts(values[f"{_OFFICE}time-value"])
    if kind in _NUMBERS:
        return _number(values[f"{_OFFICE}value"], shown)
    raise ValueError(f"a cell is of the kind {kind}, which is not known")


def _number(written: str, shown: str) -> Any:
    """Return a number; one that is shown with zeros before it has a format of so many zeros."""
    value = float(written)
    if (
        shown.isascii()
        and shown.isdigit()
        and len(shown) > 1
        and shown.startswith("0")
        and int(shown) == value
    ):
        return number(value, "0" * len(shown))
    return value


def _lasts(written: str) -> str:
    """Return a time of day, or how long something lasts, as other workbooks have it.

    >>> _lasts("PT08H30M00S"), _lasts("PT30H00M00S")
    ('08:30:00', '1 day, 6:00:00')
    """
    parts = _LASTS.fullmatch(written)
    if parts is None:
        raise ValueError(f"{written} is no time")
    hours, minutes, seconds = (int(part or 0) for part in parts.groups()[:3])
    fraction = int((parts[4] or "")[:6].ljust(6, "0"))
    lasts = dt.timedelta(hours=hours, minutes=minutes, seconds=seconds, microseconds=fraction)
    # A time of day has no zone.
    return str(lasts if hours >= _HOURS_OF_DAY else (dt.datetime(1, 1, 1) + lasts).time())  # noqa: DTZ001
