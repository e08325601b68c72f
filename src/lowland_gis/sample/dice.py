"""Seeded random numbers: a fast scalar stream for the layout and named generators for the tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt

Choice = TypeVar("Choice")
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Dates = npt.NDArray[np.datetime64]
Flags = npt.NDArray[np.bool_]
Texts = npt.NDArray[np.object_]
Shapes = npt.NDArray[np.object_]

BUFFER = 1 << 16
GOLDEN = np.uint64(0x9E3779B97F4A7C15)
MIX_A = np.uint64(0xBF58476D1CE4E5B9)
MIX_B = np.uint64(0x94D049BB133111EB)


def generator(seed: int, topic: str) -> np.random.Generator:
    """Return the generator of one topic, so that a change in one table leaves the others alone."""
    return np.random.default_rng([seed, *topic.encode()])


class Dice:
    """A stream of single random numbers drawn in blocks, because one draw at a time is slow in NumPy."""

    def __init__(self, seed: int, topic: str) -> None:
        """Start the stream of one topic."""
        self._generator = generator(seed, topic)
        self._numbers: list[float] = []

    def real(self, low: float = 0.0, high: float = 1.0) -> float:
        """Draw a number from [low, high)."""
        if not self._numbers:
            self._numbers = self._generator.random(BUFFER).tolist()
        return low + (high - low) * self._numbers.pop()

    def whole(self, low: int, high: int) -> int:
        """Draw an integer from low to high, both included."""
        return low + int(self.real() * (high - low + 1))

    def chance(self, share: float) -> bool:
        """Return true in the given share of calls."""
        return self.real() < share

    def pick(self, choices: Sequence[Choice]) -> Choice:
        """Draw one of the choices."""
        return choices[int(self.real() * len(choices))]


def lattice_noise(keys: Ints, salt: int) -> Floats:
    """Return one number in [0, 1) for every key, the same for the same key and salt (splitmix64)."""
    with np.errstate(over="ignore"):
        mixed = keys.astype(np.uint64) + np.uint64(salt) * MIX_B + GOLDEN
        mixed = (mixed ^ (mixed >> np.uint64(30))) * MIX_A
        mixed = (mixed ^ (mixed >> np.uint64(27))) * MIX_B
        mixed ^= mixed >> np.uint64(31)
    return (mixed >> np.uint64(11)).astype(np.float64) * 2.0**-53


def smooth_noise(x: Floats, y: Floats, *, wavelength: float, random: np.random.Generator) -> Floats:
    """Return a smooth field with mean 0 and spread about 1 at points in metres: a few plane waves."""
    field = np.zeros_like(x)
    waves = 6
    for _ in range(waves):
        angle, phase = random.uniform(0, 2 * np.pi, 2)
        length = wavelength * random.uniform(0.7, 1.8)
        along = x * np.cos(angle) + y * np.sin(angle)
        field += np.sin(2 * np.pi * along / length + phase)
    return np.asarray(field * np.sqrt(2 / waves))


def drawn(random: np.random.Generator, count: int, share: float | Floats) -> Flags:
    """Draw flags that are true in the given share (one for all, or one each)."""
    return np.asarray(random.random(count) < share)


def nullable(condition: Flags, values: object) -> Texts:
    """Return the values (one for all, or one each) where the condition holds, and missing elsewhere."""
    column = np.full(len(condition), None, dtype=object)
    column[condition] = np.broadcast_to(np.asarray(values, dtype=object), len(condition))[condition]
    return column
