"""Read a data set of a UDBX (SuperMap): a table of SQLite with its shapes in the binary form of SpatiaLite.

By the published descriptions alone (udbx4spec, udbx4j); no file that SuperMap itself wrote was at hand.
"""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import numpy as np
import pyarrow as pa
import shapely

from lowland_gis.analysis.fields.doubts import Doubt
from lowland_gis.errors import InputRefusedError
from lowland_gis.files.batches import ROW_NUMBER, Batch, Received, row_numbers
from lowland_gis.files.source import Source

_ASK = "Ask the sender for it again."
_TABLE, _POINT, _LINE, _REGION = 0, 1, 3, 5
# Data sets that are read, by SmDatasetType; those with heights are 100 higher.
_KINDS = {_TABLE, _POINT, _LINE, _REGION, 101, 103, 105}
_OTHERS = {7: "text", 149: "CAD"}
_WHOLE, _REAL, _BYTES = (1, 2, 3, 4, 5), (6, 7), (9, 10)
_GEOMETRY = "SmGeometry"
_HEAD = struct.Struct("<BBi4dBi")
_START, _LITTLE, _MBR, _ENTITY, _END = 0x00, 0x01, 0x7C, 0x69, 0xFE
_GAIA_POINT, _GAIA_LINE, _GAIA_POLYGON, _GAIA_LINES, _GAIA_POLYGONS, _Z = 1, 2, 3, 5, 6, 1000
_PAGE_SIZE_AT, _PAGES_AT, _ONE_PAGE_OF_64K = 16, 28, 65536


@dataclass(frozen=True)
class _DataSet:
    """A data set as the register has it: its id, its name, its table, its kind, how many objects, and its system."""

    number: int
    name: str
    table: str
    kind: int
    count: int
    srid: int


def udbx_layers(source: Source) -> tuple[str, ...]:
    """Return the names of the data sets that are read: tables, points, lines and regions.

    Raises:
        InputRefusedError: it is no UDBX, or broken.
    """
    with _opened(source) as base, _refused_when_broken(source):
        return tuple(each.name for each in _register(source, base) if each.kind in _KINDS)


@contextmanager
def udbx_layer(source: Source, batch_rows: int) -> Iterator[Received]:
    """Open a data set and yield it with its batches.

    Raises:
        InputRefusedError: there is no such data set, it is of text or CAD, or the file is broken.
    """
    with _opened(source) as base:
        with _refused_when_broken(source):
            every = _register(source, base)
            meant = _meant(source, every)
            columns = _columns(source, base, meant)
            has_geometry = meant.kind != _TABLE
            left_out = [each.name for each in every if each.kind not in _KINDS]
            doubts = (
                [
                    (
                        "dataset_left_out",
                        f"data sets of text, CAD or other kinds are not read: {', '.join(left_out)}",
                    )
                ]
                if left_out
                else []
            )
            rows = base.execute(f"SELECT count(*) FROM {_quoted(meant.table)}").fetchone()[0]  # noqa: S608 - a quoted name
            if rows != meant.count:
                doubts.append(
                    (
                        "count_differs",
                        f"the register counts {meant.count:,} objects in {meant.name}, its table has {rows:,}",
                    )
                )
            crs = _system(base, meant.srid) if has_geometry else None
        names = tuple(columns) or (ROW_NUMBER,)
        batches = _batches(source, base, meant, columns, batch_rows)
        yield Received(
            names,
            has_geometry,
            crs,
            None,
            meant.name,
            rows,
            batches,
            doubts=doubts,
        )


@contextmanager
def _opened(source: Source) -> Iterator[sqlite3.Connection]:
    _refuse_cut(source)
    with _refused_when_broken(source):
        place = f"file:{quote(str(source.path.absolute()))}?mode=ro&immutable=1"
        base = sqlite3.connect(place, uri=True, check_same_thread=False)
    try:
        with _refused_when_broken(source):
            # What a file brings along is never run.
            base.execute("PRAGMA trusted_schema = OFF")
            base.text_factory = bytes
        yield base
    finally:
        base.close()


@contextmanager
def _refused_when_broken(source: Source) -> Iterator[None]:
    """Refuse a file of which SQLite says that it is broken, in words or with words that are none, or whose register holds no numbers."""
    try:
        yield
    except (sqlite3.Error, ValueError, TypeError) as error:
        raise InputRefusedError(f"{source.name}: cannot be read as UDBX ({error}). {_ASK}") from error


def _refuse_cut(source: Source) -> None:
    """Refuse a file that is shorter than its header says: SQLite reads on until it needs what is missing."""
    with source.path.open("rb") as file:
        head = file.read(100)
    size = int.from_bytes(head[_PAGE_SIZE_AT : _PAGE_SIZE_AT + 2], "big")
    pages = int.from_bytes(head[_PAGES_AT : _PAGES_AT + 4], "big")
    size = _ONE_PAGE_OF_64K if size == 1 else size
    if size * pages > source.path.stat().st_size:
        raise InputRefusedError(f"{source.name}: is shorter than it says, so it was cut off. {_ASK}")


