"""A form (填报表) that is sent out as a workbook and comes back: what belongs into each cell, and every fault named by its cell."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Literal

from lowland_gis.analysis.fields.spreadsheet import Formula, Lost, Merged, is_total, letters_of

# 0-based: title, note, headings; records stand below them.
HEADING, FIRST = 2, 3
EXPLAINED, LISTED = "说明", "选项"
_GREATEST = 1e15
_EXAMPLE_DAY = dt.date(2026, 3, 1)

ColumnKind = Literal["code", "text", "choice", "number", "day"]


@dataclass(frozen=True)
class FormColumn:
    """One column: its key, its heading with the unit, what belongs into it and what that means.

    `choices` names the list that it is chosen from; one that is not `checked` is looked at later, by who knows why a value is wrong.
    A row in which nothing but what is `given` with the form stands is no record.
    """

    key: str
    heading: str
    kind: ColumnKind
    meaning: str
    needed: bool = True
    choices: str | None = None
    checked: bool = True
    given: bool = False


@dataclass(frozen=True)
class FormSheet:
    """One sheet of a form: its name, the title over it, a note, and its columns."""

    name: str
    title: str
    note: str
    columns: tuple[FormColumn, ...]


@dataclass(frozen=True)
class Choices:
    """What may be chosen: the first of each row, beside it what helps to choose."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str | float, ...], ...]

    @property
    def values(self) -> tuple[str, ...]:
        """Return what may be chosen."""
        return tuple(str(row[0]) for row in self.rows)


@dataclass(frozen=True)
class Form:
    """Sheets to be filled in, and the lists that their cells are chosen from; `explained` are rows of words for the sheet beside them."""

    sheets: tuple[FormSheet, ...]
    lists: Mapping[str, Choices]
    explained: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True)
class Typed:
    """A sheet as somebody filled it in: cells as they were typed, and its merged ranges."""

    name: str
    rows: Sequence[Sequence[Any]]
    merged: tuple[Merged, ...] = ()


@dataclass(frozen=True)
class FormFault:
    """What is wrong with one cell."""

    sheet: str
    cell: str
    words: str

    @property
    def gathered(self) -> tuple[str, str, str]:
        """Return place, own line, and words that fit every place with the same fault."""
        place = f"{self.sheet}!{self.cell}"
        return place, f"{place}: {self.words}", self.words


@dataclass(frozen=True)
class FormRow:
    """A record: the sheet, its 1-based row there, what was said by key (None: empty), and the cell of each key."""

    sheet: str
    number: int
    said: Mapping[str, Any]
    cells: Mapping[str, str] = field(repr=False)

    def fault(self, key: str, words: str) -> FormFault:
        """Return a fault of one of its cells."""
        return FormFault(self.sheet, self.cells[key], words)


@dataclass(frozen=True)
class Filled:
    """A form that came back: records by the name of their sheet, and all that is wrong."""

    rows: Mapping[str, tuple[FormRow, ...]]
    faults: tuple[FormFault, ...]


def filled(form: Form, typed: Sequence[Typed]) -> Filled:
    """Return what a form says that came back. A cell with a fault is empty in its record; other faults of the record are told too."""
    there = {sheet.name: sheet for sheet in typed}
    faults = [*_strangers(form, typed)]
    rows: dict[str, tuple[FormRow, ...]] = {}
    for sheet in form.sheets:
        found = there.get(sheet.name)
        if found is None:
            faults.append(FormFault(sheet.name, "A1", "the sheet is missing: it was deleted or renamed"))
            continue
        reading = _Reading(form, sheet, found)
        rows[sheet.name] = tuple(reading.records())
        faults += reading.faults
    return Filled(rows, tuple(faults))


def _strangers(form: Form, typed: Sequence[Typed]) -> Iterator[FormFault]:
    ours = {*(sheet.name for sheet in form.sheets), EXPLAINED, LISTED}
    for sheet in typed:
        cell = next(
            (_at(row, column) for row, cells in enumerate(sheet.rows) for column, cell in enumerate(cells) if _filled(cell)), None
        )  # fmt: skip
        if sheet.name not in ours and cell is not None:
            yield FormFault(
                sheet.name, cell, "the sheet is none of the form, so it would not be read: delete it"
            )


