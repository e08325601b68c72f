"""The rows of a block as numbers: coordinates apart from what stands before and between them, in bounded memory.

Texts are cut by their separators all at once, and numbers are read by Arrow, which gives the nearest double as Python does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
# Numbers of lines and of coordinates: no file has more than two thousand million.
Counts = npt.NDArray[np.int32]
Bytes = npt.NDArray[np.uint8]

# Stands where a row is a word: no number of an object is so low.
WORD = np.iinfo(np.int64).min
_LINE_FEED, _RETURN, _BLANKS = 10, 13, (9, 32)
_LAST_ASCII = 127
_IS_BLANK = np.isin(np.arange(256), _BLANKS)
_NUMBER = r"^[+-]?[0-9]+$"
_POINT = r"^[+-]?[0-9]+(\.[0-9]*)?([eE][+-]?[0-9]+)?$"


@dataclass(frozen=True)
class Rows:
    """The rows of a block: `values` of the rows of one value (WORD where it is none), and coordinates of those of several.

    `places` says how many coordinates stand before each value, `numbers` is the 1-based line of each in the file.
    """

    values: Integers
    places: Counts
    numbers: Counts
    coordinates: Floats


@dataclass(frozen=True)
class Tokens:
    """All values of a block one after the other, NaN for words, with the 1-based line of each in the file."""

    values: Floats
    numbers: Counts


def rows(parts: Iterable[bytes], separator: int, first: int) -> Rows:
    """Read a block whose rows are a value or a pair of coordinates; parts end with a line, `first` is the number of the first.

    Of rows with more than two coordinates the first two are taken. One that is no number is NaN.
    """
    values, places, numbers, coordinates = list[Integers](), list[Counts](), list[Counts](), list[Floats]()
    before = 0
    for lexed in _lexed(parts, separator, first):
        found = _rows(lexed)
        values.append(found.values)
        places.append(found.places + np.int32(before))
        numbers.append(found.numbers)
        coordinates.append(found.coordinates)
        before += len(found.coordinates)
    coordinates.append(np.empty((0, 2)))
    return Rows(
        _joined(values, np.int64),
        _joined(places, np.int32),
        _joined(numbers, np.int32),
        _joined(coordinates, np.float64),
    )


def tokens(parts: Iterable[bytes], separator: int, first: int) -> Tokens:
    """Read a block value by value."""
    values, numbers = list[Floats](), list[Counts]()
    for lexed in _lexed(parts, separator, first):
        values.append(_floats(lexed.texts))
        numbers.append((lexed.first + lexed.line_of).astype(np.int32))
    return Tokens(_joined(values, np.float64), _joined(numbers, np.int32))


@dataclass(frozen=True)
class _Lexed:
    """The values of some lines: their texts, the line of each, how many each line has, and the number of the first line."""

    texts: pa.Array
    line_of: Integers
    per_line: Integers
    first: int


def _joined(parts: list[Any], kind: type) -> Any:
    """Return parts as one, and let go of them: what is joined next need not lie beside them."""
    whole = np.concatenate(parts) if parts else np.empty(0, dtype=kind)
    parts.clear()
    return whole


def _floats_of(values: pa.Array) -> Floats:
    made: Floats = values.cast(pa.float64()).to_numpy(zero_copy_only=False)
    return made


def _lexed(parts: Iterable[bytes], separator: int, first: int) -> Iterator[_Lexed]:
    for part in parts:
        yield _cut(np.frombuffer(part, np.uint8), separator, first)
        first += part.count(b"\n")


def _cut(data: Bytes, separator: int, first: int) -> _Lexed:
    """Cut a text at its separators; empty values are left out, as the rows of some programs end with a separator."""
    if len(data) and data[-1] != _LINE_FEED:
        data = np.append(data, np.uint8(_LINE_FEED))
    blanks = _IS_BLANK[data]
    if blanks.any():
        data = data[~blanks]
    table = np.zeros(256, dtype=bool)
    table[[_LINE_FEED, _RETURN, separator]] = True
    ends = table[data]
    places = np.flatnonzero(ends)
    # Before each end stand as many separators as its number.
    stops = places - np.arange(len(places))
    filled = np.diff(stops, prepend=0) > 0
    feeds = np.cumsum(data[places] == _LINE_FEED)
    lines = (feeds - (data[places] == _LINE_FEED))[filled]
    offsets = np.concatenate([[0], stops[filled]]).astype(np.int64)
    packed = data[~ends]
    if (packed > _LAST_ASCII).any():
        # Words with letters of several bytes are no numbers anyway, but Arrow wants texts that are UTF-8.
        packed = np.where(packed > _LAST_ASCII, np.uint8(ord("?")), packed)
    texts = pa.LargeStringArray.from_buffers(len(offsets) - 1, pa.py_buffer(offsets), pa.py_buffer(packed))
    n_lines = int(feeds[-1]) if len(feeds) else 0
    return _Lexed(texts, lines, np.bincount(lines, minlength=n_lines), first)


def _rows(lexed: _Lexed) -> Rows:
    several = (lexed.per_line > 1)[lexed.line_of]
    alone: npt.NDArray[np.bool_] = ~several
    single = lexed.texts.filter(pa.array(alone))
    starts_line = np.ones(len(lexed.line_of), dtype=bool)
    starts_line[1:] = lexed.line_of[1:] != lexed.line_of[:-1]
    first = np.flatnonzero(starts_line & several)
    pairs = np.column_stack([first, first + 1]).ravel()
    coordinates = _floats(lexed.texts.take(pa.array(pairs))).reshape(-1, 2)
    so_far = np.cumsum(starts_line & several, dtype=np.int32)
    numbers = (lexed.first + lexed.line_of[alone]).astype(np.int32)
    return Rows(whole_numbers(single), so_far[alone], numbers, coordinates)


def whole_numbers(texts: pa.Array | pa.ChunkedArray) -> Integers:
    """Return texts as whole numbers, WORD where one is none."""
    try:
        whole: Integers = texts.cast(pa.int64()).to_numpy(zero_copy_only=False)
    except pa.ArrowInvalid:
        known = pc.match_substring_regex(texts, _NUMBER)
        made = pc.if_else(known, texts, pa.scalar("0", texts.type))
        try:
            values = made.cast(pa.int64()).to_numpy(zero_copy_only=False)
        except pa.ArrowInvalid:
            # A number beyond 64 bits is no number of an object.
            values = np.array([_whole(text) for text in made.to_pylist()], dtype=np.int64)
        whole = np.where(known.to_numpy(zero_copy_only=False), values, WORD)
    return whole


def _whole(text: str) -> int:
    value = int(text)
    return value if -(1 << 63) < value < 1 << 63 else WORD


def _floats(texts: pa.Array) -> Floats:
    try:
        return _floats_of(texts)
    except pa.ArrowInvalid:
        known = pc.match_substring_regex(texts, _POINT)
        made = pc.if_else(known, texts, pa.scalar("nan", texts.type))
        return _floats_of(made)
