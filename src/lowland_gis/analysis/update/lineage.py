"""Which parcels became which: the two states and the land that they share, as a graph, taken apart into changes.

An overlap is lineage where it is more than what boundaries that were measured anew make: a strip of that width, and a share of the smaller of
both. What hangs together by such overlaps is one change: one that became several (split 分割), several that became one (merged 合并), one that
stayed itself (drifted 界线漂移, or reshaped 界线变更), got another number (renumbered 变更编号), and what is neither (regrouped 重组).
Nothing is settled silently: an overlap near the limit, or a number that lies elsewhere by now, is a doubt.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from lowland_gis.analysis.update.limits import Limits

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
class Lineage:
    """What became of the parcels.

    `changes` has one row a change: kind, old and new (positions, as lists), gained and lost (hundredths of m²: new land that was no parcel's
    before, and land that is none's now), moved_m (how far the boundary lies off on average). `old_change` and `new_change` give the row of
    each parcel. `doubts` has rule, old, new (position, or -1), value and limit (m²).
    """

    changes: pd.DataFrame
    old_change: Integers
    new_change: Integers
    doubts: pd.DataFrame


def lineage(old: State, new: State, shared: Shared, limits: Limits) -> Lineage:
    """Return what became of parcels, from the land that they share.

    >>> old = State(np.array(["A"], dtype=object), np.array([10000]), np.array([40.0]))
    >>> new = State(np.array(["B", "C"], dtype=object), np.array([6000, 4000]), np.array([32.0, 28.0]))
    >>> both = Shared(np.array([0, 0]), np.array([0, 1]), np.array([6000, 4000]))
    >>> lineage(old, new, both, Limits(0.1, 0.02)).changes[["kind", "old", "new"]].values.tolist()
    [['split', [0], [0, 1]]]
    """
    limit = edge_limits(old, new, shared, limits)
    stayed = _stayed(old, new, shared)
    counts = (shared.area > limit) | stayed
    group_old, group_new = _groups(len(old), len(new), shared, counts)
    gained = new.area - _sums(shared.new, shared.area, len(new))
    lost = old.area - _sums(shared.old, shared.area, len(old))
    made = _Changes(old, new, shared, limits, counts)
    rows = made.rows(group_old, group_new)
    changes = _with_areas(rows, gained, lost, old, new)
    old_change, new_change = _places(changes["old"], len(old)), _places(changes["new"], len(new))
    doubts = [
        *_near_limits(shared, counts & ~stayed, stayed, limit, limits),
        *_elsewhere(old, new, old_change, new_change),
        *_slivers(old, new, changes, gained, lost),
        *made.doubts,
    ]
    frame = pd.DataFrame(doubts, columns=["rule", "old", "new", "value", "limit"])
    return Lineage(changes, old_change, new_change, frame)


def edge_limits(old: State, new: State, shared: Shared, limits: Limits) -> Floats:
    """Return the area (hundredths of m²) that a pair must share to be lineage: a strip along half of the smaller one's boundary."""
    smaller = np.minimum(old.area[shared.old], new.area[shared.new])
    of_old = old.area[shared.old] <= new.area[shared.new]
    perimeter = np.where(of_old, old.perimeter_m[shared.old], new.perimeter_m[shared.new])
    strip: Floats = limits.drift_m * perimeter / 2 * PER_M2
    return np.maximum(strip, smaller * limits.share)


def same_outline(symmetric: Floats | float, perimeter_m: Floats | float, limits: Limits) -> Flags | bool:
    """Tell whether what two outlines do not share (hundredths of m²) is a boundary measured anew and no other parcel."""
    return symmetric <= limits.drift_m * perimeter_m * PER_M2


def _stayed(old: State, new: State, shared: Shared) -> Flags:
    """Tell which pairs have one number and most of the land of both: they belong together however thin they are."""
    one_number = old.ids[shared.old] == new.ids[shared.new]
    greater = np.maximum(old.area[shared.old], new.area[shared.new])
    return np.asarray(one_number, dtype=bool) & (shared.area >= greater * _HALF)


def _groups(n_old: int, n_new: int, shared: Shared, counts: Flags) -> tuple[Integers, Integers]:
    graph = coo_array(
        (np.ones(int(counts.sum()), dtype=np.int8), (shared.old[counts], n_old + shared.new[counts])),
        shape=(n_old + n_new, n_old + n_new),
    )
    _, labels = connected_components(graph, directed=False)
    labels = labels.astype(np.int64)
    return labels[:n_old], labels[n_old:]


def _sums(places: Integers, values: Integers, count: int) -> Integers:
    found = np.zeros(count, dtype=np.int64)
    np.add.at(found, places, values)
    return found


class _Changes:
    """Names what each group is."""

    def __init__(self, old: State, new: State, shared: Shared, limits: Limits, counts: Flags) -> None:
        self.old, self.new, self.limits = old, new, limits
        pairs = zip(shared.old[counts].tolist(), shared.new[counts].tolist(), strict=True)
        self.area = dict(zip(pairs, shared.area[counts].tolist(), strict=True))
        self.doubts: list[tuple[str, int, int, float, float]] = []

    def rows(self, group_old: Integers, group_new: Integers) -> pd.DataFrame:
        members: dict[int, tuple[list[int], list[int]]] = {}
        for side, groups in enumerate((group_old, group_new)):
            for place, group in enumerate(groups.tolist()):
                members.setdefault(group, ([], []))[side].append(place)
        rows = [row for olds, news in members.values() for row in self._named(olds, news)]
        frame = pd.DataFrame(rows, columns=["kind", "old", "new", "moved_m"])
        order = {kind: place for place, kind in enumerate((*KINDS, SAME))}
        first = [self._first(o, n) for o, n in zip(frame["old"], frame["new"], strict=True)]
        keyed = frame.assign(_order=frame["kind"].map(order), _first=first)
        return keyed.sort_values(["_order", "_first"], kind="stable", ignore_index=True).drop(
            columns=["_order", "_first"]
        )

    def _first(self, olds: list[int], news: list[int]) -> str:
        return str(self.old.ids[olds[0]] if olds else self.new.ids[news[0]])

    def _named(self, olds: list[int], news: list[int]) -> list[tuple[str, list[int], list[int], float]]:
        none = float("nan")
        if not news:
            return [(REMOVED, olds, [], none)]
        if not olds:
            return [(ADDED, [], news, none)]
        if len(olds) == len(news) == 1:
            return [self._one_to_one(olds[0], news[0])]
        if len(olds) == 1:
            return [(SPLIT, olds, news, none)]
        if len(news) == 1:
            return [(MERGED, olds, news, none)]
        kept = self._kept(olds, news)
        if kept is not None:
            return [self._one_to_one(one, other) for one, other in kept]
        return [(REGROUPED, olds, news, none)]

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

    def _one_to_one(self, one: int, other: int) -> tuple[str, list[int], list[int], float]:
        both = self.area.get((one, other), 0)
        symmetric = float(self.old.area[one] + self.new.area[other] - 2 * both)
        perimeter = float(max(self.old.perimeter_m[one], self.new.perimeter_m[other]))
        moved = symmetric / PER_M2 / perimeter if perimeter else float("nan")
        close = bool(same_outline(symmetric, perimeter, self.limits))
        limit = self.limits.drift_m * perimeter
        if not close and symmetric / PER_M2 <= limit * self.limits.doubtful:
            self.doubts.append((NEAR_LIMIT, one, other, symmetric / PER_M2, limit))
        if self.old.ids[one] == self.new.ids[other]:
            same = symmetric <= _ROUNDING or moved <= _NOISE_M
            return (SAME if same else DRIFTED) if close else RESHAPED, [one], [other], moved
        if close:
            return RENUMBERED, [one], [other], moved
        self.doubts.append((UNCLEAR, one, other, both / PER_M2, limit))
        return (RENUMBERED if self._mostly(one, other) else REGROUPED), [one], [other], moved


def _with_areas(rows: pd.DataFrame, gained: Integers, lost: Integers, old: State, new: State) -> pd.DataFrame:
    """Add old_area, new_area, gained and lost of each change, in hundredths of m²."""
    return rows.assign(
        old_area=[int(old.area[places].sum()) for places in rows["old"]],
        new_area=[int(new.area[places].sum()) for places in rows["new"]],
        gained=[int(gained[places].sum()) for places in rows["new"]],
        lost=[int(lost[places].sum()) for places in rows["old"]],
    )


def _places(lists: pd.Series, count: int) -> Integers:
    found = np.full(count, -1, dtype=np.int64)
    for row, places in enumerate(lists):
        found[places] = row
    return found


def _near_limits(
    shared: Shared, counts: Flags, settled: Flags, limit: Floats, limits: Limits
) -> list[tuple[str, int, int, float, float]]:
    """Return the overlaps that are lineage, or none, by less than the doubtful factor."""
    near = np.where(counts, shared.area <= limit * limits.doubtful, shared.area * limits.doubtful > limit)
    return [
        (
            NEAR_LIMIT,
            int(shared.old[k]),
            int(shared.new[k]),
            shared.area[k] / PER_M2,
            float(limit[k]) / PER_M2,
        )
        for k in np.flatnonzero(near & ~settled).tolist()
    ]


def _elsewhere(
    old: State, new: State, old_change: Integers, new_change: Integers
) -> list[tuple[str, int, int, float, float]]:
    """Return the numbers that both states have on different land."""
    by_id = {code: place for place, code in enumerate(new.ids.tolist())}
    found = []
    for place, code in enumerate(old.ids.tolist()):
        other = by_id.get(code, -1)
        if other >= 0 and old_change[place] != new_change[other]:
            found.append((ELSEWHERE, place, other, 0.0, 0.0))
    return found


def _slivers(
    old: State, new: State, changes: pd.DataFrame, gained: Integers, lost: Integers
) -> list[tuple[str, int, int, float, float]]:
    """Return what was added or removed though most of its land was, or is, that of others: too thin to be told apart from a boundary."""
    found = []
    for row in changes[changes["kind"].isin([ADDED, REMOVED])].itertuples():
        if row.kind == ADDED:
            place = row.new[0]
            if gained[place] < new.area[place] * _HALF:
                found.append((SLIVER, -1, place, gained[place] / PER_M2, new.area[place] / PER_M2))
        else:
            place = row.old[0]
            if lost[place] < old.area[place] * _HALF:
                found.append((SLIVER, place, -1, lost[place] / PER_M2, old.area[place] / PER_M2))
    return found


def is_land(found: Lineage, old: State, new: State, shared: Shared, limits: Limits) -> tuple[Flags, Flags]:
    """Tell of each old parcel whether what it shares with no new one is lost land, and of each new one whether what it gained is land.

    Else it is a strip along a boundary that was measured anew.
    """
    gained = new.area - _sums(shared.new, shared.area, len(new))
    lost = old.area - _sums(shared.old, shared.area, len(old))
    kinds = found.changes["kind"].to_numpy(dtype=object)
    sides = []
    for changes, rest, perimeter, whole in (
        (found.old_change, lost, old.perimeter_m, REMOVED),
        (found.new_change, gained, new.perimeter_m, ADDED),
    ):
        kind = kinds[changes] if len(changes) else np.empty(0, dtype=object)
        more = rest > limits.drift_m * perimeter / 2 * PER_M2
        sides.append(np.asarray((kind == whole) | (more & (kind != DRIFTED) & (kind != SAME)), dtype=bool))
    return sides[0], sides[1]
