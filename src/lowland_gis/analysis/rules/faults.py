"""Faults of a definition: where, which key, which value, what is allowed, and the nearest name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from lowland_gis.errors import gathered

SHOWN_ALLOWED = 12
# Comparing takes time with the square of the letters; nobody mistypes a name of more, or has more names.
_LONGEST_NAME, _COMPARED = 80, 1_000


@dataclass(frozen=True)
class Fault:
    """One fault of a definition; `allowed` is empty where anything of the right kind would do."""

    where: str
    key: str
    value: Any
    problem: str
    allowed: tuple[str, ...] = ()

    @property
    def nearest(self) -> str | None:
        """Return the allowed name that is spelt most like the value, or like the key where that is what is wrong."""
        given = str(self.key if self.value is None else self.value)
        names = [name for name in self.allowed[:_COMPARED] if len(name) <= _LONGEST_NAME]
        near = get_close_matches(given, names, n=1, cutoff=0.5) if len(given) <= _LONGEST_NAME else []
        return near[0] if near else None

    def __str__(self) -> str:
        """Return the fault as one line."""
        return f"{self.where + ', ' if self.where else ''}{self.words}"

    @property
    def words(self) -> str:
        """Return the fault without its place."""
        given = "" if self.value is None else f" = {_short(self.value)}"
        text = f"{self.key}{given}: {self.problem}."
        if self.nearest:
            text += f" Did you mean {self.nearest!r}?"
        if self.allowed:
            more = len(self.allowed) - SHOWN_ALLOWED
            rest = f" … and {more} more" if more > 0 else ""
            text += f" Allowed: {', '.join(self.allowed[:SHOWN_ALLOWED])}{rest}."
        return text


def fault_lines(faults: Sequence[Fault]) -> list[str]:
    """Return faults as lines; what is wrong in the same way at more than two places is one line with the first of them."""
    return gathered((fault.where, str(fault), fault.words) for fault in faults)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}…"  # noqa: PLR2004


# Lists whose entries have names that people look for; the others are counted.
_NAMES = {"all": "clause", "among": "clause", "term": "term"}


def place(where: str, key: str, item: Any, number: int) -> str:
    """Return where an entry of a list stands: by its name, or by its number.

    >>> place("question kind", "rule", {"name": "empty"}, 2), place("rule empty", "all", {}, 2)
    ('question kind, rule empty', 'rule empty, clause 2')
    """
    if not isinstance(item, dict):
        return where
    name = item.get("name")
    label = _NAMES.get(key, key)
    here = f"{label} {name}" if isinstance(name, str) and name else f"{label} {number}"
    return f"{where}, {here}" if where else here


def doubles(names: Iterable[Any]) -> list[Any]:
    """Return what occurs more than once, in order of appearance.

    >>> doubles(["a", "b", "a"])
    ['a']
    """
    seen: dict[Any, int] = {}
    for name in names:
        seen[name] = seen.get(name, 0) + 1
    return [name for name, count in seen.items() if count > 1]
