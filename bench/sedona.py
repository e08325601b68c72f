"""Tabulate on Apache Spark: the engine `sedona` against Sedona's own SQL, in one session on the same cores, in turn.

    python bench/sedona.py [--parcels 100000] [--rounds 1] [--peers lowland,intersection,covered] [--master local[2,4]] [--memory 2g] [--times 6]
    python bench/sedona.py --growth 25000,75000,250000 [--cap 7200]

| who | what |
|---|---|
| `lowland` | folders of GeoParquet to Parquet by the engine: counting, cells, shuffle, sums, sorted rows |
| `intersection` | `ST_Intersects` as the join, the sum of `ST_Area(ST_Intersection(…))` by parcel and code, written as Parquet |
| `covered` | the same, but a parcel inside a zone counts by its own `ST_Area` without a piece being built |

The district is that of `bench/district.py`: about 3.1 zones a parcel. Clock and processor time are told, the latter of this process, Java and the Python workers
together, because others may use the machine; the start of Spark is told apart, and so is a round on a small district before, in which
Java compiles what it runs. Two answers agree where no area is further apart than 1e-6 m². `--growth` measures the engine at several sizes and tells the exponent of its processor
time over the polygons. Who has taken longer than `--cap` seconds of the clock is stopped, and so is a peer that has used more than `--times` times the processor time that
`lowland` used in the same round: its figure is then told as a least one, and its answer is not compared. Figures go to bench/results/sedona.json, those of other runs in it are kept.
"""

from __future__ import annotations

import sys

# Beside this file `import sedona` would find it, and not the library.
sys.path.append(sys.path.pop(0))

import json
import math
import os
import shutil
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from district import HOME, District, district
from project import reader

from lowland_gis.engines.sedona import folders
from lowland_gis.engines.sedona.session import MEMORY, Place, session

PEERS = ("lowland", "intersection", "covered")
TOLERANCE_M2 = 1e-6
WARM_PARCELS = 2_000
CAP_S = 7_200.0
TIMES = 6.0
_LOOK_S = 1.0
_AREA = {
    "intersection": "ST_Area(ST_Intersection(p.geometry, z.geometry))",
    "covered": "CASE WHEN ST_CoveredBy(p.geometry, z.geometry) THEN ST_Area(p.geometry)"
    " ELSE ST_Area(ST_Intersection(p.geometry, z.geometry)) END",
}
_SQL = """
SELECT parcel_id, code, sum(piece) AS area_m2 FROM (
  SELECT p.parcel_id, z.code, {area} AS piece FROM p JOIN z ON ST_Intersects(p.geometry, z.geometry)
) WHERE piece > 0.000001 GROUP BY parcel_id, code
"""


class StoppedError(Exception):
    """A peer has taken longer than it may."""


@dataclass(frozen=True)
class Limit:
    """How long a piece of work may take: seconds of the clock, and of the processors."""

    clock_s: float = math.inf
    processor_s: float = math.inf


@dataclass
class Usage:
    """What a piece of work took: seconds of the clock, of processors by who used them, and the greatest memory of Java in MB."""

    clock_s: float = 0.0
    driver_s: float = 0.0
    java_s: float = 0.0
    workers_s: float = 0.0
    java_mb: float = 0.0
    load: list[float] = field(default_factory=list)

    @property
    def processor_s(self) -> float:
        """Return the processor time of all processes together."""
        return self.driver_s + self.java_s + self.workers_s


def _java(spark: Any) -> int:
    return int(spark.sparkContext._jvm.java.lang.ProcessHandle.current().pid())  # noqa: SLF001 - there is no other way to Java


class _Watch(threading.Thread):
    """Looks each second at how much processor time Java and all that it has started have had; what a worker has had stays when it is gone."""

    def __init__(self, java: int, limit: Limit, stop: Callable[[], object]) -> None:
        super().__init__(daemon=True)
        self.java, self.limit, self.stop = java, limit, stop
        self.stopped = False
        self.begin = time.perf_counter()
        self.first: dict[int, float] = {}
        self.last: dict[int, float] = {}
        self._over = threading.Event()
        self._look()
        # What is there already counts from here on, what comes later from its birth.
        self.first = dict(self.last)

    def run(self) -> None:
        while not self._over.wait(_LOOK_S):
            self._look()
            clock = time.perf_counter() - self.begin
            if clock > self.limit.clock_s or sum(self._spent().values()) > self.limit.processor_s:
                self.stopped = True
                # Asked again each second: a job may begin after the one that was stopped.
                self.stop()

    def seconds(self) -> tuple[float, float]:
        """End, and return the seconds of Java and of the others."""
        self._over.set()
        self.join()
        self._look()
        spent = self._spent()
        java = spent.pop(self.java)
        return java, sum(spent.values())

    def _spent(self) -> dict[int, float]:
        return {pid: total - self.first.get(pid, 0.0) for pid, total in self.last.items()}

    def _look(self) -> None:
        tick = os.sysconf("SC_CLK_TCK")
        parents: dict[int, int] = {}
        spent: dict[int, float] = {}
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = stat.read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
            except OSError:
                continue
            pid = int(stat.parent.name)
            parents[pid] = int(fields[1])
            spent[pid] = (int(fields[11]) + int(fields[12])) / tick
        family = {self.java}
        below = family
        while below := {pid for pid, parent in parents.items() if parent in below} - family:
            family |= below
        self.last |= {pid: spent[pid] for pid in family}


