"""Read the cells of a sheet as programs write it: one pattern a cell, several times as fast as a parser of XML.

Whatever is written in another way than usual – it may mean the same – is left to a parser: then nothing is returned.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from pathlib import Path
from typing import IO, Any, NamedTuple

from openpyxl.utils.cell import column_index_from_string
from openpyxl.utils.escape import unescape

_BLOCK = 1 << 20
_OPENING, _CLOSING, _ROW_END = b"<sheetData>", b"</sheetData>", b"</row>"
_MAIN = b'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_DECLARED = re.compile(rb"""<\?xml[^>]*encoding=["']([^"']*)""")
# What a parser of XML would turn into something else, or refuse; in a text it may be harmless.
_UNUSUAL = (b"<!", b"<?", b"]]>", b"xmlns", b"\xef\xbf\xbe", b"\xef\xbf\xbf")
_CONTROL = bytes({*range(32)} - {9, 10})
_ROW = re.compile(r'\s*<row(?: r="([0-9]+)")?((?: [\w:]+="[^"<>&]*")*)>')
_CELL = re.compile(
    r'<c r="([A-Z]{1,3})[0-9]+"(?: s="([0-9]+)")?(?: t="([A-Za-z]+)")?'
    r'(?:/>|>(?:<v>([^<]*)</v>|<is><t(?: xml:space="preserve")?>([^<]*)</t></is>)</c>)'
)
# How many signs “<” a row, a cell, and what may stand in a cell bring along.
_TAGS_OF_ROW, _TAGS_OF_VALUE, _TAGS_OF_TEXT = 2, 3, 5
_AMPERSAND = re.compile(r"&(?!(?:amp|lt|gt|quot|apos);)")

# Column, style, kind, value and own text of a cell as they are spelt.
Cell = tuple[str, str, str, str, str]
Numbers = Callable[[int], Callable[[list[int | float]], list[Any]]]


class UnusualError(Exception):
    """Something that another reader is to read."""


class Meaning(NamedTuple):
    """What the cells of a workbook mean: its shared strings, and what turns numbers into what they are in a style."""

    strings: Sequence[str]
    numbers: Numbers


def quick_rows(path: Path, part: str, meaning: Meaning) -> list[list[Any]] | None:
    """Return the rows of a part of a workbook as they are stored, or None where it is not written as usual.

    Rows have the width of their last cell; rows that the file leaves out are empty.
    """
    reading = _Reading(meaning)
    rows: list[list[Any]] = []
    try:
        with zipfile.ZipFile(path) as archive, archive.open(part) as content:
            for block in row_blocks(content, []):
                reading.take(block, rows)
    except (UnusualError, ValueError, IndexError):
        return None
    return rows


def row_blocks(content: IO[bytes], around: list[bytes]) -> Iterator[str]:
    """Yield the rows of a sheet as text, whole rows at a time, and put what stands before and after them into `around`.

    Raises:
        UnusualError: it is not plain text of the kind that programs write.
    """
    rest = b""
    while _OPENING not in rest:
        block = content.read(_BLOCK)
        if not block or _unusual_head(rest):
            raise UnusualError
        rest += block
    head, _, rest = rest.partition(_OPENING)
    if _unusual_head(head) or head.count(_MAIN) != 1:
        raise UnusualError
    around.append(head + _OPENING)
    while _CLOSING not in rest:
        end = rest.rfind(_ROW_END) + len(_ROW_END)
        if end >= len(_ROW_END):
            yield _text(rest[:end])
            rest = rest[end:]
        block = content.read(_BLOCK)
        if not block:
            raise UnusualError
        rest += block
    rows, _, tail = rest.partition(_CLOSING)
    if rows:
        yield _text(rows)
    around += [_CLOSING + tail, content.read()]


def row_heads(block: str) -> Iterator[tuple[str, str]]:
    """Yield of each row of a block its number, where it has one, and its other attributes."""
    for row in block.split("</row>")[:-1]:
        yield _head(row)[:2]


def _unusual_head(head: bytes) -> bool:
    declared = _DECLARED.match(head)
    plain = head[:5] in (b"<?xml", b"<work", b"")
    return not plain or (declared is not None and declared[1].lower() != b"utf-8") or b"<!" in head


def _text(rows: bytes) -> str:
    if any(sign in rows for sign in _UNUSUAL) or len(rows.translate(None, _CONTROL)) < len(rows):
        raise UnusualError
    return rows.decode("utf-8")


def _head(row: str) -> tuple[str, str, int]:
    """Return number and other attributes of a row, and where they end."""
    found = _ROW.match(row)
    if found is None or ' r="' in found[2]:
        raise UnusualError
    return found[1] or "", found[2], found.end()


@dataclass
class _Reading:
    """The cells of a sheet, block by block; `number` is that of the row before."""

    meaning: Meaning
    number: int = 0

    def take(self, block: str, rows: list[list[Any]]) -> None:
        """Put the rows of a block behind those before it."""
        pieces = block.split("</row>")
        if pieces.pop().strip():
            raise UnusualError
        cells: list[Cell] = _CELL.findall(block)
        tags = _TAGS_OF_ROW * len(pieces) + len(cells)
        tags += _TAGS_OF_VALUE * block.count("<v>") + _TAGS_OF_TEXT * block.count("<is>")
        if len(cells) != block.count("<c ") or tags != block.count("<"):
            raise UnusualError
        for piece, values in zip(
            pieces, self._rows(cells, [piece.count("<c ") for piece in pieces]), strict=True
        ):
            said = _head(piece)[0]
            self.number = int(said) if said else self.number + 1
            if self.number > len(rows):
                rows += [[] for _ in range(len(rows), self.number - 1)]
                rows.append(values)

    def _rows(self, cells: list[Cell], counts: list[int]) -> list[list[Any]]:
        """Return the values of rows with so many cells; rows that are all alike are read column by column."""
        width = counts[0] if counts else 0
        letters = [cell[0] for cell in cells]
        alike = set(counts) == {width} and letters == letters[:width] * len(counts)
        if alike and width and _columns(letters[:width]) == list(range(1, width + 1)):
            columns = [self._values(cells[start::width]) for start in range(width)]
            return list(map(list, zip(*columns, strict=True)))
        ends = list(accumulate(counts))
        values = self._values(cells)
        return [
            _placed(_columns(letters[end - count : end]), values[end - count : end])
            for count, end in zip(counts, ends, strict=True)
        ]

    def _values(self, cells: list[Cell]) -> list[Any]:
        """Return the values of cells, all at once where they are of one kind and style."""
        _, styles, kinds, contents, inlines = zip(*cells, strict=True) if cells else ((),) * 5
        if len(set(kinds)) == len(set(styles)) == 1:
            if kinds[0] in ("", "n") and "" not in contents and not any(inlines):
                return self.meaning.numbers(int(styles[0] or 0))(_numbers(contents))
            if kinds[0] == "inlineStr" and "" not in inlines:
                return _plain("\0".join(inlines)).split("\0")
        elif len(set(kinds[1:])) == len(set(styles[1:])) == 1:
            # The first one is a heading.
            return [self._value(*cells[0][1:]), *self._values(cells[1:])]
        return [self._value(*cell[1:]) for cell in cells]

    def _value(self, style: str, kind: str, content: str, inline: str) -> Any:
        if kind == "inlineStr":
            # Of an empty text nobody can tell here whether there is one.
            if not inline:
                raise UnusualError
            return _plain(inline)
        if inline:
            raise UnusualError
        if kind in ("", "n"):
            return self.meaning.numbers(int(style or 0))([number_of(content)])[0] if content else None
        if kind not in ("s", "str", "b"):
            raise UnusualError
        if not content:
            return None
        if kind == "b":
            return bool(int(content))
        return unescaped(self.meaning.strings[int(content)]) if kind == "s" else _plain(content)


def _columns(letters: list[str]) -> list[int]:
    return [column_of(item) for item in letters]


def _placed(columns: list[int], values: list[Any]) -> list[Any]:
    """Return the values of a row in their columns; of two in one place the last counts."""
    row: list[Any] = [None] * (columns[-1] if columns else 0)
    for column, value in zip(columns, values, strict=True):
        if column <= len(row):
            row[column - 1] = value
    return row


def _plain(text: str) -> str:
    if "&" in text:
        if _AMPERSAND.search(text) is not None:
            raise UnusualError
        for name, letter in (("lt", "<"), ("gt", ">"), ("quot", '"'), ("apos", "'"), ("amp", "&")):
            text = text.replace(f"&{name};", letter)
    return unescaped(text)


@lru_cache(maxsize=20_000)
def column_of(letters: str) -> int:
    """Return the 1-based number of a column."""
    column: int = column_index_from_string(letters)
    return column


def number_of(content: str) -> int | float:
    """Return the number that is written in a cell."""
    return float(content) if "." in content or "e" in content or "E" in content else int(content)


def _numbers(contents: Sequence[str]) -> list[int | float]:
    """Return the numbers of many cells."""
    signs = "".join(contents)
    if "e" in signs or "E" in signs:
        return list(map(number_of, contents))
    if "." not in signs:
        return list(map(int, contents))
    return [float(content) if "." in content else int(content) for content in contents]


def unescaped(text: str) -> str:
    """Return a text with what the format spells as _xHHHH_ as it is."""
    plain: str = unescape(text) if "_x" in text else text
    return plain
