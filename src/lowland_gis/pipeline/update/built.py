"""What made parcels come or go: the survey increment of the year that shows them, else buildings that were built or taken down there."""

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
# The survey increment of the year (变更调查增量) has a changed polygon there.
_SHOWN = """
    SELECT parcel_id FROM land.parcel p WHERE version_id = ANY(%s) AND parcel_id = ANY(%s) AND EXISTS (
        SELECT FROM land.feature f JOIN land.current_version v USING (version_id)
        WHERE v.layer = 'dltb_change' AND f.geom && p.geom AND ST_Contains(f.geom, ST_PointOnSurface(p.geom))
    )
"""


def built_causes(
    connection: Connection, states: tuple[Basis, Basis], added: Sequence[str], removed: Sequence[str]
) -> dict[str, tuple[str, tuple[int, int]]]:
    """Return parcel → what was done there, and how many buildings stood before and stand now.

    Nothing of parcels where neither is seen, nor of those that the survey increment shows: that is what brought them.
    """
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
        shown = {row[0] for row in connection.execute(_SHOWN, [basis.parcels, list(codes)]).fetchall()}
        for code, was, now in rows:
            if was != now and code not in shown:
                found[str(code)] = (BUILT if now > was else TAKEN_DOWN, (int(was), int(now)))
    return found
