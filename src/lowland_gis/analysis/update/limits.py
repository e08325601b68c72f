"""From where on two outlines are not the same; nothing but numbers, since definitions are read where nothing is computed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """From where on a difference is more than another measurement of the same boundary.

    `drift_m`: by how many metres a boundary that is measured anew may lie off; `share`: the least share of the smaller parcel that an
    overlap must have to be lineage; `doubtful`: within this factor of a limit, on either side, an answer is a doubt.
    """

    drift_m: float
    share: float
    doubtful: float = 2.0


@dataclass(frozen=True)
class Tolerance:
    """By how much two areas of the same land may differ: `area_m2`, or `share` of the greater one where that is more."""

    area_m2: float
    share: float

    def of(self, area_m2: float) -> float:
        """Return the tolerance of an area, both m².

        >>> Tolerance(1.0, 0.001).of(5000.0)
        5.0
        """
        return max(self.area_m2, self.share * area_m2)
