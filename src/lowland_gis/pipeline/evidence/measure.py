"""Turn overlaps, attributes, buildings, enterprises, contracts, rasters and papers into evidence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lowland_gis.db.connect import Connection
from lowland_gis.definitions import measure as define
from lowland_gis.loading import when_used
from lowland_gis.pipeline.base.papers import current_documents
from lowland_gis.pipeline.base.project import Project
from lowland_gis.pipeline.base.requests import MEASURE, TABULATE, measuring
from lowland_gis.pipeline.base.runs import Run, current_versions, latest_record, needed_record, recorded
from lowland_gis.pipeline.base.stale import refuse, stale_tabulation
from lowland_gis.pipeline.base.telling import Tell, silent
from lowland_gis.pipeline.evidence.found import Evidence, evidence
from lowland_gis.pipeline.evidence.inputs import Inputs, read_inputs
from lowland_gis.pipeline.evidence.overlaps import StoredOverlaps
from lowland_gis.pipeline.evidence.stored import (
    Column,
    as_measured,
    copy_evidence,
    known_measures,
    measured_key,
    write_evidence,
)
from lowland_gis.pipeline.evidence.taken_over import SAME, Earlier, taken_over
from lowland_gis.pipeline.overlaps.handed_on import handed_on

if TYPE_CHECKING:
    from lowland_gis.pipeline.evidence import by_tasks
else:
    by_tasks = when_used("lowland_gis.pipeline.evidence.by_tasks")


def measure(project: Project, *, tell: Tell = silent) -> Run:
    """Write the evidence of every measure and of what registered papers say; only what is known.

    What the newest run found of parcels that would be measured the same is taken over.

    Raises:
        UsageError: the stage tabulate has not run.
        StaleError: the tabulation is not that of the deliveries in force.
    """
    with project.turn(MEASURE) as connection:
        tabulated = needed_record(connection, TABULATE)
        versions = current_versions(connection)
        refuse(stale_tabulation(connection, project, tabulated, versions), "Nothing was measured")
        request = measuring(connection, project, versions, tabulated)
        defined = define.measures()
        documents = current_documents(connection, request.inputs["last_document"])

        def work(run_id: int) -> None:
            if project.spark is not None:
                basis = by_tasks.Basis(versions, tabulated.run_id, documents)
                by_tasks.write(connection, project, project.spark, basis, run_id, tell)
                return
            earlier = taken_over(connection, held, request, tabulated, versions, defined)
            if earlier is not None:
                overlaps = StoredOverlaps(connection, tabulated.run_id, earlier.some)
                inputs = read_inputs(connection, project, overlaps, versions, documents, earlier.some)
                found = dict(evidence(inputs, defined, tell=tell))
                if _with_earlier(connection, inputs, earlier, found, run_id):
                    return
            handed = handed_on(project.kept, tabulated.run_id)
            overlaps = StoredOverlaps(connection, tabulated.run_id, handed=handed)
            inputs = read_inputs(connection, project, overlaps, versions, documents)
            found = dict(evidence(inputs, defined, tell=tell))
            columns, apart = _columns(found), _apart(found)
            write_evidence(connection, run_id, inputs.codes, columns, apart, srid=project.srid)
            project.kept[measured_key(run_id)] = inputs.codes, as_measured(inputs.codes, columns, apart)

        held = latest_record(connection, MEASURE)
        return recorded(connection, request, work)


def _columns(found: Mapping[str, Evidence]) -> dict[str, Column]:
    return {name: item.column for name, item in found.items() if item.column is not None}


def _apart(found: Mapping[str, Evidence]) -> list[pd.DataFrame]:
    return [item.apart for item in found.values() if item.apart is not None]


def _with_earlier(
    connection: Connection, inputs: Inputs, earlier: Earlier, found: Mapping[str, Evidence], run_id: int
) -> bool:
    """Write what was found of the parcels that are measured anew, and what an earlier run found of the others.

    False, and nothing is written, where it is not about the same measures that anything is known.
    """
    anew = np.array([code in earlier.anew for code in inputs.codes], dtype=bool)
    columns = {name: column.of(anew) for name, column in _columns(found).items()}
    known = known_measures(connection, earlier.run_id, earlier.measures, SAME)
    known |= {name for name, column in columns.items() if column.known.any()}
    if [name for name in columns if name in known] != list(earlier.measures):
        return False
    copy_evidence(connection, run_id, earlier.run_id, SAME)
    srid = inputs.settings.project.srid
    write_evidence(
        connection, run_id, inputs.codes[anew], columns, _apart(found), srid=srid, measures=earlier.measures
    )
    return True
