"""Hold answers against answers, and say parcel by parcel what differs and from where on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from variations.answers import LEVELS, Answers, Level

EQUAL_M2 = 1e-6
# Two boundaries that each moved by d in both directions: an area changes by at most twice √2·d times their length.
_BOTH_MOVED = 2 * np.sqrt(2)
# Figures of units add up many parcels and lengths of outlines.
_UNIT_MARGIN = 100.0
# Where a lane is as wide as the widest that counts, to what GEOS simplifies of its sides when it draws them out (1 % of the distance, 5 cm),
# it ends here or there in an outline: by one square of its width at most, as the end of a lane is that long. The area of the
# parcels of a unit, which is stated, has no such allowance.
_OUTLINES, _LANE_END_M2 = "ZKFDY", 10.05**2
_SHOWN = 5


@dataclass(frozen=True)
class Difference:
    """One answer about one parcel that is another one: level, what of it, before and after."""

    parcel: str
    level: str
    what: str
    before: object
    after: object

    def __str__(self) -> str:
        """Return it in words."""
        return f"{self.level} {self.what}: {_shown(self.before)} → {_shown(self.after)}"


def differences(before: Answers, after: Answers, *, drift_m: float = 0.0) -> list[Difference]:
    """Return every difference, level by level; `drift_m` is how far a vertex may have moved in each direction."""
    frontiers = pd.concat([before.frontiers, after.frontiers]).groupby(level=0).max()
    found: list[Difference] = []
    for each in LEVELS:
        level = each
        left, right = before.levels[level.name], after.levels[level.name]
        if drift_m:
            if not level.holds_when_moved:
                continue
            level = replace(level, numbers=tuple(set(level.numbers) - set(level.unsure)))
        found += _of_level(level, left, right, _allowed(level, frontiers, drift_m), moved=drift_m > 0)
    return found


def _allowed(level: Level, frontiers: pd.Series, drift_m: float) -> pd.Series:
    """Return how far apart two numbers of a parcel may be: absolute for areas, in parts of the value otherwise."""
    moved = _BOTH_MOVED * drift_m * frontiers
    if level.reach == "area":
        return EQUAL_M2 + moved
    return EQUAL_M2 + moved * (_UNIT_MARGIN if level.reach == "unit" else 1.0)


def _of_level(
    level: Level, before: pd.DataFrame, after: pd.DataFrame, allowed: pd.Series, *, moved: bool
) -> Iterator[Difference]:
    before, after = _counted(before), _counted(after)
    keys = before.index.union(after.index)
    left, right = before.reindex(keys), after.reindex(keys)
    parcels = pd.Index(keys.get_level_values("parcel_id"))
    # A record that is no parcel, such as a unit of the package, is bounded by the longest boundary, as many together.
    bound = (
        allowed.reindex(parcels).fillna(EQUAL_M2 + _UNIT_MARGIN * (allowed.max() - EQUAL_M2)).to_numpy(float)
    )
    missing = ~keys.isin(before.index) | ~keys.isin(after.index)
    for name in level.numbers:
        a, b = (_numbers(rows[name], level.absent) for rows in (left, right))
        if level.reach == "area":
            apart = np.abs(a - b) > bound + (_lane_ends(keys, name) if moved else 0.0)
        else:
            apart = np.abs(a - b) > bound * np.maximum(1.0, np.abs(a))
        wrong = apart | (np.isnan(a) != np.isnan(b))
        yield from _rows(level, keys, name, a, b, wrong)
    for name in level.texts:
        a, b = (rows[name].map(str).to_numpy(dtype=object) for rows in (left, right))
        yield from _rows(level, keys, name, a, b, (a != b) | missing)


def _lane_ends(keys: pd.Index, name: str) -> np.ndarray:
    """Return by how much the outline of a unit may differ for the end of a lane."""
    outlines = (
        keys.get_level_values("file") == _OUTLINES if "file" in keys.names else np.zeros(len(keys), bool)
    )
    return np.where(outlines & (name == "shape_m2"), _LANE_END_M2, 0.0)


def _counted(rows: pd.DataFrame) -> pd.DataFrame:
    """Give rows of one key a count, so that a parcel that stands twice is a difference."""
    count = rows.groupby(level=list(range(rows.index.nlevels))).cumcount()
    return rows.set_index(count.rename("nth"), append=True)


def _numbers(values: pd.Series, absent: float | None) -> np.ndarray:
    numbers = values.to_numpy(dtype=float, na_value=np.nan)
    return numbers if absent is None else np.nan_to_num(numbers, nan=absent)


def _rows(
    level: Level, keys: pd.Index, name: str, a: np.ndarray, b: np.ndarray, wrong: np.ndarray
) -> Iterator[Difference]:
    for row in np.flatnonzero(wrong):
        parcel, *rest = keys[row][:-1]
        yield Difference(str(parcel), level.name, " ".join([*map(str, rest), name]), a[row], b[row])


def report(found: list[Difference], after: Answers) -> str:
    """Return the differences by parcel: the first level that differs is the cause, the last one what became of it."""
    by_parcel: dict[str, list[Difference]] = {}
    for item in found:
        by_parcel.setdefault(item.parcel, []).append(item)
    order = [level.name for level in LEVELS]
    worst = sorted(by_parcel, key=lambda parcel: (order.index(by_parcel[parcel][0].level), parcel))
    lines = [f"{len(found)} differences of {len(by_parcel)} parcels (or records):"]
    for parcel in worst[: 2 * _SHOWN]:
        first, last = by_parcel[parcel][0], by_parcel[parcel][-1]
        aside = after.set_aside.get(parcel)
        cause = f"set aside: {aside}" if aside else str(first)
        lines.append(f"  {parcel}: {cause}{'' if last is first else f' … {last}'}")
    if len(worst) > 2 * _SHOWN:
        lines.append(f"  and {len(worst) - 2 * _SHOWN} more")
    levels = {name: sum(item.level == name for item in found) for name in order}
    lines.append("  by level: " + ", ".join(f"{name} {count}" for name, count in levels.items() if count))
    return "\n".join(lines)


def _shown(value: object) -> str:
    if isinstance(value, float):
        return "nothing" if np.isnan(value) else f"{value:.10g}"
    return "nothing" if value is None else str(value)
