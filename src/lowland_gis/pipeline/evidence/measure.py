"""Turn overlaps, attributes, buildings, enterprises, contracts, rasters and papers into evidence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lowland_gis.analysis.rules.kleene import EQUAL_WITHIN
from lowland_gis.definitions import measure as define
from lowland_gis.pipeline.base.papers import current_documents, paper_rows, said_rows, silence
from lowland_gis.pipeline.base.project import Project
from lowland_gis.pipeline.base.requests import MEASURE, TABULATE, measuring
from lowland_gis.pipeline.base.runs import Run, current_versions, latest_record, needed_record, recorded
from lowland_gis.pipeline.base.stale import refuse, stale_tabulation
from lowland_gis.pipeline.base.telling import Passing, Tell, silent
from lowland_gis.pipeline.evidence.inputs import Inputs, read_inputs
from lowland_gis.pipeline.evidence.kinds import Found, evaluate
from lowland_gis.pipeline.evidence.overlaps import StoredOverlaps
from lowland_gis.pipeline.evidence.stored import (
    COLUMNS,
    Column,
    Objects,
    as_measured,
    copy_evidence,
    known_measures,
    measured_key,
    write_evidence,
)
from lowland_gis.pipeline.evidence.taken_over import SAME, Earlier, taken_over


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
            earlier = taken_over(connection, held, request, tabulated, versions, defined)
            if earlier is not None:
                overlaps = StoredOverlaps(connection, tabulated.run_id, earlier.some)
                inputs = read_inputs(connection, project, overlaps, versions, documents, earlier.some)
                if _with_earlier(inputs, earlier, dict(evidence(inputs, defined, tell=tell)), run_id):
                    return
            overlaps = StoredOverlaps(connection, tabulated.run_id)
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


def _with_earlier(inputs: Inputs, earlier: Earlier, found: Mapping[str, Evidence], run_id: int) -> bool:
    """Write what was found of the parcels that are measured anew, and what an earlier run found of the others.

    False, and nothing is written, where it is not about the same measures that anything is known.
    """
    connection = inputs.records["parcel"].connection
    anew = np.array([code in earlier.anew for code in inputs.codes], dtype=bool)
    columns = {name: column.of(anew) for name, column in _columns(found).items()}
    known = known_measures(connection, earlier.run_id, earlier.measures, SAME)
    known |= {name for name, column in columns.items() if column.known.any()}
    if [name for name in columns if name in known] != list(earlier.measures):
        return False
    copy_evidence(connection, run_id, earlier.run_id, SAME)
    srid = inputs.project.srid
    write_evidence(
        connection, run_id, inputs.codes[anew], columns, _apart(found), srid=srid, measures=earlier.measures
    )
    return True


@dataclass(frozen=True)
class Evidence:
    """What is known of one measure: a value for each parcel under one source, and rows that have a source of their own."""

    column: Column | None = None
    apart: pd.DataFrame | None = None

    def rows(self, name: str, parcels: Objects) -> pd.DataFrame:
        """Return one row for each known value: parcel_id, measure, value, low, high, source, detail."""
        found = [] if self.column is None else [self.column.rows(name, parcels)]
        found += [] if self.apart is None else [self.apart.reindex(columns=COLUMNS)]
        return pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=COLUMNS)


def evidence(
    inputs: Inputs, defined: Mapping[str, define.AnyMeasure], *, tell: Tell = silent
) -> Iterator[tuple[str, Evidence]]:
    """Yield the evidence of each measure, and at last of what papers say of other conditions."""
    for number, (name, definition) in enumerate(defined.items(), start=1):
        tell(Passing(f"measure {number} of {len(defined)}: {name} {definition.title}"))
        yield name, _evidence(name, definition, inputs)
    tell(f"measure {len(defined)} measures")
    said = said_rows(inputs.documents, set(defined))
    yield "papers", Evidence(apart=said if len(said) else None)


def _evidence(name: str, definition: define.AnyMeasure, inputs: Inputs) -> Evidence:
    if isinstance(definition, define.PaperMeasure):
        return _paper(name, definition, inputs)
    needed = definition.needs
    if any(layer not in inputs.versions for layer in needed):
        return Evidence()
    found = evaluate(definition, inputs)
    layers = (*needed, *found.used)
    cited = (version.cited for layer in layers for version in inputs.versions.get(layer, []))
    return Evidence(_column(found, "; ".join(dict.fromkeys(cited))))


def _paper(name: str, definition: define.PaperMeasure, inputs: Inputs) -> Evidence:
    """Return what papers say, and what the list of an office says of the parcels that no paper speaks of."""
    said = paper_rows(name, inputs.documents, inputs.documented) if len(inputs.documents) else None
    if definition.absent is None:
        return Evidence(apart=said)
    value = np.full(len(inputs.index), float(definition.absent))
    if said is not None:
        value[inputs.index.isin(said["parcel_id"])] = np.nan
    return Evidence(Column(value, silence(definition)), said)


def _column(found: Found, source: str) -> Column:
    if found.low is None or found.high is None:
        return Column(found.value, source, detail=found.detail)
    # A band that is but a point is none; areas are sums, so a point has the size of their rounding.
    point = np.abs(found.high - found.low) <= EQUAL_WITHIN
    low, high = (np.where(point, np.nan, end) for end in (found.low, found.high))
    return Column(found.value, source, low, high, found.detail)
