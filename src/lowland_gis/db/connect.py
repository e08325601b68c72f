"""Open a database that is known to be there, in one transaction, with errors in words."""

from __future__ import annotations

import select
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from lowland_gis.errors import DatabaseError, MoveRefusedError

Connection = psycopg.Connection[Any]

OUTCOME_TIMEOUT_S = 5.0
CONNECT_TIMEOUT_S = 10
APPLICATION = "lowland"
# What the database refuses in words of ours has a number of this class (`db.guards`).
OWN_REFUSALS = "LR"
# What the server, the role, and PGCLIENTENCODING, PGTZ or PGDATESTYLE in the environment would else decide: how texts and days are
# spelt on the wire, and with how many digits.
SESSION = {
    "client_encoding": "UTF8",
    "TimeZone": "UTC",
    "DateStyle": "ISO, YMD",
    "IntervalStyle": "postgres",
    "extra_float_digits": "1",
}


class Spare:
    """Room for one open connection between two transactions: the server takes some 15 ms of its processor to make one ready for the first.

    Whoever makes the room closes it. Nothing of ours outlives a transaction but the settings that every connection has.
    """

    def __init__(self) -> None:
        """Make room; nothing is held yet."""
        self._held: Connection | None = None

    def take(self, dsn: str) -> Connection:
        """Return the connection that is held, else a new one.

        Raises:
            DatabaseError: the server cannot be reached.
        """
        held, self._held = self._held, None
        if held is None:
            return connect(dsn)
        # Between two transactions a server says nothing but that it goes.
        if select.select([held], [], [], 0)[0]:
            held.close()
            return connect(dsn)
        return held

    def hold(self, connection: Connection) -> bool:
        """Hold a connection whose transaction has ended, and tell whether it is held."""
        idle = psycopg.pq.TransactionStatus.IDLE
        if self._held is not None or connection.closed or connection.info.transaction_status != idle:
            return False
        connection.isolation_level = connection.read_only = None
        self._held = connection
        return True

    def close(self) -> None:
        """Close the connection that is held."""
        if self._held is not None:
            self._held.close()
            self._held = None


@contextmanager
def transaction(dsn: str, *, dry_run: bool = False, spare: Spare | None = None) -> Iterator[Connection]:
    """Yield a connection whose work is committed at the end, or rolled back on any error and on `dry_run`; it comes from `spare` and goes there.

    Raises:
        DatabaseError: the server cannot be reached, or refuses a statement; where the answer to COMMIT was lost, it says what became
            of the work, or that it is unknown.
        MoveRefusedError: the registry refuses it (`db.guards`).
        NotAllowedError: this account may not do it; the message says who may.
    """
    connection = connect(dsn) if spare is None else spare.take(dsn)
    with kept_or_nothing(connection, dsn, dry_run=dry_run, spare=spare):
        yield connection


@contextmanager
def kept_or_nothing(
    connection: Connection, dsn: str, *, dry_run: bool = False, spare: Spare | None = None
) -> Iterator[None]:
    """Commit the work on a connection when the body ends well, else roll it back; errors as with `transaction`.

    It is closed then, but for one that ended well and that `spare` has room for.
    """
    try:
        yield
        if dry_run:
            connection.rollback()
        else:
            _commit(connection, dsn)
    except psycopg.Error as error:
        if (error.sqlstate or "").startswith(OWN_REFUSALS):
            raise MoveRefusedError(f"{_first_line(error)}. Nothing was changed.") from error
        if isinstance(error, psycopg.errors.InsufficientPrivilege):
            # Only who is refused something waits for what knows the tables.
            from lowland_gis.db.refused import not_allowed  # noqa: PLC0415

            raise not_allowed(connection, error) from error
        if isinstance(error, psycopg.errors.LockNotAvailable):
            raise DatabaseError(
                "Somebody else has been recording in the registry for a while, so it was not waited for any longer. Nothing was changed."
                " Type it again; lowland db psql shows in pg_stat_activity who is at work"
            ) from error
        advice = "Type: lowland db up – and try again" if connection.broken else "Look at: lowland db status"
        raise DatabaseError(
            f"The database {'went away' if connection.broken else 'refused'}: {_first_line(error)}."
            f" Nothing was changed. {advice}"
        ) from error
    finally:
        # Closing an open transaction rolls it back, whatever ended the block.
        if spare is None or not spare.hold(connection):
            connection.close()


