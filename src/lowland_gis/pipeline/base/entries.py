"""Record what the program itself drafts and freezes as events of entries: rows of a register's own table become its newest state."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from psycopg import sql

from lowland_gis import schema
from lowland_gis.db.connect import Connection
from lowland_gis.errors import UsageError
from lowland_gis.pipeline.base.procedure import InForce
from lowland_gis.pipeline.base.project import who

# States of an entry that is taken back or answered: it is history, and no part of what leaves the house.
NOT_IN_FORCE = ("withdrawn", "dropped", "settled")
# A problem is told by its question and its clause.
# The question of problems that no verdict raises: what a firm promised and did not keep.
PROMISE_QUESTION, PROMISE_TITLE = "promise", "承诺履约"
MATTER_OF_PROBLEM = "question || ': ' || clause"


@dataclass(frozen=True)
class Drafted:
    """How rows of a register's own table become events: subject and matter (SQL), and state of a row → state of its entry.

    `reason` is the SQL of why, for rows that take something back.
    """

    table: schema.Table
    register: str
    subject: str
    states: Mapping[str, str]
    matter: str = "''::text"
    reason: str = "NULL::text"


NO_MORE = "CASE f.state WHEN 'withdrawn' THEN '判定不再支持，由程序撤回' END"
LOW_EFFICIENCY = Drafted(
    schema.LOW_EFFICIENCY,
    "low_efficiency",
    "parcel_id",
    {"draft": "draft", "withdrawn": "withdrawn"},
    reason=NO_MORE,
)
LEGACY = Drafted(
    schema.LEGACY, "legacy", "parcel_id", {"draft": "draft", "withdrawn": "withdrawn"}, reason=NO_MORE
)
PROBLEM = Drafted(
    schema.PROBLEM,
    "problem",
    "parcel_id",
    {"draft": "open", "withdrawn": "dropped"},
    MATTER_OF_PROBLEM,
    NO_MORE,
)
UNIT = Drafted(
    schema.UNIT_FROZEN, "unit", "number", {"frozen": "frozen", "withdrawn": "withdrawn"}, reason="f.reason"
)


def newest_row(connection: Connection, table: schema.Table) -> int:
    """Return the number of the newest row of a register's own table; 0 where there is none."""
    query = sql.SQL("SELECT coalesce(max(entry_id), 0) FROM {}").format(
        sql.Identifier(table.schema, table.name)
    )
    row = connection.execute(query).fetchone()
    return 0 if row is None else int(row[0])


def record_drafted(
    connection: Connection,
    drafted: Drafted,
    force: InForce,
    after: int,
    *,
    by_program: bool,
    on: dt.date | None = None,
) -> int:
    """Record an event for each row of a register's own table after row `after`; return how many.

    Subjects that are not in the register are entered. `by_program`: no person decided it, so that a later run may take it back. They count
    from today, or from the day `on`.

    Raises:
        UsageError: the procedure in force has no move for it; nothing may be kept then.
    """
    names = {
        "rows": sql.Identifier(drafted.table.schema, drafted.table.name),
        "subject": sql.Identifier(drafted.subject),
        "matter": sql.SQL(drafted.matter),
        "reason": sql.SQL(drafted.reason),
        "reached": sql.SQL("CASE f.state {} END").format(
            sql.SQL(" ").join(
                sql.SQL("WHEN {} THEN {}").format(before, after_) for before, after_ in drafted.states.items()
            )
        ),
    }
    given = {
        "register": drafted.register,
        "after": after,
        "procedure": force.procedure_id,
        "on": on or dt.datetime.now().astimezone().date(),
        "content": '{"by": "program"}' if by_program else None,
        "account": who(),
    }
    connection.execute(sql.SQL(_ENTER).format(**names), given)
    done = connection.execute(sql.SQL(_RECORD).format(**names), given).rowcount
    wanted = connection.execute(sql.SQL(_COUNT).format(**names), given).fetchone()
    if wanted is None or wanted[0] != done:
        raise UsageError(
            f"The procedure in force has no move of the register {drafted.register} for some of what is to be recorded, so nothing was."
            " Look at definitions/states.toml: the states that the moves draft, withdraw_draft, open and drop leave"
        )
    return done


_COUNT = "SELECT count(*) FROM {rows} AS f WHERE f.entry_id > %(after)s"
_ENTER = """
    INSERT INTO registry.entry (register, subject, matter, ordinal, town_code)
    SELECT %(register)s, subject, matter, 1, town_code FROM (
        SELECT DISTINCT ON ({subject}, {matter}) {subject} AS subject, {matter} AS matter, town_code, f.entry_id
        FROM {rows} AS f WHERE f.entry_id > %(after)s ORDER BY {subject}, {matter}, f.entry_id
    ) AS fresh
    WHERE NOT EXISTS (
        SELECT FROM registry.entry WHERE entry.register = %(register)s AND entry.subject = fresh.subject AND entry.matter = fresh.matter
    )
    ORDER BY fresh.entry_id
"""
_RECORD = """
    INSERT INTO registry.event (entry_id, version, move_id, move, from_state, to_state, on_date, reason, content, run_id, drafted_row, account)
    SELECT fresh.entry_id, coalesce(stands.version, 0) + 1, move.move_id, move.name, move.from_state, move.to_state,
        greatest(%(on)s::date, stands.on_date), fresh.reason, %(content)s::jsonb, fresh.run_id, fresh.row_no, %(account)s
    FROM (
        SELECT DISTINCT ON (f.entry_id) entry.entry_id, f.entry_id AS row_no, f.run_id, {reason} AS reason, {reached} AS reached
        FROM {rows} AS f JOIN registry.entry ON entry.register = %(register)s AND entry.subject = f.{subject} AND entry.matter = {matter}
        WHERE f.entry_id > %(after)s ORDER BY f.entry_id, entry.ordinal DESC
    ) AS fresh
    LEFT JOIN LATERAL (
        SELECT version, to_state, on_date FROM registry.event WHERE event.entry_id = fresh.entry_id ORDER BY version DESC LIMIT 1
    ) AS stands ON true
    JOIN LATERAL (
        SELECT * FROM registry.move WHERE procedure_id = %(procedure)s AND register = %(register)s AND to_state = fresh.reached
            AND from_state IS NOT DISTINCT FROM stands.to_state AND document IS NULL ORDER BY move_id LIMIT 1
    ) AS move ON true
    ORDER BY fresh.row_no
"""
