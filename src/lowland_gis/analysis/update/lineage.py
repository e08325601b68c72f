"""Which parcels became which: the two states and the land that they share, as a graph, taken apart into changes.

An overlap is lineage where it is more than what boundaries that were measured anew make: a strip of that width, and a share of the smaller of
both. What hangs together by such overlaps is one change: one that became several (split 分割), several that became one (merged 合并), one that
stayed itself (drifted 界线漂移, or reshaped 界线变更), got another number (renumbered 变更编号), and what is neither (regrouped 重组).
Nothing is settled silently: an overlap near the limit, or a number that lies elsewhere by now, is a doubt.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from lowland_gis.analysis.update.limits import Limits
from lowland_gis.loading import when_used

if TYPE_CHECKING:
    from scipy import sparse
    from scipy.sparse import csgraph
else:
    # A page of the registry names changes and compares nothing.
    sparse, csgraph = when_used("scipy.sparse"), when_used("scipy.sparse.csgraph")

Texts = npt.NDArray[np.object_]
Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

# Areas are whole hundredths of a square metre, as registers keep them, so that sums have no rest.
PER_M2 = 100

ADDED, REMOVED, SPLIT, MERGED, REGROUPED = "added", "removed", "split", "merged", "regrouped"
RENUMBERED, RESHAPED, DRIFTED, SAME = "renumbered", "reshaped", "boundary_drifted", "same"
KINDS = (ADDED, REMOVED, SPLIT, MERGED, REGROUPED, RENUMBERED, RESHAPED, DRIFTED)

# Doubts: rules of issue rows.
NEAR_LIMIT, ELSEWHERE, SLIVER, UNCHANGED_UNDER, UNCLEAR = (
    "lineage_near_limit",
    "lineage_number_elsewhere",
    "lineage_sliver",
    "lineage_double_claim",
    "lineage_unclear",
)
_HALF = 0.5
# Up to here an outline is the same: areas that are rounded to hundredths leave so many of them, and sums of edges so much displacement.
_ROUNDING, _NOISE_M = 3, 1e-4


@dataclass(frozen=True)
class State:
    """The parcels of one state that did not stay as they were: codes, areas (hundredths of m²) and perimeters (m)."""

    ids: Texts
    area: Integers
    perimeter_m: Floats

    def __len__(self) -> int:
        """Return the number of parcels."""
        return len(self.ids)


@dataclass(frozen=True)
class Shared:
    """The land that a parcel of the old state and one of the new share: positions in both, and the area (hundredths of m²)."""

    old: Integers
    new: Integers
    area: Integers

    def __len__(self) -> int:
        """Return the number of pairs."""
        return len(self.old)


@dataclass(frozen=True)
class Change:
    """What became of some parcels: kind, positions in both states, and areas (hundredths of m²).

    `moved_m` says how far the boundary of one that stayed itself lies off on average, NaN of others.
    """

    kind: str
    old: list[int]
    new: list[int]
    moved_m: float
    old_area: int = 0
    new_area: int = 0


@dataclass(frozen=True)
class Doubt:
    """A doubt: its rule, the parcels (positions, or -1), and the value and the limit that it is about (m²)."""

    rule: str
    old: int
    new: int
    value: float
    limit: float


@dataclass(frozen=True)
class Lineage:
    """What became of the parcels; `old_change` and `new_change` give the place of the change of each parcel."""

    changes: tuple[Change, ...]
    old_change: Integers
    new_change: Integers
    doubts: tuple[Doubt, ...]


def lineage(old: State, new: State, shared: Shared, limits: Limits) -> Lineage:
    """Return what became of parcels, from the land that they share.

    >>> old = State(np.array(["A"], dtype=object), np.array([10000]), np.array([40.0]))
    >>> new = State(np.array(["B", "C"], dtype=object), np.array([6000, 4000]), np.array([32.0, 28.0]))
    >>> both = Shared(np.array([0, 0]), np.array([0, 1]), np.array([6000, 4000]))
    >>> [(change.kind, change.old, change.new) for change in lineage(old, new, both, Limits(0.1, 0.02)).changes]
    [('split', [0], [0, 1])]
    """
    limit = edge_limits(old, new, shared, limits)
    stayed = _stayed(old, new, shared)
    counts = (shared.area > limit) | stayed
    group_old, group_new = _groups(len(old), len(new), shared, counts)
    made = _Changes(old, new, shared, limits, counts)
    changes = made.of(group_old, group_new)
    old_change = _places([change.old for change in changes], len(old))
    new_change = _places([change.new for change in changes], len(new))
    doubts = (
        *_near_limits(shared, counts & ~stayed, stayed, limit, limits),
        *_elsewhere(old, new, old_change, new_change),
        *_slivers(changes, old, new, shared),
        *made.doubts,
    )
    return Lineage(changes, old_change, new_change, doubts)


def edge_limits(old: State, new: State, shared: Shared, limits: Limits) -> Floats:
    """Return the area (hundredths of m²) that a pair must share to be lineage: a strip along half of the smaller one's boundary."""
    smaller = np.minimum(old.area[shared.old], new.area[shared.new])
    of_old = old.area[shared.old] <= new.area[shared.new]
    perimeter = np.where(of_old, old.perimeter_m[shared.old], new.perimeter_m[shared.new])
    strip: Floats = limits.drift_m * perimeter / 2 * PER_M2
    return np.maximum(strip, smaller * limits.share)


