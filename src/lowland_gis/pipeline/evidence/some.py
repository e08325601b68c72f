"""Some of the parcels, where not all are measured: temporary tables of their codes, of boxes around them, and how rows are read of them alone."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from psycopg import sql

from lowland_gis.db.connect import Connection
from lowland_gis.definitions.layer import LayerDefinition

Conditions = tuple[sql.Composed, list[object]]

_CODES, _BOXES = "some_parcel", "some_box"


@dataclass(frozen=True)
class Some:
    """Some parcels of the deliveries `parcel_versions`, which a run of the stage tabulate has; their tables last as long as the transaction."""

    tabulate_run: int
    parcel_versions: tuple[int, ...]

    @property
    def boxes(self) -> str:
        """Return the table of boxes around them."""
        return _BOXES

    def of_parcels(self) -> sql.Composed:
        """Return the condition that a row is of one of the parcels."""
        return sql.SQL("parcel_id IN (SELECT parcel_id FROM {})").format(sql.Identifier(_CODES))

    def of_features(self, definition: LayerDefinition) -> Conditions | None:
        """Return the condition that a feature has an overlap with one of the parcels, and its values; None where overlaps name no features."""
        if definition.tabulate != "feature":
            return None
        condition = sql.SQL(
            "feature_id IN (SELECT code::bigint FROM result.overlap WHERE run_id = {} AND layer = {} AND {})"
        ).format(sql.Placeholder(), sql.Placeholder(), self.of_parcels())
        return condition, [self.tabulate_run, definition.key]


def some_parcels(
    connection: Connection,
    tabulate_run: int,
    parcel_versions: Sequence[int],
    codes: Collection[str],
    around_m: float,
) -> Some:
    """Make the tables of some parcels, with boxes that reach some metres beyond each."""
    connection.execute(f"CREATE TEMP TABLE {_CODES} (parcel_id text PRIMARY KEY) ON COMMIT DROP")
    connection.execute(f"INSERT INTO {_CODES} SELECT unnest(%s::text[])", [sorted(codes)])
    connection.execute(
        f"CREATE TEMP TABLE {_BOXES} ON COMMIT DROP AS SELECT ST_Expand(ST_Envelope(geom), %s) AS box"  # noqa: S608 - constants
        f" FROM land.parcel WHERE version_id = ANY(%s) AND parcel_id IN (SELECT parcel_id FROM {_CODES})",
        [around_m, list(parcel_versions)],
    )
    connection.execute(f"ANALYZE {_CODES}, {_BOXES}")
    return Some(tabulate_run, tuple(parcel_versions))
