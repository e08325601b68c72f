"""Workbooks beside .xlsx: read in a process of its own, brought to the same cells as those of an .xlsx."""

from __future__ import annotations

import datetime as dt
import marshal
import os
import subprocess
import sys
from functools import cache
from typing import Any

from openpyxl.styles.numbers import is_date_format, is_timedelta_format
from openpyxl.utils.datetime import MAC_EPOCH, WINDOWS_EPOCH, from_excel

from lowland_gis.analysis.fields.spreadsheet import Lost, stored
from lowland_gis.errors import InputRefusedError
from lowland_gis.files.source import Source
from lowland_gis.files.spreadsheet.child import MAY_NOT, NO_MEMORY
from lowland_gis.files.spreadsheet.stored_sheet import DAY, ERROR, NUMBER, StoredSheet

_CHILD = "lowland_gis.files.spreadsheet.child"
# What reading may take: a sheet of 65,000 rows and ten columns takes 10 seconds and 180 MB.
SECONDS, MEMORY_BYTES = 600, 4_000_000_000
_ERROR_WORDS = 300


def stored_sheets(source: Source) -> list[StoredSheet]:
    """Return every sheet of a workbook as it is stored.

    Raises:
        InputRefusedError: it is broken, has a password, or is more than can be read within the limits of time and memory.
    """
    command = [sys.executable, "-P", "-m", _CHILD, source.driver, str(source.path), str(MEMORY_BYTES)]
    try:
        done = subprocess.run(
            command, capture_output=True, check=False, timeout=SECONDS, env={**os.environ, "PYTHONUTF8": "1"}
        )
    except subprocess.TimeoutExpired as error:
        raise _refused(
            source, f"it was not read within {SECONDS / 60:g} minutes. Open it and save it as .xlsx"
        ) from error
    why = done.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2][:_ERROR_WORDS]
    if done.returncode == MAY_NOT:
        raise _refused(source, why)
    if done.returncode == NO_MEMORY or b"memory allocation of" in done.stderr:
        # So a program in Rust ends.
        limit = f"{MEMORY_BYTES / 10**9:g}"
        raise _refused(
            source,
            f"to read it takes more than {limit} GB of memory. Ask for its table alone, saved as .xlsx",
        )
    if done.returncode != 0:
        raise _refused(
            source,
            f"cannot be read as a workbook ({why or 'its reader broke off'}). Ask the sender for it again",
        )
    return [StoredSheet(*parts) for parts in marshal.loads(done.stdout)]  # noqa: S302 - our own process wrote it


def _refused(source: Source, why: str) -> InputRefusedError:
    return InputRefusedError(f"{source.name}: {why}.")


def chosen(source: Source, sheets: list[StoredSheet]) -> StoredSheet:
    """Return the sheet that is named, else the only one that holds something and is shown.

    Raises:
        InputRefusedError: it must be said which of them.
    """
    if not sheets:
        raise _refused(source, "it holds no sheets. Ask the sender for it again")
    named = next((sheet for sheet in sheets if sheet.name == source.layer), None)
    if named is not None:
        return named
    with_values = filled(source, sheets)
    if source.layer is None and len(with_values) == 1:
        return with_values[0]
    names = ", ".join(sheet.name for sheet in sheets)
    raise _refused(source, f"name one of its sheets: {names} – as FILE:SHEET")


def filled(source: Source, sheets: list[StoredSheet]) -> list[StoredSheet]:
    """Return the sheets that hold something and are not hidden; hidden ones only where nothing else is there.

    Raises:
        InputRefusedError: none does.
    """
    found = [sheet for sheet in sheets if any(cell is not None for row in sheet.rows for cell in row)]
    if not found:
        raise _refused(source, "none of its sheets holds anything. Ask the sender for it again")
    return [sheet for sheet in found if not sheet.hidden] or found


def values(sheet: StoredSheet) -> list[list[Any]]:
    """Return the rows of a sheet with the values that the same cells of an .xlsx have."""
    epoch = MAC_EPOCH if sheet.from_1904 else WINDOWS_EPOCH
    return [[_value(cell, epoch) for cell in row] for row in sheet.rows]


def _value(cell: Any, epoch: dt.datetime) -> Any:
    if isinstance(cell, float | int):
        return stored(cell, "General")
    if not isinstance(cell, tuple):
        return cell
    kind, what = cell[0], cell[1]
    if kind == NUMBER:
        return _number(what, cell[2], epoch)
    if kind == DAY:
        return stored(dt.datetime.fromisoformat(what), "")
    if kind == ERROR:
        return Lost("cell_error", f"the cell holds the error {what}")
    return Lost(
        "formula_without_result", "the formula has no stored result, or an empty one; open and save it once"
    )


def _number(number: float, number_format: str, epoch: dt.datetime) -> Any:
    if not _is_day(number_format):
        return stored(number, number_format)
    try:
        day = from_excel(number, epoch, timedelta=is_timedelta_format(number_format))
    except (OverflowError, ValueError):
        return Lost("cell_error", "the cell holds the error #VALUE!")
    return stored(day, "")


@cache
def _is_day(number_format: str) -> bool:
    return bool(is_date_format(number_format))


def hidden_rows(sheet: StoredSheet) -> list[int]:
    """Return the 1-based rows that are hidden, as far as the sheet has values."""
    return [row + 1 for row in sheet.hidden_rows if row < len(sheet.rows)]


def n_hidden_columns(sheet: StoredSheet) -> int:
    """Return how many columns are hidden, as far as the sheet has values."""
    width = max((len(row) for row in sheet.rows), default=0)
    return sum(column < width for column in sheet.hidden_columns)
