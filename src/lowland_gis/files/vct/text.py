"""Find the blocks of a VCT in its bytes, and hand them on line by line or in pieces: the file is never held as a whole."""

from __future__ import annotations

import mmap
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

from lowland_gis.analysis.vct import blocks
from lowland_gis.analysis.vct.blocks import FeatureClass, FormatError, Head, Table
from lowland_gis.errors import InputRefusedError
from lowland_gis.files.encoding import Encoding, text_encoding
from lowland_gis.files.source import Source

PIECE = 2 << 20
# So much of the attributes tells how they are encoded; every byte is decoded later.
_SAMPLE = 16 << 20
_BEGIN, _END, _TABLE_END = ("Begin", "BEGIN", "begin"), ("End", "END", "end"), "TableEnd"


@dataclass(frozen=True)
class Block:
    """A block by the places of its first byte and the one after its last, and the 1-based number of its first line."""

    name: str
    start: int
    stop: int
    first_row: int


@dataclass
class Text:
    """A VCT that is open: its bytes, its blocks by their name in small letters."""

    data: mmap.mmap
    source: Source
    found: dict[str, Block]
    forced: str | None

    @cached_property
    def encoding(self) -> Encoding:
        """Return how its words are to be read: by the bytes, as of any table.

        Raises:
            InputRefusedError: it cannot be told.
        """
        words = b"\n".join(self._bytes(name) for name in ("head", "featurecode", "tablestructure"))
        attributes = self.found.get("attribute")
        sample = b""
        if attributes is not None:
            stop = min(attributes.stop, attributes.start + _SAMPLE)
            sample = self.data[attributes.start : stop].rpartition(b"\n")[0]
        content = words + b"\n" + sample
        try:
            return text_encoding(self.source.path, content, self.forced)
        except InputRefusedError:
            # A few words may be of any encoding; the format has one.
            if self.forced is not None or not _is_gbk(content):
                raise
            return Encoding("gb18030", "every byte fits GBK, which the format is in")

    @cached_property
    def head(self) -> Head:
        """Return what the head says."""
        return blocks.head(self._rows("head"))

    @cached_property
    def classes(self) -> list[FeatureClass]:
        """Return the classes of objects."""
        return blocks.feature_classes(self._rows("featurecode"), self.head)

    @cached_property
    def tables(self) -> dict[str, Table]:
        """Return the fields of the tables, by their names in capital letters."""
        return blocks.tables(self._rows("tablestructure"), self.head)

    def pieces(self, name: str) -> Iterator[bytes]:
        """Yield a block in pieces that end with a line."""
        block = self.found.get(name)
        if block is not None:
            yield from cut(self.data, block.start, block.stop)

    def _bytes(self, name: str) -> bytes:
        block = self.found.get(name)
        return b"" if block is None else self.data[block.start : block.stop]

    def _rows(self, name: str) -> list[str]:
        text = self.decoded(self._bytes(name), name)
        return [row.strip() for row in text.splitlines() if row.strip()]

    def decoded(self, content: bytes, what: str) -> str:
        """Return words.

        Raises:
            InputRefusedError: some bytes are none of the encoding.
        """
        try:
            return content.decode(self.encoding.name)
        except UnicodeDecodeError as error:
            row = content.count(b"\n", 0, error.start) + 1
            raise InputRefusedError(
                f"{self.source.name}: line {row:,} of what was read of the block {what} holds bytes that are none of"
                f" {self.encoding.name}, so it was cut or changed. Ask the sender for it again."
            ) from None


def cut(data: mmap.mmap, start: int, stop: int) -> Iterator[bytes]:
    """Yield bytes in pieces that end with a line."""
    while start < stop:
        end = min(stop, start + PIECE)
        if end < stop:
            feed = data.rfind(b"\n", start, end)
            end = feed + 1 if feed >= 0 else min(stop, data.find(b"\n", end, stop) + 1 or stop)
        yield data[start:end]
        forget(data)
        start = end


def _is_gbk(content: bytes) -> bool:
    try:
        content.decode("gb18030")
    except UnicodeDecodeError:
        return False
    return True


def forget(data: mmap.mmap) -> None:
    """Give the pages of the file back that were looked at: a file is larger than what is made of it at a time."""
    if sys.platform != "win32":
        data.madvise(mmap.MADV_DONTNEED)


@contextmanager
def opened_text(source: Source, forced: str | None = None) -> Iterator[Text]:
    """Open a VCT and find its blocks.

    Raises:
        InputRefusedError: it is empty, a block has no end, or the format is contradicted while it is read.
    """
    if source.size_bytes == 0:
        raise InputRefusedError(f"{source.name}: it is empty. Ask the sender for it again.")
    with source.path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        try:
            yield Text(data, source, _blocks(data), forced)
        except FormatError as error:
            raise InputRefusedError(f"{source.name}: {error}. Ask the sender for it again.") from error


