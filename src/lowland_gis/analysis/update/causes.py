"""What made a change of fields, and which of the changes of fields are changes at all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

Differences = Mapping[str, tuple[Any, Any]]
_ROUNDED = 0.02


class _FieldCause(Protocol):
    @property
    def cause(self) -> str | None: ...
    @property
    def greater(self) -> str | None: ...
    @property
    def less(self) -> str | None: ...
    def of(self, differing: Sequence[str]) -> bool: ...


def told_fields(
    before: Mapping[str, Any], after: Mapping[str, Any], ignored: Iterable[str]
) -> dict[str, tuple[Any, Any]]:
    """Return field → old and new value of every field that differs; a field that one side lacks, or an empty text, is missing there.

    >>> told_fields({"YT": "0601", "BZ": ""}, {"YT": "0501"}, [])
    {'YT': ('0601', '0501')}
    """
    left_out = set(ignored)
    names = [name for name in sorted({*before, *after}) if name not in left_out]
    pairs = {name: (_plain(before.get(name)), _plain(after.get(name))) for name in names}
    return {name: (old, new) for name, (old, new) in pairs.items() if old != new}


def beyond_outline(
    differences: Differences, follow: Iterable[str], changed: float
) -> dict[str, tuple[Any, Any]]:
    """Return the differences without those of fields that follow an outline, as far as they have changed no more than its area.

    `changed` is the share by which the area has changed; two hundredths are what rounding makes.

    >>> beyond_outline({"RJL": (0.80, 0.81), "JZMD": (0.3, 0.9)}, ["RJL", "JZMD"], 0.01)
    {'JZMD': (0.3, 0.9)}
    """
    names = set(follow)
    return {
        name: values
        for name, values in differences.items()
        if name not in names or not _follows(*values, changed)
    }


def _follows(old: Any, new: Any, changed: float) -> bool:
    try:
        one, other = float(old), float(new)
    except (TypeError, ValueError):
        return False
    return abs(other - one) <= max(abs(one), abs(other)) * abs(changed) + _ROUNDED


def field_cause(differences: Differences, causes: Iterable[_FieldCause], otherwise: str) -> str:
    """Return what made fields differ: the first entry to which all of them belong.

    Where it says what a greater and a less number mean, the first number that differs says which it is.
    """
    for entry in causes:
        if not entry.of(tuple(differences)):
            continue
        rose = next(
            (_rose(old, new) for old, new in differences.values() if _rose(old, new) is not None), None
        )
        found = entry.cause if rose is None else (entry.greater if rose else entry.less) or entry.cause
        if found is not None:
            return found
    return otherwise


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        value = value.strip()
    return None if value in ("", None) else value


def _rose(old: Any, new: Any) -> bool | None:
    try:
        one, other = float(old or 0), float(new or 0)
    except (TypeError, ValueError):
        return None
    return None if one == other else other > one
