"""Read what a source holds, batch by batch: attributes as received, geometries as WKB, counts checked with the headers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyogrio.raw
import shapely
from pyproj import CRS

from lowland_gis.analysis.fields.doubts import Aside, Doubt
from lowland_gis.analysis.fields.stated_quantities import NOTHING, Stated
from lowland_gis.analysis.geometry.curves import MAX_DEVIATION_M, linearised
from lowland_gis.analysis.geometry.extent import FARTHEST
from lowland_gis.errors import InputRefusedError
from lowland_gis.files.broken_text import whole_texts
from lowland_gis.files.dbf_values import DbfValues, dbf_values, deleted_words
from lowland_gis.files.encoding import (
    Encoding,
    cut_words,
    dbf_header,
    names_cut_words,
    source_encoding,
    whole_characters,
)
from lowland_gis.files.gdal_path import GDAL_ERRORS, gdal_source
from lowland_gis.files.gdal_words import GdalWords
from lowland_gis.files.geoparquet import GeoParquet, opened_geoparquet
from lowland_gis.files.layers import Layer, layers_of, meant
from lowland_gis.files.names import unique
from lowland_gis.files.plain_table import PlainTable, text_table, workbook
from lowland_gis.files.sound_parts import sound
from lowland_gis.files.source import Source, sidecar

BATCH_ROWS = 10_000
ROW_NUMBER = "FID"
# Every byte is a character of this one, so nothing is lost on the way.
_BYTE_FOR_BYTE = "ISO-8859-1"  # spelt as GDAL knows it
METRES_PER_DEGREE = 111_320.0

_READING_ERRORS = (*GDAL_ERRORS, UnicodeDecodeError, ValueError, OSError, pa.ArrowException)
_DELETED = ord("*")
# How GDAL says in Arrow of what type a field is that comes as text.
_GDAL_TYPE = b"GDAL:OGR:type"


@dataclass(frozen=True)
class Batch:
    """Consecutive rows of a source: the number of the first one, attributes as spelt in the file, WKB as Arrow bytes or None.

    `deviation` is how far chords may lie from their arcs, in the unit of the coordinates. `doubts` are about values that were not
    taken as they stand, `aside` are rows that are no records; both count rows from the first one of the source.
    """

    first_row: int
    attributes: pa.Table
    shapes: pa.Array | None
    deviation: float = MAX_DEVIATION_M
    doubts: tuple[Doubt, ...] = ()
    aside: tuple[Aside, ...] = ()

    @cached_property
    def wkb(self) -> npt.NDArray[np.object_] | None:
        """Return WKB row by row, arcs turned into chords; None where the source holds no geometries."""
        if self.shapes is None:
            return None
        values = np.empty(len(self.shapes), dtype=object)
        values[:] = self.shapes.to_pylist()
        return linearised(values, deviation=self.deviation).wkb

    @classmethod
    def empty(cls, columns: tuple[str, ...], *, has_geometry: bool) -> Batch:
        """Return a batch without rows."""
        table = pa.table({name: pa.array([], pa.string()) for name in columns})
        return cls(0, table, pa.array([], pa.binary()) if has_geometry else None)


@dataclass(frozen=True)
class Part:
    """A part of a source that can be read beside others: its rows, and what opens it and gives its batches."""

    n_rows: int
    batches: Callable[[], Iterator[Batch]]


@dataclass(frozen=True)
class Received:
    """A source that is open; `batches` can be gone through once and raises when fewer rows come than the header counts.

    `n_rows` is what the header says, where it says so. `parts`, where there are any, give the same batches and can be gone through
    at the same time, each by a thread of its own. `doubts` are about the source as a whole, each a code and words; they are complete
    when the batches are at their end. `stated` are the units that a line beside a table names for all of it.
    """

    columns: tuple[str, ...]
    has_geometry: bool
    declared_crs: str | None
    encoding: Encoding | None
    layer: str | None
    n_rows: int | None
    batches: Iterator[Batch]
    parts: tuple[Part, ...] = ()
    doubts: list[tuple[str, str]] = field(default_factory=list)
    stated: Stated = NOTHING


@dataclass(frozen=True)
class Whole:
    """All rows of a source at once."""

    attributes: pd.DataFrame
    wkb: npt.NDArray[np.object_] | None
    declared_crs: str | None
    encoding: Encoding | None
    layer: str | None


@contextmanager
def received(
    source: Source,
    *,
    encoding: Encoding | str | None = None,
    fields: Sequence[str] | None = None,
    batch_rows: int = BATCH_ROWS,
) -> Iterator[Received]:
    """Open a vector layer or a table and yield it with its batches.

    `encoding` is the one that was decided on, or a name that is taken if every byte fits it. `fields` names the only attributes that are needed; a format that reads by column leaves the others alone.

    Raises:
        InputRefusedError: the layer does not exist, the text cannot be decoded, or fewer rows come than the header counts.
    """
    if source.driver == "XLSX":
        yield _plain(workbook(source))
    elif source.driver == "CSV":
        named = encoding.name if isinstance(encoding, Encoding) else encoding
        yield _plain(text_table(source, named))
    elif source.driver == "Parquet":
        yield _parquet(source, fields, batch_rows)
    else:
        with _vector(source, encoding, batch_rows) as opened:
            yield opened


def read(source: Source, *, encoding: str | None = None) -> Whole:
    """Read all rows of a source into memory.

    Raises:
        InputRefusedError: as `received`.
    """
    with received(source, encoding=encoding) as opened:
        batches = list(opened.batches)
        tables = [batch.attributes for batch in batches]
        shapes = [batch.wkb for batch in batches if batch.wkb is not None]
        whole = pa.concat_tables(tables, promote_options="permissive") if tables else pa.table({})
        attributes = whole.to_pandas()
        if not tables:
            attributes = pd.DataFrame({name: pd.Series(dtype=object) for name in opened.columns})
        wkb = np.concatenate(shapes) if shapes else np.empty(0, dtype=object)
        return Whole(
            attributes,
            wkb if opened.has_geometry else None,
            opened.declared_crs,
            opened.encoding,
            opened.layer,
        )


@contextmanager
def _vector(source: Source, encoding: Encoding | str | None, batch_rows: int) -> Iterator[Received]:
    with ExitStack() as stack:
        path = stack.enter_context(gdal_source(source.path))
        layer = _layer(source, path)
        how = encoding if isinstance(encoding, Encoding) else source_encoding(source, encoding)
        expected = _expected_rows(source)
        # What the caller does with the batches is no fault of the file, so only the opening is guarded here.
        words = GdalWords()
        with _refused_when_unreadable(source), words.heard():
            meta, reader = stack.enter_context(
                pyogrio.raw.open_arrow(
                    path,
                    layer=layer.gdal_name,
                    encoding=_asked_encoding(how),
                    batch_size=batch_rows,
                    datetime_as_string=True,
                    use_pyarrow=True,
                )
            )
        geometry = meta["geometry_name"] or "wkb_geometry"
        text, doubts = _Text(how), list[tuple[str, str]]()
        with _refused_when_unreadable(source):
            received_names = [name for name in reader.schema.names if name != geometry]
            fields = [text.name(name) for name in received_names]
            doubts += text.names_cut(received_names)
        names = tuple(unique(fields)) or (ROW_NUMBER,)
        has_geometry = meta["geometry_type"] is not None
        deviation = deviation_in(meta["crs"])
        batches = _vector_batches(
            source,
            sound(_heard(reader, words), source),
            geometry,
            names,
            expected=expected,
            deviation=deviation,
            text=text,
        )
        table = sidecar(source.path, ".dbf") if source.driver == "ESRI Shapefile" and fields else None
        if table is not None:
            values = dbf_values(table, how.name if how is not None else _BYTE_FOR_BYTE)
            batches = (_held_against(values, batch) for batch in batches)
            doubts += [("records_deleted", deleted_words(values))] if values.deleted else []
        batches = _with_words(batches, words, doubts)
        yield Received(names, has_geometry, meta["crs"], how, layer.name, expected, batches, doubts=doubts)


def _heard(reader: Any, words: GdalWords) -> Iterator[Any]:
    while True:
        with words.heard():
            part = next(reader, None)
        if part is None:
            return
        yield part


def _with_words(batches: Iterator[Batch], words: GdalWords, doubts: list[tuple[str, str]]) -> Iterator[Batch]:
    yield from batches
    doubts += words.doubts()


def _held_against(values: DbfValues, batch: Batch) -> Batch:
    attributes, doubts = values.checked(batch.attributes, batch.first_row)
    return replace(batch, attributes=attributes, doubts=(*batch.doubts, *doubts))


@contextmanager
def _refused_when_unreadable(source: Source) -> Iterator[None]:
    try:
        yield
    except _READING_ERRORS as error:
        raise InputRefusedError(
            f"{source.name}: cannot be read ({error}). Ask the sender for it again."
        ) from error


def _vector_batches(
    source: Source,
    reader: Iterator[Any],
    geometry: str,
    names: tuple[str, ...],
    *,
    expected: int | None,
    deviation: float,
    text: _Text,
) -> Iterator[Batch]:
    first = 0
    while True:
        with _refused_when_unreadable(source):
            part = next(reader, None)
        if part is None:
            break
        position = part.schema.get_field_index(geometry)
        with _refused_when_unreadable(source):
            received_columns = [
                _ended(column, part.schema.field(index))
                for index, column in enumerate(part.columns)
                if index != position
            ]
            columns = [text.column(column) for column in received_columns]
            doubts = text.values_cut(dict(zip(names, received_columns, strict=False)), first)
        if text.encoding is None:
            whole, doubts = whole_texts(dict(zip(names, columns, strict=False)), first, source.name)
            columns = list(whole.values())
        shapes = None if position < 0 else part.column(position)
        attributes = (
            pa.Table.from_arrays(columns, names=list(names))
            if columns
            else _row_numbers(first, part.num_rows)
        )
        yield Batch(first, attributes, shapes, deviation, doubts)
        first += part.num_rows
    _check_count(source, first, expected)


def _ended(values: pa.Array, field: pa.Field) -> pa.Array:
    """Return a column of moments without the NUL characters that GDAL leaves behind those that have no milliseconds.

    In a FileGDB with offsets from UTC (ArcGIS Pro 3.2 and later) room is made for the longest spelling.
    """
    moments = (field.metadata or {}).get(_GDAL_TYPE) == b"DateTime"
    return pc.utf8_rtrim(values, characters="\0") if moments and pa.types.is_string(values.type) else values


def _asked_encoding(how: Encoding | None) -> str | None:
    """Return what GDAL is to read text with: itself where it is UTF-8, else byte for byte.

    GDAL decodes value by value, which took twice as long as all the rest of reading a GBK file; see `_Text`.
    """
    return None if how is None else "utf-8" if how.name == "utf-8" and not how.cut else _BYTE_FOR_BYTE


@dataclass(frozen=True)
class _Text:
    """Turns text that was read byte for byte into what it is; every distinct value is decoded once."""

    encoding: Encoding | None

    def name(self, name: str) -> str:
        """Return the name of a field."""
        if self.encoding is None or _asked_encoding(self.encoding) == self.encoding.name:
            return name
        return self._whole(name).decode(self.encoding.name)

    def names_cut(self, names: Sequence[str]) -> list[tuple[str, str]]:
        """Return the doubts about names of fields that end inside a character."""
        cut = [self.name(name) for name in names if self._is_cut(name)]
        return [("name_cut", names_cut_words(cut))] if cut else []

    def values_cut(self, columns: Mapping[str, pa.Array], first: int) -> tuple[Doubt, ...]:
        """Return the doubts about values that end inside a character."""
        if self.encoding is None or not self.encoding.cut:
            return ()
        found = []
        for name, values in columns.items():
            if not pa.types.is_string(values.type):
                continue
            distinct = values.dictionary_encode()
            words = [word for word in distinct.dictionary.to_pylist() if self._is_cut(word)]
            rows = pc.indices_nonzero(pc.is_in(values, value_set=pa.array(words, values.type))).to_pylist()
            found += [
                Doubt(first + row, "value_cut", cut_words(name, self.name(values[row].as_py())))
                for row in rows
            ]
        return tuple(found)

    def _is_cut(self, text: str) -> bool:
        if self.encoding is None or not self.encoding.cut or text.isascii():
            return False
        return len(self._whole(text)) < len(text.rstrip(" \0"))

    def _whole(self, text: str) -> bytes:
        """Return the bytes of a text that was read byte for byte, without the beginning of a character at the end."""
        content = text.encode(_BYTE_FOR_BYTE)
        return (
            whole_characters(content, self.encoding.name)
            if self.encoding is not None and self.encoding.cut
            else content
        )

    def column(self, values: pa.Array) -> pa.Array:
        """Return a column; only texts with a byte over 127 change."""
        if self.encoding is None or _asked_encoding(self.encoding) == self.encoding.name:
            return values
        if not pa.types.is_string(values.type) or pc.all(pc.string_is_ascii(values)).as_py() is not False:
            return values
        distinct = values.dictionary_encode()
        # No text of a DBF holds a NUL, and no character of several bytes does, so all words are decoded at once.
        words = distinct.dictionary.to_pylist()
        decoded = (
            [self.name(word) for word in words]
            if self.encoding.cut
            else self.name("\0".join(words)).split("\0")
        )
        return pa.array(decoded, values.type).take(distinct.indices)


def _row_numbers(first: int, rows: int) -> pa.Table:
    """Return the only thing that can be said of rows without fields: their numbers."""
    return pa.table({ROW_NUMBER: np.arange(first, first + rows)})


def deviation_in(crs: str | None) -> float:
    """Return how far chords may lie from their arcs, in the unit of the coordinates: a millimetre, in degrees too."""
    if crs and CRS.from_user_input(crs).is_geographic:
        return MAX_DEVIATION_M / METRES_PER_DEGREE
    return MAX_DEVIATION_M


def _layer(source: Source, path: Path) -> Layer:
    """Return the layer to read, naming what there is when the choice is wrong or open."""
    try:
        layers = layers_of(source.path, path)
    except GDAL_ERRORS as error:
        raise InputRefusedError(
            f"{source.name}: cannot be opened ({error}). Ask the sender for it again."
        ) from error
    found = meant(layers, source.layer)
    if found is not None:
        return found
    what = f"there is no layer {source.layer!r} in it" if source.layer else "it holds several layers"
    raise InputRefusedError(
        f"{source.name}: {what}. Name one of: {', '.join(layer.name for layer in layers)} – as FILE:LAYER."
    )


def _expected_rows(source: Source) -> int | None:
    """Return how many rows the headers of a shapefile promise: GDAL reads a cut .shp without a word.

    Raises:
        InputRefusedError: the parts of the shapefile contradict each other.
    """
    dbf, shx = sidecar(source.path, ".dbf"), sidecar(source.path, ".shx")
    if source.driver != "ESRI Shapefile" or dbf is None or shx is None:
        return None
    records, indexed = dbf_header(dbf).records, (shx.stat().st_size - 100) // 8
    with source.path.open("rb") as shp:
        length = int.from_bytes(shp.read(28)[24:], "big") * 2
    cut_off = source.path.stat().st_size < length
    if indexed != records or cut_off:
        raise InputRefusedError(
            f"{source.name}: .dbf counts {records} records, .shx {indexed}"
            f"{', and the .shp is cut off' if cut_off else ''}; nothing was loaded. Ask the sender for the file again."
        )
    return records - _deleted(dbf)


def _check_count(source: Source, rows: int, expected: int | None) -> None:
    if expected is not None and rows != expected:
        raise InputRefusedError(
            f"{source.name}: .dbf counts {expected} records, but the .shp gives {rows}; nothing was loaded."
            " Ask the sender for the file again."
        )


def _deleted(dbf: Path) -> int:
    """Count the records that are marked as deleted; a file may carry them until it is packed, and GDAL leaves them out."""
    header = dbf_header(dbf)
    if header.records == 0:
        return 0
    shape = (header.records, header.record_bytes)
    marks = np.memmap(dbf, dtype=np.uint8, mode="r", offset=header.header_bytes, shape=shape)[:, 0]
    return int((marks == _DELETED).sum())


def _plain(table: PlainTable) -> Received:
    rows = table.rows
    batches = iter([Batch(0, rows, None, doubts=table.doubts, aside=table.aside)])
    columns, has_geometry, doubts = tuple(rows.column_names), False, list(table.whole)
    opened = Received(columns, has_geometry, None, table.encoding, table.sheet, rows.num_rows, batches)
    return replace(opened, doubts=doubts, stated=table.stated)


def _parquet(source: Source, fields: Sequence[str] | None, batch_rows: int) -> Received:
    file = opened_geoparquet(source)
    names = file.fields if fields is None else tuple(name for name in file.fields if name in fields)
    columns, has_geometry = file.fields or (ROW_NUMBER,), file.geometry is not None
    batches = partial(_parquet_batches, file, names, batch_rows, deviation_in(file.crs))
    parts = tuple(
        Part(group.n_rows, partial(batches, group.number, group.first_row)) for group in file.groups()
    )
    return Received(columns, has_geometry, file.crs, None, None, file.n_rows, batches(None, 0), parts)


def _parquet_batches(
    file: GeoParquet, names: tuple[str, ...], batch_rows: int, deviation: float, group: int | None, first: int
) -> Iterator[Batch]:
    for part in file.batches(batch_rows, fields=names, group=group):
        shapes = None if file.geometry is None else part.column(file.geometry)
        columns, doubts = whole_texts({name: part.column(name) for name in names}, first, file.source.name)
        rows = pa.table(columns) if names else _row_numbers(first, part.num_rows)
        yield Batch(first, rows, shapes, deviation, doubts)
        first += part.num_rows


def bounds(geometries: npt.NDArray[np.object_]) -> npt.NDArray[np.float64]:
    """Return west, south, east, north of all geometries that lie on Earth; NaN when there are none.

    One vertex that is infinite says nothing of where the others are.
    """
    each = shapely.bounds(geometries)
    each = each[(np.abs(each) < FARTHEST).all(axis=1)]
    if len(each) == 0:
        return np.full(4, np.nan)
    return np.concatenate([each[:, :2].min(axis=0), each[:, 2:].max(axis=0)])
