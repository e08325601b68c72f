"""Decode the shapes of a personal geodatabase: Esri's extended shape buffer, which is a shapefile's record with arcs.

As Esri's "Extended Shape Buffer Format" and the reader of GDAL (ogrpgeogeometry.cpp) have it. Heights and measures are left out.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely

from lowland_gis.analysis.geometry.curves import MAX_DEVIATION_M, arc_line
from lowland_gis.analysis.geometry.rings import by_depth

Points = npt.NDArray[np.float64]
Geometries = npt.NDArray[np.object_]

_POINTS, _MULTIPOINTS = {1, 9, 11, 21}, {8, 18, 20, 28}
_LINES, _POLYGONS = {3, 10, 13, 23}, {5, 15, 19, 25}
_GENERAL = {50: 3, 51: 5, 52: 1, 53: 8}
_WITH_Z = {9, 10, 11, 13, 15, 18, 19, 20}
_WITH_M = {11, 13, 15, 18, 21, 23, 25, 28}
_GENERAL_Z, _GENERAL_M, _GENERAL_CURVES, _KIND = 0x80000000, 0x40000000, 0x20000000, 0xFF
_ARC, _BEZIER = 1, 4
_SEGMENT_BYTES = {_ARC: 20, _BEZIER: 32, 5: 44}
_BY_POINT, _ANTICLOCKWISE, _NO_ARC = 0x80, 0x8, 0x1 | 0x20 | 0x40
_HEAD, _LEAST_RING = 44, 4
_MOST_CHORDS = 10_000


# In any unit that coordinates come in; beyond it products of them lose their sense.
_FARTHEST = 1e12


class ShapeError(ValueError):
    """A shape that cannot be told from its bytes, with the reason."""


@dataclass
class Decoded:
    """Shapes row by row, None where there is none; `faults` says why, by row, where there should have been one."""

    shapes: Geometries
    faults: dict[int, str]


@dataclass(frozen=True)
class _Parts:
    """The lines or rings of a shape."""

    kind: int
    lines: list[Points]


def shapes_of(blobs: Sequence[bytes | None]) -> Decoded:
    """Return the shapes of a column of buffers, arcs as chords at most a millimetre away.

    >>> point = struct.pack("<i2d", 1, 515000.0, 4345000.0)
    >>> shapes_of([point, None, point[:9]])
    Decoded(shapes=array([<POINT (515000 4345000)>, None, None], dtype=object), faults={2: 'it ends amid its coordinates'})
    """
    found = Decoded(np.full(len(blobs), None, dtype=object), {})
    rings: list[Points] = []
    of_row: list[int] = []
    for row, blob in enumerate(blobs):
        if blob is None or len(blob) == 0:
            continue
        try:
            made = _parts(bytes(blob))
            if made is None:
                continue
            if made.kind == 5 and len(made.lines) == 1:  # noqa: PLR2004 - a polygon
                # Most shapes are of one ring; these are made together.
                rings.append(made.lines[0])
                of_row.append(row)
            else:
                found.shapes[row] = _shape(made)
        except (ShapeError, shapely.GEOSException) as error:
            found.faults[row] = str(error)
    if rings:
        numbers = np.repeat(np.arange(len(rings)), [len(ring) for ring in rings])
        made_rings = shapely.linearrings(np.concatenate(rings), indices=numbers)
        found.shapes[of_row] = shapely.polygons(made_rings)
    return found


def _parts(blob: bytes) -> _Parts | None:
    if len(blob) < 4:  # noqa: PLR2004 - the type
        raise ShapeError("it ends before its type")
    (word,) = struct.unpack_from("<I", blob)
    kind = word & _KIND if word & _KIND in _GENERAL else word
    has_z = bool(word & _GENERAL_Z) if kind in _GENERAL else kind in _WITH_Z
    has_m = bool(word & _GENERAL_M) if kind in _GENERAL else kind in _WITH_M
    plain = _GENERAL.get(kind, kind)
    if plain == 0:
        return None
    if plain in _POINTS:
        return _Parts(1, [_doubles(blob, 4, 1)])
    if plain in _MULTIPOINTS:
        return _Parts(8, [_doubles(blob, 40, _number(blob, 36))])
    if plain in _LINES or plain in _POLYGONS:
        curves = kind in _GENERAL and bool(word & _GENERAL_CURVES)
        return _lines(blob, 5 if plain in _POLYGONS else 3, has_z=has_z, has_m=has_m, curves=curves)
    raise ShapeError(f"type {kind} is not read")


def _number(blob: bytes, at: int) -> int:
    if at + 4 > len(blob):
        raise ShapeError("it ends amid its head")
    (number,) = struct.unpack_from("<i", blob, at)
    if number < 0:
        raise ShapeError(f"it counts {number} parts")
    return int(number)


def _doubles(blob: bytes, at: int, count: int) -> Points:
    if at + 16 * count > len(blob):
        raise ShapeError("it ends amid its coordinates")
    points = np.frombuffer(blob, "<f8", 2 * count, at).reshape(count, 2).astype(np.float64)
    if not np.isfinite(points).all():
        raise ShapeError("a coordinate is no number")
    if (np.abs(points) > _FARTHEST).any():
        raise ShapeError("a coordinate is that of no place on earth")
    return points


def _lines(blob: bytes, kind: int, *, has_z: bool, has_m: bool, curves: bool) -> _Parts | None:
    n_parts, n_points = _number(blob, 36), _number(blob, 40)
    if n_points == 0:
        return None
    at = _HEAD + 4 * n_parts
    if at > len(blob):
        raise ShapeError("it ends amid its parts")
    starts = np.frombuffer(blob, "<i4", n_parts, _HEAD).tolist()
    points = _doubles(blob, at, n_points)
    stops = [*starts[1:], n_points]
    if not starts or starts[0] != 0 or any(start >= stop for start, stop in zip(starts, stops, strict=True)):
        raise ShapeError("its parts do not lie one behind the other")
    after = at + 16 * n_points + (has_z + has_m) * (16 + 8 * n_points)
    bent = _segments(blob, after, points) if curves else {}
    lines = [_line(points, start, stop, bent) for start, stop in zip(starts, stops, strict=True)]
    least = _LEAST_RING if kind == 5 else 2  # noqa: PLR2004 - a polygon, else a line
    if kind == 5:  # noqa: PLR2004 - a polygon
        lines = [line if (line[0] == line[-1]).all() else np.concatenate([line, line[:1]]) for line in lines]
    short = [len(line) for line in lines if len(line) < least]
    if short:
        raise ShapeError(f"a part has {short[0]} points")
    return _Parts(kind, lines)


def _line(points: Points, start: int, stop: int, bent: dict[int, Points]) -> Points:
    """Return a part with what stands between two of its points where the way there is no straight one."""
    if not any(place in bent for place in range(start, stop - 1)):
        return points[start:stop]
    parts = []
    for place in range(start, stop):
        parts.append(points[place : place + 1])
        if place < stop - 1 and place in bent:
            parts.append(bent[place])
    return np.concatenate(parts)


def _segments(blob: bytes, at: int, points: Points) -> dict[int, Points]:
    """Return the points between two ends of each segment that is no straight one, by the place of its start."""
    if at >= len(blob):
        return {}
    number = _number(blob, at)
    at += 4
    bent: dict[int, Points] = {}
    for _ in range(number):
        start, kind = _number(blob, at), _number(blob, at + 4)
        at += 8
        if kind not in _SEGMENT_BYTES:
            raise ShapeError(f"a segment of type {kind} is not read")
        if at + _SEGMENT_BYTES[kind] > len(blob):
            raise ShapeError("it ends amid its segments")
        if start + 1 >= len(points):
            raise ShapeError(f"a segment begins at point {start + 1} of {len(points)}")
        bent[start] = _between(blob, at, kind, points[start], points[start + 1])
        at += _SEGMENT_BYTES[kind]
    return bent


def _between(blob: bytes, at: int, kind: int, start: Points, end: Points) -> Points:
    if kind == _BEZIER:
        return _bezier(np.array([start, *_doubles(blob, at, 2), end]))
    if kind != _ARC:
        raise ShapeError("an arc of an ellipse is not read")
    (place,) = _doubles(blob, at, 1)
    (bits,) = struct.unpack_from("<I", blob, at + 16)
    if bits & _BY_POINT:
        middle = place
    elif bits & _NO_ARC:
        return np.empty((0, 2))
    else:
        middle = _by_centre(start, end, place, anticlockwise=bool(bits & _ANTICLOCKWISE))
    return arc_line(start, middle, end)[1:-1]


def _by_centre(start: Points, end: Points, centre: Points, *, anticlockwise: bool) -> Points:
    """Return a point of the arc from start to end around a centre."""
    first, last = (math.atan2(*(each - centre)[::-1]) for each in (start, end))
    turn = (last - first) % (2 * math.pi) or 2 * math.pi
    if not anticlockwise:
        turn = turn - 2 * math.pi if turn < 2 * math.pi else -turn
    radius = math.dist(start, centre)
    middle = first + turn / 2
    return np.asarray(centre + radius * np.array([math.cos(middle), math.sin(middle)]), dtype=np.float64)


def _bezier(way: Points) -> Points:
    """Return points on a curve between its ends, so close that chords lie a millimetre from it at most."""
    bend = np.hypot(*np.diff(way, 2, axis=0).T).max()
    number = min(max(math.ceil(math.sqrt(0.75 * bend / MAX_DEVIATION_M)), 1), _MOST_CHORDS)
    t = (np.arange(1, number) / number)[:, None]
    return np.asarray(
        (1 - t) ** 3 * way[0] + 3 * (1 - t) ** 2 * t * way[1] + 3 * (1 - t) * t**2 * way[2] + t**3 * way[3]
    )


def _shape(made: _Parts) -> shapely.Geometry:
    if made.kind == 1:
        return shapely.Point(made.lines[0][0])
    if made.kind == 8:  # noqa: PLR2004 - several points
        return shapely.multipoints(made.lines[0])
    lines = [shapely.LineString(line) for line in made.lines]
    if made.kind == 5:  # noqa: PLR2004 - a polygon
        return by_depth(shapely.linearrings(np.concatenate(made.lines), indices=_numbers(made.lines)))
    return lines[0] if len(lines) == 1 else shapely.multilinestrings(lines)


def _numbers(lines: Sequence[Points]) -> npt.NDArray[np.int64]:
    return np.repeat(np.arange(len(lines)), [len(line) for line in lines])
