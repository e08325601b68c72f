"""What a migration would take away, asked before it does: each one says so itself (`LOST_GOING_UP`, `LOST_GOING_DOWN`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import sqlalchemy as sa
from alembic.script import Script, ScriptDirectory

# Whether what would be lost may go; it is given one line each.
Agreed = Callable[[list[str]], bool]


def nobody_agreed(_: list[str]) -> bool:
    """Let nothing go."""
    return False


def lost_going_up(
    connection: sa.Connection,
    scripts: ScriptDirectory,
    current: str | None,
    target: str,
    *,
    keep: bool = False,
) -> list[str]:
    """Return what the way from the current revision up to the target takes away, one line each; nothing where nothing is there.

    The transaction in which it was asked is rolled back, unless it is to be kept.
    """
    if current is None:
        return []
    steps = reversed(list(scripts.iterate_revisions(target, current)))
    found = list(_lost(connection, steps, "LOST_GOING_UP"))
    if not keep:
        connection.rollback()
    return found


def lost_going_down(
    connection: sa.Connection, scripts: ScriptDirectory, current: str | None, target: str
) -> list[str]:
    """Return what the way from the current revision down to the target takes away, one line each."""
    if current is None:
        return []
    found = list(_lost(connection, scripts.iterate_revisions(current, target), "LOST_GOING_DOWN"))
    connection.rollback()
    return found


def _lost(connection: sa.Connection, steps: Any, name: str) -> Iterator[str]:
    said: set[str] = set()
    for step in steps:
        for label, query in _queries(step, name).items():
            row = connection.execute(sa.text(query)).one()
            which = f": {row[1]}" if len(row) > 1 else ""
            if row[0] and label not in said:
                said.add(label)
                yield f"{row[0]:,} {label}{which}"


def _queries(step: Script, name: str) -> Mapping[str, str]:
    found: Mapping[str, str] = getattr(step.module, name, {})
    return found
