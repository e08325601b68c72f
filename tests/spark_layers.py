"""How the tests of the engine on Spark cut the plane, and what they hold to be the same."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
import pytest

from lowland_gis.engines.sedona.job import Grid
from lowland_gis.engines.sedona.place import Place
from lowland_gis.engines.sedona.session import session

# So small that a few hundred polygons lie in many cells, and that a star of 6,000 vertices is large.
GRID = Grid(cell_bytes=20_000, square_m=200.0, large_bytes=16_000)


def same(ours: pd.DataFrame, theirs: pd.DataFrame, *figures: str) -> None:
    """Hold two tables to the same rows, in the same order, with figures to 1e-6."""
    names = [name for name in ours.columns if name not in figures]
    assert len(ours) > 0
    assert theirs[names].astype(str).to_numpy().tolist() == ours[names].astype(str).to_numpy().tolist()
    for name in figures:
        assert theirs[name].tolist() == pytest.approx(ours[name].tolist(), abs=1e-6, rel=1e-14)


@dataclass
class Killed:
    """The workers that were killed, and how many tasks failed by it, once all is over."""

    killed: list[int] = field(default_factory=list)
    failed_tasks: int = 0


@contextmanager
def while_workers_are_killed(place: Place, most: int = 3) -> Iterator[Killed]:
    """Kill Python workers that compute, one after the other; a task that fails so often goes on by its last try."""
    spark, told, over = session(place), Killed(), threading.Event()
    before = _failed_tasks(spark)
    jvm = spark.sparkContext._jvm.java.lang.ProcessHandle.current().pid()

    def kill() -> None:
        while not over.is_set() and len(told.killed) < most:
            for pid in _computing(jvm)[:1]:
                os.kill(pid, signal.SIGKILL)
                told.killed.append(pid)
                time.sleep(0.5)
            time.sleep(0.01)

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        yield told
    finally:
        over.set()
        thread.join()
        told.failed_tasks = _failed_tasks(spark) - before


def _failed_tasks(spark: object) -> int:
    active_only = False
    executors = spark.sparkContext._jsc.sc().statusStore().executorList(active_only)
    return sum(executors.apply(n).failedTasks() for n in range(executors.size()))


def _computing(jvm: int) -> list[int]:
    """Return the Python workers of a Java that compute now: children of the daemon that it has started."""
    parents, states = {}, {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = stat.read_text().rpartition(")")[2].split()[:2]
        except OSError:
            continue
        parents[int(stat.parent.name)], states[int(stat.parent.name)] = int(parent), state
    daemons = {pid for pid, parent in parents.items() if parent == jvm}
    return [pid for pid, parent in parents.items() if parent in daemons and states[pid] == "R"]
