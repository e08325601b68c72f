"""Buildings on parcels that came or went: whether something was built there, or taken down, between the two states."""

from __future__ import annotations

from collections.abc import Sequence

from lowland_gis.db.connect import Connection
from lowland_gis.pipeline.base.basis import Basis

BUILT, TAKEN_DOWN = "new_construction", "demolished"
_ON = """
    SELECT parcel_id, count(*) FILTER (WHERE b.version_id = ANY(%(before)s)), count(*) FILTER (WHERE b.version_id = ANY(%(after)s))
    FROM land.parcel p JOIN land.feature b ON b.version_id = ANY(%(both)s) AND b.geom && p.geom
        AND ST_Contains(p.geom, ST_PointOnSurface(b.geom))
    WHERE p.version_id = ANY(%(parcels)s) AND parcel_id = ANY(%(codes)s) GROUP BY parcel_id
"""


def built_causes(
    connection: Connection, states: tuple[Basis, Basis], added: Sequence[str], removed: Sequence[str]
) -> dict[str, tuple[str, tuple[int, int]]]:
    """Return parcel → what was done there, and how many buildings stood before and stand now; nothing of parcels where neither is seen."""
    found: dict[str, tuple[str, tuple[int, int]]] = {}
    before, after = (
        [version.version_id for version in basis.versions.get("building", [])] for basis in states
    )
    for codes, basis in ((removed, states[0]), (added, states[1])):
        given = {
            "before": before,
            "after": after,
            "both": [*before, *after],
            "parcels": basis.parcels,
            "codes": list(codes),
        }
        rows = connection.execute(_ON, given).fetchall() if codes else []
        for code, was, now in rows:
            if was != now:
                found[str(code)] = (BUILT if now > was else TAKEN_DOWN, (int(was), int(now)))
    return found
