"""Rows of Arrow columns as JSON objects, put together column by column."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc


def json_records(rows: pa.Table) -> pa.Array:
    """Return each row as a JSON object without its missing values.

    >>> json_records(pa.table({"A": ["x", None], "B": [1.5, 2.0]})).to_pylist()
    ['{"A":"x","B":1.5}', '{"B":2}']
    """
    empty = pa.scalar("", pa.large_string())
    pieces: list[Any] = []
    for name, column in zip(rows.column_names, rows.columns, strict=True):
        pieces += _json_member(name, flat(column), empty)
    if rows.num_columns and rows.column(0).null_count == 0 and rows.num_rows:
        # The first member is always there, so its comma can become the brace at once.
        first = pa.scalar("{" + pieces[0].as_py()[1:], pa.large_string())
        return pc.binary_join_element_wise(first, *pieces[1:], pa.scalar("}", pa.large_string()), empty)
    # Every member brings its comma, so that a row without any value is an empty object and not a missing row.
    joined = pc.binary_join_element_wise(*pieces, pa.repeat(empty, rows.num_rows), empty)
    inner = pc.utf8_ltrim(joined, characters=",")
    return pc.binary_join_element_wise(
        pa.scalar("{", pa.large_string()), inner, pa.scalar("}", pa.large_string()), empty
    )


def flat(column: pa.ChunkedArray) -> pa.Array:
    """Return a column in one piece."""
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def bytes_of(texts: pa.Array) -> npt.NDArray[np.uint8]:
    """Return the bytes of all texts of a column, one after the other; no character but itself holds a byte under 128."""
    offsets = np.frombuffer(texts.buffers()[1], dtype=np.int64)
    data = texts.buffers()[2]
    if data is None:
        return np.empty(0, dtype=np.uint8)
    first, last = offsets[texts.offset], offsets[texts.offset + len(texts)]
    return np.frombuffer(data, dtype=np.uint8)[first:last]


def _json_member(name: str, values: pa.Array, empty: pa.Scalar) -> list[Any]:
    """Return the pieces that stand for one member in every row; together they are empty where the value is missing."""
    if values.null_count == len(values):
        return []
    texts, mark = _json_values(values)
    before = pa.scalar("," + json.dumps(name, ensure_ascii=False) + ":" + mark, pa.large_string())
    pieces = [before, texts, pa.scalar(mark, pa.large_string())]
    if values.null_count == 0:
        return pieces
    return [pc.coalesce(pc.binary_join_element_wise(*pieces, empty), empty)]


def _json_values(values: pa.Array) -> tuple[pa.Array, str]:
    """Return values as they stand in JSON, and the mark that goes before and after each."""
    if pa.types.is_string(values.type) or pa.types.is_large_string(values.type):
        return _json_texts(values.cast(pa.large_string())), '"'
    return values.cast(pa.large_string()), ""


def _json_texts(texts: pa.Array) -> pa.Array:
    data = bytes_of(texts)
    if (data < ord(" ")).any():
        # Quoted by the library and without its marks: what a control character becomes is a long list.
        quoted = [
            None if text is None else json.dumps(text, ensure_ascii=False)[1:-1] for text in texts.to_pylist()
        ]
        return pa.array(quoted, pa.large_string())
    for special in ("\\", '"'):
        if (data == ord(special)).any():
            texts = pc.replace_substring(texts, special, "\\" + special)
    return texts
