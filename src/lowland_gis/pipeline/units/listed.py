"""The drafts of a project as a list: their figures, and what each is out of date by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from psycopg.rows import dict_row

from lowland_gis.db.connect import Connection
from lowland_gis.pipeline.base.requests import units
from lowland_gis.pipeline.base.runs import Record, Request, record_of
from lowland_gis.pipeline.base.stale import Stale, stale_units
from lowland_gis.pipeline.intake.reading import Reading
from lowland_gis.pipeline.units.frozen import FROZEN, NEWEST
from lowland_gis.settings import DelineateSettings

_DRAFTS = (
    "SELECT run_id, stage, name, origin, base_run_id, n_units, value_m2, bound_m2, gap, coverage,"
    " jsonb_array_length(findings) AS n_findings"
    " FROM result.draft JOIN result.run USING (run_id) ORDER BY run_id"
)
# The newest row of a number holds.
_FROZEN = f"SELECT run_id, count(*) FROM {NEWEST} newest WHERE state = '{FROZEN}' GROUP BY run_id"  # noqa: S608 - constants


def drafts(connection: Connection) -> list[dict[str, Any]]:
    """Return every draft that is kept, newest last: its head, n_findings, and how many of its units are frozen."""
    counts: dict[int, int] = dict(connection.execute(_FROZEN).fetchall())
    with connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(_DRAFTS).fetchall()
    return [row | {"frozen": counts.get(row["run_id"], 0)} for row in rows]


def stale_drafts(newest: Reading, listed_drafts: Sequence[Mapping[str, Any]]) -> list[Stale | None]:
    """Return for each draft of a list what it is out of date by."""
    records = [record_of(newest.connection, row["run_id"], row["stage"]) for row in listed_drafts]
    return [stale_draft(newest, record, own_settings(record)) for record in records]


def stale_draft(newest: Reading, record: Record, settings: DelineateSettings) -> Stale | None:
    """Return what a draft is out of date by; its limits are its own, whatever lowland.toml says now."""
    wanted = units(
        record.stage, str(record.settings["name"]), settings, newest.current, newest.basis.classified
    )
    request = Request(record.stage, {**record.inputs, **wanted.inputs}, record.settings)
    return stale_units(newest.connection, record, request, newest.stale, newest.current)


def own_settings(record: Record) -> DelineateSettings:
    """Return the settings that a draft was drawn with."""
    kept = {key: value for key, value in record.settings.items() if key in DelineateSettings.model_fields}
    return DelineateSettings.model_validate(kept)
