"""The objects of a VCT: lines with their vertices, polygons with the signed lines of their rings, points.

A line of version 3 is id, class, style, 1, number of segments, then for each segment 11, number of vertices and the vertices, and a 0
at its end; in versions 1 and 2 it is id, class, layer, type, number of vertices and the vertices. A polygon of version 3 is id, class,
style, 100, a point inside, 21, number of lines, the lines, and a 0; before it is id, class, layer, a point inside, number of lines, the lines.
A line with a minus is gone through backwards, and a 0 among the lines begins another ring.
Source: GB/T 17798-1999 and -2007, and the third survey's standard of databases, as public readers and writers follow them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from lowland_gis.analysis.vct.blocks import V3, FormatError
from lowland_gis.analysis.vct.lexing import WORD, Floats, Integers, Rows, Tokens

# What a line or polygon of version 3 is made of.
DIRECT, OF_LINES = 1, 100
_POLYLINE, _LINE_LIST = 11, 21
_HEAD_V3, _HEAD_V2 = 7, 5
_CLOSED_V3 = 8
_POLYGON_V3, _POLYGON_V2 = 8, 6
# Whole numbers are told apart up to here.
_MOST = 1 << 53


@dataclass
class Lines:
    """Lines by their place: ids and classes, and which coordinates are theirs; `left_out` says by id why others are none."""

    ids: Integers
    classes: Integers
    starts: Integers
    coordinates: Floats
    left_out: dict[int, str] = field(default_factory=dict)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.ids)

    @cached_property
    def by_id(self) -> Integers:
        """Return the places in the order of the ids: polygons are drawn some at a time, and all look for lines."""
        return np.argsort(self.ids, kind="stable")


@dataclass
class Polygons:
    """Polygons by their place: ids and classes, and the references to lines that are theirs, 0 between rings.

    `direct` holds those whose vertices stand in place of lines, ring by ring; `left_out` says by id why others have no shape.
    """

    ids: Integers
    classes: Integers
    starts: Integers
    references: Integers
    direct: dict[int, list[Floats]] = field(default_factory=dict)
    left_out: dict[int, str] = field(default_factory=dict)


@dataclass
class Points:
    """Points by their place."""

    ids: Integers
    classes: Integers
    coordinates: Floats


def lines(rows: Rows, version: int) -> Lines:
    """Put the rows of a block of lines together.

    Raises:
        FormatError: rows contradict the format.
    """
    return _of_numbers(_regular_lines(rows, version) or _lines_one_by_one(rows, version))


def _of_numbers(lines: Lines) -> Lines:
    """Return the lines without those of which a coordinate is no number."""
    odd = np.flatnonzero(~np.isfinite(lines.coordinates).all(axis=1))
    if not len(odd):
        return lines
    bad = np.unique(np.searchsorted(lines.starts, odd, side="right") - 1)
    good = np.setdiff1d(np.arange(len(lines)), bad)
    kept = [lines.coordinates[lines.starts[place] : lines.starts[place + 1]] for place in good]
    why = {int(number): "a coordinate of it is no number" for number in lines.ids[bad]}
    return Lines(
        lines.ids[good], lines.classes[good], np.cumsum([0, *map(len, kept)]).astype(np.int64),
        np.concatenate([np.empty((0, 2)), *kept]), lines.left_out | why,
    )  # fmt: skip


def _regular_lines(rows: Rows, version: int) -> Lines | None:
    """Return lines that all are of one polyline, put together all at once; None where any is more."""
    width = _CLOSED_V3 if version == V3 else _HEAD_V2
    if len(rows.values) % width or not len(rows.values):
        return None
    values, places = rows.values.reshape(-1, width), rows.places.reshape(-1, width)
    counts = values[:, _HEAD_V3 - 1 if version == V3 else _HEAD_V2 - 1]
    starts = places[:, 0]
    before = np.append(starts[1:], len(rows.coordinates)) if version != V3 else places[:, -1]
    regular = (before - starts == counts).all() and (values[:, :2] != WORD).all()
    if version == V3:
        regular &= (values[:, 3:6] == (DIRECT, 1, _POLYLINE)).all() and (values[:, 7] == 0).all()
        regular &= (places[:, :_HEAD_V3] == starts[:, None]).all() and (starts[1:] == before[:-1]).all()
    else:
        regular &= (places == starts[:, None]).all()
    if not regular or starts[0] != 0 or before[-1] != len(rows.coordinates):
        return None
    return Lines(values[:, 0].copy(), values[:, 1].copy(), np.append(starts, before[-1]), rows.coordinates)


@dataclass
class _Walk:
    """A way through the rows of a block of lines."""

    rows: Rows
    values: list[int] = field(init=False)
    at: int = 0
    point: int = 0

    def __post_init__(self) -> None:
        self.values = self.rows.values.tolist()

    def more(self) -> bool:
        return self.at < len(self.values)

    def number(self, what: str) -> int:
        """Return the next value, which is a whole number before whatever coordinates come."""
        if self.at >= len(self.values):
            raise FormatError(self.row(), f"the block ends where {what} is to stand")
        value, before = self.values[self.at], int(self.rows.places[self.at])
        if before != self.point:
            raise FormatError(
                self.row(), f"coordinates stand where {what} is to stand, so a number of vertices is wrong"
            )
        if value == WORD:
            raise FormatError(self.row(), f"a word stands where {what} is to stand")
        self.at += 1
        return value

    def word(self) -> None:
        """Pass a value that may be a word."""
        if self.at >= len(self.values):
            raise FormatError(self.row(), "the block ends inside an object")
        self.at += 1

    def vertices(self, count: int) -> slice:
        """Return where the next coordinates stand."""
        limit = int(self.rows.places[self.at]) if self.at < len(self.values) else len(self.rows.coordinates)
        if count < 0 or self.point + count > limit:
            raise FormatError(
                self.row(), f"{count:,} vertices are counted, and {limit - self.point:,} follow"
            )
        self.point += count
        return slice(self.point - count, self.point)

    def row(self) -> int:
        place = min(self.at, len(self.values) - 1)
        return int(self.rows.numbers[place]) if place >= 0 else 0


def _lines_one_by_one(rows: Rows, version: int) -> Lines:
    walk = _Walk(rows)
    ids, classes, kept, left_out = [], [], [], {}
    while walk.more():
        number, code = walk.number("the id of a line"), walk.number("a class of objects")
        walk.word()
        parts, odd = _segments(walk) if version == V3 else _plain(walk)
        if version == V3 and (end := walk.number("the 0 at the end of a line")) != 0:
            raise FormatError(walk.row(), f"{end} stands where the line {number} is to end with 0")
        if odd:
            left_out[number] = odd
            continue
        ids.append(number)
        classes.append(code)
        kept.append(_end_to_end([rows.coordinates[part] for part in parts]))
    starts = np.cumsum([0, *map(len, kept)]).astype(np.int64)
    coordinates = np.concatenate(kept) if kept else np.empty((0, 2))
    return Lines(np.array(ids, np.int64), np.array(classes, np.int64), starts, coordinates, left_out)


def _plain(walk: _Walk) -> tuple[list[slice], str]:
    walk.word()
    return [walk.vertices(walk.number("the number of vertices"))], ""


def _segments(walk: _Walk) -> tuple[list[slice], str]:
    """Return the vertices of each segment, and why a line cannot be read: curves are none of straight lines."""
    kind = walk.number("the kind of a line")
    parts, odd = [], ""
    for _ in range(walk.number("the number of segments")):
        shape = walk.number("the kind of a segment")
        parts.append(walk.vertices(walk.number("the number of vertices")))
        if shape != _POLYLINE:
            odd = f"a segment of it is of kind {shape}, a curve, which is not read"
    return parts, odd or ("" if kind == DIRECT else f"it is of kind {kind}, which is not read")


def _end_to_end(parts: list[Floats]) -> Floats:
    """Return segments as one line: the end of one is the beginning of the next."""
    joined = [parts[0]] if parts else [np.empty((0, 2))]
    for part in parts[1:]:
        same = len(part) and len(joined[-1]) and (part[0] == joined[-1][-1]).all()
        joined.append(part[1:] if same else part)
    return np.concatenate(joined)


def polygons(tokens: Tokens, version: int) -> Polygons:
    """Put the values of a block of polygons together.

    Raises:
        FormatError: values contradict the format.
    """
    values, found = tokens.values, _Found()
    at, end = 0, len(values)
    while at < end:
        try:
            at = _polygon_v3(values, at, found) if version == V3 else _polygon_v2(values, at, found)
        except (IndexError, ValueError, OverflowError):
            row = int(tokens.numbers[min(at, end - 1)])
            raise FormatError(row, "the polygon that begins here does not go on as the format says") from None
        if at > end:
            raise FormatError(int(tokens.numbers[end - 1]), "the block ends inside a polygon")
    bounds = np.array(found.spans, np.int64).reshape(-1, 2)
    sizes = bounds[:, 1] - bounds[:, 0]
    at_values = np.arange(int(sizes.sum())) + np.repeat(bounds[:, 0] - (np.cumsum(sizes) - sizes), sizes)
    references = values[at_values]
    odd = ~_is_id(references)
    if odd.any():
        row = int(tokens.numbers[at_values[odd][0]])
        raise FormatError(row, "something else stands where the id of a line is to stand")
    starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    return Polygons(
        np.array(found.ids, np.int64), np.array(found.classes, np.int64), starts, references.astype(np.int64), found.direct,
        found.left_out,
    )  # fmt: skip


@dataclass
class _Found:
    """What a walk through polygons has found; `spans` are the values that are references."""

    ids: list[int] = field(default_factory=list)
    classes: list[int] = field(default_factory=list)
    spans: list[tuple[int, int]] = field(default_factory=list)
    direct: dict[int, list[Floats]] = field(default_factory=dict)
    left_out: dict[int, str] = field(default_factory=dict)

    def add(self, number: float, code: float, start: int, stop: int) -> None:
        if not (abs(number) < _MOST and abs(code) < _MOST):
            raise ValueError("id")
        self.ids.append(int(number))
        self.classes.append(int(code))
        self.spans.append((start, stop))


def _polygon_v2(values: Floats, at: int, found: _Found) -> int:
    """Read id, class, layer, the two coordinates of a point, a number of lines and the lines."""
    count = int(values[at + 5])
    start = at + _POLYGON_V2
    if count < 0 or start + count > len(values):
        raise ValueError("count")
    found.add(float(values[at]), float(values[at + 1]), start, start + count)
    return start + count


def _polygon_v3(values: Floats, at: int, found: _Found) -> int:
    """Read id, class, style, kind, the two coordinates of a point, and lines or rings, with a 0 at the end."""
    number, kind = int(values[at]), int(values[at + 3])
    if kind == DIRECT:
        rings, after = _rings(values, at + 6)
        found.direct[len(found.ids)] = rings
        found.add(number, float(values[at + 1]), after, after)
    elif kind == OF_LINES:
        count, start = int(values[at + 7]), at + _POLYGON_V3
        after = start + count
        if count < 0 or after >= len(values):
            raise ValueError("count")
        if int(values[at + 6]) == _LINE_LIST:
            found.add(number, float(values[at + 1]), start, after)
        else:
            found.add(number, float(values[at + 1]), start, start)
            found.left_out[number] = f"it is made of things of kind {int(values[at + 6])}, which are not read"
    else:
        raise ValueError("kind")
    if values[after] != 0:
        raise ValueError("end")
    return after + 1


def _rings(values: Floats, at: int) -> tuple[list[Floats], int]:
    """Read rings, each 11, a number of vertices and the vertices; some writers put the number of rings before."""
    if values[at] != _POLYLINE or (values[at + 1] == _POLYLINE and values[at + 2] == int(values[at + 2]) > 2):  # noqa: PLR2004
        at += 1
    rings = []
    while values[at] == _POLYLINE:
        count = int(values[at + 1])
        stop = at + 2 + 2 * count
        if count < 0 or stop >= len(values):
            raise ValueError("count")
        rings.append(values[at + 2 : stop].reshape(-1, 2).copy())
        at = stop
    return rings, at


def _is_id(values: Floats) -> npt.NDArray[np.bool_]:
    """Return which numbers are whole, and small enough to be told from the next one."""
    found: npt.NDArray[np.bool_] = (np.abs(values) < _MOST) & (np.trunc(values) == values)
    return found


def points(tokens: Tokens, version: int) -> Points:
    """Put the values of a block of points together: id, class, style or layer, kind, east, north, and in version 3 a 0 at the end.

    In version 3 the number of points stands before the coordinates of one that is more than one; those are left to the caller as FormatError.

    Raises:
        FormatError: values contradict the format.
    """
    width = 7 if version == V3 else 6
    values = tokens.values
    if len(values) % width:
        raise FormatError(
            int(tokens.numbers[-1]), f"points have {width} values each here, and some have another number"
        )
    table = values.reshape(-1, width)
    wrong = ~(_is_id(table[:, 0]) & _is_id(table[:, 1]) & np.isfinite(table[:, 4:6]).all(axis=1))
    if version == V3:
        wrong |= table[:, 6] != 0
    if wrong.any():
        row = int(tokens.numbers.reshape(-1, width)[wrong][0][0])
        raise FormatError(row, "the point that begins here does not go on as the format says")
    return Points(table[:, 0].astype(np.int64), table[:, 1].astype(np.int64), table[:, 4:6].copy())
