"""Names of layers and outputs that are no files of this machine: what has a URI, and tables of the database."""

from __future__ import annotations

import re

TABLE = "PG:"
_URI = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)


def is_uri(place: str) -> bool:
    """Tell whether a place is named by a URI, not by a path.

    >>> is_uri("s3://land/parcels"), is_uri("parcels/2024"), is_uri("C:/parcels")
    (True, False, False)
    """
    return _URI.match(place) is not None


def is_table(place: str) -> bool:
    """Tell whether a place is a table of the database: PG:SCHEMA.TABLE."""
    return place.startswith(TABLE)


def table_name(place: str) -> tuple[str, str]:
    """Return the schema and name of a table; without a schema it is one of public.

    >>> table_name("PG:analysis.overlap"), table_name("PG:overlap")
    (('analysis', 'overlap'), ('public', 'overlap'))
    """
    first, _, last = place.removeprefix(TABLE).rpartition(".")
    return first or "public", last
