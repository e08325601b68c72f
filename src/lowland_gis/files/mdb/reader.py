"""Read a layer of a personal geodatabase (.mdb): its rows by mdbtools, its shapes from their buffers, its system from GDB_SpatialRefs."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import IO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import shapely

from lowland_gis.analysis.fields.doubts import Doubt
from lowland_gis.analysis.geometry.shape_buffer import shapes_of
from lowland_gis.errors import InputRefusedError
from lowland_gis.files.batches import Batch, Received
from lowland_gis.files.encoding import Encoding
from lowland_gis.files.geodatabase import Described, parsed
from lowland_gis.files.mdb import tools
from lowland_gis.files.source import Source

_OF_PROGRAMS = ("gdb_", "msys", "usys", "~")
_INDEX_OF_SHAPES = "_shape_index"
_WHOLE, _REAL = (
    ("Byte", "Integer", "Long Integer", "BigInt", "Large Number"),
    ("Single", "Double", "Currency", "Numeric", "Decimal"),
)
_BINARY = ("OLE", "Binary")
_MOMENT = pa.timestamp("ms")
# Where the version stands, and how many bytes are a page: in Access 97, and since then.
_VERSION_AT, _PAGE_OF_97, _PAGE = 0x14, 2048, 4096
_FOR_A_CHARACTER = "??"
# A row is read within one block: a polygon of a million corners takes 32 MB.
_LEAST_BLOCK, _LARGE_BLOCK = 1 << 20, 128 << 20


@dataclass(frozen=True)
class _Shapes:
    """In which column the shapes of a layer lie, and the system of their coordinates; None where it is not said."""

    column: str
    crs: str | None


@dataclass(frozen=True)
class _Catalogue:
    """The tables of a database that are somebody's, those with shapes first, and the titles of layers, and what else is said of them."""

    tables: tuple[str, ...]
    shapes: dict[str, _Shapes] = field(default_factory=dict)
    titles: dict[str, str] = field(default_factory=dict)
    said: Described = field(default_factory=Described)


@dataclass(frozen=True)
class _Table:
    """A table: the types of all its columns, the names of those that are handed on, its shapes, and how many rows it says it has."""

    types: dict[str, str]
    names: tuple[str, ...]
    shapes: _Shapes | None
    expected: int


@contextmanager
def mdb_layer(source: Source, batch_rows: int) -> Iterator[Received]:
    """Open a layer or a table of a personal geodatabase and yield it with its batches.

    Raises:
        InputRefusedError: mdbtools is missing or does not end, the file is broken, there is no such layer, or rows are missing.
    """
    with _named(source):
        catalogue = _catalogue(source)
        table = _meant(source, catalogue)
        types = tools.columns(source.path, table)
        expected = tools.count(source.path, table)
        shapes = catalogue.shapes.get(table)
        if shapes is not None and shapes.column not in types:
            shapes = next(
                (_Shapes(name, shapes.crs) for name in types if name.casefold() == shapes.column.casefold()),
                None,
            )
    others = [
        name
        for name, kind in types.items()
        if kind.startswith(_BINARY) and (shapes is None or name != shapes.column)
    ]
    names = tuple(name for name in types if name not in others and (shapes is None or name != shapes.column))
    doubts = (
        []
        if not others
        else [("field_left_out", f"fields that hold no text or number are left out: {', '.join(others)}")]
    )
    how = Encoding("utf-8", "the format says it itself")
    with _named(source), tools.exported(source.path, table) as content:
        batches = _batches(source, content, _Table(types, names, shapes, expected), batch_rows)
        crs = shapes.crs if shapes else None
        yield Received(names, shapes is not None, crs, how, table, expected, batches, doubts=doubts)


def mdb_layers(source: Source) -> tuple[str, ...]:
    """Return the layers and tables of a personal geodatabase, without those that programs keep for themselves.

    Raises:
        InputRefusedError: it cannot be read.
    """
    with _named(source):
        return _catalogue(source).tables


def mdb_described(source: Source) -> Described:
    """Return what a personal geodatabase says of its layers beside their rows; nothing where it is broken.

    One before version 10 has the titles of layers alone.
    """
    try:
        catalogue = _catalogue(source)
    except InputRefusedError:
        return Described()
    titles = {name: title for title, name in catalogue.titles.items() if title != name}
    return replace(catalogue.said, titles=titles)


@contextmanager
def _named(source: Source) -> Iterator[None]:
    try:
        yield
    except InputRefusedError as error:
        raise InputRefusedError(
            str(error) if str(error).startswith(source.name) else f"{source.name}: {error}"
        ) from error


def _catalogue(source: Source) -> _Catalogue:
    state = source.path.stat()
    return _remembered(source.path, state.st_mtime_ns, state.st_size)


# All layers of a file are asked for one after the other, each of them several times.
@lru_cache(maxsize=1)
def _remembered(path: Path, changed: int, size: int) -> _Catalogue:  # noqa: ARG001 - of the same state
    _refuse_half_a_page(path, size)
    everything = tools.tables(path)
    known = {name.casefold(): name for name in everything}
    systems = {row.get("SRID"): row.get("SRTEXT") for row in _rows(path, known.get("gdb_spatialrefs"))}
    shapes = {}
    for row in _rows(path, known.get("gdb_geomcolumns")):
        name = known.get((row.get("TableName") or "").casefold())
        if name is not None:
            shapes[name] = _Shapes(row.get("FieldName") or "SHAPE", systems.get(row.get("SRID")) or None)
    said = parsed(row.get("Definition") or "" for row in _rows(path, known.get("gdb_items")))
    titles = {title: name for name, title in said.titles.items() if name in everything}
    titles |= {
        row["AliasName"]: row["Name"]
        for row in _rows(path, known.get("gdb_objectclasses"))
        if row.get("AliasName") and row.get("Name") in everything
    }
    own = [
        name
        for name in everything
        if not name.casefold().startswith(_OF_PROGRAMS) and not _is_index(name, known)
    ]
    own.sort(key=lambda name: name not in shapes)
    return _Catalogue(tuple(own), shapes, titles, said)


