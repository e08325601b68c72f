"""Files beside: what a task reads at once is bounded by its weight, not only by its rows."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lowland_gis.engines.sedona.beside import GROUP_ROWS, groups, write

SCHEMA = pa.schema([("number", pa.int64()), ("wkb", pa.binary())])


def rows(count: int, weight: int) -> pa.Table:
    return pa.table({"number": range(count), "wkb": [bytes(weight)] * count}, schema=SCHEMA)


@pytest.mark.parametrize(("count", "weight"), [(25_000, 10), (1_000, 100_000), (3, 20_000_000), (0, 0)])
def test_row_groups_hold_a_bearable_weight_and_all_rows(tmp_path, count, weight):
    given = rows(count, weight)
    assert write(tmp_path / "a" / "rows.parquet", SCHEMA, [given]) == count
    with pq.ParquetFile(tmp_path / "a" / "rows.parquet") as file:
        sizes = [file.metadata.row_group(n).num_rows for n in range(file.num_row_groups)]
        assert file.read().equals(given)
    assert sum(sizes) == count
    for size in sizes:
        assert size <= GROUP_ROWS
        assert size <= 1 or size * weight < 8.5e6


def test_an_array_is_cut_as_a_table_is():
    shapes = rows(1_000, 100_000)["wkb"].chunk(0)
    cut = [len(some) for some in groups(shapes)]
    assert sum(cut) == 1_000
    assert max(cut) * 100_000 < 8.5e6
