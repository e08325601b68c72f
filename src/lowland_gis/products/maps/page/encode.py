"""Shapes as short text: whole decimetres from a corner, each point as its step from the one before, in base64.

A number is written as a varint of its zigzag form (7 bits a byte, the lowest first, the eighth bit says that more follow), as in Protocol
Buffers; https://protobuf.dev/programming-guides/encoding/. The page reads it back by a dozen lines.
"""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

# Whole numbers a metre.
PER_METRE = 10
_BITS, _MORE = 7, 0x80
_LINES = (1, 5)


def varints(numbers: npt.ArrayLike) -> str:
    """Return whole numbers as base64 of their zigzag varints, in their order.

    >>> varints([0, -1, 1, 64])
    'AAECgAE='
    """
    given = np.asarray(numbers, dtype=np.int64)
    rest = ((given << 1) ^ (given >> 63)).astype(np.uint64)
    sizes = np.ones(len(rest), dtype=np.int64)
    for place in range(1, 10):
        sizes += rest >= np.uint64(1) << np.uint64(_BITS * place)
    ends = np.cumsum(sizes)
    out = np.zeros(int(ends[-1]) if len(ends) else 0, dtype=np.uint8)
    for place in range(int(sizes.max(initial=0))):
        some = sizes > place
        byte = (rest[some] >> np.uint64(_BITS * place)) & np.uint64(_MORE - 1)
        more = np.where(sizes[some] > place + 1, _MORE, 0).astype(np.uint64)
        out[(ends - sizes)[some] + place] = (byte | more).astype(np.uint8)
    return base64.b64encode(out.tobytes()).decode("ascii")


def shapes(geometry: npt.NDArray[Any], corner: tuple[float, float]) -> dict[str, str]:
    """Return polygons or lines as text: `rings` of each shape, `points` of each ring, and the steps `xy` from point to point.

    A ring is written without its last point, which is its first; a line with all of its points. An empty shape has no ring.
    """
    parts, owner = shapely.get_parts(np.asarray(geometry, dtype=object), return_index=True)
    drawn = np.isin(shapely.get_type_id(parts), _LINES)
    rings, part = shapely.get_rings(parts, return_index=True)
    pieces = np.concatenate([rings, parts[drawn]])
    owners = np.concatenate([owner[part], owner[drawn]])
    closed = np.concatenate([np.ones(len(rings), bool), np.zeros(int(drawn.sum()), bool)])
    order = np.argsort(owners, kind="stable")
    pieces, owners, closed = pieces[order], owners[order], closed[order]
    points = shapely.get_num_coordinates(pieces)
    xy, ring = shapely.get_coordinates(pieces, return_index=True)
    last = np.ones(len(ring), bool)
    last[:-1] = ring[1:] != ring[:-1]
    kept = ~(last & closed[ring]) if len(ring) else last
    whole = np.rint((xy[kept] - np.asarray(corner)) * PER_METRE).astype(np.int64)
    steps = np.diff(whole, axis=0, prepend=np.zeros((1, 2), np.int64)) if len(whole) else whole
    return {
        "rings": varints(np.bincount(owners, minlength=len(geometry))),
        "points": varints(points - closed),
        "xy": varints(steps.ravel()),
    }


def simplified(geometry: npt.NDArray[Any], tolerance: float) -> npt.NDArray[Any]:
    """Return polygons with fewer points, neighbours along the same line; what would be nothing then stays as it is.

    `tolerance` is in metres (`shapely.coverage_simplify`: the root of the area of the least triangle that stays).
    """
    if not len(geometry):
        return geometry
    found = shapely.coverage_simplify(geometry, tolerance)
    lost = shapely.is_missing(found) | shapely.is_empty(found)
    return np.where(lost, geometry, found)
