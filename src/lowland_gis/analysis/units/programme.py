"""Units of a component as an integer programme: what its columns stand for, and the rules that are rows over them.

A *type* is a choice of the main zone, kind … of a unit; for a given type the cost of mixing is linear. The columns of a type are
the parcels, the links between neighbours (both ends are in) and how many units there are.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import highspy
import numpy as np
import numpy.typing as npt

from lowland_gis.analysis.units.facing import Floats, Ints
from lowland_gis.analysis.units.ground import Ground

_MOST_TYPES = 12
INF = highspy.kHighsInf


@dataclass(frozen=True)
class Component:
    """A component by its own numbers: links one < other with their lengths, and the gain of every parcel by type."""

    members: Ints
    one: Ints
    other: Ints
    length: Floats
    gain: Floats
    area: Floats
    low: Floats
    public: Floats


def component_of(ground: Ground, members: Ints) -> Component:
    """Return a component by its own numbers, those of the places of its parcels in `members`, which is sorted."""
    begin, count = ground.start[members], ground.start[members + 1] - ground.start[members]
    at = np.repeat(np.arange(len(members)), count)
    way = np.arange(len(at)) + np.repeat(begin - (np.cumsum(count) - count), count)
    there = np.searchsorted(members, ground.neighbour[way])
    linked = (there > at) & (members[np.minimum(there, len(members) - 1)] == ground.neighbour[way])
    return Component(
        members,
        at[linked],
        there[linked],
        ground.facing[way[linked]],
        _gains(ground, members),
        ground.area[members],
        ground.low[members],
        ground.public[members],
    )


def _gains(ground: Ground, members: Ints) -> Floats:
    """Return what each parcel brings by type; kinds of mixing that make too many types are left free."""
    kinds = [np.unique(ground.codes[kind, members]) for kind in range(len(ground.mixing))]
    chosen: list[int] = []
    count = 1
    for kind in np.argsort(-ground.mixing, kind="stable"):
        if count * len(kinds[kind]) <= _MOST_TYPES:
            chosen.append(int(kind))
            count *= len(kinds[kind])
    gains = []
    for codes in product(*(kinds[kind] for kind in chosen)):
        gain = ground.gain[members].copy()
        for kind, code in zip(chosen, codes, strict=True):
            foreign = ground.codes[kind, members] != code
            gain -= ground.mixing[kind] * ground.bases[kind, members] * foreign
        gains.append(gain)
    return np.array(gains)


class Rows:
    """Rows of a programme while it is put together."""

    def __init__(self) -> None:
        """Begin with no row."""
        self._blocks: list[tuple[Floats, Floats, Ints, Ints, Floats]] = []

    def add(self, lower: float, upper: float, columns: npt.ArrayLike, values: npt.ArrayLike) -> None:
        """Add lower <= Σ values · columns <= upper."""
        self.add_all(lower, upper, np.array([len(np.asarray(columns))]), columns, values)

    def add_all(
        self, lower: float, upper: float, sizes: Ints, columns: npt.ArrayLike, values: npt.ArrayLike
    ) -> None:
        """Add rows of the same bounds; `sizes` says how many of the columns are each one's."""
        block = np.full(len(sizes), lower), np.full(len(sizes), upper), sizes
        self._blocks.append((*block, np.asarray(columns), np.asarray(values, dtype=np.float64)))

    def put(self, highs: highspy.Highs, shift: int = 0) -> None:
        """Hand the rows over, for columns that begin so much later."""
        lower, upper, sizes, columns, values = map(np.concatenate, zip(*self._blocks, strict=True))
        highs.addRows(
            len(lower),
            lower,
            upper,
            len(columns),
            (np.cumsum(sizes) - sizes).astype(np.int32),
            (columns + shift).astype(np.int32),
            values,
        )


def add_columns(highs: highspy.Highs, cost: Floats, upper: Floats) -> None:
    """Add columns between 0 and `upper` that are worth `cost` each and are in no row yet."""
    nothing = np.zeros(len(cost), dtype=np.int32)
    highs.addCols(len(cost), cost, np.zeros(len(cost)), upper, 0, nothing, nothing[:0], np.empty(0))


def unit_rows(ground: Ground, local: Component, tangents: int) -> Rows:
    """Return the rows of units of one type; the columns are its parcels, its links, and how many units there are."""
    rows = Rows()
    count, links = len(local.members), len(local.one)
    number, parcels = count + links, np.arange(count)
    ends = np.stack([local.one, local.other], axis=1).ravel()
    link = np.repeat(count + np.arange(links), 2)
    pairs = np.stack([link, ends], axis=1).ravel()
    rows.add_all(-INF, 0.0, np.full(len(ends), 2), pairs, np.tile([1.0, -1.0], len(ends)))
    rows.add(0.0, INF, [*parcels, number], [*local.area, -ground.least])
    rows.add(-INF, 0.0, [*parcels, number], [*local.area, -ground.most])
    rows.add(0.0, INF, parcels, local.low - ground.low_share * local.area)
    if ground.public_share > 0:
        rows.add(0.0, INF, parcels, local.public - ground.public_share * local.area)
    _compact_rows(ground, local, rows, tangents)
    rows.add_all(-INF, 0.0, *_parcel_rows(local, number, local.area < ground.least))
    return rows


def _parcel_rows(local: Component, number: int, small: npt.NDArray[np.bool_]) -> tuple[Ints, Ints, Floats]:
    """Return rows parcel by parcel: none without a unit, and none too small to be one without a neighbour in it."""
    parcels, links = np.arange(len(local.members)), np.arange(len(local.one))
    first = parcels + np.cumsum(small) - small
    node = np.concatenate([local.one, local.other])
    beside = np.concatenate([local.other, local.one])
    there = small[node]
    row = np.concatenate([first, first, first[small] + 1, first[node[there]] + 1])
    place = np.concatenate([0 * first, 0 * first + 1, 0 * first[small], 1 + np.tile(links, 2)[there]])
    column = np.concatenate([parcels, np.full(len(first), number), parcels[small], beside[there]])
    order = np.lexsort((place, row))
    return np.bincount(row), column[order], np.where(place == 0, 1.0, -1.0)[order]


def _compact_rows(ground: Ground, local: Component, rows: Rows, tangents: int) -> None:
    """Ask for compactness: P <= √(4πA/c) is a convex set, here by tangents at areas from the least to the greatest."""
    if ground.compactness <= 0:
        return
    largest = min(ground.most, float(local.area.sum()))
    for area in np.geomspace(ground.least, max(largest, ground.least), tangents):
        compact_row(ground, local, rows, area)


def compact_row(ground: Ground, local: Component, rows: Rows, area: float) -> None:
    """Ask for compactness by the tangent at an area: Σp x - 2Σf y - slope Σa x - (height - slope·area) n <= 0."""
    height = np.sqrt(4 * np.pi * area / ground.compactness)
    slope = height / (2 * area)
    at = np.arange(len(local.members) + len(local.one) + 1)
    outer = ground.outline[local.members] - slope * local.area
    rows.add(-INF, 0.0, at, np.concatenate([outer, -2.0 * local.length, [slope * area - height]]))
