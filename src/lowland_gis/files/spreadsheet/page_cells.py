"""Tables of a web page under the name of a workbook (.xls), as systems of offices export them.

Every cell is a text, as it is written: so codes keep their zeros here, which they lose where Excel opens the page and saves it.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

from lowland_gis.files.spreadsheet.stored_sheet import StoredSheet, UnreadableError, refuse_too_many

_CHARSET = re.compile(rb"charset\s*=\s*[\"']?\s*([A-Za-z0-9_-]+)", re.IGNORECASE)
_HEAD_BYTES = 4096
# What a page declares, and what bureaus write under that name.
_WIDER = {"gb2312": "gb18030", "gbk": "gb18030"}
_HIDDEN = re.compile(r"display\s*:\s*none", re.IGNORECASE)
# HTML counts no further (section 4.9.11); so a span of a slip takes no memory.
_MOST_SPAN = 1000
_CELLS, _UNSEEN = ("td", "th"), ("style", "script", "title")


def sheets(path: str) -> list[StoredSheet]:
    """Return every table of the page as a sheet.

    Raises:
        UnreadableError: it holds no table, its text is in no encoding that it may be in, or it is too large.
    """
    reading = _Reading()
    reading.feed(_text(Path(path).read_bytes()))
    reading.close()
    if reading.open:
        raise UnreadableError(
            "the page ends within a table, so a part of it is missing. Ask the sender for it again"
        )
    found = [table.sheet for table in reading.tables if table.sheet.rows]
    if not found:
        raise UnreadableError("it is a web page without a table. Ask the sender for the table itself")
    return found


def _text(content: bytes) -> str:
    """Return the text of a page: by its mark, as UTF-8 where it is that, else as it declares, else by what its bytes can be."""
    if content.startswith(codecs.BOM_UTF8):
        return _decoded(content, "utf-8-sig")
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return _decoded(content, "utf-16")
    said = _CHARSET.search(content[:_HEAD_BYTES])
    # What is UTF-8 to the last byte is no other encoding, whatever the page declares.
    names = ["utf-8", "gb18030"]
    if said is not None:
        name = said[1].decode("ascii").lower()
        names.insert(1, _WIDER.get(name, name))
    for name in names:
        try:
            return content.decode(name)
        except (UnicodeDecodeError, LookupError):
            continue
    return _decoded(content, names[-1])


def _decoded(content: bytes, name: str) -> str:
    try:
        return content.decode(name)
    except UnicodeDecodeError as error:
        raise UnreadableError(
            f"its text is neither in {name} nor in another encoding of China (byte {error.start:,} cannot be). Ask the sender for it again"
        ) from error


@dataclass
class _Table:
    """A table that is being read: its rows, and for each column until which row a cell from above reaches."""

    sheet: StoredSheet
    row: list[str | None] | None = None
    covered: dict[int, int] = field(default_factory=dict)
    cell: list[str] | None = None
    spans: tuple[int, int] = (1, 1)
    widest: int = 0

    def begin_row(self, *, hidden: bool) -> None:
        self.end_row()
        self.row = []
        if hidden:
            self.sheet.hidden_rows.append(len(self.sheet.rows))

    def end_row(self) -> None:
        self.end_cell()
        if self.row is not None:
            self.sheet.rows.append(self.row)
            refuse_too_many(self.sheet.name, len(self.sheet.rows), self.widest)
        self.row = None

    def begin_cell(self, spans: tuple[int, int]) -> None:
        self.end_cell()
        if self.row is None:
            self.row = []
        self.cell, self.spans = [], spans

    def end_cell(self) -> None:
        """Put the cell in the next place that no cell from above covers."""
        if self.cell is None or self.row is None:
            return
        number, (down, across) = len(self.sheet.rows), self.spans
        while self.covered.get(len(self.row), -1) >= number:
            self.row.append(None)
        place = len(self.row)
        text = " ".join("".join(self.cell).split())
        self.row += [text or None, *[None] * (across - 1)]
        self.widest = max(self.widest, len(self.row))
        if (down, across) != (1, 1):
            self.sheet.merged.append((number, number + down - 1, place, place + across - 1))
            self.covered |= dict.fromkeys(range(place, place + across), number + down - 1)
        self.cell = None


class _Reading(HTMLParser):
    """Reads tables as browsers do: a cell ends where the next begins, whether it was closed or not; a table in a cell is one of its own."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tables: list[_Table] = []
        self.open: list[_Table] = []
        self._unseen = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        if tag in _UNSEEN:
            self._unseen += 1
        elif tag == "table":
            name = said.get("id") or said.get("name") or f"table{len(self.tables) + 1}"
            self.tables.append(_Table(StoredSheet(name)))
            self.open.append(self.tables[-1])
        elif not self.open:
            return
        elif tag == "tr":
            self.open[-1].begin_row(hidden=bool(_HIDDEN.search(said.get("style", ""))))
        elif tag in _CELLS:
            self.open[-1].begin_cell((_span(said.get("rowspan")), _span(said.get("colspan"))))
        elif tag == "br":
            self.handle_data(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag in _UNSEEN:
            self._unseen = max(0, self._unseen - 1)
        elif not self.open:
            return
        elif tag == "table":
            self.open.pop().end_row()
        elif tag == "tr":
            self.open[-1].end_row()
        elif tag in _CELLS:
            self.open[-1].end_cell()

    def handle_data(self, data: str) -> None:
        if self.open and not self._unseen and self.open[-1].cell is not None:
            self.open[-1].cell.append(data)


def _span(said: str | None) -> int:
    text = (said or "").strip()
    return min(max(int(text), 1), _MOST_SPAN) if text.isascii() and text.isdigit() else 1
