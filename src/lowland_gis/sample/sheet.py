"""The rectangles that a filling puts on the plan: features of the third survey and lots."""

from __future__ import annotations

from array import array

import numpy as np

from lowland_gis.sample.codes import PURPOSE_USE, Purpose
from lowland_gis.sample.dice import Ints
from lowland_gis.sample.plan import Box

FEATURE_COLUMNS = ("x0", "y0", "x1", "y1", "leaf", "use", "settled")
LOT_COLUMNS = ("x0", "y0", "x1", "y1", "leaf", "purpose")


class Sheet:
    """Collects the rectangles of one filling; `least_m2` is the least area of a feature in the plan, by block."""

    def __init__(self, least_m2: list[float]) -> None:
        """Start empty."""
        self.least_m2 = least_m2
        self._features = array("q")
        self._lots = array("q")

    def feature(self, box: Box, leaf: int, use: int, *, settled: bool) -> None:
        """Keep one feature of the third survey."""
        self._features.extend((*box, leaf, use, settled))

    def lot(self, box: Box, leaf: int, purpose: Purpose) -> None:
        """Keep one lot."""
        self._lots.extend((*box, leaf, purpose))

    def built(self, box: Box, leaf: int, purpose: Purpose) -> None:
        """Keep a lot that is one feature."""
        self.lot(box, leaf, purpose)
        self.feature(box, leaf, int(PURPOSE_USE[purpose]), settled=True)

    def tables(self) -> tuple[dict[str, Ints], dict[str, Ints]]:
        """Return features and lots as columns."""
        return _columns(self._features, FEATURE_COLUMNS), _columns(self._lots, LOT_COLUMNS)


def _columns(rows: array[int], names: tuple[str, ...]) -> dict[str, Ints]:
    numbers = np.frombuffer(rows, dtype=np.int64).reshape(-1, len(names))
    return {name: numbers[:, column].copy() for column, name in enumerate(names)}
