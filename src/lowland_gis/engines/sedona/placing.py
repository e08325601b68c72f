"""Where rows go: parcels to the cell of their corner, zones to every cell whose parcels they may meet, once each; what is wide or large is cut."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lowland_gis.analysis.overlay.polygons import binary_parts
from lowland_gis.analysis.overlay.wkb import Floats, Integers
from lowland_gis.engines.sedona import work
from lowland_gis.engines.sedona.counting import is_wide, key_of, squares_of
from lowland_gis.engines.sedona.packed import Packer
from lowland_gis.engines.sedona.polygons import Rows, boxed, together
from lowland_gis.engines.sedona.refusal import RowsRefusedError


@dataclass(frozen=True)
class Plane:
    """The cells, as tasks need them.

    `side`, `wide_m` in metres, `large_bytes`: as in `job.Grid`. `parcel_key` (F), ascending, are squares that have parcels, `parcel_cell` (F) their
    cells; `zone_key` (G) those that have zones, `near_start` (G + 1) and `near_cell`: the cells that these may meet. `core`, `window` (C, 4) of each cell.
    """

    side: float
    wide_m: float
    large_bytes: int
    parcel_key: Integers
    parcel_cell: Integers
    zone_key: Integers
    near_start: Integers
    near_cell: Integers
    core: Floats
    window: Floats


def parcels_placed(rows: Iterator[Rows], *, plane: Plane, kind: pa.DataType) -> Iterator[pa.RecordBatch]:
    """Yield parcels, packed, with their cells; wide ones as their pieces on the ground of each cell, with the area of the whole."""
    packer = Packer(kind)
    for every in together(rows):
        some, box = boxed(every)
        if len(plane.core) == 1:
            yield packer.parcels(some.portion, np.zeros(len(box), dtype=np.int64), some.name, some.wkb)
            continue
        wide = is_wide(box, plane.wide_m)
        usual = np.flatnonzero(~wide)
        cell = plane.parcel_cell[
            np.searchsorted(plane.parcel_key, key_of(*squares_of(box[usual], plane.side)))
        ]
        yield packer.parcels(some.portion, cell, _taken(some.name, usual), _taken(some.wkb, usual))
        if wide.any():
            few = pa.array(np.flatnonzero(wide))
            batch = pa.RecordBatch.from_arrays(
                [some.name.take(few), some.wkb.take(few)], names=["parcel", "wkb"]
            )
            numbers = np.arange(len(plane.core))
            with _told(some):
                for pieces in work.parcels_cut(iter([batch]), core=plane.core, numbers=numbers):
                    yield packer.shuffled(some.portion, pieces)


def zones_placed(
    rows: Iterator[Rows], *, plane: Plane, kind: pa.DataType, codes: pa.Array | None, numbers: pa.Array
) -> Iterator[pa.RecordBatch]:
    """Yield zones, packed, with each cell whose window they meet; large ones as what the window of each cell sees of them.

    `codes` and `numbers`: the names of zones and the classes that they stand for; without codes the names are numbers.
    `kind` is the type of the names of parcels.
    """
    packer = Packer(kind)
    for every in together(rows):
        some, box = boxed(every)
        klass = some.name if codes is None else numbers.take(pc.index_in(some.name, codes))
        if len(plane.core) == 1:
            yield packer.zones(some.portion, np.zeros(len(box), dtype=np.int64), klass, some.wkb)
            continue
        large = np.diff(binary_parts(some.wkb)[1]) > plane.large_bytes
        row, cell = _met(box, np.flatnonzero(~large), plane)
        yield packer.zones(some.portion, cell, _taken(klass, row), _taken(some.wkb, row))
        if large.any():
            few = pa.array(np.flatnonzero(large))
            batch = pa.RecordBatch.from_arrays([klass.take(few), some.wkb.take(few)], names=["klass", "wkb"])
            there = np.flatnonzero(~np.isnan(plane.window[:, 0]))
            with _told(some):
                for seen in work.zones_seen(
                    iter([batch]), window=plane.window[there], numbers=there, parcel=kind
                ):
                    yield packer.shuffled(some.portion, seen)


@contextmanager
def _told(some: Rows) -> Iterator[None]:
    """Say which file or table it was in which a polygon is invalid."""
    try:
        yield
    except ValueError as error:
        raise RowsRefusedError(f"{some.where}: {error}") from error


def _taken(column: pa.Array, rows: Integers) -> pa.Array:
    return column if len(rows) == len(column) and (np.diff(rows) == 1).all() else column.take(pa.array(rows))


def _met(box: Floats, rows: Integers, plane: Plane) -> tuple[Integers, Integers]:
    """Return which of some boxes meet the windows of which cells."""
    square = np.searchsorted(plane.zone_key, key_of(*squares_of(box[rows], plane.side)))
    first, count = plane.near_start[square], np.diff(plane.near_start)[square]
    row = np.repeat(rows, count)
    cell = plane.near_cell[np.repeat(first - (np.cumsum(count) - count), count) + np.arange(count.sum())]
    around, window = box[row], plane.window[cell]
    met = (
        (around[:, 0] <= window[:, 2]) & (around[:, 2] >= window[:, 0])
        & (around[:, 1] <= window[:, 3]) & (around[:, 3] >= window[:, 1])
    )  # fmt: skip
    return row[met], cell[met]
