"""A parcel as edges in vertical strips of its box, laid out once to be overlapped with many zones.

Edges count by what lies below them: an upright one has no area below it and is none. A few edges stand in the order of the strips that
they begin in; many stand in every strip that they run through, so that few are looked at for one edge of a zone.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lowland_gis.analysis.compiled import borrowing, inlined
from lowland_gis.analysis.overlay.rings import Rings

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Edges = npt.NDArray[np.float64]

# Rows of edges: x and y of the left end, x of the right end, slope, sign.
X0, Y0, X1, SLOPE, SIGN = 0, 1, 2, 3, 4
# An edge narrower than this has no area below it, and a slope would overflow.
VERTICAL = 1e-150
# Up to so many edges a parcel is searched in the order of x; beyond, by strips that list their edges.
_FEW = 64
_EDGES_PER_STRIP = 4
_STRIPS = 32
# So many edges are summed at once, as wide as the registers of today's processors; a power of two.
AT_ONCE = 8


class Box(NamedTuple):
    """The box of a parcel, by its lower left corner and its size, and the parcel's area."""

    west: float
    south: float
    width: float
    height: float
    area: float


class Frame(NamedTuple):
    """A parcel as edges relative to the lower left corner of its box, ready to be overlapped with many zones.

    `edges` (5, places + 8 or more) are in the order of vertical strips of the box (`strips` a metre), with some without a width behind them.
    A `few` edges stand in the strip that they begin in: over a strip are those from `first` of it, before which all end to the left
    of it, to `last` of it, from where on all begin to the right of it. Of many, each stands in every strip that it runs through, and those
    from `first` to `last` are all that run through it. `parts` (as many) is room to work in.
    """

    west: float
    south: float
    width: float
    height: float
    area: float
    few: bool
    edges: Edges
    strips: float
    first: Integers
    last: Integers
    parts: Floats


class Size(NamedTuple):
    """How much room a parcel takes: its vertices, the places of its edges in the order of strips, and the strips."""

    vertices: int
    places: int
    strips: int


class Room(NamedTuple):
    """Room for the frame of a parcel of up to some size: taking it anew for each parcel would cost more than the frame."""

    edges: Edges
    ordered: Edges
    parts: Floats
    first: Integers
    last: Integers
    free: Integers


def frame_room(vertices: int, places: int, strips: int) -> Room:
    """Return room for parcels of up to this size (see `Size`)."""
    places = max(places, _FEW) + AT_ONCE
    strips = max(strips, _STRIPS)
    return Room(
        np.empty((5, vertices)),
        np.empty((5, places)),
        np.empty(places),
        np.empty(strips, dtype=np.int64),
        np.empty(strips, dtype=np.int64),
        np.empty(strips, dtype=np.int64),
    )


@borrowing
def fits(room: Room, size: Size) -> bool:
    """Return whether a parcel of this size has its frame in the room."""
    return (
        size.vertices <= room.edges.shape[1]
        and size.places <= room.ordered.shape[1] - AT_ONCE
        and size.strips <= len(room.first)
    )


@borrowing
def vertices_of(rings: Rings, shape: int) -> int:
    """Return how many vertices a polygon has."""
    first, vertices = rings.shape_ring[shape], 0
    for ring in range(first, first + rings.shape_rings[shape]):
        vertices += rings.ring_size[ring]
    return vertices


@borrowing
def box_of_parcel(rings: Rings, shape: int) -> Box:
    """Return the box of a polygon."""
    west, south = rings.box[shape, 0], rings.box[shape, 1]
    return Box(west, south, rings.box[shape, 2] - west, rings.box[shape, 3] - south, rings.area[shape])


@borrowing
def laid_out(rings: Rings, shape: int, room: Room) -> tuple[int, Size]:
    """Put the edges of a polygon in the order of strips and return how many they are, and the size of the frame.

    Where the size does not fit the room, nothing is ready: call again with more.
    """
    vertices = vertices_of(rings, shape)
    if vertices > room.edges.shape[1]:
        return 0, Size(vertices, 0, 0)
    box = box_of_parcel(rings, shape)
    count = edges_of(rings, shape, box.west, box.south, room.edges)
    if count <= _FEW:
        _where_begun(room, count, _STRIPS / box.width if count else 0.0)
        return count, Size(vertices, count, _STRIPS)
    n_strips = _many_strips(room.edges, count, box.width)
    places = _places(room.edges, count, n_strips / box.width, n_strips)
    size = Size(vertices, places, n_strips)
    if fits(room, size):
        _where_run(room, count, n_strips / box.width, n_strips)
    return count, size


@borrowing
def parcel_frame(rings: Rings, shape: int, room: Room, count: int, n_strips: int) -> Frame:
    """Return a polygon that was laid out in a room, ready to be overlapped with many zones; it lies there until the next one.

    To be called by functions that borrow too: it gives back arrays of its caller.
    """
    box = box_of_parcel(rings, shape)
    strips = n_strips / box.width if count else 0.0
    first, last = room.first[:n_strips], room.last[:n_strips]
    few = count <= _FEW
    return Frame(
        box.west,
        box.south,
        box.width,
        box.height,
        box.area,
        few,
        room.ordered,
        strips,
        first,
        last,
        room.parts,
    )


