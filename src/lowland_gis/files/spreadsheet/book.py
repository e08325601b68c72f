"""Open a workbook, choose a sheet of it, and read its cells as they are stored."""

from __future__ import annotations

import re
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import openpyxl
from openpyxl.styles.numbers import BUILTIN_FORMATS, BUILTIN_FORMATS_MAX_SIZE
from openpyxl.utils.datetime import from_excel
from openpyxl.utils.escape import unescape
from openpyxl.utils.exceptions import InvalidFileException

from lowland_gis.analysis.fields.spreadsheet import Formula, Lost, Merged, stored, stored_numbers
from lowland_gis.errors import InputRefusedError
from lowland_gis.files.source import Source
from lowland_gis.files.spreadsheet import other_book
from lowland_gis.files.spreadsheet.marks import Marks, marks, sheet_part
from lowland_gis.files.spreadsheet.plain_cells import plain_rows
from lowland_gis.files.spreadsheet.quick_cells import Meaning

# A workbook is a zip of XML that anybody may have written; openpyxl trusts its cross references.
_BROKEN = (
    ValueError, KeyError, IndexError, TypeError, AttributeError, OSError, EOFError, SyntaxError, RuntimeError,
    OverflowError, NotImplementedError, zipfile.BadZipFile, zlib.error, InvalidFileException,
)  # fmt: skip
_SHOWN = 5
_STRICT = b"http://purl.oclc.org/ooxml/"
# Numbers of formats that East Asian editions show as days or times (ECMA-376 part 1, 18.8.30); openpyxl takes them for plain numbers.
_DAY_FORMATS = frozenset((*range(27, 37), *range(50, 59)))
# How people keep the zeros of a code: ="0601" is a text, whether anybody has calculated it or not.
_CONSTANT = re.compile(r'^="([^"]*)"$')


@dataclass(frozen=True)
class Sheet:
    """A sheet: rows of stored values (None, text, number, bool, day or `Lost`), merged ranges, doubts about all of it."""

    name: str
    rows: list[list[Any]]
    merged: tuple[Merged, ...]
    doubts: tuple[tuple[str, str], ...]


def sheet_names(source: Source) -> tuple[str, ...]:
    """Return the sheets that hold something and are not hidden; hidden ones only where nothing else is there.

    Raises:
        InputRefusedError: it is no workbook.
    """
    if source.driver != "XLSX":
        return tuple(sheet.name for sheet in other_book.filled(source, other_book.stored_sheets(source)))
    with _opened(source, data_only=False) as book:
        return tuple(_filled(source, book))


def read_sheet(source: Source) -> Sheet:
    """Read the sheet that is named, else the only one.

    Raises:
        InputRefusedError: it is no workbook, or it must be said which of its sheets.
    """
    if source.driver != "XLSX":
        return _other_sheet(source)
    with _opened(source, data_only=False) as book:
        name = _chosen(source, book)
        unsure = bool(book.calculation.fullCalcOnLoad)
        rows = _plain(source, book, name)
        read = [_row(cells) for cells in _cells(book[name])] if rows is None else []
    if rows is None:
        rows = _calculated(source, name, read, unsure=unsure)
    with _refused_when_broken(source):
        noted = marks(source.path, name)
    return Sheet(name, rows, tuple(noted.merged), tuple(_hidden(name, noted)))


def _other_sheet(source: Source) -> Sheet:
    """Read the sheet that is meant of a workbook of another kind than .xlsx."""
    found = other_book.chosen(source, other_book.stored_sheets(source))
    noted = Marks(
        [Merged(*corners) for corners in found.merged],
        other_book.hidden_rows(found),
        other_book.n_hidden_columns(found),
    )
    return Sheet(found.name, other_book.values(found), tuple(noted.merged), tuple(_hidden(found.name, noted)))


def read_cells(source: Source) -> list[Sheet]:
    """Read every sheet as it was typed: a formula is one, whatever it was calculated to, and hidden sheets are sheets.

    Raises:
        InputRefusedError: it is no workbook, or none that tells what was typed.
    """
    if source.driver != "XLSX":
        raise InputRefusedError(
            f"{source.name}: a form that was filled in comes back as .xlsx, since other workbooks do not tell what was typed from what"
            " was computed. Open it and save it as .xlsx."
        )
    with _opened(source, data_only=False) as book:
        found = [(str(sheet.title), [_row(cells) for cells in _cells(sheet)]) for sheet in book.worksheets]
    with _refused_when_broken(source):
        noted = [marks(source.path, name) for name, _ in found]
    return [
        Sheet(name, rows, tuple(mark.merged), ()) for (name, rows), mark in zip(found, noted, strict=True)
    ]


def _calculated(source: Source, name: str, rows: list[list[Any]], *, unsure: bool) -> list[list[Any]]:
    """Return rows with the stored results in the place of formulas."""
    if not any(isinstance(value, Formula) for row in rows for value in row):
        return rows
    with _opened(source, data_only=True) as book:
        results = [_row(cells) for cells in _cells(book[name])]
    return [
        [_result(value, result, unsure=unsure) for value, result in zip(row, calculated, strict=True)]
        for row, calculated in zip(rows, results, strict=True)
    ]


def _plain(source: Source, book: Any, name: str) -> list[list[Any]] | None:
    """Return the rows of a sheet that holds nothing but plain cells, which is most of them."""
    with zipfile.ZipFile(source.path) as archive:
        part = sheet_part(archive, name)
    strings = book[name]._shared_strings  # noqa: SLF001 - openpyxl has read them already
    return plain_rows(source.path, part, Meaning(strings, cache(partial(_of_style, book))))


