"""Find the table in the cells of a sheet: title, headings, records, totals and notes, and every cell whose value is lost.

Offices write a title over the headings, merge cells, number the columns below them, and put totals and notes under the records.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from lowland_gis.analysis.fields.doubts import Aside, Doubt

# Excel keeps so many digits; what has more was rounded when it was typed.
EXACT_BELOW = 10**15
# A title is one cell, at most two with a unit or a date beside it; headings stand over at least so much of the table.
_LEAST_SHARE, _LEAST_CELLS = 0.5, 0.3
_LOOKED_AT = 40
_NOTES, _NUMBERED = 2, 3
_TOTAL = re.compile(
    r"^(合计|总计|小计|共计|累计|总和|全区合计|全县合计|total|grandtotal|subtotal|sum)[:：]?$"
)
_NOTE = re.compile(r"^(注[:：\d]|备注[:：]|说明[:：]|填表|制表|审核|填报|单位负责人|数据来源|打印|\*|※)")
# What stands beside a title: 单位：万元, （单位：亩）, 填报日期：…
_ENTRY = re.compile(r"^[(\[【]?\w{0,4}(单位|日期|时间|人|电话)([:]|(均?为|是)\w)")
_SPACE = re.compile(r"\s+")


@dataclass(frozen=True)
class Lost:
    """What stands in a cell whose value cannot be taken: the code of the doubt and the words for it."""

    rule: str
    words: str


@dataclass(frozen=True)
class Formula:
    """A cell that is computed; its text, which nobody has looked at."""

    text: str


@dataclass(frozen=True)
class Merged:
    """A merged range: first and last row, first and last column, 0-based; only its first cell has a value."""

    top: int
    bottom: int
    left: int
    right: int


@dataclass(frozen=True)
class SheetTable:
    """The table of a sheet: columns of values under their headings, doubts about values, rows that are no records.

    `heading` is the 0-based row of the last headings, `sheet_rows` are the 1-based rows of the sheet that the records stand in,
    `beside` the texts over the headings and the notes below the records.
    """

    columns: dict[str, list[Any]]
    sheet_rows: tuple[int, ...]
    doubts: tuple[Doubt, ...]
    aside: tuple[Aside, ...]
    beside: tuple[str, ...]
    heading: int = -1


Grid = Sequence[Sequence[Any]]


def table_of(grid: Grid, merged: Sequence[Merged] = ()) -> SheetTable:
    """Return the table that stands in rows of cells; None is an empty cell, `Lost` one whose value cannot be taken.

    Rows without any value are left out. A sheet without headings gives a table without columns.
    """
    heading = _heading(grid, merged)
    if heading is None:
        return SheetTable({}, (), (), (), ())
    last = _last_heading(grid, heading, merged)
    names = _names(grid, heading, last, merged)
    first = last + 1 + _is_numbering(grid, last + 1)
    numbers = [number for number in range(first, len(grid)) if any(_filled(cell) for cell in grid[number])]
    positions = {number: row for row, number in enumerate(numbers)}
    width = len(names)
    rows = [[*grid[number][:width], *[None] * (width - len(grid[number]))] for number in numbers]
    aside = tuple(_aside(rows, numbers))
    cells = list(zip(*rows, strict=True)) or [()] * width
    columns = {name: _taken(cells[column]) for column, name in names.items()}
    doubts = [*_lost(rows, names, numbers), *_covered(merged, names, positions, grid)]
    left_out = {item.row for item in aside}
    return SheetTable(
        columns,
        tuple(number + 1 for number in numbers),
        tuple(sorted((doubt for doubt in doubts if doubt.row not in left_out), key=lambda doubt: doubt.row)),
        aside,
        tuple(str(cell) for row in [*grid[:heading], *_notes(rows, aside)] for cell in row if _filled(cell)),
        last,
    )


def _heading(grid: Grid, merged: Sequence[Merged]) -> int | None:
    """Return the row of the headings: the first that stands over half of the table; a title is one wide cell or two."""
    counts = [sum(map(_filled, row)) for row in grid[:_LOOKED_AT]]
    widest = max(counts, default=0)
    if widest == 0:
        return None
    titles = {number for number, row in enumerate(grid[:_LOOKED_AT]) if _is_title(row, number, merged)}
    for number, count in enumerate(counts):
        wide = count + sum(item.right - item.left for item in merged if item.top == number)
        enough = count >= max(1, widest * _LEAST_CELLS) and wide >= widest * _LEAST_SHARE
        if enough and number not in titles:
            return number
    filled = [number for number, count in enumerate(counts) if count]
    return next((number for number in filled if number not in titles), filled[0])


def _is_title(row: Sequence[Any], number: int, merged: Sequence[Merged]) -> bool:
    """Tell whether a row is one cell merged sideways, or has beside one cell only entries such as the unit or the day."""
    words = [str(cell) for cell in row if _filled(cell)]
    others = [word for word in words if _ENTRY.match(_bare(word)) is None]
    if len(words) > len(others):
        return len(others) <= 1
    return len(words) == 1 and any(item.top == number and item.left < item.right for item in merged)


def _last_heading(grid: Grid, first: int, merged: Sequence[Merged]) -> int:
    """Return the last row of the headings: cells merged downwards reach to it, cells merged sideways have words below them."""
    here = [item for item in merged if item.top == first]
    last = max((item.bottom for item in here), default=first)
    if last == first and any(item.left < item.right for item in here):
        last = first + 1
    rows = grid[first : last + 1]
    return last if len(rows) == last + 1 - first and all(map(_all_texts, rows)) else first


def _filled(cell: Any) -> bool:
    return cell is not None and not (isinstance(cell, str) and not cell.strip())


def _all_texts(row: Sequence[Any]) -> bool:
    return all(isinstance(cell, str) and not _is_number(cell) for cell in row if _filled(cell))


def _is_number(text: str) -> bool:
    return re.fullmatch(r"[+-]?\d+(\.\d+)?", text.strip()) is not None


def _names(grid: Grid, first: int, last: int, merged: Sequence[Merged]) -> dict[int, str]:
    """Return the headings by column; where a heading spans several rows, its words from top to bottom."""
    width = max(len(row) for row in grid)
    spread = {
        (row, column): grid[item.top][item.left]
        for item in merged
        if first <= item.top <= last and item.left < len(grid[item.top])
        for row in range(item.top, min(item.bottom, last) + 1)
        for column in range(item.left, item.right + 1)
    }
    names: dict[int, str] = {}
    for column in range(width):
        words: dict[str, None] = {}
        for row in range(first, last + 1):
            own = grid[row][column] if column < len(grid[row]) else None
            cell = spread.get((row, column), own)
            if _filled(cell):
                words[_SPACE.sub(" ", str(cell)).strip()] = None
        below = any(column < len(row) and _filled(row[column]) for row in grid[last + 1 :])
        if words or below:
            names[column] = " ".join(words) or f"column {letters_of(column)}"
    return _apart(names)


def _apart(names: dict[int, str]) -> dict[int, str]:
    """Keep headings of the same words apart: the second one gets _2 behind it, and so on."""
    taken: set[str] = set()
    for column, name in names.items():
        number, own = 1, name
        while own in taken:
            number += 1
            own = f"{name}_{number}"
        taken.add(own)
        names[column] = own
    return names


def letters_of(column: int) -> str:
    """Return the letters of a 0-based column.

    >>> letters_of(0), letters_of(27)
    ('A', 'AB')
    """
    letters = ""
    number = column + 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def _is_numbering(grid: Grid, number: int) -> bool:
    """Tell whether a row numbers the columns (栏次: 甲 乙 1 2 3), as statistical forms have it below their headings."""
    if number >= len(grid):
        return False
    words = [_bare(str(cell)).strip("()").removesuffix(".0") for cell in grid[number] if _filled(cell)]
    if len(words) < sum(map(_filled, grid[number - 1])):
        return False
    counted = [word for word in words if word not in ("甲", "乙", "丙", "丁", "栏次", "序号")]
    return len(counted) >= _NUMBERED and counted == [str(n) for n in range(1, len(counted) + 1)]


def _bare(text: str) -> str:
    return _SPACE.sub("", unicodedata.normalize("NFKC", text)).lower()


def _aside(rows: list[list[Any]], numbers: list[int]) -> Iterator[Aside]:
    for row, cells in enumerate(rows):
        text = next((cell for cell in cells if isinstance(cell, str) and _filled(cell)), None)
        if text is None:
            continue
        first, where = _bare(text), f"sheet row {numbers[row] + 1}"
        if is_total(text):
            yield Aside(row, "total_row", f"{where}: {first} is a total of the rows above, no record")
        elif _NOTE.match(first) and _is_note(cells):
            yield Aside(row, "note_row", f"{where}: {first[:40]!r} is a note below the table, no record")


def is_total(text: str) -> bool:
    """Tell whether a text says that its row is a total of others.

    >>> is_total("合 计："), is_total("合计镇")
    (True, False)
    """
    return _TOTAL.match(_bare(text)) is not None


def _is_note(cells: list[Any]) -> bool:
    """Tell whether a row holds only a few texts."""
    filled = [cell for cell in cells if _filled(cell)]
    return len(cells) > len(filled) <= _NOTES and all(isinstance(cell, str) for cell in filled)


def _taken(cells: Sequence[Any]) -> list[Any]:
    """Return the values of a column, None for those that are lost."""
    if Lost not in set(map(type, cells)):
        return list(cells)
    return [None if isinstance(cell, Lost) else cell for cell in cells]


def _notes(rows: list[list[Any]], aside: Sequence[Aside]) -> list[list[Any]]:
    return [rows[item.row] for item in aside if item.rule == "note_row"]


def _lost(rows: list[list[Any]], names: dict[int, str], numbers: list[int]) -> Iterator[Doubt]:
    for row, cells in enumerate(rows):
        if Lost not in map(type, cells):
            continue
        for column, cell in enumerate(cells):
            if isinstance(cell, Lost) and column in names:
                yield Doubt(row, cell.rule, f"{names[column]}: {cell.words} (sheet row {numbers[row] + 1})")


def _covered(
    merged: Sequence[Merged], names: dict[int, str], positions: dict[int, int], grid: Grid
) -> Iterator[Doubt]:
    """Name the records whose cell is merged with another's: which of them the value belongs to cannot be told."""
    for item in merged:
        if item.top not in positions or item.left >= len(grid[item.top]):
            continue
        value = grid[item.top][item.left]
        if isinstance(value, Lost) or not _filled(value):
            continue
        for number in range(item.top, item.bottom + 1):
            for column in range(item.left, item.right + 1):
                if (number, column) != (item.top, item.left) and number in positions and column in names:
                    yield Doubt(
                        positions[number],
                        "cell_merged",
                        f"{names[column]}: the cell is merged with one that holds {shown(value)}; it was left empty"
                        f" (sheet row {number + 1})",
                    )


