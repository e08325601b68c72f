"""The increment of the yearly survey (变更调查增量): base of the year before + increment = base of the year, and which polygon became which.

The rules are those of the yearly survey as public programs that build and check it apply them: the process layer (DLTBGXGC) holds the pieces of
old ∩ new with what each was and is; the pieces of an old polygon add up to its area, those of a new one to its; BGXW says what happened (0 vanished,
1 attributes only, 2 shape changed, 3 new, 4 unchanged), XZQTZLX whether land came from or went to another county (1 and 2) or was gained or lost
at the coast or the state line (3 and 4). What changed nothing but codes of place and ownership is left out of the increment, so it is not looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

# The last digit of a stated area.
AREA_STEP_M2 = 0.01
Shapes = npt.NDArray[np.object_]
# The fields of a polygon that an increment must not leave out.
COMPARED = ("DLBM", "QSXZ", "KCDLBM", "GDLX", "GDPDJB", "TBXHDM", "ZZSXDM", "CZCSXM")
AREA = "TBMJ"
PROCESS = ("BGQTBBSM", "BGHTBBSM", "BGXW", "XZQTZLX", "TBBGMJ")
VANISHED, ATTRIBUTES, RESHAPED, NEW, UNCHANGED = "0", "1", "2", "3", "4"
CAME, WENT = ("1", "3"), ("2", "4")
_COLUMNS = ("rule", "bsm", "message", "value", "limit", "place")
# Half of the last digit that an area is stated with: sums of such numbers are compared to it.
_HALF_STEP = AREA_STEP_M2 / 2


@dataclass(frozen=True)
class Polygons:
    """Land-use polygons: `rows` has BSM, TBMJ (m²) and the fields of `COMPARED` as texts, in the order of `shapes`."""

    rows: pd.DataFrame
    shapes: Shapes

    @cached_property
    def by_number(self) -> pd.Series[Any]:
        """Return the row of each number (标识码); of one that occurs twice, the first."""
        rows = pd.Series(np.arange(len(self.rows)), index=self.rows["BSM"].astype(str))
        return rows[~rows.index.duplicated()]

    @property
    def areas(self) -> npt.NDArray[np.float64]:
        """Return the stated areas, m²; 0 where none is stated."""
        return _numbers(self.rows[AREA])


@dataclass(frozen=True)
class Balance:
    """Stated areas, m²: now - before - came + went = `residual_m2`; `changed_m2` is the land of the process layer."""

    before_m2: float
    now_m2: float
    changed_m2: float
    came_m2: float
    went_m2: float

    @property
    def residual_m2(self) -> float:
        """Return what the increment does not explain."""
        return round(self.now_m2 - self.before_m2 - self.came_m2 + self.went_m2, 2)


@dataclass(frozen=True)
class Checked:
    """What does not match, one row each (rule, bsm, message, value and limit in m² or none, place: a point or none), and the balance."""

    issues: pd.DataFrame
    balance: Balance


def lineage(process: pd.DataFrame) -> pd.DataFrame:
    """Return which polygon became which: before, after, behaviour (BGXW) and area_m2, one row a pair, by before and after.

    `process` has the columns of `PROCESS`. Land that came from outside the county has no `before` (""), land that went there no `after`.

    >>> rows = [("A", "A", "2", "0", 60.0), ("A", "B", "3", "0", 40.0)]
    >>> lineage(pd.DataFrame(rows, columns=list(PROCESS))).to_dict("records")[1]
    {'before': 'A', 'after': 'B', 'behaviour': '3', 'area_m2': 40.0}
    """
    moved = process["XZQTZLX"].fillna("0").astype(str)
    pairs = pd.DataFrame(
        {
            "before": _texts(process["BGQTBBSM"]).where(~moved.isin(CAME), ""),
            "after": _texts(process["BGHTBBSM"]).where(~moved.isin(WENT), ""),
            "behaviour": _texts(process["BGXW"]),
            "area_m2": _numbers(process["TBBGMJ"]),
        }
    )
    found = pairs.groupby(["before", "after"], as_index=False).agg(
        behaviour=("behaviour", "min"), area_m2=("area_m2", "sum")
    )
    return found.assign(area_m2=found["area_m2"].round(2))


def check_increment(before: Polygons, now: Polygons, changed: Polygons, process: pd.DataFrame) -> Checked:
    """Check base of the year before + increment = base of the year.

    `changed` is DLTBGX; `process` is DLTBGXGC with the columns of `PROCESS` and, where they are there, the pairs BGQ…/BGH… of `COMPARED`.
    """
    pairs = lineage(process)
    found = [
        *_presence(before, now, changed, pairs),
        *_differences(before, now, changed),
        *_sums("before", before, pairs),
        *_sums("after", changed, pairs),
        *_behaviours(before, process),
    ]
    balance = Balance(
        _sum(before.areas),
        _sum(now.areas),
        _sum(pairs["area_m2"]),
        _sum(pairs["area_m2"][pairs["before"] == ""]),
        _sum(pairs["area_m2"][pairs["after"] == ""]),
    )
    if abs(balance.residual_m2) > _HALF_STEP:
        words = f"the base of the year differs from that of the year before + increment by {balance.residual_m2:,.2f} m²"
        found.append(
            ("balance", "", words, balance.now_m2, round(balance.now_m2 - balance.residual_m2, 2), None)
        )
    issues = pd.DataFrame(found, columns=list(_COLUMNS))
    return Checked(issues.sort_values(["rule", "bsm"], kind="stable", ignore_index=True), balance)


Row = tuple[str, str, str, float | None, float | None, Any]


def _presence(before: Polygons, now: Polygons, changed: Polygons, pairs: pd.DataFrame) -> Iterator[Row]:
    """Tell polygons that came or went without the increment saying so, and those of the increment that the bases do not hold."""
    old, new, said = (set(one.by_number.index) for one in (before, now, changed))
    sources, targets = set(pairs["before"]) - {""}, set(pairs["after"]) - {""}
    # What the base of the year before does not hold lies where the polygon is that it became.
    became = dict(zip(pairs["before"], pairs["after"], strict=True))
    last, this = "in the base of the year before", "in the base of the year"
    looked = (
        ("gone_unexplained", old - new - sources, before, f"{last}, not in that of the year, and the process layer does not say where it went"),
        ("came_unexplained", new - old - said, now, f"new {this}, and not in the layer of changes"),
        ("changed_not_in_base", said - new, changed, f"in the layer of changes, and not {this}"),
        ("unknown_before", sources - old, now, f"in the process layer as it was before, and not {last}"),
        ("unknown_after", targets - said, now, "in the process layer as it is now, and not in the layer of changes"),
        ("no_process", said - targets, changed, "in the layer of changes, and the process layer does not say what it came from"),
    )  # fmt: skip
    for rule, numbers, polygons, words in looked:
        for number in sorted(numbers):
            where = became[number] if rule == "unknown_before" else number
            yield rule, number, f"{number}: {words}", None, None, _place(polygons, where)


def _differences(before: Polygons, now: Polygons, changed: Polygons) -> Iterator[Row]:
    said = set(changed.by_number.index)
    for number, words, value, limit in _unlike(before, now):
        if number not in said:
            yield (
                "silent_change",
                number,
                f"{number}: not what it was the year before ({words}), and not in the layer of changes",
                value,
                limit,
                _place(now, number),
            )
    for number, words, value, limit in _unlike(changed, now):
        yield (
            "differs_from_base",
            number,
            f"{number}: the layer of changes and the base of the year differ ({words})",
            value,
            limit,
            _place(now, number),
        )


def _unlike(one: Polygons, other: Polygons) -> Iterator[tuple[str, str, float | None, float | None]]:
    """Yield polygons of one number that are not the same on both sides: what differs, and the areas where those do."""
    first, second = one.by_number, other.by_number
    numbers = first.index.intersection(second.index)
    left, right = first[numbers].to_numpy(), second[numbers].to_numpy()
    areas, others = one.areas[left], other.areas[right]
    fields = {
        name: (_texts(one.rows[name]).to_numpy()[left] != _texts(other.rows[name]).to_numpy()[right])
        for name in COMPARED
        if name in one.rows and name in other.rows
    }
    area = np.abs(areas - others) > _HALF_STEP
    shape = _reshaped(one.shapes[left], other.shapes[right])
    for row in np.flatnonzero(area | shape | np.any([*fields.values()], axis=0)).tolist():
        words = [name for name, differs in fields.items() if differs[row]]
        words += ["TBMJ"] * bool(area[row]) + ["shape"] * bool(shape[row])
        value, limit = (float(areas[row]), float(others[row])) if area[row] else (None, None)
        yield str(numbers[row]), ", ".join(words), value, limit


def _reshaped(before: Shapes, now: Shapes) -> npt.NDArray[np.bool_]:
    """Return which shapes are others by more ground than an area can state."""
    differs = np.asarray(shapely.to_wkb(before) != shapely.to_wkb(now), dtype=bool)
    places = np.flatnonzero(differs)
    missing = shapely.is_missing(before[places]) | shapely.is_missing(now[places])
    whole = places[~missing]
    apart = shapely.area(
        shapely.symmetric_difference(shapely.make_valid(before[whole]), shapely.make_valid(now[whole]))
    )
    differs[whole] = apart > AREA_STEP_M2
    return differs


def _sums(side: str, polygons: Polygons, pairs: pd.DataFrame) -> Iterator[Row]:
    """Tell polygons whose pieces do not add up to their area."""
    sums = pairs[pairs[side] != ""].groupby(side)["area_m2"].sum()
    rows = polygons.by_number
    known = sums.index.intersection(rows.index)
    areas = polygons.areas[rows[known].to_numpy()]
    words = {"before": "the area before", "after": "the area now"}[side]
    for number, total, area in zip(known, sums[known], areas, strict=True):
        if abs(total - area) > _HALF_STEP:
            message = f"{number}: its pieces add up to {total:,.2f} m², {words} is {area:,.2f} m²"
            yield (
                f"{side}_area",
                str(number),
                message,
                round(float(total), 2),
                float(area),
                _place(polygons, str(number)),
            )


def _behaviours(before: Polygons, process: pd.DataFrame) -> Iterator[Row]:
    """Tell pieces whose kind of change (BGXW) contradicts what they were and are."""
    known = set(before.by_number.index)
    was, now, kind = _texts(process["BGQTBBSM"]), _texts(process["BGHTBBSM"]), _texts(process["BGXW"])
    fresh = ~now.isin(known)
    moved = process["XZQTZLX"].fillna("0").astype(str).isin((*CAME, *WENT))
    same = np.all([_same(process, name) for name in COMPARED if f"BGQ{name}" in process and f"BGH{name}" in process] or [np.zeros(len(process), dtype=bool)], axis=0)  # fmt: skip
    said = (
        (kind.isin([NEW]) & ~fresh & ~moved, "new (BGXW 3), but the number was there the year before"),
        (kind.isin([VANISHED]) & (was == now), "vanished (BGXW 0), but the number is the same"),
        (kind.isin([ATTRIBUTES]) & same, "attributes only (BGXW 1), but none differs"),
        (~kind.isin([VANISHED, ATTRIBUTES, RESHAPED, NEW, UNCHANGED]), "BGXW is none of 0 to 4"),
    )
    for flags, words in said:
        for row in np.flatnonzero(flags.to_numpy()).tolist():
            number = now.iloc[row] or was.iloc[row]
            yield (
                "behaviour",
                str(number),
                f"{was.iloc[row]} → {now.iloc[row]}: {words}",
                None,
                None,
                _place(before, was.iloc[row]),
            )


def _same(process: pd.DataFrame, name: str) -> npt.NDArray[np.bool_]:
    return np.asarray(_texts(process[f"BGQ{name}"]) == _texts(process[f"BGH{name}"]), dtype=bool)


def _place(polygons: Polygons | None, number: str) -> Any:
    """Return a point in a polygon; None where it is not there."""
    if polygons is None or number not in polygons.by_number.index:
        return None
    return shapely.point_on_surface(polygons.shapes[polygons.by_number[number]])


def _texts(values: pd.Series[Any]) -> pd.Series[Any]:
    """Return texts in which missing and empty are the same."""
    return values.fillna("").astype(str).str.strip()


def _numbers(values: pd.Series[Any]) -> npt.NDArray[np.float64]:
    return np.asarray(pd.to_numeric(values, errors="coerce").fillna(0.0), dtype=np.float64)


def _sum(values: Any) -> float:
    return round(float(np.sum(values)), 2)
