"""Frozen units (已冻结单元) as the registry keeps them: those in force, their outlines, their history."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lowland_gis.db.connect import Connection
from lowland_gis.db.frames import read_frame, read_geoframe

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

FROZEN, WITHDRAWN = "frozen", "withdrawn"
# The newest row of a number holds.
NEWEST = "(SELECT DISTINCT ON (number) * FROM registry.unit ORDER BY number, entry_id DESC)"
IN_FORCE = f"FROM {NEWEST} newest WHERE state = '{FROZEN}' ORDER BY number"
_HISTORY = (
    "SELECT number, state, unit_id, town_code, jsonb_array_length(parcels) AS n_parcels, area_m2, reason, replaces, run_id,"
    " recorded_at, recorded_by, entry_id = max(entry_id) OVER (PARTITION BY number) AS newest"
    " FROM registry.unit ORDER BY number, entry_id"
)


def frozen_units(connection: Connection) -> pd.DataFrame:
    """Return the frozen units in force: number, unit_id, town_code, parcels, members, replaces, run_id, area_m2."""
    return read_frame(
        connection,
        f"SELECT number, unit_id, town_code, parcels, members, replaces, run_id, area_m2 {IN_FORCE}",
    )


def any_frozen(connection: Connection) -> bool:
    """Return whether there are frozen units in force."""
    row = connection.execute(f"SELECT EXISTS (SELECT 1 {IN_FORCE})").fetchone()
    return bool(row and row[0])


def holding(connection: Connection, parcel_id: str) -> str | None:
    """Return the number of the frozen unit in force that holds a parcel, None where none does."""
    row = connection.execute(
        f"SELECT number FROM {NEWEST} newest WHERE state = %s AND parcels ? %s",  # noqa: S608 - constants
        [FROZEN, parcel_id],
    ).fetchone()
    return None if row is None else str(row[0])


def unit_history(connection: Connection) -> pd.DataFrame:
    """Return every entry of the frozen units, by number and then in the order in which they were added.

    Columns: number, state, unit_id, town_code, n_parcels, area_m2, reason (why it was withdrawn), replaces (numbers), run_id (the
    draft), recorded_at, recorded_by, newest (does the entry hold?).
    """
    rows = read_frame(connection, _HISTORY)
    return rows.assign(replaces=[" ".join(numbers or []) for numbers in rows["replaces"]])


def frozen_shapes(connection: Connection, *, srid: int) -> gpd.GeoDataFrame:
    """Return the frozen units in force as they leave the house, by their numbers.

    Columns: unit_id (the number), town_code, n_parcels, area_m2, low_share, compactness (4πA/P², as it was when frozen), geometry.
    """
    return read_geoframe(
        connection,
        "SELECT number AS unit_id, town_code, jsonb_array_length(parcels) AS n_parcels, area_m2, low_share,"
        " 4 * pi() * area_m2 / nullif((ledger->>'outline_m')::float8, 0) ^ 2 AS compactness, ST_AsBinary(geom) AS geom "
        + IN_FORCE,
        srid=srid,
    )
