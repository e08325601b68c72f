"""Rows of queries as tables for files: batch by batch, and none is held."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa

from lowland_gis.db.connect import Connection
from lowland_gis.db.frames import Query, read_batches


def tables(
    connection: Connection, query: Query, values: Sequence[object], schema: pa.Schema
) -> Iterator[pa.Table]:
    """Yield the rows of a query, whose columns are those of a schema in their order."""
    for rows in read_batches(connection, query, values):
        arrays = [
            pa.array(column, field.type)
            for field, column in zip(schema, zip(*rows, strict=True), strict=True)
        ]
        yield pa.Table.from_arrays(arrays, schema=schema)
