"""Bring received columns to their standard names and kinds, and list every value that does not fit.

Columns are Arrow arrays, so that a million rows are converted column by column and not value by value.
"""

from __future__ import annotations

import datetime as dt
import itertools
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from lowland_gis.analysis.fields import headings
from lowland_gis.analysis.fields.headings import FieldSpec
from lowland_gis.analysis.fields.json_rows import bytes_of, flat
from lowland_gis.analysis.fields.kinds import CONVERT, WHOLE_BELOW, texts_of, untyped
from lowland_gis.analysis.fields.stated_quantities import NOTHING, Stated


@dataclass(frozen=True)
class Standardised:
    """Rows under standard names; `faults` has the columns row_no, rule and message; `missing` lists required fields.

    `remarks` are about the headings, so the same in every batch: units that were converted, columns that resemble a field.
    """

    rows: pa.Table
    faults: pd.DataFrame
    missing: tuple[str, ...]
    remarks: tuple[tuple[str, str], ...] = ()


# A code that a spreadsheet took for a number and wrote with an exponent; codes themselves have no sign or point in them.
_EXPONENT = r"^[0-9](\.[0-9]+)?[eE]\+[0-9]+$"
_PLAIN_CODE = "^[0-9A-Z]*$"
_AS_FORMULA = re.compile(r'^="(.*)"$')
_APOSTROPHES = "'‘’`´"
_NUL = "\x00"


def standardise(
    received: pa.Table,
    fields: Sequence[FieldSpec],
    codes: Mapping[str, Mapping[str, str]],
    *,
    first_row: int = 0,
    stated: Stated = NOTHING,
) -> Standardised:
    """Rename, convert and check the columns of a delivery, or of a batch of it that begins at `first_row`.

    Fields are found by `headings.found`, and numbers converted to the unit of the field, from the unit of the heading or from the
    one that is `stated` for the table; other columns keep their names. A value
    that cannot be converted becomes missing and a fault, and so does a code that came as a number and lost digits; a code that its
    list lacks stays and is a fault, and so is one that was spelt otherwise (see `spelt`). `codes` maps the
    name of a code list to code → name. Dates become ISO texts; a NUL character, which no database text can hold, is
    left out and a fault.
    """
    taken = headings.found(received.column_names, fields, stated)
    names = _names(received.column_names, taken)
    factors = {hit.standard: hit.factor for hit in taken.values()}
    missing = tuple(
        f"{field.name} {field.title}" for field in fields if field.required and field.name not in factors
    )
    columns = {
        names.get(name, name): flat(received.column(position))
        for position, name in enumerate(received.column_names)
    }
    known = {field.name for field in fields}
    faults: list[pd.DataFrame] = []
    for name in columns.keys() - known:
        columns[name] = untyped(columns[name])
    for field in fields:
        if field.name in columns:
            raw = columns[field.name]
            values, spelling = _converted(raw, field, codes)
            columns[field.name] = _times(values, factors.get(field.name, 1.0))
            faults += [*spelling, *_faults(raw, values, field, codes)]
    for name in list(columns):
        columns[name], nul = _without_nul(columns[name])
        faults.append(_listed(nul, "value_cleaned", partial(_nul_message, name)))
    found = pd.concat([_NO_FAULTS, *(frame for frame in faults if len(frame))], ignore_index=True)
    found["row_no"] += first_row
    remarks = headings.remarks(received.column_names, fields, taken, stated) if first_row == 0 else ()
    return Standardised(pa.table(columns), found, missing, tuple(remarks))


def _times(values: pa.Array, factor: float) -> pa.Array:
    return values if factor == 1.0 else pc.multiply(values.cast(pa.float64()), factor)


