"""Read GeoParquet as a stream of Arrow batches: the geometry stays WKB in Arrow's own buffers until somebody decodes it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, NamedTuple

import pyarrow as pa
from pyproj import CRS
from pyproj.exceptions import CRSError

from lowland_gis.errors import InputRefusedError
from lowland_gis.files.parquet_geometry import DEFAULT_CRS, native_columns
from lowland_gis.files.source import Source

# A column is read through a window of this size, so that a file of one huge row group does not come in whole.
_WINDOW_BYTES = 1 << 22
# A row group up to this size may be read as a whole, beside others.
_GROUP_BYTES = 1 << 26
_READING_ERRORS = (pa.ArrowException, OSError, ValueError)


class Group(NamedTuple):
    """A row group of a file: its number, its first row, and how many rows it has."""

    number: int
    first_row: int
    n_rows: int


@dataclass(frozen=True)
class GeoParquet:
    """A Parquet file that is open: its fields, its geometry column, and its batches.

    `fields` are the columns that are attributes: other geometry columns and the bounding boxes that a writer kept beside the
    geometry are none. `geometry` is None for a plain table, without `geo` metadata and without a column of a geometry type. `crs` is WKT, None where the file says that
    it is unknown. `n_rows` is the count of the file's footer.
    """

    source: Source
    file: Any
    fields: tuple[str, ...]
    geometry: str | None
    crs: str | None
    n_rows: int

    def batches(
        self, rows: int, *, fields: Sequence[str] | None = None, group: int | None = None
    ) -> Iterator[pa.RecordBatch]:
        """Yield at most so many rows at a time: the fields (all, or those named) and then the geometry column as it lies.

        Of one row group, where it is named; several can be read at the same time, since each reads with a handle of its own.

        Raises:
            InputRefusedError: a page cannot be read, or fewer rows come than the footer counts.
        """
        wanted = [*(self.fields if fields is None else fields), *([self.geometry] if self.geometry else [])]
        groups, promised = None, self.n_rows
        if group is not None:
            groups, promised = [group], self.file.metadata.row_group(group).num_rows
        read = 0
        with _refused_when_broken(self.source):
            file = self.file if group is None else _opened(self.source, self.file.metadata)
            parts = file.iter_batches(batch_size=rows, row_groups=groups, columns=wanted, use_threads=False)
        while True:
            # What the caller does with a batch is no fault of the file, so only the reading is guarded.
            with _refused_when_broken(self.source):
                part = next(parts, None)
            if part is None:
                break
            read += part.num_rows
            yield part.select(wanted) if wanted else part
        if read != promised:
            raise InputRefusedError(
                f"{self.source.name}: its footer counts {promised} rows, but {read} came; nothing was loaded."
                " Ask the sender for the file again."
            )

    def groups(self) -> list[Group]:
        """Return the row groups; none where one is too large to be held as a whole."""
        described = [
            self.file.metadata.row_group(group) for group in range(self.file.metadata.num_row_groups)
        ]
        if any(group.total_byte_size > _GROUP_BYTES for group in described):
            return []
        rows = [group.num_rows for group in described]
        return list(map(Group, range(len(rows)), accumulate(rows, initial=0), rows))


def _opened(source: Source, metadata: Any = None) -> Any:
    # Few deliveries are Parquet, and its library drags that of cloud storage along.
    import pyarrow.parquet as pq  # noqa: PLC0415

    return pq.ParquetFile(
        source.path,
        metadata=metadata,
        buffer_size=_WINDOW_BYTES,
        pre_buffer=False,
        page_checksum_verification=True,
    )


def opened_geoparquet(source: Source) -> GeoParquet:
    """Open a Parquet file and say what its `geo` metadata promises.

    Raises:
        InputRefusedError: the file is broken, its metadata make no sense, or its geometries are not WKB.
    """
    with _refused_when_broken(source):
        file = _opened(source)
        schema = file.schema_arrow
    _refuse_doubled(source, schema)
    geo = (schema.metadata or {}).get(b"geo")
    if geo is None:
        return _without_geo(source, file)
    primary, columns = _promised(source, geo)
    _refuse_other_forms(source, primary, columns[primary], schema)
    left_out = {*columns, *_covering(columns[primary])}
    fields = tuple(name for name in schema.names if name not in left_out)
    return GeoParquet(
        source, file, fields, primary, _declared_crs(source, columns[primary]), file.metadata.num_rows
    )


def _without_geo(source: Source, file: Any) -> GeoParquet:
    """Return a file without `geo` metadata: its geometry column says itself what it is, or it is a plain table."""
    with _refused_when_broken(source):
        native = {column.name: column.crs for column in native_columns(file)}
    fields = tuple(name for name in file.schema_arrow.names if name not in native)
    if not native:
        return GeoParquet(source, file, fields, None, None, file.metadata.num_rows)
    primary = next((name for name in ("geometry", "geom") if name in native), next(iter(native)))
    if len(native) > 1 and primary not in ("geometry", "geom"):
        raise InputRefusedError(
            f"{source.name}: it has several columns of geometries ({', '.join(native)}), and none is called geometry, so they cannot be told"
            " apart. Leave one in the file, or rename it."
        )
    declared = native[primary]
    crs = None if declared is None else _declared_crs(source, {"crs": declared})
    return GeoParquet(source, file, fields, primary, crs, file.metadata.num_rows)


@contextmanager
def _refused_when_broken(source: Source) -> Iterator[None]:
    try:
        yield
    except _READING_ERRORS as error:
        raise InputRefusedError(
            f"{source.name}: cannot be read as GeoParquet ({error}). Ask the sender for it again."
        ) from error


def _promised(source: Source, geo: bytes) -> tuple[str, dict[str, dict[str, Any]]]:
    """Return the primary column and what is said of every geometry column."""
    try:
        said = json.loads(geo)
        primary, columns = said["primary_column"], said["columns"]
        if isinstance(primary, str) and isinstance(columns[primary], dict):
            return primary, dict(columns)
    except (ValueError, KeyError, TypeError):
        pass
    raise InputRefusedError(
        f"{source.name}: cannot be read as GeoParquet (its `geo` metadata name no primary geometry column)."
        " Ask the sender for it again."
    )


def _refuse_doubled(source: Source, schema: pa.Schema) -> None:
    """Refuse columns of one name: Parquet reads them by name, so they cannot be told apart."""
    doubled = sorted({name for name in schema.names if schema.names.count(name) > 1})
    if doubled:
        raise InputRefusedError(
            f"{source.name}: several columns are called {', '.join(doubled)}, so they cannot be told apart."
            " Rename them in the file."
        )


def _refuse_other_forms(source: Source, name: str, column: dict[str, Any], schema: pa.Schema) -> None:
    position = schema.get_field_index(name)
    if position < 0:
        raise InputRefusedError(
            f"{source.name}: cannot be read as GeoParquet (it says that its geometries are in the column {name!r}, which it"
            " does not have). Ask the sender for it again."
        )
    kind = schema.field(position).type
    if column.get("encoding") != "WKB" or not (pa.types.is_binary(kind) or pa.types.is_large_binary(kind)):
        raise InputRefusedError(
            f"{source.name}: its geometries are {column.get('encoding', 'of no stated form')} in a column of type {kind}, not"
            " WKB, so they are not read. Ask for GeoParquet with WKB."
        )


def _covering(column: dict[str, Any]) -> set[str]:
    """Return the columns that hold bounding boxes of the geometries: they repeat what the geometries say."""
    try:
        return {path[0] for path in column["covering"]["bbox"].values()}
    except (KeyError, TypeError, AttributeError, IndexError):
        return set()


def _declared_crs(source: Source, column: dict[str, Any]) -> str | None:
    declared = column.get("crs", DEFAULT_CRS)
    if declared is None:
        return None
    try:
        return str(CRS.from_user_input(declared).to_wkt())
    except CRSError as error:
        raise InputRefusedError(
            f"{source.name}: its coordinate system cannot be read ({str(error).splitlines()[0]}), so places cannot be told."
            " Ask the sender for it again."
        ) from error
