"""Files beside: what tasks of Spark read and write in a folder that is gone afterwards."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from lowland_gis.errors import InputRefusedError, LowlandError

# What goes into a row group, which a task reads at once: 10,000 polygons of 50 vertices, fewer where they have more.
GROUP_ROWS = 10_000
_GROUP_BYTES = 8 * 2**20
BOX = ("x0", "y0", "x1", "y1")
_AREAL = 2


@contextmanager
def beside() -> Iterator[Path]:
    """Yield a folder that tasks can read and write, which is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="lowland-spark-") as name:
        yield Path(name)


@contextmanager
def room_told() -> Iterator[None]:
    """Say where there is no room, and what to do.

    Raises:
        InputRefusedError: the temporary folder is full.
    """
    try:
        yield
    except OSError as error:
        raise InputRefusedError(
            f"The temporary folder {tempfile.gettempdir()} cannot hold the polygons ({error.strerror}), so nothing was computed."
            " Free some space there, or name another folder: TMPDIR=/big/folder lowland …"
        ) from error


def boxes(wkb: pa.Array) -> list[pa.Array]:
    """Return west, south, east and north of polygons (WKB), null where there is none: points and lines have no area."""
    shapes = shapely.from_wkb(np.array([*wkb.to_pylist(), None], dtype=object)[:-1])
    box = shapely.bounds(shapes).reshape(-1, 4)
    nothing = np.isnan(box).any(axis=1) | (shapely.get_dimensions(shapes) != _AREAL)
    return [pa.array(box[:, n], mask=nothing) for n in range(4)]


def with_boxes(rows: pa.Table) -> pa.Table:
    """Return rows with the boxes (`BOX`) of their column `wkb`."""
    for name, side in zip(BOX, boxes(rows["wkb"]), strict=True):
        rows = rows.append_column(name, side)
    return rows


def groups(rows: pa.Table | pa.Array) -> Iterator[pa.Table | pa.Array]:
    """Yield rows by as many as go into a row group: at most `GROUP_ROWS`, and about 8 MB by their mean weight, but one at least."""
    most = _GROUP_BYTES * len(rows) // max(1, rows.nbytes)
    step = max(1, min(GROUP_ROWS, most))
    for start in range(0, len(rows), step):
        yield rows.slice(start, step)


def write(file: Path, schema: pa.Schema, tables: Iterable[pa.Table]) -> int:
    """Write rows as they come to a Parquet file, whose folder is made; return how many they are.

    Raises:
        InputRefusedError: there is no room.
    """
    count = 0
    with room_told():
        file.parent.mkdir(parents=True, exist_ok=True)
        with pq.ParquetWriter(file, schema) as writer:
            for table in tables:
                chosen = table.select(schema.names).cast(schema)
                for some in groups(chosen) if len(chosen) else [chosen]:
                    writer.write_table(some)
                count += len(table)
    return count


def committed(folder: Path) -> list[Path]:
    """Return the files that Spark has written to a folder, in their order.

    Raises:
        LowlandError: it was not written to its end.
    """
    if not (folder / "_SUCCESS").exists():
        raise LowlandError(
            f"{folder}: what Spark has written is not whole, so it is not taken. Run it again."
        )
    return sorted(folder.glob("part-*.parquet"))


def batches(folder: Path, rows: int, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
    """Yield what Spark has written to a folder, at most so many rows at a time.

    Raises:
        LowlandError: it was not written to its end.
    """
    for file in committed(folder):
        with pq.ParquetFile(file) as source:
            yield from source.iter_batches(rows, columns=None if columns is None else list(columns))
