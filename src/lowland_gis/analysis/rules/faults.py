"""Faults of a definition: where, which key, which value, what is allowed, and the nearest name."""

from __future__ import annotations

import dataclasses
import datetime as dt
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from types import UnionType
from typing import Any, Literal, Union, cast, get_args, get_origin, get_type_hints

from lowland_gis.errors import gathered

SHOWN_ALLOWED = 12
# Comparing takes time with the square of the letters; nobody mistypes a name of more, or has more names.
_LONGEST_NAME, _COMPARED = 80, 1_000
LONGEST_TEXT = 2_000
LARGEST = 1e12


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


def form_faults(content: Any, model: type, where: str = "", key: str = "") -> Iterator[Fault]:
    """Yield what does not fit the fields of a frozen dataclass: unknown keys, missing ones, values of another kind.

    `key` is the one that the content stands under; it names what is no table.
    """
    if not isinstance(content, dict):
        yield Fault(where, key, content, f"it is {_kind(content)}, not a table")
        return
    fields = {item.name: item for item in dataclasses.fields(model)}
    hints = get_type_hints(model)
    for name in content:
        if name not in fields:
            yield Fault(where, str(name), None, "there is no such key", tuple(fields))
    for name, item in fields.items():
        if name in content:
            yield from _value_faults(content[name], hints[name], where, name)
        elif item.default is dataclasses.MISSING and item.default_factory is dataclasses.MISSING:
            yield Fault(where, name, None, "it is missing")


def _value_faults(value: Any, hint: Any, where: str, key: str) -> Iterator[Fault]:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal:
        if value not in arguments or isinstance(value, bool):
            yield Fault(where, key, value, "it is none of the allowed values", tuple(map(str, arguments)))
    elif origin in (Union, UnionType):
        yield from _union_faults(value, arguments, where, key)
    elif origin is tuple:
        yield from _list_faults(value, arguments, where, key)
    elif origin is dict:
        yield from _dict_faults(value, arguments[1], where, key)
    elif dataclasses.is_dataclass(hint):
        yield from form_faults(value, cast("type", hint), where, key)
    else:
        yield from _plain_faults(value, hint, where, key)


def _union_faults(value: Any, choices: tuple[Any, ...], where: str, key: str) -> Iterator[Fault]:
    """Yield the faults under the choice that fits best; of several tables the one with the most keys in common."""
    choices = tuple(choice for choice in choices if choice is not type(None))
    if isinstance(value, dict):
        tables = [choice for choice in choices if dataclasses.is_dataclass(choice)]
        if tables:
            best = max(
                tables, key=lambda one: len(set(value) & {item.name for item in dataclasses.fields(one)})
            )
            # An entry of a list is named by its place already; a table on its own by its key.
            yield from form_faults(value, cast("type", best), where or key)
            return
    found = [list(_value_faults(value, choice, where, key)) for choice in choices]
    if all(found):
        yield min(found, key=len)[0]


def _list_faults(value: Any, arguments: tuple[Any, ...], where: str, key: str) -> Iterator[Fault]:
    if not isinstance(value, (list, tuple)):
        yield Fault(where, key, value, f"it is {_kind(value)}, not a list")
        return
    if Ellipsis not in arguments and len(value) != len(arguments):
        yield Fault(where, key, value, f"it has {len(value)} entries, not {len(arguments)}")
        return
    for number, item in enumerate(value, start=1):
        # A table is named by its place; anything else only by its number in the list.
        yield from _value_faults(item, arguments[0], place(where, key, item, number), f"{key}[{number}]")


def _dict_faults(value: Any, kind: Any, where: str, key: str) -> Iterator[Fault]:
    if not isinstance(value, dict):
        yield Fault(where, key, value, f"it is {_kind(value)}, not a table")
        return
    for name, item in value.items():
        yield from _value_faults(item, kind, where, f"{key}.{name}")


def _plain_faults(value: Any, kind: Any, where: str, key: str) -> Iterator[Fault]:
    if kind is float:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            yield Fault(where, key, value, f"it is {_kind(value)}, not a number")
        elif not math.isfinite(value) or abs(value) > LARGEST:
            yield Fault(where, key, value, f"it is no number between -{LARGEST:g} and {LARGEST:g}")
    elif kind is str:
        if not isinstance(value, str):
            yield Fault(where, key, value, f"it is {_kind(value)}, not a text")
        elif not value.strip() or len(value) > LONGEST_TEXT or not value.replace("\n", "").isprintable():
            yield Fault(
                where, key, value, f"it is empty, longer than {LONGEST_TEXT} characters or not printable"
            )
    elif kind is dt.date:
        if not isinstance(value, dt.date) or isinstance(value, dt.datetime):
            yield Fault(
                where, key, value, f"it is {_kind(value)}, not a date such as 2024-04-17 without quotes"
            )
    elif not isinstance(value, kind):
        yield Fault(where, key, value, f"it is {_kind(value)}, not true or false")


_KINDS: tuple[tuple[type, str], ...] = (
    (bool, "true or false"), (int, "a number"), (float, "a number"), (str, "a text"), (list, "a list"), (dict, "a table"),
    (dt.datetime, "a moment"), (dt.date, "a date"), (dt.time, "a time"),
)  # fmt: skip


def _kind(value: Any) -> str:
    return next((name for kind, name in _KINDS if isinstance(value, kind)), type(value).__name__)


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