def vct_layers(source: Source) -> tuple[str, ...]:
    """Return the names of the layers: the tables of drawn objects, a class without a table by its own name, and other tables.

    Raises:
        InputRefusedError: as `opened_text`.
    """
    with opened_text(source) as text:
        return tuple(layers_of(text))


def layers_of(text: Text) -> dict[str, tuple[FeatureClass, ...]]:
    """Return the classes of each layer by its name; none for a table of which nothing is drawn."""
    found: dict[str, list[FeatureClass]] = {}
    for each in text.classes:
        if each.kind in blocks.KINDS.values():
            found.setdefault(each.table or each.name, []).append(each)
    named = {name.upper() for name in found}
    drawn = {name: tuple(classes) for name, classes in found.items()}
    others = {
        table.name: () for key, table in text.tables.items() if key not in named and not table.has_geometry
    }
    return drawn | others


def _blocks(data: mmap.mmap) -> dict[str, Block]:
    found: dict[str, Block] = {}
    place = row = counted = 0
    while (begin := _next(data, place)) is not None:
        name, start = begin
        end = _end_of(data, name, start)
        row += _lines(data, counted, start)
        counted = start
        if end is None:
            raise FormatError(row, f"the block {name} that begins here has no end: the file was cut off")
        stop, place = end
        if name.casefold() in found:
            raise FormatError(row, f"there is a second block {name}")
        found[name.casefold()] = Block(name, start, stop, row + 1)
        forget(data)
    # The attributes come last of what every file has, so that one which was cut off between two blocks shows it.
    missing = [
        name
        for name in ("Head", "FeatureCode", "TableStructure", "Attribute")
        if name.casefold() not in found
    ]
    if missing:
        raise FormatError(
            0,
            f"it has no block {' and no block '.join(missing)}: the file was cut off, or it is of another format",
        )
    return found


def _next(data: mmap.mmap, place: int) -> tuple[str, int] | None:
    """Return the name of the next block, and where the line after its beginning starts."""
    at = [data.find(word.encode(), place) for word in _BEGIN]
    while any(each >= 0 for each in at):
        first = min(each for each in at if each >= 0)
        start = data.rfind(b"\n", place, first) + 1 or place
        stop = data.find(b"\n", first)
        stop = len(data) if stop < 0 else stop
        line = data[start:stop].strip().lstrip(b"\xef\xbb\xbf")
        word = line[: -len("Begin")]
        if line.lower().endswith(b"begin") and word.isalpha():
            return word.decode("ascii"), min(stop + 1, len(data))
        at = [data.find(word.encode(), first + 1) for word in _BEGIN]
    return None


def _end_of(data: mmap.mmap, name: str, start: int) -> tuple[int, int] | None:
    """Return where the line with the end of a block starts, and where the line after it starts."""
    for word in dict.fromkeys(
        f"{spelt}{end}" for spelt in (name, name.upper(), name.lower()) for end in _END
    ):
        at = data.find(word.encode(), start)
        while at >= 0:
            stop = data.find(b"\n", at)
            stop = len(data) if stop < 0 else stop
            begin = data.rfind(b"\n", start, at) + 1 or start
            if data[begin:stop].strip() == word.encode():
                return begin, min(stop + 1, len(data))
            at = data.find(word.encode(), at + 1)
    return None


def _lines(data: mmap.mmap, start: int, stop: int) -> int:
    return sum(data[at : min(at + PIECE, stop)].count(b"\n") for at in range(start, stop, PIECE))


def table_span(text: Text, table: str) -> tuple[int, int, int] | None:
    """Return where the rows of a table start and stop, and the 1-based number of the first; None where there is no such table.

    Raises:
        FormatError: a table has no end.
    """
    block = text.found.get("attribute")
    if block is None:
        return None
    data, at, row = text.data, block.start, block.first_row
    while at < block.stop:
        stop = min(data.find(b"\n", at, block.stop) + 1 or block.stop, block.stop)
        name = data[at:stop].strip()
        if not name:
            at, row = stop, row + 1
            continue
        end = next((found for word in (_TABLE_END, _TABLE_END.upper(), _TABLE_END.lower())
                    if (found := _line_of(data, word.encode(), stop, block.stop)) is not None), None)  # fmt: skip
        if end is None:
            raise FormatError(
                row, f"the table {name.decode('ascii', 'replace')} that begins here has no {_TABLE_END}"
            )
        if text.decoded(name, "Attribute").upper() == table.upper():
            return stop, end, row + 1
        row += _lines(data, at, end) + 1
        at = min(data.find(b"\n", end, block.stop) + 1 or block.stop, block.stop)
    return None


def _line_of(data: mmap.mmap, word: bytes, start: int, stop: int) -> int | None:
    at = data.find(word, start, stop)
    while at >= 0:
        begin = data.rfind(b"\n", start, at) + 1 or start
        end = data.find(b"\n", at, stop)
        if data[begin : stop if end < 0 else end].strip() == word:
            return begin
        at = data.find(word, at + 1, stop)
    return None
