"""A packed tree of boxes that compiled functions can ask: which boxes meet this one?"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lowland_gis.analysis.compiled import borrowing

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

FANOUT = 16
# Of each level at most the boxes of one parent wait, and 64 levels hold more boxes than there can be.
STACK = 64 * FANOUT
_CELLS = 1 << 16
_FEW = 48  # numbers that are sorted by inserting


class BoxTree(NamedTuple):
    """Boxes packed by sort-tile-recursive (Leutenegger, Lopez and Edgington 1997).

    `item` (n): the position of each packed box in the input; `boxes`: packed boxes, then those of their parents, level by
    level; `level` (levels + 1): where each level begins in `boxes`. Boxes with NaN are left out.
    """

    item: Integers
    boxes: Floats
    level: Integers


def box_tree(boxes: Floats) -> BoxTree:
    """Pack boxes (n, 4: west, south, east, north) into a tree."""
    item = _packed(boxes)
    levels = [boxes[item]]
    while len(levels[-1]) > FANOUT:
        starts = np.arange(0, len(levels[-1]), FANOUT)
        low = np.minimum.reduceat(levels[-1][:, :2], starts)
        high = np.maximum.reduceat(levels[-1][:, 2:], starts)
        levels.append(np.hstack([low, high]))
    level = np.concatenate([[0], np.cumsum([len(each) for each in levels])]).astype(np.int64)
    return BoxTree(item, np.concatenate(levels), level)


def _packed(boxes: Floats) -> Integers:
    """Order boxes by vertical slices of their middles, then by height within a slice."""
    item = np.flatnonzero(~np.isnan(boxes).any(axis=1))
    if len(item) == 0:
        return item.astype(np.int64)
    middle = boxes[item, :2] + boxes[item, 2:]
    slices = max(1, int(np.ceil(np.sqrt(len(item) / FANOUT))))
    place = np.empty(len(item), dtype=np.uint16 if slices < _CELLS else np.int64)
    place[np.argsort(_cells(middle[:, 0]), kind="stable")] = np.arange(len(item)) * slices // len(item)
    by_height = np.argsort(_cells(middle[:, 1]), kind="stable")
    return item[by_height[np.argsort(place[by_height], kind="stable")]].astype(np.int64)


def _cells(values: Floats) -> npt.NDArray[np.uint16]:
    """Return in which of 65,536 equal steps each value lies: whole numbers of 16 bits are sorted without comparing."""
    low, span = values.min(), np.ptp(values)
    cells: npt.NDArray[np.uint16] = ((values - low) * ((_CELLS - 1) / span if span > 0 else 0.0)).astype(
        np.uint16
    )
    return cells


@borrowing
def boxes_met(tree: BoxTree, box: Floats, found: Integers, stack: Integers) -> int:
    """Return how many boxes overlap `box` by more than an edge, and write their positions in ascending order to `found`.

    Where they are more than `found` has room for, call again with room for so many. `stack` is room to work in, of STACK numbers.
    """
    count = _met(tree, box, found, stack)
    if count <= len(found):
        _ascending(found, count)
    return count


@borrowing
def _met(tree: BoxTree, box: Floats, found: Integers, stack: Integers) -> int:
    """Return how many boxes overlap `box`, and write their positions, as many as there is room for."""
    count = 0
    top = len(tree.level) - 2
    depth = 0
    for node in range(tree.level[top], tree.level[top + 1]):
        stack[depth] = node
        depth += 1
    while depth:
        depth -= 1
        node = stack[depth]
        if (
            tree.boxes[node, 0] >= box[2]
            or tree.boxes[node, 2] <= box[0]
            or tree.boxes[node, 1] >= box[3]
            or tree.boxes[node, 3] <= box[1]
        ):
            continue
        if node < tree.level[1]:
            if count < len(found):
                found[count] = tree.item[node]
            count += 1
            continue
        at = 1
        while node >= tree.level[at + 1]:
            at += 1
        child = tree.level[at - 1] + (node - tree.level[at]) * FANOUT
        for each in range(child, min(child + FANOUT, tree.level[at])):
            stack[depth] = each
            depth += 1
    return count


@borrowing
def _ascending(values: Integers, count: int) -> None:
    """Sort the first `count` values in place, by inserting each among those before it, or in a heap where they are many."""
    if count > _FEW:
        _heap_sorted(values, count)
        return
    for n in range(1, count):
        value = values[n]
        at = n
        while at > 0 and values[at - 1] > value:
            values[at] = values[at - 1]
            at -= 1
        values[at] = value


@borrowing
def _heap_sorted(values: Integers, count: int) -> None:
    """Sort in place without taking memory (Williams 1964)."""
    for top in range(count // 2 - 1, -1, -1):
        _sunk(values, top, count)
    for last in range(count - 1, 0, -1):
        values[0], values[last] = values[last], values[0]
        _sunk(values, 0, last)


@borrowing
def _sunk(values: Integers, at: int, count: int) -> None:
    """Let a value sink below all greater ones of a heap."""
    value = values[at]
    while 2 * at + 1 < count:
        child = 2 * at + 1
        if child + 1 < count and values[child + 1] > values[child]:
            child += 1
        if values[child] <= value:
            break
        values[at] = values[child]
        at = child
    values[at] = value
