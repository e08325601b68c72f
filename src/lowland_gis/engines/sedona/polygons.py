"""Polygons as tasks read them: what Spark hands out are portions, a few bytes each; rows are made of them where they are needed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import shapely

from lowland_gis.analysis.overlay.polygons import binary_parts
from lowland_gis.analysis.overlay.wkb import DOUBT, UNREAD, Floats, boxes
from lowland_gis.engines.sedona.refusal import RowsRefusedError

Frame = Any
_SURFACE = 2
# So many bytes of polygons are looked at together, whatever the batches that they come in.
_TOGETHER_BYTES = 8_000_000
_NOT_FINITE = "{where}: {name} has a vertex that is not finite or beyond the earth, so nothing was computed. Repair the layer first."


class Rows(NamedTuple):
    """Rows that a task has read: `where` they are from, in which `portion`, `name` (S: of a parcel, or a zone's class), `wkb` (S, null where there is no polygon)."""

    where: str
    portion: int
    name: pa.Array
    wkb: pa.Array


# Makes rows of the portions in a batch of the frame; where no shapes are wanted, `wkb` may be all null.
Read = Callable[[pa.RecordBatch, bool], Iterator[Rows]]


@dataclass(frozen=True)
class Polygons:
    """A layer: a frame with the numbers of its portions, how a task makes rows of them, and the type of the names.

    `numbered`: the names are numbers of classes already.
    """

    frame: Frame
    read: Read
    kind: pa.DataType
    numbered: bool = False

    def mapped(
        self, task: Callable[[Iterator[Rows]], Iterator[pa.RecordBatch]], schema: str, *, shapes: bool = True
    ) -> Frame:
        """Return what a task makes of the rows, as a frame."""
        return self.frame.mapInArrow(_Mapped(self.read, task, shapes), schema)


@dataclass(frozen=True)
class _Mapped:
    """What Spark calls: reading and the task in one, so that polygons do not go to Java in between."""

    read: Read
    task: Callable[[Iterator[Rows]], Iterator[pa.RecordBatch]]
    shapes: bool

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        return self.task(rows for batch in batches for rows in self.read(batch, self.shapes))


def of_frame(frame: Frame, name: str, kind: pa.DataType, *, numbered: bool = False) -> Polygons:
    """Return the polygons of a frame that has them itself: a column with their names, and `wkb`."""
    return Polygons(frame.select(name, "wkb"), _as_it_is, kind, numbered)


def _as_it_is(batch: pa.RecordBatch, _shapes: bool) -> Iterator[Rows]:
    yield Rows("a frame", 0, batch.column(0), batch["wkb"])


def together(rows: Iterator[Rows]) -> Iterator[Rows]:
    """Yield rows in larger pieces of about as many bytes, so that few packed values are made of them."""
    waiting: list[Rows] = []
    weight = 0
    for some in rows:
        if waiting and (weight >= _TOGETHER_BYTES or some.portion != waiting[0].portion):
            yield _joined(waiting)
            waiting, weight = [], 0
        waiting.append(some)
        weight += some.wkb.nbytes
    if waiting:
        yield _joined(waiting)


def _joined(some: list[Rows]) -> Rows:
    if len(some) == 1:
        return some[0]
    names, shapes = (pa.concat_arrays([each[n] for each in some]) for n in (2, 3))
    return Rows(some[0].where, some[0].portion, names, shapes)


def boxed(rows: Rows) -> tuple[Rows, Floats]:
    """Return the rows that have a polygon, and their boxes (S, 4): points and lines have no area.

    Raises:
        RowsRefusedError: a vertex is not finite, or what is there is no geometry.
    """
    box, state = boxes(*binary_parts(rows.wkb))
    wkb = rows.wkb
    if (state == DOUBT).any():
        row = int(np.flatnonzero(state == DOUBT)[0])
        raise RowsRefusedError(_NOT_FINITE.format(where=rows.where, name=rows.name[row].as_py()))
    unread = np.flatnonzero(state == UNREAD)
    if len(unread):
        wkb = _others(rows, unread, box)
    there = np.flatnonzero(~np.isnan(box[:, 0]))
    if len(there) == len(box) and wkb is rows.wkb:
        return rows, box
    chosen = pa.array(there)
    return Rows(rows.where, rows.portion, rows.name.take(chosen), wkb.take(chosen)), box[there]


def _others(rows: Rows, unread: Any, box: Floats) -> pa.Array:
    """Write the boxes of rows that are no polygon in the usual bytes, and return all rows with polygons in the usual bytes."""
    content = rows.wkb.to_pylist()
    shapes = shapely.from_wkb([content[row] for row in unread], on_invalid="ignore")
    for row, shape in zip(unread, shapes, strict=True):
        if shape is None:
            raise RowsRefusedError(
                f"{rows.where}: what {rows.name[int(row)].as_py()} has is no geometry, so nothing was computed. Write the file again."
            )
        if shapely.get_dimensions(shape) == _SURFACE:
            box[row] = shapely.bounds(shape)
            if not np.isfinite(box[row]).all() and not shapely.is_empty(shape):
                raise RowsRefusedError(_NOT_FINITE.format(where=rows.where, name=rows.name[int(row)].as_py()))
            content[row] = shapely.to_wkb(shape, byte_order=1)
    return pa.array(content, pa.binary())
