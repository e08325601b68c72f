"""Turn overlaps, attributes, buildings, enterprises, contracts, rasters and papers into evidence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from lowland_gis import schema
from lowland_gis.analysis.kleene import EQUAL_WITHIN
from lowland_gis.db.connect import Connection
from lowland_gis.db.copy import copy_in
from lowland_gis.definitions import measure as define
from lowland_gis.pipeline.documents import current_documents, paper_rows, said_rows
from lowland_gis.pipeline.evaluate import evaluate, needed_layers, optional_layers
from lowland_gis.pipeline.inputs import Inputs, StoredOverlaps, read_inputs
from lowland_gis.pipeline.project import Project, Tell, silent
from lowland_gis.pipeline.runs import Run, Version, current_versions, digest_of, needed_run, recorded

STAGE = "measure"
COLUMNS = ["parcel_id", "measure", "value", "low", "high", "source", "detail"]


def measure(project: Project, *, tell: Tell = silent) -> Run:
    """Write `result.evidence`: one row for every known value of every measure, and for what registered papers say.

    Raises:
        UsageError: the stage tabulate has not run.
    """
    with project.transaction() as connection:
        tabulated = needed_run(connection, "tabulate")
        versions = current_versions(connection)
        defined = define.measures()
        documents = current_documents(connection)

        def work(run_id: int) -> None:
            overlaps = StoredOverlaps(connection, tabulated.run_id)
            inputs = read_inputs(connection, project, overlaps, versions, documents)
            for _, rows in evidence(inputs, defined, tell=tell):
                copy_in(connection, schema.EVIDENCE, rows, srid=project.srid, constants={"run_id": run_id})

        return recorded(
            connection,
            STAGE,
            inputs=_inputs(connection, tabulated, defined, versions, documents),
            settings={
                "as_of": project.settings.project.as_of.isoformat(),
                "measures": define.to_json(defined),
            },
            work=work,
        )


def _inputs(
    connection: Connection,
    tabulated: Run,
    defined: Mapping[str, define.AnyMeasure],
    versions: Mapping[str, list[Version]],
    documents: pd.DataFrame,
) -> dict[str, Any]:
    layers = {"parcel", "plan_zone"}
    for definition in defined.values():
        layers |= {*needed_layers(definition), *optional_layers(definition)}
    used = [version for key in sorted(layers) for version in versions.get(key, [])]
    newest = connection.execute("SELECT coalesce(max(entry_id), 0) FROM registry.document").fetchone()
    return {
        "tabulate": tabulated.digest,
        "tabulate_run": tabulated.run_id,
        "versions": {str(version.version_id): version.digest for version in used},
        "parcel_versions": [version.version_id for version in versions.get("parcel", [])],
        "documents": digest_of(documents.astype(str).to_numpy().tolist()),
        "last_document": newest[0] if newest else 0,
    }


def evidence(
    inputs: Inputs, defined: Mapping[str, define.AnyMeasure], *, tell: Tell = silent
) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield the evidence of each measure: parcel_id, measure, value, low, high, source, detail; only what is known."""
    for name, definition in defined.items():
        tell(f"measure {name} {definition.title}")
        yield name, _evidence(name, definition, inputs)
    yield "papers", said_rows(inputs.documents, set(defined))


def _evidence(name: str, definition: define.AnyMeasure, inputs: Inputs) -> pd.DataFrame:
    if isinstance(definition, define.PaperMeasure):
        return paper_rows(name, definition, inputs.documents, inputs.index)
    needed = needed_layers(definition)
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
