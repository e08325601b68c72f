"""Where entries stand, since when, what is due next and from whom: the page of a parcel, its history, and lists."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from lowland_gis.analysis.registry.procedure import Move, Register
from lowland_gis.db.connect import Connection
from lowland_gis.db.frames import read_frame
from lowland_gis.errors import UsageError
from lowland_gis.pipeline.base.procedure import InForce, read_procedure

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
    """Where one entry stands; `events` are all of its events in their order."""

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
    events: pd.DataFrame


def standings(connection: Connection, subject: str) -> list[Standing]:
    """Return where the entries of a subject stand, in the order of the registers.

    Raises:
        UsageError: the subject is in no register; or the database enforces no procedure yet.
    """
    force = read_procedure(connection)
    rows = read_frame(
        connection,
        "SELECT entry_id, register, subject, matter, town_code, version, state, since, first_on FROM registry.current_entry"
        " WHERE subject = %s ORDER BY entry_id",
        [subject],
    )
    if rows.empty:
        raise UsageError(
            f"{subject} is in no register. Check the code (宗地代码 ZDDM), or see all of them: lowland registry list"
        )
    order = list(force.registers)
    rows = rows.sort_values("register", key=lambda names: names.map(order.index), kind="stable")
    events = history(connection, [int(entry) for entry in rows["entry_id"]])
    return [
        _standing(force, row, events[events["entry_id"] == row["entry_id"]])
        for row in rows.to_dict("records")
    ]


def history(connection: Connection, entries: Sequence[int]) -> pd.DataFrame:
    """Return the events of entries, in the order in which they were recorded.

    Columns: entry_id, register, subject, matter, version, move, title, from_state, to_state, on_date,
    document, document_no, document_sha256, has_file, reason, by (program or empty), run_id, recorded_at, recorded_by, account.
    """
    rows = read_frame(
        connection,
        "SELECT event.entry_id, entry.register, entry.subject, entry.matter, event.version, event.move, event.from_state, event.to_state,"
        " event.on_date, paper.file_name AS document, event.document_no, event.document_sha256, coalesce(paper.has_file, false) AS has_file,"
        " event.reason, event.content->>'by' AS by, event.run_id, event.recorded_at, event.recorded_by, event.account, move.title"
        " FROM registry.event JOIN registry.entry USING (entry_id)"
        " LEFT JOIN registry.move USING (move_id)"
        " LEFT JOIN LATERAL (SELECT file_name, has_file FROM registry.paper WHERE sha256 = event.document_sha256"
        " ORDER BY has_file DESC LIMIT 1) AS paper ON true"
        " WHERE event.entry_id = ANY(%s) ORDER BY event.event_id",
        [list(entries)],
    )
    return rows.assign(title=rows["title"].fillna(TAKEN_OVER_TITLE))


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
) -> pd.DataFrame:
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
    rows = read_frame(
        connection,
        "SELECT register, subject, matter, state, since, town_code, version, recorded_by FROM registry.current_entry"
        " WHERE register = coalesce(%s, register) AND state = coalesce(%s, state)"
        " AND (%s::text IS NULL OR town_code = %s) ORDER BY register, subject, matter, ordinal",
        [register, state, town, town],
    )
    titles = [
        force.registers[name].state.get(code, code)
        for name, code in zip(rows["register"], rows["state"], strict=True)
    ]
    rows.insert(4, "title", pd.Series(titles, dtype=object))
    return rows


def by_state(rows: pd.DataFrame) -> pd.DataFrame:
    """Return how many entries stand in each state of each register: register, state, title, entries, since when the oldest."""
    groups = rows.groupby(["register", "state", "title"], sort=False)
    return groups.agg(entries=("subject", "count"), oldest=("since", "min")).reset_index()


def _standing(force: InForce, row: Mapping[Any, Any], events: pd.DataFrame) -> Standing:
    register = force.registers[row["register"]]
    due = tuple(_due(register, name, move, events) for name, move in register.allowed(row["state"]).items())
    return Standing(
        int(row["entry_id"]), row["register"], register.title, row["subject"], row["matter"], row["town_code"],
        int(row["version"]), row["state"], register.state.get(row["state"], row["state"]), row["since"], row["first_on"],
        due, events,
    )  # fmt: skip


def _due(register: Register, name: str, move: Move, events: pd.DataFrame) -> Due:
    began = events.loc[events["move"] == move.since, "on_date"]
    from_day = began.max() + dt.timedelta(days=move.days) if move.days and len(began) else None
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
