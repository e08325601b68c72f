"""Evidence row by row, as `result.evidence` shows it, from rows with the values of all measures of a parcel; done by tasks of Spark."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

TYPES = (
    "parcel_id string, measure string, value double, low double, high double, source string, detail string"
)
_ROWS = pa.schema(
    [
        *((name, pa.string()) for name in ("parcel_id", "measure")),
        *((name, pa.float64()) for name in ("value", "low", "high")),
        *((name, pa.string()) for name in ("source", "detail")),
    ]
)


def rows(
    batches: Iterator[pa.RecordBatch], *, names: Sequence[str], sources: Mapping[int, str]
) -> Iterator[pa.RecordBatch]:
    """Yield one row for each known value; `sources` are by the number of a measure, from 1.

    >>> wide = {"parcel_id": "P", "value": [1.0, float("nan"), 3.0], "banded": [3], "low": [2.0], "high": [4.0], "noted": None, "detail": None}
    >>> found = rows(iter([pa.RecordBatch.from_pylist([wide])]), names=["a", "b", "c"], sources={1: "s", 3: "t"})
    >>> [list(row.values()) for row in next(found).to_pylist()]
    [['P', 'a', 1.0, None, None, 's', None], ['P', 'c', 3.0, 2.0, 4.0, 't', None]]
    """
    called, said = (
        np.array(names, dtype=object),
        np.array([sources.get(n) for n in range(1, len(names) + 1)], dtype=object),
    )
    for batch in batches:
        if batch.num_rows == 0:
            continue
        values = batch["value"].flatten().to_numpy(zero_copy_only=False).reshape(batch.num_rows, -1)
        row, measure = np.nonzero(np.isfinite(values))
        columns = {
            "parcel_id": batch["parcel_id"].take(pa.array(row)),
            "measure": pa.array(called[measure], pa.string()),
            "value": pa.array(values[row, measure]),
            "source": pa.array(said[measure], pa.string()),
        }
        for name, numbers in (("low", "banded"), ("high", "banded"), ("detail", "noted")):
            if name in batch.schema.names:
                found = _placed(batch, numbers, name, values.shape)[row, measure]
                columns[name] = pa.array(found, _ROWS.field(name).type)
        arrays = [columns.get(field.name, pa.nulls(len(row), field.type)) for field in _ROWS]
        yield pa.RecordBatch.from_arrays(arrays, schema=_ROWS)


def _placed(batch: pa.RecordBatch, numbers: str, name: str, shape: tuple[int, ...]) -> Any:
    """Return lists of few measures as a table of all, None where a measure has nothing."""
    placed = np.full(shape, None, dtype=object)
    lists = zip(batch[numbers].to_pylist(), batch[name].to_pylist(), strict=True)
    for row, (some, found) in enumerate(lists):
        if some:
            placed[row, np.array(some) - 1] = found
    return placed