def _of_style(book: Any, style: int) -> Callable[[list[int | float]], list[Any]]:
    """Return what turns numbers into what they are in a style of a workbook, as `_value` does with a cell of it."""
    form = book._cell_styles[style].numFmtId  # noqa: SLF001 - openpyxl has read them already
    if style in book._date_formats:  # noqa: SLF001
        timedelta = style in book._timedelta_formats  # noqa: SLF001
        return lambda values: [_day(book.epoch, value, timedelta=timedelta) for value in values]
    if form in _DAY_FORMATS:
        return lambda values: [stored(from_excel(value, book.epoch), "") for value in values]
    own = form - BUILTIN_FORMATS_MAX_SIZE
    named = book._number_formats[own] if own >= 0 else BUILTIN_FORMATS.get(form, "General")  # noqa: SLF001
    return partial(stored_numbers, number_format=named)


def _day(epoch: Any, value: float, *, timedelta: bool) -> Any:
    try:
        day = from_excel(value, epoch, timedelta=timedelta)
    except (OverflowError, ValueError):
        return Lost("cell_error", "the cell holds the error #VALUE!")
    return stored(day, "")


def _hidden(name: str, noted: Marks) -> Iterator[tuple[str, str]]:
    rows = noted.hidden_rows
    if rows:
        first = ", ".join(map(str, rows[:_SHOWN])) + (", …" if len(rows) > _SHOWN else "")
        yield (
            "rows_hidden",
            f"{len(rows)} rows of the sheet {name} are hidden ({first}); they were read like all others.",
        )
    if noted.n_hidden_columns:
        number = noted.n_hidden_columns
        yield (
            "columns_hidden",
            f"{number} columns of the sheet {name} are hidden; they were read like all others.",
        )


@contextmanager
def _opened(source: Source, *, data_only: bool) -> Iterator[Any]:
    # Opened here, so that it is closed where openpyxl gives up half-way.
    with _refused_when_broken(source), source.path.open("rb") as file:
        book = openpyxl.load_workbook(file, read_only=True, data_only=data_only, keep_links=False)
        try:
            if not book.worksheets:
                raise _without_sheets(source)
            yield book
        finally:
            book.close()


def _without_sheets(source: Source) -> InputRefusedError:
    """Return the refusal of a workbook in which openpyxl sees no sheets, as it does in the strict form of the standard."""
    with zipfile.ZipFile(source.path) as archive:
        strict = any(
            _STRICT in archive.read(name) for name in archive.namelist() if name.endswith("workbook.xml")
        )
    why = "it is saved as “Strict Open XML”, which is not read" if strict else "it holds no sheets"
    what = "Save it as an ordinary .xlsx" if strict else "Ask the sender for it again"
    return InputRefusedError(f"{source.name}: {why}. {what}.")


@contextmanager
def _refused_when_broken(source: Source) -> Iterator[None]:
    try:
        with warnings.catch_warnings():
            # Of styles and rules that it does not know; a day that is none comes as an error in its cell.
            warnings.simplefilter("ignore", UserWarning)
            yield
    except InputRefusedError:
        raise
    except _BROKEN as error:
        raise InputRefusedError(
            f"{source.name}: cannot be read as a workbook ({error}). Ask the sender for it again."
        ) from error


def _holds_something(sheet: Any) -> bool:
    return any(cell.value is not None for cells in _cells(sheet) for cell in cells)


def _cells(sheet: Any) -> Iterator[Any]:
    # The dimension that a file declares may be wrong, and then rows would be cut off.
    sheet.reset_dimensions()
    return iter(sheet.iter_rows())


def _chosen(source: Source, book: Any) -> str:
    names = [sheet.title for sheet in book.worksheets]
    if not names:
        raise InputRefusedError(
            f"{source.name}: no sheet can be read; it may be saved as “Strict Open XML”. Open it and save it as an ordinary .xlsx."
        )
    if source.layer is not None and source.layer in names:
        return source.layer
    filled = _filled(source, book)
    if source.layer is None and len(filled) == 1:
        return filled[0]
    raise InputRefusedError(f"{source.name}: name one of its sheets: {', '.join(names)} – as FILE:SHEET.")


def _filled(source: Source, book: Any) -> list[str]:
    """Return the sheets that hold something and are not hidden; hidden ones only where nothing else is there."""
    filled = [sheet for sheet in book.worksheets if _holds_something(sheet)]
    if not filled:
        raise InputRefusedError(
            f"{source.name}: none of its sheets holds anything. Ask the sender for it again."
        )
    visible = [str(sheet.title) for sheet in filled if sheet.sheet_state == "visible"]
    return visible or [str(sheet.title) for sheet in filled]


def _row(cells: tuple[Any, ...]) -> list[Any]:
    return [_value(cell) for cell in cells]


def _value(cell: Any) -> Any:
    value, kind = cell.value, cell.data_type
    if value is None:
        return None
    if kind == "e":
        return Lost("cell_error", f"the cell holds the error {value}")
    if kind == "f":
        return Formula(str(getattr(value, "text", value)))
    if isinstance(value, str):
        return unescape(value) if "_x" in value else value
    if kind == "n" and cell.style_array.numFmtId in _DAY_FORMATS:
        value = from_excel(value, cell.parent.parent.epoch)
    return stored(value, cell.number_format)


def _result(value: Any, result: Any, *, unsure: bool) -> Any:
    """Return the stored result of a formula; programs that cannot calculate write none, or 0 and ask to calculate anew."""
    if not isinstance(value, Formula):
        return value
    constant = _CONSTANT.match(value.text)
    if constant is not None:
        return constant[1]
    if result is None or (unsure and result == 0):
        return Lost(
            "formula_without_result", f"the formula {value.text} has no stored result; open and save it once"
        )
    return result
