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
