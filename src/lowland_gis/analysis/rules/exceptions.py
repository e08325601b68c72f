"""What rules take back from each other: exceptions, the circles that they can run in, and all that a rule asks for through them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from lowland_gis.analysis.rules.faults import Fault

Table = Mapping[str, Any]


def tables_of(content: Any, key: str) -> list[tuple[int, Table]]:
    """Return the tables of a list with their numbers; what is no table was reported already."""
    items = content.get(key) if isinstance(content, Mapping) else None
    return (
        [(n, item) for n, item in enumerate(items, start=1) if isinstance(item, dict)]
        if isinstance(items, list)
        else []
    )


def text_of(table: Table, key: str) -> str:
    """Return a text of a table, empty where there is none."""
    value = table.get(key)
    return value if isinstance(value, str) else ""


def unless_of(part: Table) -> list[str]:
    """Return the names of the exceptions that take a rule back, or none where the list is no list."""
    names = part.get("unless")
    return [name for name in names if isinstance(name, str)] if isinstance(names, list) else []


def circles(unless: Mapping[str, list[str]], where: str) -> Iterator[Fault]:
    """Yield each circle of exceptions once, at the first rule of the file that is on it."""
    reported: set[frozenset[str]] = set()
    for start in unless:
        circle = _circle(start, unless)
        if circle and frozenset(circle) not in reported:
            reported.add(frozenset(circle))
            yield Fault(
                f"{where}, rule {start}",
                "unless",
                circle[1],
                f"the exceptions run in a circle: {' → '.join(circle)}",
            )


def _circle(start: str, unless: Mapping[str, list[str]]) -> list[str]:
    """Return the shortest way from a name back to itself, or nothing."""
    paths, seen = [[start]], set()
    while paths:
        path = paths.pop(0)
        for name in unless.get(path[-1], []):
            if name == start:
                return [*path, name]
            if name not in seen:
                seen.add(name)
                paths.append([*path, name])
    return []


def asked_by(part: Table, by_name: Mapping[str, Table], seen: set[str]) -> Iterator[str]:
    """Yield the measures and questions that a rule and its exceptions ask for; `seen` gathers the exceptions that were asked."""
    yield from (
        text_of(clause, "question") or text_of(clause, "measure") for _, clause in tables_of(part, "all")
    )
    for name in unless_of(part):
        if name in by_name and name not in seen:
            seen.add(name)
            yield from asked_by(by_name[name], by_name, seen)
