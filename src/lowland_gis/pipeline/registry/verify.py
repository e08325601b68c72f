"""Prove the registry: every row against its link, every link against the one before, and whether what guards them is still there.

The digests are computed by SQL that this program brings, not by functions that stand in the database, and of functions that PostgreSQL has
of itself. What cannot be found so is said in docs/registry.md: a chain that was made anew as a whole, or cut at its end, is told only by a
head that was kept elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from lowland_gis import schema
from lowland_gis.db import guards
from lowland_gis.db.chain import chained_tables, head_of, row_digest, row_key
from lowland_gis.db.connect import Connection
from lowland_gis.errors import UsageError
from lowland_gis.pipeline.base.chain import chain_head
from lowland_gis.pipeline.base.project import Project
from lowland_gis.schema.model import CHAIN

CHANGED, REMOVED, INSERTED, BROKEN, UNGUARDED = (
    "changed",
    "removed",
    "inserted",
    "the chain breaks",
    "guard is off",
)
_HEAD_DIGITS = 64


class Finding(NamedTuple):
    """What is wrong with one row of one table; a guard that is off has no row."""

    table_name: str
    row_no: int | None
    what: str


@dataclass(frozen=True)
class Verified:
    """What was found.

    `passes` says whether the chain passes through the head that was asked for; None where none was.
    """

    n_links: int
    head: str | None
    findings: tuple[Finding, ...]
    passes: bool | None
    behind: int | None = None

    @property
    def sound(self) -> bool:
        """Return whether nothing was found."""
        return not self.findings and self.passes is not False


def verify(project: Project, head: str | None = None) -> Verified:
    """Compare every row of the registry with the chain, and the chain with a head that was kept elsewhere.

    Raises:
        UsageError: the head is none.
    """
    head = head_given(head)
    with project.snapshot() as connection:
        return verified(connection, head)


def head_given(head: str | None) -> str | None:
    """Return a head as it was typed in small letters.

    Raises:
        UsageError: it is none.
    """
    if head is not None and (len(head) != _HEAD_DIGITS or set(head.lower()) - set("0123456789abcdef")):
        raise UsageError(
            f"{head}: a head has {_HEAD_DIGITS} digits of 0–9 and a–f. It stands in the manifest of each package as registry_head,"
            " and lowland db backup prints it"
        )
    return None if head is None else head.lower()


def verified(connection: Connection, head: str | None = None) -> Verified:
    """Compare every row of the registry with the chain, as one connection sees them; see `verify`."""
    findings = [found for table in chained_tables() for found in _rows(connection, table)]
    findings += [*_chain(connection), *_guards(connection)]
    row = connection.execute(f"SELECT count(*) FROM registry.{CHAIN}").fetchone()  # noqa: S608 - a constant
    place = None if head is None else _place(connection, head)
    count = int(row[0]) if row else 0
    passes = None if head is None else place is not None
    behind = None if place is None else count - place
    return Verified(count, chain_head(connection), tuple(findings), passes, behind)


def passes_through(connection: Connection, head: str) -> bool:
    """Return whether the chain passes through a head."""
    return _place(connection, head) is not None


def _place(connection: Connection, head: str) -> int | None:
    row = connection.execute(
        f"SELECT link_no FROM registry.{CHAIN} WHERE head = decode(%s, 'hex')",  # noqa: S608 - a constant
        [head],
    ).fetchone()
    return None if row is None else int(row[0])


def _rows(connection: Connection, table: schema.Table) -> Iterator[Finding]:
    """Yield the rows of a table that are not as they were linked."""
    yield from _found(
        connection,
        # Names of the dictionary.
        f"SELECT %s AS table_name, row_no, CASE WHEN now IS NULL THEN '{REMOVED}' WHEN linked IS NULL THEN '{INSERTED}'"  # noqa: S608
        f" ELSE '{CHANGED}' END AS what"
        f" FROM (SELECT {row_key(table)} AS row_no, {row_digest(table)} AS now FROM {table.full_name}) AS rows"
        f" FULL JOIN (SELECT row_no, row_sha256 AS linked FROM registry.{CHAIN} WHERE table_name = %s) AS links USING (row_no)"
        " WHERE now IS DISTINCT FROM linked ORDER BY row_no",
        [table.name, table.name],
    )


def _found(connection: Connection, query: str, parameters: list[Any]) -> Iterator[Finding]:
    yield from (Finding(*row) for row in connection.execute(query, parameters).fetchall())


def _chain(connection: Connection) -> Iterator[Finding]:
    """Yield where the chain itself is not whole: a link that is gone, or whose head is not that of the head before and its row."""
    made = head_of("coalesce(lag(head) OVER places, '')", "table_name", "row_no", "row_sha256")
    yield from _found(
        connection,
        f"SELECT '{CHAIN}' AS table_name, CASE WHEN gap THEN link_no - 1 ELSE link_no END AS row_no, CASE WHEN stranger THEN '{INSERTED}'"  # noqa: S608
        f" WHEN gap THEN '{REMOVED}' ELSE '{BROKEN}' END AS what FROM ("
        f" SELECT link_no, head <> {made} AS broken, link_no <> coalesce(lag(link_no) OVER places, 0) + 1 AS gap,"
        f" table_name <> ALL (%s) AS stranger FROM registry.{CHAIN} WINDOW places AS (ORDER BY link_no)"
        " ) AS links WHERE broken OR gap OR stranger ORDER BY link_no",
        [[table.name for table in chained_tables()]],
    )


def _guards(connection: Connection) -> Iterator[Finding]:
    """Yield which triggers are off or gone, and which functions are others than this program's."""
    on = set(
        connection.execute(
            "SELECT tgrelid::regclass::text, tgname FROM pg_trigger WHERE tgenabled IN ('O', 'A') AND NOT tgisinternal"
        ).fetchall()
    )
    bodies = dict(
        connection.execute(
            "SELECT proname::text, prosrc FROM pg_proc WHERE pronamespace = 'registry'::regnamespace"
        ).fetchall()
    )
    for table, name in _off(on):
        yield Finding(table.removeprefix("registry."), None, f"{UNGUARDED}: {name}")
    for name in _other(bodies):
        yield Finding("registry", None, f"{UNGUARDED}: {name}")


def _off(on: set[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    for table, name, _ in guards.triggers():
        if (table, name) not in on:
            yield table, name


def _other(bodies: dict[str, str]) -> Iterator[str]:
    for signature, definition in guards.functions():
        name = signature.partition("(")[0]
        if bodies.get(name) != definition.split("$$")[1]:
            yield f"{name}()"
