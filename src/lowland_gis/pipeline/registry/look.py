"""Where entries stand, since when, what is due next and from whom: the page of a parcel, its history, and lists."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, LiteralString

from psycopg import sql
from psycopg.rows import dict_row

from lowland_gis.analysis.registry.facts import FACTS, Fact, facts, paper_answer
from lowland_gis.analysis.registry.procedure import Move, Register
from lowland_gis.db.connect import Connection
from lowland_gis.errors import UsageError
from lowland_gis.pipeline.base.procedure import InForce, read_procedure
from lowland_gis.pipeline.registry.descent import relatives

# One row by the names of its columns.
Row = dict[str, Any]
LISTED = ("register", "subject", "matter", "state", "title", "since", "town_code", "version", "recorded_by")
COUNTED = ("register", "state", "title", "entries", "oldest")
HISTORY = (
    "entry_id", "register", "subject", "matter", "version", "move", "from_state", "to_state", "on_date", "document", "document_no",
    "document_sha256", "has_file", "reason", "by", "run_id", "recorded_at", "recorded_by", "account", "title", "paper",
)  # fmt: skip
_OF_THE_PROGRAM = {("low_efficiency", "draft"), ("legacy", "draft"), ("problem", "open")}
TAKEN_OVER = "taken_over"
TAKEN_OVER_TITLE = "由旧库转入"


@dataclass(frozen=True)
class Due:
    """A move that leads on from where an entry stands: what is typed, who decides, who may record it, and what it asks.

    `from_day` is the first day on which it may be made, where days are counted.
    """

    verb: str
    title: str
    reaches: str
    actor: str
    roles: tuple[str, ...]
    document: str | None
    reason: bool
    from_day: dt.date | None


@dataclass(frozen=True)
class Standing:
    """Where one entry stands; `events` are all of its events in their order.

    `part_of` are the parcels that it came from, `parts` those that came from it (沿革); `ordinal` counts the entries of the subject.
    """

    entry_id: int
    register: str
    register_title: str
    subject: str
    matter: str
    town_code: str | None
    version: int
    state: str
    state_title: str
    since: dt.date
    first_on: dt.date
    due: tuple[Due, ...]
    events: tuple[Row, ...]
    facts: tuple[Fact, ...] = ()
    ordinal: int = 1
    part_of: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()


def is_of_the_program(register: str, state: str) -> bool:
    """Return whether an entry stands where the program put it by itself, so that it is only as good as the run behind it.

    >>> is_of_the_program("low_efficiency", "draft"), is_of_the_program("low_efficiency", "determined")
    (True, False)
    """
    return (register, state) in _OF_THE_PROGRAM


def standings(connection: Connection, subject: str) -> list[Standing]:
    """Return where the entries of a subject stand, in the order of the registers.

    Raises:
        UsageError: the subject is in no register; or the database enforces no procedure yet.
    """
    force = read_procedure(connection)
    rows = _read(
        connection,
        "SELECT entry_id, register, subject, matter, ordinal, town_code, version, state, since, first_on,"
        " (SELECT max(drafted_row) FROM registry.event WHERE event.entry_id = current_entry.entry_id) AS drafted_row"
        " FROM registry.current_entry"
        " WHERE subject = %s ORDER BY entry_id",
        [subject],
    )
    if not rows:
        raise UsageError(
            f"{subject} is in no register. Check the code (宗地代码 ZDDM), or see all of them: lowland registry list"
        )
    order = list(force.registers)
    rows.sort(key=lambda row: order.index(row["register"]))
    numbers = [row["entry_id"] for row in rows]
    events, family = history(connection, numbers), relatives(connection, numbers)
    found = [
        _standing(
            force,
            row,
            [event for event in events if event["entry_id"] == row["entry_id"]],
            _own_row(connection, row["register"], row["drafted_row"]),
        )
        for row in rows
    ]
    return [
        replace(
            standing,
            ordinal=row["ordinal"],
            part_of=tuple(family[row["entry_id"]][0]),
            parts=tuple(family[row["entry_id"]][1]),
        )
        for standing, row in zip(found, rows, strict=True)
    ]


def _own_row(connection: Connection, register: str, number: int | None) -> Row | None:
    """Return the newest row of a register's own table that an entry has: what was computed, or frozen."""
    if number is None or register not in FACTS:
        return None
    query = sql.SQL("SELECT * FROM {} WHERE entry_id = %s").format(sql.Identifier("registry", register))
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query, [number]).fetchone()


def _read(connection: Connection, query: LiteralString, parameters: Sequence[Any]) -> list[Row]:
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query, parameters).fetchall()


