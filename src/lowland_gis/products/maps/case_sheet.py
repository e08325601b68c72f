"""Draw the sheet of a case (宗地、单元、镇街图表): its map with numbers, then tables that go on to further pages without losing a row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.text import Text

from lowland_gis.definitions.legend import Legend, read_legend
from lowland_gis.products.maps.drawing import page_settings
from lowland_gis.products.maps.fonts import drawn, font_families
from lowland_gis.products.maps.pdf_font import Letters
from lowland_gis.products.maps.pdf_pages import POINTS, Page, document
from lowland_gis.products.maps.pdf_renderer import draw_figure
from lowland_gis.products.maps.sheet_flow import GAP, SIDE, Flow, SheetTable
from lowland_gis.products.maps.sheet_map import PAPERS, MapView, draw_map

# Of the page's height: where the map stands on the first page; below it is its legend.
_MAP_TOP, _MAP_SHARE = 0.895, 0.40
_KEY_ROW, _KEY_COLUMNS = 12.0, 4


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
            flow = Flow(self.size, self._letters, sheet, sheet.legend.paper)
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
        share = 1 - 2 * SIDE / (width * POINTS)
        box = (SIDE / (width * POINTS), _MAP_TOP - _MAP_SHARE, share, _MAP_SHARE)
        axes = figure.add_axes(box)
        draw_map(axes, sheet.view, sheet.legend, (share * width, _MAP_SHARE * height), self.paper)
        key = axes.get_legend()
        entries = 0 if key is None else len(key.get_texts())
        rows = -(-entries // _KEY_COLUMNS)
        return figure, (_MAP_TOP - _MAP_SHARE) * height * POINTS - rows * _KEY_ROW - GAP
