"""Columns in Arrow made of NumPy's numbers and of a text: pyarrow's own way looks whether they come from pandas, and loads it for that."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

_KINDS = {"int64": pa.int64(), "int32": pa.int32(), "float64": pa.float64()}


def numbers(values: npt.NDArray[Any]) -> pa.Array:
    """Return whole numbers or numbers with a point as a column; the memory is shared where they lie in one piece.

    >>> numbers(np.arange(3)).to_pylist()
    [0, 1, 2]
    """
    values = np.ascontiguousarray(values)
    return pa.Array.from_buffers(_KINDS[values.dtype.name], len(values), [None, pa.py_buffer(values)])


def number(value: int) -> pa.Scalar:
    """Return a whole number as what the functions of Arrow take for one value."""
    return numbers(np.array([value]))[0]


def text(value: str) -> pa.Array:
    """Return a column of one text.

    >>> text("all").to_pylist()
    ['all']
    """
    content = value.encode()
    offsets = np.array([0, len(content)], dtype=np.int32)
    return pa.Array.from_buffers(pa.string(), 1, [None, pa.py_buffer(offsets), pa.py_buffer(content)])


def missing(kind: pa.DataType) -> pa.Scalar:
    """Return the missing value of a type."""
    return pa.nulls(1, kind)[0]


def array(column: pa.Array) -> npt.NDArray[Any]:
    """Return numbers of which none is missing as NumPy has them; the memory is shared.

    >>> array(numbers(np.arange(3))[1:]).tolist()
    [1, 2]
    """
    if column.null_count:
        raise ValueError(f"{column.null_count} numbers are missing")
    content = column.buffers()[1]
    values = np.frombuffer(content or b"", dtype=column.type.to_pandas_dtype())
    return values[column.offset : column.offset + len(column)]