def shown(value: Any) -> str:
    """Return a value of a cell as a message shows it."""
    return value.isoformat() if isinstance(value, dt.date) else repr(value)


def stored(value: Any, number_format: str) -> Any:
    """Return the value of a cell as it stands: whole numbers as such, zeros that the format puts before them, days as days.

    A number of more digits than a spreadsheet keeps is lost.

    >>> stored(601, "0000"), stored(2.0, "General"), stored(1.2e18, "0")
    ('0601', 2, Lost(rule='digits_lost', words='1200000000000000000 is a number of more than 15 digits, so its last ones are lost'))
    """
    if isinstance(value, bool):
        return value
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int | float) and abs(value) >= EXACT_BELOW:
        return Lost("digits_lost", f"{value} is a number of more than 15 digits, so its last ones are lost")
    if isinstance(value, int) and value >= 0 and len(number_format) > 1 and set(number_format) == {"0"}:
        return str(value).zfill(len(number_format))
    if isinstance(value, dt.datetime):
        return value.date() if value.time() == dt.time(0) else value.isoformat()
    return str(value) if isinstance(value, dt.time | dt.timedelta) else value


def stored_numbers(values: Sequence[int | float], number_format: str) -> list[Any]:
    """Return what `stored` says of each of many numbers of one format.

    >>> stored_numbers([601, 2.0, 1.5], "General")
    [601, 2, 1.5]
    """
    zeros = len(number_format) > 1 and set(number_format) == {"0"}
    if zeros or not max(map(abs, values), default=0) < EXACT_BELOW:
        return [stored(value, number_format) for value in values]
    return [int(value) if type(value) is float and value.is_integer() else value for value in values]
