"""Columns as the bytes of PostgreSQL's binary COPY, put together column by column instead of row by row.

A row of the format is a count of fields and, for each field, its length and its bytes. What has the same length in every row stands
side by side in one table of bytes; Arrow joins these tables and what differs in length for all rows at once, and the data buffer of the
result is the very text to send.
Source: PostgreSQL documentation, COPY, "Binary Format".
"""

from __future__ import annotations

import datetime as dt
import json
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from lowland_gis.loading import when_used

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    import pyarrow.compute as pc
    import shapely
else:
    pd = when_used("pandas")
    pa = when_used("pyarrow")
    pc = when_used("pyarrow.compute")
    shapely = when_used("shapely")

Bytes = npt.NDArray[np.uint8]

HEADER = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
TRAILER = b"\xff\xff"

_NULL_LENGTH = -1
# Well-known binary: byte order and kind, and in PostGIS' extension a flag with the SRID after the kind.
_WKB_HEAD = 5
_LITTLE_ENDIAN = 1
_POLYGON, _MULTIPOLYGON = 3, 6
_HAS_SRID = 0x20000000
_JSONB_VERSION = b"\x01"
_POSTGRES_EPOCH = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
_POSTGRES_DAY = dt.date(2000, 1, 1)


@dataclass(frozen=True)
class Field:
    """One column: `lengths` with -1 for NULL, and `content` (empty for NULL), both one entry a row.

    `plain` are the bytes (rows, width) of a column of numbers none of which is NULL.
    """

    lengths: npt.NDArray[np.int32]
    content: pa.LargeBinaryArray
    plain: Bytes | None = None


@dataclass(frozen=True)
class Same:
    """A column of so many rows that are the same: their length and bytes."""

    count: int
    content: bytes


def rows(fields: Sequence[Field | Same]) -> memoryview:
    """Return the bytes of all rows."""
    first = fields[0]
    count = first.count if isinstance(first, Same) else len(first.lengths)
    if count == 0:
        return memoryview(b"")
    pieces: list[pa.LargeBinaryArray] = []
    beside = [_repeated(len(fields).to_bytes(2, "big"), count)]
    for column in fields:
        if isinstance(column, Same):
            beside.append(_repeated(column.content, count))
            continue
        beside.append(_as_bytes(column.lengths.astype(">i4")))
        if column.plain is not None:
            beside.append(column.plain)
        else:
            pieces += [_fixed(np.concatenate(beside, axis=1)), column.content]
            beside = []
    if beside:
        pieces.append(_fixed(np.concatenate(beside, axis=1)))
    if len(pieces) == 1:
        return memoryview(pieces[0].buffers()[2])
    joined = pc.binary_join_element_wise(*pieces, _nothing())
    offsets = np.frombuffer(joined.buffers()[1], dtype=np.int64)[joined.offset : joined.offset + count + 1]
    return memoryview(joined.buffers()[2])[offsets[0] : offsets[-1]]


def constant(kind: str, value: Any, count: int) -> Same:
    """Return a column that holds one value in every row."""
    return Same(count, bytes(rows([field(kind, pd.Series([value], dtype=object), srid=0)]))[2:])


def _repeated(content: bytes, count: int) -> Bytes:
    return np.broadcast_to(np.frombuffer(content, dtype=np.uint8), (count, len(content)))


def _as_bytes(values: npt.NDArray[Any]) -> Bytes:
    """Return the bytes of numbers, one line each."""
    return np.ascontiguousarray(values).view(np.uint8).reshape(len(values), values.dtype.itemsize)


def field(kind: str, values: pd.Series[Any], *, srid: int, geometry_type: str = "GEOMETRY") -> Field:
    """Return a column of a frame; NaN, NaT and None are NULL. A column of multipolygons takes polygons as well."""
    if kind == "geometry":
        return _bytes(_ewkb(np.asarray(values, dtype=object), srid, geometry_type))
    if kind == "bytes":
        return _bytes(pa.array(list(values), pa.large_binary()))
    if kind == "text":
        return _bytes(_texts(values).cast(pa.large_binary()))
    if kind == "json":
        return _json(values)
    if kind in _MEMBERS:
        return _arrays(_lists(values, _MEMBERS[kind]), _MEMBERS[kind])
    missing = values.isna().to_numpy()
    return _numbers(_CONVERT[kind](values, missing), missing)


