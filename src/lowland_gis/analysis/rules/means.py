"""Means that are the same to the last digit, whatever the order of the values and however they are parted."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

# Every double is a whole number of the smallest one, 2 ** -1074; its 53 digits are summed in two halves, which do not overflow.
_SMALLEST, _DIGITS, _HALF = 1074, 53, 27


class Summed(NamedTuple):
    """How many values there are, and their exact sum in units of 2 ** -1074."""

    number: int
    total: int

    @property
    def mean(self) -> float:
        """Return the double nearest to the mean; NaN where there are no values."""
        return self.total / (self.number << _SMALLEST) if self.number else float("nan")


def summed(values: npt.NDArray[np.float64]) -> Summed:
    """Return the exact sum of finite values.

    >>> summed(np.array([1e100, 1.0, -1e100])).mean == 1 / 3
    True
    """
    digits, exponents = np.frexp(values)
    whole = np.ldexp(digits, _DIGITS).astype(np.int64)
    total = 0
    for exponent in np.unique(exponents).tolist():
        some = whole[exponents == exponent]
        high, low = int((some >> _HALF).sum()), int((some & ((1 << _HALF) - 1)).sum())
        shift = exponent - _DIGITS + _SMALLEST
        exact = (high << _HALF) + low
        # The digits of a number below the normal ones end in as many zeros as are cut here.
        total += exact << shift if shift >= 0 else exact >> -shift
    return Summed(len(values), total)


def together(parts: Iterable[Summed]) -> Summed:
    """Return the sum of all parts.

    >>> together([summed(np.array([0.1])), summed(np.array([0.2, 0.3]))]) == summed(np.array([0.3, 0.1, 0.2]))
    True
    """
    number = total = 0
    for part in parts:
        number, total = number + part.number, total + part.total
    return Summed(number, total)
