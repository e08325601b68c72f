"""In which unit the coordinates of a drawing are: what its head says, held against where they lie."""

from __future__ import annotations

from dataclasses import dataclass

from lowland_gis.analysis.geometry.extent import readings

# $INSUNITS: the name, and how many metres it has.
_UNITS = {
    1: ("inches", 0.0254), 2: ("feet", 0.3048), 4: ("millimetres (毫米)", 0.001), 5: ("centimetres (厘米)", 0.01),
    6: ("metres (米)", 1.0), 7: ("kilometres (千米)", 1000.0), 14: ("decimetres (分米)", 0.1),
}  # fmt: skip


@dataclass(frozen=True)
class Unit:
    """By what coordinates are multiplied to be metres (or stay degrees), and words where that is not what the head says."""

    factor: float
    words: str | None = None


def unit(said: int, middle: tuple[float, float] | None) -> Unit | None:
    """Return the unit of a drawing, None where it cannot be told. `middle` is a place amidst its vertices, None without any.

    A template says millimetres whatever is drawn with it, so what the head says is taken where the coordinates then lie in China,
    and metres where they do as they stand.

    >>> unit(4, (515000, 4345000)).factor, unit(4, (515000000, 4345000000)).factor, unit(0, (515000, 4345000)).words
    (1.0, 0.001, None)
    """
    name, factor = _UNITS.get(said, ("no unit", 1.0))
    if middle is None:
        return Unit(1.0)
    if factor == 1:
        in_millimetres = any(_lies(middle, 0.001, swapped=swapped) for swapped in (False, True))
        return None if in_millimetres else Unit(1.0)
    # With x and y exchanged nearly any figures lie somewhere, so that comes last; it is refused where the system is known.
    for swapped in (False, True):
        if _lies(middle, 1.0, swapped=swapped):
            return Unit(
                1.0,
                f"its head says {name}, but the coordinates are metres or degrees as they stand, and were taken so",
            )
        if _lies(middle, factor, swapped=swapped):
            return Unit(factor, f"its coordinates are {name}, as its head says, and were brought to metres")
    return None


def _lies(place: tuple[float, float], factor: float, *, swapped: bool) -> bool:
    x, y = place[0] * factor, place[1] * factor
    # Web Mercator is no plane that anybody surveys on, and so large that feet look like it.
    return any(
        reading.swapped == swapped and "WGS 84" not in reading.systems for reading in readings((x, y, x, y))
    )