def _converted(
    raw: pa.Array, field: FieldSpec, codes: Mapping[str, Mapping[str, str]]
) -> tuple[pa.Array, list[pd.DataFrame]]:
    """Return a column in the kind of its field, codes in their own spelling, and the faults of that."""
    values = CONVERT[field.type](raw)
    if field.type != "text":
        return values, []
    where, faults = f"{field.name} {field.title}", []
    lost = _inexact(raw) if pa.types.is_floating(raw.type) else pa.repeat(pa.scalar(value=False), len(raw))
    if field.code or field.codes is not None:
        lost = pc.or_(lost, pc.fill_null(pc.match_substring_regex(values, _EXPONENT), fill_value=False))
        known = frozenset(codes[field.codes]) if field.codes is not None else frozenset()
        spelt = _spelt_codes(values, known)
        if known and _numeric(raw.type):
            spelt = _with_zeros(spelt, known, field.digits)
        other = pc.fill_null(pc.not_equal(values, spelt), fill_value=False)
        told = pc.and_(other, pc.invert(lost))
        received = values
        faults.append(
            _listed(
                told,
                "code_respelt",
                lambda row: f"{where}: {received[row].as_py()!r} was taken for {spelt[row].as_py()!r}",
            )
        )
        values = spelt
    texts = texts_of(raw)
    faults.append(
        _listed(
            lost,
            "digits_lost",
            lambda row: (
                f"{where}: {texts[row].as_py()} came as a number too long to be exact, so its last digits are lost; it was"
                " left empty"
            ),
        )
    )
    return pc.if_else(lost, pa.scalar(None, values.type), values), faults


def _spelt_codes(values: pa.Array, known: frozenset[str]) -> pa.Array:
    """Return codes in their own spelling; every distinct one is looked at once."""
    if pc.all(pc.match_substring_regex(values, _PLAIN_CODE)).as_py() is not False:
        return values
    encoded = values.dictionary_encode()
    codes = [code if code in known else spelt(code) for code in encoded.dictionary.to_pylist()]
    return pa.array(codes, values.type).take(encoded.indices)


