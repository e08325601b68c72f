"""Values of a column that stand for something by themselves, such as codes and numbers; lists and tables do not."""

from __future__ import annotations

import json

import pyarrow as pa
import pyarrow.compute as pc

from lowland_gis.analysis.fields.columns import missing

_PLAIN = (
    pa.types.is_string, pa.types.is_large_string, pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean,
    pa.types.is_decimal, pa.types.is_date, pa.types.is_timestamp, pa.types.is_time,
)  # fmt: skip
_KINDS = (
    (pa.types.is_nested, "lists or tables"),
    (pa.types.is_duration, "spans of time"),
    (pa.types.is_binary, "bytes"),
    (pa.types.is_large_binary, "bytes"),
)
_NOT_PLAIN = "lists or tables"


def plain_values(values: pa.ChunkedArray) -> pa.Array:
    """Return a column as one array of values that can be compared and sorted, in the order of the rows.

    Categories become what they stand for, values of mixed kinds (JSON) texts, a column of nothing texts that are missing, and a
    NaN is a missing number.

    Raises:
        ValueError: the column holds something else; the message says what.
    """
    if isinstance(values.type, pa.BaseExtensionType):
        stored = pa.chunked_array([chunk.storage for chunk in values.chunks], values.type.storage_type)
        return _of_json(stored) if values.type.extension_name == "arrow.json" else plain_values(stored)
    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    if pa.types.is_null(values.type):
        return pa.nulls(len(values), pa.string())
    if not any(is_kind(values.type) for is_kind in _PLAIN):
        raise ValueError(next((words for is_kind, words in _KINDS if is_kind(values.type)), str(values.type)))
    array = values.combine_chunks()
    if pa.types.is_floating(array.type):
        return pc.if_else(pc.is_nan(array), missing(array.type), array)
    return array


def _of_json(values: pa.ChunkedArray) -> pa.Array:
    """Return values of mixed kinds as texts: 5 and "5" are both 5; GDAL puts no quotes around the texts among them."""
    texts = [None if value is None else str(value) for value in values.to_pylist()]
    if any(text is not None and _is_nested(text) for text in texts):
        raise ValueError(_NOT_PLAIN)
    return pa.array(texts, pa.string())


def _is_nested(text: str) -> bool:
    if not text.startswith(("{", "[")):
        return False
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
