"""Which value of a point is north and which east, told by their size: never by the word X or Y, which are meant both ways."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lowland_gis.analysis.coordinate_text.lines import Block, FormatError, Point

Floats = npt.NDArray[np.float64]
# A number in half-width digits; what stands between thousands would part it.
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]*)?")
# China, in degrees and in metres of a Gauss-Krüger plane with and without the number of the zone before the east.
_LONGITUDES, _LATITUDES = (73.0, 136.0), (3.0, 54.0)
_EASTINGS, _NORTHINGS = (100_000.0, 900_000.0), (300_000.0, 6_100_000.0)
_ZONE_M = 1e6
ZONES_3, ZONES_6 = range(25, 46), range(13, 24)
_STANDARD, _RING_LAST, _SHORT = "standard", "ring last", "short"
# By layout: the places of the ring and of the two coordinates; a label always comes first.
_PLACES: dict[str, tuple[int | None, int, int]] = {
    _STANDARD: (1, 2, 3),
    _RING_LAST: (4, 1, 2),
    _SHORT: (None, 1, 2),
}
_LAYOUT_WORDS = {_STANDARD: "number, ring, two coordinates", _RING_LAST: "number, two coordinates, ring", _SHORT: "number, two coordinates"}  # fmt: skip
_MOST_VALUES = 4


@dataclass
class Points:
    """All points of a file: line, parcel (0-based), label and ring as spelt, and both coordinates as they stand; n each."""

    rows: npt.NDArray[np.int64]
    owner: npt.NDArray[np.int64]
    labels: list[str]
    rings: list[str]
    pairs: Floats
    remarks: list[str]


@dataclass(frozen=True)
class Axes:
    """What was decided: whether north comes first, degrees, and the zone before the east (0 for none)."""

    north_first: bool
    degrees: bool
    zone: int

    @property
    def words(self) -> str:
        """Return it in words."""
        first = (
            ("latitude" if self.north_first else "longitude")
            if self.degrees
            else ("north" if self.north_first else "east")
        )
        zone = (
            ""
            if self.degrees
            else f", zone {self.zone} before the east"
            if self.zone
            else ", no zone before the east"
        )
        return f"{first} first{zone}"


def points(blocks: Sequence[Block]) -> Points:
    """Read the points of all parcels; their lines are all laid out alike.

    Raises:
        FormatError: a line is laid out otherwise than the others, or holds no numbers.
    """
    every = [(place, point) for place, block in enumerate(blocks) for point in block.points]
    layouts = [_layout(point) for _, point in every]
    layout = Counter(layouts).most_common(1)[0][0]
    for (_, point), found in zip(every, layouts, strict=True):
        if found != layout or layout not in _PLACES:
            raise FormatError(point.row, _other_layout(point, layout))
    ring, one, other = _PLACES[layout]
    pairs = np.array([[_number(point, one), _number(point, other)] for _, point in every], np.float64)
    remarks = [] if layout == _STANDARD else [f"points are laid out as {_LAYOUT_WORDS[layout]}"]
    if layout == _STANDARD and any(
        len(point.values) > _MOST_VALUES and any(point.values[_MOST_VALUES:]) for _, point in every
    ):
        remarks.append("a further value of each point (a height) is left out")
    return Points(
        np.array([point.row for _, point in every], np.int64),
        np.array([place for place, _ in every], np.int64),
        [point.values[0] for _, point in every],
        ["" if ring is None else point.values[ring] for _, point in every],
        pairs,
        remarks,
    )


def _layout(point: Point) -> str:
    values = point.values
    while values and values[-1] == "":
        values = values[:-1]
    if len(point.values) > _MOST_VALUES and point.values[3] == "":
        return _RING_LAST
    if len(values) == 3:  # noqa: PLR2004 - a label and two coordinates
        return _SHORT
    if len(values) in (_MOST_VALUES, _MOST_VALUES + 1):
        return _STANDARD
    return f"{len(values)} values"


def _other_layout(point: Point, layout: str) -> str:
    n_values = len([value for value in point.values if value])
    why = (
        ", or thousands are parted by commas"
        if n_values > _MOST_VALUES
        else ", so the line was cut or changed"
    )
    usual = _LAYOUT_WORDS.get(layout, _LAYOUT_WORDS[_STANDARD])
    return f"{','.join(point.values)[:60]!r} has {n_values} values where points are {usual}{why}"


def _number(point: Point, place: int) -> float:
    text = point.values[place] if place < len(point.values) else ""
    if not _NUMBER.fullmatch(text):
        said = f"{text!r} stands" if text else "nothing stands"
        raise FormatError(
            point.row,
            f"{said} where a coordinate is to stand, in half-width digits without signs between thousands",
        )
    return float(text)


def decided(found: Points) -> Axes:
    """Decide by the size of all coordinates.

    Raises:
        FormatError: they can be read both ways, in no way, or are of several zones.
    """
    one, other = found.pairs.T
    ways: dict[tuple[bool, bool, bool], npt.NDArray[np.bool_]] = {}
    for north_first, north, east in ((True, one, other), (False, other, one)):
        ways[north_first, True, False] = _inside(north, _LATITUDES) & _inside(east, _LONGITUDES)
        ways[north_first, False, False] = _inside(north, _NORTHINGS) & _inside(east, _EASTINGS)
        ways[north_first, False, True] = _inside(north, _NORTHINGS) & _with_zone(east)
    fits = [way for way, right in ways.items() if right.all()]
    if len(fits) > 1:
        both = f"{one[0]:g} and {other[0]:g}"
        raise FormatError(int(found.rows[0]), f"{both} can both be north and east, so which is which cannot be told. Ask for coordinates with the zone (带号) before the east")  # fmt: skip
    if not fits:
        raise FormatError(*_none_fits(found, ways))
    north_first, degrees, prefixed = fits[0]
    if not prefixed:
        return Axes(north_first, degrees, 0)
    zones = ((other if north_first else one) // _ZONE_M).astype(np.int64)
    strange = np.flatnonzero(zones != zones[0])
    if len(strange):
        raise FormatError(
            int(found.rows[strange[0]]),
            f"the point is of zone {zones[strange[0]]}, those before it of zone {zones[0]}",
        )
    return Axes(north_first, degrees, int(zones[0]))


def _inside(values: Floats, limits: tuple[float, float]) -> npt.NDArray[np.bool_]:
    return (limits[0] <= values) & (values <= limits[1])


def _with_zone(east: Floats) -> npt.NDArray[np.bool_]:
    zones = east // _ZONE_M
    known = np.isin(zones, [*ZONES_3, *ZONES_6])
    return known & _inside(east - zones * _ZONE_M, _EASTINGS)


def _none_fits(found: Points, ways: dict[tuple[bool, bool, bool], npt.NDArray[np.bool_]]) -> tuple[int, str]:
    best = max(ways.values(), key=lambda right: int(right.sum()))
    at = int(np.flatnonzero(~best)[0])
    one, other = found.pairs[at]
    as_others = (
        "as those of the other points are" if best.any() else "in degrees or metres of any plane in China"
    )
    return int(
        found.rows[at]
    ), f"{one:.12g}, {other:.12g} are no north and east {as_others}, so the line was cut or changed"


def east_north(found: Points, axes: Axes) -> Floats:
    """Return the coordinates as east and north (n × 2)."""
    return found.pairs[:, ::-1].copy() if axes.north_first else found.pairs.copy()
