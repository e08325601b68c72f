"""Where the database of a project answers: a server that is named, else the project's own."""

from __future__ import annotations

from pathlib import Path

from lowland_gis.errors import DatabaseError


def connect_string(project_dir: Path, dsn: str | None) -> str:
    """Return the given DSN, else where the running private cluster answers; only this needs what Windows has not.

    Raises:
        DatabaseError: no DSN is set, and the cluster is not running or there can be none on this system.
    """
    if dsn:
        return dsn
    try:
        from lowland_gis.db.private import cluster
    except ImportError as error:
        raise DatabaseError(
            f"lowland keeps no database of a project on this system ({error}), so a server with PostGIS is needed."
            ' Name it: LOWLAND_DSN="host=… dbname=…", or dsn in lowland.toml.'
        ) from error
    return cluster.connect_string(project_dir, dsn)
