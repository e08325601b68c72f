"""What made a change of fields, and which of the changes of fields are changes at all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

Differences = Mapping[str, tuple[Any, Any]]


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
