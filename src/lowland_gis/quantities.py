"""Units of measures and limits, their dimensions, and how one turns into another."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

Dimension = tuple[tuple[str, int], ...]

MU_M2 = 2000 / 3
M2_PER_HA = 10_000.0
DAYS_PER_YEAR = 365.25


@dataclass(frozen=True)
class Unit:
    """A unit: what it measures, its size in the base unit of that dimension, and how people write it."""

    dimension: Dimension
    factor: float
    written: str


_PURE: Dimension = ()
_AREA: Dimension = (("area", 1),)
_MONEY: Dimension = (("money", 1),)
_INTENSITY: Dimension = (("area", -1), ("money", 1))
_TIME: Dimension = (("time", 1),)

# Money in 万元, area in 亩, time in years; a calendar year is no duration, a yes is no number.
UNITS: dict[str, Unit] = {
    "share": Unit(_PURE, 1.0, "%"),
    "%": Unit(_PURE, 0.01, "%"),
    "ratio": Unit(_PURE, 1.0, ""),
    "yes/no": Unit((("truth", 1),), 1.0, ""),
    "m²": Unit(_AREA, 1 / MU_M2, "m²"),
    "亩": Unit(_AREA, 1.0, "亩"),
    "公顷": Unit(_AREA, 15.0, "公顷"),
    "km²": Unit(_AREA, 1500.0, "km²"),
    "万元": Unit(_MONEY, 1.0, "万元"),
    "元": Unit(_MONEY, 1e-4, "元"),
    "亿元": Unit(_MONEY, 1e4, "亿元"),
    "万元/亩": Unit(_INTENSITY, 1.0, "万元/亩"),
    "万元/公顷": Unit(_INTENSITY, 1 / 15, "万元/公顷"),
    "元/m²": Unit(_INTENSITY, 1e-4 * MU_M2, "元/m²"),
    "亿元/km²": Unit(_INTENSITY, 1e4 / 1500, "亿元/km²"),
    "year": Unit(_TIME, 1.0, "年"),
    "month": Unit(_TIME, 1 / 12, "个月"),
    "day": Unit(_TIME, 1 / DAYS_PER_YEAR, "天"),
    "calendar year": Unit((("calendar", 1),), 1.0, "年"),
    "point": Unit((("point", 1),), 1.0, "分"),
    "m": Unit((("length", 1),), 1.0, "m"),
}

# How offices write the units of headings and field tables.
SPELLINGS = {
    "平方米": "m²", "㎡": "m²", "m2": "m²", "hm²": "公顷", "hm2": "公顷", "ha": "公顷", "平方公里": "km²", "平方千米": "km²",
    "km2": "km²", "米": "m", "年": "year", "月": "month", "天": "day", "分": "point",
}  # fmt: skip


def unit_named(text: str) -> str | None:
    """Return the unit that a text means, None for one that is none of ours.

    >>> unit_named("平方米"), unit_named("亩"), unit_named("宗")
    ('m²', '亩', None)
    """
    name = SPELLINGS.get(text.strip(), text.strip())
    return name if name in UNITS else None


def same_dimension(one: str, other: str) -> bool:
    """Say whether values in the two units can be compared.

    >>> same_dimension("亿元/km²", "万元/亩"), same_dimension("calendar year", "year")
    (True, False)
    """
    return UNITS[one].dimension == UNITS[other].dimension


def converted(value: float, unit: str, into: str) -> float:
    """Return a value of one unit in another unit of the same dimension; equal units keep it to the bit.

    >>> round(converted(40, "亿元/km²", "万元/亩"), 1), converted(18, "month", "year"), converted(5, "%", "share")
    (266.7, 1.5, 0.05)
    """
    if UNITS[unit].factor == UNITS[into].factor:
        return value
    return value * UNITS[unit].factor / UNITS[into].factor


def comparable(unit: str) -> list[str]:
    """Return the units that can be compared with one, itself among them."""
    return [name for name in UNITS if same_dimension(name, unit)]


def product(units: Iterable[str]) -> Dimension:
    """Return the dimension of a product of values.

    >>> product(["亩", "万元/亩", "share"]) == UNITS["万元"].dimension
    True
    """
    powers: dict[str, int] = {}
    for unit in units:
        for base, power in UNITS[unit].dimension:
            powers[base] = powers.get(base, 0) + power
    return tuple(sorted((base, power) for base, power in powers.items() if power))
