"""Three-valued logic on whole columns: false < unknown < true as 0, 1, 2, so that AND is the minimum and OR the maximum."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from lowland_gis.analysis.compiled import entry

Outcomes = npt.NDArray[np.int8]
Floats = npt.NDArray[np.float64]

FALSE, UNKNOWN, TRUE = 0, 1, 2
# Below this a float is equal to its limit: shares are sums of areas.
EQUAL_WITHIN = 1e-9

_BLOCK = 2048


def both(outcomes: Iterable[Outcomes], count: int) -> Outcomes:
    """Return Kleene's AND of several columns of `count` outcomes; the AND of nothing is true.

    >>> both([np.array([2, 2, 1], dtype=np.int8), np.array([2, 1, 0], dtype=np.int8)], 3).tolist()
    [2, 1, 0]
    """
    whole = np.full(count, TRUE, dtype=np.int8)
    for column in outcomes:
        np.minimum(whole, column, out=whole)
    return whole


def negated(outcomes: Outcomes) -> Outcomes:
    """Return Kleene's NOT; the unknown stays unknown.

    >>> negated(np.array([0, 1, 2], dtype=np.int8)).tolist()
    [2, 1, 0]
    """
    return TRUE - outcomes


def compared(values: Floats, op: str, limit: Floats | float, *, out: Outcomes | None = None) -> Outcomes:
    """Compare values with one limit, or with one each; NaN is unknown. Equality allows for rounding of sums.

    >>> compared(np.array([0.4, 0.5, np.nan]), ">=", 0.5).tolist()
    [0, 2, 1]
    """
    result = np.empty(len(values), dtype=np.int8) if out is None else out
    kind, turned = _OPS[op]
    # A column of a frame may lie in steps.
    values = np.ascontiguousarray(values, dtype=np.float64)
    if np.ndim(limit) == 0 and np.isnan(limit):
        # Where no law is in force, nothing is known.
        result[:] = UNKNOWN
    elif np.ndim(limit) == 0:
        slack = EQUAL_WITHIN * max(1.0, abs(float(limit)))
        _compare_one(values, kind, turned, float(limit), slack, result)
    else:
        _compare_each(values, kind, turned, np.ascontiguousarray(limit, dtype=np.float64), result)
    return result


def compared_bands(low: Floats, high: Floats, op: str, limit: Floats | float) -> Outcomes:
    """Compare a whole band with a limit: true or false only where every value of the band agrees.

    >>> compared_bands(np.array([0.6, 0.4]), np.array([0.7, 0.6]), ">=", 0.5).tolist()
    [2, 1]
    """
    at_low, at_high = compared(low, op, limit), compared(high, op, limit)
    result = np.where(at_low == at_high, at_low, np.int8(UNKNOWN))
    if op == "=":
        # Between two ends that both differ from the limit the band may still hold it.
        crossed = (compared(low, "<", limit) == TRUE) & (compared(high, ">", limit) == TRUE)
        result[crossed] = UNKNOWN
    return result


def letters(
    outcomes: Outcomes, columns: npt.NDArray[np.intp], rows: npt.NDArray[np.intp]
) -> npt.NDArray[np.uint8]:
    """Return the letters f, u, t of some columns for some rows: one row of bytes a row.

    `outcomes` has one row a condition; the result has one row a parcel and one column a clause. `rows` ascend.
    """
    found = np.empty((len(rows), len(columns)), dtype=np.uint8)
    _interleave(outcomes, columns, rows, found)
    return found


# f, u and t are 102, 117 and 116: 102 + 15 · outcome, less 16 for true, is worked out faster than looked up.
# By op: what is asked of value and limit (0 at least, 1 at most, 2 equal), and 1 where the answer is turned round.
_OPS = {">=": (0, 0), "<": (0, 1), "<=": (1, 0), ">": (1, 1), "=": (2, 0)}


@entry
def _compare_one(values: Floats, kind: int, turned: int, limit: float, slack: float, out: Outcomes) -> None:
    yes, no = (np.int8(0), np.int8(2)) if turned else (np.int8(2), np.int8(0))
    unknown = np.int8(1)
    if kind == 0:
        bound = limit - slack
        for row in range(len(values)):
            value = values[row]
            out[row] = (yes if value >= bound else no) if value == value else unknown  # noqa: PLR0124 - NaN
    elif kind == 1:
        bound = limit + slack
        for row in range(len(values)):
            value = values[row]
            out[row] = (yes if value <= bound else no) if value == value else unknown  # noqa: PLR0124
    else:
        for row in range(len(values)):
            value = values[row]
            out[row] = (yes if abs(value - limit) <= slack else no) if value == value else unknown  # noqa: PLR0124


@entry
def _compare_each(values: Floats, kind: int, turned: int, limits: Floats, out: Outcomes) -> None:
    for row in range(len(values)):
        value, limit = values[row], limits[row]
        if value != value or limit != limit:  # noqa: PLR0124 - NaN
            out[row] = 1
            continue
        slack = 1e-9 * max(1.0, abs(limit))
        if kind == 0:
            holds = value >= limit - slack
        elif kind == 1:
            holds = value <= limit + slack
        else:
            holds = abs(value - limit) <= slack
        out[row] = 2 if holds != (turned == 1) else 0


@entry
def _interleave(
    outcomes: Outcomes,
    columns: npt.NDArray[np.intp],
    rows: npt.NDArray[np.intp],
    out: npt.NDArray[np.uint8],
) -> None:
    # Block by block, so that the rows written to stay in the cache while column after column is read.
    for start in range(0, len(rows), _BLOCK):
        stop = min(start + _BLOCK, len(rows))
        some, target = rows[start:stop], out[start:stop]
        first, count = some[0], stop - start
        if some[count - 1] - first == count - 1:
            # Rows come in ascending order, so that these follow each other and need not be looked up.
            for place in range(len(columns)):
                column = outcomes[columns[place], first : first + count]
                for row in range(count):
                    target[row, place] = 102 + 15 * column[row] - 16 * (column[row] >> 1)
        else:
            for place in range(len(columns)):
                column = outcomes[columns[place]]
                for row in range(count):
                    found = column[some[row]]
                    target[row, place] = 102 + 15 * found - 16 * (found >> 1)
