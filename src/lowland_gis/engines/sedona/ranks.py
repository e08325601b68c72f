"""Ranks among all: every partition has a range of the scores, so that one number of each is all that the driver must know."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa

from lowland_gis.engines.sedona.beside import committed

Frame = Any

# So many scores are put in order by a task.
AT_ONCE = 1_000_000
_SO_FAR = (
    "count(1) OVER (PARTITION BY file ORDER BY score DESC RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)"
)


def ranked(spark: Any, scores: Frame, folder: Path, at_once: int = AT_ONCE) -> Frame:
    """Return the share of all scores that are at least as good as each: parcel and rank, of parcel and score; equal ones share a rank.

    The scores are written to a folder in between. The ranks are those of `analysis.rules.derived.ranked`, to the bit.
    """
    count = scores.count()
    # Of 0 and −0, which are equal, ranges are made by their bits.
    exact = scores.selectExpr("parcel", "score + 0.0D AS score")
    ranges = exact.repartitionByRange(1 + count // at_once, exact["score"].desc())
    ranges.write.parquet(str(folder))
    committed(folder)
    kept = spark.read.parquet(str(folder)).selectExpr("parcel", "score", "_metadata.file_name AS file")
    sizes = kept.groupBy("file").agg({"score": "max", "parcel": "count"}).collect()
    before, rows = 0, []
    for row in sorted(sizes, key=lambda row: -row["max(score)"]):
        rows.append((row["file"], before))
        before += row["count(parcel)"]
    files, starts = zip(*rows, strict=True) if rows else ((), ())
    offsets = spark.createDataFrame(
        pa.table({"file": pa.array(files, pa.string()), "before": pa.array(starts, pa.int64())})
    ).hint("broadcast")
    placed = kept.selectExpr("parcel", "file", f"{_SO_FAR} AS place").join(offsets, "file")
    return placed.selectExpr("parcel", f"CAST(before + place AS double) / {max(1, count)}D AS rank")
