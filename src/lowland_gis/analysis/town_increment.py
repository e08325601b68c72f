"""The towns of the yearly increment (行政区更新层): base of the year before + increment = base of the year, town by town.

The update layer (XZQGX) has the towns that changed, as they are now; the process layer (XZQGXGC) the pieces of old ∩ new with the town that
each was of and is of. Areas are measured on the ellipsoid, since registers of towns state none.
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

from lowland_gis.analysis.increment import AREA_STEP_M2, CAME, WENT, Shapes

# A town is told by so many digits; files of surveys fill codes up with zeros, others do not.
TOWN_DIGITS = 9
_COLUMNS = ("rule", "code", "message", "value", "limit", "place")
Row = tuple[str, str, str, float | None, float | None, Any]
_LAST, _THIS = "in the base of the year before", "in the base of the year"


@dataclass(frozen=True)
class Towns:
    """Outlines of towns with their codes (XZQDM), and areas in m²; a town may have several outlines."""

    codes: tuple[str, ...]
    areas: npt.NDArray[np.float64]
    shapes: Shapes

    @cached_property
    def by_code(self) -> dict[str, tuple[float, Any]]:
        """Return the area and the outline of each town."""
        found: dict[str, list[int]] = {}
        for row, code in enumerate(self.codes):
            found.setdefault(town_of(code), []).append(row)
        return {
            code: (float(self.areas[rows].sum()), _whole(self.shapes[rows])) for code, rows in found.items()
        }


@dataclass(frozen=True)
class TownPieces:
    """Pieces of old ∩ new: the town that each was of (BGQXZQDM) and is of (BGHXZQDM), XZQTZLX, and its area in m²."""

    before: tuple[str, ...]
    after: tuple[str, ...]
    moved: tuple[str, ...]
    areas: npt.NDArray[np.float64]

    @cached_property
    def pairs(self) -> tuple[tuple[str, str, float], ...]:
        """Return town before, town after ("" outside the county) and area of each piece."""
        rows = zip(self.before, self.after, self.moved, self.areas.tolist(), strict=True)
        return tuple(
            ("" if moved in CAME else town_of(before), "" if moved in WENT else town_of(after), area)
            for before, after, moved, area in rows
        )


def town_of(code: str) -> str:
    """Return the code of a town without what fills it up.

    >>> town_of("120113100000")
    '120113100'
    """
    return code.strip()[:TOWN_DIGITS]


def check_towns(before: Towns, now: Towns, changed: Towns, pieces: TownPieces | None) -> pd.DataFrame:
    """Return what does not match: rule, code, message, value and limit (m², or none) and place (a point or none), by rule and code.

    `changed` is XZQGX; `pieces` is XZQGXGC, None where it was not delivered: nothing says then where a town that is gone went, or that land
    came from another county.

    >>> one = Towns(("120113100",), np.array([100.0]), np.array([shapely.box(0, 0, 10, 10)]))
    >>> other = Towns(("120113100",), np.array([90.0]), np.array([shapely.box(0, 0, 9, 10)]))
    >>> none = Towns((), np.empty(0), np.empty(0, dtype=object))
    >>> check_towns(one, other, none, None)["rule"].tolist()
    ['balance', 'silent_change']
    """
    found = [*_presence(before, now, changed, pieces), *_differences(before, now, changed)]
    found += _without_pieces(before, now) if pieces is None else _by_pieces(before, now, changed, pieces)
    issues = pd.DataFrame(found, columns=list(_COLUMNS))
    return issues.sort_values(["rule", "code"], kind="stable", ignore_index=True)


def _presence(before: Towns, now: Towns, changed: Towns, pieces: TownPieces | None) -> Iterator[Row]:
    old, new, said = (one.by_code.keys() for one in (before, now, changed))
    sources = set() if pieces is None else {source for source, _, _ in pieces.pairs}
    looked = (
        ("gone_unexplained", old - new - sources, before, f"{_LAST}, not in that of the year, and no process layer (XZQGXGC) says where it went"),
        ("came_unexplained", new - old - said, now, f"new {_THIS}, and not in the layer of changes (XZQGX)"),
        ("changed_not_in_base", said - new, changed, f"in the layer of changes (XZQGX), and not {_THIS}"),
    )  # fmt: skip
    for rule, codes, towns, words in looked:
        for code in codes:
            yield rule, code, f"{code}: {words}", None, None, _place(towns, code)


def _differences(before: Towns, now: Towns, changed: Towns) -> Iterator[Row]:
    for code, what, value, limit in _unlike(before, now):
        if code not in changed.by_code:
            words = f"not what it was the year before ({what}), and not in the layer of changes (XZQGX)"
            yield "silent_change", code, f"{code}: {words}", value, limit, _place(now, code)
    for code, what, value, limit in _unlike(changed, now):
        words = f"the layer of changes (XZQGX) and the base of the year differ ({what})"
        yield "differs_from_base", code, f"{code}: {words}", value, limit, _place(now, code)


def _unlike(one: Towns, other: Towns) -> Iterator[tuple[str, str, float, float]]:
    """Yield towns of both sides that are not the same: code, by how much in words, and both areas."""
    for code in sorted(one.by_code.keys() & other.by_code.keys()):
        (area, shape), (second_area, second) = one.by_code[code], other.by_code[code]
        apart = 0.0 if shape is None or second is None else _apart(shape, second)
        if _differ(area, second_area) or apart > AREA_STEP_M2:
            yield (
                code,
                f"{area:,.2f} and {second_area:,.2f} m², {apart:,.2f} m² in one of both only",
                area,
                second_area,
            )


def _by_pieces(before: Towns, now: Towns, changed: Towns, pieces: TownPieces) -> Iterator[Row]:
    """Tell pieces of towns that the bases do not have, and towns whose area is not that of the year before with what came and went."""
    came, went = dict.fromkeys(now.by_code, 0.0), dict.fromkeys(before.by_code, 0.0)
    for source, target, area in pieces.pairs:
        if source != target:
            came[target] = came.get(target, 0.0) + area
            went[source] = went.get(source, 0.0) + area
    sources = {source for source, _, _ in pieces.pairs} - {""}
    targets = {target for _, target, _ in pieces.pairs} - {""}
    looked = (
        ("unknown_before", sources - before.by_code.keys(), f"in the process layer (XZQGXGC) as it was before, and not {_LAST}"),
        ("unknown_after", targets - now.by_code.keys(), f"in the process layer (XZQGXGC) as it is now, and not {_THIS}"),
        ("no_process", changed.by_code.keys() - targets, "in the layer of changes (XZQGX), and the process layer (XZQGXGC) does not say what it came from"),
    )  # fmt: skip
    for rule, codes, words in looked:
        for code in codes:
            yield rule, code, f"{code}: {words}", None, None, _place(now, code)
    for code in sorted(before.by_code.keys() | now.by_code.keys()):
        was, area = (towns.by_code.get(code, (0.0, None))[0] for towns in (before, now))
        more, less = came.get(code, 0.0), went.get(code, 0.0)
        if _differ(was + more - less, area):
            words = f"{was:,.2f} m² the year before + {more:,.2f} that came − {less:,.2f} that went is not {area:,.2f} m²"
            yield "balance", code, f"{code}: {words}", area, round(was + more - less, 2), _place(now, code)


def _without_pieces(before: Towns, now: Towns) -> Iterator[Row]:
    """Tell that all towns together are not as large as they were: nothing says that land came from another county."""
    was, area = (sum(one for one, _ in towns.by_code.values()) for towns in (before, now))
    if _differ(was, area):
        words = f"all towns together are {area:,.2f} m², and were {was:,.2f} m²; no process layer (XZQGXGC) says what came or went"
        yield "balance", "", words, area, was, None


def _differ(one: float, other: float) -> bool:
    return round(abs(one - other), 4) > AREA_STEP_M2


def _apart(one: Any, other: Any) -> float:
    if shapely.equals_identical(one, other):
        return 0.0
    return float(shapely.area(shapely.symmetric_difference(one, other)))


def _whole(shapes: Shapes) -> Any:
    there = shapely.make_valid(shapes[~shapely.is_missing(shapes)])
    if not len(there):
        return None
    return there[0] if len(there) == 1 else shapely.union_all(there)


def _place(towns: Towns, code: str) -> Any:
    """Return a point in a town; None where it is not there."""
    shape = towns.by_code.get(code, (0.0, None))[1]
    return None if shape is None else shapely.point_on_surface(shape)
