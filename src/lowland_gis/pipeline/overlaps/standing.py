"""What stands for a run of the stage tabulate without having been computed by it; the one place that says by which runs it was."""

from __future__ import annotations

from collections.abc import Collection

from psycopg import sql

from lowland_gis import schema
from lowland_gis.db.connect import Connection
from lowland_gis.pipeline.overlaps.kept import KEPT, Kept

# Where more than this part of the kept parcels was others once since the earliest run that is rested on, rows are copied: who
# reads leaves these parcels out one by one.
_MOST_OTHERS = 0.25
_COMPUTED_HERE = "INSERT INTO result.overlap_run (run_id, layer, computed_by) SELECT %(run)s, unnest(%(layers)s::text[]), %(run)s"
_STANDS = (
    "INSERT INTO result.overlap_run (run_id, layer, computed_by) SELECT %(run)s, layer, computed_by FROM result.overlap_run"
    " WHERE run_id = %(earlier)s AND layer = ANY(%(layers)s)"
)
# What the runs computed of parcels that are not kept does not stand; what of those that were others before it did not before.
_OTHERS = (
    "INSERT INTO result.other_parcel (run_id, parcel_id, since_run)"  # noqa: S608 - a constant
    " SELECT %(run)s, parcel_id, since_run FROM result.other_parcel before WHERE run_id = %(earlier)s"
    f" AND EXISTS (SELECT FROM {KEPT} kept WHERE kept.parcel_id = before.parcel_id)"
    " UNION ALL SELECT %(run)s, parcel_id, %(run)s FROM ("
    "SELECT parcel_id FROM land.parcel WHERE version_id = ANY(%(parcels)s)"
    " UNION SELECT parcel_id FROM result.other_parcel WHERE run_id = %(earlier)s"
    f" EXCEPT SELECT parcel_id FROM {KEPT}) AS others"
)


def stand(connection: Connection, run_id: int, layers: Collection[str]) -> None:
    """Note that what a run computes of layers stands for it."""
    connection.execute(_COMPUTED_HERE, {"run": run_id, "layers": list(layers)})


def take_over(connection: Connection, run_id: int, earlier: int, layers: Collection[str], kept: Kept) -> None:
    """Let what stands for an earlier run in some layers stand for this one too, for the kept parcels.

    Rows are written only where many parcels were others since: then they are copied.
    """
    connection.execute(_OTHERS, {"run": run_id, "earlier": earlier, "parcels": [*kept.fresh, *kept.gone]})
    row = connection.execute(
        "SELECT count(*) FROM result.other_parcel WHERE run_id = %s", [run_id]
    ).fetchone()
    if row is not None and row[0] <= _MOST_OTHERS * kept.n_kept:
        connection.execute(_STANDS, {"run": run_id, "earlier": earlier, "layers": list(layers)})
        return
    connection.execute("DELETE FROM result.other_parcel WHERE run_id = %s", [run_id])
    _copy(connection, run_id, earlier, layers)


def _copy(connection: Connection, run_id: int, earlier: int, layers: Collection[str]) -> None:
    """Write what stands for an earlier run, of kept parcels in some layers, under this one."""
    # Of the newest rows the server knows no numbers yet, and may take millions for a few that it could look up one by one.
    connection.execute("SET LOCAL enable_nestloop = off")
    for table, shown in ((schema.COMPUTED_OVERLAP, schema.OVERLAP), (schema.COMPUTED_COVER, schema.COVER)):
        columns = [sql.Identifier(column.name) for column in table.columns if column.name != "run_id"]
        connection.execute(
            sql.SQL(
                "INSERT INTO {table} (run_id, {columns}) SELECT %s, {columns} FROM {shown} WHERE run_id = %s"
                " AND layer = ANY(%s) AND parcel_id IN (SELECT parcel_id FROM {kept})"
            ).format(
                table=sql.Identifier(table.schema, table.name),
                shown=sql.Identifier(shown.schema, shown.name),
                columns=sql.SQL(", ").join(columns),
                kept=sql.Identifier(KEPT),
            ),
            [run_id, earlier, list(layers)],
        )
    connection.execute("SET LOCAL enable_nestloop = on")
