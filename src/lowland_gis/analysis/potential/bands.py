"""Bands: the least and the most that a figure can be, as far as its inputs are known."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Band:
    """The least and the most of a figure; an end that nobody knows is infinite.

    >>> Band(1.0, 2.0) + Band(3.0, 5.0), Band(1.0, 2.0) - Band(3.0, 5.0)
    (Band(low=4.0, high=7.0), Band(low=-4.0, high=-1.0))
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        """Refuse what is no band."""
        if not self.low <= self.high:
            raise ValueError(f"{self.low} to {self.high} is no band")

    @classmethod
    def of(cls, value: float) -> Band:
        """Return the band of a value that is known; NaN is an amount that is not."""
        return UNKNOWN if math.isnan(value) else cls(value, value)

    @property
    def known(self) -> bool:
        """Say whether something is known: an amount between nothing and no end says nothing."""
        return self != UNKNOWN and not (math.isinf(self.low) and math.isinf(self.high))

    def __add__(self, other: Band) -> Band:
        """Return the band of a sum."""
        return Band(self.low + other.low, self.high + other.high)

    def __sub__(self, other: Band) -> Band:
        """Return the band of a difference."""
        return Band(self.low - other.high, self.high - other.low)

    def __mul__(self, other: Band) -> Band:
        """Return the band of a product; nothing of an unknown amount is nothing.

        >>> Band(0.5, 1.0) * Band(-2.0, 4.0), Band(0.0, 0.0) * UNKNOWN
        (Band(low=-2.0, high=4.0), Band(low=0.0, high=0.0))
        """
        ends = [_product(a, b) for a in (self.low, self.high) for b in (other.low, other.high)]
        return Band(min(ends), max(ends))

    def times(self, factor: float) -> Band:
        """Return the band so many times."""
        return self * Band(factor, factor)

    def above_zero(self) -> Band:
        """Return the band of what is gained: a loss is no gain.

        >>> Band(-2.0, 3.0).above_zero(), Band(-2.0, -1.0).above_zero()
        (Band(low=0.0, high=3.0), Band(low=0.0, high=0.0))
        """
        return Band(max(0.0, self.low), max(0.0, self.high))

    def at_most(self, most: float) -> Band:
        """Return the band of what cannot be more."""
        return Band(min(self.low, most), min(self.high, most))


# An amount of which nobody knows anything; it is not negative.
UNKNOWN = Band(0.0, math.inf)
NOTHING = Band(0.0, 0.0)
SHARE = Band(0.0, 1.0)


def total(bands: Iterable[Band]) -> Band:
    """Return the band of a sum; the order of what is summed makes no difference.

    >>> total([Band(0.1, 0.2)] * 10)
    Band(low=1.0, high=2.0)
    """
    every = list(bands)
    return Band(math.fsum(band.low for band in every), math.fsum(band.high for band in every))


def _product(one: float, other: float) -> float:
    return 0.0 if 0.0 in (one, other) else one * other