def _numeric(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def _with_zeros(values: pa.Array, known: frozenset[str], digits: int | None) -> pa.Array:
    """Return codes that came as numbers with the leading zeros that they lost; what is in doubt stays as it came.

    Where the list has a code with and one without the zero (011 水田, 11 水域), the one with so many `digits` is meant.
    """
    by_number: dict[str, list[str]] = {}
    for code in sorted(known):
        by_number.setdefault(code.lstrip("0"), []).append(code)
    encoded = values.dictionary_encode()
    codes = [
        _one_of(by_number.get(code.lstrip("0"), []), code, digits) for code in encoded.dictionary.to_pylist()
    ]
    return pa.array(codes, values.type).take(encoded.indices)


def _one_of(meant: list[str], code: str, digits: int | None) -> str:
    fitting = [one for one in meant if len(one) == digits] if len(meant) > 1 else meant
    return fitting[0] if len(fitting) == 1 else code


def spelt(code: str) -> str:
    """Return a code as it is written: half width, capital letters, without spaces, apostrophe or the ="…" of spreadsheets.

    >>> spelt("'120113gb００1"), spelt('="0601"'), spelt(" 91 12 ")
    ('120113GB001', '0601', '9112')
    """
    text = "".join(unicodedata.normalize("NFKC", code).split())
    match = _AS_FORMULA.match(text)
    text = match[1] if match is not None else text.lstrip(_APOSTROPHES)
    return "".join(letter for letter in text if unicodedata.category(letter) != "Cf").upper() or code


def arrow_table(columns: Mapping[str, Iterable[Any]]) -> pa.Table:
    """Return columns of any objects, as a workbook holds them, as Arrow columns; mixed ones become texts."""
    return pa.table({name: _arrow_column(values) for name, values in columns.items()})


def objects(rows: pa.Table, name: str) -> npt.NDArray[np.object_]:
    """Return one column as Python values, None where it is missing."""
    values = np.empty(rows.num_rows, dtype=object)
    values[:] = rows.column(name).to_pylist()
    return values


def _names(columns: list[str], taken: Mapping[str, headings.Found]) -> dict[str, str]:
    names = {column: hit.standard for column, hit in taken.items()}
    # A second column of the same name in other letters must not come to lie on the first.
    used = set(names.values()) | set(columns)
    for column in columns:
        if column not in names and column in names.values():
            names[column] = next(
                name for name in (f"{column}_{number}" for number in itertools.count(2)) if name not in used
            )
            used.add(names[column])
    return names


def _arrow_column(given: Iterable[Any]) -> pa.Array:
    values = list(given)
    kinds = set(map(type, values)) - {type(None)}
    if kinds == {str}:
        return pa.array(values, pa.string())
    if kinds and kinds <= {int, float}:
        # NaN is missing, and the only number that is not itself; to ask pandas takes a microsecond a value.
        plain = [None if value != value else value for value in values]  # noqa: PLR0124
    else:
        plain = [
            None if _is_missing(value) else value.item() if isinstance(value, np.generic) else value
            for value in values
        ]
    try:
        # Arrow takes 0 among days for the first of January 1970.
        column = pa.array(
            plain if _of_one_kind(plain) else [None if v is None else _in_words(v) for v in plain]
        )
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        column = pa.array([None if value is None else _in_words(value) for value in plain])
    return column.cast(pa.string()) if pa.types.is_null(column.type) else column


def _of_one_kind(values: Iterable[Any]) -> bool:
    kinds = {type(value) for value in values if value is not None}
    return len(kinds) <= 1 or kinds == {int, float}


def _is_missing(value: Any) -> bool:
    return value is None or (pd.api.types.is_scalar(value) and bool(pd.isna(value)))


def _in_words(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value.isoformat() if isinstance(value, dt.date) else str(value)


def _nul_message(name: str, _row: int) -> str:
    return f"{name}: a NUL character was left out"


def _without_nul(values: pa.Array) -> tuple[pa.Array, pa.Array]:
    if not pa.types.is_large_string(values.type):
        return values, pa.array([], pa.bool_())
    if (bytes_of(values) != 0).all():
        return values, pa.array([], pa.bool_())
    nul = pc.fill_null(pc.match_substring(values, _NUL), fill_value=False)
    return pc.replace_substring(values, _NUL, ""), nul


def _faults(
    raw: pa.Array, values: pa.Array, field: FieldSpec, codes: Mapping[str, Mapping[str, str]]
) -> list[pd.DataFrame]:
    given = values if field.type == "text" or _is_number(raw, field) else texts_of(raw)
    absent = pc.is_null(values)
    where = f"{field.name} {field.title}"
    unreadable = pc.or_(pc.and_(absent, pc.is_valid(given)), _not_finite(raw))
    faults = [
        _listed(
            unreadable,
            "value_unreadable",
            lambda row: f"{where}: {_shown(given, raw, row)} is no {field.type}",
        )
    ]
    if field.required:
        empty = pc.and_(pc.and_(absent, pc.is_null(given)), pc.invert(_not_finite(raw)))
        faults.append(_listed(empty, "value_missing", lambda _: f"{where} is empty"))
    if field.codes is not None:
        texts = values.cast(pa.large_string())
        known = pc.is_in(texts, value_set=pa.array(list(codes[field.codes]), pa.large_string()))
        strange = pc.and_(pc.is_valid(values), pc.invert(known))
        faults.append(
            _listed(
                strange,
                "code_unknown",
                lambda row: f"{where}: {texts[row].as_py()!r} is not in {field.codes}",
            )
        )
    return faults


def _is_number(raw: pa.Array, field: FieldSpec) -> bool:
    """Tell whether a number is asked for and came as one; then only what is not finite is unreadable."""
    kind = raw.type
    return field.type == "number" and (pa.types.is_floating(kind) or pa.types.is_integer(kind))


def _not_finite(raw: pa.Array) -> pa.Array:
    """Return where a number was delivered that is infinite; NaN is how some formats say that there is none."""
    if pa.types.is_floating(raw.type):
        return pc.fill_null(pc.is_inf(raw), fill_value=False)
    return pa.repeat(pa.scalar(value=False), len(raw))


def _inexact(raw: pa.Array) -> pa.Array:
    """Return where a number has more digits than a double keeps, as codes have that a spreadsheet took for numbers."""
    return pc.fill_null(
        pc.and_(pc.is_finite(raw), pc.greater_equal(pc.abs(raw), WHOLE_BELOW)), fill_value=False
    )


def _shown(given: pa.Array, raw: pa.Array, row: int) -> str:
    return repr(given[row].as_py() if given[row].is_valid else raw[row].as_py())


def _listed(mask: pa.Array, rule: str, message: Callable[[int], str]) -> pd.DataFrame:
    rows = pc.indices_nonzero(mask).to_numpy().astype(np.int64)
    if len(rows) == 0:
        return _NO_FAULTS
    return pd.DataFrame({"row_no": rows, "rule": rule, "message": [message(int(row)) for row in rows]})


# Most fields have no fault, and a frame without rows costs as much as one with some; nobody writes to this one.
_NO_FAULTS = pd.DataFrame(
    {
        "row_no": pd.Series(dtype=np.int64),
        "rule": pd.Series(dtype=object),
        "message": pd.Series(dtype=object),
    }
)
