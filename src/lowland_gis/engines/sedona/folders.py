"""Folders of GeoParquet that the tasks read themselves: polygons never pass through this process, however many there are."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pyproj

from lowland_gis.analysis.overlay.tabulate import NOISE_M2
from lowland_gis.engines.sedona import faults, job, work
from lowland_gis.engines.sedona.session import Place, session
from lowland_gis.errors import InputRefusedError, LowlandError, UsageError

Frame = Any
_SHOWN = 5
_ALL, _NO_CODE = "all", ""
_MB = 1_000_000


@dataclass(frozen=True)
class Folder:
    """The GeoParquet files of a folder, all on one plane: their paths, the geometry column and the coordinate system."""

    name: str
    files: tuple[Path, ...]
    geometry: str
    crs: pyproj.CRS


def folder(path: Path, field: str | None) -> Folder:
    """Return the files of a folder, or the one file, after the foot of each was read.

    Raises:
        InputRefusedError: there is none, one is cut or no GeoParquet, lacks the field, has no system, one in degrees, or another than the first.
    """
    files = (
        sorted(each for each in path.rglob("*.parquet") if not _is_hidden(each, path))
        if path.is_dir()
        else [path]
    )
    if not files:
        raise InputRefusedError(
            f"{path}: there is no .parquet file in it. Name a folder of GeoParquet files."
        )
    described = [_described(each, field) for each in files]
    for file, (geometry, crs) in zip(files, described, strict=True):
        if crs != described[0][1]:
            raise InputRefusedError(
                f"{file} is in {crs.name}, {files[0]} in {described[0][1].name}: files of one folder are on one plane. Convert it first:"
                f" lowland convert {file} … "
            )
        if geometry != described[0][0]:
            raise InputRefusedError(
                f"{file}: its geometries are in {geometry}, those of {files[0]} in {described[0][0]}. Rename the column."
            )
    return Folder(str(path), tuple(files), *described[0])


def _is_hidden(file: Path, folder: Path) -> bool:
    """Tell what Spark passes over too: what begins with _ or a dot, as unfinished output does."""
    return any(part.startswith(("_", ".")) for part in file.relative_to(folder).parts)


def _described(file: Path, field: str | None) -> tuple[str, pyproj.CRS]:
    try:
        schema = pq.read_schema(file)
    except (pa.ArrowInvalid, OSError) as error:
        raise InputRefusedError(
            f"{file}: cannot be read, it is cut or no Parquet file ({str(error).splitlines()[0][:120]}), so nothing was computed. Copy it again."
        ) from error
    told = json.loads((schema.metadata or {}).get(b"geo", b"null"))
    if not told:
        raise InputRefusedError(
            f"{file}: it is Parquet without geometries (no `geo` metadata). Name GeoParquet files."
        )
    if field is not None and field not in schema.names:
        raise InputRefusedError(f"{file}: there is no field {field!r}. It has: {', '.join(schema.names)}.")
    column = told["primary_column"]
    about = told["columns"][column]
    if about.get("encoding") != "WKB":
        raise InputRefusedError(
            f"{file}: geometries are encoded as {about.get('encoding')}; only WKB can be read by the tasks. Without Spark: --engine local"
        )
    if about.get("crs") is None:
        why = (
            "declares no coordinate system" if "crs" in about else "is in degrees (GeoParquet without a crs)"
        )
        raise InputRefusedError(
            f"{file}: it {why}; areas need a plane in metres. Write it with its system: lowland convert {file} …"
        )
    crs = pyproj.CRS.from_user_input(about["crs"])
    if not crs.is_projected or crs.axis_info[0].unit_name != "metre":
        raise InputRefusedError(
            f"{file} is in {crs.name}; areas need a plane in metres. Convert it first: lowland convert {file} …"
        )
    return column, crs


@dataclass
class Tabulation:
    """Parcels and zones in folders, tabulated by the tasks; `peak_mb` is the most memory that a worker has had."""

    parcels: Folder
    zones: Folder
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
        """Return what the tasks have found, the codes, and whether parcels were cut."""
        spark = session(self.place)
        parcels = _named(spark, self.parcels, f"`{self.id_field}` AS parcel")
        _refuse_repeated(parcels, self.parcels.name, self.id_field)
        zones = _named(
            spark, self.zones, f"`{self.by_field}` AS code" if self.by_field else f"'{_ALL}' AS code"
        )
        codes = spark.createDataFrame(
            _codes(zones.select("code").distinct().toArrow()["code"].combine_chunks())
        )
        parcels, zones = _boxed(parcels), _boxed(_with_classes(zones, codes).select("klass", "wkb"))
        grid = self.grid or job.Grid(cell_bytes=self.place.cell_mb * _MB)
        plan = job.tabulated(spark, parcels, zones, grid, cover=self.cover)
        self.n_cells = plan.n_cells
        plan.rows.write.parquet(str(beside / "found"))
        if not (beside / "found" / "_SUCCESS").exists():
            raise LowlandError(
                f"{beside}: what Spark has written is not whole, so it is not taken. Run it again."
            )
        found = spark.read.parquet(str(beside / "found"))
        itself = f"CASE WHEN klass = {work.ITSELF} THEN parcel END"
        peak, came = found.selectExpr(
            f"max(CASE WHEN klass = {work.PEAK} THEN area_m2 END)",
            f"count({'DISTINCT ' if plan.cut else ''}{itself})",
        ).first()
        if plan.n_parcels != came:
            raise LowlandError(
                f"{came:,} of {plan.n_parcels:,} parcels were answered, so nothing was written. Run it again; please report it."
            )
        self.peak_mb = peak or 0.0
        return found.where(f"klass != {work.PEAK}"), codes, plan.cut


def _named(spark: Any, folder: Folder, column: str) -> Frame:
    """Return what names or classes rows, and their WKB as it lies in the files; a column that is not asked for is not read."""
    files = [str(each) for each in folder.files]
    return spark.read.parquet(*files).selectExpr(column, f"`{folder.geometry}` AS wkb")


def _boxed(frame: Frame) -> Frame:
    """Return the rows with the boxes of their polygons.

    Sedona's reader and its ST_XMin and so on take a geometry apart once for each: 70 µs a polygon of 50 vertices, where a task needs 3.
    """
    name = frame.schema.fields[0]
    schema = (
        f"{name.name} {name.dataType.simpleString()}, wkb binary, x0 double, y0 double, x1 double, y1 double"
    )
    return frame.mapInArrow(work.boxed, schema)


def _refuse_repeated(parcels: Frame, name: str, field: str) -> None:
    rows = (
        parcels.groupBy("parcel")
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


def _codes(distinct: pa.Array) -> pa.Table:
    """Return each code with its number and what it is called, sorted as the local engine sorts; a missing one is the text '' and comes first."""
    there = distinct.drop_null()
    names = there.take(pc.sort_indices(there))
    called = names
    if distinct.null_count:
        called = pa.concat_arrays([pa.array([_NO_CODE]), names.cast(pa.string())])
        names = pa.concat_arrays([pa.nulls(1, names.type), names])
    if distinct.null_count and _NO_CODE in called[1:].to_pylist():
        # A code that is the empty text is no code.
        numbers = pa.array([max(0, n - 1) for n in range(len(names))], pa.int64())
    else:
        numbers = pa.array(range(len(names)), pa.int64())
    return pa.table({"code": names, "klass": numbers, "called": called})


def _with_classes(zones: Frame, codes: Frame) -> Frame:
    from pyspark.sql.functions import broadcast, col

    known = broadcast(codes.select(col("code").alias("known"), "klass"))
    return zones.join(known, col("code").eqNullSafe(col("known"))).drop("code", "known")


def _overlaps(found: Frame, codes: Frame, *, cut: bool) -> Frame:
    """Return the rows of overlaps, the pieces of cut parcels as one."""
    from pyspark.sql.functions import broadcast

    rows = found.where("klass >= 0")
    if cut:
        rows = rows.groupBy("parcel", "klass").agg({"area_m2": "sum", "whole_m2": "max"})
        rows = rows.withColumnsRenamed({"sum(area_m2)": "area_m2", "max(whole_m2)": "whole_m2"})
    called = broadcast(
        codes.groupBy("klass").agg({"called": "max"}).withColumnRenamed("max(called)", "called")
    )
    return rows.join(called, "klass").selectExpr(
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
