"""Turn overlaps, attributes, buildings, enterprises, contracts, rasters and papers into evidence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from lowland_gis import schema
from lowland_gis.analysis.rules.kleene import EQUAL_WITHIN
from lowland_gis.db.copy import copy_in
from lowland_gis.definitions import measure as define
from lowland_gis.pipeline.base.papers import current_documents, paper_rows, said_rows
from lowland_gis.pipeline.base.project import Project
from lowland_gis.pipeline.base.requests import MEASURE, TABULATE, measuring
from lowland_gis.pipeline.base.runs import Run, current_versions, needed_record, recorded
from lowland_gis.pipeline.base.stale import refuse, stale_tabulation
from lowland_gis.pipeline.base.telling import Passing, Tell, silent
from lowland_gis.pipeline.evidence.inputs import Inputs, StoredOverlaps, read_inputs
from lowland_gis.pipeline.evidence.kinds import evaluate

COLUMNS = ["parcel_id", "measure", "value", "low", "high", "source", "detail"]


def measure(project: Project, *, tell: Tell = silent) -> Run:
    """Write `result.evidence`: one row for every known value of every measure, and for what registered papers say.

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
            overlaps = StoredOverlaps(connection, tabulated.run_id)
            inputs = read_inputs(connection, project, overlaps, versions, documents)
            for _, rows in evidence(inputs, defined, tell=tell):
                copy_in(connection, schema.EVIDENCE, rows, srid=project.srid, constants={"run_id": run_id})

        return recorded(connection, request, work)


def evidence(
    inputs: Inputs, defined: Mapping[str, define.AnyMeasure], *, tell: Tell = silent
) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield the evidence of each measure: parcel_id, measure, value, low, high, source, detail; only what is known."""
    for number, (name, definition) in enumerate(defined.items(), start=1):
        tell(Passing(f"measure {number} of {len(defined)}: {name} {definition.title}"))
        yield name, _evidence(name, definition, inputs)
    tell(f"measure {len(defined)} measures")
    yield "papers", said_rows(inputs.documents, set(defined))


def _evidence(name: str, definition: define.AnyMeasure, inputs: Inputs) -> pd.DataFrame:
    if isinstance(definition, define.PaperMeasure):
        return paper_rows(name, definition, inputs.documents, inputs.index)
    needed = define.needed_layers(definition)
    if any(layer not in inputs.versions for layer in needed):
        return pd.DataFrame(columns=COLUMNS)
    found = evaluate(definition, inputs)
    layers = (*needed, *found.used)
    cited = (version.cited for layer in layers for version in inputs.versions.get(layer, []))
    rows = pd.DataFrame(
        {
            "parcel_id": inputs.index,
            "measure": name,
            "value": found.value,
            "low": np.nan if found.low is None else found.low,
            "high": np.nan if found.high is None else found.high,
            "source": "; ".join(dict.fromkeys(cited)),
            "detail": None if found.detail is None else found.detail,
        }
    )
    # A band that is but a point is none; areas are sums, so a point has the size of their rounding.
    point = (rows["high"] - rows["low"]).abs() <= EQUAL_WITHIN
    rows.loc[point, ["low", "high"]] = np.nan
    return rows[np.isfinite(found.value)]
