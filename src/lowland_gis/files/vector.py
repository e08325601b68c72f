"""Read a layer by GDAL, batch by batch, counts checked with the headers and what GDAL says kept as doubts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyogrio.raw

from lowland_gis.analysis.fields.doubts import Doubt
from lowland_gis.errors import InputRefusedError
from lowland_gis.files.batches import ROW_NUMBER, Batch, Received, deviation_in, row_numbers
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
from lowland_gis.files.geodatabase import described
from lowland_gis.files.layers import Layer, layers_of, meant
from lowland_gis.files.names import unique
from lowland_gis.files.sound_parts import sound
from lowland_gis.files.source import Source, sidecar

# Every byte is a character of this one, so nothing is lost on the way.
_BYTE_FOR_BYTE = "ISO-8859-1"  # spelt as GDAL knows it

_READING_ERRORS = (*GDAL_ERRORS, UnicodeDecodeError, ValueError, OSError, pa.ArrowException)
_DELETED = ord("*")
# How GDAL says in Arrow of what type a field is that comes as text.
_GDAL_TYPE = b"GDAL:OGR:type"


@contextmanager
def vector_layer(source: Source, encoding: Encoding | str | None, batch_rows: int) -> Iterator[Received]:
    """Open a vector layer and yield it with its batches.

    Raises:
        InputRefusedError: the layer does not exist, the text cannot be decoded, or fewer rows come than the header counts.
    """
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
            pa.Table.from_arrays(columns, names=list(names)) if columns else row_numbers(first, part.num_rows)
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


def _layer(source: Source, path: Path) -> Layer:
    """Return the layer to read, naming what there is when the choice is wrong or open."""
    try:
        layers = layers_of(source.path, path)
    except GDAL_ERRORS as error:
        raise InputRefusedError(
            f"{source.name}: cannot be opened ({error}). Ask the sender for it again."
        ) from error
    found = meant(layers, source.layer)
    if found is None and source.layer is not None:
        # A bureau knows a layer of a geodatabase by its title.
        found = meant(layers, described(source).layer_called(source.layer) or source.layer)
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
