"""A sheet of a workbook that is read in a process of its own, in the plain form in which it comes from there."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

# What stands in a cell beside None, texts, truths and plain numbers: a pair or triple that begins with one of these.
NUMBER, DAY, ERROR, UNCALCULATED = "n", "d", "e", "f"
# So many cells are held in memory at once; a sheet of Excel has up to 17,000 million.
MOST_CELLS = 20_000_000
# Formats of numbers that say nothing of what they are: 0.00, #,##0, 0%, General.
_PLAIN = re.compile(
    r"(general)|0|[#0,.%?_ ()\-+;@*\\]*[#,.%?_ ()\-+;@*\\][#0,.%?_ ()\-+;@*\\]*|", re.IGNORECASE
)


class UnreadableError(Exception):
    """A workbook that cannot be read; the text says why, and what to do."""


@dataclass
class StoredSheet:
    """Cells as they are stored, and the marks of a sheet.

    Cells are None, str, bool, int or float, or: (NUMBER, number, format), (DAY, ISO text), (ERROR, its sign), (UNCALCULATED, ""). Rows and columns are
    0-based; `merged` has first and last row, first and last column; `from_1904` says what numbers of days count from.
    """

    name: str
    hidden: bool = False
    rows: list[list[Any]] = field(default_factory=list)
    merged: list[tuple[int, int, int, int]] = field(default_factory=list)
    hidden_rows: list[int] = field(default_factory=list)
    hidden_columns: list[int] = field(default_factory=list)
    from_1904: bool = False


def number(value: float, number_format: str) -> Any:
    """Return a number with its format, unless that is one of those which say nothing.

    >>> number(601, "0000"), number(1.5, "0.00"), number(45000, "yyyy-mm-dd")
    (('n', 601, '0000'), 1.5, ('n', 45000, 'yyyy-mm-dd'))
    """
    return value if _PLAIN.fullmatch(number_format) else (NUMBER, value, number_format)


def refuse_too_many(name: str, rows: int, columns: int) -> None:
    """Refuse a sheet that is larger than what can be held.

    Raises:
        UnreadableError: it is.
    """
    if rows * columns > MOST_CELLS:
        raise UnreadableError(
            f"the cells of the sheet {name} reach to row {rows:,} and column {columns:,}, which is more than can be read at once"
            f" ({MOST_CELLS:,} cells). Delete what stands far from the table and save it again"
        )
