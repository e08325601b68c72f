"""Rows of a task, put together group by group whatever the batches."""

import pyarrow as pa
import pytest

from lowland_gis.engines.sedona.groups import grouped


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_groups_do_not_hang_on_batches(size: int):
    rows = pa.table({"cell": [3, 3, 5, 5, 5, 9], "name": list("abcdef")})
    found = grouped(iter(rows.to_batches(size)), "cell")
    assert [(number, "".join(table["name"].to_pylist())) for number, table in found] == [
        (3, "ab"),
        (5, "cde"),
        (9, "f"),
    ]


def test_no_rows_are_no_groups():
    assert list(grouped(iter([pa.RecordBatch.from_pydict({"cell": pa.array([], pa.int32())})]), "cell")) == []
