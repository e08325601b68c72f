"""What every peer does alike: read its arguments, be timed after its imports, write its table, print one line of JSON.

Nothing here may be faster or slower for one peer than for another.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Arguments:
    """GeoParquet of parcels (`parcel_id`) and zones (`code`), the Parquet file to write, threads to use."""

    parcels: str
    zones: str
    output: str
    threads: int


def measured(work: Callable[[Arguments], dict[str, object] | None]) -> None:
    """Run `work`, which writes parcel_id, code, area_m2, and print seconds, peak memory and what it returned."""
    parser = argparse.ArgumentParser()
    parser.add_argument("parcels")
    parser.add_argument("zones")
    parser.add_argument("output")
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    start, busy = time.perf_counter(), time.process_time()
    said = work(Arguments(given.parcels, given.zones, given.output, given.threads)) or {}
    took = {"seconds": time.perf_counter() - start, "cpu_seconds": time.process_time() - busy}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"peer": Path(sys.argv[0]).stem, "peak_mb": peak} | took | said))