def history(connection: Connection, entries: Sequence[int]) -> list[Row]:
    """Return the events of entries, in the order in which they were recorded.

    `paper` says of each whether it has one: known, unknown, or not applicable where the move needs none.

    Columns: entry_id, register, subject, matter, version, move, title, from_state, to_state, on_date,
    document, document_no, document_sha256, has_file, reason, by (program or empty), run_id, recorded_at, recorded_by, account.
    """
    rows = _read(
        connection,
        "SELECT event.entry_id, entry.register, entry.subject, entry.matter, event.version, event.move, event.from_state, event.to_state,"
        " event.on_date, paper.file_name AS document, event.document_no, event.document_sha256, coalesce(paper.has_file, false) AS has_file,"
        " event.reason, event.content->>'by' AS by, event.run_id, event.recorded_at, event.recorded_by, event.account, move.title,"
        " move.document AS needed, event.move_id IS NULL AS taken_over"
        " FROM registry.event JOIN registry.entry USING (entry_id)"
        " LEFT JOIN registry.move USING (move_id)"
        " LEFT JOIN LATERAL (SELECT file_name, has_file FROM registry.paper WHERE sha256 = event.document_sha256"
        " ORDER BY has_file DESC LIMIT 1) AS paper ON true"
        " WHERE event.entry_id = ANY(%s) ORDER BY event.event_id",
        [list(entries)],
    )
    return [
        row
        | {
            "title": row["title"] or TAKEN_OVER_TITLE,
            "paper": paper_answer(row["document_sha256"], row["needed"], taken_over=row["taken_over"]),
        }
        for row in rows
    ]


def entries_of(connection: Connection, subject: str) -> list[int]:
    """Return the numbers of the entries of a subject.

    Raises:
        UsageError: it is in no register.
    """
    rows = connection.execute(
        "SELECT entry_id FROM registry.entry WHERE subject = %s ORDER BY entry_id", [subject]
    ).fetchall()
    if not rows:
        raise UsageError(
            f"{subject} is in no register. Check the code (宗地代码 ZDDM), or see all of them: lowland registry list"
        )
    return [int(row[0]) for row in rows]


def entry_list(
    connection: Connection, *, register: str | None, state: str | None, town: str | None
) -> list[Row]:
    """Return where entries stand: register, subject, matter, state, title, since, town_code, version, recorded_by.

    Raises:
        UsageError: there is no such register or state; or the database enforces no procedure yet.
    """
    force = read_procedure(connection)
    if register is not None:
        force.register(register)
    known = dict.fromkeys(name for content in force.registers.values() for name in content.state)
    if state is not None and state not in known:
        raise UsageError(f"There is no state {state!r}. States: {', '.join(known)}")
    rows = _read(
        connection,
        "SELECT register, subject, matter, state, since, town_code, version, recorded_by FROM registry.current_entry"
        " WHERE register = coalesce(%s, register) AND state = coalesce(%s, state)"
        " AND (%s::text IS NULL OR town_code = %s) ORDER BY register, subject, matter, ordinal",
        [register, state, town, town],
    )
    return [
        row | {"title": force.registers[row["register"]].state.get(row["state"], row["state"])}
        for row in rows
    ]


def by_state(rows: Sequence[Row]) -> list[Row]:
    """Return how many entries stand in each state of each register: register, state, title, entries, since when the oldest."""
    groups: dict[tuple[str, str, str], list[dt.date]] = {}
    for row in rows:
        groups.setdefault((row["register"], row["state"], row["title"]), []).append(row["since"])
    return [
        {"register": register, "state": state, "title": title, "entries": len(days), "oldest": min(days)}
        for (register, state, title), days in groups.items()
    ]


def _standing(force: InForce, row: Row, events: Sequence[Row], own: Row | None) -> Standing:
    register = force.registers[row["register"]]
    due = tuple(_due(register, name, move, events) for name, move in register.allowed(row["state"]).items())
    return Standing(
        int(row["entry_id"]), row["register"], register.title, row["subject"], row["matter"], row["town_code"],
        int(row["version"]), row["state"], str(register.state.get(row["state"], row["state"])), row["since"], row["first_on"],
        due, tuple(events), tuple(facts(row["register"], row["town_code"], own)),
    )  # fmt: skip


def _due(register: Register, name: str, move: Move, events: Sequence[Row]) -> Due:
    began = [event["on_date"] for event in events if event["move"] == move.since]
    from_day = max(began) + dt.timedelta(days=move.days) if move.days and began else None
    return Due(
        register.verb(name),
        move.title,
        move.reaches,
        move.actor,
        move.roles,
        move.document,
        move.reason,
        from_day,
    )