class _Reading:
    """One sheet that came back, read against what was sent out."""

    def __init__(self, form: Form, sheet: FormSheet, typed: Typed) -> None:
        self._form, self._sheet, self._typed = form, sheet, typed
        self.faults: list[FormFault] = []
        self._places = self._headed()

    def records(self) -> Iterator[FormRow]:
        """Yield the records, and note what is wrong with anything on the sheet."""
        self._look_at_title()
        self._look_at_merged()
        self._look_beside()
        for number in range(FIRST, len(self._typed.rows)):
            cells = {column.key: self._cell(number, column) for column in self._sheet.columns}
            named = {column.key: _at(number, self._places[column.key]) for column in self._sheet.columns}
            total = next(
                (column.key for column in self._sheet.columns if is_total(_text(cells[column.key]))), None
            )
            if total is not None:
                self._fault(named[total], "this is a row of totals, and no record: delete it")
            elif any(_filled(cells[column.key]) for column in self._sheet.columns if not column.given):
                said = {
                    column.key: self._value(column, cells[column.key], named[column.key])
                    for column in self._sheet.columns
                }
                yield FormRow(self._sheet.name, number + 1, said, named)
            else:
                for column in self._sheet.columns:
                    if _filled(cells[column.key]):
                        self._value(column, cells[column.key], named[column.key])

    def _headed(self) -> dict[str, int]:
        """Return the column in which each heading stands; one that is not there keeps its own place."""
        row = self._typed.rows[HEADING] if len(self._typed.rows) > HEADING else []
        stand: dict[str, list[int]] = {}
        for place, cell in enumerate(row):
            if _filled(cell):
                stand.setdefault(_text(cell), []).append(place)
        places: dict[str, int] = {}
        for own, column in enumerate(self._sheet.columns):
            found = stand.get(column.heading)
            places[column.key] = own if not found else found[0]
            if not found:
                here = _text(row[own]) if own < len(row) else ""
                instead = f", here stands {here!r}" if here else ""
                self._fault(
                    _at(HEADING, own), f"the heading is not {column.heading!r} any more{instead}: put it back"
                )
        self._look_at_order(places, {key for key in places if stand.get(self._heading(key))})
        known = {column.heading for column in self._sheet.columns}
        lost = {own for own, column in enumerate(self._sheet.columns) if column.heading not in stand}
        for text, at in stand.items():
            for place in at[1:] if text in known else [each for each in at if each not in lost]:
                self._fault(
                    _at(HEADING, place), f"the column {text!r} is none of the form: it was added; delete it"
                )
        return places

    def _heading(self, key: str) -> str:
        return next(column.heading for column in self._sheet.columns if column.key == key)

    def _look_at_order(self, places: Mapping[str, int], there: set[str]) -> None:
        """Note which columns were moved: those that must go back for all to be in their order again."""
        keys = [column.key for column in self._sheet.columns if column.key in there]
        kept = _longest_rise([places[key] for key in keys])
        for order, key in enumerate(keys):
            if order not in kept:
                own = next(n for n, column in enumerate(self._sheet.columns) if column.key == key)
                self._fault(
                    _at(HEADING, places[key]),
                    f"the column {self._heading(key)!r} was moved: in the form it is column {letters_of(own)}; put it back",
                )

    def _look_at_title(self) -> None:
        row = self._typed.rows[0] if len(self._typed.rows) else []
        said = _text(row[0]) if row else ""
        if said != self._sheet.title:
            self._fault(
                "A1",
                f"the title is {said!r}, and that of this form {self._sheet.title!r}: is it the form of another year?",
            )

    def _look_at_merged(self) -> None:
        for item in self._typed.merged:
            if item.bottom >= HEADING:
                until = _at(item.bottom, item.right)
                self._fault(
                    _at(item.top, item.left),
                    f"the cells {_at(item.top, item.left)}:{until} are merged, so it cannot be told to what the value belongs: take them apart",
                )

    def _look_beside(self) -> None:
        """Note what stands in columns without a heading of the form: the first cell of each."""
        ours = set(self._places.values())
        headed = {
            place for place, cell in enumerate(self._typed.rows[HEADING]) if _filled(cell)
        } if len(self._typed.rows) > HEADING else set()  # fmt: skip
        beside: dict[int, int] = {}
        for number in range(FIRST, len(self._typed.rows)):
            for place, cell in enumerate(self._typed.rows[number]):
                if _filled(cell) and place not in ours | headed:
                    beside.setdefault(place, number)
        for place, number in beside.items():
            self._fault(
                _at(number, place), "it stands beside the form, in a column without a heading: delete it"
            )

    def _cell(self, number: int, column: FormColumn) -> Any:
        row, place = self._typed.rows[number], self._places[column.key]
        return row[place] if place < len(row) else None

    def _value(self, column: FormColumn, cell: Any, place: str) -> Any:
        """Return the value of a cell, None where it is empty or has a fault."""
        if not _filled(cell):
            if column.needed:
                self._fault(place, f"{column.heading} is empty: fill it in, or clear the whole row")
            return None
        words = _odd(cell) or self._wrong(column, cell)
        if words is not None:
            self._fault(place, f"{column.heading}: {words}")
            return None
        if column.kind in ("code", "choice", "text"):
            return _text(cell)
        return float(cell) if column.kind == "number" else cell

    def _wrong(self, column: FormColumn, cell: Any) -> str | None:
        """Say what is wrong with a cell that holds a plain value."""
        if column.kind == "number":
            return _wrong_number(cell)
        if column.kind == "day":
            return _wrong_day(cell)
        if column.kind == "code" and not isinstance(cell, str):
            return f"a spreadsheet has made a number of the code ({cell}) and may have cut it: format the cell as text and type it again"
        if column.choices is None or not column.checked:
            return None
        allowed = self._form.lists[column.choices].values
        text = _text(cell)
        if text in allowed:
            return None
        near = get_close_matches(text, allowed, n=1, cutoff=0.4)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        return f"{text!r} is none of the list {LISTED}{hint} Choose it from the list of the cell"

    def _fault(self, cell: str, words: str) -> None:
        self.faults.append(FormFault(self._sheet.name, cell, words))