def _ewkb(shapes: npt.NDArray[np.object_], srid: int, geometry_type: str) -> pa.LargeBinaryArray:
    """Return geometries as PostGIS spells them: a head with kind and SRID, then what plain WKB has after its own head.

    Only the bytes of the head change, also where a polygon becomes a multipolygon of one: building either as a geometry would
    copy every coordinate.
    """
    plain = _wkb(shapes)
    if plain.null_count == len(plain):
        return plain
    present = plain.is_valid().to_numpy(zero_copy_only=False)
    starts = np.frombuffer(plain.buffers()[1], dtype=np.int64)[: len(plain)][present]
    heads = np.frombuffer(plain.buffers()[2], dtype=np.uint8)[starts[:, None] + np.arange(1, _WKB_HEAD)]
    kinds = np.zeros(len(plain), dtype=np.uint32)
    kinds[present] = np.ascontiguousarray(heads).view("<u4")[:, 0]
    whole = plain
    # Most columns hold one kind; every further one costs a pass of its own.
    for kind in np.unique(kinds[present]):
        changed = pc.binary_replace_slice(plain, 0, _WKB_HEAD, _ewkb_head(int(kind), srid, geometry_type))
        whole = changed if whole is plain else pc.if_else(pa.array(kinds == kind), changed, whole)
    return whole


def _wkb(shapes: npt.NDArray[np.object_]) -> pa.LargeBinaryArray:
    """Return geometries as little-endian WKB; what is WKB already stays."""
    try:
        return pa.array(shapes, pa.large_binary())
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        built = np.array([not isinstance(shape, bytes) for shape in shapes], dtype=bool)
        wkb = shapes.copy()
        wkb[built] = shapely.to_wkb(shapes[built], byte_order=_LITTLE_ENDIAN)
        return pa.array(wkb, pa.large_binary())


def _ewkb_head(kind: int, srid: int, geometry_type: str) -> bytes:
    head = struct.pack("<BII", _LITTLE_ENDIAN, kind | _HAS_SRID, srid)
    if kind == _POLYGON and geometry_type == "MULTIPOLYGON":
        one = struct.pack("<IBI", 1, _LITTLE_ENDIAN, _POLYGON)
        return struct.pack("<BII", _LITTLE_ENDIAN, _MULTIPOLYGON | _HAS_SRID, srid) + one
    return head


