"""The head of the chain over every row of the registry: kept elsewhere, it tells later what was changed behind the registry's back."""

from __future__ import annotations

from lowland_gis.db.connect import Connection
from lowland_gis.schema.model import CHAIN


def chain_head(connection: Connection) -> str | None:
    """Return the head of the chain as 64 hexadecimal digits; None while nothing is recorded."""
    row = connection.execute(
        f"SELECT encode(head, 'hex') FROM registry.{CHAIN} ORDER BY link_no DESC LIMIT 1"  # noqa: S608 - a constant
    ).fetchone()
    return None if row is None else str(row[0])


def newest_decision(connection: Connection) -> list[object]:
    """Return what tells the newest row of the registry that is no report: its place in the chain and its digest; nothing while there is none.

    Reports are recorded when they are made, and change nothing that others rest on.
    """
    row = connection.execute(
        f"SELECT link_no, encode(row_sha256, 'hex') FROM registry.{CHAIN} WHERE table_name <> 'report' ORDER BY link_no DESC LIMIT 1"  # noqa: S608 - a constant
    ).fetchone()
    return [] if row is None else list(row)
