"""Draw the sheet of a case (宗地、单元、镇街图表): its map with numbers, then tables that go on to further pages without losing a row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.text import Text

from lowland_gis.definitions.legend import Legend, Paper, read_legend
from lowland_gis.products.maps.drawing import page_settings
from lowland_gis.products.maps.fonts import drawn, font_families
from lowland_gis.products.maps.pdf_font import Letters
from lowland_gis.products.maps.pdf_pages import POINTS, Page, document
from lowland_gis.products.maps.pdf_renderer import draw_figure
from lowland_gis.products.maps.sheet_map import PAPERS, MapView, draw_map

# Points: margins of the page, sizes of letters, and what stands between lines.
_SIDE, _TOP, _BOTTOM = 42.0, 40.0, 46.0
_TITLE, _FACT, _HEAD, _CELL, _NOTE = 17.0, 9.0, 11.0, 8.0, 7.0
_LEAD, _PAD, _GAP = 1.32, 3.0, 15.0
# Of the page's height: where the map stands on the first page; below it is its legend.
_MAP_TOP, _MAP_SHARE = 0.895, 0.40
_KEY_ROW, _KEY_COLUMNS = 12.0, 4
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


@dataclass(frozen=True)
class CaseSheet:
    """What a sheet shows: facts are name → text below the title, notes (sources) stand below the tables; `mark` and `stale` stand beside the title."""

    title: str
    facts: Mapping[str, str]
    view: MapView
    tables: tuple[SheetTable, ...]
    notes: tuple[str, ...]
    mark: str = ""
    stale: str = ""
    legend: Legend = field(default_factory=read_legend)

    @cached_property
    def texts(self) -> list[str]:
        """Return every text that stands beside the map."""
        cells = [text for table in self.tables for row in table.rows for text in row]
        heads = [
            text
            for table in self.tables
            for text in (table.title, table.note, *(c.heading for c in table.columns))
        ]
        return [
            self.title,
            self.mark,
            self.stale,
            *self.facts,
            *self.facts.values(),
            *self.notes,
            *heads,
            *cells,
        ]


def case_map(sheet: CaseSheet, size: tuple[float, float] = (5.4, 4.2)) -> bytes:
    """Return the map of a case alone, as a PNG for a document.

    Raises:
        UsageError: no font can show the text.
    """
    families = font_families()
    with mpl.rc_context(page_settings(families)):
        figure = Figure(figsize=size, facecolor=sheet.legend.paper.ground)
        box = (0.01, 0.14, 0.98, 0.85)
        draw_map(figure.add_axes(box), sheet.view, sheet.legend, (box[2] * size[0], box[3] * size[1]), "原图")
        return drawn(figure, families, "map.png")


class SheetDrawer:
    """Draws sheets of a batch, for which the letters are taken out of the fonts once."""

    def __init__(self, paper: str = "a4") -> None:
        """Look for the fonts.

        Raises:
            UsageError: no Chinese font is installed.
        """
        self.paper, self.size = paper.upper(), PAPERS[paper]
        self._families = font_families()
        self._letters = Letters(self._families)
        self._letters.take("（续）第页共北续表：·0123456789,.%")

    def take(self, texts: Sequence[str]) -> None:
        """Have the letters of texts that are to come, so that the fonts are made small once for all of them.

        Raises:
            UsageError: no font has one of them.
        """
        self._letters.take(texts)

    def drawn(self, sheet: CaseSheet) -> bytes:
        """Return a sheet as a PDF.

        Raises:
            UsageError: no font can show a text.
        """
        self._letters.take(sheet.texts)
        while True:
            state = self._letters.state
            pages = self._pages(sheet)
            # Letters that only the map has make the font another one, and the codes of the pages with it.
            if self._letters.state == state:
                return document(
                    pages,
                    sheet.title,
                    "" if sheet.legend.digest is None else f"legend sha256 {sheet.legend.digest}",
                )

    def _pages(self, sheet: CaseSheet) -> list[Page]:
        with mpl.rc_context(page_settings(self._families)):
            figure, bottom = self._first(sheet)
            self._letters.take([text.get_text() for text in figure.findobj(Text)])
            flow = _Flow(self.size, self._letters, sheet)
            draw_figure(figure, flow.page)
        flow.heading(first=True)
        flow.y = bottom
        for table in sheet.tables:
            flow.table(table)
        flow.notes()
        flow.number()
        return flow.pages

    def _first(self, sheet: CaseSheet) -> tuple[Figure, float]:
        """Return the map of the first page, and how far down the page it goes [points]."""
        width, height = self.size
        figure = Figure(figsize=self.size, facecolor="none")
        share = 1 - 2 * _SIDE / (width * POINTS)
        box = (_SIDE / (width * POINTS), _MAP_TOP - _MAP_SHARE, share, _MAP_SHARE)
        axes = figure.add_axes(box)
        draw_map(axes, sheet.view, sheet.legend, (share * width, _MAP_SHARE * height), self.paper)
        entries = len(axes.get_legend().get_texts())
        rows = -(-entries // _KEY_COLUMNS)
        return figure, (_MAP_TOP - _MAP_SHARE) * height * POINTS - rows * _KEY_ROW - _GAP


class _Flow:
    """Pages that are filled from above; `y` is how far down the newest one is filled."""

    def __init__(self, size: tuple[float, float], letters: Letters, sheet: CaseSheet) -> None:
        self._size, self._letters, self._sheet = size, letters, sheet
        self._paper: Paper = sheet.legend.paper
        self.pages: list[Page] = []
        self.page = self._begun()
        self.y = self.page.height - _TOP

    def _begun(self) -> Page:
        page = Page(self._size, self._letters)
        page.rectangle(0, 0, page.width, page.height, self._paper.ground)
        self.pages.append(page)
        return page

    @property
    def width(self) -> float:
        """Return how wide texts may be."""
        return self.page.width - 2 * _SIDE

    def heading(self, *, first: bool) -> None:
        """Write the title of a page, with what it is marked as; on the first one the facts."""
        ink, sheet = self._paper.ink, self._sheet
        top = self.page.height - _TOP
        if not first:
            self.page.text(_SIDE, top, f"{sheet.title}（续）", _HEAD, ink)
        else:
            room = self.width - self._letters.width(sheet.mark, _FACT) - 20
            size = min(_TITLE, _TITLE * room / max(self._letters.width(sheet.title, _TITLE), 1.0))
            self.page.text(_SIDE, top - 6, sheet.title, size, ink)
            facts = "　".join(f"{name} {value}" for name, value in sheet.facts.items())
            for number, line in enumerate(self._lines(facts, _FACT, self.width)[:2]):
                self.page.text(_SIDE, top - 24 - 12 * number, line, _FACT, self._paper.quiet)
        right = self.page.width - _SIDE
        if sheet.mark:
            self.page.text(right, top, sheet.mark, _FACT, self._paper.mark, "right")
        if sheet.stale:
            self.page.text(right, top - 12, sheet.stale, _FACT, self._paper.mark, "right")
        self.y = top - _GAP

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
        full = self.page.height - _TOP - _GAP - _BOTTOM
        highest = int((full - self._head_height()) / (_CELL * _LEAD)) - 2
        waiting = [part for row in rows for part in self._cut(row, widths, highest)]
        needed = self._head_height() + sum(map(_height, waiting)) / blocks
        if needed > self.y - _BOTTOM and needed < _KEPT * full:
            yield None
        while waiting:
            room = self.y - _BOTTOM - self._head_height()
            taken, columns = self._taken(waiting, room, blocks)
            if not taken or (
                taken < min(_LEAST_ROWS, len(waiting)) and self.y < self.page.height - _TOP - 2 * _GAP
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
            below = int(room / (_height(waiting[0])))
            return min(len(waiting), max(0, below) * blocks), below
        used = taken = 0
        for row in waiting:
            used += _height(row)  # type: ignore[assignment]
            if used > room:
                break
            taken += 1
        return taken, taken

    def _widths(self, table: SheetTable, blocks: int) -> list[float]:
        width = (self.width - (blocks - 1) * _GAP) / blocks
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
            left = _SIDE + block * (sum(widths) + _GAP)
            y = self._heads(table, widths, left, top)
            for row in some:
                y = self._row(table, row, widths, left, y)
            lowest = min(lowest, y)
        self.y = lowest - (_PAD if table.note else _GAP)

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
        self.page.text(_SIDE, self.y - _HEAD, title, _HEAD, self._paper.ink)
        self.page.line(
            (_SIDE, self.y - _HEAD - 5), (_SIDE + self.width, self.y - _HEAD - 5), self._paper.quiet, 0.6
        )
        self.y -= _HEAD + 9

    @staticmethod
    def _head_height() -> float:
        return _HEAD + 9 + _CELL * _LEAD + 2 * _PAD

    def _note(self, text: str) -> None:
        for line in self._lines(text, _NOTE, self.width):
            self._room(_NOTE * _LEAD)
            self.page.text(_SIDE, self.y - _NOTE, line, _NOTE, self._paper.quiet)
            self.y -= _NOTE * _LEAD
        self.y -= _GAP

    def notes(self) -> None:
        """Write the sources."""
        self.y -= _PAD
        self._note("　".join(self._sheet.notes))

    def number(self) -> None:
        """Write on each page which of how many it is."""
        for number, page in enumerate(self.pages, start=1):
            text = f"第 {number} 页　共 {len(self.pages)} 页"
            page.text(page.width / 2, _BOTTOM / 2, text, _NOTE, self._paper.quiet, "center")

    def _room(self, height: float) -> None:
        if self.y - height < _BOTTOM:
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
