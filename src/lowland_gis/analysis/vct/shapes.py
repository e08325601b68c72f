"""Shapes out of lines: rings closed from signed references, holes told by where rings lie and never by their order."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import shapely

from lowland_gis.analysis.geometry.rings import by_depth
from lowland_gis.analysis.vct.lexing import Floats, Integers
from lowland_gis.analysis.vct.objects import Lines, Polygons

Geometries = npt.NDArray[np.object_]
# The ends of lines that meet are written twice and are the same; what is farther apart than boundary points are good for does not meet.
MEET_M = 0.001
_LEAST_VERTICES, _LEAST_ENDS = 4, 2


class _Gone(NamedTuple):
    """The lines that polygons go along: their places, whether backwards, and the ring and the polygon of each."""

    places: Integers
    backwards: npt.NDArray[np.bool_]
    ring: Integers
    owner: Integers


@dataclass
class Drawn:
    """A shape for each object, None where there is none, and by the place of an object why."""

    shapes: Geometries
    faults: dict[int, str] = field(default_factory=dict)


def drawn_lines(lines: Lines, wanted: Integers) -> Drawn:
    """Return the lines at some places."""
    counts = np.diff(lines.starts)[wanted]
    shapes = np.full(len(wanted), None, dtype=object)
    enough = np.flatnonzero(counts > 1)
    if len(enough):
        index = _spans(lines.starts[:-1][wanted[enough]], counts[enough])
        shapes[enough] = shapely.linestrings(
            lines.coordinates[index], indices=np.repeat(np.arange(len(enough)), counts[enough])
        )
    faults = {int(place): "a line needs two vertices" for place in np.flatnonzero(counts < 2)}  # noqa: PLR2004
    return Drawn(shapes, faults)


def drawn_polygons(polygons: Polygons, wanted: Integers, lines: Lines, meet: float = MEET_M) -> Drawn:
    """Return the polygons at some places; `meet` is how far ends of lines may lie apart, in the unit of the coordinates."""
    found = Drawn(np.full(len(wanted), None, dtype=object))
    counts = np.diff(polygons.starts)[wanted]
    references = polygons.references[_spans(polygons.starts[:-1][wanted], counts)]
    owner = np.repeat(np.arange(len(wanted)), counts)
    lines_of, unknown = _places(lines, np.abs(references))
    for at in np.flatnonzero(unknown & (references != 0)).tolist():
        line = abs(int(references[at]))
        found.faults.setdefault(
            int(owner[at]), f"line {line}: {lines.left_out.get(line, 'there is no such line')}"
        )
    short = (
        ~unknown & (np.diff(lines.starts)[lines_of] < _LEAST_ENDS)
        if len(lines)
        else np.zeros(len(references), dtype=bool)
    )
    for at in np.flatnonzero(short & (references != 0)).tolist():
        found.faults.setdefault(
            int(owner[at]), f"line {abs(int(references[at]))} has fewer than two vertices"
        )
    ring_of = np.cumsum((references == 0) | (np.diff(owner, prepend=-1) != 0))
    used = (references != 0) & ~np.isin(owner, list(found.faults))
    gone = _Gone(lines_of[used], references[used] < 0, ring_of[used], owner[used])
    rings, owner_of_ring = _closed(lines, gone, found, meet)
    rings_of = [rings]
    owners = [owner_of_ring]
    for row, polygon in enumerate(wanted.tolist()):
        if polygon in polygons.direct:
            more = _direct(polygons.direct[polygon], row, found, meet)
            rings_of.append(more)
            owners.append(np.full(len(more), row, np.int64))
    rings, owner_of_ring = np.concatenate(rings_of), np.concatenate(owners)
    for place, number in enumerate(polygons.ids[wanted].tolist()):
        if number in polygons.left_out:
            found.faults[place] = polygons.left_out[number]
    good = ~np.isin(owner_of_ring, list(found.faults))
    _assemble(rings[good], owner_of_ring[good], found)
    for place in np.flatnonzero(shapely.is_missing(found.shapes)).tolist():
        found.faults.setdefault(place, "it has no ring")
    return found


def _spans(starts: Integers, counts: Integers) -> Integers:
    """Return the numbers from each start on, so many each."""
    before = np.cumsum(counts) - counts
    return np.arange(int(counts.sum())) - np.repeat(before - starts, counts)


def _places(lines: Lines, ids: Integers) -> tuple[Integers, npt.NDArray[np.bool_]]:
    """Return the place of each line by its id, and which ids there are none of."""
    if not len(lines):
        return np.zeros(len(ids), np.int64), np.ones(len(ids), dtype=bool)
    at = np.minimum(np.searchsorted(lines.ids, ids, sorter=lines.by_id), len(lines) - 1)
    places = lines.by_id[at]
    return places, lines.ids[places] != ids


def _closed(
    lines: Lines, gone: _Gone, found: Drawn, meet: float
) -> tuple[Geometries, Integers]:  # fmt: skip
    """Put lines end to end to rings; one that does not close is a fault of its polygon."""
    places, backwards, ring, owner = gone
    if not len(places):
        return np.empty(0, dtype=object), np.empty(0, np.int64)
    starts, counts = lines.starts[:-1][places], np.diff(lines.starts)[places]
    ends = starts + counts - 1
    head = lines.coordinates[np.where(backwards, ends, starts)]
    tail = lines.coordinates[np.where(backwards, starts, ends)]
    first = np.diff(ring, prepend=-1) != 0
    last = np.append(first[1:], True)
    group = np.cumsum(first) - 1
    following = np.append(np.arange(1, len(places)), 0)
    following[last] = np.flatnonzero(first)[group[last]]
    apart = np.hypot(*(head[following] - tail).T)
    for at in np.flatnonzero(~(apart <= meet)).tolist():
        east, north = tail[at]
        found.faults.setdefault(
            int(owner[at]), f"its ring is open by {apart[at]:,.3f} at {east:.3f}, {north:.3f}"
        )
    # Of each line but the first of its ring the first vertex is the last one of the line before.
    skip = (~first).astype(np.int64)
    sizes = counts - skip
    steps = np.where(backwards, -1, 1)
    begin = np.where(backwards, ends, starts) + skip * steps
    within = np.arange(int(sizes.sum())) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    index = np.repeat(begin, sizes) + within * np.repeat(steps, sizes)
    return _as_rings(lines.coordinates[index], np.repeat(group, sizes), owner[first], found)


def _as_rings(
    coordinates: Floats, group: Integers, owner: Integers, found: Drawn
) -> tuple[Geometries, Integers]:
    """Return rings of closed coordinates, whose last vertex is made the first one exactly."""
    sizes = np.bincount(group, minlength=len(owner))
    stops = np.cumsum(sizes)
    for ring in np.flatnonzero(sizes < _LEAST_VERTICES).tolist():
        found.faults.setdefault(
            int(owner[ring]), f"a ring of it has {sizes[ring]} vertices, the last being the first"
        )
    good = ~np.isin(owner, list(found.faults))
    coordinates[stops[good] - 1] = coordinates[(stops - sizes)[good]]
    kept = good[group]
    renumbered = (np.cumsum(good) - 1)[group[kept]]
    if not kept.any():
        return np.empty(0, dtype=object), np.empty(0, np.int64)
    return shapely.linearrings(coordinates[kept], indices=renumbered), owner[good]


def _direct(rings: list[Floats], place: int, found: Drawn, meet: float) -> Geometries:
    made = []
    for ring in rings:
        if (
            len(ring) < _LEAST_VERTICES
            or not np.isfinite(ring).all()
            or not np.hypot(*(ring[0] - ring[-1])) <= meet
        ):
            found.faults[place] = (
                "a ring of it is open, has fewer than four vertices or one that is no number"
            )
            return np.empty(0, dtype=object)
        made.append(shapely.LinearRing(np.vstack([ring[:-1], ring[:1]])))
    return np.array(made, dtype=object)


def _assemble(rings: Geometries, owner: Integers, found: Drawn) -> None:
    order = np.argsort(owner, kind="stable")
    rings, owner = rings[order], owner[order]
    counts = np.bincount(owner, minlength=len(found.shapes))
    alone = np.flatnonzero(counts[owner] == 1)
    if len(alone):
        found.shapes[owner[alone]] = shapely.polygons(rings[alone])
    several = np.flatnonzero(counts > 1)
    stops = np.cumsum(counts)
    for place in several.tolist():
        found.shapes[place] = by_depth(rings[stops[place] - counts[place] : stops[place]])
