"""The unit of stated areas, told by the areas of the parcels: hectares by the rule, square metres and mu by some writers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lowland_gis.quantities import M2_PER_HA, MU_M2

HECTARES, METRES, MU = "公顷", "平方米", "亩"
UNITS = {HECTARES: M2_PER_HA, METRES: 1.0, MU: MU_M2}
# A plane shows up to 0.4 per mille more than the ellipsoid at the edge of its zone.
_PLANE = 1e-3
_NEAR = 2.0


@dataclass(frozen=True)
class Area:
    """An area as stated: its value, how many decimals it has, and the area of the shape in square metres."""

    stated: float
    decimals: int
    found_m2: float

    def fits(self, unit: str) -> bool:
        """Tell whether it is the same, to the rounding of what is stated and what a plane differs from the ellipsoid."""
        factor = UNITS[unit]
        rounding = 0.51 * factor * 10.0**-self.decimals
        return abs(self.stated * factor - self.found_m2) <= rounding + _PLANE * self.found_m2


def unit_of(areas: Sequence[Area]) -> str | None:
    """Return the one unit in which more than half of the stated areas are those of the shapes, or near them; None where there is none.

    >>> unit_of([Area(1.2, 4, 12000.0), Area(0.5, 4, 5000.2)]), unit_of([Area(12000.0, 1, 13000.0)]), unit_of([Area(7.0, 0, 100.0)])
    ('公顷', '平方米', None)
    """
    counts = {unit: sum(area.fits(unit) for area in areas) for unit in UNITS}
    best = max(counts.values(), default=0)
    found = [unit for unit, count in counts.items() if count == best]
    if best * 2 > len(areas) and len(found) == 1:
        return found[0]
    # Units are fifteen times apart and more, so an area that is wrong by a third still says its own.
    near = [
        unit
        for unit, factor in UNITS.items()
        if 2 * sum(_near(area.stated * factor, area.found_m2) for area in areas) > len(areas)
    ]
    return near[0] if len(near) == 1 else None


def _near(one: float, other: float) -> bool:
    return one <= _NEAR * other and other <= _NEAR * one


def in_hectares(stated: float, decimals: int, unit: str) -> float:
    """Return a stated area in hectares, with the decimals that it has.

    >>> in_hectares(65012.3, 1, "平方米")
    6.50123
    """
    if unit == HECTARES:
        return stated
    return round(stated * UNITS[unit] / M2_PER_HA, decimals + 4)
