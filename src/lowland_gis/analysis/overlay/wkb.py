"""Polygons out of WKB as rings, and what is certain about each: no geometry objects, unless somebody brings some."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import shapely

from lowland_gis.analysis.compiled import borrowing, entry
from lowland_gis.analysis.geometry.extent import FARTHEST
from lowland_gis.analysis.geometry.short_rings import LEAST_POINTS
from lowland_gis.analysis.overlay.rings import LARGE, Rings, blocks_of, fill_blocks, room, signed_area
from lowland_gis.analysis.overlay.simple import ProofRoom, holes_inside, is_simple, proof_room

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
States = npt.NDArray[np.int8]
Bytes = npt.NDArray[np.uint8]

# What decoding says of a row.
SURE, MISSING, EMPTY, DOUBT, UNREAD = 0, 1, 2, 3, 4

_POLYGON, _MULTIPOLYGON = 3, 6
_Z, _M, _SRID = 0x80000000, 0x40000000, 0x20000000
_ISO_M, _ISO_ZM = 2, 3
_LITTLE = 1
_HEAD = 9  # byte order, kind and the number of parts
_XY = 2
_SURFACE = 2


def decode(
    content: Bytes, offsets: Integers, *, xy_room: Callable[[int], Floats] | None = None
) -> tuple[Rings, States]:
    """Return polygons and multipolygons of WKB as rings, and of each row what is known about it.

    `offsets` (S + 1) cut `content` into rows. A row is SURE where it is one polygon whose rings are closed, finite and proved to be
    simple, its holes apart and inside; MISSING where it has no bytes; EMPTY; in DOUBT where it was read but its validity is not proved; UNREAD where
    it is of another kind, byte order or form. Heights and measures are left out. The rows of other states than SURE and DOUBT have
    no rings. `xy_room` gives the array (N, 2) for so many vertices, where they are not to lie in one of their own.
    """
    sizes = np.zeros(4, dtype=np.int64)
    _measure(content, offsets, sizes)
    n_rings, n_points, n_blocks, most_rings = sizes.tolist()
    rings = room(len(offsets) - 1, n_rings, 0 if xy_room else n_points, n_blocks)
    if xy_room is not None:
        rings = rings._replace(xy=xy_room(n_points))
    state = np.empty(len(offsets) - 1, dtype=np.int8)
    flat = rings.xy.view(np.uint8).reshape(-1)
    _fill(content, offsets, rings, flat, state, proof_room(most_rings))
    return rings, state


def rings_of(geometries: npt.NDArray[np.object_]) -> Rings:
    """Return polygons and multipolygons as rings; whatever has no area (nothing, points, lines) has none.

    Raises:
        ValueError: a geometry is invalid, not finite or a collection; the first five rows are named.
    """
    areal = geometries.copy()
    areal[shapely.get_dimensions(geometries) != _SURFACE] = None
    parts = [item or b"" for item in shapely.to_wkb(areal, byte_order=_LITTLE, output_dimension=2)]
    offsets = np.concatenate([[0], np.cumsum([len(part) for part in parts])]).astype(np.int64)
    rings, state = decode(np.frombuffer(b"".join(parts), dtype=np.uint8), offsets)
    doubtful = np.flatnonzero(state == DOUBT)
    wrong = [*doubtful[~shapely.is_valid(areal[doubtful])], *np.flatnonzero(state == UNREAD)]
    if wrong:
        first = ", ".join(str(row) for row in sorted(wrong)[:5])
        raise ValueError(f"{len(wrong)} geometries are no valid polygons, first in the rows: {first}")
    return rings


@borrowing
def _word(content: Bytes, at: int) -> int:
    """Read four bytes as a number; they lie at any address."""
    return int(
        np.int64(content[at])
        | (np.int64(content[at + 1]) << 8)
        | (np.int64(content[at + 2]) << 16)
        | (np.int64(content[at + 3]) << 24)
    )


@borrowing
def _header(content: Bytes, at: int, stop: int) -> tuple[int, int, int]:
    """Return the kind of a WKB geometry (0 where it is of no use here), the numbers of a point, and where its counts begin."""
    if stop - at < _HEAD or content[at] != _LITTLE:
        return 0, 0, at
    word = _word(content, at + 1)
    kind = word & 0x1FFFFFFF
    thousand = kind // 1000
    kind -= thousand * 1000
    numbers = _XY
    # ISO writes 1000 for a height, 2000 for a measure, 3000 for both; PostGIS sets bits.
    numbers += 1 if word & _Z or thousand % 2 == 1 else 0
    numbers += 1 if word & _M or thousand >= _ISO_M else 0
    begin = at + 5 + (4 if word & _SRID else 0)
    if thousand > _ISO_ZM or begin + 4 > stop:
        return 0, 0, at
    return kind, numbers, begin


@borrowing
def _polygon_end(content: Bytes, at: int, stop: int) -> tuple[int, int, int, int]:
    """Return where the polygon that begins at `at` ends (−1 where it is broken), its rings, points and blocks."""
    kind, numbers, at = _header(content, at, stop)
    if kind != _POLYGON:
        return -1, 0, 0, 0
    rings = _word(content, at)
    at += 4
    points = blocks = 0
    for _ in range(rings):
        if at + 4 > stop:
            return -1, 0, 0, 0
        size = _word(content, at)
        at += 4 + size * numbers * 8
        if at > stop:
            return -1, 0, 0, 0
        points += size
        blocks += blocks_of(size - 1)
    return at, rings, points, blocks


@borrowing
def _shape_size(content: Bytes, at: int, stop: int) -> tuple[int, int, int, int]:
    """Return the parts of a polygon or multipolygon (−1 where it is neither), its rings, points and blocks."""
    kind, _, begin = _header(content, at, stop)
    if kind == _POLYGON:
        end, rings, points, blocks = _polygon_end(content, at, stop)
        return (1 if end == stop else -1), rings, points, blocks
    if kind != _MULTIPOLYGON:
        return -1, 0, 0, 0
    parts = _word(content, begin)
    at = begin + 4
    rings = points = blocks = 0
    for _ in range(parts):
        at, more_rings, more_points, more_blocks = _polygon_end(content, at, stop)
        if at < 0:
            return -1, 0, 0, 0
        rings += more_rings
        points += more_points
        blocks += more_blocks
    return (parts if at == stop else -1), rings, points, blocks


@entry
def _measure(content: Bytes, offsets: Integers, sizes: Integers) -> None:
    """Write how many rings, points and blocks all rows have together, and the most rings of a row."""
    for row in range(len(offsets) - 1):
        parts, rings, points, blocks = _shape_size(content, offsets[row], offsets[row + 1])
        if parts > 0:
            sizes[0] += rings
            sizes[1] += points
            sizes[2] += blocks
            sizes[3] = max(sizes[3], rings)


@entry
def _fill(
    content: Bytes, offsets: Integers, rings: Rings, flat: Bytes, state: States, proof: ProofRoom
) -> None:
    ring = point = block = 0
    for row in range(len(offsets) - 1):
        start, stop = offsets[row], offsets[row + 1]
        parts, n_rings, n_points, n_blocks = _shape_size(content, start, stop)
        if start == stop:
            state[row] = MISSING
        elif parts < 0:
            state[row] = UNREAD
        elif n_points == 0:
            state[row] = EMPTY
        else:
            rings.shape_ring[row] = ring
            rings.shape_rings[row] = n_rings
            rings.area[row] = _copy_shape(content, start, stop, parts, ring, point, block, rings, flat)
            state[row] = _described(rings, row, parts, proof)
            ring += n_rings
            point += n_points
            block += n_blocks


@borrowing
def _copy_shape(
    content: Bytes,
    at: int,
    stop: int,
    parts: int,
    ring: int,
    point: int,
    block: int,
    rings: Rings,
    flat: Bytes,
) -> float:
    """Copy the rings of a polygon or multipolygon and return its area."""
    total = 0.0
    kind, _, begin = _header(content, at, stop)
    if kind == _MULTIPOLYGON:
        at = begin + 4
    for _ in range(parts):
        _, numbers, at = _header(content, at, stop)
        n_rings = _word(content, at)
        at += 4
        for place in range(n_rings):
            size = _word(content, at)
            at += 4
            rings.ring_start[ring] = point
            rings.ring_size[ring] = size
            _copy_points(content, at, size, numbers, flat, point)
            area = signed_area(rings.xy, point, size)
            wanted = 1.0 if place == 0 else -1.0
            rings.ring_sign[ring] = wanted * np.sign(area)
            total += wanted * abs(area)
            if size - 1 > LARGE:
                rings.ring_block[ring] = block
                block = fill_blocks(rings.xy, point, size - 1, rings.blocks, block)
            at += size * numbers * 8
            point += size
            ring += 1
    return total


@borrowing
def _copy_points(content: Bytes, at: int, size: int, numbers: int, flat: Bytes, point: int) -> None:
    into = np.uintp(16 * point)
    if numbers == _XY:
        # Unsigned, because a signed index may count from the end, and then bytes go over one by one.
        for byte in range(np.uintp(16 * size)):
            flat[into + byte] = content[np.uintp(at) + byte]
        return
    for n in range(size):
        for byte in range(np.uintp(16)):
            flat[into + np.uintp(16 * n) + byte] = content[np.uintp(at + 8 * numbers * n) + byte]


@borrowing
def _described(rings: Rings, row: int, parts: int, proof: ProofRoom) -> int:
    """Write the box of a polygon or multipolygon and return its state."""
    first, count = rings.shape_ring[row], rings.shape_rings[row]
    west = south = np.inf
    east = north = -np.inf
    whole = True
    for ring in range(first, first + count):
        start, size = rings.ring_start[ring], rings.ring_size[ring]
        if size < LEAST_POINTS:
            whole = False
        for n in range(start, start + size):
            x, y = rings.xy[n, 0], rings.xy[n, 1]
            # NaN is not below anything.
            if not (abs(x) < FARTHEST and abs(y) < FARTHEST):
                whole = False
            west, east = min(west, x), max(east, x)
            south, north = min(south, y), max(north, y)
    box = rings.box[row]
    box[0], box[1], box[2], box[3] = west, south, east, north
    if not (
        whole
        and parts == 1
        and is_simple(rings.xy, rings.ring_start[first], rings.ring_size[first], box, proof)
    ):
        return DOUBT
    return SURE if count == 1 or holes_inside(rings, first, count, proof) else DOUBT


def boxes(content: Bytes, offsets: Integers) -> tuple[Floats, States]:
    """Return the box (S, 4: west, south, east, north, metres) of each polygon or multipolygon, and a state.

    `offsets` (S + 1) cut `content` into rows. A row is SURE where all its vertices are finite, in DOUBT where one is not; MISSING without bytes, EMPTY without
    vertices, UNREAD where it is of another kind, byte order or form. Only what is SURE has a box, others have NaN.
    """
    box = np.full((len(offsets) - 1, 4), np.nan)
    state = np.empty(len(offsets) - 1, dtype=np.int8)
    point = np.empty(_XY)
    _fill_boxes(content, offsets, box, state, point, point.view(np.uint8))
    return box, state


@entry
def _fill_boxes(
    content: Bytes, offsets: Integers, box: Floats, state: States, point: Floats, flat: Bytes
) -> None:
    for row in range(len(offsets) - 1):
        start, stop = offsets[row], offsets[row + 1]
        parts, _, n_points, _ = _shape_size(content, start, stop)
        if start == stop:
            state[row] = MISSING
        elif parts < 0:
            state[row] = UNREAD
        elif n_points == 0:
            state[row] = EMPTY
        else:
            state[row] = SURE if _enclosed(content, start, stop, parts, box[row], point, flat) else DOUBT


@borrowing
def _enclosed(
    content: Bytes, at: int, stop: int, parts: int, box: Floats, point: Floats, flat: Bytes
) -> bool:
    """Write the box of a polygon or multipolygon and tell whether all of its vertices are finite; if not, nothing is written."""
    west = south = np.inf
    east = north = -np.inf
    kind, _, begin = _header(content, at, stop)
    if kind != _POLYGON:
        at = begin + 4
    for _ in range(parts):
        _, numbers, at = _header(content, at, stop)
        n_rings = _word(content, at)
        at += 4
        for _ in range(n_rings):
            size = _word(content, at)
            at += 4
            for _ in range(size):
                for byte in range(16):
                    flat[byte] = content[np.uintp(at + byte)]
                x, y = point[0], point[1]
                # NaN is not below anything.
                if not (abs(x) < FARTHEST and abs(y) < FARTHEST):
                    return False
                west, east = min(west, x), max(east, x)
                south, north = min(south, y), max(north, y)
                at += 8 * numbers
    box[0], box[1], box[2], box[3] = west, south, east, north
    return True
