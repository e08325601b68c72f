"""Rows that go from task to task, many in one value: Spark moves and sorts a thousandth of the rows, and never looks inside.

A row that is shuffled has a cell, a kind, its `turn`, and `rows`: an Arrow batch of what belongs there, as bytes. In its turn it comes whatever task is
ready first: so sums are the same to the last digit.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from lowland_gis.analysis.overlay.polygons import binary_parts
from lowland_gis.analysis.overlay.wkb import Integers
from lowland_gis.engines.sedona import work

SCHEMA = "cell int, kind int, turn long, rows binary"
ORDER = ("cell", "kind", "turn")
_SHUFFLED = pa.schema(
    [("cell", pa.int32()), ("kind", pa.int32()), ("turn", pa.int64()), ("rows", pa.binary())]
)
# A packed value has at most about so many bytes of polygons, if it is not one polygon: a task holds a few of them at a time.
MOST_BYTES = 2_000_000
# No portion is cut into more values than this.
_TURNS = 1 << 32


def schema_of(kind: pa.DataType) -> pa.Schema:
    """Return what packed rows have, where parcels are named by values of a kind (`work.SHUFFLED` without the cell and the kind)."""
    return pa.schema([("parcel", kind), ("klass", pa.int64()), ("whole", pa.float64()), ("wkb", pa.binary())])


class Packer:
    """Packs rows portion by portion, and gives each value its turn."""

    def __init__(self, kind: pa.DataType) -> None:
        """Pack rows in which parcels are named by values of a kind."""
        self.schema = schema_of(kind)
        self._turn = 0

    def parcels(self, portion: int, cell: Integers, name: pa.Array, wkb: pa.Array) -> pa.RecordBatch:
        """Return parcels (S) packed, for the cells (S) that they go to."""
        nothing = [
            pa.nulls(len(name), field.type)
            for field in (self.schema.field("klass"), self.schema.field("whole"))
        ]
        return self._packed(portion, cell, work.PARCEL, [name, *nothing, wkb])

    def zones(self, portion: int, cell: Integers, klass: pa.Array, wkb: pa.Array) -> pa.RecordBatch:
        """Return zones (S) packed, for the cells (S) that they go to."""
        nothing = [
            pa.nulls(len(klass), field.type)
            for field in (self.schema.field("parcel"), self.schema.field("whole"))
        ]
        return self._packed(portion, cell, work.ZONE, [nothing[0], klass, nothing[1], wkb])

    def shuffled(self, portion: int, rows: pa.RecordBatch) -> pa.RecordBatch:
        """Return rows of one kind (`work.SHUFFLED`) packed."""
        columns = [rows[name] for name in self.schema.names]
        return self._packed(portion, rows["cell"].to_numpy(), rows["kind"][0].as_py(), columns)

    def _packed(self, portion: int, cell: Integers, kind: int, columns: list[pa.Array]) -> pa.RecordBatch:
        """Return packed values in the order of the cells; rows of one cell stay in theirs."""
        rows = pa.RecordBatch.from_arrays(columns, schema=self.schema)
        order = np.argsort(cell, kind="stable")
        if len(order) and (np.diff(order) != 1).any():
            rows, cell = rows.take(pa.array(order)), cell[order]
        runs = list(_runs(cell, rows["wkb"]))
        numbers = pa.array([int(cell[start]) for start, _ in runs], pa.int32())
        turns = pa.array([portion * _TURNS + self._turn + n for n in range(len(runs))], pa.int64())
        self._turn += len(runs)
        content = [rows.slice(start, stop - start).serialize().to_pybytes() for start, stop in runs]
        kinds = pa.array([kind] * len(runs), pa.int32())
        return pa.RecordBatch.from_arrays(
            [numbers, kinds, turns, pa.array(content, pa.binary())], schema=_SHUFFLED
        )


def unpacked(batches: Iterator[pa.RecordBatch], kind: pa.DataType) -> Iterator[pa.RecordBatch]:
    """Yield the rows (`work.SHUFFLED`) of packed values, a value after the other."""
    schema = schema_of(kind)
    for batch in batches:
        for row in range(batch.num_rows):
            rows = pa.ipc.read_record_batch(batch["rows"][row].as_buffer(), schema)
            keys = [pa.repeat(batch[name][row], rows.num_rows) for name in ("cell", "kind")]
            yield pa.RecordBatch.from_arrays([*keys, *rows.columns], names=["cell", "kind", *schema.names])


def _runs(cell: Integers, wkb: pa.Array) -> Iterator[tuple[int, int]]:
    """Yield where runs of one cell, of a bearable weight, begin and end."""
    _, offsets = binary_parts(wkb)
    start = 0
    for edge in [*(np.flatnonzero(np.diff(cell)) + 1).tolist(), len(cell)]:
        while start < edge:
            light = int(np.searchsorted(offsets, offsets[start] + MOST_BYTES, side="right")) - 1
            stop = min(edge, max(light, start + 1))
            yield start, stop
            start = stop
