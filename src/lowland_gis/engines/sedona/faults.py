"""What goes wrong in Spark, in words: its own messages are hundreds of lines of Java."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from lowland_gis.errors import InputRefusedError, LowlandError

_REFUSED = re.compile(r"(?:RowsRefusedError: |ValueError: (?=partition |1 )|InputRefusedError: )(.+)")
_INVALID = "no valid polygon"
_FILE = re.compile(r"(?:file:|hdfs:|s3a?:)[^\s,\]]+\.parquet")
_CUT = (
    "Could not read footer",
    "is not a Parquet file",
    "CANNOT_READ_FILE_FOOTER",
    "FAILED_READ_FILE",
    "Could not read",
)


@contextmanager
def told() -> Iterator[None]:
    """Refuse with the partition, the file or the first line of what Spark says.

    Raises:
        InputRefusedError: polygons are invalid, or a file is cut.
        LowlandError: a task has failed as often as it may.
    """
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    try:
        yield
    except (Py4JError, PySparkException) as error:
        said = str(error)
        if refused := _REFUSED.search(said):
            more = ". Nothing was computed: an area of them would be a wrong area. Repair them first; --engine local repairs them itself."
            raise InputRefusedError(refused[1].strip() + (more if _INVALID in refused[1] else "")) from error
        file = _FILE.search(said)
        if file and any(mark in said for mark in _CUT):
            raise InputRefusedError(
                f"{file[0].removeprefix('file:')}: cannot be read, it is cut or no Parquet file, so nothing was computed. Copy it again."
            ) from error
        lines = [line for line in said.splitlines() if line.strip()]
        raise LowlandError(
            f"Spark gave up ({' '.join(lines[:2])[:400]}), so nothing was written. A worker that needs more memory than there is"
            " ends so too: smaller cells need less. Without Spark: --engine local"
        ) from error
