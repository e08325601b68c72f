"""Bring received columns to their standard names and kinds, and list every value that does not fit."""

from __future__ import annotations

import datetime as dt
import itertools
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd


class FieldSpec(Protocol):
    """What the standard says of one field."""

    @property
    def name(self) -> str:
        """Name as the standard spells it."""

    @property
    def title(self) -> str:
        """Chinese title."""

    @property
    def type(self) -> str:
        """One of text, integer, number, date."""

    @property
    def required(self) -> bool:
        """Whether an empty value is a fault."""

    @property
    def codes(self) -> str | None:
        """Name of the list that its codes come from."""

    @property
    def synonyms(self) -> tuple[str, ...]:
        """Other names under which offices deliver it."""


@dataclass(frozen=True)
class Standardised:
    """Rows under standard names; `faults` has the columns row_no, rule and message; `missing` lists required fields."""

    rows: pd.DataFrame
    faults: pd.DataFrame
    missing: tuple[str, ...]


# Without separators only eight digits are a day: 202011 may be November 2020 as well as the first of January.
_DATE = re.compile(
    r"^(?:(\d{4})(\d{2})(\d{2})|(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?)(?:[T ].*)?$",
    re.ASCII,
)


def standardise(
    received: pd.DataFrame, fields: Sequence[FieldSpec], codes: Mapping[str, Mapping[str, str]]
) -> Standardised:
    """Rename, convert and check the columns of a delivery.

    Fields are found by name, then by synonym, both without regard to case; other columns keep their names. A value that
    cannot be converted becomes missing and a fault; a code that its list lacks stays and is a fault. `codes` maps the
    name of a code list to code → name.
    """
    names, missing = _names(list(received.columns), fields)
    rows = received.rename(columns=names).reset_index(drop=True)
    faults: list[pd.DataFrame] = []
    for field in fields:
        if field.name not in rows.columns:
            continue
        raw = rows[field.name]
        rows[field.name] = _converted(raw, field.type)
        faults += _faults(raw, rows[field.name], field, codes)
    for column in rows.columns.difference([field.name for field in fields]):
        rows[column] = rows[column].map(_plain)
    empty = pd.DataFrame({"row_no": pd.Series(dtype=int), "rule": "", "message": ""})
    return Standardised(rows, pd.concat(faults, ignore_index=True) if faults else empty, missing)


def records(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Return each row as a dictionary without its missing values."""
    columns = {name: rows[name].tolist() for name in rows.columns}
    absent = {name: rows[name].isna().to_numpy() for name in rows.columns}
    return [
        {name: values[i] for name, values in columns.items() if not absent[name][i]} for i in range(len(rows))
    ]


def _names(columns: list[str], fields: Sequence[FieldSpec]) -> tuple[dict[str, str], tuple[str, ...]]:
    by_lower = {column.lower(): column for column in reversed(columns)}
    by_lower |= {field.name.lower(): field.name for field in fields if field.name in columns}
    names: dict[str, str] = {}
    missing = []
    for field in fields:
        found = next(
            (by_lower[word.lower()] for word in (field.name, *field.synonyms) if word.lower() in by_lower),
            None,
        )
        if found is not None and found not in names:
            names[found] = field.name
        elif field.required:
            missing.append(f"{field.name} {field.title}")
    # A second column of the same name in other letters must not come to lie on the first.
    taken = set(names.values()) | set(columns)
    for column in columns:
        if column not in names and column in names.values():
            names[column] = next(
                name for name in (f"{column}_{number}" for number in itertools.count(2)) if name not in taken
            )
            taken.add(names[column])
    return names, tuple(missing)


def _converted(values: pd.Series[Any], kind: str) -> pd.Series[Any]:
    convert = {"text": _text, "integer": _integer, "number": _number, "date": _date}[kind]
    return pd.Series([convert(value) for value in values], dtype=object)


def _is_missing(value: Any) -> bool:
    return value is None or (pd.api.types.is_scalar(value) and bool(pd.isna(value)))


def _text(value: Any) -> str | None:
    if _is_missing(value):
        return None
    if isinstance(value, float | np.floating) and float(value).is_integer():
        # A spreadsheet or a numeric field made a number of a code.
        value = int(value)
    return str(value).strip() or None


def _number(value: Any) -> float | None:
    if _is_missing(value):
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if abs(number) < float("inf") else None


def _integer(value: Any) -> int | None:
    number = _number(value)
    return None if number is None or not number.is_integer() else int(number)


def _date(value: Any) -> str | None:
    if _is_missing(value):
        return None
    if isinstance(value, dt.date):
        return value.isoformat()[:10]
    match = _DATE.match(str(value).strip())
    if match is None:
        return None
    try:
        return dt.date(*(int(part) for part in match.groups() if part is not None)).isoformat()
    except ValueError:
        return None


def _plain(value: Any) -> Any:
    """Return a value that JSON holds: numpy scalars unwrapped, dates as ISO text, bytes left out."""
    if _is_missing(value) or isinstance(value, bytes):
        return None
    if isinstance(value, dt.date):
        return value.isoformat()
    return value.item() if hasattr(value, "item") else value


def _faults(
    raw: pd.Series[Any], values: pd.Series[Any], field: FieldSpec, codes: Mapping[str, Mapping[str, str]]
) -> list[pd.DataFrame]:
    given = pd.Series([_text(value) for value in raw], dtype=object)
    absent = values.isna()
    faults = [
        _listed(
            absent & given.notna(),
            "value_unreadable",
            lambda row: f"{field.name} {field.title}: {given[row]!r} is no {field.type}",
        )
    ]
    if field.required:
        faults.append(
            _listed(absent & given.isna(), "value_missing", lambda _: f"{field.name} {field.title} is empty")
        )
    if field.codes is not None:
        known = codes[field.codes]
        strange = values.notna() & ~values.isin(list(known))
        faults.append(
            _listed(
                strange,
                "code_unknown",
                lambda row: f"{field.name} {field.title}: {values[row]!r} is not in {field.codes}",
            )
        )
    return [frame for frame in faults if len(frame)]


def _listed(mask: pd.Series[bool], rule: str, message: Callable[[int], str]) -> pd.DataFrame:
    rows = mask.to_numpy().nonzero()[0]
    return pd.DataFrame({"row_no": rows, "rule": rule, "message": [message(int(row)) for row in rows]})
