"""Fill the pages of a sheet from above: title, tables that go on to further pages without losing a row, sources and numbers of pages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from lowland_gis.definitions.legend import Paper
from lowland_gis.products.maps.pdf_font import Letters
from lowland_gis.products.maps.pdf_pages import Page

# Points: margins of the page, sizes of letters, and what stands between lines.
SIDE, TOP, BOTTOM = 42.0, 40.0, 46.0
_TITLE, _FACT, _HEAD, _CELL, _NOTE = 17.0, 9.0, 11.0, 8.0, 7.0
_LEAD, _PAD, GAP = 1.32, 3.0, 15.0
_LEAST_ROWS = 2
# A table of less than this share of a page is not cut in two.
_KEPT = 0.3


@dataclass(frozen=True)
class SheetColumn:
    """A column of a table on a sheet: its heading, its share of the width, and on which side its words stand."""

    heading: str
    share: float
    align: Literal["left", "right", "center"] = "left"


@dataclass(frozen=True)
class SheetTable:
    """A table on a sheet; `blocks`: so many of it stand side by side, which is for many narrow rows. A table without rows has its note only."""

    title: str
    columns: tuple[SheetColumn, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""
    blocks: int = 1


class Headed(Protocol):
    """What stands on the pages of a sheet beside its tables."""

    @property
    def title(self) -> str:
        """Return the title."""

    @property
    def facts(self) -> Mapping[str, str]:
        """Return what stands below the title."""

    @property
    def notes(self) -> tuple[str, ...]:
        """Return the sources."""

    @property
    def mark(self) -> str:
        """Return what the sheet is marked as."""

    @property
    def stale(self) -> str:
        """Return whether it is out of date."""


class Flow:
    """Pages that are filled from above; `y` is how far down the newest one is filled."""

    def __init__(self, size: tuple[float, float], letters: Letters, sheet: Headed, paper: Paper) -> None:
        """Begin the first page, of a size in inches."""
        self._size, self._letters, self._sheet = size, letters, sheet
        self._paper = paper
        self.pages: list[Page] = []
        self.page = self._begun()
        self.y = self.page.height - TOP

    def _begun(self) -> Page:
        page = Page(self._size, self._letters)
        page.rectangle(0, 0, page.width, page.height, self._paper.ground)
        self.pages.append(page)
        return page

    @property
    def width(self) -> float:
        """Return how wide texts may be."""
        return self.page.width - 2 * SIDE

    def heading(self, *, first: bool) -> None:
        """Write the title of a page, with what it is marked as; on the first one the facts."""
        ink, sheet = self._paper.ink, self._sheet
        top = self.page.height - TOP
        if not first:
            self.page.text(SIDE, top, f"{sheet.title}（续）", _HEAD, ink)
        else:
            room = self.width - self._letters.width(sheet.mark, _FACT) - 20
            size = min(_TITLE, _TITLE * room / max(self._letters.width(sheet.title, _TITLE), 1.0))
            self.page.text(SIDE, top - 6, sheet.title, size, ink)
            facts = "　".join(f"{name} {value}" for name, value in sheet.facts.items())
            for number, line in enumerate(self._lines(facts, _FACT, self.width)[:2]):
                self.page.text(SIDE, top - 24 - 12 * number, line, _FACT, self._paper.quiet)
        right = self.page.width - SIDE
        if sheet.mark:
            self.page.text(right, top, sheet.mark, _FACT, self._paper.mark, "right")
        if sheet.stale:
            self.page.text(right, top - 12, sheet.stale, _FACT, self._paper.mark, "right")
        self.y = top - GAP

    def table(self, table: SheetTable) -> None:
        """Write a table, on as many pages as it takes."""
        rows = [list(row) for row in table.rows]
        if not rows:
            self._room(_HEAD * 2 + _CELL * 3)
            self._caption(table.title)
            self._note(table.note or "无")
            return
        blocks = max(1, table.blocks)
        started = False
        for wrapped in self._chunks(table, rows, blocks):
            if wrapped is None:
                self._turn()
                continue
            self._caption(f"{table.title}（续表）" if started else table.title)
            started = True
            self._written(table, wrapped, blocks)
        if table.note:
            self._note(table.note)

    def _chunks(
        self, table: SheetTable, rows: list[list[str]], blocks: int
    ) -> Iterator[list[list[list[str]]] | None]:
        """Yield the rows of each page, each row as the lines of its cells; None where another page is to begin."""
        widths = self._widths(table, blocks)
        full = self.page.height - TOP - GAP - BOTTOM
        highest = int((full - self._head_height()) / (_CELL * _LEAD)) - 2
        waiting = [part for row in rows for part in self._cut(row, widths, highest)]
        needed = self._head_height() + sum(map(_height, waiting)) / blocks
        if needed > self.y - BOTTOM and needed < _KEPT * full:
            yield None
        while waiting:
            room = self.y - BOTTOM - self._head_height()
            taken, columns = self._taken(waiting, room, blocks)
            if not taken or (
                taken < min(_LEAST_ROWS, len(waiting)) and self.y < self.page.height - TOP - 2 * GAP
            ):
                yield None
                continue
            del columns
            yield waiting[:taken]
            waiting = waiting[taken:]
            if waiting:
                yield None

    def _cut(self, row: list[str], widths: Sequence[float], highest: int) -> Iterator[list[list[str]]]:
        """Yield a row as the lines of its cells, in parts that each fit on a page."""
        cells = [self._lines(text, _CELL, width - 2 * _PAD) for text, width in zip(row, widths, strict=True)]
        most = max(map(len, cells))
        for start in range(0, most, highest):
            yield [cell[start : start + highest] for cell in cells]

    @staticmethod
    def _taken(waiting: list[list[list[str]]], room: float, blocks: int) -> tuple[int, int]:
        """Return how many rows fit into a room, in so many blocks side by side, and how many stand below each other."""
        if blocks > 1:
            below = int(room / max(map(_height, waiting)))
            return min(len(waiting), max(0, below) * blocks), below
        used = taken = 0
        for row in waiting:
            used += _height(row)  # type: ignore[assignment]
            if used > room:
                break
            taken += 1
        return taken, taken

    def _widths(self, table: SheetTable, blocks: int) -> list[float]:
        width = (self.width - (blocks - 1) * GAP) / blocks
        whole = sum(column.share for column in table.columns)
        return [column.share / whole * width for column in table.columns]

    def _written(self, table: SheetTable, rows: list[list[list[str]]], blocks: int) -> None:
        """Write the rows of one page below headings."""
        widths, top = self._widths(table, blocks), self.y
        below = -(-len(rows) // blocks)
        lowest = top
        for block in range(blocks):
            some = rows[block * below : (block + 1) * below]
            if not some:
                break
            left = SIDE + block * (sum(widths) + GAP)
            y = self._heads(table, widths, left, top)
            for row in some:
                y = self._row(table, row, widths, left, y)
            lowest = min(lowest, y)
        self.y = lowest - (_PAD if table.note else GAP)

    def _heads(self, table: SheetTable, widths: Sequence[float], left: float, y: float) -> float:
        height = _CELL * _LEAD + 2 * _PAD
        self.page.rectangle(left, y - height, sum(widths), height, "#E7ECEF")
        x = left
        for column, width in zip(table.columns, widths, strict=True):
            self._cell(column.heading, x, y, width, column.align)
            x += width
        return y - height

    def _row(
        self, table: SheetTable, row: list[list[str]], widths: Sequence[float], left: float, y: float
    ) -> float:
        x = left
        for column, lines, width in zip(table.columns, row, widths, strict=True):
            for number, line in enumerate(lines):
                self._cell(line, x, y - number * _CELL * _LEAD, width, column.align)
            x += width
        y -= _height(row)
        self.page.line((left, y), (left + sum(widths), y), "#D0D5D8", 0.4)
        return y

    def _cell(self, text: str, x: float, y: float, width: float, align: str) -> None:
        place = x + _PAD if align == "left" else x + width - _PAD if align == "right" else x + width / 2
        self.page.text(place, y - _PAD - _CELL * 0.92, text, _CELL, self._paper.ink, align)

    def _caption(self, title: str) -> None:
        self.page.text(SIDE, self.y - _HEAD, title, _HEAD, self._paper.ink)
        self.page.line(
            (SIDE, self.y - _HEAD - 5), (SIDE + self.width, self.y - _HEAD - 5), self._paper.quiet, 0.6
        )
        self.y -= _HEAD + 9

    @staticmethod
    def _head_height() -> float:
        return _HEAD + 9 + _CELL * _LEAD + 2 * _PAD

    def _note(self, text: str) -> None:
        for line in self._lines(text, _NOTE, self.width):
            self._room(_NOTE * _LEAD)
            self.page.text(SIDE, self.y - _NOTE, line, _NOTE, self._paper.quiet)
            self.y -= _NOTE * _LEAD
        self.y -= GAP

    def notes(self) -> None:
        """Write the sources."""
        self.y -= _PAD
        self._note("　".join(self._sheet.notes))

    def number(self) -> None:
        """Write on each page which of how many it is."""
        for number, page in enumerate(self.pages, start=1):
            text = f"第 {number} 页　共 {len(self.pages)} 页"
            page.text(page.width / 2, BOTTOM / 2, text, _NOTE, self._paper.quiet, "center")

    def _room(self, height: float) -> None:
        if self.y - height < BOTTOM:
            self._turn()

    def _turn(self) -> None:
        self.page = self._begun()
        self.heading(first=False)
        self.y -= _PAD

    def _lines(self, text: str, size: float, width: float) -> list[str]:
        """Return a text in lines of a width; it is cut between letters where there is no blank to cut at."""
        found: list[str] = []
        for paragraph in text.split("\n"):
            line, used = "", 0.0
            for word in _words(paragraph):
                wide = self._letters.width(word, size)
                if line and used + wide > width:
                    found.append(line.rstrip())
                    line, used = "", 0.0
                if wide > width:
                    for sign in word:
                        one = self._letters.width(sign, size)
                        if line and used + one > width:
                            found.append(line)
                            line, used = "", 0.0
                        line, used = line + sign, used + one
                    continue
                line, used = line + word, used + wide
            found.append(line.rstrip())
        return found or [""]


def _height(row: list[list[str]]) -> float:
    return max(1, *map(len, row)) * _CELL * _LEAD + 2 * _PAD - 1


def _words(text: str) -> Iterator[str]:
    """Yield a text in parts that are not cut: words and numbers as a whole, Chinese letters one by one."""
    word = ""
    for sign in text:
        if sign.isascii() and not sign.isspace():
            word += sign
            continue
        if word:
            yield word
            word = ""
        yield sign
    if word:
        yield word