def _stayed(old: State, new: State, shared: Shared) -> Flags:
    """Tell which pairs have one number and most of the land of both: they belong together however thin they are."""
    one_number = old.ids[shared.old] == new.ids[shared.new]
    greater = np.maximum(old.area[shared.old], new.area[shared.new])
    return np.asarray(one_number, dtype=bool) & (shared.area >= greater * _HALF)


def _groups(n_old: int, n_new: int, shared: Shared, counts: Flags) -> tuple[Integers, Integers]:
    graph = sparse.coo_array(
        (np.ones(int(counts.sum()), dtype=np.int8), (shared.old[counts], n_old + shared.new[counts])),
        shape=(n_old + n_new, n_old + n_new),
    )
    _, labels = csgraph.connected_components(graph, directed=False)
    labels = labels.astype(np.int64)
    return labels[:n_old], labels[n_old:]


def _sums(places: Integers, values: Integers, count: int) -> Integers:
    found = np.zeros(count, dtype=np.int64)
    np.add.at(found, places, values)
    return found


class _Changes:
    """Names what each group is; pairs of one parcel each, which most groups are, all together."""

    def __init__(self, old: State, new: State, shared: Shared, limits: Limits, counts: Flags) -> None:
        self.old, self.new, self.limits = old, new, limits
        pairs = zip(shared.old[counts].tolist(), shared.new[counts].tolist(), strict=True)
        self.area = dict(zip(pairs, shared.area[counts].tolist(), strict=True))
        self._doubts: list[tuple[int, Doubt]] = []

    @property
    def doubts(self) -> Iterator[Doubt]:
        """Yield the doubts by the old parcel that they are of."""
        return (doubt for _, doubt in sorted(self._doubts, key=lambda found: found[0]))

    def of(self, group_old: Integers, group_new: Integers) -> tuple[Change, ...]:
        """Return the changes by kind and code."""
        count = int(max(group_old.max(initial=-1), group_new.max(initial=-1))) + 1
        alone = (np.bincount(group_old, minlength=count) == 1) & (
            np.bincount(group_new, minlength=count) == 1
        )
        one, other = np.full(count, -1, dtype=np.int64), np.full(count, -1, dtype=np.int64)
        one[group_old], other[group_new] = np.arange(len(group_old)), np.arange(len(group_new))
        pairs = np.flatnonzero(alone)
        found = self._one_to_one(one[pairs], other[pairs], pairs)
        members: dict[int, tuple[list[int], list[int]]] = {}
        for side, groups in enumerate((group_old, group_new)):
            rest = np.flatnonzero(~alone[groups])
            for place, group in zip(rest.tolist(), groups[rest].tolist(), strict=True):
                members.setdefault(group, ([], []))[side].append(place)
        found += [change for group, both in members.items() for change in self._named(*both, group)]
        kinds: dict[str, list[Change]] = {kind: [] for kind in (*KINDS, SAME)}
        for change in found:
            kinds[change.kind].append(change)
        first = self._first()
        return tuple(change for each in kinds.values() for change in sorted(each, key=first))

    def _first(self) -> Callable[[Change], str]:
        old, new = self.old.ids.tolist(), self.new.ids.tolist()
        return lambda change: str(old[change.old[0]] if change.old else new[change.new[0]])

    def _change(self, kind: str, old: list[int], new: list[int], moved_m: float = float("nan")) -> Change:
        return Change(kind, old, new, moved_m, int(self.old.area[old].sum()), int(self.new.area[new].sum()))

    def _named(self, olds: list[int], news: list[int], group: int) -> list[Change]:
        if len(olds) > 1 and len(news) > 1:
            kept = self._kept(olds, news)
            if kept is not None:
                one, other = np.array(kept, dtype=np.int64).T
                return self._one_to_one(one, other, np.full(len(one), group))
        # By whether there are none, one or several on either side; of one on both sides see above.
        few = {(1, 0): REMOVED, (0, 1): ADDED, (1, 2): SPLIT, (2, 1): MERGED, (2, 2): REGROUPED}
        return [self._change(few[min(len(olds), 2), min(len(news), 2)], olds, news)]

    def _kept(self, olds: list[int], news: list[int]) -> list[tuple[int, int]] | None:
        """Return the pairs of a group in which every parcel kept its number and most of its land; None where they did not."""
        by_id = {self.new.ids[place]: place for place in news}
        pairs = [(place, by_id.get(self.old.ids[place], -1)) for place in olds]
        if len(olds) != len(news) or any(other < 0 for _, other in pairs):
            return None
        return pairs if all(self._mostly(one, other) for one, other in pairs) else None

    def _mostly(self, one: int, other: int) -> bool:
        greater = max(self.old.area[one], self.new.area[other])
        return bool(self.area.get((one, other), 0) >= greater * _HALF)

    def _one_to_one(self, one: Integers, other: Integers, group: Integers) -> list[Change]:
        """Return what became of pairs of parcels that are each other's; groups say in which order their doubts are told."""
        old, new = self.old, self.new
        pairs = list(zip(one.tolist(), other.tolist(), strict=True))
        both = np.array([self.area.get(pair, 0) for pair in pairs], dtype=np.int64)
        old_area, new_area = old.area[one], new.area[other]
        symmetric = (old_area + new_area - 2 * both).astype(np.float64)
        perimeter = np.maximum(old.perimeter_m[one], new.perimeter_m[other])
        some = perimeter != 0
        moved = np.full(len(one), np.nan)
        np.divide(symmetric / PER_M2, perimeter, out=moved, where=some)
        limit = self.limits.drift_m * perimeter
        close = symmetric / PER_M2 <= limit
        one_number = np.asarray(old.ids[one] == new.ids[other], dtype=bool)
        mostly = both >= np.maximum(old_area, new_area) * _HALF
        same = (symmetric <= _ROUNDING) | (moved <= _NOISE_M)
        kinds = np.where(
            one_number,
            np.where(close, np.where(same, SAME, DRIFTED), RESHAPED),
            np.where(close | mostly, RENUMBERED, REGROUPED),
        )
        near = ~close & (symmetric / PER_M2 <= limit * self.limits.doubtful)
        for k in np.flatnonzero(near | ~(close | one_number)).tolist():
            if near[k]:
                doubt = Doubt(NEAR_LIMIT, *pairs[k], float(symmetric[k]) / PER_M2, float(limit[k]))
                self._doubts.append((int(group[k]), doubt))
            if not one_number[k]:
                doubt = Doubt(UNCLEAR, *pairs[k], float(both[k]) / PER_M2, float(limit[k]))
                self._doubts.append((int(group[k]), doubt))
        columns = (kinds, one, other, moved, old_area, new_area)
        return [
            Change(kind, [mine], [its], *rest)
            for kind, mine, its, *rest in zip(*(column.tolist() for column in columns), strict=True)
        ]


