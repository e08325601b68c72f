"""Which parcels lie so far from every edge of a layer that moving the layer a little changes nothing of what they lie in."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lowland_gis.analysis.compiled import borrowing, compiled
from lowland_gis.analysis.overlay.boxtree import STACK, BoxTree, boxes_met
from lowland_gis.analysis.overlay.rings import BLOCK, Rings

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Marks = npt.NDArray[np.int8]

# Corners of an outline that is drawn out are cut off where they would reach further than so many times its distance.
MITRE_LIMIT = 5.0
# The two corners of such a cut lie a little further out than its middle.
_FURTHEST = 5.1
# GEOS leaves out vertices that lie within a hundredth of the distance of their neighbours' line; this is far more.
SLACK = 0.1

NEAR, OUTSIDE, INSIDE = 2, 0, 1


@compiled
def surroundings(parcels: Rings, distance: float, zones: Rings, tree: BoxTree) -> Marks:
    """Return of each parcel (S) whether it lies INSIDE one zone or OUTSIDE of all, also when it is drawn out by `distance` (m).

    NEAR where it may meet an edge of a zone then, or lies in two zones at once; the answer errs only on that side.
    """
    near = np.zeros(len(parcels.box), dtype=np.int8)
    found, stack = np.empty(64, dtype=np.int64), np.empty(STACK, dtype=np.int64)
    box = np.empty(4)
    for parcel in range(len(parcels.box)):
        if parcels.shape_rings[parcel] == 0:
            continue
        reach = distance * (_corner(parcels, parcel, distance) + SLACK)
        for side in range(4):
            box[side] = parcels.box[parcel, side] + (reach if side >= 2 else -reach)  # noqa: PLR2004 - east and north
        met = boxes_met(tree, box, found, stack)
        if met > len(found):
            found = np.empty(2 * met, dtype=np.int64)
            boxes_met(tree, box, found, stack)
        near[parcel] = _surroundings(zones, found, met, box)
    return near


@borrowing
def _surroundings(zones: Rings, found: Integers, met: int, box: Floats) -> int:
    """Return whether an edge of the zones found lies in a box or two of them cover it, else whether one does."""
    covering = 0
    for place in range(met):
        where = _lies(zones, found[place], box)
        if where == NEAR:
            return NEAR
        covering += where
    return NEAR if covering > 1 else covering


@borrowing
def _lies(zones: Rings, zone: int, box: Floats) -> int:
    """Return whether a zone has an edge in a box, else whether it covers it or leaves it out."""
    x, y = 0.5 * (box[0] + box[2]), 0.5 * (box[1] + box[3])
    inside = False
    for ring in range(zones.shape_ring[zone], zones.shape_ring[zone] + zones.shape_rings[zone]):
        start, edges = zones.ring_start[ring], zones.ring_size[ring] - 1
        for first in range(0, edges, BLOCK):
            last = min(first + BLOCK, edges)
            if zones.ring_block[ring] >= 0:
                block = zones.blocks[zones.ring_block[ring] + first // BLOCK]
                if block[0] > box[2] or block[2] < box[0] or block[1] > box[3] or block[3] < box[1]:
                    # A chain of edges to the east crosses the ray from the middle as often as its ends say, but for twice.
                    if block[0] > x and (zones.xy[start + first, 1] > y) != (zones.xy[start + last, 1] > y):
                        inside = not inside
                    if block[0] > x or block[2] < x or block[1] > y or block[3] < y:
                        continue
            for at in range(start + first, start + last):
                if _in_box(zones.xy, at, box):
                    return NEAR
                if _crosses(zones.xy, at, x, y):
                    inside = not inside
    return INSIDE if inside else OUTSIDE


@borrowing
def _in_box(xy: Floats, at: int, box: Floats) -> bool:
    """Tell whether an edge may reach into a box: their boxes meet, and the line of the edge passes through the box."""
    if max(xy[at, 0], xy[at + 1, 0]) < box[0] or min(xy[at, 0], xy[at + 1, 0]) > box[2]:
        return False
    if max(xy[at, 1], xy[at + 1, 1]) < box[1] or min(xy[at, 1], xy[at + 1, 1]) > box[3]:
        return False
    dx, dy = xy[at + 1, 0] - xy[at, 0], xy[at + 1, 1] - xy[at, 1]
    aside = dx * (0.5 * (box[1] + box[3]) - xy[at, 1]) - dy * (0.5 * (box[0] + box[2]) - xy[at, 0])
    return bool(abs(aside) <= 0.5 * ((box[2] - box[0]) * abs(dy) + (box[3] - box[1]) * abs(dx)))


@borrowing
def _crosses(xy: Floats, at: int, x: float, y: float) -> bool:
    """Tell whether an edge crosses the ray from a point to the east."""
    if (xy[at, 1] > y) == (xy[at + 1, 1] > y):
        return False
    along = (y - xy[at, 1]) / (xy[at + 1, 1] - xy[at, 1])
    return bool(xy[at, 0] + along * (xy[at + 1, 0] - xy[at, 0]) > x)


@borrowing
def _corner(parcels: Rings, parcel: int, distance: float) -> float:
    """Return how far, in times the distance, the sharpest corner reaches when a parcel is drawn out; the limit where edges are short."""
    least = 1.0
    for ring in range(parcels.shape_ring[parcel], parcels.shape_ring[parcel] + parcels.shape_rings[parcel]):
        start, edges = parcels.ring_start[ring], parcels.ring_size[ring] - 1
        for edge in range(edges):
            at, after = start + edge, start + (edge + 1) % edges
            ax, ay = parcels.xy[at + 1, 0] - parcels.xy[at, 0], parcels.xy[at + 1, 1] - parcels.xy[at, 1]
            bx, by = (
                parcels.xy[after + 1, 0] - parcels.xy[after, 0],
                parcels.xy[after + 1, 1] - parcels.xy[after, 1],
            )
            one, other = np.sqrt(ax * ax + ay * ay), np.sqrt(bx * bx + by * by)
            if one < distance or other < distance:
                return _FURTHEST
            # sin² of half the angle between the edges at their corner.
            least = min(least, 0.5 * (1.0 + (ax * bx + ay * by) / (one * other)))
    return _FURTHEST if least * MITRE_LIMIT * MITRE_LIMIT <= 1.0 else 1.0 / np.sqrt(least)
