"""The bytes of a DBF table, column by column; the values fit their fields already.

They are those that GDAL writes, which takes each value of each record by itself: most of the time of a package went there.
Source: the layout of dBASE III tables; GDAL's (shapelib's) marks for values that are missing.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

CODE_PAGE = "GBK"
LANGUAGE_BYTE = 0x4D
MAX_TEXT_BYTES = 254
MAX_NUMBER_BYTES = 18
MAX_NAME_BYTES = 10
# What a package may call its fields; other programs' tables have names of any letters, and Chinese ones in their own encoding.
FIELD_NAME = re.compile(r"[A-Z][A-Z0-9_]{0,9}")
_DAY_BYTES = 8
_VERSION, _HEADER_END, _FILE_END = 0x03, b"\r", b"\x1a"
# A record that is not deleted begins with a blank.
_THERE = b" "
_MISSING = {"C": b" ", "N": b"*", "D": b"0"}
# So many records are put together at a time; more would only cost memory.
_ROWS = 20_000

FieldKind = Literal["C", "N", "D"]
Cell = str | int | float | date | None


@dataclass(frozen=True)
class DbfField:
    """One DBF field: text (C, length in GBK bytes), number (N, length in digits and signs) or date (D)."""

    name: str
    kind: FieldKind
    length: int = _DAY_BYTES
    decimals: int = 0
    required: bool = False

    def __post_init__(self) -> None:
        """Refuse a field that a DBF cannot hold."""
        longest = {"C": MAX_TEXT_BYTES, "N": MAX_NUMBER_BYTES, "D": _DAY_BYTES}[self.kind]
        shortest = _DAY_BYTES if self.kind == "D" else 1
        if not name_fits(self.name):
            raise ValueError(f"field name {self.name!r} is not 1 to {MAX_NAME_BYTES} bytes of GBK")
        if not shortest <= self.length <= longest:
            raise ValueError(f"field {self.name}: length {self.length} is not {shortest} to {longest}")
        if self.decimals and (self.kind != "N" or not 0 < self.decimals <= self.length - 2):
            raise ValueError(
                f"field {self.name}: {self.decimals} decimals do not go with its type and length"
            )


def name_fits(name: str) -> bool:
    """Return whether a field can be called so: 1 to 10 bytes in GBK, none of them a control character or a blank at an end.

    >>> name_fits("图斑编号"), name_fits("图斑地类编号")
    (True, False)
    """
    try:
        size = len(name.encode(CODE_PAGE))
    except UnicodeEncodeError:
        return False
    return 0 < size <= MAX_NAME_BYTES and name.isprintable() and name == name.strip()


def table_bytes(
    fields: Sequence[DbfField], columns: Mapping[str, Sequence[Cell]], dated: date
) -> Iterator[bytes]:
    r"""Yield a table, piece by piece; texts are in GBK, as its header says.

    >>> name = DbfField("ZDDM", "C", 4)
    >>> b"".join(table_bytes([name], {"ZDDM": ["甲", None]}, date(2024, 1, 1)))[65:]
    b' \xbc\xd7       \x1a'
    """
    count = len(columns[fields[0].name])
    record = np.dtype([("there", "S1"), *((field.name, f"S{field.length}") for field in fields)])
    yield _header(fields, count, record.itemsize, dated)
    for start in range(0, count, _ROWS):
        stop = min(count, start + _ROWS)
        records: npt.NDArray[Any] = np.empty(stop - start, dtype=record)
        records["there"] = _THERE
        for field in fields:
            records[field.name] = _spelt(columns[field.name][start:stop], field)
        yield records.tobytes()
    yield _FILE_END


def _header(fields: Sequence[DbfField], count: int, width: int, dated: date) -> bytes:
    size = 32 + 32 * len(fields) + len(_HEADER_END)
    day = (dated.year - 1900, dated.month, dated.day)
    head = struct.pack("<4BIHH17xBxx", _VERSION, *day, count, size, width, LANGUAGE_BYTE)
    described = [
        struct.pack(
            "<11sc4xBB14x",
            field.name.encode(CODE_PAGE),
            field.kind.encode("ascii"),
            field.length,
            field.decimals,
        )
        for field in fields
    ]
    return b"".join([head, *described, _HEADER_END])


def _spelt(values: Sequence[Cell], field: DbfField) -> list[bytes]:
    """Return the bytes of the values of a field, all of its length."""
    nothing, one = _MISSING[field.kind] * field.length, _SPELT[field.kind]
    if field.kind == "C":
        # Texts come again and again: names of towns, titles of kinds.
        known = {value: one(value, field) for value in set(values) if value is not None}
        return [nothing if value is None else known[value] for value in values]
    return [nothing if value is None else one(value, field) for value in values]


def _text(value: Any, field: DbfField) -> bytes:
    text: bytes = value.encode(CODE_PAGE).ljust(field.length)
    return text


def _number(value: Any, field: DbfField) -> bytes:
    return (
        (b"%*.*f" % (field.length, field.decimals, value))
        if field.decimals
        else b"%*d" % (field.length, value)
    )


def _day(value: Any, _: DbfField) -> bytes:
    return f"{value.year:04}{value.month:02}{value.day:02}".encode("ascii")


_SPELT: dict[str, Callable[[Any, DbfField], bytes]] = {"C": _text, "N": _number, "D": _day}
