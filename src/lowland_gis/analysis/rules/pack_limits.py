"""How large and how entangled a rule pack may be, so that checking one costs seconds whatever its writer meant by it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any, TypeGuard

from lowland_gis.analysis.rules.exceptions import Table, tables_of, text_of, unless_of
from lowland_gis.analysis.rules.faults import Fault, place

# Every shipped pack has less than a quarter of each.
MAX_VALUES = 30_000
MAX_PARTS = 300
# Exceptions of exceptions, counted along every way that leads to them: that often they are asked.
MAX_WAYS = 500
# Clauses that all examples together ask, with those of exceptions.
MAX_ASKED = 4_000


def size_faults(content: Table) -> Iterator[Fault]:
    """Yield what makes a pack too large to be looked at further; nothing of a pack of any office."""
    if _values(content) > MAX_VALUES:
        yield Fault("", "file", None, f"it has more than {MAX_VALUES:,} values, which no rule pack has")
        return
    asked = 0
    for number, question in tables_of(content, "question"):
        where = place("", "question", question, number)
        parts = [part for key in ("rule", "exception") for _, part in tables_of(question, key)]
        if len(parts) > MAX_PARTS:
            yield Fault(
                where, "rule", None, f"it has {len(parts):,} rules and exceptions; {MAX_PARTS} are read"
            )
            continue
        ways = _Ways({text_of(part, "name"): part for part in parts})
        for part in parts:
            reached, clauses = ways.of(text_of(part, "name"))
            if reached > MAX_WAYS:
                problem = f"its exceptions and theirs are asked more than {MAX_WAYS} times for one parcel"
                yield Fault(f"{where}, rule {text_of(part, 'name')}", "unless", None, problem)
            asked += min(clauses, MAX_ASKED) * len(tables_of(part, "example"))
    if asked > MAX_ASKED:
        yield Fault(
            "", "example", None, f"all examples together ask {asked:,} clauses; {MAX_ASKED:,} are run"
        )


def day_faults(content: Table, day: dt.date) -> Iterator[Fault]:
    """Yield why nothing of a pack is in force on a day."""
    start = content.get("in_force")
    if _is_day(start) and start > day:
        yield Fault(
            "",
            "in_force",
            str(start),
            f"nothing of the pack is in force on {day}, all of it only from then on",
        )
        return
    entries = [entry for _, entry in tables_of(content, "parameter")]
    if entries and not any(_holds(entry, day) for entry in entries):
        yield Fault("", "parameter", None, f"not one of {len(entries)} entries is in force on {day}")


def _is_day(value: Any) -> TypeGuard[dt.date]:
    return isinstance(value, dt.date) and not isinstance(value, dt.datetime)


def _holds(entry: Table, day: dt.date) -> bool:
    """Say whether an entry is in force; one whose dates are wrong has a fault of its own."""
    start, end = entry.get("in_force"), entry.get("until")
    return not _is_day(start) or (start <= day and (not _is_day(end) or day < end))


def _values(content: Any) -> int:
    items = content.values() if isinstance(content, Mapping) else content if isinstance(content, list) else ()
    return 1 + sum(map(_values, items))


class _Ways:
    """How often each rule asks exceptions, and how many clauses that are; a circle is counted once round."""

    def __init__(self, parts: Mapping[str, Table]) -> None:
        self._parts = parts
        self._known: dict[str, tuple[int, int]] = {}

    def of(self, name: str) -> tuple[int, int]:
        """Return the exceptions and the clauses that a rule asks, along every way."""
        if name not in self._known:
            # While it is being counted a way back to it leads nowhere; circles are a fault of their own.
            self._known[name] = (0, 0)
            part = self._parts.get(name, {})
            found = [self.of(other) for other in unless_of(part) if other in self._parts]
            reached = len(found) + sum(count for count, _ in found)
            clauses = len(tables_of(part, "all")) + sum(count for _, count in found)
            self._known[name] = (min(reached, MAX_WAYS + 1), min(clauses, MAX_ASKED))
        return self._known[name]
