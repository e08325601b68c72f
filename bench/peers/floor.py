"""The floor: read both files and decode their WKB once with GEOS; only the decoding is counted."""

import time

import numpy as np
import pyarrow.parquet as pq
import shapely
from measured import Arguments, measured


def decode(arguments: Arguments) -> dict[str, object]:
    """Return the seconds of decoding alone, and of reading the columns before it."""
    start = time.perf_counter()
    columns = [
        pq.read_table(path, columns=["geometry"], use_threads=False)
        for path in (arguments.parcels, arguments.zones)
    ]
    wkb = [np.asarray(column.column("geometry").to_pylist(), dtype=object) for column in columns]
    read, busy = time.perf_counter(), time.process_time()
    for values in wkb:
        shapely.from_wkb(values)
    return {
        "seconds": time.perf_counter() - read,
        "cpu_seconds": time.process_time() - busy,
        "reading_seconds": read - start,
    }


measured(decode)
