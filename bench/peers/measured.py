"""What every peer does alike: read its arguments, be timed after its imports, write its table, print one line of JSON.

Nothing here may be faster or slower for one peer than for another.
"""

from __future__ import annotations

import argparse
import json
import os
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
    said: dict[str, object] = {}
    took = timed(lambda: said.update(work(Arguments(**vars(given))) or {}))
    # Not ru_maxrss: it starts with the memory of the program that started this one.
    peak = process(os.getpid()).peak_mb
    print(json.dumps({"peer": Path(sys.argv[0]).stem, "peak_mb": peak} | took | said))


def timed(work: Callable[[], object]) -> dict[str, float]:
    """Return the seconds by the clock and of this process's processor time that some work takes."""
    start, busy = time.perf_counter(), time.process_time()
    work()
    return {"seconds": time.perf_counter() - start, "cpu_seconds": time.process_time() - busy}


@dataclass(frozen=True)
class Process:
    """What a process has used up to now."""

    cpu_seconds: float
    peak_mb: float


def process(pid: int) -> Process:
    """Return processor time and peak memory of a process of this machine; of a server, with the shared buffers it touched."""
    used = stat(pid)
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
    ticks = int(used[11]) + int(used[12])
    return Process(ticks / os.sysconf("SC_CLK_TCK"), peak / 1024)


def server_cpu_seconds(backend: int) -> float:
    """Return the processor time of a whole PostgreSQL server, the backends that have ended included."""
    return server_seconds(int(stat(backend)[1]))


def server_seconds(postmaster: int) -> float:
    """Return the processor time of the PostgreSQL server with this first process, the backends that have ended included."""
    alive = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]
    children = [used for used in map(stat, alive) if used and int(used[1]) == postmaster]
    ticks = sum(int(used[11]) + int(used[12]) for used in children) + sum(map(int, stat(postmaster)[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


def stat(pid: int) -> list[str]:
    """Return what /proc says of a process after its name; nothing when it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
    except (FileNotFoundError, ProcessLookupError):
        return []
