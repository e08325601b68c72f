"""Write attribute tables of shapefiles with exact field types and lengths, encoding mark and date.

GDAL writes the geometry quickly but cannot be told text widths through its bulk interface, and stamps today's date.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
import pandas as pd

from lowland_gis.errors import UsageError

STAMP = (123, 12, 31)
LDID_NONE, LDID_GBK = 0x00, 0x4D
ROWS_AT_ONCE = 100_000


@dataclass(frozen=True)
class Field:
    """One field: name of at most 10 bytes, C text, N number, D date; length in bytes."""

    name: str
    kind: str
    length: int
    decimals: int = 0


def write_dbf(
    path: Path, columns: pd.DataFrame, fields: tuple[Field, ...], *, encoding: str, ldid: int
) -> None:
    """Write the columns as a dBase III table; missing values are blank."""
    with path.open("wb") as stream:
        _write_header(stream, len(columns), fields, ldid)
        for start in range(0, len(columns), ROWS_AT_ONCE):
            stream.write(_records(columns.iloc[start : start + ROWS_AT_ONCE], fields, encoding))
        stream.write(b"\x1a")


def _write_header(stream: BinaryIO, count: int, fields: tuple[Field, ...], ldid: int) -> None:
    width = 1 + sum(field.length for field in fields)
    stream.write(struct.pack("<4BIHH17xB2x", 3, *STAMP, count, 33 + 32 * len(fields), width, ldid))
    for field in fields:
        name = field.name.encode("ascii")
        stream.write(struct.pack("<11sc4xBB14x", name, field.kind.encode(), field.length, field.decimals))
    stream.write(b"\r")


def _records(columns: pd.DataFrame, fields: tuple[Field, ...], encoding: str) -> bytes:
    layout = np.dtype([("deleted", "S1"), *((field.name, f"S{field.length}") for field in fields)])
    records = np.full(len(columns), b" ", dtype=layout)
    for field in fields:
        records[field.name] = _encoded(columns[field.name], field, encoding)
    return records.tobytes()


def _encoded(values: pd.Series, field: Field, encoding: str) -> npt.NDArray[np.bytes_]:
    missing = values.isna().to_numpy()
    if field.kind == "D":
        texts = np.char.replace(values.to_numpy().astype("datetime64[D]").astype(str), "-", "")
        cells = texts.astype("S8")
        cells[missing] = b" " * 8
    elif field.kind == "N":
        pattern = f"%{field.length}.{field.decimals}f"
        numbers = np.where(missing, 0, values.to_numpy(dtype=float, na_value=0.0))
        cells = np.char.mod(pattern, numbers).astype("S")
        cells[missing] = b" " * field.length
    else:
        codes, distinct = pd.factorize(values.to_numpy(dtype=object), use_na_sentinel=True)
        encoded = [str(value).encode(encoding).ljust(field.length) for value in distinct]
        cells = np.array([*encoded, b" " * field.length], dtype="S")[codes]
    if cells.dtype.itemsize > field.length:
        raise UsageError(
            f"{field.name}: a value is longer than the {field.length} bytes of the field, so it would be cut. "
            "Widen the field in the delivery."
        )
    return cells
