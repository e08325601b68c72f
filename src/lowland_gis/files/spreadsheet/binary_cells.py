"""Workbooks of the kind .xlsb (a zip of records, as Excel writes it): values by calamine, and what calamine does not tell from the records.

calamine gives an error of a cell as an empty text and a number without its format; it tells neither hidden rows nor, here, merged cells.
"""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from struct import unpack_from
from typing import Any
from xml.etree import ElementTree as ET  # expat of this Python limits entities

import python_calamine

from lowland_gis.files.spreadsheet.stored_sheet import (
    DAY,
    ERROR,
    UNCALCULATED,
    StoredSheet,
    number,
    refuse_too_many,
)

# Kinds of records, from Microsoft's description of the format (MS-XLSB 2.3).
_ROW, _BLANK, _ERROR, _FORMULA_TEXT, _FORMULA_ERROR = 0, 1, 3, 8, 11
_LAST_CELL_KIND = 11
_FORMAT, _STYLE, _STYLES_BEGIN, _STYLES_END = 44, 47, 617, 618
_COLUMN, _MERGED, _SHEET = 60, 176, 156
_ERRORS = {
    0x00: "#NULL!", 0x07: "#DIV/0!", 0x0F: "#VALUE!", 0x17: "#REF!", 0x1D: "#NAME?", 0x24: "#NUM!", 0x2A: "#N/A", 0x2B: "#GETTING_DATA",
}  # fmt: skip
# Numbers of formats that East Asian editions show as days or times.
_DAY_FORMATS = frozenset((*range(27, 37), *range(50, 59)))
_PROPERTIES, _FROM_1904 = 153, 0x01
_HIDDEN_ROW, _HIDDEN_COLUMN = 0x10, 0x01
_NO_TEXT = 0xFFFFFFFF


def sheets(path: str) -> Iterator[StoredSheet]:
    """Yield every sheet that holds cells.

    Raises:
        UnreadableError: a sheet is too large.
        Exception: whatever is met in a broken file.
    """
    # calamine is given no name: by that it would take the file for another kind.
    content = io.BytesIO(Path(path).read_bytes())
    with python_calamine.load_workbook(content) as book, zipfile.ZipFile(content) as archive:
        broken = archive.testzip()
        if broken is not None:
            raise ValueError(f"its part {broken} is not what was written")
        parts, formats = dict(_parts(archive)), _formats(archive)
        from_1904 = _from_1904(archive)
        for about in book.sheets_metadata:
            if about.typ == python_calamine.SheetTypeEnum.WorkSheet:
                marks = _marks(archive.read(parts[about.name]))
                refuse_too_many(about.name, marks.last_row + 1, marks.last_column + 1)
                hidden = about.visible != python_calamine.SheetVisibleEnum.Visible
                sheet = book.get_sheet_by_name(about.name)
                yield StoredSheet(
                    about.name,
                    hidden=hidden,
                    rows=_rows(sheet, marks, formats),
                    merged=marks.merged,
                    hidden_rows=marks.hidden_rows,
                    hidden_columns=marks.hidden_columns,
                    from_1904=from_1904,
                )


@dataclass
class _Marks:
    """What the records of a sheet say beside the values: by place the style of each cell, and what it holds instead of one."""

    styles: dict[tuple[int, int], int] = field(default_factory=dict)
    instead: dict[tuple[int, int], tuple[str, str]] = field(default_factory=dict)
    merged: list[tuple[int, int, int, int]] = field(default_factory=list)
    hidden_rows: list[int] = field(default_factory=list)
    hidden_columns: list[int] = field(default_factory=list)
    last_row: int = -1
    last_column: int = -1


def _rows(sheet: Any, marks: _Marks, formats: list[str]) -> list[list[Any]]:
    if sheet.start is None and not marks.instead:
        return []
    rows = [list(row) for row in sheet.to_python(skip_empty_area=False)] if sheet.start is not None else []
    for row, column in marks.instead:
        rows += [[] for _ in range(len(rows), row + 1)]
        rows[row] += [None] * (column + 1 - len(rows[row]))
    return [
        [_cell(value, (at, column), marks, formats) for column, value in enumerate(row)]
        for at, row in enumerate(rows)
    ]


