"""What changed between two versions of a layer: added, removed, other fields, other geometry; frames in, frames out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

Geometries = npt.NDArray[np.object_]
Rows = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Side:
    """One version: `rows` has key (or None), area_m2 and a digest of all fields; geometries may be missing (tables)."""

    rows: pd.DataFrame
    geometries: Geometries

    @property
    def area_m2(self) -> float:
        """Return the sum of the areas."""
        return float(self.rows["area_m2"].sum())


@dataclass(frozen=True)
class Matched:
    """Rows that are the same feature in both versions, and those that are in one only."""

    old: Rows
    new: Rows
    removed: Rows
    added: Rows


@dataclass(frozen=True)
class Balance:
    """How the area went from one version to the other; new - old = added - removed + changed."""

    old_m2: float
    new_m2: float
    added_m2: float
    removed_m2: float
    changed_m2: float

    @property
    def residual_m2(self) -> float:
        """Return what the parts do not explain: rounding of sums."""
        return (self.new_m2 - self.old_m2) - (self.added_m2 - self.removed_m2 + self.changed_m2)


def match(old: Side, new: Side) -> Matched:
    """Match rows by identifiers that occur once on both sides, the rest by equal geometry, one to one."""
    by_key = _joined(_unique_keys(old), _unique_keys(new))
    left, right = _others(old, by_key[0]), _others(new, by_key[1])
    by_shape = _joined(_shapes(old, left), _shapes(new, right))
    first = np.concatenate([by_key[0], by_shape[0]])
    second = np.concatenate([by_key[1], by_shape[1]])
    order = np.argsort(first, kind="stable")
    return Matched(first[order], second[order], _others(old, first), _others(new, second))


def _unique_keys(side: Side) -> pd.DataFrame:
    keys = side.rows["key"]
    single = (keys.notna() & ~keys.duplicated(keep=False)).to_numpy()
    return pd.DataFrame({"mark": keys.to_numpy()[single], "row": np.flatnonzero(single)})


def _shapes(side: Side, rows: Rows) -> pd.DataFrame:
    shapes = side.geometries[rows]
    rows = rows[~shapely.is_missing(shapes)]
    marks = pd.Series(shapely.to_wkb(shapely.normalize(side.geometries[rows])), dtype=object)
    # Equal geometries are told apart by their order, so that two of them match two.
    number = marks.groupby(marks.to_numpy()).cumcount() if len(marks) else marks
    return pd.DataFrame({"mark": list(zip(marks, number, strict=True)), "row": rows})


def _joined(old: pd.DataFrame, new: pd.DataFrame) -> tuple[Rows, Rows]:
    both = old.merge(new, on="mark", suffixes=("_old", "_new"))
    return both["row_old"].to_numpy(dtype=np.intp), both["row_new"].to_numpy(dtype=np.intp)


def _others(side: Side, rows: Rows) -> Rows:
    rest = np.ones(len(side.rows), dtype=bool)
    rest[rows] = False
    return np.flatnonzero(rest)


def balance(old: Side, new: Side, matched: Matched) -> Balance:
    """Return how the area came about."""
    before, after = old.rows["area_m2"].to_numpy(dtype=float), new.rows["area_m2"].to_numpy(dtype=float)
    return Balance(
        old.area_m2,
        new.area_m2,
        float(after[matched.added].sum()),
        float(before[matched.removed].sum()),
        float((after[matched.new] - before[matched.old]).sum()),
    )


def geometry_changes(old: Side, new: Side, matched: Matched) -> pd.DataFrame:
    """Return matched rows with another geometry: old, new (rows), symmetric_m2 and change_m2 (ellipsoidal)."""
    before, after = old.geometries[matched.old], new.geometries[matched.new]
    moved = ~shapely.is_missing(before) & (shapely.to_wkb(before) != shapely.to_wkb(after))
    # Another first vertex or another order of parts is the same geometry.
    moved[moved] = ~shapely.equals(before[moved], after[moved])
    rows_old, rows_new = matched.old[moved], matched.new[moved]
    areas = (
        new.rows["area_m2"].to_numpy(dtype=float)[rows_new]
        - old.rows["area_m2"].to_numpy(dtype=float)[rows_old]
    )
    return pd.DataFrame(
        {
            "old": rows_old,
            "new": rows_new,
            "symmetric_m2": shapely.area(shapely.symmetric_difference(before[moved], after[moved])),
            "change_m2": areas,
        }
    )


def candidates(old: Side, new: Side, matched: Matched) -> tuple[Rows, Rows]:
    """Return the matched rows whose fields are not all the same, by their digests."""
    before = old.rows["digest"].to_numpy(dtype=object)[matched.old]
    after = new.rows["digest"].to_numpy(dtype=object)[matched.new]
    differs = np.asarray(before != after, dtype=bool)
    return matched.old[differs], matched.new[differs]


def field_changes(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Return row, field, old and new of every field that differs; both frames have the same rows in the same order.

    A field that one side lacks counts as empty there.
    """
    fields = sorted({*before.columns, *after.columns})
    one = before.reindex(columns=fields).to_numpy(dtype=object)
    two = after.reindex(columns=fields).to_numpy(dtype=object)
    empty = pd.isna(one) & pd.isna(two)
    row, field = np.nonzero(np.asarray(one != two, dtype=bool) & ~empty)
    return pd.DataFrame(
        {
            "row": row,
            "field": np.array(fields, dtype=object)[field],
            "old": _plain(one[row, field]),
            "new": _plain(two[row, field]),
        }
    )


def _plain(values: npt.NDArray[Any]) -> Geometries:
    plain = values.copy()
    plain[pd.isna(values)] = None
    return plain