def _commit(connection: Connection, dsn: str) -> None:
    """Commit; a connection that breaks before the answer leaves open whether the server did."""
    row = connection.execute("SELECT pg_current_xact_id_if_assigned()::text").fetchone()
    written = None if row is None else row[0]
    try:
        connection.commit()
    except psycopg.Error as error:
        # An answer that came is a no, and a transaction without a number has written nothing.
        if written is None or not connection.broken:
            raise
        raise DatabaseError(
            f"The database went away while the work was being committed ({_first_line(error)}), so it was unknown what became of it."
            f" {_OUTCOMES[_outcome(dsn, written)]}"
        ) from error


_AGAIN = "Type: lowland db up – and the same command again; what is there already is not written twice."
_OUTCOMES = {
    "committed": f"Asked again, the database says that all of it was kept. Go on, or be told the answer. {_AGAIN}",
    "aborted": f"Asked again, the database says that nothing was changed. {_AGAIN}",
    None: f"It is still unknown: either all of it was kept or nothing. {_AGAIN}",
}


def _outcome(dsn: str, transaction_id: str) -> str | None:
    """Ask a server that may be there again what became of a transaction; None where it does not say.

    A server that is busy notices late that its client has gone, so it is asked again for some seconds while the work is going on.
    """
    until = time.monotonic() + OUTCOME_TIMEOUT_S
    try:
        with psycopg.connect(
            dsn, connect_timeout=CONNECT_TIMEOUT_S, application_name=APPLICATION, autocommit=True
        ) as connection:
            while True:
                row = connection.execute("SELECT pg_xact_status(%s::text::xid8)", [transaction_id]).fetchone()
                if row is None or row[0] != "in progress" or time.monotonic() > until:
                    break
                time.sleep(0.1)
    except psycopg.Error:
        return None
    return row[0] if row is not None and row[0] in _OUTCOMES else None


@contextmanager
def snapshot(dsn: str, *, spare: Spare | None = None) -> Iterator[Connection]:
    """Yield a connection that only reads; every statement sees the database as it was at the first one.

    Raises:
        DatabaseError: the server cannot be reached, or refuses a statement.
    """
    with transaction(dsn, dry_run=True, spare=spare) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        yield connection


def connect(dsn: str) -> Connection:
    """Open a connection.

    Raises:
        DatabaseError: the server cannot be reached.
    """
    try:
        connection = session(dsn)
    except psycopg.Error as error:
        raise DatabaseError(
            f"The database cannot be reached: {_first_line(error)}. Type: lowland db up"
            " – or check LOWLAND_DSN if the server is not the project's own."
        ) from error
    refuse_other_encoding(connection)
    return connection


def refuse_other_encoding(connection: Connection) -> None:
    """Close a connection to a database whose texts are not UTF-8, and refuse it.

    Raises:
        DatabaseError: the database has another encoding, in which names in Chinese are not kept, or not sorted, as they came.
    """
    encoding = connection.info.parameter_status("server_encoding")
    if encoding == "UTF8":
        return
    name = connection.info.dbname
    connection.close()
    raise DatabaseError(
        f"The database {name} is encoded in {encoding}, and not every Chinese name can be kept in it; lowland needs UTF8."
        " Make another one and name it in LOWLAND_DSN: CREATE DATABASE lowland ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'"
        " TEMPLATE template0"
    )


def session(dsn: str, *, autocommit: bool = False) -> Connection:
    """Open a connection that speaks the same language wherever and by whomever it is opened: UTF-8, UTC, ISO days.

    Raises:
        psycopg.Error: the server cannot be reached.
    """
    # Made in autocommit, since a setting that is made in a transaction goes with it when that is rolled back.
    connection = psycopg.connect(
        dsn,
        connect_timeout=CONNECT_TIMEOUT_S,
        application_name=APPLICATION,
        autocommit=True,
    )
    try:
        connection.execute(
            "SELECT set_config(name, value, false) FROM unnest(%s::text[], %s::text[]) AS s (name, value)",
            [list(SESSION), list(SESSION.values())],
        )
        connection.autocommit = autocommit
    except BaseException:
        connection.close()
        raise
    return connection


def _first_line(error: psycopg.Error) -> str:
    text = error.diag.message_primary or str(error).strip()
    return text.splitlines()[0] if text else type(error).__name__
