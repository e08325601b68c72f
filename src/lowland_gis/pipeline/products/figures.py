"""What a project holds, as small frames: layers, coverage, quality; for notebooks and reports."""

from __future__ import annotations

import pandas as pd

from lowland_gis.db.connect import Connection
from lowland_gis.db.frames import read_frame
from lowland_gis.definitions.layer import layer_title
from lowland_gis.pipeline.base.project import Project
from lowland_gis.pipeline.intake.reading import Reading


def loaded_layers(project: Project) -> pd.DataFrame:
    """Return the deliveries in force: layer, title, part, as_of, n_loaded, n_rejected, n_issues, loaded_share."""
    with project.snapshot() as connection:
        rows = deliveries_in_force(connection)
    rows.insert(1, "title", [layer_title(key) for key in rows["layer"]])
    return rows.assign(loaded_share=rows["n_loaded"] / rows["n_read"].clip(lower=1)).drop(
        columns=["n_read", "version_id"]
    )


def deliveries_in_force(connection: Connection) -> pd.DataFrame:
    """Return the deliveries in force: layer, part, version_id, as_of, n_read, n_loaded, n_rejected, n_issues."""
    return read_frame(
        connection,
        "SELECT v.layer, v.part, version_id, v.as_of, n_read, n_loaded, n_rejected, (SELECT count(*) FROM land.issue i"
        " WHERE i.version_id = v.version_id) AS n_issues"
        " FROM land.current_version JOIN land.layer_version v USING (version_id) ORDER BY 1, 2, 3",
    )


def coverage(held: Reading) -> pd.DataFrame:
    """Return how much of each polygon layer covers the parcels: layer, title, parcels touched, share of their area."""
    basis = held.basis
    rows = read_frame(
        held.connection,
        "SELECT layer, count(DISTINCT parcel_id) AS parcels, sum(area_m2) AS area_m2 FROM result.overlap WHERE run_id = %s"
        " GROUP BY layer ORDER BY layer",
        [basis.tabulated.run_id],
    )
    whole = read_frame(
        held.connection,
        "SELECT sum(planar_m2) AS area_m2 FROM land.parcel WHERE version_id = ANY(%s)",
        [basis.parcels],
    )["area_m2"][0]
    rows.insert(1, "title", [layer_title(key) for key in rows["layer"]])
    return rows.assign(share=rows["area_m2"] / float(whole or 1)).drop(columns="area_m2")


def quality(project: Project) -> pd.DataFrame:
    """Return doubts about the records of the deliveries in force by layer, rule and action, most frequent first."""
    with project.snapshot() as connection:
        return read_frame(
            connection,
            "SELECT layer, rule, action, count(*) AS records FROM land.current_issue JOIN land.current_version USING (version_id)"
            " GROUP BY 1, 2, 3 ORDER BY 4 DESC, 1, 2, 3",
        )


def evidence_summary(held: Reading) -> pd.DataFrame:
    """Return, for every measure of a classification: parcels with a value, least, median and greatest value."""
    return read_frame(
        held.connection,
        "SELECT measure, count(*) AS parcels, min(value) AS least, percentile_cont(0.5) WITHIN GROUP (ORDER BY value) AS median,"
        " max(value) AS greatest FROM result.evidence WHERE run_id = %s GROUP BY measure ORDER BY measure",
        [held.basis.measured.run_id],
    )
