"""Rows of a sheet with the bytes that XlsxWriter gives them, put together column by column: cell by cell they take ten times as long."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import chain
from typing import Any

from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.worksheet import Worksheet

from lowland_gis.files.table import LIVE

Value = str | int | float | date | None

# So many rows are spelt at a time; more would only cost memory.
_ROWS = 5_000


@dataclass(frozen=True)
class CellFormats:
    """The formats of XlsxWriter for the cells of one column: of a text, of one that looks like a formula, of a number, of a day."""

    text: Any
    quoted: Any
    number: Any
    day: Any

    def of(self, value: Value) -> Any:
        """Return the format for a value; an empty cell has that of a text."""
        if value is None or isinstance(value, str):
            return self.quoted if value and value.startswith(LIVE) else self.text
        return self.day if isinstance(value, date) else self.number


@dataclass(frozen=True)
class _Body:
    """Rows from the 0-based row `first` on, as columns, with the numbers that texts have in the workbook."""

    first: int
    columns: Sequence[Sequence[Value]]
    formats: Sequence[CellFormats]
    texts: dict[str, int]


class RowsSheet(Worksheet):  # type: ignore[misc, unused-ignore]
    """A sheet of XlsxWriter that takes many rows at once.

    It goes behind the interface of the library, whose version is locked; a test holds the bytes against those of single cells.
    """

    dim_rowmax: int | None
    _body: _Body | None = None

    def put_rows(self, first: int, rows: Sequence[Sequence[Value]], formats: Sequence[CellFormats]) -> None:
        """Put rows of one length below all cells that are written singly, from the 0-based row `first` on.

        Raises:
            TypeError: a number is not finite, which a cell cannot hold.
        """
        values = list(chain.from_iterable(rows))
        if not all(math.isfinite(value) for value in values if isinstance(value, float)):
            raise TypeError("a cell of a spreadsheet holds finite numbers only")
        texts = [value for value in values if isinstance(value, str) and value]
        known = self.str_table
        for text in dict.fromkeys(texts):
            known.string_table.setdefault(text, len(known.string_table))
        known.count += len(texts)
        known.unique_count = len(known.string_table)
        self._check_dimensions(first, 0)
        self._check_dimensions(first + len(rows) - 1, len(formats) - 1)
        # The table of texts makes way for a list before sheets are written; this one stays.
        self._body = _Body(first, list(zip(*rows, strict=True)), formats, known.string_table)

    def _write_rows(self) -> None:
        body, last = self._body, self.dim_rowmax
        if body is None:
            super()._write_rows()
            return
        self.dim_rowmax = body.first - 1
        super()._write_rows()
        self.dim_rowmax = last
        _number_formats(body)
        for start in range(0, len(body.columns[0]), _ROWS):
            self.fh.write("".join(self._spelt(body, start)))

    def _spelt(self, body: _Body, start: int) -> Iterator[str]:
        """Yield the XML of some rows."""
        count = len(body.columns[0][start : start + _ROWS])
        numbers = [str(body.first + start + row + 1) for row in range(count)]
        cells = [
            self._cells(body, place, numbers, column[start : start + _ROWS])
            for place, column in enumerate(body.columns)
        ]
        span = f'" spans="1:{len(body.columns)}">'
        for number, *row in zip(numbers, *cells, strict=True):
            yield f'<row r="{number}{span}{"".join(row)}</row>'

    def _cells(self, body: _Body, place: int, numbers: Sequence[str], values: Sequence[Value]) -> list[str]:
        """Return the XML of the cells of some rows of a column."""
        letters, formats, texts = xl_col_to_name(place), body.formats[place], body.texts
        kinds = set(map(type, values))
        if kinds == {str} and {value[:1] for value in values}.isdisjoint(("", *LIVE)):  # type: ignore[index]
            form = formats.text._get_xf_index()  # noqa: SLF001 - see above
            return [
                f'<c r="{letters}{number}" s="{form}" t="s"><v>{texts[value]}</v></c>'  # type: ignore[index]
                for number, value in zip(numbers, values, strict=True)
            ]
        if kinds <= {int, float}:
            form = formats.number._get_xf_index()  # noqa: SLF001
            return [
                f'<c r="{letters}{number}" s="{form}"><v>{value:.16G}</v></c>'
                for number, value in zip(numbers, values, strict=True)
            ]
        return [
            self._cell(f"{letters}{number}", value, formats, texts)
            for number, value in zip(numbers, values, strict=True)
        ]

    def _cell(self, name: str, value: Value, formats: CellFormats, texts: dict[str, int]) -> str:
        form = formats.of(value)._get_xf_index()  # noqa: SLF001
        if value is None or value == "":
            return f'<c r="{name}" s="{form}"/>'
        if isinstance(value, str):
            return f'<c r="{name}" s="{form}" t="s"><v>{texts[value]}</v></c>'
        if isinstance(value, date):
            moment = datetime(value.year, value.month, value.day)  # noqa: DTZ001 - a spreadsheet date has no zone
            value = self._convert_date_time(moment)
        return f'<c r="{name}" s="{form}"><v>{value:.16G}</v></c>'


def _number_formats(body: _Body) -> None:
    """Give the formats their numbers in the order in which cells need them, row by row, as single cells do."""
    needed: dict[int, tuple[tuple[int, int], Any]] = {}
    for place, (formats, column) in enumerate(zip(body.formats, body.columns, strict=True)):
        for row, form in _first_rows(formats, column):
            where = ((row, place), form)
            needed[id(form)] = min(needed.get(id(form), where), where, key=lambda item: item[0])
    for _, form in sorted(needed.values(), key=lambda item: item[0]):
        form._get_xf_index()  # noqa: SLF001


def _first_rows(formats: CellFormats, column: Sequence[Value]) -> list[tuple[int, Any]]:
    """Return the formats that a column needs, each with the first row that does."""
    kinds = set(map(type, column))
    if kinds <= {int, float}:
        return [(0, formats.number)]
    if kinds <= {str, type(None)} and {value[:1] for value in column if value}.isdisjoint(LIVE):  # type: ignore[index]
        return [(0, formats.text)] if column else []
    first: dict[int, tuple[int, Any]] = {}
    for row, value in enumerate(column):
        form = formats.of(value)
        first.setdefault(id(form), (row, form))
    return list(first.values())
