"""Turn circular arcs in WKB into lines with a stated deviation; GEOS reads no arcs at all."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Points = npt.NDArray[np.float64]

# A line lies at most this far from its arc, in metres; survey points are known to a few centimetres.
MAX_DEVIATION_M = 0.001

_LINE, _POLYGON, _MULTILINE, _MULTIPOLYGON, _COLLECTION = 2, 3, 5, 6, 7
_ARC, _COMPOUND, _CURVE_POLYGON, _MULTICURVE, _MULTISURFACE = 8, 9, 10, 11, 12
_CURVES = frozenset((_ARC, _COMPOUND, _CURVE_POLYGON, _MULTICURVE, _MULTISURFACE))
_STRAIGHT = {_CURVE_POLYGON: _POLYGON, _MULTICURVE: _MULTILINE, _MULTISURFACE: _MULTIPOLYGON}
_HEAD = 5
_EWKB_FLAGS, _EWKB_Z, _EWKB_M, _EWKB_SRID = 0xE0000000, 0x80000000, 0x40000000, 0x20000000
_THOUSAND = 1000
_LEAST_ARC_POINTS = 3
# Below this share of the chord a bend is a straight line within rounding.
_FLAT = 1e-12
_MAX_SEGMENTS = 100_000
# An arc of a radius of so many deviations, a kilometre, is long enough for its area to depend on the last digits of its height.
_LARGE = 1e6
_MAX_DEPTH = 50


@dataclass(frozen=True)
class Linearised:
    """WKB without arcs, row by row, and how many rows had some (or could not be followed)."""

    wkb: npt.NDArray[np.object_]
    n_curves: int


def linearised(wkb: npt.NDArray[np.object_], *, deviation: float = MAX_DEVIATION_M) -> Linearised:
    """Return the same rows with every arc as a line of chords.

    Rows without arcs stay as they are, bit for bit; rows with arcs become two-dimensional. Both ends of an arc stay
    exactly, and the area beside it is kept: the points between lie a little outside. An arc drawn backwards gives the same points, so
    neighbours keep a common boundary. `deviation` is in the
    unit of the coordinates: give 1e-8 for degrees. A curve whose bytes cannot be followed becomes an empty byte string,
    which no reader takes, so that it is set aside as unreadable.
    """
    # A layer has few kinds of heads, so most layers are told to have no arcs by looking at each kind once.
    if not any(_may_be_curve(head) for head in {item[:_HEAD] for item in wkb if item}):
        return Linearised(wkb, 0)
    rows = np.flatnonzero([_is_curve(item) for item in wkb])
    straight = wkb.copy()
    n_curves = 0
    for row in rows:
        straight[row], curved = _one(bytes(wkb[row]), deviation)
        n_curves += curved
    return Linearised(straight, n_curves)


def arc_line(start: Points, middle: Points, end: Points, deviation: float = MAX_DEVIATION_M) -> Points:
    """Return points from the start of a circular arc to its end, by way of a middle point, as `linearised` gives them.

    Both ends stay exactly, the area beside the arc is kept, and an arc drawn backwards gives the same points.
    """
    return _chords(np.array([start, middle, end], dtype=np.float64), deviation)


def has_curves(wkb: npt.NDArray[np.object_]) -> npt.NDArray[np.bool_]:
    """Return which rows hold arcs; a type that may hold arcs but has none, as GDAL writes it, is no curve."""
    return np.array([_is_curve(item) and _holds_curve(bytes(item)) for item in wkb], dtype=bool)


def _may_be_curve(head: bytes) -> bool:
    return len(head) == _HEAD and _kind_of(head) in {*_CURVES, _COLLECTION}


def _kind_of(item: bytes) -> int:
    return _kind(int.from_bytes(item[1:_HEAD], "little" if item[0] else "big"))[0]


def _is_curve(item: bytes | None) -> bool:
    if item is None or len(item) < _HEAD:
        return False
    kind = _kind_of(item)
    # A collection is looked through only when it holds the type number of a curve at all.
    return kind in _CURVES or (kind == _COLLECTION and _holds_curve(bytes(item)))


def _holds_curve(item: bytes) -> bool:
    try:
        _, curved = _Reader(item, math.inf).geometry()
    except (struct.error, ValueError):
        return False
    return curved


def _one(item: bytes, deviation: float) -> tuple[bytes, bool]:
    try:
        return _Reader(item, deviation).geometry()
    except (struct.error, ValueError):
        return b"", True


def _kind(word: int) -> tuple[int, int, bool]:
    """Return the plain type, the number of coordinates of a point and whether an SRID follows; ISO or EWKB."""
    flags, plain = word & _EWKB_FLAGS, word & ~_EWKB_FLAGS
    thousands, plain = divmod(plain, _THOUSAND)
    z = bool(flags & _EWKB_Z) or thousands in (1, 3)
    m = bool(flags & _EWKB_M) or thousands in (2, 3)
    return plain, 2 + z + m, bool(flags & _EWKB_SRID)


class _Reader:
    """Walk through one WKB and write it again without arcs."""

    def __init__(self, item: bytes, deviation: float) -> None:
        self.item = item
        self.deviation = deviation
        self.at = 0
        self.depth = 0

    def geometry(self) -> tuple[bytes, bool]:
        """Return the next geometry in two dimensions, and whether it held an arc."""
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise ValueError("nested too deep")
        order, kind, size = self._head()
        if kind in (_ARC, _COMPOUND, _LINE):
            points, curved = self._path(order, kind, size)
            made = _line(points), curved
        elif kind in (_POLYGON, _CURVE_POLYGON):
            made = self._polygon(order, kind, size)
        elif kind in (4, _MULTILINE, _MULTIPOLYGON, _COLLECTION, _MULTICURVE, _MULTISURFACE):
            made = self._many(order, kind)
        elif kind == 1:
            made = struct.pack("<BI2d", 1, 1, *self._points(order, size, 1)[0]), False
        else:
            raise ValueError(f"type {kind}")
        self.depth -= 1
        return made

    def _head(self) -> tuple[str, int, int]:
        order = "<" if self.item[self.at : self.at + 1] == b"\x01" else ">"
        kind, size, srid = _kind(self._number(order, skip=1))
        self.at += 4 if srid else 0
        return order, kind, size

    def _number(self, order: str, *, skip: int = 0) -> int:
        (number,) = struct.unpack_from(f"{order}I", self.item, self.at + skip)
        self.at += skip + 4
        return int(number)

    def _points(self, order: str, size: int, count: int) -> Points:
        end = self.at + count * size * 8
        if end > len(self.item):
            raise ValueError("cut off")
        points = np.frombuffer(self.item[self.at : end], dtype=f"{order}f8").reshape(count, size)
        self.at = end
        return points[:, :2].astype(np.float64)

    def _path(self, order: str, kind: int, size: int) -> tuple[Points, bool]:
        count = self._number(order)
        if kind == _LINE:
            return self._points(order, size, count), False
        if kind == _ARC:
            return _chords(self._points(order, size, count), self.deviation), True
        parts = [self._part() for _ in range(count)]
        # Each part begins where the one before it ended.
        joined = [part if index == 0 else part[1:] for index, (part, _) in enumerate(parts)]
        return np.concatenate(joined) if joined else np.empty((0, 2)), any(curved for _, curved in parts)

    def _part(self) -> tuple[Points, bool]:
        order, kind, size = self._head()
        if kind not in (_LINE, _ARC, _COMPOUND):
            raise ValueError(f"type {kind} is no part of a curve")
        return self._path(order, kind, size)

    def _polygon(self, order: str, kind: int, size: int) -> tuple[bytes, bool]:
        count = self._number(order)
        if kind == _POLYGON:
            rings = [(self._points(order, size, self._number(order)), False) for _ in range(count)]
        else:
            rings = [self._part() for _ in range(count)]
        body = b"".join(_coordinates(points) for points, _ in rings)
        return struct.pack("<BII", 1, _POLYGON, len(rings)) + body, any(curved for _, curved in rings)

    def _many(self, order: str, kind: int) -> tuple[bytes, bool]:
        members = [self.geometry() for _ in range(self._number(order))]
        head = struct.pack("<BII", 1, _STRAIGHT.get(kind, kind), len(members))
        return head + b"".join(member for member, _ in members), any(curved for _, curved in members)


def _coordinates(points: Points) -> bytes:
    return struct.pack("<I", len(points)) + points.astype("<f8").tobytes()


def _line(points: Points) -> bytes:
    return struct.pack("<BI", 1, _LINE) + _coordinates(points)


def _chords(points: Points, deviation: float) -> Points:
    """Return the line through a string of arcs: start, a point on the way, end = next start, and so on."""
    if len(points) < _LEAST_ARC_POINTS or len(points) % 2 == 0:
        return points
    parts = [points[:1]]
    for index in range(0, len(points) - 2, 2):
        start, middle, end = points[index : index + 3]
        if tuple(start) <= tuple(end):
            parts.append(_arc(start, middle, end, deviation)[1:])
        else:
            parts.append(_arc(end, middle, start, deviation)[::-1][1:])
    return np.concatenate(parts)


def _arc(start: Points, middle: Points, end: Points, deviation: float) -> Points:
    """Return points from start to end by way of the middle, both ends exactly, that enclose with the chord what the arc encloses."""
    b, c = middle - start, end - start
    if not np.isfinite([*b, *c]).all():
        return np.array([start, middle, end])
    if not c.any():
        # Start and end are one point: the whole circle, whose far side is the middle.
        centre, sweep = b / 2, 2 * math.pi
    else:
        height = _height(b, c, deviation)
        if height == 0:
            return np.array([start, middle, end])
        half = math.hypot(*c) / 2
        centre = c / 2 + (height**2 - half**2) / (4 * height * half) * np.array([-c[1], c[0]])
        sweep = -math.copysign(4 * math.atan2(abs(height), half), height)
    radius = math.hypot(*centre)
    if radius == 0:
        return np.array([start, end])
    step = 2 * math.acos(max(1 - deviation / radius, 0.0))
    count = _MAX_SEGMENTS if step == 0 else min(max(math.ceil(abs(sweep) / step), 4), _MAX_SEGMENTS)
    angles = math.atan2(-centre[1], -centre[0]) + sweep * np.arange(1, count) / count
    outward = radius * _outward(count, abs(sweep) / count)
    between = start + centre + outward * np.column_stack([np.cos(angles), np.sin(angles)])
    return np.concatenate([start[None], between, end[None]])


def _height(b: Points, c: Points, deviation: float) -> float:
    """Return how far the top of an arc from the origin by way of b to c lies to the left of its chord; 0 where it is flat.

    To a thousandth of the deviation, of large arcs finer: what the middle is worth in its last digits, which a program that turned the
    arc round has computed anew, does not part two neighbours.
    """
    cross = float(c[0] * b[1] - c[1] * b[0])
    if abs(cross) <= _FLAT * float(c @ c):
        return 0.0
    half = math.hypot(*c) / 2
    # The centre is so far to the left of the middle of the chord, by the angle over it that b sees.
    left = math.copysign(half, cross) * float(b @ (b - c)) / abs(cross)
    radius = math.hypot(half, left)
    side = math.copysign(1.0, cross)
    # The one or the other, whichever is no difference of two large numbers.
    height = left + side * radius if side * left > 0 else side * half**2 / (radius - side * left)
    if not math.isfinite(deviation):
        return height
    unit = deviation / (_THOUSAND if radius < _LARGE * deviation else _LARGE / 10)
    return round(height / unit) * unit if unit else height


def _outward(count: int, angle: float) -> float:
    """Return at which multiple of the radius points lie between the two ends, which are on the arc, so that the area is that of the arc.

    Of `count` triangles at the centre, two have one side that is the radius: 2 r sin a + (count - 2) r² sin a = count a. The points then
    lie outside the arc by at most nine tenths of what chords between points on it would lie inside.
    """
    whole = count * angle / math.sin(angle)
    return whole / (1 + math.sqrt(1 + (count - 2) * whole))
