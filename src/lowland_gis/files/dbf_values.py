"""Hold what GDAL made of a .dbf against its bytes: it mends days, numbers and yes/no without a word, and gives memo texts by number.

All is done column by column on whole batches; only values that are strange are looked at one by one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from lowland_gis.analysis.fields.doubts import Doubt
from lowland_gis.files.encoding import dbf_header

Bytes = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]

_DELETED = ord("*")
_BLANKS = b" \x00"
_DAY_BYTES = 8
_MONTHS = 12
_LENGTHS = np.array([0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
_NUMBER = re.compile(rb"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
# GDAL makes doubles of whole numbers that are wider than this, and a double keeps 15 digits for sure.
_EXACT_WIDTH = 15
_SHOWN = 5
_BLOCK_ROWS = 65_536
_OF_NUMBERS = ("N", "F")


@dataclass(frozen=True)
class Field:
    """A field of a .dbf: its kind (C, N, F, D, L, M, …) and the bytes of a record that it takes."""

    kind: str
    start: int
    end: int


@dataclass(frozen=True)
class DbfValues:
    """The bytes of the records that are not deleted; `kept` are their numbers where some are."""

    records: Bytes
    fields: tuple[Field, ...]
    kept: npt.NDArray[np.intp] | None
    encoding: str
    points: dict[int, bool] = dataclass_field(default_factory=dict)

    @property
    def deleted(self) -> list[int]:
        """Return the 0-based numbers of the records that are marked as deleted."""
        return [] if self.kept is None else np.flatnonzero(self.records[:, 0] == _DELETED).tolist()

    def checked(self, rows: pa.Table, first: int) -> tuple[pa.Table, tuple[Doubt, ...]]:
        """Return the columns of a batch without what GDAL invented, and a doubt with the text for every value left empty.

        Columns of whole numbers that GDAL has cut or rounded are read from the bytes.
        """
        if len(self.fields) != rows.num_columns:
            return rows, ()
        numbers = slice(first, first + rows.num_rows)
        block = self.records[numbers] if self.kept is None else self.records[self.kept[numbers]]
        doubts: list[Doubt] = []
        for position, (name, field) in enumerate(zip(rows.column_names, self.fields, strict=True)):
            check = _CHECKS.get(field.kind, _other)
            if check is None or field.start == field.end:
                continue
            raw = np.ascontiguousarray(block[:, field.start : field.end])
            received = rows.column(position)
            values, bad = (
                _numbers(raw, received, partial(self._has_points, position))
                if field.kind in _OF_NUMBERS
                else check(raw, received)
            )
            if values is not rows.column(position):
                rows = rows.set_column(position, name, values)
            doubts += self._doubts(name, field.kind, raw, np.flatnonzero(bad), first)
        return rows, tuple(doubts)

    def _has_points(self, position: int) -> bool:
        """Tell whether any number of a field has decimals; looked for once, so that all batches are of one kind."""
        if position not in self.points:
            field = self.fields[position]
            starts = range(0, len(self.records), _BLOCK_ROWS)
            self.points[position] = any(
                _is(self.records[start : start + _BLOCK_ROWS, field.start : field.end], b".eE").any()
                for start in starts
            )
        return self.points[position]

    def _doubts(
        self, name: str, kind: str, raw: Bytes, rows: npt.NDArray[np.intp], first: int
    ) -> Iterator[Doubt]:
        rule, what = _SAID.get(kind, ("value_unreadable", f"is of the kind {kind}, which is not read"))
        for row in rows.tolist():
            text = raw[row].tobytes().strip(_BLANKS).decode(self.encoding, "backslashreplace")
            yield Doubt(first + row, rule, f"{name}: {text!r} {what}; it was left empty")


_SAID = {
    "D": ("value_unreadable", "is no day"),
    "N": ("value_unreadable", "is no number"),
    "F": ("value_unreadable", "is no number"),
    "L": ("value_unreadable", "is neither yes nor no"),
    "M": ("memo_not_read", "is the number of a text in a memo file, which is not read"),
}


def dbf_values(path: Path, encoding: str) -> DbfValues:
    """Open the records of a .dbf.

    Raises:
        InputRefusedError: the file contradicts itself.
    """
    header = dbf_header(path)
    shape = (header.records, header.record_bytes)
    records = (
        np.memmap(path, dtype=np.uint8, mode="r", offset=header.header_bytes, shape=shape)
        if header.records
        else np.empty(shape, dtype=np.uint8)
    )
    fields, start = [], 1
    for _, kind, width in header.fields:
        fields.append(Field(kind, start, start + width))
        start += width
    deleted = records[:, 0] == _DELETED
    kept = np.flatnonzero(~deleted) if deleted.any() else None
    return DbfValues(records, tuple(fields), kept, encoding)


def deleted_words(values: DbfValues) -> str:
    """Return the words for records that are marked as deleted."""
    numbers = values.deleted
    first = ", ".join(str(number + 1) for number in numbers[:_SHOWN]) + (
        ", …" if len(numbers) > _SHOWN else ""
    )
    return (
        f"{len(numbers)} records of the .dbf are marked as deleted (record {first}) and were left out. Ask the sender whether"
        " they are meant to be."
    )


Check = Callable[[Bytes, pa.ChunkedArray], tuple[Any, Mask]]


def _days(raw: Bytes, values: pa.ChunkedArray) -> tuple[Any, Mask]:
    blank = _all(_is(raw, b" \x000"))
    if raw.shape[1] < _DAY_BYTES:
        return _without(values, ~blank)
    digits = raw[:, :_DAY_BYTES].astype(np.int64) - ord("0")
    year = digits[:, :4] @ np.array([1000, 100, 10, 1])
    month = digits[:, 4:6] @ np.array([10, 1])
    day = digits[:, 6:] @ np.array([10, 1])
    real = ((digits >= 0) & (digits <= 9)).all(axis=1) & (year > 0) & (month > 0) & (month <= _MONTHS)  # noqa: PLR2004
    real &= (day > 0) & (day <= _LENGTHS[np.clip(month, 0, _MONTHS)])
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    real &= ~((month == 2) & (day == 29) & ~leap)  # noqa: PLR2004
    # Some programs give the field more room than a day needs.
    real &= _all(_is(raw[:, _DAY_BYTES:], _BLANKS))
    return _without(values, ~real & ~blank)


def _numbers(raw: Bytes, values: pa.ChunkedArray, has_points: Callable[[], bool]) -> tuple[Any, Mask]:
    strange = np.flatnonzero(~_plain_numbers(raw))
    strange = strange[~_all(_is(raw[strange], _BLANKS))]
    texts = [raw[row].tobytes().strip(_BLANKS) for row in strange.tolist()]
    bad = np.zeros(len(raw), dtype=bool)
    bad[strange] = [bool(text) and _NUMBER.fullmatch(text) is None for text in texts]
    whole = pa.types.is_integer(values.type)
    if whole and has_points():
        return pa.array(_parsed(raw, bad), pa.float64()), bad
    if not whole and raw.shape[1] > _EXACT_WIDTH and not has_points():
        return pa.array(_texts(raw, bad), pa.string()), bad
    return _without(values, bad)


def _plain_numbers(raw: Bytes) -> Mask:
    """Return which rows hold blanks, a sign, digits and one point at most, in this order, and end with a digit.

    Nearly all numbers do; of the others nothing is said.
    """
    kinds = _KIND_OF[raw]
    good = _FOLLOWS[kinds[:, :-1], kinds[:, 1:]].all(axis=1) & (kinds[:, -1] == _DIGIT)
    good &= (kinds == _POINT).sum(axis=1) <= 1
    return np.asarray(good, dtype=bool)


def _kinds() -> npt.NDArray[np.uint8]:
    kinds = np.full(256, _STRANGE, dtype=np.uint8)
    for kind, letters in ((_BLANK, _BLANKS), (_SIGN, b"+-"), (_DIGIT, b"0123456789"), (_POINT, b".")):
        kinds[list(letters)] = kind
    return kinds


def _follows() -> Mask:
    follows = np.zeros((5, 5), dtype=bool)
    for kind, after in (
        (_BLANK, (_BLANK, _SIGN, _DIGIT, _POINT)),
        (_SIGN, (_DIGIT, _POINT)),
        (_DIGIT, (_DIGIT, _POINT)),
        (_POINT, (_DIGIT,)),
    ):
        follows[kind, list(after)] = True
    return follows


_BLANK, _SIGN, _DIGIT, _POINT, _STRANGE = range(5)
_KIND_OF, _FOLLOWS = _kinds(), _follows()


def _parsed(raw: Bytes, bad: Mask) -> list[float | None]:
    return [None if text is None else float(text) for text in _texts(raw, bad)]


def _texts(raw: Bytes, bad: Mask) -> list[str | None]:
    texts = (row.tobytes().strip(_BLANKS) for row in raw)
    return [
        None if wrong or not text else text.decode("ascii") for text, wrong in zip(texts, bad, strict=True)
    ]


def _logicals(raw: Bytes, values: pa.ChunkedArray) -> tuple[Any, Mask]:
    letters = raw[:, 0]
    unset = _is(letters, b"? \x00")
    known = _is(letters, b"TtYyFfNn")
    return _without(values, ~known)[0], ~known & ~unset


def _other(raw: Bytes, values: pa.ChunkedArray, *, zeros: bytes = b"") -> tuple[Any, Mask]:
    """Leave a column empty that holds something else than its bytes say."""
    return pa.nulls(len(values), values.type), ~_all(_is(raw, _BLANKS + zeros))


# A memo field of zeros refers to no text.
_CHECKS: dict[str, Check | None] = {
    "C": None,
    "D": _days,
    "L": _logicals,
    "M": partial(_other, zeros=b"0"),
}


def _is(raw: Any, letters: bytes) -> Mask:
    """Return where one of a few bytes stands; for so few this is quicker than a set."""
    found = raw == letters[0]
    for letter in letters[1:]:
        found |= raw == letter
    return np.asarray(found, dtype=bool)


def _all(mask: Mask) -> Mask:
    """Return which rows hold only such bytes."""
    return np.asarray(mask.all(axis=1), dtype=bool)


def _without(values: pa.ChunkedArray, bad: Mask) -> tuple[Any, Mask]:
    if not bad.any():
        return values, bad
    return pc.if_else(pa.array(bad), pa.scalar(None, values.type), values), bad
