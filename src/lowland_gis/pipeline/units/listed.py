"""The drafts of a project as a list: their figures, and what each is out of date by."""

from __future__ import annotations

import pandas as pd

from lowland_gis.db.connect import Connection
from lowland_gis.db.frames import read_frame
from lowland_gis.pipeline.base.requests import units
from lowland_gis.pipeline.base.runs import Record, Request, record_of
from lowland_gis.pipeline.base.stale import Stale, stale_units
from lowland_gis.pipeline.intake.reading import Reading
from lowland_gis.pipeline.units.frozen import frozen_units
from lowland_gis.settings import DelineateSettings

_DRAFTS = (
    "SELECT run_id, stage, name, origin, base_run_id, n_units, value_m2, bound_m2, gap, coverage, findings"
    " FROM result.draft JOIN result.run USING (run_id) ORDER BY run_id"
)


def drafts(connection: Connection) -> pd.DataFrame:
    """Return every draft that is kept, newest last: its head, n_findings, and how many of its units are frozen."""
    rows = read_frame(connection, _DRAFTS)
    counts = frozen_units(connection)["run_id"].value_counts()
    broken = [len(item) for item in rows["findings"]]
    return rows.drop(columns="findings").assign(
        n_findings=broken, frozen=rows["run_id"].map(counts).fillna(0).astype("int64")
    )


def stale_drafts(newest: Reading, listed_drafts: pd.DataFrame) -> list[Stale | None]:
    """Return for each draft of a list what it is out of date by."""
    records = [
        record_of(newest.connection, int(run_id), str(stage))
        for run_id, stage in zip(listed_drafts["run_id"], listed_drafts["stage"], strict=True)
    ]
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