def _refuse_half_a_page(path: Path, size: int) -> None:
    with path.open("rb") as file:
        is_access_97 = file.read(_VERSION_AT + 1)[_VERSION_AT:] == b"\x00"
    page = _PAGE_OF_97 if is_access_97 else _PAGE
    if size % page:
        raise InputRefusedError(
            f"it was cut off: its {size:,} bytes are no whole number of pages of {page:,}. Ask the sender for it again."
        )


def _is_index(name: str, known: dict[str, str]) -> bool:
    """Tell whether a table only finds the shapes of another one faster."""
    folded = name.casefold()
    return folded.endswith(_INDEX_OF_SHAPES) and folded.removesuffix(_INDEX_OF_SHAPES) in known


def _rows(path: Path, table: str | None) -> list[dict[str, str]]:
    """Return the rows of a small table that the geodatabase keeps of itself."""
    if table is None:
        return []
    with tools.exported(path, table) as content:
        return list(csv.DictReader(io.StringIO(content.read().decode(), newline="")))


def _meant(source: Source, catalogue: _Catalogue) -> str:
    layers = catalogue.tables
    if source.layer is not None:
        named = source.layer.casefold()
        found = next((name for name in layers if name.casefold() == named), None)
        found = found or next(
            (name for title, name in catalogue.titles.items() if title.casefold() == named), None
        )
        if found is None:
            raise InputRefusedError(
                f"there is no layer {source.layer!r} in it. Name one of: {', '.join(layers)} – as FILE:LAYER."
            )
        return found
    drawn = [name for name in layers if name in catalogue.shapes]
    for some in (layers, drawn):
        if len(some) == 1:
            return some[0]
    raise InputRefusedError(
        f"it holds {len(layers)} layers. Name one of: {', '.join(layers) or 'none'} – as FILE:LAYER."
    )


def _batches(source: Source, content: IO[bytes], table: _Table, batch_rows: int) -> Iterator[Batch]:
    first = 0
    for part in _parts(source, content, table.types):
        for start in range(0, part.num_rows, batch_rows):
            rows = part.slice(start, batch_rows)
            yield _batch(first, rows, table)
            first += rows.num_rows
    if first != table.expected:
        raise InputRefusedError(
            f"{source.name}: its head counts {table.expected:,} rows, but {first:,} could be read; nothing was loaded. Repair it in Access"
            " (Compact and Repair 压缩和修复数据库) and deliver it again."
        )


def _parts(source: Source, content: IO[bytes], types: dict[str, str]) -> Iterator[pa.Table]:
    size = content.seek(0, io.SEEK_END)
    content.seek(0)
    if size == 0:
        return
    try:
        reader = pacsv.open_csv(
            content,
            read_options=pacsv.ReadOptions(block_size=max(_LEAST_BLOCK, min(size + 1, _LARGE_BLOCK))),
            parse_options=pacsv.ParseOptions(newlines_in_values=True),
            convert_options=pacsv.ConvertOptions(
                column_types={name: _type(kind) for name, kind in types.items()}, strings_can_be_null=True, null_values=[""],
                true_values=["1", "TRUE"], false_values=["0", "FALSE"],
                timestamp_parsers=["%Y-%m-%d %H:%M:%S"],
            ),
        )  # fmt: skip
        for batch in reader:
            yield pa.Table.from_batches([batch])
    except pa.ArrowException as error:
        raise InputRefusedError(
            f"{source.name}: what mdb-export wrote of it cannot be read ({str(error)[:200]}). Save it as a file geodatabase (.gdb) in ArcGIS"
            " and deliver that."
        ) from error


def _type(kind: str) -> pa.DataType:
    if kind in _WHOLE:
        return pa.int64()
    if kind.startswith(_REAL):
        return pa.float64()
    return (
        _MOMENT if kind.startswith("DateTime") else pa.bool_() if kind.startswith("Boolean") else pa.string()
    )


def _batch(first: int, rows: pa.Table, table: _Table) -> Batch:
    names, shapes = table.names, table.shapes
    attributes = rows.select(names)
    lost = tuple(_lost(first, attributes))
    if shapes is None:
        return Batch(first, attributes, None, doubts=lost)
    made = shapes_of(
        [None if each is None else bytes.fromhex(each) for each in rows.column(shapes.column).to_pylist()]
    )
    doubts = tuple(
        Doubt(
            first + place, "shape_unreadable", f"the shape of row {first + place + 1} cannot be told: {why}"
        )
        for place, why in made.faults.items()
    )
    return Batch(
        first, attributes, pa.array(shapely.to_wkb(made.shapes), pa.binary()), doubts=(*lost, *doubts)
    )


def _lost(first: int, attributes: pa.Table) -> Iterator[Doubt]:
    """Yield a doubt for each text in which a rare character may be lost: mdbtools writes two question marks for one beyond 16 bits."""
    for name, values in zip(attributes.column_names, attributes.columns, strict=True):
        if pa.types.is_string(values.type):
            for row in pc.indices_nonzero(pc.match_substring(values, _FOR_A_CHARACTER)).to_pylist():
                words = f"{name}: {values[row].as_py()[:60]!r} holds ??, which mdbtools writes for a rare character (beyond 16 bits)"
                yield Doubt(first + row, "character_lost", f"{words}; compare it with the original")