def _odd(cell: Any) -> str | None:
    """Say what is wrong with a cell that holds no plain value."""
    if isinstance(cell, Formula):
        return f"it is a formula ({cell.text}), whose result may change: type the value"
    if isinstance(cell, Lost):
        return cell.words
    return "it is a yes or no" if isinstance(cell, bool) else None


def _wrong_number(cell: Any) -> str | None:
    if isinstance(cell, str):
        return f"{cell!r} is a text, not a number: type the number alone, without its unit"
    if not isinstance(cell, int | float):
        return f"{cell} is no number"
    if not math.isfinite(cell) or not 0 <= cell < _GREATEST:
        return f"{cell} is less than nothing, or more than can be"
    return None


def _wrong_day(cell: Any) -> str | None:
    if isinstance(cell, str):
        return f"{cell!r} is a text, not a day: type the day itself, such as {_EXAMPLE_DAY}"
    if not isinstance(cell, dt.date):
        return f"{cell} is a number, not a day: type the day itself, such as {_EXAMPLE_DAY}"
    return None


def _longest_rise(places: Sequence[int]) -> set[int]:
    """Return the positions of a longest rising run through places.

    >>> sorted(_longest_rise([0, 3, 1, 2]))
    [0, 2, 3]
    """
    runs: list[list[int]] = []
    for position, place in enumerate(places):
        before: list[int] = []
        for run in runs:
            if places[run[-1]] < place and len(run) > len(before):
                before = run
        runs.append([*before, position])
    longest: list[int] = []
    for run in runs:
        longest = run if len(run) > len(longest) else longest
    return set(longest)


def _at(row: int, column: int) -> str:
    """Return how a spreadsheet names a cell.

    >>> _at(6, 1)
    'B7'
    """
    return f"{letters_of(column)}{row + 1}"


def _filled(cell: Any) -> bool:
    return cell is not None and not (isinstance(cell, str) and not cell.strip())


def _text(cell: Any) -> str:
    if cell is None or isinstance(cell, Formula | Lost):
        return ""
    return str(cell).strip()
