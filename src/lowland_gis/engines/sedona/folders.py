"""Parcels and zones that the tasks read themselves, from first portion to sorted rows: polygons never pass through this process, however many there are."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from lowland_gis.analysis.overlay.tabulate import NOISE_M2
from lowland_gis.engines.sedona import faults, job, plan, work
from lowland_gis.engines.sedona.geoparquet import Folder, folder
from lowland_gis.engines.sedona.polygons import Polygons, Rows
from lowland_gis.engines.sedona.session import Place, session
from lowland_gis.engines.sedona.tables import Table
from lowland_gis.errors import InputRefusedError, LowlandError, UsageError

__all__ = ["Folder", "Tabulation", "folder", "refuse_unfit"]

Frame = Any
_SHOWN = 5
_MB = 1_000_000


@dataclass
class Tabulation:
    """Parcels and zones in folders or tables, tabulated by the tasks; `peak_mb` is the most memory that a worker has had."""

    parcels: Folder | Table
    zones: Folder | Table
    id_field: str
    by_field: str | None
    place: Place
    cover: bool = False
    grid: job.Grid | None = None
    peak_mb: float = 0.0
    n_cells: int = 0

    def tables(self) -> Generator[tuple[pa.Table, pa.Table | None]]:
        """Yield parcel_id, code, area_m2 and share in the order of the first two, a file of Spark's after the other, and then the cover.

        Raises:
            InputRefusedError: the systems differ, an identifier is missing or repeated, a polygon is invalid or a file cut.
            LowlandError: a task has failed four times, or what was written is not whole.
        """
        if self.parcels.crs != self.zones.crs:
            raise InputRefusedError(
                f"{self.parcels.name} is in {self.parcels.crs.name}, {self.zones.name} in {self.zones.crs.name}: the tasks move nothing to another"
                " plane. Convert one of them first (lowland convert), or --engine local for what one machine can hold."
            )
        beside = Path(tempfile.mkdtemp(prefix="lowland-spark-"))
        try:
            with faults.told():
                found, codes, cut = self._found(beside)
                overlaps = _sorted(
                    _overlaps(found, codes, cut=cut), beside / "overlaps", ["parcel_id", "klass"]
                )
                covers = _sorted(_cover(found), beside / "cover", ["parcel_id"]) if self.cover else []
            for file in overlaps:
                yield pq.read_table(file).drop_columns("klass"), None
            for file in covers:
                yield _nothing(found), pq.read_table(file)
        finally:
            shutil.rmtree(beside, ignore_errors=True)

    def _found(self, beside: Path) -> tuple[Frame, Frame, bool]:
        """Return what the tasks have found, what classes are called, and whether parcels were cut."""
        spark = session(self.place)
        parcels = self.parcels.polygons(spark, self.id_field)
        _refuse_repeated(parcels, self.parcels.name, self.id_field)
        zones = self.zones.polygons(spark, self.by_field)
        grid = self.grid or job.Grid(cell_bytes=self.place.cell_mb * _MB)
        planned = plan.tabulated(spark, parcels, zones, grid, cover=self.cover)
        self.n_cells = planned.n_cells
        planned.rows.write.parquet(str(beside / "found"))
        if not (beside / "found" / "_SUCCESS").exists():
            raise LowlandError(
                f"{beside}: what Spark has written is not whole, so it is not taken. Run it again."
            )
        found = spark.read.parquet(str(beside / "found"))
        itself = f"CASE WHEN klass = {work.ITSELF} THEN parcel END"
        peak, came = found.selectExpr(
            f"max(CASE WHEN klass = {work.PEAK} THEN area_m2 END)",
            f"count({'DISTINCT ' if planned.cut else ''}{itself})",
        ).first()
        if planned.n_parcels != came:
            raise LowlandError(
                f"{came:,} of {planned.n_parcels:,} parcels were answered, so nothing was written. Run it again; please report it."
            )
        self.peak_mb = peak or 0.0
        called = pa.table(
            {"klass": pa.array(range(len(planned.called)), pa.int64()), "called": planned.called}
        )
        return found.where(f"klass != {work.PEAK}"), spark.createDataFrame(called), planned.cut


def _names(rows: Iterator[Rows]) -> Iterator[pa.RecordBatch]:
    for some in rows:
        yield pa.RecordBatch.from_arrays([some.name], names=["parcel"])


def _refuse_repeated(parcels: Polygons, name: str, field: str) -> None:
    names = parcels.mapped(_names, f"parcel {plan.spelt(parcels.kind)}", shapes=False)
    rows = (
        names.groupBy("parcel")
        .count()
        .where("count > 1 OR parcel IS NULL")
        .orderBy("parcel")
        .limit(_SHOWN)
        .collect()
    )
    if not rows:
        return
    if rows[0]["parcel"] is None:
        raise InputRefusedError(
            f"{name}: {rows[0]['count']:,} parcels have no {field}. Name a field that every parcel has: --id FIELD"
        )
    shown = ", ".join(f"{row['parcel']} ({row['count']} times)" for row in rows)
    raise InputRefusedError(
        f"{name}: a value of {field} stands for several parcels: {shown}. Name a field that tells them apart: --id FIELD"
    )


def _overlaps(found: Frame, called: Frame, *, cut: bool) -> Frame:
    """Return the rows of overlaps, the pieces of cut parcels as one."""
    from pyspark.sql.functions import broadcast

    rows = found.where("klass >= 0")
    if cut:
        rows = rows.groupBy("parcel", "klass").agg({"area_m2": "sum", "whole_m2": "max"})
        rows = rows.withColumnsRenamed({"sum(area_m2)": "area_m2", "max(whole_m2)": "whole_m2"})
    return rows.join(broadcast(called), "klass").selectExpr(
        "parcel AS parcel_id", "klass", "called AS code", "area_m2", "area_m2 / whole_m2 AS share"
    )


def _cover(found: Frame) -> Frame:
    from pyspark.sql.functions import expr

    sums = [
        f"CASE WHEN sum({name}) > {NOISE_M2} THEN sum({name}) ELSE 0.0D END AS {name}"
        for name in ("rest_m2", "excess_m2")
    ]
    own = (
        found.where(f"klass = {work.ITSELF}")
        .groupBy("parcel")
        .agg(expr("max(whole_m2) AS area_m2"), *map(expr, sums))
    )
    return own.withColumnRenamed("parcel", "parcel_id")


def _sorted(frame: Frame, target: Path, keys: list[str]) -> list[Path]:
    """Write rows in an order, committed as a whole; return the files one after the other."""
    frame.orderBy(*keys).write.parquet(str(target))
    if not (target / "_SUCCESS").exists():
        raise LowlandError(
            f"{target}: what Spark has written is not whole, so it is not taken. Run it again."
        )
    return sorted(target.glob("part-*.parquet"))


def _nothing(found: Frame) -> pa.Table:
    """Return overlaps without rows."""
    kind = found.limit(0).select("parcel").toArrow().schema.field("parcel").type
    return pa.table({
        "parcel_id": pa.nulls(0, kind), "code": pa.nulls(0, pa.string()), "area_m2": pa.nulls(0, pa.float64()), "share": pa.nulls(0, pa.float64())
    })  # fmt: skip


def refuse_unfit(*, width: str | None, id_field: str | None, given: bool) -> str:
    """Return the field that names parcels, after what folders cannot be asked was refused.

    Raises:
        UsageError: strips or another system are asked for, or nothing names the parcels.
    """
    if width is not None or given:
        said = "--width" if width is not None else "--src-crs"
        raise UsageError(
            f"{said} is not for folders that tasks read: a strip takes ground of others, and nothing is moved. Name files, which are read here."
        )
    if id_field is None:
        raise UsageError(
            "Parcels in a folder have no row numbers. Name the field that tells them apart: --id FIELD"
        )
    return id_field
