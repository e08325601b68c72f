"""Prove that a ring does not meet itself and that its holes lie inside it, without exact arithmetic: what cannot be proved is left to GEOS."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lowland_gis.analysis.compiled import borrowing, inlined
from lowland_gis.analysis.overlay.rings import Rings, box_of

Floats = npt.NDArray[np.float64]

# Proving that no two edges of a ring meet takes a time that grows with the square of the blocks.
PROVABLE = 2_000
_RING_POINTS = 4
_PROOF_BLOCK = 8
# Shewchuk (1997): beyond this share of its terms the sign of an orientation is certain in double precision.
_ORIENTATION_ERROR = 3.3306690738754716e-16


class ProofRoom(NamedTuple):
    """Room to prove in: boxes (n, 4) of the blocks of a ring, and of the rings of a polygon."""

    blocks: Floats
    rings: Floats


def proof_room(rings: int) -> ProofRoom:
    """Return room to prove polygons of up to so many rings in."""
    return ProofRoom(np.empty((-(-PROVABLE // _PROOF_BLOCK), 4)), np.empty((rings, 4)))


@borrowing
def is_simple(xy: Floats, start: int, size: int, box: Floats, room: ProofRoom) -> bool:
    """Prove that a ring is closed and that no two of its edges meet but neighbours at their common end.

    False where the proof fails, which does not yet mean that the ring is invalid.
    """
    edges = size - 1
    last = start + edges
    if size < _RING_POINTS or xy[start, 0] != xy[last, 0] or xy[start, 1] != xy[last, 1]:
        return False
    return _is_star(xy, start, edges, box) or (
        edges <= PROVABLE and _no_two_meet(xy, start, edges, room.blocks)
    )


@borrowing
def holes_inside(rings: Rings, first: int, count: int, room: ProofRoom) -> bool:
    """Prove that the rings after the first one are simple, lie inside it, and meet neither it nor each other.

    Boxes alone are compared: no box of an edge of the shell may meet the box of a hole, nor that of a hole another's. Then every edge
    lies wholly above, below or beside a hole, and those above one of its vertices are counted without rounding.
    """
    boxes = room.rings
    for hole in range(1, count):
        start, size = rings.ring_start[first + hole], rings.ring_size[first + hole]
        if size < _RING_POINTS:
            return False
        box = boxes[hole]
        box_of(rings.xy, start, start + size - 1, box)
        if not is_simple(rings.xy, start, size, box, room):
            return False
        for other in range(1, hole):
            if _meet(boxes[other], box[0], box[1], box[2], box[3]):
                return False
        if not _surrounds(rings.xy, rings.ring_start[first], rings.ring_size[first], rings.xy[start, 0], box):
            return False
    return True


@borrowing
def _surrounds(xy: Floats, start: int, size: int, x: float, box: Floats) -> bool:
    """Prove that a ring runs around a box, in which a place lies at `x`, and does not meet it."""
    above = 0
    for n in range(start, start + size - 1):
        xa, ya, xb, yb = xy[n, 0], xy[n, 1], xy[n + 1, 0], xy[n + 1, 1]
        if _meet(box, min(xa, xb), min(ya, yb), max(xa, xb), max(ya, yb)):
            return False
        if (xa <= x) != (xb <= x) and ya > box[3]:
            above += 1
    return above % 2 == 1


@inlined
def _meet(box: Floats, west: float, south: float, east: float, north: float) -> bool:
    return bool(box[0] <= east and box[2] >= west and box[1] <= north and box[3] >= south)


@borrowing
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


@borrowing
def _no_two_meet(xy: Floats, start: int, edges: int, boxes: Floats) -> bool:
    count = (edges + _PROOF_BLOCK - 1) // _PROOF_BLOCK
    for n in range(count):
        box_of(xy, start + _PROOF_BLOCK * n, start + min(_PROOF_BLOCK * (n + 1), edges), boxes[n])
    return _no_two_meet_in(boxes, count, xy, start, edges)


@borrowing
def _no_two_meet_in(boxes: Floats, count: int, xy: Floats, start: int, edges: int) -> bool:
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


@borrowing
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


@borrowing
def _turns(xy: Floats, a: int, b: int, c: int) -> bool:
    """Prove that the edge b–c leaves a–b other than by going back over it."""
    if _side(xy, a, b, c) != 0:
        return True
    ahead: float = (xy[b, 0] - xy[a, 0]) * (xy[c, 0] - xy[b, 0]) + (xy[b, 1] - xy[a, 1]) * (
        xy[c, 1] - xy[b, 1]
    )
    return bool(ahead > 0.0)


@borrowing
def _apart(xy: Floats, a: int, b: int, c: int, d: int) -> bool:
    """Prove that two edges do not meet: the ends of one lie on one side of the other."""
    if _side(xy, a, b, c) * _side(xy, a, b, d) > 0:
        return True
    return _side(xy, c, d, a) * _side(xy, c, d, b) > 0


@borrowing
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