def _places(lists: Sequence[list[int]], count: int) -> Integers:
    found = np.full(count, -1, dtype=np.int64)
    places = np.fromiter(chain.from_iterable(lists), np.int64)
    found[places] = np.repeat(np.arange(len(lists)), [len(each) for each in lists])
    return found


def _near_limits(
    shared: Shared, counts: Flags, settled: Flags, limit: Floats, limits: Limits
) -> Iterator[Doubt]:
    """Yield the overlaps that are lineage, or none, by less than the doubtful factor."""
    near = np.where(counts, shared.area <= limit * limits.doubtful, shared.area * limits.doubtful > limit)
    for k in np.flatnonzero(near & ~settled).tolist():
        value, bound = shared.area[k] / PER_M2, float(limit[k]) / PER_M2
        yield Doubt(NEAR_LIMIT, int(shared.old[k]), int(shared.new[k]), value, bound)


def _elsewhere(old: State, new: State, old_change: Integers, new_change: Integers) -> Iterator[Doubt]:
    """Yield the numbers that both states have on different land."""
    by_id = {code: place for place, code in enumerate(new.ids.tolist())}
    mine, its = old_change.tolist(), new_change.tolist()
    for place, code in enumerate(old.ids.tolist()):
        other = by_id.get(code, -1)
        if other >= 0 and mine[place] != its[other]:
            yield Doubt(ELSEWHERE, place, other, 0.0, 0.0)