def _text(value: Any) -> Any:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def _register(source: Source, base: sqlite3.Connection) -> list[_DataSet]:
    tables = {
        _text(name).casefold(): _text(name)
        for (name,) in base.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    }
    if not {"smregister", "smfieldinfo"} <= set(tables):
        raise InputRefusedError(
            f"{source.name}: it has no tables SmRegister and SmFieldInfo, so it is no UDBX of SuperMap. {_ASK}"
        )
    found = []
    for row in base.execute(
        "SELECT SmDatasetID, SmDatasetName, SmTableName, SmDatasetType, SmObjectCount, SmSRID FROM SmRegister ORDER BY SmDatasetID"
    ):
        number, name, table, kind, count, srid = map(_text, row)
        there = tables.get(str(table or name).casefold())
        if there is None:
            raise InputRefusedError(
                f"{source.name}: its register names a data set {name} whose table {table} is not there. {_ASK}"
            )
        found.append(_DataSet(number, str(name), there, int(kind or 0), int(count or 0), int(srid or 0)))
    return found


def _meant(source: Source, every: list[_DataSet]) -> _DataSet:
    usable = [each for each in every if each.kind in _KINDS]
    if source.layer is None and len(usable) == 1:
        return usable[0]
    found = next(
        (
            each
            for each in every
            if source.layer is not None and each.name.casefold() == source.layer.casefold()
        ),
        None,
    )
    if found is not None and found.kind in _KINDS:
        return found
    names = ", ".join(each.name for each in usable) or "none"
    if found is not None:
        what = f"the data set {found.name} is of {_OTHERS.get(found.kind, f'kind {found.kind}')}, which is not read; have it exported as region"
    else:
        what = (
            f"there is no data set {source.layer!r} in it"
            if source.layer is not None
            else "it holds several data sets"
        )
    raise InputRefusedError(f"{source.name}: {what}. Name one of: {names} – as FILE:DATASET.")


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _columns(source: Source, base: sqlite3.Connection, meant: _DataSet) -> dict[str, int]:
    """Return the kind (SmFieldType) of each field that is the user's own; those of the program begin with Sm."""
    there = [_text(row[1]) for row in base.execute(f"PRAGMA table_info({_quoted(meant.table)})")]
    if meant.kind != _TABLE and _GEOMETRY.casefold() not in {name.casefold() for name in there}:
        raise InputRefusedError(
            f"{source.name}: {meant.name} has no column {_GEOMETRY}, so it has no shapes. {_ASK}"
        )
    kinds = {
        _text(name).casefold(): int(kind or 0)
        for name, kind in base.execute(
            "SELECT SmFieldName, SmFieldType FROM SmFieldInfo WHERE SmDatasetID = ?", [meant.number]
        )
        if name is not None
    }
    return {
        name: kinds.get(name.casefold(), 0)
        for name in there
        if not name.casefold().startswith("sm") and kinds.get(name.casefold()) not in _BYTES
    }


def _system(base: sqlite3.Connection, srid: int) -> str | None:
    row = (
        base.execute(
            "SELECT auth_name, auth_srid, srtext FROM spatial_ref_sys WHERE srid = ?", [srid]
        ).fetchone()
        if srid
        else None
    )
    if row is None:
        return None
    authority, number, words = map(_text, row)
    if str(authority).casefold() == "epsg" and number:
        return f"EPSG:{number}"
    return None if not words or str(words).casefold() == "undefined" else str(words)


def _batches(
    source: Source, base: sqlite3.Connection, meant: _DataSet, columns: dict[str, int], batch_rows: int
) -> Iterator[Batch]:
    has_geometry = meant.kind != _TABLE
    wanted = [*columns, *([_GEOMETRY] if has_geometry else [])] or ["rowid"]
    names = ", ".join("rowid" if name == "rowid" and not columns else _quoted(name) for name in wanted)
    first = 0
    try:
        cursor = base.execute(f"SELECT {names} FROM {_quoted(meant.table)} ORDER BY rowid")  # noqa: S608 - quoted names
        while rows := cursor.fetchmany(batch_rows):
            doubts: list[Doubt] = []
            values = list(zip(*rows, strict=True))
            made = {
                name: _column(name, kind, values[place], first, doubts)
                for place, (name, kind) in enumerate(columns.items())
            }
            shapes = _shapes(values[-1], first, doubts) if has_geometry else None
            yield Batch(
                first, pa.table(made) if made else row_numbers(first, len(rows)), shapes, doubts=tuple(doubts)
            )
            first += len(rows)
    except (sqlite3.Error, UnicodeDecodeError) as error:
        raise InputRefusedError(
            f"{source.name}: cannot be read any further after {first:,} rows ({error}). {_ASK}"
        ) from error


