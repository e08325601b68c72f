"""Folders of GeoParquet: what the feet of their files say, and how tasks read their row groups."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyproj

from lowland_gis.engines.sedona import places
from lowland_gis.engines.sedona.polygons import Polygons, Rows
from lowland_gis.engines.sedona.refusal import RowsRefusedError
from lowland_gis.errors import InputRefusedError

ALL = "all"
# A portion has about so many bytes of polygons, where row groups are not larger; a batch of it about so many.
_PORTION_BYTES, _BATCH_BYTES = 32_000_000, 8_000_000
_MOST_ROWS = 20_000
_CUT = "cannot be read, it is cut or no Parquet file"


@dataclass(frozen=True)
class Portion:
    """Some row groups of a file that one task reads, so many rows at a time."""

    file: str
    groups: tuple[int, ...]
    batch_rows: int


@dataclass(frozen=True)
class Folder:
    """The GeoParquet files of a folder, all on one plane: their paths, the geometry column, the coordinate system, what tasks read and the type of the field that was asked for."""

    name: str
    files: tuple[str, ...]
    geometry: str
    crs: pyproj.CRS
    kind: pa.DataType = field(default_factory=pa.string)
    portions: tuple[Portion, ...] = ()

    def polygons(self, spark: Any, field: str | None) -> Polygons:
        """Return its polygons as tasks read them, named by a field, or all `all`."""
        return of_portions(spark, self.portions, self.geometry, field, self.kind)


@dataclass(frozen=True)
class _Described:
    geometry: str
    crs: pyproj.CRS
    kind: pa.DataType
    portions: list[Portion]


def folder(place: Path | str, field: str | None) -> Folder:
    """Return the files of a folder, or the one file, after the foot of each was read.

    Raises:
        InputRefusedError: there is none, one is cut or no GeoParquet, lacks the field, has no system, one in degrees, or another than the first.
    """
    files = places.listed(str(place))
    described = [_described(each, field) for each in files]
    first = described[0]
    for file, each in zip(files, described, strict=True):
        if each.crs != first.crs:
            raise InputRefusedError(
                f"{file} is in {each.crs.name}, {files[0]} in {first.crs.name}: files of one folder are on one plane. Convert it first:"
                f" lowland convert {file} … "
            )
        if each.geometry != first.geometry:
            raise InputRefusedError(
                f"{file}: its geometries are in {each.geometry}, those of {files[0]} in {first.geometry}. Rename the column."
            )
        if each.kind != first.kind:
            raise InputRefusedError(
                f"{file}: {field} is {each.kind}, in {files[0]} it is {first.kind}. Write both in one type."
            )
    portions = tuple(portion for each in described for portion in each.portions)
    return Folder(str(place), tuple(files), first.geometry, first.crs, first.kind, portions)


def _described(file: str, field: str | None) -> _Described:
    try:
        with places.opened(file) as parquet:
            schema, foot = parquet.schema_arrow, parquet.metadata
    except (pa.ArrowInvalid, OSError) as error:
        raise InputRefusedError(
            f"{file}: {_CUT} ({str(error).splitlines()[0][:120]}), so nothing was computed. Copy it again."
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
    kind = pa.string() if field is None else plain(schema.field(field).type)
    return _Described(column, _plane(file, about), kind, portions_of(file, foot))


def _plane(file: str, about: dict[str, Any]) -> pyproj.CRS:
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
    return crs


def portions_of(file: str, foot: Any) -> list[Portion]:
    """Return the portions of a file by its foot: row groups that follow each other, as many as are not too heavy together."""
    portions: list[Portion] = []
    groups: list[int] = []
    weight = rows = 0

    def portion() -> Portion:
        each = max(1, weight // max(1, rows))
        return Portion(file, tuple(groups), max(1, min(_MOST_ROWS, _BATCH_BYTES // each)))

    for number in range(foot.num_row_groups):
        group = foot.row_group(number)
        if groups and weight + group.total_byte_size > _PORTION_BYTES:
            portions.append(portion())
            groups, weight, rows = [], 0, 0
        groups.append(number)
        weight += group.total_byte_size
        rows += group.num_rows
    if groups:
        portions.append(portion())
    return portions


def of_portions(
    spark: Any,
    portions: tuple[Portion, ...],
    geometry: str,
    field: str | None,
    kind: pa.DataType,
    *,
    numbered: bool = False,
) -> Polygons:
    """Return polygons that tasks read from files, a portion a task."""
    frame = spark.range(0, len(portions), 1, max(1, len(portions)))
    reading = partial(read, portions=portions, geometry=geometry, field=field, kind=kind)
    return Polygons(frame, reading, kind, numbered)


def plain(kind: pa.DataType) -> pa.DataType:
    """Return the type that Spark has for a type of names."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return pa.string()
    return kind


def read(
    batch: pa.RecordBatch,
    shapes: bool,
    *,
    portions: tuple[Portion, ...],
    geometry: str,
    field: str | None,
    kind: pa.DataType,
) -> Iterator[Rows]:
    """Yield the rows of the portions whose numbers (`id`) came, some at a time.

    Raises:
        RowsRefusedError: a file cannot be read.
    """
    columns = [*([geometry] if shapes or field is None else []), *([field] if field else [])]
    for number in batch["id"].to_pylist():
        portion = portions[number]
        try:
            with places.opened(portion.file) as parquet:
                batches = parquet.iter_batches(portion.batch_rows, portion.groups, columns)
                for some in batches:
                    yield _rows(portion.file, number, some, geometry, field, kind)
        except (OSError, pa.ArrowException) as error:
            said = str(error).splitlines()[0][:120]
            raise RowsRefusedError(
                f"{portion.file}: {_CUT} ({said}), so nothing was computed. Copy it again."
            ) from error


def _rows(
    file: str, portion: int, some: pa.RecordBatch, geometry: str, field: str | None, kind: pa.DataType
) -> Rows:
    count = some.num_rows
    name = pa.repeat(pa.scalar(ALL), count) if field is None else some[field]
    if pa.types.is_dictionary(name.type):
        name = name.dictionary_decode()
    wkb = some[geometry] if geometry in some.schema.names else pa.nulls(count, pa.binary())
    return Rows(file, portion, name.cast(kind), wkb.cast(pa.binary()))
