"""Lines out of polygons: each boundary once, whichever polygons lie at it, and the rings as signed references to them.

Rings are cut where edges of others meet or part. What two polygons share is one line then, as the format wants it and as a receiver's
checks of topology expect it, where their vertices along it are the same; a vertex that only one of them has is left as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import shapely

from lowland_gis.analysis.vct.lexing import Floats, Integers


@dataclass(frozen=True)
class Edges:
    """Lines by their place (line 1 is that from `starts[0]` to `starts[1]` of the coordinates), and for each polygon its references.

    A reference is the 1-based number of a line, with a minus where it is gone through backwards, 0 between rings; those of a polygon
    stand from `of_starts` of its place to the next.
    """

    coordinates: Floats
    starts: Integers
    references: Integers
    of_starts: Integers


def edges(geometries: npt.NDArray[np.object_]) -> Edges:
    """Return the lines of polygons and multipolygons; one that is missing or empty has no reference."""
    parts, owner = shapely.get_parts(geometries, return_index=True)
    rings, part = shapely.get_rings(parts, return_index=True)
    coordinates, ring = shapely.get_coordinates(rings, return_index=True)
    owner_of_ring = owner[part]
    if not len(rings):
        nothing = np.zeros(1, np.int64)
        return Edges(
            np.empty((0, 2)), nothing, np.empty(0, np.int64), np.zeros(len(geometries) + 1, np.int64)
        )
    points, vertex = np.unique(coordinates, axis=0, return_inverse=True)
    vertex = vertex.ravel()
    cut = _cuts(vertex, ring, len(points))
    chains, chain_ring = _chains(vertex, ring, cut)
    return _shared(points, chains, chain_ring, owner_of_ring, len(geometries))


def _cuts(vertex: Integers, ring: Integers, n_points: int) -> npt.NDArray[np.bool_]:
    """Return the vertices at which other than two different edges meet."""
    same = ring[1:] == ring[:-1]
    pairs = np.sort(np.column_stack([vertex[:-1][same], vertex[1:][same]]), axis=1)
    pairs = np.unique(pairs[pairs[:, 0] != pairs[:, 1]], axis=0)
    degree = np.bincount(pairs.ravel(), minlength=n_points)
    cut: npt.NDArray[np.bool_] = degree != 2  # noqa: PLR2004 - what goes through a vertex takes two edges
    return cut


def _chains(vertex: Integers, ring: Integers, cut: npt.NDArray[np.bool_]) -> tuple[list[Integers], list[int]]:
    """Return rings as lists of vertices from cut to cut, in their order, and the ring of each; one without a cut begins at its least vertex."""
    chains: list[Integers] = []
    of: list[int] = []
    bounds = np.append(np.flatnonzero(np.diff(ring, prepend=-1)), len(ring))
    cut_here = cut[vertex]
    for number, (start, stop) in enumerate(pairwise(bounds.tolist())):
        closed = vertex[start : stop - 1]
        at = np.flatnonzero(cut_here[start : stop - 1])
        first = int(at[0]) if len(at) else int(np.argmin(closed))
        turned = np.concatenate([closed[first:], closed[: first + 1]])
        inner = np.flatnonzero(cut[turned[1:-1]]) + 1 if len(at) else np.empty(0, np.intp)
        marks = [0, *inner.tolist(), len(turned) - 1]
        for begin, end in pairwise(marks):
            chains.append(turned[begin : end + 1])
            of.append(number)
    return chains, of


def _shared(
    points: Floats, chains: list[Integers], chain_ring: list[int], owner_of_ring: Integers, n_polygons: int
) -> Edges:
    known: dict[tuple[int, ...] | bytes, int] = {}
    kept: list[Integers] = []
    references = np.empty(len(chains), np.int64)
    for place, chain in enumerate(chains):
        backwards = _is_backwards(chain)
        straight = chain[::-1] if backwards else chain
        key = straight.tobytes()
        number = known.setdefault(key, len(known) + 1)
        if number > len(kept):
            kept.append(straight)
        references[place] = -number if backwards else number
    starts = np.cumsum([0, *map(len, kept)]).astype(np.int64)
    return Edges(
        points[np.concatenate(kept)],
        starts,
        *_by_polygon(references, np.array(chain_ring), owner_of_ring, n_polygons),
    )


def _is_backwards(chain: Integers) -> bool:
    """Return whether a line is to be turned, so that both who share it write the same."""
    if chain[0] != chain[-1]:
        return bool(chain[0] > chain[-1])
    return bool(chain[1] > chain[-2])


def _by_polygon(
    references: Integers, chain_ring: Integers, owner_of_ring: Integers, n_polygons: int
) -> tuple[Integers, Integers]:
    """Return the references of each polygon one after the other, with a 0 between its rings."""
    owner = owner_of_ring[chain_ring]
    new_ring = np.diff(chain_ring, prepend=-1) != 0
    first_of_owner = np.diff(owner, prepend=-1) != 0
    gap = (new_ring & ~first_of_owner).astype(np.int64)
    made = np.zeros(len(references) + int(gap.sum()), np.int64)
    made[np.arange(len(references)) + np.cumsum(gap)] = references
    sizes = np.bincount(owner, weights=1 + gap, minlength=n_polygons).astype(np.int64)
    return made, np.concatenate([[0], np.cumsum(sizes)])
