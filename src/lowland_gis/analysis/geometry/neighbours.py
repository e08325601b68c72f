"""What lies on each side of a piece of land (四至), and its boundary points in their order (界址点)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import shapely

SIDES = ("东", "南", "西", "北")
Floats = npt.NDArray[np.float64]
# Metres: pieces of the boundary whose neighbour is looked for; how far away one may lie; the least share of a side that is told.
_PIECE_M, NEAR_M, _HAIR_M, _LEAST = 5.0, 30.0, 0.05, 0.08
# Directions of the outward normal, counted by quarters from north-east clockwise: east, south, west, north.
_QUARTER = np.pi / 2


def sides(
    shape: shapely.Geometry, others: npt.NDArray[np.object_], near_m: float = NEAR_M
) -> list[tuple[str, list[int], float]]:
    """Return each side with the places of its neighbours, the longest first, and the share of the side that has none within `near_m`.

    The side of a piece of the boundary is where its outward normal points to. A side that the shape has not is left out.

    >>> import shapely, numpy as np
    >>> sides(shapely.box(0, 0, 10, 10), np.array([shapely.box(10, 0, 20, 10)], dtype=object))[0]
    ('东', [0], 0.0)
    """
    middles, outward, lengths, side = _pieces(shape)
    nearest = np.full(len(middles), -1)
    if len(others):
        # Straight outward: what is nearest may lie around the corner. A little inside, since neighbours may overlap by a hair.
        looks = shapely.linestrings(
            np.stack([middles - outward * _HAIR_M, middles + outward * near_m], axis=1)
        )
        piece, place = shapely.STRtree(others).query(looks, predicate="intersects")
        away = shapely.distance(
            shapely.points(middles[piece]), shapely.intersection(looks[piece], others[place])
        )
        order = np.lexsort((place, away, piece))
        first = np.unique(piece[order], return_index=True)
        nearest[first[0]] = place[order][first[1]]
    found = []
    for number, name in enumerate(SIDES):
        here = side == number
        whole = float(lengths[here].sum())
        if whole <= 0.0:
            continue
        places = np.unique(nearest[here & (nearest >= 0)])
        shares = {int(place): float(lengths[here & (nearest == place)].sum()) / whole for place in places}
        told = [
            place
            for place, share in sorted(shares.items(), key=lambda item: (-item[1], item[0]))
            if share >= _LEAST
        ]
        found.append((name, told, float(lengths[here & (nearest < 0)].sum()) / whole))
    return found


def _pieces(
    shape: shapely.Geometry,
) -> tuple[Floats, Floats, Floats, npt.NDArray[np.int64]]:
    """Return the middles of pieces of the outer boundary, where outside is (of length 1), their lengths, and the numbers of their sides."""
    starts, ends = [], []
    for part in shapely.get_parts(shapely.orient_polygons(shape, exterior_cw=True)):
        corners = shapely.get_coordinates(shapely.segmentize(shapely.get_exterior_ring(part), _PIECE_M))
        starts.append(corners[:-1])
        ends.append(corners[1:])
    first, last = np.concatenate(starts), np.concatenate(ends)
    along = last - first
    lengths = np.hypot(along[:, 0], along[:, 1])
    # Clockwise, the outside lies to the left.
    outward = np.column_stack([-along[:, 1], along[:, 0]]) / np.where(lengths > 0, lengths, 1.0)[:, None]
    angle = np.arctan2(outward[:, 1], outward[:, 0])
    side = np.floor((_QUARTER / 2 - angle) / _QUARTER).astype(np.int64) % len(SIDES)
    return (first + last) / 2, outward, lengths, side


def boundary_points(shape: shapely.Geometry) -> list[tuple[int, Sequence[tuple[float, float]]]]:
    """Return each ring by its number with its points: clockwise, from the north-western one, shells before their holes, not closed.

    >>> import shapely
    >>> boundary_points(shapely.box(0, 0, 2, 1))
    [(1, [(0.0, 1.0), (2.0, 1.0), (2.0, 0.0), (0.0, 0.0)])]
    """
    found: list[tuple[int, Sequence[tuple[float, float]]]] = []
    for part in shapely.get_parts(shape):
        for ring in (
            shapely.get_exterior_ring(part),
            *(shapely.get_interior_ring(part, n) for n in range(shapely.get_num_interior_rings(part))),
        ):
            points = shapely.get_coordinates(shapely.LinearRing(ring))[:-1]
            if shapely.is_ccw(ring):
                points = points[::-1]
            west, north = points[:, 0].min(), points[:, 1].max()
            start = int(np.argmin(np.hypot(points[:, 0] - west, points[:, 1] - north)))
            found.append((len(found) + 1, [(float(x), float(y)) for x, y in np.roll(points, -start, axis=0)]))
    return found