@contextmanager
def used(spark: Any, limit: Limit) -> Iterator[Usage]:
    """Measure what the body uses, and stop its jobs when that is more than it may.

    Raises:
        StoppedError: it was; what it had used until then is told.
    """
    usage, java = Usage(), _java(spark)
    # The greatest memory since here, not since it began.
    Path(f"/proc/{java}/clear_refs").write_text("5", encoding="ascii")
    usage.load.append(os.getloadavg()[0])
    watch, own, begin = (
        _Watch(java, limit, spark.sparkContext.cancelAllJobs),
        sum(os.times()[:2]),
        time.perf_counter(),
    )
    watch.start()
    try:
        yield usage
    except Exception as error:
        if watch.stopped:
            raise StoppedError from error
        raise
    finally:
        usage.clock_s, usage.driver_s = time.perf_counter() - begin, sum(os.times()[:2]) - own
        usage.java_s, usage.workers_s = watch.seconds()
        usage.load.append(os.getloadavg()[0])
        lines = Path(f"/proc/{java}/status").read_text(encoding="ascii").splitlines()
        usage.java_mb = next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def lowland(land: District, place: Place, target: Path) -> dict[str, Any]:
    """Write the rows of the engine as one Parquet file; return what it says of memory."""
    asked = folders.Tabulation(
        folders.folder(land.parcels, "parcel_id"),
        folders.folder(land.zones, "code"),
        "parcel_id",
        "code",
        place,
    )
    target.mkdir()
    writer = None
    for rows, _ in asked.tables():
        writer = writer or pq.ParquetWriter(target / "rows.parquet", rows.schema)
        writer.write_table(rows)
    if writer is not None:
        writer.close()
    return {"worker_mb": asked.peak_mb, "cells": asked.n_cells}


def peer(name: str, land: District, place: Place, target: Path) -> dict[str, Any]:
    """Write the rows of Sedona's SQL as Parquet."""
    spark = session(place)
    for view, path in (("p", land.parcels), ("z", land.zones)):
        spark.read.format("geoparquet").load(str(path)).createOrReplaceTempView(view)
    spark.sql(_SQL.format(area=_AREA[name])).write.parquet(str(target))
    return {}


def started(place: Place) -> tuple[Any, float]:
    """Return the session, and the seconds of the clock until it has answered."""
    begin = time.perf_counter()
    spark = session(place)
    spark.sql("SELECT ST_Area(ST_PolygonFromEnvelope(0, 0, 1, 1))").collect()
    return spark, time.perf_counter() - begin


def warmed(names: list[str], place: Place, parcels: int = WARM_PARCELS) -> None:
    """Let everybody answer once about a small district, in which Java compiles what it runs."""
    measured(names, parcels, place, rounds=1)


def measured(
    names: list[str],
    parcels: int,
    place: Place,
    *,
    rounds: int,
    cap: float = math.inf,
    times: float = math.inf,
) -> dict[str, Any]:
    """Return what everybody used in every round, and how far the last answers are apart; of who was stopped there is what had been used until then."""
    land = district(parcels)
    spark = session(place)
    figures: dict[str, Any] = {"parcels": land.n_parcels, "zones": land.n_zones, "rounds": [], "stopped": {}}
    answers: dict[str, pa.Table] = {}
    with tempfile.TemporaryDirectory(prefix="lowland-bench-") as folder:
        for number in range(rounds):
            most = math.inf
            for name in names:
                if name in figures["stopped"]:
                    continue
                target = Path(folder) / f"{name}-{number}"
                work: Callable[[], dict[str, Any]] = (
                    (lambda target=target: lowland(land, place, target))
                    if name == "lowland"
                    else (lambda name=name, target=target: peer(name, land, place, target))
                )
                told: dict[str, Any] = {}
                try:
                    with used(spark, Limit(cap, most)) as usage:
                        told = work()
                except StoppedError:
                    figures["stopped"][name] = _rounded(usage)
                    print(
                        f"{name}: stopped after {usage.clock_s:.0f} s, {usage.processor_s:.0f} s of processors",
                        flush=True,
                    )
                    continue
                if name == "lowland":
                    most = times * usage.processor_s
                figures["rounds"].append({"who": name, **_rounded(usage), **told})
                answers[name] = pq.read_table(target, columns=["parcel_id", "code", "area_m2"])
                shutil.rmtree(target)
                print(
                    f"{land.n_parcels:,} parcels, {name}: {usage.clock_s:.1f} s, {usage.processor_s:.1f} s of processors"
                    f" (Java {usage.java_s:.1f}, workers {usage.workers_s:.1f}), {answers[name].num_rows:,} rows {told or ''}",
                    flush=True,
                )
    figures["medians"] = _medians(figures["rounds"])
    figures["agreement"] = {
        name: _apart(answers["lowland"], answers[name])
        for name in answers
        if name != "lowland" and "lowland" in answers
    }
    return figures