def _cell(value: Any, place: tuple[int, int], marks: _Marks, formats: list[str]) -> Any:
    if place in marks.instead:
        return marks.instead[place]
    if value is None or value == "":
        return None
    if isinstance(value, dt.datetime | dt.date):
        return (DAY, value.isoformat())
    if isinstance(value, dt.time | dt.timedelta):
        return str(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        style = marks.styles.get(place, 0)
        return number(value, formats[style] if style < len(formats) else "General")
    return value


def _records(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the records of a part: their kinds and contents."""
    position = 0
    while position < len(content):
        kind = content[position]
        position += 1
        if kind & 0x80:
            kind = (kind & 0x7F) | (content[position] & 0x7F) << 7
            position += 1
        size = 0
        for shift in (0, 7, 14, 21):
            byte = content[position]
            position += 1
            size |= (byte & 0x7F) << shift
            if not byte & 0x80:
                break
        if position + size > len(content):
            raise ValueError("a record ends behind the end of its part")
        yield kind, content[position : position + size]
        position += size


def _marks(content: bytes) -> _Marks:
    found, row = _Marks(), -1
    for kind, data in _records(content):
        if kind == _ROW:
            (row,) = unpack_from("<I", data)
            if len(data) > 11 and data[11] & _HIDDEN_ROW:  # noqa: PLR2004 - where its marks stand
                found.hidden_rows.append(row)
        elif _BLANK < kind <= _LAST_CELL_KIND and row >= 0:
            column, style = unpack_from("<II", data)
            _noted(found, kind, (row, column), data)
            found.styles[row, column] = style & 0xFFFFFF
        elif kind == _COLUMN:
            first, last = unpack_from("<II", data)
            if data[16] & _HIDDEN_COLUMN:
                found.hidden_columns += range(first, min(last + 1, 1 << 14))
        elif kind == _MERGED:
            top, bottom, left, right = unpack_from("<IIII", data)
            found.merged.append((top, bottom, left, right))
    return found


def _noted(found: _Marks, kind: int, place: tuple[int, int], data: bytes) -> None:
    found.last_row, found.last_column = max(found.last_row, place[0]), max(found.last_column, place[1])
    if kind in (_ERROR, _FORMULA_ERROR):
        found.instead[place] = (ERROR, _ERRORS.get(data[8], f"#{data[8]}"))
    elif kind == _FORMULA_TEXT and unpack_from("<I", data, 8)[0] in (0, _NO_TEXT):
        found.instead[place] = (UNCALCULATED, "")


def _text(data: bytes, at: int) -> tuple[str, int]:
    """Return a text of a record and where it ends."""
    (length,) = unpack_from("<I", data, at)
    if length == _NO_TEXT:
        return "", at + 4
    end = at + 4 + 2 * length
    return data[at + 4 : end].decode("utf-16-le", "replace"), end


def _parts(archive: zipfile.ZipFile) -> Iterator[tuple[str, str]]:
    """Yield the names of sheets, and the parts that hold them."""
    workbook, relations = _workbook(archive)
    targets = {item.get("Id"): item.get("Target", "") for item in relations}
    for kind, data in _records(archive.read(workbook)):
        if kind == _SHEET:
            relation, end = _text(data, 8)
            name, _ = _text(data, end)
            target = targets[relation]
            yield name, _place(workbook, target)


def _workbook(archive: zipfile.ZipFile) -> tuple[str, list[ET.Element]]:
    """Return the part that lists the sheets, and what it refers to."""
    workbook = next(name for name in archive.namelist() if re.fullmatch(r"/?xl/workbook\d*\.bin", name))
    place = PurePosixPath(workbook)
    root = ET.fromstring(archive.read(f"{place.parent}/_rels/{place.name}.rels"))  # noqa: S314 - see above
    return workbook, list(root)


def _from_1904(archive: zipfile.ZipFile) -> bool:
    """Say whether days count from 1904; calamine takes that into account where it takes a number for a day."""
    records = _records(archive.read(_workbook(archive)[0]))
    return any(kind == _PROPERTIES and bool(data[0] & _FROM_1904) for kind, data in records if data)


def _place(workbook: str, target: str) -> str:
    return target.lstrip("/") if target.startswith("/") else f"{PurePosixPath(workbook).parent}/{target}"


def _formats(archive: zipfile.ZipFile) -> list[str]:
    """Return the format of numbers of each style of cells."""
    workbook, relations = _workbook(archive)
    styled = [item.get("Target", "") for item in relations if item.get("Type", "").endswith("/styles")]
    own: dict[int, str] = {}
    styles: list[str] = []
    in_styles = False
    for kind, data in _records(archive.read(_place(workbook, styled[0]))) if styled else ():
        if kind == _FORMAT:
            own[unpack_from("<H", data)[0]] = _text(data, 2)[0]
        elif kind in (_STYLES_BEGIN, _STYLES_END):
            in_styles = kind == _STYLES_BEGIN
        elif kind == _STYLE and in_styles:
            (form,) = unpack_from("<H", data, 2)
            styles.append("yyyy-mm-dd" if form in _DAY_FORMATS else own.get(form, "General"))
    return styles
