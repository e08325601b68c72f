"""Open a database that is known to be there, in one transaction, with errors in words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from lowland_gis.errors import DatabaseError

Connection = psycopg.Connection[Any]

CONNECT_TIMEOUT_S = 10
APPLICATION = "lowland"


@contextmanager
def transaction(dsn: str, *, dry_run: bool = False) -> Iterator[Connection]:
    """Yield a connection whose work is committed at the end, or rolled back on any error and on `dry_run`.

    Raises:
        DatabaseError: the server cannot be reached, or refuses a statement.
    """
    connection = connect(dsn)
    try:
        yield connection
        if dry_run:
            connection.rollback()
        else:
            connection.commit()
    except psycopg.Error as error:
        advice = "Type: lowland db up – and try again" if connection.broken else "Look at: lowland db status"
        raise DatabaseError(
            f"The database {'went away' if connection.broken else 'refused'}: {_first_line(error)}."
            f" Nothing was changed. {advice}"
        ) from error
    finally:
        # Closing an open transaction rolls it back, whatever ended the block.
        connection.close()


def connect(dsn: str) -> Connection:
    """Open a connection.

    Raises:
        DatabaseError: the server cannot be reached.
    """
    try:
        return psycopg.connect(dsn, connect_timeout=CONNECT_TIMEOUT_S, application_name=APPLICATION)
    except psycopg.Error as error:
        raise DatabaseError(
            f"The database cannot be reached: {_first_line(error)}. Type: lowland db up"
            " – or check LOWLAND_DSN if the server is not the project's own."
        ) from error


def _first_line(error: psycopg.Error) -> str:
    text = error.diag.message_primary or str(error).strip()
    return text.splitlines()[0] if text else type(error).__name__