def _rounded(usage: Usage) -> dict[str, Any]:
    names = ("clock_s", "processor_s", "driver_s", "java_s", "workers_s", "java_mb")
    return {name: round(getattr(usage, name), 1) for name in names} | {"load": usage.load}


def _medians(rounds: list[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Return the medians of clock and processor time by who it was."""
    names = dict.fromkeys(each["who"] for each in rounds)
    return {
        name: {
            what: statistics.median(each[what] for each in rounds if each["who"] == name)
            for what in ("clock_s", "processor_s")
        }
        for name in names
    }


def _apart(ours: pa.Table, theirs: pa.Table) -> dict[str, Any]:
    """Return how many rows two answers have, and how many of them are beyond the tolerance; a row that one lacks counts with its area."""
    both = [
        table.set_column(1, "code", table["code"].cast(pa.string())).rename_columns(
            ["parcel_id", "code", name]
        )
        for table, name in ((ours, "ours"), (theirs, "theirs"))
    ]
    frame = both[0].join(both[1], ["parcel_id", "code"], join_type="full outer").to_pandas().fillna(0.0)
    apart = (frame["ours"] - frame["theirs"]).abs()
    return {
        "rows": len(frame),
        "greatest_m2": float(apart.max()),
        "beyond": int((apart > 2 * TOLERANCE_M2).sum()),
    }


def growth(sizes: list[int], place: Place, cap: float) -> dict[str, Any]:
    """Return what the engine used at several sizes, and the exponent of processor time over polygons."""
    points = []
    for size in sizes:
        figures = measured(["lowland"], size, place, rounds=1, cap=cap)
        if figures["rounds"]:
            points.append({"polygons": figures["parcels"] + figures["zones"], **figures["rounds"][0]})
    return {"points": points, "exponent": exponent(points)}


def exponent(points: list[dict[str, Any]]) -> float | None:
    """Return the slope of the logarithm of processor time over that of polygons, None for less than two points."""
    if len(points) < 2:  # noqa: PLR2004
        return None
    logs = [(math.log(point["polygons"]), math.log(point["processor_s"])) for point in points]
    return statistics.linear_regression(*zip(*logs, strict=True)).slope


def keep(name: str, figures: dict[str, Any]) -> Path:
    """Write figures under a name into the file of results, and return it."""
    kept = HOME / "results" / "sedona.json"
    kept.parent.mkdir(parents=True, exist_ok=True)
    before = json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else {}
    kept.write_text(json.dumps({**before, name: figures}, indent=1) + "\n", encoding="utf-8")
    return kept


def main() -> None:
    """Measure, print and keep the figures."""
    parser = reader(__doc__)
    parser.add_argument("--parcels", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--peers", default=",".join(PEERS))
    parser.add_argument("--master", default="local[2,4]")
    parser.add_argument("--memory", default=MEMORY)
    parser.add_argument("--growth")
    parser.add_argument("--cap", type=float, default=CAP_S)
    parser.add_argument("--times", type=float, default=TIMES)
    options = parser.parse_args()
    place = Place(options.master, options.memory)
    _, start_s = started(place)
    said = {"master": place.master, "memory": place.memory, "start_s": round(start_s, 1)}
    print(f"start of Spark: {start_s:.1f} s", flush=True)
    if options.growth:
        sizes = [int(size) for size in options.growth.split(",")]
        warmed(["lowland"], place, min(WARM_PARCELS, sizes[0]))
        name, figures = "growth", growth(sizes, place, options.cap)
    else:
        names = options.peers.split(",")
        warmed(names, place, min(WARM_PARCELS, options.parcels))
        name = str(options.parcels)
        figures = measured(
            names, options.parcels, place, rounds=options.rounds, cap=options.cap, times=options.times
        )
    print(f"kept in {keep(name, said | figures)}")


if __name__ == "__main__":
    main()
