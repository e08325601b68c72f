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
        connection = psycopg.connect(dsn, connect_timeout=CONNECT_TIMEOUT_S, application_name=APPLICATION)
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


def _first_line(error: psycopg.Error) -> str:
    text = error.diag.message_primary or str(error).strip()
    return text.splitlines()[0] if text else type(error).__name__
