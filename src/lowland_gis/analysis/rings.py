"""Polygons as flat arrays of rings, straight from WKB: what the compiled functions read. No geometry objects in here."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import shapely

from lowland_gis.analysis.compiled import compiled

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
States = npt.NDArray[np.int8]
Bytes = npt.NDArray[np.uint8]

# What decoding says of a row.
SURE, MISSING, EMPTY, DOUBT, UNREAD = 0, 1, 2, 3, 4

# Rings of more edges than this carry boxes of blocks of edges, so that a box query passes over most of them.
BLOCK = 16
LARGE = 64
# Proving that no two edges of a ring meet takes a time that grows with the square of the blocks.
PROVABLE = 2_000

_POLYGON, _MULTIPOLYGON = 3, 6
_Z, _M, _SRID = 0x80000000, 0x40000000, 0x20000000
_ISO_M, _ISO_ZM = 2, 3
_LITTLE = 1
_HEAD = 9  # byte order, kind and the number of parts
_XY = 2
_SURFACE = 2
_RING_POINTS = 4
_PROOF_BLOCK = 8
# Shewchuk (1997): beyond this share of its terms the sign of an orientation is certain in double precision.
_ORIENTATION_ERROR = 3.3306690738754716e-16


class Rings(NamedTuple):
    """Polygons (S), their rings (R) and the vertices of these (N), closed rings one after the other.

    `xy` (N, 2); `ring_start`, `ring_size`: first vertex and number of vertices of a ring; `ring_sign`: what the signed area of
    a ring is multiplied by so that shells add and holes subtract, 0 where it has no area; `ring_block`: its first row in
    `blocks`, or −1; `blocks` (B, 4): boxes of 16, 256, … consecutive edges; `shape_ring`, `shape_rings`: first ring and
    number of rings of a polygon (0 where there is no polygon); `box` (S, 4): west, south, east, north, NaN where there is
    no polygon; `area` (S): planar area, NaN likewise.
    """

    xy: Floats
    ring_start: Integers
    ring_size: Integers
    ring_sign: Floats
    ring_block: Integers
    blocks: Floats
    shape_ring: Integers
    shape_rings: Integers
    box: Floats
    area: Floats


def decode(content: Bytes, offsets: Integers) -> tuple[Rings, States]:
    """Return polygons and multipolygons of WKB as rings, and of each row what is known about it.

    `offsets` (S + 1) cut `content` into rows. A row is SURE where it is a single ring that is closed, finite and proved to be
    simple; MISSING where it has no bytes; EMPTY; in DOUBT where it was read but its validity is not proved; UNREAD where
    it is of another kind, byte order or form. Heights and measures are left out. The rows of other states than SURE and DOUBT have
    no rings.
    """
    n_rings, n_points, n_blocks = _measured(content, offsets)
    rings = _room(len(offsets) - 1, int(n_rings), int(n_points), int(n_blocks))
    state = np.empty(len(offsets) - 1, dtype=np.int8)
    _fill(content, offsets, rings, rings.xy.view(np.uint8).reshape(-1), state)
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


def joined(parts: list[Rings]) -> Rings:
    """Return the polygons of several batches one after the other."""
    if not parts:
        return _room(0, 0, 0, 0)
    if len(parts) == 1:
        return parts[0]
    points = _before_each([len(part.xy) for part in parts])
    rings = _before_each([len(part.ring_start) for part in parts])
    blocks = _before_each([len(part.blocks) for part in parts])
    moved = [
        part._replace(
            ring_start=part.ring_start + points[n],
            ring_block=np.where(part.ring_block < 0, -1, part.ring_block + blocks[n]),
            shape_ring=part.shape_ring + rings[n],
        )
        for n, part in enumerate(parts)
    ]
    return Rings(*(np.concatenate(columns) for columns in zip(*moved, strict=True)))


def substituted(rings: Rings, rows: npt.NDArray[np.intp], others: Rings) -> Rings:
    """Return the polygons with those of `rows` replaced by `others`, one for one."""
    if len(rows) == 0:
        return rings
    both = joined([rings, others])
    place = np.arange(len(rings.box))
    place[rows] = len(rings.box) + np.arange(len(rows))
    return taken(both, place)


def taken(rings: Rings, rows: npt.NDArray[np.intp]) -> Rings:
    """Return some polygons in the order of `rows`; the vertices are shared, not copied."""
    return rings._replace(
        shape_ring=rings.shape_ring[rows],
        shape_rings=rings.shape_rings[rows],
        box=rings.box[rows],
        area=rings.area[rows],
    )


def gathered(rings: Rings, rows: npt.NDArray[np.intp]) -> Rings:
    """Return some polygons in the order of `rows` with vertices of their own: what was large may be let go."""
    some = taken(rings, rows)
    first = np.repeat(some.shape_ring - _before_each(some.shape_rings), some.shape_rings)
    ring = first + np.arange(len(first))
    sizes = rings.ring_size[ring]
    starts = _before_each(sizes)
    xy = np.empty((int(sizes.sum()), 2))
    _copy_rings(rings.xy, rings.ring_start[ring], sizes, xy)
    return some._replace(
        xy=xy,
        ring_start=starts,
        ring_size=sizes,
        ring_sign=rings.ring_sign[ring],
        ring_block=rings.ring_block[ring],
        shape_ring=_before_each(some.shape_rings),
    )


@compiled
def _copy_rings(xy: Floats, starts: Integers, sizes: Integers, into: Floats) -> None:
    at = 0
    for ring in range(len(starts)):
        into[at : at + sizes[ring]] = xy[starts[ring] : starts[ring] + sizes[ring]]
        at += sizes[ring]


def _before_each(sizes: Integers | list[int]) -> Integers:
    """Return the sum of all sizes before each one."""
    return np.cumsum(sizes, dtype=np.int64) - np.asarray(sizes, dtype=np.int64)


def _room(shapes: int, rings: int, points: int, blocks: int) -> Rings:
    return Rings(
        xy=np.empty((points, 2)),
        ring_start=np.empty(rings, dtype=np.int64),
        ring_size=np.empty(rings, dtype=np.int64),
        ring_sign=np.empty(rings),
        ring_block=np.full(rings, -1, dtype=np.int64),
        blocks=np.empty((blocks, 4)),
        shape_ring=np.zeros(shapes, dtype=np.int64),
        shape_rings=np.zeros(shapes, dtype=np.int64),
        box=np.full((shapes, 4), np.nan),
        area=np.full(shapes, np.nan),
    )


@compiled
def _word(content: Bytes, at: int) -> int:
    """Read four bytes as a number; they lie at any address."""
    return int(
        np.int64(content[at])
        | (np.int64(content[at + 1]) << 8)
        | (np.int64(content[at + 2]) << 16)
        | (np.int64(content[at + 3]) << 24)
    )


@compiled
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


@compiled
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
        blocks += _blocks_of(size - 1)
    return at, rings, points, blocks


@compiled
def _blocks_of(edges: int) -> int:
    """Return how many boxes of blocks a ring has."""
    total = 0
    if edges > LARGE:
        while edges > 1:
            edges = (edges + BLOCK - 1) // BLOCK
            total += edges
    return total


@compiled
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


@compiled
def _measured(content: Bytes, offsets: Integers) -> tuple[int, int, int]:
    rings = points = blocks = 0
    for row in range(len(offsets) - 1):
        parts, more_rings, more_points, more_blocks = _shape_size(content, offsets[row], offsets[row + 1])
        if parts > 0:
            rings += more_rings
            points += more_points
            blocks += more_blocks
    return rings, points, blocks


@compiled
def _fill(content: Bytes, offsets: Integers, rings: Rings, flat: Bytes, state: States) -> None:
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
            state[row] = _described(rings, row)
            ring += n_rings
            point += n_points
            block += n_blocks


@compiled
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
            area = _signed_area(rings.xy, point, size)
            wanted = 1.0 if place == 0 else -1.0
            rings.ring_sign[ring] = wanted * np.sign(area)
            total += wanted * abs(area)
            if size - 1 > LARGE:
                rings.ring_block[ring] = block
                block = _fill_blocks(rings.xy, point, size - 1, rings.blocks, block)
            at += size * numbers * 8
            point += size
            ring += 1
    return total


@compiled
def _copy_points(content: Bytes, at: int, size: int, numbers: int, flat: Bytes, point: int) -> None:
    if numbers == _XY:
        flat[16 * point : 16 * (point + size)] = content[at : at + 16 * size]
        return
    step = 8 * numbers
    for n in range(size):
        flat[16 * (point + n) : 16 * (point + n + 1)] = content[at + n * step : at + n * step + 16]


@compiled
def _signed_area(xy: Floats, start: int, size: int) -> float:
    """Return the area inside a ring, positive where it runs counter-clockwise; the first vertex is the origin."""
    total = 0.0
    if size > 0:
        x0, y0 = xy[start, 0], xy[start, 1]
        xa, ya = 0.0, 0.0
        for n in range(start + 1, start + size):
            xb, yb = xy[n, 0] - x0, xy[n, 1] - y0
            total += xa * yb - xb * ya
            xa, ya = xb, yb
    return 0.5 * total


@compiled
def _fill_blocks(xy: Floats, start: int, edges: int, blocks: Floats, block: int) -> int:
    """Write the boxes of blocks of edges, then of blocks of blocks, until there is one; return the next free row."""
    count = (edges + BLOCK - 1) // BLOCK
    for n in range(count):
        last = min((n + 1) * BLOCK, edges)
        _box_of(xy, start + n * BLOCK, start + last, blocks[block + n])
    while count > 1:
        lower = block
        block += count
        upper = (count + BLOCK - 1) // BLOCK
        for n in range(upper):
            first, last = lower + n * BLOCK, lower + min((n + 1) * BLOCK, count)
            blocks[block + n, 0] = blocks[first:last, 0].min()
            blocks[block + n, 1] = blocks[first:last, 1].min()
            blocks[block + n, 2] = blocks[first:last, 2].max()
            blocks[block + n, 3] = blocks[first:last, 3].max()
        count = upper
    return block + count


@compiled
def _box_of(xy: Floats, first: int, last: int, box: Floats) -> None:
    """Write the box of the vertices `first` to `last`, both included."""
    west = east = xy[first, 0]
    south = north = xy[first, 1]
    for n in range(first + 1, last + 1):
        x, y = xy[n, 0], xy[n, 1]
        west, east = min(west, x), max(east, x)
        south, north = min(south, y), max(north, y)
    box[0], box[1], box[2], box[3] = west, south, east, north


@compiled
def _described(rings: Rings, row: int) -> int:
    """Write the box of a polygon and return its state."""
    first, count = rings.shape_ring[row], rings.shape_rings[row]
    west = south = np.inf
    east = north = -np.inf
    whole = True
    for ring in range(first, first + count):
        start, size = rings.ring_start[ring], rings.ring_size[ring]
        for n in range(start, start + size):
            x, y = rings.xy[n, 0], rings.xy[n, 1]
            if not (np.isfinite(x) and np.isfinite(y)):
                whole = False
            west, east = min(west, x), max(east, x)
            south, north = min(south, y), max(north, y)
    box = rings.box[row]
    box[0], box[1], box[2], box[3] = west, south, east, north
    if whole and count == 1 and _is_simple(rings.xy, rings.ring_start[first], rings.ring_size[first], box):
        return SURE
    return DOUBT


@compiled
def _is_simple(xy: Floats, start: int, size: int, box: Floats) -> bool:
    """Prove that a ring is closed and that no two of its edges meet but neighbours at their common end.

    False where the proof fails, which does not yet mean that the ring is invalid.
    """
    edges = size - 1
    last = start + edges
    if size < _RING_POINTS or xy[start, 0] != xy[last, 0] or xy[start, 1] != xy[last, 1]:
        return False
    return _is_star(xy, start, edges, box) or (edges <= PROVABLE and _no_two_meet(xy, start, edges))


@compiled
def _is_star(xy: Floats, start: int, edges: int, box: Floats) -> bool:
    """Prove that a ring runs once around the middle of its box and always to one side: then it cannot meet itself."""
    x, y = 0.5 * (box[0] + box[2]), 0.5 * (box[1] + box[3])
    first = rounds = 0
    xa, ya = xy[start, 0] - x, xy[start, 1] - y
    for n in range(start + 1, start + edges + 1):
        xb, yb = xy[n, 0] - x, xy[n, 1] - y
        left, right = xa * yb, ya * xb
        value = left - right
        if abs(value) <= _ORIENTATION_ERROR * (abs(left) + abs(right)):
            return False
        side = 1 if value > 0.0 else -1
        if first == 0:
            first = side
        elif side != first:
            return False
        if (ya < 0.0) != (yb < 0.0) and ((yb >= 0.0) == (side > 0)):
            rounds += 1
        xa, ya = xb, yb
    return rounds == 1


@compiled
def _no_two_meet(xy: Floats, start: int, edges: int) -> bool:
    count = (edges + _PROOF_BLOCK - 1) // _PROOF_BLOCK
    boxes = np.empty((count, 4))
    for n in range(count):
        _box_of(xy, start + _PROOF_BLOCK * n, start + min(_PROOF_BLOCK * (n + 1), edges), boxes[n])
    for e in range(edges):
        xa, ya, xb, yb = xy[start + e, 0], xy[start + e, 1], xy[start + e + 1, 0], xy[start + e + 1, 1]
        west, east, south, north = min(xa, xb), max(xa, xb), min(ya, yb), max(ya, yb)
        for n in range((e + 1) // _PROOF_BLOCK, count):
            if (
                boxes[n, 0] <= east
                and boxes[n, 2] >= west
                and boxes[n, 1] <= north
                and boxes[n, 3] >= south
                and not _apart_from_block(xy, start, edges, e, n, west, east, south, north)
            ):
                return False
    return True


@compiled
def _apart_from_block(
    xy: Floats,
    start: int,
    edges: int,
    e: int,
    block: int,
    west: float,
    east: float,
    south: float,
    north: float,
) -> bool:
    a, b = start + e, start + e + 1
    for f in range(max(block * _PROOF_BLOCK, e + 1), min((block + 1) * _PROOF_BLOCK, edges)):
        c, d = start + f, start + f + 1
        if (
            min(xy[c, 0], xy[d, 0]) > east
            or max(xy[c, 0], xy[d, 0]) < west
            or min(xy[c, 1], xy[d, 1]) > north
            or max(xy[c, 1], xy[d, 1]) < south
        ):
            continue
        if f == e + 1:
            if not _turns(xy, a, b, d):
                return False
        elif e == 0 and f == edges - 1:
            if not _turns(xy, c, a, b):
                return False
        elif not _apart(xy, a, b, c, d):
            return False
    return True


@compiled
def _turns(xy: Floats, a: int, b: int, c: int) -> bool:
    """Prove that the edge b–c leaves a–b other than by going back over it."""
    if _side(xy, a, b, c) != 0:
        return True
    ahead: float = (xy[b, 0] - xy[a, 0]) * (xy[c, 0] - xy[b, 0]) + (xy[b, 1] - xy[a, 1]) * (
        xy[c, 1] - xy[b, 1]
    )
    return bool(ahead > 0.0)


@compiled
def _apart(xy: Floats, a: int, b: int, c: int, d: int) -> bool:
    """Prove that two edges do not meet: the ends of one lie on one side of the other."""
    if _side(xy, a, b, c) * _side(xy, a, b, d) > 0:
        return True
    return _side(xy, c, d, a) * _side(xy, c, d, b) > 0


@compiled
def _side(xy: Floats, a: int, b: int, c: int) -> int:
    """Return +1 or −1 where c certainly lies left or right of a–b, else 0."""
    left = (xy[a, 0] - xy[c, 0]) * (xy[b, 1] - xy[c, 1])
    right = (xy[a, 1] - xy[c, 1]) * (xy[b, 0] - xy[c, 0])
    value = left - right
    bound = _ORIENTATION_ERROR * (abs(left) + abs(right))
    if value > bound:
        return 1
    if value < -bound:
        return -1
    return 0
