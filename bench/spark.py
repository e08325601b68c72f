"""Tabulate on Apache Spark: the engine `sedona` against Sedona's own SQL, in one session on the same cores, in turn.

    python bench/spark.py [--parcels 100000] [--rounds 1] [--peers lowland,intersection,covered] [--master local[2,4]] [--memory 2g]

| who | what |
|---|---|
| `lowland` | folders of GeoParquet to Parquet by the engine: counting, cells, shuffle, sums, sorted rows |
| `intersection` | `ST_Intersects` as the join, the sum of `ST_Area(ST_Intersection(…))` by parcel and code, written as Parquet |
| `covered` | the same, but a parcel inside a zone counts by its own `ST_Area` without a piece being built |

The district is that of `bench/district.py`: about 3.1 zones a parcel. The start of Spark is told apart, as is the first round, in which
Java compiles what it runs. Two answers agree where no area is further apart than 1e-6 m². `--growth 25000,50000` measures the engine at several sizes
and prints the exponent. (A file of the name sedona.py would hide the library from what is run beside it.) Figures go to bench/results/spark-PARCELS.json.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import statistics
import tempfile
import time
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


def measured(names: list[str], parcels: int, place: Place, rounds: int) -> dict[str, Any]:
    """Return the seconds of everybody in every round, and how far the last answers are apart."""
    land = district(parcels)
    begin = time.perf_counter()
    spark = session(place)
    spark.sql("SELECT ST_Area(ST_PolygonFromEnvelope(0, 0, 1, 1))").collect()
    figures: dict[str, Any] = {
        "start_s": time.perf_counter() - begin,
        "parcels": land.n_parcels,
        "zones": land.n_zones,
    }
    figures |= {
        "master": place.master,
        "memory": place.memory,
        "seconds": {name: [] for name in names},
        "load": [],
    }
    answers: dict[str, pa.Table] = {}
    with tempfile.TemporaryDirectory(prefix="lowland-bench-") as folder:
        for number in range(rounds):
            for name in names:
                target = Path(folder) / f"{name}-{number}"
                figures["load"].append(os.getloadavg()[0])
                begin = time.perf_counter()
                told = lowland(land, place, target) if name == "lowland" else peer(name, land, place, target)
                figures["seconds"][name].append(time.perf_counter() - begin)
                figures |= told
                answers[name] = pq.read_table(target, columns=["parcel_id", "code", "area_m2"])
                shutil.rmtree(target)
                print(
                    f"{name}: {figures['seconds'][name][-1]:.1f} s, {answers[name].num_rows:,} rows",
                    flush=True,
                )
    figures["medians"] = {name: statistics.median(seconds) for name, seconds in figures["seconds"].items()}
    figures["jvm_mb"] = _jvm_peak_mb(spark)
    figures["agreement"] = {
        name: _apart(answers["lowland"], answers[name])
        for name in names
        if name != "lowland" and "lowland" in answers
    }
    return figures


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


def _jvm_peak_mb(spark: Any) -> float:
    """Return the most memory that the driver's Java, which has the executor's threads too, has had."""
    pid = spark.sparkContext._jvm.java.lang.ProcessHandle.current().pid()  # noqa: SLF001 - there is no other way to Java
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def growth(sizes: list[int], place: Place) -> dict[str, Any]:
    """Return the seconds of the engine at several sizes, after a round that warms up, and the exponent over them."""
    measured(["lowland"], sizes[0], place, 1)
    points = []
    for size in sizes:
        figures = measured(["lowland"], size, place, 1)
        points.append(
            (figures["parcels"] + figures["zones"], figures["medians"]["lowland"], figures["worker_mb"])
        )
    logs = [(math.log(count), math.log(seconds)) for count, seconds, _ in points]
    exponent = statistics.linear_regression(*zip(*logs, strict=True)).slope if len(points) > 1 else None
    return {"growth": points, "exponent": exponent, "master": place.master}


def main() -> None:
    """Measure, print and keep the figures."""
    parser = reader(__doc__)
    parser.add_argument("--parcels", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--peers", default=",".join(PEERS))
    parser.add_argument("--master", default="local[2,4]")
    parser.add_argument("--memory", default=MEMORY)
    parser.add_argument("--growth")
    options = parser.parse_args()
    place = Place(options.master, options.memory)
    if options.growth:
        figures, name = growth([int(size) for size in options.growth.split(",")], place), "growth"
    else:
        figures = measured(options.peers.split(","), options.parcels, place, options.rounds)
        name = str(options.parcels)
    kept = HOME / "results" / f"spark-{name}.json"
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    print(json.dumps({key: figures[key] for key in figures if key != "load"}, indent=1))
    print(f"kept in {kept}")


if __name__ == "__main__":
    main()
