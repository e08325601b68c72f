"""A layer that a program holds in memory, as a source that is read like a file: batch by batch, in WKB."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import numpy as np
import pyarrow as pa

from lowland_gis.files.batches import ROW_NUMBER, Batch, Part, Received, deviation_in


@dataclass(frozen=True)
class InMemory:
    """A layer in memory: `columns` are its attributes, `shapes` gives the WKB of so many rows from one on, None where it has none.

    `crs` is WKT or what pyproj understands, None where it is unknown. `row_names` are the labels of its rows where these are
    more than their numbers. WKB is made when a batch is read, so no more of the coordinates than a batch is ever there twice.
    """

    name: str
    n_rows: int
    columns: tuple[str, ...]
    crs: str | None
    values: Callable[[str], pa.ChunkedArray]
    shapes: Callable[[int, int], pa.Array] | None
    row_names: pa.ChunkedArray | None = None

    @contextmanager
    def received(self, fields: Sequence[str], batch_rows: int) -> Iterator[Received]:
        """Yield the layer with some of its attributes in batches; each batch is a part that a thread of its own may read."""
        asked = {field: self.values(field) for field in fields if field in self.columns}
        starts = range(0, self.n_rows, batch_rows)
        batch = partial(self._batch, asked, deviation_in(self.crs))
        parts = tuple(
            Part(min(batch_rows, self.n_rows - start), partial(_one, batch, start, batch_rows))
            for start in starts
        )
        whole = (batch(start, batch_rows) for start in starts)
        columns = self.columns or (ROW_NUMBER,)
        yield Received(
            columns, self.shapes is not None, self.crs, None, None, self.n_rows, whole, parts=parts
        )

    def _batch(self, asked: dict[str, pa.ChunkedArray], deviation: float, start: int, rows: int) -> Batch:
        rows = min(rows, self.n_rows - start)
        attributes = {name: values.slice(start, rows) for name, values in asked.items()}
        table = pa.table(attributes or {ROW_NUMBER: np.arange(start, start + rows)})
        shapes = None if self.shapes is None else self.shapes(start, rows)
        return Batch(start, table, shapes, deviation)


def _one(batch: Callable[[int, int], Batch], start: int, rows: int) -> Iterator[Batch]:
    yield batch(start, rows)
