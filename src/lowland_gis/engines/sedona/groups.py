"""Rows that come to a task in the order of their groups, put together group by group."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa


def grouped(batches: Iterator[pa.RecordBatch], key: str) -> Iterator[tuple[int, pa.Table]]:
    """Yield the number of each group and its rows, from batches in the order of a column of whole numbers; one group is held at a time.

    >>> rows = pa.RecordBatch.from_pydict({"cell": [1, 1, 2], "name": ["a", "b", "c"]})
    >>> [(number, table["name"].to_pylist()) for number, table in grouped(iter([rows.slice(0, 1), rows.slice(1)]), "cell")]
    [(1, ['a', 'b']), (2, ['c'])]
    """
    number, held = -1, list[pa.RecordBatch]()
    for batch in batches:
        numbers = batch[key].to_numpy()
        ends = np.flatnonzero(np.diff(numbers)) + 1
        for start, stop in zip([0, *ends], [*ends, len(numbers)], strict=True):
            if start == stop:
                continue
            if held and numbers[start] != number:
                yield number, pa.Table.from_batches(held)
                held = []
            number = int(numbers[start])
            held.append(batch.slice(start, stop - start))
    if held:
        yield number, pa.Table.from_batches(held)
