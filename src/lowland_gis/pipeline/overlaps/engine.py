"""Where an engine finds a database to compute in."""

from __future__ import annotations

from pathlib import Path

from lowland_gis.db.place import connect_string
from lowland_gis.errors import DatabaseError


def database_for(project_dir: Path, dsn: str | None) -> str:
    """Return where there is a database to compute in: the given server, or the project's running one.

    Raises:
        DatabaseError: there is neither.
    """
    try:
        return connect_string(project_dir, dsn)
    except DatabaseError as error:
        raise DatabaseError(
            "The engine postgis, or a table PG:…, needs a database, and none is there: LOWLAND_DSN is not set, and the project's own is not"
            " running. Type: lowland db up – or set LOWLAND_DSN – or leave it away: the local engine on files needs no database."
        ) from error
