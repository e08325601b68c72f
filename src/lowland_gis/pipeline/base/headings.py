"""Under which headings deliveries have the fields of their layers: what is said to a supplier is said in his words."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from psycopg.types.json import Jsonb

from lowland_gis.db.connect import Connection

Headings = Mapping[str, str]
_KEY = "headings"


def record_headings(connection: Connection, version_id: int, headings: Headings) -> None:
    """Note with a delivery the headings (field → heading) that are not the names of their fields."""
    if headings:
        connection.execute(
            "UPDATE land.layer_version SET options = coalesce(options, '{}') || %s WHERE version_id = %s",
            [Jsonb({_KEY: dict(headings)}), version_id],
        )


def delivered_headings(connection: Connection, versions: Collection[int]) -> dict[int, Headings]:
    """Return the headings of deliveries by their numbers; of one that older programs loaded, or whose headings are our names, none."""
    rows = connection.execute(
        "SELECT version_id, options->%s FROM land.layer_version WHERE version_id = ANY(%s) AND options ? %s",
        [_KEY, sorted(versions), _KEY],
    ).fetchall()
    return {int(number): dict(headings) for number, headings in rows}