@borrowing
def edges_of(rings: Rings, shape: int, west: float, south: float, edges: Edges) -> int:
    """Write the edges (5, E) of a polygon that have an area below them, relative to a corner; return how many they are."""
    n = 0
    first = rings.shape_ring[shape]
    for ring in range(first, first + rings.shape_rings[shape]):
        start = rings.ring_start[ring]
        xa, ya = rings.xy[start, 0] - west, rings.xy[start, 1] - south
        for at in range(start + 1, start + rings.ring_size[ring]):
            xb, yb = rings.xy[at, 0] - west, rings.xy[at, 1] - south
            real, x0, y0, x1, slope, sign = edge(xa, ya, xb, yb, rings.ring_sign[ring])
            if real:
                edges[X0, n], edges[Y0, n], edges[X1, n] = x0, y0, x1
                edges[SLOPE, n], edges[SIGN, n] = slope, sign
                n += 1
            xa, ya = xb, yb
    return n


@inlined
def edge(
    xa: float, ya: float, xb: float, yb: float, ring_sign: float
) -> tuple[bool, float, float, float, float, float]:
    """Return x and y of the left end, x of the right end, slope and sign; an upright one has no area below it and is none."""
    if abs(xb - xa) <= VERTICAL:
        return False, 0.0, 0.0, 0.0, 0.0, 0.0
    slope = (yb - ya) / (xb - xa)
    if xa > xb:
        return True, xb, yb, xa, slope, ring_sign
    return True, xa, ya, xb, slope, -ring_sign


@borrowing
def _where_begun(room: Room, count: int, strips: float) -> None:
    """Put a few edges in the order of the strips that they begin in, and say where to look for those over a strip."""
    edges, ordered, first, last, free = room.edges, room.ordered, room.first, room.last, room.free
    last[:_STRIPS] = 0
    for n in range(count):
        last[strip_of(edges[X0, n], strips, _STRIPS)] += 1
    for strip in range(1, _STRIPS):
        last[strip] += last[strip - 1]
    for strip in range(_STRIPS):
        free[strip] = last[strip]
    for n in range(count - 1, -1, -1):
        strip = strip_of(edges[X0, n], strips, _STRIPS)
        free[strip] -= 1
        for row in range(5):
            ordered[row, free[strip]] = edges[row, n]
    _without_width(ordered, count)
    n = 0
    for strip in range(_STRIPS):
        while n < count and strip_of(ordered[X1, n], strips, _STRIPS) < strip:
            n += 1
        first[strip] = n


@borrowing
def _places(edges: Edges, count: int, strips: float, n_strips: int) -> int:
    """Return how many strips all edges together run through."""
    places = 0
    for n in range(count):
        places += strip_of(edges[X1, n], strips, n_strips) - strip_of(edges[X0, n], strips, n_strips) + 1
    return places


@borrowing
def _where_run(room: Room, count: int, strips: float, n_strips: int) -> None:
    """Put many edges in every strip that each runs through, and say where those of a strip begin and end."""
    edges, ordered, first, last, free = room.edges, room.ordered, room.first, room.last, room.free
    last[:n_strips] = 0
    for n in range(count):
        west, east = strip_of(edges[X0, n], strips, n_strips), strip_of(edges[X1, n], strips, n_strips)
        for strip in range(west, east + 1):
            last[strip] += 1
    begin = 0
    for strip in range(n_strips):
        first[strip] = free[strip] = begin
        begin += last[strip]
        last[strip] = begin
    _without_width(ordered, begin)
    for n in range(count):
        west, east = strip_of(edges[X0, n], strips, n_strips), strip_of(edges[X1, n], strips, n_strips)
        for strip in range(west, east + 1):
            for row in range(5):
                ordered[row, free[strip]] = edges[row, n]
            free[strip] += 1


@borrowing
def _many_strips(edges: Edges, count: int, width: float) -> int:
    """Return into how many strips to cut a box: some edges begin in each, and the edges over all strips are few times the edges.

    Where many edges run over every x, as with a comb that lies on its side, more strips would only list them more often.
    """
    over_each_x = 0.0
    for n in range(count):
        over_each_x += (edges[X1, n] - edges[X0, n]) / width
    return max(1, int(count / max(_EDGES_PER_STRIP, over_each_x / _EDGES_PER_STRIP)))


@borrowing
def _without_width(edges: Edges, count: int) -> None:
    """Let some edges follow that have no width: they end before they begin."""
    edges[:, count : count + AT_ONCE] = 0.0
    edges[X1, count : count + AT_ONCE] = -1.0


@borrowing
def strip_of(x: float, strips: float, count: int) -> int:
    """Return the strip that an x lies in, of `strips` a metre and `count` in all; the first or last one beside the box."""
    # As a number with a point first: far to the right of a narrow parcel there are more strips than an integer holds.
    return int(min(max(x, 0.0) * strips, count - 1.0))
