"""Cells of the plane, each of which is tabulated by itself: parcels lie in one, zones go to all whose parcels they may meet.

A parcel belongs to the cell in which the lower left corner of its box lies, so a parcel on an edge counts once. The cells tile the
whole plane: they are halves of halves along the lines of a fine grid, cut where half of the weight lies on each side, until none weighs
more than a limit. What a cell needs of the zones is not its own ground but its window: the box of the parcels that belong to it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


class Cells(NamedTuple):
    """Where each square of the fine grid belongs, and the cells (C), those that lie near each other one after the other.

    `cell` (F): of each square that was counted; `core` (C, 4): west, south, east, north of the ground of a cell in metres, infinite at the rim;
    `window` (C, 4): the box of its parcels, NaN where it has none.
    """

    cell: Integers
    core: Floats
    window: Floats


def cells(
    column: Integers, row: Integers, weight: Floats, box: Floats, *, side: float, limit: float
) -> Cells:
    """Return cells of which none weighs more than `limit`, or is one square.

    `column`, `row` (F) number the squares of `side` metres eastward and northward from 0, 0; `weight` (F) is what lies in each, in bytes;
    `box` (F, 4) the box of its parcels, NaN where it has none.
    """
    number = np.empty(len(column), dtype=np.int64)
    cores: list[tuple[float, float, float, float]] = []
    windows: list[Floats] = []
    waiting = [(np.arange(len(column)), (-np.inf, -np.inf, np.inf, np.inf))]
    while waiting:
        squares, (west, south, east, north) = waiting.pop()
        spans = np.ptp(column[squares]) if len(squares) else 0, np.ptp(row[squares]) if len(squares) else 0
        if weight[squares].sum() <= limit or max(spans) == 0:
            number[squares] = len(cores)
            cores.append((west, south, east, north))
            windows.append(united(box[squares]))
            continue
        along = column if spans[0] >= spans[1] else row
        line = _halving(along[squares], weight[squares])
        lower = along[squares] < line
        at = float(line) * side
        if along is column:
            first, second = (west, south, at, north), (at, south, east, north)
        else:
            first, second = (west, south, east, at), (west, at, east, north)
        waiting += [(squares[~lower], second), (squares[lower], first)]
    return Cells(number, np.array(cores).reshape(-1, 4), np.array(windows).reshape(-1, 4))


def united(boxes: Floats) -> Floats:
    """Return the box around all boxes, NaN where there is none."""
    there = boxes[~np.isnan(boxes[:, 0])]
    if len(there) == 0:
        return np.full(4, np.nan)
    return np.concatenate([there[:, :2].min(axis=0), there[:, 2:].max(axis=0)])


def _halving(place: Integers, weight: Floats) -> int:
    """Return the line, above the least place and at most at the greatest, below which about half of the weight lies."""
    distinct, inverse = np.unique(place, return_inverse=True)
    below = np.cumsum(np.bincount(inverse, weight))[:-1]
    return int(distinct[1 + np.argmin(np.abs(below - 0.5 * weight.sum()))])
