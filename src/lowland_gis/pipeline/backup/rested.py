"""Which runs the registry rests on: those that its rows name, and all that these were made from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from psycopg import sql

from lowland_gis.db.connect import Connection
from lowland_gis.db.dump import Stored
from lowland_gis.schema.model import REGISTRY

_RUN = "run_id"
# Where a run, or a draft of units, names another one by its number.
_NUMBERED = ("_run", "run_id")


def rested_runs(connection: Connection, tables: Sequence[Stored]) -> list[int]:
    """Return the numbers of the runs that rows of the registry name, and of every run from whose results these were made."""
    rows = connection.execute("SELECT run_id, digest, inputs FROM result.run").fetchall()
    drafts = dict(
        connection.execute("SELECT run_id, base_run_id FROM result.draft WHERE base_run_id IS NOT NULL")
        if any(table.full_name == "result.draft" for table in tables)
        else []
    )
    inputs = {int(run): content for run, _, content in rows}
    by_digest: dict[str, set[int]] = {}
    for run, digest, _ in rows:
        by_digest.setdefault(str(digest), set()).add(int(run))
    waiting = [run for run in _named(connection, tables) if run in inputs]
    kept: set[int] = set()
    while waiting:
        run = waiting.pop()
        if run in kept:
            continue
        kept.add(run)
        before = {drafts[run]} if run in drafts else set()
        before |= _made_from(inputs[run], by_digest)
        waiting += [other for other in before if other in inputs]
    return sorted(kept)


def _named(connection: Connection, tables: Sequence[Stored]) -> set[int]:
    found: set[int] = set()
    for table in tables:
        if table.schema == REGISTRY and _RUN in table.column_names:
            query = sql.SQL("SELECT DISTINCT run_id FROM {} WHERE run_id IS NOT NULL").format(
                table.place(None)
            )
            found |= {int(row[0]) for row in connection.execute(query)}
    return found


def _made_from(inputs: Any, by_digest: Mapping[str, set[int]]) -> set[int]:
    """Return the runs that recorded inputs name, by their digest or their number."""
    found: set[int] = set()
    for key, value in _leaves("", inputs):
        if isinstance(value, str):
            found |= by_digest.get(value, set())
        elif isinstance(value, int) and key.endswith(_NUMBERED):
            found.add(value)
    return found


def _leaves(key: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _leaves(str(name), inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(key, inner)
    else:
        yield key, value