def _slivers(changes: Sequence[Change], old: State, new: State, shared: Shared) -> Iterator[Doubt]:
    """Yield what was added or removed though most of its land was, or is, that of others: too thin to be told apart from a boundary."""
    gained, lost = rests(old, new, shared)
    for change in changes:
        if change.kind == ADDED and gained[change.new[0]] < change.new_area * _HALF:
            place = change.new[0]
            yield Doubt(SLIVER, -1, place, gained[place] / PER_M2, change.new_area / PER_M2)
        if change.kind == REMOVED and lost[change.old[0]] < change.old_area * _HALF:
            place = change.old[0]
            yield Doubt(SLIVER, place, -1, lost[place] / PER_M2, change.old_area / PER_M2)


def rests(old: State, new: State, shared: Shared) -> tuple[Integers, Integers]:
    """Return what each new parcel shares with no old one, and what each old one shares with no new one (hundredths of m²)."""
    return (
        new.area - _sums(shared.new, shared.area, len(new)),
        old.area - _sums(shared.old, shared.area, len(old)),
    )


def is_land(found: Lineage, old: State, new: State, shared: Shared, limits: Limits) -> tuple[Flags, Flags]:
    """Tell of each old parcel whether what it shares with no new one is lost land, and of each new one whether what it gained is land.

    Else it is a strip along a boundary that was measured anew.
    """
    gained, lost = rests(old, new, shared)
    kinds = np.array([change.kind for change in found.changes], dtype=object)
    sides = []
    for changes, rest, perimeter, whole in (
        (found.old_change, lost, old.perimeter_m, REMOVED),
        (found.new_change, gained, new.perimeter_m, ADDED),
    ):
        kind = kinds[changes] if len(changes) else np.empty(0, dtype=object)
        more = rest > limits.drift_m * perimeter / 2 * PER_M2
        sides.append(np.asarray((kind == whole) | (more & (kind != DRIFTED) & (kind != SAME)), dtype=bool))
    return sides[0], sides[1]
