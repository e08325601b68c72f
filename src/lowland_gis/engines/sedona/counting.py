"""What lies where, counted by the tasks in squares of the plane, before anything is cut or sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from lowland_gis.analysis.overlay.polygons import binary_parts
from lowland_gis.analysis.overlay.wkb import Floats, Integers
from lowland_gis.engines.sedona.polygons import Rows, boxed

Flags = npt.NDArray[np.bool_]

# What a row counts: parcels of a square, zones of a square, a parcel that is wide, zones of a class.
OURS, THEIRS, WIDE, CLASS = 0, 1, 2, 3
FIELDS = ("what", "i", "j", "weight", "odd", "n", "x0", "y0", "x1", "y1")


def squares_of(box: Floats, side: float) -> tuple[Integers, Integers]:
    """Return the column and row of the square in which the lower left corner of each box (S, 4) lies."""
    corner = np.floor(box[:, :2] / side).astype(np.int64)
    return corner[:, 0], corner[:, 1]


def key_of(column: Integers, row: Integers) -> Integers:
    """Return one number for a square: by it squares are sorted and found."""
    return (column << 32) + row


def is_wide(box: Floats, wide_m: float) -> Flags:
    """Tell which boxes (S, 4) are longer than so many metres."""
    longest = np.maximum(box[:, 2] - box[:, 0], box[:, 3] - box[:, 1])
    found: Flags = longest > wide_m
    return found


def parcels_counted(
    rows: Iterator[Rows], *, side: float, wide_m: float, kind: pa.DataType
) -> Iterator[pa.RecordBatch]:
    """Yield how many bytes and parcels lie in each square and the box of those that are not wide, and the box of each that is."""
    for every in rows:
        some, box = boxed(every)
        wide = is_wide(box, wide_m)
        yield _by_square(OURS, box, _lengths(some.wkb).astype(np.float64), wide, side, kind)
        if wide.any():
            yield _batch(WIDE, {}, box[wide], pa.nulls(int(wide.sum()), kind))


def zones_counted(
    rows: Iterator[Rows], *, side: float, large_bytes: int, kind: pa.DataType, numbered: bool
) -> Iterator[pa.RecordBatch]:
    """Yield how many bytes of zones lie in each square and the box of those that are not large, and which classes there are."""
    for every in rows:
        some, box = boxed(every)
        length = _lengths(some.wkb)
        weight = np.minimum(length, large_bytes).astype(np.float64)
        yield _by_square(THEIRS, box, weight, length > large_bytes, side, kind)
        if not numbered:
            # A zone without a polygon has a class all the same: the local engine numbers it too.
            distinct = pc.unique(every.name)
            yield _batch(CLASS, {}, np.full((len(distinct), 4), np.nan), distinct)


def _by_square(
    what: int, box: Floats, weight: Floats, odd: Flags, side: float, kind: pa.DataType
) -> pa.RecordBatch:
    """Return a row a square; its box is that of the polygons that are not `odd`."""
    column, row = squares_of(box, side)
    keys, place = np.unique(key_of(column, row), return_inverse=True)
    first = np.zeros(len(keys), dtype=np.int64)
    first[place] = np.arange(len(place))
    around = np.full((len(keys), 4), np.nan)
    for n, joined in ((0, np.fmin), (1, np.fmin), (2, np.fmax), (3, np.fmax)):
        joined.at(around[:, n], place[~odd], box[~odd, n])
    figures = {
        "i": column[first],
        "j": row[first],
        "weight": np.bincount(place, weight, minlength=len(keys)),
        "odd": np.bincount(place[odd], minlength=len(keys)),
        "n": np.bincount(place, minlength=len(keys)),
    }
    return _batch(what, figures, around, pa.nulls(len(keys), kind))


def _batch(what: int, figures: Mapping[str, Any], box: Floats, name: pa.Array) -> pa.RecordBatch:
    """Return rows (S) of boxes (S, 4) and names, with figures where these are given."""
    count, nothing = len(box), np.isnan(box[:, 0])
    columns = [pa.array(np.full(count, what), pa.int32())]
    for field in FIELDS[1:6]:
        type_ = pa.float64() if field == "weight" else pa.int64()
        columns.append(pa.array(figures.get(field, np.zeros(count)), type_, safe=False))
    corners = [pa.array(box[:, side], mask=nothing) for side in range(4)]
    return pa.RecordBatch.from_arrays([*columns, *corners, name], names=[*FIELDS, "name"])


def _lengths(wkb: pa.Array) -> Integers:
    return np.diff(binary_parts(wkb)[1])
