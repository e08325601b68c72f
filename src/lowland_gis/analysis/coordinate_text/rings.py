"""Rings out of points: a repeat of coordinates closes one, whatever its number says; which bounds land and which a hole says where they lie."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import shapely

from lowland_gis.analysis.coordinate_text.axes import Floats, Points
from lowland_gis.analysis.coordinate_text.lines import FormatError
from lowland_gis.analysis.geometry.rings import by_depth

# Points are written to a millimetre, or to as much of a degree.
MEET_M, MEET_DEGREES = 0.0005, 5e-9
_LEAST = 3
# A ring that crosses itself bounds another area than its vertices say; rounding does not.
_CROSSES = 1e-6
_DIGITS = re.compile(r"\d+")
_PLACE = re.compile(r"\[(-?[\d.e+]+) (-?[\d.e+]+)\]")
LINE, POINT = "线", "点"


@dataclass
class Ring:
    """Points in their order without the one that closes, and the places of all its points among those of the file."""

    places: list[int]
    closed: bool


@dataclass
class Parcel:
    """A parcel: the line that begins it, its rings, and what is odd about how they close."""

    row: int
    rings: list[Ring]
    oddities: list[tuple[str, str]] = field(default_factory=list)

    @property
    def n_points(self) -> int:
        """Return how many points it has, without those that close rings."""
        return sum(len(ring.places) for ring in self.rings)


def without_wrong_closing(points: Points) -> dict[int, int]:
    """Find points that end a ring and repeat one coordinate of its first point twice: they close the ring, written wrongly.

    Return for each such point (its place) the place of the first point of its ring.
    """
    found = {}
    rings = np.array(points.rings, dtype=str)
    begins = np.flatnonzero((np.diff(points.owner) != 0) | (rings[1:] != rings[:-1])) + 1
    for of in np.split(np.arange(len(points.owner)), begins):
        first, last = of[0], of[-1]
        if (
            len(of) > _LEAST
            and points.pairs[last, 0] == points.pairs[last, 1]
            and points.pairs[last, 0] in points.pairs[first]
        ):
            found[int(last)] = int(first)
    return found


def parcel(row: int, places: Sequence[int], points: Points, xy: Floats, meet: float) -> Parcel:
    """Part the points of a parcel into rings.

    A point where the ring began closes it. Where none does, a new ring begins where the number of the ring changes, or where labels
    begin again.

    Raises:
        FormatError: the point that closes by its label lies elsewhere, or a ring has fewer than three points.
    """
    found = Parcel(row, [])
    current: list[int] = []
    for at, place in enumerate(places):
        if current and _same(xy[place], xy[current[0]], meet) and len(current) >= _LEAST:
            found.rings.append(Ring(current, closed=True))
            current = []
            continue
        if not current and any(
            ring.closed and _same(xy[place], xy[ring.places[0]], meet) for ring in found.rings
        ):
            # Closed once more, or the way back from a hole to where the outline began.
            found.oddities.append(
                ("closed_twice", f"line {points.rows[place]:,} closes a ring that is closed already")
            )
            continue
        if current and len(current) >= _LEAST:
            _refuse_gap(current, place, places[at + 1] if at + 1 < len(places) else None, points, xy)
            if points.rings[place] != points.rings[current[-1]] or _begins_again(
                points.labels[place], points.labels[current[0]]
            ):
                found.rings.append(Ring(current, closed=False))
                current = []
        current.append(place)
    if current:
        found.rings.append(Ring(current, closed=False))
    for ring in found.rings:
        if len(ring.places) < _LEAST:
            raise FormatError(
                int(points.rows[ring.places[0]]),
                f"a ring of {len(ring.places)} points begins here, so points are missing",
            )
    return found


def _same(one: Floats, other: Floats, meet: float) -> bool:
    return bool(np.abs(one - other).max() <= meet)


def _number(label: str) -> int | None:
    digits = _DIGITS.search(label)
    return int(digits[0]) if digits else None


def _begins_again(label: str, first: str) -> bool:
    one, other = _number(label), _number(first)
    return one is not None and other is not None and one <= other


def _refuse_gap(current: list[int], place: int, following: int | None, points: Points, xy: Floats) -> None:
    """Refuse a point that is called as the first of its ring, ends it, and lies elsewhere."""
    first = current[0]
    ends = (
        following is None
        or points.rings[following] != points.rings[place]
        or points.labels[following] == points.labels[place]
    )
    if points.labels[place] == points.labels[first] and points.rings[place] == points.rings[first] and ends:
        gap = float(np.hypot(*(xy[place] - xy[first])))
        raise FormatError(
            int(points.rows[place]),
            f"the ring does not close: {points.labels[place]} is to be the point of line {points.rows[first]:,} and lies {gap:,.6g} from it",
        )


def shape(found: Parcel, points: Points, xy: Floats, kind: str) -> shapely.Geometry:
    """Return the shape of a parcel: polygons by where its rings lie, lines or points where its kind says so.

    Raises:
        FormatError: a ring crosses itself or another one.
    """
    rings = [xy[ring.places] for ring in found.rings]
    if kind == POINT:
        every = np.vstack(rings)
        return shapely.Point(every[0]) if len(every) == 1 else shapely.MultiPoint(every)
    if kind == LINE:
        lines = [
            np.vstack([part, part[:1]]) if ring.closed else part
            for ring, part in zip(found.rings, rings, strict=True)
        ]
        return shapely.LineString(lines[0]) if len(lines) == 1 else shapely.MultiLineString(lines)
    bounds = [shapely.linearrings(ring) for ring in rings]
    for place, ring in enumerate(bounds):
        _refuse_crossing(
            shapely.polygons(ring), abs(_signed_area(rings[place])), found.rings[place].places, points, xy
        )
    if len(bounds) == 1:
        return shapely.polygons(bounds[0])
    made = by_depth(np.array(bounds, dtype=object))
    of_all = [place for ring in found.rings for place in ring.places]
    _refuse_crossing(made, float(shapely.area(made)), of_all, points, xy)
    return made


def _signed_area(ring: Floats) -> float:
    x, y = (ring - ring[0]).T
    return float((x * np.roll(y, -1) - np.roll(x, -1) * y).sum() / 2)


def _refuse_crossing(
    made: shapely.Geometry, area: float, places: list[int], points: Points, xy: Floats
) -> None:
    """Refuse what bounds another area than its vertices say; a ring that goes along itself to a hole and back bounds the same."""
    if shapely.is_valid(made):
        return
    whole = float(shapely.area(shapely.make_valid(made, method="structure", keep_collapsed=False)))
    if abs(whole - area) <= _CROSSES * max(area, whole):
        return
    said = _PLACE.search(shapely.is_valid_reason(made))
    at = np.array([float(said[1]), float(said[2])]) if said else xy[places[0]]
    near = places[int(np.hypot(*(xy[places] - at).T).argmin())]
    raise FormatError(
        int(points.rows[near]),
        f"the outline crosses itself near here, at {at[0]:.9g}, {at[1]:.9g} (east, north)",
    )


def refuse_cut(parcels: Sequence[Parcel], points: Points, xy: Floats) -> bool:
    """Return whether the rings of a file are closed by a point (True), or none is.

    Raises:
        FormatError: some close and others do not.
    """
    rings = [ring for each in parcels for ring in each.rings]
    closed = [ring for ring in rings if ring.closed]
    if closed and len(closed) < len(rings):
        ring = next(ring for ring in rings if not ring.closed)
        gap = float(np.hypot(*(xy[ring.places[-1]] - xy[ring.places[0]])))
        raise FormatError(
            int(points.rows[ring.places[-1]]),
            f"the ring ends here and does not close, as others in the file do: {gap:,.6g} from its first point",
        )
    return bool(closed)