def _column(name: str, kind: int, values: tuple[Any, ...], first: int, doubts: list[Doubt]) -> pa.Array:
    """Return values of the type that the register says; SQLite keeps any value in any column, and one of another type is left empty."""
    if kind in _WHOLE or kind in _REAL:
        wanted = int if kind in _WHOLE else (int, float)
        kept = [value if isinstance(value, wanted) else None for value in values]
        for row, (value, taken) in enumerate(zip(values, kept, strict=True)):
            if taken is None and value is not None and _text(value) != "":
                doubts.append(
                    Doubt(
                        first + row,
                        "value_unreadable",
                        f"{name}: {_text(value)!r} is no {'whole ' if kind in _WHOLE else ''}number and was left empty",
                    )
                )
        return pa.array(kept, pa.int64() if kind in _WHOLE else pa.float64())
    texts = []
    for row, value in enumerate(values):
        try:
            texts.append(
                value.decode("utf-8") if isinstance(value, bytes) else None if value is None else str(value)
            )
        except UnicodeDecodeError:
            texts.append(None)
            doubts.append(
                Doubt(
                    first + row,
                    "value_unreadable",
                    f"{name}: holds bytes that are no UTF-8 and was left empty",
                )
            )
    return pa.array(texts, pa.string())


def _shapes(blobs: tuple[Any, ...], first: int, doubts: list[Doubt]) -> pa.Array:
    shapes = np.full(len(blobs), None, dtype=object)
    for row, blob in enumerate(blobs):
        if blob is None:
            continue
        try:
            shapes[row] = shape_of(blob)
        except (ValueError, struct.error, TypeError, shapely.errors.GEOSException) as error:
            doubts.append(Doubt(first + row, "shape_unreadable", f"its shape cannot be read: {error}"))
    return pa.array(shapely.to_wkb(shapes, output_dimension=3), pa.binary())


def shape_of(blob: bytes) -> shapely.Geometry:
    """Return the shape of a GAIA blob: a point, or lines or polygons in one; heights are kept.

    Raises:
        ValueError: it contradicts its form, or was cut off.
        struct.error: it is too short.
    """
    start, order, _, *_, mark, kind = _HEAD.unpack_from(blob)
    if start != _START or order != _LITTLE or mark != _MBR or blob[-1] != _END:
        raise ValueError("it does not begin and end as a shape of SpatiaLite")
    size = 3 if kind >= _Z else 2
    reader = _Gaia(blob, size, _HEAD.size)
    plain = kind % _Z
    if plain == _GAIA_POINT:
        made = shapely.Point(reader.vertices(1)[0])
    elif plain == _GAIA_LINES:
        made = shapely.MultiLineString([reader.line(_GAIA_LINE) for _ in range(reader.number())])
    elif plain == _GAIA_POLYGONS:
        made = shapely.MultiPolygon([reader.polygon() for _ in range(reader.number())])
    else:
        raise ValueError(f"it is of the kind {kind}, which is none of points, lines and regions")
    if reader.at != len(blob) - 1:
        raise ValueError("something stands behind its vertices")
    return made


@dataclass
class _Gaia:
    """Goes through the bytes of a shape."""

    blob: bytes
    size: int
    at: int

    def number(self) -> int:
        """Return a count; a shape of so many parts must have the bytes for them."""
        (found,) = struct.unpack_from("<i", self.blob, self.at)
        self.at += 4
        if not 0 <= found <= len(self.blob):
            raise ValueError(f"it counts {found} parts, more than it has bytes for")
        return int(found)

    def vertices(self, count: int) -> np.ndarray:
        """Return some vertices (count × 2 or 3)."""
        stop = self.at + 8 * self.size * count
        if stop > len(self.blob) - 1:
            raise ValueError("it ends before its vertices do")
        found = np.frombuffer(self.blob, "<f8", count * self.size, self.at).reshape(count, self.size)
        self.at = stop
        return found

    def line(self, kind: int) -> shapely.Geometry:
        """Return a line."""
        self._entity(kind)
        return shapely.LineString(self.vertices(self.number()))

    def polygon(self) -> shapely.Geometry:
        """Return a polygon; its first ring is the outer one."""
        self._entity(_GAIA_POLYGON)
        rings = [shapely.LinearRing(self.vertices(self.number())) for _ in range(self.number())]
        if not rings:
            raise ValueError("a polygon has no ring")
        return shapely.Polygon(rings[0], rings[1:])

    def _entity(self, kind: int) -> None:
        mark, found = struct.unpack_from("<Bi", self.blob, self.at)
        self.at += 5
        if mark != _ENTITY or found % _Z != kind:
            raise ValueError("a part of it is of another kind than the whole")
