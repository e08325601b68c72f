"""Workbooks of the kind .xls (BIFF 2 to 8, as Excel 97, WPS and the systems of offices write them), read by xlrd.

calamine, which is quicker, gives an error of a cell as an empty text and a number without its format, so that #N/A and the
zeros of 0601 are lost without a word; and it does not tell hidden rows.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from functools import cache
from struct import unpack_from
from typing import Any

import xlrd
from xlrd.biffh import error_text_from_code

from lowland_gis.files.spreadsheet.stored_sheet import (
    ERROR,
    UNCALCULATED,
    StoredSheet,
    UnreadableError,
    number,
)

# Numbers of formats that East Asian editions show as days or times.
_DAY_FORMATS = frozenset((*range(27, 37), *range(50, 59)))
_BEGINS, _ENDS, _FORMULAS = (0x0809, 0x0409, 0x0209, 0x0009), 0x000A, (0x0006, 0x0206, 0x0406)
_LEAST_FORMULA, _CALCULATE_ON_LOAD = 16, 2


def sheets(path: str) -> Iterator[StoredSheet]:
    """Yield every sheet that holds cells.

    Raises:
        UnreadableError: it has a password.
        Exception: whatever xlrd meets in a broken file.
    """
    try:
        book = xlrd.open_workbook(
            path, logfile=io.StringIO(), formatting_info=True, on_demand=True, ragged_rows=True
        )
        for index in range(book.nsheets):
            yield _sheet(book, index)
            book.unload_sheet(index)
    except xlrd.XLRDError as error:
        if "encrypted" in str(error):
            raise UnreadableError(
                "it is protected by a password, so it cannot be read. Open it, take the password off and save it again"
            ) from error
        raise


def _sheet(book: Any, index: int) -> StoredSheet:
    sheet = book.sheet_by_index(index)
    found = StoredSheet(sheet.name, hidden=sheet.visibility != 0, from_1904=book.datemode == 1)
    unsure = set(_uncalculated(book, index))

    @cache
    def form(style: int) -> str:
        key = book.xf_list[style].format_key
        if key in _DAY_FORMATS:
            return "yyyy-mm-dd"
        known = book.format_map.get(key)
        return "General" if known is None else str(known.format_str)

    for row in range(sheet.nrows):
        cells: list[Any] = []
        kinds, values, styles = sheet.row_types(row), sheet.row_values(row), sheet._cell_xf_indexes[row]  # noqa: SLF001 - the rows of xlrd
        for column, (kind, value, style) in enumerate(zip(kinds, values, styles, strict=True)):
            if unsure and (row, column) in unsure:
                cells.append((UNCALCULATED, ""))
            elif kind == xlrd.XL_CELL_TEXT:
                cells.append(value or None)
            elif kind in (xlrd.XL_CELL_NUMBER, xlrd.XL_CELL_DATE):
                cells.append(number(value, form(style)))
            elif kind == xlrd.XL_CELL_BOOLEAN:
                cells.append(bool(value))
            elif kind == xlrd.XL_CELL_ERROR:
                cells.append((ERROR, error_text_from_code.get(value, f"#{value}")))
            else:
                cells.append(None)
        found.rows.append(cells)
    found.merged = [(top, below - 1, left, right - 1) for top, below, left, right in sheet.merged_cells]
    found.hidden_rows = sorted(row for row, info in sheet.rowinfo_map.items() if info.hidden)
    found.hidden_columns = sorted(column for column, info in sheet.colinfo_map.items() if info.hidden)
    return found


def _uncalculated(book: Any, index: int) -> Iterator[tuple[int, int]]:
    """Yield the places of formulas without a result: an empty one, or 0 with the wish to be calculated when it is opened."""
    stream, depth = book.mem, 0
    if stream is None:
        # Of the kinds before BIFF 5 xlrd keeps nothing to look into.
        return
    position = book._sh_abs_posn[index]  # noqa: SLF001 - xlrd tells formulas nowhere else
    while position + 4 <= len(stream):
        record, length = unpack_from("<HH", stream, position)
        depth += (record in _BEGINS) - (record == _ENDS)
        if depth <= 0:
            return
        if depth == 1 and record in _FORMULAS and length >= _LEAST_FORMULA:
            row, column, _, result, flags = unpack_from("<HHH8sH", stream, position + 4)
            empty = result[6:] == b"\xff\xff" and result[0] == 3  # noqa: PLR2004 - the sign of an empty text
            if empty or (flags & _CALCULATE_ON_LOAD and not any(result)):
                yield row, column
        position += 4 + length
