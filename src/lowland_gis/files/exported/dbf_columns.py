"""Which field of a DBF holds a column, as wide as its values need; a name that is too long is cut and said."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from lowland_gis.files.dbf_table import (
    CODE_PAGE,
    MAX_NAME_BYTES,
    MAX_NUMBER_BYTES,
    MAX_TEXT_BYTES,
    DbfField,
    name_fits,
)
from lowland_gis.files.exported.layer import Written, is_plain, is_text, plain

_MOST_DECIMALS = 15
_NO_NAME = "F"
_NOT_CARRIED = "a DBF has no field for values of this kind"


def dbf_columns(table: pa.Table, written: Written) -> tuple[list[DbfField], dict[str, list[Any]]]:
    """Return the fields for a table and the values by their names; `written` is told of names that changed and what is left out."""
    fields: list[DbfField] = []
    values: dict[str, list[Any]] = {}
    kept = [name for name in table.column_names if is_plain(plain(table.column(name)).type)]
    written.left_out |= {
        name: f"{_NOT_CARRIED} ({table.column(name).type})" for name in table.column_names if name not in kept
    }
    written.names.update(zip(kept, field_names(kept), strict=True))
    for name in kept:
        if pa.types.is_timestamp(plain(table.column(name)).type):
            written.notes.append(f"{name}: moments are texts, as a DBF has days only")
        field, cells = _field(written.names[name], plain(table.column(name)))
        fields.append(field)
        values[field.name] = cells
    cut = [f"{name} → {short}" for name, short in written.names.items() if name != short]
    if cut:
        written.notes.append(
            f"names of fields end after {MAX_NAME_BYTES} bytes in a DBF (a Chinese character takes two): {', '.join(cut)}"
        )
    return fields, values


def field_names(names: Iterable[str]) -> list[str]:
    """Return names that a DBF can hold, each once whatever the case of its letters; a name that is cut into one that is taken gets a number.

    >>> field_names(["图斑编号", "土地利用现状名称", "土地利用现状代码", "a b", "A B"])
    ['图斑编号', '土地利用现', '土地利用_2', 'a b', 'A B_2']
    """
    names = list(names)
    taken = {name.casefold() for name in names if name_fits(name)}
    first: set[str] = set()
    made = []
    for name in names:
        wanted = name if name_fits(name) else _cut(_writable(name), MAX_NAME_BYTES)
        free = wanted.casefold() not in first and (name_fits(name) or wanted.casefold() not in taken)
        number = 2
        while not free:
            tail = f"_{number}"
            wanted = _cut(_writable(name), MAX_NAME_BYTES - len(tail)) + tail
            free, number = wanted.casefold() not in first | taken, number + 1
        first.add(wanted.casefold())
        made.append(wanted)
    return made


def _writable(name: str) -> str:
    kept = "".join(letter if letter.isprintable() else "_" for letter in name).strip()
    return kept.encode(CODE_PAGE, "replace").decode(CODE_PAGE).replace("?", "_") or _NO_NAME


def _cut(name: str, size: int) -> str:
    return name.encode(CODE_PAGE)[:size].decode(CODE_PAGE, "ignore").strip() or _NO_NAME


def _field(name: str, column: pa.ChunkedArray) -> tuple[DbfField, list[Any]]:
    kind = column.type
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return _number(name, [_finite(value) for value in column.cast(pa.float64()).to_pylist()])
    if pa.types.is_boolean(kind):
        column, kind = column.cast(pa.int8()), pa.int8()
    if pa.types.is_integer(kind):
        values = column.to_pylist()
        width = max((len(str(value)) for value in values if value is not None), default=1)
        if width <= MAX_NUMBER_BYTES:
            return DbfField(name, "N", width), values
        column = column.cast(pa.string())
    if pa.types.is_date(kind):
        return DbfField(name, "D"), column.to_pylist()
    if not is_text(column.type):
        column = column.cast(pa.string())
    values = column.to_pylist()
    return DbfField(name, "C", _text_width(column)), values


def _text_width(column: pa.ChunkedArray) -> int:
    """Return how many bytes the longest text takes; one that is too long for any field is refused when it is written."""
    width = max(
        (len(value.encode(CODE_PAGE, "replace")) for value in pc.unique(column).to_pylist() if value),
        default=1,
    )
    return min(width, MAX_TEXT_BYTES)


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _number(name: str, values: list[float | None]) -> tuple[DbfField, list[Any]]:
    """Return a field with as many decimals as the numbers have, or as many as there is room for."""
    present = [value for value in values if value is not None]
    decimals = _least(
        range(_MOST_DECIMALS + 1), lambda places: all(round(value, places) == value for value in present)
    )
    while decimals and _width(present, decimals) > MAX_NUMBER_BYTES:
        decimals -= 1
    width = max(_width(present, decimals), decimals + 2 if decimals else 1)
    return DbfField(name, "N", min(width, MAX_NUMBER_BYTES), decimals), values if decimals else [
        None if value is None else round(value) for value in values
    ]


def _least(places: range, enough: Callable[[int], bool]) -> int:
    return next((each for each in places if enough(each)), places[-1])


def _width(values: list[float], decimals: int) -> int:
    ends = (min(values, default=0.0), max(values, default=0.0), -0.0)
    return max(len(f"{value:.{decimals}f}") for value in ends)
