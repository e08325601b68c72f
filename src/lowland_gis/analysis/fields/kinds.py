"""Bring a received column to the kind of its field: text, number, integer or day; what cannot be read becomes missing."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

# Without separators only eight digits are a day: 202011 may be November 2020 as well as the first of January.
_DATE = re.compile(
    r"^(?:(\d{4})(\d{2})(\d{2})|(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?)(?:[T ].*)?$",
    re.ASCII,
)
_NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"
# Beyond this a double has no whole numbers of its own any more.
WHOLE_BELOW = 2.0**53


def texts_of(values: pa.Array) -> pa.Array:
    """Return trimmed texts; a code that became a number somewhere is spelt without its decimals."""
    kind = values.type
    if pa.types.is_floating(kind):
        values = _float_texts(values.cast(pa.float64()))
    elif pa.types.is_temporal(kind):
        values = _iso(values)
    elif pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_nested(kind):
        values = pa.nulls(len(values), pa.string())
    trimmed = pc.utf8_trim(values.cast(pa.large_string()), characters=" \t\r\n\v\f\x00\u3000\u00a0")
    return pc.if_else(pc.equal(trimmed, ""), pa.scalar(None, pa.large_string()), trimmed)


def _float_texts(values: pa.Array) -> pa.Array:
    finite = pc.if_else(pc.is_finite(values), values, pa.scalar(None, pa.float64()))
    whole = pc.and_(pc.equal(pc.floor(finite), finite), pc.less(pc.abs(finite), WHOLE_BELOW))
    integers = pc.if_else(whole, finite, pa.scalar(None, pa.float64())).cast(pa.int64()).cast(pa.string())
    return pc.coalesce(integers, finite.cast(pa.string()))


def numbers_of(values: pa.Array) -> pa.Array:
    """Return finite doubles; what is none, or no number, is missing."""
    kind = values.type
    none = pa.scalar(None, pa.float64())
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        numbers = values.cast(pa.float64(), safe=False)
        return pc.if_else(pc.is_finite(numbers), numbers, none)
    texts = texts_of(values)
    readable = pc.fill_null(pc.match_substring_regex(texts, _NUMBER), fill_value=False)
    numbers = pc.if_else(readable, texts, pa.scalar(None, texts.type)).cast(pa.float64())
    return pc.if_else(pc.is_finite(numbers), numbers, none)


def integers_of(values: pa.Array) -> pa.Array:
    """Return whole numbers that a double holds exactly; others are missing."""
    numbers = numbers_of(values)
    whole = pc.and_(pc.equal(pc.floor(numbers), numbers), pc.less(pc.abs(numbers), WHOLE_BELOW))
    return pc.if_else(whole, numbers, pa.scalar(None, pa.float64())).cast(pa.int64())


def days_of(values: pa.Array) -> pa.Array:
    """Return days as ISO texts; what is no day is missing."""
    if pa.types.is_time(values.type) or pa.types.is_duration(values.type):
        # A time of day is no day, as it stands in the list of faults.
        return pa.nulls(len(values), pa.large_string())
    if pa.types.is_temporal(values.type):
        return _iso(values)
    # Few days are distinct, so each is read once.
    encoded = texts_of(values).dictionary_encode()
    days = pa.array([_day(text) for text in encoded.dictionary.to_pylist()], pa.large_string())
    return days.take(encoded.indices)


def _iso(values: pa.Array) -> pa.Array:
    if pa.types.is_time(values.type) or pa.types.is_duration(values.type):
        return values.cast(pa.large_string())
    return values.cast(pa.date32(), safe=False).cast(pa.large_string())


def _day(text: str) -> str | None:
    match = _DATE.match(text)
    if match is None:
        return None
    try:
        return dt.date(*(int(part) for part in match.groups() if part is not None)).isoformat()
    except ValueError:
        return None


def untyped(values: pa.Array) -> pa.Array:
    """Return a column that no definition knows, as JSON can hold it: numbers stay numbers, days become ISO text."""
    kind = values.type
    if pa.types.is_boolean(kind) or pa.types.is_integer(kind):
        return values
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return numbers_of(values)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return values.cast(pa.large_string())
    if pa.types.is_timestamp(kind):
        return _moments(values)
    if pa.types.is_temporal(kind):
        return _iso(values)
    return pa.nulls(len(values), pa.large_string())


def _moments(values: pa.Array) -> pa.Array:
    """Return moments as ISO texts, a midnight as its day: a time of day is nothing to lose on the way."""
    days = values.cast(pa.date32(), safe=False)
    local = pc.local_timestamp(values) if values.type.tz else values
    texts = pc.replace_substring_regex(local.cast(pa.large_string()), r"\.0+$", "")
    return pc.if_else(pc.equal(days.cast(local.type), local), days.cast(pa.large_string()), texts)


CONVERT: dict[str, Callable[[pa.Array], pa.Array]] = {
    "text": texts_of,
    "number": numbers_of,
    "integer": integers_of,
    "date": days_of,
}
