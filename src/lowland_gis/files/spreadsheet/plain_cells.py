"""Read the cells of an ordinary sheet straight from its XML, several times as fast as openpyxl, and with the same values.

Whatever is not ordinary (a formula, an error, rich text, a day in words) is left to openpyxl: then nothing is returned.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.parsers import expat

from lowland_gis.files.spreadsheet.quick_cells import (
    Meaning,
    UnusualError,
    column_of,
    number_of,
    quick_rows,
    unescaped,
)

_BLOCK = 1 << 20
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_ROW, _CELL, _VALUE, _INLINE, _TEXT = (f"{_MAIN}{name}" for name in ("row", "c", "v", "is", "t"))
# Kinds of cells that are read here: numbers, shared and own texts, yes or no.
_ORDINARY = ("n", "s", "str", "b", "inlineStr")


def plain_rows(path: Path, part: str, meaning: Meaning) -> list[list[Any]] | None:
    """Return the rows of a part of a workbook as they are stored, or None where it holds more than plain cells.

    Rows have the width of their last cell; rows that the file leaves out are empty.
    """
    rows = quick_rows(path, part, meaning)
    return _parsed(path, part, meaning) if rows is None else rows


def _parsed(path: Path, part: str, meaning: Meaning) -> list[list[Any]] | None:
    """Return the same by a parser of XML, which takes every spelling of plain cells."""
    reading = _Reading(meaning)
    parser = expat.ParserCreate(namespace_separator="}")
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = reading.start, reading.end
    parser.CharacterDataHandler = reading.text
    # Of a broken part openpyxl says what is wrong.
    with suppress(UnusualError, expat.ExpatError, ValueError, IndexError, KeyError):
        with zipfile.ZipFile(path) as archive, archive.open(part) as content:
            while block := content.read(_BLOCK):
                parser.Parse(block)
            parser.Parse(b"", True)  # noqa: FBT003 - expat's signature
        return reading.rows
    return None


@dataclass
class _Reading:
    """The cells of a sheet as they come by."""

    meaning: Meaning
    rows: list[list[Any]] = field(default_factory=list)
    _row: list[tuple[int, Any]] = field(default_factory=list)
    _number: int = 0
    _column: int = 0
    _kind: str = "n"
    _style: int = 0
    _content: str | None = None
    _in_cell: bool = False
    _taking: bool = False

    def start(self, name: str, values: Mapping[str, str]) -> None:
        """Take in the beginning of an element."""
        if name == _CELL:
            self._begin_cell(values)
        elif self._in_cell:
            self._inside(name)
        elif name == _ROW:
            self._number = int(values["r"]) if "r" in values else self._number + 1
            self._column, self._row = 0, []

    def _begin_cell(self, values: Mapping[str, str]) -> None:
        self._in_cell, self._content = True, None
        self._kind, self._style = values.get("t", "n"), int(values.get("s", 0))
        place = values.get("r")
        self._column = self._column + 1 if not place else column_of(place.rstrip("0123456789"))
        if self._kind not in _ORDINARY:
            raise UnusualError

    def _inside(self, name: str) -> None:
        """Take in the beginning of an element in a cell: a value, or one piece of text."""
        inline = self._kind == "inlineStr"
        if name == (_TEXT if inline else _VALUE) and self._content is None:
            self._taking, self._content = True, ""
        elif not (inline and name == _INLINE):
            raise UnusualError

    def text(self, text: str) -> None:
        """Take in text."""
        if self._taking and self._content is not None:
            self._content += text

    def end(self, name: str) -> None:
        """Take in the end of an element."""
        if name == _CELL:
            self._in_cell = False
            self._row.append((self._column, self._cell()))
        elif self._in_cell:
            self._taking = False
        elif name == _ROW:
            self._end_row()

    def _cell(self) -> Any:
        content, kind = self._content, self._kind
        if kind == "inlineStr":
            return None if content is None else unescaped(content)
        if not content:
            return None
        if kind == "n":
            return self.meaning.numbers(self._style)([number_of(content)])[0]
        if kind == "b":
            return bool(int(content))
        return unescaped(self.meaning.strings[int(content)] if kind == "s" else content)

    def _end_row(self) -> None:
        if self._number <= len(self.rows):
            return
        self.rows += [[] for _ in range(len(self.rows), self._number - 1)]
        width = self._row[-1][0] if self._row else 0
        cells: list[Any] = [None] * width
        for column, value in self._row:
            if column <= width:
                cells[column - 1] = value
        self.rows.append(cells)