def _texts(values: pd.Series[Any]) -> pa.Array:
    """Return texts; anything else is spelt as str does."""
    try:
        texts = pa.array(values, pa.large_string(), from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return _spelt(values)
    if not isinstance(texts, pa.ChunkedArray):
        return texts
    # Of a column of numbers of which none is there (all NaN) pyarrow makes pieces of two types.
    return pa.concat_arrays(
        [pa.array([], pa.large_string()), *(piece.cast(pa.large_string()) for piece in texts.chunks)]
    )


def _spelt(values: pd.Series[Any]) -> pa.Array:
    missing = values.isna().to_numpy()
    texts = [None if absent else str(value) for value, absent in zip(values, missing, strict=True)]
    return pa.array(texts, pa.large_string())


def _nothing() -> pa.LargeBinaryScalar:
    """Return what stands between what is joined."""
    return pa.scalar(b"", pa.large_binary())


def _json(values: pd.Series[Any]) -> Field:
    texts = _json_texts(values).cast(pa.large_binary())
    return _bytes(
        pc.binary_join_element_wise(pa.scalar(_JSONB_VERSION, pa.large_binary()), texts, _nothing())
    )


def _json_texts(values: pd.Series[Any]) -> pa.Array:
    if isinstance(values.dtype, pd.ArrowDtype):
        # JSON texts that were put together in Arrow stay there.
        return pa.array(values, pa.large_string())
    # One encoder for all: `dumps` would make one for each.
    spelt = json.JSONEncoder(ensure_ascii=False, allow_nan=False, default=str).encode
    return pa.array(
        [value if value is None or isinstance(value, str) else spelt(value) for value in values],
        pa.large_string(),
    )


@dataclass(frozen=True)
class _Member:
    """What an array of PostgreSQL holds: its number in pg_type, the name of its type in Arrow, and how numbers are sent."""

    oid: int
    arrow: str
    sent: str = ""


_MEMBERS = {
    "integers": _Member(23, "int32", ">i4"),
    "numbers": _Member(701, "float64", ">f8"),
    "texts": _Member(25, "large_string"),
}
_LOWER_BOUND = 1


def _lists(values: pd.Series[Any], member: _Member) -> pa.LargeListArray:
    """Return a column of lists; lists that were put together in Arrow stay there."""
    given = pa.array(values, pa.large_list(pa.type_for_alias(member.arrow)))
    return given.combine_chunks() if isinstance(given, pa.ChunkedArray) else given


def _arrays(values: pa.LargeListArray, member: _Member) -> Field:
    """Return arrays of one dimension: a head with the type and how many there are, then each with its length before it.

    NaN in them is a number; what Arrow has no value for is NULL. Source: `array_send` of PostgreSQL.
    """
    starts = values.offsets.to_numpy()
    members = _members(values.values[int(starts[0]) : int(starts[-1])], member)  # noqa: PD011 - of Arrow
    starts = starts - starts[0]
    spelt = _spelt_members(members)
    bounds = np.frombuffer(spelt.buffers()[1], dtype=np.int64)[spelt.offset :][starts]
    content = pa.LargeBinaryArray.from_buffers(
        pa.large_binary(), len(values), [None, pa.py_buffer(bounds), spelt.buffers()[2]]
    )
    counts = np.diff(starts)
    # An array without members has no dimension.
    heads = np.array(
        [(counts > 0).astype(np.int64), *np.broadcast_arrays(0, member.oid, counts, _LOWER_BOUND)]
    ).T
    head = _fixed(_as_bytes(np.ascontiguousarray(heads.astype(">i4")).view("V20")[:, 0]))
    head = pc.if_else(pa.array(counts > 0), head, pc.binary_slice(head, 0, 12))
    whole = pc.binary_join_element_wise(head, content, _nothing())
    return _bytes(pc.if_else(values.is_valid(), whole, pa.scalar(None, pa.large_binary())))


def _spelt_members(members: Field) -> pa.LargeBinaryArray:
    """Return each member with its length before it."""
    lengths = _as_bytes(members.lengths.astype(">i4"))
    if members.plain is not None:
        return _fixed(np.concatenate([lengths, members.plain], axis=1))
    return pc.binary_join_element_wise(_fixed(lengths), members.content, _nothing())


def _members(values: pa.Array, member: _Member) -> Field:
    if not member.sent:
        return _bytes(values.cast(pa.large_binary()))
    missing = values.is_null().to_numpy(zero_copy_only=False)
    return _numbers(values.fill_null(0).to_numpy().astype(member.sent), missing)


def _bytes(values: pa.Array) -> Field:
    missing = values.is_null().to_numpy(zero_copy_only=False)
    lengths = pc.fill_null(pc.binary_length(values), 0).to_numpy(zero_copy_only=False).astype(np.int32)
    return Field(np.where(missing, np.int32(_NULL_LENGTH), lengths), values.fill_null(b""))


def _numbers(values: npt.NDArray[Any], missing: npt.NDArray[np.bool_]) -> Field:
    width = values.dtype.itemsize
    lengths = np.where(missing, _NULL_LENGTH, width).astype(np.int32)
    if not missing.any():
        plain = _as_bytes(values)
        return Field(lengths, _fixed(plain), plain)
    offsets = np.concatenate([[0], np.cumsum(np.where(missing, 0, width))]).astype(np.int64)
    content = np.ascontiguousarray(values[~missing])
    return Field(lengths, _binary(offsets, content))


def _fixed(content: Bytes) -> pa.LargeBinaryArray:
    """Return lines of bytes as values of one length."""
    count, width = content.shape
    return _binary(np.arange(count + 1, dtype=np.int64) * width, np.ascontiguousarray(content))


def _binary(offsets: npt.NDArray[np.int64], content: npt.NDArray[Any]) -> pa.LargeBinaryArray:
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(content.reshape(-1).view(np.uint8))]
    return pa.LargeBinaryArray.from_buffers(pa.large_binary(), len(offsets) - 1, buffers)


def _typed(dtype: str) -> Callable[[pd.Series[Any], npt.NDArray[np.bool_]], npt.NDArray[Any]]:
    def convert(values: pd.Series[Any], missing: npt.NDArray[np.bool_]) -> npt.NDArray[Any]:
        plain = values.to_numpy()
        return np.where(missing, 0, plain).astype(dtype) if missing.any() else plain.astype(dtype)

    return convert


def _days(values: pd.Series[Any], missing: npt.NDArray[np.bool_]) -> npt.NDArray[Any]:
    days = [
        0 if absent else ((value.date() if isinstance(value, dt.datetime) else value) - _POSTGRES_DAY).days
        for value, absent in zip(values, missing, strict=True)
    ]
    return np.array(days, dtype=">i4")


def _microseconds(values: pd.Series[Any], missing: npt.NDArray[np.bool_]) -> npt.NDArray[Any]:
    micros = [
        0 if absent else (value - _POSTGRES_EPOCH) // dt.timedelta(microseconds=1)
        for value, absent in zip(values, missing, strict=True)
    ]
    return np.array(micros, dtype=">i8")


_CONVERT = {
    "integer": _typed(">i4"),
    "bigint": _typed(">i8"),
    "number": _typed(">f8"),
    "boolean": _typed("u1"),
    "date": _days,
    "timestamp": _microseconds,
}
