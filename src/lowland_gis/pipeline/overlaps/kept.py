"""Which parcels stand as they stood when an earlier run tabulated them: the same outline to the last bit, whichever delivery brought it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from lowland_gis.db.connect import Connection
from lowland_gis.pipeline.base.land import cut_from

# The parcels that are kept, by their codes, as long as the transaction lasts.
KEPT = "kept_parcel"
_BOXES = "fresh_box"
# Up to this part of the parcels, zones are looked for parcel by parcel; beyond, reading all of them costs less.
_FEW = 0.25
# A parcel of these deliveries that is not kept.
FRESH = f"version_id = ANY(%s) AND NOT EXISTS (SELECT FROM {KEPT} kept WHERE kept.parcel_id = land.parcel.parcel_id)"


@dataclass(frozen=True)
class Kept:
    """How many parcels are kept and how many are not, and the temporary table of the boxes of these, where they are few.

    `fresh` are the deliveries of now in which parcels that are not kept may stand, `gone` those of before that are in force no more.
    """

    n_kept: int
    n_fresh: int
    near: str | None
    fresh: tuple[int, ...]
    gone: tuple[int, ...]


def keep_parcels(connection: Connection, before: Collection[int], now: Collection[int]) -> Kept:
    """Find the parcels of the deliveries in force whose outlines were the same in the deliveries that a run read `before`.

    A part that takes the place of pieces of a whole brings most parcels as they were, and what it leaves of the whole becomes
    a delivery of its own: so parcels are held against each other, and not deliveries.
    """
    as_before = {*cut_from(connection, before, now), *({*before} & {*now})}
    fresh, gone = tuple(sorted({*now} - as_before)), tuple(sorted({*before} - {*now}))
    connection.execute(f"CREATE TEMP TABLE {KEPT} (parcel_id text PRIMARY KEY) ON COMMIT DROP")
    connection.execute(
        f"INSERT INTO {KEPT} SELECT parcel_id FROM land.parcel WHERE version_id = ANY(%(both)s)"  # noqa: S608 - a constant
        " UNION SELECT parcel_id FROM land.parcel now JOIN land.parcel held USING (parcel_id)"
        " WHERE now.version_id = ANY(%(now)s) AND held.version_id = ANY(%(before)s) AND now.geom::bytea = held.geom::bytea",
        {"both": sorted(as_before), "now": list(fresh), "before": list(gone)},
    )
    connection.execute(f"ANALYZE {KEPT}")
    connection.execute(
        f"CREATE TEMP TABLE {_BOXES} ON COMMIT DROP AS SELECT ST_Envelope(geom) AS box FROM land.parcel WHERE {FRESH}",  # noqa: S608 - constants
        [list(fresh)],
    )
    connection.execute(f"ANALYZE {_BOXES}")
    row = connection.execute(
        f"SELECT (SELECT count(*) FROM {KEPT}), (SELECT count(*) FROM {_BOXES})"  # noqa: S608 - constants
    ).fetchone()
    n_kept, n_fresh = row or (0, 0)
    few = n_fresh <= _FEW * (n_kept + n_fresh)
    return Kept(int(n_kept), int(n_fresh), _BOXES if few else None, fresh, gone)
